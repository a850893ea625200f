"""Hidden tests of unit 04. Expected values are computed pair by pair and word by word (by the
formulas beside the visible checks), never in the solution's matrix form.

unit: 04_word2vec
"""

import random
from typing import Any

import numpy as np

from autograder.exercise import (
    Exercise,
    Inputs,
    asked,
    expect_equal,
    expect_near,
    expect_raises,
    expect_that,
)
from autograder.units.arrays import EXACT, generator
from llmcourse.checks import u04_losses as losses
from llmcourse.checks import u04_pairs as pairs
from llmcourse.checks import u04_similarity as similarity

# --- one_hot

one_hot = Exercise("one_hot")


@one_hot.case(weight=4, property="a row for each token, repeated ones too")
def one_hot_core(rng: random.Random) -> Inputs:
    for size in (2, 7, 40):
        ids = [rng.randrange(size) for _ in range(rng.randint(size + 1, 60))]
        yield asked((ids, size), pairs.one_hot_rows, pairs.ONE_A_ROW, pairs.one_hot_mistakes)


@one_hot.case(weight=1, property="the first and the last word of the vocabulary, and no words")
def one_hot_edges(rng: random.Random) -> Inputs:
    size = rng.randint(3, 9)
    args = [size - 1, 0, size - 1], size
    yield asked(args, pairs.one_hot_rows, "The last word has the id V - 1.")
    yield asked(([0], 1), pairs.one_hot_rows, "V = 1: one column.")

    def empty(value: Any) -> bool:
        return tuple(getattr(value, "shape", ())) == (0, size)

    yield ([], size), expect_that(empty, "No ids: an array of shape (0, V).")


@one_hot.case(weight=1, property="refuses ids that are not in the vocabulary")
def one_hot_refuses(rng: random.Random) -> Inputs:
    size = rng.randint(3, 9)
    for wrong in (size, -1, -size, size + 5):
        hint = "An id must be from 0 to V - 1."
        yield ([0, 1, wrong, 1], size), expect_raises(ValueError, hint)


# --- skipgram_pairs

skipgram_pairs = Exercise("skipgram_pairs")
WORDS = ["é", "日本", "🙂", "the", "The", "", 7, 8]
NO_WINDOW = "window must be at least 1."


@skipgram_pairs.case(weight=4, property="longer texts with repeated words, window 1 to 5")
def pairs_core(rng: random.Random) -> Inputs:
    for window in (2, 1, 3, 5):  # with 1 several mistakes look the same
        tokens = rng.choices(rng.sample(WORDS, 5), k=rng.randint(12, 30))
        hint = "Centres in the order of the text; for each its context from left to right."
        yield asked((tokens, window), pairs.neighbours, hint, pairs.pairs_mistakes)
    tokens = rng.choices(WORDS, k=600)  # positions beyond the ints that CPython keeps one of
    hint = "Compare positions with == or !=: `is` works for small numbers only."
    yield asked((tokens, 1), pairs.neighbours, hint)


@skipgram_pairs.case(weight=1, property="windows that reach beyond the text")
def pairs_short(rng: random.Random) -> Inputs:
    for length in (0, 1, 2, 4):
        tokens = [rng.randrange(9) for _ in range(length)]
        hint = "Near the ends of the text there are fewer neighbours."
        yield asked((tokens, 6), pairs.neighbours, hint)


@skipgram_pairs.case(weight=1, property="refuses a window below 1")
def pairs_refuses(rng: random.Random) -> Inputs:
    for window in (0, -rng.randint(1, 4)):
        yield ([1, 2, 3], window), expect_raises(ValueError, NO_WINDOW)


# --- cbow_batch

cbow_batch = Exercise("cbow_batch")


@cbow_batch.case(weight=4, property="contexts and centres of longer texts, window 1 to 4")
def cbow_core(rng: random.Random) -> Inputs:
    for window in (2, 1, 4):  # with 1 a reversed half is right
        ids = [rng.randrange(30) for _ in range(rng.randint(10, 25))]
        hint = f"{pairs.IN_ORDER} -1 where there is none."
        yield asked((ids, window), pairs.cbow, hint, pairs.cbow_mistakes)


@cbow_batch.case(weight=1, property="texts that are shorter than the window")
def cbow_short(rng: random.Random) -> Inputs:
    for length in (1, 2, 3):
        ids = [rng.randrange(30) for _ in range(length)]
        hint = "Each row has 2 * window columns, however short the text is."
        yield asked((ids, 5), pairs.cbow, hint)

    def empty(value: Any) -> bool:
        contexts, centres = value
        return tuple(contexts.shape) == (0, 6) and tuple(centres.shape) == (0,)

    yield ([], 3), expect_that(empty, "No words: shapes (0, 2 * window) and (0,).")


@cbow_batch.case(weight=1, property="whole numbers; refuses a window below 1")
def cbow_refuses(rng: random.Random) -> Inputs:
    yield ([rng.randrange(9) for _ in range(5)], 2), expect_that(pairs.whole, pairs.WHOLE)
    for window in (0, -2):
        yield ([1, 2, 3], window), expect_raises(ValueError, NO_WINDOW)


# --- softmax_skipgram_loss

softmax_skipgram_loss = Exercise("softmax_skipgram_loss")


@softmax_skipgram_loss.case(weight=4, property="the mean loss over other vectors and pairs")
def softmax_core(rng: random.Random) -> Inputs:
    for words, width, n in ((5, 3, 7), (20, 8, 40), (3, 1, 1)):
        args = losses.batch(generator(rng), words, width, n)
        yield asked(args, losses.softmax_loss, losses.SCORES, losses.softmax_mistakes, EXACT)


@softmax_skipgram_loss.case(weight=2, property="finite for scores of any size")
def softmax_large(rng: random.Random) -> Inputs:
    for size in (150.0, 5e3):
        args = losses.batch(generator(rng), 6, 4, 12, size)
        hint = f"{losses.EACH_ROW} Take ln of the sum, not of a probability."
        yield asked(args, losses.softmax_loss, hint, tolerance=EXACT)


@softmax_skipgram_loss.case(weight=1, property="float32 vectors, pairs of equal words")
def softmax_types(rng: random.Random) -> Inputs:
    centre, context, _ = losses.batch(generator(rng), 9, 5, 0)
    args = centre.astype(np.float32), context.astype(np.float32), [(i, i) for i in range(9)] * 2
    hint = "A pair may hold the same word twice; each pair of the list counts."
    yield asked(args, losses.softmax_loss, hint, tolerance=1e-4)


# --- noise_probs

noise_probs = Exercise("noise_probs")


@noise_probs.case(weight=3, property="counts ** power as probabilities, for any power")
def noise_core(rng: random.Random) -> Inputs:
    for power in (0.75, 1.0, rng.uniform(0.2, 0.6), 2.0):
        counts = [rng.randint(1, 10 ** rng.randint(1, 5)) for _ in range(rng.randint(5, 40))]
        yield asked((counts, power), losses.noise, losses.RAISED, losses.noise_mistakes, 1e-12)


@noise_probs.case(
    weight=1, property="words that never occurred, lists and arrays, the default power"
)
def noise_zeros(rng: random.Random) -> Inputs:
    counts = [0, rng.randint(1, 99), 0, rng.randint(1, 99)]
    hint = "A count of 0 gives probability 0; the power is 0.75 unless another is given."
    for given in (counts, np.array(counts), np.array(counts, dtype=float)):
        yield (given,), expect_near(losses.noise(counts), 1e-12, hint)


@noise_probs.case(weight=1, property="refuses counts that are all 0")
def noise_refuses(rng: random.Random) -> Inputs:
    hint = "There is no distribution if all counts are 0."
    yield ([0] * rng.randint(1, 5),), expect_raises(ValueError, hint)


# --- negative_sampling_loss

negative_sampling_loss = Exercise("negative_sampling_loss")


def sampled(rng: random.Random, words: int, width: int, n: int, k: int, size: float = 1.0) -> Any:
    """Return two tables, n pairs, and k noise words for each."""
    draw = generator(rng)
    return *losses.batch(draw, words, width, n, size), losses.drawn_ids(draw, words, n, k)


@negative_sampling_loss.case(weight=4, property="the mean loss for k = 1, 3 and 10")
def sampling_core(rng: random.Random) -> Inputs:
    for sizes in ((6, 3, 5, 1), (15, 6, 20, 3), (4, 2, 8, 10)):
        args = sampled(rng, *sizes)
        yield asked(args, losses.sampling_loss, losses.TERMS, losses.sampling_mistakes, EXACT)


@negative_sampling_loss.case(weight=2, property="finite for scores of any size")
def sampling_large(rng: random.Random) -> Inputs:
    for size in (150.0, 3e4):
        args = sampled(rng, 7, 4, 10, 4, size)
        yield asked(args, losses.sampling_loss, losses.STABLE, tolerance=EXACT)


@negative_sampling_loss.case(
    weight=1, property="no noise, noise equal to the context, one word drawn many times"
)
def sampling_edges(rng: random.Random) -> Inputs:
    *tables, chosen = losses.batch(generator(rng), 5, 3, 4)
    nothing: list[Any] = [[]] * 4
    for negatives in (nothing, [[c, c] for _, c in chosen], [[2] * 6] * 4):
        args = *tables, chosen, negatives
        hint = "Each id in `negatives` adds one term, whatever word it is; k may be 0."
        yield asked(args, losses.sampling_loss, hint, tolerance=EXACT)


# --- nearest

nearest = Exercise("nearest")


@nearest.case(weight=4, property="the order by cosine among longer and shorter vectors")
def nearest_core(rng: random.Random) -> Inputs:
    for size, width in ((8, 2), (30, 5), (60, 20)):
        index, n = rng.randrange(size), rng.randint(3, 6)
        while True:  # until the first five mistakes and the right answer are six lists
            args = losses.vectors(generator(rng), size, width), index, n
            want, mistakes = similarity.nearest_rows(*args), similarity.nearest_mistakes(*args)
            if len({tuple(want), *(tuple(m.value) for m in mistakes[:5])}) == 6:
                break
        yield args, expect_equal(want, similarity.BY_COSINE, mistakes)


@nearest.case(weight=1, property="n of 1, and n larger than there are rows")
def nearest_edges(rng: random.Random) -> Inputs:
    seven, eight = (losses.vectors(generator(rng), size, 3) for size in (7, 8))
    for args in (
        (seven, 0, 1), (seven, 6, 1), (seven, 3, 6), (seven, 2, 50), (eight, 7, 8), (eight, 2, 50)
    ):  # fmt: skip
        hint = "There are at most V - 1 rows to return; the last row is a row like the others."
        yield asked(args, similarity.nearest_rows, hint)


@nearest.case(weight=1, property="a row that points the same way as another comes first")
def nearest_parallel(rng: random.Random) -> Inputs:
    rows = losses.vectors(generator(rng), 9, 4)
    rows[5], rows[2] = 7.0 * rows[1], -rows[1]
    hint = "A vector seven times as long has cosine 1; the opposite one has cosine -1."
    yield asked((rows, 1, 8), similarity.nearest_rows, hint)


# --- analogy


def correct_nearest(vectors: Any, index: int, n: int) -> list[int]:
    """Answer the calls of the learner's `nearest`."""
    return similarity.nearest_rows(np.asarray(vectors, float), int(index), n)


analogy = Exercise("analogy", given={"nearest": correct_nearest})


def tells_all(rows: Any, a: int, b: int, c: int) -> bool:
    """Say whether a question tells all mistakes apart."""
    known = [mistake.hint for mistake in similarity.analogy_mistakes(rows, a, b, c)]
    slips = (similarity.answer_of(rows, a, b, c, some) for some in ((), (a,), (b,), (c,)))
    apart = known[:2] == [similarity.BACKWARDS, similarity.UNSCALED]
    return apart and similarity.NOT_ZERO not in known and {*slips} <= {a, b, c}


@analogy.case(weight=4, property="the row nearest to b - a + c, over many questions")
def analogy_core(rng: random.Random) -> Inputs:
    for number, (size, width) in enumerate(((25, 4), (50, 10), (6, 2)) * 3):
        while True:
            a, b, c = rng.sample(range(size), 3)
            args = losses.vectors(generator(rng), size, width), a, b, c
            if number or tells_all(*args):
                break
        yield asked(args, similarity.answer_of, similarity.AIM, similarity.analogy_mistakes)


@analogy.case(weight=2, property="a small step, where c itself would be nearest")
def analogy_small(rng: random.Random) -> Inputs:
    for _ in range(4):
        draw = generator(rng)
        rows, (a, b) = losses.vectors(draw, 20, 6), rng.sample([0, 1], 2)
        rows[1] = rows[0] + draw.normal(0, 0.02, 6)
        args = rows, a, b, rng.randrange(2, 20)
        yield asked(args, similarity.answer_of, similarity.SMALL_STEP)


@analogy.case(weight=1, property="only one row is left; no row is nearer than a right angle")
def analogy_edges(rng: random.Random) -> Inputs:
    a, b, c, left = rng.sample(range(4), 4)
    args = losses.vectors(generator(rng), 4, 3), a, b, c
    yield args, expect_equal(left, f"With V = 4 one row is left. {similarity.NOT_ZERO}")
    yield asked((similarity.AWAY, 0, 1, 2), similarity.answer_of, similarity.NOT_ZERO)


# --- association_bias

association_bias = Exercise("association_bias")


def four_sets(rng: random.Random, *sizes: int, width: int = 4, size: float = 1.0) -> Any:
    draw = generator(rng)
    return tuple(losses.vectors(draw, rows, width, size) for rows in sizes)


@association_bias.case(weight=4, property="the effect size for sets of different sizes")
def bias_core(rng: random.Random) -> Inputs:
    for sizes in ((3, 6, 4, 2), (5, 5, 3, 3), (2, 1, 1, 5)):
        args = four_sets(rng, *sizes)
        yield asked(args, similarity.effect, similarity.EFFECT, similarity.bias_mistakes, EXACT)


@association_bias.case(weight=1, property="signs: swapped sets, and a set against itself")
def bias_signs(rng: random.Random) -> Inputs:
    x, y, a, b = four_sets(rng, 4, 3, 2, 5, width=3)
    for args in ((y, x, a, b), (x, y, b, a), (y, x, b, a)):
        yield asked(args, similarity.effect, similarity.SIGN_ONLY, tolerance=EXACT)
    yield (x, x, a, b), expect_near(0.0, EXACT, "X against itself has no effect.")


@association_bias.case(
    weight=1, property="the largest effect, and vectors of very different length"
)
def bias_extremes(rng: random.Random) -> Inputs:
    one_each = tuple(np.array([row]) for row in ([1.0, 0.01], [0.0, 3.0], [2.0, 0.0], [0.0, 0.1]))
    yield asked(one_each, similarity.effect, "One word in each set is enough.", tolerance=EXACT)
    wide = four_sets(rng, 4, 4, 4, 4, width=5, size=1e4)
    hint = "Scale every row, the attributes too, to length 1."
    yield asked(wide, similarity.effect, hint, tolerance=EXACT)
