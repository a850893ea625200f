"""The learner's command line: lab, run, check, progress, data, train, sample.

Every failure is one line on stderr: exit 1 for a failure, 2 for a wrong command.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pooch
import typer

from llmcourse.commands import progress as state
from llmcourse.commands import run as runner
from llmcourse.text import corpora as data

PACKAGE = Path(__file__).parents[1]

app = typer.Typer(
    help="Run the course's notebooks, check your answers, see your progress, get texts, train.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
texts = typer.Typer(help="List the course's texts, or fetch one.", invoke_without_command=True)
app.add_typer(texts, name="data")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> int:
    """Open JupyterLab on course/, without nbgrader's panels for instructors.

    More options go to JupyterLab, as in `llmcourse lab --no-browser`.
    """
    folder = runner.find_root() / "course"
    search = [str(PACKAGE / "jupyter"), os.environ.get("JUPYTER_CONFIG_PATH")]
    environment = {"JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, search))}
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    options = ["-m", "jupyterlab", f"--notebook-dir={folder}", *as_root, *context.args]
    command, environment = [sys.executable, *options], os.environ | environment
    if os.name == "posix":
        os.execve(sys.executable, command, environment)  # signals reach JupyterLab itself
    return subprocess.call(command, env=environment)


@app.command()
def run(
    preset: Annotated[str, typer.Option(help="smoke, cpu or gpu.")] = "smoke",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of every notebook.")] = 0,
    notebooks: Annotated[str, typer.Option(help='As "01 02_ngrams"; default: all.')] = "",
    folder: Annotated[
        Path | None, typer.Option(help="Where the notebooks are; default: solutions/.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Where the reports go; default: build/run/.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Notebooks at a time; default: cores.")] = None,
    ladder: Annotated[
        bool, typer.Option("--ladder", help="Keep this run's ladder with the package.")
    ] = False,
) -> int:
    """Execute notebooks side by side; write a report; exit 1 if one fails or a claim is broken."""
    if ladder and preset != "cpu":
        raise runner.UsageError(f"expected --ladder with --preset cpu, got {preset}: add it")
    folder = folder or runner.find_root() / "solutions"
    output = output or runner.find_root() / "build" / "run"
    report = runner.run_notebooks(
        folder,
        output,
        wanted=notebooks,
        preset=preset,
        device=device,
        seed=seed,
        jobs=jobs,
    )
    if ladder:
        kept = PACKAGE / "ladder.json"
        runner.keep_ladder(report, kept, every_notebook=not notebooks)
    return 0 if report.ok else 1


@app.command()
def check(
    unit: Annotated[str, typer.Argument(help="As 02 or 02_ngrams.")],
    notebook: Annotated[
        Path | None, typer.Option(help="Your notebook, if it is not the one in course/.")
    ] = None,
) -> int:
    """Run the visible checks on your notebook; exit 1 unless all pass."""
    course = runner.find_root() / "course"
    known = {path.stem: path for path in state.course_notebooks(course)}
    slug = runner.slug_of(unit, known)
    mine = state.read(notebook or known[slug], slug)
    state.check(mine)
    typer.echo(state.table(mine))
    typer.echo(state.summary([mine], checked=True))
    _say_next([mine], checked=True)
    return 0 if all(exercise.passed for exercise in mine.exercises) else 1


@app.command()
def progress(
    run: Annotated[bool, typer.Option("--run", help="Run the visible checks, too.")] = False,
) -> int:
    """Show what you have written in course/, unit by unit, or with --run what passes."""
    units, code = [], 0
    for path in state.course_notebooks(runner.find_root() / "course"):
        try:
            unit = state.read(path, path.stem)
            copy = state.better_copy(unit)
            if run and unit.begun:
                state.check(unit)
        except runner.Interrupted:
            raise
        except runner.RunError as error:  # one broken notebook does not hide the others
            code = _say(error, error.exit_code)
        else:
            units.append(unit)
            typer.echo(state.table(unit) + (f"\n  {copy}" if copy else "") + "\n" * unit.begun)
    typer.echo(state.summary(units, checked=run))
    _say_next(units, checked=run)
    return code


def _say_next(units: list[state.Unit], checked: bool) -> None:
    for line in state.next_steps(units, checked):
        typer.echo(line)


@app.command()
def train(
    files: Annotated[list[Path], typer.Argument(help="Text in UTF-8; each file is a document.")],
    output: Annotated[
        Path | None, typer.Option(help="A new folder for the model; default: FILE-model.")
    ] = None,
    tokenizer: Annotated[str, typer.Option(help="characters or bpe.")] = "characters",
    vocab_size: Annotated[int, typer.Option(help="Tokens of bpe.")] = 1024,
    layers: Annotated[int, typer.Option()] = 4,
    width: Annotated[int, typer.Option(help="Of the hidden states, a multiple of 32.")] = 128,
    context: Annotated[int, typer.Option(help="The longest text the model sees, in tokens.")] = 128,
    batch: Annotated[int, typer.Option(help="Rows of `context` tokens a step.")] = 32,
    steps: Annotated[int, typer.Option()] = 1000,
    seed: Annotated[int, typer.Option()] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run there.")] = False,
) -> int:
    """Train a language model on text files; write it as transformers and engines load it.

    torchrun --nproc-per-node 2 --no-python llmcourse train FILE shares the work between processes.
    """
    from llmcourse.commands.train import Settings, train_files  # takes seconds

    output = output or Path(f"{files[0].stem}-model")
    try:
        settings = Settings(tokenizer, vocab_size, layers, width, context, batch, steps, seed)
    except ValueError as error:
        raise runner.UsageError(str(error)) from None
    train_files(files, output, settings, resume)
    return 0


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="As `llmcourse train` wrote it.")],
    prompt: Annotated[str, typer.Option(help="What the text begins with.")] = "",
    tokens: Annotated[int, typer.Option(help="The most to write.")] = 500,
    temperature: Annotated[float, typer.Option(help="Below 1 more probable, 0 greedy.")] = 0.8,
    top_p: Annotated[float | None, typer.Option(help="Of the probability that is kept.")] = None,
    seed: Annotated[int, typer.Option()] = 0,
) -> int:
    """Write text with a trained model."""
    from llmcourse.commands.sample import write  # takes seconds

    def say(piece: str) -> None:
        sys.stdout.write(piece)
        sys.stdout.flush()

    write(folder, prompt, tokens, temperature, top_p, seed, say)
    return 0


@texts.callback()
def list_texts(context: typer.Context) -> int:
    """List the course's texts: where each is found, its size and fingerprint."""
    if context.invoked_subcommand:
        return 0
    code = 0
    for name in (*data.BUILT_IN, *data.DOWNLOADS):
        place = _place(name)
        if not place:
            typer.echo(f"{name:<16} not on this machine: llmcourse data fetch {name}")
            continue
        try:
            typer.echo(_described(name, place))
        except data.DataError as error:
            code = _say(f"{name}: {error}", 1)
    return code


@texts.command()
def fetch(name: Annotated[str, typer.Argument(help="As `llmcourse data` lists it.")]) -> int:
    """Download a text unless it is here already, and check it."""
    known = (*data.BUILT_IN, *data.DOWNLOADS)
    if name not in known:
        raise runner.UsageError(f"expected one of {', '.join(known)}, got {name!r}: choose a text")
    data.text(name)
    typer.echo(_described(name, _place(name)))
    return 0


def _place(name: str) -> str:
    """Return where a text is on this machine; empty if it would have to be downloaded."""
    if name in data.BUILT_IN:
        return f"in Python {platform.python_version()}"
    file = data.DOWNLOADS[name].file
    folders = (data.local_folder(), pooch.os_cache("llmcourse"))
    paths = [Path(folder) / file for folder in folders if folder]
    return str(next((path for path in paths if path.is_file()), ""))


def _described(name: str, place: str) -> str:
    kilobytes = len(data.text(name).encode()) / 1000
    return f"{name:<16}{kilobytes:8,.0f} kB   {data.fingerprint(name)}   {place}"


def main() -> None:
    """Run a command; turn every error that a person can mend into one line on stderr."""
    try:
        code = app(sys.argv[1:] or ["--help"], prog_name="llmcourse", standalone_mode=False)
    except typer.Abort:
        code = _say("aborted", 1)
    except runner.RunError as error:
        code = _say(error, error.exit_code)
    except data.DataError as error:
        code = _say(error, 1)
    except typer.TyperException as error:  # a wrong command line
        code = _say(f"{error.format_message()} (see llmcourse --help)", error.exit_code)
    sys.exit(code)


def _say(message: object, code: int) -> int:
    print(f"llmcourse: {' '.join(str(message).split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
