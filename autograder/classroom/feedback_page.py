"""The feedback page of one submission: points first, then the notebook; no script at all.

nbgrader's converter puts the scores of the gradebook into the cells and calls an exporter, which
here is `FeedbackPage`. The page needs no network and no other file, and its policy forbids both:
formulas are MathML, pictures and style are inside the page. Texts and outputs come from `feedback`,
which has made them harmless; all but markdown is escaped here.
"""

from functools import cache, lru_cache
from typing import Any

from jinja2 import Environment, Template
from markupsafe import Markup
from mistune.plugins.table import table_in_quote
from nbconvert.exporters import Exporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from autograder.classroom.formulas import mathml

OPENING = "autograder-notes"  # id of the first cell, which says what the grader noticed
CELLS = 1000  # kept as HTML: the pages of a class have most of their cells in common
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff;
  max-width: 54rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.25rem } h3 { font-size: 1.1rem }
.score { font-size: 1.2rem; font-weight: 600 }
.bad { color: #a3161a }
table { border-collapse: collapse; margin: .6rem 0 }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem;
  border-bottom: 1px solid #ddd }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
pre { margin: .4rem 0; padding: .6rem; overflow-x: auto; font-size: 13px; line-height: 1.35;
  white-space: pre-wrap; overflow-wrap: anywhere; background: #f5f5f5 }
pre.out { background: none; border-left: 3px solid #ddd }
pre.stderr { background: #fdf0ef }
section { margin: .8rem 0; overflow-x: auto }
p, li { max-width: 38em }
p:has(img) { max-width: none }
blockquote { margin: .6rem 0; padding: .1rem 1rem; border-left: 4px solid #3f7cac;
  background: #f2f6fa }
.graded { border: 1px solid #b9c6d3; border-radius: 4px; padding: 0 .8rem .4rem }
.graded > header { display: flex; justify-content: space-between; gap: 1rem;
  margin: 0 -.8rem .4rem; padding: .3rem .8rem; background: #e3e9ef }
.comment { border-top: 1px solid #b9c6d3; margin: .4rem -.8rem 0; padding: .3rem .8rem }
img { max-width: 100% }
details { margin: .2rem 0 }
math { font: 1.1em "Cambria Math", "STIX Two Math", "Latin Modern Math", math, serif }
math[display="block"] { margin: .6rem 0 }
@media print { section { break-inside: avoid } }
"""
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ about.notebook }}: feedback</title><style>{{ style }}</style></head>
<body id="top">
<h1>{{ about.notebook }}</h1>
<p class="score">Score: {{ points(about.score) }} / {{ points(about.max_score) }}</p>
{% if about.late_penalty %}
<p class="bad">Late submission penalty, taken from the score: {{ points(about.late_penalty) }}</p>
{% endif %}
{{ notes }}
<table>
<tr><th>exercise</th><th class="n">points</th><th>to mend first</th></tr>
{% for row in rows %}
<tr><td><a href="#{{ row.name }}">{{ row.label }}</a></td>
<td class="n">{{ "%g of %g"|format(row.score, row.points) }}</td><td>{{ row.first }}</td></tr>
{% endfor %}
</table>
{% for cell in cells %}
{% set grade = cell.metadata.get("nbgrader", {}) %}
<section class="{{ 'graded' if grade else 'text' }}"
{%- if grade %} id="{{ grade.grade_id }}"{% endif %}>
{% if grade %}
<header><b>{{ "Your answer" if grade.solution else "Check" }}: {{ grade.grade_id }}</b>
<span>{% if grade.grade %}Score: {{ points(grade.score) }} / {{ points(grade.points) }} {% endif %}
<a href="#top">top</a></span></header>
{% endif %}
{% if cell.cell_type == "markdown" %}
{{ markdown(cell.source, attachments=cell.get("attachments")) }}
{% elif cell.cell_type == "code" and cell.source.strip() %}{{ code(cell.source) }}{% endif %}
{% for output in cell.get("outputs", ()) %}
{% if output.output_type == "stream" %}<pre class="out {{ output.name }}">{{ output.text }}</pre>
{% elif output.output_type == "error" %}
<pre class="out stderr">
{{- output.traceback|join("\n") or output.ename ~ ": " ~ output.evalue }}</pre>
{% elif grade.locked and "text/html" in output.data %}{{ output.data["text/html"]|safe }}
{% elif "image/png" in output.data %}
<img alt="output of the cell" src="data:image/png;base64,{{ output.data['image/png'] }}">
{% else %}<pre class="out">{{ output.data["text/plain"] }}</pre>{% endif %}
{% endfor %}
{% if grade.comment %}
<div class="comment"><b>Comment</b> {{ markdown(grade.comment, escape=true) }}</div>
{% endif %}
</section>
{% endfor %}
</body></html>
"""


class _Renderer(IPythonRenderer):
    """nbconvert's markdown with formulas as MathML."""

    def inline_math(self, body: str) -> str:
        return mathml(body)

    def block_math(self, body: str) -> str:
        return mathml(body, block=True)

    def latex_environment(self, name: str, body: str) -> str:
        return mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", block=True)


class FeedbackPage(Exporter):
    """The maker of the page; nbgrader_config.py names this class to nbgrader."""

    output_mimetype = "text/html"

    def _file_extension_default(self) -> str:
        return ".html"

    def from_notebook_node(  # type: ignore[override]  # as HTMLExporter does
        self, nb: NotebookNode, resources: Any = None, **options: Any
    ) -> tuple[str, Any]:
        """Return the page of an autograded notebook whose scores nbgrader puts in on the way."""
        notebook, resources = super().from_notebook_node(nb, resources, **options)
        about, cells = resources["nbgrader"], notebook.cells
        opening = next((cell for cell in cells if cell.get("id") == OPENING), None)
        rows = _rows(cells, opening.metadata.get("first", {}) if opening else {}, about)
        page = _template().render(
            about=about,
            cells=[cell for cell in cells if cell is not opening],
            code=code,
            markdown=markdown,
            notes=_notes(opening),
            points=points,
            policy=POLICY,
            rows=rows,
            style=Markup(STYLE + HtmlFormatter().get_style_defs(".highlight")),
        )
        return page, resources


@cache
def _template() -> Template:
    return Environment(autoescape=True, trim_blocks=True).from_string(PAGE)


def _notes(opening: NotebookNode | None) -> Markup:
    """Return the state and notices of the first cell, without its table, which lacks marks."""
    text, table, _ = opening.source.partition("<table") if opening else ("", "", "")
    return Markup(text + "</div>" * bool(table))


def _rows(cells: list[NotebookNode], first: dict[str, str], about: Any) -> list[dict[str, Any]]:
    """Return what the gradebook holds of each graded cell, and what to mend in it first."""
    rows = []
    for grade in (cell.metadata.get("nbgrader", {}) for cell in cells):
        if not grade.get("grade"):
            continue
        name = grade["grade_id"]
        row = {"name": name, "label": name.removesuffix("_check")}
        row |= {"score": grade["score"], "points": grade["points"], "first": first.get(name, "")}
        if grade.get("solution") and _waits(name, about):
            row["first"] = "graded by hand; counts 0 until a person has read it"
        rows.append(row)
    return rows


def _waits(name: str, about: Any) -> bool:
    """Say whether nobody has marked this answer yet."""
    with Gradebook(about["db_url"]) as book:
        grade = book.find_grade(name, about["notebook"], about["assignment"], about["student"])
        return bool(grade.needs_manual_grade)


def points(value: float) -> float:
    """Return points as nbgrader writes them: 7.5, 15.0."""
    return round(float(value), 2)


def markdown(text: str, escape: bool = False, attachments: Any = None) -> Markup:
    """Return Markdown as HTML. escape: show HTML in it as text; attachments: pictures by name."""
    return _rendered(text, escape, attachments) if attachments else _kept(text, escape)


@lru_cache(CELLS)
def _kept(text: str, escape: bool) -> Markup:
    return _rendered(text, escape)


def _rendered(text: str, escape: bool, attachments: Any = None) -> Markup:
    renderer = _Renderer(escape=escape, exclude_anchor_links=True, attachments=attachments)
    parser = MarkdownWithMath(renderer=renderer)
    table_in_quote(parser)  # the contract of an exercise; nbconvert shows it as text
    return Markup(parser.render(text))


@lru_cache(CELLS)
def code(source: str) -> Markup:
    """Return Python code with colours."""
    return Markup(highlight(source, PythonLexer(), HtmlFormatter()))
