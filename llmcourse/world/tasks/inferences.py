"""Premise and hypothesis: does the first entail the second, contradict it, or neither?

Eleven phenomena: hypernyms, quantifiers, negation, presuppositions of verbs such as `know`, voice,
dropped modifiers, rules applied to people of the world, order in time, numbers, `and` and `or`,
comparison. A hypothesis has each label equally often, so alone it tells nothing.

source: Bowman et al., A large annotated corpus for learning natural language inference, 2015,
arXiv:1508.05326, for the three labels; Poliak et al., Hypothesis Only Baselines, 2018,
arXiv:1805.01042, for the cue that is kept out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from operator import itemgetter
from random import Random

from llmcourse.world.engine.grammar import Domain, Rules
from llmcourse.world.engine.splits import check_choice, draw, of_split, split_of
from llmcourse.world.engine.text_files import sections
from llmcourse.world.engine.writing import Slots, Writer, even
from llmcourse.world.facts import knowledge
from llmcourse.world.facts.records import COMPARATIVES, knowledge_base

INFERENCES = sections("inferences")
LABELS = ("entailment", "contradiction", "neutral")
PHENOMENA = tuple(INFERENCES)
_MARKS = {"entailment": "E", "contradiction": "C", "neutral": "N"}

_HE = {"woman": "she", "man": "he"}


@dataclass(frozen=True)
class Entailment:
    """A premise, a hypothesis, and their `label`: "entailment", "contradiction" or "neutral"."""

    premise: str
    hypothesis: str
    label: str
    phenomenon: str


def entailment(
    n: int, *, split: str = "train", seed: int = 0, phenomenon: str | None = None
) -> Iterator[Entailment]:
    """Stream `n` pairs, about a third of each label, of all phenomena or of one (PHENOMENA).

    Premise and hypothesis both belong to `split`. Where a premise says what somebody of the world
    does for a living and where, that is a known fact. Raises ValueError for `n` below 1, another
    split and an unknown phenomenon.
    """
    if phenomenon is not None:
        check_choice(phenomenon, PHENOMENA, "phenomenon")
    chosen = (phenomenon,) if phenomenon else PHENOMENA
    return draw(lambda rng: _record(rng, split, chosen), n, split, seed, "entailment")


def _record(rng: Random, split: str, phenomena: tuple[str, ...]) -> Entailment:
    phenomenon, label = rng.choice(phenomena), rng.choice(LABELS)
    while True:
        schema = rng.choice(_schemas()[phenomenon])
        draft = partial(_hypothesis, schema=schema)
        hypothesis, asked = of_split(draft, rng, split, itemgetter(0))
        for _ in range(20):
            slots = dict(asked)
            premise = _writer().sentence(f"{schema} {_MARKS[label]}", rng, slots)
            if split_of(premise) == split and _all_differ(slots):
                return Entailment(premise, hypothesis, label, phenomenon)


def _hypothesis(rng: Random, schema: str) -> tuple[str, Slots]:
    slots: Slots = {}
    return _writer().sentence(f"{schema} H", rng, slots), slots


def _all_differ(slots: Slots) -> bool:
    """Say whether no two slots hold the same thing; a person's job counts as one of the things."""
    named = [row["name"] for row in slots.values()]
    named += [row["job"] for row in slots.values() if "job" in row]
    return len(set(named)) == len(named)


@cache
def _schemas() -> dict[str, tuple[str, ...]]:
    """Return the names of the schemas of each phenomenon."""
    return {
        name: tuple(f"{name} {i}" for i in range(len(text.strip().split("\n\n"))))
        for name, text in INFERENCES.items()
    }


def _rules() -> dict[str, str]:
    """Return the rules "voice 0 H", "voice 0 E", ...; each line of a schema is an alternative."""
    rules: dict[str, list[str]] = {}
    for name, text in INFERENCES.items():
        for i, schema in enumerate(text.strip().split("\n\n")):
            for line in schema.splitlines():
                mark, alternative = line.split(" ", 1)
                rules.setdefault(f"{name} {i} {mark}", []).append(alternative)
    return {rule: "\n".join(lines) for rule, lines in rules.items()}


@cache
def _writer() -> Writer:
    def named(rows: Iterable[str]) -> Domain:
        return even("name", rows=rows)

    degrees = {row[0]: row[1] for row in COMPARATIVES}
    words = {name: text.splitlines() for name, text in sections("inference_words").items()}
    opposites = map(str.split, words["opposites"])
    pairs = [(one, degrees[one], degrees[other]) for one, other in opposites]
    domains = {
        "person": named((*knowledge.WOMEN, *knowledge.MEN)),
        "citizen": even(
            "name", "he", "job", "town", "country",
            rows=[
                ", ".join((p.name, _HE[p.gender], p.job, p.home, p.country))
                for p in knowledge_base().people
            ],
        ),
        "taxon": even(
            "name", "many", "other", "others", "kind", "kinds", "top", "tops",
            rows=_taxa(words["taxa"]),
        ),
        "state": even("name", "this", "that", rows=_states(words["states"])),
        "thing": even("name", "many", rows=[", ".join(row) for row in knowledge.THINGS]),
        "adjective": named(("old", "new", "small", "big", "heavy", *knowledge.COLOURS[:8])),
        "colour": named(knowledge.COLOURS),
        "job": named(knowledge.JOBS),
        "number": even("name", "low", "high", rows=words["number"]),
        "degree": even("name", "more", "less", rows=map(", ".join, pairs)),
    }  # fmt: skip
    domains |= {kind: named(words[kind]) for kind in ("where", "when", "today", "deed", "noun")}
    for kind, text in sections("inference_verbs").items():
        columns, *rows = text.splitlines()
        domains[kind] = even(*columns.split(), rows=rows)
    return Writer(Rules(_rules(), domains))


def _states(lines: Iterable[str]) -> Iterator[str]:
    """Yield a noun, a state it may be in, and the opposite state."""
    for line in lines:
        states, nouns = line.split(":")
        one, other = states.split()
        for noun in nouns.replace("jobs", " ".join(knowledge.JOBS)).split():
            yield f"the {noun}, {one}, {other}"
            yield f"the {noun}, {other}, {one}"


def _taxa(lines: Iterable[str]) -> Iterator[str]:
    """Yield each creature with another of its kind, the kind, and the wider kind."""
    for line in lines:
        kinds, members = line.split(":")
        kind = [word.replace("_", " ") for word in kinds.split()]
        rows = [member.split() for member in members.split(",")]
        for one in rows:
            for other in rows:
                if one is not other:
                    yield ", ".join((*one, *other, *kind))
