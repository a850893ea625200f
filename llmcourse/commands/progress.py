"""What a learner has solved: read from a notebook's cells, or found out by running its checks.

`read` looks at the file alone: a cell that still raises the stub's error is not begun.
`check` runs the notebook's cells up to the last check in a fresh kernel at preset smoke, without
the demonstrations and without stopping at errors, and reads each check's verdict. Visible checks
are not the grade, which comes from hidden tests on other inputs.
"""

import json
import re
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmcourse.commands.notebook import NotebookProcess
from llmcourse.commands.outcome import text_of
from llmcourse.commands.run import Interrupted, RunError, UsageError, interrupts
from llmcourse.notebook_file import FILE_BYTES, NotebookError, clean_cell, parse_notebook

STUB = 'raise NotImplementedError("your turn")'
WRITTEN_STUB = "*Your answer here.*"
SECONDS_A_CELL = 60
COPIES = 20  # notebooks beside the learner's own that `better_copy` reads at most
HEADING = re.compile(
    r"### Exercise: (?P<title>.+)\n\n`(?P<id>\w+)` · (?P<points>\d+) points · "
    r"about (?P<minutes>\d+) minutes"
)


@dataclass
class Exercise:
    """One exercise of a learner's notebook."""

    id: str
    title: str
    points: int
    minutes: int
    state: str  # missing | not begun | written | passed | not solved yet | not right yet
    message: str = ""  # what the check says, where it did not pass

    @property
    def passed(self) -> bool:
        """The visible check was run and passed."""
        return self.state == "passed"


@dataclass
class Unit:
    """A learner's notebook."""

    slug: str
    path: Path
    notebook: dict[str, Any]
    exercises: list[Exercise]

    @property
    def points(self) -> int:
        """Points of the exercises that can be checked; the written answer is not among them."""
        return sum(exercise.points for exercise in self.exercises)

    @property
    def begun(self) -> bool:
        """Something in it is no longer as it was released."""
        return any(exercise.state != "not begun" for exercise in self.exercises)


def read(path: Path, slug: str = "") -> Unit:
    """Read a learner's notebook; `slug` is the unit it should be of, if that is known.

    Raises RunError, one line, for a file that cannot be read or is of another unit.
    """
    try:
        with path.open("rb") as file:
            notebook = parse_notebook(file.read(FILE_BYTES + 1))
    except FileNotFoundError:
        raise RunError(f"no notebook {path}: name yours with --notebook") from None
    except OSError as error:
        raise RunError(
            f"cannot read {path} ({error.strerror}): make it readable, or name another with "
            "--notebook"
        ) from None
    except NotebookError as error:
        raise RunError(f"{path} is not a notebook of this course: {error}") from None
    cells = [cell for item in notebook["cells"] if (cell := clean_cell(item))]
    metadata = notebook.get("metadata")
    about = metadata.get("llmcourse") if isinstance(metadata, dict) else None
    found = about.get("unit") if isinstance(about, dict) else slug
    if slug and found != slug:
        raise RunError(
            f"{path} is a notebook of {found}, not of {slug}: name the right one with --notebook"
        )
    try:
        told = [(e["id"], e["title"], e["points"], e["minutes"]) for e in about["exercises"]]
    except (KeyError, TypeError):  # notebook metadata are gone: the headings say the same
        told = [facts for cell in cells if (facts := _heading(cell))]
    if not told or not isinstance(found, str):
        raise RunError(
            f"{path} is not a notebook of this course: it has no exercises; copy your answers into "
            "a fresh one from course/"
        )
    exercises = [Exercise(*facts, _state(cells, facts[0])) for facts in told]
    return Unit(found, path, notebook | {"cells": cells}, exercises)


def better_copy(unit: Unit) -> str:
    """Return a line about a copy beside the notebook in which more is written, "" without one."""
    mine = sum(one.state == "written" for one in unit.exercises)
    for path in sorted(unit.path.parent.glob("*.ipynb"))[:COPIES]:
        with suppress(RunError):
            more = sum(one.state == "written" for one in read(path, unit.slug).exercises)
            if more > mine:
                return (
                    f"{path.name} has {more} answers, {unit.path.name} {mine}: hand in the one you "
                    f"worked in, as {unit.path.name}"
                )
    return ""


def _heading(cell: dict[str, Any]) -> tuple[str, str, int, int] | None:
    """Return the id, title, points and minutes of the exercise that a text cell begins."""
    match = HEADING.match(cell["source"]) if cell["cell_type"] == "markdown" else None
    return match and (match["id"], match["title"], int(match["points"]), int(match["minutes"]))


def _state(cells: list[dict[str, Any]], exercise: str) -> str:
    found = [cell["source"] for cell in _cells(cells, exercise)]
    if not found:
        return "missing"
    return "written" if any(STUB not in s and s.strip() for s in found) else "not begun"


def _cells(cells: list[dict[str, Any]], exercise: str) -> list[dict[str, Any]]:
    """Return the solution cell of an exercise, or all parts of one that was split.

    Without metadata, these are the cells that define the exercise's name.
    """
    found = _named(cells, exercise)
    define = re.compile(rf"^(?:async )?(?:def|class) +{re.escape(exercise)}\b", re.MULTILINE)
    return found or [c for c in cells if c["cell_type"] == "code" and define.search(c["source"])]


def _check_cell(cells: list[dict[str, Any]], exercise: str) -> dict[str, Any] | None:
    call = f"check.{exercise}({exercise})"
    found = _named(cells, f"{exercise}_check")
    found = found or [c for c in cells if c["cell_type"] == "code" and call in c["source"]]
    return found[-1] if found else None


def _named(cells: list[dict[str, Any]], grade_id: str) -> list[dict[str, Any]]:
    return [c for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id]


def check(unit: Unit) -> None:
    """Run the unit's visible checks and put their verdicts into its exercises.

    Raises RunError if the notebook cannot be run, Interrupted after a signal. Needs a few seconds.
    """
    with tempfile.TemporaryDirectory(prefix="llmcourse-") as folder, interrupts() as caught:
        source, executed = Path(folder, "notebook.ipynb"), Path(folder, "executed.ipynb")
        source.write_text(json.dumps(_cells_to_check(unit)), encoding="utf-8")
        process = NotebookProcess(
            source,
            executed,
            {"preset": "smoke", "device": "cpu", "seed": 0},
            allow_errors=True,
            execution_timeout=SECONDS_A_CELL,
            interrupt_on_timeout=True,
        )
        try:
            while not process.poll() and not caught:
                time.sleep(0.05)
        finally:
            process.stop()
        if caught:
            raise Interrupted(caught[0])
        if not executed.exists():
            last = process.outcome.get("source", "").strip().splitlines()[:1]
            where = f" in the cell that begins {last[0]!r}" if last else ""
            raise RunError(f"{unit.path} did not run: {process.outcome['message']}{where}")
        cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
        cells = [cell | {"source": text_of(cell["source"])} for cell in cells]
    for exercise in unit.exercises:
        _judge(exercise, cells)


def _cells_to_check(unit: Unit) -> dict[str, Any]:
    """Return the code of the notebook up to its last check, without demonstrations.

    Ids and all metadata but nbgrader's and tags are left out, so that every tool reads the result.
    """
    mine = unit.notebook["cells"]
    checks = [_check_cell(mine, exercise.id) for exercise in unit.exercises]
    kept, last = [], 0
    for cell in mine:
        if cell["cell_type"] != "code" or "demo" in cell["metadata"]["tags"]:
            continue
        fields = {key: cell[key] for key in ("cell_type", "source", "metadata")}
        kept.append(fields | {"outputs": [], "execution_count": None})
        if any(cell is check for check in checks):
            last = len(kept)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": kept[:last]}


def _judge(exercise: Exercise, cells: list[dict[str, Any]]) -> None:
    """Set state and message of one exercise from the outputs of its check."""
    answers, verdict = _cells(cells, exercise.id), _check_cell(cells, exercise.id)
    if not answers or verdict is None:
        exercise.state = "missing"
        exercise.message = "its cells are gone: copy them from a fresh notebook"
        return
    told = "".join(map(_shown, verdict["outputs"])).strip().removeprefix(f"{exercise.id}: ")
    outputs = [output for cell in (*answers, verdict) for output in cell["outputs"]]
    error = next((output for output in outputs if "ename" in output), None)
    states = ("passed", "not solved yet")
    exercise.state = next((s for s in states if told.startswith(s)), "not right yet")
    if told == "not solved yet":
        return
    if error is not None:
        slow = error["ename"] == "KeyboardInterrupt"
        reason = f"{error['ename']}: {error['evalue']}"
        limit = f"took longer than {SECONDS_A_CELL} s: is there a loop that never ends?"
        exercise.state, exercise.message = "not right yet", limit if slow else reason
    elif not exercise.passed:
        said = told.removeprefix(exercise.state).removeprefix(". ").splitlines()
        kept = [
            line.strip().removeprefix("hint: ")
            for line in said
            if not line.startswith(("  call:", "  note:"))
        ]
        exercise.message = " ".join(kept) if told else "the check printed nothing"


def _shown(output: dict[str, Any]) -> str:
    """Return the text of an output: what was printed, or the text form of what was displayed."""
    return text_of(output.get("text", "")) + text_of(output.get("data", {}).get("text/plain", ""))


def table(unit: Unit) -> str:
    """Return the unit's exercises as lines for a terminal: state, points, and what the check says.

    A unit that is not begun is one line.
    """
    if not unit.begun:
        return f"{unit.slug}: not begun ({len(unit.exercises)} exercises, {unit.points} points)"
    width = max((len(exercise.id) for exercise in unit.exercises), default=0)
    lines = [f"{unit.slug}"]
    for one in unit.exercises:
        message = f"  {one.message}" if one.message else ""
        lines.append(f"  {one.id:<{width}}  {one.points:3} points  {one.state}{message}")
    return "\n".join(lines)


def summary(units: list[Unit], checked: bool) -> str:
    """Return how much is done over all units, in one line."""
    exercises = [exercise for unit in units for exercise in unit.exercises]
    done = [e for e in exercises if (e.passed if checked else e.state == "written")]
    points = f"{sum(e.points for e in done)} of {sum(e.points for e in exercises)} points"
    verb = "pass their visible checks" if checked else "have an answer written"
    return f"{len(done)} of {len(exercises)} exercises {verb} ({points})"


def next_steps(units: list[Unit], checked: bool) -> list[str]:
    """Return what to do now, a line each: what can be checked or handed in, then the next exercise.

    checked: whether the visible checks were run; if not, the states are those of the file.
    """
    lines = []
    for unit in units:
        if checked and all(exercise.passed for exercise in unit.exercises):
            lines.append(_hand_in(unit))
        elif not checked and all(exercise.state == "written" for exercise in unit.exercises):
            lines.append(f"next: llmcourse check {unit.slug[:2]}   (every exercise is written)")
    unsolved = [
        (unit, one)
        for unit in sorted(units, key=lambda unit: not unit.begun)  # what is begun, first
        for one in unit.exercises
        if not one.passed and (checked or one.state != "written")
    ]
    if unsolved:
        unit, one = unsolved[0]
        about = f"{one.title}; {one.points} points, about {one.minutes} minutes"
        lines.append(f"next: `{one.id}` in {_near(unit.path)} ({about})")
    return lines


def _near(path: Path) -> Path:
    """Return the path as seen from the working directory, if it lies in it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _hand_in(unit: Unit) -> str:
    """Return the file to hand in, and whether its written answer is there."""
    line = f"hand in: {_near(unit.path)}, saved, under this name"
    for cell in unit.notebook["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "markdown" and about.get("grade"):
            answer = f"your written answer `{about['grade_id']}` ({about['points']} points)"
            if WRITTEN_STUB in text_of(cell["source"]):
                return f"{line}; before that, write {answer}: a person reads it"
            line += f"; {answer} is in it, and a person reads it"
    return line


def course_notebooks(folder: Path) -> list[Path]:
    """Return learners' notebooks `folder/NN_slug/NN_slug.ipynb` in order; UsageError if none.

    Appendices have no exercises and are left out.
    """
    found = sorted(p for p in folder.glob("[0-9][0-9]_*/*.ipynb") if p.stem == p.parent.name)
    if not found:
        raise UsageError(
            f"no notebooks in {folder}: expected NN_slug/NN_slug.ipynb there; get a fresh copy of "
            "the course"
        )
    return found
