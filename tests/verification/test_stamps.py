"""What was verified is not tried again on any machine that has the course, until it changes."""

import contextlib
import json
import shutil
from dataclasses import replace

import pytest

from autograder.errors import AutograderError
from autograder.verification import seeds, trust
from autograder.verification.stamps import PLACE
from autograder.verification.trials import Workbench
from tests.verification.test_seeds import misjudged, with_case
from tests.verification.test_trust import ANSWERS, SOLUTION, workbench

WAYS = ["trials", "seeds"]
PROBLEM = {"trials": {"answers": ANSWERS[:1]}, "seeds": {"exercise": with_case(misjudged)}}


class Course:
    """A course of one unit in a directory, tried in either way."""

    def __init__(self, root, patch):
        self.root, self.patch, self.stamps = root, patch, root / PLACE

    def attempt(self, how, *, again=False, version="1", **changes):
        def made(root, slug):
            bench = workbench(**changes)
            bench.unit = replace(bench.unit, tests_version=version)
            return bench

        self.patch.setattr(Workbench, "of", made)
        if how == "seeds":
            return seeds.try_course(self.root, ["99"], 30, workers=2, again=again)
        return trust.verify_course(self.root, ["99"], workers=2, again=again)

    def is_tried(self, how, *, elsewhere=True, **changes):
        """Whether anything is tried: on a machine that has nothing but the stamps, or here."""
        if elsewhere:
            shutil.rmtree(self.root / "build")
        tried = []
        for module in (trust, seeds):
            self.patch.setattr(module, "in_forks", lambda work, items, **_: iter(tried.append(1)))
        with contextlib.suppress(TypeError):  # there is nothing to iterate over
            self.attempt(how, **changes)
        return bool(tried)


@pytest.fixture
def course(tmp_path, monkeypatch):
    return Course(tmp_path, monkeypatch)


@pytest.mark.parametrize("how", WAYS)
def test_a_unit_that_did_not_change_is_not_tried_again(course, how, capsys):
    course.attempt(how)
    assert not course.is_tried(how)
    assert "nothing changed" in capsys.readouterr().out


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(
    "changes",
    [{"solution": SOLUTION + "\n# reworded\n"}, {"version": "2"}, {"again": True}],
    ids=["solution", "hidden tests", "--all"],
)
def test_it_is_tried_again_when_something_changed_or_all_is_wanted(course, how, changes):
    course.attempt(how)
    assert course.is_tried(how, **changes)


@pytest.mark.parametrize("how", WAYS)
def test_all_is_tried_again_where_it_was_tried_before(course, how):
    course.attempt(how)
    assert course.is_tried(how, elsewhere=False, again=True)


@pytest.mark.parametrize("how", WAYS)
def test_a_unit_with_a_problem_gets_no_stamp(course, how):
    course.attempt(how, **PROBLEM[how])
    assert not course.stamps.exists()
    course.attempt(how, version="2")
    assert len(json.loads(course.stamps.read_text())) == 1


def test_each_way_to_try_has_a_stamp_of_its_own(course):
    course.attempt("trials")
    assert course.is_tried("seeds")


def test_a_file_that_a_merge_left_broken_is_named_with_the_remedy(course):
    course.stamps.parent.mkdir(parents=True)
    course.stamps.write_text("<<<<<<< ours\n")
    with pytest.raises(AutograderError, match=r"verified\.json, got a broken file: delete it"):
        course.attempt("trials")
