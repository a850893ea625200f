#!/usr/bin/env bash
# transformers 5.24.0: Gemma 2 with use_bidirectional_attention=True gives the same logits as without.
# The configuration's docstring says that the model then attends to all tokens. The field reaches
# `is_causal` of the attention layers, which the eager implementation, Gemma 2's default, does not
# look at; and the masks are made by `create_causal_mask`, which asks the configuration for another
# name, `is_causal`. With is_causal=False in the configuration the logits do change.
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
from transformers import Gemma2Config, Gemma2ForCausalLM

SIZES = {
    "vocab_size": 23, "hidden_size": 24, "intermediate_size": 20, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": None,
    "initializer_range": 0.5,
}


def logits(**fields):
    torch.manual_seed(0)
    model = Gemma2ForCausalLM(Gemma2Config(**SIZES, **fields)).eval()
    with torch.no_grad():
        return model(torch.arange(10)[None]).logits


causal = logits()
seen = {}
for name, value in (("use_bidirectional_attention", True), ("is_causal", False)):
    seen[name] = (logits(**{name: value}) - causal).abs().max().item()
    print(f"{name}={value}: logits differ by {seen[name]:.3g} from those without")
sys.exit(not (seen["use_bidirectional_attention"] == 0 and seen["is_causal"] > 0.01))
END
