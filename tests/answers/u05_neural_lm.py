"""Right and wrong answers to the exercises of unit 05: some whole, most as edits of a solution."""

import math

import numpy as np
import torch

from autograder.verification.answer_bank import RIGHT, edited, right

# --- right answers that share no line with the solutions


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
        small, root = math.exp(-abs(v)), math.sqrt(2 / math.pi)
        s, t = (1 if v >= 0 else small) / (1 + small), math.tanh(v)
        inner = math.tanh(root * (v + 0.044715 * v**3))
        steep = v / 2 * (1 - inner) * (1 + inner) * root * (1 + 0.134145 * v * v)
        first = [s, s * (1 - s), t, 1 - t * t, max(v, 0.0), float(v > 0)]
        return [*first, v / 2 * (1 + inner), 0.5 + inner / 2 + steep]

    table = np.array([four_at(v) for v in np.asarray(x).reshape(-1).tolist()])
    columns = [column.reshape(np.shape(x)) for column in table.T]
    names = ("sigmoid", "tanh", "relu", "gelu")
    return {name: tuple(columns[2 * i : 2 * i + 2]) for i, name in enumerate(names)}


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


@right("linear_backward")
def torch_graph(x, W, dy):
    leaf_x, leaf_W = torch.tensor(x, requires_grad=True), torch.tensor(W, requires_grad=True)
    b = torch.zeros(W.shape[1], dtype=torch.float64, requires_grad=True)
    (leaf_x @ leaf_W + b).backward(torch.tensor(dy))
    return leaf_x.grad, leaf_W.grad, b.grad


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
    h = np.tanh(x @ params["W1"] + params["b1"])
    z = h @ params["W2"] + params["b2"]
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    rows = np.arange(len(targets))
    loss = -np.log(p[rows, targets]).mean()
    p[rows, targets] -= 1
    dz = p / len(targets)
    da = (dz @ params["W2"].T) * (1 - h**2)
    gradients = {"W1": x.T @ da, "b1": da.sum(0), "W2": h.T @ dz, "b2": dz.sum(0)}
    return loss, gradients | {"x": da @ params["W1"].T}


@right("mlp_backward")
def everything_by_keywords(params, x, targets, reduction="mean"):
    h = np.tanh(x @ params["W1"] + params["b1"])
    logits = h @ params["W2"] + params["b2"]
    loss, dz = softmax_cross_entropy(targets=targets, logits=logits, reduction=reduction)
    dh, dW2, db2 = linear_backward(dy=dz, W=params["W2"], x=h)
    dx, dW1, db1 = linear_backward(x, params["W1"], dh * (1 - h * h), "no bias")
    return loss, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "x": dx}


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
    for index in np.ndindex(*x.shape):
        kept = x[index]
        x[index] = kept + eps
        above = f(x)
        x[index] = kept - eps
        estimate[index] = (above - f(x)) / (2 * eps)
        x[index] = kept
    return torch.tensor(estimate - gradient).abs().max()


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
class LoopsOverPositions:
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


# --- solutions with one thing changed

GELU = " + x / 2 * (1 - inner**2) * root * (1 + 3 * 0.044715 * x**2)"
MAXIMUM = "logits.max(axis=1, keepdims=True)"
EDITS = {
    "activations": [
        ("put the value of the sigmoid in", ("s * (1 - s)", "x * (1 - x)")),
        ("the derivative is 1 - t^2 with t the value", ("1 - t**2", "1 - x**2")),
        ("use np.tanh or e^-|x|", ("(1 + np.tanh(x / 2)) / 2", "np.exp(x) / (1 + np.exp(x))")),
        ("At exactly 0 the derivative of relu is 0", ("x > 0", "x >= 0")),
        ("half of the product rule", (GELU, "")),
        ("Product rule", (" * root * (1 + 3 * 0.044715 * x**2)", "")),
        ("use the tanh form", ("x * (1 + inner) / 2, derivative",
                               "torch.nn.functional.gelu(torch.tensor(x)).numpy(), derivative")),
    ],
    "softmax_cross_entropy": [
        ("divided by B too", ("gradient / len(targets)", "gradient")),
        ("the mean over the batch, not the sum", ("mean()", "sum()")),
        ("natural logarithm", ("return loss", "return loss / np.log(2)")),
        ("exp(1000) overflows", (f" - {MAXIMUM}", "")),
        ("largest logit", (MAXIMUM, "logits.max()")),
        ("the gradient is p - one-hot", ("gradient / len(targets)", "-gradient / len(targets)")),
        ("changed its arguments", (f"    z = logits - {MAXIMUM}",
                                   f"    logits -= {MAXIMUM}\n    z = logits")),
    ],
    "linear_backward": [
        (RIGHT, ("dy @ W.T", 'np.einsum("bo,io->bi", dy, W)'), ("dy.sum(axis=0)", "sum(dy)"),
         ("x.T @ dy", 'np.einsum("bi,bo->io", x, dy)')),
        ("Do not divide by B", ("x.T @ dy", "x.T @ dy / len(x)")),
        ("not over the outputs", ("axis=0", "axis=1")),
        ("not a mean", ("sum(axis=0)", "mean(axis=0)")),
        ("dW has the shape of W", ("x.T @ dy", "dy.T @ x")),
        ("return (dx, dW, db)", ("dy @ W.T, x.T @ dy", "x.T @ dy, dy @ W.T")),
    ],
    "mlp_backward": [
        ("multiply by 1 - h^2", (" * (1 - h**2)", "")),
        ("multiply by 1 - h^2", ("h**2", "np.tanh(h) ** 2")),
        ("the logits' derivatives", ("    dh, dW2", "    dz = dz * len(targets)\n    dh, dW2")),
        ("through every hidden unit",
         ("    return",
          '    dx = np.outer((dh * (1 - h**2))[:, 0], params["W1"][:, 0])\n    return')),
        ("keys W1, b1, W2, b2, x", (', "x": dx', "")),
    ],
    "gradient_check": [
        ("that of one side", ("f(x - step)) / (2 * eps)", "f(x)) / 1e-7"), ("= eps", "= 1e-7")),
        ("divide by 2 eps", ("(2 * eps)", "eps")),
        ("too low is as wrong", ("abs(estimate - gradient[index])", "gradient[index] - estimate"),
         ("max(errors)", "max(0, *errors)")),
        ("too high is as wrong as too low",
         ("abs(estimate - gradient[index])", "estimate - gradient[index]")),
        ("differences of both signs count",
         ("abs(estimate - gradient[index])", "max(0, estimate - gradient[index])")),
        ("not the mean", ("max(errors)", "np.mean(errors)")),
        ("one number at a time", ("step[index] = eps", "step[:] = eps")),
        ("changed its arguments", ("        step = np.zeros(x.shape)\n", "        step = eps\n"),
         ("step[index] = eps", "x[index] += eps"),
         ("(f(x + step) - f(x - step)) / (2 * eps)", "(f(x) - f(x - 2 * step)) / (2 * step)")),
    ],
    "FixedWindowLM": [
        ("use np.add.at", ("np.add.at(gradient, ids, dx.reshape(*ids.shape, gradient.shape[1]))",
                           "gradient[ids] += dx.reshape(*ids.shape, gradient.shape[1])")),
        ("The vectors are mixed", ('["E"][ids]', '["E"][ids].transpose(0, 2, 1)')),
        ("x being the vectors side by side",
         ('["E"][ids].reshape(len(ids), len(self.params["W1"]))', '["E"][ids].sum(axis=1)')),
        ("The oldest token comes first", ('["E"][ids]', '["E"][ids[:, ::-1]]')),
        ("nonlinearity is missing", ("np.tanh(", "(")),
        ("The bias b2 is missing", (' + p["b2"]', "")),
    ],
    "sgd_step": [
        ("changed its arguments", ("    return", "    for name in params:\n"
         "        velocity[name][:] = faster[name]\n    return")),
        ("not by the old one", ("lr * faster", "lr * velocity")),
        ("not times 1 - momentum", ("+ gradients", "+ (1 - momentum) * gradients")),
        ("uphill", ("params[name] - lr", "params[name] + lr")),
        ("lr and the minus come in the step",
         ("+ gradients", "- lr * gradients"), ("- lr * faster", "+ faster")),
    ],
    "random_search": [
        ("use math.isnan", (" or math.isnan(lowest)", "")),
        ("draw evenly in factors",
         ("low * (high / low) ** uniform()", "low + uniform() * (high - low)")),
        ("Return the lowest objective", ("value < lowest", "value > lowest")),
        ("0 trials: nothing to try", ("if trials < 1", "if trials is None")),
        ("once for each trial", ("    return best, lowest", "    return best, objective(best)")),
    ],
}  # fmt: skip
globals().update(edited(globals(), EDITS))
