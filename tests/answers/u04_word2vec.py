"""Right and wrong answers to the exercises of unit 04."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from autograder.verification.answer_bank import Equivalent, right, wrong

# --- one_hot


@right("one_hot")
def rows_of_the_identity(ids, vocab_size):
    if ids and not (min(ids) >= 0 and max(ids) < vocab_size):
        raise ValueError("ids")
    return np.eye(vocab_size, dtype=np.float32)[np.array(ids, dtype=int)]


@right("one_hot")
def torchs_one_hot(ids, vocab_size):
    if any(i < 0 or i >= vocab_size for i in ids):
        raise ValueError("ids")
    return F.one_hot(torch.tensor(ids, dtype=torch.long), vocab_size)


@wrong("one_hot", hint="a row of its own")
def one_row_for_all(ids, vocab_size):
    rows = np.zeros((len(ids), vocab_size))
    for i in ids:
        if not 0 <= i < vocab_size:
            raise ValueError("ids")
        rows[0, i] = 1
    return rows


@wrong("one_hot", hint="index row and column together")
def columns_of_ones(ids, vocab_size):
    if any(not 0 <= i < vocab_size for i in ids):
        raise ValueError("ids")
    rows = np.zeros((len(ids), vocab_size))
    rows[:, ids] = 1
    return rows


@wrong("one_hot", hint="numpy takes -1")
def accepts_negative_ids(ids, vocab_size):
    if any(i >= vocab_size for i in ids):
        raise ValueError("ids")
    rows = np.zeros((len(ids), vocab_size))
    rows[np.arange(len(ids)), ids] = 1
    return rows


@wrong("one_hot", hint="the other way round")
def words_as_rows(ids, vocab_size):
    if any(not 0 <= i < vocab_size for i in ids):
        raise ValueError("ids")
    rows = np.zeros((vocab_size, len(ids)))
    rows[ids, np.arange(len(ids))] = 1
    return rows


# --- skipgram_pairs


@right("skipgram_pairs")
def by_steps(tokens, window):
    if window <= 0:
        raise ValueError("window")
    pairs = []
    for i in range(len(tokens)):
        for step in [*range(-window, 0), *range(1, window + 1)]:
            if 0 <= i + step < len(tokens):
                pairs.append([tokens[i], tokens[i + step]])
    return pairs


@right("skipgram_pairs")
def by_slices(tokens, window):
    if window < 1:
        raise ValueError("window")
    return [
        (centre, other)
        for i, centre in enumerate(tokens)
        for other in [*tokens[max(i - window, 0) : i], *tokens[i + 1 : i + 1 + window]]
    ]


@wrong("skipgram_pairs", hint="the context is on both sides")
def only_to_the_right(tokens, window):
    if window < 1:
        raise ValueError("window")
    return [(t, other) for i, t in enumerate(tokens) for other in tokens[i + 1 : i + 1 + window]]


@wrong("skipgram_pairs", hint="last word of the window is missing")
def range_too_short(tokens, window):
    if window < 1:
        raise ValueError("window")
    pairs = []
    for i in range(len(tokens)):
        for j in range(max(0, i - window), min(len(tokens), i + window)):
            if i != j:
                pairs.append((tokens[i], tokens[j]))
    return pairs


@wrong("skipgram_pairs", hint="the farthest word on the left comes first")
def nearest_neighbours_first(tokens, window):
    if window < 1:
        raise ValueError("window")
    return [
        (tokens[i], tokens[j])
        for i in range(len(tokens))
        for distance in range(1, window + 1)
        for j in (i - distance, i + distance)
        if 0 <= j < len(tokens)
    ]


@wrong("skipgram_pairs", hint="compare places, not words")
def skips_equal_words(tokens, window):
    if window < 1:
        raise ValueError("window")
    n = len(tokens)
    around = [(i, j) for i in range(n) for j in range(max(0, i - window), min(n, i + window + 1))]
    return [(tokens[i], tokens[j]) for i, j in around if tokens[i] != tokens[j]]


@wrong("skipgram_pairs", hint="not in its own context")
def keeps_the_centre(tokens, window):
    if window < 1:
        raise ValueError("window")
    n = len(tokens)
    around = [(i, j) for i in range(n) for j in range(max(0, i - window), min(n, i + window + 1))]
    return [(tokens[i], tokens[j]) for i, j in around]


@wrong("skipgram_pairs", hint="ValueError")
def accepts_any_window(tokens, window):
    n = len(tokens)
    return [(tokens[i], tokens[j]) for i in range(n) for j in range(n) if 0 < abs(i - j) <= window]


# --- cbow_batch


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


def _cbow(ids, window, row, fill=-1):
    if window < 1:
        raise ValueError("window")
    padded = [fill] * window + list(ids) + [fill] * window
    rows = [row(padded, i + window) for i in range(len(ids))]
    return np.array(rows, dtype=int).reshape(len(ids), 2 * window), np.array(ids, dtype=int)


@wrong("cbow_batch", hint="left half is reversed")
def nearest_first(ids, window):
    w = window
    return _cbow(ids, w, lambda p, i: p[i - w : i][::-1] + p[i + 1 : i + w + 1])


@wrong("cbow_batch", hint="0 is the id of a word")
def fills_with_zero(ids, window):
    w = window
    return _cbow(ids, w, lambda p, i: p[i - w : i] + p[i + 1 : i + w + 1], fill=0)


@wrong("cbow_batch", hint="not at the end of the row")
def fills_at_the_end(ids, window):
    def row(padded, i):
        found = padded[i - window : i] + padded[i + 1 : i + window + 1]
        found = [x for x in found if x != -1]
        return found + [-1] * (2 * window - len(found))

    return _cbow(ids, window, row)


@wrong("cbow_batch", hint="negative places wrap around")
def wraps_around(ids, window):
    if window < 1:
        raise ValueError("window")
    steps = [*range(-window, 0), *range(1, window + 1)]
    rows = [[ids[(i + s) % len(ids)] for s in steps] for i in range(len(ids))]
    return np.array(rows, dtype=int).reshape(-1, 2 * window), np.array(ids, dtype=int)


@wrong("cbow_batch", hint="whole numbers")
def floats(ids, window):
    w = window
    contexts, centres = _cbow(ids, w, lambda p, i: p[i - w : i] + p[i + 1 : i + w + 1])
    return contexts.astype(float), centres.astype(float)


# --- softmax_skipgram_loss


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


def _softmax(u, v, pairs, stable=True):
    scores = np.array([v @ u[w] for w, _ in pairs])
    top = scores.max(1, keepdims=True) if stable else 0
    with np.errstate(all="ignore"):
        log_sum = np.log(np.exp(scores - top).sum(1, keepdims=True)) + top
        return (log_sum - scores)[np.arange(len(pairs)), [c for _, c in pairs]]


@wrong("softmax_skipgram_loss", hint="largest score of each row")
def one_maximum_for_all_rows(centre_vectors, context_vectors, pairs):
    centres, contexts = np.array(pairs).T
    scores = centre_vectors[centres] @ context_vectors.T
    scores = scores - scores.max()
    with np.errstate(all="ignore"):
        logs = scores[np.arange(len(pairs)), contexts] - np.log(np.exp(scores).sum(1))
    return -logs.mean()


@wrong("softmax_skipgram_loss", hint="overflows")
def overflows(centre_vectors, context_vectors, pairs):
    return _softmax(centre_vectors, context_vectors, pairs, stable=False).mean()


@wrong("softmax_skipgram_loss", hint="return the mean")
def sums_the_pairs(centre_vectors, context_vectors, pairs):
    return _softmax(centre_vectors, context_vectors, pairs).sum()


@wrong("softmax_skipgram_loss", hint="one table for both words")
def one_table(centre_vectors, context_vectors, pairs):
    return _softmax(centre_vectors, centre_vectors, pairs).mean()


@wrong("softmax_skipgram_loss", hint="tables are swapped")
def swapped_tables(centre_vectors, context_vectors, pairs):
    return _softmax(context_vectors, centre_vectors, pairs).mean()


@wrong("softmax_skipgram_loss", hint="sign is wrong")
def log_probability(centre_vectors, context_vectors, pairs):
    return -_softmax(centre_vectors, context_vectors, pairs).mean()


@wrong("softmax_skipgram_loss", hint="over all context words")
def sums_over_the_centres(centre_vectors, context_vectors, pairs):
    losses = []
    for w, c in pairs:
        scores = centre_vectors @ context_vectors[c]
        losses.append(np.log(np.exp(scores).sum()) - scores[w])
    return np.mean(losses)


@wrong("softmax_skipgram_loss", hint="in bits")
def in_bits(centre_vectors, context_vectors, pairs):
    return _softmax(centre_vectors, context_vectors, pairs).mean() / math.log(2)


# --- noise_probs


@right("noise_probs")
def through_logarithms(counts, power=0.75):
    if not any(counts):
        raise ValueError("counts")
    with np.errstate(divide="ignore"):
        logs = power * np.log(np.array(counts, dtype=float))
    return torch.softmax(torch.from_numpy(logs), 0)


@right("noise_probs")
def word_by_word(counts, power=0.75):
    total = sum(float(c) ** power for c in counts)
    if total <= 0:
        raise ValueError("counts")
    return np.array([float(c) ** power / total for c in counts])


@wrong("noise_probs", hint="to the power first")
def plain_shares(counts, power=0.75):
    counts = np.array(counts, dtype=float)
    if counts.sum() == 0:
        raise ValueError("counts")
    return counts / counts.sum()


@wrong("noise_probs", hint="sum of the raised counts")
def divides_by_the_plain_sum(counts, power=0.75):
    counts = np.array(counts, dtype=float)
    if counts.sum() == 0:
        raise ValueError("counts")
    return counts**power / counts.sum()


@wrong("noise_probs", hint="First the power, then the division")
def power_of_the_shares(counts, power=0.75):
    counts = np.array(counts, dtype=float)
    if counts.sum() == 0:
        raise ValueError("counts")
    return (counts / counts.sum()) ** power


@wrong("noise_probs", hint="Use the argument `power`")
def power_fixed(counts, power=0.75):
    raised = np.array(counts, dtype=float) ** 0.75
    if raised.sum() == 0:
        raise ValueError("counts")
    return raised / raised.sum()


@wrong("noise_probs", hint="nothing to draw")
def divides_zero_by_zero(counts, power=0.75):
    raised = np.array(counts, dtype=float) ** power
    with np.errstate(invalid="ignore"):
        return raised / raised.sum()


# --- negative_sampling_loss


@right("negative_sampling_loss")
def torchs_logsigmoid(centre_vectors, context_vectors, pairs, negatives):
    u, v = (torch.as_tensor(t).double() for t in (centre_vectors, context_vectors))
    centres, contexts = torch.tensor(pairs).T
    false = v[torch.tensor(negatives, dtype=torch.long).reshape(len(pairs), -1)]
    true_terms = F.logsigmoid((u[centres] * v[contexts]).sum(1))
    false_terms = F.logsigmoid(-torch.einsum("nd,nkd->nk", u[centres], false)).sum(1)
    return -(true_terms + false_terms).mean()


@right("negative_sampling_loss")
def questions_one_by_one(centre_vectors, context_vectors, pairs, negatives):
    def minus_log_sigmoid(x):
        return max(-x, 0.0) + math.log1p(math.exp(-abs(x)))

    total = 0.0
    for (w, c), drawn in zip(pairs, negatives, strict=True):
        total += minus_log_sigmoid(float(centre_vectors[w] @ context_vectors[c]))
        for n in drawn:
            total += minus_log_sigmoid(-float(centre_vectors[w] @ context_vectors[n]))
    return total / len(pairs)


def _sampling(u, v, pairs, negatives, sign=-1, join=sum, soft=None):
    soft = soft or (lambda x: np.logaddexp(0, -x))
    return np.array(
        [
            soft(u[w] @ v[c]) + join([soft(sign * (u[w] @ v[n])) for n in drawn])
            for (w, c), drawn in zip(pairs, negatives, strict=True)
        ]
    )


@wrong("negative_sampling_loss", hint="should get a low score")
def noise_as_true_pairs(centre_vectors, context_vectors, pairs, negatives):
    return _sampling(centre_vectors, context_vectors, pairs, negatives, sign=1).mean()


@wrong("negative_sampling_loss", hint="summed, not averaged")
def averages_the_noise(centre_vectors, context_vectors, pairs, negatives):
    join = lambda terms: np.mean(terms) if terms else 0.0  # noqa: E731
    return _sampling(centre_vectors, context_vectors, pairs, negatives, join=join).mean()


@wrong("negative_sampling_loss", hint="use np.logaddexp")
def logarithm_of_nothing(centre_vectors, context_vectors, pairs, negatives):
    def soft(x):
        with np.errstate(all="ignore"):
            return -np.log(1 / (1 + np.exp(-x)))

    return _sampling(centre_vectors, context_vectors, pairs, negatives, soft=soft).mean()


@wrong("negative_sampling_loss", hint="noise terms are missing")
def true_pairs_only(centre_vectors, context_vectors, pairs, negatives):
    return _sampling(centre_vectors, context_vectors, pairs, [[] for _ in pairs]).mean()


@wrong("negative_sampling_loss", hint="its vector is in context_vectors")
def noise_words_as_centres(centre_vectors, context_vectors, pairs, negatives):
    losses = []
    for (w, c), drawn in zip(pairs, negatives, strict=True):
        false = sum(np.logaddexp(0, centre_vectors[n] @ context_vectors[c]) for n in drawn)
        losses.append(np.logaddexp(0, -centre_vectors[w] @ context_vectors[c]) + false)
    return np.mean(losses)


@wrong("negative_sampling_loss", hint="counts twice")
def noise_as_a_set(centre_vectors, context_vectors, pairs, negatives):
    return _sampling(centre_vectors, context_vectors, pairs, [set(d) for d in negatives]).mean()


@wrong("negative_sampling_loss", hint="return the mean")
def sums_over_the_pairs(centre_vectors, context_vectors, pairs, negatives):
    return _sampling(centre_vectors, context_vectors, pairs, negatives).sum()


# --- nearest


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


def _ranked(scores, index, n):
    return [int(i) for i in np.argsort(-scores) if i != index][:n]


@wrong("nearest", hint="leave `index` out by its id")
def takes_itself_to_be_first(vectors, index, n):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.argsort(-(unit @ unit[index]))[1 : n + 1].tolist()


@wrong("nearest", hint="divide by the lengths")
def dot_products(vectors, index, n):
    return _ranked(vectors @ vectors[index], index, n)


@wrong("nearest", hint="leave it out")
def itself_included(vectors, index, n):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.argsort(-(unit @ unit[index]))[:n].tolist()


@wrong("nearest", hint="largest cosine down")
def least_similar(vectors, index, n):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return _ranked(-(unit @ unit[index]), index, n)


@wrong("nearest", hint="nearest by distance")
def by_distance(vectors, index, n):
    return _ranked(-np.linalg.norm(vectors - vectors[index], axis=1), index, n)


@wrong("nearest", hint="not the cosines")
def returns_the_cosines(vectors, index, n):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = np.delete(unit @ unit[index], index)
    return sorted(cosines.tolist(), reverse=True)[:n]


# --- analogy


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


def _analogy(vectors, aim, excluded):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = unit @ aim
    scores[list(excluded)] = -np.inf
    return int(scores.argmax())


def _units(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@wrong("analogy", hint="exclude a, b and c")
def question_words_allowed(vectors, a, b, c):
    unit = _units(vectors)
    return _analogy(vectors, unit[b] - unit[a] + unit[c], ())


@wrong("analogy", hint="the step goes from a to b")
def step_backwards(vectors, a, b, c):
    unit = _units(vectors)
    return _analogy(vectors, unit[a] - unit[b] + unit[c], (a, b, c))


@wrong("analogy", hint="before you add")
def adds_unscaled_rows(vectors, a, b, c):
    return _analogy(vectors, vectors[b] - vectors[a] + vectors[c], (a, b, c))


@wrong("analogy", hint="exclude a, b and c")
def excludes_one_only(vectors, a, b, c):
    unit = _units(vectors)
    return _analogy(vectors, unit[b] - unit[a] + unit[c], (b,))


@wrong("analogy", hint="exclude a, b and c")
def forgets_to_exclude_a(vectors, a, b, c):
    unit = _units(vectors)
    return _analogy(vectors, unit[b] - unit[a] + unit[c], (b, c))


@wrong("analogy", hint="not 0")
def excluded_get_zero(vectors, a, b, c):
    unit = _units(vectors)
    scores = unit @ (unit[b] - unit[a] + unit[c])
    scores[[a, b, c]] = 0
    return int(scores.argmax())


# --- association_bias


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


def _weat(x, y, a, b, scale=True, spread=lambda s, t: np.std([*s, *t], ddof=1), mean=np.mean):
    if scale:
        x, y, a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (x, y, a, b))
    s, t = ((v @ a.T).mean(1) - (v @ b.T).mean(1) for v in (x, y))
    return (mean(s) - mean(t)) / spread(s, t)


@wrong("association_bias", hint="ddof=1")
def population_deviation(x, y, a, b):
    return _weat(x, y, a, b, spread=lambda s, t: np.std([*s, *t]))


@wrong("association_bias", hint="Use cosines")
def plain_dot_products(x, y, a, b):
    return _weat(x, y, a, b, scale=False)


@wrong("association_bias", hint="not the cosine with the mean")
def cosine_with_the_mean(x, y, a, b):
    a, b = (_units(rows.mean(0, keepdims=True)) for rows in (a, b))
    of_x, of_y = ((_units(v) @ (a - b).T)[:, 0] for v in (x, y))
    return (of_x.mean() - of_y.mean()) / np.append(of_x, of_y).std(ddof=1)


@wrong("association_bias", hint="Divide by the standard deviation")
def difference_only(x, y, a, b):
    return _weat(x, y, a, b, spread=lambda s, t: 1.0)


@wrong("association_bias", hint="X minus Y, and A minus B")
def swapped_sets(x, y, a, b):
    return _weat(y, x, a, b)


@wrong("association_bias", hint="take its square root")
def divides_by_the_variance(x, y, a, b):
    return _weat(x, y, a, b, spread=lambda s, t: np.var([*s, *t], ddof=1))


@wrong("association_bias", hint="they may differ in size")
def sums_the_sets(x, y, a, b):
    return _weat(x, y, a, b, mean=np.sum)


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
