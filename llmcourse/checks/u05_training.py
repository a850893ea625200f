"""Visible checks of unit 05: the model, the optimiser's step, the search for settings.

unit: 05_neural_lm
"""

import math
from functools import partial
from typing import Any

import numpy as np

from llmcourse.checks import (
    Mistake,
    Spelled,
    diagnosed,
    equal,
    fail,
    items,
    method,
    near,
    raises,
    unchanged,
    visible,
)
from llmcourse.checks.arrays import shaped

close = partial(diagnosed, tolerance=1e-6)


def network(rng: Any, inputs: int, hidden: int, vocab: int) -> dict[str, np.ndarray]:
    """Return random parameters of the network, all different from 0."""
    shapes = {"W1": (inputs, hidden), "b1": (hidden,), "W2": (hidden, vocab), "b2": (vocab,)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


@visible
def FixedWindowLM(answer):
    rng = np.random.default_rng(7)
    params = network(rng, 6, 4, 5) | {"E": rng.standard_normal((5, 2))}
    E, ids = params["E"], np.array([[2, 0, 3], [1, 1, 4]])
    x = np.array([np.concatenate([E[i] for i in row]) for row in ids])
    got = shaped(
        method(answer, (params,), "features", ids), (2, 6), "features", "Shape (B, w d): reshape."
    )
    close(
        got,
        x,
        "The vectors stand side by side, oldest token first.",
        Mistake(
            np.transpose(E[ids], (0, 2, 1)).reshape(2, 6),
            "You mixed the vectors: first all numbers of the first token.",
        ),
        Mistake(x.reshape(2, 3, 2)[:, ::-1].reshape(2, 6), "The oldest token comes first."),
        what="features",
    )
    logits = shaped(method(answer, (params,), "logits", ids), (2, 5), "logits", "Shape (B, V).")
    hidden = np.tanh(x @ params["W1"] + params["b1"])
    close(
        logits,
        hidden @ params["W2"] + params["b2"],
        "tanh(x W1 + b1) W2 + b2.",
        Mistake(hidden @ params["W2"], "The bias b2 is missing."),
        Mistake(
            x @ params["W1"] @ params["W2"] + params["b2"], "The nonlinearity is missing: np.tanh."
        ),
        what="logits",
    )
    dx = np.arange(1.0, 13).reshape(2, 6)
    want = [[3, 4], [16, 18], [1, 2], [5, 6], [11, 12]]
    last = [[3, 4], [9, 10], [1, 2], [5, 6], [11, 12]]
    close(
        shaped(
            method(answer, (params,), "embedding_gradient", ids, dx),
            (5, 2),
            "the gradient by E",
            "It has the shape of E.",
        ),
        want,
        "Row i of it is the sum of the derivatives of all places where token i stands.",
        Mistake(last, "Token 1 stands twice and only one place came through: use np.add.at."),
        what="the gradient by E",
    )
    for V, w, d, F, B in ((4, 2, 3, 2, 4), (6, 1, 4, 3, 2), (3, 4, 1, 5, 4), (4, 3, 3, 3, 3)):
        params = network(rng, w * d, F, V) | {"E": rng.standard_normal((V, d))}
        ids, dx = rng.integers(0, V, (B, w)), rng.standard_normal((B, w * d))
        x = np.array([np.concatenate([params["E"][i] for i in row]) for row in ids])
        per_token = np.eye(V)[ids]
        hidden = np.tanh(x @ params["W1"] + params["b1"])
        for name, args, want, hint in (
            ("features", (ids,), x, "The vectors stand side by side, oldest token first."),
            ("logits", (ids,), hidden @ params["W2"] + params["b2"], "tanh(x W1 + b1) W2 + b2."),
            (
                "embedding_gradient",
                (ids, dx),
                np.einsum("btv,btd->vd", per_token, dx.reshape(B, w, d)),
                "Row i sums the derivatives of all places where token i stands.",
            ),
        ):
            asked = partial(method, answer, (params,), name)
            got = shaped(asked(*map(np.copy, args)), want.shape, name, hint)
            close(got, want, hint, what=name)


@visible
def sgd_step(answer):
    params = {"W": np.array([[1.0, 2.0]]), "b": np.array([3.0])}
    gradients = {"W": np.array([[10.0, -10.0]]), "b": np.array([4.0])}
    velocity = {"W": np.array([[2.0, 2.0]]), "b": np.array([-1.0])}
    everything = (params, gradients, velocity)
    kept = [{name: value.copy() for name, value in part.items()} for part in everything]
    new, faster = items(answer(*everything, 0.1, 0.5), 2, "Return (parameters, velocity).")
    for part, was in zip(everything, kept, strict=True):
        equal(part, was, hint="The call changed its arguments: make new arrays, no += or -=.")
    close(
        faster,
        {"W": [[11.0, -9.0]], "b": [3.5]},
        "v = momentum * v + gradient.",
        Mistake(
            {"W": [[6.0, -4.0]], "b": [1.5]}, "The gradient enters whole, not times 1 - momentum."
        ),
        Mistake({"W": [[1.1, -0.9]], "b": [0.35]}, "The learning rate scales the step, not v."),
        Mistake(
            {"W": [[0.0, 2.0]], "b": [-0.9]}, "v sums gradients: lr and the minus come in the step."
        ),
        what="the new velocity",
    )
    close(
        new,
        {"W": [[-0.1, 2.9]], "b": [2.65]},
        "p - lr * v, with the new velocity.",
        Mistake({"W": [[0.8, 1.8]], "b": [3.1]}, "You moved by the old velocity: update v first."),
        Mistake({"W": [[2.1, 1.1]], "b": [3.35]}, "You went uphill: p minus lr * v."),
        Mistake(
            {"W": [[0.0, 3.0]], "b": [2.6]}, "You moved by the gradient alone: use the velocity."
        ),
        what="the new parameters",
    )
    near(answer(*everything, 0.1)[1], gradients, 1e-12, "Without momentum v is the gradient.")
    rng = np.random.default_rng(6)
    shapes = {"E": (3, 2), "b": (4,), "W": (1, 2)}
    for lr, momentum in ((0.25, 0.0), (0.03, 0.9), (0.4, 0.3)):
        p, g, v = ({n: rng.normal(size=s) for n, s in shapes.items()} for _ in range(3))
        fast = {n: momentum * v[n] + g[n] for n in p}
        want = {n: p[n] - lr * fast[n] for n in p}, fast
        rates = (lr, momentum) if momentum else (lr,)
        got = unchanged(answer, (p, g, v, *rates), "Make new arrays, no += or -=.")
        near(got, want, 1e-9, "v = momentum v + gradient, then p - lr v, for every name.")


BEST = "Return the settings that gave the lowest objective, and that: the earliest of equals."
NAN = "nan must neither win nor block a number, wherever it stands: use math.isnan."
VALUES = (  # of the objective, and which of them wins
    ([math.nan, 3.0, math.nan, 2.0, 5.0], 3, NAN),
    ([1.0, math.nan, math.nan], 0, NAN),
    ([math.nan, 9.0], 1, NAN),
    ([2.0, -1.0, -1.0, -1.0, 3.0], 1, BEST),
    ([math.inf, 7.0], 1, BEST),
    ([math.inf], 0, BEST),
    ([0.5], 0, BEST),
    ([4.0, 3.0, 2.0, 2.5], 2, BEST),
)


@visible
def random_search(answer):
    far = Spelled("lambda settings: abs(settings['lr'] - 1)")
    ranges = {"lr": (0.01, 100.0), "width": (10, 1000)}
    draws = (0.0, 0.5, 0.625, 0.25, 0.25, 0.75)
    best, tried = searched(answer, far, ranges, draws)
    close(
        [settings["lr"] for settings in tried],
        [0.01, 10**0.5, 0.1],
        "low * (high / low) ** u, one u for each name, in the order of `ranges`.",
        Mistake([0.01 + 99.99 * u for u in draws[::2]], "You drew evenly: draw evenly in factors."),
        what="the learning rates you tried",
    )
    near(best[1], 0.9, 1e-9, "The lowest objective wins (0.99, 2.16 and 0.9 were tried).")
    near(best[0], tried[2], 1e-9, "Return the settings of the lowest objective.")
    for values, which, hint in VALUES:
        numbers = ", ".join(f"math.{v}" if not math.isfinite(v) else str(v) for v in values)
        given = Spelled(f"lambda settings, values=iter([{numbers}]): next(values)", math=math)
        ranges = {"a": (0.5, 0.5), "b": (3.0, 3000.0), "c": (1e-6, 1e6)}
        draws = [(7 * i % 13) / 13 for i in range(3 * len(values))]
        best, tried = searched(answer, given, ranges, draws)
        for n, settings in enumerate(tried):
            parts = zip(ranges.items(), draws[3 * n :], strict=False)
            want = {name: low * (high / low) ** u for (name, (low, high)), u in parts}
            got = {name: settings[name] / want[name] for name in want}
            near(got, dict.fromkeys(want, 1.0), 1e-9, "low * (high / low) ** u for each name.")
        near(best[1], values[which], 0, hint)
        near(best[0], tried[which], 1e-9, hint)
    none = Spelled("lambda: 0.5")
    for trials in (0, -1):
        raises(ValueError, answer, far, ranges, trials, none, hint="0 trials: nothing to try.")


def searched(answer: Any, objective: Any, ranges: Any, draws: Any) -> tuple[Any, list[Any]]:
    """Return what came back, and the settings that were tried."""
    supply, trials = Spelled(f"iter({list(draws)}).__next__"), len(draws) // len(ranges)
    try:
        got = items(answer(objective, ranges, trials, supply), 2, "Return (settings, value).")
    except NotImplementedError:  # a RuntimeError, too
        raise
    except (StopIteration, RuntimeError):
        fail("uniform() was called too often.", hint="call it once for each name in each trial.")
    tried = [settings for (settings,) in objective.asked]
    if len(tried) != trials:
        once, times = "call the objective once for each trial.", len(tried)
        fail(f"the objective was called {times} times for {trials} trials.", "", once)
    return got, tried
