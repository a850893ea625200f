"""The doctor: every canary is held here, each is one that a hole would let through, and grading
asks first.
"""

import json
import os
import py_compile
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import pytest

from autograder import cli
from autograder.errors import SandboxUnavailable
from autograder.grading import result as grading
from autograder.sandbox import doctor, view
from autograder.sandbox import process as sandbox
from autograder.sandbox.canaries import CANARIES
from autograder.sandbox.doctor import Finding, examine, require
from tests.submissions import toy

pytestmark = pytest.mark.usefixtures("wall")
SLOT = 11
HIDDEN_TESTS = Path(doctor.__file__).parents[1].glob("units/u[0-9]*.py")
UNITS = sorted({path.stem[1:4] for path in HIDDEN_TESTS})  # such as 02_, in several modules


def replaced(words, old, new):
    """A command with every run of the words `old` replaced."""
    done = []
    while words:
        hit = words[: len(old)] == old
        done += new if hit else words[:1]
        words = words[len(old) if hit else 1 :]
    return done


def host_network(words):
    return replaced(words, ["--unshare-all"], ["--unshare-pid", "--unshare-uts"])


def host_processes(words):
    words = replaced(words, ["--unshare-pid"], [])
    words = replaced(words, ["--unshare-all"], ["--unshare-net", "--unshare-uts", "--unshare-ipc"])
    return with_wrapper(words)


def no_filter(words):
    at = words.index("--seccomp")
    return words[:at] + words[at + 2 :]


def shared_tmp(words):
    tmpfs = ["--size", str(doctor.LIMITS.tmp_bytes), "--tmpfs", "/tmp"]
    words = replaced(words, tmpfs, ["--bind", "/tmp", "/tmp"])
    return replaced(words, ["--info-fd"], ["--bind", "/tmp", "/tmp", "--info-fd"])


def whole_disk(words):
    """The host's files, writable, but for what the user's own rights keep back."""
    code = str(Path(doctor.__file__).parents[1])
    more = [
        "--dir",
        "/var",
        "--bind",
        "/etc",
        "/etc",
        "--bind",
        "/run",
        "/run",
        "--bind",
        "/var/tmp",
        "/var/tmp",
    ]
    words = replaced(words, ["--dir", "/etc"], more)
    words = replaced(words, ["--info-fd"], ["--bind", code, code, "--info-fd"])
    words = [{"--ro-bind": "--bind"}.get(word, word) for word in words]
    for place in ("/", "/dev"):
        words = replaced(words, ["--remount-ro", place], [])
    return shared_tmp(with_wrapper(words))


def leaking_environment(words):
    token = os.environ[doctor.VARIABLE]
    return replaced(words, ["--clearenv"], ["--clearenv", "--setenv", "LANGUAGE", token])


def with_wrapper(words):
    return replaced(words, ["--tmpfs", "/proc/1", "--remount-ro", "/proc/1"], [])


def open_runner(words):
    """The runner and its forks as the kernel makes processes: open to others of their user."""
    words = [word.replace("runner.main", "runner.hide = int; runner.main") for word in words]
    return with_wrapper(words)


def leaking_and_open(words):
    return leaking_environment(open_runner(words))


def open_and_unfiltered(words):
    return no_filter(open_runner(words))


def powers(words):
    words = replaced(
        no_filter(words), ["--cap-drop", "ALL", "--hostname"], ["--cap-add", "ALL", "--hostname"]
    )
    return replaced(words, ["--disable-userns"], [])


def root_inside(words):
    at = words.index("--uid")
    return powers([*words[:at], "--uid", "0", "--gid", "0", *words[at + 4 :]])


def device(words):
    return replaced(words, ["--remount-ro", "/dev"], ["--dev-bind", "/dev/null", "/dev/kmsg"])


def generous(**limits):
    def change(words):
        if words[:1] == ["/bin/sh"]:  # which would join the control groups
            words = words[words.index("--") + 1 :]
        size = str(doctor.LIMITS.tmp_bytes)
        words = replaced(words, ["--size", size], ["--size", str(2**30)])
        return [*words[:-1], json.dumps({**json.loads(words[-1]), **limits})]

    return change


NETWORK = "loopback and other sockets of this machine"
PROCESSES = "other processes: kill and ptrace"
POWERS = "becoming root: setuid and capabilities"
HOLES = [  # canary, a wall taken down, what the canary must say that it reached
    ("network", host_network, []),
    (NETWORK, host_network, ["127.0.0.1", "llmcourse-"]),
    (NETWORK, no_filter, ["16", "17"]),
    ("files outside", whole_disk, ["canary-", "/proc/1/root", "doctor.py", "/etc/passwd"]),
    ("writing outside", shared_tmp, ["canary-"]),
    ("writing outside", whole_disk, ["/, /usr", "/etc", "/dev", "/runner", "/var/tmp", "/run"]),
    ("secrets of the environment", leaking_environment, ["variable LANGUAGE"]),
    ("secrets of the environment", leaking_and_open, ["LANGUAGE", "/environ", "1/cmdline"]),
    (PROCESSES, host_processes, ["kill"]),
    (PROCESSES, open_and_unfiltered, ["ptrace", "process_vm_readv"]),
    (
        "memory of the processes inside",
        open_and_unfiltered,
        [
            *(
                f"{what} of {whose}"
                for what in ("mem", "environ", "maps", "auxv", "root")
                for whose in ("1", "the runner")
            ),
            *("cmdline of 1", "open again", "written"),
        ],
    ),
    ("memory of the processes inside", open_runner, ["mem of the runner", "written"]),
    ("memory of the processes inside", with_wrapper, ["mem of 1", "cmdline of 1"]),
    ("memory of the processes inside", no_filter, ["open again"]),
    (POWERS, powers, ["CapPrm", "CapEff", "CapBnd", "CapAmb"]),
    (POWERS, root_inside, ["user 0", "setuid"]),
    ("new namespaces and mounts", powers, ["unshare", "mount"]),
    ("system calls that are filtered", no_filter, ["no filter", "memfd_create", "keyctl"]),
    ("devices", device, ["kmsg"]),
    ("a file of any size", generous(tmp_bytes=2**30), ["bytes"]),
    ("a fork bomb", generous(processes=4096), ["processes"]),
    ("memory of many processes", generous(memory_bytes=2**34), ["twice"]),
]


@pytest.fixture(autouse=True)
def nothing_is_left_in_tmp():
    """Where the host's /tmp is shared, the sandbox's user leaves a home there, closed to others."""

    def sweep():
        for home in (Path("/tmp/.matplotlib"), Path("/tmp/.ipython")):
            if home.is_dir() and home.stat().st_uid >= sandbox.FIRST_UID:
                shutil.rmtree(home)

    sweep()
    yield
    sweep()


def hole(monkeypatch, name, change):
    """What one canary says where a wall is down."""
    command = sandbox.command
    monkeypatch.setattr(sandbox, "command", lambda *args: change(command(*args)))
    monkeypatch.setattr(sandbox.Sandbox, "_watch", lambda self: None)
    monkeypatch.setattr(doctor, "CANARIES", [c for c in CANARIES if c.name == name])
    return examine(SLOT)


@pytest.mark.parametrize(
    ("name", "change", "reached"), HOLES, ids=[f"{h.__name__}-{n}" for n, h, _ in HOLES]
)
def test_a_hole_lets_its_canary_through(monkeypatch, name, change, reached):
    if name == "network" and {device for _, device in socket.if_nameindex()} == {"lo"}:
        pytest.skip("this machine has no network to leak")
    first = hole(monkeypatch, name, change)[0]
    assert (first.name, first.held) == (name, False) and "got through" in first.detail
    assert [what for what in reached if what not in first.detail] == []


def test_every_canary_is_one_that_can_fail():
    proven = {name for name, _, _ in HOLES} | {FORMULA}
    assert proven == {canary.name for canary in CANARIES}


FORMULA = "right formulas of the unit"


@pytest.mark.parametrize("unit", UNITS)
def test_no_right_formula_of_a_unit_is_in_its_sandbox(monkeypatch, unit):
    monkeypatch.setattr(doctor, "CANARIES", [c for c in CANARIES if c.name == FORMULA])
    assert examine(SLOT, unit)[0] == Finding(FORMULA, True, "held")
    names = " ".join(doctor.formulas(unit).values())
    assert f"llmcourse.checks.u{unit[:2]}_" in names and unit[:2] in names


@pytest.mark.parametrize("shown", ["all", "compiled", "checks"])
def test_a_right_formula_in_the_sandbox_is_found(monkeypatch, shown):
    """Whether it is there as a module, as bytecode alone, or in the checks."""
    package, formulas = view.package_files, doctor.formulas("06_")
    real = {there: here for here, there in package("99_")}
    top = Path(view.__file__).parents[2] / "llmcourse"

    def leaking(unit):
        yield from package(unit)
        if shown == "checks":
            yield top / "checks/u06_cells.py", "/course/llmcourse/elsewhere/u06_cells.py"
        elif shown == "all":
            yield real["/course/llmcourse/models/rnn.py"], "/course/llmcourse/models/rnn.py"
        else:
            py_compile.compile(str(top / "models/rnn.py"), cfile=str(compiled))
            yield compiled, f"{view.RUNNER}/rnn.pyc"

    compiled = Path(tempfile.mkdtemp(dir="/var/tmp")) / "rnn.pyc"
    compiled.parent.chmod(0o755)
    monkeypatch.setattr(view, "package_files", leaking)
    monkeypatch.setattr(doctor, "formulas", lambda unit: formulas)
    monkeypatch.setattr(doctor, "CANARIES", [c for c in CANARIES if c.name == FORMULA])
    view.layout.cache_clear()
    try:
        found = examine(SLOT, "06_")[0]
    finally:
        view.layout.cache_clear()
        shutil.rmtree(compiled.parent)
    module = "checks.u06_cells:gru" if shown == "checks" else "models.rnn:gru_cell"
    assert not found.held and module in found.detail


def test_a_method_that_every_iterator_has_is_no_formula(monkeypatch, tmp_path):
    module = tmp_path / "mine.py"
    module.write_text("class Mine:\n    def __iter__(self): return self\n    def f(self): return 1")
    monkeypatch.setattr(doctor, "hidden", lambda unit: [(module, "mine")])
    found = set(doctor.formulas("06_").values())
    assert "mine:Mine.f" in found and "mine:Mine.__iter__" not in found


def test_what_stays_behind_and_who_was_killed_is_told(monkeypatch):
    findings = hole(monkeypatch, PROCESSES, host_processes)
    assert [f.name for f in findings if f.detail == "it was killed"] == [
        "the process outside lives"
    ]
    mark = json.dumps(asdict(doctor.LIMITS))
    waits = "print(flush=True); input()"
    left = subprocess.Popen(
        [sys.executable, "-c", waits, "/runner", mark],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        left.stdout.readline()  # before it runs, its command line may be empty
        assert f"process {left.pid}" in doctor._left(SLOT)
    finally:
        left.kill()
        left.wait()
        left.stdin.close()
        left.stdout.close()


def test_every_canary_is_held_here():
    findings = examine(SLOT)
    assert [f for f in findings if not f.held] == []
    assert [f.name for f in findings[:-2]] == [c.name for c in CANARIES]


@pytest.fixture
def examined(tmp_path, monkeypatch):
    """Canaries that are held or not as told, counted; nothing is remembered yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    doctor._mark.cache_clear()
    monkeypatch.setattr(doctor, "_passed", set())
    flights = []

    def let_fly(held):
        def fake(slot=0):
            flights.append(slot)
            return [Finding("network", held, "held" if held else "got through: 1.1.1.1")]

        monkeypatch.setattr(doctor, "examine", fake)
        return flights

    yield let_fly
    doctor._mark.cache_clear()


def test_a_pass_is_remembered_by_this_process_and_the_next(examined, monkeypatch):
    flights = examined(held=True)
    require(3)
    require(4)
    monkeypatch.setattr(doctor, "_passed", set())
    require(5)
    assert flights == [3]


def test_a_pass_is_forgotten_when_what_it_rests_on_changes(examined, monkeypatch):
    flights = examined(held=True)
    require()
    monkeypatch.setattr(doctor, "can_group", lambda: "changed")
    doctor._mark.cache_clear()
    require()
    assert len(flights) == 2


def test_where_nothing_can_be_written_the_process_remembers(examined, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    flights = examined(held=True)
    require()
    require()
    assert len(flights) == 1


def test_grading_is_refused_when_a_canary_gets_through(examined):
    flights = examined(held=False)
    data = json.dumps(toy.released()).encode()
    for _ in range(2):  # a failure is not remembered
        with pytest.raises(SandboxUnavailable, match=r"refused.*network: got through: 1\.1\.1\.1"):
            grading.grade(data, toy.unit(), secret=b"x", slot=SLOT, limits=toy.LIMITS)
    assert flights == [SLOT, SLOT]


def test_the_command_says_each_line_and_fails_for_a_leak(examined, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["autograder", "doctor"])
    for held in (True, False):
        examined(held=held)
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capsys.readouterr()
        assert stopped.value.code == (not held)
        assert ("ok    network: held" if held else "LEAK  network: got through") in out
        assert ("system calls filtered" in out) == held
        assert err.count("\n") == (not held)
