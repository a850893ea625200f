"""A class graded by several processes, killed, interrupted, twice at once: always the same book."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from autograder.classroom.room import Classroom
from autograder.classroom.schedule import Workers
from tests import toy_course
from tests.toy_class import SCORES, contents, grade_class, hand_in, known_to_workers
from tests.toy_course import ROOT

pytestmark = pytest.mark.usefixtures("wall")


@pytest.fixture(scope="module", autouse=True)
def toys(tmp_path_factory):
    with known_to_workers(tmp_path_factory.mktemp("paths")):
        yield


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What is recorded when one process grades one submission after the other."""
    root = toy_course.build(tmp_path_factory.mktemp("undisturbed"))
    hand_in(root)
    return grade_class(root)


@pytest.fixture
def root(tmp_path):
    root = toy_course.build(tmp_path / "toy")
    hand_in(root)
    return root


def start(root, *arguments):
    """`autograder grade` in a process group of its own, with a Ctrl-C that is heard.

    A shell without job control starts `make test &` with SIGINT ignored, and children inherit it.
    """
    code = "from autograder.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "grade", "--course", root, *arguments],
        cwd=root, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


# One grade, whatever ran beside it


def test_one_after_the_other_scores_what_the_work_deserves(undisturbed):
    assert {name: entry["score"] for name, entry in undisturbed.items()} == SCORES
    assert [name for name, entry in undisturbed.items() if entry["shown"][0]["late"]] == ["loop"]


def test_two_workers_give_what_one_process_gives_and_so_does_a_regrade(root, undisturbed):
    with Workers(2) as workers:
        assert grade_class(root, workers) == undisturbed
        assert grade_class(root, workers, force=True) == undisturbed


@pytest.mark.slow
def test_four_times_more_workers_than_cores_give_what_one_process_gives(root, undisturbed):
    with Workers(4 * len(os.sched_getaffinity(0))) as workers:
        assert grade_class(root, workers) == undisturbed
        assert grade_class(root, workers, force=True) == undisturbed


def test_two_graders_at_once_give_one_book(root, undisturbed):
    graders = [start(root, "--workers", "2") for _ in range(2)]
    for grader in graders:
        _, said = grader.communicate(timeout=300)
        assert grader.returncode == 0, said
    assert contents(Classroom.open(root)) == undisturbed


# Workers and graders that die


def eventually(condition, seconds=120):
    """The condition's value as soon as it is true, or after the time allowed."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return value


def finish(root):
    """The same command, left to itself."""
    grading = start(root, "--workers", "2")
    _, said = grading.communicate(timeout=300)
    assert grading.returncode == 0, said


def workers_of(grading):
    """Processes that grade for this one."""
    found = []
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(grading.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "spawn_main" in " ".join(child.cmdline()):
                    found.append(child)
    return found


def kill_somewhere(root, rng, places):
    """SIGKILL a worker or the grader itself at random moments, starting it again when it ended;
    how often that was done while it was grading."""
    done = 0
    while done < places:
        grading = start(root, "--workers", "2")
        while grading.poll() is None and done < places:
            eventually(lambda g=grading: workers_of(g) or g.poll() is not None)
            time.sleep(rng.uniform(0, 1))
            workers = workers_of(grading)
            if workers:
                victim = rng.choice([*workers, psutil.Process(grading.pid)])
                with contextlib.suppress(psutil.NoSuchProcess):
                    victim.kill()
                    done += 1
        grading.kill()
        grading.communicate()
        if not grading.returncode:  # all was graded: from the beginning
            shutil.rmtree(root / "results")
    return done


@pytest.mark.parametrize("places", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_killed_workers_and_graders_cost_no_grade(root, undisturbed, places):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    assert kill_somewhere(root, random.Random(seed), places) == places
    finish(root)
    assert contents(Classroom.open(root)) == undisturbed
    assert not list(root.rglob("*.part"))


def test_ctrl_c_ends_everything_and_the_same_command_goes_on(root, undisturbed):
    grading, results = start(root, "--workers", "2"), root / "results"
    assert eventually(lambda: list(results.glob("*.json")))
    family = psutil.Process(grading.pid).children(recursive=True)
    os.killpg(grading.pid, signal.SIGINT)
    _, said = grading.communicate(timeout=300)
    assert grading.returncode == 130, said
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]
    kept = set(results.glob("*.json"))
    finish(root)
    assert kept < set(results.glob("*.json"))
    assert contents(Classroom.open(root)) == undisturbed
