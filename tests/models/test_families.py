"""Every field of the peer's configuration is read, refused, or known not to change the logits."""

import dataclasses
import json
import re

import pytest
import torch
from transformers import GenerationConfig

from llmcourse.models.families import config_of, json_of
from llmcourse.models.family_fields import ARCHITECTURES, FIXED, HARMLESS, READ, WITHOUT_EFFECT
from llmcourse.models.transformer_config import TransformerConfig
from tests.models.peers import CLASSES, TINY, logits_of, peer, peer_config, some_ids

FAMILIES = sorted(CLASSES)
# Handled by the peer's base class, but no field of its dataclass.
POPPED = {
    "torch_dtype", "num_labels", "name_or_path", "_commit_hash", "output_attentions",
    "attn_implementation", "experts_implementation", "per_layer_config",
    *GenerationConfig._get_default_generation_params(),
}  # fmt: skip
# Another valid value for each field that is read.
OTHER = {
    "vocab_size": 29, "n_positions": 33, "n_embd": 32, "n_layer": 2, "n_head": 3, "n_inner": 50,
    "activation_function": "relu", "layer_norm_epsilon": 0.2, "scale_attn_weights": False,
    "hidden_size": 32, "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 6,
    "num_key_value_heads": 4, "head_dim": 10, "hidden_act": "gelu_pytorch_tanh",
    "hidden_activation": "silu", "max_position_embeddings": 50, "rms_norm_eps": 0.2,
    "rope_parameters": {"rope_type": "default", "rope_theta": 77.0}, "rope_theta": 78.0,
    "rope_scaling": {"rope_type": "default", "rope_theta": 79.0}, "sliding_window": 3,
    "query_pre_attn_scalar": 7, "layer_types": ["full_attention"] * 3,
    "final_logit_softcapping": None, "attn_logit_softcapping": 1.0,
}  # fmt: skip
# Values that change the peer's network, or might, and that are refused.
REFUSED = {
    "sliding_window": 4,
    "is_encoder_decoder": True, "add_cross_attention": True, "cross_attention_hidden_size": 8,
    "is_causal": False, "pruned_heads": {"0": [1]}, "per_layer_config": {"0": {"head_dim": 4}},
    "quantization_config": {"bits": 4}, "scale_attn_by_inverse_layer_idx": True,
    "attention_bias": True, "mlp_bias": True, "lm_head_bias": True, "rope_interleaved": True,
    "use_bidirectional_attention": True, "layer_types": ["full_attention"] * 3,
    "full_attn_mod": 2, "interpolate_factor": 2, "n_special": 3,
}  # fmt: skip
# Other values of the fields without effect that the peer's classes have.
NO_MATTER = {
    "attention_dropout": 0.3, "attn_pdrop": 0.3, "embd_pdrop": 0.3, "resid_pdrop": 0.3,
    "summary_first_dropout": 0.3, "initializer_range": 0.5, "id2label": {0: "a"},
    "label2id": {"a": 0}, "problem_type": "regression", "summary_type": "mean",
    "summary_use_proj": False, "summary_activation": "tanh", "summary_proj_to_labels": False,
    "bos_token_id": 5, "eos_token_id": 6, "pad_token_id": 7, "output_hidden_states": True,
    "return_dict": True, "use_cache": False, "chunk_size_feed_forward": 2,
    "reorder_and_upcast_attn": True, "pretraining_tp": 2, "dtype": "float32",
    "architectures": ["Other"], "transformers_version": "4.0.0",
    "original_max_position_embeddings": 8,
}  # fmt: skip


def fields_of(family):
    return {field.name: field.default for field in dataclasses.fields(CLASSES[family])}


def tiny(family, **changes):
    return {"model_type": family, **TINY[family], **changes}


@pytest.mark.parametrize("family", FAMILIES)
def test_each_field_of_the_peer_is_in_exactly_one_list(family):
    for name in sorted(fields_of(family).keys() | POPPED):
        lists = [name in one for one in (READ[family], FIXED[family], HARMLESS[family])]
        assert sum(lists) == 1, f"{family}: {name} is in {sum(lists)} lists"
    assert not READ[family].keys() & FIXED[family].keys()
    assert not READ[family].keys() & HARMLESS[family]
    assert not FIXED[family].keys() & HARMLESS[family]


@pytest.mark.parametrize("family", FAMILIES)
def test_defaults_are_the_peers(family):
    fields = fields_of(family)
    compared = READ[family].keys() & fields.keys()
    assert len(compared) >= 10
    assert {name: READ[family][name] for name in compared} == {n: fields[n] for n in compared}
    assert CLASSES[family]().architectures is None and ARCHITECTURES[family] in str(
        type(peer(family))
    )


@pytest.mark.parametrize(
    "family, name", [(family, name) for family in FAMILIES for name in READ[family]]
)
def test_a_field_that_is_read_matters(family, name):
    base = tiny(family)
    if name == "tie_word_embeddings":
        OTHER[name] = not READ[family][name]
    if name == "partial_rotary_factor":
        with pytest.raises(ValueError, match=r"expected partial_rotary_factor = 1\.0 .* got 0\.5"):
            config_of({**base, name: 0.5})
        return
    config, read_as = config_of({**base, name: OTHER[name]})
    assert read_as == family
    assert config != config_of(base)[0]


@pytest.mark.parametrize(
    "family, name", [(family, name) for family in FAMILIES for name in FIXED[family]]
)
def test_an_unsupported_value_is_one_line_that_names_field_and_value(family, name):
    value = REFUSED[name]
    with pytest.raises(ValueError) as caught:
        config_of(tiny(family, **{name: value}))
    message = str(caught.value)
    assert re.fullmatch(rf"expected {name} = .* got .*: use transformers for .*", message)
    assert repr(value)[:30] in message
    assert config_of(tiny(family, **{name: FIXED[family][name]})) == config_of(tiny(family))


@pytest.mark.parametrize("family", FAMILIES)
def test_fields_without_effect_leave_the_peers_logits_alone(family):
    original = peer(family)
    ids = some_ids(23)
    expected = logits_of(original, ids)
    for name in sorted(fields_of(family).keys() & HARMLESS[family]):
        other = type(original)(peer_config(family, **{name: NO_MATTER[name]})).eval()
        other.load_state_dict(original.state_dict())
        torch.testing.assert_close(logits_of(other, ids), expected, atol=1e-6, rtol=0, msg=name)
        assert config_of(tiny(family, **{name: NO_MATTER[name]})) == config_of(tiny(family))


def test_each_field_without_effect_has_one_reason():
    names = " ".join(WITHOUT_EFFECT.values()).split()
    assert len(names) == len(set(names))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["a_field_of_tomorrow", "head_dim_2"])
def test_an_unknown_field_is_refused(family, name):
    with pytest.raises(ValueError, match=rf"expected fields of {family} .* got '{name}' = 3: "):
        config_of(tiny(family, **{name: 3}))


# Fields beside those of the peer's classes in the config.json of published checkpoints.
PUBLISHED = {
    "gpt2": {
        "n_ctx": 17, "n_special": 0, "predict_special_tokens": True, "_num_labels": 1,
        "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
    },
    "llama": {
        "torch_dtype": "bfloat16", "rope_scaling": None, "rope_theta": 10_000.0,
        "is_llama_config": True, "rope_interleaved": False, "_name_or_path": "a/b",
    },
    "mistral": {"torch_dtype": "bfloat16", "rope_theta": 10_000.0, "attention_bias": False},
    "gemma2": {
        "hidden_act": "gelu_pytorch_tanh", "cache_implementation": "hybrid",
        "rope_theta": 10_000.0, "sliding_window_size": 4, "torch_dtype": "float32",
    },
    "phi3": {
        "attention_bias": False, "auto_map": {"AutoConfig": "a.B"}, "rope_scaling": None,
        "rope_theta": 10_000.0, "partial_rotary_factor": 1.0, "interpolate_factor": 1,
        "full_attn_mod": 1, "mlp_bias": False, "lm_head_bias": False,
    },
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_what_published_checkpoints_have_beside_is_known(family):
    assert config_of(tiny(family, **PUBLISHED[family])) == config_of(tiny(family))


def test_other_names_for_a_field_are_refused():
    for alias in CLASSES["gpt2"].attribute_map:
        with pytest.raises(ValueError, match=rf"got '{alias}' = 3: "):
            config_of(tiny("gpt2", **{alias: 3}))
    assert [family for family in FAMILIES if CLASSES[family].attribute_map] == ["gpt2"]


SCALED = {
    "linear": {"factor": 2.0},
    "dynamic": {"factor": 2.0},
    "yarn": {"factor": 2.0, "original_max_position_embeddings": 20},
    "llama3": {
        "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 20,
    },
    "longrope": {
        "short_factor": [1.0] * 3, "long_factor": [2.0] * 3, "original_max_position_embeddings": 20,
    },
    "a kind of tomorrow": {},
}  # fmt: skip


@pytest.mark.parametrize("kind", SCALED)
@pytest.mark.parametrize("field", ["rope_parameters", "rope_scaling"])
@pytest.mark.parametrize("key", ["rope_type", "type"])
def test_scaled_rotary_positions_are_refused(kind, field, key):
    for family in sorted(set(FAMILIES) - {"gpt2"}):
        with pytest.raises(ValueError, match=rf"expected {field}.rope_type .* got '{kind}': "):
            config_of(tiny(family, **{field: {key: kind, "rope_theta": 50.0, **SCALED[kind]}}))


@pytest.mark.parametrize(
    "fields, base",
    [
        ({}, 10_000.0),
        ({"rope_theta": 50.0}, 50.0),
        ({"rope_scaling": None, "rope_theta": 50}, 50.0),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 60.0}}, 60.0),
        ({"rope_parameters": {"rope_theta": 60.0}, "rope_theta": 50.0}, 60.0),
        ({"rope_parameters": {"rope_type": "default"}, "rope_theta": 50.0}, 50.0),
        ({"rope_scaling": {"type": "default"}, "rope_theta": 50.0}, 50.0),
        (
            {"rope_scaling": {"type": "default", "rope_theta": 70.0},
             "rope_parameters": {"rope_theta": 60.0}},
            70.0,
        ),
        ({"partial_rotary_factor": 1.0}, 10_000.0),
    ],
)  # fmt: skip
def test_the_base_of_rotary_angles_is_found_where_the_peer_finds_it(fields, base):
    for family in sorted(set(FAMILIES) - {"gpt2"}):
        copy = json.loads(json.dumps(fields))  # the peer writes into its arguments
        assert peer_config(family, **copy).rope_parameters["rope_theta"] == base
        assert config_of(tiny(family, **fields))[0].rotary_base == base


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "default", "partial_rotary_factor": 0.5},
        {"rope_type": "default", "factor": 2.0},
        {"rope_type": "default", "rope_theta": -1.0},
        {"rope_type": "default", "rope_theta": "50"},
        {"sliding_attention": {"rope_theta": 10.0}, "full_attention": {"rope_theta": 20.0}},
        "default",
    ],
)
def test_other_rotary_settings_are_refused(rope):
    with pytest.raises(ValueError, match=r"^expected .*rope.* = .* got .*: use .*$|partial_rotary"):
        config_of(tiny("gemma2", rope_parameters=rope))


@pytest.mark.parametrize("name", ["gelu", "quick_gelu", "tanh", "gelu_10", None, 3, ["silu"]])
def test_an_activation_that_we_lack_is_refused(name):
    fields = {"gpt2": "activation_function", "gemma2": "hidden_activation"}
    for family in FAMILIES:
        field = fields.get(family, "hidden_act")
        with pytest.raises(ValueError, match=rf"^expected {field} = one of .*, got .*: use"):
            config_of(tiny(family, **{field: name}))


@pytest.mark.parametrize(
    "family, name, value",
    [
        ("gpt2", "n_layer", 0),
        ("gpt2", "n_embd", "24"),
        ("gpt2", "n_head", 5),
        ("gpt2", "n_head", True),
        ("gpt2", "layer_norm_epsilon", float("nan")),
        ("gpt2", "tie_word_embeddings", None),
        ("gpt2", "scale_attn_weights", 1),
        ("llama", "num_key_value_heads", 3),
        ("llama", "num_attention_heads", 5),
        ("llama", "rms_norm_eps", None),
        ("llama", "vocab_size", 3.0),
        ("mistral", "sliding_window", 0),
        ("mistral", "head_dim", -2),
        ("gemma2", "head_dim", None),
        ("gemma2", "sliding_window", None),
        ("gemma2", "query_pre_attn_scalar", 0),
        ("gemma2", "attn_logit_softcapping", 0),
        ("gemma2", "final_logit_softcapping", float("inf")),
        ("gemma2", "layer_types", ["full_attention", "sliding_attention", "full_attention"]),
        ("gemma2", "layer_types", ["sliding_attention"]),
        ("gemma2", "layer_types", "full_attention"),
        ("phi3", "max_position_embeddings", {"__float__": "Infinity"}),
    ],
)
def test_a_value_that_cannot_be_is_one_line(family, name, value):
    with pytest.raises(ValueError, match=r"^expected .* got .*: .*$") as caught:
        config_of(tiny(family, **{name: value}))
    assert name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["qwen2", "mixtral", None, ["gpt2"], {}])
def test_another_family_is_refused(kind):
    with pytest.raises(ValueError, match=r"^expected model_type gpt2, llama, .* got .*: choose"):
        config_of({"model_type": kind})


def test_windows_of_gemma_2():
    base = tiny("gemma2", num_hidden_layers=4)
    s, f = "sliding_attention", "full_attention"
    for kinds, window, every in (
        (None, 4, 2),
        ([s, f, s, f], 4, 2),
        ([s, s, s, s], 4, 1),
        ([f, f, f, f], None, 1),
    ):
        config, _ = config_of({**base, "layer_types": kinds})
        assert (config.window, config.window_every) == (window, every)


GPT2 = TransformerConfig(23, 17, 3, 4, 24, 96)
LLAMA = TransformerConfig(
    23, 40, 3, 4, 24, 20, n_kv_heads=2, norm="rms", positions="rotary", activation="swiglu",
    bias=False, tied_head=False, rotary_base=500.0,
)  # fmt: skip
GEMMA2 = dataclasses.replace(
    LLAMA, norm_position="both", activation="geglu", window=4, window_every=2, d_head=8,
    attention_soft_cap=2.0, logit_soft_cap=3.0, attention_scale=5**-0.5, embed_scale=True,
)  # fmt: skip


@pytest.mark.parametrize(
    "config, family",
    [
        (GPT2, "gpt2"),
        (dataclasses.replace(GPT2, activation="relu2", attention_scale=1.0), "gpt2"),
        (dataclasses.replace(GPT2, n_kv_heads=4, d_head=6, tied_head=False), "gpt2"),
        (LLAMA, "llama"),
        (dataclasses.replace(LLAMA, activation="geglu", d_head=10), "llama"),
        (dataclasses.replace(LLAMA, window=5), "mistral"),
        (LLAMA, "mistral"),
        (GEMMA2, "gemma2"),
        (dataclasses.replace(GEMMA2, window=None, window_every=1), "gemma2"),
        (dataclasses.replace(GEMMA2, window_every=1, attention_scale=None), "gemma2"),
        (dataclasses.replace(GEMMA2, attention_soft_cap=None, logit_soft_cap=None), "gemma2"),
        (dataclasses.replace(LLAMA, window=5, tied_head=True, d_head=10), "phi3"),
    ],
)
def test_a_configuration_comes_back(config, family):
    written = json.loads(json.dumps(json_of(config, family)))
    read, read_as = config_of(written)
    assert read_as == family
    assert json_of(read, family) == written
    assert read.n_parameters == config.n_parameters
    theirs = CLASSES[family](**written)  # the peer reads it, too
    assert theirs.model_type == family and theirs.vocab_size == 23


@pytest.mark.parametrize(
    "config, family, field",
    [
        (dataclasses.replace(GPT2, norm="rms"), "gpt2", "norm"),
        (dataclasses.replace(GPT2, bias=False), "gpt2", "bias"),
        (dataclasses.replace(GPT2, n_kv_heads=2), "gpt2", "n_kv_heads"),
        (dataclasses.replace(GPT2, positions="sinusoidal"), "gpt2", "positions"),
        (dataclasses.replace(GPT2, activation="swiglu"), "gpt2", "activation"),
        (dataclasses.replace(GPT2, attention_scale=0.3), "gpt2", "attention_scale"),
        (dataclasses.replace(GPT2, window=4), "gpt2", "window"),
        (GPT2, "llama", "norm"),
        (dataclasses.replace(LLAMA, activation="relu2"), "llama", "activation"),
        (dataclasses.replace(LLAMA, norm_position="post"), "llama", "norm_position"),
        (dataclasses.replace(LLAMA, window=4), "llama", "window"),
        (dataclasses.replace(LLAMA, window=4, window_every=2), "mistral", "window_every"),
        (dataclasses.replace(LLAMA, logit_soft_cap=3.0), "phi3", "logit_soft_cap"),
        (dataclasses.replace(GEMMA2, attention_scale=0.3), "gemma2", "attention_scale"),
        (dataclasses.replace(GEMMA2, embed_scale=False), "gemma2", "embed_scale"),
        (dataclasses.replace(GEMMA2, window_every=3, n_layers=4), "gemma2", "layer_types"),
        (GPT2, "bert", "family"),
    ],
)
def test_a_configuration_that_a_family_lacks_is_one_line(config, family, field):
    with pytest.raises(ValueError, match=rf"^expected .*{field}.* got .*: .*$"):
        json_of(config, family)
