"""A notebook file as people keep it and hand it in: bytes to cells, by one set of rules.

`llmcourse check`, `llmcourse progress` and the grader read notebooks here, so that all accept the
same files and say the same of the others. The text may come from anybody: its size, the number of
lists and objects in it and its depth are limited before anything is built of it.
"""

import json
from typing import Any

FILE_BYTES = 20 * 2**20
CONTAINERS = 1_000_000  # lists and objects in the JSON
ARCHIVE = b"PK\x03\x04"  # begins a zip archive, whatever its name
KINDS = ("code", "markdown", "raw")


class NotebookError(ValueError):
    """A file that is no notebook of format 4; one line for a person."""


def names_slug(name: str, slug: str) -> bool:
    """Say whether a person who writes `name` means the notebook: `7`, `07` or `07_attention`."""
    number = slug.split("_")[0]
    return name == slug or (name.isdecimal() and number.isdecimal() and int(name) == int(number))


def parse_notebook(data: bytes) -> dict[str, Any]:
    """Return a notebook of format 4 whose `cells` are a list of anything.

    Accepts a byte-order mark and the line ends of any system. Raises NotebookError, in one line,
    for a file above `FILE_BYTES`, an empty one, a text that is not UTF-8 or not JSON, and another
    format.
    """
    check_size(data, "the notebook")
    if data.startswith(ARCHIVE):
        raise NotebookError("the file is a zip archive, not a notebook: unpack it")
    if data.count(b"[") + data.count(b"{") > CONTAINERS:
        raise NotebookError(
            f"the notebook has more than {CONTAINERS} lists and objects: clear its outputs"
        )
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotebookError(
            "the notebook is not UTF-8 text: open it in JupyterLab, save it, and use that file"
        ) from None
    except RecursionError:
        raise NotebookError(
            "the notebook is nested too deep: it was not written by Jupyter"
        ) from None
    except ValueError as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise NotebookError(
            f"the notebook is not valid JSON{where}: is the file cut off?"
        ) from None
    version = notebook.get("nbformat") if isinstance(notebook, dict) else None
    if version is None:
        raise NotebookError("the file is not a Jupyter notebook: it has no format number")
    if type(version) is not int or version != 4:
        shown = version if type(version) is int and abs(version) < 1000 else "unknown"
        raise NotebookError(
            f"expected notebook format 4, got {shown}: open it in JupyterLab and save it"
        )
    if not isinstance(notebook.get("cells"), list):
        raise NotebookError("the notebook has no list of cells: is the file damaged?")
    return dict(notebook)


def check_size(data: bytes, name: str) -> None:
    """Raise NotebookError for more than `FILE_BYTES` and for a file of white space alone."""
    if len(data) > FILE_BYTES:
        raise NotebookError(
            f"{name} is larger than {FILE_BYTES // 2**20} MiB: clear its outputs, save it again"
        )
    if not data.strip():
        raise NotebookError(f"{name} is empty: save the notebook again")


def clean_cell(item: Any) -> dict[str, Any] | None:
    """Return a cell's kind, text, `nbgrader` metadata, tags and id; None for what is no cell.

    The text has line ends of one kind and no lone surrogate; metadata of a wrong type is left out.

    >>> clean_cell({"cell_type": "code", "source": ["a\\r\\n", "b"], "metadata": [1]})
    {'cell_type': 'code', 'source': 'a\\nb', 'metadata': {'nbgrader': {}, 'tags': []}, 'id': None}
    """
    if not isinstance(item, dict) or item.get("cell_type") not in KINDS:
        return None
    source = item.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    source = source.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    metadata = item.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    nbgrader, tags, name = metadata.get("nbgrader"), metadata.get("tags"), item.get("id")
    return {
        "cell_type": item["cell_type"],
        "source": source,
        "metadata": {
            "nbgrader": nbgrader if isinstance(nbgrader, dict) else {},
            "tags": [t for t in tags if isinstance(t, str)] if isinstance(tags, list) else [],
        },
        "id": name if isinstance(name, str) else None,
    }
