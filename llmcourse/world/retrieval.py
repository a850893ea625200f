"""Questions whose answers stand in the world's articles, with the articles that help.

Training queries ask for known facts, test queries for held-out ones: who never saw a document can
only guess those. Direct queries name what they ask about. Indirect ones describe it by other facts
("the sister of Paul", "the woman who bakes bread"), mostly in words of other articles, so that
counting common words finds the wrong one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from llmcourse.data import words
from llmcourse.world.documents import Document, documents
from llmcourse.world.facts import Country, Fact, Person, Town, knowledge_base
from llmcourse.world.splits import check_dial, draw, of_split

STATES, MENTIONS = 2, 1  # grades of relevance

# What somebody with this job does, in words that articles do not use.
_WORK = {
    "baker": "bakes bread", "teacher": "teaches children", "nurse": "nurses the sick",
    "farmer": "ploughs fields", "doctor": "cures illnesses", "engineer": "builds machines",
    "painter": "paints pictures", "sailor": "sails the seas", "pilot": "flies aeroplanes",
    "cook": "prepares meals", "gardener": "trims hedges", "writer": "writes novels",
    "tailor": "sews suits", "dancer": "dances on a stage", "carpenter": "makes tables",
    "librarian": "lends out books", "singer": "sings in concerts", "driver": "drives a bus",
    "judge": "decides cases in court", "mechanic": "repairs engines", "florist": "sells flowers",
    "dentist": "pulls teeth", "shopkeeper": "runs a shop", "guard": "watches a gate",
    "potter": "makes jugs of clay", "clerk": "fills in forms", "plumber": "mends pipes",
    "hairdresser": "cuts hair", "actor": "acts in plays", "reporter": "writes for a newspaper",
}  # fmt: skip

# For each relation, "direct question|the same inside another question"; {x} is asked about.
_ASKED = {
    "job": """What is the job of {x}?|what the job of {x} is
What does {x} do for a living?|what {x} does for a living
Which trade does {x} follow?|which trade {x} follows
How does {x} earn money?|how {x} earns money""",
    "home": """Where does {x} live?|where {x} lives
In which town is the house of {x}?|in which town the house of {x} is
What is the home town of {x}?|what the home town of {x} is
To which town must one go to visit {x}?|to which town one must go to visit {x}""",
    "born": """In which month was {x} born?|in which month {x} was born
When does {x} celebrate a birthday?|when {x} celebrates a birthday
In what month does {x} turn a year older?|in what month {x} turns a year older
Which month saw the birth of {x}?|which month saw the birth of {x}""",
    "spouse": """Who is married to {x}?|who is married to {x}
Whom did {x} marry?|whom {x} married
Who stood beside {x} at the wedding?|who stood beside {x} at the wedding
With whom does {x} share a wedding day?|with whom {x} shares a wedding day""",
    "mother": """Who is the mother of {x}?|who the mother of {x} is
Which woman gave birth to {x}?|which woman gave birth to {x}
Who is the woman that {x} calls mum?|who the woman is that {x} calls mum
What is the name of the mother of {x}?|what the mother of {x} is called""",
    "father": """Who is the father of {x}?|who the father of {x} is
Which man brought up {x}?|which man brought up {x}
Who is the man that {x} calls dad?|who the man is that {x} calls dad
What is the name of the father of {x}?|what the father of {x} is called""",
    "daughter": """Who is the daughter of {x}?|who the daughter of {x} is
Which girl calls {x} a parent?|which girl calls {x} a parent
What is the name of the girl that {x} brought up?|which girl {x} brought up
What name did {x} give to a baby girl?|what name {x} gave to a baby girl""",
    "son": """Who is the son of {x}?|who the son of {x} is
Which boy calls {x} a parent?|which boy calls {x} a parent
What is the name of the boy that {x} brought up?|which boy {x} brought up
What name did {x} give to a baby boy?|what name {x} gave to a baby boy""",
    "sibling": """Who has the same parents as {x}?|who has the same parents as {x}
Who is the sister or brother of {x}?|who the sister or brother of {x} is
With whom did {x} grow up under one roof?|with whom {x} grew up under one roof
Who grew up beside {x} as a sister or brother?|who grew up as the sister or brother of {x}""",
    "pet": """What kind of animal does {x} keep?|what kind of animal {x} keeps
Which animal lives with {x}?|which animal lives with {x}
What sort of pet does {x} have?|what sort of pet {x} has
Which animal does {x} feed every morning?|which animal {x} feeds every morning""",
    "pet_name": """What is the pet of {x} called?|what the pet of {x} is called
Which name did {x} give to a pet?|which name {x} gave to a pet
By what name does {x} call a pet?|by what name {x} calls a pet
To which name does the pet of {x} listen?|to which name the pet of {x} listens""",
    "likes": """What does {x} like to eat most?|what {x} likes to eat most
What does {x} enjoy most at table?|what {x} enjoys most at table
What would {x} buy first at the market?|what {x} would buy first at the market
What would {x} choose at a feast?|what {x} would choose at a feast""",
    "colour": """Which colour does {x} prefer?|which colour {x} prefers
What is the favourite colour of {x}?|what the favourite colour of {x} is
In which colour would {x} paint a house?|in which colour {x} would paint a house
Which colour pleases {x} most?|which colour pleases {x} most""",
    "owns": """What does {x} own?|what {x} owns
Which thing is the property of {x}?|which thing is the property of {x}
What possession does {x} have?|what possession {x} has
What could a thief take from {x}?|what a thief could take from {x}""",
    "country": """In which country is {x}?|in which country {x} is
Which country must one enter to reach {x}?|which country one must enter to reach {x}
To which country does {x} belong?|to which country {x} belongs
Of which country is {x} a part?|of which country {x} is a part""",
    "river": """Which river flows past {x}?|which river flows past {x}
On the banks of which river is {x}?|on the banks of which river {x} is
On which river does a boat reach {x}?|on which river a boat reaches {x}
What river gives {x} its water?|what river gives {x} its water""",
    "capital": """What is the capital of {x}?|what the capital of {x} is
From which town is {x} governed?|from which town {x} is governed
Which town is the seat of power in {x}?|which town is the seat of power in {x}
Which town is the first in {x}?|which town is the first in {x}""",
    "currency": """What money do people use in {x}?|what money people use in {x}
What is the currency of {x}?|what the currency of {x} is
With which coins does one buy things in {x}?|with which coins one buys things in {x}
Which coins are in the purses of {x}?|which coins are in the purses of {x}""",
    "language": """Which language is spoken in {x}?|which language is spoken in {x}
What do people speak in {x}?|what people speak in {x}
Which tongue should one learn for {x}?|which tongue one should learn for {x}
In which language are letters written in {x}?|in which language letters are written in {x}""",
    "people": """What is somebody from {x} called?|what somebody from {x} is called
What does one call a person born in {x}?|what one calls a person born in {x}
How do people from {x} call one of themselves?|how people from {x} call one of themselves
What is the word for a citizen of {x}?|what the word for a citizen of {x} is""",
    "food": """Besides {others}, what is {x} known for?|what {x} is known for besides {others}
Apart from {others}, what is {x} famous for?|what {x} is famous for apart from {others}
What else than {others} is typical of {x}?|what else than {others} is typical of {x}
What do guests praise in {x} beside {others}?|what guests praise in {x} beside {others}""",
}  # fmt: skip
# Descriptions that would answer the question, or put a food beside a town as if known for it.
_LEFT_OUT = {"pet_name": {"pet"}, "job": {"job", "home"}, "likes": {"home"}}
_FRAMES = (
    "Tell me {inside}.", "Do you know {inside}?", "Can you tell me {inside}?",
    "I would like to know {inside}.", "Please find out {inside}.", "Somebody asked me {inside}.",
    "I wonder {inside}.", "Could you look up {inside}?", "My question is {inside}.",
)  # fmt: skip


@dataclass(frozen=True)
class Query:
    """A question, the articles of use for it, and the answer, a word that stands in them.

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
    """Streams `n` queries: about known facts in "train", about held-out facts in "test".

    One question in ten, by its hash, is a test question; training text states no answer to the
    facts that test queries ask for, and only `documents(held_out=True)` does. `indirect` in [0, 1]
    is the share of questions that describe what they ask about. Raises ValueError for `n` below 1,
    another split or a dial out of range.
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
    """The facts that queries ask for; a country's foods only where no other is held out."""
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
    """Ways to name the subject by other facts, all known, that single it out."""
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
    """Descriptions by the relation that each of them tells."""
    return {
        "capital": f"the country whose capital is {country.capital}",
        "country": f"the country around {country.towns[1]}",
        "currency": f"the country where one pays in {country.currency}",
        "river": f"the country on both banks of the {country.river}",
    }


def _describe_town(town: Town) -> dict[str, str]:
    """By the people who live there; nobody is at home in a capital."""
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
    """How many women or men keep such a pet of that name."""
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
