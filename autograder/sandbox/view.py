"""What can be seen inside a sandbox: the system, this Python, and a part of `llmcourse`.

A module whose docstring has the line `unit: NN_slug` belongs to that unit and is visible while
later units are graded; modules in `SHARED` are always visible. Any other is replaced by a stand-in
that can be imported and computes nothing (`stand_in.py`). So no right formula of the unit is
inside, and a new module is hidden until it names its unit. Visible checks are always stand-ins: the
grader judges them outside. What is visible of `llmcourse` is copied once a process and mounted as
one folder: a mount for each file would take longer than all else at a start. Never visible:
`autograder`, the course with its solutions, traces of an editable installation, `/etc` but for what
loading libraries needs, homes.
"""

import ast
import atexit
import contextlib
import functools
import glob
import os
import re
import shutil
import site
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from autograder.sandbox import frames, outputs, runner, shell, wire

PACKAGE = "/course"  # where `llmcourse` lies inside, the one entry of PYTHONPATH
RUNNER = "/runner"
MASKED = ("llmcourse", "autograder", "__editable__")  # parts of names hidden in site-packages
EXCHANGE = Path("/usr/local/share/nbgrader")  # where nbgrader puts what others hand in
# modules, folders and data of `llmcourse` that hold nothing an exercise asks for
SHARED = (
    "__init__.py",
    "arguments.py",
    "runtime.py",
    "text/__init__.py",
    "text/corpora.py",
    "models/__init__.py",
    "training/__init__.py",
    "inference/__init__.py",
    "commands/__init__.py",
    "plotting",
    "world",
    "ladder.json",
    "bpe_recorded.json",
    "gpt2_recorded",
)
STAND_IN = Path(__file__).with_name("stand_in.py")
SYSTEM = ("lib", "lib32", "lib64", "bin", "sbin")


@functools.lru_cache(maxsize=32)
def layout(unit: str) -> list[str]:
    """Return bubblewrap's arguments for the read-only view.

    It holds the system, this Python, the `llmcourse` of the unit, and the runner.
    """
    roots = _python_roots()
    course = Path(__file__).resolve().parents[2]
    words: list[str] = []
    for name in SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            words += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            roots.append(path)
    if Path("/usr") not in roots:
        roots.append(Path("/usr"))
    roots.sort(key=lambda path: len(path.parts))
    for root in roots:
        if root in course.parents:
            words += ["--ro-bind", str(root), str(root), "--tmpfs", str(course)]
        elif not any(other in root.parents and other not in course.parents for other in roots):
            words += [*_parents(root), "--ro-bind", str(root), str(root)]
    words += ["--dir", "/etc"]
    for extra in ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives"):
        words += ["--ro-bind-try", f"/etc/{extra}", f"/etc/{extra}"]
    words += _masks(roots)
    words += _package(unit)
    for module in (runner, shell, wire, frames, outputs):
        words += _bind(Path(str(module.__file__)), f"{RUNNER}/{Path(str(module.__file__)).name}")
        compiled = Path(str(module.__cached__))
        if compiled.is_file():
            words += _bind(compiled, f"{RUNNER}/__pycache__/{compiled.name}")
    words += _font_cache()
    return [*words, "--dir", "/tmp", "--dir", "/proc", "--dir", "/dev"]


def intact_layout(unit: str) -> list[str]:
    """Return the layout, made again if files of its copy are gone: programs clean /tmp by age."""
    words = layout(unit)
    if not all(path.exists() for path in _copied[unit]):
        layout.cache_clear()
        words = layout(unit)
    return words


_copied: dict[str, list[Path]] = {}  # the files of each unit's last copy


def _package(unit: str) -> list[str]:
    """Copy what the unit sees of `llmcourse`, and return the arguments that show the copy."""
    if not _copies(os.getpid()).is_dir():
        _copies.cache_clear()
    top = Path(tempfile.mkdtemp(dir=_copies(os.getpid())))
    words, _copied[unit] = _bind(top, f"{PACKAGE}/llmcourse"), []
    for here, there in package_files(unit):
        if not there.startswith(f"{PACKAGE}/llmcourse/"):
            words += _bind(here, there)
            continue
        copy = top / Path(there).relative_to(f"{PACKAGE}/llmcourse")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(here, copy)  # with its time, by which compiled files know it
        _copied[unit].append(copy)
    for path in (top, *top.rglob("*")):  # read by another user, whatever the rights of the clone
        path.chmod(0o755 if path.is_dir() else 0o644)
    return words


@functools.cache
def _copies(process: int) -> Path:
    """Return the folder for the copies of this process; remove those of killed ones."""
    begin = f"llmcourse-view-{socket.gethostname()}-"
    for old in Path(tempfile.gettempdir()).glob(f"{glob.escape(begin)}*"):
        with contextlib.suppress(OSError):
            gone = not Path("/proc", old.name.rsplit("-", 2)[1]).exists()
            if gone and old.stat().st_uid == os.geteuid():
                shutil.rmtree(old, ignore_errors=True)
    folder = tempfile.mkdtemp(prefix=f"{begin}{process}-")
    atexit.register(_remove, folder, process)
    return Path(folder)


def _remove(folder: str, process: int) -> None:
    if os.getpid() == process:  # and not a fork of it
        shutil.rmtree(folder, ignore_errors=True)


def under_tmp() -> list[str]:
    """Return the arguments that show this Python again where it lies under /tmp."""
    hidden = [root for root in _python_roots() if Path("/tmp") in root.parents]
    return [word for root in hidden for word in _bind(root, str(root))]


def shows(path: Path) -> bool:
    """Say whether a submission could read this path."""
    home = Path(__file__).resolve().parents[2]
    seen = [*_python_roots(), Path("/usr"), *(Path("/", name) for name in SYSTEM)]
    above = [path.resolve(), *path.resolve().parents]
    nearest = next((one for one in above if one == home or one in seen), home)
    return nearest != home or home in seen


def _bind(here: Path, there: str) -> list[str]:
    return [*_parents(Path(there)), "--ro-bind", str(here), there]


def _parents(path: Path) -> list[str]:
    """Make the folders above readable by all (bubblewrap would make them mode 700)."""
    above = [str(parent) for parent in reversed(path.parents) if len(parent.parts) > 1]
    return [word for parent in above for word in ("--dir", parent)]


def _python_roots() -> list[Path]:
    """Return the prefixes of this Python, and of every symbolic link that leads to its binary."""
    roots = [Path(sys.prefix), Path(sys.base_prefix)]
    hop = Path(sys.executable)
    while hop.is_symlink():
        hop = Path(os.path.normpath(hop.parent / os.readlink(hop)))
        if hop.parent.name == "bin":
            roots.append(hop.parent.parent)
    return [root for root in dict.fromkeys(roots) if root != Path("/")]


def _masks(roots: list[Path]) -> list[str]:
    """Hide nbgrader's exchange, and what installations of the project left in site-packages."""
    words = ["--tmpfs", str(EXCHANGE)] if EXCHANGE.is_dir() else []
    for folder in dict.fromkeys(map(Path, [*sys.path, *site.getsitepackages()])):
        if folder.is_dir() and any(root == folder or root in folder.parents for root in roots):
            for entry in sorted(folder.iterdir()):
                if any(part in entry.name.lower() for part in MASKED):
                    words += (
                        ["--tmpfs", str(entry)]
                        if entry.is_dir()
                        else ["--ro-bind", "/dev/null", str(entry)]
                    )
    return words


def _font_cache() -> list[str]:
    """Return matplotlib's list of fonts, where there is one: making it takes a second a sandbox."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matplotlib"
    lists = sorted(home.glob("fontlist-v*.json")) if home.is_dir() else []
    return [word for path in lists for word in ("--ro-bind", str(path), f"{RUNNER}/{path.name}")]


def package_files(unit: str) -> Iterator[tuple[Path, str]]:
    """Yield (file here, path inside) of `llmcourse` as a submission of `unit` sees it."""
    import llmcourse
    from llmcourse import checks

    top = Path(next(iter(llmcourse.__path__))).resolve()
    inside = f"{PACKAGE}/llmcourse"
    for path in sorted(top.rglob("*")):
        name = path.relative_to(top)
        if not path.is_file() or "__pycache__" in name.parts:
            continue
        if path.suffix == ".py" and not _shown(path, top, unit):
            yield STAND_IN, f"{inside}/{name}"
        elif path.suffix == ".py":
            yield path, f"{inside}/{name}"
            compiled = Path("__pycache__", f"{path.stem}.{sys.implementation.cache_tag}.pyc")
            if (path.parent / compiled).is_file():
                yield path.parent / compiled, f"{inside}/{name.parent / compiled}"
        elif _is_shared(name):
            yield path, f"{inside}/{name}"
    for folder in list(checks.__path__)[1:]:  # what a course has added
        for path in sorted(Path(folder).glob("*.py")):
            yield STAND_IN, f"{inside}/checks/{path.name}"


def hidden(unit: str) -> Iterator[tuple[Path, str]]:
    """Yield (file here, dotted name) of `llmcourse` modules that `unit` gets stand-ins for."""
    import llmcourse

    top = Path(next(iter(llmcourse.__path__))).resolve()
    for path in sorted(top.rglob("*.py")):
        if not _shown(path, top, unit):
            dotted = ".".join((top.name, *path.relative_to(top).with_suffix("").parts))
            yield path, dotted.removesuffix(".__init__")


def newest_unit() -> str:
    """Return a slug with the number of the last unit that has a module: it sees the most."""
    import llmcourse

    modules = Path(next(iter(llmcourse.__path__))).resolve().rglob("*.py")
    return f"{max((unit_of(module) or 0 for module in modules), default=0):02}_"


def _shown(module: Path, top: Path, unit: str) -> bool:
    """Say whether a module is visible, not replaced by a stand-in, while `unit` is graded."""
    name = module.relative_to(top)
    if name.parts[0] == "checks":
        return False
    owner = unit_of(module)
    return _is_shared(name) if owner is None else owner < _number(unit)


def _is_shared(name: Path) -> bool:
    return any(name == Path(shared) or Path(shared) in name.parents for shared in SHARED)


def unit_of(module: Path) -> int | None:
    """Return the number of the unit that a module says it belongs to, None where it names no unit.

    A line `unit:` without a number means a unit after all others, so that the module stays hidden.
    """
    return _unit_of(module, module.stat().st_mtime_ns)


@functools.lru_cache(maxsize=1000)
def _unit_of(module: Path, _changed: int) -> int | None:
    source = module.read_bytes()
    if b"unit:" not in source.lower():  # most modules: to parse them all takes a while
        return None
    doc = ast.get_docstring(ast.parse(source)) or ""
    named = [line.strip() for line in doc.splitlines() if line.strip().lower().startswith("unit:")]
    return max((_number(line[5:].strip(), otherwise=10**6) for line in named), default=None)


def _number(slug: str, otherwise: int = 0) -> int:
    """Return 7 for "07_attention"; a slug without a number comes before all units."""
    found = re.match(r"(\d+)(?!\d)(?=_|$)", slug)
    return int(found[1]) if found else otherwise
