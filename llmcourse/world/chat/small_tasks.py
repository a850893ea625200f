"""Small tasks in words: an instruction, its input, and the one right reply.

Each task is worded in some sixty ways, nine in ten of them for training. Instructions, lists and
sentences belong to the split by their text. Single words do not, as their plurals, opposites and
comparatives can only be known from training; nor do replies.

source: one task in many wordings follows Wei et al., Finetuned Language Models Are Zero-Shot
Learners, 2021, arXiv:2109.01652; the record with an input apart from the instruction, Wang et al.,
Self-Instruct, 2022, arXiv:2212.10560.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from llmcourse.world.chat.asks import Ask, known_asks
from llmcourse.world.chat.happenings import happening
from llmcourse.world.chat.question_forms import OF_KIN, fill, named
from llmcourse.world.engine.splits import check_choice, draw, of_split
from llmcourse.world.engine.text_files import sections
from llmcourse.world.facts import knowledge
from llmcourse.world.facts.records import knowledge_base

_FRAMES = (
    "{v}.", "Please {v}.", "Could you {v}?", "Can you {v}?", "I want you to {v}.",
    "Your task is to {v}.", "Now {v}.", "Would you {v}, please?", "I would like you to {v}.",
    "Be so kind as to {v}.", "First of all, {v}.",
)  # fmt: skip
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven")
BLANK = "___"
OPPOSITES = (
    ("big", "small"), ("tall", "short"), ("old", "young"), ("strong", "weak"), ("fast", "slow"),
    ("loud", "quiet"), ("warm", "cold"), ("dark", "bright"), ("heavy", "light"), ("rich", "poor"),
    ("happy", "sad"), ("cheap", "expensive"), ("wet", "dry"), ("open", "closed"),
    ("full", "empty"), ("clean", "dirty"), ("early", "late"), ("right", "wrong"),
    ("hard", "soft"), ("thick", "thin"), ("good", "bad"), ("deep", "shallow"), ("near", "far"),
)  # fmt: skip

_NOUNS = tuple(one for one, _ in (*knowledge.THINGS, *knowledge.FOODS, *knowledge.ANIMALS))

_ORDERS = {task: text.splitlines() for task, text in sections("instructions").items()}
# the tasks whose input is a single word
_OF_WORDS = ("spell", "plural", "opposite", "comparative", "superlative", "counterpart")

Pair = tuple[str, str]  # an input and its reply


@dataclass(frozen=True)
class Instruction:
    """What to do (`prompt`), to what (`input`), the gold `reply`, and the name of the task."""

    prompt: str
    input: str
    reply: str
    task: str


def instructions(
    n: int, *, split: str = "train", seed: int = 0, task: str | None = None
) -> Iterator[Instruction]:
    """Stream `n` instructions of one of TASKS, or of all equally often.

    Raises ValueError for `n` below 1, an unknown split or task.
    """
    if task is not None:
        check_choice(task, TASKS, "task")

    def make(rng: Random) -> Instruction:
        name = task or rng.choice(TASKS)
        given, reply = _given(name, rng, split)
        prompt = of_split(lambda rng: _worded(name, rng), rng, split)
        return Instruction(prompt, given, reply, name)

    return draw(make, n, split, seed, f"instructions {task}")


def _given(task: str, rng: Random, split: str) -> Pair:
    """Return an input of the split and its reply; single words are the same in both splits."""
    make = _TASKS[task]
    return make(rng) if task in _OF_WORDS else of_split(make, rng, split, key=lambda pair: pair[0])


def _worded(task: str, rng: Random) -> str:
    return _sentence(rng.choice(_FRAMES).format(v=rng.choice(_ORDERS[task])))


def _sentence(text: str) -> str:
    """Return the text with a capital at the start, and a full stop if it has no end mark."""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")


def _nouns(rng: Random) -> list[str]:
    """Return two to seven different nouns."""
    return rng.sample(_NOUNS, rng.randint(2, 7))


def _listed(items: list[str]) -> str:
    return _sentence(", ".join(items))


def _of_list(answer: Callable[[list[str]], str]) -> Callable[[Random], Pair]:
    def make(rng: Random) -> Pair:
        items = _nouns(rng)
        return _listed(items), _sentence(answer(items))

    return make


def _of_sentence(reply: str) -> Callable[[Random], Pair]:
    """Return a maker of a happening and of its property `reply`."""

    def make(rng: Random) -> Pair:
        event = happening(rng)
        return event.said, getattr(event, reply)

    return make


def _of_word(table: dict[str, str]) -> Callable[[Random], Pair]:
    rows = tuple(table.items())

    def make(rng: Random) -> Pair:
        word, reply = rng.choice(rows)
        return _sentence(word), _sentence(reply)

    return make


def _one_of(rows: tuple[tuple[str, str], ...]) -> Callable[[Random], Pair]:
    """Return a maker of a list with one item of `rows`, and of that item."""
    kind = [one for one, _ in rows]
    others = [noun for noun in _NOUNS if noun not in kind]

    def make(rng: Random) -> Pair:
        wanted = rng.choice(kind)
        items = [wanted, *rng.sample(others, rng.randint(2, 4))]
        rng.shuffle(items)
        return _listed(items), _sentence(wanted)

    return make


def _spelled(rng: Random) -> Pair:
    word = rng.choice(_NOUNS)
    return _sentence(word), _listed(list(word))


def _blank(rng: Random) -> Pair:
    """Return a known fact with a blank for its object, and the object; never after a or an."""
    ask = rng.choice(_fillable())
    return fill(ask.form.reply, named(ask.name), BLANK), _sentence(ask.answer)


_YES_NO = {
    "job": "Is {s} {ax}?", "home": "Does {s} live in {x}?", "born": "Was {s} born in {x}?",
    "pet": "Does {s} have {ax}?", "pet name": "Is {p} pet called {x}?",
    "favourite food": "Does {s} like {x} best?", "favourite colour": "Is {x} {p} favourite colour?",
    "belonging": "Does {s} own {ax}?", "country": "Is {s} in {x}?",
    "river": "Does {s} lie on the river {x}?", "capital": "Is {x} the capital {of}?",
    "currency": "Do people in {s} pay with {x}?", "language": "Do people in {s} speak {x}?",
    "people": "Is somebody from {s} called {ax}?",
} | {word: f"Is {{x}} {{p}} {word}?" for word in OF_KIN}  # fmt: skip


def _yes_or_no(rng: Random) -> Pair:
    """Return a known fact as a question or, equally often, the same with a wrong object."""
    ask, wrong = rng.choice(_disputable())
    right = rng.random() < 0.5
    said = ask.answer if right else rng.choice(wrong)
    return fill(_YES_NO[ask.form.name], named(ask.name), said), "Yes." if right else "No."


@cache
def _disputable() -> tuple[tuple[Ask, tuple[str, ...]], ...]:
    """Return the asks that become a yes-or-no question, each with its wrong answers."""
    asks = [ask for ask in known_asks()[0] if ask.form.name in _YES_NO]
    answers = {form: {ask.answer for ask in asks if ask.form.name == form} for form in _YES_NO}
    return tuple(
        (ask, tuple(sorted(answers[ask.form.name] - {ask.answer, ask.name}))) for ask in asks
    )


@cache
def _fillable() -> tuple[Ask, ...]:
    """Return the asks whose reply has one right object, not after an article."""
    several = ("woman of job", "man of job", "food")
    direct = (ask for ask in known_asks()[0] if ask.form.name not in several)
    return tuple(ask for ask in direct if "{x}" in ask.form.reply)


def _tables() -> dict[str, dict[str, str]]:
    """Return what single words become."""
    world = knowledge_base()
    pairs = (*OPPOSITES, *((b, a) for a, b in OPPOSITES))
    return {
        "plural": dict((*knowledge.THINGS, *knowledge.FOODS, *knowledge.ANIMALS)),
        "opposite": dict(pairs),
        "comparative": {plain: more for plain, more, _ in world.comparatives},
        "superlative": {plain: most for plain, _, most in world.comparatives},
        "counterpart": {w: m for a, b in world.gendered for w, m in ((a, b), (b, a))},
    }


_WORD = _tables()
_TASKS: dict[str, Callable[[Random], Pair]] = {
    "count": _of_list(lambda items: _NUMBERS[len(items)]),
    "sort": _of_list(lambda items: _listed(sorted(items))),
    "reverse": _of_list(lambda items: _listed(items[::-1])),
    "first": _of_list(lambda items: items[0]),
    "last": _of_list(lambda items: items[-1]),
    "animal": _one_of(knowledge.ANIMALS),
    "food": _one_of(knowledge.FOODS),
    "spell": _spelled,
    "plural": _of_word(_WORD["plural"]),
    "opposite": _of_word(_WORD["opposite"]),
    "comparative": _of_word(_WORD["comparative"]),
    "superlative": _of_word(_WORD["superlative"]),
    "counterpart": _of_word(_WORD["counterpart"]),
    "capitals": _of_sentence("in_capitals"),
    "pronoun": _of_sentence("with_pronoun"),
    "deny": _of_sentence("denied"),
    "ask": _of_sentence("asked"),
    "who": _of_sentence("name"),
    "blank": _blank,
    "yes or no": _yes_or_no,
}
TASKS = tuple(_TASKS)
