"""A pen for schematics: boxes, operations, arrows and short formulas, written as plain SVG text.

The same calls give the same bytes. A drawing holds shapes and text only: no script, no link, no
picture, no font. It has a white background of its own, so it reads in a dark theme as well, and it
tells nothing by colour alone: what has the accent's colour is dashed or thicker, too.

Coordinates are pixels from the top left corner; every part is placed by its centre. Labels may hold
formulas between dollar signs: `h_t`, `h_{t-1}`, `W_{ih}^T`; `*bold*` text stands between asterisks.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

from llmcourse.plotting.style import FAINT, INK, SHADES

ACCENT, TINT, QUIET = SHADES[4], SHADES[3], "#555555"
# In pixels: width of a line, rounding of a corner, length of an arrow's head, radius of an
# operation, radius of the half circle by which one line crosses another.
LINE, ROUND, HEAD, RADIUS, HOP = 1.5, 5, 8, 11, 6
SIZE, SMALL = 15, 12.5  # of text
STYLE = f"""
text {{ font: {SIZE}px "Helvetica Neue", Arial, "Liberation Sans", sans-serif; fill: {INK} }}
.head {{ font-size: 17px; font-weight: bold }}
.small {{ font-size: {SMALL}px; fill: {QUIET} }}
.hot {{ fill: {ACCENT} }}
.b {{ font-weight: bold }}
.m, .u {{ font-family: "STIX Two Text", "Times New Roman", "Liberation Serif", serif; \
font-size: 1.13em }}
.m {{ font-style: italic }}
.s {{ font-size: 0.8em }}
.line {{ fill: none; stroke: {INK}; stroke-width: {LINE}; stroke-linejoin: round }}
.hotline {{ fill: none; stroke: {ACCENT}; stroke-width: {LINE}; stroke-linejoin: round; \
stroke-dasharray: 5 3 }}
.headmark {{ fill: {INK} }}
.hothead {{ fill: {ACCENT} }}
"""
UPRIGHT = ("tanh", "Σ")
PIECES = re.compile(r"\$([^$]*)\$|\*([^*]+)\*")
MATHS = re.compile(r"([_^])(?:\{([^}]*)\}|(.))|([^_^]+)")
WORDS = re.compile(r"[^\W\d_]+|[\W\d_]+")
SHIFTS = {"": 0.0, "_": 0.22, "^": -0.36}  # of indices and powers, in sizes of the text
Point = tuple[float, float]


@dataclass(frozen=True)
class Part:
    """A box or circle that was drawn, and the points where arrows meet it."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> Point:
        """The middle of the left side."""
        return self.x - self.width / 2, self.y

    @property
    def right(self) -> Point:
        """The middle of the right side."""
        return self.x + self.width / 2, self.y

    @property
    def top(self) -> Point:
        """The middle of the upper side."""
        return self.x, self.y - self.height / 2

    @property
    def bottom(self) -> Point:
        """The middle of the lower side."""
        return self.x, self.y + self.height / 2

    def below(self, x: float) -> Point:
        """Return the point of the lower side at this x."""
        return x, self.y + self.height / 2

    def above(self, x: float) -> Point:
        """Return the point of the upper side at this x."""
        return x, self.y - self.height / 2


class Pen:
    """One drawing: parts are drawn in the order of the calls; `svg` returns the text of the file.

    title: the message of the drawing, shown above it; about: what it shows, for those who hear it.
    """

    def __init__(self, width: float, height: float, title: str, about: str) -> None:
        self.width, self.height, self.title, self.about = width, height, title, about
        self.marks: list[str] = []
        self.text(30, 30, title, anchor="start", kind="head")

    def text(
        self, x: float, y: float, label: str, *, anchor: str = "middle", kind: str = ""
    ) -> None:
        """Write a label; y is the middle of its lower-case letters.

        kind: "" or one of head, small, hot; anchor: which part of it is at x: start, middle or end.
        """
        size = {"head": 17, "small": SMALL}.get(kind, SIZE)
        name = f' class="{kind}"' if kind else ""
        aligned = "" if anchor == "start" else f' text-anchor="{anchor}"'
        point = f'x="{_number(x)}" y="{_number(y + 0.32 * size)}"'
        self.marks.append(f"<text {point}{aligned}{name}>{_spans(label, size)}</text>")

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        label: str = "",
        *,
        fill: str = TINT,
        dashed: bool = False,
        hot: bool = False,
    ) -> Part:
        """Draw a rounded box around its label.

        dashed: for what does not exist, such as an unseen history; hot: the box to look at.
        """
        self._rect(x, y, width, height, fill, dashed=dashed, hot=hot)
        if label:
            self.text(x, y, label)
        return Part(x, y, width, height)

    def cells(
        self, x: float, y: float, width: float, height: float, labels: list[str]
    ) -> list[Part]:
        """Draw the blocks of one array side by side; x is its left edge, width that of a block."""
        whole = width * len(labels)
        self._rect(x + whole / 2, y, whole, height, TINT)
        parts = [Part(x + (i + 0.5) * width, y, width, height) for i in range(len(labels))]
        for part, label in zip(parts, labels, strict=True):
            if part is not parts[0]:
                self.line(part.above(part.left[0]), part.below(part.left[0]))
            self.text(part.x, y, label)
        return parts

    def frame(self, x: float, y: float, width: float, height: float) -> None:
        """Draw the faint outline of what belongs together."""
        self._rect(x, y, width, height, "none", stroke="#9aa5b1")

    def operation(self, x: float, y: float, sign: str) -> Part:
        """Draw an elementwise operation as a circle: `+` adds, `.` multiplies."""
        self.marks.append(
            f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{RADIUS}" fill="#ffffff" '
            f'stroke="{INK}" stroke-width="{LINE}"/>'
        )
        if sign == ".":
            self.marks.append(f'<circle cx="{_number(x)}" cy="{_number(y)}" r="2.6" fill="{INK}"/>')
        else:
            self.line((x - 6, y), (x + 6, y))
            self.line((x, y - 6), (x, y + 6))
        return Part(x, y, 2 * RADIUS, 2 * RADIUS)

    def line(self, *points: Point, hot: bool = False, hops: tuple[Point, ...] = ()) -> None:
        """Draw a line through points, without a head; it jumps over others at the hops."""
        name = "hotline" if hot else "line"
        self.marks.append(f'<path class="{name}" d="{_path(points, hops)}"/>')

    def arrow(self, *points: Point, hot: bool = False, hops: tuple[Point, ...] = ()) -> None:
        """Draw an arrow through points. hot: a gradient, in the accent's colour and dashed.

        hops: points of horizontal parts where it jumps over another line that it does not meet.
        """
        (x0, y0), (x1, y1) = points[-2:]
        length = max(abs(x1 - x0), abs(y1 - y0))  # the last part is horizontal or vertical
        dx, dy = (x1 - x0) / length, (y1 - y0) / length
        neck = (x1 - HEAD * dx, y1 - HEAD * dy)
        self.line(*points[:-1], neck, hot=hot, hops=hops)
        wing = 0.45 * HEAD
        sides = [(neck[0] + s * wing * dy, neck[1] + s * wing * dx) for s in (1, -1)]
        corners = " L".join(_pair(corner) for corner in (points[-1], *sides))
        self.marks.append(f'<path class="{"hothead" if hot else "headmark"}" d="M{corners} Z"/>')

    def joint(self, x: float, y: float) -> Point:
        """Draw the dot where a line divides in two, and return its centre."""
        self.marks.append(f'<circle cx="{_number(x)}" cy="{_number(y)}" r="3" fill="{INK}"/>')
        return x, y

    def svg(self) -> str:
        """Return the drawing as the text of an SVG file."""
        size = f"{_number(self.width)} {_number(self.height)}"
        wide, high = size.split()
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
                f'viewBox="0 0 {size}" role="img" aria-labelledby="title desc">',
                f'<title id="title">{escape(_plain(self.title))}</title>',
                f'<desc id="desc">{escape(self.about)}</desc>',
                f"<style>{STYLE}</style>",
                f'<rect x="0.5" y="0.5" width="{_number(self.width - 1)}" '
                f'height="{_number(self.height - 1)}" rx="8" fill="#ffffff" stroke="{FAINT}"/>',
                *self.marks,
                "</svg>\n",
            ]
        )

    def _rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str,
        *,
        dashed: bool = False,
        hot: bool = False,
        stroke: str = INK,
    ) -> None:
        look = f'fill="{fill}" stroke="{ACCENT if hot else stroke}"'
        look += f' stroke-width="{2 * LINE if hot else LINE}"'
        look += ' stroke-dasharray="4 3"' * dashed
        self.marks.append(
            f'<rect x="{_number(x - width / 2)}" y="{_number(y - height / 2)}" '
            f'width="{_number(width)}" height="{_number(height)}" rx="{ROUND}" {look}/>'
        )


def _number(value: float) -> str:
    return f"{round(value, 2):g}"


def _pair(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _path(points: tuple[Point, ...], hops: tuple[Point, ...]) -> str:
    """Return straight parts through the points, with a half circle over each hop."""
    text = f"M{_pair(points[0])}"
    for start, end in pairwise(points):
        right = end[0] > start[0]
        on_the_way = [
            (x, y)
            for x, y in hops
            if y == start[1] == end[1] and min(start[0], end[0]) < x < max(start[0], end[0])
        ]
        for x, y in sorted(on_the_way, reverse=not right):
            side = -HOP if right else HOP
            text += f" L{_pair((x + side, y))} A{HOP} {HOP} 0 0 {int(right)} {_pair((x - side, y))}"
        text += f" L{_pair(end)}"
    return text


def _plain(label: str) -> str:
    """Return a label without its marks.

    >>> _plain("the state $h_{t-1}$")
    'the state h_t-1'
    """
    return re.sub(r"[$*{}]", "", label)


def _spans(label: str, size: float) -> str:
    """Return a label as SVG text: plain words, bold ones, and formulas with their indices."""
    runs, done = list[tuple[str, str, str]](), 0  # text, class, shift
    for piece in PIECES.finditer(label):
        runs.append((label[done : piece.start()], "", ""))
        formula, bold = piece.groups()
        runs += [(bold, "b", "")] if bold else _formula(formula)
        done = piece.end()
    runs.append((label[done:], "", ""))
    made, level = "", 0.0
    for text, name, shift in runs:
        if not text:
            continue
        wanted = SHIFTS[shift] * size
        move = f' dy="{_number(wanted - level)}"' if wanted != level else ""
        about = (f' class="{name}"' if name else "") + move
        made += f"<tspan{about}>{escape(text)}</tspan>" if about else escape(text)
        level = wanted
    return made


def _formula(text: str) -> list[tuple[str, str, str]]:
    """Set letters in italics, names of functions and signs upright, indices below, powers above."""
    runs = []
    for shift, group, one, other in MATHS.findall(text.replace("-", "\N{MINUS SIGN}")):
        for inside in WORDS.findall(group or one or other):
            transposes = (inside, shift) == ("T", "^")
            letters = inside[0].isalpha() and inside not in UPRIGHT and not transposes
            runs.append((inside, ("m" if letters else "u") + " s" * bool(shift), shift))
    return runs
