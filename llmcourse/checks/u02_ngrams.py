"""Visible checks of unit 02: each failure names its likely cause.

unit: 02_ngrams
"""

from llmcourse.checks.u02_counting import ngram_counts, unseen_rate
from llmcourse.checks.u02_sampling import generate
from llmcourse.checks.u02_scores import choose_k, score_text
from llmcourse.checks.u02_smoothing import interpolated_prob, kneser_ney_prob

__all__ = [
    "choose_k", "generate", "interpolated_prob", "kneser_ney_prob", "ngram_counts", "score_text",
    "unseen_rate",
]  # fmt: skip
