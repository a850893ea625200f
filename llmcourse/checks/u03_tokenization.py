"""Visible checks of unit 03: each names the mistake that has the value of the result.

unit: 03_tokenization
"""

from llmcourse.checks.u03_bpe import bpe_decode, bpe_encode, train_bpe
from llmcourse.checks.u03_wordpiece import wordpiece_encode
from llmcourse.checks.u03_words import byte_fallback, fertility, word_tokenize

__all__ = [
    "bpe_decode", "bpe_encode", "byte_fallback", "fertility", "train_bpe", "word_tokenize",
    "wordpiece_encode",
]  # fmt: skip
