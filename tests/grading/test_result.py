"""Grading one submission: every trick of the hostile list, and what an honest learner gets."""

import contextlib
import json
import os
import signal
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.errors import SandboxFailed
from autograder.exercise import Exercise, NoAnswer, expect_equal, expect_near, expect_that
from autograder.grading import attempts
from autograder.grading import result as grading
from autograder.grading.program import Cell, Rebuilt
from autograder.grading.result import Result, grade
from autograder.sandbox import frames, session, wire
from autograder.sandbox import process as sandbox
from tests.conftest import control_groups
from tests.submissions import honest, toy  # noqa: F401 adds to HONEST
from tests.submissions.hostile import ATTACKS, HONEST, Book, code

pytestmark = pytest.mark.usefixtures("wall")
UNIT = toy.unit()


def grade_bytes(data, **changes):
    return grade(data, UNIT, secret=toy.SECRET, slot=9, limits=replace(toy.LIMITS, **changes))


def graded(change=lambda book: None, target="mean", **changes):
    book = Book(toy.released(), toy.RIGHT, target)
    change(book)
    return grade_bytes(book.dump(), **changes)


def points(result):
    return {exercise.name: exercise.points for exercise in result.exercises}


def outputs(result):
    return json.dumps([cell.get("outputs") for cell in result.notebook["cells"]])


def living(uid):
    """Command lines of a user's processes (a dead one may wait for the system to collect it)."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if path.stat().st_uid == uid and "State:\tZ" not in (path / "status").read_text():
                found.append((path / "cmdline").read_text())
    return found


@pytest.fixture(autouse=True)
def nothing_stays():
    """No process of the slot's user, mount or control group is left by any grading."""
    mounts = Path("/proc/self/mountinfo").read_text()
    descriptors = len(os.listdir("/proc/self/fd"))
    yield
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert len(os.listdir("/proc/self/fd")) <= descriptors
    assert control_groups(slot=9) == []
    assert os.geteuid() != 0 or living(sandbox.FIRST_UID + 9) == []


@pytest.mark.parametrize("trick", ATTACKS, ids=lambda trick: f"{trick.family}-{trick.name}")
def test_an_attack_earns_nothing_and_costs_the_other_exercise_nothing(trick):
    result = grade_bytes(trick.make(toy.released(), toy.RIGHT, "mean"))
    assert (result.state, points(result)) == ("graded", {"mean": 0.0, "spread": 45.0})
    first = result.exercises[0]
    assert first.message and trick.status in (None, first.status)
    assert toy.SECRET.decode() not in result.to_json()
    assert len(result.to_json()) < 20_000_000
    assert Result.from_json(result.to_json()) == result


@pytest.mark.parametrize(
    "answer",
    [
        "def mean(values): return (x * x for x in values)",
        "def mean(values):\n    for x in values: yield x * x",
        "def mean(values): return map(lambda x: x * x, values)",
        "import numpy as np\ndef mean(values): return np.array(values) ** 2",
        "import collections\ndef mean(values): return collections.deque(x * x for x in values)",
        "def mean(values): return tuple(x * x for x in values)",
        "import torch\ndef mean(values): return torch.tensor(values).double() ** 2",
    ],
)
def test_a_generator_or_another_container_in_place_of_a_list_gets_full_points(answer):
    squares = Exercise("mean")

    @squares.case(weight=1, property="squares")
    def squared(rng):
        yield ([1.0, 2.5, -3.0],), expect_equal([1.0, 6.25, 9.0], hint="")

    unit = replace(UNIT, exercises={"mean": squares, "spread": UNIT.exercises["spread"]}, checks={})
    book = Book(toy.released(), toy.RIGHT, "mean")
    book.answer(answer)
    limits = replace(toy.LIMITS, cell_seconds=20.0, session_seconds=30.0)
    result = grade(book.dump(), unit, secret=b"x", slot=9, limits=limits)
    assert points(result) == toy.POINTS, result.exercises


@pytest.mark.parametrize("trick", HONEST, ids=lambda trick: trick.name)
def test_honest_work_of_an_odd_form_gets_full_points(trick):
    result = grade_bytes(trick.make(toy.released(), toy.RIGHT, "mean"))
    assert (result.state, points(result)) == ("graded", toy.POINTS), result.exercises


@pytest.mark.parametrize(
    "magic",
    [
        "%matplotlib widget",
        "%matplotlib inline",
        "%config InlineBackend.figure_format = 'retina'",
        "%load_ext autoreload\n%autoreload 2",
        "%load_ext nothing_like_it",
        "%pip install nothing-like-it",
        "%no_such_magic",
        "!pip --version",
    ],
)
def test_a_magic_that_does_not_work_here_costs_nothing(magic):
    def change(book):
        book.answer(f"{magic}\n{toy.MEAN}")

    result = graded(change, cell_seconds=20.0, session_seconds=40.0)
    assert points(result) == toy.POINTS, result.exercises


def test_a_machine_without_memory_is_never_a_learners_zero(monkeypatch):
    started = []

    def full():
        started.append(1)
        return len(started) > 5

    monkeypatch.setattr(sandbox, "machine_is_full", full)
    result = graded(lambda book: book.last("import time; time.sleep(3)"))
    assert (result.state, result.exercises) == ("infrastructure", ())
    assert "memory of this machine" in result.notices[0]


def test_thousands_of_outputs_and_notices_are_cut_and_cost_nothing():
    many = "import sys\nfor i in range(20_000): print(i); print(i, file=sys.stderr)"

    def change(book):
        book.last(many)
        about = {"nbgrader": {"grade_id": "mean"}}
        raw = {"cell_type": "raw", "metadata": about, "source": "not code"}
        book.cells.extend(dict(raw) for _ in range(100))

    result = graded(change)
    assert (points(result), len(result.notices)) == (toy.POINTS, 21)
    assert "cut" in outputs(result) or "only the first" in outputs(result)


def test_calls_of_a_given_function_cannot_fill_the_graders_memory():
    class Fake:
        over = ""

    ours, theirs = socket.socketpair()
    with ours, theirs:
        call = {"call": 0, "args": (bytes(session.CALL_BYTES),), "keywords": {}}
        threading.Thread(target=frames.send, args=(theirs, wire.pack(call)), daemon=True).start()
        calls = object.__new__(session.Calls)
        calls.session, calls.name, calls.forbid, calls._socket = Fake(), "f", (), ours
        outcome = calls._call("", (lambda x: x,), {}, time.monotonic() + 20)
    assert outcome == NoAnswer("malformed")


@pytest.mark.parametrize(
    "call",
    ["power(10, 10**9)", "power([0], 10**10)", "total(10**15)", "model(10**9)"],
    ids=["one operation", "memory", "a loop", "a callable argument"],
)
def test_a_function_of_the_graders_called_with_the_absurd_costs_one_exercise(call):
    def power(base, exponent):
        return base * exponent if isinstance(base, list) else base**exponent

    costly = Exercise("mean", given={"power": power, "total": lambda n: sum(range(n))}, seconds=1.0)

    @costly.case(weight=1, property="calls")
    def calls(rng):
        yield (lambda n: len(str(7**n)),), expect_near(2, 0, hint="")

    unit = replace(UNIT, exercises={"mean": costly, "spread": UNIT.exercises["spread"]}, checks={})
    book = Book(toy.released(), toy.RIGHT, "mean")
    book.answer(f"def mean(model):\n    try: return {call}\n    except MemoryError: return 3")
    result = grade(book.dump(), unit, secret=b"x", slot=9, limits=toy.LIMITS)
    assert (result.state, points(result)) == ("graded", {"mean": 0.0, "spread": 45.0})
    first = result.exercises[0]
    expected = ("graded", "off") if "[0]" in call else ("timeout", "too much time or memory")
    assert first.status == expected[0] and expected[1] in first.message


def test_a_judge_that_a_value_ties_up_costs_one_exercise():
    counts = Exercise("mean", seconds=1.0)

    @counts.case(weight=1, property="a sum up to the value")
    def counted(rng):
        yield ([1.0],), expect_that(lambda value: sum(range(value)) == 3, hint="")

    unit = replace(UNIT, exercises={"mean": counts, "spread": UNIT.exercises["spread"]}, checks={})
    book = Book(toy.released(), toy.RIGHT, "mean")
    book.answer("def mean(values): return 10**15")
    result = grade(book.dump(), unit, secret=b"x", slot=9, limits=toy.LIMITS)
    assert points(result) == {"mean": 0.0, "spread": 45.0}
    assert result.exercises[0].status == "timeout" and "too much" in result.exercises[0].message


def test_the_untouched_notebook_is_unsolved():
    result = grade_bytes(json.dumps(toy.released()).encode())
    assert [(e.points, e.status) for e in result.exercises] == [(0.0, "unsolved")] * 2
    assert result.notices == ()


def test_the_solution_gets_everything_and_a_constant_nothing():
    assert points(graded()) == toy.POINTS
    assert points(graded(lambda book: book.answer("def mean(x): return 0"))) == {
        "mean": 0.0,
        "spread": 45.0,
    }


def test_points_are_the_weight_of_the_properties_that_hold():
    result = graded(lambda book: book.answer("def mean(x): return sum(x) / max(len(x), 1)"))
    mean = result.exercises[0]
    assert [case.passed for case in mean.cases] == [True, True, False]  # core, visible, edge
    assert mean.points == 45 * 3 / 4 and mean.status == "graded"
    assert mean.message == "expected ValueError, got a value. an empty list has no mean"


def test_a_misconception_is_named_and_no_hidden_value_shown():
    result = graded(lambda book: book.answer("def mean(x): return sum(x)"))
    assert result.exercises[0].message == "you forgot to divide"


def test_no_mistake_is_charged_twice():
    result = graded(lambda book: book.answer("def mean(x): return 17.0"))
    assert points(result)["spread"] == 45


def test_visible_checks_are_judged_outside_whatever_the_kernel_said():
    def change(book):
        book.answer("def mean(x): return 3.0 if x == [1.0, 2.0] else sum(x) / len(x)")
        book.last("print('mean: passed')")

    cases = {case.property: case.passed for case in graded(change).exercises[0].cases}
    assert cases["the visible check"] is False


def test_hard_coded_visible_answers_earn_nothing():
    result = graded(lambda book: book.answer("def mean(x): return {2: 1.5}[len(x)]"))
    assert points(result)["mean"] == 0


def test_inputs_depend_on_secret_unit_exercise_and_tests():
    seeds = {
        grading._seed(secret, replace(UNIT, tests_version=version), name)
        for secret in (b"a", b"b")
        for version in ("1", "2")
        for name in ("mean", "spread")
    }
    assert len(seeds) == 8


def test_grading_twice_gives_the_same_result():
    def change(book):
        book.answer("def mean(x): return sum(x) / len(x)")
        book.last("print(hash('a'), {'b', 'a', 'c'})")

    first, second = graded(change), graded(change)
    assert replace(first, seconds=0.0) == replace(second, seconds=0.0)


@pytest.mark.parametrize(
    "body",
    [
        "return np.mean(x)",
        "return getattr(np, 'mean')(x)",
        "import importlib; return importlib.import_module('statistics').fmean(x)",
        "return globals()['n' + chr(112)].mean(x)",  # seen only while it runs
    ],
)
def test_a_forbidden_shortcut_is_reported_and_earns_nothing(body):
    result = graded(lambda book: book.answer(f"def mean(x):\n    {body}\n"))
    assert result.exercises[0].status == "policy" and points(result) == {"mean": 0, "spread": 45}
    assert "not allowed here" in result.exercises[0].message


DECOY = "def mean(values):\n    return 0"
FORBIDDEN = """def mean(values):
    if not values: raise ValueError
    import statistics
    return statistics.mean(values)
"""


def test_a_shortcut_that_stood_at_the_check_is_found_below_another_definition():
    def change(book):
        book.answer(FORBIDDEN)
        book.last(DECOY)

    assert points(graded(change)) == {"mean": 0, "spread": 45}


def test_a_shortcut_of_a_cell_that_ran_again_is_found_though_it_stands_above():
    def change(book):
        book.first("defined_below\n" + FORBIDDEN)
        book.answer(DECOY)
        book.last("defined_below = 1")

    assert points(graded(change)) == {"mean": 0, "spread": 45}


def test_a_shortcut_is_found_when_what_was_kept_at_the_check_is_gone():
    def change(book):
        book.answer(DECOY)
        book.last("""import os, signal
for child in open(f"/proc/self/task/{os.getpid()}/children").read().split():
    os.kill(int(child), signal.SIGKILL)
""")
        book.last(FORBIDDEN)

    assert points(graded(change)) == {"mean": 0, "spread": 45}


def test_the_kind_of_an_exception_is_a_name_or_not_repeated():
    def change(book):
        book.answer("class E(Exception): pass\nE.__name__ = 'a\\n<b>'\nraise E()")

    first = graded(change).exercises[0]
    assert (first.status, "stopped with Exception" in first.message) == ("missing", True)


def test_a_shortcut_that_was_replaced_below_the_check_costs_nothing():
    def change(book):
        book.answer(FORBIDDEN)
        book.last(toy.MEAN)

    assert points(graded(change)) == toy.POINTS


def test_what_a_first_try_finds_out_is_of_no_use_in_the_second():
    """An answer cannot come back with what was right or wrong for the same inputs."""
    lottery = Exercise("mean")

    @lottery.case(weight=1, property="knows the number already")
    def number(rng):
        yield (rng.random(),), expect_equal("seen before", hint="")

    unit = replace(UNIT, exercises={"mean": lottery, "spread": UNIT.exercises["spread"]}, checks={})
    book = Book(toy.released(), toy.RIGHT, "mean")
    book.answer("""import os
def mean(x):
    before = os.path.exists(f"/tmp/{x}")
    open(f"/tmp/{x}", "w").close()
    return "seen before" if before else ""
""")
    result = grade(book.dump(), unit, secret=b"x", slot=9, limits=toy.LIMITS)
    assert points(result) == {"mean": 0, "spread": 45}


def test_a_forbidden_shortcut_under_another_name_is_found_through_the_check_it_is_put_to():
    def change(book):
        book.answer("def my_mean(x):\n    return np.mean(x) if x else int('x')\n")
        imported = "from llmcourse.checks import u01_language_modelling as check\n"
        book.cell("mean_check")["source"] = f"{imported}check.mean(my_mean)"

    assert graded(change).exercises[0].status == "policy"


def test_a_stub_that_was_left_hides_no_shortcut_put_to_its_check():
    """Given as a default, the function is not called by its name."""

    def change(book):
        book.answer(toy.STUB.format("mean", "values"))
        imported = "from llmcourse.checks import u01_language_modelling as check\n"
        mine = "def mine(x, f=np.mean):\n    return f(x) if x else int('x')\n"
        book.cell("mean_check")["source"] = f"{imported}{mine}check.mean(mine)"

    assert graded(change).exercises[0].status == "policy"


@pytest.mark.parametrize(
    "stub",
    [
        "def mean(values):\n    raise NotImplementedError('your turn')",
        "class mean:\n    def __call__(self):\n        raise NotImplementedError('your turn')",
    ],
)
def test_what_is_put_to_a_check_is_the_answer_where_a_stub_is_left(stub):
    def change(book):
        book.answer(stub)
        imported = "from llmcourse.checks import u01_language_modelling as check\n"
        mine = toy.MEAN.replace("def mean", "def mine")
        book.cell("mean_check")["source"] = f"{imported}{mine}check.mean(mine)"

    assert points(graded(change)) == toy.POINTS


def test_a_library_may_use_what_the_learner_may_not():
    def change(book):
        book.answer("def mean(x):\n    return np.average(x) if x else int('x')\n")

    assert points(graded(change)) == toy.POINTS


def test_a_cell_beside_the_answers_may_call_the_checks():
    def change(book):
        book.last("from llmcourse import checks\nchecks.passed")

    assert points(graded(change)) == toy.POINTS


@pytest.mark.parametrize(
    ("before", "divide"),
    [
        ("", "check = sum(values); return check / len(values)"),
        ("", "return [check / len(values) for check in [sum(values)]][0]"),
        ("def check(x): return x", "return check(sum(values)) / len(values)"),
        ("from llmcourse.checks import u03_tokenization as check", "return MEAN(values)"),
        ("from llmcourse.checks import *", "checks = sum(values); return checks / len(values)"),
    ],
)
def test_a_name_like_that_of_the_checks_costs_nothing(before, divide):
    divide = divide.replace("MEAN(values)", "(check.mean(mean), sum(values) / len(values))[1]")
    answer = f"{before}\ndef mean(values):\n    if not values: raise ValueError\n    {divide}\n"
    result = graded(lambda book: book.answer(answer))
    assert [e.status for e in result.exercises] == ["graded", "graded"]
    assert points(result) == toy.POINTS


@pytest.mark.parametrize(
    "line",
    ["from llmcourse import checks as c", "import llmcourse.checks.u06_cells as c"],
)
def test_the_checks_compute_nothing(line):
    result = graded(lambda book: book.answer(f"{line}\ndef mean(x): return c.mean(x)\n"))
    assert result.exercises[0].status == "graded" and points(result) == {"mean": 0, "spread": 45}


# The notebook


def test_check_cells_are_not_run_and_hold_no_output():
    cells = {c["id"]: c for c in graded().notebook["cells"]}
    assert cells["mean-check"]["outputs"] == []


def test_the_learners_text_cannot_act_in_the_notebook():
    def change(book):
        book.answer("class X(Exception): pass\ndef mean(x): raise X('<script>alert(1)</script>')")
        book.last("from IPython.display import HTML\nHTML('<script>alert(2)</script>')")
        book.last("raise ValueError('<script>alert(3)</script>')")

    result = graded(change)
    for cell in result.notebook["cells"]:
        for output in cell.get("outputs", []):
            html = output.get("data", {}).get("text/html", "")
            assert "<script>" not in html
            assert set(output.get("data", {})) <= {"text/plain", "text/html"}


def test_forged_outputs_are_reduced_to_text_and_real_pictures():
    hook = "vars(__import__('sys').modules['runner'])"
    forged = [
        {"output_type": "display_data", "data": {"text/html": "<script>", "image/png": "'><b>"}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg/>", "text/plain": "ok"}},
        {"output_type": "stream", "name": "evil", "text": "x"},
        {"output_type": "execute_result", "data": 5},
        {"output_type": "error", "ename": 5, "evalue": None, "traceback": [1, "line"]},
        5,
    ]
    source = f"g = {hook}\ng['Outputs'].finish = lambda self: {forged!r}\n"
    result = graded(lambda book: book.first(source))
    kept = result.notebook["cells"][0]["outputs"]
    assert [o["output_type"] for o in kept] == ["display_data", "error"]
    assert kept[0]["data"] == {"text/plain": "ok"} and kept[1]["traceback"] == ["", "line"]


@pytest.mark.parametrize(
    "forgery",
    [
        "g['Outputs'].finish = lambda self: [{'output_type': np.array([1, 2])}]",
        "g['Outputs'].finish = lambda self: [{'output_type': 'stream', 'name': np.zeros(2)}]",
        "pack = g['wire'].pack; g['wire'].pack = lambda v, *a: pack(v | {'n': np.zeros(2)}, *a)",
    ],
    ids=["kind of output", "name of stream", "number of reply"],
)
def test_an_array_where_text_or_a_number_belongs_does_not_put_off_grading(forgery):
    hook = "vars(__import__('sys').modules['runner'])"
    result = graded(lambda book: book.first(f"import numpy as np\ng = {hook}\n{forgery}"))
    assert (result.state, points(result)) == ("graded", toy.POINTS)


def test_demonstrations_are_not_run_and_check_cells_neither():
    result = graded(lambda book: book.cell("mean_check").update(source="while True: pass"))
    assert points(result) == toy.POINTS and any("edited" in n for n in result.notices)


def test_outputs_of_all_cells_together_are_capped():
    def change(book):
        for _ in range(5):
            book.last("print('x' * 50_000)")
        book.last("silent = True")

    text = outputs(graded(change, notebook_bytes=120_000))
    assert len(text) < 130_000
    assert text.count("were dropped") == 3  # nothing is said of the cell without outputs


def test_tiny_outputs_by_the_thousand_are_few_in_the_page():
    tiny = "import sys\nfor i in range(400): print(1); print(1, file=sys.stderr)"
    result = graded(lambda book: book.cells.extend(code(tiny) for _ in range(20)))
    kept = sum(len(cell.get("outputs", [])) for cell in result.notebook["cells"])
    assert points(result) == toy.POINTS and 1_000 < kept < 6_000


# Cells that take the process with them


def test_a_deadly_extra_cell_is_left_out_and_reported():
    result = graded(lambda book: book.first("import os; os._exit(0)"))
    assert points(result) == toy.POINTS
    assert "ended the Python process" in result.notices[-1]
    assert "not used" in json.dumps(result.notebook["cells"][0])


def test_a_released_cell_that_an_added_one_makes_deadly_is_left_out():
    """The cell before it left nothing running, so nobody else can be told to be the cause."""
    trap = "import builtins, os\nreal = builtins.__import__\n"
    trap += "def deadly(name, *rest, **more):\n    if name == 'math': os._exit(1)\n"
    trap += "    return real(name, *rest, **more)\nbuiltins.__import__ = deadly"
    result = graded(lambda book: book.first(trap))
    assert points(result) == toy.POINTS
    assert "a released cell: it ended the Python process" in result.notices[-1]


def test_three_deadly_cells_are_survived_and_five_too():
    for count in (3, 5):
        deadly = code("import os; os._exit(0)")
        result = graded(lambda book, n=count, cell=deadly: book.cells.extend([dict(cell)] * n))
        assert points(result) == toy.POINTS, count


def test_a_stub_that_lacks_a_name_does_not_bring_its_deadly_answer_back():
    """Cells that lacked a name run once more at the end; the stub of a dropped one does not."""
    cell = Cell(
        "solution",
        code("import os; os._exit(0)"),
        "mean",
        stub="class Mean(NotDefinedYet): ...",
        program="import os; os._exit(0)",
    )
    rebuilt = Rebuilt([cell, Cell("released", code("x = 1"), program="x = 1")])
    with attempts.Attempts(toy.SLUG, rebuilt, 9, toy.LIMITS) as tries, tries.calls("x", (), ""):
        assert tries.starts == 2  # one that the answer ended, one without it
    assert len(rebuilt.notices) == 1, rebuilt.notices


def test_a_notebook_that_cannot_be_run_is_told_so():
    def change(book):
        for name in toy.RIGHT:
            book.cell(name)["source"] = "import os; os._exit(0)"

    result = graded(change)
    assert points(result) == {"mean": 0, "spread": 0}
    assert {e.status for e in result.exercises} == {"died"}


def test_many_slow_cells_cost_themselves_only():
    def change(book):
        for _ in range(100):
            book.last("import time; time.sleep(0.5)")

    result = graded(change, session_seconds=3.0)
    assert points(result) == toy.POINTS
    assert any("added cells that took long" in notice for notice in result.notices)


def test_several_slow_calls_cost_one_timeout():
    slow = "import time\ndef mean(x): time.sleep(30)"
    first, second = graded(lambda book: book.answer(slow)).exercises
    assert first.status == "timeout" and len({case.message for case in first.cases}) == 1
    assert second.points == 45


# Ours


def test_what_an_exercise_used_is_not_missing_to_the_next_one():
    def change(book):
        book.answer("def mean(values):\n    while True: pass")
        slow = "import time\ndef spread(values):\n    time.sleep(0.8)\n"
        book.cell("spread")["source"] = slow + "    " + toy.SPREAD.partition("\n")[2].lstrip()

    result = graded(change, session_seconds=4.0)
    assert points(result) == {"mean": 0, "spread": 45}


def test_what_added_cells_used_is_not_missing_to_an_exercise():
    slow = "import time\ndef mean(values):\n    time.sleep(0.5)\n"

    def change(book):
        book.last("import time; time.sleep(1.5)")
        book.last("time.sleep(1.3)")
        book.answer(slow + "    " + toy.MEAN.partition("\n")[2].lstrip())

    result = graded(change, session_seconds=4.0)
    assert points(result) == toy.POINTS
    assert "without added cells that took long (2)" in result.notices[-1]


def test_a_sandbox_that_does_not_start_is_never_a_zero(monkeypatch):
    def fail(*_):
        raise SandboxFailed("no")

    monkeypatch.setattr(attempts, "Session", fail)
    result = graded()
    assert (result.state, result.exercises, result.notices) == ("infrastructure", (), ("no",))


def test_a_bug_in_a_hidden_test_is_never_a_zero():
    broken = Exercise("mean")

    @broken.case(weight=1, property="fails")
    def fails(rng):
        yield (1 / 0,), expect_near(1, 0, hint="")

    unit = replace(UNIT, exercises={**UNIT.exercises, "mean": broken})
    data = json.dumps(toy.released()).encode()
    result = grade(data, unit, secret=b"x", slot=9, limits=toy.LIMITS)
    assert result.state == "infrastructure" and "ZeroDivisionError" in result.notices[0]


def test_a_runner_killed_from_outside_is_started_again(monkeypatch):
    run, killed = attempts.Session.run, []

    def once(self, source, **more):
        if not killed:
            killed.append(self.sandbox.runner)
            os.kill(self.sandbox.runner, signal.SIGKILL)
        return run(self, source, **more)

    monkeypatch.setattr(attempts.Session, "run", once)
    assert points(graded())["spread"] == 45 and killed


def test_a_submission_cannot_change_the_unit():
    before = json.dumps(UNIT.released)
    graded(lambda book: book.cells.clear())
    assert json.dumps(UNIT.released) == before


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        ("NotImplementedError('your turn')", "unsolved"),
        ("NotImplementedError", "unsolved"),
        ("NotImplementedError('no such kernel for this dtype')", "graded"),
    ],
)
def test_only_the_stub_is_not_solved_yet(raised, status):
    result = graded(lambda book: book.answer(f"def mean(values):\n    raise {raised}"))
    assert (result.exercises[0].status, result.exercises[0].points) == (status, 0)
    assert result.exercises[1].points == 45
