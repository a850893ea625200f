"""Hidden tests of exercises in which the learner writes the test: catch the impostor.

    test_mean = impostor_exercise("test_mean", "a mean", RIGHT, IMPOSTORS, BOUNDS)

RIGHT holds 2 or 3 right `Implementation`s written differently (one may be the visible check's),
IMPOSTORS six with one bug each; all take the same arguments. `what` and `BOUNDS` are those of the
visible check (`llmcourse.checks.impostors` says what a test gets and what it may return).

The implementations stay in the grader. The learner's test runs in the sandbox, in a fork of its own
for each try, with a stand-in whose calls the grader answers. In each round every impostor and one
of the right implementations are tried once, in an order drawn from the seed, which the sandbox does
not know; and the random generators get another seed each time. There are as many rounds as it takes
to try every impostor three times and every right implementation twice. Each right implementation
must be accepted each time, else nothing counts; an impostor counts if it is rejected each time. So
a constant earns nothing, and a test that is wrong now and then only what it surely earns: one that
sees an impostor with probability p keeps it with p ** 3.

What a learner reads is a kill table: the names of the impostors caught, and for the others a hint
what kind of input to try. A call beyond the bounds, from a thread, out of turn or with anything but
plain data ends that try, which then counts as the wrong verdict.

The reference test and the answers in `tests/answers` are tests, too. `autograder verify` leaves out
mutants of the reference that change numbers only, since these are inputs that it chose; make inputs
by calls (`rng.normal(0, 3, size)`), not with operators, whose mutants would survive.

Not hidden: how long a call takes, and the number of the try. A fixed rule that guesses from the
results (or from what it kept of earlier tries in memory that all forks share) can be lucky.
"""

import hashlib
import inspect
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.exercise import (
    REASONS,
    VISIBLE,
    Ask,
    Case,
    CaseResult,
    Exercise,
    Input,
    Inputs,
    NoAnswer,
    Outcome,
    Raised,
    Returned,
    judged,
    put,
    seen,
)
from llmcourse.checks import Bounds, Implementation
from llmcourse.checks.impostors import OUT_OF_TURN, StandIn, kind_or_nothing, rejects, verdict

IMPOSTOR_TIMES, RIGHT_TIMES = 3, 2  # how often each is tried
SECONDS = 6.0  # of the processor for one try; `llmcourse.checks.impostors.SECONDS` for the learner
ACCEPTS = "accepts every right implementation"
PASSES = "an impostor not caught yet"
WAITS = "counts once your test accepts every right implementation"
LUCK = "not every time: a verdict must not depend on luck. "
BROKEN = "the test was ended: a call was out of turn, too large or of anything but plain data"


def trial(answer, implementation, number):  # type: ignore[no-untyped-def]
    """Return what a test says, in the sandbox (its source travels there)."""
    import random
    import sys
    import threading

    numpy: Any = sys.modules.get("numpy")
    torch: Any = sys.modules.get("torch")
    random.seed(number)
    if numpy is not None:
        numpy.random.seed(number)
    if torch is not None:
        torch.manual_seed(number)
    mine = threading.get_ident()
    busy: Any = []
    broken: Any = []

    def tensors(value):  # type: ignore[no-untyped-def]
        if numpy is not None and isinstance(value, numpy.ndarray):
            return torch.from_numpy(value)
        if isinstance(value, dict):
            parts = map(tensors, value.values())
            return dict(zip(value, parts, strict=True))
        return type(value)(map(tensors, value)) if isinstance(value, (list, tuple)) else value

    def holds_tensors(value):  # type: ignore[no-untyped-def]
        parts = value.values() if isinstance(value, dict) else value
        if isinstance(value, (dict, list, tuple)):
            return any(map(holds_tensors, parts))
        return torch is not None and isinstance(value, torch.Tensor)

    def stand_in(*args, **keywords):  # type: ignore[no-untyped-def]
        if busy or threading.get_ident() != mine:
            broken.append(True)
            raise RuntimeError("a call from a thread or within another call")
        busy.append(True)
        try:
            result = implementation(*args, **keywords)
        finally:
            busy.clear()
        return next(map(tensors, [result])) if any(map(holds_tensors, [args, keywords])) else result

    try:
        said = answer(stand_in)
    except BaseException:
        if not broken:
            raise
    finally:
        busy.append(True)  # a thread that goes on gets nothing
    return "out of turn" if broken else said


TRIAL = inspect.getsource(trial)
HIDDEN = f"{TRIAL}\n\ndef probe(*args):\n    return trial(*args)\n"
VISIBLY = f"{TRIAL}\n\ndef probe(answer, args, keywords):\n    return trial(answer, *args, 0), ()\n"


@dataclass
class Impostors(Exercise):
    """An exercise whose cases are right implementations, the core, and then one impostor each."""

    def results(
        self, ask: Ask, seed: bytes, visible: Callable[[Any], None] | None
    ) -> tuple[CaseResult, ...]:
        """Try all implementations in rounds; the first that is rejected though right ends it."""
        lost, gone = self._lost(ask, seed)
        found = []
        waits = any(self.cases[index].core for index in lost)
        for index, case in enumerate(self.cases):
            message = gone or (WAITS if waits and not case.core else lost.get(index))
            property = case.property if case.core or message is None else PASSES
            found.append(CaseResult(property, case.weight, message is None, message or ""))
        if visible is not None:
            message = gone or seen(self, visible, ask)()[0]
            found.insert(1, CaseResult(VISIBLE, 1.0, message is None, message or ""))
        return tuple(found)

    def _lost(self, ask: Ask, seed: bytes) -> tuple[dict[int, str], str | None]:
        """Return what each case lost is told, by its index, and why there were no more tries."""
        order = random.Random(hashlib.sha256(seed + b"order").digest())
        tries = [list(case.inputs(_generator(seed, case))) for case in self.cases]
        lost, held = dict[int, str](), set[Any]()
        for number in range(max(map(len, tries), default=0)):
            turn = [index for index, inputs in enumerate(tries) if number < len(inputs)]
            order.shuffle(turn)
            for index in turn:
                if index in lost:
                    continue
                args, judge = tries[index][number]
                outcome = put(self, ask, self.probe_source, args)
                message = judged(outcome, judge)
                if message is None:
                    held.add(args[0].function)
                    continue
                final = isinstance(outcome, NoAnswer) and outcome.reason in ("missing", "unsolved")
                lost[index] = LUCK * (args[0].function in held) + message
                if final:
                    return lost, message
                if self.cases[index].core:
                    return lost, None
        return lost, None


def impostor_exercise(
    name: str,
    what: str,
    right: Sequence[Implementation],
    impostors: Sequence[Implementation],
    bounds: Bounds,
    *,
    forbid: tuple[str, ...] = (),
) -> Impostors:
    """Return the hidden tests of a test that a learner writes.

    what: names an implementation, with its article. Raises ValueError if the implementations do not
    all take the same arguments, by which a call could tell them apart.
    """
    signatures = {one.name: _signature(one.function) for one in (*right, *impostors)}
    if len(set(signatures.values())) != 1 or len(signatures) != len(right) + len(impostors):
        raise ValueError(f"{name}: expected names that differ and one signature, got {signatures}")
    rounds = max(RIGHT_TIMES * len(right), IMPOSTOR_TIMES)
    turns = [right[number % len(right)] for number in range(rounds)]
    cases = [Case(ACCEPTS, 0.0, _inputs(turns, bounds, _accepted), core=True)]
    for one in impostors:
        inputs = _inputs([one] * IMPOSTOR_TIMES, bounds, _rejected)
        cases.append(Case(f"catches {what} that {one.name}", 1.0, inputs))
    return Impostors(
        name,
        forbid=forbid,
        seconds=SECONDS,
        cases=cases,
        probe_source=HIDDEN,
        visible_source=VISIBLY,
        is_test=True,
    )


def _signature(function: Callable[..., Any]) -> str:
    parameters = inspect.signature(function).parameters.values()
    return ", ".join(f"{p.kind.name} {p.name} {p.default!r}" for p in parameters)


def _generator(seed: bytes, case: Case) -> random.Random:
    return random.Random(hashlib.sha256(seed + case.property.encode()).digest())


Judging = Callable[[Outcome, Implementation], str | None]


def _inputs(
    turns: Sequence[Implementation], bounds: Bounds, judging: Judging
) -> Callable[[random.Random], Inputs]:
    """Return the inputs of a case: one try for each turn, with a stand-in and a number."""

    def inputs(rng: random.Random) -> Inputs:
        for one in turns:
            yield _input(one, StandIn(one.function, bounds), rng.getrandbits(32))

    def _input(one: Implementation, given: StandIn, number: int) -> Input:
        def judge(outcome: Outcome) -> str | None:
            return given.refused or _no_verdict(outcome) or judging(outcome, one)

        return (given, number), judge

    return inputs


def _no_verdict(outcome: Outcome) -> str | None:
    """Return what is told for an outcome that is neither True nor False, nor an exception."""
    if isinstance(outcome, NoAnswer):
        return BROKEN if outcome.reason == "malformed" else REASONS[outcome.reason]
    if isinstance(outcome, Raised) or verdict(outcome.value) is not None:
        return None
    if outcome.value == "out of turn":
        return OUT_OF_TURN
    return f"a test returns True or False, yours returned {kind_or_nothing(outcome.value)}"


def _accepted(outcome: Outcome, one: Implementation) -> str | None:
    if isinstance(outcome, Raised):
        raised = outcome.kinds[0] if outcome.kinds else "an exception"
        return f"your test raised {raised} with a right implementation. {one.hint}".rstrip()
    assert isinstance(outcome, Returned)
    return None if verdict(outcome.value) else f"{rejects(one)} {one.hint}".rstrip()


def _rejected(outcome: Outcome, one: Implementation) -> str | None:
    accepted = isinstance(outcome, Returned) and verdict(outcome.value)
    return one.hint if accepted else None
