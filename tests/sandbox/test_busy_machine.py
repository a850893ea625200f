"""Neither the machine nor the neighbour decides: grades under load are those of an idle machine."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from autograder.classroom.room import Classroom
from autograder.classroom.round import grade_unit
from autograder.course import slugs
from autograder.grading.result import grade
from autograder.sandbox.limits import Limits
from autograder.sandbox.patience import Patience
from tests.submissions import sample_class, toy
from tests.submissions.hostile import Book

pytestmark = pytest.mark.usefixtures("wall")
NEIGHBOURS = 6


@pytest.fixture(scope="module")
def desk():
    return sample_class.desk(sample_class.ROOT, "04_word2vec")


@pytest.fixture(scope="module", autouse=True)
def neighbours(desk):
    """Busy loops, several a core, beside the tests alone: all other work waits for them."""
    loops = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(NEIGHBOURS)
    ]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


def toy_result(source, **limits):
    book = Book(toy.released(), toy.RIGHT, "mean")
    book.answer(source)
    changed = replace(toy.LIMITS, **limits)
    return grade(book.dump(), toy.unit(), secret=toy.SECRET, slot=13, limits=changed)


def test_an_answer_that_needs_most_of_its_time_keeps_its_points():
    """A call uses 0.4 of the second that it may use, which takes about two on the clock."""
    work = """    import time
    end = time.process_time() + 0.4
    while time.process_time() < end: pass
"""
    result = toy_result(toy.MEAN.replace("    if not", f"{work}    if not", 1))
    assert result.points == 90, result.exercises


def test_an_endless_loop_is_still_found_and_costs_one_exercise():
    result = toy_result("def mean(values):\n    while True: pass")
    first, second = result.exercises
    assert (first.status, first.points, second.points) == ("timeout", 0, 45)


def test_a_sandbox_that_hardly_ran_is_nobodys_zero(monkeypatch):
    def starved(self):
        self.starved = True
        return 0.0

    monkeypatch.setattr(Patience, "__call__", starved)
    result = toy_result(toy.MEAN)
    assert (result.state, result.exercises) == ("infrastructure", ())
    assert "too busy" in result.notices[0]


def graded(root, slug, students):
    room = Classroom.open(root)
    entries = grade_unit(room, slug, students)
    return {entry.student: entry.result.points for entry in entries}


def test_right_work_gets_what_it_deserves(desk, tmp_path):
    work = json.dumps(sample_class.other_style_with_warning(desk, tmp_path)).encode()
    limits = Limits(cell_seconds=sample_class.CELL_SECONDS)
    result = grade(work, desk.unit, secret=toy.SECRET, slot=13, limits=limits)
    assert result.points == 90, result.exercises


@pytest.mark.slow
def test_every_class_gets_what_it_deserves(tmp_path):
    root = sample_class.build(tmp_path / "class")
    for slug in slugs(root):
        wanted = sample_class.expected(root, slug)
        assert graded(root, slug, list(wanted)) == pytest.approx(wanted, abs=1e-3)
