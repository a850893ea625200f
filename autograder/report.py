"""What people read after grading: autograded notebook, feedback page, class table, CSV file.

Everything a learner wrote or printed is made harmless here, once, before nbgrader shows it to
anybody: of outputs only plain text and PNG pictures stay, raw HTML in a written answer loses its
effect, messages of the hidden tests are escaped. Scores in the pages come from the gradebook.
"""

import base64
import binascii
import csv
import glob
import hashlib
import html
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import ExportPlugin

from autograder.course import Unit

if TYPE_CHECKING:
    from autograder.classroom import Classroom
    from autograder.grade import ExerciseResult, Result
    from autograder.gradebook import Graded, Scores

CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
SOURCE_CHARACTERS, CELL_CHARACTERS, LINE_CHARACTERS = 200_000, 50_000, 1_000  # shown of a learner
ESCAPES = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~])?")  # colours, cursor
STREAMS = ("stdout", "stderr")


def autograded_notebook(unit: Unit, result: "Result") -> NotebookNode:
    """The notebook nbgrader shows: released text, the learner's work, points in the check cells.

    Only the order of the cells, the learner's sources and plain outputs are taken from the result;
    metadata and every other source are the released ones.
    """
    released = {cell["id"]: cell for cell in unit.released["cells"]}
    points = {f"{exercise.name}_check": exercise for exercise in result.exercises}
    cells, room = [_opening(result)], SOURCE_CHARACTERS
    for cell in (result.notebook or unit.released)["cells"]:
        original = released.get(cell.get("id"))
        shown = _cell(cell, original, room)
        room -= len(shown.source) if original is None or _nbgrader(shown).get("solution") else 0
        exercise = points.get(_nbgrader(shown).get("grade_id", ""))
        if exercise is not None:
            shown.outputs = [_points(exercise)]
        cells.append(shown)
    notebook: NotebookNode = nbformat.v4.new_notebook(
        cells=cells, metadata=unit.released["metadata"]
    )
    nbformat.validate(notebook)
    return notebook


def _opening(result: "Result") -> NotebookNode:
    """A first cell with the state of the submission, what the grader noticed, and the points."""
    state = "could not be read" if result.state == "unreadable" else "was graded in a sandbox"
    lines = [*result.notices, *map(_earned, result.exercises)]
    items = "".join(f"<li>{html.escape(' '.join(line.split()))}</li>" for line in lines)
    text = f"<p>This submission {state}.</p><ul>{items}</ul>"
    return NotebookNode(
        id="autograder-notes",
        cell_type="markdown",
        metadata={},
        source=f"<div class='tex2jax_ignore'>{text}</div>",
    )


def _nbgrader(cell: Mapping[str, Any]) -> dict[str, Any]:
    return dict(cell["metadata"].get("nbgrader", {}))


def _cell(cell: Mapping[str, Any], original: Mapping[str, Any] | None, room: int) -> NotebookNode:
    """One cell with trusted metadata, and text and outputs that cannot act.

    room: characters of learners' text that are still shown.
    """
    kind = "code" if (original or cell)["cell_type"] == "code" else "markdown"
    learners = original is None or _nbgrader(original).get("solution", False)
    source = _text((cell if original is None or learners else original)["source"])
    if learners:
        source = shortened(source, room)
    if original is not None:
        name = original["id"]
    else:  # a cell the learner added
        name = str(cell.get("id", ""))
        if not CELL_ID.fullmatch(name):
            name = hashlib.sha256(source.encode()).hexdigest()[:12]
    node = NotebookNode(
        id=name,
        cell_type=kind,
        metadata=nbformat.from_dict(dict(original["metadata"]))
        if original is not None
        else NotebookNode(),
        source=defused(source) if kind == "markdown" and learners else source,
    )
    if kind == "code":
        count = cell.get("execution_count")
        node.execution_count = count if type(count) is int else None
        node.outputs = harmless(cell.get("outputs", []))
    return node


def shortened(source: str, room: int) -> str:
    """A learner's text up to a length: what makes pages of it takes quadratic time.

    >>> shortened("x = 1\\ny = 2\\n", 9)
    'x = 1\\ny =\\n# [the rest is too long to be shown]'
    """
    room = max(0, min(room, CELL_CHARACTERS))
    lines = [
        line.rstrip() if len(line) <= LINE_CHARACTERS else f"{line[:LINE_CHARACTERS]} [cut]"
        for line in source[:room].split("\n")
    ]
    text = re.sub(r"\n{20,}", "\n" * 20, "\n".join(lines))
    return text + "\n# [the rest is too long to be shown]" * (len(source) > room)


def _text(value: Any) -> str:
    """Notebook files hold text as a string or as a list of lines."""
    return value if isinstance(value, str) else "".join(map(str, value))


def defused(markdown: str) -> str:
    """A learner's markdown in which no HTML tag, link, picture or active TeX command takes effect.

    A space inside what would be syntax keeps text, formulas and code readable.

    >>> defused("if a<b: <script>alert(1)</script> [x](javascript:alert(2))")
    'if a< b: < script>alert(1)< /script> [x] (javascript:alert(2))'
    """
    text = re.sub(r"<(?=[A-Za-z/!?])", "< ", markdown)
    text = re.sub(r"\](?=[(:])", "] ", text)
    return re.sub(r"\\(?=(href|url|style|class|cssId|require|html\w*|unicode)\b)", r"\\ ", text)


def harmless(outputs: Any) -> list[NotebookNode]:
    """Streams, errors, plain text and PNG pictures; every other kind of output is dropped."""
    kept = []
    for output in outputs:
        kind = output.get("output_type")
        if kind == "stream" and output.get("name") in STREAMS:
            kept.append(
                nbformat.v4.new_output("stream", name=output["name"], text=_quiet(output["text"]))
            )
        elif kind == "error":
            fields = {key: _quiet(str(output.get(key, ""))) for key in ("ename", "evalue")}
            trace = [_quiet(str(line)) for line in output.get("traceback", [])]
            kept.append(nbformat.v4.new_output("error", traceback=trace, **fields))
        elif kind in ("display_data", "execute_result"):
            data = _data(output.get("data", {}))
            if data:
                kept.append(nbformat.v4.new_output("display_data", data=data))
    return kept


def _quiet(value: Any) -> str:
    """Text without terminal escapes (nbconvert takes quadratic time for them)."""
    return ESCAPES.sub("", _text(value))


def _data(bundle: Mapping[str, Any]) -> dict[str, str]:
    data = {"text/plain": _quiet(bundle["text/plain"])} if "text/plain" in bundle else {}
    if "image/png" in bundle:
        try:
            picture = base64.b64decode("".join(_text(bundle["image/png"]).split()), validate=True)
        except (binascii.Error, ValueError):
            return data
        if picture.startswith(b"\x89PNG\r\n\x1a\n"):
            data["image/png"] = base64.b64encode(picture).decode()
    return data


def _points(exercise: "ExerciseResult") -> NotebookNode:
    """The output of a check cell: points as nbgrader reads them, the message as a page shows it."""
    data = {"text/plain": f"{exercise.points:g}", "text/html": message_html(exercise)}
    output: NotebookNode = nbformat.v4.new_output("execute_result", data=data, execution_count=1)
    return output


def message_html(exercise: "ExerciseResult") -> str:
    """What the author of an answer is told, escaped: points, and each property with its hint."""
    rows = "".join(
        f"<li>{'✓' if case.passed else '✗'} {html.escape(case.property)}"
        + (f": <b>{html.escape(case.message)}</b></li>" if case.message else "</li>")
        for case in exercise.cases
    )
    told_below = {case.message for case in exercise.cases}
    said = "" if exercise.message in told_below else exercise.message
    told = f"<p>{html.escape(said)}</p>" if said else ""
    table = f"<ul style='list-style: none'>{rows}</ul>" if rows else ""
    head = f"<p><b>{html.escape(_earned(exercise))}</b></p>"
    return f"<div class='tex2jax_ignore'>{head}{told}{table}</div>"


def _earned(exercise: "ExerciseResult") -> str:
    return f"{exercise.name}: {exercise.points:g} of {exercise.max_points:g} points"


def class_table(unit: Unit, graded: Sequence["Graded"], scores: Mapping[str, "Scores"]) -> str:
    """Students by exercises, with the state of each submission; notices and errors stand below."""
    exercises = unit.info.exercises
    header = ["student", *(str(i) for i in range(1, len(exercises) + 1)), "auto", "total", "state"]
    rows = [header]
    for entry in sorted(graded, key=lambda g: g.student):
        points = {e.name: e.points for e in entry.result.exercises}
        book = scores.get(entry.student)
        state = entry.result.state
        if state == "graded" and book is not None and book.needs_manual_grade:
            state = "graded; written answer to read"
        infrastructure = entry.result.state == "infrastructure"
        cells = [f"{points.get(e.id, 0):.4g}" if not infrastructure else "?" for e in exercises]
        auto = "?" if infrastructure else f"{sum(points.values()):.4g}"
        total = f"{book.score:.4g}" if book is not None else "?"
        rows.append([printable(entry.student), *cells, auto, total, state])
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    lines = [f"{unit.slug}: {unit.info.title}"]
    for row in rows:
        middle = (cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True))
        lines.append("  ".join([row[0].ljust(widths[0]), *middle, row[-1]]))
    legend = ", ".join(f"{i} {e.id} ({e.points})" for i, e in enumerate(exercises, 1))
    lines.append(f"exercises (points): {legend}; total counts what is graded by hand and penalties")
    for entry in sorted(graded, key=lambda g: g.student):
        lines += [
            f"  {printable(entry.student)}: {printable(notice)}" for notice in entry.result.notices
        ]
    return "\n".join(lines)


def printable(text: str) -> str:
    """Text that cannot move the cursor or colour a terminal.

    >>> printable("ann\\x1b[31m")
    'ann\\\\x1b[31m'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def write_feedback(room: "Classroom", slug: str, students: Iterable[str]) -> list[str]:
    """Run nbgrader's generate_feedback for these students; returns those who got no page.

    nbgrader takes ids for patterns, so one with `*`, `?` or `[` in it gets none.
    """
    from nbgrader.converters import GenerateFeedback, NbGraderException

    failed = []
    for student in students:
        coursedir = room.nbgrader_directory(slug, glob.escape(student))
        converter = GenerateFeedback(coursedir=coursedir, config=room.config)
        converter.force = True
        converter.log.setLevel(logging.ERROR)
        try:
            converter.start()
        except NbGraderException:
            failed.append(student)
    return failed


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
