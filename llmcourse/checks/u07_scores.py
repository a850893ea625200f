"""Scores, weights and contexts of attention in unit 07: formulas, mistakes, visible checks.

Formulas are sums over indices; the hidden tests know a mistake by the same values.

unit: 07_attention
"""

import math
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, noted, visible
from llmcourse.checks.u06_judging import ALL_AXES, SUM, agrees, arrays_near, called
from llmcourse.checks.u07_impostors import Array, softmax

SCORES, SCORES_FORM = "the scores", "It is (B, S): a score for each key of each row."
ROW_BY_ROW = (
    "Query b meets the keys of row b only: np.einsum('bc,bsc->bs', ...), or "
    "(q[:, None] * keys).sum(axis=2)."
)
FIT = ("core dimension", "not aligned", "einstein", "operand", *SUM)  # of products that do not fit

# --- dot_score

DOT_HINT = "Multiply query and key number by number, sum over C, divide by sqrt(C)."


def dot_inputs(rng: Any, B: int, S: int, C: int) -> Any:
    """Return queries (B, C) and keys (B, S, C)."""
    return rng.normal(size=(B, C)), rng.normal(size=(B, S, C))


def dot(q: Array, keys: Array) -> Array:
    return np.einsum("bc,bsc->bs", q, keys) / math.sqrt(q.shape[1])


def dot_mistakes(q: Array, keys: Array) -> list[Mistake]:
    right, (B, S, C) = dot(q, keys), keys.shape
    sums = right * math.sqrt(C)
    return [
        Mistake(sums, "The scale is missing: divide by sqrt(C), C = q.shape[1]."),
        Mistake(sums / C, "Divide by the square ROOT of C."),
        Mistake(sums / math.sqrt(S), "Divide by sqrt(C), the width of a key, not by sqrt(S)."),
        Mistake(sums / math.sqrt(B), "Divide by sqrt(C), the width of a key, not by sqrt(B)."),
        Mistake(sums * math.sqrt(C), "Divide by sqrt(C), do not multiply."),
        Mistake(softmax(right), "Return scores: the softmax comes later."),
        Mistake(softmax(sums), "Return scaled scores: the softmax comes later."),
        Mistake(np.einsum("bc,dsc->bs", q, keys[:1]) / math.sqrt(C), ROW_BY_ROW),
    ]


@visible
def dot_score(answer):
    args = dot_inputs(np.random.default_rng(1), 3, 5, 4)
    with noted(ROW_BY_ROW, *FIT):
        got = called(answer, args)
    arrays_near(got, dot(*args), SCORES, SCORES_FORM, DOT_HINT, *dot_mistakes(*args))
    rng = np.random.default_rng(9)
    agrees(answer, dot, [dot_inputs(rng, 1, 5, 3), dot_inputs(rng, 3, 1, 2)], SCORES, ALL_AXES)
    sizes = ((3, 3, 3), (2, 4, 4), (4, 2, 9), (2, 3, 1), (1, 1, 1))
    agrees(answer, dot, (dot_inputs(rng, *size) for size in sizes), SCORES)


# --- bilinear_score

BILINEAR_HINT = "For each row: q, times W_a, times each key."
BILINEAR_FIT = (
    "q @ W_a is (B, C), and keys[b] are the keys of row b only: "
    "np.einsum('bc,bsc->bs', q @ W_a, keys), or ((q @ W_a)[:, None] * keys).sum(axis=2)."
)


def bilinear_inputs(rng: Any, B: int, S: int, D: int, C: int) -> Any:
    """Return queries (B, D), keys (B, S, C) and a matrix (D, C)."""
    return rng.normal(size=(B, D)), rng.normal(size=(B, S, C)), rng.normal(size=(D, C))


def bilinear(q: Array, keys: Array, W: Array) -> Array:
    return np.einsum("bd,dc,bsc->bs", q, W, keys)


def bilinear_mistakes(q: Array, keys: Array, W: Array) -> list[Mistake]:
    right, (D, C) = bilinear(q, keys, W), W.shape
    found = [
        Mistake(right / math.sqrt(C), "No scale here: W_a can learn it."),
        Mistake(right / math.sqrt(D), "No scale here: W_a can learn it."),
        Mistake(softmax(right), "Return scores: the softmax comes later."),
        Mistake(np.tanh(right), "The score has no nonlinearity: no tanh."),
        Mistake(np.einsum("bd,dc,esc->bs", q, W, keys[:1]), BILINEAR_FIT),
    ]
    if D == C:
        found += [
            Mistake(
                bilinear(q, keys, W.T), "W_a is transposed: q @ W_a, then the product with keys."
            ),
            Mistake(bilinear(q, keys, np.eye(C)), "The matrix W_a has no influence."),
        ]
    return found


@visible
def bilinear_score(answer):
    args = bilinear_inputs(np.random.default_rng(2), 3, 5, 4, 4)
    with noted(BILINEAR_FIT, *FIT):
        got = called(answer, args)
    mistakes = bilinear_mistakes(*args)
    arrays_near(got, bilinear(*args), SCORES, SCORES_FORM, BILINEAR_HINT, *mistakes)
    rng = np.random.default_rng(9)
    other = "W_a is (D, C): queries and keys may have different widths."
    agrees(answer, bilinear, [bilinear_inputs(rng, 3, 4, 2, 5)], SCORES, other)
    small = (bilinear_inputs(rng, *size) for size in ((1, 5, 2, 3), (3, 1, 2, 2)))
    agrees(answer, bilinear, small, SCORES, ALL_AXES)
    sizes = ((3, 3, 3, 3), (2, 4, 4, 2), (2, 3, 1, 1), (1, 1, 1, 1))
    agrees(answer, bilinear, (bilinear_inputs(rng, *size) for size in sizes), SCORES)


# --- attention_weights

WEIGHTS, WEIGHTS_FORM = "the weights", "It has the shape of the scores."
WEIGHTS_HINT = "softmax over the last axis, of the scores where the mask is True."
NOTHING_ALLOWED = (
    "A row whose mask is False everywhere gets zeros: its sum is 0, and 0 / 0 is nan. Divide by 1 "
    "there, np.where(total > 0, total, 1)."
)
EVEN = (
    "The row with nothing to attend to got weights, though its mask is False everywhere: multiply "
    "the weights by the mask."
)
OVERFLOW = "Scores of 1,000 overflow: subtract the largest score of the row before np.exp."
OF_ALLOWED = (
    "Only scores where the mask is True count in the maximum that you subtract: with a larger one "
    "all weights become 0."
)


def weights_inputs(rng: Any, *shape: int) -> Any:
    """Return scores and a mask with a True and, if the row is long enough, a False in each row."""
    scores, mask = rng.normal(0, 1.5, shape), rng.random(shape) < 0.6
    free = rng.integers(0, shape[-1], (*shape[:-1], 1))
    hidden = (free + 1) % shape[-1]
    np.put_along_axis(mask, hidden, False, axis=-1)
    np.put_along_axis(mask, free, True, axis=-1)
    return scores, mask


def weighed(scores: Array, mask: Array) -> Array:
    made = np.zeros(scores.shape)
    for at in np.ndindex(scores.shape[:-1]):
        row, may = scores[at], mask[at]
        if may.any():
            made[at][may] = softmax(row[may])
    return made


def weights_mistakes(scores: Array, mask: Array) -> list[Mistake]:
    right, lowest = weighed(scores, mask), np.where(mask, scores, -1e9)
    shifted = np.exp(lowest - lowest.max(axis=-1, keepdims=True)) * mask
    columns = shifted.sum(axis=0, keepdims=True)
    last_axis = "Sum over the last axis, axis=-1: the weights of a query sum to 1."
    empty = not mask.any(axis=-1).all()  # else these two are right
    even = [softmax(lowest), np.where(mask.any(-1, keepdims=True), right, softmax(scores))]
    with np.errstate(all="ignore"):
        return [
            *(Mistake(value, EVEN) for value in even if empty),
            Mistake(softmax(scores), "The mask has no influence."),
            Mistake(softmax(scores) * mask,
                    "Mask before the softmax: set to 0 after it, the weights do not sum to 1."),
            Mistake(weighed(scores, ~mask), "The mask is True where a query MAY attend."),
            Mistake(softmax(np.where(mask, scores, 0.0)),
                    "A masked score is -inf, not 0: exp(0) is 1."),
            Mistake(softmax(lowest, axis=0), last_axis),
            Mistake(shifted / np.where(columns > 0, columns, 1), last_axis),
            Mistake(softmax(lowest.ravel()).reshape(scores.shape), last_axis),
            Mistake(shifted / shifted.sum(), last_axis),
            Mistake(np.exp(scores) * mask, "Divide by the sum: the weights of a query sum to 1."),
            Mistake(shifted, "Divide by the sum: the weights of a query sum to 1."),
            Mistake(np.where(mask, scores, 0) / np.where(mask, scores, 0).sum(-1, keepdims=True),
                    "Take np.exp of the scores first."),
            Mistake(np.log(np.where(right > 0, right, 1)), "Return weights, not their logarithms."),
        ]  # fmt: skip


def large_scores(scores: Array, mask: Array, masked: float = 0.0) -> tuple[Array, Array]:
    """Return scores of size 1,000; masked: how much larger the masked ones are."""
    return 1000 + scores + np.where(mask, 0, masked), mask


def none_allowed(scores: Array, mask: Array) -> tuple[Array, Array]:
    """Return the same with nothing to attend to in the first row."""
    mask = mask.copy()
    mask[0] = False
    return scores, mask


@visible
def attention_weights(answer):
    rng = np.random.default_rng(3)
    args = weights_inputs(rng, 3, 5)
    with noted("scores and mask have one shape.", *SUM), np.errstate(all="ignore"):
        got = called(answer, args)
    mistakes = weights_mistakes(*args)
    arrays_near(got, weighed(*args), WEIGHTS, WEIGHTS_FORM, WEIGHTS_HINT, *mistakes)
    draws = [weights_inputs(rng, 3, 4) for _ in range(3)]
    agrees(answer, weighed, [large_scores(*draws[0])], WEIGHTS, OVERFLOW)
    agrees(answer, weighed, [large_scores(*draws[0], masked=2000.0)], WEIGHTS, OF_ALLOWED)
    agrees(answer, weighed, [(draws[1][0] - 2000, draws[1][1])], WEIGHTS, OF_ALLOWED)
    empty = none_allowed(*draws[2])
    with np.errstate(all="ignore"):
        got = called(answer, empty)
    mistakes = weights_mistakes(*empty)
    arrays_near(got, weighed(*empty), WEIGHTS, NOTHING_ALLOWED, NOTHING_ALLOWED, *mistakes)
    more = "Any number of axes: work on the last one, axis=-1, with keepdims=True."
    agrees(answer, weighed, [weights_inputs(rng, 2, 3, 4), weights_inputs(rng, 4)], WEIGHTS, more)
    sizes = ((1, 5), (4, 4), (5, 2), (3, 1))
    agrees(answer, weighed, (weights_inputs(rng, *size) for size in sizes), WEIGHTS, ALL_AXES)


# --- context_vector

CONTEXT, CONTEXT_FORM = "the context", "It is (B, C): one vector for each row."
CONTEXT_HINT = "Multiply each value by its weight and sum over S."


def context_inputs(rng: Any, B: int, S: int, C: int) -> Any:
    """Return weights (B, S), which do not sum to 1, and values (B, S, C)."""
    return rng.random((B, S)), rng.normal(size=(B, S, C))


def context(weights: Array, values: Array) -> Array:
    return np.einsum("bs,bsc->bc", weights, values)


def context_mistakes(weights: Array, values: Array) -> list[Mistake]:
    right, rows = context(weights, values), np.arange(len(weights))
    return [
        Mistake(values.mean(axis=1), "The weights have no influence."),
        Mistake(values.sum(axis=1), "The weights have no influence."),
        Mistake(right / weights.shape[1], "Take the sum, not the mean."),
        Mistake(right / weights.sum(axis=1, keepdims=True),
                "The weights are used as they are: do not divide by their sum."),
        Mistake(values[rows, weights.argmax(axis=1)],
                "Take a weighted sum of all values, not the value of the largest weight."),
        Mistake(np.einsum("bs,dsc->bc", weights, values[:1]),
                "Row b of the weights belongs to row b of the values."),
    ]  # fmt: skip


@visible
def context_vector(answer):
    args = context_inputs(np.random.default_rng(4), 3, 5, 4)
    axes = "The weights need a last axis of length 1: weights[:, :, None] * values."
    with noted(axes, *FIT):
        got = called(answer, args)
    mistakes = context_mistakes(*args)
    arrays_near(got, context(*args), CONTEXT, CONTEXT_FORM, CONTEXT_HINT, *mistakes)
    rng = np.random.default_rng(9)
    small = (context_inputs(rng, *size) for size in ((1, 5, 3), (3, 1, 2), (3, 4, 1)))
    agrees(answer, context, small, CONTEXT, ALL_AXES)
    sizes = ((3, 3, 3), (2, 4, 4), (4, 4, 2), (1, 1, 1))
    agrees(answer, context, (context_inputs(rng, *size) for size in sizes), CONTEXT)
