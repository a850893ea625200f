"""Whole payloads on a socket whose other end is hostile: an 8-byte length, then that many bytes.

A deadline is a `time.monotonic()`, or a function that returns the seconds until it must be called
again, 0 when time is up; with None there is no deadline (in the runner only). What a payload means
is left to `wire`. This file is copied beside the runner, so it imports the standard library only.
"""

import select
import socket
import struct
import time
from collections.abc import Callable

Deadline = float | Callable[[], float] | None


class FrameError(Exception):
    """A frame that did not go through; the message says why."""


class Closed(FrameError):
    """The other end is gone."""


class Late(FrameError):
    """The deadline passed before the whole frame went through."""


class TooLong(FrameError):
    """The other end announces a frame that is longer than allowed."""


def send(sock: socket.socket, payload: bytes, deadline: Deadline = None) -> None:
    """Write one frame; Late at the deadline, Closed when nobody reads any more."""
    view = memoryview(struct.pack(">Q", len(payload)) + payload)
    while view:
        _in_time(deadline)
        try:
            view = view[sock.send(view, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL) :]
        except BlockingIOError:
            _wait(sock, select.POLLOUT, deadline)
        except OSError as error:
            raise Closed(f"the other end is gone: {error.strerror}") from None


def receive(sock: socket.socket, deadline: Deadline, cap: int) -> bytes:
    """Read one frame; TooLong when it claims more than `cap` bytes, before any is read."""
    (length,) = struct.unpack(">Q", _exactly(sock, 8, deadline))
    if length > cap:
        raise TooLong(f"a frame of {length} bytes; the limit is {cap}")
    return _exactly(sock, length, deadline)


def waiting(sock: socket.socket) -> bool:
    """Say whether anything has come that was not read, or the other end is gone."""
    try:
        sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _exactly(sock: socket.socket, count: int, deadline: Deadline) -> bytes:
    got = bytearray()
    while len(got) < count:
        _in_time(deadline)
        try:
            chunk = sock.recv(min(count - len(got), 2**20), socket.MSG_DONTWAIT)
        except BlockingIOError:
            _wait(sock, select.POLLIN, deadline)
            continue
        except OSError as error:
            raise Closed(f"the other end is gone: {error.strerror}") from None
        if not chunk:
            raise Closed("the other end is gone")
        got += chunk
    return bytes(got)


def _wait(sock: socket.socket, event: int, deadline: Deadline) -> None:
    """Wait until the socket is ready or broken, or until the deadline must be looked at."""
    poll = select.poll()
    poll.register(sock, event)
    left = _left(deadline)
    poll.poll(None if left is None else max(0.0, left) * 1000)


def _in_time(deadline: Deadline) -> None:
    left = _left(deadline)
    if left is not None and left <= 0:
        raise Late("the deadline passed")


def _left(deadline: Deadline) -> float | None:
    if callable(deadline):
        return deadline()
    return None if deadline is None else deadline - time.monotonic()
