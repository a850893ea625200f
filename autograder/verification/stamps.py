"""Record in a file of the course which units were verified without a problem, in which state.

A unit that has not changed since need not be tried again on each machine that has the course; where
all of it counts, as in CI, `autograder verify --all` tries everything whatever the file says.
"""

import json
from pathlib import Path

from autograder.errors import AutograderError
from autograder.files import write_durably
from autograder.verification.trials import Workbench

PLACE = Path("tests/answers/verified.json")


class Stamp:
    """One line of the file: a unit, how it was tried, and a key of all the verdict depends on.

    rules: the source of what judges the outcomes.
    """

    def __init__(self, root: Path, bench: Workbench, tried: str, rules: str) -> None:
        self.path = root / PLACE
        self.name = f"{bench.unit.slug}: {tried}"
        self.key = bench.whole_key(tried, rules)

    def stands(self) -> bool:
        """Say whether nothing changed since it was written."""
        return self._all().get(self.name) == self.key

    def write(self) -> None:
        """Note that no problem was found."""
        stamps = self._all() | {self.name: self.key}
        write_durably(self.path, json.dumps(stamps, indent=1, sort_keys=True) + "\n")

    def _all(self) -> dict[str, str]:
        if not self.path.is_file():
            return {}
        try:
            return dict(json.loads(self.path.read_text(encoding="utf-8")))
        except ValueError:
            raise AutograderError(
                f"expected JSON in {self.path}, got a broken file: delete it, verify writes it anew"
            ) from None
