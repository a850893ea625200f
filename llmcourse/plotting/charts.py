"""Figures of numbers: bars, histograms, curves, the ladder."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from llmcourse.plotting.style import HATCHES, INK, LINES, MARKERS, SHADES, axes_of
from llmcourse.runtime import LadderRow


def bars(
    values: Mapping[str, float],
    quantity: str,
    *,
    digits: int = 2,
    ax: Axes | None = None,
) -> Axes:
    """Draw one horizontal bar for each name, first on top, its value beside it.

    quantity: what is measured, with its unit.
    """
    ax = axes_of(ax, height=0.9 + 0.42 * len(values))
    drawn = ax.barh(list(values), list(values.values()), color=SHADES[1], edgecolor=INK, height=0.6)
    ax.bar_label(drawn, [f"{value:.{digits}f}" for value in values.values()], padding=4)
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    ax.margins(x=0.12)
    ax.set_xlabel(quantity)
    return ax


def distributions(
    tables: Mapping[str, Mapping[str, float]],
    *,
    quantity: str = "probability",
    ax: Axes | None = None,
) -> Axes:
    """Draw up to five distributions over the same tokens: a group of bars at each token."""
    if not tables:
        raise ValueError("expected at least one distribution, got none: give name -> distribution")
    ax = axes_of(ax)
    tokens = list(next(iter(tables.values())))
    width = 0.8 / len(tables)
    for i, (name, table) in enumerate(tables.items()):
        centres = [x + (i - (len(tables) - 1) / 2) * width for x in range(len(tokens))]
        ax.bar(
            centres,
            [table[token] for token in tokens],
            width,
            label=name,
            color=SHADES[i],
            hatch=HATCHES[i],
            edgecolor=INK,
            linewidth=0.6,
        )
    ax.set_xticks(range(len(tokens)), tokens)
    ax.grid(False, axis="x")
    ax.set_ylabel(quantity)
    ax.legend(frameon=False)
    return ax


def histogram(
    values: Sequence[float],
    edges: Sequence[float],
    quantity: str,
    counted: str,
    *,
    marks: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many values lie between neighbouring edges, the number over each bar.

    A value on an edge belongs to the bar on its right, on the last edge to the last bar. quantity:
    what is measured, with its unit; counted: what is counted; marks: up to four vertical lines, by
    name.
    """
    ax = axes_of(ax)
    counts, _, drawn = ax.hist(values, edges, color=SHADES[2], edgecolor=INK, linewidth=0.6)
    for i, (name, x) in enumerate((marks or {}).items()):
        ax.axvline(x, color=(INK, SHADES[4])[i % 2], linestyle=LINES[i], label=name)
    labels = [f"{count:.0f}" if count else "" for count in counts]
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    ax.bar_label(drawn, labels, padding=4, zorder=3, bbox=box)
    ax.set_xticks(edges)
    ax.grid(False, axis="x")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.margins(y=0.12)
    ax.set_xlabel(quantity)
    ax.set_ylabel(counted)
    if marks:
        ax.legend(frameon=False)
    return ax


def curves(
    x: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    x_quantity: str,
    y_quantity: str,
    *,
    levels: Mapping[str, float] | None = None,
    log_x: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw one line for each name over common x values.

    levels: up to three thin horizontal lines, by their names. log_x: for x > 0.
    """
    ax = axes_of(ax)
    for i, (name, y) in enumerate(lines.items()):
        ax.plot(x, y, label=name, color=SHADES[(0, 1, 4)[i % 3]], linestyle=LINES[i], linewidth=2)
    if log_x:
        ax.set_xscale("log")
        if min(x, default=0) > 1e-4:  # below, plain numbers become 1e-05 and the like
            ax.xaxis.set_major_formatter("{x:g}")
    for i, (name, level) in enumerate((levels or {}).items()):
        ax.axhline(level, color=INK, linewidth=1.2, linestyle=(":", "--", "-.")[i], label=name)
    ax.set_xlabel(x_quantity)
    ax.set_ylabel(y_quantity)
    if levels or len(lines) > 1:
        ax.legend(frameon=False)
    return ax


def steps(
    x: Sequence[int],
    lines: Mapping[str, Sequence[float]],
    x_quantity: str,
    y_quantity: str,
    *,
    level: tuple[str, float] | None = None,
    log_y: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw up to five lines with markers over whole numbers x, such as the order n.

    A nan is not drawn; `level` is a thin horizontal line with its name.
    """
    ax = axes_of(ax)
    for i, (name, y) in enumerate(lines.items()):
        style = {"linestyle": LINES[i], "marker": MARKERS[i], "color": SHADES[(0, 1, 4, 2, 3)[i]]}
        ax.plot(x, y, label=name, linewidth=1.8, markersize=6, markeredgecolor=INK, **style)
    if log_y:
        ax.set_yscale("log")
    if level and len(x):
        ax.axhline(level[1], color=INK, linewidth=1, linestyle=":")
        ax.annotate(level[0], (x[0], level[1]), xytext=(0, 4), textcoords="offset points")
    ax.set_xticks(x)
    ax.set_xlabel(x_quantity)
    ax.set_ylabel(y_quantity)
    if len(lines) > 1:
        ax.legend(frameon=False)
    return ax


def trials(
    runs: Mapping[str, Sequence[tuple[float, float, float]]],
    x_quantity: str,
    y_quantity: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw each run of a search as a point: its first setting (logarithmic) and its score.

    runs: name of the search -> (first setting, second setting, score), up to two searches; the
    second setting is not drawn. A run whose score is nan is a cross at the upper edge, in the shade
    of its search. Raises ValueError without a run.
    """
    if not any(len(points) for points in runs.values()):
        raise ValueError("expected at least one run to draw, got none: search first")
    ax = axes_of(ax)
    scores = [score for points in runs.values() for _, _, score in points if score == score]
    top = max(scores) + 0.15 * (max(scores) - min(scores) or 1.0) if scores else 1.0
    for i, (name, points) in enumerate(runs.items()):
        color = SHADES[(1, 4)[i]]
        done = [(x, y) for x, _, y in points if y == y]
        style = {"color": color, "edgecolor": INK, "marker": MARKERS[i], "s": 42, "zorder": 3}
        if done:
            ax.scatter(*zip(*done, strict=True), label=name, **style)
        lost = [x for x, _, y in points if y != y]
        if lost:
            style = {"color": color, "marker": "x+"[i], "s": (42, 70)[i], "linewidth": 2.2}
            ax.scatter(lost, [top] * len(lost), label=f"{name}, diverged", zorder=3, **style)
    ax.set_xscale("log")
    ax.set_xlabel(x_quantity)
    ax.set_ylabel(y_quantity)
    ax.legend(frameon=False)
    return ax


def ladder(rows: Sequence[LadderRow], ax: Axes | None = None) -> Axes:
    """Draw the course's language models on one held-out text in bits per character, worst on top.

    A light bar is a model without trained parameters; the best one is hatched.
    """
    if not rows:
        raise ValueError("expected at least one row of the ladder, got none: call rt.ladder first")
    ax = axes_of(ax, height=1.0 + 0.4 * len(rows))
    best = min(row.bits_per_char for row in rows)
    for row in rows:
        ax.barh(
            row.model,
            row.bits_per_char,
            height=0.6,
            color=SHADES[1] if row.parameters else SHADES[3],
            hatch="//" if row.bits_per_char == best else "",
            edgecolor=INK,
        )
        size = f"{row.parameters:,} parameters" if row.parameters else "nothing learned"
        ax.annotate(
            f"{row.bits_per_char:.3f}  ({size})",
            (row.bits_per_char, row.model),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
        )
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    ax.set_xlim(0, 1.6 * max(row.bits_per_char for row in rows))
    ax.set_xlabel(f"bits per character, {rows[0].corpus} held out (lower is better)", loc="right")
    return ax


def costs(rows: Sequence[LadderRow], ax: Axes | None = None) -> Axes:
    """Draw what each trained or counted model of the ladder scored against the time it took.

    Seconds of one core, logarithmic; a model that took less than 0.01 s is drawn there. Circles are
    n-grams, squares are networks. Raises ValueError without a model that took any time.
    """
    timed = [row for row in rows if row.seconds > 0]
    if not timed:
        raise ValueError("expected a model that took time, got none: give rows with seconds")
    ax = axes_of(ax, height=4.2)
    scores = [row.bits_per_char for row in timed]
    gap = 0.055 * (max(scores) - min(scores) or 1.0)  # between the names of two models
    kinds = {False: ("networks", "s", SHADES[4]), True: ("counting", "o", SHADES[1])}
    for counted, (name, marker, color) in kinds.items():
        chosen = sorted(
            (row for row in timed if ("gram" in row.model) == counted),
            key=lambda row: -row.bits_per_char,
        )
        points = [(max(row.seconds, 0.01), row.bits_per_char) for row in chosen]
        if points:
            style = {"color": color, "edgecolor": INK, "marker": marker, "s": 46, "zorder": 3}
            ax.scatter(*zip(*points, strict=True), label=name, **style)
        height, right = float("inf"), 1.7 * max((x for x, _ in points), default=1.0)
        for row, (x, y) in zip(chosen, points, strict=True):
            height = min(y, height - gap)
            line = {"arrowstyle": "-", "color": SHADES[2], "linewidth": 0.6}
            style = {"fontsize": 8, "va": "center", "arrowprops": line}
            ax.annotate(row.model, (x, y), (right, height), **style)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlim(right=60 * max(row.seconds for row in timed))  # room for the names
    ax.margins(y=0.15)
    ax.set_xlabel("core-seconds of training (logarithmic)")
    ax.set_ylabel("bits per character")
    ax.legend(frameon=False)
    return ax
