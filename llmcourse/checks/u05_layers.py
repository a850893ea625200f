"""Activations, layers and the loss of unit 05, forwards and back: formulas, mistakes, checks.

Derivatives are sums over paths, or are measured by a complex step, f(x + ih).imag / h, which is
exact to rounding; never the formulas of a solution.

unit: 05_neural_lm
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from llmcourse.checks import (
    Mistake,
    diagnosed,
    fail,
    items,
    near,
    number,
    unchanged,
    visible,
)
from llmcourse.checks.arrays import shaped

Array = np.ndarray
Params = dict[str, Array]
ROW_MAX = "Subtract the largest logit of each row before np.exp: exp(1000) overflows."
AXES = "Keep all axes, also those of length 1."
close = partial(diagnosed, tolerance=1e-6)


def parts_close(
    got: Sequence[Any], want: Sequence[Any], hints: dict[str, str], mistakes: Sequence[Mistake] = ()
) -> None:
    """Fail unless each part of a result is right; `hints` has one for each, by its name."""
    for i, (what, hint) in enumerate(hints.items()):
        known = [Mistake(mistake.value[i], mistake.hint) for mistake in mistakes]
        close(shaped(got[i], np.shape(want[i]), what, hint), want[i], hint, *known, what=what)


def derivative(f: Callable[[Array], Any], x: Array) -> Array:
    """Return the gradient of the sum of f at x by complex steps, one number at a time."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[index] += 1e-30j
        gradient[index] = np.sum(f(moved)).imag / 1e-30
    return gradient


# --- activations


def tanh_of_gelu(x: Array) -> Array:
    return np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))


FORMULAS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
    "tanh": np.tanh,
    "relu": lambda v: v * (v.real > 0),
    "gelu": lambda v: v / 2 * (1 + tanh_of_gelu(v)),
}
HINTS = {
    "sigmoid": "sigmoid: value 1 / (1 + e^-x), derivative s (1 - s) with s the value.",
    "tanh": "tanh: the derivative is 1 - t^2 with t the value.",
    "relu": "relu: max(x, 0), derivative 1 where x > 0, else 0; at exactly 0 it is 0.",
    "gelu": "gelu: x/2 (1 + T) with T = tanh u and 0.044715 x^3 inside u. Product rule: the "
    "derivative is (1 + T)/2 + x/2 (1 - T^2) u'.",
}
FAR = "Far from 0 an exponential overflows: use np.tanh or e^-|x|."


def activation(x: Array, name: str) -> tuple[Array, Array]:
    """Return value and derivative; |x| up to 15."""
    stepped = FORMULAS[name](x + 1e-30j)
    return stepped.real, stepped.imag / 1e-30


def activation_mistakes(x: Array, name: str) -> list[Mistake]:
    erf = x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    value, right = activation(x, name)
    return {
        "sigmoid": [
            Mistake((value, x * (1 - x)),
                    "You put x into s (1 - s): put the value of the sigmoid in."),
        ],
        "tanh": [Mistake((value, 1 - x * x), "You put x into 1 - t^2: put the value of tanh in.")],
        "relu": [Mistake((value, (x >= 0) * 1.0), "At exactly 0 the derivative of relu is 0.")],
        "gelu": [
            Mistake((value, (1 + tanh_of_gelu(x)) / 2),
                    "That is half of the product rule: x/2 has a partner."),
            Mistake((erf, right), "That is gelu by erf: use the tanh form."),
        ],
    }[name]  # fmt: skip


def limits(name: str, far: float) -> list[list[float]]:
    """Return value and derivative at -far and at far."""
    ends = {"sigmoid": [[0.0, 1.0], [0.0, 0.0]], "tanh": [[-1.0, 1.0], [0.0, 0.0]]}
    return ends.get(name, [[0.0, far], [0.0, 1.0]])


@visible
def activations(answer):
    x = np.array([[-2.0, -0.5], [0.0, 1.5]])
    got = unchanged(answer, (x,), "Compute in new arrays; do not modify x.")
    if not isinstance(got, dict) or set(got) != set(FORMULAS):
        fail(f"return a dictionary with the keys {', '.join(FORMULAS)}.")
    for name, hint in HINTS.items():
        pair = items(got[name], 2, f"{name}: a pair (value, derivative).")
        hints = {f"{name}'s value": hint, f"{name}'s derivative": hint}
        parts_close(pair, activation(x, name), hints, activation_mistakes(x, name))
    with np.errstate(all="ignore"):  # a graded cell prints no warning; nan is looked for below
        far = answer(np.array([-1000.0, 1000.0]))
    for name in HINTS:
        hints = {f"{name}'s value at -1000 and 1000": FAR, f"{name}'s derivative there": FAR}
        parts_close(far[name], limits(name, 1000.0), hints)
    for shape in ((7,), (2, 1, 4), (1, 1), ()):
        x = np.linspace(-3.3, 3.1, math.prod(shape)).reshape(shape) + 0.2
        for name, pair in answer(x).items():
            hints = {f"{name}'s value": HINTS[name], f"{name}'s derivative": HINTS[name]}
            parts_close(pair, activation(x, name), hints)
    x = np.array([0.0, -0.0, 1e-300, -1e-300, 0.5])
    close(answer(x)["relu"][1], [0, 0, 1, 0, 1], HINTS["relu"], what="relu's derivative near 0")


# --- softmax_cross_entropy


def loss_and_gradient(logits: Array, targets: Array) -> tuple[float, Array]:
    logps = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    came = np.eye(logits.shape[1])[targets]
    return float(-(came * logps).sum() / len(came)), (np.exp(logps) - came) / len(came)


def loss_mistakes(logits: Array, targets: Array) -> list[Mistake]:
    loss, gradient = loss_and_gradient(logits, targets)
    B, came = len(targets), np.eye(logits.shape[1])[targets]
    return [
        Mistake((loss * B, gradient), "The loss is the mean over the batch, not the sum."),
        Mistake((-loss, gradient), "The sign: -log p is never negative."),
        Mistake((loss / math.log(2), gradient), "That is in bits: use the natural logarithm."),
        Mistake((loss, gradient * B), "The loss is a mean: its derivative is divided by B too."),
        Mistake((loss, -gradient), "The sign is wrong: the gradient is p - one-hot."),
        Mistake((loss, gradient + came / B), "At the target 1 is subtracted: p - one-hot."),
    ]


OF_LOSS = {
    "the loss": f"It is the mean over the batch of -log p[target], natural log. {ROW_MAX}",
    "the gradient": f"It is (p - one-hot of the target) / B. {ROW_MAX}",
}


@visible
def softmax_cross_entropy(answer):
    def agrees(logits, targets, mistakes=()):
        with np.errstate(all="ignore"):
            got = unchanged(answer, (logits, targets), "Compute in new arrays.")
        got = items(got, 2, "Return (loss, gradient).")
        number(got[0], "the loss")
        parts_close(got, loss_and_gradient(logits, targets), OF_LOSS, mistakes)

    logits, targets = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.7, 0.2]])) + 3, np.array([0, 2])
    agrees(logits, targets, loss_mistakes(logits, targets))
    with np.errstate(all="ignore"):
        loss, gradient = answer(np.array([[1000.0, 0.0], [0.0, -1000.0]]), np.array([1, 0]))
    gradient = shaped(gradient, (2, 2), "the gradient", ROW_MAX)
    if not math.isfinite(float(loss)):
        fail(f"With logits of 1000 the loss is {float(loss)}. {ROW_MAX} Then log the sum.")
    near(loss, 500.0, 1e-9, "Logits 1000 and 0, the second is right: that row costs 1000 nats.")
    near(gradient, [[0.5, -0.5], [0, 0]], 1e-9, "p is 1 and 0 here, and B is 2.")
    rng = np.random.default_rng(3)
    for B, V, size in ((3, 5, 2), (7, 2, 2), (1, 9, 2), (4, 3, 1e4), (2, 1, 1), (5, 5, 1)):
        logits, targets = rng.normal(0, size, (B, V)), rng.integers(0, V, B)
        targets[-1] = targets[0]
        agrees(logits, targets)
    agrees(np.array([[5000.0, 4999.0], [-5000.0, -4999.5]]), np.array([0, 1]))


# --- linear_backward


def layer(rng: Any, B: int, inputs: int, outputs: int) -> tuple[Array, Array, Array]:
    """Return a random input x, weights W and gradient dy with respect to the output."""
    return tuple(rng.normal(size=size) for size in ((B, inputs), (inputs, outputs), (B, outputs)))


def linear(x: Array, W: Array, dy: Array) -> tuple[Array, Array, Array]:
    return np.einsum("bo,io->bi", dy, W), np.einsum("bi,bo->io", x, dy), np.einsum("bo->o", dy)


def linear_mistakes(x: Array, W: Array, dy: Array) -> list[Mistake]:
    (dx, dW, db), B = linear(x, W, dy), len(x)
    divided = "Do not divide by B: dy already has the 1/B of the mean loss."
    mistakes = [
        Mistake((dx, dW / B, db), divided),
        Mistake((dx, dW / B, db / B), divided),
        Mistake((dx, dW, db / B), "db is a sum over the batch, not a mean."),
        Mistake((dx, dW, dy.sum(axis=1)), "db sums dy over the batch, not over the outputs."),
        Mistake((dx, dW.T, db), "dW has the shape of W, (I, O): x.T @ dy."),
        Mistake((dW, dx, db), "dx and dW are exchanged: return (dx, dW, db), in this order."),
    ]
    if W.shape[0] == W.shape[1]:
        hint = "dx uses the transpose of W, also where W is square."
        mistakes.append(Mistake((dy @ W, dW, db), hint))
    return mistakes


OF_LAYER = {
    "dx": "dx has the shape of x: dy @ W.T. A path from x[b, i] to y[b, o] has the derivative "
    "W[i, o]: sum over o.",
    "dW": "dW has the shape of W, (I, O): x.T @ dy. A path from W[i, o] to y[b, o] has the "
    "derivative x[b, i]: sum over b.",
    "db": "db has the shape of b: sum dy over the batch, axis 0.",
}


@visible
def linear_backward(answer):
    x, W = (
        np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]]),
        np.array([[1.0, 0, 2, -1], [0.5, 3, 1, 2]]),
    )
    args = x, W, np.arange(12.0).reshape(3, 4) - 5
    got = items(answer(*args), 3, "Return (dx, dW, db).")
    if np.shape(got[0]) == (2, 4) and np.shape(got[1]) == (3, 2):
        fail("dx and dW are exchanged: return (dx, dW, db).")
    known = [m for m in linear_mistakes(*args) if np.shape(m.value[1]) == (2, 4)]
    parts_close(got, linear(*args), OF_LAYER, known)
    rng = np.random.default_rng(4)
    for sizes in ((2, 5, 3), (3, 3, 3), (1, 3, 2), (4, 1, 1), (1, 1, 1)):
        args = layer(rng, *sizes)
        got = items(answer(*map(np.copy, args)), 3, "Return (dx, dW, db).")
        parts_close(got, linear(*args), {what: f"{hint} {AXES}" for what, hint in OF_LAYER.items()})


# --- mlp_backward


def network(rng: Any, inputs: int, hidden: int, vocab: int) -> Params:
    """Return random parameters of the network, all different from 0."""
    shapes = {"W1": (inputs, hidden), "b1": (hidden,), "W2": (hidden, vocab), "b2": (vocab,)}
    return {name: rng.normal(0, 0.8, shape) for name, shape in shapes.items()}


def mlp_inputs(rng: Any, B: int, *sizes: int) -> tuple[Params, Array, Array]:
    """Return random parameters, x (B, inputs) and targets (B,)."""
    return network(rng, *sizes), rng.normal(size=(B, sizes[0])), rng.integers(0, sizes[2], B)


def logits_of(p: Params, x: Array) -> Array:
    hidden = np.tanh(np.einsum("bi,if->bf", x, p["W1"]) + p["b1"])
    return np.einsum("bf,fv->bv", hidden, p["W2"]) + p["b2"]


def mean_loss(p: Params, x: Array, targets: Array) -> Any:
    z = logits_of(p, x)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(targets)), targets])


def gradient_by(p: Params, x: Array, targets: Array, name: str) -> tuple[float, Array]:
    """Return the loss and its gradient with respect to one parameter, or x."""
    f = lambda v: mean_loss(p | {name: v}, v if name == "x" else x, targets)  # noqa: E731
    return float(mean_loss(p, x, targets)), derivative(f, x if name == "x" else p[name])


PATHS = {
    "b2": "b2: the sum of the logits' derivatives over the batch.",
    "W2": "W2: the layer with input h and weights W2.",
    "b1": "b1: on the way back through tanh multiply by 1 - h^2, h being the output of tanh.",
    "W1": "W1: the layer with input x; its dy is the gradient with respect to h times 1 - h^2.",
    "x": "x reaches the loss through every hidden unit: sum over them, dy @ W1.T.",
}
UNDIVIDED = "B times too large: the derivative of a mean is divided by B, the batch size."


@visible
def mlp_backward(answer):
    rng = np.random.default_rng(5)
    for sizes in ((2, 3, 4, 5), (4, 2, 6, 3), (3, 4, 4, 4), (1, 1, 1, 2), (1, 5, 1, 3)):
        p, x, targets = mlp_inputs(rng, *sizes)
        got = unchanged(answer, (p, x, targets), "Compute in new arrays.")
        got = items(got, 2, "Return (loss, gradients).")
        loss = mean_loss(p, x, targets)
        near(got[0], loss, 1e-9, "The loss is wrong: look at the forward pass.")
        if not isinstance(got[1], dict) or set(got[1]) != {*p, "x"}:
            fail(f"the gradients should be a dictionary with the keys {', '.join([*p, 'x'])}.")
        for name, hint in PATHS.items():
            want = gradient_by(p, x, targets, name)[1]
            what = f"the gradient by {name}"
            parts_close([got[1][name]], [want], {what: hint}, [Mistake([len(x) * want], UNDIVIDED)])
