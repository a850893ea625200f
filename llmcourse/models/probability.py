"""Probabilities of texts: the chain rule, how good a model is, and what it is good for.

A *text* is a list of tokens (words, characters). A *distribution* is a dictionary from token to
probability. A *model* is a function of the tokens so far: `next_prob(history, token)` gives one
probability, `next_probs(history)` a distribution. Log-probabilities are natural logarithms (nats);
the results of `bits_per_token` and `cross_entropy` are in bits.

The arithmetic coder works with integers of any size, so it is exact and takes quadratic time: for a
few thousand tokens.

Not here: models that look at the history (units 02 to 08), decoding strategies other than sampling
(unit 09).

source: Shannon 1948, A mathematical theory of communication.
unit: 01_language_modelling
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

import numpy as np

from llmcourse.arguments import no_string, shown

Token = Hashable
Distribution = Mapping[Token, float]
NextProb = Callable[[Sequence[Token], Token], float]
NextProbs = Callable[[Sequence[Token]], Distribution]

Text = TypeVar("Text")

CODE_UNITS = 2**32  # a distribution is rounded to this many equal parts before it is coded with


# --- scoring a text


def chain_log_prob(tokens: Sequence[Token], next_prob: NextProb) -> float:
    """Return log P(tokens) in nats: the sum of log P(token | tokens before it).

    A token of probability 0 makes it -inf; the text of no tokens has probability 1, so 0.0.

    >>> round(chain_log_prob(["ha", "ha"], lambda history, token: 0.5), 4)
    -1.3863
    """
    probs = np.array([next_prob(tokens[:t], token) for t, token in enumerate(tokens)], float)
    with np.errstate(divide="ignore"):
        return float(np.log(probs).sum())


def perplexity(log_probs: Sequence[float]) -> float:
    """Return exp of minus the mean log-probability (nats): 1 for a sure model, V for a uniform one.

    inf when a token had probability 0 (log-probability -inf). Raises ValueError for no tokens.

    >>> round(perplexity([math.log(1 / 2), math.log(1 / 8)]), 9)
    4.0
    """
    with np.errstate(over="ignore"):
        return float(np.exp(-_mean(log_probs)))


def bits_per_token(log_probs: Sequence[float]) -> float:
    """Return minus the mean log-probability (nats), in bits: log2 of the perplexity.

    inf when a token had probability 0. Raises ValueError for no tokens.

    >>> bits_per_token([math.log(1 / 2), math.log(1 / 8)])
    2.0
    """
    return -_mean(log_probs) / math.log(2)


def _mean(log_probs: Sequence[float]) -> float:
    if len(log_probs) == 0:
        raise ValueError("expected the log-probabilities of at least one token, got none")
    return float(np.mean(log_probs))


def cross_entropy(truth: Distribution, model: Distribution) -> float:
    """Return the mean of -log2 model(token) when tokens come from `truth`, in bits.

    `cross_entropy(p, p)` is the entropy of p, the least any model can reach. A token of probability
    0 in `truth` costs nothing; a possible token that `model` lacks or gives probability 0 makes it
    inf. Raises ValueError for a `truth` without a possible token.
    source: Shannon 1948, section 6.

    >>> cross_entropy({"a": 0.5, "b": 0.5}, {"a": 0.25, "b": 0.75}).__round__(4)
    1.2075
    """
    possible = [(p, model.get(token, 0.0)) for token, p in truth.items() if p > 0]
    if not possible:
        raise ValueError("expected a distribution over at least one token, got an empty one")
    p, q = np.array(possible, float).T
    with np.errstate(divide="ignore"):
        return float(-(p * np.log2(q)).sum()) + 0.0  # + 0.0 turns -0.0 into 0.0


# --- making distributions


def unigram_probs(
    tokens: Sequence[Token], vocabulary: Sequence[Token], epsilon: float
) -> dict[Token, float]:
    """Return (count + epsilon) / (N + epsilon V) for each token of the vocabulary, in its order.

    epsilon: count added to every token, >= 0 (0: relative frequencies). Raises ValueError for a
    token outside the vocabulary, and when there is nothing to divide by (no tokens and epsilon 0).
    source: Laplace's rule for epsilon 1; Lidstone 1920 for any other.

    >>> unigram_probs(["a", "a", "b"], ["a", "b", "c"], epsilon=1)
    {'a': 0.5, 'b': 0.3333333333333333, 'c': 0.16666666666666666}
    """
    counts = Counter(tokens)
    unknown = counts.keys() - set(vocabulary)
    if unknown:
        stranger = min(unknown, key=repr)
        raise ValueError(f"expected tokens of the vocabulary, got {stranger!r}: add it, or drop it")
    total = len(tokens) + epsilon * len(vocabulary)
    if total <= 0:
        raise ValueError("expected at least one token or an epsilon above 0, got neither")
    return {token: (counts[token] + epsilon) / total for token in vocabulary}


def temper(probs: Distribution, temperature: float) -> dict[Token, float]:
    """Return p^(1/T), renormalised, in the order of `probs`.

    T < 1 sharpens the distribution (T near 0: only the most probable token is left), T > 1 flattens
    it (T near infinity: uniform over the tokens of positive probability; 0 stays 0). `probs` may be
    any weights >= 0. Raises ValueError for T <= 0 and where no weight is positive.

    >>> temper({"a": 0.8, "b": 0.2}, 0.5)["a"].__round__(4)
    0.9412
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, got {temperature}")
    if not any(p > 0 for p in probs.values()):
        raise ValueError(
            f"expected a weight above 0, got none of {len(probs)}: give at least one token a weight"
        )
    with np.errstate(divide="ignore"):
        logs = np.log(np.fromiter(probs.values(), float, len(probs)))
    logs = (logs - logs.max()) / temperature  # the largest weight becomes exp(0): nothing overflows
    weights = np.exp(logs)
    return dict(zip(probs, (weights / weights.sum()).tolist(), strict=True))


# --- using a model


def sample_sequence(
    next_probs: NextProbs, uniform: Callable[[], float], end: Token, max_length: int
) -> list[Token]:
    """Return a text drawn token by token, each from `next_probs(tokens so far)`.

    uniform: gives a number in [0, 1) each time (`random.Random(0).random`); called once a token.
    The text stops after `end`, which is then its last token, or at `max_length` tokens. A token of
    probability 0 is never drawn. Raises ValueError where no token has a probability above 0.

    >>> laugh = lambda history: {"ha": 0.9, ".": 0.1}
    >>> sample_sequence(laugh, iter([0.3, 0.5, 0.95]).__next__, ".", max_length=10)
    ['ha', 'ha', '.']
    """
    text: list[Token] = []
    while len(text) < max_length and (not text or text[-1] != end):
        text.append(draw(next_probs(text), uniform, text))
    return text


def draw(probs: Distribution, uniform: Callable[[], float], history: Sequence[Token]) -> Token:
    """Return a token drawn from `probs`, the distribution after `history`, with one `uniform()`.

    Raises ValueError where no token has a probability above 0, or their sum is infinite.
    """
    possible = [token for token, p in probs.items() if p > 0]
    bounds = list(accumulate(probs[token] for token in possible))
    if not possible or bounds[-1] == math.inf:
        raise ValueError(
            f"expected a token with a probability above 0 after {shown(list(history)[-3:])}, got "
            f"{'none' if not possible else 'an infinite one'}: smooth the model, or start elsewhere"
        )
    at = bisect_right(bounds, uniform() * bounds[-1])  # bounds[-1] may be 1 only up to rounding
    return possible[min(at, len(possible) - 1)]


def rescore(
    texts: Sequence[Text],
    signal_log_probs: Sequence[float],
    text_log_prob: Callable[[Text], float],
) -> Text:
    """Return the text that maximises log P(text) + log P(signal | text); the earliest among equals.

    signal_log_probs: for each text, how well it explains what was heard (nats). Raises ValueError
    for no texts and for lists of different lengths, TypeError for one string. source: the noisy
    channel; Jelinek 1976, Continuous speech recognition by statistical methods.

    >>> rescore(["their", "there"], [-1.0, -1.2], {"their": -8.0, "there": -6.0}.get)
    'there'
    """
    no_string(texts, "a list of texts", "put it in a list")
    if len(texts) == 0 or len(texts) != len(signal_log_probs):
        given = f"{len(signal_log_probs)} for {len(texts)} texts"
        raise ValueError(f"expected one signal log-probability for each text, got {given}")
    pairs = zip(texts, signal_log_probs, strict=True)
    scores = [text_log_prob(text) + heard for text, heard in pairs]
    return texts[scores.index(max(scores))]


# --- a model as a compressor


def arithmetic_encode(tokens: Sequence[Token], next_probs: NextProbs) -> str:
    """Return the text as bits ("0110..."): at most 2 more than -log2 P(tokens).

    Each text has an interval of [0, 1) whose width is its probability; the bits name a binary
    interval inside it. Raises ValueError for a token of probability 0. source: Rissanen 1976;
    Witten, Neal and Cleary 1987.

    >>> arithmetic_encode("aab", lambda history: {"a": 0.75, "b": 0.25})
    '0111'
    """
    low, width, scale = 0, 1, 1  # the interval is [low, low + width) / scale
    for t, token in enumerate(tokens):
        names, bounds = _code_table(next_probs(tokens[:t]))
        if token not in names:
            raise ValueError(f"the model gives token {t}, {token!r}, probability 0: it has no code")
        below, above = bounds[names.index(token)], bounds[names.index(token) + 1]
        low, width = low * bounds[-1] + width * below, width * (above - below)
        scale *= bounds[-1]
    n_bits = max(0, scale.bit_length() - width.bit_length() - 1)
    while True:
        first = -(-(low << n_bits) // scale)  # first multiple of 2^-n_bits from low up
        if (first + 1) * scale <= (low + width) << n_bits:
            return format(first, f"0{n_bits}b") if n_bits else ""
        n_bits += 1


def arithmetic_decode(bits: str, next_probs: NextProbs, length: int) -> list[Token]:
    """Return the `length` tokens that `arithmetic_encode` turned into `bits` with the same model.

    Raises ValueError where the model leaves no token possible: it is not the one that encoded.

    >>> arithmetic_decode("0111", lambda history: {"a": 0.75, "b": 0.25}, 3)
    ['a', 'a', 'b']
    """
    n_bits, point = len(bits), int(bits or "0", 2)
    low, width, scale = 0, 1, 1
    tokens: list[Token] = []
    for _ in range(length):
        names, bounds = _code_table(next_probs(tokens))
        if not names:
            raise ValueError(
                f"expected a token with a probability above 0 after {shown(tokens[-3:])}, got none:"
                " decode with the model that encoded"
            )
        inside = (point * scale - (low << n_bits)) * bounds[-1] // (width << n_bits)
        at = bisect_right(bounds, inside) - 1
        tokens.append(names[at])
        low, width = low * bounds[-1] + width * bounds[at], width * (bounds[at + 1] - bounds[at])
        scale *= bounds[-1]
    return tokens


def _code_table(probs: Distribution) -> tuple[list[Token], list[int]]:
    """Return the n possible tokens and the n + 1 bounds of their intervals, in code units.

    Each token has at least one unit, so that it has a code.
    """
    possible = {token: max(1, round(p * CODE_UNITS)) for token, p in probs.items() if p > 0}
    return list(possible), [0, *accumulate(possible.values())]


def enumerate_texts(
    next_probs: NextProbs, end: Token, max_length: int
) -> list[tuple[tuple[Token, ...], float]]:
    """Return every text that ends within `max_length` tokens and its probability, highest first.

    For toy languages: the number of texts grows like V^max_length.

    >>> enumerate_texts(lambda history: {"ha": 0.5, ".": 0.5}, ".", 2)
    [(('.',), 0.5), (('ha', '.'), 0.25)]
    """
    done, open_texts = [], [((), 1.0)]
    for _ in range(max_length):
        grown = [
            ((*text, token), prob * p)
            for text, prob in open_texts
            for token, p in next_probs(text).items()
            if p > 0
        ]
        done += [entry for entry in grown if entry[0][-1] == end]
        open_texts = [entry for entry in grown if entry[0][-1] != end]
    return sorted(done, key=lambda entry: -entry[1])
