"""Neighbours, analogies and associations of unit 04: formulas, mistakes, visible checks.

unit: 04_word2vec
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from llmcourse.checks import (
    Mistake,
    diagnosed,
    equal,
    fail,
    kind_of,
    near,
    number,
    unchanged,
    visible,
)
from llmcourse.checks.u04_losses import vectors

Array = np.ndarray


def cosine(one: Array, other: Array) -> float:
    return float(one @ other) / math.sqrt(float(one @ one) * float(other @ other))


# --- nearest


def ranked(rows: Array, index: int, measure: Any = cosine, own: bool = False) -> list[int]:
    """Return the other rows by their similarity to this one; own: this one, too, a mistake."""
    ids = [i for i in range(len(rows)) if own or i != index]
    return sorted(ids, key=lambda i: -measure(rows[i], rows[index]))


def nearest_rows(rows: Array, index: int, n: int) -> list[int]:
    return ranked(rows, index)[:n]


def nearest_mistakes(rows: Array, index: int, n: int) -> list[Mistake]:
    want, by_dot = ranked(rows, index), ranked(rows, index, np.dot, own=True)
    own = "The row itself is always the nearest: leave it out."
    return [
        Mistake(ranked(rows, index, np.dot)[:n],
                "Those have the largest dot products: divide by the lengths of both vectors."),
        Mistake(ranked(rows, index, lambda a, b: -math.dist(a, b))[:n],
                "Those are nearest by distance: similarity is the cosine."),
        Mistake(want[::-1][:n], "Those are the least similar: sort from the largest cosine down."),
        Mistake(want[:n][::-1], "The most similar comes first."),
        Mistake([index, *want[: n - 1]], own),
        Mistake(by_dot[:n], own),
        Mistake(by_dot[1 : n + 1], "Divide by both lengths; and leave the row out by its id."),
        Mistake([i - (i > index) for i in want[:n]],
                "You removed the row before sorting: ids are the indices in `vectors`."),
        Mistake([cosine(rows[i], rows[index]) for i in want[:n]],
                "Return the ids, not the cosines."),
    ]  # fmt: skip


# Words of different lengths in three directions: cosines and dot products disagree.
STARS = np.array([[4.0, 0.0], [20.0, 6.0], [3.0, 9.0], [-2.0, 0.1], [1.0, 1.0]])
BY_COSINE = "Sort the rows by their cosine with row `index`, the largest first; at most V - 1."


@visible
def nearest(answer):
    got = unchanged(answer, (STARS, 0, 2), "Scale a copy of the vectors, not the argument.")
    if not isinstance(got, list | tuple) and not hasattr(got, "tolist"):
        fail(f"nearest should return a list of ids, got {kind_of(got)}.", "expected a list of ids.")
    hint = "The cosines of row 0 with rows 1 to 4 are 0.96, 0.32, -1.00 and 0.71."
    diagnosed(got, nearest_rows(STARS, 0, 2), hint, *nearest_mistakes(STARS, 0, 2))
    equal(answer(STARS, 2, 9), [4, 1, 0, 3], hint="n above V - 1: all the others, best first.")
    same = np.array([[0.0, 2.0], [7.0, 0.0], [-3.0, 0.5], [1.0, 0.0], [-1.0, 0.0], [5.0, 1.0]])
    for index, want in ((3, [1, 5, 0, 2, 4]), (1, [3, 5, 0, 2, 4])):
        hint = "Another row may point the same way: leave `index` out by its id, not as the first."
        equal(answer(same, index, 5), want, hint=hint)
    rng = np.random.default_rng(3)
    for size, width, index, n in (
        (7, 2, 0, 1), (7, 2, 6, 1), (7, 4, 3, 6), (7, 4, 2, 50), (8, 6, 7, 8), (8, 6, 2, 50),
        (30, 8, 11, 5), (60, 8, 4, 6),
    ):  # fmt: skip
        args = vectors(rng, size, width), index, n
        equal(answer(*args), nearest_rows(*args), hint=BY_COSINE)


# --- analogy


def aim_of(rows: Array, a: int, b: int, c: int, scaled: bool = True) -> tuple[Array, Array]:
    """Return the rows of length 1, and b - a + c; of rows that are not scaled it is a mistake."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    parts = unit if scaled else rows
    return unit, parts[b] - parts[a] + parts[c]


def answer_of(
    rows: Array, a: int, b: int, c: int, excluded: Sequence[int] | None = None, scaled: bool = True
) -> int:
    """Answer by 3CosAdd; other rows `excluded`, or rows not `scaled`, are mistakes."""
    unit, aim = aim_of(rows, a, b, c, scaled)
    left_out = (a, b, c) if excluded is None else excluded
    return max((i for i in range(len(rows)) if i not in left_out), key=lambda i: unit[i] @ aim)


NOT_ZERO = "The best cosine may be negative: the excluded rows need -inf, not 0."
BACKWARDS = "You computed a - b + c: the step goes from a to b."
UNSCALED = "Scale all rows to length 1 before you add."


def analogy_mistakes(rows: Array, a: int, b: int, c: int) -> list[Mistake]:
    """Return the mistakes that no other looks like; of those with a question word all."""
    want = answer_of(rows, a, b, c)
    known = {BACKWARDS: answer_of(rows, b, a, c), UNSCALED: answer_of(rows, a, b, c, scaled=False)}
    came = [want, *known.values()]
    mistakes = [Mistake(row, hint) for hint, row in known.items() if came.count(row) == 1]
    unit, aim = aim_of(rows, a, b, c)
    if unit[want] @ aim < 0:
        mistakes.append(Mistake(min(a, b, c), NOT_ZERO))
    named = zip("abc", (a, b, c), strict=True)
    own = "A question word came as the answer, row {}: exclude a, b and c."
    return [*mistakes, *(Mistake(row, own.format(name)) for name, row in named)]


AIM = "Unit rows; the answer has the largest cosine to b - a + c, the three left out."
SMALL_STEP = "c is nearest to its own neighbourhood: exclude a, b and c."
AWAY = np.array([[1, 0], [1, 0.1], [1, -0.1], [-1, 0.3], [-1, -0.2], [-2, 0.9]])


@visible
def analogy(answer):
    rows = np.array(
        [[0.5, -0.5, 1.5], [-4.5, -3.0, -1.5], [-0.5, 3.0, 4.5], [-4.5, -4.5, 3.0],
         [-1.0, 4.0, -1.5], [3.0, -1.0, -4.0], [3.5, -3.0, -0.5]]
    )  # fmt: skip
    got = number(unchanged(answer, (rows, 0, 1, 2), "Scale a copy of the vectors."), "analogy")
    diagnosed(got, answer_of(rows, 0, 1, 2), AIM, *analogy_mistakes(rows, 0, 1, 2))
    close = np.array([[1.0, 0.1], [0.9, 0.2], [-0.2, 1.0], [-0.9, 0.4], [-0.1, -1.0]])
    hint = "b - a is small here, so c itself is nearest to the target: it must be excluded."
    equal(answer(close, 0, 1, 2), answer_of(close, 0, 1, 2), hint=hint)
    fan = np.array([[1.0, 0.0], [0.77, 0.64], [0.77, -0.64], [0.3, 1.0], [-1.0, 0.1]])
    equal(answer(fan, 0, 1, 2), 3, hint="b - a + c points along a here: exclude a, b and c.")
    rng = np.random.default_rng(4)
    small = vectors(rng, 20, 6)
    small[1] = small[0] + 0.02 * small[5]
    for given, question, hint in (
        (AWAY, (0, 1, 2), NOT_ZERO), (AWAY[:4], (0, 1, 2), NOT_ZERO),
        (AWAY[[3, 0, 1, 2]], (1, 2, 3), NOT_ZERO),
        (small, (0, 1, 7), SMALL_STEP), (small, (1, 0, 12), SMALL_STEP),
        *((vectors(rng, 25, 4), (i, 24 - i, 12), AIM) for i in range(8)),
        *((vectors(rng, 4, 3), (i, 3 - i, (i + 2) % 4), NOT_ZERO) for i in (0, 1)),
    ):  # fmt: skip
        equal(answer(given, *question), answer_of(given, *question), hint=hint)


# --- association_bias


def associations(rows: Array, a: Array, b: Array) -> Array:
    return np.array(
        [np.mean([cosine(w, v) for v in a]) - np.mean([cosine(w, v) for v in b]) for w in rows]
    )


def effect_size(of_x: Array, of_y: Array) -> float:
    return float((of_x.mean() - of_y.mean()) / np.append(of_x, of_y).std(ddof=1))


def effect(x: Array, y: Array, a: Array, b: Array) -> float:
    return effect_size(associations(x, a, b), associations(y, a, b))


def bias_mistakes(x: Array, y: Array, a: Array, b: Array) -> list[Mistake]:
    s, t = (associations(rows, a, b) for rows in (x, y))
    both, gap = np.append(s, t), s.mean() - t.mean()
    mistakes = [
        Mistake(gap / both.std(), "The standard deviation has n - 1 below the root: ddof=1."),
        Mistake(gap, "Divide by the standard deviation of the associations of X and Y together."),
        Mistake(-effect_size(s, t), "The sign is wrong: X minus Y, and A minus B."),
        Mistake(effect_size(*((v @ a.T).mean(1) - (v @ b.T).mean(1) for v in (x, y))),
                "Use cosines, scale the rows first: the dot product depends on the lengths."),
        Mistake((s.sum() - t.sum()) / both.std(ddof=1),
                "Take the mean over X and over Y: they may differ in size."),
        Mistake(gap / both.var(ddof=1), "You divided by the variance: take its square root."),
        Mistake(effect(x, y, a.mean(0)[None], b.mean(0)[None]),
                "The mean of the cosines, not the cosine with the mean of the attributes."),
    ]  # fmt: skip
    if min(len(s), len(t)) > 1:
        each, hint = (s.std(ddof=1) + t.std(ddof=1)) / 2, "One standard deviation over X and Y."
        mistakes.append(Mistake(gap / each, hint))
    return mistakes


EFFECT = "Mean association of X minus mean of Y, over the standard deviation of all; cosines."
SIGN_ONLY = "Swapping X and Y, or A and B, should change the sign only."


@visible
def association_bias(answer):
    x, y = np.array([[2.0, 0.5], [1.0, 0.1], [0.3, 0.4]]), np.array([[0.2, 3.0], [-1.0, 1.0]])
    a, b = np.array([[1.0, 0.2], [5.0, 0.0], [0.4, 0.1]]), np.array([[0.0, 2.0], [0.1, 0.9]])
    got = unchanged(answer, (x, y, a, b), "Scale copies of the vectors.")
    got = number(got, "association_bias")
    diagnosed(got, effect(x, y, a, b), EFFECT, *bias_mistakes(x, y, a, b))
    near(answer(y, x, a, b), -got, 1e-9, hint=SIGN_ONLY)
    near(answer(x, y, b, a), -got, 1e-9, hint=SIGN_ONLY)
    rng = np.random.default_rng(5)
    for sizes, size in (
        ((3, 6, 4, 2), 0.1), ((1, 1, 1, 5), 1), ((2, 1, 1, 1), 10), ((5, 5, 3, 3), 100)
    ):  # fmt: skip
        sets = [vectors(rng, rows, 4, size) for rows in sizes]
        near(answer(*sets), effect(*sets), 1e-9, hint=EFFECT)
    near(answer(x, x, a, b), 0.0, 1e-9, hint="X against itself has no effect.")
