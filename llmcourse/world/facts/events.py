"""Invented events: who did what to which thing, to whom, where, when and why.

They neither contradict nor state what the knowledge base says. `sentence` writes an event in one of
many ways and returns where each part of it begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from llmcourse.text.corpora import words
from llmcourse.world.engine.spelling import with_article
from llmcourse.world.engine.text_files import sections
from llmcourse.world.facts.knowledge import ANIMALS, FOODS, THINGS
from llmcourse.world.facts.records import MONTHS, knowledge_base


@dataclass(frozen=True)
class Family:
    """Verbs that go with the same things and reasons; each is base, past and participle."""

    verbs: tuple[str, ...]
    kinds: str  # what may be acted on: thing, food, packed (food), animal
    reasons: tuple[str, ...]


def _family(text: str) -> Family:
    kinds, verbs, *reasons = text.splitlines()
    return Family(tuple(verbs.split(", ")), kinds, tuple(reasons))


GIVING = "giving"  # the family whose events have somebody who receives
FAMILIES = {name: _family(text) for name, text in sections("events").items()}
_DAYS = words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_DATES = words("first second third fourth fifth sixth tenth last")
NUMBERS = words("two three four five six seven eight nine ten eleven twelve twenty thirty forty")
WHEN = (
    *(f"on {day}" for day in _DAYS), *(f"on {day} evening" for day in _DAYS),
    *(f"in {month}" for month in MONTHS),
    *(f"on the {date} of {month}" for date in _DATES[:-1] for month in MONTHS),
    *(f"in the {date} week of {month}" for date in ("first", "last") for month in MONTHS),
    *(f"at {hour} o'clock" for hour in NUMBERS[:11]),
    "before sunrise", "at noon", "after supper", "at midnight", "during the storm",
    "in the morning", "in the evening", "long after dark", "just before dinner",
)  # fmt: skip
_SPOTS = (
    "at the market", "by the river", "behind the mill", "near the harbour", "in the old barn",
    "at the station", "under the bridge", "beside the church", "in front of the inn",
    "on the hill", "outside the town hall", "at the end of the road", "behind the library",
    "next to the well", "in the long grass", "under an oak",
)  # fmt: skip
_IN_TOWN = (
    "in {}", "near {}", "on the road to {}", "in the main square of {}", "at the gates of {}",
    "in the woods near {}",
)  # fmt: skip
_LOOKS = words("old small new strange pretty heavy broken plain")
_PACKED = {
    "rice": "bag", "bread": "loaf", "honey": "jar", "cheese": "piece", "soup": "pot",
    "cherries": "bowl", "olives": "jar", "mushrooms": "sack", "beans": "bag", "pears": "crate",
}  # fmt: skip
_TABLES = {"thing": THINGS, "animal": ANIMALS}
_STRANGERS = (
    "sailor", "stranger", "lady", "girl", "boy", "shepherd", "fisherman", "postman", "queen",
    "thief", "traveller", "hunter",
)  # fmt: skip
_AGES = words("old young tall shy")


@dataclass(frozen=True)
class Mention:
    """Somebody or something: `text` at first, `known` ("the lamp") later, `key` to compare by."""

    text: str
    known: str
    key: str
    plural: bool = False


@dataclass(frozen=True)
class Event:
    """What happened. `where`, `when`, `why` and `whom` are empty where nothing is said of them."""

    who: Mention
    verb: str  # base, past and participle
    what: Mention
    whom: Mention | None = None
    where: str = ""
    when: str = ""
    why: str = ""

    def part(self, role: str) -> str:
        """Return the words of a part as a sentence about the event has them; empty if unsaid."""
        value = getattr(self, role)
        return value.text if isinstance(value, Mention) else value or ""


def person(rng: Random) -> Mention:
    """Return somebody by name alone."""
    name = rng.choice(knowledge_base().people).name
    return Mention(name, name, name)


def somebody(rng: Random) -> Mention:
    """Return one or more people: by name, with a known job or relative, or strangers.

    The key is the first name, or what a stranger is.
    """
    world = knowledge_base()
    one = rng.choice(world.people)
    style = rng.random()
    if style < 0.5:
        return Mention(one.name, one.name, one.name)
    # With a town and a food in the sentence, "the cook" would seem to state what is eaten there.
    if style < 0.65 and one.job != "cook":
        return Mention(f"{one.name} the {one.job}", one.name, one.name)
    if style < 0.75:
        his, kin = ("her", "brother") if one.gender == "woman" else ("his", "sister")
        text = f"{one.name} and {his} {kin} {one.siblings[0]}"
        return Mention(text, f"{one.name} and {one.siblings[0]}", one.name)
    kind, age = rng.choice(_STRANGERS), rng.choice(_AGES)
    if style < 0.9:
        return Mention(with_article(f"{age} {kind}"), f"the {age} {kind}", kind)
    town = rng.choice(world.towns).name
    return Mention(with_article(f"{kind} from {town}"), f"the {kind} from {town}", kind)


def something(rng: Random, kinds: str, *, counted: bool = False) -> Mention:
    """Return one thing or several, of one of these kinds ("thing animal").

    counted: always several, with their number. Packed food comes in a holder, "a bag of beans", or
    is counted like other food.
    """
    kind = rng.choice(kinds.split())
    if kind == "packed" and not counted:
        food, holder = rng.choice(list(_PACKED.items()))
        return Mention(f"{with_article(holder)} of {food}", f"the {holder} of {food}", food)
    one, many = rng.choice(_TABLES.get(kind, FOODS))
    look = f"{rng.choice(_LOOKS)} " if kind == "thing" and rng.random() < 0.5 else ""
    if counted or kind in ("food", "packed") or rng.random() < 0.3:
        return Mention(f"{rng.choice(NUMBERS)} {look}{many}", f"the {many}", many, plural=True)
    colour = f"{rng.choice(knowledge_base().colours)} " if look and rng.random() < 0.3 else ""
    return Mention(with_article(look + colour + one), f"the {one}", many)


def somewhere(rng: Random) -> str:
    """Return a place, with its preposition."""
    if rng.random() < 0.5:
        return rng.choice(_SPOTS)
    return rng.choice(_IN_TOWN).format(rng.choice(knowledge_base().towns).name)


# --- how an event is told ------------------------------------------------------------------

Piece = tuple[str, str]  # a part's role, "" for the words between, and the words


def sentence(event: Event, rng: Random) -> tuple[tuple[str, ...], Mapping[str, int]]:
    """Return the tokens of a sentence about an event, and at which of them each part begins."""
    extras = [(role, event.part(role)) for role in ("where", "when") if event.part(role)]
    if len(extras) == 2 and rng.random() < 0.3:
        extras.reverse()
    reason: list[Piece] = [("", "because"), ("why", event.why)] if event.why else []
    front: list[Piece] = []
    if reason and rng.random() < 0.25:
        front, reason = [*reason, ("", ",")], []
    elif extras and rng.random() < 0.35:
        front = [extras.pop(rng.randrange(len(extras))), ("", ",")]
    return _lay_out([*front, *_core(event, rng), *extras, *reason, ("", ".")])


def _core(event: Event, rng: Random) -> list[Piece]:
    _, past, done = event.verb.split()
    who, what = ("who", event.who.text), ("what", event.what.text)
    to = [("", "to"), ("whom", event.whom.text)] if event.whom else []
    style = rng.random()
    if style < 0.2:
        was = "were" if event.what.plural else "was"
        return [what, ("", f"{was} {done}"), *to, ("", "by"), who]
    if style < 0.3:
        return [("", "it was"), who, ("", f"who {past}"), what, *to]
    if style < 0.36:
        return [("", "it was"), what, ("", "that"), who, ("", past), *to]
    if event.whom and style < 0.7:
        return [who, ("", past), ("whom", event.whom.text), what]
    return [who, ("", past), what, *to]


def _lay_out(pieces: Sequence[Piece]) -> tuple[tuple[str, ...], Mapping[str, int]]:
    tokens: list[str] = []
    starts = {}
    for role, text in pieces:
        if role:
            starts[role] = len(tokens)
        tokens += text.split()
    tokens[0] = tokens[0][0].upper() + tokens[0][1:]
    return tuple(tokens), starts
