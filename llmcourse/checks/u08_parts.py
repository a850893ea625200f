"""Positions, layer norm and feed-forward layers of unit 08: formulas, mistakes, visible checks.

unit: 08_transformers
"""

import math
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, noted, visible
from llmcourse.checks.u06_judging import called
from llmcourse.checks.u08_attention import ROWS
from llmcourse.checks.u08_judging import (
    Array,
    Params,
    agrees,
    array_near,
    flawed,
    random_linear,
)

# --- sinusoidal_positions


def positions(n: int, d_model: int, flaw: str = "") -> Array:
    """Return the sines and cosines of every position, number by number."""
    table = np.zeros((n, d_model))
    for t in range(n):
        for c in range(d_model):
            pair = c if flaw == "single" else c // 2 * (1 if flaw == "half" else 2)
            base = 1e3 if flaw == "base" else 1e4
            at = t + 1 if flaw == "from 1" else t
            angle = at / base ** (pair / d_model)
            sine = (c % 2 == 1) if flaw == "swapped" else (c % 2 == 0)
            table[t, c] = math.sin(angle) if sine or flaw == "sines" else math.cos(angle)
    if flaw == "halves":
        table = np.concatenate([table[:, ::2], table[:, 1::2]], axis=1)
    return table.T if flaw == "turned" else table


POSITION_FLAWS = {
    "half": "The exponent is 2i / d_model: i counts pairs of columns.",
    "single": "Both columns of a pair have the same angle: use the pair's number i for both.",
    "base": "The base of the wavelengths is 10,000.",
    "from 1": "Positions are counted from 0.",
    "swapped": "Even columns are sines, odd ones cosines.",
    "sines": "Odd columns are cosines.",
    "halves": "Sines and cosines alternate: columns 0, 2, 4, ... and 1, 3, 5, ...",
    "turned": "One row for each position: (n, d_model).",
}


def position_mistakes(n: int, d_model: int) -> list[Mistake]:
    return flawed(positions, (n, d_model), POSITION_FLAWS)


@visible
def sinusoidal_positions(answer):
    hint = "Angle = position / 10000^(2i / d_model) for the pair i of columns."
    for args in ((5, 6), (1, 2), (3, 8), (12, 4), (2, 2), (8, 8)):
        with noted("One row for each position, one column for each of d_model numbers."):
            got = called(answer, args)
        mistakes = position_mistakes(*args)
        told = [m for m in mistakes if not same(m.value, positions(*args))]
        array_near(got, positions(*args), "the table", "It is (n, d_model).", hint, *told)


def same(one: Array, other: Array) -> bool:
    return one.shape == other.shape and bool(np.allclose(one, other))


# --- layer_norm


def normed(x: Array, weight: Array, bias: Array, eps: float = 1e-5, flaw: str = "") -> Array:
    """Return each vector of x with mean 0 and variance 1, times the weight, plus the bias."""
    axis: Any = {"rows": -2, "all": None}.get(flaw, -1)
    centred = x if flaw == "rms" else x - x.mean(axis=axis, keepdims=True)
    variance = (centred**2).mean(axis=axis, keepdims=True)
    if flaw == "unbiased":
        variance = variance * x.shape[-1] / (x.shape[-1] - 1)
    if flaw == "fixed eps":
        eps = 1e-5
    root = np.sqrt(variance + eps)
    if flaw == "outside":
        root = np.sqrt(variance) + eps
    if flaw == "no eps":
        root = np.sqrt(variance)
    if flaw == "variance":
        root = variance + eps
    scaled = centred / root
    if flaw == "no centre":
        scaled = x / root
    if flaw == "exchanged":
        return scaled * bias + weight
    return scaled * (1 if flaw == "no weight" else weight) + (0 if flaw == "no bias" else bias)


NORM_FLAWS = {
    "outside": "eps is added to the variance, inside the root: sqrt(variance + eps).",
    "unbiased": "The variance is the mean of the squares: divide by C, not by C - 1.",
    "fixed eps": "Use the argument eps.",
    "no eps": "eps is missing: sqrt(variance + eps).",
    "variance": "Divide by the square root of the variance, not by the variance.",
    "rows": "Normalise each vector by itself: mean and variance over the last axis.",
    "all": "Normalise each vector by itself: mean and variance over the last axis.",
    "rms": "Subtract the mean first, also inside the variance.",
    "no centre": "Subtract the mean.",
    "exchanged": "Multiply by the weight and add the bias.",
    "no weight": "Multiply by the weight.",
    "no bias": "Add the bias.",
}
CONSTANT = "A vector of equal numbers has variance 0: eps keeps the division finite."


def norm_inputs(rng: Any, *shape: int, eps: float = 0.1) -> Any:
    """Return x with vectors of different size and mean, a weight, a bias and eps."""
    x = rng.normal(size=shape) * rng.uniform(0.2, 2, (*shape[:-1], 1)) + rng.normal(size=shape[-1])
    return x, rng.uniform(0.5, 2, shape[-1]), rng.normal(size=shape[-1]), eps


def norm_mistakes(x: Array, weight: Array, bias: Array, eps: float = 1e-5) -> list[Mistake]:
    known = flawed(normed, (x, weight, bias, eps), NORM_FLAWS)
    return [m for m in known if not same(m.value, normed(x, weight, bias, eps))]


@visible
def layer_norm(answer):
    rng, what = np.random.default_rng(3), "the result"
    hint = "weight * (x - mean) / sqrt(variance + eps) + bias, over the last axis."
    args = norm_inputs(rng, 2, 3, 4)
    got = called(answer, args, sums="Keep the axis of the mean: keepdims=True.")
    form = "It has the shape of x: keepdims=True."
    array_near(got, normed(*args), what, form, hint, *norm_mistakes(*args))
    small = norm_inputs(rng, 2, 4)
    small = (1e-2 * small[0], *small[1:3])
    array_near(called(answer, small), normed(*small), what, form, "eps is 1e-5 unless given.",
               *norm_mistakes(*small, 1e-5))  # fmt: skip
    agrees(answer, normed, [(np.ones((2, 3)), np.ones(3), np.ones(3))], what, CONSTANT)
    for shape in ((5,), (3, 3), (1, 1, 2), (2, 1), (2, 2, 2, 5)):
        agrees(answer, normed, [norm_inputs(rng, *shape, eps=0.3)], what)


# --- feed_forward


def gelu(x: Array, flaw: str = "") -> Array:
    """Return the tanh form of gelu, or what a flaw makes of it."""
    if flaw == "relu":
        return np.maximum(x, 0)
    if flaw == "erf":
        return x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    if flaw == "linear":
        return x
    return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def fed(p: Params, x: Array, flaw: str = "") -> Array:
    """Return the two linear layers with gelu between them."""
    first, second = (p["W_1"], p["W_2"]) if flaw != "rows" else (p["W_1"].T, p["W_2"].T)
    a = np.einsum("...c,fc->...f", x, first) + (0 if flaw == "no b_1" else p["b_1"])
    out = np.einsum("...f,cf->...c", a if flaw == "after" else gelu(a, flaw), second)
    out = out + (0 if flaw == "no b_2" else p["b_2"])
    if flaw in ("after", "twice"):
        out = gelu(out)
    return x + out if flaw == "residual" else out


FEED_FLAWS = {
    "relu": "The nonlinearity is gelu, not relu.",
    "erf": "That is gelu by erf: use the tanh form, as GPT-2 does.",
    "linear": "The nonlinearity is missing: two linear layers alone are one linear layer.",
    "after": "gelu comes between the two layers, not after the second.",
    "twice": "gelu comes once, between the two layers: none after the second.",
    "residual": "Do not add x here: the block does.",
    "no b_1": "The bias b_1 is missing.",
    "no b_2": "The bias b_2 is missing.",
    "rows": ROWS,
}


def feed_params(rng: Any, C: int, F: int) -> Params:
    first, second = random_linear(rng, "1", F, C), random_linear(rng, "2", C, F)
    return first | second


def feed_inputs(rng: Any, C: int, F: int, *lead: int) -> Any:
    return feed_params(rng, C, F), rng.normal(0, 2, (*lead, C))


def feed_mistakes(p: Params, x: Array) -> list[Mistake]:
    return flawed(fed, (p, x), FEED_FLAWS)


@visible
def feed_forward(answer):
    rng, what = np.random.default_rng(4), "the result"
    hint = "gelu(x @ W_1.T + b_1) @ W_2.T + b_2."
    args = feed_inputs(rng, 3, 5, 2, 4)
    got = called(answer, args, product=ROWS)
    array_near(got, fed(*args), what, "It has the shape of x.", hint, *feed_mistakes(*args))
    for sizes in ((2, 2, 3, 2), (1, 1, 1, 1), (3, 1, 2), (4, 8, 1, 1, 2)):
        agrees(answer, fed, [feed_inputs(rng, *sizes)], what)
