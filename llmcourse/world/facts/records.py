"""The knowledge base: who is who and what is where, as records and as single facts.

`knowledge_base` gives the one world that all data sets share. It is made from the tables of
`knowledge`, which the stories are written from, and adds what they leave out: marriages, parents,
belongings, birth months, languages, dishes, comparatives, gendered pairs. A part of the facts is
held out: they hold in the world, and no training text states them, so that a model can only look
them up in a document or admit that it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import TypeVar

from llmcourse.world.engine.text_files import rows, sections
from llmcourse.world.facts import knowledge

_TEXTS = sections("records")
# wife, husband (both of one town), and their daughter and son where they have any
FAMILIES = rows(_TEXTS["families"])
# country: language, what its people are called (an adjective too), three foods it is known for
CULTURES = {
    country: (language, people, tuple(foods))
    for country, language, people, *foods in rows(_TEXTS["cultures"])
}
MONTHS = tuple(_TEXTS["months"].split())
SOUNDS = dict(rows(_TEXTS["sounds"]))  # what an animal does to be heard: "a dog barks"
COMPARATIVES = rows(_TEXTS["comparatives"])
GENDERED = rows(_TEXTS["gendered"])

# relation -> whether a subject has one object only; facts are listed in this order
RELATIONS = {
    "job": True, "home": True, "born": True, "spouse": True, "mother": True, "father": True,
    "sibling": False, "child": False, "pet": True, "pet_name": True, "likes": True,
    "colour": True, "owns": True, "country": True, "river": True, "capital": True,
    "currency": True, "language": True, "people": True, "food": False,
}  # fmt: skip
# Facts of these relations may be held out; the others are needed to tell people and places apart.
HOLDABLE = ("born", "spouse", "mother", "father", "child", "owns", "language", "food")
HELD_SHARE = 0.38  # of the holdable facts, by hash: about 15 % of all


@dataclass(frozen=True)
class Person:
    """Somebody of the world. `food` is what they like best; names of others refer to `people`."""

    name: str
    gender: str  # "woman" or "man"
    job: str
    home: str  # name of a town
    country: str
    born: str  # a month
    spouse: str | None
    mother: str | None
    father: str | None
    siblings: tuple[str, ...]
    children: tuple[str, ...]
    pet: str | None  # its kind
    pet_name: str | None
    food: str
    colour: str
    owns: str  # a thing


@dataclass(frozen=True)
class Town:
    """A town, the country it is in and the river it lies by."""

    name: str
    country: str
    river: str


@dataclass(frozen=True)
class Country:
    """A country. `currency` is a plural; `people` is the adjective: one of them is a Varlandian."""

    name: str
    capital: str
    towns: tuple[str, ...]  # the capital first
    currency: str
    language: str
    people: str
    foods: tuple[str, ...]
    river: str


@dataclass(frozen=True)
class Animal:
    """An animal, wild or kept, with the verb for its voice ("barks")."""

    singular: str
    plural: str
    sound: str


@dataclass(frozen=True, order=True)
class Fact:
    """`object` is the `relation` of `subject`: ("Mia", "job", "baker").

    `held_out` facts are true and never stated in training text.
    """

    subject: str
    relation: str
    object: str
    held_out: bool = False


@dataclass(frozen=True)
class KnowledgeBase:
    """The whole world. Colours and words of one kind are listed commonest first."""

    people: tuple[Person, ...]
    towns: tuple[Town, ...]
    countries: tuple[Country, ...]
    animals: tuple[Animal, ...]
    things: tuple[tuple[str, str], ...]  # singular, plural
    foods: tuple[str, ...]
    jobs: tuple[str, ...]
    colours: tuple[str, ...]
    comparatives: tuple[tuple[str, str, str], ...]
    gendered: tuple[tuple[str, str], ...]  # the woman's word first
    facts: tuple[Fact, ...]

    @property
    def relations(self) -> tuple[str, ...]:
        """The names of all relations."""
        return tuple(RELATIONS)

    @property
    def known(self) -> tuple[Fact, ...]:
        """The facts that training text may state."""
        return tuple(fact for fact in self.facts if not fact.held_out)

    @property
    def hidden(self) -> tuple[Fact, ...]:
        """The facts that training text never states."""
        return tuple(fact for fact in self.facts if fact.held_out)

    def person(self, name: str) -> Person:
        """Return the person of that name. Raises ValueError for nobody's name."""
        return _find(self.people, name, "person")

    def town(self, name: str) -> Town:
        """Return the town of that name. Raises ValueError for an unknown one."""
        return _find(self.towns, name, "town")

    def country(self, name: str) -> Country:
        """Return the country of that name. Raises ValueError for an unknown one."""
        return _find(self.countries, name, "country")

    def about(
        self, subject: str, relation: str | None = None, *, held_out: bool | None = None
    ) -> tuple[Fact, ...]:
        """Return the facts about `subject`, of one relation or all, known, held out or both (None).

        Empty where the world says nothing. Raises ValueError for an unknown relation.
        """
        if relation is not None and relation not in RELATIONS:
            raise ValueError(
                f"expected a relation of the world, got {relation!r}: "
                f"choose one of {', '.join(RELATIONS)}"
            )
        return tuple(
            fact
            for fact in self.facts
            if fact.subject == subject
            and relation in (None, fact.relation)
            and held_out in (None, fact.held_out)
        )


_Named = TypeVar("_Named", Person, Town, Country)


@cache
def knowledge_base() -> KnowledgeBase:
    """Return the world, the same at every call and for every seed."""
    people = tuple(_person(row) for row in knowledge.people().rows)
    countries = tuple(_country(row) for row in knowledge.COUNTRIES)
    towns = tuple(Town(town, c.name, c.river) for c in countries for town in c.towns)
    plurals = dict(knowledge.ANIMALS) | {pet: _plural(pet) for pet in knowledge.PETS}
    foods = dict.fromkeys([*(many for _, many in knowledge.FOODS), *knowledge.LIKES])
    return KnowledgeBase(
        people, towns, countries,
        animals=tuple(Animal(one, plurals[one], sound) for one, sound in SOUNDS.items()),
        things=knowledge.THINGS, foods=tuple(foods), jobs=tuple(knowledge.JOBS),
        colours=tuple(knowledge.COLOURS), comparatives=COMPARATIVES, gendered=GENDERED,
        facts=_facts(people, towns, countries),
    )  # fmt: skip


def _find(records: tuple[_Named, ...], name: str, kind: str) -> _Named:
    for record in records:
        if record.name == name:
            return record
    listed = ", ".join(record.name for record in records[:4])
    raise ValueError(f"expected a {kind} of the world ({listed}, ...), got {name!r}")


def _plural(pet: str) -> str:
    return pet[:-1] + "ies" if pet.endswith("ny") else pet + "s"


def _person(row: tuple[str, ...]) -> Person:
    at = dict(zip(knowledge.PERSON, row, strict=True))
    name, woman = at["name"], at["man"] == "woman"
    rank = (knowledge.WOMEN if woman else knowledge.MEN).index(name)
    spouse = mother = father = None
    children: tuple[str, ...] = ()
    for wife, husband, *young in FAMILIES:
        if name in (wife, husband):
            spouse, children = husband if woman else wife, tuple(young)
        if name in young:
            mother, father = wife, husband
    return Person(
        name, at["man"], at["job"], at["town"], at["country"],
        MONTHS[(5 * rank + 2 + 4 * woman) % 12], spouse, mother, father, (at["sibling"],),
        children, at["pet"], at["petname"], at["likes"], at["colour"],
        knowledge.THINGS[(9 * rank + 4 * woman) % len(knowledge.THINGS)][0],
    )  # fmt: skip


def _country(row: tuple[str, ...]) -> Country:
    name, capital, one, two, currency, river = row
    language, people, foods = CULTURES[name]
    return Country(name, capital, (capital, one, two), currency, language, people, foods, river)


def _facts(
    people: tuple[Person, ...], towns: tuple[Town, ...], countries: tuple[Country, ...]
) -> tuple[Fact, ...]:
    found: list[tuple[str, str, str]] = []
    for p in people:
        own = (
            ("job", p.job), ("home", p.home), ("born", p.born), ("spouse", p.spouse),
            ("mother", p.mother), ("father", p.father), ("pet", p.pet), ("pet_name", p.pet_name),
            ("likes", p.food), ("colour", p.colour), ("owns", p.owns),
        )  # fmt: skip
        found += [(p.name, relation, thing) for relation, thing in own if thing is not None]
        found += [(p.name, "sibling", other) for other in p.siblings]
        found += [(p.name, "child", other) for other in p.children]
    found += [(t.name, "country", t.country) for t in towns]
    found += [(t.name, "river", t.river) for t in towns]
    for c in countries:
        found += [(c.name, "capital", c.capital), (c.name, "currency", c.currency)]
        found += [(c.name, "language", c.language), (c.name, "people", c.people)]
        found += [(c.name, "food", food) for food in c.foods]
    return tuple(Fact(*fact, _held_out(*fact)) for fact in found)


def _held_out(subject: str, relation: str, thing: str) -> bool:
    """Decide by a hash of the fact whether it is held out, together with facts that imply it.

    A marriage is one decision for both spouses. Parents and children are one decision for a whole
    family, since the mother of one child is known to be that of the other.
    """
    if relation not in HOLDABLE:
        return False
    key = f"{relation} {subject} {thing}"
    if relation in ("mother", "father", "child"):
        sides = {"mother": 0, "father": 1}
        family = next(
            f for f in FAMILIES
            if (subject in f[:2] and thing in f[2:] if relation == "child"
                else f[sides[relation]] == thing and subject in f[2:])
        )  # fmt: skip
        key = f"family {family[0]}"
    elif relation == "spouse":
        key = "marriage " + " ".join(sorted((subject, thing)))
    return int(sha256(key.encode()).hexdigest()[:8], 16) < HELD_SHARE * 16**8
