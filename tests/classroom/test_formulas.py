"""Every formula of the course becomes MathML, and no formula of a learner becomes a live tag."""

import re
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

from autograder.classroom import feedback_page, formulas
from autograder.classroom.formulas import mathml
from autograder.course import appendices, slugs

ROOT = Path(__file__).parents[2]
XMLNS = "{http://www.w3.org/1998/Math/MathML}"


def test_lines_that_are_aligned_become_a_table():
    made = mathml(r"\begin{aligned} a &= b \\ c &= d \end{aligned}", block=True)
    assert made.count("<mtr>") == 2 and made.count("<mtd") == 4


@pytest.mark.parametrize("slug", slugs(ROOT) + appendices(ROOT))
def test_every_formula_of_the_course_is_converted(slug, monkeypatch):
    made = {}

    def noted(tex, block=False):
        made[tex] = mathml(tex, block)
        return made[tex]

    monkeypatch.setattr(feedback_page, "mathml", noted)
    for cell in nbformat.read(ROOT / "solutions" / slug / f"{slug}.ipynb", as_version=4).cells:
        if cell.cell_type == "markdown":
            feedback_page.markdown(cell.source)
    assert made or slug in ("03_tokenization", "appendix_world")  # these have none
    assert [tex for tex, shown in made.items() if "<code" in shown or "\\" in shown] == []


def text(shown: str) -> str:
    return "".join(ElementTree.fromstring(shown).itertext())


def test_a_formula_keeps_its_characters_and_a_name_its_distance():
    assert text(mathml(r"\arg\max_w P(w \mid h)")) == "argmaxwP(w∣h)"
    shown = mathml(r"-\log_2 p + \ln P + \exp(x)")
    assert shown.count("<mspace") == 2  # none before a bracket
    assert mathml("x", block=True).startswith("<math") and 'display="block"' in mathml("x", True)


@pytest.mark.parametrize(
    "tex",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{&lt;script&gt;alert(1)&lt;/script&gt;}",
        r"\text{&#60;img src=x onerror=alert(1)&#62;}",
        "</math><script>alert(1)</script>",
        r"\frac{<b>}{</math>",
    ],
)
def test_no_tag_gets_through_a_formula(tex):
    shown = mathml(tex)
    assert not any(tag in shown for tag in ("<script", "<img", "<b>"))
    assert shown.count("</math>") <= 1 and ElementTree.fromstring(shown) is not None


def test_links_and_styles_of_a_formula_are_dropped():
    shown = mathml(r"\href{javascript:alert(1)}{x} \style{position:fixed}{y} \class{bad}{z}")
    names = {name for element in ElementTree.fromstring(shown).iter() for name in element.attrib}
    assert names <= {"display"} and text(shown) == "xyz"


@pytest.mark.parametrize(
    "tex",
    [
        r"\unknown{x}",
        r"\begin{alignedat}{1} a &= b \end{alignedat}",
        "x_",
        "{" * 900,
        "x" * 2_000,
        r"\def\a{xx}\def\b{\a\a}\b",
        r"\newcommand{\a}{x}\a",
    ],
)
def test_what_cannot_be_converted_is_shown_as_it_was_written(tex):
    assert mathml(tex) == f"<code>{formulas.html.escape(tex)}</code>"


def test_a_formula_nested_too_deep_for_the_stack_is_shown_as_its_source():
    def deeper(levels, tex):
        return deeper(levels - 1, tex) if levels else mathml(tex)

    shown = {
        deeper(levels, "{" * 400 + str(levels) + "}" * 400)[:5] for levels in range(0, 900, 50)
    }
    assert shown == {"<math", "<code"}


@pytest.mark.parametrize("slug", slugs(ROOT) + appendices(ROOT))
def test_no_page_shows_the_source_of_a_table_or_a_formula(slug):
    for cell in nbformat.read(ROOT / "solutions" / slug / f"{slug}.ipynb", as_version=4).cells:
        if cell.cell_type == "markdown":
            page = str(feedback_page.markdown(cell.source))
            words = re.sub(r"<(pre|code)\b.*?</\1>|<[^>]*>", "", page, flags=re.DOTALL)
            assert "|---" not in words and "$$" not in words, words[:300]
