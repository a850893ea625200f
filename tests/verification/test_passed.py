"""The law of the visible checks: "passed" in the notebook is full marks.

Put to it are all answers written down in tests/answers, and every mutant of every solution.
"""

import contextlib
import importlib
import io
from functools import partial
from pathlib import Path

import pytest

from autograder import course
from autograder.exercise import fraction
from autograder.sandbox.forks import in_forks
from autograder.verification import answer_bank as answers
from autograder.verification.local import run_locally
from autograder.verification.trials import MUTANT, RIGHT, SEEDS, WRONG, Workbench

ROOT = Path(__file__).parents[2]
UNITS = course.slugs(ROOT)
SECONDS = 20  # of processor time for one answer; a check that ends endless loops takes 5
MOST_UNSEEN = 1 / 20  # of a unit's wrong answers


@pytest.fixture(scope="module", params=UNITS)
def bench(request):
    bench = Workbench.of(ROOT, request.param)
    bench.work()
    return bench


def told(bench, exercise, function):
    """What the visible check in the notebook says of an answer."""
    checks = importlib.import_module(f"llmcourse.checks.{course.module_name(bench.unit.slug)}")
    for name, given in bench.unit.exercises[exercise].given.items():  # of earlier cells
        getattr(function, "__globals__", {})[name] = given
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        getattr(checks, exercise)(function)
    return said.getvalue()


def share(bench, exercise, function):
    """The least share of the points that hidden tests give, over seeds."""
    hidden = bench.unit.exercises[exercise]
    return min(fraction(run_locally(hidden, function, seed)) for seed in SEEDS[:2])


def fate(bench, trial):
    """What the check says, and the share of points where that matters: for what passes it."""
    try:
        function = trial.make()
    except Exception:  # a mutant that does not even define its function
        return "", 0.0
    said = told(bench, trial.exercise, function)
    passed = said == f"{trial.exercise}: passed\n"
    return said, share(bench, trial.exercise, function) if passed or trial.kind == RIGHT else None


def fates(bench, *kinds):
    """Each trial of these kinds with what the check says and its share of the points."""
    # to make all mutants takes longer than to try everything that was written
    made = bench.trials if MUTANT in kinds else bench.written_trials
    trials = [t for name in bench.unit.exercises for t in made(name) if t.kind in kinds]
    for fork in in_forks(partial(fate, bench), trials, workers=1, cpu_seconds=lambda _: SECONDS):
        yield fork.item, *(fork.value or (f"ended: {fork.ended}", 0.0))


def unlisted(bench, *kinds):
    """Wrong answers that pass and lose points, less those that are listed with a reason."""
    listed = {(entry.exercise, entry.what) for entry in answers.unseen(bench.written)}
    for trial, said, points in fates(bench, *kinds):
        passed = said == f"{trial.exercise}: passed\n"
        if (
            passed
            and points < 1
            and not {(trial.exercise, trial.name), (trial.exercise, trial.line)} & listed
        ):
            yield f"{trial.exercise}: {trial.name} passes and gets {points:.0%}"


def test_no_wrong_answer_passes_the_visible_check_and_loses_points(bench):
    assert list(unlisted(bench, WRONG)) == []


@pytest.mark.slow
def test_no_mutant_passes_the_visible_check_and_loses_points(bench):
    assert list(unlisted(bench, MUTANT)) == []


def test_every_right_answer_passes_without_a_warning(bench):
    said = {trial.name: said for trial, said, points in fates(bench, RIGHT) if points == 1}
    assert {name: s for name, s in said.items() if not s.endswith(": passed\n")} == {}


def test_what_is_listed_as_unseen_is_so_has_a_reason_and_is_rare(bench):
    listed = answers.unseen(bench.written)
    written = answers.answers(bench.written)
    wrong = sum(answer.hint is not None for answer in written.values())
    for entry in listed:
        assert entry.because.strip()
        function = written[entry.what].function
        assert told(bench, entry.exercise, function) == f"{entry.exercise}: passed\n"
        assert share(bench, entry.exercise, function) < 1
    assert len(listed) <= MOST_UNSEEN * wrong


def test_slow_answers_are_refused_with_their_hint_and_have_the_right_values(bench):
    for name, answer in answers.slow_answers(bench.written).items():
        said = told(bench, answer.exercise, answer.function)
        assert "not right yet" in said, name
        assert answer.hint in said
        assert share(bench, answer.exercise, answer.function) == 1
