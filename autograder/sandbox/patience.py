"""How long the grader waits for a sandbox: seconds of the processor, not of the clock on the wall.

On a busy machine a right answer takes longer but uses no more processor time, so that is what
counts, for all processes inside together. A process that sleeps uses none. So there is a limit on
wall time, too, from which two kinds of waiting are subtracted: the time when a process was ready to
run and had no processor, and the time when the virtual machine stood still. If the sandbox hardly
ran at all, the machine was too busy to tell, which is no mistake of the learner's.

Processes inside also keep each other waiting, and the processor time of children that nobody waits
for is lost when they end. So the waiting time is divided by the number of processes that want a
processor, and with more than CROWD of them it is not subtracted at all.
"""

import contextlib
import operator
import os
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from autograder.sandbox.limits import descendants

ASLEEP = 2  # wall seconds, without waiting, that a request may take per second of processor time
STARVED = 25  # wall seconds, with waiting, per second of processor time: then the machine is blamed
FIRST_LOOK = 0.05  # seconds: most requests are over by then and cost no look at /proc
CROWD = 8  # processes and threads of one sandbox that want a processor at once
LOOKS = 0.1  # seconds between looks once time may be up
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Used:
    """What the processes of a sandbox have used so far."""

    processor: float = 0.0  # seconds, of those that have ended too
    waited: dict[int, float] = field(default_factory=dict)  # seconds without a processor, by pid
    ready: int = 0  # processes and threads that run or want to
    stolen: tuple[float, ...] = ()  # seconds that other virtual machines took, by processor

    @classmethod
    def by(cls, pid: int) -> "Used":
        """Return what a process and all that descend from it have used."""
        processor, waited, ready = 0, dict[int, float](), 0
        for here in descendants(pid):
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = Path(f"/proc/{here}/stat").read_text(errors="replace")
                # user and system time, own and of the children it has waited for
                processor += sum(map(int, fields.rpartition(")")[2].split()[11:15]))
                delay = Path(f"/proc/{here}/schedstat").read_text().split()[1]
                waited[here] = int(delay) / 1e9
                ready += sum(map(_wants_to_run, Path(f"/proc/{here}/task").iterdir()))
                ready += _stepped_back(here) * (CROWD + 1)
        return cls(processor / TICKS, waited, ready, _stolen())


def _wants_to_run(task: Path) -> bool:
    with contextlib.suppress(OSError):
        return (task / "stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "R"
    return False


def _stepped_back(pid: int) -> bool:
    """Say whether its session has lowered its own priority, which no filter of calls can see."""
    with contextlib.suppress(OSError):  # not every kernel groups processes by session
        return not Path(f"/proc/{pid}/autogroup").read_text().endswith(" nice 0\n")
    return False


def _stolen() -> tuple[float, ...]:
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/stat").read_text().splitlines()[1:]  # the first one sums up
        return tuple(int(line.split()[8]) / TICKS for line in lines if line.startswith("cpu"))
    return ()


class Patience:
    """The deadline of one request, to be called as `frames` does: seconds until the next look.

    pid: of the sandbox; seconds: of the processor; most: wall seconds, sleep included and waiting
    for a processor not.
    """

    def __init__(self, pid: int, seconds: float, most: float) -> None:
        self.seconds, self.starved = seconds, False
        self.most = min(ASLEEP * seconds, most)
        self._pid, self._began = pid, time.monotonic()
        self._next = self._began + FIRST_LOOK
        self._seen = self._began  # when it last looked
        self._first: Used | None = None
        self._delays: dict[int, float] = {}  # as last seen, by pid
        self._processor = self._waited = 0.0
        self._crowded = False

    def __call__(self) -> float:
        """Return the seconds to the next look; 0 when time is up, by `starved` for whose fault."""
        now = time.monotonic()
        if now < self._next:
            return self._next - now
        own = self._look(now)
        if self._processor >= self.seconds or own >= self.most:
            return 0.0
        if now - self._began >= STARVED * self.seconds:
            self.starved = True
            return 0.0
        soon = max(LOOKS, min(self.seconds - self._processor, self.most - own, 1.0))
        # at random, so that no process can hide at the moment of a look
        self._next = now + soon * random.uniform(0.5, 1.0)
        return self._next - now

    def own(self) -> float:
        """Return the wall seconds so far, less those for which there was no processor to be had."""
        now = time.monotonic()
        return self._look(now) if now >= self._began + FIRST_LOOK else now - self._began

    def _look(self, now: float) -> float:
        """Measure what the processes have used and return what `own` does."""
        used = Used.by(self._pid)
        since, self._seen = now - self._seen, now
        waits = [
            # a process that is new has waited since the last look at most
            delay - self._delays[pid] if pid in self._delays else min(delay, since)
            for pid, delay in used.waited.items()
        ]
        self._delays |= used.waited
        # Of several that want a processor, each may have waited for the others.
        self._waited += max(waits, default=0.0) / max(1, used.ready)
        self._crowded = self._crowded or used.ready > CROWD
        first = self._first = self._first or used
        self._processor = used.processor - first.processor
        stolen = max(map(operator.sub, used.stolen, first.stolen), default=0.0)
        excused = 0.0 if self._crowded else self._waited + stolen
        return max(0.0, now - self._began - excused)
