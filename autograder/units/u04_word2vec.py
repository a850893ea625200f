"""Hidden tests of unit 04. The truth here is computed pair by pair and word by word in plain Python."""

import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Inputs, equals, holds, near, raises

Row = list[float]
Rows = list[Row]


def table(rng: random.Random, rows: int, width: int, size: float = 1.0) -> Rows:
    """Random vectors whose lengths differ by up to a factor of ten."""
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
        mistakes = {
            "rows are tokens and columns are words; yours is the other way round.": [
                list(column) for column in zip(*rows_of_zeros(ids, size), strict=True)
            ]
        }
        hint = "row t has a single 1, in column ids[t]."
        yield (ids, size), equals(rows_of_zeros(ids, size), hint, mistakes)


@one_hot.case(weight=1, property="the first and the last word of the vocabulary, and no words")
def one_hot_edges(rng: random.Random) -> Inputs:
    size = rng.randint(3, 9)
    hint = "the last word has the place V - 1."
    yield (
        ([size - 1, 0, size - 1], size),
        equals(rows_of_zeros([size - 1, 0, size - 1], size), hint),
    )
    yield ([0], 1), equals([[1.0]], "V = 1: one column.")
    yield (
        ([], size),
        holds(
            lambda value: tuple(getattr(value, "shape", ())) == (0, size),
            "no ids: an array of shape (0, V).",
        ),
    )


@one_hot.case(weight=1, property="refuses ids that are not in the vocabulary")
def one_hot_refuses(rng: random.Random) -> Inputs:
    size = rng.randint(3, 9)
    for wrong in (size, -1, -size, size + 5):
        ids = [0, 1, wrong, 1]
        yield (ids, size), raises(ValueError, hint="an id must be from 0 to V - 1.")


# --- skipgram_pairs

skipgram_pairs = Exercise("skipgram_pairs")
WORDS = ["é", "日本", "🙂", "the", "The", "", 7, 8]


def pairs_of(tokens: Sequence[Any], window: int) -> list[tuple[Any, Any]]:
    places = range(len(tokens))
    return [(tokens[i], tokens[j]) for i in places for j in places if 0 < abs(i - j) <= window]


@skipgram_pairs.case(weight=4, property="longer texts with repeated words, window 1 to 5")
def pairs_core(rng: random.Random) -> Inputs:
    for window in (1, 2, 3, 5):
        tokens = rng.choices(rng.sample(WORDS, 5), k=rng.randint(12, 30))
        want = pairs_of(tokens, window)
        mistakes = {
            "pairs of two equal words are missing: compare places, not words.": [
                (a, b) for a, b in want if a != b
            ],
            "a pair that comes twice in the text comes twice: no set.": list(dict.fromkeys(want)),
            "the window is the distance to each side.": pairs_of(tokens, window // 2),
            "the centre comes first in each pair.": [(b, a) for a, b in want],
        }
        hint = "centres in the order of the text; for each its context from left to right."
        yield (tokens, window), equals(want, hint, mistakes)


@skipgram_pairs.case(weight=1, property="windows that reach beyond the text")
def pairs_short(rng: random.Random) -> Inputs:
    for length in (0, 1, 2, 4):
        tokens = [rng.randrange(9) for _ in range(length)]
        hint = "near the ends of the text there are fewer neighbours."
        yield (tokens, 6), equals(pairs_of(tokens, 6), hint)


@skipgram_pairs.case(weight=1, property="refuses a window below 1")
def pairs_refuses(rng: random.Random) -> Inputs:
    for window in (0, -rng.randint(1, 4)):
        yield ([1, 2, 3], window), raises(ValueError, hint="window must be at least 1.")


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
    for window in (1, 2, 4):
        ids = [rng.randrange(30) for _ in range(rng.randint(10, 25))]
        right = context_rows(ids, window)
        backwards = [row[:window][::-1] + row[window:] for row in right]
        mistakes = {
            "fill with -1: 0 is the id of a word.": [context_rows(ids, window, 0), ids],
            "the left half keeps the order of the text.": [backwards, ids],
            "the contexts come first, then the centres.": [ids, right],
        }
        hint = "row i: the words before place i, then those after it, -1 where there is none."
        yield (ids, window), equals([right, ids], hint, mistakes)


@cbow_batch.case(weight=1, property="texts that are shorter than the window")
def cbow_short(rng: random.Random) -> Inputs:
    for length in (1, 2, 3):
        ids = [rng.randrange(30) for _ in range(length)]
        hint = "each row has 2 * window columns, however short the text is."
        yield (ids, 5), equals([context_rows(ids, 5), ids], hint)

    def empty(value: Any) -> bool:
        contexts, centres = value
        return tuple(contexts.shape) == (0, 6) and tuple(centres.shape) == (0,)

    yield ([], 3), holds(empty, "no words: shapes (0, 2 * window) and (0,).")


@cbow_batch.case(weight=1, property="whole numbers; refuses a window below 1")
def cbow_refuses(rng: random.Random) -> Inputs:
    def whole(value: Any) -> bool:
        return all(np.asarray(part).dtype.kind in "iu" for part in value)

    yield ([rng.randrange(9) for _ in range(5)], 2), holds(whole, "ids are whole numbers.")
    for window in (0, -2):
        yield ([1, 2, 3], window), raises(ValueError, hint="window must be at least 1.")


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
        mistakes = {
            "the sum is over all words of the vocabulary, each with its context vector.": math.fsum(
                softmax_losses(context, centre, pairs)
            )
            / number,
            "the mean over the pairs is asked.": math.fsum(losses) if number > 1 else math.nan,
        }
        hint = "ln of the sum of exp(scores of all words), minus the score of the word that came."
        want = math.fsum(losses) / number
        yield (array(centre), array(context), pairs), near(want, 1e-9, hint, mistakes)


@softmax_skipgram_loss.case(weight=2, property="finite for scores of any size")
def softmax_large(rng: random.Random) -> Inputs:
    for size in (30.0, 1e3):
        centre, context = table(rng, 6, 4, size), table(rng, 6, 4, 5.0)
        pairs = random_pairs(rng, 6, 12)
        want = math.fsum(softmax_losses(centre, context, pairs)) / len(pairs)
        hint = "subtract the largest score of each row, and take ln of the sum, not of a share."
        yield (array(centre), array(context), pairs), near(want, 1e-9, hint)


@softmax_skipgram_loss.case(weight=1, property="float32 vectors, pairs of equal words")
def softmax_types(rng: random.Random) -> Inputs:
    centre, context = (array(table(rng, 9, 5)).astype(np.float32) for _ in range(2))
    pairs = [(i, i) for i in range(9)] * 2
    losses = softmax_losses(centre.tolist(), context.tolist(), pairs)
    hint = "a pair may hold the same word twice; each pair of the list counts."
    yield (centre, context, pairs), near(math.fsum(losses) / len(pairs), 1e-4, hint)


# --- noise_probs

noise_probs = Exercise("noise_probs")


def raised_shares(counts: Sequence[float], power: float) -> Row:
    powers = [count**power for count in counts]
    return [value / math.fsum(powers) for value in powers]


@noise_probs.case(weight=3, property="counts ** power as shares, for any power")
def noise_core(rng: random.Random) -> Inputs:
    for power in (0.75, 1.0, rng.uniform(0.2, 0.6), 2.0):
        counts = [rng.randint(1, 10 ** rng.randint(1, 5)) for _ in range(rng.randint(2, 40))]
        mistakes = {
            "use the argument `power`.": raised_shares(counts, 0.75 if power != 0.75 else 1.0)
        }
        hint = "each count to the power, over the sum of the raised counts."
        yield (counts, power), near(raised_shares(counts, power), 1e-12, hint, mistakes)


@noise_probs.case(weight=1, property="words that never came, lists and arrays, the default power")
def noise_zeros(rng: random.Random) -> Inputs:
    counts = [0, rng.randint(1, 99), 0, rng.randint(1, 99)]
    hint = "a count of 0 gives probability 0; the power is 0.75 unless another is given."
    for given in (counts, np.array(counts), np.array(counts, dtype=float)):
        yield (given,), near(raised_shares(counts, 0.75), 1e-12, hint)


@noise_probs.case(weight=1, property="refuses counts that are all 0")
def noise_refuses(rng: random.Random) -> Inputs:
    hint = "there is no distribution if nothing came."
    yield ([0] * rng.randint(1, 5),), raises(ValueError, hint=hint)


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
    """The mean loss; ``sign`` and ``averaged`` make two known mistakes."""
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
        mistakes = {
            "noise pairs should get low scores: -ln s(-score).": sampling_loss(*args, sign=1.0),
            "the two tables are swapped.": sampling_loss(context, centre, *args[2:]),
        }
        if k > 1:
            mistakes["the k noise terms are summed."] = sampling_loss(*args, averaged=True)
        hint = "-ln s(true score), plus -ln s(-score) for each noise word; the mean over the pairs."
        arrays = (array(centre), array(context), *args[2:])
        yield arrays, near(sampling_loss(*args), 1e-9, hint, mistakes)


@negative_sampling_loss.case(weight=2, property="finite for scores of any size")
def sampling_large(rng: random.Random) -> Inputs:
    for size in (50.0, 1e4):
        centre, context = table(rng, 7, 4, size), table(rng, 7, 4, 3.0)
        args = (centre, context, random_pairs(rng, 7, 10), drawn_for(rng, 7, 10, 4))
        hint = "np.logaddexp(0, -x) is -ln s(x) without overflow, for both kinds of pairs."
        yield (array(centre), array(context), *args[2:]), near(sampling_loss(*args), 1e-9, hint)


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
        yield (array(centre), array(context), pairs, negatives), near(want, 1e-9, hint)


# --- nearest

nearest = Exercise("nearest")


def ranked(vectors: Rows, index: int, measure: Any = cosine) -> list[int]:
    others = [i for i in range(len(vectors)) if i != index]
    return sorted(others, key=lambda i: -measure(vectors[i], vectors[index]))


@nearest.case(weight=4, property="the order by cosine among longer and shorter vectors")
def nearest_core(rng: random.Random) -> Inputs:
    for size, width in ((8, 2), (30, 5), (60, 20)):
        vectors, index = table(rng, size, width), rng.randrange(size)
        n = rng.randint(3, 6)
        want = ranked(vectors, index)
        mistakes = {
            "the dot product depends on the lengths: use the cosine.": ranked(vectors, index, dot)[
                :n
            ],
            "the most similar comes first.": want[::-1][:n],
            "the row itself is left out.": [index, *want[: n - 1]],
        }
        hint = "sort the rows by their cosine with row `index`, the largest first."
        yield (array(vectors), index, n), equals(want[:n], hint, mistakes)


@nearest.case(weight=1, property="n of 1, and n larger than there are rows")
def nearest_edges(rng: random.Random) -> Inputs:
    vectors = table(rng, 7, 3)
    for index, n in ((0, 1), (6, 1), (3, 6), (2, 50)):
        hint = "at most V - 1 rows can come; the last row is a row like the others."
        yield (array(vectors), index, n), equals(ranked(vectors, index)[:n], hint)


@nearest.case(weight=1, property="a row that points the same way as another comes first")
def nearest_parallel(rng: random.Random) -> Inputs:
    vectors = table(rng, 9, 4)
    vectors[5] = [7.0 * x for x in vectors[1]]
    vectors[2] = [-x for x in vectors[1]]
    hint = "a vector seven times as long has cosine 1; the opposite one has cosine -1."
    yield (array(vectors), 1, 8), equals(ranked(vectors, 1), hint)


# --- analogy

analogy = Exercise("analogy", given={"nearest": lambda vectors, index, n: ranked(
    np.asarray(vectors).tolist(), int(index))[:n]})  # fmt: skip


def answer_of(
    vectors: Rows,
    a: int,
    b: int,
    c: int,
    *,
    excluded: bool = True,
    unit: bool = True,
    backwards: bool = False,
) -> int:
    """3CosAdd; the flags make known mistakes."""
    rows = [scaled(row) for row in vectors]
    parts = rows if unit else vectors
    if backwards:
        a, b = b, a
    aim = [y - x + z for x, y, z in zip(parts[a], parts[b], parts[c], strict=True)]
    places = [i for i in range(len(rows)) if not (excluded and i in (a, b, c))]
    return max(places, key=lambda i: dot(rows[i], aim))


@analogy.case(weight=4, property="the row nearest to b - a + c, over many questions")
def analogy_core(rng: random.Random) -> Inputs:
    for size, width in ((6, 2), (25, 4), (50, 10)) * 3:
        vectors = table(rng, size, width)
        a, b, c = rng.sample(range(size), 3)
        want = answer_of(vectors, a, b, c)
        known = {
            "the three question words are excluded.": answer_of(vectors, a, b, c, excluded=False),
            "the step goes from a to b: b - a.": answer_of(vectors, a, b, c, backwards=True),
            "scale the rows to length 1 before you add them.": answer_of(
                vectors, a, b, c, unit=False
            ),
        }
        came = [want, *known.values()]
        mistakes = {hint: value for hint, value in known.items() if came.count(value) == 1}
        hint = "the largest cosine to b - a + c of unit rows, a, b and c left out."
        yield (array(vectors), a, b, c), equals(want, hint, mistakes)


@analogy.case(weight=2, property="a small step, where c itself would be nearest")
def analogy_small(rng: random.Random) -> Inputs:
    for _ in range(4):
        vectors = table(rng, 20, 6)
        vectors[1] = [x + rng.gauss(0, 0.02) for x in vectors[0]]
        (a, b), c = rng.sample([0, 1], 2), rng.randrange(2, 20)
        hint = "c is nearest to its own neighbourhood: exclude a, b and c."
        yield (array(vectors), a, b, c), equals(answer_of(vectors, a, b, c), hint)


@analogy.case(weight=1, property="only one row is left; no row is nearer than a right angle")
def analogy_edges(rng: random.Random) -> Inputs:
    vectors = table(rng, 4, 3)
    a, b, c, left = rng.sample(range(4), 4)
    yield (
        (array(vectors), a, b, c),
        equals(
            left, "with V = 4 one row is left: the excluded rows need less than any cosine, not 0."
        ),
    )
    away = [[1.0, 0.0], [1.0, 0.1], [1.0, -0.1], [-1.0, 0.3], [-1.0, -0.2], [-2.0, 0.9]]
    hint = "the best cosine may be negative: the excluded rows need less than any cosine, not 0."
    yield (array(away), 0, 1, 2), equals(answer_of(away, 0, 1, 2), hint)


# --- association_bias

association_bias = Exercise("association_bias")


def effect(x: Rows, y: Rows, a: Rows, b: Rows, *, measure: Any = cosine, lost: int = 1) -> float:
    """The effect size; ``measure`` and ``lost`` (degrees of freedom) make known mistakes."""

    def association(word: Row) -> float:
        towards = [math.fsum(measure(word, other) for other in s) / len(s) for s in (a, b)]
        return towards[0] - towards[1]

    of_x, of_y = ([association(word) for word in rows] for rows in (x, y))
    every = of_x + of_y
    mean = math.fsum(every) / len(every)
    spread = math.sqrt(math.fsum((s - mean) ** 2 for s in every) / (len(every) - lost))
    return (math.fsum(of_x) / len(x) - math.fsum(of_y) / len(y)) / spread


@association_bias.case(weight=4, property="the effect size for sets of different sizes")
def bias_core(rng: random.Random) -> Inputs:
    for sizes in ((5, 5, 3, 3), (3, 6, 4, 2), (2, 1, 1, 5)):
        sets = [table(rng, size, 4) for size in sizes]
        mistakes = {
            "n - 1 below the root: ddof=1.": effect(*sets, lost=0),
            "the dot product depends on the lengths: use cosines.": effect(*sets, measure=dot),
            "X minus Y, and A minus B: the sign is wrong.": -effect(*sets),
        }
        hint = "mean association of X minus mean of Y, over the standard deviation of all."
        yield tuple(map(array, sets)), near(effect(*sets), 1e-9, hint, mistakes)


@association_bias.case(weight=1, property="signs: swapped sets, and a set against itself")
def bias_signs(rng: random.Random) -> Inputs:
    x, y, a, b = (table(rng, size, 3) for size in (4, 3, 2, 5))
    for sets in ((y, x, a, b), (x, y, b, a), (y, x, b, a)):
        hint = "swapping X and Y, or A and B, changes the sign only."
        yield tuple(map(array, sets)), near(effect(*sets), 1e-9, hint)
    yield (
        (array(x), array(x), array(a), array(b)),
        near(0.0, 1e-9, "X against itself has no effect."),
    )


@association_bias.case(
    weight=1, property="the largest effect, and vectors of very different length"
)
def bias_extremes(rng: random.Random) -> Inputs:
    sets = [[[1.0, 0.01]], [[0.0, 3.0]], [[2.0, 0.0]], [[0.0, 0.1]]]
    yield tuple(map(array, sets)), near(effect(*sets), 1e-9, "one word in each set is enough.")
    wide = [[[1e4 * x for x in row] for row in table(rng, 4, 5)] for _ in range(4)]
    hint = "scale every row, the attributes too, to length 1."
    yield tuple(map(array, wide)), near(effect(*wide), 1e-9, hint)
