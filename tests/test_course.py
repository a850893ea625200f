"""The units of a course: a stored result depends on every module with tests of its unit."""

import inspect
from pathlib import Path

import pytest

from autograder import course, units
from autograder.course import load_unit, module_name, slugs
from autograder.sandbox import view
from llmcourse import checks

ROOT = Path(__file__).parents[1]
UNITS = slugs(ROOT)


def modules_of(slug):
    """The modules of hidden tests and visible checks whose names begin as the unit's do."""
    folders = (Path(units.__file__).parent, Path(checks.__file__).parent)
    return sorted(path for folder in folders for path in folder.glob(f"u{slug[:2]}_*.py"))


@pytest.mark.parametrize("slug", UNITS)
def test_every_module_with_tests_of_a_unit_can_change_the_version_of_its_tests(slug, monkeypatch):
    before, source = load_unit(ROOT, slug).tests_version, inspect.getsource
    for path in modules_of(slug):

        def edited(module, path=path):
            changed = getattr(module, "__file__", "") == str(path)
            return source(module) + "\n# changed" * changed

        monkeypatch.setattr(course.inspect, "getsource", edited)
        assert load_unit(ROOT, slug).tests_version != before, path


def test_what_hidden_tests_of_several_units_share_can_change_the_version(monkeypatch):
    before, source = load_unit(ROOT, UNITS[3]).tests_version, inspect.getsource

    def edited(module):
        return source(module) + "\n# changed" * (module.__name__ == "autograder.units.arrays")

    monkeypatch.setattr(course.inspect, "getsource", edited)
    assert load_unit(ROOT, UNITS[3]).tests_version != before


@pytest.mark.parametrize("slug", UNITS)
def test_every_part_of_a_units_tests_says_whose_it_is(slug):
    parts = [path for path in modules_of(slug) if path.stem != module_name(slug)]
    assert {path: view.unit_of(path) for path in parts} == dict.fromkeys(parts, int(slug[:2]))


@pytest.mark.parametrize("slug", UNITS)
def test_no_module_with_tests_of_a_unit_is_shown_to_a_submission(slug):
    shown = {here for here, _ in view.package_files(slug)}
    assert not shown & {path.resolve() for unit in UNITS for path in modules_of(unit)}
