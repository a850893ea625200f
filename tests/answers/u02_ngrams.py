"""Right and wrong answers to the exercises of unit 02: some whole, most as edits of a solution."""

import math
import random  # noqa: F401 - in the text of an edit
from bisect import bisect
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import accumulate  # noqa: F401 - in the text of the solution

import numpy as np

from autograder.verification.answer_bank import RIGHT, Equivalent, edited, right, slow
from llmcourse.checks.u02_counted import table_of as ngram_counts


def _grams(tokens, n):
    return list(zip(*(tokens[i:] for i in range(n)), strict=False))


def _need(tokens, n):
    if n < 1 or len(tokens) < n:
        raise ValueError("too short")


# --- right answers that share no line with the solutions


@right("ngram_counts")
def counters_of_shifted_copies(tokens, n):
    if n < 1:
        raise ValueError("n")
    table = defaultdict(Counter)
    for gram in _grams(tokens, n):
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


@slow("ngram_counts", hint="Go over the text once")
def counts_each_gram_anew(tokens, n):
    if n < 1:
        raise ValueError("n")
    grams, table = _grams(tokens, n), {}
    for gram in grams:
        table.setdefault(gram[:-1], {})[gram[-1]] = grams.count(gram)
    return table


def _probs(table, tokens, n):
    """The MLE of each token that has a history, 0 where it was not seen."""
    for i in range(n - 1, len(tokens)):
        row = table.get(tuple(tokens[i - n + 1 : i]), {})
        yield row.get(tokens[i], 0) / max(1, sum(row.values()))


@right("score_text")
def numpy_mean_of_logs(table, tokens, n):
    _need(tokens, n)
    with np.errstate(divide="ignore"):
        return -np.log2(list(_probs(table, tokens, n))).mean()


@right("score_text")
def zip_of_shifted_copies(table, tokens, n):
    _need(tokens, n)
    total = 0.0
    for *history, token in _grams(tokens, n):
        try:
            row = table[tuple(history)]
            total += math.log2(sum(row.values())) - math.log2(row[token])
        except KeyError:
            return float("inf")
    return total / (len(tokens) - n + 1)


@right("score_text")
def counts_of_each_gram_in_single_precision(table, tokens, n):
    _need(tokens, n)
    there, total = Counter(_grams(tokens, n)), np.float32(0)
    for gram, count in there.items():
        row = Counter(table.get(gram[:-1], {}))
        if row[gram[-1]] == 0:
            return np.float32(np.inf)
        total += np.float32(count) * np.float32(math.log2(row.total() / row[gram[-1]]))
    return total / np.float32(there.total())


@right("unseen_rate")
def counter_difference(train, test, n):
    _need(test, n)
    there, known = Counter(_grams(test, n)), set(_grams(train, n))
    return sum(c for g, c in there.items() if g not in known) / there.total()


@right("unseen_rate")
def mean_in_half_precision(train, test, n):
    _need(test, n)
    seen = dict.fromkeys(_grams(train, n))
    return np.float16(np.mean([gram not in seen for gram in _grams(test, n)]))


@slow("unseen_rate", hint="Look the n-grams up in a set")
def searches_a_list(train, test, n):
    _need(test, n)
    known = _grams(train, n)
    return sum(gram not in known for gram in _grams(test, n)) / (len(test) - n + 1)


@right("choose_k")
def argmin_of_a_numpy_table(train, dev, n, ks, vocab_size):
    table, grams = ngram_counts(n=n, tokens=train), _grams(dev, n)
    rows = [table.get(gram[:-1], {}) for gram in grams]
    counts = np.array([row.get(gram[-1], 0) for row, gram in zip(rows, grams, strict=True)])
    totals = np.array([sum(row.values()) for row in rows])
    ks = np.asarray(ks, dtype=float)
    probs = (counts + ks[:, None]) / (totals + ks[:, None] * vocab_size)
    return ks[np.log(probs).mean(axis=1).argmax()]


@right("choose_k")
def geometric_mean_of_fractions(train, dev, n, ks, vocab_size):
    seen, before = Counter(_grams(train, n)), Counter(g[:-1] for g in _grams(train, n))

    def product(k):
        whole = Fraction(1)
        for g in _grams(dev, n):
            whole *= (seen[g] + Fraction(k)) / (before[g[:-1]] + Fraction(k) * vocab_size)
        return whole

    return max(ks, key=product)


@slow("choose_k", hint="Count `train` once")
def counts_anew_for_each_token(train, dev, n, ks, vocab_size):
    def bits(gram, k):
        row = ngram_counts(train, n).get(gram[:-1], {})
        return -math.log((row.get(gram[-1], 0) + k) / (sum(row.values()) + k * vocab_size))

    return min(ks, key=lambda k: sum(bits(gram, k) for gram in _grams(dev, n)))


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
def weights_from_the_longest_down(tables, history, token, weight, vocab_size):
    total, left = Fraction(0), Fraction(1)
    for m in range(len(tables) - 1, -1, -1):
        suffix = tuple(history[i] for i in range(len(history) - m, len(history)) if i >= 0)
        if len(suffix) == m and suffix in tables[m]:
            row = Counter(tables[m][suffix])
            total += left * Fraction(weight) * Fraction(row[token], row.total())
            left *= 1 - Fraction(weight)
    return total + left / vocab_size


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


@right("kneser_ney_prob")
def all_tables_first(tables, history, token, vocab_size, discount=0.75):
    def continuations(above):
        table = defaultdict(Counter)
        for (_, *rest), row in above.items():
            table[tuple(rest)].update(row.keys())
        return table

    ours = [continuations(above) for above in tables[1:]] + [tables[-1]]
    prob = np.full(1, 1 / vocab_size)
    for m in range(min(len(ours), len(history) + 1)):
        row = ours[m].get(tuple(history[len(history) - m :]), {})
        if sum(row.values()) == 0:
            continue
        taken = [min(c, discount) for c in row.values()]
        own = row.get(token, 0) - min(row.get(token, 0), discount)
        prob = (own + sum(taken) * prob) / sum(row.values())
    return prob[0]


@right("generate")
def tokens_one_by_one(next_probs, prompt, length, n, uniform, stop=None):
    """A generator, with keywords and single precision."""
    said = [*prompt]
    yield from said
    for _ in range(length):
        odds = next_probs(history=tuple(said[max(0, len(said) - n + 1) :]))
        possible = [word for word, p in odds.items() if p > 0]
        sums = np.cumsum([odds[word] for word in possible])
        said.append(possible[min(int((sums <= uniform()).sum()), len(possible) - 1)])
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


# --- solutions with one thing changed

SOLVED = {
    "ngram_counts": """def ngram_counts(tokens, n):
    if n < 1:
        raise ValueError(n)
    table = {}
    for i in range(n - 1, len(tokens)):
        row = table.setdefault(tuple(tokens[i - n + 1 : i]), {})
        row[tokens[i]] = row.get(tokens[i], 0) + 1
    return table
""",
    "score_text": """def score_text(table, tokens, n):
    if len(tokens) < n:
        raise ValueError(n)
    bits = []
    for i in range(n - 1, len(tokens)):
        row = table.get(tuple(tokens[i - n + 1 : i]), {})
        prob = row.get(tokens[i], 0) / max(1, sum(row.values()))
        if prob == 0:
            return math.inf
        bits.append(-math.log2(prob))
    return sum(bits) / len(bits)
""",
    "unseen_rate": """def unseen_rate(train, test, n):
    if n < 1 or len(test) < n:
        raise ValueError(n)
    known, there = set(_grams(train, n)), _grams(test, n)
    return sum(gram not in known for gram in there) / len(there)
""",
    "choose_k": """def choose_k(train, dev, n, ks, vocab_size):
    table, best = ngram_counts(train, n), max
    def probs(k):
        for *history, token in _grams(dev, n):
            row = table.get(tuple(history), {})
            yield (row.get(token, 0) + k) / (sum(row.values()) + k * vocab_size)
    return best(ks, key=lambda k: sum(map(math.log, probs(k))))
""",
    "interpolated_prob": """def interpolated_prob(tables, history, token, weight, vocab_size):
    prob = 1 / vocab_size
    for m in range(min(len(tables), len(history) + 1)):
        row = tables[m].get(history[len(history) - m :])
        if row:
            prob = weight * (row.get(token, 0) / sum(row.values())) + (1 - weight) * prob
    return prob
""",
    "generate": """def generate(next_probs, prompt, length, n, uniform):
    tokens = list(prompt)
    for _ in range(length):
        odds = next_probs(tuple(tokens[max(0, len(tokens) - n + 1) :]))
        names = [token for token, prob in odds.items() if prob > 0]
        sums = list(accumulate(odds[name] for name in names))
        level = uniform()
        tokens.append(names[min(bisect(sums, level), len(names) - 1)])
    return tokens
""",
}


ZERO = "        if prob == 0:\n            return math.inf\n"
NO_ZERO = "no small number replaces the 0"
WINDOW = "tokens[max(0, len(tokens) - n + 1) :]"
DRAW = "names[min(bisect(sums, level), len(names) - 1)]"
EDITS = {
    "ngram_counts": [
        ("last n-gram of the text is missing", ("len(tokens))", "len(tokens) - 1)")),
        ("keys are whole n-grams",
         ("return table", "return Counter(tuple(tokens[i : i + n]) for i in "
                          "range(len(tokens) - n + 1))")),
        ("tokens[-0:] is everything", ("tokens[i - n + 1 : i]", "tokens[:i][-(n - 1) :]")),
        ("your histories have n tokens", ("range(n - 1,", "range(n,"), ("i - n + 1 :", "i - n :")),
        ("every count is 1", ("row.get(tokens[i], 0) + 1", "1")),
        ("ValueError", ("    if n < 1:\n        raise ValueError(n)\n", ""),
         ("range(n - 1,", "range(max(0, n - 1),")),
    ],
    "score_text": [
        (RIGHT, (ZERO, "        if prob == 0:\n            continue\n"),
         ("sum(bits) / len(bits)",
          "sum(bits) / len(bits) if len(bits) == len(tokens) - n + 1 else math.inf")),
        ("left out of the mean", ("return math.inf", "continue"),
         ("/ len(bits)", "/ max(1, len(bits))")),
        ("does not cost 0 bits", ("return math.inf", "prob = 1")),
        (NO_ZERO, ("return math.inf", "prob = 1e-10")),
        (NO_ZERO, (ZERO, "        prob += 1e-15\n")),
        ("raised KeyError", ("table.get(tuple(tokens[i - n + 1 : i]), {})",
                             "table[tuple(tokens[i - n + 1 : i])]")),
        ("tokens with a whole history", ("/ len(bits)", "/ len(tokens)")),
        ("use math.log2", ("math.log2", "math.log")),
        ("fewer than n tokens", ("raise ValueError(n)", "return math.inf")),
    ],
    "unseen_rate": [
        (RIGHT, ("sum(gram not in known for gram in there) / len(there)",
                 "np.mean([gram not in known for gram in there])")),
        ("fraction of the different", ("there = set(_grams(train, n)), _grams(test, n)",
                                       "there = set(_grams(train, n)), set(_grams(test, n))")),
        ("not of the seen", ("not in", "in")),
        ("T - n + 1 n-grams", ("len(there)", "len(test)")),
        ("not the reverse", ("_grams(train, n)), _grams(test, n)",
                             "_grams(test, n)), _grams(train, n)"),
         ("    return", "    if not there:\n        return 1.0\n    return")),
        ("last n-gram of the training text", ("_grams(train, n)", "_grams(train[:-1], n)")),
        ("the training text lacks",
         ("set(_grams(train, n))", "{' '.join(map(str, g)) for g in _grams(train, n)}"),
         ("gram not in known", "' '.join(map(str, gram)) not in known")),
        ("has no n-gram", ("    if n < 1 or len(test) < n:\n        raise ValueError(n)\n", ""),
         ("len(there)", "max(1, len(there))")),
    ],
    "choose_k": [
        (RIGHT, ("ngram_counts(train, n)", "ngram_counts(n=n, tokens=train, verbose=True)")),
        (RIGHT, ("best(ks, key=lambda k: sum(map(math.log, probs(k))))",
                 "sorted(ks, key=lambda k: np.exp(-np.log(np.float32([*probs(k)])).mean()))[0]")),
        ("the smallest k wins on `train`", ("_grams(dev, n)", "_grams(train, n)")),
        ("needs the most bits", (", max", ", min")),
        ("add logarithms", ("map(math.log, probs(k))", "probs(k)")),
        ("you did the reverse", ("ngram_counts(train, n)", "ngram_counts(dev, n)"),
         ("_grams(dev, n)", "_grams(train, n)")),
        ("V is `vocab_size`", ("k * vocab_size", "k * len(set(train))")),
        ("every k must be tried", ("return best(ks, key=lambda k: sum(map(math.log, probs(k))))",
                                   "return ks[0]")),
        ("of the given ks the one", ("best(ks, key=lambda k: sum(map(math.log, probs(k))))",
                                     "max(sum(map(math.log, probs(k))) for k in ks)")),
    ],
    "interpolated_prob": [
        (RIGHT, ("prob = weight * (row.get(token, 0) / sum(row.values())) + (1 - weight) * prob",
                 "prob += weight * (row.get(token, 0) / sum(row.values()) - prob)")),
        (RIGHT, ("= 1 / vocab_size", "= np.float32(1 / vocab_size)"),
         ("weight *", "np.float32(weight) *"), ("(1 - weight)", "np.float32(1 - weight)")),
        ("two weights must sum to 1", ("(1 - weight) * prob", "prob")),
        ("weight belongs to the longer", ("prob = weight *", "weight = 1 - weight\n"
                                          "            prob = weight *"),
         ("+ (1 - weight) * prob", "+ (1 - weight) * prob\n            weight = 1 - weight")),
        ("An unseen history has no MLE",
         ("    return", "        else:\n            prob *= 1 - weight\n    return")),
        ("The unigram is mixed with 1 / V", ("prob = 1 / vocab_size", "prob = 0.0")),
        ("Mix all lengths of history",
         ("for m in range(min(len(tables), len(history) + 1)):",
          "for m in [min(len(tables) - 1, len(history))]:")),
        ("last tokens", ("    prob = 1 /", "    history = history[: len(tables) - 1]\n"
                         "    prob = 1 /")),
    ],
    "kneser_ney_prob": [
        (RIGHT, ("return prob", "return np.float32(prob)")),
        ("yours are raw counts", ("m == len(tables) - 1", "True")),
        ("pass on D N, not D", ("discount * len(row)", "discount")),
        ("The subtracted probability is lost", ("discount * len(row)", "0")),
        ("use max(count - D, 0)", ("max(row.get(token, 0) - discount, 0)",
                                   "row.get(token, 0) - discount")),
        ("1 / V has the weight D N / total", ("prob = 1 / vocab_size", "prob = 0.0")),
        ("the result is that of the shorter one",
         ("    return", "        else:\n            prob = 0.0\n    return")),
        ("The lower probability has the weight D N / total",
         ("discount * len(row)", "sum(row.values())")),
        ("use the argument", ("    prob = 1 /", "    discount = 0.75\n    prob = 1 /")),
        ("not continuation counts", ("tables[m].get(suffix, {})",
                                     "dict.fromkeys(tables[m].get(suffix, {}), 1)")),
    ],
    "generate": [
        (RIGHT, (f"tokens.append({DRAW})",
                 "tokens.append(next((w for w, s in zip(names, sums) if s > level), names[-1]))")),
        ("always the most probable", (DRAW, "max(odds, key=odds.get)")),
        ("last n - 1 tokens only", (WINDOW, "tokens")),
        ("the last n - 1 tokens only", (WINDOW, "tokens[-n:]")),
        ("tokens[-0:] is everything", (WINDOW, "tokens[-(n - 1) :]")),
        ("begins with the prompt", ("return tokens", "return tokens[len(prompt) :]")),
        ("as a tuple", (f"tuple({WINDOW})", WINDOW)),
        ("probabilities", (DRAW, "names[int(level * len(names))]")),
        ("one call of uniform()", ("tokens = list(prompt)",
                                   "tokens, uniform = list(prompt), random.Random(1).random")),
        ("probability 0 is never drawn", ("if prob > 0", ""),
         (DRAW, "next((w for w, s in zip(names, sums) if s >= level), names[-1])")),
        ("the number from uniform() must decide",
         ("tokens = list(prompt)", "tokens, credit = list(prompt), Counter()"),
         (f"tokens.append({DRAW})", "credit.update(odds)\n"
          "        tokens.append(max(credit, key=credit.__getitem__))\n"
          "        credit[tokens[-1]] -= 1")),
        ("belongs to the next token",
         (DRAW, "next((w for w, s in zip(names, sums) if s >= level), names[-1])")),
        ("take the last token with a probability above 0",
         (f"tokens.append({DRAW})",
          "tokens += [w for w, s in zip(names, sums) if s > level][:1]")),
    ],
}  # fmt: skip
globals().update(edited(globals(), EDITS, SOLVED))


# --- mutants of the solutions that compute the same

ONE_LENGTH_MORE = "for m in range(min(len(tables), len(history) + 2)):"
SHORTER_THAN_KEYS = (
    "it looks for one end more of the history, cut with a negative start: that is shorter than the "
    "keys of its table, so it has no row"
)
NEVER_BELOW_0 = "a probability is never below 0"
SHORT_TUPLES = (
    "only adds slices beyond the end of the text, shorter than n: no n-gram of the test is one"
)
EQUIVALENT = [
    *(Equivalent("unseen_rate",
                 f"seen = {{tuple(train[i : i + n]) for i in range(len(train) {rest})}}",
                 because=SHORT_TUPLES)
      for rest in ("- n % 1", "+ n + 1", "* n + 1", "<< n + 1", "| n + 1", "- n + 2")),
    Equivalent("score_text", "if prob <= 0:", because=NEVER_BELOW_0),
    Equivalent("interpolated_prob", ONE_LENGTH_MORE, because=SHORTER_THAN_KEYS),
    Equivalent("kneser_ney_prob", ONE_LENGTH_MORE, because=SHORTER_THAN_KEYS),
    Equivalent("kneser_ney_prob", "if m >= len(tables) - 1:",
               because="the loop ends before m is larger"),
    Equivalent("kneser_ney_prob", "if m is len(tables) - 1:",
               because="CPython has one object for each whole number up to 256, and no model has "
               "more orders"),
    Equivalent("kneser_ney_prob", "own = max(row.get(token, -1) - discount, 0)",
               because="0 - D and -1 - D are both cut to 0"),
    Equivalent("generate", "for candidate in (token for token, prob in odds.items() if prob != 0):",
               because=NEVER_BELOW_0),
]  # fmt: skip
