"""Subject-verb agreement at a controlled distance, with nouns of either number in between.

`agreement_rules` writes sentences such as "The boats near the old gate were wet ." into the
stories, at every distance from 0 to 12 tokens between subject noun and verb. The tokens in between
are drawn independently of the subject, so a model that sees only these cannot know the verb's
number. `agreement_pairs` asks for the verb.

source: Linzen, Dupoux and Goldberg, Assessing the Ability of LSTMs to Learn Syntax-Sensitive
Dependencies, 2016, arXiv:1611.01368.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random

from llmcourse.world.engine.grammar import Rules
from llmcourse.world.engine.machine import Machine
from llmcourse.world.engine.splits import check_size

SUBJECTS = (
    ("boat", "boats"), ("horse", "horses"), ("cart", "carts"), ("dog", "dogs"),
    ("bench", "benches"), ("tree", "trees"), ("box", "boxes"), ("tent", "tents"),
    ("statue", "statues"), ("flag", "flags"),
)  # fmt: skip
PLACES = (
    ("gate", "gates"), ("mill", "mills"), ("bridge", "bridges"), ("house", "houses"),
    ("tower", "towers"), ("church", "churches"), ("wall", "walls"), ("well", "wells"),
    ("barn", "barns"), ("garden", "gardens"),
)  # fmt: skip
PEOPLE = (
    ("girl", "girls"), ("boy", "boys"), ("farmer", "farmers"), ("sailor", "sailors"),
    ("guard", "guards"),
)  # fmt: skip
COVERS = (("snow", "leaves"), ("ivy", "branches"), ("glass", "blankets"))
VERBS = (("was", "were"), ("is", "are"), ("has", "have"), ("looks", "look"))
# Number of tokens between subject and verb: its relative frequency in the sentences of stories.
DISTANCES = {0: 20, 1: 20, 2: 10, 3: 12, 4: 5, 5: 4, 6: 4, 7: 3, 8: 3, 9: 3, 10: 3, 11: 3, 12: 3}

_OLD, _BIG = "[old|tall|white|small]", "[big|pretty] [old|white]"
_DONE = "[found|painted|moved|sold|bought]"


def _noun(pairs: tuple[tuple[str, str], ...], number: str) -> str:
    """Return a noun in the singular ("s"), the plural ("p") or either (""): commonest first."""
    words = {"s": [one for one, _ in pairs], "p": [many for _, many in pairs]}
    words[""] = [word for pair in pairs for word in pair]
    size = len(words[number]) / len(pairs)
    return (
        "[" + "|".join(f"{1 / (i // size + 2):.3f}: {w}" for i, w in enumerate(words[number])) + "]"
    )


def _near(number: str, adjectives: str = "") -> str:
    return f"[6: near|3: behind|2: beside|below|opposite] the {adjectives} {_noun(PLACES, number)}"


def _that(number: str, adjective: str = "", done: str = _DONE) -> str:
    return f"that the {adjective} {_noun(PEOPLE, number)} {done}"


def _gaps(number: str) -> dict[int, str]:
    """Return what may stand between subject and verb, by its length in tokens.

    number: of the last noun in it, "s", "p" or "".
    """
    under = f"under {_noun(COVERS, number)}"
    return {
        1: "[4: outside|2: nearby|downstairs]",
        2: under,
        3: _near(number),
        4: f"[2: {_near(number, _OLD)}|{_that(number)}]",
        5: f"[2: {_near(number, _BIG)}|{_that(number, '[young|old]')}]",
        6: f"[{_that('', done='found')} {under}|2: {_near('')} {_near(number)}]",
        7: f"[2: {_that('')} {_near(number)}|{_near('')} {_near(number, _OLD)}]",
        8: f"{_that('')} {_near(number, _OLD)}",
        9: f"{_that('')} {_near(number, _BIG)}",
        10: f"{_that('')} {_near('')} {_near(number)}",
        11: f"{_that('')} {_near('')} {_near(number, _OLD)}",
        12: f"{_that('')} {_near('')} {_near(number, _BIG)}",
    }


def agreement_rules() -> dict[str, str]:
    """Return the rules `seen` (past tense) and `seen_now` (present, no full stop), and their parts.

    Among the parts are `gap7s`, which writes seven tokens whose last noun is singular, `gap7p`
    (plural) and `gap7` (either).
    """
    rules = {
        "state": "[3: old|3: wet|2: dirty|2: new|heavy|beautiful|ugly]",
        "gap": "\n".join(f"{share}: @gap{d}" for d, share in DISTANCES.items() if d),
    }
    for number in "sp":
        rules |= {f"gap{d}{number}": text for d, text in _gaps(number).items()}
        rules[f"subject{number}"] = f"The {_noun(SUBJECTS, number)}"
    rules |= {f"gap{d}": f"@gap{d}s\n@gap{d}p" for d in DISTANCES if d}
    apart = f"[{DISTANCES[0]}:|{sum(DISTANCES.values()) - DISTANCES[0]}: @gap]"
    was, now, has, looks = VERBS
    rules["seen"] = "\n".join(
        f"@subject{'sp'[n]} {apart} {was[n]} @state "
        f"[.|and {was[n]} [not|still] for sale .|, as ever .]"
        for n in (0, 1)
    )
    rules["seen_now"] = "\n".join(
        f"@subject{'sp'[n]} {apart} "
        f"[2: {now[n]} @state|{looks[n]} @state|{has[n]} [no owner|a name|a new place]]"
        for n in (0, 1)
    )
    return rules


@dataclass(frozen=True)
class AgreementPair:
    """The start of a sentence and was / were: `right` agrees with the subject, `prefix[1]`.

    `distance` tokens stand between the subject noun and the verb.
    """

    prefix: tuple[str, ...]
    right: str
    wrong: str
    distance: int


def agreement_pairs(n: int, distance: int, seed: int = 0) -> list[AgreementPair]:
    """Return `n` pairs with exactly `distance` tokens between subject and verb (0 to 12).

    They come in twos that differ only in the subject's number: a model that sees no more than the
    last `distance` tokens answers both alike and is right in exactly half (n even). The last noun
    before the verb has the other number in half of them (n a multiple of 4). Raises ValueError for
    `n` below 1 or another distance.
    """
    check_size(n)
    if distance not in DISTANCES:
        raise ValueError(
            f"expected a distance of 0 to {max(DISTANCES)} tokens, got {distance}: "
            "choose one of these"
        )
    rng = Random(f"agreement {distance} {seed}")
    pairs: list[AgreementPair] = []
    while len(pairs) < n:
        last = "sp"[len(pairs) // 2 % 2]
        between = _sampler(f"gap{distance}{last}")(rng.random)[0] if distance else []
        (subject,) = rng.choices(SUBJECTS, [1 / (i + 2) for i in range(len(SUBJECTS))])
        for number in (0, 1):
            prefix = ("The", subject[number], *between)
            pairs.append(AgreementPair(prefix, VERBS[0][number], VERBS[0][1 - number], distance))
    return pairs[:n]


@cache
def _sampler(rule: str) -> Callable[[Callable[[], float]], tuple[list[str], list[float]]]:
    return Machine(Rules(agreement_rules(), {}), rule).sample
