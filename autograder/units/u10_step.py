"""Hidden tests of `train_step`: the gradient and the optimiser are functions of the grader.

unit: 10_pretraining
"""

import random
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.exercise import Inputs, Outcome, Returned, asked
from autograder.units.arrays import generator, or_changed
from autograder.units.judging import exercise_of
from llmcourse.checks import u10_step as steps

train_step = exercise_of("train_step")


def of_parts(given: Any, size: int, hint: str) -> Any:
    """Return one call of a case whose judge says the hint where there are not `size` results."""
    args, judge = given

    def say(outcome: Outcome, nature: str) -> str:
        value = outcome.value if isinstance(outcome, Returned) else ()
        short = not isinstance(value, list | tuple) or len(value) != size
        fits = not isinstance(outcome, Returned) or isinstance(value, str) or not short
        return str(judge.say(outcome, nature)) if fits else hint

    return args, replace(judge, say=say)


def step_case(rng: random.Random, hint: str, size: float, *counts: int, **how: Any) -> Any:
    """Return one call over micro-batches of so many targets; `train_inputs` explains the rest."""
    judge: Any
    args = steps.train_inputs(generator(rng), size, *counts, **how)
    args, judge = asked(args, steps.stepped, hint, or_changed(steps.train_mistakes), steps.CLOSE)

    def say(outcome: Outcome, nature: str) -> str:
        value: Any = outcome.value if isinstance(outcome, Returned) else None
        four = isinstance(value, list | tuple) and len(value) == 4
        if four and steps.updates(value[1], args[1]) not in (None, 1.0):
            return steps.ONCE
        return str(judge.say(outcome, nature))

    return of_parts((args, replace(judge, say=say)), 4, steps.RETURNED)


@train_step.case(weight=4, property="several micro-batches of different sizes, clipped")
def step_core(rng: random.Random) -> Inputs:
    for size, *counts in ((rng.uniform(2, 4), 2, 6, 1), (rng.uniform(2, 4), 3, 5)):
        yield step_case(rng, steps.TRAIN, size, *counts)
    yield step_case(rng, steps.TRAIN, rng.uniform(0.4, 0.8), 4, 1, 3)


@train_step.case(weight=1, property="one micro-batch; a small gradient is not scaled")
def step_small(rng: random.Random) -> Inputs:
    hint = steps.TRAIN_FLAWS["always"]
    for size, *counts in ((0.5, 3), (0.9, 1, 2), (1.5, 4)):
        yield step_case(rng, hint, size, *counts)


@train_step.case(weight=1, property="a gradient of 0")
def step_zero(rng: random.Random) -> Inputs:
    params, state, batches, *rest = steps.train_inputs(generator(rng), 2.0, 2, 3)
    still = [(loss, n, {k: np.zeros_like(g) for k, g in gs.items()}) for loss, n, gs in batches]
    args = params, state, still, *rest
    yield asked(args, steps.stepped, steps.ZERO, or_changed(), steps.CLOSE)


@train_step.case(weight=1, property="float32 gradients whose squares overflow")
def step_large(rng: random.Random) -> Inputs:
    yield step_case(rng, steps.LARGE, rng.uniform(2, 4), 2, 3, dtype="float32")
