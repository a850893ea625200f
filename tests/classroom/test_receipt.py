"""When work was received, and which copies lie beside it: told wherever the work is shown."""

import datetime
import json
import os
import zipfile

import pytest

from autograder.classroom import receipt
from autograder.classroom import round as marking
from autograder.classroom.gradebook import Graded, scores
from autograder.classroom.receipt import answers, time_of
from autograder.classroom.room import Classroom
from autograder.classroom.round import grade_unit, record_again, report_of
from autograder.classroom.submitted import received
from autograder.reports.table import class_table
from tests import toy_course
from tests.graded import result
from tests.submissions import toy
from tests.submissions.hostile import Book
from tests.toy_course import SLUG, WRITTEN

NOON = datetime.datetime(2030, 5, 1, 12)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def room(tmp_path):
    return Classroom.open(toy_course.build(tmp_path / "toy"))


@pytest.fixture
def sandbox(monkeypatch):
    """Full points for everybody; counts who is graded."""
    seen = []

    def grade(submission, unit, **options):
        seen.append(submission)
        return result(json.loads(submission))

    monkeypatch.setattr(marking, "grade", grade)
    return seen


def hand_in(room, stamp=None, student="ann", **changes):
    path = toy_course.submit(room.root, student, toy_course.solved(room.root, **changes))
    if stamp is not None:
        path.with_name("timestamp.txt").write_bytes(
            stamp if isinstance(stamp, bytes) else stamp.encode()
        )
    return path.parent


def due(room, date, extension=None):
    with room.book() as book:
        book.update_or_create_assignment(SLUG, duedate=date)
        book.find_submission(SLUG, "ann").extension = extension
        book.db.commit()


def table(room, entries):
    return class_table(marking.load_unit(room.root, SLUG), entries, scores(room, SLUG))


# Times


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2030-05-01 12:00:00.000000 UTC", NOON),  # as nbgrader writes it
        ("2030-05-01 12:00:00", NOON),
        ("2030-05-01T12:00:00Z", NOON),
        ("2030-05-01T12:00:00+00:00", NOON),
        ("2030-05-01 14:00:00 +0200", NOON),
        ("2030-05-01T14:00+02:00", NOON),
        ("2030-05-01 14:00 Europe/Berlin", NOON),
        ("2030-05-01 08:00 America/New_York", NOON),
        ("20300501T120000", NOON),
        ("12:00 2030-05-01", NOON),
        ("Wed May  1 12:00:00 UTC 2030", NOON),
        ("Wed, 01 May 2030 12:00:00 GMT", NOON),
        ("1 May 2030 12:00 PM", NOON),
        ("May 1, 2030 12:00", NOON),
        ("13.05.2030 12:00", datetime.datetime(2030, 5, 13, 12)),
        ("05/05/2030 12:00", datetime.datetime(2030, 5, 5, 12)),
        ("2030-05-01", datetime.datetime(2030, 5, 1)),
    ],
)
def test_a_whole_date_is_read(text, time):
    assert time_of(text) == time


@pytest.mark.parametrize(
    "text",
    [
        "12:00",
        "12:00 UTC",
        "T12:00:00Z",
        "noon",
        "now",
        "today 12:00",
        "Monday",
        "Monday 12:00",
        "May",
        "May 1",
        "1 May 12:00",
        "May 2030",
        "2030",
        "2030-05",
        "05-01 12:00",
        "10",
        "1",
        "31 12:00",
        "300501",
        "01-05-30",
        "1/5/30 12:00",
        "1893456000",
        "2030-W18-3",
        "2030-05-32",
        "2030-02-30 12:00",
        "2030-13-01",
        "2030-05-01 25:00",
        "01/02/2030 12:00",  # in January or February
        "01.05.2030",
        "2030-05-01 12:00 UTC+3",  # east or west
        "2030-05-01 12:00 GMT-2",
        "2030-05-01 12:00 XYZ",  # zones that nobody can look up
        "2030-05-01 12:00 CEST",
        "2030-05-01 12:00 Europe/Atlantis",
        "2030-05-01 12:00 ../../etc/passwd",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "٢٠٣٠",
        "",
        "=1+1",
        "{}",
        "\0\0",
    ],
)
def test_half_a_date_and_one_of_two_meanings_are_none(text):
    with pytest.raises(ValueError):
        time_of(text)


def test_what_a_time_means_does_not_depend_on_this_machines_zone(monkeypatch):
    for zone in ("UTC", "America/New_York", "XYZ-5"):
        monkeypatch.setenv("TZ", zone)
        assert time_of("2030-05-01 12:00") == time_of("2030-05-01 12:00 UTC") == NOON
        with pytest.raises(ValueError):
            time_of("2030-05-01 12:00 XYZ")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n", " \r\n\n"])
def test_a_byte_order_mark_and_line_ends_are_read_over(room, encoding, end):
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    hand_in(room, mark + f"2030-05-01 12:00:00 UTC{end}".encode(encoding))
    assert received(room, "ann", SLUG) == (NOON, None)


@pytest.mark.parametrize(
    ("stamp", "said"),
    [
        ("12:00", "'12:00'"),
        ("", "an empty file"),
        (b"\xef\xbb\xbf", "an empty file"),
        (b"\xff\xfe1", "no text"),
        (b"\x80\x81", "no text"),
        ("x" * 500, "not a small regular file"),
    ],
)
def test_an_ignored_time_says_what_was_expected(room, stamp, said):
    hand_in(room, stamp)
    time, complaint = received(room, "ann", SLUG)
    assert time is None and said in complaint and "counts as in time" in complaint
    assert "expected a date as 2030-05-01 12:00:00 UTC" in complaint or "regular file" in complaint


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_link_in_place_of_the_time_is_neither_followed_nor_quoted(room, tmp_path, link):
    (tmp_path / "other").write_text("a secret")
    link(tmp_path / "other", hand_in(room) / "timestamp.txt")
    time, complaint = received(room, "ann", SLUG)
    assert time is None and "not a small regular file" in complaint and "secret" not in complaint
    (tmp_path / "other").unlink()
    received(room, "ann", SLUG)  # a link to nothing


def test_a_pipe_in_place_of_the_time_makes_nobody_wait(room):
    os.mkfifo(hand_in(room) / "timestamp.txt")
    assert "not a small regular file" in received(room, "ann", SLUG)[1]


def test_the_time_of_work_that_lies_deeper_is_beside_it_or_above(room):
    folder = hand_in(room, "2030-05-01 12:00")
    (folder / SLUG).mkdir()
    for name in (f"{SLUG}.ipynb", "timestamp.txt"):
        os.rename(folder / name, folder / SLUG / name)
    assert received(room, "ann", SLUG) == (NOON, None)
    (folder / "timestamp.txt").write_text("2030-06-01")
    assert received(room, "ann", SLUG)[0].month == 6


# Where it is told


def test_an_ignored_time_is_told_in_table_and_report_and_page_and_stays_told(room, sandbox):
    hand_in(room, "12:00")
    entries = grade_unit(room, SLUG, ["ann"])
    line = "  ann: timestamp.txt was ignored, so the work counts as in time: expected a date"
    page = room.folder("autograded", "ann", SLUG) / f"{SLUG}.ipynb"
    for step in (grade_unit, grade_unit, None, record_again, record_again):
        if step is not None:
            step(room, SLUG, ["ann"]) if step is grade_unit else step(room, SLUG)
        assert line in table(room, report_of(room, SLUG))
        assert "timestamp.txt was ignored" in page.read_text()
    assert line in table(room, entries) and len(sandbox) == 1


def test_a_time_that_breaks_or_heals_after_grading_is_told_and_untold(room, sandbox):
    folder = hand_in(room)
    page = room.folder("autograded", "ann", SLUG) / f"{SLUG}.ipynb"
    for stamp, told in ((None, False), ("12:00", True), ("2030-05-01", False), ("May", True)):
        if stamp:
            (folder / "timestamp.txt").write_text(stamp)
        [entry] = grade_unit(room, SLUG, ["ann"])
        assert bool(entry.told) == bool(report_of(room, SLUG)[0].told) == told
        assert ("was ignored" in page.read_text()) == told
    assert len(sandbox) == 1


# Due dates


@pytest.fixture
def late(room, sandbox):
    """Ann's work of a day, recorded without a due date; a day late costs everything."""
    room.config.LateSubmissionPlugin.penalty_method = "zero"
    hand_in(room, "2030-05-01 12:00 UTC")
    grade_unit(room, SLUG, ["ann"])
    assert scores(room, SLUG)["ann"].score == 90
    return room


def again(room):
    """The next round: what it makes of Ann's total, and whether it wrote."""
    page = room.folder("autograded", "ann", SLUG) / f"{SLUG}.ipynb"
    before = page.stat().st_ino
    [entry] = grade_unit(room, SLUG, ["ann"])
    assert not entry.fresh
    return scores(room, SLUG)["ann"].score, page.stat().st_ino != before


def test_a_moved_due_date_takes_effect_at_the_next_round(late):
    assert again(late) == (90, False)
    for date, extension, score in [
        (NOON - DAY, None, 0),
        (NOON + DAY, None, 90),
        (NOON - DAY, None, 0),
        (NOON - DAY, 2 * DAY, 90),
        (NOON - 3 * DAY, 2 * DAY, 0),
        (None, None, 90),
        (NOON - DAY, None, 0),
        (None, DAY, 90),  # an extension of nothing
    ]:
        due(late, date, extension)
        assert again(late) == (score, True)
        assert again(late) == (score, False)


def test_a_changed_rule_for_penalties_takes_effect_at_the_next_round(late):
    due(late, NOON - DAY)
    assert again(late) == (0, True)
    late.config.LateSubmissionPlugin.penalty_method = "none"
    assert again(late) == (90, True)


def test_the_table_says_which_total_carries_a_penalty(late):
    hand_in(late, student="bob")
    due(late, NOON - DAY)
    entries = grade_unit(late, SLUG, ["ann", "bob"])
    ann, bob = table(late, entries).splitlines()[2:4]
    assert ann.split()[7:9] == ["90", "0"]
    assert ann.endswith("graded; late, 90 points off the total")
    assert bob.split()[7:9] == ["90", "90"] and bob.endswith("graded")
    assert table(late, report_of(late, SLUG)) == table(late, entries)


def test_a_mark_of_earlier_work_is_no_answer_to_read(room, sandbox):
    hand_in(room, why="Because.")
    [entry] = grade_unit(room, SLUG, ["ann"])
    assert table(room, [entry]).splitlines()[2].endswith("graded; written answer to read")
    with room.book() as book:
        grade = book.find_grade(WRITTEN, SLUG, SLUG, "ann")
        grade.manual_score, grade.needs_manual_grade = 7, False
        book.db.commit()
    assert table(room, [entry]).splitlines()[2].endswith("graded")
    hand_in(room, why="Because of something else.")
    [entry] = grade_unit(room, SLUG, ["ann"])
    line = table(room, [entry]).splitlines()[2]
    assert line.split()[8] == "97" and line.endswith("a mark of earlier work to look at again")


# Copies


def test_a_stub_that_a_formatter_has_laid_out_anew_is_no_answer():
    stub = toy.STUB.format("mean", "values").replace("'", '"')
    book = Book(toy.released(), {"mean": stub, "spread": toy.SPREAD}, "mean")
    assert answers(book.dump(), toy.released()) == 1


@pytest.mark.parametrize(
    "name",
    [
        f"{SLUG}-Copy1.ipynb",
        f"{SLUG} (1).ipynb",
        f"Copy of {SLUG}.ipynb",
        f"{SLUG} - Kopie.ipynb",
        "final.ipynb",
        f"backup/{SLUG}.ipynb",
        f"{SLUG}.ipynb.txt",
    ],
)
def test_a_worked_copy_beside_an_untouched_stub_is_noticed_and_not_graded(room, sandbox, name):
    folder = hand_in(room)
    worked, stub = (folder / f"{SLUG}.ipynb").read_text(), toy_course.notebook(room.root)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(worked)
    (folder / f"{SLUG}.ipynb").write_text(json.dumps(stub))
    [entry] = grade_unit(room, SLUG, ["ann"])
    [notice] = entry.told
    assert notice.startswith(f"{name} was not read, though 6 cells are answered there and 0 in")
    assert notice.endswith(f"hand it in as {SLUG}.ipynb if it is the work")
    assert json.loads(sandbox[0]) == stub
    assert notice in table(room, report_of(room, SLUG))
    os.replace(folder / name, folder / f"{SLUG}.ipynb")
    [entry] = grade_unit(room, SLUG, ["ann"])
    assert entry.told == () and len(sandbox) == 2


def test_a_copy_with_more_answers_is_noticed_and_one_with_as_many_or_less_is_not(room, sandbox):
    folder = hand_in(room)
    book = toy_course.notebook(room.root, add="return a + b", double="return 2 * x")
    (folder / f"{SLUG}.ipynb").write_text(json.dumps(book))
    for name, more in [("less", {}), ("as many", {"join": "x", "mean": "y"})]:
        (folder / f"{name}.ipynb").write_text(json.dumps(toy_course.notebook(room.root, **more)))
    (folder / "broken.ipynb").write_text("{")
    (folder / "other.ipynb").write_text(json.dumps({"nbformat": 4, "cells": []}))
    assert grade_unit(room, SLUG, ["ann"])[0].told == ()
    three = dict.fromkeys(("add", "join", "mean"), "return 1")
    (folder / "three.ipynb").write_text(json.dumps(toy_course.notebook(room.root, **three)))
    [notice] = grade_unit(room, SLUG, ["ann"])[0].told
    assert "three.ipynb was not read, though 3 cells are answered there and 2" in notice


def test_of_many_copies_in_archives_only_the_first_are_read(room, monkeypatch):
    folder = hand_in(room)
    for number in range(3):
        with zipfile.ZipFile(folder / f"{number}.zip", "w") as archive:
            for inside in range(4):
                archive.writestr(f"{inside}/copy.ipynb", "{}")
            archive.writestr("copy.ipynb", "{}")
    read = []
    monkeypatch.setattr(receipt, "answers", lambda data, released: read.append(data) or 0)
    assert list(receipt.better_copies(folder, SLUG, b"mine", {})) == []
    assert len(read) == 1 + receipt.COPIES


def test_answers_are_counted_by_name_or_where_metadata_are_gone_by_cell(room):
    released = marking.load_unit(room.root, SLUG).released
    book = toy_course.notebook(room.root, add="return a + b", why="Because.")
    assert answers(json.dumps(released).encode(), released) == 0
    assert answers(json.dumps(book).encode(), released) == 2
    for cell in book["cells"]:
        cell["metadata"] = {}
    assert answers(json.dumps(book).encode(), released) == 2
    assert answers(b"{", released) == 0


def test_notices_of_the_work_and_of_what_lies_around_it_are_told_together():
    entry = Graded("ann", SLUG, result(None, notices=("one",)), "k", "w", told=("two",))
    assert entry.notices == ("one", "two")
