"""Marking in a child: its value comes back, and what it uses up or breaks is its own."""

import os
import signal
import threading
import time

import psutil
import pytest

from autograder.errors import SandboxFailed
from autograder.sandbox.child import Overrun, apart


def run(work, processor_seconds=20.0, wall_seconds=60.0):
    return apart(work, processor_seconds=processor_seconds, wall_seconds=wall_seconds)


@pytest.fixture(autouse=True)
def nothing_stays():
    descriptors, children = len(os.listdir("/proc/self/fd")), psutil.Process().children()
    yield
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert psutil.Process().children() == children


def test_the_value_comes_back_and_nothing_else_of_the_child():
    seen = []
    assert run(lambda: [seen.append(1), {"é": 1.5}, os.getpid()])[1] == {"é": 1.5}
    assert seen == []


def test_it_works_from_a_thread_beside_others():
    values = []
    threads = [threading.Thread(target=lambda: values.append(run(lambda: 7))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == [7] * 4


@pytest.mark.parametrize("endless", ["while True: pass", "10 ** 10 ** 9", "sum(iter(int, 1))"])
def test_endless_work_is_stopped_even_inside_one_operation(endless):
    with pytest.raises(Overrun, match="signal"):
        run(lambda: exec(endless), processor_seconds=0.5)


@pytest.mark.parametrize("work", [lambda: [0] * 10**10, lambda: "x" * 10**11, lambda: bytes(2**33)])
def test_memory_beyond_a_gigabyte_is_refused(work):
    with pytest.raises(Overrun, match="MemoryError"):
        run(work)


def test_a_crash_is_the_childs_own():
    with pytest.raises(Overrun, match="signal 10"):
        run(lambda: os.kill(os.getpid(), signal.SIGUSR1))


def test_a_bug_of_ours_and_a_kill_from_outside_are_failures_of_ours():
    with pytest.raises(SandboxFailed, match="ZeroDivisionError"):
        run(lambda: 1 / 0)
    with pytest.raises(SandboxFailed, match="the reason"):
        run(_fails)
    with pytest.raises(SandboxFailed, match="from outside"):
        run(lambda: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(SandboxFailed, match="stood still"):
        run(lambda: time.sleep(100), wall_seconds=0.5)


def _fails():
    raise SandboxFailed("the reason")


def test_the_child_ends_with_the_grader():
    read, write = os.pipe()
    grader = os.fork()
    if grader == 0:
        run(lambda: [os.write(write, b"%d\n" % os.getpid()), time.sleep(100)])
    child = int(os.read(read, 20))
    os.kill(grader, signal.SIGKILL)
    os.waitpid(grader, 0)
    os.close(read)
    os.close(write)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _lives(child):
        time.sleep(0.01)
    assert not _lives(child)


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
