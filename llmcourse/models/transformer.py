"""A transformer, bottom-up: norm, feed-forward, attention, block, then decoder and encoder.

One `TransformerConfig` describes GPT-2, Llama, Mistral, Gemma 2, Phi-3, and the encoder-decoder of
2017. Parameters of a `Decoder` (C = d_model, D = head width, H query heads, G key heads, F = d_ff):

    embed.weight                              (V, C)
    positions.weight                          (context_length, C)   positions="learned"
    blocks.{i}.attention_norm.weight          (C,)
    blocks.{i}.attention.qkv.weight           ((H + 2 G) D, C)      rows: q, then k, then v
    blocks.{i}.attention.out.weight           (C, H D)
    blocks.{i}.attention_out_norm.weight      (C,)                  norm_position="both"
    blocks.{i}.feed_forward_norm.weight       (C,)
    blocks.{i}.feed_forward.up.weight         (F, C); (2 F, C) if gated, rows: gate, then up
    blocks.{i}.feed_forward.down.weight       (C, F)
    blocks.{i}.feed_forward_out_norm.weight   (C,)                  norm_position="both"
    norm.weight                               (C,)                  unless norm_position="post"
    head.weight                               (V, C)                unless tied_head

With bias=True each layer norm and each of qkv, out, up, down has a `.bias`, too; RMS norm and the
head have none. In an encoder-decoder the names begin with `encoder.` or `decoder.`, and blocks of
its decoder have `cross_attention` and its norm with the shapes of `attention`.

Loss, generation and loading are functions outside. A decoder takes a cache of keys and values
(`cache`, unit 09) where there is one. Not here: dropout.

source: Vaswani et al. 2017, arXiv:1706.03762; Radford et al. 2019 (GPT-2: pre-norm, scaled
initialisation); Zhang and Sennrich 2019, arXiv:1910.07467 (RMS norm); Su et al. 2021,
arXiv:2104.09864 (rotary); Shazeer 2020, arXiv:2002.05202 (gated feed-forward); So et al. 2021,
arXiv:2109.08668 (squared ReLU); Gemma 2, arXiv:2408.00118.
unit: 08_transformers
"""

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.arguments import ids_of
from llmcourse.models.attention import MultiHeadAttention, Rotation
from llmcourse.models.fused import gelu, rms_norm, squared_relu_layers
from llmcourse.models.positions import rotary_angles, sinusoidal_positions
from llmcourse.models.transformer_config import GATED, TransformerConfig

if TYPE_CHECKING:  # unit 09's; no module of this unit needs it to run
    from llmcourse.models.cache import KVCache, LayerCache


def soft_capped(x: Float[Tensor, "..."], cap: float | None) -> Float[Tensor, "..."]:
    """Return cap * tanh(x / cap), between -cap and cap and close to x near 0; x for None."""
    return x if cap is None else cap * torch.tanh(x / cap)


class LayerNorm(nn.Module):
    """(x - mean) / sqrt(variance + eps) over the last dimension, then a weight and a bias for each.

    source: Ba et al. 2016, arXiv:1607.06450, eq. 3.
    """

    def __init__(self, width: int, eps: float = 1e-5, bias: bool = True) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... C"]:
        """Return x of mean 0 and variance 1, times the weight, plus the bias."""
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


class RMSNorm(nn.Module):
    """x / sqrt(mean of x^2 + eps) over the last dimension, times a weight.

    source: Zhang and Sennrich 2019, arXiv:1910.07467, eq. 4.
    """

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... C"]:
        """Return x of root mean square 1, times the weight; squares are summed in float32."""
        return rms_norm(x, self.weight, self.eps)


def make_norm(config: TransformerConfig) -> nn.Module:
    """Return the norm that the config names."""
    if config.norm == "rms":
        return RMSNorm(config.d_model, config.norm_eps)
    return LayerNorm(config.d_model, config.norm_eps, config.bias)


class FeedForward(nn.Module):
    """Two linear maps with an activation between them, the same for each position.

    down(activation(up(x))), or gated: down(activation(gate(x)) * up(x)).
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.activation = config.activation
        up = 2 * config.d_ff if self.activation in GATED else config.d_ff
        self.up = nn.Linear(config.d_model, up, config.bias)  # gated: gate and up in one product
        self.down = nn.Linear(config.d_ff, config.d_model, config.bias)

    def forward(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B T C"]:
        """Return what the layer adds to the residual stream."""
        if self.activation == "relu2":
            up, down = self.up, self.down
            return squared_relu_layers(x, up.weight, up.bias, down.weight, down.bias)
        x = self.up(x)  # (B, T, F), or (B, T, 2 F)
        if self.activation == "relu":
            x = F.relu(x)
        elif self.activation == "gelu":
            x = gelu(x)
        else:
            gate, x = x.chunk(2, dim=-1)
            x = x * (F.silu(gate) if self.activation == "swiglu" else gelu(gate))
        return self.down(x)


class TransformerBlock(nn.Module):
    """Attention, cross-attention if asked for, and feed-forward, each added to the residual stream.

    layer: its number, from 0, which decides whether the window of the config applies.
    """

    def __init__(
        self, config: TransformerConfig, layer: int = 0, causal: bool = True, cross: bool = False
    ) -> None:
        super().__init__()
        self.norm_position = config.norm_position
        both = config.norm_position == "both"
        window = config.window if layer % config.window_every == 0 else None
        self.attention_norm = make_norm(config)
        self.attention = MultiHeadAttention(config, causal, window)
        self.attention_out_norm = make_norm(config) if both else None
        self.cross_attention = None
        if cross:
            self.cross_attention_norm = make_norm(config)
            self.cross_attention = MultiHeadAttention(config, causal=False)
            self.cross_attention_out_norm = make_norm(config) if both else None
        self.feed_forward_norm = make_norm(config)
        self.feed_forward = FeedForward(config)
        self.feed_forward_out_norm = make_norm(config) if both else None

    def forward(
        self,
        x: Float[Tensor, "B T C"],
        rotation: Rotation | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        memory: Float[Tensor, "B S C"] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
        cache: "LayerCache | None" = None,
    ) -> Float[Tensor, "B T C"]:
        """Return the states after the block; masks broadcast to (B, H, T, T) and (B, H, T, S)."""
        attention = partial(self.attention, rotation=rotation, mask=mask, cache=cache)
        x = self._add(x, self.attention_norm, attention, self.attention_out_norm)
        if self.cross_attention is not None:
            attention = partial(self.cross_attention, memory=memory, mask=memory_mask)
            x = self._add(x, self.cross_attention_norm, attention, self.cross_attention_out_norm)
        return self._add(x, self.feed_forward_norm, self.feed_forward, self.feed_forward_out_norm)

    def _add(
        self,
        x: Tensor,
        norm: nn.Module,
        sublayer: Callable[[Tensor], Tensor],
        out_norm: nn.Module | None,
    ) -> Tensor:
        """Return x + sublayer(x), with norms where the config puts them."""
        if self.norm_position == "post":
            return norm(x + sublayer(x))
        y = sublayer(norm(x))  # x itself reaches the top unchanged: gradients do not fade
        return x + (y if out_norm is None else out_norm(y))


class _Stack(nn.Module):
    """Embeddings, positions, blocks and the last norm: what encoder and decoder have in common."""

    def __init__(self, config: TransformerConfig, causal: bool, cross: bool = False) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.d_model)
        if config.positions == "learned":
            self.positions = nn.Embedding(config.context_length, config.d_model)
        self.blocks = nn.ModuleList(
            TransformerBlock(config, layer, causal, cross) for layer in range(config.n_layers)
        )
        self.norm = None if config.norm_position == "post" else make_norm(config)

    def _initialise(self) -> None:
        """Draw weights of standard deviation 0.02, GPT-2's, and set biases to 0.

        2 L outputs are added to the residual stream, and a sum of n draws grows as sqrt(n): those
        layers start smaller by 1 / sqrt(2 L).
        """
        for name, weight in self.named_parameters():
            if name.endswith(".bias"):
                nn.init.zeros_(weight)
            elif weight.dim() == 2:
                added = name.endswith(("out.weight", "down.weight"))
                std = 0.02 / math.sqrt(2 * self.config.n_layers) if added else 0.02
                nn.init.normal_(weight, std=std)

    def states(
        self,
        ids: Int[Tensor, "B T"],
        mask: Bool[Tensor, "..."] | None = None,
        memory: Float[Tensor, "B S C"] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
        positions: Int[Tensor, "B T"] | None = None,
        cache: "KVCache | None" = None,
    ) -> Float[Tensor, "B T C"]:
        """Return the hidden states after the last norm.

        positions: by default those after what the cache holds, in every row.

        Raises ValueError for ids outside 0 .. V - 1, which are not looked at on a GPU, where that
        would wait for all queued work, and for more tokens than context_length.
        """
        T, config = ids.shape[1], self.config
        past = 0 if cache is None else cache.length
        if config.context_length < past + T:
            raise ValueError(
                f"expected at most context_length = {config.context_length} tokens, got "
                f"{past + T}: cut the text, or build the model with a longer context"
            )
        if ids.device.type == "cpu":
            ids_of(ids.numpy(), config.vocab_size)
        x = self.embed(ids)  # (B, T, C)
        if config.embed_scale:
            x = x * math.sqrt(config.d_model)
        at = slice(past, past + T) if positions is None else positions
        rotation = None
        if config.positions == "learned":
            x = x + self.positions.weight[at]
        elif config.positions == "sinusoidal":
            x = x + sinusoidal_positions(past + T, config.d_model, x.device)[at].to(x.dtype)
        else:  # the same angles for all layers
            angles = rotary_angles(past + T, config.head_width, config.rotary_base, x.device)[at]
            rotation = angles.cos(), angles.sin()
        layers = [None] * len(self.blocks) if cache is None else cache.layers
        for block, layer in zip(self.blocks, layers, strict=True):
            x = block(x, rotation, mask, memory, memory_mask, layer)
        if cache is not None:
            cache.advance(T)
        return x if self.norm is None else self.norm(x)


class Decoder(_Stack):
    """A language model: ids (B, T) to logits (B, T, V), each from its own and earlier positions.

    cross: with cross-attention to a memory, as in an encoder-decoder.
    """

    def __init__(self, config: TransformerConfig, cross: bool = False) -> None:
        super().__init__(config, causal=True, cross=cross)
        if not config.tied_head:
            self.head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self._initialise()

    def forward(
        self,
        ids: Int[Tensor, "B T"],
        memory: Float[Tensor, "B S C"] | None = None,
        memory_mask: Bool[Tensor, "B S"] | None = None,
        mask: Bool[Tensor, "B T"] | None = None,
        cache: "KVCache | None" = None,
    ) -> Float[Tensor, "B T V"]:
        """Return the logits of the token after each position.

        memory: the states to attend to, for a decoder with cross-attention; memory_mask: True = a
        token, False = padding; mask: the same for ids, padded on the left. cache: ids continue it.
        """
        return self.logits(self.read(ids, memory, memory_mask, mask, cache))

    def read(
        self,
        ids: Int[Tensor, "B T"],
        memory: Float[Tensor, "B S C"] | None = None,
        memory_mask: Bool[Tensor, "B S"] | None = None,
        mask: Bool[Tensor, "B T"] | None = None,
        cache: "KVCache | None" = None,
    ) -> Float[Tensor, "B T C"]:
        """Return the states that `logits` takes; the arguments are those of the model."""
        T, positions = ids.shape[1], None
        if cache is not None:
            mask = cache.extend_mask(mask, T)  # (B, S), S = T and what the cache holds
        if mask is not None:  # padding has no position: a row counts from its first token
            positions = (mask.cumsum(1) - 1).clamp(min=0)[:, mask.shape[1] - T :]
        masks = (None if m is None else m[:, None, None, :] for m in (mask, memory_mask))
        return self.states(ids, next(masks), memory, next(masks), positions, cache)

    def logits(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B T V"]:
        """Return the logits of states after the last norm."""
        W = self.embed.weight if self.config.tied_head else self.head.weight
        return soft_capped(F.linear(x, W), self.config.logit_soft_cap)


class Encoder(_Stack):
    """A reader in both directions: ids (B, T) to states (B, T, C)."""

    def __init__(self, config: TransformerConfig) -> None:
        if config.window is not None:
            raise ValueError(
                f"expected an encoder without a window, got {config.window}: give window=None"
            )
        super().__init__(config, causal=False)
        self._initialise()

    def forward(
        self, ids: Int[Tensor, "B T"], mask: Bool[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B T C"]:
        """Return the states; mask: True = a token, False = padding, whose states mean nothing."""
        return self.states(ids, None if mask is None else mask[:, None, None, :])


class EncoderDecoder(nn.Module):
    """A translator: the decoder of the target attends to the encoder's states of the source.

    The two configs may differ in all but d_model.
    """

    def __init__(self, source: TransformerConfig, target: TransformerConfig) -> None:
        super().__init__()
        if source.d_model != target.d_model:
            raise ValueError(
                f"expected one d_model, got {source.d_model} for the encoder and {target.d_model} "
                "for the decoder: make them equal"
            )
        self.encoder, self.decoder = Encoder(source), Decoder(target, cross=True)

    def forward(
        self,
        source: Int[Tensor, "B S"],
        target: Int[Tensor, "B T"],
        source_mask: Bool[Tensor, "B S"] | None = None,
    ) -> Float[Tensor, "B T V"]:
        """Return the logits of the target token after each position of `target`.

        source_mask: True = a token, False = padding.
        """
        return self.decoder(target, self.encoder(source, source_mask), source_mask)
