"""The style that all figures share: shades, hatches, lines, markers, axes."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

SHADES = ("#16324f", "#3f7cac", "#95b8d1", "#d9e2ec", "#c8553d")  # dark to light, then an accent
HATCHES = ("", "//", "..", "xx", "\\\\")
LINES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v")
INK, FAINT = "#222222", "#dddddd"


def axes_of(ax: Axes | None, width: float = 7.0, height: float = 3.2) -> Axes:
    """Return the given axes, or those of a new figure, with a light grid and no box."""
    if ax is None:
        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color=FAINT, linewidth=0.6)
    ax.set_axisbelow(True)
    return ax
