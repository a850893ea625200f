"""llmcourse.checks.impostors: what a learner's test is given, and what its author is told."""

import collections
import threading
import warnings

import numpy as np
import pytest
import torch

from llmcourse.checks import Bounds, Implementation, Refused, tells_apart, visible
from llmcourse.checks.impostors import StandIn, verdict

BOUNDS = Bounds(calls=5, numbers=20, whole=100, results=50)


def mean(values):
    if len(values) == 0:
        raise ValueError(f"no values, says {mean.__name__}")
    return sum(values) / len(values)


def middle(values):
    return sorted(values)[len(values) // 2]


def of_sizes(values):
    return mean([abs(value) for value in values])


@visible
def test_mean(answer):
    tells_apart(
        answer,
        "a mean",
        Implementation("divides the sum by the length", mean, "An empty list has no mean."),
        (
            Implementation("takes the middle", middle, "Give it a list of two."),
            Implementation("ignores the signs", of_sizes, "Give it negative numbers."),
        ),
        BOUNDS,
    )


test_mean.__test__ = False


def told(answer, capsys):
    passed = test_mean(answer)
    lines = capsys.readouterr().out.splitlines()
    return passed, [line.strip() for line in lines if "call:" not in line]


def right(mean):
    return mean([1, 2]) == 1.5 and mean([-1, -2]) == -1.5


def asserts(mean):
    assert mean([-1, -2]) == -1.5
    return True


def knows_the_exception(mean):
    try:
        mean([])
    except ValueError:
        return mean([-1.0, -2.0]) == -1.5
    return False


@pytest.mark.parametrize("answer", [right, asserts, knows_the_exception])
def test_a_test_that_tells_them_apart_passes(answer, capsys):
    assert told(answer, capsys) == (True, ["test_mean: passed"])


@pytest.mark.parametrize(
    ("answer", "said", "hint"),
    [
        (
            lambda mean: True,
            "your test accepts a mean that takes the middle.",
            "Give it a list of two.",
        ),
        (
            lambda mean: mean([1, 2]) == 1.5,
            "your test accepts a mean that ignores the signs.",
            "Give it negative numbers.",
        ),
        (
            lambda mean: False,
            "your test rejects a right implementation: one that divides the sum by the length.",
            "An empty list has no mean.",
        ),
        (
            lambda mean: mean([]) == 0,
            "your test raised ValueError: raised by the implementation with a right "
            "implementation.",
            "An empty list has no mean.",
        ),
        (lambda mean: None, "a test returns True or False, yours returned None: is there", ""),
        (lambda mean: mean, "a test returns True or False, yours returned an object", ""),
        (lambda mean: [mean([1]) for _ in range(6)], "the implementation more than 5 times", ""),
        (lambda mean: mean(range(30)), "more than 20 numbers in its arguments", ""),
    ],
)
def test_a_wrong_test_is_told_what_it_does_and_what_to_try(answer, said, hint, capsys):
    passed, lines = told(answer, capsys)
    assert not passed and said in lines[0]
    assert lines[1:] == ([f"hint: {hint}"] if hint else [])


def test_a_test_not_begun_is_not_solved_yet(capsys):
    def stub(mean):
        raise NotImplementedError("your turn")

    assert told(stub, capsys) == (False, ["test_mean: not solved yet"])


def test_the_implementation_of_a_failure_is_at_hand(capsys):
    test_mean(lambda mean: mean([1, 2]) == 1.5)
    assert "call: test_mean(*check.test_mean.args)" in capsys.readouterr().out
    assert test_mean.args[0]([-1, -2]) == 1.5


def test_no_message_under_grading_holds_what_a_learners_test_says():
    def loud(mean):
        raise KeyError("a hidden value")

    with pytest.raises(AssertionError) as failure:
        test_mean.__wrapped__(loud)
    assert "a hidden value" not in failure.value.without_values
    assert "your test raised KeyError" in failure.value.without_values


# What a test is given


def given(function, bounds=BOUNDS):
    return StandIn(function, bounds)


@pytest.mark.parametrize(
    ("sent", "arrived"),
    [
        ([1, 2.5, "a", None, True], [1, 2.5, "a", None, True]),
        ((1, [2, (3,)]), (1, [2, (3,)])),
        ({"a": {1}}, {"a": {1}}),
        (range(3), [0, 1, 2]),
        (iter([1, 2]), [1, 2]),
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (np.float64(2), 2.0),
        (np.int64(2), 2),
        (np.array(["a"]), ["a"]),
        (1 + 2j, 1 + 2j),
    ],
)
def test_plain_values_arrive_as_over_the_wire(sent, arrived):
    came = []
    given(came.append)(sent)
    assert came == [arrived] and type(came[0]) is type(arrived)


def test_arrays_arrive_as_copies_in_their_dtype_and_tensors_as_arrays():
    came = []

    def doubles(x):
        came.append(x)
        x *= 2
        return x

    for sent in (np.ones(3, dtype="float32"), torch.ones(2, dtype=torch.int64), np.float32(1)):
        got = given(doubles)(sent)
        assert type(got) is type(sent) and got.dtype == sent.dtype
        assert (sent == 1).all() and (got == 2).all()
    assert [type(x) for x in came] == [np.ndarray, np.ndarray, np.float32]
    assert given(doubles)(torch.ones(2, dtype=torch.bfloat16)).dtype is torch.float32
    gradient = torch.ones(2, requires_grad=True)
    assert not given(doubles)(gradient).requires_grad


def test_a_result_follows_the_kind_of_the_arguments():
    def several(x):
        return {"x": x, "n": [x, (1.5,)]}

    got = given(several)(torch.ones(2))
    assert isinstance(got["x"], torch.Tensor) and isinstance(got["n"][0], torch.Tensor)
    assert isinstance(given(several)([np.ones(2)])["x"][0], np.ndarray)


@pytest.mark.parametrize(
    "args",
    [
        ([1] * 21,),
        (np.ones((3, 7)),),
        (np.ones((0, 21)),),
        ([np.ones(11), np.ones(11)],),
        ("a" * 21,),
        (101,),
        (-101,),
        (mean,),
        (object(),),
        (iter(int, 1),),
    ],
)
def test_a_call_beyond_the_bounds_ends_the_test_and_is_no_exception_of_its_own(args):
    one = given(len)
    with pytest.raises(Refused):
        one(*args)
    assert one.refused and not issubclass(Refused, Exception)
    with pytest.raises(Refused):
        one([1])


def test_numbers_in_arrays_may_be_large():
    assert given(lambda x: x.sum())(np.array([10**12])) == 10**12


def test_an_exception_comes_back_as_its_kind_without_its_words():
    class Mine(LookupError):
        pass

    def raising(error):
        def function():
            raise error

        return given(function)

    secret = UnicodeDecodeError("utf-8", b"a", 0, 1, "secret")
    for error, kind in (
        (Mine("secret"), LookupError),
        (secret, UnicodeError),
        (KeyError(), KeyError),
    ):
        with pytest.raises(kind) as came:
            raising(error)()
        assert type(came.value) is kind and "secret" not in str(came.value)
        assert came.value.__cause__ is None and came.value.__suppress_context__


def test_a_call_from_a_thread_or_within_another_is_refused():
    one, error = given(len), []

    def calls():
        try:
            one([1])
        except Refused as refused:
            error.append(str(refused))

    thread = threading.Thread(target=calls)
    thread.start()
    thread.join()
    assert "from a thread" in error[0] and one.refused == error[0]
    inner = given(len)
    with pytest.raises(Refused, match="within another call"):
        inner(inner(x) for x in ([1], [2]))


def test_a_call_warns_nobody():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isinf(given(lambda x: x / 0)(np.ones(1)))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, True),
        (np.False_, False),
        (np.array(True), True),
        (torch.tensor(False), False),
        (1, None),
        (None, None),
        (np.array([True]), None),
        (np.float64(1), None),
        ("True", None),
    ],
)
def test_a_verdict_is_true_or_false_itself(value, said):
    assert verdict(value) is said
