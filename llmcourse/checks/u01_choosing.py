"""Temperature and rescoring of unit 01: formulas, mistakes, visible checks.

unit: 01_language_modelling
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llmcourse.checks import (
    Mistake,
    Spelled,
    attempt,
    diagnosed,
    equal,
    near,
    raises,
    unchanged,
    visible,
)

Probs = Mapping[Any, float]

# --- temper


def shares(weights: Probs) -> dict[Any, float]:
    total = math.fsum(weights.values())
    return {token: weight / total for token, weight in weights.items()}


def tempered(probs: Probs, temperature: float) -> dict[Any, float]:
    """Compute relative to the largest, so that nothing under- or overflows."""
    top = max(probs.values())
    powers = {t: math.exp(math.log(p / top) / temperature) if p else 0.0 for t, p in probs.items()}
    return shares(powers)


def temper_mistakes(probs: Probs, temperature: float) -> list[Mistake]:
    return [
        Mistake({t: p ** (1 / temperature) for t, p in probs.items()},
                "They do not sum to 1. Renormalise: divide by the sum."),
        Mistake(tempered(probs, 1 / temperature), "You used p ** T: the exponent is 1 / T."),
        Mistake(probs, "Nothing changed: dividing p itself by T cancels; divide log p by T."),
        Mistake(shares({t: math.exp(p / temperature) for t, p in probs.items()}),
                "You put p / T into exp: it is log p that is divided by T."),
    ]  # fmt: skip


POWERS = "p ** (1 / T), divided by the sum of these."
ZERO = "What has probability 0 keeps it at every temperature; log 0 must not stop you."
COLD = (
    "p ** (1 / T) underflows or overflows at small T: divide log p by T, subtract the largest, "
    "then exp."
)
WEIGHTS = "Any weights are allowed: divide by the sum in the end, and only there; 0 stays 0."
ABOVE_0 = "T must be above 0: raise ValueError for the rest."


@visible
def temper(answer):
    probs = {"a": 0.5, "b": 0.3, "c": 0.2}
    hint = "Do not modify the dictionary you were given: build a new one."
    got = unchanged(answer, [probs, 0.5], hint)
    hint = "At T = 1/2 each p is squared, then renormalised."
    diagnosed(got, tempered(probs, 0.5), hint, *temper_mistakes(probs, 0.5))
    near(answer(probs, 1.0), probs, 1e-9, "T = 1 changes nothing.")
    wide = {"a": 0.0, "b": 700.0, "c": 7.0, "d": 700.0}
    many = {f"w{i}": (1 + i * i % 17) / 400 for i in range(40)}
    for given, temperature, hint in (
        ({"a": 0.75, "b": 0.25, "c": 0.0}, 2.0, ZERO), (probs, 1.7, POWERS),
        ({"a": 0.0, "b": 2.0, "c": 5.0}, 1.0, WEIGHTS), (wide, 2.5, WEIGHTS),
        (wide, 0.002, COLD), (many, 0.001, COLD), (many, 1e6, COLD),
    ):  # fmt: skip
        got = attempt(answer, (given, temperature), hint)
        near(got, tempered(given, temperature), 1e-9, hint)
    for temperature in (0.0, -1.5):
        raises(ValueError, answer, probs, temperature, hint=ABOVE_0)


# --- rescore


def best_text(texts: Sequence[Any], heard: Sequence[float], prior: Callable[[Any], float]) -> Any:
    return max(zip(texts, heard, strict=True), key=lambda pair: prior(pair[0]) + pair[1])[0]


def rescore_mistakes(
    texts: Sequence[Any], heard: Sequence[float], prior: Callable[[Any], float]
) -> list[Mistake]:
    pairs, best = list(zip(texts, heard, strict=True)), best_text(texts, heard, prior)
    index, products = texts.index(best), "a product of two negative numbers grows as they fall"
    return [
        Mistake(max(pairs, key=lambda pair: pair[1])[0],
                "You ignored the text's own probability: ask text_log_prob(text) and add it."),
        Mistake(max(texts, key=prior), "You ignored the signal: add its log-probability."),
        Mistake(max(pairs, key=lambda pair: prior(pair[0]) * pair[1])[0],
                f"You multiplied logarithms, and {products}: add the two logs."),
        Mistake(index, "Return the text, not its position."),
        Mistake(prior(best) + heard[index], "Return the text, not its score."),
    ]  # fmt: skip


LARGEST = "The largest sum of the two log-probabilities wins."
EARLIEST = "Among equals the earliest wins."
COMPARE_LOGS = "exp of such sums is 0 for all of them: compare the logs."
IMPOSSIBLE = "-inf is a score like any other, below all: even then the earliest of equals wins."
NO_TEXTS = "No texts: nothing to choose from, raise ValueError."


@visible
def rescore(answer):
    prior = {"wheel": -1.0, "we'll": -4.0, "will": -10.0, "wool": -7.0}
    args = list(prior), [-12.0, -4.0, -1.0, -6.0], Spelled(f"lambda text: {prior}[text]")
    diagnosed(answer(*args), best_text(*args), LARGEST, *rescore_mistakes(*args))
    prior = {"so": -4_100.0, "sow": -4_900.0, "sew": -4_500.0}
    unlikely = Spelled(f"lambda text: {prior}[text]")
    as_key = "A text may also be a list of words; a list is no key of a dictionary."
    never = Spelled("lambda text: -math.inf", math=math)
    for texts, heard, model, hint in (
        (["x", "y", "z"], [-5.0, -3.0, -3.0], Spelled("lambda text: -2.0"), EARLIEST),
        ([["we", "will"], ["wheel"]], [-5.0, -3.0], Spelled("lambda text: -1.0"), as_key),
        (list(prior), [-4_900.0, -4_095.0, -4_502.0], unlikely, COMPARE_LOGS),
        (["x", "y"], [-1.0, -1.0], never, IMPOSSIBLE),
    ):
        equal(answer(texts, heard, model), best_text(texts, heard, model.function), hint)
    raises(ValueError, answer, [], [], Spelled("lambda text: -1.0"), hint=NO_TEXTS)
