"""Hidden tests of unit 06. Expected values are sums over indices (`u06_mistakes`, which
tests/models/test_rnn.py holds to torch's cells) or a measured derivative, never the solution's matrix form."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.exercise import (
    Exercise,
    Inputs,
    Judge,
    Mistake,
    Outcome,
    Raised,
    Returned,
    expect_near,
    expect_raises,
    expect_that,
)
from llmcourse.checks import NOTHING
from llmcourse.checks import u06_cells as cells
from llmcourse.checks import u06_mistakes as known

Array = Any  # of numpy
Given = dict[str, Callable[..., Any]]
CHANGED = Mistake("changed", "The call changed its arguments: make new arrays.")
EXACT = 1e-9  # float64, sums of a few dozen terms of size 1
PRODUCT = ("core dimension", "not aligned")  # what numpy says of a matrix product that fails
LINE = "The check in the notebook shows the line."
FIT = f"{LINE} Do the shapes fit there?"
FORM = "Compare the shape of your result with the shape that the exercise asks for."
EDGES = (cells.AXES, cells.TANH, cells.LARGE, known.T_0, known.DEFAULT)


def generator(rng: random.Random) -> np.random.Generator:
    return np.random.default_rng(rng.getrandbits(32))


def unless_changed(answer, *args):  # type: ignore[no-untyped-def]
    import pickle

    before = pickle.dumps(args)
    result = answer(*args)
    return "changed" if pickle.dumps(args) != before else result


def close(
    want: Any, hint: str | Callable[[Any, Any], str], found: Sequence[Mistake], shapes: str
) -> Judge:
    """Return a judge of the value `want`; the visible check looks at the dtype.

    hint: a text, or what makes one of the value and `want`; found: mistakes known by their values;
    shapes: the hint for a ValueError.
    """

    edge = shapes in EDGES or hint in EDGES
    plain = expect_near(want, EXACT, "", found)

    def say(outcome: Outcome, nature: str) -> str:
        if isinstance(outcome, Raised) and not edge:
            why = LINE
            if "ValueError" in outcome.kinds:
                product = any(words in outcome.message for words in PRODUCT)
                why = shapes if product or shapes in (known.SHARES, known.WIDTH) else FIT
            return f"your code raised {(*outcome.kinds, 'an exception')[0]}. {why}"
        value = outcome.value if isinstance(outcome, Returned) else None
        if isinstance(outcome, Returned) and value is None:
            return NOTHING
        try:
            why = hint if isinstance(hint, str) else hint(value, want)
        except Exception:  # the value comes from the learner: any shape of it may break the hint
            why = FORM
        said = expect_near(want, EXACT, why, found).say(outcome, nature)
        if not edge and said.startswith(("the length", "expected a list")):
            return said.removesuffix(why) + FORM
        return said

    return replace(plain, say=say)


def told(
    formula: Callable[..., Any],
    mistakes: cells.Mistakes,
    hint: str | Callable[[Any, Any], str],
    *args: Any,
    shapes: str = cells.ROWS,
) -> tuple[tuple[Any, ...], Judge]:
    """Return the arguments and the judge that recognises the mistakes by their values."""
    found = [*cells.values(mistakes, *args), CHANGED]
    return args, close(formula(*args), hint, found, shapes)


def cell(name: str, given: Given | None = None) -> Exercise:
    exercise = Exercise(name, given=given or {})
    exercise.probe(unless_changed)
    return exercise


def drawn(rng: random.Random, blocks: int, B: int, inputs: int, H: int, states: int) -> Any:
    """Return random parameters, an input, and `states` hidden states."""
    draw = generator(rng)
    kept = [draw.normal(size=(B, H)) for _ in range(states)]
    return cells.weights(draw, blocks, inputs, H), draw.normal(size=(B, inputs)), *kept


def correct_step(params: cells.Params, x: Array, h: Array) -> Array:
    """Answer the calls of the learner's `elman_step`."""
    return cells.elman(params, np.asarray(x, float), np.asarray(h, float))


def correct_gru(params: cells.Params, x: Array, h: Array) -> Array:
    """Answer the calls of the learner's `gru_cell`."""
    return cells.gru(params, np.asarray(x, float), np.asarray(h, float))


def correct_both(forward: cells.Params, backward: cells.Params, xs: Array) -> Array:
    """Answer the calls of the learner's `bidirectional`."""
    return known.both(forward, backward, np.asarray(xs, float))


# --- the cells: each on other sizes, with a batch of one, and where it saturates

elman_step, gru_cell, lstm_cell = cell("elman_step"), cell("gru_cell"), cell("lstm_cell")
CELLS: dict[str, Any] = {
    "elman": (
        elman_step,
        1,
        cells.elman,
        cells.ELMAN,
        "The state is the tanh of the sum of both parts.",
    ),
    "gru": (
        gru_cell,
        3,
        cells.gru,
        cells.GRU,
        "Compute r and z first, then n, then (1 - z) n + z h.",
    ),
    "lstm": (lstm_cell, 4, cells.lstm, cells.LSTM, "c = f c + i g, then h = o tanh(c)."),
}


def add_cases(kind: str) -> None:
    _, blocks, formula, mistakes, hint = CELLS[kind]
    exercise: Exercise = CELLS[kind][0]
    states = 2 if kind == "lstm" else 1

    @exercise.case(weight=4, property="the new state on other sizes")
    def core(rng: random.Random) -> Inputs:
        for B, inputs, H in ((3, 4, 2), (2, 3, 3), (4, 2, 5)):
            args = drawn(rng, blocks, B, inputs, H, states)
            yield told(formula, mistakes, hint, *args)

    @exercise.case(weight=1, property="a batch of one, one unit")
    def edges(rng: random.Random) -> Inputs:
        for B, inputs, H in ((1, 3, 2), (1, 1, 1), (5, 2, 1), (4, 1, 5)):
            args = drawn(rng, blocks, B, inputs, H, states)
            yield told(formula, mistakes, cells.AXES, *args)

    @exercise.case(weight=1, property="sums of 1,000: no overflow, no nan")
    def far(rng: random.Random) -> Inputs:
        p, *rest = drawn(rng, blocks, 3, 2, 4, states)
        hint = cells.TANH if kind == "elman" else cells.LARGE
        yield told(formula, mistakes, hint, p | {"b_ih": 1000 * np.sign(p["b_ih"])}, *rest)


for _kind in CELLS:
    add_cases(_kind)

# --- jordan_step

jordan_step = cell("jordan_step")


def jordan_inputs(rng: random.Random, B: int, inputs: int, H: int, out: int) -> Any:
    draw = generator(rng)
    p = cells.jordan_weights(draw, inputs, H, out)
    return p, draw.normal(size=(B, inputs)), draw.normal(size=(B, out))


@jordan_step.case(weight=4, property="hidden units and output on other sizes")
def jordan_core(rng: random.Random) -> Inputs:
    for sizes in ((3, 4, 2, 5), (2, 3, 3, 3), (4, 2, 5, 2)):
        args = jordan_inputs(rng, *sizes)
        yield told(cells.jordan, cells.JORDAN, "Compute h first, then y from the new h.", *args)


@jordan_step.case(weight=1, property="a batch of one, one unit, one output")
def jordan_edges(rng: random.Random) -> Inputs:
    for sizes in ((3, 2, 4, 1), (1, 2, 3, 2), (3, 1, 1, 2), (1, 1, 1, 1)):
        yield told(cells.jordan, cells.JORDAN, cells.AXES, *jordan_inputs(rng, *sizes))


# --- bptt

bptt = cell("bptt", {"elman_step": correct_step})


def walk_inputs(rng: random.Random, T: int, B: int, inputs: int, H: int) -> Any:
    draw = generator(rng)
    p, xs = cells.weights(draw, 1, inputs, H), draw.normal(size=(T, B, inputs))
    return p, xs, draw.normal(size=(B, H)), draw.normal(size=(T, B, H))


def measured(p: cells.Params, xs: Array, h0: Array, dhs: Array) -> cells.Params:
    """Return the gradients of the sum of dhs[t] h_t by a complex step, exact to rounding."""

    def loss(values: dict[str, Array]) -> complex:
        h, total = values["h0"], 0.0 + 0.0j
        for x, dh in zip(xs, dhs, strict=True):
            h = cells.elman(values, x, h)
            total += (dh * h).sum()
        return total

    at = {name: np.asarray(value, complex) for name, value in {**p, "h0": h0}.items()}
    gradients = {name: np.zeros(value.shape) for name, value in at.items()}
    for name, value in at.items():
        for index in np.ndindex(value.shape):
            moved = value.copy()
            moved[index] += 1e-30j
            gradients[name][index] = loss(at | {name: moved}).imag / 1e-30
    return gradients


@bptt.case(weight=5, property="all gradients on other sizes")
def walk_core(rng: random.Random) -> Inputs:
    for sizes in ((4, 3, 2, 5), (3, 2, 4, 4), (6, 2, 3, 2)):
        args = walk_inputs(rng, *sizes)
        yield told(measured, known.WALK, known.walk_hint, *args, shapes=known.SHARES)


@bptt.case(weight=1, property="one step, one row, one unit; and no step")
def walk_edges(rng: random.Random) -> Inputs:
    sizes = {(1, 2, 3, 2): "One step.", (3, 1, 2, 2): cells.AXES, (2, 3, 1, 1): cells.AXES}
    for shape, hint in (sizes | {(0, 2, 3, 2): known.T_0}).items():
        args = walk_inputs(rng, *shape)
        others = known.WALK if shape[0] else []
        yield told(measured, others, hint, *args, shapes=hint)


# --- clip_grad_norm

clip_grad_norm = cell("clip_grad_norm")


@clip_grad_norm.case(weight=4, property="above and below the limit")
def clip_core(rng: random.Random) -> Inputs:
    for share in (0.1, 0.9, 1.1, 20.0):
        draw = generator(rng)
        g = {n: draw.normal(0, 3, s) for n, s in {"a": (2, 3), "b": (4,), "c": (3, 2)}.items()}
        limit = share * known.clipped(g, 1.0)[1]
        found = [*cells.values(known.CLIP, g, limit), CHANGED]
        hint = (
            "Use one factor for all arrays, min(1, limit / norm); return the norm before clipping."
        )
        # torch divides by norm + 1e-6: as good
        yield (g, limit), expect_near(known.clipped(g, limit), 1e-5, hint, found)


@clip_grad_norm.case(weight=1, property="zeros stay zeros; very small and very large ones")
def clip_edges(rng: random.Random) -> Inputs:
    zeros = {"a": np.zeros((2, 2)), "b": np.zeros(1)}
    hint = "With gradients of 0 the norm is 0: do not divide 0 by 0."
    yield (zeros, 1.0), expect_near((zeros, 0.0), 0, hint)
    double, float32 = "A norm of 1e-5 or 1e8 is an ordinary norm.", known.IN_FLOAT64
    sizes = {1e-5: double, 1e8: double, 1e-24: float32, 1e23: float32}
    for size, why in sizes.items():
        dtype = np.float64 if why == double else np.float32
        g = {"a": (size * generator(rng).normal(size=3)).astype(dtype), "b": np.zeros(2, dtype)}
        norm = known.clipped(g, 1.0)[1]

        def right(value: Any, g: Any = g, norm: float = norm) -> bool:
            factor = min(1.0, 2.0 / norm)
            want = factor * g["a"].astype(np.float64)
            close = np.allclose(np.asarray(value[0]["a"], float), want, rtol=1e-4, atol=0)
            return bool(close) and bool(abs(float(value[1]) / norm - 1) < 1e-5)

        yield (g, 2.0), expect_that(right, why)


# --- bidirectional

bidirectional = cell("bidirectional", {"gru_cell": correct_gru})


def both_inputs(rng: random.Random, T: int, B: int, inputs: int, H: int) -> Any:
    draw = generator(rng)
    f, b = (cells.weights(draw, 3, inputs, H) for _ in range(2))
    return f, b, draw.normal(size=(T, B, inputs))


@bidirectional.case(weight=4, property="states of both directions on other sizes")
def both_core(rng: random.Random) -> Inputs:
    for sizes in ((4, 2, 3, 5), (3, 3, 3, 3), (6, 2, 4, 2)):
        args = both_inputs(rng, *sizes)
        yield told(known.both, known.BOTH, known.both_hint, *args, shapes=known.WIDTH)


@bidirectional.case(weight=1, property="one step, one row, one unit")
def both_edges(rng: random.Random) -> Inputs:
    for sizes in ((1, 2, 2, 4), (5, 1, 2, 2), (6, 3, 1, 1), (1, 1, 1, 1)):
        args = both_inputs(rng, *sizes)
        yield told(known.both, known.BOTH, cells.AXES, *args, shapes=cells.AXES)


# --- the two models


def use(answer, made, method, *args):  # type: ignore[no-untyped-def]
    import pickle

    before = pickle.dumps(args)
    result = getattr(answer(*made), method)(*args)
    return "changed" if pickle.dumps(args) != before else result


SequenceTagger = cell("SequenceTagger", {"gru_cell": correct_gru, "bidirectional": correct_both})
SequenceTagger.probe(use)
SIZES = ((5, 3, 2, 4, 3, 4), (4, 2, 3, 3, 3, 3), (7, 2, 4, 2, 2, 5))
SMALL = ((7, 1, 2, 2, 1, 5), (6, 2, 2, 1, 4, 1), (4, 2, 1, 2, 2, 3), (3, 1, 1, 1, 1, 1))


def tagger_inputs(rng: random.Random, sizes: Any) -> Any:
    """Yield parameters and ids for each size (vocabulary, d, labels, H, B, T)."""
    for vocab, d, labels, H, B, T in sizes:
        draw = generator(rng)
        yield known.tagger_weights(draw, vocab, d, labels, H), draw.integers(0, vocab, (B, T))


def tagger_case(sizes: Any, hint: str) -> Callable[[random.Random], Inputs]:
    def inputs(rng: random.Random) -> Inputs:
        for p, ids in tagger_inputs(rng, sizes):
            found = [*cells.values(known.TAGGER, p, ids), CHANGED]
            want = known.tag_logits(p, ids)
            yield ((p,), "logits", ids), close(want, hint, found, known.READOUT)

    return inputs


SequenceTagger.case(weight=4, property="the logits on other sizes")(
    tagger_case(SIZES, known.AT_EACH)
)


@SequenceTagger.case(weight=1, property="the most probable labels")
def tagger_tags(rng: random.Random) -> Inputs:
    for p, ids in tagger_inputs(rng, SIZES):
        want = known.tag_logits(p, ids).argmax(2)
        yield (
            ((p,), "tags", ids),
            expect_near(want, 0, "The tag is the label with the largest logit."),
        )


SequenceTagger.case(weight=1, property="one sentence, one token, one label")(
    tagger_case(SMALL, cells.AXES)
)

SequenceClassifier = cell("SequenceClassifier", {"gru_cell": correct_gru})
SequenceClassifier.probe(use)


def classifier_case(
    sizes: Any, hint: str, poolings: tuple[str, ...]
) -> Callable[[random.Random], Inputs]:
    def inputs(rng: random.Random) -> Inputs:
        for vocab, d, labels, H, B, T in sizes:
            draw = generator(rng)
            p = known.classifier_weights(draw, vocab, d, labels, H)
            ids, lengths = draw.integers(0, vocab, (B, T)), draw.integers(1, T + 1, B)
            ids[0, 0], lengths[0] = 0, max(1, T - 2)  # a real token 0, and padding
            for pooling in poolings:
                args = p, pooling, ids, lengths
                found = [*cells.values(known.CLASSIFIER, *args), CHANGED]
                judge = close(known.class_logits(*args), hint, found, known.READOUT)
                yield ((p, pooling), "logits", ids, lengths), judge

    return inputs


SequenceClassifier.case(weight=3, property="the last real state")(
    classifier_case(SIZES, known.POOLED, ("last",))
)
SequenceClassifier.case(weight=3, property="the mean of the real states")(
    classifier_case(SIZES, known.POOLED, ("mean",))
)
SequenceClassifier.case(weight=1, property="one text, one token, one label")(
    classifier_case(SMALL, cells.AXES, ("last", "mean"))
)


@SequenceClassifier.case(weight=1, property="last is the default; other poolings are refused")
def classifier_refuses(rng: random.Random) -> Inputs:
    p, ids = known.classifier_weights(generator(rng), 4, 2, 2, 3), np.array([[1, 2, 0], [3, 0, 0]])
    lengths = np.array([2, 1])
    want = known.class_logits(p, "last", ids, lengths)
    yield ((p,), "logits", ids, lengths), close(want, known.DEFAULT, [], known.DEFAULT)
    for pooling in ("max", "", "LAST", "sum"):  # asked for nothing that only a good object has
        yield ((p, pooling), "__sizeof__"), expect_raises(ValueError, hint=known.REFUSE)
