"""Hidden tests of the sampling exercise of unit 01, by counting on a grid of uniform numbers.

unit: 01_language_modelling
"""

import math
import random
from typing import Any

from autograder.exercise import Exercise, Inputs, Mistake, expect_equal, expect_that
from autograder.units.u01_probability import words
from llmcourse.checks import u01_sampling as sampling

sample_sequence = Exercise("sample_sequence")


@sample_sequence.probe
def each_row(answer, next_probs, rows, end, max_length):  # type: ignore[no-untyped-def]
    """Return one text for each row of uniform numbers, with the count of numbers it left.

    next_probs: a function, or what one says to every history.
    """
    model = next_probs if callable(next_probs) else lambda history: next_probs
    texts = []
    for row in rows:
        numbers = iter(row)
        text = list(answer(model, numbers.__next__, end, max_length))
        texts.append([text, len(list(numbers))])
    return texts


def tenths(rng: random.Random, tokens: list[str]) -> dict[str, int]:
    """Return tenths for each token: all positive, all different."""
    parts = [1, 2, 3, 4]
    rng.shuffle(parts)
    return dict(zip(tokens, parts, strict=True))


@sample_sequence.case(weight=4, property="each token as often as its probability says")
def sample_core(rng: random.Random) -> Inputs:
    tokens = words(rng, 4)
    tables = {first: tenths(rng, tokens) for first in (None, *tokens)}

    def next_probs(history: Any) -> dict[str, float]:
        table = tables[history[-1] if history else None]
        return {token: part / 10 for token, part in table.items()}

    joint = {(a, b): tables[None][a] * tables[a][b] for a in tokens for b in tokens}
    blind = {(a, b): tables[None][a] * tables[None][b] for a in tokens for b in tokens}
    most_probable = max(tables[None], key=lambda token: tables[None][token])

    def came(texts: Any) -> dict[tuple[str, str], int]:
        pairs = [tuple(text) for text, _ in texts[: len(rows)]]
        return {pair: pairs.count(pair) for pair in joint}

    def firsts(texts: Any) -> dict[str, float]:
        first = [text[0] for text, _ in texts[: len(rows)]]
        return {token: first.count(token) / 10 for token in tokens}

    def repeats(texts: Any) -> bool:
        return len(texts) == len(rows) + 20 and list(texts[-20:]) == list(texts[19::-1])

    def law(texts: Any) -> bool:
        """Judge exactly on intervals of [0, 1): no right rule fails on this grid."""
        return not any(left for _, left in texts) and repeats(texts) and came(texts) == joint

    def only_one(texts: Any) -> bool:
        return firsts(texts) == {token: 10.0 * (token == most_probable) for token in tokens}

    def flat(texts: Any) -> bool:
        return max(firsts(texts).values()) - min(firsts(texts).values()) <= 1

    mistakes = [
        Mistake(lambda texts: any(left for _, left in texts), sampling.ONCE),
        Mistake(lambda texts: not repeats(texts), sampling.AGAIN),
        Mistake(only_one, sampling.ARGMAX),
        Mistake(flat, sampling.EVENLY),
        Mistake(lambda texts: firsts(texts) != tables[None],
                "The part of [0, 1) that gives a token should be as long as its probability."),
        Mistake(lambda texts: came(texts) == blind,
                "Later tokens ignore the earlier ones: pass what you have to next_probs."),
    ]  # fmt: skip
    grid = [(i + 0.5) / 10 for i in range(10)]
    rows = [[u, v] for u in grid for v in grid]
    judge = expect_that(law, "The second token should follow next_probs([first token]).", mistakes)
    args = next_probs, rows + rows[19::-1], "no such token", 2
    yield args, judge.told(StopIteration=sampling.ONCE)


@sample_sequence.case(weight=2, property="ends with the end token, or at the limit")
def sample_end(rng: random.Random) -> Inputs:
    end, word = words(rng, 2)
    for length in (1, 4, 9):

        def next_probs(history: Any, length: int = length) -> dict[str, float]:
            return {word: 1.0} if len(history) < length - 1 else {end: 1.0}

        text = [word] * (length - 1) + [end]
        row = [rng.random() for _ in range(length + 9)]
        mistakes = [
            Mistake([[text[:-1], 9]], "The end token belongs to the text."),
            Mistake([[text + [end] * 9, 0]], "Stop when the end token has come."),
        ]
        judge = expect_equal([[text, 9]], sampling.TO_THE_END, mistakes)
        yield (next_probs, [row], end, length + 9), judge.told(StopIteration=sampling.ONCE)
        judge = expect_equal([[text[:-1], 10]], sampling.AT_MOST)
        yield (next_probs, [row], end, length - 1), judge.told(StopIteration=sampling.ONCE)
    row = [rng.random() for _ in range(270)]  # past 256, where `is` no longer compares numbers
    judge = expect_equal([[[word] * 260, 10]], sampling.AT_MOST).told(StopIteration=sampling.ONCE)
    yield ({word: 1.0}, [row], end, 260), judge


@sample_sequence.case(weight=1, property="rounding: the impossible never comes")
def sample_rounding(rng: random.Random) -> Inputs:
    tokens = words(rng, 12)
    probs = {token: 0.1 for token in tokens}  # ten times 0.1 adds up to less than 1
    probs[tokens[0]] = probs[tokens[-1]] = 0.0
    rows = [[0.0], [math.nextafter(1, 0)]]

    def possible(texts: Any) -> bool:
        good = [len(text) == 1 and probs[text[0]] > 0 for text, _ in texts]
        return good == [True] * len(rows)

    judge = expect_that(possible, sampling.HAIR)
    judge = judge.told(IndexError=sampling.HAIR, StopIteration=sampling.ONCE)
    yield (lambda history: probs, rows, "no such token", 1), judge
