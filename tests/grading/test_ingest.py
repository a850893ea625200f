"""Reading submissions: only regular files, only notebooks, only the learner's own text."""

import json
import os
import socket

import pytest

from autograder.errors import Unreadable
from autograder.grading import ingest
from autograder.grading.ingest import parse, read_submission
from tests.submissions import toy
from tests.submissions.hostile import BROKEN, code


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "work.ipynb").write_bytes(b"{}")
    return tmp_path


def test_a_regular_file_is_read_by_itself_or_from_its_folder(folder):
    assert read_submission(folder / "work.ipynb") == read_submission(folder) == b"{}"


@pytest.mark.parametrize("target", ["/etc/passwd", "work.ipynb", "nowhere", "."])
def test_symbolic_links_are_refused(folder, target):
    (folder / "link.ipynb").symlink_to(target)
    with pytest.raises(Unreadable, match="not a regular file"):
        read_submission(folder / "link.ipynb")


def test_pipes_sockets_devices_and_folders_are_refused_without_waiting(folder):
    os.mkfifo(folder / "pipe.ipynb")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket.ipynb"))
    (folder / "deep" / "work.ipynb").mkdir(parents=True)
    for path in ("pipe.ipynb", "socket.ipynb", "deep"):
        with pytest.raises(Unreadable, match="not a regular file"):
            read_submission(folder / path)
    with pytest.raises(Unreadable, match="not a regular file"):
        read_submission(folder.__class__("/dev/zero"))
    listener.close()


def test_hard_links_are_refused(folder):
    os.link(folder / "work.ipynb", folder / "twin.ipynb")
    with pytest.raises(Unreadable, match="hard link"):
        read_submission(folder / "twin.ipynb")


def test_two_notebooks_none_and_a_wrong_name_are_reported(folder, tmp_path):
    (folder / "other.ipynb").write_bytes(b"{}")
    with pytest.raises(Unreadable, match=r"expected one notebook.*got 2 \(other.ipynb, work.ipynb"):
        read_submission(folder)
    with pytest.raises(Unreadable, match=r"no notebook missing\.ipynb"):
        read_submission(folder / "missing.ipynb")
    (tmp_path / "empty").mkdir()
    with pytest.raises(Unreadable, match="got 0"):
        read_submission(tmp_path / "empty")


def test_half_a_gigabyte_is_refused_after_its_first_part(folder):
    with open(folder / "work.ipynb", "r+b") as file:
        file.truncate(500 * 2**20)
    with pytest.raises(Unreadable, match="larger than 20 MiB"):
        read_submission(folder / "work.ipynb")


@pytest.mark.parametrize("trick", BROKEN, ids=lambda trick: trick.name)
def test_broken_notebooks_are_reported_in_one_line(trick):
    with pytest.raises(Unreadable) as caught:
        parse(trick.make(toy.released(), toy.RIGHT, "mean"))
    assert 10 < len(str(caught.value)) < 200 and "\n" not in str(caught.value)


def test_wrong_types_are_tolerated_and_counted():
    cells = [5, None, [], {"cell_type": 5}, {"cell_type": "code", "source": [5]}]
    odd = {"cell_type": "code", "source": ["a", "b"], "metadata": {"nbgrader": [1]}, "id": {}}
    submission = parse(json.dumps({"nbformat": 4, "cells": [*cells, odd]}).encode())
    assert [cell.source for cell in submission.cells] == ["ab"] and len(submission.notices) == 5


def test_ten_thousand_cells_are_cut(monkeypatch):
    monkeypatch.setattr(ingest, "CELLS", 100)
    submission = parse(json.dumps({"nbformat": 4, "cells": [code("1")] * 200}).encode())
    assert len(submission.cells) == 100 and "first 100 of 200" in submission.notices[0]


def test_a_megabyte_of_code_is_read_and_no_more():
    long = "x = [" + "1," * 200_000 + "]"
    cells = [code(long), code(long), code(long), code("y = 1"), {**code(long), "cell_type": "raw"}]
    submission = parse(json.dumps({"nbformat": 4, "cells": cells}).encode())
    assert [len(cell.source) for cell in submission.cells] == [len(long), len(long), 5, len(long)]
    assert submission.notices == ("cell 3 was ignored: with it, code has over 1048576 letters",)


def test_a_text_with_a_large_picture_in_it_is_kept():
    picture = f"![shot](data:image/png;base64,{'iVBORw0KGgo' * 120_000})"
    texts = [f"Before.\n\n{picture}\n\nAfter.", "long " * 300_000]
    cells = [{"cell_type": "markdown", "metadata": {}, "source": text} for text in texts]
    read = parse(json.dumps({"nbformat": 4, "cells": cells}).encode())
    first, second = (cell.source for cell in read.cells)
    assert first == f"Before.\n\n![shot]({ingest.LEFT_OUT})\n\nAfter."
    assert second == texts[1][: ingest.CELL_BYTES]
    assert all("was shortened" in notice for notice in read.notices) and len(read.notices) == 2
