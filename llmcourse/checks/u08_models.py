"""The block, the GPT and the number of its parameters in unit 08: formulas, mistakes, checks.

unit: 08_transformers
"""

import math
from functools import partial
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, diagnosed, items, method, raises, visible
from llmcourse.checks.u06_judging import called
from llmcourse.checks.u08_attention import causal, heads_inputs, multi_head
from llmcourse.checks.u08_judging import Array, Params, agrees, array_near, flawed
from llmcourse.checks.u08_parts import fed, feed_params, normed, same

# --- transformer_block


def norm_params(rng: Any, C: int) -> Params:
    return {"weight": rng.uniform(0.5, 2, C), "bias": rng.normal(size=C)}


def block_params(rng: Any, C: int, F: int) -> Params:
    return {
        "norm_1": norm_params(rng, C), "attention": heads_inputs(rng, 1, 1, C)[0],
        "norm_2": norm_params(rng, C), "feed_forward": feed_params(rng, C, F),
    }  # fmt: skip


def of_norm(p: Params, x: Array) -> Array:
    return normed(x, p["weight"], p["bias"])


def block(p: Params, x: Array, n_heads: int, mask: Any = None, flaw: str = "") -> Array:
    """Return x after attention and the feed-forward layers, each normed before and added."""
    one, two = p["norm_1"], p["norm_2"]
    if flaw == "one norm":
        two = one
    if flaw == "exchanged":
        one, two = two, one
    mask = None if flaw == "mask ignored" else mask

    def attention(rows: Array) -> Array:
        return multi_head(p["attention"], rows, n_heads, None, mask)

    def feed(rows: Array) -> Array:
        return fed(p["feed_forward"], rows)

    if flaw == "post":
        x = of_norm(one, x + attention(x))
        return of_norm(two, x + feed(x))
    if flaw == "feed first":
        x = x + feed(of_norm(two, x))
        return x + attention(of_norm(one, x))
    if flaw == "no norm":
        x = x + attention(x)
        return x + feed(x)
    start, n = x, of_norm(one, x)
    x = (
        n if flaw == "residual of normed" else 0 if flaw == "no first residual" else x
    ) + attention(n)
    if flaw == "side by side":
        return x + feed(of_norm(two, start))
    n = of_norm(two, x)
    base = {"no second residual": 0, "residual of start": start, "residual of normed": n}
    return base.get(flaw, x) + feed(n)


BLOCK_FLAWS = {
    "post": "Normalise before each part, not after the sum: x + attention(norm(x)).",
    "one norm": "The second part has a norm of its own, norm_2.",
    "exchanged": "norm_1 belongs to the attention, norm_2 to the feed-forward layers.",
    "mask ignored": "The mask has no influence: pass it to the attention.",
    "feed first": "The attention comes first, then the feed-forward layers.",
    "no norm": "Each part reads a normalised x.",
    "no first residual": "Add the attention to x: x + attention(norm(x)).",
    "no second residual": "Add the feed-forward layers to x: x + feed_forward(norm(x)).",
    "residual of normed": "Add to x itself, not to the normalised x.",
    "residual of start": "The second sum adds to the x after the attention.",
    "side by side": "The feed-forward layers read the x after the attention.",
}


def block_inputs(rng: Any, B: int, T: int, H: int, D: int, F: int) -> Any:
    p = block_params(rng, H * D, F)
    return p, rng.normal(size=(B, T, H * D)), H, causal(T)


def block_mistakes(p: Params, x: Array, n_heads: int, mask: Any = None) -> list[Mistake]:
    known = flawed(block, (p, x, n_heads, mask), BLOCK_FLAWS)
    return [m for m in known if not same(m.value, block(p, x, n_heads, mask))]


@visible
def transformer_block(answer):
    rng, what = np.random.default_rng(5), "the result"
    hint = "Do layer_norm, multi_head_attention and feed_forward pass their own checks?"
    args = block_inputs(rng, 2, 3, 2, 3, 5)
    by_name = "The fourth argument of multi_head_attention is the memory: pass mask=mask."
    got = called(answer, args, product=by_name)
    array_near(got, block(*args), what, "It has the shape of x.", hint, *block_mistakes(*args))
    for sizes in ((1, 1, 1, 2, 1), (2, 4, 1, 3, 2), (3, 2, 4, 1, 4)):
        args = block_inputs(rng, *sizes)
        agrees(answer, block, [args, args[:3]], what)


# --- GPT


def gpt_params(rng: Any, V: int, length: int, layers: int, C: int, F: int) -> Params:
    return {
        "tokens": rng.normal(size=(V, C)), "positions": rng.normal(size=(length, C)),
        "blocks": [block_params(rng, C, F) for _ in range(layers)], "norm": norm_params(rng, C),
    }  # fmt: skip


def gpt_logits(p: Params, n_heads: int, ids: Array, flaw: str = "") -> Array:
    """Return the logits of the next token at every position."""
    T = ids.shape[1]
    at = {"from 1": np.arange(1, T + 1), "of ids": ids}.get(flaw, np.arange(T))
    x = p["tokens"][ids] + (
        0 if flaw == "no positions" else p["positions"][at % len(p["positions"])]
    )
    if flaw == "scaled":
        x = x + (math.sqrt(x.shape[-1]) - 1) * p["tokens"][ids]
    blocks = {"reversed": p["blocks"][::-1], "first": p["blocks"][:1]}.get(flaw, p["blocks"])
    if flaw == "shared":
        blocks = [p["blocks"][0]] * len(p["blocks"])
    for one in blocks:
        x = block(one, x, n_heads, None if flaw == "no mask" else causal(T))
    if flaw != "no norm":
        x = of_norm(p["norm"], x)
    logits = np.einsum("btc,vc->btv", x, p["tokens"])
    if flaw == "last":
        return logits[:, -1]
    if flaw == "softmax":
        e = np.exp(logits - logits.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)
    return logits


GPT_FLAWS = {
    "no positions": "Add the vectors of the positions: without them a GPT sees no order.",
    "from 1": "Positions are counted from 0.",
    "of ids": "The positions are 0, 1, 2, ..., not the ids.",
    "scaled": "The token vectors are not scaled in a GPT.",
    "no mask": "Pass causal_mask(T) to the blocks: a position must not see the future.",
    "reversed": "Apply the blocks in their order.",
    "first": "Apply all blocks, one after the other.",
    "shared": "Each block has its own parameters.",
    "no norm": "Apply the last layer norm before the head.",
    "last": "Return the logits at every position, (B, T, V).",
    "softmax": "Logits are not probabilities: no softmax.",
}
TOO_LONG = "More ids than positions: raise ValueError."


def gpt_inputs(rng: Any, V: int, length: int, layers: int, H: int, D: int, B: int, T: int) -> Any:
    """Return parameters, heads, and ids (B, T) that begin with a repeated one."""
    p = gpt_params(rng, V, length, layers, H * D, 2 * H * D)
    ids = rng.integers(0, V, (B, T))
    ids[:, : min(2, T)] = 1 % V
    return p, H, ids


def gpt_mistakes(p: Params, n_heads: int, ids: Array) -> list[Mistake]:
    known = flawed(gpt_logits, (p, n_heads, ids), GPT_FLAWS)
    return [m for m in known if not same(m.value, gpt_logits(p, n_heads, ids))]


@visible
def GPT(answer):
    rng, what = np.random.default_rng(6), "logits"
    hint = "Do transformer_block and layer_norm pass their own checks?"
    p, H, ids = gpt_inputs(rng, 7, 6, 2, 2, 3, 2, 4)
    logits = partial(method, answer, (p, H), "logits")
    mistakes = gpt_mistakes(p, H, ids)
    array_near(called(logits, (ids,)), gpt_logits(p, H, ids), what, "It is (B, T, V).", hint,
               *mistakes)  # fmt: skip
    for sizes in ((5, 4, 1, 1, 2, 1, 4), (3, 3, 3, 2, 1, 3, 1), (4, 5, 2, 1, 1, 1, 3)):
        p, H, ids = gpt_inputs(rng, *sizes)
        logits = partial(method, answer, (p, H), "logits")
        agrees(logits, partial(gpt_logits, p, H), [(ids,)], what)
    raises(ValueError, logits, np.zeros((1, 6), dtype=int), hint=TOO_LONG)


# --- count_parameters


def counted(V: int, length: int, layers: int, d: int, flaw: str = "") -> tuple[int, int]:
    """Return the number of all parameters of a GPT, part by part, and 12 L d^2."""
    linear = 4 * (d * d + d) + (4 * d * d + 4 * d) + (4 * d * d + d)
    if flaw == "no biases":
        linear = 12 * d * d
    norms = 0 if flaw == "no norms" else 2 * 2 * d
    total = layers * (linear + norms) + 2 * d + (V + length) * d
    total += {
        "untied": V * d, "no positions": -length * d, "no last norm": -2 * d,
        "no tokens": -V * d, "no norms": -2 * d,
    }.get(flaw, 0)  # fmt: skip
    return total, (12 * layers * d if flaw == "d once" else 12 * layers * d * d)


COUNT_FLAWS = {
    "untied": "The head is tied: it has no parameters of its own.",
    "no positions": "The vectors of the positions count too.",
    "no last norm": "The last layer norm counts too: 2 d.",
    "no tokens": "The vectors of the tokens count too.",
    "no norms": "Each layer norm has 2 d parameters: two in a block, one at the end.",
    "no biases": "The biases count too: 4 d in the attention, 4 d + d in the feed-forward layers.",
    "d once": "The second number is 12 L d^2: d is squared.",
}


def count_mistakes(*args: int) -> list[Mistake]:
    return flawed(counted, args, COUNT_FLAWS)


@visible
def count_parameters(answer):
    hint = "Count the arrays of one block, times L, and then what is outside of the blocks."
    for args in ((50, 8, 2, 4), (11, 5, 1, 6), (7, 3, 3, 1), (50257, 1024, 12, 768)):
        got = items(called(answer, args), 2, "Return a pair: all parameters, and 12 L d^2.")
        diagnosed(got, counted(*args), hint, *count_mistakes(*args), tolerance=0)
