"""Visible checks of unit 01: each names the mistake that has the value of the result.

unit: 01_language_modelling
"""

from llmcourse.checks.u01_choosing import rescore, temper
from llmcourse.checks.u01_probability import (
    bits_per_token,
    chain_log_prob,
    cross_entropy,
    perplexity,
    unigram_probs,
)
from llmcourse.checks.u01_sampling import sample_sequence

__all__ = [
    "bits_per_token", "chain_log_prob", "cross_entropy", "perplexity", "rescore",
    "sample_sequence", "temper", "unigram_probs",
]  # fmt: skip
