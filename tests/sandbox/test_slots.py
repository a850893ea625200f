"""Sandboxes that run at once have numbers of their own."""

import os
import subprocess
import sys

import pytest

from autograder.errors import SandboxFailed
from autograder.sandbox import slots
from autograder.sandbox.slots import SLOTS, free_slot
from tests.toy_course import ROOT

HOLD = """
import time
from autograder.sandbox.slots import free_slot
with free_slot() as slot:
    print(slot, flush=True)
    time.sleep(600)
"""


def test_no_two_hold_a_slot_and_a_dead_holder_holds_none():
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        theirs = int(holder.stdout.readline())
        with free_slot() as first, free_slot() as second:
            assert len({theirs, first, second}) == 3
        with pytest.raises(SandboxFailed, match="in use"), free_slot(range(theirs, theirs + 1)):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with free_slot(range(theirs, theirs + 1)) as again:
        assert again == theirs


def test_slots_are_free_again_after_an_error():
    with pytest.raises(RuntimeError), free_slot() as slot:
        raise RuntimeError
    with free_slot(range(slot, slot + 1)) as again:
        assert again == slot


def test_slots_are_those_of_users_set_aside_and_not_the_ones_that_callers_choose():
    assert min(SLOTS) == 100
    assert max(SLOTS) < 500


@pytest.mark.parametrize("spoil", ["open", "link"])
def test_locks_that_others_could_hold_are_refused(tmp_path, monkeypatch, spoil):
    monkeypatch.setattr(slots.os, "geteuid", lambda: 1234)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / "llmcourse-slots-1234"
    (tmp_path / "elsewhere").mkdir()
    if spoil == "open":
        folder.mkdir()
        os.chmod(folder, 0o777)
        monkeypatch.setattr(slots.os, "geteuid", lambda: 1234)
    else:
        folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SandboxFailed, match="only you can write"), free_slot():
        pass
