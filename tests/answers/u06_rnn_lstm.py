"""Right and wrong answers to the exercises of unit 06."""

import numpy as np
import torch

from autograder.answers import Equivalent, right, wrong
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


@wrong("elman_step", hint="The bend is missing")
def elman_without_the_bend(params, x, h):
    return x @ params["W_ih"].T + params["b_ih"] + h @ params["W_hh"].T + params["b_hh"]


@wrong("elman_step", hint="The bias b_hh is missing")
def elman_with_one_bias(params, x, h):
    return np.tanh(x @ params["W_ih"].T + params["b_ih"] + h @ params["W_hh"].T)


@wrong("elman_step", hint="h @ W_hh.T")
def elman_state_not_turned(params, x, h):
    return np.tanh(x @ params["W_ih"].T + params["b_ih"] + h @ params["W_hh"] + params["b_hh"])


@wrong("elman_step", hint="old state has no influence")
def elman_forgets(params, x, h):
    return np.tanh(x @ params["W_ih"].T + params["b_ih"] + params["b_hh"])


@wrong("elman_step", hint="changed its arguments")
def elman_in_place(params, x, h):
    new = known.elman(params, x, h)
    h[:] = new
    return new


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


@wrong("jordan_step", hint="no tanh around y")
def jordan_squashes_the_output(params, x, y):
    h, out = known.jordan(params, x, y)
    return h, np.tanh(out)


@wrong("jordan_step", hint="in this order")
def jordan_wrong_order(params, x, y):
    return known.jordan(params, x, y)[::-1]


@wrong("jordan_step", hint="b_y is missing")
def jordan_without_the_last_bias(params, x, y):
    h, out = known.jordan(params, x, y)
    return h, out - params["b_y"]


@wrong("jordan_step", hint="old output has no influence")
def jordan_forgets_what_it_said(params, x, y):
    return known.jordan(params, x, 0 * y)


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
    return known.elman(params, x, h)


@wrong("bptt", hint="Carry the slope back")
def bptt_without_carry(params, xs, h0, dhs):
    return known.walk(params, xs, h0, dhs, carry=0.0)


@wrong("bptt", hint="+=, not =")
def bptt_keeps_the_last_share(params, xs, h0, dhs):
    return known.walk(params, xs, h0, dhs, shares="last")


@wrong("bptt", hint="state AFTER the step")
def bptt_bend_of_the_old_state(params, xs, h0, dhs):
    return known.walk(params, xs, h0, dhs, bend=0)


@wrong("bptt", hint="state BEFORE the step")
def bptt_wrong_memory(params, xs, h0, dhs):
    return known.walk(params, xs, h0, dhs, memory=1)


@wrong("bptt", hint="da @ W_hh, without a transpose")
def bptt_turned(params, xs, h0, dhs):
    return known.walk(params, xs, h0, dhs, turned=True)


@wrong("bptt", hint="not only the last")
def bptt_last_slope_only(params, xs, h0, dhs):
    return known.walk(params, xs, h0, np.concatenate([0 * dhs[:-1], dhs[-1:]]))


# --- clip_grad_norm


@right("clip_grad_norm")
def clip_by_torch(gradients, max_norm):
    leaves = {
        name: torch.nn.Parameter(torch.zeros(g.shape).double()) for name, g in gradients.items()
    }
    for name, leaf in leaves.items():
        leaf.grad = torch.tensor(gradients[name])
    norm = torch.nn.utils.clip_grad_norm_(leaves.values(), max_norm)
    return {name: leaf.grad for name, leaf in leaves.items()}, norm


@right("clip_grad_norm")
def clip_one_vector(gradients, max_norm):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients.values()]))
    if norm <= max_norm:
        return {name: g.copy() for name, g in gradients.items()}, norm
    return {name: g / norm * max_norm for name, g in gradients.items()}, norm


@wrong("clip_grad_norm", hint="One norm for all arrays together")
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


@wrong("clip_grad_norm", hint="do not cut each at the limit")
def clip_by_value(gradients, max_norm):
    norm = known.clipped(gradients, 1)[1]
    return {n: np.clip(g, -max_norm, max_norm) for n, g in gradients.items()}, norm


@wrong("clip_grad_norm", hint="A norm of 0 must not divide")
def clip_divides_by_zero(gradients, max_norm):
    norm = known.clipped(gradients, 1)[1]
    with np.errstate(all="ignore"):
        scale = np.minimum(1.0, max_norm * np.float64(norm) / np.float64(norm) ** 2)
    return {n: g * scale for n, g in gradients.items()}, norm


@wrong("clip_grad_norm", hint="changed its arguments")
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


@wrong("lstm_cell", hint="you took i, f, o, g")
def lstm_of_another_library(params, x, h, c):
    return known.lstm(params, x, h, c, order="ifog")


@wrong("lstm_cell", hint="tanh, not by a sigmoid")
def lstm_sigmoid_everywhere(params, x, h, c):
    sums = x @ params["W_ih"].T + params["b_ih"] + h @ params["W_hh"].T + params["b_hh"]
    i, f, g, o = np.split((1 + np.tanh(sums / 2)) / 2, 4, axis=1)
    c = f * c + i * g
    return o * np.tanh(c), c


@wrong("lstm_cell", hint="made from the NEW c")
def lstm_shows_the_old_cell(params, x, h, c):
    sums = x @ params["W_ih"].T + params["b_ih"] + h @ params["W_hh"].T + params["b_hh"]
    i, f, _, o = np.split((1 + np.tanh(sums / 2)) / 2, 4, axis=1)
    g = np.tanh(np.split(sums, 4, axis=1)[2])
    return o * np.tanh(c), f * c + i * g


@wrong("lstm_cell", hint="in this order")
def lstm_returns_c_first(params, x, h, c):
    return known.lstm(params, x, h, c)[::-1]


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


@wrong("gru_cell", hint="z keeps the OLD state")
def gru_z_turned(params, x, h):
    return known.gru(params, x, h, form="turned")


@wrong("gru_cell", hint="AFTER the product")
def gru_reset_first(params, x, h):
    return known.gru(params, x, h, form="reset first")


@wrong("gru_cell", hint="inside the bracket that r scales")
def gru_bare_bias(params, x, h):
    return known.gru(params, x, h, form="bare bias")


@wrong("gru_cell", hint="you took z, r, n")
def gru_of_another_library(params, x, h):
    return known.gru(params, x, h, order="zrn")


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


def gru_cell(params, x, h):
    layer = loaded(torch.nn.GRU(*shape_of(params, 3)), params)
    return layer(torch.tensor(x[None]), torch.tensor(h[None]))[0][0].detach().numpy()


@wrong("bidirectional", hint="Turn the backward states round")
def both_not_turned_back(forward, backward, xs):
    sides = [known.states(forward, xs), known.states(backward, xs[::-1])]
    return np.concatenate(sides, axis=2)


@wrong("bidirectional", hint="reads from the end")
def both_from_the_left(forward, backward, xs):
    return np.concatenate([known.states(forward, xs), known.states(backward, xs)], axis=2)


@wrong("bidirectional", hint="its own parameters")
def both_with_one_set(forward, backward, xs):
    return known.both(forward, forward, xs)


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


@wrong("SequenceTagger", hint="One label a token")
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


@wrong("SequenceClassifier", hint="behind the end of a row must not count")
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


EQUIVALENT: list[Equivalent] = []
