"""Hidden tests of unit 04. The truth here is computed pair by pair and word by word in plain Python."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.exercise import (
    Exercise,
    Inputs,
    Mistake,
    expect_equal,
    expect_near,
    expect_raises,
    expect_that,
)
from llmcourse.checks.u04_one_by_one import neighbours

Row = list[float]
Rows = list[Row]


def table(rng: random.Random, rows: int, width: int, size: float = 1.0) -> Rows:
    """Return random vectors whose lengths differ by up to a factor of ten."""
    return [
        [rng.gauss(0, size) * scale for _ in range(width)]
        for scale in (10 ** rng.uniform(-0.5, 0.5) for _ in range(rows))
    ]


def dot(one: Row, other: Row) -> float:
    return math.fsum(x * y for x, y in zip(one, other, strict=True))


def scaled(row: Row) -> Row:
    length = math.sqrt(dot(row, row))
    return [x / length for x in row]


def cosine(one: Row, other: Row) -> float:
    return dot(scaled(one), scaled(other))


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x)) if x > 0 else x - math.log1p(math.exp(x))


def array(rows: Any) -> Any:
    return np.array(rows, dtype=float)


# --- one_hot

one_hot = Exercise("one_hot")


def rows_of_zeros(ids: Sequence[int], size: int) -> Rows:
    return [[float(i == column) for column in range(size)] for i in ids]


@one_hot.case(weight=4, property="a row for each token, repeated ones too")
def one_hot_core(rng: random.Random) -> Inputs:
    for size in (2, 7, 40):
        ids = [rng.randrange(size) for _ in range(rng.randint(size + 1, 60))]
        every = [float(column in ids) for column in range(size)]
        mistakes = [
            Mistake(
                [list(column) for column in zip(*rows_of_zeros(ids, size), strict=True)],
                "rows are tokens and columns are words; yours is the other way round.",
            ),
            Mistake(
                [
                    every,
                    *([[0.0] * size] * (len(ids) - 1)),
                ],
                "each token has a row of its own; yours has all the 1s in the first.",
            ),
            Mistake(
                [every] * len(ids),
                "every row has the 1s of all ids: index row and column together.",
            ),
        ]
        hint = "row t has a single 1, in column ids[t]."
        yield (ids, size), expect_equal(rows_of_zeros(ids, size), hint, mistakes)


@one_hot.case(weight=1, property="the first and the last word of the vocabulary, and no words")
def one_hot_edges(rng: random.Random) -> Inputs:
    size = rng.randint(3, 9)
    hint = "the last word has the place V - 1."
    yield (
        ([size - 1, 0, size - 1], size),
        expect_equal(rows_of_zeros([size - 1, 0, size - 1], size), hint),
    )
    yield ([0], 1), expect_equal([[1.0]], "V = 1: one column.")
    yield (
        ([], size),
        expect_that(
            lambda value: tuple(getattr(value, "shape", ())) == (0, size),
            "no ids: an array of shape (0, V).",
        ),
    )


@one_hot.case(weight=1, property="refuses ids that are not in the vocabulary")
def one_hot_refuses(rng: random.Random) -> Inputs:
    size = rng.randint(3, 9)
    for wrong in (size, -1, -size, size + 5):
        ids = [0, 1, wrong, 1]
        yield (ids, size), expect_raises(ValueError, hint="an id must be from 0 to V - 1.")


# --- skipgram_pairs

skipgram_pairs = Exercise("skipgram_pairs")
WORDS = ["é", "日本", "🙂", "the", "The", "", 7, 8]


@skipgram_pairs.case(weight=4, property="longer texts with repeated words, window 1 to 5")
def pairs_core(rng: random.Random) -> Inputs:
    for window in (2, 1, 3, 5):  # with 1 several mistakes look the same
        tokens = rng.choices(rng.sample(WORDS, 5), k=rng.randint(12, 30))
        want = neighbours(tokens, window)
        steps = {i: range(-min(i, window), window + 1) for i in range(len(tokens))}

        def kept(
            keep: Callable[[int], bool],
            tokens: Sequence[Any] = tokens,
            steps: Mapping[int, Sequence[int]] = steps,
        ) -> list[tuple[Any, Any]]:
            return [
                (tokens[i], tokens[i + step])
                for i in range(len(tokens))
                for step in steps[i]
                if i + step < len(tokens) and keep(step)
            ]

        mistakes = [
            Mistake(
                [(a, b) for a, b in want if a != b],
                "pairs of two equal words are missing: compare places, not words.",
            ),
            Mistake(
                list(dict.fromkeys(want)),
                "a pair that comes twice in the text comes twice: no set.",
            ),
            Mistake(
                kept(lambda step: step > 0),
                "only the words to the right came: the context is on both sides.",
            ),
            Mistake(
                kept(
                    lambda step, window=window: step not in (0, window)  # type: ignore[misc]
                ),
                "the last word of the window is missing: `range` ends before its second number.",
            ),
            Mistake(kept(lambda step: True), "a place is not in its own context."),
            Mistake(
                kept(lambda step: step < 0),
                "only the words to the left came: the context is on both sides.",
            ),
            Mistake(neighbours(tokens, window // 2), "the window is the distance to each side."),
            Mistake([(b, a) for a, b in want], "the centre comes first in each pair."),
            Mistake(
                [
                    (tokens[i], tokens[i + step])
                    for i in range(len(tokens))
                    for d in range(1, window + 1)
                    for step in (-d, d)
                    if 0 <= i + step < len(tokens)
                ],
                "from left to right: the farthest word on the left comes first.",
            ),
        ]
        hint = "centres in the order of the text; for each its context from left to right."
        yield (tokens, window), expect_equal(want, hint, mistakes)
    tokens = rng.choices(WORDS, k=600)  # places beyond the numbers that CPython keeps one object of
    hint = "compare places with == or !=: `is` works for small numbers only."
    yield (tokens, 1), expect_equal(neighbours(tokens, 1), hint)


@skipgram_pairs.case(weight=1, property="windows that reach beyond the text")
def pairs_short(rng: random.Random) -> Inputs:
    for length in (0, 1, 2, 4):
        tokens = [rng.randrange(9) for _ in range(length)]
        hint = "near the ends of the text there are fewer neighbours."
        yield (tokens, 6), expect_equal(neighbours(tokens, 6), hint)


@skipgram_pairs.case(weight=1, property="refuses a window below 1")
def pairs_refuses(rng: random.Random) -> Inputs:
    for window in (0, -rng.randint(1, 4)):
        yield ([1, 2, 3], window), expect_raises(ValueError, hint="window must be at least 1.")


# --- cbow_batch

cbow_batch = Exercise("cbow_batch")


def context_rows(ids: Sequence[int], window: int, fill: int = -1) -> list[list[int]]:
    steps = [*range(-window, 0), *range(1, window + 1)]
    return [
        [ids[i + step] if 0 <= i + step < len(ids) else fill for step in steps]
        for i in range(len(ids))
    ]


@cbow_batch.case(weight=4, property="contexts and centres of longer texts, window 1 to 4")
def cbow_core(rng: random.Random) -> Inputs:
    for window in (2, 1, 4):  # with 1 a reversed half is right
        ids = [rng.randrange(30) for _ in range(rng.randint(10, 25))]
        right = context_rows(ids, window)
        backwards = [row[:window][::-1] + row[window:] for row in right]
        steps = [*range(-window, 0), *range(1, window + 1)]
        around = [[ids[(i + step) % len(ids)] for step in steps] for i in range(len(ids))]
        mistakes = [
            Mistake([context_rows(ids, window, 0), ids], "fill with -1: 0 is the id of a word."),
            Mistake([backwards, ids], "the left half is reversed: keep the order of the text."),
            Mistake(
                [
                    [sorted(row, key=lambda x: x == -1) for row in right],
                    ids,
                ],
                "fill with -1 where the neighbour is missing, not at the end of the row.",
            ),
            Mistake([around, ids], "Python's negative places wrap around: pad the text first."),
            Mistake([ids, right], "the contexts come first, then the centres."),
        ]
        hint = "row i: the words before place i, then those after it, -1 where there is none."
        yield (ids, window), expect_equal([right, ids], hint, mistakes)


@cbow_batch.case(weight=1, property="texts that are shorter than the window")
def cbow_short(rng: random.Random) -> Inputs:
    for length in (1, 2, 3):
        ids = [rng.randrange(30) for _ in range(length)]
        hint = "each row has 2 * window columns, however short the text is."
        yield (ids, 5), expect_equal([context_rows(ids, 5), ids], hint)

    def empty(value: Any) -> bool:
        contexts, centres = value
        return tuple(contexts.shape) == (0, 6) and tuple(centres.shape) == (0,)

    yield ([], 3), expect_that(empty, "no words: shapes (0, 2 * window) and (0,).")


@cbow_batch.case(weight=1, property="whole numbers; refuses a window below 1")
def cbow_refuses(rng: random.Random) -> Inputs:
    def whole(value: Any) -> bool:
        return all(np.asarray(part).dtype.kind in "iu" for part in value)

    yield ([rng.randrange(9) for _ in range(5)], 2), expect_that(whole, "ids are whole numbers.")
    for window in (0, -2):
        yield ([1, 2, 3], window), expect_raises(ValueError, hint="window must be at least 1.")


# --- softmax_skipgram_loss

softmax_skipgram_loss = Exercise("softmax_skipgram_loss")


def softmax_losses(centre: Rows, context: Rows, pairs: Sequence[tuple[int, int]]) -> list[float]:
    losses = []
    for w, c in pairs:
        scores = [dot(centre[w], row) for row in context]
        top = max(scores)
        losses.append(top + math.log(math.fsum(math.exp(s - top) for s in scores)) - scores[c])
    return losses


def random_pairs(rng: random.Random, size: int, number: int) -> list[tuple[int, int]]:
    return [(rng.randrange(size), rng.randrange(size)) for _ in range(number)]


@softmax_skipgram_loss.case(weight=4, property="the mean loss over other vectors and pairs")
def softmax_core(rng: random.Random) -> Inputs:
    for size, width, number in ((5, 3, 7), (20, 8, 40), (3, 1, 1)):
        centre, context = table(rng, size, width), table(rng, size, width)
        pairs = random_pairs(rng, size, number)
        losses = softmax_losses(centre, context, pairs)
        want = math.fsum(losses) / number
        mistakes = [
            Mistake(
                math.fsum(softmax_losses(context, centre, pairs)) / number,
                "the two tables are swapped: the first word of a pair is the centre.",
            ),
            Mistake(
                math.fsum(softmax_losses(centre, centre, pairs)) / number,
                "you used one table for both words: the context word's vector is in context_vectors.",
            ),
            Mistake(
                math.fsum(softmax_losses(context, context, pairs)) / number,
                "you used one table for both words: the centre's vector is in centre_vectors.",
            ),
            Mistake(math.fsum(losses), "that is the sum over the pairs: return the mean."),
            Mistake(
                math.fsum(softmax_losses(context, centre, [(c, w) for w, c in pairs])) / number,
                "the sum is over all context words; the centre stays.",
            ),
            Mistake(-want, "the sign is wrong: the loss is minus the logarithm."),
            Mistake(want / math.log(2), "that is in bits: use the natural logarithm."),
            Mistake(
                math.fsum(math.exp(-loss) for loss in losses) / number,
                "that is the mean probability: take minus the logarithm of each first.",
            ),
        ]
        hint = "ln of the sum of exp(scores of all words), minus the score of the word that came."
        yield (array(centre), array(context), pairs), expect_near(want, 1e-9, hint, mistakes)


@softmax_skipgram_loss.case(weight=2, property="finite for scores of any size")
def softmax_large(rng: random.Random) -> Inputs:
    for size in (30.0, 1e3):
        centre, context = table(rng, 6, 4, size), table(rng, 6, 4, 5.0)
        pairs = random_pairs(rng, 6, 12)
        want = math.fsum(softmax_losses(centre, context, pairs)) / len(pairs)
        hint = "subtract the largest score of each row, and take ln of the sum, not of a share."
        yield (array(centre), array(context), pairs), expect_near(want, 1e-9, hint)


@softmax_skipgram_loss.case(weight=1, property="float32 vectors, pairs of equal words")
def softmax_types(rng: random.Random) -> Inputs:
    centre, context = (array(table(rng, 9, 5)).astype(np.float32) for _ in range(2))
    pairs = [(i, i) for i in range(9)] * 2
    losses = softmax_losses(centre.tolist(), context.tolist(), pairs)
    hint = "a pair may hold the same word twice; each pair of the list counts."
    yield (centre, context, pairs), expect_near(math.fsum(losses) / len(pairs), 1e-4, hint)


# --- noise_probs

noise_probs = Exercise("noise_probs")


def raised_shares(counts: Sequence[float], power: float) -> Row:
    powers = [count**power for count in counts]
    return [value / math.fsum(powers) for value in powers]


@noise_probs.case(weight=3, property="counts ** power as shares, for any power")
def noise_core(rng: random.Random) -> Inputs:
    for power in (0.75, 1.0, rng.uniform(0.2, 0.6), 2.0):
        counts = [rng.randint(1, 10 ** rng.randint(1, 5)) for _ in range(rng.randint(5, 40))]
        total, raised = sum(counts), [count**power for count in counts]
        mistakes = [
            Mistake(raised_shares(counts, 1.0), "raise the counts to the power first."),
            Mistake(
                [(count / total) ** power for count in counts],
                "first the power, then the division: these do not sum to 1.",
            ),
            Mistake([value / total for value in raised], "divide by the sum of the raised counts."),
            Mistake(raised, "they should sum to 1: divide by the sum of the raised counts."),
            Mistake(raised_shares(counts, 0.75), "use the argument `power`."),
        ]
        hint = "each count to the power, over the sum of the raised counts."
        yield (counts, power), expect_near(raised_shares(counts, power), 1e-12, hint, mistakes)


@noise_probs.case(weight=1, property="words that never came, lists and arrays, the default power")
def noise_zeros(rng: random.Random) -> Inputs:
    counts = [0, rng.randint(1, 99), 0, rng.randint(1, 99)]
    hint = "a count of 0 gives probability 0; the power is 0.75 unless another is given."
    for given in (counts, np.array(counts), np.array(counts, dtype=float)):
        yield (given,), expect_near(raised_shares(counts, 0.75), 1e-12, hint)


@noise_probs.case(weight=1, property="refuses counts that are all 0")
def noise_refuses(rng: random.Random) -> Inputs:
    hint = "there is no distribution if nothing came."
    yield ([0] * rng.randint(1, 5),), expect_raises(ValueError, hint=hint)


# --- negative_sampling_loss

negative_sampling_loss = Exercise("negative_sampling_loss")


def sampling_loss(
    centre: Rows,
    context: Rows,
    pairs: Sequence[tuple[int, int]],
    negatives: Sequence[Sequence[int]],
    *,
    sign: float = -1.0,
    averaged: bool = False,
) -> float:
    """Return the mean loss; `sign` and `averaged` make two known mistakes."""
    losses = []
    for (w, c), drawn in zip(pairs, negatives, strict=True):
        noise = [-log_sigmoid(sign * dot(centre[w], context[n])) for n in drawn]
        share = len(noise) if averaged and noise else 1
        losses.append(-log_sigmoid(dot(centre[w], context[c])) + math.fsum(noise) / share)
    return math.fsum(losses) / len(losses)


def drawn_for(rng: random.Random, size: int, number: int, k: int) -> list[list[int]]:
    return [[rng.randrange(size) for _ in range(k)] for _ in range(number)]


@negative_sampling_loss.case(weight=4, property="the mean loss for k = 1, 3 and 10")
def sampling_core(rng: random.Random) -> Inputs:
    for size, width, number, k in ((6, 3, 5, 1), (15, 6, 20, 3), (4, 2, 8, 10)):
        centre, context = table(rng, size, width), table(rng, size, width)
        args = (centre, context, random_pairs(rng, size, number), drawn_for(rng, size, number, k))
        want, true = sampling_loss(*args), sampling_loss(*args[:3], [[] for _ in range(number)])
        mistakes = [
            Mistake(
                sampling_loss(*args, sign=1.0),
                "a noise pair should get a low score: its term is -ln s(-score).",
            ),
            Mistake(sampling_loss(context, centre, *args[2:]), "the two tables are swapped."),
            Mistake(
                true
                + math.fsum(
                    -log_sigmoid(-dot(centre[n], context[c]))
                    for (_, c), drawn in zip(*args[2:], strict=True)
                    for n in drawn
                )
                / number,
                "a noise word takes the context's place: its vector is in context_vectors.",
            ),
            Mistake(true, "the noise terms are missing."),
            Mistake(
                sampling_loss(*args, averaged=True),
                "the noise terms of a pair are summed, not averaged.",
            ),
            Mistake(
                sampling_loss(*args[:3], [list(set(drawn)) for drawn in args[3]]),
                "a noise word that was drawn twice counts twice.",
            ),
            Mistake(number * want, "that is the sum over the pairs: return the mean."),
            Mistake(-want, "the sign is wrong: the loss is minus the logarithms."),
            Mistake(2 * true - want, "the noise terms are added to the loss, not taken off."),
        ]
        hint = "-ln s(true score), plus -ln s(-score) for each noise word; the mean over the pairs."
        arrays = (array(centre), array(context), *args[2:])
        yield arrays, expect_near(want, 1e-9, hint, mistakes)


@negative_sampling_loss.case(weight=2, property="finite for scores of any size")
def sampling_large(rng: random.Random) -> Inputs:
    for size in (50.0, 1e4):
        centre, context = table(rng, 7, 4, size), table(rng, 7, 4, 3.0)
        args = (centre, context, random_pairs(rng, 7, 10), drawn_for(rng, 7, 10, 4))
        hint = "np.logaddexp(0, -x) is -ln s(x) without overflow, for both kinds of pairs."
        yield (
            (array(centre), array(context), *args[2:]),
            expect_near(sampling_loss(*args), 1e-9, hint),
        )


@negative_sampling_loss.case(
    weight=1, property="no noise, noise equal to the context, one word drawn many times"
)
def sampling_edges(rng: random.Random) -> Inputs:
    centre, context = table(rng, 5, 3), table(rng, 5, 3)
    pairs = random_pairs(rng, 5, 4)
    nothing: list[list[int]] = [[] for _ in pairs]
    for negatives in (nothing, [[c, c] for _, c in pairs], [[2] * 6] * 4):
        want = sampling_loss(centre, context, pairs, negatives)
        hint = "each id in `negatives` adds one term, whatever word it is; k may be 0."
        yield (array(centre), array(context), pairs, negatives), expect_near(want, 1e-9, hint)


# --- nearest

nearest = Exercise("nearest")


def ranked(vectors: Rows, index: int, measure: Any = cosine) -> list[int]:
    others = [i for i in range(len(vectors)) if i != index]
    return sorted(others, key=lambda i: -measure(vectors[i], vectors[index]))


def closeness(one: Row, other: Row) -> float:
    return -math.dist(one, other)


@nearest.case(weight=4, property="the order by cosine among longer and shorter vectors")
def nearest_core(rng: random.Random) -> Inputs:
    for size, width in ((8, 2), (30, 5), (60, 20)):
        index, n = rng.randrange(size), rng.randint(3, 6)
        while True:  # until the mistakes lead to different ids
            vectors = table(rng, size, width)
            want = ranked(vectors, index)
            mistakes = [
                Mistake(
                    ranked(vectors, index, dot)[:n],
                    "those have the largest dot products: divide by the lengths of both vectors.",
                ),
                Mistake(
                    ranked(vectors, index, closeness)[:n],
                    "those are nearest by distance: similarity is the cosine.",
                ),
                Mistake(
                    want[::-1][:n],
                    "those are the least similar: sort from the largest cosine down.",
                ),
                Mistake(want[:n][::-1], "the most similar comes first."),
                Mistake(
                    [index, *want[: n - 1]], "the row itself is always the nearest: leave it out."
                ),
            ]
            if len({tuple(want[:n]), *(tuple(m.value) for m in mistakes)}) > len(mistakes):
                break
        cosines: Row = [cosine(vectors[i], vectors[index]) for i in want[:n]]
        by_cosine = "sort the rows by their cosine with row `index`, the largest first."
        shifted = [i - (i > index) for i in want[:n]]
        hint = "you removed the row before sorting: ids are the places in `vectors`."
        mistakes.append(Mistake(shifted, hint))
        mistakes.append(Mistake(cosines, "return the ids, not the cosines."))
        yield (array(vectors), index, n), expect_equal(want[:n], by_cosine, mistakes)


@nearest.case(weight=1, property="n of 1, and n larger than there are rows")
def nearest_edges(rng: random.Random) -> Inputs:
    seven, eight = table(rng, 7, 3), table(rng, 8, 3)
    for vectors, index, n in (
        (seven, 0, 1), (seven, 6, 1), (seven, 3, 6), (seven, 2, 50), (eight, 7, 8), (eight, 2, 50)
    ):  # fmt: skip
        hint = "at most V - 1 rows can come; the last row is a row like the others."
        yield (array(vectors), index, n), expect_equal(ranked(vectors, index)[:n], hint)


@nearest.case(weight=1, property="a row that points the same way as another comes first")
def nearest_parallel(rng: random.Random) -> Inputs:
    vectors = table(rng, 9, 4)
    vectors[5] = [7.0 * x for x in vectors[1]]
    vectors[2] = [-x for x in vectors[1]]
    hint = "a vector seven times as long has cosine 1; the opposite one has cosine -1."
    yield (array(vectors), 1, 8), expect_equal(ranked(vectors, 1), hint)


# --- analogy

analogy = Exercise("analogy", given={"nearest": lambda vectors, index, n: ranked(
    np.asarray(vectors).tolist(), int(index))[:n]})  # fmt: skip


def answer_of(
    vectors: Rows,
    a: int,
    b: int,
    c: int,
    *,
    excluded: bool | Sequence[int] = True,
    unit: bool = True,
    backwards: bool = False,
) -> int:
    """Answer by 3CosAdd; the flags make known mistakes, and so does leaving out other rows."""
    rows = [scaled(row) for row in vectors]
    parts = rows if unit else vectors
    if backwards:
        a, b = b, a
    aim = [y - x + z for x, y, z in zip(parts[a], parts[b], parts[c], strict=True)]
    if isinstance(excluded, bool):
        excluded = (a, b, c) if excluded else ()
    places = [i for i in range(len(rows)) if i not in excluded]
    return max(places, key=lambda i: dot(rows[i], aim))


NOT_ZERO = "the best cosine may be negative: the excluded rows need less than any cosine, not 0."


def best_cosine(vectors: Rows, a: int, b: int, c: int, best: int) -> float:
    """Return the cosine of a row with the aim of a question, but for the length of the aim."""
    return dot(
        scaled(vectors[best]),
        [y - x + z for x, y, z in zip(*(scaled(vectors[i]) for i in (a, b, c)), strict=True)],
    )


@analogy.case(weight=4, property="the row nearest to b - a + c, over many questions")
def analogy_core(rng: random.Random) -> Inputs:
    for number, (size, width) in enumerate(((25, 4), (50, 10), (6, 2)) * 3):
        while True:
            vectors = table(rng, size, width)
            a, b, c = rng.sample(range(size), 3)
            want = answer_of(vectors, a, b, c)
            known = [
                Mistake(
                    answer_of(vectors, a, b, c, backwards=True),
                    "you computed a - b + c: the step goes from a to b.",
                ),
                Mistake(
                    answer_of(vectors, a, b, c, unit=False),
                    "scale all rows to length 1 before you add.",
                ),
            ]
            came = [want, *(mistake.value for mistake in known)]
            slips = (answer_of(vectors, a, b, c, excluded=some) for some in ((), (a,), (b,), (c,)))
            telling = len(set(came)) == len(came) and all(slip in (a, b, c) for slip in slips)
            if number or (telling and best_cosine(vectors, a, b, c, want) > 0):
                break  # the first question tells all mistakes apart
        mistakes = [mistake for mistake in known if came.count(mistake.value) == 1]
        if best_cosine(vectors, a, b, c, want) < 0:
            mistakes.append(Mistake(min(a, b, c), NOT_ZERO))
        for name, place in zip("abc", (a, b, c), strict=True):
            hint = f"a question word came, row {name}: exclude a, b and c."
            mistakes.append(Mistake(place, hint))
        hint = "the largest cosine to b - a + c of unit rows, a, b and c left out."
        yield (array(vectors), a, b, c), expect_equal(want, hint, mistakes)


@analogy.case(weight=2, property="a small step, where c itself would be nearest")
def analogy_small(rng: random.Random) -> Inputs:
    for _ in range(4):
        vectors = table(rng, 20, 6)
        vectors[1] = [x + rng.gauss(0, 0.02) for x in vectors[0]]
        (a, b), c = rng.sample([0, 1], 2), rng.randrange(2, 20)
        hint = "c is nearest to its own neighbourhood: exclude a, b and c."
        yield (array(vectors), a, b, c), expect_equal(answer_of(vectors, a, b, c), hint)


@analogy.case(weight=1, property="only one row is left; no row is nearer than a right angle")
def analogy_edges(rng: random.Random) -> Inputs:
    vectors = table(rng, 4, 3)
    a, b, c, left = rng.sample(range(4), 4)
    yield (
        (array(vectors), a, b, c),
        expect_equal(
            left, "with V = 4 one row is left: the excluded rows need less than any cosine, not 0."
        ),
    )
    away = [[1.0, 0.0], [1.0, 0.1], [1.0, -0.1], [-1.0, 0.3], [-1.0, -0.2], [-2.0, 0.9]]
    yield (array(away), 0, 1, 2), expect_equal(answer_of(away, 0, 1, 2), NOT_ZERO)


# --- association_bias

association_bias = Exercise("association_bias")


def associated(x: Rows, y: Rows, a: Rows, b: Rows, measure: Any = cosine) -> tuple[Row, Row]:
    """Return the associations of the words of X and of those of Y."""

    def association(word: Row) -> float:
        towards = [math.fsum(measure(word, other) for other in s) / len(s) for s in (a, b)]
        return towards[0] - towards[1]

    return [association(word) for word in x], [association(word) for word in y]


def effect(x: Rows, y: Rows, a: Rows, b: Rows, *, measure: Any = cosine, lost: int = 1) -> float:
    """Return the effect size; `measure` and `lost` (degrees of freedom) make known mistakes."""
    of_x, of_y = associated(x, y, a, b, measure)
    return gap(of_x, of_y) / spread([*of_x, *of_y], lost)


def gap(of_x: Row, of_y: Row) -> float:
    return math.fsum(of_x) / len(of_x) - math.fsum(of_y) / len(of_y)


def spread(values: Row, lost: int = 1) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((s - mean) ** 2 for s in values) / (len(values) - lost))


@association_bias.case(weight=4, property="the effect size for sets of different sizes")
def bias_core(rng: random.Random) -> Inputs:
    for sizes in ((3, 6, 4, 2), (5, 5, 3, 3), (2, 1, 1, 5)):
        sets = [table(rng, size, 4) for size in sizes]
        of_x, of_y = associated(*sets)
        difference, deviation = gap(of_x, of_y), spread([*of_x, *of_y])
        mistakes = [
            Mistake(
                effect(*sets, lost=0), "the standard deviation has n - 1 below the root: ddof=1."
            ),
            Mistake(
                effect(*sets, measure=dot), "use cosines: the dot product depends on the lengths."
            ),
            Mistake(-effect(*sets), "the sign is wrong: X minus Y, and A minus B."),
            Mistake(
                difference,
                "divide by the standard deviation of the associations of X and Y together.",
            ),
            Mistake(
                difference / deviation**2, "you divided by the variance: take its square root."
            ),
            Mistake(
                effect(
                    *sets[:2],
                    *([[math.fsum(c) / len(s) for c in zip(*s, strict=True)]] for s in sets[2:]),
                ),
                "the mean of the cosines, not the cosine with the mean of the attributes.",
            ),
            Mistake(
                (math.fsum(of_x) - math.fsum(of_y)) / deviation,
                "take the mean over X and over Y: they may differ in size.",
            ),
        ]
        if min(sizes[:2]) > 1:
            hint = "one standard deviation over the words of X and Y together."
            mistakes.append(Mistake(difference * 2 / (spread(of_x) + spread(of_y)), hint))
        hint = "mean association of X minus mean of Y, over the standard deviation of all."
        yield tuple(map(array, sets)), expect_near(effect(*sets), 1e-9, hint, mistakes)


@association_bias.case(weight=1, property="signs: swapped sets, and a set against itself")
def bias_signs(rng: random.Random) -> Inputs:
    x, y, a, b = (table(rng, size, 3) for size in (4, 3, 2, 5))
    for sets in ((y, x, a, b), (x, y, b, a), (y, x, b, a)):
        hint = "swapping X and Y, or A and B, changes the sign only."
        yield tuple(map(array, sets)), expect_near(effect(*sets), 1e-9, hint)
    yield (
        (array(x), array(x), array(a), array(b)),
        expect_near(0.0, 1e-9, "X against itself has no effect."),
    )


@association_bias.case(
    weight=1, property="the largest effect, and vectors of very different length"
)
def bias_extremes(rng: random.Random) -> Inputs:
    sets = [[[1.0, 0.01]], [[0.0, 3.0]], [[2.0, 0.0]], [[0.0, 0.1]]]
    yield (
        tuple(map(array, sets)),
        expect_near(effect(*sets), 1e-9, "one word in each set is enough."),
    )
    wide = [[[1e4 * x for x in row] for row in table(rng, 4, 5)] for _ in range(4)]
    hint = "scale every row, the attributes too, to length 1."
    yield tuple(map(array, wide)), expect_near(effect(*wide), 1e-9, hint)
