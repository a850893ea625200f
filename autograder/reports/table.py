"""What a terminal shows of a graded class: the table of students, and what it says about a unit."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from autograder.course import Unit
from autograder.files import printable

if TYPE_CHECKING:
    from autograder.classroom.gradebook import Graded, Scores
    from autograder.reports.analysis import Analysis

MISCONCEPTIONS = 10  # shown of a unit
BAR = 40  # characters of the longest bar


def class_table(unit: Unit, graded: Sequence["Graded"], scores: Mapping[str, "Scores"]) -> str:
    """Return students by exercises, with each submission's state; notices and errors below."""
    exercises = unit.info.exercises
    header = ["student", *(str(i) for i in range(1, len(exercises) + 1)), "auto", "total", "state"]
    ordered = sorted(graded, key=lambda entry: entry.student)
    rows = [header, *(_student_row(unit, entry, scores.get(entry.student)) for entry in ordered)]
    lines = [f"{unit.slug}: {unit.info.title}", *_aligned(rows, left=(0, len(header) - 1))]
    legend = ", ".join(f"{i} {e.id} ({e.points})" for i, e in enumerate(exercises, 1))
    lines.append(f"exercises (points): {legend}; total counts what is graded by hand and penalties")
    for entry in ordered:
        lines += [f"  {printable(entry.student)}: {printable(notice)}" for notice in entry.notices]
    return "\n".join(lines)


def names_line(what: str, students: Iterable[str]) -> list[str]:
    """Return a line below a class table that names students who are not in it; none without any."""
    names = ", ".join(map(printable, sorted(students)))
    return [f"{what}: {names}"] if names else []


def _student_row(unit: Unit, entry: "Graded", book: "Scores | None") -> list[str]:
    """Return a line of the class table: student, points an exercise, their sum, total, state."""
    points = {e.name: e.points for e in entry.result.exercises}
    state = entry.result.state
    if book is not None:
        state += _open(book)
    infrastructure = entry.result.state == "infrastructure"
    cells = [
        f"{points.get(e.id, 0):.4g}" if not infrastructure else "?" for e in unit.info.exercises
    ]
    auto = "?" if infrastructure else f"{sum(points.values()):.4g}"
    total = f"{book.score:.4g}" if book is not None else "?"
    return [printable(entry.student), *cells, auto, total, state]


def _open(book: "Scores") -> str:
    """Return what is added to the state if a person has something to do or a penalty was taken."""
    parts = {
        "written answer to read": book.needs_manual_grade and not book.again,
        "a mark of earlier work to look at again": book.again,
        f"late, {book.penalty:.4g} points off the total": book.penalty,
    }
    return "".join(f"; {what}" for what, there in parts.items() if there)


def summary(analysis: "Analysis") -> str:
    """Return the scores, difficulty of each exercise and most frequent misconceptions of a unit."""
    lines = [headline(analysis), *_bars(analysis)]
    header = ["exercise", "tried", "solved", "mean", "of", "discrimination"]
    rows = [
        [
            about.name,
            f"{about.tried:.0%}",
            f"{about.solved:.0%}",
            f"{about.mean:.1f}",
            f"{about.max_points:g}",
            "-" if about.discrimination is None else f"{about.discrimination:.2f}",
        ]
        for about in analysis.exercises
    ]
    lines += ["", *_aligned([header, *rows], left=(0,))]
    if analysis.kills:
        lines += ["", "what tests that learners wrote tell apart (share of the submissions):"]
        lines += [f"{k.caught:5.0%}  {k.exercise}: {k.impostor}" for k in analysis.kills]
    if analysis.misconceptions:
        lines += ["", "what went wrong most often (students, exercise, hint shown):"]
        lines += [
            f"{found.students:5}  {found.exercise}: {printable(found.hint)}"
            for found in analysis.misconceptions[:MISCONCEPTIONS]
        ]
    return "\n".join(lines)


def headline(analysis: "Analysis") -> str:
    """Say in a sentence how many handed in, their mean score, and what is left to do."""
    count, points = len(analysis.totals), analysis.info.points
    means = f"mean {analysis.mean:.1f} and median {analysis.median:.1f} of {points} points"
    left = {
        "written answers to read": analysis.to_read,
        "unreadable": analysis.unreadable,
        "students who handed in nothing": analysis.absent,
    }
    todo = [f"{what}: {number}" for what, number in left.items() if number]
    return "; ".join([f"{count} submission{'s' * (count != 1)}, {means}", *todo])


def _bars(analysis: "Analysis") -> list[str]:
    """Return the distribution of scores as lines of text."""
    counts, edges = analysis.histogram, analysis.edges
    most = max(counts)
    return [
        f"{low:5g} to {high:<4g} {'#' * round(BAR * count / most)} {count or ''}".rstrip()
        for low, high, count in zip(edges, edges[1:], counts, strict=False)
    ]


def _aligned(rows: Sequence[Sequence[str]], left: Iterable[int]) -> list[str]:
    """Return the lines of a table; columns in `left` are aligned left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    flush = set(left)
    return [
        "  ".join(
            cell.ljust(width) if i in flush else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
