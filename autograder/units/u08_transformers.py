"""Hidden tests of unit 08. Expected values are sums over indices (`checks.u08_attention` and its
neighbours, which tests/models/test_unit_08.py holds to torch), never the solution's array form.

unit: 08_transformers
"""

import random
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Inputs, asked, expect_raises
from autograder.units.arrays import (
    EXACT,
    Array,
    generator,
    method_of,
    or_changed,
    unless_changed,
)
from autograder.units.u08_repair import RepairedGPT
from llmcourse.checks import u08_attention as attention
from llmcourse.checks import u08_models as models
from llmcourse.checks import u08_parts as parts
from llmcourse.checks.u06_judging import ALL_AXES
from llmcourse.checks.u08_judging import Params

__all__ = [
    "GPT", "RepairedGPT", "causal_mask", "count_parameters", "feed_forward", "layer_norm",
    "multi_head_attention", "scaled_dot_product_attention", "sinusoidal_positions",
    "transformer_block",
]  # fmt: skip


def exercise_of(name: str, **given: Any) -> Exercise:
    made = Exercise(name, given=given)
    made.probe(unless_changed)
    return made


# --- what answers the calls of earlier exercises


def correct_attention(q: Array, k: Array, v: Array, mask: Any = None) -> Array:
    """Answer the calls of the learner's `scaled_dot_product_attention`."""
    may = None if mask is None else np.asarray(mask, bool)
    return attention.attend(np.asarray(q, float), np.asarray(k, float), np.asarray(v, float), may)


def correct_mask(T: int, S: Any = None) -> Array:
    """Answer the calls of the learner's `causal_mask`."""
    return attention.causal(T, S)


def correct_heads(
    params: Params, x: Array, n_heads: int, memory: Any = None, mask: Any = None
) -> Array:
    """Answer the calls of the learner's `multi_head_attention`."""
    read = None if memory is None else np.asarray(memory, float)
    may = None if mask is None else np.asarray(mask, bool)
    return attention.multi_head(params, np.asarray(x, float), n_heads, read, may)


def correct_norm(x: Array, weight: Array, bias: Array, eps: float = 1e-5) -> Array:
    """Answer the calls of the learner's `layer_norm`."""
    return parts.normed(np.asarray(x, float), np.asarray(weight), np.asarray(bias), eps)


def correct_feed(params: Params, x: Array) -> Array:
    """Answer the calls of the learner's `feed_forward`."""
    return parts.fed(params, np.asarray(x, float))


def correct_block(params: Params, x: Array, n_heads: int, mask: Any = None) -> Array:
    """Answer the calls of the learner's `transformer_block`."""
    may = None if mask is None else np.asarray(mask, bool)
    return models.block(params, np.asarray(x, float), n_heads, may)


# --- scaled_dot_product_attention

scaled_dot_product_attention = exercise_of("scaled_dot_product_attention")
ATTEND = "softmax(q k^T / sqrt(D)) v, with the softmax over the keys."
KNOWN = or_changed(attention.attention_mistakes)
# What a row without any key shows only: its own case looks at it.
OF_CORE = or_changed(lambda *args: [
    m for m in attention.attention_mistakes(*args) if m.hint != attention.NOTHING_SEEN
])  # fmt: skip


@scaled_dot_product_attention.case(weight=4, property="the attention of other sizes and masks")
def attention_core(rng: random.Random) -> Inputs:
    for lead, *sizes in (((), 3, 3, 4, 3), ((2, 3), 2, 5, 3, 4), ((2,), 5, 4, 2, 3)):
        q, k, v, mask = attention.attention_inputs(generator(rng), lead, *sizes)
        for may in (None, mask):
            yield asked((q, k, v, may), attention.attend, ATTEND, OF_CORE, EXACT)


@scaled_dot_product_attention.case(weight=1, property="masks with leading axes; no mask at all")
def attention_masks(rng: random.Random) -> Inputs:
    q, k, v, _ = attention.attention_inputs(generator(rng), (3, 2), 4, 5, 2, 3)
    lengths = np.array([5, rng.randint(1, 4), rng.randint(1, 4)])
    hint = "The mask broadcasts against (..., T, S); without one every key counts."
    padding = np.arange(5) < lengths[:, None, None, None]
    yield asked((q, k, v, padding), attention.attend, hint, KNOWN, EXACT)
    yield asked((q, k, v), attention.attend, hint, KNOWN, EXACT)


@scaled_dot_product_attention.case(weight=2, property="a query that may attend to nothing")
def attention_of_nothing(rng: random.Random) -> Inputs:
    for sizes in ((3, 4), (1, 2), (2, 1)):
        args = attention.unseeing(generator(rng), *sizes)
        yield asked(args, attention.attend, attention.NOTHING_SEEN, KNOWN, EXACT)


@scaled_dot_product_attention.case(weight=2, property="scores of 1,000: no overflow, no nan")
def attention_large(rng: random.Random) -> Inputs:
    q, k, v, mask = attention.attention_inputs(generator(rng), (2,), 3, 4, 4, 2, size=80.0)
    for args in ((q, k, v), (q, k, v, mask), (-abs(q), abs(k), v, mask)):
        yield asked(args, attention.attend, attention.LARGE, KNOWN, EXACT)


@scaled_dot_product_attention.case(weight=1, property="one query, one key, one column")
def attention_small(rng: random.Random) -> Inputs:
    for sizes in ((1, 1, 1, 1), (1, 3, 2, 1), (4, 1, 1, 2)):
        args = attention.attention_inputs(generator(rng), (1, 2), *sizes)
        yield asked(args, attention.attend, ALL_AXES, or_changed(), EXACT)


# --- causal_mask

causal_mask = exercise_of("causal_mask")
PAST = "Key j is visible to query i if j <= i + S - T; return booleans, not 0 and -inf."


@causal_mask.case(weight=3, property="as many keys as queries, and more")
def mask_core(rng: random.Random) -> Inputs:
    T = rng.randint(5, 9)
    for args in ((T, T), (T - 1, T + rng.randint(2, 4)), (2, 7)):
        yield asked(args, attention.causal, PAST, attention.causal_mistakes)


@causal_mask.case(weight=1, property="S is T unless given; one query")
def mask_edges(rng: random.Random) -> Inputs:
    for args in ((rng.randint(3, 6),), (1,), (1, rng.randint(2, 9)), (1, 1)):
        yield asked(args, attention.causal, PAST)


# --- multi_head_attention

multi_head_attention = exercise_of(
    "multi_head_attention", scaled_dot_product_attention=correct_attention
)
HEADS = "Project, split into heads, attend, join the heads, project."
OF_HEADS = or_changed(attention.heads_mistakes)


@multi_head_attention.case(weight=4, property="self-attention of other sizes, with masks")
def heads_core(rng: random.Random) -> Inputs:
    for B, T, H, D in ((2, 4, 3, 2), (3, 2, 2, 3), (2, 3, 3, 3)):
        p, x, _ = attention.heads_inputs(generator(rng), B, T, H * D)
        for mask in (None, attention.causal(T)):
            yield asked((p, x, H, None, mask), attention.multi_head, HEADS, OF_HEADS, EXACT)


@multi_head_attention.case(weight=3, property="cross-attention: a memory of another length")
def heads_memory(rng: random.Random) -> Inputs:
    for sizes in ((2, 4, 3, 2, 5), (3, 3, 2, 3, 3), (2, 2, 1, 4, 6)):
        _, _, *with_memory = attention.heads_arguments(generator(rng), *sizes)
        for args in with_memory:
            yield asked(args, attention.multi_head, attention.MEMORY, OF_HEADS, EXACT)


@multi_head_attention.case(weight=1, property="one row, one position, one head, one column")
def heads_small(rng: random.Random) -> Inputs:
    for sizes in ((1, 1, 1, 1, 1), (1, 3, 3, 1, 1), (1, 1, 2, 2, 4)):
        for args in attention.heads_arguments(generator(rng), *sizes):
            yield asked(args, attention.multi_head, ALL_AXES, OF_HEADS, EXACT)


# --- sinusoidal_positions

sinusoidal_positions = exercise_of("sinusoidal_positions")


@sinusoidal_positions.case(weight=3, property="the table of other sizes")
def positions_core(rng: random.Random) -> Inputs:
    hint = "Angle = position / 10000^(2i / d_model) for the pair i of columns."
    for args in ((rng.randint(5, 9), 6), (7, 2 * rng.randint(4, 6)), (8, 8)):
        yield asked(args, parts.positions, hint, parts.position_mistakes, EXACT)


@sinusoidal_positions.case(weight=1, property="one position, two columns, many positions")
def positions_edges(rng: random.Random) -> Inputs:
    for args in ((1, 4), (3, 2), (1, 2), (rng.randint(300, 400), 6)):
        yield asked(args, parts.positions, "The same formula holds.", tolerance=1e-8)


# --- layer_norm

layer_norm = exercise_of("layer_norm")
NORM = "weight * (x - mean) / sqrt(variance + eps) + bias, over the last axis."
OF_NORM = or_changed(parts.norm_mistakes)


@layer_norm.case(weight=3, property="vectors of other shapes, with another eps")
def norm_core(rng: random.Random) -> Inputs:
    for shape in ((4, 3), (3, 4), (2, 3, 5), (3, 3)):
        eps = 1e-5 if shape == (4, 3) else rng.uniform(0.1, 0.5)
        args = parts.norm_inputs(generator(rng), *shape, eps=eps)
        yield asked(args, parts.normed, NORM, OF_NORM, EXACT)


@layer_norm.case(weight=1, property="eps is 1e-5 unless given; vectors of equal numbers")
def norm_eps(rng: random.Random) -> Inputs:
    x, weight, bias, _ = parts.norm_inputs(generator(rng), 3, 4)
    hint = "eps is 1e-5 unless given."
    yield asked((1e-2 * x, weight, bias), parts.normed, hint, OF_NORM, EXACT)
    flat = np.full((2, 4), rng.uniform(-3, 3))
    yield asked((flat, weight, bias), parts.normed, parts.CONSTANT, tolerance=1e-6)


@layer_norm.case(weight=1, property="one vector alone, one number, many axes")
def norm_small(rng: random.Random) -> Inputs:
    for shape in ((5,), (4, 1), (1, 1, 3), (2, 1, 2, 2)):
        args = parts.norm_inputs(generator(rng), *shape)
        yield asked(args, parts.normed, ALL_AXES, or_changed(), EXACT)


# --- feed_forward

feed_forward = exercise_of("feed_forward")


@feed_forward.case(weight=3, property="the two layers, other sizes")
def feed_core(rng: random.Random) -> Inputs:
    hint = f"gelu(x @ W_1.T + b_1) @ W_2.T + b_2. {attention.ROWS}"
    for sizes in ((3, 4, 2, 3), (4, 4, 3, 4), (2, 7, 5, 1)):
        args = parts.feed_inputs(generator(rng), *sizes)
        yield asked(args, parts.fed, hint, or_changed(parts.feed_mistakes), EXACT)


@feed_forward.case(weight=1, property="one position, one hidden number")
def feed_small(rng: random.Random) -> Inputs:
    for sizes in ((2, 1, 1, 3), (1, 3, 4, 1), (1, 1, 1, 1)):
        args = parts.feed_inputs(generator(rng), *sizes)
        yield asked(args, parts.fed, ALL_AXES, or_changed(), EXACT)


# --- transformer_block

transformer_block = exercise_of(
    "transformer_block",
    multi_head_attention=correct_heads, layer_norm=correct_norm, feed_forward=correct_feed,
)  # fmt: skip
BLOCK = "x + attention(norm_1(x)), then x + feed_forward(norm_2(x))."
OF_BLOCK = or_changed(models.block_mistakes)


@transformer_block.case(weight=3, property="the block on other sizes, with a mask")
def block_core(rng: random.Random) -> Inputs:
    for sizes in ((2, 3, 2, 2, 5), (3, 4, 3, 2, 4), (2, 3, 1, 3, 3)):
        p, x, H, mask = models.block_inputs(generator(rng), *sizes)
        for may in (None, mask):
            yield asked((p, x, H, may), models.block, BLOCK, OF_BLOCK, EXACT)


@transformer_block.case(weight=1, property="one row, one position; no mask")
def block_small(rng: random.Random) -> Inputs:
    for sizes in ((1, 1, 1, 2, 1), (1, 3, 2, 1, 2), (2, 1, 2, 2, 3)):
        args = models.block_inputs(generator(rng), *sizes)
        yield asked(args[:3], models.block, ALL_AXES, or_changed(), EXACT)


# --- GPT; sizes are (vocabulary, positions, blocks, heads, width of a head, B, T)

GPT = Exercise(
    "GPT",
    given={
        "transformer_block": correct_block, "layer_norm": correct_norm,
        "causal_mask": correct_mask,
    },
)  # fmt: skip
GPT.probe(method_of)


def gpt_case(rng: random.Random, hint: str, *sizes: int) -> Any:
    p, H, ids = models.gpt_inputs(generator(rng), *sizes)
    args, judge = asked((p, H, ids), models.gpt_logits, hint, models.gpt_mistakes, EXACT)
    return (args[:2], "logits", args[2]), judge


@GPT.case(weight=4, property="the logits at every position, other sizes")
def gpt_core(rng: random.Random) -> Inputs:
    hint = "Token vectors + position vectors, the blocks, the last norm, @ tokens.T."
    for sizes in ((7, 6, 2, 2, 2, 2, 4), (5, 7, 3, 1, 3, 3, 5), (6, 8, 2, 3, 2, 2, 3)):
        yield gpt_case(rng, hint, *sizes)


@GPT.case(weight=1, property="as many ids as positions, one id, one row")
def gpt_small(rng: random.Random) -> Inputs:
    for sizes in ((5, 4, 1, 1, 2, 2, 4), (3, 3, 1, 2, 1, 1, 1), (4, 5, 2, 1, 1, 1, 5)):
        yield gpt_case(rng, ALL_AXES, *sizes)


@GPT.case(weight=1, property="refuses more ids than it has positions")
def gpt_too_long(rng: random.Random) -> Inputs:
    for more in (1, rng.randint(2, 5)):
        p, H, _ = models.gpt_inputs(generator(rng), 4, 3, 1, 1, 2, 1, 2)
        ids = generator(rng).integers(0, 4, (2, 3 + more))
        yield ((p, H), "logits", ids), expect_raises(ValueError, models.TOO_LONG)


# --- count_parameters

count_parameters = exercise_of("count_parameters")


@count_parameters.case(weight=3, property="all parameters, and 12 L d^2, of other sizes")
def count_core(rng: random.Random) -> Inputs:
    hint = "Count the arrays of one block, times L, and then what is outside of the blocks."
    for _ in range(4):
        args = tuple(rng.randint(2, 60) for _ in range(4))
        yield asked(args, models.counted, hint, models.count_mistakes)


@count_parameters.case(weight=1, property="a family of large models: whole numbers")
def count_large(rng: random.Random) -> Inputs:
    hint = "Count in whole numbers: a float has 16 digits only."
    for layers, d in ((96, 12288), (24, 1024), (rng.randint(10**6, 10**7), 10**6 + 7)):
        yield asked((50257, 2048, layers, d), models.counted, hint)
