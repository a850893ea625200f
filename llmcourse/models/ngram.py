"""Counting n-grams, and turning the counts into probabilities of the next token.

The functions at the top work on tables in plain Python, `table[history][token]`, one probability a
call: they are the definitions. `fit` and `NgramModel` hold the counts in sorted numpy arrays and
score a million positions a second. Smoothings: none (maximum likelihood), add-k, interpolation with
one weight, interpolated Kneser-Ney with one discount, modified Kneser-Ney with three an order.

Not here: pruning, back-off without interpolation, borders between documents (a text is one
sequence), unknown tokens (the vocabulary is closed).

source: Chen and Goodman 1998, An empirical study of smoothing techniques for language modeling,
Harvard TR-10-98: sections 2.1 additive, 2.3 Jelinek-Mercer, 2.7 Kneser-Ney, 3 modified Kneser-Ney.
unit: 02_ngrams
"""

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
    """What a model counts and how it smooths; a smoothing ignores the fields of the others."""

    order: int  # n: a token is predicted from the n - 1 before it
    smoothing: str = "kneser_ney"  # one of SMOOTHINGS
    k: float = 0.01  # add_k: added to the count of every n-gram, seen or not; > 0
    weight: float = 0.5  # interpolated: share of the longest history, 0 to 1
    discount: float = 0.75  # kneser_ney: taken off the count of every seen n-gram, 0 to 1
    uniform_base: bool = True  # smooth the unigrams with 1 / V; False: an unseen token gets 0

    def __post_init__(self) -> None:
        if self.order < 1:
            raise ValueError(f"order must be at least 1, got {self.order}")
        if self.smoothing not in SMOOTHINGS:
            raise ValueError(f"smoothing must be in {SMOOTHINGS}, got {self.smoothing!r}")
        if self.k <= 0:
            raise ValueError(f"k must be positive, got {self.k}; for k = 0 use smoothing='mle'")
        if not (0 <= self.weight <= 1 and 0 <= self.discount <= 1):
            raise ValueError(f"weight and discount must be from 0 to 1, got {self}")


def ngram_counts(tokens: Sequence[Token], n: int) -> dict[tuple, dict[Token, int]]:
    """Return how often each token follows each history of n - 1 tokens: `table[history][token]`.

    A text shorter than n gives an empty table. Raises ValueError for n < 1.

    >>> ngram_counts("abab", 2)
    {('a',): {'b': 2}, ('b',): {'a': 1}}
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    table: dict[tuple, dict[Token, int]] = {}
    for end in range(n - 1, len(tokens)):
        row = table.setdefault(tuple(tokens[end - n + 1 : end]), {})
        row[tokens[end]] = row.get(tokens[end], 0) + 1
    return table


def mle_prob(table: Table, history: tuple, token: Token) -> float:
    """Return count(history, token) / count(history, anything); 0.0 after an unseen history."""
    no_string(history, *TUPLE)
    row = table.get(history, {})
    return row.get(token, 0) / sum(row.values()) if row else 0.0


def add_k_prob(table: Table, history: tuple, token: Token, k: float, vocab_size: int) -> float:
    """Return the share after adding k to the count of all V tokens; ValueError unless k > 0."""
    if k <= 0:
        raise ValueError(f"k must be positive, got {k}")
    no_string(history, *TUPLE)
    row = table.get(history, {})
    return (row.get(token, 0) + k) / (sum(row.values()) + k * vocab_size)


def interpolated_prob(
    tables: Sequence[Table], history: tuple, token: Token, weight: float, vocab_size: int
) -> float:
    """Return weight * MLE + (1 - weight) * the same after the history without its first token.

    `tables[m]` has the histories of m tokens; below the unigram stands 1 / vocab_size. An unseen
    history leaves everything to the shorter one. Of a history longer than the tables know, the last
    tokens count. source: Chen and Goodman 1998, section 2.3, with one weight for all histories.
    """
    no_string(history, *TUPLE)
    prob = 1 / vocab_size
    for m, table in enumerate(tables[: len(history) + 1]):
        suffix = history[len(history) - m :]
        if table.get(suffix):
            prob = weight * mle_prob(table, suffix, token) + (1 - weight) * prob
    return prob


def kneser_ney_prob(
    tables: Sequence[Table], history: tuple, token: Token, vocab_size: int, discount: float = 0.75
) -> float:
    """Return the interpolated Kneser-Ney probability, one discount for all orders, 1 / V below.

    `tables[m]` has the histories of m tokens. The longest ones use their counts; shorter ones use
    continuation counts: how many different tokens the n-gram was seen after. An unseen history
    leaves everything to the shorter one. source: Chen and Goodman 1998, section 2.7.
    """
    no_string(history, *TUPLE)
    prob = 1 / vocab_size
    for m in range(min(len(tables), len(history) + 1)):
        suffix = history[len(history) - m :]
        row = _continuation_row(tables, suffix) if m < len(tables) - 1 else tables[m].get(suffix)
        if row:
            total = sum(row.values())
            prob = (max(row.get(token, 0) - discount, 0) + discount * len(row) * prob) / total
    return prob


def _continuation_row(tables: Sequence[Table], history: tuple) -> dict[Token, int]:
    """Return for each token how many different tokens were seen in front of (history, token)."""
    row: dict[Token, int] = {}
    for longer, followers in tables[len(history) + 1].items():
        if longer[1:] == history:
            for token in followers:
                row[token] = row.get(token, 0) + 1
    return row


def generate(
    next_probs: Callable[[tuple], Mapping[Token, float]],
    prompt: Sequence[Token],
    length: int,
    n: int,
    uniform: Callable[[], float],
) -> list[Token]:
    """Return the prompt and `length` tokens, each drawn from `next_probs(last n - 1 tokens)`.

    uniform: gives a number in [0, 1) each time (`random.Random(0).random`); called once a token.
    Raises ValueError at a dead end, where no token has a probability above 0.
    """
    tokens = list(prompt)
    for _ in range(length):
        history = tuple(tokens[max(0, len(tokens) - n + 1) :])
        tokens.append(draw(next_probs(history), uniform, history))
    return tokens


def unseen_rate(train: Sequence[Token], test: Sequence[Token], n: int) -> float:
    """Return the share of the n-grams of `test`, repeated ones counted, that `train` has not.

    Raises ValueError for n < 1 and for a test text shorter than n.
    """
    if n < 1 or len(test) < n:
        raise ValueError(f"need 1 <= n <= {len(test)}, the tokens of the test text, got n = {n}")
    seen = {tuple(train[i : i + n]) for i in range(len(train) - n + 1)}
    grams = [tuple(test[i : i + n]) for i in range(len(test) - n + 1)]
    return sum(gram not in seen for gram in grams) / len(grams)


def encode(tokens: Sequence[Token], vocabulary: Sequence[Token]) -> np.ndarray:
    """Return the place of each token in `vocabulary`, int64 (T,). ValueError if it has none."""
    place = {token: i for i, token in enumerate(vocabulary)}
    try:
        return np.fromiter((place[token] for token in tokens), dtype=np.int64, count=len(tokens))
    except KeyError as error:
        message = f"token {error.args[0]!r} is not among the {len(place)} of the vocabulary"
        raise ValueError(f"{message}: build it from all texts that will be scored") from None


@dataclass(frozen=True)
class _Level:
    """The (m + 1)-grams in order; the rank of one is its place; -1 reads the unseen's values."""

    keys: np.ndarray  # rank of the first m tokens among the m-grams * V + last token, ascending
    alpha: np.ndarray  # by rank: what the n-gram's own count adds to P(last | first m)
    gamma: np.ndarray  # by rank of the first m tokens: the weight of the shorter history


class NgramModel:
    """An n-gram model of ids 0 .. V - 1; `fit` makes one.

    Every smoothing is P(w | h) = alpha(h w) + gamma(h) P(w | h without its first token); they
    differ in alpha and gamma only. In `add_k` and `mle` the last P is the base, 1 / V and 0.
    """

    def __init__(self, config: NgramConfig, vocab_size: int, levels: Sequence[_Level]) -> None:
        self.config = config
        self.vocab_size = vocab_size
        self.levels = tuple(levels)
        self._base = 0.0 if config.smoothing == "mle" else 1 / vocab_size
        self._chained = config.smoothing not in ("mle", "add_k")

    @property
    def n_counts(self) -> int:
        """The number of counts the model needs, over all its orders: its size."""
        used = self.levels if self._chained else self.levels[-1:]
        return sum(len(level.keys) for level in used)

    def logps(self, ids: np.ndarray) -> np.ndarray:
        """Return the log-probability of each id given those before it, in nats, float64 (T,).

        The first n - 1 ids have shorter histories. A probability of 0 gives -inf.
        """
        ids = ids_of(ids, self.vocab_size, row=True)
        probs = np.full(len(ids), self._base)
        contexts = np.zeros(len(ids), dtype=np.int64)  # rank of the m tokens before each of ids[m:]
        for m, level in enumerate(self.levels[: len(ids)]):
            ranks = _find(level.keys, contexts * self.vocab_size + ids[m:])
            shorter = probs[m:] if self._chained else self._base
            probs[m:] = level.alpha[ranks] + level.gamma[contexts] * shorter
            contexts = ranks[:-1]
        with np.errstate(divide="ignore"):
            return np.log(probs)

    def bits_per_token(self, ids: np.ndarray) -> float:
        """Return the mean of -log2 P over the ids (at least one); inf if one has probability 0."""
        if len(ids) == 0:
            raise ValueError("expected at least one id to average over, got none")
        return float(-self.logps(ids).mean() / np.log(2))

    def probs(self, history: Sequence[int]) -> np.ndarray:
        """Return the probabilities of all next ids after a history of any length, float64 (V,).

        They sum to 1; only `mle` has none after a history it has not seen: all are 0.
        """
        history = ids_of(history, self.vocab_size, row=True)
        history = history[max(0, len(history) - len(self.levels) + 1) :]
        probs = np.full(self.vocab_size, self._base)
        contexts = np.zeros(len(history) + 1, dtype=np.int64)  # the last is that of the next token
        for m, level in enumerate(self.levels[: len(history) + 1]):
            if not self._chained:
                probs[:] = self._base
            rank = contexts[-1]
            own = rank * self.vocab_size  # the keys of its n-grams are own .. own + V - 1
            first, end = np.searchsorted(level.keys, [own, own + self.vocab_size])
            probs *= level.gamma[rank]
            probs[level.keys[first:end] - own] += level.alpha[first:end]
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
    keys: list[np.ndarray] = []
    ranks = [np.zeros(len(ids) + 1, dtype=np.int64)]  # [m][i]: rank of the m-gram that begins at i
    sizes = [1]  # how many different m-grams there are
    for m in range(config.order):
        found, rank = _compress(ranks[m][:-1] * vocab_size + ids[m:], sizes[m] * vocab_size)
        keys.append(found)
        ranks.append(rank)
        sizes.append(len(found))
    levels = []
    for m in range(config.order):
        if m < config.order - 1 and config.smoothing.endswith("kneser_ney"):
            counts = _continuations(ranks[m + 1], ranks[m + 2], sizes[m + 1], sizes[m + 2])
        else:
            counts = np.bincount(ranks[m + 1], minlength=sizes[m + 1])
        levels.append(_level(keys[m], counts, sizes[m], m, vocab_size, config))
    return NgramModel(config, vocab_size, levels)


def _level(
    keys: np.ndarray, counts: np.ndarray, n_contexts: int, m: int, vocab_size: int, cfg: NgramConfig
) -> _Level:
    """Return the level of the histories of m tokens."""
    contexts = keys // vocab_size
    totals = np.bincount(contexts, weights=counts, minlength=n_contexts)
    if cfg.smoothing == "add_k":
        added = cfg.k * vocab_size
        alpha, gamma = counts / (totals + added)[contexts], added / (totals + added)
    else:
        taken = _taken(counts, m, cfg)
        divisor = np.where(totals > 0, totals, 1)  # 0: continuations of what only began the text
        alpha = (counts - taken) / divisor[contexts]
        gamma = np.bincount(contexts, weights=taken, minlength=n_contexts) / divisor
        gamma[totals == 0] = 1.0
    return _Level(keys, np.append(alpha, 0.0), np.append(gamma, 1.0))


def modified_discounts(counts: np.ndarray, default: float = 0.75) -> np.ndarray:
    """Return what is taken off a count of 0, 1, 2, and 3 or more (0, D1, D2, D3+), float64 (4,).

    n_c n-grams have count c: Y = n_1 / (n_1 + 2 n_2), D_c = c - (c + 1) Y n_{c+1} / n_c. Where one
    of n_1 .. n_4 is 0 all are `default`. source: Chen and Goodman 1998, section 3.
    """
    n = np.bincount(np.minimum(ids_of(counts), 5), minlength=6)
    if not n[1:5].all():
        return np.array([0.0, default, default, default])
    y = n[1] / (n[1] + 2 * n[2])
    return np.array([0.0] + [max(0.0, c - (c + 1) * y * n[c + 1] / n[c]) for c in (1, 2, 3)])


def _taken(counts: np.ndarray, m: int, config: NgramConfig) -> np.ndarray:
    """Return how much of each count after histories of m tokens goes to the shorter history."""
    if config.smoothing == "mle" or (m == 0 and not config.uniform_base):
        return np.zeros(len(counts))
    if config.smoothing == "interpolated":
        return (1 - config.weight) * counts
    if config.smoothing == "kneser_ney":
        return np.minimum(counts, config.discount)
    return modified_discounts(counts, config.discount)[np.minimum(counts, 3)]


def _continuations(
    ranks: np.ndarray, longer: np.ndarray, size: int, size_longer: int
) -> np.ndarray:
    """Return for each n-gram how many different (n + 1)-grams end in it."""
    end = np.zeros(size_longer, dtype=np.int64)
    end[longer] = ranks[1:]
    return np.bincount(end, minlength=size)


def _compress(keys: np.ndarray, space: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the different keys, ascending, and the place of each key; 0 <= key < space."""
    if space > 32 * len(keys) + 1024:
        return np.unique(keys, return_inverse=True)
    seen = np.zeros(space, dtype=bool)  # few possible keys: a table is faster than sorting
    seen[keys] = True
    found = np.flatnonzero(seen)
    place = np.empty(space, dtype=np.int64)  # only the places of found keys are ever touched
    place[found] = np.arange(len(found))
    return found, place[keys]


def _find(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the place in `keys` of each wanted key, -1 where it is not there."""
    if len(keys) == 0:
        return np.full(len(wanted), -1)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)
