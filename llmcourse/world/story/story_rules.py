"""The grammar of stories: which texts it is read from, and what its slots are filled with.

The tables hold known facts only. A held-out fact has no row in any of them, so no story can state
it.
"""

from __future__ import annotations

from functools import lru_cache

from llmcourse.world.engine import text_files
from llmcourse.world.engine.grammar import Domain, Rules
from llmcourse.world.engine.machine import Machine
from llmcourse.world.engine.splits import check_dial
from llmcourse.world.facts import knowledge
from llmcourse.world.facts.records import knowledge_base
from llmcourse.world.story.agreement import agreement_rules


@lru_cache(maxsize=8)
def rules(bias: float) -> Rules:
    """Return the grammar of stories. Raises ValueError for a `bias` outside [0, 1]."""
    check_dial(bias, "bias")
    domains = {
        "person": knowledge.people(bias), "thing": knowledge.THING, "food": knowledge.FOOD,
        "animal": knowledge.ANIMAL, "colour": knowledge.COLOUR, "place": knowledge.PLACE,
        "dish": knowledge.DISH, "number": knowledge.NUMBER, "petname": knowledge.PETNAME,
        "luggage": knowledge.LUGGAGE, "part": knowledge.PART, "crop": knowledge.CROP,
    }  # fmt: skip
    tables = {
        "friends": knowledge.friends(bias),
        "abroad": knowledge.abroad(),
        "other_food": knowledge.others(knowledge.FOOD),
        "other_colour": knowledge.others(knowledge.COLOUR),
        "relatives": relatives(),
        "belongings": belongings(),
        "losses": losses(),
    }
    texts = text_files.rules("plots", "adventures", "errands", "pastimes", "sentences")
    return Rules(texts | agreement_rules(), domains, tables)


@lru_cache(maxsize=8)
def machine(bias: float) -> Machine:
    """Return the grammar as a machine, compiled while it writes: the tests compile all of it."""
    return Machine(rules(bias), ahead=False)


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """Return every token that a story can hold, END included, sorted."""
    return tuple(sorted(machine(0.0).words()))


_KIND = {
    ("spouse", "woman"): "wife", ("spouse", "man"): "husband",
    ("mother", "woman"): "mother", ("father", "man"): "father",
    ("sibling", "woman"): "sister", ("sibling", "man"): "brother",
    ("child", "woman"): "daughter", ("child", "man"): "son",
}  # fmt: skip


def relatives() -> dict[str, Domain]:
    """Return each person's known relatives: their name, and the word for what they are."""
    world = knowledge_base()
    genders = {person.name: person.gender for person in world.people}
    table = {}
    for person in world.people:
        rows = [
            (fact.object, _KIND[fact.relation, genders[fact.object]])
            for fact in world.about(person.name, held_out=False)
            if fact.relation in ("spouse", "mother", "father", "sibling", "child")
        ]
        table[person.name] = Domain(("name", "kind"), tuple(rows), (1.0,) * len(rows))
    return table


def belongings() -> dict[str, Domain]:
    """Return what each person owns: the known thing, or a chair where that is held out."""
    world = knowledge_base()
    owned = {fact.subject: fact.object for fact in world.known if fact.relation == "owns"}
    return {
        person.name: Domain(("name",), ((owned.get(person.name, "chair"),),), (1.0,))
        for person in world.people
    }


def losses() -> dict[str, Domain]:
    """Return the things each person may have lost: all but their own, where that is held out."""
    world = knowledge_base()
    owned = {fact.subject: fact.object for fact in world.hidden if fact.relation == "owns"}
    rest = knowledge.others(knowledge.THING)
    return {
        person.name: rest[owned[person.name]] if person.name in owned else knowledge.THING
        for person in world.people
    }
