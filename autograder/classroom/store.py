"""The result store: files with the results of grading, from which any gradebook can be rebuilt.

`results/<key>.json` holds one Result. Its key is a hash of everything that it depends on: the
submission's bytes, the unit's tests and released notebook, the course secret, the code that grades,
and the environment. A file appears whole or not at all, also when several processes write it.
Nothing here needs nbgrader, which takes seconds to import, so workers start at once.
"""

import ast
import hashlib
import importlib.metadata
import json
import platform
import sys
from functools import cache
from pathlib import Path

from autograder.course import Unit
from autograder.files import write_durably
from autograder.grading.result import Result
from autograder.sandbox.limits import Limits

PACKAGES = ("numpy", "torch", "ipython")  # their versions can change a result
HERE = Path(__file__).parents[1]


def load_result(root: Path, key: str) -> Result | None:
    """Return the stored result, or None if it is missing or damaged (it is then graded again)."""
    try:
        return Result.from_json((root / "results" / f"{key}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save_result(root: Path, key: str, result: Result) -> None:
    """Store a result; it is on the disk when this returns."""
    write_durably(root / "results" / f"{key}.json", result.to_json().encode())


# What a result depends on


def result_key(submission: bytes, unit: Unit, secret: bytes, limits: Limits) -> str:
    """Hash everything a result depends on into 64 hex digits."""
    parts = [
        hashlib.sha256(submission).hexdigest(),
        unit.slug,
        unit.tests_version,
        hashlib.sha256(json.dumps(unit.released, sort_keys=True).encode()).hexdigest(),
        repr(unit.info),
        hashlib.sha256(b"id of " + secret).hexdigest(),
        repr(limits),
        grader_version(),
        environment(),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@cache
def grader_version() -> str:
    """Hash the code that grades and the package beside the submission."""
    digest = hashlib.sha256()
    for file in sorted([*modules_of("grading.result"), *package_files()]):
        digest.update(str(file.relative_to(HERE.parent)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def package_files() -> list[Path]:
    """Return the modules, texts and other data of the package beside the submission."""
    files = (HERE.parent / "llmcourse").rglob("*")
    return sorted(path for path in files if path.is_file() and "__pycache__" not in path.parts)


def modules_of(name: str) -> list[Path]:
    """Return a module's file and those of all that it imports from its package, directly or not.

    name: without the package, as `grading.result`. Raises FileNotFoundError if there is no such
    module.
    """
    first = _file(name)
    if not first.is_file():
        raise FileNotFoundError(f"no module {name} in {HERE}")
    found, todo = set[Path](), [first]
    while todo:
        path = todo.pop()
        if path in found or not path.is_file():
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module:
                package, _, inside = node.module.partition(".")
                if package == "autograder":  # what is imported is a module or a name in one
                    todo += [_file(inside), *(_file(f"{inside}.{a.name}") for a in node.names)]
    return sorted(found)


def _file(name: str) -> Path:
    return HERE.joinpath(*filter(None, name.split("."))).with_suffix(".py")


@cache
def environment() -> str:
    """Return the Python, machine and package versions that results can depend on."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    return ", ".join([f"python {sys.version.split()[0]}", platform.machine(), *versions])
