"""Text files of the world: read as they are written, refused with the line where they are wrong."""

import pytest

from llmcourse.world.engine import text_files
from llmcourse.world.engine.text_files import rows, rules, sections


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(text_files, "TEXTS", tmp_path)
    return tmp_path


def test_sections_come_in_order_without_comments_and_outer_blank_lines(folder):
    (folder / "toy.txt").write_text(
        "# Head.\n\n== one\n\n2: a\n    b  \n\n# aside\nc\n\n\n==  two words\nd\n", "utf-8"
    )
    assert list(sections("toy").items()) == [("one", "2: a\n    b\n\nc"), ("two words", "d")]


def test_nobody_changes_the_sections_of_others(folder):
    (folder / "toy.txt").write_text("== one\na\n")
    sections("toy")["one"] = "changed"
    assert sections("toy") == {"one": "a"}


def test_several_files_are_one_grammar_with_each_rule_once(folder):
    for name in ("one", "two"):
        (folder / f"{name}.txt").write_text(f"== {name}\na\n")
    assert rules("one", "two") == {"one": "a", "two": "a"}
    (folder / "three.txt").write_text("== one\nb\n")
    with pytest.raises(ValueError, match=r"expected each rule in one file, got 'one' in three.txt"):
        rules("one", "two", "three")


def test_rows_are_the_words_of_each_line():
    assert rows("a b\nc  d e") == (("a", "b"), ("c", "d", "e"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected sections with text in toy.txt, got no line that begins with =="),
        (b"# Head.\n", "expected sections with text in toy.txt, got no line that begins with =="),
        (b"# Head.\n\na b\n", "expected a section before the text in toy.txt, line 3, got 'a b'"),
        (b"== one\na\n==\nb\n", "expected a new name after == in toy.txt, line 3, got no name"),
        (b"== one\na\n== one\nb", "expected a new name after == in toy.txt, line 3, got 'one' ag"),
        (b"== one\n\n== two\nb\n", "expected sections with text in toy.txt, got nothing under =="),
        (b"== one\n\xff\n", "expected toy.txt in UTF-8, got the byte 0xff at offset 7: save"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(folder, content, message):
    (folder / "toy.txt").write_bytes(content)
    with pytest.raises(ValueError, match="^" + message) as caught:
        sections("toy")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_refused_with_those_that_are(folder):
    (folder / "toy.txt").write_text("== one\na\n")
    with pytest.raises(
        ValueError, match=r"^expected a text of the world, got 'toys': choose one of toy$"
    ):
        sections("toys")


def test_every_file_can_be_read_and_says_first_what_it_holds():
    paths = sorted(text_files.TEXTS.glob("*.txt"))
    assert len(paths) > 20
    for path in paths:
        assert path.read_text(encoding="utf-8").startswith("# "), path
        assert sections(path.stem)
