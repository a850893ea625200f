"""The instructor's command line: build, release, grade, report, doctor.

Every failure is one line on stderr: exit 1 for a failure, 2 for a wrong command.
"""

import difflib
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from autograder.course import find_slug, load_unit, slugs
from autograder.errors import AutograderError

app = typer.Typer(
    help="Release units, grade submissions in a sandbox, report.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

CourseOption = Annotated[
    Path, typer.Option("--course", help="Course directory (holds nbgrader_config.py).")
]
Units = Annotated[list[str] | None, typer.Argument(metavar="[UNIT...]", help="As 02 or 02_ngrams.")]
OneUnit = Annotated[
    str | None, typer.Argument(metavar="[UNIT]", help="As 02 or 02_ngrams; default: all.")
]
Student = Annotated[str, typer.Option("--student", help="Student id, or a glob.")]
HERE = Path()
INTERRUPTED = 130


class Usage(Exception):
    """A wrong command: exit 2."""


@app.command()
def build(units: Units = None, course: CourseOption = HERE) -> None:
    """Execute solutions/*.py and write solutions/*.ipynb."""
    from autograder import release as steps

    for slug in _slugs(course, units):
        typer.echo(steps.build(course.resolve(), slug))


@app.command()
def release(
    units: Units = None,
    course: CourseOption = HERE,
    hints: Annotated[int, typer.Option(min=0, max=3, help="Levels of hints to keep.")] = 3,
) -> None:
    """Write the learners' notebooks, without solutions and outputs, to course/."""
    from autograder import release as steps

    for slug in _slugs(course, units):
        typer.echo(steps.release(course.resolve(), slug, hints=hints))


@app.command()
def grade(
    unit: OneUnit = None,
    student: Student = "*",
    force: Annotated[
        bool, typer.Option("--force", help="Grade again what is graded already.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Submissions at a time; default: one a core.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDR", help="A running Dask scheduler, tls://HOST:PORT.")
    ] = None,
    course: CourseOption = HERE,
) -> None:
    """Grade submitted/ in the sandbox; write gradebook and feedback; print the class table."""
    from tqdm import tqdm

    from autograder import report
    from autograder.classroom import Classroom, students_of
    from autograder.marking import grade_unit, has_page
    from autograder.schedule import Workers

    logging.getLogger("tornado.application").setLevel(logging.CRITICAL)  # nbgrader's tracebacks
    room = Classroom.open(course)
    work = {
        slug: students_of(room, slug, student) for slug in _slugs(course, [unit] if unit else None)
    }
    if not any(work.values()):
        where = room.folder("submitted", student, next(iter(work)) if unit else "UNIT")
        raise AutograderError(f"no submissions found: expected directories {where}")
    failed, without_page = 0, list[str]()
    with Workers(workers, scheduler) as beside:
        for slug, students in work.items():
            if not students:
                continue
            with tqdm(total=len(students), desc=slug, unit="submission", disable=None) as bar:
                entries = grade_unit(
                    room, slug, students, force=force, workers=beside,
                    progress=lambda entry: bar.update(),
                )  # fmt: skip
            done = [e for e in entries if e.result.state != "infrastructure"]
            new = [e.student for e in done if not has_page(room, e)]
            without_page += report.write_feedback(room, slug, new)
            _print_table(room, slug, entries)
            failed += len(entries) - len(done)
    typer.echo(f"feedback pages: {room.folder('feedback', 'STUDENT', 'UNIT')}")
    if without_page:
        names = ", ".join(report.printable(name) for name in without_page)
        raise AutograderError(f"no feedback page for {names}: is there a pattern in the id?")
    if failed:
        raise AutograderError(
            f"{failed} submissions could not be graded, through no fault of theirs (state "
            "infrastructure); nothing was recorded for them: run the same command again"
        )


@app.command(name="report")
def report_(unit: OneUnit = None, student: Student = "*", course: CourseOption = HERE) -> None:
    """Print the class table of what is graded; grades nothing."""
    from autograder.classroom import Classroom
    from autograder.marking import report_of

    room = Classroom.open(course)
    tables = {
        slug: report_of(room, slug, student) for slug in _slugs(course, [unit] if unit else None)
    }
    if not any(tables.values()):
        raise AutograderError("nothing is graded yet: run `autograder grade` first")
    for slug, entries in tables.items():
        if entries:
            _print_table(room, slug, entries)


@app.command()
def doctor() -> None:
    """Say whether submissions can be isolated on this machine."""
    from autograder import sandbox

    problem = sandbox.available()
    if problem:
        raise AutograderError(problem)
    typer.echo("submissions can be isolated here: a sandbox started and ended")


def _print_table(room: Any, slug: str, entries: list[Any]) -> None:
    from autograder import report
    from autograder.gradebook import scores

    unit = load_unit(room.root, slug)
    typer.echo("\n" + report.class_table(unit, entries, scores(room, slug)) + "\n")


def _slugs(root: Path, names: list[str] | None) -> list[str]:
    """Slugs for the names given, all units without one; Usage for a name that is none."""
    known = slugs(root.resolve())
    if not known:
        raise AutograderError(
            f"no units in {root.resolve() / 'solutions'}: "
            "is this a course directory? use --course DIR"
        )
    chosen = []
    for name in names or known:
        try:
            chosen.append(find_slug(root.resolve(), name))
        except AutograderError as error:
            close = difflib.get_close_matches(
                name, [*known, *(slug[3:] for slug in known)], n=1, cutoff=0.5
            )
            raise Usage(f"{error}" + (f"; did you mean {close[0]}?" if close else "")) from None
    return chosen


def main() -> None:
    """Run a command; turn every expected failure into one line and an exit status."""
    start_sooner()
    try:
        sys.exit(_run())
    except AutograderError as error:
        _fail(str(error), 1)
    except Usage as error:
        _fail(str(error), 2)
    except OSError as error:
        _fail(f"{error.filename or 'input or output'}: {error.strerror or error}", 1)
    except KeyboardInterrupt:
        _fail(
            "interrupted: what was graded is kept, the same command goes on from there", INTERRUPTED
        )


def start_sooner() -> None:
    """Leave out what takes most of the time to import nbgrader: jsonschema can check IRIs with it,
    and nothing here has any.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def _run() -> int:
    """The exit status of the command; a wrong option is one line, too."""
    try:
        status = int(app(standalone_mode=False) or 0)
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # typer's own
            raise Usage(f"{error.format_message()} Try `autograder --help`.") from None
        if type(error).__module__.startswith("sqlalchemy"):
            from autograder.gradebook import one_line

            raise AutograderError(
                f"gradebook: {one_line(error)}; is it in use, or the disk full?"
            ) from None
        raise
    if status == INTERRUPTED:  # typer turns Ctrl-C into this
        raise KeyboardInterrupt
    return status


def _fail(message: str, status: int) -> None:
    print(f"autograder: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)
