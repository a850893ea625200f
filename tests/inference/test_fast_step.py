"""A fast step has the logits of the model, whatever the config."""

from dataclasses import fields, replace

import pytest
import torch

from llmcourse.inference.fast_step import FastStep
from llmcourse.models.cache import KVCache
from llmcourse.models.transformer import Decoder
from llmcourse.models.transformer_config import TransformerConfig
from tests.models.test_transformer import FAMILIES, SMALL, assert_equal, grid, ids_for, lively

ROTARY = replace(SMALL, positions="rotary", norm="rms", bias=False)
SWITCHES = [
    *({"norm": norm, "norm_position": where} for norm in ("layer", "rms")
      for where in ("pre", "post", "both")),
    *({"positions": kind} for kind in ("learned", "sinusoidal", "rotary")),
    *({"activation": kind} for kind in ("relu", "relu2", "gelu", "swiglu", "geglu")),
    *({"bias": bias, "norm": norm} for bias in (True, False) for norm in ("layer", "rms")),
    {"n_kv_heads": 1}, {"n_kv_heads": 2, "d_head": 6}, {"norm_eps": 0.1},
    {"positions": "rotary", "rotary_base": 3.0}, {"positions": "rotary", "d_head": 2},
    {"window": 3}, {"window": 2, "window_every": 2}, {"attention_soft_cap": 0.5},
    {"logit_soft_cap": 0.5}, {"attention_scale": 1.5}, {"embed_scale": True},
    {"tied_head": False}, {"n_layers": 1}, {"n_heads": 1}, {"d_model": 32}, {"d_ff": 7},
    {"vocab_size": 3}, {"context_length": 9},
]  # fmt: skip


def by_steps(model, ids, prompt, mask=None):
    """The logits after each token behind the prompt, one fast step a token."""
    cache = KVCache(model, len(ids))
    model(ids[:, :prompt], mask=None if mask is None else mask[:, :prompt], cache=cache)
    step = FastStep(model, cache)
    return torch.stack([step(ids[:, i]) for i in range(prompt, ids.shape[1])], dim=1)


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_steps_have_the_logits_of_the_model_whatever_the_switches(switches):
    config = replace(SMALL, **switches)
    model = lively(Decoder(config))
    ids = ids_for(config, B=3)
    assert_equal(by_steps(model, ids, 2), model(ids)[:, 2:])
    mask = torch.arange(ids.shape[1]) >= torch.tensor([[1], [0], [2]])
    assert_equal(by_steps(model, ids, 3, mask), model(ids, mask=mask)[:, 3:])


def test_every_field_of_the_config_is_among_the_switches():
    """A switch that is added to the config has to be added to the fast step, and here."""
    assert {field.name for field in fields(TransformerConfig)} == set().union(*SWITCHES)
