"""Guards of the one-way build: solutions/*.py -> solutions/*.ipynb -> course/*.ipynb."""

import base64
import hashlib
import io
import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from autograder.course import AUTOMATIC_POINTS, appendices, read_info, slugs
from autograder.publishing.notebooks import expand, release

ROOT = Path(__file__).parents[2]
SLUGS = slugs(ROOT)
NOTEBOOKS = SLUGS + appendices(ROOT)
SECRETS = re.compile(r"BEGIN SOLUTION|BEGIN HIDDEN TESTS|BEGIN MARK SCHEME")


def solution(slug):
    return nbformat.read(ROOT / "solutions" / slug / f"{slug}.ipynb", as_version=4)


def course(slug):
    return nbformat.read(ROOT / "course" / slug / f"{slug}.ipynb", as_version=4)


def without_outputs(notebook):
    return [(c.id, c.cell_type, c.source, dict(c.metadata)) for c in notebook.cells]


def test_every_source_is_released_and_nothing_else():
    for folder in ("solutions", "course"):
        assert sorted(p.name for p in (ROOT / folder).iterdir() if p.is_dir()) == NOTEBOOKS


@pytest.mark.parametrize("slug", NOTEBOOKS)
def test_executed_notebook_equals_its_source(slug):
    built, fresh = solution(slug), expand(ROOT, slug)
    assert without_outputs(built) == without_outputs(fresh), "run `make release`"
    assert built.metadata == fresh.metadata


@pytest.mark.parametrize("slug", NOTEBOOKS)
def test_outputs_belong_to_the_code_that_stands_there(slug):
    notebook = solution(slug)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    digest = hashlib.sha256(json.dumps([c.source for c in code]).encode()).hexdigest()
    assert notebook.metadata.llmcourse.code_hash == digest
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1))
    outputs = [o for c in code for o in c.outputs]
    strict = [c for c in code if "raises-exception" not in c.metadata.get("tags", [])]
    assert not [o for c in strict for o in c.outputs if o.output_type == "error"]
    assert not [o for o in outputs if o.get("name") == "stderr"], "something wrote to stderr"


@pytest.mark.parametrize("slug", NOTEBOOKS)
def test_course_equals_a_fresh_release(slug, tmp_path):
    fresh = release(ROOT, slug, target=tmp_path)
    assert fresh.read_text() == (ROOT / "course" / slug / f"{slug}.ipynb").read_text()


@pytest.mark.parametrize("slug", SLUGS)
def test_release_can_withhold_hints(slug, tmp_path):
    text = release(ROOT, slug, target=tmp_path, hints=2).read_text()
    assert "Hint 3" not in text
    assert text.count("Hint 2:") == len(read_info(ROOT, slug).exercises)


def test_course_holds_no_solution_output_or_source_file():
    files = [p for p in (ROOT / "course").rglob("*") if p.is_file()]
    assert {p.suffix for p in files} <= {".ipynb", ".png", ".svg"}
    for path in (p for p in files if p.suffix == ".ipynb"):
        assert not SECRETS.search(path.read_text())
        for cell in nbformat.read(path, as_version=4).cells:
            assert not cell.get("outputs")
            assert cell.get("execution_count") is None


@pytest.mark.parametrize("slug", SLUGS)
def test_no_line_of_a_solution_is_left_in_the_released_cell(slug):
    released = {c.id: c.source for c in course(slug).cells}
    solved = set()  # a class has one region a method
    for cell in solution(slug).cells:
        for region in re.findall(
            r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", cell.source, re.DOTALL
        ):
            solved.add(cell.id)
            outside = cell.source.replace(region, "")
            lines = {s for line in region.splitlines() if len(s := line.strip()) > 8}
            assert not [s for s in lines if s in released[cell.id] and s not in outside]
    assert len(solved) == len(read_info(ROOT, slug).exercises) + 1  # and the written answer


@pytest.mark.parametrize("slug", SLUGS)
def test_points_of_the_notebook_sum_to_one_hundred(slug):
    grades = [c.metadata.nbgrader for c in course(slug).cells if "nbgrader" in c.metadata]
    automatic = sum(g.points for g in grades if g.grade and not g.solution)
    assert automatic == AUTOMATIC_POINTS
    assert sum(g.points for g in grades if g.grade) == 100


@pytest.mark.parametrize("slug", NOTEBOOKS)
def test_cells_are_short_and_follow_prose(slug):
    """Not counted: the check that ends an exercise, and the marks around solutions."""
    cells = [c for c in solution(slug).cells if c.source.strip()]
    cells = [c for c in cells if not c.source.startswith("check.")]
    code = [c for c in cells if c.cell_type == "code"]
    lengths = sorted(len(re.findall(r"^(?! *###)", c.source.strip(), re.M)) for c in code)
    assert lengths[len(lengths) // 2] <= 6
    assert lengths[-1] <= 25
    after_prose = sum(
        a.cell_type == "markdown" and b.cell_type == "code" for a, b in pairwise(cells)
    )
    assert after_prose >= 0.85 * len(code)


@pytest.mark.parametrize("slug", NOTEBOOKS)
def test_figures_are_stored_with_a_palette(slug):
    for cell in solution(slug).cells:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                picture = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
                assert picture.mode == "P"


def test_no_letter_is_the_right_choice_more_often():
    letters = Counter()
    for slug in SLUGS:
        for cell in course(slug).cells:
            if cell.source.startswith("**Quick check.**"):
                letters += Counter(re.findall(r"<summary>([A-G])\. [^\n]*\n\n✓", cell.source))
    assert sum(letters.values()) >= 4 * len(SLUGS)
    assert max(letters.values()) <= 0.45 * sum(letters.values()), letters
