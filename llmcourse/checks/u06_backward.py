"""Gradients of unit 06: backpropagation through time, clipping, the mistakes, the visible checks.

unit: 06_rnn_lstm
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, compare, diagnosed, noted, visible
from llmcourse.checks.u06_cells import Array, Params, elman, weights
from llmcourse.checks.u06_judging import agrees, arrays_near, called

# Hints that the hidden tests give, too.
SHAPES = (
    "Look at the shapes: da.T @ xs[t] is (H, I), da.T @ hs[t] is (H, H), da.sum(axis=0) is (H,)."
)
NO_STEP = "T = 0: begin with np.zeros_like(params[...]) and np.zeros_like(h0), then loop."
IN_FLOAT64 = (
    "Square and sum in float64, g.astype(np.float64): in float32 the square of 3e19 is infinite "
    "and that of 3e-25 is 0."
)

# --- bptt


def bptt_inputs(rng: Any, T: int, B: int, inputs: int, H: int) -> Any:
    """Return random parameters, inputs, a first state, and a gradient of each state."""
    p, xs = weights(rng, 1, inputs, H), rng.normal(size=(T, B, inputs))
    return p, xs, rng.normal(size=(B, H)), rng.normal(size=(T, B, H))


def bptt_gradients(
    p: Params, xs: Array, h0: Array, dhs: Array, *,
    through_tanh: Any = lambda dh, own, before, after: (dh + own) * (1 - after**2),
    add: Any = lambda total, part: total + part,
    back: Any = lambda da, dh, W: np.einsum("bo,oh->bh", da, W),
    memory: int = 0, steps: Iterable[int] | None = None,
) -> Params:  # fmt: skip
    """Return the gradients, by outer products; the options are mistakes.

    through_tanh: da of a step, from what comes back, dhs[t], and the states before and after it;
    add: the total after this step; back: what goes to the step before; memory: 1 where W_hh sees
    the state after the step; steps: in this order, not from the last to the first.
    """
    hs = [h0]
    for x in xs:
        hs.append(elman(p, x, hs[-1]))
    total, dh = {name: np.zeros_like(value) for name, value in p.items()}, np.zeros_like(h0)
    for t in reversed(range(len(xs))) if steps is None else steps:
        da = through_tanh(dh, dhs[t], hs[t], hs[t + 1])
        part = {"W_ih": np.einsum("bo,bi->oi", da, xs[t])}
        part |= {"W_hh": np.einsum("bo,bi->oi", da, hs[t + memory])}
        part |= {"b_ih": np.einsum("bo->o", da), "b_hh": np.einsum("bo->o", da)}
        total = {name: add(total[name], part[name]) for name in total}
        dh = back(da, dh + dhs[t], p["W_hh"])
    return total | {"h0": dh}


def bptt_mistakes(p: Params, xs: Array, h0: Array, dhs: Array) -> list[Mistake]:
    def other(**options: Any) -> Params:
        return bptt_gradients(p, xs, h0, dhs, **options)

    def divided(by: int) -> Params:
        return {name: g if name == "h0" else g / max(1, by) for name, g in right.items()}

    right, T = other(), len(xs)
    only_last = np.concatenate([0 * dhs[:-1], dhs[-1:]])
    twice = {name: 2 * right[name] for name in ("b_ih", "b_hh")}
    return [
        Mistake(other(through_tanh=lambda dh, own, before, after: own * (1 - after**2)),
                "Carry the gradient back: dh is dhs[t] plus what step t + 1 sends."),
        Mistake(other(add=lambda total, part: part),
                "Every step adds its contribution: +=, not =."),
        Mistake(divided(T), "Sum the contributions of the steps: no mean over time."),
        Mistake(divided(len(h0)), "Sum the contributions of the rows: no mean over the batch."),
        Mistake(other(through_tanh=lambda dh, own, before, after: (dh + own) * (1 - before**2)),
                "The derivative of tanh is 1 - h^2 with the state AFTER the step."),
        Mistake(other(through_tanh=lambda dh, own, before, after: dh + own),
                "The derivative of tanh is missing: multiply by 1 - h^2."),
        Mistake(other(through_tanh=lambda dh, own, before, after: (dh + own) * (1 - after)),
                "The derivative of tanh is 1 - h^2: h is squared."),
        Mistake(other(through_tanh=lambda dh, own, before, after: (dh + own) * after * (1 - after)),
                "The derivative of tanh is 1 - h^2; h (1 - h) is that of the sigmoid."),
        Mistake(other(through_tanh=lambda dh, own, before, after: own + dh * (1 - after**2)),
                "First add, then multiply: (dh + dhs[t]) * (1 - h^2)."),
        Mistake(other(memory=1),
                "The gradient with respect to W_hh uses the state BEFORE the step."),
        Mistake(other(back=lambda da, dh, W: da @ W.T),
                "Go back through W_hh by da @ W_hh, without a transpose."),
        Mistake(other(back=lambda da, dh, W: dh @ W),
                "What goes back is da @ W_hh, with the derivative of tanh in it: da, not dh."),
        Mistake(other(steps=range(T)), "Go from the last step to the first."),
        Mistake(other(steps=range(T - 1, 0, -1)), "The first step counts, too: t goes down to 0."),
        Mistake(bptt_gradients(p, xs, 0 * h0, dhs), "The first state is h0, not zeros."),
        Mistake(bptt_gradients(p, xs, h0, only_last), "Every dhs[t] counts, not only the last."),
        Mistake(right | {"W_hh": right["W_hh"].T},
                "The gradient of W_hh is transposed: da.T @ the state before the step."),
        Mistake(right | twice, "b_ih and b_hh are one array, to which you added twice: make two."),
        Mistake(right | {"b_hh": 0 * right["b_hh"]}, "b_hh gets the same gradient as b_ih."),
    ]  # fmt: skip


def bptt_hint(got: Any, want: Params) -> str:
    """Return what to look at, given which gradients are wrong."""
    if not isinstance(got, dict) or set(got) != set(want):
        return f"Return a dictionary with the keys {', '.join(want)}."
    off = {name for name in want if compare(got[name], want[name], 1e-6)}
    if off and off <= {"b_ih", "b_hh"}:
        return (
            "Biases get the sum of da over the batch, not the mean; b_hh too; two separate arrays."
        )
    alone = {
        "W_hh": "W_hh gets da.T @ the state BEFORE the step; at t = 0 that is h0.",
        "W_ih": "W_ih gets da.T @ xs[t], with the input of the same step.",
        "h0": "The gradient for h0 is what the first step sends back: da @ W_hh once more.",
    }
    if len(off) == 1:
        return alone[off.pop()]
    return (
        "Several gradients are wrong: is da = (dh + dhs[t]) * (1 - h^2), for every t from the last "
        "to the first? Does elman_step pass its own check?"
    )


@visible
def bptt(answer):
    rng, what = np.random.default_rng(3), "the gradient with respect to"
    args = bptt_inputs(rng, 5, 3, 2, 4)
    got = called(answer, args, product=SHAPES, sums=SHAPES)
    form = "Return a dictionary with the keys W_ih, W_hh, b_ih, b_hh, h0, each of its shape."
    arrays_near(got, bptt_gradients(*args), what, form, bptt_hint, *bptt_mistakes(*args))
    for sizes in ((1, 2, 3, 2), (3, 1, 2, 2), (2, 3, 1, 1), (3, 2, 4, 4), (6, 2, 3, 2)):
        args = bptt_inputs(rng, *sizes)
        with noted("The same steps hold for other sizes; keep all axes."):
            got = called(answer, args)
        arrays_near(got, bptt_gradients(*args), what, form, bptt_hint)
    agrees(answer, bptt_gradients, [bptt_inputs(rng, 0, 3, 2, 4)], what, NO_STEP)


# --- clip_grad_norm


def clipped(gradients: Params, limit: float) -> tuple[Params, float]:
    norm = math.sqrt(math.fsum(float(v) ** 2 for g in gradients.values() for v in g.flat))
    return _scaled(gradients, limit / norm if norm > limit else 1.0), norm


def _scaled(gradients: Params, factor: float) -> Params:
    return {name: factor * g for name, g in gradients.items()}


def clip_mistakes(gradients: Params, limit: float) -> list[Mistake]:
    (right, norm), arrays = clipped(gradients, limit), list(gradients.values())
    each_alone = {name: clipped({name: g}, limit)[0][name] for name, g in gradients.items()}
    cut = {name: np.clip(g, -limit, limit) for name, g in gradients.items()}

    def with_norm(other: float) -> tuple[Params, float]:
        return _scaled(gradients, min(1, limit / other)), other

    return [
        Mistake(with_norm(math.sqrt(sum(float(np.linalg.norm(g, 2)) ** 2 for g in arrays))),
                "norm(g, 2) of a matrix is another norm: sum the squares of all elements."),
        Mistake(with_norm(max(float(abs(g).max()) for g in arrays)),
                "The norm is not a maximum: it is the square root of the sum of all squares."),
        Mistake(with_norm(math.sqrt(sum(float((g**2).mean()) for g in arrays))),
                "Sum the squares, do not average them."),
        Mistake((_scaled(gradients, max(1, norm / limit)), norm),
                "The factor is limit / norm, not norm / limit."),
        Mistake((norm, right), "Return (gradients, norm), in this order."),
        Mistake((list(right.values()), norm),
                "Return the gradients as a dictionary with the same names."),
        Mistake((right, min(1, limit / norm)), "Return the norm, not the factor."),
        Mistake((each_alone, norm),
                "One norm and one factor for all arrays together: the direction must not change."),
        Mistake((_scaled(gradients, limit / norm), norm),
                "Gradients with a norm below the limit do not change: never scale up."),
        Mistake((right, min(limit, norm)), "Return the norm before clipping."),
        Mistake(with_norm(norm**2), "The norm is the square ROOT of the sum of squares."),
        Mistake((cut, norm),
                "Multiply everything by one factor, do not cut each element at the limit."),
        Mistake(with_norm(sum(float(np.linalg.norm(g)) for g in arrays)),
                "Sum the squared norms of the arrays, not the norms."),
    ]  # fmt: skip


@visible
def clip_grad_norm(answer):
    g = {"a": np.array([3.0]), "b": np.array([[2.0, 2.0], [2.0, -2.0]])}
    g["c"] = np.array([-12.0, 0.0])
    what = ("the clipped gradient", "the norm")
    form = (
        "Return (gradients, norm): a dictionary of arrays with names and shapes as given, a number."
    )
    for limit in (1.0, 6.5, 26.0):
        got = called(answer, (g, limit))
        hint = "Expected a norm of 13, and gradients scaled by limit / 13 if that is below 1."
        arrays_near(got, clipped(g, limit), what, form, hint, *clip_mistakes(g, limit))
    divided = "Do not divide by a norm of 0: gradients of 0 stay 0."
    agrees(answer, clipped, [({"a": np.zeros(2)}, 1.0)], what, divided)
    rng = np.random.default_rng(9)
    ordinary = "A norm of 1e-5 or 1e8 is an ordinary norm: one factor, min(1, limit / norm)."
    for size in (1e-5, 0.3, 1e8):
        g = {"a": size * rng.normal(size=(2, 3)), "b": np.zeros(2), "c": size * rng.normal(size=3)}
        norm = clipped(g, 1.0)[1]
        for limit in (0.9 * norm, 1.1 * norm, 2.0):
            _in_proportion(answer, g, limit, ordinary)
    for size in (1e19, 1e-25):
        g = {"a": np.array([3 * size, 4 * size], dtype=np.float32)}
        _in_proportion(answer, g, 1.0, IN_FLOAT64)


def _in_proportion(answer: Any, gradients: Params, limit: float, hint: str) -> None:
    """Fail unless norm and clipped gradients are right in proportion to their size."""
    right, size = clipped(gradients, limit)
    with noted(hint), np.errstate(all="ignore"):
        made, norm = called(answer, (gradients, limit))
        found = {n: np.asarray(made[n], dtype=float) / right[n] for n in right if right[n].any()}
    what = "the norm divided by the right one"
    diagnosed(float(norm) / size, 1.0, hint, what=what, tolerance=1e-6)
    # torch divides by norm + 1e-6, which is as good
    allowed = 1e-5 + (1e-6 / size if limit < size else 0)
    for name, ratio in found.items():
        what = f"the clipped gradient {name} divided by the right one"
        diagnosed(ratio, np.ones(ratio.shape), hint, what=what, tolerance=allowed)
