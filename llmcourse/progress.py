"""What a learner has solved: read from a notebook's cells, or found out by running its checks.

`read` looks at the file alone: a cell that still raises the stub's error is not begun.
`check` runs the notebook's cells up to the last check in a fresh kernel at preset smoke, without
the demonstrations, going on after errors, and takes each check's verdict. Visible checks are not
the grade: hidden tests on other inputs give that.
"""

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmcourse.run import Interrupted, RunError, UsageError, interrupts
from llmcourse.run_notebook import NotebookProcess
from llmcourse.run_outcome import text_of

STUB = 'raise NotImplementedError("your turn")'
SECONDS_A_CELL = 60


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


def read(path: Path, slug: str = "") -> Unit:
    """Read a learner's notebook; `slug` is the unit it should be of, if that is known.

    Raises RunError, one line, for a file that cannot be read or is of another unit.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        about = notebook["metadata"]["llmcourse"]
        cells = notebook["cells"]
        found = about["unit"]
        exercises = [
            Exercise(e["id"], e["title"], e["points"], e["minutes"], _state(cells, e["id"]))
            for e in about["exercises"]
        ]
    except FileNotFoundError:
        raise RunError(f"no notebook {path}: name yours with --notebook") from None
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{path} is not a notebook of this course ({type(error).__name__}: {error}): "
            "copy your answers into a fresh one from course/"
        ) from None
    if slug and found != slug:
        raise RunError(f"{path} is a notebook of {found}, not of {slug}")
    return Unit(found, path, notebook, exercises)


def _state(cells: list[dict[str, Any]], exercise: str) -> str:
    cell = _cell(cells, exercise)
    if cell is None:
        return "missing"
    return "not begun" if STUB in text_of(cell["source"]) else "written"


def _cell(cells: list[dict[str, Any]], grade_id: str) -> dict[str, Any] | None:
    for cell in cells:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id:
            return cell
    return None


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
    for exercise in unit.exercises:
        _judge(exercise, cells)


def _cells_to_check(unit: Unit) -> dict[str, Any]:
    """The notebook as far as its last check, without demonstrations and old outputs."""
    checks = {f"{exercise.id}_check" for exercise in unit.exercises}
    kept, last = [], 0
    for cell in unit.notebook["cells"]:
        if cell["cell_type"] != "code" or "demo" in cell["metadata"].get("tags", []):
            continue
        kept.append(cell | {"outputs": [], "execution_count": None})
        if cell["metadata"].get("nbgrader", {}).get("grade_id") in checks:
            last = len(kept)
    return unit.notebook | {"cells": kept[:last]}


def _judge(exercise: Exercise, cells: list[dict[str, Any]]) -> None:
    """Read the verdict on one exercise from the outputs of its check, or say why there is none."""
    answer, verdict = _cell(cells, exercise.id), _cell(cells, f"{exercise.id}_check")
    if answer is None or verdict is None:
        exercise.state = "missing"
        exercise.message = "its cells are gone: copy them from a fresh notebook"
        return
    told = "".join(map(_shown, verdict["outputs"])).strip().removeprefix(f"{exercise.id}: ")
    error = next((o for o in answer["outputs"] + verdict["outputs"] if "ename" in o), None)
    states = ("passed", "not solved yet")
    exercise.state = next((s for s in states if told.startswith(s)), "not right yet")
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
    """The text of an output: what was printed, or the text form of what was displayed."""
    return text_of(output.get("text", "")) + text_of(output.get("data", {}).get("text/plain", ""))


def table(unit: Unit) -> str:
    """The unit's exercises as lines for a terminal: state, points, and what the check says."""
    width = max((len(exercise.id) for exercise in unit.exercises), default=0)
    lines = [f"{unit.slug}"]
    for one in unit.exercises:
        message = f"  {one.message}" if one.message else ""
        lines.append(f"  {one.id:<{width}}  {one.points:3} points  {one.state}{message}")
    return "\n".join(lines)


def summary(units: list[Unit], checked: bool) -> str:
    """How much is done over all units, in one line."""
    exercises = [exercise for unit in units for exercise in unit.exercises]
    done = [e for e in exercises if (e.passed if checked else e.state == "written")]
    points = f"{sum(e.points for e in done)} of {sum(e.points for e in exercises)} points"
    verb = "pass their visible checks" if checked else "have an answer written"
    return f"{len(done)} of {len(exercises)} exercises {verb} ({points})"


def course_notebooks(folder: Path) -> list[Path]:
    """Learners' notebooks `folder/NN_slug/NN_slug.ipynb` in course order; UsageError if none.

    Appendices have no exercises and are left out.
    """
    found = sorted(p for p in folder.glob("[0-9][0-9]_*/*.ipynb") if p.stem == p.parent.name)
    if not found:
        raise UsageError(f"no notebooks in {folder}: expected NN_slug/NN_slug.ipynb there")
    return found
