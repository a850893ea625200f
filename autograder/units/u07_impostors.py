"""Right variants and impostors of `attention`, on which the learner's `test_attention` is graded.

Their arguments are queries (T, d), keys (S, d), values (S, D) and a mask (T, S), True if a query
may attend to a key; they return (T, D). A query with nothing to attend to is outside of the contract.

unit: 07_attention
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.units.impostors import impostor_exercise
from llmcourse.checks import Implementation
from llmcourse.checks.u07_impostors import BOUNDS, RIGHT, WHAT, scaled, softmax
from llmcourse.checks.u07_scores import weighed

Array = Any  # of numpy


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


def first_keys(queries: Array, keys: Array, values: Array, mask: Array) -> Array:
    """Look at as many keys as there are queries: right unless there are more."""
    n = len(queries)
    scores = np.where(mask[:, :n], scaled(queries, keys[:n]), -1e9)
    return softmax(scores) @ values[:n]


def values_of_queries(queries: Array, keys: Array, values: Array, mask: Array) -> Array:
    """Average the queries in place of the values."""
    return softmax(np.where(mask, scaled(queries, keys), -np.inf)) @ queries


SIX = (
    Implementation(
        "takes the softmax over the queries",
        wrong_axis,
        "The weights of one query sum to 1: with values that are all 1 every output is 1.",
    ),
    Implementation(
        "looks at the first T keys only",
        first_keys,
        "Try more keys than queries, and let a query attend to the last key.",
    ),
    Implementation(
        "adds the mask with the wrong sign",
        mask_negated,
        "Hide some keys by the mask. Their values must have no influence.",
    ),
    Implementation(
        "masks after the softmax",
        mask_after_softmax,
        "Hide some keys by the mask. With values that are all 1 every output is still 1.",
    ),
    Implementation(
        "exchanges queries and keys",
        swapped,
        "Let the queries differ from the keys.",
    ),
    Implementation(
        "averages the queries in place of the values",
        values_of_queries,
        "Let the values differ from the queries.",
    ),
)
CLOSE = "Allow differences of 1e-4, and give each query a key to attend to."
VARIANTS = (
    RIGHT,
    Implementation("computes one number after the other", in_loops, CLOSE),
    Implementation("computes in float32", in_float32, CLOSE),
)


def correct_weights(scores: Array, mask: Array) -> Array:
    """Answer the calls of the learner's `attention_weights`."""
    return weighed(np.asarray(scores, float), np.asarray(mask, bool))


test_attention = replace(
    impostor_exercise("test_attention", WHAT, VARIANTS, SIX, BOUNDS),
    given={"attention_weights": correct_weights},
)
