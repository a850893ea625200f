"""A cache of keys and values, so that a decoder reads each token once.

`model(ids, cache=cache)` reads ids as the continuation of what the cache holds, and adds them to
it. Without a cache, n tokens after a prompt of T cost n passes over T + n tokens; with it, one pass
over T and n over one token each. The results are equal up to rounding.

The buffers are made once for `capacity` tokens: no step copies what is there. Calls change the
cache in place, so a second try from the same prompt begins with `cut`. Rows of different lengths
are padded on the left, which keeps the newest token of every row in the last column; the cache
remembers which columns of a row are padding.

Layers with a window keep all keys, too, and read the last ones. A ring of the window's size would
save memory, but what it has overwritten could not be brought back by `cut`.

source: Shazeer 2019, arXiv:1911.02150, section 2.4 (incremental decoding).
unit: 09_decoding
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn


class LayerCache:
    """The keys and values of one layer, in buffers (B, G, capacity, D); `owner` has the length."""

    def __init__(
        self,
        owner: "KVCache",
        keys: Float[Tensor, "B G S D"],
        values: Float[Tensor, "B G S D"],
    ) -> None:
        self.owner, self.keys, self.values = owner, keys, values

    def append(
        self, k: Float[Tensor, "B G T D"], v: Float[Tensor, "B G T D"]
    ) -> tuple[Float[Tensor, "B G S D"], Float[Tensor, "B G S D"]]:
        """Write T keys and values behind those held, and return all, as views of the buffers.

        They count as held only after `KVCache.advance`: every layer writes to the same columns.
        """
        start, end = self.owner.length, self.owner.length + k.shape[2]
        self.keys[:, :, start:end], self.values[:, :, start:end] = k, v
        return self.keys[:, :, :end], self.values[:, :, :end]

    def held(self) -> Float[Tensor, "B G S D"]:
        """Return the keys of the tokens that were read so far."""
        return self.keys[:, :, : self.owner.length]


class KVCache:
    """Keys and values of each layer of a `Decoder` for B rows of at most `capacity` tokens."""

    def __init__(self, model: nn.Module, B: int, capacity: int | None = None) -> None:
        config, like = model.config, model.embed.weight
        self.capacity = config.context_length if capacity is None else capacity
        self.length = 0  # S, columns held; padding counts
        self.mask: Tensor | None = None  # (B, capacity), True = a token; None: no padding so far
        shape = (B, config.kv_heads, self.capacity, config.head_width)
        self.layers = [
            LayerCache(self, like.new_empty(shape), like.new_empty(shape)) for _ in model.blocks
        ]

    @property
    def rows(self) -> int:
        """The number of rows, B."""
        return self.layers[0].keys.shape[0]

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
            device = self.layers[0].keys.device
            self.mask = torch.ones(self.rows, self.capacity, dtype=torch.bool, device=device)
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
        n = self.length
        for layer in self.layers:
            for name in ("keys", "values"):
                buffer = getattr(layer, name)
                kept = buffer[rows, :, :n]  # a copy, of the held columns only
                if len(rows) != len(buffer):
                    buffer = buffer.new_empty(len(rows), *buffer.shape[1:])
                    setattr(layer, name, buffer)
                buffer[:, :, :n] = kept
        if self.mask is not None:
            self.mask = self.mask[rows]
