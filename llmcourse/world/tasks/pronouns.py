"""Whom a pronoun means: sentences with two candidates, and for each a twin that means the other.

In most sentences both candidates agree with the pronoun, and one word of meaning decides, as in a
Winograd schema: "The lamp did not fit into the box because it was too big." In the others gender or
number decides.

source: Levesque, Davis and Morgenstern, The Winograd Schema Challenge, 2012, KR.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import NamedTuple

from llmcourse.world.engine.grammar import Domain
from llmcourse.world.engine.spelling import detokenise, polish, with_articles
from llmcourse.world.engine.splits import draw, split_of
from llmcourse.world.engine.text_files import sections
from llmcourse.world.engine.writing import Freehand, even
from llmcourse.world.facts import knowledge

SCHEMAS = sections("coreference_schemas")
SENTENCES = sections("coreference_sentences")
CUES = ("meaning", "gender", "number")

# kind: its percentage of all sentences
_SHARES = {"people": 30, "strangers": 15, "things": 20, "gender": 20, "number": 8, "flocks": 7}
_WOMEN = ("the girl", "the old woman", "the queen", "the waitress", "the duchess", "the actress")
_MEN = ("the boy", "the old man", "the king", "the waiter", "the duke", "the prince")
_TRIES = 20  # with other words in one draft, so that rare kinds of draft stay as frequent
_TIME = "[8:|yesterday|one morning|that day|at noon|in the evening]"


@dataclass(frozen=True)
class Coreference:
    """A sentence where `tokens[pronoun]` means `candidates[answer]`.

    The two candidates are spans (first and last token, inclusive). `cue`, one of `CUES`, is what
    decides. With `tokens[changed]` replaced by `other_word` the pronoun means the other candidate.
    """

    tokens: tuple[str, ...]
    candidates: tuple[tuple[int, int], tuple[int, int]]
    pronoun: int
    answer: int
    cue: str
    changed: int
    other_word: str

    @property
    def text(self) -> str:
        """The sentence as one would print it."""
        return detokenise(self.tokens)

    @property
    def names(self) -> tuple[str, ...]:
        """Both candidates as text, in the order of the sentence."""
        return tuple(" ".join(self.tokens[start : end + 1]) for start, end in self.candidates)

    @property
    def twin(self) -> Coreference:
        """The same sentence with the one word changed: its pronoun means the other candidate."""
        at = self.changed
        tokens = (*self.tokens[:at], self.other_word, *self.tokens[at + 1 :])
        return Coreference(
            tokens, self.candidates, self.pronoun, 1 - self.answer, self.cue, at, self.tokens[at]
        )


class _Schema(NamedTuple):
    """The rule in which candidate a comes first and, if any, the one with b first.

    pairs: the word that means a, and the one that means b; nouns: what a and b may be.
    """

    rules: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...] = ()
    nouns: tuple[list[str], ...] = ()


class _Parts(NamedTuple):
    """The words for each mark of a sentence; with the first word of the `pair`, a is meant.

    `pronoun` is empty where the pair itself consists of pronouns.
    """

    a: str
    b: str
    pronoun: str
    pair: tuple[str, str]


class _Draft(NamedTuple):
    """A sentence with marks in place of the candidates, the pronoun and the word that decides."""

    kind: str
    schema: _Schema
    written: list[str]
    text: str


def coreference(n: int, *, split: str = "train", seed: int = 0) -> Iterator[Coreference]:
    """Stream `n` sentences; each belongs to the split, and so does its twin.

    65 % are decided by meaning, 20 % by gender, 15 % by number. Both twins of a pair are equally
    likely, and so are both orders of the candidates: neither order nor distance nor any single word
    tells the answer. Test records take longer, since only one pair in a hundred has both sentences
    in that split.
    Raises ValueError for `n` below 1 or an unknown split.
    """

    def make(rng: Random) -> Coreference:
        while True:
            draft = _draft(rng)
            for _ in range(_TRIES):
                parts, said = _PARTS[draft.kind](draft.schema, rng), rng.randrange(2)
                if all(split_of(_text(draft, parts, word)) == split for word in (said, 1 - said)):
                    return _record(draft, parts, said)

    return draw(make, n, split, seed, "coreference")


def _draft(rng: Random) -> _Draft:
    grammar, schemas = _task()
    (kind,) = rng.choices(list(_SHARES), list(_SHARES.values()))
    schema = rng.choice(schemas[kind])
    written = with_articles(grammar.write(rng.choice(schema.rules), rng, _MARKS))
    return _Draft(kind, schema, written, detokenise(written))


def _text(draft: _Draft, parts: _Parts, said: int) -> str:
    """Return the sentence as it will be printed, fast: one test record takes a hundred of these."""
    text = draft.text
    for mark, word in _words(parts, said).items():
        text = text.replace(mark, word)
    return text[0].upper() + text[1:]


def _record(draft: _Draft, parts: _Parts, said: int) -> Coreference:
    tokens, places = _fill(draft.written, _words(parts, said))
    changed = places["<x>"][0]
    first, second = sorted((places["<a>"], places["<b>"]))
    return Coreference(
        tuple(polish(tokens)),
        (first, second),
        pronoun=places["<he>"][0] if parts.pronoun else changed,
        answer=(first, second).index(places["<b>" if said else "<a>"]),
        cue=_CUE[draft.kind],
        changed=changed,
        other_word=parts.pair[1 - said],
    )


def _words(parts: _Parts, said: int) -> dict[str, str]:
    return {"<a>": parts.a, "<b>": parts.b, "<he>": parts.pronoun, "<x>": parts.pair[said]}


def _fill(
    written: Sequence[str], words: Mapping[str, str]
) -> tuple[list[str], dict[str, tuple[int, int]]]:
    """Return the tokens with `words` in place of marks, and where (inclusive) each mark went."""
    tokens: list[str] = []
    places = {}
    for chunk in written:
        start = len(tokens)
        tokens += words.get(chunk, chunk).split()
        if chunk in words:
            places[chunk] = start, len(tokens) - 1
    return tokens, places


def _two_people(schema: _Schema, rng: Random) -> _Parts:
    """Return two people of one gender by name, or two people by their jobs."""
    if rng.random() < 0.5:
        return _two_strangers(schema, rng)
    woman = rng.randrange(2)
    a, b = rng.sample(knowledge.WOMEN if woman else knowledge.MEN, 2)
    return _Parts(a, b, "she" if woman else "he", rng.choice(schema.pairs))


def _two_strangers(schema: _Schema, rng: Random) -> _Parts:
    a, b = rng.sample(knowledge.JOBS, 2)
    return _Parts(f"the {a}", f"the {b}", rng.choice(("she", "he")), rng.choice(schema.pairs))


def _two_things(schema: _Schema, rng: Random) -> _Parts:
    a, b = (rng.choice(nouns) for nouns in schema.nouns)
    return _Parts(f"the {a}", f"the {b}", "it", rng.choice(schema.pairs))


def _woman_and_man(_: _Schema, rng: Random) -> _Parts:
    named = rng.random() < 0.5
    woman = rng.choice(knowledge.WOMEN if named else _WOMEN)
    man = rng.choice(knowledge.MEN if named else _MEN)
    if rng.randrange(2):
        return _Parts(woman, man, "", ("she", "he"))
    return _Parts(man, woman, "", ("he", "she"))


def _one_and_many(nouns: Sequence[tuple[str, str]], rng: Random) -> _Parts:
    (one, _), (_, many) = rng.sample(nouns, 2)
    if rng.randrange(2):
        return _Parts(f"the {one}", f"the {many}", "", ("it", "they"))
    return _Parts(f"the {many}", f"the {one}", "", ("they", "it"))


def _thing_and_things(_: _Schema, rng: Random) -> _Parts:
    return _one_and_many(knowledge.THINGS, rng)


def _animal_and_animals(_: _Schema, rng: Random) -> _Parts:
    return _one_and_many([row for row in knowledge.ANIMALS if row[0] != row[1]], rng)


_PARTS: dict[str, Callable[[_Schema, Random], _Parts]] = {
    "people": _two_people, "strangers": _two_strangers, "things": _two_things,
    "gender": _woman_and_man, "number": _thing_and_things, "flocks": _animal_and_animals,
}  # fmt: skip
_CUE = dict.fromkeys(SCHEMAS, "meaning") | {
    "gender": "gender", "number": "number", "flocks": "number"
}  # fmt: skip
_MARKS = {mark: {"": f"<{mark}>"} for mark in ("a", "b", "he", "x")}


@cache
def _task() -> tuple[Freehand, dict[str, list[_Schema]]]:
    """Return the grammar of all rules, and the schemas of each kind, which name them."""
    texts = {"why": "[3: because|since|as]"}
    schemas: dict[str, list[_Schema]] = {kind: [] for kind in _SHARES}
    for kind, text in SCHEMAS.items():
        for block in text.strip().split("\n\n"):
            first, second, words, *things = block.splitlines()
            pairs = tuple((one, other) for one, other in (w.split("/") for w in words.split()))
            nouns = tuple(side.split() for line in things for side in line.split(" | "))
            schemas[kind].append(_Schema(_add(texts, kind, first, second), pairs, nouns))
    for kind, text in SENTENCES.items():
        schemas[kind] += [_Schema(_add(texts, kind, line)) for line in text.strip().splitlines()]
    return Freehand(texts, _domains()), schemas


def _add(texts: dict[str, str], kind: str, *lines: str) -> tuple[str, ...]:
    """Add a rule for each line and name them; sentences about people may begin with a time."""
    rules = tuple(f"{kind}{len(texts) + i}" for i in range(len(lines)))
    time = _TIME if kind in ("people", "gender") else ""
    texts |= {rule: f"{time} {line} ." for rule, line in zip(rules, lines, strict=True)}
    return rules


def _domains() -> dict[str, Domain]:
    return {
        "job": even("name", rows=[f"the {job}" for job in knowledge.JOBS]),
        "food": even("name", rows=[many for _, many in knowledge.FOODS]),
        "animal": even("name", rows=[one for one, _ in knowledge.ANIMALS]),
    }
