"""What the world can be asked, before it is put into words.

An `Ask` is a form of question, a subject and the answer. Most subjects are names; others are
reached by a route through another fact ("Mia's brother", "the country where people pay with
crowns"), and then the reply tells that fact first.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache

from llmcourse.world.chat.question_forms import (
    FORMS,
    OF_KIN,
    OF_PEOPLE,
    Form,
    Subject,
    fill,
    named,
)
from llmcourse.world.engine.spelling import with_article
from llmcourse.world.facts.records import Fact, knowledge_base

UNKNOWN = "I do not know"


@dataclass(frozen=True)
class Ask:
    """What a question asks before it is put into words.

    `name` is the person or thing asked about, `subject` how the question refers to it. `route`
    names the kind of a phrase that leads to it ("" where the question has the name itself), and
    `before` are the sentences that the reply then begins with. An open question has the answer "";
    its `key` decides its split.
    """

    form: Form
    subject: Subject
    answer: str
    fact: Fact | None
    name: str
    before: tuple[str, ...] = ()
    route: str = ""
    key: str = ""

    @property
    def reply(self) -> str:
        """The gold reply: the facts on the way and the answer, or that it is not known."""
        if not self.answer:
            return f"{UNKNOWN} {self.form.clauses[0].format(**vars(self.subject))}."
        told = fill(self.form.reply, named(self.name), self.answer)
        return " ".join((*self.before, told))


@cache
def known_asks() -> tuple[tuple[Ask, ...], tuple[Ask, ...]]:
    """Return all asks with a known answer: those about a name, and those through other facts."""
    direct = [ask for fact in knowledge_base().known for ask in asks_for(fact)]
    foods = {ask.name: ask for ask in reversed(direct) if ask.form.name == "food"}
    direct = [ask for ask in direct if ask.form.name != "food" or foods[ask.name] is ask]
    return tuple(direct), tuple(through(routes_of(direct), direct))


# Relation -> form that asks for its object, and form that asks for its subject if that is unique.
_ABOUT = {
    "job": "job", "home": "home", "born": "born", "pet": "pet", "pet_name": "pet name",
    "likes": "favourite food", "colour": "favourite colour", "owns": "belonging",
    "country": "country", "river": "river", "capital": "capital", "currency": "currency",
    "language": "language", "people": "people", "food": "food",
}  # fmt: skip
_BACK = {
    "capital": "country of capital", "currency": "country of currency",
    "language": "country of language", "people": "country of people",
}  # fmt: skip


@cache
def kin_words() -> dict[tuple[str, str], str]:
    """Return ("sibling", "man") -> "brother": what a relative is called."""
    women = {woman for woman, _ in knowledge_base().gendered}
    return {(FORMS[word].relation, "woman" if word in women else "man"): word for word in OF_KIN}


def asks_for(fact: Fact) -> list[Ask]:
    """Return the ways to ask for one fact, as if it were known."""
    world = knowledge_base()
    people = {person.name: person for person in world.people}
    form = _ABOUT.get(fact.relation) or kin_words()[fact.relation, people[fact.object].gender]
    found = [ask_of(form, fact.subject, fact.object, fact)]
    if fact.relation == "job":
        worker = f"{people[fact.subject].gender} of job"
        found.append(ask_of(worker, with_article(fact.object), fact.subject, fact))
    if fact.relation in _BACK:
        name = fact.object + "s" if fact.relation == "people" else fact.object
        found.append(ask_of(_BACK[fact.relation], name, fact.subject, fact))
    return found


def ask_of(form: str, name: str, answer: str, fact: Fact | None, key: str = "") -> Ask:
    """Return the ask of a form about a name."""
    return Ask(FORMS[form], named(name), answer, fact, name, key=key or f"{form} {name}")


@dataclass(frozen=True)
class Route:
    """A phrase that stands for a name (`target`), the facts behind it, and the forms it suits."""

    name: str
    subject: Subject
    target: str
    before: tuple[str, ...]
    forms: tuple[str, ...]


def routes_of(asks: list[Ask] | tuple[Ask, ...]) -> list[Route]:
    """Return the routes through the facts that `asks` ask for."""
    countries = {ask.name: ask for ask in asks if ask.form.name == "country"}
    found = []
    for ask in asks:
        found += routes_by(ask)
        if ask.form.name == "home":
            country = countries[ask.answer]
            subject = named(f"the country where {ask.name} lives", long=True)
            before = (ask.reply, country.reply)
            route = "country of home"
            found.append(Route(route, subject, country.answer, before, ROUTED[route]))
    return found


# Which forms make sense at the end of each route, and the phrase of the route.
ROUTED = {
    "home": ("country", "river"),
    "capital": ("river",),
    "country of capital": ("currency", "language", "people"),
    "country of currency": ("capital", "language", "people"),
    "country of home": ("capital", "currency", "language", "people"),
} | dict.fromkeys(OF_KIN, OF_PEOPLE)
_PHRASES = {
    "home": "the town where {0} lives",
    "capital": "the capital of {0}",
    "country of capital": "the country with the capital {0}",
    "country of currency": "the country where people pay with {0}",
} | {word: "{0}'s " + word for word in OF_KIN}


def routes_by(ask: Ask) -> list[Route]:
    """Return the route that the answer of this ask opens, if it opens one."""
    form = ask.form.name
    if form not in _PHRASES:
        return []
    subject = named(_PHRASES[form].format(ask.name), long=form not in OF_KIN)
    return [Route(form, subject, ask.answer, (ask.reply,), ROUTED[form])]


def through(routes: list[Route], asks: list[Ask]) -> list[Ask]:
    """Return the asks about the target of each route, with its phrase in place of the name."""
    by_name: dict[str, list[Ask]] = defaultdict(list)
    for ask in asks:
        by_name[ask.name].append(ask)
    return [
        replace(ask, subject=route.subject, before=route.before, route=route.name)
        for route in routes
        for ask in by_name[route.target]
        if ask.form.name in route.forms
    ]
