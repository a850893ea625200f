"""The schematic drawings of a unit: drawn, released, and shown with a submission.

A markdown cell names one as `![what it shows](figures/NAME.svg)`. The file lies beside the
solution, and a release copies it beside the learner's notebook. The autograded notebook and the
feedback page have no files beside them, so there the drawing becomes an attachment of the released
cell. It is always read from the release: no file and no path of a submission is looked at.
"""

import base64
import re
from collections.abc import Mapping
from pathlib import Path

from autograder.errors import AutograderError

FOLDER = "figures"
SHOWN = re.compile(rf"!\[(?P<alt>[^\]]*)\]\({FOLDER}/(?P<name>[a-z0-9_]+\.svg)\)")


def write(root: Path, slug: str) -> list[Path]:
    """Draw the unit's schematics beside its solution and return the files; many units have none."""
    from llmcourse.plotting.schematics import draw

    folder, written = root / "solutions" / slug / FOLDER, []
    for name, text in draw(slug).items():
        path = folder / f"{name}.svg"
        try:
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise AutograderError(
                f"cannot write {path} ({error.strerror}): make room, or the folder writable"
            ) from None
        written.append(path)
    return written


def released(root: Path, slug: str) -> dict[str, str]:
    """Return the drawings that learners got, as base64 by file name."""
    folder = root / "course" / slug / FOLDER
    return {
        path.name: base64.b64encode(path.read_bytes()).decode()
        for path in sorted(folder.glob("*.svg"))
        if path.is_file() and not path.is_symlink()
    }


def attach(source: str, figures: Mapping[str, str]) -> tuple[str, dict[str, dict[str, str]]]:
    """Return a released text that shows its drawings as attachments, and these attachments.

    A drawing that was not released is left as a file name, which is shown as its alternative text.
    """
    attached: dict[str, dict[str, str]] = {}

    def taken(match: re.Match[str]) -> str:
        if match["name"] not in figures:
            return match[0]
        attached[match["name"]] = {"image/svg+xml": figures[match["name"]]}
        return f"![{match['alt']}](attachment:{match['name']})"

    return SHOWN.sub(taken, source), attached
