"""Running notebooks side by side: outcomes, reports, and leaving nothing behind."""

import base64
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from llmcourse.commands import notebook
from llmcourse.commands import outcome as run_outcome
from llmcourse.commands import probe as run_probe
from llmcourse.commands import report as run_report
from llmcourse.commands import run as run_module
from llmcourse.commands.notebook import NotebookProcess
from llmcourse.commands.outcome import Figure, Outcome, Report
from llmcourse.commands.run import (
    RunError,
    UsageError,
    find_notebooks,
    keep_ladder,
    longest_first,
    run_notebooks,
)
from llmcourse.runtime import LadderRow
from tests import nbval_kernels

ROOT = Path(__file__).parents[2]
SETUP = "from llmcourse.runtime import setup\nrt = setup(preset, device, seed)"
PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
SLEEP = (
    "import subprocess, sys, time\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
    "time.sleep(300)"
)


def write_notebook(folder: Path, slug: str, *sources: str) -> Path:
    """A notebook with the parameters cell; a source that begins with # and a blank is markdown."""
    parameters = new_code_cell('preset = "cpu"\ndevice = "auto"\nseed = 0')
    parameters.metadata["tags"] = ["parameters"]
    book = new_notebook(cells=[parameters])
    for source in sources:
        new = new_markdown_cell if re.match("#+ ", source) else new_code_cell
        book.cells.append(new(source))
    path = folder / slug / f"{slug}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(book, path)
    return path


def started(command: list[str], **environment: str) -> subprocess.Popen:
    """The command line in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "llmcourse.commands.cli", *command],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """One run over a notebook that passes, one with a failing cell, and one whose kernel dies."""
    place = tmp_path_factory.mktemp("mixed")
    good = [
        "# A <title>",
        SETUP,
        'rt.claim("it <learns> & holds", 0.5, True)',
        'rt.ladder("uniform", 6.0, parameters=0, tokens=0, seconds=0.1, corpus="toy")\n'
        'rt.ladder("bigram", 3.0, parameters=9, tokens=1000, seconds=1.5, corpus="toy")',
        'rt.record("speed", 1234567.0, "tokens/s")',
        "## The <figure>",
        PLOT,
        "import os, sys\nprint(os.environ['OMP_NUM_THREADS'], sys.executable, os.getcwd())",
    ]
    written = write_notebook(place / "course", "01_good", *good)
    (written.parent / "figures").mkdir()
    (written.parent / "figures" / "net.svg").write_text("<svg/>")
    failing = [
        "def f(x):\n    return 1 / x  # <here>",
        "## Where it fails",
        "f(0)",
        "print('after')",
    ]
    write_notebook(place / "course", "02_failing", *failing)
    write_notebook(place / "course", "03_dies", "import os\nos._exit(3)")
    report = run_notebooks(place / "course", place / "out", preset="cpu", seed=7)
    return place / "out", report


def outcome(report: Report, slug: str) -> Outcome:
    return next(one for one in report.outcomes if one.slug == slug)


def test_outcomes_come_in_course_order_with_their_status(mixed):
    _, report = mixed
    found = [(one.slug, one.status) for one in report.outcomes]
    assert found == [("01_good", "passed"), ("02_failing", "failed"), ("03_dies", "died")]
    assert not report.ok


def test_a_passing_notebook_reports_what_it_showed(mixed):
    good = outcome(mixed[1], "01_good")
    claim = {"text": "it <learns> & holds", "value": 0.5, "holds": True, "enforced": True}
    assert good.claims == [claim]
    assert good.records == [{"name": "speed", "value": 1234567.0, "unit": "tokens/s"}]
    assert [row["model"] for row in good.ladder] == ["uniform", "bigram"]
    assert [figure.caption for figure in good.figures] == ["The <figure>"]
    assert base64.b64decode(good.figures[0].data).startswith(b"\x89PNG")
    assert 20 < good.peak_mib < 2000 and good.seconds > 0.5


def test_the_kernel_is_this_interpreter_with_one_thread_in_a_folder_of_its_own(mixed):
    book = nbformat.read(mixed[0] / "01_good.ipynb", as_version=4)
    threads, python, folder = book.cells[-1].outputs[0].text.split()
    assert (threads, python) == ("1", sys.executable)
    assert not Path(folder).exists()


def test_parameters_reach_the_notebook(mixed):
    book = nbformat.read(mixed[0] / "01_good.ipynb", as_version=4)
    injected = next(c for c in book.cells if "injected-parameters" in c.metadata.get("tags", []))
    assert 'preset = "cpu"' in injected.source and "seed = 7" in injected.source


def test_a_failing_cell_is_shown_with_source_and_traceback(mixed):
    failure = outcome(mixed[1], "02_failing").failure
    assert failure.source == "f(0)"
    assert failure.message == "ZeroDivisionError: division by zero"
    assert "'Where it fails'" in failure.where and "In [" in failure.where
    assert "return 1 / x  # <here>" in failure.traceback and "\x1b" not in failure.traceback
    told = run_report.details(mixed[1])
    assert "02_failing stopped at In [" in told and "  | f(0)" in told and "# <here>" in told


def test_a_dead_kernel_names_the_cell_it_died_in(mixed):
    failure = outcome(mixed[1], "03_dies").failure
    assert failure.source == "import os\nos._exit(3)"
    assert "kernel died" in failure.message and failure.where == "cell 3 of 3"


class Page(HTMLParser):
    """The text of a page, its tags, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.tags, self.loads = "", set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.text += data


def test_the_page_needs_nothing_else_and_escapes_everything(mixed):
    page = Page((mixed[0] / "report.html").read_text(encoding="utf-8"))
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in page.loads)
    assert not page.tags & {"script", "link", "learns", "title>", "here"}
    shown = ["it <learns> & holds", "The <figure>", "# <here>", "ZeroDivisionError", "1,234,567"]
    assert [text for text in shown if text not in page.text] == []
    assert page.text.index("uniform") < page.text.index("bigram")


def test_the_json_report_holds_the_same_data(mixed):
    data = json.loads((mixed[0] / "report.json").read_text(encoding="utf-8"))
    assert (data["preset"], data["seed"], data["ok"]) == ("cpu", 7, False)
    good, failing, _ = data["outcomes"]
    assert good["claims"][0]["text"] == "it <learns> & holds"
    assert good["ladder"][1]["bits_per_char"] == 3.0 and good["figures"] == ["The <figure>"]
    assert failing["failure"]["source"] == "f(0)"


def test_only_whole_files_are_left(mixed):
    names = {path.name for path in mixed[0].iterdir()}
    assert names == {"01_good.ipynb", "02_failing.ipynb", "report.html", "report.json", "figures"}


def test_the_drawings_lie_beside_the_executed_notebooks(mixed):
    assert (mixed[0] / "figures" / "net.svg").read_text() == "<svg/>"


def test_an_enforced_claim_fails_the_run_and_a_smoke_claim_does_not(tmp_path):
    write_notebook(tmp_path / "course", "01_claim", SETUP, 'rt.claim("it learns", 0.5, False)')
    report = run_notebooks(tmp_path / "course", tmp_path / "out", preset="cpu")
    told = run_report.details(report)
    assert not report.ok and "broken claim: 01_claim: it learns [0.5]" in told
    report = run_notebooks(tmp_path / "course", tmp_path / "out", preset="smoke")
    assert report.ok and outcome(report, "01_claim").claims[0]["holds"] is False
    page = Page((tmp_path / "out" / "report.html").read_text())
    assert "no (not enforced at smoke)" in page.text
    assert "All notebooks ran: 1 claim not enforced" in page.text and "hold" not in page.text


def test_claims_are_counted_apart_where_they_were_not_enforced():
    one = Outcome("01_x", "passed", 1.0, 10.0)
    assert run_report.claims(one) == "no claims"
    one.claims = [{"holds": holds, "enforced": False} for holds in (True, True, False)]
    assert run_report.claims(one) == "3 claims not enforced"
    one.claims += [{"holds": True, "enforced": True}]
    assert run_report.claims(one) == "1 of 1 claims hold, 3 claims not enforced"
    assert run_report.line(one).endswith("1 of 1 claims hold, 3 claims not enforced, 0 figures")


ENDINGS = {  # a cell that ends the notebook early: what the run says, and where
    "import sys; sys.exit()": ("In [3]", "SystemExit ended the notebook"),
    "import sys; sys.exit(0)": ("In [3]", "SystemExit: 0 ended the notebook"),
    "raise SystemExit": ("In [3]", "SystemExit ended the notebook"),
    "exit()": ("cell 3 of 6", "the cell ended the kernel with exit() or quit()"),
    "quit": ("cell 3 of 6", "the cell ended the kernel with exit() or quit()"),
    "import os; os._exit(0)": ("cell 3 of 6", "the kernel died"),
}


@pytest.fixture(scope="module")
def endings(tmp_path_factory):
    """One run over notebooks of three cells of which the second ends the notebook."""
    place = tmp_path_factory.mktemp("endings")
    for number, ending in enumerate(ENDINGS, 1):
        write_notebook(place / "course", f"{number:02}_x", ending, "# Below", "1", "2")
    return run_notebooks(place / "course", place / "out", preset="smoke")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_notebook_that_ends_early_has_not_passed(endings, ending):
    one = endings.outcomes[list(ENDINGS).index(ending)]
    where, message = ENDINGS[ending]
    assert one.status in ("failed", "died") and not endings.ok
    assert (one.failure.where, one.failure.source) == (where, ending)
    assert one.failure.message.startswith(message)
    told = run_report.details(endings)
    assert f"{one.slug} stopped at {where}: {message}" in told


def code(source: str, count: int | None, *tags: str, error: str = "") -> dict:
    raised = {"output_type": "error", "ename": error, "evalue": "", "traceback": []}
    cell = {"cell_type": "code", "source": source, "execution_count": count}
    return cell | {"metadata": {"tags": list(tags)}, "outputs": [raised] if error else []}


def test_a_cell_that_should_have_run_and_did_not_is_a_failure():
    heading = {"cell_type": "markdown", "source": "# Here", "metadata": {}}
    cells = [code("1", 1), heading, code("2", None), code("3", None)]
    found = run_outcome.failure(cells)
    assert found.where == "cell 3 of 4, under 'Here'" and found.source == "2"
    assert found.message == "this cell never ran: the notebook ended above it"
    cells[:0] = [code("0", 1, error="SystemExit")]
    assert run_outcome.failure(cells).message.endswith("cells that did not run: 2")


def test_cells_that_are_not_meant_to_run_or_may_raise_are_no_failure():
    empty, skipped = code(" \n", None), code("1", None, "skip-execution")
    allowed = code("1 / 0", 1, "raises-exception", error="ZeroDivisionError")
    assert run_outcome.failure([empty, skipped, allowed, code("2", 2)]) is None
    assert run_outcome.failure([allowed, code("3", 2, error="ValueError")]).source == "3"


def test_a_cell_over_its_time_is_named(tmp_path):
    path = write_notebook(tmp_path, "01_x", "import time; time.sleep(60)", "1")
    process = NotebookProcess(path, tmp_path / "done.ipynb", {}, execution_timeout=1)
    try:
        while not process.poll():
            time.sleep(0.05)
        one = run_outcome.collect(process, tmp_path / "done.ipynb")
    finally:
        process.stop()
    assert one.status == "died" and one.failure.message == "ran longer than 1 s"
    assert one.failure.source == "import time; time.sleep(60)"


def test_the_variable_for_the_preset_overrides(tmp_path, monkeypatch):
    monkeypatch.setenv("LLMCOURSE_PRESET", "smoke")
    write_notebook(tmp_path / "course", "01_any", SETUP, "assert rt.preset == 'smoke'")
    report = run_notebooks(tmp_path / "course", tmp_path / "out", preset="cpu")
    assert report.ok and report.preset == "smoke"


def test_an_old_result_is_never_taken_for_a_new_one(tmp_path):
    write_notebook(tmp_path / "course", "01_dies", "import os\nos._exit(1)")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "01_dies.ipynb").write_text("{}")
    (tmp_path / "out" / "mine.ipynb").write_text("{}")
    report = run_notebooks(tmp_path / "course", tmp_path / "out", preset="smoke")
    assert report.outcomes[0].status == "died"
    assert not (tmp_path / "out" / "01_dies.ipynb").exists()
    assert (tmp_path / "out" / "mine.ipynb").exists()  # and nobody else's file is touched


def test_a_run_never_writes_over_its_source(tmp_path):
    path = write_notebook(tmp_path / "course", "01_any", "1")
    with pytest.raises(UsageError, match="would overwrite"):
        run_notebooks(tmp_path / "course", path.parent, preset="smoke")
    assert path.exists()


def test_a_file_that_is_no_notebook_is_a_failure_with_a_reason(tmp_path):
    path = write_notebook(tmp_path / "course", "01_torn")
    path.write_text(path.read_text()[:40])
    report = run_notebooks(tmp_path / "course", tmp_path / "out", preset="smoke")
    assert report.outcomes[0].status == "unreadable" and report.outcomes[0].failure.message


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as POSIX does")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_leaves_no_process_behind(tmp_path, number):
    write_notebook(tmp_path / "course", "01_sleeps", SLEEP)
    write_notebook(tmp_path / "course", "02_sleeps", SLEEP)
    places = ["--folder", str(tmp_path / "course"), "--output", str(tmp_path / "out")]
    (tmp_path / "tmp").mkdir()
    command = started(["run", *places, "--jobs", "1"], TMPDIR=str(tmp_path / "tmp"))
    family = wait_for_family(command, members=3)  # worker, kernel, and the kernel's child
    command.send_signal(number)
    _, told = command.communicate(timeout=300)
    left = survivors(family)
    for process in left:
        process.kill()
    assert left == []
    assert list((tmp_path / "tmp").iterdir()) == []
    assert list((tmp_path / "out").glob(".partial-*")) == []
    if number != signal.SIGKILL:
        assert command.returncode == 128 + number
        name = signal.Signals(number).name
        assert told == f"llmcourse: interrupted by {name}: 0 of 2 notebooks had finished\n"
        data = json.loads((tmp_path / "out" / "report.json").read_text())
        assert [one["status"] for one in data["outcomes"]] == ["interrupted", "not run"]


def wait_for_family(process: subprocess.Popen, members: int) -> list[psutil.Process]:
    """The descendants of a process once there are that many and the last one sleeps."""
    for _ in range(3000):
        family = psutil.Process(process.pid).children(recursive=True)
        with suppress(psutil.NoSuchProcess):  # a helper of the kernel may end between two looks
            if len(family) >= members and any("time.sleep" in "".join(p.cmdline()) for p in family):
                return family
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    raise AssertionError("no notebook was started within 300 s")


def survivors(family: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run a minute later; an ended process nobody waited for does not."""
    left = []
    for process in psutil.wait_procs(family, timeout=60)[1]:
        with suppress(psutil.NoSuchProcess):
            left += [process] if process.status() != psutil.STATUS_ZOMBIE else []
    return left


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, capsys):
    def full(path, *_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    write_notebook(tmp_path / "course", "01_any", "1")
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(RunError, match=r"^cannot write .*: No space left on device; free some"):
        run_notebooks(tmp_path / "course", tmp_path / "out", preset="smoke")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="needs a limit on the size of files")
def test_a_notebook_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path):
    import resource

    write_notebook(tmp_path / "course", "01_big", "print('x' * 300_000)")
    places = ["--folder", str(tmp_path / "course"), "--output", str(tmp_path / "out")]
    limit = (200_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    done = subprocess.run(
        [sys.executable, "-m", "llmcourse.commands.cli", "run", *places],
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
        capture_output=True,
        text=True,
    )
    target = tmp_path / "out" / "01_big.ipynb"
    assert done.stderr == f"llmcourse: cannot write {target}: File too large; free some space\n"
    assert done.returncode == 1 and list((tmp_path / "out").iterdir()) == []


def test_notebooks_are_found_by_number_or_name(tmp_path):
    one = write_notebook(tmp_path, "01_one")
    two = write_notebook(tmp_path, "02_two")
    (tmp_path / "02_two" / "scratch.ipynb").write_text("{}")
    assert find_notebooks(tmp_path) == [one, two]
    assert find_notebooks(tmp_path, "2, 01_one 02") == [two, one]
    with pytest.raises(UsageError, match=r"no notebook '3': expected .* 01_one, 02_two"):
        find_notebooks(tmp_path, "3")
    with pytest.raises(UsageError, match="no notebooks in"):
        find_notebooks(tmp_path / "nowhere")


def test_the_longest_of_the_last_run_start_first_and_new_ones_before_them(tmp_path):
    names = [Path(f"{name}.ipynb") for name in ("a", "b", "c")]
    report = tmp_path / "report.json"
    assert longest_first(names, report) == names
    outcomes = [{"slug": "a", "seconds": 1.0}, {"slug": "b", "seconds": 2.0}]
    report.write_text(json.dumps({"outcomes": outcomes}))
    assert [path.stem for path in longest_first(names, report)] == ["c", "b", "a"]


def ladder_row(model: str, bits: float) -> dict:
    row = {"model": model, "bits_per_char": bits, "parameters": 1, "tokens": 2, "seconds": 0.1}
    return row | {"corpus": "toy"}


def test_a_ladder_row_that_drifts_is_a_warning(monkeypatch):
    committed = [LadderRow(**ladder_row("bigram", 3.0)), LadderRow(**ladder_row("trigram", 2.5))]
    monkeypatch.setattr(run_outcome, "committed_ladder", lambda: committed)
    rows = [ladder_row("bigram", 3.019), ladder_row("trigram", 2.55), ladder_row("new", 1.0)]
    rows.append(ladder_row("bigram", 9.0) | {"corpus": "another"})
    one = Outcome("01_x", "passed", 1.0, 10.0, ladder=rows)
    assert run_outcome.warnings(one, "cpu") == [
        "ladder: trigram on toy scores 2.550 bits per character; 2.500 is committed",
        "ladder: new on toy has no committed row in llmcourse/ladder.json",
    ]
    assert run_outcome.warnings(one, "smoke") == []


def test_time_and_memory_over_the_budget_are_warnings():
    one = Outcome("01_x", "passed", 130.0, 3000.0)
    memory = "used 3000 MiB of memory; cpu allows 2048 MiB"
    took = "took 130 s; cpu allows 120 s on this machine"
    assert run_outcome.warnings(one, "cpu", slowness=1.0) == [took, memory]
    assert run_outcome.warnings(one, "cpu", slowness=0.5) == [took, memory]  # a fast one: no less


def test_time_on_a_slow_machine_is_measured_by_its_own_clock():
    assert run_outcome.warnings(Outcome("01_x", "passed", 29.0, 10.0), "smoke", 2.0) == []
    told = run_outcome.warnings(Outcome("01_x", "passed", 31.0, 10.0), "smoke", 2.0)
    assert told == ["took 31 s; smoke allows 30 s on this machine"]


def test_the_probe_says_how_many_times_the_reference_a_round_takes():
    ticks = accumulate([0, 9, 0, 2, 0, 1, 0, 3, 0, 2])  # five rounds; one was disturbed
    found = run_probe.slowness(clock=lambda: next(ticks) * run_probe.REFERENCE_SECONDS)
    assert found == pytest.approx(2)


def test_a_run_is_judged_by_the_slower_of_two_probes(tmp_path, monkeypatch):
    probes = iter([1.5, 3.0])
    monkeypatch.setattr(run_module, "slowness", lambda: next(probes))
    write_notebook(tmp_path / "course", "01_any", "1")
    monkeypatch.setattr(run_outcome, "SECONDS_ALLOWED", {"smoke": 0.0})
    report = run_notebooks(tmp_path / "course", tmp_path / "out", preset="smoke")
    assert report.slowness == 3.0
    [told] = report.outcomes[0].warnings
    assert told.endswith("smoke allows 0 s on this machine")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "3.0 times the reference" in page


def report_of(*rows: dict, preset: str = "cpu", status: str = "passed") -> Report:
    one = Outcome("01_x", status, 1.0, 10.0, ladder=list(rows))
    return Report(preset, "auto", 0, "2026-01-01T00:00:00", 1.0, [one])


def test_keeping_the_ladder_replaces_all_rows_or_only_its_own(tmp_path):
    path = tmp_path / "ladder.json"
    path.write_text(json.dumps([ladder_row("old", 4.0), ladder_row("bigram", 9.0)]))
    keep_ladder(report_of(ladder_row("bigram", 3.14159)), path, every_notebook=False)
    kept = [(row["model"], row["bits_per_char"]) for row in json.loads(path.read_text())]
    assert kept == [("old", 4.0), ("bigram", 3.1416)]
    keep_ladder(report_of(ladder_row("bigram", 3.0)), path, every_notebook=True)
    assert [row["model"] for row in json.loads(path.read_text())] == ["bigram"]


def test_a_failed_or_a_smoke_run_keeps_no_ladder(tmp_path):
    path = tmp_path / "ladder.json"
    with pytest.raises(RunError, match="the run failed"):
        keep_ladder(report_of(status="failed"), path, every_notebook=True)
    with pytest.raises(UsageError, match="preset cpu, got smoke"):
        keep_ladder(report_of(preset="smoke"), path, every_notebook=True)
    assert not path.exists()


def test_values_that_json_has_not_are_text_in_both_reports(tmp_path):
    nan = run_outcome.finite(float("nan"))
    report = report_of(ladder_row("broken", nan), ladder_row("fine", 2.0))
    report.outcomes[0].figures = [Figure('"><script>', "aGk=")]
    run_report.write(report, tmp_path)
    row = json.loads((tmp_path / "report.json").read_text())["outcomes"][0]["ladder"][0]
    assert row["bits_per_char"] == "nan"
    assert "script" not in Page((tmp_path / "report.html").read_text()).tags


@pytest.mark.parametrize(("failures", "status"), [(2, "passed"), (3, "unreadable")])
@pytest.mark.parametrize(
    "words", ["died before replying to kernel_info", "didn't respond in 60 seconds"]
)
def test_a_kernel_that_another_process_took_a_port_from_is_started_again(
    tmp_path, monkeypatch, words, failures, status
):
    path, tries = write_notebook(tmp_path / "course", "01_kernel"), []

    def execute(*args, **keywords):
        tries.append(args)
        if len(tries) <= failures:
            raise RuntimeError(f"Kernel {words}")

    monkeypatch.setattr("papermill.execute_notebook", execute)
    job = {"notebook": str(path), "output": str(tmp_path / "out.ipynb"), "parameters": {}}
    done = notebook._execute(job | {"folder": str(tmp_path), "options": {}}, tell=print)
    assert done["status"] == status and len(tries) == min(failures + 1, 3)


def test_nbval_starts_a_kernel_again_that_ended_at_once(monkeypatch):
    tries = []

    def start(*args, **keywords):
        tries.append(keywords)
        if len(tries) < 3:
            raise RuntimeError("Kernel died before replying to kernel_info")
        return "manager", "client"

    monkeypatch.setattr(nbval_kernels, "start_new_kernel", start)
    assert nbval_kernels.start_new_kernel_again(kernel_name="python3") == ("manager", "client")
    assert tries == [{"kernel_name": "python3"}] * 3
