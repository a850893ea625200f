"""Exercises in which the learner writes the test: what the test is given, and the visible check.

    BOUNDS = Bounds(numbers=200)
    MEAN = Implementation("divides the sum by the length", mean, "")
    WRONG = (
        Implementation("divides by n - 1", divides_by_less, "Give it a list of two numbers."),
        Implementation("ignores the signs", of_sizes, "Give it negative numbers."),
    )

    @visible
    def test_mean(answer):
        tells_apart(answer, "a mean", MEAN, WRONG, BOUNDS)

The learner's function gets an implementation and returns True if it is right, False if not. An
exception counts as False, so a test may use `assert`. What it gets is a `StandIn`, the same in the
notebook and under grading: a call brings plain data only (tensors become arrays on the way, and
arrays of the result become tensors if the call had some), within `Bounds`, and an exception of
the implementation comes back as one of the same kind, without its message. `Implementation.name`
ends the sentence "your test accepts a mean that ..."; `hint` says what kind of input to try.

The hidden part is in `autograder.units.impostors`.
"""

import itertools
import math
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from llmcourse.checks.calls import learners
from llmcourse.checks.comparison import kind_of
from llmcourse.checks.failures import described, fail, is_stub

SECONDS = 2.0  # of processor time for one test; grading tries some twenty and allows three times it
DEPTH = 20  # containers inside containers
SINGLE = ("float16", "float32")  # numbers of these types stay what they are
RAISED = "raised by the implementation"
OUT_OF_TURN = "your test calls the implementation from a thread or within another call"
PLAIN_ONLY = "give it numbers, strings, arrays, and lists or dictionaries of them"


class Implementation(NamedTuple):
    """A function that a test is tried on.

    name: what it does, in few words, as in "a mean that divides by n - 1"; hint: of an impostor,
    what kind of input shows it; of a right one, why it may look different.
    """

    name: str
    function: Callable[..., Any]
    hint: str


@dataclass(frozen=True)
class Bounds:
    """What one test may ask of an implementation.

    Choose `numbers` so that the slowest implementation takes less than 0.05 s for the largest
    arguments: within the grader nothing interrupts a call.
    """

    calls: int = 200
    numbers: int = 2_000  # in the arguments of one call: elements of arrays, letters of strings
    whole: int = 10_000  # the largest integer outside of arrays, which may be a size
    results: int = 50_000  # numbers in one result
    seconds: float = 0.5  # of processor time, for all calls of one test


class Refused(BaseException):
    """A call beyond the bounds; it ends the test. No Exception, so that no test takes it for one
    of the implementation.
    """


class StandIn:
    """What a test is given in place of an implementation; `refused` says which bound was passed."""

    def __init__(self, function: Callable[..., Any], bounds: Bounds) -> None:
        self.function, self.bounds = function, bounds
        self.calls, self.seconds, self.refused = 0, 0.0, ""
        self._thread, self._busy = threading.get_ident(), False

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        self.calls += 1
        if self.refused or self.calls > self.bounds.calls:
            times = f"{self.bounds.calls} times: fewer are enough"
            self.refuse(f"your test calls the implementation more than {times}")
        if self._busy or threading.get_ident() != self._thread:
            self.refuse(OUT_OF_TURN)
        self._busy, begun = True, time.thread_time()
        try:
            return self._answer(args, keywords)
        finally:
            self._busy = False
            self.seconds += time.thread_time() - begun

    def _answer(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        bounds = self.bounds
        if self.seconds > bounds.seconds:
            most = f"{bounds.seconds:g} s together"
            self.refuse(f"the calls of your test take more than {most}: ask less")
        taken = _Plain(bounds.numbers, bounds.whole)
        try:
            args, keywords = taken.copy(args), taken.copy(keywords)
        except _TooMuch as error:
            self.refuse(f"a call of your test {error}")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = self.function(*args, **keywords)
            return _Plain(bounds.results, None, taken.tensors).copy(result)
        except (MemoryError, RecursionError, _TooMuch):
            self.refuse("a call of your test asks for too large a result")
        except Exception as error:
            raise _same_kind(error) from None

    def refuse(self, why: str) -> NoReturn:
        """End the test, and answer no call any more."""
        self.refused = self.refused or f"{why}."
        raise Refused(self.refused)


def _same_kind(error: Exception) -> Exception:
    """Return the nearest built-in exception; a message would tell which implementation it is."""
    for kind in type(error).__mro__:
        if kind.__module__ == "builtins" and issubclass(kind, Exception):
            try:
                return kind(RAISED)
            except TypeError:  # UnicodeDecodeError and its like take more than a message
                continue
    return Exception(RAISED)


# Plain data


class _TooMuch(Exception):
    """A value with more in it than there is room for, or of a kind that does not cross."""


class _Plain:
    """Fresh copies of plain values, as they arrive on the other side of the grader's socket.

    room: how many numbers they may hold together; whole: the largest integer outside of arrays;
    tensors: whether arrays become tensors. `tensors` then says whether any was among them.
    """

    def __init__(self, room: int, whole: int | None, tensors: bool = False) -> None:
        self.room, self.left, self.whole = room, room, whole
        self.tensors = self.wanted = tensors

    def copy(self, value: Any, depth: int = 0) -> Any:
        if depth > DEPTH:
            raise _TooMuch(f"nests lists more than {DEPTH} deep")
        if value is None or isinstance(value, bool | float | complex):
            return self._single(value) if hasattr(value, "dtype") else value
        if isinstance(value, int):
            return self._integer(int(value))
        if isinstance(value, str | bytes):
            self._take(len(value))
            return value
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            return self._array(value, depth)
        return self._container(value, depth + 1)

    def _take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise _TooMuch(f"has more than {self.room:,} numbers in its arguments: ask less")

    def _integer(self, value: int) -> int:
        self._take(1)
        if self.whole is not None and abs(value) > self.whole:
            raise _TooMuch(f"has an integer beyond {self.whole:,}: ask less")
        return value

    def _single(self, value: Any) -> Any:
        return value if value.dtype.name in SINGLE else value.item()

    def _array(self, value: Any, depth: int) -> Any:
        self._take(math.prod(size or 1 for size in value.shape))
        if hasattr(value, "detach"):
            self.tensors = True
            value = value.detach().cpu()
            value = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
        numpy: Any = sys.modules["numpy"]
        if isinstance(value, numpy.generic):
            return self._single(value)
        value = numpy.array(value)
        if value.dtype.kind not in "biufc":
            return self.copy(value.tolist(), depth + 1)
        return sys.modules["torch"].from_numpy(value) if self.wanted else value

    def _container(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            self._take(len(value))
            return {self.copy(k, depth): self.copy(v, depth) for k, v in value.items()}
        if isinstance(value, Iterator):
            value = list(itertools.islice(value, self.left + 1))
        if isinstance(value, Sequence | Set):
            self._take(len(value))
            kind = next((k for k in (tuple, set, frozenset) if isinstance(value, k)), list)
            return kind(self.copy(item, depth) for item in value)
        raise _TooMuch(f"brings {kind_of(value)}: {PLAIN_ONLY}")


# The visible check


def verdict(value: Any) -> bool | None:
    """Return what a test has said: True or False (of numpy and torch, too), or None for neither."""
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()
    return value if isinstance(value, bool) else None


def tells_apart(
    answer: Callable[[StandIn], Any],
    what: str,
    right: Implementation,
    wrong: Sequence[Implementation],
    bounds: Bounds,
) -> None:
    """Fail unless a test accepts the right implementation and none of the wrong ones.

    what: names an implementation, with its article.
    """
    said, error = _tried(answer, right, bounds)
    if error is not None:
        with_it = "with a right implementation."
        fail(
            f"your test raised {described(error)} {with_it}",
            f"your test raised {type(error).__name__} {with_it}",
            right.hint,
        )
    if not said:
        fail(rejects(right), None, right.hint)
    for impostor in wrong:
        said, _ = _tried(answer, impostor, bounds)
        if said:
            fail(f"your test accepts {what} that {impostor.name}.", None, impostor.hint)


def rejects(right: Implementation) -> str:
    """Return what a test that does not accept a right implementation is told."""
    return f"your test rejects a right implementation: one that {right.name}."


def _tried(
    answer: Callable[[StandIn], Any], implementation: Implementation, bounds: Bounds
) -> tuple[bool, Exception | None]:
    """Return whether a test accepts an implementation, and what it raised."""
    given, begun = StandIn(implementation.function, bounds), time.thread_time()
    value: Any = None
    raised: Exception | None = None
    try:
        value = answer(given)
    except Exception as error:
        if is_stub(error):
            raise
        value, raised = False, error
    except BaseException:
        if not given.refused:
            raise
    if given.refused:
        fail(given.refused)
    if learners(answer) and time.thread_time() - begun > SECONDS:
        fail(f"your test takes more than {SECONDS:g} seconds: make it smaller.")
    said = verdict(value)
    if said is None:
        fail(f"a test returns True or False, yours returned {kind_or_nothing(value)}")
    return said, raised


def kind_or_nothing(value: Any) -> str:
    """Return what came in place of True or False, in kind."""
    return "None: is there a `return`?" if value is None else kind_of(value)
