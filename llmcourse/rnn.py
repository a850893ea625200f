"""Recurrent networks by hand: one step of each kind, the walk back through time, reading both ways.

Everything is numpy and written as its formula; `llmcourse.recurrent` holds the fast, trainable
form in torch. Parameters are dictionaries with torch's names, shapes and order of gates, so that
`torch.nn.RNN`, `LSTM` and `GRU` with the same weights give the same numbers: W_ih (G H, I),
W_hh (G H, H), b_ih and b_hh (G H), with G = 1, 4 (i, f, g, o) or 3 (r, z, n) blocks of H rows.
A step maps inputs (B, I) and states (B, H) to new states (B, H). Texts go time first: (T, B, I).

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
    """Return what the input adds, x W_ih^T + b_ih, and what the state adds, h W_hh^T + b_hh.

    Raises ValueError where inputs and states differ in their number of rows.
    """
    if np.shape(x)[:-1] != np.shape(h)[:-1]:
        raise ValueError(
            f"expected as many rows of states as of inputs, got states {np.shape(h)} and inputs "
            f"{np.shape(x)}: begin a batch of another size with zeros"
        )
    return x @ params["W_ih"].T + params["b_ih"], h @ params["W_hh"].T + params["b_hh"]


def elman_step(params: Params, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return the next state tanh(x W_ih^T + b_ih + h W_hh^T + b_hh)."""
    return np.tanh(sum(projected(params, x, h)))


def jordan_step(params: Params, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (hidden units, output): what comes back into the network is its last output y.

    h = tanh(x W_ih^T + y W_yh^T + b_h), (B, H), and the new y = h W_hy^T + b_y, (B, O).
    """
    h = np.tanh(x @ params["W_ih"].T + y @ params["W_yh"].T + params["b_h"])
    return h, h @ params["W_hy"].T + params["b_y"]


def lstm_cell(
    params: Params, x: np.ndarray, h: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (next h, next c): c = f c + i g, then h = o tanh(c)."""
    i, f, g, o = np.split(sum(projected(params, x, h)), 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_cell(params: Params, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return the next state (1 - z) n + z h; r scales the state's part of n after the product."""
    (rx, zx, nx), (rh, zh, nh) = (np.split(part, 3, axis=1) for part in projected(params, x, h))
    r, z = sigmoid(rx + rh), sigmoid(zx + zh)
    return (1 - z) * np.tanh(nx + r * nh) + z * h


def gru_cell_reset_first(params: Params, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return (1 - z) h + z n, where r scales the state before the product: U (r h).

    The form of Chung et al. 2014, arXiv:1412.3555, and of many slides. z has the opposite meaning,
    which other weights can undo; where r stands, they cannot.
    """
    (rx, zx, nx), (rh, zh, _) = (np.split(part, 3, axis=1) for part in projected(params, x, h))
    r, z = sigmoid(rx + rh), sigmoid(zx + zh)
    _, _, nh = np.split(projected(params, x, r * h)[1], 3, axis=1)
    return (1 - z) * h + z * np.tanh(nx + nh)


def bptt(params: Params, xs: np.ndarray, h0: np.ndarray, dhs: np.ndarray) -> dict[str, np.ndarray]:
    """Return the gradients by W_ih, W_hh, b_ih, b_hh and h0 of an Elman network's loss.

    xs: (T, B, I); h0: (B, H); dhs: (T, B, H), the slope of the loss by each state as the outputs
    at that step alone see it. Every weight is used at every step: its slopes add up.
    """
    hs = [h0]
    for x in xs:
        hs.append(elman_step(params, x, hs[-1]))
    gradients = {name: np.zeros_like(value) for name, value in params.items()}
    dh = np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        da = (dh + dhs[t]) * (1 - hs[t + 1] ** 2)
        for name, slope in {"W_ih": da.T @ xs[t], "W_hh": da.T @ hs[t]}.items():
            gradients[name] += slope
        for name in ("b_ih", "b_hh"):
            gradients[name] += da.sum(axis=0)
        dh = da @ params["W_hh"]
    return gradients | {"h0": dh}


def clip_grad_norm(gradients: Mapping[str, Any], max_norm: float) -> tuple[dict[str, Any], float]:
    """Return the gradients, scaled down together if their norm is above max_norm, and that norm.

    The norm is that of all numbers as one vector, 0.0 without any; it is right for every size of
    number that the dtype holds. Arrays or tensors, which keep their dtype; nothing is changed in
    place. An infinite gradient has norm inf and gives 0 and nan, a nan gives nan: as in torch.
    source: Pascanu, Mikolov and Bengio 2013, algorithm 1.
    """
    wide = {name: _float64(g) for name, g in gradients.items()}
    sizes = [float(abs(g).max()) for g in wide.values() if 0 not in g.shape]
    largest = float(np.max(sizes, initial=0.0))
    root = 1.0
    if 0 < largest < math.inf:  # squares of numbers up to 1: none overflows, and one of them is 1
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
    """Return the gradient in the dtype of `like`; whole numbers become float64."""
    if hasattr(like, "double"):
        return g.to(like.dtype)
    return g.astype(np.result_type(like, np.float16), copy=False)


def gru_states(params: Params, xs: np.ndarray) -> np.ndarray:
    """Return the states (T, B, H) of a GRU that reads xs (T, B, I) from a state of zeros."""
    h = np.zeros((xs.shape[1], params["W_hh"].shape[1]), dtype=xs.dtype)
    states = [h := gru_cell(params, x, h) for x in xs]
    return np.stack(states) if states else np.zeros((0, *h.shape), dtype=xs.dtype)


def bidirectional(forward: Params, backward: Params, xs: np.ndarray) -> np.ndarray:
    """Return (T, B, 2 H): at each t the state of a GRU that read xs[:t + 1], and of one that read
    xs[t:] from the end."""
    from_left, from_right = gru_states(forward, xs), gru_states(backward, xs[::-1])
    return np.concatenate([from_left, from_right[::-1]], axis=2)


class SequenceTagger:
    """A label for every token, from a GRU that reads both ways.

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
        """Return the likeliest label of each token, (B, T); of equals the lowest."""
        return self.logits(ids).argmax(axis=2)


class SequenceClassifier:
    """One label for a whole sequence, from a GRU: its last state, or the mean of all its states.

    params: E (V, d), gru (its parameters), W (K, H), b (K,); pooling: one of POOLINGS. What stands
    behind the end of a sequence, given by its length, has no influence.
    """

    def __init__(self, params: Mapping[str, Any], pooling: str = "last") -> None:
        if pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, got {pooling!r}")
        self.params, self.pooling = params, pooling

    def logits(self, ids: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return the logits (B, K) for ids (B, T), of which lengths (B,) are real.

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
