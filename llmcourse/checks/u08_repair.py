"""The repair of unit 08: the right version of each part, and the visible check.

Which line of a part is wrong is not in here. Numbers of the right version come from the formulas of
the other exercises.

unit: 08_transformers
"""

from functools import partial
from typing import Any

import numpy as np

from llmcourse.checks import method, visible
from llmcourse.checks.u06_judging import called
from llmcourse.checks.u08_attention import causal, heads_inputs, multi_head
from llmcourse.checks.u08_judging import Array, Params, array_near, random_linear
from llmcourse.checks.u08_models import gpt_logits, norm_params, of_norm
from llmcourse.checks.u08_parts import fed

BUGS = {"norm": 2, "attention": 4, "block": 2, "logits": 1, "loss": 1}  # in the order of the class


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


def as_blocks(p: Params) -> Params:
    """Return the parameters under the names of the other exercises."""

    def renamed(one: Params) -> Params:
        names = {"W_1": "W_up", "b_1": "b_up", "W_2": "W_down", "b_2": "b_down"}
        return one | {"feed_forward": {new: one[old] for new, old in names.items()}}

    return p | {"blocks": [renamed(one) for one in p["blocks"]]}


def right_attention(n_heads: int, p: Params, x: Array) -> Array:
    return multi_head(p, x, n_heads, None, causal(x.shape[1]))


def right_block(n_heads: int, p: Params, x: Array) -> Array:
    x = x + right_attention(n_heads, p["attention"], of_norm(p["norm_1"], x))
    names = {"W_1": "W_up", "b_1": "b_up", "W_2": "W_down", "b_2": "b_down"}
    return x + fed({new: p[old] for new, old in names.items()}, of_norm(p["norm_2"], x))


def right_logits(n_heads: int, p: Params, ids: Array) -> Array:
    return gpt_logits(as_blocks(p), n_heads, ids)


def mean_loss(logits: Array, targets: Array) -> Array:
    """Return the mean of -log P(target), as an array of no axes."""
    top = logits.max(-1, keepdims=True)
    logps = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))
    return -np.take_along_axis(logps, targets[..., None], -1).mean()


def right_loss(n_heads: int, p: Params, ids: Array) -> Array:
    return np.asarray(mean_loss(right_logits(n_heads, p, ids[:, :-1]), ids[:, 1:]))


def norm_arguments(rng: Any, *shape: int) -> Any:
    """Return the parameters of a norm and vectors so small that the place of eps shows."""
    return norm_params(rng, shape[-1]), rng.normal(0, 5e-3, shape)


@visible
def RepairedGPT(answer):
    rng, H = np.random.default_rng(8), 2
    p = repair_params(rng, 7, 6, 2, 6)
    x, ids = rng.normal(size=(2, 4, 6)), rng.integers(0, 7, (2, 5))
    wanted = {
        "norm": (norm_arguments(rng, 2, 4, 6), of_norm),
        "attention": ((p["blocks"][0]["attention"], x), partial(right_attention, H)),
        "block": ((p["blocks"][0], x), partial(right_block, H)),
        "logits": ((ids,), partial(right_logits, H, p)),
        "loss": ((ids,), partial(right_loss, H, p)),
    }
    for name, (args, formula) in wanted.items():
        got = called(partial(method, answer, (p, H), name), args)
        said = "one bug was" if BUGS[name] == 1 else f"{BUGS[name]} bugs were"
        hint = f"{said} planted in {name}, and it is not right yet; the parts before it are."
        array_near(got, formula(*args), name, hint, hint)
