"""How the processes of a test run share the samples of the data sets."""

import os

import pytest

from tests.world import samples


@pytest.fixture(scope="session", autouse=True)
def sharing(tmp_path_factory):
    """Draw each sample in one worker of pytest-xdist and read it in the others."""
    if "PYTEST_XDIST_WORKER" in os.environ:  # each has a folder of its own in that of the run
        samples.shared = tmp_path_factory.getbasetemp().parent
