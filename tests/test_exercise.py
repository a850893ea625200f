"""autograder.exercise: the judge decides outside, the core case gates, no message leaks a value."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from autograder.errors import SandboxFailed
from autograder.exercise import (
    Case,
    Exercise,
    Mistake,
    NoAnswer,
    Raised,
    Returned,
    drawn,
    expect_equal,
    expect_near,
    expect_raises,
    expect_that,
    fraction,
    mark,
    untold,
)
from autograder.verification.local import run_locally
from llmcourse.checks import method as visible_method
from llmcourse.checks import near, noted, raises, visible
from llmcourse.checks import unchanged as visible_unchanged

mean = Exercise("mean")


@mean.case(weight=3, property="the mean of random numbers")
def _core(rng):
    numbers = [rng.uniform(1, 9) for _ in range(7)]
    yield (
        (numbers,),
        expect_near(
            sum(numbers) / 7,
            1e-9,
            hint="add up, then divide.",
            mistakes=[Mistake(sum(numbers), "divide by the length")],
        ),
    )


@mean.case(weight=1, property="refuses an empty list")
def _empty(rng):
    yield ([],), expect_raises(ValueError, hint="there is no mean of nothing.")


@visible
def visible_mean(answer):
    near(answer([1.0, 2.0]), 1.5, 1e-9, hint="")
    raises(ValueError, answer, [], hint="refuse an empty list.")


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
        yield (271828.25,), expect_near(314159.75, 1e-9, hint="think.")

    @secret.case(weight=1, property="secret words")
    def _(rng):
        yield ("hush",), expect_equal({"hush": ["silence"]}, hint="think.")

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
            raises(ValueError, answer, 1, hint="refuse it")

    with pytest.raises(SandboxFailed, match="did not answer"):
        mark(replace(mean, cases=[]), fails, b"", expects_an_exception)


def test_holds_survives_any_shape_and_wants_true_itself():
    judge = expect_that(lambda v: v["a"] > 1, hint="look")
    assert judge(Returned({"a": 2})) is None
    assert judge(Returned({"a": 0})) == "look"
    assert "expected form" in judge(Returned(None))
    assert expect_that(lambda v: "why", hint="look")(Returned(1)) == "look"
    assert expect_that(lambda v: 1, hint="look")(Returned(1)) == "look"  # truthy is not True
    assert "ValueError" in judge(Raised(("ValueError", "Exception"), "x"))


ANY = [Mistake(lambda value: True, "a mistake")]
JUDGES = {
    "near": expect_near(0.25, 1e-9, "h.", mistakes=[Mistake(0.25, "a mistake")]),
    "equals": expect_equal(0.25, "h.", mistakes=[Mistake(0.25, "a mistake")]),
    "holds": expect_that(lambda value: value == 0.25, "h.", mistakes=ANY),
    "told": expect_that(lambda value: value == 0.25, "h.", mistakes=ANY).told(ValueError="no"),
}


@pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)
def test_no_mistake_is_looked_for_in_a_right_value(judge):
    assert judge(Returned(0.25)) is None
    assert judge(Returned(0.5)) is not None


def test_mistakes_are_told_in_their_order_and_may_break():
    mistakes = [
        Mistake(lambda value: value["no such key"], "broken"),
        Mistake(lambda value: value < 2, "small"),
        Mistake(lambda value: value < 1, "smaller"),
    ]
    judge = expect_that(lambda value: value > 5, "look", mistakes)
    assert [judge(Returned(value)) for value in (6, 4, 1, 0)] == [None, "look", "small", "small"]


def test_an_exception_of_a_kind_gets_its_hint_but_not_where_it_is_expected():
    judge = expect_near(1.0, 0, "h.").told(ValueError="log of 0")
    assert judge(Raised(("ValueError", "Exception"), "")) == "your code raised ValueError. log of 0"
    assert judge(Raised(("TypeError", "Exception"), "")) == "your code raised TypeError. h."
    expected = expect_raises(ValueError, "h.").told(ValueError="log of 0")
    assert expected(Raised(("ValueError", "Exception"), "")) is None


def test_inputs_of_the_core_are_drawn_until_they_tell_every_mistake():
    draws = []

    def inputs(rng):
        draws.append(rng.randrange(4))
        yield (
            (draws[-1],),
            expect_near(float(draws[-1]), 1e-9, "h.", mistakes=[Mistake(0.0, "always 0")]),
        )

    core = Case("core", 1, inputs, core=True)
    for seed in range(40):
        draws.clear()
        [((number,), _)] = drawn(core, b"%d" % seed)
        assert number == draws[-1] != 0 and draws[:-1] == [0] * (len(draws) - 1)
        assert not untold(drawn(core, b"%d" % seed))
    edge = Case("edge", 1, inputs)
    assert any(untold(drawn(edge, b"%d" % seed)) == {"always 0"} for seed in range(40))


def test_a_mistake_that_no_input_can_tell_costs_no_right_answer():
    same = Exercise("same")

    @same.case(weight=1, property="one")
    def _(rng):
        yield (), expect_near(1.0, 0, "h.", mistakes=[Mistake(1.0, "also 1")])

    assert fraction(run_locally(same, lambda: 1.0, b"")) == 1


def test_earlier_exercise_is_answered_by_the_grader():
    def chain(answer):
        return answer

    total = Exercise("total", given={"helper": lambda x: 10 * x})

    @total.case(weight=1, property="uses the helper")
    def _(rng):
        yield (3,), expect_near(31, 0, hint="")

    def answer(x):
        return helper(x) + 1

    assert fraction(run_locally(total, answer, b"")) == 1


def test_a_given_function_takes_what_an_optional_parameter_of_the_learners_own_would():
    def scaled(x, by=2):
        return x * by

    total = Exercise("total", given={"helper": scaled})

    @total.case(weight=1, property="uses it")
    def _(rng):
        yield (3,), expect_equal([6, 6, 9, 6, 9], hint="")

    def answer(x):
        return [
            helper(x, quiet=True),
            helper(x=x),
            helper(x, 3, "more", "and more"),
            helper(number=x),
            helper(by=3, number=x, quiet=True),
        ]

    assert fraction(run_locally(total, answer, b"")) == 1


def test_given_functions_reach_classes_partials_and_objects_and_are_gone_afterwards():
    total = Exercise("total", given={"helper": lambda x: 10 * x})

    @total.case(weight=1, property="uses the helper")
    def _(rng):
        yield (3,), expect_near(30, 0, hint="")

    class Made:
        def __new__(cls, x):
            return helper(x)

    class Called:
        def __call__(self, x):
            return helper(x)

    def plain(x, unused=None):
        return helper(x)

    for answer in (plain, Made, Called(), partial(plain, unused=1), Called().__call__):
        assert fraction(run_locally(total, answer, b"")) == 1
    with pytest.raises(NameError):
        plain(1)


def test_callable_arguments_take_keywords():
    score = Exercise("score")

    @score.case(weight=1, property="asks")
    def _(rng):
        yield (lambda history, token: len(history) + token,), expect_near(5, 0, "")

    assert fraction(run_locally(score, lambda model: model(token=3, history=["a", "b"]), b"")) == 1


def test_callable_arguments_are_answered_outside_and_can_be_observed():
    calls = []

    def model(history):
        calls.append(history)
        return math.log(0.5)

    score = Exercise("score")

    @score.case(weight=1, property="asks once a token")
    def _(rng):
        yield (
            (model, ["a", "b"]),
            expect_that(lambda value: len(calls) == 2, hint="ask once a token"),
        )

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
        yield ([1.5, 2.5],), expect_equal([1, 2], hint="")

    assert many.probe_source.startswith("def probe(answer, numbers):")
    assert fraction(run_locally(many, lambda n: n, b"")) == 1


@pytest.mark.parametrize("value", [10**4000, -(10**4000), [10**4000]])
def test_an_integer_no_float_can_hold_is_wrong_and_no_error(value):
    want = [2.0] if isinstance(value, list) else 2.0
    assert (
        expect_near(want, 1e-9, "h.", [Mistake(want, "m")])(Returned(value))
        == "the number is off. h."
    )


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
        yield ([1, 2, 3],), expect_equal(3, hint="count")

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
    yield (3.0, 2.0), expect_near(6.0, 0, hint="multiply.")


@visible
def visible_scaler(answer):
    near(visible_method(answer, (2.0,), "apply", 4.0), 8.0, 0, hint="multiply by factor.")


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
