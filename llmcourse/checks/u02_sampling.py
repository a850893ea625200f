"""The visible check of the sampling exercise of unit 02.

unit: 02_ngrams
"""

from llmcourse.checks import (
    Mistake,
    Spelled,
    attempt,
    diagnosed,
    equal,
    fail,
    kind_of,
    unchanged,
    visible,
)

TICK = (
    "lambda history: {'tick': 0.0, 'tock': 1.0} if history in (('tick',), ['tick']) "
    "else {'tick': 1.0, 'tock': 0.0}"
)
CHAIN = (
    "lambda history: {w: float('cab'.index(w) == (len(history) + sum(map(ord, history))) % 3) "
    "for w in 'cab'}"
)
COIN = {"a": 0.2, "b": 0.0, "c": 0.5, "d": 0.3}
LAST = "The last token of the dictionary is drawn like any other."

EDGES = (
    ({"never": 0.0, "always": 1.0}, [0.0, 0.0], ("always", "always"),
     "A token of probability 0 is never drawn, even if uniform() returns 0."),
    (dict.fromkeys("abcd", 0.25), [0.0, 0.25, 0.5, 0.75, 0.9999], tuple("abcdd"),
     "A number that is a running sum belongs to the next token: the sum must be above it."),
    ({**dict.fromkeys("abcdefghij", 0.1), "never": 0.0},  # sums to 0.9999999999999999
     [1 - 2**-53], ("j",),
     "Rounding may leave all sums too small: take the last token with a probability above 0."),
    ({"x": 0.125, "y": 0.875}, [0.1, 0.2, 0.99], ("x", "y", "y"), LAST),
    ({"x": 1.0}, [0.0, 0.99], ("x", "x"), LAST),
)  # fmt: skip


@visible
def generate(answer):
    after_tick, half = Spelled(TICK), Spelled("lambda: 0.5")
    hint = "Copy the prompt before you append to it: list(prompt)."
    got = unchanged(lambda prompt: answer(after_tick, prompt, 3, 2, half), (["so", "tick"],), hint)
    if not all(isinstance(history, tuple) for (history,) in after_tick.asked):
        fail("next_probs wants the history as a tuple: tuple(tokens[...]).")
    if not isinstance(got, list | tuple):
        fail(f"expected a list of tokens, got {kind_of(got)}.", "expected a list of tokens.")
    diagnosed(
        got,
        ["so", "tick", "tock", "tick", "tock"],
        "n = 2: each token depends on the one before it; 3 new tokens after the prompt of 2.",
        Mistake(["tock", "tick", "tock"], "The result begins with the prompt."),
        Mistake(["so"] + ["tick"] * 4, "next_probs must see the last n - 1 tokens only, here one."),
    )
    draws = Spelled("iter([0.1, 0.3, 0.9, 0.69, 0.5]).__next__")
    diagnosed(
        answer(Spelled(f"lambda history: {COIN}"), [], 4, 3, draws),
        ["a", "c", "d", "c"],
        "Running sums 0.2, 0.2, 0.7, 1.0: call uniform() once, take the first sum above it.",
        Mistake(["c"] * 4,
                "You always took the most probable token: draw one, with its probability."),
        Mistake(list("abdc"),
                "The probabilities play no part: compare uniform() with their running sum."),
    )  # fmt: skip
    equal(len(draws.asked), 4, hint="Call uniform() once for each new token.")
    for odds, numbers, want, hint in EDGES:
        draws = Spelled(f"iter({numbers}).__next__")
        got = attempt(answer, (Spelled(f"lambda history: {odds}"), [], len(want), 2, draws), hint)
        equal(got, list(want), hint=hint)
    for n, prompt in ((1, "cab"), (2, "cab"), (3, "abca"), (4, "bcabc"), (5, "c"), (3, "")):
        chain, want = Spelled(CHAIN), list(prompt)
        for _ in range(7):
            odds = chain.function(want[max(0, len(want) - n + 1) :])
            want.append(max(odds, key=odds.__getitem__))
        hint = (
            f"n = {n}: next_probs gets the last {n - 1} tokens, all of a shorter text, and () for "
            "n = 1; in Python tokens[-0:] is everything."
        )
        equal(answer(chain, list(prompt), 7, n, half), want, hint)
    equal(answer(after_tick, ["y"], 0, 2, half), ["y"], hint="Length 0: only the prompt.")
