"""The model of unit 05 and its training: gradient check, step, search; formulas, mistakes, checks.

unit: 05_neural_lm
"""

import math
from collections.abc import Iterable, Sequence
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
    number,
    raises,
    unchanged,
    visible,
)
from llmcourse.checks.u05_layers import Array, Params, logits_of, network, parts_close

close = partial(diagnosed, tolerance=1e-6)

# --- gradient_check

ONE_AT_A_TIME = "Change one number at a time, to both sides, and divide by 2 eps."
LARGEST = "Return the largest absolute difference."


def check_mistakes(off: Array) -> list[Mistake]:
    """Return the mistakes for a gradient that is too high by these numbers."""
    return [
        Mistake(off.max(), "Take absolute values: too low is as wrong as too high."),
        Mistake(-off.min(), "Take absolute values: too high is as wrong as too low."),
        Mistake(max(0.0, -off.min()), "Take absolute values: differences of both signs count."),
        Mistake(np.abs(off).sum(), "Return the largest difference, not the sum."),
        Mistake(np.abs(off).mean(), "Return the largest difference, not the mean."),
    ]


@visible
def gradient_check(answer):
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    cubes = Spelled("lambda x: float((np.asarray(x) ** 3).sum())", np=np)
    kept = x.copy()
    got = number(answer(cubes, x, 3 * x**2, 1e-4), "gradient_check")
    equal(x, kept, hint="The call changed x: put each number back, or work on a copy.")
    if got > 1e-4:
        right = "3 x^2 is the gradient of the sum of x^3, but you report an error"
        fail(f"{right} of {got:.3g}. {ONE_AT_A_TIME}", f"{right}. {ONE_AT_A_TIME}")
    if got > 2e-7:
        fail("The error is that of one side: use f(x + eps) and f(x - eps), over 2 eps.")
    for sign in (1, -1):
        off = sign * np.array([[0.0, 0.25], [-0.5, 0.0]])
        error = round(number(answer(cubes, x, 3 * x**2 + off, 1e-4), "gradient_check"), 5)
        what = f"the error of a gradient that is off by {sign * 0.25} and by {sign * -0.5}"
        close(error, 0.5, LARGEST, *check_mistakes(off), what=what)
    near(answer(cubes, x, 3 * x**2, 0.5), 0.25, 1e-6, "Use the argument eps.")
    squares = Spelled("lambda x: float((np.asarray(x) ** 2 @ np.arange(1.0, 5)).sum())", np=np)
    for shape, index in (((4,), (3,)), ((4,), (0,)), ((2, 4), (1, 2)), ((1, 2, 4), (0, 1, 3))):
        x = np.linspace(-1, 1, math.prod(shape)).reshape(shape)
        for sign in (1, -1):
            off = 0.05 + 0 * x
            off[index] = 0.7 * sign
            given = squares, x.copy(), 2 * x * np.arange(1.0, 5) + off, 1e-3
            close(answer(*given), 0.7, "Every number is moved once, alone.", what="the error")
            equal(given[1], x, hint="The call changed x: put each number back, or use a copy.")
    x = np.array([[0.3, -1.0], [0.9, 0.1]])
    got = number(answer(Spelled("lambda x: float(np.exp(x).sum())", np=np), x, np.exp(x)), "error")
    if not 0 <= got < 1e-8:
        given = "for an exponential the default step"
        hint = "Expected less than 1e-8: leave the default eps as it is given."
        fail(f"{given} gives {got:.3g}.", f"{given} is not good enough.", hint)


# --- FixedWindowLM


def window_inputs(rng: Any, V: int, w: int, d: int, F: int, B: int = 4) -> tuple[Params, Array]:
    """Return random parameters and ids (B, w)."""
    E = rng.normal(size=(V, d))
    return network(rng, w * d, F, V) | {"E": E}, rng.integers(0, V, (B, w))


def features(p: Params, ids: Array) -> Array:
    return np.array([[value for i in row for value in p["E"][i]] for row in ids])


def window_logits(p: Params, ids: Array) -> Array:
    return logits_of(p, features(p, ids))


def embedding_gradient(p: Params, ids: Array, dx: Array) -> Array:
    came = ids[:, :, None] == np.arange(len(p["E"]))
    return np.einsum("btv,btd->vd", came, dx.reshape(*ids.shape, -1))


def mixed(p: Params, ids: Array) -> Array:
    return np.transpose(p["E"][ids], (0, 2, 1)).reshape(len(ids), -1)


MIXED = "The vectors are mixed: first all elements of the oldest token."
OLDEST = "The oldest token comes first."


def feature_mistakes(p: Params, ids: Array) -> list[Mistake]:
    return [Mistake(mixed(p, ids), MIXED), Mistake(features(p, ids[:, ::-1]), OLDEST)]


def logit_mistakes(p: Params, ids: Array) -> list[Mistake]:
    x, want = features(p, ids), window_logits(p, ids)
    linear = (x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    return [
        Mistake(logits_of(p, mixed(p, ids)), MIXED),
        Mistake(logits_of(p, features(p, ids[:, ::-1])), OLDEST),
        Mistake(linear, "The nonlinearity is missing: np.tanh."),
        Mistake(want - p["b2"], "The bias b2 is missing."),
    ]


def gradient_mistakes(p: Params, ids: Array, dx: Array) -> list[Mistake]:
    last = np.zeros(p["E"].shape)
    last[ids] = dx.reshape(*ids.shape, -1)
    return [Mistake(last, "A token occurs twice and only one position counted: use np.add.at.")]


FEATURES = "The vectors side by side, (B, w d): first all elements of the oldest token."
LOGITS = "(B, V): tanh(x W1 + b1) W2 + b2, x being the vectors side by side."
BY_E = "Row i sums the derivatives of all positions where token i occurs: np.add.at."


@visible
def FixedWindowLM(answer):
    rng, ids = np.random.default_rng(7), np.array([[2, 0, 3], [1, 1, 4]])
    first = window_inputs(rng, 5, 3, 2, 4)[0], ids, np.arange(1.0, 13).reshape(2, 6)
    sizes = ((4, 2, 3, 2, 4), (6, 1, 4, 3, 2), (3, 4, 1, 5, 4), (4, 3, 3, 3, 3))
    others = [(*window_inputs(rng, *size), rng.normal(size=(size[4], size[1] * size[2])))
              for size in sizes]  # fmt: skip
    for p, ids, dx in (first, *others):
        for name, args, formula, hint, mistakes in (
            ("features", (ids,), features, FEATURES, feature_mistakes),
            ("logits", (ids,), window_logits, LOGITS, logit_mistakes),
            ("embedding_gradient", (ids, dx), embedding_gradient, BY_E, gradient_mistakes),
        ):
            got = method(answer, (p,), name, *map(np.copy, args))
            known = [Mistake([mistake.value], mistake.hint) for mistake in mistakes(p, *args)]
            parts_close([got], [formula(p, *args)], {name: hint}, known)


# --- sgd_step

Step = tuple[Params, Params]


def step_inputs(rng: Any, *rates: float) -> tuple[Any, ...]:
    """Return random parameters, gradients and velocity, and the rates."""
    shapes = {"E": (3, 2), "b": (4,), "W": (1, 2)}
    made = [{name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(3)]
    return *made, *rates


def moved(p: Params, v: Params, lr: float) -> Params:
    return {name: p[name] - lr * v[name] for name in p}


def step(p: Params, g: Params, v: Params, lr: float, momentum: float = 0.0) -> Step:
    faster = {name: momentum * v[name] + g[name] for name in p}
    return moved(p, faster, lr), faster


def step_mistakes(
    p: Params, g: Params, v: Params, lr: float, momentum: float = 0.0
) -> list[Mistake]:
    new, faster = step(p, g, v, lr, momentum)
    slow = {name: momentum * v[name] + (1 - momentum) * g[name] for name in p}
    scaled = {name: lr * faster[name] for name in p}
    downhill = {name: momentum * v[name] - lr * g[name] for name in p}
    return [
        Mistake((moved(p, v, lr), faster), "Move by the new velocity, not by the old one."),
        Mistake((moved(p, faster, -lr), faster), "You went uphill: p minus lr * v."),
        Mistake((moved(p, g, lr), faster), "You moved by the gradient alone: use the velocity."),
        Mistake((moved(p, slow, lr), slow), "The gradient enters whole, not times 1 - momentum."),
        Mistake((new, scaled), "The learning rate scales the step, not v."),
        Mistake((moved(p, downhill, -1), downhill),
                "v sums gradients: lr and the minus come in the step."),
    ]  # fmt: skip


STEP = "v = momentum v + gradient, then p - lr v with the new velocity, for every name."


@visible
def sgd_step(answer):
    gradients = {"W": np.array([[10.0, -10.0]]), "b": np.array([4.0])}
    params = {"W": np.array([[1.0, 2.0]]), "b": np.array([3.0])}
    velocity = {"W": np.array([[2.0, 2.0]]), "b": np.array([-1.0])}
    args = (params, gradients, velocity, 0.1, 0.5)
    apart = "The call changed its arguments: make new arrays, no += or -=."
    new, faster = items(unchanged(answer, args, apart), 2, "Return (parameters, velocity).")
    want, known = step(*args), step_mistakes(*args)
    for i, part, what in ((1, faster, "the new velocity"), (0, new, "the new parameters")):
        mistakes = [Mistake(mistake.value[i], mistake.hint) for mistake in known]
        close(part, want[i], STEP, *mistakes, what=what)
    plain = answer(params, gradients, velocity, 0.1)[1]
    near(plain, gradients, 1e-12, "Without momentum v is the gradient.")
    rng = np.random.default_rng(6)
    for rates in ((0.25,), (0.03, 0.9), (0.4, 0.3)):
        args = step_inputs(rng, *rates)
        near(unchanged(answer, args, apart), step(*args), 1e-9, STEP)


# --- random_search

BEST = "Return the settings that gave the lowest objective, and that: the earliest of equals."
NAN = "nan must neither win nor block a number, wherever it comes: use math.isnan."
IN_FACTORS = "low * (high / low) ** u, one u for each name, in the order of `ranges`."
EVENLY = "You drew evenly between low and high: draw evenly in factors."
EACH_TRIAL = "Call the objective once for each trial."
NO_TRIAL = "0 trials: nothing to try, raise ValueError."
VALUES = (  # of the objective
    ([math.nan, 3.0, math.nan, 2.0, 5.0], NAN),
    ([1.0, math.nan, math.nan], NAN),
    ([math.nan, 9.0], NAN),
    ([2.0, -1.0, -1.0, -1.0, 3.0], BEST),
    ([math.inf, 7.0], BEST),
    ([math.inf], BEST),
    ([0.5], BEST),
    ([4.0, 3.0, 2.0, 2.5], BEST),
)
Ranges = dict[str, tuple[float, float]]


def lowest(values: Sequence[float]) -> int:
    """Return the index of the first lowest value that is a number."""
    return min((value, i) for i, value in enumerate(values) if not math.isnan(value))[1]


def settings_of(ranges: Ranges, draws: Iterable[float], trials: int) -> list[dict[str, float]]:
    """Return the settings of each trial."""
    left, logs = iter(draws), {n: (math.log(a), math.log(b)) for n, (a, b) in ranges.items()}
    return [
        {name: math.exp(low + next(left) * (high - low)) for name, (low, high) in logs.items()}
        for _ in range(trials)
    ]


@visible
def random_search(answer):
    far, draws = (
        Spelled("lambda settings: abs(settings['lr'] - 1)"),
        (0, 0.5, 0.625, 0.25, 0.25, 0.75),
    )
    ranges = {"lr": (0.01, 100.0), "width": (10, 1000)}
    best, tried = searched(answer, far, ranges, draws)
    rates = [settings["lr"] for settings in settings_of(ranges, draws, 3)]
    evenly = Mistake([0.01 + 99.99 * u for u in draws[::2]], EVENLY)
    what = "the learning rates you tried"
    close([settings["lr"] for settings in tried], rates, IN_FACTORS, evenly, what=what)
    near(best[1], 0.9, 1e-9, "The lowest objective wins (0.99, 2.16 and 0.9 were tried).")
    near(best[0], tried[2], 1e-9, "Return the settings of the lowest objective.")
    for values, hint in VALUES:
        listed = ", ".join(f"math.{v}" if not math.isfinite(v) else str(v) for v in values)
        given = Spelled(f"lambda settings, values=iter([{listed}]): next(values)", math=math)
        ranges = {"a": (0.5, 0.5), "b": (3.0, 3000.0), "c": (1e-6, 1e6)}
        draws = [(7 * i % 13) / 13 for i in range(3 * len(values))]
        best, tried = searched(answer, given, ranges, draws)
        for settings, want in zip(tried, settings_of(ranges, draws, len(values)), strict=True):
            ratios = {name: settings[name] / want[name] for name in want}
            near(ratios, dict.fromkeys(want, 1.0), 1e-9, IN_FACTORS)
        near(best[1], values[lowest(values)], 0, hint)
        near(best[0], tried[lowest(values)], 1e-9, hint)
    none = Spelled("lambda: 0.5")
    for trials in (0, -1):
        raises(ValueError, answer, far, ranges, trials, none, hint=NO_TRIAL)


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
        times = f"the objective was called {len(tried)} times for {trials} trials."
        fail(times, "", EACH_TRIAL)
    return got, tried
