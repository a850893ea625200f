"""Tools to write visible checks of arrays; units without arrays do not load numpy."""

from typing import Any

import numpy as np

from llmcourse.checks import NOTHING, fail
from llmcourse.checks.tolerances import WAS


def shaped(got: Any, shape: tuple[int, ...], what: str, hint: str, dtype: str = "") -> np.ndarray:
    """Return the result as an array of floats, in the dtype they came in, of this shape and finite,
    or a failure with the hint.

    dtype: if given, that of the inputs, which the result must have, too.
    """
    if got is None:
        fail(f"{what} should have the shape {shape}, but {NOTHING}")
    try:
        array = as_array(got)
        array = array if array.dtype.kind == "f" else array.astype(float)
    except (TypeError, ValueError):
        fail(f"{what} should be an array of numbers.", hint=hint)
    if array.shape != shape:
        wanted = f"{what} should have the shape {shape}"
        fail(f"{wanted}, got {array.shape}.", f"{wanted}.", hint)
    if dtype and np.asarray(got).dtype != dtype:
        alone = f"{what}: expected the dtype of the inputs, {dtype}"
        fail(f"{alone}, got {np.asarray(got).dtype}.", f"{alone}.", "leave dtype alone.")
    if not np.isfinite(array).all():
        fail(f"{what} holds nan or infinity.", hint=hint)
    return array


def as_array(got: Any) -> np.ndarray:
    """Return an array in the dtype of what came; bfloat16, which NumPy lacks, is noted in it."""
    if str(getattr(got, "dtype", "")) == "torch.bfloat16":
        return np.array(got.tolist(), np.dtype("float32", metadata={WAS: "bfloat16"}))
    return np.asarray(got)
