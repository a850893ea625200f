"""Hidden tests of the repair in unit 08: ten bugs, each found and paid for by itself.

A method is called with the grader's own versions of the others in their place. Its result may show
any of its other bugs: what counts for one bug is that the result is that of no version with it. So
each bug that is repaired earns its points, whatever is left beside it.

unit: 08_transformers
"""

import itertools
import math
import random
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Inputs, Mistake, expect_that
from autograder.units.arrays import EXACT, Array, generator
from llmcourse.checks import compare
from llmcourse.checks import u08_repair as right
from llmcourse.checks.u08_parts import Params, gelu

RepairedGPT = Exercise("RepairedGPT")
WEIGHT = 10.0  # of a bug; the visible check, which needs all ten, has 1


@RepairedGPT.probe
def part_alone(answer, params, n_heads, name, args, others):  # type: ignore[no-untyped-def]
    model = answer(params, n_heads)
    for other, function in others.items():
        setattr(model, other, function)
    return getattr(model, name)(*args)


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
    return right.mean_loss(given, ids[:, :-1] if "targets" in bugs else ids[:, 1:])


# For each bug: its part, and what a learner is told who has not repaired it.
BUGS = {
    "unbiased": ("norm", "norm: the variance is divided by C - 1, not by C."),
    "outside": ("norm", "norm: eps is added to the root, not inside of it."),
    "scale": ("attention", "attention: the scale is the root of the width of a head, not of C."),
    "future": ("attention", "attention: a position sees the one after it."),
    "axis": ("attention", "attention: the weights of a query do not sum to 1."),
    "merge": ("attention", "attention: heads and positions are mixed when the heads are joined."),
    "residual": ("block", "block: x is lost, only what the attention adds goes on."),
    "norm": ("block", "block: both norms read the same parameters."),
    "no norm": ("logits", "logits: the last norm is missing."),
    "targets": ("loss", "loss: each token is predicted from itself."),
}
UNKNOWN = "{}: the result is that of no version of it: what else did you change?"

# --- inputs: names of the parts with their arguments


def drawn(rng: random.Random, name: str) -> Any:
    """Return parameters, the number of heads and the arguments of one part."""
    draw, H = generator(rng), rng.choice((2, 3))
    C, T = 2 * H, rng.randint(3, 5)
    p = right.repair_params(draw, 7, 8, 2, C)
    x, ids = draw.normal(0, 1.5, (2, T, C)), draw.integers(0, 7, (3, T + 1))
    ids[0] = np.arange(T + 1)  # no token is its own successor in it
    args = {
        "norm": right.norm_arguments(draw, 2, T, C), "attention": (p["blocks"][0]["attention"], x),
        "block": (p["blocks"][1], x), "logits": (ids,), "loss": (ids,),
    }  # fmt: skip
    return p, H, args[name]


def versions(name: str, p: Params, n_heads: int) -> Callable[[Iterable[str]], Any]:
    """Return a function that gives a part with some bugs."""
    bound = {
        "norm": lambda bugs: partial(norm, bugs),
        "attention": lambda bugs: partial(attention, bugs, n_heads),
        "block": lambda bugs: partial(block, bugs, n_heads),
        "logits": lambda bugs: partial(logits, bugs, n_heads, p),
        "loss": lambda bugs: partial(loss, bugs, n_heads, p),
    }
    return bound[name]


def correct_others(name: str, p: Params, n_heads: int) -> dict[str, Callable[..., Any]]:
    """Return the right version of every part but one, for arrays from the sandbox."""

    def correct(part: str) -> Callable[..., Any]:
        right_one = versions(part, p, n_heads)(())
        return lambda *args: right_one(*args[:-1], np.asarray(args[-1]))

    return {part: correct(part) for part in right.BUGS if part != name}


def results(name: str, p: Params, n_heads: int, args: Any) -> list[tuple[frozenset[str], Any]]:
    """Return what each version of a part gives, the right one first."""
    mine = [bug for bug, (part, _) in BUGS.items() if part == name]
    make = versions(name, p, n_heads)
    sets = itertools.chain.from_iterable(
        itertools.combinations(mine, size) for size in range(len(mine) + 1)
    )
    return [(frozenset(bugs), make(bugs)(*args)) for bugs in sets]


def told_apart(known: list[tuple[frozenset[str], Any]]) -> bool:
    """Say whether no two versions give the same result."""
    return all(
        compare(one, other, 1e-4) is not None
        for (_, one), (_, other) in itertools.combinations(known, 2)
    )


def inputs_of(rng: random.Random, name: str) -> Any:
    """Return the arguments of a probe, and what each version of the part gives for them."""
    while True:
        p, n_heads, args = drawn(rng, name)
        known = results(name, p, n_heads, args)
        if told_apart(known):
            return (p, n_heads, name, args, correct_others(name, p, n_heads)), known


@RepairedGPT.case(weight=0, property="every part runs and keeps the shapes")
def parts_run(rng: random.Random) -> Inputs:
    for name in right.BUGS:
        args, known = inputs_of(rng, name)
        shape = np.shape(known[0][1])

        def right_shape(value: Any, shape: Any = shape) -> bool:
            return np.asarray(value, dtype=float).shape == shape

        yield args, expect_that(right_shape, f"{name}: the result has another shape.")


def bug_case(bug: str) -> None:
    """Add the case of one bug: the result is that of a version without it."""
    name, hint = BUGS[bug]
    number = [b for b, (part, _) in BUGS.items() if part == name].index(bug) + 1

    @RepairedGPT.case(weight=WEIGHT, property=f"{name}, bug {number} of {right.BUGS[name]}")
    def inputs(rng: random.Random) -> Inputs:
        for _ in range(2):
            args, known = inputs_of(rng, name)
            without = [value for bugs, value in known if bug not in bugs]
            having = [value for bugs, value in known if bug in bugs]
            unrepaired = Mistake(partial(_is_one, having), hint)
            yield args, expect_that(partial(_is_one, without), UNKNOWN.format(name), [unrepaired])


def _is_one(versions: list[Any], value: Any) -> bool:
    return any(compare(value, one, EXACT) is None for one in versions)


for _bug in BUGS:
    bug_case(_bug)
