"""Visible checks of unit 05: small values worked by hand or measured from two sides.

unit: 05_neural_lm
"""

import math
from functools import partial
from typing import Any

import numpy as np

from llmcourse.checks import diagnosed, equal, fail, items, method, near, number, raises, visible
from llmcourse.checks.arrays import shaped

ROW_MAX = "Take the largest logit of each row off before np.exp: exp(1000) overflows."
close = partial(diagnosed, tolerance=1e-6)  # some values are slopes measured from two sides
NAMES = ("sigmoid", "tanh", "relu", "gelu")


@visible
def activations(answer):
    x = np.array([[-2.0, -0.5], [0.0, 1.5]])
    kept = x.copy()
    got = answer(x)
    equal(x, kept, hint="Compute in new arrays; leave x as it is.")
    if not isinstance(got, dict) or set(got) != set(NAMES):
        fail(f"return a dictionary with the keys {', '.join(NAMES)}.")
    s, t = 1 / (1 + np.exp(-x)), np.tanh(x)
    gelu = x / 2 * (1 + _gelu_tanh(x))
    gelu_slope = slope_of(lambda v: float((v / 2 * (1 + _gelu_tanh(v))).sum()), x)
    values = {"sigmoid": s, "tanh": t, "relu": np.maximum(x, 0), "gelu": gelu}
    slopes = {"sigmoid": s * (1 - s), "tanh": 1 - t * t, "relu": (x > 0) * 1.0, "gelu": gelu_slope}
    hints = {
        "sigmoid": "It is s (1 - s), s being the value of the sigmoid.",
        "tanh": "It is 1 - t^2, t being the value.",
        "relu": "It is 1 where x > 0, else 0; at exactly 0 it is 0.",
        "gelu": "Product rule: (1 + T)/2 + x/2 (1 - T^2) u', with T = tanh u.",
    }
    wrong_slopes = {
        "sigmoid": [(x * (1 - x), "You put x into s (1 - s): put the value of the sigmoid in.")],
        "tanh": [(1 - x * x, "You put x into 1 - t^2: put the value of tanh in.")],
        "relu": [((x >= 0) * 1.0, "At exactly 0 the slope of relu is 0 here.")],
        "gelu": [((1 + _gelu_tanh(x)) / 2, "That is half of the product rule: x/2 has a partner.")],
    }
    erf = x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    wrong_values = {"gelu": [(erf, "That is gelu by erf: use the tanh form.")]}
    for name in NAMES:
        value, its_slope = items(got[name], 2, f"{name}: a pair (value, slope).")
        value = shaped(value, x.shape, f"{name}'s value", "One number for each of x.")
        its_slope = shaped(its_slope, x.shape, f"{name}'s slope", "One number for each of x.")
        known = wrong_values.get(name, ())
        close(value, values[name], "See the table above.", *known, what=f"{name}'s value")
        close(its_slope, slopes[name], hints[name], *wrong_slopes[name], what=f"{name}'s slope")
    with np.errstate(all="ignore"):  # a graded cell prints no warning; nan is looked for below
        far = answer(np.array([-1000.0, 1000.0]))
    for name in NAMES:
        for part in far[name]:
            shaped(part, (2,), name, "Far from 0 an exponential overflows: use np.tanh or e^-|x|.")
    close(far["sigmoid"][0], [0, 1], "Expected 0 and 1.", what="sigmoid(-1000), sigmoid(1000)")


def _gelu_tanh(x):
    return np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))


@visible
def softmax_cross_entropy(answer):
    logits, targets = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.7, 0.2]])) + 3, np.array([0, 2])
    kept = logits.copy()
    loss, slope = items(answer(logits, targets), 2, "Return (loss, gradient).")
    equal(logits, kept, hint="The call changed its logits: compute in new arrays.")
    losses = [math.log(2), math.log(5)]
    close(
        number(loss, "the loss"),
        sum(losses) / 2,
        "It is the mean over the batch of -log p[target], natural log.",
        (sum(losses), "That is the sum over the batch: take the mean."),
        (-sum(losses) / 2, "The sign: -log p is never negative."),
        (sum(losses) / 2 / math.log(2), "That is in bits: use the natural logarithm."),
        what="the loss",
    )
    p = np.array([[0.5, 0.25, 0.25], [0.1, 0.7, 0.2]])
    came = np.array([[1.0, 0, 0], [0, 0, 1]])
    slope = shaped(slope, (2, 3), "the gradient", "One slope for each logit.")
    close(
        slope,
        (p - came) / 2,
        "It is (p - one-hot of the target) / B.",
        (p - came, "The loss is a mean: its slope is divided by B too."),
        ((came - p) / 2, "The sign: guessed minus came, p - one-hot."),
        (p / 2, "At the target 1 is taken off: p - one-hot."),
        what="the gradient",
    )
    with np.errstate(all="ignore"):
        loss, slope = answer(np.array([[1000.0, 0.0], [0.0, -1000.0]]), np.array([1, 0]))
    slope = shaped(slope, (2, 2), "the gradient", ROW_MAX)
    if not math.isfinite(float(loss)):
        fail(f"With logits of 1000 the loss is {float(loss)}. {ROW_MAX} Then log the sum.")
    near(loss, 500.0, 1e-9, "Logits 1000 and 0, the second is right: that row costs 1000 nats.")
    near(slope, [[0.5, -0.5], [0, 0]], 1e-9, "p is 1 and 0 here, and B is 2.")


@visible
def linear_backward(answer):
    x = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]])
    W = np.array([[1.0, 0.0, 2.0, -1.0], [0.5, 3.0, 1.0, 2.0]])
    dy = np.arange(12.0).reshape(3, 4) - 5
    dx, dW, db = items(answer(x, W, dy), 3, "Return (dx, dW, db).")
    if np.shape(dx) == (2, 4) and np.shape(dW) == (3, 2):
        fail("dx and dW are in each other's place: return (dx, dW, db).")
    close(
        shaped(dx, (3, 2), "dx", "dx has the shape of x, (B, I): dy @ W.T."),
        np.einsum("bo,io->bi", dy, W),
        "A path from x[b, i] to y[b, o] has the slope W[i, o]: sum over o.",
        what="dx",
    )
    want = np.einsum("bi,bo->io", x, dy)
    close(
        shaped(dW, (2, 4), "dW", "dW has the shape of W, (I, O): x.T @ dy."),
        want,
        "A path from W[i, o] to y[b, o] has the slope x[b, i]: sum over b.",
        (want / 3, "Do not divide by B: dy already has the 1/B of the mean loss."),
        what="dW",
    )
    close(
        shaped(db, (4,), "db", "db has the shape of b, (O,): sum dy over the batch."),
        dy.sum(axis=0),
        "b is added at every place of the batch: sum dy over axis 0.",
        (dy.mean(axis=0), "Sum over the batch: dy already has the 1/B of the mean loss."),
        what="db",
    )


def network(rng: Any, inputs: int, hidden: int, vocab: int) -> dict[str, np.ndarray]:
    """Random parameters of the network, all different from 0."""
    shapes = {"W1": (inputs, hidden), "b1": (hidden,), "W2": (hidden, vocab), "b2": (vocab,)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def loss_of(p: dict[str, np.ndarray], x: np.ndarray, targets: Any) -> float:
    """Mean cross-entropy of the network, by the formula."""
    z = np.tanh(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    rows = [math.log(np.exp(row - row[t]).sum()) for row, t in zip(z, targets, strict=True)]
    return sum(rows) / len(rows)


def slope_of(f: Any, x: np.ndarray) -> np.ndarray:
    """The gradient of f at x, measured from two sides."""
    slopes = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[place] = 1e-5
        slopes[place] = (f(x + step) - f(x - step)) / 2e-5
    return slopes


@visible
def mlp_backward(answer):
    rng = np.random.default_rng(5)
    p, x, targets = network(rng, 3, 4, 5), rng.standard_normal((2, 3)), np.array([4, 1])
    got = items(answer(p, x, targets), 2, "Return (loss, gradients).")
    near(got[0], loss_of(p, x, targets), 1e-9, "The loss is wrong: look at the way forward first.")
    if not isinstance(got[1], dict) or set(got[1]) != {*p, "x"}:
        fail(f"the gradients should be a dictionary with the keys {', '.join([*p, 'x'])}.")
    hints = {
        "b2": "It is the sum of the logits' slopes over the batch.",
        "W2": "The layer with input h and weights W2.",
        "b1": "On the way back through tanh multiply by 1 - h^2.",
        "W1": "The layer with input x; its dy is the slope by h times 1 - h^2.",
        "x": "x reaches the loss through every hidden unit: sum over them, dy @ W1.T.",
    }
    for name, hint in hints.items():
        want = slope_of(
            lambda v, name=name: loss_of({**p, name: v}, v if name == "x" else x, targets),
            x if name == "x" else p[name],
        )
        what = f"the gradient by {name}"
        made = shaped(got[1][name], want.shape, what, hint)
        undivided = "B times too large: the slope of a mean is divided by B, the batch size."
        close(
            made,
            want,
            hint,
            (len(x) * want, undivided),
            what=what,
        )


@visible
def gradient_check(answer):
    x = np.array([[1.0, -2.0], [0.5, 3.0]])

    def cubes(x):
        return float((np.asarray(x) ** 3).sum())

    kept = x.copy()
    got = number(answer(cubes, x, 3 * x**2, 1e-4), "gradient_check")
    equal(x, kept, hint="The call changed x: put each number back, or work on a copy.")
    if got > 1e-4:
        right = "3 x^2 is the gradient of the sum of x^3, but you report an error"
        hint = "Change one number at a time, on both sides, and divide by 2 eps."
        fail(f"{right} of {got:.3g}. {hint}", f"{right}. {hint}")
    if got > 2e-7:
        fail("The error is that of one side: use f(x + eps) and f(x - eps), over 2 eps.")
    for sign in (1, -1):
        off = sign * np.array([[0.0, 0.25], [-0.5, 0.0]])
        close(
            round(number(answer(cubes, x, 3 * x**2 + off, 1e-4), "gradient_check"), 5),
            0.5,
            "Return the largest absolute difference.",
            (0.25, "Take absolute values: too low is as wrong as too high."),
            (0.75, "Return the largest difference, not the sum."),
            (0.1875, "Return the largest difference, not the mean."),
            what=f"the error of a gradient that is off by {sign * 0.25} and by {sign * -0.5}",
        )
    near(answer(cubes, x, 3 * x**2, 0.5), 0.25, 1e-6, "Use the argument eps.")


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
        (
            np.transpose(E[ids], (0, 2, 1)).reshape(2, 6),
            "You mixed the vectors: first all numbers of the first token.",
        ),
        (x.reshape(2, 3, 2)[:, ::-1].reshape(2, 6), "The oldest token comes first."),
        what="features",
    )
    logits = shaped(method(answer, (params,), "logits", ids), (2, 5), "logits", "Shape (B, V).")
    hidden = np.tanh(x @ params["W1"] + params["b1"])
    close(
        logits,
        hidden @ params["W2"] + params["b2"],
        "tanh(x W1 + b1) W2 + b2.",
        (hidden @ params["W2"], "The bias b2 is missing."),
        (x @ params["W1"] @ params["W2"] + params["b2"], "The bend is missing: np.tanh."),
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
        "Row i of it is the sum of the slopes of all places where token i stands.",
        (last, "Token 1 stands twice and only one place came through: use np.add.at."),
        what="the gradient by E",
    )


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
        ({"W": [[6.0, -4.0]], "b": [1.5]}, "The gradient enters whole, not times 1 - momentum."),
        ({"W": [[1.1, -0.9]], "b": [0.35]}, "The learning rate scales the step, not v."),
        ({"W": [[0.0, 2.0]], "b": [-0.9]}, "v sums gradients: lr and the minus come in the step."),
        what="the new velocity",
    )
    close(
        new,
        {"W": [[-0.1, 2.9]], "b": [2.65]},
        "p - lr * v, with the new velocity.",
        ({"W": [[0.8, 1.8]], "b": [3.1]}, "You moved by the old velocity: update v first."),
        ({"W": [[2.1, 1.1]], "b": [3.35]}, "You went uphill: p minus lr * v."),
        ({"W": [[0.0, 3.0]], "b": [2.6]}, "You moved by the gradient alone: use the velocity."),
        what="the new parameters",
    )
    near(answer(*everything, 0.1)[1], gradients, 1e-12, "Without momentum v is the gradient.")


@visible
def random_search(answer):
    def supply(*numbers):
        left = list(numbers)

        def uniform():
            if not left:
                fail("uniform() was called too often: once for each name in each trial.")
            return left.pop(0)

        return uniform

    tried = []

    def far_from_one(settings):
        tried.append(dict(settings))
        return abs(settings["lr"] - 1)

    ranges = {"lr": (0.01, 100.0), "width": (10, 1000)}
    draws = (0.0, 0.5, 0.625, 0.25, 0.25, 0.75)
    best = items(answer(far_from_one, ranges, 3, supply(*draws)), 2, "Return (settings, value).")
    if len(tried) != 3:
        once = "call the objective once for each trial."
        fail(f"the objective was called {len(tried)} times for 3 trials: {once}", once)
    want = [0.01, 10**0.5, 0.1]
    close(
        [settings["lr"] for settings in tried],
        want,
        "low * (high / low) ** u, one u for each name, in the order of `ranges`.",
        ([0.01 + 99.99 * u for u in draws[::2]], "You drew evenly: draw evenly in factors."),
        what="the learning rates you tried",
    )
    near(best[1], 0.9, 1e-9, "The lowest objective wins (0.99, 2.16 and 0.9 were tried).")
    near(best[0], tried[2], 1e-9, "Return the settings of the lowest objective.")
    values = iter([math.nan, 3.0, math.nan, 2.0, 5.0])
    got = answer(lambda settings: next(values), {"lr": (1, 2)}, 5, supply(0, 0.1, 0.2, 0.3, 0.4))
    near(got[1], 2.0, 0, "nan, 3, nan, 2, 5: nan must neither win nor block; use math.isnan.")
    raises(ValueError, answer, far_from_one, ranges, 0, supply(), hint="0 trials: nothing to try.")
