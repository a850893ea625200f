"""Whatever lies under submitted/ is somebody's work of a unit, or named in a line."""

import pytest

from autograder.classroom.room import Classroom
from autograder.classroom.submitted import (
    meant,
    read_work,
    received,
    students_of,
    survey,
    work_folder,
)
from tests import toy_course
from tests.toy_course import SLUG

SLUGS = ["01_language_modelling", "02_ngrams", "04_word2vec", "12_scaling"]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return toy_course.build(tmp_path_factory.mktemp("toy"))


@pytest.fixture
def room(course, tmp_path):
    """The toy course with a submitted/ of the test's own."""
    room = Classroom.open(course)
    room.coursedir.submitted_directory = str(tmp_path / "handed [in]")
    (tmp_path / "handed [in]").mkdir()
    return room


def put(room, name, text="x"):
    path = room.folder("submitted", "x", "y").parents[1] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def left(room, pattern="*"):
    return list(survey(room, [SLUG, "91_else"], pattern).left)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("02_ngrams", "02_ngrams"),
        ("2", "02_ngrams"),
        ("02", "02_ngrams"),
        ("002", "02_ngrams"),
        ("02_NGRAMS", "02_ngrams"),
        ("02_Ngrams", "02_ngrams"),
        ("02-ngrams", "02_ngrams"),
        ("02 ngrams", "02_ngrams"),
        ("02 n-grams", "02_ngrams"),
        ("02.ngrams", "02_ngrams"),
        ("02ngrams", "02_ngrams"),
        ("2_ngrams", "02_ngrams"),
        ("ngrams", "02_ngrams"),
        ("N-grams", "02_ngrams"),
        ("unit2", "02_ngrams"),
        ("Unit 02", "02_ngrams"),
        ("unit_02_ngrams", "02_ngrams"),
        ("u02", "02_ngrams"),
        (" 02 ", "02_ngrams"),
        ("4", "04_word2vec"),
        ("word2vec", "04_word2vec"),
        ("04-Word2Vec", "04_word2vec"),
        ("12", "12_scaling"),
        ("1", "01_language_modelling"),
        ("01 Language Modelling", "01_language_modelling"),
        ("3", None),
        ("20", None),
        ("0", None),
        ("", None),
        ("_", None),
        ("unit", None),
        (".02_ngrams", None),
        ("ngram", None),
        ("homework", None),
        ("02_word2vec", None),
        ("02_ngrams.ipynb", None),
        ("02_ngrams.zip", None),
        ("02 03", None),
        ("²", None),
    ],
)
def test_a_folder_means_a_unit_as_people_write_it(name, slug):
    assert meant(name, SLUGS) == slug


@pytest.mark.parametrize("name", [SLUG, "90", "90 toy", "90_Toy", "Unit 90", "toy"])
def test_work_in_a_folder_that_means_the_unit_is_found(room, name):
    put(room, f"ann/{name}/{SLUG}.ipynb", "work")
    put(room, f"ann/{name}/timestamp.txt", "2030-05-01 12:00 UTC")
    assert students_of(room, SLUG) == students_of(room, SLUG, "ann") == ["ann"]
    assert students_of(room, SLUG, "a*") == ["ann"] and students_of(room, SLUG, "b*") == []
    folder = work_folder(room, "ann", SLUG)
    assert folder.name == name and read_work(folder, SLUG) == b"work"
    assert received(room, "ann", SLUG)[0].hour == 12
    assert left(room) == []


def test_the_units_own_name_goes_before_others_and_the_others_are_told(room):
    for name in ("90", SLUG, "Toy"):
        put(room, f"ann/{name}/work.ipynb", name)
    assert read_work(work_folder(room, "ann", SLUG), SLUG) == SLUG.encode()
    assert left(room) == [
        f"ann: 90 was not read, since {SLUG} is there, too",
        f"ann: Toy was not read, since {SLUG} is there, too",
    ]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (f"{SLUG}/ann/work.ipynb", f"{SLUG}: expected a folder of a unit in it"),
        ("ann/homework/work.ipynb", "ann: expected a folder of a unit in it"),
        (
            f"ann/{SLUG}.ipynb",
            f"(such as {SLUG} or 90), got {SLUG}.ipynb",
        ),
        (f"submitted/ann/{SLUG}/work.ipynb", "submitted: expected a folder of a unit in it"),
        ("ann/work.zip", "got work.zip"),
        ("ann/.DS_Store", "got none"),
        (f".ann/{SLUG}/work.ipynb", ".ann: expected a folder of a unit"),
        (f"ann/.{SLUG}/work.ipynb", f"got .{SLUG}"),
        ("ann.zip", "ann.zip: expected a folder of a unit in it"),
        (f"{SLUG}.ipynb", "got a file"),
        ("backup~/x", "backup~: expected"),
        ("ann\n/x", "ann\n: expected"),
    ],
)
def test_what_is_nobodys_work_is_named_with_what_was_seen(room, name, line):
    put(room, name)
    put(room, f"bob/{SLUG}/work.ipynb")
    [found] = left(room)
    assert line in found and "91_else" not in found
    assert students_of(room, SLUG) == ["bob"]


def test_an_unknown_folder_beside_a_known_one_is_named(room):
    put(room, f"ann/{SLUG}/work.ipynb")
    put(room, "ann/final version/work.ipynb")
    put(room, "ann/final.zip")
    put(room, "ann/notes.txt")
    assert [line.split(" is")[0] for line in left(room)] == ["ann: final version", "ann: final.zip"]


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store",
        ".gitkeep",
        "README.md",
        "grades.csv",
        f"__MACOSX/{SLUG}/._work.ipynb",
        f"__MACOSX/ann/{SLUG}/._work.ipynb",
        f".ipynb_checkpoints/{SLUG}/work.ipynb",
        "ann/.DS_Store",
        "ann/__MACOSX/._work.ipynb",
        "ann/Thumbs.db",
        "ann/desktop.ini",
        "ann/.ipynb_checkpoints/x-checkpoint.ipynb",
        "._ann",
        "~$list.xlsx",
    ],
)
def test_companions_are_neither_students_nor_lines(room, name):
    put(room, f"ann/{SLUG}/work.ipynb")
    put(room, name)
    assert (students_of(room, SLUG), left(room)) == (["ann"], [])


def test_a_link_to_the_folder_of_somebody_else_is_nobodys_work(room):
    put(room, f"ada/{SLUG}/{SLUG}.ipynb")
    base = room.folder("submitted", "x", "y").parents[1]
    (base / "eve").symlink_to(base / "ada")
    found = survey(room, [SLUG])
    assert found.students == {"ada"}
    assert found.left == ("eve is a link: links are not followed",)


def test_an_empty_directory_and_a_link_are_named(room):
    base = room.folder("submitted", "x", "y").parents[1]
    (base / "ann").mkdir(parents=True)
    (base / "linked").symlink_to("/usr")
    assert left(room)[0].endswith("got none")
    assert left(room)[1] == "linked is a link: links are not followed"


def test_lines_are_of_the_students_asked_for(room):
    for name in ("ann", "bob"):
        put(room, f"{name}/homework/work.ipynb")
    for pattern in ("ann", "a*"):
        [line] = left(room, pattern)
        assert line.startswith("ann")


def test_another_structure_of_directories_is_read_the_same(room):
    room.coursedir.directory_structure = "{nbgrader_step}/{assignment_id}/{student_id}"
    put(room, f"{SLUG}/ann/work.ipynb")
    put(room, "Toy/bob/work.ipynb")
    put(room, "homework/cid/work.ipynb")
    assert students_of(room, SLUG) == ["ann", "bob"]
    [line] = left(room)
    assert line.startswith("homework: expected")
