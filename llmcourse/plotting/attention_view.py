"""See what each head of a transformer looks at: a map of attention, layer and head to choose.

`show(tokens, maps)` has two menus in JupyterLab and other notebook servers; where nobody can choose
(papermill, the grader, a script) it is a picture of all heads.

unit: 08_transformers
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt

from llmcourse.plotting.words import alignment

if TYPE_CHECKING:
    import ipywidgets
    from matplotlib.axes import Axes

Maps = Mapping[str, Sequence[Sequence[Sequence[float]]]]  # layer -> head -> query -> key -> weight
WIDTH, HEIGHT = 3.6, 3.4  # of the map of one head in the picture, in inches


def show(tokens: Sequence[str], maps: Maps, interactive: bool | None = None) -> Any:
    """Display the attention over a text and return it: an ipywidgets box or the axes of a picture.

    maps: for each layer the weights (H, T, T) of its heads, as nested lists, arrays or tensors.
    interactive: None decides by the environment: notebook servers set JPY_SESSION_NAME for their
    kernels. End the cell with a semicolon.
    """
    if interactive is None:
        interactive = "JPY_SESSION_NAME" in os.environ
    if not interactive:
        return picture(tokens, maps)
    from IPython.display import display

    box = _widgets(tokens, maps)
    display(box)
    return box


def picture(tokens: Sequence[str], maps: Maps) -> list[Axes]:
    """Draw the map of every head, one row for each layer, and return the axes."""
    columns = max(len(heads) for heads in maps.values())
    size = (WIDTH * columns, HEIGHT * len(maps))
    _, grid = plt.subplots(len(maps), columns, figsize=size, layout="constrained", squeeze=False)
    drawn = []
    for row, (layer, heads) in zip(grid, maps.items(), strict=True):
        for h, ax in enumerate(row):
            ax.set_visible(h < len(heads))
            if h < len(heads):
                drawn.append(one_head(tokens, layer, h, heads[h], ax))
    return drawn


def one_head(
    tokens: Sequence[str], layer: str, head: int, weights: Any, ax: Axes | None = None
) -> Axes:
    """Draw the map of one head: a row for each query, a column for each key."""
    ax = alignment(tokens, tokens, weights, ax=ax)
    ax.set_xlabel("")
    ax.set_ylabel("")
    ax.tick_params(labelsize=7)
    ax.set_title(f"{layer}, head {head}", fontsize=9)
    return ax


def _widgets(tokens: Sequence[str], maps: Maps) -> ipywidgets.VBox:
    import ipywidgets
    from IPython.display import display

    layer = ipywidgets.Dropdown(options=list(maps), description="layer")
    head = ipywidgets.Dropdown(options=range(len(maps[layer.value])), description="head")
    drawing = ipywidgets.Output()

    def draw(_: Any = None) -> None:
        head.options = range(len(maps[layer.value]))
        at = head.value or 0
        with drawing:
            drawing.clear_output(wait=True)
            ax = one_head(tokens, layer.value, at, maps[layer.value][at])
            display(ax.figure)
            plt.close(ax.figure)

    layer.observe(draw, names="value")
    head.observe(draw, names="value")
    draw()
    return ipywidgets.VBox([ipywidgets.HBox([layer, head]), drawing])
