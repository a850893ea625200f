"""A unit with one exercise whose learner writes the test, and a neighbour, made without files."""

from typing import Any

import numpy as np

from autograder.course import Unit
from autograder.units.impostors import impostor_exercise
from llmcourse.checks import Bounds, Implementation, tells_apart
from tests.submissions import toy

NAME, WHAT = "test_weighted_mean", "a weighted mean"
BOUNDS = Bounds(calls=60, numbers=200, results=1_000)
POINTS = {NAME: 45.0, "spread": 45.0}


def _summed(values: Any, weights: Any) -> float:
    if len(values) != len(weights):
        raise ValueError("expected a weight for each value")
    return float(np.dot(values, weights) / np.sum(weights))


def _looped(values: Any, weights: Any) -> float:
    if len(values) - len(weights):
        raise ValueError("lengths differ")
    total = 0.0
    for value, weight in zip(values, weights, strict=True):
        total += value * weight / sum(weights)
    return float(total)


def _as_array(values: Any, weights: Any) -> Any:
    if len(values) != len(weights):
        raise ValueError("as many weights as values")
    return np.average(np.asarray(values), weights=np.asarray(weights))


def _unweighted(values: Any, weights: Any) -> float:
    return _summed(values, [1.0] * len(weights))


def _by_count(values: Any, weights: Any) -> float:
    return _summed(values, weights) * float(np.sum(weights)) / len(values)


def _without_last(values: Any, weights: Any) -> float:
    return _summed(values, weights) if len(values) < 4 else _summed(values[:-1], weights[:-1])


def _of_sizes(values: Any, weights: Any) -> float:
    return _summed(np.abs(values), weights)


def _cut_off(values: Any, weights: Any) -> float:
    most = min(len(values), len(weights))
    return _summed(values[:most], weights[:most])


def _rounded(values: Any, weights: Any) -> float:
    return round(_summed(values, weights), 3)


RIGHT = (
    Implementation("adds up with numpy", _summed, ""),
    Implementation("adds up in a loop", _looped, "Compare with a tolerance."),
    Implementation("returns a number of numpy", _as_array, "np.float64 is a float, too."),
)
SEEN = (
    Implementation("ignores the weights", _unweighted, "Give it weights that differ."),
    Implementation("takes sizes of values", _of_sizes, "Give it negative values."),
)
IMPOSTORS = (
    *SEEN,
    Implementation("divides by the count", _by_count, "Give it weights of another sum."),
    Implementation("forgets the last of many", _without_last, "Give it longer lists."),
    Implementation("cuts the longer list", _cut_off, "Give it lists of different lengths."),
    Implementation("rounds", _rounded, "Compare more digits."),
)

exercise = impostor_exercise(NAME, WHAT, RIGHT, IMPOSTORS, BOUNDS)


def visible_check(answer: Any) -> None:
    """The visible check, undecorated."""
    tells_apart(answer, WHAT, RIGHT[0], SEEN, BOUNDS)


SOLUTION = """def test_weighted_mean(weighted_mean):
    for values, weights in (
        ([1.0, 3.0], [1.0, 3.0]),
        ([-1.0, -2.5, 4.0, 7.0, 1.0], [0.5, 0.25, 4.0, 1.0, 2.0]),
    ):
        want = sum(v * w for v, w in zip(values, weights)) / sum(weights)
        if abs(weighted_mean(values, weights) - want) > 1e-9:
            return False
    try:
        weighted_mean([1.0, 2.0], [1.0])
    except Exception:
        return True
    return False
"""
RIGHT_SOURCES = {NAME: SOLUTION, "mean": toy.MEAN, "spread": toy.SPREAD}


def released() -> dict[str, Any]:
    """The notebook learners get: the toy's, with the test in place of its first exercise."""
    book = toy.released()
    for cell in book["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("grade_id", "").startswith("mean"):
            about["grade_id"] = about["grade_id"].replace("mean", NAME)
            cell["id"] = cell["id"].replace("mean", "test")
            stub = toy.STUB.format(NAME, "weighted_mean")
            cell["source"] = stub if about["solution"] else f"check.{NAME}({NAME});"
    return book


def unit() -> Unit:
    """The toy unit with the test in place of its first exercise."""
    plain = toy.unit()
    info = plain.info.exercises
    first = type(info[0])(NAME, NAME, 45, 1, 1, (), ("a", "b", "c"))
    return Unit(
        plain.slug,
        type(plain.info)(**{**vars(plain.info), "exercises": (first, info[1])}),
        released(),
        {NAME: exercise, "spread": toy.spread},
        {NAME: visible_check, "spread": lambda answer: None},
        "toy",
    )
