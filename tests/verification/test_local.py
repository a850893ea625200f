"""autograder.verification.local: a trusted answer is marked as it would be in the sandbox."""

import collections

import numpy as np
import pytest
from hypothesis import given, settings

from autograder.exercise import NoAnswer, Returned
from autograder.sandbox import wire
from autograder.verification.local import ask, sent
from tests.sandbox.test_wire import VALUES, exact, there_and_back

PROBE = "def probe(answer, *args): return answer(*args)"


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_what_is_sent_arrives_as_over_the_wire(value):
    assert exact(sent(value)) == exact(there_and_back(value))


def test_what_is_not_plain_arrives_as_over_the_wire_too():
    pair = collections.namedtuple("pair", "a b")(np.float64(1), {2})
    value = [collections.Counter("aab"), pair, np.arange(3), range(2), True, object]
    assert repr(sent(value)) == repr(there_and_back(value))


def test_a_value_that_contains_itself_does_not_arrive():
    value = []
    value.append(value)
    with pytest.raises(wire.WireError, match="deep"):
        sent(value)
    assert ask(lambda: value, PROBE, (), {}, 1.0) == NoAnswer("malformed")


def test_an_answer_gets_copies_and_functions_that_see_copies():
    numbers, seen = [1, [2]], []

    def keeps(values):
        seen.append(values)
        return values

    def answer(values, function):
        values[1].append(3)
        returned = function(values)
        returned[1].append(4)
        return values

    outcome = ask(answer, PROBE, (numbers, keeps), {}, 1.0)
    assert outcome == Returned([1, [2, 3]])
    assert (numbers, seen) == ([1, [2]], [[1, [2, 3]]])
