"""The filter of system calls: what it decides for each number, and that it holds in a sandbox."""

import errno
import platform
import re
import socket
import struct
from pathlib import Path

import pytest

from autograder.errors import SandboxUnavailable
from autograder.sandbox import seccomp
from autograder.sandbox.limits import Limits
from autograder.sandbox.session import Session
from tests.submissions.toy import SLUG

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
DENY, OLD = seccomp.ERRNO | errno.EPERM, seccomp.ERRNO | errno.ENOSYS
MACHINES = list(seccomp.MACHINES)
machines = pytest.mark.parametrize("machine", [seccomp.MACHINES[m] for m in MACHINES], ids=MACHINES)


def decision(machine, number, argument=0, second=0, audit=None):
    """What the kernel would do: a small machine for classic BPF, after linux/bpf_common.h."""
    data = struct.pack("=IIQ6Q", number, audit or machine.audit, 0, argument, second, 0, 0, 0, 0)
    steps = list(struct.iter_unpack("=HBBI", seccomp.program(machine)))
    at = word = 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x06:
            return value
        if code == 0x20:
            (word,) = struct.unpack_from("=I", data, value)
        else:
            held = {0x15: word == value, 0x25: word > value, 0x45: word & value}[code]
            at += yes if held else no


@machines
def test_exactly_the_listed_calls_are_denied_and_newer_ones_unknown(machine):
    listed = {numbers[machine.column] for numbers in seccomp.DENIED.values()} - {None}
    special = {machine.clone, machine.socket, seccomp.CLONE3}
    for number in range(600):
        want = DENY if number in listed else OLD if number > seccomp.NEWEST else seccomp.ALLOW
        if number not in special:
            assert decision(machine, number) == want, number
    assert decision(machine, seccomp.CLONE3) == OLD


@machines
def test_sockets_are_of_three_families(machine):
    for family in range(64):
        known = family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
        want = seccomp.ALLOW if known else seccomp.ERRNO | errno.EAFNOSUPPORT
        assert decision(machine, machine.socket, family) == want


@machines
def test_processes_and_threads_start_and_namespaces_do_not(machine):
    threads = 0x003D0F00  # what pthread_create asks for
    for flags in (17, threads):
        assert decision(machine, machine.clone, flags) == seccomp.ALLOW
    for bit in (17, 25, 26, 27, 28, 29, 30):  # CLONE_NEWNS ... CLONE_NEWNET of linux/sched.h
        assert decision(machine, machine.clone, threads | 1 << bit) == DENY


@machines
def test_a_process_can_be_closed_to_others_and_not_opened_again(machine):
    for value, want in ((0, seccomp.ALLOW), (1, DENY), (2, DENY), (2**31, DENY)):
        assert decision(machine, machine.prctl, seccomp.SET_DUMPABLE, value) == want
    for option in set(range(80)) - {seccomp.SET_DUMPABLE}:  # names of threads, death signals, ...
        assert decision(machine, machine.prctl, option, 1) == seccomp.ALLOW


@machines
def test_code_for_another_machine_is_killed(machine):
    assert decision(machine, 1, audit=0x40000003) == seccomp.KILL  # 32-bit x86
    assert decision(machine, 0x4000_0000 + 101) == OLD  # the x32 table of x86_64


@pytest.mark.parametrize("name", MACHINES)
def test_numbers_are_those_of_the_kernels_headers(name):
    if not HEADERS[name].exists():
        pytest.skip(f"{HEADERS[name]} is not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", HEADERS[name].read_text())
    known = {call: int(number) for call, number in found}
    machine = seccomp.MACHINES[name]
    for call, numbers in seccomp.DENIED.items():
        assert known.get(call) == numbers[machine.column], call
    special = (known["clone"], known["socket"], known["prctl"])
    assert special == (machine.clone, machine.socket, machine.prctl)
    assert known["clone3"] == seccomp.CLONE3


def test_an_unknown_processor_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(SandboxUnavailable, match="this machine is riscv64"):
        seccomp.filter_file()


@pytest.mark.usefixtures("wall")
def test_every_denied_call_is_denied_inside():
    numbers = dict(seccomp.denied_here())
    source = f"""
import ctypes, errno
libc, denied = ctypes.CDLL(None, use_errno=True), []
for name, number in {numbers}.items():
    if libc.syscall(number, 0, 0, 0, 0, 0) == -1 and ctypes.get_errno() == errno.EPERM:
        denied.append(name)
print(','.join(denied))
"""
    with Session(SLUG, Limits(), slot=1) as session:
        [output] = session.run(source).outputs
    assert output["text"].strip().split(",") == list(numbers)
