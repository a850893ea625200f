"""Count n-grams and turn the counts into probabilities of the next token.

The functions at the top are the definitions: they take tables in plain Python,
`table[history][token]`, and return one probability. `fit` stores the counts in sorted numpy arrays,
and `NgramModel` scores a whole text at once. Smoothings: none (maximum likelihood), add-k,
interpolation with one weight, Kneser-Ney with one discount, modified Kneser-Ney with three.

Left out: pruning, back-off without interpolation, borders between documents (a text is one
sequence), unknown tokens (the vocabulary is closed).

source: Chen and Goodman 1998, An empirical study of smoothing techniques for language modeling,
Harvard TR-10-98: sections 2.1 additive, 2.3 Jelinek-Mercer, 2.7 Kneser-Ney, 3 modified Kneser-Ney.
unit: 02_ngrams
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llmcourse.arguments import ids_of, no_string
from llmcourse.models.probability import draw

Token = Hashable
Table = Mapping[tuple, Mapping[Token, int]]  # history of n - 1 tokens -> next token -> count

TUPLE = ("the history as a tuple of tokens", "write (token,), or () for none")
SMOOTHINGS = ("mle", "add_k", "interpolated", "kneser_ney", "modified_kneser_ney")


@dataclass(frozen=True)
class NgramConfig:
    """Say what a model counts and how it smooths; fields that name other smoothings are ignored."""

    order: int  # n: a token is predicted from the n - 1 tokens before it
    smoothing: str = "kneser_ney"  # one of SMOOTHINGS
    k: float = 0.01  # add_k: added to the count of every n-gram, seen or not; > 0
    weight: float = 0.5  # interpolated: weight of the longer history, 0 to 1
    discount: float = 0.75  # kneser_ney (modified: if it has no counts 1 to 4): from counts, 0 to 1
    uniform_base: bool = True  # of all but mle and add_k: smooth the unigrams with 1 / V

    def __post_init__(self) -> None:
        if self.order < 1:
            raise ValueError(f"expected order >= 1, got {self.order}: 1 counts single tokens")
        if self.smoothing not in SMOOTHINGS:
            raise ValueError(f"expected one of {SMOOTHINGS}, got smoothing={self.smoothing!r}")
        if self.k <= 0:
            raise ValueError(f"expected k above 0, got {self.k}: for k = 0 use smoothing='mle'")
        if not (0 <= self.weight <= 1 and 0 <= self.discount <= 1):
            raise ValueError(f"expected weight and discount from 0 to 1, got {self}")


def ngram_counts(tokens: Sequence[Token], n: int) -> dict[tuple, dict[Token, int]]:
    """Return how often each token follows each history of n - 1 tokens: `table[history][token]`.

    A text shorter than n gives an empty table. Raises ValueError for n < 1.

    >>> ngram_counts("abab", 2)
    {('a',): {'b': 2}, ('b',): {'a': 1}}
    """
    if n < 1:
        raise ValueError(f"expected n of at least 1, got {n}: 1 counts single tokens")
    table: dict[tuple, dict[Token, int]] = {}
    for end in range(n - 1, len(tokens)):
        row = table.setdefault(tuple(tokens[end - n + 1 : end]), {})
        row[tokens[end]] = row.get(tokens[end], 0) + 1
    return table


def mle_prob(table: Table, history: tuple, token: Token) -> float:
    """Return the relative frequency of `token` after `history`, 0.0 after an unseen history."""
    no_string(history, *TUPLE)
    row = table.get(history, {})
    return row.get(token, 0) / sum(row.values()) if row else 0.0


def add_k_prob(table: Table, history: tuple, token: Token, k: float, vocab_size: int) -> float:
    """Return (count + k) / (sum of the counts in the row + k V); ValueError unless k > 0."""
    if k <= 0:
        raise ValueError(f"expected k above 0, got {k}: for k = 0 use mle_prob")
    no_string(history, *TUPLE)
    row = table.get(history, {})
    return (row.get(token, 0) + k) / (sum(row.values()) + k * vocab_size)


def interpolated_prob(
    tables: Sequence[Table], history: tuple, token: Token, weight: float, vocab_size: int
) -> float:
    """Return P(w | h) = weight * MLE(w | h) + (1 - weight) * P(w | h').

    `tables[m]` has the histories of m tokens. h' is h without its first token; after the empty
    history P(w | h') is 1 / vocab_size. If h was never seen, P(w | h) = P(w | h'). A history that
    is too long for `tables` loses its first tokens. source: Chen and Goodman 1998, section 2.3.
    """
    no_string(history, *TUPLE)
    prob = 1 / vocab_size  # P(w | h'), from the shortest history to the longest
    for m, table in enumerate(tables[: len(history) + 1]):
        suffix = history[len(history) - m :]
        if table.get(suffix):
            prob = weight * mle_prob(table, suffix, token) + (1 - weight) * prob
    return prob


def kneser_ney_prob(
    tables: Sequence[Table], history: tuple, token: Token, vocab_size: int, discount: float = 0.75
) -> float:
    """Return the interpolated Kneser-Ney probability, with one discount for all histories.

    `tables` and h' are as in `interpolated_prob`. c(h w) is the raw count for the longest history;
    for a shorter one it is the continuation count, the number of different tokens before h w.
    source: Chen and Goodman 1998, section 2.7.
    """
    no_string(history, *TUPLE)
    prob = 1 / vocab_size  # P(w | h'), from the shortest history to the longest
    for m in range(min(len(tables), len(history) + 1)):
        suffix = history[len(history) - m :]
        if m == len(tables) - 1:
            row = tables[m].get(suffix, {})
        else:  # each history of m + 1 tokens that ends in `suffix` has a different token before it
            row = Counter(w for h, after in tables[m + 1].items() if h[1:] == suffix for w in after)
        if row:
            total = sum(row.values())  # P(w | h) = (max(c - D, 0) + D N P(w | h')) / total
            prob = (max(row.get(token, 0) - discount, 0) + discount * len(row) * prob) / total
    return prob


def generate(
    next_probs: Callable[[tuple], Mapping[Token, float]],
    prompt: Sequence[Token],
    length: int,
    n: int,
    uniform: Callable[[], float],
) -> list[Token]:
    """Return the prompt and `length` tokens, each drawn from `next_probs(last n - 1 tokens)`.

    `uniform()` returns a number in [0, 1) and is called once a token. Raises ValueError where no
    token has a probability above 0.
    """
    tokens = list(prompt)
    for _ in range(length):
        history = tuple(tokens[max(0, len(tokens) - n + 1) :])
        tokens.append(draw(next_probs(history), uniform, history))
    return tokens


def unseen_rate(train: Sequence[Token], test: Sequence[Token], n: int) -> float:
    """Return the fraction of the n-grams of `test`, repeated ones counted, not found in `train`.

    Raises ValueError for n < 1 and for a test text shorter than n.
    """
    if n < 1 or len(test) < n:
        raise ValueError(f"expected n from 1 to {len(test)}, the length of the test text, got {n}")
    seen = {tuple(train[i : i + n]) for i in range(len(train) - n + 1)}
    grams = [tuple(test[i : i + n]) for i in range(len(test) - n + 1)]
    return sum(gram not in seen for gram in grams) / len(grams)


def encode(tokens: Sequence[Token], vocabulary: Sequence[Token]) -> np.ndarray:
    """Return the index of each token in `vocabulary`, int64 (T,); ValueError if it has none."""
    index = {token: i for i, token in enumerate(vocabulary)}
    try:
        return np.fromiter((index[token] for token in tokens), dtype=np.int64, count=len(tokens))
    except KeyError as error:
        message = f"token {error.args[0]!r} is not among the {len(index)} of the vocabulary"
        raise ValueError(f"{message}: build it from all texts that will be scored") from None


@dataclass(frozen=True)
class _Level:
    """Hold the n-grams h w whose history h has m tokens, with alpha(h w) and gamma(h).

    The key of h w is the integer (rank of h) * V + w, and its rank is the index of its key in
    `keys`. The empty history has rank 0. An unseen n-gram has rank -1: it reads the last entries,
    alpha 0 and, as a history, gamma 1.

    Example: the text 0 1 0 2 has the bigrams 01, 02, 10 with the keys 0 * 3 + 1, 0 * 3 + 2 and
    1 * 3 + 0. With D = 0.75, alpha(01) = (1 - 0.75) / 2 and gamma(0) = 0.75 * 2 / 2.

    >>> level = fit(np.array([0, 1, 0, 2]), 3, NgramConfig(2, "kneser_ney")).levels[1]
    >>> level.keys.tolist(), level.alpha.tolist(), level.gamma.tolist()
    ([1, 2, 3], [0.125, 0.125, 0.25, 0.0], [0.75, 0.75, 1.0, 1.0])
    """

    keys: np.ndarray  # of the seen n-grams, ascending
    alpha: np.ndarray  # by rank of h w: what the count of h w adds to P(w | h)
    gamma: np.ndarray  # by rank of h: the weight of P(w | h')


class NgramModel:
    """Predict ids 0 .. V - 1 from the n - 1 ids before them; `fit` makes such a model.

    All smoothings have the form P(w | h) = alpha(h w) + gamma(h) P(w | h'), where h' is h without
    its first token. In `add_k` and `mle`, P(w | h') is replaced by 1 / V and by 0.
    """

    def __init__(self, config: NgramConfig, vocab_size: int, levels: Sequence[_Level]) -> None:
        self.config = config
        self.vocab_size = vocab_size
        self.levels = tuple(levels)
        self._base = 0.0 if config.smoothing == "mle" else 1 / vocab_size
        self._chained = config.smoothing not in ("mle", "add_k")

    @property
    def n_counts(self) -> int:
        """Return the number of counts behind a prediction: of all lengths, or of n-grams alone."""
        used = self.levels if self._chained else self.levels[-1:]
        return sum(len(level.keys) for level in used)

    def logps(self, ids: np.ndarray) -> np.ndarray:
        """Return log P of each id given the ids before it, in nats, float64 (T,); -inf if P = 0."""
        ids = ids_of(ids, self.vocab_size, row=True)
        probs = np.full(len(ids), self._base)
        contexts = np.zeros(len(ids), dtype=np.int64)  # rank of the m ids before each of ids[m:]
        for m, level in enumerate(self.levels[: len(ids)]):
            ranks = _find(level.keys, contexts * self.vocab_size + ids[m:])  # -1 * V + id: unseen
            shorter = probs[m:] if self._chained else self._base
            probs[m:] = level.alpha[ranks] + level.gamma[contexts] * shorter  # P(w | h)
            contexts = ranks[:-1]  # h w is the history of m + 1 ids of the next token
        with np.errstate(divide="ignore"):
            return np.log(probs)

    def bits_per_token(self, ids: np.ndarray) -> float:
        """Return the mean of -log2 P over the ids (at least one); inf if one has probability 0."""
        if len(ids) == 0:
            raise ValueError("expected at least one id to average over, got none: give more text")
        return float(-self.logps(ids).mean() / np.log(2))

    def probs(self, history: Sequence[int]) -> np.ndarray:
        """Return the probability of each next id after a history of any length, float64 (V,).

        They sum to 1, except in `mle` after an unseen history, where all are 0.
        """
        history = ids_of(history, self.vocab_size, row=True)
        history = history[max(0, len(history) - len(self.levels) + 1) :]
        probs = np.full(self.vocab_size, self._base)
        contexts = np.zeros(len(history) + 1, dtype=np.int64)  # ranks as in logps; last: next token
        for m, level in enumerate(self.levels[: len(history) + 1]):
            if not self._chained:
                probs[:] = self._base
            rank = contexts[-1]  # of the last m ids, the history h
            lowest = rank * self.vocab_size  # h w has the key lowest + w
            first, end = np.searchsorted(level.keys, [lowest, lowest + self.vocab_size])
            probs *= level.gamma[rank]  # gamma(h) P(w | h') for all w
            probs[level.keys[first:end] - lowest] += level.alpha[first:end]  # + alpha(h w)
            contexts = _find(level.keys, contexts[:-1] * self.vocab_size + history[m:])
        return probs

    def prob(self, history: Sequence[int], token: int) -> float:
        """Return P(token | history)."""
        return float(self.probs(history)[ids_of(token, self.vocab_size)])


def fit(ids: np.ndarray, vocab_size: int, config: NgramConfig) -> NgramModel:
    """Count the n-grams of a text of ids and return the smoothed model.

    Raises ValueError for an empty text and for ids outside 0 .. vocab_size - 1.
    """
    ids = ids_of(ids, vocab_size, row=True)
    if len(ids) == 0:
        raise ValueError("cannot count an empty text: give at least one token")
    keys: list[np.ndarray] = []  # [m]: the keys of the (m + 1)-grams, as in _Level
    ranks = [np.zeros(len(ids) + 1, dtype=np.int64)]  # [m][i]: rank of the m-gram ids[i : i + m]
    sizes = [1]  # [m]: number of different m-grams
    for m in range(config.order):
        # The (m + 1)-gram ids[i : i + m + 1] has the key rank(ids[i : i + m]) * V + ids[i + m].
        different, rank = _ranked(ranks[m][:-1] * vocab_size + ids[m:], sizes[m] * vocab_size)
        keys.append(different)
        ranks.append(rank)
        sizes.append(len(different))
    levels = []
    for m in range(config.order):
        if m < config.order - 1 and config.smoothing.endswith("kneser_ney"):
            counts = _continuations(ranks[m + 1], ranks[m + 2], sizes[m + 1], sizes[m + 2])
        else:  # the longest history, and the other smoothings, have raw counts
            counts = np.bincount(ranks[m + 1], minlength=sizes[m + 1])
        levels.append(_level(keys[m], counts, sizes[m], m, vocab_size, config))
    return NgramModel(config, vocab_size, levels)


def _level(
    keys: np.ndarray, counts: np.ndarray, n_contexts: int, m: int, vocab_size: int, cfg: NgramConfig
) -> _Level:
    """Return the level of the histories of m tokens."""
    contexts = keys // vocab_size  # rank of the history of each n-gram
    totals = np.bincount(contexts, weights=counts, minlength=n_contexts)
    if cfg.smoothing == "add_k":  # (c + k) / (total + k V) = alpha + gamma / V
        added = cfg.k * vocab_size
        alpha, gamma = counts / (totals + added)[contexts], added / (totals + added)
    else:
        # alpha(h w) = (c - d) / total, gamma(h) = (sum of d over the tokens after h) / total
        discounts = _discounts(counts, m, cfg)
        divisor = np.where(totals > 0, totals, 1)  # total 0: h has no token after it
        alpha = (counts - discounts) / divisor[contexts]
        gamma = np.bincount(contexts, weights=discounts, minlength=n_contexts) / divisor
        gamma[totals == 0] = 1.0
    return _Level(keys, np.append(alpha, 0.0), np.append(gamma, 1.0))  # last: rank -1, unseen


def modified_discounts(counts: np.ndarray, default: float = 0.75) -> np.ndarray:
    """Return the discounts of counts 0, 1, 2, and 3 or more: 0, D1, D2, D3+, float64 (4,).

    n_c n-grams have count c, Y = n_1 / (n_1 + 2 n_2), D_c = max(0, c - (c + 1) Y n_{c+1} / n_c).
    If one of n_1 .. n_4 is 0, all three are `default`. source: Chen and Goodman 1998, section 3.
    """
    n = np.bincount(np.minimum(ids_of(counts, what="counts"), 5), minlength=6)  # n[c] = n_c, c < 5
    if not n[1:5].all():
        return np.array([0.0, default, default, default])
    y = n[1] / (n[1] + 2 * n[2])
    return np.array([0.0] + [max(0.0, c - (c + 1) * y * n[c + 1] / n[c]) for c in (1, 2, 3)])


def _discounts(counts: np.ndarray, m: int, config: NgramConfig) -> np.ndarray:
    """Return what is subtracted from each count after a history of m tokens."""
    if config.smoothing == "mle" or (m == 0 and not config.uniform_base):
        return np.zeros(len(counts))
    if config.smoothing == "interpolated":
        return (1 - config.weight) * counts  # so alpha = weight * MLE and gamma = 1 - weight
    if config.smoothing == "kneser_ney":
        return np.minimum(counts, config.discount)
    return modified_discounts(counts, config.discount)[np.minimum(counts, 3)]


def _continuations(
    ranks: np.ndarray, longer: np.ndarray, size: int, size_longer: int
) -> np.ndarray:
    """Return for each n-gram the number of different (n + 1)-grams that end in it."""
    ends_in = np.zeros(size_longer, dtype=np.int64)
    ends_in[longer] = ranks[1:]  # the (n + 1)-gram at i ends in the n-gram at i + 1
    return np.bincount(ends_in, minlength=size)


def _ranked(keys: np.ndarray, space: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the different keys, ascending, and the rank of each key; all are below `space`."""
    if space > 32 * len(keys) + 1024:
        return np.unique(keys, return_inverse=True)
    seen = np.zeros(space, dtype=bool)  # few possible keys: a table is faster than sorting
    seen[keys] = True
    different = np.flatnonzero(seen)
    rank = np.empty(space, dtype=np.int64)  # entries of other keys are never read
    rank[different] = np.arange(len(different))
    return different, rank[keys]


def _find(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the rank of each wanted key among `keys`, -1 for a key that is not there."""
    if len(keys) == 0:
        return np.full(len(wanted), -1)
    ranks = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[ranks] == wanted, ranks, -1)
