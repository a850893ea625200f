"""The directories of a course as nbgrader is configured for it, and what may be read from them.

nbgrader is imported only where it is used: that takes seconds, and workers do not need it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from traitlets.config.loader import Config, ConfigFileNotFound, PyFileConfigLoader

from autograder.errors import AutograderError
from autograder.files import part_of, remove_stale

if TYPE_CHECKING:
    from nbgrader.api import Gradebook
    from nbgrader.coursedir import CourseDirectory

CONFIG = "nbgrader_config.py"
SECRET_FILE, SECRET_VARIABLE = ".autograder_secret", "AUTOGRADER_SECRET"


@dataclass(frozen=True)
class Classroom:
    """The directories and gradebook of one course, as nbgrader is configured for it."""

    root: Path
    config: Config
    coursedir: CourseDirectory

    @classmethod
    def of(cls, coursedir: CourseDirectory, config: Config) -> Classroom:
        """Return the classroom of a running nbgrader application."""
        return cls(Path(coursedir.root), config, coursedir)

    @classmethod
    def open(cls, root: Path) -> Classroom:
        """Read `root/nbgrader_config.py`; AutograderError if there is none or it is broken."""
        from nbgrader.coursedir import CourseDirectory

        root = root.resolve()
        try:
            config = Config(PyFileConfigLoader(CONFIG, path=str(root)).load_config())
        except ConfigFileNotFound:
            raise AutograderError(
                f"{root} is not a course directory: expected {CONFIG} in it; use --course DIR"
            ) from None
        except Exception as error:  # the file is Python: anything can go wrong in it
            raise AutograderError(
                f"{root / CONFIG} cannot be read ({type(error).__name__}: {error}): mend it"
            ) from None
        config.CourseDirectory.root = str(root)
        return cls.of(CourseDirectory(config=config), config)

    def folder(self, step: str, student: str, slug: str) -> Path:
        """Return the directory of a submission at a step: submitted, autograded or feedback."""
        name = getattr(self.coursedir, f"{step}_directory")
        return Path(self.coursedir.format_path(name, student, slug))

    def nbgrader_directory(self, slug: str, student: str) -> CourseDirectory:
        """Return nbgrader's view of one submission, for its converters; `student` is a glob."""
        from nbgrader.coursedir import CourseDirectory

        config = Config(self.config)
        config.CourseDirectory.update(
            {
                "root": str(self.root),
                "db_url": self.coursedir.db_url,
                "assignment_id": slug,
                "student_id": student,
            }
        )
        return CourseDirectory(config=config)

    def book(self) -> Gradebook:
        """Return nbgrader's gradebook, made if there is none; close it (`with`)."""
        from nbgrader.api import Gradebook
        from sqlalchemy.engine import make_url

        url = make_url(self.coursedir.db_url)
        if url.drivername == "sqlite" and url.database and not os.path.exists(url.database):
            self._make_book(Path(url.database))
        return Gradebook(self.coursedir.db_url, self.coursedir.course_id)

    def _make_book(self, path: Path) -> None:
        """Make an empty gradebook under a temporary name, since nbgrader makes it in many steps.

        The tables are made here. Where there are none, nbgrader runs alembic's command to ask for
        their version, which takes seconds; this asks alembic itself.
        """
        from alembic.script import ScriptDirectory
        from nbgrader.api import Base, Gradebook
        from nbgrader.dbutil import ALEMBIC_DIR
        from sqlalchemy import create_engine, text

        remove_stale(path)
        part = part_of(path)
        try:
            engine = create_engine(f"sqlite:///{part}")
            with engine.begin() as connection:
                Base.metadata.create_all(connection)
                column = "version_num VARCHAR(32) NOT NULL"
                connection.execute(text(f"CREATE TABLE alembic_version ({column})"))
                head = {"head": ScriptDirectory(ALEMBIC_DIR).get_current_head()}
                connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), head)
            engine.dispose()
            Gradebook(f"sqlite:///{part}", self.coursedir.course_id).close()
            with contextlib.suppress(FileExistsError):
                os.link(part, path)  # unlike a rename, never replaces one made meanwhile
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let one writer in at a time: a lock on the results directory, held by this process."""
        import fcntl  # grading runs on Linux; reading a configuration must work anywhere

        folder = self.root / "results"
        folder.mkdir(exist_ok=True)
        with open(folder / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def course_secret(root: Path) -> bytes:
    """Return the key that hidden inputs are drawn from.

    AUTOGRADER_SECRET of the environment, else a file in the course directory, made once (mode 600).
    """
    given = os.environ.get(SECRET_VARIABLE)
    if given:
        return given.encode()
    path = root / SECRET_FILE
    if not path.exists():
        part = root / f"{SECRET_FILE}.{os.getpid()}"
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_hex(32).encode())
                file.flush()
                os.fsync(file.fileno())
            os.link(part, path)  # unlike a rename, never replaces a secret made meanwhile
        except FileExistsError:
            pass
        finally:
            part.unlink()
    return path.read_bytes()
