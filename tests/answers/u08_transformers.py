"""Right and wrong answers to the exercises of unit 08: some whole, most as edits of a solution."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from autograder.verification.answer_bank import RIGHT, Equivalent, edited, right
from llmcourse.checks import u08_attention as attention
from llmcourse.checks import u08_models as models
from llmcourse.checks import u08_parts as parts

# Earlier exercises, called by their names as the notebook calls them.
scaled_dot_product_attention, causal_mask = attention.attend, attention.causal
multi_head_attention, layer_norm, feed_forward = attention.multi_head, parts.normed, parts.fed
transformer_block = models.block


# What the notebook defines before the repair.
class Weights:
    def __init__(self, params, n_heads):
        self.p, self.n_heads = params, n_heads


def gelu(x):
    return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def linear(p, name, x):
    return x @ p["W_" + name].T + p["b_" + name]


def softmax(z, axis):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def cross_entropy(logits, targets):
    P = np.take_along_axis(softmax(logits, axis=-1), targets[..., None], axis=-1)
    return float(-np.log(P).mean())


def tensor(value):
    return torch.tensor(np.asarray(value), dtype=torch.float64)


# --- right answers that share no line with the solutions


@right("scaled_dot_product_attention")
def attention_by_torch(q, k, v, mask=None):
    if mask is not None:
        mask = torch.tensor(np.array(np.broadcast_to(mask, (*q.shape[:-1], k.shape[-2]))))
    return F.scaled_dot_product_attention(tensor(q), tensor(k), tensor(v), attn_mask=mask)


@right("scaled_dot_product_attention")
def attention_row_by_row(q, k, v, mask=None):
    seen = np.broadcast_to(True if mask is None else mask, (*q.shape[:-1], k.shape[-2]))
    out = np.zeros((*q.shape[:-1], v.shape[-1]))
    for at in np.ndindex(q.shape[:-1]):
        keys, values = k[at[:-1]][seen[at]], v[at[:-1]][seen[at]]
        if len(keys):
            scores = keys @ q[at] / math.sqrt(q.shape[-1])
            e = np.exp(scores - scores.max())
            out[at] = e / e.sum() @ values
    return out


@right("causal_mask")
def mask_by_tri(T, S=None):
    S = S or T
    return np.tri(T, S, S - T) > 0


@right("causal_mask")
def mask_in_lists(T, S=None):
    S = T if S is None else S
    return [[j - S <= i - T for j in range(S)] for i in range(T)]


@right("causal_mask")
def mask_of_torch(T, S=None):
    S = T if S is None else S
    return torch.ones(T, S, dtype=torch.bool).tril(S - T)


@right("multi_head_attention")
def heads_one_by_one(params, x, n_heads, memory=None, mask=None):
    memory = x if memory is None else memory
    (B, T, C), S = x.shape, memory.shape[1]
    mask = np.ones((1, 1, 1, 1), bool) if mask is None else mask
    mask = np.broadcast_to(mask, (B, n_heads, T, S))
    D, out = C // n_heads, np.zeros((B, T, C)) + params["b_o"]
    for h in range(n_heads):
        rows = slice(h * D, h * D + D)
        q, k, v = (
            given @ params[f"W_{name}"][rows].T + params[f"b_{name}"][rows]
            for name, given in (("q", x), ("k", memory), ("v", memory))
        )
        mixed = scaled_dot_product_attention(q, k, v, mask[:, h])
        out += np.asarray(mixed) @ params["W_o"][:, rows].T
    return out


@right("sinusoidal_positions")
def positions_by_complex_numbers(n, d_model):
    angles = np.outer(np.arange(n), 1e-4 ** (np.arange(0, d_model, 2) / d_model))
    return np.exp(1j * (np.pi / 2 - angles)).conj().view(float) * np.tile([1, -1], d_model // 2)


@right("layer_norm")
def norm_by_torch(x, weight, bias, eps=1e-5):
    return F.layer_norm(tensor(x), x.shape[-1:], tensor(weight), tensor(bias), eps)


@right("layer_norm")
def norm_by_moments(x, weight, bias, eps=1e-5):
    mean, square = x.mean(-1)[..., None], (x * x).mean(-1)[..., None]
    return (x - mean) * (np.maximum(square - mean**2, 0) + eps) ** -0.5 * weight + bias


@right("feed_forward")
def feed_by_torch(params, x):
    p = {name: tensor(value) for name, value in params.items()}
    hidden = F.gelu(F.linear(tensor(x), p["W_1"], p["b_1"]), approximate="tanh")
    return F.linear(hidden, p["W_2"], p["b_2"])


@right("transformer_block")
def block_by_keywords(params, x, n_heads, mask=None):
    def norm(name, rows):
        return layer_norm(rows, bias=params[name]["bias"], weight=params[name]["weight"])

    mixed = multi_head_attention(params["attention"], norm("norm_1", x), n_heads, mask=mask)
    middle = np.add(mixed, x)
    return np.add(feed_forward(x=norm("norm_2", middle), params=params["feed_forward"]), middle)


@right("GPT")
class RowByRow:
    def __init__(self, params, n_heads):
        self.params, self.n_heads = params, n_heads

    def logits(self, ids):
        p, rows = self.params, []
        for row in ids:
            if len(row) > len(p["positions"]):
                raise ValueError(f"at most {len(p['positions'])} ids, got {len(row)}")
            x = np.array([[p["tokens"][i] + p["positions"][t] for t, i in enumerate(row)]])
            for one in p["blocks"]:
                x = np.asarray(transformer_block(one, x, self.n_heads, causal_mask(len(row))))
            last = np.asarray(layer_norm(x, p["norm"]["weight"], p["norm"]["bias"]))
            rows.append([p["tokens"] @ state for state in last[0]])
        return rows


@right("count_parameters")
def count_array_by_array(vocab_size, context_length, n_layers, d_model):
    d = d_model
    shapes = [(d, d), (d,)] * 4 + [(4 * d, d), (4 * d,), (d, 4 * d), (d,)] + [(d,)] * 4
    one = sum(math.prod(shape) for shape in shapes)
    rest = math.prod((vocab_size + context_length + 2, d))
    return [n_layers * one + rest, 12 * n_layers * d**2]


@right("RepairedGPT")
class RepairedHeadByHead(Weights):
    def norm(self, p, x):
        centred = x - x.mean(-1, keepdims=True)
        return (
            centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * p["weight"] + p["bias"]
        )

    def attention(self, p, x):
        q, k, v = (np.split(linear(p, name, x), self.n_heads, axis=-1) for name in "qkv")
        later = np.triu(np.full((x.shape[1], x.shape[1]), -np.inf), 1)
        read = []
        for q_h, k_h, v_h in zip(q, k, v, strict=True):
            scores = q_h @ np.swapaxes(k_h, 1, 2) / math.sqrt(q_h.shape[-1])
            read.append(softmax(scores + later, axis=-1) @ v_h)
        return linear(p, "o", np.concatenate(read, axis=-1))

    def block(self, p, x):
        x = x + self.attention(p["attention"], self.norm(p["norm_1"], x))
        return x + linear(p, "down", gelu(linear(p, "up", self.norm(p["norm_2"], x))))

    def logits(self, ids):
        x = self.p["tokens"][ids] + self.p["positions"][: len(ids[0])]
        for p in self.p["blocks"]:
            x = self.block(p, x)
        return np.einsum("btc,vc->btv", self.norm(self.p["norm"], x), self.p["tokens"])

    def loss(self, ids):
        return cross_entropy(self.logits(ids[:, :-1]), ids[:, 1:])


# --- solutions with one thing changed

SOLVED = {
    "scaled_dot_product_attention": """def scaled_dot_product_attention(q, k, v, mask=None):
    D, S = q.shape[-1], k.shape[-2]
    scores = np.einsum("...td,...sd->...ts", q, k) / math.sqrt(D)
    may = np.broadcast_to(True if mask is None else mask, scores.shape)
    scores = np.where(may, scores, -np.inf)
    top = np.nan_to_num(scores.max(axis=-1, keepdims=True), neginf=0.0)
    e = np.exp(scores - top)
    total = e.sum(axis=-1, keepdims=True)
    weights = e / (total + (total == 0))
    return weights @ v
""",
    "causal_mask": """def causal_mask(T, S=None):
    S = T if S is None else S
    i, j = np.arange(T)[:, None], np.arange(S)
    mask = j <= i + (S - T)
    return mask
""",
    "multi_head_attention": """def multi_head_attention(params, x, n_heads, memory=None, mask=None):
    seen = x if memory is None else memory
    B, T, C = x.shape
    q, k, v = (rows @ params["W_" + n].T + params["b_" + n] for n, rows in
               (("q", x), ("k", seen), ("v", seen)))
    q, k, v = (r.reshape(B, -1, n_heads, C // n_heads).transpose(0, 2, 1, 3) for r in (q, k, v))
    mixed = np.asarray(scaled_dot_product_attention(q, k, v, mask))
    joined = mixed.transpose(0, 2, 1, 3).reshape(B, T, C)
    return joined @ params["W_o"].T + params["b_o"]
""",
    "sinusoidal_positions": """def sinusoidal_positions(n, d_model):
    pair = np.arange(d_model) // 2
    angles = np.arange(n)[:, None] / 10_000 ** (2 * pair / d_model)
    even = np.arange(d_model) % 2 == 0
    return np.where(even, np.sin(angles), np.cos(angles))
""",
    "layer_norm": """def layer_norm(x, weight, bias, eps=1e-5):
    mean = x.mean(axis=-1, keepdims=True)
    variance = x.var(axis=-1, keepdims=True)
    scaled = (x - mean) / np.sqrt(variance + eps)
    return scaled * weight + bias
""",
    "feed_forward": """def feed_forward(params, x):
    a = x @ params["W_1"].T + params["b_1"]
    h = 0.5 * a * (1 + np.tanh(np.sqrt(2 / np.pi) * (a + 0.044715 * a**3)))
    return h @ params["W_2"].T + params["b_2"]
""",
    "transformer_block": """def transformer_block(params, x, n_heads, mask=None):
    one, two = params["norm_1"], params["norm_2"]
    n = layer_norm(x, one["weight"], one["bias"])
    a = multi_head_attention(params["attention"], n, n_heads, None, mask)
    y = x + a
    n = layer_norm(y, two["weight"], two["bias"])
    f = feed_forward(params["feed_forward"], n)
    return y + f
""",
    "GPT": """class GPT:
    def __init__(self, params, n_heads):
        self.params, self.n_heads = params, n_heads
    def logits(self, ids):
        p, T = self.params, ids.shape[1]
        if T > len(p["positions"]):
            raise ValueError("too long")
        at = np.arange(T)
        x = p["tokens"][ids] + p["positions"][at]
        for one in p["blocks"]:
            x = transformer_block(one, x, self.n_heads, causal_mask(T))
        x = layer_norm(x, p["norm"]["weight"], p["norm"]["bias"])
        return x @ p["tokens"].T
""",
    "count_parameters": """def count_parameters(vocab_size, context_length, n_layers, d_model):
    d, head = d_model, 0
    attention = 4 * d * d + 4 * d
    feed = 8 * d * d + 5 * d
    norms = 4 * d
    total = n_layers * (attention + feed + norms) + 2 * d + (vocab_size + context_length) * d
    return total + head, 12 * n_layers * d * d
""",
    "RepairedGPT": """class RepairedGPT(Weights):
    def norm(self, p, x):
        mean = x.mean(axis=-1, keepdims=True)
        variance = x.var(axis=-1, keepdims=True)
        return p["weight"] * (x - mean) / np.sqrt(variance + 1e-5) + p["bias"]
    def attention(self, p, x):
        B, T, C = x.shape
        D = C // self.n_heads
        q, k, v = (linear(p, n, x).reshape(B, T, -1, D).transpose(0, 2, 1, 3) for n in "qkv")
        scores = np.einsum("bhtd,bhsd->bhts", q, k) / D**0.5
        hidden = np.triu(np.ones((T, T), dtype=bool), 1)
        weights = softmax(np.where(hidden, -np.inf, scores), axis=-1)
        joined = (weights @ v).transpose(0, 2, 1, 3).reshape(B, T, C)
        return linear(p, "o", joined)
    def block(self, p, x):
        x = x + self.attention(p["attention"], self.norm(p["norm_1"], x))
        n = self.norm(p["norm_2"], x)
        return x + linear(p, "down", gelu(linear(p, "up", n)))
    def logits(self, ids):
        x = self.p["tokens"][ids] + self.p["positions"][: ids.shape[1]]
        for p in self.p["blocks"]:
            x = self.block(p, x)
        x = self.norm(self.p["norm"], x)
        return x @ self.p["tokens"].T
    def loss(self, ids):
        targets = ids[:, 1:]
        return cross_entropy(self.logits(ids[:, :-1]), targets)
""",
}

ROWS, AXES = "have outputs as rows", "Keep all axes"
EDITS = {
    "scaled_dot_product_attention": [
        ("square root of D", (" / math.sqrt(D)", "")),
        ("not by D", ("math.sqrt(D)", "D")),
        ("not of v", ("D, S = q.shape[-1]", "D, S = v.shape[-1]")),
        ("you multiplied", ("/ math.sqrt(D)", "* math.sqrt(D)")),
        ("softmax over the keys, axis=-1", ("axis=-1", "axis=-2")),
        ("True = may attend", ("where(may,", "where(~may,")),
        ("Mask before the softmax", ("scores = np.where(may, scores, -np.inf)\n", "\n"),
         ("return weights", "return np.where(may, weights, 0)")),
        ("adds 0 or 1", ("scores = np.where(may, scores, -np.inf)", "scores = scores + may")),
        ("mask has no influence", ("np.where(may, scores, -np.inf)", "scores")),
        ("need a softmax", ("return weights", "return np.where(may, scores, 0)")),
        ("by their sum over the keys", ("weights = e / (total + (total == 0))",
                                        "weights = e * np.exp(top)")),
        ("zeros, not nan", (" + (total == 0)", ""), ("np.nan_to_num(", "("), (", neginf=0.0", "")),
        ("zeros, not nan", ("-np.inf)", "-1e9)")),
        ("overflows", ("np.exp(scores - top)", "np.exp(scores)")),
        ("overflows", ("np.nan_to_num(scores.max(axis=-1, keepdims=True), neginf=0.0)",
                       "np.nan_to_num(scores.max(), neginf=0.0)")),
        ("A row belongs to a query", ("...td,...sd->...ts", "...sd,...td->...ts")),
        ("changed its argument", ("    scores = np.where", "    q /= 2\n    scores = np.where")),
    ],
    "causal_mask": [
        ("True means may attend", ("return mask", "return ~mask")),
        ("not the future", ("<=", ">=")),
        ("the diagonal is True", ("<=", "<")),
        ("one key too many", ("(S - T)", "(S - T + 1)")),
        ("shift by S - T", (" + (S - T)", "")),
        ("not 0 and -inf", ("return mask", "return np.where(mask, 0.0, -np.inf)")),
        ("boolean", ("return mask", "return mask.astype(float)")),
    ],
    "multi_head_attention": [
        (ROWS, (".T", "")),
        ("reshape to (B, T, H, D)", ("reshape(B, -1, n_heads, C // n_heads).transpose(0, 2, 1, 3)",
                                     "reshape(B, n_heads, -1, C // n_heads)")),
        ("columns h D to", ("reshape(B, -1, n_heads, C // n_heads).transpose(0, 2, 1, 3)",
                            "reshape(B, -1, C // n_heads, n_heads).transpose(0, 3, 1, 2)")),
        ("A reshape alone", ("reshape(B, -1, n_heads, C // n_heads).transpose(0, 2, 1, 3)",
                             "reshape(B, n_heads, -1, C // n_heads)"),
         ("mixed.transpose(0, 2, 1, 3)", "mixed")),
        ("a head needs all positions", (".transpose(0, 2, 1, 3) for", " for"),
         ("mixed.transpose(0, 2, 1, 3)", "mixed")),
        ("swap the axes back", ("mixed.transpose(0, 2, 1, 3)", "mixed")),
        ("n_heads has no influence", ("    seen", "    n_heads = 1\n    seen")),
        ("output projection", ('joined @ params["W_o"].T + params["b_o"]', "joined")),
        ("keys and values come from it", ("seen = x if memory is None else memory", "seen = x")),
        ("With a memory", ('("v", seen)', '("v", x)')),
        ("mask has no influence", ("v, mask", "v, None")),
        ("b_o is missing", (' + params["b_o"]', "")),
        ("b_q is missing", ('params["b_" + n] for', '(n != "q") * params["b_" + n] for')),
        ("b_v is missing", ('params["b_" + n] for', '(n != "v") * params["b_" + n] for')),
    ],
    "sinusoidal_positions": [
        ("counts pairs", ("2 * pair", "pair")),
        ("angle: use the pair's number", ("2 * pair", "np.arange(d_model)")),
        ("10,000", ("10_000", "1_000")),
        ("counted from 0", ("np.arange(n)", "np.arange(1, n + 1)")),
        ("Even columns are sines", ("== 0", "== 1")),
        ("Odd columns are cosines", ("np.cos", "np.sin")),
        ("alternate", ("return np.where(even, np.sin(angles), np.cos(angles))",
                       "a = angles[:, ::2]\n    return np.concatenate([np.sin(a), np.cos(a)], 1)")),
        ("One row for each position", ("np.cos(angles))", "np.cos(angles)).T")),
    ],
    "layer_norm": [
        ("inside the root", ("np.sqrt(variance + eps)", "(np.sqrt(variance) + eps)")),
        ("not by C - 1", ("x.var(axis=-1,", "x.var(axis=-1, ddof=1,")),
        ("Use the argument eps", ("+ eps", "+ 1e-5")),
        ("1e-5 unless given", ("eps=1e-5", "eps=1e-6")),
        ("eps is missing", (" + eps", "")),
        ("square root of the variance", ("np.sqrt(variance + eps)", "(variance + eps)")),
        ("each vector by itself", ("axis=-1", "axis=-2")),
        ("each vector by itself", ("axis=-1", "axis=None")),
        ("also inside the variance", ("(x - mean)", "x"),
         ("x.var(axis=-1, keepdims=True)", "(x**2).mean(axis=-1, keepdims=True)")),
        ("Subtract the mean", ("(x - mean)", "x")),
        ("Multiply by the weight and add", ("* weight + bias", "* bias + weight")),
        ("Multiply by the weight", (" * weight", "")),
        ("Add the bias", (" + bias", "")),
    ],
    "feed_forward": [
        (RIGHT, ("np.tanh(np.sqrt(2 / np.pi)", "np.tanh(math.sqrt(2) / math.sqrt(math.pi)")),
        ("not relu", ("h @", "np.maximum(a, 0) @")),
        ("gelu by erf", ("h @", "parts.gelu(a, 'erf') @")),
        ("nonlinearity is missing", ("h @", "a @")),
        ("not after the second", ("return h @", "return parts.gelu(a @"), ('["b_2"]', '["b_2"])')),
        ("none after the second", ("return h @", "return parts.gelu(h @"), ('["b_2"]', '["b_2"])')),
        ("the block does", ("return h", "return x + h")),
        ("b_1 is missing", (' + params["b_1"]', "")),
        ("b_2 is missing", (' + params["b_2"]', "")),
        (ROWS, ('params["W_1"].T', 'params["W_1"]')),
    ],
    "transformer_block": [
        ("not after the sum",
         ('n = layer_norm(x, one["weight"], one["bias"])', "n = x"), ("y = x + a",
          'y = layer_norm(x + a, one["weight"], one["bias"])'),
         ('n = layer_norm(y, two["weight"], two["bias"])', "n = y"),
         ("return y + f", 'return layer_norm(y + f, two["weight"], two["bias"])')),
        ("norm of its own", ('"norm_2"', '"norm_1"')),
        ("belongs to the attention", ("one, two", "two, one")),
        ("mask has no influence", ("None, mask", "None, None")),
        ("your code raised ValueError", ("n_heads, None, mask", "n_heads, mask")),
        ("reads a normalised x", ('layer_norm(x, one["weight"], one["bias"])', "x"),
         ('layer_norm(y, two["weight"], two["bias"])', "y")),
        ("Add the attention to x", ("y = x + a", "y = a")),
        ("Add the feed-forward layers", ("return y + f", "return f")),
        ("Add to x itself", ("y = x + a", "y = n + a"), ("return y + f", "return n + f")),
        ("the x after the attention", ("return y + f", "return x + f")),
        ("read the x after the attention", ("layer_norm(y", "layer_norm(x")),
    ],
    "GPT": [
        ("sees no order", (' + p["positions"][at]', "")),
        ("counted from 0", ("np.arange(T)", "np.arange(1, T + 1) % len(p['positions'])")),
        ("not the ids", ("[at]", '[ids % len(p["positions"])]')),
        ("not scaled", ('x = p["tokens"]', 'x = np.sqrt(p["tokens"].shape[1]) * p["tokens"]')),
        ("must not see the future", ("causal_mask(T)", "None")),
        ("in their order", ('in p["blocks"]', 'in p["blocks"][::-1]')),
        ("all blocks", ('in p["blocks"]', 'in p["blocks"][:1]')),
        ("its own parameters", ("transformer_block(one", 'transformer_block(p["blocks"][0]')),
        ("before the head", ('x = layer_norm(x, p["norm"]["weight"], p["norm"]["bias"])', "")),
        ("logits at every position", ("return x", "return x[:, -1]")),
        ("no softmax", ('return x @ p["tokens"].T', 'return softmax(x @ p["tokens"].T, -1)')),
        ("raise ValueError", ('if T > len(p["positions"])', "if False"),
         ("np.arange(T)", 'np.minimum(np.arange(T), len(p["positions"]) - 1)')),
    ],
    "count_parameters": [
        ("The head is tied", ("head = d_model, 0", "head = d_model, vocab_size * d_model")),
        ("vectors of the positions", ("(vocab_size + context_length)", "vocab_size")),
        ("last layer norm", (" + 2 * d", "")),
        ("vectors of the tokens", ("(vocab_size + context_length)", "context_length")),
        ("two in a block", ("norms = 4 * d", "norms = 0"), (" + 2 * d", "")),
        ("biases count too", (" + 4 * d\n", "\n"), (" + 5 * d", "")),
        ("d is squared", ("12 * n_layers * d * d", "12 * n_layers * d")),
    ],
    "RepairedGPT": [
        ("divided by C - 1", ("x.var(axis=-1,", "x.var(axis=-1, ddof=1,")),
        ("eps is added after the root", ("np.sqrt(variance + 1e-5)", "(np.sqrt(variance) + 1e-5)")),
        ("width of a head, not of C", ("/ D**0.5", "/ C**0.5")),
        ("sees the one after it", ("dtype=bool), 1)", "dtype=bool), 2)")),
        ("do not sum to 1", ("axis=-1)\n        joined", "axis=-2)\n        joined")),
        ("are mixed", ("(weights @ v).transpose(0, 2, 1, 3)", "(weights @ v)")),
        ("x is lost", ("x = x + self.attention", "x = self.attention")),
        ("the same parameters", ('"norm_2"', '"norm_1"')),
        ("one bug was planted in logits", ('        x = self.norm(self.p["norm"], x)\n', "")),
        ("one bug was planted in loss", ("targets = ids[:, 1:]", "targets = ids[:, :-1]")),
        ("another shape", ('x @ self.p["tokens"].T', '(x @ self.p["tokens"].T)[:, -1]')),
        ("planted in block", ('"down", gelu(', '"down", np.tanh(')),
        ("planted in attention", ("np.triu(np.ones((T, T), dtype=bool), 1)",
                                      "np.tri(T, dtype=bool) & ~np.eye(T, dtype=bool)")),
    ],
}  # fmt: skip
globals().update(edited(globals(), EDITS, SOLVED))

NEGATIVE = "numpy takes every negative length of a reshape for the one that it works out itself"
EQUIVALENT = [
    Equivalent(
        "scaled_dot_product_attention",
        "e = np.exp(scores - np.where(np.isfinite(largest), largest, 1))",
        "e = np.exp(scores - np.where(np.isfinite(largest), largest, -1))",
        because="where no score is finite all are -inf, and so they stay",
    ),
    Equivalent(
        "scaled_dot_product_attention",
        "return (e / np.where(total != 0, total, 1)) @ v",
        "return (e / np.where(total > 1, total, 1)) @ v",
        "return (e / np.where(total > 0, total, 2)) @ v",
        because="the largest score of a row gives exp(0), so a sum is >= 1, or 0 over zeros",
    ),
    Equivalent(
        "multi_head_attention",
        "split.append(projected.reshape(*rows.shape[:2], n_heads, ~1).swapaxes(1, 2))",
        "split.append(projected.reshape(*rows.shape[:2], n_heads, - 2).swapaxes(1, 2))",
        because=NEGATIVE,
    ),
    Equivalent(
        "count_parameters",
        "block = 4 * (d * d + d) + (4 * d * d + 4 * d) + (4 * d * d + d) + 2 ** 2 * d",
        because="2 to the power of 2 is 2 times 2",
    ),
    Equivalent(
        "RepairedGPT",
        'q, k, v = (linear(p, n, x).reshape(B, T, self.n_heads, ~1).swapaxes(1, 2) for n in "qkv")',
        "q, k, v = (linear(p, n, x).reshape(B, T, self.n_heads, - 2)"
        '.swapaxes(1, 2) for n in "qkv")',
        because=NEGATIVE,
    ),
    Equivalent(
        "RepairedGPT",
        "scores = q @ k.swapaxes(-1, -2) / math.sqrt(C // self.n_heads)",
        because="the number of heads divides C",
    ),
    Equivalent(
        "RepairedGPT",
        "scores = q @ k.swapaxes(-1, +2) / math.sqrt(C / self.n_heads)",
        "scores = q @ k.swapaxes(-1, 2) / math.sqrt(C / self.n_heads)",
        because="of four axes the last but one is axis 2",
    ),
]
