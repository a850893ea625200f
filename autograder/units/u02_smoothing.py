"""Hidden tests of the two smoothings of unit 02 that ask shorter histories.

unit: 02_ngrams
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from autograder.exercise import Exercise, Inputs, Judge, Mistake, expect_near
from autograder.units.u02_counting import text
from llmcourse.checks.u02_counted import Gram, Text, after, kneser_ney, mixed, tables_of


def telling(want: float, mistakes: Iterable[Mistake]) -> bool:
    """Say whether no two mistakes lead to the same wrong value, so that each can be named."""
    values = [mistake.value for mistake in mistakes if abs(mistake.value - want) > 1e-9]
    return len({round(value, 9) for value in values}) == len(values)


def telling_first(judged: Iterable[tuple[tuple[Any, ...], Judge, bool]]) -> Inputs:
    """Return (arguments, judge, whether it is telling) as inputs, the telling ones first."""
    for args, judge, _ in sorted(judged, key=lambda item: not item[2]):
        yield args, judge


def queries(
    rng: random.Random, tokens: Text, lengths: Sequence[int], number: int
) -> Iterator[tuple[Gram, Any]]:
    """Yield histories from the text and random ones, each with a next token (some never seen)."""
    for i in range(number):
        length = lengths[i % len(lengths)]
        start = rng.randrange(len(tokens) - length)
        history = tuple(tokens[start : start + length])
        if i % 4 == 3:
            history = tuple(rng.choices(tokens, k=length))
        yield history, rng.choice([*tokens, tokens[start + length], tokens[start + length], "new"])


interpolated_prob = Exercise("interpolated_prob")

MIXTURE_SLIPS = {
    "sum": "the two weights must sum to 1: weight and 1 - weight.",
    "swapped": "weight belongs to the longer history; you gave it to the shorter one.",
    "no uniform": "the unigram is mixed with 1 / V, which has the weight 1 - weight there.",
    "unseen": "an unseen history has no MLE: the shorter one has the weight 1, not 1 - weight.",
}


def mixture(
    tokens: Text, order: int, history: Gram, token: Any, weight: float, size: int
) -> tuple[tuple[Any, ...], Judge, bool]:
    """Return the arguments, the judge, and whether it tells the known mistakes from each other."""
    args = (tokens, order, history, token, weight, size)
    want, ends = mixed(*args), after(tokens, history)
    slips = dict(MIXTURE_SLIPS)
    if ends:
        del slips["unseen"]  # shows after an unseen history only
    mistakes = [Mistake(mixed(*args, slip), hint) for slip, hint in slips.items()]
    longest = ends.count(token) / len(ends) if ends else 0.0
    hint = "mix all lengths of history, not only the longest and the uniform distribution."
    mistakes.append(Mistake(weight * longest + (1 - weight) / size, hint))
    hint = "climb from 1 / V: at each length weight * MLE + (1 - weight) * what you have."
    judge = expect_near(want, 1e-10, hint, mistakes)
    asked = (tables_of(tokens, order), history, token, weight, size)
    return asked, judge, telling(want, mistakes)


@interpolated_prob.case(weight=4, property="the mixture for n = 2, 3 and 4")
def mixture_core(rng: random.Random) -> Inputs:
    for order in (2, 3, 4):
        tokens, size, weight = text(rng, 60, 4), rng.randint(12, 30), rng.uniform(0.1, 0.45)
        yield from telling_first(
            mixture(tokens, order, history, token, weight, size)
            for history, token in queries(rng, tokens[:-1], [order - 1], 8)
            if after(tokens, history)
        )


@interpolated_prob.case(weight=2, property="an unseen history: the result of the shorter one")
def mixture_new_history(rng: random.Random) -> Inputs:
    tokens, size, weight = text(rng, 60), rng.randint(12, 30), rng.uniform(0.3, 0.9)
    for history in (("new", tokens[3]), (tokens[3], "new"), ("new", "new"), ("end", tokens[0])):
        args, judge, _ = mixture(tokens, 3, history, rng.choice(tokens), weight, size)
        yield args, judge


@interpolated_prob.case(weight=1, property="the uniform 1 / V below the unigram")
def mixture_base(rng: random.Random) -> Inputs:
    tokens, size = text(rng, 50), rng.randint(12, 30)
    hint = "the unigram is mixed too, with 1 / V: an unseen token has some probability left."
    for order in (1, 3):
        args = (tables_of(tokens, order), (), "new", 0.8, size)
        yield args, expect_near(0.2 / size, 1e-12, hint)
    hint = "with empty tables the result is 1 / V."
    yield ([{}, {}], ("a",), "a", 0.8, size), expect_near(1 / size, 1e-12, hint)


@interpolated_prob.case(weight=1, property="histories of other lengths than the tables have")
def mixture_lengths(rng: random.Random) -> Inputs:
    tokens, size, weight = text(rng, 60), rng.randint(12, 30), rng.uniform(0.1, 0.9)
    hint = "of a long history take the last tokens; a short one has fewer steps."
    for history, token in queries(rng, tokens, [0, 1, 3, 6, 20], 10):
        want = mixed(tokens, 3, history, token, weight, size)
        args = (tables_of(tokens, 3), history, token, weight, size)
        yield args, expect_near(want, 1e-10, hint)


kneser_ney_prob = Exercise("kneser_ney_prob")

KNESER_NEY_SLIPS = {
    "raw": "histories below the longest have continuation counts; yours are raw counts.",
    "top": "the longest history has raw counts, not continuation counts.",
    "no uniform": "the unigram is discounted, too: 1 / V has the weight D N / total.",
    "silent": "after a history without counts the result is that of the shorter one.",
    "lost": "the subtracted probability is lost: pass D N / total on to the shorter history.",
    "one discount": "D was subtracted from N counts: pass on D N, not D.",
    "unweighted": "the lower probability has the weight D N / total, or the sum is above 1.",
    "negative": "a count of 0 stays 0: use max(count - D, 0).",
}
DEFAULT = 0.75  # the discount of a call that names none


def smoothing(
    tokens: Text, order: int, history: Gram, token: Any, size: int, *discount: float
) -> tuple[tuple[Any, ...], Judge, bool]:
    """Return the arguments, the judge, and whether it tells the known mistakes from each other."""
    before = (tokens, order, history, token, size)
    args = (*before, discount[0] if discount else DEFAULT)
    want = kneser_ney(*args)
    mistakes = [Mistake(kneser_ney(*args, slip), hint) for slip, hint in KNESER_NEY_SLIPS.items()]
    if discount:
        hint = "use the argument `discount`, where it is subtracted and in D N."
        mistakes.append(Mistake(kneser_ney(*before, DEFAULT), hint))
    hint = (
        "at each length: (max(c - D, 0) + D N lower) / total, with c, N and total from raw counts "
        "for the longest history and from continuation counts below."
    )
    judge = expect_near(want, 1e-10, hint, mistakes)
    asked = (tables_of(tokens, order), history, token, size, *discount)
    return asked, judge, telling(want, mistakes)


@kneser_ney_prob.case(weight=5, property="the longest history, n = 2, 3 and 4")
def kneser_ney_core(rng: random.Random) -> Inputs:
    for order in (2, 3, 4):
        tokens, size = text(rng, 60, 4), rng.randint(12, 30)
        yield from telling_first(
            smoothing(tokens, order, history, token, size)
            for history, token in queries(rng, tokens, [order - 1], 8)
        )


@kneser_ney_prob.case(weight=2, property="shorter histories use continuation counts")
def kneser_ney_short(rng: random.Random) -> Inputs:
    tokens, size = text(rng, 60), rng.randint(12, 30)
    for history, token in queries(rng, tokens, [0, 1, 2], 9):
        args, judge, _ = smoothing(tokens, 4, history, token, size)
        yield args, judge


@kneser_ney_prob.case(weight=1, property="unseen histories, and longer ones than the tables have")
def kneser_ney_new(rng: random.Random) -> Inputs:
    tokens, size = text(rng, 60), rng.randint(12, 30)
    first = [("new",), ("new", tokens[5]), ("new", "new"), ("end",), ("end", tokens[0])]
    longer = [tuple(tokens[i : i + rng.randint(3, 9)]) for i in range(4)]
    for history in first + longer:
        args, judge, _ = smoothing(tokens, 3, history, rng.choice(tokens), size)
        yield args, judge


@kneser_ney_prob.case(weight=1, property="other discounts, from 0 to 1")
def kneser_ney_discounts(rng: random.Random) -> Inputs:
    tokens, size = text(rng, 60, 4), rng.randint(12, 30)
    for discount in (0.0, 0.1, rng.uniform(0.2, 0.7), 1.0):
        for history, token in queries(rng, tokens, [0, 1, 2], 3):
            args, judge, _ = smoothing(tokens, 3, history, token, size, discount)
            yield args, judge


@kneser_ney_prob.case(
    weight=1, property="n = 1, and a history seen only at the beginning of the text"
)
def kneser_ney_edges(rng: random.Random) -> Inputs:
    tokens, size = text(rng, 40), rng.randint(12, 30)
    begun = ["first", *tokens]
    one = "with one table the empty history is the longest: raw counts."
    start = "a history without continuation counts is like one never seen: no division by 0."
    for of, order, history, token, hint in (
        (tokens, 1, (), tokens[0], one),
        (tokens, 1, (), "new", one),
        (begun, 3, ("first",), tokens[0], start),
    ):
        want = kneser_ney(of, order, history, token, size, DEFAULT)
        yield (tables_of(of, order), history, token, size), expect_near(want, 1e-12, hint)
