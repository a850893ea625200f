"""From a submitted file to the notebook that is graded: what the learner wrote, on what we
released.

Of a submission only this is used: the source of solution cells, found by grade_id, and the source
and order of code cells the learner added. Metadata, tags, outputs, attachments, kernelspec, check
cells and plain cells are the released ones. `rebuild` says in plain sentences what it found odd;
none of it costs points by itself.
"""

import contextlib
import copy
import itertools
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.archive import notebook_in, notebooks_in
from autograder.candidates import below, chosen, is_archive, is_notebook
from autograder.errors import Unreadable
from llmcourse.notebook_file import (
    ARCHIVE,
    FILE_BYTES,
    NotebookError,
    check_size,
    clean_cell,
    parse_notebook,
)

CELL_BYTES = 2**20
CODE_BYTES = 2**20  # of all code cells: parsed, it takes 300 times the memory
CELLS = 2000


def read_submission(path: Path, slug: str = "") -> bytes:
    """The bytes of a submitted notebook: of the file itself, or of the one in and below a folder
    that is called `slug`, else the only one; where there is none, of the one in a zip archive.

    Raises Unreadable for anything but one regular file of 1 byte to 20 MiB that has no second name:
    links, pipes and devices are not followed, since they can point at what is not the learner's.
    """
    with _said(path.name):
        path = path / find_notebook(path, slug)
        data = _read_regular(path)
    packed = data.startswith(ARCHIVE) or is_archive(path)
    return notebook_in(data, FILE_BYTES, slug) if packed else data


def find_notebook(path: Path, slug: str = "") -> PurePosixPath:
    """Where below a folder its notebook or archive is; of a file, the empty name."""
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        return PurePosixPath()
    own = PurePosixPath(f"{slug}.ipynb")
    if slug and _is_there(path / own):
        return own  # however much lies beside it
    names = below(path)
    found = [n for n in names if is_notebook(n)] or [n for n in names if is_archive(n)]
    seen = names or [PurePosixPath(name) for name in sorted(os.listdir(path))]  # companions alone
    return chosen(found, seen, slug, path.name)


def beside(folder: Path, slug: str, most: int) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the other notebooks that can be read in a folder and its archives; `most`
    files are looked at, and as many notebooks of an archive.
    """
    first = find_notebook(folder, slug)
    others = [n for n in below(folder) if is_archive(n) or (is_notebook(n) and n != first)]
    for name in others[:most]:
        with contextlib.suppress(Unreadable, OSError, ValueError):
            data = _read_regular(folder / name)
            if not is_archive(name):
                yield str(name), data
                continue
            own = int(name == first)
            inside = notebooks_in(data, FILE_BYTES, slug)
            for inner, notebook in itertools.islice(inside, own, own + most):
                yield f"{name}: {inner}", notebook


def _is_there(path: Path) -> bool:
    """Whether a name is taken, by whatever but a folder."""
    try:
        return not stat.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _said(name: str) -> Iterator[None]:
    """Turn what the system says of a file into a line for a person."""
    try:
        yield
    except FileNotFoundError:
        raise Unreadable(f"no notebook {name}: was it submitted under another name?") from None
    except (OSError, ValueError) as error:
        raise Unreadable(
            f"{name} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None


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
    try:
        check_size(data, path.name)
    except NotebookError as error:
        raise Unreadable(str(error)) from None
    return data


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
    try:
        return _cells(parse_notebook(data)["cells"])
    except NotebookError as error:
        raise Unreadable(str(error)) from None


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
    cell = clean_cell(item)
    if cell is None:
        return None
    grade_id = cell["metadata"]["nbgrader"].get("grade_id")
    name = grade_id if isinstance(grade_id, str) else None
    return LearnerCell(cell["cell_type"], cell["source"], name, cell["id"])


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
