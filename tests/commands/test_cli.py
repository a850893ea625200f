"""The learner's command line: what it prints, its exit status, and one line for every mistake."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmcourse.text import corpora as data
from tests.commands.test_progress import SLUG, write_course
from tests.commands.test_run import PLOT, SETUP, write_notebook

ROOT = Path(__file__).parents[2]


def llmcourse(*command: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess:
    """Run `llmcourse` with these arguments."""
    return subprocess.run(
        [sys.executable, "-m", "llmcourse.commands.cli", *command],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A clone in small: one solution, and one unit of the course with one right answer."""
    root = tmp_path_factory.mktemp("clone")
    write_course(root, add="    return sum(items)")
    write_notebook(root / "solutions", SLUG, SETUP, 'rt.claim("it learns", 1.0, True)', PLOT)
    return root


def test_run_writes_its_report_into_the_clone_and_says_where(place):
    done = llmcourse("run", "--notebooks", "1", cwd=place)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "1 notebook, 1 at a time: preset smoke, device auto, seed 0"
    assert lines[1].startswith("passed") and lines[1].endswith("1 claim not enforced, 1 figure")
    assert lines[2] == "All notebooks ran: 1 claim not enforced"
    assert lines[3] == f"report: {place / 'build' / 'run' / 'report.html'}"
    assert (place / "build" / "run" / "report.json").is_file()


def test_run_exits_1_and_shows_the_cell_when_one_fails(tmp_path):
    write_notebook(tmp_path / "mine", "01_fails", "print('<here>') / 0")
    places = ["--folder", str(tmp_path / "mine"), "--output", str(tmp_path / "out")]
    done = llmcourse("run", *places)
    assert done.returncode == 1
    assert "01_fails stopped at In [" in done.stdout and "TypeError" in done.stdout


def test_check_prints_a_line_an_exercise_and_exits_1_until_all_pass(place, tmp_path):
    done = llmcourse("check", "1", cwd=place)
    assert done.returncode == 1 and done.stderr == ""
    assert done.stdout.splitlines()[1:4:2] == [
        "  add       10 points  passed",
        "  join      12 points  not solved yet",
    ]
    answers = {
        "add": "sum(items)",
        "double": "2 * items[0]",
        "join": "' '.join(items[0])",
        "longest": "max(items[0], key=len)",
        "count": "{c: items[0].count(c) for c in items[0]}",
    }
    bodies = {name: f"    return {answer}" for name, answer in answers.items()}
    mine = write_course(tmp_path, **bodies)
    done = llmcourse("check", SLUG, "--notebook", str(mine), cwd=place)
    assert done.returncode == 0, done.stdout
    last = done.stdout.splitlines()[-2:]
    assert last[0] == "5 of 5 exercises pass their visible checks (60 of 60 points)"
    assert last[1] == f"hand in: {mine}, saved, under this name"


def test_progress_lists_every_unit_even_beside_a_broken_one(place, tmp_path):
    done = llmcourse("progress", cwd=place)
    assert done.returncode == 0
    assert "  add       10 points  written" in done.stdout
    last = done.stdout.splitlines()[-2:]
    assert last[0] == "1 of 5 exercises have an answer written (10 of 60 points)"
    assert last[1].startswith("next: `double` in") and "11 points, about 1 minutes" in last[1]
    write_course(tmp_path)
    broken = tmp_path / "course" / "02_broken" / "02_broken.ipynb"
    broken.parent.mkdir()
    broken.write_text("{")
    done = llmcourse("progress", cwd=tmp_path)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == f"{SLUG}: not begun (5 exercises, 60 points)"
    assert lines[1] == "0 of 5 exercises have an answer written (0 of 60 points)"
    assert done.stderr.startswith(f"llmcourse: {broken} is not a notebook of this course")


def test_help_is_shown_when_nothing_is_asked():
    done = llmcourse()
    assert done.returncode == 0
    assert all(f"\n  {name}" in done.stdout for name in ("lab", "run", "check", "progress", "data"))


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["run", "--preset", "huge"], "preset must be one of smoke, cpu, gpu, got 'huge'"),
        (["run", "--device", "tpu"], "device must be one of auto, cpu, cuda, got 'tpu'"),
        (["run", "--seed", "-1"], "seed must be a whole number"),
        (["run", "--seed", "one"], "Invalid value for '--seed'"),
        (["run", "--jobs", "0"], "expected --jobs of 1 or more, got 0"),
        (["run", "--notebooks", "77"], f"no notebook '77': expected a number or a name of {SLUG}"),
        (["run", "--folder", "nowhere"], "no notebooks in nowhere"),
        (["run", "--ladder"], "expected --ladder with --preset cpu, got smoke"),
        (["check", "77"], f"no notebook '77': expected a number or a name of {SLUG}"),
        (["check"], "Missing argument"),
        (["data", "fetch", "gutenberg"], "got 'gutenberg': choose a text"),
        (["serve"], "No such command 'serve'"),
        (["run", "--nonsense"], "No such option: --nonsense"),
    ],
)
def test_a_wrong_command_is_one_line_and_exit_2(place, command, told):
    done = llmcourse(*command, cwd=place)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("llmcourse: ") and told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_cuda_that_is_not_there_is_one_line(place):
    done = llmcourse("run", "--device", "cuda", cwd=place, CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "torch sees no CUDA device here: use device='auto'" in done.stderr


def test_a_place_that_cannot_be_written_is_one_line_and_exit_1(place):
    file = place / "a_file"
    file.touch()
    done = llmcourse("run", "--output", str(file / "out"), cwd=place)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert f"cannot write {file / 'out'}" in done.stderr and "--output" in done.stderr


def test_a_notebook_that_is_not_there_is_one_line_and_exit_1(place):
    done = llmcourse("check", "1", "--notebook", "mine.ipynb", cwd=place)
    assert done.returncode == 1
    assert done.stderr == "llmcourse: no notebook mine.ipynb: name yours with --notebook\n"


def test_data_lists_each_text_with_place_size_and_fingerprint(tmp_path):
    nowhere = {"LLMCOURSE_DATA": "", "XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    done = llmcourse("data", HOME=str(tmp_path), **nowhere)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    kilobytes = len(data.text("manual").encode()) / 1000
    assert f"{kilobytes:,.0f} kB   {data.fingerprint('manual')}   in Python" in lines["manual"]
    fetch = "not on this machine: llmcourse data fetch tinyshakespeare"
    assert lines["tinyshakespeare"].endswith(fetch)


def test_a_text_with_another_content_is_one_line_and_does_not_hide_the_others(tmp_path):
    (tmp_path / "tinyshakespeare.txt").write_text("forged")
    done = llmcourse("data", LLMCOURSE_DATA=str(tmp_path))
    assert done.returncode == 1 and "manual" in done.stdout
    assert done.stderr.startswith("llmcourse: tinyshakespeare: expected tinyshakespeare.txt in")
    assert len(done.stderr.splitlines()) == 1


def test_fetching_offline_is_one_line_that_names_what_is_built_in(tmp_path):
    unreachable = {"https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    nowhere = {"LLMCOURSE_DATA": "", "XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    done = llmcourse(
        "data", "fetch", "tinyshakespeare", HOME=str(tmp_path), **nowhere, **unreachable
    )
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "set LLMCOURSE_DATA" in done.stderr and "manual" in done.stderr


def test_a_relative_folder_of_texts_that_does_not_exist_is_one_line(tmp_path):
    done = llmcourse("data", cwd=tmp_path, LLMCOURSE_DATA="data")
    assert done.returncode == 1 and "manual" in done.stdout
    assert done.stderr.startswith("llmcourse: expected a folder in LLMCOURSE_DATA, got 'data'")
    assert len(done.stderr.splitlines()) == 1


def test_a_relative_folder_of_texts_is_found_from_a_folder_below(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tinyshakespeare.txt").write_text("forged")
    (tmp_path / "02_ngrams").mkdir()
    for place in (tmp_path, tmp_path / "02_ngrams"):
        done = llmcourse("data", cwd=place, LLMCOURSE_DATA="data")
        assert "tinyshakespeare: expected tinyshakespeare.txt in LLMCOURSE_DATA" in done.stderr
