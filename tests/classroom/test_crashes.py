"""A grader that is killed, or finds the disk full, at any of its writes; then it is run again.

The points are found by counting: write_points.c stands before libc and sees every call that changes
a file of the course, SQLite's among them.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys

import pytest

from tests.toy_course import ROOT

pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None or not sys.platform.startswith("linux"),
    reason="needs a C compiler and Linux",
)
SAMPLE = 10


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Ask for a disturbed run: `runs(point, full)`."""
    folder = tmp_path_factory.mktemp("crashes")
    shim, source = folder / "write_points.so", ROOT / "tests" / "write_points.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.crash_runs", folder],
        cwd=ROOT, env=os.environ | {"LD_PRELOAD": str(shim), "AUTOGRADER_SECRET": "of this test"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip

    def ask(point, full=False):
        print(json.dumps([point, full]), file=server.stdin, flush=True)
        return json.loads(server.stdout.readline())

    yield ask
    server.stdin.close()
    server.wait(60)


@pytest.fixture(scope="module")
def undisturbed(runs):
    return runs(0)


def places(total, everywhere):
    """Every point, or some of them, which are printed."""
    chosen = range(1, total + 1)
    if not everywhere:
        chosen = sorted(random.sample(chosen, SAMPLE))
        print(f"points {chosen} of {total}")
    return chosen


def test_an_undisturbed_run_records_both_students(undisturbed):
    assert undisturbed["status"] == 0
    assert undisturbed["points"] > 50
    book = undisturbed["book"]["contents"]
    assert set(book) == {"ann", "bob"}
    assert book["ann"]["grades"]["why"] == [None, 7, True]
    assert len(undisturbed["book"]["pages"]) == 2


everywhere = pytest.mark.parametrize(
    "everywhere", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["some", "all"]
)


@everywhere
def test_killed_at_a_write_the_next_run_makes_the_same_book(runs, undisturbed, everywhere):
    for point in places(undisturbed["points"], everywhere):
        killed = runs(point)
        assert killed["status"] == -signal.SIGKILL
        assert killed["book"] == undisturbed["book"], f"killed at point {point}"


@everywhere
def test_a_disk_full_at_a_write_is_one_line_and_the_next_run_makes_the_same_book(
    runs, undisturbed, everywhere
):
    for point in places(undisturbed["points"], everywhere):
        full = runs(point, full=True)
        lines = [line for line in full["said"].splitlines() if line.startswith("autograder:")]
        assert (full["status"], len(lines)) in ((0, 0), (1, 1)), full["said"]
        assert "Traceback" not in full["said"]
        assert full["book"] == undisturbed["book"], f"no space from point {point} on"
