"""The site's page on the world names all of it, and nothing that is not there."""

import re
from pathlib import Path

from llmcourse import world

PAGE = (Path(__file__).parent.parent / "docs" / "world.md").read_text(encoding="utf-8")
CONSTANTS = {"END", "IGNORED", "DATASETS", "LEANING"}


def test_every_public_name_of_the_world_is_documented_once():
    documented = re.findall(r"^\.\. auto(?:function|class):: (\w+)$", PAGE, re.MULTILINE)
    assert sorted(documented) == sorted(set(world.__all__) - CONSTANTS)
