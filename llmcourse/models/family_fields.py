"""The fields of `config.json` of GPT-2, Llama, Mistral, Gemma 2 and Phi-3: read, fixed, harmless.

A field is read (`READ`, with the default that it has in `transformers` 5.24), or has one value that
is supported (`FIXED`), or does not change the logits (`WITHOUT_EFFECT`, with the reason). Any other
field, or value, is refused by name: a network that differs without a word is worse than none.

Left out, and refused: scaled rotary positions (linear, dynamic, llama3, yarn, longrope), partial
rotary positions, biases in Llama's form, the erf form of GELU, cross-attention, other settings for
single layers, quantized weights.

unit: 08_transformers
"""

from __future__ import annotations

from typing import Any

from llmcourse.arguments import shown

ELSEWHERE = "use transformers for this checkpoint"

# The fields that are read, with the defaults of the family's configuration class.
_LLAMA = {
    "vocab_size": 32_000, "hidden_size": 4096, "intermediate_size": 11_008,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": None,
    "head_dim": None, "hidden_act": "silu", "max_position_embeddings": 2048, "rms_norm_eps": 1e-6,
    "tie_word_embeddings": False, "rope_parameters": None, "rope_scaling": None,
    "rope_theta": 10_000.0, "partial_rotary_factor": None,
}  # fmt: skip
_GEMMA2 = {name: value for name, value in _LLAMA.items() if name != "hidden_act"}
READ: dict[str, dict[str, Any]] = {
    "gpt2": {
        "vocab_size": 50_257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12,
        "n_inner": None, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5,
        "scale_attn_weights": True, "tie_word_embeddings": True,
    },
    "llama": _LLAMA,
    "mistral": _LLAMA | {
        "intermediate_size": 14_336, "num_key_value_heads": 8, "max_position_embeddings": 131_072,
        "sliding_window": 4096,
    },
    "gemma2": _GEMMA2 | {
        "vocab_size": 256_000, "hidden_size": 2304, "intermediate_size": 9216,
        "num_hidden_layers": 26, "num_attention_heads": 8, "num_key_value_heads": 4,
        "head_dim": 256, "hidden_activation": "gelu_pytorch_tanh", "max_position_embeddings": 8192,
        "tie_word_embeddings": True, "query_pre_attn_scalar": 256, "sliding_window": 4096,
        "layer_types": None, "final_logit_softcapping": 30.0, "attn_logit_softcapping": 50.0,
    },
    "phi3": _LLAMA | {
        "vocab_size": 32_064, "hidden_size": 3072, "intermediate_size": 8192,
        "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "sliding_window": None,
    },
}  # fmt: skip
ARCHITECTURES = {
    "gpt2": "GPT2LMHeadModel",
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "gemma2": "Gemma2ForCausalLM",
    "phi3": "Phi3ForCausalLM",
}

# Fields that would change the logits, and the value that is supported; null is no, none.
_FIXED = {
    "is_encoder_decoder": False, "add_cross_attention": False, "cross_attention_hidden_size": None,
    "is_causal": True, "pruned_heads": {}, "per_layer_config": None, "quantization_config": None,
}  # fmt: skip
_NO_BIAS = {"attention_bias": False, "mlp_bias": False, "lm_head_bias": False}
_ROTARY = _FIXED | _NO_BIAS | {"rope_interleaved": False}
FIXED: dict[str, dict[str, Any]] = {
    "gpt2": _FIXED
    | {
        "scale_attn_by_inverse_layer_idx": False,
        "layer_types": None,
        "n_special": 0,
    },
    "llama": _ROTARY | {"layer_types": None, "sliding_window": None},
    "mistral": _ROTARY | {"layer_types": None},
    "gemma2": _ROTARY | {"use_bidirectional_attention": False},
    "phi3": _ROTARY | {"layer_types": None, "full_attn_mod": 1, "interpolate_factor": 1},
}

# Fields that do not change the logits, by the reason why.
WITHOUT_EFFECT: dict[str, str] = {
    "dropout is off when logits are compared":
        "attention_dropout attn_pdrop embd_pdrop resid_pdrop summary_first_dropout",
    "it is for drawing new weights":
        "initializer_range",
    "it is for a classifier in place of the head":
        "id2label label2id num_labels _num_labels problem_type finetuning_task summary_type "
        "summary_use_proj summary_activation summary_proj_to_labels",
    "it names an id for the tokenizer and for generation":
        "bos_token_id eos_token_id pad_token_id sep_token_id decoder_start_token_id",
    "it chooses what else is returned":
        "output_hidden_states output_attentions return_dict use_return_dict "
        "tie_last_hidden_states torchscript keys_to_ignore_at_inference",
    "it chooses between ways to compute the same numbers":
        "use_cache cache_implementation chunk_size_feed_forward reorder_and_upcast_attn "
        "pretraining_tp attn_implementation _attn_implementation _attn_implementation_autoset "
        "experts_implementation gradient_checkpointing tf_legacy_loss use_bfloat16",
    "the dtype is an argument":
        "dtype torch_dtype",
    "it says where the file comes from":
        "model_type architectures transformers_version name_or_path _name_or_path _commit_hash "
        "auto_map tokenizer_class task_specific_params prefix is_llama_config is_decoder "
        "transformers.js_config",
    "it is left from earlier versions, or from scaling that is refused":
        "n_ctx predict_special_tokens sliding_window_size original_max_position_embeddings",
    "it is for generation":
        "max_length min_length do_sample early_stopping num_beams temperature top_k top_p "
        "typical_p repetition_penalty length_penalty no_repeat_ngram_size bad_words_ids "
        "encoder_no_repeat_ngram_size num_return_sequences output_scores return_dict_in_generate "
        "forced_bos_token_id forced_eos_token_id remove_invalid_values suppress_tokens "
        "exponential_decay_length_penalty begin_suppress_tokens epsilon_cutoff eta_cutoff "
        "encoder_repetition_penalty num_assistant_tokens num_assistant_tokens_schedule "
        "assistant_confidence_threshold assistant_lookbehind target_lookbehind num_beam_groups "
        "diversity_penalty",
}  # fmt: skip
_HARMLESS = set(" ".join(WITHOUT_EFFECT.values()).split())
HARMLESS = {family: _HARMLESS for family in READ}
HARMLESS["gemma2"] = _HARMLESS | {"hidden_act"}  # Gemma 2 reads hidden_activation


def refuse(name: str, value: Any, family: str) -> None:
    """Raise ValueError for a field that is not supported with this value."""
    if name in READ[family] or name in HARMLESS[family]:
        return
    if name not in FIXED[family]:
        raise ValueError(
            f"expected fields of {family} in config.json, got {name!r} = {shown(value)}: remove it "
            f"if it does not change the logits, else {ELSEWHERE}"
        )
    supported = FIXED[family][name]
    if value != supported and not (value is None and not supported):
        raise ValueError(
            f"expected {name} = {supported!r} in config.json, got {shown(value)}, which changes "
            f"the logits and is not supported: {ELSEWHERE}"
        )
