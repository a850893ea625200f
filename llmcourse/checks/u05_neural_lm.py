"""Visible checks of unit 05: each names the mistake that has the value of the result.

unit: 05_neural_lm
"""

from llmcourse.checks.u05_layers import (
    activations,
    linear_backward,
    mlp_backward,
    softmax_cross_entropy,
)
from llmcourse.checks.u05_training import FixedWindowLM, gradient_check, random_search, sgd_step

__all__ = [
    "FixedWindowLM", "activations", "gradient_check", "linear_backward", "mlp_backward",
    "random_search", "sgd_step", "softmax_cross_entropy",
]  # fmt: skip
