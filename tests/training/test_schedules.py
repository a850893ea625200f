"""Schedules go where they should, at each end and between."""

import math

import pytest

from llmcourse.training.schedules import trapezoid, warmup_cosine


def test_warm_up_is_a_line_to_the_peak():
    assert [warmup_cosine(step, 100, 4, 2.0, 0.5) for step in range(5)] == [0.5, 1.0, 1.5, 2.0, 2.0]


def test_the_cosine_is_torchs_between_the_warm_up_and_the_end():
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1)], lr=2.0)
    peer = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=16, eta_min=0.5)
    for step in range(4, 21):
        assert math.isclose(warmup_cosine(step, 20, 4, 2.0, 0.5), peer.get_last_lr()[0])
        optimizer.step()
        peer.step()


@pytest.mark.parametrize("step", [20, 21, 1000])
def test_after_the_end_it_stays_where_torchs_rises_again(step):
    assert warmup_cosine(step, 20, 4, 2.0, 0.5) == 0.5
    assert trapezoid(step, 20, 4, 10, 2.0, 0.5) == 0.5


def test_a_run_of_warm_up_alone_needs_no_cosine():
    assert [warmup_cosine(step, 3, 3, 3.0) for step in range(4)] == [1.0, 2.0, 3.0, 0.0]
    assert warmup_cosine(0, 3, 0, 3.0) == 3.0


def test_a_trapezoid_rises_stays_and_falls():
    rates = [trapezoid(step, 10, 2, 4, 1.0, 0.2) for step in range(11)]
    assert rates[:7] == [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert rates[7:] == pytest.approx([0.8, 0.6, 0.4, 0.2])


def test_where_warm_up_and_cool_down_meet_the_lower_one_counts():
    assert [trapezoid(step, 4, 4, 4, 1.0) for step in range(5)] == [0.25, 0.5, 0.5, 0.25, 0.0]
