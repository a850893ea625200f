"""Records a tiny GPT-2 of Hugging Face's transformers and its logits: `llmcourse/gpt2_recorded/`.

Run: python -m benchmarks.record_gpt2. The folder is as `save_pretrained` writes it, with
`logits.json` beside: ids, logits, and how they were made. The notebook of unit 08 compares its
decoder with these, so that learners need not install the peer; tests/models/test_recorded_gpt2.py
compares them with the peer itself. Weights are drawn with standard deviation 0.2, biases and norms
too: at the default initialisation networks that lack a bias give nearly the same logits.
"""

import json
from pathlib import Path

import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel

TARGET = Path(__file__).parent.parent / "llmcourse" / "gpt2_recorded"
CONFIG = GPT2Config(
    vocab_size=31, n_positions=12, n_embd=16, n_layer=2, n_head=4, bos_token_id=None,
    eos_token_id=None, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
)  # fmt: skip
B, T = 2, 12


def main() -> None:
    """Writes the folder: configuration, weights, ids and logits."""
    generator = torch.Generator().manual_seed(0)
    model = GPT2LMHeadModel(CONFIG).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_(0.0, 0.2, generator=generator)
            if ".ln_" in name and name.endswith("weight"):
                weight += 1
        ids = torch.randint(CONFIG.vocab_size, (B, T), generator=generator)
        logits = model(ids).logits
    model.save_pretrained(TARGET)
    (TARGET / "generation_config.json").unlink(missing_ok=True)
    record = {
        "made_by": f"transformers {transformers.__version__}, GPT2LMHeadModel, float32",
        "command": "python -m benchmarks.record_gpt2",
        "ids": ids.tolist(),
        "logits": [[[round(x, 6) for x in row] for row in text] for text in logits.tolist()],
    }
    (TARGET / "logits.json").write_text(json.dumps(record) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
