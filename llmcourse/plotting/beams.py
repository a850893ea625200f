"""A beam search as a tree: a node is a text, written as its last word and its log-probability."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from llmcourse.plotting.style import INK, SHADES, axes_of

Text = tuple[str, ...]


def beam_tree(
    candidates: Sequence[Mapping[Text, float]], kept: Sequence[Text], best: Text, root: str,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw the candidates of each step in a column, each joined to the text that it continues.

    candidates: for each step log-probabilities by text; kept: the texts that survive their step;
    best: the text that is returned. Kept texts have a bold frame, the best is filled; the others
    are pale and dashed.
    """
    tallest = max(len(step) for step in candidates)
    ax = axes_of(ax, height=0.5 + 0.42 * tallest, width=2.2 * (len(candidates) + 1))
    at: dict[Text, tuple[float, float]] = {(): (0.0, 0.0)}
    for column, step in enumerate(candidates, 1):
        ranked = sorted(step, key=lambda text: -step[text])
        for rank, text in enumerate(ranked):
            at[text] = (column, (len(ranked) - 1) / 2 - rank)
    for step in candidates:
        for text in step:
            _join(ax, at[text[:-1]], at[text], text in kept)
    _node(ax, at[()], root, kept=True, best=False)
    for step in candidates:
        for text, total in step.items():
            label = f"{text[-1]}  {total:.2f}"
            _node(ax, at[text], label, text in kept, best[: len(text)] == text)
    ax.set_xlim(-0.5, len(candidates) + 0.6)
    ax.set_ylim(-tallest / 2 - 0.2, tallest / 2 + 0.2)
    ax.set_xticks(range(len(candidates) + 1), ["prompt", *map(_step, range(len(candidates)))])
    ax.set_yticks([])
    ax.grid(False)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(length=0)
    return ax


def _step(index: int) -> str:
    return f"step {index + 1}"


def _join(ax: Axes, start: tuple[float, float], end: tuple[float, float], kept: bool) -> None:
    ax.plot(*zip(start, end, strict=True), color=INK if kept else SHADES[2], zorder=1,
            linewidth=1.6 if kept else 0.8, linestyle="-" if kept else "--")  # fmt: skip


def _node(ax: Axes, at: tuple[float, float], label: str, kept: bool, best: bool) -> None:
    box = {
        "boxstyle": "round,pad=0.3", "facecolor": SHADES[2] if best else "white",
        "edgecolor": INK if kept else SHADES[2], "linewidth": 1.6 if kept else 0.8,
        "linestyle": "-" if kept else "--",
    }  # fmt: skip
    ax.text(*at, label, ha="center", va="center", fontsize=9, bbox=box, zorder=2)
