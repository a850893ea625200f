"""The tests of the tests: right answers earn full marks, typical wrong ones lose and see their
hint."""

import importlib
from pathlib import Path

import pytest

from autograder.course import Unit, load_unit, module_name, slugs
from autograder.exercise import fraction
from autograder.local import run_locally
from tests.answers import Answer, load

ROOT = Path(__file__).parent.parent
UNITS: dict[str, Unit] = {slug: load_unit(ROOT, slug) for slug in slugs(ROOT)}
ANSWERS = [
    pytest.param(UNITS[slug], answer, id=f"{slug[:2]}-{answer.exercise}-{answer.function.__name__}")
    for slug in UNITS
    for answer in load(importlib.import_module(f"tests.answers.{module_name(slug)}"))
]
RIGHT = [p for p in ANSWERS if p.values[1].hint is None]
WRONG = [p for p in ANSWERS if p.values[1].hint is not None]


def marked(unit: Unit, answer: Answer, seed: int):
    name = answer.exercise
    return run_locally(unit.exercises[name], answer.function, bytes([seed]), unit.checks[name])


@pytest.mark.parametrize(("unit", "answer"), RIGHT)
def test_right_answers_in_other_styles_earn_full_marks_on_every_seed(unit, answer):
    for seed in range(3):
        results = marked(unit, answer, seed)
        assert fraction(results) == 1, [(r.property, r.message) for r in results if not r.passed]


@pytest.mark.parametrize(("unit", "answer"), WRONG)
def test_wrong_answers_lose_points_and_show_their_hint(unit, answer):
    for seed in range(3):
        results = marked(unit, answer, seed)
        shown = [r.message for r in results if not r.passed]
        assert fraction(results) < 1
        assert any(answer.hint in message for message in shown), shown


@pytest.mark.parametrize("slug", UNITS)
def test_every_exercise_has_two_right_and_three_wrong_answers(slug):
    answers = [p.values[1] for p in ANSWERS if p.values[0].slug == slug]
    for name in UNITS[slug].exercises:
        hints = [a.hint for a in answers if a.exercise == name]
        assert hints.count(None) >= 2, name
        assert len(hints) - hints.count(None) >= 3, name


STUBS = [
    pytest.param(unit, name, id=f"{slug[:2]}-{name}")
    for slug, unit in UNITS.items()
    for name in unit.exercises
]


@pytest.mark.parametrize(("unit", "name"), STUBS)
def test_stub_and_constants_of_any_shape_earn_nothing(unit, name):
    def stub(*args, **keywords):
        raise NotImplementedError

    def refuses(*args, **keywords):
        raise ValueError("refused")

    constants = [0, 1, 0.5, -1.0, True, "", [], [1.0], {}, {"a": 1.0}, None, float("inf")]
    answers = [stub, refuses, *(lambda *a, _c=c, **k: _c for c in constants), lambda *a, **k: a[0]]
    for answer in answers:
        results = run_locally(unit.exercises[name], answer, b"0", unit.checks[name])
        assert fraction(results) == 0
        assert all(r.message for r in results if not r.passed)
