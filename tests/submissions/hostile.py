"""Submissions that every release must survive, as changes of a released notebook.

Each builder gets a `Book` in which every exercise is solved but one, the target, which is answered
with a constant; it adds the trick. An attack must earn the target nothing, leave every other
exercise its full points, and leave the host as it was. `HONEST` ones must get full points, `BROKEN`
ones are reported as unreadable.

`tests/sandbox/test_hostile_list.py` says, line by line of what every release must survive, which of
these and which other tests hold it.
"""

import copy
import json
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Book:
    """A submission in the making."""

    def __init__(self, released: dict[str, Any], right: dict[str, str], target: str) -> None:
        self.notebook = copy.deepcopy(released)
        self.right, self.target = right, target
        for name, source in right.items():
            self.cell(name)["source"] = source

    @property
    def cells(self) -> list[dict[str, Any]]:
        """All cells."""
        return self.notebook["cells"]

    def cell(self, grade_id: str) -> dict[str, Any]:
        """The first cell of this grade_id."""
        return next(
            c for c in self.cells if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
        )

    def answer(self, source: str) -> None:
        """Put `source` in the solution cell of the target."""
        self.cell(self.target)["source"] = source

    def first(self, source: str) -> None:
        """A code cell above everything."""
        self.cells.insert(0, code(source))

    def last(self, source: str) -> None:
        """A code cell below everything."""
        self.cells.append(code(source))

    def dump(self) -> bytes:
        """The file."""
        return json.dumps(self.notebook).encode()


def code(source: str) -> dict[str, Any]:
    """A new code cell."""
    return {
        "cell_type": "code",
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def plain(source: str) -> str:
    """Code without the indentation of the string it stands in."""
    return textwrap.dedent(source).strip()


@dataclass(frozen=True)
class Trick:
    """A named change of a book; `status`: what the target must be reported as, where that is
    certain.
    """

    name: str
    family: str
    build: Callable[[Book], bytes | None]
    status: str | None = None

    def make(self, released: dict[str, Any], right: dict[str, str], target: str) -> bytes:
        """The submission: everything right, the target a constant, and the trick."""
        book = Book(released, right, target)
        if self.family not in ("honest",):
            book.answer(f"def {target}(*args):\n    return 0.5\n")
        return self.build(book) or book.dump()


ATTACKS: list[Trick] = []
HONEST: list[Trick] = []
BROKEN: list[Trick] = []


def trick(family: str, status: str | None = None) -> Callable[[Any], Any]:
    """Register a builder under its function's name."""
    where = {"honest": HONEST, "broken": BROKEN}.get(family, ATTACKS)

    def add(build: Callable[[Book], bytes | None]) -> Callable[[Book], bytes | None]:
        where.append(Trick(build.__name__, family, build, status))
        return build

    return add


def _in_cell(family: str, name: str, source: str, status: str | None = None) -> None:
    """A trick that runs when the target's cell is executed (it then defines the constant)."""

    def build(book: Book) -> None:
        book.answer(f"{plain(source)}\ndef {book.target}(*args):\n    return 0.5\n")

    ATTACKS.append(Trick(name, family, build, status))


def _in_call(family: str, name: str, body: str, status: str | None = None) -> None:
    """A trick that runs when the target is called."""

    def build(book: Book) -> None:
        inner = "".join(f"    {line}\n" for line in plain(body).split("\n"))
        book.answer(f"def {book.target}(*args):\n{inner}    return 0.5\n")

    ATTACKS.append(Trick(name, family, build, status))


# Time

_in_cell("time", "endless_loop_in_a_cell", "while True: pass", "timeout")
_in_call("time", "endless_loop_in_a_call", "while True: pass", "timeout")
_in_cell(
    "time",
    "loop_that_swallows_interrupts",
    """
    import time
    while True:
        try:
            time.sleep(1)
        except BaseException:
            pass
    """,
    "timeout",
)
_in_call(
    "time",
    "signals_ignored",
    """
    import signal
    for s in range(1, 32):
        try: signal.signal(s, signal.SIG_IGN)
        except Exception: pass
    while True: pass
    """,
    "timeout",
)
_in_call(
    "time",
    "endless_recursion",
    """
    import sys
    sys.setrecursionlimit(10**9)
    def f(): return f()
    f()
    """,
)
_in_cell(
    "time",
    "recursion_in_a_cell",
    """
    def f(): return f()
    f()
    """,
)
_in_cell(
    "time",
    "daemon_threads",
    """
    import threading
    def spin():
        while True: pass
    for _ in range(8): threading.Thread(target=spin, daemon=True).start()
    """,
)
_in_cell(
    "time",
    "setsid_and_double_fork",
    """
    import os, time
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True: time.sleep(1)
        os._exit(0)
    """,
)


@trick("time")
def five_hundred_cells_of_sleep(book: Book) -> None:
    for _ in range(500):
        book.last("import time; time.sleep(0.2)")


_in_call(
    "time",
    "starves_itself_by_children_that_leave_no_account",
    """
    import os, signal, time
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in range(12):
        if os.fork() == 0:
            while True:
                if os.fork() == 0:
                    end = time.process_time() + 0.05
                    while time.process_time() < end: pass
                    os._exit(0)
                try: os.wait()
                except OSError: pass
    time.sleep(3600)
    """,
)


@trick("time")
def a_demonstration_that_ends_the_process(book: Book) -> None:
    for cell in book.cells:
        if "demo" in cell["metadata"].get("tags", ()):
            cell["source"] = "class Helper:\n    import os\n    os._exit(0)\n"
    book.answer(f"def {book.target}(*args):\n    return Helper\n")


# Size

_in_cell(
    "size",
    "fork_bomb",
    """
    import os
    while True:
        try: os.fork()
        except OSError: pass
    """,
    "timeout",
)
_in_call(
    "size",
    "fork_bomb_in_a_call",
    """
    import os
    while True:
        try: os.fork()
        except OSError: pass
    """,
)
_in_cell(
    "size",
    "memory_bomb",
    """
    hoard = []
    while True: hoard.append(bytearray(50_000_000))
    """,
)
_in_call(
    "size",
    "memory_bomb_of_many_processes",
    """
    import os, time
    for _ in range(20):
        if os.fork() == 0:
            hoard = bytearray(b'x') * 400_000_000
            time.sleep(60)
    time.sleep(60)
    """,
)
_in_call(
    "size",
    "memory_through_mmap",
    """
    import mmap
    hoard = mmap.mmap(-1, 20 * 2**30)
    for i in range(0, 20 * 2**30, 4096): hoard[i] = 1
    """,
)
_in_cell(
    "size",
    "ten_gigabyte_file",
    """
    with open('big', 'wb') as f:
        for _ in range(10_000): f.write(bytes(2**20))
    """,
)
_in_cell(
    "size",
    "many_files_in_shared_memory",
    """
    for i in range(10_000):
        with open(f'/dev/shm/{i}', 'wb') as f: f.write(bytes(2**20))
    """,
)
_in_cell(
    "size",
    "a_million_files",
    """
    import os
    for i in range(1_000_000): os.close(os.open(f'{i}', os.O_CREAT))
    """,
)
_in_cell(
    "size",
    "a_gigabyte_printed_in_lines",
    """
    line = 'y' * 1_000_000
    for _ in range(1000): print(line)
    """,
)
_in_cell("size", "a_gigabyte_printed_in_one_line", "print('y' * 10**9)")
_in_call("size", "a_gigabyte_printed_in_a_call", "print('y' * 10**9)")
_in_cell(
    "size",
    "a_gigabyte_to_the_descriptor",
    """
    import os
    for _ in range(1000): os.write(1, b'y' * 1_000_000)
    """,
)
_in_call("size", "a_huge_result", "return ['y' * 1_000_000] * 200")
_in_call(
    "size",
    "an_endless_iterator",
    """
    import itertools
    return itertools.count()
    """,
)
_in_call(
    "size",
    "a_result_nested_in_itself",
    """
    loop = []
    loop.append(loop)
    return loop
    """,
)
_in_call("size", "an_integer_of_a_million_digits", "return 10 ** 1_000_000")

# Death

_in_cell("death", "exit_in_a_cell", "import os; os._exit(0)", "died")
_in_call("death", "exit_in_a_call", "import os; os._exit(0)", "died")
_in_cell("death", "segfault", "import ctypes; ctypes.string_at(0)", "died")
_in_call("death", "abort", "import os; os.abort()", "died")
_in_cell("death", "sys_exit_in_a_cell", "import sys; sys.exit()")
_in_call("death", "sys_exit_in_a_call", "import sys; sys.exit()")
_in_call(
    "death",
    "base_exception",
    """
    class Out(BaseException): pass
    raise Out('<script>alert(1)</script>')
    """,
)
_in_cell(
    "death",
    "base_exception_in_a_cell",
    """
    class Out(BaseException): pass
    raise Out('out')
    """,
)
_in_call(
    "death",
    "an_exception_that_fails_to_print",
    """
    class E(Exception):
        def __str__(self): raise SystemExit
    raise E()
    """,
)
_in_cell("death", "input_in_a_cell", "input('name? ')")
_in_call("death", "input_in_a_call", "return float(input())")
_in_call("death", "kills_its_parent", "import os, time; os.kill(os.getppid(), 9); time.sleep(5)")
_in_call("death", "kills_everything", "import os; os.kill(-1, 9)")
_in_call(
    "death",
    "closes_every_descriptor",
    """
    import os
    os.closerange(0, 256)
    """,
    "died",
)

# Forgery

_in_cell(
    "forgery",
    "ast_transformer",
    """
    import ast
    class Away(ast.NodeTransformer):
        def visit_Assert(self, node): return None
        def visit_Call(self, node): return ast.Constant(True)
    get_ipython().ast_transformers.append(Away())
    """,
)
_in_cell(
    "forgery",
    "patched_comparisons",
    """
    import math, builtins, sys
    math.isclose = lambda *a, **k: True
    builtins.abs = lambda x: 0.0
    builtins.isinstance = lambda *a: True
    builtins.all = lambda x: True
    """,
)
_in_cell(
    "forgery",
    "patched_numpy",
    """
    import numpy, numpy.testing
    for n in ('allclose', 'isclose', 'array_equal'): setattr(numpy, n, lambda *a, **k: True)
    numpy.testing.assert_allclose = lambda *a, **k: None
    """,
)
_in_cell(
    "forgery",
    "patched_torch_and_assertions",
    """
    import builtins, unittest, torch
    builtins.AssertionError = type('Never', (Exception,), {})
    for n in ('allclose', 'equal', 'isclose'): setattr(torch, n, lambda *a, **k: True)
    torch.testing.assert_close = lambda *a, **k: None
    for n in dir(unittest.TestCase):
        if n.startswith('assert'): setattr(unittest.TestCase, n, lambda *a, **k: None)
    """,
)
_in_call(
    "forgery",
    "always_equal",
    """
    class Any:
        def __eq__(self, o): return True
        def __ne__(self, o): return False
        def __float__(self): return 1.0
        __hash__ = None
        def __sub__(self, o): return 0.0
        __rsub__ = __sub__
    return Any()
    """,
)
_in_call(
    "forgery",
    "always_equal_float",
    """
    class Any(float):
        def __eq__(self, o): return True
        def __sub__(self, o): return 0.0
        __rsub__ = __sub__
        __hash__ = None
    return Any()
    """,
)
_in_cell(
    "forgery",
    "displayhook",
    """
    import sys
    sys.displayhook(5.0)
    print(5.0)
    """,
)
_in_cell(
    "forgery",
    "patched_showtraceback",
    """
    ip = get_ipython()
    ip.showtraceback = lambda *a, **k: None
    ip.set_custom_exc((Exception,), lambda *a, **k: None)
    ip.run_cell = lambda *a, **k: None
    """,
)
_in_cell(
    "forgery",
    "modules_replaced",
    """
    import sys, types
    for name in list(sys.modules):
        if name.startswith(('llmcourse', 'wire', 'numpy')):
            sys.modules[name] = types.ModuleType(name)
    sys.modules['__main__'].__dict__.pop('wire', None)
    """,
)
_in_cell(
    "forgery",
    "packer_patched",
    r"""
    import sys
    sys.modules['runner'].wire.pack = lambda *a, **k: b'\0\0\0\4true'
    """,
    "died",
)
_in_call(
    "forgery",
    "reads_frames",
    """
    import sys
    f = sys._getframe()
    while f:
        for v in f.f_locals.values():
            if hasattr(v, 'want'): return v.want
        f = f.f_back
    """,
)
_in_call(
    "forgery",
    "reads_all_objects",
    """
    import gc
    for o in gc.get_objects():
        if type(o) is dict and ('want' in o or 'expected' in o):
            return o.get('want', o.get('expected'))
    """,
)
_in_call(
    "forgery",
    "reads_history_and_linecache",
    """
    import linecache
    for text in [*get_ipython().user_ns['In'], *(str(v) for v in linecache.cache.values())]:
        if 'expected =' in text: return eval(text.split('expected =')[1])
    """,
)
_in_call(
    "forgery",
    "reads_proc",
    """
    import glob
    for path in glob.glob('/proc/[0-9]*/*'):
        try: data = open(path, 'rb').read(10000)
        except OSError: continue
        if b'LLMCOURSE_SECRET' in data: return 42.0
    """,
)

SOCKETS = plain(
    """
    import os, struct, json, stat, time
    def frames(payload, size=None):
        data = struct.pack('>I', len(payload)) + payload
        data = struct.pack('>Q', len(data) if size is None else size) + data
        for fd in range(3, 60):
            try:
                if stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, data)
            except OSError: pass
    """
)


def forging(source: str) -> str:
    """Code that can write frames of its own to every socket it finds."""
    return SOCKETS + "\n" + plain(source)


_in_cell(
    "forgery",
    "forged_frames_in_a_cell",
    forging(
        """
        for n in range(40):
            frames(json.dumps(['d', 'n', n, 'outputs', ['l'], 'forked', 'last']).encode())
        """
    ),
)
_in_call(
    "forgery", "forged_frame_before_the_answer", forging("""frames(b'["d","returned",1.0]')""")
)
_in_call(
    "forgery",
    "forged_points",
    forging("""frames(b'["d","points",90,"passed",true,"state","graded"]')"""),
)
_in_call("forgery", "oversized_frame", forging("frames(b'', 2**62)"))
_in_call(
    "forgery",
    "trickled_frame",
    forging("""
    frames(b'', 50)
    while True:
        time.sleep(0.2)
        for fd in range(3, 60):
            try: os.write(fd, b' ')
            except OSError: pass
    """),
    "timeout",
)
_in_call("forgery", "frame_of_brackets", forging("frames(b'[' * 200_000)"))
_in_call(
    "forgery",
    "frame_of_colliding_keys",
    forging(
        """
        keys = ','.join(f'["n","{hex((2**61 - 1) * i)}"]' for i in range(1, 60_000))
        frames(f'["d","returned",["s",{keys}]]'.encode())
        """
    ),
)
_in_call(
    "forgery",
    "calls_without_end",
    forging("""
    frames(b'["d","call",0,"args",["t"],"keywords",["d"]]')
    frames(b'["d","call",-1,"args",["t"],"keywords",["d"]]')
    """),
)


_in_call(
    "forgery",
    "forged_frames_for_calls_to_come",
    forging("""
    for value in (b'1.0', b'["l"]', b'null'):
        frames(b'["d","returned",' + value + b']')
    """),
)

# Reach

_in_call(
    "reach",
    "network_and_the_machine_itself",
    """
    import socket
    places = [(socket.AF_INET, ('127.0.0.1', p)) for p in (22, 80, 8787, 8888)]
    places += [(40, (2, 22)), (socket.AF_INET, ('169.254.169.254', 80))]
    for family, address in places:
        try:
            with socket.socket(family) as s:
                s.settimeout(0.2)
                s.connect(address)
                raise SystemExit(f'LLMCOURSE_SECRET reached {address}')
        except OSError: pass
    """,
)
_in_call(
    "reach",
    "traces_and_writes_the_memory_of_others",
    """
    import ctypes, os
    libc = ctypes.CDLL(None)
    for pid in {1, 2, 3, os.getppid()}:
        libc.ptrace(16, pid, 0, 0)
        libc.ptrace(5, pid, 0, 0)
        try:
            with open(f'/proc/{pid}/mem', 'r+b', 0) as memory:
                memory.seek(0x400000)
                memory.write(b'x')
        except OSError: pass
    """,
)
_in_call(
    "reach",
    "hidden_tests_and_gradebook_from_disk",
    """
    import glob
    for name in ('autograder/units/*.py', 'gradebook.db', 'solutions/*', 'submitted/*', '.auto*'):
        for root in ('/', '/course/', '/runner/', '../', '/proc/1/root/', '/proc/1/cwd/'):
            for path in glob.glob(root + name): return open(path, 'rb').read()
    """,
)
_in_call(
    "reach",
    "leaves_links_and_pipes_where_it_may_write",
    """
    import os
    os.mkfifo('/tmp/pipe')
    os.symlink('/etc/shadow', '/tmp/link')
    """,
)


@trick("forgery")
def skip_execution_tag(book: Book) -> None:
    book.cell(f"{book.target}_check")["metadata"]["tags"] = ["skip-execution", "demo"]


@trick("forgery")
def demo_tag_on_everything(book: Book) -> None:
    for cell in book.cells:
        cell["metadata"]["tags"] = ["demo", "skip-execution"]


@trick("forgery")
def edited_check_cell(book: Book) -> None:
    check = book.cell(f"{book.target}_check")
    check["source"] = "5.0"
    check["outputs"] = [
        {
            "output_type": "execute_result",
            "data": {"text/plain": "45.0"},
            "metadata": {},
            "execution_count": 1,
        }
    ]


@trick("forgery")
def deleted_check_cell(book: Book) -> None:
    book.cells.remove(book.cell(f"{book.target}_check"))


@trick("forgery")
def duplicated_check_cell(book: Book) -> None:
    book.cells.append({**book.cell(f"{book.target}_check"), "source": "print('passed')"})


@trick("forgery")
def duplicated_solution_cell(book: Book) -> None:
    book.cells.append(copy.deepcopy(book.cell(book.target)))


@trick("forgery")
def edited_points_and_metadata(book: Book) -> None:
    for cell in book.cells:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] |= {"points": 1000, "locked": False, "schema_version": 1}
    book.notebook["metadata"] = {
        "kernelspec": {"name": "bash", "display_name": "x", "language": "bash"}
    }


@trick("forgery")
def solved_check_cell_grade_ids_swapped(book: Book) -> None:
    book.cell(book.target)["metadata"]["nbgrader"]["grade_id"] = f"{book.target}_check"


@trick("forgery", "unsolved")
def visible_check_called_and_patched(book: Book) -> None:
    book.answer(book.right[book.target].split("\n")[0] + "\n    raise NotImplementedError\n")
    book.last("import llmcourse.checks as c\nc.fail = lambda *a: None\nprint('passed')")


@trick("forgery", "missing")
def solution_cell_deleted(book: Book) -> None:
    book.cells.remove(book.cell(book.target))


@trick("forgery", "unsolved")
def solution_cell_turned_into_text(book: Book) -> None:
    book.cell(book.target)["cell_type"] = "markdown"


# Honest but odd: full points


def honest(name: str, source: str) -> None:
    """A right answer in another style; `{right}` is the plain one, `{name}` its name."""

    def build(book: Book) -> None:
        text = plain(source).replace("{right}", book.right[book.target])
        book.answer(text.replace("{name}", book.target))

    HONEST.append(Trick(name, "honest", build))


honest(
    "warning_on_stderr",
    """
    import sys, warnings
    warnings.warn('careful')
    print('hm', file=sys.stderr)
    {right}
    """,
)
honest(
    "numpy_scalar",
    """
    import numpy
    {right}
    _plain = {name}
    def {name}(x): return numpy.float64(_plain(x))
    """,
)
honest(
    "zero_dimensional_array",
    """
    import numpy
    {right}
    _plain = {name}
    def {name}(x): return numpy.array(_plain(x))
    """,
)
honest(
    "fraction",
    """
    from fractions import Fraction
    {right}
    _plain = {name}
    def {name}(x): return Fraction(_plain(x))
    """,
)
honest(
    "class_instead_of_function",
    """
    {right}
    _plain = {name}
    class {name}:
        def __new__(cls, x): return _plain(x)
    """,
)
honest(
    "lambda_and_unicode_names",
    """
    {right}
    πλαίν = {name}
    {name} = lambda x: πλαίν(x)
    """,
)
honest(
    "prints_a_lot",
    """
    {right}
    _plain = {name}
    def {name}(x):
        print('x' * 10_000)
        return _plain(x)
    """,
)
honest(
    "shell_magics",
    """
    %time 1 + 1
    {right}
    !true
    """,
)
honest(
    "asyncio_cell",
    """
    import asyncio
    await asyncio.sleep(0)
    {right}
    """,
)
honest(
    "leaves_a_thread",
    """
    import threading, time
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
    {right}
    """,
)
honest(
    "logging_to_stderr",
    """
    import logging
    logging.basicConfig(level=logging.DEBUG)
    logging.getLogger('x').warning('y')
    {right}
    """,
)


@trick("honest")
def helper_cells(book: Book) -> None:
    source = book.right[book.target]
    book.cells.insert(
        book.cells.index(book.cell(book.target)), code("def helper(x):\n    return x")
    )
    book.answer(
        source + f"\n_plain = {book.target}\ndef {book.target}(x):\n    return helper(_plain(x))\n"
    )


@trick("honest")
def cells_reordered(book: Book) -> None:
    book.cells.reverse()


@trick("honest")
def windows_line_ends_and_mark(book: Book) -> bytes:
    for cell in book.cells:
        cell["source"] = (
            cell["source"].replace("\n", "\r\n")
            if isinstance(cell["source"], str)
            else cell["source"]
        )
    return b"\xef\xbb\xbf" + json.dumps(book.notebook, indent=1).replace("\n", "\r\n").encode()


@trick("honest")
def kernel_of_another_machine(book: Book) -> None:
    book.notebook["metadata"] = {
        "kernelspec": {"name": "conda-env-x", "display_name": "C:\\x", "language": "python"},
        "colab": {},
    }


@trick("honest")
def sources_as_lines(book: Book) -> None:
    for cell in book.cells:
        cell["source"] = cell["source"].splitlines(keepends=True)


@trick("honest")
def stub_left_beside_the_answer(book: Book) -> None:
    stub = copy.deepcopy(book.cell(book.target))
    stub["source"] = "def " + book.target + "(x):\n    raise NotImplementedError('your turn')"
    book.cells.insert(0, stub)


@trick("honest")
def answer_in_another_cell(book: Book) -> None:
    cell = book.cell(book.target)
    book.cells[book.cells.index(cell)] = code(cell["source"])


@trick("honest")
def lone_surrogate_in_a_comment(book: Book) -> None:
    book.answer("# \ud800\n" + book.right[book.target])


@trick("honest")
def failing_extra_cell(book: Book) -> None:
    book.first("1 / 0")
    book.last("this is not python")


@trick("honest")
def outputs_of_wrong_types(book: Book) -> None:
    for cell in book.cells:
        cell.update({"outputs": 5, "execution_count": "x", "attachments": []})
    book.cells.extend(
        [
            5,
            None,
            {"cell_type": "code"},
            {"cell_type": "heading", "source": "x"},
            {"cell_type": "code", "source": 5},
        ]
    )
    book.cells.append({"cell_type": "code", "source": "", "metadata": []})
    book.cells.append({"cell_type": "code", "source": "", "metadata": {"nbgrader": 5}})
    book.cells.append(
        {"cell_type": "code", "source": "", "metadata": {"nbgrader": {"grade_id": ["x"]}}}
    )


# Broken files: reported, never graded


@trick("broken")
def not_utf8(book: Book) -> bytes:
    return book.dump().replace(b"nbformat", b"\xff\xfe")


@trick("broken")
def truncated(book: Book) -> bytes:
    return book.dump()[:-200]


@trick("broken")
def format_3(book: Book) -> bytes:
    return json.dumps(
        {"nbformat": 3, "worksheets": [{"cells": book.cells}], "metadata": {}}
    ).encode()


@trick("broken")
def empty(book: Book) -> bytes:
    return b" \n"


@trick("broken")
def a_list(book: Book) -> bytes:
    return b"[]"


@trick("broken")
def no_cells(book: Book) -> bytes:
    return b'{"nbformat": 4, "cells": {}}'


@trick("broken")
def nested_ten_thousand_deep(book: Book) -> bytes:
    return b'{"nbformat": 4, "cells": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"


@trick("broken")
def nested_in_metadata(book: Book) -> bytes:
    return (
        b'{"nbformat": 4, "cells": [], "metadata": '
        + b'{"a":' * 100_000
        + b"1"
        + b"}" * 100_000
        + b"}"
    )


@trick("broken")
def thirty_megabytes(book: Book) -> bytes:
    return (
        b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "'
        + b"x" * (30 * 2**20)
        + b'"}]}'
    )


@trick("broken")
def a_million_lists(book: Book) -> bytes:
    return b'{"nbformat": 4, "cells": [' + b"[]," * 2_000_000 + b"1]}"


@trick("broken")
def an_endless_number(book: Book) -> bytes:
    return b'{"nbformat": 4, "cells": [' + b"9" * 1_000_000 + b"]}"
