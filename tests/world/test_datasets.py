"""Data sets by name and on disk."""

import json
import os
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from llmcourse.world import datasets
from llmcourse.world.datasets import DATASETS, load, record_type

WORLD = Path(datasets.__file__).parent
OPTIONS = {"agreement_pairs": {"distance": 3}}  # what a data set cannot do without


def records(name, n=5, **options):
    return list(load(name, n, **OPTIONS.get(name, {}), **options))


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_gives_n_records_of_its_type(name):
    found = records(name)
    assert len(found) == 5
    assert {type(record) for record in found} == {record_type(name)}


@pytest.mark.parametrize("name", DATASETS)
def test_records_come_back_from_the_disk_as_they_were(name, tmp_path):
    fresh = records(name)
    assert records(name, cache=tmp_path) == fresh
    (file,) = tmp_path.iterdir()
    assert len(file.read_text(encoding="utf-8").splitlines()) == 5
    assert records(name, cache=tmp_path) == fresh
    assert list(tmp_path.iterdir()) == [file]


def test_the_cache_is_read_not_made_again(tmp_path):
    records("parallel", cache=tmp_path)
    (file,) = tmp_path.iterdir()
    changed = json.loads(file.read_text(encoding="utf-8").splitlines()[0]) | {"source": ["Kept"]}
    file.write_text(json.dumps(changed) + "\n", encoding="utf-8")
    (record,) = records("parallel", cache=tmp_path)
    assert record.source == ("Kept",)


def test_another_configuration_is_another_file(tmp_path, monkeypatch):
    for change in ({}, {"seed": 1}, {"split": "test"}, {"max_words": 9}):
        records("parallel", cache=tmp_path, **change)
    records("parallel", n=6, cache=tmp_path)
    monkeypatch.setattr(datasets, "world_version", lambda: "another world")
    records("parallel", cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 6


FILES = sorted(
    path.relative_to(WORLD) for kind in ("py", "txt") for path in WORLD.rglob(f"*.{kind}")
)
ONE_OF_EACH_ROOM = {path.parts[0]: path for path in FILES}


def test_there_are_rooms_and_texts():
    assert {"engine", "facts", "story", "language", "chat", "tasks", "texts"} < set(
        ONE_OF_EACH_ROOM
    )


@pytest.mark.parametrize("name", ONE_OF_EACH_ROOM.values(), ids=str)
@pytest.mark.parametrize("change", ["edit", "remove", "rename"])
def test_the_version_of_the_world_depends_on_every_room_and_text(tmp_path, name, change):
    folder = tmp_path / "world"
    shutil.copytree(WORLD, folder, ignore=shutil.ignore_patterns("__pycache__"))
    before, path = datasets._hash_of(folder), folder / name
    assert before == datasets.world_version()
    if change == "edit":
        path.write_bytes(path.read_bytes() + b"#\n")
    elif change == "remove":
        path.unlink()
    else:
        path.rename(path.with_stem("other"))
    assert datasets._hash_of(folder) != before


def test_the_version_of_the_world_does_not_depend_on_compiled_files(tmp_path):
    (tmp_path / "a.py").write_text("1")
    before = datasets._hash_of(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"2")
    assert datasets._hash_of(tmp_path) == before


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    whole = DATASETS["stories"]

    def breaks(n):
        yield from islice(whole(n), 2)
        raise OSError("disk full")

    monkeypatch.setitem(DATASETS, "stories", breaks)
    with pytest.raises(OSError, match="disk full"):
        load("stories", 5, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda _: load("poems", 1), "expected data set to be one of stories, .*, got 'poems'"),
        (lambda _: load("parallel", 0), "expected n of 1 or more, got 0"),
        (lambda _: load("parallel", -3), "expected n of 1 or more, got -3"),
        (lambda _: load("stories", 1, bias=1.5), "expected bias between 0 and 1, got 1.5"),
        (lambda _: load("parallel", 1, split="dev"), "expected split to be one of train, test"),
        (lambda p: load("stories", 1, cache=p / "no"), "expected an existing folder .* got .*no:"),
    ],
)
def test_bad_input_is_one_clear_line(call, message, tmp_path):
    with pytest.raises(ValueError, match=message) as caught:
        call(tmp_path)
    assert "\n" not in str(caught.value)


def test_records_do_not_depend_on_the_process():
    """Sets of strings are in another order under another hash seed; nothing may follow from it."""
    code = (
        "import hashlib; from llmcourse import world; print({name: hashlib.sha256(repr(list("
        f"world.load(name, 100, **{OPTIONS!r}.get(name, {{}})))).encode()).hexdigest() "
        "for name in world.DATASETS})"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
