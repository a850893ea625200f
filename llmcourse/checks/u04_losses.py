"""The two losses and the noise of unit 04: formulas, mistakes, visible checks.

unit: 04_word2vec
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from llmcourse.checks import (
    Mistake,
    attempt,
    diagnosed,
    fail,
    near,
    number,
    raises,
    unchanged,
    visible,
)
from llmcourse.checks.u04_pairs import array_of

Array = np.ndarray
Pairs = Sequence[tuple[int, int]]

CENTRE = np.array([[1.0, 2.0], [0.5, -1.0], [-2.0, 0.0], [0.0, 1.5]])
CONTEXT = np.array([[0.5, 1.0], [-1.0, 0.5], [2.0, 1.0], [1.0, -0.5]])
PAIRS = [(0, 2), (1, 0), (0, 3), (3, 3), (2, 1)]
NEGATIVES = [[1, 3], [2, 2], [0, 1], [2, 0], [3, 3]]


def vectors(rng: Any, rows: int, width: int, size: float = 1.0) -> Array:
    """Return random rows whose lengths differ by up to a factor of ten."""
    return size * rng.normal(size=(rows, width)) * 10 ** rng.uniform(-0.5, 0.5, (rows, 1))


def drawn_ids(rng: Any, words: int, *shape: int) -> list[Any]:
    return rng.integers(words, size=shape).tolist()


def batch(
    rng: Any, words: int, width: int, pairs: int, size: float = 1.0
) -> tuple[Array, Array, Pairs]:
    """Return two random tables and pairs of ids; size: of the centre vectors."""
    tables = vectors(rng, words, width, size), vectors(rng, words, width)
    return *tables, [tuple(pair) for pair in drawn_ids(rng, words, pairs, 2)]


# --- softmax_skipgram_loss


def softmax_losses(centre: Array, context: Array, pairs: Pairs) -> Array:
    scores = np.array([[row @ centre[w] for row in context] for w, _ in pairs], dtype=float)
    return np.logaddexp.reduce(scores, axis=1) - scores[range(len(pairs)), [c for _, c in pairs]]


def softmax_loss(centre: Array, context: Array, pairs: Pairs) -> float:
    return float(softmax_losses(centre, context, pairs).mean())


def softmax_mistakes(centre: Array, context: Array, pairs: Pairs) -> list[Mistake]:
    losses, turned = softmax_losses(centre, context, pairs), [(c, w) for w, c in pairs]
    loss, one_table = losses.mean(), "You used one table for both words: the "
    return [
        Mistake(losses.sum(), "That is the sum over the pairs: return the mean."),
        Mistake(-loss, "The sign is wrong: the loss is minus the logarithm."),
        Mistake(loss / np.log(2), "That is in bits: use the natural logarithm."),
        Mistake(softmax_loss(context, centre, pairs),
                "The two tables are swapped: the first word of a pair is the centre."),
        Mistake(softmax_loss(centre, centre, pairs),
                f"{one_table}context word's vector is in context_vectors."),
        Mistake(softmax_loss(context, context, pairs),
                f"{one_table}centre's vector is in centre_vectors."),
        Mistake(np.exp(-losses).mean(),
                "That is the mean probability: take minus the logarithm of each first."),
        Mistake(softmax_loss(context, centre, turned),
                "You summed over all centres: the centre stays, sum over all context words."),
    ]  # fmt: skip


SCORES = "The mean over the pairs of ln of the sum of exp(all scores), minus the pair's own score."
EACH_ROW = "Subtract the largest score of each row from it, not that of all rows together."


@visible
def softmax_skipgram_loss(answer):
    args = (CENTRE, CONTEXT, list(PAIRS))
    got = number(unchanged(answer, args, "Work on copies of the vectors."), "softmax_skipgram_loss")
    diagnosed(got, softmax_loss(*args), SCORES, *softmax_mistakes(*args))
    large = "exp of a large score overflows: subtract the largest score of the row first."
    value = finite(answer, (800 * CENTRE, CONTEXT, [(0, 2), (0, 1)]), large)
    near(value, 1600.0, 1e-6, hint=large)
    rng, uneven = np.random.default_rng(1), CENTRE * np.array([[1000.0], [1.0], [0.001], [30.0]])
    for args, hint in (
        ((uneven, CONTEXT, PAIRS), EACH_ROW), (batch(rng, 6, 4, 12, 1e3), EACH_ROW),
        (batch(rng, 20, 8, 40), SCORES), (batch(rng, 3, 1, 1), SCORES),
    ):  # fmt: skip
        with np.errstate(all="ignore"):
            near(attempt(answer, args, hint), softmax_loss(*args), 1e-9, hint=hint)
    single = [table.astype(np.float32) for table in batch(rng, 9, 5, 0)[:2]]
    pairs = [(i, i) for i in range(9)] * 2
    near(answer(*single, pairs), softmax_loss(*single, pairs), 1e-4, hint=SCORES)


def finite(answer: Any, args: Sequence[Any], large: str) -> Any:
    """Return the loss for scores in the thousands, or fail with this hint."""
    with np.errstate(all="ignore"):
        value = attempt(answer, args, large)
    if not np.isfinite(float(value)):
        fail("With scores in the thousands the loss should be finite.", hint=large)
    return value


# --- noise_probs


def noise(counts: Sequence[float], power: float = 0.75) -> Array:
    raised = [count**power for count in counts]
    return np.array([value / sum(raised) for value in raised])


def noise_mistakes(counts: Sequence[float], power: float = 0.75) -> list[Mistake]:
    total, raised = sum(counts), np.array([count**power for count in counts])
    return [
        Mistake(noise(counts, 1.0), "Raise the counts to the power first."),
        Mistake((np.array(counts) / total) ** power,
                "First the power, then the division: these do not sum to 1."),
        Mistake(raised / total, "Divide by the sum of the raised counts."),
        Mistake(raised, "They should sum to 1: divide by the sum of the raised counts."),
        Mistake(noise(counts, 0.75), "Use the argument `power`."),
    ]  # fmt: skip


RAISED = "Each count to the power, divided by the sum of these; a count of 0 stays 0."


@visible
def noise_probs(answer):
    counts = [16, 1, 0, 81]
    got = array_of(unchanged(answer, (counts,), hint="Leave counts alone."), (4,), "probs")
    diagnosed(got, noise(counts), RAISED, *noise_mistakes(counts))
    near(answer([4, 1], 0.5), [2 / 3, 1 / 3], 1e-9, hint="Use the argument `power`.")
    counts = np.array([0, 40_000, 3, 0, 12, 700, 1])
    for power in (0.75, 1.0, 0.3, 2.0):
        want = noise(counts.tolist(), power)
        for given in (counts.tolist(), counts, counts.astype(float)):
            near(unchanged(answer, (given, power), "Leave counts alone."), want, 1e-12, hint=RAISED)
    for nothing in ([0, 0], [0]):
        raises(ValueError, answer, nothing, hint="With all counts 0 there is nothing to draw.")


# --- negative_sampling_loss


def sampling_loss(
    centre: Array, context: Array, pairs: Pairs, negatives: Sequence[Sequence[int]],
    sign: float = 1.0, join: Callable[[Array], Any] = np.sum,
) -> float:  # fmt: skip
    """Return the mean loss; another sign, or another way to join noise terms, is a mistake."""
    losses = []
    for (w, c), drawn in zip(pairs, negatives, strict=True):
        scores = np.array([context[n] @ centre[w] for n in drawn])
        true = np.logaddexp(0, -(context[c] @ centre[w]))
        losses.append(true + join(np.logaddexp(0, sign * scores)))
    return float(np.mean(losses))


def sampling_mistakes(
    centre: Array, context: Array, pairs: Pairs, negatives: Sequence[Sequence[int]]
) -> list[Mistake]:
    args, n = (centre, context, pairs), len(pairs)
    loss, true = sampling_loss(*args, negatives), sampling_loss(*args, [[]] * n)
    asked = [(m, c) for (_, c), drawn in zip(pairs, negatives, strict=True) for m in drawn]
    as_centres = sum(np.logaddexp(0, centre[m] @ context[c]) for m, c in asked) / n
    return [
        Mistake(n * loss, "That is the sum over the pairs: return the mean."),
        Mistake(sampling_loss(*args, negatives, join=np.mean),
                "The noise terms of a pair are summed, not averaged."),
        Mistake(true, "The noise terms are missing."),
        Mistake(-loss, "The sign is wrong: the loss is minus the logarithms."),
        Mistake(sampling_loss(*args, negatives, sign=-1.0),
                "A noise pair should get a low score: its term is -ln s(-score)."),
        Mistake(sampling_loss(context, centre, pairs, negatives), "The two tables are swapped."),
        Mistake(true + as_centres,
                "A noise word replaces the context word: its vector is in context_vectors."),
        Mistake(sampling_loss(*args, [list(set(drawn)) for drawn in negatives]),
                "A noise word that was drawn twice counts twice."),
        Mistake(2 * true - loss, "The noise terms are added to the loss, not subtracted."),
    ]  # fmt: skip


TERMS = "-ln s(score of the true pair), plus -ln s(-score) for each noise word; mean over pairs."
STABLE = "s(x) of a large negative x is 0 for the computer: use np.logaddexp(0, -x)."


@visible
def negative_sampling_loss(answer):
    args = (CENTRE, CONTEXT, list(PAIRS), [list(drawn) for drawn in NEGATIVES])
    got = unchanged(answer, args, "Work on copies of the vectors.")
    got = number(got, "negative_sampling_loss")
    diagnosed(got, sampling_loss(*args), TERMS, *sampling_mistakes(*args))
    for pair, one in (((2, 2), 1), ((0, 1), 2), ((0, 2), 1), ((0, 2), 3)):
        large = (900 * CENTRE, CONTEXT, [pair], [[one]])
        near(finite(answer, large, STABLE), sampling_loss(*large), 1e-6, hint=STABLE)
    alone = (CENTRE, CONTEXT, [(0, 2)], [[]])
    near(answer(*alone), sampling_loss(*alone), 1e-9, hint="k = 0: the true pair only.")
    rng = np.random.default_rng(2)
    for words, n, k, size in (
        (6, 5, 1, 1), (15, 20, 3, 1), (4, 8, 10, 1), (7, 10, 4, 1e4), (5, 4, 0, 1)
    ):  # fmt: skip
        args = (*batch(rng, words, 3, n, size), drawn_ids(rng, words, n, k))
        if k == 4:
            args[3][:2] = [[args[2][0][1]] * 4, [2] * 4]
        hint = TERMS if size == 1 else STABLE
        with np.errstate(all="ignore"):
            near(attempt(answer, args, hint), sampling_loss(*args), 1e-9, hint=hint)
