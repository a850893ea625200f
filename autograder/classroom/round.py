"""One round of grading: find submissions, grade each as bytes, store the result, record it.

The same round runs for `autograder grade`, `nbgrader autograde` and formgrader's button. It first
takes results from the store, then lets workers (`schedule`) grade side by side, and grades the rest
here, one after the other: everything without workers, else submissions that hit a time limit or
failed through an error of ours.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from nbgrader.api import MissingEntry

from autograder.classroom.gradebook import Graded, record, recorded, scores, storage_trouble
from autograder.classroom.receipt import better_copies
from autograder.classroom.room import Classroom, course_secret
from autograder.classroom.schedule import Task
from autograder.classroom.store import load_result, result_key, save_result
from autograder.classroom.submitted import read_work, received, students_of, work_folder
from autograder.course import Unit, load_unit
from autograder.errors import AutograderError, SandboxFailed, SandboxUnavailable, Unreadable
from autograder.files import printable
from autograder.grading.result import Result, grade
from autograder.sandbox.limits import Limits
from autograder.sandbox.slots import free_slot
from autograder.sandbox.view import shows

UNPRINTABLE = "expected letters, digits and signs in the id, got others: rename its directory"
Progress = Callable[[Graded], None]
Workers = Callable[[Sequence[Task]], Iterable[tuple[Task, str | None]]]


def nobody(tasks: Sequence[Task]) -> Iterable[tuple[Task, str | None]]:
    """Do without workers: every submission is graded in this process."""
    return ()


def grade_unit(
    room: Classroom,
    slug: str,
    students: Iterable[str],
    *,
    force: bool = False,
    create_student: bool = True,
    progress: Progress = lambda entry: None,
    workers: Workers = nobody,
) -> list[Graded]:
    """Grade the submissions of a unit, record each as soon as it is graded, and return them.

    A submission whose result is stored and recorded already is left alone unless `force`. A
    failure of ours (state `infrastructure`) is tried once more, then returned and not recorded.
    """
    students = list(students)
    if not create_student:
        for student in students:
            _must_exist(room, student)
    entries: dict[str, Graded] = {}
    for entry in _Round(room, load_unit(room.root, slug), force).entries(students, workers):
        entries[entry.student] = entry
        progress(entry)
    return [entries[student] for student in students]


class _Round:
    """The submissions of one unit on their way through the store into the gradebook."""

    def __init__(self, room: Classroom, unit: Unit, force: bool) -> None:
        if shows(room.root):
            raise SandboxUnavailable(
                f"grading is refused: every submission could read {room.root}, which lies in a "
                "directory of the system or of Python: move the course to one of your own"
            )
        self.room, self.unit, self.force = room, unit, force
        self.secret, self.limits = course_secret(room.root), limits_of(room)
        self.fresh = set[str]()  # keys of the results that came into the store in this round
        with room.writing():  # the first reader makes the gradebook
            self.book = scores(room, unit.slug)

    def entries(self, students: Sequence[str], workers: Workers) -> Iterator[Graded]:
        """Yield each submission as soon as it is recorded."""
        tasks, waiting = dict[str, Task](), dict[str, list[str]]()  # by key: equal work is one task
        for student in students:
            settled = self._guarded(self._settle, student)
            if isinstance(settled, Graded):
                yield settled
            else:
                tasks.setdefault(settled.key, settled)
                waiting.setdefault(settled.key, []).append(student)
        alone = []
        for task, key in workers(list(tasks.values())):
            self.fresh |= {key} if key else set()
            for student in waiting.pop(task.key):
                settled = self._guarded(self._settle, student)
                if isinstance(settled, Graded):
                    yield settled
                else:
                    alone.append(student)
        for student in [*alone, *(name for names in waiting.values() for name in names)]:
            settled = self._guarded(self._alone, student)
            assert isinstance(settled, Graded)
            yield settled

    def _guarded(self, step: Callable[[str], Graded | Task], student: str) -> Graded | Task:
        """Run a step so that an error in one submission does not stop the others.

        An error of the disk or the gradebook ends the round.
        """
        try:
            return step(student)
        except AutograderError:
            raise
        except Exception as error:
            if trouble := storage_trouble(error):
                raise AutograderError(trouble) from None
            what = f"{type(error).__name__}: {printable(str(error))[:300]}"
            return self._failed(student, f"the grader failed ({what}); nothing was recorded")

    def _settle(self, student: str) -> Graded | Task:
        """Record the stored result of the present work and return it; a Task if there is none."""
        if not student.isprintable():  # gradebook and pages cannot hold it, or show another name
            return self._failed(student, UNPRINTABLE)
        folder = work_folder(self.room, student, self.unit.slug)
        told = list[str]()
        with self.room.writing():  # so that the gradebook shows the very work that is read here
            try:
                submission = read_work(folder, self.unit.slug)
            except Unreadable as error:
                notice = printable(str(error))  # it may hold a file name
                key = work = hashlib.sha256(f"unreadable: {notice}".encode()).hexdigest()
                result = _without_grades(self.unit, "unreadable", notice)
                save_result(self.room.root, key, result)
            else:
                told += better_copies(folder, self.unit.slug, submission, self.unit.released)
                work = hashlib.sha256(submission).hexdigest()
                key = result_key(submission, self.unit, self.secret, self.limits)
                wanted = not self.force or key in self.fresh
                stored = load_result(self.room.root, key) if wanted else None
                if stored is None:
                    return Task(self.room.root, self.unit.slug, folder, key, self.limits)
                result = stored
            fresh = key in self.fresh or result.state == "unreadable"
            timestamp, complaint = received(self.room, student, self.unit.slug)
            told += [complaint] if complaint else []
            notes = tuple(printable(line) for line in told)
            entry = Graded(student, self.unit.slug, result, key, work, fresh, notes)
            self._record_if_new(entry, timestamp)
        return entry

    def _alone(self, student: str) -> Graded:
        """Grade in this process with nothing beside it, unless equal work was graded meanwhile."""
        settled = self._settle(student)
        if isinstance(settled, Task):
            submission = read_work(settled.folder, self.unit.slug)
            result = self._attempt(submission)
            if result.state == "infrastructure":
                result = self._attempt(submission)
            if result.state == "infrastructure":
                return Graded(student, self.unit.slug, result, "", "")
            key = result_key(submission, self.unit, self.secret, self.limits)
            save_result(self.room.root, key, result)
            self.fresh.add(key)
            settled = self._settle(student)
        if isinstance(settled, Task):
            return self._failed(student, "it was handed in again while it was graded: run again")
        return settled

    def _attempt(self, submission: bytes) -> Result:
        try:
            with free_slot() as slot:
                return grade(
                    submission, self.unit, secret=self.secret, slot=slot, limits=self.limits
                )
        except SandboxUnavailable:
            raise
        except SandboxFailed as error:
            return _without_grades(self.unit, "infrastructure", str(error))

    def _record_if_new(self, entry: Graded, timestamp: datetime | None) -> None:
        """Record an entry unless gradebook and notebook have it already.

        They do not if the result, the notices or the time are new, or if a due date was moved, so
        that the penalty would now be another one.
        """
        book = self.book.get(entry.student)
        marks = recorded(self.room, entry.student, self.unit.slug)
        told = (marks.get("key"), marks.get("told")) == (entry.key, entry.told)
        known = told and book is not None and book.timestamp == timestamp
        if not known or self.force or book is None or not math.isclose(book.penalty, book.owed):
            record(self.room, self.unit, entry, timestamp)

    def _failed(self, student: str, notice: str) -> Graded:
        result = _without_grades(self.unit, "infrastructure", notice)
        return Graded(student, self.unit.slug, result, "", "")


def _without_grades(unit: Unit, state: Any, notice: str) -> Result:
    return Result(
        unit=unit.slug, state=state, exercises=(), notices=(notice,), notebook=None, seconds=0.0
    )


def limits_of(room: Classroom) -> Limits:
    """Return what a submission may use; `ExecutePreprocessor.timeout` sets seconds a cell."""
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


def has_page(room: Classroom, entry: Graded) -> bool:
    """Say whether there is a complete feedback page, not older than the last record."""
    page = room.folder("feedback", entry.student, entry.slug) / f"{entry.slug}.html"
    notebook = room.folder("autograded", entry.student, entry.slug) / f"{entry.slug}.ipynb"
    try:
        newer = page.stat().st_mtime_ns >= notebook.stat().st_mtime_ns
        return newer and page.read_bytes().rstrip().endswith(b"</html>")
    except OSError:
        return False


def report_of(room: Classroom, slug: str, pattern: str = "*") -> list[Graded]:
    """Return the recorded results of a unit, from the store: nothing is graded."""
    entries = []
    for student in students_of(room, slug, pattern):
        marks = recorded(room, student, slug)
        result = load_result(room.root, marks["key"]) if marks else None
        if result is not None:
            entry = Graded(student, slug, result, marks["key"], marks["work"], False, marks["told"])
            entries.append(entry)
    return entries


def record_again(room: Classroom, slug: str, pattern: str = "*") -> list[Graded]:
    """Write the stored results into the gradebook once more: nothing is graded.

    Late penalties are computed again, and marks given by hand since then count in them.
    """
    unit, book = load_unit(room.root, slug), scores(room, slug)
    entries = report_of(room, slug, pattern)
    for entry in entries:
        known = book.get(entry.student)
        time = known.timestamp if known else received(room, entry.student, slug)[0]
        with room.writing():
            record(room, unit, entry, time)
    return entries
