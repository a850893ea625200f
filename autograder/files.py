"""Files that are whole or not there, and text that a terminal can show."""

import contextlib
import os
import socket
from pathlib import Path

from autograder.errors import AutograderError


def write_durably(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Write a whole file or nothing, and return once it is on the disk.

    Raises AutograderError if it cannot be written.
    """
    part = part_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_stale(path)
        with open(part, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
        part.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise AutograderError(
            f"cannot write {path} ({error.strerror}): make room, or the folder writable"
        ) from None


def part_of(path: Path) -> Path:
    """Return the temporary name under which this process writes a file."""
    return path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.part")


def remove_stale(path: Path) -> None:
    """Remove temporary copies of this file that killed processes of this machine have left."""
    start = f".{path.name}.{socket.gethostname()}."
    for name in os.listdir(path.parent):
        stale = name.startswith(start) and not Path("/proc", name.split(".")[-2]).exists()
        if stale:
            (path.parent / name).unlink(missing_ok=True)


def printable(text: str) -> str:
    """Return text that cannot move the cursor or colour a terminal.

    >>> printable("ann\\x1b[31m")
    'ann\\\\x1b[31m'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
