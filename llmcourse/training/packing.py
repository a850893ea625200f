"""Documents to rows of equal length, and rows to an endless stream of batches that can be resumed.

Every token of every document is a target exactly once in an epoch: nothing is cut off and thrown
away, and only the padding at the very end does not count (its targets are IGNORED).

    documents   [5 6 7] [8]          end = 0, T = 4
    stream      0 5 6 7 0 8 0
    ids         0 5 6 7 | 0 8 0 0    the last one is padding
    targets     5 6 7 0 | 8 0 -  -   one token ahead; -: IGNORED

Documents follow each other in a row and see each other: attention does not stop at `end`. That a
document is cut at the end of a row costs loss, as what was before is forgotten; `BatchStream` cuts
elsewhere in every epoch.

unit: 10_pretraining
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from llmcourse.arguments import ids_of

IGNORED = -100  # target of a position that does not count, as torch's cross_entropy expects it

Batch = tuple[Int[Tensor, "B T"], Int[Tensor, "B T"]]  # ids, targets


def join_documents(documents: Iterable[Sequence[int]], end: int) -> Int[Tensor, "N"]:
    """Return one stream of ids: `end`, a document, `end`, the next one, ..., `end`."""
    stream = [end]
    for document in documents:
        stream += [*document, end]
    return torch.from_numpy(ids_of(stream, row=True))


def windows(stream: Int[Tensor, "N"], T: int) -> Batch:
    """Return ids and targets (rows, T): consecutive windows, so that each id but the first is a
    target once.

    The last row is padded, with ids 0 and targets IGNORED. Raises ValueError for T below 1.
    """
    if T < 1:
        raise ValueError(f"expected rows of at least 1 token, got T = {T}: give a longer one")
    ids, targets = stream[:-1], stream[1:]
    missing = -len(targets) % T
    ids = torch.cat([ids, ids.new_zeros(missing)])
    targets = torch.cat([targets, targets.new_full((missing,), IGNORED)])
    return ids.view(-1, T), targets.view(-1, T)


def pack_documents(documents: Iterable[Sequence[int]], T: int, end: int) -> Batch:
    """Return the ids and targets (rows, T) of documents that follow each other, `end` after each.

    The first token of the first document is predicted from `end`. The last row is filled up with
    `end`, whose targets are IGNORED. Without documents there are no rows.
    """
    ids, targets = windows(join_documents(documents, end), T)
    return ids.masked_fill(targets == IGNORED, end), targets


def get_batch(
    ids: Int[Tensor, "N T"],
    targets: Int[Tensor, "N T"],
    step: int,
    batch_size: int,
    order: Callable[[int], Any],
) -> Batch:
    """Return ids and targets of a step, from 0, on an endless walk through the rows.

    order: of the N rows in an epoch, by its number from 0. A batch goes on where the one before it
    ended, across the end of an epoch, so no row is left out.
    """
    N, first = len(ids), step * batch_size
    rows = [int(order(k // N)[k % N]) for k in range(first, first + batch_size)]
    return ids[rows], targets[rows]


class BatchStream:
    """An endless iterator over batches (ids, targets), (B, T) each, of a stream of ids.

    The ids form a ring: the last one is followed by the first. In every epoch the ring is cut into
    windows of T at another place, and they come in a new random order. The last window is shorter:
    its other targets are IGNORED. So each id is a target exactly once an epoch.

    index, of: where several processes share the work, each has a stream with the same seed and
    takes every `of`-th row of a batch, from row `index` on. A process may so get no row at all.

    `state_dict` is all that a resumed run needs: numbers and tensors. Raises ValueError for fewer
    than 2 ids, and for sizes below 1.
    """

    def __init__(
        self,
        stream: Int[Tensor, "N"],
        T: int,
        batch_size: int,
        seed: int = 0,
        index: int = 0,
        of: int = 1,
    ) -> None:
        if len(stream) < 2 or T < 1 or batch_size < 1:
            raise ValueError(
                f"expected 2 or more ids in windows and batches of at least 1, got {len(stream)} "
                f"ids, T = {T} and batch_size = {batch_size}: give more"
            )
        self.stream, self.T, self.batch_size = stream, T, batch_size
        self.index, self.of = index, of
        self._random = torch.Generator().manual_seed(seed)
        self._shift, self._order = self._new_epoch()
        self._position = 0  # rows of this epoch that are done

    def _new_epoch(self) -> tuple[int, Int[Tensor, "rows"]]:
        """Draw where the first window begins and the order of the windows."""
        rows = -(-len(self.stream) // self.T)
        shift = int(torch.randint(self.T, (), generator=self._random))
        return shift, torch.randperm(rows, generator=self._random)

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        """Return the next batch; it may end one epoch and begin the next."""
        parts, missing = [], self.batch_size
        while missing:
            if self._position == len(self._order):
                self._shift, self._order = self._new_epoch()
                self._position = 0
            rows = self._order[self._position : self._position + missing]
            parts.append((rows, torch.full_like(rows, self._shift)))
            missing -= len(rows)
            self._position += len(rows)
        rows, shifts = (torch.cat(part)[self.index :: self.of] for part in zip(*parts, strict=True))
        return self._cut(rows, shifts)

    def _cut(self, rows: Int[Tensor, "B"], shifts: Int[Tensor, "B"]) -> Batch:
        N = len(self.stream)
        offsets = rows[:, None] * self.T + torch.arange(self.T)  # from the first window, (B, T)
        places = shifts[:, None] + offsets
        ids, targets = self.stream[places % N], self.stream[(places + 1) % N]
        return ids, targets.masked_fill(offsets >= N, IGNORED)

    def state_dict(self) -> dict[str, Any]:
        """Return where the stream is: shift and order of the epoch, position, random state."""
        return {
            "shift": self._shift,
            "order": self._order,
            "position": self._position,
            "random": self._random.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to where another stream over the same ids was.

        Raises ValueError for the state of a stream with another number of windows.
        """
        if len(state["order"]) != len(self._order):
            raise ValueError(
                f"expected the state of a stream of {len(self._order)} windows, got one of "
                f"{len(state['order'])}: give the same text and T as before"
            )
        self._shift, self._order = state["shift"], state["order"]
        self._position = state["position"]
        self._random.set_state(state["random"])
