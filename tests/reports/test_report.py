"""What the terminal and the report page show of a class, and that nothing in it can act."""

import base64
import io

import numpy as np
import pytest
from matplotlib import image

from autograder.classroom.gradebook import Graded, Scores
from autograder.course import load_unit
from autograder.files import printable
from autograder.reports import page as report_page
from autograder.reports.analysis import Analysis, Difficulty, Misconception
from autograder.reports.table import class_table, headline, summary
from tests import toy_course
from tests.graded import result
from tests.toy_course import SLUG

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    return load_unit(toy_course.build(tmp_path_factory.mktemp("toy")), SLUG)


@pytest.fixture(scope="module")
def about(unit):
    exercises = (
        Difficulty("add", "sums", 15, 1.0, 0.25, 5.0, 0.41),
        Difficulty("double", "twice", 15, 0.75, 0.75, 11.25, None),
    )
    hints = (Misconception("add", "is the sign lost?\x1b[31m", 2), Misconception("add", ATTACK, 1))
    return Analysis(unit.info, (98, 60, 80, 0), 1, 2, 3, exercises, hints)


# The class table


def test_class_table_has_a_line_a_student_with_points_state_and_notices(unit):
    entries = [
        Graded("bob", SLUG, result(None, ("no notebook",), (), "unreadable"), "", ""),
        Graded("ann\x1b[31m", SLUG, result(None), "", ""),
        Graded("cid", SLUG, result(None, ("down",), (), "infrastructure"), "", ""),
    ]
    book = {"ann\x1b[31m": Scores(97, True, None), "bob": Scores(0, False, None)}
    table = class_table(unit, entries, book)
    lines = table.splitlines()
    assert lines[0] == "90_toy: Toys"
    assert lines[2].split()[:1] == ["ann\\x1b[31m"]
    assert lines[2].split()[1:9] == ["15"] * 6 + ["90", "97"]
    assert lines[2].endswith("graded; written answer to read")
    assert lines[3].split() == ["bob"] + ["0"] * 8 + ["unreadable"]
    assert lines[4].split() == ["cid"] + ["?"] * 8 + ["infrastructure"]
    assert "1 add (15)" in table
    assert "  bob: no notebook" in lines
    assert "\x1b" not in table


def test_columns_end_at_the_same_place(unit):
    entries = [Graded(name, SLUG, result(None), "", "") for name in ("a", "a-long-name")]
    header, first, second = class_table(unit, entries, {}).splitlines()[1:4]
    assert first.index("graded") == second.index("graded") == header.index("state")


# The summary


def test_headline_says_what_is_left_to_do(about):
    assert headline(about) == (
        "4 submissions, mean 59.5 and median 70.0 of 100 points; written answers to read: 3; "
        "unreadable: 1; students who handed in nothing: 2"
    )


def test_summary_has_a_line_an_exercise_and_a_line_a_hint(about):
    lines = [line.split() for line in summary(about).splitlines()]
    assert ["add", "100%", "25%", "5.0", "15", "0.41"] in lines
    assert ["double", "75%", "75%", "11.2", "15", "-"] in lines
    assert "    2  add: is the sign lost?\\x1b[31m" in summary(about).splitlines()
    assert "\x1b" not in summary(about)


def test_bars_are_as_long_as_their_counts(unit):
    about = Analysis(unit.info, (5, 5, 5, 5, 95, 95, 55), 0, 0, 0, (), ())
    bars = {line.split()[0]: line.count("#") for line in summary(about).splitlines()[1:11]}
    assert bars == {str(10 * i): 0 for i in range(10)} | {"0": 40, "90": 20, "50": 10}


# The page


def test_page_holds_numbers_pictures_and_hints_and_nothing_live(about):
    page = report_page.as_page([about], {SLUG: b"picture"}, "2030-01-01")
    assert "Toys" in page and "sums (<code>add</code>)" in page and "2030-01-01" in page
    assert '<div style="width: 25%"></div>' in page and "5.0 of 15" in page and "0.41" in page
    assert base64.b64encode(b"picture").decode() in page
    assert "&lt;script&gt;alert(1)" in page and "<script" not in page and "<img src=x" not in page
    assert "http" not in page  # nothing is loaded from elsewhere


def test_a_class_of_unreadable_work_has_a_page(unit, tmp_path):
    about = Analysis(unit.info, (0.0,), 1, 0, 0, (), ())
    page = report_page.write([about], tmp_path).read_text()
    assert "1 submission, mean 0.0" in page
    assert "<h3>" not in page


def test_picture_is_written_beside_the_page_the_same_each_time(about, tmp_path):
    assert report_page.write([about], tmp_path / "new") == tmp_path / "new" / "index.html"
    png = (tmp_path / "new" / f"{SLUG}.png").read_bytes()
    pixels = image.imread(io.BytesIO(png))
    assert pixels.shape[0] >= 400 and np.ptp(pixels) > 0.5
    assert report_page.score_distribution(about) == png


def test_printable_shows_what_would_move_the_cursor():
    assert printable("a\x1b[2J\rb\u202eé") == "a\\x1b[2J\\rb\\u202eé"
