"""Probabilities of texts and tokens of unit 01: formulas, mistakes, visible checks.

unit: 01_language_modelling
"""

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from llmcourse.checks import (
    Mistake,
    Spelled,
    attempt,
    diagnosed,
    fail,
    near,
    number,
    raises,
    unchanged,
    visible,
)

LN2 = math.log(2)
Probs = Mapping[Any, float]

# --- chain_log_prob


def log(p: float) -> float:
    return math.log(p) if p else -math.inf


def chained(tokens: Sequence[Any], next_prob: Callable[[Any, Any], float]) -> float:
    return math.fsum(log(next_prob(tokens[:t], token)) for t, token in enumerate(tokens))


def chain_mistakes(tokens: Sequence[Any], next_prob: Callable[[Any, Any], float]) -> list[Mistake]:
    def total(start: Callable[[int], int], more: int = 0) -> float:
        """Sum up with histories that begin at `start` and end with `more` of what follows."""
        return math.fsum(
            math.log(next_prob(tokens[start(t) : t + more], token))
            for t, token in enumerate(tokens)
        )

    probs = [next_prob(tokens[:t], token) for t, token in enumerate(tokens)]
    logs = [math.log(p) for p in probs]
    right = math.fsum(logs)
    return [
        Mistake(right / LN2, "That is log base 2: use the natural logarithm, math.log."),
        Mistake(right / math.log(10), "That is log base 10: use the natural logarithm, math.log."),
        Mistake(math.prod(probs), "This is the probability itself: return its natural logarithm."),
        Mistake(math.prod(logs), "You multiplied logarithms: the log of a product is a sum."),
        Mistake(math.fsum(logs[1:]), "Every token counts, the first token counts too."),
        Mistake(total(lambda t: max(0, t - 1)),
                "The history is all tokens before, not only the last one."),
        Mistake(total(lambda t: 0, more=1), "A token does not belong to its own history."),
        Mistake(right / len(logs), "That is a mean: a text's log-probability is the sum."),
        Mistake(-right, "The sign: the log of a probability is never positive."),
        Mistake(math.log(sum(probs)),
                "You added probabilities before taking the log: add the logs."),
    ]  # fmt: skip


CHAIN = "Add log P(token | all tokens before it) over all tokens."
UNDERFLOW = "The product of many probabilities underflows to 0: add logs, do not multiply."
LOG_OF_ZERO = "An impossible token makes a text impossible: log 0 is -inf, and math.log(0) raises."
EMPTY = "With no tokens the product is empty, 1, and its log is 0."


@visible
def chain_log_prob(answer):
    tokens = ["the", "mouse", "ate", "the", "cheese"]
    next_prob = Spelled("lambda history, token: [0.5, 0.2, 0.1, 0.8, 0.25][min(len(history), 4)]")
    got = number(answer(list(tokens), next_prob), "chain_log_prob")
    asked = [(tuple(history), token) for history, token in next_prob.asked]
    steps = [(tuple(tokens[:t]), token) for t, token in enumerate(tokens)]
    for history, token in asked:
        if (history, token) not in steps:
            rule = "The history of a token is all tokens before it; not the token: no own history."
            fail(f"you asked for the probability of {token!r} after {list(history)}.", "", rule)
    for history, token in steps:
        if (history, token) not in asked:
            hint = "every token counts, the first too."
            fail(f"next_prob was never asked for {token!r} after {list(history)}.", hint=hint)
    args = tokens, next_prob.function
    diagnosed(got, chained(*args), CHAIN, *chain_mistakes(*args))
    near(answer([], next_prob), 0.0, 0.0, EMPTY)
    for never in "ab":
        model = Spelled(f"lambda history, token: 0.0 if token == {never!r} else 0.5")
        near(attempt(answer, (["a", "c", "b"], model), LOG_OF_ZERO), -math.inf, 0.0, LOG_OF_ZERO)
    rare = Spelled("lambda history, token: 1e-6 if token else 1e-9")
    slow = Spelled("lambda history, token: 1 / (2 + len(history) + history.count(token))")
    for long, model, hint in (
        (list("abracadabra, abracadabra"), slow, CHAIN),
        ([1] * 60, rare, UNDERFLOW),
        ([1, 0] * 40, rare, UNDERFLOW),
    ):
        got = attempt(answer, (list(long), model), hint)
        near(got, chained(long, model.function), 1e-9, hint)


# --- perplexity and bits_per_token, of natural logarithms


def mean_nats(logs: Sequence[float]) -> float:
    return -math.fsum(logs) / len(logs)


def perplexity_of(logs: Sequence[float]) -> float:
    return math.exp(mean_nats(logs))


def bits_of(logs: Sequence[float]) -> float:
    return mean_nats(logs) / LN2


def perplexity_mistakes(logs: Sequence[float]) -> list[Mistake]:
    n, nats = len(logs), mean_nats(logs)
    return [
        Mistake(n / math.fsum(map(math.exp, logs)), "Average the logs, not the probabilities."),
        Mistake(math.exp(nats * n), "Take the mean: divide by the number of tokens."),
        Mistake(math.exp(-nats), "That is 1 / perplexity: the sign of the mean."),
        Mistake(2**nats, "The logs are natural: undo them with exp, not with 2 ** x."),
        Mistake(nats, "That is minus the mean log-probability: raise e to it."),
        Mistake(-nats, "That is the mean log-probability: raise e to minus it."),
        Mistake(math.exp(nats / LN2), "The logs are natural: no conversion to bits before exp."),
        Mistake(math.fsum(math.exp(-x) for x in logs) / n,
                "You averaged 1 / p: average the logarithms, then undo the log."),
    ]  # fmt: skip


def bits_mistakes(logs: Sequence[float]) -> list[Mistake]:
    n, nats = len(logs), mean_nats(logs)
    return [
        Mistake(nats, "That is in nats: one bit is ln 2 nats, so divide by math.log(2)."),
        Mistake(nats * LN2, "You multiplied by ln 2: divide by ln 2, do not multiply."),
        Mistake(-nats / LN2, "The sign: a log-probability is negative, a number of bits is not."),
        Mistake(nats * n / LN2, "That is the sum: divide by the number of tokens."),
        Mistake(math.exp(nats), "That is the perplexity: the bits are its log, base 2."),
        Mistake(-math.log2(math.fsum(map(math.exp, logs)) / n),
                "You averaged the probabilities: average the logs."),
    ]  # fmt: skip


LOGS = [math.log(1 / 2), math.log(1 / 8), math.log(1 / 32)]  # 1, 3 and 5 bits: 3 on average
ALREADY = "The list holds natural logarithms already: take no log of them."
PRODUCT = "For the computer the product of many probabilities is 0: average the logs."
INFINITE = "One impossible token makes the whole text infinitely surprising: return math.inf."
OF_PERPLEXITY = "exp of minus the mean: equal choice among 4 has perplexity 4, for any length."
OF_BITS = "Minus the mean of the logs, over ln 2: surprises of 1, 3 and 5 bits are 3 on average."
NO_TOKENS = "A text of no tokens has no mean, so it has no perplexity: refuse it, raise ValueError."


def scored(answer: Any, name: str, formula: Any, mistakes: Any, hint: str) -> None:
    """Fail unless a mean of natural logarithms is the formula's, for texts of any length."""
    for logs in ([math.log(1 / 4)] * 3, LOGS):
        attempt(answer, (list(logs),), ALREADY)
        got = number(unchanged(answer, [list(logs)], "Do not modify the list."), name)
        diagnosed(got, formula(logs), hint, *mistakes(logs))
    for logs in ([math.log(0.5), -math.inf], [math.log(0.5), -math.inf, -1.0]):
        near(attempt(answer, (logs,), INFINITE), math.inf, 0.0, INFINITE)
    for length in (1, 7, 5_000):
        logs = [-(0.1 + (7 * i % 40) / 10) for i in range(length)]
        near(attempt(answer, (logs,), PRODUCT), formula(logs), 1e-9, PRODUCT)
    raises(ValueError, answer, [], hint=NO_TOKENS)


@visible
def perplexity(answer):
    scored(answer, "perplexity", perplexity_of, perplexity_mistakes, OF_PERPLEXITY)


@visible
def bits_per_token(answer):
    scored(answer, "bits_per_token", bits_of, bits_mistakes, OF_BITS)
    near(answer([0.0, 0.0]), 0.0, 1e-12, "Sure of every token (p = 1): nothing to tell, 0 bits.")


# --- unigram_probs


def unigram(tokens: Sequence[Any], vocabulary: Sequence[Any], epsilon: float) -> dict[Any, float]:
    e = Fraction(epsilon)
    total = len(tokens) + e * len(vocabulary)
    return {token: float((tokens.count(token) + e) / total) for token in vocabulary}


def unigram_mistakes(
    tokens: Sequence[Any], vocabulary: Sequence[Any], epsilon: float
) -> list[Mistake]:
    n, size, seen = len(tokens), len(vocabulary), set(tokens)
    counts = {token: tokens.count(token) for token in vocabulary}
    raised = {token: count + epsilon for token, count in counts.items()}
    unseen = {token: count or epsilon for token, count in counts.items()}

    def over(total: float, weights: Probs = raised) -> dict[Any, float]:
        return {token: weight / total for token, weight in weights.items()}

    right = unigram(tokens, vocabulary, epsilon)
    return [
        Mistake(over(n), "They sum to more than 1: V epsilons came in above, so V below."),
        Mistake(over(n + epsilon), "Below, add epsilon once for each of the V words, not once."),
        Mistake(over(n + size), "Below, add epsilon times V, not V."),
        Mistake(over(n + epsilon * len(seen)),
                "V is the size of the vocabulary, not the number of different tokens in the text."),
        Mistake(raised, "These are counts: divide by their total."),
        Mistake(over(sum(unseen.values()), unseen),
                "Epsilon goes to every word, not only to unseen ones."),
        Mistake(over(n, counts), "Epsilon is missing."),
        Mistake(over(n + size, {token: count + 1 for token, count in counts.items()}),
                "You added 1 to each count: add epsilon."),
        Mistake({token: right[token] for token in seen},
                "Words are missing: unseen words get a probability too."),
    ]  # fmt: skip


GROWS = "(count + epsilon) / (N + epsilon * V) for every word of the vocabulary."
FREQUENCIES = "Epsilon 0: count / N, and 0 for a token that did not occur."
EXACT = "No rounding, and epsilon as it is given."
NOTHING = "No tokens and epsilon 0: there is nothing to divide by; refuse it, raise ValueError."
STRANGER = "A token outside the vocabulary can have no probability: refuse it, raise ValueError."


@visible
def unigram_probs(answer):
    args = [["a", "b", "a"], ["a", "b", "c"], 0.5]
    got = unchanged(answer, args, "Do not modify the arguments.")
    diagnosed(got, unigram(*args), GROWS, *unigram_mistakes(*args))
    only = "Nothing counted: only the epsilons are left, and all are equal."
    near(answer([], ["x", "y"], 1.0), {"x": 0.5, "y": 0.5}, 1e-9, only)
    for tokens, vocabulary in ((["a"], ["a"]), ([3, 5, 3, 3], [5, 4, 3]), (["a"] * 9, ["b", "a"])):
        near(answer(tokens, vocabulary, 0.0), unigram(tokens, vocabulary, 0.0), 1e-12, FREQUENCIES)
    vocabulary = [f"w{i}" for i in range(300)]
    args = [vocabulary[i * i % 211] for i in range(2_000)], vocabulary, 1e-4
    near(answer(*args), unigram(*args), 1e-12, EXACT)
    raises(ValueError, answer, [], ["a", "b"], 0.0, hint=NOTHING)
    raises(ValueError, answer, ["a", "z"], ["a", "b"], 1.0, hint=STRANGER)


# --- cross_entropy


def bits(truth: Probs, model: Probs) -> float:
    costs = {t: log(model.get(t, 0.0)) / LN2 for t, p in truth.items() if p}
    return -math.fsum(truth[token] * cost for token, cost in costs.items())


def cross_mistakes(truth: Probs, model: Probs) -> list[Mistake]:
    right, paired = bits(truth, model), dict(zip(truth, model.values(), strict=True))
    return [
        Mistake(bits(model, truth),
                "The arguments are swapped: `truth` weighs, `model` stands in the log."),
        Mistake(right * LN2, "That is in nats: use log base 2."),
        Mistake(bits(truth, truth),
                "That is the entropy of the truth: the model stands in the log."),
        Mistake(bits(model, model), "That is the entropy of the model: weigh with the truth."),
        Mistake(-right, "The sign: minus the sum."),
        Mistake(right - bits(truth, truth), "Do not subtract the entropy: it belongs to the cost."),
        Mistake(bits(truth, paired), "Pair the two by token, not by position."),
        Mistake(bits(dict.fromkeys(truth, 1 / len(truth)), model),
                "A plain mean over tokens: weigh each by its true probability."),
    ]  # fmt: skip


WEIGH = "Weigh -log2 model[token] by truth[token] and add up."
COSTLESS = "What cannot come (truth 0) costs nothing, whatever the model thinks of it: skip it."
ENDLESS = "What can come and is impossible for the model (0, or no entry) costs math.inf."
NO_TRUTH = "An empty `truth` is no distribution: raise ValueError."
ZEROS = (
    ({"a": 1.0, "b": 0.0}, {"a": 0.5, "b": 0.5}, COSTLESS),
    ({"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 0.0}, COSTLESS),
    ({"b": 0.0, "a": 0.25, "c": 0.75}, {"a": 0.5, "c": 0.25}, COSTLESS),
    ({"a": 0.5, "b": 0.5}, {"a": 1.0, "b": 0.0}, ENDLESS),
    ({"a": 0.5, "b": 0.5}, {"b": 1.0}, ENDLESS),
)


@visible
def cross_entropy(answer):
    fair = {"heads": 0.5, "tails": 0.5}
    weather = {"sun": 1 / 2, "rain": 1 / 4, "snow": 1 / 4}
    for args in ((fair, fair), (weather, {"snow": 1 / 2, "rain": 3 / 8, "sun": 1 / 8})):
        got = number(answer(*args), "cross_entropy")
        diagnosed(got, bits(*args), WEIGH, *cross_mistakes(*args))
    for truth, model, hint in ZEROS:
        near(attempt(answer, (truth, model), hint), bits(truth, model), 1e-9, hint)
    raises(ValueError, answer, {}, {"a": 1.0}, hint=NO_TRUTH)
