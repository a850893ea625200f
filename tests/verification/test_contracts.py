"""What the contract of an exercise allows costs no point in any unit: float types, ways to call."""

import ast
import functools
import inspect
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from autograder.course import load_unit
from autograder.exercise import REASONS, drawn, fraction
from autograder.verification import answer_bank as answers
from autograder.verification.local import run_locally
from autograder.verification.trials import Workbench
from llmcourse.checks import compare

ROOT = Path(__file__).resolve().parents[2]
UNITS = tuple(sorted(path.name for path in (ROOT / "solutions").glob("0*")))
FIXED = {"06_rnn_lstm", "07_attention"}  # units whose contract gives arrays the dtype of the inputs
LISTS = set(UNITS) - {"04_word2vec"}  # whose contracts take a list for an array
SEEDS = (b"0", b"1")


@functools.cache
def bench(slug):
    made = Workbench.of(ROOT, slug)
    made.work()
    return made


EXERCISES = [(slug, name) for slug in UNITS for name in load_unit(ROOT, slug).exercises]
every_exercise = pytest.mark.parametrize(("slug", "exercise"), EXERCISES)


def points(slug, name, answer, seed=b"0"):
    unit = bench(slug).unit
    results = run_locally(unit.exercises[name], answer, seed, unit.checks[name])
    return fraction(results), [(r.property, r.message) for r in results if not r.passed]


# --- float types


def cast(value, scalar, array):
    """The same result with its floats in other types."""
    if isinstance(value, dict):
        return {key: cast(part, scalar, array) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(cast(part, scalar, array) for part in value)
    if isinstance(value, np.ndarray) and value.dtype == np.float64 and value.ndim:
        return array(value)
    floats = isinstance(value, float | np.floating) or (
        isinstance(value, np.ndarray) and value.dtype == np.float64
    )
    return scalar(float(value)) if floats else value


def casting(answer, scalar, array):
    """An answer, or a class of answers, whose results are cast."""

    def changed(function):
        return lambda *args, **keywords: cast(function(*args, **keywords), scalar, array)

    if not isinstance(answer, type):
        return changed(answer)

    class Casting:
        def __init__(self, *args):
            self.inner = answer(*args)

        def __getattr__(self, name):
            return changed(getattr(self.inner, name))

    return Casting


def kept(value):
    return value


def single(value):
    return np.asarray(value).astype(np.float32)


FLOATS = {
    "float32": (np.float32, single),
    "0-d arrays": (lambda x: np.array(x, dtype=np.float32), single),
    "tensors": (
        partial(torch.tensor, dtype=torch.float32),
        partial(torch.tensor, dtype=torch.float32),
    ),
    "lists of float32": (np.float32, lambda a: [np.float32(x) for x in a] if a.ndim == 1 else a),
}


@every_exercise
@pytest.mark.parametrize("kind", FLOATS)
def test_a_right_result_in_another_float_type_keeps_full_marks(slug, exercise, kind):
    scalar, array = FLOATS[kind]
    fixed = slug in FIXED or (kind == "lists of float32" and slug not in LISTS)
    answer = casting(bench(slug).names[exercise], scalar, kept if fixed else array)
    for seed in SEEDS:
        assert points(slug, exercise, answer, seed) == (1.0, [])
    bench(slug).unit.checks[exercise](answer)


SHORT = {  # what does not fit in them is another number
    "float16": (np.float16, lambda a: a.astype(np.float16)),
    "bfloat16": (
        partial(torch.tensor, dtype=torch.bfloat16),
        partial(torch.tensor, dtype=torch.bfloat16),
    ),
}


@every_exercise
@pytest.mark.parametrize("kind", SHORT)
def test_a_right_result_in_a_short_float_type_passes_the_core(slug, exercise, kind):
    scalar, array = SHORT[kind]
    answer = casting(bench(slug).names[exercise], scalar, kept if slug in FIXED else array)
    core, *_ = run_locally(bench(slug).unit.exercises[exercise], answer, b"0")
    assert core.passed, core.message


def wrong_answers(slug, name):
    """Those that come to an end."""
    every = [a for a in answers.answers(bench(slug).written).values() if a.exercise == name]
    return [a.function for a in every if a.hint and a.hint not in REASONS["timeout"]]


@every_exercise
def test_a_wrong_result_loses_points_in_single_precision_too(slug, exercise):
    scalar, array = FLOATS["float32"]
    for answer in wrong_answers(slug, exercise):
        made = casting(answer, scalar, kept if slug in FIXED else array)
        assert points(slug, exercise, made)[0] < 1, answer.__name__


# --- ways to call


def stubs(slug):
    """The parameters of every function of a released notebook, by its name."""
    text = "\n".join(cell.stub for cell in bench(slug).cells if cell.grade_id)
    return {
        node.name: [
            (p.arg, default is not None)
            for p, default in zip(
                node.args.args,
                [None] * (len(node.args.args) - len(node.args.defaults)) + node.args.defaults,
                strict=True,
            )
        ]
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef)
    }


GIVEN = [
    (slug, exercise, name)
    for slug in UNITS
    for exercise, tests in load_unit(ROOT, slug).exercises.items()
    for name in tests.given
]


@pytest.mark.parametrize(("slug", "exercise", "name"), GIVEN)
def test_a_given_function_has_the_signature_of_the_released_stub(slug, exercise, name):
    given = bench(slug).unit.exercises[exercise].given[name]
    parameters = inspect.signature(given).parameters.values()
    assert [(p.name, p.default is not p.empty) for p in parameters] == stubs(slug)[name]


def arguments(slug, name):
    """The arguments of the first call in the hidden tests of an earlier exercise."""
    tests = bench(slug).unit.exercises[name]
    seen = []

    def spy(*args):
        seen.append(args)
        raise ValueError

    run_locally(tests, spy, b"0")
    return seen[0]


@pytest.mark.parametrize(("slug", "exercise", "name"), GIVEN)
def test_a_given_function_takes_the_calls_that_the_learners_version_takes(slug, exercise, name):
    given = bench(slug).unit.exercises[exercise].given[name]
    args = arguments(slug, name)
    names = [parameter for parameter, _ in stubs(slug)[name]]
    by_name = dict(zip(names, args, strict=True))
    want = given(*args)
    calls = [
        given(**by_name),
        given(**dict(reversed(by_name.items()))),
        given(*args, verbose=True),
        given(*args, "an extra optional parameter"),
        given(verbose=True, **by_name),
        given(args[0], **{n: by_name[n] for n in names[1:]}),
        given(**{f"my_{n}": value for n, value in by_name.items()}),
    ]
    for came in calls:
        assert compare(came, want, 0.0) is None
    required = sum(not optional for _, optional in stubs(slug)[name])
    with pytest.raises(TypeError):
        given(*args[: required - 1])


CALLED = {  # the functions that an exercise gets, by their parameters in its contract
    "chain_log_prob": {("history", "token")},
    "sample_sequence": {("history",)},
    "rescore": {("text",)},
    "generate": {("history",), ()},
    "fertility": {("text",)},
    "gradient_check": {("x",)},
    "random_search": {("settings",), ()},
    "teacher_forced_loss": {("ids", "s")},
    "translate_greedy": {("ids", "s")},
    "test_attention": {("args", "keywords")},  # a stand-in takes any call
    "greedy": {("ids",)},
    "beam_search": {("ids",)},
    "speculative_decode": {("ids", "guesses"), ("ids",), ()},
    "test_sampler": {("args", "keywords")},
}


@every_exercise
def test_functions_among_the_arguments_have_the_names_of_the_contract(slug, exercise):
    found = set()
    for case in bench(slug).unit.exercises[exercise].cases:
        for args, _ in drawn(case, b"0"):
            for function in filter(callable, args):
                parameters = inspect.signature(function).parameters.values()
                found.add(tuple(p.name for p in parameters if p.default is p.empty))
    assert found == CALLED.get(exercise, set())
