"""Right and wrong answers to every exercise: the tests of the tests.

A module ``uNN_slug.py`` decorates plain functions (or classes); ``load(module)`` collects them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One way to solve an exercise. ``hint`` is None for a right one; else part of what must be
    shown."""

    exercise: str
    function: Any
    hint: str | None


def right(exercise: str) -> Callable[[Any], Answer]:
    """Mark a correct answer written in another style than the solution."""
    return lambda function: Answer(exercise, function, None)


def wrong(exercise: str, hint: str) -> Callable[[Any], Answer]:
    """Mark a mistake learners really make, with (part of) the hint its author should be shown."""
    return lambda function: Answer(exercise, function, hint)


def load(module: ModuleType) -> list[Answer]:
    """All answers of a module in the order they are written."""
    return [value for value in vars(module).values() if isinstance(value, Answer)]
