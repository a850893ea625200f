"""A unit of two small exercises, made without files, for tests of the grader itself."""

from typing import Any

from autograder.course import ExerciseInfo, Unit, UnitInfo, Written
from autograder.exercise import Exercise, Mistake, expect_near, expect_raises
from autograder.sandbox.limits import Limits
from llmcourse.checks import near, number

SLUG = "03_toy"
SECRET = b"LLMCOURSE_SECRET of the tests"
LIMITS = Limits(
    cell_seconds=2.0,
    session_seconds=8.0,
    exercise_seconds=4.0,
    import_seconds=1.0,
    judge_seconds=2.0,
    files=5_000,
)

STUB = "def {}({}):\n    raise NotImplementedError('your turn')\n"
MEAN = """def mean(values):
    if not values:
        raise ValueError('no values')
    return sum(values) / len(values)
"""
SPREAD = """def spread(values):
    middle = mean(values)
    return mean([(x - middle) ** 2 for x in values])
"""
RIGHT = {"mean": MEAN, "spread": SPREAD}
POINTS = {"mean": 45.0, "spread": 45.0}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


mean = Exercise("mean", forbid=("statistics", "numpy.mean"), seconds=1.0)
spread = Exercise("spread", given={"mean": _mean}, forbid=("numpy.var",), seconds=1.0)


@mean.case(weight=2, property="the mean of several numbers")
def _several(rng: Any) -> Any:
    for _ in range(3):
        values = [rng.uniform(-5, 5) for _ in range(rng.randint(2, 9))]
        yield (
            (values,),
            expect_near(
                _mean(values),
                1e-9,
                hint="is it the sum over the count?",
                mistakes=[Mistake(sum(values), "you forgot to divide")],
            ),
        )


@mean.case(weight=1, property="refuses no numbers")
def _none(rng: Any) -> Any:
    yield ([],), expect_raises(ValueError, hint="an empty list has no mean")


@spread.case(weight=1, property="the spread of several numbers")
def _spread(rng: Any) -> Any:
    for _ in range(3):
        values = [rng.uniform(-5, 5) for _ in range(5)]
        middle = _mean(values)
        yield (
            (values,),
            expect_near(
                _mean([(x - middle) ** 2 for x in values]), 1e-9, hint="mean squared distance"
            ),
        )


def _visible_mean(answer: Any) -> None:
    near(number(answer([1.0, 2.0]), "mean"), 1.5, 1e-9, hint="(1 + 2) / 2")


def _cell(
    kind: str,
    source: str,
    identity: str,
    grade_id: str = "",
    tags: tuple[str, ...] = (),
    **nbgrader: Any,
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"tags": list(tags)} if tags else {}
    if grade_id:
        fields = {
            "grade": False,
            "solution": False,
            "locked": False,
            "task": False,
            "schema_version": 3,
        }
        metadata["nbgrader"] = {**fields, "grade_id": grade_id, **nbgrader}
    made = {"cell_type": kind, "id": identity, "metadata": metadata, "source": source}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def released() -> dict[str, Any]:
    """The notebook learners get."""
    cells = [
        _cell("markdown", "# Toys", "title"),
        _cell("code", "import math\nimport numpy as np", "imports"),
    ]
    for name in RIGHT:
        cells.append(_cell("code", STUB.format(name, "values"), name, name, solution=True))
        cells.append(
            _cell(
                "code",
                f"check.{name}({name});",
                f"{name}-check",
                f"{name}_check",
                grade=True,
                locked=True,
                points=45,
            )
        )
    cells.append(_cell("code", "while True: pass", "demo", tags=("demo",)))
    cells.append(_cell("markdown", "Why?", "why", "why", grade=True, solution=True, points=10))
    return {
        "cells": cells,
        "metadata": {"kernelspec": {"name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def unit() -> Unit:
    """The toy unit."""
    exercises = tuple(ExerciseInfo(name, name, 45, 1, 1, (), ("a", "b", "c")) for name in RIGHT)
    info = UnitInfo(
        SLUG,
        "Toys",
        "?",
        (),
        {"learner": 1, "cpu": 1, "gpu": 1},
        exercises,
        (),
        Written("why", "Why", 10, 1),
    )
    checks = {"mean": _visible_mean, "spread": lambda answer: None}
    return Unit(SLUG, info, released(), {"mean": mean, "spread": spread}, checks, "toy")
