"""The possible outcomes of a call, and the judges that decide whether one is right.

A judge decides in two steps: whether the outcome is right and, only if it is not, which known
mistake it shows. So no mistake is ever seen in a right answer, whatever the inputs.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from llmcourse.checks import Mistake, compare

MARGIN = 1e-4  # by which a mistake must differ from the right answer: more than float32 loses


@dataclass(frozen=True)
class Returned:
    """The probe returned a value."""

    value: Any


@dataclass(frozen=True)
class Raised:
    """The learner's code raised an exception.

    `kinds`: the names of its built-in base classes, nearest first.
    """

    kinds: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class NoAnswer:
    """The call gave no result; `reason` is one of `REASONS`."""

    reason: str


Outcome = Returned | Raised | NoAnswer
Judge = Callable[[Outcome], str | None]  # None: right; else the message for the learner

REASONS = {
    "missing": "the name is not defined: was the solution cell deleted or the function renamed?",
    "unsolved": "not solved yet",
    "timeout": "the call did not finish in time: is there a loop that never ends?",
    "died": "the call ended the Python process",
    "files": "the call left files behind or changed some: a test calls, compares and returns",
    "malformed": "the result is not plain data (numbers, strings, lists, dictionaries, arrays)",
}


@dataclass(frozen=True)
class Judged:
    """A judge in two steps: is it right, and only if it is not, what to say."""

    wrong: Callable[[Outcome], str | None]  # what is wrong, in kind; None if nothing is
    say: Callable[[Outcome, str], str]
    # Hint of a known mistake: whether the mistake gives another value than the right answer here.
    tells: Mapping[str, Callable[[], bool]] = field(default_factory=dict)

    def __call__(self, outcome: Outcome) -> str | None:
        nature = self.wrong(outcome)
        return None if nature is None else self.say(outcome, nature)

    def told(self, **hints: str) -> "Judged":
        """Return the same, but an exception of a kind named here gets its own hint."""

        def say(outcome: Outcome, nature: str) -> str:
            kinds = outcome.kinds if isinstance(outcome, Raised) else ()
            for kind in kinds:
                if kind in hints:
                    return f"your code raised {kinds[0]}. {hints[kind]}"
            return self.say(outcome, nature)

        return replace(self, say=say)


def expect_near(want: Any, tolerance: float, hint: str, mistakes: Sequence[Mistake] = ()) -> Judged:
    """Accept a value within `tolerance` of `want` (relative above 1), or within its precision.

    mistakes: each with the value it leads to; the hint of the first that fits is shown.
    """

    def wrong(value: Any) -> str | None:
        try:
            mismatch = compare(value, want, tolerance)
        except OverflowError:  # an integer that no float can hold
            return "the number is off"
        return mismatch.nature if mismatch else None

    def shows(mistake: Mistake, value: Any) -> bool:
        return compare(value, mistake.value, max(tolerance, 1e-9)) is None

    def differs(mistakes: Sequence[Mistake]) -> bool:
        margin = max(tolerance, MARGIN)
        return any(compare(mistake.value, want, margin) is not None for mistake in mistakes)

    same_hint: dict[str, list[Mistake]] = {}
    for mistake in mistakes:
        same_hint.setdefault(mistake.hint, []).append(mistake)
    tells = {hint: functools.partial(differs, those) for hint, those in same_hint.items()}
    shown = [Mistake(functools.partial(shows, mistake), mistake.hint) for mistake in mistakes]
    return _judged(wrong, hint, shown, tells)


def expect_equal(want: Any, hint: str, mistakes: Sequence[Mistake] = ()) -> Judged:
    """Accept an equal value; lists, tuples and arrays of equal items are equal."""
    return expect_near(want, 0.0, hint, mistakes)


def expect_that(
    right: Callable[[Any], bool], hint: str, mistakes: Sequence[Mistake] = ()
) -> Judged:
    """Accept a value for which `right(value)` is True.

    mistakes: the value of each is a function that says whether a wrong result shows it.
    """

    def wrong(value: Any) -> str | None:
        try:
            return None if right(value) is True else ""
        except Exception:  # a learner's value: any shape of it may break the predicate
            return "the result does not have the expected form"

    return _judged(wrong, hint, mistakes, {})


def expect_raises(kind: type[Exception], hint: str) -> Judged:
    """Accept a call that raises `kind`."""

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
    mistakes: Sequence[Mistake],
    tells: Mapping[str, Callable[[], bool]],
) -> Judged:
    """Return the judge of a value; all that looks for mistakes is in `say`."""

    def say(outcome: Outcome, nature: str) -> str:
        if not isinstance(outcome, Returned):
            return _unanswered(outcome, hint)
        for mistake in mistakes:
            try:
                if mistake.value(outcome.value):
                    return mistake.hint
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
