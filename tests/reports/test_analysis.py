"""What is said of a class: worked by hand on five small submissions, and against numpy."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.classroom.gradebook import Graded, Scores, record
from autograder.classroom.room import Classroom
from autograder.course import load_unit
from autograder.exercise import REASONS
from autograder.grading.result import ExerciseResult
from autograder.reports.analysis import ENOUGH, Analysis, absent, analyse
from autograder.reports.page import as_page
from autograder.reports.table import summary
from autograder.verification.local import run_locally
from tests import toy_course
from tests.graded import POINTS, exercise, result
from tests.submissions import toy_impostors
from tests.submissions.toy_impostors import NAME
from tests.toy_course import SLUG, SOLUTIONS

UNSOLVED = {"points": 0.0, "message": REASONS["unsolved"], "status": "unsolved"}
SIGN = {"points": 0.0, "message": "is the sign lost?"}


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    return load_unit(toy_course.build(tmp_path_factory.mktemp("toy")), SLUG)


def handed_in(student, **answers):
    """A submission with full points, but for the exercises told otherwise."""
    exercises = tuple(exercise(name, **answers.get(name, {})) for name in SOLUTIONS)
    return Graded(student, SLUG, result(None, exercises=exercises), "k", "w")


def with_points(student, points):
    return handed_in(student, **{name: {"points": p} for name, p in points.items()})


@pytest.fixture(scope="module")
def about(unit):
    """Five of a class: three with difficulties in `add`, one of them unread, one unreadable."""
    graded = [
        handed_in("ann"),
        handed_in("bob", add=SIGN, double=UNSOLVED),
        handed_in("cid", add=SIGN | {"points": 5.0}),
        handed_in("dan", add=UNSOLVED),
        Graded("eve", SLUG, result(None, exercises=(), state="unreadable"), "k", "w"),
    ]
    book = {"ann": Scores(98, False, None), "bob": Scores(60, True, None)}
    return analyse(unit, graded, book, absent=2)


def test_shares_and_means_are_over_the_submissions_that_could_be_read(about):
    add, double = about.exercises[:2]
    assert (add.name, add.tried, add.solved, add.mean) == ("add", 3 / 4, 1 / 4, 20 / 4)
    assert (double.tried, double.solved, double.mean) == (3 / 4, 3 / 4, 45 / 4)


def test_totals_come_from_the_gradebook_where_it_has_them(about):
    assert about.totals == (98, 60, 80, 75, 0)
    assert (about.mean, about.median) == (62.6, 75)
    assert (about.to_read, about.unreadable, about.absent) == (1, 1, 2)


def test_a_hint_counts_once_a_student_and_an_exercise_not_tried_is_no_misconception(about):
    shown = [(m.exercise, m.hint, m.students) for m in about.misconceptions]
    assert shown == [("add", "is the sign lost?", 2)]


def test_the_most_frequent_misconception_is_first(unit):
    other = {"points": 0.0, "message": "a constant?"}
    graded = [handed_in("a", mean=other), handed_in("b", add=SIGN), handed_in("c", add=SIGN)]
    found = analyse(unit, graded, {}).misconceptions
    assert [(m.hint, m.students) for m in found] == [("is the sign lost?", 2), ("a constant?", 1)]


def test_a_class_of_unreadable_work_has_scores_and_no_difficulties(unit):
    nothing = Graded("eve", SLUG, result(None, exercises=(), state="unreadable"), "k", "w")
    about = analyse(unit, [nothing], {})
    assert (about.totals, about.exercises, about.misconceptions) == ((0,), (), ())


def test_no_submission_is_an_error(unit):
    with pytest.raises(ValueError, match="at least one"):
        analyse(unit, [], {})


points = st.fixed_dictionaries({name: st.integers(0, POINTS) for name in SOLUTIONS})


@given(st.lists(points, min_size=ENOUGH, max_size=12))
def test_discrimination_is_the_correlation_with_the_rest_as_numpy_has_it(unit, rows):
    graded = [with_points(str(i), row) for i, row in enumerate(rows)]
    table = np.array([[row[name] for name in SOLUTIONS] for row in rows], dtype=float)
    for i, found in enumerate(analyse(unit, graded, {}).exercises):
        mine, rest = table[:, i], table.sum(axis=1) - table[:, i]
        if np.ptp(mine) == 0 or np.ptp(rest) == 0:
            assert found.discrimination is None
        else:
            assert found.discrimination == pytest.approx(np.corrcoef(mine, rest)[0, 1], abs=1e-9)


def test_few_submissions_have_no_discrimination(unit):
    graded = [with_points(str(i), {"add": i, "mean": i}) for i in range(ENOUGH)]
    assert analyse(unit, graded, {}).exercises[0].discrimination == pytest.approx(1)
    assert analyse(unit, graded[1:], {}).exercises[0].discrimination is None


@given(st.lists(st.floats(0, 100), min_size=1))
def test_the_distribution_counts_every_total_where_numpy_does(unit, totals):
    about = Analysis(unit.info, tuple(totals), 0, 0, 0, (), ())
    assert about.histogram == np.histogram(totals, about.edges)[0].tolist()


def test_extra_credit_counts_to_the_last_bar(unit):
    about = Analysis(unit.info, (100, 107.5, 100.0), 0, 0, 0, (), ())
    assert about.histogram == [0] * 9 + [3]


def test_absent_are_the_known_students_who_handed_in_nothing(tmp_path, unit):
    room = Classroom.open(toy_course.build(tmp_path / "toy"))
    for name in ("ann", "bob"):
        record(room, unit, dataclasses.replace(handed_in(name), key=name), None)
    with room.book() as book:
        book.add_student("late-comer")
        book.add_student("lurker")
    assert absent(room, {"ann", "bob"}) == ["late-comer", "lurker"]
    assert absent(room, {"ann", "bob", "lurker", "late-comer"}) == []


def test_an_impostor_is_counted_where_a_test_surely_caught_it():
    unit, seed = toy_impostors.unit(), b"seed"
    cases = [
        run_locally(unit.exercises[NAME], test, seed, unit.checks[NAME])
        for test in (lambda f: True, lambda f: abs(f([1.0, 3.0], [1.0, 3.0]) - 2.5) < 1e-9)
    ]
    untried = ExerciseResult(NAME, 0.0, 45.0, "died", "the call ended the Python process", ())
    tried = [ExerciseResult(NAME, 0.0, 45.0, "graded", "x", case) for case in cases]
    graded = [
        Graded(str(i), SLUG, result(None, exercises=(one, exercise("spread"))), "k", "w")
        for i, one in enumerate([untried, *tried])
    ]
    about = analyse(unit, graded, {})
    caught = {kill.impostor: kill.caught for kill in about.kills if kill.caught}
    assert len(about.kills) == len(toy_impostors.IMPOSTORS)
    assert caught == {
        "catches a weighted mean that ignores the weights": pytest.approx(1 / 3),
        "catches a weighted mean that divides by the count": pytest.approx(1 / 3),
    }
    line = f"  33%  {NAME}: catches a weighted mean that divides by the count"
    assert line in summary(about).splitlines()
    page = as_page([about], {SLUG: b"", unit.slug: b""}, "today")
    assert "catches a weighted mean that divides by the count" in page
