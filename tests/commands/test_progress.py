"""What a learner's notebook has solved, read from its cells or found out by its checks."""

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from llmcourse.commands import progress
from llmcourse.commands.run import RunError, UsageError

SLUG = "01_tiny"
NAMES = ("add", "double", "join", "longest", "count")
CHECKS = """
from llmcourse.checks import equal, visible
class check: pass
for name, arguments, value in (
    ("add", (2, 3), 5), ("double", (4,), 8), ("join", (["a", "b"],), "a b"),
    ("longest", (["a", "bc"],), "bc"), ("count", ("aab",), {"a": 2, "b": 1}),
):
    def one(answer, arguments=arguments, value=value):
        equal(answer(*arguments), value, "read the text again")
    one.__name__ = name
    setattr(check, name, staticmethod(visible(one)))
"""
STUBS = dict.fromkeys(NAMES, f"    {progress.STUB}")


def write_course(root: Path, **bodies: str) -> Path:
    """A course of one unit with these bodies in place of stubs; returns its notebook."""
    parameters = new_code_cell('preset = "cpu"\ndevice = "auto"\nseed = 0')
    parameters.metadata["tags"] = ["parameters"]
    cells = [parameters, new_code_cell(CHECKS)]
    for name, body in (STUBS | bodies).items():
        cells.append(new_code_cell(f"def {name}(*items):\n{body}"))
        cells[-1].metadata["nbgrader"] = {"grade_id": name}
        cells.append(new_code_cell(f"check.{name}({name});"))
        cells[-1].metadata["nbgrader"] = {"grade_id": f"{name}_check"}
        cells.append(new_code_cell("raise SystemExit('a demonstration must not run')"))
        cells[-1].metadata["tags"] = ["demo"]
    cells.append(new_code_cell("raise SystemExit('nothing after the last check must run')"))
    facts = [{"id": n, "title": n, "points": 10 + i, "minutes": 1} for i, n in enumerate(NAMES)]
    book = new_notebook(cells=cells, metadata={"llmcourse": {"unit": SLUG, "exercises": facts}})
    path = root / "course" / SLUG / f"{SLUG}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(book, path)
    (root / "pyproject.toml").touch()
    return path


def test_reading_tells_begun_from_untouched(tmp_path):
    path = write_course(tmp_path, double="    return 2 * items[0]")
    unit = progress.read(path)
    assert {one.id: one.state for one in unit.exercises} == dict.fromkeys(NAMES, "not begun") | {
        "double": "written"
    }
    assert progress.summary([unit], checked=False) == (
        "1 of 5 exercises have an answer written (11 of 60 points)"
    )


def test_a_deleted_exercise_is_missing(tmp_path):
    path = write_course(tmp_path)
    book = json.loads(path.read_text())
    book["cells"] = [
        c for c in book["cells"] if c["metadata"].get("nbgrader") != {"grade_id": "add"}
    ]
    path.write_text(json.dumps(book))
    assert progress.read(path).exercises[0].state == "missing"


def test_checking_reports_each_exercise_in_one_line(tmp_path):
    path = write_course(
        tmp_path,
        add="    return sum(items)",
        double="    return items[0]",
        join="    return items[0] +",
        longest="    return 1 / 0",
    )
    before = path.read_bytes()
    unit = progress.read(path)
    progress.check(unit)
    assert path.read_bytes() == before
    states = {one.id: one.state for one in unit.exercises}
    assert states == {
        "add": "passed",
        "double": "not right yet",
        "join": "not right yet",
        "longest": "not right yet",
        "count": "not solved yet",
    }
    messages = {one.id: one.message for one in unit.exercises}
    assert messages["double"] == "expected 8, got 4. read the text again"
    assert messages["join"].startswith("SyntaxError: invalid syntax")
    assert "ZeroDivisionError" in messages["longest"]
    lines = progress.table(unit).splitlines()
    assert len(lines) == 1 + len(NAMES) and "add       10 points  passed" in lines[1]
    assert progress.summary([unit], checked=True) == (
        "1 of 5 exercises pass their visible checks (10 of 60 points)"
    )


def unit_of(slug: str, *states: str, answer: str = "") -> progress.Unit:
    """A unit with exercises a, b, ... in these states, and perhaps a written answer."""
    exercises = [
        progress.Exercise(name, f"about {name}", 10, 5, state)
        for name, state in zip("abc", states, strict=False)
    ]
    about = {"nbgrader": {"grade": True, "grade_id": "why", "points": 10}}
    written = {"cell_type": "markdown", "metadata": about, "source": answer}
    path = Path("course", slug, f"{slug}.ipynb")
    return progress.Unit(slug, path, {"cells": [written] if answer else []}, exercises)


def test_a_unit_not_begun_is_one_line_and_a_begun_one_is_shown():
    untouched, begun = unit_of("02_b", "not begun", "not begun"), unit_of("01_a", "written")
    assert progress.table(untouched) == "02_b: not begun (2 exercises, 20 points)"
    assert len(progress.table(begun).splitlines()) == 2
    assert unit_of("03_c", "missing", "not begun").begun


def test_the_next_step_is_in_what_is_begun_and_else_the_first_unit():
    first, second = unit_of("01_a", "not begun"), unit_of("02_b", "written", "not begun")
    [line] = progress.next_steps([first, second], checked=False)
    assert line == "next: `b` in course/02_b/02_b.ipynb (about b; 10 points, about 5 minutes)"
    [line] = progress.next_steps([first], checked=False)
    assert line.startswith("next: `a` in course/01_a/01_a.ipynb")


def test_a_unit_that_is_written_is_to_be_checked_before_it_is_handed_in():
    written, untouched = unit_of("01_a", "written", "written"), unit_of("02_b", "not begun")
    lines = progress.next_steps([written, untouched], checked=False)
    assert lines[0] == "next: llmcourse check 01   (every exercise is written)"
    assert lines[1].startswith("next: `a` in course/02_b")
    failing = unit_of("01_a", "passed", "not right yet")
    assert progress.next_steps([failing], checked=True)[0].startswith("next: `b` in")


def test_after_all_passed_the_file_and_the_written_answer_are_named():
    open_answer = unit_of("01_a", "passed", answer=f"Why?\n\n{progress.WRITTEN_STUB}")
    assert progress.next_steps([open_answer], checked=True) == [
        "hand in: course/01_a/01_a.ipynb, saved, under this name; "
        "before that, write your written answer `why` (10 points): a person reads it"
    ]
    done = unit_of("01_a", "passed", answer="Because.")
    [line] = progress.next_steps([done], checked=True)
    assert line.endswith("your written answer `why` (10 points) is in it, and a person reads it")
    plain = unit_of("01_a", "passed")
    [line] = progress.next_steps([plain], checked=True)
    assert line == "hand in: course/01_a/01_a.ipynb, saved, under this name"


def test_checking_runs_what_the_grader_would_read(tmp_path):
    path = write_course(tmp_path, add="    return sum(items)", double="    return items[0]")
    book = json.loads(path.read_text())
    about = book["metadata"] | {"kernelspec": {"name": "conda-env-x", "display_name": "C:\\x"}}
    cells = [cell for cell in book["cells"] if "demo" not in cell["metadata"].get("tags", [])]
    for cell in cells:
        cell |= {"metadata": None, "outputs": 5, "execution_count": "x", "id": "the same"}
        cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")
    cells[1:1] = [5, {"cell_type": "code", "source": "# \ud800"}, {"cell_type": "heading"}]
    odd = {"nbformat": 4, "metadata": about, "cells": cells}
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(odd, indent=1).replace("\n", "\r\n").encode())
    unit = progress.read(path, SLUG)
    progress.check(unit)
    assert [one.state for one in unit.exercises][:3] == [
        "passed",
        "not right yet",
        "not solved yet",
    ]


def test_the_parts_of_a_split_answer_are_one_answer(tmp_path):
    path = write_course(tmp_path, add="    return helper(items)", join="    return 1")
    book = json.loads(path.read_text())
    place = next(i for i, c in enumerate(book["cells"]) if "def add" in "".join(c["source"]))
    helper = book["cells"][place] | {"source": "def helper(items):\n    return sum(items)"}
    blank = book["cells"][place + 3] | {"source": ""}
    book["cells"][place:place] = [helper, blank]
    path.write_text(json.dumps(book))
    states = {one.id: one.state for one in progress.read(path).exercises}
    assert (states["add"], states["double"], states["join"]) == ("written", "not begun", "written")


@pytest.mark.parametrize("name", [f"{SLUG}-Copy1.ipynb", f"{SLUG} (1).ipynb", "final.ipynb"])
def test_a_copy_with_more_answers_is_named(tmp_path, name):
    path = write_course(tmp_path, add="    return 1")
    assert progress.better_copy(progress.read(path)) == ""
    stub = json.dumps(progress.STUB)[1:-1]
    copy, worked = path.with_name(name), path.read_text().replace(stub, "return 2")
    copy.write_text("{")
    assert progress.better_copy(progress.read(path)) == ""
    copy.write_text(path.read_text())
    assert progress.better_copy(progress.read(path)) == ""
    copy.write_text(worked)
    assert progress.better_copy(progress.read(path)) == (
        f"{name} has 5 answers, {SLUG}.ipynb 1: hand in the one you worked in, as {SLUG}.ipynb"
    )
    copy.rename(path)
    assert progress.better_copy(progress.read(path)) == ""


def test_an_endless_loop_is_stopped_and_the_rest_is_checked(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_A_CELL", 2)
    unit = progress.read(
        write_course(tmp_path, add="    while True: pass", double="    return 2 * items[0]")
    )
    progress.check(unit)
    assert unit.exercises[0].message == "took longer than 2 s: is there a loop that never ends?"
    assert unit.exercises[1].passed


def test_a_kernel_that_dies_is_one_line_naming_the_cell(tmp_path):
    unit = progress.read(write_course(tmp_path, add="    import os; os._exit(1)"))
    with pytest.raises(RunError, match=r"did not run: the kernel died.*check\.add"):
        progress.check(unit)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"cells": []}', '{"metadata": {"llmcourse": 3}, "cells": []}']
)
def test_a_file_that_is_no_notebook_of_the_course_is_one_line(tmp_path, text):
    path = tmp_path / "mine.ipynb"
    path.write_text(text)
    with pytest.raises(RunError, match=r"mine\.ipynb is not a notebook of this course"):
        progress.read(path)


def test_a_missing_or_another_units_notebook_is_one_line(tmp_path):
    with pytest.raises(RunError, match=r"no notebook .*--notebook"):
        progress.read(tmp_path / "mine.ipynb")
    with pytest.raises(RunError, match="is a notebook of 01_tiny, not of 02_other"):
        progress.read(write_course(tmp_path), "02_other")
    with pytest.raises(UsageError, match="no notebooks in"):
        progress.course_notebooks(tmp_path)
