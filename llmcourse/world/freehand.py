"""Sentences as lists of tokens, for data sets that label tokens; no two slots hold the same thing.

`writing.Writer` does the writing. A `Freehand` also sees to it that whom `<q:person>` picks is not
who `<p:person>` is, and leaves the words as the grammar has them, so that marks and tags can be
read off before `polish` makes a sentence of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random

from llmcourse.world.grammar import Domain, Rules
from llmcourse.world.writing import Slots, Writer


class Freehand:
    """A grammar to write from, one text at a time."""

    def __init__(self, texts: Mapping[str, str], domains: Mapping[str, Domain]):
        self._writer = Writer(Rules(texts, domains))

    def write(self, rule: str, rng: Random, held: Slots | None = None) -> list[str]:
        """The words of one text of `rule`; `held` are slots that are filled from the start."""
        while True:
            slots = dict(held or {})
            words = self._writer.words(rule, rng, slots)
            if len({next(iter(row.values())) for row in slots.values()}) == len(slots):
                return words


def with_articles(words: Iterable[str]) -> list[str]:
    """The words with "an" for "a" before a vowel."""
    sentence = list(words)
    for i, word in enumerate(sentence[:-1]):
        if word == "a" and sentence[i + 1][0] in "aeiou":
            sentence[i] = "an"
    return sentence


def polish(words: Iterable[str]) -> list[str]:
    """A sentence with a capital at its start and "an" before a vowel.

    >>> polish(["a", "otter", "ate", "a", "egg", "."])
    ['An', 'otter', 'ate', 'an', 'egg', '.']
    """
    sentence = with_articles(words)
    start = next((i for i, word in enumerate(sentence) if word[0].isalpha()), 0)
    sentence[start] = sentence[start][0].upper() + sentence[start][1:]
    return sentence
