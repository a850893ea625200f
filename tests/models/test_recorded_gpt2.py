"""The logits that ship with the course are the peer's, and ours."""

import json
from importlib import resources
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM

from benchmarks import record_gpt2
from llmcourse.models.checkpoints import load_checkpoint
from tests.models.peers import logits_of

FOLDER = Path(str(resources.files("llmcourse") / "gpt2_recorded"))
RECORD = json.loads((FOLDER / "logits.json").read_text("utf-8"))
IDS, LOGITS = torch.tensor(RECORD["ids"]), torch.tensor(RECORD["logits"])


def test_the_recorded_logits_are_the_peers():
    theirs = AutoModelForCausalLM.from_pretrained(FOLDER).eval()
    assert (logits_of(theirs, IDS) - LOGITS).abs().max() < 1e-5
    assert RECORD["made_by"].startswith(f"transformers {transformers.__version__},")
    assert theirs.config.to_diff_dict() == record_gpt2.CONFIG.to_diff_dict() | {
        "architectures": ["GPT2LMHeadModel"], "dtype": "float32",
    }  # fmt: skip


def test_the_recorded_logits_are_ours():
    assert (logits_of(load_checkpoint(FOLDER), IDS) - LOGITS).abs().max() < 1e-4


def test_the_recorded_text_fills_the_context_and_the_logits_spread():
    assert IDS.shape == (record_gpt2.B, record_gpt2.CONFIG.n_positions)
    assert LOGITS.shape == (*IDS.shape, record_gpt2.CONFIG.vocab_size)
    assert LOGITS.std() > 0.5


def test_the_folder_is_small_and_holds_what_the_command_writes():
    files = sorted(path.name for path in FOLDER.iterdir())
    assert files == ["config.json", "logits.json", "model.safetensors"]
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 60_000
