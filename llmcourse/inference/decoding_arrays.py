"""Decoding on plain arrays, one function for each idea, written to be read.

The model is a function: `next_logits(ids)` returns the logits (V,) of the token after a text, a
list of ids. What `decoding`, `filters` and `cache` do fast, and for batches, is here in the open.

Not here: stop strings, streaming, batches of prompts, which `decoding` has.

source: Holtzman et al. 2020, arXiv:1904.09751; Leviathan et al. 2023, arXiv:2211.17192, alg. 1;
Wu et al. 2016, arXiv:1609.08144, section 7 (a length penalty).
unit: 09_decoding
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

Array = Float[np.ndarray, "..."]
NextLogits = Callable[[list[int]], Array]


def log_softmax(logits: Array) -> Array:
    """Return log-probabilities along the last axis."""
    z = logits - logits.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def draw(probs: Array, u: float) -> int:
    """Return the first id whose running sum of probabilities is above u, a number in [0, 1)."""
    sums = np.cumsum(probs)
    # Rounding may leave the last sum below u: then the last id that has a probability.
    return int(min(np.searchsorted(sums, u, side="right"), np.flatnonzero(probs)[-1]))


def greedy(next_logits: NextLogits, prompt: Sequence[int], n: int, end: int) -> list[int]:
    """Return at most n new ids, each the most probable; the end token is the last one.

    Ties go to the lowest id.
    """
    ids: list[int] = []
    while len(ids) < n and end not in ids:
        ids.append(int(np.argmax(next_logits([*prompt, *ids]))))
    return ids


def temperature_logits(logits: Array, temperature: float) -> Array:
    """Return logits / temperature; ValueError unless the temperature is above 0."""
    if temperature <= 0:
        raise ValueError(f"expected a temperature above 0, got {temperature}: take greedy")
    return logits / temperature


def top_k_filter(logits: Float[np.ndarray, "B V"], k: int) -> Float[np.ndarray, "B V"]:
    """Return the logits with -inf at all but the k largest of a row; ties go to the lowest id."""
    order = np.argsort(-logits, axis=1, kind="stable")
    filtered = np.full_like(logits, -np.inf)
    np.put_along_axis(filtered, order[:, :k], np.take_along_axis(logits, order[:, :k], 1), 1)
    return filtered


def top_p_filter(logits: Float[np.ndarray, "B V"], p: float) -> Float[np.ndarray, "B V"]:
    """Return the logits with -inf at all but the fewest tokens whose probabilities sum to p."""
    order = np.argsort(-logits, axis=1, kind="stable")
    probs = np.exp(log_softmax(np.take_along_axis(logits, order, 1)))
    before = np.cumsum(probs, axis=1) - probs
    kept = np.zeros(logits.shape, bool)
    np.put_along_axis(kept, order, before < p, 1)
    return np.where(kept, logits, -np.inf)


def repetition_penalty(
    logits: Float[np.ndarray, "B V"], ids: Int[np.ndarray, "B S"], penalty: float
) -> Float[np.ndarray, "B V"]:
    """Return the logits with those of tokens in ids made smaller, each once."""
    seen = np.zeros(logits.shape, bool)
    np.put_along_axis(seen, ids, True, 1)
    return np.where(seen, np.where(logits > 0, logits / penalty, logits * penalty), logits)


def beam_search(
    next_logits: NextLogits, prompt: Sequence[int], width: int, n: int, end: int, alpha: float
) -> list[tuple[list[int], float]]:
    """Return pairs (new ids, sum of log-probabilities / length ** alpha), best first.

    Each step keeps the `width` best candidates; those that end are finished. Texts that are open
    after n steps belong to the result.
    """
    still, over = [(list[int](), 0.0)], list[tuple[list[int], float]]()
    for _ in range(n):
        longer = []
        for ids, total in still:
            step = log_softmax(next_logits([*prompt, *ids]))
            best = np.argsort(-step, kind="stable")[:width]
            longer += [([*ids, int(i)], total + float(step[i])) for i in best]
        longer.sort(key=lambda one: -one[1])
        over += [one for one in longer[:width] if one[0][-1] == end]
        still = [one for one in longer[:width] if one[0][-1] != end]
    found = [(ids, total / max(1, len(ids)) ** alpha) for ids, total in over + still]
    return sorted(found, key=lambda one: -one[1])


def cached_attention(
    params: dict[str, Array], x: Float[np.ndarray, "B T C"], cache: Any = None
) -> tuple[Array, tuple[Array, Array]]:
    """Return the output (B, T, C) of causal attention, and the cache with T more keys and values.

    cache: a pair of keys and values (B, S, D), or None.
    """
    q, k, v = (x @ params[name].T for name in ("W_q", "W_k", "W_v"))
    if cache is not None:
        k, v = np.concatenate([cache[0], k], axis=1), np.concatenate([cache[1], v], axis=1)
    T, S = q.shape[1], k.shape[1]
    scores = q @ k.swapaxes(1, 2) / math.sqrt(q.shape[2])
    weights = np.exp(log_softmax(np.where(np.tri(T, S, S - T, dtype=bool), scores, -np.inf)))
    return weights @ v @ params["W_o"].T, (k, v)


def speculative_decode(
    target: Callable[[list[int], list[int]], Array],
    draft: Callable[[list[int]], Array],
    prompt: Sequence[int],
    n: int,
    k: int,
    uniform: Callable[[], float],
) -> list[int]:
    """Return n ids drawn from the target, which judges k guesses of the draft in one call.

    target(ids, guesses): probabilities (k + 1, V) of the token after ids + guesses[:i];
    draft(ids): probabilities (V,). Every draw and every acceptance takes one `uniform()`.
    """
    text = list(prompt)
    while len(text) < len(prompt) + n:
        q, guesses = list[Array](), list[int]()
        for _ in range(k):
            q.append(draft(text + guesses))
            guesses.append(draw(q[-1], uniform()))
        p, kept = target(text, guesses), 0
        while kept < k and uniform() < p[kept][guesses[kept]] / q[kept][guesses[kept]]:
            kept += 1
        rest = p[k] if kept == k else np.maximum(p[kept] - q[kept], 0)
        text += [*guesses[:kept], draw(rest / rest.sum(), uniform())]
    return text[len(prompt) :][:n]
