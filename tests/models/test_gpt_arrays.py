"""llmcourse.models.gpt_arrays and the formulas of unit 08's checks: both are torch's, number for
number."""

import json
from functools import partial
from importlib import resources

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from llmcourse.checks import u08_attention as attention
from llmcourse.checks import u08_models as models
from llmcourse.checks import u08_parts as parts
from llmcourse.checks import u08_repair as repair
from llmcourse.models import gpt_arrays as arrays
from llmcourse.models.checkpoints import load_checkpoint
from llmcourse.models.transformer import Decoder
from llmcourse.models.transformer_config import TransformerConfig


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def tensor(value):
    return torch.tensor(np.asarray(value))


@pytest.mark.parametrize("attend", [arrays.scaled_dot_product_attention, attention.attend])
def test_attention_is_torchs_with_a_row_that_sees_nothing(attend, rng):
    q, k, v, mask = attention.attention_inputs(rng, (2, 3), 4, 6, 5, 2)
    mask[1] = False
    theirs = F.scaled_dot_product_attention(tensor(q), tensor(k), tensor(v), tensor(mask))
    np.testing.assert_allclose(attend(q, k, v, mask), theirs, atol=1e-12)
    theirs = F.scaled_dot_product_attention(tensor(q), tensor(k), tensor(v))
    np.testing.assert_allclose(attend(q, k, v), theirs, atol=1e-12)


@pytest.mark.parametrize("mask", [arrays.causal_mask, attention.causal])
def test_the_last_query_is_the_last_key(mask):
    np.testing.assert_array_equal(mask(2, 4), [[1, 1, 1, 0], [1, 1, 1, 1]])
    np.testing.assert_array_equal(mask(3), np.tri(3))


@pytest.mark.parametrize("heads", [arrays.multi_head_attention, attention.multi_head])
@pytest.mark.parametrize("memory", [0, 5])
def test_many_heads_are_torchs(heads, memory, rng):
    p, x, seen = attention.heads_inputs(rng, 2, 4, 6, memory)
    layer = nn.MultiheadAttention(6, 3, batch_first=True).double()
    state = {f"in_proj_{a}": np.concatenate([p[f"{w}_{n}"] for n in "qkv"])
             for w, a in (("W", "weight"), ("b", "bias"))}  # fmt: skip
    state |= {"out_proj.weight": p["W_o"], "out_proj.bias": p["b_o"]}
    layer.load_state_dict({name: tensor(value) for name, value in state.items()})
    source = tensor(x if seen is None else seen)
    theirs = layer(tensor(x), source, source, need_weights=False)[0].detach()
    np.testing.assert_allclose(heads(p, x, 3, seen), theirs, atol=1e-12)


@pytest.mark.parametrize("norm", [arrays.layer_norm, parts.normed])
def test_layer_norm_is_torchs_also_on_small_vectors(norm, rng):
    x, weight, bias, _ = parts.norm_inputs(rng, 2, 3, 5)
    for size in (1, 1e-3):
        theirs = F.layer_norm(tensor(size * x), (5,), tensor(weight), tensor(bias))
        np.testing.assert_allclose(norm(size * x, weight, bias), theirs, atol=1e-10)


@pytest.mark.parametrize("block", [arrays.transformer_block, models.block])
def test_a_block_is_torchs_with_norm_first(block, rng):
    p, x, H, mask = models.block_inputs(rng, 2, 4, 3, 2, 7)
    gelu = partial(F.gelu, approximate="tanh")
    layer = nn.TransformerEncoderLayer(6, H, 7, 0.0, gelu, norm_first=True, batch_first=True)
    own, feed = p["attention"], p["feed_forward"]
    state = {"self_attn.out_proj.weight": own["W_o"], "self_attn.out_proj.bias": own["b_o"]}
    for w, a in (("W", "weight"), ("b", "bias")):
        state[f"self_attn.in_proj_{a}"] = np.concatenate([own[f"{w}_{n}"] for n in "qkv"])
        for i in (1, 2):
            state[f"linear{i}.{a}"], state[f"norm{i}.{a}"] = feed[f"{w}_{i}"], p[f"norm_{i}"][a]
    layer.double().load_state_dict({name: tensor(value) for name, value in state.items()})
    theirs = layer(tensor(x), src_mask=tensor(~mask)).detach()
    np.testing.assert_allclose(block(p, x, H, mask), theirs, atol=1e-10)


def test_positions_are_sines_and_cosines_of_the_same_angles():
    np.testing.assert_allclose(arrays.sinusoidal_positions(9, 6), parts.positions(9, 6), atol=1e-12)
    assert arrays.sinusoidal_positions(1_001, 500)[1_000] @ parts.positions(1_001, 500)[
        1_000
    ] == pytest.approx(250)


def test_the_logits_are_those_of_the_decoder_and_of_the_recorded_gpt_2():
    folder = resources.files("llmcourse") / "gpt2_recorded"
    record = json.loads((folder / "logits.json").read_text("utf-8"))
    model, ids = load_checkpoint(folder), np.array(record["ids"])
    params = arrays.params_of(model)
    mine = arrays.GPT(params, model.config.n_heads).logits(ids)
    np.testing.assert_allclose(mine, record["logits"], atol=1e-4)
    np.testing.assert_allclose(
        mine, models.gpt_logits(params, model.config.n_heads, ids), atol=1e-5
    )
    with pytest.raises(ValueError, match="at most 12"):
        arrays.GPT(params, 4).logits(np.zeros((1, 13), dtype=int))


def test_parameters_are_counted_as_the_decoder_has_them():
    config = TransformerConfig(50, 8, 2, 2, 6, 24)
    total, blocks = arrays.count_parameters(50, 8, 2, 6)
    assert total == config.n_parameters == sum(p.numel() for p in Decoder(config).parameters())
    assert models.counted(50, 8, 2, 6) == (total, blocks)


def test_the_right_versions_of_the_repair_are_the_formulas(rng):
    p, H = repair.repair_params(rng, 7, 8, 2, 6), 2
    args = repair.part_arguments(rng, p, 4)
    right = {name: repair.results(name, p, H, args[name])[0][1] for name in repair.PARTS}
    own, x = args["attention"]
    theirs = attention.multi_head(own, x, H, None, attention.causal(4))
    np.testing.assert_allclose(right["attention"], theirs, atol=1e-12)
    names = {"W_1": "W_up", "b_1": "b_up", "W_2": "W_down", "b_2": "b_down"}
    blocks = [b | {"feed_forward": {n: b[o] for n, o in names.items()}} for b in p["blocks"]]
    logits = models.gpt_logits(p | {"blocks": blocks}, H, args["logits"][0])
    np.testing.assert_allclose(right["logits"], logits, atol=1e-10)
    loss = F.cross_entropy(tensor(logits[:, :-1]).mT, tensor(args["loss"][0][:, 1:]))
    np.testing.assert_allclose(right["loss"], loss, atol=1e-10)
