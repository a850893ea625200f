"""Filters of logits in unit 09: formulas, mistakes, visible checks.

Each takes logits (B, V) and returns new ones, in which a removed token is -inf. The formulas go
through one row at a time, in Python.

unit: 09_decoding
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, compare, diagnosed, fail, noted, raises, visible
from llmcourse.checks.u06_judging import called
from llmcourse.checks.u08_judging import EXACT, Array, flawed

WHAT = "logits"
FORM = "Return one logit for each token of each row: (B, V)."
OTHER = "The same rule holds for other sizes, for each row alone."
INFINITE = "A removed token gets -inf (-np.inf), so that its probability is 0."
LOWEST = "Of equal logits the lowest index comes first: np.argsort(-logits, kind='stable')."
UNCHANGED = "The logits of the tokens that stay are not changed."
GAP = 1e-3  # the least distance of p from a sum of probabilities


def filtered(
    got: Any, want: Array, hint: str, mistakes: Sequence[Mistake] = (), form: str = FORM
) -> None:
    """Fail unless the result has the shape of the logits and their values; -inf is a value."""
    if got is None:
        fail(f"{WHAT} should have the shape {want.shape}, but it returned None: is there a "
             "`return`?")  # fmt: skip
    known = [m.hint for m in mistakes if compare(got, m.value, EXACT) is None]
    shape = np.shape(got)
    if shape != want.shape:
        wanted = f"{WHAT} should have the shape {want.shape}"
        fail(f"{wanted}, got {shape}.", f"{wanted}.", (known or [form])[0])
    diagnosed(got, want, (known or [hint])[0], what=WHAT, tolerance=EXACT)


def softmax(row: Sequence[float]) -> list[float]:
    """Return the probabilities of one row of logits."""
    top = max(row)
    e = [math.exp(z - top) for z in row]
    return [one / math.fsum(e) for one in e]


def kept(logits: Array, rule: Callable[[list[float]], list[int]]) -> Array:
    """Return the logits with -inf at all tokens of a row but those that the rule returns."""
    rows = []
    for row in logits.tolist():
        stay = set(rule(row))
        rows.append([z if i in stay else -math.inf for i, z in enumerate(row)])
    return np.array(rows).reshape(logits.shape)


def ranked(row: Sequence[float]) -> list[int]:
    """Return the indices by falling logit; ties go to the lowest index."""
    return sorted(range(len(row)), key=lambda i: -row[i])


# --- temperature_logits


def tempered(logits: Array, temperature: float, flaw: str = "") -> Array:
    if flaw == "times":
        return logits * temperature
    divided = logits / temperature
    if flaw == "softmax":
        return np.array([softmax(row) for row in divided.tolist()])
    if flaw == "untouched":
        return logits
    if flaw == "of probabilities":
        return np.array([softmax(row) for row in logits.tolist()]) / temperature
    return divided


TEMPERATURE_FLAWS = {
    "times": "Divide by the temperature: a low one makes large differences larger.",
    "softmax": "Return logits, not probabilities: the softmax comes later.",
    "untouched": "The temperature has no influence.",
    "of probabilities": "Divide the logits, not the probabilities.",
}
TEMPERATURE = "Divide every logit by the temperature."
POSITIVE = "Raise ValueError for a temperature of 0 or below: nothing can be divided by 0."


def temperature_inputs(rng: Any, B: int, V: int) -> Any:
    return rng.normal(0, 2, (B, V)), float(rng.choice([0.4, 0.7, 1.6, 2.5]))


def temperature_mistakes(logits: Array, temperature: float) -> list[Mistake]:
    return flawed(tempered, (logits, temperature), TEMPERATURE_FLAWS)


@visible
def temperature_logits(answer):
    args = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]]), 0.5
    filtered(called(answer, args), tempered(*args), TEMPERATURE, temperature_mistakes(*args))
    rng = np.random.default_rng(1)
    for sizes in ((1, 4), (3, 1), (4, 7)):
        args = temperature_inputs(rng, *sizes)
        with noted(OTHER):
            got = called(answer, args)
        filtered(got, tempered(*args), OTHER, form=OTHER)
    for temperature in (0.0, -1.0, 0):
        raises(ValueError, answer, args[0], temperature, hint=POSITIVE)


# --- top_k_filter


def top_k(logits: Array, k: int, flaw: str = "") -> Array:
    def rule(row: list[float]) -> list[int]:
        order = ranked(row)
        if flaw == "smallest":
            order = order[::-1]
        if flaw == "ties kept":
            return [i for i in order if row[i] >= row[order[min(k, len(row)) - 1]]]
        if flaw == "highest index":
            order = sorted(range(len(row)), key=lambda i: (-row[i], -i))
        if flaw == "in order":
            return list(range(k))
        return order[: {"one fewer": k - 1, "one more": k + 1}.get(flaw, k)]

    if flaw == "wrong axis":
        order = np.argsort(-logits, axis=0, kind="stable")
        if order.shape[0] > order.shape[1]:
            raise ValueError("indices of rows that are no tokens")
        return np.array([
            [z if i in best[:k] else -np.inf for i, z in enumerate(row)]
            for row, best in zip(logits.tolist(), order.tolist(), strict=True)
        ])  # fmt: skip
    if flaw == "all rows":
        whole = np.sort(logits, axis=None)[::-1]
        return np.where(logits >= whole[min(k, whole.size) - 1], logits, -np.inf)
    found = kept(logits, rule)
    if flaw == "zero":
        return np.where(np.isinf(found), 0.0, found)
    if flaw == "probabilities":
        return np.array([softmax(row) for row in found.tolist()])
    return found


TOP_K_FLAWS = {
    "wrong axis": "Sort along the last axis: the tokens of each row.",
    "smallest": "Keep the largest logits, not the smallest.",
    "ties kept": "Exactly k tokens stay; of equal logits those of the lowest index.",
    "highest index": LOWEST,
    "in order": "You keep the first k of the row: the order is that of the sorted logits.",
    "one fewer": "k tokens stay, you keep one fewer: is the k-th itself kept?",
    "one more": "k tokens stay, you keep one more.",
    "all rows": "Each row keeps k tokens of its own.",
    "zero": INFINITE,
    "probabilities": "Return logits, not probabilities.",
}
TOP_K = "Keep the k largest logits of each row, and set the others to -inf."
ALL_STAY = "Where k is larger than V, all tokens stay."


def top_k_inputs(rng: Any, B: int, V: int, k: int) -> Any:
    return rng.normal(0, 2, (B, V)), k


def top_k_tied(rng: Any, B: int, V: int, k: int) -> Any:
    """Return logits of which many are equal, also at the edge."""
    return rng.integers(-2, 2, (B, V)).astype(float), k


def top_k_mistakes(logits: Array, k: int) -> list[Mistake]:
    return different(top_k, (logits, k), TOP_K_FLAWS)


def different(
    formula: Callable[..., Array], args: Sequence[Any], hints: dict[str, str]
) -> list[Mistake]:
    """Return the mistakes that give another value than the formula with these arguments."""
    want = formula(*args)
    return [m for m in flawed(formula, args, hints) if compare(m.value, want, EXACT) is not None]


@visible
def top_k_filter(answer):
    rng = np.random.default_rng(2)
    args = np.array([[1.0, 4.0, 2.0, 3.0], [5.0, -1.0, 0.0, -2.0], [0.0, 2.0, 6.0, 1.0]]), 2
    filtered(called(answer, args), top_k(*args), TOP_K, top_k_mistakes(*args))
    tied = np.array([[1.0, 2.0, 2.0, 2.0], [2.0, 1.0, 1.0, 0.0]]), 2
    filtered(called(answer, tied), top_k(*tied), LOWEST, top_k_mistakes(*tied))
    for sizes in ((3, 6, 3), (1, 5, 1), (2, 3, 3), (4, 1, 1), (2, 3, 9)):
        args = top_k_inputs(rng, *sizes)
        hint = ALL_STAY if sizes[2] >= sizes[1] else OTHER
        with noted(hint):
            got = called(answer, args)
        filtered(got, top_k(*args), hint, top_k_mistakes(*args), form=hint)


# --- top_p_filter


def top_p(logits: Array, p: float, flaw: str = "") -> Array:
    def rule(row: list[float]) -> list[int]:
        probs, order = softmax(row), ranked(row)
        if flaw == "ascending":
            order = order[::-1]
        if flaw == "highest index":
            order = sorted(range(len(row)), key=lambda i: (-row[i], -i))
        if flaw == "in order":
            order = list(range(len(row)))
        if flaw == "threshold":
            return [i for i in order if probs[i] >= p]
        if flaw == "complement":
            return [i for i in order if probs[i] >= 1 - p]
        stay, total = [], 0.0
        for i in order:
            if flaw == "crossing dropped" and total + probs[i] > p:
                break
            if flaw == "crossing, one at least" and stay and total + probs[i] > p:
                break
            stay.append(i)
            total += probs[i]
            if total >= p:
                break
        return [rank for rank, _ in enumerate(stay)] if flaw == "not put back" else stay

    found = kept(logits, rule)
    if flaw == "zero":
        return np.where(np.isinf(found), 0.0, found)
    if flaw == "renormalised":
        with np.errstate(divide="ignore"):
            return np.log(np.array([softmax(row) for row in found.tolist()]))
    if flaw == "probabilities":
        return np.array([softmax(row) for row in found.tolist()])
    return found


TOP_P_FLAWS = {
    "crossing dropped": "The token that crosses p stays, too: without it the sum is below p.",
    "crossing, one at least": "The token that crosses p stays, too: without it the sum is below p.",
    "highest index": LOWEST,
    "ascending": "Add up from the most probable token downwards.",
    "in order": "Sort the tokens of a row by their probability before you add up.",
    "threshold": "p is no threshold for single tokens: add the probabilities up.",
    "complement": "p is no threshold for single tokens: add the probabilities up.",
    "not put back": "You found which RANKS stay: put that back to the indices of the tokens.",
    "zero": INFINITE,
    "renormalised": UNCHANGED,
    "probabilities": "Return logits, not probabilities.",
}
TOP_P = (
    "Sort by falling probability; a token stays if the sum of those before it is below p. The "
    "others get -inf."
)
ONE_STAYS = "The most probable token always stays, also if it alone is above p."
TOP_P_LARGE = "Logits of 1,000 overflow: subtract the largest logit of the row before np.exp."


def top_p_inputs(rng: Any, B: int, V: int, p: float = 0.0, size: float = 1.3) -> Any:
    """Return logits and p (drawn if it is 0), which is not close to any sum of probabilities."""
    for _ in range(1000):
        logits, limit = rng.normal(0, size, (B, V)), p or float(rng.uniform(0.4, 0.9))
        sums = [np.cumsum(sorted(softmax(row), reverse=True)) for row in logits.tolist()]
        if np.abs(np.array(sums) - limit).min() > GAP or V == 1 or limit == 1:
            return logits, limit
    raise AssertionError("expected logits whose sums are not close to p")


def top_p_tied(rng: Any, B: int, V: int) -> Any:
    """Return rows of equal logits, and p in the middle between two sums of probabilities."""
    return np.repeat(rng.normal(size=(B, 1)), V, axis=1), (int(rng.integers(1, V)) - 0.5) / V


def top_p_large(rng: Any, B: int, V: int) -> Any:
    """Return logits near 1,000 in one row, near -1,000 in the next, and a token far below."""
    logits, p = top_p_inputs(rng, B, V - 1)
    logits = logits + np.where(np.arange(B) % 2, -1000.0, 1000.0)[:, None]
    return np.concatenate([logits, logits[:, :1] - 2000.0], axis=1), p


def top_p_mistakes(logits: Array, p: float) -> list[Mistake]:
    return different(top_p, (logits, p), TOP_P_FLAWS)


@visible
def top_p_filter(answer):
    rng = np.random.default_rng(3)
    cinema = np.log([[0.36, 0.01, 0.54, 0.01, 0.08], [0.12, 0.6, 0.05, 0.2, 0.03]])
    for p in (0.95, 0.7):
        args = cinema, p
        filtered(called(answer, args), top_p(*args), TOP_P, top_p_mistakes(*args))
    args = cinema, 0.3
    filtered(called(answer, args), top_p(*args), ONE_STAYS, top_p_mistakes(*args))
    tied = np.zeros((2, 4)), 0.6
    filtered(called(answer, tied), top_p(*tied), LOWEST, top_p_mistakes(*tied))
    with np.errstate(all="ignore"):
        large = top_p_large(rng, 2, 5)
        filtered(called(answer, large), top_p(*large), TOP_P_LARGE)
    for sizes in ((3, 6), (1, 4), (4, 1), (3, 9), (2, 4, 1.0)):
        args = top_p_inputs(rng, *sizes)
        with noted(OTHER):
            got = called(answer, args)
        filtered(got, top_p(*args), OTHER, top_p_mistakes(*args), form=OTHER)
