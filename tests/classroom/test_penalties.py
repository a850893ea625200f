"""Late penalties and points given by hand: as nbgrader defines them, wherever a score is shown."""

import datetime

import pytest
from nbgrader.plugins import LateSubmissionPlugin

from autograder.classroom.exports import nbgrader_rows
from autograder.classroom.feedback import write_feedback
from autograder.classroom.gradebook import Graded, record, scores
from autograder.classroom.room import Classroom
from autograder.course import load_unit
from tests import toy_course
from tests.graded import exercise, result
from tests.toy_course import SLUG, SOLUTIONS, WRITTEN

DUE = datetime.datetime(2030, 1, 1)
DAY = datetime.timedelta(days=1)


class TenPercentADay(LateSubmissionPlugin):
    """A tenth of the score for each day begun."""

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return score * 0.1 * -(-total_seconds_late // DAY.total_seconds())


class Generous(LateSubmissionPlugin):
    """A mistake of the instructor: a penalty below 0."""

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return -5.0


class Forgiving(LateSubmissionPlugin):
    """No penalty at all."""

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return None


@pytest.fixture
def room(tmp_path):
    room = Classroom.open(toy_course.build(tmp_path / "toy"))
    room.config.AssignLatePenalties.plugin_class = TenPercentADay
    return room


@pytest.fixture
def hand_in(room):
    """Record a submission of ann's, so late, with these points an exercise."""
    unit = load_unit(room.root, SLUG)

    def hand_in(late=None, points=15.0, why="Because.", work="w"):
        book = toy_course.solved(room.root, why=why)
        exercises = tuple(exercise(name, points) for name in SOLUTIONS)
        entry = Graded("ann", SLUG, result(book, exercises=exercises), work, work)
        record(room, unit, entry, None if late is None else DUE + late)

    hand_in()
    with room.book() as book:
        book.update_or_create_assignment(SLUG, duedate=DUE)
    return hand_in


def total(room):
    return scores(room, SLUG)["ann"].score


def by_hand(room, cell=WRITTEN, **fields):
    with room.book() as book:
        grade = book.find_grade(cell, SLUG, SLUG, "ann")
        for name, value in (fields | {"needs_manual_grade": False}).items():
            setattr(grade, name, value)
        book.db.commit()


@pytest.mark.parametrize(
    ("late", "left"), [(-DAY, 90), (0 * DAY, 90), (DAY / 2, 81), (2 * DAY, 72), (11 * DAY, 0)]
)
def test_an_own_plugin_takes_its_share_and_never_more_than_the_score(room, hand_in, late, left):
    hand_in(late)
    assert total(room) == left


@pytest.mark.parametrize("plugin", [Generous, Forgiving])
def test_a_plugin_cannot_give_points(room, hand_in, plugin):
    room.config.AssignLatePenalties.plugin_class = plugin
    hand_in(DAY)
    assert total(room) == 90


def test_nbgraders_default_takes_nothing(room, hand_in):
    del room.config.AssignLatePenalties["plugin_class"]
    hand_in(DAY)
    assert total(room) == 90


def test_without_a_receipt_nothing_is_late(room, hand_in):
    hand_in(late=None)
    assert total(room) == 90


def test_an_extension_moves_the_date(room, hand_in):
    hand_in(DAY)
    with room.book() as book:
        book.grant_extension(SLUG, "ann", days=1)
    hand_in(DAY)
    assert total(room) == 90
    hand_in(2 * DAY)
    assert total(room) == 81


def test_points_given_by_hand_are_late_too_once_it_is_recorded_again(room, hand_in):
    hand_in(DAY)
    by_hand(room, manual_score=8.0, extra_credit=2.0)
    assert total(room) == 81 + 10  # nbgrader takes the penalty when it autogrades
    hand_in(DAY)
    assert total(room) == 100 * 0.9


def test_a_score_corrected_by_hand_replaces_the_automatic_one(room, hand_in):
    hand_in(points=5.0)
    by_hand(room, "add_check", manual_score=15.0)
    assert total(room) == 5 * 5 + 15
    hand_in(points=5.0)
    assert total(room) == 5 * 5 + 15


def test_a_new_answer_keeps_its_points_until_it_is_read_again(room, hand_in):
    by_hand(room, manual_score=8.0)
    hand_in(why="Because of something else.", work="2")
    assert scores(room, SLUG)["ann"].needs_manual_grade
    assert total(room) == 98


def test_page_and_export_show_the_penalty(room, hand_in):
    hand_in(DAY)
    write_feedback(room, SLUG, ["ann"])
    page = (room.folder("feedback", "ann", SLUG) / f"{SLUG}.html").read_text()
    assert "Score: 81.0 / 100.0" in page
    assert "Late submission penalty, taken from the score: 9.0" in page
    with room.book() as book:
        _, row = nbgrader_rows(book, book.assignments, book.students)
    assert row[-4:] == [90, 9, 81, 100]
