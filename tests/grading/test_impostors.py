"""Exercises in which the learner writes the test: what a test earns, and that a hostile one earns
nothing and learns nothing.
"""

import contextlib
import inspect
import re
import sys
import textwrap
from collections import Counter
from dataclasses import replace
from types import ModuleType

import pytest
from pytest import MonkeyPatch

from autograder import course
from autograder.classroom.feedback import message_html
from autograder.classroom.store import HERE, modules_of, package_files
from autograder.exercise import REASONS, fraction, mark
from autograder.grading.result import ExerciseResult, grade
from autograder.sandbox import session as conversation
from autograder.sandbox import wire
from autograder.sandbox.session import Calls, Session
from autograder.units.impostors import impostor_exercise
from autograder.verification.local import run_locally
from llmcourse.checks import Bounds, Implementation
from tests.submissions import toy, toy_impostors
from tests.submissions.hostile import Book
from tests.submissions.toy_impostors import BOUNDS, IMPOSTORS, NAME, RIGHT, WHAT, exercise

CAUGHT, MISSED = "catches a weighted mean that ", "an impostor not caught yet"
LIMITS = replace(toy.LIMITS, exercise_seconds=30.0, session_seconds=120.0, cell_seconds=10.0)


def tried(test, seed=b"seed", of=exercise):
    return run_locally(of, test, seed, toy_impostors.visible_check)


def told(results):
    """The messages, each once, in order."""
    return list(dict.fromkeys(r.message for r in results if r.message))


def solution(weighted_mean):
    names = {}
    exec(toy_impostors.SOLUTION, names)
    return names[NAME](weighted_mean)


def compares_once(weighted_mean):
    return abs(weighted_mean([1.0, 3.0], [1.0, 3.0]) - 2.5) < 1e-9


# What a test earns


def test_one_that_tells_all_apart_earns_everything_and_names_the_impostors():
    results = tried(solution)
    assert fraction(results) == 1
    assert [r.property for r in results] == [
        "accepts every right implementation",
        "the visible check",
        *(CAUGHT + one.name for one in IMPOSTORS),
    ]


def test_each_impostor_counts_the_same_and_those_missed_show_a_hint_but_no_name():
    results = tried(compares_once)
    caught = [r.property for r in results if r.passed]
    assert caught[1:] == [CAUGHT + "ignores the weights", CAUGHT + "divides by the count"]
    assert fraction(results) == pytest.approx(2 / 7)
    missed = [(r.property, r.message) for r in results[2:] if not r.passed]
    assert missed == [(MISSED, one.hint) for one in IMPOSTORS if one.name not in str(caught)]


@pytest.mark.parametrize("constant", [True, False, 1, "True", None, [True], 0.5])
def test_a_constant_earns_nothing(constant):
    assert fraction(tried(lambda weighted_mean: constant)) == 0


@pytest.mark.parametrize("accepts", [0.2, 0.5, 0.8])
def test_one_that_tosses_a_coin_earns_nothing_with_most_seeds(accepts):
    """The chance of a fair coin: 6 right tries accepted, then each impostor with 1 / 8."""

    def tosses(weighted_mean):
        import random

        return random.random() < accepts

    earned = [fraction(tried(tosses, b"%d" % seed)) for seed in range(60)]
    assert earned.count(0) >= 55 and sum(earned) / len(earned) < 0.02


def test_one_that_is_wrong_now_and_then_earns_what_it_surely_sees():
    def negative_now_and_then(weighted_mean):
        import random

        sign = random.choice([1.0, -1.0])
        return abs(weighted_mean([sign, 3.0], [1.0, 3.0]) - (sign + 9) / 4) < 1e-9

    for seed in range(20):
        results = tried(negative_now_and_then, b"%d" % seed)
        assert results[0].passed
        assert results[2].passed  # by any input
        if not results[3].passed and results[3].message.startswith("not every time"):
            break
    else:
        pytest.fail("an impostor was never seen in one try and missed in another")
    assert results[3].property == MISSED
    assert results[3].message.endswith(IMPOSTORS[1].hint)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (lambda f: False, "your test rejects a right implementation: one that "),
        (lambda f: None, "a test returns True or False, yours returned None: is there a `return`?"),
        (lambda f: 1, "a test returns True or False, yours returned an int"),
        (lambda f: [][0], "your test raised IndexError with a right implementation."),
        (
            lambda f: all(f([1.0], [1.0]) for _ in range(61)),
            "calls the implementation more than 60",
        ),
        (lambda f: f([1.0] * 101, [1.0] * 100), "has more than 200 numbers in its arguments"),
        (lambda f: f([10**9], [1]), "has an integer beyond 10,000"),
        (lambda f: f(f, [1.0]), "brings an object"),
        (
            lambda f: f([[[[[[[[[[[[[[[[[[[[[[1.0]]]]]]]]]]]]]]]]]]]]]], 1),
            "lists more than 20 deep",
        ),
    ],
)
def test_one_that_is_no_test_earns_nothing_and_is_told_why(test, message):
    results = tried(test)
    assert fraction(results) == 0
    assert message in results[0].message
    assert all("counts once your test accepts" in r.message for r in results[2:])


def test_a_call_beyond_the_bounds_ends_a_test_that_catches_everything():
    def greedy(weighted_mean):
        with contextlib.suppress(BaseException):
            weighted_mean([1.0] * 500, [1.0] * 500)
        return solution(weighted_mean)

    assert "more than 200 numbers" in tried(greedy)[0].message


def test_the_time_of_calls_is_bounded():
    def slow(values, weights):
        return sum(range(3_000_000))

    slowly = impostor_exercise(
        NAME, WHAT, [Implementation("is slow", slow, "")], IMPOSTORS[:0], Bounds(seconds=0.01)
    )
    results = run_locally(slowly, lambda f: f([1.0], [1.0]) + f([1.0], [1.0]) > 0, b"seed")
    assert "take more than 0.01 s together" in results[0].message


def test_a_result_that_is_too_large_ends_the_test():
    def grows(values, weights):
        return [0.0] * 2_000

    grown = impostor_exercise(NAME, WHAT, [Implementation("grows", grows, "")], (), BOUNDS)
    assert "too large a result" in run_locally(grown, lambda f: f([], []) == [], b"")[0].message


def test_an_unsolved_test_is_told_so_once():
    def stub(weighted_mean):
        raise NotImplementedError("your turn")

    assert told(tried(stub)) == ["not solved yet"]


def test_tests_in_the_form_of_assertions_and_of_numpy_or_torch_truth_values_count():
    import numpy as np
    import torch

    def asserts(weighted_mean):
        assert solution(weighted_mean), "wrong"
        return True

    forms = (asserts, lambda f: np.bool_(solution(f)), lambda f: torch.tensor(solution(f)))
    assert [fraction(tried(form)) for form in forms] == [1, 1, 1]


def test_tensors_come_back_as_tensors_and_arrays_as_arrays():
    import numpy as np
    import torch

    def kinds(weighted_mean):
        of_tensors = weighted_mean(torch.tensor([1.0, 3.0]), weights=torch.tensor([1.0, 3.0]))
        of_arrays = weighted_mean(np.array([1.0, 3.0]), np.array([1.0, 3.0]))
        kinds = isinstance(of_tensors, torch.Tensor) and isinstance(of_arrays, np.ndarray)
        return kinds and of_tensors.dtype is torch.float32 and of_tensors.shape == (2,)

    one = Implementation("scales", lambda values, weights: 2 * values, "")
    of = impostor_exercise(NAME, WHAT, [one], (), BOUNDS)
    assert run_locally(of, kinds, b"")[0].message == ""


def test_the_feedback_page_shows_a_kill_table():
    results = tried(compares_once)
    page = message_html(ExerciseResult(NAME, 12.9, 45.0, "graded", "x", results))
    rows = re.findall("<li>(.*?)</li>", page)
    assert rows[2] == f"✓ {CAUGHT}ignores the weights"
    assert rows[3] == f"✗ {MISSED}: <b>Give it negative values.</b>"
    assert "takes sizes" not in page.replace(rows[1], "")


def test_the_version_of_a_units_tests_holds_this_form():
    """Else stored results would outlive a change of it."""
    (ours,) = {name for name in sys.modules if name.endswith("units.impostors")}
    assert ours == "autograder.units.impostors"
    user = ModuleType("autograder.units.u90_user")
    source = f"from {ours} import impostor_exercise\n"
    with MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, user.__name__, user)
        patch.setattr(
            "inspect.getsource",
            lambda module, get=inspect.getsource: source if module is user else get(module),
        )
        found = course._with_siblings([user.__name__, "llmcourse.checks.u01_probability"])
    assert sys.modules[ours] in found
    used = HERE / "units" / "impostors.py", HERE / "sandbox" / "replies.py"
    assert [path in modules_of("grading.result") for path in used] == [False, True]
    assert HERE.parent / "llmcourse" / "checks" / "impostors.py" in package_files()


# In which order


def tries(seed, test=solution):
    """What was tried, in order, for a test that is marked without its visible check."""
    from autograder.verification import local

    order = []

    def ask(source, args, given, seconds, fresh):
        assert fresh
        order.append((args[0].function, args[1]))
        return local.ask(test, source, args, given, seconds)

    mark(exercise, ask, seed)
    return order


def test_each_round_has_every_impostor_and_one_right_implementation_in_a_drawn_order():
    functions = {one.function: one.name for one in (*RIGHT, *IMPOSTORS)}
    right, wrong = ({one.function for one in ones} for ones in (RIGHT, IMPOSTORS))
    firsts, orders = Counter(), set()
    for seed in range(60):
        order = [function for function, _ in tries(b"%d" % seed)]
        assert Counter(order) == dict.fromkeys(right, 2) | dict.fromkeys(wrong, 3)
        rounds = [order[start : start + 7] for start in (0, 7, 14)]
        assert all(wrong < set(turn) and len(set(turn) & right) == 1 for turn in rounds)
        assert len({tuple(map(functions.get, turn)) for turn in rounds}) > 1
        firsts[order[0] in right] += 1
        orders.add(tuple(map(functions.get, order)))
    assert 1 < firsts[True] < 20  # 9 of 60 expected
    assert len(orders) == 60


def test_every_try_has_another_seed_and_a_mark_is_the_same_for_a_seed():
    numbers = [number for _, number in tries(b"a")]
    assert len(set(numbers)) == len(numbers)
    assert tries(b"a") == tries(b"a") != tries(b"b")


def test_an_impostor_missed_is_not_tried_again_and_the_first_right_one_rejected_ends_it():
    accepts_all = [function for function, _ in tries(b"a", lambda f: True)]
    assert Counter(Counter(accepts_all).values()) == {1: len(IMPOSTORS), 2: len(RIGHT)}
    rejects_all = [function for function, _ in tries(b"a", lambda f: False)]
    right = {one.function for one in RIGHT}
    assert [function in right for function in rejects_all].index(True) == len(rejects_all) - 1


def test_implementations_that_do_not_take_the_same_arguments_are_refused():
    other = Implementation("has another name", lambda values, w: 0.0, "")
    with pytest.raises(ValueError, match="one signature"):
        impostor_exercise(NAME, WHAT, RIGHT, [*IMPOSTORS, other], BOUNDS)
    with pytest.raises(ValueError, match="names that differ"):
        impostor_exercise(NAME, WHAT, RIGHT, [*IMPOSTORS, IMPOSTORS[0]], BOUNDS)


# In the sandbox


@pytest.fixture(scope="module")
def shared(wall):
    with Session(toy.SLUG, LIMITS, slot=9) as session:
        session.run(toy_impostors.SOLUTION)
        yield session


def in_sandbox(session, source, name="test"):
    """The results of a test that is defined in a cell."""
    assert not session.run(textwrap.dedent(source)).stopped
    with Calls(session, name) as calls:
        quick = replace(exercise, seconds=1.0)
        return mark(quick, calls.ask, b"seed", toy_impostors.visible_check)


def test_the_solution_earns_everything_through_the_sandbox(shared):
    assert told(in_sandbox(shared, "", NAME)) == []


def test_the_kind_of_an_exception_crosses_and_its_words_do_not(shared):
    results = in_sandbox(
        shared,
        """
        def test(weighted_mean):
            try:
                weighted_mean([1.0, 2.0], [1.0])
            except ValueError as error:
                return str(error) == "raised by the implementation"
            return False
        """,
    )
    assert [r.passed for r in results] == [True, False, *[False] * 4, True, False]


WIRES = """
def test(weighted_mean):
    import sys
    runner = sys.modules["runner"]
    def held(function):
        return [cell.cell_contents for cell in function.__closure__]
    [given] = [one for one in held(weighted_mean) if getattr(one, "__name__", "") == "given"]
    [channel] = [one for one in held(given) if type(one).__name__ == "socket"]
    def say(**words):
        runner.frames.send(channel, runner.wire.pack(words))
    def call(number=0, args=([1.0], [1.0]), keywords={}):
        say(call=number, args=args, keywords=keywords)
"""
HOSTILE = {  # a test, and what it is told first
    "calls before the last call was answered": (
        WIRES + "    for _ in range(50): call()\n    return True",
        "the test was ended",
    ),
    "a call after the verdict": (
        WIRES + "    both = runner.wire.pack({'returned': True}), runner.wire.pack({'call': 0})\n"
        "    import struct\n"
        "    channel.send(b''.join(struct.pack('>Q', len(one)) + one for one in both))\n"
        "    import time; time.sleep(9)",
        "the test was ended",
    ),
    "another function": (WIRES + "    call(number=1)\n    return True", "the test was ended"),
    "a name of a function": (WIRES + "    call(number='eval')\n    return 1", "the test was ended"),
    "arguments as a list": (WIRES + "    call(args=[[1.0]])\n    return 1", "the test was ended"),
    "no frame": (WIRES + "    channel.send(b'x' * 64)\n    return True", "the test was ended"),
    "a verdict of its own": (
        WIRES + "    say(returned='yes')\n    import time; time.sleep(9)",
        "a test returns True or False",
    ),
    "a call from a thread": (
        """
        def test(weighted_mean):
            import threading
            thread = threading.Thread(target=weighted_mean, args=([1.0], [1.0]))
            thread.start(); thread.join()
            return True
        """,
        "from a thread or within another call",
    ),
    "a call within a call": (
        """
        def test(weighted_mean):
            def values():
                yield weighted_mean([1.0], [1.0])
            weighted_mean(values(), [1.0])
            return True
        """,
        "from a thread or within another call",
    ),
    "a call while the last one is answered": (
        """
        def test(weighted_mean):
            import signal
            signal.signal(signal.SIGALRM, lambda *_: weighted_mean([1.0], [1.0]))
            signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
            for _ in range(50):
                weighted_mean([1.0], [1.0])
            return True
        """,
        "",
    ),
    "calls without end": (
        "def test(f):\n    while 1:\n        try: f([1.0], [1.0])\n        except Exception: pass",
        "more than 60 times",
    ),
    "an array of 100 MB": (
        "def test(f):\n    import numpy as np\n    return f(np.ones(12_500_000), 1) == 1",
        "too large",
    ),
    "an array of half a megabyte": (
        "def test(f):\n    import numpy as np\n    return f(np.ones(60_000), 1) == 1",
        "more than 200 numbers",
    ),
    "an array of nothing with a huge shape": (
        "def test(f):\n    import numpy as np\n    return f(np.ones((0, 10**6)), 1) == 1",
        "more than 200 numbers",
    ),
    "an integer of many digits": ("def test(f): return f([10**4000], [1]) == 1", "an integer"),
    "keywords that are our names": (
        "def test(f): return f([1.0], weights=[1.0], **{'self': 1}) == 1",
        "your test raised TypeError",
    ),
    "an object that is both": (
        "class Both:\n    __bool__ = __eq__ = lambda *_: True\ndef test(f): return Both()",
        "a test returns True or False, yours returned an object",
    ),
    "the number of calls, counted in a global": (
        "count = [0]\ndef test(f):\n    count[0] += 1\n    return count[0] % 2 == 1",
        "your test accepts a weighted mean that",
    ),
    "a file that counts": (
        """
        def test(weighted_mean):
            with open("/tmp/count", "a") as file:
                file.write("1")
            return True
        """,
        "left files behind",
    ),
    "a file that is there and is changed": (
        "open('/dev/shm/count', 'w').write('0')\n"
        "def test(f):\n    open('/dev/shm/count', 'r+').write('1')\n    return True",
        "left files behind",
    ),
    "the end of the process": ("def test(f):\n    import os\n    os._exit(0)", REASONS["died"]),
    "a loop": ("def test(f):\n    while True: pass", REASONS["timeout"]),
    "what it can see of the implementation": (
        """
        def test(f):
            seen = f.__name__, f.__doc__, f.__module__, f.__defaults__, f.__code__.co_code
            return hash(seen) % 2 == 0
        """,
        "",
    ),
}


@pytest.mark.parametrize(("source", "message"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_test_earns_nothing_and_is_told_in_a_line(shared, source, message):
    results = in_sandbox(shared, source)
    assert fraction(results) == 0
    said = told(results)[0]
    assert message in said and "\n" not in said and len(said) < 200
    assert not [r.property for r in results if r.property.startswith(CAUGHT)]


def test_after_all_of_them_the_solution_still_earns_everything(shared):
    shared.run("import os\nfor path in ('/tmp/count', '/dev/shm/count'): os.remove(path)")
    assert told(in_sandbox(shared, "", NAME)) == []


def test_nothing_that_is_sent_differs_but_the_number_and_the_results_of_calls(shared, monkeypatch):
    sent, send = [], conversation.frames.send

    def noted(channel, payload, *deadline):
        sent.append(payload)
        return send(channel, payload, *deadline)

    monkeypatch.setattr(conversation.frames, "send", noted)
    results = in_sandbox(
        shared,
        """
        def test(f):
            try: return f() == 1
            except TypeError: return True
        """,
    )
    assert results[0].passed
    requests = [wire.unpack(payload, lambda number: number) for payload in sent]
    begun = [one for one in requests if "probe" in one]
    answers = [one for one in requests if "error" in one or "value" in one]
    assert len(begun) == len(answers) == 14
    hidden = [one for one in begun if type(one["args"][1]) is int]  # else of the visible check
    assert len({repr({**one, "args": one["args"][0]}) for one in hidden}) == 1 < len(hidden)
    assert {repr(one) for one in answers} == {repr(answers[0])}


def test_a_hostile_test_costs_no_other_exercise_anything(wall):
    book = Book(toy_impostors.released(), {NAME: toy_impostors.SOLUTION}, NAME)
    book.cell("spread")["source"] = toy.MEAN + toy.SPREAD
    for source, points in ((toy_impostors.SOLUTION, 45.0), (HOSTILE["a file that counts"][0], 0.0)):
        book.answer(textwrap.dedent(source).replace("def test(", f"def {NAME}("))
        result = grade(book.dump(), toy_impostors.unit(), secret=b"x", slot=9, limits=LIMITS)
        earned = {one.name: one.points for one in result.exercises}
        assert earned == {NAME: points, "spread": 45.0}, result
