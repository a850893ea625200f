"""Grades as CSV files: nbgrader's own columns, or those that Canvas and Moodle import.

A score is what nbgrader's gradebook holds: automatic and manual points, extra credit, less the late
penalty, never below 0. No cell is one that a spreadsheet would run as a formula (OWASP, "CSV
Injection").

Canvas (Gradebook > Import; its importer is lib/gradebook_importer.rb of instructure/canvas-lms)
wants the columns Student, ID, SIS User ID, SIS Login ID, Section in this order, then one a unit,
and a row of points possible. It finds a student by ID (here nbgrader's `lms_user_id`), else by
SIS Login ID (here the student id), else by name, and a unit by the title of its assignment.

Moodle (Grades > Import > CSV file; docs.moodle.org, "Grade import", and
grade/import/csv/classes/load_data.php of moodle/moodle) lets the teacher map columns: here Username
or Email address to the student, each unit to its grade item. "-" is no grade. One unknown student
stops the whole import.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import ExportPlugin

from autograder.classroom.gradebook import unread
from autograder.classroom.room import Classroom
from autograder.errors import AutograderError
from autograder.files import write_durably

Rows = Iterator[list[Any]]
COLUMNS = [
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
]  # fmt: skip
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
INNER_FORMULA = re.compile(r"([;\t\r\n])(?=\s*[=+\-@＝＋－＠])")  # for programs that cut at `;`


class SafeCsvExport(ExportPlugin):  # type: ignore[misc]  # nbgrader carries no types
    """`nbgrader export` with quoting, and no cell that a spreadsheet would run as a formula."""

    def export(self, gradebook: Gradebook) -> None:
        """Write one row a student and assignment to `--to`, by default grades.csv."""
        students = {str(s) for s in self.student}
        assignments = {str(a) for a in self.assignment}
        rows = nbgrader_rows(
            gradebook,
            [a for a in gradebook.assignments if not assignments or a.name in assignments],
            [s for s in gradebook.students if not students or s.id in students],
        )
        _write(Path(self.to or "grades.csv"), rows)


def export(room: Classroom, slugs: Sequence[str], form: str, path: Path) -> list[str]:
    """Write the grades of these units in one of FORMS, and return notes for the instructor.

    Raises AutograderError when none of the units is graded.
    """
    with room.book() as book:
        units = [a for a in book.assignments if a.name in slugs]
        if not units:
            raise AutograderError("nothing is graded yet: run `autograder grade` first")
        _write(path, FORMS[form](book, units, book.students))
        notes = [*_open(units), *NOTES[form](book, units)]
    return notes


def _open(units: Sequence[Any]) -> Iterator[str]:
    """Yield notes on answers that still wait for a person."""
    submissions = [submission for unit in units for submission in unit.submissions]
    if waiting := sum(map(unread, submissions)):
        yield f"written answers that wait for a person and count 0: {waiting}"
    if again := [s.student.id for s in submissions if s.needs_manual_grade and not unread(s)]:
        yield (
            "marks given to earlier work count until somebody looks again: "
            f"{', '.join(map(plain, sorted(set(again))))}"
        )


def _formulas(book: Gradebook, units: Sequence[Any]) -> Iterator[str]:
    if known_as := [plain(s.id) for s in book.students if plain(s.id) != s.id]:
        changed = ", ".join(known_as)
        yield f"ids that begin like a formula got an apostrophe, mend them: {changed}"


def _for_canvas(book: Gradebook, units: Sequence[Any]) -> Iterator[str]:
    """Yield a note on students whom Canvas would not find, since it reads their ids as numbers."""
    yield from _formulas(book, units)
    wrong = {
        s.id: as_canvas_reads(known_as)
        for s in book.students
        if as_canvas_reads(known_as := s.lms_user_id or s.id) != known_as
    }
    if wrong:
        read = ", ".join(f"{plain(name)} as {number}" for name, number in wrong.items())
        yield (
            f"Canvas reads these ids as numbers and finds nobody: {read}; give these students "
            "their Canvas id: `nbgrader db student add ID --lms-user-id NUMBER`"
        )


def as_canvas_reads(cell: str) -> str:
    """Return a cell as Canvas's gradebook_importer.rb reads it (`decimal_comma_to_period`).

    >>> as_canvas_reads("12.34.56"), as_canvas_reads("1,5"), as_canvas_reads("4711")
    ('1234.56', '1.5', '4711')
    """
    if not re.fullmatch(r"-?[0-9.,]+%?", cell):
        return cell
    *before, last = re.split("[,.]", cell.rstrip(",.")) or [""]
    return f"{''.join(before)}.{last}" if before else last


def _for_moodle(book: Gradebook, units: Sequence[Any]) -> Iterator[str]:
    """Yield a note on grades above the maximum, for which Moodle refuses the whole file."""
    yield from _formulas(book, units)
    above = [
        f"{plain(who.id)} ({unit.name}: {score} of {unit.max_score:g})"
        for unit in units
        for who in book.students
        if isinstance(score := _final(book, unit, who, "-"), float) and score > unit.max_score
    ]
    if above:
        yield (
            "Moodle refuses the whole file for a grade above the maximum: raise the maximum of its "
            f"grade item first for {', '.join(above)}"
        )


def _for_nbgrader(book: Gradebook, units: Sequence[Any]) -> Iterator[str]:
    yield from ()


NOTES = {"csv": _for_nbgrader, "canvas": _for_canvas, "moodle": _for_moodle}


def nbgrader_rows(book: Gradebook, units: Sequence[Any], students: Iterable[Any]) -> Rows:
    """Return the rows of nbgrader's own CSV export: one a unit and student, 0 for no work."""
    yield COLUMNS
    everybody = list(students)
    for unit in units:
        for who in everybody:
            submission = _submission(book, unit, who)
            about = [who.id, who.last_name, who.first_name, who.email]
            when = submission.timestamp if submission else ""
            raw = submission.score if submission else 0.0
            penalty = submission.late_submission_penalty if submission else 0.0
            scores = [raw, penalty, max(0.0, raw - penalty), unit.max_score]
            yield [unit.name, unit.duedate, when, *about, *scores]


def canvas_rows(book: Gradebook, units: Sequence[Any], students: Iterable[Any]) -> Rows:
    """Return the rows of a Canvas gradebook: points possible, then students; empty is no grade."""
    names = [unit.name for unit in units]
    yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *names]
    yield ["    Points Possible", "", "", "", "", *(unit.max_score for unit in units)]
    for who in students:
        name = ", ".join(filter(None, (who.last_name, who.first_name))) or who.id
        about = [name, who.lms_user_id, "", who.id, ""]
        yield [*about, *(_final(book, unit, who, "") for unit in units)]


def moodle_rows(book: Gradebook, units: Sequence[Any], students: Iterable[Any]) -> Rows:
    """Return the rows for Moodle's grade import, one a student."""
    names = [unit.name for unit in units]
    yield ["Username", "Email address", "First name", "Last name", *names]
    for who in students:
        about = [who.id, who.email, who.first_name, who.last_name]
        yield [*about, *(_final(book, unit, who, "-") for unit in units)]


FORMS: dict[str, Callable[[Gradebook, Sequence[Any], Iterable[Any]], Rows]] = {
    "csv": nbgrader_rows,
    "canvas": canvas_rows,
    "moodle": moodle_rows,
}


def _submission(book: Gradebook, unit: Any, student: Any) -> Any | None:
    try:
        return book.find_submission(unit.name, student.id)
    except MissingEntry:
        return None


def _final(book: Gradebook, unit: Any, student: Any, nothing: str) -> float | str:
    """Return the score rounded to two places, as both systems show it; `nothing` without work."""
    submission = _submission(book, unit, student)
    if submission is None:
        return nothing
    return round(max(0.0, float(submission.score - submission.late_submission_penalty)), 2)


def _write(path: Path, rows: Iterable[Sequence[Any]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(map(plain, row) for row in rows)
    write_durably(path, text.getvalue().encode())


def plain(value: Any) -> str:
    """Return a CSV cell; text that a spreadsheet would take for a formula gets an apostrophe.

    >>> plain("=1+1"), plain("a;=1+1"), plain(-0.5), plain(None), plain("-")
    ("'=1+1", "a;'=1+1", '-0.5', '', '-')
    """
    if value is None or isinstance(value, int | float):
        return "" if value is None else str(value)
    text = str(value)
    if text == "-":
        return text
    return "'" * bool(FORMULA.match(text)) + INNER_FORMULA.sub(r"\1'", text)
