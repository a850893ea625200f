"""The sample class, graded end to end: exact scores, and no cheat above the blank."""

import json
import sys
from pathlib import Path

import pytest

from autograder import cli
from autograder.classroom.gradebook import scores
from autograder.classroom.room import Classroom
from autograder.classroom.round import report_of
from autograder.course import slugs
from tests.submissions import sample_class

ROOT = Path(__file__).parents[2]
SLUGS = slugs(ROOT)
HONEST = ("perfect", "other_style_with_warning", "duplicated_cell")
CHEATS = ("ast_transformer", "skip_execution", "symlink", "symlinked_notebook")
pytestmark = pytest.mark.usefixtures("wall")


def run(*arguments):
    """Run the command line in this process, as `make grade` does; must exit 0."""
    old, sys.argv = sys.argv, ["autograder", *map(str, arguments)]
    try:
        with pytest.raises(SystemExit) as stopped:
            cli.main()
    finally:
        sys.argv = old
    assert stopped.value.code == 0


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class directory after grading."""
    target = sample_class.build(tmp_path_factory.mktemp("sample") / "class")
    run("grade", "--course", target)
    return target


@pytest.fixture(params=SLUGS)
def slug(request):
    return request.param


def automatic(root, slug):
    return {e.student: e.result.points for e in report_of(Classroom.open(root), slug)}


def test_every_student_scores_exactly_what_the_work_deserves(graded, slug):
    wanted = sample_class.expected(graded, slug)
    assert automatic(graded, slug) == pytest.approx(wanted, abs=1e-3)  # points have 4 decimals


def test_honest_work_gets_ninety_and_no_cheat_more_than_the_blank(graded, slug):
    points = automatic(graded, slug)
    assert {points[name] for name in HONEST} == {90}
    assert points["blank"] == 0
    assert max(points[name] for name in CHEATS) <= points["blank"]
    assert 0 < points["worse_resubmission"] < points["partial"] < 90
    assert points["wrong_misconception"] < 90


def test_the_gradebook_says_the_same_and_waits_for_written_answers(graded, slug):
    book = scores(Classroom.open(graded), slug)
    assert {name: entry.score for name, entry in book.items()} == automatic(graded, slug)
    assert book["perfect"].needs_manual_grade
    assert not book["blank"].needs_manual_grade


def test_the_table_is_the_same_when_run_twice(graded, capsys):
    run("grade", "--course", graded)
    first = capsys.readouterr().out
    run("grade", "--course", graded)
    assert capsys.readouterr().out == first
    for slug in SLUGS:
        assert slug in first
    assert all(name in first for name in sample_class.CLASS)


def test_the_misconception_is_named_on_the_feedback_page(graded, slug):
    desk = sample_class.desk(graded, slug)
    hint = desk.answer(desk.ids[0], right=False).hint
    room = Classroom.open(graded)
    [entry] = report_of(room, slug, "wrong_misconception")
    [exercise] = [e for e in entry.result.exercises if e.name == desk.ids[0]]
    assert any(hint in case.message for case in exercise.cases)
    for name in sample_class.CLASS:
        page = room.folder("feedback", name, slug) / f"{slug}.html"
        assert "Score:" in page.read_text()


def test_nothing_but_the_notebook_comes_out_and_no_gradebook_in_it(graded, slug):
    for name in sample_class.CLASS:
        folder = graded / "autograded" / name / slug
        assert [p.name for p in folder.iterdir()] == [f"{slug}.ipynb"]
        assert not (folder / f"{slug}.ipynb").is_symlink()
        assert "SQLite format" not in (folder / f"{slug}.ipynb").read_text()


def test_what_went_wrong_is_said(graded, slug):
    said = {e.student: " ".join(e.result.notices) for e in report_of(Classroom.open(graded), slug)}
    assert "not a regular file" in said["symlinked_notebook"]
    assert "did not finish" in said["endless_loop"]
    assert "ended the Python process" in said["os_exit"]
    assert said["perfect"] == said["duplicated_cell"] == ""  # a stub once more is nothing odd


def test_the_worse_resubmission_was_perfect_at_first(graded, slug):
    current = {entry.key for entry in report_of(Classroom.open(graded), slug)}
    stored = [p for p in (graded / "results").glob("*.json") if p.stem not in current]
    earlier = [r for r in map(json.loads, map(Path.read_text, stored)) if r["unit"] == slug]
    assert [sum(e["points"] for e in r["exercises"]) for r in earlier] == [90]
    assert automatic(graded, slug)["worse_resubmission"] < 90


def test_a_directory_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(SystemExit, match="something else"):
        sample_class.build(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
