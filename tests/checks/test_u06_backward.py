"""The hint of the check of bptt follows from which of the gradients are wrong."""

import numpy as np
import pytest

from llmcourse.checks.u06_backward import bptt_gradients, bptt_hint, bptt_inputs


@pytest.mark.parametrize(
    ("off", "by", "hint"),
    [
        (["b_ih"], 0.5, "Biases get the sum of da over the batch"),
        (["b_ih", "b_hh"], 1e-3, "Biases get the sum of da over the batch"),
        (["W_hh"], 0.5, "at t = 0 that is h0"),
        (["W_ih"], 0.5, "the input of the same step"),
        (["h0"], 0.5, "what the first step sends back"),
        (["W_ih", "W_hh"], 0.5, "Several gradients are wrong"),
        (["b_ih", "h0"], 1e-3, "Several gradients are wrong"),
    ],
)
def test_the_hint_names_what_is_wrong(off, by, hint):
    want = bptt_gradients(*bptt_inputs(np.random.default_rng(0), 4, 3, 2, 5))
    got = {name: value + by * (name in off) for name, value in want.items()}
    assert hint in bptt_hint(got, want)


def test_a_result_of_another_form_is_told_its_keys():
    want = bptt_gradients(*bptt_inputs(np.random.default_rng(0), 4, 3, 2, 5))
    assert "the keys W_ih, W_hh, b_ih, b_hh, h0" in bptt_hint([1.0], want)
