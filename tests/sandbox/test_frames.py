"""Frames on a socket: whole or refused, never late, whatever the other end does."""

import socket
import struct
import threading
import time

import pytest

from autograder.sandbox import frames


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def soon(seconds=0.3):
    return time.monotonic() + seconds


def test_a_frame_larger_than_the_socket_arrives(ends):
    data = bytes(3 * 2**20)
    sender = threading.Thread(target=frames.send, args=(ends[0], data, soon(60)))
    sender.start()
    assert frames.receive(ends[1], soon(60), 2**24) == data
    sender.join()


def test_an_oversized_claim_is_refused_before_it_is_read(ends):
    ends[0].sendall(struct.pack(">Q", 2**62))
    with pytest.raises(frames.TooLong, match="limit"):
        frames.receive(ends[1], soon(), 1000)


def test_what_waits_is_seen_and_not_taken(ends):
    assert not frames.waiting(ends[1])
    frames.send(ends[0], b"early", soon())
    assert frames.waiting(ends[1]) and frames.waiting(ends[1])
    assert frames.receive(ends[1], soon(), 1000) == b"early"
    assert not frames.waiting(ends[1])
    ends[0].close()
    assert frames.waiting(ends[1])


def test_a_trickled_frame_is_late(ends):
    ends[0].sendall(struct.pack(">Q", 100) + b"x" * 99)
    with pytest.raises(frames.Late):
        frames.receive(ends[1], soon(), 1000)


def test_nobody_reading_is_late(ends):
    with pytest.raises(frames.Late):
        frames.send(ends[0], bytes(2**22), soon())


def test_a_closed_end_is_reported(ends):
    ends[0].close()
    with pytest.raises(frames.Closed):
        frames.receive(ends[1], soon(), 1000)
    with pytest.raises(frames.Closed):
        frames.send(ends[1], bytes(2**22), soon())
