"""One training step of unit 10, with accumulation and clipping: formula, mistakes, visible check.

The exercise gets the gradient and the optimiser as functions; here they are made from tables.

unit: 10_pretraining
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, fail, items, noted, visible
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


def weights_of(flaw: str, counts: Sequence[int]) -> list[float]:
    """Return by what the sums of each micro-batch are multiplied before they are added."""
    n = float(sum(counts))
    whole = {"batches": 1 / len(counts), "sum": 1.0}
    if flaw == "means":
        return [1 / count / len(counts) for count in counts]
    if flaw == "last only":
        return [0.0] * (len(counts) - 1) + [1.0 / counts[-1]]
    weights = [whole.get(flaw, 1 / n)] * len(counts)
    if flaw == "last":
        weights[:-1] = [0.0] * (len(counts) - 1)
    if flaw == "first":
        weights[1:] = [0.0] * (len(counts) - 1)
    return weights


def stepped(
    params: Params, state: Any, batches: Sequence[Any], gradient: Gradient, update: Update,
    max_norm: float, flaw: str = "",
) -> tuple[Params, Any, float, float]:  # fmt: skip
    """Return parameters, state, loss and norm after one step over all micro-batches.

    flaw: what is done wrongly with the gradients; after a bar, with the losses.
    """
    flaw, _, of_losses = flaw.partition("|")
    parts = [gradient(params, batch) for batch in batches]
    losses, counts = [float(p[0]) for p in parts], [int(p[1]) for p in parts]
    weights = weights_of(flaw, counts)
    if flaw == "each clipped":
        own = [norm_of(p[2]) / count for p, count in zip(parts, counts, strict=True)]
        weights = [w * min(1, max_norm / norm) for w, norm in zip(weights, own, strict=True)]
    grads = {
        name: sum(np.asarray(p[2][name], float) * w for p, w in zip(parts, weights, strict=True))
        for name in params
    }
    loss = sum(x * w for x, w in zip(losses, weights_of(of_losses, counts), strict=True))
    norm, n = norm_of(grads), sum(counts)
    clipped, told_norm = _clipped(grads, norm, n, max_norm, flaw)
    params, state = update(params, clipped, state)
    return params, state, loss, told_norm


def _clipped(
    grads: Params, norm: float, n: int, max_norm: float, flaw: str
) -> tuple[Params, float]:
    """Return the gradients after clipping, and the norm that is returned."""
    scale, told_norm = min(1.0, max_norm / norm) if norm else 1.0, norm
    if flaw.startswith("sum clipped"):  # before the division by n
        scale = min(1.0, max_norm / (norm * n)) if norm else 1.0
        told_norm = norm * n if flaw == "sum clipped, its norm" else norm
    if flaw == "always":
        scale = max_norm / norm if norm else 1.0
    if flaw in ("not clipped", "each clipped"):
        scale = 1.0
    if flaw in ("squared", "norm squared"):
        told_norm = norm**2
        scale = min(1.0, max_norm / norm**2) if norm and flaw == "squared" else scale
    clipped = {name: g * scale for name, g in grads.items()}
    if flaw == "by array":
        sizes = {name: max(norm_of({"": g}), 1e-30) for name, g in grads.items()}
        clipped = {name: g * min(1.0, max_norm / sizes[name]) for name, g in grads.items()}
    if flaw == "by number":
        clipped = {name: np.clip(g, -max_norm, max_norm) for name, g in grads.items()}
    return clipped, norm_of(clipped) if flaw == "norm after" else told_norm


MEANS = (
    "A mean of means counts short micro-batches too much: divide the sums once, by the number of "
    "all targets."
)
ONLY_BATCHES = "Divide by the number of targets of all micro-batches, not by that of batches."
NOT_DIVIDED = "Divide the gradients by the number of targets before you clip."
ONLY_LAST = "Add the gradients of all micro-batches: only the last one counts."
ONLY_FIRST = "Add the gradients of all micro-batches: only the first one counts."
SUM_CLIPPED = "Divide by the number of targets first, then clip."
SQUARED = "The norm is the square root of the sum of squares."
LOSS_MEAN = "The loss is the sum of the losses divided by the number of all targets."
TRAIN_FLAWS = {
    "means": MEANS, "means|means": MEANS,
    "batches": ONLY_BATCHES, "batches|batches": ONLY_BATCHES,
    "sum": NOT_DIVIDED, "sum|sum": NOT_DIVIDED,
    "last": ONLY_LAST, "last|last": ONLY_LAST, "last only|last only": ONLY_LAST,
    "first": ONLY_FIRST, "first|first": ONLY_FIRST,
    "each clipped": "Clip once, after the sum over all micro-batches.",
    "sum clipped": SUM_CLIPPED, "sum clipped, its norm": SUM_CLIPPED,
    "not clipped": "Where the norm is above max_norm, multiply the gradients by max_norm / norm.",
    "always": "Gradients whose norm is below max_norm stay as they are.",
    "by array": "One norm of all gradients together, not one for each array.",
    "by number": "Scale all gradients by one factor; do not cut single numbers.",
    "squared": SQUARED, "norm squared": SQUARED,
    "norm after": "Return the norm before clipping.",
    "|sum": "The loss is the mean over all targets.",
    "|means": LOSS_MEAN, "|batches": LOSS_MEAN,
}  # fmt: skip
ONCE = "Update once, with the gradient of all micro-batches."


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


def updates(state: Any, before: Any) -> float | None:
    """Return how often `sgd` was called, by its state; None for what is no state of it."""
    step = state.get("step") if isinstance(state, dict) else None
    return float(step) - float(before["step"]) if isinstance(step, int | float) else None


def step_by(answer: Any, args: Any) -> Any:
    """Return the four results, or fail if the call modified its arguments or updated twice."""
    params, state, batches, gradient, update, max_norm = args

    def plain(params: Any, state: Any, batches: Any) -> Any:
        return answer(params, state, batches, gradient, update, max_norm)

    parts = items(called(plain, (params, state, batches)), 4, RETURNED)
    if updates(parts[1], state) not in (None, 1.0):
        fail(f"update was called {updates(parts[1], state):g} times.", hint=ONCE)
    return parts


@visible
def train_step(answer):
    rng, what = np.random.default_rng(4), ("params", "state", "loss", "norm")
    for size, *counts in ((0.5, 3), (0.5, 4, 1), (3.0, 2, 6, 1), (3.0, 5), (2.0, 3, 1, 4)):
        args = train_inputs(rng, size, *counts)
        parts = step_by(answer, args)
        arrays_near(parts, stepped(*args), what, RETURNED, TRAIN, *train_mistakes(*args),
                    tolerance=CLOSE)  # fmt: skip
    args = train_inputs(rng, 2.0, 2, 3)
    still = [(loss, n, {k: 0 * g for k, g in grads.items()}) for loss, n, grads in args[2]]
    args = (*args[:2], still, *args[3:])
    with np.errstate(all="ignore"), noted(ZERO):
        parts = step_by(answer, args)
    arrays_near(parts, stepped(*args), what, ZERO, ZERO)
    args = train_inputs(rng, 4.0, 2, 3, dtype="float32")
    with np.errstate(all="ignore"):
        parts = step_by(answer, args)
    if not all(np.isfinite(np.asarray(x, float)).all() for x in (*parts[0].values(), parts[3])):
        fail("the norm or a parameter is not finite.", hint=LARGE)
    arrays_near(parts, stepped(*args), what, LARGE, LARGE)
