"""Where each student's work of each unit is under `submitted/`, and what else lies there.

A unit's folder has its name or another spelling of it: its number, other capitals, other signs
between the words. Anything else under `submitted/` is named in a line, so that no submission is
left out in silence.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from autograder import course
from autograder.classroom import receipt
from autograder.classroom.room import Classroom
from autograder.errors import Unreadable
from autograder.grading.candidates import COMPANIONS, is_archive, is_companion, is_notebook, shown
from autograder.grading.ingest import read_submission

STUDENT, UNIT = "\0s", "\0u"  # stand for the two in a path: no path holds a zero
WORDS = re.compile(r"\d+|[^\W\d_]+")  # of a name: numbers and words


@dataclass(frozen=True)
class Submitted:
    """What was found under `submitted/`."""

    folders: dict[str, dict[str, Path]]  # by unit, then by student
    left: tuple[str, ...]  # a line for each place that is in no folder above

    @property
    def students(self) -> set[str]:
        """Everybody with work of some unit."""
        return {student for folders in self.folders.values() for student in folders}


def survey(room: Classroom, slugs: Sequence[str], pattern: str = "*") -> Submitted:
    """Return what lies under `submitted/`.

    slugs: the units of the course; pattern: glob over student ids, or one of them as it is.
    """
    folders: dict[str, dict[str, Path]] = {slug: {} for slug in slugs}
    twice, known = [], set[Path]()
    for student, name, path in _places(room, pattern, slugs):
        slug = meant(name, slugs)
        if slug is None:
            continue
        known.add(path)
        first = folders[slug].setdefault(student, path)
        if first != path:
            twice.append(f"{student}: {name} was not read, since {first.name} is there, too")
    return Submitted(folders, (*twice, *_unknown(room, slugs, pattern, known)))


def students_of(room: Classroom, slug: str, pattern: str = "*") -> list[str]:
    """Return the ids of the students with a directory for this unit under submitted/, sorted.

    pattern: glob over student ids, or one of them as it is, with whatever signs; `*` is all.
    """
    return sorted(survey(room, _units(room, slug), pattern).folders[slug])


def work_folder(room: Classroom, student: str, slug: str) -> Path:
    """Return the folder of a student's work: with the unit's name, else one that means the unit."""
    named = room.folder("submitted", student, slug)
    if os.path.lexists(named):
        return named
    return survey(room, _units(room, slug), student).folders[slug].get(student, named)


def _units(room: Classroom, slug: str) -> list[str]:
    return list(dict.fromkeys([*course.slugs(room.root), slug]))


def read_work(folder: Path, slug: str) -> bytes:
    """Return the bytes of the notebook in a student's folder, as `read_submission` finds it.

    Raises Unreadable where the folder or the one above it is a link.
    """
    for directory in (folder.parent, folder):
        if not stat.S_ISDIR(directory.lstat().st_mode):
            raise Unreadable(f"{directory.name} is not a regular directory: links are not followed")
    return read_submission(folder, slug)


def received(room: Classroom, student: str, slug: str) -> tuple[datetime | None, str | None]:
    """Return when the submission was received (UTC) and a complaint about its timestamp, if any.

    Read from the `timestamp.txt` that nbgrader's collection writes; without one there is no time
    and no lateness, as in nbgrader (file times change with every copy, so they prove nothing).
    """
    return receipt.received(work_folder(room, student, slug), slug)


def meant(name: str, slugs: Sequence[str]) -> str | None:
    """Return the unit that the name of a folder means.

    >>> [meant(n, ["02_ngrams"]) for n in ("02_ngrams", "2", "Unit 02", "02-NGrams", "ngrams", "3")]
    ['02_ngrams', '02_ngrams', '02_ngrams', '02_ngrams', '02_ngrams', None]
    """
    if name in slugs:
        return name
    number, words = _read(name)
    for slug in slugs:
        its_number, its_words = _read(slug)
        if number == its_number and words in ("", its_words):
            return slug
        if number is None and words == its_words:
            return slug
    return None


def _read(name: str) -> tuple[int | None, str]:
    """Return the number that a name begins with and its letters, run together."""
    words = [] if name.startswith(".") else WORDS.findall(name.casefold())
    words = words[1:] if words[:1] in (["unit"], ["u"]) else words
    number = int(words[0]) if words and words[0].isdecimal() else None
    return number, "".join(words[number is not None :])


def _places(room: Classroom, pattern: str, slugs: Sequence[str]) -> list[tuple[str, str, Path]]:
    """Return (student, name, path) for everything in the students' folders, the units' names first.

    Folders of students that are links are left out.
    """
    template, base = _template(room), _base(room)
    found = re.compile(
        re.escape(template).replace(STUDENT, "(?P<student>[^/]+)").replace(UNIT, "(?P<unit>[^/]+)")
    )

    def paths(student: str) -> list[str]:
        return glob.glob(glob.escape(template).replace(STUDENT, student).replace(UNIT, "*"))

    alone = [] if pattern == "*" else paths(glob.escape(pattern))
    matches = [match for path in alone or paths(pattern) if (match := found.fullmatch(path))]
    places = [
        (match["student"], match["unit"], Path(match.string))
        for match in matches
        if match["student"].casefold() not in COMPANIONS
        and not (base / Path(match.string).relative_to(base).parts[0]).is_symlink()
    ]
    return sorted(places, key=lambda place: (place[0], place[1] not in slugs, place[1]))


def _unknown(
    room: Classroom, slugs: Sequence[str], pattern: str, known: set[Path]
) -> Iterator[str]:
    """Yield a line for each path that is neither work of a unit nor a companion."""
    base, under = _base(room), defaultdict[str, set[Path]](set)
    for path in known:
        under[path.relative_to(base).parts[0]].add(path)
    for entry in _entries(base):
        name = entry.name
        if pattern not in ("*", name) and not fnmatch.fnmatchcase(name, pattern):
            continue
        inside = _entries(entry) if entry.is_dir() and not entry.is_symlink() else []
        if under[name]:
            for path in inside:
                if path not in known and (path.is_dir() or _is_work(path)):
                    yield f"{name}: {path.name} is the folder of no unit ({_names(slugs)})"
        elif entry.is_symlink():
            yield f"{name} is a link: links are not followed"
        elif entry.is_dir() or _is_work(entry):
            seen = shown(path.name for path in inside) if entry.is_dir() else "a file"
            yield f"{name}: expected a folder of a unit in it ({_names(slugs)}), got {seen}"


def _base(room: Classroom) -> Path:
    """Return the folder in which everything handed in lies."""
    parts = Path(_template(room)).parts
    return Path(*parts[: min(i for i, part in enumerate(parts) if "\0" in part)])


def _template(room: Classroom) -> str:
    """Return the path of work with the marks STUDENT and UNIT in it."""
    return str(room.coursedir.format_path(room.coursedir.submitted_directory, STUDENT, UNIT))


def _entries(folder: Path) -> list[Path]:
    """Return what lies in a folder, sorted, without companions."""
    try:
        paths = [folder / name for name in sorted(os.listdir(folder))]
    except OSError:
        return []
    return [path for path in paths if not _is_left_by_a_system(path)]


def _is_left_by_a_system(path: Path) -> bool:
    if path.is_dir():  # an id may end like the name of a temporary file
        return path.name.casefold() in COMPANIONS
    return is_companion(PurePosixPath(path.name))


def _is_work(path: Path) -> bool:
    name = PurePosixPath(path.name)
    return is_notebook(name) or is_archive(name)


def _names(slugs: Sequence[str]) -> str:
    """Return examples of how a unit's folder may be called."""
    slug = slugs[0] if slugs else "NN_name"
    return f"such as {slug} or {slug.split('_')[0]}"
