"""Chat in turns: questions and what follows from them, small talk, requests, and system turns.

Each sentence of a user belongs to the split by its text; so does each instruction of a system turn.
Greetings and the like (`FRAMES`) and the assistant's sentences are the same in both splits. Replies
are gold: there is one right reply to every turn, given the turns before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from llmcourse.world.chat.asks import Ask, known_asks
from llmcourse.world.chat.fact_questions import Question, ask_known, ask_unknown
from llmcourse.world.chat.question_forms import HE, IT, SHE, Subject, fill, wordings
from llmcourse.world.chat.roles import OPENERS, STYLES, about_animals, briefing, styled
from llmcourse.world.chat.wishes import request
from llmcourse.world.engine.splits import check_choice, draw, of_split
from llmcourse.world.facts.records import knowledge_base

HELLO = ("Hello!", "Good morning!", "Good evening!", "Hi there!", "Good day!", "Hello there!")
WHO = ("Who are you?", "What can you do?", "What can I ask you?", "How can you help me?")
THANKS = (
    "Thank you!", "Thanks a lot!", "That helps, thank you.", "Many thanks!", "Thank you very much!",
    "Good to know, thanks.",
)  # fmt: skip
BYE = ("Goodbye!", "See you soon!", "Good night!", "Bye for now!")
FRAMES = frozenset((*HELLO, *WHO, *THANKS, *BYE, *OPENERS))
_INTRODUCTIONS = (
    "Hello, I am {n}.", "Good morning, my name is {n}.", "Hi, {n} here.", "Hello, this is {n}.",
    "Good evening, I am called {n}.", "Hello, {n} speaking.",
)  # fmt: skip
_ELLIPSES = (
    "And what about {n}?", "And {n}?", "What about {n}?", "How about {n}?", "And how about {n}?",
    "And in the case of {n}?", "The same for {n}, please.", "Now the same for {n}.",
)  # fmt: skip
_ABOUT_ME = "I answer questions about the people and places of this world."


@dataclass(frozen=True)
class Turn:
    """What one side says. `role` is "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True)
class Dialogue:
    """Turns that end with the assistant's; at most the first is the system's; one of KINDS."""

    turns: tuple[Turn, ...]
    kind: str


Pair = tuple[str, str]  # what the user says, what the assistant answers


def dialogues(
    n: int, *, split: str = "train", seed: int = 0, kind: str | None = None
) -> Iterator[Dialogue]:
    """Stream `n` dialogues of one kind, or of all kinds equally often.

    The kinds: "fact" (one to three questions), "follow-up" (the last question needs the turns
    before), "unknown" (as "fact", but the last question is open), "small talk", "decline", "help"
    (a request that looks like one to decline), "role" (the system turn decides how to answer).
    Raises ValueError for `n` below 1, an unknown split or kind.
    """
    if kind is not None:
        check_choice(kind, KINDS, "kind")

    def make(rng: Random) -> Dialogue:
        chosen = kind or rng.choice(KINDS)
        return _MAKERS[chosen](rng, split)

    return draw(make, n, split, seed, f"dialogues {kind}")


def _dialogue(kind: str, pairs: list[Pair], system: str = "") -> Dialogue:
    turns = [Turn("system", system)] if system else []
    for said, answered in pairs:
        turns += [Turn("user", said), Turn("assistant", answered)]
    return Dialogue(tuple(turns), kind)


def _framed(rng: Random, split: str, pairs: list[Pair]) -> list[Pair]:
    """Return the pairs, sometimes after a greeting, sometimes before thanks."""
    before = [_greeting(rng, split)] if rng.random() < 0.3 else []
    after = [(rng.choice(THANKS), "You are welcome!")] if rng.random() < 0.3 else []
    return before + pairs + after


def _greeting(rng: Random, split: str) -> Pair:
    if rng.random() < 0.5:
        return rng.choice(HELLO), "Hello! How can I help you?"
    return _introduction(rng, split)


def _introduction(rng: Random, split: str) -> Pair:
    def make(rng: Random) -> Pair:
        name = rng.choice(knowledge_base().people).name
        return rng.choice(_INTRODUCTIONS).format(n=name), f"Hello, {name}! How can I help you?"

    return of_split(make, rng, split, key=_said)


def _said(pair: Pair) -> str:
    return pair[0]


def _known(rng: Random, split: str) -> Pair:
    asked = ask_known(rng, split)
    return asked.question, asked.reply


def _fact(rng: Random, split: str) -> Dialogue:
    pairs = [_known(rng, split) for _ in range(rng.randint(1, 3))]
    return _dialogue("fact", _framed(rng, split, pairs))


def _unknown(rng: Random, split: str) -> Dialogue:
    pairs = [_known(rng, split) for _ in range(rng.randint(0, 2))]
    asked = ask_unknown(rng, split)
    pairs.append((asked.question, asked.reply))
    return _dialogue("unknown", _framed(rng, split, pairs))


def _small_talk(rng: Random, split: str) -> Dialogue:
    pairs = [_introduction(rng, split)]
    if rng.random() < 0.5:
        pairs.append((rng.choice(WHO), _ABOUT_ME))
    if rng.random() < 0.5:
        pairs.append((rng.choice(THANKS), "You are welcome!"))
    if rng.random() < 0.5:
        pairs.append((rng.choice(BYE), "Goodbye! Come back soon."))
    return _dialogue("small talk", pairs)


def _decline(rng: Random, split: str) -> Dialogue:
    return _requested("decline", rng, split)


def _help(rng: Random, split: str) -> Dialogue:
    return _requested("help", rng, split)


def _requested(kind: str, rng: Random, split: str) -> Dialogue:
    wanted = request(rng, split, harmful=kind == "decline")
    before = [_known(rng, split)] if rng.random() < 0.3 else []
    return _dialogue(kind, _framed(rng, split, [*before, (wanted.text, wanted.reply)]))


def _role(rng: Random, split: str) -> Dialogue:
    style = rng.choice(STYLES)
    system, name = briefing(style, rng, split)
    pairs = []
    for _ in range(rng.randint(1, 2)):
        asked = _for(style, rng, split)
        pairs.append((asked.question, styled(asked, style, name)))
    return _dialogue("role", pairs, system)


def _for(style: str, rng: Random, split: str) -> Question:
    """Return a question to answer in that style: every fifth is open, half are about animals."""
    ask = ask_unknown if rng.random() < 0.2 else ask_known
    asked = ask(rng, split)
    if style == "animals" and rng.random() < 0.5:
        while not about_animals(asked.question):
            asked = ask(rng, split)
    return asked


def _follow_up(rng: Random, split: str) -> Dialogue:
    firsts, then = rng.choice(_WAYS)
    first, asked = of_split(
        lambda rng: _posed(rng.choice(firsts()), rng), rng, split, key=_words_of
    )
    second, worded = of_split(lambda rng: then(first, rng), rng, split, key=_words_of)
    pairs = [(asked, first.reply), (worded, second.reply)]
    return _dialogue("follow-up", _framed(rng, split, pairs))


Posed = tuple[Ask, str]  # what is asked, and in what words


def _posed(ask: Ask, rng: Random) -> Posed:
    return ask, _worded(ask, ask.subject, rng)


def _more_about_it(first: Ask, rng: Random) -> Posed:
    """Ask another question about the same person or country, by a pronoun."""
    second = rng.choice([ask for ask in _of_name()[first.name] if ask.form != first.form])
    return second, _worded(second, _pronouns()[first.name], rng, joined=True)


def _about_the_answer(first: Ask, rng: Random) -> Posed:
    """Ask a question about the person, town or country that was the answer, by a pronoun."""
    onward = [ask for ask in _of_name()[first.answer] if ask.answer != first.name]
    second = rng.choice([ask for ask in onward if not ask.form.name.startswith("country of")])
    return second, _worded(second, _pronouns()[first.answer], rng, joined=True)


def _same_of_another(first: Ask, rng: Random) -> Posed:
    """Ask the same about somebody or something else; only the turn before tells what is asked."""
    second = rng.choice([ask for ask in _of_form()[first.form.name] if ask.name != first.name])
    return second, rng.choice(_ELLIPSES).format(n=second.name)


def _words_of(posed: Posed) -> str:
    return posed[1]


def _worded(ask: Ask, subject: Subject, rng: Random, joined: bool = False) -> str:
    """Return the question in one of its wordings; half of the `joined` ones begin with "And"."""
    text = fill(rng.choice(wordings(ask.form, subject)), subject)
    if subject is IT:
        text = text.replace(" in it", " there").replace(" from it", " from there")
    if joined and rng.random() < 0.5:
        return "And " + (text if text.startswith("I ") else text[0].lower() + text[1:])
    return text


@cache
def _pronouns() -> dict[str, Subject]:
    """Return what stands for a name of the world."""
    world = knowledge_base()
    people = {person.name: SHE if person.gender == "woman" else HE for person in world.people}
    places = (place for country in world.countries for place in (country.name, *country.towns))
    return people | dict.fromkeys(places, IT)


@cache
def _of_name() -> dict[str, tuple[Ask, ...]]:
    return _grouped(lambda ask: ask.name)


@cache
def _of_form() -> dict[str, tuple[Ask, ...]]:
    return _grouped(lambda ask: ask.form.name)


def _grouped(key: Callable[[Ask], str]) -> dict[str, tuple[Ask, ...]]:
    """Return the asks of a name by `key`."""
    groups: dict[str, list[Ask]] = defaultdict(list)
    for ask in known_asks()[0]:
        groups[key(ask)].append(ask)
    return {name: tuple(asks) for name, asks in groups.items()}


@cache
def _of_pronoun() -> tuple[Ask, ...]:
    """Return the asks after which a pronoun for their subject cannot be taken for the answer's."""
    clear = ("currency", "language", "people", "food")
    return tuple(
        ask
        for ask in known_asks()[0]
        if (subject := _pronouns().get(ask.name)) and len(_of_name()[ask.name]) > 1
        if ask.form.name in clear or (subject is not IT and _pronouns().get(ask.answer) != subject)
    )


@cache
def _to_pronoun() -> tuple[Ask, ...]:
    """Return the asks after which a pronoun for their answer cannot be taken for the subject's."""
    return tuple(
        ask
        for ask in known_asks()[0]
        if (answer := _pronouns().get(ask.answer))
        if ask.form.name == "country" or _pronouns().get(ask.name) != answer
    )


def _any_ask() -> tuple[Ask, ...]:
    return known_asks()[0]


# The asks that a follow-up question may come after, and how it is made.
_WAYS = (
    (_of_pronoun, _more_about_it), (_to_pronoun, _about_the_answer), (_any_ask, _same_of_another),
)  # fmt: skip
_MAKERS = {
    "fact": _fact, "follow-up": _follow_up, "unknown": _unknown, "small talk": _small_talk,
    "decline": _decline, "help": _help, "role": _role,
}  # fmt: skip
KINDS = tuple(_MAKERS)
