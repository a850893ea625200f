"""One reader of notebook files: the learner's commands and the grader accept the same ones."""

import json
import subprocess
import sys

import pytest

from autograder.errors import Unreadable
from autograder.grading.ingest import parse
from llmcourse.commands import progress
from llmcourse.commands.run import RunError
from llmcourse.notebook_file import FILE_BYTES, NotebookError, clean_cell, parse_notebook
from tests import toy_course

SLUG = toy_course.SLUG


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The toy's released notebook with one answer."""
    root = toy_course.build(tmp_path_factory.mktemp("toy"))
    book = toy_course.notebook(root, add="return a + b")
    cells = [{**cell, "source": "".join(cell["source"])} for cell in book["cells"]]
    return {**book, "cells": cells}


def text(book):
    return json.dumps(book, indent=1, ensure_ascii=False)


def without(book, *, notebook=False, cells=False, ids=False):
    book = json.loads(json.dumps(book))
    if notebook:
        book["metadata"] = {}
    for cell in book["cells"]:
        if cells:
            cell["metadata"] = {}
        if ids:
            cell.pop("id", None)
    return book


def odd(book, **fields):
    book = json.loads(json.dumps(book))
    for cell in book["cells"]:
        cell.update(fields)
    return book


ACCEPTED = {
    "plain": lambda book: text(book).encode(),
    "a mark": lambda book: text(book).encode("utf-8-sig"),
    "ascii escapes": lambda book: json.dumps(book).encode(),
    "Windows line ends": lambda book: text(book).replace("\n", "\r\n").encode(),
    "old Mac line ends": lambda book: text(book).replace("\n", "\r").encode(),
    "mark and blanks": lambda book: b"\xef\xbb\xbf\r\n" + text(book).encode() + b"\n\n",
    "sources as lines": lambda book: text(
        {
            **book,
            "cells": [{**c, "source": c["source"].splitlines(True)} for c in book["cells"]],
        }
    ).encode(),
    "line ends in sources": lambda book: text(
        {
            **book,
            "cells": [{**c, "source": c["source"].replace("\n", "\r\n")} for c in book["cells"]],
        }
    ).encode(),
    "an early minor format": lambda book: text({**book, "nbformat_minor": 0}).encode(),
    "no minor format": lambda book: text(
        {k: v for k, v in book.items() if k != "nbformat_minor"}
    ).encode(),
    "no notebook metadata": lambda book: text(without(book, notebook=True)).encode(),
    "no cell metadata": lambda book: text(without(book, cells=True)).encode(),
    "no metadata and ids": lambda book: text(
        without(book, notebook=True, cells=True, ids=True)
    ).encode(),
    "outputs of wrong types": lambda book: text(
        odd(book, outputs=5, execution_count="x", attachments=[])
    ).encode(),
    "cells that are none": lambda book: text(
        {**book, "cells": [5, None, {"cell_type": "heading"}, *book["cells"]]}
    ).encode(),
    "a lone surrogate": lambda book: json.dumps(
        {**book, "cells": [{"cell_type": "code", "source": "# \ud800"}, *book["cells"]]}
    ).encode(),
    "nan": lambda book: text({**book, "extra": float("nan")}).encode(),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_the_grader_accepts_the_learners_commands_accept(released, tmp_path, name):
    data, path = ACCEPTED[name](released), tmp_path / "mine.ipynb"
    path.write_bytes(data)
    assert any("return a + b" in cell.source for cell in parse(data).cells)
    unit = progress.read(path, SLUG)
    states = {one.id: (one.points, one.state) for one in unit.exercises}
    assert states == dict.fromkeys(toy_course.SOLUTIONS, (15, "not begun")) | {
        "add": (15, "written")
    }
    again = progress._cells_to_check(unit)
    assert [c["source"] for c in again["cells"] if "return a + b" in c["source"]]
    assert "\r" not in json.dumps([c["source"] for c in again["cells"]])


REFUSED = {
    "nothing": (b"", "is empty"),
    "blanks": (b" \r\n\t", "is empty"),
    "another encoding": ('{"nbformat": 4, "cells": ["é"]}'.encode("latin-1"), "not UTF-8"),
    "UTF-16": ('{"nbformat": 4, "cells": []}'.encode("utf-16"), "not UTF-8"),
    "cut off": (b'{"nbformat": 4,\n "cells": [', r"not valid JSON \(line 2\)"),
    "a web page": (b"<!DOCTYPE html>\n<html></html>", r"not valid JSON \(line 1\)"),
    "Python": (b"import numpy as np\n", "not valid JSON"),
    "format 3": (b'{"nbformat": 3, "worksheets": []}', "expected notebook format 4, got 3"),
    "format 5": (b'{"nbformat": 5, "cells": []}', "expected notebook format 4, got 5"),
    "format as text": (b'{"nbformat": "4", "cells": []}', "format 4, got unknown"),
    "true": (b'{"nbformat": true, "cells": []}', "format 4, got unknown"),
    "no format": (b'{"cells": []}', "no format number"),
    "a list": (b"[]", "no format number"),
    "no cells": (b'{"nbformat": 4, "cells": {}}', "no list of cells"),
    "deep": (b'{"nbformat": 4, "cells": ' + b"[" * 9_999 + b"]" * 9_999 + b"}", "nested too deep"),
    "many lists": (b"[" * 1_000_001, "lists and objects"),
    "large": (b" " * FILE_BYTES + b"{}", "larger than 20 MiB"),
    "an archive": (b"PK\x03\x04 and so on", "zip archive, not a notebook: unpack it"),
}


@pytest.mark.parametrize(("data", "said"), REFUSED.values(), ids=REFUSED)
def test_what_one_refuses_all_refuse_in_the_same_words(tmp_path, data, said):
    path = tmp_path / "mine.ipynb"
    path.write_bytes(data)
    with pytest.raises(NotebookError, match=said) as reader:
        parse_notebook(data)
    with pytest.raises(Unreadable, match=said) as grader:
        parse(data)
    with pytest.raises(RunError, match=said) as learner:
        progress.read(path)
    line = str(reader.value)
    assert str(grader.value) == line and line in str(learner.value)
    assert "\n" not in line and len(line) < 150


@pytest.mark.parametrize("item", [None, 5, [], {}, {"cell_type": "code"}, {"cell_type": []}])
def test_what_is_no_cell_is_none(item):
    assert clean_cell(item) is None


@pytest.mark.parametrize(
    ("metadata", "nbgrader", "tags"),
    [
        (None, {}, []),
        ([], {}, []),
        ({"nbgrader": [1], "tags": "demo"}, {}, []),
        ({"nbgrader": {"grade_id": "a"}, "tags": ["demo", 5]}, {"grade_id": "a"}, ["demo"]),
    ],
)
def test_metadata_of_wrong_types_are_left_out(metadata, nbgrader, tags):
    cell = clean_cell({"cell_type": "code", "source": "", "metadata": metadata})
    assert cell["metadata"] == {"nbgrader": nbgrader, "tags": tags}


def test_reading_notebooks_compiles_no_grammar_of_addresses():
    """Each process would spend six times what nbformat needs: see jsonschema in pyproject.toml."""
    code = "import sys, nbformat; sys.exit('rfc3987_syntax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
