"""One training step of unit 10, with accumulation and clipping: formula, mistakes, visible check.

The exercise gets the gradient and the optimiser as functions; here they are made from tables.

unit: 10_pretraining
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, fail, items, visible
from llmcourse.checks.u06_judging import arrays_near, called
from llmcourse.checks.u10_judging import SHAPES, Params, told

Gradient = Callable[[Params, Any], tuple[float, int, Params]]
Update = Callable[[Params, Params, Any], tuple[Params, Any]]
RETURNED = "Return four things: params, state, loss, norm."
TRAIN = "Add losses, numbers and gradients of all micro-batches, divide once, clip, update once."
CLOSE = 1e-6  # torch divides by norm + 1e-6, which is as good
ZERO = "A gradient of 0 has the norm 0: do not divide by it."
LARGE = "Squares of large float32 numbers overflow: sum them as float64."


def norm_of(grads: Params) -> float:
    """Return the length of all gradients as one vector, summed in Python's floats."""
    return math.hypot(*(float(x) for g in grads.values() for x in np.ravel(g)))


def stepped(
    params: Params, state: Any, batches: Sequence[Any], gradient: Gradient, update: Update,
    max_norm: float, flaw: str = "",
) -> tuple[Params, Any, float, float]:  # fmt: skip
    """Return parameters, state, loss and norm after one step over all micro-batches."""
    parts = [gradient(params, batch) for batch in batches]
    if flaw == "last":
        parts = parts[-1:]
    if flaw == "first":
        parts = parts[:1]
    losses, counts = [float(p[0]) for p in parts], [int(p[1]) for p in parts]
    n = float(sum(counts))
    weights = [1 / n] * len(parts)
    if flaw == "means":
        weights = [1 / count / len(parts) for count in counts]
    if flaw == "batches":
        weights = [1 / len(parts)] * len(parts)
    if flaw == "sum":
        weights = [1.0] * len(parts)
    if flaw == "each clipped":
        own = [norm_of(p[2]) / count for p, count in zip(parts, counts, strict=True)]
        weights = [min(1, max_norm / norm) / n for norm in own]
    grads = {
        name: sum(np.asarray(p[2][name], float) * w for p, w in zip(parts, weights, strict=True))
        for name in params
    }
    loss = sum(x * w for x, w in zip(losses, weights, strict=True))
    if flaw in ("each clipped", "loss sum"):
        loss = sum(losses) / (1 if flaw == "loss sum" else n)
    if flaw == "loss means":
        loss = float(np.mean([x / count for x, count in zip(losses, counts, strict=True)]))
    norm = norm_of(grads)
    scale = min(1.0, max_norm / norm) if norm else 1.0
    if flaw == "sum clipped":  # before the division by n
        scale = min(1.0, max_norm / (norm * n))
    if flaw == "always":
        scale = max_norm / norm if norm else 1.0
    if flaw in ("not clipped", "each clipped"):
        scale = 1.0
    if flaw == "squared":
        scale = min(1.0, max_norm / norm**2) if norm else 1.0
    clipped = {name: g * scale for name, g in grads.items()}
    if flaw == "by array":
        clipped = {
            name: g * min(1.0, max_norm / max(norm_of({"": g}), 1e-30)) for name, g in grads.items()
        }
    if flaw == "by number":
        clipped = {name: np.clip(g, -max_norm, max_norm) for name, g in grads.items()}
    if flaw == "each updated":
        for p in parts:
            own_grads = {name: np.asarray(g, float) / n for name, g in p[2].items()}
            params, state = update(params, own_grads, state)
    else:
        params, state = update(params, clipped, state)
    told_norm = {"norm after": norm_of(clipped), "norm squared": norm**2}.get(flaw, norm)
    return params, state, loss, told_norm


TRAIN_FLAWS = {
    "means": "A mean of means counts short micro-batches too much: divide the sums once, by the "
    "number of all targets.",
    "batches": "Divide by the number of targets of all micro-batches, not by that of batches.",
    "sum": "Divide the gradients by the number of targets before you clip.",
    "last": "Add the gradients of all micro-batches: only the last one counts.",
    "first": "Add the gradients of all micro-batches: only the first one counts.",
    "each clipped": "Clip once, after the sum over all micro-batches.",
    "sum clipped": "Divide by the number of targets first, then clip.",
    "not clipped": "Where the norm is above max_norm, multiply the gradients by max_norm / norm.",
    "always": "Gradients whose norm is below max_norm stay as they are.",
    "by array": "One norm of all gradients together, not one for each array.",
    "by number": "Scale all gradients by one factor; do not cut single numbers.",
    "squared": "The norm is the square root of the sum of squares.",
    "each updated": "Update once, with the gradient of all micro-batches.",
    "norm after": "Return the norm before clipping.",
    "norm squared": "The norm is the square root of the sum of squares.",
    "loss sum": "The loss is the mean over all targets.",
    "loss means": "The loss is the sum of the losses divided by the number of all targets.",
}


def sgd(params: Params, grads: Params, state: Any) -> tuple[Params, Any]:
    """Move against the gradients, and count the steps."""
    state = {"step": float(state["step"]) + 1}
    return {n: p - 0.5 * np.asarray(grads[n], float) for n, p in params.items()}, state


def table_gradient(params: Params, batch: Any) -> tuple[float, int, Params]:
    """Return the summed loss, the number of targets and the gradients of a batch that holds them,
    the gradients times the first number of `b`."""
    loss, count, grads = batch
    return loss, count, {n: float(np.ravel(params["b"])[0]) * g for n, g in grads.items()}


def train_inputs(rng: Any, size: float, *counts: int, dtype: str = "float64") -> Any:
    """Return the arguments of a step over micro-batches of so many targets each.

    size: the norm of the mean gradient over max_norm.
    """
    params = {n: rng.normal(size=shape) for n, shape in SHAPES.items()}
    params["b"][0] = 1.5
    batches = []
    for count in counts:
        grads = {n: count * rng.normal(1, 1, shape) for n, shape in SHAPES.items()}
        batches.append((float(rng.uniform(1, 4) * count), count, grads))
    mean = stepped(params, {"step": 0.0}, batches, table_gradient, sgd, 1.0)[3]
    if dtype == "float32":
        batches = [(x, n, {k: (1e25 * g).astype(dtype) for k, g in gs.items()})
                   for x, n, gs in batches]  # fmt: skip
        mean *= 1e25
    max_norm = float(mean / size)
    return params, {"step": float(rng.integers(0, 9))}, batches, table_gradient, sgd, max_norm


def train_mistakes(*args: Any) -> list[Mistake]:
    return told(stepped, args, TRAIN_FLAWS)


def step_by(answer: Any, args: Any) -> Any:
    """Return the result, or fail if the call modified its arguments."""
    params, state, batches, gradient, update, max_norm = args

    def plain(params: Any, state: Any, batches: Any) -> Any:
        return answer(params, state, batches, gradient, update, max_norm)

    return called(plain, (params, state, batches))


@visible
def train_step(answer):
    rng, what = np.random.default_rng(4), ("params", "state", "loss", "norm")
    for size, *counts in ((0.5, 3), (0.5, 4, 1), (3.0, 5), (3.0, 2, 6, 1), (2.0, 3, 1, 4)):
        args = train_inputs(rng, size, *counts)
        parts = items(step_by(answer, args), 4, RETURNED)
        arrays_near(parts, stepped(*args), what, RETURNED, TRAIN, *train_mistakes(*args),
                    tolerance=CLOSE)  # fmt: skip
    args = train_inputs(rng, 2.0, 2, 3)
    still = [(loss, n, {k: 0 * g for k, g in grads.items()}) for loss, n, grads in args[2]]
    args = (*args[:2], still, *args[3:])
    with np.errstate(all="ignore"):
        parts = items(step_by(answer, args), 4, RETURNED)
    arrays_near(parts, stepped(*args), what, ZERO, ZERO)
    args = train_inputs(rng, 4.0, 2, 3, dtype="float32")
    with np.errstate(all="ignore"):
        parts = items(step_by(answer, args), 4, RETURNED)
    if not all(np.isfinite(np.asarray(x, float)).all() for x in (*parts[0].values(), parts[3])):
        fail("the norm or a parameter is not finite.", hint=LARGE)
    arrays_near(parts, stepped(*args), what, LARGE, LARGE)
