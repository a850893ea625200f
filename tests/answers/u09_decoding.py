"""Right and wrong answers to the exercises of unit 09: some whole, most as edits of a solution."""

import math

import numpy as np
import torch

from autograder.verification.answer_bank import RIGHT, Equivalent, Unseen, edited, right
from llmcourse.checks import u09_search as search
from llmcourse.checks import u09_speculative as speculative

# Functions of the notebook, called by their names.
log_softmax, draw = search.log_softmax, speculative.draw


# --- right answers that share no line with the solutions


@right("greedy")
def greedy_in_a_loop(next_logits, prompt, n, end):
    text = list(prompt)
    for _ in range(n):
        logits = list(next_logits(text))
        text.append(logits.index(max(logits)))
        if text[-1] == end:
            break
    return text[len(prompt) :]


@right("greedy")
def greedy_recursive(next_logits, prompt, n, end):
    def more(text, left):
        if left == 0:
            return []
        first = int(next_logits(text).argmax())
        return [first] if first == end else [first, *more((*text, first), left - 1)]

    return np.array(more(tuple(prompt), n), dtype=int)


@right("temperature_logits")
def temperature_by_product(logits, temperature):
    if not temperature > 0:
        raise ValueError("a temperature is above 0")
    return np.multiply(logits, 1 / temperature)


@right("temperature_logits")
def temperature_in_torch(logits, temperature):
    if temperature <= 0:
        raise ValueError
    return torch.tensor(logits) / temperature


@right("top_k_filter")
def top_k_by_ranks(logits, k):
    ranks = np.argsort(np.argsort(-logits, axis=1, kind="stable"), axis=1)
    return np.where(ranks < k, logits, -np.inf)


@right("top_k_filter")
def top_k_in_lists(logits, k):
    rows = []
    for row in logits.tolist():
        stay = sorted(range(len(row)), key=lambda i, row=row: (-row[i], i))[:k]
        rows.append([z if i in stay else -math.inf for i, z in enumerate(row)])
    return rows


@right("top_p_filter")
def top_p_whole_array(logits, p):
    order = np.argsort(-logits, axis=1, kind="stable")
    e = np.exp(np.take_along_axis(logits, order, 1) - logits.max(axis=1, keepdims=True))
    before = (np.cumsum(e, axis=1) - e) / e.sum(axis=1, keepdims=True)
    out = np.full_like(logits, -np.inf)
    np.put_along_axis(
        out, order, np.where(before < p, np.take_along_axis(logits, order, 1), -np.inf), 1
    )
    return out


@right("top_p_filter")
def top_p_in_torch(logits, p):
    z = torch.tensor(logits)
    ordered, order = z.sort(dim=-1, descending=True, stable=True)
    probs = ordered.softmax(-1)
    removed = probs.cumsum(-1) - probs >= p
    removed[:, 0] = False
    return z.masked_fill(removed.scatter(-1, order, removed), -math.inf)


@right("repetition_penalty")
def penalty_with_a_mask(logits, ids, penalty):
    seen = np.zeros(logits.shape, bool)
    for b in range(len(ids)):
        seen[b, ids[b]] = True
    factor = np.where(logits > 0, 1 / penalty, penalty)
    return logits * np.where(seen, factor, 1)


@right("repetition_penalty")
def penalty_in_torch(logits, ids, penalty):
    z, index = torch.tensor(logits), torch.tensor(ids, dtype=torch.long)
    score = torch.gather(z, 1, index)
    return z.scatter(1, index, torch.where(score < 0, score * penalty, score / penalty))


@right("beam_search")
def beams_as_tuples(next_logits, prompt, width, n, end, alpha):
    open_texts, done = [((), 0.0)], []
    for _ in range(n):
        candidates = [
            ((*ids, i), total + logp)
            for ids, total in open_texts
            for i, logp in enumerate(
                torch.log_softmax(torch.tensor(next_logits([*prompt, *ids])), 0).tolist()
            )
        ]
        best = sorted(candidates, key=lambda c: c[1], reverse=True)[:width]
        open_texts = []
        for ids, total in best:
            (done if ids[-1] == end else open_texts).append((ids, total))
        if not open_texts:
            break
    pairs = [(list(ids), t / len(ids) ** alpha if ids else t) for ids, t in done + open_texts]
    pairs.sort(key=lambda pair: pair[1], reverse=True)
    return pairs


@right("beam_search")
def beams_in_arrays(next_logits, prompt, width, n, end, alpha):
    ids, totals, over = [[]], np.zeros(1), []
    for _ in range(n):
        if not ids:
            break
        step = np.stack([log_softmax(next_logits(list(prompt) + one)) for one in ids])
        flat = (totals[:, None] + step).ravel()
        best = np.argsort(-flat, kind="stable")[:width]
        rows, tokens = np.divmod(best, step.shape[1])
        longer = [[*ids[r], int(t)] for r, t in zip(rows, tokens, strict=True)]
        over += [(x, flat[b]) for x, b in zip(longer, best, strict=True) if x[-1] == end]
        alive = [j for j, x in enumerate(longer) if x[-1] != end]
        ids, totals = [longer[j] for j in alive], flat[best[alive]]
    over += list(zip(ids, totals, strict=True))
    return sorted(
        [[x, float(t) / max(len(x), 1) ** alpha] for x, t in over], key=lambda pair: -pair[1]
    )


@right("cached_attention")
def attention_in_torch(params, x, cache=None):
    p = {name: torch.tensor(value) for name, value in params.items()}
    x = torch.tensor(x)
    k, v = x @ p["W_k"].T, x @ p["W_v"].T
    S = 0
    if cache is not None:
        S = cache[0].shape[1]
        k = torch.cat([torch.tensor(cache[0]), k], 1)
        v = torch.cat([torch.tensor(cache[1]), v], 1)
    mask = torch.ones(x.shape[1], k.shape[1], dtype=torch.bool).tril(S)
    out = torch.nn.functional.scaled_dot_product_attention(x @ p["W_q"].T, k, v, attn_mask=mask)
    return [out @ p["W_o"].T, [k, v]]


@right("cached_attention")
def attention_one_position_at_a_time(params, x, cache=None):
    D = len(params["W_q"])
    keys = [] if cache is None else [cache[0][:, s] for s in range(cache[0].shape[1])]
    values = [] if cache is None else [cache[1][:, s] for s in range(cache[1].shape[1])]
    outs = []
    for t in range(x.shape[1]):
        q = x[:, t] @ params["W_q"].T
        keys.append(x[:, t] @ params["W_k"].T)
        values.append(x[:, t] @ params["W_v"].T)
        scores = np.stack([(q * k).sum(axis=1) for k in keys], axis=1) / D**0.5
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights = e / e.sum(axis=1, keepdims=True)
        mixed = sum(weights[:, s, None] * v for s, v in enumerate(values))
        outs.append(mixed @ params["W_o"].T)
    return np.stack(outs, 1), (np.stack(keys, 1), np.stack(values, 1))


@right("speculative_decode")
def speculate_with_else(target, draft, prompt, n, k, uniform):
    new = []
    while len(new) < n:
        guesses, before = [], []
        for _ in range(k):
            before.append(np.array(draft([*prompt, *new, *guesses])))
            guesses.append(draw(before[-1], uniform()))
        rows = target([*prompt, *new], guesses)
        for x, p, q in zip(guesses, rows[:-1], before, strict=True):
            if uniform() * q[x] >= p[x]:
                residual = (p - q).clip(min=0)
                new.append(draw(residual / residual.sum(), uniform()))
                break
            new.append(x)
        else:
            new.append(draw(rows[-1], uniform()))
    return np.array(new[:n], dtype=int)


@right("speculative_decode")
def speculate_with_a_helper(target, draft, prompt, n, k, uniform):
    def one_round(text):
        q, guesses = [], []
        while len(guesses) < k:
            q += [draft(text + guesses)]
            guesses += [draw(q[-1], uniform())]
        p = np.asarray(target(text, guesses))
        for i in range(k):
            x = guesses[i]
            if not uniform() < min(1.0, p[i, x] / q[i][x]):
                rest = np.where(p[i] > q[i], p[i] - q[i], 0.0)
                return [*guesses[:i], draw(rest / sum(rest), uniform())]
        return [*guesses, draw(p[k], uniform())]

    text, length = list(prompt), len(prompt)
    while len(text) - length < n:
        text = text + one_round(text)
    return tuple(text[length : length + n])


def expected(logits, temperature, p):
    z = np.asarray(logits) / temperature
    e = np.exp(z - z.max())
    probs, order = e / e.sum(), np.argsort(-z)
    keep = order[: int((np.cumsum(probs[order]) < p).sum()) + 1]
    want = np.zeros(len(z))
    want[keep] = probs[keep]
    return want / want.sum()


@right("test_sampler")
def by_chi_square(sampler):
    logits, draft = np.array([0.3, 2.0, -0.5, 1.2, 0.9, -1.0]), np.full(6, 1 / 6)
    for seed, (temperature, p) in enumerate([(0.6, 0.9), (1.8, 0.85), (1.8, 0.5), (1.0, 0.55)]):
        want, n = expected(logits, temperature, p), 30_000
        counts = np.bincount(np.asarray(sampler(logits, draft, temperature, p, n, seed)),
                             minlength=6)  # fmt: skip
        assert counts[want == 0].sum() == 0
        some = want > 0
        assert ((counts[some] - n * want[some]) ** 2 / (n * want[some])).sum() < 50
    return True


@right("test_sampler")
def by_total_variation(sampler):
    rng = np.random.default_rng(0)
    for _ in range(12):
        logits, draft = rng.normal(0, 1.2, 5), rng.dirichlet(np.ones(5)) + 0.01
        draft /= draft.sum()
        temperature, p = rng.choice([0.4, 2.5]), rng.uniform(0.4, 0.9)
        ids = list(sampler(logits, draft, float(temperature), float(p), 20_000, 7))
        got = np.array([ids.count(i) for i in range(5)]) / 20_000
        if abs(got - expected(logits, temperature, p)).sum() > 0.05:
            return False
    return True


# --- solutions with one thing changed

KEPT = "p[kept][guesses[kept]] / q[kept][guesses[kept]]"
RESIDUAL = "np.maximum(p[kept] - q[kept], 0)"
EDITS = {
    "greedy": [
        ("without the prompt", ("return ids", "return prompt + ids")),
        ("end token is the last", ("return ids", "return [i for i in ids if i != end]")),
        ("Stop after the end token", (" and end not in ids", "")),
        ("next_logits must see it", ("next_logits(prompt + ids)", "next_logits(prompt)")),
        ("the prompt included", ("next_logits(prompt + ids)", "next_logits(ids)")),
        ("take the lowest id", ("int(np.argmax(next_logits(prompt + ids)))",
                                "int(11 - np.argmax(next_logits(prompt + ids)[::-1]))")),
        ("n new ids are allowed", ("len(ids) < n", "len(ids) < n - 1")),
        ("At most n new ids", ("len(ids) < n and ", "")),
        ("asked next_logits again", ("    return ids",
                                     "    next_logits(prompt + ids)\n    return ids")),
        ("largest logit", ("argmax", "argmin")),
        ("changed its argument", ("ids = []", "prompt.append(end)\n    ids = []")),
    ],
    "temperature_logits": [
        (RIGHT, ("temperature <= 0", "not temperature > 0")),
        ("Divide by the temperature", ("logits / temp", "logits * temp")),
        ("not probabilities", ("return logits / temperature",
         "e = np.exp(logits / temperature)\n    return e / e.sum(axis=1, keepdims=True)")),
        ("no influence", ("return logits / temperature", "return logits")),
        ("Raise ValueError", ("temperature <= 0", "temperature < 0")),
        ("Raise ValueError", ("temperature <= 0", "temperature is None")),
        ("changed its argument", ("return logits / temperature",
                           "logits /= temperature\n    return logits")),
    ],
    "top_k_filter": [
        (RIGHT, ("-np.inf)", "-math.inf)")),
        ("not the smallest", ("argsort(-logits", "argsort(logits")),
        ("Exactly k tokens stay", ("filtered[row, best] = logits[row, best]",
         "stay = logits[row] >= logits[row, best[-1]]\n"
         "        filtered[row, stay] = logits[row, stay]")),
        ("kind='stable'", ("np.argsort(-logits, axis=1, kind=\"stable\")",
                           "np.argsort(logits, axis=1, kind=\"stable\")[:, ::-1]")),
        ("one fewer", ("[:, :k]", "[:, : k - 1]")),
        ("one more", ("[:, :k]", "[:, : k + 1]")),
        ("-inf", ("-np.inf", "0.0")),
        ("not probabilities", ("    return filtered", "    e = np.exp(filtered)\n"
                               "    return e / e.sum(axis=1, keepdims=True)")),
        ("the first k of the row", ("filtered[row, best] = logits[row, best]",
                                    "filtered[row, :k] = logits[row, :k]")),
        ("along the last axis", ("axis=1", "axis=0")),
        ("changed its argument", ("np.full(logits.shape, -np.inf)", "logits"),
         ("filtered[row, best] = logits[row, best]",
          "filtered[row, np.setdiff1d(order[row], best)] = -np.inf")),
    ],
    "top_p_filter": [
        (RIGHT, ("z[order[0]]", "z.max()")),
        ("crosses p stays", ("(np.cumsum(e) - e)", "np.cumsum(e)")),
        ("crosses p stays", ("kept = order[before < p]",
                             "kept = order[: max(1, int((before + e / e.sum() < p).sum()))]")),
        ("p is no threshold", ("before < p", "e / e.sum() >= p")),
        ("downwards", ("np.argsort(-z, kind=\"stable\")", "np.argsort(z, kind=\"stable\")")),
        ("kind='stable'", ("np.argsort(-z, kind=\"stable\")",
                           "np.argsort(z, kind=\"stable\")[::-1]")),
        ("which RANKS stay", ("order[before < p]", "np.flatnonzero(before < p)")),
        ("Sort the tokens", ("np.argsort(-z, kind=\"stable\")", "np.arange(len(z))")),
        ("-inf", ("-np.inf", "0.0")),
        ("are not changed", ("filtered[row, kept] = z[kept]",
         "filtered[row, kept] = z[kept] - np.log(np.exp(z[kept]).sum())")),
        ("overflow", ("np.exp(z[order] - z[order[0]])", "np.exp(z[order])")),
        ("not probabilities", ("    return filtered", "    e = np.exp(filtered)\n"
                               "    return e / e.sum(axis=1, keepdims=True)")),
        ("changed its argument", ("    return filtered",
                                  "    logits[:] = filtered\n    return logits")),
    ],
    "repetition_penalty": [
        (RIGHT, ("z > 0, z", "z >= 0, z")),
        ("multiply negative", ("np.where(z > 0, z / penalty, z * penalty)", "z / penalty")),
        ("divide positive", ("np.where(z > 0, z / penalty, z * penalty)", "z * penalty")),
        ("both become smaller", ("z > 0", "z <= 0")),
        ("Negative logits change", ("z * penalty)", "z)")),
        ("counts once", ("z = logits[row, seen]\n        penalised[row, seen] = "
                         "np.where(z > 0, z / penalty, z * penalty)",
                         "for i in seen:\n            z = penalised[row, i]\n            "
                         "penalised[row, i] = z / penalty if z > 0 else z * penalty")),
        ("Row b", ("enumerate(ids)", "enumerate([ids.ravel()] * len(ids))")),
        ("not only the last", ("enumerate(ids)", "enumerate(ids[:, -1:])")),
        ("nothing is subtracted", ("np.where(z > 0, z / penalty, z * penalty)", "z - penalty")),
        ("not removed", ("np.where(z > 0, z / penalty, z * penalty)", "-np.inf")),
        ("changed its argument", ("logits.copy()", "logits")),
    ],
    "beam_search": [
        ("Add log-probabilities", ("log_softmax(next_logits(prompt + ids))",
                                   "next_logits(prompt + ids)")),
        ("not probabilities", ("log_softmax(next_logits(prompt + ids))",
                               "np.exp(log_softmax(next_logits(prompt + ids)))")),
        ("LARGEST", ("longer.sort(key=lambda pair: -pair[1])",
                     "longer.sort(key=lambda pair: pair[1])")),
        ("is not continued", ("if pair[0][-1] == end]", "if False]"),
         ("if pair[0][-1] != end]", "]")),
        ("still open", ("in over + still]", "in over]")),
        ("end token, too", ("max(1, len(ids))", "max(1, len(ids) - (ids[-1:] == [end]))")),
        ("Divide the sum by L", (" / max(1, len(ids)) ** alpha", "")),
        ("not by L", ("** alpha", "")),
        ("do not multiply", ("total / max", "total * max")),
        ("Best first", ("sorted(scored, key=lambda pair: -pair[1])",
                        "sorted(scored, key=lambda pair: pair[1])")),
        ("stays in the ids", ("sorted(scored, key=lambda pair: -pair[1])",
         "[([i for i in x if i != end], s) for x, s in sorted(scored, key=lambda c: -c[1])]")),
        ("not only the best", ("sorted(scored, key=lambda pair: -pair[1])",
                               "sorted(scored, key=lambda pair: -pair[1])[:1]")),
        ("not only `width`", ("sorted(scored, key=lambda pair: -pair[1])",
                              "sorted(scored, key=lambda pair: -pair[1])[:width]")),
        ("without the prompt", ("sorted(scored, key=lambda pair: -pair[1])",
         "[(prompt + x, s) for x, s in sorted(scored, key=lambda c: -c[1])]")),
        ("takes no place", ("longer[:width]", "longer[: width - before]"),
         ("        over +=", "        before = len(over)\n        over +=")),
        ("of ALL candidates", ("enumerate(step)]",
         "sorted(enumerate(step), key=lambda c: -c[1])[:width]]"), ("longer[:width]", "longer")),
        ("after the first end", ("        still = [pair", "        if over:\n            still = "
         "[pair for pair in longer[:width] if pair[0][-1] != end]\n            break\n"
         "        still = [pair")),
    ],
    "cached_attention": [
        (RIGHT, ("np.concatenate([old, new], axis=1)", "np.hstack((old, new))")),
        ("come BEHIND", ("[old, new]", "[new, old]")),
        ("no influence", ("if cache is not None", "if False")),
        ("must not see later", ("np.where(np.tri(T, S + T, S, dtype=bool), scores, -np.inf)",
                                "scores")),
        ("sees the whole cache", ("np.tri(T, S + T, S, ", "np.tri(T, S + T, 0, ")),
        ("sees itself", ("np.tri(T, S + T, S, ", "np.tri(T, S + T, S - 1, ")),
        ("Divide the scores by sqrt", (" / math.sqrt(q.shape[2])", "")),
        ("ROOT of D", ("math.sqrt(q.shape[2])", "q.shape[2]")),
        ("not of C", ("q.shape[2])", "x.shape[2])")),
        ("times W_o", (' @ params["W_o"].T', "")),
        ("in this order", (", (k, v)\n", ", (v, k)\n")),
        ("not the keys", ("q, k, v = (x @ params[name].T for name in (\"W_q\", \"W_k\", \"W_v\"))",
                          "q, k = (x @ params[name].T for name in (\"W_q\", \"W_k\"))\n    v = k")),
        ("holds the old keys", (", (k, v)\n", ", (k[:, S:], v[:, S:])\n")),
        ("changed its argument", ("    T, S", "    x += 1\n    T, S")),
    ],
    "speculative_decode": [
        (RIGHT, ("rest / rest.sum()", "rest / np.sum(rest)")),
        ("Not every guess", (f"while kept < k and uniform() < {KEPT}",
                             "while kept < k and uniform() < 2")),
        ("over the draft's", (KEPT, "q[kept][guesses[kept]] / p[kept][guesses[kept]]")),
        ("not p(x)", (KEPT, "p[kept][guesses[kept]]")),
        ("p(x) < q(x) is accepted", (f"uniform() < {KEPT}",
                                     f"(uniform() < 2) * ({KEPT}) >= 1")),
        ("not from p", (RESIDUAL, "p[kept]")),
        ("not from q", (RESIDUAL, "q[kept]")),
        ("not max(q - p, 0)", (RESIDUAL, "np.maximum(q[kept] - p[kept], 0)")),
        ("negative differences", (RESIDUAL, "np.abs(p[kept] - q[kept])")),
        ("Divide the residual", ("rest / rest.sum()", "rest")),
        ("its own guesses", ("draft(text + guesses)", "draft(text)")),
        ("exactly n ids", ("[:n]", "")),
        ("draw one more token", ("text += [*guesses[:kept], draw(rest / rest.sum(), uniform())]",
         "last = [draw(rest / rest.sum(), uniform())] if kept < k else []\n"
         "        text += guesses[:kept] + last")),
        ("changed its argument", ("text = list(prompt)",
                                  "text = list(prompt)\n    prompt.append(0)")),
    ],
    "test_sampler": [
        ("rejects a right implementation", ("return True", "return False")),
        ("rejects a right implementation", ("> 5 *", "> 0.1 *")),
        ("temperature that is not 1", ("((1.0, 0.6), (0.5, 0.8), (2.0, 0.9), (2.0, 0.6))",
                                       "((1.0, 0.6), (1.0, 0.8))")),
        ("accepts a sampler", ("            return False", "            pass")),
        ("a test returns True or False", ("    return True", "")),
        ("another number of tokens", ("((1.0, 0.6), (0.5, 0.8), (2.0, 0.9), (2.0, 0.6))",
                       "((0.5, 1.0), (2.0, 1.0))")),
        ("raised NameError", ("probs = np.exp", "probs = softmax")),
        ("more than 40 times", ("(2.0, 0.6))", "(2.0, 0.6)) * 20")),
    ],
}  # fmt: skip
globals().update(edited(globals(), EDITS))

SMALL = "small whole numbers are one object in CPython"
EQUIVALENT = [
    Equivalent(
        "greedy", "while len(ids) != n and end not in ids:", because="the length grows by 1 up to n"
    ),
    Equivalent("greedy", "while len(ids) is not n and end not in ids:", because=SMALL),
    Equivalent(
        "top_p_filter", "kept = order[before <= p]", because="no sum in the tests is equal to p"
    ),
    Equivalent(
        "repetition_penalty",
        "penalised[row, seen] = np.where(z >= 0, z / penalty, z * penalty)",
        because="0 stays 0 either way",
    ),
    Equivalent(
        "beam_search",
        "over += [pair for pair in longer[:width] if pair[0][-1] is end]",
        "still = [pair for pair in longer[:width] if pair[0][-1] is not end]",
        because=SMALL,
    ),
    Equivalent(
        "cached_attention",
        "e = np.exp(scores + scores.max(axis=2, keepdims=True))",
        because="a softmax does not depend on a shift; the contract has no large scores",
    ),
    Equivalent(
        "speculative_decode",
        "while kept != k and uniform() < p[kept][guesses[kept]] / q[kept][guesses[kept]]:",
        "rest = p[k] if kept >= k else np.maximum(p[kept] - q[kept], 0)",
        because="kept grows by 1 up to k",
    ),
    Equivalent(
        "speculative_decode",
        "while kept < k and uniform() <= p[kept][guesses[kept]] / q[kept][guesses[kept]]:",
        because="a random number is equal to the ratio with probability 0",
    ),
    Equivalent(
        "speculative_decode",
        "while kept is not k and uniform() < p[kept][guesses[kept]] / q[kept][guesses[kept]]:",
        "rest = p[k] if kept is k else np.maximum(p[kept] - q[kept], 0)",
        because=SMALL,
    ),
    Equivalent(
        "test_sampler",
        "kept = np.where(np.cumsum(probs) - probs <= p, probs, 0)",
        because="no sum in this test is equal to p",
    ),
    Equivalent(
        "test_sampler",
        *(
            f"if (off > 5 * np.sqrt(want {inner} / n)).any():"
            for inner in (
                "* (1 + want)", "* (1 * want)", "* (1 / want)", "* (1 // want)", "* (1 ** want)",
                "/ (1 - want)", "% (1 - want)", "** (1 - want)",
            )
        ),
        because="another tolerance, which still lies between chance and every impostor",
    ),
]  # fmt: skip

IN_THE_GRADER = "the implementations that tell stay in the grader; the visible check has others"
UNSEEN = [
    Unseen("test_sampler", "test_sampler, edit 5: another number of tokens", because=IN_THE_GRADER),
]
