"""The cost of training by formula, and by counting what torch multiplies."""

import math

import torch
from torch.utils.flop_counter import FlopCounterMode

from llmcourse.training.cost import flops_per_token, mfu
from llmcourse.training.loop import summed_loss
from tests.training.tiny import CONFIG, tiny


def test_flops_of_gpt2():
    assert flops_per_token(124_439_808, 12, 768, 1024) == 6 * 124_439_808 + 12 * 12 * 768 * 1024


def test_the_formula_is_what_torch_counts_on_matrices():
    model, T = tiny(), CONFIG.context_length
    multiplied = sum(p.numel() for p in model.parameters() if p.dim() == 2)  # the tied head, too
    ids = torch.zeros(1, T, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        summed_loss(model(ids), ids).backward()
    attention = T * flops_per_token(0, CONFIG.n_layers, CONFIG.d_model, T)
    counted = counter.get_total_flops()
    # The fused kernel of attention computes scores again backwards, or is not counted at all.
    weights = T * flops_per_token(multiplied, CONFIG.n_layers, CONFIG.d_model, 0)
    assert weights <= counted <= weights + attention * 7 / 6


def test_mfu_is_done_over_possible():
    assert math.isclose(mfu(6e9, 1000, 2.0, 1e13), 0.3)
    assert math.isclose(mfu(6e9, 1000, 2.0, 1e13, devices=3), 0.1)
