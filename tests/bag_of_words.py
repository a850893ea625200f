"""A naive Bayes classifier over words: how far a task can be told without order or knowledge."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

from llmcourse.text.corpora import words

Labelled = Sequence[tuple[str, Hashable]]


def accuracy(train: Labelled, test: Labelled) -> float:
    """The share of `test` labels that naive Bayes (add one half) learns from `train`."""
    counts: dict[Hashable, Counter[str]] = defaultdict(Counter)
    sizes = Counter(label for _, label in train)
    for text, label in train:
        counts[label].update(set(words(text)))

    def score(text: str, label: Hashable) -> float:
        seen = (math.log((counts[label][w] + 0.5) / (sizes[label] + 1)) for w in set(words(text)))
        return math.log(sizes[label]) + sum(seen)

    right = sum(max(sizes, key=lambda y: score(text, y)) == label for text, label in test)
    return right / len(test)
