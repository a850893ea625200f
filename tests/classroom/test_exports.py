"""CSV files hold the gradebook's scores in each system's columns, and no cell is a formula."""

import csv
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.classroom.exports import FORMS, SafeCsvExport, as_canvas_reads, export, plain
from autograder.classroom.gradebook import Graded, record
from autograder.classroom.room import Classroom
from autograder.course import load_unit
from autograder.errors import AutograderError
from tests import toy_course
from tests.graded import result
from tests.toy_course import SLUG, WRITTEN

FORMULA = '=HYPERLINK("http://far";"x")'


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A class: one graded by hand, one late, one unread, one who handed in nothing."""
    room = Classroom.open(toy_course.build(tmp_path_factory.mktemp("toy")))
    room.config.LateSubmissionPlugin.penalty_method = "zero"
    unit = load_unit(room.root, SLUG)
    words = toy_course.solved(room.root, why="Because.")
    for name in ("ann", "bob"):
        record(room, unit, Graded(name, SLUG, result(words), name, name), None)
    with room.book() as book:
        book.update_or_create_assignment(SLUG, duedate=datetime.datetime(2030, 1, 1))
        book.update_or_create_student(
            "ann", first_name="Ann", last_name="Smith, MA", email="ann@x.org", lms_user_id="4711"
        )
        book.add_student("lazy")
        grade = book.find_grade(WRITTEN, SLUG, SLUG, "ann")
        grade.manual_score, grade.needs_manual_grade, grade.extra_credit = 7.25, False, 0.125
        book.db.commit()
    late = Graded("late", SLUG, result(toy_course.solved(room.root)), "late", "late")
    record(room, unit, late, datetime.datetime(2030, 1, 2))
    return room


def exported(room, form, path):
    export(room, [SLUG], form, path)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_nbgraders_columns_hold_points_penalty_and_what_is_left(room, tmp_path):
    header, *rows = exported(room, "csv", tmp_path / "grades.csv")
    table = {row[3]: dict(zip(header, row, strict=True)) for row in rows}
    ann = table["ann"]
    assert (ann["assignment"], ann["last_name"], ann["email"]) == (SLUG, "Smith, MA", "ann@x.org")
    assert (ann["raw_score"], ann["score"], ann["max_score"]) == ("97.375", "97.375", "100.0")
    late = table["late"]
    assert (late["raw_score"], late["late_submission_penalty"], late["score"]) == (
        "90.0", "90.0", "0.0"
    )  # fmt: skip
    assert (table["lazy"]["score"], table["lazy"]["timestamp"]) == ("0.0", "")


def test_the_columns_are_those_of_nbgraders_own_export(room, tmp_path):
    from nbgrader.plugins import CsvExportPlugin

    theirs, ours = CsvExportPlugin(), SafeCsvExport()
    theirs.to, ours.to = str(tmp_path / "theirs.csv"), str(tmp_path / "ours.csv")
    with room.book() as book:
        book.update_or_create_student("ann", last_name="Smith")  # theirs does not quote commas
        theirs.export(book)
        ours.export(book)
        book.update_or_create_student("ann", last_name="Smith, MA")
    assert (tmp_path / "ours.csv").read_text() == (tmp_path / "theirs.csv").read_text()


def test_nbgraders_options_choose_students_and_assignments(room, tmp_path):
    chosen, path = SafeCsvExport(), tmp_path / "grades.csv"
    chosen.to, chosen.student, chosen.assignment = str(path), ["bob"], [SLUG]
    with room.book() as book:
        chosen.export(book)
        assert [line.split(",")[3] for line in path.read_text().splitlines()[1:]] == ["bob"]
        chosen.assignment = ["91_else"]
        chosen.export(book)
    assert len(path.read_text().splitlines()) == 1


def test_canvas_gets_the_columns_its_importer_asks_for(room, tmp_path):
    header, possible, *rows = exported(room, "canvas", tmp_path / "canvas.csv")
    # gradebook_importer.rb: row_has_student_headers?, update_column_count, header?
    assert "Student" in header[0] and "ID" in header[1]
    assert header[2:5] == ["SIS User ID", "SIS Login ID", "Section"]
    assert header[5:] == [SLUG]
    assert "Points Possible" in possible[0] and possible[5:] == ["100.0"]
    assert ["Smith, MA, Ann", "4711", "", "ann", "", "97.38"] in rows
    assert ["lazy", "", "", "lazy", "", ""] in rows
    assert ["late", "", "", "late", "", "0.0"] in rows


def test_moodle_gets_a_column_to_find_the_student_by_and_one_a_unit(room, tmp_path):
    header, *rows = exported(room, "moodle", tmp_path / "moodle.csv")
    assert header == ["Username", "Email address", "First name", "Last name", SLUG]
    assert ["ann", "ann@x.org", "Ann", "Smith, MA", "97.38"] in rows
    assert ["lazy", "", "", "", "-"] in rows


def test_unread_answers_and_changed_ids_are_said(room, tmp_path):
    assert export(room, [SLUG], "canvas", tmp_path / "c.csv") == [
        "written answers that wait for a person and count 0: 1"
    ]
    with room.book() as book:
        book.add_student("@eve")
    try:
        notes = export(room, [SLUG], "moodle", tmp_path / "m.csv")
        assert notes[1].endswith("mend them: '@eve")
        assert len(export(room, [SLUG], "csv", tmp_path / "n.csv")) == 1
    finally:
        with room.book() as book:
            book.remove_student("@eve")


@pytest.fixture
def student(room):
    """Add a student with these points; gone after the test."""
    unit, added = load_unit(room.root, SLUG), []

    def add(name, *, written=None, extra=0.0, work="w", words="Because.", **about):
        added.append(name)
        book = toy_course.solved(room.root, why=words)
        record(room, unit, Graded(name, SLUG, result(book), work, work), None)
        with room.book() as book:
            book.update_or_create_student(name, **about)
            if written is not None:
                grade = book.find_grade(WRITTEN, SLUG, SLUG, name)
                grade.manual_score, grade.needs_manual_grade = written, False
                grade.extra_credit = extra
                book.db.commit()

    yield add
    with room.book() as book:
        for name in dict.fromkeys(added):
            book.remove_student(name)


WAITS = "written answers that wait for a person and count 0: 1"  # bob's


@pytest.mark.parametrize(
    ("extra", "shown"),
    [(0.0, None), (0.004, None), (0.006, "100.01 of 100"), (2.5, "102.5 of 100")],
)
def test_moodle_would_refuse_the_file_for_a_value_above_the_maximum(
    room, student, tmp_path, extra, shown
):
    student("eve", written=10, extra=extra)
    for form in FORMS:
        notes = export(room, [SLUG], form, tmp_path / "g.csv")
        assert notes[0] == WAITS and len(notes) == 1 + bool(shown and form == "moodle")
        assert all("raise the maximum of its grade item" in note for note in notes[1:])
        assert all(note.endswith(f" for eve ({SLUG}: {shown})") for note in notes[1:])


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("12.34.56", "1234.56"),
        ("12,34", "12.34"),
        ("1.000.000", "1000.000"),
        ("4711.", "4711"),
        (".5.", ".5"),
        ("1,2%", "1.2%"),
        ("12.34", None),
        ("4711", None),
        ("0012", None),
        ("12.34.x", None),
        ("a.b.c", None),
        ("12-34-56", None),
    ],
)
def test_canvas_would_read_an_id_as_a_number(room, student, tmp_path, name, read):
    assert as_canvas_reads(name) == (read or name)
    student(name, written=5)
    notes = export(room, [SLUG], "canvas", tmp_path / "c.csv")
    assert notes[0] == WAITS and len(notes) == 1 + bool(read)
    assert not read or f"as numbers and finds nobody: {name} as {read};" in notes[1]
    assert export(room, [SLUG], "moodle", tmp_path / "m.csv") == [WAITS]
    student(name, written=5, lms_user_id="4711")  # found by this
    assert export(room, [SLUG], "canvas", tmp_path / "c.csv") == [WAITS]


def test_an_answer_that_was_marked_before_does_not_count_0(room, student, tmp_path):
    student("eve", written=7)
    assert export(room, [SLUG], "csv", tmp_path / "g.csv") == [WAITS]
    student("eve", work="2", words="Because of something else.")
    assert export(room, [SLUG], "csv", tmp_path / "g.csv") == [
        WAITS,
        "marks given to earlier work count until somebody looks again: eve",
    ]
    _, *rows = exported(room, "moodle", tmp_path / "m.csv")
    assert {row[0]: row[4] for row in rows}["eve"] == "97.0"
    student("fay")
    assert export(room, [SLUG], "csv", tmp_path / "g.csv")[0].endswith("count 0: 2")


def test_nothing_graded_is_an_error(room, tmp_path):
    with pytest.raises(AutograderError, match="autograder grade"):
        export(room, ["91_else"], "csv", tmp_path / "g.csv")
    assert not (tmp_path / "g.csv").exists()


@pytest.mark.parametrize("form", FORMS)
def test_no_form_lets_a_formula_through(room, tmp_path, form):
    with room.book() as book:
        book.update_or_create_student(FORMULA, last_name="\n@x", first_name="a;+1", email="=1")
    try:
        cells = {cell for row in exported(room, form, tmp_path / "g.csv") for cell in row}
    finally:
        with room.book() as book:
            book.remove_student(FORMULA)
    assert "'" + FORMULA in cells
    assert not [c for c in cells if c.lstrip()[:1] in tuple("=+@") or ";+" in c]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        (" =1", "' =1"),
        ("＝1", "'＝1"),
        ("a; =1", "a;' =1"),
        ("ann", "ann"),
        ("O'Neil-Smith", "O'Neil-Smith"),
        ("a@b.org", "a@b.org"),
        ("", ""),
        (None, ""),
        (-2.5, "-2.5"),
        ("-", "-"),
    ],
)
def test_no_csv_cell_is_a_formula(value, cell):
    assert plain(value) == cell


@given(st.text(alphabet="=+-@;,\t\r\n '\"a1"))
def test_however_a_spreadsheet_splits_a_text_no_piece_begins_like_a_formula(text):
    for separator in (";", "\t", "\n", "\r"):
        pieces = plain(text).split(separator)
        assert all(piece.lstrip(" ")[:1] not in tuple("=+-@") or piece == "-" for piece in pieces)
