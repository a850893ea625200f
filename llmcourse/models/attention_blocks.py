"""Causal attention in blocks of queries, with a backward pass of its own, to train on a processor.

torch's kernel is made for long texts: it never holds the weights, and computes them once more in
the backward pass. For short texts, or a short window, plain products over one block of queries at a
time are faster in bfloat16, and keys that no query of the block may see are left out:

    queries of the block:                  [ start .. end - 1 ]
    their keys:          [ start - window + 1 .. end - 1 ]         from 0 on without a window

The weights of all blocks are kept for the backward pass. Not here: masks, dropout, soft caps, keys
without queries (a cache), and second derivatives, which raise RuntimeError.

source: Vaswani et al. 2017, arXiv:1706.03762, eq. 1; Dao et al. 2022, arXiv:2205.14135, appendix B
(the backward pass); Press et al. 2022, arXiv:2108.12409 (slopes: ALiBi).
unit: 08_transformers
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from llmcourse.models.fused import refuse_second_derivatives

BLOCK = 64  # queries: fewer leave the processor idle, more spend it on pairs that the mask hides
ALIGNED = 32  # the first key of a block: odd sizes are slow in bfloat16


def block_attention(
    q: Float[Tensor, "B H T D"],
    k: Float[Tensor, "B H T D"],
    v: Float[Tensor, "B H T D"],
    scale: float,
    window: int | None = None,
    slopes: Float[Tensor, "H"] | None = None,
) -> Float[Tensor, "B H T D"]:
    """Return the mean of the values for each query, weighted by softmax(scale q k^T).

    A query sees itself and what is before it, with a window the window - 1 positions before it.
    slopes: a score is lowered by its head's slope for each position that the key is further back,
    which stands in for positions. Scores and weights have the dtype of the inputs.
    """
    return _BlockAttention.apply(q, k, v, scale, window, slopes)


def held(T: int, window: int | None = None) -> int:
    """Return the most weights of one query that are kept for the backward pass.

    >>> held(256), held(256, window=64), held(32)
    (256, 128, 32)
    """
    return max(end - first for _, end, first in _blocks(T, window))


def _blocks(T: int, window: int | None) -> list[tuple[int, int, int]]:
    """Return start and end of each block of queries, and its first key."""
    starts = range(0, T, BLOCK)
    reach = T if window is None else window - 1
    first = [max(0, start - reach) // ALIGNED * ALIGNED for start in starts]
    return [(s, min(s + BLOCK, T), f) for s, f in zip(starts, first, strict=True)]


def _added(
    before: int, queries: int, window: int | None, slopes: Tensor | None, like: Tensor
) -> Float[Tensor, "... t s"]:
    """Return what is added to the scores of queries with this many keys before the first one.

    0, or less by the slope, (H, t, s); -inf where a query may not attend.
    """
    positions = torch.arange(-before, queries, device=like.device)
    back = torch.arange(queries, device=like.device)[:, None] - positions
    hidden = back < 0 if window is None else (back < 0) | (back >= window)
    added = back * 0.0 if slopes is None else -slopes[:, None, None] * back
    return added.masked_fill(hidden, float("-inf")).to(like.dtype)


class _BlockAttention(Function):
    @staticmethod
    def forward(
        ctx,
        q: Float[Tensor, "B H T D"],
        k: Float[Tensor, "B H T D"],
        v: Float[Tensor, "B H T D"],
        scale: float,
        window: int | None,
        slopes: Float[Tensor, "H"] | None,
    ) -> Float[Tensor, "B H T D"]:
        B, H, T, D = q.shape
        q = (q * scale).reshape(B * H, T, D)  # not the scores, which are more
        k, v = k.reshape(B * H, T, D), v.reshape(B * H, T, D)
        y = q.new_empty(B, T, H, D).transpose(1, 2)  # heads side by side, as the next layer reads
        weights, added = [], {}
        for start, end, first in _blocks(T, window):
            scores = q[:, start:end] @ k[:, first:end].mT
            form = start - first, end - start
            if form not in added:  # most blocks have the form of another one
                added[form] = _added(*form, window, slopes, q)
            scores.view(B, H, end - start, end - first).add_(added[form])
            weights.append(scores.softmax(dim=-1))
            y[:, :, start:end] = (weights[-1] @ v[:, first:end]).view(B, H, -1, D)
        ctx.save_for_backward(q, k, v, *weights)
        ctx.scale, ctx.window = scale, window
        return y

    @staticmethod
    def backward(
        ctx, dy: Float[Tensor, "B H T D"]
    ) -> tuple[
        Float[Tensor, "B H T D"], Float[Tensor, "B H T D"], Float[Tensor, "B H T D"],
        None, None, None,
    ]:  # fmt: skip
        refuse_second_derivatives()
        q, k, v, *weights = ctx.saved_tensors
        B, H, T, D = dy.shape
        dy = dy.reshape(B * H, T, D)
        dq, dk, dv = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        for (start, end, first), P in zip(_blocks(T, ctx.window), weights, strict=True):
            queries, keys = slice(start, end), slice(first, end)
            dP = dy[:, queries] @ v[:, keys].mT
            # dS = P (dP - sum over keys of P dP), the derivative of the softmax
            dS = torch._softmax_backward_data(dP, P, -1, P.dtype)
            dv[:, keys] += P.mT @ dy[:, queries]
            dk[:, keys] += dS.mT @ q[:, queries]  # q holds the scale already
            dq[:, queries] = dS @ k[:, keys]
        dq.mul_(ctx.scale)
        return *(x.view(B, H, T, D) for x in (dq, dk, dv)), None, None, None
