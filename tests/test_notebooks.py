"""Every notebook runs top to bottom at smoke: the solutions, and the untouched course of a
learner."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import nbformat
import pytest

from autograder.course import appendices, read_info, slugs

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module", params=["solutions", "course"])
def folder_and_report(request, tmp_path_factory):
    output = tmp_path_factory.mktemp(request.param)
    command = ["run", "--preset", "smoke", "--folder", request.param, "--output", str(output)]
    done = subprocess.run(
        [sys.executable, "-m", "llmcourse.commands.cli", *command],
        cwd=ROOT,
        env={**os.environ, "LLMCOURSE_DATA": ""},  # works without any download
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return request.param, output, json.loads((output / "report.json").read_text())


def code_outputs(path):
    cells = nbformat.read(path, as_version=4).cells
    return [(c, o) for c in cells if c.cell_type == "code" for o in c.outputs]


def test_every_notebook_passes(folder_and_report):
    _, _, report = folder_and_report
    assert {o["slug"]: o["status"] for o in report["outcomes"]} == dict.fromkeys(
        slugs(ROOT) + appendices(ROOT), "passed"
    )
    assert all(o["claims"] for o in report["outcomes"])


def test_nothing_is_written_to_stderr(folder_and_report):
    _, output, _ = folder_and_report
    for slug in slugs(ROOT) + appendices(ROOT):
        told = [
            o.text for _, o in code_outputs(output / f"{slug}.ipynb") if o.get("name") == "stderr"
        ]
        assert told == []


def test_each_exercise_reports_in_one_line(folder_and_report):
    folder, output, _ = folder_and_report
    verdict = "passed" if folder == "solutions" else "not solved yet"
    for slug in slugs(ROOT):
        told = defaultdict(str)
        for c, o in code_outputs(output / f"{slug}.ipynb"):
            if c.metadata.get("nbgrader", {}).get("locked"):
                told[c.metadata.nbgrader.grade_id] += o.data["text/plain"]
        assert told == {
            f"{e.id}_check": f"{e.id}: {verdict}" for e in read_info(ROOT, slug).exercises
        }
