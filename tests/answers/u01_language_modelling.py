"""Right and wrong answers to the exercises of unit 01: some whole, most as edits of a solution."""

import functools
import math
import random  # noqa: F401 (an edit uses it)
from bisect import bisect
from collections import Counter
from collections.abc import Callable  # noqa: F401 (in the solutions)
from functools import reduce
from itertools import accumulate

import numpy as np
import torch

from autograder.verification.answer_bank import RIGHT, Equivalent, edited, right, wrong

# --- right answers that share no line with the solutions


@right("chain_log_prob")
def chain_recursion(tokens, next_prob):
    def log_prob(text):
        if not text:
            return 0.0
        p = next_prob(text[:-1], text[-1])
        return -math.inf if p == 0 else log_prob(text[:-1]) + math.log(p)

    return log_prob(tokens)


@right("chain_log_prob")
def chain_by_keywords(tokens, next_prob, base=math.e):
    probs = [next_prob(token=tokens[t], history=tokens[:t]) for t in range(len(tokens))]
    return sum(math.log(p, base) if p else -math.inf for p in probs)


@right("chain_log_prob")
def chain_numpy_scalar(tokens, next_prob):
    probs = [next_prob(tuple(tokens[:t]), tokens[t]) for t in range(len(tokens))]
    with np.errstate(divide="ignore"):
        return np.log(np.array(probs, dtype=np.float64)).sum()


@right("chain_log_prob")
def chain_tensor(tokens, next_prob):
    total, history = torch.zeros((), dtype=torch.float64), []
    for token in tokens:
        total = total + torch.tensor(next_prob(history, token), dtype=torch.float64).log()
        history.append(token)
    return total


@right("perplexity")
def perplexity_geometric_mean_by_roots(log_probs):
    if not log_probs:
        raise ValueError("no tokens")
    result = 1.0
    for log_prob in log_probs:
        result *= math.exp(-log_prob / len(log_probs))
    return result


@right("perplexity")
class PerplexityInNew:
    """A class whose object is the number."""

    def __new__(cls, log_probs):
        if not log_probs:
            raise ValueError("no tokens")
        return np.float32(np.exp(-np.mean(np.asarray(log_probs))))


@right("perplexity")
def perplexity_tensor(log_probs):
    if len(log_probs) == 0:
        raise ValueError("no tokens")
    return torch.tensor(log_probs, dtype=torch.float64).mean().neg().exp()


@right("bits_per_token")
def bits_loop(log_probs):
    total = n = 0
    for log_prob in log_probs:
        total, n = total - log_prob / math.log(2), n + 1
    if n == 0:
        raise ValueError("no tokens")
    return total / n


@right("bits_per_token")
def bits_by_halves(log_probs):
    def total(logs):
        half = len(logs) // 2
        return total(logs[:half]) + total(logs[half:]) if half else logs[0]

    if not log_probs:
        raise ValueError
    return -total(log_probs) / math.log(2) / len(log_probs)


@right("unigram_probs")
def unigram_counter(tokens, vocabulary, epsilon):
    counts = Counter({token: epsilon for token in vocabulary})
    for token in tokens:
        if token not in counts:
            raise ValueError(token)
        counts[token] += 1
    total = sum(counts.values())
    if total == 0:
        raise ValueError("nothing to divide by")
    return Counter({token: count / total for token, count in counts.items()})


@right("unigram_probs")
def unigram_numpy(tokens, vocabulary, epsilon):
    place = {token: i for i, token in enumerate(vocabulary)}
    if not set(tokens) <= place.keys() or (len(tokens) == 0 and epsilon == 0):
        raise ValueError("unknown token, or nothing to divide by")
    ids = np.array([place[token] for token in tokens], dtype=int)
    counts = np.bincount(ids, minlength=len(place)) + epsilon
    return dict(zip(vocabulary, counts / counts.sum(), strict=True))


@right("cross_entropy")
def cross_numpy(truth, model):
    keys = [token for token, p in truth.items() if p]
    if not keys:
        raise ValueError("empty")
    p = np.array([truth[key] for key in keys])
    q = np.array([model.get(key, 0.0) for key in keys])
    with np.errstate(divide="ignore"):
        return -np.dot(p, np.log2(q))


@right("cross_entropy")
def cross_tensor(truth, model):
    if len(truth) < 1:
        raise ValueError("empty")
    p = torch.tensor(list(truth.values()), dtype=torch.float64)
    q = torch.tensor([model.get(token, 0.0) for token in truth], dtype=torch.float64)
    return -torch.special.xlogy(p, q).sum() / math.log(2)


@right("temper")
def temper_log_sum_exp(probs, temperature):
    if temperature <= 0:
        raise ValueError("T must be above 0")
    logs = {t: math.log(p) / temperature for t, p in probs.items() if p > 0}
    top = max(logs.values())
    log_total = top + math.log(sum(math.exp(x - top) for x in logs.values()))
    return {t: math.exp(logs[t] - log_total) if t in logs else 0.0 for t in probs}


@right("temper")
def temper_torch_softmax(probs, temperature):
    if temperature <= 0:
        raise ValueError("T must be above 0")
    logs = torch.tensor(list(probs.values()), dtype=torch.float64).log()
    return dict(zip(probs, (logs / temperature).softmax(0), strict=True))


@right("sample_sequence")
def sample_bisect(next_probs, uniform, end, max_length):
    text = []
    while len(text) < max_length and end not in text:
        probs = {t: p for t, p in next_probs(text).items() if p > 0}
        bounds = list(accumulate(probs.values()))
        text.append(list(probs)[min(bisect(bounds, uniform()), len(bounds) - 1)])
    return text


class _Sampler:
    """A callable object with a setting of its own."""

    def __init__(self, skip):
        self.skip = skip

    def __call__(self, next_probs, uniform, end, max_length, *, verbose=False):
        text = []
        while len(text) < max_length and text[-1:] != [end]:
            odds = {w: p for w, p in next_probs(history=list(text)).items() if p > self.skip}
            sums = list(accumulate(odds.values()))
            place = min(bisect(sums, uniform()), len(sums) - 1)
            text.append(list(odds)[place])
        return text


sample_by_an_object = right("sample_sequence")(_Sampler(skip=0.0))


@right("sample_sequence")
def sample_numpy_from_the_last_token_down(next_probs, uniform, end, max_length):
    text = ()
    for _ in range(max_length):
        probs = {t: p for t, p in next_probs(text).items() if p > 0}
        names = list(probs)[::-1]
        bounds = np.cumsum([probs[name] for name in names])
        at = np.searchsorted(bounds, uniform() * bounds[-1], side="right")
        text += (names[min(at, len(names) - 1)],)
        if text[-1] == end:
            break
    return text


@right("sample_sequence")
def sample_by_generator(next_probs, uniform, end, max_length):
    def tokens():
        text = []
        while len(text) < max_length:
            left = uniform()
            for token, p in next_probs(text).items():
                if p == 0:
                    continue
                drawn, left = token, left - p
                if left < 0:
                    break
            text.append(drawn)
            yield drawn
            if drawn == end:
                return

    return list(tokens())


def _rescore(least, texts, signal_log_probs, text_log_prob):
    if len(texts) == least:
        raise ValueError("no texts")
    pairs = zip(texts, signal_log_probs, strict=True)
    sums = [text_log_prob(text=text) + heard for text, heard in pairs]
    return texts[sums.index(max(sums))]


@right("rescore")
def rescore_reduce(texts, signal_log_probs, text_log_prob):
    scored = [(text_log_prob(t) + s, t) for t, s in zip(texts, signal_log_probs, strict=True)]
    if not scored:
        raise ValueError("no texts")
    return reduce(lambda one, other: other if other[0] > one[0] else one, scored)[1]


rescore_partial = right("rescore")(functools.partial(_rescore, 0))


@right("rescore")
def rescore_numpy(texts, signal_log_probs, text_log_prob):
    scores = np.array(signal_log_probs) + np.array([text_log_prob(text) for text in texts])
    return texts[int(np.argmax(scores))]  # argmax of nothing is a ValueError


# --- a wrong answer that keeps something from call to call

CREDIT = Counter()


@wrong("sample_sequence", hint="the same numbers must give the same text")
def keeps_the_frequencies_without_drawing(next_probs, uniform, end, max_length):
    out = []
    while len(out) < max_length and end not in out:
        uniform()
        odds = next_probs(list(out))
        for token, prob in odds.items():
            CREDIT[tuple(out), token] += prob
        out.append(max(odds, key=lambda token: CREDIT[tuple(out), token]))
        CREDIT[tuple(out[:-1]), out[-1]] -= 1
    return out


# --- solutions with one thing changed

ZERO = "        if p == 0:\n            return -math.inf\n"
PRODUCT = (("total = 0.0", "total = 1.0"), ("total += math.log(p)", "total *= p"))
MEAN = "-sum(log_probs) / len(log_probs)"
NONE = 'raise ValueError("expected at least one token, got none")'
DRAWN = """            if p > 0:
                choice = token
                total += p
                if u < total:
                    break
"""
ADDED = """        text.append(choice)
        if choice == end:
            break
"""
POWER = "(p / top) ** (1 / temperature)"
SUM = "text_log_prob(text) + heard"
BEST = "scores.index(max(scores))"
EDITS = {
    "chain_log_prob": [
        ("all tokens before it", ("tokens[:t]", "tokens[max(0, t - 4) : t]")),
        ("underflows", *PRODUCT,
         ("return total", "return math.log(total) if total else -math.inf")),
        ("log 0 is -inf", (ZERO, ""), *PRODUCT, ("return total", "return math.log(total)")),
        ("base 2", ("math.log(p)", "math.log2(p)")),
        ("You multiplied logarithms", ("total = 0.0", "total = 1.0"), ("total +=", "total *=")),
        ("All tokens before", ("tokens[:t]", "tokens[max(0, t - 1) : t]")),
        ("own history", ("tokens[:t]", "tokens[: t + 1]")),
        ("the first token counts too", ("enumerate(tokens)", "list(enumerate(tokens))[1:]")),
        ("math.log(0) raises", (ZERO, "")),
    ],
    "perplexity": [
        (RIGHT, (f"math.exp({MEAN})", f"2 ** ({MEAN} / math.log(2))")),
        ("not the probabilities",
         (f"math.exp({MEAN})", "len(log_probs) / sum(map(math.exp, log_probs))")),
        ("divide by the number of tokens",
         (f"math.exp({MEAN})", "math.exp(min(700, -sum(log_probs)))")),
        ("the product of many probabilities is 0",
         ("    return", "    if -math.inf in log_probs:\n        return math.inf\n    return"),
         (f"math.exp({MEAN})", "math.prod(map(math.exp, log_probs)) ** (-1 / len(log_probs))")),
        ("not with 2 ** x", ("math.exp(", "2 ** (")),
        ("has no perplexity: refuse it", (NONE, "return 1.0")),
    ],
    "bits_per_token": [
        (RIGHT, (f"{MEAN} / math.log(2)", "-np.asarray(log_probs).mean() * np.log2(np.e)")),
        ("That is in nats", (" / math.log(2)", "")),
        ("divide by ln 2, do not multiply", ("/ math.log", "* math.log")),
        ("The sign", ("-sum", "sum")),
        ("divide by the number of tokens", (" / len(log_probs)", "")),
        ("average the logs",
         (f"{MEAN} / math.log(2)", "-math.log2(sum(map(math.exp, log_probs)) / len(log_probs))")),
    ],
    "unigram_probs": [
        ("sum to more than 1", (" + epsilon * len(vocabulary)", "")),
        ("for each of the V words, not once", ("epsilon * len(vocabulary)", "epsilon")),
        ("not only to unseen ones", ("(counts[token] + epsilon)", "(counts[token] or epsilon)"),
         ("len(tokens) + epsilon * len(vocabulary)",
          "sum(counts[t] or epsilon for t in vocabulary)")),
        ("unseen words get a probability", ("for token in vocabulary}", "for token in counts}")),
        ("refuse it", ('raise ValueError("expected tokens of the vocabulary only")',
                       "tokens = [token for token in tokens if token in vocabulary]")),
        ("nothing to divide by", ("if total == 0", "if total is None")),
    ],
    "cross_entropy": [
        (RIGHT, ("p * math.log2(q)", "p * math.log(1 / q, 2)"), ("total -=", "total +=")),
        ("The arguments are swapped", ("truth.items", "model.items"), ("model.get", "truth.get")),
        ("in nats", ("math.log2", "math.log")),
        ("entropy of the truth", ("math.log2(q)", "math.log2(p)")),
        ("by token, not by position", ("            q = model.get(token, 0.0)\n", ""),
         ("for token, p in truth.items()", "for p, q in zip(truth.values(), model.values())")),
        ("Do not subtract the entropy", ("math.log2(q)", "math.log2(q / p)")),
        ("costs nothing, whatever the model thinks", ("if p > 0", "if True"),
         ("            if q == 0:\n                return math.inf\n", "")),
    ],
    "temper": [
        (RIGHT, ("sum(powers.values())", "math.fsum(powers.values())"),
         ("power / total", "np.float64(power) / total")),
        ("the exponent is 1 / T", ("1 / temperature", "temperature")),
        ("Renormalise: divide by the sum",
         ("sum(powers.values())", "1"), (POWER, "p ** (1 / temperature)")),
        ("dividing p itself by T cancels", (POWER, "p / temperature")),
        ("it is log p that is divided by T", (POWER, "math.exp(min(700.0, p / temperature))")),
        ("underflows or overflows", (POWER, "p ** (1 / temperature)")),
        ("log 0 must not stop you", (POWER, "math.exp(math.log(p / top) / temperature)")),
    ],
    "sample_sequence": [
        ("that is argmax, not a sample", (ADDED, "        odds = next_probs(text)\n"
         f"        choice = max(odds, key=odds.get)\n{ADDED}")),
        ("equally often",
         ("total += p", "total += 1 / sum(q > 0 for q in next_probs(text).values())")),
        ("Call uniform() exactly once",
         ("text = []", "text, uniform = [], random.Random(0).random")),
        ("the end token is missing",
         (ADDED, "        if choice == end:\n            break\n        text.append(choice)\n")),
        ("Later tokens ignore the earlier ones", ("next_probs(text)", "next_probs([])")),
        ("a hair below 1", (DRAWN, "            choice, total = token, total + p\n"
                                   "            if u <= total:\n                break\n")),
    ],
    "rescore": [
        (RIGHT, (BEST, "max(range(len(texts)), key=lambda i: (scores[i], -i))")),
        ("You ignored the signal", (SUM, "text_log_prob(text)")),
        ("You ignored the text's own probability", (SUM, "heard")),
        ("a product of two negative numbers", (SUM, "text_log_prob(text) * heard")),
        ("Return the text, not its position", (f"texts[{BEST}]", BEST)),
        ("exp of such sums is 0", (SUM, "math.exp(text_log_prob(text)) * math.exp(heard)")),
        ("the earliest wins", (BEST, "max(range(len(texts)), key=lambda i: (scores[i], i))")),
    ],
}  # fmt: skip
globals().update(edited(globals(), EDITS))

# --- mutants of the solutions that compute the same

EQUIVALENT = [
    Equivalent("chain_log_prob", "if p <= 0:", because="a probability is never below 0"),
    Equivalent("unigram_probs", "if total <= 0:", because="counts and epsilon are never below 0"),
    Equivalent(
        "cross_entropy", "if p != 0:", "if q <= 0:", because="a probability is never below 0"
    ),
    Equivalent("sample_sequence", "if p != 0:", because="a probability is never below 0"),
    Equivalent(
        "sample_sequence",
        "while len(text) != max_length:",
        because="the length grows by one from 0, so it meets max_length before it passes it",
    ),
    Equivalent(
        "sample_sequence",
        "if u <= total:",
        because="differs only where u is a sum exactly, which has probability 0; the text leaves "
        "open which of the two tokens owns that number",
    ),
    Equivalent(
        "rescore",
        "scores = [text_log_prob(text) + heard "
        "for text, heard in zip(texts, signal_log_probs, strict=False)]",
        because="the contract gives lists of one length",
    ),
]
