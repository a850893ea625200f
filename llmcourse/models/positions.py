"""Positions: sinusoidal vectors to add to embeddings, and rotary angles that turn queries and keys.

Learned positions are a table of parameters, in `transformer`. Angles are float32 in any model.

source: Vaswani et al. 2017, arXiv:1706.03762, section 3.5 (sinusoidal); Su et al. 2021,
arXiv:2104.09864, section 3.2 (rotary).
unit: 08_transformers
"""

import torch
from jaxtyping import Float
from torch import Tensor

from llmcourse.models.fused import turn


def sinusoidal_positions(
    T: int, d_model: int, device: torch.device | None = None
) -> Float[Tensor, "T C"]:
    """Return a vector for each of T positions: sin and cos of angles that grow with the position.

    PE(t, 2 i) = sin(t / 10000^(2 i / C)), and PE(t, 2 i + 1) its cosine.
    """
    angles = rotary_angles(T, d_model, 10_000.0, device)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)  # sin, cos, sin, cos, ...


def rotary_angles(
    T: int, d_head: int, base: float, device: torch.device | None = None
) -> Float[Tensor, "T half"]:
    """Return t / base^(2 i / D) for positions t < T and pairs i < D / 2, always in float32.

    In bfloat16, neighbouring positions from 256 on would have the same angle.
    """
    exponents = torch.arange(0, d_head, 2, device=device, dtype=torch.float32) / d_head
    return torch.outer(torch.arange(T, device=device, dtype=torch.float32), base**-exponents)


def rotate(
    x: Float[Tensor, "B T N D"], cos: Float[Tensor, "... T half"], sin: Float[Tensor, "... T half"]
) -> Float[Tensor, "B T N D"]:
    """Return x with each pair (x_i, x_{i + D/2}) of position t turned by its angle.

    cos, sin: (T, D / 2) for all rows, or (B, T, D / 2) where rows differ in their positions.

    The product of a query at t and a key at s then depends on t and s through t - s only.
    """
    return turn(x, cos.unsqueeze(-2), sin.unsqueeze(-2))  # (a, b) to (a cos - b sin, b cos + a sin)
