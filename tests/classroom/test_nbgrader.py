"""nbgrader's own commands, run as an instructor runs them, on a class that contains cheats."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory

from autograder.classroom.room import Classroom
from tests import toy_course
from tests.submissions.sample_class import TRANSFORMER
from tests.toy_course import SLUG, WRITTEN

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("wall")


def nbgrader(root, *arguments, ok=True):
    """Run an nbgrader command in the course directory and return what it printed."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=root, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert (done.returncode == 0) == ok, done.stderr
    return done.stdout + done.stderr


def score(root, student):
    with Gradebook(f"sqlite:///{root}/gradebook.db", "llmcourse") as book:
        return book.find_submission(SLUG, student).score


def extra(source):
    cell = {"cell_type": "code", "id": "extra", "metadata": {}, "outputs": []}
    return cell | {"execution_count": None, "source": source}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A course after generate_assignment, autograde and generate_feedback of a whole class."""
    root = toy_course.build(tmp_path_factory.mktemp("course"))
    (root / "gradebook.db").unlink()
    shutil.rmtree(root / "course")
    nbgrader(root, "generate_assignment", SLUG)
    hand_in(root)
    nbgrader(root, "autograde", SLUG)
    nbgrader(root, "generate_feedback", SLUG)
    return root


def hand_in(root):
    """The class: honest students, cheats, links and other files beside a notebook."""
    toy_course.submit(root, "honest", toy_course.solved(root, why="Because it is so."))
    toy_course.submit(root, "half", toy_course.solved(root, add="return a - b", mean="return 0"))
    cheat = toy_course.notebook(root)
    cheat["cells"].insert(0, extra(TRANSFORMER))
    for cell in cheat["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["metadata"]["tags"] = ["skip-execution"]
            cell["metadata"]["nbgrader"]["points"] = 1000
    toy_course.submit(root, "cheat", cheat)
    path = toy_course.submit(root, "linker", toy_course.notebook(root))
    (path.parent / "notes.txt").symlink_to("../../../gradebook.db")
    (path.parent / "data.csv").write_text("1,2\n")
    double = toy_course.solved(root)
    double["cells"] += [
        c for c in toy_course.notebook(root)["cells"] if "nbgrader" in c["metadata"]
    ]
    toy_course.submit(root, "double", double)


def test_generate_assignment_with_the_root_configuration_releases_no_solution(root):
    folder = root / "course" / SLUG
    assert [p.name for p in folder.iterdir()] == [f"{SLUG}.ipynb"]
    text = (folder / f"{SLUG}.ipynb").read_text()
    assert "BEGIN SOLUTION" not in text
    assert "return a + b" not in text


def test_autograde_scores_the_class_and_no_cheat(root):
    names = ("honest", "half", "cheat", "linker", "double")
    assert {n: score(root, n) for n in names} == {
        "honest": 90, "half": 60, "cheat": 0, "linker": 0, "double": 90
    }  # fmt: skip


def test_no_file_of_a_submission_is_copied(root):
    for student in ("linker", "honest"):
        assert os.listdir(root / "autograded" / student / SLUG) == [f"{SLUG}.ipynb"]


def test_feedback_shows_messages_of_hidden_tests_escaped(root):
    page = (root / "feedback" / "half" / SLUG / f"{SLUG}.html").read_text()
    assert "Score: 60.0 / 100.0" in page
    assert "read &lt;b&gt;add&lt;/b&gt; again" in page
    assert "read <b>add</b> again" not in page


def test_export_writes_the_scores(root):
    nbgrader(root, "export", "--to", "out.csv")
    with open(root / "out.csv", newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert (rows["honest"]["score"], rows["honest"]["max_score"]) == ("90.0", "100.0")


def test_a_written_answer_graded_by_hand_survives_autograde_force(root):
    with Gradebook(f"sqlite:///{root}/gradebook.db", "llmcourse") as book:
        grade = book.find_grade(WRITTEN, SLUG, SLUG, "honest")
        assert grade.needs_manual_grade
        grade.manual_score, grade.needs_manual_grade = 8, False
        book.db.commit()
    said = nbgrader(root, "autograde", SLUG, "--student", "honest", "--force")
    assert "honest 90_toy: graded, graded in the sandbox, 90 points" in said
    assert score(root, "honest") == 98
    said = nbgrader(root, "autograde", SLUG, "--student", "honest")
    assert "unchanged since it was graded" in said


def test_formgraders_button_grades_in_the_sandbox(root):
    toy_course.submit(root, "late", toy_course.solved(root, join="return words"))
    room = Classroom.open(root)
    api = NbGraderAPI(coursedir=CourseDirectory(config=room.config), config=room.config)
    done = api.autograde(SLUG, "late")
    assert done["success"], done
    assert "graded in the sandbox, 75 points" in done["log"]
    assert api.get_submission(SLUG, "late")["autograded"]
    assert score(root, "late") == 75


def test_worse_work_handed_in_again_scores_worse(root):
    toy_course.submit(root, "falling", toy_course.solved(root))
    nbgrader(root, "autograde", SLUG, "--student", "falling")
    book = toy_course.notebook(root)
    book["cells"] = [c for c in book["cells"] if "nbgrader" not in c["metadata"]]
    toy_course.submit(root, "falling", book)
    nbgrader(root, "autograde", SLUG, "--student", "falling")
    assert score(root, "falling") == 0


def test_nothing_runs_when_the_replacement_is_missing(root, tmp_path):
    other = tmp_path / "course"
    shutil.copytree(root, other, symlinks=True)
    shutil.rmtree(other / "autograded")
    shutil.rmtree(other / "submitted")
    config = (other / "nbgrader_config.py").read_text()
    (other / "nbgrader_config.py").write_text(config.replace("convert.install()", ""))
    book = toy_course.solved(root)
    book["cells"].insert(0, extra(f"open({str(tmp_path / 'ran')!r}, 'w')"))
    toy_course.submit(other, "honest", book)
    said = nbgrader(other, "autograde", SLUG, ok=False)
    assert "refused to run a submission outside the sandbox" in said
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["99_nothing"], "no unit '99_nothing'"),
        ([SLUG, "--student", "nobody"], "No notebooks were matched by"),
        ([SLUG, "--notebook", "other"], "No notebooks were matched by"),
        ([SLUG, "--Autograde.create_student=False", "--student", "new"], "no student 'new'"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_1(root, arguments, message):
    toy_course.submit(root, "new", toy_course.notebook(root))
    said = nbgrader(root, "autograde", *arguments, ok=False)
    assert message in said
    assert "Traceback" not in said
    assert len(re.findall(r"ERROR", said)) == 1


def test_points_in_the_autograded_notebook_are_what_nbgrader_itself_would_read(root):
    from nbformat import from_dict
    from nbgrader.utils import determine_grade

    path = root / "autograded" / "half" / SLUG / f"{SLUG}.ipynb"
    book = from_dict(json.loads(path.read_text()))
    read = {
        c.metadata.nbgrader.grade_id: determine_grade(c)[0]
        for c in book.cells
        if c.metadata.get("nbgrader", {}).get("grade") and c.cell_type == "code"
    }
    assert read["add_check"] == 0
    assert read["double_check"] == 15
