"""Reading submissions: only regular files, only notebooks, only the learner's own text."""

import json
import os
import socket

import pytest

from autograder import ingest
from autograder.errors import Unreadable
from autograder.ingest import parse, read_submission, rebuild
from tests.submissions import toy
from tests.submissions.hostile import BROKEN, Book, code


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


def graft(change=lambda book: None, target="mean"):
    book = Book(toy.released(), toy.RIGHT, target)
    change(book)
    return rebuild(parse(book.dump()), toy.released())


def roles(rebuilt):
    return [(c.role, c.grade_id or c.notebook["id"]) for c in rebuilt.cells]


RELEASED = [
    ("released", "title"),
    ("released", "imports"),
    ("solution", "mean"),
    ("check", "mean_check"),
    ("solution", "spread"),
    ("check", "spread_check"),
    ("released", "demo"),
    ("written", "why"),
]


def test_a_plain_submission_is_the_released_notebook_with_answers():
    rebuilt = graft()
    assert roles(rebuilt) == RELEASED and rebuilt.notices == []
    assert [c.source for c in rebuilt.cells if c.role == "solution"] == list(toy.RIGHT.values())
    assert [c.run for c in rebuilt.cells] == [False, True, True, False, True, False, False, False]


def test_nothing_but_sources_is_taken():
    def change(book):
        for cell in book.cells:
            cell["metadata"]["tags"] = ["hide-cell"]
            cell["attachments"] = {"x.png": {"image/png": "AAAA"}}
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "90/90"}]
            cell["metadata"].setdefault("nbgrader", {})["points"] = 1000

    plain, changed = graft(), graft(change)
    assert [c.notebook for c in changed.cells] == [c.notebook for c in plain.cells]


def test_added_cells_stay_where_they_were_and_in_order():
    def change(book):
        book.first("a = 1")
        place = book.cells.index(book.cell("mean_check")) + 1
        book.cells[place:place] = [code("b = 2"), code("c = 3")]
        book.last("d = 4")

    rebuilt = graft(change)
    extras = {c.source: i for i, c in enumerate(rebuilt.cells) if c.role == "extra"}
    assert list(extras) == ["a = 1", "b = 2", "c = 3", "d = 4"] and extras["a = 1"] == 0
    assert roles(rebuilt)[extras["b = 2"] - 1] == ("check", "mean_check")
    assert [r for r in roles(rebuilt) if r[0] != "extra"] == RELEASED
    assert "4 code cell(s) were added" in rebuilt.notices


def test_an_added_cell_cannot_take_the_place_of_a_released_one():
    def change(book):
        for name in ("imports", "mean-check", "extra-1", "title"):
            book.cells.append({**code(f"x = {name!r}"), "id": name})

    ids = [c.notebook["id"] for c in graft(change).cells]
    assert len(set(ids)) == len(ids) and {n for _, n in RELEASED} >= {"title"}


def test_an_edited_plain_cell_runs_after_the_released_one_and_is_reported():
    rebuilt = graft(lambda book: book.cells[1].update(source="import math as m"))
    assert roles(rebuilt)[1:3] == [("released", "imports"), ("extra", "extra-1")]
    assert any("edited" in notice for notice in rebuilt.notices)


def test_an_edited_demonstration_is_not_run():
    rebuilt = graft(lambda book: book.cells[6].update(source="import time; time.sleep(1e9)"))
    assert all(cell.role != "extra" for cell in rebuilt.cells)


def test_of_duplicates_the_last_that_is_not_the_stub_wins():
    def change(book):
        mine = book.cell("mean")
        stub = toy.STUB.format("mean", "values")
        book.cells.insert(0, {**mine, "source": "mean = 1"})
        book.cells.append({**mine, "source": "mean = 2"})
        book.cells.append({**mine, "source": stub})

    rebuilt = graft(change)
    assert [c.source for c in rebuilt.cells if c.grade_id == "mean"] == ["mean = 2"]
    assert any("4 cells" in notice for notice in rebuilt.notices)


@pytest.mark.parametrize("change", ["delete", "retype"])
def test_a_missing_or_retyped_answer_is_shown_as_the_stub_and_not_run(change):
    def edit(book):
        if change == "delete":
            book.cells.remove(book.cell("mean"))
        else:
            book.cell("mean")["cell_type"] = "raw"

    rebuilt = graft(edit)
    cell = next(c for c in rebuilt.cells if c.grade_id == "mean")
    assert not cell.run and cell.source == cell.stub and rebuilt.missing == {"mean"}
    assert any("mean" in notice for notice in rebuilt.notices)


def test_the_written_answer_is_grafted():
    rebuilt = graft(lambda book: book.cell("why").update(source="Because."))
    assert rebuilt.cells[-1].source == "Because."


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
