"""Hidden tests that cannot be trusted are found out, one complaint for each way."""

import contextlib
import json
import os
import sys
import time
import types
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import cli
from autograder.course import Unit
from autograder.exercise import Case, Exercise, Mistake, expect_near, expect_raises
from autograder.sandbox.forks import in_forks
from autograder.verification import trust as verify
from autograder.verification.answer_bank import Equivalent, right, wrong
from autograder.verification.mutation import essence, mutants
from autograder.verification.trials import MUTANT, Workbench
from llmcourse.checks import near
from tests import toy_course
from tests.submissions import toy_impostors
from tests.submissions.toy_impostors import NAME

STUB = "def mean(numbers):\n    raise NotImplementedError\n"
SOLUTION = """def mean(numbers):
    if not numbers:
        raise ValueError("expected numbers, got none")
    return sum(numbers) / len(numbers)
"""


def notebook(source):
    about = {"nbgrader": {"grade_id": "mean", "solution": True, "grade": False}}
    cell = {"cell_type": "code", "id": "a", "metadata": about, "source": source, "outputs": []}
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def visible_mean(answer):
    near(answer([1.0, 2.0]), 1.5, 1e-9, hint="")


def hidden_tests(numbers=lambda rng: [rng.uniform(1, 9) for _ in range(7)], empty=True):
    mean = Exercise("mean")

    @mean.case(weight=3, property="the mean of random numbers")
    def core(rng):
        for _ in range(2):
            drawn = numbers(rng)
            mistakes = [Mistake(sum(drawn), "divide by the length.")]
            yield (drawn,), expect_near(sum(drawn) / len(drawn), 1e-9, "the mean.", mistakes)

    if empty:

        @mean.case(weight=1, property="refuses an empty list")
        def refuses(rng):
            yield ([],), expect_raises(ValueError, "there is no mean of nothing.")

    return mean


@right("mean")
def in_a_loop(numbers):
    total = 0.0
    for number in numbers:
        total += number
    if not numbers:
        raise ValueError
    return total / len(numbers)


@right("mean")
def one_by_one(numbers):
    if len(numbers) < 1:
        raise ValueError
    return sum(number / len(numbers) for number in numbers)


@wrong("mean", hint="Divide by the length")
def adds_up(numbers):
    return sum(numbers)


@wrong("mean", hint="the mean")
def middle(numbers):
    return sorted(numbers)[len(numbers) // 2]


@wrong("mean", hint="mean of nothing")
def zero_for_nothing(numbers):
    return sum(numbers) / max(1, len(numbers))


ANSWERS = (in_a_loop, one_by_one, adds_up, middle, zero_for_nothing)


def workbench(exercise=None, solution=SOLUTION, answers=ANSWERS, equivalent=()):
    module = types.ModuleType("answers_of_mean")
    module.__dict__.update({answer.function.__name__: answer for answer in answers})
    module.__dict__.update(EQUIVALENT=equivalent, __file__=__file__)
    exercise = exercise or hidden_tests()
    unit = Unit("99", None, notebook(STUB), {"mean": exercise}, {"mean": visible_mean}, "1")
    return Workbench(unit, json.dumps(notebook(solution)).encode(), module)


@pytest.fixture
def verified(tmp_path):
    """Verify a workbench: the row of its only exercise."""

    def run(*args, **keywords):
        [row] = verify.verify(workbench(*args, **keywords), tmp_path / "kept", workers=2)
        return row

    return run


def test_hidden_tests_that_hold_have_no_problem(verified):
    row = verified()
    assert row.problems == ()
    assert (row.tests, row.right, row.wrong) == (3, 2, 3)
    assert row.killed == row.mutants > 10
    assert row.equivalent == 0


def same_for_everyone(rng):
    return [1.0, 2.0, 4.5]


def fails_on_two():
    def judge(outcome):
        raise KeyError("two")

    mean = hidden_tests()
    mean.cases.append(Case("two numbers", 1, lambda rng: iter([(([1.0, 3.0],), judge)])))
    return mean


@right("mean")
def rounded(numbers):
    return round(in_a_loop.function(numbers), 3)


@wrong("mean", hint="subtract nothing")
def told_something_else(numbers):
    return sum(numbers)


@right("mean")
def never_ends(numbers):
    while True:
        pass


WORDY = SOLUTION.replace("not numbers", "len(numbers) == 0")
SAME = "if len(numbers) <= 0:"
DEAD = SOLUTION.replace("    return", "    dead = 1 + 2 + 3\n    return")
COMPLAINTS = {
    "no edge tested": (
        {"exercise": hidden_tests(empty=False)},
        "wrong answer, zero_for_nothing: with seed 0 it keeps all points",
    ),
    "one input for all": (
        {"exercise": hidden_tests(same_for_everyone)},
        "blank answer, a value of the right shape: with seed 0 it earns 60% of the points",
    ),
    "a judge that fails": (
        {"exercise": fails_on_two()},
        "right answer, the solution: the tests themselves fail, nobody could grade it: KeyError",
    ),
    "a right answer refused": (
        {"answers": (*ANSWERS, rounded)},
        "right answer, rounded: with seed 0 it loses points and is told: the number is off",
    ),
    "an answer that hangs": (
        {"answers": (*ANSWERS, never_ends)},
        "right answer, never_ends: it ran out of time",
    ),
    "another hint": (
        {"answers": (*ANSWERS, told_something_else)},
        "is not told 'subtract nothing' first, but: divide by the length.",
    ),
    "too few answers": (
        {"answers": ANSWERS[1:]},
        "expected at least 2 right and 3 wrong answers, got 1 and 3",
    ),
    "a wrong solution": (
        {"solution": SOLUTION.replace("/", "*")},
        "right answer, the solution: with seed 0 it loses points",
    ),
    "a surviving mutant": (
        {"solution": WORDY},
        f"a mutant survives: ReplaceComparisonOperator_Eq_LtE in line 2: {SAME}",
    ),
    "a listed mutant that is killed": (
        {"equivalent": [Equivalent("mean", "return sum(numbers) * len(numbers)", because="?")]},
        "listed as equivalent, but is killed: return sum(numbers) * len(numbers)",
    ),
    "a listed mutant that is none": (
        {"equivalent": [Equivalent("mean", "if True:", because="?")]},
        "listed as equivalent, but is no mutant: if True:",
    ),
    "no reason": (
        {"solution": WORDY, "equivalent": [Equivalent("mean", SAME, because=" ")]},
        f"listed as equivalent without a reason: {SAME}",
    ),
    "too many survivors": (
        {"solution": DEAD},
        "mutants survive, listed or not: expected 15% at the most",
    ),
}


@pytest.mark.parametrize(("changes", "complaint"), COMPLAINTS.values(), ids=COMPLAINTS)
def test_each_way_to_be_untrustworthy_has_its_complaint(verified, changes, complaint):
    problems = verified(**changes).problems
    assert any(complaint in problem for problem in problems), problems


def test_an_equivalent_mutant_with_a_reason_is_accepted(verified):
    row = verified(solution=WORDY, equivalent=[Equivalent("mean", SAME, because="a length")])
    assert row.problems == ()
    assert (row.mutants - row.killed, row.equivalent) == (1, 1)


def test_mutants_of_a_wrong_solution_are_not_counted_against_its_tests(verified):
    problems = verified(solution=SOLUTION.replace("/", "*")).problems
    assert not [problem for problem in problems if "mutant" in problem]


# --- what is known already


@pytest.fixture
def tried(monkeypatch):
    """The trials that were run, in order."""
    run = []

    def spy(work, items, **limits):
        run.extend(items := list(items))
        return in_forks(work, items, **limits)

    monkeypatch.setattr(verify, "in_forks", spy)
    return run


def test_what_is_known_is_not_tried_again(tmp_path, tried):
    first = verify.verify(workbench(), tmp_path / "kept", workers=2)
    assert len(tried) > 30
    tried.clear()
    assert verify.verify(workbench(), tmp_path / "kept", workers=2) == first
    assert tried == []


def test_all_is_tried_when_asked_for(tmp_path, tried):
    verify.verify(workbench(), tmp_path / "kept", workers=2)
    everything = [trial.name for trial in tried]
    tried.clear()
    verify.verify(workbench(), tmp_path / "kept", workers=2, again=True)
    assert [trial.name for trial in tried] == everything


def test_a_run_that_was_killed_goes_on_where_it_stopped(tmp_path, tried):
    kept = tmp_path / "kept"
    first = verify.verify(workbench(), kept, workers=2)
    lines = kept.read_text().splitlines(keepends=True)
    kept.write_text("".join(lines[:20]) + lines[20][:30])
    tried.clear()
    [row] = verify.verify(workbench(), kept, workers=2)
    assert len(tried) == len(lines) - 20
    assert (row.problems, row.killed) == (first[0].problems, first[0].killed)


def test_a_new_solution_is_tried_with_its_mutants_but_not_the_other_answers(tmp_path, tried):
    verify.verify(workbench(), tmp_path / "kept", workers=2)
    tried.clear()
    verify.verify(workbench(solution=WORDY), tmp_path / "kept", workers=2)
    names = [trial.name for trial in tried]
    assert names[0] == "the solution"
    assert {trial.kind for trial in tried[1:]} == {MUTANT, "blank"}
    assert "in_a_loop" not in names


def test_outcomes_depend_on_the_modules_of_the_course_that_the_solution_imports(monkeypatch):
    solution = "from llmcourse.models import probability\n" + SOLUTION
    with_import, without = [
        next(workbench(solution=text).trials("mean")).key for text in (solution, SOLUTION)
    ]
    read = Path.read_text

    def edited(path, **keywords):
        return read(path, **keywords) + "\n# edited" * (path.name == "probability.py")

    monkeypatch.setattr(Path, "read_text", edited)
    assert next(workbench(solution=solution).trials("mean")).key != with_import
    assert next(workbench().trials("mean")).key == without


# --- forks


def test_forks_give_the_results_of_all_items():
    found = list(in_forks(lambda n: n * n, range(1, 8), workers=3, cpu_seconds=lambda n: 5))
    assert sorted((fork.item, fork.value) for fork in found) == [(n, n * n) for n in range(1, 8)]


def test_a_fork_that_loops_waits_dies_or_fills_the_memory_ends_alone():
    def work(item):
        if item == "loops":
            while True:
                pass
        if item == "dies":
            os._exit(3)
        if item == "waits":
            time.sleep(60)
        if item == "fills":
            return len(bytearray(2**33))
        return "fine"

    items = ["loops", "waits", "dies", "fills", "is fine"]
    found = in_forks(work, items, workers=2, cpu_seconds=lambda item: 0.1)
    assert {fork.item: fork.value or fork.ended for fork in found} == {
        "loops": "time",
        "waits": "stuck",
        "dies": "died",
        "fills": "died",
        "is fine": "fine",
    }


def test_a_change_in_a_fork_is_not_seen_in_the_next():
    seen = []

    def work(item):
        seen.append(item)
        return len(seen)

    found = in_forks(work, "abc", workers=1, cpu_seconds=lambda item: 5)
    assert [fork.value for fork in found] == [1, 1, 1]


# --- mutants


def test_mutants_of_a_line_worked_by_hand():
    lines = {mutant.line for mutant in mutants("def f(a, b):\n    return a < b and a is not 1\n")}
    assert lines >= {"return a <= b and a is not 1", "return a < b or a is not 1"}
    assert lines >= {"return a < b and a is not 2", "return a < b and a == 1"}
    assert (
        len(lines) == 7 + 1 + 6 + 2
    )  # the other comparisons (no `is` beside a number), or, 2 and 0


def test_annotations_docstrings_and_messages_have_no_mutants():
    source = (
        "def f(x: 'int | None' = None) -> int | None:\n"
        '    """Is 1 + 1."""\n'
        "    y: int | None = x\n"
        "    assert y, f'{1 + 1}'\n"
        "    raise ValueError(f'{x + 1}', 1 < 2)\n"
    )
    assert [mutant.line for mutant in mutants(source)] == ["assert not y, f'{1 + 1}'"]


def test_mutants_are_programs_that_differ_from_the_source_and_from_each_other():
    kinds = [essence(mutant.source) for mutant in mutants(SOLUTION)]
    assert len({*kinds, essence(SOLUTION)}) == len(kinds) + 1


# --- the command


@pytest.fixture
def command(monkeypatch, capsys):
    """Run `autograder verify` in this process: (exit status, standard output, errors)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["autograder", "verify", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        return stopped.value.code, said.out, said.err

    return run


def test_the_command_prints_a_table_and_fails_with_its_problems(tmp_path, command):
    root = toy_course.build(tmp_path / "toy")
    answers = root / "tests" / "answers" / f"u{toy_course.SLUG}.py"
    answers.parent.mkdir(parents=True)
    answers.write_text('"""None yet."""\n')
    status, out, errors = command("90", "--course", root, "--workers", 2)
    assert status == 1
    assert "exercise  tests  right  wrong  killed  equivalent  seconds" in out
    assert "90_toy add: expected at least 2 right and 3 wrong answers, got 0 and 0" in out
    assert "autograder: the hidden tests cannot be trusted yet" in errors
    assert (root / "build" / "verify" / "90_toy.jsonl").is_file()


def test_a_unit_without_answers_says_where_they_belong(tmp_path, command):
    root = toy_course.build(tmp_path / "toy")
    status, _, errors = command("90", "--course", root)
    assert status == 1
    assert "tests/answers/u90_toy.py: right and wrong answers are written there" in errors


# --- exercises whose answer is a test


def in_one_go(weighted_mean):
    pairs = [([1.0, 3.0], [1.0, 3.0]), ([-2.0, 5.0, 1.0, 8.0], [0.1, 0.2, 0.3, 0.9])]
    wants = [2.5, 8.3 / 1.5]
    try:
        weighted_mean([1.0], [])
        return False
    except ValueError:
        got = [weighted_mean(*pair) for pair in pairs]
        return max(abs(a - b) for a, b in zip(got, wants, strict=True)) < 1e-9


def by_laws(weighted_mean):
    values, weights = [3.7, -1.25, 0.5, 2.0, 9.0], [1.0, 2.0, 0.25, 1.5, 3.0]
    terms = [value * weight for value, weight in zip(values, weights, strict=True)]
    assert abs(weighted_mean(values, weights) * sum(weights) - sum(terms)) < 1e-8
    assert abs(weighted_mean(values, weights) - weighted_mean(values[::-1], weights[::-1])) < 1e-9
    with contextlib.suppress(ValueError):
        weighted_mean(values, weights[:2])
        return False
    return True


TESTS = {
    "in_one_go": right(NAME)(in_one_go),
    "by_laws": right(NAME)(by_laws),
    "accepts_all": wrong(NAME, hint="Give it weights that differ.")(lambda f: True),
    "rejects_all": wrong(NAME, hint="your test rejects a right implementation")(lambda f: False),
    "compares_one_value": wrong(NAME, hint="Give it negative values.")(
        lambda f: abs(f([1.0, 3.0], [1.0, 3.0]) - 2.5) < 1e-9
    ),
    "wants_equal_bits": wrong(NAME, hint="Compare with a tolerance.")(
        lambda f: f([11.0, 4.0, 1.0], [1.0, 5.0, 1.0]) == 32 / 7 and in_one_go(f)
    ),
}


def test_a_test_that_learners_write_is_verified_with_tests_and_with_mutants_of_its_reference(
    tmp_path,
):
    module = types.ModuleType("answers_of_a_test")
    same = "if abs(weighted_mean(values, weights) - want) >= 1e-9:"
    other = "if abs(weighted_mean(values, weights) % want) > 1e-9:"
    because = "no impostor is off by exactly that, or by a multiple."
    listed = [Equivalent(NAME, same, other, because=because)]
    module.__dict__.update(TESTS, EQUIVALENT=listed, __file__=__file__)
    unit = toy_impostors.unit()
    unit = replace(unit, exercises={NAME: unit.exercises[NAME]})
    book = toy_impostors.released()
    book["cells"] = [cell for cell in book["cells"] if cell["id"] in ("test", "imports")]
    next(c for c in book["cells"] if c["id"] == "test")["source"] = toy_impostors.SOLUTION
    bench = Workbench(unit, json.dumps(book).encode(), module)
    assert not [t for t in bench.trials(NAME) if t.kind == MUTANT and "([2.0, 3.0]" in t.line]
    [row] = verify.verify(bench, tmp_path / "kept", workers=2)
    assert row.problems == ()
    assert (row.tests, row.right, row.wrong) == (8, 2, 4)
    assert row.mutants > 40 and row.killed == row.mutants - 2
