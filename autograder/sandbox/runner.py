"""Run inside the sandbox: execute cells through IPython's shell, answer calls over a socket.

Imported as a plain file, as are `wire`, `frames`, `outputs` and `shell` beside it, with the number
of an inherited socket and the limits as JSON. It first sets the limits on itself, then sends
"ready". On the socket it gets one request at a time, a dict with a number `n`, and replies with a
dict that has the same number:

    {"do": "cell", "source"} -> {"outputs": nbformat outputs as dicts, "count", "left": whether
                                it left something running}
    {"do": "keep", "name"}   -> {"kept": whether a fork now waits, with all that is defined by now}
    {"do": "fork", "kept"}   -> {"forked": "kept", "last" or None}; with it comes a socket, on which
                                calls are served by a fork of what was kept under that name, else of
                                this process, if one can be had

In a fork, a request is {"name", "probe", "args", "given", "forbid"}: the probe is defined from its
source and gets the user's object of that name. Before the reply there may be calls of the proxies,
{"call", "args", "keywords"}, each answered with {"value"} or {"error"}. The reply is {"returned"},
{"raised", "message"} or {"no"}.

Nothing in here is trusted: the learner's code runs in the same process, so a reply is a claim.
"""

import builtins
import contextlib
import ctypes
import functools
import gc
import importlib.util
import json
import os
import queue
import resource
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _beside(name: str) -> Any:
    """Return a module from the file beside this one, under no name that `import` finds."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


wire, frames = _beside("wire"), _beside("frames")
Outputs: Any = _beside("outputs").Outputs
Kernel: Any = _beside("shell").Kernel

CALL_BYTES = 2**20  # a call of a proxy, one direction
STUB = ((), ("your turn",))  # what the NotImplementedError of a released stub says


def limit(limits: dict[str, Any]) -> None:
    """Set the limits on this process and all its children; they cannot be raised again."""
    for name, value in (
        ("NPROC", limits["processes"]),
        ("DATA", limits["memory_bytes"]),
        ("FSIZE", limits["tmp_bytes"]),
        ("NOFILE", limits["open_files"]),
        ("CPU", int(limits["session_seconds"]) + 1),
        ("CORE", 0),
    ):
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def hide() -> None:
    """Close this process and its forks to every other: no /proc/PID/mem, no tracing (not dumpable).

    The filter of system calls keeps code from undoing it. A program started from here is open.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(4, 0, 0, 0, 0):  # PR_SET_DUMPABLE
        raise OSError(ctypes.get_errno(), "this process could not be closed to others")


# Serving


def _receive(channel: socket.socket, proxy: Any = None) -> Any:
    return wire.unpack(frames.receive(channel, None, wire.FRAME_BYTES), proxy)


def serve(channel: socket.socket, kernel: Kernel) -> None:
    """Answer requests until the other end is gone."""
    kept: dict[str, Kept] = {}
    while True:
        request = _receive(channel)
        if request["do"] == "cell":
            before = _running()
            outputs, count = kernel.run(request["source"])
            reply: dict[str, Any] = {"outputs": outputs, "count": count}
            reply["left"] = _running() - before > 0
        elif request["do"] == "keep":
            _pass(kernel.shell.user_ns.get(request["name"]))
            with contextlib.suppress(OSError):  # too many processes
                kept[request["name"]] = Kept(channel, kernel)
            reply = {"kept": request["name"] in kept}
        else:
            descriptors = socket.recv_fds(channel, 1, 1)[1]
            _clean({one.process for one in kept.values()})
            reply = {"forked": _fork(descriptors[0], channel, kernel, kept.get(request["kept"]))}
            os.close(descriptors[0])
        frames.send(channel, wire.pack({"n": request["n"], **reply}))


def _pass(answer: Any) -> None:
    """Make `choose` in the cells below take the learner's own version, as after a passed check."""
    runtime = sys.modules.get("llmcourse.runtime")
    if answer is not None and runtime is not None:
        with contextlib.suppress(Exception):
            runtime.remember(answer, passed=True)


class Kept:
    """A fork that only makes forks: it keeps what the cells had defined when it was made."""

    def __init__(self, channel: socket.socket, kernel: Kernel) -> None:
        self.channel, theirs = socket.socketpair()
        self.process = os.fork()
        if self.process == 0:
            channel.close()
            self.channel.close()
            self._wait(theirs, kernel)
        theirs.close()

    def _wait(self, orders: socket.socket, kernel: Kernel) -> None:
        try:
            while True:
                _, descriptors, _, _ = socket.recv_fds(orders, 1, 1)
                with contextlib.suppress(ChildProcessError):
                    while os.waitpid(-1, os.WNOHANG)[0]:
                        pass
                if os.fork() == 0:
                    orders.close()
                    _serve_calls(socket.socket(fileno=descriptors[0]), kernel.shell.user_ns)
                os.close(descriptors[0])
        finally:
            os._exit(0)


def _fork(descriptor: int, channel: socket.socket, kernel: Kernel, kept: Kept | None) -> str | None:
    """Serve calls on a descriptor in a fork: of what was "kept", else of this process ("last")."""
    with contextlib.suppress(OSError):
        if kept is not None:
            socket.send_fds(kept.channel, [b"!"], [descriptor])
            return "kept"
    with contextlib.suppress(OSError):
        if os.fork() == 0:
            channel.close()
            _serve_calls(socket.socket(fileno=os.dup(descriptor)), kernel.shell.user_ns)
        return "last"
    return None


def _running() -> int:
    """Count what may act later: threads, processes, timers, hooks."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    handlers = [signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGPROF)]
    return (
        len(os.listdir("/proc/self/task"))
        + (len(children.read_text().split()) if children.exists() else 0)
        + sum(signal.getitimer(which)[0] > 0 for which in range(3))
        + sum(callable(handler) for handler in handlers)
        + len(gc.callbacks)
        + FORK_HOOKS[0]
        + sum(hook is not None for hook in (sys.gettrace(), sys.getprofile()))
    )


FORK_HOOKS = [0]  # registered so far; Python tells nobody


def _count_fork_hooks() -> None:
    register: Callable[..., None] = os.register_at_fork

    def counted(**hooks: Any) -> None:
        FORK_HOOKS[0] += 1
        register(**hooks)

    os.register_at_fork = counted


def _clean(kept: set[int]) -> None:
    """End all processes but this one and kept forks; first stop all, so that none starts more."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGSTOP if kept else signal.SIGKILL)
    if kept:
        for name in filter(str.isdigit, os.listdir("/proc")):
            if int(name) not in {1, os.getpid(), *kept}:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(int(name), signal.SIGKILL)
        for process in kept:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0 if not kept else os.WNOHANG)[0]:
            pass


def _serve_calls(channel: socket.socket, user: dict[str, Any]) -> None:
    """Answer calls in a fork until the other end closes."""
    lock = threading.RLock()
    _do_without_threads()
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    try:
        frames.send(channel, wire.pack("ready"))
        while True:
            request = _receive(channel, lambda number: _proxy(channel, lock, number))
            reply = _outcome(request, user)
            with lock:
                frames.send(channel, reply)
    finally:
        os._exit(0)


def _do_without_threads() -> None:
    """Make torch and thread pools work without the parent's threads, which a fork does not have."""
    with contextlib.suppress(Exception):
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(1)
    futures: Any = sys.modules.get("concurrent.futures.thread")
    if futures is not None and futures._threads_queues:  # some pool has had threads
        for found in gc.get_objects():
            if issubclass(type(found), futures.ThreadPoolExecutor):
                found._threads, found._idle_semaphore = set(), threading.Semaphore(0)
                found._work_queue = queue.SimpleQueue()


def _outcome(request: dict[str, Any], user: dict[str, Any]) -> Any:
    """Call the probe and pack what becomes of it."""
    if request["name"] not in user:
        return wire.pack({"no": "missing"})
    user.update(request["given"])
    try:
        probe = _probe(request["probe"])
        with _blocked(request["forbid"], user):
            return wire.pack({"returned": probe(user[request["name"]], *request["args"])})
    except wire.WireError:
        return wire.pack({"no": "malformed"})
    except Forbidden:
        return wire.pack({"no": "policy"})
    except BaseException as error:
        if type(error) is NotImplementedError and error.args in STUB:  # and no library's
            return wire.pack({"no": "unsolved"})
        kinds = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"]
        try:
            message = str(error)[:200]
        except BaseException:
            message = ""
        return wire.pack({"raised": kinds, "message": message})


@functools.cache
def _probe(source: str) -> Any:
    namespace: dict[str, Any] = {"__name__": "probe"}
    exec(compile(source, "<probe>", "exec"), namespace)
    return namespace["probe"]


class Forbidden(BaseException):
    """The learner's code called what the exercise forbids."""


@contextlib.contextmanager
def _blocked(names: tuple[str, ...], user: dict[str, Any]) -> Any:
    """Make the learner's direct calls of forbidden functions raise Forbidden, as well as can be.

    Only functions of modules that are loaded are replaced. A caller whose code is in a file of this
    Python is a library, whose calls pass.
    """
    undo = []
    for name in names:
        module, _, attribute = name.rpartition(".")
        original = vars(sys.modules[module]).get(attribute) if module in sys.modules else None
        if callable(original) and not isinstance(original, type):
            stand_in = _guard(original)
            undo.append((vars(sys.modules[module]), attribute, original))
            vars(sys.modules[module])[attribute] = stand_in
            for key in [key for key, value in user.items() if value is original]:
                undo.append((user, key, original))
                user[key] = stand_in
    try:
        yield
    finally:
        for namespace, key, original in reversed(undo):
            namespace[key] = original


def _guard(original: Any) -> Any:
    def guarded(*args: Any, **keywords: Any) -> Any:
        if not sys._getframe(1).f_code.co_filename.startswith(
            (sys.prefix, sys.base_prefix, "/usr", "/course")
        ):
            raise Forbidden
        return original(*args, **keywords)

    return guarded


def _proxy(channel: socket.socket, lock: Any, number: int) -> Any:
    """Return a function that the other end computes."""

    def given(*args: Any, **keywords: Any) -> Any:
        call = wire.pack({"call": number, "args": args, "keywords": keywords})
        if len(call) > CALL_BYTES:
            raise ValueError(f"arguments of {len(call)} bytes; the limit of a call is {CALL_BYTES}")
        with lock:
            frames.send(channel, call)
            answer = _receive(channel)
        if "error" in answer:
            kind, message = answer["error"]
            raise getattr(builtins, kind, Exception)(message)
        return answer["value"]

    return given


def main() -> None:
    """Set limits, start the shell, then answer requests."""
    gc.disable()  # while modules are loaded, there is no garbage
    _count_fork_hooks()
    sys.path.remove(str(Path(__file__).parent))
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.set_inheritable(False)
    limits = json.loads(sys.argv[2])
    hide()
    limit(limits)
    with open(os.devnull, "r+b") as null:
        for descriptor in (0, 1, 2):
            os.dup2(null.fileno(), descriptor)
    for fonts in Path(__file__).parent.glob("fontlist-*.json"):
        os.makedirs(os.environ["MPLCONFIGDIR"], exist_ok=True)
        shutil.copy(fonts, os.environ["MPLCONFIGDIR"])
    sys.argv[:] = ["learner"]
    kernel = Kernel(int(limits["output_bytes"]), Outputs)
    sys.path.insert(0, "")  # as in a notebook: files that cells write can be imported
    gc.freeze()  # what is loaded stays, and a fork that looks for garbage need not copy it
    gc.enable()
    frames.send(channel, wire.pack("ready"))
    with contextlib.suppress(frames.Closed):
        serve(channel, kernel)
    os._exit(0)
