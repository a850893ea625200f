"""Hidden tests of unit 10: data, optimiser, evaluation and cost. Expected values come from the loops
of `checks.u10_*`, which tests/training holds to torch, never from the solution's array form.

unit: 10_pretraining
"""

import random
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Inputs, Mistake, asked, expect_near, expect_that
from autograder.units.arrays import EXACT, generator, or_changed
from autograder.units.judging import exercise_of
from autograder.units.u10_impostors import test_train_step
from autograder.units.u10_step import of_parts, train_step
from llmcourse.checks import u10_data as data
from llmcourse.checks import u10_optimizer as optimizer
from llmcourse.checks import u10_runs as runs
from llmcourse.checks.u10_judging import told

__all__ = [
    "Checkpoint", "adamw_step", "evaluate", "flops_per_token", "get_batch", "mfu",
    "pack_documents", "test_train_step", "train_step", "warmup_cosine",
]  # fmt: skip

# --- pack_documents

pack_documents = exercise_of("pack_documents")
PACKED = or_changed(data.pack_mistakes)


@pack_documents.case(weight=4, property="the rows of other documents; nothing is lost")
def pack_core(rng: random.Random) -> Inputs:
    for T, sizes in ((4, (3, 6, 2, 1)), (5, (4, 9, 4)), (3, (5, 5))):
        args = data.pack_inputs(generator(rng), T, sizes)
        yield of_parts(asked(args, data.packed, data.PACKED, PACKED), 2, data.PAIR)
    lengths = [rng.randint(1, 12) for _ in range(30)]
    yield asked(data.pack_inputs(generator(rng), 7, lengths), data.packed, data.PACKED, PACKED)


@pack_documents.case(weight=1, property="rows that are exactly full")
def pack_full(rng: random.Random) -> Inputs:
    for T, sizes in ((4, (3, 3)), (6, (2, 8)), (5, (4,))):
        args = data.pack_inputs(generator(rng), T, sizes)
        yield asked(args, data.packed, data.PACK_FLAWS["one more"], PACKED)


@pack_documents.case(weight=1, property="empty documents, T = 1, one short document, none at all")
def pack_edges(rng: random.Random) -> Inputs:
    hint = "An empty document is its `end`; without documents the arrays are (0, T)."
    for T, sizes in ((3, (0, 2, 0)), (1, (2, 1)), (9, (2,)), (4, ()), (2, (0,))):
        args = data.pack_inputs(generator(rng), T, sizes)
        yield asked(args, data.packed, hint, PACKED)


# --- get_batch; sizes are (N, T, step, batch_size)

get_batch = exercise_of("get_batch")


def batch_case(rng: random.Random, hint: str, *sizes: int) -> Any:
    args = data.batch_inputs(generator(rng), *sizes)
    return of_parts(asked(args, data.batch_of, hint, or_changed(data.batch_mistakes)), 2, data.PAIR)


@get_batch.case(weight=4, property="the rows of several steps, across epochs")
def batch_core(rng: random.Random) -> Inputs:
    for sizes in ((17, 3, 1, 5), (17, 3, 6, 5), (5, 2, 6, 3), (8, 2, 2, 5), (9, 2, 1, 2)):
        yield batch_case(rng, data.BATCH, *sizes)


@get_batch.case(weight=1, property="a batch larger than the data; one row; a late step")
def batch_edges(rng: random.Random) -> Inputs:
    for sizes in ((3, 2, 1, 8), (1, 2, 4, 3), (4, 1, rng.randint(200, 300), 3), (5, 2, 0, 5)):
        yield batch_case(rng, data.BATCH, *sizes)


# --- adamw_step

adamw_step = exercise_of("adamw_step")
OF_ADAM = or_changed(optimizer.adam_mistakes)


@adamw_step.case(weight=4, property="parameters and state, early and later, with other settings")
def adam_core(rng: random.Random) -> Inputs:
    for t in (0, 1, rng.randint(3, 9)):
        betas = rng.uniform(0.3, 0.6), rng.uniform(0.7, 0.9)
        args = optimizer.adam_inputs(
            generator(rng), t, betas, rng.uniform(0.05, 0.2), rng.uniform(0.4, 0.8)
        )
        yield asked(args, optimizer.adamw, optimizer.ADAM, OF_ADAM, EXACT)


@adamw_step.case(weight=1, property="the settings have the defaults of the exercise")
def adam_defaults(rng: random.Random) -> Inputs:
    hint = "betas = (0.9, 0.95), eps = 1e-8 and weight_decay = 0.1 unless given."
    for t in (0, rng.randint(2, 6)):
        args = optimizer.adam_inputs(generator(rng), t)
        yield asked(args, optimizer.adamw, hint, OF_ADAM, EXACT)


@adamw_step.case(weight=1, property="gradients of very different sizes; a gradient of 0")
def adam_sizes(rng: random.Random) -> Inputs:
    hint = "The step hardly depends on the size of a gradient, and eps keeps 0 / 0 away."
    params, grads, _, lr = optimizer.adam_inputs(generator(rng), 0)
    for factor in (1e6, 1e-6, 0.0):
        scaled = {name: factor * g for name, g in grads.items()}
        yield asked((params, scaled, {}, lr), optimizer.adamw, hint, OF_ADAM, EXACT)


# --- warmup_cosine

warmup_cosine = exercise_of("warmup_cosine")
OF_SCHEDULE = optimizer.schedule_mistakes


@warmup_cosine.case(weight=4, property="every step of other runs, with another lr_min")
def schedule_core(rng: random.Random) -> Inputs:
    steps, warmup = rng.randint(20, 40), rng.randint(4, 9)
    lr, lr_min = rng.uniform(1, 3), rng.uniform(0.1, 0.5)
    for step in range(steps + 6):
        args = step, steps, warmup, lr, lr_min
        yield asked(args, optimizer.scheduled, optimizer.SCHEDULE, OF_SCHEDULE, EXACT)


@warmup_cosine.case(weight=1, property="lr_min is 0 unless given; no warm-up; nothing but warm-up")
def schedule_edges(rng: random.Random) -> Inputs:
    lr = rng.uniform(1, 3)
    for steps, warmup, *rest in ((12, 3), (8, 0, 0.2), (5, 5, 0.1), (1, 0), (1, 1, 0.3)):
        for step in range(steps + 2):
            args = step, steps, warmup, lr, *rest
            yield asked(args, optimizer.scheduled, optimizer.SCHEDULE, OF_SCHEDULE, EXACT)


# --- evaluate; sizes are (N, T, batch_size)

evaluate = exercise_of("evaluate")
OF_EVALUATE = or_changed(runs.evaluate_mistakes)


def evaluate_case(rng: random.Random, hint: str, *sizes: int) -> Any:
    args = runs.evaluate_inputs(generator(rng), *sizes)
    return asked(args, runs.evaluated, hint, OF_EVALUATE, EXACT)


@evaluate.case(weight=4, property="the bits per token over batches of different sizes")
def evaluate_core(rng: random.Random) -> Inputs:
    for sizes in ((7, 5, 3), (5, 4, 2), (4, 6, 3)):
        yield evaluate_case(rng, runs.EVALUATE, *sizes)


@evaluate.case(weight=1, property="one row, one token, a batch larger than the data, full batches")
def evaluate_edges(rng: random.Random) -> Inputs:
    for sizes in ((1, 4, 2), (3, 1, 2), (2, 3, 9), (6, 3, 2)):
        yield evaluate_case(rng, runs.ALL_ROWS, *sizes)


@evaluate.case(weight=1, property="losses at padding may be nan")
def evaluate_nan(rng: random.Random) -> Inputs:
    losses, ids, targets, size = runs.evaluate_inputs(generator(rng), 5, 4, 2)
    targets[0, 1:] = data.IGNORED

    def undefined(i: Any, t: Any) -> Any:
        return np.where(np.asarray(t) == data.IGNORED, np.nan, losses(i, t))

    judge = expect_near(runs.evaluated(losses, ids, targets, size), EXACT, runs.AT_PADDING)
    yield (undefined, ids, targets, size), judge


# --- Checkpoint

Checkpoint = Exercise("Checkpoint")


@Checkpoint.probe
def saved_and_resumed(answer, params, state, step):  # type: ignore[no-untyped-def]
    """Return whether the checkpoint is flat, what was resumed after training went on, and whether
    that belongs to the run alone (a probe)."""
    import pickle

    given = pickle.dumps((params, state))
    saved = answer(params, state, step).save_checkpoint()
    changed = pickle.dumps((params, state)) != given
    flat = isinstance(saved, dict) and all(
        isinstance(name, str) and not isinstance(value, (dict, list, tuple, str, bytes, bool))
        for name, value in saved.items()
    )
    moved = [params] + [state[key] for key in ("m", "v") if key in state]
    for arrays in moved:
        for array in arrays.values():
            array += 1
    if state:
        state["step"] += 1
    kept = pickle.loads(pickle.dumps(saved))  # as in a new process
    first = answer({}, {}, 0).resume(kept)
    for array in first[0].values():
        array += 1
    return [flat, changed, list(answer({}, {}, 0).resume(pickle.loads(pickle.dumps(saved))))]


def resumed(rng: random.Random, hint: str, *sizes: Any) -> Any:
    """Return one run to save, and who judges whether it came back."""
    params, state, step = runs.run_inputs(generator(rng), *sizes)
    after: Any = [
        {name: array + 1 for name, array in part.items()}
        for part in (params, state.get("m", {}), state.get("v", {}))
    ]
    moved = {"step": state["step"] + 1, "m": after[1], "v": after[2]} if state else {}

    def right(value: Any) -> bool:
        return value[:2] == [True, False] and not runs.run_differs(value[2], (params, state, step))

    def shared(value: Any) -> bool:
        return not runs.run_differs(value[2], (after[0], moved, step)) or any(
            np.array_equal(value[2][0][name], after[0][name]) for name in params
        )

    def lacks(why: str) -> Mistake:
        return Mistake(lambda value: runs.run_differs(value[2], (params, state, step)) == why, why)

    mistakes = [
        Mistake(lambda value: not value[0], runs.FLAT),
        Mistake(lambda value: value[1], "save_checkpoint changed its arguments."),
        Mistake(shared, runs.COPIES),
        *map(lacks, (runs.OPTIMISER, runs.FIRST, runs.DTYPES)),
    ]
    return (params, state, step), expect_that(right, hint, mistakes)


@Checkpoint.case(weight=4, property="a run comes back as it was, also if training goes on")
def checkpoint_core(rng: random.Random) -> Inputs:
    hint = f"{runs.BACK} {runs.OTHER_OBJECT}"
    for _ in range(2):
        yield resumed(rng, hint, rng.randint(2, 90), rng.randint(100, 900))


@Checkpoint.case(weight=1, property="before the first step; without parameters; step 0")
def checkpoint_edges(rng: random.Random) -> Inputs:
    yield resumed(rng, runs.FIRST, 0, 0)
    yield resumed(rng, "There may be no parameter.", 3, rng.randint(1, 9), {})


@Checkpoint.case(weight=1, property="parameters of any name and shape")
def checkpoint_names(rng: random.Random) -> Inputs:
    names = ["step", "m", "v", "params", "m.step", "v/m", "params/m", "state.m.W", "a:b", "m_W"]
    rng.shuffle(names)
    shapes = {name: ((), (2,), (1, 3), (2, 1, 2))[i % 4] for i, name in enumerate(names)}
    yield resumed(rng, runs.NAMES, 4, 7, shapes)


# --- flops_per_token, mfu

flops_per_token = exercise_of("flops_per_token")


@flops_per_token.case(weight=3, property="the operations of other models")
def flops_core(rng: random.Random) -> Inputs:
    for _ in range(4):
        args = tuple(rng.randint(2, 90) for _ in range(4))
        yield asked(args, runs.flops, runs.FLOPS, lambda *a: told(runs.flops, a, runs.FLOPS_FLAWS))


@flops_per_token.case(weight=1, property="a large model")
def flops_large(rng: random.Random) -> Inputs:
    args = rng.randint(10**9, 10**11), 96, 12288, 2048
    yield asked(args, runs.flops, runs.FLOPS, tolerance=EXACT)


mfu = exercise_of("mfu")
FRACTION = "flops * tokens / (seconds * peak * devices)."


@mfu.case(weight=3, property="the fraction of other runs, on several devices")
def mfu_core(rng: random.Random) -> Inputs:
    for least in (300, 300, 300, 0.01):  # with the last one the fraction is above 1
        args = (
            rng.uniform(1, 9), rng.randint(5, 90), rng.uniform(1.5, 9), rng.uniform(1, 3) * least,
            rng.randint(2, 8),
        )  # fmt: skip
        yield asked(args, runs.utilisation, FRACTION,
                    lambda *a: told(runs.utilisation, a, runs.MFU_FLAWS), EXACT)  # fmt: skip


@mfu.case(weight=1, property="one device unless given")
def mfu_one(rng: random.Random) -> Inputs:
    args = rng.uniform(1e9, 9e9), rng.randint(5, 90) * 1000, rng.uniform(1.5, 9), 3e13
    yield asked(args, runs.utilisation, FRACTION, tolerance=EXACT)
