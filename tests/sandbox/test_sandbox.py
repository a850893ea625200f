"""What a process in the sandbox can see, reach and use up; and that nothing of it stays."""

import ast
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from autograder.errors import AutograderError, SandboxUnavailable
from autograder.exercise import CALL, Exercise, NoAnswer, Raised, Returned
from autograder.sandbox import process as sandbox
from autograder.sandbox import view
from autograder.sandbox.limits import Limits, make_groups, remove_groups
from autograder.sandbox.process import Sandbox
from autograder.sandbox.session import Calls, Lost, Session
from tests.conftest import control_groups
from tests.submissions.toy import LIMITS, SLUG

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("wall")


@pytest.fixture(scope="module")
def shared():
    with Session(SLUG, replace(LIMITS, cell_seconds=20, session_seconds=120)) as session:
        yield session


@pytest.fixture
def session():
    with Session(SLUG, LIMITS, slot=1) as fresh:
        yield fresh


def printed(session, source):
    outputs = session.run(source).outputs
    assert all(o["output_type"] == "stream" for o in outputs), outputs
    return "".join(o["text"] for o in outputs)


def value(session, expression, setup="pass"):
    return eval(printed(session, f"{setup}\nprint(repr({expression}))"))


def runners(limits):
    """Processes of the sandboxes with these limits: the runner carries them in its command line."""
    found, theirs = set(), json.dumps(asdict(limits)).encode()
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (path / "cmdline").read_bytes()
            if b"/runner" in line and theirs in line:
                found.add(path)
    return found


def alive(pid):
    """Whether a process is there and no zombie that the system has yet to collect."""
    with contextlib.suppress(OSError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


# Sight


def test_only_the_system_python_and_the_package_are_there(shared):
    seen = set(value(shared, "os.listdir('/')", "import os"))
    assert not seen & {"home", "var", "boot", "srv", "opt", "sys", "run", "mnt"} - {
        Path(sys.prefix).parts[1],
        Path(sys.base_prefix).parts[1],
    }
    assert set(value(shared, "os.listdir('/etc')")) <= {
        "ld.so.cache",
        "ld.so.conf",
        "ld.so.conf.d",
        "alternatives",
    }
    assert value(shared, "sorted(os.listdir('/course'))") == ["llmcourse"]


def test_hidden_tests_solutions_and_gradebook_cannot_be_read(shared):
    secrets = [
        Path(__file__),
        ROOT / "autograder/grading/result.py",
        ROOT / "solutions",
        ROOT / "course",
    ]
    secrets += [
        ROOT / "gradebook.db",
        Path("/etc/shadow"),
        Path("/etc/passwd"),
        Path.home() / ".ssh",
    ]
    names = [str(path) for path in secrets]
    assert value(shared, f"[p for p in {names} if os.path.exists(p)]", "import os") == []


def test_the_exchange_where_others_hand_in_is_empty(monkeypatch):
    monkeypatch.setattr(view, "EXCHANGE", Path("/usr/include"))  # any folder that is there
    view.layout.cache_clear()
    with Session(SLUG, LIMITS, slot=1) as session:
        seen = value(
            session, "(os.listdir('/usr/include'), os.listdir('/usr/lib') != [])", "import os"
        )
    view.layout.cache_clear()
    assert seen == ([], True)


CLEANED = """
import shutil
from autograder.sandbox import view

words = view.intact_layout("00")
files = view._copied["00"]
assert view.intact_layout("00") is words
for clean in (files[0].unlink, lambda: shutil.rmtree(files[0].parents[1])):
    clean()
    words = view.intact_layout("00")
    again = view._copied["00"]
    assert len(again) == len(files) and all(path.is_file() for path in again)
    assert str(again[0].parent) in words
    files = again
"""


def test_a_view_is_made_again_where_tmp_was_cleaned(tmp_path):
    """In a process of its own: the sandboxes of this one see their copies."""
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", CLEANED], env=environment, check=True)
    assert not list(tmp_path.iterdir())


def test_copies_go_with_their_process_and_those_of_killed_ones_with_the_next(tmp_path):
    code = "import os; from autograder.sandbox import view; view.layout('00')"
    seen = f"print(os.listdir({str(tmp_path)!r}))"
    for last, left in (("os.kill(os.getpid(), 9)", 1), (seen, 0)):
        done = subprocess.run(
            [sys.executable, "-c", f"{code}; {last}"],
            env=os.environ | {"TMPDIR": str(tmp_path)}, capture_output=True, text=True,
        )  # fmt: skip
        assert len(list(tmp_path.iterdir())) == left, done.stderr
    assert len(ast.literal_eval(done.stdout)) == 1


def test_a_python_that_lies_below_tmp_is_seen_and_nothing_else_there(monkeypatch):
    roots = view._python_roots()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, monkeypatch.context() as patch:
        os.chmod(folder, 0o755)
        python, other = Path(folder, "python"), Path(folder, "other")
        for path in (python, other):
            path.mkdir()
            (path / "file").write_text("here")
        patch.setattr(view, "_python_roots", lambda: [*roots, python])
        view.layout.cache_clear()
        with Session(SLUG, LIMITS, slot=1) as session:
            shown = value(
                session, f"(os.listdir({folder!r}), open('{python}/file').read())", "import os"
            )
    view.layout.cache_clear()
    assert shown == (["python"], "here")


def test_a_place_is_seen_below_the_system_or_python_but_not_in_the_clone(monkeypatch):
    monkeypatch.setattr(view, "_python_roots", lambda: [ROOT.parent, ROOT / ".venv"])
    seen = ("/usr/share/course", str(ROOT.parent / "other"), str(ROOT / ".venv" / "course"))
    assert [
        path for path in (*seen, str(ROOT), str(ROOT / "x"), "/opt") if view.shows(Path(path))
    ] == [*seen]


def test_the_grader_and_its_installation_cannot_be_imported(shared):
    probe = "import importlib.util as u"
    assert value(shared, "u.find_spec('autograder')", probe) is None
    assert value(shared, "u.find_spec('llmcourse').origin", probe).startswith("/course/")
    assert (
        value(shared, "u.find_spec('tests.submissions') if u.find_spec('tests') else None") is None
    )


def test_nothing_can_be_written_but_two_small_places(shared):
    try_all = """
    import os
    wrote = []
    for folder, _, _ in list(os.walk('/'))[:3000]:
        if not folder.startswith(('/proc', '/tmp', '/dev/shm')):
            try:
                open(os.path.join(folder, 'x'), 'w')
                wrote.append(folder)
            except OSError:
                pass
    """
    assert value(shared, "wrote", textwrap.dedent(try_all)) == []
    assert value(shared, "open('/tmp/a', 'w').write('a')") == 1


def test_a_file_that_is_made_changed_or_removed_is_seen_and_no_link_is_followed(session):
    files = session.sandbox.files
    session.run("import os\nos.makedirs('/tmp/a/b')\nopen('/tmp/a/b/c', 'w').write('1')")
    session.run("os.symlink('/usr', '/tmp/a/usr')")
    before = files()
    assert any(name.endswith("/a/b/c") for name in before)
    assert not any("/usr/" in name for name in before)
    session.run("open('/tmp/a/b/c').read()\nopen('/tmp/gone', 'w').close()\nos.remove('/tmp/gone')")
    assert files() == before
    for change in ("open('/tmp/a/b/c', 'w').write('2')", "os.utime('/tmp/a/b/c', (1, 1))"):
        session.run(change)
        assert files() != before
        before = files()
    session.run("os.remove('/tmp/a/b/c')")
    assert len(files()) == len(before) - 1


def test_the_environment_is_the_fixed_one(shared, monkeypatch):
    names = set(value(shared, "dict(os.environ)", "import os"))
    assert names - {"PWD", "LC_CTYPE"} <= set(sandbox.ENVIRONMENT) | {
        "GIT_PAGER",
        "PAGER",
        "CLICOLOR",
    }
    assert value(shared, "os.environ['LLMCOURSE_PRESET']") == "smoke"


def test_no_capability_no_root_no_further_namespace(shared):
    status = value(shared, "open('/proc/self/status').read()")
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert all(int(fields[name], 16) == 0 for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb"))
    assert fields["NoNewPrivs"] == "1" and "0" not in fields["Uid"].split()
    setup = (
        "import subprocess\nresult = subprocess.run(['unshare', '-U', 'true'], capture_output=True)"
    )
    assert value(shared, "result.returncode", setup) != 0


def test_namespaces_and_session_are_its_own(shared):
    kinds = ["user", "pid", "net", "mnt", "ipc", "uts", "cgroup"]
    inside = value(shared, f"[os.readlink(f'/proc/self/ns/{{k}}') for k in {kinds}]", "import os")
    ours = [os.readlink(f"/proc/self/ns/{kind}") for kind in kinds]
    assert [kind for kind, a, b in zip(kinds, inside, ours, strict=True) if a == b] == []
    assert value(shared, "os.getsid(0)") > 0
    assert "llmcourse" not in value(shared, "open('/proc/self/cgroup').read()")


def test_setuid_programs_of_the_system_change_nobody(shared):
    nosuid = "all(os.statvfs(p).f_flag & os.ST_NOSUID for p in ('/', '/usr', '/tmp', sys.prefix))"
    assert value(shared, nosuid, "import os, sys") is True


def test_as_root_the_user_outside_is_the_slots_own(session):
    if os.geteuid():
        pytest.skip("an ordinary user cannot become another")
    owner = os.stat(f"/proc/{session.sandbox.runner}").st_uid
    assert owner == sandbox.FIRST_UID + 1


def test_the_wrapper_and_what_forks_all_exercises_are_closed_to_a_fork(shared):
    """Not even open(2) of the memory works, whatever address would be written to."""
    tried = """
import ctypes, os
def opens(path, flags=os.O_RDONLY):
    try: os.close(os.open(path, flags)); return True
    except OSError: return False
target, runner, (read, write) = ctypes.create_string_buffer(b'as it was'), os.getpid(), os.pipe()
child = os.fork()
if child == 0:
    names = ('mem', 'environ', 'auxv', 'io', 'maps', 'syscall')
    got = [f'{n} {p}' for p in (1, runner) for n in names if opens(f'/proc/{p}/{n}')]
    got += [f'mem {p}' for p in (1, runner) if opens(f'/proc/{p}/mem', os.O_RDWR)]
    got += [f'root {p}' for p in (1, runner) if os.path.exists(f'/proc/{p}/root/tmp')]
    got += ['open again'] * (ctypes.CDLL(None).prctl(4, 1, 0, 0, 0) == 0)
    os.write(write, repr(got).encode()); os._exit(0)
os.waitpid(child, 0)
"""
    assert value(shared, "eval(os.read(read, 10_000))", tried) == []
    assert value(shared, "os.path.exists('/proc/1/cmdline')", "import os") is False


def test_what_learners_use_works_in_a_process_that_is_closed_to_others():
    used = """
import multiprocessing, os, subprocess, sys, tempfile, threading
import torch, matplotlib.pyplot as plt
context = multiprocessing.get_context('fork')
with context.Pool(2) as pool: squares = pool.map(abs, [-1, -2])
with multiprocessing.get_context('spawn').Pool(1) as pool: spawned = pool.map(abs, [-3])
started = subprocess.run([sys.executable, '-c', 'print(open("/proc/self/environ").read() != "")'],
    capture_output=True, text=True, close_fds=True).stdout.strip()
queue = context.Queue(); threading.Thread(target=queue.put, args=(5,)).start()
figure = plt.figure(); figure.savefig(tempfile.mktemp(suffix='.png')); plt.close(figure)
own = [os.path.exists(f'/proc/self/{n}') for n in ('fd', 'maps', 'status', 'exe', 'cwd')]
readable = [len(os.listdir('/proc/self/fd')) > 3]
readable += [len(open(f'/proc/self/{n}').read()) > 0 for n in ('maps', 'status', 'stat', 'limits')]
loader = torch.utils.data.DataLoader([1, 2, 3], num_workers=1, multiprocessing_context='fork')
"""
    with Session(SLUG, Limits(), slot=2) as session:
        got = value(
            session,
            "[squares, spawned, started, queue.get(), all(own + readable), "
            "torch.ones(2).sum().item(), [b.item() for b in loader]]",
            used,
        )
    assert got == [[1, 2], [3], "True", 5, True, 2.0, [1, 2, 3]]


def test_the_wrapper_gets_a_fixed_environment(monkeypatch):
    given = []
    start = subprocess.Popen
    monkeypatch.setenv("PATH", os.environ["PATH"] + ":/a/path/of/this/machine")

    def noted(words, **options):
        given.append((options["env"], options["cwd"]))
        return start(words, **options)

    monkeypatch.setattr(sandbox.subprocess, "Popen", noted)
    with Sandbox(SLUG, LIMITS, slot=1):
        pass
    assert given == [({"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, "/")]


def test_no_process_of_the_host_can_be_seen_or_killed(shared):
    assert value(shared, "len([n for n in os.listdir('/proc') if n.isdigit()])", "import os") < 10
    kill = f"""
import os
try:
    os.kill({os.getpid()}, 9); result = 'killed'
except OSError as error:
    result = type(error).__name__
"""
    assert value(shared, "result", kill) in ("ProcessLookupError", "PermissionError")


def test_no_network_not_even_loopback_of_the_host(shared):
    listener = socket.create_server(("127.0.0.1", 0))
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0llmcourse-{os.getpid()}")
    abstract.listen()
    connect = """
import socket
def reach(family, address):
    try:
        socket.socket(family).connect(address)
        return True
    except OSError:
        return False
"""
    port, name = listener.getsockname()[1], f"\\0llmcourse-{os.getpid()}"
    assert value(shared, f"reach(socket.AF_INET, ('127.0.0.1', {port}))", connect) is False
    assert value(shared, f"reach(socket.AF_UNIX, '{name}')", connect) is False
    assert value(shared, "reach(socket.AF_INET, ('1.1.1.1', 53))", connect) is False
    devices = "[line.split(':')[0].strip() for line in open('/proc/net/dev') if ':' in line]"
    assert value(shared, devices) == ["lo"]
    listener.close()
    abstract.close()


# The package


@pytest.fixture
def package(tmp_path, monkeypatch):
    import llmcourse
    from llmcourse import checks

    monkeypatch.setattr(checks, "__path__", checks.__path__[:1])  # without toys of other tests
    top = tmp_path / "llmcourse"
    files = {
        "__init__": "",
        "runtime": '"""Infrastructure."""',
        "early": '"""Early.\n\nunit: 01_a\n"""',
        "mine": '"""Mine.\n\nunit: 02_b\n"""',
        "late": '"""Late.\n\nunit: 10_c\n"""',
        "checks/__init__": "",
        "checks/u01_a": "",
        "checks/u02_b": "",
        "checks/u10_c": "",
        "later/__init__": '"""A package.\n\nunit: 11_d\n"""',
        "later/inside": "",
        "world/__init__": "",
        "world/words": "",
    }
    for name, text in files.items():
        path = top / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (top / "ladder.json").write_text("{}")
    (top / "world" / "texts").mkdir()
    (top / "world" / "texts" / "plots.txt").write_text("== one\na\n")
    monkeypatch.setattr(llmcourse, "__path__", [str(top)])
    return top


def shown(unit):
    """Files of the package that are there themselves, not as stand-ins."""
    files = {(here, there) for here, there in view.package_files(unit) if here != view.STAND_IN}
    return {there.removeprefix("/course/llmcourse/") for _, there in files}


def test_a_unit_sees_what_is_shared_and_earlier_units_and_of_the_rest_the_names(package):
    data = {"ladder.json", "world/texts/plots.txt"}
    shared = data | {"__init__.py", "runtime.py", "world/__init__.py", "world/words.py"}
    assert shown("02_b") == shared | {"early.py"}
    assert shown("03_c") == shared | {"early.py", "mine.py"}
    assert shown("00") == shown("appendix") == shared
    everything = {there for _, there in view.package_files("02_b")}
    modules = {str(path.relative_to(package)) for path in package.rglob("*.py")}
    assert everything == {f"/course/llmcourse/{name}" for name in modules | data}


def test_a_module_that_does_not_say_whose_it_is_is_not_shown(package):
    texts = {
        "new": '"""No unit."""',
        "wrong": '"""Wrong.\n\nunit: attention\n"""',
        "world/late": '"""Late, in a shared folder.\n\nunit: 10_c\n\n>>> 1\n"""',
        "world/wrong": '"""Wrong.\n\nUnit: 1x\n"""',
        "early_package/__init__": '"""Early.\n\nunit: 01_a\n"""',
        "early_package/new": "",
    }
    for name, text in texts.items():
        (package / name).parent.mkdir(exist_ok=True)
        (package / f"{name}.py").write_text(text)
    (package / "answers.json").write_text("{}")
    before, after = shown("09_d"), shown("11_d")
    assert not {f"{name}.py" for name in texts} - {"early_package/__init__.py"} & before
    assert "answers.json" not in before | after
    assert "world/late.py" in after and "world/wrong.py" not in after


def test_numbers_of_units_are_numbers(package):
    (package / "tenth.py").write_text('"""Tenth.\n\nunit: 10_x\n"""')
    assert "tenth.py" not in shown("2_b") | shown("9_x") | shown("10_x")
    assert "tenth.py" in shown("11_x") and "tenth.py" in shown("100_x")


def test_every_module_of_the_package_says_whose_it_is():
    top = ROOT / "llmcourse"
    unknown = {
        str(path.relative_to(top).with_suffix(""))
        for path in top.rglob("*.py")
        if not view._is_shared(path.relative_to(top)) and view.unit_of(path) is None
    }
    assert {name for name in unknown if not name.startswith(("checks/", "commands/"))} == {
        "notebook_file"
    }
    for shared in view.SHARED:
        assert (top / shared).exists(), shared


@pytest.mark.parametrize("unit", ["02_", "03_", "04_", "05_", "06_", "07_"])
def test_a_module_that_is_shown_imports_only_what_is_shown(unit):
    real = {there: here for here, there in view.package_files(unit) if here != view.STAND_IN}
    for there, here in real.items():
        for node in ast.parse(here.read_bytes()).body if here.suffix == ".py" else ():
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("llmcourse"):
                base = f"/course/{node.module.replace('.', '/')}"
                names = [f"{base}/{item.name}" for item in node.names]
                files = [f"{path}.py" for path in (base, *names)]
                known = [path for path in files if (ROOT / path.removeprefix("/course/")).exists()]
                assert set(known) <= set(real), f"{there} imports {known}"


def test_the_real_package_hides_a_units_own_module():
    assert "models/ngram.py" not in shown("02_ngrams") and "runtime.py" in shown("02_ngrams")
    assert "models/ngram.py" in shown("03_toy")


IMPORTS = [
    "from llmcourse.checks import u02_ngrams as check",
    "import llmcourse.checks.u02_ngrams as check",
    "from llmcourse import checks\ncheck = checks.u02_ngrams",
    "import llmcourse.checks.u02_ngrams\ncheck = llmcourse.checks.u02_ngrams",
    "import importlib\ncheck = importlib.import_module('llmcourse.checks.u02_ngrams')",
    "from llmcourse.checks.u06_cells import gru\nimport llmcourse.checks.u02_ngrams as check",
    "from llmcourse.checks.u02_ngrams import generate as c\ncheck = type('c', (), {'generate': c})",
]


@pytest.mark.parametrize("line", IMPORTS)
def test_every_import_of_the_checks_works_and_says_nothing(line):
    source = f"{line}\ndef generate(x): return x\n"
    with Session("02_ngrams", LIMITS, slot=1) as session:
        calls = "[check.generate(generate), check.generate(answer=1), check.generate() is True]"
        assert value(session, calls, source) == [True, True, True]
        assert session.run("check.generate(generate);").outputs == []
        chosen = "from llmcourse.models import ngram\nfrom llmcourse.runtime import choose\n"
        chosen += "print(choose(generate, ngram.generate)('mine'))"
        assert printed(session, chosen) == "generate: using yours\nmine\n"


def test_a_learners_own_check_and_annotations_with_hidden_names_are_harmless(shared):
    source = """
from llmcourse.checks import CheckFailed, near, visible
from llmcourse import plotting
from llmcourse.text import corpora as data
from llmcourse.text import subwords
from llmcourse.text.subwords import Merges, generate as library
@visible
def mine(answer): near(answer(), 1, 1e-9, hint='one')
def f(config: Merges | None = None): return isinstance(config, Merges)
try: mine(f)
except CheckFailed: raise
"""
    # the toy is unit 03, which sees unit 02; its own module is hidden
    assert value(shared, "f(1)", source) is False
    seen = "[mine(f), callable(data.words), plotting.__name__]"
    assert value(shared, seen) == [True, True, "llmcourse.plotting"]
    outputs = shared.run("library('x')").outputs
    assert outputs[0]["ename"] == "RuntimeError"
    assert "llmcourse.text.subwords.generate is not there while" in outputs[0]["evalue"]


# Cells


def test_outputs_are_kept_as_a_notebook_has_them(session):
    ran = session.run("import sys\nprint('a')\nsys.stderr.write('b')\n1 + 1")
    outputs, count = ran.outputs, ran.count
    assert count == 1 and [o["output_type"] for o in outputs] == [
        "stream",
        "stream",
        "execute_result",
    ]
    assert outputs[2]["data"] == {"text/plain": "2"} and outputs[2]["execution_count"] == 1
    outputs = session.run("def f():\n    1 / 0\nf()").outputs
    assert outputs[0]["ename"] == "ZeroDivisionError" and "line 2" in "".join(
        outputs[0]["traceback"]
    )
    assert session.run("_").outputs[0]["data"] == {"text/plain": "2"}


def test_figures_are_pictures_and_html_is_dropped(session):
    slow = Session(SLUG, Limits(), slot=2)
    with slow:
        outputs = slow.run("import matplotlib.pyplot as plt\nplt.plot([1, 2]);").outputs
        assert [set(o["data"]) for o in outputs] == [{"text/plain", "image/png"}]
        outputs = slow.run("%matplotlib inline\nplt.plot([1]); plt.show()").outputs
        assert "image/png" in outputs[0]["data"]
        show = "from IPython.display import HTML, Javascript, display\n"
        outputs = slow.run(show + "display(HTML('<script>1</script>'), Javascript('1'))").outputs
        assert all(set(o["data"]) == {"text/plain"} for o in outputs)
        assert value(slow, "'torch' in sys.modules", "import sys") is False


def test_output_is_cut_at_the_cap_with_a_note(session):
    text = printed(session, "for _ in range(100): print('x' * 100_000)")
    assert len(text) < LIMITS.output_bytes + 200 and "cut" in text
    assert printed(session, "print('still here')") == "still here\n"


def test_input_fails_at_once_with_a_clear_error(session):
    (output,) = session.run("input('name?')").outputs
    assert output["ename"] == "EOFError" and "nobody to ask" in output["evalue"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [("while True: pass", "timeout"), ("import os; os._exit(0)", "died")],
)
def test_a_cell_that_takes_the_sandbox_with_it_is_lost(session, source, reason):
    with pytest.raises(Lost) as caught:
        session.run(source)
    assert caught.value.reason == reason and not session.alive
    with pytest.raises(Lost):
        session.run("1")


# Calls


@pytest.fixture
def calls(shared):
    shared.run("def f(*args): return args\ndef stub(): raise NotImplementedError\nseen = []")
    with Calls(shared, "f") as made:
        yield made


def test_a_call_returns_the_value(calls):
    assert calls.ask(CALL, (1, "a", [2.5]), {}, 5) == Returned((1, "a", [2.5]))


def test_state_of_a_fork_ends_with_it(shared):
    shared.run("n = 0\ndef count():\n    global n\n    n += 1\n    return n")
    for _ in range(2):
        with Calls(shared, "count") as calls:
            assert calls.ask(CALL, (), {}, 5) == Returned(1)
            assert calls.ask(CALL, (), {}, 5) == Returned(2)


def test_given_names_are_answered_by_the_grader(shared):
    shared.run("def earlier(x): return 'wrong'\ndef later(x): return earlier(x) + earlier(x=x)")
    asked = []

    def earlier(x):
        asked.append(x)
        return 2 * x

    with Calls(shared, "later") as calls:
        assert calls.ask(CALL, (4,), {"earlier": earlier}, 5) == Returned(16)
    assert asked == [4, 4]


def test_given_functions_take_what_the_learners_own_version_takes(shared):
    shared.run(
        "def earlier(one, two, loud=False): raise RuntimeError\n"
        "def later(x): return [earlier(1, two=x, loud=True), earlier(two=x, one=1), "
        "earlier(1, x, True)]"
    )
    later = Exercise("later", given={"earlier": lambda a, two: 10 * a + two})
    with Calls(shared, "later") as calls:
        assert calls.ask(CALL, (4,), later.given, 5) == Returned([14, 14, 14])


def test_a_number_in_single_precision_arrives_as_one(shared):
    shared.run("import numpy\ndef third(): return [numpy.float32(1) / numpy.float32(3)]")
    with Calls(shared, "third") as calls:
        [value] = calls.ask(CALL, (), {}, 5).value
    assert type(value).__name__ == "float32" and abs(value - 1 / 3) < 1e-7


def test_an_error_of_a_given_function_is_raised_in_the_answer(shared):
    shared.run(
        "def later(x):\n    try: return earlier(x)\n    except ValueError as e: return str(e)"
    )

    def earlier(x):
        raise ValueError("no")

    with Calls(shared, "later") as calls:
        assert calls.ask(CALL, (4,), {"earlier": earlier}, 5) == Returned("no")


def test_a_callable_argument_is_a_proxy(shared):
    shared.run("def apply(f, x): return [f(i) for i in range(x)]")
    with Calls(shared, "apply") as calls:
        assert calls.ask(CALL, (lambda i: i * i, 4), {}, 5) == Returned([0, 1, 4, 9])


def test_exceptions_arrive_as_names_of_built_in_classes(shared):
    shared.run("class Mine(KeyError): pass\ndef bad(): raise Mine('x' * 1000)")
    with Calls(shared, "bad") as calls:
        outcome = calls.ask(CALL, (), {}, 5)
    assert isinstance(outcome, Raised) and outcome.kinds[:2] == ("KeyError", "LookupError")
    assert len(outcome.message) <= 200


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        ("nothing", "pass", "missing"),
        ("g", "def g(): raise NotImplementedError", "unsolved"),
        ("g", "def g():\n    while True: pass", "timeout"),
        ("g", "import os\ndef g(): os._exit(1)", "died"),
        ("g", "def g(): return [0] * 2_000_000", "malformed"),
    ],
)
def test_what_does_not_answer_has_a_reason(shared, name, source, reason):
    shared.run(source)
    with Calls(shared, name) as calls:
        assert calls.ask(CALL, (), {}, 0.5 if reason == "timeout" else 10) == NoAnswer(reason)
    shared.run("def f(): return 1")
    with Calls(shared, "f") as calls:
        assert calls.ask(CALL, (), {}, 5) == Returned(1)


def test_a_fresh_fork_may_load_what_the_last_one_had_loaded(shared):
    work = "while time.process_time() < until: pass"
    shared.run(f"import time\ndef load():\n    until = time.process_time() + 0.7\n    {work}")
    with Calls(shared, "load") as calls:
        for _ in range(2):
            assert calls.ask(CALL, (), {}, 0.2) == Returned(None)
            calls._drop()


def test_an_installation_fails_at_once(shared):
    said = printed(shared, "%pip install --no-input nothing-of-this-name")
    assert "No matching distribution" in said and "Retry" not in said


def test_a_cell_that_ends_the_process_has_used_its_time(session):
    with pytest.raises(Lost):
        session.run("import os, time\ntime.sleep(0.3)\nos._exit(0)")
    assert session.spent >= 0.2


def test_probing_prints_nothing_anywhere(shared, capfd):
    shared.run("import os\ndef loud(): print('x'); os.write(1, b'y'); os.write(2, b'z')")
    with Calls(shared, "loud") as calls:
        assert calls.ask(CALL, (), {}, 5) == Returned(None)
    assert printed(shared, "print('next')") == "next\n"
    assert capfd.readouterr() == ("", "")


def test_calls_are_fast(calls):
    started = time.process_time()
    for _ in range(1000):
        calls.ask(CALL, (1,), {}, 5)
    assert time.process_time() - started < 5  # 0.1 s of this process's


# Limits


def test_processes_are_limited(session):
    count = """
import os, time
n = 0
try:
    while n < 500:
        if os.fork() == 0:
            time.sleep(30); os._exit(0)
        n += 1
except OSError:
    pass
"""
    assert value(session, "n", count) < LIMITS.processes


def test_memory_of_one_process_is_limited(session):
    outputs = session.run("x = bytearray(3 * 2**30)").outputs
    assert outputs[0]["ename"] == "MemoryError"


@pytest.mark.parametrize("watched", [False, True])
def test_memory_of_all_processes_together_is_limited(monkeypatch, watched):
    if watched:
        monkeypatch.setattr(sandbox, "make_groups", lambda limits, slot: ())
    small = replace(LIMITS, memory_bytes=400 * 2**20, cell_seconds=20, session_seconds=30)
    hoard = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        x = bytearray(b'x') * (150 * 2**20); time.sleep(30)
deadline = time.time() + 8
while time.time() < deadline:
    time.sleep(0.1)
    if os.waitpid(-1, os.WNOHANG)[0]: break
else: raise RuntimeError('nobody was stopped')
"""
    with Session(SLUG, small, slot=3) as session:
        try:
            outputs = session.run(hoard).outputs
            assert outputs == []
        except Lost as lost:
            assert "memory" in lost.why or lost.reason == "died"


@pytest.mark.parametrize("watched", [False, True])
def test_memory_that_kept_states_share_is_counted_once(monkeypatch, watched):
    if watched:
        monkeypatch.setattr(sandbox, "make_groups", lambda limits, slot: ())
    small = replace(LIMITS, memory_bytes=400 * 2**20)
    with Session(SLUG, small, slot=3) as session:
        session.run("x = bytearray(b'x') * (150 * 2**20)\ndef f(): return len(x)")
        for number in range(8):
            session.keep(f"state {number}")
        time.sleep(0.5)
        with Calls(session, "f", kept="state 3") as calls:
            assert calls.ask(CALL, (), {}, 5) == Returned(150 * 2**20)


def test_a_kept_state_is_called_as_it_was(session):
    session.run("x = 1\ndef f(): return x")
    session.keep("then")
    session.run("x = 2")
    for kept, wanted in (("then", 1), ("", 2), ("never kept", 2), ("then", 1)):
        with Calls(session, "f", kept=kept) as calls:
            assert calls.ask(CALL, (), {}, 5) == Returned(wanted)


def test_a_kept_state_ends_with_its_calls_and_lives_on(session):
    session.run("import os, signal\ndef f(how): return os.getpid() if how == 0 else os._exit(1)")
    session.keep("state")
    with Calls(session, "f", kept="state") as calls:
        assert calls.ask(CALL, (1,), {}, 5) == NoAnswer("died")
        assert isinstance(calls.ask(CALL, (0,), {}, 5), Returned)


def test_disk_is_limited(session):
    fill = """
n = 0
try:
    with open('{}', 'wb') as f:
        while True: n += f.write(bytes(2**20))
except OSError: pass
"""
    for path in ("/tmp/x", "/dev/shm/x"):
        assert value(session, "n", fill.format(path)) <= LIMITS.tmp_bytes


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_a_million_files_end_the_sandbox(session, folder):
    with pytest.raises(Lost, match="5000 files"):
        session.run(f"for i in range(10**6): open(f'{folder}/{{i}}', 'w').close()")


def test_limits_cannot_be_raised(session):
    setup = """
import resource
def raised(name):
    try:
        resource.setrlimit(getattr(resource, f'RLIMIT_{name}'), (10**12, 10**12)); return True
    except (ValueError, OSError): return False
names = ['NPROC', 'DATA', 'NOFILE', 'FSIZE', 'CPU', 'CORE']
"""
    assert value(session, "[n for n in names if raised(n)]", setup) == []


def test_the_whole_session_is_limited():
    short = replace(LIMITS, cell_seconds=30, session_seconds=1)
    with Session(SLUG, short, slot=4) as session, pytest.raises(Lost) as caught:
        session.run("import time; time.sleep(600)")
    assert caught.value.whole


# Nothing stays


def test_nothing_stays_after_the_worst(tmp_path):
    limits = replace(LIMITS, open_files=251)  # nobody else has these
    mounts = Path("/proc/self/mountinfo").read_text()
    for source in (
        "import os\nwhile True: os.fork()",
        "import os\nos.setsid()\nos.fork()\nos.fork()",
    ):
        with Session(SLUG, limits, slot=5) as session, contextlib.suppress(Lost):
            assert runners(limits)
            session.run(source)
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert runners(limits) == set()
    assert control_groups(slot=5) == []


def test_a_killed_grader_takes_its_sandbox_along():
    script = f"""
import time
from autograder.sandbox.session import Session
from tests.submissions.toy import LIMITS
with Session({SLUG!r}, LIMITS, slot=6) as s:
    print(s.sandbox.runner, flush=True)
    s.run('import time; time.sleep(100)')
"""
    grader = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
    assert grader.stdout is not None
    pid = int(grader.stdout.readline())
    grader.send_signal(signal.SIGKILL)
    grader.wait()
    deadline = time.monotonic() + 60
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)


def test_descriptors_and_threads_do_not_pile_up():
    before, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(3):
        with Session(SLUG, LIMITS, slot=7) as session, Calls(session, "x") as calls:
            calls.ask(CALL, (), {}, 5)
    assert len(os.listdir("/proc/self/fd")) == before
    assert threading.active_count() <= threads


# Where it does not work


def test_without_bubblewrap_the_remedy_is_one_line(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(SandboxUnavailable, match="apt-get install bubblewrap"):
        sandbox.bubblewrap()
    assert "\n" not in str(sandbox.available())


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("bwrap: No permissions to create a new namespace", "sysctl"),
        ("bwrap: setting up uid map: Permission denied", "sysctl"),
        ("bwrap: Unknown option --disable-userns", "0.8"),
    ],
)
def test_a_blocked_or_old_bubblewrap_is_explained(tmp_path, monkeypatch, said, remedy):
    fake = tmp_path / "bwrap"
    fake.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(AutograderError, match=remedy):
        Sandbox(SLUG, LIMITS)


def test_a_sandbox_that_does_not_start_is_a_failure_of_ours(tmp_path, monkeypatch):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(AutograderError, match="did not start"):
        Sandbox(SLUG, LIMITS)


def test_control_groups_are_made_and_removed():
    groups = make_groups(LIMITS, 8)
    if not groups:
        pytest.skip("no control groups here")
    assert all(group.is_dir() for group in groups)
    remove_groups(groups)
    assert not any(group.exists() for group in groups)
