"""Run marking in a child of the grader, so that a hostile value can tie up the child alone.

Judging, answering calls from the sandbox (`given`, callable arguments) and decoding replies are our
code, but they work on a learner's values: `10 ** value` may run without end or fill the memory. The
child has its own limits on processor and memory, and all that it returns is JSON.
"""

import ctypes
import gc
import json
import os
import resource
import select
import signal
import time
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from autograder.errors import SandboxFailed

MEMORY_BYTES = 2**30  # beyond what the grader holds at the fork
REPORT_BYTES = 2**24
PR_SET_PDEATHSIG = 1


class Overrun(Exception):
    """The work exceeded its limits or ended its process, which a learner's value can cause."""


def apart(work: Callable[[], Any], *, processor_seconds: float, wall_seconds: float) -> Any:
    """Return the value of `work()`, plain JSON, computed in a fork of this process.

    processor_seconds: of the fork alone, rounded up. Raises Overrun when the fork used up these or
    its memory, or crashed; SandboxFailed, which costs no points, when `work` raised anything else
    or had not ended after `wall_seconds`.
    """
    read, write = os.pipe()
    with warnings.catch_warnings():  # Python 3.12: other threads do not exist in the fork
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(read)
        _work(work, write, processor_seconds)
    os.close(write)
    try:
        report = _read(read, time.monotonic() + wall_seconds)
    finally:
        os.close(read)
        os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if report is None:
        raise SandboxFailed(f"marking stood still for {wall_seconds:.0f} seconds")
    if report.endswith(b"\n"):
        return _reported(json.loads(report))
    if status == -signal.SIGKILL:  # not ours, which comes after the report: the machine's
        raise SandboxFailed("marking was killed from outside: is the machine out of memory?")
    raise Overrun(f"marking ended by signal {-status}")


def _reported(report: dict[str, Any]) -> Any:
    if "value" in report:
        return report["value"]
    if "overrun" in report:
        raise Overrun(report["overrun"])
    raise SandboxFailed(report["failed"])


def _read(pipe: int, deadline: float) -> bytes | None:
    """Read all that the child writes until it ends; None at the deadline."""
    text = b""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while len(text) <= REPORT_BYTES:
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return None
        if not (part := os.read(pipe, 2**20)):
            break
        text += part
    return text


# In the child


def _work(work: Callable[[], Any], pipe: int, seconds: float) -> NoReturn:
    try:
        gc.freeze()  # nothing of the grader's other work is finalized here
        _limit(seconds)
        report = {"value": work()}
    except (MemoryError, RecursionError) as error:
        report = {"overrun": type(error).__name__}
    except SandboxFailed as error:
        report = {"failed": str(error)}
    except BaseException as error:  # a bug of ours must cost no learner anything
        what = f"{type(error).__name__}: {error}"[:400]
        report = {"failed": f"the grader failed ({what}); nothing was scored"}
    try:
        with open(pipe, "wb") as file:
            file.write(json.dumps(report).encode() + b"\n")
    finally:
        os._exit(0)


def _limit(seconds: float) -> None:
    """Limit the child, which also ends with the thread that made it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    with open("/proc/self/statm") as file:
        held = int(file.read().split()[5]) * resource.getpagesize()
    for limit, value in (
        (resource.RLIMIT_CPU, int(seconds) + 1),
        (resource.RLIMIT_DATA, held + MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (value if hard < 0 else min(value, hard), hard))
