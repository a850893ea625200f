"""The tests of the tests: whether the hidden tests of a unit can be trusted with a grade.

For each exercise and every seed, blank answers must earn nothing, right ones (the solution, other
styles) must earn everything, wrong ones must lose points and be shown their hint, and every mutant
of the solution must lose points or be listed as equivalent with a reason. Outcomes are written to a
file one by one, so a run that was stopped continues. A unit without a problem is stamped
(`stamps`) and left out until something changes.
"""

import contextlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from autograder.exercise import REASONS
from autograder.files import write_durably
from autograder.sandbox.forks import in_forks
from autograder.verification import answer_bank as answers
from autograder.verification.answer_bank import Equivalent
from autograder.verification.mutation import tidy
from autograder.verification.stamps import Stamp
from autograder.verification.trials import (
    BLANK,
    MUTANT,
    RIGHT,
    SOLUTION,
    WRONG,
    Trial,
    Workbench,
    outcome,
)

SOLUTION_SECONDS = 120.0  # CPU time; of another trial: 2 s and ten times what the solution took
LEAST_RIGHT, LEAST_WRONG, MOST_EQUIVALENT = 2, 3, 0.15
ENDED = {
    "time": "ran out of time",
    "died": "ended the process",
    "stuck": "waited for something that never came",
}

Outcome = Mapping[str, Any]
Progress = Callable[[int, int], None]  # (known, of)


@dataclass(frozen=True)
class Row:
    """The result of verifying one exercise; its tests can be trusted if there are no `problems`."""

    exercise: str
    tests: int
    right: int  # beside the solution
    wrong: int
    killed: int
    mutants: int
    equivalent: int
    seconds: float  # of CPU time, also where the outcomes were known before
    problems: tuple[str, ...]


def verify(
    bench: Workbench,
    kept: Path,
    *,
    workers: int,
    again: bool = False,
    progress: Progress = lambda known, of: None,
) -> list[Row]:
    """Verify the tests of a unit, one row an exercise.

    kept: the file of outcomes known from before; `again` tries everything afresh.
    """
    trials = [trial for name in bench.unit.exercises for trial in bench.trials(name)]
    wanted = {trial.key for trial in trials}
    ledger = Ledger(kept, () if again else wanted)
    for batch in ([trial for trial in trials if trial.name == SOLUTION], trials):
        todo = [trial for trial in batch if trial.key not in ledger.known]
        if todo:
            bench.work()  # once, before the forks
        limit = partial(_limit, _solution_seconds(trials, ledger.known))
        for fork in in_forks(partial(outcome, bench), todo, workers=workers, cpu_seconds=limit):
            ledger.add(fork.item.key, fork.value or {"ended": fork.ended})
            progress(len(ledger.known), len(wanted))
    listed = answers.equivalents(bench.written)
    return [
        _row(
            name,
            len(exercise.cases) + 1,  # the visible check is one of them
            [(trial, ledger.known[trial.key]) for trial in trials if trial.exercise == name],
            [entry for entry in listed if entry.exercise == name],
        )
        for name, exercise in bench.unit.exercises.items()
    ]


def _solution_seconds(trials: Iterable[Trial], known: Mapping[str, Outcome]) -> dict[str, float]:
    return {
        trial.exercise: float(known[trial.key].get("seconds", 0))
        for trial in trials
        if trial.name == SOLUTION and trial.key in known
    }


def _limit(taken: Mapping[str, float], trial: Trial) -> float:
    return SOLUTION_SECONDS if trial.name == SOLUTION else 2 + 10 * taken[trial.exercise]


def verify_course(
    root: Path, slugs: Iterable[str], *, workers: int, again: bool = False
) -> list[str]:
    """Verify units one after the other, print a table for each, and return all problems.

    again: try everything afresh, also where nothing changed.
    """
    problems = list[str]()
    for slug in slugs:
        bench = Workbench.of(root, slug)
        stamp = Stamp(
            root, bench, "right, wrong, mutants", Path(__file__).read_text(encoding="utf-8")
        )
        if stamp.stands() and not again:
            print(f"{slug}: verified before, and nothing changed (--all tries it again)")
            continue
        with progress_bar(slug, "answer") as (_, progress):
            kept = root / "build" / "verify" / f"{slug}.jsonl"
            rows = verify(bench, kept, workers=workers, again=again, progress=progress)
        print(f"\n{slug}\n{table(rows)}\n")
        found = [f"{slug} {row.exercise}: {said}" for row in rows for said in row.problems]
        problems += found
        if not found:
            stamp.write()
    return problems


@contextlib.contextmanager
def progress_bar(what: str, unit: str) -> Iterator[tuple[Any, Progress]]:
    """Show a bar, and yield it with the function that moves it."""
    tqdm.monitor_interval = 0  # its thread would be in every fork
    with tqdm(desc=what, unit=unit, disable=None) as bar:

        def progress(known: int, of: int) -> None:
            bar.total = of
            bar.update(known - bar.n)

        yield bar, progress


class Ledger:
    """Outcomes by the keys of their trials, one line of JSON each, written at once."""

    def __init__(self, path: Path, wanted: Collection[str]) -> None:
        self.path, self.known = path, dict[str, Outcome]()
        for line in path.read_text().splitlines() if path.is_file() else ():
            with contextlib.suppress(ValueError, TypeError):  # cut off when a run was killed
                key, outcome = json.loads(line)
                if key in wanted:
                    self.known[key] = outcome
        write_durably(path, "".join(map(_line, self.known.items())))

    def add(self, key: str, outcome: Outcome) -> None:
        """Keep an outcome, and write it down unless the machine may be the cause of it."""
        self.known[key] = outcome
        if outcome.get("ended") not in ("died", "stuck"):
            with self.path.open("a") as file:
                file.write(_line((key, outcome)))


def _line(entry: tuple[str, Outcome]) -> str:
    return json.dumps(entry) + "\n"


# What is wrong


def _row(
    name: str,
    tests: int,
    fates: Sequence[tuple[Trial, Outcome]],
    listed: Sequence[Equivalent],
) -> Row:
    kinds = {kind: [fate for fate in fates if fate[0].kind == kind] for kind in (RIGHT, WRONG)}
    right, wrong = len(kinds[RIGHT]) - 1, len(kinds[WRONG])
    mutants = [fate for fate in fates if fate[0].kind == MUTANT]
    survivors = [trial for trial, outcome in mutants if _survives(outcome)]
    problems = [problem for trial, outcome in fates if (problem := _problem(trial, outcome))]
    if right < LEAST_RIGHT or wrong < LEAST_WRONG:
        wanted = f"{LEAST_RIGHT} right and {LEAST_WRONG} wrong answers"
        problems.append(f"expected at least {wanted}, got {right} and {wrong}")
    if _problem(*kinds[RIGHT][0]) is None:  # mutants of a wrong solution mean nothing
        problems += _unjustified(survivors, listed, {trial.line for trial, _ in mutants})
        if len(survivors) > MOST_EQUIVALENT * len(mutants):
            problems.append(
                f"{len(survivors)} of {len(mutants)} mutants survive, listed or not: "
                f"expected {MOST_EQUIVALENT:.0%} at the most"
            )
    return Row(
        name,
        tests,
        right,
        wrong,
        killed=len(mutants) - len(survivors),
        mutants=len(mutants),
        equivalent=sum(len(entry.lines) for entry in listed),
        seconds=sum(float(outcome.get("seconds", 0)) for _, outcome in fates),
        problems=tuple(problems),
    )


def _survives(outcome: Outcome) -> bool:
    return any(fraction == 1 for fraction, _ in outcome.get("seeds", ()))


def _problem(trial: Trial, outcome: Outcome) -> str | None:
    """Return what this trial shows to be wrong with the tests; survivors are judged together."""
    about = f"{trial.kind} answer, {trial.name}"
    if "crashed" in outcome:
        return f"{about}: the tests themselves fail, nobody could grade it: {outcome['crashed']}"
    if ended := outcome.get("ended"):
        told = trial.kind == MUTANT or (trial.kind == WRONG and trial.hint in REASONS["timeout"])
        caught = ended == "time" and told
        return None if caught else f"{about}: it {ENDED[ended]}"
    for seed, (fraction, shown) in enumerate(outcome["seeds"]):
        if complaint := _complaint(trial, fraction, shown):
            return f"{about}: with seed {seed} it {complaint}"
    return None


def _complaint(trial: Trial, fraction: float, shown: Sequence[str]) -> str | None:
    if trial.kind == RIGHT and fraction < 1:
        return f"loses points and is told: {' / '.join(shown)}"
    if trial.kind == BLANK and fraction > 0:
        return f"earns {fraction:.0%} of the points"
    if trial.kind == BLANK and not all(shown):
        return "is told nothing"
    if trial.kind == WRONG and fraction == 1:
        return "keeps all points"
    if trial.kind == WRONG and trial.hint.lower() not in shown[0].lower():
        return f"is not told {trial.hint!r} first, but: {' / '.join(shown)}"
    return None


def _unjustified(
    survivors: Sequence[Trial], listed: Iterable[Equivalent], lines: Collection[str]
) -> Iterator[str]:
    """Yield survivors not listed, and what is listed without reason, is killed, or is no mutant."""
    known = set[str]()
    for entry in listed:
        known |= {tidy(line) for line in entry.lines}
        if not entry.because.strip():
            yield f"listed as equivalent without a reason: {' / '.join(entry.lines)}"
    for line in sorted(known - {trial.line for trial in survivors}):
        fate = "is killed" if line in lines else "is no mutant"
        yield f"listed as equivalent, but {fate}: {line}"
    for trial in survivors:
        if trial.line not in known:
            yield f"a mutant survives: {trial.name}"


# The table


def table(rows: Iterable[Row]) -> str:
    """Return exercises by what was tried, as text for a terminal."""
    head = ["exercise", "tests", "right", "wrong", "killed", "equivalent", "seconds"]
    lines = [head]
    for row in rows:
        numbers = [row.tests, row.right, row.wrong, f"{row.killed}/{row.mutants}", row.equivalent]
        lines.append([row.exercise, *map(str, numbers), f"{row.seconds:.1f}"])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in lines
    )
