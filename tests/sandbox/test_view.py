"""The view: nothing that a submission can import answers an exercise of its unit."""

import contextlib
import importlib
import inspect
import io
import json
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import pytest

from autograder.course import load_unit, slugs
from autograder.exercise import drawn, fraction
from autograder.grading.result import grade
from autograder.sandbox import view
from autograder.sandbox.forks import in_forks
from autograder.verification.local import run_locally

ROOT = Path(__file__).parents[2]
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
    """(function, exercise) of all that earn anything when they are taken as the answer.

    Nothing is earned without the core case, so it alone is put to them, drawn once.
    """
    cores = []
    for exercise in load_unit(ROOT, unit).exercises.values():
        case = exercise.cases[0]
        again = partial(iter, drawn(case, b"any"))
        once = replace(case, inputs=lambda rng, again=again: again(), core=False)
        cores.append(replace(exercise, cases=[once]))

    def work(names):
        earned = []
        with contextlib.redirect_stdout(io.StringIO()):
            for name, exercise in product(names, cores):
                with contextlib.suppress(Exception, SystemExit):
                    cases = run_locally(exercise, candidates[name], b"any")
                    earned += [(name, exercise.name)] if fraction(cases) > 0 else []
        return earned

    # many to a fork: to fork a large process takes longer than most of these calls
    parts = batched(sorted(candidates), 25)
    done = list(in_forks(work, parts, workers=1, cpu_seconds=lambda _: 60.0))
    return {pair for one in done for pair in one.value or []}, {o.item for o in done if o.ended}


def batched(names, size):
    return [tuple(names[start : start + size]) for start in range(0, len(names), size)]


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
    unit = {name: f for name, f in candidates.items() if name.startswith("llmcourse.models.rnn.")}
    earned, _ = passing("06_rnn_lstm", unit)
    assert ("llmcourse.models.rnn.gru_cell", "gru_cell") in earned
    assert ("llmcourse.models.rnn.SequenceTagger", "SequenceTagger") in earned


# Of the same name as an exercise, and another thing: these turn a text into ids.
ENCODERS = ("models.contexts.encode", "models.ngram.encode", "text.tokenizers.Tokenizer.encode")
NAMESAKES = {"07_attention": {f"llmcourse.{name}" for name in ENCODERS}}


def test_no_name_of_an_exercise_is_defined_in_what_is_shown():
    for unit in UNITS:
        shown = set(functions(unit, apart=())) - NAMESAKES.get(unit, set())
        names = {name.rpartition(".")[2] for name in shown}
        assert not names & set(load_unit(ROOT, unit).exercises), unit


NAMES = ["elman_step", "jordan_step", "bptt", "clip_grad_norm"]
NAMES += ["lstm_cell", "gru_cell", "bidirectional"]
TAKEN = f"""
import llmcourse.checks.u06_cells as cells, llmcourse.checks.u06_models as models
import llmcourse.models.rnn
for name in {NAMES}:
    for module in (llmcourse.models.rnn, cells, models):
        globals()[name] = getattr(module, name)
"""
BORROWED = "from llmcourse.checks.u06_cells import gru as gru_cell"
HELPER = "def check(x): return x\n"


@pytest.mark.usefixtures("wall")
@pytest.mark.parametrize(
    ("names", "change", "lost"),
    [
        (["gru_cell"], lambda source: BORROWED, {"gru_cell"}),
        (NAMES, lambda source: TAKEN, set(NAMES)),
        (
            ["elman_step"],
            lambda source: f"{HELPER}\n{source.replace('return ', 'return 1 * ')}",
            set(),
        ),
    ],
    ids=["imported", "through globals()", "a helper called check"],
)
def test_what_is_taken_from_the_checks_earns_nothing_and_costs_no_other(names, change, lost):
    unit = load_unit(ROOT, "06_rnn_lstm")
    book = json.loads((ROOT / "solutions/06_rnn_lstm/06_rnn_lstm.ipynb").read_text())
    for cell in book["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") in names:
            cell["source"] = change("".join(cell["source"]))
    result = grade(json.dumps(book).encode(), unit, secret=b"any", slot=23)
    assert {e.status for e in result.exercises} == {"graded"}
    assert {e.name for e in result.exercises if e.points < e.max_points} == lost
    assert all(e.points == 0 for e in result.exercises if e.name in lost)
