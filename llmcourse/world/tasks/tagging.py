"""Sentences with part-of-speech tags and named entities, for taggers that must use context.

Left out of the universal tags: SYM and X, which no sentence here needs.

source: de Marneffe et al., Universal Dependencies, 2021, Computational Linguistics 47(2); Tjong Kim
Sang and De Meulder, Introduction to the CoNLL-2003 Shared Task, 2003, arXiv:cs/0306050 (BIO).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from llmcourse.world.engine.spelling import detokenise, polish
from llmcourse.world.engine.splits import draw, of_split
from llmcourse.world.engine.text_files import sections
from llmcourse.world.engine.writing import Freehand
from llmcourse.world.facts.records import knowledge_base
from llmcourse.world.tasks.tag_words import TAGS, domains

POS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN",
    "PUNCT", "SCONJ", "VERB",
)  # fmt: skip
ENTITIES = ("PER", "LOC", "ORG", "DATE")
BIO = ("O", *(f"{begin}-{kind}" for kind in ENTITIES for begin in "BI"))
NAMES_SHARE = 0.45  # fraction of sentences that are drawn for their names

Token = tuple[str, str, str]  # the word, its part of speech, its BIO tag


@dataclass(frozen=True)
class Tagged:
    """A sentence with a universal part-of-speech tag (`POS`) and a BIO tag (`BIO`) a token."""

    tokens: tuple[str, ...]
    pos: tuple[str, ...]
    bio: tuple[str, ...]

    @property
    def text(self) -> str:
        """The sentence as one would print it."""
        return detokenise(self.tokens)


def tagged(n: int, *, split: str = "train", seed: int = 0) -> Iterator[Tagged]:
    """Stream `n` tagged sentences.

    Tags follow English Universal Dependencies: forms of `be` are AUX but VERB after `there`, `have`
    and `do` are AUX before a verb and else VERB, possessive pronouns are PRON, `to` is PART before
    a verb, `that` is SCONJ, PRON or DET, and all words of a name are PROPN but `the`, `of`, `and`,
    `last` and ordinals. `when` is always ADV; particles ("picked up a stone") are ADP.

    Entities are people (PER), places (LOC), organisations with teams (ORG) and days or months
    (DATE), of 1 to 4 tokens. An article that belongs to a name is part of it ("the Lorne", "the
    Bank of Karn"); `Mr` and `Mrs` are not. One name may be of several types (Rose Hill, Karn, May),
    and two may touch ("From Milby Lake Isken is far away."): context tells. Full names belong to
    guests, of whom the knowledge base says nothing.

    Raises ValueError for `n` below 1 or an unknown split.
    """
    grammar = _grammar()

    def sentence(rng: Random) -> Tagged:
        while True:
            written = grammar.write("names" if rng.random() < NAMES_SHARE else "words", rng)
            words, pos, bio = zip(
                *(token for chunk in written for token in read(chunk)), strict=True
            )
            if not _presumes(words):
                return Tagged(tuple(polish(words)), pos, bio)

    def make(rng: Random) -> Tagged:
        return of_split(sentence, rng, split, lambda drawn: drawn.text)

    return draw(make, n, split, seed, "tagged")


@cache
def read(chunk: str) -> tuple[Token, ...]:
    """Read what a grammar writes: "book/VERB", "of", "PER:Rose_Hill", "Mr/PROPN PER:Hill".

    Raises ValueError for a word that has no tag of its own in `tag_words.TAGS`.
    """
    tokens: list[Token] = []
    for part in chunk.split(" "):
        kind, _, name = part.partition(":")
        if name:
            tokens += [
                (word, _name_tag(word), f"{'I' if i else 'B'}-{kind}")
                for i, word in enumerate(name.split("_"))
            ]
        else:
            word, slash, tag = part.partition("/")
            tokens.append((word, tag if slash else _tag(word), "O"))
    return tuple(tokens)


def _name_tag(word: str) -> str:
    return "PROPN" if word[0].isupper() else _tag(word)


def _tag(word: str) -> str:
    if word not in _TAG_OF:
        raise ValueError(f"expected a tag after {word!r}: write {word}/NOUN or list it in TAGS")
    return _TAG_OF[word]


def _presumes(words: tuple[str, ...]) -> bool:
    """Say whether a sentence holds somebody and a thing that is theirs by a held-out fact."""
    return any(thing in words for word in words if word in _OWNED for thing in _OWNED[word])


_TAG_OF = {word: tag for tag, words in TAGS.items() for word in words.split()}
_OWNED = {
    fact.subject: (fact.object, dict(knowledge_base().things)[fact.object])
    for fact in knowledge_base().hidden
    if fact.relation == "owns"
}


@cache
def _grammar() -> Freehand:
    return Freehand(sections("tag_sentences"), domains())
