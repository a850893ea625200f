"""One-hot rows, pairs and contexts of unit 04: formulas, mistakes, visible checks.

unit: 04_word2vec
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from llmcourse.checks import (
    Mistake,
    attempt,
    diagnosed,
    equal,
    fail,
    kind_of,
    raises,
    unchanged,
    visible,
)
from llmcourse.checks.arrays import as_array, shaped

Pairs = list[tuple[Any, Any]]


def array_of(value: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Return the value as an array of that shape, with which the notebook goes on."""
    if not hasattr(value, "shape"):
        wanted = f"{what} should be a numpy array"
        fail(f"{wanted}, got {kind_of(value)}.", f"{wanted}.")
    shaped(value, shape, what, "Compare with the table above.")
    return as_array(value)


# --- one_hot


def one_hot_rows(ids: Sequence[int], size: int) -> list[list[float]]:
    return [[float(i == column) for column in range(size)] for i in ids]


def one_hot_mistakes(ids: Sequence[int], size: int) -> list[Mistake]:
    every, columns = one_hot_rows(ids, size), range(size)
    ones = [float(column in ids) for column in columns]
    return [
        Mistake([[row[column] for row in every] for column in columns],
                "Rows are tokens and columns are words; yours is the other way round."),
        Mistake([ones, *([[0.0] * size] * (len(ids) - 1))],
                "Each token has a row of its own; yours has all the 1s in the first."),
        Mistake([ones] * len(ids),
                "Every row has the 1s of all ids: index row and column together."),
    ]  # fmt: skip


ONE_A_ROW = "Row t has its 1 in column ids[t] and zeros elsewhere."


@visible
def one_hot(answer):
    ids = [2, 0, 2, 1]
    got = array_of(unchanged(answer, (ids, 5), hint="Leave ids alone."), (4, 5), "one_hot")
    diagnosed(got, one_hot_rows(ids, 5), ONE_A_ROW, *one_hot_mistakes(ids, 5))
    array_of(answer([], 3), (0, 3), "one_hot of no ids")
    for ids, size in (([0], 1), ([6, 0, 6], 7), ([i * i % 11 for i in range(30)], 11)):
        hint = "One row a token, one column a word of the vocabulary."
        equal(answer(ids, size), one_hot_rows(ids, size), hint=hint)
    for ids in ([0, 3], [0, 1, 8, 1]):
        raises(ValueError, answer, ids, 3, hint="The ids go from 0 to V - 1.")
    for ids in ([-1], [0, -3, 1]):
        raises(ValueError, answer, ids, 3, hint="numpy takes -1 for the last column: look before.")


# --- skipgram_pairs


def around(tokens: Sequence[Any], window: int, kept: Callable[[int], Any]) -> Pairs:
    """Return (centre, context) for the distances, from -window to window, that are kept."""
    steps = [step for step in range(-window, window + 1) if kept(step)]
    n = len(tokens)
    return [(tokens[i], tokens[i + s]) for i in range(n) for s in steps if 0 <= i + s < n]


def neighbours(tokens: Sequence[Any], window: int) -> Pairs:
    return around(tokens, window, lambda step: step != 0)


def pairs_mistakes(tokens: Sequence[Any], window: int) -> list[Mistake]:
    want, both = neighbours(tokens, window), "came: the context is on both sides."
    outwards = sorted((s for s in range(-window, window + 1) if s), key=lambda s: (abs(s), s))
    n = len(tokens)
    nearest_first = [
        (tokens[i], tokens[i + s]) for i in range(n) for s in outwards if 0 <= i + s < n
    ]
    return [
        Mistake([(a, b) for a, b in want if a != b],
                "Pairs of two equal words are missing: compare positions, not words."),
        Mistake(list(dict.fromkeys(want)),
                "A pair that occurs twice in the text comes twice: no set."),
        Mistake(around(tokens, window, lambda s: s > 0), f"Only the words to the right {both}"),
        Mistake(around(tokens, window, lambda s: s not in (0, window)),
                "The last word of the window is missing: `range` ends before its second number."),
        Mistake(around(tokens, window, lambda s: True), "A token is not in its own context."),
        Mistake(around(tokens, window, lambda s: s < 0), f"Only the words to the left {both}"),
        Mistake(neighbours(tokens, window // 2), "The window is the distance to each side."),
        Mistake([(b, a) for a, b in want],
                "The centre comes first in the pair, then the context word."),
        Mistake(nearest_first, "From left to right: the farthest word on the left comes first."),
    ]  # fmt: skip


@visible
def skipgram_pairs(answer):
    tokens, window = ["a", "b", "c", "d"], 2
    got = unchanged(answer, (tokens, window), hint="Only look at the tokens.")
    hint = "For each centre in turn, the words up to 2 to its left, then up to 2 to its right."
    diagnosed(got, neighbours(tokens, window), hint, *pairs_mistakes(tokens, window))
    same = "Two tokens may be the same word: compare positions, not words; keep repeated pairs."
    equal(answer(["a", "a", "b"], 1), neighbours(["a", "a", "b"], 1), hint=same)
    equal(answer(["a"], 3), [], hint="One word has no neighbours.")
    for length, window in ((0, 6), (2, 6), (4, 6), (17, 1), (20, 3), (20, 5), (600, 1)):
        tokens = [i * i % 7 for i in range(length)]
        hint = "Each context from left to right; compare positions with ==, not with `is`."
        equal(answer(tokens, window), neighbours(tokens, window), hint=hint)
    for window in (0, -2):
        raises(ValueError, answer, ["a", "b"], window, hint="There is no window below 1.")


# --- cbow_batch


def context_rows(ids: Sequence[int], window: int, fill: int = -1) -> list[list[int]]:
    steps, n = [*range(-window, 0), *range(1, window + 1)], len(ids)
    return [[ids[i + s] if 0 <= i + s < n else fill for s in steps] for i in range(n)]


def cbow(ids: Sequence[int], window: int) -> list[Any]:
    return [context_rows(ids, window), list(ids)]


def cbow_mistakes(ids: Sequence[int], window: int) -> list[Mistake]:
    right, n = context_rows(ids, window), len(ids)
    wrapped = context_rows([*ids, *ids, *ids], window)[n : 2 * n]
    return [
        Mistake([context_rows(ids, window, 0), ids], "Fill with -1: 0 is the id of a word."),
        Mistake([[row[:window][::-1] + row[window:] for row in right], ids],
                "The left half is reversed: keep the order of the text."),
        Mistake([[sorted(row, key=lambda x: x == -1) for row in right], ids],
                "Fill with -1 where the neighbour is missing, not at the end of the row."),
        Mistake([wrapped, ids], "Python's negative indices wrap around: pad the text first."),
        Mistake([ids, right], "The contexts come first, then the centres."),
    ]  # fmt: skip


IN_ORDER = "Row i: the words before token i in the order of the text, then those after it."
WHOLE = "The arrays should hold whole numbers: they are ids. Give `dtype=int`."


def whole(arrays: Any) -> bool:
    return all(np.asarray(array).dtype.kind in "iu" for array in arrays)


@visible
def cbow_batch(answer):
    ids = [7, 8, 9, 7]
    result = unchanged(answer, (ids, 2), hint="Leave ids alone: make a padded copy.")
    if not isinstance(result, tuple | list) or len(result) != 2:
        fail("cbow_batch should return two arrays: contexts, centres.")
    if np.shape(result[0]) == (4, 5):
        fail("contexts should have the shape (4, 4): a token is not in its own context.")
    got = [array_of(result[0], (4, 4), "contexts"), array_of(result[1], (4,), "centres")]
    equal(got[1], ids, hint="The centres are the words of the text, in order.")
    diagnosed(got, cbow(ids, 2), IN_ORDER, *cbow_mistakes(ids, 2))
    if not whole(result):
        fail(WHOLE)
    equal(answer([5], 1)[0], [[-1, -1]], hint="One word alone has a context of -1 only.")
    empty = answer([], 3)
    array_of(empty[0], (0, 6), "contexts of no words")
    array_of(empty[1], (0,), "centres of no words")
    for length, window in ((1, 5), (2, 5), (3, 5), (9, 1), (14, 3), (12, 4), (300, 2)):
        ids, hint = [i * i % 13 for i in range(length)], f"{IN_ORDER} 2 * window columns always."
        contexts, centres = attempt(answer, (ids, window), hint)
        equal([contexts, centres], cbow(ids, window), hint=hint)
    for window in (0, -2):
        raises(ValueError, answer, [1, 2], window, hint="There is no window below 1.")
