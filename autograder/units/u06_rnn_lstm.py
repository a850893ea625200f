"""Hidden tests of unit 06. Expected values are sums over indices (`checks.u06_cells` and its
neighbours, which tests/models/test_rnn.py holds to torch's cells) or a measured derivative, never
the solution's matrix form."""

import random
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Inputs, expect_near, expect_raises, expect_that
from autograder.units.arrays import CHANGED, Array, generator
from autograder.units.judging import EVERY, add_case, core, edge, exercise_of
from llmcourse.checks import u06_backward as backward
from llmcourse.checks import u06_cells as cells
from llmcourse.checks import u06_models as models
from llmcourse.checks.u06_judging import ALL_AXES


def use(answer, made, method, *args):  # type: ignore[no-untyped-def]
    import pickle

    before = pickle.dumps(args)
    result = getattr(answer(*made), method)(*args)
    return "changed" if pickle.dumps(args) != before else result


def correct_step(params: cells.Params, x: Array, h: Array) -> Array:
    """Answer the calls of the learner's `elman_step`."""
    return cells.elman(params, np.asarray(x, float), np.asarray(h, float))


def correct_gru(params: cells.Params, x: Array, h: Array) -> Array:
    """Answer the calls of the learner's `gru_cell`."""
    return cells.gru(params, np.asarray(x, float), np.asarray(h, float))


def correct_both(forward: cells.Params, backward: cells.Params, xs: Array) -> Array:
    """Answer the calls of the learner's `bidirectional`."""
    return models.both(forward, backward, np.asarray(xs, float))


# --- the cells: each on other sizes, with a batch of one, and where it saturates


def exercise_of_cell(
    name: str, blocks: int, formula: Any, mistakes: Any, hint: str, stable: str, states: int = 1
) -> Exercise:
    def draw(rng: Any, B: int, inputs: int, H: int) -> Any:
        return cells.cell_inputs(rng, blocks, B, inputs, H, states)

    def draw_large(rng: Any, *size: int) -> Any:
        return cells.with_large_sums(*draw(rng, *size))

    exercise, known = exercise_of(name), (formula, mistakes)
    judging, overflow = core(hint, cells.OUTPUTS_ARE_ROWS), edge(cells.OVERFLOWS.format(stable))
    sizes, small = ((3, 4, 2), (2, 3, 3), (4, 2, 5)), ((1, 3, 2), (1, 1, 1), (5, 2, 1), (4, 1, 5))
    add_case(exercise, 4, "the new state on other sizes", judging, sizes, draw, *known)
    add_case(exercise, 1, "a batch of one, one unit", edge(ALL_AXES), small, draw, *known)
    large = "sums of 1,000: no overflow, no nan"
    add_case(exercise, 1, large, overflow, ((3, 2, 4),), draw_large, *known)
    return exercise


elman_step = exercise_of_cell(
    "elman_step", 1, cells.elman, cells.elman_mistakes,
    "The state is the tanh of the sum of both parts.", "np.tanh",
)  # fmt: skip
gru_cell = exercise_of_cell(
    "gru_cell", 3, cells.gru, cells.gru_mistakes,
    "Compute r and z first, then n, then (1 - z) n + z h.", cells.SIGMOID,
)  # fmt: skip
lstm_cell = exercise_of_cell(
    "lstm_cell", 4, cells.lstm, cells.lstm_mistakes,
    "c = f c + i g, then h = o tanh(c).", cells.SIGMOID, states=2,
)  # fmt: skip

# --- jordan_step

jordan_step = exercise_of("jordan_step")
JORDAN = cells.jordan_inputs, cells.jordan, cells.jordan_mistakes
add_case(
    jordan_step, 4, "hidden units and output on other sizes",
    core("Compute h first, then y from the new h.", cells.OUTPUTS_ARE_ROWS),
    ((3, 4, 2, 5), (2, 3, 3, 3), (4, 2, 5, 2)), *JORDAN,
)  # fmt: skip
add_case(
    jordan_step, 1, "a batch of one, one unit, one output", edge(ALL_AXES),
    ((3, 2, 4, 1), (1, 2, 3, 2), (3, 1, 1, 2), (1, 1, 1, 1)), *JORDAN,
)  # fmt: skip

# --- bptt

bptt = exercise_of("bptt", elman_step=correct_step)


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


BPTT = backward.bptt_inputs, measured, backward.bptt_mistakes
add_case(
    bptt, 5, "all gradients on other sizes",
    core(backward.bptt_hint, backward.SHAPES, unfit=EVERY),
    ((4, 3, 2, 5), (3, 2, 4, 4), (6, 2, 3, 2)), *BPTT,
)  # fmt: skip


@bptt.case(weight=1, property="one step, one row, one unit; and no step")
def bptt_edges(rng: random.Random) -> Inputs:
    sizes = {(1, 2, 3, 2): "One step.", (3, 1, 2, 2): ALL_AXES, (2, 3, 1, 1): ALL_AXES}
    for size, hint in (sizes | {(0, 2, 3, 2): backward.NO_STEP}).items():
        args = backward.bptt_inputs(generator(rng), *size)
        yield args, edge(hint)(measured(*args), backward.bptt_mistakes(*args))


# --- clip_grad_norm

clip_grad_norm = exercise_of("clip_grad_norm")


@clip_grad_norm.case(weight=4, property="above and below the limit")
def clip_core(rng: random.Random) -> Inputs:
    for of_norm in (0.1, 0.9, 1.1, 20.0):
        draw = generator(rng)
        g = {n: draw.normal(0, 3, s) for n, s in {"a": (2, 3), "b": (4,), "c": (3, 2)}.items()}
        limit = of_norm * backward.clipped(g, 1.0)[1]
        found = [*backward.clip_mistakes(g, limit), CHANGED]
        hint = (
            "Use one factor for all arrays, min(1, limit / norm); return the norm before clipping."
        )
        # torch divides by norm + 1e-6: as good
        yield (g, limit), expect_near(backward.clipped(g, limit), 1e-5, hint, found)


@clip_grad_norm.case(weight=1, property="zeros stay zeros; very small and very large ones")
def clip_edges(rng: random.Random) -> Inputs:
    zeros = {"a": np.zeros((2, 2)), "b": np.zeros(1)}
    hint = "With gradients of 0 the norm is 0: do not divide 0 by 0."
    yield (zeros, 1.0), expect_near((zeros, 0.0), 0, hint)
    ordinary = "A norm of 1e-5 or 1e8 is an ordinary norm."
    for size, dtype in ((1e-5, "float64"), (1e8, "float64"), (1e-24, "float32"), (1e23, "float32")):
        g = {"a": (size * generator(rng).normal(size=3)).astype(dtype), "b": np.zeros(2, dtype)}
        norm = backward.clipped(g, 1.0)[1]

        def right(value: Any, g: Any = g, norm: float = norm) -> bool:
            want = min(1.0, 2.0 / norm) * g["a"].astype(np.float64)
            close = np.allclose(np.asarray(value[0]["a"], float), want, rtol=1e-4, atol=0)
            return bool(close) and bool(abs(float(value[1]) / norm - 1) < 1e-5)

        yield (g, 2.0), expect_that(right, ordinary if dtype == "float64" else backward.IN_FLOAT64)


# --- bidirectional

bidirectional = exercise_of("bidirectional", gru_cell=correct_gru)
BOTH = models.both_inputs, models.both, models.both_mistakes
add_case(
    bidirectional, 4, "states of both directions on other sizes",
    core(models.both_hint, "A state is (B, H), with H = W_hh.shape[1].", unfit=EVERY),
    ((4, 2, 3, 5), (3, 3, 3, 3), (6, 2, 4, 2)), *BOTH,
)  # fmt: skip
add_case(
    bidirectional, 1, "one step, one row, one unit", edge(ALL_AXES),
    ((1, 2, 2, 4), (5, 1, 2, 2), (6, 3, 1, 1), (1, 1, 1, 1)), *BOTH,
)  # fmt: skip

# --- the two models; sizes are (vocabulary, d, labels, H, B, T)

SIZES = ((5, 3, 2, 4, 3, 4), (4, 2, 3, 3, 3, 3), (7, 2, 4, 2, 2, 5))
SMALL = ((7, 1, 2, 2, 1, 5), (6, 2, 2, 1, 4, 1), (4, 2, 1, 2, 2, 3), (3, 1, 1, 1, 1, 1))

EARLIER = {"gru_cell": correct_gru, "bidirectional": correct_both}
SequenceTagger = exercise_of("SequenceTagger", use, **EARLIER)


def tagger(sizes: Any) -> tuple[Any, ...]:
    def asked(p: cells.Params, ids: Array) -> Any:
        return (p,), "logits", ids

    return sizes, models.tagger_inputs, models.tag_logits, models.tagger_mistakes, asked


at_each = "The logits are W s + b at each position, with both halves of the state."
add_case(
    SequenceTagger, 4, "the logits on other sizes", core(at_each, models.READOUT), *tagger(SIZES)
)


@SequenceTagger.case(weight=1, property="the most probable labels")
def tagger_tags(rng: random.Random) -> Inputs:
    for size in SIZES:
        p, ids = models.tagger_inputs(generator(rng), *size)
        want = models.tag_logits(p, ids).argmax(2)
        hint = "The tag is the label with the largest logit."
        yield ((p,), "tags", ids), expect_near(want, 0, hint)


add_case(SequenceTagger, 1, "one sentence, one token, one label", edge(ALL_AXES), *tagger(SMALL))

SequenceClassifier = exercise_of("SequenceClassifier", use, gru_cell=correct_gru)


def classifier(sizes: Any, *poolings: Any) -> tuple[Any, ...]:
    def draw(rng: Any, pooling: str, *size: int) -> Any:
        p, ids, lengths = models.classifier_inputs(rng, *size)
        return p, pooling, ids, lengths

    def asked(p: cells.Params, pooling: str, *given: Array) -> Any:
        return (p, pooling), "logits", *given

    pooled = [(pooling, *size) for size in sizes for pooling in poolings]
    return pooled, draw, models.class_logits, models.classifier_mistakes, asked


pooled = "The pooled state is wrong: which positions count? Token 0 is an ordinary token."
for weight, what, judging, *given in (
    (3, "the last real state", core(pooled, models.READOUT), SIZES, "last"),
    (3, "the mean of the real states", core(pooled, models.READOUT), SIZES, "mean"),
    (1, "one text, one token, one label", edge(ALL_AXES), SMALL, "last", "mean"),
):
    add_case(SequenceClassifier, weight, what, judging, *classifier(*given))


@SequenceClassifier.case(weight=1, property="last is the default; other poolings are refused")
def classifier_refuses(rng: random.Random) -> Inputs:
    p, ids, _ = models.classifier_inputs(generator(rng), 4, 2, 2, 3, 2, 3)
    lengths = np.array([2, 1])
    want = models.class_logits(p, "last", ids, lengths)
    yield ((p,), "logits", ids, lengths), edge('pooling is "last" unless given.')(want, [])
    hint = "Refuse any other pooling when the object is made."
    for pooling in ("max", "", "LAST", "sum"):  # asked for nothing that only a good object has
        yield ((p, pooling), "__sizeof__"), expect_raises(ValueError, hint)
