"""Right and wrong answers to the exercises of unit 07: some whole, most as edits of a solution."""

import math

import numpy as np
import torch

from autograder.verification.answer_bank import RIGHT, Equivalent, Unseen, edited, right
from llmcourse.checks import u07_encoding as encoding
from llmcourse.checks import u07_scores as scores_of
from llmcourse.models import rnn

# Earlier functions, called by their names as the notebook calls them.
gru_cell, readout = rnn.gru_cell, encoding.read_out
attention_weights = scores_of.weighed


def sizes(params):
    return params["forward"]["W_hh"].shape[1]


# --- right answers that share no line with the solutions


@right("encode")
def encode_row_by_row(params, ids, mask):
    (B, S), H = ids.shape, sizes(params)
    states, summary = np.zeros((B, S, 2 * H)), np.zeros((B, 2 * H))
    for row in range(B):
        n = int(mask[row].sum())
        for part, order in ((slice(0, H), range(n)), (slice(H, 2 * H), range(n)[::-1])):
            gru, h = params["forward" if order.step > 0 else "backward"], np.zeros((1, H))
            for s in order:
                h = gru_cell(gru, params["E"][ids[row, s]][None], h)
                states[row, s, part] = h[0]
            summary[row, part] = h[0]
        states[row, n:, :H] = summary[row, :H]
    return states, summary


@right("encode")
def encode_by_torch(params, ids, mask):
    H, d = sizes(params), params["E"].shape[1]
    module, long = torch.nn.GRU(d, H, batch_first=True, bidirectional=True).double(), {}
    for side, end in (("forward", ""), ("backward", "_reverse")):
        for name, value in params[side].items():
            kind = "weight" if name[0] == "W" else "bias"
            long[f"{kind}{name[1:]}_l0{end}"] = torch.tensor(value)
    module.load_state_dict(long)
    lengths = torch.tensor(mask.sum(axis=1))
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.tensor(params["E"][ids]), lengths, batch_first=True, enforce_sorted=False
    )
    states, ends = module(packed)
    states, _ = torch.nn.utils.rnn.pad_packed_sequence(
        states, batch_first=True, total_length=ids.shape[1]
    )
    states = states.detach().numpy()
    ends = ends.detach().numpy()
    states[..., :H] = np.where(mask[..., None], states[..., :H], ends[0][:, None])
    return [states, np.hstack([ends[0], ends[1]])]


@right("decode_step")
def decode_with_split_products(params, ids, s, c):
    new = gru_cell(params["gru"], np.array([params["E"][i] for i in ids]), s)
    C = s.shape[1]
    hidden = new @ params["W_c"][:, :C].T + c @ params["W_c"][:, C:].T + params["b_c"]
    return [np.tanh(hidden) @ params["W"].T + params["b"], new]


@right("decode_step")
def decode_in_torch(params, ids, s, c):
    p = {name: torch.tensor(value) for name, value in params.items() if name != "gru"}
    new = torch.tensor(gru_cell(x=params["E"][ids], h=s, params=params["gru"]))
    hidden = torch.tanh(torch.cat([new, torch.tensor(c)], 1) @ p["W_c"].T + p["b_c"])
    return hidden @ p["W"].T + p["b"], new


@right("teacher_forced_loss")
def loss_by_torch(step, s, targets, mask, start):
    inputs = np.concatenate([np.full((len(targets), 1), start), targets[:, :-1]], axis=1)
    logits = []
    for ids in inputs.T:
        z, s = step(ids, s)
        logits.append(torch.tensor(z))
    real = torch.tensor(mask)
    every = torch.stack(logits, dim=1)[real]
    return torch.nn.functional.cross_entropy(every, torch.tensor(targets)[real])


@right("teacher_forced_loss")
def loss_one_row_at_a_time(step, s, targets, mask, start):
    found = []
    for b in range(len(targets)):
        state, before = s[b : b + 1], start
        for target in targets[b][mask[b]]:
            z, state = step(np.array([before]), state)
            row = [float(x) - float(max(z[0])) for x in z[0]]
            found.append(math.log(sum(math.exp(x) for x in row)) - row[target])
            before = int(target)
    return sum(found) / len(found)


@right("translate_greedy")
def greedy_in_columns(step, s, start, end, max_length):
    columns, ids = [], np.full(len(s), start)
    while len(columns) < max_length and not (
        columns and (np.array(columns) == end).any(axis=0).all()
    ):
        z, s = step(ids, s)
        ids = z.argmax(axis=1)
        columns.append(ids)
    rows = np.array(columns).reshape(-1, len(s)).T.tolist()
    return [row[: row.index(end)] if end in row else row for row in rows]


@right("translate_greedy")
def greedy_without_finished_rows(step, s, start, end, max_length):
    texts, alive = [[] for _ in range(len(s))], list(range(len(s)))
    ids = [start] * len(s)
    for _ in range(max_length):
        z, s = step(np.array(ids), np.array(s))
        said = [max(range(len(row)), key=lambda k, row=row: row[k]) for row in z]
        kept = [i for i, token in enumerate(said) if token != end]
        for i in kept:
            texts[alive[i]].append(said[i])
        alive, ids, s = [alive[i] for i in kept], [said[i] for i in kept], s[kept]
        if not alive:
            break
    return texts


@right("dot_score")
def dot_by_product(q, keys):
    return (q[:, None] * keys).sum(axis=-1) / q.shape[-1] ** 0.5


@right("dot_score")
def dot_by_torch(q, keys):
    scaled = torch.tensor(q) / math.sqrt(len(q[0]))
    return torch.bmm(torch.tensor(keys), scaled[:, :, None])[:, :, 0]


@right("bilinear_score")
def bilinear_keys_first(q, keys, W):
    return ((keys @ W.T) * q[:, None]).sum(axis=2)


@right("bilinear_score")
def bilinear_in_loops(q, keys, W):
    return [[float(one @ W @ key) for key in row] for one, row in zip(q, keys, strict=True)]


@right("attention_weights")
def weights_by_infinity(scores, mask):
    allowed = np.where(mask, scores, -np.inf)
    top = allowed.max(axis=-1, keepdims=True)
    e = np.exp(allowed - np.where(np.isfinite(top), top, 0))
    total = e.sum(axis=-1, keepdims=True)
    return np.divide(e, total, out=np.zeros_like(e), where=total > 0)


@right("attention_weights")
def weights_by_torch(scores, mask):
    masked = torch.tensor(scores).masked_fill(~torch.tensor(mask), -math.inf)
    return torch.softmax(masked, dim=-1).nan_to_num(0.0)


@right("context_vector")
def context_by_product(weights, values):
    return (weights[..., None] * values).sum(axis=1)


@right("context_vector")
def context_by_matrices(weights, values):
    return np.matmul(weights[:, None], values)[:, 0]


@right("test_attention")
def by_properties(attention):
    rng = np.random.default_rng(5)
    q, k, v = rng.normal(size=(4, 9)), rng.normal(size=(4, 9)), rng.normal(size=(4, 9))
    mask = np.tril(np.ones((4, 4), bool))
    close = dict(atol=1e-4)
    ones = attention(q, k, np.ones((4, 2)), mask)
    assert np.allclose(ones, 1, **close)  # weights sum to 1
    moved = v.copy()
    moved[3] += 100
    assert np.allclose(attention(q, k, v, mask)[:3], attention(q, k, moved, mask)[:3], **close)
    one_hot = attention(q, k, np.eye(4), mask)  # the weights themselves
    ratio = np.log(one_hot[3, 0] / one_hot[3, 1])
    assert abs(ratio - q[3] @ (k[0] - k[1]) / 3) < 1e-3
    fewer = attention(q[1:], k, v, mask[1:])  # more keys than queries
    assert np.allclose(fewer, attention(q, k, v, mask)[1:], **close)
    return bool(np.allclose(attention(q, k, v, mask), one_hot @ v, **close))


@right("test_attention")
def by_torch(attention):
    torch.manual_seed(1)
    for T, S in ((2, 3), (3, 3), (5, 2)):
        q, k, v = torch.randn(T, 5), torch.randn(S, 5), torch.randn(S, 5)
        mask = torch.rand(T, S) < 0.5
        mask[:, -1] = True
        want = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        got = attention(*(t.double().numpy() for t in (q, k, v)), mask.numpy())
        if not np.allclose(got, want.numpy(), atol=1e-4):
            return False
    return True


# --- solutions with one thing changed

SOLVED = {
    "encode": """def encode(params, ids, mask):
    xs, (B, S) = params["E"][ids], ids.shape
    forward, backward = params["forward"], params["backward"]
    H = forward["W_hh"].shape[1]
    ahead, back = np.zeros((B, S, H)), np.zeros((B, S, H))
    h = np.zeros((B, H))
    for s in range(S):
        h = np.where(mask[:, s, None], gru_cell(forward, xs[:, s], h), h)
        ahead[:, s] = h
    last, h = h, np.zeros((B, H))
    for s in range(S - 1, -1, -1):
        h = np.where(mask[:, s, None], gru_cell(backward, xs[:, s], h), h)
        back[:, s] = h
    states = np.concatenate([ahead, back], axis=2)
    summary = np.concatenate([last, h], axis=1)
    return states, summary
""",
    "decode_step": """def decode_step(params, ids, s, c):
    new = gru_cell(params["gru"], params["E"][ids], s)
    both = np.concatenate([new, c], axis=1)
    hidden = np.tanh(both @ params["W_c"].T + params["b_c"])
    logits = hidden @ params["W"].T + params["b"]
    return logits, new
""",
    "teacher_forced_loss": """def teacher_forced_loss(step, s, targets, mask, start):
    ids, total = np.full(len(targets), start), 0.0
    for t in range(targets.shape[1]):
        logits, s = step(ids, s)
        z = logits - logits.max(axis=1, keepdims=True)
        log_probs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        right = log_probs[np.arange(len(targets)), targets[:, t]]
        total -= (right * mask[:, t]).sum()
        ids = targets[:, t]
    return total / mask.sum()
""",
    "translate_greedy": """def translate_greedy(step, s, start, end, max_length):
    ids, texts, over = np.full(len(s), start), [[] for _ in s], [False] * len(s)
    for _ in range(max_length):
        logits, s = step(ids, s)
        ids = np.argmax(logits, axis=1)
        for row, token in enumerate(ids.tolist()):
            over[row] = over[row] or token == end
            if not over[row]:
                texts[row].append(token)
        if all(over):
            break
    return texts
""",
    "dot_score": """def dot_score(q, keys):
    B, S, C = keys.shape
    sums = (q[:, None, :] * keys).sum(axis=2)
    return sums / math.sqrt(C)
""",
    "bilinear_score": """def bilinear_score(q, keys, W):
    seen = q @ W
    return (seen[:, None, :] * keys).sum(axis=2)
""",
    "attention_weights": """def attention_weights(scores, mask):
    top = np.where(mask, scores, scores.min()).max(axis=-1, keepdims=True)
    e = np.exp(np.where(mask, scores - top, 0)) * mask
    total = e.sum(axis=-1, keepdims=True)
    return e / np.where(total > 0, total, 1)
""",
    "context_vector": """def context_vector(weights, values):
    return (weights[:, :, None] * values).sum(axis=1)
""",
    "test_attention": """def test_attention(attention):
    rng, d = np.random.default_rng(0), 4
    for T, S in ((3, 5), (4, 4)):
        Q, K, V = rng.normal(size=(T, d)), rng.normal(size=(S, d)), rng.normal(size=(S, d))
        mask = rng.random((T, S)) < 0.5
        mask[:, 0] = True
        want = attention_weights(Q @ K.T / math.sqrt(d), mask) @ V
        if not np.allclose(attention(Q, K, V, mask), want, atol=1e-4):
            return False
    return True
""",
}

SINGLE, AXES = "leave dtype alone", "Keep all axes"
KEPT = "np.where(mask[:, s, None], gru_cell(backward, xs[:, s], h), h)"
EDITS = {
    "encode": [
        (SINGLE, ("return states, summary", "return states.astype(np.float32), summary")),
        (AXES, ("return states, summary", "return states.squeeze(), summary")),
        ("Padding must not change", ("np.where(mask[:, s, None], ", "("), (", h), h)", ", h))")),
        ("the mask says what is real", ("mask[:, s, None]", "(ids != 0)[:, s, None]")),
        ("do not set it to 0", (", h), h)", ", h), 0)")),
        ("ends at the first token", ("return states, summary", "return states, states[:, -1]")),
        ("ends at the last token", ("return states, summary", "return states, states[:, 0]")),
        ("forward state comes first", ("[last, h]", "[h, last]")),
        ("not a mean", ("return states, summary", "return states, states.mean(axis=1)")),
        ("in this order", ("return states, summary", "return summary, states")),
        ("order of the text", ("back[:, s] = h", "back[:, S - 1 - s] = h")),
        ("reads from the end", ("range(S - 1, -1, -1)", "range(S)")),
        ("are exchanged", ('params["forward"], params["backward"]',
                           'params["backward"], params["forward"]')),
        ("its own parameters", ("gru_cell(backward", "gru_cell(forward")),
        ("batch first", ("return states", "return states.swapaxes(0, 1)")),
        ("changed its argument", ("    h = np.zeros((B, H))\n    for",
                                  "    h = np.zeros((B, H))\n    mask[:] = True\n    for")),
        ("is h carried on", ("xs[:, s], h)", "xs[:, s], 0 * h)")),
    ],
    "decode_step": [
        (RIGHT, ("np.concatenate([new, c], axis=1)", "np.hstack((new, c))")),
        (SINGLE, ("return logits, new", "return logits.astype(np.float32), new")),
        (AXES, ("return logits, new", "return logits.squeeze(), new")),
        ("from the NEW state", ("[new, c]", "[s, c]")),
        ("The state comes first", ("[new, c]", "[c, new]")),
        ("s is there twice", ("[new, c]", "[new, new]")),
        ("The nonlinearity is missing", ("np.tanh", "")),
        ("no softmax", ("return logits", "return encoding.softmax(logits)")),
        ("Return the NEW state", ("return logits, new", "return logits, s")),
        ("in this order", ("return logits, new", "return new, logits")),
        ("b_c is missing", (' + params["b_c"]', "")),
        ("The bias b is missing", (' + params["b"]', "")),
        ("not from the context", ('params["E"][ids], s)', 'params["E"][ids], c)')),
        ("old state has no influence", ('params["E"][ids], s)', 'params["E"][ids], 0 * s)')),
        ("no tanh around them", ("return logits", "return np.tanh(logits)")),
        ("changed its argument", ("return logits, new", "s[:] = new\n    return logits, s")),
    ],
    "teacher_forced_loss": [
        ("Padding counts", (" * mask[:, t]", ""), ("mask.sum()", "mask.size")),
        ("not by B T", ("mask.sum()", "mask.size")),
        ("not the sum", (" / mask.sum()", "")),
        ("number of rows", ("mask.sum()", "len(mask)")),
        ("Token 0 is an ordinary token",
         ("    ids, total", "    mask = targets != 0\n    ids, total")),
        ("not np.log2", ("mask.sum()", "(mask.sum() * math.log(2))")),
        ("MINUS", ("total -=", "total +=")),
        ("not the perplexity",
         ("return total / mask.sum()", "return math.exp(total / mask.sum())")),
        ("the model's own guess", ("ids = targets[:, t]", "ids = logits.argmax(axis=1)")),
        ("may not see what it predicts", ("step(ids, s)", "step(targets[:, t], s)")),
        ("Only the first input is start", ("        ids = targets[:, t]\n", "")),
        ("Carry the state on", ("logits, s =", "logits, _ =")),
        ("first target counts", ("range(targets.shape[1])", "range(1, targets.shape[1])"),
         ("mask.sum()", "mask[:, 1:].sum()")),
        ("subtract the largest logit", ("logits - logits.max(axis=1, keepdims=True)", "logits")),
        ("by hand", ("z - np.log(np.exp(z).sum(axis=1, keepdims=True))",
                     "np.log(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))")),
        ("rows' means", ("ids, total =", "n = mask.sum(axis=1)\n    ids, total ="),
         ("(right * mask[:, t]).sum()", "(right * mask[:, t] / n).mean()"), (" / mask.sum()", "")),
        ("changed its argument", ("    ids, total", "    s[:] = 0\n    ids, total")),
    ],
    "translate_greedy": [
        ("Leave the end token out", ("            over[row] = over[row] or token == end\n", ""),
         ("texts[row].append(token)", "texts[row].append(token)\n"
          "            over[row] = over[row] or token == end")),
        ("Leave the start token out", ("[[] for _ in s]", "[[start] for _ in s]")),
        ("what comes after it does not count", ("over[row] or token == end", "token == end")),
        ("EVERY row", ("if all(over)", "if any(over)")),
        ("the ids and the state", ("logits, s =", "logits, _ =")),
        ("the ids and the state", ("step(ids, s)", "step(np.full(len(s), start), s)")),
        ("take the lowest id", ("np.argmax(logits, axis=1)",
                                "logits.shape[1] - 1 - np.argmax(logits[:, ::-1], axis=1)")),
        ("At most max_length", ("range(max_length)", "range(1000)")),
        ("max_length tokens are allowed", ("range(max_length)", "range(max_length - 1)")),
        ("took a step after", ("        if all(over):\n            break\n", "")),
        ("largest logit of each row", ("np.argmax", "np.argmin")),
        ("changed its argument", ("        logits, s =", "        logits, s[:] =")),
    ],
    "dot_score": [
        (SINGLE, ("sums / math.sqrt(C)", "(sums / math.sqrt(C)).astype(np.float32)")),
        (AXES, ("return sums / math.sqrt(C)", "return (sums / math.sqrt(C)).squeeze()")),
        ("The scale is missing", (" / math.sqrt(C)", "")),
        ("square ROOT", ("math.sqrt(C)", "C")),
        ("not by sqrt(S)", ("math.sqrt(C)", "math.sqrt(S)")),
        ("do not multiply", ("sums / math", "sums * math")),
        ("softmax comes later", ("return ", "return scores_of.softmax("), ("(C)", "(C))")),
        ("keys of row b only", ("(q[:, None, :] * keys).sum(axis=2)", "q @ keys[0].T")),
        ("keys of row b only", ("(q[:, None, :] * keys).sum(axis=2)", "q @ keys.T")),
        ("Compare the shape", ("axis=2", "axis=1")),
        ("changed its argument", ("    sums", "    keys *= 2\n    sums")),
    ],
    "bilinear_score": [
        (SINGLE, ("sum(axis=2)", "sum(axis=2).astype(np.float32)")),
        (AXES, ("sum(axis=2)", "sum(axis=2).squeeze()")),
        ("W_a is transposed", ("q @ W", "q @ W.T")),
        ("No scale here", ("sum(axis=2)", "sum(axis=2) / math.sqrt(W.shape[1])")),
        ("no tanh", ("return (seen[:, None, :] * keys).sum(axis=2)",
                     "return np.tanh((seen[:, None, :] * keys).sum(axis=2))")),
        ("softmax comes later", ("return (seen[:, None, :] * keys).sum(axis=2)",
                                 "return scores_of.softmax((keys @ seen[..., None])[..., 0])")),
        ("W_a has no influence", ("q @ W", "q")),
        ("keys of row b only", ("(seen[:, None, :] * keys).sum(axis=2)", "seen @ keys[0].T")),
        ("keys of row b only", ("(seen[:, None, :] * keys).sum(axis=2)", "seen @ keys.T")),
        ("changed its argument", ("    seen", "    W *= 2\n    seen")),
    ],
    "attention_weights": [
        (SINGLE, ("return e / np.where(total > 0, total, 1)",
                  "return (e / np.where(total > 0, total, 1)).astype(np.float32)")),
        (AXES, ("return e / np.where(total > 0, total, 1)",
                "return (e / np.where(total > 0, total, 1)).squeeze()")),
        ("The mask has no influence",
         ("    top", "    mask = np.ones(scores.shape, bool)\n    top")),
        ("Mask before the softmax", ("* mask\n", "\n"), ("np.where(mask, scores - top, 0)",
         "scores - top"), ("return e", "return mask * e")),
        ("MAY attend", ("    top", "    mask = ~mask\n    top")),
        ("exp(0) is 1", ("    top", "    scores, mask = scores * mask, True\n    top")),
        ("Sum over the last axis", ("total = e.sum(axis=-1, keepdims=True)",
                                    "total = e.sum(axis=0, keepdims=True)")),
        ("the weights of a query sum to 1", ("e.sum(axis=-1, keepdims=True)", "e.sum()")),
        ("gets zeros", ("np.where(total > 0, total, 1)", "total")),
        ("multiply the weights by the mask", ("scores, scores.min()", "scores, -1e9"),
         ("scores - top, 0)) * mask", "scores, -1e9) - top)")),
        ("overflow", ("scores - top", "scores")),
        ("Only scores where the mask is True count",
         ("np.where(mask, scores, scores.min()).max", "scores.max")),
        ("work on the last one", ("axis=-1", "axis=1")),
        ("changed its argument", ("    top", "    scores[~mask] = scores.min()\n    top")),
    ],
    "context_vector": [
        (SINGLE, ("sum(axis=1)", "sum(axis=1).astype(np.float32)")),
        (AXES, ("sum(axis=1)", "sum(axis=1).squeeze()")),
        ("no influence", ("weights[:, :, None] * values", "values")),
        ("not the mean", ("sum(axis=1)", "mean(axis=1)")),
        ("do not divide by their sum",
         ("weights[:, :, None] *", "(weights / weights.sum(axis=1, keepdims=True))[:, :, None] *")),
        ("weighted sum of all values", ("(weights[:, :, None] * values).sum(axis=1)",
                                        "values[np.arange(len(values)), weights.argmax(axis=1)]")),
        ("Compare the shape", ("axis=1", "axis=2")),
        ("Row b of the weights", ("(weights[:, :, None] * values).sum(axis=1)",
                                  "weights @ values[0]")),
        ("changed its argument", ("    return", "    values *= 2\n    return")),
    ],
    "test_attention": [
        ("rejects a right implementation", ("return True", "return False")),
        ("rejects a right implementation", ("atol=1e-4", "rtol=0, atol=1e-12")),
        ("d larger than 1", ("d = np.random.default_rng(0), 4", "d = np.random.default_rng(0), 1")),
        ("Hide some keys", ("mask[:, 0] = True", "mask[:] = True")),
        ("accepts an attention", ("            return False", "            pass")),
        ("a test returns True or False", ("    return True", "")),
        ("more keys than queries", ("((3, 5), (4, 4))", "((4, 4), (5, 5))")),
        ("raised NameError", ("want = attention_weights", "want = weights_of")),
        ("more than 50 times", ("((3, 5), (4, 4))", "((3, 5), (4, 4)) * 40")),
    ],
}  # fmt: skip
globals().update(edited(globals(), EDITS, SOLVED))

EQUIVALENT = [
    Equivalent(
        "translate_greedy",
        "over = over + (ids == end)",
        because="the sum of two booleans is their or",
    )
]

IN_THE_GRADER = "the implementations that tell stay in the grader; the visible check has others"
UNSEEN = [
    Unseen(
        "test_attention",
        "test_attention, edit 2: rejects a right implementation",
        because=IN_THE_GRADER,
    ),
    Unseen(
        "test_attention", "test_attention, edit 7: more keys than queries", because=IN_THE_GRADER
    ),
]
