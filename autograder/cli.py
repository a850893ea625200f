"""The instructor's command line: build, release, grade, feedback, report, export, verify, doctor.

Every failure is one line on stderr: exit 1 for a failure, 2 for a wrong command.
"""

import difflib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from autograder.course import appendices, find_slug, load_unit, slugs
from autograder.errors import AutograderError
from autograder.files import printable

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
Student = Annotated[str, typer.Option("--student", help="Student id as it is, else a glob.")]
HERE = Path()
INTERRUPTED = 130


class Usage(Exception):
    """A wrong command: exit 2."""


@app.command()
def build(units: Units = None, course: CourseOption = HERE) -> None:
    """Execute solutions/*.py and write solutions/*.ipynb."""
    from autograder.publishing import notebooks as steps

    for slug in _slugs(course, units, ungraded=True):
        typer.echo(steps.build(course.resolve(), slug))


@app.command()
def release(
    units: Units = None,
    course: CourseOption = HERE,
    hints: Annotated[int, typer.Option(min=0, max=3, help="Levels of hints to keep.")] = 3,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Write build/learners.zip instead: all they need.")
    ] = False,
) -> None:
    """Write the learners' notebooks, without solutions and outputs, to course/ or into a zip."""
    from autograder.publishing import notebooks as steps
    from autograder.publishing.learners_zip import bundle as write_bundle

    root, chosen = course.resolve(), _slugs(course, units, ungraded=True)
    if bundle:
        typer.echo(write_bundle(root, chosen, root / "build" / "learners.zip", hints=hints))
        return
    for slug in chosen:
        typer.echo(steps.release(root, slug, hints=hints))


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

    from autograder.classroom.feedback import write_feedback
    from autograder.classroom.room import Classroom
    from autograder.classroom.round import grade_unit, has_page
    from autograder.classroom.schedule import Workers
    from autograder.classroom.submitted import students_of, survey

    logging.getLogger("tornado.application").setLevel(logging.CRITICAL)  # nbgrader's tracebacks
    room = Classroom.open(course)
    work = {slug: students_of(room, slug, student) for slug in _slugs(course, unit)}
    left = survey(room, slugs(room.root), student).left
    if not any(work.values()):
        where = room.folder("submitted", student, next(iter(work)) if unit else "UNIT")
        seen = f"; found: {printable('; '.join(left[:3]))}" if left else ""
        raise AutograderError(f"no submissions found: expected directories {where}{seen}")
    failed, without_page, new = 0, list[str](), dict[str, list[str]]()
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
            new[slug] = [e.student for e in done if not has_page(room, e)]
            _print_table(room, slug, entries, student)
            failed += len(entries) - len(done)
    _print_left(left)
    for slug, students in new.items():  # the workers are gone: this forks
        without_page += write_feedback(room, slug, students, beside.count)
    typer.echo(f"feedback pages: {room.folder('feedback', 'STUDENT', 'UNIT')}")
    if without_page:
        names = ", ".join(printable(name) for name in without_page)
        raise AutograderError(f"no feedback page for {names}: run the same command again")
    if failed:
        raise AutograderError(
            f"{failed} submissions could not be graded because of an error of ours (state "
            "infrastructure); nothing was recorded for them: run the same command again"
        )


@app.command()
def feedback(unit: OneUnit = None, student: Student = "*", course: CourseOption = HERE) -> None:
    """Take late penalties and write feedback pages again, after answers were marked by hand."""
    from autograder.classroom.feedback import write_feedback
    from autograder.classroom.room import Classroom
    from autograder.classroom.round import record_again

    room, lost, written = Classroom.open(course), list[str](), 0
    for slug in _slugs(course, unit):
        students = [entry.student for entry in record_again(room, slug, student)]
        lost += write_feedback(room, slug, students, len(os.sched_getaffinity(0)))
        written += len(students)
    if lost or not written:
        raise AutograderError(
            f"expected a feedback page for each graded submission, {len(lost) or 'all'} are "
            "missing: run `autograder grade`"
        )
    typer.echo(f"{written} pages: {room.folder('feedback', 'STUDENT', 'UNIT')}")


@app.command(name="report")
def report_(unit: OneUnit = None, student: Student = "*", course: CourseOption = HERE) -> None:
    """Print the class table and, of a whole class, what it says; write build/report/index.html."""
    from autograder.classroom.gradebook import scores
    from autograder.classroom.room import Classroom
    from autograder.classroom.round import report_of
    from autograder.classroom.submitted import survey
    from autograder.reports import page as report_page
    from autograder.reports import table as report
    from autograder.reports.analysis import absent, analyse

    room = Classroom.open(course)
    found = {slug: report_of(room, slug, student) for slug in _slugs(course, unit)}
    if not any(found.values()):
        raise AutograderError("nothing is graded yet: run `autograder grade` first")
    analyses = []
    for slug, entries in found.items():
        if entries:
            _print_table(room, slug, entries, student)
        if entries and student == "*":
            missing = len(absent(room, {entry.student for entry in entries}))
            about = analyse(load_unit(room.root, slug), entries, scores(room, slug), missing)
            typer.echo(report.summary(about) + "\n")
            analyses.append(about)
    _print_left(survey(room, slugs(room.root), student).left)
    if analyses:
        typer.echo(f"report page: {report_page.write(analyses, room.root / 'build' / 'report')}")


@app.command()
def export(
    unit: OneUnit = None,
    form: Annotated[
        str, typer.Option("--format", help="csv (nbgrader's), canvas, moodle.")
    ] = "csv",
    to: Annotated[Path | None, typer.Option(help="File; default: build/grades_FORMAT.csv.")] = None,
    course: CourseOption = HERE,
) -> None:
    """Write the grades of the gradebook as a CSV file."""
    from autograder.classroom import exports as forms
    from autograder.classroom.room import Classroom

    if form not in forms.FORMS:
        raise Usage(f"expected --format to be one of {', '.join(forms.FORMS)}, got {form!r}")
    room = Classroom.open(course)
    path = to or room.root / "build" / f"grades_{form}.csv"
    for note in forms.export(room, _slugs(course, unit), form, path):
        typer.echo(f"note: {note}", err=True)
    typer.echo(path)


@app.command(name="verify")
def verify_(
    unit: OneUnit = None,
    again: Annotated[
        bool, typer.Option("--all", help="Try everything again, not only what changed.")
    ] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Default: one a core.")] = None,
    seeds: Annotated[
        int, typer.Option(min=0, help="Try right and wrong answers with so many secrets instead.")
    ] = 0,
    record: Annotated[
        Path | None, typer.Option(help="With --seeds: the file that gets the result.")
    ] = None,
    course: CourseOption = HERE,
) -> None:
    """Test the hidden tests: with right answers, wrong answers and mutants of the solutions."""
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    try:
        from autograder.verification.trust import verify_course
    except ModuleNotFoundError as error:
        raise AutograderError(f"verify needs {error.name}: pip install -e '.[dev]'") from None
    slugs, workers = _slugs(course, unit), workers or os.cpu_count() or 1
    if seeds:
        from autograder.verification.seeds import try_course

        root = course.resolve()
        if not try_course(root, slugs, seeds, workers=workers, again=again, record=record):
            raise AutograderError(
                "expected the same grade with every secret, got others (above): mend the hidden "
                "tests"
            )
        return
    if problems := verify_course(course.resolve(), slugs, workers=workers, again=again):
        typer.echo("\n".join(problems))
        raise AutograderError(
            f"the hidden tests cannot be trusted yet: mend the {len(problems)} problem(s) above"
        )


@app.command()
def doctor() -> None:
    """Attack the sandbox from inside and say, line by line, whether it holds on this machine."""
    from autograder.sandbox.doctor import about, examine

    findings = examine()
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.held else 'LEAK'}  {finding.name}: {finding.detail}")
    wrong = [finding.name for finding in findings if not finding.held]
    if wrong:
        raise AutograderError(f"the sandbox does not hold here ({', '.join(wrong)}): do not grade")
    typer.echo(about())


def _print_table(room: Any, slug: str, entries: list[Any], pattern: str) -> None:
    from autograder.classroom.gradebook import scores
    from autograder.classroom.submitted import survey
    from autograder.reports import table as report

    found = survey(room, slugs(room.root), pattern)
    here = set(found.folders[slug])
    lines = [
        report.class_table(load_unit(room.root, slug), entries, scores(room, slug)),
        *report.names_line("not graded yet", here - {entry.student for entry in entries}),
        *report.names_line("nothing handed in", found.students - here),
    ]
    typer.echo("\n" + "\n".join(lines) + "\n")


def _print_left(lines: Sequence[str]) -> None:
    if lines:
        typer.echo("\n  ".join(["in submitted/, but in no table:", *map(printable, lines)]) + "\n")


def _slugs(root: Path, names: str | list[str] | None, *, ungraded: bool = False) -> list[str]:
    """Return the slugs that names mean, or all slugs without any; Usage for an unknown name.

    ungraded: whether appendices are among them.
    """
    known = slugs(root.resolve())
    if ungraded:
        known += appendices(root.resolve())
    if not known:
        raise AutograderError(
            f"no units in {root.resolve() / 'solutions'}: run this in a course directory, or use "
            "--course DIR"
        )
    chosen = []
    for name in [names] if names and isinstance(names, str) else names or known:
        try:
            chosen.append(find_slug(root.resolve(), name, known))
        except AutograderError as error:
            close = difflib.get_close_matches(
                name, [*known, *(slug[3:] for slug in known)], n=1, cutoff=0.5
            )
            raise Usage(f"{error}" + (f"; did you mean {close[0]}?" if close else "")) from None
    return chosen


def main() -> None:
    """Run a command; turn every expected failure into one line and an exit status."""
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


def _run() -> int:
    """Return the exit status of the command; a wrong option is one line, too."""
    try:
        status = int(app(standalone_mode=False) or 0)
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # typer's own
            raise Usage(f"{error.format_message()} Try `autograder --help`.") from None
        if type(error).__module__.startswith("sqlalchemy"):
            from autograder.classroom.gradebook import one_line

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
