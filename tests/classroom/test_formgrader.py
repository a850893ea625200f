"""An instructor in JupyterLab: formgrader shows the class, grades in the sandbox, takes marks.

A headless Chromium drives formgrader's own pages; what is asserted is read from the gradebook and
from what the pages show. A screenshot of each step stays in `build/browser/`.
"""

import pytest

from autograder.classroom.room import Classroom
from tests import toy_course
from tests.browser import CHROMIUM, SHOTS, chromium, jupyterlab, wait_until
from tests.submissions.sample_class import TRANSFORMER
from tests.toy_course import SLUG, WRITTEN

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.usefixtures("wall"),
]


ATTACK = "<img src=x onerror='window.top.owned = 1'><script>window.top.owned = 1</script>"
SHOW = f"from IPython.display import HTML, Javascript, display\ndisplay(HTML({ATTACK!r}))"
RUN = "display(Javascript('window.top.owned = 1'))"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A course with one honest submission, one that deletes every assert and one whose text and
    outputs attack who reads it."""
    root = toy_course.build(tmp_path_factory.mktemp("instructor") / "course")
    toy_course.submit(root, "ann", toy_course.solved(root, why="Because it is **so**."))
    extra = {"cell_type": "code", "id": "extra", "metadata": {}, "outputs": []}
    extra |= {"execution_count": None}
    cheat = toy_course.notebook(root)
    cheat["cells"].insert(0, extra | {"source": TRANSFORMER})
    toy_course.submit(root, "mallory", cheat)
    attack = toy_course.notebook(root, why=f"Because {ATTACK}", add=f"raise ValueError({ATTACK!r})")
    attack["cells"].insert(0, extra | {"source": f"{SHOW}\n{RUN}\nprint({ATTACK!r})"})
    toy_course.submit(root, "eve", attack)
    return root


@pytest.fixture(scope="module")
def page(root, tmp_path_factory):
    """JupyterLab with formgrader open, as its menu opens it."""
    place = tmp_path_factory.mktemp("jupyter")
    with jupyterlab(root, place) as lab, chromium(lab.at("lab")) as page:
        page.locator(".lm-MenuBar-itemLabel", has_text="Nbgrader").first.click(timeout=300_000)
        page.locator(".lm-Menu-itemLabel").get_by_text("Formgrader").first.click()
        yield page


@pytest.fixture(scope="module")
def formgrader(page):
    """Formgrader inside JupyterLab, on the submissions of the unit."""
    frame = page.frame_locator("iframe")
    to_submissions(frame)
    page.screenshot(path=SHOTS / "4_class.png")
    return frame


def to_submissions(frame):
    frame.get_by_role("link", name="Manage Assignments").click(timeout=300_000)
    frame.locator("tr", has_text=SLUG).locator("td.num-submissions a").click(timeout=300_000)
    row(frame, "ann").wait_for(timeout=300_000)


def row(frame, student):
    return frame.locator("tr", has=frame.locator("td.student-id", has_text=student))


def open_notebook(frame, student):
    """The submission as the person sees it who marks it."""
    to_submissions(frame)
    row(frame, student).locator("td.student-name a").click()
    frame.locator("td.name a").click()
    frame.locator("a[href*='formgrader/submissions/']").first.click()
    frame.locator("input.score").first.wait_for(timeout=300_000)


def press(frame, student, button) -> str:
    """Press a button in a student's row, close the message and return it."""
    row(frame, student).locator(f"td.{button} a").click()
    message = frame.locator(".modal.in .modal-body")
    message.wait_for(timeout=300_000)
    said = message.text_content()
    frame.locator(".modal.in button", has_text="OK").click()
    frame.locator(".modal-backdrop").wait_for(state="detached", timeout=300_000)
    return said


def grade(root, student, cell):
    """automatic score, score by hand, comment and total of a student."""
    with Classroom.open(root).book() as book:
        found = book.find_grade(cell, SLUG, SLUG, student)
        comment = book.find_comment(WRITTEN, SLUG, SLUG, student).comment
        total = book.find_submission(SLUG, student).score
        return found.auto_score, found.manual_score, comment, total


@pytest.fixture(scope="module")
def shown(formgrader):
    """What the rows of the class say before anything is graded."""
    return {name: row(formgrader, name).inner_text() for name in ("ann", "eve", "mallory")}


@pytest.fixture(scope="module")
def autograded(formgrader, shown, page):
    """What the Autograde button said of each student."""
    said = {name: press(formgrader, name, "autograde") for name in shown}
    page.screenshot(path=SHOTS / "5_autograded.png")
    return said


@pytest.fixture(scope="module")
def marked(root, formgrader, autograded, page):
    """The written answer read, with 8 points and a comment."""
    frame = formgrader
    open_notebook(frame, "ann")
    points = frame.locator("input.score.needs_manual_grade")
    points.fill("8")
    points.press("Tab")
    wait_until(lambda: grade(root, "ann", WRITTEN)[1] == 8, 300)
    comment = frame.locator("textarea.comment").last
    comment.fill("Well said.")
    comment.press("Tab")
    wait_until(lambda: grade(root, "ann", WRITTEN)[2] == "Well said.", 300)
    page.screenshot(path=SHOTS / "6_by_hand.png")
    frame.get_by_role("link", name="Manual Grading").click()


def test_the_class_is_shown_and_waits_for_grading(shown):
    assert all("needs autograding" in text for text in shown.values())


def test_the_autograde_button_grades_in_the_sandbox_and_no_cheat_pays(root, autograded, formgrader):
    assert "ann 90_toy: graded, graded in the sandbox, 90 points" in autograded["ann"]
    assert "mallory 90_toy: graded, graded in the sandbox, 0 points" in autograded["mallory"]
    assert grade(root, "mallory", "add_check")[::3] == (0, 0)
    assert "needs manual grading" in row(formgrader, "ann").inner_text()


def test_a_mark_given_in_the_browser_survives_a_regrade(root, marked, formgrader, page):
    to_submissions(formgrader)
    assert "98 / 100" in row(formgrader, "ann").inner_text()
    assert "graded in the sandbox, 90 points" in press(formgrader, "ann", "autograde")
    assert grade(root, "ann", WRITTEN) == (None, 8, "Well said.", 98)
    assert row(formgrader, "ann").locator(".status").inner_text() == "graded"
    page.screenshot(path=SHOTS / "7_regraded.png")


def test_the_feedback_button_writes_a_page_with_mark_and_comment(root, marked, formgrader):
    to_submissions(formgrader)
    assert "Successfully generated feedback" in press(formgrader, "ann", "generate-feedback")
    text = (root / "feedback" / "ann" / SLUG / f"{SLUG}.html").read_text()
    assert "Score: 98.0 / 100.0" in text
    assert "Well said." in text


def test_nothing_that_a_learner_wrote_acts_on_who_marks_it(page, autograded, formgrader):
    open_notebook(formgrader, "eve")
    body = formgrader.locator("body")
    page.screenshot(path=SHOTS / "8_attack.png")
    assert body.inner_text().count("window.top.owned = 1") >= 3  # all of it is there, as text
    assert page.evaluate("window.owned") is None
    body.evaluate("(body, live) => body.insertAdjacentHTML('beforeend', live)", ATTACK)
    wait_until(lambda: page.evaluate("window.owned") == 1, 10)  # it would have
    formgrader.get_by_role("link", name="Manual Grading").click()
