"""Hidden tests of unit 05: the layers, forwards and back. Expected derivatives are sums over paths
or measured by a complex step, never the formulas of the notebook's solution.

unit: 05_neural_lm
"""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Inputs, asked, expect_near, expect_that
from autograder.units.arrays import CHANGED, EXACT, Array, generator, or_changed, unless_changed
from autograder.units.u05_training import FixedWindowLM, gradient_check, random_search, sgd_step
from llmcourse.checks import u05_layers as layers

__all__ = [
    "FixedWindowLM", "activations", "gradient_check", "linear_backward", "mlp_backward",
    "random_search", "sgd_step", "softmax_cross_entropy",
]  # fmt: skip

# --- activations

activations = Exercise("activations")


@activations.probe
def one_activation(answer, x, name):  # type: ignore[no-untyped-def]
    before = x.copy()
    value, derivative = answer(x)[name]
    if (before != x).any():
        return "changed"
    return value, derivative


def activation_case(name: str, weight: float, property: str, *more: Sequence[float]) -> None:
    """Add a case on arrays of several shapes; more: numbers to try beside them."""

    @activations.case(weight=weight, property=property)
    def inputs(rng: random.Random) -> Inputs:
        drawn = [generator(rng).uniform(-4, 4, shape) for shape in ((7,), (2, 3), (2, 1, 4), ())]
        for x in (*drawn, *more):
            args = np.asarray(x), name
            yield asked(args, layers.activation, layers.HINTS[name], or_changed(), 1e-7)


for _name in ("tanh", "sigmoid", "gelu"):
    activation_case(_name, 2, f"{_name} and its derivative on other shapes")
activation_case("relu", 1, "relu and its derivative, at 0 too", [0.0, -0.0, 1e-300, -1e-300])


@activations.case(weight=2, property="far from 0: no nan, no overflow")
def far_from_zero(rng: random.Random) -> Inputs:
    far = rng.uniform(500, 1000)
    for name in layers.HINTS:
        want = layers.limits(name, far)
        yield (np.array([-far, far]), name), expect_near(want, EXACT, f"{name}: {layers.FAR}")


@activations.case(weight=1, property="leaves x as it is")
def activations_leave_x(rng: random.Random) -> Inputs:
    for name in layers.HINTS:
        kept = expect_that(lambda value: value != "changed", CHANGED.hint)
        yield (generator(rng).uniform(-3, 3, (5,)), name), kept


# --- softmax_cross_entropy

softmax_cross_entropy = Exercise("softmax_cross_entropy")
softmax_cross_entropy.probe(unless_changed)
LOSS = layers.loss_and_gradient
KNOWN = or_changed(layers.loss_mistakes)


@softmax_cross_entropy.case(weight=4, property="loss and gradient on other batches")
def loss_core(rng: random.Random) -> Inputs:
    for B, V in ((3, 5), (7, 2), (1, 9)):
        args = generator(rng).normal(0, 2, (B, V)), generator(rng).integers(0, V, B)
        yield asked(args, LOSS, "-log p[target], and (p - one-hot) / B.", KNOWN, EXACT)


@softmax_cross_entropy.case(weight=2, property="large logits of both signs")
def loss_large(rng: random.Random) -> Inputs:
    for size in (800.0, 1e4):
        args = generator(rng).uniform(-size, size, (4, 3)), generator(rng).integers(0, 3, 4)
        hint = f"Each row has its own largest logit. {layers.ROW_MAX} Take the log of the sum, not of p."
        yield asked(args, LOSS, hint, KNOWN, EXACT)
    args = np.array([[5000.0, 4999.0], [-5000.0, -4999.5]]), np.array([0, 1])
    hint = "Rows of very different size: each row needs its own largest logit."
    yield asked(args, LOSS, hint, KNOWN, EXACT)


@softmax_cross_entropy.case(weight=1, property="one token of vocabulary, repeated targets")
def loss_edges(rng: random.Random) -> Inputs:
    alone = np.array([[rng.random()]]), np.array([0])
    yield asked(alone, LOSS, "V = 1: it is certain, the loss is 0.", tolerance=1e-12)
    args = generator(rng).normal(0, 1, (4, 3)), np.array([2, 2, 2, 2])
    yield asked(args, LOSS, "Each row has its own target.", KNOWN, EXACT)


# --- linear_backward

linear_backward = Exercise("linear_backward")


@linear_backward.case(weight=3, property="the three gradients, other sizes")
def linear_core(rng: random.Random) -> Inputs:
    for sizes in ((4, 2, 3), (2, 5, 3), (3, 3, 3)):
        args, hint = (
            layers.layer(generator(rng), *sizes),
            "Sum over the paths: dy W^T, x^T dy, dy over b.",
        )
        yield asked(args, layers.linear, hint, layers.linear_mistakes, EXACT)


@linear_backward.case(weight=1, property="batch of one, one input, one output")
def linear_edges(rng: random.Random) -> Inputs:
    for sizes in ((1, 3, 2), (4, 1, 1), (1, 1, 1)):
        args = layers.layer(generator(rng), *sizes)
        yield asked(args, layers.linear, layers.AXES, tolerance=EXACT)


# --- mlp_backward


def correct_loss(logits: Array, targets: Array) -> tuple[float, Array]:
    """Answer the calls of the learner's `softmax_cross_entropy`."""
    return layers.loss_and_gradient(np.asarray(logits, float), np.asarray(targets))


def correct_linear(x: Array, W: Array, dy: Array) -> tuple[Array, ...]:
    """Answer the calls of the learner's `linear_backward`."""
    return layers.linear(*(np.asarray(value, float) for value in (x, W, dy)))


mlp_backward = Exercise(
    "mlp_backward",
    given={"softmax_cross_entropy": correct_loss, "linear_backward": correct_linear},
)


@mlp_backward.probe
def loss_and_one_gradient(answer, params, x, targets, name):  # type: ignore[no-untyped-def]
    before = {key: value.copy() for key, value in params.items()}
    loss, gradients = answer(params, x, targets)
    for key in before:
        if (params[key] != before[key]).any():
            return "changed"
    return loss, gradients[name]


for _property, _weight, _names, *_sizes in (
    ("the loss and the gradients of the last layer", 3, ("b2", "W2"), (4, 3, 4, 5), (4, 2, 6, 3)),
    ("back through tanh to the first layer", 3, ("b1", "W1"), (3, 3, 4, 5), (3, 4, 4, 4)),
    ("through all hidden units to x", 3, ("x",), (3, 3, 4, 5), (3, 4, 4, 4)),
    ("batch of one, one hidden unit; parameters left alone", 1, ("W1", "x"), (1, 1, 1, 2), (1, 5, 1, 3)),
):  # fmt: skip

    @mlp_backward.case(weight=_weight, property=_property)
    def backward_inputs(
        rng: random.Random, names: tuple[str, ...] = _names, sizes: Any = tuple(_sizes)
    ) -> Inputs:
        for size in sizes:
            p, x, targets = layers.mlp_inputs(generator(rng), *size)
            for name in names:
                args, hint = (p, x, targets, name), layers.PATHS[name]
                yield asked(args, layers.gradient_by, hint, or_changed(), 1e-8)
