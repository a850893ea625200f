"""A GPT in numpy, one function for each part: what `transformer` does, written to be read.

The parameters of a linear layer are `W_name` (outputs, inputs) and `b_name`; those of a block are a
dictionary with the keys norm_1, attention, norm_2 and feed_forward; those of a GPT have the keys
tokens (V, C), positions (context_length, C), blocks and norm. The head is tied. `params_of` takes
them out of a `Decoder`.

Not here: gradients, other norms and positions, which `transformer` has.

source: Vaswani et al. 2017, arXiv:1706.03762; Radford et al. 2019 (GPT-2).
unit: 08_transformers
"""

import math
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from llmcourse.models.transformer import Decoder

Array = Float[np.ndarray, "..."]
Params = dict[str, Any]


def scaled_dot_product_attention(
    q: Array, k: Array, v: Array, mask: Bool[np.ndarray, "..."] | None = None
) -> Array:
    """Return softmax(q k^T / sqrt(D)) v, (..., T, width of v).

    q (..., T, D), k (..., S, D), v (..., S, width); mask: broadcast to (..., T, S), True = may
    attend. A query that may attend to nothing gets zeros.
    """
    scores = q @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    largest = scores.max(axis=-1, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(largest), largest, 0))  # exp(-inf) = 0
    total = e.sum(axis=-1, keepdims=True)
    return (e / np.where(total > 0, total, 1)) @ v


def causal_mask(T: int, S: int | None = None) -> Bool[np.ndarray, "T S"]:
    """Return which of S keys each of T queries may attend to; the last query is the last key."""
    S = T if S is None else S
    return np.arange(S) <= np.arange(T)[:, None] + S - T


def multi_head_attention(
    params: Params,
    x: Float[np.ndarray, "B T C"],
    n_heads: int,
    memory: Float[np.ndarray, "B S C"] | None = None,
    mask: Bool[np.ndarray, "..."] | None = None,
) -> Float[np.ndarray, "B T C"]:
    """Return n_heads attentions side by side, mixed by W_o; keys and values from the memory.

    memory: x itself by default; mask: broadcast to (B, n_heads, T, S).
    """

    def heads(name: str, rows: Array) -> Array:
        projected = linear(params, name, rows)
        return projected.reshape(*rows.shape[:2], n_heads, -1).swapaxes(1, 2)  # (B, H, T, D)

    source = x if memory is None else memory
    mixed = scaled_dot_product_attention(
        heads("q", x), heads("k", source), heads("v", source), mask
    )
    return linear(params, "o", mixed.swapaxes(1, 2).reshape(x.shape))


def linear(params: Params, name: str, x: Array) -> Array:
    """Return x @ W_name.T + b_name."""
    return x @ params[f"W_{name}"].T + params[f"b_{name}"]


def sinusoidal_positions(n: int, d_model: int) -> Float[np.ndarray, "n C"]:
    """Return a vector for each position: pairs of sine and cosine of position / 10000^(2i / C)."""
    angles = np.arange(n)[:, None] / 10_000 ** (np.arange(0, d_model, 2) / d_model)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(n, d_model)


def layer_norm(x: Array, weight: Array, bias: Array, eps: float = 1e-5) -> Array:
    """Return each vector of x with mean 0 and variance 1, times the weight, plus the bias."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    return weight * centred / np.sqrt(variance + eps) + bias


def feed_forward(params: Params, x: Array) -> Array:
    """Return two linear layers with gelu (tanh form) between them."""
    a = linear(params, "1", x)
    gelu = a / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a**3)))
    return linear(params, "2", gelu)


def transformer_block(
    params: Params,
    x: Float[np.ndarray, "B T C"],
    n_heads: int,
    mask: Bool[np.ndarray, "..."] | None = None,
) -> Float[np.ndarray, "B T C"]:
    """Return x + attention(norm_1(x)) = y, and then y + feed_forward(norm_2(y))."""
    normed = layer_norm(x, **params["norm_1"])
    x = x + multi_head_attention(params["attention"], normed, n_heads, mask=mask)
    return x + feed_forward(params["feed_forward"], layer_norm(x, **params["norm_2"]))


class GPT:
    """A language model: ids (B, T) to logits (B, T, V), with the head tied to the token vectors."""

    def __init__(self, params: Params, n_heads: int) -> None:
        self.params, self.n_heads = params, n_heads

    def logits(self, ids: Int[np.ndarray, "B T"]) -> Float[np.ndarray, "B T V"]:
        """Return the logits of the next token at every position.

        Raises ValueError for more ids than positions.
        """
        p, T = self.params, ids.shape[1]
        if len(p["positions"]) < T:
            raise ValueError(f"expected at most {len(p['positions'])} ids, got {T}: cut the text")
        x = p["tokens"][ids] + p["positions"][:T]
        for block in p["blocks"]:
            x = transformer_block(block, x, self.n_heads, causal_mask(T))
        return layer_norm(x, **p["norm"]) @ p["tokens"].T


def count_parameters(
    vocab_size: int, context_length: int, n_layers: int, d_model: int
) -> tuple[int, int]:
    """Return the number of parameters of a GPT with feed-forward width 4 d, and 12 L d^2.

    >>> count_parameters(50257, 1024, 12, 768)  # GPT-2, the smallest
    (124439808, 84934656)
    """
    L, d = n_layers, d_model
    attention, feed, norms = 4 * (d * d + d), 8 * d * d + 5 * d, 4 * d
    total = L * (attention + feed + norms) + 2 * d + (vocab_size + context_length) * d
    return total, 12 * L * d * d


def params_of(model: Decoder) -> Params:
    """Return the parameters of a decoder of GPT-2's form as arrays, named as in this module."""
    state = {name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}

    def linear_of(name: str, ours: str) -> Params:
        return {f"W_{ours}": state[f"{name}.weight"], f"b_{ours}": state[f"{name}.bias"]}

    def norm_of(name: str) -> Params:
        return {"weight": state[f"{name}.weight"], "bias": state[f"{name}.bias"]}

    def block_of(at: str) -> Params:
        W, b = (np.split(state[f"{at}.attention.qkv.{part}"], 3) for part in ("weight", "bias"))
        attention = linear_of(f"{at}.attention.out", "o")
        for name, weight, bias in zip("qkv", W, b, strict=True):
            attention |= {f"W_{name}": weight, f"b_{name}": bias}
        up, down = (linear_of(f"{at}.feed_forward.{n}", k) for n, k in (("up", "1"), ("down", "2")))
        return {
            "norm_1": norm_of(f"{at}.attention_norm"), "attention": attention,
            "norm_2": norm_of(f"{at}.feed_forward_norm"), "feed_forward": up | down,
        }  # fmt: skip

    blocks = [block_of(f"blocks.{i}") for i in range(model.config.n_layers)]
    return {
        "tokens": state["embed.weight"], "positions": state["positions.weight"],
        "blocks": blocks, "norm": norm_of("norm"),
    }  # fmt: skip
