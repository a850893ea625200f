"""Questions whose answers are in the world's articles, with the relevance of each article.

Training queries ask for known facts, test queries for held-out ones, which can only be guessed
without the documents. Direct queries name what they ask about. Indirect ones describe it by other
facts ("the sister of Paul", "the woman who bakes bread"), mostly in words of other articles, so
that counting common words finds the wrong one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from llmcourse.text.corpora import words
from llmcourse.world.engine.splits import check_dial, draw, of_split
from llmcourse.world.engine.text_files import sections
from llmcourse.world.facts.articles import Document, documents
from llmcourse.world.facts.records import Country, Fact, Person, Town, knowledge_base

STATES, MENTIONS = 2, 1  # grades of relevance

# relation: "direct question|the same inside another question" a line; {x} is asked about
_ASKED = sections("queries")
# job: what somebody with this job does, in words that articles do not use
_WORK = dict(line.split(": ") for line in sections("work")["work"].splitlines())
# Relation asked for: descriptions that would answer the question, or would put a favourite food
# beside a town as if the town were known for it.
_LEFT_OUT = {"pet_name": {"pet"}, "job": {"job", "home"}, "likes": {"home"}}
_FRAMES = (
    "Tell me {inside}.", "Do you know {inside}?", "Can you tell me {inside}?",
    "I would like to know {inside}.", "Please find out {inside}.", "Somebody asked me {inside}.",
    "I wonder {inside}.", "Could you look up {inside}?", "My question is {inside}.",
)  # fmt: skip


@dataclass(frozen=True)
class Query:
    """A question, the articles that help with it, and the answer, a word in the best of them.

    `relevance` pairs the id of an article with 2 where it states the fact and 1 where it only
    mentions what is asked about; every other article has 0. The ids are those of
    `documents(held_out=True)`, best first, with the article about the subject before all others.
    `indirect` questions describe what they ask about.
    """

    question: str
    relevance: tuple[tuple[str, int], ...]
    answer: str
    fact: Fact
    indirect: bool


def retrieval(
    n: int, *, split: str = "train", seed: int = 0, indirect: float = 0.25
) -> Iterator[Query]:
    """Stream `n` queries: about known facts in "train", about held-out facts in "test".

    One question in ten, by its hash, is a test question; training text states no answer to the
    facts that test queries ask for, and only `documents(held_out=True)` does. `indirect` in [0, 1]
    is the fraction of questions that describe what they ask about. Raises ValueError for `n` below
    1, another split or a dial out of range.
    """
    check_dial(indirect, "indirect")

    def query(rng: Random) -> Query:
        around = rng.random() < indirect
        return of_split(
            lambda source: _query(source.choice(_askable(split)), around, source),
            rng, split, key=lambda made: made.question,
        )  # fmt: skip

    return draw(query, n, split, seed, f"retrieval {indirect}")


@cache
def _askable(split: str) -> tuple[Fact, ...]:
    """Return the facts that queries ask for.

    In training, no food of a country with held-out foods, since a question names the other foods.
    """
    world = knowledge_base()
    facts = world.hidden if split == "test" else world.known
    return tuple(
        fact for fact in facts
        if fact.relation != "food" or split == "test"
        or not world.about(fact.subject, "food", held_out=True)
    )  # fmt: skip


def _query(fact: Fact, indirect: bool, rng: Random) -> Query:
    subject = rng.choice(_descriptions(fact)) if indirect else fact.subject
    others = [f.object for f in knowledge_base().about(fact.subject, "food") if f != fact]
    direct, inside = rng.choice(_ASKED[_kind(fact)].splitlines()).split("|")
    if rng.random() < 0.75:
        direct = rng.choice(_FRAMES).format(inside=inside)
    question = direct.format(x=subject, others=" and ".join(others))
    return Query(question, _relevance(fact), fact.object, fact, indirect)


def _kind(fact: Fact) -> str:
    if fact.relation != "child":
        return fact.relation
    woman = knowledge_base().person(fact.object).gender == "woman"
    return "daughter" if woman else "son"


@cache
def _descriptions(fact: Fact) -> tuple[str, ...]:
    """Return descriptions of the subject by other, known facts; each fits the subject alone."""
    world, name = knowledge_base(), fact.subject
    if name in {country.name for country in world.countries}:
        named = _describe_country(world.country(name))
    elif name in {town.name for town in world.towns}:
        named = _describe_town(world.town(name))
    else:
        named = _describe_person(world.person(name))
    left_out = _LEFT_OUT.get(fact.relation, {fact.relation})
    return tuple(text for relation, text in named.items() if relation not in left_out)


def _describe_country(country: Country) -> dict[str, str]:
    """Return descriptions by the relation that each of them uses."""
    return {
        "capital": f"the country whose capital is {country.capital}",
        "country": f"the country around {country.towns[1]}",
        "currency": f"the country where one pays in {country.currency}",
        "river": f"the country on both banks of the {country.river}",
    }


def _describe_town(town: Town) -> dict[str, str]:
    """Describe a town by the people who live there; nobody is at home in a capital."""
    world = knowledge_base()
    folk = [person.name for person in world.people if person.home == town.name]
    if folk:
        return {f"home of {name}": f"the town where {name} lives" for name in folk}
    one, two = (name for name in world.country(town.country).towns if name != town.name)
    return {"capital": f"the town that governs {one} and {two}"}


def _describe_person(person: Person) -> dict[str, str]:
    kin = "sister" if person.gender == "woman" else "brother"
    named = {
        "job": f"the {person.gender} who {_WORK[person.job]}",
        "sibling": f"the {kin} of {person.siblings[0]}",
        "home": f"the {person.gender} of {person.home} who {_WORK[person.job]}",
    }
    if _keepers(person) == 1:
        named["pet"] = f"the {person.gender} whose {person.pet} is {person.pet_name}"
    return named


def _keepers(one: Person) -> int:
    """Return how many people of the same gender keep a pet of the same kind and name."""
    return sum(
        (person.gender, person.pet, person.pet_name) == (one.gender, one.pet, one.pet_name)
        for person in knowledge_base().people
    )


@cache
def _named(document: Document) -> frozenset[str]:
    return frozenset(words(document.text))


@cache
def _relevance(fact: Fact) -> tuple[tuple[str, int], ...]:
    grades = {}
    for document in documents(held_out=True):
        if fact in document.facts:
            grades[document.id] = STATES
        elif fact.subject in _named(document):
            grades[document.id] = MENTIONS
    own = fact.subject.lower()
    return tuple(
        sorted(grades.items(), key=lambda graded: (-graded[1], graded[0].split("/")[1] != own))
    )
