"""Turn the `config.json` of GPT-2, Llama, Mistral, Gemma 2 or Phi-3 into ours, and ours into it.

`config_of` returns the `TransformerConfig` that gives the logits of `transformers` 5.24, `json_of`
the fields that `transformers` reads back. What neither can express is refused by name.

Not here: which fields there are (`family_fields`), weights (`checkpoints`).

source: Radford et al. 2019, "Language models are unsupervised multitask learners" (GPT-2); Touvron
et al. 2023, arXiv:2302.13971 (Llama); Jiang et al. 2023, arXiv:2310.06825 (Mistral); Gemma team
2024, arXiv:2408.00118 (Gemma 2); Abdin et al. 2024, arXiv:2404.14219 (Phi-3).
unit: 08_transformers
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from llmcourse.arguments import shown
from llmcourse.models.family_fields import ARCHITECTURES, ELSEWHERE, READ, refuse
from llmcourse.models.transformer_config import TransformerConfig

# The first name of each is the one that is written. All of GELU are its tanh form.
_TANH_GELU = ("gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate")
_PLAIN = {"gelu": _TANH_GELU, "relu": ("relu",), "relu2": ("relu2",)}
_GATED = {"swiglu": ("silu", "swish"), "geglu": ("gelu_pytorch_tanh", *_TANH_GELU)}


def config_of(config: Mapping[str, Any]) -> tuple[TransformerConfig, str]:
    """Return the configuration and the family that the contents of a `config.json` describe.

    A field that is missing has the default of the family's class in `transformers`. Raises
    ValueError for a field or a value that is not supported, and names it.
    """
    family = config.get("model_type")
    if not isinstance(family, str) or family not in READ:
        raise ValueError(
            f"expected model_type {', '.join(READ)}, got {shown(family)}: choose a checkpoint of "
            "one of these families"
        )
    for name, value in config.items():
        refuse(name, value, family)
    known = {name: config.get(name, default) for name, default in READ[family].items()}
    return (_gpt2(known) if family == "gpt2" else _rotary(known, family)), family


def json_of(config: TransformerConfig, family: str) -> dict[str, Any]:
    """Return the contents of a `config.json` that `config_of` turns into this configuration.

    The ids of special tokens are null: they belong to the tokenizer. Raises ValueError for a
    configuration that the family cannot express, and names the field.
    """
    if family not in READ:
        raise ValueError(
            f"expected a family of {', '.join(READ)}, got {shown(family)}: choose one of these"
        )
    written = _gpt2_json(config) if family == "gpt2" else _rotary_json(config, family)
    written |= {
        "model_type": family, "architectures": [ARCHITECTURES[family]],
        "vocab_size": config.vocab_size, "tie_word_embeddings": config.tied_head,
        "bos_token_id": None, "eos_token_id": None, "pad_token_id": None,
    }  # fmt: skip
    meant, read_back = _resolved(config), _resolved(config_of(written)[0])
    for field in fields(TransformerConfig):
        ours, theirs = getattr(meant, field.name), getattr(read_back, field.name)
        if ours != theirs:
            raise ValueError(
                f"expected {field.name}={theirs!r}, the only value that {family} can express here, "
                f"got {ours!r}: choose another family or configuration"
            )
    return written


def _resolved(config: TransformerConfig) -> TransformerConfig:
    """Return the same model with the defaults written out, and what it does not use at rest."""
    rest = {} if config.positions == "rotary" else {"rotary_base": 10_000.0}
    return replace(
        config,
        n_kv_heads=config.kv_heads,
        d_head=config.head_width,
        attention_scale=config.attention_scale or config.head_width**-0.5,
        window_every=1 if config.window is None else min(config.window_every, config.n_layers),
        **rest,
    )


def _wrong(name: str, expected: str, value: Any) -> ValueError:
    return ValueError(
        f"expected {name} = {expected} in config.json, got {shown(value)}: {ELSEWHERE}, or "
        "correct the field"
    )


def _size(known: Mapping[str, Any], name: str) -> int:
    value = known[name]
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _wrong(name, "an integer of at least 1", value)
    return value


def _number(known: Mapping[str, Any], name: str) -> float:
    value = known[name]
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
        raise _wrong(name, "a finite number above 0", value)
    return float(value)


def _or_none(read: Any, known: Mapping[str, Any], name: str) -> Any:
    return None if known[name] is None else read(known, name)


def _switch(known: Mapping[str, Any], name: str) -> bool:
    if not isinstance(known[name], bool):
        raise _wrong(name, "true or false", known[name])
    return known[name]


def _activation(known: Mapping[str, Any], name: str, forms: Mapping[str, tuple[str, ...]]) -> str:
    for ours, theirs in forms.items():
        if known[name] in theirs:
            return ours
    names = ", ".join(name for theirs in forms.values() for name in dict.fromkeys(theirs))
    raise _wrong(name, f"one of {names}", known[name])


def _divisible(known: Mapping[str, Any], name: str, by: str) -> None:
    whole, parts = _size(known, name), _size(known, by)
    if whole % parts:
        raise _wrong(name, f"a multiple of {by} = {parts}", whole)


def _gpt2(known: Mapping[str, Any]) -> TransformerConfig:
    d_model = _size(known, "n_embd")
    _divisible(known, "n_embd", "n_head")
    return TransformerConfig(
        vocab_size=_size(known, "vocab_size"),
        context_length=_size(known, "n_positions"),
        n_layers=_size(known, "n_layer"),
        n_heads=_size(known, "n_head"),
        d_model=d_model,
        d_ff=_or_none(_size, known, "n_inner") or 4 * d_model,
        norm="layer",
        norm_position="pre",
        norm_eps=_number(known, "layer_norm_epsilon"),
        positions="learned",
        activation=_activation(known, "activation_function", _PLAIN),
        bias=True,
        attention_scale=None if _switch(known, "scale_attn_weights") else 1.0,
        embed_scale=False,
        tied_head=_switch(known, "tie_word_embeddings"),
    )


def _gpt2_json(config: TransformerConfig) -> dict[str, Any]:
    return {
        "n_positions": config.context_length, "n_embd": config.d_model, "n_layer": config.n_layers,
        "n_head": config.n_heads, "n_inner": config.d_ff, "layer_norm_epsilon": config.norm_eps,
        "activation_function": _PLAIN.get(config.activation, _TANH_GELU)[0],
        "scale_attn_weights": config.attention_scale != 1.0,
    }  # fmt: skip


def _rotary(known: Mapping[str, Any], family: str) -> TransformerConfig:
    """Return the configuration of a family with rotary positions, RMS norms and a gate."""
    gemma = family == "gemma2"
    n_heads, n_layers = _size(known, "num_attention_heads"), _size(known, "num_hidden_layers")
    n_kv_heads = _or_none(_size, known, "num_key_value_heads")
    if n_kv_heads is not None:
        _divisible(known, "num_attention_heads", "num_key_value_heads")
    d_head = _size(known, "head_dim") if gemma else _or_none(_size, known, "head_dim")
    if d_head is None or family in ("llama", "gemma2"):  # these two check it in any case
        _divisible(known, "hidden_size", "num_attention_heads")
    window = _or_none(_size, known, "sliding_window") if "sliding_window" in known else None
    every = 1
    if gemma:
        window, every = _windows(window, known["layer_types"], n_layers)
    return TransformerConfig(
        vocab_size=_size(known, "vocab_size"),
        context_length=_size(known, "max_position_embeddings"),
        n_layers=n_layers,
        n_heads=n_heads,
        d_model=_size(known, "hidden_size"),
        d_ff=_size(known, "intermediate_size"),
        n_kv_heads=n_kv_heads,
        d_head=d_head,
        norm="rms",
        norm_position="both" if gemma else "pre",
        norm_eps=_number(known, "rms_norm_eps"),
        positions="rotary",
        rotary_base=_rotary_base(known),
        activation=_activation(known, "hidden_activation" if gemma else "hidden_act", _GATED),
        bias=False,
        window=window,
        window_every=every,
        attention_soft_cap=_or_none(_number, known, "attn_logit_softcapping") if gemma else None,
        logit_soft_cap=_or_none(_number, known, "final_logit_softcapping") if gemma else None,
        attention_scale=_number(known, "query_pre_attn_scalar") ** -0.5 if gemma else None,
        embed_scale=gemma,
        tied_head=_switch(known, "tie_word_embeddings"),
    )


def _rotary_json(config: TransformerConfig, family: str) -> dict[str, Any]:
    written = {
        "hidden_size": config.d_model, "intermediate_size": config.d_ff,
        "num_hidden_layers": config.n_layers, "num_attention_heads": config.n_heads,
        "num_key_value_heads": config.kv_heads, "head_dim": config.head_width,
        "max_position_embeddings": config.context_length, "rms_norm_eps": config.norm_eps,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rotary_base},
        "rope_theta": config.rotary_base,  # versions before 5 read this one
    }  # fmt: skip
    act = _GATED.get(config.activation, ("silu",))[0]
    written["hidden_activation" if family == "gemma2" else "hidden_act"] = act
    if family != "llama":
        written["sliding_window"] = config.window
    if family == "gemma2":
        # The window is asked for even if layer_types has no layer that would use it.
        written["sliding_window"] = config.window or config.context_length
        scale = config.attention_scale or config.head_width**-0.5
        written |= {
            "query_pre_attn_scalar": round(scale**-2),
            "layer_types": _layer_types(config),
            "attn_logit_softcapping": config.attention_soft_cap,
            "final_logit_softcapping": config.logit_soft_cap,
        }
    return written


def _windows(window: int | None, layer_types: Any, n_layers: int) -> tuple[int | None, int]:
    """Return the window and the distance of the layers that have it, from `layer_types`."""
    every_second = _kinds(n_layers, 2)
    if layer_types is None:
        layer_types = every_second
    if layer_types == ["full_attention"] * n_layers:
        return None, 1
    for every, kinds in ((2, every_second), (1, _kinds(n_layers, 1))):
        if layer_types == kinds:
            if window is None:
                raise _wrong("sliding_window", "a size, as layer_types has a sliding one", None)
            return window, every
    expected = "sliding_attention in every layer, in every second from the first on, or in none"
    raise _wrong("layer_types", expected, layer_types)


def _kinds(n_layers: int, every: int) -> list[str]:
    return ["full_attention" if i % every else "sliding_attention" for i in range(n_layers)]


def _layer_types(config: TransformerConfig) -> list[str]:
    if config.window is None:
        return ["full_attention"] * config.n_layers
    return _kinds(config.n_layers, config.window_every)


def _rotary_base(known: Mapping[str, Any]) -> float:
    """Return the base of the rotary angles; what scales or cuts them is refused.

    `rope_scaling` is the name of `rope_parameters` before version 5; a base inside of either goes
    before the field beside it.
    """
    name = "rope_scaling" if known["rope_scaling"] else "rope_parameters"
    inside = known[name] or {}
    if not isinstance(inside, dict):
        raise _wrong(name, "an object or null", inside)
    merged = {"rope_theta": known["rope_theta"], **inside}
    kind = inside.get("rope_type", inside.get("type", "default"))
    if kind != "default":
        raise _wrong(f"{name}.rope_type", "'default'", kind)
    for part in (known, inside):
        factor = part.get("partial_rotary_factor")
        if factor not in (None, 1):
            raise _wrong("partial_rotary_factor", "1.0", factor)
    others = inside.keys() - {"rope_type", "type", "rope_theta", "partial_rotary_factor"}
    for other in sorted(others):
        if inside[other] is not None:
            raise _wrong(f"{name}.{other}", "null", inside[other])
    return _number(merged, "rope_theta")
