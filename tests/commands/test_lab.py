"""Who sees which of nbgrader's panels in JupyterLab: learners none that edits points or grades."""

import json
import re
import urllib.request

import pytest

from tests.browser import CHROMIUM, ROOT, SHOTS, chromium, jupyterlab, verdict

LEARNER = ("-m", "llmcourse.commands.cli", "lab")
PANELS = {"create-assignment", "formgrader", "course-list"}


def fetched(address: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=30) as answer:
        return answer.read().decode()


def settings(lab) -> dict:
    """What a JupyterLab tells its page."""
    found = re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', fetched(lab.at("lab")), re.S)
    return json.loads(found[1])


@pytest.fixture(scope="module")
def learners(tmp_path_factory):
    """JupyterLab as `llmcourse lab` and `make lab` start it."""
    with jupyterlab(ROOT, tmp_path_factory.mktemp("learner"), LEARNER) as lab:
        yield lab


def test_a_learners_lab_serves_the_course_without_panels_for_instructors(learners):
    told = settings(learners)
    assert told["serverRoot"] == str(ROOT / "course")
    assert {f"@jupyter/nbgrader:{panel}" for panel in PANELS} <= set(told["disabledExtensions"])
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetched(learners.at("formgrader"))


def test_an_instructors_lab_has_formgrader(tmp_path):
    with jupyterlab(ROOT, tmp_path) as lab:
        assert "@jupyter/nbgrader:formgrader" not in settings(lab)["disabledExtensions"]
        assert "formgrader" in fetched(lab.at("formgrader"))


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_learner_meets_no_panel_that_edits_points(learners):
    with chromium(learners.at("lab")) as page:
        menu = page.locator(".lm-MenuBar-itemLabel", has_text="Nbgrader").first
        menu.wait_for(timeout=60_000)
        assert page.get_by_text("Create Assignment").count() == 0
        assert (
            page.locator(
                "[title='Create Assignment'], [title='nbgrader Create Assignment']"
            ).count()
            == 0
        )
        menu.click()
        entries = page.locator(".lm-Menu-itemLabel")
        entries.first.wait_for(timeout=30_000)
        page.screenshot(path=SHOTS / "10_learner.png")
        shown = " ".join(entries.all_text_contents())
    assert "Formgrader" not in shown and "Course" not in shown


# The last line of `make test`


def test_what_was_not_tested_is_named_with_the_remedy():
    told = verdict(None)
    assert told.startswith("NOT TESTED: ") and "apt-get install chromium" in told
    files = ("test_browser", "classroom/test_formgrader", "commands/test_lab")
    assert all(f"tests/{name}.py" in told for name in files)
    assert "\n" not in told and "NOT" not in verdict("/usr/bin/chromium")


def test_make_test_ends_with_it_and_tries_to_install_a_browser_first():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    needs, *recipe = makefile.split("\ntest: ")[1].split("\n\n")[0].splitlines()
    assert "browser" in needs.split() and "tests.browser" in recipe[-1]
    assert "apt" not in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
