"""The notebook in a zip archive that a learner handed in, read in memory: nothing is unpacked.

Since no file is written, odd names and links can do no harm; an archive that holds such entries is
refused all the same, with the reason. Of a compression bomb no more is read than the size of one
notebook, archives in archives are not opened, and only the methods "stored" and "deflated" are read
(others allocate as much memory as their header says). Tools of Windows write backslashes between
the folders of a name; they mean the same as slashes here.
"""

import io
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from autograder.errors import Unreadable
from autograder.grading.candidates import chosen, is_companion, is_notebook

ENTRIES = 1_000
ENTRY = b"PK\x01\x02"  # begins the record of an entry in the directory
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGES = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, LookupError)


def notebook_in(data: bytes, most: int, slug: str = "") -> bytes:
    """Return the notebook of an archive, at most `most` + 1 bytes of it.

    It is the one called `slug`, else the only one. Raises Unreadable for data that are no archive,
    more than `ENTRIES` entries, a name that is absolute, has `..` or occurs twice (capitals or
    not), a link or device, a password, and for no notebook or several between which nothing
    decides.
    """
    return next(notebooks_in(data, most, slug))[1]


def notebooks_in(data: bytes, most: int, slug: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield what `notebook_in` returns, with its name; then the other notebooks of the archive."""
    if data.count(ENTRY) > ENTRIES:
        raise Unreadable(f"the archive has more than {ENTRIES} entries: hand in the notebook alone")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for path, entry in _notebooks(archive.infolist(), slug):
                with archive.open(entry) as file:
                    yield str(path), file.read(most + 1)
    except DAMAGES as error:
        raise Unreadable(
            f"the archive is damaged ({type(error).__name__}): hand in the notebook itself"
        ) from None


def _notebooks(
    entries: list[zipfile.ZipInfo], slug: str
) -> Iterator[tuple[PurePosixPath, zipfile.ZipInfo]]:
    for entry in entries:
        if reason := _wrong(entry):
            raise Unreadable(f"the archive holds {reason}: hand in the notebook itself")
    own = [(path, entry) for entry in entries if not is_companion(path := _path(entry.filename))]
    names = Counter(str(path).casefold() for path, _ in own)
    if twice := [name for name, times in names.items() if times > 1]:
        raise Unreadable(
            f"the archive holds {_shown(twice[0])} twice (capitals make no other file): hand in "
            "the notebook itself"
        )
    files = {path: entry for path, entry in own if not _is_folder(entry)}
    found = [path for path in files if is_notebook(path)]
    seen = list(files) or [_path(entry.filename) for entry in entries]  # companions alone
    first = chosen(found, seen, slug, "the archive", _shown)
    for path in [first, *(path for path in found if path != first)]:
        yield path, files[path]


def _path(name: str) -> PurePosixPath:
    return PurePosixPath(name.replace("\\", "/"))


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.endswith(("/", "\\"))


def _wrong(entry: zipfile.ZipInfo) -> str | None:
    """Return why an entry is refused, None if it is not."""
    name, kind = entry.orig_filename, stat.S_IFMT(entry.external_attr >> 16)
    if name.startswith(("/", "\\")) or name[1:2] == ":" or "\0" in name:
        return f"a path that is not relative, {_shown(name)}"
    if ".." in _path(name).parts:
        return f"a path that leads out of it, {_shown(name)}"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return f"a link or device, {_shown(name)}"
    if entry.flag_bits & 1:
        return f"a file with a password, {_shown(name)}"
    if entry.compress_type not in METHODS:
        return f"a file packed in a way that is not read here, {_shown(name)}"
    return None


def _shown(name: object) -> str:
    return ascii(str(name)[:60])
