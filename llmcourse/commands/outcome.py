"""What one executed notebook showed: claims, records, ladder rows, figures, and where it stopped.

Reads the executed notebook and the records its runtime wrote; runs nothing and prints nothing.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmcourse.commands.notebook import MAY_RAISE, NotebookProcess
from llmcourse.runtime import committed_ladder

SECONDS_ALLOWED = {"smoke": 15, "cpu": 120, "gpu": 300}
MIB_ALLOWED = 2048  # at preset cpu
DRIFT_ALLOWED = 0.02  # bits per character between a run and the committed ladder


@dataclass
class Failure:
    """Where a notebook stopped."""

    where: str  # "In [7]" as the executed notebook numbers it, and the heading above
    source: str
    message: str
    traceback: str


@dataclass
class Figure:
    """A picture a cell displayed."""

    caption: str  # the heading above the cell
    data: str  # PNG in base64


@dataclass
class Outcome:
    """What one notebook did."""

    slug: str
    status: str  # passed | failed | died | interrupted | not run
    seconds: float  # wall time, kernel start included
    peak_mib: float  # resident memory of the kernel and its children, sampled
    claims: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    ladder: list[dict[str, Any]] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    failure: Failure | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def broken_claims(self) -> list[dict[str, Any]]:
        """Enforced claims that do not hold."""
        return [claim for claim in self.claims if claim["enforced"] and not claim["holds"]]


@dataclass
class Report:
    """One run over several notebooks."""

    preset: str
    device: str
    seed: int
    started: str  # local time, ISO 8601
    seconds: float
    outcomes: list[Outcome]
    slowness: float = 1.0  # time of a fixed computation over that on the reference machine

    @property
    def ok(self) -> bool:
        """Every notebook ran to its end and every enforced claim holds."""
        return all(one.status == "passed" and not one.broken_claims for one in self.outcomes)


def collect(process: NotebookProcess, executed: Path) -> Outcome:
    """Return the outcome of an ended process; `executed` is its notebook, if it got that far."""
    ended = process.outcome
    one = Outcome(executed.stem, ended["status"], process.seconds, process.peak_bytes / 2**20)
    lists = {"claim": one.claims, "record": one.records, "ladder": one.ladder}
    for record in process.records:
        kind = record.pop("kind", "")
        if kind in lists:
            lists[kind].append({key: finite(value) for key, value in record.items()})
    if executed.exists():
        cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
        one.figures, one.failure = figures(cells), failure(cells)
        one.status = "failed" if one.failure else "passed"  # papermill ignores sys.exit()
    if one.status != "passed" and one.failure is None:
        where = f"cell {process.cell + 1} of {process.cells}"
        source, traceback = ended.get("source", ""), ended.get("traceback", "")
        one.failure = Failure(where, source, ended["message"], traceback)
    return one


def figures(cells: list[dict[str, Any]]) -> list[Figure]:
    """Return every PNG that a cell displayed, in order."""
    found = []
    for cell, heading in zip(cells, headings(cells), strict=True):
        for shown in cell.get("outputs", []):
            data = shown.get("data", {}).get("image/png")
            if data:
                found.append(Figure(heading, "".join(text_of(data).split())))
    return found


def failure(cells: list[dict[str, Any]]) -> Failure | None:
    """Return the first cell that raised and may not, else the first that should have run.

    A cell tagged `raises-exception` may raise; an empty or a `skip-execution` cell never runs.
    """
    found = list(zip(cells, headings(cells), strict=True))
    skipped = [(cell, heading) for cell, heading in found if _never_ran(cell)]
    for cell, heading in found:
        error = next((o for o in cell.get("outputs", []) if o["output_type"] == "error"), None)
        if error is None or MAY_RAISE in _tags(cell):
            continue
        message = f"{error['ename']}: {error['evalue']}".rstrip(": ")
        if error["ename"] == "SystemExit":
            message += f" ended the notebook; cells that did not run: {len(skipped)}"
        traceback = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", "\n".join(error["traceback"]))
        return _failure(f"In [{cell['execution_count']}]", cell, heading, message, traceback)
    if not skipped:
        return None
    cell, heading = skipped[0]
    where = f"cell {cells.index(cell) + 1} of {len(cells)}"
    return _failure(where, cell, heading, "this cell never ran: the notebook ended above it", "")


def _failure(
    where: str, cell: dict[str, Any], heading: str, message: str, traceback: str
) -> Failure:
    under = f", under {heading!r}" if heading else ""
    return Failure(where + under, text_of(cell["source"]), message, traceback)


def _never_ran(cell: dict[str, Any]) -> bool:
    """Say whether a cell that nbclient would have run has no execution count."""
    return (
        cell["cell_type"] == "code"
        and cell["execution_count"] is None
        and bool(text_of(cell["source"]).strip())
        and "skip-execution" not in _tags(cell)
    )


def _tags(cell: dict[str, Any]) -> list[str]:
    return list(cell["metadata"].get("tags", []))


def warnings(one: Outcome, preset: str, slowness: float = 1.0) -> list[str]:
    """Return what is over its budget, and at `cpu` which ladder rows are not the committed ones.

    slowness: of this machine (`probe`); above 1 it stretches the seconds allowed.
    """
    found = []
    allowed = SECONDS_ALLOWED[preset] * max(1.0, slowness)
    if one.seconds > allowed:
        found.append(f"took {one.seconds:.0f} s; {preset} allows {allowed:.0f} s on this machine")
    if preset != "cpu":
        return found
    if one.peak_mib > MIB_ALLOWED:
        found.append(f"used {one.peak_mib:.0f} MiB of memory; {preset} allows {MIB_ALLOWED} MiB")
    committed = {(row.corpus, row.model): row.bits_per_char for row in committed_ladder()}
    texts = {corpus for corpus, _ in committed}
    for row in one.ladder:
        if row["corpus"] not in texts:
            continue  # a text of the reader's own, or of another Python: nothing to compare with
        was, now = committed.get((row["corpus"], row["model"])), row["bits_per_char"]
        name = f"ladder: {row['model']} on {row['corpus']}"
        if was is None:
            found.append(f"{name} has no committed row in llmcourse/ladder.json")
        elif isinstance(now, str) or abs(now - was) > DRIFT_ALLOWED:
            score = now if isinstance(now, str) else f"{now:.3f}"
            found.append(f"{name} scores {score} bits per character; {was:.3f} is committed")
    return found


def headings(cells: list[dict[str, Any]]) -> list[str]:
    """Return, for each cell, the last markdown heading at or above it ("" before the first)."""
    last, found = "", []
    for cell in cells:
        if cell["cell_type"] == "markdown":
            lines = re.findall(r"^#+ +(.+)$", text_of(cell["source"]), re.MULTILINE)
            last = lines[-1] if lines else last
        found.append(last)
    return found


def text_of(lines: str | list[str]) -> str:
    """Return text that a notebook file may hold as a list of lines."""
    return lines if isinstance(lines, str) else "".join(lines)


def finite(value: Any) -> Any:
    """Return the value, or its text where JSON has no such number (nan, inf)."""
    return str(value) if isinstance(value, float) and value - value != 0 else value
