"""The visible checks of the exercises of unit 02 that score a text.

unit: 02_ngrams
"""

import math

from llmcourse.checks import (
    Mistake,
    attempt,
    diagnosed,
    equal,
    keeps_up,
    near,
    number,
    raises,
    unchanged,
    visible,
)
from llmcourse.checks.u02_counted import best_k, bits, table_of, text

ROSE = ["a", "rose", "is", "a", "rose", "is", "a", "rose"]


@visible
def score_text(answer):
    table = {("a",): {"b": 3, "c": 1}, ("b",): {"a": 4}, ("c",): {"a": 2, "b": 2}}
    got = unchanged(answer, (table, ["b", "a", "c", "a"], 2), hint="Only look at the table.")
    diagnosed(
        number(got, "score_text"), 1.0,
        "n = 2, text b a c a: after the first token 0, 2 and 1 bits, so 1 bit on average.",
        Mistake(3.0, "That is the sum: divide it by the number of tokens that were scored."),
        Mistake(3 / 4,
                "You divided by all tokens: T - n + 1 of them have a history and are scored."),
        Mistake(math.log(2), "Bits are wanted: use math.log2, not math.log."),
        Mistake(-1.0, "The sign: each token costs -log2 P bits."),
        Mistake(2.0, "That is the perplexity: return the mean number of bits."),
    )  # fmt: skip
    hint = (
        "d never follows c, so its P is 0 and the mean is infinite: return math.inf. A small "
        "number in place of 0 would only hide that."
    )
    diagnosed(
        attempt(answer, (table, ["b", "a", "c", "d"], 2), hint), math.inf, hint,
        Mistake(1.0,
                "You left the impossible token out of the mean: find where the draft does that."),
        Mistake(2 / 3,
                "An impossible token does not cost 0 bits: its P is 0, and -log2 P is infinite."),
    )  # fmt: skip
    hint = "After a history that is not in the table every P is 0: the mean is infinite."
    for tokens in (["d", "a", "b"], ["a", "c", "a", "b", "d", "a"]):
        equal(attempt(answer, (table, tokens, 2), hint), math.inf, hint)
    hint = "The mean of -log2(count / sum of the row) over the T - n + 1 tokens with a history."
    for n in (1, 2, 3, 4):
        train, other = text(n, 60, 3), text(n + 9, 20, 3)
        for tokens in (train[5:40], train[:n], train[-n:], [*train[:9], "new"], other):
            near(answer(table_of(train, n), tokens, n), bits(train, tokens, n), 1e-12, hint)
    for tokens, n in ((["a"], 2), ([], 1), (["a", "b"], 3)):
        hint = "A text with fewer than n tokens has none to score."
        raises(ValueError, answer, table_of(ROSE, n), tokens, n, hint=hint)


@visible
def choose_k(answer):
    dev, ks = ["a", "rose", "is", "a", "daisy"], [20, 0.1, 0.005, 2]
    got = unchanged(answer, (ROSE, dev, 2, ks, 8), hint="Only look at the texts and at ks.")
    diagnosed(
        number(got, "choose_k"), 0.1,
        "Return the k of `ks` with the largest sum of log2 P over `dev`, not its index or its sum.",
        Mistake(0.005,
                "The smallest k: did you score `train`, where it always wins, count `dev`, or add "
                "probabilities? Count `train`, and add the log2 P of the tokens of `dev`."),
        Mistake(20,
                "That k needs the most bits: log2 P is negative, and the largest sum is the best."),
        Mistake(2, "V is `vocab_size`, not the number of different tokens in `train`."),
        Mistake(1, "That is an index: return the k itself."),
    )  # fmt: skip
    equal(answer(ROSE, dev, 2, [3], 8), 3, hint="With one k there is nothing to choose.")
    long = [i * i % 97 for i in range(5_000)], [i * i % 89 for i in range(1_000)], 2, [1, 2], 99
    slow = "Count `train` once, before you look at the first k."
    keeps_up(answer, best_k, long, 60, slow)
    hint = "The history is the n - 1 tokens before a token; each of the T - n + 1 tokens counts."
    for n, seed in ((1, 1), (2, 2), (2, 5), (3, 4), (3, 6)):  # the best k beats the next clearly
        train = text(seed, 60, 4)
        dev = [*train[3:12], "new", *train[20:40], "new", *train[-9:]]
        ks = [0.01 * 1.2**i for i in range(40)]
        for order in (ks, ks[::-1], ks[10:] + ks[:10]):
            near(answer(train, dev, n, order, 12), best_k(train, dev, n, order, 12), 1e-12, hint)
