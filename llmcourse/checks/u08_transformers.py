"""Visible checks of unit 08: each names the mistake that has the value of the result.

unit: 08_transformers
"""

from llmcourse.checks.u08_attention import (
    causal_mask,
    multi_head_attention,
    scaled_dot_product_attention,
)
from llmcourse.checks.u08_models import GPT, count_parameters, transformer_block
from llmcourse.checks.u08_parts import feed_forward, layer_norm, sinusoidal_positions
from llmcourse.checks.u08_repair import RepairedGPT

__all__ = [
    "GPT", "RepairedGPT", "causal_mask", "count_parameters", "feed_forward", "layer_norm",
    "multi_head_attention", "scaled_dot_product_attention", "sinusoidal_positions",
    "transformer_block",
]  # fmt: skip
