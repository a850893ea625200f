"""Right and wrong answers to the exercises of unit 06."""

import math

import numpy as np
import torch

from autograder.verification.answer_bank import Equivalent, right, wrong
from llmcourse.checks import u06_cells as cells
from llmcourse.checks import u06_mistakes as known


def tensors(values):
    return {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}


def loaded(module, p):
    """A torch cell or layer with these parameters."""
    module = module.double()
    names = {"W_ih": "weight_ih", "W_hh": "weight_hh", "b_ih": "bias_ih", "b_hh": "bias_hh"}
    end = "" if isinstance(module, torch.nn.RNNCellBase) else "_l0"
    module.load_state_dict({names[n] + end: v for n, v in tensors(p).items()})
    return module


def shape_of(p, blocks):
    rows, inputs = p["W_ih"].shape
    return inputs, rows // blocks


# --- elman_step


@right("elman_step")
def elman_by_torch(params, x, h):
    cell = loaded(torch.nn.RNNCell(*shape_of(params, 1)), params)
    return cell(torch.tensor(x), torch.tensor(h)).detach()


@right("elman_step")
def elman_in_loops(params, x, h):
    p, rows = params, []
    for xs, hs in zip(x, h, strict=True):
        sums = [
            sum(a * b for a, b in zip(xs, w, strict=True))
            + sum(a * b for a, b in zip(hs, u, strict=True))
            for w, u in zip(p["W_ih"], p["W_hh"], strict=True)
        ]
        rows.append(
            [np.tanh(s + a + b) for s, a, b in zip(sums, p["b_ih"], p["b_hh"], strict=True)]
        )
    return rows


@wrong("elman_step", hint="changed its argument")
def elman_in_place(params, x, h):
    h[:] = np.tanh(x @ params["W_ih"].T + params["b_ih"] + h @ params["W_hh"].T + params["b_hh"])
    return h


# --- jordan_step


@right("jordan_step")
def jordan_einsum(params, x, y):
    p = params
    sums = np.einsum("bi,hi->bh", x, p["W_ih"]) + np.einsum("bo,ho->bh", y, p["W_yh"])
    hidden = np.tanh(sums + p["b_h"])
    return [hidden, np.einsum("bh,oh->bo", hidden, p["W_hy"]) + p["b_y"]]


@right("jordan_step")
def jordan_by_torch(params, x, y):
    p, linear = tensors(params), torch.nn.functional.linear
    both = torch.cat([torch.tensor(x), torch.tensor(y)], dim=1)
    h = torch.tanh(linear(both, torch.cat([p["W_ih"], p["W_yh"]], dim=1), p["b_h"]))
    return h, linear(h, p["W_hy"], p["b_y"])


# --- bptt


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
def bptt_slopes_first_products_last(params, xs, h0, dhs):
    hs = [h0]
    for x in xs:
        hs.append(elman_step(params, x, hs[-1]))
    das, back = [], np.zeros(h0.shape)
    for h, dh in zip(hs[:0:-1], dhs[::-1], strict=True):
        das.insert(0, (1 - h * h) * (dh + back))
        back = das[0] @ params["W_hh"]
    da = np.array(das).reshape(-1, h0.shape[1])
    bias = da.sum(axis=0)
    return {
        "W_ih": da.T @ xs.reshape(len(da), -1) if len(da) else 0 * params["W_ih"],
        "W_hh": da.T @ np.array(hs[:-1]).reshape(len(da), -1) if len(da) else 0 * params["W_hh"],
        "b_ih": bias,
        "b_hh": bias.copy(),
        "h0": back,
    }


def elman_step(params, x, h):
    return cells.elman(params, x, h)


# --- clip_grad_norm


@right("clip_grad_norm")
def clip_by_torch(gradients, max_norm):
    leaves = {
        name: torch.nn.Parameter(torch.zeros(g.shape).double()) for name, g in gradients.items()
    }
    for name, leaf in leaves.items():
        leaf.grad = torch.tensor(gradients[name]).double()
    norm = torch.nn.utils.clip_grad_norm_(leaves.values(), max_norm)
    made = {n: leaf.grad.to(torch.tensor(gradients[n]).dtype) for n, leaf in leaves.items()}
    return made, norm


@right("clip_grad_norm")
def clip_one_vector(gradients, max_norm):
    whole = np.concatenate([g.ravel() for g in gradients.values()])
    norm = np.linalg.norm(whole.astype(float))
    if norm <= max_norm:
        return {name: g.copy() for name, g in gradients.items()}, norm
    return {name: g / norm * max_norm for name, g in gradients.items()}, norm


@right("clip_grad_norm")
def clip_of_the_largest(gradients, max_norm):
    largest = max((float(abs(g).max()) for g in gradients.values()), default=0.0) or 1.0
    root = math.hypot(*(float(v) / largest for g in gradients.values() for v in g.flat))
    scale = min(1.0, max_norm / largest / (root or 1.0))
    return {name: (g * scale).astype(g.dtype) for name, g in gradients.items()}, largest * root


@wrong("clip_grad_norm", hint="Square and sum in float64")
def clip_squares_in_the_dtype_given(gradients, max_norm):
    norm = np.sqrt(sum((g * g).sum() for g in gradients.values()))
    scale = max_norm / max(norm, max_norm)
    return {name: scale * g for name, g in gradients.items()}, norm


@wrong("clip_grad_norm", hint="Square and sum in float64")
def clip_by_the_norms_of_the_arrays(gradients, max_norm):
    norm = np.sqrt(sum(np.linalg.norm(g) ** 2 for g in gradients.values()))
    factor = min(1, max_norm / norm) if norm else 1
    return {name: factor * g for name, g in gradients.items()}, norm


@wrong("clip_grad_norm", hint="One norm and one factor for all arrays together")
def clip_each_alone(gradients, max_norm):
    norms = {n: np.linalg.norm(g) for n, g in gradients.items()}
    made = {n: g * min(1, max_norm / max(norms[n], 1e-9)) for n, g in gradients.items()}
    return made, np.sqrt(sum(v**2 for v in norms.values()))


@wrong("clip_grad_norm", hint="never scale up")
def clip_always(gradients, max_norm):
    norm = max(known.clipped(gradients, 1)[1], 1e-9)
    return {n: g * max_norm / norm for n, g in gradients.items()}, norm


@wrong("clip_grad_norm", hint="norm before clipping")
def clip_returns_the_new_norm(gradients, max_norm):
    made, norm = known.clipped(gradients, max_norm)
    return made, min(norm, max_norm)


@wrong("clip_grad_norm", hint="do not cut each element at the limit")
def clip_by_value(gradients, max_norm):
    norm = known.clipped(gradients, 1)[1]
    return {n: np.clip(g, -max_norm, max_norm) for n, g in gradients.items()}, norm


@wrong("clip_grad_norm", hint="Do not divide by a norm of 0")
def clip_divides_by_zero(gradients, max_norm):
    norm = known.clipped(gradients, 1)[1]
    with np.errstate(all="ignore"):
        scale = np.minimum(1.0, max_norm * np.float64(norm) / np.float64(norm) ** 2)
    return {n: g * scale for n, g in gradients.items()}, norm


@wrong("clip_grad_norm", hint="changed its argument")
def clip_in_place(gradients, max_norm):
    made, norm = known.clipped(gradients, max_norm)
    for name, g in gradients.items():
        g[...] = made[name]
    return gradients, norm


# --- lstm_cell


@right("lstm_cell")
def lstm_by_torch(params, x, h, c):
    cell = loaded(torch.nn.LSTMCell(*shape_of(params, 4)), params)
    return [v.detach() for v in cell(*map(torch.tensor, (x,)), (torch.tensor(h), torch.tensor(c)))]


@right("lstm_cell")
def lstm_block_by_block(params, x, h, c):
    H = h.shape[1]
    sums = []
    for k in range(4):
        rows = slice(k * H, (k + 1) * H)
        sums.append(
            np.einsum("bi,hi->bh", x, params["W_ih"][rows])
            + np.einsum("bj,hj->bh", h, params["W_hh"][rows])
            + (params["b_ih"] + params["b_hh"])[rows]
        )
    i, f, o = (0.5 * np.tanh(0.5 * sums[k]) + 0.5 for k in (0, 1, 3))
    new = f * c + i * np.tanh(sums[2])
    return o * np.tanh(new), new


@wrong("lstm_cell", hint="candidate g is tanh, not a sigmoid")
def lstm_sigmoid_everywhere(params, x, h, c):
    sums = x @ params["W_ih"].T + params["b_ih"] + h @ params["W_hh"].T + params["b_hh"]
    i, f, g, o = np.split((1 + np.tanh(sums / 2)) / 2, 4, axis=1)
    c = f * c + i * g
    return o * np.tanh(c), c


@wrong("lstm_cell", hint="Compute h from the NEW c")
def lstm_shows_the_old_cell(params, x, h, c):
    sums = x @ params["W_ih"].T + params["b_ih"] + h @ params["W_hh"].T + params["b_hh"]
    i, f, _, o = np.split((1 + np.tanh(sums / 2)) / 2, 4, axis=1)
    g = np.tanh(np.split(sums, 4, axis=1)[2])
    return o * np.tanh(c), f * c + i * g


@wrong("lstm_cell", hint="exponential overflows")
def lstm_exponential_as_written(params, x, h, c):
    sums = x @ params["W_ih"].T + params["b_ih"] + h @ params["W_hh"].T + params["b_hh"]
    with np.errstate(all="ignore"):
        i, f, _, o = np.split(np.exp(sums) / (1 + np.exp(sums)), 4, axis=1)
    c = f * c + i * np.tanh(np.split(sums, 4, axis=1)[2])
    return o * np.tanh(c), c


# --- gru_cell


@right("gru_cell")
def gru_by_torch(params, x, h):
    cell = loaded(torch.nn.GRUCell(*shape_of(params, 3)), params)
    return cell(torch.tensor(x), torch.tensor(h)).detach()


@right("gru_cell")
def gru_from_the_old_state(params, x, h):
    H = h.shape[1]
    added = np.einsum("bi,hi->bh", x, params["W_ih"]) + params["b_ih"]
    kept = np.einsum("bj,hj->bh", h, params["W_hh"]) + params["b_hh"]
    gates = 0.5 + 0.5 * np.tanh((added + kept)[:, : 2 * H] / 2)
    new = np.tanh(added[:, 2 * H :] + gates[:, :H] * kept[:, 2 * H :])
    return new + gates[:, H:] * (h - new)


@wrong("gru_cell", hint="exponential overflows")
def gru_exponential_as_written(params, x, h):
    a, b = (
        np.split(part, 3, axis=1)
        for part in (x @ params["W_ih"].T + params["b_ih"], h @ params["W_hh"].T + params["b_hh"])
    )
    with np.errstate(all="ignore"):
        r, z = (np.exp(u + v) / (1 + np.exp(u + v)) for u, v in zip(a[:2], b[:2], strict=True))
    return (1 - z) * np.tanh(a[2] + r * b[2]) + z * h


# --- bidirectional


def gru_states(params, xs):
    layer = loaded(torch.nn.GRU(*shape_of(params, 3)), params)
    return layer(torch.tensor(xs.copy()))[0].detach().numpy()


def both_ways(forward, backward, xs):
    return np.concatenate([gru_states(forward, xs), gru_states(backward, xs[::-1])[::-1]], axis=2)


@right("bidirectional")
def both_by_torch(forward, backward, xs):
    return both_ways(forward, backward, xs)


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


def gru_cell(params, x, h):
    layer = loaded(torch.nn.GRU(*shape_of(params, 3)), params)
    return layer(torch.tensor(x[None]), torch.tensor(h[None]))[0][0].detach().numpy()


@wrong("bidirectional", hint="starts at zeros")
def both_goes_on(forward, backward, xs):
    h, left, right_side = np.zeros((xs.shape[1], forward["W_hh"].shape[1])), [], []
    for x in xs:
        left.append(h := gru_cell(forward, x, h))
    for x in xs[::-1]:
        right_side.insert(0, h := gru_cell(backward, x, h))
    return np.concatenate([left, right_side], axis=2)


# --- SequenceTagger


class Tagger:
    def __init__(self, params):
        self.params = params

    def states(self, ids):
        p = self.params
        return both_ways(p["forward"], p["backward"], p["E"][ids.T])

    def logits(self, ids):
        return np.swapaxes(self.states(ids) @ self.params["W"].T + self.params["b"], 0, 1)

    def tags(self, ids):
        return self.logits(ids).argmax(axis=-1)


@right("SequenceTagger")
class RowByRow(Tagger):
    def logits(self, ids):
        p, rows = self.params, []
        for row in ids:
            seen = both_ways(p["forward"], p["backward"], np.array([[p["E"][i]] for i in row]))
            rows.append([p["W"] @ state[0] + p["b"] for state in seen])
        return rows

    def tags(self, ids):
        return [[int(np.argmax(z)) for z in row] for row in self.logits(ids)]


@right("SequenceTagger")
class TorchTagger(Tagger):
    def logits(self, ids):
        states = torch.tensor(self.states(np.asarray(ids))).transpose(0, 1)
        return torch.nn.functional.linear(
            states, *map(torch.tensor, (self.params["W"], self.params["b"]))
        )

    def tags(self, ids):
        return self.logits(ids).max(dim=2).indices


@wrong("SequenceTagger", hint="along time, not along the batch")
class ReadsAlongTheBatch(Tagger):
    def logits(self, ids):
        p = self.params
        return known.both(p["forward"], p["backward"], p["E"][ids]) @ p["W"].T + p["b"]


@wrong("SequenceTagger", hint="reshape does not swap axes")
class Reshapes(Tagger):
    def logits(self, ids):
        p = self.params
        return (self.states(ids) @ p["W"].T + p["b"]).reshape(*ids.shape, -1)


@wrong("SequenceTagger", hint="The bias b is missing")
class TaggerWithoutBias(Tagger):
    def logits(self, ids):
        return super().logits(ids) - self.params["b"]


@wrong("SequenceTagger", hint="one label per token")
class OneTagASentence(Tagger):
    def tags(self, ids):
        return self.logits(ids).argmax(axis=1)


# --- SequenceClassifier


class Classifier:
    """Rights and wrongs differ in how they pool the states (T, B, H)."""

    def __init__(self, params, pooling="last"):
        if pooling not in ("last", "mean"):
            raise ValueError(pooling)
        self.params, self.pooling = params, pooling

    def logits(self, ids, lengths):
        p = self.params
        pooled = self.pool(gru_states(p["gru"], p["E"][ids.T]), np.asarray(lengths))
        return pooled @ p["W"].T + p["b"]

    def pool(self, states, lengths):
        if self.pooling == "last":
            return states[lengths - 1, np.arange(len(lengths))]
        real = np.arange(len(states))[:, None] < lengths
        return (states * real[:, :, None]).sum(axis=0) / lengths[:, None]


@right("SequenceClassifier")
class MaskedAtOnce(Classifier):
    pass


@right("SequenceClassifier")
class CutToLength(Classifier):
    def pool(self, states, lengths):
        cut = [states[:n, b] for b, n in enumerate(lengths)]
        return np.array([part[-1] if self.pooling == "last" else part.mean(axis=0) for part in cut])


@wrong("SequenceClassifier", hint="after the end of a row must not count")
class ReadsThePadding(Classifier):
    def pool(self, states, lengths):
        return states[-1] if self.pooling == "last" else states.mean(axis=0)


@wrong("SequenceClassifier", hint="divide by lengths")
class DividesByTheLongest(Classifier):
    def pool(self, states, lengths):
        if self.pooling == "last":
            return super().pool(states, lengths)
        return super().pool(states, lengths) * lengths[:, None] / len(states)


@wrong("SequenceClassifier", hint="at lengths - 1")
class OneTooFar(Classifier):
    def pool(self, states, lengths):
        return super().pool(states, np.minimum(lengths + 1, len(states)))


@wrong("SequenceClassifier", hint="Refuse any other pooling")
class TakesAnyPooling(Classifier):
    def __init__(self, params, pooling="last"):
        super().__init__(params, "last" if pooling == "last" else "mean")


@wrong("SequenceClassifier", hint="last and mean are exchanged")
class Exchanged(Classifier):
    def __init__(self, params, pooling="last"):
        super().__init__(params, pooling)
        self.pooling = {"last": "mean", "mean": "last"}[pooling]


# --- solutions with one thing changed

SIGMOID = "(1 + np.tanh(a / 2)) / 2"
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
    s = lambda a: {SIGMOID}
    sums = x @ params["W_ih"].T + params["b_ih"] + h @ params["W_hh"].T + params["b_hh"]
    i, f, g, o = np.split(sums, 4, axis=1)
    c = s(f) * c + s(i) * np.tanh(g)
    h = s(o) * np.tanh(c)
    return h, c
""",
    "gru_cell": f"""def gru_cell(params, x, h):
    s = lambda a: {SIGMOID}
    xr, xz, xn = np.split(x @ params["W_ih"].T + params["b_ih"], 3, axis=1)
    hr, hz, hn = np.split(h @ params["W_hh"].T + params["b_hh"], 3, axis=1)
    r, z = s(xr + hr), s(xz + hz)
    U, u, (B, H) = params["W_hh"], params["b_hh"], h.shape
    n = np.tanh(xn + r * hn)
    out = (1 - z) * n + z * h
    return out
""",
    "bidirectional": """def bidirectional(forward, backward, xs):
    def read(params, xs):
        h, states = np.zeros((xs.shape[1], params["W_hh"].shape[1])), []
        for x in xs:
            before, h = h, gru_cell(params, x, h)
            states.append(h)
        return np.array(states)
    left, right = read(forward, xs), read(backward, xs[::-1])[::-1]
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


def edited(exercise, *pairs):
    """The solution with these texts replaced, each in all its places."""
    source, names = SOLVED[exercise], dict(globals())
    for old, new in pairs:
        assert old in source, (exercise, old)
        source = source.replace(old, new)
    exec(source, names)
    return names[exercise]


SINGLE, AXES, ROWS = "leave dtype alone", "Keep all axes", "have outputs as rows"
B_IH, B_HH = (' + params["b_ih"]', ""), (' + params["b_hh"]', "")
EDITS = {
    "elman_step": [
        (SINGLE, ("np.tanh(a)", "np.tanh(a).astype(np.float32)")),
        (AXES, ("np.tanh(a)", "np.tanh(a).squeeze()")),
        (ROWS, ('params["W_ih"].T', 'params["W_ih"]')),
        ("h @ W_hh.T", ('params["W_hh"].T', 'params["W_hh"]')),
        ("The nonlinearity is missing", ("np.tanh(a)", "a")),
        ("The bias b_hh is missing", B_HH),
        ("old state has no influence", (' + h @ params["W_hh"].T', "")),
        ("is tanh, not a sigmoid", ("np.tanh(a)", "1 / (1 + np.exp(-a))")),
        ("do not add it again", ("return ", "return h + ")),
        (cells.TANH, ("np.tanh(a)", "(np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))")),
    ],
    "jordan_step": [
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
        ("previous output has no influence", (' + y @ params["W_yh"].T', "")),
    ],
    "bptt": [
        (SINGLE, ("np.zeros(p.shape)", "np.zeros(p.shape, dtype=np.float32)")),
        (known.T_0, ("np.zeros(h0.shape)", "0 * dhs[-1]")),
        (known.T_0, ("    return g", "    return g if len(xs) else dict.fromkeys(g, 0)")),
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
        ("is another norm", ("(g.astype(float) ** 2).sum()", "np.linalg.norm(g, 2) ** 2")),
        ("not a maximum", ("sum((g.astype(float) ** 2).sum() for", "max((g * g).max() for")),
        ("in this order", ("return made, norm", "return norm, made")),
        ("as a dictionary", ("return made", "return list(made.values())")),
        ("not norm / limit", ("max_norm / norm", "norm / max_norm")),
        ("Sum the squared norms",
         ("np.sqrt(sum((g.astype(float) ** 2).sum()", "(sum(np.linalg.norm(g)")),
    ],
    "lstm_cell": [
        (SINGLE, ("return h, c", "return h.astype(np.float32), c")),
        (AXES, ("return h, c", "return h.squeeze(), c.squeeze()")),
        (ROWS, ('params["W_hh"].T', 'params["W_hh"]')),
        ("The bias b_ih is missing", B_IH),
        ("The bias b_hh is missing", B_HH),
        ("halves its argument", ("a / 2", "a")),
        ("you used i, f, o, g", ("i, f, g, o", "i, f, o, g")),
        ("you used i, g, f, o", ("i, f, g, o", "i, g, f, o")),
        ("H adjacent columns", ("np.split(sums, 4, axis=1)", "(sums[:, k::4] for k in range(4))")),
        ("candidate g is missing: np.tanh", ("np.tanh(g)", "g")),
        ("in this order", ("return h, c", "return c, h")),
        ("you returned h twice", ("return h, c", "return h, h")),
    ],
    "gru_cell": [
        (SINGLE, ("return out", "return out.astype(np.float32)")),
        (AXES, ("return out", "return out.squeeze()")),
        (ROWS, ('params["W_hh"].T', 'params["W_hh"]')),
        ("The bias b_ih is missing", B_IH),
        ("The bias b_hh is missing", B_HH),
        ("halves its argument", ("a / 2", "a")),
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
        ("Reverse the backward states", ("xs[::-1])[::-1]", "xs[::-1])")),
        ("reads from the end", ("xs[::-1])[::-1]", "xs)")),
        ("and then its states are reversed", ("xs[::-1])[::-1]", "xs)[::-1]")),
        ("its own parameters", ("read(backward", "read(forward")),
        ("not carried to the next step", ("gru_cell(params, x, h)", "gru_cell(params, x, 0 * h)")),
        ("after the step, not before", ("append(h)", "append(before)")),
        ("All rows are equal", ("before, h = h, gru", "h[:] = gru")),
        ("forward half is wrong", ("return np.array(states)", "return np.array(states[::-1])")),
    ],
    "SequenceTagger": [
        ("are exchanged", ("(f, b,", "(b, f,")),
        ("the same parameters", ("(f, b,", "(f, f,")),
        ("tags should be integers", ("argmax(axis=-1)", "argmax(axis=-1).astype(float)")),
        (AXES, ("transpose(1, 0, 2)", "transpose(1, 0, 2).squeeze()")),
        ("W has outputs as rows", ('p["W"].T', 'p["W"]')),
    ],
    "SequenceClassifier": [
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
for _exercise, _changes in EDITS.items():
    globals()[f"{_exercise}, as edited"] = right(_exercise)(edited(_exercise))
    for _number, (_hint, *_pairs) in enumerate(_changes, start=1):
        _answer = wrong(_exercise, hint=_hint)(edited(_exercise, *_pairs))
        globals()[f"{_exercise}, edit {_number}: {_hint}"] = _answer

EQUIVALENT: list[Equivalent] = []
