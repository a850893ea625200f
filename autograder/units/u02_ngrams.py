"""Hidden tests of unit 02. The truth is counted from the flat text, never from nested tables.

unit: 02_ngrams
"""

from autograder.units.u02_counting import ngram_counts, unseen_rate
from autograder.units.u02_sampling import generate
from autograder.units.u02_scores import choose_k, score_text
from autograder.units.u02_smoothing import interpolated_prob, kneser_ney_prob

__all__ = [
    "choose_k", "generate", "interpolated_prob", "kneser_ney_prob", "ngram_counts", "score_text",
    "unseen_rate",
]  # fmt: skip
