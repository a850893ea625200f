""".ci/run: the order of its steps, and what it leaves out on a slow machine."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STEPS = ["doctor", "test", "run PRESET=cpu NOTEBOOKS=03_c 01_a", "run PRESET=cpu NOTEBOOKS=02_b"]


@pytest.fixture
def clone(tmp_path):
    """A repository of three units, of which the third changed last, with a `make` that writes down
    what it was asked for and fails where `fails` says so."""

    def git(*words, when=0):
        dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"{when} +0000")
        who = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
        subprocess.run(["git", *who, *words], cwd=tmp_path, env=os.environ | dates, check=True)

    git("init", "-q")
    for unit in ("01_a", "02_b", "03_c"):
        (tmp_path / "solutions" / unit).mkdir(parents=True)
        (tmp_path / "solutions" / unit / f"{unit}.py").write_text("")
        git("add", ".")
        git("commit", "-q", "-m", unit, when=10**9 + {"01_a": 2, "02_b": 1, "03_c": 3}[unit])
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "run").write_text((ROOT / ".ci" / "run").read_text())
    make = tmp_path / "bin" / "make"
    make.parent.mkdir()
    make.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n[ ! -e {tmp_path}/fails-$1 ]\n')
    make.chmod(0o755)
    return tmp_path


def run(clone, seconds=0):
    """The script, `seconds` after its start: exit status, output, and what `make` was asked."""
    environment = os.environ | {
        "PATH": f"{clone}/bin:{os.environ['PATH']}",
        "SECONDS": str(seconds),  # bash counts on from there
    }
    done = subprocess.run(
        ["bash", clone / ".ci" / "run"], env=environment, capture_output=True, text=True
    )
    asked = clone / "asked"
    return done.returncode, done.stdout, asked.read_text().splitlines() if asked.exists() else []


def test_tests_come_first_and_then_the_units_that_changed_last(clone):
    assert run(clone) == (0, "", [*STEPS, "docs"])


def test_nothing_new_begins_after_70_minutes_and_the_last_line_says_what_was_left(clone):
    status, said, asked = run(clone, seconds=70 * 60)
    assert (status, asked) == (0, [])
    assert said == (
        "not run after 70 minutes: doctor, tests, claims of 03_c 01_a, claims of 02_b, site\n"
    )


@pytest.mark.parametrize(("target", "steps"), [("test", STEPS[:2]), ("run", STEPS[:3])])
def test_a_step_that_fails_ends_it(clone, target, steps):
    (clone / f"fails-{target}").touch()
    status, _, asked = run(clone)
    assert status != 0 and asked == steps
