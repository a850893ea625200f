"""Hidden tests of unit 06. Expected values are sums over indices (`u06_mistakes`, which
tests/test_rnn.py holds to torch's cells) or a measured slope, never the solution's matrix form."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Inputs, Judge, holds, near, raises
from llmcourse.checks import u06_mistakes as known

Array = Any  # of numpy
Given = dict[str, Callable[..., Any]]
CHANGED = "The call changed its arguments: make new arrays."
EXACT = 1e-9  # float64, sums of a few dozen terms of size 1
FAR = "With sums of 1,000 an exponential overflows: use (1 + np.tanh(a / 2)) / 2."


def generator(rng: random.Random) -> np.random.Generator:
    return np.random.default_rng(rng.getrandbits(32))


def unless_changed(answer, *args):  # type: ignore[no-untyped-def]
    import pickle

    before = pickle.dumps(args)
    result = answer(*args)
    return "changed" if pickle.dumps(args) != before else result


def told(
    formula: Callable[..., Any], mistakes: known.Mistakes, hint: str, *args: Any
) -> tuple[tuple[Any, ...], Judge]:
    """The arguments and the judge that knows the mistakes by their values."""
    found = known.values(mistakes, *args) | {CHANGED: "changed"}
    return args, near(formula(*args), EXACT, hint, found)


def cell(name: str, given: Given | None = None) -> Exercise:
    exercise = Exercise(name, given=given or {})
    exercise.probe(unless_changed)
    return exercise


def drawn(rng: random.Random, blocks: int, B: int, inputs: int, H: int, states: int) -> Any:
    """Parameters, an input and so many states."""
    draw = generator(rng)
    kept = [draw.normal(size=(B, H)) for _ in range(states)]
    return known.weights(draw, blocks, inputs, H), draw.normal(size=(B, inputs)), *kept


def correct_step(p: known.Params, x: Array, h: Array) -> Array:
    """What the grader answers when an exercise calls the learner's `elman_step`."""
    return known.elman(p, np.asarray(x, float), np.asarray(h, float))


def correct_gru(p: known.Params, x: Array, h: Array) -> Array:
    """What the grader answers when an exercise calls the learner's `gru_cell`."""
    return known.gru(p, np.asarray(x, float), np.asarray(h, float))


def correct_both(forward: known.Params, backward: known.Params, xs: Array) -> Array:
    """What the grader answers when an exercise calls the learner's `bidirectional`."""
    return known.both(forward, backward, np.asarray(xs, float))


# --- the cells: each on other sizes, with a batch of one, and where it saturates

elman_step, gru_cell, lstm_cell = cell("elman_step"), cell("gru_cell"), cell("lstm_cell")
CELLS: dict[str, Any] = {
    "elman": (elman_step, 1, known.elman, known.ELMAN, "tanh of the sum of both parts."),
    "gru": (gru_cell, 3, known.gru, known.GRU, "r and z first, then n, then the mix."),
    "lstm": (lstm_cell, 4, known.lstm, known.LSTM, "c = f c + i g, then h = o tanh(c)."),
}


def add_cases(kind: str) -> None:
    _, blocks, formula, mistakes, hint = CELLS[kind]
    exercise: Exercise = CELLS[kind][0]
    states = 2 if kind == "lstm" else 1

    @exercise.case(weight=4, property="the new state on other sizes")
    def core(rng: random.Random) -> Inputs:
        for B, inputs, H in ((3, 4, 2), (2, 3, 3), (4, 1, 5)):
            args = drawn(rng, blocks, B, inputs, H, states)
            yield told(formula, mistakes, hint, *args)

    @exercise.case(weight=1, property="a batch of one, one unit")
    def edges(rng: random.Random) -> Inputs:
        for B, inputs, H in ((1, 3, 2), (1, 1, 1), (5, 2, 1)):
            args = drawn(rng, blocks, B, inputs, H, states)
            yield told(formula, mistakes, "Keep all axes, also those of length 1.", *args)

    @exercise.case(weight=1, property="sums of 1,000: no overflow, no nan")
    def far(rng: random.Random) -> Inputs:
        p, *rest = drawn(rng, blocks, 3, 2, 4, states)
        yield told(formula, mistakes, FAR, p | {"b_ih": 1000 * np.sign(p["b_ih"])}, *rest)


for _kind in CELLS:
    add_cases(_kind)

# --- jordan_step

jordan_step = cell("jordan_step")


@jordan_step.case(weight=3, property="hidden units and output on other sizes")
def jordan_core(rng: random.Random) -> Inputs:
    for B, inputs, H, out in ((3, 4, 2, 5), (2, 3, 3, 3), (4, 1, 5, 2), (1, 2, 1, 1)):
        draw = generator(rng)
        p = known.jordan_weights(draw, inputs, H, out)
        args = p, draw.normal(size=(B, inputs)), draw.normal(size=(B, out))
        yield told(known.jordan, known.JORDAN, "First h, then y from the new h.", *args)


# --- bptt

bptt = cell("bptt", {"elman_step": correct_step})


def walk_inputs(rng: random.Random, T: int, B: int, inputs: int, H: int) -> Any:
    draw = generator(rng)
    p, xs = known.weights(draw, 1, inputs, H), draw.normal(size=(T, B, inputs))
    return p, xs, draw.normal(size=(B, H)), draw.normal(size=(T, B, H))


def measured(p: known.Params, xs: Array, h0: Array, dhs: Array) -> known.Params:
    """Slopes of the sum of dhs[t] h_t by a complex step: exact to rounding, no chain rule."""

    def loss(values: dict[str, Array]) -> complex:
        h, total = values["h0"], 0.0 + 0.0j
        for x, dh in zip(xs, dhs, strict=True):
            h = known.elman(values, x, h)
            total += (dh * h).sum()
        return total

    at = {name: np.asarray(value, complex) for name, value in {**p, "h0": h0}.items()}
    slopes = {name: np.zeros(value.shape) for name, value in at.items()}
    for name, value in at.items():
        for place in np.ndindex(value.shape):
            moved = value.copy()
            moved[place] += 1e-30j
            slopes[name][place] = loss(at | {name: moved}).imag / 1e-30
    return slopes


@bptt.case(weight=5, property="all gradients on other sizes")
def walk_core(rng: random.Random) -> Inputs:
    for sizes in ((4, 3, 2, 5), (3, 2, 4, 4), (6, 1, 1, 2)):
        args = walk_inputs(rng, *sizes)
        yield told(measured, known.WALK, "Walk from the last step to the first.", *args)


@bptt.case(weight=1, property="one step, and none")
def walk_edges(rng: random.Random) -> Inputs:
    for T in (1, 0):
        args = walk_inputs(rng, T, 2, 3, 2)
        yield told(measured, {}, "With one step there is no way back; with none, only 0.", *args)


# --- clip_grad_norm

clip_grad_norm = cell("clip_grad_norm")


@clip_grad_norm.case(weight=4, property="above and below the limit")
def clip_core(rng: random.Random) -> Inputs:
    for share in (0.1, 0.9, 1.1, 20.0):
        draw = generator(rng)
        g = {n: draw.normal(0, 3, s) for n, s in {"a": (2, 3), "b": (4,), "c": (1, 2)}.items()}
        limit = share * known.clipped(g, 1.0)[1]
        found = known.values(known.CLIP, g, limit) | {CHANGED: "changed"}
        hint = "One factor, min(1, limit / norm), for all; return the norm before."
        # torch divides by norm + 1e-6: as good
        yield (g, limit), near(known.clipped(g, limit), 1e-5, hint, found)


@clip_grad_norm.case(weight=1, property="zeros stay zeros; very small and very large ones")
def clip_edges(rng: random.Random) -> Inputs:
    zeros = {"a": np.zeros((2, 2)), "b": np.zeros(1)}
    hint = "With gradients of 0 the norm is 0, and 0 / 0 must not come."
    yield (zeros, 1.0), near((zeros, 0.0), 0, hint)
    for size in (1e-5, 1e8):
        g = {"a": size * generator(rng).normal(size=3), "b": np.zeros(2)}
        norm = known.clipped(g, 1.0)[1]

        def right(value: Any, g: Any = g, norm: float = norm) -> bool:
            factor = min(1.0, 2.0 / norm)
            close = np.allclose(value[0]["a"], factor * g["a"], rtol=1e-4, atol=0)
            return bool(close) and bool(abs(value[1] / norm - 1) < 1e-9)

        yield (g, 2.0), holds(right, "A norm of 1e-5 or 1e8 is a norm like others.")


# --- bidirectional

bidirectional = cell("bidirectional", {"gru_cell": correct_gru})


@bidirectional.case(weight=4, property="states of both sides on other sizes")
def both_core(rng: random.Random) -> Inputs:
    for T, B, inputs, H in ((4, 2, 3, 5), (3, 3, 3, 3), (1, 2, 1, 4), (6, 1, 2, 1)):
        draw = generator(rng)
        f, b = (known.weights(draw, 3, inputs, H) for _ in range(2))
        hint = "Row t: forward state, then backward state, of token t."
        yield told(known.both, known.BOTH, hint, f, b, draw.normal(size=(T, B, inputs)))


# --- the two models


def use(answer, made, method, *args):  # type: ignore[no-untyped-def]
    return getattr(answer(*made), method)(*args)


SequenceTagger = cell("SequenceTagger", {"gru_cell": correct_gru, "bidirectional": correct_both})
SequenceTagger.probe(use)
TAGGER_SIZES = ((5, 3, 2, 4, 3, 4), (4, 2, 3, 3, 3, 3), (7, 1, 2, 2, 1, 5), (6, 2, 2, 1, 4, 1))


def tagger_inputs(rng: random.Random) -> Any:
    """Parameters and ids of each size: vocabulary, d, labels, H, B, T."""
    for vocab, d, labels, H, B, T in TAGGER_SIZES:
        draw = generator(rng)
        yield known.tagger_weights(draw, vocab, d, labels, H), draw.integers(0, vocab, (B, T))


@SequenceTagger.case(weight=3, property="the logits on other sizes")
def tagger_core(rng: random.Random) -> Inputs:
    for p, ids in tagger_inputs(rng):
        found = known.values(known.TAGGER, p, ids)
        want = known.tag_logits(p, ids)
        yield ((p,), "logits", ids), near(want, EXACT, "W s + b at each place.", found)


@SequenceTagger.case(weight=1, property="the likeliest labels")
def tagger_tags(rng: random.Random) -> Inputs:
    for p, ids in tagger_inputs(rng):
        want = known.tag_logits(p, ids).argmax(2)
        yield ((p,), "tags", ids), near(want, 0, "The label with the largest logit.")


SequenceClassifier = cell("SequenceClassifier", {"gru_cell": correct_gru})
SequenceClassifier.probe(use)


def classifier_case(pooling: str) -> Callable[[random.Random], Inputs]:
    def inputs(rng: random.Random) -> Inputs:
        for vocab, d, labels, H, B, T in TAGGER_SIZES:
            draw = generator(rng)
            p, ids = (
                known.classifier_weights(draw, vocab, d, labels, H),
                draw.integers(0, vocab, (B, T)),
            )
            lengths = draw.integers(1, T + 1, B)
            lengths[0] = max(1, T - 2)
            args = p, pooling, ids, lengths
            found = known.values(known.CLASSIFIER, *args)
            hint = f"pooling {pooling}: W s + b of the pooled state of each row."
            want = known.class_logits(*args)
            yield ((p, pooling), "logits", ids, lengths), near(want, EXACT, hint, found)

    return inputs


SequenceClassifier.case(weight=3, property="the last real state")(classifier_case("last"))
SequenceClassifier.case(weight=3, property="the mean of the real states")(classifier_case("mean"))


@SequenceClassifier.case(weight=1, property="last is the default; other poolings are refused")
def classifier_refuses(rng: random.Random) -> Inputs:
    p, ids = known.classifier_weights(generator(rng), 4, 2, 2, 3), np.array([[1, 2, 0], [3, 0, 0]])
    lengths = np.array([2, 1])
    want = known.class_logits(p, "last", ids, lengths)
    yield ((p,), "logits", ids, lengths), near(want, EXACT, "pooling is last unless given.")
    for pooling in ("max", "", "LAST"):
        yield (
            ((p, pooling), "logits", ids, lengths),
            raises(ValueError, hint="refuse any other pooling when the object is made."),
        )
