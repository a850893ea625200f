"""One notebook in one fresh kernel, in a process of its own that never leaves its kernel behind.

`NotebookProcess` starts this file as a worker (`python -m llmcourse.commands.notebook`), which runs
papermill. The kernel is always this interpreter with this `llmcourse`, whatever kernels are
installed elsewhere, and works in a temporary folder. If the starter stops the worker, or dies
itself, the kernel and all it started end too: the worker watches its standard input, which closes
with the starter.

Left out: order and parallelism (`run`), and what the notebook showed (`outcome`).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
SECONDS_A_SAMPLE = 0.25  # between two samples of the memory, each of which takes some milliseconds
# jupyter_client's words for a kernel one of whose ports another process had taken: it ends at once,
# or its answers never arrive.
NO_ANSWER = ("Kernel died before replying", "Kernel didn't respond")
MAY_RAISE = "raises-exception"  # the tag of a cell whose error is part of the text
NOT_INHERITED = ("MPLBACKEND", "NBGRADER_VALIDATING", "NBGRADER_EXECUTION")


class NotebookProcess:
    """A notebook being executed: `poll` it until it is true, and `stop` it in any case.

    output: where the executed notebook goes; it appears whole or not at all.
    options: `allow_errors` runs on after a failing cell; `execution_timeout` is in seconds a cell.
    """

    def __init__(
        self, notebook: Path, output: Path, parameters: dict[str, Any], **options: Any
    ) -> None:
        self.cell, self.cells, self.peak_bytes = 0, 1, 0
        self.outcome: dict[str, Any] = {"status": "died", "message": "the worker ended early"}
        self._started, self._ended = time.monotonic(), 0.0
        self._next_sample = 0.0
        self._family: set[psutil.Process] = set()
        self._output = output
        self._partial = output.with_name(f".partial-{output.name}")
        self._folder = Path(tempfile.mkdtemp(prefix="llmcourse-"))
        self.records_path = self._folder / "records.jsonl"
        job = {
            "notebook": str(notebook),
            "output": str(self._partial),
            "parameters": parameters,
            "folder": str(self._folder),
            "options": options,
        }
        try:
            (self._folder / "work").mkdir()
            self._stderr = (self._folder / "stderr").open("w+b")
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "llmcourse.commands.notebook"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                env=self._environment(str(parameters.get("preset", ""))),
                start_new_session=True,  # Ctrl-C reaches the starter alone
            )
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        assert self._worker.stdin and self._worker.stdout
        self._jobs, self._messages = self._worker.stdin, self._worker.stdout
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        with suppress(BrokenPipeError):  # a worker that cannot start is seen by poll
            self._jobs.write(json.dumps(job).encode() + b"\n")
            self._jobs.flush()

    def _environment(self, preset: str) -> dict[str, str]:
        """Return the worker's environment: one thread, our kernel, where to write records."""
        kernel = self._folder / "jupyter" / "kernels" / "python3"
        kernel.mkdir(parents=True)
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": command, "display_name": "Python 3 (ipykernel)", "language": "python"}
        (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        environment = {k: v for k, v in os.environ.items() if k not in NOT_INHERITED}
        environment |= dict.fromkeys(THREADS, "1")
        search = [str(kernel.parents[1]), *filter(None, [os.environ.get("JUPYTER_PATH")])]
        environment["JUPYTER_PATH"] = os.pathsep.join(search)
        environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self._folder))
        environment["LLMCOURSE_RECORDS"] = str(self.records_path)
        if preset:
            environment["LLMCOURSE_PRESET"] = preset
        clone = Path(__file__).resolve().parents[2]
        if (clone / "pyproject.toml").is_file():  # used from a clone, installed or not
            found = [str(clone), *filter(None, [os.environ.get("PYTHONPATH")])]
            environment["PYTHONPATH"] = os.pathsep.join(found)
        if os.environ.get("LLMCOURSE_DATA"):  # the notebook runs in another folder
            environment["LLMCOURSE_DATA"] = os.path.abspath(os.environ["LLMCOURSE_DATA"])
        return environment

    def _listen(self) -> None:
        """Take the worker's messages, one JSON object a line, until it closes the pipe."""
        for line in self._messages:
            message = json.loads(line)
            if "cell" in message:
                self.cell, self.cells = message["cell"], message["of"]
            else:
                self.outcome = message

    @property
    def seconds(self) -> float:
        """Wall seconds from start to end, kernel start included."""
        return (self._ended or time.monotonic()) - self._started

    @property
    def records(self) -> list[dict[str, Any]]:
        """What the notebook recorded so far, through `llmcourse.runtime`."""
        try:
            lines = self.records_path.read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        records = []
        for line in lines:
            with suppress(json.JSONDecodeError):  # the last line of a run cut short
                records.append(json.loads(line))
        return records

    def poll(self) -> bool:
        """Sample the memory of the kernel and its children; True once the notebook has ended."""
        if self._worker.poll() is None:
            self._sample()
            return False
        if not self._ended:
            self._ended = time.monotonic()
            self._reader.join(timeout=5)
            self._publish()
        return True

    def _sample(self) -> None:
        if time.monotonic() < self._next_sample:
            return
        self._next_sample = time.monotonic() + SECONDS_A_SAMPLE
        with suppress(psutil.Error):
            kernels = psutil.Process(self._worker.pid).children(recursive=True)
            self._family.update(kernels)
            resident = 0
            for process in kernels:
                with suppress(psutil.Error):
                    resident += process.memory_info().rss
            self.peak_bytes = max(self.peak_bytes, resident)

    def _publish(self) -> None:
        """Give the executed notebook its final name in one step."""
        if self.outcome["status"] == "died" and "source" not in self.outcome:
            self._stderr.seek(0)
            self.outcome["traceback"] = self._stderr.read()[-4000:].decode("utf-8", "replace")
        if self._partial.exists() and self.outcome["status"] in ("passed", "failed"):
            os.replace(self._partial, self._output)

    def stop(self) -> None:
        """End the worker, its kernel and all they started, and clean up; safe to call twice."""
        with suppress(psutil.Error):
            worker = psutil.Process(self._worker.pid)
            worker.suspend()  # so that it starts nothing more while we look
            self._family.update([worker, *worker.children(recursive=True)])
        for process in self._family:
            with suppress(psutil.Error):  # psutil never kills another process that took over an id
                process.kill()
        self._worker.wait()
        psutil.wait_procs(list(self._family), timeout=5)
        for pipe in (self._jobs, self._messages, self._stderr):
            with suppress(OSError):
                pipe.close()
        self._partial.unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)


class _AskedToExit(Exception):
    """A cell called exit() or quit()."""


def asked_to_exit(execute_reply: dict[str, Any]) -> bool:
    """Say whether a cell called IPython's exit() or quit().

    The kernel ends a moment later, in whatever cell runs then, so it must be noticed here.
    """
    payload = execute_reply["content"].get("payload", [])
    return any(one.get("source") == "ask_exit" for one in payload)


def _work() -> None:
    """Read a job from standard input, execute it, report on standard output."""
    job = json.loads(sys.stdin.readline())
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the kernel prints past Jupyter must not mix with our messages
    threading.Thread(target=_end_with_starter, args=[job], daemon=True).start()

    def tell(**message: Any) -> None:
        report.write(json.dumps(message) + "\n")
        report.flush()

    tell(**_execute(job, tell))


def _execute(job: dict[str, Any], tell: Any, tries: int = 3) -> dict[str, Any]:
    """Run papermill on a job and return its outcome: a status, a message, where it stopped.

    tell: sends a message to the starter; it gets one as each cell begins.
    """
    import nbformat
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    here = {"source": ""}

    def started(cell: Any, cell_index: int) -> None:
        here["source"] = cell.source
        tell(cell=cell_index, of=cells)

    def executed(cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
        if asked_to_exit(execute_reply):
            raise _AskedToExit

    try:
        cells = 1 + len(nbformat.read(job["notebook"], as_version=4).cells)  # and the parameters
        papermill.execute_notebook(
            job["notebook"],
            job["output"],
            parameters=job["parameters"],
            kernel_name="python3",
            language="python",
            request_save_on_cell_execute=False,
            progress_bar=False,
            cwd=Path(job["folder"], "work"),
            on_cell_start=started,
            on_cell_executed=executed,
            **job["options"],
        )
    except PapermillExecutionError as error:
        if not _may_raise(job["output"], error.cell_index):
            return {"status": "failed", "message": "a cell raised an error"}  # the notebook has it
    except _AskedToExit:
        message = "the cell ended the kernel with exit() or quit(): remove that call"
        return {"status": "died", "message": message, "source": here["source"]}
    except CellTimeoutError:
        limit = job["options"].get("execution_timeout")
        return {"status": "died", "message": f"ran longer than {limit} s", "source": here["source"]}
    except DeadKernelError:
        message = "the kernel died: out of memory, or the process was ended from inside"
        return {"status": "died", "message": message, "source": here["source"]}
    except OSError as error:
        reason = error.strerror or str(error)
        return {"status": "unwritable", "message": reason, "errno": error.errno}
    except Exception as error:
        if str(error).startswith(NO_ANSWER) and tries > 1:
            return _execute(job, tell, tries - 1)
        return {"status": "unreadable", "message": f"{type(error).__name__}: {error}"[:2000]}
    return {"status": "passed", "message": ""}


def _may_raise(executed: str, index: int) -> bool:
    """Say whether the last cell that raised, by its index, is tagged `raises-exception`.

    Papermill fails at such a cell, nbclient and nbval do not. Its remarks on the cell are then
    removed from the executed notebook. A cell without the tag would have ended the run, so only the
    last one need be looked at.
    """
    import nbformat
    from papermill.execute import remove_error_markers
    from papermill.iorw import write_ipynb

    notebook = remove_error_markers(nbformat.read(executed, as_version=4))
    if MAY_RAISE not in notebook.cells[index].metadata.get("tags", []):
        return False
    write_ipynb(notebook, executed)
    return True


def _end_with_starter(job: dict[str, Any]) -> None:
    """Block until the starter closes our standard input; then end our kernel and ourselves."""
    with suppress(OSError):
        os.read(0, 1)
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            process.kill()
    Path(job["output"]).unlink(missing_ok=True)
    shutil.rmtree(job["folder"], ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    _work()
