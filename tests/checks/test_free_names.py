"""llmcourse.checks.free_names: what an answer takes from the notebook and may miss in grading."""

import functools
import linecache

import pytest

from llmcourse.checks.free_names import warning
from llmcourse.runtime import setup


def defined(source, before="", name="answer", place="<cell>"):
    """The answer of a cell, after the names of other cells."""
    names = {"__name__": "notebook", "rt": setup("smoke", "cpu", 0)}
    exec(before, names)
    linecache.cache[place] = (len(source), None, source.splitlines(True), place)
    exec(compile(source, place, "exec"), names)
    return names[name]


@pytest.mark.parametrize(
    ("source", "before"),
    [
        ("def answer(x):\n    return max(x)", ""),
        ("def answer(x):\n    return math.pi * x", "import math"),
        ("def answer(x):\n    return helper(x)", "def helper(x):\n    return x"),
        ("def answer(x):\n    return LIMIT + x", "LIMIT = 3"),
        ("def answer(x):\n    return x in KINDS", "KINDS = ('a', 'b')"),
        ("def answer(x):\n    return Box(x)", "class Box:\n    def __init__(self, x): self.x = x"),
        ("def answer(x):\n    return rt.pick(smoke=1, cpu=2)", ""),
        ("VOWELS = list('aeiou')\ndef answer(x):\n    return x in VOWELS", ""),
        ("cache = {}\ndef answer(x):\n    return cache.setdefault(x, x)", ""),
        ("def answer(x):\n    return answer(x - 1) if x else 0", ""),
        ("def answer(x):\n    return [y for y in x if (lambda z: z)(y)]", ""),
        ("def answer(x):\n    global seen\n    seen = x\n    return seen", ""),
        ("answer = lambda x: x + 1", ""),
        ("import functools\nanswer = functools.partial(max, 1)", ""),
        ("class answer:\n    def __init__(self, x):\n        self.x = x\n    def get(self):\n"
         "        return self.x", ""),
    ],
)  # fmt: skip
def test_what_is_there_while_grading_is_not_warned_of(source, before):
    assert warning(defined(source, before)) == ""


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("def answer(x):\n    return np.mean(x)", "np"),
        ("def answer(x):\n    return [math.log(y) for y in x]", "math"),
        (
            "def answer(x):\n    def inner():\n        return torch.ones(x)\n    return inner()",
            "torch",
        ),
        ("def answer(x):\n    return helper(x)\ndef helper(x):\n    return Counter(x)", "Counter"),
        ("class answer:\n    def get(self):\n        return np.ones(2)", "np"),
        ("class answer:\n    @property\n    def get(self):\n        return np.ones(2)", "np"),
        ("class answer:\n    @staticmethod\n    def get():\n        return np.ones(2)", "np"),
    ],
)
def test_an_undefined_name_is_named(source, name):
    said = warning(defined(source))
    assert said.startswith(f"`{name}` is not defined")
    assert "\n" not in said


@pytest.mark.parametrize("value", ["[1, 2]", "{'a': 1}", "__import__('numpy').ones(2)", "open"])
def test_data_of_another_cell_is_named(value):
    answer = defined("def answer(x):\n    return x, corpus", f"corpus = {value}")
    said = warning(answer)
    if value == "open":
        assert said == ""
    else:
        assert "`answer` uses `corpus`" in said
        assert "argument" in said


def test_a_wrapped_answer_is_looked_into():
    @functools.cache
    def answer(x):
        return undefined_name  # noqa: F821

    assert "`undefined_name`" in warning(answer)


@pytest.mark.parametrize("answer", [7, None, max, "text", [], print])
def test_what_has_no_code_is_not_warned_of(answer):
    assert warning(answer) == ""
