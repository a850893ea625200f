#!/usr/bin/env bash
# nbconvert 7.17.2 (mistune 3.4.0) shows a Markdown table inside a block quote as its source:
# "| a | b |" and "|---|---|" stand in a paragraph. markdown-it-py 4.0.0, which Jupyter Book uses,
# makes a table of the same text, and so does JupyterLab. mistune has a plugin for it,
# `table_in_quote`, which nbconvert does not ask for.
# Ends with 0 while that is so, with 1 when one of them has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet nbconvert==7.17.2 mistune==3.4.0 markdown-it-py==4.0.0
venv/bin/python - <<'END'
import sys

from markdown_it import MarkdownIt
from mistune.plugins.table import table_in_quote
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

text = "> The contract:\n>\n> | argument | meaning |\n> |---|---|\n> | n | an integer |\n"
asked = MarkdownWithMath(renderer=IPythonRenderer())
table_in_quote(asked)
seen = {
    "nbconvert": "<table" in MarkdownWithMath(renderer=IPythonRenderer()).render(text),
    "nbconvert with table_in_quote": "<table" in asked.render(text),
    "markdown-it-py": "<table" in MarkdownIt("commonmark").enable("table").render(text),
}
for name, table in seen.items():
    print(f"{name}: {'a table' if table else 'the source of the table, as text'}")
sys.exit(list(seen.values()) != [False, True, True])
END
