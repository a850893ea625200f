"""Attacks on the sandbox, as cells that a learner might run; `doctor` runs them.

Each gets `BAIT`, what there is to reach outside, and `LIMITS`, and makes the list `got` of what it
reached; an empty one is reported as "held". Each succeeds where its wall is missing:
tests/sandbox/test_doctor.py removes one wall after the other and checks that everything the attack
can reach is then in `got`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bait:
    """What there is to reach outside."""

    port: int  # of a listener on 127.0.0.1
    abstract: str  # name of a UNIX socket that is no file
    file: str  # readable and writable by all, with the token in it
    formulas: dict[str, str]  # functions that a submission may not have: fingerprint -> name
    process: int  # one that anybody of its user may kill
    token: str
    code: str  # the grader's own
    calls: list[tuple[str, int]]  # that the filter denies


@dataclass(frozen=True)
class Canary:
    """One attack: what it tries, and a cell that prints "held" or what it reached."""

    name: str
    source: str
    deadly: bool = False  # the sandbox may be ended by it, which is as good as held


BEFORE = """
import ctypes, errno, os, socket, time, types
BAIT, LIMITS = types.SimpleNamespace(**{bait}), {limits}
libc = ctypes.CDLL(None, use_errno=True)
def attempt(what, *args):
    try: return what(*args)
    except OSError: return None
"""
AFTER = """
print("held" if not got else "got through: " + ", ".join(map(str, got)))
"""
# Fingerprints of functions, computed by the same text on both sides: of all in memory after every
# kind of import, and of all in files that are named like a module looked for.
FORMULAS = """
import gc, hashlib, importlib.util, marshal, sys
def fingerprints(code):
    for inner in [c for c in code.co_consts if isinstance(c, types.CodeType)]:
        text = repr((inner.co_name, inner.co_code, inner.co_names, inner.co_varnames))
        yield hashlib.sha256(text.encode()).hexdigest()[:16], inner.co_qualname
        yield from fingerprints(inner)
def compiled(path):
    data = open(path, "rb").read()
    if path.endswith(".pyc") and data[:4] != importlib.util.MAGIC_NUMBER:
        return compile("", path, "exec")  # another Python's, which marshal may end on
    try:
        return marshal.loads(data[16:]) if path.endswith(".pyc") else compile(data, path, "exec")
    except (ValueError, EOFError, TypeError, SyntaxError): return compile("", path, "exec")
def everything(names):
    modules = sorted({name.partition(":")[0] for name in names})
    for name in modules:
        package, _, last = name.rpartition(".")
        for way in (f"import {name}", f"from {package} import {last}", f"from {name} import *"):
            try: exec(way)
            except ImportError: pass
    for name in names:
        module, _, function = name.partition(":")
        getattr(sys.modules.get(module), function.partition(".")[0], None)
    held = [v for m in list(sys.modules.values()) for v in list(vars(m).values())]
    functions = [f for f in gc.get_objects() + held if isinstance(f, types.FunctionType)]
    empty = compile("", "", "exec")
    yield from fingerprints(empty.replace(co_consts=tuple({f.__code__ for f in functions})))
    stems, apart = {name.rpartition(".")[2] for name in modules}, ("/proc", "/dev", "/sys")
    for folder, folders, files in os.walk("/"):
        folders[:] = [f for f in folders if os.path.join(folder, f) not in apart]
        for file in files:
            if file.endswith((".py", ".pyc")) and file.partition(".")[0] in stems:
                code = attempt(compiled, os.path.join(folder, file))
                if code is not None: yield from fingerprints(code)
"""
CANARIES = (
    Canary(
        "network",
        """
devices = [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]
out = socket.socket(); out.settimeout(1)
got = [d for d in devices if d != "lo"]
got += ["1.1.1.1"] if attempt(lambda: out.connect(("1.1.1.1", 53)) or True) else []
""",
    ),
    Canary(
        "loopback and other sockets of this machine",
        """
def reaches(family, address):
    with socket.socket(family) as s: s.connect(address)
    return True
got = [a for f, a in ((socket.AF_INET, ("127.0.0.1", BAIT.port)),
    (socket.AF_UNIX, "\\0" + BAIT.abstract)) if attempt(reaches, f, a)]
def filtered(family):  # an answer of the kernel's own is no wall of ours
    try: socket.socket(family, socket.SOCK_DGRAM).close()
    except OSError as error: return error.errno == errno.EAFNOSUPPORT
got += [f for f in (16, 17) if not filtered(f)] + [f for f in (38, 40)
    if attempt(socket.socket, f, socket.SOCK_SEQPACKET if f == 38 else socket.SOCK_STREAM)]
""",
    ),
    Canary(
        "files outside",
        """
paths = [BAIT.file, "/proc/1/root" + BAIT.file, BAIT.code, "/etc/passwd", "/etc/shadow"]
got = [p for p in paths if os.path.exists(p)]
""",
    ),
    Canary(
        "writing outside",
        """
def writes(folder):
    with open(os.path.join(folder, "canary"), "w"): return True
def writable(folder):  # by this user, or only its mode is in the way
    return attempt(writes, folder) or not os.statvfs(folder).f_flag & os.ST_RDONLY
places = ["/", "/usr", "/usr/bin", "/etc", "/dev", "/course", "/runner", "/var/tmp", "/run",
    os.path.dirname(os.__file__), os.path.dirname(BAIT.file)]
got = [p for p in places if os.path.isdir(p) and writable(p)]
""",
    ),
    Canary(
        "secrets of the environment",
        """
got = [f"variable {n}" for n, v in os.environ.items() if BAIT.token in v]
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("environ", "cmdline"):
        text = attempt(lambda: open(f"/proc/{pid}/{name}", "rb").read()) or b""
        got += [f"/proc/{pid}/{name}"] if BAIT.token.encode() in text else []
""",
    ),
    Canary(
        "other processes: kill and ptrace",
        """
def kills(pid): os.kill(pid, 9); return True
def name(pid): return open(f"/proc/{pid}/comm").read().strip()
own = {int(n) for n in os.listdir("/proc") if n.isdigit() and attempt(name, n) != "sleep"}
got = ["kill"] if BAIT.process not in own and attempt(kills, BAIT.process) else []
child = os.fork()
if child == 0: time.sleep(30)
got += ["ptrace"] if libc.ptrace(16, child, 0, 0) == 0 else []
buffer = ctypes.create_string_buffer(16)
pair = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 16)
got += ["process_vm_readv"] if libc.process_vm_readv(child, pair, 1, pair, 1, 0) >= 0 else []
os.kill(child, 9); os.waitpid(child, 0)
""",
    ),
    Canary(
        "memory of the processes inside",
        """
target, me, (read, write) = ctypes.create_string_buffer(b"as it was"), os.getpid(), os.pipe()
def opens(path, flags=os.O_RDONLY): os.close(os.open(path, flags)); return True
def overwrites(pid):
    memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
    return os.pwrite(memory, b"X", ctypes.addressof(target))
if os.fork() == 0:  # as a call of an exercise is one of the process that ran the cells
    pids = {"1": 1, "the runner": me}
    found = [f"mem of {n}" for n, p in pids.items() if attempt(opens, f"/proc/{p}/mem", os.O_RDWR)]
    found += [f"{f} of {n}" for n, p in pids.items() for f in ("environ", "maps", "auxv")
        if attempt(opens, f"/proc/{p}/{f}")]
    found += [f"cmdline of {n}" for n in ("1",) if attempt(opens, f"/proc/{n}/cmdline")]
    found += [f"root of {n}" for n, p in pids.items() if os.path.exists(f"/proc/{p}/root/tmp")]
    found += ["open again"] if libc.prctl(4, 1, 0, 0, 0) == 0 else []
    attempt(overwrites, me)
    os.write(write, repr(found).encode()); os._exit(0)
os.wait()
got = eval(os.read(read, 10_000)) + (["written"] if target.raw[:1] == b"X" else [])
""",
    ),
    Canary(
        "becoming root: setuid and capabilities",
        """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
got = [n for n in ("CapPrm", "CapEff", "CapBnd", "CapAmb") if int(status[n], 16)]
got += ["no_new_privs is off"] if status["NoNewPrivs"].strip() != "1" else []
got += ["user 0"] if 0 in map(int, status["Uid"].split()) else []
got += ["setuid"] if attempt(lambda: os.setuid(0) or True) else []
""",
    ),
    Canary(
        "right formulas of the unit",
        FORMULAS
        + """
found = {BAIT.formulas.get(mark) for mark, _ in everything(BAIT.formulas.values())}
got = sorted(found - {None})
""",
    ),
    Canary(
        "new namespaces and mounts",
        """
got = ["unshare"] if libc.unshare(0x10020000) == 0 else []  # a user and a mount namespace
got += ["mount"] if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0 else []
""",
    ),
    Canary(
        "system calls that are filtered",
        """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
got = ["no filter"] if status["Seccomp"].strip() != "2" else []
for name, number in BAIT.calls:
    libc.syscall(number, 0, 0, 0, 0, 0)
    if ctypes.get_errno() != errno.EPERM: got.append(name)
""",
    ),
    Canary(
        "devices",
        """
fine = {"null", "zero", "full", "random", "urandom", "tty", "console"}
found = [n for n in os.listdir("/dev") if n not in fine]
got = [n for n in found if os.lstat(f"/dev/{n}").st_mode & 0o170000 in (0o020000, 0o060000)]
""",
    ),
    Canary(
        "a file of any size",
        """
size = 0
try:
    with open("/tmp/big", "wb") as file:
        while size < 2 * LIMITS["tmp_bytes"]: size += file.write(bytes(2**20))
except OSError: pass
got = [f"{size} bytes"] if size > LIMITS["tmp_bytes"] else []
attempt(os.remove, "/tmp/big")
""",
    ),
    Canary(
        "a fork bomb",
        """
children = []
try:
    while len(children) < 4 * LIMITS["processes"]:
        child = os.fork()
        if child == 0: time.sleep(30); os._exit(0)
        children.append(child)
except OSError: pass
got = [f"{len(children)} processes"] if len(children) >= LIMITS["processes"] else []
for child in children: os.kill(child, 9); os.waitpid(child, 0)
""",
        deadly=True,
    ),
    Canary(
        "memory of many processes",
        """
share, full = LIMITS["memory_bytes"] // 3, os.pipe()
os.set_blocking(full[0], False)
for _ in range(6):
    if os.fork() == 0:
        hoard = bytearray(b"x") * share
        os.write(full[1], b"x")
        time.sleep(30)
got, end = ["neither stopped nor full"], time.time() + 15
done = 0
while got and done < 6 and time.time() < end:
    time.sleep(0.02)
    done += len(attempt(os.read, full[0], 6) or b"")
    if os.waitpid(-1, os.WNOHANG)[0]: got = []
if done == 6: got = ["twice the limit"]
""",
        deadly=True,
    ),
)
