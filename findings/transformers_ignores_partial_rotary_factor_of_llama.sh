#!/usr/bin/env bash
# transformers 5.24.0 reads partial_rotary_factor into rope_parameters for every family, and Phi-3
# turns only that part of each head. Llama, Mistral and Gemma 2 turn the whole head all the same,
# without a warning: their logits are those of 1.0.
# Ends with 0 while that is so, with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet torch==2.13.0 transformers==5.24.0
venv/bin/python - <<'END'
import sys

import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    LlamaConfig,
    MistralConfig,
    Phi3Config,
)

SIZES = {
    "vocab_size": 23, "hidden_size": 32, "intermediate_size": 20, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": None,
    "initializer_range": 0.5,
}


def logits(kind, factor):
    torch.manual_seed(0)
    config = kind(**SIZES, partial_rotary_factor=factor)
    assert config.rope_parameters["partial_rotary_factor"] == factor
    with torch.no_grad():
        return AutoModelForCausalLM.from_config(config).eval()(torch.arange(10)[None]).logits


seen = {}
for kind in (LlamaConfig, MistralConfig, Gemma2Config, Phi3Config):
    seen[kind.model_type] = (logits(kind, 0.5) - logits(kind, 1.0)).abs().max().item()
    print(f"{kind.model_type}: factor 0.5 changes the logits by {seen[kind.model_type]:.3g}")
sys.exit(not (seen.pop("phi3") > 0.01 and set(seen.values()) == {0.0}))
END
