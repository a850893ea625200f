"""What a submission may use, and the two ways to enforce it from outside.

Control groups (v1 or v2) need the right to make one, as root on a plain machine. Without it, the
memory in use is watched (`holds_more`). Limits that a process sets on itself are in `runner.py`.
"""

import contextlib
import functools
import os
import time
from dataclasses import dataclass
from pathlib import Path

FULL = "the memory of this machine"


@dataclass(frozen=True)
class Limits:
    """What one submission may use; seconds are of the processor (see `patience`)."""

    cell_seconds: float = 60.0
    session_seconds: float = 300.0  # one sandbox: all cells and all calls, sleep included
    exercise_seconds: float = 60.0  # all calls of one exercise
    import_seconds: float = 10.0  # more for the first call of an exercise: it may load libraries
    judge_seconds: float = 20.0  # of the grader's own, for one exercise
    submission_seconds: float = 900.0  # all sandboxes of a submission together
    memory_bytes: int = 2 * 2**30  # of one process, and of all together
    tmp_bytes: int = 256 * 2**20
    files: int = 20_000  # on the tmpfs
    processes: int = 64  # threads count
    open_files: int = 256
    output_bytes: int = 1_000_000  # kept of one cell; the rest is cut with a note
    notebook_bytes: int = 10_000_000  # outputs kept of a submission


def over_session(limits: Limits) -> str:
    """Return what the watchers say of a notebook that takes too long."""
    return f"{limits.session_seconds:.0f} seconds of processor time for the whole notebook"


def descendants(pid: int) -> list[int]:
    """Return a process and all that descend from it, as far as they can be seen, parents first."""
    found, todo = [], [pid]
    while todo:
        found.append(here := todo.pop())
        with contextlib.suppress(OSError, ValueError):
            for task in Path(f"/proc/{here}/task").iterdir():
                todo += map(int, (task / "children").read_text().split())
    return found


def holds_more(pid: int, most: int) -> bool:
    """Say whether a process and its descendants hold more bytes for themselves than they may.

    Mapped files are not counted. Memory that forks share is counted once. That takes long to
    measure, so it is done only where the sum over all processes, shared memory included, is too
    much.
    """
    every = descendants(pid)
    if sum(_kilobytes(here, "status", "RssAnon", "RssShmem") for here in every) * 1024 <= most:
        return False
    return sum(_kilobytes(here, "smaps_rollup", "Pss_Anon", "Pss_Shmem") for here in every) > (
        most / 1024
    )


def _kilobytes(pid: int, file: str, *fields: str) -> int:
    with contextlib.suppress(OSError, ValueError):
        lines = Path(f"/proc/{pid}/{file}").read_text(errors="replace").splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(fields))
    return 0


def machine_is_full() -> bool:
    """Say whether less than 4 % of this machine's memory is available."""
    fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    free, total = (int(fields[name].split()[0]) for name in ("MemAvailable", "MemTotal"))
    return free < 0.04 * total


# Control groups


def make_groups(limits: Limits, slot: int) -> tuple[Path, ...]:
    """Make fresh control groups with the limits set; () where this user may not make them."""
    name = f"llmcourse-{os.getpid()}-{slot}-{time.monotonic_ns()}"
    made: list[Path] = []
    try:
        for controllers, parent in _group_parents():
            _remove_stale(parent)
            group = parent / name
            group.mkdir()
            made.append(group)
            for controller in controllers:
                _limit_group(group, controller, limits)
    except OSError:
        remove_groups(tuple(made))
        return ()
    return tuple(made)


def can_group() -> bool:
    """Say whether control groups hold a submission here, rather than watching."""
    groups = make_groups(Limits(), os.getpid())
    remove_groups(groups)
    return bool(groups)


def _limit_group(group: Path, controller: str, limits: Limits) -> None:
    if controller == "pids":
        (group / "pids.max").write_text(str(limits.processes + 8))  # bubblewrap's own among them
    elif (group / "memory.max").exists():
        (group / "memory.max").write_text(str(limits.memory_bytes))
        with contextlib.suppress(OSError):
            (group / "memory.swap.max").write_text("0")
    else:
        (group / "memory.limit_in_bytes").write_text(str(limits.memory_bytes))


@functools.cache
def _group_parents() -> tuple[tuple[tuple[str, ...], Path], ...]:
    """Return (controllers, folder) where groups can be made; raise OSError if there is none."""
    top = Path("/sys/fs/cgroup")
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    own = {
        controller: path.lstrip("/") for _, names, path in lines for controller in names.split(",")
    }
    both = ("memory", "pids")
    if all((top / c / own.get(c, "?") / "cgroup.procs").exists() for c in both):
        return tuple(((c,), top / c / own[c]) for c in both)
    enabled = (top / "cgroup.subtree_control").read_text().split()
    if not set(both) <= set(enabled):
        (top / "cgroup.subtree_control").write_text("+memory +pids")
    return ((both, top),)


def _remove_stale(parent: Path) -> None:
    """Remove groups of graders that were killed: empty, since their sandboxes ended with them."""
    for group in parent.glob("llmcourse-*"):
        if not Path("/proc", group.name.split("-")[1]).exists():
            with contextlib.suppress(OSError):
                group.rmdir()


def remove_groups(groups: tuple[Path, ...]) -> None:
    """Remove control groups, waiting up to a second for each to become empty."""
    for group in groups:
        for _ in range(100):  # the kernel lets go of the last process a moment after its end
            with contextlib.suppress(FileNotFoundError):
                try:
                    group.rmdir()
                except OSError:
                    time.sleep(0.01)
                    continue
            break
