"""The bilingual lexicon: English words with their kinds, and their stems in the second language.

People, animals, things, foods, colours and towns are the world's own (`knowledge`). A noun has one
fixed gender: that of the person for names and words like `queen`, else one drawn by rule from its
meaning. A verb lists the kinds of its subjects and objects, so that sentences make sense.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random

from llmcourse.world.facts import knowledge
from llmcourse.world.language import morphology
from llmcourse.world.language.morphology import CASES, GENDERS, NUMBERS, TENSES


@dataclass(frozen=True)
class Noun:
    """A noun or name: English `one` and `many`, its kind, its stem and gender.

    `kind` is name, person, job, animal, thing, food, place or town. Names and towns have no plural:
    there `many` is empty.
    """

    one: str
    many: str
    kind: str
    stem: str
    gender: str

    @property
    def human(self) -> bool:
        """Whether it names people."""
        return self.kind in ("name", "person", "job")


@dataclass(frozen=True)
class Verb:
    """An English verb (`base`, `third` person, `past`), its stem, and the kinds it goes with.

    `objects` is empty for intransitive verbs; `gives` marks verbs with a recipient.
    """

    base: str
    third: str
    past: str
    stem: str
    subjects: tuple[str, ...]
    objects: tuple[str, ...]
    gives: bool = False


@dataclass(frozen=True)
class Reading:
    """One way to read a word of the second language: the English lemma, word class and features.

    `pos` is noun, adjective, article, pronoun, relative, verb or particle. `features` of the first
    five are gender, number and case; of verbs tense, gender and number (the gender is "" in the
    plural, which does not show it); of particles there are none.
    """

    lemma: str
    pos: str
    features: tuple[str, ...]


_PEOPLE = (
    ("woman", "women", "f"), ("man", "men", "m"), ("girl", "girls", "f"), ("boy", "boys", "m"),
    ("king", "kings", "m"), ("queen", "queens", "f"),
)  # fmt: skip
_PETS = ("dog", "cat", "rabbit", "goat", "duck", "hen")
# place, plural, the prepositions that suit it
_PLACES = (
    ("garden", "gardens", "in near behind"), ("house", "houses", "in near behind beside"),
    ("bridge", "bridges", "under near"), ("mill", "mills", "in near behind"),
    ("river", "rivers", "near beside"), ("gate", "gates", "near behind beside"),
    ("market", "markets", "in near"), ("kitchen", "kitchens", "in"),
    ("church", "churches", "in near behind"), ("tower", "towers", "in near behind"),
    ("tree", "trees", "under near behind"), ("wall", "walls", "near behind beside"),
)  # fmt: skip
PREPOSITIONS = {place: tuple(words.split()) for place, _, words in _PLACES}
COLOURS = tuple(knowledge.COLOURS[:8])
QUALITIES = {
    "person": ("old", "young", "tall", "tired", "happy", "hungry", "kind"),
    "animal": ("small", "old", "young", "big", "hungry", "tired"),
    "thing": ("old", "new", "small", "big", "heavy", "beautiful"),
    "food": ("fresh", "ripe", "small", "big"),
    "place": ("old", "big", "small", "new", "beautiful"),
}
HUES = {
    "animal": ("black", "white", "brown", "grey"),
    "thing": COLOURS,
    "food": ("red", "green", "yellow"),
}
# Qualities that may be given as the reason for what people and animals do.
MOODS = {"person": ("tired", "hungry", "happy", "kind"), "animal": ("hungry", "tired")}
_OPPOSITES = (("old", "young", "new"), ("old", "fresh"), ("big", "small"), COLOURS)
ADVERBS = {
    "past": ("yesterday", "once"), "present": ("today", "now"), "future": ("tomorrow", "soon")
}  # fmt: skip
NUMERALS = ("two", "three", "four", "five", "six", "eight", "ten", "twelve")

_H, _A, _T, _F = ("name", "person", "job"), ("animal",), ("thing",), ("food",)
_L = _H + _A  # all that live
_VERBS = (
    ("sleep", "sleeps", "slept", _L, ()), ("wait", "waits", "waited", _L, ()),
    ("run", "runs", "ran", _L, ()), ("walk", "walks", "walked", _L, ()),
    ("sing", "sings", "sang", _H, ()), ("laugh", "laughs", "laughed", _H, ()),
    ("dance", "dances", "danced", _H, ()), ("rest", "rests", "rested", _L, ()),
    ("see", "sees", "saw", _L, _L + _T + _F), ("find", "finds", "found", _H, _A + _T + _F),
    ("hear", "hears", "heard", _L, _L), ("follow", "follows", "followed", _L, _L),
    ("fear", "fears", "feared", _L, _L), ("meet", "meets", "met", _H, _H),
    ("help", "helps", "helped", _H, _L), ("love", "loves", "loved", _H, _L),
    ("buy", "buys", "bought", _H, _A + _T + _F), ("want", "wants", "wanted", _H, _A + _T + _F),
    ("need", "needs", "needed", _H, _T + _F), ("carry", "carries", "carried", _H, _T + _F),
    ("hide", "hides", "hid", _H, _T + _F), ("lose", "loses", "lost", _H, _T),
    ("mend", "mends", "mended", _H, _T), ("paint", "paints", "painted", _H, _A + _T),
    ("eat", "eats", "ate", _L, _F), ("wash", "washes", "washed", _H, _T + _F),
)  # fmt: skip
_GIVING = (
    ("give", "gives", "gave"), ("show", "shows", "showed"), ("bring", "brings", "brought"),
    ("sell", "sells", "sold"), ("send", "sends", "sent"), ("lend", "lends", "lent"),
)  # fmt: skip
# Verbs that give a reason: he ran because he feared the fox.
REASONS = ("want", "need", "love", "fear", "see", "hear")

# Words that grammar needs. `and` has two words: between phrases and between clauses.
_AGREEING = {"the": "article", "a": "article", "he": "pronoun", "who": "relative"}
_PARTICLES = (
    "not", "and (phrases)", "and (clauses)", "but", "because", "(person as object)",
    "in", "near", "behind", "under", "beside",
)  # fmt: skip


@dataclass(frozen=True)
class Lexicon:
    """Every word: nouns by kind, verbs, the stems of adjectives and other words by English word."""

    nouns: dict[str, tuple[Noun, ...]]
    verbs: tuple[Verb, ...]
    be: Verb
    adjectives: dict[str, str]
    agreeing: dict[str, str]  # the, a, he, who: stems that take the endings of adjectives
    particles: dict[str, str]  # words of one form: not, and, in, yesterday, two


def _forms(stem: str, pos: str, gender: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every form of a word with the features it shows."""
    if pos == "noun":
        for number, case in product(NUMBERS, CASES):
            form = morphology.noun_form(stem, gender, number, case)
            yield form, (gender, number, case)
    elif pos == "verb":
        for tense, kind in product(TENSES, GENDERS):
            yield morphology.verb_form(stem, tense, kind, "sg"), (tense, kind, "sg")
        for tense in TENSES:
            yield morphology.verb_form(stem, tense, "m", "pl"), (tense, "", "pl")
    elif pos == "particle":
        yield stem, ()
    else:
        for kind, number, case in product(GENDERS, NUMBERS, CASES):
            form = morphology.adjective_form(stem, kind, number, case)
            yield form, (kind, number, case)


def clash(one: str, other: str) -> bool:
    """Say whether two words cannot both describe one thing: equal, opposites or two colours."""
    return one == other or any(one in group and other in group for group in _OPPOSITES)


class _Coiner:
    """A maker of stems; no form of one is an English word or a form of another. Keeps readings."""

    def __init__(self, english: frozenset[str]) -> None:
        self.english = english
        self.readings: dict[str, tuple[Reading, ...]] = {}

    def coin(self, lemma: str, pos: str, spell: Callable[[int], str], gender: str = "") -> str:
        """Return the first stem of `spell(0)`, `spell(1)`, ... that is free, and note its forms."""
        for attempt in range(100):
            stem = spell(attempt)
            forms = list(_forms(stem, pos, gender))
            if not any(form in self.readings or form in self.english for form, _ in forms):
                for form, features in forms:
                    reading = Reading(lemma, pos, features)
                    self.readings[form] = (*self.readings.get(form, ()), reading)
                return stem
        raise AssertionError(f"no free stem for {lemma}")

    def word(self, lemma: str, pos: str, syllables: int, gender: str = "") -> str:
        """Return an invented stem of so many syllables."""

        def spell(attempt: int) -> str:
            return morphology.stem(f"{lemma} {pos}", syllables, attempt)

        return self.coin(lemma, pos, spell, gender)


def _gender(meaning: str, genders: Sequence[str]) -> str:
    return Random(f"gender {meaning}").choice(genders)


def _length(meaning: str, longest: int) -> int:
    return Random(f"length {meaning}").choice((1, 2, 2, 2, 3)[: longest + 1])


def _english_words() -> frozenset[str]:
    """Return the English words of the parallel text, so that no invented word looks like one."""
    rows = (*_PEOPLE, *_PLACES, *knowledge.ANIMALS, *knowledge.THINGS, *knowledge.FOODS)
    words = {word for row in rows for word in row[:2]}
    words |= {word for row in (*_VERBS, *_GIVING) for word in row[:3]}
    words |= {w for base in (*knowledge.JOBS, *_PETS) for w in (base, base + "s")}
    words |= {q for group in QUALITIES.values() for q in group} | {*COLOURS, *NUMERALS}
    words |= {w for group in ADVERBS.values() for w in group} | {*_PARTICLES, *_AGREEING}
    words |= {"to", "do", "did", "does", "will", "is", "are", "was", "were", "an", "and", "that"}
    return frozenset(words | {"it", "him", "her", "she", "they", "them"})


def _nouns(coiner: _Coiner) -> dict[str, tuple[Noun, ...]]:
    def countable(kind: str, row: tuple[str, str], gender: str) -> Noun:
        one, many = row
        return Noun(one, many, kind, coiner.word(one, "noun", _length(one, 3), gender), gender)

    def named(kind: str, name: str, gender: str) -> Noun:
        stem = coiner.coin(name, "noun", lambda _: morphology.name_stem(name), gender)
        return Noun(name, "", kind, stem, gender)

    couples = zip(knowledge.WOMEN[:12], knowledge.MEN[:12], strict=True)
    names = [named("name", w, g) for pair in couples for w, g in zip(pair, "fm", strict=True)]
    nouns = {
        "name": tuple(names),
        "town": tuple(named("town", row[1], "n") for row in knowledge.COUNTRIES[:8]),
        "person": tuple(countable("person", row[:2], row[2]) for row in _PEOPLE),
    }
    beasts = [row for row in knowledge.ANIMALS if row[0] != row[1]]
    for kind, rows, genders in (
        ("job", [(job, job + "s") for job in knowledge.JOBS[:12]], "mf"),
        ("animal", [*((pet, pet + "s") for pet in _PETS), *beasts[:10]], GENDERS),
        ("thing", knowledge.THINGS[:20], GENDERS),
        ("food", knowledge.FOODS[:10], GENDERS),
        ("place", [row[:2] for row in _PLACES], GENDERS),
    ):
        nouns[kind] = tuple(countable(kind, row, _gender(row[0], genders)) for row in rows)
    return nouns


def _verbs(coiner: _Coiner) -> tuple[Verb, ...]:
    giving = [(*row, _H, _A + _T + _F) for row in _GIVING]
    return tuple(
        Verb(
            base, third, past, coiner.word(base, "verb", _length(base, 2)), subjects, objects,
            gives=(base, third, past) in _GIVING,
        )
        for base, third, past, subjects, objects in (*_VERBS, *giving)
    )  # fmt: skip


@cache
def _everything() -> tuple[Lexicon, dict[str, tuple[Reading, ...]]]:
    """Return the lexicon and the readings of each form, coined in a fixed order: short first."""
    coiner = _Coiner(_english_words())
    agreeing = {word: coiner.word(word, pos, 0) for word, pos in _AGREEING.items()}
    particles = {word: coiner.word(word, "particle", 1) for word in _PARTICLES}
    longer = (*NUMERALS, *(adverb for tense in TENSES for adverb in ADVERBS[tense]))
    particles |= {word: coiner.word(word, "particle", 2) for word in longer}
    nouns, verbs = _nouns(coiner), _verbs(coiner)
    qualities = sorted({q for words in QUALITIES.values() for q in words} | set(COLOURS))
    adjectives = {q: coiner.word(q, "adjective", _length(q, 2)) for q in qualities}
    be = Verb("be", "is", "was", coiner.word("be", "verb", 1), (), ())
    return Lexicon(nouns, verbs, be, adjectives, agreeing, particles), coiner.readings


def lexicon() -> Lexicon:
    """Return the one lexicon, built on first use (some milliseconds)."""
    return _everything()[0]


@cache
def verbs_for(subject: str, target: str | None) -> tuple[Verb, ...]:
    """Return the verbs for a subject of this kind; with `target` those that take such an object."""
    return tuple(
        verb
        for verb in lexicon().verbs
        if subject in verb.subjects and (target is None or target in verb.objects)
    )


def analyse(word: str) -> tuple[Reading, ...]:
    """Return every reading of a word of the second language; all have the same lemma.

    A full stop or comma has none. Raises ValueError for a word that the language does not have.
    """
    if word in (".", ","):
        return ()
    readings = _everything()[1]
    if word not in readings:
        raise ValueError(
            f"expected a word of the second language, got {word!r}: take one from the target of "
            "world.parallel"
        )
    return readings[word]
