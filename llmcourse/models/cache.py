"""A cache of keys and values, so that a decoder reads each token once.

`model(ids, cache=cache)` reads ids as the continuation of what the cache holds, and adds them to
it. Without a cache, n tokens after a prompt of T cost n passes over T + n tokens; with it, one pass
over T and n over one token each. The results are equal up to rounding.

The buffers are made once for `capacity` tokens: no step copies what is there. Calls change the
cache in place, so a second try from the same prompt begins with `cut`. Rows of different lengths
are padded on the left, which keeps the newest token of every row in the last column; the cache
remembers which columns of a row are padding. No gradients flow through it.

Layers with a window keep all keys, too, and read the last ones. A ring of the window's size would
save memory, but what it has overwritten could not be brought back by `cut`.

source: Shazeer 2019, arXiv:1911.02150, section 2.4 (incremental decoding).
unit: 09_decoding
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn


class LayerCache:
    """One layer's part of a `KVCache`, as `MultiHeadAttention` uses it."""

    def __init__(self, owner: "KVCache", layer: int) -> None:
        self.owner, self.layer = owner, layer

    def append(
        self, k: Float[Tensor, "B G T D"], v: Float[Tensor, "B G T D"]
    ) -> tuple[Float[Tensor, "B G S D"], Float[Tensor, "B G S D"]]:
        """Write T keys and values behind those held, and return all, as views of the buffer.

        They count as held only after `KVCache.advance`: every layer writes to the same columns.
        """
        start, end = self.owner.length, self.owner.length + k.shape[2]
        held = self.owner.buffer[self.layer]  # (B, 2, G, capacity, D)
        held[:, 0, :, start:end], held[:, 1, :, start:end] = k.detach(), v.detach()
        return held[:, 0, :, :end], held[:, 1, :, :end]

    def keys(self) -> Float[Tensor, "B G S D"]:
        """Return the keys of the tokens that were read so far."""
        return self.owner.buffer[self.layer, :, 0, :, : self.owner.length]


class KVCache:
    """Keys and values of each layer of a `Decoder` for B rows of at most `capacity` tokens.

    buffer: (L, B, 2, G, capacity, D), keys before values. Columns from `length` on mean nothing.
    """

    def __init__(self, model: nn.Module, B: int, capacity: int | None = None) -> None:
        config = model.config
        self.capacity = config.context_length if capacity is None else capacity
        self.length = 0  # S, columns held; padding counts
        self.mask: Tensor | None = None  # (B, capacity), True = a token; None: no padding so far
        heads = (2, config.kv_heads, self.capacity, config.head_width)
        self.buffer = model.embed.weight.new_empty(config.n_layers, B, *heads)
        self.layers = [LayerCache(self, layer) for layer in range(config.n_layers)]

    @property
    def rows(self) -> int:
        """The number of rows, B."""
        return self.buffer.shape[1]

    def extend_mask(self, mask: Bool[Tensor, "B T"] | None, T: int) -> Bool[Tensor, "B S"] | None:
        """Remember which of T new columns are tokens (None: all), and return the mask of all S.

        Returns None while there is no padding: attention is faster without a mask.

        Raises ValueError where the T columns do not fit behind those held.
        """
        start, end = self.length, self.length + T
        if end > self.capacity:
            raise ValueError(
                f"expected at most capacity = {self.capacity} tokens in the cache, got {end}: make "
                "a larger cache, or cut it"
            )
        if mask is None and self.mask is None:
            return None
        if self.mask is None:
            self.mask = self.buffer.new_ones(self.rows, self.capacity, dtype=torch.bool)
        self.mask[:, start:end] = True if mask is None else mask
        return self.mask[:, :end]

    def advance(self, T: int) -> None:
        """Count T columns that all layers have written as held."""
        self.length += T

    def cut(self, length: int) -> None:
        """Keep the first `length` columns only, as if no later token had been read."""
        if not 0 <= length <= self.length:
            raise ValueError(
                f"expected a length from 0 to {self.length}, got {length}: a cache can be cut back "
                "only to what it holds"
            )
        self.length = length
        if length == 0:
            self.mask = None

    def reorder(self, rows: Int[Tensor, "N"]) -> None:
        """Make row i a copy of the present row rows[i]; a row may come several times, or never.

        For beams: the rows that survive a step, each with the past of the beam it continues.
        """
        kept = self.buffer[:, rows, :, :, : self.length]  # a copy, of the held columns only
        if len(rows) != self.rows:
            L, _, *heads = self.buffer.shape
            self.buffer = self.buffer.new_empty(L, len(rows), *heads)
        self.buffer[..., : self.length, :] = kept
        if self.mask is not None:
            self.mask = self.mask[rows]
