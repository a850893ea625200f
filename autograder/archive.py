"""The notebook in a zip archive that a learner handed in, read in memory: nothing is unpacked.

Since no file is made, a name can lead nowhere and a link points at nothing; an archive that holds
such entries is refused all the same, with the reason. What a bomb would unfold to is never read
beyond the size of one notebook, archives in archives are not opened, and of the methods only
"stored" and "deflated" are read (others take memory as their header says).
"""

import io
import stat
import zipfile
import zlib
from collections import Counter
from pathlib import PurePosixPath

from autograder.errors import Unreadable

ENTRIES = 1_000
ENTRY = b"PK\x01\x02"  # begins the record of an entry in the directory
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
FOREIGN = ("__MACOSX", ".ipynb_checkpoints")  # what systems add beside the learner's own
DAMAGES = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, LookupError)


def notebook_in(data: bytes, most: int) -> bytes:
    """The one notebook of an archive, `most` + 1 bytes of it at most.

    Raises Unreadable for what is no archive, has more than `ENTRIES` entries, a name that is
    absolute, has `..` or occurs twice (capitals or not), a link or device, a password, or not
    exactly one notebook.
    """
    if data.count(ENTRY) > ENTRIES:
        raise Unreadable(f"the archive has more than {ENTRIES} entries: hand in the notebook alone")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entry = _only_notebook(archive.infolist())
            with archive.open(entry) as file:
                return file.read(most + 1)
    except DAMAGES as error:
        raise Unreadable(
            f"the archive is damaged ({type(error).__name__}): hand in the notebook itself"
        ) from None


def _only_notebook(entries: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    for entry in entries:
        if reason := _wrong(entry):
            raise Unreadable(f"the archive holds {reason}: hand in the notebook itself")
    names = Counter(entry.filename.casefold().rstrip("/") for entry in entries)
    if twice := [name for name, times in names.items() if times > 1]:
        raise Unreadable(
            f"the archive holds {_shown(twice[0])} twice (capitals make no other file): hand in "
            "the notebook itself"
        )
    found = [entry for entry in entries if _is_notebook(PurePosixPath(entry.filename))]
    if len(found) != 1:
        shown = ", ".join(_shown(entry.filename) for entry in found[:5])
        raise Unreadable(f"expected one notebook in the archive, got {len(found)} ({shown or '-'})")
    return found[0]


def _is_notebook(path: PurePosixPath) -> bool:
    own = not path.name.startswith("._") and not set(path.parts) & set(FOREIGN)
    return own and path.suffix.lower() == ".ipynb"


def _wrong(entry: zipfile.ZipInfo) -> str | None:
    """What speaks against an entry."""
    name, kind = entry.orig_filename, stat.S_IFMT(entry.external_attr >> 16)
    if name.startswith("/") or name[1:2] == ":" or any(c in name for c in "\\\0"):
        return f"a path that is not relative, {_shown(name)}"
    if ".." in name.split("/"):
        return f"a path that leads out of it, {_shown(name)}"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return f"a link or device, {_shown(name)}"
    if entry.flag_bits & 1:
        return f"a file with a password, {_shown(name)}"
    if entry.compress_type not in METHODS:
        return f"a file packed in a way that is not read here, {_shown(name)}"
    return None


def _shown(name: str) -> str:
    return ascii(name[:60])
