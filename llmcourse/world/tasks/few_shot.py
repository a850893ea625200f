"""Few-shot episodes: sentences sorted into classes whose labels are random words.

An episode sorts by one feature of its sentences (who, when, where, what kind of thing, ...) and
gives each class a label drawn at random. The next episode may sort by another feature and give the
same class another label, so the meaning of the labels can only be learned from the shots.

source: Brown et al., Language Models are Few-Shot Learners, 2020, arXiv:2005.14165, for the task;
Wei et al., Larger language models do in-context learning differently, 2023, arXiv:2303.03846, for
labels without meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from llmcourse.text.corpora import words
from llmcourse.world.engine.spelling import with_article
from llmcourse.world.engine.splits import draw, of_split
from llmcourse.world.facts.knowledge import ANIMALS, COLOURS, FOODS, JOBS, MEN, THINGS, WOMEN

LABELS = ("dax", "wug", "blick", "toma", "zup", "fep", "mib", "glorp")
MOST_CLASSES, MOST_SHOTS = 4, 64

_VERBS = tuple(
    verb.split("/") for verb in (
        "see/sees/saw", "notice/notices/noticed", "draw/draws/drew", "find/finds/found",
        "photograph/photographs/photographed", "remember/remembers/remembered",
        "describe/describes/described", "look at/looks at/looked at",
        "point at/points at/pointed at", "wait for/waits for/waited for",
        "write about/writes about/wrote about", "sing about/sings about/sang about",
        "think of/thinks of/thought of", "dream of/dreams of/dreamed of",
        "ask for/asks for/asked for", "look for/looks for/looked for",
        "joke about/jokes about/joked about", "paint/paints/painted",
        "walk past/walks past/walked past", "admire/admires/admired", "watch/watches/watched",
    )
)  # fmt: skip
_BUILDINGS = tuple(
    (one, one + "s")
    for one in words(
        "mill bridge tower barn castle school station inn shop cottage palace market harbour gate "
        "house wall"
    )
)
_COUNTS = words("two three four five six seven eight nine ten eleven twelve some many several")
_WHERE = {
    "water": "by the river, at the lake, on the beach, by the sea, on the boat, at the harbour",
    "town": "at the market, at the station, in the street, in the square, on the bus, at the shop",
    "house": "in the kitchen, at home, on the stairs, in the hall, by the fire, at the table",
    "wild": "in the forest, on the hill, in the desert, on the mountain, in the snow, in the cave",
}
_WHEN = {
    "morning": "at sunrise, in the morning, before breakfast, at breakfast, early in the day",
    "noon": "at noon, at lunch, in the middle of the day, after lunch, before lunch",
    "evening": "at sunset, in the evening, at supper, after supper, late in the day",
    "night": "at midnight, late at night, in bed, under the moon, under the stars",
}
_QUALITY = {
    "good": "lovely splendid fine wonderful nice great",
    "bad": "horrible awful nasty terrible dreadful miserable",
}


@dataclass(frozen=True)
class Episode:
    """Sentences with their labels, a query, and the label it should get.

    `feature` is what the episode sorts by, `mapping` which label each of its classes has.
    """

    shots: tuple[tuple[str, str], ...]
    query: str
    answer: str
    feature: str
    mapping: tuple[tuple[str, str], ...]


def episodes(
    n: int, *, shots: int = 4, classes: int = 2, split: str = "train", seed: int = 0
) -> Iterator[Episode]:
    """Stream `n` episodes with that many shots (0 to 64) in all, of `classes` (2 to 4) classes.

    The classes have equally many shots, or one more or less, in random order, and no sentence
    occurs twice; every class and every position among the shots is equally likely to match the
    query. The sentences of an episode differ in its feature and in one more. With at least as many
    shots as classes, every class is shown and the answer is determined: sorting by the other
    feature contradicts the shots, or gives the same answer, or a class that was not shown. With
    fewer shots the answer may be open; with none, a guess is right in 1 of 8 cases. Sentences
    belong to the split by their hash. Raises ValueError for `n` below 1, another split, and shots
    or classes out of range.
    """
    for name, size, least, most in (
        ("shots", shots, 0, MOST_SHOTS), ("classes", classes, 2, MOST_CLASSES)
    ):  # fmt: skip
        if not least <= size <= most:
            raise ValueError(
                f"expected {name} of {least} to {most}, got {size}: choose a number within these"
            )
    return draw(
        lambda rng: _episode(rng, shots, classes, split), n, split, seed,
        f"episodes {shots} {classes}",
    )  # fmt: skip


_Case = tuple[str, Mapping[str, str]]  # a sentence and the class of each of its features


def _episode(rng: Random, shots: int, classes: int, split: str) -> Episode:
    while True:
        feature, other = _features(rng, classes)
        chosen = rng.sample(FEATURES[feature], classes)
        order = [chosen[i % classes] for i in range(shots)]
        rng.shuffle(chosen)
        rng.shuffle(order)
        still = _still(rng, feature, other)
        cases = [
            of_split(
                partial(_case, values=still | {feature: made}, other=other),
                rng, split, key=lambda case: case[0],
            )
            for made in (*order, rng.choice(chosen))
        ]  # fmt: skip
        if len({text for text, _ in cases}) <= shots:
            continue
        if shots < classes or _settled(cases, feature, other):
            mapping = dict(zip(chosen, rng.sample(LABELS, classes), strict=True))
            labelled = [(text, mapping[values[feature]]) for text, values in cases]
            query, answer = labelled.pop()
            return Episode(tuple(labelled), query, answer, feature, tuple(mapping.items()))


def _settled(cases: Sequence[_Case], feature: str, other: str) -> bool:
    """Say whether no sorting by `other` explains the shots and gives the query another answer."""
    *shown, (_, query) = cases
    sorted_as: dict[str, set[str]] = {}
    for _, values in shown:
        sorted_as.setdefault(values[other], set()).add(values[feature])
    at_odds = any(len(found) > 1 for found in sorted_as.values())
    return at_odds or sorted_as.get(query[other], {query[feature]}) == {query[feature]}


# --- sentences with known features -----------------------------------------------------------

_ALWAYS = ("who", "tense", "kind", "number")  # said in every sentence
_NOUNS = {
    "animal": ANIMALS, "food": FOODS, "thing": THINGS, "building": _BUILDINGS,
    "worker": tuple((job, job + "s") for job in JOBS),
}  # fmt: skip
# Features that suit some kinds of nouns only: no mill is seen on the stairs.
_SUITED = {"colour": ("thing",), "where": ("thing", "food", "animal")}
FEATURES = {
    "who": ("woman", "man", "two people"), "tense": ("past", "present", "future"),
    "kind": tuple(_NOUNS), "number": ("one", "many"), "where": tuple(_WHERE),
    "when": tuple(_WHEN), "quality": tuple(_QUALITY), "colour": tuple(COLOURS),
}  # fmt: skip


def _features(rng: Random, classes: int) -> tuple[str, str]:
    """Return what to sort by, and what else differs."""
    feature = rng.choice([name for name in FEATURES if len(FEATURES[name]) >= classes])
    apart = {"kind": set(_SUITED)}.get(feature, {"kind"} if feature in _SUITED else set())
    return feature, rng.choice([name for name in FEATURES if name not in {feature, *apart}])


def _still(rng: Random, feature: str, other: str) -> dict[str, str]:
    """Return the classes of the features that all sentences of an episode have in common."""
    still = {name: rng.choice(FEATURES[name]) for name in _ALWAYS}
    suited = [_SUITED.get(name, tuple(_NOUNS)) for name in (feature, other)]
    return still | {"kind": rng.choice([kind for kind in suited[0] if kind in suited[1]])}


def _case(rng: Random, values: Mapping[str, str], other: str) -> _Case:
    values = {**values, other: rng.choice(FEATURES[other])}
    front: list[str] = []
    back: list[str] = []
    for name, phrases in (("where", _WHERE), ("when", _WHEN)):
        if name in values:
            phrase = rng.choice(phrases[values[name]].split(", "))
            (front if rng.random() < 0.4 and not front else back).append(phrase)
    text = " ".join([*(f"{phrase}," for phrase in front), _clause(rng, values), *back])
    return f"{text[0].upper()}{text[1:]}.", values


def _clause(rng: Random, values: Mapping[str, str]) -> str:
    who = _names(rng, values["who"])
    base, third, past = rng.choice(_VERBS)
    plural = values["who"] == "two people"
    verb = {"past": past, "present": base if plural else third, "future": f"will {base}"}
    looks = [rng.choice(_QUALITY[values["quality"]].split())] if "quality" in values else []
    looks += [values["colour"]] if "colour" in values else []
    one, many = rng.choice(_NOUNS[values["kind"]])
    if values["number"] == "many":
        return " ".join([who, verb[values["tense"]], rng.choice(_COUNTS), *looks, many])
    return " ".join([who, verb[values["tense"]], with_article(" ".join([*looks, one]))])


def _names(rng: Random, who: str) -> str:
    if who == "two people":
        return " and ".join(rng.sample((*WOMEN, *MEN), 2))
    return rng.choice(WOMEN if who == "woman" else MEN)
