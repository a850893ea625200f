"""Formulas with a backward pass of their own equal the plain ones, forwards and backwards."""

import math

import pytest
import torch
from torch.nn import functional as F

from llmcourse.models import fused
from llmcourse.models.positions import rotary_angles


def plain_gelu(x):
    return x / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def plain_rms_norm(x, weight):
    return x / torch.sqrt(x.square().mean(-1, keepdim=True) + 0.1) * weight


def plain_turn(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def plain_layers(x, W_up, b_up, W_down, b_down):
    return F.linear(F.linear(x, W_up, b_up).clamp(min=0) ** 2, W_down, b_down)


DRAWN = torch.Generator().manual_seed(1)
LAYERS = [torch.randn(size, generator=DRAWN) / 4 for size in ((9, 6), (9,), (6, 9), (6,))]


def of_layers(form):
    return lambda x: form(x, *(weight.to(x.dtype) for weight in LAYERS))


ANGLES = rotary_angles(5, 6, 50.0)[:, None]
FORMULAS = {
    "squared_relu_layers": (of_layers(fused.squared_relu_layers), of_layers(plain_layers)),
    "gelu": (fused.gelu, plain_gelu),
    "rms_norm": (
        lambda x: fused.rms_norm(x, torch.linspace(-1, 2, 6), 0.1),
        lambda x: plain_rms_norm(x, torch.linspace(-1, 2, 6)),
    ),
    "turn": (
        lambda x: fused.turn(x, ANGLES.cos(), ANGLES.sin()),
        lambda x: plain_turn(x, ANGLES.cos(), ANGLES.sin()),
    ),
}
each = pytest.mark.parametrize(("ours", "plain"), FORMULAS.values(), ids=FORMULAS)


def both(ours, plain, x):
    """Values and gradients of both forms."""
    results = []
    for formula in (ours, plain):
        leaf = x.detach().clone().requires_grad_()
        y = formula(leaf)
        (y * torch.linspace(-1, 2, y.numel()).view(y.shape)).sum().backward()
        results.append((y.detach(), leaf.grad))
    return zip(*results, strict=True)


def inputs(shape=(2, 5, 3, 6), size=2.0):
    return size * torch.randn(shape, generator=torch.Generator().manual_seed(0))


@each
@pytest.mark.parametrize("size", [1e-3, 2.0, 50.0])
def test_values_and_gradients_are_those_of_the_plain_formula(ours, plain, size):
    for mine, its in both(ours, plain, inputs(size=size)):
        torch.testing.assert_close(mine, its, atol=1e-5, rtol=1e-5)


@each
def test_any_layout_and_an_empty_input_are_taken(ours, plain):
    strided = inputs((2, 3, 5, 12)).transpose(1, 2)[..., ::2]
    for mine, its in both(ours, plain, strided):
        torch.testing.assert_close(mine, its, atol=1e-5, rtol=1e-5)
    empty = torch.empty(0, 5, 3, 6, requires_grad=True)
    ours(empty).sum().backward()
    assert empty.grad.shape == empty.shape


@each
def test_the_gradient_is_finite_and_the_input_as_it_was(ours, plain):
    x = torch.tensor([0.0, -0.0, 1e4, -1e4, 30.0, -30.0]).expand(2, 5, 3, 6).clone()
    before = x.clone()
    for mine, _ in both(ours, plain, x.requires_grad_()):
        assert mine.isfinite().all()
    assert torch.equal(x, before)


@each
def test_without_gradients_the_value_is_the_same(ours, plain):
    x = inputs().requires_grad_()
    with torch.no_grad():
        quiet = ours(x)
    torch.testing.assert_close(quiet, ours(x), atol=1e-6, rtol=1e-6)
    assert not quiet.requires_grad


@each
def test_bfloat16_is_near_float32(ours, plain):
    x = inputs()
    y = ours(x.bfloat16().requires_grad_())
    torch.testing.assert_close(y.float(), plain(x), atol=0.1, rtol=0.02)


def test_a_gelu_of_many_blocks_is_that_of_each():
    x = inputs((3, fused.CACHED // 2 + 7)).requires_grad_()
    wanted = F.gelu(x, approximate="tanh")
    torch.testing.assert_close(fused.gelu(x), wanted, atol=1e-6, rtol=1e-6)


def test_a_rotation_of_bfloat16_is_computed_in_float32_and_rounded_once():
    x = inputs().bfloat16()
    y = fused.turn(x, ANGLES.cos(), ANGLES.sin())
    assert torch.equal(y, plain_turn(x.float(), ANGLES.cos(), ANGLES.sin()).bfloat16())


def test_the_gradient_of_the_weight_of_a_norm_is_that_of_the_formula():
    x, gradients = inputs((2, 5, 6)), []
    for formula in (lambda x, w: fused.rms_norm(x, w, 0.1), plain_rms_norm):
        weight = torch.linspace(-1, 2, 6).requires_grad_()
        formula(x, weight).square().sum().backward()
        gradients.append(weight.grad)
    torch.testing.assert_close(*gradients)


def test_the_backward_pass_of_a_norm_is_exact_inside_autocast():
    x = inputs((2, 5, 6)).requires_grad_()
    fused.rms_norm(x, torch.ones(6), 0.1).square().sum().backward()
    wanted, x.grad = x.grad, None
    with torch.autocast("cpu", torch.bfloat16):
        fused.rms_norm(x, torch.ones(6), 0.1).square().sum().backward()
    torch.testing.assert_close(x.grad, wanted)


@pytest.mark.parametrize("biased", [True, False])
def test_the_gradients_of_both_layers_are_those_of_the_formula(biased):
    gradients = []
    for form in (fused.squared_relu_layers, plain_layers):
        weights = [w.clone().requires_grad_() if biased or w.dim() > 1 else None for w in LAYERS]
        form(inputs((2, 5, 6)), *weights).square().sum().backward()
        gradients.append([w.grad for w in weights if w is not None])
    for mine, its in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, its)


def test_both_layers_take_the_dtype_of_autocast_and_give_gradients_in_their_own():
    results = []
    for form in (fused.squared_relu_layers, plain_layers):
        weights = [w.clone().requires_grad_() for w in LAYERS]
        x = inputs((2, 5, 6)).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            y = form(x, *weights)
        y.float().sum().backward()
        results.append([y, x.grad, *(w.grad for w in weights)])
    for mine, its in zip(*results, strict=True):
        assert mine.dtype == its.dtype
        torch.testing.assert_close(mine, its, atol=0.1, rtol=0.05)


@pytest.mark.parametrize("name", ["squared_relu_layers", "gelu", "rms_norm"])
def test_a_second_derivative_is_refused(name):
    x = inputs().requires_grad_()
    y = FORMULAS[name][0](x).sum()
    with pytest.raises(RuntimeError, match="without create_graph=True"):
        torch.autograd.grad(y, x, create_graph=True)


def test_a_rotation_has_second_derivatives():
    x = torch.randn(2, 5, 1, 6, dtype=torch.float64, requires_grad=True)
    cos, sin = ANGLES.cos().double(), ANGLES.sin().double()
    assert torch.autograd.gradcheck(fused.turn, (x, cos, sin))
    assert torch.autograd.gradgradcheck(lambda x: fused.turn(x, cos, sin).square(), x)
