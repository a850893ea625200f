"""Attention with a cache of keys and values in unit 09: formula, mistakes, visible check.

unit: 09_decoding
"""

from typing import Any

import numpy as np

from llmcourse.checks import Mistake, compare, items, noted, visible
from llmcourse.checks.u06_judging import called
from llmcourse.checks.u08_judging import EXACT, Array, Params, array_near, flawed

PARTS = ("the output", "the keys", "the values")
CACHE = (
    "Project x to q, k, v; append k and v to those of the cache; position t of x attends to the S "
    "cached positions and to those of x up to t."
)
CACHE_FORM = "Return a pair: the output (B, T, C), and the pair (keys, values), each (B, S + T, D)."
OTHER = "The same holds for one row, one position, other sizes, and without a cache."


def weighted(q: Array, keys: Array, values: Array, may: Array, scale: float) -> Array:
    """Return the attention of each query, one after the other, (B, T, D)."""
    rows = []
    for b in range(len(q)):
        for t, query in enumerate(q[b]):
            scores = np.where(may[t], keys[b] @ query * scale, -np.inf)
            e = np.exp(scores - scores.max())
            rows.append(np.einsum("s,sd->d", e / e.sum(), values[b]))
    return np.array(rows).reshape(q.shape[:2] + values.shape[2:])


def attended(p: Params, x: Array, cache: Any = None, flaw: str = "") -> Any:
    """Return (output, (keys, values)) of causal attention behind a cache."""
    q, k, v = (np.einsum("btc,dc->btd", x, p[name]) for name in ("W_q", "W_k", "W_v"))
    before = (k[:, :0], v[:, :0]) if cache is None else cache
    if flaw == "reads x":
        k = v = x
    pieces = [(before[0], k), (before[1], v)]
    if flaw == "new first":
        pieces = [(new, old) for old, new in pieces]
    if flaw == "cache ignored":
        pieces = [(k,), (v,)]
    if flaw == "values of keys":
        pieces[1] = (before[1], k)
    keys, values = (np.concatenate(parts, axis=1) for parts in pieces)
    T, S = x.shape[1], keys.shape[1]
    may = np.arange(S) <= np.arange(T)[:, None] + S - T
    if flaw == "no mask":
        may = np.ones((T, S), bool)
    if flaw == "mask from 0":
        may = np.arange(S) <= np.arange(T)[:, None]
    if flaw == "not itself":
        may = np.arange(S) < np.arange(T)[:, None] + S - T
        may[:, 0] |= ~may.any(axis=1)
    D = q.shape[2]
    scale = {"unscaled": 1.0, "by D": 1 / D, "by C": x.shape[2] ** -0.5}.get(flaw, D**-0.5)
    out = weighted(q, keys, values, may, scale)
    held = (k, v) if flaw == "only new held" else (keys, values)
    held = held[::-1] if flaw == "exchanged" else before if flaw == "not appended" else held
    return (out if flaw == "no W_o" else np.einsum("btd,cd->btc", out, p["W_o"])), held


CACHE_FLAWS = {
    "new first": "New keys and values come BEHIND those of the cache.",
    "cache ignored": "The cache has no influence: put its keys and values before the new ones.",
    "values of keys": "The new values are x @ W_v.T, not the keys.",
    "no mask": "New positions must not see later ones: T new positions need a causal mask.",
    "mask from 0": "Position t of x is position S + t of the text: it sees the whole cache.",
    "not itself": "A position sees itself, too.",
    "unscaled": "Divide the scores by sqrt(D).",
    "by D": "Divide the scores by the ROOT of D.",
    "by C": "The scale is the root of the width D of the keys, not of C.",
    "only new held": "The returned cache holds the old keys and values, too.",
    "not appended": "The returned cache holds the new keys and values, too.",
    "exchanged": "The cache is the pair (keys, values), in this order.",
    "no W_o": "The output is the weighted values times W_o: @ W_o.T.",
}


def cache_inputs(rng: Any, B: int, T: int, S: int, C: int, D: int) -> Any:
    """Return parameters, x (B, T, C), and a cache of S positions, None for S = 0."""
    p = {name: rng.normal(0, 0.8, (D, C)) for name in ("W_q", "W_k", "W_v")}
    p["W_o"] = rng.normal(0, 0.8, (C, D))
    x = rng.normal(size=(B, T, C))
    return p, x, (rng.normal(size=(B, S, D)), rng.normal(size=(B, S, D))) if S else None


def cache_mistakes(p: Params, x: Array, cache: Any = None) -> list[Mistake]:
    want = attended(p, x, cache)
    known = flawed(attended, (p, x, cache), CACHE_FLAWS)
    return [m for m in known if compare(m.value, want, EXACT) is not None]


def attended_near(got: Any, args: Any, form: str, hint: str) -> None:
    """Fail unless output, keys and values are those of the formula."""
    out, (keys, values) = attended(*args)
    known = [m.hint for m in cache_mistakes(*args) if compare(got, m.value, EXACT) is None]
    mine, held = items(got, 2, form)
    for array, right, name in zip((mine, *items(held, 2, form)), (out, keys, values), PARTS,
                                  strict=True):  # fmt: skip
        array_near(array, right, name, (known or [form])[0], (known or [hint])[0])


@visible
def cached_attention(answer):
    rng = np.random.default_rng(7)
    args = cache_inputs(rng, 2, 3, 4, 5, 3)
    attended_near(called(answer, args), args, CACHE_FORM, CACHE)
    args = cache_inputs(rng, 2, 4, 0, 3, 2)
    without = "Without a cache (None) it is causal attention, and the cache begins with x."
    with noted(without):
        got = called(answer, args[:2])
    attended_near(got, args[:2], CACHE_FORM, without)
    for sizes in ((1, 1, 5, 2, 2), (1, 1, 1, 1, 1), (3, 2, 1, 2, 4), (2, 1, 0, 3, 3)):
        args = cache_inputs(rng, *sizes)
        with noted(OTHER):
            got = called(answer, args)
        attended_near(got, args, CACHE_FORM, OTHER)
