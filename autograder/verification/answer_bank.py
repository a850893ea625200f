"""Right and wrong answers to every exercise, and the mutants that no test can kill.

`tests/answers/uNN_slug.py` decorates plain functions (or classes) and may end in a list:

    @right("perplexity")
    def perplexity_tensor(log_probs): ...

    @wrong("perplexity", hint="divide by the number of tokens")
    def perplexity_without_length(log_probs): ...

    @slow("perplexity", hint="takes more than")  # right, but the visible check says: too slow
    def perplexity_of_copies(log_probs): ...

    EDITS = {  # the solution with some of its text replaced; no hint: still right
        "perplexity": [("divide by the number of tokens", (" / len(log_probs)", ""))],
    }
    globals().update(edited(globals(), EDITS))

    EQUIVALENT = [
        Equivalent("perplexity", "if n <= 0:", because="a length is never below 0"),
    ]
    UNSEEN = [  # passes the visible check and loses points: why no visible check can see it
        Unseen("perplexity", "perplexity_without_length", because="..."),
    ]
"""

import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from autograder.course import module_name
from autograder.errors import AutograderError


@dataclass(frozen=True)
class Answer:
    """One answer to an exercise; `hint`: None for a right one, else part of the hint to show."""

    exercise: str
    function: Any
    hint: str | None


@dataclass(frozen=True, init=False)
class Equivalent:
    """Mutants of a reference solution that compute the same, by their changed lines, and why."""

    exercise: str
    lines: tuple[str, ...]
    because: str

    def __init__(self, exercise: str, *lines: str, because: str) -> None:
        for name, value in (("exercise", exercise), ("lines", lines), ("because", because)):
            object.__setattr__(self, name, value)


def right(exercise: str) -> Callable[[Any], Answer]:
    """Mark a correct answer written in another style than the solution."""
    return lambda function: Answer(exercise, function, None)


def wrong(exercise: str, hint: str) -> Callable[[Any], Answer]:
    """Mark a mistake learners really make, with (part of) the hint its author should be shown."""
    return lambda function: Answer(exercise, function, hint)


@dataclass(frozen=True)
class Slow:
    """A right answer that the visible check refuses for its time; grading does not measure it."""

    exercise: str
    function: Any
    hint: str


@dataclass(frozen=True)
class Unseen:
    """A wrong answer that passes the visible check and loses points.

    what: its name, or the changed line of a mutant.
    """

    exercise: str
    what: str
    because: str


def slow(exercise: str, hint: str) -> Callable[[Any], Slow]:
    """Mark an answer that gives the right values and takes far too long on a long text."""
    return lambda function: Slow(exercise, function, hint)


RIGHT = ""  # in place of a hint: an edit that computes the same
Edit = tuple[Any, ...]  # the hint, then pairs (old text, new text)


def edited(
    module: Mapping[str, Any],
    edits: Mapping[str, Iterable[Edit]],
    others: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Answer]:
    """Return answers that are the solution of the unit with texts replaced, each everywhere in it.

    module: the globals of the module with the answers, whose names an answer can use. others: by
    exercise, a right answer that is edited in place of the solution and is an answer itself.
    AssertionError where a text that is to be replaced is lacking.
    """
    path, made = Path(module["__file__"]), dict[str, Answer]()
    slug = path.stem.removeprefix("u")
    source = path.parents[2].joinpath("solutions", slug, f"{slug}.py").read_text(encoding="utf-8")
    solved = dict(re.findall(r'^# %% exercise="(\w+)"\n(.*?)(?=^# %%)', source, re.M | re.S))
    for exercise, changes in edits.items():
        unchanged = [(RIGHT,)] if exercise in others else []
        for number, (hint, *pairs) in enumerate([*unchanged, *changes]):
            text, names = {**solved, **others}[exercise], dict(module)
            for old, new in pairs:
                assert old in text, f"the answer to {exercise} lacks {old!r}"
                text = text.replace(old, new)
            exec(text, names)
            answer = names[exercise]
            answer.written = text  # for the sample class, which hands it in
            name = f"{exercise}, edit {number}: {hint}"
            made[name] = Answer(exercise, answer, hint or None)
    return made


def load(root: Path, slug: str) -> ModuleType:
    """Return the module with a unit's answers; AutograderError where there is none."""
    path = root / "tests" / "answers" / f"{module_name(slug)}.py"
    spec = importlib.util.spec_from_file_location(f"answers_{slug}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise AutograderError(f"no {path}: right and wrong answers are written there")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answers(module: ModuleType) -> Mapping[str, Answer]:
    """Return all answers of a module by their names, in the order they are written."""
    return {name: value for name, value in vars(module).items() if isinstance(value, Answer)}


def equivalents(module: ModuleType) -> tuple[Equivalent, ...]:
    """Return the mutants that a module lists as equivalent."""
    return tuple(getattr(module, "EQUIVALENT", ()))


def slow_answers(module: ModuleType) -> Mapping[str, Slow]:
    """Return the answers of a module that are right but too slow, by their names."""
    return {name: value for name, value in vars(module).items() if isinstance(value, Slow)}


def unseen(module: ModuleType) -> tuple[Unseen, ...]:
    """Return the wrong answers that a module lists as passing their visible check."""
    return tuple(getattr(module, "UNSEEN", ()))
