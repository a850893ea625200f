"""The articles of the world, one about each person, town, country and animal, to be retrieved.

Each article lists the facts that it states. By default these are known facts, which training text
may hold. With `held_out=True` the articles state all facts, and a model that was trained on the
known ones can answer questions about the others only by looking them up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from llmcourse.world.engine.spelling import with_article
from llmcourse.world.facts.knowledge import PETS
from llmcourse.world.facts.records import Animal, Country, Fact, Person, Town, knowledge_base

_FARMED = ("lamb", "donkey")

# What a person's article says, in this order: each wording uses exactly the relations in its key.
# {He}, {His}, {who}, {whom} and {whose} are the name or a pronoun, {his} is a pronoun.
_PERSON = {
    ("job", "home"): (
        "{name} is {a_job} in {home}.",
        "{name} lives in {home} and works as {a_job}.",
        "{name}, {a_job}, lives in {home}.",
        "{name} works as {a_job} in the town of {home}.",
        "In {home} lives {name}, {a_job}.",
    ),
    ("born",): (
        "{He} was born in {born}.",
        "{His} birthday is in {born}.",
        "{He} came into the world in {born}.",
        "{His} birthday comes in {born}.",
    ),
    ("spouse",): (
        "{He} is married to {spouse}.",
        "{His} {partner} is called {spouse}.",
        "{spouse} is {whose} {partner}.",
        "{He} has a {partner}, {spouse}.",
    ),
    ("mother", "father"): (
        "{His} mother is {mother} and {his} father is {father}.",
        "{He} is the {young} of {mother} and {father}.",
        "{mother} and {father} are {whose} parents.",
        "{His} parents are called {mother} and {father}.",
    ),
    ("child",): (
        "{His} daughter is {daughter} and {his} son is {son}.",
        "{He} has a daughter, {daughter}, and a son, {son}.",
        "{His} son is called {son}, and {his} daughter {daughter}.",
    ),
    ("sibling", "pet", "pet_name"): (
        "{His} {kin} is {sibling}, and {his} {pet} is called {pet_name}.",
        "{He} keeps {a_pet} called {pet_name} and has a {kin}, {sibling}.",
        "{sibling} is {whose} {kin}, and {his} pet is the {pet} {pet_name}.",
        "{He} has a {kin} named {sibling} and {a_pet} named {pet_name}.",
    ),
    ("likes", "colour"): (
        "{His} favourite food is {likes}, and {his} favourite colour is {colour}.",
        "{He} likes {likes} best of all foods and {colour} best of all colours.",
        "Of all colours {who} likes {colour} best, and of all foods {likes}.",
        "{He} loves {likes}, and {his} favourite colour is {colour}.",
    ),
    ("owns",): (
        "{He} owns {a_owns}.",
        "{He} is the owner of {a_owns}.",
        "Among {whose} things is {a_owns}.",
        "{a_owns} belongs to {whom}.",
    ),
}  # fmt: skip
_HE = {
    "woman": dict(He="She", who="she", whom="her", His="Her", his="her", whose="her",
                  young="daughter", partner="husband", kin="brother"),
    "man": dict(He="He", who="he", whom="him", His="His", his="his", whose="his",
                young="son", partner="wife", kin="sister"),
}  # fmt: skip


@dataclass(frozen=True)
class Document:
    """An article: `id` such as "people/mia", its title, its text, and the facts that it states.

    A sentence also states the reverse of its fact: if Tom is married to Mia, Mia is married to Tom.
    """

    id: str
    title: str
    text: str
    facts: tuple[Fact, ...]


_Sentence = tuple[str, tuple[Fact, ...]]


@cache
def documents(*, held_out: bool = False) -> tuple[Document, ...]:
    """Return all articles, always the same ones: 3 to 8 sentences each.

    They state known facts only, or every fact with `held_out=True`; no training text may be made
    from the latter. Known facts are worded alike in both, except the list of a country's foods.
    """
    world = knowledge_base()
    about: tuple[tuple[str, Sequence[tuple[str, Iterator[_Sentence]]]], ...] = (
        ("people", [(p.name, _person(p)) for p in world.people]),
        ("towns", [(t.name, _town(t)) for t in world.towns]),
        ("countries", [(c.name, _country(c, held_out)) for c in world.countries]),
        ("animals", [(one.singular, _animal(one)) for one in world.animals]),
    )
    return tuple(
        _article(kind, title, sentences, held_out) for kind, group in about
        for title, sentences in group
    )  # fmt: skip


def _article(kind: str, title: str, sentences: Iterator[_Sentence], held_out: bool) -> Document:
    told = [
        (text, facts)
        for text, facts in sentences
        if held_out or not any(fact.held_out for fact in facts)
    ]
    text = " ".join(sentence[0].upper() + sentence[1:] for sentence, _ in told)
    facts = tuple(fact for _, stated in told for fact in stated)
    return Document(f"{kind}/{title.lower()}", title.capitalize(), text, facts)


def listing(names: Sequence[str]) -> str:
    """Return names as a list in a sentence.

    >>> listing(["Mia"]), listing(["Mia", "Tom"]), listing(["Mia", "Tom", "Leo"])
    ('Mia', 'Mia and Tom', 'Mia, Tom and Leo')
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


@cache
def _fact(subject: str, relation: str, thing: str) -> Fact:
    (found,) = (f for f in knowledge_base().about(subject, relation) if f.object == thing)
    return found


def _wording(subject: str) -> Callable[[Sequence[str]], str]:
    """Return a function that chooses among wordings, always the same ones for a subject."""
    return Random(f"article {subject}").choice


# --- what each kind of article says ----------------------------------------------------------


def _person(person: Person) -> Iterator[_Sentence]:
    world = knowledge_base()
    choose = _wording(person.name)
    own = {fact.relation: fact.object for fact in world.about(person.name)}
    young = {world.person(child).gender: child for child in person.children}
    terms = own | _HE[person.gender] | {"name": person.name}
    terms |= {f"a_{relation}": with_article(thing) for relation, thing in own.items()}
    terms |= {"daughter": young.get("woman", ""), "son": young.get("man", "")}
    named = dict.fromkeys(("He", "who", "whom"), person.name)
    named |= dict.fromkeys(("His", "whose"), f"{person.name}'s")
    for relations, wordings in _PERSON.items():
        text, by_name = choose(wordings), choose(("name", "name", "name", "pronoun")) == "name"
        if relations[0] in own:
            told = [f for relation in relations for f in world.about(person.name, relation)]
            words = terms | named if by_name else terms
            yield text.format(**words), (*told, *_from_the_other_side(told, person))


def _from_the_other_side(told: Sequence[Fact], person: Person) -> Iterator[Fact]:
    parent = "mother" if person.gender == "woman" else "father"
    reverse = {"spouse": "spouse", "sibling": "sibling", "child": parent, "mother": "child",
               "father": "child"}  # fmt: skip
    for fact in told:
        if fact.relation in reverse:
            yield _fact(fact.object, reverse[fact.relation], person.name)


def _town(town: Town) -> Iterator[_Sentence]:
    world, choose = knowledge_base(), _wording(town.name)
    country = world.country(town.country)
    lies = _fact(town.name, "country", country.name)
    if town.name == country.capital:
        capital = _fact(country.name, "capital", town.name)
        yield choose((
            f"{town.name} is the capital of {country.name}.",
            f"The capital of {country.name} is {town.name}.",
            f"{town.name} is a town in {country.name} and its capital.",
        )), (lies, capital)  # fmt: skip
    else:
        yield choose((
            f"{town.name} is a town in {country.name}.",
            f"{town.name} is one of the towns of {country.name}.",
            f"The town of {town.name} lies in {country.name}.",
        )), (lies,)  # fmt: skip
    yield choose((
        f"{town.name} lies by the river {town.river}.",
        f"The river {town.river} runs through {town.name}.",
        f"Its river is the {town.river}.",
    )), (_fact(town.name, "river", town.river),)  # fmt: skip
    folk = [person for person in world.people if person.home == town.name]
    if folk:
        named = listing([f"{person.name} the {person.job}" for person in folk])
        homes = [_fact(p.name, "home", town.name) for p in folk]
        jobs = [_fact(p.name, "job", p.job) for p in folk]
        yield choose((
            f"{named} live in {town.name}.", f"{town.name} is the home of {named}.",
            f"Among the people of {town.name} are {named}.",
        )), (*homes, *jobs)  # fmt: skip
    near = [name for name in country.towns if name != town.name]
    yield choose((
        f"The other towns of the country are {listing(near)}.",
        f"Its neighbours in the same country are {listing(near)}.",
        f"In the same country lie {listing(near)}.",
    )), tuple(_fact(name, "country", country.name) for name in near)  # fmt: skip


def _country(country: Country, held_out: bool) -> Iterator[_Sentence]:
    choose, name = _wording(country.name), country.name
    capital, *near = country.towns
    yield choose((
        f"{name} is a country with the capital {capital}.",
        f"The capital of {name} is {capital}.",
        f"{capital} is the capital of {name}.",
    )), (_fact(name, "capital", capital), _fact(capital, "country", name))  # fmt: skip
    yield choose((
        f"Its other towns are {listing(near)}, and all lie by the river {country.river}.",
        f"Along the river {country.river} lie the capital and two more towns, {listing(near)}.",
    )), tuple(
        fact for town in country.towns for fact in (
            _fact(town, "country", name), _fact(town, "river", country.river))
    )  # fmt: skip
    yield choose((
        f"One pays in {country.currency} in {name}.",
        f"Its money is called {country.currency}.",
        f"The currency of {name} is {country.currency}.",
    )), (_fact(name, "currency", country.currency),)  # fmt: skip
    yield choose((
        f"The language of {name} is {country.language}.",
        f"People there speak {country.language}.",
        f"{country.language} is spoken all over {name}.",
    )), (_fact(name, "language", country.language),)  # fmt: skip
    yield choose((
        f"Anybody from {name} is called {with_article(country.people)}.",
        f"Somebody from {name} is {with_article(country.people)}.",
        f"A person from that country is {with_article(country.people)}.",
    )), (_fact(name, "people", country.people),)  # fmt: skip
    foods = [_fact(name, "food", food) for food in country.foods]
    told = [fact for fact in foods if held_out or not fact.held_out]
    if told:
        served = listing([fact.object for fact in told])
        yield choose((
            f"{name} is known for its {served}.",
            f"It is famous for its {served}.",
            f"Its people are proud of their {served}.",
        )), tuple(told)  # fmt: skip


def _animal(animal: Animal) -> Iterator[_Sentence]:
    choose, one = _wording(animal.singular), animal.singular
    owners = [person for person in knowledge_base().people if person.pet == one]
    kind = "pet" if one in PETS else "farm animal" if one in _FARMED else "wild animal"
    yield choose((f"The {one} is a {kind}.", f"{with_article(one)} is a {kind}.")), ()
    yield choose((
        f"Its voice is easy to tell from others: {with_article(one)} {animal.sound}.",
        f"Everybody has heard that {with_article(one)} {animal.sound}.",
        f"In the early morning {with_article(one)} {animal.sound} loudest.",
    )), ()  # fmt: skip
    yield choose((
        f"One says one {one} and two {animal.plural}.",
        f"The plural of {one} is {animal.plural}.",
    )), ()  # fmt: skip
    if owners:
        named = listing([person.name for person in owners])
        yield choose((
            f"{named} each keep {with_article(one)}.",
            f"{with_article(one)} lives with each of these people: {named}.",
        )), tuple(_fact(person.name, "pet", one) for person in owners)  # fmt: skip
    else:
        yield choose((
            "Nobody in the ten countries keeps one as a pet.",
            "It is nobody's pet in the ten countries.",
        )), ()  # fmt: skip
