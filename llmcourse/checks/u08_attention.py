"""Attention in unit 08: formulas as sums over indices, the mistakes in them, the visible checks.

unit: 08_transformers
"""

from contextlib import nullcontext
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, diagnosed, fail, noted, visible
from llmcourse.checks.arrays import as_array
from llmcourse.checks.u06_judging import ALL_AXES, called
from llmcourse.checks.u08_judging import (
    Array,
    Params,
    agrees,
    array_near,
    flawed,
    random_linear,
)

ROWS = "The matrices have outputs as rows: x @ W.T + b."
SCORES = "Scores are q @ k.swapaxes(-1, -2): one row for each query, one column for each key."
LARGE = "Subtract the largest score of each row before np.exp: exp(1000) overflows."
NOTHING_SEEN = "A query whose row of the mask is all False gets zeros, not nan and not a mean."

# --- scaled_dot_product_attention


def attend(q: Array, k: Array, v: Array, mask: Any = None, flaw: str = "") -> Array:
    """Return softmax(q k^T / sqrt(D)) v, row by row; flaw: what is done wrongly, if anything."""
    if flaw == "swapped":
        q, k = k, q
    D = (v if flaw == "width of v" else q).shape[-1]
    may = True if mask is None else np.asarray(mask)
    if flaw == "inverted":
        may = ~np.asarray(may)
    scores = np.einsum("...td,...sd->...ts", q, k)
    scores = scores / {"unscaled": 1.0, "by D": D, "times": D**-0.5}.get(flaw, D**0.5)
    may = np.broadcast_to(may, scores.shape)
    if flaw == "added":
        scores = scores + may
    counted = np.ones_like(may) if flaw in ("late", "added", "ignored") else may
    axis = -2 if flaw == "axis" else -1
    top = np.where(counted, scores, -np.inf).max(axis=axis, keepdims=True)
    e = np.exp(np.where(counted, scores - np.where(np.isfinite(top), top, 0), -np.inf))
    total = e.sum(axis=axis, keepdims=True)
    weights = e / np.where(total > 0, total, 1)
    if flaw == "late":
        weights = weights * may
    if flaw == "no softmax":
        weights = np.where(may, scores, 0)
    if flaw == "unnormalised":
        weights = np.where(may, np.exp(scores), 0)
    if flaw == "mean":
        weights = np.where(may.any(-1, keepdims=True), weights, 1 / may.shape[-1])
    return np.einsum("...ts,...sd->...td", weights, v)


ATTENTION_FLAWS = {
    "unscaled": "Divide the scores by the square root of D.",
    "by D": "Divide by the square root of D, not by D.",
    "width of v": "D is the width of q and k, not of v: math.sqrt(q.shape[-1]).",
    "times": "Divide by the square root of D: you multiplied by it.",
    "axis": "Each query's weights sum to 1: softmax over the keys, axis=-1.",
    "swapped": "A row belongs to a query: q @ k.swapaxes(-1, -2), not k @ q.swapaxes(-1, -2).",
    "inverted": "The mask has the other meaning: True = may attend.",
    "late": "Mask before the softmax: weights set to 0 after it no longer sum to 1.",
    "added": "Adding a boolean mask adds 0 or 1 to the scores: set hidden scores to -inf.",
    "ignored": "The mask has no influence: set hidden scores to -inf.",
    "no softmax": "The weights need a softmax over the keys.",
    "unnormalised": "Divide the exponentials by their sum over the keys.",
    "mean": NOTHING_SEEN,
}


def attention_inputs(
    rng: Any, lead: tuple[int, ...], T: int, S: int, D: int, width: int, size: float = 1.5
) -> Any:
    """Return q, k, v and a mask (T, S) in which each query may attend to one key or more."""
    q, k = (rng.normal(0, size, (*lead, rows, D)) for rows in (T, S))
    mask = rng.random((T, S)) < 0.6
    mask[np.arange(T), rng.integers(0, S, T)] = True
    if T > 1 and S > 1:
        mask[0] = np.arange(S) == 0  # one query sees a single key, so a mask always matters
    return q, k, rng.normal(size=(*lead, S, width)), mask


def attention_mistakes(q: Array, k: Array, v: Array, mask: Any = None) -> list[Mistake]:
    return flawed(attend, (q, k, v, mask), ATTENTION_FLAWS)


def unseeing(rng: Any, T: int, S: int) -> Any:
    """Return inputs whose mask hides all keys from the first query, and from the last row."""
    q, k, v, mask = attention_inputs(rng, (2,), T, S, 3, 2)
    mask[0] = False
    return q, k, v, mask


@visible
def scaled_dot_product_attention(answer):
    what, form = "the result", "It is (..., T, width of v): weights @ v."
    hint = "softmax(q k^T / sqrt(D)) v, with the softmax over the keys."
    rng = np.random.default_rng(1)
    for lead in ((), (2, 3)):
        q, k, v, mask = attention_inputs(rng, lead, 3, 4, 5, 2)
        for args in ((q, k, v), (q, k, v, mask)):
            with np.errstate(all="ignore"):
                got = called(answer, args, product=SCORES, sums="The mask is (T, S).")
            array_near(got, attend(*args), what, form, hint, *attention_mistakes(*args))
    q, k, v, _ = attention_inputs(rng, (3, 2), 4, 5, 2, 3)
    padding = np.arange(5) < np.array([5, 2, 3])[:, None, None, None]
    many = "The mask can have leading axes too, such as (B, 1, 1, S): let it broadcast."
    agrees(answer, attend, [(q, k, v, padding)], what, many)
    agrees(answer, attend, [unseeing(rng, 3, 4), unseeing(rng, 1, 2)], what, NOTHING_SEEN)
    large = attention_inputs(rng, (2,), 3, 4, 4, 2, size=60.0)
    agrees(answer, attend, [large[:3], large], what, LARGE)
    for sizes in ((1, 1, 1, 1), (2, 1, 3, 2), (1, 4, 2, 3), (3, 3, 3, 3)):
        args = attention_inputs(rng, (2,), *sizes)
        agrees(answer, attend, [args[:3], args], what, ALL_AXES)


# --- causal_mask


def causal(T: int, S: Any = None, flaw: str = "") -> Array:
    """Return which of S keys each of T queries may attend to, the last query being the last key."""
    S = T if S is None else S
    shift = {"top left": 0, "one more": S - T + 1, "one less": S - T - 1}.get(flaw, S - T)
    mask = np.array([[j <= i + shift for j in range(S)] for i in range(T)]).reshape(T, S)
    if flaw == "future":
        mask = np.array([[j >= i + shift for j in range(S)] for i in range(T)]).reshape(T, S)
    return ~mask if flaw == "inverted" else mask


CAUSAL_FLAWS = {
    "inverted": "True means may attend: yours is True for what is hidden.",
    "future": "A query sees the past, not the future: keys j <= i, the lower triangle.",
    "one less": "A query may attend to its own position: the diagonal is True.",
    "one more": "Each query sees one key too many: the key after it is the future.",
    "top left": "With more keys than queries the last query is the last key: shift by S - T.",
}


def causal_mistakes(T: int, S: Any = None) -> list[Mistake]:
    return flawed(causal, (T, S), CAUSAL_FLAWS)


@visible
def causal_mask(answer):
    for args in ((3,), (3, 5), (1, 4), (1,), (4, 4), (2, 3)):
        got = called(answer, args)
        want = causal(*args)
        if got is not None and getattr(as_array(got), "shape", None) != want.shape:
            fail(f"expected the shape (T, S) = {want.shape}.", hint="Rows are queries.")
        known = causal_mistakes(*args)
        told = [m for m in known if not np.array_equal(m.value, want)]
        if got is not None and as_array(got).dtype.kind != "b":
            numbers = as_array(got)
            if np.array_equal(numbers, want):
                fail("the mask should be boolean.", hint="Return booleans, True = may attend.")
            if np.array_equal(numbers, np.where(want, 0, -np.inf)):
                fail("the mask should be boolean.", hint="Return booleans, not 0 and -inf.")
        diagnosed(got, want, "Key j is visible to query i if j <= i + S - T.", *told)


# --- multi_head_attention

PARTS = "qkvo"
MEMORY = "With a memory, keys and values come from it, and the queries from x."


def heads_inputs(rng: Any, B: int, T: int, C: int, memory: int = 0) -> Any:
    """Return parameters, x (B, T, C) and memory (B, memory, C), which is None for 0."""
    seen = rng.normal(size=(B, memory, C)) if memory else None
    return random_linear(rng, PARTS, C, C), rng.normal(size=(B, T, C)), seen


def multi_head(
    p: Params, x: Array, n_heads: int, memory: Any = None, mask: Any = None, flaw: str = ""
) -> Array:
    """Return what the heads, one after the other, read from x or from the memory."""
    if flaw == "memory ignored":
        memory = None
    if flaw == "mask ignored":
        mask = None
    source = x if memory is None else memory
    read = {"q": x, "k": source, "v": x if flaw == "values of x" else source}
    if flaw == "queries of memory":
        read["q"] = source
    (B, T, C), H = x.shape, 1 if flaw == "one head" else n_heads
    D = C // H
    rows = {}
    for name, given in read.items():
        W = p[f"W_{name}"]
        rows[name] = np.einsum("btc,oc->bto", given, W.T if flaw == "rows" else W)
        rows[name] = rows[name] + (0 if flaw == f"no b_{name}" else p[f"b_{name}"])
    joined = np.zeros((B, read["q"].shape[1], C))
    for h in range(H):
        at = slice(h * D, (h + 1) * D)
        if flaw in ("split", "reshape"):
            q, k, v = (r.reshape(B, H, -1, D)[:, h] for r in rows.values())
        elif flaw == "interleaved":
            q, k, v = (r[..., h::H] for r in rows.values())
        else:
            q, k, v = (r[..., at] for r in rows.values())
        seen = mask
        if mask is not None:
            full = np.broadcast_to(mask, (B, H if np.ndim(mask) == 4 else 1, T, source.shape[1]))
            seen = full[:, h % full.shape[1]]
        joined[..., at] = attend(q, k, v, seen)
    if flaw == "no swap":
        joined = attend(*(r.reshape(B, -1, H, D) for r in rows.values()), mask).reshape(x.shape)
    if flaw in ("merge", "reshape"):
        joined = joined.reshape(B, T, H, D).swapaxes(1, 2).reshape(B, T, C)
    if flaw == "no W_o":
        return joined
    W = p["W_o"]
    out = np.einsum("btc,oc->bto", joined, W.T if flaw == "rows" else W)
    return out + (0 if flaw == "no b_o" else p["b_o"])


HEADS_FLAWS = {
    "rows": ROWS,
    "split": "Heads are blocks of columns: reshape to (B, T, H, D), then swap the axes 1 and 2.",
    "reshape": "A reshape alone mixes positions with heads: (B, T, H, D), then swap axes 1 and 2.",
    "no swap": "After the reshape to (B, T, H, D) swap axes 1 and 2: a head needs all positions.",
    "interleaved": "Head h has the columns h D to (h + 1) D - 1: reshape to (B, T, H, D).",
    "merge": "Before the heads are joined, swap the axes back: (B, T, H, D), then (B, T, C).",
    "one head": "n_heads has no influence: each head attends with its own D = C / H columns.",
    "no W_o": "The output projection is missing: joined @ W_o.T + b_o.",
    "memory ignored": "With a memory, keys and values come from it.",
    "values of x": "The values come from the memory, as the keys do.",
    "queries of memory": "The queries come from x, also with a memory.",
    "mask ignored": "The mask has no influence: pass it on.",
    **{f"no b_{name}": f"The bias b_{name} is missing." for name in PARTS if name != "k"},
}


def heads_mistakes(
    p: Params, x: Array, n_heads: int, memory: Any = None, mask: Any = None
) -> list[Mistake]:
    right = multi_head(p, x, n_heads, memory, mask)
    known = flawed(multi_head, (p, x, n_heads, memory, mask), HEADS_FLAWS)
    return [m for m in known if m.value.shape != right.shape or not np.allclose(m.value, right)]


def heads_arguments(rng: Any, B: int, T: int, H: int, D: int, memory: int) -> list[Any]:
    """Return the arguments of calls: without and with a mask, without and with a memory."""
    p, x, seen = heads_inputs(rng, B, T, H * D, memory)
    padding = np.arange(memory) < np.maximum(1, memory - np.arange(B))[:, None, None, None]
    return [(p, x, H), (p, x, H, None, causal(T)), (p, x, H, seen), (p, x, H, seen, padding)]


@visible
def multi_head_attention(answer):
    what, rng = "the result", np.random.default_rng(2)
    hint = "Does scaled_dot_product_attention pass its own check? Are the heads split and joined?"
    for args in heads_arguments(rng, 2, 3, 2, 3, 4):
        crossed = len(args) > 3 and args[3] is not None
        with noted(MEMORY) if crossed else nullcontext():
            got = called(answer, args, product="Do the shapes fit? Heads are (B, H, T, D).")
        mistakes = heads_mistakes(*args)
        array_near(got, multi_head(*args), what, "It is (B, T, C), as x.", hint, *mistakes)
    for sizes in ((1, 1, 1, 1, 1), (3, 2, 1, 4, 3), (2, 4, 4, 1, 2), (1, 3, 3, 2, 5)):
        without, with_memory = (heads_arguments(rng, *sizes)[at] for at in (np.s_[:2], np.s_[2:]))
        agrees(answer, multi_head, without, what)
        agrees(answer, multi_head, with_memory, what, MEMORY)
