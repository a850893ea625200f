"""A learner in JupyterLab: opens the first unit, runs all of it, solves an exercise.

A headless Chromium drives a real JupyterLab on a copy of `course/`; what is asserted is read from
the notebook that JupyterLab saved, and a screenshot of each step stays in `build/browser/`.
"""

import shutil
from pathlib import Path

import nbformat
import pytest

from tests.browser import CHROMIUM, ROOT, SHOTS, chromium, jupyterlab, wait_until

SLUG = "01_language_modelling"
SECONDS = 600

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course as released, solved by nobody."""
    assert (ROOT / "course" / SLUG / f"{SLUG}.ipynb").is_file(), "run `make release` first"
    return shutil.copytree(ROOT / "course", tmp_path_factory.mktemp("learner") / "course")


@pytest.fixture(scope="module")
def page(course, tmp_path_factory):
    """The notebook open in the browser, its kernel started."""
    place = tmp_path_factory.mktemp("jupyter")
    with (
        jupyterlab(course, place, LLMCOURSE_PRESET="smoke") as lab,
        chromium(lab.at(f"lab/tree/{SLUG}/{SLUG}.ipynb")) as page,
    ):
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=300_000)
        page.get_by_text("| Idle").wait_for(timeout=300_000)
        yield page


@pytest.fixture(scope="module")
def untouched(course, page):
    """The released notebook after Run All Cells, as JupyterLab saved it."""
    page.screenshot(path=SHOTS / "1_opened.png")
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    page.locator(".lm-Menu-itemLabel").get_by_text("Run All Cells", exact=True).click()
    wait_until(lambda: has_run_all(page), SECONDS)
    page.screenshot(path=SHOTS / "2_run_all.png")
    return saved(course, page)


def has_run_all(page) -> bool:
    """Whether no cell waits for its turn and the last one has run."""
    prompts = page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").all_text_contents()
    return "[*]:" not in prompts and prompts[-1].strip() not in ("[ ]:", "[]:", "")


def saved(course: Path, page):
    """The notebook once JupyterLab has written it to disk."""
    path = course / SLUG / f"{SLUG}.ipynb"
    before = path.stat().st_mtime_ns
    page.locator(".jp-Notebook").click(position={"x": 3, "y": 3})
    page.keyboard.press("Control+s")
    wait_until(lambda: path.stat().st_mtime_ns != before, 300)
    page.locator(".jp-mod-dirty").wait_for(state="detached", timeout=300_000)
    return nbformat.read(path, as_version=4)


def outputs(book) -> list:
    return [output for cell in book.cells for output in cell.get("outputs", [])]


def graded(book, suffix: str = "") -> dict[str, int]:
    """Place of each code cell with a grade_id of that ending, among all cells."""
    ids = {c.metadata.get("nbgrader", {}).get("grade_id"): i for i, c in enumerate(book.cells)}
    exercises = [exercise["id"] for exercise in book.metadata.llmcourse.exercises]
    return {exercise: ids[exercise + suffix] for exercise in exercises}


def pictures(book) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs(book))


def edit(cell) -> None:
    """Put the cursor into a cell; again if the page moved under the click."""

    def has_cursor() -> bool:
        cell.locator(".cm-content").click()
        return cell.locator(".cm-focused").count() == 1

    wait_until(has_cursor, 300)


def test_run_all_on_the_untouched_notebook_reaches_the_last_cell(untouched):
    code = [cell for cell in untouched.cells if cell.cell_type == "code"]
    assert [c.source for c in code if c.source.strip() and c.execution_count is None] == []


def test_no_cell_raises_or_complains(untouched):
    assert [o for o in outputs(untouched) if o.output_type == "error"] == []
    assert [o.text for o in outputs(untouched) if o.get("name") == "stderr"] == []


def test_each_unsolved_exercise_is_reported_in_one_line(untouched):
    places = graded(untouched, "_check")
    shown = {name: untouched.cells[i].outputs for name, i in places.items()}
    told = {name: [o.data["text/plain"] for o in outputs] for name, outputs in shown.items()}
    assert told == {name: [f"{name}: not solved yet"] for name in places}


def test_every_figure_of_the_solution_is_shown(untouched):
    solution = nbformat.read(ROOT / "solutions" / SLUG / f"{SLUG}.ipynb", as_version=4)
    assert pictures(untouched) == pictures(solution) > 0


def test_a_right_answer_typed_in_passes_its_check(course, page, untouched):
    solution = nbformat.read(ROOT / "solutions" / SLUG / f"{SLUG}.ipynb", as_version=4)
    name = next(iter(graded(untouched)))
    lines = solution.cells[graded(solution)[name]].source.splitlines()
    source = "\n".join(line for line in lines if "### " not in line)  # nbgrader's marks
    cells = page.locator(".jp-Notebook .jp-Cell")
    answer = cells.nth(graded(untouched)[name])
    verdict = cells.nth(graded(untouched, "_check")[name])
    edit(answer)
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(source)
    wait_until(lambda: source.splitlines()[-1].strip() in answer.inner_text(), 300)
    page.keyboard.press("Shift+Enter")
    edit(verdict)
    page.keyboard.press("Shift+Enter")
    verdict.get_by_text(f"{name}: passed").wait_for(timeout=300_000)
    verdict.scroll_into_view_if_needed()
    page.screenshot(path=SHOTS / "3_solved.png")
    after = saved(course, page)
    told = [o.data["text/plain"] for o in after.cells[graded(after, "_check")[name]].outputs]
    assert told == [f"{name}: passed"]
    assert after.cells[graded(after)[name]].source == source
