"""nbgrader's gradebook, written from the result store.

`record` writes one result into it in one transaction: it sets every automatic score of the
submission and keeps manual scores, extra credit and comments. Then it writes the notebook under
`autograded/`, which holds the key of the result. If it is killed between the two, the old key is
still there, and the next round records the result again. No file of the submission is copied.
"""

import dataclasses
import errno
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbgrader import preprocessors
from nbgrader.api import Gradebook, MissingEntry, SubmittedNotebook
from sqlalchemy.exc import OperationalError
from traitlets.config import Config

from autograder.classroom.feedback import autograded_notebook
from autograder.classroom.room import Classroom
from autograder.course import Unit
from autograder.errors import AutograderError
from autograder.files import printable, write_durably
from autograder.grading.result import Result

STEPS = (  # of nbgrader's generate_assignment, up to the one that writes the gradebook
    "LockCells", "ClearSolutions", "ClearOutput", "CheckCellMetadata", "ComputeChecksums",
    "SaveCells",
)  # fmt: skip


@dataclass(frozen=True)
class Graded:
    """One submission of the class table."""

    student: str
    slug: str
    result: Result
    key: str  # of the result store
    work: str  # hash of the submission alone
    fresh: bool = True  # False: taken from the store
    told: tuple[str, ...] = ()  # notices about its folder: time of receipt, copies beside it

    @property
    def notices(self) -> tuple[str, ...]:
        """All notices about the submission."""
        return (*self.result.notices, *self.told)


@dataclass(frozen=True)
class Scores:
    """What nbgrader's gradebook says about a submission."""

    score: float  # automatic and manual, less the late penalty
    needs_manual_grade: bool
    timestamp: datetime | None
    penalty: float = 0.0  # for being late, already subtracted from the score
    owed: float = 0.0  # the penalty as it would be computed now; nan if that fails
    again: bool = False  # all is marked, but a mark was given to earlier work


def scores(room: Classroom, slug: str) -> dict[str, Scores]:
    """Return what the gradebook holds for a unit, by student."""
    with room.book() as book:
        return {s.student.id: _scores(room, s) for s in book.assignment_submissions(slug)}


def _scores(room: Classroom, submission: Any) -> Scores:
    penalty = submission.late_submission_penalty or 0.0
    try:
        owed = sum(_late_penalty(room, notebook) or 0.0 for notebook in submission.notebooks)
    except Exception:  # in a plugin of the instructor: reported where grades are recorded
        owed = math.nan
    return Scores(
        score=max(0.0, submission.score - penalty),
        needs_manual_grade=submission.needs_manual_grade,
        timestamp=submission.timestamp,
        penalty=penalty,
        owed=owed,
        again=submission.needs_manual_grade and not unread(submission),
    )


def unread(submission: Any) -> int:
    """Return how many answers of a submission wait for a person and count 0 until then."""
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    return sum(
        g.needs_manual_grade and g.manual_score is None and g.auto_score is None for g in grades
    )


def recorded(room: Classroom, student: str, slug: str) -> dict[str, Any]:
    """Return key, work and told of what was recorded last, as in `Graded`; empty if nothing was."""
    path = room.folder("autograded", student, slug) / f"{slug}.ipynb"
    try:
        marks = json.loads(path.read_text(encoding="utf-8"))["metadata"]["autograder"]
        told = tuple(map(str, marks.get("told", ())))
        return {"key": str(marks["key"]), "work": str(marks["work"]), "told": told}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def record(room: Classroom, unit: Unit, entry: Graded, timestamp: datetime | None) -> None:
    """Write one result into the gradebook and the autograded notebook; hold `room.writing()`.

    An infrastructure error is never recorded: the earlier record stays.
    """
    assert entry.result.state in ("graded", "unreadable"), "a failure of ours is nobody's grade"
    notebook = autograded_notebook(unit, dataclasses.replace(entry.result, notices=entry.notices))
    notebook.metadata["autograder"] = {
        "key": entry.key, "work": entry.work, "told": list(entry.told)
    }  # fmt: skip
    same_work = recorded(room, entry.student, unit.slug).get("work") == entry.work
    _ensure_assignment(room, unit)
    with _transaction(room) as book:
        book.update_or_create_student(entry.student)
        with book.db.no_autoflush:
            submission = book.update_or_create_submission(unit.slug, entry.student)
        submission.timestamp = timestamp
        submitted = book.find_submission_notebook(unit.slug, unit.slug, entry.student)
        _set_grades(unit, entry.result, submitted, same_work)
        _set_late_penalty(room, book, submitted)
    path = room.folder("autograded", entry.student, unit.slug) / f"{unit.slug}.ipynb"
    shared = room.coursedir.groupshared
    write_durably(path, (nbformat.writes(notebook) + "\n").encode(), 0o664 if shared else 0o444)


@contextmanager
def _transaction(room: Classroom) -> Iterator[Gradebook]:
    """Open a gradebook in which nbgrader's many commits become one: all is written, or nothing."""
    with room.book() as book, book.engine.begin() as connection:
        book.db.remove()
        book.db.configure(bind=connection, join_transaction_mode="rollback_only")
        yield book
        book.db.flush()


def _set_grades(unit: Unit, result: Result, submitted: SubmittedNotebook, same_work: bool) -> None:
    points = {f"{e.name}_check": float(e.points) for e in result.exercises}
    released = {c["id"]: c for c in unit.released["cells"]}
    answers = {c.get("id"): c["source"] for c in (result.notebook or unit.released)["cells"]}
    unanswered = {
        cell["metadata"]["nbgrader"]["grade_id"]
        for name, cell in released.items()
        if cell["metadata"].get("nbgrader", {}).get("solution")
        and _same(answers.get(name), cell["source"])
    }
    for grade in submitted.grades:
        if grade.name == unit.info.written.id and grade.name not in unanswered:
            score = None  # for a person to decide
        else:
            score = points.get(grade.name, 0.0)
        settled = same_work and grade.auto_score == score and not grade.needs_manual_grade
        grade.auto_score = score
        manual = grade.manual_score is not None
        grade.needs_manual_grade = (score is None or manual) and not (manual and settled)
    for comment in submitted.comments:
        comment.auto_comment = "No response." if comment.name in unanswered else None


def _same(answer: Any, stub: Any) -> bool:
    """Say whether a cell is missing or as released (files hold text as a string or as lines)."""
    return answer is None or "".join(answer).strip() == "".join(stub).strip()


def _set_late_penalty(room: Classroom, book: Gradebook, submitted: SubmittedNotebook) -> None:
    book.db.flush()
    book.db.refresh(submitted, ["score"])
    submitted.late_submission_penalty = _late_penalty(room, submitted)


def _late_penalty(room: Classroom, submitted: SubmittedNotebook) -> float | None:
    """Return the penalty by nbgrader's LateSubmissionPlugin as configured, from 0 to the score."""
    late = _seconds_late(submitted.assignment)
    if not late:
        return None
    step = preprocessors.AssignLatePenalties(config=room.config)
    step.init_plugin()
    penalty = step.plugin_inst.late_submission_penalty(submitted.student.id, submitted.score, late)
    return None if penalty is None else float(step._check_late_penalty(submitted, penalty))


def _seconds_late(submission: Any) -> float:
    """Return nbgrader's seconds; 0 without a due date, where an old extension makes it fail."""
    due = submission.assignment.duedate
    return 0.0 if due is None else float(submission.total_seconds_late)


def _ensure_assignment(room: Classroom, unit: Unit) -> None:
    """Make the assignment's rows as `nbgrader generate_assignment` does, unless they are there."""
    wanted = {
        cell["metadata"]["nbgrader"]["grade_id"]: float(cell["metadata"]["nbgrader"]["points"])
        for cell in unit.released["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade")
    }
    with room.book() as book:
        try:
            cells = book.find_notebook(unit.slug, unit.slug).grade_cells
            if {cell.name: cell.max_score for cell in cells} == wanted:
                return
        except MissingEntry:
            book.update_or_create_assignment(unit.slug)
    source = Path(room.coursedir.format_path(room.coursedir.source_directory, ".", unit.slug))
    path = source / f"{unit.slug}.ipynb"
    if not path.is_file():
        raise AutograderError(
            f"{unit.slug} is not built: no {path}; run `autograder build {unit.slug}`"
        )
    config = Config(room.config)
    config.Exporter.default_preprocessors = []
    exporter = NotebookExporter(config=config)  # type: ignore[no-untyped-call]
    for name in STEPS:
        exporter.register_preprocessor(getattr(preprocessors, name), enabled=True)  # type: ignore[no-untyped-call]
    about = {
        "notebook": unit.slug,
        "assignment": unit.slug,
        "student": ".",
        "db_url": room.coursedir.db_url,
    }
    try:
        exporter.from_filename(str(path), resources={"nbgrader": about})
    except RuntimeError:
        raise AutograderError(
            f"{unit.slug} gained or lost graded cells after submissions were graded. Keep the old "
            f"release, or `nbgrader db assignment remove {unit.slug} --force` (its manual grades "
            "are lost) and grade again"
        ) from None


def storage_trouble(error: BaseException | None) -> str | None:
    """Return one line if an error, or its cause, is a disk or gradebook that cannot be written."""
    while error is not None:
        if isinstance(error, OperationalError):
            return f"gradebook: {one_line(error)}; is it in use, or the disk full?"
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            what = error.filename or "the results"
            return f"cannot write {what} ({error.strerror}): make room, then run again"
        error = error.__cause__ or error.__context__
    return None


def one_line(error: Exception) -> str:
    """Return the first line of a library's error, safe to print on a terminal."""
    return printable((str(error).splitlines() or [type(error).__name__])[0])
