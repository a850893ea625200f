"""How results of unit 08 are judged: their form, then their values; any float dtype is accepted.

unit: 08_transformers
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, compare, diagnosed, noted
from llmcourse.checks.arrays import shaped
from llmcourse.checks.u06_judging import called

Array = np.ndarray
Params = dict[str, Any]  # arrays, or the parameters of parts of a model
EXACT = 1e-9  # float64, sums of a few dozen terms of size 1


def array_near(got: Any, want: Array, what: str, form: str, hint: str, *mistakes: Mistake) -> None:
    """Fail unless the result has the shape and the values of `want`.

    The hint is that of the mistake that has the value of the result, else `form` where the shape is
    wrong and `hint` where a value is.
    """
    known = next((m.hint for m in mistakes if compare(got, m.value, EXACT) is None), "")
    array = shaped(got, want.shape, what, known or form)
    diagnosed(array, want, known or hint, what=what, tolerance=EXACT)


def agrees(
    answer: Any, formula: Callable[..., Array], inputs: Iterable[Sequence[Any]], what: str,
    hint: str = "The same formula holds for other sizes; keep all axes.",
) -> None:  # fmt: skip
    """Fail with this hint unless the answer agrees with the formula for all these arguments."""
    for args in inputs:
        with noted(hint), np.errstate(all="ignore"):
            got = called(answer, args)
        array_near(got, formula(*args), what, hint, hint)


def flawed(
    formula: Callable[..., Any], args: Sequence[Any], hints: dict[str, str]
) -> list[Mistake]:
    """Return the mistakes of a formula that takes the name of a flaw; those that do not fit these
    arguments are left out."""
    found = []
    for flaw, hint in hints.items():
        try:
            with np.errstate(all="ignore"):
                found.append(Mistake(formula(*args, flaw=flaw), hint))
        except ValueError:  # shapes that do not fit, as in the learner's own code
            continue
    return found


def random_linear(rng: Any, names: str, out: int, inputs: int) -> Params:
    """Return random `W_name` (out, inputs) and `b_name` (out,) for each letter of `names`."""
    drawn: Params = {}
    for name in names:
        drawn[f"W_{name}"] = rng.normal(0, 0.6, (out, inputs))
        drawn[f"b_{name}"] = rng.normal(0, 0.6, out)
    return drawn
