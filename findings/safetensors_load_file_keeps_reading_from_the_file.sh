#!/usr/bin/env bash
# safetensors 0.8.0 with torch 2.13.0: tensors from `load_file` and `safe_open(...).get_tensor` lie
# in the memory map of the file, also after `safe_open` was closed. What is written into the file
# later is what they hold from then on (until torch has copied them); what is written into the
# tensors does not reach the file.
# Ends with 0 while that is so, with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet safetensors==0.8.0 torch==2.13.0 numpy==2.4.6
venv/bin/python - <<'END'
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

save_file({"a": torch.ones(4)}, "weights")
loaded = load_file("weights")["a"]
with safe_open("weights", framework="pt") as file:
    opened = file.get_tensor("a")
before = [loaded.tolist(), opened.tolist()]
with open("weights", "r+b") as file:
    file.seek(-16, 2)
    file.write(torch.tensor([2.0] * 4).numpy().tobytes())
after = [loaded.tolist(), opened.tolist()]
print("load_file and get_tensor before the file was written to:", *before)
print("after it:", *after)
loaded += 5
kept = load_file("weights")["a"].tolist()
print("in the file after 5 was added to the tensor:", kept)
sys.exit(not (before == [[1.0] * 4] * 2 and after == [[2.0] * 4] * 2 and kept == [2.0] * 4))
END
