"""Hidden tests of unit 03. The truth is found by slow ways (the formulas beside the visible
checks): character by character, merge by merge over plain lists.

unit: 03_tokenization
"""

import random
from collections.abc import Callable, Iterable
from typing import Any

from autograder.exercise import (
    Exercise,
    Inputs,
    Mistake,
    asked,
    expect_equal,
    expect_near,
    expect_raises,
)
from llmcourse.checks import u03_bpe as bpe
from llmcourse.checks import u03_wordpiece as wordpiece
from llmcourse.checks import u03_words as words

SCRIPTS = ["a", "Z", "é", "ß", "я", "猫", "ह", "🙂", "7", "٣", "_"]


def telling_first(
    inputs: Iterable[tuple[Any, ...]], formula: Any, hint: str, mistakes: Any
) -> Inputs:
    """Yield inputs with their judges; those come first where no two mistakes look alike."""

    def alike(args: tuple[Any, ...]) -> tuple[int, int]:
        want, known = formula(*args), mistakes(*args)
        wrong = [repr(mistake.value) for mistake in known if mistake.value != want]
        return len(wrong) - len(set(wrong)), len(known) - len(wrong)

    for args in sorted(inputs, key=alike):
        yield asked(args, formula, hint, mistakes)


def word(rng: random.Random, letters: Any, longest: int = 6) -> str:
    return "".join(rng.choices(letters, k=rng.randint(1, longest)))


# --- word_tokenize

word_tokenize = Exercise("word_tokenize")


@word_tokenize.case(weight=4, property="longer texts with marks, some words unknown")
def words_core(rng: random.Random) -> Inputs:
    for _ in range(4):
        text = words.prose(rng, 40, ["a", "b", "C", "d", "7", "_"])
        known = words.half(rng, words.words_and_marks(text))
        yield asked((text, known), words.words, words.WORDS, words.words_mistakes)


@word_tokenize.case(weight=2, property="letters and digits of all scripts")
def words_scripts(rng: random.Random) -> Inputs:
    text = words.prose(rng, 40, SCRIPTS[:7] + SCRIPTS[8:])
    hint = "A word may have letters of any script: \\w, and not [a-z]."
    yield asked((text, set(words.words_and_marks(text))), words.words, hint)


@word_tokenize.case(weight=1, property="nothing but space, and nothing known")
def words_edges(rng: random.Random) -> Inputs:
    for text, known in ((" \n\t", {"a"}), ("", set[str]())):
        yield (text, known), expect_equal([], words.NO_WORD)
    yield asked(("ab, cd", set(), "??"), words.words, words.UNKNOWN)


# --- byte_fallback

byte_fallback = Exercise("byte_fallback")


@byte_fallback.case(weight=4, property="known and unknown tokens mixed")
def bytes_core(rng: random.Random) -> Inputs:
    for _ in range(4):
        tokens = [word(rng, SCRIPTS, 3) for _ in range(25)]
        args = tokens, set(rng.sample(tokens, 12))
        yield asked(args, words.fallback, words.BYTES, words.fallback_mistakes)


@byte_fallback.case(weight=1, property="small bytes have two digits")
def bytes_small(rng: random.Random) -> Inputs:
    tokens = [chr(rng.randrange(16)) for _ in range(6)]
    yield asked((tokens, set()), words.fallback, "Two digits: 02X.")


@byte_fallback.case(weight=1, property="no tokens, and all known")
def bytes_edges(rng: random.Random) -> Inputs:
    yield asked(([], {"a"}), words.fallback, "No tokens: an empty list.")
    yield asked((["猫", "é"], {"é", "猫"}), words.fallback, "Known tokens stay, of any script.")


# --- train_bpe

train_bpe = Exercise("train_bpe")


@train_bpe.case(weight=5, property="the merges of random pieces")
def merges_core(rng: random.Random) -> Inputs:
    inputs = [
        (bpe.random_pieces(rng, 25, ids, most), 12, ids) for ids, most in ((5, 9), (9, 30), (12, 3))
    ]
    yield from telling_first(inputs, bpe.learned, bpe.BY_COUNT, bpe.train_mistakes)


def stops_early(*args: Any) -> list[Mistake]:
    return [mistake for mistake in bpe.train_mistakes(*args) if mistake.hint == bpe.ONCE_TOO]


@train_bpe.case(weight=2, property="ties everywhere: all pieces occur once")
def merges_ties(rng: random.Random) -> Inputs:
    for _ in range(4):
        pieces = dict.fromkeys(bpe.random_pieces(rng, 12, 6, 1), 1)
        hint = "Ties: the lower first id, then the lower second id; new ids are higher than old."
        yield asked((pieces, 8, 6), bpe.learned, hint, stops_early)


@train_bpe.case(weight=2, property="runs of one id")
def merges_runs(rng: random.Random) -> Inputs:
    for length in (2, 3, 4, 5, 8):
        yield asked(({(0,) * length: 2, (1, 0): 3}, 4, 2), bpe.learned, bpe.RUNS)


@train_bpe.case(weight=1, property="stops when nothing is left; first_id is 256 if not given")
def merges_end(rng: random.Random) -> Inputs:
    pieces = bpe.random_pieces(rng, 4, 200, 3)
    yield asked(
        (pieces, 500), bpe.learned, "Merge until no pair is left, then return what there is."
    )
    for args in bpe.STOPS:
        yield args, expect_equal([], bpe.NO_PAIR)


# --- bpe_encode

bpe_encode = Exercise("bpe_encode")


def told_encoding(inputs: Iterable[tuple[Any, ...]]) -> Inputs:
    yield from telling_first(inputs, bpe.encoded, bpe.EACH_MERGE, bpe.encode_mistakes)


@bpe_encode.case(weight=4, property="pieces under merges that were learned")
def encode_core(rng: random.Random) -> Inputs:
    a, b, c, d, e = rng.sample(range(5), 5)
    merges = [(b, c), (a, b), (5, d), (a, 5)]  # by their order a | bcd, the longest abc, at once ab
    parts = [[a, b, c, d], [a, b, c, d], [e], [a], [b, c]]
    mixed = [[i for part in rng.sample(parts, 5) for i in part] for _ in range(4)]
    yield from told_encoding([(ids, merges, 5) for ids in mixed])
    for first_id in (5, 8, 256):
        merges = bpe.learned(bpe.random_pieces(rng, 40, 5, 9), 15, first_id)
        pieces = [rng.choices(range(5), k=rng.randint(10, 25)) for _ in range(6)]
        yield from told_encoding([(ids, merges, first_id) for ids in pieces])


@bpe_encode.case(weight=2, property="the order of the merges decides, not their length")
def encode_order(rng: random.Random) -> Inputs:
    a, b, c, d = rng.sample(range(20), 4)
    for ids, merges in (
        ([a, b, c], [(b, c), (a, b)]),
        ([a, b, c, d], [(b, c), (a, b), (c, d), (21, 22)]),
        ([c, d, a, b], [(a, b), (c, d), (21, 20)]),
    ):
        hint = "The merge learned first is applied first, wherever it occurs in the piece."
        yield asked((ids, merges, 20), bpe.encoded, hint)


@bpe_encode.case(weight=1, property="runs, empty pieces, no merges")
def encode_edges(rng: random.Random) -> Inputs:
    for length in (2, 3, 5, 6):
        yield asked(([7] * length, [(7, 7), (256, 256)]), bpe.encoded, bpe.RUN)
    yield ([], [(1, 2)]), expect_equal([], "No ids: an empty list.")
    yield ([9, 8], []), expect_equal([9, 8], "No merges: the ids as they came.")


# --- bpe_decode

bpe_decode = Exercise("bpe_decode")


@bpe_decode.case(weight=4, property="texts of all scripts come back")
def decode_core(rng: random.Random) -> Inputs:
    for _ in range(4):
        alphabet = [bytes([b]) for b in rng.sample(range(256), 256)]
        base = [
            alphabet.index(bytes([b])) for b in "".join(rng.choices([*SCRIPTS, " "], k=40)).encode()
        ]
        merges = bpe.learned({tuple(base): 1}, 20)
        args = bpe.encoded(base, merges), merges, alphabet
        known = bpe.decode_mistakes(*args)[:2]
        yield args, expect_equal(bpe.decoded(*args), bpe.BYTES, known)


@bpe_decode.case(weight=1, property="another alphabet: merges begin behind it")
def decode_alphabet(rng: random.Random) -> Inputs:
    args = [8, 2, 10, 11], [(0, 1), (8, 2), (6, 7), (9, 10)], [c.encode() for c in "nolagder"]
    hint = "Merge k makes the id len(alphabet) + k; there need not be 256 bytes."
    yield asked(args, bpe.decoded, hint)


@bpe_decode.case(weight=2, property="bytes that are no text become U+FFFD")
def decode_broken(rng: random.Random) -> Inputs:
    alphabet = [bytes([b]) for b in range(256)]
    for character in "é猫🙂":
        args = [104, *character.encode()[:-1], 105], list[Any](), alphabet
        yield asked(args, bpe.decoded, bpe.BROKEN, bpe.decode_mistakes)
    yield ([], [(1, 2)], alphabet), expect_equal("", "No ids: the empty string.")


# --- wordpiece_encode

wordpiece_encode = Exercise("wordpiece_encode")


@wordpiece_encode.case(weight=4, property="the longest match on random words")
def longest_core(rng: random.Random) -> Inputs:
    inputs = [
        ("".join(rng.choices("abc", k=rng.randint(4, 14))), wordpiece.vocabulary(rng, 4))
        for _ in range(12)
    ]
    formula, mistakes = wordpiece.greedy, wordpiece.greedy_mistakes
    yield from telling_first(inputs, formula, wordpiece.LONGEST, mistakes)


@wordpiece_encode.case(weight=2, property="a word that can't be cut is unknown as a whole")
def longest_unknown(rng: random.Random) -> Inputs:
    for _ in range(6):
        text = "".join(rng.choices("abc", k=6)) + "x" + "".join(rng.choices("abc", k=3))
        yield (text, wordpiece.vocabulary(rng, 3)), expect_equal(["[UNK]"], wordpiece.BACK)
    text, known, hint = wordpiece.CUTS[0]
    yield (
        (text, known),
        expect_equal(["[UNK]"], hint, [Mistake(wordpiece.any_cut(text, known), hint)]),
    )
    yield (text, known, "<?>"), expect_equal(["<?>"], "unk is an argument.")


@wordpiece_encode.case(weight=1, property="words of hundreds of letters")
def longest_long(rng: random.Random) -> Inputs:
    text = "".join(rng.choices("abc", k=300))
    hint = "A word may have any length: the rules stay, and numbers are compared with ==, not `is`."
    yield asked((text, wordpiece.vocabulary(rng, 4)), wordpiece.greedy, hint)
    yield ("a" * 300 + "x", {"a", "##a"}), expect_equal(["[UNK]"], wordpiece.AS_A_WHOLE)


@wordpiece_encode.case(weight=1, property="beginnings and continuations are kept apart")
def longest_marks(rng: random.Random) -> Inputs:
    for text, known, hint in wordpiece.CUTS:
        if hint == wordpiece.APART:
            yield asked((text, known), wordpiece.greedy, hint)
    yield ("", {"a"}), expect_equal([], "The empty word: an empty list.")


# --- fertility

fertility = Exercise("fertility")


def cutter(size: int) -> Callable[[str], Any]:
    """Return a tokenizer that cuts every `size` characters, spaces included."""
    return lambda text: [text[i : i + size] for i in range(0, len(text), size)]


@fertility.case(weight=4, property="tokens of the whole text per word")
def fertility_core(rng: random.Random) -> Inputs:
    for size in (1, 2, 3, 5):
        text = " ".join(word(rng, "abcdef", 9) for _ in range(rng.randint(20, 40)))
        args = text, cutter(size)
        yield asked(args, words.fertility_of, "Tokens / words.", words.fertility_mistakes, 1e-9)


@fertility.case(weight=2, property="white space of any kind and length")
def fertility_spaces(rng: random.Random) -> Inputs:
    spaces = ["  ", "\n", "\t", " \n ", "\u3000"]
    text = "  " + "".join(word(rng, "abc", 4) + rng.choice(spaces) for _ in range(12))
    yield (text, cutter(1)), expect_near(len(text) / 12, 1e-9, words.SPLIT)


@fertility.case(weight=1, property="refuses a text without a word")
def fertility_refuses(rng: random.Random) -> Inputs:
    for text in ("", "   ", "\n\t"):
        yield (text, cutter(1)), expect_raises(ValueError, "No word: raise ValueError.")
