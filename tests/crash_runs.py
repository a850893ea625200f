"""Grading that is killed, or finds the disk full, at a chosen point; then the same command again.

`python -m tests.crash_runs FOLDER` with write_points.so preloaded. It takes one request a line, the
number of the point (0: none) and whether the disk is full from there on, and answers with a line:
how the disturbed run ended and what it said, how many points it passed, and what is recorded after
the undisturbed run that follows. Nothing is sandboxed: points depend on the written answer alone.
"""

import ctypes
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder import cli
from autograder.classroom import round as marking
from autograder.classroom.room import Classroom
from autograder.exercise import CaseResult
from autograder.grading.result import ExerciseResult, Result
from tests import toy_course
from tests.toy_class import contents
from tests.toy_course import SLUG, WRITTEN


def graded(submission: bytes, unit: Any, **options: Any) -> Result:
    """Takes the place of grading: as many points an exercise as the written answer has letters."""
    book = json.loads(submission)
    points = float(len("".join(toy_course.cell(book, WRITTEN)["source"])) % 15)
    case = CaseResult("its length", 1, points > 7, "too short")
    exercises = tuple(
        ExerciseResult(e.id, points, 15, "graded", "", (case,)) for e in unit.info.exercises
    )
    return Result(unit.slug, "graded", exercises, (), book, 0.0)


def prepare(root: Path) -> None:
    """A course in which Ann's work was graded, by hand, too, and handed in again; Bob's is new."""
    toy_course.build(root)
    toy_course.submit(root, "ann", toy_course.solved(root, why="Because."))
    run(root)
    with Classroom.open(root).book() as book:
        grade = book.find_grade(WRITTEN, SLUG, SLUG, "ann")
        grade.manual_score, grade.needs_manual_grade = 7, False
        book.db.commit()
    toy_course.submit(root, "ann", toy_course.solved(root, why="Because it is so."))
    toy_course.submit(root, "bob", toy_course.solved(root, why="Why not?"))
    (root / "submitted" / "bob" / SLUG / "timestamp.txt").write_text("2030-05-01 12:00:00 UTC")


def run(root: Path) -> int:
    """`autograder grade`; its exit status."""
    sys.argv = ["autograder", "grade", "--workers", "1", "--course", str(root)]
    try:
        cli.main()
    except SystemExit as stopped:
        return int(stopped.code or 0)
    raise AssertionError("the command did not end")


def in_a_child(work: Callable[[], int], said: Path) -> int:
    """Do it in a fork of this warm process, all it says going to a file: how that ended."""
    child = os.fork()
    if child == 0:
        descriptor = os.open(said, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
        for standard in (1, 2):
            os.dup2(descriptor, standard)
        try:
            status = work()
            sys.stdout.flush()
            os._exit(status)
        finally:
            sys.excepthook(*sys.exc_info())
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def disturbed(folder: Path, point: int, full: bool) -> dict[str, Any]:
    """One run that is disturbed and one that is not, in a fresh copy of the course."""
    root, said, counted = folder / "work", folder / "said.txt", folder / "points.txt"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(folder / "prepared", root)
    shim = ctypes.CDLL(None)

    def work() -> int:
        shim.watch(os.fsencode(root), ctypes.c_long(point), full)
        status = run(root)
        counted.write_text(str(shim.points()))
        return status

    status = in_a_child(work, said)
    reply = {"status": status, "said": said.read_text()}
    if status >= 0:
        reply["points"] = int(counted.read_text())
    again = in_a_child(lambda: run(root), said)
    pages = {str(p.relative_to(root)): p.read_text() for p in root.glob("feedback/*/*/*.html")}
    rest = sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
    book = {"status": again, "said": said.read_text(), "pages": pages, "files": rest}
    book["contents"] = contents(Classroom.open(root))
    return reply | {"book": book}


def main(folder: Path) -> None:
    marking.grade = graded  # type: ignore[assignment]
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what grading prints is no reply
    prepare(folder / "prepared")
    for line in sys.stdin:
        point, full = json.loads(line)
        print(json.dumps(disturbed(folder, point, full), default=str), file=replies, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
