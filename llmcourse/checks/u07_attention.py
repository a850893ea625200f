"""Visible checks of unit 07: each names the mistake that has the value of the result.

unit: 07_attention
"""

from llmcourse.checks.u07_decoding import teacher_forced_loss, translate_greedy
from llmcourse.checks.u07_encoding import decode_step, encode
from llmcourse.checks.u07_impostors import test_attention
from llmcourse.checks.u07_scores import (
    attention_weights,
    bilinear_score,
    context_vector,
    dot_score,
)

__all__ = [
    "attention_weights", "bilinear_score", "context_vector", "decode_step", "dot_score", "encode",
    "teacher_forced_loss", "test_attention", "translate_greedy",
]  # fmt: skip
