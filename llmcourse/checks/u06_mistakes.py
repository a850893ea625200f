"""The formulas of unit 06, as sums over indices, and what usual mistakes make of them.

A table of mistakes gives for each hint the function that somebody wrote who needs it: the visible
checks and the hidden tests tell a mistake by its value.

unit: 06_rnn_lstm
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

Params = dict[str, np.ndarray]
Mistakes = Mapping[str, Callable[..., Any]]


def weights(rng: Any, blocks: int, inputs: int, hidden: int) -> Params:
    """Random parameters of a cell with so many blocks of rows, none of them 0."""
    rows = blocks * hidden
    shapes = {"W_ih": (rows, inputs), "W_hh": (rows, hidden), "b_ih": (rows,), "b_hh": (rows,)}
    return {name: rng.normal(0, 0.8, shape) for name, shape in shapes.items()}


def values(mistakes: Mistakes, *args: Any) -> dict[str, Any]:
    """What each mistake comes to, where it comes to anything."""
    found = {}
    for hint, wrong in mistakes.items():
        try:
            found[hint] = wrong(*args)
        except ValueError:  # shapes that do not fit: numpy tells the learner itself
            continue
    return found


def without(name: str, formula: Callable[..., Any]) -> Callable[..., Any]:
    """The formula with this parameter at 0."""
    return lambda p, *args: formula(p | {name: 0 * p[name]}, *args)


def gate(a: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(a, 0)) / (1 + np.exp(-np.abs(a)))


def of_input(p: Params, x: np.ndarray) -> np.ndarray:
    return np.einsum("bi,oi->bo", x, p["W_ih"]) + p["b_ih"]


def of_state(p: Params, h: np.ndarray) -> np.ndarray:
    return np.einsum("bh,oh->bo", h, p["W_hh"]) + p["b_hh"]


def elman(p: Params, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    return np.tanh(of_input(p, x) + of_state(p, h))


ELMAN: Mistakes = {
    "The bend is missing: np.tanh.": lambda p, x, h: of_input(p, x) + of_state(p, h),
    "The bias b_hh is missing.": without("b_hh", elman),
    "The bias b_ih is missing.": without("b_ih", elman),
    "W_hh has its outputs as rows: h @ W_hh.T.": lambda p, x, h: elman(
        p | {"W_hh": p["W_hh"].T}, x, h),
    "The old state has no influence: add h @ W_hh.T.": without("W_hh", elman),
    "The input has no influence: add x @ W_ih.T.": without("W_ih", elman),
}  # fmt: skip


def jordan(p: Params, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    back = np.einsum("bo,ho->bh", y, p["W_yh"])
    h = np.tanh(np.einsum("bi,hi->bh", x, p["W_ih"]) + back + p["b_h"])
    return h, np.einsum("bh,oh->bo", h, p["W_hy"]) + p["b_y"]


JORDAN: Mistakes = {
    "The output is not squashed: no tanh around y.": lambda p, x, y: (
        jordan(p, x, y)[0], np.tanh(jordan(p, x, y)[1])),
    "Return (hidden units, output), in this order.": lambda p, x, y: jordan(p, x, y)[::-1],
    "The hidden units are squashed: np.tanh.": lambda p, x, y: (
        np.arctanh(jordan(p, x, y)[0]), np.arctanh(jordan(p, x, y)[0]) @ p["W_hy"].T + p["b_y"]),
    "The bias b_y is missing.": without("b_y", jordan),
    "The bias b_h is missing.": without("b_h", jordan),
    "The old output has no influence: add y @ W_yh.T.": without("W_yh", jordan),
}  # fmt: skip


def jordan_weights(rng: Any, inputs: int, hidden: int, outputs: int) -> Params:
    shapes = {"W_ih": (hidden, inputs), "W_yh": (hidden, outputs), "b_h": (hidden,)}
    shapes |= {"W_hy": (outputs, hidden), "b_y": (outputs,)}
    return {name: rng.normal(0, 0.8, shape) for name, shape in shapes.items()}


def walk(
    p: Params,
    xs: np.ndarray,
    h0: np.ndarray,
    dhs: np.ndarray,
    *,
    carry: float = 1.0,
    shares: str = "sum",
    bend: int = 1,
    memory: int = 0,
    turned: bool = False,
) -> Params:
    """The gradients, by outer products; the options are mistakes.

    carry: 0 forgets what comes from later steps; shares: "last" keeps only the share that was
    computed last, "mean" divides by T; bend, memory: which state (0 before the step, 1 after) the
    slope of tanh and the share of W_hh use; turned: the slope goes back through W_hh transposed.
    """
    hs = [h0]
    for x in xs:
        hs.append(elman(p, x, hs[-1]))
    total = {name: np.zeros_like(value) for name, value in p.items()}
    dh = np.zeros_like(h0)
    for t in range(len(xs) - 1, -1, -1):
        da = (carry * dh + dhs[t]) * (1 - hs[t + bend] * hs[t + bend])
        share = {"W_ih": np.einsum("bo,bi->oi", da, xs[t])}
        share |= {"W_hh": np.einsum("bo,bi->oi", da, hs[t + memory])}
        share |= {"b_ih": np.einsum("bo->o", da), "b_hh": np.einsum("bo->o", da)}
        total = share if shares == "last" else {n: total[n] + share[n] for n in total}
        dh = np.einsum("bo,ho->bh" if turned else "bo,oh->bh", da, p["W_hh"])
    steps = len(xs) if shares == "mean" else 1
    return {name: value / steps for name, value in total.items()} | {"h0": dh}


WALK: Mistakes = {
    "Carry the slope back: dh is dhs[t] plus what comes from step t + 1.": partial(walk, carry=0.0),
    "Every step adds its share to the weights: +=, not =.": partial(walk, shares="last"),
    "The shares of the steps add up: no mean over time.": partial(walk, shares="mean"),
    "The slope of tanh is 1 - h^2 with the state AFTER the step.": partial(walk, bend=0),
    "W_hh was multiplied by the state BEFORE the step.": partial(walk, memory=1),
    "Back through W_hh: da @ W_hh, without a transpose.": partial(walk, turned=True),
    "Every dhs[t] counts, not only the last.": lambda p, xs, h0, dhs: walk(
        p, xs, h0, np.concatenate([0 * dhs[:-1], dhs[-1:]])),
}  # fmt: skip


def clipped(gradients: Params, limit: float) -> tuple[Params, float]:
    norm = math.sqrt(math.fsum(float(v) ** 2 for g in gradients.values() for v in g.flat))
    scale = limit / norm if norm > limit else 1.0
    return {name: scale * g for name, g in gradients.items()}, norm


def _each_alone(gradients: Params, limit: float) -> Any:
    return {n: clipped({n: g}, limit)[0][n] for n, g in gradients.items()}, clipped(gradients, 1)[1]


def _scaled(gradients: Params, factor: float, norm: float) -> Any:
    return {name: factor * g for name, g in gradients.items()}, norm


CLIP: Mistakes = {
    "One norm for all arrays together, and one factor: the direction must stay.": _each_alone,
    "A norm up to the limit stays as it is: never scale up.": lambda g, limit: _scaled(
        g, limit / clipped(g, 1)[1], clipped(g, 1)[1]),
    "Return the norm before clipping.": lambda g, limit: (
        clipped(g, limit)[0], min(limit, clipped(g, 1)[1])),
    "The norm is the ROOT of the sum of squares.": lambda g, limit: _scaled(
        g, min(1, limit / clipped(g, 1)[1] ** 2), clipped(g, 1)[1] ** 2),
    "Scale all numbers by one factor, do not cut each at the limit.": lambda g, limit: (
        {n: np.clip(v, -limit, limit) for n, v in g.items()}, clipped(g, 1)[1]),
    "The norm adds up over the arrays as squares, not as norms.": lambda g, limit: _scaled(
        g, min(1, limit / sum(np.linalg.norm(v) for v in g.values())),
        sum(np.linalg.norm(v) for v in g.values())),
}  # fmt: skip


def lstm(
    p: Params, x: np.ndarray, h: np.ndarray, c: np.ndarray, order: str = "ifgo", form: str = ""
) -> tuple[np.ndarray, np.ndarray]:
    """One step, with the blocks in this order.

    form "sigmoid": around the candidate, too; "open": o left out; "bare": h without the tanh;
    "late": h from the old cell.
    """
    parts = np.split(of_input(p, x) + of_state(p, h), 4, axis=1)
    sums = dict(zip(order, parts, strict=True))
    new = gate(sums["f"]) * c + gate(sums["i"]) * (gate if form == "sigmoid" else np.tanh)(
        sums["g"]
    )
    shown = {"bare": new, "late": np.tanh(c)}.get(form, np.tanh(new))
    return (shown if form == "open" else gate(sums["o"]) * shown), new


LSTM: Mistakes = {
    "The blocks stand in the order i, f, g, o: you took i, f, o, g.": partial(lstm, order="ifog"),
    "The blocks stand in the order i, f, g, o: you took f, i, g, o.": partial(lstm, order="figo"),
    "The candidate g is squashed by tanh, not by a sigmoid.": partial(lstm, form="sigmoid"),
    "The output gate o is missing.": partial(lstm, form="open"),
    "h shows tanh(c), not c.": partial(lstm, form="bare"),
    "h is made from the NEW c.": partial(lstm, form="late"),
    "Return (h, c), in this order.": lambda p, x, h, c: lstm(p, x, h, c)[::-1],
}


def gru(p: Params, x: np.ndarray, h: np.ndarray, order: str = "rzn", form: str = "") -> np.ndarray:
    """One step, with the blocks in this order.

    form "reset first": r inside the product; "bare bias": b_hh's last block outside the bracket;
    "turned": z keeps the new; "open": r left out.
    """
    H = h.shape[1]
    a = dict(zip(order, np.split(of_input(p, x), 3, axis=1), strict=True))
    b = dict(zip(order, np.split(of_state(p, h), 3, axis=1), strict=True))
    r, z = gate(a["r"] + b["r"]), gate(a["z"] + b["z"])
    bias = p["b_hh"][2 * H :]
    within = {
        "reset first": lambda: np.split(of_state(p, r * h), 3, axis=1)[2],
        "bare bias": lambda: r * (b["n"] - bias) + bias,
        "open": lambda: b["n"],
    }.get(form, lambda: r * b["n"])
    n = np.tanh(a["n"] + within())
    return z * n + (1 - z) * h if form == "turned" else (1 - z) * n + z * h


GRU: Mistakes = {
    "z keeps the OLD state: (1 - z) n + z h.": partial(gru, form="turned"),
    "r scales h W^T + b AFTER the product, not h before it.": partial(gru, form="reset first"),
    "The last block of b_hh stands inside the bracket that r scales.": partial(
        gru, form="bare bias"),
    "The reset gate r is missing.": partial(gru, form="open"),
    "The blocks stand in the order r, z, n: you took z, r, n.": partial(gru, order="zrn"),
}  # fmt: skip


def states(p: Params, xs: np.ndarray) -> np.ndarray:
    """The states (T, B, H) of a GRU from zeros."""
    h, kept = np.zeros((xs.shape[1], p["W_hh"].shape[1])), []
    for x in xs:
        h = gru(p, x, h)
        kept.append(h)
    return np.array(kept)


def both(f: Params, b: Params, xs: np.ndarray) -> np.ndarray:
    return np.concatenate([states(f, xs), states(b, xs[::-1])[::-1]], axis=2)


BOTH: Mistakes = {
    "Turn the backward states round in time: row t belongs to token t.": lambda f, b, xs: (
        np.concatenate([states(f, xs), states(b, xs[::-1])], axis=2)),
    "The second GRU reads from the end: xs[::-1].": lambda f, b, xs: (
        np.concatenate([states(f, xs), states(b, xs)], axis=2)),
    "Forward states come in the first columns.": lambda f, b, xs: (
        np.concatenate([states(b, xs[::-1])[::-1], states(f, xs)], axis=2)),
    "Each direction has its own parameters.": lambda f, b, xs: both(f, f, xs),
    "The second GRU starts at zeros, not at the last state of the first.": lambda f, b, xs: (
        np.concatenate([states(f, xs), _gone_on(f, b, xs)], axis=2)),
}  # fmt: skip


def _gone_on(f: Params, b: Params, xs: np.ndarray) -> np.ndarray:
    h, kept = states(f, xs)[-1], []
    for x in xs[::-1]:
        h = gru(b, x, h)
        kept.insert(0, h)
    return np.array(kept)


def readout(rng: Any, vocab: int, d: int, labels: int, width: int) -> Params:
    shapes = {"E": (vocab, d), "W": (labels, width), "b": (labels,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def tagger_weights(rng: Any, vocab: int, d: int, labels: int, hidden: int) -> dict[str, Any]:
    """Parameters of a tagger."""
    sides = {name: weights(rng, 3, d, hidden) for name in ("forward", "backward")}
    return readout(rng, vocab, d, labels, 2 * hidden) | sides


def tag_logits(p: Mapping[str, Any], ids: np.ndarray) -> np.ndarray:
    seen = both(p["forward"], p["backward"], p["E"][ids.T])
    return np.einsum("tbs,ks->btk", seen, p["W"]) + p["b"]


TAGGER: Mistakes = {
    "The bias b is missing.": lambda p, ids: tag_logits(p, ids) - p["b"],
    "Read along time, not along the batch: E[ids.T].": lambda p, ids: (
        tag_logits(p, ids.T).swapaxes(0, 1)),
    "Time and batch are mixed: reshape does not swap axes.": lambda p, ids: (
        tag_logits(p, ids).swapaxes(0, 1).reshape(*ids.shape, -1)),
    "The sentences were read in the wrong order: reshape does not swap axes.": lambda p, ids: (
        tag_logits(p, ids.reshape(ids.shape[::-1]).T)),
}  # fmt: skip


def classifier_weights(rng: Any, vocab: int, d: int, labels: int, hidden: int) -> dict[str, Any]:
    """Parameters of a classifier."""
    return readout(rng, vocab, d, labels, hidden) | {"gru": weights(rng, 3, d, hidden)}


def class_logits(
    p: Mapping[str, Any], pooling: str, ids: np.ndarray, lengths: np.ndarray, wrong: str = ""
) -> np.ndarray:
    """Row by row; `wrong`: "end" reads to the end of the row, "divide" divides by T."""
    rows = []
    for row, length in zip(ids, lengths, strict=True):
        stop = len(row) if wrong == "end" else int(length)
        seen = states(p["gru"], p["E"][row[:stop]][:, None])[:, 0]
        mean = seen.sum(axis=0) / (len(row) if wrong == "divide" else stop)
        rows.append(p["W"] @ (seen[-1] if pooling == "last" else mean) + p["b"])
    return np.array(rows)


CLASSIFIER: Mistakes = {
    "What stands behind the end of a row must not count: use lengths.": partial(
        class_logits, wrong="end"),
    "The mean is over the real places: divide by lengths.": partial(class_logits, wrong="divide"),
    "last and mean are exchanged.": lambda p, pooling, ids, lengths: class_logits(
        p, {"last": "mean", "mean": "last"}[pooling], ids, lengths),
    "The bias b is missing.": lambda p, *rest: class_logits(p, *rest) - p["b"],
    "The last real state is at lengths - 1.": lambda p, pooling, ids, lengths: class_logits(
        p, pooling, ids, np.minimum(lengths + 1, ids.shape[1])),
}  # fmt: skip
