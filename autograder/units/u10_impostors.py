"""Right variants and impostors of a training, on which the learner's `test_train_step` is graded.

Their arguments are params (`E` (V, V) and `g` (V,)), batches (a list of micro-batches for each
step), a held-out batch and settings; they return (params, loss on the held-out batch). A batch
without a target that counts is outside of the contract.

unit: 10_pretraining
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.units.impostors import impostor_exercise
from llmcourse.checks import Implementation
from llmcourse.checks import u10_step as steps
from llmcourse.checks.u10_data import IGNORED
from llmcourse.checks.u10_impostors import (
    BOUNDS,
    RIGHT,
    WHAT,
    clipped,
    held_out_loss,
    loss_and_gradient,
    mean_gradient,
    rate,
    train,
)
from llmcourse.checks.u10_optimizer import adamw, scheduled

Array = Any  # of numpy
Params = dict[str, Array]
Result = tuple[Params, float]


def joined(batches: Any) -> Any:
    """Return all targets of the micro-batches that count, as one batch of one row."""
    pairs = [np.stack([np.asarray(part, int).ravel() for part in batch]) for batch in batches]
    flat = np.concatenate(pairs, axis=1)
    return flat[:, flat[1] != IGNORED][:, None]


def in_one_batch(params: Params, batches: Any, held_out: Any, settings: Any) -> Result:
    """Join the micro-batches of a step, and write AdamW with corrected rates."""
    m, v = ({name: np.zeros(np.shape(p)) for name, p in params.items()} for _ in range(2))
    for step, micro in enumerate(batches):
        ids, targets = joined(micro)
        loss_count_grads = loss_and_gradient(params, (ids, targets), settings["dropout"])
        grads = {name: g / loss_count_grads[1] for name, g in loss_count_grads[2].items()}
        norm = math.sqrt(sum(float(np.sum(g * g)) for g in grads.values()))
        factor = settings["max_norm"] / norm if norm > settings["max_norm"] else 1.0
        lr, t = rate(step, settings), step + 1
        for name, g in grads.items():
            m[name] += 0.1 * (factor * g - m[name])
            v[name] += 0.05 * ((factor * g) ** 2 - v[name])
            root = np.sqrt(v[name]) / math.sqrt(1 - 0.95**t) + 1e-8
            decay = lr * settings["weight_decay"] if np.ndim(params[name]) > 1 else 0.0
            moved = (
                np.asarray(params[name], float) * (1 - decay) - lr / (1 - 0.9**t) * m[name] / root
            )
            params = params | {name: moved}
    return params, held_out_loss(params, held_out)


def in_float32(params: Params, batches: Any, held_out: Any, settings: Any) -> Result:
    """Round parameters and gradients to single precision at every step."""
    state: dict[str, Any] = {}
    for step, micro in enumerate(batches):
        grads = clipped(mean_gradient(params, micro, settings["dropout"]), settings["max_norm"])
        grads = {name: g.astype(np.float32) for name, g in grads.items()}
        lr, decay = rate(step, settings), settings["weight_decay"]
        params = {name: np.asarray(p, np.float32) for name, p in params.items()}
        params, state = adamw(params, grads, state, lr, weight_decay=decay)
    return {n: np.asarray(p, np.float32) for n, p in params.items()}, held_out_loss(
        params, held_out
    )


def sums_clipped(params: Params, batches: Any, held_out: Any, settings: Any) -> Result:
    """Clip before the division by the number of targets."""
    state: dict[str, Any] = {}
    for step, micro in enumerate(batches):
        count = sum(loss_and_gradient(params, batch)[1] for batch in micro)
        mean = mean_gradient(params, micro, settings["dropout"])
        sums = clipped({n: g * count for n, g in mean.items()}, settings["max_norm"])
        grads = {name: g / count for name, g in sums.items()}
        lr, decay = rate(step, settings), settings["weight_decay"]
        params, state = adamw(params, grads, state, lr, weight_decay=decay)
    return params, held_out_loss(params, held_out)


def each_clipped(params: Params, batches: Any, held_out: Any, settings: Any) -> Result:
    """Give each array a norm of its own."""
    state: dict[str, Any] = {}
    for step, micro in enumerate(batches):
        mean, grads = mean_gradient(params, micro, settings["dropout"]), Params()
        for name, g in mean.items():
            grads |= clipped({name: g}, settings["max_norm"])
        lr, decay = rate(step, settings), settings["weight_decay"]
        params, state = adamw(params, grads, state, lr, weight_decay=decay)
    return params, held_out_loss(params, held_out)


def one_step_ahead(params: Params, batches: Any, held_out: Any, settings: Any) -> Result:
    """Take the learning rate of the next step."""
    state: dict[str, Any] = {}
    for step, micro in enumerate(batches):
        grads = clipped(mean_gradient(params, micro, settings["dropout"]), settings["max_norm"])
        lr, decay = rate(step + 1, settings), settings["weight_decay"]
        params, state = adamw(params, grads, state, lr, weight_decay=decay)
    return params, held_out_loss(params, held_out)


def all_decay(params: Params, batches: Any, held_out: Any, settings: Any) -> Result:
    """Let g decay, too."""
    state: dict[str, Any] = {}
    for step, micro in enumerate(batches):
        grads = clipped(mean_gradient(params, micro, settings["dropout"]), settings["max_norm"])
        lr = rate(step, settings)
        kept = {
            n: np.asarray(p, float) * (1 - lr * settings["weight_decay"]) for n, p in params.items()
        }
        params, state = adamw(kept, grads, state, lr, weight_decay=0.0)
    return params, held_out_loss(params, held_out)


def never_zeroed(params: Params, batches: Any, held_out: Any, settings: Any) -> Result:
    """Add the gradient of every step to those of the steps before."""
    state: dict[str, Any] = {}
    total = {name: np.zeros(np.shape(p)) for name, p in params.items()}
    for step, micro in enumerate(batches):
        new = mean_gradient(params, micro, settings["dropout"])
        total = {name: total[name] + g for name, g in new.items()}
        lr, decay = rate(step, settings), settings["weight_decay"]
        grads = clipped(total, settings["max_norm"])
        params, state = adamw(params, grads, state, lr, weight_decay=decay)
    return params, held_out_loss(params, held_out)


def evaluates_with_dropout(params: Params, batches: Any, held_out: Any, settings: Any) -> Result:
    """Leave dropout on for the evaluation."""
    params, _ = train(params, batches, held_out, settings)
    return params, held_out_loss(params, held_out, settings["dropout"])


SIX = (
    Implementation(
        "clips before it divides by the number of targets",
        sums_clipped,
        "Let the norm of some steps be above max_norm and that of others below it, and let the "
        "numbers of targets differ.",
    ),
    Implementation(
        "takes the learning rate of the next step",
        one_step_ahead,
        "Use a schedule with a warm-up of several steps, and compare the parameters.",
    ),
    Implementation(
        "lets g decay, too",
        all_decay,
        "Set a weight decay, and look at g as well as at E.",
    ),
    Implementation(
        "does not set the gradients to 0 between the steps",
        never_zeroed,
        "Take several steps, each with another batch.",
    ),
    Implementation(
        "evaluates with dropout",
        evaluates_with_dropout,
        "Set a dropout above 0 and look at the loss on the held-out batch alone: with no step, or a "
        "learning rate of 0, it can be known.",
    ),
    Implementation(
        "clips each array by itself",
        each_clipped,
        "Let the gradient of E be large and that of g small in some steps, and max_norm in between.",
    ),
)
CLOSE = "Allow differences of 1e-4, and compare parameters without dropout only."
VARIANTS = (
    RIGHT,
    Implementation("joins the micro-batches to one batch", in_one_batch, CLOSE),
    Implementation("computes in float32", in_float32, CLOSE),
)


def correct_adamw(
    params: Params, grads: Params, state: Any, lr: float, betas: Any = (0.9, 0.95),
    eps: float = 1e-8, weight_decay: float = 0.1,
) -> Any:  # fmt: skip
    """Answer the calls of the learner's `adamw_step`."""
    params = {name: np.asarray(p, float) for name, p in params.items()}
    return adamw(params, grads, state, lr, betas, eps, weight_decay)


def correct_schedule(step: int, steps: int, warmup: int, lr: float, lr_min: float = 0.0) -> float:
    """Answer the calls of the learner's `warmup_cosine`."""
    return scheduled(step, steps, warmup, lr, lr_min)


def correct_train_step(
    params: Params, state: Any, batches: Any, gradient: Any, update: Any, max_norm: float
) -> Any:
    """Answer the calls of the learner's `train_step`."""
    return steps.stepped(params, state, list(batches), gradient, update, max_norm)


test_train_step = replace(
    impostor_exercise("test_train_step", WHAT, VARIANTS, SIX, BOUNDS),
    given={
        "adamw_step": correct_adamw, "warmup_cosine": correct_schedule,
        "train_step": correct_train_step,
    },
)  # fmt: skip
