"""llmcourse.text.tokenizers: the same merges, ids and files as Hugging Face's tokenizers."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Peer
from tokenizers import decoders, models, pre_tokenizers, trainers

from llmcourse.text.tokenizers import Tokenizer, pre_tokens, train_bpe

# Strings that broke some tokenizer somewhere.
AWKWARD = [
    "", " ", "  ", "\n\n\n", "a", "?", "naïve café", "안녕하세요 세계", "\x00\x1c\x1f\x7f",
    "🙂 👩\u200d👩\u200d👧 🇪🇪", "don't we'll I'M 'tis o'clock''s", "trailing space ", " leading",
    "x = {'a': 1}\n\tif x:\n\t\treturn 1_000", "हिन्दी ภาษาไทย עברית", "½ ² Ⅷ ٣ 一 10,000.50",
    "tab\tand\xa0nbsp\u3000ideographic\u2028line", "<|endoftext|>", "a" * 32,
    "   many   spaces   ", "e\u0301 \u200b \ufeff",
]  # fmt: skip
TRAIN = "the cat and the car at the rat; the thin cart. " * 3 + " ".join(AWKWARD)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def peer_tokenizer(texts, vocab_size, specials=()):
    tokenizer = Peer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(list(specials))
    return tokenizer


def merges_of(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "tokenizer.json")
    return json.loads((tmp_path / "tokenizer.json").read_text())["model"]["merges"]


@pytest.fixture(scope="module")
def ours():
    return train_bpe([TRAIN], 400)


@pytest.fixture(scope="module")
def peer():
    return peer_tokenizer([TRAIN], 400)


def test_ties_go_to_the_lower_ids():
    # " a", "aa" and "ab" twice each: a space has a higher id than a letter, and a comes before b.
    # Then " " + "aa" and "aa" + "b": the space has a lower id than the new token.
    tokenizer = train_bpe([" aab aab"], 258)
    assert tokenizer.tokens[256:] == (b"aa", b" aa")
    assert [tokenizer.tokens[i] for i in tokenizer.encode("aab aab")] == [b"aa", b"b", b" aa", b"b"]


def test_merges_are_the_peers(ours, peer, tmp_path):
    assert merges_of(ours, tmp_path) == json.loads(peer.to_str())["model"]["merges"]


@given(st.lists(st.text("ab c'1", max_size=30), max_size=5))
def test_merges_are_the_peers_on_any_text(texts):
    peer = json.loads(peer_tokenizer(texts, 280).to_str())["model"]
    tokens = train_bpe(texts, 280).tokens
    assert len(tokens) == len(peer["vocab"])
    assert [t.decode().replace(" ", "Ġ") for t in tokens[256:]] == [
        a + b for a, b in peer["merges"]
    ]


@pytest.mark.parametrize("text", AWKWARD)
def test_ids_are_the_peers_and_come_back_as_the_text(text, ours, peer):
    assert ours.encode(text) == peer.encode(text).ids
    assert ours.decode(ours.encode(text)) == text


@given(ANY_TEXT)
def test_any_text_comes_back_and_has_the_peers_ids(text):
    ours, peer = _pair()
    assert ours.encode(text) == peer.encode(text).ids
    assert ours.decode(ours.encode(text)) == text


def _pair(made=[]):  # noqa: B006  hypothesis allows no fixture of narrower scope
    if not made:
        made += [train_bpe([TRAIN], 400), peer_tokenizer([TRAIN], 400)]
    return made


def test_every_character_is_of_the_peers_class(ours, peer):
    """Letters, numbers, spaces and the rest fall where the peer puts them (planes 0 and 1)."""
    text = "".join(f"a{chr(c)}1" for c in range(0x20000) if not 0xD800 <= c < 0xE000)
    assert ours.encode(text) == peer.encode(text).ids


@given(ANY_TEXT, st.lists(st.integers(0, 40), max_size=10))
def test_pre_tokens_make_up_the_text_and_a_stream_is_the_whole(text, sizes):
    assert "".join(pre_tokens(text)) == text
    ours, _ = _pair()
    chunks, rest = [], text
    for size in sizes:
        chunks.append(rest[:size])
        rest = rest[size:]
    assert list(ours.encode_stream([*chunks, rest])) == ours.encode(text)


def test_a_stream_holds_no_more_than_a_run_without_white_space(ours):
    fed = []

    def chunks():
        for i in range(1_000):
            fed.append(i)
            yield "some words and 12 more, "

    stream = ours.encode_stream(chunks())
    next(stream)
    assert len(fed) <= 2


def test_a_long_word_takes_the_greedy_merges(ours):
    rng = random.Random(0)
    text = "".join(rng.choices("thecarn", k=2_000))
    ids = list(
        text.encode().translate(bytes(ours.encode(chr(b))[-1] for b in range(128)) + bytes(128))
    )
    for new, pair in enumerate(ours.merges, 256):  # one merge after the other over the whole text
        merged, i = [], 0
        while i < len(ids):
            both = tuple(ids[i : i + 2]) == pair
            merged.append(new if both else ids[i])
            i += 1 + both
        ids = merged
    assert ours.encode(text) == ids


def test_special_tokens_are_plain_text_unless_asked_for():
    tokenizer = train_bpe([TRAIN], 402, ["<|end|>", "<|end|>x"])
    text = "a<|end|>xb<|end|>"
    plain, marked = tokenizer.encode(text), tokenizer.encode(text, specials=True)
    assert not set(plain) & set(tokenizer.special_ids.values())
    end, longer = (tokenizer.special_ids[t] for t in ("<|end|>", "<|end|>x"))
    assert [i for i in marked if i in (end, longer)] == [longer, end]
    assert tokenizer.decode(plain) == tokenizer.decode(marked) == text


def test_the_peer_loads_our_file_and_encodes_the_same(tmp_path):
    ours = train_bpe([TRAIN], 402, ["<|end|>", "<|user|>"])
    ours.save(tmp_path / "tokenizer.json")
    peer = Peer.from_file(str(tmp_path / "tokenizer.json"))
    for text in [*AWKWARD, "<|user|>hello<|end|>", TRAIN]:
        assert peer.encode(text).ids == ours.encode(text, specials=True)
        assert peer.decode(peer.encode(text).ids, skip_special_tokens=False) == text
    assert peer.get_vocab_size() == ours.vocab_size == 402


def test_we_load_our_file_and_the_peers(tmp_path, peer):
    ours = train_bpe([TRAIN], 401, ["<|end|>"])
    ours.save(tmp_path / "ours.json")
    assert Tokenizer.load(tmp_path / "ours.json") == ours
    peer.save(str(tmp_path / "theirs.json"))
    assert Tokenizer.load(tmp_path / "theirs.json") == train_bpe([TRAIN], 400)


def test_too_small_a_vocabulary_is_one_clear_line():
    with pytest.raises(ValueError, match=r"expected vocab_size of at least 257 .* got 256: "):
        train_bpe(["a"], 256, ["<|end|>"])


def test_half_a_character_becomes_the_replacement_character(ours):
    assert ours.decode(ours.encode("🙂")[:1]) == "\ufffd"
