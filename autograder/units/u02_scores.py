"""Hidden tests of the exercises of unit 02 that score a text.

unit: 02_ngrams
"""

import math
import random

from autograder.exercise import Exercise, Inputs, Judge, Mistake, expect_near, expect_raises
from autograder.units.u02_counting import text
from llmcourse.checks.u02_counted import Text, best_k, bits, counted, grams, smoothed, table_of

score_text = Exercise("score_text")


def score_judge(train: Text, tokens: Text, n: int) -> Judge:
    """Return the judge of a text with the mistakes that show in it."""
    want, parts = bits(train, tokens, n), [bits(train, list(g), n) for g in grams(tokens, n)]
    finite = [part for part in parts if part < math.inf]
    if want < math.inf:
        mistakes = [
            Mistake(sum(parts), "divide the sum by the number of tokens that were scored."),
            Mistake(want * math.log(2), "use math.log2: the score is in bits."),
            Mistake(-want, "each token costs -log2 P bits: look at the sign."),
            Mistake(2**want, "return the mean number of bits, not the perplexity."),
        ]
        if n > 1:  # else T - n + 1 = T
            hint = "only the T - n + 1 tokens with a whole history are scored."
            mistakes.append(Mistake(sum(parts) / len(tokens), hint))
        hint = "the mean of -log2 P over the tokens that have n - 1 tokens before them."
        return expect_near(want, 1e-12, hint, mistakes)
    mistakes = [
        Mistake(sum(finite) / max(1, len(finite)),
                "an impossible token was left out of the mean: it makes the mean infinite."),
        Mistake(sum(finite) / len(parts),
                "an impossible token does not cost 0 bits: it makes the mean infinite."),
    ]  # fmt: skip
    hint = "one token of probability 0 makes the mean math.inf; no small number replaces the 0."
    return expect_near(want, 0, hint, mistakes)


@score_text.case(weight=4, property="the mean of the bits, infinite after one impossible token")
def score_core(rng: random.Random) -> Inputs:
    for n in (1, 2, 3, 4):
        train = text(rng, 60, 3)
        start = rng.randrange(10, 20)
        seen = train[start : start + 30]
        index = rng.randrange(n, 25)
        for tokens in (seen, [*seen[:index], "new", *seen[index:]], [*seen, "new"]):
            yield (table_of(train, n), tokens, n), score_judge(train, tokens, n)


@score_text.case(weight=1, property="an unseen history, and known tokens at new positions")
def score_new_history(rng: random.Random) -> Inputs:
    train = text(rng, 60)
    for n in (2, 3):
        for tokens in (["new", *train[:n]], [*train[3:9], "end", *train[:n]], train[::-1]):
            yield (table_of(train, n), tokens, n), score_judge(train, tokens, n)


@score_text.case(weight=1, property="texts of n tokens, and of fewer")
def score_short(rng: random.Random) -> Inputs:
    train = text(rng, 40)
    for n in (1, 2, 4):
        table = table_of(train, n)
        yield (table, train[-n:], n), score_judge(train, train[-n:], n)
        hint = "fewer than n tokens leave none to score: raise ValueError."
        yield (table, train[: n - 1], n), expect_raises(ValueError, hint)


choose_k = Exercise("choose_k", given={"ngram_counts": table_of})

CLEARLY = 0.01  # nats by which the best k beats the next: more than single precision loses
KS = [0.004 * 1.3**i for i in range(30)]  # so close that one token more or less changes the choice


def log_probs(train: Text, dev: Text, n: int, size: int) -> dict[float, float]:
    counts = counted(train, dev, n)
    return {k: sum(map(math.log, smoothed(counts, k, size))) for k in KS}


def clear_texts(rng: random.Random, n: int, size: int) -> tuple[Text, Text]:
    """Return a training and a development text with a clear best k, neither first nor last.

    Counted the other way round they have another best k than the smallest, too.
    """
    while True:
        train = [*text(rng, rng.randint(50, 70), 5), "only here"]
        dev = [*rng.choices(train[:-1], k=20), "new", *train[5:20], "end"]
        sums = log_probs(train, dev, n, size)
        k, second, *_ = sorted(KS, key=sums.__getitem__, reverse=True)
        reverse = best_k(dev, train, n, KS, size)
        if sums[k] - sums[second] > CLEARLY and KS[0] < min(k, reverse) and k < KS[-1]:
            return train, dev


@choose_k.case(weight=4, property="the best k for other texts, n = 1 to 3")
def choose_core(rng: random.Random) -> Inputs:
    for n in (1, 2, 3, 2):
        size = rng.randint(14, 40)
        train, dev = clear_texts(rng, n, size)
        sums = log_probs(train, dev, n, size)
        want, worst = (best(KS, key=sums.__getitem__) for best in (max, min))
        mistakes = [
            Mistake(min(KS),
                    "the smallest k wins on `train`, and where probabilities are added: score "
                    "`dev`, and add logarithms."),
            Mistake(worst, "that k needs the most bits: the largest sum of log2 P is the best."),
            Mistake(best_k(dev, train, n, KS, size),
                    "count `train` and score `dev`; you did the reverse."),
            Mistake(best_k(train, dev, n, KS, len(set(train))),
                    "V is `vocab_size`, not the number of different tokens in `train`."),
        ]  # fmt: skip
        first = rng.choice([k for k in KS if k not in {want, *(m.value for m in mistakes)}])
        ks = [first, *rng.sample([k for k in KS if k != first], len(KS) - 1)]
        mistakes.append(Mistake(first, "every k must be tried: you returned the first one."))
        hint = "of the given ks the one with the largest sum of log2 P over `dev`."
        yield (train, dev, n, ks, size), expect_near(want, 1e-12, hint, mistakes)


@choose_k.case(weight=1, property="one token to score: the smallest or the largest k")
def choose_one_token(rng: random.Random) -> Inputs:
    train, ks = text(rng, 60), [0.5, 0.1, 7, 2]
    for n in (1, 2, 3):
        table = table_of(train, n)
        history = rng.choice([h for h, row in table.items() if sum(row.values()) > 1])
        token = max(table[history], key=lambda w: table[history][w])
        hint = "the score of the only token with a history decides."
        yield (train, [*history, token], n, ks, 90), expect_near(0.1, 1e-12, hint)
        yield (train, [*history, "new"], n, ks, 90), expect_near(7, 1e-12, hint)


@choose_k.case(weight=1, property="one k, and whole numbers")
def choose_few(rng: random.Random) -> Inputs:
    train, dev = clear_texts(rng, 2, 20)
    hint = "with one k there is nothing to choose: return it."
    yield (train, dev, 2, [0.3], 20), expect_near(0.3, 1e-12, hint)
    hint = "return an element of `ks`."
    yield (train, dev, 2, [900, 30, 1], 20), expect_near(1, 1e-12, hint)
