"""Check that no secret decides a grade: right and wrong answers with thousands of seeds.

Every right answer must keep all points with every seed, and every wrong one lose some with each of
the first 200. So no drawn input makes a right value look like a mistake, or a mistake like the
right value. Inputs and expected values are made once a seed and used for all answers, except inputs
with functions among them, which may have a memory: these are made for each answer.
"""

import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from autograder.exercise import Case, Exercise, Input, NoAnswer, Outcome, drawn, judged
from autograder.files import write_durably
from autograder.sandbox import wire
from autograder.sandbox.forks import in_forks
from autograder.verification.local import ask, run_locally
from autograder.verification.stamps import Stamp
from autograder.verification.trials import RIGHT, Trial, Workbench
from autograder.verification.trust import ENDED, Ledger, Progress, progress_bar

CHUNK = 250  # seeds in one fork
WRONG_SEEDS = 200  # that wrong answers get; right ones get all
CALL_SECONDS = 5.0  # of CPU time; a wrong answer may loop for ever
CHUNK_SECONDS = 3600.0
SHOWN = 3  # failures of an exercise in its line


@dataclass(frozen=True)
class Line:
    """What the seeds showed of one exercise."""

    exercise: str
    seeds: int
    right: int
    wrong: int
    failures: tuple[str, ...]
    seconds: float  # of CPU time, also where it was known before

    def __str__(self) -> str:
        answers = f"{self.right} right and {self.wrong} wrong answers"
        first = "".join(f"\n    {failure}" for failure in self.failures[:SHOWN])
        return (
            f"{self.exercise}: {self.seeds} seeds, {answers}, {len(self.failures)} failures, "
            f"{self.seconds:.0f} s{first}"
        )


def secret(number: int) -> bytes:
    """Return the seed with this number."""
    return b"secret%d" % number


def try_seeds(
    bench: Workbench,
    kept: Path,
    seeds: int,
    *,
    workers: int,
    again: bool = False,
    progress: Progress = lambda known, of: None,
) -> Iterator[Line]:
    """Try the answers of a unit with so many seeds; yield a line for each exercise, in order.

    kept: the file of earlier outcomes, so that a run that was stopped continues.
    """
    chunks = [range(start, min(start + CHUNK, seeds)) for start in range(0, seeds, CHUNK)]
    items = [(name, chunk) for name in bench.unit.exercises for chunk in chunks]
    keys = {
        item: bench.whole_key(item[0], "seeds", str(item[1]), str(WRONG_SEEDS)) for item in items
    }
    ledger = Ledger(kept, () if again else set(keys.values()))
    todo = [item for item in items if keys[item] not in ledger.known]
    if todo:
        bench.work()  # once, before the forks
    done = in_forks(
        partial(_chunk, bench), todo, workers=workers, cpu_seconds=lambda item: CHUNK_SECONDS
    )
    for name in bench.unit.exercises:
        mine = [(keys[name, chunk], chunk) for chunk in chunks]
        while any(key not in ledger.known for key, _ in mine):
            fork = next(done)
            ledger.add(keys[fork.item], fork.value or {"ended": fork.ended})
            progress(len(ledger.known), len(items))
        yield _line(bench, name, seeds, [(chunk, ledger.known[key]) for key, chunk in mine])


def try_course(
    root: Path,
    slugs: Sequence[str],
    seeds: int,
    *,
    workers: int,
    again: bool = False,
    record: Path | None = None,
) -> bool:
    """Try units one after the other, print a line an exercise, and return whether none failed.

    again: try everything afresh, also where nothing changed. record: a markdown
    file that gets the lines, the command and the date, for which all are needed.
    """
    lines = list[Line]()
    for slug in slugs:
        bench = Workbench.of(root, slug)
        stamp = Stamp(root, bench, f"{seeds} seeds", Path(__file__).read_text(encoding="utf-8"))
        if stamp.stands() and not again and record is None:
            print(f"{slug}: tried with {seeds} seeds before, and nothing changed")
            continue
        before = len(lines)
        with progress_bar(slug, "chunk") as (bar, progress):
            kept = root / "build" / "verify" / f"{slug}.seeds.jsonl"
            for line in try_seeds(
                bench, kept, seeds, workers=workers, again=again, progress=progress
            ):
                with bar.external_write_mode():
                    print(f"{slug} {line}", flush=True)
                lines.append(line)
        if not any(line.failures for line in lines[before:]):
            stamp.write()
    if record is not None:
        write_durably(record, _record(lines, seeds))
    return not any(line.failures for line in lines)


def _record(lines: Sequence[Line], seeds: int) -> str:
    hours = sum(line.seconds for line in lines) / 3600
    failures = sum(len(line.failures) for line in lines)
    rows = [
        f"| {line.exercise} | {line.seeds:,} | {line.right} | {line.wrong} | {len(line.failures)} |"
        for line in lines
    ]
    return "\n".join(
        [
            "# Secrets",
            "",
            f"`autograder verify --seeds {seeds}`, {datetime.now(UTC):%Y-%m-%d}, {hours:.1f} hours "
            f"of processor time: {failures} failures. Right answers keep all points with every "
            f"seed, wrong ones lose some with each of the first {min(seeds, WRONG_SEEDS)}.",
            "",
            "| exercise | seeds | right answers | wrong answers | failures |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _line(
    bench: Workbench, name: str, seeds: int, found: Iterable[tuple[range, Mapping[str, Any]]]
) -> Line:
    failures, seconds = list[str](), 0.0
    for chunk, outcome in found:
        if "ended" in outcome:
            failures.append(f"seeds {chunk.start} to {chunk[-1]}: {ENDED[outcome['ended']]}")
        failures += outcome.get("failures", ())
        seconds += float(outcome.get("seconds", 0))
    kinds = [trial.kind for trial in bench.written_trials(name)]
    right = kinds.count(RIGHT)
    return Line(name, seeds, right, len(kinds) - right, tuple(failures), seconds)


def _chunk(bench: Workbench, item: tuple[str, range]) -> dict[str, Any]:
    """Return {"failures": lines of text, "seconds": of CPU time}."""
    name, seeds = item
    signal.signal(signal.SIGVTALRM, _stop)
    started, failures = time.process_time(), list[str]()
    answers = [_Answer(trial, trial.make()) for trial in bench.written_trials(name)]
    right = [answer for answer in answers if answer.trial.kind == RIGHT]
    for number in seeds:
        seed = _Seed(bench.unit.exercises[name], secret(number))
        try:
            for answer in answers if number < WRONG_SEEDS else right:
                said = answer.complaint(seed, bench)
                if said is not None:
                    about = f"{answer.trial.kind} answer, {answer.trial.name}"
                    failures.append(f"seed {number}: {about}: {said}")
        except Exception as error:
            what = f"{type(error).__name__}: {error}"[:300]
            failures.append(f"seed {number}: the tests themselves fail: {what}")
    return {"failures": failures, "seconds": time.process_time() - started}


class _Seed:
    """The inputs of all cases of an exercise with one seed."""

    def __init__(self, exercise: Exercise, seed: bytes) -> None:
        self.exercise, self.seed = exercise, seed
        self._shared: dict[str, list[Input]] = {}

    def inputs(self, case: Case) -> list[Input]:
        """Return the inputs of a case: made once, but for each answer if they hold a function."""
        if case.property in self._shared:
            return self._shared[case.property]
        functions, made = list[Any](), drawn(case, self.seed)

        def register(function: Any) -> int:
            functions.append(function)
            return 0

        for args, _ in made:
            wire.pack(args, register)
        if not functions:
            self._shared[case.property] = made
        return made


class _Answer:
    """One answer; a wrong one is first tried with the case that it failed last."""

    def __init__(self, trial: Trial, function: Any) -> None:
        self.trial, self.function = trial, function
        self.endless = self.visibly = False
        self.first: Case | None = None

    def complaint(self, seed: _Seed, bench: Workbench) -> str | None:
        """Return what is wrong with the tests, as far as this answer shows with this seed."""
        if self.trial.kind == RIGHT:
            lost = self.lost(seed, seed.exercise.cases)
            return f"loses points and is told: {lost}" if lost else None
        if self.endless or self.visibly:
            return None
        cases = sorted(seed.exercise.cases, key=lambda case: case is not self.first)
        if self.lost(seed, cases) or self.fails_visibly(bench):
            return None
        return "keeps all points"

    def lost(self, seed: _Seed, cases: Sequence[Case]) -> str | None:
        """Return the first failed property and its message; None if the answer keeps all points."""
        for case in cases:
            for args, judge in seed.inputs(case):
                message = judged(self.outcome(seed.exercise, args), judge)
                if message is not None:
                    self.first = case
                    return f"{case.property}: {message}"
        return None

    def outcome(self, exercise: Exercise, args: tuple[Any, ...]) -> Outcome:
        """Return the outcome of a call; note in `endless` an answer that does not end."""
        signal.setitimer(signal.ITIMER_VIRTUAL, CALL_SECONDS)
        try:
            return ask(self.function, exercise.probe_source, args, exercise.given, exercise.seconds)
        except _TooLong:
            self.endless = True
            return NoAnswer("timeout")
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def fails_visibly(self, bench: Workbench) -> bool:
        """Say whether the answer fails the visible check, which depends on no seed."""
        name = self.trial.exercise
        visible_only = replace(bench.unit.exercises[name], cases=[])
        [result] = run_locally(visible_only, self.function, b"", bench.unit.checks[name])
        self.visibly = not result.passed
        return self.visibly


class _TooLong(BaseException):
    """A call used up its time."""


def _stop(*_: object) -> None:
    raise _TooLong
