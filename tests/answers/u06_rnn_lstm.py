"""Right and wrong answers to the exercises of unit 06: some whole, most as edits of a solution."""

import math

import numpy as np
import torch
from torch.nn.functional import linear

from autograder.verification.answer_bank import RIGHT, Equivalent, edited, right
from llmcourse.checks import u06_cells as cells


def tensors(values):
    return {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}


def loaded(kind, blocks, p):
    """Return a torch cell or layer with these parameters."""
    rows, inputs = p["W_ih"].shape
    module, end = kind(inputs, rows // blocks).double(), "" if "Cell" in kind.__name__ else "_l0"
    long = {"W": "weight", "b": "bias"}
    module.load_state_dict({long[n[0]] + n[1:] + end: value for n, value in tensors(p).items()})
    return module


def gru_states(params, xs, h=None):
    h = h if h is None else torch.tensor(h[None])
    return loaded(torch.nn.GRU, 3, params)(torch.tensor(xs.copy()), h)[0].detach().numpy()


def both_ways(forward, backward, xs):
    return np.concatenate([gru_states(forward, xs), gru_states(backward, xs[::-1])[::-1]], axis=2)


# Earlier exercises, called by their names as the notebook calls them.
elman_step = cells.elman


def gru_cell(params, x, h):
    return gru_states(params, x[None], h)[0]


# --- right answers that share no line with the solutions


@right("elman_step")
def elman_by_torch(params, x, h):
    return loaded(torch.nn.RNNCell, 1, params)(torch.tensor(x), torch.tensor(h)).detach()


@right("elman_step")
def elman_in_loops(params, x, h):
    def dot(row, w):
        return sum(a * b for a, b in zip(row, w, strict=True))

    units = list(zip(*(params[n] for n in ("W_ih", "b_ih", "W_hh", "b_hh")), strict=True))
    rows = zip(x, h, strict=True)
    return [[np.tanh(dot(a, w) + b + dot(s, u) + v) for w, b, u, v in units] for a, s in rows]


@right("jordan_step")
def jordan_by_torch(params, x, y):
    p = tensors(params)
    both = torch.cat([torch.tensor(x), torch.tensor(y)], dim=1)
    h = torch.tanh(linear(both, torch.cat([p["W_ih"], p["W_yh"]], dim=1), p["b_h"]))
    return h, linear(h, p["W_hy"], p["b_y"])


@right("bptt")
def bptt_by_autograd(params, xs, h0, dhs):
    leaf = {n: v.requires_grad_() for n, v in tensors(params | {"h0": h0}).items()}
    h = leaf["h0"]
    loss = 0.0 * sum(v.sum() for v in leaf.values())
    for x, dh in zip(xs, dhs, strict=True):
        sums = torch.tensor(x) @ leaf["W_ih"].T + leaf["b_ih"] + h @ leaf["W_hh"].T + leaf["b_hh"]
        h = torch.tanh(sums)
        loss = loss + (h * torch.tensor(dh)).sum()
    loss.backward()
    return {name: value.grad for name, value in leaf.items()}


@right("bptt")
def bptt_sums_first_products_last(params, xs, h0, dhs):
    hs = [h0]
    for x in xs:
        hs.append(elman_step(params, x, hs[-1]))
    H, das, back = h0.shape[1], [], np.zeros(h0.shape)
    for h, dh in zip(hs[:0:-1], dhs[::-1], strict=True):
        das.insert(0, (1 - h * h) * (dh + back))
        back = das[0] @ params["W_hh"]
    da = np.array(das).reshape(-1, H)
    W_ih = da.T @ xs.reshape(-1, xs.shape[2])
    W_hh, bias = da.T @ np.array(hs[:-1]).reshape(-1, H), da.sum(axis=0)
    return {"W_ih": W_ih, "W_hh": W_hh, "b_ih": bias, "b_hh": bias.copy(), "h0": back}


@right("clip_grad_norm")
def clip_by_torch(gradients, max_norm):
    given = {name: torch.tensor(g) for name, g in gradients.items()}
    leaves = {name: torch.nn.Parameter(torch.zeros_like(g).double()) for name, g in given.items()}
    for name, leaf in leaves.items():
        leaf.grad = given[name].double()
    norm = torch.nn.utils.clip_grad_norm_(leaves.values(), max_norm)
    return {name: leaf.grad.to(given[name].dtype) for name, leaf in leaves.items()}, norm


@right("clip_grad_norm")
def clip_of_the_largest(gradients, max_norm):
    largest = max((float(abs(g).max()) for g in gradients.values()), default=0.0) or 1.0
    root = math.hypot(*(float(v) / largest for g in gradients.values() for v in g.flat))
    scale = min(1.0, max_norm / largest / (root or 1.0))
    return {name: (g * scale).astype(g.dtype) for name, g in gradients.items()}, largest * root


@right("lstm_cell")
def lstm_by_torch(params, x, h, c):
    state = torch.tensor(h), torch.tensor(c)
    return [v.detach() for v in loaded(torch.nn.LSTMCell, 4, params)(torch.tensor(x), state)]


@right("lstm_cell")
def lstm_block_by_block(params, x, h, c):
    sums = []
    for rows in np.split(np.arange(4 * h.shape[1]), 4):
        W, U = params["W_ih"][rows], params["W_hh"][rows]
        bias = (params["b_ih"] + params["b_hh"])[rows]
        sums.append(np.einsum("bi,hi->bh", x, W) + np.einsum("bj,hj->bh", h, U) + bias)
    i, f, o = (0.5 * np.tanh(0.5 * sums[k]) + 0.5 for k in (0, 1, 3))
    new = f * c + i * np.tanh(sums[2])
    return o * np.tanh(new), new


@right("gru_cell")
def gru_by_torch(params, x, h):
    return loaded(torch.nn.GRUCell, 3, params)(torch.tensor(x), torch.tensor(h)).detach()


both_by_torch = right("bidirectional")(both_ways)


@right("bidirectional")
def both_filled_in(forward, backward, xs):
    T, B, _ = xs.shape
    H = forward["W_hh"].shape[1]
    made, h, g = np.empty((T, B, 2 * H)), np.zeros((B, H)), np.zeros((B, H))
    for t in range(T):
        made[t, :, :H] = h = gru_cell(forward, xs[t], h)
        made[T - 1 - t, :, H:] = g = gru_cell(backward, xs[T - 1 - t], g)
    return made


@right("bidirectional")
def both_by_keywords(forward, backward, xs, verbose=False):
    def run(params, xs):
        h = np.zeros((xs.shape[1], params["W_hh"].shape[1]))
        for x in xs:
            h = gru_cell(h=h, x=x, params=params, reset_after=True)
            yield h

    ahead, back = (
        np.reshape(list(run(p, s)), (*xs.shape[:2], -1))
        for p, s in ((forward, xs), (backward, xs[::-1]))
    )
    return np.concatenate([ahead, back[::-1]], axis=2)


@right("SequenceTagger")
class RowByRow:
    def __init__(self, params):
        self.params = params

    def logits(self, ids):
        p, rows = self.params, []
        for row in ids:
            seen = both_ways(p["forward"], p["backward"], np.array([[p["E"][i]] for i in row]))
            rows.append([p["W"] @ state[0] + p["b"] for state in seen])
        return rows

    def tags(self, ids):
        return [[int(np.argmax(z)) for z in row] for row in self.logits(ids)]


# --- solutions with one thing changed

SOLVED = {
    "elman_step": """def elman_step(params, x, h):
    a = x @ params["W_ih"].T + params["b_ih"] + h @ params["W_hh"].T + params["b_hh"]
    return np.tanh(a)
""",
    "jordan_step": """def jordan_step(params, x, y):
    a = x @ params["W_ih"].T + y @ params["W_yh"].T + params["b_h"]
    h = np.tanh(a)
    out = h @ params["W_hy"].T + params["b_y"]
    return h, out
""",
    "bptt": """def bptt(params, xs, h0, dhs):
    hs = [h0]
    for x in xs:
        hs.append(elman_step(params, x, hs[-1]))
    g = {name: np.zeros(p.shape) for name, p in params.items()}
    dh = np.zeros(h0.shape)
    for t in range(len(xs) - 1, -1, -1):
        dh = dh + dhs[t]
        da = dh * (1 - hs[t + 1] ** 2)
        g["W_ih"] += da.T @ xs[t]
        g["W_hh"] += da.T @ hs[t]
        g["b_ih"] += da.sum(axis=0)
        g["b_hh"] += da.sum(axis=0)
        dh = da @ params["W_hh"]
    g["h0"] = dh
    return g
""",
    "clip_grad_norm": """def clip_grad_norm(gradients, max_norm):
    norm = float(np.sqrt(sum((g.astype(float) ** 2).sum() for g in gradients.values())))
    scale = max_norm / norm if norm > max_norm else 1
    made = {name: g * scale for name, g in gradients.items()}
    return made, norm
""",
    "lstm_cell": f"""def lstm_cell(params, x, h, c):
    s = lambda a: {cells.SIGMOID}
    sums = x @ params["W_ih"].T + params["b_ih"] + h @ params["W_hh"].T + params["b_hh"]
    i, f, g, o = np.split(sums, 4, axis=1)
    c = s(f) * c + s(i) * np.tanh(g)
    h = s(o) * np.tanh(c)
    return h, c
""",
    "gru_cell": f"""def gru_cell(params, x, h):
    s = lambda a: {cells.SIGMOID}
    xr, xz, xn = np.split(x @ params["W_ih"].T + params["b_ih"], 3, axis=1)
    hr, hz, hn = np.split(h @ params["W_hh"].T + params["b_hh"], 3, axis=1)
    r, z = s(xr + hr), s(xz + hz)
    U, u, (B, H) = params["W_hh"], params["b_hh"], h.shape
    n = np.tanh(xn + r * hn)
    out = (1 - z) * n + z * h
    return out
""",
    "bidirectional": """def bidirectional(forward, backward, xs):
    def read(params, xs, h):
        states = []
        for x in xs:
            before, h = h, gru_cell(params, x, h)
            states.append(h)
        return np.array(states)
    zeros = np.zeros((xs.shape[1], forward["W_hh"].shape[1]))
    left = read(forward, xs, zeros)
    right = read(backward, xs[::-1], zeros)[::-1]
    return np.concatenate([left, right], axis=-1)
""",
    "SequenceTagger": """class SequenceTagger:
    def __init__(self, params):
        self.p = params
    def logits(self, ids):
        p, f, b = self.p, self.p["forward"], self.p["backward"]
        states = both_ways(f, b, p["E"][ids.T])
        return (states @ p["W"].T + p["b"]).transpose(1, 0, 2)
    def tags(self, ids):
        return self.logits(ids).argmax(axis=-1)
""",
    "SequenceClassifier": """class SequenceClassifier:
    def __init__(self, params, pooling="last"):
        if pooling not in ("last", "mean"):
            raise ValueError(pooling)
        self.p, self.pooling = params, pooling
    def logits(self, ids, lengths):
        states, (B, T) = gru_states(self.p["gru"], self.p["E"][ids.T]), ids.shape
        t, end = np.arange(T)[:, None], lengths - 1
        real = t < lengths
        if self.pooling == "last":
            s = states[end, np.arange(B)]
        else:
            s = (states * real[:, :, None]).sum(axis=0) / lengths[:, None]
        z = s @ self.p["W"].T + self.p["b"]
        return z
""",
}


SINGLE, AXES, ROWS = "leave dtype alone", "Keep all axes", "have outputs as rows"
WITHOUT_B_HH = ("The bias b_hh is missing", (' + params["b_hh"]', ""))
WITHOUT_BOTH = ("Both biases are missing", (' + params["b_ih"]', ""), (' + params["b_hh"]', ""))
GATED = [  # of both gated cells
    (ROWS, ('params["W_hh"].T', 'params["W_hh"]')),
    WITHOUT_B_HH,
    ("The bias b_ih is missing", (' + params["b_ih"]', "")),
    WITHOUT_BOTH,
    ("halves its argument", ("a / 2", "a")),
    ("exponential overflows", (cells.SIGMOID, "np.exp(a) / (1 + np.exp(a))")),
]
MATRIX = 'np.einsum("bi,oi->bo", {0}, params["{1}"])'
MEAN = "(states * real[:, :, None]).sum(axis=0) / lengths[:, None]"
EDITS = {
    "elman_step": [
        (SINGLE, ("np.tanh(a)", "np.tanh(a).astype(np.float32)")),
        (AXES, ("np.tanh(a)", "np.tanh(a).squeeze()")),
        (ROWS, ('params["W_ih"].T', 'params["W_ih"]')),
        ("h @ W_hh.T", ('params["W_hh"].T', 'params["W_hh"]')),
        ("The nonlinearity is missing", ("np.tanh(a)", "a")),
        WITHOUT_B_HH,
        WITHOUT_BOTH,
        ("old state has no influence", (' + h @ params["W_hh"].T', "")),
        ("is tanh, not a sigmoid", ("np.tanh(a)", "1 / (1 + np.exp(-a))")),
        ("do not add it again", ("return ", "return h + ")),
        ("changed its argument", ("return np.tanh(a)", "h[:] = np.tanh(a)\n    return h")),
        ("exponential overflows: use np.tanh.",
         ("np.tanh(a)", "(np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))")),
    ],
    "jordan_step": [
        (RIGHT, ("return h, out", "return [h, out]"),
         ('h @ params["W_hy"].T', MATRIX.format("h", "W_hy")),
         ('x @ params["W_ih"].T', MATRIX.format("x", "W_ih")),
         ('y @ params["W_yh"].T', MATRIX.format("y", "W_yh"))),
        (SINGLE, ("return h, out", "return h, out.astype(np.float32)")),
        (AXES, ("return h, out", "return h, out.squeeze()")),
        (ROWS, ('params["W_yh"].T', 'params["W_yh"]')),
        ("no tanh around y", ("return h, out", "return h, np.tanh(out)")),
        ("no softmax", ("return h, out", "return h, cells.softmax(out)")),
        ("in this order", ("return h, out", "return out, h")),
        ("units after the tanh", ("return h", "return a")),
        ("output from the hidden units after the tanh", ("h @", "a @")),
        ("Compute the output with W_hy", ('params["W_hy"].T', 'params["W_yh"]')),
        ("enters through W_yh", ('params["W_yh"].T', 'params["W_hy"]')),
        ("no tanh around it", ("y @", "np.tanh(y) @")),
        ("b_y is missing", (' + params["b_y"]', "")),
        ("Both biases are missing", (' + params["b_h"]', ""), (' + params["b_y"]', "")),
        ("previous output has no influence", (' + y @ params["W_yh"].T', "")),
    ],
    "bptt": [
        (SINGLE, ("np.zeros(p.shape)", "np.zeros(p.shape, dtype=np.float32)")),
        ("T = 0: begin", ("np.zeros(h0.shape)", "0 * dhs[-1]")),
        ("T = 0: begin", ("    return g", "    return g if len(xs) else dict.fromkeys(g, 0)")),
        ("Carry the gradient back", ("dh + dhs[t]", "dhs[t]")),
        ("+=, not =", ("+=", "=")),
        ("state AFTER the step", ("1 - hs[t + 1]", "1 - hs[t]")),
        ("state BEFORE the step", ("@ hs[t]", "@ hs[t + 1]")),
        ("without a transpose", ('da @ params["W_hh"]', 'da @ params["W_hh"].T')),
        ("not only the last", ("dh + dhs[t]", "dh + (dhs[t] if t == len(xs) - 1 else 0)")),
        ("not the mean; b_hh too", ("da.sum(axis=0)", "da.mean(axis=0)")),
        ("same gradient as b_ih", ('g["b_hh"] += da.sum(axis=0)', "pass")),
        ("make two", ("    dh = np.z", '    g["b_hh"] = g["b_ih"]\n    dh = np.z')),
        ("multiply by 1 - h^2", (" * (1 - hs[t + 1] ** 2)", "")),
        ("h is squared", ("hs[t + 1] ** 2", "hs[t + 1]")),
        ("that of the sigmoid", ("(1 - hs[t + 1] ** 2)", "hs[t + 1] * (1 - hs[t + 1])")),
        ("da.T @ the state before", ("da.T @ hs[t]", "hs[t].T @ da")),
        ("at t = 0 that is h0", ("da.T @ hs[t]", "da.T @ (hs[t] if t else hs[-1])")),
        ("da, not dh", ("dh = da @", "dh = dh @")),
        ("da @ W_hh once more", ('g["h0"] = dh', 'g["h0"] = da if len(xs) else dh')),
        ("mean over the batch", ("da.sum(axis=0)", "da.mean(axis=0)"), ("da.T", "da.T / len(h0)")),
        ("h0, not zeros", ("hs = [h0]", "hs = [0 * h0]")),
        ("from the last step to the first", ("range(len(xs) - 1, -1, -1)", "range(len(xs))")),
        ("input of the same step", ("@ xs[t]", "@ xs[t - 1]")),
        ("is da = ", ("hs[t + 1] ** 2", "np.tanh(hs[t + 1]) ** 2")),
    ],
    "clip_grad_norm": [
        (RIGHT, ("sum((g.astype(float) ** 2).sum() for g in gradients.values())",
                 "sum(np.concatenate([g.ravel() for g in gradients.values()]).astype(float) ** 2)"),
         ("g * scale", "g / norm * max_norm if norm > max_norm else g.copy()")),
        ("is another norm", ("(g.astype(float) ** 2).sum()", "np.linalg.norm(g, 2) ** 2")),
        ("not a maximum", ("sum((g.astype(float) ** 2).sum() for", "max((g * g).max() for")),
        ("in this order", ("return made, norm", "return norm, made")),
        ("as a dictionary", ("return made", "return list(made.values())")),
        ("not norm / limit", ("max_norm / norm", "norm / max_norm")),
        ("Sum the squared norms",
         ("np.sqrt(sum((g.astype(float) ** 2).sum()", "(sum(np.linalg.norm(g)")),
        ("Square and sum in float64", ("g.astype(float) ** 2", "g * g")),
        ("Square and sum in float64", ("(g.astype(float) ** 2).sum()", "np.linalg.norm(g) ** 2")),
        ("One norm and one factor for all arrays together",
         ("g * scale", "g * min(1, max_norm / max(np.linalg.norm(g), 1e-9))")),
        ("never scale up", ("norm if norm > max_norm else 1", "max(norm, 1e-9)")),
        ("norm before clipping", ("return made, norm", "return made, min(norm, max_norm)")),
        ("do not cut each element at the limit", ("g * scale", "np.clip(g, -max_norm, max_norm)")),
        ("Do not divide by a norm of 0",
         ("if norm > max_norm else 1", "if norm > max_norm else 1 if norm else np.nan")),
        ("changed its argument",
         ("return made", "for n, g in gradients.items(): g[...] = made[n]\n    return gradients")),
    ],
    "lstm_cell": [
        (SINGLE, ("return h, c", "return h.astype(np.float32), c")),
        (AXES, ("return h, c", "return h.squeeze(), c.squeeze()")),
        *GATED,
        ("you used i, f, o, g", ("i, f, g, o", "i, f, o, g")),
        ("you used i, g, f, o", ("i, f, g, o", "i, g, f, o")),
        ("H adjacent columns", ("np.split(sums, 4, axis=1)", "(sums[:, k::4] for k in range(4))")),
        ("candidate g is missing: np.tanh", ("np.tanh(g)", "g")),
        ("in this order", ("return h, c", "return c, h")),
        ("you returned h twice", ("return h, c", "return h, h")),
        ("candidate g is tanh, not a sigmoid", ("np.tanh(g)", "s(g)")),
        ("Compute h from the NEW c", ("    c = ", "    d, c = c, "), ("np.tanh(c)", "np.tanh(d)")),
    ],
    "gru_cell": [
        (RIGHT, ("(1 - z) * n + z * h", "n + z * (h - n)"), ("s(xr + hr), s(xz + hz)",
         "np.split(0.5 + 0.5 * np.tanh(np.hstack([xr + hr, xz + hz]) / 2), 2, axis=1)")),
        (SINGLE, ("return out", "return out.astype(np.float32)")),
        (AXES, ("return out", "return out.squeeze()")),
        *GATED,
        ("z is the weight of the OLD state", ("(1 - z) * n + z * h", "z * n + (1 - z) * h")),
        ("AFTER the product", ("r * hn", "(r * h) @ U[2 * H :].T + u[2 * H :]")),
        ("other form of the papers", ("r * hn", "(r * h) @ U[2 * H :].T + u[2 * H :]"),
         ("(1 - z) * n + z * h", "z * n + (1 - z) * h")),
        ("inside the bracket", ("r * hn", "r * (hn - u[2 * H :]) + u[2 * H :]")),
        ("only the block of the state", ("xn + r * hn", "r * (xn + hn)")),
        ("you used z, r, n", ("r, z = s(xr + hr), s(xz + hz)", "z, r = s(xr + hr), s(xz + hz)")),
        ("you used r, n, z", ("xr, xz, xn =", "xr, xn, xz ="), ("hr, hz, hn =", "hr, hn, hz =")),
        ("candidate n is tanh, not a sigmoid", ("np.tanh(xn + r * hn)", "s(xn + r * hn)")),
    ],
    "bidirectional": [
        (AXES, ("np.array(states)", "np.array(states).squeeze()")),
        ("Reverse the backward states", ("zeros)[::-1]", "zeros)")),
        ("reads from the end", ("xs[::-1], zeros)[::-1]", "xs, zeros)")),
        ("and then its states are reversed", ("xs[::-1], zeros)", "xs, zeros)")),
        ("its own parameters", ("read(backward", "read(forward")),
        ("not carried to the next step", ("gru_cell(params, x, h)", "gru_cell(params, x, 0 * h)")),
        ("after the step, not before", ("append(h)", "append(before)")),
        ("All rows are equal", ("before, h = h, gru", "h[:] = gru")),
        ("starts at zeros", ("xs[::-1], zeros)", "xs[::-1], left[-1])")),
        ("forward half is wrong", ("return np.array(states)", "return np.array(states[::-1])")),
    ],
    "SequenceTagger": [
        (RIGHT, ("argmax(axis=-1)", "max(dim=2).indices"),
         ('(states @ p["W"].T + p["b"]).transpose(1, 0, 2)',
          "linear(*map(torch.tensor, (states, p['W'], p['b']))).swapaxes(0, 1)")),
        ("along time, not along the batch", ("[ids.T]", "[ids]"), (".transpose(1, 0, 2)", "")),
        ("reshape does not swap axes", ("transpose(1, 0, 2)", "reshape(*ids.shape, -1)")),
        ("The bias b is missing", (' + p["b"]', "")),
        ("one label per token", ("argmax(axis=-1)", "argmax(axis=1)")),
        ("are exchanged", ("(f, b,", "(b, f,")),
        ("the same parameters", ("(f, b,", "(f, f,")),
        ("tags should be integers", ("argmax(axis=-1)", "argmax(axis=-1).astype(float)")),
        (AXES, ("transpose(1, 0, 2)", "transpose(1, 0, 2).squeeze()")),
        ("W has outputs as rows", ('p["W"].T', 'p["W"]')),
    ],
    "SequenceClassifier": [
        (RIGHT, ("(states * real[:, :, None])", "np.where(real[:, :, None], states, 0)")),
        (RIGHT, ("states[end, np.arange(B)]",
                 "np.array([states[:n, b][-1] for b, n in enumerate(lengths)])"),
         (MEAN, "np.array([states[:n, b].mean(axis=0) for b, n in enumerate(lengths)])")),
        ("after the end of a row must not count", ("states[end, np.arange(B)]", "states[-1]"),
         (MEAN, "states.mean(axis=0)")),
        ("divide by lengths", ("/ lengths[:, None]", "/ T")),
        ("at lengths - 1", ("t, end", "lengths = np.minimum(lengths + 1, T)\n        t, end")),
        ("Refuse any other pooling",
         ("params, pooling\n", "params, 'last' if pooling == 'last' else 'mean'\n"),
         ("if pooling not in", "if not")),
        ("last and mean are exchanged", ('self.pooling == "last"', 'self.pooling == "mean"')),
        (AXES, ("return z", "return z.squeeze()")),
        ("Token 0 is an ordinary token", ("t < lengths", "(ids != 0).T")),
        ("Token 0 is an ordinary token", ("lengths - 1", "(ids != 0).sum(axis=1) - 1")),
        ("one too many", ("t < lengths", "t <= lengths")),
        ("one too few", ("t < lengths", "t < lengths - 1")),
        ("not at lengths - 2", ("lengths - 1", "lengths - 2")),
        ("Take the mean, no sum", (" / lengths[:, None]", "")),
        ("set to 0 contain nothing",
         ("states[end, np.arange(B)]", "(states * real[:, :, None])[-1]")),
        ("changed its argument", ("        t, end", "        lengths -= 1\n        t, end")),
        ("when the object is made", ('in ("last", "mean")', 'in "last mean"')),
        ("when the object is made", ("if pooling not", "if pooling.lower() not"),
         ("pooling = params, pooling", "pooling = params, pooling.lower()")),
        ("when the object is made", ("if pooling not", "if pooling is None and pooling not"),
         ("states, (B", "assert self.pooling in ('last', 'mean')\n        states, (B")),
        ("unless given", ('pooling="last"', "pooling")),
        ("unless given", ('pooling="last"', 'pooling="mean"')),
    ],
}  # fmt: skip
globals().update(edited(globals(), EDITS, SOLVED))

EQUIVALENT: list[Equivalent] = []
