"""Right variants and impostors of `attention`, on which the learner's `test_attention` is graded.

Each takes (queries (T, d), keys (S, d), values (S, D), mask (T, S)) and returns (T, D); the mask is
True where a query may attend, and every query may attend to some key. The learner's function gets
one of them and says whether it is right. An impostor that raises an error counts as caught.

unit: 07_attention
"""

import math
from typing import Any

import numpy as np

from llmcourse.checks.u07_impostors import Array, attend, scaled, softmax, unscaled


def in_loops(queries: Array, keys: Array, values: Array, mask: Array) -> Array:
    """Compute one number after the other, in Python's floats."""
    rows = []
    for query, may in zip(queries, mask, strict=True):
        seen = [s for s in range(len(keys)) if may[s]]
        scores = {s: float(query @ keys[s]) / math.sqrt(len(query)) for s in seen}
        top = max(scores.values())
        e = {s: math.exp(score - top) for s, score in scores.items()}
        rows.append(sum(e[s] * values[s] for s in seen) / sum(e.values()))
    return np.array(rows)


def in_float32(queries: Array, keys: Array, values: Array, mask: Array) -> Array:
    """Compute in single precision, with scaled queries and an additive mask."""
    q = (queries / np.sqrt(queries.shape[1])).astype(np.float32)
    bias = np.where(mask, 0, -np.inf).astype(np.float32)
    weights = softmax(q @ keys.astype(np.float32).T + bias)
    return weights @ values.astype(np.float32)


def wrong_axis(queries: Array, keys: Array, values: Array, mask: Array) -> Array:
    """Normalise over the queries."""
    scores = np.where(mask, scaled(queries, keys), -1e9)
    return softmax(scores, axis=0) @ values


def mask_negated(queries: Array, keys: Array, values: Array, mask: Array) -> Array:
    """Add -inf where a query may attend: wrong sign; all keys where nothing is left."""
    scores = np.where(mask, -1e9, 0.0) + scaled(queries, keys)
    return softmax(scores) @ values


def mask_after_softmax(queries: Array, keys: Array, values: Array, mask: Array) -> Array:
    """Set weights to 0 after the softmax, so that they no longer sum to 1."""
    return (softmax(scaled(queries, keys)) * mask) @ values


def swapped(queries: Array, keys: Array, values: Array, mask: Array) -> Array:
    """Exchange queries and keys."""
    return softmax(np.where(mask, scaled(keys, queries), -np.inf)) @ values


def values_of_queries(queries: Array, keys: Array, values: Array, mask: Array) -> Array:
    """Average the queries in place of the values."""
    return softmax(np.where(mask, scaled(queries, keys), -np.inf)) @ queries


RIGHT: tuple[Any, ...] = (attend, in_loops, in_float32)
# What each impostor does (shown once it is caught), what to try (shown while it is not), itself.
IMPOSTORS: tuple[tuple[str, str, Any], ...] = (
    ("the softmax runs over the queries", "Look at whether the weights of one query sum to 1: "
     "values that are all 1 must give 1.", wrong_axis),
    ("the scores are not divided by sqrt(d)", "Compare numbers with the formula for d larger "
     "than 1.", unscaled),
    ("the mask has the wrong sign", "Use a mask that hides some keys, and change a hidden value.",
     mask_negated),
    ("the mask is applied after the softmax", "Use a mask that hides some keys, and values that "
     "are all 1.", mask_after_softmax),
    ("queries and keys are exchanged", "Use as many queries as keys, and queries that differ from "
     "the keys.", swapped),
    ("the queries are averaged in place of the values", "Use as many queries as keys, and values "
     "that differ from the queries.", values_of_queries),
)  # fmt: skip
