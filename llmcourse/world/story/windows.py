"""Whole documents in batches, and a lower bound on what cutting documents costs a model.

The floor of `entropy_rate` is for models that see a document from its start. Windows of fixed
length cut documents, and after a cut even the exact model must guess again whom the document is
about and where it is set. `whole_batches` makes each document one row, so that a model's loss can
be compared with the floor; `context_cost` bounds what a short memory adds to the exact model's
loss.

The bound. The probability of a token given the last `window` tokens alone is a sum over all texts
that may have come before, which is too many. So an oracle takes the place of that predictor. It
sees the same tokens and knows more: the state of the grammar, and what every slot holds, except
the slots that do not occur in the window. A token that repeats such a slot then has exactly the
probability that the slot's table gives, as no other choice of the grammar depends on what the slot
holds. The oracle knows more than the predictor, so the true cost of cutting is at least the
oracle's. Slots on which other slots depend (the hero, whose name decides the friends) are always
known to it, which makes the bound still lower.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

import numpy as np
from jaxtyping import Int

from llmcourse.world.engine.grammar import END, Domain, Pick
from llmcourse.world.engine.machine import Machine, Traced
from llmcourse.world.engine.splits import check_size
from llmcourse.world.story.story_rules import machine, vocabulary
from llmcourse.world.story.telling import Story

IGNORED = -100  # target of a position after the end, as torch's cross_entropy expects it
_SORTED = 32  # batches whose documents are sorted by length together, to save padding

Batch = tuple[Int[np.ndarray, "B T"], Int[np.ndarray, "B T"]]  # ids, targets


def whole_batches(documents: Iterable[Story], batch_size: int) -> Iterator[Batch]:
    """Stream (ids, targets) of `batch_size` documents each; one batch at the end may have fewer.

    Ids are indices into `vocabulary()`. A row of ids begins with END, here the mark of the start;
    its target is the first token, and the last target is END. T is the length of the longest
    document of the batch; after the end of a shorter one ids are END and targets IGNORED. The mean
    loss over all other targets is comparable with `entropy_rate(documents).bits_per_token`.
    Documents of similar length share a batch, but batches come in random order, or a model would
    learn short documents, then long ones. Raises ValueError for a batch size below 1.
    """
    check_size(batch_size, "batch_size")
    return _stream(documents, batch_size)


def _stream(documents: Iterable[Story], batch_size: int) -> Iterator[Batch]:
    id_of = {token: i for i, token in enumerate(vocabulary())}
    rows = ([id_of[token] for token in document.tokens] for document in documents)
    shuffle = Random("batches").shuffle
    while near := sorted(islice(rows, batch_size * _SORTED), key=len):
        starts = [*range(0, len(near), batch_size)]
        shuffle(starts)
        for start in starts:
            yield _padded(near[start : start + batch_size], id_of[END])


def _padded(rows: Sequence[list[int]], end: int) -> Batch:
    longest = max(map(len, rows))
    ids = np.full((len(rows), longest), end)
    targets = np.full((len(rows), longest), IGNORED)
    for i, row in enumerate(rows):
        ids[i, 1 : len(row)] = row[:-1]
        targets[i, : len(row)] = row
    return ids, targets


# --- what cutting costs ---


@dataclass(frozen=True)
class ContextCost:
    """Bits per token over the stories drawn: the `floor`, and the least that cutting adds to it."""

    floor: float
    added: float
    tokens: int

    @property
    def share(self) -> float:
        """The added bits as a fraction of the floor."""
        return self.added / self.floor


def context_cost(
    window: int = 16, *, tokens: int = 100_000, seed: int = 0, bias: float = 0.0
) -> ContextCost:
    """Return the least loss of a model that sees the last `window` tokens, and the floor.

    Both are estimated on stories of `tokens` tokens or more. Raises ValueError for a window or a
    size below 1.
    """
    for name, size in (("window", window), ("tokens", tokens)):
        check_size(size, name)
    source = machine(bias)
    free = _free_slots(source)
    rand = Random(f"context {seed}").random
    exact = added = 0.0
    count = 0
    while count < tokens:
        story = list(source.trace(rand))
        count += len(story)
        exact -= math.fsum(token.logp for token in story)
        added += _added(story, source, free, window)
    return ContextCost(exact / count / math.log(2), added / count / math.log(2), count)


def _free_slots(source: Machine) -> dict[str, Pick]:
    """Return slots that no other slot depends on and that are always picked from the same table.

    If some of a slot's picks come after an article, that is assumed of all: it only lowers the
    bound.
    """
    slots = source.slots
    givers = {pick.given for picks in slots.values() for pick in picks}
    free = {}
    for name, picks in slots.items():
        if name not in givers and len({(pick.domain, pick.given) for pick in picks}) == 1:
            free[name] = max(picks, key=lambda pick: bool(pick.article))
    return free


def _added(story: list[Traced], source: Machine, free: dict[str, Pick], window: int) -> float:
    """Return the nats that the oracle loses on one story."""
    nats = 0.0
    rows: dict[str, tuple[str, ...]] = {}
    shown: dict[str, int] = {}
    for at, token in enumerate(story):
        name = token.picked
        if token.picked:
            rows[name] = token.row
        elif token.slot is not None:
            name = token.slot.name
            if name in free and at - shown[name] > window:
                pick = free[name]
                domain = source.rules.domain(pick, rows[pick.given][0] if pick.given else "")
                part = token.slot.part or domain.fields[0]
                nats -= math.log(_chance(domain, part, rows[name], bool(pick.article)))
        shown[name] = at
    return nats


def _chance(domain: Domain, part: str, row: tuple[str, ...], article: bool) -> float:
    """Return the probability that field `part` has the value that it has in `row`.

    article: whether one was written before, so that only rows that take the same one are possible.
    """
    column = domain.fields.index(part)
    same = domain.fields.index("a") if article else -1
    alike = [
        (weight, other)
        for other, weight in zip(domain.rows, domain.weights, strict=True)
        if not article or other[same] == row[same]
    ]
    total = math.fsum(weight for weight, _ in alike)
    return math.fsum(weight for weight, other in alike if other[column] == row[column]) / total
