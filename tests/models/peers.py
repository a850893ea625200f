"""Tiny models of transformers' five families with random weights, to load in tests.

Weights have standard deviation 0.2, biases and norms are random, too: at the default initialisation
(0.02, biases 0) networks that lack a bias or have another GELU give nearly the same logits.
"""

from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    Phi3Config,
    PreTrainedConfig,
    PreTrainedModel,
)

CLASSES: dict[str, type[PreTrainedConfig]] = {
    "gpt2": GPT2Config,
    "llama": LlamaConfig,
    "mistral": MistralConfig,
    "gemma2": Gemma2Config,
    "phi3": Phi3Config,
}
_IDS = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": None}
_LLAMA = _IDS | {
    "vocab_size": 23, "hidden_size": 24, "intermediate_size": 20, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 40,
    "rms_norm_eps": 1e-3,
}  # fmt: skip
TINY: dict[str, dict[str, Any]] = {
    "gpt2": _IDS | {
        "vocab_size": 23, "n_positions": 17, "n_embd": 24, "n_layer": 3, "n_head": 4,
        "layer_norm_epsilon": 1e-3,
    },
    "llama": _LLAMA,
    "mistral": _LLAMA | {"sliding_window": 4},
    "gemma2": _LLAMA | {
        "head_dim": 8, "query_pre_attn_scalar": 5, "sliding_window": 4,
        "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0,
    },
    "phi3": _LLAMA | {"sliding_window": 4},
}  # fmt: skip


def peer_config(family: str, **changes: Any) -> PreTrainedConfig:
    """The tiny configuration of a family, with some fields changed."""
    return CLASSES[family](**TINY[family] | changes)


def peer(family: str, seed: int = 0, **changes: Any) -> PreTrainedModel:
    """A tiny model of a family with random weights, in evaluation mode."""
    model = AutoModelForCausalLM.from_config(peer_config(family, **changes)).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_(0.0, 0.2, generator=generator)
            if weight.dim() == 1 and name.endswith("weight") and family != "gemma2":
                weight += 1  # the norms multiply by the weight; Gemma 2's by 1 + weight
    return model


def some_ids(vocab_size: int, B: int = 2, T: int = 13, seed: int = 1) -> torch.Tensor:
    """Random ids, (B, T)."""
    return torch.randint(vocab_size, (B, T), generator=torch.Generator().manual_seed(seed))


def logits_of(model: torch.nn.Module, ids: torch.Tensor) -> torch.Tensor:
    """The logits (B, T, V) of the peer's model or ours."""
    with torch.no_grad():
        out = model(ids)
    return out if isinstance(out, torch.Tensor) else out.logits
