"""Texts for unit 02, and what its formulas give: counted from the flat text, without tables.

The formulas of the two smoothings also make the known mistakes, by the name of a slip.

unit: 02_ngrams
"""

import functools
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

WORDS = ["é", "naïve", "日本", "a", "the", "The", "", 7, "x y"]
Text = list[Any]
Gram = tuple[Any, ...]


def drawn(rng: random.Random, length: int, kinds: int, words: Sequence[Any]) -> Text:
    """Return a text of few different tokens, so that n-grams repeat; the last occurs only once."""
    chosen = rng.sample(words, kinds)
    return [*rng.choices(chosen, weights=range(1, kinds + 1), k=length - 1), "end"]


def text(seed: int, length: int, kinds: int = 4) -> Text:
    return drawn(random.Random(seed), length, kinds, WORDS)


def grams(tokens: Sequence[Any], n: int) -> list[Gram]:
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def table_of(tokens: Sequence[Any], n: int) -> dict[Gram, dict[Any, int]]:
    """Return table[history][token] of a text."""
    table: dict[Gram, dict[Any, int]] = {}
    for gram, count in Counter(grams(tokens, n)).items():
        table.setdefault(gram[:-1], {})[gram[-1]] = count
    return table


def tables_of(tokens: Sequence[Any], order: int) -> list[dict[Gram, dict[Any, int]]]:
    return [table_of(tokens, n) for n in range(1, order + 1)]


def unseen(train: Sequence[Any], test: Sequence[Any], n: int) -> float:
    return fraction(grams(test, n), grams(train, n))


def fraction(found: Sequence[Gram], known: Sequence[Gram]) -> float:
    """Return which fraction of some n-grams is not among the known ones."""
    seen = set(known)
    return sum(gram not in seen for gram in found) / len(found)


def after(tokens: Sequence[Any], history: Gram) -> Gram:
    """Return the token after each occurrence of a history."""
    return _after(tuple(tokens), history, False)


def continuations(tokens: Sequence[Any], history: Gram) -> Gram:
    """Return the tokens after a history, once for each different token before the history."""
    return _after(tuple(tokens), history, True)


@functools.lru_cache(maxsize=2_000)
def _after(tokens: Gram, history: Gram, different: bool) -> Gram:
    if different:
        return tuple(g[-1] for g in set(grams(tokens, len(history) + 2)) if g[1:-1] == history)
    return tuple(g[-1] for g in grams(tokens, len(history) + 1) if g[:-1] == history)


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


def cut(history: Gram, order: int) -> Gram:
    return history[max(0, len(history) - order + 1) :]


def mixed(
    tokens: Sequence[Any], order: int, history: Gram, token: Any, weight: float, size: int,
    slip: str = "",
) -> float:  # fmt: skip
    """Return Jelinek-Mercer with one weight; slip: "sum", "swapped", "no uniform" or "unseen"."""
    history = cut(history, order)
    if history:
        lower = mixed(tokens, order, history[1:], token, weight, size, slip)
    else:
        lower = 0.0 if slip == "no uniform" else 1 / size
    ends = after(tokens, history)
    if not ends:
        return (1 - weight) * lower if slip == "unseen" else lower
    weights = {"swapped": (1 - weight, weight), "sum": (weight, 1.0)}
    own, rest = weights.get(slip, (weight, 1 - weight))
    return own * (ends.count(token) / len(ends)) + rest * lower


def kneser_ney(
    tokens: Sequence[Any], order: int, history: Gram, token: Any, size: int, discount: float,
    slip: str = "",
) -> float:  # fmt: skip
    """Return interpolated Kneser-Ney, with continuation counts below the longest history.

    slip: "raw", "top", "no uniform", "silent", "lost", "one discount", "unweighted" or "negative".
    """
    history = cut(history, order)
    if history:
        lower = kneser_ney(tokens, order, history[1:], token, size, discount, slip)
    else:
        lower = 0.0 if slip == "no uniform" else 1 / size
    longest = len(history) == order - 1
    ends = (after if slip == "raw" or longest else continuations)(tokens, history)
    if slip == "top" and longest:
        ends = tuple(set(ends))
    if not ends:
        return 0.0 if slip == "silent" else lower
    own = ends.count(token) - discount
    kept = own if slip == "negative" else max(own, 0)
    wrong = {"lost": 0.0, "one discount": discount, "unweighted": len(ends)}
    passed_on = wrong.get(slip, discount * len(set(ends)))
    return (kept + passed_on * lower) / len(ends)


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
