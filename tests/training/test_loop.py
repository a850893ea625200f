"""The loop: one step is torch's own, micro-batches are one batch, and what is wrong stops it."""

import math

import pytest
import torch
from torch.nn import functional as F

from llmcourse.training.loop import Record, train
from llmcourse.training.optimizers import adamw
from llmcourse.training.packing import IGNORED, BatchStream
from tests.training.tiny import CONFIG, optimizers, same, text, tiny


def constant(step):
    return 1.0


def batch(rows=4, seed=0, ignored=0):
    random = torch.Generator().manual_seed(seed)
    ids = torch.randint(CONFIG.vocab_size, (rows, 9), generator=random)
    targets = ids[:, 1:].clone()
    targets.view(-1)[:ignored] = IGNORED
    return ids[:, :-1], targets


def by_hand(model, batches, lr, max_norm):
    """Torch's own parts: mean loss, clip_grad_norm_, AdamW."""
    optimizer = adamw(model.parameters(), lr)
    shown = []
    for ids, targets in batches:
        loss = F.cross_entropy(model(ids).flatten(0, 1), targets.flatten())
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        optimizer.step()
        optimizer.zero_grad()
        shown.append((float(loss.detach()), float(norm)))
    return shown


@pytest.mark.parametrize("max_norm", [0.1, 100.0])
def test_steps_are_those_of_torchs_own_parts(max_norm):
    batches = [batch(seed=i, ignored=3 * i) for i in range(4)]
    mine, theirs = tiny(), tiny()
    history = train(mine, batches, [adamw(mine.parameters(), 0.01)], 4, constant, max_norm=max_norm)
    shown = by_hand(theirs, batches, 0.01, max_norm)
    assert [record.step for record in history] == [0, 1, 2, 3]
    assert [record.targets for record in history] == [32, 29, 26, 23]
    for record, (loss, norm) in zip(history, shown, strict=True):
        assert math.isclose(record.loss, loss, rel_tol=1e-5)
        assert math.isclose(record.norm, norm, rel_tol=1e-4)
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p, q, atol=2e-5, rtol=0)


def test_micro_batches_of_different_numbers_of_targets_are_one_batch():
    ids, targets = batch(6, ignored=19)  # the first two rows have none, the third has five
    whole, cut = tiny(), tiny()
    parts = [(ids[:1], targets[:1]), (ids[1:3], targets[1:3]), (ids[3:], targets[3:])]
    for model, batches, n in ((whole, [(ids, targets)], 1), (cut, parts, 3)):
        (record,) = train(model, batches, optimizers(model), 9, constant, micro_batches=n)
        assert record.targets == 29
    for p, q in zip(whole.parameters(), cut.parameters(), strict=True):
        torch.testing.assert_close(p, q, atol=1e-6, rtol=0)


def test_the_schedule_is_a_factor_of_each_groups_own_rate():
    model = tiny()
    made = optimizers(model)
    rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in made]
    seen = []

    def look(history):
        seen.append([group["lr"] for optimizer in made for group in optimizer.param_groups])

    history = train(model, [batch()] * 3, made, 3, lambda step: (step + 1) / 4, after_step=look)
    flat = [lr for own in rates for lr in own]
    assert seen == [[lr * (step + 1) / 4 for lr in flat] for step in range(3)]
    assert [record.factor for record in history] == [0.25, 0.5, 0.75]


def test_it_learns_and_ends_when_the_batches_end():
    model = tiny()
    ids, targets = batch(8)
    history = train(model, iter([(ids, targets)] * 20), optimizers(model), 1000, lambda step: 3.0)
    assert len(history) == 20
    assert history[-1].loss < 0.8 * history[0].loss


def test_a_part_of_the_micro_batches_at_the_end_is_a_step_too():
    model = tiny()
    history = train(model, [batch()] * 3, optimizers(model), 9, constant, micro_batches=2)
    assert [record.targets for record in history] == [64, 32]


def test_bfloat16_changes_the_numbers_and_not_the_parameters_dtype_and_learns():
    first, second = tiny(), tiny()
    ids, targets = batch(8)
    plain = train(first, [(ids, targets)] * 9, optimizers(first), 9, constant)
    short = train(second, [(ids, targets)] * 9, optimizers(second), 9, constant, bf16=True)
    assert {p.dtype for p in second.parameters()} == {torch.float32}
    assert short[-1].loss != plain[-1].loss
    assert abs(short[-1].loss - plain[-1].loss) < 0.1 * plain[0].loss
    assert len({record.loss for record in short}) == 9  # casts are not kept from step to step


def test_a_gradient_whose_square_float32_cannot_hold_is_clipped_and_not_lost():
    weight = torch.nn.Parameter(torch.ones(1))

    class Steep(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = weight

        def forward(self, ids):
            moved = 1e25 * (self.weight - self.weight.detach())  # value 0, gradient 1e25
            return moved * F.one_hot(ids, 3).float()

    optimizer = torch.optim.SGD([weight], lr=1.0)
    ids = torch.zeros(1, 1, dtype=torch.long)
    (record,) = train(Steep(), [(ids, ids)], [optimizer], 1, constant, max_norm=0.5)
    assert math.isclose(record.norm, 1e25 * 2 / 3, rel_tol=1e-5)
    assert math.isclose(float(weight.detach()), 1.5, rel_tol=1e-6)


def test_gradients_of_zero_are_no_error():
    model = tiny()
    with torch.no_grad():
        model.embed.weight.zero_()
        model.norm.weight.zero_()
    (record,) = train(model, [batch()], optimizers(model), 1, constant)
    assert record.norm == 0.0
    assert all(p.isfinite().all() for p in model.parameters())


def test_no_target_and_no_finite_loss_are_refused_in_one_line():
    model = tiny()
    nothing = batch(ignored=32)
    with pytest.raises(ValueError, match="at least one target that counts, got none in step 1"):
        train(model, [batch(), nothing], optimizers(model), 2, constant)
    with torch.no_grad():
        model.norm.weight.fill_(torch.nan)
    with pytest.raises(ValueError, match="a finite loss, got nan in step 0: lower"):
        train(model, [batch()], optimizers(model), 2, constant)


def test_history_goes_on_from_the_one_given_and_that_is_not_changed():
    model = tiny()
    before = [Record(0, 1.0, 1.0, 8, 1.0, 0.1), Record(1, 1.0, 1.0, 8, 1.0, 0.1)]
    steps = []
    history = train(
        model, BatchStream(text(), 8, 2), optimizers(model), 4,
        lambda step: steps.append(step) or 1.0, history=before,
    )  # fmt: skip
    assert steps == [2, 3] and [record.step for record in history] == [0, 1, 2, 3]
    assert len(before) == 2
    assert train(model, BatchStream(text(), 8, 2), [], 4, constant, history=history) == history


def test_another_forward_has_the_models_parameters():
    first, second = tiny(), tiny()
    called = []

    def forward(ids):
        called.append(len(ids))
        return second(ids)

    train(first, [batch()], optimizers(first), 1, constant)
    train(second, [batch()], optimizers(second), 1, constant, forward=forward)
    assert called == [4] and same(first, second)


def test_the_bar_shows_loss_speed_and_time_left_on_standard_output(capfd):
    model = tiny()
    train(model, [batch()] * 3, optimizers(model), 3, constant)
    assert capfd.readouterr() == ("", "")
    train(model, [batch()] * 3, optimizers(model), 3, constant, progress=True)
    out, err = capfd.readouterr()
    last = out.strip().split("\r")[-1]
    assert err == "" and "3/3 steps" in last and "left, loss " in last and "tokens/s" in last
