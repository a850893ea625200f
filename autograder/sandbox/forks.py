"""Run a piece of work for many items, each in a fork of this warm process, with limits.

What one item does to its process (an endless loop, all the memory, a changed global) ends with it.
Only for code that we trust: a fork has all rights of this process. POSIX only.
"""

import contextlib
import gc
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
MEMORY_BYTES = 2 * 2**30
WALL = 30  # wall seconds given for a second of CPU time: the machine may be busy


@dataclass(frozen=True)
class Done(Generic[Item]):
    """One item: `value` is what the work returned, unless `ended` says why nothing came."""

    item: Item
    value: Any = None
    ended: str = ""  # time, died, or stuck (it waited for something)


@dataclass
class _Fork(Generic[Item]):
    item: Item
    process: Any
    reply: Connection
    deadline: float


def in_forks(
    work: Callable[[Item], Any],
    items: Iterable[Item],
    *,
    workers: int,
    cpu_seconds: Callable[[Item], float],
) -> Iterator[Done[Item]]:
    """Yield each item as it is done, at most `workers` at a time, in any order."""
    todo, running = iter(items), list[_Fork[Item]]()
    gc.freeze()  # a fork that looks for garbage would copy every page of this process
    try:
        while True:
            while len(running) < workers and (item := next(todo, None)) is not None:
                running.append(_start(work, item, cpu_seconds(item)))
            if not running:
                return
            wait([fork.reply for fork in running], timeout=1)
            for fork in [fork for fork in running if _is_over(fork)]:
                running.remove(fork)
                yield _finish(fork)
    finally:
        gc.unfreeze()
        for fork in running:
            fork.process.kill()
            fork.process.join()


def _start(work: Callable[[Item], Any], item: Item, cpu_seconds: float) -> _Fork[Item]:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_live, args=(work, item, theirs, cpu_seconds))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C is for this process alone
    process.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    theirs.close()
    return _Fork(item, process, ours, time.monotonic() + WALL * cpu_seconds)


def _live(work: Callable[[Item], Any], item: Item, reply: Connection, cpu_seconds: float) -> None:
    """Do the work of one item in its fork, under the limits, and send back the result."""
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    with contextlib.suppress(ValueError, OSError):  # a lower limit is set already
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 1)
        os.dup2(null.fileno(), 2)
    reply.send(work(item))


def _is_over(fork: _Fork[Any]) -> bool:
    return fork.reply.poll() or time.monotonic() > fork.deadline


def _finish(fork: _Fork[Item]) -> Done[Item]:
    try:
        if fork.reply.poll():
            return Done(fork.item, fork.reply.recv())
        return Done(fork.item, ended="stuck")
    except EOFError:
        fork.process.join()
        return Done(fork.item, ended="time" if fork.process.exitcode == -signal.SIGPROF else "died")
    finally:
        fork.process.kill()
        fork.process.join()
        fork.reply.close()
