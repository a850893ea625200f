"""The almanac: short entries that use the words of the world in typical contexts, again and again.

Stories use countries, comparatives and the words for women and men too rarely, or never, for a
model to learn how they are related. An entry is about one country, one quality or one kind of
person: it states known facts of `knowledge_base` and puts each word among the words that it occurs
with. Entries carry exact log-probabilities, like stories.

Left out: everything that may be held out (languages, dishes), so nothing here gives it away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import permutations
from random import Random

from llmcourse.world.engine.grammar import END, Domain, Rules
from llmcourse.world.engine.machine import Machine
from llmcourse.world.engine.text_files import sections
from llmcourse.world.facts.records import COMPARATIVES, GENDERED, knowledge_base
from llmcourse.world.story.telling import Story, stream

# For each quality of COMPARATIVES, in their order, the nouns that it describes.
NOUNS = (
    "house ship barn", "mouse button seed", "tower poplar giraffe", "pencil sleeve fence",
    "road river scarf", "wall coin oak", "calf foal pupil", "horse rope wrestler",
    "tea signal thread", "arrow train rider", "snail cart tortoise", "drum trumpet thunder",
    "library whisper chapel", "oven blanket sand", "winter ice cellar", "cave forest night",
    "lamp star mirror", "stone anvil trunk", "feather straw bubble", "merchant banker harbour",
    "beggar village soil", "wedding song child", "ticket candle market", "nurse neighbour word",
)  # fmt: skip
# For a pair of GENDERED, by its woman's word: a scene where it occurs, and two things found there.
# The pronouns are left out: every entry about a person has them.
SCENES = {
    "woman": "crowd basket coat", "girl": "playground kite rope", "mother": "nursery baby cradle",
    "daughter": "school satchel slate", "sister": "attic doll swing", "wife": "church ring vow",
    "aunt": "parlour letter cake", "niece": "garden parcel ribbon",
    "grandmother": "kitchen blanket armchair", "queen": "palace crown throne",
    "princess": "castle pony dragon", "duchess": "estate carriage hound",
    "actress": "theatre mask costume", "waitress": "inn tray bill",
    "heroine": "battle banner sword", "lady": "ballroom glove fan", "hen": "coop egg feather",
    "cow": "meadow clover bell",
}  # fmt: skip


def almanac(
    n: int | None = None, *, tokens: int | None = None, seed: int | str = 0
) -> Iterator[Story]:
    """Stream `n` entries, or entries until there are `tokens` tokens or more, or without end.

    The same seed gives the same entries, and a shorter stream is the start of a longer one. Raises
    ValueError for a size below 1.
    """
    return stream(_sample, Random(f"almanac {seed}").random, n, tokens)


def _sample(rand: Callable[[], float]) -> tuple[list[str], list[float]]:
    """Return an entry and its log-probabilities; END, which the rules leave out, is certain."""
    words, logps = _machine().sample(rand)
    return [*words, END], [*logps, 0.0]


@lru_cache(maxsize=1)
def rules() -> Rules:
    """Return the grammar of the entries."""
    world = knowledge_base()
    names = ("country", "capital", "coins", "people", "river")
    countries = [(c.name, c.capital, c.currency, c.people, c.river) for c in world.countries]
    persons = [
        (word, she, she.capitalize(), her, *SCENES[pair[0]].split())
        for pair in GENDERED
        if pair[0] in SCENES
        for word, she, her in zip(pair, ("she", "he"), ("her", "his"), strict=True)
    ]
    domains = {
        "country": _alike(names, countries),
        "quality": _alike(("quality", "more", "most"), COMPARATIVES),
        "person": _alike(("person", "she", "She", "her", "scene", "thing", "other"), persons),
    }
    said = zip(COMPARATIVES, NOUNS, strict=True)
    tables = {
        "towns": {c.name: _words(c.towns[1:]) for c in world.countries},
        "nouns": {base: _words(nouns.split()) for (base, *_), nouns in said},
    }
    return Rules(sections("almanac"), domains, tables)


def _alike(
    fields: tuple[str, ...], rows: list[tuple[str, ...]] | tuple[tuple[str, ...], ...]
) -> Domain:
    """Return a domain whose rows are picked equally often."""
    return Domain(fields, tuple(rows), (1.0,) * len(rows))


def _words(words: list[str] | tuple[str, ...]) -> Domain:
    return _alike(("word",), [(word,) for word in words])


@lru_cache(maxsize=1)
def _machine() -> Machine:
    return Machine(rules(), "entry")


def analogy_questions() -> str:
    """Return analogy questions about what the entries state, in the format of questions-words.txt.

    Six sections: capitals, currencies, peoples, two degrees of qualities, women and men. In each,
    every ordered pair of two relations of the same kind is a question.
    """
    world = knowledge_base()
    sections = {
        "country-capital": [(c.name, c.capital) for c in world.countries],
        "country-currency": [(c.name, c.currency) for c in world.countries],
        "country-people": [(c.name, c.people) for c in world.countries],
        "comparative": [(base, more) for base, more, _ in COMPARATIVES],
        "superlative": [(base, most) for base, _, most in COMPARATIVES],
        "woman-man": [pair for pair in GENDERED if pair[0] in SCENES],
    }
    lines = []
    for name, pairs in sections.items():
        lines.append(f": {name}")
        lines += [" ".join((*one, *other)) for one, other in permutations(pairs, 2)]
    return "\n".join(lines) + "\n"
