"""Visible checks of unit 09: each names the mistake that has the value of the result.

unit: 09_decoding
"""

from llmcourse.checks.u09_cache import cached_attention
from llmcourse.checks.u09_filters import temperature_logits, top_k_filter, top_p_filter
from llmcourse.checks.u09_impostors import test_sampler
from llmcourse.checks.u09_penalty import repetition_penalty
from llmcourse.checks.u09_search import beam_search, greedy
from llmcourse.checks.u09_speculative import speculative_decode

__all__ = [
    "beam_search", "cached_attention", "greedy", "repetition_penalty", "speculative_decode",
    "temperature_logits", "test_sampler", "top_k_filter", "top_p_filter",
]  # fmt: skip
