"""From a submitted file to its cells: kind, source, grade_id and id of each, nothing else.

Metadata, tags, outputs, attachments and kernelspec of a submission are never used. `program` puts
the cells on the released notebook.
"""

import contextlib
import itertools
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.errors import Unreadable
from autograder.grading.archive import notebook_in, notebooks_in
from autograder.grading.candidates import below, chosen, is_archive, is_notebook
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
PICTURE = re.compile(r"data:[\w/+.;=-]{1,100},[\w+/=%-]{1000,}")  # in the text of a cell itself
LEFT_OUT = "a-picture-that-was-too-large"


def read_submission(path: Path, slug: str = "") -> bytes:
    """Return the bytes of a submitted notebook.

    path: the file, or a folder; in and below a folder the notebook called `slug` counts, else the
    only one, else the one in a zip archive. Raises Unreadable for anything but one regular file of
    1 byte to 20 MiB that has no second name: links, pipes and devices are not followed, since they
    can point at files that are not the learner's.
    """
    with _said(path.name):
        path = path / find_notebook(path, slug)
        data = _read_regular(path)
    packed = data.startswith(ARCHIVE) or is_archive(path)
    return notebook_in(data, FILE_BYTES, slug) if packed else data


def find_notebook(path: Path, slug: str = "") -> PurePosixPath:
    """Return where below a folder its notebook or archive is; of a file, the empty name."""
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        return PurePosixPath()
    own = PurePosixPath(f"{slug}.ipynb")
    if slug and _is_there(path / own):
        return own  # however many files lie beside it
    names = below(path)
    found = [n for n in names if is_notebook(n)] or [n for n in names if is_archive(n)]
    seen = names or [PurePosixPath(name) for name in sorted(os.listdir(path))]  # companions alone
    return chosen(found, seen, slug, path.name)


def beside(folder: Path, slug: str, most: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and bytes of the other readable notebooks in a folder and in its archives.

    most: files that are looked at, and notebooks of an archive.
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
    """Say whether something other than a folder has this name."""
    try:
        return not stat.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _said(name: str) -> Iterator[None]:
    """Turn errors of the system about a file into Unreadable."""
    try:
        yield
    except FileNotFoundError:
        raise Unreadable(f"no notebook {name}: was it submitted under another name?") from None
    except (OSError, ValueError) as error:
        raise Unreadable(
            f"{name} cannot be read ({getattr(error, 'strerror', None) or error}): submit it again"
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
    """Return the cells of a notebook of format 4; Unreadable, in one line, for what is none."""
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
        if cell is not None and cell.kind != "code" and len(cell.source) > CELL_BYTES:
            cell = replace(cell, source=PICTURE.sub(LEFT_OUT, cell.source)[:CELL_BYTES])
            notices.append(
                f"cell {number} is longer than {CELL_BYTES} characters and was shortened"
            )
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
