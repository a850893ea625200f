"""Grade one submission, from bytes to a result, without a database and without leaving a file.

Parse (`ingest`) and rebuild (`program`) the notebook, run its cells in a sandbox (`attempts`), test
what they defined (`exercise`), note forbidden shortcuts (`policy`). An error of ours gives the
state `infrastructure`, never a zero.

An exercise is tested in the state of the notebook at its check, where the learner saw it pass. If
that does not earn all points, it is also tested in the state at the end, and with the learner's own
versions of functions that the grader otherwise answers itself. The best result counts.
"""

import hashlib
import hmac
import json
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from autograder.course import Unit
from autograder.errors import SandboxFailed, SandboxUnavailable, Unreadable
from autograder.exercise import CaseResult, Exercise, fraction, mark
from autograder.grading import policy
from autograder.grading.attempts import Attempts
from autograder.grading.ingest import parse
from autograder.grading.names import put_to, undefined, words
from autograder.grading.program import OWN, Rebuilt, rebuild
from autograder.sandbox import doctor
from autograder.sandbox.child import Overrun, apart
from autograder.sandbox.limits import FULL, Limits
from autograder.sandbox.patience import STARVED
from autograder.sandbox.session import ENDED, Calls

UNTRIED = ("missing", "unsolved")
NOTICES = 20  # of one submission; a notebook can give cause for thousands
UNJUDGED = CaseResult(
    property="it can be judged",
    weight=1.0,
    passed=False,
    message="judging this took too much time or memory: is something far larger than asked for, in "
    "what it returns or in the arguments it calls other functions with?",
)


@dataclass(frozen=True)
class ExerciseResult:
    """What one exercise earned and what its author is told."""

    name: str
    points: float
    max_points: float
    status: str  # graded, unsolved, missing, timeout, died, policy
    message: str
    cases: tuple[CaseResult, ...]


@dataclass(frozen=True)
class Result:
    """What grading one submission came to; `notebook` is the rebuilt one with outputs."""

    unit: str
    state: str  # graded, unreadable, infrastructure
    exercises: tuple[ExerciseResult, ...]
    notices: tuple[str, ...]
    notebook: dict[str, Any] | None
    seconds: float
    late: bool = False  # a time limit was hit; on an idle machine the result could differ

    @property
    def points(self) -> float:
        """Automatic points, all exercises together."""
        return sum(exercise.points for exercise in self.exercises)

    def to_json(self) -> str:
        """Return one JSON text; `from_json` is its inverse."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Result":
        """Read a result; ValueError, KeyError or TypeError for what `to_json` did not write."""
        fields = json.loads(text)
        exercises = (
            ExerciseResult(**{**e, "cases": tuple(CaseResult(**case) for case in e["cases"])})
            for e in fields["exercises"]
        )
        return cls(**{**fields, "exercises": tuple(exercises), "notices": tuple(fields["notices"])})


def grade(
    submission: bytes, unit: Unit, *, secret: bytes, slot: int = 0, limits: Limits | None = None
) -> Result:
    """Grade the bytes of one submitted notebook.

    secret: key the hidden inputs are drawn from; slot: 0 to 499, different for everything that
    grades at the same time on one machine. Raises SandboxUnavailable where nothing can be graded at
    all; any other failure of ours is in the state.
    """
    started = time.monotonic()
    try:
        rebuilt = rebuild(parse(submission), unit.released)
    except Unreadable as error:
        return Result(unit.slug, "unreadable", (), (str(error),), None, time.monotonic() - started)
    try:
        doctor.require(slot)
        with Attempts(unit.slug, rebuilt, slot, limits or Limits()) as attempts:
            work = _Work(unit, rebuilt, attempts)
            exercises = tuple(
                work.mark(exercise, _seed(secret, unit, name))
                for name, exercise in unit.exercises.items()
            )
        notebook = _notebook(rebuilt, unit)
    except SandboxUnavailable:
        raise
    except SandboxFailed as error:
        return Result(
            unit.slug, "infrastructure", (), (str(error),), None, time.monotonic() - started
        )
    except Exception as error:  # a bug of ours must cost no learner anything
        notice = f"the grader failed ({type(error).__name__}: {error}); nothing was scored"
        return Result(
            unit.slug, "infrastructure", (), (notice[:500],), None, time.monotonic() - started
        )
    seconds = time.monotonic() - started
    notices = rebuilt.notices[:NOTICES]
    if len(rebuilt.notices) > NOTICES:
        notices.append(f"and {len(rebuilt.notices) - NOTICES} more notices")
    return Result(unit.slug, "graded", exercises, tuple(notices), notebook, seconds, attempts.late)


def _seed(secret: bytes, unit: Unit, exercise: str) -> bytes:
    """Return a seed, the same for a class and at a regrade; unforeseeable without the secret."""
    return hmac.digest(
        secret, f"{unit.slug}:{exercise}:{unit.tests_version}".encode(), hashlib.sha256
    )


class _Work:
    """The marking of the exercises of one submission."""

    def __init__(self, unit: Unit, rebuilt: Rebuilt, attempts: Attempts) -> None:
        self.unit, self.rebuilt, self.attempts = unit, rebuilt, attempts
        self.limits = attempts.limits
        self.points = {info.id: float(info.points) for info in unit.info.exercises}

    def mark(self, exercise: Exercise, seed: bytes) -> ExerciseResult:
        """Put the tests of one exercise to the notebook."""
        name, points = exercise.name, self.points[exercise.name]
        tries = [(exercise, name)]
        if self.attempts.goes_on(name):
            tries.append((exercise, ""))
        if exercise.given:  # the learner may use one of these names for something else
            tries.append((replace(exercise, given={}), name))
        best: ExerciseResult | None = None
        for variant, kept in tries:
            result = self._marked(variant, seed, kept)
            if best is None or result.points > best.points or best.status in UNTRIED:
                best = result
            if best.points == points or best.status in ("timeout", "died"):
                break
            # other inputs, so that code which notices a second try cannot reuse what it saw
            seed = hashlib.sha256(seed).digest()
        assert best is not None
        return best

    def _marked(self, exercise: Exercise, seed: bytes, kept: str) -> ExerciseResult:
        name, points = exercise.name, self.points[exercise.name]
        calls = self.attempts.calls(exercise.name, exercise.forbid, kept)
        if calls is None:
            return ExerciseResult(name, 0.0, points, "died", self.attempts.hopeless, ())
        with calls:
            shortcut, cases, reasons = self._judge(exercise, calls, seed)
        if self.attempts.innocent(reasons):
            return self._marked(exercise, seed, kept)
        if shortcut or "policy" in reasons:
            return _policy(exercise, points, shortcut or ", ".join(exercise.forbid))
        return self._result(exercise, cases, reasons)

    def _judge(
        self, exercise: Exercise, calls: Calls, seed: bytes
    ) -> tuple[str | None, tuple[CaseResult, ...], list[str]]:
        """Return a forbidden shortcut or the results of the cases, and the reasons for no answer.

        Computed in a child of this process, since it reads the learner's code and values.
        """

        def work() -> Any:
            kept = calls.kept
            shortcut = self._shortcut(exercise, kept)
            check = self.unit.checks.get(exercise.name)
            cases = () if shortcut else mark(exercise, calls.ask, seed, check)
            if calls.kept != kept:
                shortcut = self._shortcut(exercise, calls.kept)
            cases = tuple(self._explained(case) for case in cases)
            return [shortcut, [asdict(c) for c in cases], calls.reasons, calls.session.spent]

        seconds = self.limits.judge_seconds
        try:
            shortcut, cases, reasons, calls.session.spent = apart(
                work,
                processor_seconds=seconds,
                wall_seconds=STARVED * (self.limits.exercise_seconds + seconds),
            )
        except Overrun:
            shortcut, cases, reasons = None, [asdict(UNJUDGED)], ["timeout"]
        if calls.session.sandbox.over == FULL:  # seen by this process only
            raise SandboxFailed(ENDED)
        return shortcut, tuple(CaseResult(**case) for case in cases), reasons

    def _shortcut(self, exercise: Exercise, kept: str) -> str | None:
        known = [c.program for c in self.rebuilt.cells if c.role in ("released", "demo")]
        own = self._own(f"{kept}_check" if kept else None)
        own += [f"{exercise.name} = {given}" for given in put_to(exercise.name, own)]
        return policy.forbidden_use(exercise.name, exercise.forbid, own, known, exercise.given)

    def _own(self, until: str | None = None) -> list[str]:
        """Return the learner's code in the order in which it ran, up to the cell `until`."""
        cells = self.rebuilt.cells
        ran = [*cells, *(cells[index] for index in self.attempts.again)]
        end = next((at for at, cell in enumerate(ran) if until and cell.grade_id == until), None)
        return [cell.program for cell in ran[:end] if cell.run and cell.role in OWN]

    def _result(
        self, exercise: Exercise, cases: tuple[CaseResult, ...], reasons: list[str]
    ) -> ExerciseResult:
        name, points = exercise.name, self.points[exercise.name]
        self.attempts.late |= "timeout" in reasons
        earned = round(points * fraction(cases), 4)
        fatal = [reason for reason in reasons if reason != "malformed"]
        status = fatal[0] if fatal and (not earned or fatal[0] in ("timeout", "died")) else "graded"
        message = next((case.message for case in cases if not case.passed), "every property holds")
        if status == "missing" and (error := self.attempts.stopped.get(name)):
            message = f"the cell stopped with {error} before `{name}` was defined"
        for index, lost in self.attempts.culprits.dropped.items():
            if self.rebuilt.cells[index].grade_id == name and status in UNTRIED:
                status, message = lost.reason, f"this cell was not used: {lost.why}"
        return ExerciseResult(name, earned, points, status, message, cases)

    def _explained(self, case: CaseResult) -> CaseResult:
        """Add the undefined names, read from the code: an exception's text may be made up."""
        if "raised NameError" not in case.message:
            return case
        cells = self.rebuilt.cells
        names = undefined(self._own(), [cell.program for cell in cells])
        skipped = set(names) & words("\n".join(c.source for c in cells if c.role == "demo"))
        if not names:
            return case
        listed = ", ".join(f"`{name}`" for name in names[:5])
        where = "is in a demonstration, which grading does not run" if skipped else "is unknown"
        remedy = "define it in your own cell or take it as an argument"
        return replace(case, message=f"{case.message} ({listed} {where}: {remedy})")


def _policy(exercise: Exercise, points: float, shortcut: str) -> ExerciseResult:
    message = f"use of {shortcut} is not allowed here: write it yourself"
    return ExerciseResult(exercise.name, 0.0, points, "policy", message, ())


def _notebook(rebuilt: Rebuilt, unit: Unit) -> dict[str, Any]:
    about = {key: unit.released[key] for key in ("metadata", "nbformat", "nbformat_minor")}
    return {**about, "cells": [cell.notebook for cell in rebuilt.cells]}
