"""Visible checks of unit 04: each failure names its likely cause.

unit: 04_word2vec
"""

from typing import Any

import numpy as np

from llmcourse.checks import diagnosed, equal, fail, near, number, raises, unchanged, visible
from llmcourse.checks.arrays import as_array, shaped

CENTRE = np.array([[1.0, 2.0], [0.5, -1.0], [-2.0, 0.0], [0.0, 1.5]])
CONTEXT = np.array([[0.5, 1.0], [-1.0, 0.5], [2.0, 1.0], [1.0, -0.5]])
PAIRS = [(0, 2), (1, 0), (0, 3), (3, 3), (2, 1)]
# Four words of different lengths in three directions: cosines and dot products disagree.
STARS = np.array([[4.0, 0.0], [20.0, 6.0], [3.0, 9.0], [-2.0, 0.1], [1.0, 1.0]])


def array_of(value: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    """The value once it has the shape and is an array: the notebook goes on with it as one."""
    if not hasattr(value, "shape"):
        fail(f"{what} should be a numpy array, got a {type(value).__name__}.")
    shaped(value, shape, what, "Compare with the table above.")
    return as_array(value)


@visible
def one_hot(answer):
    got = array_of(unchanged(answer, ([2, 0, 2, 1], 5), hint="Leave ids alone."), (4, 5), "one_hot")
    diagnosed(
        got,
        [[0, 0, 1, 0, 0], [1, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 1, 0, 0, 0]],
        "Row t has its 1 in column ids[t] and zeros elsewhere.",
        ([[1, 1, 1, 0, 0]] + 3 * [[0] * 5], "Each token has a row of its own."),
        ([[1, 1, 1, 0, 0]] * 4, "Every row has the 1s of all ids: index row and column together."),
    )
    array_of(answer([], 3), (0, 3), "one_hot of no ids")
    raises(ValueError, answer, [0, 3], 3, hint="The places go from 0 to V - 1.")
    raises(ValueError, answer, [-1], 3, hint="numpy takes -1 for the last column: look before.")


@visible
def skipgram_pairs(answer):
    got = unchanged(answer, (["a", "b", "c", "d"], 2), hint="Only look at the tokens.")
    want = [
        ("a", "b"), ("a", "c"), ("b", "a"), ("b", "c"), ("b", "d"),
        ("c", "a"), ("c", "b"), ("c", "d"), ("d", "b"), ("d", "c"),
    ]  # fmt: skip
    right_only = [("a", "b"), ("a", "c"), ("b", "c"), ("b", "d"), ("c", "d")]
    nearer = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "b"), ("c", "d"), ("d", "c")]
    shorter = [p for p in want if p not in (("a", "c"), ("b", "d"))]
    diagnosed(
        got,
        want,
        "For each centre in turn, the words up to 2 to its left, then up to 2 to its right.",
        (right_only, "Only the words to the right came: the context is on both sides."),
        (nearer, "The window reaches 2 words to each side; yours reaches one."),
        (shorter, "The last word of the window is missing: `range` ends before its second number."),
        ([(b, a) for a, b in want], "The centre comes first in the pair, then the context word."),
        (
            sorted(want, key=lambda p: (p[0], abs(ord(p[0]) - ord(p[1])), p[1])),
            "From left to right: the farthest word on the left comes first.",
        ),
        (
            [(w, v) for i, w in enumerate("abcd") for v in "abcd"[max(0, i - 2) : i + 3]],
            "A place is not in its own context.",
        ),
    )
    equal(
        answer(["a", "a", "b"], 1),
        [("a", "a"), ("a", "a"), ("a", "b"), ("b", "a")],
        hint="Two places may hold the same word: compare places, not words; keep repeated pairs.",
    )
    equal(answer(["a"], 3), [], hint="One word has no neighbours.")
    raises(ValueError, answer, ["a", "b"], 0, hint="There is no window below 1.")


@visible
def cbow_batch(answer):
    result = unchanged(answer, ([7, 8, 9, 7], 2), hint="Leave ids alone: make a padded copy.")
    if not isinstance(result, tuple | list) or len(result) != 2:
        fail("cbow_batch should return two arrays: contexts, centres.")
    if np.shape(result[0]) == (4, 5):
        fail("contexts should have the shape (4, 4): a place is not in its own context.")
    contexts, centres = (
        array_of(result[0], (4, 4), "contexts"),
        array_of(result[1], (4,), "centres"),
    )
    equal(centres, [7, 8, 9, 7], hint="The centres are the words of the text, in order.")
    diagnosed(
        contexts,
        [[-1, -1, 8, 9], [-1, 7, 9, 7], [7, 8, 7, -1], [8, 9, -1, -1]],
        "Row i: the 2 words before place i in the order of the text, then the 2 after it.",
        (
            [[-1, -1, 8, 9], [7, -1, 9, 7], [8, 7, 7, -1], [9, 8, -1, -1]],
            "The left half is reversed: keep the order of the text.",
        ),
        (
            [[8, 9, -1, -1], [7, 9, 7, -1], [7, 8, 7, -1], [8, 9, -1, -1]],
            "Fill with -1 where the neighbour is missing, not at the end of the row.",
        ),
        (
            [[9, 7, 8, 9], [7, 7, 9, 7], [7, 8, 7, 7], [8, 9, 7, 8]],
            "Python's negative places wrap around: pad the text first.",
        ),
        (
            [[0, 0, 8, 9], [0, 7, 9, 7], [7, 8, 7, 0], [8, 9, 0, 0]],
            "Fill with -1: 0 is the id of a word.",
        ),
    )
    if contexts.dtype.kind not in "iu" or np.asarray(result[1]).dtype.kind not in "iu":
        fail("The arrays should hold whole numbers: they are ids. Give `dtype=int`.")
    alone = answer([5], 1)
    equal(alone[0], [[-1, -1]], hint="One word alone has a context of -1 only.")
    empty = answer([], 3)
    array_of(empty[0], (0, 6), "contexts of no words")
    array_of(empty[1], (0,), "centres of no words")
    raises(ValueError, answer, [1, 2], 0, hint="There is no window below 1.")


def _softmax_losses(centre: np.ndarray, context: np.ndarray) -> np.ndarray:
    scores = np.array([context @ centre[w] for w, _ in PAIRS])
    true = scores[np.arange(len(PAIRS)), [c for _, c in PAIRS]]
    return np.log(np.exp(scores).sum(1)) - true


@visible
def softmax_skipgram_loss(answer):
    got = unchanged(answer, (CENTRE, CONTEXT, list(PAIRS)), "Work on copies of the vectors.")
    losses = _softmax_losses(CENTRE, CONTEXT)
    swapped, one_table = _softmax_losses(CONTEXT, CENTRE), _softmax_losses(CENTRE, CENTRE)
    diagnosed(
        number(got, "softmax_skipgram_loss"),
        losses.mean(),
        "For each pair ln of the sum of exp(score) over all words, minus the score that came.",
        (losses.sum(), "That is the sum over the pairs: return the mean."),
        (-losses.mean(), "The sign is wrong: the loss is minus the logarithm."),
        (losses.mean() / np.log(2), "That is in bits: use the natural logarithm."),
        (swapped.mean(), "The two tables are swapped: the first word of a pair is the centre."),
        (one_table.mean(), "One table for both words? The context word is in context_vectors."),
        (np.exp(-losses).mean(), "That is a probability: take minus the logarithm of each first."),
        (
            np.mean(
                [
                    np.log(np.exp(CENTRE @ CONTEXT[c]).sum()) - CENTRE[w] @ CONTEXT[c]
                    for w, c in PAIRS
                ]
            ),
            "You summed over all centres: the centre stays, the sum is over all context words.",
        ),
    )
    large = "exp of a large score overflows: subtract the largest score of the row first."
    try:
        with np.errstate(all="ignore"):
            value = answer(800 * CENTRE, CONTEXT, [(0, 2), (0, 1)])
    except OverflowError:
        fail(large)
    if not np.isfinite(float(value)):
        fail(f"With scores in the thousands the loss should be finite. {large}")
    near(value, 1600.0, 1e-6, hint=large)


@visible
def noise_probs(answer):
    got = array_of(unchanged(answer, ([16, 1, 0, 81],), hint="Leave counts alone."), (4,), "probs")
    diagnosed(
        got,
        [8 / 36, 1 / 36, 0, 27 / 36],
        "counts ** 0.75, divided by their sum.",
        ([8, 1, 0, 27], "They should sum to 1: divide by the sum."),
        ([16 / 98, 1 / 98, 0, 81 / 98], "Raise the counts to the power first."),
        ([8 / 98, 1 / 98, 0, 27 / 98], "Divide by the sum of the raised counts."),
        (
            (np.array([16, 1, 0, 81]) / 98) ** 0.75,
            "First the power, then the division: these do not sum to 1.",
        ),
    )
    near(answer([4, 1], 0.5), [2 / 3, 1 / 3], 1e-9, hint="Use the argument `power`.")
    raises(ValueError, answer, [0, 0], hint="With all counts 0 there is nothing to draw.")


NEGATIVES = [[1, 3], [2, 2], [0, 1], [2, 0], [3, 3]]


def _sampling_losses(centre: np.ndarray, context: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    true = [np.logaddexp(0, -(centre[w] @ context[c])) for w, c in PAIRS]
    false = [
        [np.logaddexp(0, centre[w] @ context[n]) for n in drawn]
        for (w, _), drawn in zip(PAIRS, NEGATIVES, strict=True)
    ]
    return np.array(true), np.array(false)


@visible
def negative_sampling_loss(answer):
    args = (CENTRE, CONTEXT, list(PAIRS), [list(drawn) for drawn in NEGATIVES])
    got = unchanged(answer, args, "Work on copies of the vectors.")
    true, false = _sampling_losses(CENTRE, CONTEXT)
    true_swapped, false_swapped = _sampling_losses(CONTEXT, CENTRE)
    agree = np.array(
        [
            [np.logaddexp(0, -(CENTRE[w] @ CONTEXT[n])) for n in drawn]
            for (w, _), drawn in zip(PAIRS, NEGATIVES, strict=True)
        ]
    )
    as_centres = [
        sum(np.logaddexp(0, CENTRE[n] @ CONTEXT[c]) for n in drawn)
        for (_, c), drawn in zip(PAIRS, NEGATIVES, strict=True)
    ]
    once = np.array(
        [
            sum({n: v for n, v in zip(d, row, strict=True)}.values())
            for d, row in zip(NEGATIVES, false, strict=True)
        ]
    )
    diagnosed(
        number(got, "negative_sampling_loss"),
        (true + false.sum(1)).mean(),
        "-ln s(score of the true pair), plus -ln s(-score) for each noise word; mean over pairs.",
        ((true + false.sum(1)).sum(), "That is the sum over the pairs: return the mean."),
        ((true + false.mean(1)).mean(), "The noise terms of a pair are summed, not averaged."),
        (true.mean(), "The noise terms are missing."),
        (-(true + false.sum(1)).mean(), "The sign is wrong: the loss is minus the logarithms."),
        (
            (true + agree.sum(1)).mean(),
            "A noise pair should get a low score: its term is -ln s(-score).",
        ),
        ((true_swapped + false_swapped.sum(1)).mean(), "The two tables are swapped."),
        (
            (true + np.array(as_centres)).mean(),
            "A noise word takes the context's place: its vector is in context_vectors.",
        ),
        ((true + once).mean(), "A noise word that was drawn twice counts twice."),
        ((true - false.sum(1)).mean(), "The noise terms are added to the loss, not taken off."),
    )
    large = "s(x) of a large negative x is 0 for the computer: use np.logaddexp(0, -x)."
    try:
        with np.errstate(all="ignore"):
            value = answer(900 * CENTRE, CONTEXT, [(2, 2)], [[1]])
    except (OverflowError, ValueError, ZeroDivisionError):
        fail(large)
    if not np.isfinite(float(value)):
        fail(f"With scores in the thousands the loss should be finite. {large}")
    near(value, 3600.0 + 1800.0, 1e-6, hint=large)
    near(answer(CENTRE, CONTEXT, [(0, 2)], [[]]), true[0], 1e-9, hint="k = 0: the true pair only.")


@visible
def nearest(answer):
    got = unchanged(answer, (STARS, 0, 2), "Scale a copy of the vectors, not the argument.")
    if not isinstance(got, list | tuple | np.ndarray):
        fail(f"nearest should return a list of ids, got {type(got).__name__}.")
    diagnosed(
        got,
        [1, 4],
        "The cosines of row 0 with rows 1 to 4 are 0.96, 0.32, -1.00 and 0.71.",
        ([0, 1], "The row itself is always the nearest: leave it out."),
        ([1, 2], "Those have the largest dot products: divide by the lengths of both vectors."),
        ([3, 2], "Those are the least similar: sort from the largest cosine down."),
        ([4, 1], "The most similar comes first."),
        ([1, 0], "The row itself is always the nearest: leave it out."),
        ([0, 2], "Divide by both lengths; and leave row 0 out by its id, not by its place."),
        ([20 / 436**0.5, 0.5**0.5], "Return the ids, not the cosines."),
        ([0, 3], "You removed row 0 before sorting: ids are the places in `vectors`."),
        ([4, 3], "Those are nearest by distance: similarity is the cosine."),
    )
    equal(answer(STARS, 2, 9), [4, 1, 0, 3], hint="n above V - 1: all the others, best first.")


@visible
def analogy(answer):
    vectors = np.array(
        [[0.5, -0.5, 1.5], [-4.5, -3.0, -1.5], [-0.5, 3.0, 4.5], [-4.5, -4.5, 3.0],
         [-1.0, 4.0, -1.5], [3.0, -1.0, -4.0], [3.5, -3.0, -0.5]]
    )  # fmt: skip
    got = unchanged(answer, (vectors, 0, 1, 2), "Scale a copy of the vectors.")
    diagnosed(
        number(got, "analogy"),
        _analogy(vectors, 0, 1, 2),
        "Scale the rows to length 1; the answer has the largest cosine to b - a + c.",
        (_analogy(vectors, 0, 1, 2, excluded=()), "A question word came: exclude a, b and c."),
        (_analogy(vectors, 1, 0, 2), "You computed a - b + c: the step goes from a to b."),
        (_analogy(vectors, 0, 1, 2, scaled=False), "Scale all rows to length 1 before you add."),
    )
    if got in (0, 1, 2):
        fail("A question word came as the answer: exclude a, b and c.")
    other = np.array([[1.0, 0.1], [0.9, 0.2], [-0.2, 1.0], [-0.9, 0.4], [-0.1, -1.0]])
    equal(
        answer(other, 0, 1, 2),
        _analogy(other, 0, 1, 2),
        hint="b - a is small here, so c itself is nearest to the target: it must be excluded.",
    )
    fan = np.array([[1.0, 0.0], [0.77, 0.64], [0.77, -0.64], [0.3, 1.0], [-1.0, 0.1]])
    equal(answer(fan, 0, 1, 2), 3, hint="b - a + c points along a here: exclude a, b and c.")


def _analogy(
    vectors: np.ndarray, a: int, b: int, c: int, excluded: Any = None, scaled: bool = True
) -> int:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = unit if scaled else vectors
    scores = unit @ (rows[b] - rows[a] + rows[c])
    scores[list((a, b, c) if excluded is None else excluded)] = -np.inf
    return int(scores.argmax())


@visible
def association_bias(answer):
    x, y = np.array([[2.0, 0.5], [1.0, 0.1], [0.3, 0.4]]), np.array([[0.2, 3.0], [-1.0, 1.0]])
    a, b = np.array([[1.0, 0.2], [5.0, 0.0], [0.4, 0.1]]), np.array([[0.0, 2.0], [0.1, 0.9]])
    got = number(
        unchanged(answer, (x, y, a, b), "Scale copies of the vectors."), "association_bias"
    )
    of_x, of_y = (_associations(rows, a, b) for rows in (x, y))
    both = np.concatenate([of_x, of_y])
    gap = of_x.mean() - of_y.mean()
    raw_x, raw_y = ((v @ a.T).mean(1) - (v @ b.T).mean(1) for v in (x, y))
    raw = np.concatenate([raw_x, raw_y])
    centred_x, centred_y = (_associations(v, a.mean(0)[None], b.mean(0)[None]) for v in (x, y))
    diagnosed(
        got,
        gap / both.std(ddof=1),
        "mean association of X minus that of Y, over the standard deviation of all.",
        (gap / both.std(), "The standard deviation has n - 1 below the root: ddof=1."),
        (gap, "Divide by the standard deviation of the associations of X and Y together."),
        (-gap / both.std(ddof=1), "The sign is wrong: X minus Y, and A minus B."),
        ((raw_x.mean() - raw_y.mean()) / raw.std(ddof=1), "Use cosines: scale the rows first."),
        (
            (of_x.sum() - of_y.sum()) / both.std(ddof=1),
            "Take the mean over X and over Y: they may differ in size.",
        ),
        (gap / both.var(ddof=1), "You divided by the variance: take its square root."),
        (
            (centred_x.mean() - centred_y.mean()) / np.append(centred_x, centred_y).std(ddof=1),
            "The mean of the cosines, not the cosine with the mean of the attributes.",
        ),
        (
            gap / np.mean([of_x.std(ddof=1), of_y.std(ddof=1)]),
            "One standard deviation over the words of X and Y together.",
        ),
    )
    near(answer(y, x, a, b), -got, 1e-9, hint="Swapping X and Y should change the sign only.")


def _associations(rows: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    rows, a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (rows, a, b))
    return (rows @ a.T).mean(1) - (rows @ b.T).mean(1)
