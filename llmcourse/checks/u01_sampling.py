"""The visible check of the sampling exercise of unit 01.

unit: 01_language_modelling
"""

import math

from llmcourse.checks import Spelled, attempt, equal, fail, kind_of, visible

COIN = "{'a': 0.2, 'b': 0.5, 'c': 0.3}"
NEXT = f"{{(): {COIN}, ('a',): {{'a': 0.5, 'b': 0.1, 'c': 0.4}}}}.get(tuple(history), {COIN})"
FRACTIONS = "a, b and c should get 0.2, 0.5 and 0.3 of the numbers from 0 to 1."
ONCE = "Call uniform() exactly once for each token, and take the token from that number."
ARGMAX = "You always take the most probable token: that is argmax, not a sample."
EVENLY = "Each token comes equally often: its part of [0, 1) should be as long as its probability."
AGAIN = "The number decides: the same numbers must give the same text, whatever was drawn before."
AT_MOST = "A text has at most max_length tokens."
TO_THE_END = "Draw until the end token has come, and keep it."
HAIR = (
    "Ten times 0.1 adds up to a hair below 1: then the last token that can come is taken; "
    "a token of probability 0 never comes."
)


def numbers(*values):
    """Return a `uniform` that gives these numbers, one a call."""
    return Spelled(f"iter({list(values)}).__next__")


def sampled(answer, model, draws, end, limit, hint, counted=True):
    """Return the list of tokens drawn; each must have taken one number."""
    uniform = numbers(*draws)
    try:
        got = answer(model, uniform, end, limit)
    except NotImplementedError:  # a RuntimeError, too
        raise
    except (StopIteration, RuntimeError):
        fail("your code called uniform() too often.", hint=ONCE)
    if not isinstance(got, list | tuple):
        fail(f"expected a list of tokens, got {kind_of(got)}.", "expected a list of tokens.")
    if counted and len(uniform.asked) != len(got):
        fail(
            f"{len(got)} tokens and {len(uniform.asked)} calls of uniform().",
            "uniform() was not called once for each token.",
            ONCE,
        )
    if len(got) > limit:
        fail(f"expected at most {limit} tokens, got {len(got)}.", "the text is too long.", hint)
    return list(got)


@visible
def sample_sequence(answer):
    model = Spelled(f"lambda history: {COIN}")
    got = sampled(answer, model, [0.5] * 9, "end", 4, AT_MOST)
    equal(len(got), 4, "The end token never came: the text has max_length tokens.")
    grid, firsts = [tenth / 10 + 0.05 for tenth in range(10)], []
    for u in (*grid, *reversed(grid)):
        firsts += sampled(answer, model, [u, 0.9], "end", 1, AT_MOST)
    counts = [firsts[:10].count(token) for token in "abc"]
    hint = "0.05, 0.15, ... 0.95 as uniform numbers should give a, b, c 2, 5 and 3 times."
    if counts == [0, 10, 0]:
        hint = ARGMAX
    elif max(counts) - min(counts) <= 1:
        hint = EVENLY
    elif counts != [2, 5, 3] and sum(counts) == 10:
        hint = "Add up the probabilities one by one; stop at the first sum above uniform()."
    equal(counts, [2, 5, 3], hint)
    equal(firsts[10:], firsts[9::-1], AGAIN)

    model = Spelled(f"lambda history: {NEXT}")
    pairs = [sampled(answer, model, [u, v, 0.5], "end", 2, FRACTIONS) for u in grid for v in grid]
    came = {"".join(map(str, pair)): pairs.count(pair) for pair in pairs}
    follow = {"a": {"a": 5, "b": 1, "c": 4}}
    coin = {"a": 2, "b": 5, "c": 3}
    want = {u + v: coin[u] * follow.get(u, coin)[v] for u in "abc" for v in "abc"}
    equal(came, want, "The second token is drawn from next_probs([first token]).")

    model = Spelled("lambda history: {'tick': 1.0} if len(history) < 3 else {'end': 1.0}")
    got = sampled(answer, model, [0.5] * 9, "end", 9, "Draw until the end token has come.", False)
    asked = [list(history) for (history,) in model.asked]
    if asked[:3] != [[], ["tick"], ["tick", "tick"]]:
        rule = "give it all tokens drawn so far, [] at first."
        fail(
            f"next_probs was asked with {asked[:3]}.",
            "next_probs was asked with something else.",
            rule,
        )
    if got == ["tick"] * 3:
        fail("the end token is missing: it is drawn like any other, and is the text's last.")
    equal(got, ["tick"] * 3 + ["end"], TO_THE_END)
    model = Spelled(
        "lambda history: {''.join(['st', 'op']): 1.0}"
    )  # equal to the end, another object
    got = sampled(answer, model, [0.5] * 9, "stop", 5, "Stop when the end token has come.")
    equal(got, ["stop"], "Stop when the end token has come; compare it with ==.")
    got = sampled(answer, Spelled("lambda history: {'on': 1.0}"), [0.5] * 300, "end", 270, "")
    equal(len(got), 270, "The end token never came: the text has max_length tokens.")
    low = "{'never': 0.0, **dict.fromkeys('abcdefghij', 0.1), 'no': 0.0}"
    for u, token in ((0.0, "a"), (math.nextafter(1, 0), "j")):
        model = Spelled(f"lambda history: {low}")
        got = attempt(sampled, (answer, model, [u, 0.5], "end", 1, HAIR), HAIR)
        if len(got) != 1 or got[0] not in tuple("abcdefghij"):
            fail(f"expected a token like {token!r}, got {got}.", "that token cannot come.", HAIR)
