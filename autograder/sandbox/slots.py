"""Numbers of sandboxes, of which no two that run on this machine at once are the same.

As root a slot is a user of its own, and users are the machine's: two graders, or the workers of
one, must not share them, since processes of one user can end each other and count against one
limit. A slot is taken by a lock on a file, which the kernel lets go of when its holder ends, in
whatever way.
"""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.errors import SandboxFailed

SLOTS = range(100, 500)  # lower ones are for callers that choose their own


@contextmanager
def free_slot(slots: range = SLOTS) -> Iterator[int]:
    """Hold a slot that nobody else has, until the block ends; SandboxFailed when all are taken."""
    folder = _folder()
    for slot in slots:
        with open(folder / str(slot), "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield slot
            return
    raise SandboxFailed(f"all {len(slots)} sandboxes of this machine are in use")


def _folder() -> Path:
    """Return where the locks are: nobody but this user (as root: the machine) can write there."""
    user = os.geteuid()
    runtime = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    folder = Path("/run" if user == 0 else runtime, f"llmcourse-slots-{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o022:
        raise SandboxFailed(f"{folder} is not a directory that only you can write: remove it")
    return folder
