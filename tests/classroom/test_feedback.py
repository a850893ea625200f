"""What people read is complete, and nothing a learner wrote or printed can act in it."""

import base64
import json
from html.parser import HTMLParser

import nbformat
import pytest

from autograder.classroom.feedback import (
    autograded_notebook,
    defused,
    harmless,
    message_html,
    shortened,
    write_feedback,
)
from autograder.classroom.feedback_page import markdown
from autograder.classroom.gradebook import Graded, record
from autograder.classroom.room import Classroom
from autograder.course import load_unit
from autograder.exercise import CaseResult
from tests import toy_course
from tests.browser import CHROMIUM, SHOTS, chromium
from tests.graded import exercise, result
from tests.toy_course import SLUG

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 20).decode()
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return Classroom.open(toy_course.build(tmp_path_factory.mktemp("toy")))


@pytest.fixture(scope="module")
def unit(room):
    return load_unit(room.root, SLUG)


# Outputs and text of learners


def display(**data):
    return {"output_type": "display_data", "metadata": {"width": 'x" onload="'}, "data": data}


@pytest.mark.parametrize(
    "kind",
    [
        "text/html",
        "application/javascript",
        "image/svg+xml",
        "text/markdown",
        "text/latex",
        "image/jpeg",
        "application/vnd.jupyter.widget-view+json",
    ],
)
def test_outputs_that_could_act_are_dropped(kind):
    [kept] = harmless([display(**{kind: ATTACK, "text/plain": "seen"})])
    assert kept.data == {"text/plain": "seen"}
    assert kept.metadata == {}
    assert harmless([display(**{kind: ATTACK})]) == []


def test_pictures_stay_and_a_broken_one_goes():
    assert harmless([display(**{"image/png": PNG})])[0].data == {"image/png": PNG}
    for broken in ('" onerror="alert(1)', base64.b64encode(b"GIF89a").decode(), "é"):
        assert harmless([display(**{"image/png": broken})]) == []


def test_terminal_escapes_go_and_what_they_coloured_stays():
    text = "\x1b[1;31mred\x1b[0m \x1b[" + "1;" * 300_000 + "m\x1b]x\x1b"
    (kept,) = harmless([{"output_type": "stream", "name": "stdout", "text": text}])
    assert kept.text == "red ]x"


@pytest.mark.parametrize("unit_of_it", ["  \n", ".", "a.", "("])
def test_text_that_takes_a_page_for_ever_is_cut(unit_of_it):
    text = shortened(unit_of_it * 100_000, 10**9)
    assert max(map(len, text.split("\n"))) < 1_100 and len(text) < 60_000
    assert text.endswith("too long to be shown]") and "\n" * 30 not in text
    assert shortened("a = 1\n\n\nb = 2\n", 100) == "a = 1\n\n\nb = 2\n"


def test_no_output_can_pass_for_points():
    shown = {"output_type": "execute_result", "execution_count": 1, "data": {"text/plain": "15"}}
    assert harmless([shown])[0].output_type == "display_data"


def test_streams_and_errors_stay_and_unknown_outputs_go():
    outputs = [
        {"output_type": "stream", "name": "stderr", "text": ["a\n", "b"]},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t"]},
        {"output_type": "stream", "name": "evil", "text": ""},
        {"output_type": "update_display_data", "data": {}},
    ]
    kept = harmless(outputs)
    assert [o.output_type for o in kept] == ["stream", "error"]
    assert kept[0].text == "a\nb"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p < 0.5 and a<b", "p < 0.5 and a< b"),
        ("<script>x</script>", "< script>x< /script>"),
        ("<!-- x --><?php", "< !-- x -->< ?php"),
        ("![alt](http://far/x.png)", "![alt] (http: //far/x.png)"),
        ("see https://far/x", "see https: //far/x"),
        ("[x](<java&#115;cript:alert(1)>)", "[x] (< java&#115;cript:alert(1)>)"),
        ("[x][y]\n\n[y]: javascript:alert(1)", "[x][y]\n\n[y] : javascript:alert(1)"),
        (r"$\href{javascript:alert(1)}{x}$", r"$\ href{javascript:alert(1)}{x}$"),
        (r"$\frac{1}{n} \sum_i \log p_i$", r"$\frac{1}{n} \sum_i \log p_i$"),
    ],
)
def test_written_answers_stay_readable_and_lose_their_teeth(text, shown):
    assert defused(text) == shown


@pytest.mark.parametrize(
    "text",
    ["http://far", "HTTPS://far", "<http://far>", "[a][b]\n\n[b]: http://far", "- [x](//far)"],
)
def test_no_address_of_a_learner_becomes_a_link(text):
    assert "<a" not in markdown(defused(text)) and "far" in markdown(defused(text))


def test_messages_are_escaped():
    case = CaseResult("<i>p</i>", 1, False, ATTACK)
    page = message_html(exercise(ATTACK, 0.0, message=f"{ATTACK}!", cases=(case,)))
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;i&gt;p&lt;/i&gt;" in page


# The autograded notebook


def test_metadata_and_locked_text_are_the_released_ones(room, unit):
    book = toy_course.solved(room.root)
    toy_course.cell(book, "add_check")["source"] = "pass"
    toy_course.cell(book, "add_check")["metadata"]["nbgrader"]["points"] = 1000
    toy_course.cell(book, "add_check")["metadata"]["tags"] = ["skip-execution"]
    book["cells"][0]["source"] = ATTACK
    extra = {"cell_type": "code", "id": 'x"><b>', "metadata": {"tags": ["a"]}, "outputs": []}
    book["cells"].append(extra | {"source": "1", "execution_count": "<b>"})
    book["metadata"]["kernelspec"] = {"name": "evil", "display_name": ATTACK}
    made = autograded_notebook(unit, result(book))
    check = toy_course.cell(made, "add_check")
    assert check.source == "check.add(add);"
    assert check.metadata.nbgrader.points == 15
    assert "tags" not in check.metadata
    assert made.metadata.kernelspec.name == "python3"
    assert ATTACK not in json.dumps(made)
    assert made.cells[-1].metadata == {}
    assert made.cells[-1].id.isalnum()
    assert made.cells[-1].execution_count is None
    nbformat.validate(made)


def test_the_first_cell_says_what_to_mend_first_and_nothing_of_it_is_live(room, unit):
    message = f"{ATTACK}\n\n[x](javascript:alert(9))"
    given = (exercise("add", 7.5, message), exercise("double", message="every property holds"))
    opening = autograded_notebook(unit, result(None, exercises=given)).cells[0].source
    assert "<a href='#add_check'>add</a></td><td>7.5 of 15</td><td>&lt;script" in opening
    assert "double</a></td><td>15 of 15</td><td></td>" in opening
    assert "counts 0 until a person has read it" in opening
    assert "<script" not in opening and "\n" not in opening  # a blank line would end the HTML


def test_outputs_of_a_check_cell_never_come_from_the_submission(room, unit):
    book = toy_course.solved(room.root)
    forged = {"output_type": "execute_result", "metadata": {}, "execution_count": 1}
    toy_course.cell(book, "add_check")["outputs"] = [forged | {"data": {"text/plain": "15"}}]
    made = autograded_notebook(unit, result(book, exercises=(exercise("add", 0.0),)))
    assert [o.data["text/plain"] for o in toy_course.cell(made, "add_check").outputs] == ["0"]


# Feedback pages


@pytest.fixture(scope="module")
def page(room, unit):
    """The feedback page of a student who attacks it everywhere, through real nbgrader."""
    book = toy_course.solved(
        room.root,
        why=f"Because {ATTACK} [x](javascript:alert(3)) [y][z]\n\n[z]: javascript:alert(4)",
    )
    outputs = [
        display(
            **{"text/html": ATTACK, "application/javascript": "alert(5)", "text/plain": ATTACK}
        ),
        {"output_type": "stream", "name": "stdout", "text": ATTACK},
        {"output_type": "error", "ename": ATTACK, "evalue": ATTACK, "traceback": [ATTACK]},
    ]
    toy_course.cell(book, "add")["outputs"] = outputs
    toy_course.cell(book, "add")["source"] = f"# {ATTACK}"
    case = CaseResult("sums of negative numbers", 1, False, "is the sign lost?")
    exercises = (exercise("add", 7.5, cases=(case,)), exercise("double", 0.0, message=ATTACK))
    entry = Graded("mallory", SLUG, result(book, notices=(ATTACK,), exercises=exercises), "k", "w")
    record(room, unit, entry, None)
    assert write_feedback(room, SLUG, ["mallory"]) == []
    return (room.folder("feedback", "mallory", SLUG) / f"{SLUG}.html").read_text()


def test_feedback_shows_points_property_and_hint(page):
    assert "Score: 7.5 / 15.0" in page
    assert "sums of negative numbers" in page
    assert "is the sign lost?" in page


def test_nothing_a_learner_wrote_is_live_in_the_feedback_page(page):
    assert page.count("alert(1)") >= 6  # it is all there, as text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert 'href="javascript:' not in page
    assert "alert(5)" not in page


class Tags(HTMLParser):
    """Tags of a page with their attributes, in order."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_a_page_loads_nothing_and_may_run_nothing(page):
    found = Tags(page).found
    assert not {tag for tag, _ in found} & {"script", "link", "iframe", "object", "base", "form"}
    loads = [about[name] for _, about in found for name in ("src", "href") if name in about]
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in loads)
    assert not [name for _, about in found for name in about if name.startswith("on")]
    policy = next(about["content"] for _, about in found if "http-equiv" in about)
    assert policy.startswith("default-src 'none'") and "script-src" not in policy
    assert len(page) < 40_000  # of which the style is a fifth


def test_a_page_begins_with_the_table_of_points(page):
    table, notebook = page.index("<table>"), page.index("<section")
    assert (
        page.index("Score: 7.5 / 100.0") < page.index("was graded in a sandbox") < table < notebook
    )
    rows = page[table : page.index("</table>")]
    assert '<a href="#add_check">add</a>' in rows and "7.5 of 15" in rows
    assert "counts 0 until a person has read it" in rows and "&lt;script&gt;" in rows
    assert 'id="add_check"' in page and 'id="why"' in page


def test_a_mark_given_by_hand_stands_in_the_table_and_its_comment_is_not_live(room, unit):
    why = f"Since $e^{{-x}} > 0$ and $\\text{{{ATTACK}}}$"
    entry = Graded("kim", SLUG, result(toy_course.solved(room.root, why=why)), "k", "w")
    record(room, unit, entry, None)
    with room.book() as book:
        grade = book.find_grade("why", SLUG, SLUG, "kim")
        grade.manual_score, grade.needs_manual_grade = 8, False
        book.find_comment("why", SLUG, SLUG, "kim").manual_comment = f"*Well* said {ATTACK}"
        book.db.commit()
    assert write_feedback(room, SLUG, ["kim"]) == []
    page = (room.folder("feedback", "kim", SLUG) / f"{SLUG}.html").read_text()
    assert "8 of 10" in page and "until a person has read it" not in page
    assert "<em>Well</em> said" in page and "<msup><mi>e</mi>" in page
    assert "<script" not in page and "<img src=x" not in page


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_page_shows_its_formulas_without_a_network(room, unit, tmp_path):
    why = "$$\\frac{1}{n} \\sum_{i=1}^n \\log p_i$$"
    entry = Graded("lee", SLUG, result(toy_course.solved(room.root, why=why)), "k", "w")
    record(room, unit, entry, None)
    assert write_feedback(room, SLUG, ["lee"]) == []
    place = room.folder("feedback", "lee", SLUG) / f"{SLUG}.html"
    with chromium(place.as_uri(), offline=True) as page:
        inside = page.locator("math mfrac").bounding_box()
        line = page.locator("math mi").first.bounding_box()
        page.screenshot(path=SHOTS / "9_feedback.png", full_page=True)
    assert inside["height"] > 1.5 * line["height"]  # a fraction, not letters in a row


@pytest.mark.parametrize("name", ["a*[b]", "[!a]nn", "b?b", "ann"])
def test_an_id_that_nbgrader_takes_for_a_pattern_gets_its_page_too(room, unit, name):
    record(room, unit, Graded(name, SLUG, result(toy_course.solved(room.root)), "k", "w"), None)
    assert write_feedback(room, SLUG, [name]) == []
    page = room.folder("feedback", name, SLUG) / f"{SLUG}.html"
    assert "Score: 90.0 / 100.0" in page.read_text()


def test_a_student_without_a_notebook_costs_nobody_else_the_page(room, unit):
    record(room, unit, Graded("cid", SLUG, result(toy_course.solved(room.root)), "k", "w"), None)
    old = room.folder("feedback", "gone", SLUG) / f"{SLUG}.html"
    old.parent.mkdir(parents=True)
    old.write_text("a page of other work")
    assert write_feedback(room, SLUG, ["gone", "cid"]) == ["gone"]
    assert not old.exists()
    assert (room.folder("feedback", "cid", SLUG) / f"{SLUG}.html").is_file()
