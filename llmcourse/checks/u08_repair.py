"""The repair of unit 08: each part with any of its bugs, and the visible check.

unit: 08_transformers
"""

import itertools
import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, method, visible
from llmcourse.checks.u06_judging import called
from llmcourse.checks.u08_attention import heads_inputs
from llmcourse.checks.u08_judging import Array, Params, array_near, random_linear
from llmcourse.checks.u08_models import norm_params
from llmcourse.checks.u08_parts import gelu


def repair_block(rng: Any, C: int, F: int) -> Params:
    """Return the parameters of a block, its feed-forward layers called up and down."""
    up, down = random_linear(rng, "u", F, C), random_linear(rng, "d", C, F)
    return {
        "norm_1": norm_params(rng, C), "attention": heads_inputs(rng, 1, 1, C)[0],
        "norm_2": norm_params(rng, C), "W_up": up["W_u"], "b_up": up["b_u"],
        "W_down": down["W_d"], "b_down": down["b_d"],
    }  # fmt: skip


def repair_params(rng: Any, V: int, length: int, layers: int, C: int) -> Params:
    return {
        "tokens": rng.normal(size=(V, C)), "positions": rng.normal(size=(length, C)),
        "blocks": [repair_block(rng, C, 2 * C) for _ in range(layers)],
        "norm": norm_params(rng, C),
    }  # fmt: skip


def mean_loss(logits: Array, targets: Array) -> Array:
    """Return the mean of -log P(target), as an array of no axes."""
    top = logits.max(-1, keepdims=True)
    logps = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))
    return np.asarray(-np.take_along_axis(logps, targets[..., None], -1).mean())


# --- the parts, each with any of its bugs


def linear(p: Params, name: str, x: Array) -> Array:
    return np.einsum("...i,oi->...o", x, p[f"W_{name}"]) + p[f"b_{name}"]


def norm(bugs: Iterable[str], p: Params, x: Array) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    squares = (centred**2).sum(-1, keepdims=True)
    variance = squares / (x.shape[-1] - ("unbiased" in bugs))
    root = np.sqrt(variance) + 1e-5 if "outside" in bugs else np.sqrt(variance + 1e-5)
    return p["weight"] * centred / root + p["bias"]


def attention(bugs: Iterable[str], n_heads: int, p: Params, x: Array) -> Array:
    (B, T, C), D = x.shape, x.shape[-1] // n_heads
    out = np.zeros((B, n_heads, T, D))
    q, k, v = (linear(p, name, x) for name in "qkv")
    for h in range(n_heads):
        at = slice(h * D, (h + 1) * D)
        scores = np.einsum("btd,bsd->bts", q[..., at], k[..., at])
        scores = scores / math.sqrt(C if "scale" in bugs else D)
        may = np.arange(T) <= np.arange(T)[:, None] + ("future" in bugs)
        axis = 1 if "axis" in bugs else 2
        scores = np.where(may, scores, -np.inf)
        e = np.exp(scores - scores.max(axis=axis, keepdims=True))
        out[:, h] = (e / e.sum(axis=axis, keepdims=True)) @ v[..., at]
    joined = out if "merge" in bugs else out.swapaxes(1, 2)
    return linear(p, "o", joined.reshape(B, T, C))


def block(bugs: Iterable[str], n_heads: int, p: Params, x: Array) -> Array:
    attended = attention((), n_heads, p["attention"], norm((), p["norm_1"], x))
    x = attended if "residual" in bugs else x + attended
    second = p["norm_1"] if "norm" in bugs else p["norm_2"]
    return x + linear(p, "down", gelu(linear(p, "up", norm((), second, x))))


def logits(bugs: Iterable[str], n_heads: int, p: Params, ids: Array) -> Array:
    x = p["tokens"][ids] + p["positions"][: ids.shape[1]]
    for one in p["blocks"]:
        x = block((), n_heads, one, x)
    x = x if "no norm" in bugs else norm((), p["norm"], x)
    return np.einsum("btc,vc->btv", x, p["tokens"])


def loss(bugs: Iterable[str], n_heads: int, p: Params, ids: Array) -> Array:
    given = logits((), n_heads, p, ids[:, :-1])
    return mean_loss(given, ids[:, :-1] if "targets" in bugs else ids[:, 1:])


# For each bug: its part, and what a learner is told who has not repaired it.
BUGS = {
    "unbiased": ("norm", "norm: your variance is divided by C - 1; divide by C."),
    "outside": ("norm", "norm: your eps is added after the root; it belongs inside it."),
    "scale": ("attention", "attention: scale by the root of the width of a head, not of C."),
    "future": ("attention", "attention: a position still sees the one after it."),
    "axis": ("attention", "attention: the weights of a query still do not sum to 1."),
    "merge": ("attention", "attention: heads and positions are mixed where you join the heads."),
    "residual": ("block", "block: x is lost: only what the attention adds goes on."),
    "norm": ("block", "block: both norms still read the same parameters."),
    "no norm": ("logits", "logits: the last norm is still missing."),
    "targets": ("loss", "loss: each token is still predicted from itself."),
}
PARTS = {
    part: tuple(b for b, (of, _) in BUGS.items() if of == part)
    for part in ("norm", "attention", "block", "logits", "loss")
}  # in the order of the class


def versions(name: str, p: Params, n_heads: int) -> Callable[[Iterable[str]], Any]:
    """Return a function that gives a part with some bugs."""
    bound: dict[str, Callable[[Iterable[str]], Any]] = {
        "norm": lambda bugs: partial(norm, bugs),
        "attention": lambda bugs: partial(attention, bugs, n_heads),
        "block": lambda bugs: partial(block, bugs, n_heads),
        "logits": lambda bugs: partial(logits, bugs, n_heads, p),
        "loss": lambda bugs: partial(loss, bugs, n_heads, p),
    }
    return bound[name]


def results(name: str, p: Params, n_heads: int, args: Any) -> list[tuple[frozenset[str], Array]]:
    """Return what each version of a part gives, the right one first."""
    mine, make = PARTS[name], versions(name, p, n_heads)
    sets = itertools.chain.from_iterable(
        itertools.combinations(mine, size) for size in range(len(mine) + 1)
    )
    return [(frozenset(bugs), make(bugs)(*args)) for bugs in sets]


def part_arguments(rng: Any, p: Params, T: int) -> dict[str, Any]:
    """Return the arguments of each part; vectors for norm are so small that the place of eps
    shows, and no token of the first row of ids is its own successor."""
    C = p["tokens"].shape[1]
    x, ids = rng.normal(0, 1.5, (2, T, C)), rng.integers(0, len(p["tokens"]), (3, T + 1))
    ids[0] = np.arange(T + 1)
    return {
        "norm": (norm_params(rng, C), rng.normal(0, 5e-3, (2, T, C))),
        "attention": (p["blocks"][0]["attention"], x),
        "block": (p["blocks"][1], x), "logits": (ids,), "loss": (ids,),
    }  # fmt: skip


@visible
def RepairedGPT(answer):
    rng, H = np.random.default_rng(8), 2
    p = repair_params(rng, 7, 8, 2, 6)
    for name, args in part_arguments(rng, p, 4).items():
        got = called(partial(method, answer, (p, H), name), args)
        (_, want), *wrong = results(name, p, H, args)
        count = f"{len(wrong).bit_length()} bugs were" if len(wrong) > 1 else "one bug was"
        hint = f"{count} planted in {name}, and it is not right yet; the parts before it are."
        alone = [(bugs, value) for bugs, value in wrong if len(bugs) == 1]
        # The last bug of several is named; that of a part with a single one would be given away.
        known = [Mistake(value, BUGS[bug][1]) for (bug,), value in alone if len(wrong) > 1]
        array_near(got, want, name, hint, hint, *known)
