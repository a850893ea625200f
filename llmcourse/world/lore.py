"""What stories may tell about each person beyond `knowledge`: tables of known facts only.

A held-out fact has no row here, so no story can state it.
"""

from __future__ import annotations

from llmcourse.world.facts import knowledge_base
from llmcourse.world.grammar import Domain
from llmcourse.world.knowledge import THING, others

_KIND = {
    ("spouse", "woman"): "wife", ("spouse", "man"): "husband",
    ("mother", "woman"): "mother", ("father", "man"): "father",
    ("sibling", "woman"): "sister", ("sibling", "man"): "brother",
    ("child", "woman"): "daughter", ("child", "man"): "son",
}  # fmt: skip


def relatives() -> dict[str, Domain]:
    """For each person, the relatives that are known: name, and the word for what they are."""
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
    """For each person, what they own: the thing on record if it is known, else a plain answer."""
    world = knowledge_base()
    owned = {fact.subject: fact.object for fact in world.known if fact.relation == "owns"}
    return {
        person.name: Domain(("name",), ((owned.get(person.name, "chair"),),), (1.0,))
        for person in world.people
    }


def losses() -> dict[str, Domain]:
    """For each person, the things they may call their own: all but the one that is held out."""
    world = knowledge_base()
    owned = {fact.subject: fact.object for fact in world.hidden if fact.relation == "owns"}
    rest = others(THING)
    return {
        person.name: rest[owned[person.name]] if person.name in owned else THING
        for person in world.people
    }
