"""What authors write becomes a notebook: autograder.course and publishing.release on a toy unit."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.course import find_slug, read_info, slugs
from autograder.errors import AutograderError
from autograder.files import write_durably
from autograder.publishing.notebooks import NOT_PLAIN, build, expand, release
from llmcourse.commands.run import run_notebooks
from llmcourse.plotting import schematics
from tests import toy_course

ROOT = Path(__file__).parents[2]
NAMES = ["f1", "f2", "f3", "f4", "f5", "f6"]
TOML = """
[unit]
title = "Toy"
question = "?"
prerequisites = []
minutes = {learner = 5, cpu = 1, gpu = 1}
""" + "".join(
    f"""
[[exercise]]
id = "{name}"
title = "Do {name}"
points = 15
minutes = 2
difficulty = 2
prerequisites = []
hints = ["idea of {name}", "step of {name}", "code of {name}"]
"""
    for name in NAMES
)
TOML += "".join(
    f"""
[[question]]
id = "q{i}"
text = "Which?"
choices = [
  {{text = "this", right = true, because = "It is."}},
  {{text = "that", right = false, because = "It is not."}},
]
"""
    for i in (1, 2, 3)
)
TOML += '\n[written]\nid = "why"\ntitle = "Why?"\npoints = 10\nminutes = 3\n'
DEMO = '# %% tags=["demo"] jupyter={"source_hidden": true}'
SOURCE = """# %% [markdown]
# # Toy

# %% tags=["parameters"]
preset = "cpu"

# %% [markdown] question="q1"

# %% [markdown] written="why"
# Say why.
# ### BEGIN SOLUTION
# Because.
# ### BEGIN MARK SCHEME
# 10 points for because.
# ### END MARK SCHEME
# ### END SOLUTION

# %% tags=["demo"] jupyter={"source_hidden": true}
print("demo")
""" + "".join(
    f"""
# %% [markdown] exercise="{name}"
# Return one.

# %% exercise="{name}"
def {name}():
    ### BEGIN SOLUTION
    return 1
    ### END SOLUTION

# %% check="{name}"
print("{name}: checked")
"""
    for name in NAMES
)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "solutions" / "01_toy"
    folder.mkdir(parents=True)
    (folder / "unit.toml").write_text(TOML)
    (folder / "01_toy.py").write_text(SOURCE)
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    return tmp_path


def cell(notebook, grade_id):
    return next(
        c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id
    )


def test_options_become_nbgrader_metadata_headings_hints_and_questions(root):
    notebook = expand(root, "01_toy")
    check = cell(notebook, "f1_check").metadata.nbgrader
    assert (check.grade, check.locked, check.points) == (True, True, 15)
    assert cell(notebook, "f1").metadata.nbgrader.solution
    text = "\n".join(c.source for c in notebook.cells)
    assert "### Exercise: Do f1\n\n`f1` · 15 points · about 2 minutes · ●●○" in text
    assert text.count("●●○\n\n> Return one.\n\n<details><summary>Hint 1") == 6
    assert text.count("<details><summary>Hint 3: nearly code") == 6
    assert "✓ Right. It is." in text and "✗ Not this one. It is not." in text
    assert "100 (6 exercises, 1 written answer)" in notebook.cells[0].source
    demo = next(c for c in notebook.cells if "demo" in c.metadata.get("tags", []))
    assert demo.source == 'print("demo")', "the tag says what it is, no comment"


def test_cell_ids_survive_edits_elsewhere(root):
    before = {c.source: c.id for c in expand(root, "01_toy").cells}
    path = root / "solutions" / "01_toy" / "01_toy.py"
    path.write_text(path.read_text().replace("# # Toy", "# # Toys\n\n# %%\nprint(1)"))
    after = {c.source: c.id for c in expand(root, "01_toy").cells}
    assert {s: i for s, i in after.items() if s in before} == {
        s: i for s, i in before.items() if s in after
    }
    assert len(set(after.values())) == len(after)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("points = 15", "points = 14", "must sum to 90, got 84"),
        ("difficulty = 2", "difficulty = 4", "difficulty is 1, 2 or 3"),
        ('id = "f2"', 'id = "f1"', "share an id"),
        ("minutes = 2\n", "", "missing or unknown field"),
        ("[unit]", "[unit", "not valid TOML"),
        ("right = true", "right = false", "no right choice"),
        ('id = "f3"', 'id = "f9"', "a cell names 'f3', which unit.toml does not have"),
    ],
)
def test_a_wrong_unit_file_is_one_clear_line(root, old, new, message):
    path = root / "solutions" / "01_toy" / "unit.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(AutograderError, match=message) as caught:
        expand(root, "01_toy")
    assert "\n" not in str(caught.value).strip()


def with_choice(root, text):
    """The toy unit as a notebook, with this text for a choice of its quick check."""
    path = root / "solutions" / "01_toy" / "unit.toml"
    path.write_text(path.read_text().replace('text = "this"', f'text = "{text}"'))
    return expand(root, "01_toy")


@pytest.mark.parametrize(
    "text",
    [
        "less if a < b",
        "x<y",
        "more if a > b",
        "$x$",
        "it costs 5 $",
        "Q & A",
        "&lt;",
        "<b>this</b>",
        "</summary>",
        "**this**",
        "*this*",
        "a *b* c",
        "_this_",
        "__this__",
        "`this`",
        "~~this~~",
        "[this](that)",
        "![this](that.png)",
        "see https://example.org",
        "\\\\(x\\\\)",
        "one\\n\\ntwo",
        "one\\ntwo",
        " ",
        "",
    ],
)
def test_a_choice_that_would_break_its_summary_is_refused_in_one_line(root, text):
    with pytest.raises(AutograderError, match=r"quick check 'q1'.*in plain words") as caught:
        with_choice(root, text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "0.9",
        "About half a percent.",
        "a_name of code",
        "2 * 3 = 6",
        "b - a + c",
        "k = 0, or p^2",
        "[was / were]",
        "'king' (it isn't)",
        "60 %, x² ≤ 2 ≠ 3",
        "C#",
        "a | b",
    ],
)
def test_plain_words_of_a_choice_stand_in_its_summary_as_they_are(root, text):
    text_cells = "\n".join(cell.source for cell in with_choice(root, text).cells)
    assert f". {text}</summary>" in text_cells


def test_all_choices_of_the_course_are_plain_words():
    for slug in slugs(ROOT):
        texts = [c.text for q in read_info(ROOT, slug).questions for c in q.choices]
        assert texts and not [text for text in texts if NOT_PLAIN.search(text)]


def test_an_exercise_without_its_check_is_found(root):
    path = root / "solutions" / "01_toy" / "01_toy.py"
    path.write_text(path.read_text().replace('# %% check="f4"', "# %%"))
    with pytest.raises(AutograderError, match=r"one solution and one check cell.*f4_check"):
        expand(root, "01_toy")


def test_units_are_found_by_number_or_slug(root):
    assert slugs(root) == ["01_toy"]
    assert find_slug(root, "1") == find_slug(root, "01") == find_slug(root, "01_toy") == "01_toy"
    with pytest.raises(AutograderError, match=r"no unit '7': .* are 01_toy"):
        find_slug(root, "7")
    assert read_info(root, "01_toy").points == 100


def test_release_needs_a_build_and_strips_everything(root, monkeypatch):
    monkeypatch.setattr(schematics, "DRAWINGS", {"01_toy": {"net": lambda: "<svg/>"}})
    with pytest.raises(AutograderError, match="not built"):
        release(root, "01_toy")
    build(root, "01_toy")
    built = nbformat.read(root / "solutions" / "01_toy" / "01_toy.ipynb", as_version=4)
    assert cell(built, "f1_check").outputs[0].text == "f1: checked\n"
    text = release(root, "01_toy").read_text()
    released = nbformat.reads(text, as_version=4)
    assert "return 1" not in text and "Because" not in text and "10 points for" not in text
    assert 'raise NotImplementedError("your turn")' in cell(released, "f1").source
    assert cell(released, "why").source.endswith("*Your answer here.*")
    for notebook in (built, released):  # a folded demonstration stays folded
        (folded,) = (c for c in notebook.cells if "demo" in c.metadata.get("tags", []))
        assert folded.metadata.jupyter == {"source_hidden": True}
    files = [p for p in (root / "course" / "01_toy").rglob("*") if p.is_file()]
    assert sorted(p.name for p in files) == ["01_toy.ipynb", "net.svg"]


def tagged(root, tag, code):
    """The toy unit with one more cell in its middle."""
    path = root / "solutions" / "01_toy" / "01_toy.py"
    path.write_text(SOURCE.replace(DEMO, f"# %%{tag}\n{code}\n\n# %%\n2", 1))


def executions(root):
    """Whether build, `llmcourse run` and nbval let the unit pass."""
    try:
        build(root, "01_toy")
        built = True
    except AutograderError:
        built = False
        nbformat.write(expand(root, "01_toy"), root / "solutions" / "01_toy" / "01_toy.ipynb")
    report = run_notebooks(root / "solutions", root / "out", preset="smoke")
    nbval = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "01_toy.ipynb"]
    place = root / "solutions" / "01_toy"
    tested = subprocess.run([*nbval, "-c", os.devnull], cwd=place, capture_output=True)
    assert tested.returncode in (0, 1)
    return built, report.ok, tested.returncode == 0


@pytest.mark.parametrize("code", ["1 / 0", "raise SystemExit(0)"])
def test_a_cell_that_may_raise_is_the_same_to_build_run_and_nbval(root, code):
    tagged(root, ' tags=["raises-exception"]', code)
    assert executions(root) == (True, True, True)
    for path in (root / "solutions" / "01_toy" / "01_toy.ipynb", root / "out" / "01_toy.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        assert all(c.execution_count for c in notebook.cells if c.cell_type == "code")
        assert "papermill encountered" not in path.read_text()
    tagged(root, "", code)
    assert executions(root) == (False, False, False)


def test_a_cell_that_ends_the_kernel_is_named_by_the_build(root):
    tagged(root, "", "exit()")
    with pytest.raises(AutograderError, match=r"`exit\(\)`\) should run, but got the end of"):
        build(root, "01_toy")


def test_what_the_instructors_system_left_is_not_released(tmp_path):
    root, slug = toy_course.build(tmp_path / "toy"), toy_course.SLUG
    source = root / "solutions" / slug
    (source / "figures").mkdir()
    (source / "figures" / "net.svg").write_text("<svg/>")
    for name in (".DS_Store", "Thumbs.db", "figures/desktop.ini", "figures/._net.svg", "~$a.docx"):
        (source / name).write_text("x")
    for name in ("a.tmp", f"{slug}.ipynb~", "figures/net.svg.swp"):
        (source / name).write_text("x")
    release(root, slug)
    found = sorted(p.name for p in (root / "course" / slug).rglob("*") if p.is_file())
    assert found == [f"{slug}.ipynb", "net.svg"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "kept.txt"
    write_durably(path, "old")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AutograderError, match="No space left on device"):
        write_durably(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
