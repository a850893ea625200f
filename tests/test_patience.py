"""How long the grader waits for a sandbox, by made-up accounts of what its processes did."""

import os
from pathlib import Path

import pytest

from autograder import patience
from autograder.patience import CROWD, STARVED, Patience, Used


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
    ],
)
def test_time_is_up_by_the_processor_or_without_a_crowd_by_waiting(
    monkeypatch, account, least, most, starved
):
    wall, blamed = seconds_until_time_is_up(monkeypatch, account)
    assert least <= wall <= most and blamed is starved


def test_what_wants_a_processor_is_counted():
    assert 1 <= Used.by(os.getpid()).ready <= CROWD


def test_a_session_that_stands_back_counts_as_a_crowd(monkeypatch):
    read = Path.read_text

    def stands_back(path, *args, **keywords):
        return (
            "/autogroup-1 nice 19\n" if path.name == "autogroup" else read(path, *args, **keywords)
        )

    monkeypatch.setattr(Path, "read_text", stands_back)
    assert Used.by(os.getpid()).ready > CROWD
