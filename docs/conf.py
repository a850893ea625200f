"""The site: `make docs` writes it to build/docs.

Each notebook is shown as learners have it, with the figures and numbers of the executed solutions:
the text comes from course/, the outputs from solutions/, cell by cell.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat

HERE = Path(__file__).parent
ROOT = HERE.parent

project = "llmcourse"
author = "the llmcourse authors"
html_title = "llmcourse"
html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_css_files = ["course.css"]
extensions = ["myst_nb", "sphinx.ext.autodoc"]
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"
default_role = "code"
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
toc_object_entries = False
html_theme_options = {"show_navbar_depth": 1, "navbar_persistent": [], "navbar_end": []}


def show_notebooks(app: Any) -> None:
    """Write docs/notebooks/: the learners' cells with the outputs of the solutions.

    The figures of each unit lie there in a folder of its own.
    """
    shown = HERE / "notebooks"
    shutil.rmtree(shown, ignore_errors=True)
    shown.mkdir()
    for path in sorted((ROOT / "course").glob("*/*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        solved = nbformat.read(ROOT / "solutions" / path.parent.name / path.name, as_version=4)
        outputs = {cell.id: cell.get("outputs", []) for cell in solved.cells}
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = outputs[cell.id]
            else:
                cell.source = cell.source.replace("](figures/", f"]({path.stem}/")
        if (path.parent / "figures").is_dir():
            shutil.copytree(path.parent / "figures", shown / path.stem)
        nbformat.write(notebook, shown / path.name)


def setup(app: Any) -> None:
    """Let Sphinx, which calls this, find the notebooks before it looks for its pages."""
    app.connect("config-inited", lambda app, config: show_notebooks(app))
