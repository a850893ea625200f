"""How hidden tests of exercises on arrays are judged from unit 06 on: core and edges of a formula.

A case draws inputs of several sizes and compares with the formula of the visible check; known
mistakes and what is wrong in form each have their hint.
"""

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from autograder.exercise import (
    Exercise,
    Inputs,
    Judged,
    Mistake,
    Outcome,
    Raised,
    Returned,
    expect_near,
)
from autograder.units.arrays import CHANGED, EXACT, generator, unless_changed
from llmcourse.checks import NOTHING
from llmcourse.checks.u06_judging import PRODUCT

EVERY = ("",)  # is in every message
LINE = "The check in the notebook shows the line."
OTHER_FORM = ("the length", "expected a list")  # what `compare` says first
FORM = "Compare the shape of your result with the shape that the exercise asks for."

Judging = Callable[[Any, list[Mistake]], Judged]  # of the right value and of those of mistakes


def edge(hint: str) -> Judging:
    """Return a way to judge that tells this hint of what is no known mistake."""
    return lambda want, mistakes: expect_near(want, EXACT, hint, [*mistakes, CHANGED])


def core(
    hint: str | Callable[[Any, Any], str], shapes: str, unfit: Sequence[str] = PRODUCT
) -> Judging:
    """Return a way to judge that looks at how the outcome is wrong; the visible check looks at the
    dtype.

    hint: a text, or what makes one of the value and the right one; shapes: the hint for a
    ValueError that says one of the words `unfit`.
    """

    def judging(want: Any, mistakes: list[Mistake]) -> Judged:
        def say(outcome: Outcome, nature: str) -> str:
            why = FORM
            if isinstance(outcome, Raised):
                fit = not any(words in outcome.message for words in unfit)
                why = f"{LINE} Do the shapes fit there?" if fit else shapes
                why = why if "ValueError" in outcome.kinds else LINE
            elif isinstance(outcome, Returned) and outcome.value is None:
                return NOTHING
            elif isinstance(outcome, Returned) and not nature.startswith(OTHER_FORM):
                with contextlib.suppress(Exception):  # any form of a learner's value may break it
                    why = hint if isinstance(hint, str) else hint(outcome.value, want)
            return edge(why)(want, mistakes).say(outcome, nature)

        return replace(edge("")(want, mistakes), say=say)

    return judging


def add_case(
    exercise: Exercise, weight: float, property: str, judging: Judging, sizes: Any,
    draw: Any, formula: Any, mistakes: Any, asked: Any = lambda *args: args,
) -> None:  # fmt: skip
    """Add a case that draws inputs of each size and compares with the formula.

    asked: what the probe gets for the arguments of the formula.
    """

    @exercise.case(weight=weight, property=property)
    def inputs(rng: random.Random) -> Inputs:
        for size in sizes:
            args = draw(generator(rng), *size)
            yield asked(*args), judging(formula(*args), mistakes(*args))


def exercise_of(name: str, probe: Any = unless_changed, **given: Callable[..., Any]) -> Exercise:
    """Return an exercise without cases; given: what answers calls of earlier functions."""
    made = Exercise(name, given=given)
    made.probe(probe)
    return made
