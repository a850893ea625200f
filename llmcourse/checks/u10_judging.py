"""What the checks of unit 10 share: kinds of values, and which mistakes an input tells.

unit: 10_pretraining
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, compare
from llmcourse.checks.u08_judging import flawed

Array = np.ndarray
Params = dict[str, Array]
State = dict[str, Any]  # of AdamW: {} before the first step, then "step", "m" and "v"
SHAPES = {"E": (3, 2), "b": (4,), "W": (2, 4)}  # of parameters in tests; b is like a bias


def told(formula: Any, args: Sequence[Any], hints: dict[str, str]) -> list[Mistake]:
    """Return the mistakes that give another value than the formula for these arguments."""
    right = formula(*args)
    known = flawed(formula, args, hints)
    return [m for m in known if compare(m.value, right, 1e-9) is not None]
