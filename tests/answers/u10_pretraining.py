"""Right and wrong answers to the exercises of unit 10: some whole, most as edits of a solution."""

import ast
import math

import numpy as np
import torch

from autograder.units import u10_impostors as hidden
from autograder.verification.answer_bank import RIGHT, Equivalent, Unseen, edited, right, wrong
from llmcourse.checks import u10_impostors as impostors

# Earlier exercises and what the notebook defines, called by their names as the notebook calls them.
adamw_step, warmup_cosine = hidden.correct_adamw, hidden.correct_schedule
train_step, bigram_gradient = hidden.correct_train_step, impostors.loss_and_gradient


def train_bigram(params, batches, held_out, settings):
    state = {}
    for step, micro in enumerate(batches):
        lr = warmup_cosine(step, settings["steps"], settings["warmup"], settings["lr"])

        def update(p, g, s, lr=lr):
            return adamw_step(p, g, s, lr, weight_decay=settings["weight_decay"])

        params, state, _, _ = train_step(
            params, state, micro, bigram_gradient, update, settings["max_norm"]
        )
    loss, count, _ = bigram_gradient(params, held_out)
    return params, loss / count


# --- right answers that share no line with the solutions


@right("pack_documents")
def packed_by_pairs(documents, T, end):
    pairs, before = [], end
    for token in (t for document in documents for t in (*document, end)):
        pairs.append((before, token))
        before = token
    while len(pairs) % T:
        pairs.append((end, -100))
    table = np.array(pairs, dtype=np.int32).reshape(-1, T, 2)
    return [table[..., 0], table[..., 1]]


@right("pack_documents")
def packed_in_torch(documents, T, end):
    stream = torch.tensor([end, *(t for d in documents for t in [*d, end])], dtype=torch.int64)
    missing = -(len(stream) - 1) % T
    ids = torch.nn.functional.pad(stream[:-1], (0, missing), value=end)
    return ids.view(-1, T), torch.nn.functional.pad(stream[1:], (0, missing), value=-100).view(
        -1, T
    )


@wrong("pack_documents", hint="not in a row of its own")
def documents_in_their_own_rows(documents, T, end):
    ids, targets = [], []
    for document in documents:
        inputs, after = [end, *document], [*document, end]
        missing = -len(inputs) % T
        ids += inputs + [end] * missing
        targets += after + [-100] * missing
    return np.array(ids, dtype=int).reshape(-1, T), np.array(targets, dtype=int).reshape(-1, T)


@right("get_batch")
def batch_of_a_long_list(ids, targets, step, batch_size, order):
    rows, epoch = [], 0
    while len(rows) < (step + 1) * batch_size:
        rows.extend(int(row) for row in order(epoch))
        epoch += 1
    chosen = np.array(rows)[step * batch_size :][:batch_size]
    return [np.take(ids, chosen, axis=0), np.take(targets, chosen, axis=0)]


@right("get_batch")
def batch_epoch_by_epoch(ids, targets, step, batch_size, order):
    x, y = [], []
    epoch, at = divmod(step * batch_size, len(ids))
    rows = list(order(epoch))[at:]
    while len(x) < batch_size:
        if not rows:
            epoch += 1
            rows = list(order(epoch))
        row = int(rows.pop(0))
        x.append(ids[row].tolist())
        y.append(targets[row].tolist())
    return x, y


@right("evaluate")
def bits_batch_by_batch(losses, ids, targets, batch_size):
    found = []
    for n in range(math.ceil(len(ids) / batch_size)):
        rows = slice(n * batch_size, (n + 1) * batch_size)
        for row, target in zip(losses(ids[rows], targets[rows]), targets[rows], strict=True):
            found += [float(x) for x, y in zip(row, target, strict=True) if y != -100]
    return math.fsum(found) / len(found) * math.log2(math.e)


@right("evaluate")
def bits_in_torch(losses, ids, targets, batch_size):
    parts = zip(
        torch.tensor(ids).split(batch_size), torch.tensor(targets).split(batch_size), strict=True
    )
    kept = [torch.tensor(losses(i.numpy(), t.numpy()))[t != -100] for i, t in parts]
    return torch.cat(kept).mean() / math.log(2)


@right("adamw_step")
def adam_by_torch(params, grads, state, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    tensors = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    t = state["step"] if state else 0
    for name, p in tensors.items():
        p.grad = torch.tensor(grads[name])
    groups = [
        {"params": [p for p in tensors.values() if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in tensors.values() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr, betas, eps)
    for name, p in tensors.items():
        optimizer.state[p] = {
            "step": torch.tensor(float(t)),
            "exp_avg": torch.tensor(state["m"][name]) if t else torch.zeros_like(p),
            "exp_avg_sq": torch.tensor(state["v"][name]) if t else torch.zeros_like(p),
        }
    optimizer.step()
    kept = {name: optimizer.state[p] for name, p in tensors.items()}
    new = {name: p.detach().numpy() for name, p in tensors.items()}
    return new, {
        "step": t + 1,
        "m": {name: part["exp_avg"].numpy() for name, part in kept.items()},
        "v": {name: part["exp_avg_sq"].numpy() for name, part in kept.items()},
    }


@right("adamw_step")
def adam_with_corrected_rates(
    params, grads, state, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1
):
    t = 1 + state.get("step", 0)
    zeros = {name: np.zeros_like(p) for name, p in params.items()}
    old = [state.get(kind, zeros) for kind in ("m", "v")]
    m = {n: old[0][n] + (1 - betas[0]) * (grads[n] - old[0][n]) for n in params}
    v = {n: old[1][n] + (1 - betas[1]) * (grads[n] ** 2 - old[1][n]) for n in params}
    first, root = 1 - betas[0] ** t, math.sqrt(1 - betas[1] ** t)
    new = {}
    for n, p in params.items():
        kept = p * (1 - lr * weight_decay) if np.ndim(p) >= 2 else p
        new[n] = kept - lr / first * m[n] / (np.sqrt(v[n]) / root + eps)
    return [new, {"v": v, "m": m, "step": t}]


@right("warmup_cosine")
def schedule_by_a_square(step, steps, warmup, lr, lr_min=0.0):
    if step < warmup:
        return (step + 1) * lr / warmup
    done = 1.0 if step >= steps else (step - warmup) / (steps - warmup)
    return lr_min + (lr - lr_min) * math.cos(done * math.pi / 2) ** 2


@right("warmup_cosine")
def schedule_in_numpy(step, steps, warmup, lr, lr_min=0.0):
    q = np.clip((step - warmup) / max(steps - warmup, 1), 0, 1)
    cosine = lr_min + (lr - lr_min) * 0.5 * (1 + np.cos(np.pi * q))
    late = step >= steps >= 1
    return lr * (step + 1) / warmup if step < warmup else lr_min if late else cosine


@right("train_step")
def step_in_one_vector(params, state, batches, gradient, update, max_norm):
    names, total, targets = list(params), 0.0, 0
    flat = np.zeros(sum(np.size(p) for p in params.values()))
    for batch in batches:
        loss, count, grads = gradient(params, batch)
        flat += np.concatenate([np.ravel(grads[n]).astype(float) for n in names])
        total, targets = total + loss, targets + count
    flat /= targets
    norm = np.linalg.norm(flat)
    flat *= min(1.0, max_norm / max(norm, 1e-300))
    ends = np.cumsum([np.size(params[n]) for n in names])[:-1]
    parts = zip(names, np.split(flat, ends), strict=True)
    grads = {n: part.reshape(np.shape(params[n])) for n, part in parts}
    return [*update(params, grads, state), total / targets, norm]


@right("train_step")
def step_as_torch_clips(params, state, batches, gradient, update, max_norm):
    found = [gradient(params, batch) for batch in batches]
    targets = sum(part[1] for part in found)
    mean = {
        n: torch.stack([torch.tensor(np.asarray(part[2][n], float)) for part in found]).sum(0)
        / targets
        for n in params
    }
    norm = torch.linalg.vector_norm(torch.stack([g.norm() for g in mean.values()]))
    factor = torch.clamp(max_norm / (norm + 1e-6), max=1.0)
    grads = {n: (g * factor).numpy() for n, g in mean.items()}
    params, state = update(params, grads, state)
    return params, state, sum(part[0] for part in found) / targets, norm.item()


@right("Checkpoint")
class NamesInJson:
    def __init__(self, *run):
        self.run = run

    def save_checkpoint(self):
        params, state, step = self.run
        saved = {"run": np.array([step, state["step"] if state else -1])}
        for kind, arrays in (("params", params), *((k, state[k]) for k in ("m", "v") if state)):
            saved.update({repr((kind, name)): np.array(a) for name, a in arrays.items()})
        return saved

    def resume(self, saved):
        step, t = map(int, saved["run"])
        kinds = {"params": {}, "m": {}, "v": {}}
        for key, array in saved.items():
            if key != "run":
                kind, name = ast.literal_eval(key)
                kinds[kind][name] = np.array(array)
        return kinds.pop("params"), {"step": t, **kinds} if t >= 0 else {}, step


@right("Checkpoint")
class NumberedNames:
    def __init__(self, params, state, step):
        self.params, self.state, self.step = params, state, step

    def save_checkpoint(self):
        params, state, step = self.params, self.state, self.step
        saved = {"0step": step, "0adam": state.get("step", 0)}
        for number, arrays in enumerate((params, state.get("m", {}), state.get("v", {})), 1):
            for name in arrays:
                saved[str(number) + name] = arrays[name] + 0
        return saved

    def resume(self, saved):
        def of(number):
            return {key[1:]: value for key, value in saved.items() if key[0] == number}

        t, m, v = int(saved["0adam"]), of("2"), of("3")
        return [of("1"), {"step": t, "m": m, "v": v} if t else {}, int(saved["0step"])]


@wrong("Checkpoint", hint="A run is resumed in a new process")
class KeptInTheObject:
    def __init__(self, params, state, step):
        self.run = params, state, step

    def save_checkpoint(self):
        return {"step": np.array(self.run[2])}

    def resume(self, saved):
        return self.run


@wrong("Checkpoint", hint="A run is resumed in a new process")
class KeptAsAnAttribute:
    def __init__(self, params, state, step):
        self.run = params, state, step

    def save_checkpoint(self):
        self.saved = self.run
        return {"step": np.array(self.run[2])}

    def resume(self, saved):
        return self.saved


@wrong("Checkpoint", hint="may have any name")
class NamesThatCollide:
    def __init__(self, params, state, step):
        self.params, self.state, self.step = params, state, step

    def save_checkpoint(self):
        saved = {name: p.copy() for name, p in self.params.items()}
        for kind in ("m", "v"):
            saved |= {f"{kind}/{n}": a.copy() for n, a in self.state.get(kind, {}).items()}
        return saved | {"step": np.array(self.step), "t": np.array(self.state.get("step", 0))}

    def resume(self, saved):
        parts = {"p": {}, "m": {}, "v": {}}
        for key, array in saved.items():
            kind, slash, name = key.partition("/")
            if slash and kind in parts:
                parts[kind][name] = array
            elif key not in ("step", "t"):
                parts["p"][key] = array
        params, t = parts.pop("p"), int(saved["t"])
        return params, {"step": t, **parts} if t else {}, int(saved["step"])


@right("flops_per_token")
def flops_by_parts(n_parameters, n_layers, d_model, length):
    forward = 2.0 * n_parameters + n_layers * 2 * (2.0 * d_model * length)
    return 3 * forward


@right("flops_per_token")
def flops_in_numpy(n_parameters, n_layers, d_model, length):
    return np.float64(6) * n_parameters + 12.0 * np.prod([n_layers, d_model, length], dtype=float)


@right("mfu")
def mfu_by_time(flops, tokens, seconds, peak, devices=1):
    return flops * tokens / peak / devices / seconds


@right("mfu")
def mfu_by_rates(flops, tokens, seconds, peak, devices=1):
    per_second = tokens / seconds
    return per_second / (devices * peak / flops)


@right("test_train_step")
def by_single_properties(train):
    rng = np.random.default_rng(4)
    E, g = rng.normal(size=(4, 4)), rng.normal(size=4)

    def batch(*kept):
        ids, targets = rng.integers(0, 4, (2, len(kept), 5))
        return ids, np.where(np.arange(5) < np.array(kept)[:, None], targets, -100)

    settings = {"lr": 0.2, "warmup": 2, "steps": 5, "weight_decay": 0.4, "max_norm": 0.2,
                "dropout": 0.0}  # fmt: skip
    held_out, batches = batch(2, 5), [[batch(5, 5), batch(1)], [batch(2)], [batch(3, 1), batch(4)]]
    params = {"E": E, "g": g}
    exact = train_bigram(params, [], held_out, settings)[1]
    assert abs(train(params, [], held_out, {**settings, "dropout": 0.8})[1] - exact) < 1e-4
    for steps in (1, 3):
        want, loss = train_bigram(params, batches[:steps], held_out, settings)
        got, mine = train(params, batches[:steps], held_out, settings)
        assert np.abs(want["E"] - got["E"]).max() < 1e-4
        assert np.abs(want["g"] - got["g"]).max() < 1e-4
        assert abs(loss - mine) < 1e-4
    return True


# --- solutions with one thing changed

SOLVED = {
    "pack_documents": """def pack_documents(documents, T, end):
    stream = [end]
    for document in documents:
        stream.extend(document)
        stream.append(end)
    inputs, targets = list(stream[:-1]), list(stream[1:])
    missing = -len(inputs) % T
    inputs += [end] * missing
    targets += [-100] * missing
    inputs = np.array(inputs, dtype=int).reshape(-1, T)
    targets = np.array(targets, dtype=int).reshape(-1, T)
    return inputs, targets
""",
    "get_batch": """def get_batch(ids, targets, step, batch_size, order):
    N, rows = len(ids), []
    for k in range(step * batch_size, step * batch_size + batch_size):
        epoch, place = divmod(k, N)
        rows.append(int(order(epoch)[place]))
    return ids[rows], targets[rows]
""",
    "evaluate": """def evaluate(losses, ids, targets, batch_size):
    total, count = 0.0, 0
    for at in range(0, len(ids), batch_size):
        x, y = ids[at:at + batch_size], targets[at:at + batch_size]
        mask = y != -100
        found = losses(x, y)
        total += found[mask].sum()
        count += mask.sum()
    return total / count / math.log(2)
""",
    "adamw_step": """def adamw_step(
    params, grads, state, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1
):
    b1, b2 = betas
    t = state.get("step", 0) + 1
    new, ms, vs = {}, {}, {}
    for n, p in params.items():
        g = grads[n]
        m = state["m"][n] if t > 1 else np.zeros_like(p)
        v = state["v"][n] if t > 1 else np.zeros_like(p)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        m_hat = m / (1 - b1**t)
        v_hat = v / (1 - b2**t)
        decay = lr * weight_decay if p.ndim > 1 else 0.0
        q = p - decay * p
        new[n] = q - lr * m_hat / (np.sqrt(v_hat) + eps)
        ms[n], vs[n] = m, v
    return new, {"step": t, "m": ms, "v": vs}
""",
    "warmup_cosine": """def warmup_cosine(step, steps, warmup, lr, lr_min=0.0):
    if step < warmup:
        return lr * (step + 1) / warmup
    if step >= steps:
        return lr_min
    q = (step - warmup) / (steps - warmup)
    factor = (1 + math.cos(math.pi * q)) / 2
    return lr_min + (lr - lr_min) * factor
""",
    "train_step": """def train_step(params, state, batches, gradient, update, max_norm):
    total, n, sums = 0.0, 0, {name: 0.0 for name in params}
    for batch in batches:
        loss, count, grads = gradient(params, batch)
        total, n = total + loss, n + count
        for name in sums:
            sums[name] = sums[name] + np.asarray(grads[name], dtype=float)
    grads = {name: g / n for name, g in sums.items()}
    norm = math.sqrt(sum((g**2).sum() for g in grads.values()))
    scale = min(1, max_norm / norm) if norm > 0 else 1
    grads = {name: g * scale for name, g in grads.items()}
    params, state = update(params, grads, state)
    return params, state, total / n, norm
""",
    "Checkpoint": """class Checkpoint:
    def __init__(self, params, state, step):
        self.params, self.state, self.step = params, state, step
    def save_checkpoint(self):
        params, state, step = self.params, self.state, self.step
        saved = {"step": np.array(step)}
        for name, p in params.items():
            saved["p " + name] = p.copy()
        if state:
            saved["t"] = np.array(state["step"])
            for name in params:
                saved["m " + name] = state["m"][name].copy()
                saved["v " + name] = state["v"][name].copy()
        return saved
    def resume(self, saved):
        params, m, v = ({key[2:]: a for key, a in saved.items() if key.startswith(kind)}
                        for kind in ("p ", "m ", "v "))
        state = {"step": int(saved["t"]), "m": m, "v": v} if "t" in saved else {}
        return params, state, int(saved["step"])
""",
    "test_train_step": """def test_train_step(train):
    rng = np.random.default_rng(1)
    params = {"E": rng.normal(size=(6, 6)), "g": rng.normal(size=6)}
    def batch(shape, kept):
        ids, targets = rng.integers(0, 6, shape), rng.integers(0, 6, shape)
        targets[:, kept:] = -100
        return ids, targets
    steps = [[batch((3, 4), 4), batch((2, 4), 1)], [batch((2, 5), 2)], [batch((1, 3), 3)] * 2]
    held_out = batch((2, 6), 5)
    settings = dict(lr=0.3, warmup=2, steps=4, weight_decay=0.3, max_norm=0.25, dropout=0.0)
    want = train_bigram(params, steps, held_out, settings)
    got = train(params, steps, held_out, settings)
    for name in ("E", "g"):
        if not np.allclose(want[0][name], got[0][name], atol=1e-4):
            return False
    settings["dropout"] = 0.7
    settings["lr"] = 0.0
    still = train(params, steps, held_out, settings)
    if abs(still[1] - train_bigram(params, [], held_out, settings)[1]) > 1e-4:
        return False
    return abs(want[1] - got[1]) < 1e-4
""",
}

MICRO = "    settings = dict(lr=0.3"
EDITS = {
    "pack_documents": [
        ("Nothing may be lost", ("    missing =", "    cut = len(inputs) // T * T\n"
         "    inputs, targets = inputs[:cut], targets[:cut]\n    missing =")),
        ("begins with `end`", ("stream = [end]", "stream = []")),
        ("followed by `end`", ("        stream.append(end)\n", "")),
        ("the last one, too", ("    inputs, targets = list(stream[:-1])",
                               "    stream.pop()\n    inputs, targets = list(stream[:-1])")),
        ("first token of the next row", ("    return inputs, targets",
         "    targets[:, -1] = inputs[:, 0]\n    return inputs, targets")),
        ("first token of the next row",
         ("list(stream[:-1]), list(stream[1:])", "list(stream), []"),
         ("    targets += [-100] * missing\n", ""),
         ("    targets = np.array(targets, dtype=int).reshape(-1, T)",
          "    targets = np.hstack([inputs[:, 1:], np.full((len(inputs), 1), -100)])")),
        ("NEXT token", ("list(stream[1:])", "list(stream[:-1])")),
        ("ids first", ("return inputs, targets", "return targets, inputs")),
        ("Padding may not count", ("[-100] * missing", "[end] * missing")),
        ("-100 is no id", ("[end] * missing", "[-100] * missing")),
        ("no row of padding", ("-len(inputs) % T", "T - len(inputs) % T")),
        ("has an end token, too",
         ("for document in documents", "for document in filter(len, documents)")),
        ("a pair", ("return inputs, targets", "return inputs")),
        ("whole numbers", ("dtype=int", "dtype=float")),
    ],
    "get_batch": [
        ("not in their own", ("int(order(epoch)[place])", "place")),
        ("order(1) for the second", ("order(epoch)", "order(0)")),
        ("goes on with the first rows", ("order(epoch)", "order(step * batch_size // N)")),
        ("three or more epochs",
         ("        rows.append",
          "        if epoch < step * batch_size // N + 2:\n            rows.append")),
        ("No row is left out",
         ("    for k in", "    whole = max(1, N // batch_size)\n    for k in"),
         ("epoch, place = divmod(k, N)", "epoch = step // whole\n        place = (step % whole * "
          "batch_size + k - step * batch_size) % N")),
        ("counted from 0", ("    N, rows", "    step = max(step - 1, 0)\n    N, rows")),
        ("not the step", ("order(epoch)", "order(step)")),
        ("first row of the epoch", ("int(order(epoch)[place])", "list(order(epoch)).index(place)")),
        ("in the order that `order` gives", ("    return", "    rows.sort()\n    return")),
        ("of the same rows",
         ("targets[rows]", "targets[np.arange(step * batch_size, (step + 1) * batch_size) % N]")),
        ("changed its argument", ("    return", "    ids[:] = ids[::-1].copy()\n    return")),
    ],
    "evaluate": [
        ("divide the nats by log 2", (" / math.log(2)", "")),
        ("do not multiply", ("/ math.log(2)", "* math.log(2)")),
        ("Targets of -100 do not count", ("mask = y != -100", "mask = y == y")),
        ("may be any number, not only nan", ("found[mask].sum()", "np.nansum(found)")),
        ("raised ValueError", ("range(0, len(ids), batch_size)", "(0,)"),
         ("ids[at:at + batch_size], targets[at:at + batch_size]", "ids, targets")),
        ("not by that of all positions", ("mask.sum()", "mask.size")),
        ("batches' means", ("found[mask].sum()", "found[mask].mean()"),
         ("count += mask.sum()", "count += 1")),
        ("where the last batch has fewer rows",
         ("range(0, len(ids), batch_size)",
          "range(0, max(len(ids) - batch_size, 0) + 1, batch_size)")),
        ("Divide by the number", (" / count", "")),
        ("not the perplexity", ("total / count / math.log(2)", "math.exp(total / count)")),
        ("pick the losses that count", ("found[mask].sum()", "(found * mask).sum()")),
        ("changed its argument", ("        found =", "        y[~mask] = 0\n        found =")),
    ],
    "adamw_step": [
        (RIGHT, ("(1 - b2) * g * g", "(1 - b2) * np.square(g)")),
        ("bias corrections are missing", ("m / (1 - b1**t)", "m"), ("v / (1 - b2**t)", "v")),
        ("m needs its bias correction", ("m / (1 - b1**t)", "m")),
        ("v needs its bias correction", ("v / (1 - b2**t)", "v")),
        ("increase the number of steps once",
         ("b1**t", "b1 ** (t + 1)"), ("b2**t", "b2 ** (t + 1)")),
        ("the corrected ones are for this step only", ("= m, v\n", "= m_hat, v_hat\n")),
        ("after the root", ("(np.sqrt(v_hat) + eps)", "np.sqrt(v_hat + eps)")),
        ("square root of v_hat", ("np.sqrt(v_hat)", "v_hat")),
        ("not part of the gradient", ("        g = grads[n]\n",
         "        g = grads[n] + (weight_decay * p if p.ndim > 1 else 0)\n"),
         ("lr * weight_decay if", "0 if")),
        ("not biases and norms", ("if p.ndim > 1 else 0.0", "")),
        ("weight decay is missing", ("lr * weight_decay", "0.0")),
        ("multiplied by lr", ("lr * weight_decay", "weight_decay")),
        ("OLD parameters", ("q = p - decay * p", "q = p"),
         ("new[n] = q - lr * m_hat / (np.sqrt(v_hat) + eps)",
          "new[n] = (q - lr * m_hat / (np.sqrt(v_hat) + eps)) * (1 - decay)")),
        ("SQUARED", ("* g * g", "* abs(g)")),
        ("m is an average", ("(1 - b1) * g", "g")),
        ("beta1 is for m", ("b1, b2 = betas", "b2, b1 = betas")),
        ("went uphill", ("q - lr", "q + lr")),
        ("steps done, this one included", ('"step": t,', '"step": t - 1,')),
        ("changed its argument",
         ("        q = p - decay * p", "        p -= decay * p\n        q = p")),
        ("betas, eps and weight_decay", ("    b1, b2 = betas", "    b1, b2 = 0.9, 0.95")),
        ("no decay", ("p.ndim > 1", "p.ndim != 1")),
    ],
    "warmup_cosine": [
        ("Step 0 already has", ("(step + 1)", "step")),
        ("begins at 0, not at lr_min", ("return lr * (step + 1) / warmup",
         "return lr_min + (lr - lr_min) * (step + 1) / warmup")),
        ("begins at the end of the warm-up",
         ("(step - warmup) / (steps - warmup)", "step / steps")),
        ("not along a line", ("(1 + math.cos(math.pi * q)) / 2", "1 - q")),
        ("half a turn", ("math.pi * q", "2 * math.pi * q")),
        ("cosine begins at 1", ("(1 + math.cos", "(1 - math.cos")),
        ("ends at lr_min, not at 0", ("lr_min + (lr - lr_min) * factor", "lr * factor"),
         ("return lr_min\n", "return 0.0\n")),
        ("begins at lr", ("(lr - lr_min) * factor", "lr * factor")),
        ("stays at lr_min", ("    if step >= steps:\n        return lr_min\n", "")),
        ("rises on a line", ("    if step < warmup:\n        return lr * (step + 1) / warmup\n",
         "    warmup = 0\n")),
        ("Step 0 already has",
         ("    if step < warmup", "    step = step - 1\n    if step < warmup")),
    ],
    "train_step": [
        ("mean of means", ("np.asarray(grads[name], dtype=float)",
         "np.asarray(grads[name], dtype=float) / count"), ("g / n for", "g / len(batches) for")),
        ("not by that of batches", ("g / n for", "g / len(batches) for")),
        ("before you clip", ("g / n for", "g for")),
        ("only the last one counts", ("sums[name] + np.asarray", "np.asarray")),
        ("Clip once", ("        total, n =", "        own = math.sqrt(sum((np.asarray(g, float)**2)"
         ".sum() for g in grads.values())) / count\n        grads = {name: np.asarray(g, float) * "
         "min(1, max_norm / max(own, 1e-30)) for name, g in grads.items()}\n        total, n ="),
         ("min(1, max_norm / norm) if norm > 0 else 1", "1")),
        ("Divide by the number of targets first", ("g / n for", "g for"),
         ("    scale =", "    norm /= n\n    scale ="),
         ("max_norm / norm)", "max_norm / (norm * n))"), ("g * scale", "g * scale / n")),
        ("multiply the gradients by max_norm / norm",
         ("min(1, max_norm / norm) if norm > 0 else 1", "1")),
        ("stay as they are", ("min(1, max_norm / norm)", "max_norm / norm")),
        ("not one for each array", ("g * scale for",
         "g * min(1, max_norm / max(np.linalg.norm(g), 1e-30)) for")),
        ("do not cut single numbers", ("g * scale for", "np.clip(g, -max_norm, max_norm) for")),
        ("square root of the sum of squares", ("norm = math.sqrt(", "norm = (")),
        ("Update once",
         ("            sums[name] = sums[name] + np.asarray(grads[name], dtype=float)",
         "            sums[name] = np.asarray(grads[name], dtype=float)\n"
         "        if batch is not batches[-1]:\n"
         "            own = {k: g / count for k, g in sums.items()}\n"
         "            params, state = update(params, own, state)")),
        ("before clipping", ("    params, state = update", "    norm = norm * scale\n"
                             "    params, state = update")),
        ("mean over all targets", ("total / n, norm", "total, norm")),
        ("divided by the number of all targets", ("total + loss,", "total + loss / count,"),
         ("total / n, norm", "total / len(batches), norm")),
        ("do not divide by it", (" if norm > 0 else 1", "")),
        ("sum them as float64", ("np.asarray(grads[name], dtype=float)", "np.asarray(grads[name])"),
         ("g / n for", "np.asarray(g / n, dtype=grads[name].dtype) for")),
        ("changed its argument",
         ("    total, n, sums", '    params["b"][:] = 0\n    total, n, sums')),
        ("four things",
         ("return params, state, total / n, norm", "return params, state, total / n")),
    ],
    "Checkpoint": [
        (RIGHT, ('"t"', '"steps of AdamW"')),
        ("has put into the dictionary", ("np.array(step)}", "np.array(0)}")),
        ("without its averages", ('            saved["t"] = np.array(state["step"])\n', "")),
        ("without its averages", ('state["v"][name]', 'state["m"][name]')),
        ("Copy the arrays", (".copy()", "")),
        ("in the dtype they had", ("p.copy()", "p.astype(float)")),
        ("a name for each array or number", ('saved = {"step": np.array(step)}',
         'saved = {"step": np.array(step), "all": {}}')),
        ("resume returns {}", ('if "t" in saved else {}', 'if "t" in saved else {"step": 0}')),
        ("changed its arguments", ('        return saved\n    def resume',
         '        state["step"] = 0\n        return saved\n    def resume')),
        ("has put into the dictionary", ("return params, state, int", "return m, state, int")),
    ],
    "flops_per_token": [
        ("products of queries", (" + 12 * n_layers * d_model * length", "")),
        ("not 4 L d T", ("12 *", "4 *")),
        ("two products", ("12 *", "6 *")),
        ("not T times T", ("* length", "* length**2")),
        ("Each of the L layers", ("n_layers * d_model", "d_model")),
        ("with the backward pass 6", ("6 * n_parameters", "2 * n_parameters")),
        ("forward pass alone", ("6 * n_parameters + 12", "2 * n_parameters + 4")),
    ],
    "mfu": [
        ("not percent", ("return ", "return 100 * ")),
        ("multiply it by their number", (" * devices", "")),
        ("divide by their number", ("peak * devices)", "peak / devices)")),
        ("not the other way round", ("flops * tokens / (seconds * peak * devices)",
                                     "(seconds * peak * devices) / (flops * tokens)")),
        ("also above 1", ("flops * tokens / (seconds * peak * devices)",
                          "min(1.0, flops * tokens / (seconds * peak * devices))")),
        ("Divide by the seconds", ("seconds * peak", "peak")),
    ],
    "test_train_step": [
        ("rejects a right implementation", ("    return abs(want[1] - got[1]) < 1e-4",
                                            "    return False")),
        ("rejects a right implementation", ("atol=1e-4", "rtol=0, atol=1e-13")),
        ("a test returns True or False", ("    return abs(want[1] - got[1]) < 1e-4", "")),
        ("averages the means", (MICRO, "    steps = [s[:1] for s in steps]\n" + MICRO)),
        ("does not clip", ("max_norm=0.25", "max_norm=1e9")),
        ("warm-up of several steps", ("warmup=2, steps=4", "warmup=0, steps=9000")),
        (RIGHT, ('for name in ("E", "g")', 'for name in ("E",)')),
        ("Set a weight decay", ("weight_decay=0.3", "weight_decay=0.0")),
        ("Set a dropout", ("    settings[\"dropout\"] = 0.7\n", "")),
        ("raised NameError", ("want = train_bigram", "want = train_tiny")),
        ("more than 30 times", ("    still =", "    for _ in range(40):\n        train(params, [], "
                                "held_out, settings)\n    still =")),
    ],
}  # fmt: skip
globals().update(edited(globals(), EDITS, SOLVED))

EQUIVALENT = [
    Equivalent(
        "evaluate",
        "found = losses(ids[at : at + batch_size], part)[part > -100]",
        because="ids of tokens are 0 or larger",
    ),
    Equivalent(
        "train_step",
        "if norm >= max_norm:",
        because="where both are equal the factor is 1",
    ),
]
IN_THE_GRADER = "the implementations that tell stay in the grader; the visible check has others"
UNSEEN = [
    Unseen("test_train_step", f"test_train_step, edit {edit}", because=IN_THE_GRADER)
    for edit in (
        "2: rejects a right implementation",
        "6: warm-up of several steps",
        "8: Set a weight decay",
        "9: Set a dropout",
    )
]
