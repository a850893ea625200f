"""Real English: what is built in, what is downloaded, and what is said when neither can be had."""

import hashlib
import logging
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.text import corpora as data

FAKE = b"First Citizen:\nBefore we proceed any further, hear me speak.\n"


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    """No test sees a text that another one loaded, nor a cache or a network."""
    own = os.environ.get("LLMCOURSE_DATA")
    data.text.cache_clear()
    data.english.cache_clear()
    monkeypatch.delenv("LLMCOURSE_DATA", raising=False)
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / "cache")
    monkeypatch.setattr(socket, "getaddrinfo", _no_network)
    yield own
    data.text.cache_clear()
    data.english.cache_clear()


def _no_network(*args, **kwargs):
    raise socket.gaierror("no network in tests")


@pytest.fixture
def fake(monkeypatch):
    source = data.Download(
        "tinyshakespeare.txt", "https://example.invalid/x", hashlib.sha256(FAKE).hexdigest()
    )
    monkeypatch.setitem(data.DOWNLOADS, "tinyshakespeare", source)


def test_built_in_texts_are_long_and_readable():
    assert len(data.text("manual")) > 300_000
    assert len(data.text("docstrings")) > 150_000
    assert data.text("manual").count(" the ") > 1000
    assert data.fingerprint("manual") != data.fingerprint("docstrings")
    assert len(data.fingerprint("manual")) == 12


def test_texts_are_the_same_when_loaded_again():
    before = [data.fingerprint(name) for name in data.BUILT_IN]
    data.text.cache_clear()
    assert [data.fingerprint(name) for name in data.BUILT_IN] == before


def test_unknown_text_lists_those_there_are():
    listed = "manual, docstrings, tinyshakespeare, questions-words"
    with pytest.raises(data.DataError, match=f"expected one of {listed}, got 'poems'"):
        data.text("poems")


def test_local_folder_comes_first(monkeypatch, tmp_path, fake):
    (tmp_path / "tinyshakespeare.txt").write_bytes(FAKE)
    monkeypatch.setenv("LLMCOURSE_DATA", str(tmp_path))
    assert data.text("tinyshakespeare") == FAKE.decode()
    assert data.english().name == "tinyshakespeare"


def test_local_file_with_another_content_is_refused(monkeypatch, tmp_path, fake):
    (tmp_path / "tinyshakespeare.txt").write_bytes(FAKE + b"!")
    monkeypatch.setenv("LLMCOURSE_DATA", str(tmp_path))
    with pytest.raises(data.DataError, match=r"with sha256 .* replace the file or remove it"):
        data.text("tinyshakespeare")


def test_cache_is_used_without_a_network(tmp_path, fake):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "tinyshakespeare.txt").write_bytes(FAKE)
    assert data.text("tinyshakespeare") == FAKE.decode()


def test_offline_and_absent_is_one_line_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("LLMCOURSE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(data.DataError) as caught:
        data.text("tinyshakespeare")
    message = str(caught.value)
    assert "\n" not in message
    assert "LLMCOURSE_DATA" in message
    assert "manual, docstrings" in message


def test_offline_english_is_the_manual_and_silent(capfd, caplog):
    with caplog.at_level(logging.INFO):
        corpus = data.english()
    assert corpus.name == "manual"
    assert corpus.train + corpus.held_out == data.text("manual")
    assert len(corpus.held_out) == pytest.approx(0.1 * len(data.text("manual")), abs=1)
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if "pooch" in record.name]


def test_download_failure_leaves_nothing_behind(tmp_path):
    with pytest.raises(data.DataError):
        data.text("tinyshakespeare")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_real_tiny_shakespeare(fresh, monkeypatch):
    if not fresh or not (Path(fresh) / "tinyshakespeare.txt").is_file():
        pytest.skip("set LLMCOURSE_DATA to a folder with tinyshakespeare.txt")
    monkeypatch.setenv("LLMCOURSE_DATA", fresh)
    assert len(data.text("tinyshakespeare")) == 1_115_394
    assert len(set(data.text("tinyshakespeare"))) == 65
    corpus = data.english()
    assert (corpus.name, len(corpus.train), len(corpus.held_out)) == (
        "tinyshakespeare",
        1_003_854,
        111_540,
    )


@given(st.text())
def test_words_drop_only_spaces(text):
    words = data.words(text)
    assert "".join(words) == "".join(text.split())
    assert all(words)


def test_words_by_hand():
    assert data.words("") == []
    assert data.words("O Romeo, Romeo!") == ["O", "Romeo", ",", "Romeo", "!"]
    assert data.words("'tis John's o'clock -- 3.5") == [
        "'",
        "tis",
        "John",
        "'s",
        "o'clock",
        "-",
        "-",
        "3",
        ".",
        "5",
    ]


@given(st.text(min_size=2), st.floats(0.001, 0.999))
def test_split_loses_nothing_and_leaves_no_part_empty(text, share):
    train, held_out = data.split(text, share)
    assert train + held_out == text
    assert train
    assert held_out


@pytest.mark.parametrize("share", [0, 1, -0.1, 2])
def test_split_refuses_a_share_out_of_range(share):
    with pytest.raises(ValueError, match="expected held_out between 0 and 1"):
        data.split("some text", share)


def test_split_refuses_a_text_too_short_to_cut():
    with pytest.raises(ValueError, match="expected 2 or more characters"):
        data.split("x")


@pytest.mark.parametrize(
    "word",
    [
        "हिन्दी",
        "ภาษาไทย",
        "น้ำ",
        "cafe\u0301",
        "a\u0308o\u0308",
        "می\u200cخواهم",
        "naïve",
        "e\u0301'e\u0301",
    ],
)
def test_words_keep_their_combining_marks(word):
    assert data.words(f"{word} {word}, {word}.") == [word, word, ",", word, "."]
    if "'" not in word:
        assert data.words(f"{word}'s") == [word, "'s"]


def test_words_refuse_a_list():
    with pytest.raises(TypeError, match="expected a text as one string, got list"):
        data.words(["a", "b"])


@pytest.fixture
def course(monkeypatch, tmp_path, fake):
    """A course with its texts in `data`, and a notebook's folder in it to work in."""
    place = tmp_path / "course"
    (place / "data").mkdir(parents=True)
    (place / "data" / "tinyshakespeare.txt").write_bytes(FAKE)
    (place / "02_ngrams").mkdir()
    monkeypatch.setenv("LLMCOURSE_DATA", "data")
    return place


@pytest.mark.parametrize("folder", [".", "02_ngrams"])
def test_a_relative_folder_is_found_from_a_notebook_s_folder_too(monkeypatch, course, folder):
    monkeypatch.chdir(course / folder)
    assert data.local_folder() == (course / "data").resolve()
    assert data.english().name == "tinyshakespeare"


def test_a_relative_folder_beside_the_course_is_found(monkeypatch, course):
    (course.parent / "shared").mkdir()
    monkeypatch.setenv("LLMCOURSE_DATA", "../shared")
    monkeypatch.chdir(course / "02_ngrams")
    assert data.local_folder() == (course.parent / "shared").resolve()


@pytest.mark.parametrize("name", ["nowhere", "/nowhere/at/all"])
def test_a_folder_that_does_not_exist_is_one_line_and_no_other_text(monkeypatch, course, name):
    monkeypatch.chdir(course)
    monkeypatch.setenv("LLMCOURSE_DATA", name)
    for load in (data.english, lambda: data.text("tinyshakespeare"), data.local_folder):
        with pytest.raises(data.DataError, match=f"got '{name}', which does not exist") as caught:
            load()
        assert "\n" not in str(caught.value)
    assert data.text("manual")  # needs no folder


def test_no_folder_is_asked_for_where_the_variable_is_empty(monkeypatch):
    monkeypatch.setenv("LLMCOURSE_DATA", "")
    assert data.local_folder() is None
