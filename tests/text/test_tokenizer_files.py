"""Files of Hugging Face's tokenizers, with special tokens at any ids: parity, or one clear line."""

import json

import pytest
from tokenizers import (
    AddedToken,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from tokenizers import Tokenizer as Peer

from llmcourse.text import token_view
from llmcourse.text.tokenizers import Tokenizer

TEXT = "the cat and the car at the rat; the thin cart. naïve 🙂 हिन्दी " * 3
MARKED = ["", TEXT, "<pad>the cat<s> <mask>x<|end|>xb<|end|> a<pad", "<pad><pad>", " <s>\n<pad> 🙂"]


def peer(specials=(), added=(), alphabet=True, prefix=False):
    """Trained with these special tokens, others added afterwards."""
    tokenizer = Peer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    tokenizer.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet() if alphabet else []
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=letters, special_tokens=list(specials), show_progress=False
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    tokenizer.add_special_tokens(list(added))
    return tokenizer


def loaded(theirs, tmp_path):
    theirs.save(str(tmp_path / "theirs.json"))
    return Tokenizer.load(tmp_path / "theirs.json")


@pytest.mark.parametrize(
    ("specials", "added"),
    [
        (["<pad>"], []),
        (["<pad>", "<s>"], ["<mask>"]),
        ([], ["<|end|>", "<|end|>x"]),
        (["<mask>", "<pad>", "<s>"], ["<|end|>x", "<|end|>"]),
    ],
)
def test_a_file_with_special_tokens_encodes_and_decodes_as_theirs(specials, added, tmp_path):
    theirs = peer(specials, added)
    ours = loaded(theirs, tmp_path)
    assert ours.vocab_size == theirs.get_vocab_size()
    assert ours.special_ids == {t: theirs.token_to_id(t) for t in (*specials, *added)}
    for text in MARKED:
        ids = theirs.encode(text).ids
        assert ours.encode(text, specials=True) == ids
        assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=False) == text
    theirs.encode_special_tokens = True  # special tokens in a text are plain characters
    for text in MARKED:
        assert ours.encode(text) == theirs.encode(text).ids
        assert list(ours.encode_stream([text[:9], text[9:]])) == ours.encode(text)


def test_a_loaded_file_is_saved_with_its_own_ids(tmp_path):
    theirs = peer(["<pad>"], ["<mask>"])
    ours = loaded(theirs, tmp_path)
    ours.save(tmp_path / "ours.json")
    assert Tokenizer.load(tmp_path / "ours.json") == ours
    again = Peer.from_file(str(tmp_path / "ours.json"))
    assert again.get_vocab() == theirs.get_vocab()
    for text in MARKED:
        assert again.encode(text).ids == theirs.encode(text).ids


def test_a_special_token_outside_the_model_s_vocabulary_is_one_of_ours(tmp_path):
    theirs = peer([], ["<pad>"])
    assert "<pad>" not in json.loads(theirs.to_str())["model"]["vocab"]
    assert loaded(theirs, tmp_path).id_of is None  # behind the merges, where ours stand


def test_merges_of_a_loaded_file_are_shown_by_their_tokens(tmp_path):
    theirs = peer(["<pad>"])
    ours = loaded(theirs, tmp_path)
    merges = json.loads(theirs.to_str())["model"]["merges"]
    rank = [first + second for first, second in merges].index("Ġthe")
    first, second = (part.replace("Ġ", "␣") for part in merges[rank])
    lines = token_view.history(ours, theirs.token_to_id("Ġthe"))
    assert lines[-1] == f"{first} + {second} = ␣the (merge {rank})"
    assert token_view.history(ours, ours.special_ids["<pad>"]) == []
    assert token_view.pieces(ours, "the cat")


def changed(theirs, **parts):
    """The file with other parts."""
    return Peer.from_str(json.dumps(json.loads(theirs.to_str()) | parts))


def with_part(name, value):
    tokenizer = peer(["<pad>"])
    setattr(tokenizer, name, value)
    return tokenizer


def with_model(**parts):
    whole = json.loads(peer(["<pad>"]).to_str())
    return Peer.from_str(json.dumps(whole | {"model": whole["model"] | parts}))


def with_setting(method, *args, **kwargs):
    tokenizer = peer(["<pad>"])
    getattr(tokenizer, method)(*args, **kwargs)
    return tokenizer


TEMPLATE = processors.TemplateProcessing(single="<pad> $A", special_tokens=[("<pad>", 0)])
STRIPPING = AddedToken("<m>", lstrip=True, special=True)
UNSUPPORTED = {
    "228 of the 256 bytes: .*initial_alphabet": lambda: peer(["<pad>"], alphabet=False),
    "add_prefix_space": lambda: peer(["<pad>"], prefix=True),
    "special token 'a', which is an ordinary one, too": lambda: peer(["a"]),
    "added token '<m>' with lstrip": lambda: peer([], [STRIPPING]),
    "added token 'cat' that is not special": lambda: with_setting("add_tokens", ["cat"]),
    "pre-tokenizer Whitespace": lambda: with_part("pre_tokenizer", pre_tokenizers.Whitespace()),
    "pre-tokenizer None": lambda: changed(peer(), pre_tokenizer=None),
    "normalizer Lowercase": lambda: with_part("normalizer", normalizers.Lowercase()),
    "post_processor TemplateProcessing": lambda: with_part("post_processor", TEMPLATE),
    "decoder Fuse": lambda: with_part("decoder", decoders.Fuse()),
    "truncation": lambda: with_setting("enable_truncation", 4),
    "padding": lambda: with_setting("enable_padding", length=9),
    "dropout": lambda: with_model(dropout=0.5),
    "ignore_merges": lambda: with_model(ignore_merges=True),
    "a model of type WordLevel": lambda: Peer(models.WordLevel({"a": 0}, "a")),
}


@pytest.mark.parametrize("why", UNSUPPORTED)
def test_what_is_not_supported_is_named_in_one_line(why, tmp_path):
    theirs = UNSUPPORTED[why]()
    with pytest.raises(ValueError, match=f"expected .* byte-level BPE, got .*{why}") as caught:
        loaded(theirs, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("merge", ["t h e", "t", ["t", "h", "e"], ["t"]])
def test_a_merge_that_is_not_two_tokens_is_named(merge, tmp_path):
    whole = json.loads(peer(["<pad>"]).to_str())
    contents = whole | {"model": whole["model"] | {"merges": [merge]}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(contents), encoding="utf-8")
    with pytest.raises(ValueError, match=r"got the merge .*t.*, which is not two tokens: train"):
        Tokenizer.load(tmp_path / "tokenizer.json")


def test_ids_with_a_gap_and_tokens_that_no_merge_makes_are_refused(tmp_path):
    whole = json.loads(peer(["<pad>"]).to_str())
    for token, why in {
        "the end": "the token 'the end', which no merge makes",
        "!": "ids that are",
    }.items():
        vocabulary = whole["model"]["vocab"] | {token: 999}
        contents = whole | {"model": whole["model"] | {"vocab": vocabulary}}
        (tmp_path / "tokenizer.json").write_text(json.dumps(contents), encoding="utf-8")
        with pytest.raises(ValueError, match=why):
            Tokenizer.load(tmp_path / "tokenizer.json")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"{}",
        b"[]",
        b"[1]",
        b"\xff\xfe",
        b'"text"',
        b'{"model": {"type": "WordPiece"}, "added_tokens": []}',
    ],
)
def test_a_file_that_is_no_tokenizer_is_one_clear_line(content, tmp_path):
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"expected a tokenizer\.json of byte-level") as caught:
        Tokenizer.load(tmp_path / "tokenizer.json")
    assert "\n" not in str(caught.value)


def test_a_special_token_spelled_like_another_token_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="no other token is spelled like, got 'a'"):
        Tokenizer((), ("a",)).save(tmp_path / "tokenizer.json")
    assert not (tmp_path / "tokenizer.json").exists()


@pytest.mark.parametrize("specials", [("",), ("<x>", "<x>")])
def test_special_tokens_that_cannot_be_told_apart_are_refused(specials):
    with pytest.raises(ValueError, match="expected different, non-empty special tokens"):
        Tokenizer((), specials)
