"""Attack the sandbox from inside, to see that it holds on this machine: `autograder doctor`.

Outside there is something to find: a listening socket, a file, a process, a variable in the
environment. Grading calls `require` first; a pass is remembered until the machine restarts or
anything that it depends on changes (bubblewrap, Python, this code, user, control groups).
"""

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import types
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autograder.errors import SandboxUnavailable
from autograder.sandbox import seccomp
from autograder.sandbox.canaries import AFTER, BEFORE, CANARIES, FORMULAS, Bait, Canary
from autograder.sandbox.limits import Limits, can_group
from autograder.sandbox.process import FIRST_UID, bubblewrap
from autograder.sandbox.session import Lost, Session
from autograder.sandbox.view import hidden, newest_unit

LIMITS = Limits(
    cell_seconds=20.0,
    session_seconds=60.0,
    memory_bytes=400 * 2**20,
    tmp_bytes=16 * 2**20,
    files=2_000,
)
VARIABLE = "LLMCOURSE_CANARY"
# Methods that the standard library has, too, word for word: no formula.
EVERYWHERE = "def __iter__(self): return self\ndef __enter__(self): return self"


@dataclass(frozen=True)
class Finding:
    """What became of one canary."""

    name: str
    held: bool
    detail: str


def examine(slot: int = 0, unit: str = "") -> list[Finding]:
    """Run every attack in the sandbox of a unit, by default the one that sees the most.

    Raises SandboxUnavailable or SandboxFailed where no sandbox starts.
    """
    bubblewrap()  # where it is missing there is nothing to attack
    findings: list[Finding] = []
    unit = unit or newest_unit()
    with _bait(slot, unit) as bait:
        canaries = list(CANARIES)
        while canaries:
            with Session(unit, LIMITS, slot) as session:
                while canaries and session.alive:
                    findings.append(_try(canaries.pop(0), session, bait))
        killed = [] if _lives(bait.process) else ["it was killed"]
        findings.append(_finding("the process outside lives", killed))
    findings.append(_finding("nothing stays behind", _left(slot)))
    return findings


def _finding(name: str, wrong: list[str]) -> Finding:
    return Finding(name, not wrong, ", ".join(wrong) or "held")


def _try(canary: Canary, session: Session, bait: Bait) -> Finding:
    before = BEFORE.replace("{bait}", repr(asdict(bait))).replace("{limits}", repr(asdict(LIMITS)))
    try:
        outputs = session.run(before + canary.source + AFTER).outputs
    except Lost as lost:
        return Finding(canary.name, canary.deadly, lost.why)
    said = "".join(str(o.get("text") or o.get("evalue") or "") for o in outputs).strip()
    return Finding(canary.name, said == "held", said or "it said nothing")


@contextlib.contextmanager
def _bait(slot: int, unit: str) -> Iterator[Bait]:
    token, user = secrets.token_hex(16), FIRST_UID + slot if os.geteuid() == 0 else None
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="canary-")))
        folder.chmod(0o777)
        (folder / "secret").write_text(token)
        (folder / "secret").chmod(0o666)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(f"\0llmcourse-{token}")
        unix.listen()
        for name, value in ((VARIABLE, token), ("PATH", f"{os.environ.get('PATH', '')}:/{token}")):
            stack.callback(_set, name, os.environ.get(name))
            _set(name, value)
        victim = subprocess.Popen(["sleep", "300"], user=user, start_new_session=True)
        stack.callback(victim.wait)
        stack.callback(victim.kill)
        yield Bait(
            port=listener.getsockname()[1],
            abstract=f"llmcourse-{token}",
            file=str(folder / "secret"),
            formulas=formulas(unit),
            process=victim.pid,
            token=token,
            code=str(Path(__file__).resolve()),
            calls=seccomp.denied_here(),
        )


def _set(variable: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = value


def formulas(unit: str) -> dict[str, str]:
    """Return fingerprint -> `module:function` of what a submission of the unit may not have."""
    tools: dict[str, Any] = {"types": types}
    exec(FORMULAS, tools)

    def fingerprints(source: bytes | str) -> Iterator[tuple[str, str]]:
        whole = compile("", "", "exec").replace(co_consts=(compile(source, "", "exec"),))
        yield from tools["fingerprints"](whole)

    common = {mark for mark, _ in fingerprints(EVERYWHERE)}
    return {
        mark: f"{module}:{function}"
        for path, module in hidden(unit)
        for mark, function in fingerprints(path.read_bytes())
        if "<" not in function and mark not in common
    }


def _lives(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def _left(slot: int) -> list[str]:
    """Return the processes and control groups that the sandboxes of this examination left."""
    mark, found = json.dumps(asdict(LIMITS)).encode(), []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (path / "cmdline").read_bytes()
            if mark in line and b"/runner" in line:
                found.append(f"process {path.name}")
    name = f"llmcourse-{os.getpid()}-{slot}-"
    return found + [path for path, _, _ in os.walk("/sys/fs/cgroup") if name in path]


def about() -> str:
    """Return one line that says how submissions are isolated here."""
    how = "control groups" if can_group() else "watching the memory in use (no control group here)"
    user = "users of their own" if os.geteuid() == 0 else "your own user in a user namespace"
    return f"submissions run in bubblewrap, as {user}, limited by {how}, system calls filtered"


# Before grading

_passed: set[Path] = set()  # remembered by this process, where the disk cannot be written


def require(slot: int = 0) -> None:
    """Raise SandboxUnavailable unless every attack fails here, now or as remembered."""
    mark = _mark()
    if mark in _passed or _is_own(mark):
        return
    with _alone(mark.parent):
        if not _is_own(mark):
            wrong = [f for f in examine(slot) if not f.held]
            if wrong:
                raise SandboxUnavailable(
                    f"grading is refused: the sandbox does not hold here ({wrong[0].name}: "
                    f"{wrong[0].detail}); run `autograder doctor` for every line"
                )
            with contextlib.suppress(OSError):
                mark.touch(mode=0o600)
    _passed.add(mark)


def _is_own(mark: Path) -> bool:
    with contextlib.suppress(OSError):
        return mark.lstat().st_uid == os.geteuid()
    return False


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process in at a time, by a lock on the folder; without it, if it cannot be made."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            here = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, here)
            fcntl.flock(here, fcntl.LOCK_EX)
        yield


@functools.cache
def _mark() -> Path:
    """Return the file whose presence says that every attack failed.

    Its name is a hash of what that depends on.
    """
    program = os.stat(bubblewrap())
    rests_on = [
        Path("/proc/sys/kernel/random/boot_id").read_text(),
        *(bubblewrap(), program.st_mtime_ns, program.st_size),
        *(sys.version, sys.prefix, os.geteuid(), can_group()),
        *(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))),
    ]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "llmcourse" / f"held-{hashlib.sha256(repr(rests_on).encode()).hexdigest()[:32]}"
