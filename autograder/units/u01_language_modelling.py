"""Hidden tests of unit 01. Expected values come from `math.fsum`, fractions and counting."""

import math
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from autograder.exercise import (
    Exercise,
    Inputs,
    Mistake,
    expect_equal,
    expect_near,
    expect_raises,
    expect_that,
)

LN2 = math.log(2)


def words(rng: random.Random, size: int) -> list[str]:
    return rng.sample([a + b + c for a in "bdfkl" for b in "aeiou" for c in "mnrst"], size)


def distribution(rng: random.Random, tokens: list[str]) -> dict[str, float]:
    weights = [rng.uniform(0.05, 1) for _ in tokens]
    return {token: w / sum(weights) for token, w in zip(tokens, weights, strict=True)}


# --- chain_log_prob

chain_log_prob = Exercise("chain_log_prob")
UNDERFLOW = "multiplying hundreds of probabilities underflows to 0: take logs first, then add."
LOG_OF_ZERO = "math.log(0) raises: a token of probability 0 makes the text's log-probability -inf."


def history_model(rng: random.Random, low: float, high: float) -> Callable[[Any, Any], float]:
    """Return a probability for each (history, token), the same each time it is asked."""
    salt = rng.random()

    def next_prob(history: Any, token: Any) -> float:
        return random.Random(f"{salt} {list(history)} {token}").uniform(low, high)

    return next_prob


@chain_log_prob.case(weight=3, property="the sum over tokens, each after all tokens before it")
def _chain_core(rng: random.Random) -> Inputs:
    for length in (3, 7, 12):
        vocabulary = words(rng, 4)
        tokens = [rng.choice(vocabulary) for _ in range(length)]
        p = history_model(rng, 0.1, 0.9)
        logs = [math.log(p(tokens[:t], tokens[t])) for t in range(length)]
        one_back = [math.log(p(tokens[max(0, t - 1) : t], tokens[t])) for t in range(length)]
        itself = [math.log(p(tokens[: t + 1], tokens[t])) for t in range(length)]
        mistakes = [
            Mistake(math.fsum(logs) / LN2, "use the natural logarithm, not base 2."),
            Mistake(math.fsum(logs) / math.log(10), "use the natural logarithm, not base 10."),
            Mistake(
                math.exp(math.fsum(logs)), "that is a probability: return its natural logarithm."
            ),
            Mistake(math.prod(logs), "you multiplied logarithms: the log of a product is a sum."),
            Mistake(math.fsum(logs[1:]), "the first token counts too: its history is empty."),
            Mistake(
                math.fsum(one_back), "the history is all tokens before, not only the last one."
            ),
            Mistake(math.fsum(itself), "a token does not belong to its own history."),
            Mistake(math.fsum(logs) / length, "that is a mean: add up, do not divide."),
        ]
        hint = "add log P(token | all tokens before it) over all tokens."
        yield (tokens, p), expect_near(math.fsum(logs), 1e-9, hint, mistakes)


@chain_log_prob.case(weight=2, property="long texts do not underflow")
def _chain_long(rng: random.Random) -> Inputs:
    tokens = [rng.randrange(50) for _ in range(60)]
    p = history_model(rng, 1e-8, 1e-6)
    want = math.fsum(math.log(p(tokens[:t], tokens[t])) for t in range(60))
    judge = expect_near(
        want, 1e-9, "add the logs of all tokens.", mistakes=[Mistake(-math.inf, UNDERFLOW)]
    )
    yield (tokens, p), judge.told(ValueError=UNDERFLOW)


@chain_log_prob.case(weight=1, property="impossible texts")
def _chain_zero(rng: random.Random) -> Inputs:
    tokens = words(rng, 5)
    judge = expect_near(-math.inf, 0.0, LOG_OF_ZERO).told(ValueError=LOG_OF_ZERO)
    for never in (tokens[0], tokens[4]):
        yield (tokens, lambda history, token, never=never: 0.5 * (token != never)), judge


@chain_log_prob.case(weight=1, property="the text of no tokens")
def _chain_empty(rng: random.Random) -> Inputs:
    yield (
        ([], history_model(rng, 0.1, 0.9)),
        expect_near(0.0, 0.0, "an empty product is 1, its log is 0."),
    )


# --- perplexity and bits_per_token

perplexity = Exercise("perplexity")
bits_per_token = Exercise("bits_per_token")
PRODUCT = "the product of many probabilities is 0 in floating point: average the logs."
INFINITE = "one token of probability 0 (log-probability -inf) makes the result inf."


def log_probs(rng: random.Random, length: int) -> list[float]:
    return [math.log(rng.uniform(0.02, 1)) for _ in range(length)]


@perplexity.case(weight=3, property="the exact value on random texts")
def _perplexity_core(rng: random.Random) -> Inputs:
    for length in (2, 5, 40):
        logs = log_probs(rng, length)
        mean = math.fsum(logs) / length
        mistakes = [
            Mistake(
                length / math.fsum(map(math.exp, logs)), "average the logs, not the probabilities."
            ),
            Mistake(math.exp(-math.fsum(logs)), "divide by the number of tokens."),
            Mistake(math.exp(mean), "the sign: perplexity is at least 1."),
            Mistake(2**-mean, "the logs are natural: undo them with exp, not with 2 ** x."),
            Mistake(-mean, "that is the mean log-probability: raise e to minus it."),
            Mistake(math.exp(-mean / LN2), "no conversion to bits before exp."),
        ]
        yield (logs,), expect_near(math.exp(-mean), 1e-9, "exp of minus the mean.", mistakes)


@bits_per_token.case(weight=3, property="the exact value on random texts")
def _bits_core(rng: random.Random) -> Inputs:
    for length in (3, 7, 50):
        logs = log_probs(rng, length)
        nats, mean_p = -math.fsum(logs) / length, math.fsum(map(math.exp, logs)) / length
        mistakes = [
            Mistake(nats, "that is in nats: divide by ln 2."),
            Mistake(nats * LN2, "divide by ln 2, do not multiply."),
            Mistake(-nats / LN2, "the sign: surprise is never negative."),
            Mistake(nats * length / LN2, "divide by the number of tokens."),
            Mistake(math.exp(nats), "that is the perplexity: take its log, base 2."),
            Mistake(-math.log2(mean_p), "average the logs, not the probabilities."),
        ]
        yield (logs,), expect_near(nats / LN2, 1e-9, "minus the mean, divided by ln 2.", mistakes)


for exercise, in_unit, weight in (
    (perplexity, math.exp, 2),
    (bits_per_token, lambda x: x / LN2, 1),
):

    @exercise.case(weight, property="long texts do not underflow")
    def _long(rng: random.Random, in_unit: Callable[[float], float] = in_unit) -> Inputs:
        logs = log_probs(rng, 5_000)
        judge = expect_near(
            in_unit(-math.fsum(logs) / 5_000), 1e-9, PRODUCT, [Mistake(math.inf, PRODUCT)]
        )
        kinds = ("ZeroDivisionError", "OverflowError", "ValueError")
        yield (logs,), judge.told(**dict.fromkeys(kinds, PRODUCT))

    @exercise.case(weight=1, property="impossible tokens")
    def _infinite(rng: random.Random) -> Inputs:
        judge = expect_near(math.inf, 0.0, INFINITE).told(ValueError=INFINITE)
        yield ([*log_probs(rng, 3), -math.inf, *log_probs(rng, 3)],), judge

    @exercise.case(weight=1, property="refuses a text of no tokens")
    def _no_tokens(rng: random.Random) -> Inputs:
        yield ([],), expect_raises(ValueError, "a text of no tokens has no mean: raise ValueError.")


# --- unigram_probs

unigram_probs = Exercise("unigram_probs")


def counted(tokens: list[Any], vocabulary: list[Any], epsilon: float) -> dict[Any, float]:
    e = Fraction(epsilon)
    total = len(tokens) + e * len(vocabulary)
    return {token: float((tokens.count(token) + e) / total) for token in vocabulary}


@unigram_probs.case(weight=3, property="exact values with an epsilon")
def _unigram_core(rng: random.Random) -> Inputs:
    for epsilon in (0.25, 1.0, 3.0):
        vocabulary = words(rng, 7)
        tokens = [rng.choice(vocabulary[:5]) for _ in range(20)]
        want = counted(tokens, vocabulary, epsilon)
        unseen = {t: tokens.count(t) or epsilon for t in vocabulary}

        def over(
            total: float, want: dict[str, float] = want, e: float = epsilon
        ) -> dict[str, float]:
            return {t: p * (20 + 7 * e) / total for t, p in want.items()}

        mistakes = [
            Mistake(over(20), "the values sum to more than 1: the total grew by V epsilons too."),
            Mistake(
                over(20 + epsilon), "the total grew by epsilon for each of the V words, not once."
            ),
            Mistake(over(27), "the total grows by epsilon times V, not by V."),
            Mistake(
                {t: value / sum(unseen.values()) for t, value in unseen.items()},
                "epsilon goes to every word, not only to unseen ones.",
            ),
            Mistake({t: want[t] for t in set(tokens)}, "unseen words get a probability too."),
        ]
        hint = "(count + epsilon) / (N + epsilon * V) for every word of the vocabulary."
        yield (tokens, vocabulary, epsilon), expect_near(want, 1e-9, hint, mistakes)


@unigram_probs.case(weight=1, property="epsilon 0 gives relative frequencies")
def _unigram_mle(rng: random.Random) -> Inputs:
    tokens = [rng.randrange(6) for _ in range(30)]
    vocabulary = list(range(8))
    want = counted(tokens, vocabulary, 0.0)
    yield (tokens, vocabulary, 0.0), expect_near(want, 1e-9, "count / N, and 0 for unseen words.")


@unigram_probs.case(weight=1, property="long texts and large vocabularies")
def _unigram_large(rng: random.Random) -> Inputs:
    vocabulary = [f"w{i}" for i in range(600)]
    tokens = [vocabulary[int(rng.random() ** 3 * 500)] for _ in range(3_000)]
    want = counted(tokens, vocabulary, 1e-4)
    yield (
        (tokens, vocabulary, 1e-4),
        expect_near(want, 1e-12, "no rounding, and epsilon as it is given."),
    )


@unigram_probs.case(weight=1, property="refuses unknown tokens, and nothing to divide by")
def _unigram_refuses(rng: random.Random) -> Inputs:
    vocabulary = words(rng, 4)
    stranger = "a token outside the vocabulary: raise ValueError."
    yield ([*vocabulary, "qqq"], vocabulary, 0.5), expect_raises(ValueError, stranger)
    hint = "no tokens and epsilon 0: there is nothing to divide by; raise ValueError."
    yield ([], vocabulary, 0.0), expect_raises(ValueError, hint)


# --- cross_entropy

cross_entropy = Exercise("cross_entropy")
CANNOT_COME = "a token with truth 0 costs nothing, also where the model has no entry for it."
SURPRISE = "a token that can come but has probability 0 in the model, or no entry, makes it inf."


def bits(truth: dict[str, float], model: dict[str, float]) -> float:
    return -math.fsum(p * math.log2(model[token]) for token, p in truth.items())


@cross_entropy.case(weight=3, property="the exact value for random distributions")
def _cross_core(rng: random.Random) -> Inputs:
    for size in (3, 6):
        tokens = words(rng, size)
        truth, model = distribution(rng, tokens), distribution(rng, tokens[::-1])
        paired = dict(zip(tokens, model.values(), strict=True))
        flat = dict.fromkeys(tokens, 1 / size)
        mistakes = [
            Mistake(bits(model, truth), "the arguments are swapped: the truth weighs."),
            Mistake(bits(truth, model) * LN2, "that is in nats: use log base 2."),
            Mistake(
                bits(truth, truth), "that is the entropy of the truth: the model stands in the log."
            ),
            Mistake(bits(model, model), "that is the entropy of the model: the truth weighs."),
            Mistake(-bits(truth, model), "the sign: minus the sum."),
            Mistake(bits(truth, model) - bits(truth, truth), "do not subtract the entropy."),
            Mistake(bits(truth, paired), "pair the two by token, not by position."),
            Mistake(bits(flat, model), "weigh each token with its true probability."),
        ]
        hint = "minus the sum of truth[token] * log2(model[token])."
        yield (truth, model), expect_near(bits(truth, model), 1e-9, hint, mistakes)


@cross_entropy.case(weight=1, property="what cannot come costs nothing")
def _cross_zero_truth(rng: random.Random) -> Inputs:
    a, b, c = words(rng, 3)
    truth = {a: 0.0, b: 0.25, c: 0.75}
    judge = expect_near(bits({b: 0.25, c: 0.75}, {b: 0.5, c: 0.25}), 1e-9, CANNOT_COME)
    for model in ({a: 0.25, b: 0.5, c: 0.25}, {b: 0.5, c: 0.25, a: 0.0}, {b: 0.5, c: 0.25}):
        yield (truth, model), judge.told(ValueError=CANNOT_COME, KeyError=CANNOT_COME)


@cross_entropy.case(weight=1, property="what the model rules out costs everything")
def _cross_infinite(rng: random.Random) -> Inputs:
    a, b = words(rng, 2)
    judge = expect_near(math.inf, 0.0, SURPRISE).told(ValueError=SURPRISE, KeyError=SURPRISE)
    yield ({a: 0.5, b: 0.5}, {a: 1.0, b: 0.0}), judge
    yield ({a: 0.5, b: 0.5}, {a: 1.0}), judge


@cross_entropy.case(weight=1, property="refuses an empty truth")
def _cross_empty(rng: random.Random) -> Inputs:
    yield (
        ({}, distribution(rng, words(rng, 3))),
        expect_raises(ValueError, "no tokens: raise ValueError."),
    )


# --- temper

temper = Exercise("temper")
COLD = "p ** (1 / T) underflows or overflows at small T: divide logs, subtract the largest, exp."


def tempered(probs: dict[str, float], temperature: float) -> dict[str, float]:
    top = max(probs.values())
    scaled = {t: (p / top) ** (1 / temperature) if p else 0.0 for t, p in probs.items()}
    return {t: value / math.fsum(scaled.values()) for t, value in scaled.items()}


@temper.case(weight=3, property="the exact value at ordinary temperatures")
def _temper_core(rng: random.Random) -> Inputs:
    for temperature in (0.4, 0.8, 1.7):
        probs = distribution(rng, words(rng, 5))
        powers = {t: p ** (1 / temperature) for t, p in probs.items()}
        lifted = {t: math.exp(p / temperature) for t, p in probs.items()}
        mistakes = [
            Mistake(powers, "renormalise: divide by the sum."),
            Mistake(tempered(probs, 1 / temperature), "the exponent is 1 / T, not T."),
            Mistake(probs, "dividing p itself by T cancels: it is log p that is divided."),
            Mistake(
                {t: value / sum(lifted.values()) for t, value in lifted.items()},
                "exp of p / T: it is log p that is divided by T.",
            ),
        ]
        hint = "p ** (1 / T), divided by the sum of these."
        yield (probs, temperature), expect_near(tempered(probs, temperature), 1e-9, hint, mistakes)


@temper.case(weight=2, property="very low and very high temperatures")
def _temper_extremes(rng: random.Random) -> Inputs:
    tokens = words(rng, 40)
    probs = distribution(rng, tokens)
    for temperature in (0.001, 0.004, 1e6):
        judge = expect_near(tempered(probs, temperature), 1e-9, COLD)
        yield (probs, temperature), judge.told(ZeroDivisionError=COLD, OverflowError=COLD)


@temper.case(weight=1, property="weights that do not sum to 1, zeros among them")
def _temper_weights(rng: random.Random) -> Inputs:
    tokens = words(rng, 4)
    weights = {**dict.fromkeys(tokens[:3], 0.0), tokens[3]: 7.0, "x": 700.0, "y": 700.0}
    hint = "any weights are allowed: only their ratios matter, and 0 stays 0."
    for temperature in (0.002, 1.0, 2.5):
        judge = expect_near(tempered(weights, temperature), 1e-9, hint)
        hints = {"ValueError": hint, "ZeroDivisionError": COLD, "OverflowError": COLD}
        yield (weights, temperature), judge.told(**hints)


@temper.case(weight=1, property="refuses temperatures that are not above 0")
def _temper_refuses(rng: random.Random) -> Inputs:
    for temperature in (0.0, -rng.uniform(0.5, 2)):
        hint = "T must be above 0: raise ValueError for the rest."
        yield (distribution(rng, words(rng, 3)), temperature), expect_raises(ValueError, hint)


# --- sample_sequence

sample_sequence = Exercise("sample_sequence")
ONE_NUMBER = "call uniform() exactly once for each token."
AT_MOST = "a text has at most max_length tokens."


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


def shares(rng: random.Random, tokens: list[str]) -> dict[str, int]:
    """Return tenths for each token: all positive, all different."""
    parts = [1, 2, 3, 4]
    rng.shuffle(parts)
    return dict(zip(tokens, parts, strict=True))


@sample_sequence.case(weight=4, property="each token as often as its probability says")
def _sample_core(rng: random.Random) -> Inputs:
    tokens = words(rng, 4)
    tables = {first: shares(rng, tokens) for first in (None, *tokens)}

    def next_probs(history: Any) -> dict[str, float]:
        table = tables[history[-1] if history else None]
        return {token: part / 10 for token, part in table.items()}

    joint = {(a, b): tables[None][a] * tables[a][b] for a in tokens for b in tokens}
    blind = {(a, b): tables[None][a] * tables[None][b] for a in tokens for b in tokens}
    likeliest = max(tables[None], key=lambda token: tables[None][token])

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

    always = "you always take the likeliest token: that is argmax, not a sample."
    evenly = "each token comes equally often: its share of [0, 1) is its probability."
    mistakes = [
        Mistake(lambda texts: any(left for _, left in texts), ONE_NUMBER),
        Mistake(
            lambda texts: not repeats(texts),
            "the same numbers must give the same text, whatever was drawn before.",
        ),
        Mistake(
            lambda texts: firsts(texts) == {t: 10.0 * (t == likeliest) for t in tokens}, always
        ),
        Mistake(
            lambda texts: max(firsts(texts).values()) - min(firsts(texts).values()) <= 1, evenly
        ),
        Mistake(
            lambda texts: firsts(texts) != tables[None],
            "a token's share of the numbers in [0, 1) should be its probability.",
        ),
        Mistake(
            lambda texts: came(texts) == blind,
            "later tokens ignore the earlier ones: pass what you have to next_probs.",
        ),
    ]
    grid = [(i + 0.5) / 10 for i in range(10)]
    rows = [[u, v] for u in grid for v in grid]
    hint = "the second token should follow next_probs([first token])."
    judge = expect_that(law, hint, mistakes)
    yield (
        (next_probs, rows + rows[19::-1], "no such token", 2),
        judge.told(StopIteration=ONE_NUMBER),
    )


@sample_sequence.case(weight=2, property="ends with the end token, or at the limit")
def _sample_end(rng: random.Random) -> Inputs:
    end, word = words(rng, 2)
    for length in (1, 4, 9):

        def next_probs(history: Any, length: int = length) -> dict[str, float]:
            return {word: 1.0} if len(history) < length - 1 else {end: 1.0}

        text = [word] * (length - 1) + [end]
        row = [rng.random() for _ in range(length + 9)]
        mistakes = [
            Mistake([[text[:-1], 9]], "the end token belongs to the text."),
            Mistake([[text + [end] * 9, 0]], "stop when the end token has come."),
        ]
        judge = expect_equal([[text, 9]], "draw until the end token has come.", mistakes)
        yield (next_probs, [row], end, length + 9), judge.told(StopIteration=ONE_NUMBER)
        judge = expect_equal([[text[:-1], 10]], AT_MOST)
        yield (next_probs, [row], end, length - 1), judge.told(StopIteration=ONE_NUMBER)
    row = [rng.random() for _ in range(270)]  # past 256, where `is` no longer compares numbers
    judge = expect_equal([[[word] * 260, 10]], AT_MOST).told(StopIteration=ONE_NUMBER)
    yield ({word: 1.0}, [row], end, 260), judge


@sample_sequence.case(weight=1, property="rounding: the impossible never comes")
def _sample_rounding(rng: random.Random) -> Inputs:
    tokens = words(rng, 12)
    probs = {token: 0.1 for token in tokens}  # ten times 0.1 adds up to less than 1
    probs[tokens[0]] = probs[tokens[-1]] = 0.0
    rows = [[0.0], [math.nextafter(1, 0)]]
    hint = "probabilities may sum to a hair below 1; a token of probability 0 never comes."

    def possible(texts: Any) -> bool:
        good = [len(text) == 1 and probs[text[0]] > 0 for text, _ in texts]
        return good == [True] * len(rows)

    judge = expect_that(possible, hint).told(IndexError=hint, StopIteration=ONE_NUMBER)
    yield (lambda history: probs, rows, "no such token", 1), judge


# --- rescore

rescore = Exercise("rescore")


@rescore.case(weight=3, property="the largest sum wins")
def _rescore_core(rng: random.Random) -> Inputs:
    for size in (4, 6, 9):
        texts = words(rng, size)
        # the winner is second in both; who wins in one alone, or in the product, is another
        prior = [-rng.uniform(6, 7) for _ in texts]
        heard = [-rng.uniform(6, 7) for _ in texts]
        best, loud, common, far = rng.sample(range(size), 4)
        prior[best], heard[best] = -2.0, -2.0
        prior[loud], heard[loud] = -8.0, -0.5
        prior[common], heard[common] = -0.5, -8.0
        prior[far], heard[far] = -9.0, -9.0
        table = dict(zip(texts, prior, strict=True))
        mistakes = [
            Mistake(
                texts[loud], "you ignored the text's own probability: add text_log_prob(text)."
            ),
            Mistake(texts[common], "you ignored the signal: add its log-probability."),
            Mistake(
                texts[far],
                "add the two logs; a product of two negative numbers grows as they fall.",
            ),
            Mistake(best, "return the text, not its position."),
            Mistake(-4.0, "return the text, not its score."),
        ]
        hint = "the text with the largest sum of the two log-probabilities."
        yield (
            (texts, heard, lambda text, table=table: table[text]),
            expect_equal(texts[best], hint, mistakes),
        )


@rescore.case(weight=2, property="very unlikely texts")
def _rescore_long(rng: random.Random) -> Inputs:
    texts = words(rng, 5)
    prior = {text: -rng.uniform(4_000, 5_000) for text in texts}
    heard = [-9_000 - prior[text] - rng.uniform(1, 9) for text in texts]
    winner = rng.randrange(1, 5)
    heard[winner] = -8_990 - prior[texts[winner]]
    hint = "exp of such sums is 0 for all of them: compare the logs."
    mistakes = [Mistake(texts[0], hint)]
    yield (texts, heard, lambda text: prior[text]), expect_equal(texts[winner], hint, mistakes)


@rescore.case(weight=1, property="equal and impossible texts")
def _rescore_ties(rng: random.Random) -> Inputs:
    texts = words(rng, 4)
    judge = expect_equal(texts[1], "among equals the earliest wins.")
    yield (texts, [-9.0, -3.0, -3.0, -3.0], lambda text: -2.0), judge
    hint = "-inf is a score like any other, below all: even then the earliest of equals wins."
    judge = expect_equal(texts[0], hint)
    yield (texts, [-1.0] * 4, lambda text: -math.inf), judge


@rescore.case(weight=1, property="refuses an empty list")
def _rescore_empty(rng: random.Random) -> Inputs:
    yield ([], [], lambda text: -1.0), expect_raises(ValueError, "no texts: raise ValueError.")
