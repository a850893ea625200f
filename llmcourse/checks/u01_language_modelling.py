"""Visible checks of unit 01: small values worked by hand, and the likely cause when they differ."""

import math

from llmcourse.checks import compare, equal, fail, near, number, raises, unchanged, visible

LN2 = math.log(2)


def likely(got, mistakes, otherwise):
    """The hint of the mistake that leads to exactly what came, else the general one."""
    found = (hint for hint, value in mistakes.items() if compare(got, value, 1e-6) is None)
    return next(found, otherwise)


def attempt(answer, log_probs, hint):
    """The result for these log-probabilities; an arithmetic error fails with the hint."""
    try:
        return answer(log_probs)
    except (ValueError, ArithmeticError) as error:
        shown = ", ".join(f"{x:.4g}" for x in log_probs)
        fail(f"for [{shown}] your code raised {type(error).__name__}: {error}. {hint}")


@visible
def chain_log_prob(answer):
    tokens = ["the", "mouse", "ate", "the", "cheese"]
    probs = [0.5, 0.2, 0.1, 0.8, 0.25]
    asked = []

    def next_prob(history, token):
        asked.append((tuple(history), token))
        return probs[min(len(history), 4)]

    got = number(answer(tokens, next_prob), "chain_log_prob")
    steps = [(tuple(tokens[:t]), tokens[t]) for t in range(5)]
    for history, token in asked:
        if (history, token) not in steps:
            rule = "The history of a token is all tokens before it, and not the token itself."
            fail(f"you asked for the probability of {token!r} after {list(history)}. {rule}", rule)
    for history, token in steps:
        if (history, token) not in asked:
            fail(
                f"next_prob was never asked for {token!r} after {list(history)}: every token "
                "counts, the first too."
            )
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
    try:
        got = answer(["a", "b"], lambda history, token: 0.0 if token == "b" else 0.5)
    except ValueError as error:
        fail(f"a token of probability 0 made your code raise {type(error).__name__}. {hint}")
    near(got, -math.inf, 0.0, hint)


LOGS = [math.log(1 / 2), math.log(1 / 8), math.log(1 / 32)]  # 1, 3 and 5 bits: 3 on average


@visible
def perplexity(answer):
    hint = "The list holds natural logarithms already: take no log of them."
    got = number(attempt(answer, [math.log(1 / 4)] * 3, hint), "perplexity")
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
    near(attempt(answer, [math.log(0.5), -math.inf], hint), math.inf, 0.0, hint)
    raises(ValueError, answer, [], hint="A text of no tokens has no perplexity: refuse it.")


@visible
def bits_per_token(answer):
    hint = "The list holds natural logarithms already: take no log of them."
    attempt(answer, list(LOGS), hint)
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
    hint = "What cannot come (truth 0) costs nothing, whatever the model thinks of it: skip it."
    try:
        got = answer({"a": 1.0, "b": 0.0}, {"a": 0.5, "b": 0.5})
        near(got, 1.0, 1e-9, hint)
        got = answer({"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 0.0})
    except ValueError as error:
        fail(f"a probability of 0 made your code raise {type(error).__name__}. {hint}")
    near(got, 0.0, 1e-9, hint)
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
    hint = "What has probability 0 keeps it at every temperature; log 0 must not stop you."
    try:
        got = answer({"a": 0.75, "b": 0.25, "c": 0.0}, 2.0)
    except ValueError as error:
        fail(f"a probability of 0 made your code raise {type(error).__name__}. {hint}")
    a = 3**0.5 / (1 + 3**0.5)
    near(got, {"a": a, "b": 1 - a, "c": 0.0}, 1e-9, hint)
    raises(ValueError, answer, probs, 0.0, hint="T must be above 0: refuse the rest.")


@visible
def sample_sequence(answer):
    probs = {"a": 0.2, "b": 0.5, "c": 0.3}
    drawn = 0

    def middle():
        nonlocal drawn
        drawn += 1
        return 0.5

    got = answer(lambda history: probs, middle, "end", 4)
    if not isinstance(got, list | tuple):
        fail(f"expected a list of tokens, got a {type(got).__name__}.")
    equal(len(got), 4, "The end token never came: the text has max_length tokens.")
    equal(drawn, 4, "Call uniform() once for each token, and take the token from that number.")
    firsts = []
    for tenth in range(10):
        got = answer(lambda history: probs, lambda u=tenth / 10 + 0.05: u, "end", 1)
        firsts += list(got)
    counts = [firsts.count(token) for token in "abc"]
    hint = "0.05, 0.15, ... 0.95 as uniform numbers should give a, b, c 2, 5 and 3 times."
    if counts == [0, 10, 0]:
        hint = "You always take the likeliest token: that is argmax, not a sample."
    elif max(counts) - min(counts) <= 1:
        hint = "Each token comes equally often: its share of [0, 1) should be its probability."
    elif counts != [2, 5, 3] and sum(counts) == 10:
        hint = "Add up the probabilities one by one; stop at the first sum above uniform()."
    equal(counts, [2, 5, 3], hint)

    asked = []

    def counting(history):
        asked.append(list(history))
        return {"tick": 1.0} if len(history) < 3 else {"end": 1.0}

    got = answer(counting, middle, "end", 9)
    if asked[:3] != [[], ["tick"], ["tick", "tick"]]:
        rule = "give it all tokens drawn so far, [] at first."
        fail(f"next_probs was asked with {asked[:3]}: {rule}", f"next_probs: {rule}")
    if list(got) == ["tick"] * 3:
        fail("the end token is missing: it is drawn like any other, and is the text's last.")
    equal(got, ["tick"] * 3 + ["end"], "Draw until the end token has come, and keep it.")


@visible
def rescore(answer):
    prior = {"wheel": -1.0, "we'll": -4.0, "will": -10.0, "wool": -7.0}
    heard = [-12.0, -4.0, -1.0, -6.0]
    texts = list(prior)
    args = [list(texts), list(heard), lambda text: prior[text]]
    got = answer(*args)
    mistakes = {
        "You ignored the signal: add its log-probability.": "wheel",
        "You ignored the text's own probability: ask text_log_prob(text) and add it.": "will",
        "You multiplied logarithms: a product of probabilities is a sum of logs.": "wool",
        "Return the text, not its position or its score.": 1,
        "Return the text, not its position or its score. ": -8.0,
    }
    equal(got, "we'll", likely(got, mistakes, "The largest sum of the two log-probabilities wins."))
    got = answer(["x", "y", "z"], [-5.0, -3.0, -3.0], lambda text: -2.0)
    equal(got, "y", "Among equals the earliest wins.")
    got = answer([["we", "will"], ["wheel"]], [-5.0, -3.0], lambda text: -1.0)
    equal(got, ["wheel"], "A text may also be a list of words; a list is no key of a dictionary.")
    raises(ValueError, answer, [], [], lambda text: -1.0, hint="No texts: nothing to choose from.")
