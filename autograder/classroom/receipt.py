"""When a submission was received, and whether a better copy lies beside it.

Both depend on the folder, not on the notebook, so they are no part of a stored result.
"""

import itertools
import os
import re
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dateutil.parser

from autograder.errors import Unreadable
from autograder.grading.ingest import LearnerCell, beside, find_notebook, parse
from autograder.grading.names import same_program
from autograder.grading.program import text_of

STAMP, STAMP_BYTES = "timestamp.txt", 200
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
ZONE = re.compile(r"(.*\d)\s+([A-Za-z]+(?:/[A-Za-z0-9_+-]+)+)", re.DOTALL)  # Europe/Berlin
TWO_SIGNS = re.compile(r"(UTC|GMT)\s?[+-]\d", re.IGNORECASE)  # in POSIX, UTC+3 is west of Greenwich
DEFAULTS = datetime(2000, 1, 1), datetime(2001, 2, 2)  # a part that a text lacks differs in them
COPIES = 5  # files looked at, and notebooks in them
IN_TIME = "was ignored, so the work counts as in time"


def received(folder: Path, slug: str) -> tuple[datetime | None, str | None]:
    """Return the time in a submission's `timestamp.txt` (UTC), and why it was ignored, if so."""
    try:
        data = _small_regular(_stamp(folder, slug))
    except FileNotFoundError:
        return None, None
    except OSError as error:
        return None, f"{STAMP} cannot be read ({error.strerror}) and {IN_TIME}"
    if data is None:
        return None, f"{STAMP} is not a small regular file and {IN_TIME}"
    mark = next((encoding for mark, encoding in MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(mark).strip().strip("\0")
        return time_of(text), None
    except UnicodeDecodeError:
        text = "no text"
    except ValueError as error:
        text = f"{error}"
    return None, f"{STAMP} {IN_TIME}: expected a date as 2030-05-01 12:00:00 UTC, got {text}"


def _small_regular(path: Path) -> bytes | None:
    """Return the bytes of a small regular file with one name; None for anything else."""
    if not stat.S_ISREG(path.lstat().st_mode):
        return None
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(path, flags), "rb") as file:
        info = os.fstat(file.fileno())
        own = stat.S_ISREG(info.st_mode) and info.st_nlink == 1 and info.st_size <= STAMP_BYTES
        return file.read(STAMP_BYTES) if own else None


def _stamp(folder: Path, slug: str) -> Path:
    """Return the path of the timestamp: in the folder, or beside a notebook that lies deeper."""
    path = folder / STAMP
    if path.is_symlink() or path.exists():
        return path
    try:
        return folder / find_notebook(folder, slug).parent / STAMP
    except Unreadable:
        return path


def time_of(text: str) -> datetime:
    """Return the time (UTC) in a text that has day, month and year; the hour may be missing.

    Raises ValueError, whose message is what was found instead, for a date that is incomplete, can
    be read in two ways, or has an unknown time zone.

    >>> time_of("2030-05-01 12:00 +0200")
    datetime.datetime(2030, 5, 1, 10, 0)
    """
    if not text:
        raise ValueError("an empty file")
    found = f"{text[:40]!r}"
    if TWO_SIGNS.search(text):
        raise ValueError(f"{found}, where + can mean before or after")
    match = ZONE.fullmatch(text)
    said, place = match.groups() if match else (text, None)
    year_first = re.match(r"\d{4}", said) or re.search(r"(?<!\d)\d{4}[-/.]", said)
    ways = (False,) if year_first else (False, True)
    try:
        times = {
            dateutil.parser.parse(said, default=default, dayfirst=way, tzinfos=_zone)
            for default in DEFAULTS
            for way in ways
        }
        zone = ZoneInfo(place) if place else None
    except Exception:  # whatever the parser makes of a stranger's text
        raise ValueError(found) from None
    time: datetime = times.pop()
    if times or f"{time.year:04}" not in said:
        raise ValueError(f"{found}, which does not name one day")
    time = time.replace(tzinfo=zone) if zone else time
    try:
        return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except OverflowError:
        raise ValueError(found) from None


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    """Return a time zone for the parser, which by itself would also accept this machine's zone."""
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    return ZoneInfo(name) if name else None


def better_copies(
    folder: Path, slug: str, data: bytes, released: Mapping[str, Any]
) -> Iterator[str]:
    """Yield a line for each notebook beside the graded one in which more cells are answered."""
    try:
        mine = answers(data, released)
        for name, other in itertools.islice(beside(folder, slug, COPIES), COPIES):
            more = answers(other, released)
            if more > mine:
                yield (
                    f"{name} was not read, though {more} cells are answered there and {mine} in "
                    f"the notebook that was: hand it in as {slug}.ipynb if it is the work"
                )
    except (Unreadable, OSError):
        return


def answers(data: bytes, released: Mapping[str, Any]) -> int:
    """Return how many solution cells of a notebook differ from the released stub."""
    try:
        cells = parse(data).cells
    except Unreadable:
        return 0
    stubs = {
        cell["metadata"]["nbgrader"]["grade_id"]: cell
        for cell in released["cells"]
        if cell.get("metadata", {}).get("nbgrader", {}).get("solution")
    }
    return sum(any(_answers(cell, stub) for cell in cells) for stub in stubs.values())


def _answers(cell: LearnerCell, stub: Mapping[str, Any]) -> bool:
    grade_id = stub["metadata"]["nbgrader"]["grade_id"]
    own = cell.grade_id == grade_id or (cell.grade_id is None and cell.cell_id == stub.get("id"))
    return own and bool(cell.source.strip()) and not same_program(cell.source, text_of(stub))
