"""Small happenings, one sentence each, that can be said, denied and asked: "Mia bought a lamp."

Nothing in them is a fact of the world: people find, carry and lend things that nobody owns.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from llmcourse.world.engine.spelling import with_article
from llmcourse.world.facts import knowledge
from llmcourse.world.facts.records import Person, knowledge_base

# base form, past: what is done to a thing, to food, to an animal
_TO_THINGS = (
    ("buy", "bought"), ("find", "found"), ("sell", "sold"), ("carry", "carried"),
    ("clean", "cleaned"), ("draw", "drew"), ("choose", "chose"), ("borrow", "borrowed"),
    ("lend", "lent"), ("drop", "dropped"), ("hide", "hid"), ("mend", "mended"),
    ("wrap", "wrapped"), ("polish", "polished"), ("see", "saw"), ("swap", "swapped"),
)  # fmt: skip
_TO_FOODS = (
    ("eat", "ate"), ("buy", "bought"), ("wash", "washed"), ("cut", "cut"), ("taste", "tasted"),
    ("share", "shared"), ("sell", "sold"), ("cook", "cooked"), ("drop", "dropped"),
)  # fmt: skip
_TO_ANIMALS = (
    ("see", "saw"), ("hear", "heard"), ("feed", "fed"), ("watch", "watched"), ("meet", "met"),
    ("follow", "followed"), ("paint", "painted"), ("frighten", "frightened"),
)  # fmt: skip
_LOOKS = ("old", "new", "small", "big", "cheap", "heavy", "fine")
_PLACES = (
    "at the market", "in the garden", "near the river", "at the harbour", "behind the mill",
    "in the wood", "by the gate", "on the hill", "at the fair",
)  # fmt: skip
_TIMES = (
    "yesterday", "last week", "in the morning", "in the evening", "on Monday", "on Friday",
    "after lunch", "before the feast", "at noon",
)  # fmt: skip


@dataclass(frozen=True)
class Happening:
    """Who did what: `rest` is the object with all that follows."""

    who: Person
    base: str
    past: str
    rest: str

    @property
    def said(self) -> str:
        return f"{self.who.name} {self.past} {self.rest}."

    @property
    def in_capitals(self) -> str:
        return self.said.upper()

    @property
    def name(self) -> str:
        return self.who.name + "."

    @property
    def denied(self) -> str:
        return f"{self.who.name} did not {self.base} {self.rest}."

    @property
    def asked(self) -> str:
        return f"Did {self.who.name} {self.base} {self.rest}?"

    @property
    def with_pronoun(self) -> str:
        pronoun = "She" if self.who.gender == "woman" else "He"
        return f"{pronoun} {self.past} {self.rest}."


def happening(rng: Random) -> Happening:
    """Draw one happening, over all people, things, foods and animals."""
    verbs, nouns, looks = rng.choice((
        (_TO_THINGS, knowledge.THINGS, _LOOKS), (_TO_FOODS, knowledge.FOODS, ("big", "small")),
        (_TO_ANIMALS, knowledge.ANIMALS, ("big", "small", "young", "old")),
    ))  # fmt: skip
    base, past = rng.choice(verbs)
    noun = rng.choice(nouns)[0]
    if rng.random() < 0.4:
        noun = f"{rng.choice(looks)} {noun}"
    where = [rng.choice(_PLACES)] if rng.random() < 0.5 else []
    when = [rng.choice(_TIMES)] if rng.random() < 0.5 else []
    rest = " ".join((with_article(noun), *where, *when))
    return Happening(rng.choice(knowledge_base().people), base, past, rest)
