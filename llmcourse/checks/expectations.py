"""What a visible check expects of an answer: each fails with what came and the likely cause."""

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from llmcourse.checks.calls import METHOD
from llmcourse.checks.comparison import Mismatch, compare, is_number, kind_or_none, plain, show
from llmcourse.checks.failures import fail, is_stub
from llmcourse.checks.tolerances import precision

NOTHING = "it returned None: is there a `return`?"


class Mistake(NamedTuple):
    """A known wrong way, recognised by what it leads to.

    value: the result of the mistake, or a function that gives it or tells it; hint: what to say to
    a learner whose result it is.
    """

    value: Any
    hint: str


def near(got: Any, want: Any, tolerance: float, hint: str) -> None:
    """Fail unless numbers, or containers of numbers, agree to `tolerance` (relative above 1)."""
    mismatch = compare(got, want, tolerance)
    if mismatch:
        fail(mismatch.told(), f"{mismatch.nature}.", hint)


def equal(got: Any, want: Any, hint: str) -> None:
    """Fail unless both are the same; lists, tuples and arrays of the same items are."""
    near(got, want, 0.0, hint)


def diagnosed(
    got: Any,
    want: Any,
    hint: str,
    *mistakes: Mistake,
    what: str = "",
    tolerance: float = 1e-9,
) -> None:
    """Fail like `near`, but with the hint of the first mistake whose value came.

    what: names the result.
    """
    mismatch = compare(got, want, tolerance)
    if mismatch:
        found = (m.hint for m in mistakes if compare(got, m.value, tolerance) is None)
        why, subject = next(found, hint), f"{what}: " if what else ""
        fail(f"{subject}{mismatch.told()}", f"{subject}{mismatch.nature}.", why)


def raises(kind: type[Exception], answer: Callable[..., Any], *args: Any, hint: str) -> None:
    """Fail unless calling `answer` with these arguments raises `kind`."""
    try:
        got = answer(*args)
    except kind:
        return
    except Exception as error:
        if is_stub(error):
            raise
        other = f"expected {kind.__name__}, got {type(error).__name__}"
        fail(f"{other}: {error}." if str(error) else f"{other}.", f"{other}.", hint)
    else:
        nothing = f"expected {kind.__name__}, but it returned"
        fail(f"{nothing} {show(got)}.", f"{nothing} a value.", hint)


def unchanged(answer: Callable[..., Any], args: Sequence[Any], hint: str) -> Any:
    """Call `answer` with copies, fail if it altered one of them, and return its result."""
    given = copy.deepcopy(list(args))
    result = answer(*given)
    for was, now in zip(args, given, strict=True):
        if mismatch := compare(now, was, 0.0):
            what = "the call changed its argument"
            fail(f"{what}{_change(was, now, mismatch)}.", f"{what}.", hint)
    return result


def _change(was: Any, now: Any, mismatch: "Mismatch") -> str:
    """Return the whole change if it is short, else the first number of it, with its place."""
    if mismatch.where and max(len(repr(plain(was))), len(repr(plain(now)))) > 60:
        was, now = mismatch.want, mismatch.got
        return f"{mismatch.place} from {show(was)} to {show(now)}"
    return f" from {show(was)} to {show(now)}"


def attempt(answer: Callable[..., Any], args: Sequence[Any], hint: str) -> Any:
    """Return the call's result; a failed look-up, conversion or calculation fails with the hint."""
    try:
        return answer(*args)
    except (LookupError, ArithmeticError, ValueError, UnboundLocalError) as error:
        raised = f"your code raised {type(error).__name__}"
        fail(f"{raised}: {error}." if str(error) else f"{raised}.", f"{raised}.", hint)


def number(value: Any, what: str) -> float:
    """Return `value` as a float, once it is known to be one finite number (0-d arrays and tensors
    count); it remembers a dtype that is narrower than Python's."""
    if not is_number(value):
        fail(f"{what} should be a number, got {kind_or_none(value)}. Is there a `return`?")
    if not math.isfinite(float(value)):
        fail(
            f"{what} should be finite, got {float(value)}. Is there a log of 0 or a division by 0?"
        )
    result = float(value)
    if any(precision(value)):
        result = _Narrow(result)
        result.dtype = value.dtype
    return result


class _Narrow(float):
    """A number that keeps the dtype it came in, for `compare`."""

    dtype: Any


def items(got: Any, size: int, hint: str) -> tuple:
    """Return the result as a tuple of `size` things, or a failure with the hint."""
    if got is None:
        fail(NOTHING, hint=hint)
    if not isinstance(got, tuple | list) or len(got) != size:
        fail(f"expected {size} things in a tuple.", hint=hint)
    return tuple(got)


def method(answer: Any, made_from: Sequence[Any], name: str, *args: Any) -> Any:
    """Make an object of the learner's class, call its method `name` and return the result.

    Under grading `answer` is no class but stands for one in the sandbox, and does both there.
    """
    if isinstance(answer, type):
        return getattr(answer(*made_from), name)(*args)
    return answer(*made_from, **{METHOD: (name, args)})
