"""No word of the README that is not true: its commands exist, its table is the units'."""

import re
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from autograder.cli import app as instructors
from autograder.course import read_info, slugs
from llmcourse.commands.cli import app as learners

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def row(info):
    learner, cpu = info.minutes["learner"], info.minutes["cpu"]
    return f"| `{info.slug}` | {info.question} | {learner} | {cpu} | {info.points} |"


def test_unit_table_is_what_the_units_say():
    rows = [line for line in README.splitlines() if re.match(r"\| `\d\d_", line)]
    assert rows == [row(read_info(ROOT, slug)) for slug in slugs(ROOT)]


def test_every_make_target_it_names_exists():
    named = set(re.findall(r"`make ([a-z-]+)", README))
    assert named and all(re.search(rf"^{target}:", MAKEFILE, re.MULTILINE) for target in named)


@pytest.mark.parametrize(("tool", "app"), [("llmcourse", learners), ("autograder", instructors)])
def test_every_command_it_names_exists(tool, app):
    named = set(re.findall(rf"`{tool} ([a-z]+)", README))
    known = {c.name or c.callback.__name__ for c in app.registered_commands}
    known |= {group.name for group in app.registered_groups}
    assert named and named <= known


def test_every_option_of_the_autograder_it_names_exists():
    lines = [line for line in README.splitlines() if "autograder" in line]
    named = set(re.findall(r"--[a-z]+", " ".join(lines)))
    known = {
        option
        for command in get_command(instructors).commands.values()
        for parameter in command.params
        for option in parameter.opts
    }
    assert named and named <= known


def test_files_it_names_exist():
    named = re.findall(r"`((?:docs|llmcourse|autograder|tests|course|solutions)/[\w/]*)`", README)
    assert named and all((ROOT / name).exists() for name in named)
    assert all((ROOT / name).is_file() for name in re.findall(r"\]\(([\w./]+)\)", README))


def test_the_tree_names_every_folder_and_no_other():
    tree = README.split("## Where things are")[1].split("```")[1]
    named = set(re.findall(r"([\w.]+)/", tree))
    packages = ("llmcourse", "autograder")
    places = [ROOT, *(ROOT / name for name in (*packages, "tests", "solutions/02_ngrams"))]
    wrong = {n for n in named if not any((place / n).is_dir() for place in places)}
    assert wrong == set()
    rooms = {path.parent.name for name in packages for path in (ROOT / name).glob("*/__init__.py")}
    listed = subprocess.run(["git", "ls-files", "*/*"], cwd=ROOT, capture_output=True, text=True)
    tops = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert (rooms | {top for top in tops if not top.startswith(".")}) - named == set()
