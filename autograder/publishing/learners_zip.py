"""The learners' zip: released notebooks, the package, the environment and a README of their own.

It holds no solution, hidden test, test, secret or grade: notebooks are made by a fresh release, of
the package only what an installation would copy is taken, and nothing else of the course directory
is read. The same sources give the same bytes on every machine: names are sorted, times and modes
are fixed, and nothing is compressed.
"""

import fnmatch
import io
import json
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import llmcourse
from autograder.course import UnitInfo, read_info, slugs
from autograder.errors import AutograderError
from autograder.files import write_durably
from autograder.publishing.notebooks import release

HOME = Path(llmcourse.__file__).parent.parent  # the clone that the package is used from
FOLDER = "llm-course"  # what the zip unpacks to
MARKS = ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME")
NEVER = (".py", ".toml", ".db")  # not in a released unit

README = """# A course on language models

Notebooks about language models. You read, you fill in functions, and each notebook shows you what
your code has learned.

## Start

You need Python {python} and about 2 GB of disk (more where torch comes with CUDA). In this folder,
once:

    python3 -m venv .venv
    .venv/bin/pip install --editable .

and each time you work:

    .venv/bin/llmcourse lab

On Windows write `py -m venv .venv` and `.venv\\Scripts\\` in place of `.venv/bin/`. With conda:
`conda env create -f environment.yml`, `conda activate llmcourse`, `llmcourse lab`.

## Units

| unit | question | your minutes | points |
|---|---|---|---|
{units}

Replace each `raise NotImplementedError("your turn")` by your answer. The cell below it checks the
answer and says in one line what is wrong; three hints open one by one. An exercise you skip blocks
nothing. The points come from further tests on other inputs, and from a person who reads your
written answer.

    .venv/bin/llmcourse check {first}      runs all checks of a notebook
    .venv/bin/llmcourse progress      shows what you have written so far, and what comes next

Hand in the notebook itself under its own name, such as `{slug}.ipynb`. Only your answers and the
cells you add are used; outputs need not be in it.
"""

PYPROJECT = """[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[project]
name = {name}
version = {version}
description = {description}
requires-python = {python}
dependencies = {dependencies}

[project.scripts]
llmcourse = "llmcourse.commands.cli:main"

[tool.setuptools.packages.find]
include = ["llmcourse*"]

[tool.setuptools.package-data]
llmcourse = {data}
"""


def bundle(root: Path, notebooks: Sequence[str], path: Path, hints: int = 3) -> Path:
    """Write the zip with these notebooks (slugs) and return its path.

    root: course directory; hints: levels to keep, 0 to 3. Raises AutograderError for a unit that is
    not built, and for a file that could hold a solution.
    """
    infos = [read_info(root, slug) for slug in slugs(root) if slug in notebooks]
    if not infos:
        raise AutograderError("a bundle needs at least one unit with exercises: name one")
    with tempfile.TemporaryDirectory() as folder:
        for slug in notebooks:
            release(root, slug, target=Path(folder), hints=hints)
        course = {f"course/{name}": content for name, content in _files(Path(folder))}
    for name, content in course.items():
        _refuse_leaks(name, content)
    about = _project()
    files = course | dict(_package(about)) | _around(about, infos)
    write_durably(path, _zipped({f"{FOLDER}/{name}": files[name] for name in sorted(files)}))
    return path


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield regular files under a folder by relative name; leave hidden ones, caches, links out."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        if path.is_file() and not path.is_symlink() and not hidden:
            yield name.as_posix(), path.read_bytes()


def _refuse_leaks(name: str, content: bytes) -> None:
    problem = next((mark for mark in MARKS if mark.encode() in content), None)
    if problem or name.endswith(NEVER):
        raise AutograderError(
            f"{name} is nothing for learners ({problem or 'source or data of the instructor'}): "
            "is CourseDirectory.ignore in nbgrader_config.py as it was delivered?"
        )


def _project() -> dict[str, Any]:
    try:
        return tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AutograderError(
            f"no {HOME / 'pyproject.toml'}: a bundle is made from a clone of the course"
        ) from None


def _data_globs(about: dict[str, Any]) -> list[str]:
    return list(about["tool"]["setuptools"]["package-data"]["llmcourse"])


def _package(about: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield the modules of the package and the data that its pyproject.toml declares."""
    wanted = ["*.py", *_data_globs(about)]
    for name, content in _files(HOME / "llmcourse"):
        if any(fnmatch.fnmatch(name, pattern) for pattern in wanted):
            yield f"llmcourse/{name}", content


def _around(about: dict[str, Any], infos: Sequence[UnitInfo]) -> dict[str, bytes]:
    """Return README, pyproject.toml, environment.yml and LICENSE."""
    project = about["project"]
    fields = {
        "name": project["name"],
        "version": project["version"],
        "description": project["description"],
        "python": project["requires-python"],
        "dependencies": project["dependencies"],
        "data": _data_globs(about),
    }
    quoted = {key: json.dumps(value, ensure_ascii=False) for key, value in fields.items()}
    rows = [
        f"| `{info.slug}` | {info.question} | {info.minutes['learner']} | {info.points} |"
        for info in infos
    ]
    readme = README.format(
        python=fields["python"],
        units="\n".join(rows),
        first=infos[0].slug[:2],
        slug=infos[0].slug,
    )
    made = {"README.md": readme.encode(), "pyproject.toml": PYPROJECT.format(**quoted).encode()}
    return made | {name: (HOME / name).read_bytes() for name in ("LICENSE", "environment.yml")}


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()
