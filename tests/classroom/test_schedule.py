"""Tasks, the workers that settle them, and who may give them work."""

import contextlib
import socket
import ssl

import psutil
import pytest
from dask.distributed import LocalCluster, Security

from autograder.classroom import round as marking
from autograder.classroom import schedule
from autograder.classroom.room import Classroom
from autograder.classroom.round import grade_unit
from autograder.classroom.schedule import Task, Workers, settle
from autograder.classroom.store import load_result, result_key
from autograder.course import load_unit
from autograder.errors import AutograderError, SandboxFailed, SandboxUnavailable
from autograder.grading.result import Result
from autograder.sandbox.limits import Limits
from tests import toy_course
from tests.toy_class import CLASS, SECRET, grade_class, hand_in, known_to_workers
from tests.toy_course import SLUG


@pytest.fixture(scope="module", autouse=True)
def toys(tmp_path_factory):
    with known_to_workers(tmp_path_factory.mktemp("paths")):
        yield


@pytest.fixture
def root(tmp_path):
    return toy_course.build(tmp_path / "toy")


def only_task(root, name="all"):
    """The task that this student's work makes."""
    toy_course.submit(root, name, toy_course.solved(root, **CLASS[name]))
    folder = root / "submitted" / name / SLUG
    submission = (folder / f"{SLUG}.ipynb").read_bytes()
    unit = load_unit(root, SLUG)
    return Task(
        root, SLUG, folder, result_key(submission, unit, SECRET.encode(), Limits()), Limits()
    )


def outcome(state="graded", late=False):
    return Result(SLUG, state, (), (), None, 0.0, late)


# One task


@pytest.mark.parametrize(
    "result", [outcome(late=True), outcome("infrastructure"), SandboxFailed("crowded")]
)
def test_what_may_be_the_crowds_fault_is_not_stored(root, monkeypatch, result):
    def grade(*_, **__):
        if isinstance(result, Exception):
            raise result
        return result

    task = only_task(root)
    monkeypatch.setattr(schedule, "grade", grade)
    assert settle(task) is None
    assert load_result(root, task.key) is None


def test_a_settled_task_is_in_the_store_under_its_key(root, monkeypatch):
    task = only_task(root)
    monkeypatch.setattr(schedule, "grade", lambda *_, **__: outcome())
    assert settle(task) == task.key
    assert load_result(root, task.key) == outcome()


def test_work_handed_in_again_meanwhile_is_left_to_the_caller(root, monkeypatch):
    task = only_task(root)
    toy_course.submit(root, "all", toy_course.notebook(root))
    monkeypatch.setattr(schedule, "grade", lambda *_, **__: pytest.fail("graded"))
    assert settle(task) is None


def test_where_nothing_can_be_isolated_the_round_ends(root, monkeypatch):
    def grade(*_, **__):
        raise SandboxUnavailable("no bwrap")

    task = only_task(root)
    monkeypatch.setattr(schedule, "grade", grade)
    with pytest.raises(SandboxUnavailable):
        settle(task)


def test_equal_work_is_one_task_and_the_rest_is_graded_alone(root, monkeypatch):
    for name in ("ann", "bob"):
        toy_course.submit(root, name, toy_course.solved(root))
    toy_course.submit(root, "eve", toy_course.notebook(root))
    offered, alone = [], []

    def workers(tasks):
        offered.extend(task.folder.parent.name for task in tasks)
        monkeypatch.setattr(schedule, "grade", lambda *_, **__: outcome())
        return [(tasks[0], settle(tasks[0])), (tasks[1], None)]

    def grade(submission, unit, **_):
        alone.append(submission)
        return outcome(late=True)

    monkeypatch.setattr(marking, "grade", grade)
    entries = grade_unit(Classroom.open(root), SLUG, ["ann", "bob", "eve"], workers=workers)
    assert offered == ["ann", "eve"]
    assert alone == [(root / "submitted" / "eve" / SLUG / f"{SLUG}.ipynb").read_bytes()]
    assert [(e.student, e.result.late, e.fresh) for e in entries] == [
        ("ann", False, True), ("bob", False, True), ("eve", True, True)
    ]  # fmt: skip


def test_what_is_recorded_is_the_work_that_is_there_when_it_is_recorded(root, monkeypatch):
    toy_course.submit(root, "ann", toy_course.solved(root))
    seen = []

    def grade(submission, unit, **_):
        if not seen:
            toy_course.submit(root, "ann", toy_course.notebook(root))
        seen.append(submission)
        return outcome()

    monkeypatch.setattr(marking, "grade", grade)
    [entry] = grade_unit(Classroom.open(root), SLUG, ["ann"])
    assert entry.result.state == "infrastructure"
    assert "handed in again" in entry.result.notices[0]
    [entry] = grade_unit(Classroom.open(root), SLUG, ["ann"])
    assert (entry.result.state, len(set(seen))) == ("graded", 2)


# Who may give work to workers


def test_a_cluster_listens_to_its_own_user_only():
    with schedule._local(2) as client:
        _check_listeners(client)


def _check_listeners(client):
    workers = client.scheduler_info()["workers"]
    assert {w["nthreads"] for w in workers.values()} == {1}
    listening = [
        c
        for process in [psutil.Process(), *psutil.Process().children(recursive=True)]
        for c in process.net_connections("tcp")
        if c.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert {c.laddr.ip for c in listening} == {"127.0.0.1"}
    host, port = client.scheduler.address.removeprefix("tls://").split(":")
    stranger = Security.temporary().get_connection_args("client")["ssl_context"]
    with (
        socket.create_connection((host, int(port)), 10) as plain,
        pytest.raises(ssl.SSLError),
        stranger.wrap_socket(plain) as tls,
    ):
        tls.recv(1)


@pytest.mark.parametrize(
    "address",
    ["tcp://grader.example:8786", "tcp://10.0.0.1:8786", "10.0.0.1:8786", "inproc://x", ""],
)
def test_a_scheduler_that_others_can_reach_must_use_tls(address):
    with pytest.raises(AutograderError, match="tls://HOST:PORT"):
        Workers(address=address)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tcp://[::1]:1", "tls://grader:8786"])
def test_schedulers_that_may_be_used(address):
    assert Workers(address=address).address == address


def test_no_scheduler_is_one_line_with_the_remedy(root, monkeypatch):
    monkeypatch.setattr(schedule, "CONNECT_SECONDS", 1)
    with (
        Workers(address="tcp://127.0.0.1:9") as workers,
        pytest.raises(AutograderError, match=r"no scheduler answers .*`dask scheduler`"),
    ):
        list(workers([only_task(root)]))


@contextlib.contextmanager
def elsewhere(n_workers=1, threads=1):
    """A cluster that somebody else has started: its address."""
    with LocalCluster(
        n_workers=n_workers,
        threads_per_worker=threads,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    ) as cluster:
        yield cluster.scheduler_address


@pytest.mark.usefixtures("wall")
def test_a_running_scheduler_grades_as_this_machine_does(tmp_path):
    root, other = (toy_course.build(tmp_path / name) for name in ("there", "here"))
    for place in (root, other):
        hand_in(place)
    with elsewhere(n_workers=2) as address, Workers(address=address) as workers:
        assert grade_class(root, workers) == grade_class(other)


def test_workers_with_another_secret_are_refused(root, monkeypatch):
    task = only_task(root)
    with elsewhere() as address, Workers(address=address) as workers:
        monkeypatch.setenv("AUTOGRADER_SECRET", "another")
        with pytest.raises(AutograderError, match="would grade otherwise"):
            list(workers([task]))


def test_workers_with_several_threads_are_refused(root):
    with (
        elsewhere(threads=2) as address,
        Workers(address=address) as workers,
        pytest.raises(AutograderError, match="2 threads"),
    ):
        list(workers([only_task(root)]))


def test_without_dask_one_at_a_time_is_graded_and_more_are_refused(monkeypatch):
    monkeypatch.setattr(schedule.importlib.util, "find_spec", lambda name: None)
    assert Workers().count == 1
    for options in ({"count": 2}, {"address": "tcp://127.0.0.1:1"}):
        with pytest.raises(AutograderError, match="grade"):
            Workers(**options)


def test_one_task_starts_no_cluster(root, monkeypatch):
    monkeypatch.setattr(schedule, "_local", lambda count: pytest.fail("started"))
    with Workers(2) as workers:
        assert list(workers([only_task(root)])) == []
        assert list(workers([])) == []
