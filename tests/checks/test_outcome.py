"""llmcourse.checks.outcome: what a learner sees of a check, in a notebook and in a terminal."""

import re
import warnings

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from llmcourse.checks import Spelled, compare, equal, near, outcome, raises, visible
from llmcourse.checks.outcome import Verdict


@pytest.fixture(autouse=True)
def learner_environment(monkeypatch):
    monkeypatch.delenv("NBGRADER_VALIDATING", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


@visible
def total(answer):
    near(answer([1.0, 2.0]), 3.0, 1e-9, hint="add them <all> up.")
    raises(ValueError, answer, [], hint="an empty list is refused.")


class Kernel:
    kernel = object()


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, as in a notebook."""
    import IPython

    found = []
    monkeypatch.setattr(IPython, "get_ipython", Kernel)
    monkeypatch.setattr("IPython.display.display", lambda data, raw: found.append(data))
    return found


def test_a_notebook_shows_a_box_and_keeps_the_text(shown, capsys):
    assert total(lambda numbers: 4.0) is False
    (data,) = shown
    assert capsys.readouterr().out == ""
    assert data["text/plain"].splitlines() == [
        "total: not right yet. expected 3, got 4.",
        "  hint: add them <all> up.",
        "  call: total([1.0, 2.0])",
    ]
    assert "add them &lt;all&gt; up." in data["text/html"]
    assert "<all>" not in data["text/html"]
    assert "&#10007;" in data["text/html"]


def test_passed_is_one_line_with_a_mark(shown):
    def right(numbers):
        if not numbers:
            raise ValueError
        return sum(numbers)

    assert total(right) is True
    assert shown[0]["text/plain"] == "total: passed"
    assert "&#10003;" in shown[0]["text/html"]


@pytest.mark.parametrize("field", ["name", "said", "hint", "call", "note"])
def test_everything_that_came_from_elsewhere_is_escaped(field):
    told = {"name": "f", "state": "not right yet"} | {field: "<img src=x onerror=a()>&'\"\ud800"}
    page = Verdict(**told).page()
    assert "<img" not in page
    assert "&lt;img src=x" in page
    page.encode()


def test_a_lone_surrogate_can_be_printed(capsys):
    total(lambda numbers: "\ud800")
    assert "expected" in capsys.readouterr().out


def test_an_endless_loop_ends_with_a_message(monkeypatch, capsys):
    monkeypatch.setattr(outcome, "ended_after", lambda: _after(0.1))

    def loops(numbers):
        while True:
            try:
                numbers[0] += 1
            except Exception:
                continue

    assert total(loops) is False
    said = capsys.readouterr().out.splitlines()
    assert re.search(r"had not ended after \d+ seconds", said[0])
    assert said[1] == "  hint: is there a loop that never ends?"
    assert said[2] == "  call: total([1.0, 2.0])"


_after = outcome.ended_after


def no_library_code(numbers):
    class Abstract:
        def run(self):
            raise NotImplementedError("subclasses do this")

    return Abstract().run()


def torch_code(numbers):
    import torch

    return torch.nn.Module()(numbers)


@pytest.mark.parametrize("answer", [no_library_code, torch_code])
def test_a_libraries_not_implemented_is_no_stub(answer, capsys):
    assert total(answer) is False
    assert capsys.readouterr().out.startswith(
        "total: not right yet. your code raised NotImplementedError"
    )


def test_refusing_with_not_implemented_is_told(capsys):
    def refuses(numbers):
        if not numbers:
            raise NotImplementedError("empty")
        return sum(numbers)

    assert total(refuses) is False
    assert "expected ValueError, got NotImplementedError: empty." in capsys.readouterr().out


def test_the_released_stub_is_not_solved_yet(capsys):
    def stub(numbers):
        raise NotImplementedError("your turn")

    assert total(stub) is False
    assert capsys.readouterr().out == "total: not solved yet\n"


def test_what_the_check_stumbles_over_is_said_to_be_the_result(capsys):
    @visible
    def shape(answer):
        equal(answer(2).shape[0], 2, hint="")

    assert shape(lambda n: 7) is False
    assert "the result does not have the expected form" in capsys.readouterr().out


def test_no_class_of_ours_is_named():
    from autograder.sandbox.wire import Opaque

    assert compare(Opaque("Foo"), 3.0, 0.0).nature == "expected a number, got an object"
    assert compare(np.ones((1, 1)), "a", 0.0).nature == "expected a string, got a list"


def test_an_undefined_name_is_noted_and_changes_no_verdict(capsys):
    def answer(numbers):
        if not numbers:
            raise ValueError
        return sum(numbers) if numbers else undefined_name  # noqa: F821

    assert total(answer) is True
    first, note = capsys.readouterr().out.splitlines()
    assert first == "total: passed"
    assert note.startswith("  note: `undefined_name` is not defined")


def test_the_failing_arguments_can_be_had_from_the_check():
    @visible
    def size(answer):
        equal(answer(np.arange(200.0), Spelled("lambda: 1")), 7, hint="")

    size(lambda array, f: len(array))
    assert (size.args[0] == np.arange(200.0)).all()


def test_a_check_warns_of_nothing_on_stderr(capsys):
    with warnings.catch_warnings(record=True) as came:
        total(lambda numbers: np.log(0.0) if False else 1.0)
    assert came == []
    assert capsys.readouterr().err == ""


CELLS = (
    "from llmcourse.checks import u02_ngrams, u03_tokenization as check\ncorpus = [1, 2]",
    "def wordpiece_encode(word, vocabulary, unk='?'):\n    while word:\n        try:\n"
    "            len(word)\n        except Exception:\n            pass\n"
    "check.wordpiece_encode(wordpiece_encode);",
    "%matplotlib inline\nmine = {}\ndef unseen_rate(train, test, n):\n    mine, corpus\n"
    "    if n < 1 or len(test) < n:\n        raise ValueError\n"
    "    known = set(zip(*(train[i:] for i in range(n))))\n"
    "    grams = list(zip(*(test[i:] for i in range(n))))\n"
    "    return sum(gram not in known for gram in grams) / len(grams)\n"
    "u02_ngrams.unseen_rate(unseen_rate);",
    "import signal\nsignal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)",
)


def test_a_kernel_shows_boxes_ends_loops_and_knows_the_cell_of_a_name():
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, CELLS)))
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (endless,), (passed,), (left,) = (cell.outputs for cell in notebook.cells[1:])
    assert endless.data["text/plain"].splitlines()[1] == "  hint: is there a loop that never ends?"
    first, note = passed.data["text/plain"].splitlines()
    assert first == "unseen_rate: passed"
    assert "uses `corpus`, which is data of another cell" in note
    assert "&#10003;" in passed.data["text/html"]
    assert left.data["text/plain"] == "(<Handlers.SIG_DFL: 0>, (0.0, 0.0))"
