"""Grades as CSV files: nbgrader's own columns here."""

import csv
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import ExportPlugin


class SafeCsvExport(ExportPlugin):  # type: ignore[misc]  # nbgrader carries no types
    """`nbgrader export` with quoting, and no cell that a spreadsheet would run as a formula."""

    columns = (
        "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
        "raw_score", "late_submission_penalty", "score", "max_score",
    )  # fmt: skip

    def export(self, gradebook: Gradebook) -> None:
        """Write one row a student and assignment to ``--to``, by default grades.csv."""
        students = {str(s) for s in self.student}
        assignments = {str(a) for a in self.assignment}
        with open(self.to or "grades.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.columns)
            for assignment in gradebook.assignments:
                for student in gradebook.students:
                    if assignment.name in (assignments or {assignment.name}) and (
                        student.id in (students or {student.id})
                    ):
                        writer.writerow(map(plain, _row(gradebook, assignment, student)))


def _row(gradebook: Gradebook, assignment: Any, student: Any) -> list[Any]:
    about = [student.id, student.last_name, student.first_name, student.email]
    try:
        submission = gradebook.find_submission(assignment.name, student.id)
    except MissingEntry:
        return [
            assignment.name,
            assignment.duedate,
            "",
            *about,
            0.0,
            0.0,
            0.0,
            assignment.max_score,
        ]
    penalty = submission.late_submission_penalty
    final = max(0.0, submission.score - penalty)
    scores = [submission.score, penalty, final, assignment.max_score]
    return [assignment.name, assignment.duedate, submission.timestamp, *about, *scores]


def plain(value: Any) -> str:
    """A CSV cell: text that a spreadsheet would take for a formula gets an apostrophe in front.

    >>> plain("=1+1"), plain(-0.5), plain(None)
    ("'=1+1", '-0.5', '')
    """
    if value is None or isinstance(value, int | float):
        return "" if value is None else str(value)
    text = str(value)
    formula = text.lstrip()[:1] in tuple("=+-@") or text[:1] in tuple("\t\r\n")
    return f"'{text}" if formula else text
