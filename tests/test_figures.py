"""autograder.figures: a drawing of ours is seen wherever its notebook is, and only a drawing of
ours."""

import base64
import json
import os
import re
import runpy
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from autograder import figures
from autograder.classroom.feedback import autograded_notebook, write_feedback
from autograder.classroom.gradebook import Graded, record
from autograder.classroom.room import Classroom
from autograder.classroom.submitted import read_work
from autograder.course import load_unit
from autograder.files import write_durably
from autograder.publishing.notebooks import expand, release
from llmcourse.plotting import schematics
from tests import toy_course
from tests.browser import CHROMIUM, SHOTS, chromium
from tests.graded import result
from tests.toy_course import SLUG

ROOT = Path(__file__).parent.parent
OURS = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"><style>.a {fill: #c8553d}'
    '</style><rect class="a" width="90" height="60"/></svg>'
)
THEIRS = OURS.replace("<style>", "<script>alert(1)</script><style>")
TEXT = "A network:\n\n![A net of two layers](figures/net.svg)"
ENCODED = base64.b64encode(OURS.encode()).decode()


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A toy course whose first text shows a drawing."""
    root = toy_course.build(tmp_path_factory.mktemp("toy"))
    source = root / "solutions" / SLUG
    path = source / f"{SLUG}.py"
    path.write_text(path.read_text().replace("# # Toys\n", "# # Toys\n#\n# " + TEXT.replace(
        "\n", "\n# "
    ) + "\n", 1))  # fmt: skip
    write_durably(source / "figures" / "net.svg", OURS)
    write_durably(source / f"{SLUG}.ipynb", json.dumps(expand(root, SLUG)))
    release(root, SLUG)
    write_durably(root / "secret.svg", "SECRET")
    write_durably(root / "course" / "secret.svg", "SECRET")
    return Classroom.open(root)


@pytest.fixture(scope="module")
def unit(room):
    return load_unit(room.root, SLUG)


# Drawn and released


def test_a_build_writes_what_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(schematics, "DRAWINGS", {SLUG: {"net": lambda: OURS}})
    (tmp_path / "solutions" / SLUG).mkdir(parents=True)
    [path] = figures.write(tmp_path, SLUG)
    assert path == tmp_path / "solutions" / SLUG / "figures" / "net.svg"
    assert path.read_text() == OURS
    assert figures.write(tmp_path, "91_none") == []


def test_a_release_carries_the_drawing_and_its_reference(room, unit):
    folder = room.root / "course" / SLUG
    assert (folder / "figures" / "net.svg").read_text() == OURS
    assert TEXT in "".join(unit.released["cells"][0]["source"])
    assert unit.figures == {"net.svg": ENCODED}


def test_only_files_of_the_release_are_drawings_of_it(tmp_path):
    folder = tmp_path / "course" / SLUG / "figures"
    write_durably(folder / "a.svg", OURS)
    write_durably(folder / "b.txt", "text")
    write_durably(tmp_path / "secret.svg", "SECRET")
    os.symlink(tmp_path / "secret.svg", folder / "link.svg")
    (folder / "folder.svg").mkdir()
    assert figures.released(tmp_path, SLUG) == {"a.svg": ENCODED}
    assert figures.released(tmp_path, "91_none") == {}


# Beside a submission


def test_a_released_text_gets_its_drawing_as_an_attachment():
    text, attached = figures.attach(TEXT, {"net.svg": ENCODED, "other.svg": "x"})
    assert text == TEXT.replace("figures/", "attachment:")
    assert attached == {"net.svg": {"image/svg+xml": ENCODED}}


@pytest.mark.parametrize(
    "target",
    [
        "figures/../../secret.svg",
        "figures/../figures/net.svg",
        "figures//net.svg",
        "./figures/net.svg",
        "/etc/figures/net.svg",
        "file:figures/net.svg",
        "figures/unknown.svg",
        "figures/NET.SVG",
        "figures/net.svg?x",
        "attachment:net.svg",
    ],
)
def test_any_other_path_is_left_as_text(target):
    text = f"![A net]({target})"
    assert figures.attach(text, {"net.svg": ENCODED}) == (text, {})


HOSTILE = [
    "![x](figures/net.svg)",
    "![x](figures/../../secret.svg)",
    "![x](../../../secret.svg)",
    "![x](file:///etc/passwd)",
    "![x](/etc/passwd)",
    "![x](attachment:net.svg)",
    "![x][y]\n\n[y]: figures/../../secret.svg",
    "![x]\n\n[x]: attachment:net.svg",
    '<img src="figures/../../secret.svg">',
    '<img src="figures/net.svg" onerror="alert(1)">',
    '<object data="figures/net.svg"></object>',
    f"![x](data:image/svg+xml;base64,{base64.b64encode(THEIRS.encode()).decode()})",
]


@pytest.fixture(scope="module")
def attack(room):
    """A submission with a drawing of its own in place of ours, and paths to what it may not see."""
    book = toy_course.solved(room.root, why="\n\n".join(HOSTILE))
    encoded = base64.b64encode(THEIRS.encode()).decode()
    for cell in book["cells"]:
        if cell["cell_type"] == "markdown":
            cell["attachments"] = {"net.svg": {"image/svg+xml": encoded}}
    book["cells"][0]["source"] = HOSTILE[1]
    added = {"cell_type": "markdown", "metadata": {}, "id": "mine"}
    added["attachments"] = {"net.svg": {"image/svg+xml": encoded}}
    book["cells"].append(added | {"source": "\n\n".join(HOSTILE)})
    path = toy_course.submit(room.root, "mallory", book)
    write_durably(path.parent / "figures" / "net.svg", THEIRS)
    return path


def test_a_folder_of_figures_beside_the_notebook_is_no_second_notebook(attack):
    assert read_work(attack.parent, SLUG) == attack.read_bytes()


def test_no_drawing_of_a_submission_is_kept(unit, attack):
    made = autograded_notebook(unit, result(json.loads(attack.read_text())))
    held = [cell.attachments for cell in made.cells if "attachments" in cell]
    assert held == [{"net.svg": {"image/svg+xml": ENCODED}}]
    nbformat.validate(made)


@pytest.fixture(scope="module")
def page(room, unit, attack):
    book = json.loads(attack.read_text())
    record(room, unit, Graded("mallory", SLUG, result(book), "k", "w"), None)
    assert write_feedback(room, SLUG, ["mallory"]) == []
    return room.folder("feedback", "mallory", SLUG) / f"{SLUG}.html"


def test_the_feedback_page_shows_the_released_drawing_and_no_other(page):
    text = page.read_text()
    [picture] = re.findall(r"<img[^>]*>", text)
    assert f'src="data:image/svg+xml;base64,{ENCODED}"' in picture
    assert 'alt="A net of two layers"' in picture
    assert "SECRET" not in text and base64.b64encode(b"SECRET").decode() not in text
    assert "root:" not in text and "<object" not in text
    assert [path.name for path in page.parent.rglob("*") if path.is_file()] == [page.name]


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_drawing_is_seen_without_a_network(page):
    with chromium(page.as_uri(), offline=True) as opened:
        picture = opened.locator("img")
        size = picture.evaluate("image => [image.naturalWidth, image.naturalHeight]")
        picture.screenshot(path=SHOTS / "9_drawing.png")
    assert size == [90, 60]


# On the site


def test_the_site_finds_the_drawings_of_each_unit(tmp_path):
    show = runpy.run_path(str(ROOT / "docs" / "conf.py"))["show_notebooks"]
    for slug in ("01_one", "02_two"):
        book = new_notebook(cells=[new_markdown_cell("![A net](figures/net.svg)")])
        for folder in ("course", "solutions"):
            write_durably(tmp_path / folder / slug / f"{slug}.ipynb", nbformat.writes(book))
            write_durably(tmp_path / folder / slug / "figures" / "net.svg", f"<svg>{slug}</svg>")
    shown = tmp_path / "docs" / "notebooks"
    show.__globals__.update(HERE=tmp_path / "docs", ROOT=tmp_path)
    for _ in range(2):
        (tmp_path / "docs").mkdir(exist_ok=True)
        show(None)
        for slug in ("01_one", "02_two"):
            [cell] = nbformat.read(shown / f"{slug}.ipynb", as_version=4).cells
            assert cell.source == f"![A net]({slug}/net.svg)"
            assert (shown / slug / "net.svg").read_text() == f"<svg>{slug}</svg>"
