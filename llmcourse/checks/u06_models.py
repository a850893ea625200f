"""Reading in both directions and the two models of unit 06: formulas, mistakes, visible checks.

unit: 06_rnn_lstm
"""

from functools import partial
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, compare, equal, fail, method, noted, raises, visible
from llmcourse.checks.arrays import shaped
from llmcourse.checks.u06_cells import Array, Params, gru, random_arrays, softmax, weights
from llmcourse.checks.u06_judging import ALL_AXES, agrees, arrays_near, called

READOUT = "W has outputs as rows: s @ W.T. And a state is (B, H), with H = W_hh.shape[1]."

# --- bidirectional


def both_inputs(rng: Any, T: int, B: int, inputs: int, H: int) -> Any:
    """Return random parameters of two GRUs, and inputs (T, B, inputs)."""
    f, b = (weights(rng, 3, inputs, H) for _ in range(2))
    return f, b, rng.normal(size=(T, B, inputs))


def states(p: Params, xs: Array, h: Any = None) -> Array:
    """Return the states (T, B, H) of a GRU that starts at h, at zeros without it."""
    h, kept = np.zeros((xs.shape[1], p["W_hh"].shape[1])) if h is None else h, []
    for x in xs:
        h = gru(p, x, h)
        kept.append(h)
    return np.array(kept)


def side_by_side(left: Array, right: Array) -> Array:
    return np.concatenate([left, right], axis=2)


def both(f: Params, b: Params, xs: Array) -> Array:
    return side_by_side(states(f, xs), states(b, xs[::-1])[::-1])


def both_mistakes(f: Params, b: Params, xs: Array) -> list[Mistake]:
    left, from_end, from_start = states(f, xs), states(b, xs[::-1]), states(b, xs)
    gone_on = states(b, xs[::-1], left[-1])[::-1]
    forgetful = [np.array([states(p, x[None])[0] for x in xs]) for p in (f, b)]
    too_early = [np.concatenate([0 * after[:1], after[:-1]]) for after in (left, from_end)]
    return [
        Mistake(side_by_side(left, from_end),
                "Reverse the backward states in time: row t belongs to token t."),
        Mistake(side_by_side(left, from_end[:, :, ::-1]),
                "Reverse the backward states in time, axis 0, not their columns."),
        Mistake(side_by_side(left, from_start), "The second GRU reads from the end: xs[::-1]."),
        Mistake(side_by_side(left, from_start[::-1]),
                "The second GRU reads xs[::-1], and then its states are reversed."),
        Mistake(side_by_side(from_end[::-1], left), "The forward states are in the first columns."),
        Mistake(both(f, f, xs), "Each direction has its own parameters."),
        Mistake(both(b, f, xs), "forward and backward are exchanged."),
        Mistake(side_by_side(left, gone_on),
                "The second GRU starts at zeros, not at the last state of the first."),
        Mistake(side_by_side(*forgetful),
                "h is not carried to the next step: h = gru_cell(params, x, h)."),
        Mistake(side_by_side(too_early[0], too_early[1][::-1]),
                "Store the state after the step, not before it."),
    ]  # fmt: skip


def both_hint(got: Any, want: Array) -> str:
    """Return what to look at, given which half is wrong."""
    rows, H = np.asarray(got, dtype=float), want.shape[2] // 2
    if len(rows) > 1 and (rows[:, :, :H] == rows[0, :, :H]).all():
        return "All rows are equal: append a new array at each step, h = ..., not h[:] = ..."
    if compare(rows[:, :, :H], want[:, :, :H], 1e-5):
        return (
            "The forward half is wrong: is h carried to the next step, and stored after the step? "
            "Does gru_cell pass its own check?"
        )
    return "The backward half is wrong: read xs[::-1], then bring the states into the order of xs."


@visible
def bidirectional(answer):
    rng, what = np.random.default_rng(6), "the result"
    f, b, xs = args = both_inputs(rng, 5, 3, 2, 4)
    got = called(answer, args, product="A state is (B, H), with H = W_hh.shape[1].")
    form = "It is (T, B, 2H), time first."
    arrays_near(got, both(*args), what, form, both_hint, *both_mistakes(*args))
    agrees(answer, both, [(f, b, xs[:, :1])], what, ALL_AXES)
    sizes = ((3, 3, 3, 3), (6, 2, 4, 2), (1, 2, 2, 4), (6, 3, 1, 1), (1, 1, 1, 1))
    agrees(answer, both, (both_inputs(rng, *size) for size in sizes), what)


# --- SequenceTagger


def tagger_inputs(rng: Any, vocab: int, d: int, labels: int, H: int, B: int, T: int) -> Any:
    """Return random parameters of a tagger, and ids (B, T)."""
    p = random_arrays(rng, E=(vocab, d), W=(labels, 2 * H), b=(labels,))
    p |= {"forward": weights(rng, 3, d, H), "backward": weights(rng, 3, d, H)}
    return p, rng.integers(0, vocab, (B, T))


def tag_logits(p: Params, ids: Array) -> Array:
    seen = both(p["forward"], p["backward"], p["E"][ids.T])
    return np.einsum("tbs,ks->btk", seen, p["W"]) + p["b"]


def tagger_mistakes(p: Params, ids: Array) -> list[Mistake]:
    right, width = tag_logits(p, ids), p["W"].shape[1]
    exchanged = p | {"forward": p["backward"], "backward": p["forward"]}
    half = p | {"W": p["W"] * (np.arange(width) < width // 2)}
    return [
        Mistake(tag_logits(exchanged, ids), "forward and backward are exchanged."),
        Mistake(tag_logits(p | {"backward": p["forward"]}, ids),
                "Both GRUs used the same parameters: take forward, then backward."),
        Mistake(tag_logits(half, ids), "Use both halves of the states, 2H numbers."),
        Mistake(np.array([softmax(rows) for rows in right]),
                "Logits are not probabilities: no softmax."),
        Mistake(tag_logits(p, ids.reshape(1, -1)).reshape(right.shape),
                "Each row is a separate sentence, read from a state of zeros."),
        Mistake(right - p["b"], "The bias b is missing."),
        Mistake(tag_logits(p, ids.T).swapaxes(0, 1),
                "Read along time, not along the batch: E[ids.T]."),
        Mistake(right.swapaxes(0, 1).reshape(right.shape),
                "Time and batch are mixed: reshape does not swap axes."),
        Mistake(tag_logits(p, ids.reshape(ids.shape[::-1]).T),
                "The sentences were read in the wrong order: reshape does not swap axes."),
    ]  # fmt: skip


OTHER_MODELS = (
    (5, 3, 2, 4, 3, 4), (4, 2, 3, 3, 3, 3), (7, 1, 2, 2, 1, 5),
    (6, 2, 2, 1, 4, 1), (4, 2, 1, 2, 2, 3), (3, 1, 1, 1, 1, 1),
)  # vocabulary, d, labels, H, B, T  # fmt: skip


@visible
def SequenceTagger(answer):
    def logits_agree(p, ids, **hint):
        logits = partial(method, answer, (p,), "logits")
        agrees(logits, partial(tag_logits, p), [(ids,)], "logits", **hint)

    def tags_agree(p, ids, hint):
        with noted(hint):
            made = method(answer, (p,), "tags", ids)
            shaped(made, ids.shape, "tags", hint)
        largest = tag_logits(p, ids).argmax(2)
        equal(made, largest, hint="The tag is the label with the largest logit.")
        if np.asarray(made).dtype.kind not in "iu":
            fail("tags should be integers, as argmax gives them.")

    rng, ids = np.random.default_rng(7), np.array([[2, 0, 5, 1], [3, 3, 4, 0]])
    p, _ = tagger_inputs(rng, 6, 2, 3, 4, 2, 4)
    got = called(partial(method, answer, (p,), "logits"), (ids,), product=READOUT)
    hint = (
        "The logits are W s + b at each position, with both halves of the state. Does "
        "bidirectional pass its own check?"
    )
    mistakes = tagger_mistakes(p, ids)
    arrays_near(got, tag_logits(p, ids), "logits", "It is (B, T, K).", hint, *mistakes)
    one_label_a_token = "tags returns one label per token: (B, T)."
    tags_agree(p, ids, one_label_a_token)
    logits_agree(p, ids[:1], hint=ALL_AXES)
    tags_agree(p, ids[:1], ALL_AXES)
    for size in OTHER_MODELS:
        p, ids = tagger_inputs(rng, *size)
        logits_agree(p, ids)
        tags_agree(p, ids, one_label_a_token)


# --- SequenceClassifier


def classifier_inputs(rng: Any, vocab: int, d: int, labels: int, H: int, B: int, T: int) -> Any:
    """Return random parameters of a classifier, ids (B, T), and lengths (B,).

    Of two rows or more with two tokens or more the first begins with a real token 0 and is padded.
    """
    p = random_arrays(rng, E=(vocab, d), W=(labels, H), b=(labels,))
    p |= {"gru": weights(rng, 3, d, H)}
    ids, lengths = rng.integers(0, vocab, (B, T)), rng.integers(1, T + 1, B)
    ids[0, 0], lengths[0] = 0, max(1, T - 2)
    return p, ids, lengths


def class_logits(p: Params, pooling: str, ids: Array, lengths: Array, pool: Any = None) -> Array:
    """Return W s + b for each row; pool(states, length, ids != 0), if given, replaces the right
    pooling s."""
    rows = []
    for row, n in zip(ids, lengths, strict=True):
        s = states(p["gru"], p["E"][row][:, None])[:, 0]
        right = s[n - 1] if pooling == "last" else s[:n].mean(axis=0)
        rows.append(p["W"] @ (pool(s, n, row != 0) if pool else right) + p["b"])
    return np.array(rows)


def classifier_mistakes(p: Params, pooling: str, ids: Array, lengths: Array) -> list[Mistake]:
    def pooled(pool: Any) -> Array:
        return class_logits(p, pooling, ids, lengths, pool)

    right = class_logits(p, pooling, ids, lengths)
    padding = "Positions after the end of a row must not count: use lengths."
    token_0 = "Token 0 is an ordinary token: lengths say what is real, not ids != 0."
    of_last = [
        Mistake(lambda s, n, not_0: s[-1], padding),
        Mistake(lambda s, n, not_0: s[not_0.sum() - 1], token_0),
        Mistake(lambda s, n, not_0: s[-1] * (n == len(s)),
                "States that were set to 0 contain nothing: take the one at lengths - 1."),
        Mistake(lambda s, n, not_0: s[:n].mean(axis=0), "last and mean are exchanged."),
        Mistake(lambda s, n, not_0: s[min(n, len(s) - 1)],
                "The last real state is at lengths - 1, not at lengths."),
        Mistake(lambda s, n, not_0: s[n - 2],
                "The last real state is at lengths - 1, not at lengths - 2."),
    ]  # fmt: skip
    of_mean = [
        Mistake(lambda s, n, not_0: s.mean(axis=0), padding),
        Mistake(lambda s, n, not_0: s[not_0].sum(axis=0) / n, token_0),
        Mistake(lambda s, n, not_0: s[not_0].sum(axis=0) / max(1, not_0.sum()),
                "Token 0 is an ordinary token: divide by lengths, not by the number of ids != 0."),
        Mistake(lambda s, n, not_0: s[:n].sum(axis=0) / len(s),
                "The mean is over the real positions: divide by lengths."),
        Mistake(lambda s, n, not_0: s[:n].sum(axis=0), "Take the mean, no sum: divide by lengths."),
        Mistake(lambda s, n, not_0: s[: n + 1].sum(axis=0) / n,
                "Positions are real where t < lengths: you used one too many."),
        Mistake(lambda s, n, not_0: s[: n - 1].sum(axis=0) / n,
                "Positions are real where t < lengths: you used one too few."),
        Mistake(lambda s, n, not_0: s[n - 1], "last and mean are exchanged."),
        Mistake(lambda s, n, not_0: (s[:n].sum(axis=0) + (len(s) - n) * s[n - 1]) / len(s),
                "The last state was added again for each position after the end: sum real ones."),
        Mistake(lambda s, n, not_0: s[:n].max(axis=0), "Take the mean, not the maximum."),
    ]  # fmt: skip
    return [
        *(Mistake(pooled(m.value), m.hint) for m in (of_last if pooling == "last" else of_mean)),
        Mistake(right - p["b"], "The bias b is missing."),
        Mistake(softmax(right), "Logits are not probabilities: no softmax."),
    ]


@visible
def SequenceClassifier(answer):
    def logits_agree(made_from, ids, lengths, **hint):
        p, pooling = (*made_from, "last")[:2]
        logits, right = partial(method, answer, made_from, "logits"), partial(class_logits, p)
        what = f"logits with pooling {pooling}"
        agrees(logits, partial(right, pooling), [(ids, lengths)], what, **hint)

    rng, ids = np.random.default_rng(8), np.array([[2, 0, 5, 1], [3, 3, 4, 0]])
    p, _, lengths = *classifier_inputs(rng, 6, 2, 3, 4, 2, 4)[:2], np.array([4, 2])
    hint = (
        "The pooled state is wrong: which positions count? Token 0 is an ordinary token. Does "
        "gru_cell pass its own check?"
    )
    for pooling in ("last", "mean"):
        logits = partial(method, answer, (p, pooling), "logits")
        got = called(logits, (ids, lengths), product=READOUT)
        args, what = (p, pooling, ids, lengths), f"logits with pooling {pooling}"
        mistakes = classifier_mistakes(*args)
        arrays_near(got, class_logits(*args), what, "It is (B, K).", hint, *mistakes)
        logits_agree((p, pooling), ids[1:], lengths[1:], hint=ALL_AXES)
    logits_agree((p,), ids, lengths, hint='pooling is "last" unless given.')
    for size in OTHER_MODELS:
        p, ids, lengths = classifier_inputs(rng, *size)
        for pooling in ("last", "mean"):
            logits_agree((p, pooling), ids, lengths)

    def made_with(pooling):
        method(answer, (p, pooling), "__sizeof__")  # which every object has
        return f"an object with pooling {pooling!r}"

    refuse = "Refuse any other pooling when the object is made."
    for pooling in ("max", "sum", "LAST", ""):
        raises(ValueError, made_with, pooling, hint=refuse)
