"""A network with one hidden layer that predicts the next token from a window, derived by hand.

Everything is numpy and every gradient is written out, so that each can be read beside its formula;
torch's autograd is the judge in the tests. The model is the neural probabilistic language model:
the vectors of the last tokens side by side, x, then logits = tanh(x W1 + b1) W2 + b2.
Parameters and gradients are dictionaries with the same keys: E (V, d), W1 (window d, F), b1 (F),
W2 (F, V), b2 (V). Results have the dtype of the parameters.

Not here: the training loop (the notebook shows it), other optimizers, dropout, more layers, and the
direct connections from x to the logits, which the source has as an option.

source: Bengio, Ducharme, Vincent and Jauvin 2003, A neural probabilistic language model, JMLR 3,
equation 1; Bergstra and Bengio 2012, Random search for hyper-parameter optimization, JMLR 13;
Hendrycks and Gimpel 2016, arXiv:1606.08415 (gelu).
unit: 05_neural_lm
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from llmcourse.arguments import ids_of

IGNORED = -100  # a target that is not scored, as in torch.nn.functional.cross_entropy

Params = dict[str, np.ndarray]


@dataclass(frozen=True)
class WindowConfig:
    """Sizes of a window model; each at least 1."""

    vocab_size: int  # V
    window: int  # tokens of context
    d_embed: int  # d, width of the vector of a token
    d_hidden: int  # F, hidden units
    embed_std: float = 1.0  # of the initial vectors; take a small one where most tokens are rare

    def __post_init__(self) -> None:
        if min(self.vocab_size, self.window, self.d_embed, self.d_hidden) < 1:
            raise ValueError(f"every size must be at least 1, got {self}")
        if self.embed_std < 0:
            raise ValueError(f"embed_std must be 0 or more, got {self.embed_std}")

    @property
    def n_parameters(self) -> int:
        """The number of trained parameters; it grows linearly with the window."""
        x = self.window * self.d_embed
        V, F = self.vocab_size, self.d_hidden
        return V * self.d_embed + x * F + F + F * V + V


def activations(x: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return value and derivative at x of sigmoid, tanh, relu and gelu (tanh form), by name.

    Finite for every finite x. relu has derivative 0 at 0, as in torch.
    """
    x = np.asarray(x)
    small = np.exp(-np.abs(x))  # at most 1: never overflows
    sigmoid = np.where(x >= 0, 1, small) / (1 + small)
    tanh = np.tanh(x)
    bounded = np.clip(x, -20, 20)  # beyond, gelu's tanh is 1 or -1; the cube would overflow
    root = math.sqrt(2 / math.pi)
    inner = np.tanh(root * (bounded + 0.044715 * bounded**3))  # gelu = x (1 + inner) / 2
    gelu_derivative = 0.5 * (1 + inner)
    gelu_derivative += 0.5 * bounded * (1 - inner**2) * root * (1 + 3 * 0.044715 * bounded**2)
    return {
        "sigmoid": (sigmoid, sigmoid * (1 - sigmoid)),
        "tanh": (tanh, 1 - tanh**2),
        "relu": (np.maximum(x, 0), np.where(x > 0, 1.0, 0.0)),
        "gelu": (0.5 * x * (1 + inner), gelu_derivative),
    }


def softmax_cross_entropy(logits: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean of -log P(target) in nats, and dL/dlogits, (B, V).

    The largest logit of each row is subtracted first, so no exponential overflows. A row whose
    target is IGNORED (-100) has no loss and the gradient 0; the mean is over the other rows. Raises
    ValueError where all are ignored (torch gives nan), and for any other target outside 0 .. V - 1.
    """
    targets = np.asarray(targets)
    scored = targets != IGNORED
    if not scored.any():
        got = f"{IGNORED} in all {len(targets)} rows" if len(targets) else "no row"
        raise ValueError(f"expected a target to score, got {got}: leave such a batch out")
    rows, known = np.flatnonzero(scored), ids_of(targets[scored], logits.shape[1], "targets")
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    totals = exps.sum(axis=1, keepdims=True)
    losses = np.log(totals[rows, 0]) - shifted[rows, known]  # -log softmax at the target
    gradient = exps / totals  # dL/dlogits = (softmax - one-hot of the target) / number of rows
    gradient[rows, known] -= 1
    gradient[~scored] = 0
    return float(losses.mean()), gradient / len(rows)


def linear_backward(
    x: np.ndarray, W: np.ndarray, dy: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return dL/dx, dL/dW and dL/db of a linear layer y = x W + b, given dy = dL/dy."""
    return dy @ W.T, x.T @ dy, dy.sum(axis=0)


def mlp_logits(params: Mapping[str, np.ndarray], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits (B, V) and the hidden units (B, F) for inputs x."""
    hidden = np.tanh(x @ params["W1"] + params["b1"])
    return hidden @ params["W2"] + params["b2"], hidden


def mlp_backward(
    params: Mapping[str, np.ndarray], x: np.ndarray, targets: np.ndarray
) -> tuple[float, Params]:
    """Return the loss and its gradients with respect to W1, b1, W2, b2 and x."""
    logits, hidden = mlp_logits(params, x)
    loss, dlogits = softmax_cross_entropy(logits, targets)
    dhidden, dW2, db2 = linear_backward(hidden, params["W2"], dlogits)
    dsum = dhidden * (1 - hidden**2)  # of the sum inside the tanh, since tanh' = 1 - tanh^2
    dx, dW1, db1 = linear_backward(x, params["W1"], dsum)
    return loss, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "x": dx}


def gradient_check(
    f: Callable[[np.ndarray], float], x: np.ndarray, gradient: np.ndarray, eps: float = 1e-5
) -> float:
    """Return the largest difference between `gradient` and central differences of f at x.

    x is not modified; f is called twice for each entry of x. Works in float64 only: with eps 1e-5 a
    right gradient of a smooth f of size 1 differs by less than 1e-8; float32 rounds off far more.
    """
    x = np.array(x, dtype=np.float64)
    worst = 0.0
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + eps
        above = f(x)
        x[index] = kept - eps
        estimate = (above - f(x)) / (2 * eps)
        x[index] = kept
        worst = max(worst, float(abs(estimate - gradient[index])))
    return worst


class FixedWindowLM:
    """The window model: its parameters, and the lookup of the vectors of a window's ids."""

    def __init__(self, params: Params) -> None:
        self.params = params

    def features(self, ids: np.ndarray) -> np.ndarray:
        """Return the vectors of each window side by side: ids (B, window) to (B, window d).

        Raises ValueError for ids outside 0 .. V - 1.
        """
        E = self.params["E"]
        return E[ids_of(ids, len(E))].reshape(len(ids), np.shape(ids)[1] * E.shape[1])

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Return the logits of the token after each window, (B, V)."""
        return mlp_logits(self.params, self.features(ids))[0]

    def embedding_gradient(self, ids: np.ndarray, dx: np.ndarray) -> np.ndarray:
        """Return dL/dE (V, d), given dx = dL/dfeatures; the gradients of a repeated id add up."""
        V, d = self.params["E"].shape
        flat, rows = ids_of(ids, V).reshape(-1), dx.reshape(-1, d)
        if not len(flat):
            return np.zeros((V, d), dtype=dx.dtype)
        order = np.argsort(flat, kind="stable")  # equal ids side by side, for reduceat
        found, first = np.unique(flat[order], return_index=True)
        gradient = np.zeros((V, d), dtype=dx.dtype)
        gradient[found] = np.add.reduceat(rows[order], first, axis=0)
        return gradient


def init_params(config: WindowConfig, rng: np.random.Generator, dtype: type = np.float32) -> Params:
    """Return initial parameters; all logits are 0, so the first loss is exactly log V.

    E has the standard deviation embed_std, W1 has 1 / sqrt(window d): for embed_std <= 1 the hidden
    units are not saturated.
    """
    x, F, V = config.window * config.d_embed, config.d_hidden, config.vocab_size
    params = {
        "E": config.embed_std * rng.standard_normal((V, config.d_embed)),
        "W1": rng.standard_normal((x, F)) / math.sqrt(x),
        "b1": np.zeros(F),
        "W2": np.zeros((F, V)),
        "b2": np.zeros(V),
    }
    return {name: value.astype(dtype) for name, value in params.items()}


def loss_and_gradients(
    model: FixedWindowLM, ids: np.ndarray, targets: np.ndarray
) -> tuple[float, Params]:
    """Return the loss of a batch of windows and its gradient with respect to every parameter."""
    loss, gradients = mlp_backward(model.params, model.features(ids), targets)
    gradients["E"] = model.embedding_gradient(ids, gradients.pop("x"))
    return loss, gradients


def sgd_step(
    params: Params, gradients: Params, velocity: Params, lr: float, momentum: float = 0.0
) -> tuple[Params, Params]:
    """Return (new parameters, new velocity): v = momentum v + gradient, then p = p - lr v.

    Nothing is changed in place. source: torch.optim.SGD's form, where lr scales the velocity.
    """
    new = {name: momentum * velocity[name] + gradients[name] for name in params}
    return {name: value - lr * new[name] for name, value in params.items()}, new


def random_search(
    objective: Callable[[dict[str, float]], float],
    ranges: Mapping[str, tuple[float, float]],
    trials: int,
    uniform: Callable[[], float],
) -> tuple[dict[str, float], float]:
    """Return the settings with the lowest objective among `trials` random ones, and that value.

    Each setting is drawn log-uniformly from its (low, high), 0 < low <= high, with one call of
    uniform() in the order of `ranges`. A nan never wins; if all are nan, the first is returned.
    Raises ValueError for fewer than one trial.
    """
    if trials < 1:
        raise ValueError(f"need at least 1 trial, got {trials}")
    best: tuple[dict[str, float], float] | None = None
    for _ in range(trials):
        settings = {n: low * (high / low) ** uniform() for n, (low, high) in ranges.items()}
        value = objective(settings)
        if best is None or value < best[1] or math.isnan(best[1]):
            best = settings, value
    assert best is not None
    return best


def windows(ids: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (contexts (T - window, window), targets (T - window,)) of a text of T ids.

    Raises ValueError for a text that has no token after its first window.
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    ids = ids_of(ids)
    if len(ids) <= window:
        raise ValueError(f"need more than {window} ids for a window of {window}, got {len(ids)}")
    return np.lib.stride_tricks.sliding_window_view(ids, window)[:-1], ids[window:]


def logps(model: FixedWindowLM, ids: np.ndarray, window: int, batch: int = 4096) -> np.ndarray:
    """Return log P of each id given the `window` before it, in nats, (T - window,).

    Raises ValueError for ids outside 0 .. V - 1, and for a text with no token after its first
    window.
    """
    contexts, targets = windows(ids_of(ids, len(model.params["b2"])), window)
    parts = []
    for start in range(0, len(targets), batch):
        logits = model.logits(contexts[start : start + batch]).astype(np.float64)
        wanted = np.take_along_axis(logits, targets[start : start + batch, None], axis=1)[:, 0]
        top = logits.max(axis=1)
        parts.append(wanted - top - np.log(np.exp(logits - top[:, None]).sum(axis=1)))
    return np.concatenate(parts)
