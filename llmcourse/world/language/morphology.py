"""The sounds and the word forms of the world's second language: stems, endings, vowel harmony.

A stem is drawn from a generator seeded with its meaning, so a meaning always has the same stem. Its
vowels are all back (a o u å) or all front (e i ö ü), and those of every ending agree, so each
ending has two spellings. Articles, adjectives and nouns have one table of endings for gender,
number and case, so words that belong together rhyme. Nothing is irregular.

source: Clements and Sezer, Vowel and consonant disharmony in Turkish, 1982, for the harmony.
"""

from __future__ import annotations

from functools import cache
from random import Random

GENDERS = ("m", "f", "n")
NUMBERS = ("sg", "pl")
CASES = ("nom", "acc", "dat", "gen", "loc")
TENSES = ("past", "present", "future")


def _sounds(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_BACK, _FRONT = "aouå", "eiöü"
_ONSETS = _sounds("p t k b d g v z ž š č m n l r h zd št vr dr kl žd mr gv šk zb čv")
_MIDDLES = _sounds("p t k b d g v z ž š č m n l r rv lk nd št zd rž mb lč")
_CODAS = _sounds("n r l m š k t z ž v č lk rn št nz")
# A capital vowel in an ending becomes a back or a front vowel, as the stem has.
_HARMONY = {"back": str.maketrans("AOUI", "aouy"), "front": str.maketrans("AOUI", "eöüi")}

_SINGULAR = {
    "m": {"nom": "I", "acc": "Om", "dat": "Uv", "gen": "Aš", "loc": "Ak"},
    "f": {"nom": "A", "acc": "Ač", "dat": "Aj", "gen": "Až", "loc": "Al"},
    "n": {"nom": "O", "acc": "O", "dat": "Uv", "gen": "Aš", "loc": "Ak"},
}
_PLURAL = {
    "m": {"nom": "Ur", "acc": "Uz"},
    "f": {"nom": "At", "acc": "At"},
    "n": {"nom": "Ov", "acc": "Ov"},
}
_PLURAL_OBLIQUE = {"dat": "AmU", "gen": "Oh", "loc": "OlkA"}
_TENSE = {"past": "Ov", "present": "Ag", "future": "Iš"}
_SUBJECT = {"m": "", "f": "A", "n": "O"}
_PLURAL_SUBJECT = "Un"

# How a name of the world is spelled in the second language, longest first.
_SPELLING = (
    ("ch", "č"), ("ck", "k"), ("th", "t"), ("ph", "f"), ("qu", "kv"), ("sh", "š"), ("oo", "u"),
    ("c", "k"), ("w", "v"), ("x", "kš"), ("j", "ž"), ("y", "i"), ("q", "k"),
)  # fmt: skip


def stem(meaning: str, syllables: int, attempt: int = 0) -> str:
    """Return an invented stem for `meaning`, of 0 to 3 `syllables`, that ends in a consonant.

    With 0 it is consonants alone, for short words such as articles. Another `attempt` gives another
    stem, if the first is taken.
    """
    rng = Random(f"stem {meaning} {attempt}")
    vowels = rng.choice((_BACK, _FRONT))
    parts = [rng.choice(_ONSETS)]
    if not syllables:
        return parts[0]
    for _ in range(syllables - 1):
        parts += [rng.choice(vowels), rng.choice(_MIDDLES)]
    return "".join([*parts, rng.choice(vowels), rng.choice(_CODAS)])


def name_stem(name: str) -> str:
    """Spell a name of the world in the second language, without a final vowel or ending.

    >>> name_stem("Felix"), name_stem("Ruth"), name_stem("Jack")
    ('Felikš', 'Rut', 'Žak')
    """
    word = name.lower()
    for theirs, ours in _SPELLING:
        word = word.replace(theirs, ours)
    word = "".join(c for i, c in enumerate(word) if c != word[i - 1 : i])  # no double letters
    while len(word) > 2 and word[-1] in _BACK + _FRONT:
        word = word[:-1]
    return word.capitalize()


@cache
def harmonise(stem: str, ending: str) -> str:
    """Return `stem` with `ending`; its capital vowels become back or front like the stem's last.

    >>> harmonise("druk", "Om"), harmonise("zdelk", "Om")
    ('drukom', 'zdelköm')
    """
    last = next((c for c in reversed(stem.lower()) if c in _BACK + _FRONT), "a")
    return stem + ending.translate(_HARMONY["back" if last in _BACK else "front"])


def ending(gender: str, number: str, case: str) -> str:
    """Return an ending of articles, adjectives and pronouns; harmony vowels are capital letters."""
    if number == "sg":
        return _SINGULAR[gender][case]
    return _PLURAL[gender].get(case) or _PLURAL_OBLIQUE[case]


def adjective_form(stem: str, gender: str, number: str, case: str) -> str:
    """Return an adjective, article or pronoun that agrees with a noun of these features."""
    return harmonise(stem, ending(gender, number, case))


def noun_form(stem: str, gender: str, number: str, case: str) -> str:
    """Return a noun or name with an adjective's ending; ("m", "sg", "nom") alone has none."""
    if (gender, number, case) == ("m", "sg", "nom"):
        return stem
    return harmonise(stem, ending(gender, number, case))


def verb_form(stem: str, tense: str, gender: str, number: str) -> str:
    """Return the form of a verb whose subject has this gender and number."""
    return harmonise(
        stem, _TENSE[tense] + (_SUBJECT[gender] if number == "sg" else _PLURAL_SUBJECT)
    )
