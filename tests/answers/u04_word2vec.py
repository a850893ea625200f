"""Right and wrong answers to the exercises of unit 04: some whole, most as edits of a solution."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from autograder.verification.answer_bank import RIGHT, Equivalent, edited, right

# --- right answers that share no line with the solutions


@right("skipgram_pairs")
def by_slices(tokens, window):
    if window < 1:
        raise ValueError("window")
    return [
        (centre, other)
        for i, centre in enumerate(tokens)
        for other in [*tokens[max(i - window, 0) : i], *tokens[i + 1 : i + 1 + window]]
    ]


@right("cbow_batch")
def with_sliding_windows(ids, window):
    if window < 1:
        raise ValueError("window")
    if not ids:
        return np.empty((0, 2 * window), int), np.empty(0, int)
    padded = np.pad(np.array(ids), window, constant_values=-1)
    views = np.lib.stride_tricks.sliding_window_view(padded, 2 * window + 1)
    return np.delete(views, window, axis=1), np.array(ids)


@right("cbow_batch")
def cell_by_cell(ids, window):
    if window < 1:
        raise ValueError("window")
    contexts = np.full((len(ids), 2 * window), -1, dtype=np.int32)
    for i in range(len(ids)):
        for d in range(1, window + 1):
            if i - d >= 0:
                contexts[i, window - d] = ids[i - d]
            if i + d < len(ids):
                contexts[i, window + d - 1] = ids[i + d]
    return [contexts, np.array(ids, dtype=np.int64)]


@right("softmax_skipgram_loss")
def torchs_cross_entropy(centre_vectors, context_vectors, pairs):
    u, v = (torch.as_tensor(t).double() for t in (centre_vectors, context_vectors))
    centres, contexts = torch.tensor(pairs).T
    return F.cross_entropy(u[centres] @ v.T, contexts)


@right("softmax_skipgram_loss")
def one_pair_at_a_time(centre_vectors, context_vectors, pairs):
    total = 0.0
    for w, c in pairs:
        scores = [float(np.dot(centre_vectors[w], v)) for v in context_vectors]
        top = max(scores)
        total += top + math.log(sum(math.exp(s - top) for s in scores)) - scores[c]
    return total / len(pairs)


@right("noise_probs")
def through_logarithms(counts, power=0.75):
    if not any(counts):
        raise ValueError("counts")
    with np.errstate(divide="ignore"):
        logs = power * np.log(np.array(counts, dtype=float))
    return torch.softmax(torch.from_numpy(logs), 0)


@right("negative_sampling_loss")
def torchs_logsigmoid(centre_vectors, context_vectors, pairs, negatives):
    u, v = (torch.as_tensor(t).double() for t in (centre_vectors, context_vectors))
    centres, contexts = torch.tensor(pairs).T
    false = v[torch.tensor(negatives, dtype=torch.long).reshape(len(pairs), -1)]
    true_terms = F.logsigmoid((u[centres] * v[contexts]).sum(1))
    false_terms = F.logsigmoid(-torch.einsum("nd,nkd->nk", u[centres], false)).sum(1)
    return -(true_terms + false_terms).mean()


def minus_log_sigmoid(x):
    return max(-x, 0.0) + math.log1p(math.exp(-abs(x)))


@right("nearest")
def sorted_by_cosine(vectors, index, n):
    def cosine(i):
        one, other = vectors[i], vectors[index]
        return float(one @ other) / math.sqrt(float(one @ one) * float(other @ other))

    others = [i for i in range(len(vectors)) if i != index]
    return sorted(others, key=cosine, reverse=True)[:n]


@right("nearest")
def torchs_topk(vectors, index, n):
    rows = torch.as_tensor(vectors).double()
    cosines = F.cosine_similarity(rows, rows[index : index + 1], dim=1)
    cosines[index] = -2
    return cosines.topk(min(n, len(rows) - 1)).indices


@right("analogy")
def loop_over_the_rows(vectors, a, b, c):
    rows = [row / math.sqrt(float(row @ row)) for row in vectors]
    aim = rows[b] - rows[a] + rows[c]
    best = None
    for i, row in enumerate(rows):
        if i not in (a, b, c) and (best is None or row @ aim > rows[best] @ aim):
            best = i
    return best


@right("analogy")
def sum_of_three_cosines(vectors, a, b, c):
    rows = F.normalize(torch.as_tensor(vectors).double(), dim=1)
    cosines = rows @ rows.T
    scores = cosines[b] - cosines[a] + cosines[c]
    scores[[a, b, c]] = -torch.inf
    return scores.argmax()


@right("analogy")
def nearest_to_an_added_row(vectors, a, b, c, verbose=False):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = np.vstack([unit, unit[b] - unit[a] + unit[c]])
    order = nearest(n=len(unit), index=len(unit), vectors=rows, metric="cosine")
    return next(i for i in order if i not in (a, b, c))


@right("association_bias")
def word_by_word_in_python(x, y, a, b):
    def cosine(one, other):
        return float(one @ other) / math.sqrt(float(one @ one) * float(other @ other))

    def association(w):
        towards = sum(cosine(w, v) for v in a) / len(a)
        return towards - sum(cosine(w, v) for v in b) / len(b)

    of_x, of_y = [association(w) for w in x], [association(w) for w in y]
    both = of_x + of_y
    mean = sum(both) / len(both)
    spread = math.sqrt(sum((s - mean) ** 2 for s in both) / (len(both) - 1))
    return (sum(of_x) / len(of_x) - sum(of_y) / len(of_y)) / spread


@right("association_bias")
def with_mean_attributes(x, y, a, b):
    x, y, a, b = (F.normalize(torch.as_tensor(v).double(), dim=1) for v in (x, y, a, b))
    scores = torch.cat([x, y]) @ (a.mean(0) - b.mean(0))
    return (scores[: len(x)].mean() - scores[len(x) :].mean()) / scores.std()


# --- solutions with one thing changed


def softplus(x):
    with np.errstate(all="ignore"):
        return -np.log(1 / (1 + np.exp(x)))


WINDOW = "range(max(0, i - window), min(len(tokens), i + window + 1))"
LENGTHS = "np.linalg.norm(vectors, axis=1, keepdims=True)"
SCORES = "centre_vectors[centres] @ context_vectors.T"
SWAPPED = (SCORES, "context_vectors[centres] @ centre_vectors.T")
OWN = ("    similarity[index] = -np.inf\n", "")
EXCLUDED = "    similarity[[a, b, c]] = -np.inf\n"
EDITS = {
    "one_hot": [
        (RIGHT, ("return rows", "return np.eye(vocab_size, dtype=np.float32)[np.array(ids, int)]")),
        (RIGHT, ("return rows",
                 "return F.one_hot(torch.tensor(ids, dtype=torch.long), vocab_size)")),
        ("a row of its own", ("rows[np.arange(len(ids)), ids]", "rows[:1, ids]")),
        ("index row and column together", ("rows[np.arange(len(ids)), ids]", "rows[:, ids]")),
        ("numpy takes -1", ("not 0 <= i < vocab_size", "i >= vocab_size")),
        ("the other way round", ("(len(ids), vocab_size)", "(vocab_size, len(ids))"),
         ("np.arange(len(ids)), ids", "ids, np.arange(len(ids))")),
    ],
    "skipgram_pairs": [
        (RIGHT, (WINDOW, "[*range(i - window, i), *range(i + 1, i + window + 1)]"),
         ("if j != i", "if 0 <= j < len(tokens)"), ("(centre, tokens[j])", "[centre, tokens[j]]")),
        ("the context is on both sides", ("max(0, i - window)", "i + 1")),
        ("last word of the window is missing", ("i + window + 1", "i + window")),
        ("the farthest word on the left comes first",
         (WINDOW, f"sorted({WINDOW}, key=lambda j: abs(j - i))")),
        ("compare positions, not words", ("j != i", "tokens[j] != centre")),
        ("not in its own context", ("if j != i", "if True")),
        ("ValueError", ("window < 1", "window is None")),
    ],
    "cbow_batch": [
        ("left half is reversed", ("[*range(window),", "[*range(window)[::-1],")),
        ("0 is the id of a word", ("[-1] * window", "[0] * window")),
        ("not at the end of the row",
         ("padded[i + np.array(columns)]",
          "sorted(padded[i + np.array(columns)], key=lambda x: x == -1)")),
        ("negative indices wrap around", ("[-1] * window + list(ids) + [-1] * window", "ids"),
         ("i + np.array(columns)", "(i - window + np.array(columns)) % len(ids)")),
        ("whole numbers",
         ("contexts, dtype=int", "contexts, float"), ("ids, dtype=int", "ids, float")),
    ],
    "softmax_skipgram_loss": [
        ("largest score of each row", ("scores.max(1, keepdims=True)", "scores.max()")),
        ("overflows", ("scores.max(1, keepdims=True)", "0")),
        ("return the mean", ("mean()", "sum()")),
        ("one table for both words", ("context_vectors.T", "centre_vectors.T")),
        ("tables are swapped", SWAPPED),
        ("sign is wrong", ("return -", "return ")),
        ("over all context words", SWAPPED, ("centres, contexts =", "contexts, centres =")),
        ("in bits", ("mean()", "mean() / math.log(2)")),
    ],
    "noise_probs": [
        (RIGHT, ("np.asarray(counts, dtype=float) ** power",
                 "np.array([float(c) ** power for c in counts])")),
        ("to the power first", (" ** power", "")),
        ("sum of the raised counts",
         ("return raised / raised.sum()", "return raised / sum(counts)")),
        ("First the power, then the division",
         ("return raised / raised.sum()", "return (np.array(counts) / sum(counts)) ** power")),
        ("Use the argument `power`", ("** power", "** 0.75")),
        ("nothing to draw", ("raised.sum() == 0", "raised.sum() < 0")),
    ],
    "negative_sampling_loss": [
        (RIGHT, ("np.logaddexp(0, -(", "minus_log_sigmoid(float("),
         ("np.logaddexp(0, context_vectors[n] @ u)",
          "minus_log_sigmoid(-float(context_vectors[n] @ u))")),
        ("should get a low score", ("context_vectors[n] @ u", "-(context_vectors[n] @ u)")),
        ("summed, not averaged", ("true + false", "true + false / max(1, len(noise))")),
        ("use np.logaddexp", ("np.logaddexp(0, ", "softplus(")),
        ("noise terms are missing", ("true + false", "true")),
        ("its vector is in context_vectors",
         ("context_vectors[n] @ u", "centre_vectors[n] @ context_vectors[context]")),
        ("counts twice", ("for n in noise", "for n in set(noise)")),
        ("return the mean", ("np.mean", "np.sum")),
    ],
    "nearest": [
        ("leave `index` out by its id", OWN, ("[: min(n, len(vectors) - 1)]", "[1 : n + 1]")),
        ("divide by the lengths", (f"vectors / {LENGTHS}", "vectors")),
        ("leave it out", OWN),
        ("largest cosine down", ("-similarity", "similarity"), ("-np.inf", "np.inf")),
        ("nearest by distance",
         ("unit @ unit[index]", "-np.linalg.norm(vectors - vectors[index], axis=1)")),
        ("not the cosines", ("np.argsort(-similarity)", "np.sort(similarity)[::-1]")),
    ],
    "analogy": [
        ("exclude a, b and c", (EXCLUDED, "")),
        ("the step goes from a to b", ("unit[b] - unit[a]", "unit[a] - unit[b]")),
        ("before you add",
         ("unit[b] - unit[a] + unit[c]", "vectors[b] - vectors[a] + vectors[c]")),
        ("exclude a, b and c", ("[[a, b, c]]", "[[b]]")),
        ("exclude a, b and c", ("[[a, b, c]]", "[[b, c]]")),
        ("not 0", ("-np.inf", "0")),
    ],
    "association_bias": [
        ("ddof=1", ("ddof=1", "")),
        ("Use cosines", ("rows / np.linalg.norm(rows, axis=1, keepdims=True)", "rows")),
        ("not the cosine with the mean",
         ("in (x, y, a, b)", "in (x, y, a.mean(0, keepdims=True), b.mean(0, keepdims=True))")),
        ("Divide by the standard deviation", (" / np.concatenate([of_x, of_y]).std(ddof=1)", "")),
        ("X minus Y, and A minus B", ("of_x.mean() - of_y.mean()", "of_y.mean() - of_x.mean()")),
        ("take its square root", ("std(", "var(")),
        ("they may differ in size", ("of_x.mean() - of_y.mean()", "of_x.sum() - of_y.sum()")),
    ],
}  # fmt: skip
globals().update(edited(globals(), EDITS))

EQUIVALENT = [
    Equivalent(
        "cbow_batch",
        "columns = [*range(window), *range(window + 1, 2 * window | 1)]",
        "columns = [*range(window), *range(window + 1, 2 * window ^ 1)]",
        because="2 * window is even: its last bit is free, and setting it adds 1",
    ),
    Equivalent(
        "noise_probs",
        "if raised.sum() <= 0:",
        because="a count is never below 0, so neither is the sum of their powers",
    ),
]
