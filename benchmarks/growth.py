"""How a cost grows with a size: a table, a figure, and the power of the size that fits best."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.ticker import LogLocator

from llmcourse import plotting


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The slope of a straight line through the logarithms.

    >>> round(exponent([1, 2, 4], [3, 12, 48]), 6)
    2.0
    """
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def show(
    name: str,
    what: str,
    sizes: Sequence[int],
    lines: Mapping[str, Sequence[float]],
    unit: str = "seconds",
) -> None:
    """Print the cost of each line at each size and draw it to benchmarks/NAME.png.

    what: the size, with its unit. unit: that of the costs.
    """
    print(f"\n{f'{unit} for {what}':32s}{''.join(f'{size:12,d}' for size in sizes)}    exponent")
    fitted = {}
    for line, costs in lines.items():
        power = exponent(sizes, costs)
        print(f"{line:32s}{''.join(f'{cost:12.2f}' for cost in costs)}{power:12.2f}")
        fitted[f"{line}: size to the {power:.2f}"] = costs
    ax = plotting.curves(sizes, fitted, what, unit, log_x=True)
    ax.set_yscale("log")
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.figure.savefig(Path(__file__).parent / f"{name}.png", dpi=150, bbox_inches="tight")
