"""Visible checks of unit 02: each failure names its likely cause.

unit: 02_ngrams
"""

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
from llmcourse.checks.u02_counted import (
    kneser_ney,
    mixed,
    queries,
    table_of,
    text,
    unseen,
)
from llmcourse.checks.u02_sampling import generate
from llmcourse.checks.u02_scores import choose_k, score_text

__all__ = [
    "choose_k",
    "generate",
    "interpolated_prob",
    "kneser_ney_prob",
    "ngram_counts",
    "score_text",
    "unseen_rate",
]

ROSE = ["a", "rose", "is", "a", "rose", "is", "a", "rose"]
ROSE_TABLES = [
    {(): {"a": 3, "rose": 3, "is": 2}},
    {("a",): {"rose": 3}, ("rose",): {"is": 2}, ("is",): {"a": 2}},
]
CITY = ["in", "san", "francisco", "to", "san", "francisco", "in", "paris", "from", "paris", "to"]
CITY_TABLES = [
    {(): {"in": 2, "san": 2, "francisco": 2, "to": 2, "paris": 2, "from": 1}},
    {
        ("in",): {"san": 1, "paris": 1},
        ("san",): {"francisco": 2},
        ("francisco",): {"to": 1, "in": 1},
        ("to",): {"san": 1},
        ("paris",): {"from": 1, "to": 1},
        ("from",): {"paris": 1},
    },
]

CITY_TRIGRAMS = {
    ("in", "san"): {"francisco": 1},
    ("san", "francisco"): {"to": 1, "in": 1},
    ("francisco", "to"): {"san": 1},
    ("to", "san"): {"francisco": 1},
    ("francisco", "in"): {"paris": 1},
    ("in", "paris"): {"from": 1},
    ("paris", "from"): {"paris": 1},
    ("from", "paris"): {"to": 1},
}


@visible
def ngram_counts(answer):
    got = unchanged(
        answer, (list(ROSE), 2), hint="Count in a new dictionary; leave the text alone."
    )
    whole = {("a", "rose"): 3, ("rose", "is"): 2, ("is", "a"): 2}
    diagnosed(
        got,
        ROSE_TABLES[1],
        "Every token that has n - 1 tokens before it adds 1 at table[those tokens][token].",
        Mistake(
            whole, "The keys are whole n-grams: use the n - 1 tokens of the history as the key."
        ),
        Mistake(
            {("a",): {"rose": 2}, ("rose",): {"is": 2}, ("is",): {"a": 2}},
            "The last n-gram is missing: a text of T tokens has T - n + 1 n-grams.",
        ),
        Mistake(
            {"a": {"rose": 3}, "rose": {"is": 2}, "is": {"a": 2}},
            "The keys must be tuples, also for one token: ('a',), not 'a'.",
        ),
        Mistake(
            {(*gram,): {after: 2} for *gram, after in (ROSE[i : i + 3] for i in range(3))},
            "Your histories have n tokens: n is the length of history and token together.",
        ),
        Mistake(
            {(): {"a": 1}, **ROSE_TABLES[1]},
            "Only a token with n - 1 tokens before it counts: leave out the first n - 1.",
        ),
        Mistake(
            {gram[:1]: {gram[1]: 1} for gram in whole},
            "All counts are 1: add to the count instead of setting it.",
        ),
    )
    equal(
        answer(["b", "a", "b", "a"], 3),
        {("b", "a"): {"b": 1}, ("a", "b"): {"a": 1}},
        hint="n = 3: the history has two tokens. Only histories that a token follows have a row.",
    )
    equal(
        answer(list(ROSE), 1),
        ROSE_TABLES[0],
        hint="n = 1: one history, the empty tuple (); and in Python tokens[-0:] is everything.",
    )
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
        number(got, "unseen_rate"),
        1 / 5,
        "ab, bb, ba, ab, ba: bb is not in the training text.",
        Mistake(1 / 3, "That is the fraction of the different n-grams: count every occurrence."),
        Mistake(
            2 / 4, "Look for the n-grams of the test text in the training text, not the reverse."
        ),
        Mistake(4 / 5, "That is the fraction that was seen: return the fraction that was not."),
        Mistake(1 / 6, "You divided by the number of tokens: T tokens have T - n + 1 n-grams."),
        Mistake(3 / 4, "The last n-gram of each text is missing: T tokens have T - n + 1 n-grams."),
        Mistake(1, "That is a count: divide it by the number of n-grams of the test text."),
    )
    near(answer(train, test, 1), 0.0, 1e-9, hint="n = 1: a and b were both seen.")
    near(answer(["a"], test, 2), 1.0, 1e-9, hint="A training text shorter than n has no n-gram.")
    for other, text_of_two in (
        (["cat", "sat"], ["at", "sat"]),
        (["ab", "c"], ["a", "bc"]),
        (["x y", "z"], ["x", "y z"]),
        ([7, 8], ["7", "8"]),
    ):
        joined = "What the training text lacks: compare tuples of tokens, not text made of them."
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


@visible
def interpolated_prob(answer):
    unigram = 0.6 * 3 / 8 + 0.4 / 5
    diagnosed(
        number(answer(ROSE_TABLES, ("is",), "a", 0.6, 5), "interpolated_prob"),
        0.6 + 0.4 * unigram,
        "weight * MLE after the history + (1 - weight) * the same one token shorter.",
        Mistake(0.6 + 0.6 * 3 / 8 + 1 / 5, "The two weights must sum to 1: weight and 1 - weight."),
        Mistake(0.6 + unigram, "The two weights must sum to 1: weight and 1 - weight."),
        Mistake(
            0.6 + 0.4 * 0.6 * 3 / 8,
            "The unigram is mixed with 1 / V, which has the weight 1 - weight there.",
        ),
        Mistake(0.6 + 0.4 * 3 / 8, "The unigram is mixed, too: with 1 / V."),
        Mistake(
            0.6 + 0.4 / 5,
            "Mix all lengths of history: the unigram is between this history and 1 / V. Its "
            "history is (), but history[-m:] with m = 0 is everything.",
        ),
        Mistake(
            0.4 + 0.6 * (0.4 * 3 / 8 + 0.6 / 5),
            "The longer history has the weight `weight`, the shorter one 1 - weight.",
        ),
    )
    near(
        answer(ROSE_TABLES, (), "a", 0.6, 5),
        unigram,
        1e-9,
        hint="For the empty history mix the unigram and 1 / V.",
    )
    hint = "The history was seen, the token after it was not: the MLE is 0, with the same weight."
    near(attempt(answer, (ROSE_TABLES, ("is",), "rose", 0.6, 5), hint), 0.4 * unigram, 1e-9, hint)
    hint = "After an unseen history the result is that of the shorter one."
    diagnosed(
        attempt(answer, (ROSE_TABLES, ("rome",), "a", 0.6, 5), hint),
        unigram,
        hint,
        Mistake(
            0.4 * unigram,
            "An unseen history has no MLE: the shorter one has the weight 1, not 1 - weight.",
        ),
    )
    hint = "If a history is too long for the tables, use its last tokens, not the first."
    got = attempt(answer, (ROSE_TABLES, ("a", "rose", "is"), "a", 0.6, 5), hint)
    near(got, 0.6 + 0.4 * unigram, 1e-9, hint)
    near(
        answer([{}, {}], ("a",), "a", 0.8, 20),
        1 / 20,
        1e-12,
        hint="With empty tables the result is 1 / V.",
    )
    hint = "Climb from 1 / V: at each length that was seen, weight * MLE + (1 - weight) * shorter."
    for order, weight, size in ((1, 0.8, 12), (2, 0.3, 13), (3, 0.45, 14), (4, 0.7, 15)):
        tokens = text(order, 60)
        tables = [table_of(tokens, n + 1) for n in range(order)]
        for history, token in queries(tokens, order):
            got = attempt(answer, (tables, history, token, weight, size), hint)
            near(got, mixed(tokens, order, history, token, weight, size), 1e-10, hint)


@visible
def kneser_ney_prob(answer):
    # paris follows in and from, francisco only san; 9 different bigrams; V = 7
    paris, francisco = (1.25 + 0.75 * 6 / 7) / 9, (0.25 + 0.75 * 6 / 7) / 9
    diagnosed(
        number(answer(CITY_TABLES, (), "paris", 7), "kneser_ney_prob"),
        paris,
        "The empty history: paris follows 2 different tokens, and there are 9 different bigrams.",
        Mistake(
            (1.25 + 0.75 * 6 / 7) / 11,
            "You used raw counts: below the longest history, count the different tokens before.",
        ),
        Mistake(
            2 / 9,
            "The unigram is discounted, too: 1 / V has the weight D N / total. N is the number of "
            "tokens in the row, not in the vocabulary.",
        ),
        Mistake(
            1.25 / 9,
            "The subtracted probability is lost: add D N / total times the lower one, 1 / V here.",
        ),
        Mistake((1.25 + 0.75 / 7) / 9, "D was subtracted from N counts: pass on D N, not D."),
        Mistake(
            1.25 / 9 + 1 / 7,
            "The lower probability has the weight D N / total, or the sum is above 1.",
        ),
    )
    near(
        answer(CITY_TABLES, (), "francisco", 7),
        francisco,
        1e-9,
        hint="francisco occurs twice, but after one token only: its continuation count is 1.",
    )
    near(
        answer(CITY_TABLES, ("in",), "paris", 7),
        (1 - 0.75) / 2 + 0.75 * 2 / 2 * paris,
        1e-9,
        hint="The longest history uses raw counts: (count - D) / total + D N / total * unigram.",
    )
    diagnosed(
        answer(CITY_TABLES, ("in",), "francisco", 7),
        0.75 * francisco,
        "A token not seen after this history has D N / total times the lower probability.",
        Mistake(-0.75 / 2 + 0.75 * francisco, "A count of 0 stays 0: use max(count - D, 0)."),
    )
    hint = "After an unseen history the result is that of the shorter one."
    near(attempt(answer, (CITY_TABLES, ("rome",), "paris", 7), hint), paris, 1e-9, hint)
    diagnosed(
        answer([*CITY_TABLES, CITY_TRIGRAMS], ("rome", "in"), "paris", 7),
        0.25 + 0.75 * paris,
        "Three tables: *in paris* was seen after francisco only, *in san* after nothing.",
        Mistake(
            0.25 / 2 + 0.75 * paris,
            "With three tables the history of one token has continuation counts too, not raw ones.",
        ),
        Mistake(
            0.75 * paris,
            "The new token v is in front of h: compare the key without its first token with h.",
        ),
    )
    hint = "discount=0.5 and a longer history: use the argument, and only the last tokens."
    got = attempt(answer, (CITY_TABLES, ("to", "in"), "paris", 7, 0.5), hint)
    near(got, 0.5 / 2 + 0.5 * (1.5 + 0.5 * 6 / 7) / 9, 1e-9, hint)
    hint = (
        "At each length (max(c - D, 0) + D N lower) / total: raw counts for the longest history "
        "only (with one table that is the empty one), continuation counts below."
    )
    for order, size, discount in (
        (1, 12, 0.75),
        (2, 13, 0.75),
        (3, 14, 0.0),
        (3, 9, 1.0),
        (4, 15, 0.4),
    ):
        tokens = ["first", *text(order + size, 60)]
        tables = [table_of(tokens, n + 1) for n in range(order)]
        for history, token in queries(tokens, order):
            args = (tables, history, token, size) + (() if discount == 0.75 else (discount,))
            want = kneser_ney(tokens, order, history, token, size, discount)
            near(attempt(answer, args, hint), want, 1e-10, hint)
