"""From a submitted file to its cells: kind, source, grade_id and id of each, nothing else.

Metadata, tags, outputs, attachments and kernelspec of a submission are never used. What becomes of
the cells is in `rebuild`.
"""

import json
import os
import stat
from dataclasses import dataclass
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
