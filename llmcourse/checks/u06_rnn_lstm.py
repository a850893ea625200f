"""Visible checks of unit 06: each names the mistake whose value came.

unit: 06_rnn_lstm
"""

from functools import partial
from typing import Any

import numpy as np

from llmcourse.checks import (
    NOTHING,
    compare,
    diagnosed,
    equal,
    fail,
    items,
    method,
    near,
    noted,
    number,
    raises,
    unchanged,
    visible,
)
from llmcourse.checks.arrays import shaped
from llmcourse.checks.u06_cells import (
    AXES,
    ELMAN,
    GRU,
    JORDAN,
    LARGE,
    LSTM,
    ROWS,
    TANH,
    Mistakes,
    elman,
    gru,
    jordan,
    jordan_weights,
    lstm,
    values,
    weights,
)
from llmcourse.checks.u06_mistakes import (
    AT_EACH,
    BOTH,
    CLASSIFIER,
    CLIP,
    DEFAULT,
    IN_FLOAT64,
    KEYS,
    POOLED,
    READOUT,
    REFUSE,
    SHARES,
    T_0,
    TAGGER,
    WALK,
    WALK_KEYS,
    WIDTH,
    both,
    both_hint,
    class_logits,
    classifier_weights,
    clipped,
    tag_logits,
    tagger_weights,
    walk,
    walk_hint,
)

KEEP = "Compute in new arrays; leave the arguments as they are."
OWN = " Does {} pass its own check?"
PRODUCT = ("core dimension", "not aligned")  # what numpy says of a matrix product that fails
SUM = ("broadcast", "equal division")  # of a sum, of np.split
fitting = partial(noted, ROWS, *PRODUCT)
BLOCKS = "np.split(sums, {}, axis=1) cuts the columns into blocks of width H."


def exact(got: Any, shape: tuple[int, ...], what: str, hint: str) -> np.ndarray:
    """An array of this shape in the dtype of the inputs, float64."""
    return shaped(got, shape, what, hint, "float64")


def judged(got: Any, want: Any, what: Any, hint: str, mistakes: Mistakes, *args: Any) -> None:
    """Fail with the hint of the mistake whose value came, else with `hint`.

    what: names the result, or each part of it.
    """
    known = [(value, why) for why, value in values(mistakes, *args).items()]
    why = next((why for value, why in known if compare(got, value, 1e-6) is None), hint)
    parts = [(got, want, what)] if isinstance(what, str) else zip(got, want, what, strict=True)
    for mine, right, name in parts:
        diagnosed(mine, right, why, what=name, tolerance=1e-6)


def drawn(seed: int, blocks: int, B: int, H: int, states: int = 1) -> Any:
    """Parameters, an input of width 2 and so many states."""
    rng = np.random.default_rng(seed)
    p, x = weights(rng, blocks, 2, H), rng.normal(size=(B, 2))
    return p, x, *(rng.normal(size=(B, H)) for _ in range(states))


def far(args: Any) -> Any:
    """The arguments with a bias of 1,000."""
    return args[0] | {"b_ih": 1000 * np.sign(args[0]["b_ih"])}, *args[1:]


def alone_and_far(answer: Any, step: Any, one: Any, args: Any, hint: str) -> None:
    """A step of a single row keeps its axes, and large sums do no harm."""
    want = step(*one)
    got = exact(answer(*one), want.shape, "the state of a single row", AXES)
    near(got, want, 1e-9, AXES)
    large = far(args)
    want = step(*large)
    with np.errstate(all="ignore"):
        near(exact(answer(*large), want.shape, "the state", hint), want, 1e-9, hint)


@visible
def elman_step(answer):
    args = drawn(1, 1, 3, 4)
    with fitting():
        got = exact(unchanged(answer, args, KEEP), (3, 4), "the state", "It is (B, H).")
    judged(got, elman(*args), "the state", "tanh of the sum of both parts.", ELMAN, *args)
    alone_and_far(answer, elman, drawn(1, 1, 1, 4), args, TANH)


@visible
def jordan_step(answer):
    pair = "Return (hidden units, output)."
    for B, out, hints in (3, 5, ("They are (B, H).", "It is (B, O).")), (1, 1, (AXES, AXES)):
        rng = np.random.default_rng(2)
        args = jordan_weights(rng, 2, 4, out), rng.normal(size=(B, 2)), rng.normal(size=(B, out))
        with fitting():
            got = items(unchanged(answer, args, KEEP), 2, pair)
        if np.shape(got[0]) == (3, 5) and np.shape(got[1]) == (3, 4):
            fail("Return (hidden units, output), in this order.")
        got = (
            exact(got[0], (B, 4), "the hidden units", hints[0]),
            exact(got[1], (B, out), "the output", hints[1]),
        )
        names = ("the hidden units", "the output")
        judged(got, jordan(*args), names, "First h, then y from the new h.", JORDAN, *args)


@visible
def bptt(answer):
    rng = np.random.default_rng(3)
    args = weights(rng, 1, 2, 4), rng.normal(size=(5, 3, 2)), rng.normal(size=(3, 4))
    args = (*args, rng.normal(size=(5, 3, 4)))
    with noted(SHARES, *PRODUCT, *SUM):
        got = gradients(unchanged(answer, args, KEEP), args)
    want = walk(*args)
    known = values(WALK, *args).items()
    why = next((why for why, value in known if compare(got, value, 1e-6) is None), None)
    for name in WALK_KEYS:
        hint, what = why or walk_hint(got, want), f"the gradient by {name}"
        diagnosed(got[name], want[name], hint, what=what, tolerance=1e-6)
    p, xs, h0, dhs = args
    with noted(T_0):
        none = answer(p, xs[:0], h0, dhs[:0])
    for name, array in gradients(none, args, T_0).items():
        diagnosed(array, 0 * want[name], T_0, what=f"with no step the gradient by {name}")


def gradients(got: Any, args: Any, hint: str = "") -> dict[str, np.ndarray]:
    """The result of `bptt`, each gradient with the shape of what it belongs to."""
    if got is None:
        fail(NOTHING)
    if not isinstance(got, dict) or set(got) != set(WALK_KEYS):
        fail(f"{KEYS} {hint}".strip())
    arrays = {}
    for name, like in (args[0] | {"h0": args[2]}).items():
        shape = hint or f"It has the shape of {name}."
        arrays[name] = exact(got[name], like.shape, f"the gradient by {name}", shape)
    return arrays


@visible
def clip_grad_norm(answer):
    g = {"a": np.array([3.0]), "b": np.array([[2.0, 2.0], [2.0, -2.0]])}
    g["c"] = np.array([-12.0, 0.0])
    hint = "Expected a norm of 13, and gradients scaled by limit / 13 if that is below 1."
    for limit in (1.0, 6.5, 26.0):
        got = pair_of_clipping(unchanged(answer, (g, limit), KEEP), g)
        judged(got, clipped(g, limit), ("gradients", "norm"), hint, CLIP, g, limit)
    zeros = {"a": np.zeros(2)}
    none = "A norm of 0 must not divide: with gradients of 0 all stays 0."
    with np.errstate(all="ignore"), noted(none):
        made, norm = answer(zeros, 1.0)
    shaped(made["a"], (2,), "with gradients of 0 the result", none)
    equal((made["a"], norm), ([0.0, 0.0], 0.0), none)
    for size, right in ((1e19, (0.6, 0.8)), (1e-25, (3e-25, 4e-25))):
        given = {"a": np.array([3 * size, 4 * size], dtype=np.float32)}
        with np.errstate(all="ignore"), noted(IN_FLOAT64):
            made, norm = answer(given, 1.0)
            found = [float(norm) / size, *(np.asarray(made["a"], dtype=float) / right)]
        what = f"float32 ({3 * size:g}, {4 * size:g}), limit 1, the norm in units of {size:g}"
        diagnosed(found[0], 5.0, IN_FLOAT64, what=what, tolerance=1e-5)
        what = "in the same call the gradients, divided by the right ones"
        diagnosed(found[1:], [1.0, 1.0], IN_FLOAT64, what=what, tolerance=1e-5)


def pair_of_clipping(got: Any, given: Any) -> Any:
    """(gradients, norm), once they have the right form."""
    made, norm = items(got, 2, "Return (gradients, norm).")
    if isinstance(norm, dict):
        fail("Return (gradients, norm), in this order.")
    if not isinstance(made, dict):
        fail("Return the gradients as a dictionary with the same names.")
    if set(made) != set(given):
        fail("The dictionary has the same names as `gradients`.")
    for name, array in made.items():
        exact(array, given[name].shape, "a clipped gradient", "It has the shape it had before.")
    return made, number(norm, "the norm")


@visible
def lstm_cell(answer):
    args, names = drawn(4, 4, 3, 5, states=2), ("h", "c")
    with fitting(), noted(BLOCKS.format(4), *SUM):
        got = items(unchanged(answer, args, KEEP), 2, "Return (h, c).")
    shape = "h and c are (B, H)."
    got = [exact(got[k], (3, 5), name, shape) for k, name in enumerate(names)]
    judged(got, lstm(*args), names, "c = f c + i g, then h = o tanh(c).", LSTM, *args)
    one = drawn(4, 4, 1, 5, states=2)
    parts = [exact(part, (1, 5), "a state of a single row", AXES) for part in answer(*one)]
    near(parts, lstm(*one), 1e-9, AXES)
    large = far(args)
    with np.errstate(all="ignore"):
        parts = [exact(part, (3, 5), "a state", LARGE) for part in answer(*large)]
    near(parts, lstm(*large), 1e-9, LARGE)


@visible
def gru_cell(answer):
    args = drawn(5, 3, 3, 5)
    with fitting(), noted(BLOCKS.format(3), *SUM):
        got = exact(unchanged(answer, args, KEEP), (3, 5), "the state", "It is (B, H).")
    judged(got, gru(*args), "the state", "Compute r, z, n, then mix.", GRU, *args)
    alone_and_far(answer, gru, drawn(5, 3, 1, 5), args, LARGE)


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
    shaped(made, (2, 4), "tags", "One label a token: (B, T).")
    equal(made, tag_logits(p, ids).argmax(2), hint="The label with the largest logit.")
    if np.asarray(made).dtype.kind not in "iu":
        fail("tags should be integers, as argmax gives them.")
    with noted(AXES):
        got = exact(logits(ids[:1]), (1, 4, 3), "logits of a single row", AXES)
        shaped(method(answer, (p,), "tags", ids[:1]), (1, 4), "tags of a single row", AXES)
    near(got, tag_logits(p, ids[:1]), 1e-9, AXES)


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
    for pooling in ("max", "sum", "LAST", ""):
        raises(ValueError, partial(made_with, answer, p), pooling, hint=REFUSE)


def made_with(answer: Any, p: Any, pooling: str) -> str:
    """Only make an object, and ask for something that every object has."""
    method(answer, (p, pooling), "__sizeof__")
    return f"an object with pooling {pooling!r}"
