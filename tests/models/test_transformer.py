"""The transformer equals torch's layers, sees no future, and has the parameters it says."""

import itertools
import math
import random
from dataclasses import fields, replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from llmcourse.models.attention import attention_maps
from llmcourse.models.positions import rotary_angles, rotate, sinusoidal_positions
from llmcourse.models.transformer import (
    Decoder,
    Encoder,
    EncoderDecoder,
    FeedForward,
    LayerNorm,
    RMSNorm,
    TransformerBlock,
    soft_capped,
)
from llmcourse.models.transformer_config import CHOICES, TransformerConfig

SMALL = TransformerConfig(
    vocab_size=11, context_length=8, n_layers=2, n_heads=4, d_model=16, d_ff=24
)
FAMILIES = {
    "GPT-2": SMALL,
    "recipe": replace(SMALL, norm="rms", positions="rotary", activation="relu2", bias=False),
    "Llama": replace(
        SMALL, norm="rms", positions="rotary", activation="swiglu", bias=False, n_kv_heads=2,
        tied_head=False,
    ),
    "Mistral": replace(
        SMALL, norm="rms", positions="rotary", activation="swiglu", bias=False, n_kv_heads=2,
        window=3,
    ),
    "Gemma 2": replace(
        SMALL, norm="rms", norm_position="both", positions="rotary", activation="geglu",
        bias=False, n_kv_heads=2, d_head=6, window=3, window_every=2, attention_soft_cap=5.0,
        logit_soft_cap=3.0, attention_scale=0.3, embed_scale=True,
    ),
    "2017": replace(
        SMALL, norm_position="post", positions="sinusoidal", activation="relu", embed_scale=True
    ),
}  # fmt: skip


def grid(**switches):
    """Every combination of values of some switches."""
    for values in itertools.product(*switches.values()):
        yield dict(zip(switches, values, strict=True))


def lively(model, seed=0):
    """The model with random weights large enough that no part of it is nearly linear or 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=0.3, generator=generator)
    return model


def ids_for(config, B=2, T=None, seed=0):
    generator, T = torch.Generator().manual_seed(seed), config.context_length if T is None else T
    return torch.randint(0, config.vocab_size, (B, T), generator=generator)


def assert_equal(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


# Norms, positions, feed-forward


def test_layer_norm_by_hand():
    norm = LayerNorm(2, eps=3.0)
    norm.weight.data, norm.bias.data = torch.tensor([2.0, 1.0]), torch.tensor([0.0, 10.0])
    # mean 4, variance 1; the root of 1 + eps is 2
    torch.testing.assert_close(norm(torch.tensor([[3.0, 5.0]])), torch.tensor([[-1.0, 10.5]]))


def test_rms_norm_by_hand():
    norm = RMSNorm(2, eps=11.5)
    norm.weight.data = torch.tensor([1.0, 3.0])
    # mean of squares 12.5, and 24 with eps
    wanted = torch.tensor([[3.0, 12.0]]) / math.sqrt(24)
    torch.testing.assert_close(norm(torch.tensor([[3.0, 4.0]])), wanted)


@pytest.mark.parametrize("eps", [1e-5, 0.1])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", ["layer", "rms"])
def test_norms_equal_torch_forwards_and_backwards(eps, bias, kind):
    if kind == "layer":
        ours, theirs = LayerNorm(6, eps, bias), nn.LayerNorm(6, eps, bias=bias)
    else:
        ours, theirs = RMSNorm(6, eps), nn.RMSNorm(6, eps)
    lively(ours)
    theirs.load_state_dict(ours.state_dict())
    results = []
    for module in (ours, theirs):
        x = (3 * torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(0))).requires_grad_()
        y = module(x)
        (y * torch.linspace(-1, 2, 60).view(2, 5, 6)).sum().backward()
        results.append([y, x.grad, *(p.grad for p in module.parameters())])
    for mine, its in zip(*results, strict=True):
        assert_equal(mine, its)


@pytest.mark.parametrize("kind", [LayerNorm, RMSNorm])
def test_norms_take_constant_zero_and_large_inputs(kind):
    norm = kind(4)
    for x in (torch.zeros(1, 4), torch.full((1, 4), 7.0), torch.tensor([[1e15, -1e15, 0, 1.0]])):
        x.requires_grad_()
        norm(x).sum().backward()
        assert norm(x).isfinite().all() and x.grad.isfinite().all()
    assert norm(torch.zeros(0, 4)).shape == (0, 4)


def test_rms_norm_has_second_derivatives():
    norm = lively(RMSNorm(3, 0.1)).double()
    x = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(norm, x) and torch.autograd.gradgradcheck(norm, x)


def test_rms_norm_of_bfloat16_is_summed_in_float32():
    x = torch.full((1, 4096), 0.1, dtype=torch.bfloat16)
    assert_equal(RMSNorm(4096).bfloat16()(x).float(), torch.ones(1, 4096))


def test_sinusoidal_positions_follow_the_paper_entry_by_entry():
    table = sinusoidal_positions(7, 6)
    for t, i in itertools.product(range(7), range(3)):
        angle = t / 10_000 ** (2 * i / 6)
        assert table[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
        assert table[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_rotating_is_the_product_of_complex_numbers():
    x = torch.randn(2, 5, 3, 8, generator=torch.Generator().manual_seed(0))
    angles = rotary_angles(5, 8, 50.0)
    for t, i in itertools.product(range(5), range(4)):
        assert angles[t, i].item() == pytest.approx(t / 50 ** (2 * i / 8), rel=1e-6)
    turned = torch.complex(x[..., :4], x[..., 4:]) * torch.exp(1j * angles)[:, None]
    y = rotate(x, angles.cos(), angles.sin())
    assert_equal(y, torch.cat([turned.real, turned.imag], dim=-1))
    assert_equal(y.norm(dim=-1), x.norm(dim=-1))


def test_rotating_has_the_gradients_that_its_formula_gives():
    angles = rotary_angles(3, 4, 50.0).double()
    x = torch.randn(2, 3, 2, 4, dtype=torch.float64, requires_grad=True)
    turn = partial(rotate, cos=angles.cos(), sin=angles.sin())
    assert torch.autograd.gradcheck(turn, x) and torch.autograd.gradgradcheck(turn, x)


def test_angles_are_float32_in_any_model():
    angles = rotary_angles(1000, 4, 10_000.0)
    torch.set_default_dtype(torch.bfloat16)
    try:
        assert torch.equal(rotary_angles(1000, 4, 10_000.0), angles)
    finally:
        torch.set_default_dtype(torch.float32)
    assert angles.dtype == torch.float32 and angles[:, 0].unique().numel() == 1000
    config = replace(FAMILIES["recipe"], context_length=600)
    model, ids = lively(Decoder(config)), torch.full((1, 600), 3)
    near = attention_maps(model.bfloat16(), ids)["blocks.0.attention"].float()
    far = attention_maps(model.float(), ids)["blocks.0.attention"]
    assert (near - far).abs().max() < 0.05


@pytest.mark.parametrize("activation", CHOICES["activation"])
def test_feed_forward_follows_its_formula(activation):
    layer = lively(FeedForward(replace(SMALL, activation=activation)))
    x = torch.randn(2, 3, 16)
    W, b = layer.up.weight, layer.up.bias
    formulas = {
        "relu": lambda u: u.clamp(min=0),
        "relu2": lambda u: u.clamp(min=0) ** 2,
        "gelu": lambda u: u / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u**3))),
        "swiglu": lambda u: u[..., :24] * torch.sigmoid(u[..., :24]) * u[..., 24:],
        "geglu": lambda u: formulas["gelu"](u[..., :24]) * u[..., 24:],
    }
    inner = formulas[activation](x @ W.T + b)
    assert_equal(layer(x), inner @ layer.down.weight.T + layer.down.bias)


@pytest.mark.parametrize("activation", CHOICES["activation"])
def test_feed_forward_has_the_gradients_that_its_formula_gives(activation):
    config = replace(SMALL, activation=activation, d_model=4, d_ff=3)
    layer = lively(FeedForward(config)).double()
    x = torch.randn(1, 2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)


def test_a_soft_cap_bounds_and_leaves_small_values():
    x = torch.tensor([-1e6, -0.01, 0.0, 0.01, 1e6])
    assert_equal(soft_capped(x, 2.0), torch.tensor([-2.0, -0.01, 0.0, 0.01, 2.0]))
    assert soft_capped(x, None) is x


# Blocks and stacks against torch's

TORCH_NAMES = {
    "attention.qkv.weight": "self_attn.in_proj_weight",
    "attention.qkv.bias": "self_attn.in_proj_bias",
    "attention.out.": "self_attn.out_proj.",
    "cross_attention.qkv.weight": "multihead_attn.in_proj_weight",
    "cross_attention.qkv.bias": "multihead_attn.in_proj_bias",
    "cross_attention.out.": "multihead_attn.out_proj.",
    "feed_forward.up.": "linear1.",
    "feed_forward.down.": "linear2.",
    "attention_norm.": "norm1.",
    "cross_attention_norm.": "norm2.",
    "feed_forward_norm.": "norm2.",
}


def in_torchs_names(state, cross):
    """A block's state dict with the names of torch's encoder or decoder layer."""
    renamed = {}
    for name, value in state.items():
        old = max((n for n in TORCH_NAMES if name.startswith(n)), key=len)
        new = "norm3." if cross and old == "feed_forward_norm." else TORCH_NAMES[old]
        renamed[name.replace(old, new, 1)] = value
    return renamed


def torchs(cross, config, **more):
    kind = nn.TransformerDecoderLayer if cross else nn.TransformerEncoderLayer
    gelu = partial(F.gelu, approximate="tanh")
    return kind(
        config.d_model, config.n_heads, config.d_ff, dropout=0.0,
        activation="relu" if config.activation == "relu" else gelu,
        layer_norm_eps=config.norm_eps, batch_first=True,
        norm_first=config.norm_position == "pre", bias=config.bias, **more,
    )  # fmt: skip


BLOCKS = list(
    grid(
        norm_position=("pre", "post"),
        activation=("relu", "gelu"),
        bias=(True, False),
        norm_eps=(1e-5, 0.1),
    )
)


@pytest.mark.parametrize("switches", BLOCKS, ids=str)
@pytest.mark.parametrize("cross", [False, True])
def test_a_block_equals_torchs_layer_forwards_and_backwards(switches, cross):
    config = replace(SMALL, **switches)
    ours = lively(TransformerBlock(config, causal=cross, cross=cross))
    theirs = torchs(cross, config)
    theirs.load_state_dict(in_torchs_names(ours.state_dict(), cross))
    generator = torch.Generator().manual_seed(0)
    x, memory = (torch.randn(2, n, 16, generator=generator) for n in (5, 7))
    real = torch.tensor([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0]]).bool()
    results = []
    for ours_now in (True, False):
        leaf, kept = x.clone().requires_grad_(), memory.clone().requires_grad_()
        if ours_now and cross:
            y = ours(leaf, memory=kept, memory_mask=real[:, None, None, :])
        elif ours_now:
            y = ours(leaf, mask=real[:, None, None, :5])
        elif cross:
            hidden = nn.Transformer.generate_square_subsequent_mask(5)
            y = theirs(leaf, kept, tgt_mask=hidden, memory_key_padding_mask=~real)
        else:
            y = theirs(leaf, src_key_padding_mask=~real[:, :5])
        (y * torch.linspace(-1, 2, y.numel()).view(y.shape)).sum().backward()
        weights = ours if ours_now else theirs
        grads = {name: p.grad for name, p in weights.named_parameters()}
        grads = in_torchs_names(grads, cross) if ours_now else grads
        results.append(
            [y, leaf.grad, *([kept.grad] if cross else []), *(grads[n] for n in sorted(grads))]
        )
    for mine, its in zip(*results, strict=True):
        torch.testing.assert_close(mine, its, atol=3e-5, rtol=1e-5)


@pytest.mark.parametrize("norm_position", ["pre", "post"])
def test_an_encoder_decoder_equals_torchs_stacks(norm_position):
    source_config = replace(FAMILIES["2017"], norm_position=norm_position)
    target_config = replace(source_config, vocab_size=13, n_layers=3)
    ours = lively(EncoderDecoder(source_config, target_config))
    stacks = []
    for side, cross in ((ours.encoder, False), (ours.decoder, True)):
        kind = nn.TransformerDecoder if cross else nn.TransformerEncoder
        last = nn.LayerNorm(16) if norm_position == "pre" else None
        more = {} if cross else {"enable_nested_tensor": False}
        stack = kind(torchs(cross, side.config), side.config.n_layers, last, **more)
        for mine, its in zip(side.blocks, stack.layers, strict=True):
            its.load_state_dict(in_torchs_names(mine.state_dict(), cross))
        if last is not None:
            stack.norm.load_state_dict(side.norm.state_dict())
        stacks.append(stack)
    source, target = ids_for(source_config, T=7), ids_for(target_config, T=5)
    real = torch.tensor([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0]]).bool()

    def embedded(side, ids):
        return side.embed.weight[ids] * 4 + sinusoidal_positions(ids.shape[1], 16)

    memory = stacks[0](embedded(ours.encoder, source), src_key_padding_mask=~real)
    assert_equal(ours.encoder(source, real)[real], memory[real])
    hidden = nn.Transformer.generate_square_subsequent_mask(5)
    states = stacks[1](
        embedded(ours.decoder, target), memory, tgt_mask=hidden, memory_key_padding_mask=~real
    )
    wanted = states @ ours.decoder.embed.weight.T
    torch.testing.assert_close(ours(source, target, real), wanted, atol=1e-4, rtol=1e-5)


# The decoder

SWITCHES = {
    "norm": CHOICES["norm"],
    "norm_position": CHOICES["norm_position"],
    "positions": CHOICES["positions"],
    "n_kv_heads": (None, 2),
    "window": (None, 2),
    "window_every": (1, 2),
    "attention_soft_cap": (None, 1.0),
    "logit_soft_cap": (None, 2.0),
}
BESIDE = {
    "activation": CHOICES["activation"],
    "bias": (True, False),
    "tied_head": (True, False),
    "embed_scale": (True, False),
}


def combinations():
    """All combinations of the switches that concern positions, and drawn values of the others."""
    draw = random.Random(0).choice
    for switches in grid(**SWITCHES):
        others = {name: draw(values) for name, values in BESIDE.items()}
        yield replace(SMALL, context_length=6, d_ff=8, **switches, **others)


def influence(config, seed=0):
    """Which embeddings (columns) each position's logits (rows) depend on, by gradients."""
    model, seen = lively(Decoder(config), seed), []
    model.embed.register_forward_hook(lambda _m, _i, x: seen.append(x))
    T = config.context_length
    logits = model(ids_for(config, B=1))
    signs = torch.linspace(-1, 2, config.vocab_size)
    rows = [
        torch.autograd.grad((logits[0, t] * signs).sum(), seen[0], retain_graph=True)[0]
        for t in range(T)
    ]
    return torch.stack([row[0].abs().amax(-1) for row in rows]) != 0  # (T, T)


def test_no_position_sees_the_future_whatever_the_switches():
    within = torch.ones(6, 6).tril().bool()
    for config in combinations():
        seen = influence(config)
        # two layers with window 2 reach 2 positions back; a layer without a window all
        reach = 2 if config.window and config.window_every == 1 else 6
        wanted = within & torch.ones(6, 6).triu(-reach).bool()
        assert torch.equal(seen, wanted), config


@pytest.mark.parametrize("config", FAMILIES.values(), ids=FAMILIES)
def test_later_tokens_change_no_earlier_logit(config):
    model, ids = lively(Decoder(config)), ids_for(config)
    whole = model(ids)
    for t in range(1, config.context_length + 1):
        assert_equal(model(ids[:, :t]), whole[:, :t])


def changed(config, **switches):
    """Logits of a model before and after a change of its config, with the same weights."""
    model = lively(Decoder(config))
    other = lively(Decoder(replace(config, **switches)))
    other.load_state_dict(model.state_dict())
    ids = ids_for(config)
    return model(ids), other(ids)


@pytest.mark.parametrize(
    ("switches", "base"),
    [
        ({"norm_eps": 0.5}, {}),
        ({"rotary_base": 10.0}, {"positions": "rotary"}),
        ({"positions": "rotary"}, {"positions": "sinusoidal"}),
        ({"activation": "relu"}, {}),
        ({"activation": "relu2"}, {}),
        ({"activation": "swiglu"}, {"activation": "geglu"}),
        ({"window": 3}, {}),
        ({"window_every": 2}, {"window": 3}),
        ({"attention_soft_cap": 1.0}, {}),
        ({"logit_soft_cap": 1.0}, {}),
        ({"attention_scale": 0.1}, {}),
        ({"embed_scale": True}, {}),
        ({"norm": "rms"}, {"bias": False}),
    ],
)
def test_each_switch_alone_changes_the_logits(switches, base):
    before, after = changed(replace(SMALL, **base), **switches)
    assert (before - after).abs().amax() > 1e-3
    assert all(getattr(replace(SMALL, **base), name) != value for name, value in switches.items())


@pytest.mark.parametrize(
    "switches",
    [
        {"window": 8},
        {"window_every": 5},
        {"attention_soft_cap": 1e5},
        {"logit_soft_cap": 1e5},
        {"attention_scale": 0.5},
        {"n_kv_heads": 4},
        {"d_head": 4},
        {"rotary_base": 3.0},
    ],
)
def test_a_switch_at_its_neutral_value_changes_nothing(switches):
    before, after = changed(SMALL, **switches)
    torch.testing.assert_close(before, after, atol=1e-4, rtol=1e-5)


def test_every_layer_but_each_nth_from_the_first_has_no_window():
    config = replace(SMALL, n_layers=5, window=2, window_every=3)
    maps = list(attention_maps(lively(Decoder(config)), ids_for(config)).values())
    assert [not weights[..., 7, :6].any() for weights in maps] == [True, False, False, True, False]


def test_the_window_of_a_long_text_is_the_mask_of_a_short_one():
    config = replace(FAMILIES["Mistral"], context_length=300, window=20, n_layers=1)
    model, ids = lively(Decoder(config)), ids_for(config)
    whole = model(ids)  # so long that it is banded; the shorter ones are not
    for end in (1, 50, 100):
        assert_equal(whole[:, :end], model(ids[:, :end]))


def test_rotary_logits_depend_on_distances_only_and_sinusoidal_ones_do_not():
    for positions, same in (("rotary", True), ("sinusoidal", False)):
        config = replace(SMALL, positions=positions, window=2, n_layers=1)
        logits = lively(Decoder(config))(torch.full((1, 8), 4))
        assert torch.allclose(logits[0, 1:], logits[0, 1:2], atol=1e-4) == same


def test_learned_positions_are_added_to_the_embeddings():
    model, ids = lively(Decoder(SMALL)), ids_for(SMALL, B=1)
    moved = lively(Decoder(SMALL))
    with torch.no_grad():  # token 3 at position 2 becomes what token 3 at position 5 is
        moved.positions.weight[2] = moved.positions.weight[5]
    before, after = model(ids), moved(ids)
    assert torch.equal(before[:, :2], after[:, :2]) and not torch.equal(before[:, 2], after[:, 2])


def test_a_tied_head_is_the_embedding_and_an_untied_one_is_not():
    tied, untied = Decoder(SMALL), Decoder(replace(SMALL, tied_head=False))
    assert "head.weight" not in tied.state_dict() and untied.head.weight.shape == (11, 16)
    with torch.no_grad():
        untied.load_state_dict(tied.state_dict() | {"head.weight": 2 * tied.embed.weight})
    ids = ids_for(SMALL)
    assert_equal(untied(ids), 2 * tied(ids))


def test_a_fresh_model_is_nearly_uniform_and_its_residual_layers_start_smaller():
    torch.manual_seed(0)
    model = Decoder(replace(SMALL, d_model=64, d_ff=256, vocab_size=50, n_layers=8))
    ids = ids_for(model.config)
    loss = F.cross_entropy(model(ids).flatten(0, 1), ids.roll(-1, 1).flatten())
    assert loss.item() == pytest.approx(math.log(50), abs=0.1)
    block = model.blocks[3]
    for sublayer, added in ((block.attention, "out"), (block.feed_forward, "down")):
        for name, layer in sublayer.named_children():
            std = 0.02 / 4 if name == added else 0.02  # the root of 2 x 8 layers is 4
            assert layer.weight.std().item() == pytest.approx(std, rel=0.05)
            assert not layer.bias.any()


@pytest.mark.parametrize("config", FAMILIES.values(), ids=FAMILIES)
def test_a_family_learns_one_sentence_by_heart(config):
    torch.manual_seed(0)
    model, ids = Decoder(config), ids_for(config, B=1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    losses = []
    for _ in range(80):
        loss = F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 2 and losses[-1] < 0.3


# Parameters


def test_parameters_by_formula_are_those_counted_whatever_the_switches():
    for switches in grid(
        norm=CHOICES["norm"], norm_position=CHOICES["norm_position"],
        positions=CHOICES["positions"], activation=CHOICES["activation"], n_kv_heads=(None, 1, 2),
        d_head=(None, 6), bias=(True, False), tied_head=(True, False),
    ):  # fmt: skip
        config = replace(SMALL, **switches)
        with torch.device("meta"):
            model = Decoder(config)
        assert config.n_parameters == sum(p.numel() for p in model.parameters()), config


def test_the_sizes_of_gpt2_and_llama_2_are_the_known_ones():
    gpt2 = TransformerConfig(50257, 1024, 12, 12, 768, 3072)
    assert gpt2.n_parameters == 124_439_808
    llama = TransformerConfig(
        32000, 4096, 32, 32, 4096, 11008, norm="rms", positions="rotary", activation="swiglu",
        bias=False, tied_head=False,
    )  # fmt: skip
    assert llama.n_parameters == 6_738_415_616


def test_names_and_shapes_of_parameters_are_those_of_the_docstring():
    shapes = {name: tuple(w.shape) for name, w in Decoder(SMALL).state_dict().items()}
    block = {
        "attention_norm.weight": (16,), "attention_norm.bias": (16,),
        "attention.qkv.weight": (48, 16), "attention.qkv.bias": (48,),
        "attention.out.weight": (16, 16), "attention.out.bias": (16,),
        "feed_forward_norm.weight": (16,), "feed_forward_norm.bias": (16,),
        "feed_forward.up.weight": (24, 16), "feed_forward.up.bias": (24,),
        "feed_forward.down.weight": (16, 24), "feed_forward.down.bias": (16,),
    }  # fmt: skip
    assert shapes == {
        "embed.weight": (11, 16),
        "positions.weight": (8, 16),
        **{f"blocks.{i}.{name}": shape for i in range(2) for name, shape in block.items()},
        "norm.weight": (16,),
        "norm.bias": (16,),
    }
    gemma = {n: tuple(w.shape) for n, w in Decoder(FAMILIES["Gemma 2"]).state_dict().items()}
    block = {
        "attention_norm.weight": (16,), "attention.qkv.weight": (48, 16),
        "attention.out.weight": (16, 24), "attention_out_norm.weight": (16,),
        "feed_forward_norm.weight": (16,), "feed_forward.up.weight": (48, 16),
        "feed_forward.down.weight": (16, 24), "feed_forward_out_norm.weight": (16,),
    }  # fmt: skip
    assert gemma == {
        "embed.weight": (11, 16),
        **{f"blocks.{i}.{name}": shape for i in range(2) for name, shape in block.items()},
        "norm.weight": (16,),
    }
    both = EncoderDecoder(SMALL, SMALL).state_dict()
    assert both["decoder.blocks.1.cross_attention.qkv.weight"].shape == (48, 16)
    assert {name.split(".")[0] for name in both} == {"encoder", "decoder"}


@pytest.mark.parametrize("config", FAMILIES.values(), ids=FAMILIES)
def test_a_state_dict_comes_back_exactly(config, tmp_path):
    model, other = lively(Decoder(config)), lively(Decoder(config), seed=1)
    torch.save(model.state_dict(), tmp_path / "model.pt")
    other.load_state_dict(torch.load(tmp_path / "model.pt"))
    ids = ids_for(config)
    assert torch.equal(model(ids), other(ids))
    assert {n for n, _ in model.named_parameters()} == set(model.state_dict())
    assert not list(model.buffers())


# Dtypes and edges


@pytest.mark.parametrize("config", FAMILIES.values(), ids=FAMILIES)
def test_a_bfloat16_model_is_near_and_trains(config):
    model, ids = lively(Decoder(config)), ids_for(config)
    wanted = model(ids)
    logits = model.bfloat16()(ids)
    assert logits.dtype == torch.bfloat16
    assert (logits.float() - wanted).abs().mean() < 0.05 * wanted.abs().mean()
    logits.float().logsumexp(-1).sum().backward()
    assert all(
        p.grad.dtype == torch.bfloat16 and p.grad.isfinite().all() for p in model.parameters()
    )


@pytest.mark.parametrize("config", FAMILIES.values(), ids=FAMILIES)
def test_bfloat16_autocast_is_near_and_leaves_gradients_in_float32(config):
    model, ids = lively(Decoder(config)), ids_for(config)
    wanted = model(ids)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(ids)
    assert (logits.float() - wanted).abs().mean() < 0.05 * wanted.abs().mean()
    logits.float().logsumexp(-1).sum().backward()
    assert all(
        p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in model.parameters()
    )


@pytest.mark.parametrize("config", FAMILIES.values(), ids=FAMILIES)
@pytest.mark.parametrize(("B", "T"), [(0, 4), (2, 0), (0, 0), (1, 1), (1, 8)])
def test_any_number_of_texts_up_to_the_context_is_read(config, B, T):
    model = lively(Decoder(config))
    logits = model(ids_for(config, B, T))
    assert logits.shape == (B, T, 11)
    logits.sum().backward()
    batch = model(ids_for(config, 3, 8))
    assert_equal(batch[1:2], model(ids_for(config, 3, 8)[1:2]))


@pytest.mark.parametrize("config", FAMILIES.values(), ids=FAMILIES)
def test_one_token_more_than_the_context_is_refused(config):
    with pytest.raises(ValueError, match=r"at most context_length = 8 tokens, got 9: cut the text"):
        Decoder(config)(torch.zeros(1, 9, dtype=torch.long))
    longer = Decoder(replace(config, context_length=9))
    if config.positions != "learned":  # no parameter knows the length
        longer.load_state_dict(Decoder(config).state_dict())
    assert longer(torch.zeros(1, 9, dtype=torch.long)).shape == (1, 9, 11)


@pytest.mark.parametrize("wrong", [-1, 11])
def test_an_id_outside_the_vocabulary_is_refused(wrong):
    with pytest.raises(ValueError, match=f"ids from 0 to 10, got {wrong}: were they made"):
        Decoder(SMALL)(torch.tensor([[0, wrong]]))


# Encoder and encoder-decoder


@pytest.mark.parametrize("config", [SMALL, FAMILIES["2017"], replace(FAMILIES["Llama"])])
def test_an_encoder_reads_both_ways_and_never_padding(config):
    model, ids = lively(Encoder(config)), ids_for(config)
    real = torch.ones(2, 8, dtype=torch.bool)
    real[1, 5:] = False
    states = model(ids, real)
    assert_equal(states[1:, :5], model(ids[1:, :5]))
    other = ids.clone()
    other[1, 5:] = (ids[1, 5:] + 1) % 11
    assert torch.equal(model(other, real)[:, :5], states[:, :5])
    other = ids.clone()
    other[:, 4] = (ids[:, 4] + 1) % 11
    assert (model(other, real) - states).abs().amax(-1)[real].all()  # each depends on each


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("gradients", [True, False])
def test_a_text_of_padding_alone_has_finite_states_and_gradients_in_any_mode(train, gradients):
    model = lively(EncoderDecoder(SMALL, SMALL)).train(train)
    real = torch.tensor([[True] * 5, [False] * 5])
    with torch.set_grad_enabled(gradients):
        logits = model(ids_for(SMALL, T=5), ids_for(SMALL, T=4), real)
    assert logits.isfinite().all() and logits.requires_grad == gradients
    if gradients:
        logits.logsumexp(-1).sum().backward()
        assert all(p.grad.isfinite().all() for p in model.parameters())


def test_a_translation_depends_on_the_whole_source_and_on_the_target_so_far():
    target_config = replace(SMALL, vocab_size=13, n_layers=1)
    model = lively(EncoderDecoder(SMALL, target_config))
    source, target = ids_for(SMALL, T=5), ids_for(target_config, T=6)
    logits = model(source, target)
    assert logits.shape == (2, 6, 13)
    for position in range(5):
        other = source.clone()
        other[:, position] = (source[:, position] + 1) % 11
        assert (model(other, target) - logits).abs().amax(-1).all()
    assert_equal(model(source, target[:, :3]), logits[:, :3])
    assert model(source[:0], target[:0]).shape == (0, 6, 13)
    assert model(source, target[:, :0]).shape == (2, 0, 13)
    real = torch.ones(2, 5, dtype=torch.bool)
    real[:, 3:] = False
    assert_equal(model(source, target, real), model(source[:, :3], target))


def test_two_widths_and_an_encoder_with_a_window_are_refused():
    with pytest.raises(ValueError, match="expected one d_model, got 16 for the encoder and 32"):
        EncoderDecoder(SMALL, replace(SMALL, d_model=32))
    with pytest.raises(ValueError, match="encoder without a window, got 3"):
        Encoder(replace(SMALL, window=3))


# Configs


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"norm": "batch"}, "expected norm layer or rms, got 'batch': choose one of these"),
        ({"norm_position": "mid"}, "expected norm_position pre or post or both, got 'mid'"),
        ({"positions": "alibi"}, "expected positions learned or sinusoidal or rotary, got 'alibi'"),
        ({"activation": "silu"}, "expected activation relu or relu2 or gelu or swiglu or geglu"),
        ({"n_layers": 0}, "expected n_layers of at least 1, got 0: give a larger one"),
        ({"context_length": 0}, "expected context_length of at least 1, got 0"),
        ({"window": 0}, "expected window of at least 1, got 0"),
        ({"window_every": 0}, "expected window_every of at least 1, got 0"),
        ({"n_kv_heads": 0}, "expected n_kv_heads of at least 1, got 0"),
        ({"norm_eps": 0.0}, "expected norm_eps above 0, got 0.0: give a positive one"),
        ({"attention_soft_cap": -1.0}, "expected attention_soft_cap above 0, got -1.0"),
        ({"logit_soft_cap": math.nan}, "expected logit_soft_cap above 0, got nan"),
        ({"n_heads": 3}, "expected d_model that n_heads = 3 divides, got 16: change one"),
        ({"n_kv_heads": 3}, "expected n_heads that n_kv_heads = 3 divides, got 4: give each"),
        ({"positions": "rotary", "d_head": 5}, "an even d_head for rotary positions, got 5"),
        (
            {"positions": "sinusoidal", "d_model": 15, "d_head": 4},
            "an even d_model for sinusoidal positions, got 15",
        ),
    ],
    ids=str,
)
def test_a_config_that_cannot_be_built_is_one_clear_line(change, message):
    with pytest.raises(ValueError, match=message) as error:
        replace(SMALL, **change)
    assert "\n" not in str(error.value)


def test_what_has_a_default_is_gpt2s():
    required = {"vocab_size", "context_length", "n_layers", "n_heads", "d_model", "d_ff"}
    given = {f.name: f.default for f in fields(TransformerConfig) if f.name not in required}
    assert {f.name for f in fields(TransformerConfig)} == required | set(given)
    assert (SMALL.norm, SMALL.positions, SMALL.activation, SMALL.bias, SMALL.tied_head) == (
        "layer", "learned", "gelu", True, True,
    )  # fmt: skip
    assert (SMALL.kv_heads, SMALL.head_width) == (4, 4)
