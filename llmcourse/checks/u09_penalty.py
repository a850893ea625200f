"""The repetition penalty in unit 09: formula, mistakes, visible check.

unit: 09_decoding
"""

import math
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, noted, visible
from llmcourse.checks.u06_judging import called
from llmcourse.checks.u08_judging import Array
from llmcourse.checks.u09_filters import OTHER, different, filtered


def penalised(logits: Array, ids: Array, penalty: float, flaw: str = "") -> Array:
    out = logits.tolist()
    for b, row in enumerate(out):
        of = ids.ravel() if flaw == "all rows" else ids[b]
        seen = of.tolist() if flaw == "every time" else sorted(set(of.tolist()))
        if flaw == "last":
            seen = of.tolist()[-1:]
        if flaw == "others":
            seen = [i for i in range(len(row)) if i not in seen]
        for i in seen:
            z, positive = row[i], (row[i] > 0) != (flaw == "exchanged")
            if flaw == "subtracted":
                row[i] = z - penalty
            elif flaw == "removed":
                row[i] = -math.inf
            elif flaw == "divided" or (positive and flaw != "multiplied"):
                row[i] = z / penalty
            elif flaw != "positive only":
                row[i] = z * penalty
    return np.array(out).reshape(logits.shape)


PENALTY_FLAWS = {
    "divided": "A negative logit divided by 1.5 grows: multiply negative logits.",
    "multiplied": "A positive logit times 1.5 grows: divide positive logits.",
    "exchanged": "Divide positive logits and multiply negative ones: both become smaller.",
    "positive only": "Negative logits change, too: multiply them by the penalty.",
    "every time": "A token counts once, however often it occurs in ids.",
    "all rows": "Row b of the logits is penalised for row b of ids only.",
    "last": "All tokens in ids count, not only the last one.",
    "others": "The tokens in ids become less probable, not the others.",
    "subtracted": "The penalty is a factor: nothing is subtracted.",
    "removed": "A repeated token becomes less probable; it is not removed.",
}
PENALTY = "For the tokens in row b of ids: divide positive logits by the penalty, multiply others."
NOTHING_SEEN = "Without ids (S = 0) no logit changes."


def penalty_inputs(rng: Any, B: int, V: int, S: int) -> Any:
    """Return logits, ids with a repeated token in each row, and a penalty."""
    ids = np.stack([rng.permutation(V) for _ in range(B)])[:, np.arange(S) % max(1, min(V, S - 1))]
    return rng.normal(0, 2, (B, V)), ids.reshape(B, S), float(rng.uniform(1.3, 2.5))


def penalty_mistakes(logits: Array, ids: Array, penalty: float) -> list[Mistake]:
    return different(penalised, (logits, ids, penalty), PENALTY_FLAWS)


@visible
def repetition_penalty(answer):
    rng = np.random.default_rng(4)
    logits = np.array([[3.0, -3.0, 1.5, -1.5, 0.6], [1.0, 2.0, -4.0, 0.5, -1.0]])
    args = logits, np.array([[0, 1, 0, 1], [2, 4, 3, 2]]), 1.5
    filtered(called(answer, args), penalised(*args), PENALTY, penalty_mistakes(*args))
    for sizes in ((2, 6, 4), (1, 3, 1), (3, 4, 9), (2, 5, 0)):
        args = penalty_inputs(rng, *sizes)
        hint = OTHER if sizes[2] else NOTHING_SEEN
        with noted(hint):
            got = called(answer, args)
        filtered(got, penalised(*args), hint, penalty_mistakes(*args), form=hint)
