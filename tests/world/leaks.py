"""A detector of held-out facts in text, written apart from every generator that it watches.

`states_held_out` reads a text as a bag of words: a held-out fact counts as stated where its
subject, its object and a word of its relation stand together. It knows no grammar, so it also
reports questions, denials and presuppositions ("Mia lost her lamp"), which is what training text
must be free of.
"""

from __future__ import annotations

import re
from collections import defaultdict

from llmcourse.text.corpora import words
from llmcourse.world.facts.records import Fact, knowledge_base

_PARENTS = "mother father parent parents mum dad son sons daughter daughters child children"
_RELATION_WORDS = {
    "born": "born birth birthday birthdays",
    "spouse": "married marries marry marriage wife husband spouse wed wedding couple",
    "mother": _PARENTS,
    "father": _PARENTS,
    "child": _PARENTS,
    "language": "speak speaks spoke spoken speaking language languages talk talks tongue",
    "food": "known famous food foods dish dishes typical speciality specialities eat eats eaten "
    "proud cooks cook grows",
}
# Just before the thing: "Mia's old lamp", "her lamp" (but not "lent her a lamp"), "has a lamp".
_OWNING = re.compile(
    r"(?:'s|\b(?:her|his))(?: (?!an? |the )\w+){0,2} $"
    r"|\b(?:own|owns|owned|has|had|have|having)(?: \w+){0,2} $"
)
# Anywhere beside the thing.
_OWNER = re.compile(r"\b(?:owners?|belong|belongs|belonged|belongings?|[Ww]hose|own)\b")


def states_held_out(text: str) -> tuple[Fact, ...]:
    """The held-out facts that `text` states, asks for with their answer, or takes for granted.

    Empty, and so false, for a clean text. Give it one sentence, or a few where a pronoun reaches
    back ("Mia lives here. She was born in May."). Case matters: names and months are capitalised.
    """
    found = set(words(text))
    hits = {fact for name in found & _BY_SUBJECT.keys() for fact in _BY_SUBJECT[name]}
    return tuple(sorted(fact for fact in hits if _states(text, found, fact)))


def _states(text: str, found: set[str], fact: Fact) -> bool:
    if not found & _forms(fact.object):
        return False
    if fact.relation == "owns":
        return _owns(text, fact)
    near = fact.relation == "food" and re.search(_adjective(fact) + " " + fact.object, text)
    return bool(near or found & set(_RELATION_WORDS[fact.relation].split()))


def _owns(text: str, fact: Fact) -> bool:
    """Whether the thing is called the owner's, not merely met in one sentence with them."""
    things = re.finditer("|".join(rf"\b{form}\b" for form in _forms(fact.object)), text)
    return bool(_OWNER.search(text)) or any(_OWNING.search(text[: t.start()]) for t in things)


def _forms(thing: str) -> set[str]:
    return {thing, _PLURALS.get(thing, thing)}


def _adjective(fact: Fact) -> str:
    return _WORLD.country(fact.subject).people


def _names(fact: Fact) -> list[str]:
    """The words that may stand for a fact's subject: of a country, its towns and people too."""
    if fact.relation not in ("language", "food"):
        return [fact.subject]
    country = _WORLD.country(fact.subject)
    return [country.name, country.people, country.people + "s", *country.towns]


_WORLD = knowledge_base()
_PLURALS = dict(_WORLD.things)
_BY_SUBJECT: dict[str, list[Fact]] = defaultdict(list)
for _fact in _WORLD.hidden:
    for _name in _names(_fact):
        _BY_SUBJECT[_name].append(_fact)
