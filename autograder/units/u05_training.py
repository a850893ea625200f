"""Hidden tests of unit 05: the model, the gradient check, the optimiser's step, the search.

unit: 05_neural_lm
"""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.exercise import (
    Exercise,
    Inputs,
    Judge,
    Mistake,
    asked,
    expect_near,
    expect_raises,
    expect_that,
)
from autograder.units.arrays import (
    CHANGED,
    EXACT,
    Array,
    generator,
    method_of,
    or_changed,
    unless_changed,
)
from llmcourse.checks import compare
from llmcourse.checks import u05_training as training

# --- gradient_check

gradient_check = Exercise("gradient_check")
gradient_check.probe(unless_changed)


def quadratic(rng: random.Random, size: int) -> tuple[Callable[[Any], float], Array]:
    """Return f(x) = x A x / 2 with a symmetric A: central differences are exact for any step."""
    A = generator(rng).integers(-3, 4, (size, size)).astype(float)
    A = A + A.T
    return lambda x: float(np.asarray(x).reshape(-1) @ A @ np.asarray(x).reshape(-1)) / 2, A


@gradient_check.case(weight=4, property="finds how far a gradient is off, at any index and sign")
def check_core(rng: random.Random) -> Inputs:
    for shape in ((4,), (2, 3), (1, 2, 2)):
        f, A = quadratic(rng, math.prod(shape))
        x = generator(rng).uniform(-1, 1, shape)
        right = (A @ x.reshape(-1)).reshape(shape)
        for sign in (1, -1):
            off = generator(rng).uniform(0.01, 0.2, shape)
            index = tuple(rng.randrange(n) for n in shape)
            off[index] = sign * rng.uniform(0.5, 0.9)
            mistakes = [*training.check_mistakes(off), CHANGED]
            want, hint = abs(off[index]), training.ONE_AT_A_TIME
            yield (f, x, right + off, 1e-3), expect_near(want, 1e-6, hint, mistakes)


@gradient_check.case(weight=2, property="both sides: a right gradient of a curved function passes")
def check_both_sides(rng: random.Random) -> Inputs:
    f, A = quadratic(rng, 3)
    x = generator(rng).uniform(-1, 1, 3)
    hint = "For a quadratic both sides give the exact derivative at any step; one side does not."
    for eps in (1e-3, 0.5):
        yield (f, x, A @ x, eps), expect_near(0.0, 1e-8, hint)


@gradient_check.case(weight=1, property="the default step, and x left as it was")
def check_default(rng: random.Random) -> Inputs:
    x = generator(rng).uniform(-1, 1, (2, 2))
    hint = "With the default step an exponential is checked to 1e-8; leave x as it was."
    small = expect_near(0.0, 1e-8, hint, [CHANGED])
    yield (lambda x: float(np.exp(x).sum()), x, np.exp(x)), small


# --- FixedWindowLM

FixedWindowLM = Exercise("FixedWindowLM")
FixedWindowLM.probe(method_of)


def window_case(
    weight: float, property: str, method: str, formula: Any, hint: str, mistakes: Any, sizes: Any
) -> None:
    @FixedWindowLM.case(weight=weight, property=property)
    def inputs(rng: random.Random) -> Inputs:
        for size in sizes:
            draw = generator(rng)
            p, *rest = training.window_inputs(draw, *size)
            if method == "embedding_gradient":
                rest.append(draw.normal(size=(4, size[1] * size[2])))
            known = mistakes(p, *rest)
            yield ((p,), method, *rest), expect_near(formula(p, *rest), EXACT, hint, known)


window_case(
    3, "the logits of other windows and widths", "logits",
    training.window_logits, training.LOGITS, training.logit_mistakes,
    ((5, 3, 2, 4), (4, 2, 3, 2), (6, 1, 4, 3), (3, 4, 1, 5)),
)  # fmt: skip
window_case(
    1, "the features, token by token", "features",
    training.features, training.FEATURES, training.feature_mistakes,
    ((5, 3, 2, 2), (4, 2, 3, 2), (4, 3, 3, 2)),
)  # fmt: skip
window_case(
    2, "the gradient by E adds up repeated tokens", "embedding_gradient",
    training.embedding_gradient, training.BY_E, training.gradient_mistakes,
    ((3, 4, 2, 2), (5, 3, 3, 2), (7, 1, 2, 2)),
)  # fmt: skip

# --- sgd_step

sgd_step = Exercise("sgd_step")
sgd_step.probe(unless_changed)


@sgd_step.case(weight=3, property="several parameters, other rates; nothing changed in place")
def step_core(rng: random.Random) -> Inputs:
    for momentum in (0.9, rng.uniform(0.1, 0.8)):
        args = training.step_inputs(generator(rng), rng.uniform(0.01, 0.5), momentum)
        known = or_changed(training.step_mistakes)
        yield asked(args, training.step, training.STEP, known, EXACT)


@sgd_step.case(weight=1, property="no momentum by default")
def step_plain(rng: random.Random) -> Inputs:
    args = training.step_inputs(generator(rng), 0.25)
    hint = "momentum is 0 unless given: v is the gradient."
    yield asked(args, training.step, hint, or_changed(), EXACT)


# --- random_search

random_search = Exercise("random_search", seconds=20.0)


def search_inputs(
    rng: random.Random, values: list[float], ranges: training.Ranges
) -> tuple[tuple[Any, ...], Judge]:
    draws = [rng.random() for _ in range(len(values) * len(ranges))]
    supply, answers, seen = iter(draws), iter(values), list[dict[str, float]]()
    tried, best = training.settings_of(ranges, draws, len(values)), training.lowest(values)
    first, (low, high) = next(iter(ranges.items()))
    evenly = low + draws[0] * (high - low)

    def objective(settings: dict[str, float]) -> float:
        seen.append(dict(settings))
        return next(answers, math.inf)

    def once_a_trial(value: Any) -> bool:
        return len(seen) == len(values)

    def same(got: Any, want: dict[str, float]) -> bool:
        return all(compare(got[n], want[n], 1e-9 * min(1.0, want[n])) is None for n in ranges)

    def as_drawn(value: Any) -> bool:
        return all(map(same, seen, tried))

    def lowest(value: Any) -> bool:
        return compare(value[1], values[best], 0.0) is None

    def right(value: Any) -> bool:
        kept = all(holds(value) for holds in (once_a_trial, as_drawn, lowest))
        return kept and same(value[0], tried[best])

    mistakes = [
        Mistake(lambda value: not once_a_trial(value), training.EACH_TRIAL),
        Mistake(lambda value: low < high and math.isclose(seen[0][first], evenly, rel_tol=1e-9),
                training.EVENLY),
        Mistake(lambda value: not as_drawn(value), training.IN_FACTORS),
        Mistake(lambda value: math.isnan(value[1]), training.NAN),
        Mistake(lambda value: not lowest(value), "Return the lowest objective of all trials."),
    ]  # fmt: skip
    judge = expect_that(right, training.BEST, mistakes)
    return (objective, ranges, len(values), lambda: next(supply)), judge


TWO = {"lr": (1e-4, 10.0), "width": (3.0, 3000.0)}


@random_search.case(weight=4, property="the best of many settings, drawn in equal factors")
def search_core(rng: random.Random) -> Inputs:
    for ranges in (TWO, {"a": (0.5, 0.5), "b": (1.0, 2.0), "c": (1e-6, 1e6)}):
        values = [rng.uniform(-5, 5) for _ in range(12)]
        yield search_inputs(rng, values, ranges)


@random_search.case(weight=2, property="diverged runs never win, wherever they come")
def search_nan(rng: random.Random) -> Inputs:
    for values in ([math.nan, 4.0, 2.0, math.nan, 3.0], [1.0, math.nan, math.nan], [math.nan, 9.0]):
        yield search_inputs(rng, values, TWO)


@random_search.case(weight=1, property="equal objectives: the earlier; infinite ones count")
def search_ties(rng: random.Random) -> Inputs:
    for values in ([2.0, 1.0, 1.0, 1.0, 3.0], [math.inf, 7.0], [math.inf]):
        yield search_inputs(rng, values, TWO)


@random_search.case(weight=1, property="one trial at least")
def search_refuses(rng: random.Random) -> Inputs:
    for trials in (0, -1):
        args = (lambda settings: 1.0, TWO, trials, lambda: 0.5)
        yield args, expect_raises(ValueError, training.NO_TRIAL)
