"""Batches of whole documents: the loader that does not cut.

The floor of `entropy_rate` belongs to models that see a document from its start. Windows of fixed
length cut documents, and after a cut even the exact model must guess anew who and where it is in
(`context_cost` measures what that costs). Here each row is one document from its first token to
END, so that a model's loss may be compared with the floor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from jaxtyping import Int

from llmcourse.world.grammar import END
from llmcourse.world.splits import check_size
from llmcourse.world.story import Story, vocabulary

IGNORED = -100  # target of a position behind the end, as torch's cross_entropy expects it
_SORTED = 32  # batches whose documents are put in order of length together, to save padding


def whole_batches(
    documents: Iterable[Story], batch_size: int
) -> Iterator[tuple[Int[np.ndarray, "B T"], Int[np.ndarray, "B T"]]]:
    """Streams (ids, targets) of `batch_size` documents (the last batch may have fewer).

    Ids are places in `vocabulary()`. A row of ids begins with END, which stands for the start; its
    target is the first token, and the last target is END. T is the longest document of the batch;
    behind the end of a shorter one ids are END and targets IGNORED. The mean loss over all other
    targets is comparable with `entropy_rate(documents).bits_per_token`. Documents of like length
    share a batch. Raises ValueError for a batch size below 1.
    """
    check_size(batch_size, "batch_size")
    return _stream(documents, batch_size)


def _stream(
    documents: Iterable[Story], batch_size: int
) -> Iterator[tuple[Int[np.ndarray, "B T"], Int[np.ndarray, "B T"]]]:
    place = {token: i for i, token in enumerate(vocabulary())}
    rows = ([place[token] for token in document.tokens] for document in documents)
    while near := sorted(islice(rows, batch_size * _SORTED), key=len):
        for start in range(0, len(near), batch_size):
            yield _padded(near[start : start + batch_size], place[END])


def _padded(
    rows: Sequence[list[int]], end: int
) -> tuple[Int[np.ndarray, "B T"], Int[np.ndarray, "B T"]]:
    longest = max(map(len, rows))
    ids = np.full((len(rows), longest), end)
    targets = np.full((len(rows), longest), IGNORED)
    for i, row in enumerate(rows):
        ids[i, 1 : len(row)] = row[:-1]
        targets[i, : len(row)] = row
    return ids, targets
