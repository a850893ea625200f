"""The runs of one submission's cells, each in a fresh sandbox, until one runs to its end.

A cell that ends the process, does not end, or leaves something running that ends the process is
replaced by its released stub (an added cell is left out), and all cells are run again. The state at
each check is kept, so that an exercise can be called as the learner saw it pass.
"""

import json
from collections.abc import Sequence
from typing import Any

from autograder.grading.culprits import Culprits
from autograder.grading.program import OWN, Cell, Rebuilt
from autograder.sandbox.limits import Limits
from autograder.sandbox.session import Calls, Lost, Ran, Session

SHOWING = 2_000  # characters that each output costs besides its own, since showing one takes time
RERUNS = 3  # fresh sandboxes after the first one
LONG = 0.02  # of the time for all cells: added cells that took longer are left out first


class Attempts:
    """The sandboxes of one submission, one after the other; a context manager."""

    def __init__(self, slug: str, rebuilt: Rebuilt, slot: int, limits: Limits) -> None:
        self.slug, self.rebuilt, self.slot, self.limits = slug, rebuilt, slot, limits
        self.culprits = Culprits()
        self.stopped: dict[str, str] = {}  # grade_id -> the exception that ended the cell
        self.took: dict[int, float] = {}  # seconds, by index of the cell
        self.again: list[int] = []  # cells that ran once more after the last one
        self.harmless = set[int]()  # cells that once ended soon and left nothing running
        self.session: Session | None = None
        self.made = 0  # `Calls` in this sandbox
        self.starts, self.frozen, self.hopeless = 0, False, ""
        self.late = False
        self.spent = 0.0  # seconds of the sandboxes that are gone

    def __enter__(self) -> "Attempts":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        if self.session is not None:
            self.spent += self.session.spent
            self.session.__exit__()
            self.session = None

    def goes_on(self, name: str) -> bool:
        """Say whether anything is run after the check of an exercise."""
        cells = iter(self.rebuilt.cells)
        return any(cell.grade_id == f"{name}_check" for cell in cells) and any(c.run for c in cells)

    def calls(self, name: str, forbid: tuple[str, ...], kept: str) -> Calls | None:
        """Return a way to call an exercise in a live sandbox; None if no attempt gives one.

        kept: the exercise whose check marks the state of the notebook to call; "" for its end.
        """
        while (session := self._live_session()) is not None:
            try:
                calls = Calls(session, name, forbid, kept)
                self.made += 1
                return calls
            except Lost as lost:
                self.late |= lost.reason == "timeout"
                if not self.made:  # no call was made yet, so a cell has ended it
                    self.culprits.searching = not self._blame(None, lost)
        return None

    def _live_session(self) -> Session | None:
        """Return a sandbox in which the cells have run, a fresh one if the last was lost.

        None after too many attempts, or when the time is used up.
        """
        while not self.hopeless and (self.session is None or not self.session.alive):
            self._end()
            left = self.limits.submission_seconds - self.spent
            if self.starts > RERUNS or left < 0:
                self.late |= left < 0
                self.hopeless = (
                    "not graded: the notebook kept ending its Python process or took too long"
                )
                self.rebuilt.notices.append(self.hopeless)
                break
            self.starts += 1
            self.made = 0
            self.session = Session(self.slug, self.limits, self.slot)
            self._run_cells(self.session, last=self.starts > RERUNS)
        return self.session if not self.hopeless else None

    def _run_cells(self, session: Session, last: bool) -> None:
        """Run all cells, then again those that lacked a name which may be defined further down.

        In place of a dropped answer its stub is run. last: no more attempts follow, so if any cell
        was dropped, only harmless ones of the added cells run.
        """
        self.culprits.begin()
        budget = self.limits.notebook_bytes
        unnamed = []  # cells that lacked a name, which one further down may have defined
        alone = last and bool(self.culprits.dropped)
        for index, cell in enumerate(self.rebuilt.cells):
            dropped = index in self.culprits.dropped
            if cell.role == "extra" and (dropped or (alone and index not in self.harmless)):
                continue
            try:
                if cell.role == "check" and self.goes_on(name := _exercise(cell)):
                    session.keep(name)
                elif cell.run:
                    instead = cell.stub if cell.role == "solution" else ""
                    ran = self._run(session, index, instead if dropped else cell.program)
                    unnamed += [index] if ran.stopped == "NameError" and not dropped else []
                    if cell.role in OWN and ran.left:
                        self.culprits.left_something(index)
                    elif self.took[index] <= self._long:
                        self.harmless.add(index)
                    if cell.role in OWN and self.culprits.searching:
                        session.fork().close()
                    if not self.frozen and not dropped:
                        budget -= _show(cell, ran, budget)
            except Lost as lost:
                self._blame(index, lost)
                return
        self.again = unnamed
        for index in unnamed:
            cell = self.rebuilt.cells[index]
            try:
                ran = self._run(session, index, cell.program)
                if not self.frozen and not ran.stopped:
                    budget -= _show(cell, ran, budget)
            except Lost as lost:
                self._blame(index, lost)
                return
        self.frozen = True

    def _run(self, session: Session, index: int, program: str) -> Ran:
        cell, before = self.rebuilt.cells[index], session.spent
        try:
            ran = session.run(program, ours=cell.role not in OWN)
        finally:
            self.took[index] = session.spent - before
        if cell.role == "solution" and cell.grade_id:
            self.stopped[cell.grade_id] = ran.stopped
        return ran

    def innocent(self, reasons: Sequence[str]) -> bool:
        """Say whether to try again, in a fresh sandbox, calls that had no answer for these reasons.

        That is so if other exercises or added cells had used up the sandbox's time, or if a cell
        had left something running that ended it. Such cells are left out then.
        """
        session = self.session
        assert session is not None
        if session.used_up and {"timeout", "died"} & set(reasons):
            self.late = True
            return self.made > 1 or self._make_room(session.lost("timeout"), long_only=True)
        if "died" in reasons:
            try:
                session.fork().close()
            except Lost as lost:
                return self._blame(None, lost)
        return False

    def _blame(self, at: int | None, lost: Lost) -> bool:
        """Leave out the cell that is to blame for the loss of the sandbox; False if none is known.

        at: the cell during which it was lost; None if that was after the last one.
        """
        self.late |= lost.reason == "timeout"
        if lost.whole and self._make_room(lost):
            return True
        index = self.culprits.of(at)
        if index is None:
            return False
        if index != at:
            did = "ended the Python process" if lost.reason == "died" else "used up the time"
            lost = Lost(lost.reason, f"what it left running {did}")
        self.culprits.dropped[index] = lost
        cell = self.rebuilt.cells[index]
        name = cell.grade_id or ("a cell you added" if cell.role == "extra" else "a released cell")
        self.rebuilt.notices.append(f"{name}: {lost.why}; the notebook was run again without it")
        cell.notebook |= {"outputs": [_stream(f"This cell was not used: {lost.why}.\n")]}
        return True

    @property
    def _long(self) -> float:
        return LONG * self.limits.session_seconds

    def _make_room(self, lost: Lost, long_only: bool = False) -> bool:
        """Leave out added cells that took long; all, if the long ones took less than half the time.

        Return whether there were any. long_only: never leave out all.
        """
        cells = enumerate(self.rebuilt.cells)
        known = self.culprits.dropped
        added = [index for index, cell in cells if cell.role == "extra" and index not in known]
        long = [index for index in added if self.took.get(index, 0.0) > self._long]
        left_out = long
        if not long_only and 2 * sum(self.took[i] for i in long) < self.limits.session_seconds:
            left_out = added  # the long ones alone did not use up the time; all together did
        if left_out:
            known |= dict.fromkeys(left_out, lost)
            long_ones = f"added cells that took long ({len(long)})"
            what = long_ones if left_out is long else "added cells"
            self.rebuilt.notices.append(
                f"all cells together took too long; the notebook was run again without {what}"
            )
        return bool(left_out)


def _exercise(check: Cell) -> str:
    """Return the exercise that a check cell belongs to."""
    return (check.grade_id or "").removesuffix("_check")


def _show(cell: Cell, ran: Ran, budget: int) -> int:
    """Put outputs, or a note if they exceed the budget, into a cell; return their cost."""
    outputs = ran.outputs
    cost = len(json.dumps(outputs)) + SHOWING * len(outputs)
    if outputs and cost > budget:
        outputs = [_stream("[outputs beyond the grader's limit were dropped]\n")]
    cell.notebook |= {"outputs": outputs, "execution_count": ran.count}
    return cost


def _stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stderr", "text": text}
