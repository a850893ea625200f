"""Words, bytes and fertility of unit 03: formulas that look at one character after the other,
mistakes, visible checks.

unit: 03_tokenization
"""

import itertools
import random
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from llmcourse.checks import (
    Mistake,
    Spelled,
    diagnosed,
    equal,
    near,
    number,
    raises,
    unchanged,
    visible,
)

MARKS = ".,;!?-'\"()#@…—¿€"
LETTERS = ["ab", "C", "dé", "я", "猫", "7", "_", "ß٣"]


def prose(rng: random.Random, words: int, letters: Sequence[str] = LETTERS) -> str:
    """Return words of these letters, marks and runs of marks, white space of all kinds."""
    parts = []
    for _ in range(words):
        parts.append("".join(rng.choices(letters, k=rng.randint(1, 6))))
        parts.append(rng.choice(["", "", rng.choice(MARKS), 2 * rng.choice(MARKS)]))
        parts.append(rng.choice([" ", " ", "  ", "\n", "\t "]))
    return "".join(parts)


def half(rng: random.Random, tokens: Collection[str]) -> set[str]:
    """Return half of the different tokens, as a vocabulary."""
    different = sorted(set(tokens))
    return set(rng.sample(different, len(different) // 2))


# --- word_tokenize


def kind(c: str) -> str:
    """Return "space", "letter" for a character of words, or "mark"."""
    return "space" if c.isspace() else "letter" if c == "_" or c.isalnum() else "mark"


def words_and_marks(text: str, runs: bool = False, spaces: bool = False) -> list[str]:
    """Cut into words and marks; to keep runs of marks together, or white space, is a mistake."""
    cut: list[str] = []
    for which, run in itertools.groupby(text, kind):
        if which != "space" or spaces:
            characters = list(run)
            cut += ["".join(characters)] if which == "letter" or runs else characters
    return cut


def looked_up(tokens: Sequence[str], known: Collection[str], unk: str = "<unk>") -> list[str]:
    return [token if token in known else unk for token in tokens]


def words(text: str, known: Collection[str], unk: str = "<unk>") -> list[str]:
    return looked_up(words_and_marks(text), known, unk)


def words_mistakes(text: str, known: Collection[str]) -> list[Mistake]:
    cut = words_and_marks(text)
    marks = looked_up([t for t in cut if kind(t[0]) == "letter"], known)
    return [
        Mistake([t for t in cut if t in known], "Unknown words become unk; do not drop them."),
        Mistake(cut, "Words that the vocabulary lacks become unk."),
        Mistake(looked_up(text.split(), known),
                "A mark is a token by itself: split at punctuation too, not only at spaces."),
        Mistake(words(text.lower(), known), "Capitals stay as they are: The is not the."),
        Mistake(looked_up(words_and_marks(text, runs=True), known),
                "Two marks in a row are two tokens: no + after them."),
        Mistake(marks, "Punctuation is lost: each mark is a token."),
        Mistake(looked_up(words_and_marks(text, spaces=True), known),
                "White space is dropped: it is no token."),
    ]  # fmt: skip


WORDS = "Letters and digits of any script make words (\\w); every mark is a token by itself."
NO_WORD = "A text without words has no token."
UNKNOWN = "What the vocabulary lacks becomes the argument unk."


@visible
def word_tokenize(answer):
    known = {"the", "cat", "sat", ".", "!", "don", "t", "'"}
    for text in ("The cat sat.", "don't sat!!"):
        diagnosed(answer(text, known), words(text, known), WORDS, *words_mistakes(text, known))
    scripts = "ï is a letter: use \\w, which knows all scripts, and not [a-z]."
    equal(answer("naïve cat_2", {"naïve", "cat_2"}), ["naïve", "cat_2"], scripts)
    equal(answer("cat dog", known, "?"), ["cat", "?"], "Use the argument unk for unknown words.")
    for empty in (" \n", "", "\t"):
        equal(answer(empty, known), [], NO_WORD)
    equal(answer("ab, cd", set(), "??"), ["??"] * 3, UNKNOWN)
    rng = random.Random(1)
    for _ in range(4):
        text = prose(rng, 30)
        known = half(rng, words_and_marks(text))
        equal(answer(text, set(known)), words(text, known), WORDS)


# --- byte_fallback


def spelled(token: str, form: str = "<0x{}>") -> list[str]:
    """Return one string for each byte, from the text's own hexadecimal form."""
    digits = token.encode("utf-8").hex().upper()
    return [form.format(digits[i : i + 2]) for i in range(0, len(digits), 2)]


def fallback(
    tokens: Sequence[str], known: Collection[str], spell: Callable[[str], list[Any]] = spelled
) -> list[Any]:
    """Return known tokens and the parts of others; to spell them otherwise is a mistake."""
    return [part for token in tokens for part in ([token] if token in known else spell(token))]


def fallback_mistakes(tokens: Sequence[str], known: Collection[str]) -> list[Mistake]:
    def by(spell: Callable[[str], list[Any]]) -> list[Any]:
        return fallback(tokens, known, spell)

    return [
        Mistake(by(lambda t: [part.lower() for part in spelled(t)]),
                "Use capital letters in the numbers: 02X, not 02x."),
        Mistake(fallback(tokens, ()), "Only unknown tokens become bytes."),
        Mistake(by(lambda t: [f"<0x{ord(c):02X}>" for c in t]),
                "Those are code points: take the bytes, token.encode(), not code points."),
        Mistake(by(lambda t: [spelled(t)]), "One flat list: extend it, do not append a list."),
        Mistake(by(lambda t: fallback(list(t), known)),
                "Look up the whole token: its characters do not count."),
        Mistake(by(lambda t: ["".join(spelled(t))]), "One token for each byte, not one for all."),
        Mistake(by(lambda t: [f"<{b}>" for b in t.encode()]), "Hexadecimal: format with 02X."),
    ]  # fmt: skip


BYTES = "A known token stays; an unknown one becomes one <0xHH> for each byte of its UTF-8."


@visible
def byte_fallback(answer):
    one_digit = Mistake(["<0xA>"], "Two digits always: format with 02X.")
    for tokens, known in (
        (["n", "a", "ï", "v", "e"], {"n", "a", "v", "e"}), (["\n"], set()),
        (["the", "cat"], {"the", "c"}), (["猫", "é"], {"é", "猫"}),
    ):  # fmt: skip
        got = unchanged(answer, (tokens, known), "Make a new list.")
        mistakes = [*fallback_mistakes(tokens, known), one_digit]
        diagnosed(got, fallback(tokens, known), BYTES, *mistakes)
    equal(answer([], {"a"}), [], "No tokens: an empty list.")
    rng = random.Random(2)
    for _ in range(3):
        tokens = [*words_and_marks(prose(rng, 12)), *map(chr, range(18)), "🙂", "\x7f"]
        known = half(rng, tokens)
        equal(answer(tokens, known), fallback(tokens, known), BYTES)


# --- fertility


def fertility_of(text: str, tokenize: Callable[[str], Any]) -> float:
    return len(tokenize(text)) / len(text.split())


def fertility_mistakes(text: str, tokenize: Callable[[str], Any]) -> list[Mistake]:
    found, count = text.split(), len(tokenize(text))
    return [
        Mistake(sum(len(tokenize(word)) for word in found) / len(found),
                "Call tokenize once, on the whole text: spaces cost, too."),
        Mistake(count / len(text), "Divide by the number of words, not of characters."),
        Mistake(count / len(set(found)),
                "A word that occurs twice is two words: divide by the number of all words."),
        Mistake(len(found) / count, "Tokens per word, not words per token."),
        Mistake(count, "Divide the number of tokens by the number of words."),
    ]  # fmt: skip


SPLIT = "Words are what white space of any kind separates: text.split() without an argument."


@visible
def fertility(answer):
    letters = Spelled("lambda text: list(text)")
    hint = "7 characters with the space, 2 words. Encode the whole text: a space costs, too."
    near(number(answer("the cat", letters), "fertility"), 3.5, 1e-9, hint)
    text, at_e = "the  cat\nthe ", Spelled("lambda text: text.split('e')")
    got = number(answer(text, at_e), "fertility")
    pieces = (text.split(" "), re.split(r"\s", text))
    known = [Mistake(3 / len(cut), SPLIT) for cut in pieces]
    known += fertility_mistakes(text, at_e.function)
    diagnosed(got, fertility_of(text, at_e.function), "Three tokens and three words.", *known)
    equal(len(at_e.asked), 1, "Call tokenize once, on the whole text.")
    text = "ab cab\tc  abc\u3000bb\n a "
    for size in (1, 2, 5):
        cut = Spelled(f"lambda text: [text[i:i + {size}] for i in range(0, len(text), {size})]")
        near(answer(text, cut), fertility_of(text, cut.function), 1e-9, SPLIT)
    for blank in (" \n", "", "\t "):
        raises(ValueError, answer, blank, letters, hint="A text without a word: refuse it.")
