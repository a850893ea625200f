"""Evaluation, checkpoints and cost in unit 10: formulas, mistakes, visible checks.

unit: 10_pretraining
"""

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from llmcourse.checks import (
    NOTHING,
    Mistake,
    compare,
    diagnosed,
    equal,
    fail,
    items,
    method,
    near,
    noted,
    number,
    visible,
)
from llmcourse.checks.arrays import as_array
from llmcourse.checks.comparison import is_number
from llmcourse.checks.u06_judging import called
from llmcourse.checks.u10_data import IGNORED
from llmcourse.checks.u10_judging import SHAPES, Array, Params, State, told

# --- evaluate

Losses = Callable[[Any, Any], Any]
EVALUATE = "Add the losses of all targets that count, divide by their number, and by log 2."
AT_PADDING = (
    "A loss at padding may be anything, also nan: pick the losses that count, not 0 times the rest."
)
ALL_ROWS = "Every row counts once, also where the last batch has fewer rows."


def evaluated(losses: Losses, ids: Array, targets: Array, batch_size: int, flaw: str = "") -> float:
    """Return the bits per token over all targets that count, row by row."""
    total, count, means = 0.0, 0, []
    rows = range(len(ids) // batch_size * batch_size if flaw == "dropped" else len(ids))
    if flaw == "first batch":
        rows = range(min(batch_size, len(ids)))
    part, number_of = 0.0, 0
    for at in rows:
        row = np.asarray(losses(ids[at : at + 1], targets[at : at + 1]), float)[0]
        for loss, target in zip(row, targets[at], strict=True):
            if target != IGNORED or flaw in ("padding", "summed"):
                part += float(loss)
                number_of += target != IGNORED or flaw == "padding"
        if (at + 1) % batch_size == 0 or at == len(ids) - 1 or flaw == "rows":
            if number_of:
                means.append(part / number_of)
            total, count, part, number_of = total + part, count + number_of, 0.0, 0
    nats = total / max(count, 1)
    if flaw in ("means", "rows"):
        nats = sum(means) / len(means)
    if flaw == "all positions":
        nats = total / targets.size
    if flaw == "sum":
        nats = total
    if flaw == "perplexity":
        return math.exp(nats)
    return nats / {"nats": 1.0, "times": 1 / math.log(2)}.get(flaw, math.log(2))


EVALUATE_FLAWS = {
    "nats": "In bits: divide the nats by log 2.",
    "times": "Bits are more than nats: divide by log 2, do not multiply.",
    "padding": "Targets of -100 do not count.",
    "summed": "Losses at padding may be any number, not only nan: pick by targets != -100.",
    "all positions": "Divide by the number of targets that count, not by that of all positions.",
    "means": "Not the mean of the batches' means: a batch with fewer targets would count too much.",
    "rows": "Not the mean of the rows' means: a row with fewer targets would count too much.",
    "dropped": ALL_ROWS,
    "first batch": ALL_ROWS,
    "sum": "Divide by the number of targets that count.",
    "perplexity": "Return the bits, not the perplexity.",
}


def evaluate_inputs(rng: Any, N: int, T: int, batch_size: int, V: int = 7) -> Any:
    """Return a loss function, ids and targets (N, T) with padding, and a batch size.

    A loss is high at padding, where it means nothing; each row has another size of loss, and at
    least one target that counts.
    """
    ids, targets = rng.integers(0, V, (2, N, T))
    ids[:, 0] = rng.permutation(max(N, V))[:N] % V
    for row, length in enumerate(rng.integers(1, T + 1, N)):
        targets[row, length:] = IGNORED
    if N > 1 and T > 1:
        targets[-1, 1:] = IGNORED
    table = rng.uniform(0.2, 4, (V, V))

    def losses(ids: Any, targets: Any) -> Array:
        ids, targets = np.asarray(ids), np.asarray(targets)
        if ids.ndim != 2 or ids.shape != targets.shape or not 0 < len(ids) <= batch_size:
            raise ValueError("losses gets ids and targets of 1 to batch_size rows, (B, T) each")
        counted = table[ids, np.where(targets == IGNORED, 0, targets)] + ids[:, :1]
        return np.where(targets == IGNORED, 50.0 + ids, counted)

    return losses, ids, targets, batch_size


def evaluate_mistakes(*args: Any) -> list[Mistake]:
    return told(evaluated, args, EVALUATE_FLAWS)


def bits_by(answer: Any, args: Any) -> Any:
    """Return the bits, or fail if the call modified an array."""
    losses, ids, targets, batch_size = args
    return called(lambda ids, targets: answer(losses, ids, targets, batch_size), (ids, targets))


@visible
def evaluate(answer):
    rng = np.random.default_rng(5)
    for size in ((5, 4, 2), (4, 3, 4), (3, 5, 1), (6, 3, 4), (2, 1, 9), (1, 3, 1)):
        args = evaluate_inputs(rng, *size)
        with noted("losses takes at most batch_size rows: call it in a loop.", "batch_size rows"):
            got = number(bits_by(answer, args), "the result")
        diagnosed(got, evaluated(*args), EVALUATE, *evaluate_mistakes(*args), what="the result")
    losses, ids, targets, batch_size = evaluate_inputs(rng, 3, 4, 2)
    targets[0, 1:] = IGNORED
    undefined = (lambda i, t: np.where(t == IGNORED, np.nan, losses(i, t))), ids, targets, 2
    near(bits_by(answer, undefined), evaluated(losses, ids, targets, batch_size), 1e-9, AT_PADDING)


# --- Checkpoint

FLAT = "A file of tensors is flat: one dictionary, with a name for each array or number."
BACK = "resume returns the params, state and step that save_checkpoint has put into the dictionary."
OPTIMISER = "Keep m and v and their step, too: AdamW without its averages takes another step."
COPIES = "Copy the arrays: training goes on, and may change them in place."
DTYPES = "The arrays come back in the dtype they had: an exact copy."
NAMES = "A parameter may have any name, also one with dots or slashes, or `step`."
FIRST = "Before the first step the state is {}: resume returns {} then."
OTHER_OBJECT = "A run is resumed in a new process: all that counts is in the dictionary."


def run_inputs(rng: Any, t: int, step: int, shapes: Any = None) -> tuple[Params, State, int]:
    """Return parameters of several dtypes, the state after t steps, and the step of the run."""
    kinds = ("float64", "float32", "float64", "float32")
    shapes = SHAPES | {"norm.1": (2,)} if shapes is None else shapes
    made = [
        {
            n: rng.normal(size=shape).astype(kinds[i % 4])
            for i, (n, shape) in enumerate(shapes.items())
        }
        for _ in range(3)
    ]
    return made[0], {"step": t, "m": made[1], "v": made[2]} if t else {}, step


def run_differs(got: Any, want: tuple[Params, State, int]) -> str:
    """Return what a resumed run lacks, "" if nothing."""
    if not isinstance(got, tuple | list) or len(got) != 3:
        return BACK
    for part, right, why in zip(got, want, (BACK, OPTIMISER, BACK), strict=True):
        if compare(part, right, 0.0) is not None:
            return FIRST if right == {} else why
    parts = [(got[0], want[0]), *((got[1][k], want[1][k]) for k in ("m", "v") if want[1])]
    same = [as_array(mine[n]).dtype == right[n].dtype for mine, right in parts for n in right]
    return "" if all(same) else DTYPES


@visible
def Checkpoint(answer):
    rng = np.random.default_rng(6)
    odd = {
        "step": (2,),
        "m": (1, 3),
        "m.step": (2, 2),
        "v/m": (3,),
        "params.m": (1,),
        "params": (2,),
    }
    tries = (
        ((3, 17), BACK), ((1, 0), "The step may be 0."), ((0, 0), FIRST), ((250, 250, odd), NAMES),
        ((2, 5, {}), "There may be no parameter."),
    )  # fmt: skip
    for size, hint in tries:
        params, state, step = run_inputs(rng, *size)
        given = copy.deepcopy((params, state))
        saved = method(answer, (params, state, step), "save_checkpoint")
        if saved is None:
            fail(NOTHING)
        if not isinstance(saved, dict):
            fail("save_checkpoint should return a dictionary.", hint=FLAT)
        for name, value in saved.items():
            if not isinstance(name, str) or not (hasattr(value, "shape") or is_number(value)):
                fail("save_checkpoint: expected names with arrays or numbers.", hint=FLAT)
        equal((params, state), given, "save_checkpoint changed its arguments.")
        for array in (*params.values(), *state.get("m", {}).values(), *state.get("v", {}).values()):
            array += 1
        with noted(OTHER_OBJECT, "attribute"):
            got = method(answer, ({}, {}, 0), "resume", saved)
        if got is None:
            fail(NOTHING, hint=OTHER_OBJECT)
        got = items(got, 3, "resume returns params, state and step.")
        if run_differs(got, (*given, step)):
            moved = run_differs(got, (params, state, step)) == ""
            why = COPIES if moved else run_differs(got, (*given, step))
            fail("the resumed run is not the saved one.", hint=why if why != BACK else hint)


# --- flops_per_token, mfu


def flops(n_parameters: int, n_layers: int, d_model: int, length: int, flaw: str = "") -> float:
    """Return the operations of training on one token, forward and backward."""
    attention = {
        "no attention": 0, "forward attention": 4, "half": 6,
    }.get(flaw, 12) * n_layers * d_model * length  # fmt: skip
    if flaw == "squared":
        attention *= length
    if flaw == "one layer":
        attention //= n_layers
    weights = {"forward": 2, "backward": 4, "once": 1}.get(flaw, 6) * n_parameters
    if flaw == "all forward":
        return float(2 * n_parameters + 4 * n_layers * d_model * length)
    return float(weights + attention)


FLOPS_FLAWS = {
    "no attention": "The products of queries, keys and values are missing: 12 L d T.",
    "forward attention": "The attention has a backward pass, too: 12 L d T, not 4 L d T.",
    "half": "Scores and values are two products: 12 L d T.",
    "squared": "For one token: T keys, not T times T.",
    "one layer": "Each of the L layers has attention: 12 L d T.",
    "forward": "2 operations per parameter are the forward pass; with the backward pass 6.",
    "backward": "4 operations per parameter are the backward pass; with the forward pass 6.",
    "once": "A multiplication and an addition are two operations, and there are three passes: 6 N.",
    "all forward": "That is the forward pass alone: training costs three times as much.",
}
FLOPS = "6 N + 12 L d T."


@visible
def flops_per_token(answer):
    for args in ((1000, 2, 8, 16), (124_439_808, 12, 768, 1024), (10, 1, 1, 1), (7, 3, 5, 2)):
        got = number(answer(*args), "the number of operations")
        diagnosed(got, flops(*args), FLOPS, *told(flops, args, FLOPS_FLAWS), what="the number")


def utilisation(
    flops: float, tokens: int, seconds: float, peak: float, devices: int = 1, flaw: str = ""
) -> float:
    """Return the fraction of the peak rate of all devices that was used."""
    if flaw == "percent":
        peak /= 100
    if flaw == "one device":
        devices = 1
    if flaw == "more devices":
        peak /= devices**2
    if flaw == "inverse":
        return seconds * peak * devices / (flops * tokens)
    if flaw == "a second":
        seconds = 1
    if flaw == "capped":
        return min(1.0, flops * tokens / (seconds * peak * devices))
    return flops * tokens / (seconds * peak * devices)


MFU_FLAWS = {
    "percent": "A fraction from 0 to 1, not percent.",
    "one device": "The peak is that of one device: multiply it by their number.",
    "more devices": "More devices could do more: divide by their number.",
    "inverse": "Operations done over operations possible, not the other way round.",
    "capped": "Return it as it is, also above 1: it shows that something was counted wrongly.",
    "a second": "Divide by the seconds: the rate is tokens per second.",
}


@visible
def mfu(answer):
    tries = (6e9, 1000, 2.0, 1e13), (8.5e8, 524_288, 0.25, 3.12e14, 8), (2.0, 3, 4.0, 5.0, 6)
    for args in (*tries, (2.0, 30, 0.5, 5.0, 6)):  # the last one is above 1
        got = number(answer(*args), "mfu")
        hint = "flops * tokens / (seconds * peak * devices)."
        diagnosed(got, utilisation(*args), hint, *told(utilisation, args, MFU_FLAWS), what="mfu")
