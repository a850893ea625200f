"""Run the course's notebooks side by side and report what they showed: `llmcourse run`, `make run`.

Each notebook is executed by papermill in a worker process of its own (`notebook`): one worker a
core, one thread each, because two torch processes with two threads each on two cores run ten times
slower. The executed notebooks, `report.html` and `report.json` go to the output folder.

The run fails if a cell raises, a kernel dies, a cell that should have run did not (after
`sys.exit()`, say), or an enforced claim does not hold. A warning is given for a model of the ladder
whose score differs from its committed row, and for a notebook over its time; the time is stretched
on a machine slower than the reference (`probe`).
"""

import errno
import json
import os
import re
import shutil
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from llmcourse.commands import report as run_report
from llmcourse.commands.notebook import NotebookProcess
from llmcourse.commands.outcome import Outcome, Report, collect, warnings
from llmcourse.commands.probe import slowness
from llmcourse.notebook_file import names_slug
from llmcourse.runtime import SetupError, repository_root, setup


class RunError(Exception):
    """The run could not be done; one line for the terminal, exit 1."""

    exit_code = 1


class UsageError(RunError):
    """The command asks for something that does not exist; one line for the terminal, exit 2."""

    exit_code = 2


class Interrupted(RunError):
    """A signal ended the work; exit 128 + its number, as shells do."""

    def __init__(self, number: int, done: str = "") -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}{done}")
        self.exit_code = 128 + number


def find_root() -> Path:
    """Return the clone of the course around the working directory, or else around this package."""
    root = repository_root() or repository_root(Path(__file__).parent)
    if root is None:
        raise UsageError(
            "no course here: expected a folder with course/ and pyproject.toml, got none at or "
            f"above {Path.cwd()}; cd into the course"
        )
    return root


def find_notebooks(folder: Path, wanted: str = "") -> list[Path]:
    """Return the notebooks `folder/NN_slug/NN_slug.ipynb`, in order.

    wanted: numbers or slugs separated by spaces or commas ("01 02_ngrams"); empty for all.
    Raises UsageError if there is none at all, or none of that name.
    """
    paths = sorted(folder.glob("*/*.ipynb"))
    known = {path.stem: path for path in paths if path.stem == path.parent.name}
    if not known:
        raise UsageError(
            f"no notebooks in {folder}: expected NN_slug/NN_slug.ipynb there; "
            "cd into a clone of the course or pass --folder"
        )
    names = re.findall(r"[^\s,]+", wanted) or list(known)
    return [known[slug] for slug in dict.fromkeys(slug_of(name, known) for name in names)]


def slug_of(name: str, known: Iterable[str]) -> str:
    """Return the known slug that a number ("2", "02") or a slug names; else raise UsageError."""
    for slug in known:
        if names_slug(name, slug):
            return slug
    raise UsageError(f"no notebook {name!r}: expected a number or a name of {', '.join(known)}")


def run_notebooks(
    folder: Path,
    output: Path,
    *,
    wanted: str = "",
    preset: str = "cpu",
    device: str = "auto",
    seed: int = 0,
    jobs: int | None = None,
) -> Report:
    """Execute the notebooks and write the reports; prints as it goes.

    jobs: notebooks at a time; None for one a core, or one in all where they would share a GPU.
    Raises UsageError or RunError, one line each. A notebook that fails is an outcome, no exception.
    """
    try:
        preset = setup(preset, device, seed).preset
    except SetupError as error:
        raise UsageError(str(error)) from None
    notebooks = find_notebooks(folder, wanted)
    for path in notebooks:
        if path.resolve() == (output / path.name).resolve():
            raise UsageError(f"--output {output} would overwrite {path}: name another folder")
    if jobs is None:
        jobs = 1 if preset == "gpu" or device == "cuda" else cores()
    if jobs < 1:
        raise UsageError(f"expected --jobs of 1 or more, got {jobs}: run at least one at a time")
    report = Report(preset, device, seed, time.strftime("%Y-%m-%dT%H:%M:%S"), 0.0, [])
    parameters = {"preset": preset, "device": device, "seed": seed}
    report.slowness = slowness()
    started = time.monotonic()
    with writing_to(output):
        output.mkdir(parents=True, exist_ok=True)
        queue = longest_first(notebooks, output / "report.json")
        _make_ready(output, queue)
    number = "1 notebook" if len(queue) == 1 else f"{len(queue)} notebooks"
    settings = f"preset {preset}, device {device}, seed {seed}"
    print(f"{number}, {min(jobs, len(queue))} at a time: {settings}", flush=True)
    with interrupts() as caught:
        outcomes = list(_execute(queue, output, parameters, jobs, caught))
        report.outcomes = sorted(outcomes, key=lambda one: one.slug)
        report.seconds = time.monotonic() - started
        report.slowness = max(report.slowness, slowness())  # it may have become busy meanwhile
        for one in report.outcomes:
            one.warnings = warnings(one, preset, report.slowness)
        print(run_report.details(report), end="", flush=True)
        with writing_to(output):
            run_report.write(report, output)
    if caught:
        finished = sum(one.status not in ("interrupted", "not run") for one in outcomes)
        raise Interrupted(caught[0], f": {finished} of {len(outcomes)} notebooks had finished")
    print(f"{run_report.headline(report)}\nreport: {output / 'report.html'}")
    return report


def _make_ready(output: Path, notebooks: list[Path]) -> None:
    """Remove earlier results, so that none is taken for this run's, and copy the figures."""
    for name in ("report.html", "report.json", *(path.name for path in notebooks)):
        (output / name).unlink(missing_ok=True)
    for figures in (path.with_name("figures") for path in notebooks):
        if figures.is_dir():  # the drawings in the text; their names differ from unit to unit
            shutil.copytree(figures, output / "figures", dirs_exist_ok=True)


def keep_ladder(report: Report, path: Path, every_notebook: bool) -> None:
    """Write the run's ladder rows to `path`, in the order of the course.

    every_notebook: whether the run was over all of them. Then its rows replace the whole file, else
    only the rows of the same models. Raises UsageError unless the run was at `cpu`, RunError unless
    it passed and can be written.
    """
    if report.preset != "cpu":
        raise UsageError(
            f"expected --ladder at preset cpu, got {report.preset}: add --preset cpu, unset "
            "LLMCOURSE_PRESET"
        )
    if not report.ok:
        raise RunError("the ladder was not changed, because the run failed: mend it and run again")
    before = [] if every_notebook else json.loads(path.read_text(encoding="utf-8"))
    now = [row for one in report.outcomes for row in one.ladder]
    rows = {(row["corpus"], row["model"]): row for row in [*before, *now]}
    for row in rows.values():
        row |= {
            "bits_per_char": round(row["bits_per_char"], 4),
            "seconds": round(row["seconds"], 2),
        }
    with writing_to(path):
        run_report.replace({path: json.dumps(list(rows.values()), indent=1) + "\n"})


def longest_first(notebooks: list[Path], report: Path) -> list[Path]:
    """Return the notebooks, those first that took longest in the last report or are not in it."""
    try:
        last = json.loads(report.read_text(encoding="utf-8"))["outcomes"]
        seconds = {one["slug"]: float(one["seconds"]) for one in last}
    except (OSError, ValueError, KeyError, TypeError):
        seconds = {}
    return sorted(notebooks, key=lambda path: -seconds.get(path.stem, float("inf")))


def cores() -> int:
    """Count the processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turn a full disk or an unwritable folder into one clear line."""
    try:
        yield
    except OSError as error:
        raise _cannot_write(error.filename or folder, error.strerror, error.errno) from None


def _cannot_write(place: Any, reason: Any, number: int | None) -> RunError:
    full = number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "free some space" if full else "make it writable or name another --output"
    return RunError(f"cannot write {place}: {reason}; {remedy}")


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """Collect SIGINT, SIGTERM and SIGHUP in a list: the caller cleans up, then ends."""
    caught: list[int] = []
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {n: signal.signal(n, lambda number, _: caught.append(number)) for n in numbers}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _execute(
    queue: list[Path], output: Path, parameters: dict[str, Any], jobs: int, caught: list[int]
) -> Iterator[Outcome]:
    """Yield the outcome of each notebook as it ends, at most `jobs` running at a time.

    Once a signal is caught, stop all and yield the rest as interrupted or not run.
    """
    width = max(len(path.stem) for path in queue)
    waiting = list(queue)
    running: dict[Path, NotebookProcess] = {}
    bar = tqdm(total=len(queue), unit="notebook", disable=None, leave=False)
    try:
        while (waiting or running) and not caught:
            while waiting and len(running) < jobs:
                notebook = waiting.pop(0)
                with writing_to(output):
                    target = output / notebook.name
                    running[notebook] = NotebookProcess(notebook, target, parameters)
            for notebook, process in list(running.items()):
                with writing_to(output):
                    ended = process.poll()
                if not ended:
                    continue
                if process.outcome["status"] == "unwritable":
                    told = process.outcome
                    raise _cannot_write(output / notebook.name, told["message"], told["errno"])
                outcome = collect(process, output / notebook.name)
                process.stop()
                del running[notebook]
                bar.update()
                with bar.external_write_mode():
                    print(run_report.line(outcome, width), flush=True)
                yield outcome
            where = [f"{path.stem} {one.cell}/{one.cells}" for path, one in running.items()]
            bar.set_postfix_str(", ".join(where))
            time.sleep(0.1)
    finally:
        for process in running.values():
            process.stop()
        bar.close()
    for notebook, process in running.items():
        peak = process.peak_bytes / 2**20
        yield Outcome(notebook.stem, "interrupted", process.seconds, peak)
    for notebook in waiting:
        yield Outcome(notebook.stem, "not run", 0.0, 0.0)
