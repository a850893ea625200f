"""Right and wrong answers to the exercises of unit 02."""

import random
from bisect import bisect
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import accumulate

import numpy as np

from autograder.answers import Equivalent, right, slow, wrong

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


# --- mle_prob


@right("mle_prob")
def fraction_of_a_counter(table, history, token):
    row = Counter(table.get(history, {}))
    return Fraction(row[token], row.total()) if row else 0


@right("mle_prob")
def share_in_single_precision(table, history, token, default=0.0):
    row = table.get(history)
    if not row:
        return np.float32(default)
    return np.float32(row.get(token, 0)) / np.float32(sum(row.values()))


@right("mle_prob")
def numpy_share(table, history, token):
    if history not in table:
        return np.float64(0)
    followers, counts = zip(*table[history].items(), strict=True)
    mine = [f == token for f in followers]
    return (np.array(mine) * np.array(counts)).sum() / np.sum(counts)


@wrong("mle_prob", hint="not by those of the whole table")
def share_of_the_whole_table(table, history, token):
    total = sum(sum(row.values()) for row in table.values())
    return table.get(history, {}).get(token, 0) / total if total else 0.0


@wrong("mle_prob", hint="divide by the sum of")
def divides_by_the_number_of_followers(table, history, token):
    row = table.get(history, {})
    return row.get(token, 0) / len(row) if row else 0.0


@wrong("mle_prob", hint="raised KeyError")
def stumbles_over_new_tokens(table, history, token):
    if history not in table:
        return 0.0
    return table[history][token] / sum(table[history].values())


@wrong("mle_prob", hint="return 0.0")
def uniform_after_new_histories(table, history, token):
    row = table.get(history)
    return row.get(token, 0) / sum(row.values()) if row else 1 / max(1, len(table))


@wrong("mle_prob", hint="raised ZeroDivisionError")
def divides_zero_by_zero(table, history, token):
    row = table.get(history, {})
    return row.get(token, 0) / sum(row.values())


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


@wrong("unseen_rate", hint="share of the different")
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


# --- add_k_prob


@right("add_k_prob")
def counts_after_adding(table, history, token, k, vocab_size):
    if not k > 0:
        raise ValueError("k")
    row = table.get(history) or {}
    seen = {w: c + k for w, c in row.items()}
    others = (vocab_size - len(row)) * k
    return seen.get(token, k) / (sum(seen.values()) + others)


@right("add_k_prob")
def smoothed_in_single_precision(table, history, token, k, vocab_size):
    if k <= 0:
        raise ValueError("k")
    row, k = table.get(history, {}), np.float32(k)
    return (row.get(token, 0) + k) / (sum(row.values()) + k * vocab_size)


@right("add_k_prob")
def mixture_with_uniform(table, history, token, k, vocab_size):
    if k <= 0:
        raise ValueError("k")
    row = Counter(table.get(history, {}))
    total = sum(row.values())
    share = total / (total + k * vocab_size)
    return share * row[token] / max(total, 1) + (1 - share) / vocab_size


@wrong("add_k_prob", hint="the denominator grows by k V")
def forgets_the_vocabulary(table, history, token, k, vocab_size):
    if k <= 0:
        raise ValueError("k")
    row = table.get(history, {})
    return (row.get(token, 0) + k) / (sum(row.values()) + k)


@wrong("add_k_prob", hint="denominator must grow")
def leaves_the_denominator(table, history, token, k, vocab_size):
    if k <= 0:
        raise ValueError("k")
    row = table.get(history, {})
    return (row.get(token, 0) + k) / max(sum(row.values()), 1)


@wrong("add_k_prob", hint="V is `vocab_size`")
def counts_the_followers_as_vocabulary(table, history, token, k, vocab_size):
    if k <= 0:
        raise ValueError("k")
    row = table.get(history, {token: 0})
    return (row.get(token, 0) + k) / (sum(row.values()) + k * len(row))


@wrong("add_k_prob", hint="k / (k V)")
def zero_after_new_histories(table, history, token, k, vocab_size):
    if k <= 0:
        raise ValueError("k")
    row = table.get(history)
    return (row.get(token, 0) + k) / (sum(row.values()) + k * vocab_size) if row else 0.0


@wrong("add_k_prob", hint="k must be above 0")
def accepts_any_k(table, history, token, k, vocab_size):
    row = table.get(history, {})
    return (row.get(token, 0) + k) / (sum(row.values()) + k * vocab_size or 1)


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
def with_the_earlier_exercise(tables, history, token, weight, vocab_size):
    prob = 1 / vocab_size
    for m, table in enumerate(tables):
        suffix = tuple(history[len(history) - m :]) if m <= len(history) else None
        if suffix in table:
            prob += weight * (mle_prob(table, suffix, token) - prob)
    return prob


@right("interpolated_prob")
def with_the_earlier_exercise_by_keywords(tables, history, token, weight, vocab_size):
    prob = np.float32(1 / vocab_size)
    for m, table in enumerate(tables[: len(history) + 1]):
        suffix = tuple(history[len(history) - m :])
        if suffix in table:
            share = mle_prob(token=token, history=suffix, table=table, default=0.0)
            prob = np.float32(weight) * np.float32(share) + np.float32(1 - weight) * prob
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


@wrong("interpolated_prob", hint="shares must sum to 1")
def weights_above_one(tables, history, token, weight, vocab_size):
    return _mixture(tables, history, token, weight, vocab_size, (_weight, _all), new=_all)


@wrong("interpolated_prob", hint="weight belongs to the longer")
def weights_swapped(tables, history, token, weight, vocab_size):
    return _mixture(tables, history, token, weight, vocab_size, (_rest, _weight), new=_all)


@wrong("interpolated_prob", hint="An unseen history has no MLE")
def new_histories_lose_their_share(tables, history, token, weight, vocab_size):
    return _mixture(tables, history, token, weight, vocab_size, (_weight, _rest), new=_rest)


@wrong("interpolated_prob", hint="Below the unigram stands 1 / V")
def no_uniform(tables, history, token, weight, vocab_size):
    return _mixture(tables, history, token, weight, vocab_size, (_weight, _rest), 0.0, new=_all)


@wrong("interpolated_prob", hint="Mix all the orders")
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


@wrong("kneser_ney_prob", hint="What was taken off is lost")
def forgets_the_lower_order(tables, history, token, vocab_size, discount=0.75):
    return _kneser_ney(tables, history, token, vocab_size, discount, n=lambda row: 0)


@wrong("kneser_ney_prob", hint="use max(count - D, 0)")
def negative_counts(tables, history, token, vocab_size, discount=0.75):
    return _kneser_ney(tables, history, token, vocab_size, discount, cut=False)


@wrong("kneser_ney_prob", hint="goes to 1 / V")
def no_uniform_base(tables, history, token, vocab_size, discount=0.75):
    return _kneser_ney(tables, history, token, vocab_size, discount, base=0.0)


@wrong("kneser_ney_prob", hint="shorter one decides alone")
def nothing_after_new_histories(tables, history, token, vocab_size, discount=0.75):
    return _kneser_ney(tables, history, token, vocab_size, discount, new=0.0)


@wrong("kneser_ney_prob", hint="has the weight D N / total")
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


@wrong("generate", hint="always the likeliest")
def takes_the_likeliest(next_probs, prompt, length, n, uniform):
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


@wrong("generate", hint="probability 0 never comes")
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


@wrong("generate", hint="the number drawn must decide")
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


@wrong("generate", hint="take the last token that can come")
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
