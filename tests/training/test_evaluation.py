"""Evaluation counts each target once, whatever the batches, and changes nothing."""

import math

import pytest
import torch
from torch import nn

from llmcourse import world
from llmcourse.training.evaluation import evaluate, gap_closed, mean_bits, token_losses
from llmcourse.training.packing import IGNORED, windows
from tests.training.tiny import text, tiny


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_bits_are_the_mean_over_targets_in_batches_of_any_size(batch_size):
    model = tiny()
    ids, targets = windows(text(45), 8)
    logps = model(ids).log_softmax(-1).detach()
    real = targets != IGNORED
    picked = logps.gather(2, targets.clamp(min=0)[..., None])[..., 0][real]
    found = evaluate(token_losses(model), ids, targets, batch_size)
    assert math.isclose(found, -float(picked.mean()) / math.log(2), rel_tol=1e-6)


def test_a_loss_of_nan_at_padding_does_no_harm():
    def losses(ids, targets):
        return torch.where(targets == IGNORED, torch.nan, math.log(2) * ids)

    ids, targets = torch.tensor([[3, 5], [7, 9]]), torch.tensor([[1, IGNORED], [2, 1]])
    assert math.isclose(evaluate(losses, ids, targets, 1), (3 + 7 + 9) / 3, rel_tol=1e-6)


def test_without_targets_there_is_no_mean():
    with pytest.raises(ValueError, match="at least one target"):
        evaluate(lambda ids, targets: ids * 1.0, torch.zeros(2, 2), torch.full((2, 2), IGNORED), 1)


def test_dropout_is_off_and_comes_back():
    model = nn.Sequential(nn.Embedding(5, 5), nn.Dropout(0.5))
    ids, targets = windows(torch.arange(30) % 5, 6)
    losses = token_losses(model)
    for mode in (True, False):
        model.train(mode)
        assert torch.equal(losses(ids, targets), losses(ids, targets))
        assert model.training is mode and not losses(ids, targets).requires_grad


def test_the_exact_model_of_the_world_is_at_its_floor():
    stories = list(world.stories(8, seed=3))
    exact = {tuple(story.tokens): story.logps for story in stories}
    names = world.vocabulary()

    def losses(ids, targets):
        out = torch.zeros(targets.shape)
        for row, target in zip(out, targets.tolist(), strict=True):
            logps = exact[tuple(names[i] for i in target if i != IGNORED)]
            row[: len(logps)] = -torch.tensor(logps)
        return out

    floor = world.entropy_rate(stories).bits_per_token
    bits = mean_bits(losses, world.whole_batches(stories, 3))
    assert math.isclose(bits, floor, rel_tol=1e-6)
    assert math.isclose(gap_closed(bits, before=9.0, floor=floor), 1.0, rel_tol=1e-6)


def test_a_gap_needs_a_worse_model():
    with pytest.raises(ValueError, match="above the floor of 2"):
        gap_closed(1.0, before=2.0, floor=2.0)
