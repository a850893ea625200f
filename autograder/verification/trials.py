"""The answers that are tried on the tests of a unit, to see whether these can be trusted.

A trial is one answer: blank (the stub, constants), right (the solution, the same idea in another
style), wrong (a mistake learners make) or a mutant of the solution. `outcome` marks it with every
seed, as grading would; it is run in a fork of its own.
"""

import ast
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import inspect
import io
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from autograder import exercise, judge
from autograder.course import Unit, load_unit
from autograder.errors import AutograderError
from autograder.exercise import CaseResult, fraction
from autograder.grading import ingest
from autograder.grading.program import rebuild
from autograder.sandbox import wire
from autograder.verification import answer_bank as answers
from autograder.verification import local, mutation
from autograder.verification.local import run_locally

SEEDS = tuple(bytes([n]) for n in range(5))
CONSTANTS: list[Any] = [
    0, 1, 0.5, -1.0, True, False, "", [], [1.0], {}, {"a": 1.0}, None, math.inf,
]  # fmt: skip
BLANK, RIGHT, WRONG, MUTANT = "blank", "right", "wrong", "mutant"
SOLUTION = "the solution"


@dataclass(frozen=True)
class Trial:
    """One answer to one exercise, made by `make`; trials of equal `key` have equal outcomes."""

    exercise: str
    kind: str
    name: str
    make: Callable[[], Any]
    key: str
    hint: str = ""
    line: str = ""  # of a mutant


class Workbench:
    """A unit with its solved notebook, its answers and its mutants."""

    def __init__(self, unit: Unit, solved: bytes, written: ModuleType) -> None:
        self.unit, self.written = unit, written
        rebuilt = rebuild(ingest.parse(solved), unit.released)
        self.cells = [cell for cell in rebuilt.cells if cell.run]
        self.names: dict[str, Any] = {}

    @classmethod
    def of(cls, root: Path, slug: str) -> "Workbench":
        """Return the workbench of a unit of the course under `root`."""
        path = root / "solutions" / slug / f"{slug}.ipynb"
        if not path.is_file():
            raise AutograderError(f"no {path}: run `autograder build {slug}`")
        return cls(load_unit(root, slug), path.read_bytes(), answers.load(root, slug))

    def work(self) -> None:
        """Run all cells that grading runs, with the solutions in them, and keep their names."""
        if not self.names:
            self.names["__name__"] = self.unit.slug
            smoke = mock.patch.dict(os.environ, LLMCOURSE_PRESET="smoke")
            with smoke, contextlib.redirect_stdout(io.StringIO()):
                for cell in self.cells:
                    exec(compile(cell.program, f"<{self.unit.slug}>", "exec"), self.names)

    def trials(self, name: str) -> Iterator[Trial]:
        """Yield everything that is tried on the tests of one exercise; the solution first."""
        cell, notebook = self._cell(name), self._notebook
        trial = partial(self._trial, name)
        solution, *written = self.written_trials(name)
        yield solution
        yield trial(BLANK, "the stub", partial(self._defined, name, cell.stub), cell.stub)
        yield trial(BLANK, "a value of the right shape", partial(self._stuck, name), notebook)
        for what, function in _empty_handed():
            yield trial(BLANK, what, partial(_same, function), "")
        yield from written
        is_test = self.unit.exercises[name].is_test  # then its numbers are inputs that it chose
        for mutant in mutation.mutants(cell.source):
            if is_test and mutation.differs_in_numbers(cell.source, mutant.source):
                continue
            what = f"{mutant.operator} in line {mutant.number}: {mutant.line}"
            make = partial(self._defined, name, mutant.source)
            yield trial(MUTANT, what, make, notebook + mutant.source, line=mutant.line)

    def written_trials(self, name: str) -> Iterator[Trial]:
        """Yield the solution of one exercise, then its right and wrong answers."""
        defined = partial(self._defined, name, self._cell(name).source)
        yield self._trial(name, RIGHT, SOLUTION, defined, self._notebook)
        for what, answer in answers.answers(self.written).items():
            if answer.exercise == name:
                kind, hint = RIGHT if answer.hint is None else WRONG, answer.hint or ""
                text, made = inspect.getsource(self.written), partial(_same, answer.function)
                yield self._trial(name, kind, what, made, text, hint=hint)

    def _trial(
        self, name: str, kind: str, what: str, make: Callable[[], Any], text: str, **more: str
    ) -> Trial:
        return Trial(name, kind, what, make, self.key(name, kind, what, text), **more)

    def _cell(self, name: str) -> Any:
        return next(cell for cell in self.cells if cell.grade_id == name)

    @property
    def _notebook(self) -> str:
        return "".join(cell.source for cell in self.cells)

    def mark(self, name: str, answer: Any, seed: bytes) -> tuple[CaseResult, ...]:
        """Return the results of an answer, as grading would have them."""
        return run_locally(self.unit.exercises[name], answer, seed, self.unit.checks[name])

    def catches(self, name: str, answer: Any, seed: bytes) -> bool:
        """Say whether an answer loses points; stop at the first test that it fails."""
        whole = self.unit.exercises[name]
        parts = [(replace(whole, cases=[case]), None) for case in whole.cases]
        for part, visible in [*parts, (replace(whole, cases=[]), self.unit.checks[name])]:
            if not all(result.passed for result in run_locally(part, answer, seed, visible)):
                return True
        return False

    @cached_property
    def _version(self) -> str:
        """All text that any outcome depends on, except the single answers."""
        cases = [case for whole in self.unit.exercises.values() for case in whole.cases]
        tests = {case.inputs.__module__ for case in cases}
        texts = [inspect.getsource(sys.modules[name]) for name in sorted(tests)]
        texts += [inspect.getsource(self.written), *(cell.source for cell in self.cells)]
        seen = set[str]()
        imported = [source for text in texts for source in _imported(text, seen)]
        return "".join([_machinery(), self.unit.tests_version, repr(SEEDS), *imported])

    def key(self, *parts: str) -> str:
        """Return a key that changes when anything does that an outcome depends on."""
        return hashlib.sha256("\0".join([*parts, self._version]).encode()).hexdigest()

    def whole_key(self, *parts: str) -> str:
        """Return a key that is the same as long as no trial of the unit would fare otherwise."""
        return self.key(*parts, self._notebook, inspect.getsource(self.written))

    def _defined(self, name: str, source: str) -> Any:
        """Return the function or class of this name when the solution cell holds this text."""
        names = dict(self.names)
        exec(compile(source, f"<{name}>", "exec"), names)
        return names[name]

    def _stuck(self, name: str) -> Any:
        """Return an answer that always gives the first value of the solution for another seed."""
        solution, values = self.names[name], list[Any]()

        def first(*args: Any, **keywords: Any) -> Any:
            values.append(solution(*args, **keywords))
            return values[0]

        run_locally(self.unit.exercises[name], first, b"another seed")
        return lambda *args, **keywords: values[0]


def _empty_handed() -> Iterator[tuple[str, Callable[..., Any]]]:
    def refuses(*args: Any, **keywords: Any) -> Any:
        raise ValueError("refused")

    yield "always raises ValueError", refuses
    yield "returns its first argument", lambda *args, **keywords: args[0]
    for constant in CONSTANTS:
        yield f"returns {constant!r}", lambda *args, _value=constant, **keywords: _value


def outcome(bench: Workbench, trial: Trial) -> dict[str, Any]:
    """Return {"seeds": for each [fraction of the points, messages], "seconds": of CPU time}.

    A mutant has all points or none, since only whether it loses some counts, and it is not tried
    further after a seed that does not catch it. "crashed" means that the tests themselves failed;
    a submission with such an answer could not be graded.
    """
    started, seeds = time.process_time(), list[Any]()
    try:
        try:
            answer = trial.make()
        except Exception:  # a mutant whose definition itself raises
            return {"seeds": [[0.0, ["the cell raised"]]] * len(SEEDS), "seconds": 0.0}
        for seed in SEEDS:
            if trial.kind != MUTANT:
                results = bench.mark(trial.exercise, answer, seed)
                seeds.append([fraction(results), [r.message for r in results if not r.passed]])
            elif bench.catches(trial.exercise, answer, seed):
                seeds.append([0.0, []])
            else:
                seeds.append([1.0, []])
                break
    except Exception as error:
        return {"crashed": f"{type(error).__name__}: {error}"[:300]}
    return {"seeds": seeds, "seconds": time.process_time() - started}


def _same(function: Any) -> Any:
    return function


@cache
def _machinery() -> str:
    modules = (exercise, judge, local, wire, mutation, sys.modules[__name__])
    versions = [importlib.metadata.version(name) for name in ("cosmic-ray", "numpy", "torch")]
    versions.append(repr(sys.version_info[:2]))
    return "".join([*map(inspect.getsource, modules), *versions])


def _imported(text: str, seen: set[str]) -> Iterator[str]:
    """Yield sources of the modules of `llmcourse` that a text, or such a module, imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if name in seen or name.split(".")[0] != "llmcourse":
                continue
            seen.add(name)
            with contextlib.suppress(ModuleNotFoundError):  # not a module but a name in one
                spec = importlib.util.find_spec(name)
                if spec is not None and spec.origin is not None:
                    source = Path(spec.origin).read_text(encoding="utf-8")
                    yield from (source, *_imported(source, seen))
