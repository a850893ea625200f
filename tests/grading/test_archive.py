"""Zip archives: the notebook in one is read, and nothing that an archive can do is done."""

import io
import stat
import time
import warnings
import zipfile

import pytest

from autograder.errors import Unreadable
from autograder.grading.archive import notebook_in
from autograder.grading.ingest import FILE_BYTES, parse, read_submission

BOOK = b'{"nbformat": 4, "cells": []}'


def packed(*entries, method=zipfile.ZIP_DEFLATED):
    """An archive of (name or ZipInfo, bytes)."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of names that occur twice
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for name, data in entries:
                archive.writestr(name, data, method)
    return buffer.getvalue()


def of_kind(name, kind):
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o777) << 16
    return info


def refused(data):
    with pytest.raises(Unreadable) as caught:
        notebook_in(data, FILE_BYTES)
    assert 10 < len(str(caught.value)) < 200 and "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_notebook_is_found_among_other_files(method):
    entries = [
        ("unit/", b""),
        ("unit/data.csv", b"1,2"),
        ("unit/work.ipynb", BOOK),
        ("unit/.ipynb_checkpoints/work-checkpoint.ipynb", b"old"),
        ("__MACOSX/unit/._work.ipynb", b"resources"),
    ]
    assert notebook_in(packed(*entries, method=method), FILE_BYTES) == BOOK


def test_a_submitted_archive_counts_where_there_is_no_notebook(tmp_path):
    (tmp_path / "work.zip").write_bytes(packed(("a.ipynb", BOOK)))
    assert read_submission(tmp_path) == BOOK
    (tmp_path / "other.zip").write_bytes(b"")
    with pytest.raises(Unreadable, match=r"got 2 \(other.zip, work.zip"):
        read_submission(tmp_path)
    (tmp_path / "own.ipynb").write_bytes(b"{}")
    assert read_submission(tmp_path) == b"{}"


@pytest.mark.parametrize(
    "name", ["../a.ipynb", "x/../../a.txt", "/etc/cron.d/a", "C:\\a.ipynb", "a\\..\\b", "C:a"]
)
def test_names_that_lead_elsewhere_are_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    info = zipfile.ZipInfo("x")
    info.filename = name  # as it is, not as ZipInfo would tidy it
    assert "a path that" in refused(packed((info, b"x"), ("work.ipynb", BOOK)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind):
    said = refused(packed((of_kind("work.ipynb", kind), b"/etc/passwd")))
    assert "a link or device, 'work.ipynb'" in said


@pytest.mark.parametrize(
    "names", [("a.ipynb", "A.IPYNB"), ("a.ipynb", "a.ipynb"), ("straße", "STRASSE"), ("x", "X/")]
)
def test_names_that_collide_are_refused(names):
    assert "twice" in refused(packed(*((name, BOOK) for name in names)))


def test_a_bomb_is_read_to_the_size_of_a_notebook_and_no_further():
    bomb = packed(("work.ipynb", bytes(200 * 2**20)))
    started = time.thread_time()
    data = notebook_in(bomb, FILE_BYTES)
    assert len(bomb) < 2**20 and len(data) == FILE_BYTES + 1 and time.thread_time() - started < 2
    with pytest.raises(Unreadable, match="larger than 20 MiB"):
        parse(data)


def test_archives_in_archives_are_not_opened():
    inner = packed(("work.ipynb", BOOK))
    assert "got 0" in refused(packed(("inner.zip", inner), ("again.ipynb.zip", inner)))


def test_a_directory_of_a_hundred_thousand_entries_is_refused_before_it_is_read():
    entry = packed(("a", b""))
    record = entry[entry.index(b"PK\x01\x02") : entry.index(b"PK\x05\x06")]
    started = time.thread_time()
    assert "more than 1000 entries" in refused(record * 100_000 + entry)
    assert time.thread_time() - started < 1


def test_passwords_and_rare_methods_are_refused():
    locked = bytearray(packed(("work.ipynb", BOOK)))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + place] |= 1
    assert "password" in refused(bytes(locked))
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert "packed in a way" in refused(packed(("work.ipynb", BOOK), method=method))


def test_damaged_archives_and_none_at_all_are_refused():
    whole = packed(("work.ipynb", BOOK * 100))
    assert "damaged" in refused(b"")
    assert "damaged" in refused(BOOK)
    assert "damaged" in refused(whole[:-30])
    assert "damaged" in refused(whole[:50] + b"\xff" * 10 + whole[60:])


def test_two_notebooks_are_not_chosen_from():
    assert "got 2 ('a.ipynb', 'b.ipynb')" in refused(packed(("a.ipynb", BOOK), ("b.ipynb", BOOK)))
