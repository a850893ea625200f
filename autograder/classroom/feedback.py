"""What a learner and a marker see of one submission: autograded notebook and feedback page.

Everything a learner wrote or printed is made harmless here, once, before nbgrader shows it to
anybody: of outputs only plain text and PNG pictures are kept, raw HTML in a written answer has no
effect, messages of the hidden tests are escaped. Scores in the pages are the gradebook's.
"""

import base64
import binascii
import contextlib
import errno
import hashlib
import html
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode
from nbgrader.converters import GenerateFeedback, NbGraderException

from autograder import figures
from autograder.classroom.feedback_page import OPENING
from autograder.course import Unit
from autograder.errors import AutograderError
from autograder.sandbox.forks import in_forks

if TYPE_CHECKING:
    from autograder.classroom.room import Classroom
    from autograder.grading.result import ExerciseResult, Result

CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
SOURCE_CHARACTERS, CELL_CHARACTERS, LINE_CHARACTERS = 200_000, 50_000, 1_000  # shown of a learner
ESCAPES = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~])?")  # colours, cursor
STREAMS = ("stdout", "stderr")
PAGES, PAGE_SECONDS = 16, 30.0  # made in one process; processor time for each


def autograded_notebook(unit: Unit, result: "Result") -> NotebookNode:
    """Return the notebook nbgrader shows: released text, the learner's work, points in checks.

    Only the order of the cells, the learner's sources and plain outputs are taken from the result;
    metadata and every other source are the released ones.
    """
    released = {cell["id"]: cell for cell in unit.released["cells"]}
    points = {f"{exercise.name}_check": exercise for exercise in result.exercises}
    cells, room = [_opening(unit, result)], SOURCE_CHARACTERS
    for cell in (result.notebook or unit.released)["cells"]:
        original = released.get(cell.get("id"))
        shown = _cell(cell, original, room, unit.figures)
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


def _opening(unit: Unit, result: "Result") -> NotebookNode:
    """Return a first cell: state of the submission, the grader's notices, what exercises lack."""
    state = "could not be read" if result.state == "unreadable" else "was graded in a sandbox"
    notices = "".join(f"<li>{_one_line(notice)}</li>" for notice in result.notices)
    text = f"<p>This submission {state}.</p>" + (f"<ul>{notices}</ul>" if notices else "")
    first = {f"{e.name}_check": e.message for e in result.exercises if e.points < e.max_points}
    return NotebookNode(
        id=OPENING,
        cell_type="markdown",
        metadata=NotebookNode(first=NotebookNode(first)),  # for the page, which shows marks, too
        source=f"<div class='tex2jax_ignore'>{text}{_overview(unit, result)}</div>",
    )


def _overview(unit: Unit, result: "Result") -> str:
    """Return a table with a row an exercise: a link to its check, points, what to mend first."""
    if not result.exercises:
        return ""
    written = unit.info.written
    rows = [
        "<tr><th>exercise</th><th>points</th><th>to mend first</th></tr>",
        *map(_overview_row, result.exercises),
        f"<tr><td><a href='#{written.id}'>{written.id}</a></td><td>of {written.points}</td>"
        "<td>graded by hand; counts 0 until a person has read it</td></tr>",
    ]
    return f"<table class='table table-condensed' style='width: auto'>{''.join(rows)}</table>"


def _overview_row(exercise: "ExerciseResult") -> str:
    name, points, most = exercise.name, exercise.points, exercise.max_points
    first = _one_line(exercise.message) if points < most else ""
    link = f"<a href='#{name}_check'>{name}</a>"
    return f"<tr><td>{link}</td><td>{points:g} of {most:g}</td><td>{first}</td></tr>"


def _one_line(text: str) -> str:
    """Escape a text, without the blank line after which markdown would be read again."""
    return html.escape(" ".join(text.split()))


def _nbgrader(cell: Mapping[str, Any]) -> dict[str, Any]:
    return dict(cell["metadata"].get("nbgrader", {}))


def _cell(
    cell: Mapping[str, Any],
    original: Mapping[str, Any] | None,
    room: int,
    drawings: Mapping[str, str],
) -> NotebookNode:
    """Return one cell with released metadata, and text and outputs that have no active content.

    room: how many characters of learners' text may still be shown; drawings: the released ones.
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
    if kind == "markdown" and not learners:
        node.source, attached = figures.attach(source, drawings)
        node |= {"attachments": attached} if attached else {}
    if kind == "code":
        count = cell.get("execution_count")
        node.execution_count = count if type(count) is int else None
        node.outputs = harmless(cell.get("outputs", []))
    return node


def shortened(source: str, room: int) -> str:
    """Return a learner's text up to a length, since making a page takes quadratic time in it.

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
    """Return a text, which notebook files hold as a string or as a list of lines."""
    return value if isinstance(value, str) else "".join(map(str, value))


def defused(markdown: str) -> str:
    """Return a learner's markdown without effective HTML tags, links, pictures and TeX commands.

    A space is put inside such syntax, so that text, formulas and code stay readable.

    >>> defused("if a<b: <script>alert(1)</script> [x](javascript:alert(2))")
    'if a< b: < script>alert(1)< /script> [x] (javascript:alert(2))'
    """
    text = re.sub(r"<(?=[A-Za-z/!?])", "< ", markdown)
    text = re.sub(r"\](?=[(:])", "] ", text)
    text = re.sub(r"(https?):(?=//)", r"\1: ", text, flags=re.IGNORECASE)  # would become a link
    return re.sub(r"\\(?=(href|url|style|class|cssId|require|html\w*|unicode)\b)", r"\\ ", text)


def harmless(outputs: Any) -> list[NotebookNode]:
    """Keep streams, errors, plain text and PNG pictures; drop every other kind of output."""
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
    """Return text without terminal escapes (nbconvert takes quadratic time for them)."""
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
    """Return a check cell's output: points as nbgrader reads them, the message for a page."""
    data = {"text/plain": f"{exercise.points:g}", "text/html": message_html(exercise)}
    output: NotebookNode = nbformat.v4.new_output("execute_result", data=data, execution_count=1)
    return output


def message_html(exercise: "ExerciseResult") -> str:
    """Return what the learner is told about an exercise, escaped: points, properties, hints."""
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


def write_feedback(
    room: "Classroom", slug: str, students: Iterable[str], workers: int = 1
) -> list[str]:
    """Run nbgrader's generate_feedback for these students and return those who got no page.

    Old pages are removed first, so that a page that exists is new. Holds the lock of `writing`.
    workers: processes at a time, each of which makes up to `PAGES` pages.
    """
    names = list(students)
    pages = {name: room.folder("feedback", name, slug) / f"{slug}.html" for name in names}
    size = max(1, min(PAGES, -(-len(names) // workers)))
    parts = [names[start : start + size] for start in range(0, len(names), size)]
    with room.writing():
        for page in pages.values():
            page.unlink(missing_ok=True)
        make = partial(_make_pages, room, slug)
        for done in in_forks(make, parts, workers=workers, cpu_seconds=_page_seconds):
            if done.value:
                where = room.folder("feedback", "STUDENT", slug)
                raise AutograderError(
                    f"cannot write pages to {where}: expected room on the disk, got {done.value}; "
                    "grades are kept: make room, then run the same command again"
                )
        return [name for name, page in pages.items() if not page.exists()]


def _page_seconds(students: Sequence[str]) -> float:
    return PAGE_SECONDS * len(students)


def _make_pages(room: "Classroom", slug: str, students: Sequence[str]) -> str | None:
    """Make the pages that can be made; return the error of the disk, if there was one."""
    converter = _Feedback(coursedir=room.nbgrader_directory(slug, "*"), config=room.config)
    converter.folders = [room.folder("autograded", student, slug) for student in students]
    converter.force = True
    converter.log.setLevel(logging.ERROR)
    with contextlib.suppress(NbGraderException):  # raised at the end, when all have been tried
        converter.start()
    return converter.unwritten.strerror if converter.unwritten else None


class _Feedback(GenerateFeedback):  # type: ignore[misc]  # nbgrader carries no types
    """nbgrader's converter, for given folders instead of patterns.

    By itself it takes an id with `*` or `[` for a pattern, so its page would not be made, and it
    does not tell a full disk from any other error.
    """

    folders: Sequence[Path]
    unwritten: OSError | None = None  # why a page could not be written

    def init_notebooks(self) -> None:
        """Set the notebooks, which it would find by pattern."""
        self.assignments = {str(f): [str(f / f"{f.name}.ipynb")] for f in self.folders}

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Make the folder of a page, and note an error of the disk."""
        with self._noting():
            super().init_assignment(assignment_id, student_id)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Make a page, and note an error of the disk."""
        with self._noting():
            super().convert_single_notebook(notebook_filename)

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                self.unwritten = error
            raise
