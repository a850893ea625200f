"""Questions about the world, with a known answer or without one (open questions).

`questions` asks for known facts: for the object of a fact ("the capital of Varland"), for its
subject where that is unique ("the country with the capital Ostrum"), and through one or two other
facts ("the currency of the country where Mia lives"). `unknown_questions` asks in the same words
for what no training text states: held-out facts, relatives whom the world does not mention, people
and places that are not in it. The two kinds differ only in whom or what a question is about.

A question belongs to its split by its text. Each fact is asked for in some thirty wordings, nine in
ten of them for training. So the answer to a test question can be learned, but its wording is new.
Replies state known facts and are the same in both splits. Open questions are about one half of the
unknown subjects in training, always with the reply "I do not know ...", and about the other half in
tests.

source: the split of answerable and unanswerable questions in the same form follows Rajpurkar, Jia
and Liang, Know What You Don't Know, 2018, arXiv:1806.03822.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from llmcourse.world.chat.asks import UNKNOWN, Ask, known_asks
from llmcourse.world.chat.question_forms import fill, wordings
from llmcourse.world.chat.unanswered import open_asks
from llmcourse.world.engine.splits import SPLITS, check_dial, draw, of_split
from llmcourse.world.facts.records import Fact


@dataclass(frozen=True)
class Question:
    """A question, the short answer, and the reply in whole sentences, which holds that answer.

    `fact` holds the answer; `hops` is the number of facts that lead to it. An open question has the
    answer UNKNOWN and 1 hop; its `fact` is None, except for held-out facts in tests.
    """

    question: str
    answer: str
    reply: str
    fact: Fact | None
    hops: int


def questions(
    n: int, *, split: str = "train", seed: int = 0, multi_hop: float = 0.2
) -> Iterator[Question]:
    """Stream `n` questions about known facts, all facts with equal probability.

    `multi_hop` in [0, 1] is the fraction that is asked through one or two other facts. Raises
    ValueError for `n` below 1, an unknown split or a dial out of range.
    """
    check_dial(multi_hop, "multi_hop")
    return draw(lambda rng: ask_known(rng, split, multi_hop), n, split, seed, "questions")


def unknown_questions(
    n: int, *, split: str = "train", seed: int = 0, multi_hop: float = 0.2
) -> Iterator[Question]:
    """Stream `n` open questions, worded as in `questions`; the reply says "I do not know ...".

    They ask for a held-out fact, for a relative that the world does not mention, or about somebody
    or something that is not in it: equally often wherever a form of question allows all three.
    Raises as `questions`.
    """
    check_dial(multi_hop, "multi_hop")
    return draw(lambda rng: ask_unknown(rng, split, multi_hop), n, split, seed, "unknown questions")


def ask_known(rng: Random, split: str, multi_hop: float = 0.2) -> Question:
    """Ask one question about a known fact, of this split."""
    return of_split(lambda rng: _record(_pick(rng, multi_hop), rng), rng, split, key=_text)


def ask_unknown(rng: Random, split: str, multi_hop: float = 0.2) -> Question:
    """Ask an open question of this split: what known ones ask, where the answer is not known."""

    def make(rng: Random) -> Question:
        known = _pick(rng, multi_hop)
        sources = open_asks(split)[known.form.name, known.route]
        return _record(rng.choice(rng.choice(sources)), rng)

    return of_split(make, rng, split, key=_text)


def _text(question: Question) -> str:
    return question.question


def _pick(rng: Random, multi_hop: float) -> Ask:
    direct, through = known_asks()
    return rng.choice(through if rng.random() < multi_hop else direct)


def _record(ask: Ask, rng: Random) -> Question:
    """Return the ask in one of its wordings."""
    text = fill(rng.choice(wordings(ask.form, ask.subject)), ask.subject)
    return Question(text, ask.answer or UNKNOWN, ask.reply, ask.fact, len(ask.before) + 1)


@cache
def catalogue() -> dict[str, Ask]:
    """Return the ask behind every question of either split, open ones too, by its text.

    There are about 200,000.
    """
    asks = [ask for group in known_asks() for ask in group]
    for split in SPLITS:
        for sources in open_asks(split).values():
            asks += [ask for source in sources for ask in source]
    return {
        fill(template, ask.subject): ask
        for ask in asks
        for template in wordings(ask.form, ask.subject)
    }
