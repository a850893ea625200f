"""The report of a course as one HTML page, fit to be shown outside the class: it names no student.

The page needs no other file and no network; each picture of a score distribution is also written
beside it as a PNG file. Only hints may contain a learner's words; everything is escaped.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from jinja2 import Environment
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from autograder.files import write_durably
from autograder.reports.analysis import Analysis
from autograder.reports.table import MISCONCEPTIONS, headline
from llmcourse import plotting
from llmcourse.commands.report import STYLE

MORE_STYLE = """
td .bar { display: inline-block; width: 6rem; margin: 0 .5rem 0 0; background: #e3e9ef }
td .bar div { height: .8rem; background: #33608c }
img { width: 100%; max-width: 44rem }
.note { color: #555; font-size: 13px }
"""

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Course report</title><style>{{ style }}</style></head>
<body>
<h1>Course report</h1>
<p>{{ today }}. Programming exercises are graded by hidden tests outside the reach of the
submission, the written answer by a person.</p>
<table>
<tr><th>Unit</th><th class="n">Submissions</th><th class="n">Mean</th><th class="n">Median</th>
<th class="n">Points</th><th>Hardest exercise</th><th class="n">Answers to read</th></tr>
{% for one in analyses %}
<tr><td><a href="#{{ one.info.slug }}">{{ one.info.title }}</a></td>
<td class="n">{{ one.totals|length }}</td><td class="n">{{ "%.1f"|format(one.mean) }}</td>
<td class="n">{{ "%.1f"|format(one.median) }}</td><td class="n">{{ one.info.points }}</td>
<td>{% if one.exercises %}{{ (one.exercises|sort(attribute="solved")|first).title }}{% endif %}</td>
<td class="n">{{ one.to_read }}</td></tr>
{% endfor %}
</table>
{% for one in analyses %}
<h2 id="{{ one.info.slug }}">{{ one.info.title }}</h2>
<p><em>{{ one.info.question }}</em></p>
<p>{{ headline(one) }}.</p>
<img alt="Distribution of scores in {{ one.info.title }}"
src="data:image/png;base64,{{ pictures[one.info.slug] }}">
{% if one.exercises %}
<h3>Exercises</h3>
<table>
<tr><th>Exercise</th><th class="n">Tried</th><th>Solved</th><th class="n">Mean points</th>
<th class="n">Discrimination</th></tr>
{% for about in one.exercises %}
<tr><td>{{ about.title }} (<code>{{ about.name }}</code>)</td>
<td class="n">{{ "%.0f %%"|format(100 * about.tried) }}</td>
<td><div class="bar"><div style="width: {{ "%.0f"|format(100 * about.solved) }}%"></div></div>
{{ "%.0f %%"|format(100 * about.solved) }}</td>
<td class="n">{{ "%.1f"|format(about.mean) }} of {{ "%g"|format(about.max_points) }}</td>
<td class="n">{{ "–" if about.discrimination is none
else "%.2f"|format(about.discrimination) }}</td></tr>
{% endfor %}
</table>
<p class="note">Solved: share of the readable submissions with all points. Discrimination:
correlation of the points of the exercise with the points of all other exercises; near or below 0
the exercise tells nothing about the rest of the work and should be looked at.</p>
{% endif %}
{% if one.kills %}
<h3>Tests that learners wrote</h3>
<table>
<tr><th class="n">Submissions</th><th>Exercise</th><th>What their test does</th></tr>
{% for kill in one.kills %}
<tr><td class="n">{{ "%.0f %%"|format(100 * kill.caught) }}</td>
<td><code>{{ kill.exercise }}</code></td><td>{{ kill.impostor }}</td></tr>
{% endfor %}
</table>
{% endif %}
{% if one.misconceptions %}
<h3>What went wrong most often</h3>
<table>
<tr><th class="n">Students</th><th>Exercise</th><th>What they were told</th></tr>
{% for found in one.misconceptions[:most] %}
<tr><td class="n">{{ found.students }}</td><td><code>{{ found.exercise }}</code></td>
<td>{{ found.hint }}</td></tr>
{% endfor %}
</table>
{% endif %}
{% endfor %}
</body></html>
"""


def write(analyses: Sequence[Analysis], folder: Path) -> Path:
    """Write `index.html` and a PNG file a unit, and return the path of the page."""
    pictures = {one.info.slug: score_distribution(one) for one in analyses}
    for slug, picture in pictures.items():
        write_durably(folder / f"{slug}.png", picture)
    page = as_page(analyses, pictures, date.today().isoformat())
    write_durably(folder / "index.html", page.encode())
    return folder / "index.html"


def as_page(analyses: Sequence[Analysis], pictures: Mapping[str, bytes], today: str) -> str:
    """Return the page as text. pictures: PNG bytes by slug."""
    template = Environment(autoescape=True, trim_blocks=True).from_string(PAGE)
    return template.render(
        analyses=analyses,
        pictures={slug: base64.b64encode(png).decode() for slug, png in pictures.items()},
        today=today,
        style=STYLE + MORE_STYLE,
        headline=headline,
        most=MISCONCEPTIONS,
    )


def score_distribution(analysis: Analysis) -> bytes:
    """Return a PNG picture of the totals of a class, with their mean and median."""
    figure = Figure(figsize=(7.5, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    top = analysis.info.points
    plotting.histogram(
        [min(total, top) for total in analysis.totals],
        analysis.edges,
        f"total (points of {top})",
        "submissions",
        marks={
            f"mean {analysis.mean:.1f}": analysis.mean,
            f"median {analysis.median:.1f}": analysis.median,
        },
        ax=figure.subplots(),
    )
    file = io.BytesIO()
    figure.savefig(file, dpi=150, metadata={"Software": None})
    return file.getvalue()
