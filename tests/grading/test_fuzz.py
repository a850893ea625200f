"""Two thousand made-up inputs each run; `tests/fuzz.md` records a run of many more."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.grading.result import grade
from tests import fuzz
from tests.submissions import toy
from tests.submissions.hostile import Book

EACH = max(500, settings().max_examples)


@pytest.mark.parametrize("name", fuzz.TARGETS)
def test_nothing_made_up_crashes_hangs_or_earns_a_point(name):
    @given(st.randoms(use_true_random=False))
    @settings(max_examples=EACH, deadline=None)
    def holds(rng):
        fuzz.check(name, rng)

    holds()


@pytest.mark.usefixtures("wall")
@pytest.mark.parametrize("seed", range(8))
def test_a_changed_notebook_earns_nothing_for_what_it_does_not_solve(seed, monkeypatch):
    book = Book(toy.released(), toy.RIGHT, "mean")
    book.answer("def mean(values): return 0.5")
    monkeypatch.setattr(fuzz, "_trees", lambda: [book.notebook])
    data = fuzz.notebook(random.Random(seed))
    result = grade(data, toy.unit(), secret=toy.SECRET, slot=12, limits=toy.LIMITS)
    assert result.state in ("graded", "unreadable")
    points = {exercise.name: exercise.points for exercise in result.exercises}
    assert points.get("mean", 0.0) == 0.0
