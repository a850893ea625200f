"""The schematic drawings: current, shown by a notebook, safe as pictures, and cleanly laid out.

Layout is read back from the files. Widths of texts are those of DejaVu, wider than the fonts that
the drawings ask for, so a label that fits here fits in any of them.
"""

import itertools
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font

from autograder.course import appendices, slugs
from autograder.publishing.notebooks import expand
from llmcourse.models import ngram
from llmcourse.plotting.schematics import DRAWINGS, counts, draw
from llmcourse.plotting.schematics.pen import Pen

ROOT = Path(__file__).parents[2]
NAMES = [(slug, name) for slug, drawings in DRAWINGS.items() for name in drawings]
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]*)[^)]*\)")
SVG = "{http://www.w3.org/2000/svg}"
TAGS = {"svg", "title", "desc", "style", "rect", "circle", "path", "text", "tspan"}
Corners = tuple[float, float, float, float]  # left, top, right, bottom


# Files


@pytest.mark.parametrize("slug", DRAWINGS)
def test_the_files_are_what_is_drawn_now(slug):
    drawn = {f"{name}.svg": text for name, text in draw(slug).items()}
    for folder in ("solutions", "course"):
        paths = (ROOT / folder / slug / "figures").glob("*")
        stored = {path.name: path.read_text(encoding="utf-8") for path in paths}
        command = f"autograder build {slug[:2]} && autograder release {slug[:2]}"
        assert stored == drawn, f"run `{command}`"


def test_each_name_belongs_to_one_unit():
    names = [name for _, name in NAMES]
    assert sorted(names) == sorted(set(names))  # `llmcourse run` puts them into one folder
    assert set(DRAWINGS) <= set(slugs(ROOT))


def pictures(cells):
    """(alternative text, target) of each picture in the markdown of a notebook."""
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    return [found for text in texts for found in PICTURE.findall(text)]


@pytest.mark.parametrize("slug", slugs(ROOT) + appendices(ROOT))
def test_each_picture_of_a_notebook_is_there_and_says_what_it_shows(slug):
    path = ROOT / "course" / slug / f"{slug}.ipynb"
    released = nbformat.read(path, as_version=4)
    for text, target in pictures(expand(ROOT, slug).cells) + pictures(released.cells):
        assert re.fullmatch(r"figures/[a-z0-9_]+\.svg", target), target
        assert len(text.split()) >= 3, f"{target}: say in words what it shows"
        assert (path.parent / target).is_file(), target


@pytest.mark.parametrize("slug", DRAWINGS)
def test_each_drawing_is_shown_once_by_its_notebook(slug):
    shown = [target for _, target in pictures(expand(ROOT, slug).cells)]
    assert sorted(shown) == sorted(f"figures/{name}.svg" for name in DRAWINGS[slug])


# What a file holds


@cache
def drawing(slug, name):
    return ElementTree.fromstring(DRAWINGS[slug][name]())


@pytest.mark.parametrize(("slug", "name"), NAMES)
def test_a_drawing_is_a_picture_and_nothing_else(slug, name):
    root = drawing(slug, name)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in TAGS
        for attribute, value in element.attrib.items():
            assert not attribute.startswith("on") and "href" not in attribute
            assert "url(" not in value and ":" not in value
    style = root.find(f"{SVG}style").text
    assert "url(" not in style and "@" not in style
    assert len(DRAWINGS[slug][name]()) < 16_000


@pytest.mark.parametrize(("slug", "name"), NAMES)
def test_a_drawing_is_told_to_those_who_do_not_see_it(slug, name):
    root = drawing(slug, name)
    assert root.attrib["role"] == "img"
    ids = [root.find(f"{SVG}{tag}").attrib["id"] for tag in ("title", "desc")]
    assert root.attrib["aria-labelledby"].split() == ids
    assert 4 <= len(root.find(f"{SVG}title").text.split()) <= 20
    assert 30 <= len(root.find(f"{SVG}desc").text.split()) <= 150


# Layout


@cache
def font(family, style="normal", weight="normal"):
    found = findfont(FontProperties(family=family, style=style, weight=weight))
    made = FT2Font(found)
    made.set_size(100, 72)
    return made


def advance(text, name, size):
    """Width of a text of these classes in pixels."""
    serif = {"m", "u"} & set(name)
    family = "DejaVu Serif" if serif else "DejaVu Sans"
    style = "italic" if "m" in name else "normal"
    weight = "bold" if {"b", "head"} & set(name) else "normal"
    scale = 0.8 if "s" in name else 1.13 if serif else 1.0
    letters = [font(family, style, weight).load_char(ord(c)).linearHoriAdvance for c in text]
    return sum(letters) / 65536 / 100 * size * scale


@dataclass(frozen=True)
class Label:
    words: str
    box: Corners


def label(element):
    name = element.attrib.get("class", "").split()
    size = 17 if "head" in name else 12.5 if "small" in name else 15
    runs = [(element.text or "", name)]
    for span in element:
        runs.append((span.text or "", name + span.attrib.get("class", "").split()))
        runs.append((span.tail or "", name))
    width = sum(advance(text, about, size) for text, about in runs if text)
    x, y = float(element.attrib["x"]), float(element.attrib["y"])
    left = x - {"start": 0, "middle": 0.5, "end": 1}[element.attrib.get("text-anchor", "start")] * (
        width
    )
    words = "".join(text for text, _ in runs)
    return Label(words, (left, y - 0.75 * size, left + width, y + 0.2 * size))


def labels(root):
    return [label(element) for element in root.iter(f"{SVG}text")]


def rectangles(root):
    """All boxes but the ground."""
    found = []
    for element in list(root.iter(f"{SVG}rect"))[1:]:
        x, y, width, height = (float(element.attrib[k]) for k in ("x", "y", "width", "height"))
        found.append((x, y, x + width, y + height))
    return found


def circles(root):
    found = []
    for element in root.iter(f"{SVG}circle"):
        x, y, r = (float(element.attrib[k]) for k in ("cx", "cy", "r"))
        found.append((x - r, y - r, x + r, y + r))
    return found


def points(element):
    """The corners of a path; the half circle of a hop counts as its two ends."""
    words = re.findall(r"[MLAZ]|-?[\d.]+", element.attrib["d"])
    found, i = [], 0
    while i < len(words):
        skip = {"M": 1, "L": 1, "A": 6, "Z": 0}[words[i]]
        if skip:
            found.append((float(words[i + skip]), float(words[i + skip + 1])))
        i += skip + 2 if skip else 1
    return found


def segments(root):
    for element in root.iter(f"{SVG}path"):
        if "line" in element.attrib["class"]:
            yield from itertools.pairwise(points(element))


def tips(root):
    """The point of each arrow."""
    for element in root.iter(f"{SVG}path"):
        if "head" in element.attrib["class"]:
            yield points(element)[0]


def meet(a: Corners, b: Corners) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def inside(a: Corners, b: Corners, room: float) -> bool:
    return a[0] >= b[0] + room and a[2] <= b[2] - room and a[1] >= b[1] + 1 and a[3] <= b[3] - 1


def layout_faults(root) -> list[str]:
    """What a careful draughtsman would not let pass, in words."""
    texts, boxes = labels(root), rectangles(root)
    ground = (0.0, 0.0, float(root.attrib["width"]), float(root.attrib["height"]))
    faults = [f"{t.words!r} leaves the page" for t in texts if not inside(t.box, ground, 8)]
    for one, other in itertools.combinations(texts, 2):
        if meet(one.box, other.box):
            faults.append(f"{one.words!r} overlaps {other.words!r}")
    for text in texts:
        for box in boxes:
            if meet(text.box, box) and not inside(text.box, box, 2):
                faults.append(f"{text.words!r} crosses the side of a box at {box}")
        for start, end in segments(root):
            (left, right), (up, down) = sorted((start[0], end[0])), sorted((start[1], end[1]))
            if meet(text.box, (left - 0.75, up - 0.75, right + 0.75, down + 0.75)):
                faults.append(f"{text.words!r} is crossed by a line from {start} to {end}")
        faults += [f"{text.words!r} touches a circle" for c in circles(root) if meet(text.box, c)]
    for x, y in tips(root):
        at_a_box = any(
            (x in (b[0], b[2]) and b[1] <= y <= b[3]) or (y in (b[1], b[3]) and b[0] <= x <= b[2])
            for b in [*boxes, *circles(root)]
        )
        at_a_text = any(meet((x - 14, y - 14, x + 14, y + 14), text.box) for text in texts)
        if not at_a_box and not at_a_text:
            faults.append(f"an arrow ends nowhere, at {x}, {y}")
    return faults


@pytest.mark.parametrize(("slug", "name"), NAMES)
def test_labels_fit_and_arrows_arrive(slug, name):
    assert layout_faults(drawing(slug, name)) == []


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda pen: pen.text(100, 100, "one") or pen.text(110, 104, "two"), "overlaps"),
        (lambda pen: pen.text(195, 100, "out of the page"), "leaves the page"),
        (lambda pen: pen.box(100, 100, 40, 30, "too long for it"), "crosses the side"),
        (lambda pen: pen.text(100, 100, "hit") or pen.line((20, 100), (180, 100)), "by a line"),
        (lambda pen: pen.arrow((20, 100), (100, 100)), "ends nowhere"),
        (lambda pen: pen.operation(100, 100, "+") and pen.text(100, 110, "x"), "circle"),
    ],
)
def test_a_bad_layout_would_be_found(spoil, fault):
    pen = Pen(200, 200, "A title", "What it shows.")
    assert layout_faults(ElementTree.fromstring(pen.svg())) == []
    spoil(pen)
    assert any(fault in said for said in layout_faults(ElementTree.fromstring(pen.svg())))


# Numbers


def test_the_numbers_of_the_count_drawings_are_those_of_the_notebook():
    source = (ROOT / "solutions" / "02_ngrams" / "02_ngrams.py").read_text(encoding="utf-8")
    toy = source[source.index("toy = (") :]
    assert " ".join(re.findall(r'"([^"]*)"', toy[: toy.index(")")])).split() == counts.TOY.split()
    table = ngram.ngram_counts(counts.TOY.split(), 4)
    words = {label.words for label in labels(drawing("02_ngrams", "count_table"))}
    assert f"and {len(table) - len(counts.SHOWN)} more histories" in words
    for history in counts.SHOWN:
        assert dict(counts.followers(history)) == dict(table[tuple(history.split())])


def test_the_ladder_climbs_by_the_interpolated_estimate():
    tables = [ngram.ngram_counts(counts.TOY.split(), n) for n in (1, 2, 3, 4)]
    asked = tuple(counts.ASKED.split())
    probs = [
        ngram.interpolated_prob(tables, asked[start:], "books", counts.WEIGHT, counts.VOCAB_SIZE)
        for start in range(4)
    ]
    found = [label.words for label in labels(drawing("02_ngrams", "backoff_ladder"))]
    drawn = [words for words in found if re.fullmatch(r"0\.\d{3}", words)]
    assert drawn == ["0.100", *(f"{prob:.3f}" for prob in reversed(probs))]
