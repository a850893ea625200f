"""Premise and hypothesis: does the one entail the other, contradict it, or neither?

Eleven phenomena: hypernyms, quantifiers, negation, what verbs such as `know` take for granted,
voice, dropped modifiers, rules applied to people of the world, order in time, numbers, `and` and
`or`, comparison. A hypothesis comes with each label equally often, so alone it tells nothing.

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

# kind and its plural, the plural of what is wider still with its singular, what is of that kind
_TAXA = """
bird birds animal animals: owl owls, swan swans, eagle eagles, heron herons, duck ducks, hen hens
pet pets animal animals: dog dogs, cat cats, rabbit rabbits, hamster hamsters, parrot parrots
farm_animal farm_animals animal animals: goat goats, donkey donkeys, lamb lambs, pony ponies
wild_animal wild_animals animal animals: fox foxes, otter otters, badger badgers, hare hares
musician musicians artist artists: pianist pianists, drummer drummers, fiddler fiddlers
"""
# two states, one of which holds, and what is in one of them; "jobs" is whoever has a job
_STATES = """
open shut: door gate window cellar stable cupboard
open closed: market shop inn bakery museum library school bridge
locked unlocked: chest box garage suitcase office drawer
awake asleep: jobs child dog goat neighbour
alive dead: king queen fox owl hare plant
lit unlit: fire lamp stove candle lantern torch
"""
# kind: its fields, and a row of them for each verb
_VERBS = {
    "met": ("name base", "saw, see; followed, follow; drew, draw; heard, hear; noticed, notice"),
    "bought": ("name base", "bought, buy; found, find; sold, sell; carried, carry; hid, hide"),
    "danced": ("name base", "danced, dance; sang, sing; slept, sleep; waited, wait; ate, eat"),
    "act": (
        "name base done",
        "helped, help, helped; saw, see, seen; followed, follow, followed; warned, warn, warned; "
        "thanked, thank, thanked; visited, visit, visited; called, call, called",
    ),
    "slept": (
        "name base narrow",
        "slept, sleep, slept in the barn; came, come, came by boat; rested, rest, rested on a wall;"
        "ran, run, ran up the hill; waited, wait, waited in the rain; ate, eat, ate outside; "
        "jumped, jump, jumped over a log; swam, swim, swam in the lake; "
        "fell, fall, fell into a hole; left, leave, left by the gate",
    ),
    "habit": (
        "name base never",
        "gets up early, get up early, never gets up early; walks to work, walk to work, never walks"
        " to work; works on Sunday, work on Sunday, never works on Sunday; drinks tea, drink tea, "
        "does not drink tea; reads at night, read at night, does not read at night; rides a bicycle"
        ", ride a bicycle, does not ride a bicycle; plays chess, play chess, does not play chess; "
        "eats meat, eat meat, never eats meat; sings at work, sing at work, never sings at work",
    ),
}
_DEEDS = (
    "wrote a letter", "painted the gate", "ate a cake", "mended the roof", "sold the cart",
    "washed the dishes", "fed the hens", "called the doctor", "cleaned the stove", "went to church",
    "swam in the river", "bought some bread", "read the newspaper", "met a friend", "cut the grass",
)  # fmt: skip
_PLACES = (
    "at the market", "by the river", "in the garden", "near the mill", "on the way home",
    "behind the church", "at the station", "on the hill",
)  # fmt: skip
_HE = {"woman": "she", "man": "he"}
_TIMES = (
    "last night", "on Monday", "before noon", "yesterday", "last week", "on Friday", "at dawn",
    "this morning", "in the evening", "on Sunday",
)  # fmt: skip
# a number, a smaller one, and one that is larger by two or more
_NUMBERS = (
    "three, two, six", "four, two, seven", "four, three, six", "five, three, eight",
    "five, two, seven", "six, four, nine", "seven, five, ten", "eight, six, twelve",
    "nine, five, twelve", "ten, seven, twenty",
)  # fmt: skip
_OPPOSITES = (
    ("big", "small"), ("small", "big"), ("long", "short"), ("short", "long"),
    ("heavy", "light"), ("light", "heavy"), ("strong", "weak"), ("weak", "strong"),
)  # fmt: skip


@dataclass(frozen=True)
class Entailment:
    """What is given and what is asked; `label` is "entailment", "contradiction" or "neutral"."""

    premise: str
    hypothesis: str
    label: str
    phenomenon: str


def entailment(
    n: int, *, split: str = "train", seed: int = 0, phenomenon: str | None = None
) -> Iterator[Entailment]:
    """Streams `n` pairs, about a third of each label, of all phenomena or of one (PHENOMENA).

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
    """Whether no two slots hold the same; the job of a person is one of the things they hold."""
    named = [row["name"] for row in slots.values()]
    named += [row["job"] for row in slots.values() if "job" in row]
    return len(set(named)) == len(named)


@cache
def _schemas() -> dict[str, tuple[str, ...]]:
    """The names of the schemas of each phenomenon."""
    return {
        name: tuple(f"{name} {i}" for i in range(len(text.strip().split("\n\n"))))
        for name, text in INFERENCES.items()
    }


def _rules() -> dict[str, str]:
    """The rules "voice 0 H", "voice 0 E", ...: a line of a schema is one alternative of one."""
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
    pairs = [(one, degrees[one], degrees[other]) for one, other in _OPPOSITES]
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
            "name", "many", "other", "others", "kind", "kinds", "top", "tops", rows=_taxa()
        ),
        "where": named(_PLACES),
        "state": even("name", "this", "that", rows=_states()),
        "today": named(("today", "now", "this morning", "this week", "this evening", "at noon")),
        "when": named(_TIMES),
        "thing": even("name", "many", rows=[", ".join(row) for row in knowledge.THINGS]),
        "adjective": named(("old", "new", "small", "big", "heavy", *knowledge.COLOURS[:8])),
        "colour": named(knowledge.COLOURS),
        "job": named(knowledge.JOBS),
        "deed": named(_DEEDS),
        "number": even("name", "low", "high", rows=_NUMBERS),
        "noun": named(("boat", "cart", "table", "bridge", "tent", "rope", "ladder", "bench")),
        "degree": even("name", "more", "less", rows=map(", ".join, pairs)),
    }  # fmt: skip
    for kind, (fields, rows) in _VERBS.items():
        domains[kind] = even(*fields.split(), rows=rows.split(";"))
    return Writer(Rules(_rules(), domains))


def _states() -> Iterator[str]:
    """What is in a state, the state, and the only other one."""
    for line in _STATES.strip().splitlines():
        states, nouns = line.split(":")
        one, other = states.split()
        for noun in nouns.replace("jobs", " ".join(knowledge.JOBS)).split():
            yield f"the {noun}, {one}, {other}"
            yield f"the {noun}, {other}, {one}"


def _taxa() -> Iterator[str]:
    """Each creature with another of its kind, the kind, and what is wider still."""
    for line in _TAXA.strip().splitlines():
        kinds, members = line.split(":")
        kind = [word.replace("_", " ") for word in kinds.split()]
        rows = [member.split() for member in members.split(",")]
        for one in rows:
            for other in rows:
                if one is not other:
                    yield ", ".join((*one, *other, *kind))
