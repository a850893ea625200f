"""One round of grading: find submissions, grade each as bytes, store the result, record it.

The same round runs for `autograder grade`, `nbgrader autograde` and formgrader's button.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from nbgrader.api import MissingEntry

from autograder.classroom import Classroom, course_secret, read_work, received, students_of
from autograder.course import Unit, load_unit
from autograder.errors import AutograderError, SandboxFailed, SandboxUnavailable, Unreadable
from autograder.grade import Result, grade
from autograder.gradebook import (
    Graded,
    Scores,
    load_result,
    record,
    recorded,
    result_key,
    save_result,
    scores,
)
from autograder.limits import Limits
from autograder.report import printable

Progress = Callable[[Graded], None]


def grade_unit(
    room: Classroom,
    slug: str,
    students: Iterable[str],
    *,
    force: bool = False,
    create_student: bool = True,
    progress: Progress = lambda entry: None,
) -> list[Graded]:
    """Grade the submissions of a unit, record each as soon as it is graded, and return them.

    A submission whose result is stored and recorded already is left alone unless ``force``. A
    failure of ours (state ``infrastructure``) is tried once more, then returned and not recorded.
    """
    unit = load_unit(room.root, slug)
    secret, limits = course_secret(room), limits_of(room)
    with room.writing():  # the first reader makes the gradebook
        book = scores(room, slug)
    entries = []
    for student in students:
        if not create_student:
            _must_exist(room, student)
        try:
            entry = _grade(room, unit, student, secret, limits, force=force)
            if entry.result.state != "infrastructure":
                _record_if_new(room, unit, entry, book.get(student), force=force)
        except AutograderError:
            raise
        except Exception as error:  # whatever one submission brings up, the others are graded
            what = f"{type(error).__name__}: {printable(str(error))[:300]}"
            notice = f"the grader failed ({what}); nothing was recorded"
            result = _without_grades(unit, "infrastructure", notice)
            entry = Graded(student, unit.slug, result, "", "")
        entries.append(entry)
        progress(entry)
    return entries


def limits_of(room: Classroom) -> Limits:
    """What a submission may use; `ExecutePreprocessor.timeout` of nbgrader sets seconds a cell."""
    section = room.config.ExecutePreprocessor
    seconds = section.timeout if "timeout" in section else None
    return Limits(cell_seconds=float(seconds)) if seconds and seconds > 0 else Limits()


def _must_exist(room: Classroom, student: str) -> None:
    with room.book() as book:
        try:
            book.find_student(student)
        except MissingEntry:
            raise AutograderError(
                f"no student {printable(student)!r} in the gradebook: add them with "
                "`nbgrader db student add`, or set Autograde.create_student = True"
            ) from None


def _grade(
    room: Classroom, unit: Unit, student: str, secret: bytes, limits: Limits, *, force: bool
) -> Graded:
    try:
        submission = read_work(room.folder("submitted", student, unit.slug), unit.slug)
    except Unreadable as error:
        notice = printable(str(error))  # with a file name in it
        work = hashlib.sha256(f"unreadable: {notice}".encode()).hexdigest()
        result = _without_grades(unit, "unreadable", notice)
        save_result(room, work, result)
        return Graded(student, unit.slug, result, work, work)
    key = result_key(submission, unit, secret, limits)
    work = hashlib.sha256(submission).hexdigest()
    stored = None if force else load_result(room, key)
    if stored is not None:
        return Graded(student, unit.slug, stored, key, work, fresh=False)
    result = _attempt(submission, unit, secret, limits)
    if result.state == "infrastructure":
        result = _attempt(submission, unit, secret, limits)
    if result.state != "infrastructure":
        save_result(room, key, result)
    return Graded(student, unit.slug, result, key, work)


def _attempt(submission: bytes, unit: Unit, secret: bytes, limits: Limits) -> Result:
    try:
        return grade(submission, unit, secret=secret, limits=limits)
    except SandboxUnavailable:
        raise
    except SandboxFailed as error:
        return _without_grades(unit, "infrastructure", str(error))


def _without_grades(unit: Unit, state: Any, notice: str) -> Result:
    return Result(
        unit=unit.slug, state=state, exercises=(), notices=(notice,), notebook=None, seconds=0.0
    )


def _record_if_new(
    room: Classroom, unit: Unit, entry: Graded, book: Scores | None, *, force: bool
) -> None:
    timestamp, complaint = received(room, entry.student, unit.slug)
    marks = recorded(room, entry.student, unit.slug)
    known = book is not None and book.timestamp == timestamp and marks.get("key") == entry.key
    if known and not force:
        return
    if complaint:
        notices = (*entry.result.notices, complaint)
        entry = dataclasses.replace(
            entry, result=dataclasses.replace(entry.result, notices=notices)
        )
    record(room, unit, entry, timestamp)


def report_of(room: Classroom, slug: str, pattern: str = "*") -> list[Graded]:
    """The recorded results of a unit, from the store: nothing is graded."""
    entries = []
    for student in students_of(room, slug, pattern):
        marks = recorded(room, student, slug)
        result = load_result(room, marks["key"]) if marks else None
        if result is not None:
            entries.append(Graded(student, slug, result, marks["key"], marks["work"], fresh=False))
    return entries


def record_again(room: Classroom, slug: str, pattern: str = "*") -> list[Graded]:
    """Write the stored results into the gradebook once more: nothing is graded.

    Late penalties are taken anew, on what was given by hand meanwhile, too.
    """
    unit, book = load_unit(room.root, slug), scores(room, slug)
    entries = report_of(room, slug, pattern)
    for entry in entries:
        known = book.get(entry.student)
        time = known.timestamp if known else received(room, entry.student, slug)[0]
        record(room, unit, entry, time)
    return entries
