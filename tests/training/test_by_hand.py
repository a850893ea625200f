"""llmcourse.training.by_hand and the formulas of unit 10's checks: both are torch's, number for
number, where torch has the function; else each other's."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from llmcourse.checks import u10_data as data
from llmcourse.checks import u10_impostors as impostors
from llmcourse.checks import u10_optimizer as optimizer
from llmcourse.checks import u10_runs as runs
from llmcourse.checks import u10_step as steps
from llmcourse.training import by_hand, cost, schedules


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("pack", [by_hand.pack_documents, data.packed])
def test_packing_makes_each_token_a_target_once_after_the_token_before_it(pack, rng):
    documents = [rng.integers(1, 9, length).tolist() for length in (3, 0, 7, 1, 5)]
    ids, targets = pack(documents, 4, 0)
    counts = targets != data.IGNORED
    stream = [0, *(token for one in documents for token in [*one, 0])]
    np.testing.assert_array_equal(targets[counts], stream[1:])
    np.testing.assert_array_equal(ids[counts], stream[:-1])
    assert ids.shape == targets.shape == (math.ceil((len(stream) - 1) / 4), 4)
    assert (ids[~counts] == 0).all()


@pytest.mark.parametrize("pack", [by_hand.pack_documents, data.packed])
def test_packing_nothing_gives_no_row(pack):
    ids, targets = pack([], 5, 0)
    assert ids.shape == targets.shape == (0, 5)


@pytest.mark.parametrize("batch", [by_hand.get_batch, data.batch_of])
def test_steps_read_every_row_once_an_epoch(batch, rng):
    ids, targets, _, _, order = data.batch_inputs(rng, 7, 2, 9, 3)
    read = np.concatenate([batch(ids, targets, step, 3, order)[0] for step in range(7)])
    for epoch in range(3):
        rows = read[7 * epoch : 7 * epoch + 7]
        np.testing.assert_array_equal(rows, ids[order(epoch)])


def test_a_batch_depends_on_the_step_alone(rng):
    ids, targets, _, _, order = data.batch_inputs(rng, 5, 2, 9, 3)
    late = by_hand.get_batch(ids, targets, 7, 3, order)
    for step in range(7):
        by_hand.get_batch(ids, targets, step, 3, order)
    np.testing.assert_array_equal(late, by_hand.get_batch(ids, targets, 7, 3, order))


@pytest.mark.parametrize("step", [by_hand.adamw_step, optimizer.adamw])
def test_adamw_is_torchs_with_a_group_that_does_not_decay(step, rng):
    params, _, state, _ = optimizer.adam_inputs(rng, 0)
    theirs = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    groups = [
        {"params": [p for p in theirs.values() if p.ndim > 1], "weight_decay": 0.3},
        {"params": [p for p in theirs.values() if p.ndim < 2], "weight_decay": 0.0},
    ]
    torchs = torch.optim.AdamW(groups, lr=0.05, betas=(0.8, 0.9), eps=1e-3)
    for _ in range(10):
        grads = {name: rng.normal(size=p.shape) for name, p in params.items()}
        for name, p in theirs.items():
            p.grad = torch.tensor(grads[name])
        torchs.step()
        params, state = step(params, grads, state, 0.05, (0.8, 0.9), 1e-3, 0.3)
    for name, p in theirs.items():
        np.testing.assert_allclose(params[name], p.detach(), atol=1e-12)
    assert state["step"] == 10


@pytest.mark.parametrize("schedule", [schedules.warmup_cosine, optimizer.scheduled])
def test_the_schedule_is_torchs_cosine_after_a_line(schedule):
    p = torch.zeros(1, requires_grad=True)
    sgd = torch.optim.SGD([p], lr=2.0)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, T_max=12, eta_min=0.1)
    for step in range(3, 15):
        assert schedule(step, 15, 3, 2.0, 0.1) == pytest.approx(sgd.param_groups[0]["lr"])
        sgd.step()
        cosine.step()
    assert [schedule(step, 15, 3, 3.0) for step in (0, 1, 2)] == pytest.approx([1.0, 2.0, 3.0])
    assert schedule(40, 15, 3, 2.0, 0.1) == 0.1  # torch's rises again there
    assert schedule(4, 4, 4, 2.0, 0.1) == 0.1
    assert schedule(0, 5, 0, 2.0) == 2.0


@pytest.mark.parametrize("step", [by_hand.train_step, steps.stepped])
@pytest.mark.parametrize("size", [0.5, 3.0])
def test_a_step_over_micro_batches_is_that_of_torch_over_the_whole_batch(step, size, rng):
    args = steps.train_inputs(rng, size, 4, 1, 6)
    params, state, batches, gradient, update, max_norm = args
    new, state_after, loss, norm = step(*args)
    tensors = {name: torch.zeros(p.shape, dtype=torch.float64) for name, p in params.items()}
    for name, p in tensors.items():
        total = sum(gradient(params, batch)[2][name] for batch in batches)
        p.grad = torch.tensor(total) / 11
    theirs = torch.nn.utils.clip_grad_norm_(tensors.values(), max_norm)
    assert norm == pytest.approx(theirs.item())
    assert loss == pytest.approx(sum(batch[0] for batch in batches) / 11)
    want, want_state = update(params, {n: p.grad.numpy() for n, p in tensors.items()}, state)
    for name, p in want.items():
        np.testing.assert_allclose(new[name], p, atol=1e-6)
    assert state_after == want_state


@pytest.mark.parametrize("step", [by_hand.train_step, steps.stepped])
def test_squares_that_overflow_in_float32_are_summed_in_float64(step, rng):
    args = steps.train_inputs(rng, 4.0, 2, 3, dtype="float32")
    new, _, _, norm = step(*args)
    assert math.isfinite(norm) and norm > 1e20
    moved = math.sqrt(sum(((new[n] - args[0][n]) ** 2).sum() for n in new))
    assert moved == pytest.approx(args[5] / 2, rel=1e-4)  # max_norm times the rate of `sgd`


@pytest.mark.parametrize("evaluate", [by_hand.evaluate, runs.evaluated])
def test_bits_per_token_are_torchs_mean_over_targets_that_count(evaluate, rng):
    logits = torch.tensor(rng.normal(size=(5, 4, 7)))
    targets = torch.tensor(rng.integers(0, 7, (5, 4)))
    targets[1, 2:] = targets[4, 1:] = -100
    rows = torch.arange(5)[:, None].expand(5, 4).numpy()

    def losses(ids, part):
        here = logits[torch.tensor(ids[:, 0])]
        return F.cross_entropy(here.mT, torch.tensor(part), reduction="none").numpy()

    theirs = F.cross_entropy(logits.flatten(0, 1), targets.flatten()).item() / math.log(2)
    assert evaluate(losses, rows, targets.numpy(), 2) == pytest.approx(theirs)


def test_a_checkpoint_is_flat_and_gives_the_run_back(rng):
    params, state, step = runs.run_inputs(rng, 3, 8)
    saved = by_hand.Checkpoint(params, state, step).save_checkpoint()
    assert all(isinstance(array, np.ndarray) for array in saved.values())
    for array in params.values():
        array += 1
    params, state, step = runs.run_inputs(np.random.default_rng(0), 3, 8)
    resumed = by_hand.Checkpoint({}, {}, 0).resume(saved)
    assert runs.run_differs(resumed, (params, state, step)) == ""


def test_operations_of_the_smallest_gpt_2():
    # PaLM's formula: 6 N and 12 layers of 12 * 768 * 1024
    assert cost.flops_per_token(124_439_808, 12, 768, 1024) == 859_885_056
    assert runs.flops(124_439_808, 12, 768, 1024) == 859_885_056


def test_mfu_is_a_fraction_of_all_devices():
    assert cost.mfu(2e9, 3_000, 2.0, 1e13, 3) == pytest.approx(0.1)
    assert runs.utilisation(2e9, 3_000, 2.0, 1e13, 3) == pytest.approx(0.1)


def test_the_tiny_model_has_the_gradient_that_torch_finds(rng):
    params = {"E": rng.normal(size=(5, 5)), "g": rng.normal(size=5)}
    ids, targets = rng.integers(0, 5, (2, 3, 4))
    targets[0, 1:] = -100
    loss, count, grads = impostors.loss_and_gradient(params, (ids, targets))
    E, g = (torch.tensor(params[name], requires_grad=True) for name in ("E", "g"))
    logits = E[torch.tensor(ids)] * g
    theirs = F.cross_entropy(logits.flatten(0, 1), torch.tensor(targets).flatten(), reduction="sum")
    theirs.backward()
    assert (loss, count) == (pytest.approx(theirs.item()), 9)
    np.testing.assert_allclose(grads["E"], E.grad, atol=1e-12)
    np.testing.assert_allclose(grads["g"], g.grad, atol=1e-12)
