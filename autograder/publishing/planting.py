"""A repair: an exercise whose cell learners get with faulty lines in it, to be mended in place.

The source has the right lines in several solution regions. `planted` in `unit.toml` has one text
for each of them, which the release puts where nbgrader has put a stub. The first text begins with
the stub's own line, so that an untouched cell counts as not solved.
"""

import re
import textwrap

from nbformat import NotebookNode

from autograder.course import UnitInfo
from autograder.errors import AutograderError

STUB_LINE = re.compile(r'^( *)raise NotImplementedError\("your turn"\)$', re.MULTILINE)


def plant(notebook: NotebookNode, info: UnitInfo) -> None:
    """Replace the stubs in the cells of repairs by their faulty lines, indented alike.

    Raises AutograderError where the numbers of stubs and of texts differ, and where the first text
    lacks the stub's line.
    """
    for about in (about for about in info.exercises if about.planted):
        [cell] = [c for c in notebook.cells if _grade_id(c) == about.id]
        stubs = list(STUB_LINE.finditer(cell.source))
        if len(stubs) != len(about.planted) or not STUB_LINE.search(about.planted[0]):
            raise AutograderError(
                f"{info.slug}: {about.id}: expected one planted text for each of {len(stubs)} "
                f"solution regions, got {len(about.planted)}: give as many, and begin the first "
                'with raise NotImplementedError("your turn")'
            )
        for stub, text in reversed(list(zip(stubs, about.planted, strict=True))):
            lines = textwrap.indent(text.strip("\n"), stub[1])
            cell.source = cell.source[: stub.start()] + lines + cell.source[stub.end() :]


def _grade_id(cell: NotebookNode) -> str | None:
    found: str | None = cell.metadata.get("nbgrader", {}).get("grade_id")
    return found
