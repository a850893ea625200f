"""How exact a right result can be, by the dtype that it came in.

A learner who computes in single precision, or hands over a `np.float32`, is not wrong by what that
type loses. The allowance is tied to the distance of neighbouring numbers of the type and to the
size of the result, so that small probabilities are still told apart.
"""

from typing import Any

# Relative, absolute: single precision may lose the last 6 bits of 23 on the way; the short types
# keep intermediate sums in single precision, so a result has few roundings of their own. The
# absolute one is the distance of the smallest numbers.
PRECISION = {
    "float32": (64 * 2.0**-23, 2.0**-149),
    "float16": (4 * 2.0**-10, 2.0**-24),
    "bfloat16": (2 * 2.0**-7, 2.0**-133),
}
WAS = "was"  # in the metadata of a NumPy dtype: the narrower one that its values had


def precision(value: Any) -> tuple[float, float]:
    """Return what the dtype of a number, array or tensor allows a right value to be off, relative
    to the largest one in it, and absolutely; zeros for float64 and for what has no dtype."""
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return 0.0, 0.0
    name = getattr(dtype, "name", str(dtype)).removeprefix("torch.")
    return PRECISION.get((getattr(dtype, "metadata", None) or {}).get(WAS, name), (0.0, 0.0))
