"""Answers that are a solution with some of its text replaced."""

import pytest

from autograder.verification.answer_bank import RIGHT, edited

SOURCE = """# %% [markdown] exercise="mean"
# Write `mean`.

# %% exercise="mean"
def mean(values: list) -> float:
    ### BEGIN SOLUTION
    return start + sum(values) / len(values)
    ### END SOLUTION

# %% check="mean"
check.mean(mean);
"""


@pytest.fixture
def module(tmp_path):
    """The globals of a module with answers, in a course with one solution."""
    folder = tmp_path / "solutions" / "90_toy"
    folder.mkdir(parents=True)
    (folder / "90_toy.py").write_text(SOURCE)
    return {"__file__": str(tmp_path / "tests" / "answers" / "u90_toy.py"), "start": 0}


def test_an_edit_is_the_solution_with_a_text_replaced_everywhere(module):
    edits = {
        "mean": [(RIGHT, ("sum(values)", "sum(v for v in values)")), ("divide", ("len", "sum"))]
    }
    right, wrong = edited(module, edits).values()
    assert (right.exercise, right.hint, right.function([1, 3])) == ("mean", None, 2)
    assert (wrong.hint, wrong.function([1, 3])) == ("divide", 1)
    assert "/ sum(values)" in wrong.function.written


def test_an_edit_uses_the_names_of_its_module_and_leaves_them_alone(module):
    [answer] = edited(module | {"start": 5}, {"mean": [("", ("/ len", "/ 0 + len"))]}).values()
    with pytest.raises(ZeroDivisionError):
        answer.function([1])
    assert set(module) == {"__file__", "start"}


def test_a_text_that_the_solution_lacks_is_refused(module):
    with pytest.raises(AssertionError, match="the answer to mean lacks 'product'"):
        edited(module, {"mean": [("", ("product", "sum"))]})
