"""Sentences from rules in the notation of `grammar.parse`, where only the words are wanted.

`Machine` demands that the alternatives at a choice begin with different tokens, so that each text
has an exact probability. Where no probability is asked for, a `Writer` takes any rules, and slots
that its caller has filled before.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import TypeVar

from llmcourse.world.engine.grammar import Body, Call, Choice, Domain, Item, Pick, Rules, Slot
from llmcourse.world.engine.spelling import spell
from llmcourse.world.engine.splits import split_of

Row = dict[str, str]
Slots = dict[str, Row]
Item_ = TypeVar("Item_")
_Step = Callable[[Random, Slots, list[str]], None]


class Writer:
    """A writer of sentences of `rules`; each rule is compiled when it is first asked for."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._bodies: dict[str, list[_Step]] = {}

    def words(self, rule: str, rng: Random, slots: Slots | None = None) -> list[str]:
        """Return the words of `rule` as they stand in it; picks are added to `slots`."""
        words: list[str] = []
        _run(self._body(rule), rng, {} if slots is None else slots, words)
        return words

    def sentence(self, rule: str, rng: Random, slots: Slots | None = None) -> str:
        """Return one sentence of `rule`, spelled out; picks are added to `slots`."""
        return spell(self.words(rule, rng, slots))

    def _body(self, rule: str) -> list[_Step]:
        if rule not in self._bodies:
            self._bodies[rule] = self._steps(self.rules[rule])
        return self._bodies[rule]

    def _steps(self, body: Body) -> list[_Step]:
        return [self._step(item) for item in body]

    def _step(self, item: Item) -> _Step:
        if isinstance(item, Slot):
            return _recall(item)
        if isinstance(item, Call):
            return lambda rng, slots, out: _run(self._body(item.rule), rng, slots, out)
        if isinstance(item, Choice):
            return _choose([(p, self._steps(option)) for p, option in item.options])
        if isinstance(item, Pick):
            if item.given:
                tables = self.rules.tables[item.domain]
                return _pick_given(item, {k: _pick(item, d) for k, d in tables.items()})
            return _pick(item, self.rules.domains[item.domain])
        return lambda rng, slots, out: out.append(item)


class Freehand:
    """A grammar to write from, one text at a time, in which no two slots hold the same thing."""

    def __init__(self, texts: Mapping[str, str], domains: Mapping[str, Domain]):
        self._writer = Writer(Rules(texts, domains))

    def write(self, rule: str, rng: Random, held: Slots | None = None) -> list[str]:
        """Return the words of one text of `rule`; the slots in `held` are filled from the start.

        Texts in which two slots hold the same thing are thrown away.
        """
        while True:
            slots = dict(held or {})
            words = self._writer.words(rule, rng, slots)
            if len({next(iter(row.values())) for row in slots.values()}) == len(slots):
                return words


def all_of_split(
    make: Callable[[Random], Item_],
    rng: Random,
    split: str,
    sentences: Callable[[Item_], Iterable[str]],
) -> Item_:
    """Draw with `make` until all `sentences` of what it made belong to `split`.

    Raises RuntimeError after 100,000 tries: `make` has nothing of that split.
    """
    for _ in range(100_000):
        item = make(rng)
        if all(split_of(sentence) == split for sentence in sentences(item)):
            return item
    raise RuntimeError(f"nothing for split {split!r} in 100,000 draws of {make}")


def even(*columns: str, rows: Iterable[str]) -> Domain:
    """Return a domain of equally probable rows; a row is text, its fields separated by commas."""
    cells = tuple(tuple(cell.strip() for cell in row.split(",")) for row in rows)
    return Domain(columns, cells, (1.0,) * len(cells))


def _run(steps: Sequence[_Step], rng: Random, slots: Slots, out: list[str]) -> None:
    for step in steps:
        step(rng, slots, out)


def _recall(slot: Slot) -> _Step:
    name, part = slot

    def step(rng: Random, slots: Slots, out: list[str]) -> None:
        row = slots[name]
        out.append(row[part] if part else next(iter(row.values())))

    return step


def _pick(pick: Pick, domain: Domain) -> _Step:
    picks = domain.picks(pick.written, pick.article)
    rows = [(dict(zip(domain.fields, row, strict=True)), word) for _, row, word in picks]
    bounds = list(accumulate(weight for weight, _, _ in picks))
    total, last = bounds[-1], len(rows) - 1

    def step(rng: Random, slots: Slots, out: list[str]) -> None:
        slots[pick.name], word = rows[min(bisect(bounds, rng.random() * total), last)]
        out.append(word)

    return step


def _pick_given(pick: Pick, steps: dict[str, _Step]) -> _Step:
    def step(rng: Random, slots: Slots, out: list[str]) -> None:
        steps[next(iter(slots[pick.given].values()))](rng, slots, out)

    return step


def _choose(options: Sequence[tuple[float, Sequence[_Step]]]) -> _Step:
    bounds = list(accumulate(p for p, _ in options))
    bodies, last = [steps for _, steps in options], len(options) - 1

    def step(rng: Random, slots: Slots, out: list[str]) -> None:
        _run(bodies[min(bisect(bounds, rng.random()), last)], rng, slots, out)

    return step
