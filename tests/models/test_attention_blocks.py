"""Attention in blocks equals the formula with its mask, forwards and backwards."""

import pytest
import torch

from llmcourse.models.attention import attention_weights
from llmcourse.models.attention_blocks import BLOCK, block_attention

LENGTHS = (1, 5, BLOCK, BLOCK + 1, 3 * BLOCK - 7)
WINDOWS = (None, 1, 7, BLOCK, 4 * BLOCK)


def draw(T, dtype=torch.float64):
    generator = torch.Generator().manual_seed(T)
    x = torch.randn(2, T, 9, 4, generator=generator).to(dtype).requires_grad_()
    return x, [part.transpose(1, 2) for part in x.split(3, dim=2)]  # strided, as in a model


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("T", LENGTHS)
def test_equals_the_formula(T, window):
    x, (q, k, v) = draw(T)
    ours = block_attention(q, k, v, 0.3, window)
    plain = attention_weights(q, k, causal=True, window=window, scale=0.3) @ v
    torch.testing.assert_close(ours, plain)
    dy = torch.randn(ours.shape, dtype=ours.dtype, generator=torch.Generator().manual_seed(1))
    dx = [torch.autograd.grad(y, x, dy, retain_graph=True)[0] for y in (ours, plain)]
    torch.testing.assert_close(*dx)


def test_gradients_are_those_of_finite_differences():
    _, (q, k, v) = draw(4)
    inputs = [part.detach().clone().requires_grad_() for part in (q, k, v)]
    torch.autograd.gradcheck(lambda *qkv: block_attention(*qkv, 0.5, 3), inputs)


def test_bfloat16_is_as_near_as_its_digits_allow():
    x, (q, k, v) = draw(BLOCK + 3, torch.bfloat16)
    y = block_attention(q, k, v, 0.5)
    y.float().sum().backward()
    wide, (q, k, v) = draw(BLOCK + 3, torch.bfloat16)
    exact = attention_weights(q.double(), k.double(), causal=True, scale=0.5) @ v.double()
    exact.sum().backward()
    assert y.dtype == x.grad.dtype == torch.bfloat16
    torch.testing.assert_close(y.double(), exact, atol=3e-2, rtol=3e-2)
    torch.testing.assert_close(x.grad.double(), wide.grad.double(), atol=6e-2, rtol=6e-2)


@pytest.mark.parametrize("window", WINDOWS)
def test_slopes_lower_the_scores_by_the_distance(window):
    T, slopes = BLOCK + 9, torch.tensor([0.0, 0.5, 2.0], dtype=torch.float64)
    _, (q, k, v) = draw(T)
    ours = block_attention(q, k, v, 0.3, window, slopes)
    back = torch.arange(T)[:, None] - torch.arange(T)
    scores = 0.3 * q @ k.mT - slopes[:, None, None] * back
    hidden = (back < 0) | (back >= (window or T))
    plain = scores.masked_fill(hidden, -torch.inf).softmax(dim=-1) @ v
    torch.testing.assert_close(ours, plain)


def test_second_derivatives_are_refused():
    _, (q, k, v) = draw(3)
    y = block_attention(q, k, v, 1.0).sum()
    with pytest.raises(RuntimeError, match="second derivatives"):
        torch.autograd.grad(y, q, create_graph=True)
