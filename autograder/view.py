"""What can be seen inside a sandbox: the system, this Python, and the part of `llmcourse` a unit
may use.

A module whose docstring ends in `unit: NN_slug` belongs to that unit and is seen while later ones
are graded; the visible checks `checks/uNN_*` are seen by their own unit, too; everything else by
all. Never seen: `autograder`, the course with its solutions, what an editable installation left,
`/etc`, homes.
"""

import ast
import functools
import os
import site
import sys
from collections.abc import Iterator
from pathlib import Path

from autograder import frames, outputs, runner, shell, wire

PACKAGE = "/course"  # where `llmcourse` lies inside, the one entry of PYTHONPATH
RUNNER = "/runner"
MASKED = ("llmcourse", "autograder", "__editable__")  # parts of names hidden in site-packages
EXCHANGE = Path("/usr/local/share/nbgrader")  # where nbgrader puts what others hand in
SYSTEM = ("lib", "lib32", "lib64", "bin", "sbin")


@functools.lru_cache(maxsize=8)
def layout(unit: str) -> list[str]:
    """bubblewrap's arguments for the read-only view: system, Python, the unit's `llmcourse`, the
    runner.
    """
    roots = _python_roots()
    course = Path(__file__).resolve().parent.parent
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
        if any(other in course.parents for other in [root]):
            words += ["--ro-bind", str(root), str(root), "--tmpfs", str(course)]
        elif not any(other in root.parents and other not in course.parents for other in roots):
            words += [*_parents(root), "--ro-bind", str(root), str(root)]
    words += ["--dir", "/etc"]
    for extra in ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives"):
        words += ["--ro-bind-try", f"/etc/{extra}", f"/etc/{extra}"]
    words += _masks(roots)
    for here, there in package_files(unit):
        words += _bind(here, there)
    for module in (runner, shell, wire, frames, outputs):
        words += _bind(Path(str(module.__file__)), f"{RUNNER}/{Path(str(module.__file__)).name}")
        compiled = Path(str(module.__cached__))
        if compiled.is_file():
            words += _bind(compiled, f"{RUNNER}/__pycache__/{compiled.name}")
    words += _font_cache()
    return [*words, "--dir", "/tmp", "--dir", "/proc", "--dir", "/dev"]


def under_tmp() -> list[str]:
    """Arguments that bind again what a fresh /tmp hides, where this Python lies there."""
    hidden = [root for root in _python_roots() if Path("/tmp") in root.parents]
    return [word for root in hidden for word in _bind(root, str(root))]


def shows(path: Path) -> bool:
    """Whether a submission has this path, or what lies there, before its eyes."""
    home = Path(__file__).resolve().parent.parent
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
    """Prefixes of this Python, and of every hop of the symbolic links that lead to its binary."""
    roots = [Path(sys.prefix), Path(sys.base_prefix)]
    hop = Path(sys.executable)
    while hop.is_symlink():
        hop = Path(os.path.normpath(hop.parent / os.readlink(hop)))
        if hop.parent.name == "bin":
            roots.append(hop.parent.parent)
    return [root for root in dict.fromkeys(roots) if root != Path("/")]


def _masks(roots: list[Path]) -> list[str]:
    """Cover nbgrader's exchange, and what installations of the project left in site-packages."""
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
    """matplotlib's list of fonts, where there is one: making it takes a second a sandbox."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matplotlib"
    lists = sorted(home.glob("fontlist-v*.json")) if home.is_dir() else []
    return [word for path in lists for word in ("--ro-bind", str(path), f"{RUNNER}/{path.name}")]


def package_files(unit: str) -> Iterator[tuple[Path, str]]:
    """(file here, path inside) of the modules of `llmcourse` that a learner of `unit` may use.

    A module whose docstring ends in `unit: NN_slug` belongs to that unit and is seen by later ones
    only; the visible checks `checks/uNN_*` are seen by their own unit too; everything else is seen
    by all.
    """
    import llmcourse

    top = Path(next(iter(llmcourse.__path__))).resolve()
    yield from _seen(top, f"{PACKAGE}/llmcourse", unit)


def _seen(folder: Path, inside: str, unit: str) -> Iterator[tuple[Path, str]]:
    if not _allowed(folder / "__init__.py", unit):
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != "__pycache__":
            yield from _seen(path, f"{inside}/{path.name}", unit)
        elif path.suffix == ".py" and _allowed(path, unit):
            yield path, f"{inside}/{path.name}"
            compiled = folder / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
            if compiled.is_file():
                yield compiled, f"{inside}/__pycache__/{compiled.name}"
        elif path.is_file() and path.suffix not in (".py", ".pyc"):
            yield path, f"{inside}/{path.name}"


def _allowed(module: Path, unit: str) -> bool:
    if not module.is_file():
        return True  # a folder of data
    if module.parent.name == "checks" and module.stem != "__init__":
        return module.stem <= f"u{unit}"
    doc = ast.get_docstring(ast.parse(module.read_bytes())) or ""
    last = doc.strip().rsplit("\n", 1)[-1].strip()
    return not last.startswith("unit:") or last.removeprefix("unit:").strip()[:2] < unit[:2]
