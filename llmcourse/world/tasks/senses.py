"""Words with two senses in context: a contextual vector can tell them apart, a static one cannot.

The words, and most others, occur in stories, too. A sentence joins a frame that fits both senses of
its word ("Mia waited at the bank") and a remark that fits one ("when the river was high", "while
the clerk counted the coins"), in either order. So the words next to it tell nothing: the sense can
only be known from the rest of the sentence.

source: after Wiedemann et al., Does BERT Make Any Sense?, 2019, arXiv:1909.10430.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from llmcourse.world.engine.spelling import detokenise, polish
from llmcourse.world.engine.splits import draw, of_split
from llmcourse.world.engine.text_files import sections
from llmcourse.world.engine.writing import Freehand, even
from llmcourse.world.facts import knowledge


@dataclass(frozen=True)
class Sense:
    """`tokens[index]` is `word` in the sense `sense`, one of the two in `SENSES_OF[word]`."""

    tokens: tuple[str, ...]
    index: int
    word: str
    sense: str

    @property
    def text(self) -> str:
        """The sentence as one would print it."""
        return detokenise(self.tokens)


SENSES_OF = {
    "bank": ("river", "money"), "bark": ("tree", "dog"), "bat": ("animal", "club"),
    "letter": ("mail", "alphabet"), "match": ("fire", "game"), "palm": ("tree", "hand"),
    "seal": ("animal", "stamp"), "spring": ("season", "water"),
}  # fmt: skip


@cache
def _grammar() -> Freehand:
    """Return rules such as `bank` (a frame) and `bank/river` (a remark)."""
    people = (*knowledge.WOMEN, *knowledge.MEN)
    towns = [town for country in knowledge.COUNTRIES for town in country[1:4]]
    return Freehand(
        sections("senses") | {"as": "[2: when|while|as]"},
        {"person": even("name", rows=people), "town": even("name", rows=towns)},
    )


def word_senses(n: int, *, split: str = "train", seed: int = 0) -> Iterator[Sense]:
    """Stream `n` sentences, each with one of eight words in one of its two senses.

    All sixteen are equally frequent, and a frame is as frequent with one sense of its word as with
    the other. Raises ValueError for `n` below 1 or an unknown split.
    """
    grammar = _grammar()

    def make(rng: Random) -> Sense:
        word = rng.choice(list(SENSES_OF))
        sense = rng.choice(SENSES_OF[word])

        def sentence(rng: Random) -> Sense:
            return _sentence(grammar, word, sense, rng)

        return of_split(sentence, rng, split, lambda drawn: drawn.text)

    return draw(make, n, split, seed, "word senses")


def _sentence(grammar: Freehand, word: str, sense: str, rng: Random) -> Sense:
    frame = grammar.write(word, rng)
    remark = grammar.write(f"{word}/{sense}", rng)
    at = frame.index(word)
    if rng.random() < 0.35:
        written, at = [*remark, ",", *frame, "."], at + len(remark) + 1
    else:
        written = [*frame, *remark, "."]
    return Sense(tuple(polish(written)), at, word, sense)
