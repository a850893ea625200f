"""Small tasks in words: an instruction, what it is to be done to, and the one right reply.

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

from llmcourse.world import knowledge
from llmcourse.world.asks import Ask, known_asks
from llmcourse.world.facts import knowledge_base
from llmcourse.world.happenings import happening
from llmcourse.world.question_forms import OF_KIN, fill, named
from llmcourse.world.splits import check_choice, draw, of_split

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

Pair = tuple[str, str]  # an input and its reply


@dataclass(frozen=True)
class Instruction:
    """What to do (`prompt`), to what (`input`), the gold `reply`, and the name of the task."""

    prompt: str
    input: str
    reply: str
    task: str


@dataclass(frozen=True)
class _Task:
    """`orders` fit "Please ..."; `make` draws an input and its reply; `words` are single words."""

    orders: tuple[str, ...]
    make: Callable[[Random], Pair]
    words: bool = False


def instructions(
    n: int, *, split: str = "train", seed: int = 0, task: str | None = None
) -> Iterator[Instruction]:
    """`n` instructions of one of TASKS, or of all equally often.

    Raises ValueError for `n` below 1, an unknown split or task.
    """
    if task is not None:
        check_choice(task, TASKS, "task")

    def make(rng: Random) -> Instruction:
        name = task or rng.choice(TASKS)
        given, reply = _given(_TASKS[name], rng, split)
        return Instruction(of_split(_worded(_TASKS[name]), rng, split), given, reply, name)

    return draw(make, n, split, seed, f"instructions {task}")


def _given(task: _Task, rng: Random, split: str) -> Pair:
    if task.words:
        return task.make(rng)
    return of_split(task.make, rng, split, key=lambda pair: pair[0])


def _worded(task: _Task) -> Callable[[Random], str]:
    return lambda rng: _sentence(rng.choice(_FRAMES).format(v=rng.choice(task.orders)))


def _sentence(text: str) -> str:
    """With a capital, and with a full stop where nothing ends it."""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")


def _nouns(rng: Random) -> list[str]:
    """Two to seven different nouns."""
    return rng.sample(_NOUNS, rng.randint(2, 7))


def _listed(items: list[str]) -> str:
    return _sentence(", ".join(items))


def _of_list(answer: Callable[[list[str]], str]) -> Callable[[Random], Pair]:
    def make(rng: Random) -> Pair:
        items = _nouns(rng)
        return _listed(items), _sentence(answer(items))

    return make


def _of_sentence(reply: str) -> Callable[[Random], Pair]:
    """A happening and what `reply` names of it."""

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
    """A list with one item of `rows`, and that item."""
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
    """A known fact without its object, and the object; never after an article, which would tell."""
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
    """A known fact as a question, or the same with the object of another fact, equally often."""
    ask, wrong = rng.choice(_disputable())
    right = rng.random() < 0.5
    said = ask.answer if right else rng.choice(wrong)
    return fill(_YES_NO[ask.form.name], named(ask.name), said), "Yes." if right else "No."


@cache
def _disputable() -> tuple[tuple[Ask, tuple[str, ...]], ...]:
    """The asks that yes or no can answer, each with the answers that are wrong for it."""
    asks = [ask for ask in known_asks()[0] if ask.form.name in _YES_NO]
    answers = {form: {ask.answer for ask in asks if ask.form.name == form} for form in _YES_NO}
    return tuple(
        (ask, tuple(sorted(answers[ask.form.name] - {ask.answer, ask.name}))) for ask in asks
    )


@cache
def _fillable() -> tuple[Ask, ...]:
    """The asks whose reply has one right object, not after an article."""
    several = ("woman of job", "man of job", "food")
    direct = (ask for ask in known_asks()[0] if ask.form.name not in several)
    return tuple(ask for ask in direct if "{x}" in ask.form.reply)


def _tables() -> dict[str, dict[str, str]]:
    """What single words become."""
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
_TASKS = {
    "count": _Task((
        "count the words in the list", "say how many words there are", "count the items",
        "tell me how many things are listed", "give the number of words in the list",
        "say how long the list is",
    ), _of_list(lambda items: _NUMBERS[len(items)])),
    "sort": _Task((
        "put the words in alphabetical order", "sort the list from a to z", "sort the words",
        "order the words by the alphabet", "arrange the list alphabetically",
        "list the words in the order of a dictionary",
    ), _of_list(lambda items: _listed(sorted(items)))),
    "reverse": _Task((
        "reverse the list", "write the list backwards", "turn the order of the words around",
        "list the words from last to first", "put the words in the opposite order",
        "begin with the last word and end with the first",
    ), _of_list(lambda items: _listed(items[::-1]))),
    "first": _Task((
        "give the first word of the list", "name the first item", "say which word comes first",
        "write down the word that the list begins with", "copy only the first word",
        "tell me the first thing in the list",
    ), _of_list(lambda items: items[0])),
    "last": _Task((
        "give the last word of the list", "name the last item", "say which word comes last",
        "write down the word that the list ends with", "copy only the last word",
        "tell me the last thing in the list",
    ), _of_list(lambda items: items[-1])),
    "animal": _Task((
        "find the animal in the list", "pick out the animal", "say which word is an animal",
        "name the one animal among the words", "tell me which of these can run, swim or fly",
        "choose the word for an animal",
    ), _one_of(knowledge.ANIMALS)),
    "food": _Task((
        "find the food in the list", "pick out what one can eat", "say which word is a food",
        "name the one food among the words", "tell me which of these one can cook",
        "choose the word for a food",
    ), _one_of(knowledge.FOODS)),
    "spell": _Task((
        "spell the word", "write the word letter by letter", "split the word into letters",
        "list the letters of the word", "take the word apart into its letters",
        "put a comma between the letters",
    ), _spelled, words=True),
    "plural": _Task((
        "give the plural", "write the word for more than one", "make the word plural",
        "say what several of them are called", "turn one into many",
        "put the noun into the plural",
    ), _of_word(_WORD["plural"]), words=True),
    "opposite": _Task((
        "give the opposite", "name the word that means the opposite", "turn the word around in "
        "meaning", "say the contrary", "write the adjective that means the reverse",
        "find the opposite of the word",
    ), _of_word(_WORD["opposite"]), words=True),
    "comparative": _Task((
        "give the comparative", "write the form that goes with than", "put the adjective into the "
        "comparative", "say the word for having more of it", "make the adjective stronger by one "
        "step", "compare two with this adjective",
    ), _of_word(_WORD["comparative"]), words=True),
    "superlative": _Task((
        "give the superlative", "write the form for the most of all", "put the adjective into the "
        "superlative", "say the word for having the most of it", "write the highest form of the "
        "adjective", "name the form for the first among many",
    ), _of_word(_WORD["superlative"]), words=True),
    "counterpart": _Task((
        "give the word for the other sex", "name the man for the woman or the woman for the man",
        "swap the gender of the word", "write the partner of this word",
        "change man to woman or woman to man", "say what it is called for the other gender",
    ), _of_word(_WORD["counterpart"]), words=True),
    "capitals": _Task((
        "write the sentence in capital letters", "put everything into capitals",
        "turn all letters into big ones", "copy the sentence in upper case",
        "write it all in large letters", "change every letter to a capital",
    ), _of_sentence("in_capitals")),
    "pronoun": _Task((
        "replace the name by he or she", "use a pronoun instead of the name",
        "say it without the name", "rewrite the sentence with he or she",
        "put a pronoun in the place of the person", "hide the name behind a pronoun",
    ), _of_sentence("with_pronoun")),
    "deny": _Task((
        "say that it did not happen", "make the sentence negative", "deny the sentence",
        "put the sentence into the negative", "write the sentence with not",
        "turn the statement into a denial",
    ), _of_sentence("denied")),
    "ask": _Task((
        "turn the sentence into a question", "ask whether it happened",
        "make a question of the sentence", "rewrite the statement as a question",
        "put the sentence as a question that yes or no can answer",
        "ask if the sentence is true",
    ), _of_sentence("asked")),
    "who": _Task((
        "say who did it", "name the person in the sentence", "find the person",
        "give only the name", "tell me whom the sentence is about",
        "write down who the sentence speaks of",
    ), _of_sentence("name")),
    "blank": _Task((
        "fill in the blank", "complete the sentence with one word", "say which word is missing",
        "find the missing word", "write the word that belongs in the gap",
        "tell me what goes in the empty place",
    ), _blank),
    "yes or no": _Task((
        "answer with yes or no", "say whether it is so, yes or no", "reply with yes or no only",
        "answer the question in one word, yes or no", "tell me yes or no",
        "decide between yes and no",
    ), _yes_or_no),
}  # fmt: skip
TASKS = tuple(_TASKS)
