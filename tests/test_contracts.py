"""What the contract of an exercise allows costs no point, in any unit: float types, ways to call."""

import functools
import inspect
from pathlib import Path

import numpy as np
import pytest
import torch

from autograder import answers
from autograder.exercise import fraction
from autograder.local import run_locally
from autograder.trials import Workbench

ROOT = Path(__file__).resolve().parent.parent
UNITS = tuple(sorted(path.name for path in (ROOT / "solutions").glob("0*")))
FIXED = {"06_rnn_lstm"}  # units whose contract gives arrays the dtype of the inputs
NOT_NUMERIC = {
    *("sample_sequence", "rescore", "ngram_counts", "generate", "word_tokenize", "byte_fallback"),
    *("train_bpe", "bpe_encode", "bpe_decode", "wordpiece_encode", "skipgram_pairs", "cbow_batch"),
    *("nearest", "analogy"),
}
SEEDS = (b"0", b"1", b"2")


@functools.cache
def bench(slug):
    made = Workbench.of(ROOT, slug)
    made.work()
    return made


@functools.cache
def exercises():
    return [(slug, name) for slug in UNITS for name in Workbench.of(ROOT, slug).unit.exercises]


def pytest_generate_tests(metafunc):
    if "exercise" in metafunc.fixturenames:
        metafunc.parametrize(("slug", "exercise"), exercises())


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
    methods = {
        name: changed(method)
        for name, method in vars(answer).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }
    return type(answer.__name__, (answer,), methods)


def kept(value):
    return value


def single(value):
    return np.asarray(value).astype(np.float32)


FLOATS = {
    "float32": (np.float32, single),
    "0-d arrays": (lambda x: np.array(x, dtype=np.float32), single),
    "tensors": (
        lambda x: torch.tensor(x, dtype=torch.float32),
        lambda a: torch.tensor(a, dtype=torch.float32),
    ),
    "lists of float32": (np.float32, lambda a: [np.float32(x) for x in a] if a.ndim == 1 else a),
}


@pytest.mark.parametrize("kind", FLOATS)
def test_a_right_result_in_another_float_type_keeps_full_marks(slug, exercise, kind):
    scalar, array = FLOATS[kind]
    answer = casting(bench(slug).names[exercise], scalar, kept if slug in FIXED else array)
    for seed in SEEDS:
        assert points(slug, exercise, answer, seed) == (1.0, [])
    bench(slug).unit.checks[exercise](answer)


SHORT = {  # what does not fit in them is another number
    "float16": (np.float16, lambda a: a.astype(np.float16)),
    "bfloat16": (
        lambda x: torch.tensor(x, dtype=torch.bfloat16),
        lambda a: torch.tensor(a, dtype=torch.bfloat16),
    ),
}


@pytest.mark.parametrize("kind", SHORT)
def test_a_right_result_in_a_short_float_type_passes_the_core(slug, exercise, kind):
    scalar, array = SHORT[kind]
    answer = casting(bench(slug).names[exercise], scalar, kept if slug in FIXED else array)
    unit = bench(slug).unit
    core, *_ = run_locally(unit.exercises[exercise], answer, b"0")
    assert core.passed, core.message
    if kind == "float16":
        unit.checks[exercise](answer)


def wrong_answers(slug, name):
    every = answers.answers(bench(slug).written).values()
    return [a.function for a in every if a.exercise == name and a.hint is not None]


def test_a_wrong_result_loses_points_in_single_precision_too(slug, exercise):
    scalar, array = FLOATS["float32"]
    for answer in wrong_answers(slug, exercise):
        made = casting(answer, scalar, kept if slug in FIXED else array)
        assert points(slug, exercise, made)[0] < 1, answer.__name__
