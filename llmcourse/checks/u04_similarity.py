"""Visible checks of unit 04: neighbours, analogies and associations of word vectors.

unit: 04_word2vec
"""

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
from llmcourse.checks.u04_one_by_one import answer_of, associations, effect, ranked, vectors

# Four words of different lengths in three directions: cosines and dot products disagree.
STARS = np.array([[4.0, 0.0], [20.0, 6.0], [3.0, 9.0], [-2.0, 0.1], [1.0, 1.0]])


@visible
def nearest(answer):
    got = unchanged(answer, (STARS, 0, 2), "Scale a copy of the vectors, not the argument.")
    if not isinstance(got, list | tuple) and not hasattr(got, "tolist"):
        fail(f"nearest should return a list of ids, got {kind_of(got)}.", "expected a list of ids.")
    diagnosed(
        got,
        [1, 4],
        "The cosines of row 0 with rows 1 to 4 are 0.96, 0.32, -1.00 and 0.71.",
        Mistake([0, 1], "The row itself is always the nearest: leave it out."),
        Mistake(
            [1, 2], "Those have the largest dot products: divide by the lengths of both vectors."
        ),
        Mistake([3, 2], "Those are the least similar: sort from the largest cosine down."),
        Mistake([4, 1], "The most similar comes first."),
        Mistake([1, 0], "The row itself is always the nearest: leave it out."),
        Mistake([0, 2], "Divide by both lengths; and leave row 0 out by its id, not by its place."),
        Mistake([20 / 436**0.5, 0.5**0.5], "Return the ids, not the cosines."),
        Mistake([0, 3], "You removed row 0 before sorting: ids are the places in `vectors`."),
        Mistake([4, 3], "Those are nearest by distance: similarity is the cosine."),
    )
    equal(answer(STARS, 2, 9), [4, 1, 0, 3], hint="n above V - 1: all the others, best first.")
    same = np.array([[0.0, 2.0], [7.0, 0.0], [-3.0, 0.5], [1.0, 0.0], [-1.0, 0.0], [5.0, 1.0]])
    for index, want in ((3, [1, 5, 0, 2, 4]), (1, [3, 5, 0, 2, 4])):
        hint = "Another row may point the same way: leave `index` out by its id, not as the first."
        equal(answer(same, index, 5), want, hint=hint)
    for seed, (size, index, n) in enumerate(
        (
            (7, 0, 1),
            (7, 6, 1),
            (7, 3, 6),
            (7, 2, 50),
            (8, 7, 8),
            (8, 2, 50),
            (30, 11, 5),
            (60, 4, 6),
        )
    ):
        rows = vectors(seed, size, 2 + 2 * (seed // 2))
        hint = "Sort the rows by their cosine with row `index`, the largest first; at most V - 1."
        equal(answer(rows, index, n), ranked(rows, index)[:n], hint=hint)


@visible
def analogy(answer):
    rows = np.array(
        [[0.5, -0.5, 1.5], [-4.5, -3.0, -1.5], [-0.5, 3.0, 4.5], [-4.5, -4.5, 3.0],
         [-1.0, 4.0, -1.5], [3.0, -1.0, -4.0], [3.5, -3.0, -0.5]]
    )  # fmt: skip
    got = unchanged(answer, (rows, 0, 1, 2), "Scale a copy of the vectors.")
    diagnosed(
        number(got, "analogy"),
        answer_of(rows, 0, 1, 2),
        "Scale the rows to length 1; the answer has the largest cosine to b - a + c.",
        Mistake(answer_of(rows, 0, 1, 2, excluded=()), "A question word came: exclude a, b and c."),
        Mistake(answer_of(rows, 1, 0, 2), "You computed a - b + c: the step goes from a to b."),
        Mistake(
            answer_of(rows, 0, 1, 2, scaled=False), "Scale all rows to length 1 before you add."
        ),
    )
    if got in (0, 1, 2):
        fail("A question word came as the answer: exclude a, b and c.")
    other = np.array([[1.0, 0.1], [0.9, 0.2], [-0.2, 1.0], [-0.9, 0.4], [-0.1, -1.0]])
    equal(
        answer(other, 0, 1, 2),
        answer_of(other, 0, 1, 2),
        hint="b - a is small here, so c itself is nearest to the target: it must be excluded.",
    )
    fan = np.array([[1.0, 0.0], [0.77, 0.64], [0.77, -0.64], [0.3, 1.0], [-1.0, 0.1]])
    equal(answer(fan, 0, 1, 2), 3, hint="b - a + c points along a here: exclude a, b and c.")
    less = "The best cosine may be negative: the excluded rows need -inf, not 0."
    away = np.array([[1, 0], [1, 0.1], [1, -0.1], [-1, 0.3], [-1, -0.2], [-2, 0.9]])
    small = vectors(3, 20, 6)
    small[1] = small[0] + 0.02 * small[5]
    for given, question, hint in (
        (away, (0, 1, 2), less),
        (away[:4], (0, 1, 2), less),
        (away[[3, 0, 1, 2]], (1, 2, 3), less),
        (small, (0, 1, 7), "c is nearest to its own neighbourhood: exclude a, b and c."),
        (small, (1, 0, 12), "c is nearest to its own neighbourhood: exclude a, b and c."),
        *((vectors(seed, 25, 4), (seed, 24 - seed, 12), AIM) for seed in range(8)),
        *((vectors(seed, 4, 3), (seed, 3 - seed, (seed + 2) % 4), less) for seed in (0, 1)),
    ):
        equal(answer(given, *question), answer_of(given, *question), hint=hint)


AIM = "Unit rows; the answer has the largest cosine to b - a + c, the three left out."


@visible
def association_bias(answer):
    x, y = np.array([[2.0, 0.5], [1.0, 0.1], [0.3, 0.4]]), np.array([[0.2, 3.0], [-1.0, 1.0]])
    a, b = np.array([[1.0, 0.2], [5.0, 0.0], [0.4, 0.1]]), np.array([[0.0, 2.0], [0.1, 0.9]])
    got = number(
        unchanged(answer, (x, y, a, b), "Scale copies of the vectors."), "association_bias"
    )
    of_x, of_y = (associations(rows, a, b) for rows in (x, y))
    both = np.concatenate([of_x, of_y])
    gap = of_x.mean() - of_y.mean()
    raw_x, raw_y = ((v @ a.T).mean(1) - (v @ b.T).mean(1) for v in (x, y))
    raw = np.concatenate([raw_x, raw_y])
    centred_x, centred_y = (associations(v, a.mean(0)[None], b.mean(0)[None]) for v in (x, y))
    diagnosed(
        got,
        gap / both.std(ddof=1),
        "mean association of X minus that of Y, over the standard deviation of all.",
        Mistake(gap / both.std(), "The standard deviation has n - 1 below the root: ddof=1."),
        Mistake(gap, "Divide by the standard deviation of the associations of X and Y together."),
        Mistake(-gap / both.std(ddof=1), "The sign is wrong: X minus Y, and A minus B."),
        Mistake(
            (raw_x.mean() - raw_y.mean()) / raw.std(ddof=1), "Use cosines: scale the rows first."
        ),
        Mistake(
            (of_x.sum() - of_y.sum()) / both.std(ddof=1),
            "Take the mean over X and over Y: they may differ in size.",
        ),
        Mistake(gap / both.var(ddof=1), "You divided by the variance: take its square root."),
        Mistake(
            (centred_x.mean() - centred_y.mean()) / np.append(centred_x, centred_y).std(ddof=1),
            "The mean of the cosines, not the cosine with the mean of the attributes.",
        ),
        Mistake(
            gap / np.mean([of_x.std(ddof=1), of_y.std(ddof=1)]),
            "One standard deviation over the words of X and Y together.",
        ),
    )
    near(answer(y, x, a, b), -got, 1e-9, hint="Swapping X and Y should change the sign only.")
    near(answer(x, y, b, a), -got, 1e-9, hint="Swapping A and B should change the sign only.")
    hint = "Mean association of X minus mean of Y, over the standard deviation of all; cosines."
    for seed, sizes in enumerate(((3, 6, 4, 2), (1, 1, 1, 5), (2, 1, 1, 1), (5, 5, 3, 3))):
        sets = [vectors(10 * seed + i, size, 4, 10.0 ** (seed - 1)) for i, size in enumerate(sizes)]
        near(answer(*sets), effect(*sets), 1e-9, hint=hint)
    near(answer(x, x, a, b), 0.0, 1e-9, hint="X against itself has no effect.")
