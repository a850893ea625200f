"""Visible checks of unit 06: reading a sequence in both directions, and the two models.

unit: 06_rnn_lstm
"""

from functools import partial
from typing import Any

import numpy as np

from llmcourse.checks import equal, fail, method, near, noted, raises, unchanged, visible
from llmcourse.checks.arrays import shaped
from llmcourse.checks.u06_cells import AXES, weights
from llmcourse.checks.u06_judging import KEEP, OWN, PRODUCT, exact, judged, on_other_sizes
from llmcourse.checks.u06_mistakes import (
    AT_EACH,
    BOTH,
    CLASSIFIER,
    DEFAULT,
    POOLED,
    READOUT,
    REFUSE,
    TAGGER,
    WIDTH,
    both,
    both_hint,
    class_logits,
    classifier_weights,
    tag_logits,
    tagger_weights,
)


@visible
def bidirectional(answer):
    rng = np.random.default_rng(6)
    f, b, xs = weights(rng, 3, 2, 4), weights(rng, 3, 2, 4), rng.normal(size=(5, 3, 2))
    shape = "It is (T, B, 2H), time first."
    with noted(WIDTH, *PRODUCT):
        got = exact(unchanged(answer, (f, b, xs), KEEP), (5, 3, 8), "the result", shape)
    want = both(f, b, xs)
    judged(got, want, "the result", both_hint(got, want), BOTH, f, b, xs)
    one = xs[:, :1]
    with noted(AXES):
        got = exact(answer(f, b, one), (5, 1, 8), "the result for a single row", AXES)
    near(got, both(f, b, one), 1e-9, AXES)
    sizes = ((3, 3, 3, 3), (6, 2, 4, 2), (1, 2, 2, 4), (6, 3, 1, 1), (1, 1, 1, 1))
    inputs = (
        (weights(rng, 3, d, H), weights(rng, 3, d, H), rng.normal(size=(T, B, d)))
        for T, B, d, H in sizes
    )
    on_other_sizes(answer, both, inputs, "the result")


# vocabulary, d, labels, H, B, T
SIZES = (
    (5, 3, 2, 4, 3, 4), (4, 2, 3, 3, 3, 3), (7, 1, 2, 2, 1, 5), (6, 2, 2, 1, 4, 1),
    (4, 2, 1, 2, 2, 3), (3, 1, 1, 1, 1, 1),
)  # fmt: skip


@visible
def SequenceTagger(answer):
    rng = np.random.default_rng(7)
    p, ids = tagger_weights(rng, 6, 2, 3, 4), np.array([[2, 0, 5, 1], [3, 3, 4, 0]])

    def logits(ids):
        return method(answer, (p,), "logits", ids)

    with noted(READOUT, *PRODUCT):
        got = exact(unchanged(logits, (ids,), KEEP), (2, 4, 3), "logits", "It is (B, T, K).")
    judged(got, tag_logits(p, ids), "logits", AT_EACH + OWN.format("bidirectional"), TAGGER, p, ids)
    made = method(answer, (p,), "tags", ids)
    shaped(made, (2, 4), "tags", "tags returns one label per token: (B, T).")
    equal(made, tag_logits(p, ids).argmax(2), hint="The tag is the label with the largest logit.")
    if np.asarray(made).dtype.kind not in "iu":
        fail("tags should be integers, as argmax gives them.")
    with noted(AXES):
        got = exact(logits(ids[:1]), (1, 4, 3), "logits of a single row", AXES)
        shaped(method(answer, (p,), "tags", ids[:1]), (1, 4), "tags of a single row", AXES)
    near(got, tag_logits(p, ids[:1]), 1e-9, AXES)
    for vocab, d, labels, H, B, T in SIZES:
        p, ids = tagger_weights(rng, vocab, d, labels, H), rng.integers(0, vocab, (B, T))
        on_other_sizes(
            partial(method, answer, (p,), "logits"), partial(tag_logits, p), [(ids,)], "logits"
        )
        best = tag_logits(p, ids).argmax(2)
        equal(
            method(answer, (p,), "tags", ids),
            best,
            hint="The tag is the label with the largest logit.",
        )


@visible
def SequenceClassifier(answer):
    rng = np.random.default_rng(8)
    p, ids = classifier_weights(rng, 6, 2, 3, 4), np.array([[2, 0, 5, 1], [3, 3, 4, 0]])
    lengths = np.array([4, 2])
    for pooling in ("last", "mean"):

        def logits(ids, lengths, made_from=(p, pooling)):
            return method(answer, made_from, "logits", ids, lengths)

        name = f"logits with pooling {pooling}"
        with noted(READOUT, *PRODUCT):
            got = exact(unchanged(logits, (ids, lengths), KEEP), (2, 3), name, "It is (B, K).")
        args = (p, pooling, ids, lengths)
        judged(got, class_logits(*args), name, POOLED + OWN.format("gru_cell"), CLASSIFIER, *args)
        got = exact(logits(ids[1:], lengths[1:]), (1, 3), f"{name} of a single row", AXES)
        near(got, class_logits(p, pooling, ids[1:], lengths[1:]), 1e-9, AXES)
    with noted(DEFAULT):
        got = exact(logits(ids, lengths, (p,)), (2, 3), "logits", DEFAULT)
    near(got, class_logits(p, "last", ids, lengths), 1e-9, DEFAULT)
    for vocab, d, labels, H, B, T in SIZES:
        p, ids = classifier_weights(rng, vocab, d, labels, H), rng.integers(0, vocab, (B, T))
        lengths = rng.integers(1, T + 1, B)
        ids[0, 0], lengths[0] = 0, max(1, T - 2)
        for pooling in ("last", "mean"):
            asked = partial(method, answer, (p, pooling), "logits")
            formula = partial(class_logits, p, pooling)
            on_other_sizes(asked, formula, [(ids, lengths)], f"logits with pooling {pooling}")
    for pooling in ("max", "sum", "LAST", ""):
        raises(ValueError, partial(made_with, answer, p), pooling, hint=REFUSE)


def made_with(answer: Any, p: Any, pooling: str) -> str:
    """Make an object and call a method that every object has."""
    method(answer, (p, pooling), "__sizeof__")
    return f"an object with pooling {pooling!r}"
