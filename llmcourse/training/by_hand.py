"""The parts of pretraining in numpy, to be read: what `packing`, `loop` and `resume` do in torch.

Parameters are a dictionary of arrays. Functions that need a model get it as a function. The state
of AdamW is {} before the first step, then {"step": t, "m": {...}, "v": {...}}.

source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; Loshchilov and Hutter 2019,
arXiv:1711.05101, algorithm 2 (decoupled decay); Pascanu et al. 2013, arXiv:1211.5063 (clipping).
unit: 10_pretraining
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from llmcourse.training.packing import IGNORED

Ids = Int[np.ndarray, "N T"]
Params = dict[str, np.ndarray]
State = dict[str, Any]
Gradient = Callable[[Params, Any], tuple[float, int, Params]]
Update = Callable[[Params, Params, Any], tuple[Params, Any]]


def pack_documents(documents: Sequence[Sequence[int]], T: int, end: int) -> tuple[Ids, Ids]:
    """Return rows of ids and of targets, (N, T) each, cut from one stream of all documents.

    The stream is end, document, end, document, end, and each token after the first end is a target
    once. The last row is filled up with `end`, its targets with IGNORED.
    """
    stream = [end]
    for document in documents:
        stream += [*document, end]
    n_targets = len(stream) - 1
    n_rows = -(-n_targets // T)  # rounded up
    ids, targets = np.full(n_rows * T, end), np.full(n_rows * T, IGNORED)
    ids[:n_targets], targets[:n_targets] = stream[:-1], stream[1:]
    return ids.reshape(n_rows, T), targets.reshape(n_rows, T)


def get_batch(
    ids: Ids, targets: Ids, step: int, batch_size: int, order: Callable[[int], Any]
) -> tuple[Int[np.ndarray, "B T"], Int[np.ndarray, "B T"]]:
    """Return the rows of a step, which is counted from 0: a function of the step alone.

    order(epoch) is a permutation of the N rows; the rows come in order(0), order(1), and so on.
    """
    N = len(ids)
    places = range(step * batch_size, (step + 1) * batch_size)
    rows = [int(order(k // N)[k % N]) for k in places]
    return ids[rows], targets[rows]


def adamw_step(
    params: Params,
    grads: Params,
    state: State,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.95),
    eps: float = 1e-8,
    weight_decay: float = 0.1,
) -> tuple[Params, State]:
    """Return the parameters and the state after one step; only arrays of two axes or more decay."""
    (beta1, beta2), t = betas, state.get("step", 0) + 1
    new, ms, vs = {}, {}, {}
    for name, p in params.items():
        g = grads[name]
        m = ms[name] = beta1 * (state["m"][name] if state else 0) + (1 - beta1) * g
        v = vs[name] = beta2 * (state["v"][name] if state else 0) + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)  # m and v started at 0
        decay = weight_decay * p if p.ndim > 1 else 0
        new[name] = p - lr * (m_hat / (np.sqrt(v_hat) + eps) + decay)
    return new, {"step": t, "m": ms, "v": vs}


def train_step(
    params: Params,
    state: Any,
    batches: Sequence[Any],
    gradient: Gradient,
    update: Update,
    max_norm: float,
) -> tuple[Params, Any, float, float]:
    """Return parameters, state, mean loss and norm of the gradient, of one step over micro-batches.

    gradient(params, batch) returns the summed loss, the number of targets and the gradients of the
    sum; update(params, grads, state) the new parameters and state. The norm is not that after
    clipping but before.
    """
    parts = [gradient(params, batch) for batch in batches]
    n_targets = sum(count for _, count, _ in parts)  # not a mean of means: batches differ in size
    grads = {name: sum(g[name] for _, _, g in parts) / n_targets for name in params}
    # squares of float32 numbers above 1.8e19 overflow
    squares = sum(np.square(g, dtype=np.float64).sum() for g in grads.values())
    norm = math.sqrt(squares)
    if norm > max_norm:
        grads = {name: g * (max_norm / norm) for name, g in grads.items()}
    params, state = update(params, grads, state)
    return params, state, sum(loss for loss, _, _ in parts) / n_targets, norm


def evaluate(
    losses: Callable[[Any, Any], Float[np.ndarray, "B T"]],
    ids: Ids,
    targets: Ids,
    batch_size: int,
) -> float:
    """Return the bits per token over all targets that count; losses(ids, targets) is in nats."""
    total, count = 0.0, 0
    for at in range(0, len(ids), batch_size):
        part = targets[at : at + batch_size]
        found = losses(ids[at : at + batch_size], part)[part != IGNORED]
        total, count = total + float(found.sum()), count + found.size
    return total / count / math.log(2)


class Checkpoint:
    """A training run, saved as one flat dictionary of arrays and made of it again."""

    def __init__(self, params: Params, state: State, step: int) -> None:
        self.params, self.state, self.step = params, state, step

    def save_checkpoint(self) -> dict[str, np.ndarray]:
        """Return copies of all that the next steps depend on, by name."""
        params, state, step = self.params, self.state, self.step
        saved = {"step": np.array(step)}
        if state:
            saved["optimizer step"] = np.array(state["step"])
        for kind, arrays in (("p", params), ("m", state.get("m", {})), ("v", state.get("v", {}))):
            saved |= {f"{kind}:{name}": array.copy() for name, array in arrays.items()}
        return saved

    def resume(self, saved: dict[str, np.ndarray]) -> tuple[Params, State, int]:
        """Return (params, state, step) of a saved run."""
        parts: dict[str, Params] = {"p": {}, "m": {}, "v": {}}
        for key, array in saved.items():
            kind, colon, name = key.partition(":")
            if colon:
                parts[kind][name] = np.array(array)
        state: State = {}
        if "optimizer step" in saved:
            state = {"step": int(saved["optimizer step"]), "m": parts["m"], "v": parts["v"]}
        return parts["p"], state, int(saved["step"])
