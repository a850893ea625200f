"""Visible checks of unit 05: small values worked by hand or measured from two sides.

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
    near,
    number,
    unchanged,
    visible,
)
from llmcourse.checks.arrays import shaped
from llmcourse.checks.u05_training import FixedWindowLM, network, random_search, sgd_step

__all__ = [
    "FixedWindowLM",
    "activations",
    "gradient_check",
    "linear_backward",
    "mlp_backward",
    "random_search",
    "sgd_step",
    "softmax_cross_entropy",
]

ROW_MAX = "Take the largest logit of each row off before np.exp: exp(1000) overflows."
close = partial(diagnosed, tolerance=1e-6)  # some values are derivatives measured from two sides
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
    gelu_derivative = derivative_of(lambda v: float((v / 2 * (1 + _gelu_tanh(v))).sum()), x)
    values = {"sigmoid": s, "tanh": t, "relu": np.maximum(x, 0), "gelu": gelu}
    derivatives = {
        "sigmoid": s * (1 - s),
        "tanh": 1 - t * t,
        "relu": (x > 0) * 1.0,
        "gelu": gelu_derivative,
    }
    hints = {
        "sigmoid": "It is s (1 - s), s being the value of the sigmoid.",
        "tanh": "It is 1 - t^2, t being the value.",
        "relu": "It is 1 where x > 0, else 0; at exactly 0 it is 0.",
        "gelu": "Product rule: (1 + T)/2 + x/2 (1 - T^2) u', with T = tanh u.",
    }
    wrong_derivatives = {
        "sigmoid": [
            Mistake(x * (1 - x), "You put x into s (1 - s): put the value of the sigmoid in.")
        ],
        "tanh": [Mistake(1 - x * x, "You put x into 1 - t^2: put the value of tanh in.")],
        "relu": [Mistake((x >= 0) * 1.0, "At exactly 0 the derivative of relu is 0 here.")],
        "gelu": [
            Mistake((1 + _gelu_tanh(x)) / 2, "That is half of the product rule: x/2 has a partner.")
        ],
    }
    erf = x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    wrong_values = {"gelu": [Mistake(erf, "That is gelu by erf: use the tanh form.")]}
    for name in NAMES:
        value, its_derivative = items(got[name], 2, f"{name}: a pair (value, derivative).")
        value = shaped(value, x.shape, f"{name}'s value", "One number for each of x.")
        its_derivative = shaped(
            its_derivative, x.shape, f"{name}'s derivative", "One number for each of x."
        )
        known = wrong_values.get(name, ())
        close(value, values[name], "See the table above.", *known, what=f"{name}'s value")
        close(
            its_derivative,
            derivatives[name],
            hints[name],
            *wrong_derivatives[name],
            what=f"{name}'s derivative",
        )
    with np.errstate(all="ignore"):  # a graded cell prints no warning; nan is looked for below
        far = answer(np.array([-1000.0, 1000.0]))
    for name in NAMES:
        for part in far[name]:
            shaped(part, (2,), name, "Far from 0 an exponential overflows: use np.tanh or e^-|x|.")
    limits = {"sigmoid": ([0, 1], [0, 0]), "tanh": ([-1, 1], [0, 0])}
    for name, want in (limits | dict.fromkeys(("relu", "gelu"), ([0, 1000], [0, 1]))).items():
        for got, limit, what in zip(far[name], want, ("value", "derivative"), strict=True):
            close(got, limit, f"Expected {limit}.", what=f"{name}'s {what} at -1000 and 1000")
    for shape in ((7,), (2, 1, 4), (1, 1), ()):
        x = np.linspace(-3.3, 3.1, math.prod(shape)).reshape(shape) + 0.2
        for name, pair in answer(x).items():
            for got, want, what in zip(
                pair, _values(name, x), ("value", "derivative"), strict=True
            ):
                got = shaped(got, shape, f"{name}'s {what}", "One number for each of x.")
                close(got, want, hints[name], what=f"{name}'s {what}")
    x = np.array([0.0, -0.0, 1e-300, -1e-300, 0.5])
    close(answer(x)["relu"][1], [0, 0, 1, 0, 1], hints["relu"], what="relu's derivative near 0")


def _values(name: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return value and derivative, by a complex step: exact to rounding."""
    formulas = {
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
        "tanh": np.tanh,
        "relu": lambda v: v * (v.real > 0),
        "gelu": lambda v: v / 2 * (1 + _gelu_tanh(v)),
    }
    stepped = formulas[name](x + 1e-30j)
    return stepped.real, stepped.imag / 1e-30


def _gelu_tanh(x):
    return np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))


@visible
def softmax_cross_entropy(answer):
    logits, targets = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.7, 0.2]])) + 3, np.array([0, 2])
    kept = logits.copy()
    loss, gradient = items(answer(logits, targets), 2, "Return (loss, gradient).")
    equal(logits, kept, hint="The call changed its logits: compute in new arrays.")
    losses = [math.log(2), math.log(5)]
    close(
        number(loss, "the loss"),
        sum(losses) / 2,
        "It is the mean over the batch of -log p[target], natural log.",
        Mistake(sum(losses), "That is the sum over the batch: take the mean."),
        Mistake(-sum(losses) / 2, "The sign: -log p is never negative."),
        Mistake(sum(losses) / 2 / math.log(2), "That is in bits: use the natural logarithm."),
        what="the loss",
    )
    p = np.array([[0.5, 0.25, 0.25], [0.1, 0.7, 0.2]])
    came = np.array([[1.0, 0, 0], [0, 0, 1]])
    gradient = shaped(gradient, (2, 3), "the gradient", "One derivative for each logit.")
    close(
        gradient,
        (p - came) / 2,
        "It is (p - one-hot of the target) / B.",
        Mistake(p - came, "The loss is a mean: its derivative is divided by B too."),
        Mistake((came - p) / 2, "The sign is wrong: the gradient is p - one-hot."),
        Mistake(p / 2, "At the target 1 is subtracted: p - one-hot."),
        what="the gradient",
    )
    with np.errstate(all="ignore"):
        loss, gradient = answer(np.array([[1000.0, 0.0], [0.0, -1000.0]]), np.array([1, 0]))
    gradient = shaped(gradient, (2, 2), "the gradient", ROW_MAX)
    if not math.isfinite(float(loss)):
        fail(f"With logits of 1000 the loss is {float(loss)}. {ROW_MAX} Then log the sum.")
    near(loss, 500.0, 1e-9, "Logits 1000 and 0, the second is right: that row costs 1000 nats.")
    near(gradient, [[0.5, -0.5], [0, 0]], 1e-9, "p is 1 and 0 here, and B is 2.")
    rng = np.random.default_rng(3)
    for B, V, size in (
        (3, 5, 2.0),
        (7, 2, 2.0),
        (1, 9, 2.0),
        (4, 3, 1e4),
        (2, 1, 1.0),
        (5, 5, 1.0),
    ):
        logits, targets = rng.normal(0, size, (B, V)), rng.integers(0, V, B)
        targets[-1] = targets[0]
        rows_of_their_own(answer, logits, targets)
    rows_of_their_own(answer, np.array([[5000.0, 4999.0], [-5000.0, -4999.5]]), np.array([0, 1]))


def rows_of_their_own(answer: Any, logits: np.ndarray, targets: np.ndarray) -> None:
    logps = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    came = np.eye(logits.shape[1])[targets]
    with np.errstate(all="ignore"):
        given = (logits, targets)
        loss, gradient = items(unchanged(answer, given, "Compute in new arrays."), 2, "Return two.")
    gradient = shaped(gradient, logits.shape, "the gradient", ROW_MAX)
    near(loss, -(came * logps).sum() / len(came), 1e-9, f"The mean of -log p[target]. {ROW_MAX}")
    near(gradient, (np.exp(logps) - came) / len(came), 1e-9, f"(p - one-hot) / B. {ROW_MAX}")


@visible
def linear_backward(answer):
    linear_by_hand(answer)
    rng = np.random.default_rng(4)
    for B, inputs, outputs in ((2, 5, 3), (3, 3, 3), (1, 3, 2), (4, 1, 1), (1, 1, 1)):
        args = [rng.normal(size=shape) for shape in ((B, inputs), (inputs, outputs), (B, outputs))]
        got = items(answer(*map(np.copy, args)), 3, "Return (dx, dW, db).")
        paths = zip(
            ("bo,io->bi", "bi,bo->io", "bo->o"), (args[2:0:-1], args[::2], args[2:]), strict=True
        )
        for made, (path, factors), what in zip(got, paths, ("dx", "dW", "db"), strict=True):
            want = np.einsum(path, *factors)
            made = shaped(made, want.shape, what, "Keep all axes, also those of length 1.")
            close(made, want, "dx = dy W^T, dW = x^T dy, db = dy over the batch.", what=what)


def linear_by_hand(answer: Any) -> None:
    x = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]])
    W = np.array([[1.0, 0.0, 2.0, -1.0], [0.5, 3.0, 1.0, 2.0]])
    dy = np.arange(12.0).reshape(3, 4) - 5
    dx, dW, db = items(answer(x, W, dy), 3, "Return (dx, dW, db).")
    if np.shape(dx) == (2, 4) and np.shape(dW) == (3, 2):
        fail("dx and dW are in each other's place: return (dx, dW, db).")
    close(
        shaped(dx, (3, 2), "dx", "dx has the shape of x, (B, I): dy @ W.T."),
        np.einsum("bo,io->bi", dy, W),
        "A path from x[b, i] to y[b, o] has the derivative W[i, o]: sum over o.",
        what="dx",
    )
    want = np.einsum("bi,bo->io", x, dy)
    close(
        shaped(dW, (2, 4), "dW", "dW has the shape of W, (I, O): x.T @ dy."),
        want,
        "A path from W[i, o] to y[b, o] has the derivative x[b, i]: sum over b.",
        Mistake(want / 3, "Do not divide by B: dy already has the 1/B of the mean loss."),
        what="dW",
    )
    close(
        shaped(db, (4,), "db", "db has the shape of b, (O,): sum dy over the batch."),
        dy.sum(axis=0),
        "b is added at every place of the batch: sum dy over axis 0.",
        Mistake(dy.mean(axis=0), "Sum over the batch: dy already has the 1/B of the mean loss."),
        what="db",
    )


def loss_of(p: dict[str, np.ndarray], x: np.ndarray, targets: Any) -> float:
    """Return the mean cross-entropy of the network, by the formula."""
    z = np.tanh(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    rows = [math.log(np.exp(row - row[t]).sum()) for row, t in zip(z, targets, strict=True)]
    return sum(rows) / len(rows)


def derivative_of(f: Any, x: np.ndarray) -> np.ndarray:
    """Return the gradient of f at x, measured from two sides."""
    derivatives = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[place] = 1e-5
        derivatives[place] = (f(x + step) - f(x - step)) / 2e-5
    return derivatives


BACK = {
    "b2": "It is the sum of the logits' derivatives over the batch.",
    "W2": "The layer with input h and weights W2.",
    "b1": "On the way back through tanh multiply by 1 - h^2.",
    "W1": "The layer with input x; its dy is the gradient with respect to h times 1 - h^2.",
    "x": "x reaches the loss through every hidden unit: sum over them, dy @ W1.T.",
}


@visible
def mlp_backward(answer):
    rng = np.random.default_rng(5)
    sizes = ((2, 3, 4, 5), (4, 2, 6, 3), (3, 4, 4, 4), (1, 1, 1, 2), (1, 5, 1, 3))
    for B, inputs, hidden, vocab in sizes:
        p, x = network(rng, inputs, hidden, vocab), rng.standard_normal((B, inputs))
        targets = rng.integers(0, vocab, B)
        got = unchanged(answer, (p, x, targets), "Compute in new arrays.")
        got = items(got, 2, "Return (loss, gradients).")
        near(got[0], loss_of(p, x, targets), 1e-9, "The loss is wrong: look at the way forward.")
        if not isinstance(got[1], dict) or set(got[1]) != {*p, "x"}:
            fail(f"the gradients should be a dictionary with the keys {', '.join([*p, 'x'])}.")
        for name, hint in BACK.items():
            want = derivative_of(
                lambda v, name=name, p=p, x=x, targets=targets: loss_of(
                    {**p, name: v}, v if name == "x" else x, targets
                ),
                x if name == "x" else p[name],
            )
            what = f"the gradient by {name}"
            made = shaped(got[1][name], want.shape, what, hint)
            undivided = (
                "B times too large: the derivative of a mean is divided by B, the batch size."
            )
            close(made, want, hint, Mistake(len(x) * want, undivided), what=what)


@visible
def gradient_check(answer):
    x = np.array([[1.0, -2.0], [0.5, 3.0]])

    cubes = Spelled("lambda x: float((np.asarray(x) ** 3).sum())", np=np)
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
            Mistake(0.25, "Take absolute values: too low is as wrong as too high."),
            Mistake(0.75, "Return the largest difference, not the sum."),
            Mistake(0.1875, "Return the largest difference, not the mean."),
            what=f"the error of a gradient that is off by {sign * 0.25} and by {sign * -0.5}",
        )
    near(answer(cubes, x, 3 * x**2, 0.5), 0.25, 1e-6, "Use the argument eps.")
    squares = Spelled("lambda x: float((np.asarray(x) ** 2 @ np.arange(1.0, 5)).sum())", np=np)
    for shape, place in (((4,), (3,)), ((4,), (0,)), ((2, 4), (1, 2)), ((1, 2, 4), (0, 1, 3))):
        x = np.linspace(-1, 1, math.prod(shape)).reshape(shape)
        for sign in (1, -1):
            off = 0.05 + 0 * x
            off[place] = 0.7 * sign
            given = squares, x.copy(), 2 * x * np.arange(1.0, 5) + off, 1e-3
            close(answer(*given), 0.7, "Every number is moved once, alone.", what="the error")
            equal(given[1], x, hint="The call changed x: put each number back, or use a copy.")
    x = np.array([[0.3, -1.0], [0.9, 0.1]])
    got = number(answer(Spelled("lambda x: float(np.exp(x).sum())", np=np), x, np.exp(x)), "error")
    if not 0 <= got < 1e-8:
        fail(
            f"for an exponential the default step gives {got:.3g}.",
            "for an exponential the default step is not good enough.",
            "Expected less than 1e-8: leave the default eps as it is given.",
        )
