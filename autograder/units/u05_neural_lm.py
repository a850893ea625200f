"""Hidden tests of unit 05. Expected derivatives come from sums over all paths in plain Python, or from f
itself in exact arithmetic, never from the formulas of the notebook's solution."""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.exercise import (
    Exercise,
    Inputs,
    Judge,
    Mistake,
    expect_near,
    expect_raises,
    expect_that,
)
from llmcourse.checks import compare

Array = Any  # of numpy
Params = dict[str, Array]
CHANGED = "the call changed its arguments: make new arrays, or put each number back."
EXACT = 1e-9  # float64, sums of a few dozen terms of size 1


def generator(rng: random.Random) -> np.random.Generator:
    return np.random.default_rng(rng.getrandbits(32))


# --- activations

activations = Exercise("activations")
SQRT = math.sqrt(2 / math.pi)


def value_and_derivative(name: str, x: float) -> tuple[float, float]:
    """Compute both by the definitions, one number at a time; |x| <= 15."""
    if name == "sigmoid":
        return 1 / (1 + math.exp(-x)), math.exp(-x) / (1 + math.exp(-x)) ** 2
    if name == "tanh":
        return math.tanh(x), 1 / math.cosh(x) ** 2
    if name == "relu":
        return max(x, 0.0), float(x > 0)
    u = SQRT * (x + 0.044715 * x**3)
    half = 1 / (1 + math.exp(-2 * u)) if u > -300 else 0.0  # (1 + tanh u) / 2
    steep = SQRT * (1 + 3 * 0.044715 * x * x)
    return x * half, half + x * 2 * half * (1 - half) * steep


def judged_values(x: Array, name: str, hint: str) -> Judge:
    flat = [value_and_derivative(name, float(v)) for v in x.reshape(-1)]
    want = [np.array([pair[i] for pair in flat]).reshape(x.shape).tolist() for i in (0, 1)]
    return expect_near(want, 1e-7, hint, [Mistake("changed", CHANGED)])


@activations.probe
def one_activation(answer, x, name):  # type: ignore[no-untyped-def]
    before = x.copy()
    value, derivative = answer(x)[name]
    if (before != x).any():
        return "changed"
    return value, derivative


HINTS = {
    "sigmoid": "sigmoid: value 1 / (1 + e^-x), derivative s (1 - s) with s the value.",
    "tanh": "tanh: derivative 1 - t^2 with t the value.",
    "relu": "relu: max(x, 0), derivative 1 above 0 and 0 from 0 down.",
    "gelu": "gelu: x/2 (1 + T) with 0.044715 x^3 inside T = tanh; the derivative needs the product rule.",
}


def activation_case(name: str) -> Callable[[random.Random], Inputs]:
    def inputs(rng: random.Random) -> Inputs:
        for shape in ((7,), (2, 3), (2, 1, 4), ()):
            x = generator(rng).uniform(-4, 4, shape)
            yield (np.asarray(x), name), judged_values(np.asarray(x), name, HINTS[name])

    return inputs


for _name in ("tanh", "sigmoid", "gelu"):
    activations.case(weight=2, property=f"{_name} and its derivative on other shapes")(
        activation_case(_name)
    )


@activations.case(weight=1, property="relu and its derivative, at 0 too")
def relu_at_zero(rng: random.Random) -> Inputs:
    yield from activation_case("relu")(rng)
    x = np.array([0.0, -0.0, 1e-300, -1e-300])
    yield (x, "relu"), judged_values(x, "relu", "relu: at exactly 0 the derivative is 0.")


@activations.case(weight=2, property="far from 0: no nan, no overflow")
def far_from_zero(rng: random.Random) -> Inputs:
    far = rng.uniform(500, 1000)
    x = np.array([-far, far])
    limits: dict[str, Any] = {"sigmoid": [[0, 1], [0, 0]], "tanh": [[-1, 1], [0, 0]]}
    limits |= {"relu": [[0, far], [0, 1]], "gelu": [[0, far], [0, 1]]}
    for name, want in limits.items():
        yield (x, name), expect_near(want, 1e-9, hint=f"{name} far from 0: use np.tanh, or e^-|x|.")


@activations.case(weight=1, property="leaves x as it is")
def activations_leave_x(rng: random.Random) -> Inputs:
    for name in HINTS:
        x = generator(rng).uniform(-3, 3, (5,))
        yield (
            (x, name),
            expect_that(lambda value: value != "changed", hint=CHANGED),
        )


# --- softmax_cross_entropy

softmax_cross_entropy = Exercise("softmax_cross_entropy")


@softmax_cross_entropy.probe
def loss_if_unchanged(answer, logits, targets):  # type: ignore[no-untyped-def]
    before = logits.copy()
    result = answer(logits, targets)
    return "changed" if (before != logits).any() else result


def loss_and_gradient(logits: Array, targets: Array) -> tuple[float, list[list[float]]]:
    """Compute loss and gradient row by row with fsum."""
    losses, gradients = [], []
    for row, target in zip(logits.tolist(), targets.tolist(), strict=True):
        top = max(row)
        total = math.fsum(math.exp(z - top) for z in row)
        losses.append(math.log(total) + top - row[target])
        gradients.append(
            [(math.exp(z - top) / total - (k == target)) / len(targets) for k, z in enumerate(row)]
        )
    return math.fsum(losses) / len(losses), gradients


def judged_loss(logits: Array, targets: Array, hint: str, tolerance: float = EXACT) -> Judge:
    loss, gradient = loss_and_gradient(logits, targets)
    B = len(targets)
    mistakes = [
        Mistake((loss * B, gradient), "the loss is the mean over the batch, not the sum."),
        Mistake(
            (loss, (np.array(gradient) * B).tolist()),
            "the derivative of a mean is divided by B too.",
        ),
        Mistake((loss / math.log(2), gradient), "the loss is in nats: the natural logarithm."),
        Mistake(
            (loss, (-np.array(gradient)).tolist()),
            "the sign is wrong: the gradient is p - one-hot.",
        ),
        Mistake("changed", CHANGED),
    ]
    return expect_near((loss, gradient), tolerance, hint, mistakes)


@softmax_cross_entropy.case(weight=4, property="loss and gradient on other batches")
def loss_core(rng: random.Random) -> Inputs:
    for B, V in ((3, 5), (7, 2), (1, 9)):
        logits = generator(rng).normal(0, 2, (B, V))
        targets = generator(rng).integers(0, V, B)
        yield (
            (logits, targets),
            judged_loss(logits, targets, "-log p[target], and (p - one-hot) / B."),
        )


@softmax_cross_entropy.case(weight=2, property="large logits of both signs")
def loss_large(rng: random.Random) -> Inputs:
    for size in (800.0, 1e4):
        logits = generator(rng).uniform(-size, size, (4, 3))
        targets = generator(rng).integers(0, 3, 4)
        hint = "take the largest logit of EACH ROW off before np.exp, and log the sum, not p."
        yield (logits, targets), judged_loss(logits, targets, hint)
    logits = np.array([[5000.0, 4999.0], [-5000.0, -4999.5]])
    hint = "rows of very different size: each row needs its own largest logit."
    yield (logits, np.array([0, 1])), judged_loss(logits, np.array([0, 1]), hint)


@softmax_cross_entropy.case(weight=1, property="one token of vocabulary, repeated targets")
def loss_edges(rng: random.Random) -> Inputs:
    yield (
        (np.array([[rng.random()]]), np.array([0])),
        expect_near((0.0, [[0.0]]), 1e-12, "V = 1: it is certain, the loss is 0."),
    )
    logits = generator(rng).normal(0, 1, (4, 3))
    same = np.array([2, 2, 2, 2])
    yield (logits, same), judged_loss(logits, same, "each row has its own target.")


# --- linear_backward

linear_backward = Exercise("linear_backward")


def by_paths(x: Array, W: Array, dy: Array) -> tuple[Any, Any, Any]:
    """Return each derivative as a sum over the paths, in loops."""
    places, inputs, outputs = range(len(x)), range(len(W)), range(W.shape[1])
    dx = [[math.fsum(W[i, o] * dy[b, o] for o in outputs) for i in inputs] for b in places]
    dW = [[math.fsum(x[b, i] * dy[b, o] for b in places) for o in outputs] for i in inputs]
    return dx, dW, [math.fsum(dy[b, o] for b in places) for o in outputs]


def layer(rng: random.Random, B: int, inputs: int, outputs: int) -> tuple[Array, Array, Array]:
    draw = generator(rng)
    shapes = ((B, inputs), (inputs, outputs), (B, outputs))
    return tuple(draw.standard_normal(shape) for shape in shapes)  # type: ignore[return-value]


@linear_backward.case(weight=3, property="the three gradients, other sizes")
def linear_core(rng: random.Random) -> Inputs:
    for sizes in ((4, 2, 3), (2, 5, 3), (3, 3, 3)):
        x, W, dy = layer(rng, *sizes)
        dx, dW, db = by_paths(x, W, dy)
        less = [(np.array(part) / len(x)).tolist() for part in (dW, db)]
        mistakes = [
            Mistake((dx, less[0], db), "do not divide by B: dy already has it."),
            Mistake((dx, less[0], less[1]), "do not divide dW and db by B: dy already has it."),
            Mistake((dx, dW, less[1]), "db is a sum over the batch, not a mean."),
            Mistake((dx, dW, dy.sum(axis=1)), "db sums dy over the batch, not over the outputs."),
            Mistake((dx, np.array(dW).T, db), "dW has the shape of W: x.T @ dy."),
            Mistake((dW, dx, db), "return (dx, dW, db), in this order."),
        ]
        if W.shape[0] == W.shape[1]:
            hint = "dx uses the transpose of W, also where W is square."
            mistakes.append(Mistake((dy @ W, dW, db), hint))
        yield (
            (x, W, dy),
            expect_near(
                (dx, dW, db), EXACT, "sum over the paths: dy W^T, x^T dy, dy over b.", mistakes
            ),
        )


@linear_backward.case(weight=1, property="batch of one, one input, one output")
def linear_edges(rng: random.Random) -> Inputs:
    for sizes in ((1, 3, 2), (4, 1, 1), (1, 1, 1)):
        x, W, dy = layer(rng, *sizes)
        yield (
            (x, W, dy),
            expect_near(by_paths(x, W, dy), EXACT, "keep all axes, also those of length 1."),
        )


# --- mlp_backward


def correct_loss(logits: Array, targets: Array) -> tuple[float, Array]:
    """Return what the grader gives when an exercise calls the learner's `softmax_cross_entropy`."""
    loss, gradient = loss_and_gradient(np.asarray(logits, dtype=float), np.asarray(targets))
    return loss, np.array(gradient)


def correct_linear(x: Array, W: Array, dy: Array) -> tuple[Array, ...]:
    """Return what the grader gives when an exercise calls the learner's `linear_backward`."""
    x, W, dy = (np.asarray(value, dtype=float) for value in (x, W, dy))
    return (
        np.einsum("bo,io->bi", dy, W),
        np.einsum("bi,bo->io", x, dy),
        np.einsum("bo->o", dy),
    )


mlp_backward = Exercise(
    "mlp_backward",
    given={"softmax_cross_entropy": correct_loss, "linear_backward": correct_linear},
)
PATHS = {
    "b2": "b2: the sum of the logits' derivatives.",
    "W2": "W2: the layer from h to the logits.",
    "b1": "b1: on the way back through tanh multiply by 1 - h^2, h being the output of tanh.",
    "W1": "W1: the layer from x to the hidden units.",
    "x": "x: through every hidden unit, so a product with W1 transposed.",
}


def network(rng: random.Random, inputs: int, hidden: int, vocab: int) -> Params:
    draw = generator(rng)
    shapes: dict[str, tuple[int, ...]] = {"W1": (inputs, hidden), "b1": (hidden,)}
    shapes |= {"W2": (hidden, vocab), "b2": (vocab,)}
    return {name: draw.normal(0, 0.8, shape) for name, shape in shapes.items()}


def logits_of(p: Params, x: Array) -> Array:
    """Run the network, one output at a time; complex inputs pass through."""
    hidden = np.tanh(np.einsum("bi,if->bf", x, p["W1"]) + p["b1"])
    return np.einsum("bf,fv->bv", hidden, p["W2"]) + p["b2"]


def mean_loss(p: Params, x: Array, targets: Array) -> Any:
    z = logits_of(p, x)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(targets)), targets])


def exact_gradients(p: Params, x: Array, targets: Array, name: str) -> Array:
    """Return f' by a complex step, f(x + ih).imag / h: exact to rounding, no chain rule by hand."""
    at = x if name == "x" else p[name]
    derivatives = np.zeros(at.shape)
    for place in np.ndindex(at.shape):
        moved = at.astype(complex)
        moved[place] += 1e-30j
        inputs = moved if name == "x" else x
        derivatives[place] = mean_loss(
            p if name == "x" else p | {name: moved}, inputs, targets
        ).imag
    return derivatives / 1e-30


@mlp_backward.probe
def loss_and_one_gradient(answer, params, x, targets, name):  # type: ignore[no-untyped-def]
    before = {key: value.copy() for key, value in params.items()}
    loss, gradients = answer(params, x, targets)
    for key in before:
        if (params[key] != before[key]).any():
            return "changed"
    return loss, gradients[name]


def judged_gradient(p: Params, x: Array, targets: Array, name: str) -> Judge:
    want = exact_gradients(p, x, targets, name)
    loss = float(mean_loss(p, x, targets))
    return expect_near((loss, want), 1e-8, PATHS[name], [Mistake("changed", CHANGED)])


@mlp_backward.case(weight=3, property="the loss and the gradients of the last layer")
def backward_last(rng: random.Random) -> Inputs:
    for sizes in ((3, 4, 5), (2, 6, 3)):
        p, x = network(rng, *sizes), generator(rng).normal(0, 1, (4, sizes[0]))
        targets = generator(rng).integers(0, sizes[2], 4)
        for name in ("b2", "W2"):
            yield (p, x, targets, name), judged_gradient(p, x, targets, name)


@mlp_backward.case(weight=3, property="back through tanh to the first layer")
def backward_first(rng: random.Random) -> Inputs:
    for sizes in ((3, 4, 5), (4, 4, 4)):
        p, x = network(rng, *sizes), generator(rng).normal(0, 1, (3, sizes[0]))
        targets = generator(rng).integers(0, sizes[2], 3)
        for name in ("b1", "W1"):
            yield (p, x, targets, name), judged_gradient(p, x, targets, name)


@mlp_backward.case(weight=3, property="through all hidden units to x")
def backward_paths(rng: random.Random) -> Inputs:
    for sizes in ((3, 4, 5), (4, 4, 4)):
        p, x = network(rng, *sizes), generator(rng).normal(0, 1, (3, sizes[0]))
        targets = generator(rng).integers(0, sizes[2], 3)
        yield (p, x, targets, "x"), judged_gradient(p, x, targets, "x")


@mlp_backward.case(weight=1, property="batch of one, one hidden unit; parameters left alone")
def backward_edges(rng: random.Random) -> Inputs:
    for sizes in ((1, 1, 2), (5, 1, 3)):
        p, x = network(rng, *sizes), generator(rng).normal(0, 1, (1, sizes[0]))
        targets = np.array([sizes[2] - 1])
        for name in ("W1", "x"):
            yield (p, x, targets, name), judged_gradient(p, x, targets, name)


# --- gradient_check

gradient_check = Exercise("gradient_check")


@gradient_check.probe
def checked(answer, f, x, gradient, *eps):  # type: ignore[no-untyped-def]
    before = x.copy()
    error = answer(f, x, gradient, *eps)
    return "changed" if (before != x).any() else error


def quadratic(rng: random.Random, size: int) -> tuple[Callable[[Any], float], Array]:
    """Return f(x) = x A x / 2 with a symmetric A: central differences are exact for any step."""
    A = generator(rng).integers(-3, 4, (size, size)).astype(float)
    A = A + A.T
    return lambda x: float(np.asarray(x).reshape(-1) @ A @ np.asarray(x).reshape(-1)) / 2, A


@gradient_check.case(weight=4, property="finds how far a gradient is off, at any place and sign")
def check_core(rng: random.Random) -> Inputs:
    for shape in ((4,), (2, 3), (1, 2, 2)):
        f, A = quadratic(rng, math.prod(shape))
        x = generator(rng).uniform(-1, 1, shape)
        right = (A @ x.reshape(-1)).reshape(shape)
        for sign in (1, -1):
            off = generator(rng).uniform(0.01, 0.2, shape)
            place = tuple(rng.randrange(n) for n in shape)
            off[place] = sign * rng.uniform(0.5, 0.9)
            mistakes = [
                Mistake(off.max(), "take absolute values: too low is as wrong as too high."),
                Mistake(-off.min(), "the other way round, too high is as wrong as too low."),
                Mistake(max(0.0, -off.min()), "absolute values: differences of both signs count."),
                Mistake(np.abs(off).sum(), "the largest difference is wanted, not the sum."),
                Mistake(np.abs(off).mean(), "the largest difference is wanted, not the mean."),
                Mistake("changed", CHANGED),
            ]
            hint = "move one number at a time, to both sides, and divide by 2 eps."
            yield (
                (f, x, right + off, 1e-3),
                expect_near(abs(off[place]), 1e-6, hint, mistakes),
            )


@gradient_check.case(weight=2, property="both sides: a right gradient of a curved function passes")
def check_both_sides(rng: random.Random) -> Inputs:
    f, A = quadratic(rng, 3)
    x = generator(rng).uniform(-1, 1, 3)
    hint = "for a quadratic both sides give the exact derivative at any step; one side does not."
    for eps in (1e-3, 0.5):
        yield (f, x, A @ x, eps), expect_near(0.0, 1e-8, hint)


@gradient_check.case(weight=1, property="the default step, and x left as it was")
def check_default(rng: random.Random) -> Inputs:
    x = generator(rng).uniform(-1, 1, (2, 2))
    hint = "with the default step an exponential is checked to 1e-8; leave x as it was."
    small = expect_near(0.0, 1e-8, hint, [Mistake("changed", CHANGED)])
    yield (lambda x: float(np.exp(x).sum()), x, np.exp(x)), small


# --- FixedWindowLM

FixedWindowLM = Exercise("FixedWindowLM")


@FixedWindowLM.probe
def use(answer, params, method, *args):  # type: ignore[no-untyped-def]
    return getattr(answer(params), method)(*args)


def window_model(rng: random.Random, V: int, w: int, d: int, F: int) -> tuple[Params, Array]:
    params = network(rng, w * d, F, V) | {"E": generator(rng).normal(0, 1, (V, d))}
    ids = generator(rng).integers(0, V, (4, w))
    return params, ids


def side_by_side(E: Array, ids: Array) -> Array:
    return np.array([[value for i in row for value in E[i].tolist()] for row in ids.tolist()])


@FixedWindowLM.case(weight=3, property="the logits of other windows and widths")
def window_logits(rng: random.Random) -> Inputs:
    for V, w, d, F in ((5, 3, 2, 4), (4, 2, 3, 2), (6, 1, 4, 3), (3, 4, 1, 5)):
        params, ids = window_model(rng, V, w, d, F)
        x = side_by_side(params["E"], ids)
        want = logits_of(params, x)
        mixed = np.transpose(params["E"][ids], (0, 2, 1)).reshape(x.shape)
        mistakes = [
            Mistake(
                logits_of(params, mixed),
                "the vectors are mixed: first all numbers of the oldest token.",
            ),
            Mistake(
                logits_of(params, side_by_side(params["E"], ids[:, ::-1])),
                "the oldest token comes first.",
            ),
            Mistake(
                (x @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"],
                "the nonlinearity is missing: np.tanh.",
            ),
            Mistake(want - params["b2"], "the bias b2 is missing."),
        ]
        hint = "tanh(x W1 + b1) W2 + b2, x being the vectors side by side."
        yield (params, "logits", ids), expect_near(want, EXACT, hint, mistakes)


@FixedWindowLM.case(weight=1, property="the features, token by token")
def window_features(rng: random.Random) -> Inputs:
    for V, w, d in ((5, 3, 2), (4, 2, 3), (4, 3, 3)):
        params, ids = window_model(rng, V, w, d, 2)
        want = side_by_side(params["E"], ids)
        hint = "first all numbers of the oldest token, then of the next."
        yield (params, "features", ids), expect_near(want, 0, hint)


@FixedWindowLM.case(weight=2, property="the gradient by E adds up repeated tokens")
def window_gradient(rng: random.Random) -> Inputs:
    for V, w, d in ((3, 4, 2), (5, 3, 3), (7, 1, 2)):
        params, ids = window_model(rng, V, w, d, 2)
        dx = generator(rng).normal(0, 1, (4, w * d))
        want = [
            [
                math.fsum(
                    dx[b, t * d + k] for b in range(4) for t in range(w) if ids[b, t] == token
                )
                for k in range(d)
            ]
            for token in range(V)
        ]
        hint = "row i sums the derivatives of all places where token i stands: np.add.at."
        yield (params, "embedding_gradient", ids, dx), expect_near(want, EXACT, hint)


# --- sgd_step

sgd_step = Exercise("sgd_step")


@sgd_step.probe
def stepped(answer, params, gradients, velocity, *rates):  # type: ignore[no-untyped-def]
    parts = (params, gradients, velocity)
    before = [{name: value.copy() for name, value in part.items()} for part in parts]
    result = answer(params, gradients, velocity, *rates)
    for part, was in zip(parts, before):  # noqa: B905
        if any((part[name] != was[name]).any() for name in was):
            return "changed"
    return result


def three(rng: random.Random) -> tuple[Params, Params, Params]:
    draw = generator(rng)
    shapes: dict[str, tuple[int, ...]] = {"E": (3, 2), "b": (4,), "W": (1, 2)}
    made = [{n: draw.standard_normal(shape) for n, shape in shapes.items()} for _ in range(3)]
    return made[0], made[1], made[2]


@sgd_step.case(weight=3, property="several parameters, other rates; nothing changed in place")
def step_core(rng: random.Random) -> Inputs:
    for momentum in (0.9, rng.uniform(0.1, 0.8)):
        p, g, v = three(rng)
        lr = rng.uniform(0.01, 0.5)
        faster = {n: [momentum * a + b for a, b in zip(v[n].flat, g[n].flat)] for n in p}  # noqa: B905
        new = {n: p[n] - lr * np.reshape(faster[n], p[n].shape) for n in p}
        shaped = {n: np.reshape(faster[n], p[n].shape) for n in p}
        slow = {n: momentum * v[n] + (1 - momentum) * g[n] for n in p}
        mistakes = [
            Mistake(
                (
                    {n: p[n] - lr * v[n] for n in p},
                    shaped,
                ),
                "move by the new velocity, not by the old one.",
            ),
            Mistake(
                ({n: p[n] + lr * shaped[n] for n in p}, shaped), "you went uphill: p minus lr v."
            ),
            Mistake(
                (
                    {n: p[n] - lr * slow[n] for n in p},
                    slow,
                ),
                "the gradient enters whole, not times 1 - momentum.",
            ),
            Mistake("changed", CHANGED),
        ]
        yield (
            (p, g, v, lr, momentum),
            expect_near((new, shaped), EXACT, "v = momentum v + g, then p = p - lr v.", mistakes),
        )


@sgd_step.case(weight=1, property="no momentum by default")
def step_plain(rng: random.Random) -> Inputs:
    p, g, v = three(rng)
    want = ({n: p[n] - 0.25 * g[n] for n in p}, g)
    hint = "momentum is 0 unless given: v is the gradient."
    yield (p, g, v, 0.25), expect_near(want, EXACT, hint, [Mistake("changed", CHANGED)])


# --- random_search

random_search = Exercise("random_search", seconds=20.0)


def search_truth(
    values: list[float], ranges: dict[str, tuple[float, float]], draws: list[float]
) -> tuple[list[dict[str, float]], int]:
    """Return the settings of each trial, and which of them is the best."""
    left = iter(draws)
    tried = [
        {
            n: math.exp(math.log(lo) + next(left) * math.log(hi / lo))
            for n, (lo, hi) in ranges.items()
        }
        for _ in values
    ]
    numbers = [(v, i) for i, v in enumerate(values) if not math.isnan(v)]
    return tried, min(numbers)[1]


def search_inputs(
    rng: random.Random, values: list[float], ranges: dict[str, tuple[float, float]]
) -> tuple[tuple[Any, ...], Judge]:
    draws = [rng.random() for _ in range(len(values) * len(ranges))]
    supply, answers, asked = iter(draws), iter(values), []
    tried, best = search_truth(values, ranges, draws)
    low, high = ranges[next(iter(ranges))]
    evenly = low + draws[0] * (high - low)

    def objective(settings: dict[str, float]) -> float:
        asked.append(dict(settings))
        return next(answers, math.inf)

    def same(got: Any, want: dict[str, float]) -> bool:
        return all(compare(got[n], want[n], 1e-9 * min(1.0, want[n])) is None for n in ranges)

    def as_drawn(value: Any) -> bool:
        return all(map(same, asked, tried))

    def lowest(value: Any) -> bool:
        return compare(value[1], values[best], 0.0) is None

    def right(value: Any) -> bool:
        return (
            len(asked) == len(values)
            and as_drawn(value)
            and lowest(value)
            and same(value[0], tried[best])
        )

    mistakes = [
        Mistake(lambda value: len(asked) != len(values), "call the objective once for each trial."),
        Mistake(
            lambda value: (
                low < high
                and compare(next(iter(asked[0].values())), evenly, 1e-9 * min(1.0, evenly)) is None
            ),
            "you drew evenly between low and high: draw evenly in factors.",
        ),
        Mistake(
            lambda value: not as_drawn(value),
            "low * (high / low) ** u, one u for each name in the order of `ranges`.",
        ),
        Mistake(
            lambda value: math.isnan(value[1]),
            "nan must neither win nor block a number: use math.isnan.",
        ),
        Mistake(lambda value: not lowest(value), "return the lowest objective of all trials."),
    ]
    hint = "return the settings that gave the lowest objective, the earliest of equals."
    judge = expect_that(right, hint, mistakes)
    return (objective, ranges, len(values), lambda: next(supply)), judge


TWO = {"lr": (1e-4, 10.0), "width": (3.0, 3000.0)}


@random_search.case(weight=4, property="the best of many settings, drawn in equal factors")
def search_core(rng: random.Random) -> Inputs:
    for ranges in (TWO, {"a": (0.5, 0.5), "b": (1.0, 2.0), "c": (1e-6, 1e6)}):
        values = [rng.uniform(-5, 5) for _ in range(12)]
        yield search_inputs(rng, values, ranges)


@random_search.case(weight=2, property="diverged runs never win, wherever they stand")
def search_nan(rng: random.Random) -> Inputs:
    for values in ([math.nan, 4.0, 2.0, math.nan, 3.0], [1.0, math.nan, math.nan], [math.nan, 9.0]):
        yield search_inputs(rng, values, TWO)


@random_search.case(weight=1, property="equal objectives: the earlier; infinite ones count")
def search_ties(rng: random.Random) -> Inputs:
    yield search_inputs(rng, [2.0, 1.0, 1.0, 1.0, 3.0], TWO)
    yield search_inputs(rng, [math.inf, 7.0], TWO)
    yield search_inputs(rng, [math.inf], TWO)


@random_search.case(weight=1, property="one trial at least")
def search_refuses(rng: random.Random) -> Inputs:
    for trials in (0, -1):
        yield (
            (lambda settings: 1.0, TWO, trials, lambda: 0.5),
            expect_raises(ValueError, hint="with no trial there is no best setting."),
        )
