"""Writing freely from a grammar: the notation of `grammar`, without its exact probabilities.

Here alternatives may begin alike, and no two slots of a text hold the same thing: whom `<q:person>`
picks is not who `<p:person>` is. `polish` makes a sentence of what was written.

Left out: `<a gift:thing>` (`polish` turns "a" into "an"), tables and choices by a slot's name.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from random import Random

from llmcourse.world.grammar import Call, Choice, Domain, Pick, Rules, Sequence_, Slot

Slots = dict[str, dict[str, str]]


class Freehand:
    """A grammar to write from, one text at a time."""

    def __init__(self, texts: Mapping[str, str], domains: Mapping[str, Domain]):
        self._rules = Rules(texts, domains)
        self._rows = {
            name: [dict(zip(domain.fields, row, strict=True)) for row in domain.rows]
            for name, domain in domains.items()
        }
        self._shares = {name: [*accumulate(domain.weights)] for name, domain in domains.items()}
        self._cuts: dict[Choice, list[float]] = {}

    def write(self, rule: str, rng: Random, held: Slots | None = None) -> list[str]:
        """One text of `rule`; `held` are slots that are filled from the start."""
        written: list[str] = []
        self._write(self._rules[rule], rng, written, dict(held or {}))
        return written

    def _write(self, sequence: Sequence_, rng: Random, written: list[str], slots: Slots) -> None:
        for item in sequence:
            if isinstance(item, str):
                written.append(item)
            elif isinstance(item, Slot):
                row = slots[item.name]
                written.append(row[item.part] if item.part else next(iter(row.values())))
            elif isinstance(item, Choice):
                self._write(self._option(item, rng), rng, written, slots)
            elif isinstance(item, Call):
                self._write(item.rest or self._rules[item.rule], rng, written, slots)
            else:
                row = slots[item.name] = self._pick(item, rng, slots)
                written.append(row[item.written] if item.written else next(iter(row.values())))

    def _option(self, choice: Choice, rng: Random) -> Sequence_:
        if choice not in self._cuts:
            self._cuts[choice] = [*accumulate(share for share, _ in choice.options)][:-1]
        return choice.options[bisect(self._cuts[choice], rng.random())][1]

    def _pick(self, pick: Pick, rng: Random, slots: Slots) -> dict[str, str]:
        """A row of the domain that no slot holds."""
        rows, shares = self._rows[pick.domain], self._shares[pick.domain]
        taken = slots.values()
        while True:
            row = rows[bisect(shares, rng.random() * shares[-1], hi=len(rows) - 1)]
            if row not in taken:
                return row


def with_articles(words: Iterable[str]) -> list[str]:
    """The words with "an" for "a" before a vowel."""
    sentence = list(words)
    for i, word in enumerate(sentence[:-1]):
        if word == "a" and sentence[i + 1][0] in "aeiou":
            sentence[i] = "an"
    return sentence


def polish(words: Iterable[str]) -> list[str]:
    """A sentence with a capital at its start and "an" before a vowel.

    >>> polish(["a", "otter", "ate", "a", "egg", "."])
    ['An', 'otter', 'ate', 'an', 'egg', '.']
    """
    sentence = with_articles(words)
    start = next((i for i, word in enumerate(sentence) if word[0].isalpha()), 0)
    sentence[start] = sentence[start][0].upper() + sentence[start][1:]
    return sentence


def domain(fields: str, rows: Iterable[Sequence[str]]) -> Domain:
    """A domain of equally likely rows; `fields` are separated by spaces."""
    listed = tuple(tuple(row) for row in rows)
    return Domain(tuple(fields.split()), listed, (1.0,) * len(listed))
