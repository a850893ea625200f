"""Results become grades: result store, transaction into the gradebook, autograded notebook."""

import contextlib
import dataclasses
import datetime
import json
import os
import socket
import sqlite3
import stat
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory

from autograder.classroom import gradebook, store
from autograder.classroom import room as classroom
from autograder.classroom import round as marking
from autograder.classroom.gradebook import Graded, record, scores
from autograder.classroom.room import Classroom, course_secret
from autograder.classroom.round import grade_unit, report_of
from autograder.classroom.store import load_result, result_key, save_result
from autograder.classroom.submitted import received, students_of
from autograder.course import load_unit
from autograder.errors import AutograderError, SandboxFailed, SandboxUnavailable, Unreadable
from autograder.exercise import CaseResult
from autograder.files import write_durably
from autograder.grading.result import ExerciseResult, Result
from autograder.sandbox import view
from autograder.sandbox.limits import Limits
from tests import toy_course
from tests.toy_course import SLUG, SOLUTIONS, WRITTEN


@pytest.fixture
def room(tmp_path):
    return Classroom.open(toy_course.build(tmp_path / "toy"))


@pytest.fixture
def unit(room):
    return load_unit(room.root, SLUG)


def tables(path):
    """What makes the tables of a database, and the version that alembic reads in it."""
    with contextlib.closing(sqlite3.connect(path)) as book:
        version = book.execute("SELECT version_num FROM alembic_version").fetchall()
        made = book.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return version, set(made)


def test_an_empty_gradebook_is_the_one_that_nbgrader_makes(tmp_path, room):
    url = room.coursedir.db_url
    Path(url.removeprefix("sqlite:///")).unlink()
    room.book().close()
    Gradebook(f"sqlite:///{tmp_path}/its_own.db").close()
    assert tables(url.removeprefix("sqlite:///")) == tables(tmp_path / "its_own.db")


def outcome(book, points=15.0, state="graded", notices=()):
    """A result as the sandbox would give it: the same points for every exercise."""
    cases = (CaseResult("it adds", 1, points == 15, "" if points == 15 else "is it a sum?"),)
    exercises = tuple(
        ExerciseResult(
            name=name, points=points, max_points=15, status="graded", message="", cases=cases
        )
        for name in SOLUTIONS
    )
    return Result(
        unit=SLUG,
        state=state,
        exercises=exercises,
        notices=tuple(notices),
        notebook=book,
        seconds=1.0,
    )


def put(room, unit, student, result, *, key="k" * 64, work="w", timestamp=None):
    record(room, unit, Graded(student, SLUG, result, key, work), timestamp)


def grades(room, student):
    """auto, manual and needs_manual_grade of each graded cell."""
    with room.book() as book:
        notebook = book.find_submission_notebook(SLUG, SLUG, student)
        return {
            g.name: (g.auto_score, g.manual_score, g.needs_manual_grade) for g in notebook.grades
        }


def by_hand(room, student, cell, **fields):
    with room.book() as book:
        grade = book.find_grade(cell, SLUG, SLUG, student)
        for name, value in fields.items():
            setattr(grade, name, value)
        book.db.commit()


def autograded(room, student):
    path = room.folder("autograded", student, SLUG) / f"{SLUG}.ipynb"
    return json.loads(path.read_text())


# The gradebook


def test_points_arrive_without_generate_assignment_ever_run(room, unit):
    put(room, unit, "ann", outcome(toy_course.solved(room.root)))
    assert grades(room, "ann") == {f"{n}_check": (15.0, None, False) for n in SOLUTIONS} | {
        WRITTEN: (0.0, None, False)
    }
    assert scores(room, SLUG)["ann"].score == 90
    with room.book() as book:
        assert book.find_assignment(SLUG).max_score == 100


def test_an_answer_in_words_waits_for_a_person_and_an_untouched_one_does_not(room, unit):
    put(room, unit, "ann", outcome(toy_course.solved(room.root, why="Because it is.")))
    assert grades(room, "ann")[WRITTEN] == (None, None, True)
    put(room, unit, "bob", outcome(toy_course.solved(room.root)))
    assert grades(room, "bob")[WRITTEN] == (0.0, None, False)
    with room.book() as book:
        assert book.find_comment(WRITTEN, SLUG, SLUG, "bob").auto_comment == "No response."
        assert book.find_comment(WRITTEN, SLUG, SLUG, "ann").auto_comment is None


def test_worse_work_lowers_every_score(room, unit):
    put(room, unit, "ann", outcome(toy_course.solved(room.root)))
    put(room, unit, "ann", outcome(toy_course.notebook(room.root), points=0.0), work="worse")
    assert scores(room, SLUG)["ann"].score == 0
    assert {auto for auto, *_ in grades(room, "ann").values()} == {0.0}


def test_exercises_absent_from_a_result_keep_no_earlier_points(room, unit):
    put(room, unit, "ann", outcome(toy_course.solved(room.root)))
    result = outcome(toy_course.solved(room.root))
    put(room, unit, "ann", dataclasses.replace(result, exercises=result.exercises[:1]), work="2")
    assert scores(room, SLUG)["ann"].score == 15


def test_manual_grades_extra_credit_and_comments_survive_a_regrade(room, unit):
    book = toy_course.solved(room.root, why="Because it is.")
    put(room, unit, "ann", outcome(book))
    by_hand(room, "ann", WRITTEN, manual_score=7.0, needs_manual_grade=False, extra_credit=1.0)
    with room.book() as db:
        db.find_comment(WRITTEN, SLUG, SLUG, "ann").manual_comment = "well said"
        db.db.commit()
    put(room, unit, "ann", outcome(book))  # the same work again: nothing to look at
    assert grades(room, "ann")[WRITTEN] == (None, 7.0, False)
    put(room, unit, "ann", outcome(book, points=10.0), work="other")  # new work: to be read again
    assert grades(room, "ann")[WRITTEN] == (None, 7.0, True)
    assert scores(room, SLUG)["ann"].score == 6 * 10 + 7 + 1
    with room.book() as db:
        assert db.find_comment(WRITTEN, SLUG, SLUG, "ann").comment == "well said"


def test_a_score_overridden_by_hand_is_flagged_when_the_automatic_one_changes(room, unit):
    book = toy_course.solved(room.root)
    put(room, unit, "ann", outcome(book))
    by_hand(room, "ann", "add_check", manual_score=3.0, needs_manual_grade=False)
    put(room, unit, "ann", outcome(book, points=5.0))
    assert grades(room, "ann")["add_check"] == (5.0, 3.0, True)


def test_a_failure_in_the_middle_changes_nothing(room, unit, monkeypatch):
    put(room, unit, "ann", outcome(toy_course.solved(room.root)))
    before = autograded(room, "ann")

    def fails(*arguments):
        raise RuntimeError("killed here")

    monkeypatch.setattr(gradebook, "_set_late_penalty", fails)
    for student in ("ann", "new"):
        with pytest.raises(RuntimeError):
            put(room, unit, student, outcome(toy_course.notebook(room.root), points=0.0), work="2")
    assert scores(room, SLUG)["ann"].score == 90
    assert set(scores(room, SLUG)) == {"ann"}
    assert autograded(room, "ann") == before
    assert not room.folder("autograded", "new", SLUG).exists()


def test_infrastructure_errors_are_nobodys_grade(room, unit):
    with pytest.raises(AssertionError):
        put(room, unit, "ann", outcome(None, state="infrastructure"))


def test_unreadable_work_scores_zero_with_the_reason_in_its_notebook(room, unit):
    put(room, unit, "ann", outcome(toy_course.solved(room.root)))
    unreadable = Result(
        unit=SLUG,
        state="unreadable",
        exercises=(),
        notices=("not <b>JSON</b>",),
        notebook=None,
        seconds=0,
    )
    put(room, unit, "ann", unreadable, work="2")
    assert scores(room, SLUG)["ann"].score == 0
    first = "".join(autograded(room, "ann")["cells"][0]["source"])
    assert "could not be read" in first
    assert "&lt;b&gt;JSON" in first


def test_a_late_hand_in_gets_the_configured_penalty_and_loses_it_when_in_time(room, unit):
    room.config.LateSubmissionPlugin.penalty_method = "zero"
    put(room, unit, "ann", outcome(toy_course.solved(room.root)))
    with room.book() as book:
        book.update_or_create_assignment(SLUG, duedate=datetime.datetime(2030, 1, 1))
    result = outcome(toy_course.solved(room.root))
    put(room, unit, "ann", result, timestamp=datetime.datetime(2030, 1, 2))
    assert scores(room, SLUG)["ann"].score == 0
    put(room, unit, "ann", result, timestamp=datetime.datetime(2029, 12, 31))
    assert scores(room, SLUG)["ann"].score == 90


def test_changed_points_reach_the_gradebook_and_changed_cells_are_refused(room, unit):
    put(room, unit, "ann", outcome(toy_course.solved(room.root)))
    released = json.loads(json.dumps(unit.released))
    toy_course.cell({"cells": released["cells"]}, "add_check")["metadata"]["nbgrader"][
        "grade_id"
    ] = "x_check"
    path = room.root / "solutions" / SLUG / f"{SLUG}.ipynb"
    path.write_text(path.read_text().replace('"add_check"', '"x_check"'))
    with pytest.raises(AutograderError, match="gained or lost graded cells"):
        put(room, dataclasses.replace(unit, released=released), "ann", outcome(None))


def test_formgrader_sees_the_submission_as_autograded(room, unit):
    toy_course.submit(room.root, "ann", toy_course.solved(room.root))
    put(room, unit, "ann", outcome(toy_course.solved(room.root)))
    api = NbGraderAPI(coursedir=CourseDirectory(config=room.config))
    assert api.get_autograded_students(SLUG) == {"ann"}
    assert api.get_submission(SLUG, "ann")["score"] == 90


# The autograded notebook


def test_autograded_notebook_is_read_only_and_keeps_points_in_the_check_cells(room, unit):
    put(room, unit, "ann", outcome(toy_course.solved(room.root), points=7.5))
    path = room.folder("autograded", "ann", SLUG) / f"{SLUG}.ipynb"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert os.listdir(path.parent) == [path.name]
    output = toy_course.cell(autograded(room, "ann"), "mean_check")["outputs"][0]
    assert output["output_type"] == "execute_result"
    assert "".join(output["data"]["text/plain"]) == "7.5"
    assert "is it a sum?" in "".join(output["data"]["text/html"])


# The result store


def test_a_result_comes_back_as_it_was_stored(room):
    result = outcome({"cells": []}, notices=["é"])
    save_result(room.root, "a" * 64, result)
    assert load_result(room.root, "a" * 64) == result
    assert [p.name for p in (room.root / "results").iterdir()] == ["a" * 64 + ".json"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"unit": 1}', "\0" * 10])
def test_a_missing_or_damaged_result_is_graded_again(room, damage):
    assert load_result(room.root, "b" * 64) is None
    write_durably(room.root / "results" / f"{'b' * 64}.json", damage.encode())
    assert load_result(room.root, "b" * 64) is None


def test_the_key_depends_on_everything_that_can_change_a_result(unit, monkeypatch):
    def key_of(submission=b"work", unit=unit, secret=b"secret", limits=Limits()):  # noqa: B008
        return result_key(submission, unit, secret, limits)

    key = key_of()
    assert len(key) == 64
    assert key == key_of()
    others = [
        key_of(submission=b"other"),
        key_of(secret=b"other"),
        key_of(limits=Limits(cell_seconds=1)),
        key_of(unit=dataclasses.replace(unit, tests_version="2")),
        key_of(unit=dataclasses.replace(unit, released={})),
    ]
    monkeypatch.setattr(store, "environment", lambda: "another machine")
    others.append(key_of())
    monkeypatch.setattr(store, "grader_version", lambda: "another grader")
    others.append(key_of())
    assert len({key, *others}) == 8


def test_the_version_of_the_grader_covers_what_grading_imports_and_nothing_else():
    names = {path.stem for path in store.modules_of("grading.result")}
    assert {"result", "exercise", "process", "runner", "wire", "limits", "ingest"} <= names
    assert not {"cli", "gradebook", "round", "table", "schedule", "store"} & names
    with pytest.raises(FileNotFoundError, match="no module grade"):  # not "depends on nothing"
        store.modules_of("grade")


def test_the_version_of_the_grader_covers_the_texts_of_the_package():
    names = {path.name for path in store.package_files()}
    assert {"runtime.py", "grammar.py", "plots.txt", "ladder.json"} <= names
    assert not any(name.endswith(".pyc") for name in names)


def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path):
    path, dead = tmp_path / "result.json", 2**22 + 1  # above every process id
    left = path.with_name(f".result.json.{socket.gethostname()}.{dead}.part")
    left.write_bytes(b"half")
    write_durably(path, b"whole")
    assert os.listdir(tmp_path) == ["result.json"]


def test_a_write_that_fails_leaves_the_old_file_and_no_part(tmp_path, monkeypatch):
    path = tmp_path / "result.json"
    write_durably(path, b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(classroom.os, "fsync", full)
    with pytest.raises(AutograderError, match="No space left on device"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["result.json"]


def test_the_secret_is_made_once_private_and_can_be_given(room, monkeypatch):
    monkeypatch.delenv("AUTOGRADER_SECRET", raising=False)
    secret = course_secret(room.root)
    assert len(secret) == 64
    assert course_secret(room.root) == secret
    assert stat.S_IMODE((room.root / ".autograder_secret").stat().st_mode) == 0o600
    monkeypatch.setenv("AUTOGRADER_SECRET", "ours")
    assert course_secret(room.root) == b"ours"


# One round of grading, with the sandbox replaced


@pytest.fixture
def sandbox(monkeypatch):
    """Counts the submissions that reach the sandbox; full points for everything but `{`."""
    seen = []

    def grade(submission, unit, *, secret, **options):
        seen.append(submission)
        if b"our fault" in submission:
            raise SandboxFailed("bwrap did not start")
        return outcome(json.loads(submission), points=0.0 if b"worse" in submission else 15.0)

    monkeypatch.setattr(marking, "grade", grade)
    return seen


def test_a_second_round_grades_nothing_and_force_grades_again(room, sandbox):
    toy_course.submit(room.root, "ann", toy_course.solved(room.root))
    [first] = grade_unit(room, SLUG, ["ann"])
    [again] = grade_unit(room, SLUG, ["ann"])
    assert (first.fresh, again.fresh, len(sandbox)) == (True, False, 1)
    assert report_of(room, SLUG)[0].result == first.result
    grade_unit(room, SLUG, ["ann"], force=True)
    assert len(sandbox) == 2


def test_a_resubmission_is_noticed_by_its_content_and_may_be_worse(room, sandbox):
    toy_course.submit(room.root, "ann", toy_course.solved(room.root))
    grade_unit(room, SLUG, ["ann"])
    toy_course.submit(room.root, "ann", toy_course.solved(room.root, add="return 'worse'"))
    grade_unit(room, SLUG, ["ann"])
    assert scores(room, SLUG)["ann"].score == 0
    toy_course.submit(room.root, "ann", toy_course.solved(room.root))
    grade_unit(room, SLUG, ["ann"])
    assert (scores(room, SLUG)["ann"].score, len(sandbox)) == (90, 2)


def test_a_deleted_gradebook_is_rebuilt_from_the_store(room, sandbox):
    for student in ("ann", "bob"):
        toy_course.submit(room.root, student, toy_course.solved(room.root))
    grade_unit(room, SLUG, ["ann", "bob"])
    (room.root / "gradebook.db").unlink()
    grade_unit(room, SLUG, ["ann", "bob"])
    assert {name: s.score for name, s in scores(room, SLUG).items()} == {"ann": 90, "bob": 90}
    assert len(sandbox) == 1  # bob's bytes are ann's


def test_a_failure_of_ours_is_retried_and_leaves_the_earlier_score(room, sandbox):
    toy_course.submit(room.root, "ann", toy_course.solved(room.root))
    grade_unit(room, SLUG, ["ann"])
    toy_course.submit(room.root, "ann", toy_course.solved(room.root, why="our fault"))
    [entry] = grade_unit(room, SLUG, ["ann"])
    assert (entry.result.state, len(sandbox)) == ("infrastructure", 3)
    assert scores(room, SLUG)["ann"].score == 90


def test_whatever_one_submission_brings_up_the_others_are_graded(room, sandbox, monkeypatch):
    for student in ("ann", "bob", "\udcff"):  # a name that is no UTF-8 cannot go into the gradebook
        toy_course.submit(room.root, student, toy_course.solved(room.root))
    honest = marking.received

    def received(room, student, slug):
        return [] if student == "ann" else honest(room, student, slug)

    monkeypatch.setattr(marking, "received", received)
    entries = grade_unit(room, SLUG, students_of(room, SLUG))
    states = {entry.student: entry.result.state for entry in entries}
    assert states == {"ann": "infrastructure", "bob": "graded", "\udcff": "infrastructure"}
    assert "ValueError" in entries[0].result.notices[0]
    assert {name: s.score for name, s in scores(room, SLUG).items()} == {"bob": 90}


def test_a_file_name_that_is_no_text_is_reported(room, sandbox):
    path = toy_course.submit(room.root, "ann", "")
    path.rename(path.with_name("\udcff.ipynb"))
    [entry] = grade_unit(room, SLUG, ["ann"])
    assert entry.result.state == "unreadable"
    assert "\\udcff.ipynb is empty" in entry.result.notices[0]


@pytest.mark.parametrize("odd", ["b\nc", "b\x1b[2J", "b\u202ec", os.fsdecode(b"b\xff")])
def test_an_id_that_cannot_be_shown_is_said_so_and_costs_nobody_anything(room, sandbox, odd):
    for name in ("ann", odd, "cid"):
        toy_course.submit(room.root, name, toy_course.solved(room.root))
    first, refused, last = grade_unit(room, SLUG, ["ann", odd, "cid"])
    assert (first.result.points, last.result.points) == (90, 90)
    assert refused.result.state == "infrastructure" and "rename" in refused.result.notices[0]
    assert set(scores(room, SLUG)) == {"ann", "cid"}


def test_a_course_where_submissions_can_look_is_not_graded(room, sandbox, monkeypatch):
    toy_course.submit(room.root, "ann", toy_course.solved(room.root))
    monkeypatch.setattr(view, "_python_roots", lambda: [room.root.parent])
    with pytest.raises(
        SandboxUnavailable, match=r"every submission could read .*: move the course"
    ):
        grade_unit(room, SLUG, ["ann"])
    assert sandbox == []


def test_links_are_not_followed(room, sandbox, tmp_path):
    toy_course.submit(room.root, "ann", toy_course.solved(room.root))
    elsewhere = room.root / "submitted" / "ann"
    (room.root / "submitted" / "linked").symlink_to(elsewhere)
    (room.root / "submitted" / "half").mkdir()
    (room.root / "submitted" / "half" / SLUG).symlink_to(elsewhere / SLUG)
    path = toy_course.submit(room.root, "file", "")
    path.unlink()
    path.symlink_to(elsewhere / SLUG / path.name)
    entries = grade_unit(room, SLUG, students_of(room, SLUG))
    states = {e.student: e.result.state for e in entries}
    # `linked` is nobody: a line says so (test_submitted), and no score is recorded
    assert states == {"file": "unreadable", "half": "unreadable", "ann": "graded"}
    assert {n: s.score for n, s in scores(room, SLUG).items()} == dict.fromkeys(states, 0) | {
        "ann": 90
    }


def test_a_missing_notebook_is_unreadable_and_said_so(room, sandbox):
    (room.root / "submitted" / "ann" / SLUG).mkdir(parents=True)
    [entry] = grade_unit(room, SLUG, ["ann"])
    assert entry.result.state == "unreadable"
    assert "expected one notebook" in entry.result.notices[0]


def test_a_renamed_notebook_is_found_when_it_is_the_only_one(room, sandbox):
    path = toy_course.submit(room.root, "ann", toy_course.solved(room.root))
    path.rename(path.with_name(f"{SLUG} (1).ipynb"))
    [entry] = grade_unit(room, SLUG, ["ann"])
    assert entry.result.state == "graded"
    assert scores(room, SLUG)["ann"].score == 90


def test_students_are_found_by_glob_and_only_with_this_unit(room):
    for student in ("ann", "anton", "bob"):
        toy_course.submit(room.root, student, {})
    (room.root / "submitted" / "other" / "91_else").mkdir(parents=True)
    assert students_of(room, SLUG) == ["ann", "anton", "bob"]
    assert students_of(room, SLUG, "an*") == ["ann", "anton"]


def test_an_id_with_the_signs_of_a_pattern_stands_for_itself(room):
    ids = ["*", "a*[b]", "ab", "abb"]
    for student in ids:
        toy_course.submit(room.root, student, {})
    assert students_of(room, SLUG, "a*[b]") == ["a*[b]"]
    assert students_of(room, SLUG, "a*") == ["a*[b]", "ab", "abb"]
    assert students_of(room, SLUG) == ids
    assert students_of(room, SLUG, "a*/../ab") == []


@pytest.mark.parametrize(
    ("text", "hour"), [("2030-05-01 12:00:00.000000 UTC", 12), ("2030-05-01T12:00:00+02:00", 10)]
)
def test_receipt_time_is_what_collection_wrote(room, text, hour):
    path = toy_course.submit(room.root, "ann", {}).with_name("timestamp.txt")
    assert received(room, "ann", SLUG) == (None, None)
    path.write_text(text)
    assert received(room, "ann", SLUG) == (datetime.datetime(2030, 5, 1, hour), None)


@pytest.mark.parametrize("text", ["yesterday-ish", "x" * 1000, "\udc80"])
def test_a_broken_receipt_time_is_reported_and_ignored(room, text):
    path = toy_course.submit(room.root, "ann", {}).with_name("timestamp.txt")
    path.write_bytes(text.encode(errors="surrogateescape"))
    timestamp, complaint = received(room, "ann", SLUG)
    assert timestamp is None
    assert "ignored" in complaint


def test_a_directory_without_configuration_is_not_a_course(tmp_path):
    with pytest.raises(AutograderError, match=r"expected nbgrader_config\.py"):
        Classroom.open(tmp_path)
    (tmp_path / "nbgrader_config.py").write_text("1 / 0")
    with pytest.raises(AutograderError, match="ZeroDivisionError"):
        Classroom.open(tmp_path)


def test_unreadable_is_an_error_for_a_person():
    assert issubclass(Unreadable, AutograderError)
