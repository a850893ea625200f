"""Characters as tokens: every text of the vocabulary comes back, and `tokenizers` agrees."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Peer

from llmcourse.text.characters import CharacterTokenizer, load_tokenizer
from llmcourse.text.tokenizers import Tokenizer, train_bpe

AWKWARD = ["", " ", "\n\n", "a\u0301", "naïve 🙂", "<|end|>", "\x00\x7f", "ﬀ ﬁ", "\u200d", '"\\']
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT)
def test_a_text_of_the_vocabulary_comes_back(text):
    tokenizer = CharacterTokenizer.of(text, ["<|end|>"])
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text and len(ids) == len(text)
    assert all(i < len(tokenizer.characters) for i in ids)


def test_an_unknown_character_is_the_replacement_character():
    tokenizer = CharacterTokenizer.of("abc")
    assert tokenizer.decode(tokenizer.encode("axb🙂")) == "a\ufffdb\ufffd"


def test_tokenizers_loads_the_file_with_the_same_ids(tmp_path):
    tokenizer = CharacterTokenizer.of("".join(AWKWARD) + "the text", ["<|end|>", "<|pad|>"])
    tokenizer.save(tmp_path / "tokenizer.json")
    peer = Peer.from_file(str(tmp_path / "tokenizer.json"))
    assert peer.get_vocab_size() == tokenizer.vocab_size
    assert peer.get_vocab() == {token: i for i, token in enumerate(tokenizer.tokens)}
    for text in (*AWKWARD, "the text", "unknown: äöü 漢字"):
        if "<|end|>" not in text:  # theirs takes a special token that is written in the text
            assert peer.encode(text).ids == tokenizer.encode(text)
        assert peer.decode(tokenizer.encode(text)) == tokenizer.decode(tokenizer.encode(text))


@pytest.mark.parametrize("specials", [(), ("<|end|>", "a text")])
def test_a_file_comes_back(specials, tmp_path):
    tokenizer = CharacterTokenizer.of("".join(AWKWARD), specials)
    tokenizer.save(tmp_path / "tokenizer.json")
    assert load_tokenizer(tmp_path / "tokenizer.json") == tokenizer


def test_a_file_of_bpe_is_loaded_as_such_and_refused_as_characters(tmp_path):
    path = tmp_path / "tokenizer.json"
    bpe = train_bpe(["a text of some words"], 260, ["<|end|>"])
    bpe.save(path)
    assert isinstance(load_tokenizer(path), Tokenizer)
    for content in (path.read_text(), "no json", json.dumps({"model": {"vocab": []}}), "[]"):
        path.write_text(content)
        with pytest.raises(ValueError, match=r"tokenizer\.json of single characters, got another"):
            CharacterTokenizer.load(path)


def test_mistakes_are_refused():
    tokenizer = CharacterTokenizer.of("ab")
    with pytest.raises(TypeError, match="a text as one string"):
        tokenizer.encode(["a"])
    with pytest.raises(ValueError, match="from 0 to 2, got 3"):
        tokenizer.decode([3])
    with pytest.raises(ValueError, match="lone surrogate"):
        CharacterTokenizer.of("a\ud83d")
    for characters, specials in (
        (("a", "b"), ()),
        (("ab", "\ufffd"), ()),
        (("a", "\ufffd"), ("a",)),
    ):
        with pytest.raises(ValueError, match=r"different single characters, U\+FFFD among them"):
            CharacterTokenizer(characters, specials)
