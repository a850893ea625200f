"""A class that hands in the toy course, and all that is recorded of it."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import pytest

from autograder.classroom.gradebook import recorded
from autograder.classroom.room import Classroom
from autograder.classroom.round import grade_unit, nobody
from autograder.classroom.store import load_result
from tests import toy_course
from tests.toy_course import SLUG

SECRET = "of this test"
CLASS: dict[str, dict[str, str]] = {  # name: changes to the solved notebook
    "all": {},
    "sum": {"add": "return a - b"},
    "two": {"join": "return words", "mean": "return 0"},
    "loop": {"double": "return x + x\nwhile True: pass"},
    "exit": {"longest": "import os; os._exit(0)"},
    "words": {"why": "Because it is."},
}
SCORES = {"all": 90, "sum": 75, "two": 60, "loop": 75, "exit": 75, "words": 90}


def hand_in(root: Path) -> None:
    """Everybody's work under submitted/, and one second a cell."""
    for name, changes in CLASS.items():
        toy_course.submit(root, name, toy_course.solved(root, **changes))
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text() + "\nc.ExecutePreprocessor.timeout = 1\n")


def grade_class(root: Path, workers: Any = nobody, **options: Any) -> dict[str, Any]:
    """Grade everybody; what store and gradebook hold then."""
    room, alone = Classroom.open(root), set(CLASS)

    def watched(tasks: Any) -> Iterator[Any]:
        for task, key in workers(tasks):
            alone.difference_update({task.folder.parent.name} if key else ())
            yield task, key

    grade_unit(room, SLUG, CLASS, workers=watched, **options)
    assert workers is nobody or "loop" in alone != set(CLASS), "the workers settled nothing"
    return contents(room)


@contextlib.contextmanager
def known_to_workers(folder: Path) -> Iterator[None]:
    """Workers find the toy's hidden tests, those of other processes, too; one secret for all."""
    script = str(toy_course.build(folder) / toy_course.PATHS)
    preload = folder / "preload.py"  # dask runs a copy of it, elsewhere
    preload.write_text(f"from runpy import run_path\n\nrun_path({script!r})\n")
    paths = str(preload)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASK_DISTRIBUTED__WORKER__PRELOAD", json.dumps([paths]))
        patch.setenv("AUTOGRADER_SECRET", SECRET)
        with dask.config.set({"distributed.worker.preload": [paths]}):
            yield


def contents(room: Classroom) -> dict[str, Any]:
    """By student: every grade and comment, the late penalty, the result and the notebook shown."""
    with room.book() as book:
        return {
            submission.student.id: {
                "score": submission.score,
                "penalty": submission.late_submission_penalty,
                "timestamp": submission.timestamp,
                "grades": {
                    grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade)
                    for notebook in submission.notebooks
                    for grade in notebook.grades
                },
                "comments": {
                    comment.name: (comment.auto_comment, comment.manual_comment)
                    for notebook in submission.notebooks
                    for comment in notebook.comments
                },
                "shown": _shown(room, submission.student.id),
            }
            for submission in book.assignment_submissions(SLUG)
        }


def _shown(room: Classroom, student: str) -> tuple[Any, Any]:
    """The stored result without the seconds it took, and the autograded notebook."""
    marks = recorded(room, student, SLUG)
    result = load_result(room.root, marks["key"])
    assert result is not None, f"{student}: recorded, but not in the store"
    notebook = room.folder("autograded", student, SLUG) / f"{SLUG}.ipynb"
    return json.loads(result.to_json()) | {"seconds": 0}, json.loads(notebook.read_text())
