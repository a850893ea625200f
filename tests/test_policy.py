"""Forbidden shortcuts are found however they are reached, and nobody else is accused."""

import time

import pytest

from autograder.policy import forbidden_use

FORBID = ("numpy.mean", "statistics")
KNOWN = ["import numpy as np\nimport math"]


def use(*cells, name="mean"):
    return forbidden_use(name, FORBID, cells, KNOWN)


@pytest.mark.parametrize(
    "body",
    [
        "return np.mean(x)",
        "return getattr(np, 'mean')(x)",
        "return getattr(np, 'me' + 'an')(x)",
        "return getattr(np, f'me{\"an\"}')(x)",
        "import numpy; return numpy.mean(x)",
        "import numpy as anything; return anything.mean(x)",
        "from numpy import mean as m; return m(x)",
        "import importlib; return importlib.import_module('numpy').mean(x)",
        "from importlib import import_module as i; return i('numpy').mean(x)",
        "return __import__('numpy').mean(x)",
        "import sys; return sys.modules['numpy'].mean(x)",
        "return vars(np)['mean'](x)",
        "return np.__dict__['mean'](x)",
        "f = np.mean; g = f; return g(x)",
        "return (f := np.mean)(x)",
        "return eval('np.mean')(x)",
        "import statistics; return statistics.fmean(x)",
        "from statistics import fmean; return fmean(x)",
        "m = __import__('statistics'); return m.fmean(x)",
    ],
)
def test_every_way_to_a_forbidden_name_is_found(body):
    assert use(f"def mean(x):\n    {body}") in FORBID


@pytest.mark.parametrize(
    "cells",
    [
        ("from numpy import mean as quick", "def mean(x): return quick(x)"),
        ("quick = np.mean", "def mean(x): return quick(x)"),
        ("def helper(x): return np.mean(x)", "def mean(x): return helper(x)"),
        ("def a(x): return np.mean(x)", "b = a", "mean = lambda x: b(x)"),
        ("class H:\n    f = np.mean", "def mean(x): return H.f(x)"),
        ("def mean(x): return 1", "mean = np.mean"),
        ("%matplotlib inline\nq = np.mean", "def mean(x): return q(x)"),
        ("exec('mean = np.mean')",),
        ("from numpy import *\ndef f(x): return mean(x)\nmean = f",),
    ],
)
def test_helpers_and_aliases_in_other_cells_are_followed(cells):
    assert use(*cells) == "numpy.mean"


@pytest.mark.parametrize(
    "cells",
    [
        ("def mean(x): return sum(x) / len(x)", "def other(x): return np.mean(x)"),
        ("def mean(x): return np.sum(x) / len(x)", "print(np.mean([1]))"),
        ("def mean(x):\n    'not np.mean, and no statistics'\n    # np.mean\n    return x",),
        ("def mean(x): return math.fsum(x) / len(x)",),
        ("def mean(statistic): return statistic",),
        ("this is not python", "def mean(x): return x"),
        ("",),
    ],
)
def test_honest_code_is_not_accused(cells):
    assert use(*cells) is None


def test_deep_and_huge_code_is_read_in_time():
    assert use("def mean(x): return " + "(" * 5000 + "x" + ")" * 5000) is None
    assert use("mean = " + "+".join(["1"] * 20_000)) is None
    assert use("\n".join(f"a{i} = a{i - 1}" for i in range(1, 3000)) + "\nmean = a2999") is None


@pytest.mark.parametrize(
    "cell",
    [
        "def f(): return x\n" + "x = x\n" * 100_000,
        "\n".join(f"x = a{i}" for i in range(30_000)) + "\ny = x" * 30_000,
    ],
    ids=["one name", "aliases"],
)
def test_a_name_assigned_thousands_of_times_is_read_in_time(cell):
    started = time.thread_time()
    assert forbidden_use("f", ("numpy.convolve",), [cell], []) is None
    assert time.thread_time() - started < 30
