"""llmcourse.checks.growth: an answer that is far too slow on a long input is seen."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from llmcourse.checks import CheckFailed, growth, keeps_up
from llmcourse.checks.calls import Recorded

NUMBERS = (list(range(30_000)),)


def known(numbers):
    return [n in set_of for set_of in [set(numbers)] for n in numbers]


def through_a_dictionary_twice(numbers):
    table = {n: str(n) for n in numbers}
    return [table[n] for n in numbers for _ in range(2)]


def through_a_list(numbers):
    return [n in numbers for n in reversed(numbers)]


def test_a_linear_answer_keeps_up():
    keeps_up(Recorded(through_a_dictionary_twice, "f"), known, NUMBERS, 20, "use a set.")


def test_a_clock_of_long_steps_makes_no_answer_slow(monkeypatch):
    """In another thread, where the time is up at once if none is given."""
    monkeypatch.setattr(growth.time, "thread_time", lambda: 0.0)
    with ThreadPoolExecutor() as pool:
        pool.submit(keeps_up, Recorded(known, "f"), known, NUMBERS, 20, "use a set.").result()


def test_a_quadratic_answer_does_not():
    asked = Recorded(through_a_list, "f")
    with pytest.raises(CheckFailed, match=r"more than 20 times as long as it needs\. use a set\."):
        keeps_up(asked, known, NUMBERS, 20, "use a set.")
    assert asked.last == "f(*check.f.args)"
    assert asked.args == NUMBERS


def test_nothing_is_measured_where_the_answer_is_called_elsewhere():
    keeps_up(through_a_list, lambda numbers: 1 / 0, NUMBERS, 20, "use a set.")
