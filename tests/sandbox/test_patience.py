"""How long the grader waits for a sandbox, by made-up accounts of what its processes did."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.sandbox import patience
from autograder.sandbox.patience import CROWD, STARVED, Patience, Used


def seconds_until_time_is_up(monkeypatch, account):
    """(wall seconds, whether the machine is to blame) for a request of one second."""
    now = [0.0]
    monkeypatch.setattr(patience.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(Used, "by", lambda pid: account(now[0]))
    request = Patience(1, 1.0, 100.0)
    while (wait := request()) > 0:
        now[0] += wait
    return now[0], request.starved


@pytest.mark.parametrize(
    ("account", "least", "most", "starved"),
    [
        (lambda now: Used(now, {1: 0.0}, 1), 1, 2, False),  # a loop
        (lambda now: Used(0.0, {1: 0.0}, 0), 2, 3.1, False),  # asleep
        (lambda now: Used(now / 10, {1: now * 0.9}, 1), 10, 11, False),  # a loop, busy machine
        (lambda now: Used(0.0, {1: now}, 1), STARVED, STARVED + 1, True),
        (lambda now: Used(0.0, {1: now}, CROWD + 1), 2, 3.1, False),  # a crowd of its own
        (lambda now: Used(now / 10, {1: 0.0}, 1, (9.0, now * 0.9)), 10, 11, False),  # below, busy
        (lambda now: Used(0.0, {1: now * 0.9}, 8), 2, 3.1, False),  # hidden loops of its own
    ],
)
def test_time_is_up_by_the_processor_or_without_a_crowd_by_waiting(
    monkeypatch, account, least, most, starved
):
    wall, blamed = seconds_until_time_is_up(monkeypatch, account)
    assert least <= wall <= most and blamed is starved


def test_what_was_waited_before_the_first_and_after_the_last_look_is_nobodys_time(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(patience.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(Used, "by", lambda pid: Used(now[0] / 10, {1: 100 + now[0] * 0.9}, 1))
    request = Patience(1, 1.0, 100.0)
    now[0] += request()
    now[0] += request()
    assert request.own() == pytest.approx(now[0] / 10, abs=0.01)


@pytest.mark.parametrize("missed", [0.0, 0.5])
def test_what_a_process_waited_before_the_request_excuses_nothing(monkeypatch, missed):
    """Nor where it was overlooked once."""
    seen = {1: 0.0, 2: 100.0}

    def account(now):
        return Used(0.0, seen if now > missed else {1: 0.0}, 0)

    wall, blamed = seconds_until_time_is_up(monkeypatch, account)
    assert 2 <= wall <= 2 + missed + 0.6 and not blamed


def test_when_the_next_look_comes_cannot_be_told(monkeypatch):
    """Else what keeps a sandbox from running could make way for every look."""
    now = [0.0]
    monkeypatch.setattr(patience.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(Used, "by", lambda pid: Used())
    waits = set()
    for _ in range(10):
        now[0] = 0.0
        request = Patience(1, 60.0, 300.0)
        now[0] = request()
        waits.add(request())
    assert len(waits) == 10 and all(0.5 <= wait <= 1.0 for wait in waits)


def test_what_wants_a_processor_is_counted():
    """Of a session of its own, as a sandbox is: the one that runs the tests may stand back."""
    loop = [sys.executable, "-c", "print(flush=True)\nwhile True: pass"]
    with subprocess.Popen(loop, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout.readline()
        assert Used.by(process.pid).ready == 1
        process.kill()


def test_a_session_that_stands_back_counts_as_a_crowd(monkeypatch):
    read = Path.read_text

    def stands_back(path, *args, **keywords):
        return (
            "/autogroup-1 nice 19\n" if path.name == "autogroup" else read(path, *args, **keywords)
        )

    monkeypatch.setattr(Path, "read_text", stands_back)
    assert Used.by(os.getpid()).ready > CROWD
