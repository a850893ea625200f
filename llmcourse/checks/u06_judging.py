"""How results of unit 06 are judged: their form, the dtype of the inputs, their values.

unit: 06_rnn_lstm
"""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from llmcourse.checks import (
    NOTHING,
    Mistake,
    compare,
    diagnosed,
    fail,
    items,
    noted,
    number,
    unchanged,
)
from llmcourse.checks.arrays import shaped

ALL_AXES = "Keep all axes, also those of length 1."
PRODUCT = ("core dimension", "not aligned")  # what numpy says of a matrix product that fails
SUM = ("broadcast", "equal division")  # of a sum, of np.split


def called(answer: Any, args: Sequence[Any], product: str = "", sums: str = "") -> Any:
    """Return the result, or fail if the call modified its arguments.

    product, sums: hints where a matrix product or a sum of arrays that do not fit raised; without
    one the exception goes on to the caller.
    """
    hints = [(hint, words) for hint, words in ((product, PRODUCT), (sums, SUM)) if hint]
    with contextlib.ExitStack() as stack:
        for hint, words in hints:
            stack.enter_context(noted(hint, *words))
        return unchanged(answer, args, "Compute in new arrays; do not modify the arguments.")


def arrays_near(
    got: Any, want: Any, what: Any, form: str, hint: str | Callable[[Any, Any], str],
    *mistakes: Mistake, tolerance: float = 1e-6,
) -> None:  # fmt: skip
    """Fail unless the result has the form, the dtype and the values of `want`.

    what: the name of the result, or of each of its parts. The hint is that of the mistake that has
    the value of the result, else `form` where the form is wrong and `hint` where a value is.
    """
    known = next((m.hint for m in mistakes if compare(got, m.value, tolerance) is None), "")
    arrays = _arrays_of(got, want, what, known or form)
    why = known or (hint if isinstance(hint, str) else hint(got, want))
    for mine, right, name in arrays:
        diagnosed(mine, right, why, what=name, tolerance=tolerance)


def agrees(
    answer: Any, formula: Callable[..., Any], inputs: Iterable[Sequence[Any]], what: Any,
    hint: str = "The same formula holds for other sizes; keep all axes.",
) -> None:  # fmt: skip
    """Fail with this hint unless the answer agrees with the formula for all these arguments."""
    for args in inputs:
        with noted(hint), np.errstate(all="ignore"):
            got = called(answer, args)
        arrays_near(got, formula(*args), what, hint, hint, tolerance=1e-9)


def _arrays_of(got: Any, want: Any, what: Any, form: str) -> list[tuple[Any, Any, str]]:
    """Return (array, expected array, name) for each part of a result, once its form is right."""
    if isinstance(want, tuple):
        parts = zip(items(got, len(want), form), want, what, strict=True)
        return [array for part in parts for array in _arrays_of(*part, form)]
    if isinstance(want, dict):
        if got is None:
            fail(NOTHING)
        if not isinstance(got, dict) or set(got) != set(want):
            fail("the result is not a dictionary with the expected keys.", hint=form)
        return [array for n in want for array in _arrays_of(got[n], want[n], f"{what} {n}", form)]
    if isinstance(want, float):
        return [(number(got, what), want, what)]
    return [(shaped(got, want.shape, what, form, "float64"), want, what)]
