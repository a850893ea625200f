"""Many submissions side by side, on workers of dask.distributed.

A task is plain data: the folder of the submission and the key of its result. A worker grades it in
a sandbox with a slot of its own, stores the result, and returns the key. Only the stored file
counts, so a task that runs twice, or whose worker dies, does no harm. A submission that hit a time
limit or failed through an error of ours is not stored: the caller grades it again alone. So a grade
does not depend on how many ran side by side.

The cluster that `Workers` starts listens on 127.0.0.1 with a certificate made for the round:
nobody else on this machine can give it work. A scheduler on another machine must use TLS, too, and
its workers need the same course directory, packages and secret; all this is checked.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import ipaddress
import logging
import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from autograder.classroom.room import course_secret
from autograder.classroom.store import environment, grader_version, result_key, save_result
from autograder.classroom.submitted import read_work
from autograder.course import load_unit
from autograder.errors import AutograderError, SandboxFailed, Unreadable
from autograder.grading.result import grade
from autograder.sandbox.limits import Limits
from autograder.sandbox.slots import free_slot

CONNECT_SECONDS = 15
HOW = "start one with `dask scheduler` and `dask worker --nthreads 1`, both with --tls-* options"
QUIET = {  # no pages about the class for other users of this machine; workers are ours to start
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.multiprocessing-method": "spawn",
}


@dataclass(frozen=True)
class Task:
    """One submission to be graded."""

    root: Path  # of the course
    slug: str
    folder: Path  # that holds the submission
    key: str  # that its result gets in the store
    limits: Limits


def settle(task: Task) -> str | None:
    """Grade a submission, store the result, return its key; None if it must be graded alone."""
    try:
        submission = read_work(task.folder, task.slug)
        unit, secret = load_unit(task.root, task.slug), course_secret(task.root)
        if result_key(submission, unit, secret, task.limits) != task.key:
            return None  # it was handed in again meanwhile
        with free_slot() as slot:
            result = grade(submission, unit, secret=secret, slot=slot, limits=task.limits)
    except (SandboxFailed, Unreadable):
        return None
    if result.late or result.state == "infrastructure":
        return None
    save_result(task.root, task.key, result)
    return task.key


class Workers:
    """Workers for one or several rounds; a context manager. Calling it settles tasks.

    count: processes of a cluster on this machine, by default one a core; it is started when there
    is work for two. address: of a running scheduler to use instead.
    """

    def __init__(self, count: int | None = None, address: str | None = None) -> None:
        if importlib.util.find_spec("distributed") is None:
            if address or (count or 1) > 1:
                raise AutograderError(
                    "grading several submissions at a time needs dask: `pip install -e '.[grade]'`"
                )
            count = 1
        if address is not None:
            _check_address(address)
        self.count, self.address = count or len(os.sched_getaffinity(0)), address
        self._stack = contextlib.ExitStack()
        self._client: Any = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stack.close()
        self._client = None

    def __call__(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, str | None]]:
        """Yield each task with the result of `settle` as it ends; an AutograderError is raised."""
        if not tasks or (self.address is None and min(self.count, len(tasks)) < 2):
            return
        from dask.distributed import as_completed

        client = self._connect(tasks[0].root)
        futures = client.map(settle, tasks, pure=False, retries=0)
        waiting = dict(zip(futures, tasks, strict=True))
        del futures
        for future in as_completed(list(waiting), loop=client.loop):
            error = future.exception() if future.status == "error" else None
            if isinstance(error, AutograderError):
                raise error
            yield waiting.pop(future), future.result() if future.status == "finished" else None

    def _connect(self, root: Path) -> Any:
        if self._client is None:
            made = _local(self.count) if self.address is None else _remote(self.address, root)
            self._client = self._stack.enter_context(made)
        return self._client


@contextmanager
def _local(count: int) -> Iterator[Any]:
    """Open a client of a fresh cluster on this machine."""
    import dask
    from dask.distributed import Client, LocalCluster

    with tempfile.TemporaryDirectory(prefix="llmcourse-workers-") as folder, dask.config.set(QUIET):
        with _no_interrupts():
            cluster = LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                host="127.0.0.1",
                security=True,  # a certificate of its own
                dashboard_address="127.0.0.1:0",
                memory_limit=None,
                local_directory=folder,
                silence_logs=logging.CRITICAL,
            )
        with cluster, Client(cluster, set_as_default=False) as client:
            client.register_plugin(_own_session())
            yield client


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Block Ctrl-C in this thread, and in the threads and processes that it starts meanwhile."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _own_session() -> Any:
    """Return a plugin that gives each worker a session of its own, out of reach of Ctrl-C.

    Processes that the worker starts get signals as usual.
    """
    from dask.distributed import WorkerPlugin

    class OwnSession(WorkerPlugin):
        def setup(self, worker: Any) -> None:
            os.setsid()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

    return OwnSession()


@contextmanager
def _remote(address: str, root: Path) -> Iterator[Any]:
    """Open a client of a running scheduler whose workers would come to the same results as we."""
    from dask.distributed import Client

    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        what = (str(error).splitlines() or [type(error).__name__])[0]
        raise AutograderError(f"no scheduler answers at {address} ({what}); {HOW}") from None
    with client:
        threads = {w["nthreads"] for w in client.scheduler_info(n_workers=-1)["workers"].values()}
        if threads != {1}:
            found = f"workers with {max(threads)} threads" if threads else "no workers"
            raise AutograderError(
                f"expected workers with one thread at {address}, got {found}; {HOW}"
            )
        ours = fingerprint(root)
        for worker, theirs in client.run(fingerprint, root, on_error="return").items():
            if theirs != ours:
                raise AutograderError(
                    f"worker {worker} would grade otherwise than this machine ({theirs!r} against "
                    f"{ours!r}): it needs the same course directory, secret, packages and code"
                )
        yield client


def fingerprint(root: Path) -> str:
    """Return what results depend on apart from submission and unit: secret, code, environment."""
    secret = hashlib.sha256(b"id of " + course_secret(root)).hexdigest()[:8]
    return f"secret {secret}, grader {grader_version()}, {environment()}"


def _check_address(address: str) -> None:
    """Refuse to send work over a network unless both ends have shown certificates."""
    scheme, _, rest = address.partition("://")
    host = rest.rpartition(":")[0].strip("[]")
    local = host == "localhost" or (_is_number(host) and ipaddress.ip_address(host).is_loopback)
    if scheme != "tls" and not (scheme == "tcp" and local):
        raise AutograderError(
            f"expected a scheduler address as tls://HOST:PORT (tcp://127.0.0.1:PORT on this "
            f"machine), got {address!r}: whoever reaches a scheduler without TLS can run anything"
        )


def _is_number(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False
