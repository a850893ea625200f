"""Training of a tiny model as one function, two impostors of it, and the visible check of its test.

Each takes params, batches, a held-out batch and settings, and returns (params, loss on the held-out
batch). The model is a bigram: the logits after token i are row i of `E` (V, V) times `g` (V,),
number by number, and g is like the weight of a norm. `batches` holds one list of micro-batches for
each step; a batch is (ids, targets), (B, T) each, and targets of -100 do not count. The other
impostors are in the grader.

unit: 10_pretraining
"""

from typing import Any

import numpy as np

from llmcourse.checks import Bounds, Implementation, tells_apart, visible
from llmcourse.checks.u10_data import IGNORED
from llmcourse.checks.u10_optimizer import adamw, scheduled
from llmcourse.checks.u10_step import norm_of

Array = np.ndarray
Params = dict[str, Array]
WHAT = "a training"
BOUNDS = Bounds(calls=30, numbers=1_000, results=5_000)


def loss_and_gradient(params: Params, batch: Any, dropout: float = 0.0) -> Any:
    """Return (summed loss, number of targets, gradients of the sum) of the tiny model.

    dropout: probability of each product of `E` and `g` to be dropped; the others grow by the same.
    """
    ids, targets = (np.asarray(part, int).ravel() for part in batch)
    counts = targets != IGNORED
    ids, targets = ids[counts], targets[counts]
    E, g = (np.asarray(params[name], float) for name in ("E", "g"))
    kept = np.ones((len(ids), len(g)))
    if dropout:
        kept = (np.random.random(kept.shape) >= dropout) / (1 - dropout)
    z = E[ids] * g * kept
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    P = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(len(ids))
    loss = float(np.sum(np.log(e.sum(axis=1)) - z[rows, targets]))
    P[rows, targets] -= 1  # dL/dz
    by_row = np.zeros_like(E)
    np.add.at(by_row, ids, P * g * kept)
    return loss, len(ids), {"E": by_row, "g": (P * E[ids] * kept).sum(axis=0)}


def held_out_loss(params: Params, batch: Any, dropout: float = 0.0) -> float:
    """Return the mean loss of a batch in nats."""
    loss, count, _ = loss_and_gradient(params, batch, dropout)
    return loss / count


def rate(step: int, settings: Any) -> float:
    """Return the learning rate of a step."""
    return scheduled(step, settings["steps"], settings["warmup"], settings["lr"])


def clipped(grads: Params, max_norm: float) -> Params:
    """Return the gradients scaled to a norm of at most max_norm."""
    norm = norm_of(grads)
    return {n: g * min(1.0, max_norm / norm) if norm else g for n, g in grads.items()}


def mean_gradient(params: Params, batches: Any, dropout: float) -> Params:
    """Return the gradient of the mean loss over all targets of all micro-batches."""
    parts = [loss_and_gradient(params, batch, dropout) for batch in batches]
    count = sum(part[1] for part in parts)
    return {name: sum(part[2][name] for part in parts) / count for name in params}


def train(params: Params, batches: Any, held_out: Any, settings: Any) -> tuple[Params, float]:
    """Train with accumulation, clipping, a schedule and AdamW, then evaluate without dropout."""
    state: dict[str, Any] = {}
    for step, micro in enumerate(batches):
        grads = clipped(mean_gradient(params, micro, settings["dropout"]), settings["max_norm"])
        lr = rate(step, settings)
        params, state = adamw(params, grads, state, lr, weight_decay=settings["weight_decay"])
    return params, held_out_loss(params, held_out)


def mean_of_means(
    params: Params, batches: Any, held_out: Any, settings: Any
) -> tuple[Params, float]:
    """Average the mean gradients of the micro-batches."""
    state: dict[str, Any] = {}
    for step, micro in enumerate(batches):
        means = [mean_gradient(params, [batch], settings["dropout"]) for batch in micro]
        grads = {name: sum(mean[name] for mean in means) / len(means) for name in params}
        grads = clipped(grads, settings["max_norm"])
        lr = rate(step, settings)
        params, state = adamw(params, grads, state, lr, weight_decay=settings["weight_decay"])
    return params, held_out_loss(params, held_out)


def unclipped(params: Params, batches: Any, held_out: Any, settings: Any) -> tuple[Params, float]:
    """Never clip."""
    return train(params, batches, held_out, {**settings, "max_norm": float("inf")})


RIGHT = Implementation(
    "follows the formulas",
    train,
    "Compare with a tolerance, and compare parameters without dropout only; settings needs all six "
    "numbers.",
)
SHOWN = (
    Implementation(
        "averages the means of the micro-batches",
        mean_of_means,
        "Let the micro-batches of a step have different numbers of targets that count.",
    ),
    Implementation(
        "does not clip",
        unclipped,
        "AdamW hides the size of a gradient that never changes: take several steps, of which some "
        "are clipped and some are not.",
    ),
)


@visible
def test_train_step(answer):
    tells_apart(answer, WHAT, RIGHT, SHOWN, BOUNDS)
