"""llmcourse.checks.endless: a loop that never ends is ended, and nothing is left behind."""

import signal
import sys
import threading
import time

import pytest

from llmcourse.checks import endless
from llmcourse.checks.endless import TookTooLong, ended_after

SHORT = 0.1


def loop():
    while True:
        pass


def loop_that_swallows_exceptions():
    while True:
        try:
            sum(range(1000))
        except Exception:
            continue


def loop_that_swallows_everything():
    while True:
        try:
            sum(range(1000))
        except:  # noqa: E722
            continue


LOOPS = [loop, loop_that_swallows_exceptions, loop_that_swallows_everything]


@pytest.mark.parametrize("run", LOOPS)
def test_a_loop_in_the_main_thread_is_ended(run):
    with pytest.raises(TookTooLong), ended_after(SHORT):
        run()
    assert sys.gettrace() is None or "coverage" in repr(sys.gettrace())


@pytest.mark.parametrize("run", LOOPS[:2])
def test_a_loop_in_another_thread_is_ended(run):
    came = []

    def work():
        try:
            with ended_after(SHORT):
                run()
        except TookTooLong as error:
            came.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert len(came) == 1


def test_without_timer_signals_a_second_thread_does_it(monkeypatch):
    monkeypatch.delattr(signal, "setitimer")
    with pytest.raises(TookTooLong), ended_after(SHORT):
        loop()


def test_what_ends_in_time_is_left_alone_by_both():
    for watched in (endless._by_signal, endless._by_thread):
        with watched(30, 0.001):
            assert sum(i for i in range(20_000)) == 199_990_000


def test_handler_and_timer_of_others_are_restored():
    rang = []
    before = signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
    signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        with pytest.raises(TookTooLong), ended_after(SHORT):
            loop()
        left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        assert 0 < left <= 1000
        signal.raise_signal(signal.SIGALRM)
        assert rang == [1]
    finally:
        signal.signal(signal.SIGALRM, before)


def test_waiting_takes_no_processor_time_and_is_ended_later():
    with ended_after(0.05):
        time.sleep(0.2)  # longer than 0.05 s of wall time, less than ten times that
    with pytest.raises(TookTooLong), ended_after(0.01):
        time.sleep(1000)


def test_an_inner_limit_ends_the_inner_call_alone():
    with ended_after(60):
        with pytest.raises(TookTooLong), ended_after(SHORT):
            loop()
        assert signal.getitimer(signal.ITIMER_REAL)[1] > 0
