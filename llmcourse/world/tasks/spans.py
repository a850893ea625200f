"""Questions about a short text, answered by a span of it.

The text tells invented events that share people, verbs and things, so that no single word of the
question leads to the answer: only one sentence contains all of them. Some questions need two
sentences: "What is the job of the person who sold the lamp?" is answered by another sentence, which
states that person's job, a fact of the world.

source: Rajpurkar et al., SQuAD: 100,000+ Questions for Machine Comprehension of Text, 2016,
arXiv:1606.05250, for the task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from llmcourse.text.corpora import words
from llmcourse.world.engine.spelling import detokenise, with_article
from llmcourse.world.engine.splits import draw, of_split, split_of
from llmcourse.world.engine.text_files import sections
from llmcourse.world.facts import events
from llmcourse.world.facts.events import FAMILIES, GIVING, Event, Mention
from llmcourse.world.facts.records import Person, knowledge_base

FEWEST, MOST = 3, 8  # events in a text
_TRIES = 60  # questions about one text before another text is made up
_TOLD = {"where": 0.5, "when": 0.4, "why": 0.1}  # how often an event states a part it need not

_ASKED = sections("span_questions")  # what is asked for: the wordings
# How a text states a known fact that a question of two steps needs; the answer is {x}.
_FACTS = {
    "job": ("{name} is a {x} .", "{name} works as a {x} .", "{name} earns money as a {x} ."),
    "home": ("{name} lives in {x} .", "{name} is at home in {x} .", "In {x} lives {name} ."),
    "pet": ("{name} keeps a {x} .", "{name} has a {x} .", "A {x} lives with {name} ."),
}
KINDS = tuple(_ASKED)


@dataclass(frozen=True)
class SpanQuestion:
    """A text, a question about it and its answer: tokens `start` to `end`, both inclusive.

    The same words may occur elsewhere in the text: `start` is where they answer the question.
    `kind` is what is asked for, one of KINDS.
    """

    context: tuple[str, ...]
    question: tuple[str, ...]
    start: int
    end: int
    kind: str

    @property
    def answer(self) -> str:
        """The words of the span."""
        return detokenise(self.context[self.start : self.end + 1])


def span_questions(
    n: int, *, split: str = "train", seed: int = 0, events: int = 4
) -> Iterator[SpanQuestion]:
    """Stream `n` questions, each about a text of `events` (3 to 8) sentences in random order.

    All KINDS are equally frequent. At least three sentences of the text state something of the kind
    that is asked for, and any of them may be the right one. Answers have 1 to 6 tokens. With
    questions for a job, a home or a pet the text has one more sentence for each of three people,
    which states that fact of the world. Questions and all other sentences belong to the split by
    their hash. Raises ValueError for `n` below 1, another split or `events` out of range.
    """
    if not FEWEST <= events <= MOST:
        raise ValueError(
            f"expected {FEWEST} to {MOST} events, got {events}: choose the length of the text"
        )
    return draw(lambda rng: _question(rng, split, events), n, split, seed, f"spans {events}")


def _question(rng: Random, split: str, size: int) -> SpanQuestion:
    kind = rng.choice(KINDS)
    while True:
        told = _scene(rng, split, size, kind)
        for _ in range(_TRIES):
            at = rng.randrange(FEWEST)
            asked = _ask(kind, told[at][0], [event for event, _, _ in told], rng)
            if asked and split_of(asked) == split:
                return _compose(kind, told, at, asked, rng)


_Told = tuple[Event, tuple[str, ...], Mapping[str, int]]


def _scene(rng: Random, split: str, size: int, kind: str) -> list[_Told]:
    """Return events with their sentences; the first three differ in what is asked for."""
    role = _role(kind)
    names = [GIVING] if kind == "whom" else list(FAMILIES)
    families = rng.sample(names, min(len(names), rng.choice((1, 2, 2))))
    verbs = [rng.choice(FAMILIES[name].verbs) for name in families]
    cast = _cast(rng, kind)
    told: list[_Told] = []
    while len(told) < size:
        must = role if len(told) < FEWEST else ""
        turn = rng.randrange(len(families))
        tell = partial(_tell, family=families[turn], verb=verbs[turn], cast=cast, must=must)
        event, tokens, starts = of_split(tell, rng, split, key=lambda made: detokenise(made[1]))
        said = [other.part(role) for other, _, _ in told[:FEWEST]] if must else []
        if event.part(must or "who") not in said:
            told.append((event, tokens, starts))
    return told


def _role(kind: str) -> str:
    """Return the part of an event that holds the answer; for a fact, the person it is about."""
    return {"how many": "what", "job": "who", "home": "who", "pet": "who"}.get(kind, kind)


@dataclass(frozen=True)
class _Cast:
    """What the events of one text are made of."""

    people: Sequence[Mention]
    counted: bool
    nouns: Mapping[str, Sequence[Mention]]


def _cast(rng: Random, kind: str) -> _Cast:
    """Return a few people and things for events to share; three people where one is asked for."""
    make = events.person if kind in _FACTS else events.somebody
    people: dict[str, Mention] = {}
    while len(people) < 3:
        one = make(rng)
        if not any(name in other.text for other in people.values() for name in _names(one)):
            people[one.key] = one
    counted = kind == "how many"
    kinds = dict.fromkeys(family.kinds for family in FAMILIES.values())
    some = 4 if kind == "what" else 2
    nouns = {k: [events.something(rng, k, counted=counted) for _ in range(some)] for k in kinds}
    return _Cast(tuple(people.values()), counted, nouns)


def _names(one: Mention) -> list[str]:
    return [word for word in one.known.split() if word not in ("the", "and", "from")]


def _tell(rng: Random, family: str, verb: str, cast: _Cast, must: str) -> _Told:
    """Return an event of the cast and its sentence, which states the part `must` (if not empty)."""
    reasons, kinds = FAMILIES[family].reasons, FAMILIES[family].kinds
    tells = {role for role, share in _TOLD.items() if role == must or rng.random() < share}
    who = rng.choice(cast.people)
    what = rng.choice(cast.nouns[kinds])
    if rng.random() < 0.5:
        what = events.something(rng, kinds, counted=cast.counted)
    whom = events.person(rng) if family == GIVING else None
    while whom and whom.key in who.text:
        whom = events.person(rng)
    event = Event(
        who, verb, what, whom,
        where=events.somewhere(rng) if "where" in tells else "",
        when=rng.choice(events.WHEN) if "when" in tells else "",
        why=rng.choice(reasons) if "why" in tells else "",
    )  # fmt: skip
    return event, *events.sentence(event, rng)


# --- the question and the position of its answer -------------------------------------------


def _ask(kind: str, event: Event, scene: Sequence[Event], rng: Random) -> str:
    """Ask for a part of `event`; return "" if the question would fit another event of the scene."""
    role = _role(kind)
    given = ["verb", *(part for part in ("who", "what") if part != role)]
    if kind == "how many":
        given.append("what")
    rest = ""
    extras = [part for part in ("where", "when") if part != role and event.part(part)]
    if extras and rng.random() < 0.3:
        given.append(rng.choice(extras))
        rest = " " + event.part(given[-1])
    if event.whom and role != "whom":
        given.append("whom")
    if sum(all(_same(event, other, part) for part in given) for other in scene) > 1:
        return ""
    base, past, done = event.verb.split()
    return rng.choice(_ASKED[kind].splitlines()).format(
        x=base, xed=past, done=done, who=event.who.known, what=event.what.known,
        many=event.what.key, was="were" if event.what.plural else "was",
        to=f" to {event.whom.known}" if event.whom else "", rest=rest,
    )  # fmt: skip


def _same(one: Event, other: Event, part: str) -> bool:
    mine, theirs = getattr(one, part), getattr(other, part)
    if isinstance(mine, Mention) and isinstance(theirs, Mention):
        return mine.key == theirs.key
    # A place in the same town, or a time in the same month or on the same day, may be the same one.
    named = {word for word in mine.split() if word[0].isupper()}
    return mine == theirs or not named.isdisjoint(theirs.split())


def _compose(kind: str, told: Sequence[_Told], at: int, asked: str, rng: Random) -> SpanQuestion:
    event, tokens, starts = told[at]
    role = _role(kind)
    offset, answer = starts[role], event.part(role).split()
    sentences = [tokens for _, tokens, _ in told]
    if kind in _FACTS:
        folk = dict.fromkeys(other.who.key for other, _, _ in told)
        facts = {name: _state(kind, knowledge_base().person(name), rng) for name in folk}
        sentences += [tokens for tokens, _ in facts.values()]
        tokens, offset = facts[event.who.key]
        answer = [tokens[offset]]
    if kind == "how many":
        answer = answer[:1]
    rng.shuffle(sentences)
    start = offset + sum(map(len, sentences[: sentences.index(tokens)]))
    context = tuple(token for sentence in sentences for token in sentence)
    return SpanQuestion(context, tuple(words(asked)), start, start + len(answer) - 1, kind)


def _state(kind: str, person: Person, rng: Random) -> tuple[tuple[str, ...], int]:
    """Return the tokens of a sentence that states a known fact, and the index of its answer."""
    thing = str(getattr(person, kind))
    text = rng.choice(_FACTS[kind]).format(name=person.name, x=thing)
    tokens = text.replace(f" a {thing}", f" {with_article(thing)}").split()
    if tokens[0] == "A":
        tokens[0] = with_article(thing).split()[0].capitalize()
    return tuple(tokens), tokens.index(thing)
