"""Right and wrong answers to the exercises of unit 02."""

import math
import random
from bisect import bisect
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import accumulate

import numpy as np

from autograder.verification.answer_bank import Equivalent, right, slow, wrong

# --- ngram_counts


@right("ngram_counts")
def counters_of_shifted_copies(tokens, n):
    if n < 1:
        raise ValueError("n")
    table = defaultdict(Counter)
    for gram in zip(*(tokens[i:] for i in range(n)), strict=False):
        table[gram[:-1]][gram[-1]] += 1
    return table


@right("ngram_counts")
def sliding_window(tokens, n):
    if n <= 0:
        raise ValueError("n")
    table, window = {}, []
    for token in tokens:
        window = [*window, token][-n:]
        if len(window) == n:
            row = table.setdefault(tuple(window[: n - 1]), {})
            row[token] = 1 if token not in row else row[token] + 1
    return table


@wrong("ngram_counts", hint="last n-gram of the text is missing")
def forgets_the_last_one(tokens, n):
    if n < 1:
        raise ValueError("n")
    table = defaultdict(Counter)
    for i in range(len(tokens) - n):
        table[tuple(tokens[i : i + n - 1])][tokens[i + n - 1]] += 1
    return table


@wrong("ngram_counts", hint="keys are whole n-grams")
def flat_counter(tokens, n):
    if n < 1:
        raise ValueError("n")
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


@wrong("ngram_counts", hint="tokens[-0:] is everything")
def history_by_negative_slice(tokens, n):
    if n < 1:
        raise ValueError("n")
    table = defaultdict(Counter)
    for i in range(n - 1, len(tokens)):
        table[tuple(tokens[:i][-(n - 1) :])][tokens[i]] += 1
    return table


@wrong("ngram_counts", hint="your histories have n tokens")
def history_of_n_tokens(tokens, n):
    if n < 1:
        raise ValueError("n")
    table = defaultdict(Counter)
    for i in range(len(tokens) - n):
        table[tuple(tokens[i : i + n])][tokens[i + n]] += 1
    return table


@wrong("ngram_counts", hint="every count is 1")
def sets_instead_of_adding(tokens, n):
    if n < 1:
        raise ValueError("n")
    table = {}
    for i in range(len(tokens) - n + 1):
        table.setdefault(tuple(tokens[i : i + n - 1]), {})[tokens[i + n - 1]] = 1
    return table


@slow("ngram_counts", hint="Go over the text once")
def counts_each_gram_anew(tokens, n):
    if n < 1:
        raise ValueError("n")
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    table = {}
    for gram in grams:
        table.setdefault(gram[:-1], {})[gram[-1]] = grams.count(gram)
    return table


@wrong("ngram_counts", hint="ValueError")
def accepts_any_n(tokens, n):
    table = defaultdict(Counter)
    for i in range(len(tokens) - n + 1):
        table[tuple(tokens[i : i + n - 1])][tokens[i + n - 1]] += 1
    return table


# --- score_text


def _long_enough(tokens, n):
    if len(tokens) < n:
        raise ValueError("too short")


def _probs(table, tokens, n):
    """The MLE of each token that has a history, 0 where it was not seen."""
    for i in range(n - 1, len(tokens)):
        row = table.get(tuple(tokens[i - n + 1 : i]), {})
        yield row.get(tokens[i], 0) / max(1, sum(row.values()))


@right("score_text")
def numpy_mean_of_logs(table, tokens, n):
    _long_enough(tokens, n)
    with np.errstate(divide="ignore"):
        return -np.log2(list(_probs(table, tokens, n))).mean()


@right("score_text")
def zip_of_shifted_copies(table, tokens, n):
    grams = list(zip(*(tokens[i:] for i in range(n)), strict=False))
    if not grams:
        raise ValueError("too short")
    total = 0.0
    for *history, token in grams:
        try:
            row = table[tuple(history)]
            total += math.log2(sum(row.values())) - math.log2(row[token])
        except KeyError:
            return float("inf")
    return total / len(grams)


@right("score_text")
def counts_of_each_gram_in_single_precision(table, tokens, n):
    _long_enough(tokens, n)
    there = Counter(tuple(tokens[i - n : i]) for i in range(n, len(tokens) + 1))
    total = np.float32(0)
    for gram, count in there.items():
        row = Counter(table.get(gram[:-1], {}))
        if row[gram[-1]] == 0:
            return np.float32(np.inf)
        total += np.float32(count) * np.float32(math.log2(row.total() / row[gram[-1]]))
    return total / np.float32(there.total())


@right("score_text")
def the_draft_mended_at_its_end(table, tokens, n):
    _long_enough(tokens, n)
    bits = [-math.log2(p) for p in _probs(table, tokens, n) if p > 0]
    return sum(bits) / len(bits) if len(bits) == len(tokens) - n + 1 else math.inf


@wrong("score_text", hint="left out of the mean")
def the_draft_as_it_is(table, tokens, n):
    _long_enough(tokens, n)
    bits = [-math.log2(p) for p in _probs(table, tokens, n) if p > 0]
    return sum(bits) / max(1, len(bits))


@wrong("score_text", hint="does not cost 0 bits")
def skips_the_token_but_counts_it(table, tokens, n):
    _long_enough(tokens, n)
    bits = [-math.log2(p) if p else 0.0 for p in _probs(table, tokens, n)]
    return sum(bits) / len(bits)


@wrong("score_text", hint="no small number stands for 0")
def puts_a_small_number_in_place_of_zero(table, tokens, n):
    _long_enough(tokens, n)
    return np.mean([-math.log2(p or 1e-10) for p in _probs(table, tokens, n)])


@wrong("score_text", hint="no small number stands for 0")
def adds_a_small_number_to_all(table, tokens, n):
    _long_enough(tokens, n)
    return np.mean([-math.log2(p + 1e-15) for p in _probs(table, tokens, n)])


@wrong("score_text", hint="raised KeyError")
def stumbles_over_new_histories(table, tokens, n):
    _long_enough(tokens, n)
    bits = 0.0
    for i in range(n - 1, len(tokens)):
        row = table[tuple(tokens[i - n + 1 : i])]
        if tokens[i] not in row:
            return math.inf
        bits -= math.log2(row[tokens[i]] / sum(row.values()))
    return bits / (len(tokens) - n + 1)


@wrong("score_text", hint="tokens with a whole history")
def averages_over_all_tokens(table, tokens, n):
    _long_enough(tokens, n)
    probs = list(_probs(table, tokens, n))
    return -sum(map(math.log2, probs)) / len(tokens) if all(probs) else math.inf


@wrong("score_text", hint="use math.log2")
def in_nats(table, tokens, n):
    _long_enough(tokens, n)
    probs = list(_probs(table, tokens, n))
    return -np.mean(np.log(probs)) if all(probs) else math.inf


@wrong("score_text", hint="fewer than n tokens")
def infinite_for_nothing(table, tokens, n):
    probs = list(_probs(table, tokens, n))
    return -np.mean(np.log2(probs)) if probs and all(probs) else math.inf


# --- unseen_rate


@right("unseen_rate")
def counter_difference(train, test, n):
    if n < 1 or len(test) < n:
        raise ValueError("too short")
    there = Counter(zip(*(test[i:] for i in range(n)), strict=False))
    known = set(zip(*(train[i:] for i in range(n)), strict=False))
    return sum(c for g, c in there.items() if g not in known) / there.total()


@right("unseen_rate")
def mean_in_half_precision(train, test, n):
    if n < 1 or len(test) < n:
        raise ValueError("n")
    seen = set(zip(*(train[i:] for i in range(n)), strict=False))
    there = zip(*(test[i:] for i in range(n)), strict=False)
    return np.float16(np.mean([gram not in seen for gram in there]))


@right("unseen_rate")
def mean_of_booleans(train, test, n):
    if not 1 <= n <= len(test):
        raise ValueError("too short")

    def grams(tokens):
        return [tuple(tokens[i - n : i]) for i in range(n, len(tokens) + 1)]

    known = dict.fromkeys(grams(train))
    return np.mean([gram not in known for gram in grams(test)])


@slow("unseen_rate", hint="Look the n-grams up in a set")
def searches_a_list(train, test, n):
    _need(test, n)
    known = _grams(train, n)
    return sum(gram not in known for gram in _grams(test, n)) / (len(test) - n + 1)


def _grams(tokens, n):
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def _need(test, n):
    if n < 1 or len(test) < n:
        raise ValueError("too short")


@wrong("unseen_rate", hint="fraction of the different")
def by_types(train, test, n):
    _need(test, n)
    types = set(_grams(test, n))
    return len(types - set(_grams(train, n))) / len(types)


@wrong("unseen_rate", hint="not of the seen")
def share_of_the_seen(train, test, n):
    _need(test, n)
    known = set(_grams(train, n))
    return np.mean([gram in known for gram in _grams(test, n)])


@wrong("unseen_rate", hint="T - n + 1 n-grams")
def divides_by_tokens(train, test, n):
    _need(test, n)
    known = set(_grams(train, n))
    return sum(gram not in known for gram in _grams(test, n)) / len(test)


@wrong("unseen_rate", hint="not the reverse")
def looks_the_other_way(train, test, n):
    _need(test, n)
    there = _grams(train, n)
    return np.mean([gram not in _grams(test, n) for gram in there]) if there else 1.0


@wrong("unseen_rate", hint="last n-gram of the training text")
def training_text_ends_early(train, test, n):
    _need(test, n)
    known = set(_grams(train[:-1], n))
    return np.mean([gram not in known for gram in _grams(test, n)])


@wrong("unseen_rate", hint="the training text lacks")
def joined_by_spaces(train, test, n):
    _need(test, n)
    known = {" ".join(map(str, gram)) for gram in _grams(train, n)}
    return np.mean([" ".join(map(str, gram)) not in known for gram in _grams(test, n)])


@wrong("unseen_rate", hint="has no n-gram")
def zero_for_nothing(train, test, n):
    known = set(_grams(train, n))
    there = _grams(test, n)
    return sum(gram not in known for gram in there) / max(1, len(there))


# --- choose_k


def _smoothed(row, token, k, size):
    return (row.get(token, 0) + k) / (sum(row.values()) + k * size)


def _log_probs(train, tokens, n, k, size):
    table = defaultdict(Counter)
    for *history, token in _grams(train, n):
        table[tuple(history)][token] += 1
    return [math.log(_smoothed(table[g[:-1]], g[-1], k, size)) for g in _grams(tokens, n)]


@right("choose_k")
def best_so_far(train, dev, n, ks, vocab_size):
    table = ngram_counts(train, n)
    best, fewest = None, math.inf
    for k in ks:
        bits = 0.0
        for i in range(n - 1, len(dev)):
            row = table.get(tuple(dev[i - n + 1 : i]), {})
            bits -= math.log2(_smoothed(row, dev[i], k, vocab_size))
        if bits < fewest:
            best, fewest = k, bits
    return best


@right("choose_k")
def argmin_of_a_numpy_table(train, dev, n, ks, vocab_size):
    table, grams = ngram_counts(n=n, tokens=train, verbose=True), _grams(dev, n)
    rows = [table.get(gram[:-1], {}) for gram in grams]
    counts = np.array([row.get(gram[-1], 0) for row, gram in zip(rows, grams, strict=True)])
    totals = np.array([sum(row.values()) for row in rows])
    ks = np.asarray(ks, dtype=float)
    probs = (counts + ks[:, None]) / (totals + ks[:, None] * vocab_size)
    return ks[np.log(probs).mean(axis=1).argmax()]


@right("choose_k")
def sorted_by_perplexity_in_single_precision(train, dev, n, ks, vocab_size):
    def perplexity(k):
        logs = np.array(_log_probs(train, dev, n, k, vocab_size), dtype=np.float32)
        return np.exp(-logs.mean())

    return sorted(ks, key=perplexity)[0]


@right("choose_k")
def geometric_mean_of_fractions(train, dev, n, ks, vocab_size):
    seen, before = Counter(_grams(train, n)), Counter(g[:-1] for g in _grams(train, n))
    size = Fraction(vocab_size)

    def product(k):
        whole = Fraction(1)
        for g in _grams(dev, n):
            whole *= (seen[g] + Fraction(k)) / (before[g[:-1]] + Fraction(k) * size)
        return whole

    return max(ks, key=product)


@slow("choose_k", hint="Count `train` once")
def counts_anew_for_each_token(train, dev, n, ks, vocab_size):
    def bits(k):
        return -sum(_log_probs(train, list(g), n, k, vocab_size)[0] for g in _grams(dev, n))

    return min(ks, key=bits)


@wrong("choose_k", hint="the smallest k wins on `train`")
def chooses_on_the_training_text(train, dev, n, ks, vocab_size):
    return max(ks, key=lambda k: sum(_log_probs(train, train, n, k, vocab_size)))


@wrong("choose_k", hint="needs the most bits")
def takes_the_most_bits(train, dev, n, ks, vocab_size):
    return min(ks, key=lambda k: sum(_log_probs(train, dev, n, k, vocab_size)))


@wrong("choose_k", hint="add logarithms")
def averages_probabilities(train, dev, n, ks, vocab_size):
    return max(ks, key=lambda k: np.exp(_log_probs(train, dev, n, k, vocab_size)).mean())


@wrong("choose_k", hint="you did the reverse")
def counts_dev_and_scores_train(train, dev, n, ks, vocab_size):
    return max(ks, key=lambda k: sum(_log_probs(dev, train, n, k, vocab_size)))


@wrong("choose_k", hint="V is `vocab_size`")
def takes_the_seen_tokens_as_vocabulary(train, dev, n, ks, vocab_size):
    return max(ks, key=lambda k: sum(_log_probs(train, dev, n, k, len(set(train)))))


@wrong("choose_k", hint="every k must be tried")
def the_first_one(train, dev, n, ks, vocab_size):
    return ks[0]


@wrong("choose_k", hint="of the given ks the one")
def returns_the_bits(train, dev, n, ks, vocab_size):
    return max(sum(_log_probs(train, dev, n, k, vocab_size)) for k in ks)


# --- interpolated_prob


@right("interpolated_prob")
def recursive_mixture(tables, history, token, weight, vocab_size):
    def mixture(history):
        shorter = mixture(history[1:]) if history else 1 / vocab_size
        row = tables[len(history)].get(history)
        if row is None:
            return shorter
        return weight * row.get(token, 0) / sum(row.values()) + (1 - weight) * shorter

    longest = len(tables) - 1
    return mixture(history[len(history) - longest :] if len(history) > longest else history)


@right("interpolated_prob")
def shares_from_the_longest_down(tables, history, token, weight, vocab_size):
    total, left = Fraction(0), Fraction(1)
    for m in range(len(tables) - 1, -1, -1):
        suffix = tuple(history[i] for i in range(len(history) - m, len(history)) if i >= 0)
        if len(suffix) == m and suffix in tables[m]:
            row = Counter(tables[m][suffix])
            total += left * Fraction(weight) * Fraction(row[token], row.total())
            left *= 1 - Fraction(weight)
    return total + left / vocab_size


@right("interpolated_prob")
def moves_towards_the_share(tables, history, token, weight, vocab_size):
    prob = 1 / vocab_size
    for m, table in enumerate(tables):
        suffix = tuple(history[len(history) - m :]) if m <= len(history) else None
        if suffix in table:
            row = table[suffix]
            prob += weight * (row.get(token, 0) / sum(row.values()) - prob)
    return prob


@right("interpolated_prob")
def mixture_in_single_precision(tables, history, token, weight, vocab_size):
    prob = np.float32(1 / vocab_size)
    for m, table in enumerate(tables[: len(history) + 1]):
        row = Counter(table.get(tuple(history[len(history) - m :]), {}))
        if row:
            share = np.float32(row[token]) / np.float32(row.total())
            prob = np.float32(weight) * share + np.float32(1 - weight) * prob
    return prob


def _mixture(tables, history, token, weight, vocab_size, shares, base=1.0, new=1.0):
    prob = base / vocab_size
    for m in range(min(len(tables), len(history) + 1)):
        suffix = history[len(history) - m :]
        row = tables[m].get(suffix, {})
        mle = row.get(token, 0) / sum(row.values()) if row else 0.0
        prob = shares[0](weight) * mle + shares[1](weight) * prob if row else new(weight) * prob
    return prob


def _weight(w):
    return w


def _rest(w):
    return 1 - w


def _all(w):
    return 1.0


@wrong("interpolated_prob", hint="two weights must sum to 1")
def weights_above_one(tables, history, token, weight, vocab_size):
    return _mixture(tables, history, token, weight, vocab_size, (_weight, _all), new=_all)


@wrong("interpolated_prob", hint="weight belongs to the longer")
def weights_swapped(tables, history, token, weight, vocab_size):
    return _mixture(tables, history, token, weight, vocab_size, (_rest, _weight), new=_all)


@wrong("interpolated_prob", hint="An unseen history has no MLE")
def new_histories_lose_their_share(tables, history, token, weight, vocab_size):
    return _mixture(tables, history, token, weight, vocab_size, (_weight, _rest), new=_rest)


@wrong("interpolated_prob", hint="The unigram is mixed with 1 / V")
def no_uniform(tables, history, token, weight, vocab_size):
    return _mixture(tables, history, token, weight, vocab_size, (_weight, _rest), 0.0, new=_all)


@wrong("interpolated_prob", hint="Mix all lengths of history")
def longest_and_uniform_only(tables, history, token, weight, vocab_size):
    row = tables[-1].get(history[max(0, len(history) - len(tables) + 1) :], {})
    if not row:
        return 1 / vocab_size
    return weight * row.get(token, 0) / sum(row.values()) + (1 - weight) / vocab_size


@wrong("interpolated_prob", hint="last tokens")
def first_tokens_of_a_long_history(tables, history, token, weight, vocab_size):
    history = history[: len(tables) - 1]
    return _mixture(tables, history, token, weight, vocab_size, (_weight, _rest), new=_all)


# --- kneser_ney_prob


@right("kneser_ney_prob")
def recursive_with_counters(tables, history, token, vocab_size, discount=0.75):
    order = len(tables)

    def prob(history):
        lower = prob(history[1:]) if history else 1 / vocab_size
        if len(history) == order - 1:
            row = Counter(tables[-1].get(history, {}))
        else:
            above = tables[len(history) + 1]
            row = Counter(w for longer in above if longer[1:] == history for w in above[longer])
        if not row:
            return lower
        kept = max(row[token] - discount, 0) / row.total()
        return kept + discount * len(row) / row.total() * lower

    return prob(tuple(history)[max(0, len(history) - order + 1) :])


_kneser_ney = recursive_with_counters.function


@right("kneser_ney_prob")
def kneser_ney_in_single_precision(tables, history, token, vocab_size, discount=0.75):
    return np.float32(_kneser_ney(tables, history, token, vocab_size, discount))


@right("kneser_ney_prob")
def all_tables_first(tables, history, token, vocab_size, discount=0.75):
    def continuations(above):
        table = defaultdict(Counter)
        for (_, *rest), row in above.items():
            table[tuple(rest)].update(row.keys())
        return table

    ours = [continuations(above) for above in tables[1:]] + [tables[-1]]
    prob = np.full(1, 1 / vocab_size)
    for m in range(len(ours)):
        if m > len(history):
            break
        row = ours[m].get(tuple(history[len(history) - m :]), {})
        if sum(row.values()) == 0:
            continue
        taken = [min(c, discount) for c in row.values()]
        own = row.get(token, 0) - min(row.get(token, 0), discount)
        prob = (own + sum(taken) * prob) / sum(row.values())
    return prob[0]


def _kneser_ney(
    tables, history, token, vocab_size, discount, *, raw=False, n=len, base=1.0, new=None, cut=True
):
    prob = base / vocab_size
    for m in range(min(len(tables), len(history) + 1)):
        suffix = history[len(history) - m :]
        if raw or m == len(tables) - 1:
            row = tables[m].get(suffix, {})
        else:
            above = tables[m + 1]
            row = Counter(w for longer in above if longer[1:] == suffix for w in above[longer])
        total = sum(row.values())
        if total:
            kept = row.get(token, 0) - discount
            kept = max(kept, 0) if cut else kept
            prob = kept / total + discount * n(row) / total * prob
        elif new is not None:
            prob = new
    return prob


@wrong("kneser_ney_prob", hint="yours are raw counts")
def raw_counts_everywhere(tables, history, token, vocab_size, discount=0.75):
    return _kneser_ney(tables, history, token, vocab_size, discount, raw=True)


@wrong("kneser_ney_prob", hint="pass on D N, not D")
def passes_on_one_discount(tables, history, token, vocab_size, discount=0.75):
    return _kneser_ney(tables, history, token, vocab_size, discount, n=lambda row: 1)


@wrong("kneser_ney_prob", hint="The subtracted probability is lost")
def forgets_the_lower_order(tables, history, token, vocab_size, discount=0.75):
    return _kneser_ney(tables, history, token, vocab_size, discount, n=lambda row: 0)


@wrong("kneser_ney_prob", hint="use max(count - D, 0)")
def negative_counts(tables, history, token, vocab_size, discount=0.75):
    return _kneser_ney(tables, history, token, vocab_size, discount, cut=False)


@wrong("kneser_ney_prob", hint="1 / V has the weight D N / total")
def no_uniform_base(tables, history, token, vocab_size, discount=0.75):
    return _kneser_ney(tables, history, token, vocab_size, discount, base=0.0)


@wrong("kneser_ney_prob", hint="the result is that of the shorter one")
def nothing_after_new_histories(tables, history, token, vocab_size, discount=0.75):
    return _kneser_ney(tables, history, token, vocab_size, discount, new=0.0)


@wrong("kneser_ney_prob", hint="The lower probability has the weight D N / total")
def lower_order_unweighted(tables, history, token, vocab_size, discount=0.75):
    prob = 1 / vocab_size
    for m in range(min(len(tables), len(history) + 1)):
        suffix = history[len(history) - m :]
        row = tables[m].get(suffix, {})
        if m < len(tables) - 1:
            above = tables[m + 1]
            row = Counter(w for longer in above if longer[1:] == suffix for w in above[longer])
        if row:
            prob += max(row.get(token, 0) - discount, 0) / sum(row.values())
    return prob


@wrong("kneser_ney_prob", hint="use the argument")
def discount_fixed(tables, history, token, vocab_size, discount=0.75):
    return _kneser_ney(tables, history, token, vocab_size, 0.75)


@wrong("kneser_ney_prob", hint="not continuation counts")
def continuation_counts_at_the_top_too(tables, history, token, vocab_size, discount=0.75):
    ones = [*tables[:-1], {h: dict.fromkeys(row, 1) for h, row in tables[-1].items()}]
    return _kneser_ney(ones, history, token, vocab_size, discount)


# --- generate


@right("generate")
def running_sum_by_hand(next_probs, prompt, length, n, uniform):
    out = [*prompt]
    for _ in range(length):
        start = len(out) - (n - 1)
        odds = next_probs(tuple(out[start if start > 0 else 0 :]))
        level = uniform()
        chosen = None
        for token, p in odds.items():
            if p > 0:
                chosen = token
                if level < p:
                    break
                level -= p
        out.append(chosen)
    return out


@right("generate")
def tokens_one_by_one(next_probs, prompt, length, n, uniform, stop=None):
    """A generator, with keywords and single precision."""
    said = [*prompt]
    yield from said
    for _ in range(length):
        odds = next_probs(history=tuple(said[max(0, len(said) - n + 1) :]))
        possible = [word for word, p in odds.items() if p > 0]
        sums = np.cumsum([odds[word] for word in possible])
        place = min(int((sums <= uniform()).sum()), len(possible) - 1)
        said.append(possible[place])
        yield said[-1]


@right("generate")
def bisection_over_sorted_tokens(next_probs, prompt, length, n, uniform):
    said = tuple(prompt)
    while len(said) < len(prompt) + length:
        odds = next_probs(said[-(n - 1) :] if n > 1 else ())
        names = sorted((w for w in odds if odds[w] > 0), key=str)
        sums = np.cumsum([odds[w] for w in names])
        said += (names[bisect(sums, min(uniform(), np.nextafter(sums[-1], 0)))],)
    return said


@wrong("generate", hint="always the most probable")
def takes_the_most_probable(next_probs, prompt, length, n, uniform):
    out = list(prompt)
    for _ in range(length):
        odds = next_probs(tuple(out[max(0, len(out) - n + 1) :]))
        out.append(max(odds, key=odds.get))
    return out


def _sampled(next_probs, prompt, length, window, uniform, form=tuple):
    out = list(prompt)
    for _ in range(length):
        odds = next_probs(form(window(out)))
        names = [w for w, p in odds.items() if p > 0]
        sums = list(accumulate(odds[w] for w in names))
        out.append(names[min(bisect(sums, uniform()), len(names) - 1)])
    return out


@wrong("generate", hint="last n - 1 tokens only")
def shows_the_whole_text(next_probs, prompt, length, n, uniform):
    return _sampled(next_probs, prompt, length, lambda out: out, uniform)


@wrong("generate", hint="the last n - 1 tokens only")
def window_of_n(next_probs, prompt, length, n, uniform):
    return _sampled(next_probs, prompt, length, lambda out: out[-n:], uniform)


@wrong("generate", hint="tokens[-0:] is everything")
def slice_that_fails_for_unigrams(next_probs, prompt, length, n, uniform):
    return _sampled(next_probs, prompt, length, lambda out: out[-(n - 1) :], uniform)


@wrong("generate", hint="begins with the prompt")
def leaves_the_prompt_out(next_probs, prompt, length, n, uniform):
    window = lambda out: out[max(0, len(out) - n + 1) :]  # noqa: E731
    return _sampled(next_probs, prompt, length, window, uniform)[len(prompt) :]


@wrong("generate", hint="as a tuple")
def history_as_a_list(next_probs, prompt, length, n, uniform):
    window = lambda out: out[max(0, len(out) - n + 1) :]  # noqa: E731
    return _sampled(next_probs, prompt, length, window, uniform, list)


@wrong("generate", hint="probabilities")
def ignores_the_probabilities(next_probs, prompt, length, n, uniform):
    out = list(prompt)
    for _ in range(length):
        odds = next_probs(tuple(out[max(0, len(out) - n + 1) :]))
        names = [w for w in odds if odds[w] > 0]
        out.append(names[int(uniform() * len(names))])
    return out


@wrong("generate", hint="one call of uniform()")
def draws_from_its_own_generator(next_probs, prompt, length, n, uniform):
    own = random.Random(1)
    window = lambda out: out[max(0, len(out) - n + 1) :]  # noqa: E731
    return _sampled(next_probs, prompt, length, window, own.random)


@wrong("generate", hint="probability 0 is never drawn")
def takes_impossible_tokens(next_probs, prompt, length, n, uniform):
    out = list(prompt)
    for _ in range(length):
        odds = next_probs(tuple(out[max(0, len(out) - n + 1) :]))
        level, total = uniform(), 0.0
        for token in odds:
            total += odds[token]
            if level <= total:
                break
        out.append(token)
    return out


@wrong("generate", hint="the number from uniform() must decide")
def keeps_the_shares_without_drawing(next_probs, prompt, length, n, uniform):
    out, credit = list(prompt), Counter()
    for _ in range(length):
        uniform()
        credit.update(next_probs(tuple(out[max(0, len(out) - n + 1) :])))
        out.append(max(credit, key=credit.__getitem__))
        credit[out[-1]] -= 1
    return out


@wrong("generate", hint="belongs to the next token")
def a_running_sum_belongs_to_its_own_token(next_probs, prompt, length, n, uniform):
    out = list(prompt)
    for _ in range(length):
        odds = next_probs(tuple(out[max(0, len(out) - n + 1) :]))
        level, total = uniform(), 0.0
        for token in (token for token in odds if odds[token] > 0):
            total += odds[token]
            if total >= level:
                break
        out.append(token)
    return out


@wrong("generate", hint="take the last token with a probability above 0")
def nothing_where_the_sum_ends_below(next_probs, prompt, length, n, uniform):
    out = list(prompt)
    for _ in range(length):
        level, total = uniform(), 0.0
        for token, p in next_probs(tuple(out[max(0, len(out) - n + 1) :])).items():
            total += p
            if total > level:
                out.append(token)
                break
    return out


# --- mutants of the solutions that compute the same

ONE_LENGTH_MORE = (
    "it looks for one end more of the history, cut with a negative start: that is shorter than the "
    "keys of its table, so it has no row"
)
SHORT_TUPLES = (
    "only adds slices beyond the end of the text, shorter than n: no n-gram of the test is one"
)
EQUIVALENT = [
    *(
        Equivalent(
            "unseen_rate",
            f"seen = {{tuple(train[i : i + n]) for i in range(len(train) {rest})}}",
            because=SHORT_TUPLES,
        )
        for rest in ("- n % 1", "+ n + 1", "* n + 1", "<< n + 1", "| n + 1", "- n + 2")
    ),
    Equivalent("score_text", "if prob <= 0:", because="a probability is never below 0"),
    Equivalent(
        "interpolated_prob",
        "for m in range(min(len(tables), len(history) + 2)):",
        because=ONE_LENGTH_MORE,
    ),
    Equivalent(
        "kneser_ney_prob",
        "for m in range(min(len(tables), len(history) + 2)):",
        because=ONE_LENGTH_MORE,
    ),
    Equivalent(
        "kneser_ney_prob",
        "if m >= len(tables) - 1:",
        because="the loop ends before m is larger",
    ),
    Equivalent(
        "kneser_ney_prob",
        "if m is len(tables) - 1:",
        because="CPython has one object for each whole number up to 256, and no model has more "
        "orders",
    ),
    Equivalent(
        "kneser_ney_prob",
        "own = max(row.get(token, -1) - discount, 0)",
        because="0 - D and -1 - D are both cut to 0",
    ),
    Equivalent(
        "generate",
        "for candidate in (token for token, prob in odds.items() if prob != 0):",
        because="a probability is never below 0",
    ),
]
