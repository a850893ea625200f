"""What the tagged sentences are written with: words that have one tag, and names of every kind.

A word that is nearly always of one tag is listed under it in `TAGS`; any other tag is written with
its word (`book/VERB`). A name is `TYPE:its_words`: PER, LOC, ORG or DATE.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmcourse.world import knowledge
from llmcourse.world.facts import MONTHS, knowledge_base
from llmcourse.world.freehand import domain
from llmcourse.world.grammar import Domain

# Universal POS tag: the words that have it unless another is written with them
TAGS = {
    "ADJ": "old small new red blue deep sad ill last wet quiet famous first third tenth",
    "ADP": "to of for at in about into from with by across along under on over",
    "ADV": "soon never always again too twice then today home away when",
    "AUX": "could would",
    "CCONJ": "and or but",
    "DET": "the a an every",
    "INTJ": "yes oh please",
    "NOUN": """day week hour lunch supper breakfast road market tower river bridge garden letter
        boat house bread tea door dog children farmer woman friend neighbour song coins room bucket
        cup goals apples cart soup table bed grass minute wind flowers visitors people north
        south spoon rope bag roof stairs trees guests""",
    "NUM": "two four eight ten",
    "PART": "'s not",
    "PRON": "I you he she it we they her his my your our nothing someone who",
    "PUNCT": '. , ? ! "',
    "SCONJ": "if while",
    "VERB": """wanted bought sold lost took came went knew told thought sang ate wrote heard sat
        stood began met ran hoped read said eat see come wait waited find keep gone hidden
        hired wash run fill feed thanked beat invited visited lies""",
}

_SAME_NAMES = (  # first names that are months, towns, rivers, verbs or virtues too
    ("Florence", "f"), ("Victoria", "f"), ("Rose", "f"), ("Grace", "f"), ("Hope", "f"),
    ("April", "f"), ("June", "f"), ("May", "f"), ("Lorne", "m"), ("Austin", "m"), ("Will", "m"),
    ("Mark", "m"), ("Drew", "m"), ("Frank", "m"), ("August", "m"), ("Miles", "m"),
)  # fmt: skip
_PLACES = ("Hall", "Hill", "Park", "Church", "Field", "Lake", "Marsh", "Wood", "Brook", "Bridge")
_SURNAMES = (*_PLACES, "Stone", "Bell", "Banks", "Waters", "March", "Ostrum", "Karn", "Milby")
_WORDS = {"f": ("she", "her", "her"), "m": ("he", "him", "his")}


def _guests() -> Iterator[tuple[str, ...]]:
    """People from outside the world: a first name, a full name, or Mr and Mrs Hill."""
    for name, gender in _SAME_NAMES:
        yield f"PER:{name}", *_WORDS[gender]
        for surname in _SURNAMES:
            yield f"PER:{name}_{surname}", *_WORDS[gender]
    for surname in _SURNAMES:
        yield f"Mr/PROPN PER:{surname}", *_WORDS["m"]
        yield f"Mrs/PROPN PER:{surname}", *_WORDS["f"]


def _parks() -> Iterator[str]:
    """Places that might be people by their name."""
    for place in _PLACES:
        yield from (f"LOC:{name}_{place}" for name, _ in _SAME_NAMES[:10])


def _spots() -> Iterator[str]:
    """Places with a name of 2 or 3 words."""
    yield from _parks()
    for town in (country[1] for country in knowledge.COUNTRIES):
        yield from (f"LOC:{town}_{place}" for place in ("Bridge", "Market_Square", "Town_Hall"))


def _bodies() -> Iterator[str]:
    """Organisations, many of them named after a town, a river or a person."""
    for _, town, *_, river in knowledge.COUNTRIES:
        yield from (f"ORG:the_Bank_of_{town}", f"ORG:the_{town}_Times", f"ORG:{town}_Post")
        yield from (f"ORG:the_{river}_Boat_Club", f"ORG:{river}_Mills")
    for name in _SURNAMES:
        yield from (f"ORG:{name}_and_Sons", f"ORG:the_{name}_Company", f"ORG:{name}_Brothers")


def _dates() -> Iterator[str]:
    """Days with their preposition."""
    for day in ("Monday", "Tuesday", "Thursday", "Friday", "Sunday"):
        yield from (f"on DATE:{day}", f"DATE:last_{day}")
    for month in MONTHS:
        yield from (f"in DATE:{month}", f"DATE:last_{month}", f"on DATE:the_first_of_{month}")
        yield from (f"on DATE:the_third_of_{month}", f"on DATE:the_tenth_of_{month}")


def _nouns(words: str) -> list[tuple[str, ...]]:
    return [(f"{word}/NOUN",) for word in words.split()]


def domains() -> dict[str, Domain]:
    """What the slots of `SENTENCES` are filled from."""
    world = knowledge_base()
    names = [(f"PER:{p.name}", *_WORDS["f" if p.gender == "woman" else "m"]) for p in world.people]
    guests = list(_guests())
    people = Domain(
        ("name", "he", "him", "his"), (*names, *guests),
        (1 / len(names),) * len(names) + (1.5 / len(guests),) * len(guests),
    )  # fmt: skip
    towns = [(f"LOC:{town.name}",) for town in world.towns]
    rivers = [country.river for country in world.countries]
    return {
        "person": people,
        "guest": Domain(people.fields, tuple(guests), (1.0,) * len(guests)),
        "town": domain("name", towns),
        "river": domain("name", [(f"LOC:the_{river}",) for river in rivers]),
        "lake": domain("name", [(f"LOC:Lake_{river}",) for river in rivers]),
        "peak": domain("name", [(f"LOC:Mount_{river}",) for river in rivers]),
        "port": domain(
            "name river lake",
            [(f"LOC:{t.name}", f"LOC:the_{t.river}", f"LOC:Lake_{t.river}") for t in world.towns],
        ),
        "park": domain("name", [(park,) for park in _parks()]),
        "spot": domain("name", [(spot,) for spot in _spots()]),
        "org": domain("name", [(body,) for body in _bodies()]),
        "team": domain("name", [(f"ORG:{n}",) for n in (*rivers, *(t.name for t in world.towns))]),
        "date": domain("name", [(date,) for date in _dates()]),
        "thing": domain("name plural", [(f"{a}/NOUN", f"{b}/NOUN") for a, b in world.things]),
        "food": domain("name", [(f"{many}/NOUN",) for _, many in knowledge.FOODS]),
        "animal": domain("name plural", [(f"{a}/NOUN", f"{b}/NOUN") for a, b in knowledge.ANIMALS]),
        "job": domain("name", [(f"{job}/NOUN",) for job in world.jobs]),
        "act": domain("name", _nouns("play walk dance swim talk drink rest sail march race")),
        "number": domain("name", [(n,) for n in ("two", "four", "eight", "ten")]),
    }
