"""One submission, from bytes to a result: a pure function that needs no database and leaves no
file.

Parse and rebuild (`ingest`), run the cells in a sandbox (`session`), put the hidden tests to what
they defined (`exercise`), note forbidden shortcuts (`policy`). A cell that kills the process or
never ends is replaced by its released stub and the notebook is run again, `RERUNS` times at most. A
failure of ours is the state `infrastructure`, never a zero.
"""

import hashlib
import hmac
import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from autograder import doctor, policy
from autograder.apart import Overrun, apart
from autograder.course import Unit
from autograder.errors import SandboxFailed, SandboxUnavailable, Unreadable
from autograder.exercise import CaseResult, Exercise, fraction, mark
from autograder.ingest import Cell, Rebuilt, parse, rebuild
from autograder.limits import FULL, Limits
from autograder.session import ENDED, Calls, Lost, Session

NOTICES = 20  # of one submission; a notebook can give cause for thousands
SHOWING = 2_000  # characters that an output counts beside its own: each takes half a millisecond
RERUNS = 3  # fresh sandboxes after the first one
PATIENCE = 10  # wall time of judging, of its processor time: others may be working here
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
    late: bool = False  # a limit of time was met: less busy, the machine might have come further

    @property
    def points(self) -> float:
        """Automatic points, all exercises together."""
        return sum(exercise.points for exercise in self.exercises)

    def to_json(self) -> str:
        """One JSON text; `from_json` is its inverse."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Result":
        """Raises ValueError, KeyError or TypeError for a text that `to_json` did not write."""
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
        with _Work(unit, rebuilt, slot, limits or Limits()) as work:
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
    return Result(unit.slug, "graded", exercises, tuple(notices), notebook, seconds, work.late)


def _seed(secret: bytes, unit: Unit, exercise: str) -> bytes:
    """The same for the whole class and at a regrade; unforeseeable without the secret."""
    return hmac.digest(
        secret, f"{unit.slug}:{exercise}:{unit.tests_version}".encode(), hashlib.sha256
    )


class _Work:
    """The sandboxes of one submission, one after the other; leaving it ends the last."""

    def __init__(self, unit: Unit, rebuilt: Rebuilt, slot: int, limits: Limits) -> None:
        self.unit, self.rebuilt, self.slot, self.limits = unit, rebuilt, slot, limits
        self.points = {info.id: float(info.points) for info in unit.info.exercises}
        self.dropped: dict[int, Lost] = {}  # index of a cell -> why it is no longer run
        self.session: Session | None = None
        self.starts, self.frozen, self.crowded, self.hopeless = 0, False, False, ""
        self.late = False
        self.deadline = time.monotonic() + limits.submission_seconds

    def __enter__(self) -> "_Work":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        if self.session is not None:
            self.session.__exit__()
            self.session = None

    def mark(self, exercise: Exercise, seed: bytes) -> ExerciseResult:
        """Put the tests of one exercise to the notebook."""
        name, points = exercise.name, self.points[exercise.name]
        calls = self._calls(exercise)
        if calls is None:
            return ExerciseResult(name, 0.0, points, "died", self.hopeless, ())
        with calls:
            shortcut, cases, reasons = self._judge(exercise, calls, seed)
        if shortcut or "policy" in reasons:
            return _policy(exercise, points, shortcut or ", ".join(exercise.forbid))
        return self._result(exercise, cases, reasons)

    def _judge(
        self, exercise: Exercise, calls: Calls, seed: bytes
    ) -> tuple[str | None, tuple[CaseResult, ...], list[str]]:
        """A forbidden shortcut or the results of the cases, and why answers did not come.

        Found in a child of this process: the learner's code and values are read and judged there.
        """

        def work() -> Any:
            shortcut = self._shortcut(exercise)
            check = self.unit.checks.get(exercise.name)
            cases = () if shortcut else mark(exercise, calls.ask, seed, check)
            return [shortcut, [asdict(case) for case in cases], calls.reasons]

        seconds = self.limits.judge_seconds
        try:
            shortcut, cases, reasons = apart(
                work,
                processor_seconds=seconds,
                wall_seconds=self.limits.exercise_seconds + PATIENCE * seconds,
            )
        except Overrun:
            shortcut, cases, reasons = None, [asdict(UNJUDGED)], ["timeout"]
        if calls.session.sandbox.over == FULL:  # seen by this process only
            raise SandboxFailed(ENDED)
        return shortcut, tuple(CaseResult(**case) for case in cases), reasons

    def _shortcut(self, exercise: Exercise) -> str | None:
        cells = self.rebuilt.cells
        learner = [cell.source for cell in cells if cell.run and cell.role in ("solution", "extra")]
        known = [cell.source for cell in cells if cell.run and cell.role == "released"]
        return policy.forbidden_use(exercise.name, exercise.forbid, learner, known, exercise.given)

    def _result(
        self, exercise: Exercise, cases: tuple[CaseResult, ...], reasons: list[str]
    ) -> ExerciseResult:
        self.late |= "timeout" in reasons
        earned = round(self.points[exercise.name] * fraction(cases), 4)
        fatal = [reason for reason in reasons if reason != "malformed"]
        status = fatal[0] if fatal and (not earned or fatal[0] in ("timeout", "died")) else "graded"
        message = next((case.message for case in cases if not case.passed), "every property holds")
        for index, lost in self.dropped.items():
            if self.rebuilt.cells[index].grade_id == exercise.name and status == "unsolved":
                status, message = lost.reason, f"this cell was not used: {lost.why}"
        return ExerciseResult(
            exercise.name, earned, self.points[exercise.name], status, message, cases
        )

    def _calls(self, exercise: Exercise) -> Calls | None:
        """A way to call an exercise in a living sandbox; None when there is none to be had."""
        while (session := self._live_session()) is not None:
            try:
                return Calls(session, exercise.name, exercise.forbid)
            except Lost as lost:
                self.late |= lost.reason == "timeout"
        return None

    def _live_session(self) -> Session | None:
        """A sandbox in which the cells have run, a fresh one where the last was lost; None when
        that is hopeless.
        """
        while not self.hopeless and (self.session is None or not self.session.alive):
            self._end()
            left = self.deadline - time.monotonic()
            if self.starts > RERUNS or left < 0:
                self.late |= left < 0
                self.hopeless = (
                    "not graded: the notebook kept ending its Python process or took too long"
                )
                self.rebuilt.notices.append(self.hopeless)
                break
            self.starts += 1
            self.session = Session(self.unit.slug, self.limits, self.slot)
            self._run_cells(self.session, last=self.starts > RERUNS)
        return self.session if not self.hopeless else None

    def _run_cells(self, session: Session, last: bool) -> None:
        """Run every cell that is to be run; the one that ends the sandbox is not run again.

        last: no more attempts follow, so cells the learner added are left out if any cell was lost
        before.
        """
        budget = self.limits.notebook_bytes
        for index, cell in enumerate(self.rebuilt.cells):
            if not cell.run or (cell.role == "extra" and (self.crowded or (last and self.dropped))):
                continue
            source = cell.stub if index in self.dropped else cell.source
            if index in self.dropped and cell.role == "extra":
                continue
            try:
                outputs, count = session.run(source)
            except Lost as lost:
                self._drop(index, cell, lost)
                return
            if not self.frozen and index not in self.dropped:
                budget -= len(json.dumps(outputs)) + SHOWING * len(outputs)
                kept = (
                    outputs
                    if budget > 0
                    else [_stream("[outputs beyond the grader's limit were dropped]\n")]
                )
                cell.notebook |= {"outputs": kept, "execution_count": count}
        self.frozen = True

    def _drop(self, index: int, cell: Cell, lost: Lost) -> None:
        self.late |= lost.reason == "timeout"
        if lost.whole and any(c.role == "extra" for c in self.rebuilt.cells) and not self.crowded:
            self.crowded = True
            self.rebuilt.notices.append(
                f"{lost.why}; the notebook was run again without added cells"
            )
            return
        self.dropped[index] = lost
        name = cell.grade_id or ("a cell you added" if cell.role == "extra" else "a released cell")
        self.rebuilt.notices.append(f"{name}: {lost.why}; the notebook was run again without it")
        cell.notebook |= {"outputs": [_stream(f"This cell was not used: {lost.why}.\n")]}


def _policy(exercise: Exercise, points: float, shortcut: str) -> ExerciseResult:
    message = f"use of {shortcut} is not allowed here: write it yourself"
    return ExerciseResult(exercise.name, 0.0, points, "policy", message, ())


def _stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stderr", "text": text}


def _notebook(rebuilt: Rebuilt, unit: Unit) -> dict[str, Any]:
    about = {key: unit.released[key] for key in ("metadata", "nbformat", "nbformat_minor")}
    return {**about, "cells": [cell.notebook for cell in rebuilt.cells]}
