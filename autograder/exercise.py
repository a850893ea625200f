"""Hidden tests as pairs: a probe that runs beside the learner's code, a judge that decides outside.

    perplexity = Exercise("perplexity", given={"chain_log_prob": correct_chain_log_prob})

    @perplexity.case(weight=3, property="the exact value on longer texts")
    def longer(rng):
        log_probs = [math.log(rng.uniform(0.01, 1)) for _ in range(200)]
        yield (log_probs,), expect_near(reference(log_probs), 1e-9, "is the mean over the tokens?")

The probe (here the default one: call the answer with the arguments) travels into the sandbox as
source and returns plain data; inputs go in as arguments only, expected values never. The first case
of an exercise is its core: an answer that fails it earns nothing, so that neither a constant nor
"always raise ValueError" collects the points of the edge cases. `given` names earlier exercises
that the grader answers itself, so no mistake is charged twice. No message holds a hidden input or
an expected value.

A judge looks for a mistake only in a result that it has found wrong, and the inputs of the core are
drawn until each known mistake gives another value than the right answer. So no seed decides a
grade.
"""

import builtins
import functools
import hashlib
import inspect
import math
import random
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.errors import SandboxFailed
from autograder.judge import (
    REASONS,
    Judge,
    Judged,
    NoAnswer,
    Outcome,
    Raised,
    Returned,
    expect_equal,
    expect_near,
    expect_raises,
    expect_that,
)
from llmcourse.checks import METHOD, CheckFailed, Mistake

__all__ = [
    "REASONS",
    "Exercise",
    "Judge",
    "Judged",
    "Mistake",
    "NoAnswer",
    "Outcome",
    "Raised",
    "Returned",
    "asked",
    "expect_equal",
    "expect_near",
    "expect_raises",
    "expect_that",
]  # fmt: skip

NUMBERS = 2_000_000  # in the arrays of one result
DRAWS = 100  # of the inputs of a core case, until they tell every known mistake
TOO_LARGE = f"the result holds more than {NUMBERS:,} numbers, far more than asked for"
VISIBLE = "the visible check"
CALL = "def probe(answer, *args):\n    return answer(*args)\n"
CALL_VISIBLY = f"""def probe(answer, args, keywords):
    if {METHOD!r} in keywords:  # `checks.method` asks: make an object, call one of its methods
        name, rest = keywords[{METHOD!r}]
        return getattr(answer(*args), name)(*rest), args
    return answer(*args, **keywords), args
"""


Input = tuple[tuple[Any, ...], Judge]  # the arguments of one call, and who judges its result
Inputs = Iterator[Input]
Ask = Callable[..., Outcome]  # of a probe, its arguments, `given`, seconds (`session.Calls.ask`)


def asked(
    args: tuple[Any, ...],
    formula: Callable[..., Any],
    hint: str,
    mistakes: Callable[..., list[Mistake]] | None = None,
    tolerance: float = 0.0,
) -> Input:
    """Return one call of a case: its result should be that of the formula, to this tolerance.

    mistakes: a function of the same arguments, like the formula; what it returns is known.
    """
    known = mistakes(*args) if mistakes else ()
    return args, expect_near(formula(*args), tolerance, hint, known)


@dataclass(frozen=True)
class Case:
    """One property of an answer with its weight inside the exercise."""

    property: str
    weight: float
    inputs: Callable[[random.Random], Inputs]
    core: bool = False


@dataclass(frozen=True)
class CaseResult:
    """Whether one property held, and what the learner is told if not."""

    property: str
    weight: float
    passed: bool
    message: str


@dataclass
class Exercise:
    """The hidden tests of one function or class that the learner writes."""

    name: str
    given: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    forbid: tuple[str, ...] = ()  # dotted names, reported as policy findings
    seconds: float = 10.0  # of the processor, that a single call may take (see `patience`)
    cases: list[Case] = field(default_factory=list)
    probe_source: str = CALL
    visible_source: str = CALL_VISIBLY  # the probe of the visible check
    is_test: bool = False  # whether an answer is a test itself (`units.impostors`)

    def __post_init__(self) -> None:
        self.given = {name: _as_released(function) for name, function in self.given.items()}

    def case(self, weight: float, property: str) -> Callable[[Any], Any]:
        """Add a case: a function that takes an rng and yields pairs (arguments, judge)."""

        def add(inputs: Callable[[random.Random], Inputs]) -> Callable[[random.Random], Inputs]:
            self.cases.append(Case(property, weight, inputs, core=not self.cases))
            return inputs

        return add

    def probe(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Replace the default probe; the function must stand alone (it travels as source)."""
        lines = textwrap.dedent(inspect.getsource(function)).splitlines(keepends=True)
        start = next(i for i, line in enumerate(lines) if line.startswith("def "))
        self.probe_source = "".join(lines[start:]).replace(
            f"def {function.__name__}(", "def probe(", 1
        )
        return function

    def results(
        self, ask: Ask, seed: bytes, visible: Callable[[Any], None] | None
    ) -> tuple[CaseResult, ...]:
        """Do what `mark` says for this exercise: one case after the other."""
        results: list[CaseResult] = []
        gone: str | None = None
        cases = [(c.property, c.weight, _hidden(self, c, ask, seed)) for c in self.cases]
        if visible is not None:
            cases.insert(1, (VISIBLE, 1.0, seen(self, visible, ask)))
        for property, weight, verdict in cases:
            message, fatal = (gone, None) if gone else verdict()
            gone = gone or fatal
            results.append(CaseResult(property, weight, message is None, message or ""))
        return tuple(results)


def mark(
    exercise: Exercise, ask: Ask, seed: bytes, visible: Callable[[Any], None] | None = None
) -> tuple[CaseResult, ...]:
    """Put every case to the answer and return the results, the core case first.

    visible: the undecorated visible check, run here with an answer that calls into the sandbox.
    When an answer is missing, unsolved, too slow or ends its process, the remaining cases are not
    tried.
    """
    return tuple(
        # a learner's words may be in a message
        replace(result, message=result.message.encode("utf-8", "replace").decode())
        for result in exercise.results(ask, seed, visible)
    )


def fraction(results: tuple[CaseResult, ...]) -> float:
    """Return the fraction of the points earned, 0 to 1: nothing unless the core case passed."""
    if not results or not results[0].passed:
        return 0.0
    return sum(r.weight for r in results if r.passed) / sum(r.weight for r in results)


Verdict = Callable[[], tuple[str | None, str | None]]  # (message, message for all that follows)


def drawn(case: Case, seed: bytes) -> list[Input]:
    """Return the inputs of a case with their judges, always the same for a seed.

    Those of the core are drawn again until each known mistake gives a wrong value for some input: a
    mistake that the core overlooks would keep most of the points.
    """
    inputs = list[Input]()
    for draw in range(DRAWS):
        text = seed + case.property.encode() + (b" %d" % draw if draw else b"")
        inputs = list(case.inputs(random.Random(hashlib.sha256(text).digest())))
        if not case.core or not untold(inputs):
            break
    return inputs


def untold(inputs: Iterable[Input]) -> set[str]:
    """Return the hints of known mistakes that give the right answer with all these inputs."""
    known, told = set[str](), set[str]()
    for _, judge in inputs:
        for why, differs in getattr(judge, "tells", {}).items():
            known.add(why)
            if why not in told and differs():
                told.add(why)
    return known - told


def _hidden(exercise: Exercise, case: Case, ask: Ask, seed: bytes) -> Verdict:
    def verdict() -> tuple[str | None, str | None]:
        for args, judge in drawn(case, seed):
            outcome = put(exercise, ask, exercise.probe_source, args)
            message = judged(outcome, judge)
            if message is not None:
                final = isinstance(outcome, NoAnswer) and outcome.reason != "malformed"
                return message, message if final else None
        return None, None

    return verdict


def put(exercise: Exercise, ask: Ask, probe: str, args: tuple[Any, ...]) -> Outcome:
    """Return the outcome of one call of an answer; of a test, in a fork of its own."""
    fresh = {"fresh": True} if exercise.is_test else {}
    return ask(probe, args, exercise.given, exercise.seconds, **fresh)


def judged(outcome: Outcome, judge: Judge) -> str | None:
    """Return what the learner is told; None if the outcome is right."""
    return TOO_LARGE if _too_large(outcome) else judge(outcome)


def _as_released(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `given` function that accepts every call that suits the learner's own version.

    Its parameters are those of the released stub. An argument for a further (optional) parameter of
    the learner's is dropped; a keyword of another name counts as the first missing parameter.
    """
    parameters = inspect.signature(function).parameters
    required = [name for name, p in parameters.items() if p.default is p.empty]

    @functools.wraps(function)
    def given(*args: Any, **keywords: Any) -> Any:
        taken = dict(zip(parameters, args, strict=False))
        taken |= {name: value for name, value in keywords.items() if name in parameters}
        missing = [name for name in required if name not in taken]
        others = [value for name, value in keywords.items() if name not in parameters]
        return function(**taken | dict(zip(missing, others, strict=False)))

    return given


def _too_large(outcome: Outcome) -> bool:
    """Say whether its arrays hold more numbers than can be made lists and compared in a second."""
    todo, numbers = [outcome.value] if isinstance(outcome, Returned) else [], 0
    while todo:
        value = todo.pop()
        if isinstance(value, list | tuple):
            todo += value
        elif isinstance(value, dict):
            todo += value.values()
        elif hasattr(value, "shape"):
            numbers += math.prod(n or 1 for n in value.shape)
    return numbers > NUMBERS


class _Stop(BaseException):
    """The reason of a NoAnswer, or a failure of the sandbox, raised through a visible check.

    It is no Exception, so that no `except Exception` of the check catches it.
    """


def seen(exercise: Exercise, check: Callable[[Any], None], ask: Ask) -> Verdict:
    """Return the verdict of the visible check with an answer that calls into the sandbox."""

    def answer(*args: Any, **keywords: Any) -> Any:
        try:
            outcome = put(exercise, ask, exercise.visible_source, (args, keywords))
        except SandboxFailed as failure:
            raise _Stop(failure) from None
        if _too_large(outcome):
            raise CheckFailed(TOO_LARGE)
        if isinstance(outcome, NoAnswer):
            raise _Stop(outcome.reason)
        if isinstance(outcome, Raised):
            raise _builtin(outcome)
        if not isinstance(outcome.value, tuple) or len(outcome.value) != 2:
            raise _Stop("malformed")
        value, left = outcome.value
        for mine, theirs in zip(args, left if isinstance(left, tuple) else (), strict=False):
            if isinstance(mine, list) and isinstance(theirs, list):
                mine[:] = theirs  # what the call did to its arguments: `unchanged` compares them
        return value

    def verdict() -> tuple[str | None, str | None]:
        try:
            check(answer)
        except _Stop as stop:
            (reason,) = stop.args
            if isinstance(reason, SandboxFailed):
                raise reason from None
            return REASONS[reason], REASONS[reason] if reason != "malformed" else None
        except CheckFailed as failure:
            return failure.without_values, None
        except Exception as error:
            return f"your code raised {type(error).__name__}", None
        return None, None

    return verdict


def _builtin(raised: Raised) -> Exception:
    """Return the nearest built-in exception, so that a check can expect it; without its message."""
    for kind in raised.kinds:
        known = getattr(builtins, kind, None)
        if isinstance(known, type) and issubclass(known, Exception):
            try:
                return known("message not shown")
            except TypeError:  # UnicodeDecodeError and its like take more than a message
                continue
    return Exception("message not shown")
