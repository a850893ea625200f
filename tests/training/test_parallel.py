"""Two processes, started by torchrun, train as one does with the whole batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from llmcourse.training.parallel import add_up, joined
from tests.training import two_processes

ROOT = Path(__file__).parents[2]


def torchrun(*command):
    """Start two processes with torchrun on a free port of this machine."""
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         *command],
        cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def seen():
    done = torchrun("-m", "tests.training.two_processes")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_two_processes_have_the_loss_curve_of_the_whole_batch(seen):
    _, losses = two_processes.shared(0, 1)
    assert seen["processes"] == 2 and len(losses) == two_processes.STEPS
    assert seen["losses"] == pytest.approx(losses, abs=1e-5)


def test_all_processes_end_with_the_same_parameters(seen):
    assert seen["equal"] is True


def test_a_batch_with_no_row_for_one_of_them_does_not_hang(seen):
    assert seen["single"] == pytest.approx(two_processes.single(0, 1), abs=1e-5)


def test_processes_that_end_at_different_steps_do_not_hang(seen):
    # Two batches of 16 targets in the first step, then those of the second process alone.
    assert seen["ending"] == [32, 16, 16]


def test_one_process_is_alone_and_adds_nothing_up(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined() as (index, of):
        assert (index, of) == (0, 1)
        x = torch.ones(3)
        add_up([x])
        assert x.tolist() == [1, 1, 1]
