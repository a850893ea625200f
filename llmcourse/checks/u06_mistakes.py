"""The formulas of unit 06 over whole sequences, and what usual mistakes make of them.

Where no mistake is known by its value, a function looks at which part of a result is wrong. The
steps of single cells, with their mistakes, are in `u06_cells`.

unit: 06_rnn_lstm
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from llmcourse.checks import compare
from llmcourse.checks.u06_cells import Mistakes, Params, elman, gru, softmax, weights

AT_EACH = "W s + b at each place, with both halves of the state."
POOLED = "The pooled state is wrong: which places count? Token 0 is a word like others."
REFUSE = "Refuse any other pooling when the object is made."
DEFAULT = 'pooling is "last" unless given.'
SHARES = "da.T @ xs[t] is (H, I), da.T @ hs[t] is (H, H), da.sum(axis=0) is (H,)."
WIDTH = "A state is (B, H), with H = W_hh.shape[1]."
READOUT = "W has outputs as rows: s @ W.T. And a state is (B, H), with H = W_hh.shape[1]."
WALK_KEYS = ("W_ih", "W_hh", "b_ih", "b_hh", "h0")
SLOPES: Mapping[str, Callable[..., Any]] = {
    "": lambda before, after: 1 - after * after,
    "before": lambda before, after: 1 - before * before,
    "none": lambda before, after: 1 + 0 * after,
    "plain": lambda before, after: 1 - after,
    "sigmoid": lambda before, after: after * (1 - after),
}


def walk(
    p: Params,
    xs: np.ndarray,
    h0: np.ndarray,
    dhs: np.ndarray,
    *,
    carry: float = 1.0,
    shares: str = "sum",
    slope: str = "",
    memory: int = 0,
    back: str = "",
) -> Params:
    """The gradients, by outer products; the options are mistakes.

    carry: 0 forgets what comes from later steps; shares: "last" keeps only the share that was
    computed last, "mean" divides by T, "batch" by B; slope: of tanh, see SLOPES, or "late": only of
    what comes back; memory: which state (0 before the step, 1 after) the share of W_hh uses;
    back: "turned" through W_hh transposed, "whole" without the slope of tanh, "forward" from the
    first step to the last, "short" without the first step.
    """
    hs = [h0]
    for x in xs:
        hs.append(elman(p, x, hs[-1]))
    total = {name: np.zeros_like(value) for name, value in p.items()}
    dh, last = np.zeros_like(h0), 0 if back == "short" else -1
    steps = range(len(xs) - 1, last, -1)
    for t in reversed(steps) if back == "forward" else steps:
        if slope == "late":
            da = dhs[t] + dh * SLOPES[""](hs[t], hs[t + 1])
        else:
            da = (carry * dh + dhs[t]) * SLOPES[slope](hs[t], hs[t + 1])
        share = {"W_ih": np.einsum("bo,bi->oi", da, xs[t])}
        share |= {"W_hh": np.einsum("bo,bi->oi", da, hs[t + memory])}
        share |= {"b_ih": np.einsum("bo->o", da), "b_hh": np.einsum("bo->o", da)}
        total = share if shares == "last" else {n: total[n] + share[n] for n in total}
        returned = dh + dhs[t] if back == "whole" else da
        dh = np.einsum("bo,ho->bh" if back == "turned" else "bo,oh->bh", returned, p["W_hh"])
    parts = {"mean": max(1, len(xs)), "batch": len(h0)}.get(shares, 1)
    return {name: value / parts for name, value in total.items()} | {"h0": dh}


def _changed(**changes: Callable[[Params], np.ndarray]) -> Callable[..., Params]:
    """The right gradients but for some, which are made from them."""

    def wrong(*args: Any) -> Params:
        right = walk(*args)
        return right | {name: change(right) for name, change in changes.items()}

    return wrong


WALK: Mistakes = {
    "Carry the slope back: dh is dhs[t] plus what comes from step t + 1.": partial(walk, carry=0.0),
    "Every step adds its share to the weights: +=, not =.": partial(walk, shares="last"),
    "The shares of the steps add up: no mean over time.": partial(walk, shares="mean"),
    "The shares of the rows add up: no mean over the batch.": partial(walk, shares="batch"),
    "The slope of tanh is 1 - h^2 with the state AFTER the step.": partial(walk, slope="before"),
    "The slope of tanh is missing: times 1 - h^2.": partial(walk, slope="none"),
    "The slope of tanh is 1 - h^2: h is squared.": partial(walk, slope="plain"),
    "The slope of tanh is 1 - h^2; h (1 - h) is that of the sigmoid.": partial(
        walk, slope="sigmoid"),
    "First add, then multiply: (dh + dhs[t]) * (1 - h^2).": partial(walk, slope="late"),
    "W_hh was multiplied by the state BEFORE the step.": partial(walk, memory=1),
    "Back through W_hh: da @ W_hh, without a transpose.": partial(walk, back="turned"),
    "What goes back is da @ W_hh, with the slope of tanh in it: da, not dh.": partial(
        walk, back="whole"),
    "Walk from the last step to the first.": partial(walk, back="forward"),
    "The first step counts, too: t goes down to 0.": partial(walk, back="short"),
    "The first state is h0, not zeros.": lambda p, xs, h0, dhs: walk(p, xs, 0 * h0, dhs),
    "Every dhs[t] counts, not only the last.": lambda p, xs, h0, dhs: walk(
        p, xs, h0, np.concatenate([0 * dhs[:-1], dhs[-1:]])),
    "The gradient by W_hh has outputs as rows: da.T @ the state before the step.": _changed(
        W_hh=lambda right: right["W_hh"].T),
    "b_ih and b_hh are one array that was added to twice: make two.": _changed(
        b_ih=lambda right: 2 * right["b_ih"], b_hh=lambda right: 2 * right["b_hh"]),
    "b_hh gets the same gradient as b_ih.": _changed(b_hh=lambda right: 0 * right["b_hh"]),
}  # fmt: skip
KEYS = f"Return a dictionary with the keys {', '.join(WALK_KEYS)}."
T_0 = "T = 0: begin with np.zeros_like(params[...]) and np.zeros_like(h0), then loop."


def walk_hint(got: Any, want: Params) -> str:
    """What to look at, by the gradients that are wrong."""
    if not isinstance(got, dict) or set(got) != set(WALK_KEYS):
        return KEYS
    off = {name for name in WALK_KEYS if compare(got[name], want[name], 1e-5)}
    if off <= {"b_ih", "b_hh"}:
        return "Biases get the sum of da over the batch, no mean; b_hh too; two separate arrays."
    if off == {"W_hh"}:
        return "W_hh gets da.T @ the state BEFORE the step; at t = 0 that is h0."
    if off == {"W_ih"}:
        return "W_ih gets da.T @ xs[t], with the input of the same step."
    if off == {"h0"}:
        return "h0 gets what goes back after the last step back: da @ W_hh once more."
    return (
        "Several gradients are wrong: is da = (what comes back + dhs[t]) * (1 - h^2), for every t "
        "from the last to the first? Does elman_step pass its own check?"
    )


IN_FLOAT64 = (
    "Square and add up in float64, g.astype(np.float64): in float32 the square of 3e19 is infinite "
    "and that of 3e-25 is 0."
)


def clipped(gradients: Params, limit: float) -> tuple[Params, float]:
    norm = math.sqrt(math.fsum(float(v) ** 2 for g in gradients.values() for v in g.flat))
    scale = limit / norm if norm > limit else 1.0
    return {name: scale * g for name, g in gradients.items()}, norm


def _each_alone(gradients: Params, limit: float) -> Any:
    return {n: clipped({n: g}, limit)[0][n] for n, g in gradients.items()}, clipped(gradients, 1)[1]


def _scaled(gradients: Params, factor: float, norm: float) -> Any:
    return {name: factor * g for name, g in gradients.items()}, norm


def _by_norm(norm_of: Callable[[Params], float]) -> Callable[[Params, float], Any]:
    """Clipping right but for the norm."""
    return lambda g, limit: _scaled(g, min(1, limit / norm_of(g)), norm_of(g))


CLIP: Mistakes = {
    "norm(g, 2) of a matrix is another norm: sum the squares of all numbers.": _by_norm(
        lambda g: math.sqrt(sum(float(np.linalg.norm(v, 2)) ** 2 for v in g.values()))),
    "The norm is no maximum: the root of the sum of all squares.": _by_norm(
        lambda g: max(float(np.abs(v).max()) for v in g.values())),
    "The squares add up: no mean of them.": _by_norm(
        lambda g: math.sqrt(sum(float((v**2).mean()) for v in g.values()))),
    "The factor is limit / norm, not norm / limit.": lambda g, limit: _scaled(
        g, max(1, clipped(g, 1)[1] / limit), clipped(g, 1)[1]),
    "Return (gradients, norm), in this order.": lambda g, limit: clipped(g, limit)[::-1],
    "Return the gradients as a dictionary with the same names.": lambda g, limit: (
        list(clipped(g, limit)[0].values()), clipped(g, limit)[1]),
    "Return the norm, not the factor.": lambda g, limit: (
        clipped(g, limit)[0], min(1, limit / clipped(g, 1)[1])),
    "One norm for all arrays together, and one factor: the direction must stay.": _each_alone,
    "A norm up to the limit stays as it is: never scale up.": lambda g, limit: _scaled(
        g, limit / clipped(g, 1)[1], clipped(g, 1)[1]),
    "Return the norm before clipping.": lambda g, limit: (
        clipped(g, limit)[0], min(limit, clipped(g, 1)[1])),
    "The norm is the ROOT of the sum of squares.": _by_norm(lambda g: clipped(g, 1)[1] ** 2),
    "Scale all numbers by one factor, do not cut each at the limit.": lambda g, limit: (
        {n: np.clip(v, -limit, limit) for n, v in g.items()}, clipped(g, 1)[1]),
    "The norm adds up over the arrays as squares, not as norms.": _by_norm(
        lambda g: sum(float(np.linalg.norm(v)) for v in g.values())),
}  # fmt: skip


def states(p: Params, xs: np.ndarray) -> np.ndarray:
    """The states (T, B, H) of a GRU from zeros."""
    h, kept = np.zeros((xs.shape[1], p["W_hh"].shape[1])), []
    for x in xs:
        h = gru(p, x, h)
        kept.append(h)
    return np.array(kept)


def both(f: Params, b: Params, xs: np.ndarray) -> np.ndarray:
    return _beside(states(f, xs), states(b, xs[::-1])[::-1])


BOTH: Mistakes = {
    "Turn the backward states round in time: row t belongs to token t.": lambda f, b, xs: (
        _beside(states(f, xs), states(b, xs[::-1]))),
    "Turn the backward states round in time, axis 0, not their columns.": lambda f, b, xs: (
        _beside(states(f, xs), states(b, xs[::-1])[:, :, ::-1])),
    "The second GRU reads from the end: xs[::-1].": lambda f, b, xs: (
        _beside(states(f, xs), states(b, xs))),
    "The second GRU reads xs[::-1], and then its states are turned round.": lambda f, b, xs: (
        _beside(states(f, xs), states(b, xs)[::-1])),
    "Forward states come in the first columns.": lambda f, b, xs: (
        _beside(states(b, xs[::-1])[::-1], states(f, xs))),
    "Each direction has its own parameters.": lambda f, b, xs: both(f, f, xs),
    "forward and backward are exchanged.": lambda f, b, xs: both(b, f, xs),
    "The second GRU starts at zeros, not at the last state of the first.": lambda f, b, xs: (
        _beside(states(f, xs), _gone_on(f, b, xs))),
    "h is not carried on: h = gru_cell(params, x, h).": lambda f, b, xs: (
        _beside(*(np.array([states(p, x[None])[0] for x in xs]) for p in (f, b)))),
    "Store the state after the step, not before it.": lambda f, b, xs: (
        _beside(_before(states(f, xs)), _before(states(b, xs[::-1]))[::-1])),
}  # fmt: skip


def both_hint(got: Any, want: np.ndarray) -> str:
    """What to look at, by the half that is wrong."""
    rows, H = np.asarray(got, dtype=float), want.shape[2] // 2
    if len(rows) > 1 and (rows[:, :, :H] == rows[0, :, :H]).all():
        return "All rows are equal: append a new array at each step, h = ..., not h[:] = ..."
    if compare(rows[:, :, :H], want[:, :, :H], 1e-5):
        return (
            "The forward half is wrong: is h carried on, and stored after the step? "
            "Does gru_cell pass its own check?"
        )
    return "The backward half is wrong: read xs[::-1], then put the states in the order of xs."


def _beside(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.concatenate([left, right], axis=2)


def _before(after: np.ndarray) -> np.ndarray:
    return np.concatenate([0 * after[:1], after[:-1]])


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
    "forward and backward are exchanged.": lambda p, ids: tag_logits(
        p | {"forward": p["backward"], "backward": p["forward"]}, ids),
    "Both readers have the same parameters: forward, then backward.": lambda p, ids: tag_logits(
        p | {"backward": p["forward"]}, ids),
    "Both halves of the states count, 2H numbers.": lambda p, ids: tag_logits(
        p | {"W": p["W"] * (np.arange(p["W"].shape[1]) < p["W"].shape[1] // 2)}, ids),
    "Logits are sums of any size: no softmax.": lambda p, ids: np.array(
        [softmax(rows) for rows in tag_logits(p, ids)]),
    "Each row is a sentence of its own, read from a state of zeros.": lambda p, ids: (
        tag_logits(p, ids.reshape(1, -1)).reshape(*ids.shape, -1)),
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
    p: Mapping[str, Any], pooling: str, ids: np.ndarray, lengths: np.ndarray, wrong: Any = None
) -> np.ndarray:
    """W s + b for each row; `wrong` pools its states in place of the pooling, by (states of the
    whole row, its length, its ids)."""
    rows = []
    for row, length in zip(ids, lengths, strict=True):
        seen = states(p["gru"], p["E"][row][:, None])[:, 0]
        right = seen[length - 1] if pooling == "last" else seen[:length].mean(axis=0)
        rows.append(p["W"] @ (wrong(seen, length, row) if wrong else right) + p["b"])
    return np.array(rows)


def _pooled(last: Any = None, mean: Any = None) -> Callable[..., np.ndarray]:
    """The classifier with a wrong pooling of either kind; ValueError for one that is right."""

    def wrong(p: Mapping[str, Any], pooling: str, *rest: Any) -> np.ndarray:
        pool = {"last": last, "mean": mean}[pooling]
        if pool is None:
            raise ValueError(f"no mistake with {pooling}")
        return class_logits(p, pooling, *rest, pool)

    return wrong


CLASSIFIER: Mistakes = {
    "What stands behind the end of a row must not count: use lengths.": _pooled(
        lambda s, n, ids: s[-1], lambda s, n, ids: s.mean(axis=0)),
    "Token 0 is a word like others: what is real is told by lengths, not by ids != 0.": _pooled(
        lambda s, n, ids: s[(ids != 0).sum() - 1],
        lambda s, n, ids: (s * (ids != 0)[:, None]).sum(axis=0) / n),
    "Token 0 is a word like others: divide by lengths, not by the number of ids != 0.": _pooled(
        mean=lambda s, n, ids: (s * (ids != 0)[:, None]).sum(axis=0) / (ids != 0).sum()),
    "States that were set to 0 hold nothing: take the one at lengths - 1.": _pooled(
        lambda s, n, ids: s[-1] * (n == len(s))),
    "The mean is over the real places: divide by lengths.": _pooled(
        mean=lambda s, n, ids: s[:n].sum(axis=0) / len(s)),
    "A mean, no sum: divide by lengths.": _pooled(mean=lambda s, n, ids: s[:n].sum(axis=0)),
    "Places are real where t < lengths: you took one too many.": _pooled(
        mean=lambda s, n, ids: s[: n + 1].sum(axis=0) / n),
    "Places are real where t < lengths: you took one too few.": _pooled(
        mean=lambda s, n, ids: s[: n - 1].sum(axis=0) / n),
    "last and mean are exchanged.": _pooled(
        lambda s, n, ids: s[:n].mean(axis=0), lambda s, n, ids: s[n - 1]),
    "A frozen state counts once for each place behind the end: add real places only.": _pooled(
        mean=lambda s, n, ids: (s[:n].sum(axis=0) + (len(s) - n) * s[n - 1]) / len(s)),
    "The mean, not the maximum.": _pooled(mean=lambda s, n, ids: s[:n].max(axis=0)),
    "The bias b is missing.": lambda p, *rest: class_logits(p, *rest) - p["b"],
    "Logits are sums of any size: no softmax.": lambda *args: softmax(class_logits(*args)),
    "The last real state is at lengths - 1, not at lengths.": _pooled(
        lambda s, n, ids: s[min(n, len(s) - 1)]),
    "The last real state is at lengths - 1, not at lengths - 2.": _pooled(
        lambda s, n, ids: s[n - 2]),
}  # fmt: skip
