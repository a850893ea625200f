"""What tests share: checked shapes, how long hypothesis looks, what a grading may have left behind,
whether a sandbox starts; and what keeps them fast.
"""

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from beartype import beartype
from hypothesis import settings
from jaxtyping import install_import_hook

from autograder.sandbox.process import available

# The tests start a thousand processes that load the same modules: these are compiled once, and so
# is what pytest makes of the tests, whatever the environment says.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Most of what tests make is needed to their end, so to look for garbage often finds little.
gc.set_threshold(50_000, 20, 20)

# In tests, and only there, a tensor of another shape than its signature says is a TypeCheckError.
# It is not pytest's option --jaxtyping-packages in pyproject.toml that does it: from there, an
# option does not reach the workers of pytest-xdist.
COURSE = Path(__file__).parent.parent / "llmcourse"
ON_TENSORS = [
    path
    for room in ("models", "training", "inference")
    for path in sorted(COURSE.glob(f"{room}/*.py"))
]
SHAPED = [
    f"llmcourse.{path.parent.name}.{path.stem}"
    for path in ON_TENSORS
    if "from jaxtyping import" in path.read_text()
]


def shapes_only(function: Callable) -> Callable:
    """Have beartype check the hints on tensors; the others bind nobody, as outside of tests."""
    hints = function.__annotations__
    function.__annotations__ = {name: hint for name, hint in hints.items() if "Tensor" in str(hint)}
    return beartype(function)


install_import_hook(SHAPED, "tests.conftest.shapes_only")

# Time alone fails no test on a busy machine.
settings.register_profile("short", deadline=None)
settings.register_profile("long", deadline=None, max_examples=5_000)
settings.load_profile("short")

# The files that take longest begin first, so that both workers end together. It takes long to fork
# a large process, so those that fill the memory, with samples of the world, come last.
LONGEST = (
    "sandbox/test_busy_machine",
    "test_notebooks",
    "sandbox/test_view",
    "classroom/test_operations",
    "grading/test_result",
    "verification/test_passed",
    "classroom/test_crashes",
    "publishing/test_learners_zip",
    "commands/test_run",
    "classroom/test_nbgrader",
    "test_devices",
    "test_browser",
    "verification/test_contracts",
    "verification/test_trust",
    "publishing/test_build",
    "publishing/test_releases",
    "commands/test_lab",
    "classroom/test_formgrader",
    "classroom/test_sample_class",
)
FILLS_MEMORY = ("world/test_laws", "world/")


def pytest_collection_modifyitems(items):
    """Put the files of `LONGEST` first and those of `FILLS_MEMORY` last, each in its order."""
    here = Path(__file__).parent
    items.sort(key=lambda item: _rank(os.path.relpath(item.path, here)))


def _rank(name):
    last = next((i for i, start in enumerate(FILLS_MEMORY) if name.startswith(start)), -1)
    first = next((i for i, start in enumerate(LONGEST) if name == f"{start}.py"), len(LONGEST))
    return last, first


def control_groups(slot: int) -> list[str]:
    """This process's control groups of a slot. Other processes' groups may go while we look:
    `os.walk` passes over them, `Path.glob` does not."""
    name = f"llmcourse-{os.getpid()}-{slot}-"
    return [path for path, _, _ in os.walk("/sys/fs/cgroup") if name in path]


@pytest.fixture(scope="session")
def wall():
    """Skip where no sandbox starts; asked once a process, not once a file as they are collected."""
    if (reason := available()) is not None:
        pytest.skip(reason)
