"""Visible checks of unit 04: each names the mistake that has the value of the result.

unit: 04_word2vec
"""

from llmcourse.checks.u04_losses import negative_sampling_loss, noise_probs, softmax_skipgram_loss
from llmcourse.checks.u04_pairs import cbow_batch, one_hot, skipgram_pairs
from llmcourse.checks.u04_similarity import analogy, association_bias, nearest

__all__ = [
    "analogy", "association_bias", "cbow_batch", "nearest", "negative_sampling_loss",
    "noise_probs", "one_hot", "skipgram_pairs", "softmax_skipgram_loss",
]  # fmt: skip
