"""The units of a course: what `unit.toml` says of each, and all that grading one needs.

A course is a folder with `solutions/NN_slug/` (source, `unit.toml`) and `course/NN_slug/`
(what learners got). Points, minutes, hints and questions are in `unit.toml` alone.
"""

import ast
import hashlib
import importlib
import inspect
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from autograder import figures
from autograder.errors import AutograderError
from autograder.exercise import Exercise
from llmcourse.notebook_file import names_slug

AUTOMATIC_POINTS, WRITTEN_POINTS = 90, 10


@dataclass(frozen=True)
class ExerciseInfo:
    """What a learner is told about an exercise before starting."""

    id: str  # name of the function or class to write; also its grade_id
    title: str
    points: int
    minutes: int
    difficulty: int  # 1 to 3
    prerequisites: tuple[str, ...]  # ids of exercises whose idea it builds on
    hints: tuple[str, str, str]  # idea, step, nearly code
    planted: tuple[str, ...] = ()  # of a repair: what stands in place of each solution region


@dataclass(frozen=True)
class Choice:
    """One choice of a quick check and the sentence that says why it is right or wrong."""

    text: str
    right: bool
    because: str


@dataclass(frozen=True)
class Question:
    """A multiple-choice question without points."""

    id: str
    text: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Written:
    """The written answer, graded by hand."""

    id: str
    title: str
    points: int
    minutes: int


@dataclass(frozen=True)
class UnitInfo:
    """Everything `unit.toml` says: the one place for points, minutes and hints."""

    slug: str
    title: str
    question: str
    prerequisites: tuple[str, ...]
    minutes: Mapping[str, int]  # learner, cpu, gpu
    exercises: tuple[ExerciseInfo, ...]
    questions: tuple[Question, ...]
    written: Written

    @property
    def points(self) -> int:
        """All points of the unit, those graded by hand included."""
        return sum(e.points for e in self.exercises) + self.written.points


@dataclass(frozen=True)
class Unit:
    """All that grading one unit needs; nothing in it comes from a submission."""

    slug: str
    info: UnitInfo
    released: dict[str, Any]  # the notebook learners got
    exercises: Mapping[str, Exercise]
    checks: Mapping[str, Callable[[Any], None]]  # undecorated visible checks
    tests_version: str  # hash of the hidden tests and visible checks
    figures: Mapping[str, str] = field(default_factory=dict)  # released drawings, base64 by name


def slugs(root: Path) -> list[str]:
    """Return the units under `root/solutions`, in course order."""
    return sorted(path.parent.name for path in (root / "solutions").glob("[0-9][0-9]_*/unit.toml"))


def appendices(root: Path) -> list[str]:
    """Return notebooks without exercises: `root/solutions/appendix_NAME/appendix_NAME.py`."""
    return sorted(path.stem for path in (root / "solutions").glob("appendix_*/appendix_*.py"))


def find_slug(root: Path, name: str, known: Sequence[str] = ()) -> str:
    """Return the slug that `07`, `7` or `07_attention` means, else raise AutograderError.

    known: the slugs to choose from, by default the units.
    """
    known = known or slugs(root)
    for slug in known:
        if names_slug(name, slug):
            return slug
    listed = ", ".join(known) or "none"
    raise AutograderError(f"no unit {name!r}: units under {root / 'solutions'} are {listed}")


def read_info(root: Path, slug: str) -> UnitInfo:
    """Read and check `unit.toml`; AutograderError names the field that is wrong."""
    path = root / "solutions" / slug / "unit.toml"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AutograderError(f"no {path}: a unit needs its unit.toml") from None
    except tomllib.TOMLDecodeError as error:
        raise AutograderError(f"{path} is not valid TOML ({error}): mend that line") from None
    try:
        info = UnitInfo(
            slug=slug,
            title=raw["unit"]["title"],
            question=raw["unit"]["question"],
            prerequisites=tuple(raw["unit"]["prerequisites"]),
            minutes=raw["unit"]["minutes"],
            exercises=tuple(
                ExerciseInfo(
                    **e
                    | {name: tuple(e[name]) for name in ("prerequisites", "hints")}
                    | {"planted": tuple(e.get("planted", ()))}
                )
                for e in raw["exercise"]
            ),
            questions=tuple(
                Question(q["id"], q["text"], tuple(Choice(**c) for c in q["choices"]))
                for q in raw["question"]
            ),
            written=Written(**raw["written"]),
        )
    except (KeyError, TypeError) as error:
        raise AutograderError(
            f"{path}: missing or unknown field {error}; compare it with another unit's"
        ) from None
    _check_info(info, path)
    return info


def _check_info(info: UnitInfo, path: Path) -> None:
    ids = [e.id for e in info.exercises]
    total = sum(e.points for e in info.exercises)
    problems = [
        (len(set(ids)) != len(ids), "two exercises share an id"),
        (not 6 <= len(ids) <= 10, f"expected 6 to 10 exercises, got {len(ids)}"),
        (total != AUTOMATIC_POINTS, f"exercise points must sum to {AUTOMATIC_POINTS}, got {total}"),
        (
            info.written.points != WRITTEN_POINTS,
            f"the written answer is worth {WRITTEN_POINTS} points",
        ),
        (any(len(e.hints) != 3 for e in info.exercises), "every exercise needs three hints"),
        (any(e.difficulty not in (1, 2, 3) for e in info.exercises), "difficulty is 1, 2 or 3"),
        (
            any(p not in ids for e in info.exercises for p in e.prerequisites),
            "unknown prerequisite",
        ),
        (
            not 3 <= len(info.questions) <= 5,
            f"expected 3 to 5 quick checks, got {len(info.questions)}",
        ),
        (
            any(not any(c.right for c in q.choices) for q in info.questions),
            "a quick check has no right choice",
        ),
    ]
    for wrong, message in problems:
        if wrong:
            raise AutograderError(f"{path}: {message}")


def module_name(slug: str) -> str:
    """Return the name of a unit's Python modules (a module name cannot start with a digit)."""
    return f"u{slug}"


def load_unit(root: Path, slug: str) -> Unit:
    """Gather the released notebook, hidden tests and visible checks of a unit."""
    info = read_info(root, slug)
    path = root / "course" / slug / f"{slug}.ipynb"
    try:
        released = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AutograderError(f"{slug} is not released: no {path}; run `make release`") from None
    hidden = importlib.import_module(f"autograder.units.{module_name(slug)}")
    checks = importlib.import_module(f"llmcourse.checks.{module_name(slug)}")
    exercises = {
        value.name: value for value in vars(hidden).values() if isinstance(value, Exercise)
    }
    ids = [e.id for e in info.exercises]
    for name in ids:
        if name not in exercises or not hasattr(getattr(checks, name, None), "__wrapped__"):
            raise AutograderError(
                f"{slug}: exercise {name!r} lacks its hidden tests or its visible check"
            )
    return Unit(
        slug=slug,
        info=info,
        released=released,
        exercises={name: exercises[name] for name in ids},
        checks={name: getattr(checks, name).__wrapped__ for name in ids},
        tests_version=_version(hidden.__name__, checks.__name__),
        figures=figures.released(root, slug),
    )


def _version(*names: str) -> str:
    sources = (inspect.getsource(module) for module in _with_siblings(names))
    return hashlib.sha256("".join(sources).encode()).hexdigest()[:16]


def _with_siblings(names: Sequence[str]) -> list[ModuleType]:
    """Return modules, and all that they import from their own packages, directly or not."""
    packages = {name.rpartition(".")[0] for name in names}
    found, todo = dict[str, ModuleType](), list(names)
    while todo:
        name = todo.pop()
        if name in found or name.rpartition(".")[0] not in packages:
            continue
        try:
            found[name] = importlib.import_module(name)
        except ModuleNotFoundError:  # not a module but a name in one
            continue
        for node in ast.walk(ast.parse(inspect.getsource(found[name]))):
            if isinstance(node, ast.ImportFrom) and node.module:
                todo += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                todo += [alias.name for alias in node.names]
    return [found[name] for name in sorted(found)]
