"""The formulas of unit 04, pair by pair and word by word, and vectors to try them on.

unit: 04_word2vec
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Pairs = Sequence[tuple[int, int]]


def vectors(seed: int, rows: int, width: int, size: float = 1.0) -> np.ndarray:
    """Return random rows whose lengths differ by up to a factor of ten."""
    rng = np.random.default_rng(seed)
    return size * rng.normal(size=(rows, width)) * 10 ** rng.uniform(-0.5, 0.5, (rows, 1))


def some_pairs(seed: int, words: int, number: int) -> list[tuple[int, int]]:
    rng = np.random.default_rng(seed)
    return [(int(w), int(c)) for w, c in rng.integers(words, size=(number, 2))]


def neighbours(tokens: Sequence[Any], window: int) -> list[tuple[Any, Any]]:
    places = range(len(tokens))
    return [(tokens[i], tokens[j]) for i in places for j in places if 0 < abs(i - j) <= window]


def context_rows(ids: Sequence[int], window: int) -> list[list[int]]:
    steps = [*range(-window, 0), *range(1, window + 1)]
    return [
        [ids[i + step] if 0 <= i + step < len(ids) else -1 for step in steps]
        for i in range(len(ids))
    ]


def softmax_losses(centre: np.ndarray, context: np.ndarray, pairs: Pairs) -> np.ndarray:
    scores = np.array([context @ centre[w] for w, _ in pairs], dtype=float)
    true = scores[np.arange(len(pairs)), [c for _, c in pairs]]
    return np.logaddexp.reduce(scores, axis=1) - true


def sampling_losses(
    centre: np.ndarray, context: np.ndarray, pairs: Pairs, negatives: Any
) -> tuple[np.ndarray, list[list[float]]]:
    """Return the terms of the true pairs, and for each pair those of its noise words."""
    true = [np.logaddexp(0, -(centre[w] @ context[c])) for w, c in pairs]
    false = [
        [float(np.logaddexp(0, centre[w] @ context[n])) for n in drawn]
        for (w, _), drawn in zip(pairs, negatives, strict=True)
    ]
    return np.array(true), false


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other) / math.sqrt(float(one @ one) * float(other @ other))


def ranked(rows: np.ndarray, index: int) -> list[int]:
    others = [i for i in range(len(rows)) if i != index]
    return sorted(others, key=lambda i: -cosine(rows[i], rows[index]))


def answer_of(
    rows: np.ndarray, a: int, b: int, c: int, excluded: Any = None, scaled: bool = True
) -> int:
    """Answer by 3CosAdd; other rows `excluded`, or rows not `scaled`, are mistakes."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    parts = unit if scaled else rows
    aim = parts[b] - parts[a] + parts[c]
    left_out = (a, b, c) if excluded is None else excluded
    return max(
        (i for i in range(len(rows)) if i not in left_out), key=lambda i: float(unit[i] @ aim)
    )


def associations(rows: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    rows, a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (rows, a, b))
    return (rows @ a.T).mean(1) - (rows @ b.T).mean(1)


def effect(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    of_x, of_y = (associations(rows, a, b) for rows in (x, y))
    return float((of_x.mean() - of_y.mean()) / np.concatenate([of_x, of_y]).std(ddof=1))
