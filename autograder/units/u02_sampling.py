"""Hidden tests of the sampling exercise of unit 02.

unit: 02_ngrams
"""

import itertools
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from autograder.exercise import (
    Exercise,
    Inputs,
    Mistake,
    expect_equal,
    expect_that,
)

generate = Exercise("generate")

DRAWN = 120  # tokens; uniform() gives one number from each of as many equal parts of [0, 1)
ROUNDED = 2  # a token with probability p is drawn DRAWN p times, at most 2 more or less
UNEVEN = 0.1  # a probability that differs so much from 1/4 changes the count by 12


def often(value: Any, odds: Mapping[str, float]) -> bool:
    count = Counter(value)
    return all(abs(count[w] - DRAWN * p) <= ROUNDED for w, p in odds.items())


@generate.case(weight=3, property="draws each token as often as its probability says")
def generate_core(rng: random.Random) -> Inputs:
    """No right rule fails: a false-alarm rate of 0 in n = 120, whatever the probabilities."""
    probs = [0.25] * 4
    while max(abs(prob - 0.25) for prob in probs) < UNEVEN:
        parts = [rng.uniform(0.05, 0.4) for _ in range(4)]
        probs = [part / sum(parts) for part in parts]
    odds = dict(zip("wxyz", probs, strict=True))
    draws = [(i + rng.random()) / DRAWN for i in range(DRAWN)]
    rng.shuffle(draws)
    supply = iter(draws * 4)

    def as_often(value: Any) -> bool:
        return len(value) == DRAWN and often(value, odds)

    def in_intervals(value: Any) -> bool:
        by_number = [token for _, token in sorted(zip(draws, value, strict=True))]
        changes = sum(a != b for a, b in itertools.pairwise(by_number))
        return bool(changes < 2 * len(odds))

    mistakes = [
        Mistake(lambda value: set(value) == {max(odds, key=odds.__getitem__)},
                "it is always the most probable token: draw instead."),
        Mistake(lambda value: often(value, dict.fromkeys(odds, 0.25)),
                "all tokens are drawn equally often: use their probabilities."),
        Mistake(as_often, "the number from uniform() must decide which token is drawn."),
    ]  # fmt: skip
    hint = "one call of uniform() a token, compared with the running sum of probabilities."
    judge = expect_that(lambda value: as_often(value) and in_intervals(value), hint, mistakes)
    yield (lambda history: odds, [], DRAWN, 2, lambda: next(supply)), judge


@generate.case(weight=3, property="follows a chain that leaves no choice, n = 2 to 4")
def generate_chain(rng: random.Random) -> Inputs:
    for n in (2, 3, 4):
        tokens = [rng.choice("abc") for _ in range(n + 1)]

        def chain(history: Sequence[str], *, n: int = n) -> dict[str, float]:
            step = sum("abc".index(w) * (i + 1) for i, w in enumerate(history)) + len(history)
            return {w: float("abc".index(w) == step % 3) for w in "cab"}

        want, whole, wider = list(tokens), list(tokens), list(tokens)
        for _ in range(12):
            for sofar, kept in ((want, n - 1), (whole, 10**6), (wider, n)):
                odds = chain(sofar[max(0, len(sofar) - kept) :])
                sofar.append(max(odds, key=lambda w: odds[w]))
        mistakes = [
            Mistake(want[len(tokens) :], "the result begins with the prompt."),
            Mistake(whole, "next_probs must see the last n - 1 tokens only, not all of them."),
            Mistake(wider, "the history has n - 1 tokens; you pass n."),
        ]
        hint = "append, then take the last n - 1 tokens of the text so far."
        yield (chain, tokens, 12, n, lambda: 0.5), expect_equal(want, hint, mistakes)


@generate.case(
    weight=1, property="asks next_probs for tuples of the right length, n = 1 and short prompts"
)
def generate_histories(rng: random.Random) -> Inputs:
    for n, prompt in ((1, ["p", "q", "r"]), (5, ["p"]), (3, [])):
        asked: list[Any] = []

        def after(history: Any, *, asked: list[Any] = asked) -> dict[str, float]:
            asked.append(history)
            return {"s": 1.0}

        said = [*prompt, *"ssss"]
        want = [tuple(said[max(0, i - n + 1) : i]) for i in range(len(prompt), len(said))]

        def right(value: Any, asked: Any = asked, want: Any = want, said: Any = said) -> bool:
            return bool(list(value) == said and asked == want)

        def no_tuple(value: Any, asked: list[Any] = asked) -> bool:
            return any(not isinstance(history, tuple) for history in asked)

        hint = "n = 1 has the empty history (tokens[-0:] is everything); a short text, all of it."
        judge = expect_that(right, hint, [Mistake(no_tuple, "pass the history as a tuple.")])
        yield (after, prompt, 4, n, lambda: 0.5), judge


@generate.case(weight=1, property="edges: no new tokens, impossible tokens, sums just below 1")
def generate_edges(rng: random.Random) -> Inputs:
    prompt = [rng.choice("abc") for _ in range(3)]
    judge = expect_equal(prompt, "length 0: the prompt alone.")
    yield (lambda history: {"z": 1.0}, prompt, 0, 2, lambda: 0.5), judge
    odds = {"never": 0.0, "always": 1.0}
    hint = "a token of probability 0 is never drawn, even if uniform() returns 0."
    judge = expect_equal(["a", "always", "always"], hint)
    yield (lambda history: odds, ["a"], 2, 2, lambda: 0.0), judge
    tenths = {**dict.fromkeys("abcdefghij", 0.1), "never": 0.0}  # sums to 0.9999999999999999
    hint = "rounding may leave all sums too small: take the last token with a probability above 0."
    yield (lambda history: tenths, [], 1, 2, lambda: 1 - 2**-53), expect_equal(["j"], hint)
    ends = iter([0.0, 0.25, 0.5, 0.75])
    hint = "a number that is a running sum belongs to the next token: the sum must be above it."
    judge = expect_that(lambda value: sorted(value) == list("abcd"), hint)
    yield (lambda history: dict.fromkeys("abcd", 0.25), [], 4, 2, lambda: next(ends)), judge
