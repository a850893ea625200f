#!/usr/bin/env bash
# `import nbformat` 5.11.1 takes several times as long where JupyterLab is installed. nbformat imports
# jsonschema; JupyterLab (jupyter-events) asks for jsonschema[format-nongpl], which from 4.25 on
# brings rfc3987-syntax 1.1.0 (lark 1.3.1); jsonschema imports it where it is there; and it compiles
# a grammar of all of Unicode's addresses when it is imported, though no notebook needs one.
# Each process of papermill, nbgrader, nbval, nbconvert and jupyter pays. With jsonschema 4.24.1,
# whose extra of the same name does not bring it, none does.
# Seen: 1.55 s of processor time with 4.26.0, 0.20 s with 4.24.1 (Intel Xeon, 2 cores).
# Ends with 0 while the first takes at least three times as long, with 1 when that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
seconds() { # of the processor, the least of five
  for _ in 1 2 3 4 5; do
    venv/bin/python -c 'import nbformat, time; print(f"{time.process_time():.2f}")'
  done | sort -g | head -1
}
python3 -m venv venv
venv/bin/pip install --quiet nbformat==5.11.1 'jsonschema[format-nongpl]==4.26.0' rfc3987-syntax==1.1.0 lark==1.3.1
with=$(seconds)
venv/bin/pip uninstall --quiet --yes rfc3987-syntax lark
venv/bin/pip install --quiet 'jsonschema[format-nongpl]==4.24.1'
without=$(seconds)
echo "import nbformat: $with s with jsonschema[format-nongpl] 4.26.0, $without s with 4.24.1"
python3 -c "import sys; sys.exit(not $with >= 3 * $without)"
