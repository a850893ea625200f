"""One token a row through a decoder in few operations: what `generate` does after the prompt.

For one token, a processor spends more time between the operations of a `Decoder` than in them. This
is the computation of `model(ids, cache=cache)` for one new token a row, without gradients:

- Weights are transposed copies, (in, out): products of 16 rows take half of the time or less.
- Keys and values of all heads go to the cache in one copy; no module is called, no mask is made,
  angles are looked up.
- The query heads that share a group of keys are rows of one product, so no keys are repeated.

Results equal the model's up to rounding; a test compares them for every switch of the config. The
copies double the memory of the weights, and are out of date once the model is trained further.

Not here: several new tokens a row, cross-attention.

source: Pope et al. 2022, arXiv:2211.05102, section 2 (what a step costs); Shazeer 2019,
arXiv:1911.02150 (grouped heads).
unit: 09_decoding
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.models.attention import scaled_dot_product_attention
from llmcourse.models.cache import KVCache
from llmcourse.models.positions import rotary_angles, sinusoidal_positions
from llmcourse.models.transformer import Decoder, FeedForward, RMSNorm, soft_capped

Map = Callable[[Tensor], Tensor]  # (B, inputs) to (B, outputs)


def linear_map(weight: Tensor, bias: Tensor | None = None) -> Map:
    """Return x -> x W^T + b, from a transposed copy of the weights."""
    W = weight.detach().t().contiguous()
    if bias is None:
        return lambda x: torch.mm(x, W)
    b = bias.detach()
    return lambda x: torch.addmm(b, x, W)


def norm_map(norm: nn.Module) -> Map:
    """Return the function that a norm computes."""
    weight, eps = norm.weight.detach(), norm.eps
    shape = tuple(weight.shape)
    if isinstance(norm, RMSNorm):
        return lambda x: F.rms_norm(x, shape, weight, eps)
    bias = None if norm.bias is None else norm.bias.detach()
    return lambda x: torch.layer_norm(x, shape, weight, bias, eps)


def feed_forward_map(layer: FeedForward) -> Map:
    """Return the function that a feed-forward layer computes."""
    up, down = (linear_map(part.weight, part.bias) for part in (layer.up, layer.down))

    def gated(act: Map) -> Map:
        def product(x: Tensor) -> Tensor:
            gate, x = x.chunk(2, dim=-1)
            return act(gate).mul_(x)

        return product

    def gelu(x: Tensor) -> Tensor:
        return F.gelu(x, approximate="tanh")

    activation = {
        "relu": torch.relu_,
        "relu2": lambda x: x.relu_().square_(),
        "gelu": gelu,
        "swiglu": gated(F.silu),
        "geglu": gated(gelu),
    }[layer.activation]
    return lambda x: down(activation(up(x)))


class FastStep:
    """The next logits of a decoder, from the newest token of each row and a cache of the others.

    It reads and extends the cache as the model does, so the two can be used in turn.
    """

    def __init__(self, model: Decoder, cache: KVCache) -> None:
        config = model.config
        self.config, self.cache = config, cache
        self.post = config.norm_position == "post"
        self.embed = model.embed.weight.detach()
        self.scale = config.d_model**0.5 if config.embed_scale else None
        self.positions = self.rotation = None  # tables, a row for each position
        n, D, device = config.context_length, config.head_width, self.embed.device
        if config.positions == "learned":
            self.positions = model.positions.weight.detach()
        elif config.positions == "sinusoidal":
            self.positions = sinusoidal_positions(n, config.d_model, device)
        else:
            angles = rotary_angles(n, D, config.rotary_base, device)
            cos, sin = angles.cos(), angles.sin()
            self.rotation = torch.cat([cos, cos], dim=1), torch.cat([-sin, sin], dim=1)
        self.blocks = [
            (
                norm_map(block.attention_norm),
                linear_map(block.attention.qkv.weight, block.attention.qkv.bias),
                linear_map(block.attention.out.weight, block.attention.out.bias),
                block.attention_out_norm and norm_map(block.attention_out_norm),
                block.attention.attend_by["window"],
                norm_map(block.feed_forward_norm),
                feed_forward_map(block.feed_forward),
                block.feed_forward_out_norm and norm_map(block.feed_forward_out_norm),
            )
            for block in model.blocks
        ]
        self.norm = model.norm and norm_map(model.norm)
        self.head = linear_map(model.embed.weight if config.tied_head else model.head.weight)

    @torch.no_grad()
    def __call__(self, ids: Int[Tensor, "B"]) -> Float[Tensor, "B V"]:
        """Read one id a row, add it to the cache, and return the logits of the token after it."""
        config, cache, B = self.config, self.cache, len(ids)
        H, G, D = config.n_heads, config.kv_heads, config.head_width
        mask = cache.extend_mask(None, 1)  # (B, S)
        S = cache.length + 1
        at = slice(S - 1, S) if mask is None else mask.sum(dim=1) - 1  # padding has no position
        x = self.embed[ids]  # (B, C), a copy
        if self.scale is not None:
            x *= self.scale
        if self.positions is not None:
            x += self.positions[at]
        else:
            cos, sin = (table[at][:, None] for table in self.rotation)  # (1 or B, 1, D)
        # The column to write and the columns to attend to, as one view each for all layers.
        columns, held = cache.buffer[..., S - 1, :], cache.buffer[..., :S, :]
        for column, keys_values, block in zip(columns, held, self.blocks, strict=True):
            norm_1, qkv, out, out_norm_1, window, norm_2, feed_forward, out_norm_2 = block
            heads = qkv(x if self.post else norm_1(x)).view(B, H + 2 * G, D)
            if self.rotation is not None:
                qk = heads[:, : H + G]
                # (a, b) to (a cos - b sin, b cos + a sin): `sin` has the sign, roll swaps halves
                qk.copy_((qk * cos).addcmul_(qk.roll(D // 2, dims=-1), sin))
            column.copy_(heads[:, H:].view(B, 2, G, D))
            k, v = keys_values.unbind(1)  # (B, G, S, D)
            y = self._attend(heads[:, :H].view(B, G, H // G, D), k, v, mask, window)
            x = self._add(x, out(y.reshape(B, H * D)), norm_1, out_norm_1)
            y = feed_forward(x if self.post else norm_2(x))
            x = self._add(x, y, norm_2, out_norm_2)
        cache.advance(1)
        logits = self.head(x if self.norm is None else self.norm(x))
        return soft_capped(logits, config.logit_soft_cap)

    def _attend(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, window: int | None
    ) -> Tensor:
        """Return the attention of the newest token, which sees every key that is not padding."""
        if window is not None:
            k, v = k[:, :, -window:], v[:, :, -window:]
        seen = None if mask is None else mask[:, None, None, -k.shape[2] :]
        scale, cap = self.config.attention_scale, self.config.attention_soft_cap
        if cap is None:
            return F.scaled_dot_product_attention(q, k, v, seen, scale=scale)
        return scaled_dot_product_attention(q, k, v, seen, soft_cap=cap, scale=scale)

    def _add(self, x: Tensor, y: Tensor, norm: Map, out_norm: Map | None) -> Tensor:
        """Add a sublayer's result y to x in place, with norms where the config puts them."""
        if self.post:
            return norm(x.add_(y))
        return x.add_(y if out_norm is None else out_norm(y))
