"""A sampler as one function, two impostors of it, and the visible check of its test.

Each draws n ids from softmax(top-p(logits / temperature)) by speculative decoding of one token:
guesses come from `draft`, and those that are rejected are replaced. Arguments are logits (V,),
draft (V,), which are probabilities above 0, temperature, p, n, and a seed. The other impostors are
in the grader.

unit: 09_decoding
"""

import numpy as np

from llmcourse.checks import Bounds, Implementation, tells_apart, visible

Array = np.ndarray
WHAT = "a sampler"
BOUNDS = Bounds(calls=40, numbers=500, whole=100_000, results=100_000, seconds=1.0)


def softmax(logits: Array) -> Array:
    """Return probabilities (V,)."""
    e = np.exp(logits - logits.max())
    return e / e.sum()


def nucleus(probs: Array, p: float) -> Array:
    """Return the probabilities of the fewest tokens that sum to p, 0 for the others; they do not
    sum to 1."""
    order = np.argsort(-probs, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(probs[order])[:-1]])
    kept = np.zeros(len(probs))
    kept[order[before < p]] = probs[order[before < p]]
    return kept


def target_of(logits: Array, temperature: float, p: float) -> Array:
    """Return the probabilities that a right sampler draws with."""
    kept = nucleus(softmax(np.asarray(logits, float) / temperature), p)
    return kept / kept.sum()


def speculated(target: Array, draft: Array, n: int, seed: int) -> Array:
    """Return n ids: guesses of the draft, and draws of the residual in place of the rejected."""
    rng = np.random.default_rng(seed)
    guesses = rng.choice(len(draft), n, p=draft / np.sum(draft))
    accepted = rng.random(n) * draft[guesses] < target[guesses]
    rest = np.maximum(target - draft, 0)
    if rest.sum() > 0:
        others = rng.choice(len(draft), n, p=rest / rest.sum())
        guesses = np.where(accepted, guesses, others)
    return guesses


def sample(logits: Array, draft: Array, temperature: float, p: float, n: int, seed: int) -> Array:
    """Draw n ids."""
    draft = np.asarray(draft, float) / np.sum(draft)
    return speculated(target_of(logits, temperature, p), draft, n, seed)


def cold(logits: Array, draft: Array, temperature: float, p: float, n: int, seed: int) -> Array:
    """Leave the temperature out."""
    return sample(logits, draft, 1.0, p, n, seed)


def accepts_all(
    logits: Array, draft: Array, temperature: float, p: float, n: int, seed: int
) -> Array:
    """Accept every guess of the draft."""
    return np.random.default_rng(seed).choice(len(draft), n, p=draft / np.sum(draft))


RIGHT = Implementation(
    "draws from the right distribution",
    sample,
    "Chance alone moves a fraction of n draws by sqrt(p (1 - p) / n): allow 5 times as much.",
)
SHOWN = (
    Implementation(
        "leaves the temperature out",
        cold,
        "Try a temperature that is not 1, and compare the fractions with the probabilities.",
    ),
    Implementation(
        "accepts every guess of the draft",
        accepts_all,
        "Give it a draft that differs from the target.",
    ),
)


@visible
def test_sampler(answer):
    tells_apart(answer, WHAT, RIGHT, SHOWN, BOUNDS)
