"""Words and their neighbours: pairs, padded contexts, and how often each pair occurs in a text.

The functions for lists (`one_hot`, `skipgram_pairs`, `cbow_batch`) are the definitions. `encode`
turns documents into a `Text` of ids, from which `pair_counts` and `cbow_contexts` take what
`llmcourse.models.embeddings` learns from; no window crosses the border of a document.

Left out: sentences (a document is one sequence), and learning.

source: Mikolov et al. 2013, arXiv:1301.3781 and arXiv:1310.4546.
unit: 04_word2vec
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from llmcourse.arguments import ids_of, no_string

LARGEST = 12_000  # words: a table of pairs then takes 1.2 GB while it is made


def one_hot(ids: Sequence[int], vocab_size: int) -> np.ndarray:
    """Return the one-hot row of each id, float64 (..., V): zeros, and a 1 at the id.

    Raises ValueError for an id outside 0 .. V - 1.
    """
    return np.eye(vocab_size)[ids_of(ids, vocab_size)]


def skipgram_pairs(tokens: Sequence[Hashable], window: int) -> list[tuple[Hashable, Hashable]]:
    """Return (centre, context) for any two positions at most `window` apart, in text order.

    >>> skipgram_pairs("abc", 1)
    [('a', 'b'), ('b', 'a'), ('b', 'c'), ('c', 'b')]
    """
    _check_window(window)
    offsets = [*range(-window, 0), *range(1, window + 1)]
    positions = [(i, i + offset) for i in range(len(tokens)) for offset in offsets]
    return [(tokens[i], tokens[j]) for i, j in positions if 0 <= j < len(tokens)]


def cbow_batch(ids: Sequence[int], window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return contexts (T, 2 window), padded with -1 beyond the ends of the text, and centres (T,).

    Raises ValueError for a negative id, which would look like padding.
    """
    _check_window(window)
    centres = ids_of(ids)
    padded = np.pad(centres, window, constant_values=-1)
    around = np.array([*range(window), *range(window + 1, 2 * window + 1)])
    return padded[np.arange(len(ids))[:, None] + around], centres


def _check_window(window: int) -> None:
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}: a word needs neighbours")


@dataclass(frozen=True)
class Text:
    """The ids of all documents in one row, without rare words, as in word2vec.

    words: the vocabulary, most frequent first; counts: how often each occurs; document: for each
    of `ids`, the index of the document it belongs to.
    """

    words: tuple[str, ...]
    counts: np.ndarray
    ids: np.ndarray
    document: np.ndarray


def encode(documents: Iterable[Sequence[str]], min_count: int = 5) -> Text:
    """Return the documents as a Text of the words that occur `min_count` times or more.

    Words of equal count are in alphabetical order. Raises ValueError where no word occurs often
    enough, and TypeError for a document that is one string: its characters would be its words.
    """
    no_string(documents, "a list of documents", "cut it into words first, [text.split()]")
    documents = list(documents)
    for document in documents:
        no_string(document, "documents that are lists of words", "cut it into words, text.split()")
    seen = Counter(chain.from_iterable(documents))
    words = sorted((w for w in seen if seen[w] >= min_count), key=lambda w: (-seen[w], w))
    if not words:
        raise ValueError(
            f"expected a word that occurs {min_count} times, got none: take more text or a lower "
            "min_count"
        )
    index = {word: i for i, word in enumerate(words)}
    ids = np.fromiter(map(lambda w: index.get(w, -1), chain.from_iterable(documents)), np.int64)
    document = np.repeat(np.arange(len(documents)), [len(tokens) for tokens in documents])
    counts = np.array([seen[word] for word in words], dtype=np.float64)
    return Text(tuple(words), counts, ids[ids >= 0], document[ids >= 0])


def pair_counts(text: Text, window: int = 5) -> np.ndarray:
    """Return how often word j is within `window` words of word i in a document, (V, V), symmetric.

    A neighbour at distance i counts (window - i + 1) / window. That is how often word2vec uses it
    on average, since it draws the window of each word uniformly from 1 to `window`. Raises
    ValueError above LARGEST words.
    """
    _check_window(window)
    size = len(text.words)
    if size > LARGEST:
        raise ValueError(
            f"expected at most {LARGEST:,} words, got {size:,}: encode with a larger min_count"
        )
    counts = np.zeros(size * size)
    for distance in range(1, window + 1):
        together = text.document[distance:] == text.document[:-distance]
        pairs = text.ids[:-distance][together] * size + text.ids[distance:][together]
        np.add.at(counts, pairs, (window - distance + 1) / window)
    counts = counts.reshape(size, size)
    return counts + counts.T


def noise_probs(counts: np.ndarray, power: float = 0.75) -> np.ndarray:
    """Return the distribution that noise words are drawn from: counts ** power, summing to 1.

    Raises ValueError where no count is above 0.
    """
    counts = np.asarray(counts, dtype=np.float64)
    if not (counts > 0).any():
        raise ValueError(f"expected a count above 0, got {len(counts)} of 0: take more text")
    raised = counts**power
    return raised / raised.sum()


def keep_probs(counts: np.ndarray, subsample: float) -> np.ndarray:
    """Return the probability that subsampling keeps each word, min(1, sqrt(t / f) + t / f), (V,).

    t: `subsample`, where 0 keeps all; f: the word's relative frequency. 1 for a word of count 0.
    source: word2vec's code; arXiv:1310.4546, equation 5, drops a word with 1 - sqrt(t / f).
    """
    if not subsample:
        return np.ones(len(counts))
    counts = np.asarray(counts, dtype=np.float64)
    never = np.full(counts.shape, np.inf)
    ratio = np.divide(subsample * counts.sum(), counts, out=never, where=counts > 0)
    return np.minimum(1, np.sqrt(ratio) + ratio)


def cbow_contexts(text: Text, positions: np.ndarray, reach: np.ndarray) -> Int[Tensor, "B S"]:
    """Return the ids of the words around each position, S = 2 W for the largest reach W.

    reach: the window of each position. A neighbour beyond it, or in another document, is replaced
    by V, one past the vocabulary.
    """
    distances = np.arange(1, reach.max(initial=0) + 1)
    distances = np.concatenate([-distances[::-1], distances])
    around = positions[:, None] + distances
    inside = (around >= 0) & (around < len(text.ids)) & (np.abs(distances) <= reach[:, None])
    around = np.where(inside, around, 0)
    inside &= text.document[around] == text.document[positions][:, None]
    return torch.from_numpy(np.where(inside, text.ids[around], len(text.words)))
