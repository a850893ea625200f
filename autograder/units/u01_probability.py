"""Hidden tests of unit 01: probabilities of texts and tokens. Expected values come from
`math.fsum`, fractions and counting, by the formulas beside the visible checks.

unit: 01_language_modelling
"""

import math
import random
from collections.abc import Callable
from typing import Any

from autograder.exercise import Exercise, Inputs, Mistake, asked, expect_near, expect_raises
from llmcourse.checks import u01_probability as probability


def words(rng: random.Random, size: int) -> list[str]:
    return rng.sample([a + b + c for a in "bdfkl" for b in "aeiou" for c in "mnrst"], size)


def distribution(rng: random.Random, tokens: list[str]) -> dict[str, float]:
    weights = [rng.uniform(0.05, 1) for _ in tokens]
    return {token: w / sum(weights) for token, w in zip(tokens, weights, strict=True)}


# --- chain_log_prob

chain_log_prob = Exercise("chain_log_prob")


def history_model(rng: random.Random, low: float, high: float) -> Callable[[Any, Any], float]:
    """Return a probability for each (history, token), the same each time it is asked."""
    salt = rng.random()

    def next_prob(history: Any, token: Any) -> float:
        return random.Random(f"{salt} {list(history)} {token}").uniform(low, high)

    return next_prob


@chain_log_prob.case(weight=3, property="the sum over tokens, each after all tokens before it")
def chain_core(rng: random.Random) -> Inputs:
    for length in (3, 7, 12):
        args = rng.choices(words(rng, 4), k=length), history_model(rng, 0.1, 0.9)
        hint = probability.CHAIN
        yield asked(args, probability.chained, hint, probability.chain_mistakes, 1e-9)


@chain_log_prob.case(weight=2, property="long texts do not underflow")
def chain_long(rng: random.Random) -> Inputs:
    args = [rng.randrange(50) for _ in range(60)], history_model(rng, 1e-8, 1e-6)
    mistakes, hint = [Mistake(-math.inf, probability.UNDERFLOW)], "Add the logs of all tokens."
    judge = expect_near(probability.chained(*args), 1e-9, hint, mistakes)
    yield args, judge.told(ValueError=probability.UNDERFLOW)


@chain_log_prob.case(weight=1, property="impossible texts")
def chain_zero(rng: random.Random) -> Inputs:
    tokens, hint = words(rng, 5), probability.LOG_OF_ZERO
    judge = expect_near(-math.inf, 0.0, hint).told(ValueError=hint)
    for never in (tokens[0], tokens[4]):
        yield (tokens, lambda history, token, never=never: 0.5 * (token != never)), judge


@chain_log_prob.case(weight=1, property="the text of no tokens")
def chain_empty(rng: random.Random) -> Inputs:
    yield asked(([], history_model(rng, 0.1, 0.9)), probability.chained, probability.EMPTY)


# --- perplexity and bits_per_token

perplexity = Exercise("perplexity")
bits_per_token = Exercise("bits_per_token")


def log_probs(rng: random.Random, length: int) -> list[float]:
    return [math.log(rng.uniform(0.02, 1)) for _ in range(length)]


def add_cases(exercise: Exercise, formula: Any, mistakes: Any, hint: str, weight: float) -> None:
    """Add the cases of a mean of log-probabilities; weight: of long texts."""

    @exercise.case(weight=3, property="the exact value on random texts")
    def core(rng: random.Random) -> Inputs:
        for length in (2, 5, 40):
            yield asked((log_probs(rng, length),), formula, hint, mistakes, 1e-9)

    @exercise.case(weight=weight, property="long texts do not underflow")
    def long(rng: random.Random) -> Inputs:
        logs, hint = log_probs(rng, 5_000), probability.PRODUCT
        judge = expect_near(formula(logs), 1e-9, hint, [Mistake(math.inf, hint)])
        kinds = ("ZeroDivisionError", "OverflowError", "ValueError")
        yield (logs,), judge.told(**dict.fromkeys(kinds, hint))

    @exercise.case(weight=1, property="impossible tokens")
    def infinite(rng: random.Random) -> Inputs:
        hint = probability.INFINITE
        judge = expect_near(math.inf, 0.0, hint).told(ValueError=hint)
        yield ([*log_probs(rng, 3), -math.inf, *log_probs(rng, 3)],), judge

    @exercise.case(weight=1, property="refuses a text of no tokens")
    def no_tokens(rng: random.Random) -> Inputs:
        yield ([],), expect_raises(ValueError, probability.NO_TOKENS)


add_cases(
    perplexity, probability.perplexity_of, probability.perplexity_mistakes,
    probability.OF_PERPLEXITY, weight=2,
)  # fmt: skip
add_cases(
    bits_per_token, probability.bits_of, probability.bits_mistakes, probability.OF_BITS, weight=1
)

# --- unigram_probs

unigram_probs = Exercise("unigram_probs")


@unigram_probs.case(weight=3, property="exact values with an epsilon")
def unigram_core(rng: random.Random) -> Inputs:
    for epsilon in (0.25, 1.0, 3.0):
        vocabulary = words(rng, 7)
        args = rng.choices(vocabulary[:5], k=20), vocabulary, epsilon
        hint = probability.GROWS
        yield asked(args, probability.unigram, hint, probability.unigram_mistakes, 1e-9)


@unigram_probs.case(weight=1, property="epsilon 0 gives relative frequencies")
def unigram_mle(rng: random.Random) -> Inputs:
    args = [rng.randrange(6) for _ in range(30)], list(range(8)), 0.0
    yield asked(args, probability.unigram, probability.FREQUENCIES, tolerance=1e-9)


@unigram_probs.case(weight=1, property="long texts and large vocabularies")
def unigram_large(rng: random.Random) -> Inputs:
    vocabulary = [f"w{i}" for i in range(600)]
    tokens = [vocabulary[int(rng.random() ** 3 * 500)] for _ in range(3_000)]
    args = tokens, vocabulary, 1e-4
    yield asked(args, probability.unigram, probability.EXACT, tolerance=1e-12)


@unigram_probs.case(weight=1, property="refuses unknown tokens, and nothing to divide by")
def unigram_refuses(rng: random.Random) -> Inputs:
    vocabulary = words(rng, 4)
    args = [*vocabulary, "qqq"], vocabulary, 0.5
    yield args, expect_raises(ValueError, probability.STRANGER)
    yield ([], vocabulary, 0.0), expect_raises(ValueError, probability.NOTHING)


# --- cross_entropy

cross_entropy = Exercise("cross_entropy")


@cross_entropy.case(weight=3, property="the exact value for random distributions")
def cross_core(rng: random.Random) -> Inputs:
    for size in (3, 6):
        tokens = words(rng, size)
        args = distribution(rng, tokens), distribution(rng, tokens[::-1])
        hint = probability.WEIGH
        yield asked(args, probability.bits, hint, probability.cross_mistakes, 1e-9)


def cross_zeros(property: str, hint: str, truth: list[float], *models: list[float]) -> None:
    """Add a case in which probabilities are 0, or missing where a model has fewer than the truth
    (the first ones are)."""

    @cross_entropy.case(weight=1, property=property)
    def zeros(rng: random.Random) -> Inputs:
        tokens = words(rng, len(truth))
        for model in models:
            given = dict(zip(tokens[::-1], model[::-1], strict=False))
            args = dict(zip(tokens, truth, strict=True)), given
            judge = expect_near(probability.bits(*args), 1e-9, hint)
            yield args, judge.told(ValueError=hint, KeyError=hint)


cross_zeros(
    "what cannot come costs nothing", probability.COSTLESS,
    [0.0, 0.25, 0.75], [0.25, 0.5, 0.25], [0.0, 0.5, 0.25], [0.5, 0.25],
)  # fmt: skip
cross_zeros(
    "what the model rules out costs everything", probability.ENDLESS,
    [0.5, 0.5], [0.0, 1.0], [1.0],
)  # fmt: skip


@cross_entropy.case(weight=1, property="refuses an empty truth")
def cross_empty(rng: random.Random) -> Inputs:
    yield ({}, distribution(rng, words(rng, 3))), expect_raises(ValueError, probability.NO_TRUTH)
