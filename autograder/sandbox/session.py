"""A conversation with a sandbox: cells in, outputs out; calls in, outcomes out.

No byte that comes back can be trusted. Outputs are reduced to text and pictures, and a reply must
carry the number of its request. The calls of each exercise go through a socket of its own to a fork
of the process that ran the cells: damage to that socket, process or time budget affects this
exercise only.
"""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.errors import SandboxFailed
from autograder.exercise import NoAnswer, Outcome
from autograder.sandbox import frames, wire
from autograder.sandbox.limits import FULL, Limits, over_session
from autograder.sandbox.outputs import clean_outputs, clean_text
from autograder.sandbox.patience import Patience
from autograder.sandbox.process import Files, Sandbox
from autograder.sandbox.replies import CALL_BYTES, answer_to, outcome_of
from llmcourse.checks import Refused

FORK_SECONDS = 20.0
OURS_SECONDS = 60.0  # for a released cell, however short the limits are
CALLS = 20_000  # of proxies, within one call of the answer
ALL_CALLS_BYTES = 32 * 2**20  # arguments of all of them: a judge may keep what was asked
ENDED = f"{FULL} ran out while a sandbox ran in it"
BUSY = "the machine was too busy: a sandbox hardly got to run"


class Lost(Exception):
    """The sandbox is gone.

    reason: timeout or died; why: what the learner is told; whole: all cells together used too much,
    not one cell alone.
    """

    def __init__(self, reason: str, why: str, whole: bool = False) -> None:
        super().__init__(why)
        self.reason, self.why, self.whole = reason, why, whole


@dataclass(frozen=True)
class Ran:
    """What running a cell gave, as the sandbox reports it."""

    outputs: list[dict[str, Any]]
    count: int | None
    left: bool  # whether something was left running: a thread, a process, a timer, a hook

    @property
    def stopped(self) -> str:
        """The exception that ended the cell, or nothing."""
        kinds = [output["ename"] for output in self.outputs if output["output_type"] == "error"]
        name = str(kinds[-1])[:80] if kinds else ""
        return name if name.isidentifier() or not name else "Exception"


class Session:
    """One sandbox and what is said to it; a context manager."""

    def __init__(self, unit: str, limits: Limits, slot: int = 0) -> None:
        self.limits = limits
        self.sandbox = Sandbox(unit, limits, slot)
        self.alive = True
        self.kept = False  # whether the last fork was of what had been kept
        self.spent = 0.0  # seconds of cells and calls, waiting for a processor not counted
        self._number = 0

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.close()

    def run(self, source: str, ours: bool = False) -> Ran:
        """Execute one cell; raises Lost when it takes the sandbox with it.

        ours: it was released, so what it loads is not for the learner's account.
        """
        seconds = self.limits.cell_seconds
        seconds = max(seconds, OURS_SECONDS) if ours else seconds
        reply = self._request({"do": "cell", "source": source}, seconds)
        count = reply.get("count")
        outputs = clean_outputs(reply.get("outputs"), 2 * self.limits.output_bytes)
        number = count if type(count) is int and 0 < count < 10**6 else None
        return Ran(outputs, number, reply.get("left") is not False)

    def keep(self, name: str) -> None:
        """Keep what the cells have defined by now under a name that `fork` knows."""
        self._request({"do": "keep", "name": name}, FORK_SECONDS)

    def fork(self, kept: str = "") -> socket.socket:
        """Return a socket to a fresh fork of the process that ran the cells; end earlier ones.

        kept: the name under which its state was kept; "" for the present one, which is also taken
        if the kept one is gone (then `self.kept` is False). Raises Lost if there is no fork.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                request = {"do": "fork", "kept": kept}
                reply = self._request(request, FORK_SECONDS, theirs.fileno())
            forked = clean_text(reply.get("forked"))
            if forked not in ("kept", "last") or not self._answers(ours):
                raise self.lost("died", "it kept other processes from starting")
            self.kept = forked == "kept"
        except BaseException:
            ours.close()
            raise
        return ours

    def _answers(self, fork: socket.socket) -> bool:
        """Say whether a fork is ready."""
        patience = self.patience(FORK_SECONDS)
        try:
            frames.receive(fork, patience, CALL_BYTES)
        except frames.FrameError:
            return False
        finally:
            self.spend(patience)
        return True

    def patience(self, seconds: float) -> Patience:
        """Return a deadline so many seconds of processor time from now."""
        return Patience(self.sandbox.pid, seconds, max(0.0, self._left))

    @property
    def _left(self) -> float:
        return self.limits.session_seconds - self.spent

    @property
    def used_up(self) -> bool:
        """Whether no time is left for all that runs in this sandbox."""
        return self._left <= 0 or "seconds" in self.sandbox.over

    def spend(self, patience: Patience) -> float:
        """Count and return the seconds that a request took.

        Raises SandboxFailed if it was late because the machine was too busy.
        """
        seconds = patience.own()
        self.spent += seconds
        if patience.starved and self._left > 0:
            self.alive = False
            self.sandbox.kill()
            raise SandboxFailed(BUSY)
        return seconds

    def _request(
        self, request: dict[str, Any], seconds: float, descriptor: int | None = None
    ) -> dict[str, Any]:
        if not self.alive:
            raise Lost("died", "the Python process was gone")
        if self._left <= 0:
            raise self.lost("timeout")
        self._number += 1
        patience = self.patience(seconds)
        lost: tuple[str, str] | None = None
        try:
            frames.send(self.sandbox.channel, wire.pack({"n": self._number, **request}), patience)
            if descriptor is not None:
                socket.send_fds(self.sandbox.channel, [b"!"], [descriptor], socket.MSG_DONTWAIT)
            cap = 4 * self.limits.output_bytes + 2**16
            reply = wire.unpack(frames.receive(self.sandbox.channel, patience, cap))
            if type(reply) is not dict or type(n := reply.get("n")) is not int or n != self._number:
                raise wire.WireError("no answer to this request")
        except frames.Late:
            lost = "timeout", f"it did not finish within {seconds:.0f} seconds of work"
        except (frames.Closed, OSError):
            lost = "died", "it ended the Python process"
        except (frames.TooLong, wire.WireError):
            lost = "died", "it broke the connection to the grader"
        self.spend(patience)
        if lost:
            raise self.lost(*lost)
        return dict(reply)

    def lost(self, reason: str, why: str = "") -> Lost:
        """End the sandbox and return the error to raise; SandboxFailed if the machine was full."""
        self.alive = False
        self.sandbox.kill()
        if (over := self.sandbox.over) == FULL:  # maybe not the learner's doing: never a zero
            raise SandboxFailed(ENDED)
        if self.used_up:
            over = over_session(self.limits)
        if over:
            why = f"it used more than the grader allows: {over}"
            reason = "timeout" if self.used_up else "died"
        return Lost(reason, why, whole=self.used_up)


class Calls:
    """The calls of one exercise: `ask` is what `autograder.exercise.mark` needs. A context manager.

    kept: the state of the notebook that is called, as `Session.fork` takes it; it becomes "" when
    the kept state is gone. Raises Lost when the sandbox was lost before the first call, by an
    earlier exercise.
    """

    def __init__(
        self, session: Session, name: str, forbid: tuple[str, ...] = (), kept: str = ""
    ) -> None:
        self.session, self.name, self.forbid, self.kept = session, name, forbid, kept
        self.reasons: list[str] = []  # why answers did not come
        self._left = session.limits.exercise_seconds
        self._imports = 0.0
        self._socket: socket.socket | None = None
        self._asked = False
        self._files: Files | None = None  # as they were before the first call in a fresh fork
        self._fork()

    def __enter__(self) -> "Calls":
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    def ask(
        self,
        probe: str,
        args: tuple[Any, ...],
        given: Mapping[str, Callable[..., Any]],
        seconds: float,
        fresh: bool = False,
    ) -> Outcome:
        """Call the answer through a probe; never raises for anything the sandbox does.

        fresh: in a fork that has answered nothing yet, with all calls of proxies one by one, and
        no file changed; any other outcome is `NoAnswer`.
        """
        before = self.session.spent
        try:
            if fresh and self._asked:
                self._drop()
            if self._socket is None:
                self._fork()
                self._imports = 0.0 if fresh and self._asked else self._imports
        except Lost as lost:
            outcome: Outcome = NoAnswer(lost.reason)
        else:
            self._files = self._files or (self.session.sandbox.files() if fresh else None)
            patience = self.session.patience(min(seconds + self._imports, self._left))
            self._asked, self._imports = True, 0.0
            outcome = self._call(probe, args, given, patience, fresh)
            self.session.spend(patience)
            if fresh and self.session.alive and self.session.sandbox.files() != self._files:
                outcome = NoAnswer("files")
        self._left -= self.session.spent - before
        if isinstance(outcome, NoAnswer):
            self.reasons.append("malformed" if outcome.reason == "files" else outcome.reason)
            if outcome.reason == "policy":
                return NoAnswer("malformed")
        return outcome

    def _call(
        self,
        probe: str,
        args: tuple[Any, ...],
        given: Mapping[str, Callable[..., Any]],
        deadline: Patience,
        alone: bool,
    ) -> Outcome:
        table: list[Callable[..., Any]] = []

        def register(function: Callable[..., Any]) -> int:
            table.append(function)
            return len(table) - 1

        request = {
            "name": self.name,
            "probe": probe,
            "args": args,
            "given": dict(given),
            "forbid": self.forbid,
        }
        payload = wire.pack(request, register)
        left = ALL_CALLS_BYTES
        try:
            assert self._socket is not None
            frames.send(self._socket, payload, deadline)
            for _ in range(CALLS + 1):
                came = frames.receive(self._socket, deadline, wire.FRAME_BYTES)
                reply = wire.unpack(came)
                if type(reply) is not dict:
                    raise wire.WireError("a reply is a dict")
                answer: bytes | Outcome
                if "call" in reply:
                    left -= len(came)
                    if len(came) > CALL_BYTES or left < 0:
                        raise wire.WireError("the arguments of calls are too large")
                    answer = answer_to(reply, table)
                else:
                    answer = outcome_of(reply)
                if alone and frames.waiting(self._socket):
                    raise wire.WireError("a call came before the last one was answered")
                if not isinstance(answer, bytes):
                    return answer
                frames.send(self._socket, answer, deadline)
            outcome = NoAnswer("timeout")
        except frames.Late:
            outcome = NoAnswer("timeout")
        except (frames.Closed, OSError):
            outcome = NoAnswer("died")
        except (frames.TooLong, wire.WireError, Refused):
            outcome = NoAnswer("malformed")
        self._drop()
        return outcome

    def _fork(self) -> None:
        self._socket = self.session.fork(self.kept)
        self.kept = self.kept if self.session.kept else ""  # what was kept may have been ended
        self._imports = self.session.limits.import_seconds  # what it loads is gone with the fork

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
