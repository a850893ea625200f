"""What `nbgrader autograde` and formgrader's button run instead of nbgrader's own grading.

`install` is called by nbgrader_config.py. It replaces the start of nbgrader's Autograde converter
(which would copy every file of a submission, following symbolic links, and execute its cells with
the instructor's rights) by a `round` of grading. `Refuse` is configured as nbgrader's only step: if
the replacement were ever missing, nothing would run.
"""

import fnmatch
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde, NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.errors import AutograderError


def install() -> None:
    """Make every nbgrader application in this process grade in the sandbox; safe to call again."""
    Autograde.start = _start
    if shutil.which("alembic") is None:  # nbgrader calls it by name to make a new gradebook
        here = str(Path(sys.executable).parent)
        os.environ["PATH"] = os.pathsep.join([*os.environ.get("PATH", "").split(os.pathsep), here])


class Refuse(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader carries no types
    """A step that stops nbgrader's own autograding before any cell is executed."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Raise, so that no cell is executed."""
        raise AutograderError(
            "refused to run a submission outside the sandbox: "
            "nbgrader_config.py must call autograder.classroom.convert.install()"
        )


@contextmanager
def _as_nbgrader_errors(log: Any) -> Iterator[None]:
    try:
        yield
    except AutograderError as error:
        log.error(str(error))
        raise NbGraderException(str(error)) from None


def _start(self: Any) -> None:
    """Replace Autograde.start: same directories and options, but graded in the sandbox."""
    from autograder.classroom.room import Classroom
    from autograder.classroom.round import grade_unit
    from autograder.classroom.submitted import students_of, survey
    from autograder.course import find_slug, slugs
    from autograder.files import printable

    coursedir = self.coursedir
    if self.pre_convert_hook or self.post_convert_hook:
        self.log.warning("Convert hooks are not run by autograde in this course")
    with _as_nbgrader_errors(self.log):
        room = Classroom.of(coursedir, self.config)
        slug = find_slug(room.root, coursedir.assignment_id)
        students = [
            student
            for student in students_of(room, slug, coursedir.student_id)
            if student not in coursedir.student_id_exclude.split(",")
        ]
        for line in survey(room, slugs(room.root), coursedir.student_id).left:
            self.log.warning("Not graded: %s", printable(line))
        if not students or not fnmatch.fnmatchcase(slug, coursedir.notebook_id):
            where = coursedir.format_path(coursedir.submitted_directory, coursedir.student_id, slug)
            raise AutograderError(
                f"No notebooks were matched by '{where}/{coursedir.notebook_id}.ipynb': "
                "put submissions there"
            )

        def say(entry: Any) -> None:
            what = "graded in the sandbox" if entry.fresh else "unchanged since it was graded"
            self.log.info(
                "%s %s: %s, %s, %g points",
                printable(entry.student),
                slug,
                entry.result.state,
                what,
                entry.result.points,
            )
            for notice in entry.notices:
                self.log.warning("%s %s: %s", printable(entry.student), slug, printable(notice))

        entries = grade_unit(
            room, slug, students, force=self.force, create_student=self.create_student, progress=say
        )
        failed = [printable(e.student) for e in entries if e.result.state == "infrastructure"]
        if failed:
            raise AutograderError(
                f"not graded, nothing recorded: {', '.join(failed)}; "
                "see the messages above, then run again"
            )
