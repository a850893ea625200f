"""The instructor's commands: what they print, and one line with the remedy for what goes wrong."""

import datetime
import os
import shutil
import subprocess
import sys

import pytest
from nbconvert.writers import FilesWriter

from autograder import cli
from autograder.classroom import round as marking
from autograder.classroom.gradebook import scores
from autograder.classroom.room import Classroom
from autograder.classroom.schedule import Workers
from autograder.errors import SandboxFailed, SandboxUnavailable
from autograder.exercise import CaseResult
from autograder.grading.result import ExerciseResult, Result
from tests import toy_course
from tests.toy_course import SLUG, WRITTEN


@pytest.fixture
def root(tmp_path):
    return toy_course.build(tmp_path / "toy")


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command line in this process: (exit status, standard output, error lines)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["autograder", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        lines = [line for line in said.err.splitlines() if line.startswith("autograder:")]
        assert "Traceback" not in said.err
        return stopped.value.code, said.out, lines

    return run


@pytest.fixture
def sandbox(monkeypatch):
    """Grades without a sandbox and workers: 15 points for everything, and fails as told."""
    failures = []

    def grade(submission, unit, **options):
        if failures:
            raise failures[0]
        case = CaseResult("p", 1, True, "")
        exercises = tuple(
            ExerciseResult(e.id, 15, 15, "graded", "", (case,)) for e in unit.info.exercises
        )
        return Result(unit.slug, "graded", exercises, (), None, 0.0)

    monkeypatch.setattr(marking, "grade", grade)
    monkeypatch.setattr(Workers, "__call__", lambda self, tasks: ())
    return failures


def test_grade_prints_the_table_twice_the_same_and_writes_feedback(root, run, sandbox):
    for name in ("bob", "ann"):
        toy_course.submit(root, name, toy_course.solved(root))
    status, first, errors = run("grade", "90", "--course", root)
    assert (status, errors) == (0, [])
    assert first.index("ann ") < first.index("bob ")
    assert (root / "feedback" / "ann" / SLUG / f"{SLUG}.html").is_file()
    status, second, _ = run("grade", "--course", root)
    assert (status, second) == (0, first)


def test_feedback_takes_marks_and_penalties_into_the_pages_without_grading(root, run, sandbox):
    with (root / "nbgrader_config.py").open("a") as config:
        config.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    for name in ("ann", "late"):
        path = toy_course.submit(root, name, toy_course.solved(root, why="Because."))
        if name == "late":
            path.with_name("timestamp.txt").write_text("2030-01-02 00:00:00 UTC")
    with Classroom.open(root).book() as book:
        book.update_or_create_assignment(SLUG, duedate=datetime.datetime(2030, 1, 1))
    run("grade", "--course", root)
    with Classroom.open(root).book() as book:
        for name in ("ann", "late"):
            grade = book.find_grade(WRITTEN, SLUG, SLUG, name)
            grade.manual_score, grade.needs_manual_grade = 8, False
        book.db.commit()
    sandbox.append(AssertionError("nothing is to be graded"))
    status, said, errors = run("feedback", "--course", root)
    assert (status, errors) == (0, []) and said.startswith("2 pages: ")
    for name, total in (("ann", "98.0"), ("late", "0.0")):
        page = (root / "feedback" / name / SLUG / f"{SLUG}.html").read_text()
        assert f"Score: {total} / 100.0" in page
    assert "graded; written answer to read" not in run("report", "--course", root)[1]


def test_report_prints_the_same_table_and_difficulties_and_writes_a_page(root, run, sandbox):
    toy_course.submit(root, "ann-1", toy_course.solved(root))
    _, graded, _ = run("grade", "--course", root)
    status, report, _ = run("report", SLUG, "--course", root)
    assert status == 0
    assert report[: report.index("1 submission,")].strip() in graded
    assert "what went wrong" not in report
    page = root / "build" / "report" / "index.html"
    assert f"report page: {page}" in report
    assert "Toys" in page.read_text() and "ann-1" not in page.read_text()
    page.unlink()
    status, one, _ = run("report", SLUG, "--student", "ann-*", "--course", root)
    assert status == 0 and "ann-1" in one and "submission," not in one
    assert not page.exists()  # a page of one student would name who it is about


def test_export_writes_a_file_a_format_and_says_what_is_open(root, run, sandbox):
    toy_course.submit(root, "ann", toy_course.solved(root))
    run("grade", "--course", root)
    for form in ("csv", "canvas", "moodle"):
        status, said, _ = run("export", "--format", form, "--course", root)
        path = root / "build" / f"grades_{form}.csv"
        assert (status, said) == (0, f"{path}\n")
        assert "ann" in path.read_text()
    mine = root / "mine.csv"
    assert run("export", "90", "--to", mine, "--course", root)[0] == 0
    assert mine.is_file()


def test_export_in_an_unknown_format_names_the_known_ones(root, run):
    status, _, [error] = run("export", "--format", "xls", "--course", root)
    assert status == 2
    assert "expected --format to be one of csv, canvas, moodle" in error


@pytest.mark.parametrize("name", ["b*", "[ab]nn", "a?n"])
def test_an_id_with_a_pattern_in_it_is_a_student_like_any_other(root, run, sandbox, name):
    for student in (name, "ann"):
        toy_course.submit(root, student, toy_course.solved(root))
    status, table, errors = run("grade", "--course", root)
    assert (status, errors) == (0, [])
    assert f"\n{name} " in table
    assert (root / "feedback" / name / SLUG / f"{SLUG}.html").is_file()


def test_one_student_can_be_graded_alone(root, run, sandbox):
    for name in ("bob", "ann"):
        toy_course.submit(root, name, toy_course.solved(root))
    status, table, _ = run("grade", SLUG, "--student", "ann", "--course", root)
    assert status == 0
    assert "bob" not in table


def test_nothing_handed_in(root, run):
    status, _, [error] = run("grade", "--course", root)
    assert status == 1
    assert "no submissions found: expected directories" in error
    assert "submitted" in error


@pytest.mark.parametrize("command", ["report", "feedback", "export"])
def test_nothing_graded_yet(root, run, command):
    status, _, [error] = run(command, "--course", root)
    assert status == 1
    assert "run `autograder grade`" in error


@pytest.mark.parametrize("command", ["grade", "feedback", "report", "export", "release", "build"])
def test_unknown_unit_names_the_nearest_and_exits_2(root, run, command):
    status, _, [error] = run(command, "90_tyo", "--course", root)
    assert status == 2
    assert "no unit '90_tyo'" in error
    assert f"did you mean {SLUG}?" in error


@pytest.mark.parametrize(
    "arguments", [["grade", "--fast"], ["mark"], ["release", "--hints", "7"], ["grade", "1", "2"]]
)
def test_wrong_options_exit_2(root, run, arguments):
    status, _, errors = run(*arguments)
    assert status == 2
    assert len(errors) == 1


def test_a_directory_that_is_no_course(tmp_path, run):
    status, _, [error] = run("grade", "--course", tmp_path)
    assert status == 1
    assert "use --course DIR" in error


@pytest.mark.parametrize("command", ["grade", "report"])
def test_every_directory_is_in_the_table_or_in_a_line(root, run, sandbox, command):
    toy_course.submit(root, "ann", toy_course.solved(root))
    if command == "report":
        assert run("grade", "--course", root)[0] == 0
    numbered = toy_course.submit(root, "bob", toy_course.solved(root, why="b")).parent
    numbered.rename(numbered.with_name("90"))
    for name in (f"{SLUG}/cid", "dan/homework", "dan/\x1b[31m", "eve", f"ann/{SLUG}-2"):
        (root / "submitted" / name).mkdir(parents=True)
    (root / "submitted" / "__MACOSX").mkdir()
    (root / "submitted" / "ann" / ".DS_Store").touch()
    status, said, errors = run(command, "--course", root)
    assert (status, errors) == (0, [])
    assert ("\nbob " in said) == (command == "grade")
    assert ("not graded yet: bob" in said) == (command == "report")
    table, _, lines = said.partition("in submitted/, but in no table:\n")
    assert "90_toy: Toys" in table and "\x1b" not in said
    assert lines.split("\n\n")[0].splitlines() == [
        f"  90_toy: expected a folder of a unit in it (such as {SLUG} or 90), got cid",
        f"  ann: {SLUG}-2 is the folder of no unit (such as {SLUG} or 90)",
        f"  dan: expected a folder of a unit in it (such as {SLUG} or 90), got \\x1b[31m, homework",
        f"  eve: expected a folder of a unit in it (such as {SLUG} or 90), got none",
    ]


def test_work_of_other_units_only_is_said_below_the_table(root, run, sandbox):
    toy_course.submit(root, "ann", toy_course.solved(root))
    shutil.copytree(root / "solutions" / SLUG, root / "solutions" / "91_else")
    (root / "submitted" / "bob" / "91").mkdir(parents=True)
    assert "nothing handed in: bob\n" in run("grade", SLUG, "--course", root)[1]


def test_where_nothing_is_found_the_error_names_what_was_seen(root, run):
    (root / "submitted" / SLUG / "ann").mkdir(parents=True)
    status, _, [error] = run("grade", "--course", root)
    assert status == 1
    assert f"{SLUG}: expected a folder of a unit in it" in error and "got ann" in error


def test_nbgraders_own_command_says_what_it_leaves_out(root, sandbox, caplog):
    from nbgrader.apps import NbGraderAPI

    from autograder.classroom import convert

    convert.install()
    numbered = toy_course.submit(root, "ann", toy_course.solved(root)).parent
    numbered.rename(numbered.with_name("90"))
    (root / "submitted" / "bob").mkdir()
    room = Classroom.open(root)
    app = NbGraderAPI(coursedir=room.nbgrader_directory(SLUG, "*"), config=room.config)
    done = app.autograde(SLUG, "ann", force=False, create=True)
    assert done["success"], done
    assert scores(room, SLUG)["ann"].score == 90


def test_an_unreadable_notebook_is_a_row_and_no_failure(root, run, sandbox):
    (root / "submitted" / "ann" / SLUG).mkdir(parents=True)
    status, table, errors = run("grade", "--course", root)
    assert (status, errors) == (0, [])
    assert "unreadable" in table


def test_missing_bubblewrap_names_the_command_and_records_nothing(root, run, sandbox):
    toy_course.submit(root, "ann", toy_course.solved(root))
    sandbox.append(SandboxUnavailable("no bwrap: run `apt-get install bubblewrap`"))
    status, _, [error] = run("grade", "--course", root)
    assert status == 1
    assert "apt-get install bubblewrap" in error
    assert not (root / "autograded").exists()


def test_bubblewrap_absent_from_the_path_is_said_so(root, run, monkeypatch):
    toy_course.submit(root, "ann", toy_course.solved(root))
    monkeypatch.setenv("PATH", str(root))
    for arguments in (["doctor"], ["grade", "--course", root]):
        status, _, [error] = run(*arguments)
        assert status == 1
        assert "apt-get install bubblewrap" in error


def test_a_failure_of_ours_is_shown_and_exits_1(root, run, sandbox):
    toy_course.submit(root, "ann", toy_course.solved(root))
    sandbox.append(SandboxFailed("it did not start"))
    status, table, [error] = run("grade", "--course", root)
    assert status == 1
    assert "infrastructure" in table
    assert "it did not start" in table
    assert "run the same command again" in error
    sandbox.clear()
    assert run("grade", "--course", root)[0] == 0


def test_a_full_disk_is_one_line_and_the_next_run_completes(root, run, sandbox, monkeypatch):
    toy_course.submit(root, "ann", toy_course.solved(root))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        status, _, [error] = run("grade", "--course", root)
    assert status == 1
    assert "No space left on device" in error
    left = {p.name for p in root.rglob("*") if p.is_file() and "toy" not in p.name}
    assert left == {"nbgrader_config.py", "unit.toml", "gradebook.db"}
    assert run("grade", "--course", root)[0] == 0


@pytest.mark.parametrize("first", ["grade", "feedback"])
def test_no_room_for_feedback_pages_is_one_line_and_loses_nothing(
    root, run, sandbox, monkeypatch, first
):
    for name in ("ann", "bob"):
        toy_course.submit(root, name, toy_course.solved(root))
    pages = {root / "feedback" / name / SLUG / f"{SLUG}.html" for name in ("ann", "bob")}
    if first == "feedback":
        assert run("grade", "--course", root)[0] == 0

    def full(self, output, resources, **names):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(FilesWriter, "write", full)
        status, _, [error] = run(first, "--course", root)
    assert status == 1 and "expected room on the disk, got No space left on device" in error
    assert "grades are kept: make room, then run the same command again" in error
    monkeypatch.setattr(marking, "grade", None)  # nothing is graded again
    assert run(first, "--course", root)[0] == 0 and all(page.is_file() for page in pages)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "raise ValueError('a\\nb')",
            "but got ValueError: a: mend it in solutions/90_toy/90_toy.py",
        ),
        ("import os; os._exit(1)", "but got Kernel died"),
    ],
)
def test_a_notebook_that_does_not_build_is_one_line_with_its_cell(root, run, body, said):
    source = root / "solutions" / SLUG / f"{SLUG}.py"
    stub = "check.add(add);\n"
    assert source.read_text().count(stub) == 1
    source.write_text(source.read_text().replace(stub, f"{body}\n"))
    before = (root / "solutions" / SLUG / f"{SLUG}.ipynb").read_bytes()
    status, _, [error] = run("build", "90", "--course", root)
    assert status == 1 and said in error
    assert f"{SLUG}: cell 4 of" in error and f"(`{body}`)" in error
    assert (root / "solutions" / SLUG / f"{SLUG}.ipynb").read_bytes() == before


def test_ctrl_c_keeps_what_is_graded(root, run, sandbox, monkeypatch):
    for name in ("ann", "bob"):
        toy_course.submit(root, name, toy_course.solved(root, why=name))
    whole = marking.grade

    def interrupted(submission, unit, **options):
        if b"bob" in submission:
            raise KeyboardInterrupt
        return whole(submission, unit, **options)

    with monkeypatch.context() as patch:
        patch.setattr(marking, "grade", interrupted)
        status, _, [error] = run("grade", "--course", root)
    assert status == 130
    assert "goes on from there" in error
    assert len(list((root / "results").glob("*.json"))) == 1
    status, table, _ = run("grade", "--course", root)
    assert status == 0
    assert "bob" in table


def test_a_gradebook_that_is_none_is_one_line(root, run, sandbox):
    toy_course.submit(root, "ann", toy_course.solved(root))
    (root / "gradebook.db").write_text("not a database, certainly " * 100)
    status, _, [error] = run("grade", "--course", root)
    assert status == 1
    assert "gradebook:" in error


def test_release_writes_the_learners_notebook(root, run):
    path = root / "course" / SLUG / f"{SLUG}.ipynb"
    path.unlink()
    status, said, _ = run("release", "90", "--course", root)
    assert status == 0
    assert str(path) in said
    assert path.is_file()


def test_release_of_a_bundle_leaves_course_alone(root, run):
    path = root / "course" / SLUG / f"{SLUG}.ipynb"
    path.unlink()
    status, said, _ = run("release", "90", "--bundle", "--course", root)
    assert (status, said) == (0, f"{root / 'build' / 'learners.zip'}\n")
    assert (root / "build" / "learners.zip").is_file()
    assert not path.exists()


def test_the_module_runs_as_a_script():
    done = subprocess.run(
        [sys.executable, "-c", "from autograder.cli import main; main()", "--help"],
        capture_output=True, text=True, cwd=toy_course.ROOT,
    )  # fmt: skip
    assert done.returncode == 0
    for command in ("build", "release", "grade", "feedback", "report", "export", "doctor"):
        assert command in done.stdout
