"""Hidden tests of the exercises of unit 02 that count n-grams, and the texts of all its tests.

unit: 02_ngrams
"""

import random
from collections import Counter

from autograder.exercise import (
    Exercise,
    Inputs,
    Mistake,
    expect_equal,
    expect_near,
    expect_raises,
)
from llmcourse.checks.u02_counted import Text, drawn, fraction, grams, table_of, unseen

WORDS = ["é", "naïve", "日本", "🙂", "a", "the", "The", "", " ", 7, 8, "x y"]


def text(rng: random.Random, length: int, kinds: int = 5) -> Text:
    return drawn(rng, length, kinds, WORDS)


ngram_counts = Exercise("ngram_counts")


@ngram_counts.case(weight=4, property="the table of longer texts, n = 2 to 5")
def counts_core(rng: random.Random) -> Inputs:
    for n in (2, 3, 4, 5):
        tokens = text(rng, rng.randint(30, 60), 3)
        want = table_of(tokens, n)
        mistakes = [
            Mistake(table_of(tokens[:-1], n),
                    "the last n-gram of the text is missing: there are T - n + 1."),
            Mistake(table_of(tokens[1:], n),
                    "the first n-gram of the text is missing: start at the token n - 1."),
            Mistake(dict(Counter(grams(tokens, n))),
                    "the keys are whole n-grams; they should be the histories of n - 1 tokens."),
            Mistake(table_of(tokens, n + 1),
                    "n is the length of history and token together; your histories have n tokens."),
            Mistake({history: dict.fromkeys(row, 1) for history, row in want.items()},
                    "every count is 1: add to the count instead of setting it."),
        ]  # fmt: skip
        yield (tokens, n), expect_equal(want, "table[history][token] counts that pair.", mistakes)


@ngram_counts.case(weight=2, property="n = 1: one empty history")
def counts_unigrams(rng: random.Random) -> Inputs:
    tokens = text(rng, 40)
    hint = "with n = 1 every token follows the empty history (); look at your slice for n - 1 = 0."
    yield (tokens, 1), expect_equal(table_of(tokens, 1), hint)


@ngram_counts.case(weight=1, property="texts that are shorter than n, or just long enough")
def counts_short(rng: random.Random) -> Inputs:
    tokens = text(rng, 4, 4)
    yield (tokens, 4), expect_equal(table_of(tokens, 4), "a text of n tokens has one n-gram.")
    for n in (5, 9):
        yield (tokens, n), expect_equal({}, "a text shorter than n gives an empty table.")
    yield ([], 1), expect_equal({}, "the empty text gives an empty table.")


@ngram_counts.case(weight=1, property="refuses n below 1")
def counts_refuses(rng: random.Random) -> Inputs:
    hint = "n below 1 has no meaning: raise ValueError."
    for n in (0, -rng.randint(1, 5)):
        yield (text(rng, 9), n), expect_raises(ValueError, hint)


unseen_rate = Exercise("unseen_rate")


@unseen_rate.case(weight=4, property="the fraction in longer texts, n = 1 to 4")
def unseen_core(rng: random.Random) -> Inputs:
    for n in (1, 2, 3, 4):
        train = text(rng, 40, 4)
        test = [*rng.choices(train, k=40), "new", "new", *rng.choices(train, k=20), *train[-n:]]
        found, known = grams(test, n), grams(train, n)
        want = fraction(found, known)
        mistakes = [
            Mistake(fraction(list(set(found)), known),
                    "count every occurrence: that is the fraction of the different n-grams."),
            Mistake(1 - want, "return the fraction of the unseen n-grams, not of the seen."),
            Mistake(fraction(known, found),
                    "look for the n-grams of the test text in the training text, not the reverse."),
            Mistake(unseen(train[:-1], test, n),
                    "the last n-gram of the training text counts too."),
            Mistake(want * (len(found) / len(test)),
                    "a text of T tokens has T - n + 1 n-grams: you divided by T."),
        ]  # fmt: skip
        hint = "how many n-grams of the test text the training text lacks, out of all of them."
        yield (train, test, n), expect_near(want, 1e-12, hint, mistakes)


@unseen_rate.case(
    weight=1, property="texts at the edge: as long as n, the same text, no training text"
)
def unseen_edges(rng: random.Random) -> Inputs:
    tokens = text(rng, 12)
    last = "the last n-gram of the training text counts too."
    for train, test, n, want, hint in (
        (tokens, tokens[-4:], 4, 0.0, last),
        (tokens[-4:], tokens[-4:], 4, 0.0, last),
        (tokens, tokens, 3, 0.0, "a text has seen all its own n-grams."),
        ([], tokens, 2, 1.0, "after an empty training text all is unseen."),
        (tokens[:3], tokens, 5, 1.0, "a short training text has no n-gram to offer."),
        (tokens, ["new"], 1, 1.0, "one unseen token of one."),
    ):
        yield (train, test, n), expect_near(want, 0, hint)


@unseen_rate.case(weight=1, property="longer texts")
def unseen_long(rng: random.Random) -> Inputs:
    train, test = rng.choices(range(20), k=1_000), rng.choices(range(20), k=500)
    hint = "look the n-grams up in a set: a search through a list takes too long."
    yield (train, test, 3), expect_near(unseen(train, test, 3), 1e-12, hint)


@unseen_rate.case(weight=1, property="refuses n below 1 and a test text shorter than n")
def unseen_refuses(rng: random.Random) -> Inputs:
    tokens = text(rng, 12)
    for test, n, hint in (
        (tokens[:3], 4, "a test text shorter than n has no n-gram."),
        ([], 1, "an empty test text has no n-gram."),
        (tokens, 0, "n below 1 has no meaning."),
    ):
        yield (tokens, test, n), expect_raises(ValueError, hint)
