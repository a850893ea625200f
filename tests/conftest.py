"""How long hypothesis looks, what a grading may have left behind, whether a sandbox starts."""

import os

import pytest
from hypothesis import settings

from autograder.sandbox.process import available

# Time alone fails no test on a busy machine.
settings.register_profile("short", deadline=None)
settings.register_profile("long", deadline=None, max_examples=5_000)
settings.load_profile("short")


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
