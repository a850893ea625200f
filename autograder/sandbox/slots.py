"""Numbers of sandboxes; no two sandboxes that run on this machine at once have the same one.

As root, each slot has a system user of its own. Two graders, or the workers of one, must not share
such a user: its processes could end each other and would count against one limit. A slot is taken
by a lock on a file, which the kernel releases when its holder ends, in whatever way.
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
    """Hold a slot that is free until the block ends; SandboxFailed when all are taken."""
    folder = _folder()
    for slot in slots:
        with open(folder / str(slot), "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield slot
            return
    raise SandboxFailed(f"all {len(slots)} sandboxes of this machine are in use: grade again later")


def _folder() -> Path:
    """Return where the locks are: nobody but this user (as root: the machine) can write there."""
    user = os.geteuid()
    runtime = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    folder = Path("/run" if user == 0 else runtime, f"llmcourse-slots-{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o022:
        raise SandboxFailed(
            f"expected a directory that only you can write, got another {folder}: remove it"
        )
    return folder
