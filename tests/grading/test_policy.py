"""Forbidden shortcuts are found however they are reached, and nobody else is accused."""

import time

import pytest

from autograder.grading.policy import forbidden_use

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


@pytest.mark.parametrize(
    "body",
    [
        "statistics = sum(x); return statistics / len(x)",
        "statistics = {'n': 1}; return statistics['n']",
        "numpy = x; return numpy.mean",
        "np = Row(x); return np.mean(1)",
        "[statistics for statistics in x]; return 1",
        "return {statistics: np for statistics, np in x}",
        "for statistics in x: pass\n    return statistics",
        "with x as statistics: return statistics",
        "try: pass\n    except ValueError as statistics: return statistics",
        "return (lambda statistics, np: np.mean(statistics))(1, x)",
        "def mean(x): return 2\n    return mean(x)",
        "def statistics(x): return 2\n    return statistics(x)",
        "class statistics: pass\n    return statistics",
        "from mine import mean; return mean(x)",
        "import mine as statistics; return statistics.mean(x)",
        "import mine.statistics; return mine.statistics.mean(x)",
        "if (statistics := sum(x)): return statistics",
        "statistics, np = 1, x; return np.mean",
        "match x:\n        case [statistics, *np]: return statistics, np.mean",
        "return x.statistics + x.mean() + x.numpy.mean(1)",
        "return x['statistics'] + x['numpy']['mean']",
        "return Row(statistics=1, np=2)",
        "def inner(): return np.mean(x)\n    np = Row(x)\n    return inner()",
        "def f():\n        nonlocal np; np = 2\n    np = Row(x); f(); return np.mean",
        "return 'import statistics; np.mean'",
    ],
)
def test_a_name_of_the_functions_own_is_no_shortcut(body):
    assert use(f"class Row: pass\ndef mean(x):\n    {body}") is None


@pytest.mark.parametrize(
    "arguments",
    [
        "statistics, np",
        "*statistics, np",
        "np, **statistics",
        "*, np=1, statistics=1",
        "np, /, *statistics",
    ],
)
def test_a_parameter_is_no_shortcut(arguments):
    assert use(f"def mean({arguments}):\n    return statistics, np.mean(1)") is None
    assert use(f"mean = lambda {arguments}: (statistics, np.mean(1))") is None


@pytest.mark.parametrize(
    "cells",
    [
        ("from numpy import mean", "def mean(x): return mean_of(x)", "def mean_of(x): return 1"),
        ("from numpy import mean as average", "def average(x): return 1", "mean = average"),
        ("from numpy import *", "def mean(x): return mean(x[1:])"),
        ("import statistics", "statistics = [1]", "def mean(x): return statistics"),
        (
            "import statistics",
            "statistics = 1",
            "def mean(x):\n    global statistics\n    statistics",
        ),
        ("q = np.mean", "q = lambda x: 1", "def mean(x): return q(x)"),
        ("q = np.mean", "def own(x): return 1", "q = own", "def mean(x): return q(x)"),
        ("q = np.mean", "q, r = own, np.mean", "def mean(x): return q(x)", "def own(x): return 1"),
        ("def mean(x): return np.mean(x)", "def mean(x): return sum(x) / len(x)"),
        ("def check(x): return np.mean(x)", "def mean(x):\n    check = 1\n    return check"),
        ("def other(x):\n    m = np.mean\n    return m(x)", "def mean(m): return m"),
        ("def other(x):\n    m = np.mean", "def m(x): return 1", "def mean(x): return m(x)"),
        ("def other(x):\n    from statistics import fmean as f", "f = 1", "def mean(x): return f"),
        ("import numpy as a, statistics as b", "def mean(x): return a.sum(x)"),
        (
            "class H:\n    np = 1\n    def f(self): return self.np.mean",
            "def mean(x): return H().f()",
        ),
        ("class H:\n    statistics = 1\n    n = statistics", "def mean(x): return H.statistics"),
        ("for statistics in [1]: pass", "def mean(x): return statistics"),
        ("def mean(x): return np.meanest(x)", "def statistic(x): return 1"),
        ("%load_ext statistics\ndef mean(x): return 1",),
        ("!pip install statistics\ndef mean(x): return 1",),
    ],
)
def test_a_name_that_stands_for_something_else_is_no_shortcut(cells):
    assert use(*cells) is None


@pytest.mark.parametrize(
    "cells",
    [
        ("def own(x): return 1", "own = np.mean", "def mean(x): return own(x)"),
        ("def mean(x): return np.mean(x)", "old = mean", "def mean(x): return old(x)"),
        ("q = np.mean", "def mean(x, f=q): return f(x)", "def q(x): return 1"),
        ("def mean(x, f=np.mean): return f(x)",),
        ("def mean(x):\n    def inner(): return np.mean(x)\n    return inner()",),
        ("def mean(x): return [np.mean(row) for row in x]",),
        ("def mean(x): return [f(x) for f in (np.mean, len)][0]",),
        (
            "class H:\n    np = 1\n    def f(self, x): return np.mean(x)",
            "def mean(x): return H().f(x)",
        ),
        ("if x:\n    def q(x): return 1\nelse:\n    q = np.mean", "def mean(x): return q(x)"),
        ("try:\n    from numpy import mean as q\nexcept ImportError:\n    q = 1", "mean = q"),
        ("def mean(x):\n    global np\n    return np.mean(x)",),
        ("m0 = np\n" + "\n".join(f"m{i + 1} = m{i}" for i in range(60)), "mean = m60.mean"),
        ("def mean(x):\n    a = np; b = a; c = b; d = c; e = d\n    return e.mean(x)",),
        ("a, b = np.mean, 1", "def mean(x): return a(x)"),
        ("@np.mean\ndef mean(x): return 1",),
        ("from functools import partial\nq = partial(np.mean, axis=0)", "def mean(x): return q(x)"),
        ("q = {'f': np.mean}", "def mean(x): return q['f'](x)"),
    ],
)
def test_a_shortcut_is_found_through_scopes_and_over_time(cells):
    assert use(*cells) == "numpy.mean"


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
