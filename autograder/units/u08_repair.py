"""Hidden tests of the repair in unit 08: ten bugs, each found and paid for by itself.

A method is called with the grader's own versions of the others in their place. Its result may show
any of its other bugs: what counts for one bug is that the result is that of no version with it. So
each bug that is repaired earns its points, whatever is left beside it.

unit: 08_transformers
"""

import itertools
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Inputs, Mistake, expect_that
from autograder.units.arrays import EXACT, Array, generator
from llmcourse.checks import u08_repair as repair
from llmcourse.checks.tolerances import precision
from llmcourse.checks.u08_judging import Params

RepairedGPT = Exercise("RepairedGPT")
WEIGHT = 10.0  # of a bug; the visible check, which needs all ten, has 1
UNKNOWN = "{}: the result is that of no version of it: what else did you change?"
MARGIN = 1e-4  # by which the versions of a part differ: more than float32 loses


@RepairedGPT.probe
def part_alone(answer, params, n_heads, name, args, others):  # type: ignore[no-untyped-def]
    model = answer(params, n_heads)
    for other, function in others.items():
        setattr(model, other, function)
    return getattr(model, name)(*args)


def correct_others(name: str, p: Params, n_heads: int) -> dict[str, Callable[..., Any]]:
    """Return the right version of every part but one, for arrays from the sandbox."""

    def correct(part: str) -> Callable[..., Any]:
        right = repair.versions(part, p, n_heads)(())
        return lambda *args: right(*args[:-1], np.asarray(args[-1]))

    return {part: correct(part) for part in repair.PARTS if part != name}


def told_apart(known: list[tuple[frozenset[str], Array]]) -> bool:
    """Say whether no two versions give the same result."""
    return all(
        abs(one - other).max() > MARGIN * max(1.0, float(abs(other).max()))
        for (_, one), (_, other) in itertools.combinations(known, 2)
    )


def inputs_of(rng: random.Random, name: str) -> Any:
    """Return the arguments of a probe, and what each version of the part gives for them."""
    while True:
        draw, H, T = generator(rng), rng.choice((2, 3)), rng.randint(3, 5)
        p = repair.repair_params(draw, 7, 8, 2, 2 * H)
        args = repair.part_arguments(draw, p, T)[name]
        known = repair.results(name, p, H, args)
        if told_apart(known):
            return (p, H, name, args, correct_others(name, p, H)), known


def is_one(versions: list[Array], value: Any) -> bool:
    """Say whether a result is that of one of these versions, to the precision of its dtype."""
    relative, absolute = precision(value)
    array = np.asarray(value, dtype=float)
    return any(
        array.shape == one.shape
        and bool(np.allclose(array, one, rtol=0, atol=_allowed(one, relative, absolute)))
        for one in versions
    )


def _allowed(one: Array, relative: float, absolute: float) -> float:
    size = float(abs(one).max())
    return max(EXACT * max(1.0, size), relative * size + absolute)


@RepairedGPT.case(weight=0, property="every part runs, keeps the shapes and uses the parameters")
def parts_run(rng: random.Random) -> Inputs:
    for name in repair.PARTS:
        args, known = inputs_of(rng, name)
        shape = np.shape(known[0][1])

        def right_shape(value: Any, shape: Any = shape) -> bool:
            return bool(np.asarray(value, dtype=float).shape == shape)

        yield args, expect_that(right_shape, f"{name}: the result has another shape.")
    before = list[Any]()

    def differs(value: Any) -> bool:
        before.append(np.asarray(value, dtype=float))
        return len(before) < 2 or not np.allclose(before[-1], before[-2])

    (_, n_heads, name, ids, others), _ = inputs_of(rng, "logits")
    for _ in range(2):
        p = repair.repair_params(generator(rng), 7, 8, 2, 2 * n_heads)
        args = p, n_heads, name, ids, others | correct_others(name, p, n_heads)
        yield args, expect_that(differs, "logits: the parameters have no influence.")


def bug_case(bug: str) -> None:
    """Add the case of one bug: the result is that of a version without it."""
    name, hint = repair.BUGS[bug]
    number, of = repair.PARTS[name].index(bug) + 1, len(repair.PARTS[name])

    @RepairedGPT.case(weight=WEIGHT, property=f"{name}, bug {number} of {of}")
    def inputs(rng: random.Random) -> Inputs:
        for _ in range(2):
            args, known = inputs_of(rng, name)
            without = [value for bugs, value in known if bug not in bugs]
            having = [value for bugs, value in known if bug in bugs]
            unrepaired = Mistake(partial(is_one, having), hint)
            yield args, expect_that(partial(is_one, without), UNKNOWN.format(name), [unrepaired])


for _bug in repair.BUGS:
    bug_case(_bug)
