"""A run that is stopped, at any moment, and resumed ends with the weights of one that was not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from llmcourse.training.loop import train
from llmcourse.training.optimizers import adamw
from llmcourse.training.packing import BatchStream
from llmcourse.training.resume import resume_run, save_run
from llmcourse.training.schedules import warmup_cosine
from tests.training.tiny import optimizers, same, text, tiny

ROOT = Path(__file__).parents[2]


def parts(seed=0):
    model = tiny(seed)
    return model, optimizers(model), BatchStream(text(), 8, 3, seed)


def go(parts, steps, history=()):
    model, made, batches = parts
    return train(
        model, batches, made, steps, lambda step: warmup_cosine(step, 9, 3, 1.0), history=history
    )


@pytest.mark.parametrize("stop", [0, 4])
def test_a_resumed_run_ends_with_the_same_weights_bit_for_bit(stop, tmp_path):
    whole, stopped, resumed = parts(), parts(), parts(seed=7)  # another seed: all must be loaded
    expected = go(whole, 9)
    save_run(tmp_path / "run.pt", *stopped, go(stopped, stop))
    history = go(resumed, 9, resume_run(tmp_path / "run.pt", *resumed))
    assert same(whole[0], resumed[0])
    assert [record[:5] for record in history] == [record[:5] for record in expected]
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]


def test_runs_that_are_killed_at_random_moments_end_with_the_same_weights(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.kill_runs", str(tmp_path)],
        cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == "4 True True\n", done.stderr


def test_a_kill_while_the_file_is_written_leaves_the_file_before(tmp_path, monkeypatch):
    path, run = tmp_path / "run.pt", parts()
    save_run(path, *run, go(run, 2))
    before = path.read_bytes()

    def half(state, file):
        file.write(b"half a file")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", half)
        with pytest.raises(KeyboardInterrupt):
            save_run(path, *run, [])
    assert path.read_bytes() == before
    save_run(path, *run, [])
    assert [left.name for left in tmp_path.iterdir()] == ["run.pt"]


def test_dropout_goes_on_with_the_same_random_numbers(tmp_path):
    def made(seed):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Embedding(11, 6), nn.Dropout(0.5), nn.Linear(6, 11))
        return model, [adamw(model.parameters(), 0.01)], BatchStream(text(), 8, 3)

    whole = made(0)
    expected = go(whole, 6)
    stopped = made(0)
    save_run(tmp_path / "run.pt", *stopped, go(stopped, 3))
    resumed = made(1)
    history = go(resumed, 6, resume_run(tmp_path / "run.pt", *resumed))
    assert same(whole[0], resumed[0]) and history[-1].loss == expected[-1].loss


def test_no_file_another_file_and_another_run_are_refused_in_one_line(tmp_path):
    run = parts()
    with pytest.raises(FileNotFoundError, match="got none: give a run that has been saved"):
        resume_run(tmp_path / "none.pt", *run)
    for content in (b"", b"text", b"PK\x03\x04 and no archive"):
        (tmp_path / "bad.pt").write_bytes(content)
        with pytest.raises(ValueError, match=r"expected a saved run in .*bad\.pt, got") as error:
            resume_run(tmp_path / "bad.pt", *run)
        assert "\n" not in str(error.value)
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(ValueError, match="got a list: give the file that save_run wrote"):
        resume_run(tmp_path / "list.pt", *run)
    save_run(tmp_path / "run.pt", *run, [])
    other = nn.Linear(2, 2)
    for wrong in (
        (other, [adamw(other.parameters(), 0.1)], run[2]),
        (run[0], run[1][:1], run[2]),
        (run[0], run[1], BatchStream(text(300), 8, 3)),
    ):
        with pytest.raises(ValueError, match="a run of this model, optimisers and text") as error:
            resume_run(tmp_path / "run.pt", *wrong)
        assert "\n" not in str(error.value)
