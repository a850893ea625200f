"""Score a text with a count table, and choose the constant of add-k smoothing.

Both functions work on `table[history][token]` in plain Python, as the definitions in `ngram` do.

Left out: scoring a long text (`NgramModel.bits_per_token`), choosing several constants at once.

source: Chen and Goodman 1998, An empirical study of smoothing techniques for language modeling,
Harvard TR-10-98, section 4: constants are chosen on held-out text that is not the test text.
unit: 02_ngrams
"""

import math
from collections.abc import Sequence

from llmcourse.models.ngram import Table, Token, add_k_prob, mle_prob, ngram_counts


def score_text(table: Table, tokens: Sequence[Token], n: int) -> float:
    """Return the mean of -log2 P(token | history) in bits, P by maximum likelihood from `table`.

    The mean is over the tokens that have n - 1 tokens before them. It is inf if one of them has
    probability 0. Raises ValueError for fewer than n tokens.

    >>> score_text({("a",): {"b": 1, "c": 1}, ("b",): {"a": 1}}, "aba", 2)
    0.5
    """
    bits = 0.0
    for history, token in _steps(tokens, n):
        prob = mle_prob(table, history, token)
        if prob == 0:
            return math.inf  # a mean without the impossible tokens would look too good
        bits -= math.log2(prob)
    return bits / (len(tokens) - n + 1)


def choose_k(
    train: Sequence[Token], dev: Sequence[Token], n: int, ks: Sequence[float], vocab_size: int
) -> float:
    """Return the element of `ks` with which add-k, counted on `train`, gives `dev` the fewest bits.

    Ties go to the first one. Raises ValueError for fewer than n tokens in `dev` and for no `ks`.
    """
    if len(ks) == 0:
        raise ValueError("expected at least one k to choose from, got none")
    table, steps = ngram_counts(train, n), _steps(dev, n)

    def log_prob(k: float) -> float:
        return sum(math.log(add_k_prob(table, *step, k, vocab_size)) for step in steps)

    return max(ks, key=log_prob)


def _steps(tokens: Sequence[Token], n: int) -> list[tuple[tuple, Token]]:
    """Return (history, token) for each token that has n - 1 tokens before it."""
    if len(tokens) < n:
        raise ValueError(f"expected at least n = {n} tokens to score, got {len(tokens)}")
    return [(tuple(tokens[i - n + 1 : i]), tokens[i]) for i in range(n - 1, len(tokens))]
