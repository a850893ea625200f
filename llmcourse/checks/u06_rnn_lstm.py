"""Visible checks of unit 06: each names the mistake that has the value of the result.

unit: 06_rnn_lstm
"""

from typing import Any

import numpy as np

from llmcourse.checks import (
    NOTHING,
    compare,
    diagnosed,
    equal,
    fail,
    items,
    near,
    noted,
    number,
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
    TANH,
    elman,
    gru,
    jordan,
    jordan_weights,
    lstm,
    values,
    weights,
)
from llmcourse.checks.u06_judging import (
    BLOCKS,
    KEEP,
    PRODUCT,
    SUM,
    exact,
    fitting,
    judged,
    on_other_sizes,
)
from llmcourse.checks.u06_mistakes import (
    CLIP,
    IN_FLOAT64,
    KEYS,
    SHARES,
    T_0,
    WALK,
    WALK_KEYS,
    clipped,
    walk,
    walk_hint,
)
from llmcourse.checks.u06_models import SequenceClassifier, SequenceTagger, bidirectional

__all__ = [
    "SequenceClassifier",
    "SequenceTagger",
    "bidirectional",
    "bptt",
    "clip_grad_norm",
    "elman_step",
    "gru_cell",
    "jordan_step",
    "lstm_cell",
]


def drawn(seed: int, blocks: int, B: int, H: int, states: int = 1) -> Any:
    """Return random parameters, an input (B, 2), and `states` hidden states (B, H)."""
    rng = np.random.default_rng(seed)
    p, x = weights(rng, blocks, 2, H), rng.normal(size=(B, 2))
    return p, x, *(rng.normal(size=(B, H)) for _ in range(states))


def far(args: Any) -> Any:
    """Return the arguments with biases b_ih of size 1,000."""
    return args[0] | {"b_ih": 1000 * np.sign(args[0]["b_ih"])}, *args[1:]


def alone_and_far(answer: Any, step: Any, one: Any, args: Any, hint: str) -> None:
    """Fail unless a step of a single row keeps its axes and sums of 1,000 stay finite."""
    want = step(*one)
    got = exact(answer(*one), want.shape, "the state of a single row", AXES)
    near(got, want, 1e-9, AXES)
    large = far(args)
    want = step(*large)
    with np.errstate(all="ignore"):
        near(exact(answer(*large), want.shape, "the state", hint), want, 1e-9, hint)


def cells_of(blocks: int, states: int = 1) -> Any:
    """Yield arguments of a cell for other sizes of batch, inputs and units."""
    rng = np.random.default_rng(9)
    for B, inputs, H in ((2, 3, 3), (4, 2, 5), (5, 2, 1), (4, 1, 5), (1, 1, 1), (3, 4, 2)):
        kept = (rng.normal(size=(B, H)) for _ in range(states))
        yield weights(rng, blocks, inputs, H), rng.normal(size=(B, inputs)), *kept


@visible
def elman_step(answer):
    args = drawn(1, 1, 3, 4)
    with fitting():
        got = exact(unchanged(answer, args, KEEP), (3, 4), "the state", "It is (B, H).")
    judged(
        got,
        elman(*args),
        "the state",
        "The state is the tanh of the sum of both parts.",
        ELMAN,
        *args,
    )
    alone_and_far(answer, elman, drawn(1, 1, 1, 4), args, TANH)
    on_other_sizes(answer, elman, cells_of(1), "the state")


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
        judged(got, jordan(*args), names, "Compute h first, then y from the new h.", JORDAN, *args)
    rng = np.random.default_rng(9)
    sizes = ((2, 3, 3, 3), (4, 2, 5, 2), (1, 2, 3, 2), (3, 1, 1, 2), (1, 1, 1, 1), (3, 4, 2, 5))
    inputs = (
        (jordan_weights(rng, i, H, out), rng.normal(size=(B, i)), rng.normal(size=(B, out)))
        for B, i, H, out in sizes
    )
    on_other_sizes(answer, jordan, inputs, "the result")


@visible
def bptt(answer):
    rng = np.random.default_rng(3)
    args = weights(rng, 1, 2, 4), rng.normal(size=(5, 3, 2)), rng.normal(size=(3, 4))
    args = (*args, rng.normal(size=(5, 3, 4)))
    with noted(SHARES, *PRODUCT, *SUM):
        got = gradients(unchanged(answer, args, KEEP), args)
    want = walk(*args)
    known = values(WALK, *args)
    why = next((m.hint for m in known if compare(got, m.value, 1e-6) is None), None)
    for name in WALK_KEYS:
        hint, what = why or walk_hint(got, want), f"the gradient with respect to {name}"
        diagnosed(got[name], want[name], hint, what=what, tolerance=1e-6)
    for T, B, width, H in ((1, 2, 3, 2), (3, 1, 2, 2), (2, 3, 1, 1), (3, 2, 4, 4), (6, 2, 3, 2)):
        other = weights(rng, 1, width, H), rng.normal(size=(T, B, width)), rng.normal(size=(B, H))
        other = (*other, rng.normal(size=(T, B, H)))
        with noted("The same steps hold for other sizes; keep all axes."):
            got = gradients(unchanged(answer, other, KEEP), other)
        right = walk(*other)
        for name in WALK_KEYS:
            what = f"the gradient with respect to {name}"
            diagnosed(got[name], right[name], walk_hint(got, right), what=what, tolerance=1e-6)
    p, xs, h0, dhs = args
    with noted(T_0):
        none = answer(p, xs[:0], h0, dhs[:0])
    for name, array in gradients(none, args, T_0).items():
        diagnosed(array, 0 * want[name], T_0, what=f"T = 0, the gradient with respect to {name}")


def gradients(got: Any, args: Any, hint: str = "") -> dict[str, np.ndarray]:
    """Return the result of `bptt`, once each gradient has the shape of its parameter."""
    if got is None:
        fail(NOTHING)
    if not isinstance(got, dict) or set(got) != set(WALK_KEYS):
        fail(f"{KEYS} {hint}".strip())
    arrays = {}
    for name, like in (args[0] | {"h0": args[2]}).items():
        shape = hint or f"It has the shape of {name}."
        arrays[name] = exact(got[name], like.shape, f"the gradient with respect to {name}", shape)
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
    none = "Do not divide by a norm of 0: gradients of 0 stay 0."
    with np.errstate(all="ignore"), noted(none):
        made, norm = answer(zeros, 1.0)
    shaped(made["a"], (2,), "with gradients of 0 the result", none)
    equal((made["a"], norm), ([0.0, 0.0], 0.0), none)
    rng = np.random.default_rng(9)
    for size in (1e-5, 0.3, 1e8):
        g = {"a": size * rng.normal(size=(2, 3)), "b": np.zeros(2), "c": size * rng.normal(size=3)}
        hint = "A norm of 1e-5 or 1e8 is an ordinary norm: one factor, min(1, limit / norm)."
        for limit in (0.9 * clipped(g, 1.0)[1], 1.1 * clipped(g, 1.0)[1], 2.0):
            made, norm = pair_of_clipping(unchanged(answer, (g, limit), KEEP), g)
            want, right = clipped(g, limit)
            near(float(norm) / right, 1.0, 1e-6, hint)
            for name in ("a", "c"):  # torch divides by norm + 1e-6, which is as good
                found = np.asarray(made[name], dtype=float) / want[name]
                near(found, np.ones(g[name].shape), 1e-4 + 1e-6 / right, hint)
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
    """Return (gradients, norm), once they have the right form."""
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
    on_other_sizes(answer, lstm, cells_of(4, 2), "a state")


@visible
def gru_cell(answer):
    args = drawn(5, 3, 3, 5)
    with fitting(), noted(BLOCKS.format(3), *SUM):
        got = exact(unchanged(answer, args, KEEP), (3, 5), "the state", "It is (B, H).")
    judged(
        got,
        gru(*args),
        "the state",
        "Compute r and z first, then n, then (1 - z) n + z h.",
        GRU,
        *args,
    )
    alone_and_far(answer, gru, drawn(5, 3, 1, 5), args, LARGE)
    on_other_sizes(answer, gru, cells_of(3), "the state")
