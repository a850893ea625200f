"""Hidden tests of unit 02. The truth here is counted from the flat text, never from nested tables."""

import functools
import itertools
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from autograder.exercise import (
    Exercise,
    Inputs,
    Judge,
    Mistake,
    expect_equal,
    expect_near,
    expect_raises,
    expect_that,
)
from llmcourse.checks.u02_counted import best_k, bits, counted, grams, smoothed

Text = list[Any]
Tables = list[dict[Any, Any]]

WORDS = ["é", "naïve", "日本", "🙂", "a", "the", "The", "", " ", 7, 8, "x y"]


def text(rng: random.Random, length: int, kinds: int = 5) -> Text:
    """Return a text of few different tokens, so that n-grams repeat; the last occurs only once."""
    chosen = rng.sample(WORDS, kinds)
    return [*rng.choices(chosen, weights=range(1, kinds + 1), k=length - 1), "end"]


def nested(tokens: Sequence[Any], n: int) -> dict[Any, Any]:
    """Return the table a correct `ngram_counts` gives."""
    table: dict[Any, Any] = {}
    for gram, count in Counter(grams(tokens, n)).items():
        table.setdefault(gram[:-1], {})[gram[-1]] = count
    return table


def tables_of(tokens: Sequence[Any], order: int) -> Tables:
    return [nested(tokens, n) for n in range(1, order + 1)]


def after(tokens: Sequence[Any], history: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what came after a history in the text, each time it came."""
    return _after(tuple(tokens), history, False)


def continuations(tokens: Sequence[Any], history: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what came after a history, once for each different token that stood before the two."""
    return _after(tuple(tokens), history, True)


@functools.lru_cache(maxsize=2_000)
def _after(tokens: tuple[Any, ...], history: tuple[Any, ...], different: bool) -> tuple[Any, ...]:
    if different:
        return tuple(g[-1] for g in set(grams(tokens, len(history) + 2)) if g[1:-1] == history)
    return tuple(g[-1] for g in grams(tokens, len(history) + 1) if g[:-1] == history)


def relative(tokens: Sequence[Any], history: tuple[Any, ...], token: Any) -> float:
    """Return count(history, token) / count(history, anything), 0.0 for 0 / 0."""
    ends = after(tokens, history)
    return ends.count(token) / len(ends) if ends else 0.0


def mixed(
    tokens: Sequence[Any],
    history: tuple[Any, ...],
    token: Any,
    weight: float,
    size: int,
    slip: str = "",
) -> float:
    """Return Jelinek-Mercer with one weight, longest history first; `slip`: of MIXTURE_SLIPS."""
    if history:
        lower = mixed(tokens, history[1:], token, weight, size, slip)
    else:
        lower = 0.0 if slip == "no uniform" else 1 / size
    if not after(tokens, history):
        return (1 - weight) * lower if slip == "unseen" else lower
    own, rest = {"swapped": (1 - weight, weight), "sum": (weight, 1.0)}.get(
        slip, (weight, 1 - weight)
    )
    return own * relative(tokens, history, token) + rest * lower


def kneser_ney(
    tokens: Sequence[Any],
    history: tuple[Any, ...],
    token: Any,
    size: int,
    discount: float,
    order: int,
    slip: str = "",
) -> float:
    """Return interpolated Kneser-Ney; `slip` makes a known mistake, one of KNESER_NEY_SLIPS."""
    history = history[max(0, len(history) - order + 1) :]
    if history:
        lower = kneser_ney(tokens, history[1:], token, size, discount, order, slip)
    else:
        lower = 0.0 if slip == "no uniform" else 1 / size
    longest = len(history) == order - 1
    ends = (after if slip == "raw" or longest else continuations)(tokens, history)
    if slip == "top" and longest:
        ends = tuple(set(ends))
    if not ends:
        return 0.0 if slip == "silent" else lower
    own = ends.count(token) - discount
    kept = own if slip == "negative" else max(own, 0)
    passed_on = {"lost": 0.0, "one discount": discount, "unweighted": len(ends)}.get(
        slip, discount * len(set(ends))
    )
    return (kept + passed_on * lower) / len(ends)


def telling(want: float, mistakes: Iterable[Mistake]) -> bool:
    """Say whether no two mistakes lead to the same wrong value, so that each can be named."""
    values = [mistake.value for mistake in mistakes if abs(mistake.value - want) > 1e-9]
    return len({round(value, 9) for value in values}) == len(values)


def telling_first(judged: Iterable[tuple[tuple[Any, ...], Judge, bool]]) -> Inputs:
    """Return (arguments, judge, whether it is telling) as inputs, the telling ones first."""
    for args, judge, _ in sorted(judged, key=lambda item: not item[2]):
        yield args, judge


def queries(
    rng: random.Random, tokens: Text, lengths: Sequence[int], number: int
) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield histories from the text and random ones, each with a next token (some never seen)."""
    for i in range(number):
        length = lengths[i % len(lengths)]
        start = rng.randrange(len(tokens) - length)
        history = tuple(tokens[start : start + length])
        if i % 4 == 3:
            history = tuple(rng.choices(tokens, k=length))
        yield history, rng.choice([*tokens, tokens[start + length], tokens[start + length], "new"])


# --- ngram_counts

ngram_counts = Exercise("ngram_counts")


@ngram_counts.case(weight=4, property="the table of longer texts, n = 2 to 5")
def counts_core(rng: random.Random) -> Inputs:
    for n in (2, 3, 4, 5):
        tokens = text(rng, rng.randint(30, 60), 3)
        want = nested(tokens, n)
        mistakes = [
            Mistake(
                nested(tokens[:-1], n),
                "the last n-gram of the text is missing: there are T - n + 1.",
            ),
            Mistake(
                nested(tokens[1:], n),
                "the first n-gram of the text is missing: start at the token n - 1.",
            ),
            Mistake(
                dict(Counter(grams(tokens, n))),
                "the keys are whole n-grams; they should be the histories of n - 1 tokens.",
            ),
            Mistake(
                nested(tokens, n + 1),
                "n is the length of history and token together; your histories have n tokens.",
            ),
            Mistake(
                {history: dict.fromkeys(row, 1) for history, row in want.items()},
                "every count is 1: add to the count instead of setting it.",
            ),
        ]
        yield (
            (tokens, n),
            expect_equal(want, hint="table[history][token] counts that pair.", mistakes=mistakes),
        )


@ngram_counts.case(weight=2, property="n = 1: one empty history")
def counts_unigrams(rng: random.Random) -> Inputs:
    tokens = text(rng, 40)
    hint = "with n = 1 every token follows the empty history (); look at your slice for n - 1 = 0."
    yield (tokens, 1), expect_equal(nested(tokens, 1), hint=hint)


@ngram_counts.case(weight=1, property="texts that are shorter than n, or just long enough")
def counts_short(rng: random.Random) -> Inputs:
    tokens = text(rng, 4, 4)
    yield (tokens, 4), expect_equal(nested(tokens, 4), hint="a text of n tokens has one n-gram.")
    yield (tokens, 5), expect_equal({}, hint="a text shorter than n gives an empty table.")
    yield (tokens, 9), expect_equal({}, hint="a text shorter than n gives an empty table.")
    yield ([], 1), expect_equal({}, hint="the empty text gives an empty table.")


@ngram_counts.case(weight=1, property="refuses n below 1")
def counts_refuses(rng: random.Random) -> Inputs:
    for n in (0, -rng.randint(1, 5)):
        yield (
            (text(rng, 9), n),
            expect_raises(ValueError, hint="n below 1 has no meaning: raise ValueError."),
        )


# --- score_text

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
        Mistake(
            sum(finite) / max(1, len(finite)),
            "an impossible token was left out of the mean: it makes the mean infinite.",
        ),
        Mistake(
            sum(finite) / len(parts),
            "an impossible token does not cost 0 bits: it makes the mean infinite.",
        ),
    ]
    hint = "one token of probability 0 makes the mean math.inf; no small number stands for 0."
    return expect_near(want, 0, hint, mistakes)


@score_text.case(weight=4, property="the mean of the bits, infinite after one impossible token")
def score_core(rng: random.Random) -> Inputs:
    for n in (1, 2, 3, 4):
        train = text(rng, 60, 3)
        start = rng.randrange(10, 20)
        seen = train[start : start + 30]
        place = rng.randrange(n, 25)
        for tokens in (seen, [*seen[:place], "new", *seen[place:]], [*seen, "new"]):
            yield (nested(train, n), tokens, n), score_judge(train, tokens, n)


@score_text.case(weight=1, property="a history that was never seen, and known tokens in new places")
def score_new_history(rng: random.Random) -> Inputs:
    train = text(rng, 60)
    for n in (2, 3):
        for tokens in (["new", *train[:n]], [*train[3:9], "end", *train[:n]], train[::-1]):
            yield (nested(train, n), tokens, n), score_judge(train, tokens, n)


@score_text.case(weight=1, property="texts of n tokens, and of fewer")
def score_short(rng: random.Random) -> Inputs:
    train = text(rng, 40)
    for n in (1, 2, 4):
        table = nested(train, n)
        yield (table, train[-n:], n), score_judge(train, train[-n:], n)
        hint = "fewer than n tokens leave none to score: raise ValueError."
        yield (table, train[: n - 1], n), expect_raises(ValueError, hint)


# --- unseen_rate

unseen_rate = Exercise("unseen_rate")


@unseen_rate.case(weight=4, property="the fraction in longer texts, n = 1 to 4")
def unseen_core(rng: random.Random) -> Inputs:
    for n in (1, 2, 3, 4):
        train = text(rng, 40, 4)
        test = [*rng.choices(train, k=40), "new", "new", *rng.choices(train, k=20), *train[-n:]]
        there = grams(test, n)

        def fraction(of: list[Any], known: list[Any]) -> float:
            return sum(gram not in set(known) for gram in of) / len(of)

        want = fraction(there, grams(train, n))
        mistakes = [
            Mistake(
                fraction(sorted(set(there), key=repr), grams(train, n)),
                "count every occurrence: that is the fraction of the different n-grams.",
            ),
            Mistake(1 - want, "return the fraction of the unseen n-grams, not of the seen."),
            Mistake(
                fraction(grams(train, n), there),
                "look for the n-grams of the test text in the training text, not the reverse.",
            ),
            Mistake(
                fraction(there, grams(train[:-1], n)),
                "the last n-gram of the training text counts too.",
            ),
            Mistake(
                want * (len(there) / len(test)),
                "a text of T tokens has T - n + 1 n-grams: you divided by T.",
            ),
        ]
        hint = "how many n-grams of the test text the training text lacks, out of all of them."
        yield (train, test, n), expect_near(want, 1e-12, hint, mistakes)


@unseen_rate.case(
    weight=1, property="texts at the edge: as long as n, the same text, no training text"
)
def unseen_edges(rng: random.Random) -> Inputs:
    tokens = text(rng, 12)
    hint = "the last n-gram of the training text counts too."
    yield (tokens, tokens[-4:], 4), expect_near(0.0, 0, hint)
    yield (tokens[-4:], tokens[-4:], 4), expect_near(0.0, 0, hint)
    yield (tokens, tokens, 3), expect_near(0.0, 0, hint="a text has seen all its own n-grams.")
    yield ([], tokens, 2), expect_near(1.0, 0, hint="after an empty training text all is unseen.")
    yield (
        (tokens[:3], tokens, 5),
        expect_near(1.0, 0, hint="a short training text has no n-gram to offer."),
    )
    yield (tokens, ["new"], 1), expect_near(1.0, 0, hint="one unseen token of one.")


@unseen_rate.case(weight=1, property="longer texts")
def unseen_long(rng: random.Random) -> Inputs:
    train, test = rng.choices(range(20), k=1_000), rng.choices(range(20), k=500)
    known = set(grams(train, 3))
    want = sum(gram not in known for gram in grams(test, 3)) / 498
    hint = "look the n-grams up in a set: a search through a list takes too long."
    yield (train, test, 3), expect_near(want, 1e-12, hint)


@unseen_rate.case(weight=1, property="refuses n below 1 and a test text shorter than n")
def unseen_refuses(rng: random.Random) -> Inputs:
    tokens = text(rng, 12)
    yield (
        (tokens, tokens[:3], 4),
        expect_raises(ValueError, hint="a test text shorter than n has no n-gram."),
    )
    yield (tokens, [], 1), expect_raises(ValueError, hint="an empty test text has no n-gram.")
    yield (tokens, tokens, 0), expect_raises(ValueError, hint="n below 1 has no meaning.")


# --- choose_k

choose_k = Exercise("choose_k", given={"ngram_counts": nested})

CLEARLY = 0.01  # nats by which the best k beats the next: more than single precision loses
KS = [0.004 * 1.3**i for i in range(30)]  # so close that one token more or less changes the choice


def clear_texts(rng: random.Random, n: int, size: int) -> tuple[Text, Text]:
    """Return a training and a development text with a clear best k, neither first nor last.

    Counted the other way round they have another best k than the smallest, too.
    """
    while True:
        train = [*text(rng, rng.randint(50, 70), 5), "only here"]
        dev = [*rng.choices(train[:-1], k=20), "new", *train[5:20], "end"]
        probs = {k: smoothed(counted(train, dev, n), k, size) for k in KS}
        (most, k), (next_most, _), *_ = sorted(
            ((sum(map(math.log, probs[k])), k) for k in KS), reverse=True
        )
        reverse = best_k(dev, train, n, KS, size)
        if most - next_most > CLEARLY and KS[0] < min(k, reverse) and k < KS[-1]:
            return train, dev


@choose_k.case(weight=4, property="the best k for other texts, n = 1 to 3")
def choose_core(rng: random.Random) -> Inputs:
    for n in (1, 2, 3, 2):
        size = rng.randint(14, 40)
        train, dev = clear_texts(rng, n, size)
        counts = counted(train, dev, n)
        sums = {k: sum(map(math.log, smoothed(counts, k, size))) for k in KS}
        mistakes = [
            Mistake(
                min(KS),
                "the smallest k wins on `train`, and where probabilities are added: score `dev`, and add "
                "logarithms.",
            ),
            Mistake(
                min(KS, key=sums.__getitem__),
                "that k needs the most bits: the largest sum of log2 P is the best.",
            ),
            Mistake(
                best_k(dev, train, n, KS, size),
                "count `train` and score `dev`; you did the reverse.",
            ),
            Mistake(
                best_k(train, dev, n, KS, len(set(train))),
                "V is `vocab_size`, not the number of different tokens in `train`.",
            ),
        ]
        want = max(KS, key=sums.__getitem__)
        first = rng.choice([k for k in KS if k not in {want, *(m.value for m in mistakes)}])
        ks = [first, *rng.sample([k for k in KS if k != first], len(KS) - 1)]
        mistakes.append(Mistake(first, "every k must be tried: you returned the first one."))
        hint = "of the given ks the one with the largest sum of log2 P over `dev`."
        yield (train, dev, n, ks, size), expect_near(want, 1e-12, hint, mistakes)


@choose_k.case(weight=1, property="one token to score: the smallest or the largest k")
def choose_one_token(rng: random.Random) -> Inputs:
    train, ks = text(rng, 60), [0.5, 0.1, 7, 2]
    for n in (1, 2, 3):
        table = nested(train, n)
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


# --- interpolated_prob

interpolated_prob = Exercise("interpolated_prob")


MIXTURE_SLIPS = {
    "sum": "the two weights must sum to 1: weight and 1 - weight.",
    "swapped": "weight belongs to the longer history; you gave it to the shorter one.",
    "no uniform": "the unigram is mixed with 1 / V, which has the weight 1 - weight there.",
    "unseen": "an unseen history has no MLE: the shorter one has the weight 1, not 1 - weight.",
}


def mixture_judge(
    tokens: Text, history: tuple[Any, ...], token: Any, weight: float, size: int
) -> tuple[Judge, bool]:
    """Return the judge, and whether it can tell the known mistakes from each other."""
    args = (tokens, history, token, weight, size)
    want, longest = mixed(*args), relative(tokens, history, token)
    slips = dict(MIXTURE_SLIPS)
    if after(tokens, history):
        del slips["unseen"]  # shows after an unseen history only
    mistakes = [Mistake(mixed(*args, slip), hint) for slip, hint in slips.items()]
    hint = "mix all lengths of history, not only the longest and the uniform distribution."
    mistakes.append(Mistake(weight * longest + (1 - weight) / size, hint))
    hint = "climb from 1 / V: at each length weight * MLE + (1 - weight) * what you have."
    return expect_near(want, 1e-10, hint, mistakes), telling(want, mistakes)


@interpolated_prob.case(weight=4, property="the mixture for n = 2, 3 and 4")
def mixture_core(rng: random.Random) -> Inputs:
    for order in (2, 3, 4):
        tokens, size, weight = text(rng, 60, 4), rng.randint(12, 30), rng.uniform(0.1, 0.45)
        tables = tables_of(tokens, order)
        yield from telling_first(
            (
                (tables, history, token, weight, size),
                *mixture_judge(tokens, history, token, weight, size),
            )
            for history, token in queries(rng, tokens[:-1], [order - 1], 8)
            if after(tokens, history)
        )


@interpolated_prob.case(weight=2, property="an unseen history: the result of the shorter one")
def mixture_new_history(rng: random.Random) -> Inputs:
    tokens, size, weight = text(rng, 60), rng.randint(12, 30), rng.uniform(0.3, 0.9)
    tables = tables_of(tokens, 3)
    for history in (("new", tokens[3]), (tokens[3], "new"), ("new", "new"), ("end", tokens[0])):
        token = rng.choice(tokens)
        judge, _ = mixture_judge(tokens, history, token, weight, size)
        yield (tables, history, token, weight, size), judge


@interpolated_prob.case(weight=1, property="the uniform 1 / V below the unigram")
def mixture_base(rng: random.Random) -> Inputs:
    tokens, size = text(rng, 50), rng.randint(12, 30)
    hint = "the unigram is mixed too, with 1 / V: an unseen token has some probability left."
    for order in (1, 3):
        args = (tables_of(tokens, order), (), "new", 0.8, size)
        yield args, expect_near(0.2 / size, 1e-12, hint)
    yield (
        ([{}, {}], ("a",), "a", 0.8, size),
        expect_near(1 / size, 1e-12, "nothing counted: 1 / V is left."),
    )


@interpolated_prob.case(weight=1, property="histories of other lengths than the tables have")
def mixture_lengths(rng: random.Random) -> Inputs:
    tokens, size, weight = text(rng, 60), rng.randint(12, 30), rng.uniform(0.1, 0.9)
    for history, token in queries(rng, tokens, [0, 1, 3, 6, 20], 10):
        used = history[max(0, len(history) - 2) :]
        yield (
            (tables_of(tokens, 3), history, token, weight, size),
            expect_near(
                mixed(tokens, used, token, weight, size),
                1e-10,
                hint="of a long history take the last tokens; a short one has fewer steps.",
            ),
        )


# --- kneser_ney_prob

kneser_ney_prob = Exercise("kneser_ney_prob")


KNESER_NEY_SLIPS = {
    "raw": "histories below the longest have continuation counts; yours are raw counts.",
    "top": "the longest history has raw counts, not continuation counts.",
    "no uniform": "the unigram is discounted, too: 1 / V has the weight D N / total.",
    "silent": "after a history without counts the result is that of the shorter one.",
    "lost": "the subtracted probability is lost: pass D N / total on to the shorter history.",
    "one discount": "D was subtracted from N counts: pass on D N, not D.",
    "unweighted": "the lower probability has the weight D N / total, or the sum is above 1.",
    "negative": "a count of 0 stays 0: use max(count - D, 0).",
}


def kneser_ney_judge(
    tokens: Text, history: tuple[Any, ...], token: Any, size: int, discount: float, order: int
) -> tuple[Judge, bool]:
    """Return the judge, and whether it can tell the known mistakes from each other."""
    args = (tokens, history, token, size, discount, order)
    want = kneser_ney(*args)
    mistakes = [Mistake(kneser_ney(*args, slip), hint) for slip, hint in KNESER_NEY_SLIPS.items()]
    if discount != 0.75:
        hint = "use the argument `discount`, where it is subtracted and in D N."
        mistakes.append(Mistake(kneser_ney(tokens, history, token, size, 0.75, order), hint))
    hint = (
        "at each length: (max(c - D, 0) + D N lower) / total, with c, N and total from raw counts for "
        "the longest history and from continuation counts below."
    )
    return expect_near(want, 1e-10, hint, mistakes), telling(want, mistakes)


@kneser_ney_prob.case(weight=5, property="the longest history, n = 2, 3 and 4")
def kneser_ney_core(rng: random.Random) -> Inputs:
    for order in (2, 3, 4):
        tokens, size = text(rng, 60, 4), rng.randint(12, 30)
        tables = tables_of(tokens, order)
        yield from telling_first(
            (
                (tables, history, token, size),
                *kneser_ney_judge(tokens, history, token, size, 0.75, order),
            )
            for history, token in queries(rng, tokens, [order - 1], 8)
        )


@kneser_ney_prob.case(weight=2, property="shorter histories use continuation counts")
def kneser_ney_short(rng: random.Random) -> Inputs:
    tokens, size = text(rng, 60), rng.randint(12, 30)
    for history, token in queries(rng, tokens, [0, 1, 2], 9):
        judge, _ = kneser_ney_judge(tokens, history, token, size, 0.75, 4)
        yield (tables_of(tokens, 4), history, token, size), judge


@kneser_ney_prob.case(weight=1, property="unseen histories, and longer ones than the tables have")
def kneser_ney_new(rng: random.Random) -> Inputs:
    tokens, size = text(rng, 60), rng.randint(12, 30)
    tables = tables_of(tokens, 3)
    first = [("new",), ("new", tokens[5]), ("new", "new"), ("end",), ("end", tokens[0])]
    longer = [tuple(tokens[i : i + rng.randint(3, 9)]) for i in range(4)]
    for history in first + longer:
        token = rng.choice(tokens)
        judge, _ = kneser_ney_judge(tokens, history, token, size, 0.75, 3)
        yield (tables, history, token, size), judge


@kneser_ney_prob.case(weight=1, property="other discounts, from 0 to 1")
def kneser_ney_discounts(rng: random.Random) -> Inputs:
    tokens, size = text(rng, 60, 4), rng.randint(12, 30)
    for discount in (0.0, 0.1, rng.uniform(0.2, 0.7), 1.0):
        for history, token in queries(rng, tokens, [0, 1, 2], 3):
            judge, _ = kneser_ney_judge(tokens, history, token, size, discount, 3)
            yield (tables_of(tokens, 3), history, token, size, discount), judge


@kneser_ney_prob.case(
    weight=1, property="n = 1, and a history seen only at the beginning of the text"
)
def kneser_ney_edges(rng: random.Random) -> Inputs:
    tokens, size = text(rng, 40), rng.randint(12, 30)
    hint = "with one table the empty history is the longest: raw counts."
    for token in (tokens[0], "new"):
        yield (
            (tables_of(tokens, 1), (), token, size),
            expect_near(kneser_ney(tokens, (), token, size, 0.75, 1), 1e-12, hint),
        )
    begun = ["first", *tokens]
    hint = "a history without continuation counts is like one never seen: no division by 0."
    yield (
        (tables_of(begun, 3), ("first",), tokens[0], size),
        expect_near(kneser_ney(begun, ("first",), tokens[0], size, 0.75, 3), 1e-12, hint),
    )


# --- generate

generate = Exercise("generate")


DRAWN = 120  # tokens; uniform() gives one number from each of as many equal parts of [0, 1)
ROUNDED = (
    2  # a token that owns an interval of length p gets DRAWN p of them, at most 2 more or less
)
UNEVEN = 0.1  # a share that differs so much from 1/4 comes 12 times more or less often


@generate.case(weight=3, property="draws each token as often as its probability says")
def generate_core(rng: random.Random) -> Inputs:
    """No right rule fails: a false-alarm rate of 0 in n = 120, whatever the shares."""
    shares = [0.25] * 4
    while max(abs(share - 0.25) for share in shares) < UNEVEN:
        drawn = [rng.uniform(0.05, 0.4) for _ in range(4)]
        shares = [share / sum(drawn) for share in drawn]
    odds = dict(zip("wxyz", shares, strict=True))
    draws = [(i + rng.random()) / DRAWN for i in range(DRAWN)]
    rng.shuffle(draws)
    supply = iter(draws * 4)

    def often(value: Any, odds: Mapping[str, float]) -> bool:
        count = Counter(value)
        return all(abs(count[w] - DRAWN * p) <= ROUNDED for w, p in odds.items())

    def right(value: Any) -> bool:
        return len(value) == DRAWN and often(value, odds) and in_intervals(value)

    def in_intervals(value: Any) -> bool:
        by_number = [token for _, token in sorted(zip(draws, value, strict=True))]
        changes = sum(a != b for a, b in itertools.pairwise(by_number))
        return bool(changes < 2 * len(odds))

    mistakes = [
        Mistake(
            lambda value: set(value) == {max(odds, key=lambda w: odds[w])},
            "it is always the most probable token: draw instead.",
        ),
        Mistake(
            lambda value: often(value, dict.fromkeys(odds, 0.25)),
            "all tokens are drawn equally often: use their probabilities.",
        ),
        Mistake(
            lambda value: len(value) == DRAWN and often(value, odds),
            "the number from uniform() must decide which token is drawn.",
        ),
    ]
    hint = "one call of uniform() a token, compared with the running sum of probabilities."
    yield (
        (lambda history: odds, [], DRAWN, 2, lambda: next(supply)),
        expect_that(right, hint, mistakes),
    )


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

        def right(
            value: Any, asked: list[Any] = asked, want: list[Any] = want, said: Text = said
        ) -> bool:
            return bool(list(value) == said and asked == want)

        def no_tuple(value: Any, asked: list[Any] = asked) -> bool:
            return any(not isinstance(history, tuple) for history in asked)

        hint = "n = 1 has the empty history (tokens[-0:] is everything); a short text, all of it."
        judge = expect_that(right, hint, [Mistake(no_tuple, "pass the history as a tuple.")])
        yield (after, prompt, 4, n, lambda: 0.5), judge


@generate.case(weight=1, property="edges: no new tokens, impossible tokens, sums just below 1")
def generate_edges(rng: random.Random) -> Inputs:
    prompt = [rng.choice("abc") for _ in range(3)]
    yield (
        (lambda history: {"z": 1.0}, prompt, 0, 2, lambda: 0.5),
        expect_equal(prompt, "length 0: the prompt alone."),
    )
    odds = {"never": 0.0, "always": 1.0}
    yield (
        (lambda history: odds, ["a"], 2, 2, lambda: 0.0),
        expect_equal(
            ["a", "always", "always"],
            "a token of probability 0 is never drawn, even if uniform() returns 0.",
        ),
    )
    tenths = {**dict.fromkeys("abcdefghij", 0.1), "never": 0.0}  # sums to 0.9999999999999999
    hint = "rounding may leave all sums too small: take the last token with a probability above 0."
    yield (lambda history: tenths, [], 1, 2, lambda: 1 - 2**-53), expect_equal(["j"], hint)
    ends = iter([0.0, 0.25, 0.5, 0.75])
    hint = "a number that is a running sum belongs to the next token: the sum must be above it."
    yield (
        (lambda history: dict.fromkeys("abcd", 0.25), [], 4, 2, lambda: next(ends)),
        expect_that(lambda value: sorted(value) == list("abcd"), hint),
    )
