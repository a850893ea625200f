"""Attention as one function of matrices: the formula, and the two impostors that learners are told.

`attend` takes queries (T, d), keys (S, d), values (S, D) and a mask (T, S), True where a query may
attend to a key, and returns (T, D). The other impostors are in the grader.

unit: 07_attention
"""

import math
from typing import Any

import numpy as np

Array = np.ndarray


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


SHOWN: tuple[tuple[str, Any], ...] = (  # what each impostor does, for the visible check
    ("the scores are not divided by sqrt(d)", unscaled),
    ("the mask is ignored", mask_ignored),
)
