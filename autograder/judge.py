"""What may come of a call, and the judges that decide whether it is right.

A judge decides in two steps: whether the outcome is right and, only if it is not, which known
mistake it shows. So no mistake is ever seen in a right answer, whatever the inputs.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llmcourse.checks import compare

MARGIN = 1e-4  # by which a mistake must differ from the right answer: more than float32 loses


@dataclass(frozen=True)
class Returned:
    """The probe came back with a value."""

    value: Any


@dataclass(frozen=True)
class Raised:
    """The learner's code raised; ``kinds`` are the built-in class names of its ancestry, nearest
    first."""

    kinds: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class NoAnswer:
    """Nothing came; `reason` is one of `REASONS`."""

    reason: str


Outcome = Returned | Raised | NoAnswer
Judge = Callable[[Outcome], str | None]  # None: right; else the message for the learner

REASONS = {
    "missing": "the name is not defined: was the solution cell deleted or the function renamed?",
    "unsolved": "not solved yet",
    "timeout": "the call did not finish in time: is there a loop that never ends?",
    "died": "the call ended the Python process",
    "malformed": "the result is not plain data (numbers, strings, lists, dictionaries, arrays)",
}


@dataclass(frozen=True)
class Judged:
    """A judge in two steps: is it right, and only if it is not, what to say."""

    wrong: Callable[[Outcome], str | None]  # the nature of what is wrong; None: nothing is
    say: Callable[[Outcome, str], str]
    tells: Mapping[str, Callable[[], bool]] = field(default_factory=dict)
    """Hint of a known mistake -> whether it leads to something else than the right answer here."""

    def __call__(self, outcome: Outcome) -> str | None:
        nature = self.wrong(outcome)
        return None if nature is None else self.say(outcome, nature)

    def told(self, **hints: str) -> "Judged":
        """The same, but an exception of a kind named here gets its own hint."""

        def say(outcome: Outcome, nature: str) -> str:
            kinds = outcome.kinds if isinstance(outcome, Raised) else ()
            for kind in kinds:
                if kind in hints:
                    return f"your code raised {kinds[0]}. {hints[kind]}"
            return self.say(outcome, nature)

        return replace(self, say=say)


def near(
    want: Any, tolerance: float, hint: str, mistakes: Mapping[str, Any] | None = None
) -> Judged:
    """Right when the value is ``want`` within ``tolerance`` (relative above 1) or what its dtype
    allows.

    mistakes: hint of a known misconception -> the value it leads to; the first that fits is shown.
    """
    known = mistakes or {}

    def wrong(value: Any) -> str | None:
        try:
            mismatch = compare(value, want, tolerance)
        except OverflowError:  # an integer that no float can hold
            return "the number is off"
        return mismatch.nature if mismatch else None

    def same(value: Any, mistake: Any) -> bool:
        return compare(value, mistake, max(tolerance, 1e-9)) is None

    def differs(mistake: Any) -> bool:
        return compare(mistake, want, max(tolerance, MARGIN)) is not None

    shown = {why: functools.partial(same, mistake=value) for why, value in known.items()}
    tells = {why: functools.partial(differs, value) for why, value in known.items()}
    return _judged(wrong, hint, shown, tells)


def equals(want: Any, hint: str, mistakes: Mapping[str, Any] | None = None) -> Judged:
    """Right when the value is the same; list, tuple and array of the same items are."""
    return near(want, 0.0, hint, mistakes)


def holds(
    right: Callable[[Any], bool],
    hint: str,
    mistakes: Mapping[str, Callable[[Any], bool]] | None = None,
) -> Judged:
    """Right when ``right(value)`` is True.

    mistakes: hint of a known misconception -> whether a value shows it, asked of wrong values only.
    """

    def wrong(value: Any) -> str | None:
        try:
            return None if right(value) is True else ""
        except Exception:  # a learner's value: any shape of it may break the predicate
            return "the result does not have the expected form"

    return _judged(wrong, hint, mistakes or {}, {})


def raises(kind: type[Exception], hint: str) -> Judged:
    """Right when the call raises ``kind``."""

    def wrong(outcome: Outcome) -> str | None:
        if isinstance(outcome, Raised) and kind.__name__ in outcome.kinds:
            return None
        came = outcome.kinds[0] if isinstance(outcome, Raised) and outcome.kinds else "a value"
        return f"expected {kind.__name__}, got {came}"

    def say(outcome: Outcome, nature: str) -> str:
        if isinstance(outcome, NoAnswer):
            return _unanswered(outcome, hint)
        return f"{nature}. {hint}"

    return Judged(wrong, say)


def _judged(
    wrong: Callable[[Any], str | None],
    hint: str,
    mistakes: Mapping[str, Callable[[Any], bool]],
    tells: Mapping[str, Callable[[], bool]],
) -> Judged:
    """The judge of a value; all that looks for mistakes is in `say`."""

    def say(outcome: Outcome, nature: str) -> str:
        if not isinstance(outcome, Returned):
            return _unanswered(outcome, hint)
        for misconception, shows in mistakes.items():
            try:
                if shows(outcome.value):
                    return misconception
            except Exception:  # as above
                continue
        return f"{nature}. {hint}" if nature else hint

    def judge(outcome: Outcome) -> str | None:
        return wrong(outcome.value) if isinstance(outcome, Returned) else "no value"

    return Judged(judge, say, tells)


def _unanswered(outcome: Outcome, hint: str) -> str:
    if isinstance(outcome, Raised):
        return f"your code raised {outcome.kinds[0] if outcome.kinds else 'an exception'}. {hint}"
    assert isinstance(outcome, NoAnswer)
    return REASONS[outcome.reason]
