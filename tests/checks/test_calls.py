"""llmcourse.checks.calls: the failing call, written so that it can be run."""

import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.checks import METHOD, compare, method
from llmcourse.checks.calls import ITEMS, Recorded, Spelled, in_answer, written

NAMES = {"np": np, "torch": torch, "math": math, "Counter": Counter}
KEYS = st.integers() | st.text(max_size=5) | st.tuples(st.integers(), st.integers())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=9,
)


@given(VALUES)
def test_what_is_written_makes_the_value_again(value):
    text = written(value)
    if text is not None:
        again = eval(text, dict(NAMES))
        assert repr(again) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        np.array([[1.0, 2.5], [0.0, -1.0]]),
        np.array([1, 2]),
        np.array([3e19, 4e19], dtype=np.float32),
        np.zeros((0, 3)),
        np.array([True, False]),
        torch.tensor([1.0, 2.0]),
        torch.tensor([[1, 2]]),
        torch.tensor([1.0], dtype=torch.float64),
        np.array([math.inf, -math.inf]),
        Counter("aab"),
        {1, 2},
        frozenset("a"),
        set(),
        (5,),
    ],
)
def test_arrays_and_containers_are_written_with_what_makes_them(value):
    again = eval(written(value), dict(NAMES))
    assert type(again) is type(value)
    assert getattr(again, "dtype", None) == getattr(value, "dtype", None)
    assert compare(again, value, 0.0) is None


@pytest.mark.parametrize("value", [list(range(ITEMS + 1)), np.ones(ITEMS + 1), object(), "a" * 999])
def test_what_is_long_or_cannot_be_written_is_not(value):
    assert written(value) is None


def train_bpe(pieces, n_merges, first_id=256):
    return []


def test_an_argument_with_a_default_is_given_by_name():
    asked = Recorded(train_bpe, "train_bpe")
    asked({(0, 1): 3}, 2, 6)
    assert asked.last == "train_bpe({(0, 1): 3}, 2, first_id=6)"
    assert asked.args == ()


def test_a_call_is_remembered_as_it_was_before_the_answer_changed_its_arguments():
    asked = Recorded(lambda tokens, more: tokens.clear(), "f")
    given, more = ["a"], ["b"]
    asked(given, more)
    assert asked.last == "f(['a'], ['b'])"
    long = [list(range(99))]
    asked(long, [])
    assert asked.last == "f(*check.f.args)"
    assert long == []
    assert asked.args == ([list(range(99))], [])


def test_functions_that_are_given_are_written_as_the_text_they_were_made_from():
    model, uniform = Spelled("lambda history: {'a': 1.0}"), Spelled("iter([0.5]).__next__")
    asked = Recorded(lambda model, uniform: model(history=["x"]), "generate")
    assert asked(model, uniform) == {"a": 1.0}
    assert asked.last == "generate(lambda history: {'a': 1.0}, iter([0.5]).__next__)"
    assert model.asked == [(["x"],)]


class Model:
    def __init__(self, params):
        self.params = params

    def logits(self, ids):
        return [self.params["E"][i] for i in ids]


def test_a_method_is_called_on_an_object_made_from_the_arguments():
    asked = Recorded(Model, "Model")
    assert method(asked, ({"E": [7, 8]},), "logits", [1]) == [8]
    assert asked.last == "Model({'E': [7, 8]}).logits([1])"
    method(asked, ({"E": list(range(99))},), "logits", [1])
    assert asked.last == "Model(*check.Model.args[:1]).logits([1])"
    assert asked.args == ({"E": list(range(99))}, [1])
    assert METHOD not in asked.last


def test_an_exception_of_the_check_is_not_one_of_the_answer():
    with pytest.raises(ZeroDivisionError) as theirs:
        Recorded(lambda: 1 / 0, "f")()
    with pytest.raises(ZeroDivisionError) as ours:
        Recorded(lambda: 0, "f")() / 0
    assert in_answer(theirs.value)
    assert not in_answer(ours.value)


def test_a_generator_is_a_list_as_it_is_in_grading():
    def one_by_one(numbers):
        yield from numbers

    assert Recorded(one_by_one, "f")([1, 2]) == [1, 2]
