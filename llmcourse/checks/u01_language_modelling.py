"""Visible checks of unit 01: small values worked by hand, and the likely cause when they differ."""

import math

from llmcourse.checks import (
    Spelled,
    attempt,
    compare,
    equal,
    fail,
    near,
    number,
    raises,
    unchanged,
    visible,
)
from llmcourse.checks.u01_sampling import sample_sequence

__all__ = [
    "bits_per_token",
    "chain_log_prob",
    "cross_entropy",
    "perplexity",
    "rescore",
    "sample_sequence",
    "temper",
    "unigram_probs",
]

LN2 = math.log(2)


def likely(got, mistakes, otherwise):
    """Return the hint of the mistake that leads to exactly what came, else the general one."""
    found = (hint for hint, value in mistakes.items() if compare(got, value, 1e-6) is None)
    return next(found, otherwise)


@visible
def chain_log_prob(answer):
    tokens = ["the", "mouse", "ate", "the", "cheese"]
    probs = [0.5, 0.2, 0.1, 0.8, 0.25]
    next_prob = Spelled("lambda history, token: [0.5, 0.2, 0.1, 0.8, 0.25][min(len(history), 4)]")
    got = number(answer(list(tokens), next_prob), "chain_log_prob")
    asked = [(tuple(history), token) for history, token in next_prob.asked]
    steps = [(tuple(tokens[:t]), tokens[t]) for t in range(5)]
    for history, token in asked:
        if (history, token) not in steps:
            rule = "The history of a token is all tokens before it, and not the token itself."
            fail(f"you asked for the probability of {token!r} after {list(history)}.", "", rule)
    for history, token in steps:
        if (history, token) not in asked:
            hint = "every token counts, the first too."
            fail(f"next_prob was never asked for {token!r} after {list(history)}.", hint=hint)
    logs = [math.log(p) for p in probs]
    mistakes = {
        "This is the probability itself: return its natural logarithm.": math.prod(probs),
        "You multiplied logarithms: the log of a product is a sum.": math.prod(logs),
        "The sign: the log of a probability is never positive.": -sum(logs),
        "That is log base 2: use the natural logarithm, math.log.": sum(logs) / LN2,
        "That is log base 10: use the natural logarithm, math.log.": sum(logs) / math.log(10),
        "You added probabilities before taking the log: add the logs.": math.log(sum(probs)),
        "That is a mean: a text's log-probability is the sum.": sum(logs) / 5,
    }
    near(got, sum(logs), 1e-9, likely(got, mistakes, "Add log P(token | history) over all tokens."))
    near(
        answer([], next_prob), 0.0, 0.0, "With no tokens the product is empty, 1, and its log is 0."
    )
    hint = "A text with an impossible token is impossible: log 0 is -inf, and math.log(0) raises."
    for never in "ab":
        model = Spelled(f"lambda history, token: 0.0 if token == {never!r} else 0.5")
        near(attempt(answer, (["a", "c", "b"], model), hint), -math.inf, 0.0, hint)
    model = Spelled("lambda history, token: 1 / (2 + len(history) + history.count(token))")
    long = list("abracadabra, abracadabra")
    want = sum(math.log(model.function(long[:t], token)) for t, token in enumerate(long))
    near(answer(list(long), model), want, 1e-9, "The history is all tokens before, however many.")
    hint = "The product of many probabilities underflows to 0: add logs, do not multiply."
    rare = Spelled("lambda history, token: 1e-6 if token else 1e-9")
    for long in ([1] * 60, [1, 0] * 40):
        want = sum(math.log(1e-6 if token else 1e-9) for token in long)
        near(attempt(answer, (long, rare), hint), want, 1e-9, hint)


LOGS = [math.log(1 / 2), math.log(1 / 8), math.log(1 / 32)]  # 1, 3 and 5 bits: 3 on average


def varied():
    """Return log-probabilities of a short, a middling and a long text."""
    return [[-(0.1 + (7 * i % 40) / 10) for i in range(length)] for length in (1, 7, 5_000)]


@visible
def perplexity(answer):
    hint = "The list holds natural logarithms already: take no log of them."
    got = number(attempt(answer, ([math.log(1 / 4)] * 3,), hint), "perplexity")
    mistakes = {
        "You forgot to divide by the number of tokens: take the mean, not the sum.": 64.0,
        "That is 1 / perplexity: the sign of the mean.": 1 / 4,
        "That is the mean log-probability: raise e to it.": -math.log(4),
        "That is minus the mean log-probability: raise e to it.": math.log(4),
        "The logs are natural: undo them with exp, not with 2 ** x.": 2 ** math.log(4),
        "The logs are natural, so no conversion to bits before exp.": math.exp(2),
    }
    hint = likely(got, mistakes, "Equal choice among 4 has perplexity 4, for any length.")
    near(got, 4.0, 1e-9, hint)
    got = number(unchanged(answer, [list(LOGS)], "Leave the list as it was."), "perplexity")
    mistakes = {
        "You averaged the probabilities: average their logarithms.": 3 / (1 / 2 + 1 / 8 + 1 / 32),
        "You averaged 1 / p: average the logarithms, then undo the log.": (2 + 8 + 32) / 3,
    }
    near(got, 8.0, 1e-9, likely(got, mistakes, "Probabilities 1/2, 1/8, 1/32: 3 bits on average."))
    hint = "One impossible token makes the whole text infinitely surprising: return math.inf."
    near(attempt(answer, ([math.log(0.5), -math.inf],), hint), math.inf, 0.0, hint)
    hint = "The product of many probabilities is 0 for the computer: average the logs, then exp."
    for logs in varied():
        near(attempt(answer, (logs,), hint), math.exp(-math.fsum(logs) / len(logs)), 1e-9, hint)
    raises(ValueError, answer, [], hint="A text of no tokens has no perplexity: refuse it.")


@visible
def bits_per_token(answer):
    hint = "The list holds natural logarithms already: take no log of them."
    attempt(answer, (list(LOGS),), hint)
    got = number(unchanged(answer, [list(LOGS)], "Leave the list as it was."), "bits_per_token")
    mistakes = {
        hint: sum(math.log2(-x) for x in LOGS) / 3,
        "That is in nats: one bit is ln 2 nats, so divide by math.log(2).": 3 * LN2,
        "You multiplied by ln 2: a bit is the smaller unit, so there are more of them.": 3 * LN2**2,
        "The sign: a log-probability is negative, a number of bits is not.": -3.0,
        "You forgot to divide by the number of tokens.": 9.0,
        "That is the perplexity: the bits are its log, base 2.": 8.0,
        "You averaged the probabilities: average their logarithms.": -math.log2(21 / 96),
    }
    near(got, 3.0, 1e-9, likely(got, mistakes, "Surprises of 1, 3 and 5 bits: 3 on average."))
    near(answer([0.0, 0.0]), 0.0, 1e-12, "Sure of every token (p = 1): nothing to tell, 0 bits.")
    hint = "One impossible token makes the whole text infinitely surprising: return math.inf."
    near(attempt(answer, ([math.log(0.5), -math.inf, -1.0],), hint), math.inf, 0.0, hint)
    hint = "Minus the mean of the logs, over ln 2. Go by the logs: exp of a large sum is 0."
    for logs in varied():
        near(attempt(answer, (logs,), hint), -math.fsum(logs) / len(logs) / LN2, 1e-9, hint)
    raises(ValueError, answer, [], hint="A text of no tokens has no mean: refuse it.")


@visible
def unigram_probs(answer):
    args = [["a", "b", "a"], ["a", "b", "c"], 0.5]
    got = unchanged(answer, args, "Leave the arguments as they were.")
    if isinstance(got, dict) and set(got) == {"a", "b"}:
        fail("'c' is missing: every word of the vocabulary gets a probability, seen or not.")
    mistakes = {
        "They sum to more than 1: V epsilons came in above, so V below.": (2.5, 1.5, 0.5, 3),
        "Below, add epsilon once for each of the V words, not once.": (2.5, 1.5, 0.5, 3.5),
        "Below, add epsilon times V, not V.": (2.5, 1.5, 0.5, 6),
        "V is the size of the vocabulary, not the number of different tokens in the text.": (
            *(2.5, 1.5, 0.5),
            4,
        ),
        "These are counts: divide by their total.": (2.5, 1.5, 0.5, 1),
        "Epsilon goes to every word, not only to unseen ones.": (2, 1, 0.5, 3.5),
        "Epsilon is missing.": (2, 1, 0, 3),
        "You added 1 to each count: add epsilon.": (3, 2, 1, 6),
    }
    mistakes = {
        hint: {token: count / total for token, count in zip("abc", counts, strict=True)}
        for hint, (*counts, total) in mistakes.items()
    }
    hint = "Each count grows by epsilon = 0.5, so the total grows by 3 * 0.5."
    hint = likely(got, mistakes, hint)
    near(got, {"a": 2.5 / 4.5, "b": 1.5 / 4.5, "c": 0.5 / 4.5}, 1e-9, hint)
    near(
        answer([], ["x", "y"], 1.0),
        {"x": 0.5, "y": 0.5},
        1e-9,
        "Nothing counted: only the epsilons are left, and all are equal.",
    )
    hint = "Epsilon 0: count / N, and 0 for a token that did not come."
    for tokens, vocabulary in ((["a"], ["a"]), ([3, 5, 3, 3], [5, 4, 3]), (["a"] * 9, ["b", "a"])):
        want = {token: tokens.count(token) / len(tokens) for token in vocabulary}
        near(answer(tokens, vocabulary, 0.0), want, 1e-12, hint)
    vocabulary = [f"w{i}" for i in range(300)]
    tokens = [vocabulary[i * i % 211] for i in range(2_000)]
    want = {token: (tokens.count(token) + 1e-4) / 2_000.03 for token in vocabulary}
    near(answer(tokens, vocabulary, 1e-4), want, 1e-12, "No rounding, and epsilon as it is given.")
    hint = "No tokens and epsilon 0: there is nothing to divide by; refuse it."
    raises(ValueError, answer, [], ["a", "b"], 0.0, hint=hint)
    hint = "A token that the vocabulary lacks can have no probability: refuse it."
    raises(ValueError, answer, ["a", "z"], ["a", "b"], 1.0, hint=hint)


def _bits(truth, model):
    return -sum(p * math.log2(model[token]) for token, p in truth.items())


@visible
def cross_entropy(answer):
    truth = {"sun": 1 / 2, "rain": 1 / 4, "snow": 1 / 4}
    model = {"snow": 1 / 2, "rain": 3 / 8, "sun": 1 / 8}
    fair = {"heads": 0.5, "tails": 0.5}
    got = number(answer(fair, fair), "cross_entropy")
    mistakes = {
        "That is in nats: use log base 2.": LN2,
        "The sign: minus the sum.": -1.0,
        "You subtracted the entropy: the cost of the truth itself belongs to it.": 0.0,
    }
    near(got, 1.0, 1e-9, likely(got, mistakes, "A fair coin costs 1 bit a throw."))
    got = number(answer(truth, model), "cross_entropy")
    in_order = zip(truth.values(), model.values(), strict=True)
    mistakes = {
        "The arguments are swapped: `truth` weighs, `model` stands in the log.": _bits(
            model, truth
        ),
        "That is the entropy of the model: weigh with the truth.": _bits(model, model),
        "That is the entropy of the truth: the model stands in the log.": _bits(truth, truth),
        "You subtracted the entropy: the cost of the truth itself belongs to it.": _bits(
            truth, model
        )
        - _bits(truth, truth),
        "You paired the two by position: pair them by token.": -sum(
            p * math.log2(q) for p, q in in_order
        ),
        "A plain mean over tokens: weigh each by its true probability.": _bits(
            dict.fromkeys(truth, 1 / 3), model
        ),
    }
    hint = likely(got, mistakes, "Weigh -log2 model[token] by truth[token] and add up.")
    near(got, _bits(truth, model), 1e-9, hint)
    costless = "What cannot come (truth 0) costs nothing, whatever the model thinks of it: skip it."
    endless = "What can come and is impossible for the model (0, or no entry) costs math.inf."
    for truth, model, want, hint in (
        ({"a": 1.0, "b": 0.0}, {"a": 0.5, "b": 0.5}, 1.0, costless),
        ({"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 0.0}, 0.0, costless),
        ({"b": 0.0, "a": 0.25, "c": 0.75}, {"a": 0.5, "c": 0.25}, 1.75, costless),
        ({"a": 0.5, "b": 0.5}, {"a": 1.0, "b": 0.0}, math.inf, endless),
        ({"a": 0.5, "b": 0.5}, {"b": 1.0}, math.inf, endless),
    ):
        near(attempt(answer, (truth, model), hint), want, 1e-9, hint)
    raises(ValueError, answer, {}, {"a": 1.0}, hint="An empty `truth` is no distribution.")


@visible
def temper(answer):
    probs = {"a": 0.5, "b": 0.3, "c": 0.2}
    hint = "Leave the dictionary you were given as it was: build a new one."
    got = unchanged(answer, [probs, 0.5], hint)
    powers = {token: p**2 for token, p in probs.items()}
    want = {token: power / 0.38 for token, power in powers.items()}
    roots = sum(p**0.5 for p in probs.values())
    lifted = {token: math.exp(p / 0.5) for token, p in probs.items()}
    mistakes = {
        "They do not sum to 1: divide by their sum.": powers,
        "You used p ** T: the exponent is 1 / T.": {t: p**0.5 / roots for t, p in probs.items()},
        "Nothing changed: dividing p by T cancels when you renormalise. Divide log p by T.": probs,
        "You put p / T into exp: it is log p that is divided by T.": {
            token: weight / sum(lifted.values()) for token, weight in lifted.items()
        },
    }
    near(got, want, 1e-9, likely(got, mistakes, "At T = 1/2 each p is squared, then renormalised."))
    near(answer(probs, 1.0), probs, 1e-9, "T = 1 changes nothing.")
    zero = "What has probability 0 keeps it at every temperature; log 0 must not stop you."
    cold = (
        "p ** (1 / T) underflows or overflows at small T: divide log p by T, subtract the largest, "
        "then exp."
    )
    weights = "Any weights are allowed: divide by the sum in the end, and only there."
    many = {f"w{i}": 1 + i * i % 17 for i in range(40)}
    for given, temperature, hint in (
        ({"a": 0.75, "b": 0.25, "c": 0.0}, 2.0, zero),
        (probs, 1.7, "p ** (1 / T), divided by the sum of these."),
        ({"a": 0.0, "b": 2.0, "c": 5.0}, 1.0, weights),
        ({"a": 0.0, "b": 700.0, "c": 7.0, "d": 700.0}, 2.5, weights),
        ({"a": 0.0, "b": 700.0, "c": 7.0, "d": 700.0}, 0.002, cold),
        ({token: weight / 400 for token, weight in many.items()}, 0.001, cold),
        ({token: weight / 400 for token, weight in many.items()}, 1e6, cold),
    ):
        got = attempt(answer, (given, temperature), hint)
        near(got, _tempered(given, temperature), 1e-9, hint)
    for temperature in (0.0, -1.5):
        raises(ValueError, answer, probs, temperature, hint="T must be above 0: refuse the rest.")


def _tempered(probs, temperature):
    """Compute relative to the largest, so that nothing under- or overflows."""
    top = max(probs.values())
    powers = {t: math.exp(math.log(p / top) / temperature) if p else 0.0 for t, p in probs.items()}
    return {token: power / math.fsum(powers.values()) for token, power in powers.items()}


@visible
def rescore(answer):
    prior = {"wheel": -1.0, "we'll": -4.0, "will": -10.0, "wool": -7.0}
    heard = [-12.0, -4.0, -1.0, -6.0]
    texts = list(prior)
    told = Spelled(f"lambda text: {prior}[text]")
    got = answer(list(texts), list(heard), told)
    mistakes = {
        "You ignored the signal: add its log-probability.": "wheel",
        "You ignored the text's own probability: ask text_log_prob(text) and add it.": "will",
        "You multiplied logarithms: a product of probabilities is a sum of logs.": "wool",
        "Return the text, not its position or its score.": 1,
        "Return the text, not its position or its score. ": -8.0,
    }
    equal(got, "we'll", likely(got, mistakes, "The largest sum of the two log-probabilities wins."))
    got = answer(["x", "y", "z"], [-5.0, -3.0, -3.0], Spelled("lambda text: -2.0"))
    equal(got, "y", "Among equals the earliest wins.")
    got = answer([["we", "will"], ["wheel"]], [-5.0, -3.0], Spelled("lambda text: -1.0"))
    equal(got, ["wheel"], "A text may also be a list of words; a list is no key of a dictionary.")
    hint = "exp of such sums is 0 for all of them: compare the logs."
    prior = {"so": -4_100.0, "sow": -4_900.0, "sew": -4_500.0}
    heard = [-4_900.0, -4_095.0, -4_502.0]
    equal(answer(list(prior), heard, Spelled(f"lambda text: {prior}[text]")), "sow", hint)
    hint = "-inf is a score like any other, below all: even then the earliest of equals wins."
    got = answer(["x", "y"], [-1.0, -1.0], Spelled("lambda text: -math.inf", math=math))
    equal(got, "x", hint)
    no = Spelled("lambda text: -1.0")
    raises(ValueError, answer, [], [], no, hint="No texts: nothing to choose from.")
