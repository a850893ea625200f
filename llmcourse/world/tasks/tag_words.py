"""The words of the tagged sentences: words that have one tag, and names of every kind.

A word that is nearly always of one tag is listed under it in `TAGS`; any other tag is written with
its word (`book/VERB`). A name is `TYPE:its_words`: PER, LOC, ORG or DATE.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llmcourse.world.engine.grammar import Domain
from llmcourse.world.engine.text_files import sections
from llmcourse.world.engine.writing import even
from llmcourse.world.facts import knowledge
from llmcourse.world.facts.records import MONTHS, knowledge_base

# universal part-of-speech tag: the words that have it unless another is written with them
TAGS = sections("tags")

_SAME_NAMES = (  # first names that are months, towns, rivers, verbs or virtues too
    ("Florence", "f"), ("Victoria", "f"), ("Rose", "f"), ("Grace", "f"), ("Hope", "f"),
    ("April", "f"), ("June", "f"), ("May", "f"), ("Lorne", "m"), ("Austin", "m"), ("Will", "m"),
    ("Mark", "m"), ("Drew", "m"), ("Frank", "m"), ("August", "m"), ("Miles", "m"),
)  # fmt: skip
_PLACES = ("Hall", "Hill", "Park", "Church", "Field", "Lake", "Marsh", "Wood", "Brook", "Bridge")
_SURNAMES = (*_PLACES, "Stone", "Bell", "Banks", "Waters", "March", "Ostrum", "Karn", "Milby")
_WORDS = {"f": ("she", "her", "her"), "m": ("he", "him", "his")}


def _guests() -> Iterator[tuple[str, ...]]:
    """Yield people from outside the world: a first name, a full name, or Mr and Mrs Hill."""
    for name, gender in _SAME_NAMES:
        yield f"PER:{name}", *_WORDS[gender]
        for surname in _SURNAMES:
            yield f"PER:{name}_{surname}", *_WORDS[gender]
    for surname in _SURNAMES:
        yield f"Mr/PROPN PER:{surname}", *_WORDS["m"]
        yield f"Mrs/PROPN PER:{surname}", *_WORDS["f"]


def _parks() -> Iterator[str]:
    """Yield places whose names might be those of people."""
    for place in _PLACES:
        yield from (f"{name}_{place}" for name, _ in _SAME_NAMES[:10])


def _spots() -> Iterator[str]:
    """Yield places with a name of 2 or 3 words."""
    yield from _parks()
    for town in (country[1] for country in knowledge.COUNTRIES):
        yield from (f"{town}_{place}" for place in ("Bridge", "Market_Square", "Town_Hall"))


def _bodies() -> Iterator[str]:
    """Yield organisations, many of them named after a town, a river or a person."""
    for _, town, *_, river in knowledge.COUNTRIES:
        yield from (f"the_Bank_of_{town}", f"the_{town}_Times", f"{town}_Post")
        yield from (f"the_{river}_Boat_Club", f"{river}_Mills")
    for name in _SURNAMES:
        yield from (f"{name}_and_Sons", f"the_{name}_Company", f"{name}_Brothers")


def _dates() -> Iterator[str]:
    """Yield days with their preposition."""
    for day in ("Monday", "Tuesday", "Thursday", "Friday", "Sunday"):
        yield from (f"on DATE:{day}", f"DATE:last_{day}")
    for month in MONTHS:
        yield from (f"in DATE:{month}", f"DATE:last_{month}", f"on DATE:the_first_of_{month}")
        yield from (f"on DATE:the_third_of_{month}", f"on DATE:the_tenth_of_{month}")


def _nouns(words: Iterable[str]) -> Domain:
    return even("name", rows=[f"{word}/NOUN" for word in words])


def _pairs(rows: Iterable[tuple[str, str]]) -> Domain:
    return even("name", "plural", rows=[f"{one}/NOUN, {many}/NOUN" for one, many in rows])


def _names(kind: str, words: Iterable[str]) -> Domain:
    return even("name", rows=[f"{kind}:{word}" for word in words])


def domains() -> dict[str, Domain]:
    """Return what the slots of `texts/tag_sentences.txt` are filled from."""
    world = knowledge_base()
    known = [(f"PER:{p.name}", *_WORDS["f" if p.gender == "woman" else "m"]) for p in world.people]
    guests = list(_guests())
    fields = ("name", "he", "him", "his")
    weights = (1 / len(known),) * len(known) + (1.5 / len(guests),) * len(guests)
    towns = [town.name for town in world.towns]
    rivers = [country.river for country in world.countries]
    ports = [f"LOC:{t.name}, LOC:the_{t.river}, LOC:Lake_{t.river}" for t in world.towns]
    return {
        "person": Domain(fields, (*known, *guests), weights),
        "guest": Domain(fields, tuple(guests), (1.0,) * len(guests)),
        "town": _names("LOC", towns),
        "river": _names("LOC", [f"the_{river}" for river in rivers]),
        "lake": _names("LOC", [f"Lake_{river}" for river in rivers]),
        "peak": _names("LOC", [f"Mount_{river}" for river in rivers]),
        "port": even("name", "river", "lake", rows=ports),
        "park": _names("LOC", _parks()),
        "spot": _names("LOC", _spots()),
        "org": _names("ORG", _bodies()),
        "team": _names("ORG", [*rivers, *towns]),
        "date": even("name", rows=_dates()),
        "thing": _pairs(world.things),
        "animal": _pairs(knowledge.ANIMALS),
        "food": _nouns(many for _, many in knowledge.FOODS),
        "job": _nouns(world.jobs),
        "act": _nouns(("play", "walk", "dance", "swim", "talk", "drink", "rest", "race")),
        "number": even("name", rows=TAGS["NUM"].split()),
    }
