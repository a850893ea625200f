"""See what the settings of a sampler do to one distribution: sliders, or a picture.

`show(words, probabilities)` has a slider for each setting in JupyterLab and other notebook servers;
where nobody can move one (papermill, the grader, a script) it is a picture.

unit: 09_decoding
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt

from llmcourse.plotting.style import INK, SHADES, axes_of

if TYPE_CHECKING:
    import ipywidgets
    from matplotlib.axes import Axes

Probabilities = Callable[[float, int, float], Sequence[float]]  # of temperature, k, p
SHOWN = (  # settings in the picture
    (1.0, 0, 1.0), (0.5, 0, 1.0), (1.0, 5, 1.0), (0.5, 0, 0.8), (2.0, 0, 0.8),
)  # fmt: skip
WIDTH, HEIGHT = 2.3, 3.2  # of one panel, in inches


def show(
    words: Sequence[str], probabilities: Probabilities, interactive: bool | None = None
) -> Any:
    """Display the probabilities of words, most probable first, and return a box or the axes.

    probabilities: a function of temperature, k (0: no top-k) and p, which returns one number for
    each word. interactive: None decides by the environment: notebook servers set JPY_SESSION_NAME
    for their kernels. End the cell with a semicolon.
    """
    if interactive is None:
        interactive = "JPY_SESSION_NAME" in os.environ
    if not interactive:
        return picture(words, probabilities)
    from IPython.display import display

    box = _widgets(words, probabilities)
    display(box)
    return box


def picture(words: Sequence[str], probabilities: Probabilities) -> list[Axes]:
    """Draw the distribution under some settings side by side, and return the axes."""
    size = (WIDTH * len(SHOWN), HEIGHT)
    _, row = plt.subplots(1, len(SHOWN), figsize=size, layout="constrained", sharey=True)
    for ax, setting in zip(row, SHOWN, strict=True):
        one(words, probabilities, *setting, ax=ax)
    widest = max(ax.get_xlim()[1] for ax in row)
    for ax in row:  # one scale, so that bars of the same length mean the same
        ax.set_xlim(0, widest)
    return list(row)


def one(
    words: Sequence[str], probabilities: Probabilities, temperature: float, k: int, p: float,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw the distribution under one setting; words that are never drawn get no bar."""
    values = [float(value) for value in probabilities(temperature, k, p)]
    ax = axes_of(ax, height=HEIGHT)
    drawn = ax.barh(range(len(words)), values, color=SHADES[1], edgecolor=INK, height=0.7)
    labels = [f"{value:.2f}" if value > 0 else "never" for value in values]
    ax.bar_label(drawn, labels, padding=3, fontsize=8)
    ax.set_yticks(range(len(words)), words)
    ax.set_xlim(0, max(values) * 1.3)
    ax.grid(False, axis="y")
    ax.set_xlabel("probability")
    ax.set_title(named(temperature, k, p), fontsize=9)
    if not ax.yaxis_inverted():
        ax.invert_yaxis()
    return ax


def named(temperature: float, k: int, p: float) -> str:
    """Return a setting in words, without the filters that do nothing.

    >>> named(0.5, 3, 1.0)
    'temperature 0.5, top-k 3'
    """
    parts = [f"temperature {temperature:g}"]
    parts += [f"top-k {k}"] if k else []
    parts += [f"top-p {p:g}"] if p < 1 else []
    return ", ".join(parts)


def _widgets(words: Sequence[str], probabilities: Probabilities) -> ipywidgets.VBox:
    import ipywidgets
    from IPython.display import display

    temperature = ipywidgets.FloatSlider(1.0, min=0.1, max=3.0, step=0.1, description="temperature")
    k = ipywidgets.IntSlider(0, min=0, max=len(words), description="top-k (0: off)")
    p = ipywidgets.FloatSlider(1.0, min=0.05, max=1.0, step=0.05, description="top-p")
    drawing = ipywidgets.Output()

    def draw(_: Any = None) -> None:
        with drawing:
            drawing.clear_output(wait=True)
            ax = one(words, probabilities, temperature.value, k.value, p.value)
            display(ax.figure)
            plt.close(ax.figure)

    for slider in (temperature, k, p):
        slider.observe(draw, names="value")
    draw()
    return ipywidgets.VBox([temperature, k, p, drawing])
