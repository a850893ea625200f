"""The notebook among what people hand in: archives of any system, companions, folders too deep."""

import os
import zipfile
from pathlib import PurePosixPath

import pytest

from autograder.errors import Unreadable
from autograder.grading import candidates
from autograder.grading.archive import notebook_in
from autograder.grading.candidates import is_companion
from autograder.grading.ingest import FILE_BYTES, beside, find_notebook, read_submission
from tests.grading.test_archive import packed

SLUG = "02_ngrams"
BOOK, OTHER = b'{"nbformat": 4, "cells": []}', b"other"
COMPANIONS = [
    ".DS_Store",
    "Thumbs.db",
    "thumbs.db",
    "desktop.ini",
    "Desktop.ini",
    "ehthumbs.db",
    "Icon\r",
    ".directory",
    "._02_ngrams.ipynb",
    "._work.ipynb",
    "__MACOSX/._02_ngrams.ipynb",
    "__MACOSX/02_ngrams/02_ngrams.ipynb",
    "__macosx/work.ipynb",
    ".ipynb_checkpoints/02_ngrams-checkpoint.ipynb",
    ".ipynb_checkpoints/02_ngrams.ipynb",
    "02_ngrams-checkpoint.ipynb",
    "work-checkpoint.ipynb",
    "~$02_ngrams.ipynb",
    ".~02_ngrams.ipynb",
    ".~lock.work.ipynb#",
    ".#work.ipynb",
    "#work.ipynb#",
    "work.ipynb~",
    "work.ipynb.tmp",
    "work.ipynb.swp",
    "work.ipynb.part",
    "work.ipynb.crdownload",
    "work.ipynb:Zone.Identifier",
    ".nfs000000000001",
    "@eaDir/work.ipynb",
    "$RECYCLE.BIN/work.ipynb",
    ".Trash-1000/files/work.ipynb",
    ".Trashes/work.ipynb",
    ".git/work.ipynb",
    ".venv/lib/site-packages/x/work.ipynb",
    "node_modules/x/work.ipynb",
    "__pycache__/x.pyc",
    ".virtual_documents/work.ipynb",
]
WORK = ["02_ngrams.ipynb", "work.ipynb", "Work (1).ipynb", "02_ngrams-Copy1.ipynb", "t.tmpl.ipynb"]


def put(folder, name, data=BOOK):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def unreadable(folder):
    with pytest.raises(Unreadable) as caught:
        read_submission(folder, SLUG)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", COMPANIONS)
@pytest.mark.parametrize("own", ["work.ipynb", f"{SLUG}.ipynb", f"deep/{SLUG}.ipynb"])
def test_a_companion_beside_the_notebook_is_ignored_in_folders_and_archives(tmp_path, name, own):
    assert is_companion(PurePosixPath(name))
    put(tmp_path, own)
    put(tmp_path, name, OTHER)
    assert read_submission(tmp_path, SLUG) == BOOK
    assert list(beside(tmp_path, SLUG, 9)) == []
    entries = [(own, BOOK), (name, OTHER), (f"deep/{name}", OTHER)]
    for order in (entries, entries[::-1]):
        assert notebook_in(packed(*order), FILE_BYTES, SLUG) == BOOK


@pytest.mark.parametrize("name", WORK)
def test_a_learners_own_file_is_no_companion(tmp_path, name):
    assert not is_companion(PurePosixPath(name))
    put(tmp_path, name)
    assert read_submission(tmp_path, SLUG) == BOOK
    assert notebook_in(packed((name, BOOK)), FILE_BYTES, SLUG) == BOOK


def test_companions_alone_are_no_work(tmp_path):
    put(tmp_path, "._02_ngrams.ipynb")
    put(tmp_path, ".ipynb_checkpoints/02_ngrams-checkpoint.ipynb")
    assert "got 0 (._02_ngrams.ipynb, .ipynb_checkpoints)" in unreadable(tmp_path)
    with pytest.raises(Unreadable, match=r"got 0 \('__MACOSX/._02_ngrams.ipynb'\)"):
        notebook_in(packed(("__MACOSX/._02_ngrams.ipynb", BOOK)), FILE_BYTES, SLUG)


DEEP = [
    "02_ngrams/02_ngrams.ipynb",
    "02_ngrams/work.ipynb",
    "submission/02_ngrams.ipynb",
    "02_ngrams.ipynb/02_ngrams.ipynb",  # unpacked into a folder called like the file
    "course/02_ngrams/02_ngrams.ipynb",
    "Downloads/2026/02_ngrams/02_NGRAMS.IPYNB",
    "02_ngrams.ipynb.json",
    "02_ngrams.ipynb.txt",
    "02_Ngrams.ipynb",
]


@pytest.mark.parametrize("name", DEEP)
def test_a_notebook_too_deep_or_saved_under_a_browsers_name_is_found(tmp_path, name):
    put(tmp_path, name)
    put(tmp_path, "notes.txt", OTHER)
    assert read_submission(tmp_path, SLUG) == BOOK
    assert str(find_notebook(tmp_path, SLUG)) == name
    assert notebook_in(packed(("notes.txt", OTHER), (name, BOOK)), FILE_BYTES, SLUG) == BOOK


@pytest.mark.parametrize(
    "others",
    [
        ["scratch.ipynb"],
        ["02_ngrams-Copy1.ipynb", "02_ngrams (1).ipynb"],
        ["01_language_modelling.ipynb", "03_tokenization.ipynb"],
        ["backup/02_ngrams.ipynb"],
        ["a.zip", "b.zip"],
    ],
)
def test_of_several_the_one_with_the_units_name_counts(tmp_path, others):
    put(tmp_path, f"{SLUG}.ipynb")
    for name in others:
        put(tmp_path, name, OTHER)
    assert read_submission(tmp_path, SLUG) == BOOK
    entries = [*((name, OTHER) for name in others), (f"{SLUG}.ipynb", BOOK)]
    assert notebook_in(packed(*entries), FILE_BYTES, SLUG) == BOOK
    deep = tmp_path / "deep"
    for name in others:
        put(deep, name, OTHER)
    put(deep, f"x/{SLUG}.ipynb")
    if "backup/02_ngrams.ipynb" not in others:
        assert read_submission(deep, SLUG) == BOOK


def test_a_whole_course_in_an_archive_holds_the_unit():
    slugs = ["01_language_modelling", "02_ngrams", "03_tokenization"]
    entries = [(f"course/{s}/{s}.ipynb", BOOK if s == SLUG else OTHER) for s in slugs]
    assert notebook_in(packed(*entries), FILE_BYTES, SLUG) == BOOK


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a.ipynb", "b.ipynb"], r"got 2 (a.ipynb, b.ipynb)"),
        (["x/02_ngrams.ipynb", "y/02_ngrams.ipynb"], "got 2 (x/02_ngrams.ipynb, y/02_ngrams.ipynb"),
        (["work.rar", "notes.pdf"], "got 0 (notes.pdf, work.rar)"),
        (["02_ngrams.py"], "got 0 (02_ngrams.py)"),
        (["02_ngrams.html"], "got 0 (02_ngrams.html)"),
        (["work.7z"], "got 0 (work.7z)"),
        (["a/b/c/d/02_ngrams.ipynb"], "got 0 (a/b/c/d)"),
        ([f"{i}.csv" for i in range(9)], "got 0 (0.csv, 1.csv, 2.csv, 3.csv, 4.csv, ...)"),
        ([], "got 0 (none)"),
    ],
)
def test_the_message_names_what_was_seen(tmp_path, names, said):
    for name in names:
        put(tmp_path, name)
    assert said in unreadable(tmp_path)


def test_a_folder_of_a_thousand_files_is_not_walked_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(candidates, "FILES", 20)
    for i in range(30):
        put(tmp_path, f"data/{i}.csv")
    assert "more than 20 files" in unreadable(tmp_path)
    put(tmp_path, f"{SLUG}.ipynb")
    assert read_submission(tmp_path, SLUG) == BOOK


def test_links_to_folders_are_not_followed(tmp_path):
    put(tmp_path / "elsewhere", f"{SLUG}.ipynb")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "deep").symlink_to(tmp_path / "elsewhere")
    assert "got 0 (deep)" in unreadable(tmp_path / "mine")


# Archives of Windows


@pytest.mark.parametrize(
    "names",
    [
        ["02_ngrams\\02_ngrams.ipynb"],
        ["02_ngrams\\", "02_ngrams\\02_ngrams.ipynb"],
        ["My Documents\\unit 2\\work.ipynb", "My Documents\\unit 2\\data\\a.csv"],
        ["a\\b/c\\02_ngrams.ipynb"],
        [".\\02_ngrams.ipynb"],
        ["./02_ngrams.ipynb"],
        ["x\\02_ngrams.ipynb", "x\\Thumbs.db", "x\\.ipynb_checkpoints\\02_ngrams-checkpoint.ipynb"],
        ["x\\02_ngrams.ipynb", "__MACOSX\\x\\._02_ngrams.ipynb"],
        ["Übung\\02_ngrams.ipynb"],
    ],
)
def test_an_archive_of_a_windows_tool_is_read(tmp_path, names):
    entries = []
    for name in names:
        info = zipfile.ZipInfo("x")
        info.filename, info.create_system = name, 0
        entries.append((info, b"" if name.endswith("\\") else BOOK))
    put(tmp_path, "work.zip", packed(*entries))
    assert read_submission(tmp_path, SLUG) == BOOK


@pytest.mark.parametrize(
    "name", ["..\\a.ipynb", "x\\..\\..\\a.ipynb", "\\a.ipynb", "\\\\host\\a.ipynb", "C:\\a.ipynb"]
)
def test_backslashes_lead_nowhere_else(name):
    info = zipfile.ZipInfo("x")
    info.filename = name
    with pytest.raises(Unreadable, match="a path that"):
        notebook_in(packed((info, BOOK)), FILE_BYTES, SLUG)


def test_a_name_twice_is_a_name_twice_with_either_slash():
    entries = [("x/a.ipynb", BOOK), ("x\\A.ipynb", BOOK)]
    with pytest.raises(Unreadable, match="twice"):
        notebook_in(packed(*entries), FILE_BYTES, SLUG)


def test_an_archive_under_a_notebooks_name_is_an_archive(tmp_path):
    put(tmp_path, f"{SLUG}.ipynb", packed((f"{SLUG}.ipynb", BOOK)))
    assert read_submission(tmp_path, SLUG) == BOOK


def test_what_lies_beside_is_listed_with_its_archive(tmp_path):
    put(tmp_path, f"{SLUG}.ipynb")
    put(tmp_path, "copy/other.ipynb", OTHER)
    put(tmp_path, "all.zip", packed(("x/a.ipynb", OTHER), ("x/b.csv", b"")))
    put(tmp_path, "broken.zip", b"PK\x03\x04")
    os.mkfifo(tmp_path / "pipe.ipynb")
    assert dict(beside(tmp_path, SLUG, 9)) == {
        "copy/other.ipynb": OTHER, "all.zip: x/a.ipynb": OTHER
    }  # fmt: skip
    assert [name for name, _ in beside(tmp_path, SLUG, 1)] == ["all.zip: x/a.ipynb"]


def test_what_lies_beside_the_notebook_of_an_archive_is_the_rest_of_it(tmp_path):
    names = [f"{SLUG}-Copy1.ipynb", f"{SLUG}.ipynb", "x.csv"]
    put(tmp_path, "all.zip", packed(*((f"a/{name}", OTHER) for name in names)))
    assert [name for name, _ in beside(tmp_path, SLUG, 9)] == [f"all.zip: a/{SLUG}-Copy1.ipynb"]
