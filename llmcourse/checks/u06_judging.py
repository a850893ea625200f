"""How results of unit 06 are judged: shape, dtype, value, and the mistake with that value.

unit: 06_rnn_lstm
"""

from functools import partial
from typing import Any

import numpy as np

from llmcourse.checks import compare, diagnosed, items, near, noted, unchanged
from llmcourse.checks.arrays import shaped
from llmcourse.checks.u06_cells import ROWS, Mistakes, values

KEEP = "Compute in new arrays; do not modify the arguments."
OWN = " Does {} pass its own check?"
PRODUCT = ("core dimension", "not aligned")  # what numpy says of a matrix product that fails
SUM = ("broadcast", "equal division")  # of a sum, of np.split
fitting = partial(noted, ROWS, *PRODUCT)
BLOCKS = "np.split(sums, {}, axis=1) splits the columns into blocks of width H."


def exact(got: Any, shape: tuple[int, ...], what: str, hint: str) -> np.ndarray:
    """Return the result as an array of this shape in the dtype of the inputs, float64."""
    return shaped(got, shape, what, hint, "float64")


def judged(got: Any, want: Any, what: Any, hint: str, mistakes: Mistakes, *args: Any) -> None:
    """Fail with the hint of the mistake that has this value, else with `hint`.

    what: name of the result, or of each part of it.
    """
    known = values(mistakes, *args)
    why = next((m.hint for m in known if compare(got, m.value, 1e-6) is None), hint)
    parts = [(got, want, what)] if isinstance(what, str) else zip(got, want, what, strict=True)
    for mine, right, name in parts:
        diagnosed(mine, right, why, what=name, tolerance=1e-6)


def on_other_sizes(answer: Any, formula: Any, inputs: Any, what: str) -> None:
    """Fail unless the result has the formula's shape and values for each of these arguments."""
    for args in inputs:
        want, hint = formula(*args), "The same formula holds for other sizes; keep all axes."
        with noted(hint):
            got = unchanged(answer, args, KEEP)
        parts = (
            [(got, want)]
            if isinstance(want, np.ndarray)
            else zip(items(got, len(want), hint), want, strict=True)
        )
        for mine, right in parts:
            near(exact(mine, right.shape, what, hint), right, 1e-9, hint)
