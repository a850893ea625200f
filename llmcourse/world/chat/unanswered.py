"""Open asks: those that no training text answers.

They have three sources: facts that are held out, relatives that the world does not mention, and
people, places and words that are not in it at all.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import replace
from functools import cache

from llmcourse.world.chat.asks import (
    ROUTED,
    Ask,
    Route,
    ask_of,
    asks_for,
    kin_words,
    known_asks,
    routes_by,
    routes_of,
    through,
)
from llmcourse.world.chat.question_forms import FORMS, OF_KIN, OF_PEOPLE, named
from llmcourse.world.engine.spelling import with_article
from llmcourse.world.facts.records import knowledge_base

# People and places that are not in the world.
NOBODY = {
    "woman": ("Agatha", "Beatrice", "Cecily", "Dora", "Flora", "Gilda", "Imogen", "Lavinia",
              "Mabel", "Sybil", "Ursula", "Winifred"),
    "man": ("Albert", "Basil", "Cedric", "Edgar", "Gordon", "Harold", "Julian", "Kenneth",
            "Lionel", "Norman", "Roland", "Vincent"),
}  # fmt: skip
NO_TOWNS = (
    "Aldermere", "Brockley", "Crannick", "Dunwick", "Estholm", "Farrowby", "Gorsewell", "Hexby",
    "Kelvard", "Lindow", "Orlett", "Penhall", "Rothmere", "Tolven",
)  # fmt: skip
NO_COUNTRIES = (
    "Ardenia", "Borgund", "Cantaria", "Drovia", "Elmark", "Feronia", "Galdia", "Hestria", "Jorland",
    "Lavonia", "Morvia", "Pellania", "Rostavia", "Torland",
)  # fmt: skip
NO_JOBS = (
    "beekeeper", "banker", "soldier", "miner", "chemist", "juggler", "blacksmith", "weaver",
    "cobbler", "astronomer", "brewer", "diver",
)  # fmt: skip
NO_COINS = (
    "groats", "guilders", "piastres", "sovereigns", "sequins", "nobles", "guineas", "doubloons",
    "tokens", "stivers",
)  # fmt: skip
NO_LANGUAGES = (
    "Ardenic", "Borgundish", "Cantarese", "Drovian", "Elmarkish", "Feronese", "Galdish",
    "Hestric", "Jorlandic", "Lavonese",
)  # fmt: skip
NO_PEOPLES = tuple(country.removesuffix("ia") + "ians" for country in NO_COUNTRIES)


@cache
def open_asks(split: str) -> dict[tuple[str, str], tuple[tuple[Ask, ...], ...]]:
    """Return the open asks of a split by form and route, a list for each source that has any.

    The order of the sources is: held out, not mentioned, not in the world.
    """
    held, absent, invented = _held(), _absent(), _invented()
    routes = routes_of(known_asks()[0])
    sources = (
        [*held, *through(routes, held), *_onward(held)],
        [*absent, *_onward(absent)],
        [*invented, *_onward(invented)],
    )
    found: dict[tuple[str, str], list[tuple[Ask, ...]]] = defaultdict(list)
    for source in sources:
        groups: dict[tuple[str, str], list[Ask]] = defaultdict(list)
        for ask in source:
            if _for_tests(ask) == (split == "test"):
                shown = ask if split == "test" else replace(ask, fact=None)
                groups[ask.form.name, ask.route].append(shown)
        for group, asks in groups.items():
            found[group].append(tuple(asks))
    return {group: tuple(lists) for group, lists in found.items()}


def _for_tests(ask: Ask) -> bool:
    """Say whether an unknown subject is kept for tests: every second one is."""
    return zlib.crc32(ask.key.encode()) % 2 == 0


def _onward(asks: list[Ask]) -> list[Ask]:
    """Return the asks that are open because their route is: the job of an unknown brother."""
    found = []
    for ask in asks:
        for route in routes_by(replace(ask, answer="")):
            routes = [route]
            if route.name == "home":
                there = named(f"the country where {ask.name} lives", long=True)
                routes.append(Route("country of home", there, "", (), ROUTED["country of home"]))
            found += [
                Ask(FORMS[form], step.subject, "", None, ask.name, route=step.name, key=ask.key)
                for step in routes
                for form in step.forms
            ]
    return found


def _held() -> list[Ask]:
    """Return asks for held-out facts, except for foods: of these a country has known ones, too."""
    return [
        replace(ask, answer="")
        for fact in knowledge_base().hidden
        if fact.relation != "food"
        for ask in asks_for(fact)
    ]


def _absent() -> list[Ask]:
    """Return asks for relatives that the world does not mention."""
    world = knowledge_base()
    told = {FORMS[word].relation for word in OF_KIN}
    there = {
        (fact.subject, kin_words()[fact.relation, world.person(fact.object).gender])
        for fact in world.facts
        if fact.relation in told
    }
    spouses = {"woman": "wife", "man": "husband"}
    return [
        ask_of(word, person.name, "", None)
        for person in world.people
        for word in OF_KIN
        if (person.name, word) not in there and word != spouses[person.gender]
    ]


def _invented() -> list[Ask]:
    """Return all asks about people, places and words that are not in the world."""
    rows: list[tuple[str, str]] = []
    for gender, names in NOBODY.items():
        odd = "wife" if gender == "woman" else "husband"
        forms = [form for form in (*OF_PEOPLE, *OF_KIN) if form != odd]
        rows += [(form, name) for name in names for form in forms]
    rows += [(form, town) for town in NO_TOWNS for form in ("country", "river")]
    about = ("capital", "currency", "language", "people", "food")
    rows += [(form, country) for country in NO_COUNTRIES for form in about]
    rows += [(f"{sex} of job", with_article(job)) for job in NO_JOBS for sex in ("woman", "man")]
    rows += [("country of capital", town) for town in NO_TOWNS]
    rows += [("country of currency", coins) for coins in NO_COINS]
    rows += [("country of language", language) for language in NO_LANGUAGES]
    rows += [("country of people", people) for people in NO_PEOPLES]
    return [ask_of(form, name, "", None, key=name) for form, name in rows]
