"""subwords: hand-made cuts, the fast tokenizer, and Hugging Face's WordPiece and BPE."""

import json
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Peer
from tokenizers import models, pre_tokenizers, trainers

from llmcourse.text import subwords, tokenizers

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
THE = {
    (5, 3, 2): 3,
    (1, 0, 4): 1,
    (1, 0, 5): 1,
    (4, 0, 5): 1,
}  # the x 3, car, cat, rat; a c e h r t
RECORDED = json.loads((resources.files("llmcourse") / "bpe_recorded.json").read_text("utf-8"))


def test_words_and_marks_in_order_with_unknown_ones_marked():
    cut = subwords.word_tokenize("The cat: naïve 猫, x_1!?", {"cat", "naïve", ",", "?", "x_1"})
    assert cut == ["<unk>", "cat", "<unk>", "naïve", "<unk>", ",", "x_1", "<unk>", "?"]
    assert subwords.word_tokenize(" \n", {"a"}) == []


def test_bytes_stand_for_unknown_tokens_only():
    assert subwords.byte_fallback(["n", "ï"], {"n"}) == ["n", "<0xC3>", "<0xAF>"]


@given(ANY_TEXT)
def test_byte_fallback_is_the_peers(text):
    alphabet = [f"<0x{b:02X}>" for b in range(256)] + list("abc ")
    vocab = {token: i for i, token in enumerate(alphabet)}
    peer = Peer(models.BPE(vocab=vocab, merges=[], byte_fallback=True))
    assert subwords.byte_fallback(list(text), vocab) == peer.encode(text).tokens


def test_ties_of_the_car_the_cat_the_rat_go_to_the_lower_ids():
    assert subwords.train_bpe(THE, 3, 6) == [(3, 2), (5, 6), (0, 5)]  # he, the, at
    assert len(subwords.train_bpe(THE, 99, 6)) == 7  # then ar, cat, car, rat


@given(st.dictionaries(st.lists(st.integers(0, 2), max_size=6).map(tuple), st.integers(1, 3)))
def test_merges_are_those_of_counting_all_pairs_anew(pieces):
    merges, words = [], {i: list(piece) for i, piece in enumerate(pieces)}
    for new in range(3, 9):
        counts = {}
        for i, times in enumerate(pieces.values()):
            for pair in zip(words[i], words[i][1:], strict=False):
                counts[pair] = counts.get(pair, 0) + times
        if not counts:
            break
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
        words = {i: subwords.replace_pair(word, merges[-1], new) for i, word in words.items()}
    assert subwords.train_bpe(pieces, 6, 3) == merges


def test_a_pair_is_replaced_from_the_left_without_overlap():
    assert subwords.replace_pair([1, 1, 1, 2, 1, 1], (1, 1), 9) == [9, 1, 2, 9]
    assert subwords.replace_pair([], (1, 1), 9) == []


@given(st.text("thecar ,", max_size=60), ANY_TEXT)
def test_encoding_and_decoding_are_those_of_the_fast_tokenizer(text, other):
    fast = tokenizers.train_bpe([text], 280)
    for piece in tokenizers.pre_tokens(text + other):
        ids = subwords.bpe_encode(tokenizers.byte_ids(piece), fast.merges)
        assert ids == fast.encode(piece)
        assert subwords.bpe_decode(ids, fast.merges, fast.tokens[:256]) == piece


def test_half_a_character_becomes_the_replacement_character():
    assert subwords.bpe_decode([1, 0], [], ["é".encode()[:1], b"a"]) == "a\ufffd"


@given(st.text("abc", max_size=12), st.sets(st.text("abc", min_size=1, max_size=3)))
def test_wordpiece_is_the_peers(word, starts):
    vocab = ["[UNK]", "a", "##a", *starts, *(f"##{token[::-1]}" for token in starts)]
    vocab = {token: i for i, token in enumerate(dict.fromkeys(vocab))}
    peer = Peer(models.WordPiece(vocab=vocab, unk_token="[UNK]"))
    assert subwords.wordpiece_encode(word, vocab) == peer.encode(word).tokens


def test_fertility_counts_tokens_for_each_word():
    assert subwords.fertility(" one  two\nthree ", list) == 16 / 3
    with pytest.raises(ValueError, match="at least one word"):
        subwords.fertility(" \n", list)


def test_the_recorded_merges_and_ids_are_still_the_peers():
    peer = Peer(models.BPE())
    peer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    size = 256 + len(RECORDED["merges"])
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    peer.train_from_iterator([RECORDED["text"]], trainer)
    assert json.loads(peer.to_str())["model"]["merges"] == RECORDED["merges"]
    for text, ids in RECORDED["ids"].items():
        assert peer.encode(text).ids == ids


def test_the_recorded_merges_are_ours():
    ours = tokenizers.train_bpe([RECORDED["text"]], 256 + len(RECORDED["merges"]))
    assert ours.spelled_merges == RECORDED["merges"]
    assert {text: ours.encode(text) for text in RECORDED["ids"]} == RECORDED["ids"]


MARKED_WORDS = [
    "हिन्दी",
    "ภาษาไทย",
    "น้ำ",
    "cafe\u0301",
    "a\u0308o\u0308",
    "می\u200cخواهم",
    "ქართული",
]


@pytest.mark.parametrize("word", MARKED_WORDS)
def test_a_word_keeps_its_combining_marks(word):
    assert subwords.word_tokenize(f"{word}, {word}!", {word, ",", "!"}) == [word, ",", word, "!"]


def test_a_mark_on_punctuation_is_part_of_it():
    assert subwords.word_tokenize("a=\u0338b \u0301", {"=\u0338", "\u0301"}, "?") == [
        "?",
        "=\u0338",
        "?",
        "\u0301",
    ]


def test_wordpiece_has_no_limit_of_length_where_berts_has_one():
    word = "a" * 101
    vocab = {"[UNK]": 0, "a": 1, "##a": 2}
    assert len(subwords.wordpiece_encode(word, vocab)) == 101
    assert Peer(models.WordPiece(vocab, unk_token="[UNK]")).encode(word).tokens == ["[UNK]"]
    assert "100 characters" in subwords.wordpiece_encode.__doc__
