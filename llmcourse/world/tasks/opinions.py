"""Labelled reviews of restaurants, books, inns, shops and boat trips: is the writer pleased?

Half of them praise or blame in plain words. In the other half every review holds one good and one
bad word, and the same words occur in a positive and a negative review equally often. There the
label depends on which word is denied ("nobody could call the soup thin") or outweighed ("I expected
a dull plot, but it was clever"). A bag of words is at chance on these.

source: Pang, Lee and Vaithyanathan, Thumbs up? Sentiment Classification, 2002, for the task and for
expectations that are not met.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import NamedTuple

from llmcourse.world.engine.grammar import Rules
from llmcourse.world.engine.splits import draw, of_split
from llmcourse.world.engine.text_files import sections
from llmcourse.world.engine.writing import Row, Slots, Writer, all_of_split, even
from llmcourse.world.facts import knowledge

ASPECTS = sections("review_aspects")
LABELS = ("positive", "negative")
# How a review expresses its label: the frequency of each kind.
KINDS = {"plain": 0.5, "negation": 0.3, "contrast": 0.2}


@dataclass(frozen=True)
class Review:
    """A review of one to four sentences; `label` is "positive" or "negative".

    `topic` is what is reviewed ("restaurant", "book", "inn", "shop", "boat"). `kind` is how the
    label is told: in "plain" words, by the scope of a "negation", or by a "contrast" of two views.
    """

    text: str
    label: str
    topic: str
    kind: str


class _Aspect(NamedTuple):
    """One thing to judge, with words of praise and of blame."""

    the: str
    plural: bool
    words: dict[str, tuple[str, ...]]  # by label


def reviews(n: int, *, split: str = "train", seed: int = 0) -> Iterator[Review]:
    """Stream `n` reviews, positive or negative with equal probability.

    The frequencies of the kinds are KINDS. Every sentence belongs to `split`. In the kinds
    "negation" and "contrast" a review and its opposite have the same bag of words with the same
    probability. Raises ValueError for `n` below 1 or another split.
    """
    return draw(lambda rng: _review(rng, split), n, split, seed, "reviews")


def _review(rng: Random, split: str) -> Review:
    label, topic = rng.choice(LABELS), rng.choice(tuple(ASPECTS))
    (kind,) = rng.choices(tuple(KINDS), tuple(KINDS.values()))
    write = _writer().sentence

    def one(rule: str) -> str:
        return of_split(lambda source: write(rule, source), rng, split)

    sentences = [one(f"{topic} opening")] if rng.random() < 0.7 else []
    if kind == "plain":
        sentences += _plain(rng, topic, label, split)
    elif kind == "negation":
        sentences += all_of_split(lambda r: _negation(r, topic, label), rng, split, tuple)
    else:
        slots = _two_views
        sentences.append(
            of_split(lambda r: write("contrast", r, slots(r, topic, label)), rng, split)
        )
    if len(sentences) < 4 and rng.random() < 0.3:
        sentences.append(one("book aside" if topic == "book" else "visit aside"))
    return Review(" ".join(sentences), label, topic, kind)


def _plain(rng: Random, topic: str, label: str, split: str) -> list[str]:
    """Write one or two sentences in plain words, each about other aspects, perhaps a verdict."""
    aspects = rng.sample(_aspects()[topic], 4)
    sentences = []
    for first, second in ((0, 1), (2, 3))[: rng.choice((1, 1, 2))]:

        def sentence(source: Random, first: int = first, second: int = second) -> str:
            slots = {"a": _judged(source, aspects[first], label)}
            slots["b"] = _judged(source, aspects[second], label)
            return _writer().sentence("plain", source, slots)

        sentences.append(of_split(sentence, rng, split))
    if rng.random() < 0.4:
        sentences.append(of_split(lambda r: _writer().sentence(label, r), rng, split))
    return sentences


def _negation(rng: Random, topic: str, label: str) -> tuple[str, ...]:
    """Write one or two sentences: a word is denied of one thing, its contrary said of another."""
    slots = _two_views(rng, topic, label)
    if rng.random() < 0.6:
        return (_writer().sentence("both", rng, slots),)
    rules = rng.sample(("said", "denied"), 2)
    return tuple(_writer().sentence(rule, rng, slots) for rule in rules)


def _two_views(rng: Random, topic: str, label: str) -> Slots:
    """Return what is asserted, `a`, and what is denied or outweighed, `d`, of contrary polarity.

    Both are singular or both plural, so that their verbs tell nothing. `w` judges the same thing as
    `d` in the manner of `a`.
    """
    plural = rng.random() < 0.5
    said, denied = rng.sample([a for a in _aspects()[topic] if a.plural == plural], 2)
    contrary = LABELS[1 - LABELS.index(label)]
    return {
        "a": _judged(rng, said, label), "d": _judged(rng, denied, contrary),
        "w": _judged(rng, denied, label),
    }  # fmt: skip


def _judged(rng: Random, aspect: _Aspect, label: str) -> Row:
    word, other = rng.sample(aspect.words[label], 2)
    was, now, it, them = (
        ("were", "are", "they", "them") if aspect.plural else ("was", "is", "it", "it")
    )
    return {
        "the": aspect.the, "was": was, "is": now, "it": it, "them": them, "word": word,
        "other": other,
    }  # fmt: skip


@cache
def _aspects() -> dict[str, tuple[_Aspect, ...]]:
    found = {}
    for topic, table in ASPECTS.items():
        rows = [[part.strip() for part in line.split(";")] for line in table.strip().splitlines()]
        found[topic] = tuple(
            _Aspect(
                the.removesuffix("*"), the.endswith("*"),
                {"positive": tuple(good.split()), "negative": tuple(bad.split())},
            )
            for the, good, bad in rows
        )  # fmt: skip
    return found


@cache
def _writer() -> Writer:
    people = (*knowledge.WOMEN, *knowledge.MEN)
    hues = [colour.capitalize() for colour in knowledge.COLOURS]
    domains = {
        "person": even("name", rows=people),
        "town": even("name", rows=[town for row in knowledge.COUNTRIES for town in row[1:4]]),
        "hue": even("name", rows=[*hues, "Old", "Little", "Merry", "Quiet"]),
        "sign": even("name", rows=[one.capitalize() for one, _ in knowledge.ANIMALS]),
        "colour": even("name", rows=knowledge.COLOURS),
        "job": even("name", rows=knowledge.JOBS),
        "thing": even("name", "plural", rows=[", ".join(row) for row in knowledge.THINGS]),
        "animal": even("name", rows=[*(one for one, _ in knowledge.ANIMALS), "dog", "cat"]),
        "place": even("name", rows=("church", "mill", "bridge", "market", "school", "station")),
    }
    openings = {f"{topic} opening": text for topic, text in sections("review_openings").items()}
    return Writer(Rules(sections("review_sentences") | openings, domains))
