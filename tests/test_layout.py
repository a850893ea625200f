"""Rooms of a package import downwards only, in no circles; no module is named as a function;
docstrings have one mood and one kind of backticks.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent


class Package(NamedTuple):
    """A package whose rooms (folders, or modules beside them) are in order.

    `rooms`: those on the left of a < may be imported by those on the right of it; rooms parted by
    a comma know nothing of each other. `outside`: modules of the project that it may import.
    """

    name: str
    rooms: str
    outside: tuple[str, ...]


PACKAGES = (
    Package(
        "llmcourse",
        "arguments, notebook_file < runtime < plotting < text < world < models"
        " < training, inference < checks < commands",
        (),
    ),
    Package(
        "llmcourse.world",
        "engine < facts < story < language < chat < tasks < datasets",
        ("llmcourse.arguments", "llmcourse.text.corpora"),
    ),
    Package(
        "autograder",
        "errors < files, figures, judge < exercise < course < units"
        " < sandbox < grading < classroom < reports < verification < publishing < cli",
        ("llmcourse",),
    ),
)
PROJECT = ("llmcourse", "autograder", "benchmarks", "tests")
# Words that begin a noun phrase or a clause and that ruff's D401, which knows verbs, lets through.
NO_VERBS = {
    "all", "any", "as", "both", "by", "each", "every", "everything", "for", "how", "in", "nobody",
    "none", "nothing", "of", "on", "one", "somebody", "something", "two", "when", "where",
    "whether", "which", "who", "whom", "whose", "why", "with", "without",
}  # fmt: skip


def modules_of(root: Path, package: str) -> dict[str, Path]:
    """Every module of a package by its dotted name; a folder's is that of its __init__."""
    folder = root.joinpath(*package.split("."))
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    assert found, f"no module in {folder}"
    return found


def parsed(path: Path) -> ast.Module:
    return _parsed(path, path.stat().st_mtime_ns)


@cache
def _parsed(path: Path, _changed: int) -> ast.Module:
    return ast.parse(path.read_bytes())


def imports_of(module: str, path: Path) -> Iterator[str]:
    """The dotted names that a module imports, anywhere in it: `from a import b` is a.b."""
    inside = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = inside.split(".")[: len(inside.split(".")) - node.level + 1]
            start = ".".join([*(above if node.level else ()), *filter(None, [node.module])])
            yield from (f"{start}.{alias.name}" for alias in node.names)


def target(imported: str, modules: dict[str, Path]) -> str | None:
    """The module of the package that an import reaches: itself, or the one that has the name."""
    parent = imported.rpartition(".")[0]
    return next((name for name in (imported, parent) if name in modules), None)


def room_of(module: str, package: str) -> str:
    return module.removeprefix(package).strip(".").split(".")[0]


def upward_imports(root: Path, package: Package) -> list[str]:
    """What a room imports that is neither its own nor before it, nor allowed from outside."""
    levels = [level.split(", ") for level in package.rooms.split(" < ")]
    height = {room: i for i, level in enumerate(levels) for room in level}
    modules = modules_of(root, package.name)
    wrong = []
    for module, path in modules.items():
        room = room_of(module, package.name)
        for imported in imports_of(module, path):
            reached = target(imported, modules)
            if reached is None:
                ours = imported.split(".")[0] in PROJECT
                if ours and not f"{imported}.".startswith(tuple(f"{o}." for o in package.outside)):
                    wrong.append(f"{module} imports {imported}, from outside {package.name}")
            elif room:  # the face may import all
                other = room_of(reached, package.name)
                if other != room and not height.get(other, len(levels)) < height.get(room, -1):
                    wrong.append(f"{module} imports {reached}, which is not below {room}")
    return wrong


def unplaced(root: Path, package: Package) -> set[str]:
    """Rooms on disk that the order lacks, and rooms of the order that are not on disk."""
    there = {room_of(module, package.name) for module in modules_of(root, package.name)} - {""}
    return there ^ set(package.rooms.replace(" < ", ", ").split(", "))


def circle(root: Path, package: Package) -> list[str]:
    """Modules that import each other in a circle; empty where there is none."""
    modules = modules_of(root, package.name)
    graph = {
        module: {target(imported, modules) for imported in imports_of(module, path)}
        - {None, module}
        for module, path in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def exports(path: Path) -> set[str]:
    """The names that a module defines, or imports to hand on if it is the face of a folder."""
    found = set()
    for node in parsed(path).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            goals = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {n.id for goal in goals for n in ast.walk(goal) if isinstance(n, ast.Name)}
        elif isinstance(node, ast.ImportFrom) and path.name == "__init__.py":
            found |= {alias.asname or alias.name for alias in node.names}
    return found


def two_meanings(root: Path, package: Package) -> set[str]:
    """Modules named as something that they define or that the face of the package hands on."""
    modules = modules_of(root, package.name)
    face = exports(modules[package.name])
    return {
        module
        for module, path in modules.items()
        if module != package.name
        if (name := module.rpartition(".")[2]) in face or name in exports(path)
    }


def docstrings(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Each module, class and function that has a docstring, with it."""
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(tree):
        if isinstance(node, documented) and (text := ast.get_docstring(node)):
            yield node, text


def double_backticks(tree: ast.Module) -> list[str]:
    return [text for _, text in docstrings(tree) if "``" in text]


def without_verb(tree: ast.Module) -> list[str]:
    """First lines of functions, not of properties, that begin with one of NO_VERBS or no word."""
    return [
        text.splitlines()[0]
        for node, text in docstrings(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not any("property" in ast.unparse(by) for by in node.decorator_list)
        and (not (word := text.split()[0].strip(",:;.")).isalpha() or word.lower() in NO_VERBS)
    ]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_rooms_import_downwards_only(package):
    assert unplaced(ROOT, package) == set()
    assert upward_imports(ROOT, package) == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_no_modules_import_each_other_in_a_circle(package):
    assert circle(ROOT, package) == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_no_name_is_both_a_module_and_what_it_exports(package):
    assert two_meanings(ROOT, package) == set()


@pytest.mark.parametrize("package", PROJECT)
def test_docstrings_have_single_backticks(package):
    found = {
        name: double_backticks(parsed(path)) for name, path in modules_of(ROOT, package).items()
    }
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize("package", ["llmcourse", "autograder"])
def test_docstrings_of_functions_begin_with_a_verb(package):
    found = {name: without_verb(parsed(path)) for name, path in modules_of(ROOT, package).items()}
    assert {name: texts for name, texts in found.items() if texts} == {}


# --- the checks find what they are for --------------------------------------------------------

TOY = Package("toy", "low < left, right < top", ("llmcourse.arguments",))
GOOD = {
    "__init__": "from toy.top.roof import build",
    "low/__init__": "",
    "low/floor": "from llmcourse.arguments import shown\nimport os\nPLAN = 1",
    "left/__init__": "",
    "left/wall": "from toy.low.floor import PLAN\nfrom . import door",
    "left/door": "from ..low import floor",
    "right": "import toy.low.floor",
    "top/__init__": "",
    "top/roof": "from toy import right\nfrom toy.left import wall\ndef build(): pass",
}


def toy(root, **changed):
    for name, text in (GOOD | changed).items():
        path = root / "toy" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_sound_package_passes(tmp_path):
    root = toy(tmp_path)
    assert unplaced(root, TOY) == set()
    assert upward_imports(root, TOY) == []
    assert circle(root, TOY) == []
    assert two_meanings(root, TOY) == set()


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("low/floor", "import toy.top.roof"),
        ("low/floor", "def late():\n    from toy.top import roof"),
        ("low/floor", "from toy.top.roof import build"),
        ("low/floor", "from ..top import roof"),
        ("left/wall", "from toy import right"),
        ("right", "from .left.wall import door"),
        ("top/roof", "from toy import build"),
        ("low/floor", "from llmcourse.runtime import setup"),
        ("low/floor", "from llmcourse import argumentsbeside"),
    ],
)
def test_an_import_that_goes_up_is_found(tmp_path, module, text):
    (found,) = upward_imports(toy(tmp_path, **{module: text}), TOY)
    assert found.startswith(f"toy.{module.replace('/', '.')} imports ")


def test_a_room_without_a_place_and_a_place_without_a_room_are_found(tmp_path):
    assert unplaced(toy(tmp_path, **{"cellar/wine": ""}), TOY) == {"cellar"}
    assert unplaced(tmp_path, TOY._replace(rooms="low < left < right < top < sky")) == {
        "cellar", "sky"
    }  # fmt: skip


def test_a_circle_within_a_room_is_found(tmp_path):
    root = toy(tmp_path, **{"left/door": "from toy.left.wall import x"})
    assert set(circle(root, TOY)) == {"toy.left.wall", "toy.left.door"}


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("low/floor", "def floor(): pass"),
        ("low/floor", "class floor: pass"),
        ("low/floor", "floor: int = 1"),
        ("left/__init__", "from toy.left.wall import left"),
        ("low/build", ""),
    ],
)
def test_a_module_named_as_a_function_is_found(tmp_path, module, text):
    (found,) = two_meanings(toy(tmp_path, **{module: text}), TOY)
    assert found == f"toy.{module.replace('/', '.')}".removesuffix(".__init__")


def test_double_backticks_in_a_docstring_are_found_and_elsewhere_are_not():
    tree = ast.parse('class A:\n    def f(self):\n        """Return `x`, not ``x``."""\n')
    assert double_backticks(tree) == ["Return `x`, not ``x``."]
    assert double_backticks(ast.parse('FENCE = "```"\ndef f():\n    """Return `x`."""\n')) == []


@pytest.mark.parametrize(
    ("docstring", "verb"),
    [
        ("Return the id of each byte.", True),
        ("Kill, and return when all is gone.", True),
        ("Whether it ends.", False),
        ("How often it came.", False),
        ("`n` pairs.", False),
        ("(centre, context) of a text.", False),
        ("3CosAdd.", False),
    ],
)
def test_a_docstring_without_a_verb_is_found_where_ruff_finds_none(docstring, verb):
    function = f'def f():\n    """{docstring}"""\n'
    assert without_verb(ast.parse(function)) == ([] if verb else [docstring])
    assert without_verb(ast.parse(f"@property\n{function}")) == []
