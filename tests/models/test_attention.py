"""Attention: the formula, torch's kernel and the banded form agree; where torch differs, it is
said.
"""

import itertools
import math
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from llmcourse.models.attention import (
    BANDED_FROM,
    SHORT,
    SMALLEST_BLOCK,
    MultiHeadAttention,
    attention_maps,
    attention_weights,
    causal_mask,
    scaled_dot_product_attention,
)
from llmcourse.models.positions import rotary_angles
from llmcourse.models.transformer import Decoder, EncoderDecoder
from llmcourse.models.transformer_config import TransformerConfig

CONFIG = TransformerConfig(
    vocab_size=11, context_length=9, n_layers=2, n_heads=4, d_model=12, d_ff=20
)


def heads(T, S=None, B=2, H=4, G=4, D=6, seed=0):
    """Random queries, keys and values that take gradients."""
    generator, S = torch.Generator().manual_seed(seed), T if S is None else S
    shapes = (B, H, T, D), (B, G, S, D), (B, G, S, D)
    return [torch.randn(shape, generator=generator).requires_grad_() for shape in shapes]


def output_and_gradients(attend, tensors):
    """The output, and the gradients of a sum of it with weights of any sign."""
    leaves = [x.detach().clone().requires_grad_() for x in tensors]
    y = attend(*leaves)
    signs = torch.linspace(-1, 2, max(y.numel(), 1))[: y.numel()].view(y.shape)
    (y * signs).sum().backward()
    return [y, *(x.grad for x in leaves)]


def assert_equal(ours, theirs, **tolerance):
    for mine, its in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, its, **{"atol": 1e-5, "rtol": 1e-5} | tolerance)


def module(seed=0, **how):
    torch.manual_seed(seed)
    attention = MultiHeadAttention(CONFIG, **how)
    nn.init.normal_(attention.qkv.bias)
    nn.init.normal_(attention.out.bias)
    return attention


# Masks


def test_a_causal_mask_by_hand():
    assert causal_mask(3).int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert causal_mask(3, window=2).int().tolist() == [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
    assert causal_mask(2, 4).int().tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert causal_mask(3, 2).int().tolist() == [[0, 0], [1, 0], [1, 1]]


@pytest.mark.parametrize(("T", "S"), [(0, 0), (0, 3), (3, 0), (1, 1), (4, 4), (3, 8), (8, 3)])
@pytest.mark.parametrize("window", [None, 1, 2, 5, 50])
def test_a_causal_mask_follows_its_definition_pair_by_pair(T, S, window):
    mask = causal_mask(T, S, window)
    assert mask.shape == (T, S) and mask.dtype == torch.bool
    for t, s in itertools.product(range(T), range(S)):
        distance = (t + S - T) - s
        assert mask[t, s] == (0 <= distance < (window or math.inf))


# The formula


def test_attention_by_hand():
    q = torch.tensor([[[[2.0, 0.0]]]])
    k = torch.tensor([[[[math.log(3) / 2, 9.0], [0.0, -7.0]]]])
    v = torch.tensor([[[[8.0, 0.0], [0.0, 4.0]]]])
    weights = attention_weights(q, k, scale=1.0)
    torch.testing.assert_close(weights, torch.tensor([[[[0.75, 0.25]]]]))
    y = scaled_dot_product_attention(q, k, v, scale=1.0)
    torch.testing.assert_close(y, torch.tensor([[[[6.0, 1.0]]]]))


def test_scores_are_divided_by_the_root_of_the_width():
    q, k, _ = heads(3, 5)
    torch.testing.assert_close(attention_weights(q, k), attention_weights(q, k, scale=6**-0.5))
    doubled = attention_weights(q, k, scale=2 * 6**-0.5)
    torch.testing.assert_close(attention_weights(2 * q, k), doubled)


def test_weights_stay_exact_for_scores_of_a_thousand():
    q = torch.tensor([[[[1000.0]]]])
    weights = attention_weights(q, torch.tensor([[[[1.0], [0.999]]]]), scale=1.0)
    e = math.exp(-1)
    torch.testing.assert_close(weights[0, 0, 0], torch.tensor([1, e]) / (1 + e), atol=1e-4, rtol=0)


# How the three forms agree, with each other and with torch

MASKS = {
    "none": None,
    "pairs": torch.rand(5, 7, generator=torch.Generator().manual_seed(1)) < 0.6,
    "padding": torch.tensor([[1, 1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1]]).bool()[:, None, None],
    "by head": torch.rand(1, 4, 5, 7, generator=torch.Generator().manual_seed(2)) < 0.7,
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("G", [1, 2, 4])
@pytest.mark.parametrize("scale", [None, 0.7])
@pytest.mark.parametrize("fused", [True, False])
def test_attention_equals_torch_forwards_and_backwards(mask, G, scale, fused):
    tensors = heads(5, 7, G=G)

    def theirs(q, k, v):
        k, v = (x.repeat_interleave(4 // G, dim=1) for x in (k, v))
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)

    def ours(q, k, v):
        return scaled_dot_product_attention(q, k, v, mask, scale=scale, fused=fused)

    assert_equal(output_and_gradients(ours, tensors), output_and_gradients(theirs, tensors))


FORMS = [
    {"causal": causal, "window": window, "soft_cap": cap, "scale": scale}
    for causal, window, cap, scale in itertools.product(
        (False, True), (None, 1, 3, 40), (None, 1.5), (None, 0.3)
    )
    if causal or window is None
]
LONG = BANDED_FROM * SMALLEST_BLOCK  # the banded form begins here


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("G", [1, 2, 4])
@pytest.mark.parametrize(
    ("T", "S"), [(1, 1), (1, 6), (6, 6), (3, 8), (8, 3), (LONG, LONG), (LONG + 43, LONG + 60)]
)
def test_fused_equals_the_formula_forwards_and_backwards(form, G, T, S):
    tensors = heads(T, S, B=2 if T < 9 else 1, G=G)
    both = [
        output_and_gradients(
            lambda q, k, v, fused=fused: scaled_dot_product_attention(q, k, v, **form, fused=fused),
            tensors,
        )
        for fused in (True, False)
    ]
    assert_equal(*both)


@pytest.mark.parametrize("window", [1, 7, SMALLEST_BLOCK, SMALLEST_BLOCK + 3])
@pytest.mark.parametrize("more_keys", [-20, -1, 0, 1, 50, 200])
def test_banded_equals_masked_for_any_alignment(window, more_keys):
    T = BANDED_FROM * (SMALLEST_BLOCK + 3) + 5
    q, k, v = heads(T, T + more_keys, G=2)
    mask = causal_mask(T, T + more_keys, window)
    banded = scaled_dot_product_attention(q, k, v, causal=True, window=window)
    torch.testing.assert_close(
        banded, scaled_dot_product_attention(q, k, v, mask), atol=1e-5, rtol=1e-5
    )


def test_a_mask_and_a_window_both_have_to_allow_a_pair():
    q, k, v = heads(5, 7)
    both = MASKS["padding"] & causal_mask(5, 7, 3)
    for fused in (True, False):
        y = scaled_dot_product_attention(
            q, k, v, MASKS["padding"], causal=True, window=3, fused=fused
        )
        torch.testing.assert_close(y, scaled_dot_product_attention(q, k, v, both))


@pytest.mark.parametrize("fused", [True, False])
def test_heads_of_a_group_are_neighbours(fused):
    q, k, v = heads(5, G=2)
    y = scaled_dot_product_attention(q, k, v, fused=fused)
    for head, group in enumerate([0, 0, 1, 1]):
        alone = [q[:, [head]], k[:, [group]], v[:, [group]]]
        torch.testing.assert_close(y[:, [head]], scaled_dot_product_attention(*alone))


def test_a_soft_cap_bounds_scores_and_leaves_small_ones():
    q, k, _ = heads(5)
    scores = (q @ k.mT) * 6**-0.5
    capped = attention_weights(q, k, soft_cap=0.5)
    torch.testing.assert_close(capped, torch.softmax(0.5 * torch.tanh(scores / 0.5), dim=-1))
    assert (capped.amax(-1) / capped.amin(-1)).max() < math.e  # scores differ by less than 1
    torch.testing.assert_close(attention_weights(q, k, soft_cap=1e4), attention_weights(q, k))


def test_a_masked_key_stays_at_zero_under_a_soft_cap():
    q, k, _ = heads(5)
    weights = attention_weights(q, k, causal=True, soft_cap=0.1)
    assert not weights[..., ~causal_mask(5)].any()


# What torch defines differently


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("soft_cap", [None, 2.0])
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_a_query_that_may_attend_to_nothing_gets_zeros_and_finite_gradients(fused, soft_cap, size):
    mask = torch.ones(5, 7, dtype=torch.bool)
    mask[2] = False
    tensors = [size * x for x in heads(5, 7, G=2)]

    def attend(q, k, v):
        return scaled_dot_product_attention(q, k, v, mask, soft_cap=soft_cap, fused=fused)

    with warnings.catch_warnings(action="ignore"), torch.autograd.detect_anomaly():
        # no nan on the way back either
        y, dq, dk, dv = output_and_gradients(attend, tensors)
    assert not y[:, :, 2].any() and y[:, :, [0, 1, 3, 4]].all()
    assert all(x.isfinite().all() for x in (dq, dk, dv))
    assert not dq[:, :, 2].any()


def test_the_written_out_formula_gives_nan_there():
    q, k, _ = heads(5, 7)
    hidden = torch.full((5, 7), -math.inf)
    assert torch.softmax(q @ k.mT + hidden, dim=-1).isnan().all()
    assert not attention_weights(q, k, hidden.isfinite()).any()


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("gradients", [True, False])
def test_a_module_gives_its_bias_there_in_any_mode(train, gradients):
    attention = module(causal=False).train(train)
    mask = torch.ones(2, 1, 1, 5, dtype=torch.bool)
    mask[1] = False
    with torch.set_grad_enabled(gradients):
        y = attention(torch.randn(2, 5, 12), mask=mask)
    torch.testing.assert_close(y[1], attention.out.bias.expand(5, 12))
    assert y.isfinite().all() and y.requires_grad == gradients
    if gradients:
        y.sum().backward()
        assert all(p.grad.isfinite().all() for p in attention.parameters())


def test_causal_aligns_the_last_query_where_torch_aligns_the_first():
    q, k, v = heads(2, 5)
    theirs = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(theirs[:, :, 0], v[:, :, 0])  # query 0 sees key 0 only
    for fused in (True, False):
        ours = scaled_dot_product_attention(q, k, v, causal=True, fused=fused)
        whole = scaled_dot_product_attention(q[:, :, :1], k[:, :, :4], v[:, :, :4])
        torch.testing.assert_close(ours[:, :, :1], whole)


@pytest.mark.parametrize("window", [None, 4, 200])
@pytest.mark.parametrize("length", [9, 300])
def test_reading_on_from_kept_keys_equals_reading_at_once(window, length):
    q, k, v = heads(length, G=2)
    whole = scaled_dot_product_attention(q, k, v, causal=True, window=window)
    for start in (0, 1, 5, length - 1):
        rest = scaled_dot_product_attention(q[:, :, start:], k, v, causal=True, window=window)
        torch.testing.assert_close(rest, whole[:, :, start:])


def test_an_additive_mask_is_refused(unchecked):
    q, k, v = heads(3)
    with pytest.raises(TypeError, match=r"boolean mask, True = may attend, got torch.float32"):
        scaled_dot_product_attention(q, k, v, torch.zeros(3, 3))


@pytest.mark.parametrize("arguments", [{"window": 3}, {"window": 0, "causal": True}])
@pytest.mark.parametrize("fused", [True, False])
def test_a_window_needs_causal_and_one_position(arguments, fused):
    with pytest.raises(ValueError, match="window of at least 1 with causal=True"):
        scaled_dot_product_attention(*heads(300), **arguments, fused=fused)


@pytest.mark.parametrize("how", [{}, {"causal": True}, {"causal": True, "window": 2}])
@pytest.mark.parametrize("fused", [True, False])
def test_heads_that_groups_do_not_divide_are_refused(how, fused):
    with pytest.raises(ValueError, match="that 3 key heads divide, got 4"):
        scaled_dot_product_attention(*heads(300, G=3), **how, fused=fused)


# Edges


@pytest.mark.parametrize(("B", "T", "S"), [(0, 3, 3), (2, 0, 0), (2, 0, 4), (2, 4, 0)])
@pytest.mark.parametrize("form", [{}, {"causal": True}, {"causal": True, "window": 2}], ids=str)
@pytest.mark.parametrize("fused", [True, False])
def test_nothing_to_attend_from_or_to_gives_zeros(B, T, S, form, fused):
    tensors = heads(T, S, B=B, G=2)
    y, *gradients = output_and_gradients(
        lambda q, k, v: scaled_dot_product_attention(q, k, v, **form, fused=fused), tensors
    )
    assert y.shape == (B, 4, T, 6) and not y.any()
    assert not any(x.any() for x in gradients)


@pytest.mark.parametrize("form", [{}, {"causal": True}, {"causal": True, "window": 2}], ids=str)
@pytest.mark.parametrize("T", [5, LONG])
def test_bfloat16_stays_bfloat16_and_is_near(form, T):
    tensors = [x.detach() for x in heads(T, G=2)]
    wanted = scaled_dot_product_attention(*tensors, **form)
    for fused in (True, False):
        y = scaled_dot_product_attention(*(x.bfloat16() for x in tensors), **form, fused=fused)
        assert y.dtype == torch.bfloat16
        torch.testing.assert_close(y.float(), wanted, atol=0.03, rtol=0.03)


def test_inputs_are_not_modified():
    tensors = heads(LONG, G=2)
    before = [x.detach().clone() for x in tensors]
    for form in ({}, {"causal": True}, {"causal": True, "window": 2, "soft_cap": 1.0}):
        for fused in (True, False):
            scaled_dot_product_attention(*tensors, **form, fused=fused)
    assert all(torch.equal(x, y) for x, y in zip(tensors, before, strict=True))


# Cost, counted


class Counted(TorchDispatchMode):
    """Counts what every operation makes: the largest tensor, and all scores of attention."""

    def __init__(self):
        super().__init__()
        self.largest = self.scores = 0
        self.dtypes = set()  # of what torch's kernel is given, forwards and backwards

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for x in result if isinstance(result, tuple | list) else [result]:
            if isinstance(x, torch.Tensor):
                self.largest = max(self.largest, x.numel())
        if "scaled_dot_product" in str(function):
            self.dtypes |= {x.dtype for x in args if isinstance(x, torch.Tensor)}
        if "scaled_dot_product" in str(function) and "backward" not in str(function):
            (B, H, T, _), S = args[0].shape, args[1].shape[2]
            self.scores += B * H * T * S
        return result


def cost(T, **how):
    """Elements of the largest tensor, scores computed, forwards and backwards."""
    with Counted() as counted:
        scaled_dot_product_attention(*heads(T), causal=True, **how).sum().backward()
    return counted.largest, counted.scores


@pytest.mark.parametrize("window", [SMALLEST_BLOCK, 2 * SMALLEST_BLOCK])
def test_a_window_costs_time_and_memory_in_proportion_to_text_and_window(window):
    B, H, D = 2, 4, 6
    for T in (8 * window, 32 * window):
        largest, scores = cost(T, window=window)
        assert scores == B * H * T * 2 * window
        assert largest <= B * H * 2 * T * max(D, window)


def test_without_a_window_scores_are_quadratic_and_the_formula_holds_them_all():
    largest, scores = cost(1024)
    assert scores == 2 * 4 * 1024 * 1024 and largest < 2 * 4 * 1024 * 64
    assert cost(1024, fused=False) == (2 * 4 * 1024 * 1024, 0)


@pytest.mark.parametrize("G", [1, 4])
def test_grouped_heads_have_no_more_scores_and_no_copies_of_keys(G):
    with Counted() as counted:
        q, k, v = heads(1024, G=G)
        scaled_dot_product_attention(q, k, v, causal=True).sum().backward()
    assert counted.scores == 2 * 4 * 1024 * 1024 and counted.largest == q.numel()


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("form", [{}, {"causal": True}, {"causal": True, "window": 2}], ids=str)
def test_bfloat16_is_trained_in_float32_where_torchs_backward_pass_is_slow(autocast, form):
    tensors = [x.detach().bfloat16().requires_grad_() for x in heads(LONG, G=2)]
    with Counted() as counted:
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            y = scaled_dot_product_attention(*tensors, **form)
        y.float().sum().backward()
    assert counted.dtypes == {torch.float32} and y.dtype == torch.bfloat16
    assert all(x.grad.dtype == torch.bfloat16 for x in tensors)
    with torch.no_grad(), Counted() as counted:  # forwards it is not
        scaled_dot_product_attention(*tensors, **form)
    assert torch.bfloat16 in counted.dtypes and torch.float32 not in counted.dtypes


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("window", [None, 2, 200])
def test_bfloat16_with_a_key_for_each_query_is_trained_in_blocks(autocast, window):
    tensors = [x.detach().bfloat16().requires_grad_() for x in heads(LONG)]
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast), Counted() as counted:
        y = scaled_dot_product_attention(*tensors, causal=True, window=window)
    y.float().sum().backward()
    assert not counted.dtypes and y.dtype == torch.bfloat16
    assert all(x.grad.dtype == torch.bfloat16 for x in tensors)
    plain = scaled_dot_product_attention(*tensors, causal=True, window=window, fused=False)
    torch.testing.assert_close(y, plain, atol=3e-2, rtol=3e-2)


def test_bfloat16_of_a_long_text_is_trained_in_bfloat16():
    tensors = [x.detach().bfloat16().requires_grad_() for x in heads(SHORT // 64 + 1, B=1, D=64)]
    with Counted() as counted:
        scaled_dot_product_attention(*tensors, causal=True).sum().backward()
    assert torch.bfloat16 in counted.dtypes


# The module


@pytest.mark.parametrize("cross", [False, True])
def test_a_module_equals_torch_with_copied_weights_and_the_opposite_mask(cross):
    ours = module(causal=False)
    theirs = nn.MultiheadAttention(12, 4, batch_first=True)
    theirs.load_state_dict(
        {
            "in_proj_weight": ours.qkv.weight,
            "in_proj_bias": ours.qkv.bias,
            "out_proj.weight": ours.out.weight,
            "out_proj.bias": ours.out.bias,
        }
    )
    x, memory = torch.randn(2, 5, 12), torch.randn(2, 7, 12)
    mask = torch.rand(5, 7 if cross else 5) < 0.5
    mask[:, 0] = True
    source = memory if cross else x
    wanted, weights = theirs(x, source, source, attn_mask=~mask, average_attn_weights=False)
    memory = memory if cross else None
    assert_equal([ours(x, memory=memory, mask=mask)], [wanted])
    assert_equal([ours.weights(x, memory=memory, mask=mask)], [weights])
    padding = torch.ones(2, source.shape[1], dtype=torch.bool)
    padding[1, 3:] = False
    wanted, _ = theirs(x, source, source, key_padding_mask=~padding)
    assert_equal([ours(x, memory=memory, mask=padding[:, None, None, :])], [wanted])


def test_a_causal_module_equals_torch():
    ours, x = module(), torch.randn(2, 5, 12)
    theirs = nn.MultiheadAttention(12, 4, batch_first=True)
    for mine, its in zip(ours.parameters(), theirs.parameters(), strict=True):
        its.data.copy_(mine)
    hidden = nn.Transformer.generate_square_subsequent_mask(5)
    assert_equal([ours(x)], [theirs(x, x, x, attn_mask=hidden, is_causal=True)[0]])


def test_rotation_makes_scores_depend_on_distance_only():
    torch.manual_seed(0)
    config = TransformerConfig(11, 9, 1, 2, 12, 20, positions="rotary", bias=False)
    attention, angles = MultiHeadAttention(config, causal=False), rotary_angles(8, 6, 100.0)
    x = torch.randn(1, 1, 12).expand(1, 8, 12)  # one token again and again
    q, k, v = attention.project(x, (angles.cos(), angles.sin()))
    scores = q @ k.mT
    for distance in range(-7, 8):
        diagonal = scores.diagonal(distance, -2, -1)
        torch.testing.assert_close(diagonal, diagonal[..., :1].expand_as(diagonal))
    assert (scores[0, 0, 0].diff().abs() > 1e-4).all()
    torch.testing.assert_close(v, v[:, :, :1].expand_as(v))  # values are not turned


def test_attention_maps_are_the_weights_that_the_model_used():
    torch.manual_seed(0)
    model = Decoder(CONFIG)
    ids = torch.randint(0, 11, (2, 6))
    maps = attention_maps(model, ids)
    assert list(maps) == ["blocks.0.attention", "blocks.1.attention"]
    for weights in maps.values():
        assert weights.shape == (2, 4, 6, 6) and not weights.requires_grad
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 6))
        assert not weights[..., ~causal_mask(6)].any()
    block, x = model.blocks[0], model.embed(ids) + model.positions.weight[:6]
    torch.testing.assert_close(
        maps["blocks.0.attention"], block.attention.weights(block.attention_norm(x))
    )
    assert torch.equal(model(ids), model(ids)) and not model._forward_pre_hooks


def test_attention_maps_of_an_encoder_decoder_have_all_three_kinds():
    torch.manual_seed(0)
    model = EncoderDecoder(CONFIG, CONFIG)
    source, target = torch.randint(0, 11, (2, 5)), torch.randint(0, 11, (2, 3))
    real = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]).bool()
    maps = attention_maps(model, source, target, real)
    assert maps["encoder.blocks.1.attention"].shape == (2, 4, 5, 5)
    assert maps["decoder.blocks.1.attention"].shape == (2, 4, 3, 3)
    crossed = maps["decoder.blocks.1.cross_attention"]
    assert crossed.shape == (2, 4, 3, 5) and not crossed[1, :, :, 3:].any()
