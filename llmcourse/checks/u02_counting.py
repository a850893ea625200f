"""The visible checks of the exercises of unit 02 that count n-grams.

unit: 02_ngrams
"""

from llmcourse.checks import (
    Mistake,
    diagnosed,
    equal,
    keeps_up,
    near,
    number,
    raises,
    unchanged,
    visible,
)
from llmcourse.checks.u02_counted import table_of, text, unseen

ROSE = ["a", "rose", "is", "a", "rose", "is", "a", "rose"]
TABLE = {("a",): {"rose": 3}, ("rose",): {"is": 2}, ("is",): {"a": 2}}


@visible
def ngram_counts(answer):
    hint = "Count in a new dictionary; leave the text alone."
    got = unchanged(answer, (list(ROSE), 2), hint=hint)
    whole = {("a", "rose"): 3, ("rose", "is"): 2, ("is", "a"): 2}
    diagnosed(
        got, TABLE,
        "Every token that has n - 1 tokens before it adds 1 at table[those tokens][token].",
        Mistake(whole,
                "The keys are whole n-grams: use the n - 1 tokens of the history as the key."),
        Mistake({("a",): {"rose": 2}, ("rose",): {"is": 2}, ("is",): {"a": 2}},
                "The last n-gram is missing: a text of T tokens has T - n + 1 n-grams."),
        Mistake({"a": {"rose": 3}, "rose": {"is": 2}, "is": {"a": 2}},
                "The keys must be tuples, also for one token: ('a',), not 'a'."),
        Mistake({(*gram,): {after: 2} for *gram, after in (ROSE[i : i + 3] for i in range(3))},
                "Your histories have n tokens: n is the length of history and token together."),
        Mistake({(): {"a": 1}, **TABLE},
                "Only a token with n - 1 tokens before it counts: leave out the first n - 1."),
        Mistake({gram[:1]: {gram[1]: 1} for gram in whole},
                "All counts are 1: add to the count instead of setting it."),
    )  # fmt: skip
    want = {("b", "a"): {"b": 1}, ("a", "b"): {"a": 1}}
    hint = "n = 3: the history has two tokens. Only histories that a token follows have a row."
    equal(answer(["b", "a", "b", "a"], 3), want, hint)
    hint = "n = 1: one history, the empty tuple (); and in Python tokens[-0:] is everything."
    equal(answer(list(ROSE), 1), {(): {"a": 3, "rose": 3, "is": 2}}, hint)
    short = "A text shorter than n has no n-gram: an empty table."
    for tokens, n in ((["a", "b"], 3), ([], 1), (["a", "b"], 9)):
        equal(answer(tokens, n), {}, hint=short)
    equal(answer(["a", "b"], 2), {("a",): {"b": 1}}, hint="A text of n tokens has one n-gram.")
    for n in (1, 2, 3, 4, 5):
        tokens = text(n, 40, 3)
        equal(answer(tokens, n), table_of(tokens, n), hint=f"n = {n}: {n - 1} tokens of history.")
    for n in (0, -2):
        raises(ValueError, answer, ["a"], n, hint="There is no n below 1.")
    long = [i * i % 9_973 for i in range(30_000)]
    slow = "Go over the text once: no search through what was counted, and no copy of the text."
    keeps_up(answer, table_of, (long, 3), 20, slow)


@visible
def unseen_rate(answer):
    train, test = ["a", "c", "b", "a", "b"], ["a", "b", "b", "a", "b", "a"]
    got = unchanged(answer, (train, test, 2), hint="Only look at the texts.")
    diagnosed(
        number(got, "unseen_rate"), 1 / 5, "ab, bb, ba, ab, ba: bb is not in the training text.",
        Mistake(1 / 3, "That is the fraction of the different n-grams: count every occurrence."),
        Mistake(2 / 4,
                "Look for the n-grams of the test text in the training text, not the reverse."),
        Mistake(4 / 5, "That is the fraction that was seen: return the fraction that was not."),
        Mistake(1 / 6, "You divided by the number of tokens: T tokens have T - n + 1 n-grams."),
        Mistake(3 / 4, "The last n-gram of each text is missing: T tokens have T - n + 1 n-grams."),
        Mistake(1, "That is a count: divide it by the number of n-grams of the test text."),
    )  # fmt: skip
    near(answer(train, test, 1), 0.0, 1e-9, hint="n = 1: a and b were both seen.")
    near(answer(["a"], test, 2), 1.0, 1e-9, hint="A training text shorter than n has no n-gram.")
    joined = "What the training text lacks: compare tuples of tokens, not text made of them."
    for other, text_of_two in (
        (["cat", "sat"], ["at", "sat"]), (["ab", "c"], ["a", "bc"]), (["x y", "z"], ["x", "y z"]),
        ([7, 8], ["7", "8"]),
    ):  # fmt: skip
        near(answer(other, text_of_two, 2), 1.0, 1e-9, hint=joined)
    whole = "T tokens have T - n + 1 n-grams: look at the first and the last one of both texts."
    for seed, n in ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5)):
        train, other = text(seed, 40 + seed, 4), text(seed + 9, 30, 4)
        mixed_up = [*other, "new", *train[3:12], *train[-n:]]
        for test in (mixed_up, mixed_up[1:], mixed_up[2:], train[-n:], train[:n], train, train[1:]):
            near(answer(train, test, n), unseen(train, test, n), 1e-12, hint=whole)
        for begin in (n, n + 1, n + 2, 2 * n + 1):
            near(answer(train[-begin:], train[-n:], n), 0.0, 0, hint=whole)
    near(answer([], train, 2), 1.0, 0, hint="After an empty training text all is unseen.")
    near(answer("abca", "cabb", 2), 1 / 3, 1e-12, hint="A string is a text of characters.")
    short = "A test text shorter than n has no n-gram; and n below 1 has no meaning."
    for test, n in ((["a"], 2), ([], 1), (train, 0), (train, -1)):
        raises(ValueError, answer, train, test, n, hint=short)
    long = list(range(30_000)), list(range(40_000, 70_000)), 2
    slow = "Look the n-grams up in a set: a search through a list takes hours on the real text."
    keeps_up(answer, unseen, long, 20, slow)
