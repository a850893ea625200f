"""Visible checks: what a learner runs under each exercise, and the tools to write them.

A check calls the learner's function and looks at plain results, easiest property first. It stops at
the first failure and says what was expected, what came, and what the likely cause is. The grader
runs the same check from outside the sandbox, with an ``answer`` that calls into it.

    @visible
    def perplexity(answer):
        near(answer([math.log(0.5)] * 3), 2.0, 1e-9, hint="is the mean taken over the tokens?")
"""

import copy
import math
import numbers
import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from llmcourse.checks.calls import METHOD, Spelled
from llmcourse.checks.failures import CheckFailed, fail, is_stub, noted
from llmcourse.checks.growth import keeps_up
from llmcourse.checks.outcome import visible
from llmcourse.checks.tolerances import precision

__all__ = [
    "METHOD",
    "CheckFailed",
    "Mismatch",
    "Spelled",
    "attempt",
    "compare",
    "diagnosed",
    "equal",
    "fail",
    "items",
    "keeps_up",
    "kind_of",
    "method",
    "near",
    "noted",
    "number",
    "raises",
    "unchanged",
    "visible",
]


def number(value: Any, what: str) -> float:
    """``value`` as a float, once it is known to be one finite number (0-d arrays and tensors
    count); it remembers a dtype that is narrower than Python's."""
    if not _is_number(value):
        fail(f"{what} should be a number, got {_kind(value)}. Is there a `return`?")
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


def near(got: Any, want: Any, tolerance: float, hint: str) -> None:
    """Fail unless numbers, or containers of numbers, agree to ``tolerance`` (relative above 1)."""
    mismatch = compare(got, want, tolerance)
    if mismatch:
        fail(mismatch.told(), f"{mismatch.nature}.", hint)


def equal(got: Any, want: Any, hint: str) -> None:
    """Fail unless both are the same; lists, tuples and arrays of the same items are."""
    near(got, want, 0.0, hint)


def raises(kind: type[Exception], answer: Callable[..., Any], *args: Any, hint: str) -> None:
    """Fail unless calling ``answer`` with these arguments raises ``kind``."""
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
        fail(f"{nothing} {_show(got)}.", f"{nothing} a value.", hint)


def unchanged(answer: Callable[..., Any], args: Sequence[Any], hint: str) -> Any:
    """Call ``answer`` with copies, fail if it altered one of them, and return its result."""
    given = copy.deepcopy(list(args))
    result = answer(*given)
    for was, now in zip(args, given, strict=True):
        if mismatch := compare(now, was, 0.0):
            what = "the call changed its argument"
            fail(f"{what}{_change(was, now, mismatch)}.", f"{what}.", hint)
    return result


def _change(was: Any, now: Any, mismatch: "Mismatch") -> str:
    """The whole change if it is short, else the first number of it, with its place."""
    if mismatch.where and max(len(repr(_plain(was))), len(repr(_plain(now)))) > 60:
        was, now = mismatch.want, mismatch.got
        return f"{mismatch.place} from {_show(was)} to {_show(now)}"
    return f" from {_show(was)} to {_show(now)}"


def diagnosed(
    got: Any,
    want: Any,
    hint: str,
    *mistakes: tuple[Any, str],
    what: str = "",
    tolerance: float = 1e-9,
) -> None:
    """Like ``near``, but with the hint of the first mistake whose value came.

    mistakes: pairs (value that the mistake leads to, its hint); what: names the result.
    """
    mismatch = compare(got, want, tolerance)
    if mismatch:
        found = (why for value, why in mistakes if compare(got, value, tolerance) is None)
        why, subject = next(found, hint), f"{what}: " if what else ""
        fail(f"{subject}{mismatch.told()}", f"{subject}{mismatch.nature}.", why)


def attempt(answer: Callable[..., Any], args: Sequence[Any], hint: str) -> Any:
    """The result of the call; a failed look-up, conversion or calculation fails with the hint."""
    try:
        return answer(*args)
    except (LookupError, ArithmeticError, ValueError, UnboundLocalError) as error:
        raised = f"your code raised {type(error).__name__}"
        fail(f"{raised}: {error}." if str(error) else f"{raised}.", f"{raised}.", hint)


def items(got: Any, size: int, hint: str) -> tuple:
    """The result as a tuple of ``size`` things, or a failure with the hint."""
    if got is None:
        fail(NOTHING, hint=hint)
    if not isinstance(got, tuple | list) or len(got) != size:
        fail(f"expected {size} things in a tuple.", hint=hint)
    return tuple(got)


NOTHING = "it returned None: is there a `return`?"


def method(answer: Any, made_from: Sequence[Any], name: str, *args: Any) -> Any:
    """Make an object of the learner's class, call its method ``name`` and return the result.

    Under grading ``answer`` is no class but stands for one in the sandbox, and does both there.
    """
    if isinstance(answer, type):
        return getattr(answer(*made_from), name)(*args)
    return answer(*made_from, **{METHOD: (name, args)})


@dataclass(frozen=True)
class Mismatch:
    """Where and how a result differs: ``nature`` names no value, so the grader may show it."""

    nature: str
    where: str
    got: Any
    want: Any

    def told(self) -> str:
        """The difference with its values, for a visible check."""
        return f"expected {_show(self.want)}, got {_show(self.got)}{self.place}."

    @property
    def place(self) -> str:
        """`where`, with one pair of brackets for an element of a nested list or an array."""

        def bracketed(run: re.Match[str]) -> str:
            return f" at [{', '.join(run[0].split(' at index ')[1:])}]"

        return re.sub(r"(?: at index \d+){2,}", bracketed, self.where)


def compare(got: Any, want: Any, tolerance: float, where: str = "") -> Mismatch | None:
    """The first difference between two plain results, or None.

    Numbers agree within ``tolerance * max(1, |want|)``, or within `precision` of the dtype they
    came in, where that is coarser; list, tuple and array are one kind, so are dict and Counter;
    bool is no number; nan equals nan only.
    """
    return _compare(got, want, tolerance, where, 0.0)


def _compare(got: Any, want: Any, tolerance: float, where: str, allowed: float) -> Mismatch | None:
    """allowed: by the dtype of the array that the number is in."""

    def differs(nature: str) -> Mismatch:
        return Mismatch(nature, where, got, want)

    def each(pairs: Iterable[tuple[Any, Any, str]]) -> Mismatch | None:
        return next(
            (m for g, w, at in pairs if (m := _compare(g, w, tolerance, at, allowed))), None
        )

    kind = type(want)
    if kind is type(got) and (kind is float or kind is int):  # nearly all, and the rest is slow
        agree = _close(got, want, tolerance, allowed if kind is float else 0.0)
        return None if agree else differs("the number is off")
    of_dtype = precision(got)
    got, want = _plain(got), _plain(want)
    if any(of_dtype):
        allowed = of_dtype[0] * _largest(want) + of_dtype[1]
    if isinstance(want, bool) or want is None or isinstance(want, str | bytes):
        if type(got) is not type(want):
            return differs(f"expected {_kind(want)}, got {_kind(got)}")
        return None if got == want else differs("the value is not the right one")
    if isinstance(want, numbers.Real):
        if not _is_number(got):
            return differs(f"expected a number, got {_kind(got)}")
        if isinstance(want, numbers.Integral):
            allowed = 0.0
        agree = _close(float(got), float(want), tolerance, allowed)
        return None if agree else differs("the number is off")
    if isinstance(want, Mapping):
        if not isinstance(got, Mapping):
            return differs(f"expected a dictionary, got {_kind(got)}")
        if set(got) != set(want):
            return differs("the keys are not the right ones")
        return each((got[key], want[key], f"{where} at key {key!r}") for key in want)
    if isinstance(want, Set):
        if not isinstance(got, Set):
            return differs(f"expected a set, got {_kind(got)}")
        return None if set(got) == set(want) else differs("the members are not the right ones")
    if not isinstance(got, Sequence) or isinstance(got, str | bytes):
        return differs(f"expected a list, got {_kind(got)}")
    if len(got) != len(want):
        return differs("the length is not the right one")
    return each(
        (g, w, f"{where} at index {i}") for i, (g, w) in enumerate(zip(got, want, strict=True))
    )


def _largest(want: Any) -> float:
    """The largest finite magnitude in nested lists of numbers."""
    if isinstance(want, list | tuple):
        return max(map(_largest, want), default=0.0)
    size = abs(float(want)) if _is_number(want) else 0.0
    return size if math.isfinite(size) else 0.0


def _plain(value: Any) -> Any:
    """Arrays and tensors as nested lists (0-d: a number); everything else as it is."""
    return value.tolist() if hasattr(value, "tolist") and hasattr(value, "shape") else value


def _is_number(value: Any) -> bool:
    value = _plain(value)
    return isinstance(value, numbers.Real | Decimal) and not isinstance(value, bool)


def _close(got: float, want: float, tolerance: float, allowed: float) -> bool:
    if math.isnan(want) or math.isinf(want) or not math.isfinite(got):
        return got == want or (math.isnan(got) and math.isnan(want))
    return abs(got - want) <= max(tolerance * max(1.0, abs(want)), allowed)


def _kind(value: Any) -> str:
    plain = _plain(value)
    if plain is None:
        return "None"
    if isinstance(plain, bool):
        return "a bool"
    if isinstance(plain, str):
        return "a string"
    if _is_number(plain):
        return "a number"
    return kind_of(plain)


def kind_of(value: Any) -> str:
    """`a list`, `an ndarray`; a class of ours, which stands for what cannot cross, is an object."""
    kind = type(value)
    if kind.__module__.split(".")[0] in ("autograder", "wire", "llmcourse"):
        return "an object"
    return f"{'an' if kind.__name__[0].lower() in 'aeiou' else 'a'} {kind.__name__}"


def _show(value: Any) -> str:
    value = _plain(value)
    text = f"{value:.6g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= 120 else text[:100] + " ... " + text[-15:]
