"""The repair of unit 08: the tests catch ten of ten bugs one at a time, and each has its price."""

import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from autograder.course import load_unit, read_info
from autograder.errors import AutograderError
from autograder.exercise import fraction
from autograder.publishing.planting import STUB_LINE, plant
from autograder.units.u08_repair import WEIGHT
from autograder.verification.local import run_locally
from autograder.verification.trials import Workbench
from llmcourse.checks.u08_repair import BUGS, PARTS

ROOT, SLUG, NAME = Path(__file__).parents[2], "08_transformers", "RepairedGPT"
WHOLE = 10 * WEIGHT + 1  # all bugs, and the visible check
# Each bug as it is planted: the text of the solution, and what learners get in its place.
PLANTED = {
    "unbiased": ("(centred**2).mean(axis=-1, keepdims=True)",
                 "centred.var(axis=-1, keepdims=True, ddof=1)"),
    "outside": ("np.sqrt(variance + 1e-5)", "(np.sqrt(variance) + 1e-5)"),
    "scale": ("math.sqrt(C / self.n_heads)", "math.sqrt(C)"),
    "future": ("np.tri(T, dtype=bool)", "np.tri(T, k=1, dtype=bool)"),
    "axis": ("axis=-1)\n        return linear", "axis=-2)\n        return linear"),
    "merge": (".swapaxes(1, 2).reshape(B, T, C)", ".reshape(B, T, C)"),
    "residual": ("x = x + self.attention", "x = self.attention"),
    "norm": ('"norm_2"', '"norm_1"'),
    "no norm": ('self.norm(self.p["norm"], x) @', "x @"),
    "targets": ("ids[:, 1:]", "ids[:, :-1]"),
}  # fmt: skip


@pytest.fixture(scope="module")
def bench():
    made = Workbench.of(ROOT, SLUG)
    made.work()
    return made


@pytest.fixture(scope="module")
def solved(bench):
    source = next(cell.source for cell in bench.cells if cell.grade_id == NAME)
    return re.sub(r"^ *### .*\n?", "", source, flags=re.MULTILINE)


def marked(bench, source, seed=b"0"):
    """Return the results of all tests for a class with this source."""
    names = dict(bench.names)
    exec(source, names)
    return run_locally(bench.unit.exercises[NAME], names[NAME], seed, bench.unit.checks[NAME])


def test_there_are_ten_bugs_and_the_text_tells_how_many_each_method_has(bench):
    assert len(BUGS) == 10
    assert set(BUGS) == set(PLANTED)
    told = next(
        c["source"]
        for c in bench.unit.released["cells"]
        if "| method | bugs |" in "".join(c["source"])
    )
    told = "".join(told)
    assert {n: len(bugs) for n, bugs in PARTS.items()} == {
        name: int(re.search(rf"`{name}\([^`]*`\s*\|\s*(\d)", told)[1]) for name in PARTS
    }


@pytest.mark.parametrize("bug", BUGS)
@pytest.mark.parametrize("seed", [b"0", b"1"])
def test_each_bug_alone_is_caught_with_its_hint_and_costs_its_own_points(bench, solved, bug, seed):
    right, wrong = PLANTED[bug]
    assert solved.count(right) == 1
    results = marked(bench, solved.replace(right, wrong), seed)
    name, hint = BUGS[bug]
    lost = [r for r in results if not r.passed and r.property != "the visible check"]
    assert [r.message for r in lost] == [hint]
    assert lost[0].property.startswith(name)
    assert fraction(results) == pytest.approx(9 * WEIGHT / WHOLE)


@pytest.mark.parametrize("bug", BUGS)
def test_one_repaired_bug_earns_its_points_whatever_is_left(bench, solved, bug):
    source = solved
    for other, (right, wrong) in PLANTED.items():
        source = source if other == bug else source.replace(right, wrong)
    assert fraction(marked(bench, source)) == pytest.approx(WEIGHT / WHOLE)


def test_learners_get_all_ten_bugs_and_an_untouched_cell_earns_nothing(bench, solved):
    stub = next(cell.stub for cell in bench.cells if cell.grade_id == NAME)
    source = solved
    for right, wrong in PLANTED.values():
        source = source.replace(right, wrong)
    assert re.sub(STUB_LINE.pattern + r"\n", "", stub, flags=re.MULTILINE).strip() == source.strip()
    assert fraction(marked(bench, stub)) == fraction(marked(bench, source)) == 0


def test_a_text_is_planted_for_each_region():
    [about] = [e for e in read_info(ROOT, SLUG).exercises if e.planted]
    assert about.id == NAME
    assert len(about.planted) == len(PARTS)
    assert load_unit(ROOT, SLUG).info == read_info(ROOT, SLUG)


@pytest.mark.parametrize("stubs, texts", [(2, 1), (1, 2), (0, 1), (1, "without the stub's line")])
def test_texts_that_do_not_fit_the_regions_are_refused_with_the_remedy(stubs, texts):
    line = '    raise NotImplementedError("your turn")\n'
    cell = nbformat.v4.new_code_cell("def f():\n" + stubs * line)
    cell.metadata["nbgrader"] = {"grade_id": NAME}
    planted = (texts,) if isinstance(texts, str) else texts * (line,)
    info = read_info(ROOT, SLUG)
    exercises = tuple(replace(e, planted=planted) if e.id == NAME else e for e in info.exercises)
    with pytest.raises(AutograderError) as error:
        plant(nbformat.v4.new_notebook(cells=[cell]), replace(info, exercises=exercises))
    assert f"{NAME}: expected one planted text for each of {stubs}" in str(error.value)
    assert f"got {len(planted)}: give as many, and begin the first with raise" in str(error.value)
