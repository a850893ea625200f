"""A filter of system calls for the sandbox: what no exercise needs and a kernel exploit often does.

A program for the kernel's BPF machine, as `bwrap --seccomp` takes it, for x86_64 and aarch64. It
denies:

- with EPERM, looking into other processes, namespaces and mounts, memory that no rlimit counts,
  lowering one's own priority, keys, kernel modules and clocks, BPF, perf, userfaultfd, io_uring,
  `clone` with a new namespace, and making a process readable again that the runner closed (`prctl`
  PR_SET_DUMPABLE);
- with EAFNOSUPPORT, sockets of any family but UNIX and the internet's, since vsock would reach a
  virtual machine's host past every network namespace;
- with ENOSYS, as an old kernel would, `clone3`, whose flags a filter cannot read, and calls newer
  than this list, so that libraries fall back.

A call through another machine's table (32-bit code) ends the process. All else is left to the
kernel's own checks: this is a second wall, not the first.

source: headers of Linux 6.1: asm/unistd_64.h and asm-generic/unistd.h (numbers), linux/seccomp.h,
linux/bpf_common.h, linux/audit.h, linux/prctl.h
"""

import errno
import os
import platform
import struct
from dataclasses import dataclass

from autograder.errors import SandboxUnavailable

NEWEST = 456  # futex_requeue; statmount and listmount, which come next, show the host's paths
# name: number on x86_64, number on aarch64 (None: not there)
DENIED: dict[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    # namespaces, mounts, files by handle
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    # memory that belongs to no process and no disk: no rlimit counts it
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    # lowering one's own priority: to the grader the waiting would look like a busy machine
    "setpriority": (141, 140),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    # keys
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # the kernel and its machinery
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "acct": (163, 89),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "personality": (135, 92),
    "vhangup": (153, 58),
    "lookup_dcookie": (212, 18),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "ustat": (136, None),
    "sysfs": (139, None),
}
CLONE3 = 435
FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6
SET_DUMPABLE = 4  # PR_SET_DUMPABLE of linux/prctl.h
NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET


@dataclass(frozen=True)
class Machine:
    """What differs between processors; `column` is that of `DENIED`."""

    audit: int  # AUDIT_ARCH_* of linux/audit.h
    column: int
    clone: int
    socket: int
    prctl: int


MACHINES = {
    "x86_64": Machine(0xC000003E, 0, clone=56, socket=41, prctl=157),
    "aarch64": Machine(0xC00000B7, 1, clone=220, socket=198, prctl=167),
}

LOAD, JUMP_EQUAL, JUMP_GREATER, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
# offsets in struct seccomp_data; of an argument, its lower half
NUMBER, ARCHITECTURE, FIRST_ARGUMENT, SECOND_ARGUMENT = 0, 4, 16, 24
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000


def program(machine: Machine) -> bytes:
    """Return the filter: an array of struct sock_filter."""
    steps = [_step(LOAD, ARCHITECTURE), *_answer(JUMP_EQUAL, machine.audit, KILL, unless=True)]
    steps += [_step(LOAD, NUMBER), *_answer(JUMP_GREATER, NEWEST, ERRNO | errno.ENOSYS)]
    steps += _answer(JUMP_EQUAL, CLONE3, ERRNO | errno.ENOSYS)
    for numbers in DENIED.values():
        if (number := numbers[machine.column]) is not None:
            steps += _answer(JUMP_EQUAL, number, ERRNO | errno.EPERM)
    clone = [
        _step(LOAD, FIRST_ARGUMENT),
        *_answer(JUMP_ANY_BIT, NEW_NAMESPACES, ERRNO | errno.EPERM),
        _step(RETURN, ALLOW),
    ]
    socket = [_step(LOAD, FIRST_ARGUMENT)]
    for family in FAMILIES:
        socket += _answer(JUMP_EQUAL, family, ALLOW)
    socket.append(_step(RETURN, ERRNO | errno.EAFNOSUPPORT))
    prctl = [
        _step(LOAD, FIRST_ARGUMENT),
        _step(JUMP_EQUAL, SET_DUMPABLE, no=3),
        _step(LOAD, SECOND_ARGUMENT),
        *_answer(JUMP_EQUAL, 0, ERRNO | errno.EPERM, unless=True),
        _step(RETURN, ALLOW),
    ]
    answers = ((machine.clone, clone), (machine.socket, socket), (machine.prctl, prctl))
    for number, then in answers:
        steps += [_step(JUMP_EQUAL, number, no=len(then)), *then]
    return b"".join([*steps, _step(RETURN, ALLOW)])


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _answer(test: int, value: int, answer: int, unless: bool = False) -> list[bytes]:
    """Return the steps that answer the call if the test of the loaded word against `value` holds.

    unless: if it does not hold.
    """
    skip = {"yes": 1} if unless else {"no": 1}
    return [_step(test, value, **skip), _step(RETURN, answer)]


def here() -> Machine:
    """Return this machine; SandboxUnavailable on a processor whose numbers are not known."""
    machine = MACHINES.get(platform.machine())
    if machine is None:
        raise SandboxUnavailable(
            f"grading filters system calls on {' and '.join(MACHINES)}, this machine is "
            f"{platform.machine() or 'unknown'}: grade on one of those"
        )
    return machine


def denied_here() -> list[tuple[str, int]]:
    """Return the names and numbers of the calls that are denied on this machine."""
    column = here().column
    return [(name, n) for name, numbers in DENIED.items() if (n := numbers[column]) is not None]


def filter_file() -> int:
    """Return a descriptor of a file that holds this machine's filter; the caller closes it."""
    text = program(here())
    descriptor = os.memfd_create("filter")
    os.write(descriptor, text)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
