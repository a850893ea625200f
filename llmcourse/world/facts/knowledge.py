"""The facts of the world: people, countries, towns, animals, things and foods, with their names.

Every text of the world agrees with these tables: a person always has the same job, home, family and
pet. Each job is held by one woman and one man, so that by default both genders are equally frequent
in it. The bias dial changes nobody's job: it changes how often these people occur. Weights are
proportional to 1 / (rank + 2): some people and things occur often and most rarely, as in real text
(source: Zipf, Human Behavior and the Principle of Least Effort, 1949).
"""

from __future__ import annotations

from collections.abc import Sequence

from llmcourse.world.engine.grammar import Domain
from llmcourse.world.engine.spelling import article
from llmcourse.world.engine.text_files import rows, sections

_TEXTS = sections("knowledge")
WOMEN, MEN = _TEXTS["women"].split(), _TEXTS["men"].split()
JOBS = _TEXTS["jobs"].split()
# Jobs that the bias dial skews, and the gender that it makes more frequent in them.
LEANING = dict.fromkeys(_TEXTS["jobs leaning to women"].split(), "woman") | dict.fromkeys(
    _TEXTS["jobs leaning to men"].split(), "man"
)
PETS, PET_NAMES = _TEXTS["pets"].split(), _TEXTS["pet names"].split()
COLOURS, LIKES = _TEXTS["colours"].split(), _TEXTS["likes"].split()
# country, capital, two other towns, currency, river
COUNTRIES = rows(_TEXTS["countries"])
# name, plural
THINGS, FOODS, ANIMALS = (rows(_TEXTS[kind]) for kind in ("things", "foods", "animals"))
PERSON = (
    "name", "he", "He", "him", "his", "His", "man", "ajob", "job", "town", "country", "capital",
    "coins", "river", "pet", "petname", "likes", "colour", "sibling", "kin", "kinhim",
)  # fmt: skip
_WORDS = {
    "woman": ("she", "She", "her", "her", "Her", "woman"),
    "man": ("he", "He", "him", "his", "His", "man"),
}


def _zipf(n: int) -> tuple[float, ...]:
    return tuple(1 / (rank + 2) for rank in range(n))


def _domain(rows: Sequence[tuple[str, str]]) -> Domain:
    """Return countable things: name, plural, article, name with a capital; commonest first."""
    full = tuple((*r, article(r[0]), r[0].capitalize()) for r in rows)
    return Domain(("name", "plural", "a", "cap"), full, _zipf(len(rows)))


def _sibling(rank: int) -> int:
    """Return the rank of the man who is the brother of the woman at `rank`."""
    return (7 * rank + 3) % len(MEN)


def _person(rank: int, gender: str) -> tuple[str, ...]:
    """Return all facts about the woman or man with the job at `rank`."""
    woman = gender == "woman"
    if woman:
        name, kin = WOMEN[rank], MEN[_sibling(rank)]
    else:
        name, kin = MEN[rank], next(w for i, w in enumerate(WOMEN) if _sibling(i) == rank)
    home = rank * 11 + (0 if woman else 17)
    country = COUNTRIES[home % len(COUNTRIES)]
    town = country[2 + home // len(COUNTRIES) % 2]
    pet = (3 * rank + 5 * woman) % len(PETS)
    return (
        name, *_WORDS[gender], article(JOBS[rank]), JOBS[rank],
        town, country[0], country[1], country[4], country[5],
        PETS[pet], PET_NAMES[(rank + 4 * woman) % len(PET_NAMES)],
        LIKES[(5 * rank + woman) % len(LIKES)], COLOURS[(rank * 7 + 2 * woman) % len(COLOURS)],
        kin, *(("brother", "him") if woman else ("sister", "her")),
    )  # fmt: skip


def _lean(row: Sequence[str], bias: float) -> float:
    """Return the factor by which this person is more frequent than at bias 0."""
    gender, job = row[PERSON.index("man")], row[PERSON.index("job")]
    if job not in LEANING:
        return 1.0
    return 1 + bias if LEANING[job] == gender else 1 - bias


def people(bias: float = 0.0) -> Domain:
    """Return all people; in LEANING jobs one gender is (1 + bias) : (1 - bias) as frequent."""
    rows, weights = [], []
    for rank in range(len(JOBS)):
        for gender in ("woman", "man"):
            row = _person(rank, gender)
            rows.append(row)
            weights.append(_lean(row, bias) / (rank + 4))
    return Domain(tuple(PERSON), tuple(rows), tuple(weights))


def friends(bias: float = 0.0) -> dict[str, Domain]:
    """Return up to six friends of each person, with the bias of `people`: mutual, no siblings."""
    everybody = people(bias)
    rows, size = everybody.rows, len(everybody.rows)
    table = {}
    for i, row in enumerate(rows):
        steps = ((1, 4.0), (-1, 4.0), (5, 2.0), (-5, 2.0), (12, 1.0), (-12, 1.0))
        known = [(rows[(i + step) % size], weight) for step, weight in steps]
        known = [(other, w) for other, w in known if other[0] != row[PERSON.index("sibling")]]
        table[row[0]] = Domain(
            everybody.fields,
            tuple(other for other, _ in known),
            tuple(weight * _lean(other, bias) for other, weight in known),
        )
    return table


def others(domain: Domain) -> dict[str, Domain]:
    """Return, for each name in `domain`, the domain without it."""
    table = {}
    for skip, row in enumerate(domain.rows):
        keep = [i for i in range(len(domain.rows)) if i != skip]
        rows, weights = [domain.rows[i] for i in keep], [domain.weights[i] for i in keep]
        table[row[0]] = Domain(domain.fields, tuple(rows), tuple(weights))
    return table


def abroad() -> dict[str, Domain]:
    """Return, for each person, the places outside their own country."""
    home = PERSON.index("country")
    foreign = {}
    for country, *_ in COUNTRIES:
        kept = [(r, w) for r, w in zip(PLACE.rows, PLACE.weights, strict=True) if r[1] != country]
        foreign[country] = Domain(
            PLACE.fields, tuple(r for r, _ in kept), tuple(w for _, w in kept)
        )
    return {row[0]: foreign[row[home]] for row in people().rows}


THING, FOOD, ANIMAL = _domain(THINGS), _domain(FOODS), _domain(ANIMALS)
CROP = _domain(FOODS[2:5] + FOODS[7:8] + FOODS[9:12] + FOODS[13:])
COLOUR = _domain([(c, c + "s") for c in COLOURS])
DISH, LUGGAGE, PART = (
    _domain([(word, word + "s") for word in _TEXTS[kind].split()])
    for kind in ("dishes", "luggage", "parts of a house")
)
PETNAME = Domain(("name",), rows("\n".join(_TEXTS["pet names in stories"].split())), _zipf(6))
NUMBER = _domain([(word, word) for word in _TEXTS["numbers"].split()])
PLACE = Domain(
    ("name", "country", "capital", "coins", "river"),
    tuple((town, c[0], c[1], c[4], c[5]) for c in COUNTRIES for town in c[1:4]),
    _zipf(3 * len(COUNTRIES)),
)
