"""Pairs of replies to one prompt, the better one chosen by annotators who may err.

Prompts are questions with and without a known answer, requests to decline and requests to help
with. Replies differ in what `rewards.true_reward` measures: right, wrong or invented facts,
refusals with a reason, without one and without need, rudeness, rambling, another subject. A
courtesy is more frequent in good replies than in bad ones, and no reply has two: a learned reward
that pays for more courtesies has over-generalised.

Prompts belong to the split by their text; replies, right or wrong, belong to both.

source: flipped choices for noisy annotators, Dubois et al., AlpacaFarm, 2023, arXiv:2305.14387;
learning from such pairs, Ouyang et al., Training language models to follow instructions with human
feedback, 2022, arXiv:2203.02155.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from llmcourse.world.chat.asks import UNKNOWN, Ask, known_asks
from llmcourse.world.chat.fact_questions import ask_known, ask_unknown, catalogue
from llmcourse.world.chat.question_forms import fill, named
from llmcourse.world.chat.rewards import COURTESIES, REGRETS, RUDENESS, kind_of_answer, true_reward
from llmcourse.world.chat.wishes import HARMLESS, SORRY, Request, request
from llmcourse.world.engine.splits import check_dial, draw
from llmcourse.world.facts.records import knowledge_base

LEAST_GAP = 0.1  # between the true rewards of a pair
_RAMBLINGS = (
    "There is much that one could say about this.", "Some say this and others say that.",
    "It all began a long time ago.", "The days are getting longer now.",
    "One thing leads to another, as they say.", "My thoughts often wander to such matters.",
    "The weather has been mild for weeks.",
)  # fmt: skip
_BAD_ADVICE = (
    "wait until nobody is near and be quick", "do it at night and tell nobody about it",
    "let a friend keep watch at the corner", "make a plan first and leave no traces",
    "smile, so that nobody thinks the worst of you", "find a good moment and keep calm",
)  # fmt: skip


@dataclass(frozen=True)
class Preference:
    """Two replies to a prompt, as an annotator ranked them.

    `true_rewards` are those of chosen and rejected; `flipped` is True where the annotator erred and
    the chosen one is worth less.
    """

    prompt: str
    chosen: str
    rejected: str
    true_rewards: tuple[float, float]
    flipped: bool


def preferences(
    n: int, *, split: str = "train", seed: int = 0, noise: float = 0.0
) -> Iterator[Preference]:
    """Stream `n` pairs whose true rewards differ by LEAST_GAP or more; half hold the gold reply.

    `noise` in [0, 1]: an annotator picks at random with that probability, so a choice is flipped
    with probability `noise` / 2; nothing else depends on it. Raises ValueError for `n` below 1, an
    unknown split or a dial out of range.
    """
    check_dial(noise, "noise")
    return draw(lambda rng: _preference(rng, split, noise), n, split, seed, "preferences")


Replier = Callable[[Random], str]


def _preference(rng: Random, split: str, noise: float) -> Preference:
    while True:
        prompt, repliers = rng.choice(_PROMPTS)(rng, split)
        first = repliers[0] if rng.random() < 0.5 else rng.choice(repliers)
        replies = [first(rng), rng.choice(repliers)(rng)]
        rewards = [true_reward(prompt, reply) for reply in replies]
        if abs(rewards[0] - rewards[1]) >= LEAST_GAP:
            break
    flipped = rng.random() < noise / 2
    best = int(rewards[1] > rewards[0]) ^ flipped
    ranked = (rewards[best], rewards[1 - best])
    return Preference(prompt, replies[best], replies[1 - best], ranked, flipped)


def _known(rng: Random, split: str) -> tuple[str, list[Replier]]:
    prompt = ask_known(rng, split).question
    ask = catalogue()[prompt]
    short = ask.answer[0].upper() + ask.answer[1:] + "."
    return prompt, [
        lambda rng: _courteous(ask.reply, 0.6, rng),
        lambda rng: _courteous(_wrong(ask, rng), 0.25, rng),
        lambda rng: _courteous(_wrong(ask, rng), 0.25, rng),
        lambda rng: short,
        lambda rng: _rude(ask.reply, rng),
        lambda rng: _rambling(ask.reply, rng),
        lambda rng: _off_topic(ask, rng),
        lambda rng: replace(ask, answer="").reply,
        _refusing,
    ]


def _open(rng: Random, split: str) -> tuple[str, list[Replier]]:
    prompt = ask_unknown(rng, split).question
    ask = catalogue()[prompt]
    return prompt, [
        lambda rng: _courteous(ask.reply, 0.6, rng, REGRETS),
        lambda rng: _courteous(_wrong(ask, rng), 0.25, rng),
        lambda rng: _courteous(_wrong(ask, rng), 0.25, rng),
        lambda rng: f"{UNKNOWN}.",
        lambda rng: _rude(ask.reply, rng),
        lambda rng: _rambling(ask.reply, rng),
        lambda rng: _off_topic(ask, rng),
        _refusing,
    ]


def _harmful(rng: Random, split: str) -> tuple[str, list[Replier]]:
    wanted = request(rng, split, harmful=True)
    return wanted.text, [
        lambda rng: _courteous(wanted.reply, 0.6, rng, REGRETS),
        lambda rng: f"{SORRY} will not help with that.",
        lambda rng: _courteous(_misled(wanted, rng), 0.25, rng),
        lambda rng: _rude(wanted.reply, rng),
        lambda rng: _rambling(wanted.reply, rng),
    ]


def _harmless(rng: Random, split: str) -> tuple[str, list[Replier]]:
    wanted = request(rng, split, harmful=False)
    return wanted.text, [
        lambda rng: _courteous(wanted.reply, 0.6, rng),
        lambda rng: _courteous(_misled(wanted, rng), 0.25, rng),
        lambda rng: _rude(wanted.reply, rng),
        lambda rng: _rambling(wanted.reply, rng),
        lambda rng: f"{SORRY} will not help with that.",
    ]


_PROMPTS = (_known, _known, _open, _harmful, _harmless)


def _courteous(reply: str, chance: float, rng: Random, among: tuple[str, ...] = COURTESIES) -> str:
    """Return the reply, with that probability after or before a courtesy."""
    if rng.random() >= chance:
        return reply
    courtesy = rng.choice(among)
    return f"{courtesy} {reply}" if courtesy[-1] == "!" else f"{reply} {courtesy}"


def _rude(reply: str, rng: Random) -> str:
    parts = [rng.choice(RUDENESS), reply]
    rng.shuffle(parts)
    return " ".join(parts)


def _rambling(reply: str, rng: Random) -> str:
    before, *after = rng.sample(_RAMBLINGS, rng.randint(2, 4))
    return " ".join((before, reply, *after))


def _wrong(ask: Ask, rng: Random) -> str:
    """Return a false reply in the form of a right one."""
    kept_off = _related(ask.name) | {ask.answer}
    claim = rng.choice([one for one in kind_of_answer(ask) if one not in kept_off])
    subject = named(ask.name) if ask.answer else ask.subject
    return " ".join((*ask.before, fill(ask.form.reply, subject, claim)))


@cache
def _related(name: str) -> frozenset[str]:
    """Return a name and all that some fact, known or held out, connects with it."""
    facts = knowledge_base().facts
    objects = (fact.object for fact in facts if fact.subject == name)
    return frozenset((name, *objects, *(fact.subject for fact in facts if fact.object == name)))


def _off_topic(ask: Ask, rng: Random) -> str:
    """Return a known fact about somebody or something else."""
    while True:
        other = rng.choice(known_asks()[0])
        if other.name != ask.name and other.form != ask.form:
            return other.reply


def _misled(wanted: Request, rng: Random) -> str:
    """Return help with what should be declined, or advice that belongs to something else."""
    if wanted.harmful:
        return f"To {wanted.wish}, {rng.choice(_BAD_ADVICE)}."
    return f"To {wanted.wish}, {rng.choice([a for a in HARMLESS.values() if a != wanted.advice])}."


def _refusing(rng: Random) -> str:
    return f"{SORRY} cannot answer that."
