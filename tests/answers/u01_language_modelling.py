"""Unit 01: right answers in other styles, and the mistakes learners make."""

import functools
import math
import random
from bisect import bisect
from collections import Counter
from functools import reduce
from itertools import accumulate

import numpy as np
import torch

from autograder.verification.answer_bank import Equivalent, right, wrong

# --- chain_log_prob


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


@wrong("chain_log_prob", hint="all tokens before it")
def chain_remembers_four_tokens(tokens, next_prob):
    probs = [next_prob(tokens[max(0, t - 4) : t], token) for t, token in enumerate(tokens)]
    return sum(math.log(p) if p else -math.inf for p in probs)


@wrong("chain_log_prob", hint="underflows")
def chain_multiplies(tokens, next_prob):
    p = math.prod(next_prob(tokens[:t], token) for t, token in enumerate(tokens))
    return math.log(p) if p > 0 else -math.inf


@wrong("chain_log_prob", hint="log 0 is -inf")
def chain_log_of_the_product(tokens, next_prob):
    return math.log(math.prod(next_prob(tokens[:t], token) for t, token in enumerate(tokens)))


@wrong("chain_log_prob", hint="base 2")
def chain_base_two(tokens, next_prob):
    probs = [next_prob(tokens[:t], token) for t, token in enumerate(tokens)]
    return sum(math.log2(p) if p else -math.inf for p in probs)


@wrong("chain_log_prob", hint="You multiplied logarithms")
def chain_product_of_logs(tokens, next_prob):
    return math.prod(math.log(next_prob(tokens[:t], token)) for t, token in enumerate(tokens))


@wrong("chain_log_prob", hint="all tokens before")
def chain_only_the_last_token(tokens, next_prob):
    probs = [next_prob(tokens[max(0, t - 1) : t], token) for t, token in enumerate(tokens)]
    return sum(math.log(p) if p else -math.inf for p in probs)


@wrong("chain_log_prob", hint="own history")
def chain_history_holds_the_token(tokens, next_prob):
    probs = [next_prob(tokens[: t + 1], token) for t, token in enumerate(tokens)]
    return sum(math.log(p) if p else -math.inf for p in probs)


@wrong("chain_log_prob", hint="the first token counts too")
def chain_skips_the_first(tokens, next_prob):
    probs = [next_prob(tokens[:t], tokens[t]) for t in range(1, len(tokens))]
    return sum(math.log(p) if p else -math.inf for p in probs)


@wrong("chain_log_prob", hint="math.log(0) raises")
def chain_stumbles_over_zero(tokens, next_prob):
    return sum(math.log(next_prob(tokens[:t], token)) for t, token in enumerate(tokens))


# --- perplexity


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


@right("perplexity")
def perplexity_through_bits(log_probs):
    if not log_probs:
        raise ValueError
    return 2 ** (-sum(log_probs) / len(log_probs) / math.log(2))


@wrong("perplexity", hint="not the probabilities")
def perplexity_mean_of_probabilities(log_probs):
    if not log_probs:
        raise ValueError
    return len(log_probs) / sum(math.exp(x) for x in log_probs)


@wrong("perplexity", hint="divide by the number of tokens")
def perplexity_without_length(log_probs):
    if not log_probs:
        raise ValueError
    total = sum(log_probs)
    return math.exp(-total) if total > -700 else math.inf


@wrong("perplexity", hint="the product of many probabilities is 0")
def perplexity_root_of_the_product(log_probs):
    if not log_probs:
        raise ValueError
    if -math.inf in log_probs:
        return math.inf
    return math.prod(math.exp(x) for x in log_probs) ** (-1 / len(log_probs))


@wrong("perplexity", hint="not with 2 ** x")
def perplexity_base_mix(log_probs):
    if not log_probs:
        raise ValueError
    return 2 ** (-sum(log_probs) / len(log_probs))


@wrong("perplexity", hint="has no perplexity: refuse it")
def perplexity_of_nothing_is_one(log_probs):
    return math.exp(-sum(log_probs) / max(1, len(log_probs)))


# --- bits_per_token


@right("bits_per_token")
def bits_loop(log_probs):
    total = n = 0
    for log_prob in log_probs:
        total, n = total - log_prob / math.log(2), n + 1
    if n == 0:
        raise ValueError("no tokens")
    return total / n


@right("bits_per_token")
def bits_numpy(log_probs):
    if len(log_probs) == 0:
        raise ValueError("no tokens")
    return -np.asarray(log_probs).mean() * np.log2(np.e)


@right("bits_per_token")
def bits_by_halves(log_probs):
    def total(logs):
        half = len(logs) // 2
        return total(logs[:half]) + total(logs[half:]) if half else logs[0]

    if not log_probs:
        raise ValueError
    return -total(log_probs) / math.log(2) / len(log_probs)


@wrong("bits_per_token", hint="That is in nats")
def bits_in_nats(log_probs):
    if not log_probs:
        raise ValueError
    return -sum(log_probs) / len(log_probs)


@wrong("bits_per_token", hint="divide by ln 2, do not multiply")
def bits_times_ln2(log_probs):
    if not log_probs:
        raise ValueError
    return -sum(log_probs) / len(log_probs) * math.log(2)


@wrong("bits_per_token", hint="The sign")
def bits_negative(log_probs):
    if not log_probs:
        raise ValueError
    return sum(log_probs) / len(log_probs) / math.log(2)


@wrong("bits_per_token", hint="divide by the number of tokens")
def bits_in_all(log_probs):
    if not log_probs:
        raise ValueError
    return -sum(log_probs) / math.log(2)


@wrong("bits_per_token", hint="average the logs")
def bits_of_the_mean_probability(log_probs):
    if not log_probs:
        raise ValueError
    return -math.log2(sum(math.exp(x) for x in log_probs) / len(log_probs))


# --- unigram_probs


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


@wrong("unigram_probs", hint="sum to more than 1")
def unigram_only_numerator(tokens, vocabulary, epsilon):
    return {token: (tokens.count(token) + epsilon) / len(tokens) for token in vocabulary}


@wrong("unigram_probs", hint="for each of the V words, not once")
def unigram_one_epsilon_below(tokens, vocabulary, epsilon):
    if set(tokens) - set(vocabulary) or not tokens:
        raise ValueError
    total = len(tokens) + epsilon
    return {token: (tokens.count(token) + epsilon) / total for token in vocabulary}


@wrong("unigram_probs", hint="not only to unseen ones")
def unigram_only_unseen(tokens, vocabulary, epsilon):
    if set(tokens) - set(vocabulary) or not tokens:
        raise ValueError
    weights = {token: tokens.count(token) or epsilon for token in vocabulary}
    return {token: weight / sum(weights.values()) for token, weight in weights.items()}


@wrong("unigram_probs", hint="unseen words get a probability")
def unigram_only_seen(tokens, vocabulary, epsilon):
    total = len(tokens) + epsilon * len(vocabulary)
    return {token: (count + epsilon) / total for token, count in Counter(tokens).items()}


@wrong("unigram_probs", hint="refuse it")
def unigram_drops_strangers(tokens, vocabulary, epsilon):
    tokens = [token for token in tokens if token in vocabulary]
    total = len(tokens) + epsilon * len(vocabulary)
    if total == 0:
        raise ValueError
    return {token: (tokens.count(token) + epsilon) / total for token in vocabulary}


@wrong("unigram_probs", hint="nothing to divide by")
def unigram_divides_by_zero(tokens, vocabulary, epsilon):
    if set(tokens) - set(vocabulary):
        raise ValueError
    total = len(tokens) + epsilon * len(vocabulary)
    counts = Counter(tokens)
    return {token: (counts[token] + epsilon) / total for token in vocabulary}


# --- cross_entropy


@right("cross_entropy")
def cross_loop(truth, model):
    if not truth:
        raise ValueError("empty")
    total = 0.0
    for token in truth:
        if truth[token] == 0:
            continue
        q = model.get(token, 0)
        if q == 0:
            return math.inf
        total += truth[token] * math.log(1 / q, 2)
    return total


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


def safe_log2(x):
    return math.log2(x) if x > 0 else -math.inf


@wrong("cross_entropy", hint="The arguments are swapped")
def cross_swapped(truth, model):
    if not truth:
        raise ValueError
    return -sum(q * safe_log2(truth.get(token, 0)) for token, q in model.items() if q)


@wrong("cross_entropy", hint="in nats")
def cross_in_nats(truth, model):
    if not truth:
        raise ValueError
    return -sum(p * safe_log2(model.get(t, 0)) for t, p in truth.items() if p) * math.log(2)


@wrong("cross_entropy", hint="entropy of the truth")
def cross_entropy_of_the_truth(truth, model):
    if not truth:
        raise ValueError
    return -sum(p * math.log2(p) for p in truth.values() if p)


@wrong("cross_entropy", hint="by token, not by position")
def cross_by_position(truth, model):
    if not truth:
        raise ValueError
    pairs = zip(truth.values(), model.values(), strict=False)
    return -sum(p * safe_log2(q) for p, q in pairs if p)


@wrong("cross_entropy", hint="do not subtract the entropy")
def cross_is_a_divergence(truth, model):
    if not truth:
        raise ValueError
    return sum(p * (math.log2(p) - safe_log2(model.get(t, 0))) for t, p in truth.items() if p)


@wrong("cross_entropy", hint="costs nothing, whatever the model thinks")
def cross_stumbles_over_zero(truth, model):
    if not truth:
        raise ValueError
    return -sum(p * math.log2(model[token]) for token, p in truth.items())


# --- temper


@right("temper")
def temper_log_sum_exp(probs, temperature):
    if temperature <= 0:
        raise ValueError("T must be above 0")
    logs = {t: math.log(p) / temperature for t, p in probs.items() if p > 0}
    top = max(logs.values())
    log_total = top + math.log(sum(math.exp(x - top) for x in logs.values()))
    return {t: math.exp(logs[t] - log_total) if t in logs else 0.0 for t in probs}


@right("temper")
def temper_relative_powers(probs, temperature):
    if not temperature > 0:
        raise ValueError("T must be above 0")
    top = max(probs.values())
    powers = [(p / top) ** (1 / temperature) for p in probs.values()]
    return dict(zip(probs, np.array(powers) / sum(powers), strict=True))


@right("temper")
def temper_torch_softmax(probs, temperature):
    if temperature <= 0:
        raise ValueError("T must be above 0")
    logs = torch.tensor(list(probs.values()), dtype=torch.float64).log()
    return dict(zip(probs, (logs / temperature).softmax(0), strict=True))


@wrong("temper", hint="the exponent is 1 / T")
def temper_upside_down(probs, temperature):
    if temperature <= 0:
        raise ValueError
    powers = {t: p**temperature for t, p in probs.items()}
    return {t: power / sum(powers.values()) for t, power in powers.items()}


@wrong("temper", hint="renormalise: divide by the sum")
def temper_not_renormalised(probs, temperature):
    if temperature <= 0:
        raise ValueError
    return {t: p ** (1 / temperature) for t, p in probs.items()}


@wrong("temper", hint="dividing p itself by T cancels")
def temper_divides_p(probs, temperature):
    if temperature <= 0:
        raise ValueError
    total = sum(p / temperature for p in probs.values())
    return {t: p / temperature / total for t, p in probs.items()}


@wrong("temper", hint="it is log p that is divided by T")
def temper_softmax_of_probabilities(probs, temperature):
    if temperature <= 0:
        raise ValueError
    weights = {t: math.exp(min(700.0, p / temperature)) for t, p in probs.items()}
    return {t: weight / sum(weights.values()) for t, weight in weights.items()}


@wrong("temper", hint="underflows or overflows")
def temper_plain_powers(probs, temperature):
    if temperature <= 0:
        raise ValueError
    powers = {t: p ** (1 / temperature) for t, p in probs.items()}
    return {t: power / sum(powers.values()) for t, power in powers.items()}


@wrong("temper", hint="log 0 must not stop you")
def temper_log_of_zero(probs, temperature):
    if temperature <= 0:
        raise ValueError
    top = max(math.log(p) for p in probs.values())
    weights = {t: math.exp((math.log(p) - top) / temperature) for t, p in probs.items()}
    return {t: weight / sum(weights.values()) for t, weight in weights.items()}


# --- sample_sequence


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


def draw(probs, u):
    possible = [(token, p) for token, p in probs.items() if p > 0]
    total = 0.0
    for token, p in possible:
        total += p
        if u < total:
            return token
    return possible[-1][0]


@wrong("sample_sequence", hint="that is argmax, not a sample")
def sample_argmax(next_probs, uniform, end, max_length):
    text = []
    while len(text) < max_length and end not in text:
        probs = next_probs(text)
        uniform()
        text.append(max(probs, key=probs.get))
    return text


@wrong("sample_sequence", hint="equally often")
def sample_any_token(next_probs, uniform, end, max_length):
    text = []
    while len(text) < max_length and end not in text:
        possible = [token for token, p in next_probs(text).items() if p > 0]
        text.append(possible[int(uniform() * len(possible))])
    return text


@wrong("sample_sequence", hint="call uniform() exactly once")
def sample_with_numbers_of_its_own(next_probs, uniform, end, max_length):
    text, rng = [], random.Random(0)
    while len(text) < max_length and end not in text:
        text.append(draw(next_probs(text), rng.random()))
    return text


CREDIT = Counter()  # kept from call to call


@wrong("sample_sequence", hint="the same numbers must give the same text")
def keeps_the_shares_without_drawing(next_probs, uniform, end, max_length):
    out = []
    while len(out) < max_length and end not in out:
        uniform()
        odds = next_probs(list(out))
        for token, prob in odds.items():
            CREDIT[tuple(out), token] += prob
        out.append(max(odds, key=lambda token: CREDIT[tuple(out), token]))
        CREDIT[tuple(out[:-1]), out[-1]] -= 1
    return out


@wrong("sample_sequence", hint="the end token is missing")
def sample_leaves_the_end_out(next_probs, uniform, end, max_length):
    text = []
    while len(text) < max_length:
        token = draw(next_probs(text), uniform())
        if token == end:
            break
        text.append(token)
    return text


@wrong("sample_sequence", hint="later tokens ignore the earlier ones")
def sample_forgets_what_it_said(next_probs, uniform, end, max_length):
    text = []
    while len(text) < max_length and end not in text:
        text.append(draw(next_probs([]), uniform()))
    return text


@wrong("sample_sequence", hint="a hair below 1")
def sample_loop_without_a_fallback(next_probs, uniform, end, max_length):
    text = []
    while len(text) < max_length and end not in text:
        u, total = uniform(), 0.0
        for token, p in next_probs(text).items():  # noqa: B007
            total += p
            if u <= total:
                break
        text.append(token)
    return text


# --- rescore


@right("rescore")
def rescore_loop(texts, signal_log_probs, text_log_prob):
    if not texts:
        raise ValueError("no texts")
    best = 0
    scores = [text_log_prob(texts[i]) + signal_log_probs[i] for i in range(len(texts))]
    for i in range(1, len(texts)):
        if scores[i] > scores[best]:
            best = i
    return texts[best]


def _rescore(least, texts, signal_log_probs, text_log_prob):
    if len(texts) == least:
        raise ValueError("no texts")
    pairs = zip(texts, signal_log_probs, strict=True)
    sums = [text_log_prob(text=text) + heard for text, heard in pairs]
    return texts[sums.index(max(sums))]


rescore_partial = right("rescore")(functools.partial(_rescore, 0))


@right("rescore")
def rescore_reduce(texts, signal_log_probs, text_log_prob):
    scored = [(text_log_prob(t) + s, t) for t, s in zip(texts, signal_log_probs, strict=True)]
    if not scored:
        raise ValueError("no texts")
    return reduce(lambda one, other: other if other[0] > one[0] else one, scored)[1]


@right("rescore")
def rescore_numpy(texts, signal_log_probs, text_log_prob):
    scores = np.array(signal_log_probs) + np.array([text_log_prob(text) for text in texts])
    return texts[int(np.argmax(scores))]  # argmax of nothing is a ValueError


@wrong("rescore", hint="You ignored the signal")
def rescore_deaf(texts, signal_log_probs, text_log_prob):
    return max(texts, key=text_log_prob)


@wrong("rescore", hint="You ignored the text's own probability")
def rescore_believes_its_ears(texts, signal_log_probs, text_log_prob):
    return texts[max(range(len(texts)), key=signal_log_probs.__getitem__)]


@wrong("rescore", hint="a product of two negative numbers")
def rescore_multiplies_logs(texts, signal_log_probs, text_log_prob):
    products = [text_log_prob(t) * s for t, s in zip(texts, signal_log_probs, strict=True)]
    return texts[products.index(max(products))]


@wrong("rescore", hint="Return the text, not its position")
def rescore_returns_the_position(texts, signal_log_probs, text_log_prob):
    scores = [text_log_prob(t) + s for t, s in zip(texts, signal_log_probs, strict=True)]
    return scores.index(max(scores))


@wrong("rescore", hint="exp of such sums is 0")
def rescore_multiplies_probabilities(texts, signal_log_probs, text_log_prob):
    scores = [
        math.exp(text_log_prob(t)) * math.exp(s)
        for t, s in zip(texts, signal_log_probs, strict=True)
    ]
    return texts[scores.index(max(scores))]


@wrong("rescore", hint="the earliest wins")
def rescore_takes_the_last_of_equals(texts, signal_log_probs, text_log_prob):
    pairs = zip(signal_log_probs, texts, strict=True)
    scores = [(text_log_prob(text) + heard, i) for i, (heard, text) in enumerate(pairs)]
    return texts[max(scores)[1]]


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
