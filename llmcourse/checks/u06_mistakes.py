"""The formulas of unit 06 over whole sequences, and the usual mistakes in them.

If no known mistake has the value of a result, a function looks at which part of it is wrong. Single
cells, with their mistakes, are in `u06_cells`.

unit: 06_rnn_lstm
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, compare
from llmcourse.checks.u06_cells import Mistakes, Params, elman, gru, softmax, weights

AT_EACH = "The logits are W s + b at each position, with both halves of the state."
POOLED = "The pooled state is wrong: which positions count? Token 0 is an ordinary token."
REFUSE = "Refuse any other pooling when the object is made."
DEFAULT = 'pooling is "last" unless given.'
SHARES = (
    "Look at the shapes: da.T @ xs[t] is (H, I), da.T @ hs[t] is (H, H), da.sum(axis=0) is (H,)."
)
WIDTH = "A state is (B, H), with H = W_hh.shape[1]."
READOUT = "W has outputs as rows: s @ W.T. And a state is (B, H), with H = W_hh.shape[1]."
WALK_KEYS = ("W_ih", "W_hh", "b_ih", "b_hh", "h0")
DERIVATIVES: Mapping[str, Callable[..., Any]] = {
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
    derivative: str = "",
    memory: int = 0,
    back: str = "",
) -> Params:
    """Return the gradients, by outer products; the options are mistakes.

    carry: 0 drops what comes back from later steps; shares: "last" keeps the last contribution,
    "mean" divides by T, "batch" by B; derivative: of tanh, see DERIVATIVES, or "late": only of what
    comes back; memory: W_hh uses the state before the step (0) or after it (1); back: "turned"
    through W_hh transposed, "whole" without tanh', "forward" in time, "short" without step 0.
    """
    hs = [h0]
    for x in xs:
        hs.append(elman(p, x, hs[-1]))
    total = {name: np.zeros_like(value) for name, value in p.items()}
    dh, last = np.zeros_like(h0), 0 if back == "short" else -1
    steps = range(len(xs) - 1, last, -1)
    for t in reversed(steps) if back == "forward" else steps:
        if derivative == "late":
            da = dhs[t] + dh * DERIVATIVES[""](hs[t], hs[t + 1])
        else:
            da = (carry * dh + dhs[t]) * DERIVATIVES[derivative](hs[t], hs[t + 1])
        share = {"W_ih": np.einsum("bo,bi->oi", da, xs[t])}
        share |= {"W_hh": np.einsum("bo,bi->oi", da, hs[t + memory])}
        share |= {"b_ih": np.einsum("bo->o", da), "b_hh": np.einsum("bo->o", da)}
        total = share if shares == "last" else {n: total[n] + share[n] for n in total}
        returned = dh + dhs[t] if back == "whole" else da
        dh = np.einsum("bo,ho->bh" if back == "turned" else "bo,oh->bh", returned, p["W_hh"])
    parts = {"mean": max(1, len(xs)), "batch": len(h0)}.get(shares, 1)
    return {name: value / parts for name, value in total.items()} | {"h0": dh}


def _changed(**changes: Callable[[Params], np.ndarray]) -> Callable[..., Params]:
    """Return the right gradients, some of them changed."""

    def wrong(*args: Any) -> Params:
        right = walk(*args)
        return right | {name: change(right) for name, change in changes.items()}

    return wrong


WALK: Mistakes = [
    Mistake(
        partial(walk, carry=0.0),
        "Carry the gradient back: dh is dhs[t] plus what step t + 1 sends.",
    ),
    Mistake(partial(walk, shares="last"), "Every step adds its contribution: +=, not =."),
    Mistake(partial(walk, shares="mean"), "Sum the contributions of the steps: no mean over time."),
    Mistake(
        partial(walk, shares="batch"), "Sum the contributions of the rows: no mean over the batch."
    ),
    Mistake(
        partial(walk, derivative="before"),
        "The derivative of tanh is 1 - h^2 with the state AFTER the step.",
    ),
    Mistake(
        partial(walk, derivative="none"), "The derivative of tanh is missing: multiply by 1 - h^2."
    ),
    Mistake(partial(walk, derivative="plain"), "The derivative of tanh is 1 - h^2: h is squared."),
    Mistake(
        partial(walk, derivative="sigmoid"),
        "The derivative of tanh is 1 - h^2; h (1 - h) is that of the sigmoid.",
    ),
    Mistake(
        partial(walk, derivative="late"), "First add, then multiply: (dh + dhs[t]) * (1 - h^2)."
    ),
    Mistake(
        partial(walk, memory=1), "The gradient with respect to W_hh uses the state BEFORE the step."
    ),
    Mistake(
        partial(walk, back="turned"), "Go back through W_hh by da @ W_hh, without a transpose."
    ),
    Mistake(
        partial(walk, back="whole"),
        "What goes back is da @ W_hh, with the derivative of tanh in it: da, not dh.",
    ),
    Mistake(partial(walk, back="forward"), "Go from the last step to the first."),
    Mistake(partial(walk, back="short"), "The first step counts, too: t goes down to 0."),
    Mistake(lambda p, xs, h0, dhs: walk(p, xs, 0 * h0, dhs), "The first state is h0, not zeros."),
    Mistake(
        lambda p, xs, h0, dhs: walk(p, xs, h0, np.concatenate([0 * dhs[:-1], dhs[-1:]])),
        "Every dhs[t] counts, not only the last.",
    ),
    Mistake(
        _changed(W_hh=lambda right: right["W_hh"].T),
        "The gradient with respect to W_hh is transposed: da.T @ the state before the step.",
    ),
    Mistake(
        _changed(b_ih=lambda right: 2 * right["b_ih"], b_hh=lambda right: 2 * right["b_hh"]),
        "b_ih and b_hh are one array, to which you added twice: make two.",
    ),
    Mistake(_changed(b_hh=lambda right: 0 * right["b_hh"]), "b_hh gets the same gradient as b_ih."),
]
KEYS = f"Return a dictionary with the keys {', '.join(WALK_KEYS)}."
T_0 = "T = 0: begin with np.zeros_like(params[...]) and np.zeros_like(h0), then loop."


def walk_hint(got: Any, want: Params) -> str:
    """Return what to look at, given which gradients are wrong."""
    if not isinstance(got, dict) or set(got) != set(WALK_KEYS):
        return KEYS
    off = {name for name in WALK_KEYS if compare(got[name], want[name], 1e-5)}
    if off <= {"b_ih", "b_hh"}:
        return (
            "Biases get the sum of da over the batch, not the mean; b_hh too; two separate arrays."
        )
    if off == {"W_hh"}:
        return "W_hh gets da.T @ the state BEFORE the step; at t = 0 that is h0."
    if off == {"W_ih"}:
        return "W_ih gets da.T @ xs[t], with the input of the same step."
    if off == {"h0"}:
        return "The gradient for h0 is what the first step sends back: da @ W_hh once more."
    return (
        "Several gradients are wrong: is da = (dh + dhs[t]) * (1 - h^2), for every t from the last "
        "to the first? Does elman_step pass its own check?"
    )


IN_FLOAT64 = (
    "Square and sum in float64, g.astype(np.float64): in float32 the square of 3e19 is infinite "
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
    """Return a clipping that is right but for its norm."""
    return lambda g, limit: _scaled(g, min(1, limit / norm_of(g)), norm_of(g))


CLIP: Mistakes = [
    Mistake(
        _by_norm(lambda g: math.sqrt(sum(float(np.linalg.norm(v, 2)) ** 2 for v in g.values()))),
        "norm(g, 2) of a matrix is another norm: sum the squares of all elements.",
    ),
    Mistake(
        _by_norm(lambda g: max(float(np.abs(v).max()) for v in g.values())),
        "The norm is not a maximum: it is the square root of the sum of all squares.",
    ),
    Mistake(
        _by_norm(lambda g: math.sqrt(sum(float((v**2).mean()) for v in g.values()))),
        "Sum the squares, do not average them.",
    ),
    Mistake(
        lambda g, limit: _scaled(g, max(1, clipped(g, 1)[1] / limit), clipped(g, 1)[1]),
        "The factor is limit / norm, not norm / limit.",
    ),
    Mistake(lambda g, limit: clipped(g, limit)[::-1], "Return (gradients, norm), in this order."),
    Mistake(
        lambda g, limit: (list(clipped(g, limit)[0].values()), clipped(g, limit)[1]),
        "Return the gradients as a dictionary with the same names.",
    ),
    Mistake(
        lambda g, limit: (clipped(g, limit)[0], min(1, limit / clipped(g, 1)[1])),
        "Return the norm, not the factor.",
    ),
    Mistake(
        _each_alone,
        "One norm and one factor for all arrays together: the direction must not change.",
    ),
    Mistake(
        lambda g, limit: _scaled(g, limit / clipped(g, 1)[1], clipped(g, 1)[1]),
        "Gradients with a norm below the limit do not change: never scale up.",
    ),
    Mistake(
        lambda g, limit: (clipped(g, limit)[0], min(limit, clipped(g, 1)[1])),
        "Return the norm before clipping.",
    ),
    Mistake(
        _by_norm(lambda g: clipped(g, 1)[1] ** 2),
        "The norm is the square ROOT of the sum of squares.",
    ),
    Mistake(
        lambda g, limit: ({n: np.clip(v, -limit, limit) for n, v in g.items()}, clipped(g, 1)[1]),
        "Multiply everything by one factor, do not cut each element at the limit.",
    ),
    Mistake(
        _by_norm(lambda g: sum(float(np.linalg.norm(v)) for v in g.values())),
        "Sum the squared norms of the arrays, not the norms.",
    ),
]


def states(p: Params, xs: np.ndarray) -> np.ndarray:
    """Return the states (T, B, H) of a GRU that starts at zeros."""
    h, kept = np.zeros((xs.shape[1], p["W_hh"].shape[1])), []
    for x in xs:
        h = gru(p, x, h)
        kept.append(h)
    return np.array(kept)


def both(f: Params, b: Params, xs: np.ndarray) -> np.ndarray:
    return _beside(states(f, xs), states(b, xs[::-1])[::-1])


BOTH: Mistakes = [
    Mistake(
        lambda f, b, xs: _beside(states(f, xs), states(b, xs[::-1])),
        "Reverse the backward states in time: row t belongs to token t.",
    ),
    Mistake(
        lambda f, b, xs: _beside(states(f, xs), states(b, xs[::-1])[:, :, ::-1]),
        "Reverse the backward states in time, axis 0, not their columns.",
    ),
    Mistake(
        lambda f, b, xs: _beside(states(f, xs), states(b, xs)),
        "The second GRU reads from the end: xs[::-1].",
    ),
    Mistake(
        lambda f, b, xs: _beside(states(f, xs), states(b, xs)[::-1]),
        "The second GRU reads xs[::-1], and then its states are reversed.",
    ),
    Mistake(
        lambda f, b, xs: _beside(states(b, xs[::-1])[::-1], states(f, xs)),
        "The forward states are in the first columns.",
    ),
    Mistake(lambda f, b, xs: both(f, f, xs), "Each direction has its own parameters."),
    Mistake(lambda f, b, xs: both(b, f, xs), "forward and backward are exchanged."),
    Mistake(
        lambda f, b, xs: _beside(states(f, xs), _gone_on(f, b, xs)),
        "The second GRU starts at zeros, not at the last state of the first.",
    ),
    Mistake(
        lambda f, b, xs: _beside(*(np.array([states(p, x[None])[0] for x in xs]) for p in (f, b))),
        "h is not carried to the next step: h = gru_cell(params, x, h).",
    ),
    Mistake(
        lambda f, b, xs: _beside(_before(states(f, xs)), _before(states(b, xs[::-1]))[::-1]),
        "Store the state after the step, not before it.",
    ),
]


def both_hint(got: Any, want: np.ndarray) -> str:
    """Return what to look at, given which half is wrong."""
    rows, H = np.asarray(got, dtype=float), want.shape[2] // 2
    if len(rows) > 1 and (rows[:, :, :H] == rows[0, :, :H]).all():
        return "All rows are equal: append a new array at each step, h = ..., not h[:] = ..."
    if compare(rows[:, :, :H], want[:, :, :H], 1e-5):
        return (
            "The forward half is wrong: is h carried to the next step, and stored after the step? "
            "Does gru_cell pass its own check?"
        )
    return "The backward half is wrong: read xs[::-1], then bring the states into the order of xs."


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
    """Return random parameters of a tagger."""
    sides = {name: weights(rng, 3, d, hidden) for name in ("forward", "backward")}
    return readout(rng, vocab, d, labels, 2 * hidden) | sides


def tag_logits(p: Mapping[str, Any], ids: np.ndarray) -> np.ndarray:
    seen = both(p["forward"], p["backward"], p["E"][ids.T])
    return np.einsum("tbs,ks->btk", seen, p["W"]) + p["b"]


TAGGER: Mistakes = [
    Mistake(
        lambda p, ids: tag_logits(p | {"forward": p["backward"], "backward": p["forward"]}, ids),
        "forward and backward are exchanged.",
    ),
    Mistake(
        lambda p, ids: tag_logits(p | {"backward": p["forward"]}, ids),
        "Both GRUs used the same parameters: take forward, then backward.",
    ),
    Mistake(
        lambda p, ids: tag_logits(
            p | {"W": p["W"] * (np.arange(p["W"].shape[1]) < p["W"].shape[1] // 2)}, ids
        ),
        "Use both halves of the states, 2H numbers.",
    ),
    Mistake(
        lambda p, ids: np.array([softmax(rows) for rows in tag_logits(p, ids)]),
        "Logits are not probabilities: no softmax.",
    ),
    Mistake(
        lambda p, ids: tag_logits(p, ids.reshape(1, -1)).reshape(*ids.shape, -1),
        "Each row is a separate sentence, read from a state of zeros.",
    ),
    Mistake(lambda p, ids: tag_logits(p, ids) - p["b"], "The bias b is missing."),
    Mistake(
        lambda p, ids: tag_logits(p, ids.T).swapaxes(0, 1),
        "Read along time, not along the batch: E[ids.T].",
    ),
    Mistake(
        lambda p, ids: tag_logits(p, ids).swapaxes(0, 1).reshape(*ids.shape, -1),
        "Time and batch are mixed: reshape does not swap axes.",
    ),
    Mistake(
        lambda p, ids: tag_logits(p, ids.reshape(ids.shape[::-1]).T),
        "The sentences were read in the wrong order: reshape does not swap axes.",
    ),
]


def classifier_weights(rng: Any, vocab: int, d: int, labels: int, hidden: int) -> dict[str, Any]:
    """Return random parameters of a classifier."""
    return readout(rng, vocab, d, labels, hidden) | {"gru": weights(rng, 3, d, hidden)}


def class_logits(
    p: Mapping[str, Any], pooling: str, ids: np.ndarray, lengths: np.ndarray, wrong: Any = None
) -> np.ndarray:
    """Return W s + b for each row; wrong(states, length, ids), if given, replaces the pooling."""
    rows = []
    for row, length in zip(ids, lengths, strict=True):
        seen = states(p["gru"], p["E"][row][:, None])[:, 0]
        right = seen[length - 1] if pooling == "last" else seen[:length].mean(axis=0)
        rows.append(p["W"] @ (wrong(seen, length, row) if wrong else right) + p["b"])
    return np.array(rows)


def _pooled(last: Any = None, mean: Any = None) -> Callable[..., np.ndarray]:
    """Return the classifier with a wrong pooling of either kind; ValueError for a right one."""

    def wrong(p: Mapping[str, Any], pooling: str, *rest: Any) -> np.ndarray:
        pool = {"last": last, "mean": mean}[pooling]
        if pool is None:
            raise ValueError(f"no mistake with {pooling}")
        return class_logits(p, pooling, *rest, pool)

    return wrong


CLASSIFIER: Mistakes = [
    Mistake(
        _pooled(lambda s, n, ids: s[-1], lambda s, n, ids: s.mean(axis=0)),
        "Positions after the end of a row must not count: use lengths.",
    ),
    Mistake(
        _pooled(
            lambda s, n, ids: s[(ids != 0).sum() - 1],
            lambda s, n, ids: (s * (ids != 0)[:, None]).sum(axis=0) / n,
        ),
        "Token 0 is an ordinary token: lengths say what is real, not ids != 0.",
    ),
    Mistake(
        _pooled(mean=lambda s, n, ids: (s * (ids != 0)[:, None]).sum(axis=0) / (ids != 0).sum()),
        "Token 0 is an ordinary token: divide by lengths, not by the number of ids != 0.",
    ),
    Mistake(
        _pooled(lambda s, n, ids: s[-1] * (n == len(s))),
        "States that were set to 0 contain nothing: take the one at lengths - 1.",
    ),
    Mistake(
        _pooled(mean=lambda s, n, ids: s[:n].sum(axis=0) / len(s)),
        "The mean is over the real positions: divide by lengths.",
    ),
    Mistake(
        _pooled(mean=lambda s, n, ids: s[:n].sum(axis=0)),
        "Take the mean, no sum: divide by lengths.",
    ),
    Mistake(
        _pooled(mean=lambda s, n, ids: s[: n + 1].sum(axis=0) / n),
        "Positions are real where t < lengths: you used one too many.",
    ),
    Mistake(
        _pooled(mean=lambda s, n, ids: s[: n - 1].sum(axis=0) / n),
        "Positions are real where t < lengths: you used one too few.",
    ),
    Mistake(
        _pooled(lambda s, n, ids: s[:n].mean(axis=0), lambda s, n, ids: s[n - 1]),
        "last and mean are exchanged.",
    ),
    Mistake(
        _pooled(mean=lambda s, n, ids: (s[:n].sum(axis=0) + (len(s) - n) * s[n - 1]) / len(s)),
        "The last state was added again for each position after the end: sum real ones.",
    ),
    Mistake(_pooled(mean=lambda s, n, ids: s[:n].max(axis=0)), "Take the mean, not the maximum."),
    Mistake(lambda p, *rest: class_logits(p, *rest) - p["b"], "The bias b is missing."),
    Mistake(
        lambda *args: softmax(class_logits(*args)), "Logits are not probabilities: no softmax."
    ),
    Mistake(
        _pooled(lambda s, n, ids: s[min(n, len(s) - 1)]),
        "The last real state is at lengths - 1, not at lengths.",
    ),
    Mistake(
        _pooled(lambda s, n, ids: s[n - 2]),
        "The last real state is at lengths - 1, not at lengths - 2.",
    ),
]
