"""Hidden tests of unit 01: temperature and rescoring; the other exercises are in the modules
beside it.

unit: 01_language_modelling
"""

import math
import random

from autograder.exercise import (
    Exercise,
    Inputs,
    Mistake,
    asked,
    expect_equal,
    expect_near,
    expect_raises,
)
from autograder.units.u01_probability import (
    bits_per_token,
    chain_log_prob,
    cross_entropy,
    distribution,
    perplexity,
    unigram_probs,
    words,
)
from autograder.units.u01_sampling import sample_sequence
from llmcourse.checks import u01_choosing as choosing

__all__ = [
    "bits_per_token", "chain_log_prob", "cross_entropy", "perplexity", "rescore",
    "sample_sequence", "temper", "unigram_probs",
]  # fmt: skip

# --- temper

temper = Exercise("temper")


@temper.case(weight=3, property="the exact value at ordinary temperatures")
def temper_core(rng: random.Random) -> Inputs:
    for temperature in (0.4, 0.8, 1.7):
        args = distribution(rng, words(rng, 5)), temperature
        yield asked(args, choosing.tempered, choosing.POWERS, choosing.temper_mistakes, 1e-9)


@temper.case(weight=2, property="very low and very high temperatures")
def temper_extremes(rng: random.Random) -> Inputs:
    probs, cold = distribution(rng, words(rng, 40)), choosing.COLD
    for temperature in (0.001, 0.004, 1e6):
        judge = expect_near(choosing.tempered(probs, temperature), 1e-9, cold)
        yield (probs, temperature), judge.told(ZeroDivisionError=cold, OverflowError=cold)


@temper.case(weight=1, property="weights that do not sum to 1, zeros among them")
def temper_weights(rng: random.Random) -> Inputs:
    tokens, hint, cold = words(rng, 4), choosing.WEIGHTS, choosing.COLD
    weights = {**dict.fromkeys(tokens[:3], 0.0), tokens[3]: 7.0, "x": 700.0, "y": 700.0}
    for temperature in (0.002, 1.0, 2.5):
        judge = expect_near(choosing.tempered(weights, temperature), 1e-9, hint)
        hints = {"ValueError": hint, "ZeroDivisionError": cold, "OverflowError": cold}
        yield (weights, temperature), judge.told(**hints)


@temper.case(weight=1, property="refuses temperatures that are not above 0")
def temper_refuses(rng: random.Random) -> Inputs:
    for temperature in (0.0, -rng.uniform(0.5, 2)):
        args = distribution(rng, words(rng, 3)), temperature
        yield args, expect_raises(ValueError, choosing.ABOVE_0)


# --- rescore

rescore = Exercise("rescore")


@rescore.case(weight=3, property="the largest sum wins")
def rescore_core(rng: random.Random) -> Inputs:
    for size in (4, 6, 9):
        texts = words(rng, size)
        # the winner is second in both; who wins in one alone, or in the product, is another
        prior = [-rng.uniform(6, 7) for _ in texts]
        heard = [-rng.uniform(6, 7) for _ in texts]
        best, loud, common, far = rng.sample(range(size), 4)
        prior[best], heard[best] = -2.0, -2.0
        prior[loud], heard[loud] = -8.0, -0.5
        prior[common], heard[common] = -0.5, -8.0
        prior[far], heard[far] = -9.0, -9.0
        table = dict(zip(texts, prior, strict=True))
        args = texts, heard, lambda text, table=table: table[text]
        yield asked(args, choosing.best_text, choosing.LARGEST, choosing.rescore_mistakes)


@rescore.case(weight=2, property="very unlikely texts")
def rescore_long(rng: random.Random) -> Inputs:
    texts, hint = words(rng, 5), choosing.COMPARE_LOGS
    prior = {text: -rng.uniform(4_000, 5_000) for text in texts}
    heard = [-9_000 - prior[text] - rng.uniform(1, 9) for text in texts]
    winner = rng.randrange(1, 5)
    heard[winner] = -8_990 - prior[texts[winner]]
    judge = expect_equal(texts[winner], hint, [Mistake(texts[0], hint)])
    yield (texts, heard, lambda text: prior[text]), judge


@rescore.case(weight=1, property="equal and impossible texts")
def rescore_ties(rng: random.Random) -> Inputs:
    texts = words(rng, 4)
    for heard, prior, hint in (
        ([-9.0, -3.0, -3.0, -3.0], -2.0, choosing.EARLIEST),
        ([-1.0] * 4, -math.inf, choosing.IMPOSSIBLE),
    ):
        args = texts, heard, lambda text, prior=prior: prior
        yield asked(args, choosing.best_text, hint)


@rescore.case(weight=1, property="refuses an empty list")
def rescore_empty(rng: random.Random) -> Inputs:
    yield ([], [], lambda text: -1.0), expect_raises(ValueError, choosing.NO_TEXTS)
