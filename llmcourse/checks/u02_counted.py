"""Texts for unit 02, and what its formulas give: counted from the flat text, without tables.

unit: 02_ngrams
"""

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

WORDS = ["é", "naïve", "日本", "a", "the", "The", "", 7, "x y"]
Text = list[Any]
Gram = tuple[Any, ...]


def text(seed: int, length: int, kinds: int = 4) -> Text:
    """Return a text of few different tokens, so that n-grams repeat; the last occurs only once."""
    rng = random.Random(seed)
    chosen = rng.sample(WORDS, kinds)
    return [*rng.choices(chosen, weights=range(1, kinds + 1), k=length - 1), "end"]


def grams(tokens: Sequence[Any], n: int) -> list[Gram]:
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def table_of(tokens: Sequence[Any], n: int) -> dict[Gram, dict[Any, int]]:
    """Return table[history][token] of a text."""
    table: dict[Gram, dict[Any, int]] = {}
    for gram, count in Counter(grams(tokens, n)).items():
        table.setdefault(gram[:-1], {})[gram[-1]] = count
    return table


def unseen(train: Sequence[Any], test: Sequence[Any], n: int) -> float:
    known = set(grams(train, n))
    return sum(gram not in known for gram in grams(test, n)) / (len(test) - n + 1)


def after(tokens: Text, history: Gram) -> Text:
    """Return the token after each occurrence of a history."""
    return [gram[-1] for gram in grams(tokens, len(history) + 1) if gram[:-1] == history]


def bits(train: Text, tokens: Text, n: int) -> float:
    """Return the mean of -log2 of the relative frequencies in `train`; inf where one is 0."""
    total = 0.0
    for gram in grams(tokens, n):
        ends = after(train, gram[:-1])
        if gram[-1] not in ends:
            return math.inf
        total -= math.log2(ends.count(gram[-1]) / len(ends))
    return total / (len(tokens) - n + 1)


def counted(train: Text, dev: Text, n: int) -> list[tuple[int, int]]:
    """Return how often each token of `dev`, and anything, followed its history in `train`."""
    table = table_of(train, n)
    rows = [(table.get(gram[:-1], {}), gram[-1]) for gram in grams(dev, n)]
    return [(row.get(token, 0), sum(row.values())) for row, token in rows]


def smoothed(counts: Sequence[tuple[int, int]], k: float, size: int) -> list[float]:
    return [(count + k) / (total + k * size) for count, total in counts]


def best_k(train: Text, dev: Text, n: int, ks: Sequence[float], size: int) -> float:
    counts = counted(train, dev, n)
    return max(ks, key=lambda k: sum(map(math.log, smoothed(counts, k, size))))


def continuations(tokens: Text, history: Gram) -> Text:
    """Return the tokens after a history, once for each different token before the history."""
    return [gram[-1] for gram in set(grams(tokens, len(history) + 2)) if gram[1:-1] == history]


def mixed(tokens: Text, order: int, history: Gram, token: Any, weight: float, size: int) -> float:
    """Return Jelinek-Mercer with one weight."""
    history = history[max(0, len(history) - order + 1) :]
    shorter = mixed(tokens, order, history[1:], token, weight, size) if history else 1 / size
    ends = after(tokens, history)
    if not ends:
        return shorter
    return weight * ends.count(token) / len(ends) + (1 - weight) * shorter


def kneser_ney(
    tokens: Text, order: int, history: Gram, token: Any, size: int, discount: float
) -> float:
    """Interpolate, with continuation counts below the longest history."""
    history = history[max(0, len(history) - order + 1) :]
    shorter = kneser_ney(tokens, order, history[1:], token, size, discount) if history else 1 / size
    ends = (after if len(history) == order - 1 else continuations)(tokens, history)
    if not ends:
        return shorter
    kept = max(ends.count(token) - discount, 0)
    return (kept + discount * len(set(ends)) * shorter) / len(ends)


def queries(tokens: Text, order: int) -> Iterator[tuple[Gram, Any]]:
    """Yield histories of all lengths up to one more than the order knows, seen and unseen, each
    with a token that follows it or does not."""
    for length in range(order + 1):
        for start in (0, 7, len(tokens) - length - 1):
            history = tuple(tokens[start : start + length])
            yield history, tokens[start + length]
            yield history, "new"
            yield history[:-1] + ("new",) * min(1, length), tokens[3]
            yield ("new",) * min(1, length) + history[1:], tokens[start + length]
