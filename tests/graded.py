"""Results as the sandbox would give them, for tests of what is made of them."""

from autograder.grading.result import ExerciseResult, Result
from tests.toy_course import SLUG, SOLUTIONS

POINTS = 15


def exercise(name, points=15.0, message="", status="graded", cases=()):
    return ExerciseResult(
        name=name, points=points, max_points=POINTS, status=status, message=message, cases=cases
    )


def result(notebook, notices=(), exercises=None, state="graded"):
    given = tuple(exercise(name) for name in SOLUTIONS) if exercises is None else exercises
    return Result(
        unit=SLUG, state=state, exercises=given, notices=notices, notebook=notebook, seconds=0.0
    )
