"""Recurrent networks by hand: one step of each kind, backpropagation through time, both directions.

Everything is numpy and written as its formula; `llmcourse.models.recurrent` holds the fast,
trainable form in torch. Parameters are dictionaries with torch's names, shapes and order of gates,
so that `torch.nn.RNN`, `LSTM` and `GRU` with the same weights give the same results: W_ih (G H, I),
W_hh (G H, H), b_ih and b_hh (G H), with G = 1, 4 (i, f, g, o) or 3 (r, z, n) blocks of H rows.
A step maps inputs (B, I) and states (B, H) to new states (B, H). Sequences are time first,
(T, B, I).

Not here: peephole connections, dropout, gradients of the gated cells.

source: Elman 1990, Finding structure in time, Cognitive Science 14; Jordan 1986, Serial order,
ICS report 8604; Hochreiter and Schmidhuber 1997, Long short-term memory, Neural Computation 9;
Gers, Schmidhuber and Cummins 2000, Learning to forget, Neural Computation 12; Cho et al. 2014,
arXiv:1406.1078 (GRU); Schuster and Paliwal 1997, Bidirectional recurrent neural networks, IEEE
Transactions on Signal Processing 45; Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063 (clipping).
unit: 06_rnn_lstm
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from llmcourse.arguments import ids_of

Params = Mapping[str, np.ndarray]
POOLINGS = ("last", "mean")


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + e^-x), finite for every x."""
    return (1 + np.tanh(x / 2)) / 2


def projected(params: Params, x: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the projection of the input, x W_ih^T + b_ih, and of the state, h W_hh^T + b_hh.

    Raises ValueError if inputs and states differ in their number of rows.
    """
    if np.shape(x)[:-1] != np.shape(h)[:-1]:
        raise ValueError(
            f"expected as many rows of states as of inputs, got states {np.shape(h)} and inputs "
            f"{np.shape(x)}: start a batch of another size from zeros"
        )
    return x @ params["W_ih"].T + params["b_ih"], h @ params["W_hh"].T + params["b_hh"]


def elman_step(params: Params, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return the next state tanh(x W_ih^T + b_ih + h W_hh^T + b_hh)."""
    return np.tanh(sum(projected(params, x, h)))


def jordan_step(params: Params, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (hidden units, output) of a network that is fed its previous output y.

    h = tanh(x W_ih^T + y W_yh^T + b_h), (B, H), and the new y = h W_hy^T + b_y, (B, O).
    """
    h = np.tanh(x @ params["W_ih"].T + y @ params["W_yh"].T + params["b_h"])
    return h, h @ params["W_hy"].T + params["b_y"]


def lstm_cell(
    params: Params, x: np.ndarray, h: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (next h, next c) of a long short-term memory with a forget gate."""
    i, f, g, o = np.split(sum(projected(params, x, h)), 4, axis=1)  # (B, H) each
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)  # c_t = f c_{t-1} + i g
    return sigmoid(o) * np.tanh(c), c  # h_t = o tanh(c_t)


def gru_cell(params: Params, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return the next state of a gated recurrent unit in torch's form."""
    (rx, zx, nx), (rh, zh, nh) = (np.split(part, 3, axis=1) for part in projected(params, x, h))
    r = sigmoid(rx + rh)  # reset gate: how much of the old state the candidate sees
    z = sigmoid(zx + zh)  # update gate: how much of the old state is kept
    n = np.tanh(nx + r * nh)  # candidate; r multiplies W_hn h + b_hn, after the product
    return (1 - z) * n + z * h


def gru_cell_reset_first(params: Params, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return the next state of the GRU in its other form, where r multiplies h before the product.

    It is the form of Chung et al. 2014, arXiv:1412.3555. Its z is torch's 1 - z; weights and biases
    of z with the other sign undo this. No weights undo the other position of r.
    """
    (rx, zx, nx), (rh, zh, _) = (np.split(part, 3, axis=1) for part in projected(params, x, h))
    r, z = sigmoid(rx + rh), sigmoid(zx + zh)
    _, _, nh = np.split(projected(params, x, r * h)[1], 3, axis=1)  # U (r h) + b
    return (1 - z) * h + z * np.tanh(nx + nh)


def bptt(params: Params, xs: np.ndarray, h0: np.ndarray, dhs: np.ndarray) -> dict[str, np.ndarray]:
    """Return the gradients with respect to W_ih, W_hh, b_ih, b_hh and h0 of an Elman network.

    xs: inputs (T, B, I); h0: first state (B, H); dhs: (T, B, H), the gradient of the loss with
    respect to each state, through the output of that step only. Below, dh_t and da_t are the
    gradients with respect to the state h_t and to the sum inside its tanh.
    source: Werbos 1990, Backpropagation through time, Proceedings of the IEEE 78.
    """
    hs = [h0]  # hs[t] is the state before xs[t] is read, hs[t + 1] the state after it
    for x in xs:
        hs.append(elman_step(params, x, hs[-1]))
    gradients = {name: np.zeros_like(value) for name, value in params.items()}
    dh = np.zeros_like(h0)  # nothing comes back after the last step
    for t in reversed(range(len(xs))):
        dh = dh + dhs[t]  # dh_t = dhs_t + da_{t+1} W_hh, the second from the step after
        da = dh * (1 - hs[t + 1] ** 2)  # da_t = dh_t (1 - h_t^2), since tanh' = 1 - tanh^2
        gradients["W_ih"] += da.T @ xs[t]  # dW_ih = sum over t of da_t^T x_t
        gradients["W_hh"] += da.T @ hs[t]  # dW_hh = sum over t of da_t^T h_{t-1}
        for name in ("b_ih", "b_hh"):
            gradients[name] += da.sum(axis=0)  # db = sum over t and over the batch of da_t
        dh = da @ params["W_hh"]  # da_t W_hh, for the step before
    return gradients | {"h0": dh}


def clip_grad_norm(gradients: Mapping[str, Any], max_norm: float) -> tuple[dict[str, Any], float]:
    """Return the gradients, scaled down together if their norm exceeds max_norm, and that norm.

    The norm is that of all arrays as one vector, 0.0 without any; it does not overflow, whatever
    the dtype. Takes arrays or tensors and keeps their dtype; the arguments are not modified. As in
    torch, an infinite gradient has norm inf and gives 0 and nan, and a nan gives nan.
    source: Pascanu, Mikolov and Bengio 2013, algorithm 1.
    """
    wide = {name: _float64(g) for name, g in gradients.items()}
    sizes = [float(abs(g).max()) for g in wide.values() if 0 not in g.shape]
    largest = float(np.max(sizes, initial=0.0))
    root = 1.0
    if 0 < largest < math.inf:  # divided by the largest, no square overflows, and one is 1
        root = math.sqrt(sum(float(((g / largest) ** 2).sum()) for g in wide.values()))
    norm = largest * root
    divisor, factor = (1.0, 1.0) if norm <= max_norm else (largest, max_norm / root)
    with np.errstate(invalid="ignore"):
        clipped = {name: g / divisor * factor for name, g in wide.items()}
    return {name: _cast(g, gradients[name]) for name, g in clipped.items()}, norm


def _float64(g: Any) -> Any:
    """Return an array or tensor in float64, where no square of a float16 or float32 overflows."""
    return g.double() if hasattr(g, "double") else np.asarray(g, dtype=np.float64)


def _cast(g: Any, like: Any) -> Any:
    """Return the gradient in the dtype of `like`; integers become float64."""
    if hasattr(like, "double"):
        return g.to(like.dtype)
    return g.astype(np.result_type(like, np.float16), copy=False)


def gru_states(params: Params, xs: np.ndarray) -> np.ndarray:
    """Return the states (T, B, H) of a GRU that reads xs (T, B, I) from a state of zeros."""
    h = np.zeros((xs.shape[1], params["W_hh"].shape[1]), dtype=xs.dtype)
    states = [h := gru_cell(params, x, h) for x in xs]
    return np.stack(states) if states else np.zeros((0, *h.shape), dtype=xs.dtype)


def bidirectional(forward: Params, backward: Params, xs: np.ndarray) -> np.ndarray:
    """Return the states of two GRUs that read xs from the left and from the right, (T, B, 2 H).

    Row t holds the state of the first after xs[0] to xs[t], then that of the second after xs[T - 1]
    back to xs[t].
    """
    from_left, from_right = gru_states(forward, xs), gru_states(backward, xs[::-1])
    return np.concatenate([from_left, from_right[::-1]], axis=2)  # both in the order of xs


class SequenceTagger:
    """Give a label to every token, from GRUs that read in both directions.

    params: E (V, d), forward and backward (of the two GRUs), W (K, 2 H), b (K,).
    """

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.params = params

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Return the logits (B, T, K) of the labels of ids (B, T), each from 0 to V - 1."""
        p = self.params
        ids = ids_of(ids, len(p["E"]))
        states = bidirectional(p["forward"], p["backward"], p["E"][ids.T])
        return states.transpose(1, 0, 2) @ p["W"].T + p["b"]

    def tags(self, ids: np.ndarray) -> np.ndarray:
        """Return the most probable label of each token, (B, T); ties go to the lowest label."""
        return self.logits(ids).argmax(axis=2)


class SequenceClassifier:
    """Give one label to a whole sequence, from the last state of a GRU or the mean of its states.

    params: E (V, d), gru (its parameters), W (K, H), b (K,); pooling: one of POOLINGS. Positions
    after the end of a sequence, given by its length, have no influence.
    """

    def __init__(self, params: Mapping[str, Any], pooling: str = "last") -> None:
        if pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, got {pooling!r}")
        self.params, self.pooling = params, pooling

    def logits(self, ids: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return the logits (B, K) for ids (B, T), of which the first lengths (B,) are real.

        Raises ValueError for ids outside 0 .. V - 1 and for lengths outside 1 .. T.
        """
        p, ids = self.params, ids_of(ids, len(self.params["E"]))
        lengths = ids_of(lengths, ids.shape[1] + 1, "lengths")
        if not lengths.all():
            raise ValueError("expected lengths of at least 1, got 0: leave empty texts out")
        states = gru_states(p["gru"], p["E"][ids.T])
        if self.pooling == "last":
            pooled = states[lengths - 1, np.arange(len(ids))]
        else:
            real = np.arange(len(states))[:, None] < lengths
            pooled = (states * real[:, :, None]).sum(axis=0) / lengths[:, None]
        return pooled @ p["W"].T + p["b"]
