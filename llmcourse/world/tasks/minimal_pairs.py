"""Minimal pairs: a sentence that English allows, and one that it does not, nearly the same.

Fourteen phenomena. Each word, length and order that is wrong in one pair is right in another
equally often, so a bag of words is near chance: only the combination of words is wrong.

source: Warstadt et al., BLiMP, 2020, arXiv:1912.00582, for minimal pairs by phenomenon; Warstadt,
Singh and Bowman, Neural Network Acceptability Judgments, 2019, arXiv:1805.12471, for the labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from llmcourse.world.engine.grammar import Domain, Rules
from llmcourse.world.engine.spelling import spell
from llmcourse.world.engine.splits import check_choice, draw
from llmcourse.world.engine.text_files import rules, sections
from llmcourse.world.engine.writing import Writer, all_of_split, even
from llmcourse.world.facts import knowledge
from llmcourse.world.facts.records import COMPARATIVES
from llmcourse.world.story import agreement

PHENOMENA = sections("acceptability")


@dataclass(frozen=True)
class Acceptability:
    """A sentence and whether English allows it; `twin` is the other sentence of its pair."""

    text: str
    acceptable: bool
    phenomenon: str
    twin: str


def acceptability(
    n: int, *, split: str = "train", seed: int = 0, phenomenon: str | None = None
) -> Iterator[Acceptability]:
    """Stream `n` sentences, about half of them acceptable, of all phenomena or of one.

    The sentence and its twin belong to `split`. Raises ValueError for `n` below 1, another split
    and an unknown phenomenon (they are the keys of PHENOMENA).
    """
    if phenomenon is not None:
        check_choice(phenomenon, PHENOMENA, "phenomenon")
    chosen = (phenomenon,) if phenomenon else tuple(PHENOMENA)
    return draw(lambda rng: _record(rng, split, chosen), n, split, seed, "acceptability")


def _record(rng: Random, split: str, phenomena: tuple[str, ...]) -> Acceptability:
    phenomenon = rng.choice(phenomena)
    pair = all_of_split(lambda source: _pair(source, phenomenon), rng, split, tuple)
    acceptable = rng.random() < 0.5
    text, twin = pair if acceptable else pair[::-1]
    return Acceptability(text, acceptable, phenomenon, twin)


def _pair(rng: Random, phenomenon: str) -> tuple[str, str]:
    """Return the right sentence and the wrong one."""
    sides: tuple[list[str], list[str]] = ([], [])
    now: tuple[list[str], ...] = sides
    for word in _writer().words(phenomenon, rng):
        if word == "(":
            now = sides[:1]
        elif word == "~":
            now = sides[1:]
        elif word == ")":
            now = sides
        else:
            for side in now:
                side.append(word)
    right, wrong = (spell(side).replace("_", "") for side in sides)
    return right, wrong


@cache
def _writer() -> Writer:
    def plural(rows: Iterable[tuple[str, str]]) -> Domain:
        return even("name", "many", rows=[f"{one}, {many}" for one, many in rows])

    deeds, words = sections("acceptability_deeds"), sections("acceptability_words")
    lists = {name: text.split(", ") for name, text in words.items()}
    degrees = {row[0]: ", ".join(row) for row in COMPARATIVES}
    domains = {
        "person": even("name", rows=(*knowledge.WOMEN, *knowledge.MEN)),
        "woman": even("name", rows=knowledge.WOMEN),
        "man": even("name", rows=knowledge.MEN),
        "job": even("name", rows=knowledge.JOBS),
        "town": even("name", rows=[town for row in knowledge.COUNTRIES for town in row[1:4]]),
        "animal": plural(row for row in knowledge.ANIMALS if row[0] != row[1]),
        "food": plural(knowledge.FOODS),
        "noun": plural((word, word + "s") for word in lists.pop("noun")),
        "place": plural(row for row in agreement.PLACES if row[0] not in ("church", "house")),
        "deed": even("do", "does", "did", "done", "doing", "what", rows=deeds["deed"].splitlines()),
        "degree": even("name", "more", "most", rows=[degrees[w] for w in lists.pop("degree")]),
        "measure": even("name", "more", "most", rows=[degrees[w] for w in lists.pop("measure")]),
    }
    domains |= {name: even("name", rows=words) for name, words in lists.items()}
    return Writer(Rules(rules("acceptability", "acceptability_parts"), domains))
