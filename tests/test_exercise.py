"""autograder.exercise: the judge decides outside, the core case gates, no message leaks a value."""

import math
from dataclasses import replace

import numpy as np
import pytest

from autograder.errors import SandboxFailed
from autograder.exercise import (
    Exercise,
    NoAnswer,
    Raised,
    Returned,
    equals,
    fraction,
    holds,
    mark,
    near,
    raises,
)
from autograder.local import run_locally
from llmcourse.checks import method as visible_method
from llmcourse.checks import near as visible_near
from llmcourse.checks import noted, visible
from llmcourse.checks import raises as visible_raises
from llmcourse.checks import unchanged as visible_unchanged

mean = Exercise("mean")


@mean.case(weight=3, property="the mean of random numbers")
def _core(rng):
    numbers = [rng.uniform(1, 9) for _ in range(7)]
    yield (
        (numbers,),
        near(
            sum(numbers) / 7,
            1e-9,
            hint="add up, then divide.",
            mistakes={"divide by the length": sum(numbers)},
        ),
    )


@mean.case(weight=1, property="refuses an empty list")
def _empty(rng):
    yield ([],), raises(ValueError, hint="there is no mean of nothing.")


@visible
def visible_mean(answer):
    visible_near(answer([1.0, 2.0]), 1.5, 1e-9, hint="")
    visible_raises(ValueError, answer, [], hint="refuse an empty list.")


CHECK = visible_mean.__wrapped__


def right(numbers):
    if not numbers:
        raise ValueError("empty")
    return sum(numbers) / len(numbers)


def test_right_answer_earns_everything():
    results = run_locally(mean, right, b"seed", CHECK)
    assert fraction(results) == 1
    assert [r.property for r in results][1] == "the visible check"


def test_core_gates_the_rest():
    def always_refuses(numbers):
        raise ValueError

    results = run_locally(mean, always_refuses, b"seed", CHECK)
    assert [r.passed for r in results] == [False, False, True]
    assert fraction(results) == 0


def test_answer_that_knows_only_the_visible_cases_earns_nothing():
    def memorised(numbers):
        if numbers == [1.0, 2.0]:
            return 1.5
        raise ValueError

    results = run_locally(mean, memorised, b"seed", CHECK)
    assert [r.passed for r in results] == [False, True, True]
    assert fraction(results) == 0


def test_partial_credit_is_the_weight_of_what_passed():
    def forgets_the_edge(numbers):
        return sum(numbers) / max(1, len(numbers))

    results = run_locally(mean, forgets_the_edge, b"seed", CHECK)
    assert fraction(results) == pytest.approx(3 / 5)
    assert "refuse an empty list." in results[1].message


def test_known_misconception_gets_its_own_hint():
    results = run_locally(mean, sum, b"seed")
    assert results[0].message == "divide by the length"


def test_inputs_repeat_for_a_seed_and_change_with_it():
    seen = []

    def spy(numbers):
        seen.append(tuple(numbers))
        return 0.0

    for seed in (b"a", b"a", b"b"):
        run_locally(mean, spy, seed)
    core = [numbers for numbers in seen if numbers]
    assert core[0] == core[1] != core[2]


def test_no_message_holds_a_hidden_input_or_expected_value():
    secret = Exercise("secret")

    @secret.case(weight=1, property="secret numbers")
    def _(rng):
        yield (271828.25,), near(314159.75, 1e-9, hint="think.")

    @secret.case(weight=1, property="secret words")
    def _(rng):
        yield ("hush",), equals({"hush": ["silence"]}, hint="think.")

    def raises_its_input(x):
        raise RuntimeError(x)

    answers = [lambda x: x, lambda x: None, lambda x: [x], lambda x: {x: [x]}, raises_its_input]
    for answer in answers:
        told = " ".join(r.message for r in run_locally(secret, answer, b""))
        for value in ("271828", "314159", "hush", "silence"):
            assert value not in told


def test_after_no_answer_the_rest_is_not_tried():
    calls = []

    def ask(source, args, given, seconds):
        calls.append(args)
        return NoAnswer("timeout")

    results = mark(mean, ask, b"", CHECK)
    assert len(calls) == 1
    assert all("did not finish in time" in r.message for r in results)


def test_a_failed_sandbox_is_no_mistake_of_the_learner():
    def fails(*args):
        raise SandboxFailed("the sandbox did not answer")

    def expects_an_exception(answer):
        with noted("look at the shapes"):
            visible_raises(ValueError, answer, 1, hint="refuse it")

    with pytest.raises(SandboxFailed, match="did not answer"):
        mark(replace(mean, cases=[]), fails, b"", expects_an_exception)


def test_holds_survives_any_shape_and_wants_true_itself():
    judge = holds(lambda v: v["a"] > 1, hint="look")
    assert judge(Returned({"a": 2})) is None
    assert judge(Returned({"a": 0})) == "look"
    assert "expected form" in judge(Returned(None))
    assert holds(lambda v: "why", hint="look")(Returned(1)) == "why"
    assert holds(lambda v: 1, hint="look")(Returned(1)) == "look"  # truthy is not True
    assert "ValueError" in judge(Raised(("ValueError", "Exception"), "x"))


def test_earlier_exercise_is_answered_by_the_grader():
    def chain(answer):
        return answer

    total = Exercise("total", given={"helper": lambda x: 10 * x})

    @total.case(weight=1, property="uses the helper")
    def _(rng):
        yield (3,), near(31, 0, hint="")

    def answer(x):
        return helper(x) + 1

    assert fraction(run_locally(total, answer, b"")) == 1


def test_callable_arguments_are_answered_outside_and_can_be_observed():
    calls = []

    def model(history):
        calls.append(history)
        return math.log(0.5)

    score = Exercise("score")

    @score.case(weight=1, property="asks once a token")
    def _(rng):
        yield (model, ["a", "b"]), holds(lambda value: len(calls) == 2, hint="ask once a token")

    assert fraction(run_locally(score, lambda m, t: sum(m(t[:i]) for i in range(len(t))), b"")) == 1
    assert calls == [[], ["a"]]


def test_own_probe_travels_as_source():
    many = Exercise("many")

    @many.probe
    def several(answer, numbers):
        import math

        return [math.floor(answer(n)) for n in numbers]

    @many.case(weight=1, property="each")
    def _(rng):
        yield ([1.5, 2.5],), equals([1, 2], hint="")

    assert many.probe_source.startswith("def probe(answer, numbers):")
    assert fraction(run_locally(many, lambda n: n, b"")) == 1


@pytest.mark.parametrize("value", [10**4000, -(10**4000), [10**4000]])
def test_an_integer_no_float_can_hold_is_wrong_and_no_error(value):
    want = [2.0] if isinstance(value, list) else 2.0
    assert near(want, 1e-9, "h.", {"m": want})(Returned(value)) == "the number is off. h."


def test_an_array_too_large_for_lists_is_refused_before_it_is_compared():
    result = run_locally(mean, lambda numbers: np.zeros(3_000_000, dtype="int8"), b"1")
    assert "far more than asked for" in result[0].message


def test_no_message_holds_a_lone_surrogate():
    exercise = Exercise("f")

    @exercise.case(weight=1, property="core")
    def core(rng):
        yield (), lambda outcome: f"got {outcome.value}"

    (result,) = run_locally(exercise, lambda: "\ud800", b"1")
    assert result.message == "got ?"


def test_a_visible_failure_shows_no_value_of_the_learner():
    kept = []

    def smuggles(numbers):
        if numbers and numbers != [1.0, 2.0]:
            kept[:] = numbers
        elif kept:
            raise TypeError(str(kept)) if len(numbers) == 2 else IndexError(str(kept))
        return kept[0] if kept else 0.0

    told = run_locally(mean, smuggles, b"seed", CHECK)
    digits = str(kept[0])[:6]
    assert kept and not any(digits in r.message for r in told)


def test_an_edited_argument_is_seen_by_the_visible_check_from_outside():
    emptied = Exercise("emptied")

    @emptied.case(weight=1, property="how many")
    def _(rng):
        yield ([1, 2, 3],), equals(3, hint="count")

    def check(answer):
        visible_unchanged(answer, ([7, 8],), hint="leave the list as it is")

    def pops(items):
        return sum(1 for _ in iter(lambda: items.pop() if items else None, None))

    assert fraction(run_locally(emptied, len, b"", check)) == 1
    core, seen = run_locally(emptied, pops, b"", check)
    assert core.passed and "leave the list as it is" in seen.message


Scaler = Exercise("Scaler")


@Scaler.probe
def _use(answer, factor, x):
    return answer(factor).apply(x)


@Scaler.case(weight=1, property="scales")
def _scales(rng):
    yield (3.0, 2.0), near(6.0, 0, hint="multiply.")


@visible
def visible_scaler(answer):
    visible_near(visible_method(answer, (2.0,), "apply", 4.0), 8.0, 0, hint="multiply by factor.")


class Times:
    def __init__(self, factor):
        self.factor = factor

    def apply(self, x):
        return x * self.factor


class Plus(Times):
    def apply(self, x):
        return x + self.factor


def test_an_answer_that_is_a_class_is_checked_through_its_methods():
    right = run_locally(Scaler, Times, b"0", visible_scaler.__wrapped__)
    assert [(r.passed, r.property) for r in right] == [
        (True, "scales"),
        (True, "the visible check"),
    ]
    wrong = run_locally(Scaler, Plus, b"0", visible_scaler.__wrapped__)
    assert "multiply by factor." in wrong[1].message


def test_the_same_visible_check_passes_a_class_beside_the_learner(capsys):
    assert visible_scaler(Times) and not visible_scaler(Plus)
    assert "multiply by factor." in capsys.readouterr().out
