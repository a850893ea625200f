"""The report of a run, as one HTML page, as JSON and as lines for the terminal.

The page needs no other file and no network: figures are inside it. Everything a notebook wrote is
escaped. The JSON holds the same data without the pictures, which are in the executed notebooks.
"""

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment

from llmcourse.commands.outcome import Outcome, Report

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff;
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem }
h2 { font-size: 1.2rem; margin-top: 2.5rem; border-top: 1px solid #ccc; padding-top: 1rem }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem }
table { border-collapse: collapse; width: 100% }
caption { text-align: left; color: #555 }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem;
  border-bottom: 1px solid #ddd }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
pre { background: #f5f5f5; padding: .7rem; overflow-x: auto; font-size: 13px; line-height: 1.35 }
.good { color: #14622b }
.bad { color: #a3161a; font-weight: 600 }
.warn { color: #7a4b00 }
.wide { width: 38% }
.bar { height: .8rem; margin-top: .35rem; background: #33608c; min-width: 1px }
.figures { display: flex; flex-wrap: wrap; gap: 1rem }
figure { margin: 0; width: 18rem }
figure img { width: 100%; border: 1px solid #ddd }
figcaption { font-size: 13px; color: #555 }
"""

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Run at {{ report.preset }}, seed {{ report.seed }}</title><style>{{ style }}</style></head>
<body>
<h1>{{ headline(report) }}</h1>
<p>Preset {{ report.preset }}, device {{ report.device }}, seed {{ report.seed }}.
Started {{ report.started }}, {{ "%.0f"|format(report.seconds) }} s in all. {{ machine }},
{{ "%.1f"|format(report.slowness) }} times the reference's time for a fixed computation.</p>
<table>
<tr><th>Notebook</th><th>Status</th><th class="n">Seconds</th><th class="n">Peak MiB</th>
<th>Claims</th><th class="n">Figures</th><th class="n">Warnings</th></tr>
{% for one in report.outcomes %}
<tr><td><a href="#{{ one.slug }}">{{ one.slug }}</a></td>
<td class="{{ tone(one) }}">{{ one.status }}</td>
<td class="n">{{ "%.1f"|format(one.seconds) }}</td>
<td class="n">{{ "%.0f"|format(one.peak_mib) }}</td>
<td>{{ claims(one) }}</td>
<td class="n">{{ one.figures|length }}</td><td class="n">{{ one.warnings|length }}</td></tr>
{% endfor %}
</table>
{% for one in report.outcomes %}
<h2 id="{{ one.slug }}">{{ one.slug }}: <span class="{{ tone(one) }}">{{ one.status }}</span></h2>
{% for warning in one.warnings %}
<p class="warn">Warning: {{ warning }}</p>
{% endfor %}
{% if one.failure %}
<h3>Where it stopped: {{ one.failure.where }}</h3>
<p class="bad">{{ one.failure.message }}</p>
{% if one.failure.source %}<pre>{{ one.failure.source }}</pre>{% endif %}
{% if one.failure.traceback %}
<details open><summary>Traceback</summary><pre>{{ one.failure.traceback }}</pre></details>
{% endif %}
{% endif %}
{% if one.claims %}
<h3>Claims</h3>
<table><tr><th>Claim</th><th class="n">Measured</th><th>Holds</th></tr>
{% for claim in one.claims %}
<tr><td>{{ claim.text }}</td><td class="n">{{ claim.value|shown }}</td>
<td class="{{ ('good' if claim.holds else 'bad') if claim.enforced else 'warn' }}">
{{ "yes" if claim.holds else "no" }}{{ "" if claim.enforced else " (not enforced at smoke)" }}
</td></tr>
{% endfor %}
</table>
{% endif %}
{% for corpus, rows in ladders(one) %}
<h3>Ladder on {{ corpus }}</h3>
<table><caption>Bits per character on held-out text: lower is better</caption>
<tr><th>Model</th><th class="n">Bits/char</th><th></th><th class="n">Parameters</th>
<th class="n">Tokens</th><th class="n">Seconds</th></tr>
{% for row in rows %}
<tr><td>{{ row.model }}</td><td class="n">{{ row.bits_per_char|bits }}</td>
<td class="wide"><div class="bar" style="width: {{ row.width }}%"></div></td>
<td class="n">{{ "{:,}".format(row.parameters) }}</td>
<td class="n">{{ "{:,}".format(row.tokens) }}</td><td class="n">{{ row.seconds|shown }}</td></tr>
{% endfor %}
</table>
{% endfor %}
{% if one.records %}
<h3>Measured</h3>
<table>
{% for record in one.records %}
<tr><td>{{ record.name }}</td><td class="n">{{ record.value|shown }} {{ record.unit }}</td></tr>
{% endfor %}
</table>
{% endif %}
{% if one.figures %}
<h3>Figures</h3>
<div class="figures">
{% for figure in one.figures %}
<figure>
<img alt="{{ figure.caption }}" src="data:image/png;base64,{{ figure.data }}">
<figcaption>{{ figure.caption }}</figcaption></figure>
{% endfor %}
</div>
{% endif %}
{% endfor %}
</body></html>
"""


def write(report: Report, folder: Path) -> None:
    """Write `report.json` and `report.html`; neither if one cannot be written. Raises OSError."""
    data = json.dumps(as_data(report), indent=1, allow_nan=False) + "\n"
    replace({folder / "report.json": data, folder / "report.html": as_page(report)})


def replace(texts: dict[Path, str]) -> None:
    """Write files under names of their own and move them into place when all are complete."""
    partials = {path.with_name(f".partial-{path.name}"): path for path in texts}
    try:
        for partial, path in partials.items():
            partial.write_text(texts[path], encoding="utf-8")
        for partial, path in partials.items():
            os.replace(partial, path)
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)


def as_data(report: Report) -> dict[str, Any]:
    """Return the report as plain data; of a figure only its caption."""
    data = asdict(report) | {"ok": report.ok, "machine": machine()}
    for outcome in data["outcomes"]:
        outcome["figures"] = [figure["caption"] for figure in outcome["figures"]]
    return data


def as_page(report: Report) -> str:
    """Return the report as one HTML page."""
    environment = Environment(autoescape=True, trim_blocks=True)
    environment.filters |= {"shown": shown, "bits": bits}
    page = environment.from_string(PAGE)
    return page.render(
        report=report,
        style=STYLE,
        machine=machine(),
        headline=headline,
        claims=claims,
        ladders=ladders,
        tone=tone,
    )


def line(one: Outcome, width: int = 0) -> str:
    """Return one line for the terminal about a notebook; slugs are padded to `width`."""
    cost = f"{one.seconds:7.1f} s {one.peak_mib:6.0f} MiB"
    figures = _count(len(one.figures), "figure")
    return f"{one.status:<12}{one.slug:<{width}}{cost}   {claims(one)}, {figures}"


def claims(*outcomes: Outcome) -> str:
    """Return how many of the enforced claims hold, and how many were not enforced."""
    enforced = [claim["holds"] for one in outcomes for claim in one.claims if claim["enforced"]]
    free = sum(len(one.claims) for one in outcomes) - len(enforced)
    parts = []
    if enforced:
        parts.append(f"{sum(enforced)} of {len(enforced)} claims hold")
    if free:
        parts.append(f"{_count(free, 'claim')} not enforced")
    return ", ".join(parts) or "no claims"


def headline(report: Report) -> str:
    """Return the result of a run in one line."""
    if not report.ok:
        return "The run failed"
    return f"All notebooks ran: {claims(*report.outcomes)}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def details(report: Report) -> str:
    """Return what needs attention, for the terminal: warnings, broken claims, failing cells."""
    lines = []
    for one in report.outcomes:
        lines += [f"warning: {one.slug}: {warning}" for warning in one.warnings]
        for claim in one.broken_claims:
            lines.append(f"broken claim: {one.slug}: {claim['text']} [{shown(claim['value'])}]")
        if one.failure:
            lines += ["", f"{one.slug} stopped at {one.failure.where}: {one.failure.message}"]
            lines += [f"  | {text}" for text in one.failure.source.splitlines()]
            lines += [f"  {text}" for text in one.failure.traceback.splitlines()]
            lines += [""]
    return "".join(text + "\n" for text in lines)


def ladders(one: Outcome) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return a notebook's ladder rows by text, worst first, with the width of their bars in %."""
    scores = [
        row["bits_per_char"] for row in one.ladder if not isinstance(row["bits_per_char"], str)
    ]
    worst = max(scores, default=0) or 1
    found: dict[str, list[dict[str, Any]]] = {}
    for row in one.ladder:
        score = row["bits_per_char"]
        width = 0.0 if isinstance(score, str) else round(100 * score / worst, 1)
        found.setdefault(row["corpus"], []).append(row | {"width": width})
    return [(corpus, sorted(rows, key=lambda row: -row["width"])) for corpus, rows in found.items()]


def shown(value: float | int | str) -> str:
    """Return a measured value with four significant digits, or whole from 10,000 on."""
    if isinstance(value, str):
        return value
    return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def bits(value: float | str) -> str:
    """Return bits per character to three places, as the ladder is read."""
    return value if isinstance(value, str) else f"{value:.3f}"


def tone(one: Outcome) -> str:
    """Return the style class of a status."""
    return "good" if one.status == "passed" else "bad"


def machine() -> str:
    """Return Python, system and processor count."""
    system = f"{platform.system()} {platform.machine()}"
    return f"Python {platform.python_version()} on {system}, {os.cpu_count()} cores"
