"""End a call that never ends, with an exception that the learner's code does not catch by accident.

In the main thread of a POSIX system a timer signal interrupts the loop; anywhere else a second
thread asks Python to raise there. Processor time of the thread decides, so a busy machine ends
nothing; wall time, ten times as long, is the backstop for a call that waits. Code that runs in C
without coming back to Python is not interrupted, as Ctrl-C does not interrupt it either.
"""

import ctypes
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SECONDS = 5.0  # processor time of one check; the slowest of the course takes a tenth of it
TICK = 0.25  # seconds between two looks at the clock


class TookTooLong(BaseException):
    """The time is over; no `Exception`, so that `except Exception` does not swallow it."""


@contextmanager
def ended_after(seconds: float = SECONDS) -> Iterator[None]:
    """Raise TookTooLong in the body once it has used so many seconds of processor time.

    It leaves signal handlers, timers and trace functions as they were.
    """
    ours = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    with (_by_signal if ours else _by_thread)(seconds, min(TICK, seconds / 4)):
        yield


def _overdue(clock: Callable[[], float], seconds: float) -> Callable[[], bool]:
    begun, wall = clock(), time.monotonic()
    return lambda: clock() - begun > seconds or time.monotonic() - wall > 10 * seconds


@contextmanager
def _by_signal(seconds: float, tick: float) -> Iterator[None]:
    overdue, fired, active = _overdue(time.thread_time, seconds), 0, True

    def look(number: int, frame: FrameType | None) -> None:
        nonlocal fired
        if not active or not overdue():
            return
        fired += 1
        if fired > 1:  # a bare `except:` caught it: raise again in the handler's first line
            _raise_at_next_line(frame)
        raise TookTooLong

    tracing, begun = sys.gettrace(), time.monotonic()
    handler = signal.signal(signal.SIGALRM, look)
    left, interval = signal.setitimer(signal.ITIMER_REAL, tick, tick)
    try:
        yield
    finally:
        active = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if handler is None else handler)
        if left:
            remaining = max(left - (time.monotonic() - begun), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, remaining, interval)
        if fired:
            sys.settrace(tracing)


def _raise_at_next_line(frame: FrameType | None) -> None:
    def again(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            raise TookTooLong
        return again

    sys.settrace(lambda *_: None)
    while frame is not None:
        frame.f_trace = again
        frame = frame.f_back


@contextmanager
def _by_thread(seconds: float, tick: float) -> Iterator[None]:
    me, over, gate = threading.get_ident(), threading.Event(), threading.Lock()
    if hasattr(time, "pthread_getcpuclockid"):
        clock = time.pthread_getcpuclockid(me)
        overdue = _overdue(lambda: time.clock_gettime(clock), seconds)
    else:
        overdue = _overdue(time.process_time, seconds)

    def watch() -> None:
        while not over.wait(tick):
            with gate:
                if overdue() and not over.is_set():
                    _ask_for(me, ctypes.py_object(TookTooLong))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        with gate:
            over.set()
            _ask_for(me, None)  # one that was asked for and did not come yet


def _ask_for(thread: int, exception: Any) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), exception)
