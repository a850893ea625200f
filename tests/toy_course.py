"""A course of one small unit in a directory of its own, for tests of the instructor's side.

Six one-line exercises of 15 points and a written answer; hidden tests and visible checks are
written beside it and put on the packages' paths by the toy's nbgrader_config.py, so subprocesses
see them, too.
"""

import atexit
import functools
import json
import shutil
import tempfile
import textwrap
from pathlib import Path

from autograder.classroom.room import Classroom
from autograder.files import write_durably
from autograder.publishing.notebooks import expand, release

ROOT = Path(__file__).parent.parent
SLUG = "90_toy"
SOLUTIONS = {  # name: (arguments, body, a hidden call, its value)
    "add": ("a, b", "return a + b", "(2, 40)", "42"),
    "double": ("x", "return 2 * x", "(21,)", "42"),
    "join": ("words", 'return " ".join(words)', '(["a", "bc"],)', '"a bc"'),
    "longest": ("words", "return max(words, key=len)", '(["a", "bcd", "ef"],)', '"bcd"'),
    "count": ("words", "return {w: words.count(w) for w in words}", '(["a", "a"],)', '{"a": 2}'),
    "mean": ("numbers", "return sum(numbers) / len(numbers)", "([1.0, 4.0],)", "2.5"),
}
WRITTEN = "why"
PATHS = "toy_paths.py"  # a script that makes the hidden tests importable, in workers, too


def build(root: Path) -> Path:
    """Write the course to `root` and return it."""
    shutil.copytree(_template(), root, dirs_exist_ok=True)
    return root


@functools.cache
def _template() -> Path:
    """The course, made once a process; no cell is executed."""
    root = Path(tempfile.mkdtemp(prefix="toy-course-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    source = root / "solutions" / SLUG
    write_durably(source / "unit.toml", _unit_toml())
    write_durably(source / f"{SLUG}.py", _notebook_source())
    write_durably(root / "hidden" / f"u{SLUG}.py", _hidden_tests())
    write_durably(root / "visible" / f"u{SLUG}.py", _visible_checks())
    paths = """
    from pathlib import Path

    import autograder.units
    import llmcourse.checks

    for package, folder in ((autograder.units, "hidden"), (llmcourse.checks, "visible")):
        if folder not in {Path(path).name for path in package.__path__}:
            package.__path__.append(str(Path(__file__).parent / folder))
    """
    write_durably(root / PATHS, textwrap.dedent(paths))
    config = (ROOT / "nbgrader_config.py").read_text()
    find = f"run_path(str(Path(__file__).with_name({PATHS!r})))"
    config += f"\nfrom pathlib import Path\nfrom runpy import run_path\n\n{find}\n"
    write_durably(root / "nbgrader_config.py", config)
    write_durably(source / f"{SLUG}.ipynb", json.dumps(expand(root, SLUG)))
    release(root, SLUG)
    Classroom.open(root).book().close()  # an empty gradebook: nbgrader takes seconds to make one
    return root


def notebook(root: Path, **answers: str) -> dict:
    """The released notebook with these bodies in place of stubs; `why` is the written answer."""
    book = json.loads((root / "course" / SLUG / f"{SLUG}.ipynb").read_text())
    for cell in book["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name == WRITTEN and name in answers:
            cell["source"] = answers[name]
        elif name in answers:
            cell["source"] = f"def {name}({SOLUTIONS[name][0]}):\n    {answers[name]}\n"
    return book


def solved(root: Path, **changes: str) -> dict:
    """All six right, but for the changes."""
    return notebook(root, **{name: s[1] for name, s in SOLUTIONS.items()} | changes)


def submit(root: Path, student: str, book: dict | str) -> Path:
    """Put a notebook under submitted/ and return its path."""
    path = root / "submitted" / student / SLUG / f"{SLUG}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(book if isinstance(book, str) else json.dumps(book))
    return path


def cell(book: dict, grade_id: str) -> dict:
    """The cell of this grade_id."""
    cells = book["cells"]
    return next(c for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


def _unit_toml() -> str:
    unit = '[unit]\ntitle = "Toys"\nquestion = "?"\nprerequisites = []\n'
    unit += "minutes = {learner = 1, cpu = 1, gpu = 1}\n"
    for name in SOLUTIONS:
        unit += f'[[exercise]]\nid = "{name}"\ntitle = "{name}"\npoints = 15\nminutes = 1\n'
        unit += 'difficulty = 1\nprerequisites = []\nhints = ["a", "b", "c"]\n'
    for name in ("q1", "q2", "q3"):
        choice = '{text = "a", right = true, because = "."}'
        unit += f'[[question]]\nid = "{name}"\ntext = "?"\nchoices = [{choice}]\n'
    return unit + f'[written]\nid = "{WRITTEN}"\ntitle = "Why"\npoints = 10\nminutes = 1\n'


def _notebook_source() -> str:
    cells = ["# %% [markdown]\n# # Toys\n"]
    for name, (arguments, body, *_) in SOLUTIONS.items():
        cells += [
            f'# %% [markdown] exercise="{name}"\n# Write `{name}`.\n',
            f'# %% exercise="{name}"\ndef {name}({arguments}):\n'
            f"    ### BEGIN SOLUTION\n    {body}\n    ### END SOLUTION\n",
            f'# %% check="{name}"\ncheck.{name}({name});\n',
        ]
    cells.append(
        f'# %% [markdown] written="{WRITTEN}"\n# Why?\n#\n# ### BEGIN SOLUTION\n# Because.\n#\n'
        "# ### BEGIN MARK SCHEME\n# 10 points\n# ### END MARK SCHEME\n# ### END SOLUTION\n"
    )
    return "\n".join(cells)


def _hidden_tests() -> str:
    text = "from autograder.exercise import Exercise, expect_equal\n\n"
    for name, (_, _, call, value) in SOLUTIONS.items():
        text += (
            f'{name} = Exercise("{name}")\n\n\n'
            f'@{name}.case(weight=2, property="the value of {name} on other inputs")\n'
            f"def {name}_core(rng):\n"
            f'    yield {call}, expect_equal({value}, hint="read <b>{name}</b> again")\n\n\n'
        )
    return text


def _visible_checks() -> str:
    text = "from llmcourse.checks import equal, visible\n\n"
    for name, (_, _, call, value) in SOLUTIONS.items():
        body = f'equal(answer(*{call}), {value}, "see the text")'
        text += f"@visible\ndef {name}(answer):\n    {body}\n\n\n"
    return text
