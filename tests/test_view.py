"""The view: nothing that a submission can import answers an exercise of its unit."""

import contextlib
import importlib
import inspect
import io
from pathlib import Path

import pytest

from autograder import view
from autograder.course import load_unit, slugs
from autograder.exercise import fraction
from autograder.forks import in_forks
from autograder.local import run_locally

ROOT = Path(__file__).parent.parent
UNITS = slugs(ROOT)
# a thousand functions, which no unit teaches; the long test has them
APART = ("/course/llmcourse/world/", "/course/llmcourse/plotting/")


def functions(unit, apart=APART):
    """Every function, class and method of the modules that are shown, by name."""
    found = {}
    for here, there in view.package_files(unit):
        if here == view.STAND_IN or not there.endswith(".py") or there.startswith(apart):
            continue
        name = there.removeprefix("/course/").removesuffix(".py").replace("/", ".")
        module = importlib.import_module(name.removesuffix(".__init__"))
        for kind in [module, *(v for v in vars(module).values() if inspect.isclass(v))]:
            for value in vars(kind).values():
                value = getattr(value, "__func__", value)
                owner = str(getattr(value, "__module__", ""))
                if callable(value) and owner.startswith("llmcourse"):
                    found[f"{owner}.{getattr(value, '__qualname__', value)}"] = value
    return found


def passing(unit, candidates):
    """(function, exercise) of all that earn anything when they are taken as the answer."""
    loaded = load_unit(ROOT, unit)

    def work(name):
        earned = []
        with contextlib.redirect_stdout(io.StringIO()):
            for exercise in loaded.exercises.values():
                with contextlib.suppress(Exception, SystemExit):
                    check = loaded.checks.get(exercise.name)
                    cases = run_locally(exercise, candidates[name], b"any", check)
                    earned += [(name, exercise.name)] if fraction(cases) > 0 else []
        return earned

    done = list(in_forks(work, sorted(candidates), workers=1, cpu_seconds=lambda _: 20.0))
    return {pair for one in done for pair in one.value or []}, {o.item for o in done if o.ended}


@pytest.mark.parametrize("unit", UNITS)
def test_nothing_shown_answers_an_exercise(unit):
    earned, ended = passing(unit, functions(unit))
    assert (earned, ended) == (set(), set())


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS)
def test_nothing_at_all_that_is_shown_answers_an_exercise(unit):
    earned, _ = passing(unit, functions(unit, apart=()))
    assert earned == set()


def test_the_functions_that_are_hidden_are_found_to_answer():
    candidates = functions("07_next")
    unit = {name: f for name, f in candidates.items() if name.startswith("llmcourse.rnn.")}
    earned, _ = passing("06_rnn_lstm", unit)
    assert ("llmcourse.rnn.gru_cell", "gru_cell") in earned
    assert ("llmcourse.rnn.SequenceTagger", "SequenceTagger") in earned


def test_no_name_of_an_exercise_is_defined_in_what_is_shown():
    for unit in UNITS:
        names = {name.rpartition(".")[2] for name in functions(unit, apart=())}
        assert not names & set(load_unit(ROOT, unit).exercises), unit
