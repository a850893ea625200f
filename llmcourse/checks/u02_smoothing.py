"""The visible checks of the two smoothings of unit 02 that ask shorter histories.

unit: 02_ngrams
"""

from llmcourse.checks import Mistake, attempt, diagnosed, near, number, visible
from llmcourse.checks.u02_counted import kneser_ney, mixed, queries, tables_of, text

ROSE_TABLES = tables_of(["a", "rose", "is", "a", "rose", "is", "a", "rose"], 2)
CITY = ["in", "san", "francisco", "to", "san", "francisco", "in", "paris", "from", "paris", "to"]
CITY_TABLES = tables_of(CITY, 2)


@visible
def interpolated_prob(answer):
    unigram = 0.6 * 3 / 8 + 0.4 / 5
    sum_to_1 = "The two weights must sum to 1: weight and 1 - weight."
    diagnosed(
        number(answer(ROSE_TABLES, ("is",), "a", 0.6, 5), "interpolated_prob"),
        0.6 + 0.4 * unigram,
        "weight * MLE after the history + (1 - weight) * the same one token shorter.",
        Mistake(0.6 + 0.6 * 3 / 8 + 1 / 5, sum_to_1),
        Mistake(0.6 + unigram, sum_to_1),
        Mistake(0.6 + 0.4 * 0.6 * 3 / 8,
                "The unigram is mixed with 1 / V, which has the weight 1 - weight there."),
        Mistake(0.6 + 0.4 * 3 / 8, "The unigram is mixed, too: with 1 / V."),
        Mistake(0.6 + 0.4 / 5,
                "Mix all lengths of history: the unigram is between this history and 1 / V. Its "
                "history is (), but history[-m:] with m = 0 is everything."),
        Mistake(0.4 + 0.6 * (0.4 * 3 / 8 + 0.6 / 5),
                "The longer history has the weight `weight`, the shorter one 1 - weight."),
    )  # fmt: skip
    hint = "For the empty history mix the unigram and 1 / V."
    near(answer(ROSE_TABLES, (), "a", 0.6, 5), unigram, 1e-9, hint)
    hint = "The history was seen, the token after it was not: the MLE is 0, with the same weight."
    near(attempt(answer, (ROSE_TABLES, ("is",), "rose", 0.6, 5), hint), 0.4 * unigram, 1e-9, hint)
    hint = "After an unseen history the result is that of the shorter one."
    no_mle = "An unseen history has no MLE: the shorter one has the weight 1, not 1 - weight."
    got = attempt(answer, (ROSE_TABLES, ("rome",), "a", 0.6, 5), hint)
    diagnosed(got, unigram, hint, Mistake(0.4 * unigram, no_mle))
    hint = "If a history is too long for the tables, use its last tokens, not the first."
    got = attempt(answer, (ROSE_TABLES, ("a", "rose", "is"), "a", 0.6, 5), hint)
    near(got, 0.6 + 0.4 * unigram, 1e-9, hint)
    hint = "With empty tables the result is 1 / V."
    near(answer([{}, {}], ("a",), "a", 0.8, 20), 1 / 20, 1e-12, hint)
    hint = "Climb from 1 / V: at each length that was seen, weight * MLE + (1 - weight) * shorter."
    for order, weight, size in ((1, 0.8, 12), (2, 0.3, 13), (3, 0.45, 14), (4, 0.7, 15)):
        tokens = text(order, 60)
        tables = tables_of(tokens, order)
        for history, token in queries(tokens, order):
            got = attempt(answer, (tables, history, token, weight, size), hint)
            near(got, mixed(tokens, order, history, token, weight, size), 1e-10, hint)


@visible
def kneser_ney_prob(answer):
    # paris follows in and from, francisco only san; 9 different bigrams; V = 7
    paris, francisco = (1.25 + 0.75 * 6 / 7) / 9, (0.25 + 0.75 * 6 / 7) / 9
    diagnosed(
        number(answer(CITY_TABLES, (), "paris", 7), "kneser_ney_prob"), paris,
        "The empty history: paris follows 2 different tokens, and there are 9 different bigrams.",
        Mistake((1.25 + 0.75 * 6 / 7) / 11,
                "You used raw counts: below the longest history, count the different tokens "
                "before."),
        Mistake(2 / 9,
                "The unigram is discounted, too: 1 / V has the weight D N / total. N is the number "
                "of tokens in the row, not in the vocabulary."),
        Mistake(1.25 / 9,
                "The subtracted probability is lost: add D N / total times the lower one, 1 / V "
                "here."),
        Mistake((1.25 + 0.75 / 7) / 9, "D was subtracted from N counts: pass on D N, not D."),
        Mistake(1.25 / 9 + 1 / 7,
                "The lower probability has the weight D N / total, or the sum is above 1."),
    )  # fmt: skip
    hint = "francisco occurs twice, but after one token only: its continuation count is 1."
    near(answer(CITY_TABLES, (), "francisco", 7), francisco, 1e-9, hint)
    hint = "The longest history uses raw counts: (count - D) / total + D N / total * unigram."
    want = (1 - 0.75) / 2 + 0.75 * 2 / 2 * paris
    near(answer(CITY_TABLES, ("in",), "paris", 7), want, 1e-9, hint)
    diagnosed(
        answer(CITY_TABLES, ("in",), "francisco", 7), 0.75 * francisco,
        "A token not seen after this history has D N / total times the lower probability.",
        Mistake(-0.75 / 2 + 0.75 * francisco, "A count of 0 stays 0: use max(count - D, 0)."),
    )  # fmt: skip
    hint = "After an unseen history the result is that of the shorter one."
    near(attempt(answer, (CITY_TABLES, ("rome",), "paris", 7), hint), paris, 1e-9, hint)
    diagnosed(
        answer(tables_of(CITY, 3), ("rome", "in"), "paris", 7), 0.25 + 0.75 * paris,
        "Three tables: *in paris* was seen after francisco only, *in san* after nothing.",
        Mistake(0.25 / 2 + 0.75 * paris,
                "With three tables the history of one token has continuation counts too, not raw "
                "ones."),
        Mistake(0.75 * paris,
                "The new token v is in front of h: compare the key without its first token with "
                "h."),
    )  # fmt: skip
    hint = "discount=0.5 and a longer history: use the argument, and only the last tokens."
    got = attempt(answer, (CITY_TABLES, ("to", "in"), "paris", 7, 0.5), hint)
    near(got, 0.5 / 2 + 0.5 * (1.5 + 0.5 * 6 / 7) / 9, 1e-9, hint)
    hint = (
        "At each length (max(c - D, 0) + D N lower) / total: raw counts for the longest history "
        "only (with one table that is the empty one), continuation counts below."
    )
    sizes = ((1, 12, 0.75), (2, 13, 0.75), (3, 14, 0.0), (3, 9, 1.0), (4, 15, 0.4))
    for order, size, discount in sizes:
        tokens = ["first", *text(order + size, 60)]
        tables = tables_of(tokens, order)
        for history, token in queries(tokens, order):
            args = (tables, history, token, size) + (() if discount == 0.75 else (discount,))
            want = kneser_ney(tokens, order, history, token, size, discount)
            near(attempt(answer, args, hint), want, 1e-10, hint)
