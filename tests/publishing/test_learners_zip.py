"""The learners' zip: enough to work with in a fresh folder, no solved notebook, no hidden test."""

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

from autograder.course import slugs
from autograder.errors import AutograderError
from autograder.publishing import learners_zip as module
from autograder.publishing.learners_zip import FOLDER, bundle
from llmcourse.plotting.schematics import DRAWINGS

ROOT = Path(__file__).parents[2]
SLUG = "01_language_modelling"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return bundle(ROOT, slugs(ROOT), tmp_path_factory.mktemp("zip") / "learners.zip")


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """One unit with its first hints."""
    return bundle(ROOT, [SLUG], tmp_path_factory.mktemp("one") / "learners.zip", hints=1)


@pytest.fixture(scope="module")
def files(path):
    """Name inside the folder: content."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name.removeprefix(f"{FOLDER}/"): archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def fresh(path, tmp_path_factory):
    """The zip unpacked and installed as its README says, but for the dependencies, which are
    those of this environment."""
    home = tmp_path_factory.mktemp("learner")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(home)
    folder = home / FOLDER
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=folder, check=True)
    packages = next((folder / ".venv").glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"])
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    run(folder, ".venv/bin/python", "-m", "pip", "install", "--quiet", *offline, "--editable", ".")
    return folder


def run(folder, *command, status=0):
    """What a command prints in the folder, with nothing of this repository in its reach."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LLMCOURSE"))}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_it_holds_course_package_environment_and_readme_only(files):
    tops = {name.split("/")[0] for name in files}
    assert tops == {
        "course", "llmcourse", "README.md", "LICENSE", "environment.yml", "pyproject.toml"
    }  # fmt: skip
    drawn = {f"course/{slug}/figures/{n}.svg" for slug in DRAWINGS for n in DRAWINGS[slug]}
    assert {n for n in files if n.startswith("course/")} == drawn | {
        f"course/{slug}/{slug}.ipynb" for slug in slugs(ROOT)
    }
    assert {Path(n).suffix for n in files if n.startswith("llmcourse/")} == {
        ".py", ".json", ".txt", ".safetensors"
    }  # fmt: skip


def test_notebooks_are_those_of_a_release(files):
    for slug in slugs(ROOT):
        name = f"course/{slug}/{slug}.ipynb"
        assert files[name] == (ROOT / name).read_bytes()
        assert not any(cell.get("outputs") for cell in json.loads(files[name])["cells"])


def test_every_solution_cell_is_a_stub(files):
    for slug in slugs(ROOT):
        cells = json.loads(files[f"course/{slug}/{slug}.ipynb"])["cells"]
        own = [c for c in cells if c["metadata"].get("nbgrader", {}).get("solution")]
        stubs = ("raise NotImplementedError", "*Your answer here.*")
        assert len(own) >= 7
        assert all(any(stub in "".join(cell["source"]) for stub in stubs) for cell in own)


@pytest.mark.parametrize("kind", ["marking schemes", "hidden tests"])
def test_no_long_line_of_what_graders_know_is_in_it(files, kind):
    public = b"\n".join(files.values()).decode(errors="replace")  # some hold weights
    if kind == "hidden tests":
        texts = [path.read_text() for path in (ROOT / "autograder" / "units").glob("u*.py")]
    else:
        sources = [(ROOT / "solutions" / slug / f"{slug}.py").read_text() for slug in slugs(ROOT)]
        schemes = (source.split("BEGIN MARK SCHEME")[1] for source in sources)
        texts = [scheme.split("### END")[0] for scheme in schemes]
    lines = {line.strip(" #") for text in texts for line in text.splitlines()}
    lines = {line for line in lines if not line.startswith(("from ", "import "))}
    known = {line for line in lines if len(line) > 60 and '"' not in line}  # hints are shown
    assert len(known) >= len(texts)
    assert {line for line in known if line in public} == set()


def test_no_secret_no_grade_and_nothing_hidden_is_in_it(files):
    assert not any(part.startswith(".") for name in files for part in name.split("/"))
    assert not any(
        name.endswith((".db", ".pyc", ".toml")) for name in set(files) - {"pyproject.toml"}
    )
    assert b"autograder" not in files["pyproject.toml"]


def test_the_same_sources_give_the_same_bytes(one, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    old = os.umask(0o077)
    try:
        again = bundle(ROOT, [SLUG], tmp_path / "again.zip", hints=1)
    finally:
        os.umask(old)
    assert again.read_bytes() == one.read_bytes()


def test_its_pyproject_installs_the_same_things_as_the_course(files):
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    theirs = tomllib.loads(files["pyproject.toml"].decode())["project"]
    same = ("name", "version", "description", "requires-python", "dependencies")
    assert {key: theirs[key] for key in same} == {key: ours[key] for key in same}
    assert theirs["scripts"] == {"llmcourse": "llmcourse.commands.cli:main"}


def test_chosen_units_and_hints(one):
    with zipfile.ZipFile(one) as archive:
        books = [name for name in archive.namelist() if name.endswith(".ipynb")]
        assert books == [f"{FOLDER}/course/{SLUG}/{SLUG}.ipynb"]
        text = archive.read(books[0]).decode()
        assert "02_ngrams" not in archive.read(f"{FOLDER}/README.md").decode()
    assert "Hint 1:" in text and "Hint 2:" not in text


@pytest.mark.parametrize(
    ("name", "content"),
    [("u.py", ""), ("unit.toml", ""), ("u.ipynb", '"### BEGIN MARK SCHEME"')],
)
def test_what_would_give_something_away_is_refused(tmp_path, monkeypatch, name, content):
    def careless(root, slug, target, hints):
        (target / slug).mkdir()
        (target / slug / name).write_text(content)

    monkeypatch.setattr(module, "release", careless)
    with pytest.raises(AutograderError, match=f"course/{SLUG}/{name} is nothing for learners"):
        bundle(ROOT, [SLUG], tmp_path / "leak.zip")
    assert not (tmp_path / "leak.zip").exists()


def test_without_a_unit_there_is_nothing_to_bundle(tmp_path):
    with pytest.raises(AutograderError, match="at least one unit"):
        bundle(ROOT, [], tmp_path / "empty.zip")


def test_links_and_hidden_files_stay_behind(tmp_path, monkeypatch):
    def untidy(root, slug, target, hints):
        (target / slug / ".ipynb_checkpoints").mkdir(parents=True)
        (target / slug / ".ipynb_checkpoints" / "u.ipynb").write_text("{}")
        (target / slug / "notes.txt").symlink_to("/etc/passwd")

    monkeypatch.setattr(module, "release", untidy)
    with zipfile.ZipFile(bundle(ROOT, [SLUG], tmp_path / "tidy.zip")) as archive:
        assert not any("/course/" in name for name in archive.namelist())


def test_installed_from_the_zip_the_package_is_its_own_and_there_is_no_autograder(fresh):
    ask = "import llmcourse as l, importlib.util as u; print(l.__file__, u.find_spec('autograder'))"
    said = run(fresh, ".venv/bin/python", "-c", ask)
    assert said.split() == [str(fresh / "llmcourse" / "__init__.py"), "None"]


def test_the_checks_of_an_untouched_notebook_say_not_solved(fresh):
    said = run(fresh, ".venv/bin/llmcourse", "check", "01", status=1)
    assert "not solved yet" in said


def test_a_solved_notebook_passes_its_checks(fresh):
    solved = json.loads((ROOT / "solutions" / SLUG / f"{SLUG}.ipynb").read_text())
    path = fresh / "course" / SLUG / f"{SLUG}.ipynb"
    book = json.loads(path.read_text())
    answers = {cell["id"]: cell["source"] for cell in solved["cells"]}
    for cell in book["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = answers[cell["id"]]
    path.write_text(json.dumps(book))
    assert "not solved" not in run(fresh, ".venv/bin/llmcourse", "check", "01")
