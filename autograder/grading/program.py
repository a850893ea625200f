"""The notebook that is graded: the learner's cells in their order, put on the released notebook.

The graded program is the program that the learner saw pass. All code of the learner runs, in the
learner's order: solution cells, each part of one that was split or copied, added cells, edited
released cells. Only what we released is replaced by the released text: checks, plain cells, stubs.
A stub defines only names that are not defined above it, since the learner need not have run it. No
text is lost: what does not run is shown. `rebuild` reports what it found odd in plain sentences;
none of it costs points by itself.

A released cell runs where the learner has it, or earlier: before an answer that it preceded in the
release. Demonstrations are long, so they do not run; but their imports, functions, classes and
constants do if the learner's code names them.
"""

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from autograder.grading.ingest import LearnerCell, Submission
from autograder.grading.names import (
    definitions,
    is_prose,
    same_program,
    seems_defined,
    unless_defined,
    words,
)

OWN = ("solution", "part", "extra")  # roles of the cells with the learner's code


@dataclass
class Cell:
    """One cell of the rebuilt notebook."""

    role: str  # released, demo, check, solution, written; part (of a solution), extra, note (text)
    notebook: dict[str, Any]  # as nbformat has it
    grade_id: str | None = None
    stub: str = ""  # source a solution cell is replaced by when it kills the process
    program: str = ""  # the code that is run

    @property
    def source(self) -> str:
        """The text of the cell."""
        return str(self.notebook["source"])

    @property
    def run(self) -> bool:
        """Whether grading runs anything of it."""
        return bool(self.program.strip())


@dataclass
class Rebuilt:
    """The notebook to grade, in the order in which it runs."""

    cells: list[Cell]
    notices: list[str] = field(default_factory=list)


def text_of(cell: Mapping[str, Any]) -> str:
    """Return the source of a notebook cell, which a file holds as a string or as lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def rebuild(submission: Submission, released: Mapping[str, Any]) -> Rebuilt:
    """Graft a submission on the released notebook.

    A cell of the learner's belongs to a released one by grade_id, else by its text, else by its
    cell id. A solution cell that is missing is shown as its stub, so the name counts if the learner
    defined it in another cell.
    """
    cells = [_released(cell) for cell in released["cells"]]
    pairs = list(_pairs(submission.cells, cells))
    graft = _Graft(cells, {index for _, index in pairs if index is not None})
    for mine, index in pairs:
        graft.take(mine, index)
    return graft.finish(submission.notices)


def _released(cell: Mapping[str, Any]) -> Cell:
    metadata = cell.get("metadata", {})
    nbgrader = metadata.get("nbgrader", {})
    graded, solution = bool(nbgrader.get("grade")), bool(nbgrader.get("solution"))
    code = cell["cell_type"] == "code"
    role = "demo" if code and "demo" in metadata.get("tags", []) else "released"
    if graded or solution:
        role = "check" if not solution else "written" if graded else "solution"
    fresh: dict[str, Any] = copy.deepcopy({**cell, "source": text_of(cell)})
    if code:
        fresh |= {"outputs": [], "execution_count": None}
    program = fresh["source"] if code and role == "released" else ""
    return Cell(role, fresh, nbgrader.get("grade_id"), fresh["source"], program)


def _pairs(
    submitted: Sequence[LearnerCell], cells: Sequence[Cell]
) -> Iterator[tuple[LearnerCell, int | None]]:
    """Yield each cell of the learner with the index of the released cell it came from, or None."""
    by_grade_id = {cell.grade_id: index for index, cell in enumerate(cells) if cell.grade_id}
    by_id = {cell.notebook.get("id"): index for index, cell in enumerate(cells)}
    by_text: dict[tuple[str, str], list[int]] = {}
    for index, cell in enumerate(cells):
        text = (cell.notebook["cell_type"], cell.source.strip())
        by_text.setdefault(text, []).append(index)
    last = -1
    for mine in submitted:
        found = by_grade_id.get(mine.grade_id) if mine.grade_id else None
        same = by_text.get((mine.kind, mine.source.strip()), []) if mine.source.strip() else []
        if found is None and same:
            found = next((at for at in same if at > last), same[0])
        if found is None and mine.cell_id:
            found = by_id.get(mine.cell_id)
        last = last if found is None else found
        yield mine, found


class _Graft:
    """The rebuilt notebook as it grows: `done` holds released and learner's cells in order."""

    def __init__(self, cells: list[Cell], submitted: set[int]) -> None:
        self.cells = cells
        self.done: list[Cell] = []  # in the order in which they run
        self.notices: list[str] = []
        self.parts: dict[int, int] = {}  # number of parts of an answer, by index of its cell
        self.texts: dict[int, list[str]] = {}  # written answers, by index of their cell
        self.edited = self.added = 0  # number of cells
        self.demos: dict[int, str] = {}  # edited demonstrations, by index
        self.notes: list[tuple[int, str]] = []  # texts, each with the released cell before it
        self.texts_of_own: list[str] = []  # in cells that were added
        self._taken = set[int | None]()  # indices of the released cells that `take` has had so far
        self._submitted = submitted  # indices of all released cells that `take` will have
        self._waiting = dict(enumerate(cells))  # released cells that are not yet in `done`
        self._after = -1  # index of the released cell that `take` had last

    def take(self, mine: LearnerCell, index: int | None) -> None:
        """Add the next cell of the learner, and the released cells that must come before it."""
        self._after = self._after if index is None else index
        target = None if index is None else self.cells[index]
        text, code = mine.source.strip(), mine.kind == "code"
        if target and target.role == "released" and code and index in self._taken:
            target = None  # a copy counts as a cell of the learner's own
        self._taken.add(index)
        if target is None or index is None:
            self.texts_of_own += [] if code or not text else [text]
            self.added += code and bool(text)
            self._add(mine)
        elif not text or same_program(text, target.stub):
            self._bring(index)
        elif target.role == "written":
            self.texts.setdefault(index, []).append(text)
            self._bring(index)
        elif target.role != "solution":
            self.edited += 1
            self._bring_above(index)
            if target.role != "check":  # which may be given what the learner's text defines
                self._bring(index)
            if target.role == "demo" and code:
                self.demos[index] = mine.source
            self._add(mine)
            self._bring(index)
        elif code:
            self._answer(index, mine.source)
        else:
            self.notices.append(f"{target.grade_id}: it is a {mine.kind} cell, which does not run")
            self._bring(index)
            self._add(mine)

    def _answer(self, index: int, source: str) -> None:
        """Add one part of an answer: the last is the graded cell, the others become added cells."""
        target = self.cells[index]
        self._bring_above(index)
        if self._waiting.pop(index, None) is None:
            at = next(at for at, cell in enumerate(self.done) if cell is target)
            part = Cell("part", _new("code", target.program), program=target.program)
            earlier = [part] if self.parts.get(index) else []  # without one it is the stub
            self.done[at : at + 1] = earlier
        target.notebook["source"] = target.program = source
        self.done.append(target)
        self.parts[index] = self.parts.get(index, 0) + 1

    def _add(self, mine: LearnerCell) -> None:
        """Add a cell of the learner's own: code that runs, or a text that is kept to be read."""
        if not mine.source.strip():
            return
        if mine.kind != "code" or is_prose(mine.source):
            self.notes.append((self._after, mine.source))
        if mine.kind == "code":
            self.done.append(_extra(mine.source))
        else:
            self.done.append(Cell("note", _new("markdown", mine.source)))

    def _bring_above(self, index: int) -> None:
        """Add the released cells above this one, except answers and checks still to be taken."""
        for at in sorted(at for at in self._waiting if at < index):
            if self.cells[at].role not in ("solution", "check") or at not in self._submitted:
                self.done.append(self._waiting.pop(at))

    def _bring(self, index: int) -> None:
        """Add this released cell and those above it, as far as they are not there yet."""
        self._bring_above(index)
        if cell := self._waiting.pop(index, None):
            self.done.append(cell)
            if cell.role == "solution":  # the answer may stand in another cell, above or below
                cell.program = unless_defined(cell.stub)

    def finish(self, notices: Sequence[str]) -> Rebuilt:
        """Return the notebook, once all cells of the learner have been taken."""
        self._bring_above(len(self.cells))
        for index, cell in enumerate(self.cells):
            if cell.role == "written":
                self._write(index)
            elif cell.role == "solution" and index not in self._submitted:
                self.notices.append(self._missing(str(cell.grade_id)))
            elif cell.role == "solution" and (parts := self.parts.get(index, 0)) > 1:
                self.notices.append(f"{cell.grade_id}: {parts} cells have this name; all were used")
        self._define()
        added = [cell for cell in self.done if cell.role in ("part", "extra", "note")]
        _number(added, {cell.notebook.get("id") for cell in self.cells})
        if self.edited:
            self.notices.append(
                f"{_were(self.edited, 'released cell')} edited: the released text was used as well"
            )
        if self.added:
            self.notices.append(f"{_were(self.added, 'code cell')} added")
        return Rebuilt(self.done, [*notices, *self.notices])

    def _missing(self, name: str) -> str:
        """Return the notice about an answer whose cell was not handed in."""
        own = [cell.program for cell in self.done if cell.role in OWN]
        if seems_defined(name, own):
            return f"{name}: its own cell is gone; another cell that defines it was used"
        return f"{name}: the cell is missing, and no other cell defines the name"

    def _write(self, index: int) -> None:
        """Fill in the written answer: its cell, else texts beside it, else any added texts."""
        cell = self.cells[index]
        texts = self.texts.get(index)
        if texts is None:
            beside = [text for at, text in self.notes if at in (index - 1, index)]
            texts = beside or self.texts_of_own
            if texts:
                where = "cells beside its place" if beside else "cells that were added elsewhere"
                self.notices.append(f"{cell.grade_id}: its text was taken from {where}")
        if texts:
            cell.notebook["source"] = "\n\n".join(texts)

    def _define(self) -> None:
        """Make the demonstrations define the names that the learner's code uses."""
        own = [cell.program for cell in self.done if cell.role in OWN]
        used = {word for text in own for word in words(text)}
        demos = [(index, cell) for index, cell in enumerate(self.cells) if cell.role == "demo"]
        # A definition may need another one: from a demonstration above or, if called later, below.
        for _ in range(2):
            for index, cell in reversed(demos):
                cell.program = definitions(self.demos.get(index, cell.source), used)
                used |= words(cell.program)


def _were(count: int, what: str) -> str:
    return f"1 {what} was" if count == 1 else f"{count} {what}s were"


def _new(kind: str, source: str) -> dict[str, Any]:
    """Return a fresh cell that holds only this text."""
    made = {"cell_type": kind, "metadata": {}, "source": source}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def _extra(source: str) -> Cell:
    return Cell("extra", _new("code", source), program=source)


def _number(cells: Sequence[Cell], taken: Set[Any]) -> None:
    """Give added cells the ids extra-1, extra-2, ..., but for those that are taken."""
    free = (name for n in itertools.count(1) if (name := f"extra-{n}") not in taken)
    for cell in cells:
        cell.notebook["id"] = next(free)
