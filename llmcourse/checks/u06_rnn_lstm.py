"""Visible checks of unit 06: each names the mistake whose value came.

unit: 06_rnn_lstm
"""

from functools import partial
from typing import Any

import numpy as np

from llmcourse.checks import (
    diagnosed,
    equal,
    fail,
    items,
    method,
    near,
    number,
    raises,
    unchanged,
    visible,
)
from llmcourse.checks.arrays import shaped
from llmcourse.checks.u06_mistakes import (
    BOTH,
    CLASSIFIER,
    CLIP,
    ELMAN,
    GRU,
    JORDAN,
    LSTM,
    TAGGER,
    WALK,
    Mistakes,
    both,
    class_logits,
    classifier_weights,
    clipped,
    elman,
    gru,
    jordan,
    jordan_weights,
    lstm,
    tag_logits,
    tagger_weights,
    values,
    walk,
    weights,
)

KEEP = "Compute in new arrays; leave the arguments as they are."
LARGE = "With sums of 1,000 an exponential overflows: use (1 + np.tanh(a / 2)) / 2."


def judged(got: Any, want: Any, what: str, hint: str, mistakes: Mistakes, *args: Any) -> None:
    """Fail with the hint of the mistake whose value came, else with `hint`."""
    known = ((value, why) for why, value in values(mistakes, *args).items())
    diagnosed(got, want, hint, *known, what=what, tolerance=1e-6)


WALK_KEYS = ("W_ih", "W_hh", "b_ih", "b_hh", "h0")


@visible
def elman_step(answer):
    rng = np.random.default_rng(1)
    args = weights(rng, 1, 2, 4), rng.normal(size=(3, 2)), rng.normal(size=(3, 4))
    got = shaped(unchanged(answer, args, KEEP), (3, 4), "the state", "It is (B, H).")
    judged(got, elman(*args), "the state", "tanh of the sum of both parts.", ELMAN, *args)


@visible
def jordan_step(answer):
    rng = np.random.default_rng(2)
    args = jordan_weights(rng, 2, 4, 5), rng.normal(size=(3, 2)), rng.normal(size=(3, 5))
    got = items(unchanged(answer, args, KEEP), 2, "Return (hidden units, output).")
    if np.shape(got[0]) == (3, 5) and np.shape(got[1]) == (3, 4):
        fail("Return (hidden units, output), in this order.")
    got = (
        shaped(got[0], (3, 4), "the hidden units", "They are (B, H)."),
        shaped(got[1], (3, 5), "the output", "It is (B, O)."),
    )
    judged(got, jordan(*args), "the step", "First h, then y from the new h.", JORDAN, *args)


@visible
def bptt(answer):
    rng = np.random.default_rng(3)
    args = weights(rng, 1, 2, 4), rng.normal(size=(5, 3, 2)), rng.normal(size=(3, 4))
    args = (*args, rng.normal(size=(5, 3, 4)))
    got = unchanged(answer, args, KEEP)
    if not isinstance(got, dict) or set(got) != set(WALK_KEYS):
        fail(f"return a dictionary with the keys {', '.join(WALK_KEYS)}.")
    want = walk(*args)
    for name in WALK_KEYS:
        hint = f"It has the shape of {name}."
        shaped(got[name], want[name].shape, f"the gradient by {name}", hint)
    judged(got, want, "a gradient", "Walk from the last step to the first.", WALK, *args)


@visible
def clip_grad_norm(answer):
    g = {"a": np.array([3.0]), "b": np.array([[0.0, 4.0]]), "c": np.array([-12.0, 0.0])}
    hint = "Expected a norm of 13, and gradients scaled by limit / 13."
    for limit in (6.5, 1.0, 26.0):
        got = items(unchanged(answer, (g, limit), KEEP), 2, "Return (gradients, norm).")
        number(got[1], "the norm")
        judged(got, clipped(g, limit), "clipping", hint, CLIP, g, limit)
    zeros = {"a": np.zeros(2)}
    with np.errstate(all="ignore"):
        made, norm = answer(zeros, 1.0)
    shaped(made["a"], (2,), "with gradients of 0 the result", "A norm of 0 must not divide.")
    equal((made["a"], norm), ([0.0, 0.0], 0.0), "With gradients of 0 all stays 0.")


@visible
def lstm_cell(answer):
    rng = np.random.default_rng(4)
    p, x = weights(rng, 4, 2, 5), rng.normal(size=(3, 2))
    args = (p, x, rng.normal(size=(3, 5)), rng.normal(size=(3, 5)))
    got = items(unchanged(answer, args, KEEP), 2, "Return (h, c).")
    got = [shaped(part, (3, 5), "each state", "h and c are (B, H).") for part in got]
    judged(got, lstm(*args), "the step", "c = f c + i g, then h = o tanh(c).", LSTM, *args)
    far = p | {"b_ih": 1000 * np.sign(p["b_ih"])}
    with np.errstate(all="ignore"):
        parts = [shaped(v, (3, 5), "a state", LARGE) for v in answer(far, *args[1:])]
    near(parts, lstm(far, *args[1:]), 1e-9, LARGE)


@visible
def gru_cell(answer):
    rng = np.random.default_rng(5)
    p, x, h = weights(rng, 3, 2, 5), rng.normal(size=(3, 2)), rng.normal(size=(3, 5))
    got = shaped(unchanged(answer, (p, x, h), KEEP), (3, 5), "the state", "It is (B, H).")
    judged(got, gru(p, x, h), "the state", "Compute r, z, n, then mix.", GRU, p, x, h)
    far = p | {"b_ih": 1000 * np.sign(p["b_ih"])}
    with np.errstate(all="ignore"):
        near(shaped(answer(far, x, h), (3, 5), "the state", LARGE), gru(far, x, h), 1e-9, LARGE)


@visible
def bidirectional(answer):
    rng = np.random.default_rng(6)
    args = weights(rng, 3, 2, 4), weights(rng, 3, 2, 4), rng.normal(size=(5, 3, 2))
    shape = "It is (T, B, 2H), time first."
    got = shaped(unchanged(answer, args, KEEP), (5, 3, 8), "the result", shape)
    judged(got, both(*args), "the result", "Look at the order of rows and columns.", BOTH, *args)


@visible
def SequenceTagger(answer):
    rng = np.random.default_rng(7)
    p, ids = tagger_weights(rng, 6, 2, 3, 4), np.array([[2, 0, 5, 1], [3, 3, 4, 0]])
    got = shaped(method(answer, (p,), "logits", ids), (2, 4, 3), "logits", "It is (B, T, K).")
    judged(got, tag_logits(p, ids), "logits", "W s + b at each place.", TAGGER, p, ids)
    made = shaped(method(answer, (p,), "tags", ids), (2, 4), "tags", "One label a token: (B, T).")
    equal(made, tag_logits(p, ids).argmax(2), hint="The label with the largest logit.")


@visible
def SequenceClassifier(answer):
    rng = np.random.default_rng(8)
    p, ids = classifier_weights(rng, 6, 2, 3, 4), np.array([[2, 0, 5, 1], [3, 3, 0, 0]])
    lengths = np.array([4, 2])
    for pooling in ("last", "mean"):
        got = method(answer, (p, pooling), "logits", ids, lengths)
        got = shaped(got, (2, 3), f"logits with pooling {pooling}", "It is (B, K).")
        args = (p, pooling, ids, lengths)
        judged(got, class_logits(*args), pooling, "W s + b of the pooled state.", CLASSIFIER, *args)
    raises(
        ValueError, partial(method, answer), (p, "max"), "logits", ids, lengths,
        hint="Refuse any other pooling when the object is made.",
    )  # fmt: skip
