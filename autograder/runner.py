"""Runs inside the sandbox: executes cells through IPython's shell and answers calls over a socket.

Imported as a plain file, as are `wire`, `frames` and `outputs` beside it, with the number of an
inherited socket and the limits as JSON. It first puts the limits on itself, then says "ready". On
the socket it gets one request at a time, a dict with a number `n`, and replies with a dict that has
the same number:

    {"do": "cell", "source"}          -> {"outputs": nbformat outputs as dicts, "count"}
    {"do": "fork"} and a descriptor   -> {"forked": True}; a fork serves calls on that socket

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
import io
import json
import os
import resource
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any


def _beside(name: str) -> Any:
    """A module from the file beside this one, under no name that `import` finds."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


wire, frames = _beside("wire"), _beside("frames")
Outputs: Any = _beside("outputs").Outputs

CALL_BYTES = 2**20  # a call of a proxy, one direction


def limit(limits: dict[str, Any]) -> None:
    """Put the limits on this process and all its children; they cannot be raised again."""
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

    The filter of system calls lets nobody take it back; a program that is started is open again.
    """
    PR_SET_DUMPABLE = 4
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "this process could not be closed to others")


class Stream(io.TextIOBase):
    """Stands in for stdout or stderr and writes to the outputs of the current cell."""

    encoding = "utf-8"

    def __init__(self, name: str, kernel: "Kernel") -> None:
        self._name, self._kernel = name, kernel

    def write(self, text: str) -> int:
        """Append; TypeError for anything but text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._kernel.outputs.text(self._name, text)
        return len(text)

    def writable(self) -> bool:
        """Always."""
        return True


class Kernel:
    """IPython's shell without a kernel: cells in, outputs out."""

    def __init__(self, cap: int) -> None:
        from IPython.core.displayhook import DisplayHook
        from IPython.core.displaypub import DisplayPublisher
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets import Type
        from traitlets.config import Config

        kernel = self
        self.cap, self.outputs = cap, Outputs(cap)

        class Hook(DisplayHook):
            def write_output_prompt(self) -> None: ...
            def finish_displayhook(self) -> None: ...
            def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
                kernel.outputs.add("execute_result", format_dict, execution_count=self.prompt_count)

        class Publisher(DisplayPublisher):
            def publish(self, data: Any, metadata: Any = None, *_: Any, **__: Any) -> None:
                kernel.outputs.add("display_data", data)

            def clear_output(self, wait: bool = False) -> None:
                kernel.outputs = Outputs(kernel.outputs.left)

        class Shell(InteractiveShell):
            displayhook_class = Type(Hook)
            display_pub_class = Type(Publisher)

            def enable_gui(self, gui: Any = None) -> None: ...
            def init_virtualenv(self) -> None: ...
            def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
                kernel.outputs.error(etype.__name__, str(evalue), stb)

        options = {"colors": "nocolor", "xmode": "Plain", "autoindent": False, "cache_size": 100}
        history = {"enabled": False}
        config = Config({"InteractiveShell": options, "HistoryManager": history})
        self.shell = Shell.instance(config=config)
        self._run_cell: Any = self.shell.run_cell
        sys.stdout, sys.stderr = Stream("stdout", self), Stream("stderr", self)
        builtins.input = _no_input

    def run(self, source: str) -> tuple[list[dict[str, Any]], int]:
        """Execute one cell; its outputs and its number."""
        self.outputs = Outputs(self.cap)
        self.shell.ast_transformers.clear()  # each cell means what it says
        count = self.shell.execution_count
        self._run_cell(source, store_history=True)
        done, self.outputs = self.outputs, Outputs(0)
        self.outputs.left = -1
        return done.finish(), count


def _no_input(*_: object) -> str:
    raise EOFError("input() has nobody to ask while grading: give the value in the code instead")


# Serving


def _receive(channel: socket.socket, proxy: Any = None) -> Any:
    return wire.unpack(frames.receive(channel, None, wire.FRAME_BYTES), proxy)


def serve(channel: socket.socket, kernel: Kernel) -> None:
    """Answer requests until the other end is gone."""
    while True:
        request = _receive(channel)
        if request["do"] == "cell":
            outputs, count = kernel.run(request["source"])
            reply: dict[str, Any] = {"outputs": outputs, "count": count}
        else:
            descriptors = socket.recv_fds(channel, 1, 1)[1]
            _clean()
            if os.fork() == 0:
                channel.close()
                _serve_calls(socket.socket(fileno=descriptors[0]), kernel.shell.user_ns)
            os.close(descriptors[0])
            reply = {"forked": True}
        frames.send(channel, wire.pack({"n": request["n"], **reply}))


def _clean() -> None:
    """End every other process in here: earlier forks and whatever they left running."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0)[0]:
            pass


def _serve_calls(channel: socket.socket, user: dict[str, Any]) -> None:
    """The life of a fork: answer calls until the other end closes."""
    lock = threading.RLock()
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    try:
        while True:
            request = _receive(channel, lambda number: _proxy(channel, lock, number))
            reply = _outcome(request, user)
            with lock:
                frames.send(channel, reply)
    finally:
        os._exit(0)


def _outcome(request: dict[str, Any], user: dict[str, Any]) -> Any:
    """Call the probe and pack what becomes of it."""
    if request["name"] not in user:
        return wire.pack({"no": "missing"})
    user.update(request["given"])
    try:
        probe = _probe(request["probe"])
        with _blocked(request["forbid"], user):
            return wire.pack({"returned": probe(user[request["name"]], *request["args"])})
    except NotImplementedError:
        return wire.pack({"no": "unsolved"})
    except wire.WireError:
        return wire.pack({"no": "malformed"})
    except Forbidden:
        return wire.pack({"no": "policy"})
    except BaseException as error:
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
    """Make direct calls of the forbidden functions raise Forbidden, where they are loaded: a best
    effort.

    Calls that a library makes itself pass: only a caller whose code lies in no file of this Python
    is the learner.
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
    """A function that the other end computes."""

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
    """Limits first, then the shell, then whatever is asked."""
    gc.disable()  # while modules are loaded, there is no garbage
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
    kernel = Kernel(int(limits["output_bytes"]))
    gc.enable()
    frames.send(channel, wire.pack("ready"))
    with contextlib.suppress(frames.Closed):
        serve(channel, kernel)
    os._exit(0)
