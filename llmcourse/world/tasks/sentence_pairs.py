"""Pairs of sentences with a score for how much of their meaning they share.

A sentence says who did what to whom or what, and often where and when. The score is the weighted
fraction of these parts on which the two agree (`score` gives the formula); the wording does not
count. Words mislead on purpose: the same meaning occurs in other words and the other voice, and the
same words occur with the roles exchanged.

source: Cer et al., SemEval-2017 Task 1: Semantic Textual Similarity, 2017, arXiv:1708.00055, for
the scale from 0 to 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import NamedTuple

from llmcourse.world.engine.spelling import spell
from llmcourse.world.engine.splits import draw, of_split, split_of
from llmcourse.world.engine.text_files import sections
from llmcourse.world.facts import knowledge

# Parts of a meaning and their weights.
WEIGHTS = {"who": 3, "act": 2, "whom": 3, "place": 1, "time": 1}
# How the second sentence is made from the first: the frequency of each way.
KINDS = {"same": 0.2, "exchanged": 0.2, "near": 0.5, "other": 0.1}

_ACTIVE = (
    "{who} {did} {whom}", "{who} {did} {whom}", "{who} {did} {whom}", "{who} {did} {whom}",
    "it was {who} who {did} {whom}", "{who} was the one who {did} {whom}",
    "it was {whom} that {who} {did}",
)  # fmt: skip
_PASSIVE = (
    "{whom} was {done} by {who}", "{whom} was {done} by {who}", "{whom} was {done} by {who}",
    "it was {whom} that was {done} by {who}", "it was by {who} that {whom} was {done}",
)  # fmt: skip


class Meaning(NamedTuple):
    """What a sentence says: each part by its first wording, "" for a part that is not stated."""

    who: str
    act: str
    whom: str
    place: str
    time: str


@dataclass(frozen=True)
class Similarity:
    """Two sentences and a `score` from 0.0 (nothing in common) to 5.0 (the same)."""

    first: str
    second: str
    score: float


def score(first: Meaning, second: Meaning) -> float:
    """Return 5 times the total weight of the equal parts over that of all stated parts.

    A part that neither sentence states does not count; one that only one of them states is a
    difference. The weights are WEIGHTS.
    """
    pairs = [
        (weight, getattr(first, part), getattr(second, part)) for part, weight in WEIGHTS.items()
    ]
    stated = sum(weight for weight, one, other in pairs if one or other)
    return 5 * sum(weight for weight, one, other in pairs if one and one == other) / stated


def similarity(n: int, *, split: str = "train", seed: int = 0) -> Iterator[Similarity]:
    """Stream `n` pairs; both sentences belong to `split`.

    The kinds of pairs and their frequencies are KINDS: the same meaning in other words; who and
    whom exchanged, in the same words; some parts changed; all changed. Raises ValueError for `n`
    below 1 or another split.
    """
    return draw(lambda rng: _record(rng, split), n, split, seed, "similarity")


class _Sentence(NamedTuple):
    """A sentence with what it means, the wording of each part, and whether it is passive."""

    text: str
    meaning: Meaning
    wordings: frozenset[str]
    passive: bool


def _record(rng: Random, split: str) -> Similarity:
    (kind,) = rng.choices(tuple(KINDS), tuple(KINDS.values()))
    while True:
        first = of_split(lambda source: _first(source, kind), rng, split, lambda s: s.text)
        for _ in range(30):
            second = _second(rng, first, kind)
            if split_of(second.text) == split and second.text != first.text:
                value = score(first.meaning, second.meaning)
                return Similarity(first.text, second.text, value)


def _first(rng: Random, kind: str) -> _Sentence:
    return _say(rng, _meaning(rng, of_people=kind == "exchanged" or rng.random() < 0.4))


def _second(rng: Random, first: _Sentence, kind: str) -> _Sentence:
    """Return a sentence made from the first in the way that `kind` names."""
    who, act, whom, place, time = first.meaning
    if kind == "same":
        passive = first.passive ^ (rng.random() < 0.8)
        return _say(rng, first.meaning, avoid=first.wordings, passive=passive)
    if kind == "exchanged":
        other = _meaning(rng, of_people=True)
        place, time = (old if rng.random() < 0.75 else new
                       for old, new in ((place, other.place), (time, other.time)))  # fmt: skip
        return _say(rng, Meaning(whom, act, who, place, time), keep=first.wordings)
    change = 1.0 if kind == "other" else rng.uniform(0.1, 0.9)
    changed = _changed(rng, first.meaning, change)
    if rng.random() < 0.25:
        return _say(rng, changed, keep=first.wordings)
    return _say(rng, changed, avoid=first.wordings)


def _meaning(rng: Random, of_people: bool) -> Meaning:
    """Return a random meaning; `of_people`: something done to a person, not to a thing."""
    who = _somebody(rng)
    whom = who
    while whom == who:
        whom = _somebody(rng) if of_people else rng.choice(tuple(_wordings()["thing"]))
    act = rng.choice(tuple(_acts()["people" if of_people else "things"]))
    place, time = (rng.choice(tuple(_wordings()[part])) for part in ("place", "time"))
    return Meaning(
        who, act, whom, place if rng.random() < 0.8 else "", time if rng.random() < 0.8 else ""
    )


def _somebody(rng: Random) -> str:
    if rng.random() < 0.3:
        return rng.choice((*knowledge.WOMEN, *knowledge.MEN))
    return rng.choice(tuple(_wordings()["person"]))


def _changed(rng: Random, meaning: Meaning, change: float) -> Meaning:
    """Return the meaning with each part replaced with probability `change`.

    A person is replaced by a person and a thing by a thing, so that every act still makes sense.
    """
    of_people = meaning.act in _acts()["people"]
    while True:
        other = _meaning(rng, of_people)
        parts = (
            new if rng.random() < change else old for old, new in zip(meaning, other, strict=True)
        )
        mixed = Meaning(*parts)
        if mixed.who != mixed.whom and (change < 1 or score(meaning, mixed) == 0):
            return mixed


def _say(
    rng: Random,
    meaning: Meaning,
    *,
    keep: frozenset[str] = frozenset(),
    avoid: frozenset[str] = frozenset(),
    passive: bool | None = None,
) -> _Sentence:
    """Write a sentence of that meaning, if possible in wordings of `keep` and in none of `avoid`.

    passive: None for either voice.
    """
    if passive is None:
        passive = rng.random() < 0.4
    did, done = _acts()["people" if meaning.act in _acts()["people"] else "things"][meaning.act]
    tables = _wordings()
    choices = [
        tables["person"].get(meaning.who, (meaning.who,)),
        done if passive else did,
        (tables["person"] | tables["thing"]).get(meaning.whom, (meaning.whom,)),
        tables["place"].get(meaning.place, ()),
        tables["time"].get(meaning.time, ()),
    ]
    who, act, whom, *rest = (_worded(rng, options, keep, avoid) for options in choices)
    clause = rng.choice(_PASSIVE if passive else _ACTIVE)
    clause = clause.format(who=who, did=act, done=act, whom=whom)
    said = [words for words in rest if words]
    rng.shuffle(said)
    start = [said.pop(), ","] if said and rng.random() < 0.35 else []
    text = spell(" ".join([*start, clause, *said, "."]).split())
    return _Sentence(text, meaning, frozenset((who, act, whom, *rest)), passive)


def _worded(
    rng: Random, options: tuple[str, ...], keep: frozenset[str], avoid: frozenset[str]
) -> str:
    best = [o for o in options if o in keep] or [o for o in options if o not in avoid] or options
    return rng.choice(best) if best else ""


def _rows(table: str) -> list[list[tuple[str, ...]]]:
    """Return the rows of a table: columns are separated by semicolons, wordings by slashes."""
    return [
        [tuple(word.strip() for word in column.split("/")) for column in line.split(";")]
        for line in table.splitlines()
    ]


@cache
def _wordings() -> dict[str, dict[str, tuple[str, ...]]]:
    tables = sections("similarity")
    kinds = ("person", "thing", "place", "time")
    return {kind: {row[0][0]: row[0] for row in _rows(tables[kind])} for kind in kinds}


@cache
def _acts() -> dict[str, dict[str, tuple[tuple[str, ...], ...]]]:
    """Return acts on people and on things, by first wording: their past tenses and participles."""
    tables = sections("similarity")
    return {
        kind: {row[0][0]: tuple(row) for row in _rows(tables[f"to {kind}"])}
        for kind in ("people", "things")
    }
