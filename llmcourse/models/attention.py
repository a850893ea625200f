"""Scaled dot-product attention: the formula, torch's fused kernel, and the banded form of a window.

softmax(q k^T / sqrt(D)) v, with masks, grouped heads, sliding windows and soft caps. Masks are
boolean, True = may attend. What differs from torch, on purpose:

- A query that may attend to nothing gets zeros, with finite gradients. The formula as it is
  written gives nan, and an additive mask of -1e9 the mean of all values.
- `causal` aligns the last query with the last key, as reading on from a cache of keys needs it.
  torch's `is_causal` aligns the first ones, so with T = 1 new query it sees the first key only.
- `torch.nn.MultiheadAttention` reads a boolean mask the other way round (True = hidden).

Not here: dropout of weights, biases that are added to the scores.

source: Vaswani et al. 2017, arXiv:1706.03762, eq. 1; Ainslie et al. 2023, arXiv:2305.13245 (grouped
heads); Beltagy et al. 2020, arXiv:2004.05150 (window); Gemma 2, arXiv:2408.00118 (soft cap).
unit: 08_transformers
"""

from functools import partial
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.models.positions import rotate
from llmcourse.models.transformer_config import TransformerConfig

if TYPE_CHECKING:  # unit 09's; no module of this unit needs it to run
    from llmcourse.models.cache import LayerCache

Rotation = tuple[Float[Tensor, "... T half"], Float[Tensor, "... T half"]]  # cos and sin

# A window is worth the banded form when the text is this many times as long: at T = 4 W, blocks see
# 2 W keys a query, the causal kernel T / 2 on average.
BANDED_FROM = 4
# Up to this many elements of q in a head, T D, the backward pass of torch's kernel on a processor
# is slower in bfloat16 than in float32: five times at T = 128 and D = 32.
SHORT = 1 << 15
SMALLEST_BLOCK = 32  # queries in a block of the banded form; smaller ones leave the processor idle


def causal_mask(
    T: int, S: int | None = None, window: int | None = None, device: torch.device | None = None
) -> Bool[Tensor, "T S"]:
    """Return which of S keys (None: T) each of T queries may attend to: none after itself.

    The last query is at the position of the last key. With a window, a query sees itself and the
    window - 1 keys before it.

    >>> causal_mask(2, 4, window=2).int().tolist()
    [[0, 1, 1, 0], [0, 0, 1, 1]]
    """
    S = T if S is None else S
    queries = torch.arange(S - T, S, device=device)[:, None]  # positions, counted as the keys are
    keys = torch.arange(S, device=device)
    mask = keys <= queries
    return mask if window is None else mask & (keys > queries - window)


def attention_weights(
    q: Float[Tensor, "B H T D"],
    k: Float[Tensor, "B G S D"],
    mask: Bool[Tensor, "..."] | None = None,
    *,
    causal: bool = False,
    window: int | None = None,
    soft_cap: float | None = None,
    scale: float | None = None,
) -> Float[Tensor, "B H T S"]:
    """Return the fraction of attention that each query gives to each key; a row sums to 1 or is 0.

    mask: broadcast to (B, H, T, S), True = may attend; with `causal` both must allow a pair.
    soft_cap: scores stay between -soft_cap and soft_cap. scale: D ** -0.5 by default.
    H is a multiple of G: H / G consecutive heads of queries share the keys of one group.

    Raises ValueError for a window that is not causal and for H that G does not divide.
    """
    _refuse(q, k, mask, causal, window)
    allowed = _allowed(q, k, mask, causal, window)
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    scores = _product_by_group(q, k.mT) * scale  # (B, H, T, S)
    if soft_cap is not None:
        scores = soft_cap * torch.tanh(scores / soft_cap)
    if allowed is None:
        return scores.softmax(dim=-1)
    # The lowest finite number, not -inf: a row without any key would be nan. The second fill turns
    # such a row, uniform after the softmax, into zeros, and cuts its gradients.
    lowest = torch.finfo(scores.dtype).min
    weights = scores.masked_fill(~allowed, lowest).softmax(dim=-1)
    return weights.masked_fill(~allowed, 0)


def scaled_dot_product_attention(
    q: Float[Tensor, "B H T D"],
    k: Float[Tensor, "B G S D"],
    v: Float[Tensor, "B G S D"],
    mask: Bool[Tensor, "..."] | None = None,
    *,
    causal: bool = False,
    window: int | None = None,
    soft_cap: float | None = None,
    scale: float | None = None,
    fused: bool = True,
) -> Float[Tensor, "B H T D"]:
    """Return the mean of the values for each query, weighted by `attention_weights`.

    fused: never hold all weights at once. Takes torch's kernel where it gives equal results, which
    leaves out the soft cap, and for a window much shorter than the text the banded form.
    """
    if not fused or soft_cap is not None:
        weights = attention_weights(
            q, k, mask, causal=causal, window=window, soft_cap=soft_cap, scale=scale
        )
        return _product_by_group(weights, v)
    _refuse(q, k, mask, causal, window)
    T, S = q.shape[2], k.shape[2]
    if T == 1 and (window is None or window >= S):  # the newest query may see every key
        causal = False
    if mask is None and causal:
        if window is not None and max(window, SMALLEST_BLOCK) * BANDED_FROM <= T:
            return _banded(q, k, v, window, scale)
        if window is None and T == S:  # the one alignment that torch's is_causal and ours share
            return _kernel(q, k, v, None, scale, causal=True)
    allowed = _allowed(q, k, mask, causal, window)
    return _kernel(q, k, v, allowed, scale)


def _refuse(q: Tensor, k: Tensor, mask: Tensor | None, causal: bool, window: int | None) -> None:
    """Raise an error of one line for what would give a result that nobody means."""
    if q.shape[1] % k.shape[1]:
        raise ValueError(
            f"expected a number of query heads that {k.shape[1]} key heads divide, got "
            f"{q.shape[1]}: give each group of heads equally many"
        )
    if mask is not None and mask.dtype != torch.bool:
        raise TypeError(
            f"expected a boolean mask, True = may attend, got {mask.dtype}: compare first "
            "(mask == 0 for an additive one)"
        )
    if window is not None and not (causal and window >= 1):
        raise ValueError(
            f"expected a window of at least 1 with causal=True, got {window} with causal={causal}: "
            "a query sees itself and the window - 1 positions before it"
        )


def _allowed(
    q: Tensor, k: Tensor, mask: Tensor | None, causal: bool, window: int | None
) -> Tensor | None:
    """Return the mask of both kinds together, None if every query may attend to every key."""
    if not causal:
        return mask
    past = causal_mask(q.shape[2], k.shape[2], window, q.device)
    return past if mask is None else past & mask


def _kernel(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    allowed: Tensor | None,
    scale: float | None,
    causal: bool = False,
) -> Tensor:
    """Return the result of torch's kernel, in float32 where bfloat16 would be slow to train."""
    dtype, where = q.dtype, q.device.type
    trained = where == "cpu" and q.requires_grad and torch.is_grad_enabled()
    short = q.shape[2] * q.shape[3] <= SHORT
    if not (trained and short) or dtype not in (torch.bfloat16, torch.float16):
        return F.scaled_dot_product_attention(
            q, k, v, allowed, is_causal=causal, scale=scale, enable_gqa=q.shape[1] != k.shape[1]
        )
    with torch.autocast(where, enabled=False):  # it would cast back
        return _kernel(q.float(), k.float(), v.float(), allowed, scale, causal).to(dtype)


def _product_by_group(x: Tensor, y: Tensor) -> Tensor:
    """Return x @ y, (B, H, T, N), for x (B, H, T, M) and one y (B, G, M, N) per H / G heads."""
    (B, H, T, M), (G, N) = x.shape, (y.shape[1], y.shape[3])
    rows = x.reshape(B, G, H // G * T, M)  # the heads of a group below each other: no copy of y
    return (rows @ y).view(B, H, T, N)


def _banded(q: Tensor, k: Tensor, v: Tensor, window: int, scale: float | None) -> Tensor:
    """Return causal attention through a window in time and memory O(T window).

    The queries are cut into N blocks of b >= window. A query then sees keys of its own block and of
    the block before, so N small attentions of (b, 2 b), run as one batch, hold every allowed pair:

        block n of the queries:              [ n b .. n b + b - 1 ]
        its keys:          [ n b - b .. n b - 1 | n b .. n b + b - 1 ]
    """
    (B, H, T, D), S = q.shape, k.shape[2]
    b = max(window, SMALLEST_BLOCK)
    N = -(-T // b)
    end = N * b - T  # zeros that fill the last block, after every real query
    front = b + T - S  # zeros before the first key; below 0, so many keys that no query sees

    def blocks(x: Float[Tensor, "B N t D"]) -> Float[Tensor, "B n b N D"]:  # N heads, t = n b
        return x.transpose(1, 2).unflatten(1, (-1, b))

    def with_block_before(x: Shaped[Tensor, "B n b ..."]) -> Shaped[Tensor, "B m b2 ..."]:
        # n = N + 1 blocks of b to m = N of b2 = 2 b
        return torch.cat([x[:, :-1], x[:, 1:]], dim=2)

    q = blocks(F.pad(q, (0, 0, 0, end))).flatten(0, 1).transpose(1, 2)  # (B N, H, b, D)
    k, v = (
        with_block_before(blocks(F.pad(x, (0, 0, front, end)))).flatten(0, 1).transpose(1, 2)
        for x in (k, v)
    )  # (B N, G, 2 b, D)
    real = (torch.arange((N + 1) * b, device=q.device) >= front).view(1, N + 1, b)
    allowed = causal_mask(b, 2 * b, window, q.device) & with_block_before(real)[0][:, None]
    allowed = allowed.expand(B, N, b, 2 * b).reshape(B * N, 1, b, 2 * b)
    y = _kernel(q, k, v, allowed, scale)
    return y.transpose(1, 2).reshape(B, N * b, H, D)[:, :T].transpose(1, 2)


class MultiHeadAttention(nn.Module):
    """H attentions of width D side by side; their outputs are concatenated and mixed by `out`.

    causal: no position sees later ones; window: nor such further back. Both False and None for an
    encoder and for cross-attention.
    """

    def __init__(
        self, config: TransformerConfig, causal: bool = True, window: int | None = None
    ) -> None:
        super().__init__()
        H, G, D = config.n_heads, config.kv_heads, config.head_width
        self.n_heads, self.n_kv_heads, self.d_head = H, G, D
        self.attend_by = {
            "causal": causal,
            "window": window,
            "soft_cap": config.attention_soft_cap,
            "scale": config.attention_scale,
        }
        self.qkv = nn.Linear(
            config.d_model, (H + 2 * G) * D, config.bias
        )  # three maps, one product
        self.out = nn.Linear(H * D, config.d_model, config.bias)

    def project(
        self,
        x: Float[Tensor, "B T C"],
        rotation: Rotation | None = None,
        memory: Float[Tensor, "B S C"] | None = None,
    ) -> tuple[Float[Tensor, "B H T D"], Float[Tensor, "B G S D"], Float[Tensor, "B G S D"]]:
        """Return queries of x, and keys and values of the memory, by default x itself."""
        H, G, D = self.n_heads, self.n_kv_heads, self.d_head
        if memory is None:
            qk, v = self.qkv(x).unflatten(-1, (H + 2 * G, D)).split([H + G, G], dim=2)
            if rotation is not None:
                qk = rotate(qk, *rotation)
            q, k = qk.split([H, G], dim=2)  # (B, T, H or G, D)
        else:
            rows = [H * D, 2 * G * D]  # of the queries, of keys and values
            W_q, W_kv = self.qkv.weight.split(rows)
            b_q, b_kv = (None, None) if self.qkv.bias is None else self.qkv.bias.split(rows)
            q = F.linear(x, W_q, b_q).unflatten(-1, (H, D))
            k, v = F.linear(memory, W_kv, b_kv).unflatten(-1, (2 * G, D)).split(G, dim=2)
        return q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)

    def weights(
        self,
        x: Float[Tensor, "B T C"],
        rotation: Rotation | None = None,
        memory: Float[Tensor, "B S C"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        cache: "LayerCache | None" = None,
    ) -> Float[Tensor, "B H T S"]:
        """Return the attention weights of each head, to look at. The cache is not modified."""
        q, k, _ = self.project(x, rotation, memory)
        if cache is not None:
            k = torch.cat([cache.keys(), k], dim=2)
        return attention_weights(q, k, mask, **self.attend_by)

    def forward(
        self,
        x: Float[Tensor, "B T C"],
        rotation: Rotation | None = None,
        memory: Float[Tensor, "B S C"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        cache: "LayerCache | None" = None,
    ) -> Float[Tensor, "B T C"]:
        """Return what the layer adds to the residual stream.

        rotation: cos and sin of `rotary_angles`. memory: the states that keys and values come from.
        mask: broadcast to (B, H, T, S), True = may attend. cache: of the keys and values before x.
        """
        q, k, v = self.project(x, rotation, memory)
        if cache is not None:
            k, v = cache.append(k, v)
            window = self.attend_by["window"]
            if window is not None:  # what no new query reaches is not read
                reach = window + x.shape[1] - 1
                k, v = k[:, :, -reach:], v[:, :, -reach:]
                mask = None if mask is None else mask[..., -reach:]
        y = scaled_dot_product_attention(q, k, v, mask, **self.attend_by)  # (B, H, T, D)
        return self.out(y.transpose(1, 2).flatten(2))  # heads side by side: (B, T, H D)


def attention_maps(
    model: nn.Module, *inputs: Int[Tensor, "..."] | Bool[Tensor, "..."] | None
) -> dict[str, Float[Tensor, "B H T S"]]:
    """Return the weights of each attention in `model(*inputs)` by its name (blocks.0.attention)."""
    maps: dict[str, Tensor] = {}

    def record(name: str, module: nn.Module, args: tuple, kwargs: dict) -> None:
        maps[name] = module.weights(*args, **kwargs)

    hooks = [
        module.register_forward_pre_hook(partial(record, name), with_kwargs=True)
        for name, module in model.named_modules()
        if isinstance(module, MultiHeadAttention)
    ]
    try:
        with torch.no_grad():
            model(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return maps
