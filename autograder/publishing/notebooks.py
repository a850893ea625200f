"""From the source of a unit to what learners get: `.py`, executed `.ipynb`, `course/`.

People edit `solutions/NN_slug/NN_slug.py` (jupytext percent) and `unit.toml` beside it.
`expand` makes a notebook of the two: cell options (`exercise=`, `check=`, `question=`,
`written=`) become nbgrader metadata, headings with points, hint ladders and quick checks.
`build` executes it, `release` lets nbgrader strip solutions and outputs.
"""

import base64
import hashlib
import io
import json
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder import figures
from autograder.course import ExerciseInfo, UnitInfo, appendices, read_info
from autograder.errors import AutograderError
from autograder.files import write_durably
from autograder.grading.candidates import is_companion
from autograder.publishing import planting
from llmcourse.commands.notebook import asked_to_exit

# What a choice may not hold: some programs read a <summary> as HTML and others as markdown.
NOT_PLAIN = re.compile(
    r"[<>&$`\\\n\r]"  # HTML, formulas, code, escapes
    r"|\*\S|\S\*|~~"  # emphasis
    r"|(?<!\w)_+[^\s_]|[^\s_]_+(?!\w)"  # the same by underscores, not inside a_name
    r"|!?\[[^\]]*\][(\[]|https?://|^\s*$"  # links; empty
)


def expand(root: Path, slug: str) -> NotebookNode:
    """Return the unit as a notebook without outputs: percent source plus `unit.toml`.

    An appendix is its source alone. Needs jupytext (extra `dev`). Raises AutograderError for an
    exercise without its three cells.
    """
    import jupytext

    source = root / "solutions" / slug / f"{slug}.py"
    if not source.is_file():
        raise AutograderError(f"no {source}: a unit's notebook is written there")
    notebook: NotebookNode = jupytext.read(source, fmt="py:percent")
    exercises = () if slug in appendices(root) else _render_unit(notebook.cells, root, slug)
    seen: set[str] = set()
    for cell in notebook.cells:
        cell.metadata.pop("lines_to_next_cell", None)  # jupytext's note to itself
        cell.id = _cell_id(slug, cell, seen)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    notebook.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
        llmcourse={
            "unit": slug,
            "code_hash": hashlib.sha256(json.dumps(code).encode()).hexdigest(),
            "exercises": [
                {
                    "id": e.id,
                    "title": e.title,
                    "points": e.points,
                    "minutes": e.minutes,
                    "difficulty": e.difficulty,
                }
                for e in exercises
            ],
        },
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def _render_unit(cells: list[NotebookNode], root: Path, slug: str) -> tuple[ExerciseInfo, ...]:
    """Put what `unit.toml` says into the cells."""
    info = read_info(root, slug)
    _render_opening(cells, info)
    for cell in cells:
        _render(cell, info)
    _check_complete(cells, info)
    return info.exercises


def _render_opening(cells: list[NotebookNode], info: UnitInfo) -> None:
    minutes = info.minutes
    needs = ", ".join(info.prerequisites) or "none"
    head = "| before this unit | your time | computer time (CPU, GPU) | points |\n|---|---|---|---|"
    row = [
        needs,
        f"about {minutes['learner']} minutes",
        f"{minutes['cpu']} min, {minutes['gpu']} min",
        f"{info.points} ({len(info.exercises)} exercises, 1 written answer)",
    ]
    cells[0].source += f"\n\n{head}\n| {' | '.join(row)} |"


def _render(cell: NotebookNode, info: UnitInfo) -> None:
    """Turn a cell's course options into nbgrader metadata and text."""
    options = {key: cell.metadata.pop(key) for key in list(cell.metadata) if key in _RENDERERS}
    for key, name in options.items():
        _RENDERERS[key](cell, name, info)


def _exercise(cell: NotebookNode, name: str, info: UnitInfo) -> None:
    about = _named(info.exercises, name, info)
    if cell.cell_type == "code":
        _nbgrader(cell, name, solution=True)
        return
    stars = "●" * about.difficulty + "○" * (3 - about.difficulty)
    facts = f"`{name}` · {about.points} points · about {about.minutes} minutes · {stars}"
    levels = ("the idea", "the step", "nearly code")
    hints = "\n".join(
        f"<details><summary>Hint {i}: {level}</summary>\n\n{hint.strip()}\n\n</details>"
        for i, (level, hint) in enumerate(zip(levels, about.hints, strict=True), 1)
    )
    # As a quotation, beside which every program that shows notebooks draws a line.
    task = "\n".join(f"> {line}".rstrip() for line in cell.source.splitlines())
    cell.source = f"### Exercise: {about.title}\n\n{facts}\n\n{task}\n\n{hints}"


def _check(cell: NotebookNode, name: str, info: UnitInfo) -> None:
    _nbgrader(
        cell,
        f"{name}_check",
        grade=True,
        locked=True,
        points=_named(info.exercises, name, info).points,
    )


def _question(cell: NotebookNode, name: str, info: UnitInfo) -> None:
    question = _named(info.questions, name, info)
    for choice in question.choices:
        if found := NOT_PLAIN.search(choice.text):
            raise AutograderError(
                f"{info.slug}: quick check {name!r}: expected a choice in plain words, since "
                f"{found[0]!r} breaks a summary in pages, got {choice.text[:60]!r}: put formulas "
                "and code into the question or into `because`"
            )
    # A hash of the text decides the order: authors tend to write the right choice second.
    shuffled = sorted(question.choices, key=lambda c: hashlib.sha256(c.text.encode()).digest())
    choices = "\n".join(
        f"<details><summary>{letter}. {choice.text}</summary>\n\n"
        f"{'✓ Right.' if choice.right else '✗ Not this one.'} {choice.because}\n\n</details>"
        for letter, choice in zip("ABCDEFG", shuffled, strict=False)
    )
    cell.source = f"**Quick check.** {question.text} Choose one, then open it.\n\n{choices}"


def _written(cell: NotebookNode, name: str, info: UnitInfo) -> None:
    written = info.written
    if written.id != name:
        raise AutograderError(
            f"{info.slug}: a cell names the written answer {name!r}, unit.toml has {written.id!r}: "
            "give both one name"
        )
    _nbgrader(cell, name, grade=True, solution=True, points=written.points)
    facts = f"{written.points} points, graded by hand · about {written.minutes} minutes"
    cell.source = f"### In your own words: {written.title}\n\n{facts}\n\n{cell.source}"


_RENDERERS: dict[str, Callable[[NotebookNode, str, UnitInfo], None]] = {
    "exercise": _exercise, "check": _check, "question": _question, "written": _written,
}  # fmt: skip


def _named(entries: tuple[Any, ...], name: str, info: UnitInfo) -> Any:
    for entry in entries:
        if entry.id == name:
            return entry
    raise AutograderError(
        f"{info.slug}: a cell names {name!r}, which unit.toml does not have: add it, or mend the "
        "name"
    )


def _nbgrader(
    cell: NotebookNode,
    grade_id: str,
    *,
    grade: bool = False,
    solution: bool = False,
    locked: bool = False,
    points: int | None = None,
) -> None:
    cell.metadata["nbgrader"] = {
        "grade": grade, "grade_id": grade_id, "locked": locked, "schema_version": 3,
        "solution": solution, "task": False, **({} if points is None else {"points": points}),
    }  # fmt: skip


def _check_complete(cells: list[NotebookNode], info: UnitInfo) -> None:
    found = [c.metadata["nbgrader"]["grade_id"] for c in cells if "nbgrader" in c.metadata]
    wanted = [f"{e.id}{suffix}" for e in info.exercises for suffix in ("", "_check")] + [
        info.written.id
    ]
    if sorted(found) != sorted(wanted):
        odd = sorted(set(found) ^ set(wanted)) or sorted(n for n in found if found.count(n) > 1)
        raise AutograderError(
            f"{info.slug}: each exercise needs one solution and one check cell; look at {odd}"
        )


def _cell_id(slug: str, cell: NotebookNode, seen: set[str]) -> str:
    """Return an id that edits of other cells do not change: a hash of grade_id or source."""
    key = cell.metadata.get("nbgrader", {}).get("grade_id") or cell.source
    while (digest := hashlib.sha256(f"{slug}:{key}".encode()).hexdigest()[:12]) in seen:
        key += "+"
    seen.add(digest)
    return digest


def build(root: Path, slug: str) -> Path:
    """Draw and execute the unit at preset cpu, seed 0; write `solutions/NN_slug/NN_slug.ipynb`.

    A cell tagged `raises-exception` may raise, as in `llmcourse run` and nbval. Raises
    AutograderError, with the cell, when another fails, ends the kernel, or a claim does not hold.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, CellExecutionError, DeadKernelError

    notebook = expand(root, slug)
    figures.write(root, slug)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            record_timing=False,
            coalesce_streams=True,
        )
        started: list[int] = []
        client.on_cell_start = lambda cell, cell_index: started.append(cell_index)

        def executed(cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
            if asked_to_exit(execute_reply):
                raise AutograderError(
                    _failed_cell(notebook, slug, started, "the end of the kernel")
                )

        client.on_cell_executed = executed
        language = dict(notebook.metadata.language_info)
        try:
            client.execute(env=_build_environment(root))
        except (CellControlSignal, DeadKernelError) as error:
            said = (
                f"{error.ename}: {error.evalue}" if isinstance(error, CellExecutionError) else error
            )
            raise AutograderError(_failed_cell(notebook, slug, started, str(said))) from None
    notebook.metadata.language_info = language  # the kernel's own names this Python's version
    _slim_pictures(notebook)
    path = root / "solutions" / slug / f"{slug}.ipynb"
    write_durably(path, nbformat.writes(notebook) + "\n")
    return path


def _slim_pictures(notebook: NotebookNode) -> None:
    """Store figures with a palette of 256 colours: a third of the bytes, the same to the eye."""
    from PIL import Image

    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        if picture := output.get("data", {}).get("image/png"):
            slim, image = io.BytesIO(), Image.open(io.BytesIO(base64.b64decode(picture)))
            image.convert("RGB").quantize(256).save(slim, "PNG", optimize=True)
            output.data["image/png"] = base64.b64encode(slim.getvalue()).decode()


def _failed_cell(notebook: NotebookNode, slug: str, started: list[int], said: str) -> str:
    """Return the line for the author of a unit whose notebook does not run."""
    index = started[-1] if started else 0
    begins = notebook.cells[index].source.strip().split("\n")[0][:80]
    return (
        f"{slug}: cell {index + 1} of {len(notebook.cells)} (`{begins}`) should run, but got "
        f"{said.strip().splitlines()[0][:300]}: mend it in solutions/{slug}/{slug}.py"
    )


def _build_environment(root: Path) -> dict[str, str]:
    data = os.environ.get("LLMCOURSE_DATA")
    env = {
        k: v for k, v in os.environ.items() if k not in ("LLMCOURSE_PRESET", "LLMCOURSE_RECORDS")
    }
    if data:
        env["LLMCOURSE_DATA"] = str(Path(data).resolve())
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root.resolve()), env.get("PYTHONPATH")]))
    return env


def release(root: Path, slug: str, target: Path | None = None, hints: int = 3) -> Path:
    """Make the learner's notebook with nbgrader's own steps and return its path.

    target: folder to write to, by default `root/course`; hints: levels to keep, 0 to 3.
    """
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    if not (root / "solutions" / slug / f"{slug}.ipynb").is_file():
        raise AutograderError(
            f"{slug} is not built: run `make release` or `autograder build {slug}` first"
        )
    target = target or root / "course"
    with tempfile.TemporaryDirectory() as folder:
        config = Config(PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config())
        config.CourseDirectory.root = str(root.resolve())
        config.CourseDirectory.release_directory = f"{folder}/course"
        config.CourseDirectory.assignment_id = slug
        config.GenerateAssignment.no_database = True  # as its option --no-db does
        config.SaveCells.enabled = False
        converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
        converter.log.setLevel("ERROR")
        converter.start()
        made_in = Path(folder) / "course" / slug
        for made in sorted(made_in.rglob("*")):
            if is_companion(PurePosixPath(made.relative_to(made_in))):
                continue  # of the instructor's system
            if made.suffix == ".ipynb":
                notebook = nbformat.read(made, as_version=4)
                _withhold(notebook, hints)
                if slug not in appendices(root):
                    planting.plant(notebook, read_info(root, slug))
                write_durably(target / slug / made.name, nbformat.writes(notebook) + "\n")
            elif made.is_file():
                copy = target / made.relative_to(Path(folder) / "course")
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(made.read_bytes())
    return target / slug / f"{slug}.ipynb"


def _withhold(notebook: NotebookNode, hints: int) -> None:
    for level in range(hints + 1, 4):
        pattern = rf"\n?<details><summary>Hint {level}: .*?</details>"
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = re.sub(pattern, "", cell.source, flags=re.DOTALL)
