"""Right variants and impostors of a sampler, on which the learner's `test_sampler` is graded.

Their arguments are logits (V,), probabilities of a draft (V,), temperature, p, n, and a seed; they
return n ids. A test that allows 5 standard errors for each of 5 probabilities rejects a right one
with a probability below 4e-6 in each try; 6 tries of 3 variants are made.

unit: 09_decoding
"""

from typing import Any

import numpy as np

from autograder.units.impostors import impostor_exercise
from llmcourse.checks import Implementation
from llmcourse.checks.u09_impostors import (
    BOUNDS,
    RIGHT,
    WHAT,
    nucleus,
    softmax,
    speculated,
    target_of,
)


def directly(logits: Any, draft: Any, temperature: float, p: float, n: int, seed: int) -> Any:
    """Draw from the target, without the draft."""
    probs = target_of(logits, temperature, p)
    return np.random.default_rng(seed + 1).choice(len(probs), n, p=probs)


def by_running_sums(
    logits: Any, draft: Any, temperature: float, p: float, n: int, seed: int
) -> Any:
    """Draw by comparing numbers with the running sum, as a list."""
    sums = np.cumsum(target_of(logits, temperature, p))
    numbers = np.random.RandomState(seed % 2**32).random_sample(n) * sums[-1]
    return np.searchsorted(sums, numbers, side="right").tolist()


def crossing_dropped(
    logits: Any, draft: Any, temperature: float, p: float, n: int, seed: int
) -> Any:
    """Leave the token that crosses p out; the first stays."""
    probs = softmax(np.asarray(logits, float) / temperature)
    order = np.argsort(-probs, kind="stable")
    stays = np.cumsum(probs[order]) < p
    stays[0] = True
    kept = np.zeros(len(probs))
    kept[order[stays]] = probs[order[stays]]
    return speculated(kept / kept.sum(), draft / np.sum(draft), n, seed)


def temperature_last(
    logits: Any, draft: Any, temperature: float, p: float, n: int, seed: int
) -> Any:
    """Filter the probabilities at temperature 1, then apply the temperature."""
    kept = nucleus(softmax(np.asarray(logits, float)), p) ** (1 / temperature)
    return speculated(kept / kept.sum(), draft / np.sum(draft), n, seed)


def not_renormalised(
    logits: Any, draft: Any, temperature: float, p: float, n: int, seed: int
) -> Any:
    """Draw with probabilities that sum to less than 1: the last token that is left gets the rest."""
    probs = softmax(np.asarray(logits, float) / temperature)
    kept = nucleus(probs, p)
    sums, last = np.cumsum(kept), int(np.flatnonzero(kept)[-1])
    drawn = np.searchsorted(sums, np.random.default_rng(seed).random(n), side="right")
    return np.minimum(drawn, last)


def from_target(logits: Any, draft: Any, temperature: float, p: float, n: int, seed: int) -> Any:
    """Replace a rejected guess by a draw from the target in place of the residual."""
    rng, target = np.random.default_rng(seed), target_of(logits, temperature, p)
    draft = np.asarray(draft, float) / np.sum(draft)
    guesses = rng.choice(len(draft), n, p=draft)
    accepted = rng.random(n) * draft[guesses] < target[guesses]
    return np.where(accepted, guesses, rng.choice(len(target), n, p=target))


def multiplied(logits: Any, draft: Any, temperature: float, p: float, n: int, seed: int) -> Any:
    """Multiply by the temperature."""
    target = target_of(logits, 1 / temperature, p)
    return speculated(target, draft / np.sum(draft), n, seed)


def no_filter(logits: Any, draft: Any, temperature: float, p: float, n: int, seed: int) -> Any:
    """Leave the filter out."""
    target = softmax(np.asarray(logits, float) / temperature)
    return speculated(target, draft / np.sum(draft), n, seed)


SIX = (
    Implementation(
        "drops the token that crosses p",
        crossing_dropped,
        "Choose p between two sums of probabilities, and look at the token that crosses it.",
    ),
    Implementation(
        "applies the temperature after the filter",
        temperature_last,
        "Choose temperature and p so that another number of tokens stays without the temperature.",
    ),
    Implementation(
        "does not renormalise what the filter leaves",
        not_renormalised,
        "Choose a small p, so that much probability is removed, and look at every token.",
    ),
    Implementation(
        "replaces rejected guesses by draws from the target",
        from_target,
        "Let draft and target differ much, and compare all fractions with the probabilities.",
    ),
    Implementation(
        "multiplies by the temperature",
        multiplied,
        "Try a temperature that is not 1, and compare the fractions with the probabilities.",
    ),
    Implementation(
        "ignores p",
        no_filter,
        "Choose p below 1: tokens that the filter removes must never be drawn.",
    ),
)
CLOSE = (
    "Other right samplers draw other ids from the same seed: compare fractions of many draws, and "
    "allow 5 standard errors."
)
VARIANTS = (
    RIGHT,
    Implementation("draws without the draft", directly, CLOSE),
    Implementation("draws by running sums and returns a list", by_running_sums, CLOSE),
)

test_sampler = impostor_exercise("test_sampler", WHAT, VARIANTS, SIX, BOUNDS)
