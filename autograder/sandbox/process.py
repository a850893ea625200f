"""A process that can hurt nobody: bubblewrap around one runner, limits inside and outside it.

Inside: every namespace of its own, no network, no capability, no further user namespace, a
read-only view of the Python environment and of `/usr`, two small tmpfs, a fixed environment, and of
`llmcourse` only the modules that a learner of the unit may use. Not inside: `/etc` (except what
loading libraries needs), homes, the course, `autograder`, the caller's environment.

As root there are two layers. The outer bubblewrap makes an environment visible that only root can
read, and drops to the slot's own user, since RLIMIT_NPROC does nothing for root. The inner one
isolates. For an ordinary user the inner one suffices.

Limits: processes, data, file size, open files and core dumps by rlimits that the runner sets on
itself before it runs anything; processes and memory also by a control group (v1 or v2) where one
can be made, else by watching the resident memory; files on the tmpfs, free memory of the machine
and processor time by watching. A sandbox that exceeds a watched limit is ended by SIGKILL to the
first process of its pid namespace, with which all others end. System calls are filtered
(`seccomp`). Left out: protection from holes in the kernel; use a virtual machine for that.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

from autograder.errors import SandboxFailed, SandboxUnavailable
from autograder.sandbox import frames, seccomp, wire
from autograder.sandbox.limits import (
    FULL,
    Limits,
    descendants,
    holds_more,
    machine_is_full,
    make_groups,
    over_session,
    remove_groups,
)
from autograder.sandbox.patience import Used
from autograder.sandbox.view import PACKAGE, RUNNER, layout, under_tmp

FIRST_UID = 60_600  # systemd's table of users leaves 60578 to 61183 free
START_SECONDS = 30.0
Files = dict[str, tuple[int, ...]]  # by name: type, inode, bytes, when it was changed
WRAPPER = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}  # the environment of sh, setpriv, bubblewrap
ENVIRONMENT = {
    "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
    "HOME": "/tmp",
    "USER": "learner",
    "LANG": "C.UTF-8",
    "PYTHONPATH": PACKAGE,
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "MPLCONFIGDIR": "/tmp/.matplotlib",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PIP_RETRIES": "0",  # there is no network, and a learner's `%pip` would wait for it
    "LLMCOURSE_PRESET": "smoke",
}


class Sandbox:
    """One running sandbox; a context manager that leaves no process, mount or file behind.

    `channel` is the socket to the runner. Raises SandboxUnavailable where isolation is impossible,
    SandboxFailed when the runner does not report in time.
    """

    def __init__(self, unit: str, limits: Limits, slot: int = 0) -> None:
        if not 0 <= slot < 500:
            raise ValueError(f"expected a slot from 0 to 499, got {slot}")
        self.limits, self.over = limits, ""  # over: the limit for which the watcher has killed it
        self._init: int | None = None  # pidfd of the first process inside
        self._watcher: threading.Thread | None = None
        self.pid = self.runner = 0  # the first process of the outer namespace; the runner
        self._groups = make_groups(limits, slot)
        self._closing = threading.Event()
        self.channel, theirs = socket.socketpair()
        read, write = os.pipe()
        filtered = -1
        try:
            filtered = seccomp.filter_file()
            with open(os.devnull, "r+b") as null:
                self._process = subprocess.Popen(
                    command(unit, limits, slot, theirs.fileno(), write, filtered, self._groups),
                    stdin=null,
                    stdout=null,
                    stderr=subprocess.PIPE,
                    pass_fds=[theirs.fileno(), write, filtered],
                    cwd="/",
                    env=WRAPPER,
                    start_new_session=True,
                )
        except BaseException:
            self._forget(read)
            raise
        finally:
            theirs.close()
            os.close(write)
            if filtered >= 0:
                os.close(filtered)
        try:
            self._await_start(read)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(read)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def kill(self) -> None:
        """End every process inside at once."""
        if self._init is None:
            self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init, signal.SIGKILL)

    def close(self) -> None:
        """Kill every process inside and return when all have ended."""
        self._closing.set()
        if self._watcher is not None:
            self._watcher.join()
        self.kill()
        if self._init is not None:
            _readable(self._init, 10)  # a pid namespace's first process ends after all others
            os.close(self._init)
            self._init = None
        try:
            self._process.wait(5)  # both layers end by themselves and leave no zombie
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        if self._process.stderr:
            self._process.stderr.close()
        self.channel.close()
        remove_groups(self._groups)

    def files(self) -> Files:
        """Return what lies in the places where files can be written; what cannot be seen is left
        out.
        """
        found = Files()
        for name in ("tmp", "dev/shm"):
            top = f"/proc/{self.runner}/root/{name}"
            for folder, below, files, at in os.fwalk(top):  # follows no link
                for entry in (*below, *files):
                    with contextlib.suppress(OSError):
                        seen = os.stat(entry, dir_fd=at, follow_symlinks=False)
                        changed = () if entry in below else (seen.st_size, seen.st_ctime_ns)
                        found[f"{folder}/{entry}"] = (seen.st_mode, seen.st_ino, *changed)
                if len(found) > self.limits.files:
                    return found
        return found

    def _forget(self, read: int) -> None:
        self.channel.close()
        os.close(read)
        remove_groups(self._groups)

    def _await_start(self, info: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        text = b""
        while b"}" not in text and _readable(info, START_SECONDS):
            if not (chunk := os.read(info, 4096)):
                break
            text += chunk
        try:
            self.pid = int(json.loads(text)["child-pid"])
            self._init = os.pidfd_open(self.pid)
            ready = wire.unpack(frames.receive(self.channel, deadline, 1000))
        except (ValueError, KeyError, OSError, frames.FrameError, wire.WireError):
            ready = None
        if ready != "ready":
            self.kill()
            self._process.wait(10)
            assert self._process.stderr is not None
            os.set_blocking(self._process.stderr.fileno(), False)
            said = (self._process.stderr.read(4000) or b"").decode(errors="replace")
            raise _start_error(said)
        self.runner = descendants(self.pid)[-1]

    def _watch(self) -> None:
        while not self._closing.wait(0.1):
            self.over = self._exceeded()
            if self.over:
                return self.kill()

    def _exceeded(self) -> str:
        if Used.by(self.pid).processor > self.limits.session_seconds:
            return over_session(self.limits)
        if not self._groups and holds_more(self.pid, self.limits.memory_bytes):
            return "memory"
        with contextlib.suppress(OSError):
            disks = [os.statvfs(f"/proc/{self.runner}/root/{name}") for name in ("tmp", "dev/shm")]
            if sum(disk.f_files - disk.f_ffree for disk in disks) > self.limits.files:
                return f"{self.limits.files} files"
        return FULL if machine_is_full() else ""


def _readable(descriptor: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


# The command


def command(
    unit: str,
    limits: Limits,
    slot: int,
    channel: int,
    info: int,
    filtered: int,
    groups: tuple[Path, ...] = (),
) -> list[str]:
    """Return the arguments that start the runner inside; as root, one bubblewrap in another.

    channel, info, filtered: descriptors of the socket, of the pipe for bubblewrap's report and of
    the file with the filter.
    """
    uid = str(FIRST_UID + slot)
    size = str(limits.tmp_bytes)
    inner = ["--unshare-all", "--unshare-user", "--disable-userns", "--uid", uid, "--gid", uid]
    inner += ["--new-session", "--die-with-parent", "--cap-drop", "ALL", "--hostname", "sandbox"]
    inner += ["--seccomp", str(filtered), "--clearenv"]
    inner += [word for item in ENVIRONMENT.items() for word in ("--setenv", *item)]
    fresh = ["--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm"]
    fresh += ["--remount-ro", "/dev"]
    # bubblewrap's own process: the kernel would let a process of its user open its memory
    fresh += ["--tmpfs", "/proc/1", "--remount-ro", "/proc/1"]
    small_tmp = ["--size", size, "--tmpfs", "/tmp"]
    closed = ["--remount-ro", "/", "--chdir", "/tmp"]
    start = f"import sys; sys.path.insert(0, {RUNNER!r}); import runner; runner.main()"
    run = [sys.executable, "-s", "-P", "-B", "-c", start, str(channel)]
    run.append(json.dumps(asdict(limits)))
    bwrap = bubblewrap()
    if os.geteuid() != 0:
        seen = [*small_tmp, *layout(unit), *fresh, *closed]
        words = [bwrap, "--info-fd", str(info), *inner, *seen, "--", *run]
    else:
        outer = [*layout(unit), "--dev-bind", "/proc", "/proc", "--dev-bind", "/dev", "/dev"]
        # a pid namespace here, too: its end ends the inner layer, whose user it may not signal
        outer += ["--info-fd", str(info), "--unshare-pid", "--die-with-parent", "--cap-drop", "ALL"]
        outer += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        drop = [
            shutil.which("setpriv") or "setpriv",
            "--reuid",
            uid,
            "--regid",
            uid,
            "--clear-groups",
            "--",
        ]
        again = [*inner, "--ro-bind", "/", "/", *fresh, *small_tmp, *under_tmp(), *closed]
        words = [bwrap, *outer, "--", *drop, bwrap, *again, "--", *run]
    if groups:
        join = 'while [ "$1" != -- ]; do echo 0 > "$1" || exit 97; shift; done; shift; exec "$@"'
        into = [f"{group}/cgroup.procs" for group in groups]
        words = ["/bin/sh", "-c", join, "sh", *into, "--", *words]
    return words


# Whether it works here


def bubblewrap() -> str:
    """Return the path of the program; SandboxUnavailable, with the remedy, where it is missing."""
    path = shutil.which("bwrap")
    if path is None or (os.geteuid() == 0 and shutil.which("setpriv") is None):
        raise SandboxUnavailable(
            "grading needs bubblewrap 0.8 or newer, which is not installed: "
            "run `apt-get install bubblewrap`"
        )
    return path


def _start_error(said: str) -> SandboxUnavailable | SandboxFailed:
    last = said.strip().rsplit("\n", 1)[-1][:300] or "it said nothing"
    if "Resource temporarily unavailable" in last:  # the machine is busy: worth another try
        return SandboxFailed(f"the sandbox did not start: {last}")
    if "namespace" in last or "uid map" in last or "Operation not permitted" in last:
        return SandboxUnavailable(
            f"this system blocks user namespaces ({last}): run "
            "`sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` (Ubuntu 23.10 and newer), "
            "`sysctl -w kernel.unprivileged_userns_clone=1` (older Debian), "
            "or start the container with --privileged"
        )
    if "Unknown option" in last:
        return SandboxUnavailable(
            f"bubblewrap is too old ({last}): version 0.8 or newer is needed, see `bwrap --version`"
        )
    return SandboxFailed(f"the sandbox did not start: {last}")


def available() -> str | None:
    """Return None when a sandbox starts here, else one line: what is missing, and the remedy."""
    try:
        with Sandbox("00", Limits()):
            return None
    except (SandboxUnavailable, SandboxFailed) as error:
        return str(error)
