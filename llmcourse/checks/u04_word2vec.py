"""Visible checks of unit 04: each failure names its likely cause.

unit: 04_word2vec
"""

from typing import Any

import numpy as np

from llmcourse.checks import (
    Mistake,
    attempt,
    diagnosed,
    equal,
    fail,
    kind_of,
    near,
    number,
    raises,
    unchanged,
    visible,
)
from llmcourse.checks.arrays import as_array, shaped
from llmcourse.checks.u04_one_by_one import (
    context_rows,
    neighbours,
    sampling_losses,
    softmax_losses,
    some_pairs,
    vectors,
)
from llmcourse.checks.u04_similarity import analogy, association_bias, nearest

__all__ = [
    "analogy",
    "association_bias",
    "cbow_batch",
    "nearest",
    "negative_sampling_loss",
    "noise_probs",
    "one_hot",
    "skipgram_pairs",
    "softmax_skipgram_loss",
]

CENTRE = np.array([[1.0, 2.0], [0.5, -1.0], [-2.0, 0.0], [0.0, 1.5]])
CONTEXT = np.array([[0.5, 1.0], [-1.0, 0.5], [2.0, 1.0], [1.0, -0.5]])
PAIRS = [(0, 2), (1, 0), (0, 3), (3, 3), (2, 1)]


def array_of(value: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Return the value as an array of that shape, with which the notebook goes on."""
    if not hasattr(value, "shape"):
        wanted = f"{what} should be a numpy array"
        fail(f"{wanted}, got {kind_of(value)}.", f"{wanted}.")
    shaped(value, shape, what, "Compare with the table above.")
    return as_array(value)


@visible
def one_hot(answer):
    got = array_of(unchanged(answer, ([2, 0, 2, 1], 5), hint="Leave ids alone."), (4, 5), "one_hot")
    diagnosed(
        got,
        [[0, 0, 1, 0, 0], [1, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 1, 0, 0, 0]],
        "Row t has its 1 in column ids[t] and zeros elsewhere.",
        Mistake([[1, 1, 1, 0, 0]] + 3 * [[0] * 5], "Each token has a row of its own."),
        Mistake(
            [[1, 1, 1, 0, 0]] * 4, "Every row has the 1s of all ids: index row and column together."
        ),
    )
    array_of(answer([], 3), (0, 3), "one_hot of no ids")
    for ids, size in (([0], 1), ([6, 0, 6], 7), ([i * i % 11 for i in range(30)], 11)):
        want = [[float(i == column) for column in range(size)] for i in ids]
        equal(answer(ids, size), want, hint="One row a token, one column a word of the vocabulary.")
    for ids in ([0, 3], [0, 1, 8, 1]):
        raises(ValueError, answer, ids, 3, hint="The places go from 0 to V - 1.")
    for ids in ([-1], [0, -3, 1]):
        raises(ValueError, answer, ids, 3, hint="numpy takes -1 for the last column: look before.")


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
        Mistake(right_only, "Only the words to the right came: the context is on both sides."),
        Mistake(nearer, "The window reaches 2 words to each side; yours reaches one."),
        Mistake(
            shorter,
            "The last word of the window is missing: `range` ends before its second number.",
        ),
        Mistake(
            [(b, a) for a, b in want], "The centre comes first in the pair, then the context word."
        ),
        Mistake(
            sorted(want, key=lambda p: (p[0], abs(ord(p[0]) - ord(p[1])), p[1])),
            "From left to right: the farthest word on the left comes first.",
        ),
        Mistake(
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
    for length, window in ((0, 6), (2, 6), (4, 6), (17, 1), (20, 3), (20, 5), (600, 1)):
        tokens = [i * i % 7 for i in range(length)]
        hint = "Each context from left to right; compare places with ==, not with `is`."
        equal(answer(tokens, window), neighbours(tokens, window), hint=hint)
    for window in (0, -2):
        raises(ValueError, answer, ["a", "b"], window, hint="There is no window below 1.")


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
        Mistake(
            [[-1, -1, 8, 9], [7, -1, 9, 7], [8, 7, 7, -1], [9, 8, -1, -1]],
            "The left half is reversed: keep the order of the text.",
        ),
        Mistake(
            [[8, 9, -1, -1], [7, 9, 7, -1], [7, 8, 7, -1], [8, 9, -1, -1]],
            "Fill with -1 where the neighbour is missing, not at the end of the row.",
        ),
        Mistake(
            [[9, 7, 8, 9], [7, 7, 9, 7], [7, 8, 7, 7], [8, 9, 7, 8]],
            "Python's negative places wrap around: pad the text first.",
        ),
        Mistake(
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
    for length, window in ((1, 5), (2, 5), (3, 5), (9, 1), (14, 3), (12, 4), (300, 2)):
        ids = [i * i % 13 for i in range(length)]
        hint = "Row i: the words before place i, then those after it; 2 * window columns always."
        contexts, centres = attempt(answer, (ids, window), hint)
        equal((contexts, centres), (context_rows(ids, window), ids), hint=hint)
    for window in (0, -2):
        raises(ValueError, answer, [1, 2], window, hint="There is no window below 1.")


@visible
def softmax_skipgram_loss(answer):
    got = unchanged(answer, (CENTRE, CONTEXT, list(PAIRS)), "Work on copies of the vectors.")
    losses = softmax_losses(CENTRE, CONTEXT, PAIRS)
    swapped = softmax_losses(CONTEXT, CENTRE, PAIRS)
    one_table = softmax_losses(CENTRE, CENTRE, PAIRS)
    diagnosed(
        number(got, "softmax_skipgram_loss"),
        losses.mean(),
        "For each pair ln of the sum of exp(score) over all words, minus the score that came.",
        Mistake(losses.sum(), "That is the sum over the pairs: return the mean."),
        Mistake(-losses.mean(), "The sign is wrong: the loss is minus the logarithm."),
        Mistake(losses.mean() / np.log(2), "That is in bits: use the natural logarithm."),
        Mistake(
            swapped.mean(), "The two tables are swapped: the first word of a pair is the centre."
        ),
        Mistake(
            one_table.mean(), "One table for both words? The context word is in context_vectors."
        ),
        Mistake(
            np.exp(-losses).mean(), "That is a probability: take minus the logarithm of each first."
        ),
        Mistake(
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
    with np.errstate(all="ignore"):
        value = attempt(answer, (800 * CENTRE, CONTEXT, [(0, 2), (0, 1)]), large)
    if not np.isfinite(float(value)):
        fail("With scores in the thousands the loss should be finite.", hint=large)
    near(value, 1600.0, 1e-6, hint=large)
    each = "Subtract the largest score of each row from it, not that of all rows together."
    mean = "The mean over the pairs of ln of the sum of exp(score), minus the score that came."
    uneven = CENTRE * np.array([[1000.0], [1.0], [0.001], [30.0]])
    for centre, context, pairs, hint in (
        (uneven, CONTEXT, PAIRS, each),
        (vectors(1, 6, 4, 1e3), vectors(2, 6, 4, 5.0), some_pairs(3, 6, 12), each),
        (vectors(4, 20, 8), vectors(5, 20, 8), some_pairs(6, 20, 40), mean),
        (vectors(7, 3, 1), vectors(8, 3, 1), [(1, 1)], mean),
    ):
        with np.errstate(all="ignore"):
            got = attempt(answer, (centre, context, pairs), hint)
        near(got, softmax_losses(centre, context, pairs).mean(), 1e-9, hint=hint)
    single = [array.astype(np.float32) for array in (vectors(9, 9, 5), vectors(10, 9, 5))]
    pairs = [(i, i) for i in range(9)] * 2
    near(answer(*single, pairs), softmax_losses(*single, pairs).mean(), 1e-4, hint=mean)


@visible
def noise_probs(answer):
    got = array_of(unchanged(answer, ([16, 1, 0, 81],), hint="Leave counts alone."), (4,), "probs")
    diagnosed(
        got,
        [8 / 36, 1 / 36, 0, 27 / 36],
        "counts ** 0.75, divided by their sum.",
        Mistake([8, 1, 0, 27], "They should sum to 1: divide by the sum."),
        Mistake([16 / 98, 1 / 98, 0, 81 / 98], "Raise the counts to the power first."),
        Mistake([8 / 98, 1 / 98, 0, 27 / 98], "Divide by the sum of the raised counts."),
        Mistake(
            (np.array([16, 1, 0, 81]) / 98) ** 0.75,
            "First the power, then the division: these do not sum to 1.",
        ),
    )
    near(answer([4, 1], 0.5), [2 / 3, 1 / 3], 1e-9, hint="Use the argument `power`.")
    counts = np.array([0, 40_000, 3, 0, 12, 700, 1])
    for power in (0.75, 1.0, 0.3, 2.0):
        raised = [count**power for count in counts.tolist()]
        want = np.array(raised) / sum(raised)
        for given in (counts.tolist(), counts, counts.astype(float)):
            hint = "Each count to the power, over the sum of these; a count of 0 stays 0."
            near(unchanged(answer, (given, power), "Leave counts alone."), want, 1e-12, hint=hint)
    for nothing in ([0, 0], [0]):
        raises(ValueError, answer, nothing, hint="With all counts 0 there is nothing to draw.")


NEGATIVES = [[1, 3], [2, 2], [0, 1], [2, 0], [3, 3]]


@visible
def negative_sampling_loss(answer):
    args = (CENTRE, CONTEXT, list(PAIRS), [list(drawn) for drawn in NEGATIVES])
    got = unchanged(answer, args, "Work on copies of the vectors.")
    true, false = map(np.array, sampling_losses(CENTRE, CONTEXT, PAIRS, NEGATIVES))
    true_swapped, false_swapped = map(np.array, sampling_losses(CONTEXT, CENTRE, PAIRS, NEGATIVES))
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
        Mistake((true + false.sum(1)).sum(), "That is the sum over the pairs: return the mean."),
        Mistake(
            (true + false.mean(1)).mean(), "The noise terms of a pair are summed, not averaged."
        ),
        Mistake(true.mean(), "The noise terms are missing."),
        Mistake(
            -(true + false.sum(1)).mean(), "The sign is wrong: the loss is minus the logarithms."
        ),
        Mistake(
            (true + agree.sum(1)).mean(),
            "A noise pair should get a low score: its term is -ln s(-score).",
        ),
        Mistake((true_swapped + false_swapped.sum(1)).mean(), "The two tables are swapped."),
        Mistake(
            (true + np.array(as_centres)).mean(),
            "A noise word takes the context's place: its vector is in context_vectors.",
        ),
        Mistake((true + once).mean(), "A noise word that was drawn twice counts twice."),
        Mistake(
            (true - false.sum(1)).mean(), "The noise terms are added to the loss, not taken off."
        ),
    )
    large = "s(x) of a large negative x is 0 for the computer: use np.logaddexp(0, -x)."
    for pair, noise in (((2, 2), 1), ((0, 1), 2), ((0, 2), 1), ((0, 2), 3)):
        with np.errstate(all="ignore"):
            value = attempt(answer, (900 * CENTRE, CONTEXT, [pair], [[noise]]), large)
        if not np.isfinite(float(value)):
            fail("With scores in the thousands the loss should be finite.", hint=large)
        true_term, terms = sampling_losses(900 * CENTRE, CONTEXT, [pair], [[noise]])
        near(value, true_term[0] + terms[0][0], 1e-6, hint=large)
    near(answer(CENTRE, CONTEXT, [(0, 2)], [[]]), true[0], 1e-9, hint="k = 0: the true pair only.")
    hint = (
        "Each id in `negatives` adds one term, whatever word it is; then the mean over the pairs."
    )
    for seed, (words, n_pairs, k, size) in enumerate(
        ((6, 5, 1, 1.0), (15, 20, 3, 1.0), (4, 8, 10, 1.0), (7, 10, 4, 1e4), (5, 4, 0, 1.0))
    ):
        tables = vectors(seed, words, 3, size), vectors(seed + 9, words, 3)
        pairs = some_pairs(seed, words, n_pairs)
        negatives = np.random.default_rng(seed).integers(words, size=(n_pairs, k)).tolist()
        if k == 4:
            negatives[0], negatives[1] = [pairs[0][1]] * 4, [2] * 4
        with np.errstate(all="ignore"):
            got = attempt(answer, (*tables, pairs, negatives), hint if size == 1 else large)
        terms = sampling_losses(*tables, pairs, negatives)
        want = (terms[0].sum() + sum(map(sum, terms[1]))) / n_pairs
        near(got, want, 1e-9, hint=hint if size == 1 else large)
