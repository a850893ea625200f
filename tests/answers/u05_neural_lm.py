"""Right and wrong answers to the exercises of unit 05."""

import math

import numpy as np
import torch

from autograder.verification.answer_bank import right, wrong

# --- activations

ROOT = math.sqrt(2 / math.pi)


def four(x, **changed):
    """The right pairs, some of them replaced."""
    s, t = (1 + np.tanh(x / 2)) / 2, np.tanh(x)
    inner = np.tanh(ROOT * (x + 0.044715 * x**3))
    gelu = (1 + inner) / 2 + x / 2 * (1 - inner**2) * ROOT * (1 + 0.134145 * x**2)
    pairs = {
        "sigmoid": (s, s * (1 - s)),
        "tanh": (t, 1 - t * t),
        "relu": (x * (x > 0), (x > 0).astype(float)),
        "gelu": (x * (1 + inner) / 2, gelu),
    }
    return pairs | changed


@right("activations")
def autograd_of_each(x):
    functions = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "gelu": lambda v: torch.nn.functional.gelu(v, approximate="tanh"),
    }
    pairs = {}
    for name, function in functions.items():
        leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        value = function(leaf)
        value.sum().backward()
        pairs[name] = [value.detach(), leaf.grad]
    return pairs


@right("activations")
def one_number_at_a_time(x):
    def four_at(v):
        small = math.exp(-abs(v))
        s = (1 if v >= 0 else small) / (1 + small)
        t = math.tanh(v)
        inner = math.tanh(ROOT * (v + 0.044715 * v**3))
        derivative = (
            0.5 + inner / 2 + v / 2 * (1 - inner) * (1 + inner) * ROOT * (1 + 0.134145 * v * v)
        )
        return [
            s,
            s * (1 - s),
            t,
            1 - t * t,
            max(v, 0.0),
            float(v > 0),
            v / 2 * (1 + inner),
            derivative,
        ]

    table = np.array([four_at(v) for v in np.asarray(x).reshape(-1).tolist()])
    columns = [column.reshape(np.shape(x)) for column in table.T]
    names = ("sigmoid", "tanh", "relu", "gelu")
    return {name: tuple(columns[2 * i : 2 * i + 2]) for i, name in enumerate(names)}


@wrong("activations", hint="put the value of the sigmoid in")
def derivative_of_the_input(x):
    s = (1 + np.tanh(x / 2)) / 2
    return four(x, sigmoid=(s, x * (1 - x)))


@wrong("activations", hint="derivative 1 - t^2 with t the value")
def tanh_derivative_of_the_input(x):
    return four(x, tanh=(np.tanh(x), 1 - x**2))


@wrong("activations", hint="use np.tanh or e^-|x|")
def overflows_far_from_zero(x):
    with np.errstate(all="ignore"):
        s, t = np.exp(x) / (1 + np.exp(x)), np.tanh(x)
    return four(x, sigmoid=(s, s * (1 - s)), tanh=(t, 1 - t * t))


@wrong("activations", hint="At exactly 0 the derivative of relu is 0")
def relu_derivative_one_at_zero(x):
    return four(x, relu=(np.maximum(x, 0), (x >= 0) * 1.0))


@wrong("activations", hint="half of the product rule")
def gelu_without_the_second_term(x):
    value = four(x)["gelu"][0]
    return four(x, gelu=(value, (1 + np.tanh(ROOT * (x + 0.044715 * x**3))) / 2))


@wrong("activations", hint="Product rule")
def gelu_without_the_inner_derivative(x):
    inner = np.tanh(ROOT * (x + 0.044715 * x**3))
    return four(x, gelu=(x * (1 + inner) / 2, (1 + inner) / 2 + x / 2 * (1 - inner**2)))


@wrong("activations", hint="use the tanh form")
def gelu_with_the_error_function(x):
    value = torch.nn.functional.gelu(torch.tensor(x)).numpy()
    return four(x, gelu=(value, four(x)["gelu"][1]))


# --- softmax_cross_entropy


@right("softmax_cross_entropy")
def torch_with_autograd(logits, targets):
    leaf = torch.tensor(logits, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(leaf, torch.tensor(targets))
    loss.backward()
    return loss.detach(), leaf.grad


@right("softmax_cross_entropy")
def row_by_row(logits, targets):
    losses, gradients = [], []
    for row, target in zip(logits, targets, strict=True):
        log_total = np.logaddexp.reduce(row)
        losses.append(log_total - row[target])
        gradients.append([np.exp(z - log_total) - (k == target) for k, z in enumerate(row)])
    return [sum(losses) / len(losses), np.array(gradients) / len(gradients)]


def cross_entropy(logits, targets):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(targets))
    return -np.log(np.maximum(p[rows, targets], 1e-300)), p, np.eye(logits.shape[1])[targets]


@wrong("softmax_cross_entropy", hint="divided by B too")
def derivative_of_the_sum(logits, targets):
    losses, p, came = cross_entropy(logits, targets)
    return losses.mean(), p - came


@wrong("softmax_cross_entropy", hint="the mean over the batch, not the sum")
def sum_of_the_losses(logits, targets):
    losses, p, came = cross_entropy(logits, targets)
    return losses.sum(), (p - came) / len(targets)


@wrong("softmax_cross_entropy", hint="natural logarithm")
def in_bits(logits, targets):
    losses, p, came = cross_entropy(logits, targets)
    return losses.mean() / np.log(2), (p - came) / len(targets)


@wrong("softmax_cross_entropy", hint="exp(1000) overflows")
def exponential_as_written(logits, targets):
    with np.errstate(all="ignore"):
        p = np.exp(logits)
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(len(targets)), targets]).mean()
    return loss, (p - np.eye(logits.shape[1])[targets]) / len(targets)


@wrong("softmax_cross_entropy", hint="largest logit of EACH ROW")
def one_maximum_for_all_rows(logits, targets):
    z = logits - logits.max()
    with np.errstate(all="ignore"):
        total = np.exp(z).sum(axis=1, keepdims=True)
        loss = np.mean(np.log(total[:, 0]) - z[np.arange(len(targets)), targets])
        p = np.exp(z) / total
    return loss, (p - np.eye(logits.shape[1])[targets]) / len(targets)


@wrong("softmax_cross_entropy", hint="the gradient is p - one-hot")
def sign_turned(logits, targets):
    losses, p, came = cross_entropy(logits, targets)
    return losses.mean(), (came - p) / len(targets)


@wrong("softmax_cross_entropy", hint="changed its arguments")
def in_place(logits, targets):
    logits -= logits.max(axis=1, keepdims=True)
    losses, p, came = cross_entropy(logits, targets)
    return losses.mean(), (p - came) / len(targets)


# --- linear_backward


@right("linear_backward")
def einsums(x, W, dy):
    return np.einsum("bo,io->bi", dy, W), np.einsum("bi,bo->io", x, dy), np.einsum("bo->o", dy)


@right("linear_backward")
def torch_graph(x, W, dy):
    leaf_x, leaf_W = torch.tensor(x, requires_grad=True), torch.tensor(W, requires_grad=True)
    b = torch.zeros(W.shape[1], dtype=torch.float64, requires_grad=True)
    (leaf_x @ leaf_W + b).backward(torch.tensor(dy))
    return leaf_x.grad, leaf_W.grad, b.grad


@wrong("linear_backward", hint="do not divide by B")
def divides_again(x, W, dy):
    return dy @ W.T, x.T @ dy / len(x), dy.sum(axis=0)


@wrong("linear_backward", hint="not over the outputs")
def bias_over_outputs(x, W, dy):
    return dy @ W.T, x.T @ dy, dy.sum(axis=1)


@wrong("linear_backward", hint="not a mean")
def bias_as_a_mean(x, W, dy):
    return dy @ W.T, x.T @ dy, dy.mean(axis=0)


@wrong("linear_backward", hint="dW has the shape of W")
def transposed_weights(x, W, dy):
    return dy @ W.T, dy.T @ x, dy.sum(axis=0)


@wrong("linear_backward", hint="return (dx, dW, db)")
def wrong_order(x, W, dy):
    return (x.T @ dy, dy @ W.T, dy.sum(axis=0))


# --- mlp_backward


@right("mlp_backward")
def everything_by_autograd(params, x, targets):
    leaf = {n: torch.tensor(v, requires_grad=True) for n, v in {**params, "x": x}.items()}
    hidden = torch.tanh(leaf["x"] @ leaf["W1"] + leaf["b1"])
    logits = hidden @ leaf["W2"] + leaf["b2"]
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(targets))
    loss.backward()
    return loss.detach(), {name: value.grad for name, value in leaf.items()}


@right("mlp_backward")
def everything_written_out(params, x, targets):
    return _backward(params, x, targets)


@right("mlp_backward")
def everything_by_keywords(params, x, targets, reduction="mean"):
    h = np.tanh(x @ params["W1"] + params["b1"])
    logits = h @ params["W2"] + params["b2"]
    loss, dz = softmax_cross_entropy(targets=targets, logits=logits, reduction=reduction)
    dh, dW2, db2 = linear_backward(dy=dz, W=params["W2"], x=h)
    dx, dW1, db1 = linear_backward(x, params["W1"], dh * (1 - h * h), "no bias")
    return loss, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "x": dx}


def _backward(params, x, targets, bend=None, batch=None, dx=None, keep="output"):
    h = np.tanh(x @ params["W1"] + params["b1"])
    z = h @ params["W2"] + params["b2"]
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    rows = np.arange(len(targets))
    loss = -np.log(p[rows, targets]).mean()
    p[rows, targets] -= 1
    dz = p / (batch or len(targets))
    da = (dz @ params["W2"].T) * (bend(h) if bend else 1 - h**2)
    gradients = {"W1": x.T @ da, "b1": da.sum(0), "W2": h.T @ dz, "b2": dz.sum(0)}
    return loss, gradients | {"x": dx(da) if dx else da @ params["W1"].T}


@wrong("mlp_backward", hint="multiply by 1 - h^2")
def forgets_the_bend(params, x, targets):
    return _backward(params, x, targets, bend=np.ones_like)


@wrong("mlp_backward", hint="multiply by 1 - h^2")
def tanh_of_tanh(params, x, targets):
    return _backward(params, x, targets, bend=lambda h: 1 - np.tanh(h) ** 2)


@wrong("mlp_backward", hint="the logits' derivatives")
def gradient_of_the_summed_loss(params, x, targets):
    return _backward(params, x, targets, batch=1)


@wrong("mlp_backward", hint="through every hidden unit")
def one_path_only(params, x, targets):
    return _backward(params, x, targets, dx=lambda da: np.outer(da[:, 0], params["W1"][:, 0]))


@wrong("mlp_backward", hint="keys W1, b1, W2, b2, x")
def without_the_input(params, x, targets):
    loss, gradients = _backward(params, x, targets)
    del gradients["x"]
    return loss, gradients


# --- gradient_check


@right("gradient_check")
def moves_a_copy(f, x, gradient, eps=1e-5):
    flat, errors = x.astype(float).ravel(), []
    for i in range(flat.size):
        values = []
        for sign in (1, -1):
            moved = flat.copy()
            moved[i] += sign * eps
            values.append(f(moved.reshape(x.shape)))
        errors.append((values[0] - values[1]) / (2 * eps) - gradient.ravel()[i])
    return np.abs(errors).max()


@right("gradient_check")
def puts_each_number_back(f, x, gradient, eps=1e-5):
    estimate = np.empty_like(x)
    for place in np.ndindex(*x.shape):
        kept = x[place]
        x[place] = kept + eps
        above = f(x)
        x[place] = kept - eps
        estimate[place] = (above - f(x)) / (2 * eps)
        x[place] = kept
    return torch.tensor(estimate - gradient).abs().max()


def _estimate(f, x, eps, low=1.0, width=2.0):
    estimate = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[place] = eps
        estimate[place] = (f(x + step) - f(x - low * step)) / (width * eps)
    return estimate


@wrong("gradient_check", hint="that of one side")
def from_one_side(f, x, gradient, eps=1e-5):
    return np.abs(_estimate(f, x, 1e-7, 0.0, 1.0) - gradient).max()


@wrong("gradient_check", hint="divide by 2 eps")
def divides_by_eps(f, x, gradient, eps=1e-5):
    return np.abs(_estimate(f, x, eps, 1.0, 1.0) - gradient).max()


@wrong("gradient_check", hint="Take absolute values")
def without_absolute_values(f, x, gradient, eps=1e-5):
    return max((gradient - _estimate(f, x, eps)).max(), 0.0)


@wrong("gradient_check", hint="too high is as wrong as too low")
def without_absolute_values_the_other_way(f, x, gradient, eps=1e-5):
    return (_estimate(f, x, eps) - gradient).max()


@wrong("gradient_check", hint="differences of both signs count")
def largest_above_zero(f, x, gradient, eps=1e-5):
    return max((_estimate(f, x, eps) - gradient).max(), 0.0)


@wrong("gradient_check", hint="not the mean")
def mean_error(f, x, gradient, eps=1e-5):
    return np.abs(gradient - _estimate(f, x, eps)).mean()


@wrong("gradient_check", hint="one number at a time")
def moves_all_at_once(f, x, gradient, eps=1e-5):
    estimate = (f(x + eps) - f(x - eps)) / (2 * eps)
    return np.abs(gradient - estimate).max()


@wrong("gradient_check", hint="changed its arguments")
def never_puts_back(f, x, gradient, eps=1e-5):
    worst = 0.0
    for place in np.ndindex(x.shape):
        kept = x[place]
        x[place] = kept + eps
        above = f(x)
        x[place] = kept - eps
        worst = max(worst, abs((above - f(x)) / (2 * eps) - gradient[place]))
    return worst


# --- FixedWindowLM


@right("FixedWindowLM")
class ColumnsAndOneHots:
    def __init__(self, params):
        self.p = params

    def features(self, ids):
        return np.hstack([self.p["E"][column] for column in ids.T])

    def logits(self, ids):
        hidden = np.tanh(np.einsum("bi,if->bf", self.features(ids), self.p["W1"]) + self.p["b1"])
        return torch.tensor(hidden @ self.p["W2"]) + torch.tensor(self.p["b2"])

    def embedding_gradient(self, ids, dx):
        one_hot = np.eye(len(self.p["E"]))[ids.ravel()]
        return one_hot.T @ dx.reshape(ids.size, -1)


@right("FixedWindowLM")
class LoopsOverPlaces:
    def __init__(self, params):
        self.E, self.params = params["E"], params

    def features(self, ids):
        return [[value for i in row for value in self.E[i]] for row in ids]

    def logits(self, ids):
        p = self.params
        return np.tanh(np.array(self.features(ids)) @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]

    def embedding_gradient(self, ids, dx):
        d = self.E.shape[1]
        gradient = np.zeros(self.E.shape)
        for row, gradients in zip(ids, dx, strict=True):
            for t, i in enumerate(row):
                gradient[i] += gradients[t * d : (t + 1) * d]
        return gradient


class Base:
    def __init__(self, params):
        self.params = params

    def features(self, ids):
        return self.params["E"][ids].reshape(len(ids), -1)

    def logits(self, ids):
        p = self.params
        return np.tanh(self.features(ids) @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]

    def embedding_gradient(self, ids, dx):
        gradient = np.zeros_like(self.params["E"])
        np.add.at(gradient, ids, dx.reshape(*ids.shape, -1))
        return gradient


@wrong("FixedWindowLM", hint="use np.add.at")
class KeepsOneOfTheRepeated(Base):
    def embedding_gradient(self, ids, dx):
        gradient = np.zeros_like(self.params["E"])
        gradient[ids] += dx.reshape(*ids.shape, -1)
        return gradient


@wrong("FixedWindowLM", hint="the vectors are mixed")
class MixesTheVectors(Base):
    def features(self, ids):
        return self.params["E"][ids].transpose(0, 2, 1).reshape(len(ids), -1)


@wrong("FixedWindowLM", hint="x being the vectors side by side")
class SumsTheVectors(Base):
    def features(self, ids):
        return self.params["E"][ids].sum(axis=1)


@wrong("FixedWindowLM", hint="the oldest token comes first")
class NewestFirst(Base):
    def features(self, ids):
        return self.params["E"][ids[:, ::-1]].reshape(len(ids), -1)


@wrong("FixedWindowLM", hint="nonlinearity is missing")
class WithoutTheBend(Base):
    def logits(self, ids):
        p = self.params
        return (self.features(ids) @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]


@wrong("FixedWindowLM", hint="The bias b2 is missing")
class WithoutTheLastBias(Base):
    def logits(self, ids):
        return super().logits(ids) - self.params["b2"]


# --- sgd_step


@right("sgd_step")
def torch_optimizer(params, gradients, velocity, lr, momentum=0.0):
    new, faster = {}, {}
    for name in params:
        v = torch.tensor(velocity[name]).mul(momentum).add(torch.tensor(gradients[name]))
        new[name], faster[name] = torch.tensor(params[name]).sub(v, alpha=lr), v
    return new, faster


@right("sgd_step")
def copies_then_in_place(params, gradients, velocity, lr, momentum=0.0):
    params = {name: value.copy() for name, value in params.items()}
    velocity = {name: value.copy() for name, value in velocity.items()}
    for name in params:
        velocity[name] *= momentum
        velocity[name] += gradients[name]
        params[name] -= lr * velocity[name]
    return [params, velocity]


@wrong("sgd_step", hint="changed its arguments")
def changes_in_place(params, gradients, velocity, lr, momentum=0.0):
    for name in params:
        velocity[name] *= momentum
        velocity[name] += gradients[name]
        params[name] -= lr * velocity[name]
    return params, velocity


@wrong("sgd_step", hint="not by the old one")
def moves_first(params, gradients, velocity, lr, momentum=0.0):
    new = {name: params[name] - lr * velocity[name] for name in params}
    return new, {name: momentum * velocity[name] + gradients[name] for name in params}


@wrong("sgd_step", hint="not times 1 - momentum")
def averages_the_gradient(params, gradients, velocity, lr, momentum=0.0):
    v = {n: momentum * velocity[n] + (1 - momentum) * gradients[n] for n in params}
    return {n: params[n] - lr * v[n] for n in params}, v


@wrong("sgd_step", hint="uphill")
def climbs(params, gradients, velocity, lr, momentum=0.0):
    v = {n: momentum * velocity[n] + gradients[n] for n in params}
    return {n: params[n] + lr * v[n] for n in params}, v


@wrong("sgd_step", hint="v = momentum v + g")
def rate_and_sign_in_the_velocity(params, gradients, velocity, lr, momentum=0.0):
    faster = {name: momentum * velocity[name] - lr * gradients[name] for name in params}
    return {name: params[name] + faster[name] for name in params}, faster


# --- random_search


@right("random_search")
def all_trials_first(objective, ranges, trials, uniform):
    if trials <= 0:
        raise ValueError("trials")
    tried = []
    for _ in range(trials):
        settings = {}
        for name, (low, high) in ranges.items():
            settings[name] = math.exp(math.log(low) + uniform() * (math.log(high) - math.log(low)))
        tried.append((settings, objective(settings)))
    return min(tried, key=lambda pair: (math.isnan(pair[1]), pair[1]))


@right("random_search")
def numpy_argmin(objective, ranges, trials, uniform):
    if trials < 1:
        raise ValueError("trials")
    names = list(ranges)
    low, high = np.log10([ranges[n] for n in names]).T
    settings = []
    for _ in range(trials):
        u = np.array([uniform() for _ in names])
        settings.append(dict(zip(names, 10 ** (low + u * (high - low)), strict=True)))
    values = np.array([objective(s) for s in settings], dtype=float)
    best = np.argmin(np.where(np.isnan(values), np.inf, values))
    return settings[best], values[best]


def _draw(ranges, uniform):
    return {name: low * (high / low) ** uniform() for name, (low, high) in ranges.items()}


def _at_least_one(trials):
    if trials < 1:
        raise ValueError("trials")


@wrong("random_search", hint="use math.isnan")
def first_nan_blocks(objective, ranges, trials, uniform):
    _at_least_one(trials)
    best = None
    for _ in range(trials):
        settings = _draw(ranges, uniform)
        value = objective(settings)
        if best is None or value < best[1]:
            best = settings, value
    return best


@wrong("random_search", hint="draw evenly in factors")
def draws_evenly(objective, ranges, trials, uniform):
    _at_least_one(trials)

    def settings():
        return {name: low + uniform() * (high - low) for name, (low, high) in ranges.items()}

    tried = [(s, objective(s)) for s in (settings() for _ in range(trials))]
    return min(tried, key=lambda pair: (math.isnan(pair[1]), pair[1]))


@wrong("random_search", hint="return the lowest objective")
def takes_the_highest(objective, ranges, trials, uniform):
    _at_least_one(trials)
    tried = [(s, objective(s)) for s in (_draw(ranges, uniform) for _ in range(trials))]
    return max(tried, key=lambda pair: (not math.isnan(pair[1]), pair[1]))


@wrong("random_search", hint="0 trials: nothing to try")
def nothing_for_no_trials(objective, ranges, trials, uniform):
    tried = [(s, objective(s)) for s in (_draw(ranges, uniform) for _ in range(trials))]
    return min(tried, key=lambda pair: (math.isnan(pair[1]), pair[1]), default=({}, math.nan))


@wrong("random_search", hint="once for each trial")
def asks_again_for_the_best(objective, ranges, trials, uniform):
    _at_least_one(trials)
    tried = [_draw(ranges, uniform) for _ in range(trials)]
    best = min(tried, key=objective)
    return best, objective(best)
