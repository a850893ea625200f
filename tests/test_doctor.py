"""The doctor: every canary is held here, each is one that a hole would let through, and grading
asks first.
"""

import json
import os
import socket
import sys

import pytest

from autograder import cli, doctor, sandbox
from autograder import grade as grading
from autograder.canaries import CANARIES
from autograder.doctor import Finding, examine, require
from autograder.errors import SandboxUnavailable
from tests.submissions import toy

pytestmark = pytest.mark.skipif(sandbox.available() is not None, reason=str(sandbox.available()))
SLOT = 11


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


def no_filter(words):
    at = words.index("--seccomp")
    return words[:at] + words[at + 2 :]


def shared_tmp(words):
    tmpfs = ["--size", str(doctor.LIMITS.tmp_bytes), "--tmpfs", "/tmp"]
    words = replaced(words, tmpfs, ["--bind", "/tmp", "/tmp"])
    return replaced(words, ["--info-fd"], ["--bind", "/tmp", "/tmp", "--info-fd"])


def leaking_environment(words):
    token = os.environ[doctor.VARIABLE]
    return replaced(words, ["--clearenv"], ["--clearenv", "--setenv", "LANGUAGE", token])


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


HOLES = [
    ("network", host_network),
    ("loopback and other sockets of this machine", host_network),
    ("loopback and other sockets of this machine", no_filter),
    ("files outside", shared_tmp),
    ("writing outside", shared_tmp),
    ("secrets of the environment", leaking_environment),
    ("other processes: kill and ptrace", no_filter),
    ("system calls that are filtered", no_filter),
    ("devices", device),
    ("a file of any size", generous(tmp_bytes=2**30)),
    ("a fork bomb", generous(processes=4096)),
    ("memory of many processes", generous(memory_bytes=2**34)),
]


@pytest.mark.parametrize(("name", "hole"), HOLES, ids=[f"{h.__name__}-{n}" for n, h in HOLES])
def test_a_hole_lets_its_canary_through(monkeypatch, name, hole):
    if name == "network" and {device for _, device in socket.if_nameindex()} == {"lo"}:
        pytest.skip("this machine has no network to leak")
    command = sandbox.command
    monkeypatch.setattr(sandbox, "command", lambda *args: hole(command(*args)))
    monkeypatch.setattr(sandbox, "holds_more", lambda pid, most: False)
    monkeypatch.setattr(doctor, "CANARIES", [c for c in CANARIES if c.name == name])
    first = examine(SLOT)[0]
    assert (first.name, first.held) == (name, False) and "got through" in first.detail


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
