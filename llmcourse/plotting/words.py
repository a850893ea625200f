"""Figures of words: their surprise, their predecessors, their vectors, the tokens of a text."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.font_manager import findfont, get_font
from matplotlib.path import Path
from matplotlib.transforms import Bbox

from llmcourse.arguments import no_string
from llmcourse.plotting.style import FAINT, INK, MARKERS, SHADES, axes_of

# Where a word may be written: the edge of it at the marker, and how far across and up, in points.
RIGHT = (("left", 6, -4), ("left", 5, 3), ("left", 5, -11))
LEFT = tuple(("right", -across, up) for _, across, up in RIGHT)
ABOVE_OR_BELOW = (("center", 0, 7), ("center", 0, -14))


def surprise(tokens: Sequence[str], bits: Sequence[float], ax: Axes | None = None) -> Axes:
    """Draw what each token of a text cost, in bits, in reading order."""
    ax = axes_of(ax, width=max(5.0, 0.36 * len(tokens)), height=2.8)
    ax.bar(range(len(tokens)), bits, color=SHADES[1], edgecolor=INK, linewidth=0.6, width=0.75)
    ax.set_xticks(range(len(tokens)), tokens, rotation=60, ha="right", rotation_mode="anchor")
    ax.grid(False, axis="x")
    ax.set_ylabel("surprise (bits)")
    return ax


def evidence(heard: Sequence[float], said: Sequence[float], ax: Axes | None = None) -> Axes:
    """Draw a point for each pair of texts: how far signal (x) and language (y) favour the right.

    Both are in bits, positive if they favour the right text. Above the line their sum is positive,
    and noisy-channel decoding is right. Raises ValueError for lists of different lengths.
    """
    if len(heard) != len(said):
        raise ValueError(
            f"expected as many values for the signal as for the language, got {len(heard)} and "
            f"{len(said)}: give one of each a pair"
        )
    ax = axes_of(ax, height=4.4)
    pairs = list(zip(heard, said, strict=True))
    groups = {
        "decoded as the right text": ([p for p in pairs if sum(p) > 0], "o", SHADES[2]),
        "decoded as the other": ([p for p in pairs if sum(p) <= 0], "X", SHADES[4]),
    }
    for label, (points, marker, colour) in groups.items():
        if points:
            ax.scatter(
                *zip(*points, strict=True),
                marker=marker,
                color=colour,
                edgecolor=INK,
                linewidth=0.4,
                s=24,
                label=f"{label} ({len(points)})",
            )
    reach = 1.05 * max((abs(x) for x, _ in pairs), default=0) or 1.0
    ax.plot([-reach, reach], [reach, -reach], color=INK, linestyle="--", linewidth=1.2)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.set_xlim(-reach, reach)
    ax.set_xlabel("the signal favours the right text by (bits)")
    ax.set_ylabel("the language favours it by (bits)")
    if pairs:
        ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return ax


def predecessors(
    counts: Mapping[str, int],
    before: Mapping[str, int],
    named: Sequence[str],
    ax: Axes | None = None,
) -> Axes:
    """Draw a point for each word: its count (x) and the number of different words before it (y).

    Both axes are logarithmic. named: the words to be written beside their points.
    """
    ax = axes_of(ax, height=4.2)
    no_string(named, "a list of words", "put it in a list")
    points = [(counts[word], before[word]) for word in counts if before.get(word)]
    if not points:
        raise ValueError("expected a word with another one before it, got none: take a longer text")
    ax.scatter(*zip(*points, strict=True), s=9, color=SHADES[2], linewidth=0)
    most = max(x for x, _ in points)
    ax.plot([1, most], [1, most], color=INK, linestyle="--", linewidth=1)
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6}
    for word in named:
        ax.scatter(counts[word], before[word], s=36, color=SHADES[4], edgecolor=INK)
        point = (counts[word], before[word])
        ax.annotate(word, point, xytext=(7, -4), textcoords="offset points", bbox=box)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("times the word was seen")
    ax.set_ylabel("different words before it")
    return ax


def alignment(
    source: Sequence[str],
    target: Sequence[str],
    weights: Sequence[Sequence[float]],
    ax: Axes | None = None,
) -> Axes:
    """Draw the alignment of target tokens (rows, T) with source tokens (columns, S).

    weights: T rows of S values from 0 (white) to 1 (black).
    """
    if not (len(source) and len(target)):
        raise ValueError("expected at least one token on either side, got none: nothing to draw")
    ax = axes_of(ax, width=1.6 + 0.42 * len(source), height=1.2 + 0.3 * len(target))
    ax.imshow(weights, cmap="Greys", vmin=0, vmax=1, aspect="auto")
    ax.set_xticks(range(len(source)), source, rotation=60, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(target)), target)
    ax.set_xticks([i + 0.5 for i in range(len(source) - 1)], minor=True)
    ax.set_yticks([i + 0.5 for i in range(len(target) - 1)], minor=True)
    ax.grid(False)
    ax.grid(color=FAINT, linewidth=0.6, which="minor")
    ax.tick_params(which="minor", length=0)
    ax.set_xlabel("source")
    ax.set_ylabel("target")
    return ax


def word_map(
    places: Mapping[str, Sequence[float]],
    groups: Mapping[str, Sequence[str]],
    *,
    arrows: Sequence[tuple[str, str]] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draw words at their points (x, y), each of up to five groups with its own marker and shade.

    Both axes have the same scale, so that distances can be compared. A word is written beside its
    marker, apart from all other markers, words and arrows; where there is no room, only the marker
    is drawn. arrows: pairs of words to be joined by a thin arrow from the first to the second.
    """
    if not groups:
        raise ValueError("expected at least one group of words, got none: give name -> words")
    for name, words in groups.items():
        no_string(words, f"group {name!r} as a list of words", "put it in a list")
    ax = axes_of(ax, width=8.0, height=5.4)
    for i, (name, words) in enumerate(groups.items()):
        x, y = [places[word][0] for word in words], [places[word][1] for word in words]
        style = {"marker": MARKERS[i], "color": SHADES[(0, 4, 2, 1, 3)[i]], "edgecolor": INK}
        ax.scatter(x, y, label=name, s=34, linewidth=0.5, zorder=3, **style)
    ax.margins(x=0.15 if arrows else 0.08)
    ax.set_aspect("equal", adjustable="datalim")
    named = [word for words in groups.values() for word in words]
    for start, end in arrows:
        ax.annotate(
            "", places[end], places[start], arrowprops={"arrowstyle": "->", "color": "#777777"}
        )
    ax.set_xlabel("first principal component")
    ax.set_ylabel("second principal component")
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(groups))
    _write_beside(ax, {word: places[word] for word in named}, arrows)
    return ax


def _write_beside(
    ax: Axes, places: Mapping[str, Sequence[float]], arrows: Sequence[tuple[str, str]]
) -> None:
    """Write each word beside its point where there is room; left of it at the start of an arrow."""
    ax.figure.draw_without_rendering()  # only now is it known where a point lies on the page
    dots = ax.figure.dpi / 72  # pixels in a point
    spots = {word: ax.transData.transform(place) / dots for word, place in places.items()}
    lines = [Path([spots[start], spots[end]]) for start, end in arrows]
    left_first = {start for start, _ in arrows}
    taken: list[Bbox] = []
    for word, (x, y) in spots.items():
        markers = [
            Bbox.from_bounds(*spot, 0, 0).padded(3) for w, spot in spots.items() if w != word
        ]
        for side, across, up in _sides(word in left_first):
            width, height = 4.6 * len(word), 8  # of letters of 8 points, on average
            edge = x + across - {"left": 0, "center": width / 2, "right": width}[side]
            box = Bbox.from_bounds(edge, y + up, width, height)
            near = box.padded(2)
            free = not any(near.overlaps(other) for other in taken + markers)
            if free and not any(line.intersects_bbox(near) for line in lines):
                style = {"textcoords": "offset points", "fontsize": 8, "ha": side}
                ax.annotate(word, places[word], xytext=(across, up), **style)
                taken.append(box)
                break


def _sides(left_first: bool) -> list[tuple[str, int, int]]:
    """Return where a word may be written, best first: level with its marker, higher, lower, above
    or below it.
    """
    first, second = (LEFT, RIGHT) if left_first else (RIGHT, LEFT)
    beside = [side for pair in zip(first, second, strict=True) for side in pair]
    return [*beside, *ABOVE_OR_BELOW]


def tokens(rows: Mapping[str, Sequence[str]], *, width: int = 76, ax: Axes | None = None) -> Axes:
    """Draw texts cut into tokens: each row's name and number of tokens, then the tokens as boxes.

    rows: name -> tokens as they shall be shown. A row that is longer than `width` characters is
    continued on the next line. Neighbours differ in shade and have an edge. Raises ValueError
    without a row.
    """
    if not rows:
        raise ValueError("expected at least one row of tokens, got none: give name -> tokens")
    placed, line = [], 0
    for name, row in rows.items():
        placed.append((f"{name} ({len(row)} tokens)", line, 0.0, None))
        line += 1
        for at, offset, label in _wrapped([_drawable(token) for token in row], width):
            placed.append((label, line + offset, at, len(placed) % 2))
        line = placed[-1][1] + 1.4
    if ax is None:
        _, ax = plt.subplots(figsize=(8.4, 0.3 * line + 0.1), layout="constrained")
    for label, y, at, shade in placed:
        style = {"va": "center", "fontsize": 9, "fontfamily": "DejaVu Sans Mono", "color": INK}
        if shade is None:
            ax.text(0, y, label, **style, fontweight="bold")
            continue
        size = max(1, len(label)) + 0.6
        colour = (SHADES[3], SHADES[2])[shade]
        ax.add_patch(plt.Rectangle((at, y - 0.42), size, 0.84, facecolor=colour, edgecolor=INK))
        ax.text(at + size / 2, y, label, **style, ha="center")
    ax.set(xlim=(-0.5, width + 1), ylim=(line - 0.6, -0.8))
    ax.set_axis_off()
    return ax


def _wrapped(labels: Sequence[str], width: int) -> list[tuple[float, int, str]]:
    """Return (position in the line, line, label) of each label."""
    placed, at, line = [], 0.0, 0
    for label in labels:
        size = max(1, len(label)) + 0.6
        if at and at + size > width:
            at, line = 0.0, line + 1
        placed.append((at, line, label))
        at += size
    return placed


def _drawable(token: str) -> str:
    """Return the token with a code point for each character that the figures' font lacks."""
    font = get_font(findfont("DejaVu Sans Mono"))
    return "".join(c if font.get_char_index(ord(c)) else f"U+{ord(c):X}" for c in token)
