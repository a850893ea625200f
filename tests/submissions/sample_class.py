"""A class that contains cheats: `python -m tests.submissions.sample_class build/class`.

Writes a self-contained course directory (solutions, released units, nbgrader_config.py) with one
submission a student and unit; every student is a function below. `expected` says what each must
score. It works for any unit that has right and wrong answers in tests/answers.
"""

import ast
import copy
import inspect
import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.classroom.room import Classroom
from autograder.classroom.round import grade_unit
from autograder.course import Unit, load_unit, slugs
from autograder.exercise import fraction
from autograder.verification.answer_bank import Answer, answers, load
from autograder.verification.local import run_locally

ROOT = Path(__file__).parent.parent.parent
CELL_SECONDS = 2  # of the processor: the sample's endless loop should not make anybody wait
FIRST_GRADED = "worse_resubmission"  # graded once with perfect work, then handed in again
WORDS = "Counting needs no training, and a rare word is seen too seldom to be counted well."


@dataclass(frozen=True)
class Desk:
    """What a student has to work with."""

    unit: Unit
    solutions: dict[str, str]  # grade_id: source of the solution cell
    answers: list[Answer]  # right and wrong ones of tests/answers

    def notebook(self, **sources: str) -> dict[str, Any]:
        """The released notebook with these sources in place of stubs."""
        book = copy.deepcopy(self.unit.released)
        for cell in book["cells"]:
            name = _grade_id(cell)
            if name in sources:
                cell["source"] = sources[name]
            elif name == self.unit.info.written.id and sources:
                cell["source"] = WORDS
        return book

    @property
    def ids(self) -> list[str]:
        return [exercise.id for exercise in self.unit.info.exercises]

    def points(self, *ids: str) -> int:
        return sum(e.points for e in self.unit.info.exercises if e.id in ids)

    def answer(self, exercise: str, right: bool) -> Answer:
        """The first right or wrong answer to an exercise."""
        fits = (a for a in self.answers if a.exercise == exercise and (a.hint is None) == right)
        return next(fits)


@dataclass(frozen=True)
class Student:
    """One member of the class: what is handed in and what it must score."""

    hand_in: Callable[[Desk, Path], None]
    score: Callable[[Desk], float]


CLASS: dict[str, Student] = {}


def student(score: Callable[[Desk], float]) -> Callable[[Any], Any]:
    """Add a student; the function returns a notebook, or None after writing files itself."""

    def add(make: Callable[[Desk, Path], dict[str, Any] | None]) -> Callable[..., Any]:
        def hand_in(desk: Desk, path: Path) -> None:
            path.parent.mkdir(parents=True)
            book = make(desk, path)
            if book is not None:
                path.write_text(json.dumps(book, indent=1), encoding="utf-8")

        CLASS[make.__name__] = Student(hand_in, score)
        return make

    return add


def everything(desk: Desk) -> float:
    return desk.points(*desk.ids)


def nothing(desk: Desk) -> float:
    return 0


def all_but_the_first(desk: Desk) -> float:
    return desk.points(*desk.ids[1:])


# The honest ones


@student(everything)
def perfect(desk: Desk, path: Path) -> dict[str, Any]:
    return desk.notebook(**desk.solutions)


@student(lambda desk: desk.points(*desk.ids[::2]))
def partial(desk: Desk, path: Path) -> dict[str, Any]:
    return desk.notebook(**{name: desk.solutions[name] for name in desk.ids[::2]})


@student(nothing)
def blank(desk: Desk, path: Path) -> dict[str, Any]:
    return desk.notebook()


def _with_the_misconception(desk: Desk) -> float:
    wrong, unit = desk.answer(desk.ids[0], right=False), desk.unit
    exercise = unit.exercises[wrong.exercise]
    share = fraction(run_locally(exercise, wrong.function, b"any", unit.checks[wrong.exercise]))
    return all_but_the_first(desk) + share * desk.points(wrong.exercise)


@student(_with_the_misconception)
def wrong_misconception(desk: Desk, path: Path) -> dict[str, Any]:
    return desk.notebook(**desk.solutions | written_out(desk.answer(desk.ids[0], right=False)))


@student(everything)
def other_style_with_warning(desk: Desk, path: Path) -> dict[str, Any]:
    sources: dict[str, str] = {}
    for name in desk.ids:
        sources |= written_out(desk.answer(name, right=True))
    warn = "import warnings, sys\nwarnings.warn('old style')\nprint('careful', file=sys.stderr)\n"
    sources[desk.ids[0]] = warn + sources[desk.ids[0]]
    return desk.notebook(**sources)


@student(everything)
def duplicated_cell(desk: Desk, path: Path) -> dict[str, Any]:
    book = desk.notebook(**desk.solutions)
    released = {_grade_id(cell): cell for cell in desk.unit.released["cells"]}
    for name in (
        desk.ids[0],
        f"{desk.ids[0]}_check",
    ):  # the stub and the check once more, at the end
        book["cells"].append(copy.deepcopy(released[name]) | {"id": f"again-{len(book['cells'])}"})
    return book


@student(lambda desk: desk.points(desk.ids[0]))
def worse_resubmission(desk: Desk, path: Path) -> dict[str, Any]:
    return desk.notebook(**{desk.ids[0]: desk.solutions[desk.ids[0]]})


# Those whose code kills or stalls the kernel: their other exercises count


@student(all_but_the_first)
def endless_loop(desk: Desk, path: Path) -> dict[str, Any]:
    first = desk.ids[0]
    return desk.notebook(**desk.solutions | {first: "while True:\n    pass"})


@student(all_but_the_first)
def os_exit(desk: Desk, path: Path) -> dict[str, Any]:
    first = desk.ids[0]
    source = desk.solutions[first] + "\nimport os\nos._exit(0)"
    return desk.notebook(**desk.solutions | {first: source})


# The cheats: nothing is solved, so nothing may be earned

TRANSFORMER = """
import ast

class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)

    def visit_Raise(self, node):
        return ast.copy_location(ast.Pass(), node)

get_ipython().ast_transformers.append(NoAsserts())
"""


@student(nothing)
def ast_transformer(desk: Desk, path: Path) -> dict[str, Any]:
    book = desk.notebook()
    book["cells"].insert(0, _code(TRANSFORMER))
    return book


@student(nothing)
def skip_execution(desk: Desk, path: Path) -> dict[str, Any]:
    book = desk.notebook()
    for cell in book["cells"]:
        grading = cell["metadata"].get("nbgrader", {})
        if grading.get("grade") and cell["cell_type"] == "code":
            cell["metadata"]["tags"] = ["skip-execution"]
            data = {"text/plain": str(grading["points"])}
            result = {"output_type": "execute_result", "execution_count": 1, "metadata": {}}
            cell["outputs"] = [result | {"data": data}]
    return book


@student(nothing)
def symlink(desk: Desk, path: Path) -> dict[str, Any]:
    (path.parent / "notes.txt").symlink_to("../../../gradebook.db")
    book = desk.notebook()
    book["cells"].insert(0, _code("print(open('notes.txt', 'rb').read())"))
    return book


@student(nothing)
def symlinked_notebook(desk: Desk, path: Path) -> None:
    path.symlink_to(f"../../perfect/{desk.unit.slug}/{path.name}")


def _code(source: str) -> dict[str, Any]:
    cell = {"cell_type": "code", "id": "extra", "metadata": {}, "outputs": []}
    return cell | {"execution_count": None, "source": source}


def _grade_id(cell: dict[str, Any]) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def written_out(answer: Answer) -> dict[str, str]:
    """The solution cell of an answer: its function under the exercise's name, with what it uses."""
    module = inspect.getmodule(answer.function)
    assert module is not None
    tree = ast.parse(inspect.getsource(module))
    defined: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            if getattr(node, "module", None) != "autograder.verification.answer_bank":
                defined |= {
                    (alias.asname or alias.name).split(".")[0]: node for alias in node.names
                }
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            if not node.decorator_list or node.name == answer.function.__name__:
                defined[node.name] = node
        elif isinstance(node, ast.Assign):
            defined |= {t.id: node for t in node.targets if isinstance(t, ast.Name)}
    written = getattr(answer.function, "written", "")
    if written:  # made from a text, which the module does not define
        defined[answer.exercise] = ast.parse(written).body[0]
        tree.body.append(defined[answer.exercise])
    name = answer.exercise if written else answer.function.__name__
    needed, open_names = set(), [name]
    while open_names:
        node = defined.get(open_names.pop())
        if node is not None and node not in needed:
            needed.add(node)
            open_names += [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    target = defined[name]
    assert isinstance(target, ast.FunctionDef | ast.ClassDef)
    target.name, target.decorator_list = answer.exercise, []
    body = [ast.unparse(node) for node in tree.body if node in needed]
    return {answer.exercise: "\n\n\n".join(body)}


def desk(root: Path, slug: str) -> Desk:
    """Everything a student of this unit is made from."""
    unit = load_unit(root, slug)
    solved = json.loads((root / "solutions" / slug / f"{slug}.ipynb").read_text(encoding="utf-8"))
    solutions = {
        _grade_id(cell): "".join(cell["source"])
        for cell in solved["cells"]
        if _grade_id(cell) in unit.exercises
    }
    return Desk(unit, solutions, list(answers(load(ROOT, slug)).values()))


def expected(root: Path, slug: str) -> dict[str, float]:
    """Automatic points that each student must get."""
    place = desk(root, slug)
    return {name: member.score(place) for name, member in CLASS.items()}


def build(
    target: Path, root: Path = ROOT, only: Collection[str] = (), graded_once: bool = True
) -> Path:
    """Write the course directory, replacing an earlier one, and grade one student's first hand-in
    (`graded_once`).

    only: the units that work is handed in for; all of them by default. Refuses a directory that is
    not an earlier sample class.
    """
    mark = target / ".sample-class"
    if target.exists() and any(target.iterdir()) and not mark.exists():
        raise SystemExit(
            f"{target} holds something else than a sample class: give another directory"
        )
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    mark.touch()
    for folder in ("solutions", "course"):
        shutil.copytree(root / folder, target / folder)
    config = (root / "nbgrader_config.py").read_text(encoding="utf-8")
    short = f"\nc.ExecutePreprocessor.timeout = {CELL_SECONDS}  # seconds a cell\n"
    (target / "nbgrader_config.py").write_text(config + short, encoding="utf-8")
    room = Classroom.open(target)
    for slug in only or slugs(target):
        place = desk(target, slug)
        for name, member in CLASS.items():
            member.hand_in(place, _path(target, name, slug))
        if graded_once:
            path = _path(target, FIRST_GRADED, slug)
            worse = path.read_bytes()
            path.write_text(json.dumps(perfect(place, path)), encoding="utf-8")
            grade_unit(room, slug, [FIRST_GRADED])
            path.write_bytes(worse)
    return target


def _path(root: Path, name: str, slug: str) -> Path:
    return root / "submitted" / name / slug / f"{slug}.ipynb"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(textwrap.dedent(__doc__).splitlines()[0])
    print(f"{len(CLASS)} students under {build(Path(sys.argv[1])) / 'submitted'}")
