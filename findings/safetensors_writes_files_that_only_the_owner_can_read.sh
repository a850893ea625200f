#!/usr/bin/env bash
# safetensors 0.8.0: `save_file` leaves a file of mode 600 whatever the umask says, also in place of
# a file that others could read; where a symbolic link was, there is a file afterwards and the
# link's target is as before. It writes a temporary file and renames it, which is what keeps a
# reader's memory map whole; the mode stays that of the temporary file.
# Ends with 0 while that is so, with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet safetensors==0.8.0 numpy==2.4.6
venv/bin/python - <<'END'
import os
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

os.umask(0o022)
new, old, target, link = map(Path, ("new", "old", "target", "link"))
old.write_bytes(b"")
save_file({"a": np.zeros(2)}, target)
link.symlink_to(target)
modes = {"before": old.stat().st_mode & 0o777}
for path in (new, old, link):
    save_file({"a": np.ones(2)}, path)
modes |= {path.name: path.stat().st_mode & 0o777 for path in (new, old)}
print("umask 022;", ", ".join(f"{name}: {mode:o}" for name, mode in modes.items()))
print("the link is", "a link" if link.is_symlink() else "a file", "and its target", load_file(target)["a"])
sys.exit(
    not (
        modes == {"before": 0o644, "new": 0o600, "old": 0o600}
        and not link.is_symlink()
        and load_file(target)["a"].sum() == 0
    )
)
END
