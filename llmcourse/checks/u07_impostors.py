"""Attention as one function of matrices, two impostors of it, and the visible check of its test.

Each takes queries (T, d), keys (S, d), values (S, D) and a mask (T, S), True where a query may
attend to a key, and returns (T, D). The other impostors are in the grader.

unit: 07_attention
"""

import math

import numpy as np

from llmcourse.checks import Bounds, Implementation, tells_apart, visible

Array = np.ndarray
WHAT = "an attention"
BOUNDS = Bounds(calls=50, numbers=2_000, results=20_000)


def softmax(scores: Array, axis: int = -1) -> Array:
    """Return the softmax along an axis; -inf becomes 0."""
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def scaled(queries: Array, keys: Array) -> Array:
    """Return the scores q k / sqrt(d), (T, S), as sums over an index."""
    return np.einsum("td,sd->ts", queries, keys) / math.sqrt(queries.shape[1])


def attend(queries: Array, keys: Array, values: Array, mask: Array) -> Array:
    """Return softmax(Q K^T / sqrt(d)) V, with weight 0 where the mask is False."""
    weights = softmax(np.where(mask, scaled(queries, keys), -np.inf))
    return np.einsum("ts,sv->tv", weights, values)


def unscaled(queries: Array, keys: Array, values: Array, mask: Array) -> Array:
    """Forget to divide the scores by sqrt(d)."""
    scores = scaled(queries, keys) * math.sqrt(queries.shape[1])
    return softmax(np.where(mask, scores, -np.inf)) @ values


def mask_ignored(queries: Array, keys: Array, values: Array, mask: Array) -> Array:
    """Attend to every key, also where the mask is False."""
    return softmax(scaled(queries, keys)) @ values


RIGHT = Implementation(
    "follows the formula",
    attend,
    "Compare with a tolerance; let each query attend to some key.",
)
SHOWN = (
    Implementation(
        "does not divide the scores by sqrt(d)",
        unscaled,
        "Compare numbers with the formula, for d larger than 1.",
    ),
    Implementation(
        "ignores the mask", mask_ignored, "Hide some keys by the mask, and look at the numbers."
    ),
)


@visible
def test_attention(answer):
    tells_apart(answer, WHAT, RIGHT, SHOWN, BOUNDS)
