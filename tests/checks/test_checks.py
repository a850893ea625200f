"""llmcourse.checks: what a learner is told, in one line, for each kind of result."""

import math
import re
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.checks import (
    CheckFailed,
    compare,
    equal,
    fail,
    items,
    near,
    noted,
    number,
    raises,
    u05_neural_lm,
    unchanged,
    visible,
)
from llmcourse.checks.arrays import shaped


@pytest.fixture(autouse=True)
def learner_environment(monkeypatch):
    monkeypatch.delenv("NBGRADER_VALIDATING", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


@visible
def double(answer):
    near(number(answer(2), "double"), 4, 1e-9, hint="add the number to itself.")


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (lambda x: 2 * x, "double: passed"),
        (lambda x: torch.tensor(2.0 * x), "double: passed"),
        (lambda x: np.float32(2 * x), "double: passed"),
        (lambda x: 3 * x, "double: not right yet. expected 4, got 6."),
        (lambda x: None, "double: not right yet. double should be a number, got None."),
        (lambda x: [2 * x], "double: not right yet. double should be a number, got a list."),
        (lambda x: math.inf, "double: not right yet. double should be finite, got inf."),
        (lambda x: 1 / 0, "double: not right yet. your code raised ZeroDivisionError"),
        (7, "double: not right yet. your code raised TypeError"),
    ],
)
def test_verdict_begins_with_one_line_that_says_why(answer, line, capsys):
    assert double(answer) is ("passed" in line)
    told, *rest = capsys.readouterr().out.splitlines()
    assert told.startswith(line)
    assert rest[-1:] == ([] if "passed" in line else ["  call: double(2)"])


def test_hint_and_call_have_lines_of_their_own(capsys):
    double(lambda x: 3 * x)
    assert capsys.readouterr().out.splitlines() == [
        "double: not right yet. expected 4, got 6.",
        "  hint: add the number to itself.",
        "  call: double(2)",
    ]


def test_stub_is_not_solved_yet(capsys):
    def stub(x):
        raise NotImplementedError

    assert double(stub) is False
    assert capsys.readouterr().out == "double: not solved yet\n"


def test_a_stub_that_the_answer_calls_is_named(capsys):
    def helper(x):
        raise NotImplementedError

    def answer(x):
        return next(helper(x) for _ in range(2))

    assert double(answer) is False
    said = capsys.readouterr().out
    assert said.startswith("double: not solved yet. it calls ")
    assert said.endswith("helper, which is not solved yet.\n")


def test_a_hint_for_an_exception_that_says_certain_words():
    told = r"ZeroDivisionError: division by zero\. no 0"
    with pytest.raises(CheckFailed, match=told) as failure, noted("no 0", "division"):
        1 / 0  # noqa: B018
    assert failure.value.without_values == "your code raised ZeroDivisionError. no 0"
    with pytest.raises(ZeroDivisionError), noted("no 0", "overflow"):
        1 / 0  # noqa: B018
    with pytest.raises(NotImplementedError), noted("no 0"):
        raise NotImplementedError
    with pytest.raises(CheckFailed, match=r"^as it was$"), noted("no 0"):
        fail("as it was")


@pytest.mark.parametrize("variable", ["NBGRADER_VALIDATING", "NBGRADER_EXECUTION"])
def test_under_nbgrader_a_failure_raises_so_that_validate_works(variable, monkeypatch):
    monkeypatch.setenv(variable, "1")
    assert double(lambda x: 2 * x) is True
    with pytest.raises(CheckFailed, match="not right yet"):
        double(lambda x: x)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=12,
)


@given(PLAIN)
def test_everything_equals_itself(value):
    assert compare(value, value, 0.0) is None


@given(PLAIN, PLAIN)
def test_compare_never_raises(got, want):
    compare(got, want, 1e-6)


@pytest.mark.parametrize(
    ("got", "want"),
    [
        ((1, 2), [1, 2]),
        (np.array([1.0, 2.0]), [1, 2]),
        (torch.tensor([[1.0], [2.0]]), [[1], [2]]),
        (Counter("aab"), {"a": 2, "b": 1}),
        (np.int64(3), 3),
        (frozenset("ab"), {"a", "b"}),
        (-math.inf, -math.inf),
        (1e9 + 1, 1e9),  # relative above 1
    ],
)
def test_equal_forms_are_accepted(got, want):
    assert compare(got, want, 1e-6) is None


@pytest.mark.parametrize(
    ("got", "want", "nature"),
    [
        (True, 1, "expected a number, got a bool"),
        (1, True, "expected a bool, got a number"),
        ([1, 2, 3], [1, 2], "the length is not the right one"),
        ({"a": 1}, {"b": 1}, "the keys are not the right ones"),
        ("ab", ["a", "b"], "expected a list, got a string"),
        (math.nan, 0.0, "the number is off"),
        (math.inf, 1e300, "the number is off"),
        (1e-3, 0.0, "the number is off"),
        (None, "x", "expected a string, got None"),
    ],
)
def test_differences_are_named_without_values(got, want, nature):
    assert compare(got, want, 1e-6).nature == nature


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (u05_neural_lm.linear_backward, lambda x, W, dy: (np.zeros((7, 4, 1)),) * 3),
        (u05_neural_lm.gradient_check, lambda f, x, slope, eps: 741),
        (u05_neural_lm.random_search, lambda f, *_: ([f({"lr": 1.0}) for _ in range(741)], 0)),
    ],
)
def test_what_the_grader_shows_of_a_failure_holds_no_number_that_the_learner_chose(check, answer):
    with pytest.raises(CheckFailed) as failure:
        check.__wrapped__(answer)
    assert re.search("741|7, 4, 1", str(failure.value))
    assert not re.search("741|7, 4, 1", failure.value.without_values)


def test_the_place_of_a_difference_is_told():
    with pytest.raises(CheckFailed, match=r"expected 2, got 5 at key 'b' at index 1\. look there"):
        near({"a": [0], "b": [1, 5]}, {"a": [0], "b": [1, 2]}, 1e-6, hint="look there")


def test_raises_wants_that_exception_and_lets_the_stub_through():
    def refuse(x):
        raise ValueError("no")

    def stub(x):
        raise NotImplementedError

    raises(ValueError, refuse, 1, hint="")
    with pytest.raises(CheckFailed, match=r"expected KeyError, got ValueError: no\. hint"):
        raises(KeyError, refuse, 1, hint="hint")
    with pytest.raises(CheckFailed, match="but it returned 1"):
        raises(ValueError, lambda x: x, 1, hint="")
    with pytest.raises(NotImplementedError):
        raises(ValueError, stub, 1, hint="")


def test_unchanged_finds_an_edited_argument_and_returns_the_result():
    assert unchanged(sorted, ([2, 1],), hint="") == [1, 2]
    with pytest.raises(CheckFailed, match=r"from \[2, 1\] to \[1, 2\]\. copy it"):
        unchanged(lambda items: items.sort(), ([2, 1],), hint="copy it")


def test_what_changed_is_told_by_its_place_where_all_of_it_is_long():
    def edit(params, x):
        params["b"] = params["b"] + x[0]

    args = ({"a": np.zeros((9, 9)), "b": np.arange(4.0).reshape(2, 2)}, [7.0])
    with pytest.raises(CheckFailed, match=r"argument at key 'b' at \[0, 0\] from 0 to 7\. x") as e:
        unchanged(edit, args, hint="x")
    assert e.value.without_values == "the call changed its argument. x"


def test_a_missing_return_is_told():
    with pytest.raises(CheckFailed, match="returned None: is there a `return`"):
        shaped(None, (2,), "it", "")
    with pytest.raises(CheckFailed, match="returned None: is there a `return`"):
        items(None, 2, "")


def test_another_dtype_than_that_of_the_inputs_is_told():
    single = np.ones(2, dtype=np.float32)
    assert shaped(single, (2,), "it", "").dtype == np.float32
    assert shaped(np.ones(2, dtype=int), (2,), "it", "").dtype == float
    with pytest.raises(CheckFailed, match=r"it: expected .* float64, got float32") as failure:
        shaped(single, (2,), "it", "", "float64")
    assert "float32" not in failure.value.without_values
    shaped([1.0, 2.0], (2,), "it", "", "float64")


def test_equal_is_exact():
    equal(["a"], ["a"], hint="")
    with pytest.raises(CheckFailed):
        equal(1 + 1e-12, 1, hint="")


TYPES = {
    "float32": np.float32,
    "float16": np.float16,
    "0-d array": lambda x: np.array(x, dtype=np.float32),
    "tensor": lambda x: torch.tensor(x, dtype=torch.float32),
    "half tensor": lambda x: torch.tensor(x, dtype=torch.float16),
    "bfloat16": lambda x: torch.tensor(x, dtype=torch.bfloat16),
    "array": lambda x: np.array([x, 0.0], dtype=np.float32),
    "tensor of bfloat16": lambda x: torch.tensor([x, 0.0], dtype=torch.bfloat16),
    "list": lambda x: [np.float32(x), np.float16(0)],
    "number": lambda x: number(np.float32(x), "it"),
}
EXACT_TYPES = {"Fraction": Fraction, "Decimal": Decimal, "float64": np.float64, "float": float}


@pytest.mark.parametrize("kind", [*TYPES, *EXACT_TYPES])
@pytest.mark.parametrize("want", [1 / 3, 1e-6 / 3, 1e4 / 3, -0.1])
def test_the_same_number_in_another_float_type_is_the_same(kind, want):
    got = (TYPES | EXACT_TYPES)[kind](want)
    several = ("array" in kind and "0-d" not in kind) or " of " in kind or kind == "list"
    assert compare(got, [want, 0.0] if several else want, 1e-12) is None


LOST = {"float32": 1e-5, "float16": 5e-3, "bfloat16": 2e-2, "tensor": 1e-5, "number": 1e-5}


@pytest.mark.parametrize(("kind", "off"), LOST.items())
@pytest.mark.parametrize("want", [1 / 3, 1e-3 / 3, 1e4 / 3])
def test_a_number_that_is_off_by_more_than_its_type_loses_is_not(kind, off, want):
    assert compare(TYPES[kind](want * (1 + 1.1 * off)), want, 1e-12) is not None


def test_a_float_type_excuses_nothing_in_what_is_exact():
    assert compare(np.float32(3), 3, 0.0) is None
    assert compare(np.float16(301), 300, 0.0) is not None
    assert compare([np.float32(0.5)], [1], 1e-9) is not None
    assert compare(np.float32("nan"), 1.0, 1e-9) is not None
    assert compare(np.float32("inf"), math.inf, 0.0) is None
    assert compare(0.5 + 1e-7, 0.5, 1e-9) is not None
    assert compare(np.array([0.5 + 1e-7]), [0.5], 1e-9) is not None


def test_an_array_of_a_narrow_type_is_judged_by_its_largest_number():
    want = [[100.0, 1e-7], [0.0, -3.0]]
    off = np.array([[100.0, 2e-6], [1e-6, -3.0]], dtype=np.float32)  # sums that cancelled
    assert compare(off, want, 1e-12) is None
    assert compare(off[1], want[1], 1e-12) is None
    assert compare(off * np.float32(1.0001), want, 1e-12) is not None
    assert compare([np.float32(2e-6)], [1e-7], 1e-12) is not None


def test_a_shaped_array_keeps_its_float_type_for_the_comparison():
    third = torch.tensor([1 / 3, 1.0])
    for kind in (torch.bfloat16, torch.float16, torch.float32):
        assert compare(shaped(third.to(kind), (2,), "it", ""), [1 / 3, 1.0], 1e-9) is None
    off = third + 1e-3
    assert compare(shaped(off, (2,), "it", ""), [1 / 3, 1.0], 1e-9) is not None
