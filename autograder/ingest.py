"""From a submitted file to the notebook that is graded: what the learner wrote, on what we
released.

Of a submission only this is used: the source of solution cells, found by grade_id, and the source
and order of code cells the learner added. Metadata, tags, outputs, attachments, kernelspec, check
cells and plain cells are the released ones. `rebuild` says in plain sentences what it found odd;
none of it costs points by itself.
"""

import copy
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.archive import notebook_in
from autograder.errors import Unreadable

FILE_BYTES = 20 * 2**20
CELL_BYTES = 2**20
CODE_BYTES = 2**20  # of all code cells: parsed, it takes 300 times the memory
CELLS = 2000
CONTAINERS = 1_000_000  # lists and objects in the JSON


def read_submission(path: Path) -> bytes:
    """The bytes of a submitted notebook: the file itself, the one `.ipynb` in the folder, or where
    there is none, the one in its only `.zip`.

    Raises Unreadable for anything but one regular file of 1 byte to 20 MiB that has no second name:
    links, pipes and devices are not followed, since they can point at what is not the learner's.
    """
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            path = _only_notebook(path)
        data = _read_regular(path)
        return notebook_in(data, FILE_BYTES) if path.suffix.lower() == ".zip" else data
    except FileNotFoundError:
        raise Unreadable(f"no notebook {path.name}: was it submitted under another name?") from None
    except (OSError, ValueError) as error:
        raise Unreadable(
            f"{path.name} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None


def _only_notebook(folder: Path) -> Path:
    files = sorted(folder.iterdir())
    found = [p for p in files if p.suffix.lower() == ".ipynb"]
    found = found or [p for p in files if p.suffix.lower() == ".zip"]
    if len(found) != 1:
        names = ", ".join(p.name for p in found[:5])
        raise Unreadable(
            f"expected one notebook in {folder.name}, got {len(found)} ({names or 'none'})"
        )
    return found[0]


def _read_regular(path: Path) -> bytes:
    before = os.lstat(path)
    if not stat.S_ISREG(before.st_mode):
        raise Unreadable(
            f"{path.name} is not a regular file (a link, pipe or device): submit the file"
        )
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            raise Unreadable(
                f"{path.name} is a hard link to another file: submit a copy of the file"
            )
        data = file.read(FILE_BYTES + 1)
    _check_size(data, path.name)
    return data


def _check_size(data: bytes, name: str) -> None:
    if len(data) > FILE_BYTES:
        raise Unreadable(
            f"{name} is larger than {FILE_BYTES // 2**20} MiB: clear its outputs, submit again"
        )
    if not data.strip():
        raise Unreadable(f"{name} is empty: save the notebook and submit it again")


@dataclass(frozen=True)
class LearnerCell:
    """One cell as the learner left it."""

    kind: str  # code, markdown or raw
    source: str
    grade_id: str | None
    cell_id: str | None


@dataclass(frozen=True)
class Submission:
    """What could be read of a submission."""

    cells: tuple[LearnerCell, ...]
    notices: tuple[str, ...] = ()


def parse(data: bytes) -> Submission:
    """The cells of a notebook of format 4; Unreadable, in one line, for what is none."""
    _check_size(data, "the notebook")
    if data.count(b"[") + data.count(b"{") > CONTAINERS:
        raise Unreadable(
            f"the notebook has more than {CONTAINERS} lists and objects: clear its outputs"
        )
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable(
            "the notebook is not UTF-8 text: open it in JupyterLab, save it, and submit it again"
        ) from None
    except RecursionError:
        raise Unreadable("the notebook is nested too deep: it was not written by Jupyter") from None
    except ValueError as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Unreadable(f"the notebook is not valid JSON{where}: is the file cut off?") from None
    version = notebook.get("nbformat") if isinstance(notebook, dict) else None
    if version is None:
        raise Unreadable("the file is not a Jupyter notebook: it has no format number")
    if type(version) is not int or version != 4:
        shown = version if type(version) is int and abs(version) < 1000 else "unknown"
        raise Unreadable(
            f"expected notebook format 4, got {shown}: open it in JupyterLab and save it"
        )
    if not isinstance(notebook.get("cells"), list):
        raise Unreadable("the notebook has no list of cells: is the file damaged?")
    return _cells(notebook["cells"])


def _cells(raw: list[Any]) -> Submission:
    cells, notices, code = [], [], 0
    if len(raw) > CELLS:
        notices.append(f"only the first {CELLS} of {len(raw)} cells were read")
    for number, item in enumerate(raw[:CELLS], 1):
        cell = _cell(item)
        if cell is None:
            notices.append(f"cell {number} is not a notebook cell and was ignored")
        elif len(cell.source) > CELL_BYTES:
            notices.append(f"cell {number} is longer than {CELL_BYTES} characters and was ignored")
        elif cell.kind == "code" and code + len(cell.source) > CODE_BYTES:
            notices.append(
                f"cell {number} was ignored: with it, code has over {CODE_BYTES} letters"
            )
        else:
            cells.append(cell)
            code += len(cell.source) if cell.kind == "code" else 0
    if len(notices) > 10:
        notices = [*notices[:10], f"and {len(notices) - 10} more of the kind"]
    return Submission(tuple(cells), tuple(notices))


def _cell(item: Any) -> LearnerCell | None:
    if not isinstance(item, dict) or item.get("cell_type") not in ("code", "markdown", "raw"):
        return None
    source = item.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    source = source.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    metadata = item.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    return LearnerCell(item["cell_type"], source, _str(grade_id), _str(item.get("id")))


def _str(value: Any) -> str | None:
    return value if isinstance(value, str) else None


# Rebuild


@dataclass
class Cell:
    """One cell of the rebuilt notebook."""

    role: str  # released, check, solution, written, extra
    notebook: dict[str, Any]  # as nbformat has it
    run: bool
    grade_id: str | None = None
    stub: str = ""  # source a solution cell is replaced by when it kills the process

    @property
    def source(self) -> str:
        """The text of the cell."""
        return str(self.notebook["source"])


@dataclass
class Rebuilt:
    """The notebook to grade: released cells in their order, the learner's sources in them and cells
    between.
    """

    cells: list[Cell]
    notices: list[str] = field(default_factory=list)
    missing: set[str] = field(
        default_factory=set
    )  # grade_ids of solution cells that were not submitted


def text_of(cell: Mapping[str, Any]) -> str:
    """The source of a notebook cell, which a file holds as a string or as lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def rebuild(submission: Submission, released: Mapping[str, Any]) -> Rebuilt:
    """Graft a submission on the released notebook.

    Of several cells with one grade_id the last that is not the stub wins. A solution cell that is
    missing or was turned into another kind is shown as its stub and not run, so the name counts if
    the learner defined it in another cell. Edited plain cells run as extra cells after the released
    ones; a demonstration is never run, edited or not.
    """
    cells = [_released(cell) for cell in released["cells"]]
    result = Rebuilt([], list(submission.notices))
    by_grade_id = {cell.grade_id: cell for cell in cells if cell.grade_id}
    by_id = {cell.notebook.get("id"): cell for cell in cells if not cell.grade_id}
    by_source = {cell.source.strip(): cell for cell in cells if not cell.grade_id}
    answers: dict[str, list[str]] = {}
    extras: dict[int, list[str]] = {}
    after, edited = -1, 0
    for mine in submission.cells:
        target = by_grade_id.get(mine.grade_id) if mine.grade_id else None
        if target is not None:
            _take(mine, target, answers, result.notices)
        elif mine.source.strip() in by_source:
            target = by_source[mine.source.strip()]
        else:
            target = by_id.get(mine.cell_id) if mine.cell_id else None
            edited += target is not None and mine.kind == "code"
            demo = target is not None and target.role == "released" and not target.run
            if mine.kind == "code" and mine.source.strip() and not demo:
                where = cells.index(target) if target is not None else after
                extras.setdefault(where, []).append(mine.source)
        if target is not None:
            after = cells.index(target)
    if edited:
        result.notices.append(
            f"{edited} released code cell(s) were edited: the released text was used as well"
        )
    if extras:
        result.notices.append(f"{sum(map(len, extras.values()))} code cell(s) were added")
    _graft(cells, answers, result)
    _insert(cells, extras, result)
    return result


def _released(cell: Mapping[str, Any]) -> Cell:
    metadata = cell.get("metadata", {})
    nbgrader = metadata.get("nbgrader", {})
    graded, solution = bool(nbgrader.get("grade")), bool(nbgrader.get("solution"))
    role = (
        "written"
        if graded and solution
        else "solution"
        if solution
        else "check"
        if graded
        else "released"
    )
    fresh: dict[str, Any] = copy.deepcopy({**cell, "source": text_of(cell)})
    code = cell["cell_type"] == "code"
    if code:
        fresh |= {"outputs": [], "execution_count": None}
    run = code and role in ("released", "solution") and "demo" not in metadata.get("tags", [])
    return Cell(role, fresh, run, nbgrader.get("grade_id"), fresh["source"])


def _take(
    mine: LearnerCell, target: Cell, answers: dict[str, list[str]], notices: list[str]
) -> None:
    assert target.grade_id is not None
    if target.role in ("check", "released"):
        if mine.source.strip() != target.source.strip():
            notices.append(f"{target.grade_id}: the cell was edited; the released one counts")
    elif mine.kind != target.notebook["cell_type"]:
        notices.append(
            f"{target.grade_id}: the cell was turned into a {mine.kind} cell, which is not read"
        )
    else:
        answers.setdefault(target.grade_id, []).append(mine.source)


def _graft(cells: list[Cell], answers: dict[str, list[str]], result: Rebuilt) -> None:
    for cell in cells:
        if cell.role not in ("solution", "written"):
            continue
        assert cell.grade_id is not None
        given = answers.get(cell.grade_id, [])
        if not given:
            result.missing.add(cell.grade_id)
            result.notices.append(f"{cell.grade_id}: the cell is missing")
            cell.run = False
            continue
        own = [source for source in given if source.strip() != cell.stub.strip()]
        if len(given) > 1:
            result.notices.append(
                f"{cell.grade_id}: {len(given)} cells have this name; the last worked on counts"
            )
        cell.notebook["source"] = own[-1] if own else cell.stub


def _insert(cells: list[Cell], extras: dict[int, list[str]], result: Rebuilt) -> None:
    taken = {cell.notebook.get("id") for cell in cells}
    number = 0
    for position in range(-1, len(cells)):
        if position >= 0:
            result.cells.append(cells[position])
        for source in extras.get(position, []):
            number += 1
            while f"extra-{number}" in taken:
                number += 1
            added = {"cell_type": "code", "id": f"extra-{number}", "metadata": {}, "source": source}
            result.cells.append(
                Cell("extra", {**added, "outputs": [], "execution_count": None}, True)
            )
