"""Where two results differ, and how: numbers to a tolerance, containers of them in any form.

`compare` is the one meaning of "the same" for visible checks and hidden tests.
"""

import math
import numbers
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from llmcourse.checks.tolerances import precision


@dataclass(frozen=True)
class Mismatch:
    """Where and how a result differs: `nature` names no value, so the grader may show it."""

    nature: str
    where: str
    got: Any
    want: Any

    def told(self) -> str:
        """Return the difference with its values, for a visible check."""
        return f"expected {show(self.want)}, got {show(self.got)}{self.place}."

    @property
    def place(self) -> str:
        """`where`, with one pair of brackets for an element of a nested list or an array."""

        def bracketed(run: re.Match[str]) -> str:
            return f" at [{', '.join(run[0].split(' at index ')[1:])}]"

        return re.sub(r"(?: at index \d+){2,}", bracketed, self.where)


def compare(got: Any, want: Any, tolerance: float, where: str = "") -> Mismatch | None:
    """Return the first difference between two plain results, or None.

    Numbers agree within `tolerance * max(1, |want|)`, or within `precision` of the dtype they
    came in, where that is coarser; list, tuple and array are one kind, so are dict and Counter;
    bool is no number; nan equals nan only.
    """
    return _compare(got, want, tolerance, where, 0.0)


def _compare(got: Any, want: Any, tolerance: float, where: str, allowed: float) -> Mismatch | None:
    """Compare as `compare` does; allowed: by the dtype of the array that the number is in."""

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
    got, want = plain(got), plain(want)
    if any(of_dtype):
        allowed = of_dtype[0] * _largest(want) + of_dtype[1]
    if isinstance(want, bool) or want is None or isinstance(want, str | bytes):
        if type(got) is not type(want):
            return differs(f"expected {kind_or_none(want)}, got {kind_or_none(got)}")
        return None if got == want else differs("the value is not the right one")
    if isinstance(want, numbers.Real):
        if not is_number(got):
            return differs(f"expected a number, got {kind_or_none(got)}")
        if isinstance(want, numbers.Integral):
            allowed = 0.0
        agree = _close(float(got), float(want), tolerance, allowed)
        return None if agree else differs("the number is off")
    if isinstance(want, Mapping):
        if not isinstance(got, Mapping):
            return differs(f"expected a dictionary, got {kind_or_none(got)}")
        if set(got) != set(want):
            return differs("the keys are not the right ones")
        return each((got[key], want[key], f"{where} at key {key!r}") for key in want)
    if isinstance(want, Set):
        if not isinstance(got, Set):
            return differs(f"expected a set, got {kind_or_none(got)}")
        return None if set(got) == set(want) else differs("the members are not the right ones")
    if not isinstance(got, Sequence) or isinstance(got, str | bytes):
        return differs(f"expected a list, got {kind_or_none(got)}")
    if len(got) != len(want):
        return differs("the length is not the right one")
    return each(
        (g, w, f"{where} at index {i}") for i, (g, w) in enumerate(zip(got, want, strict=True))
    )


def _largest(want: Any) -> float:
    """Return the largest finite magnitude in nested lists of numbers."""
    if isinstance(want, list | tuple):
        return max(map(_largest, want), default=0.0)
    size = abs(float(want)) if is_number(want) else 0.0
    return size if math.isfinite(size) else 0.0


def plain(value: Any) -> Any:
    """Return arrays and tensors as nested lists (0-d: a number); everything else as it is."""
    return value.tolist() if hasattr(value, "tolist") and hasattr(value, "shape") else value


def is_number(value: Any) -> bool:
    value = plain(value)
    return isinstance(value, numbers.Real | Decimal) and not isinstance(value, bool)


def _close(got: float, want: float, tolerance: float, allowed: float) -> bool:
    if math.isnan(want) or math.isinf(want) or not math.isfinite(got):
        return got == want or (math.isnan(got) and math.isnan(want))
    return abs(got - want) <= max(tolerance * max(1.0, abs(want)), allowed)


def kind_or_none(value: Any) -> str:
    value = plain(value)
    if value is None:
        return "None"
    if isinstance(value, bool):
        return "a bool"
    if isinstance(value, str):
        return "a string"
    if is_number(value):
        return "a number"
    return kind_of(value)


def kind_of(value: Any) -> str:
    """Return `a list`, `an ndarray`; a class of ours, for what cannot cross, is an object."""
    kind = type(value)
    if kind.__module__.split(".")[0] in ("autograder", "wire", "llmcourse"):
        return "an object"
    return f"{'an' if kind.__name__[0].lower() in 'aeiou' else 'a'} {kind.__name__}"


def show(value: Any) -> str:
    value = plain(value)
    text = f"{value:.6g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= 120 else text[:100] + " ... " + text[-15:]
