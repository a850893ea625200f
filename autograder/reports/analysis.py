"""What the results of a class say: scores, how hard each exercise was, what went wrong most often.

Difficulty is computed over the submissions that could be read. The discrimination of an exercise is
the correlation of its points with the sum of all other points (the corrected item-total correlation
of test theory): near 1 if those who do well elsewhere do well here, near 0 or below if it measures
something else or is broken.
"""

import statistics
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.classroom.gradebook import Graded, Scores
from autograder.classroom.room import Classroom
from autograder.course import Unit, UnitInfo
from autograder.exercise import REASONS
from autograder.grading.result import Result

NOT_TRIED = {REASONS["unsolved"], REASONS["missing"]}  # messages that name no mistake
ENOUGH = 5  # submissions; with fewer a correlation says nothing


@dataclass(frozen=True)
class Difficulty:
    """How a class did on one exercise."""

    name: str
    title: str
    max_points: float
    tried: float  # fraction of submissions with an answer in the solution cell
    solved: float  # fraction with all points
    mean: float  # points
    discrimination: float | None  # -1 to 1; None where it says nothing


@dataclass(frozen=True)
class Misconception:
    """A hint of the hidden tests and to how many students it was shown."""

    exercise: str
    hint: str
    students: int


@dataclass(frozen=True)
class Kill:
    """An impostor, and the fraction of submissions whose test surely catches it."""

    exercise: str
    impostor: str  # "catches an attention that ..."
    caught: float


@dataclass(frozen=True)
class Analysis:
    """One unit of one class."""

    info: UnitInfo
    totals: tuple[float, ...]  # a submission each, unreadable ones included; in points
    unreadable: int
    absent: int  # students of the gradebook who handed in nothing
    to_read: int  # written answers that wait for a person and count 0 until then
    exercises: tuple[Difficulty, ...]
    misconceptions: tuple[Misconception, ...]  # most frequent first
    kills: tuple[Kill, ...] = ()  # of exercises whose answer is a test

    @property
    def mean(self) -> float:
        """Mean total, in points."""
        return statistics.fmean(self.totals)

    @property
    def median(self) -> float:
        """Median total, in points."""
        return statistics.median(self.totals)

    @property
    def edges(self) -> list[float]:
        """Where the bars of the score distribution begin and end: ten from 0 to all points."""
        return [self.info.points * i / 10 for i in range(11)]

    @property
    def histogram(self) -> list[int]:
        """How many totals each bar holds; extra credit beyond all points counts to the last."""
        bars = [min(sum(t >= edge for edge in self.edges[1:]), 9) for t in self.totals]
        return [bars.count(i) for i in range(10)]


def analyse(
    unit: Unit, graded: Sequence[Graded], scores: Mapping[str, Scores], absent: int = 0
) -> Analysis:
    """Return what the recorded results of a unit say.

    scores: what the gradebook holds; a submission without an entry counts with its automatic
    points. Raises ValueError without a submission.
    """
    if not graded:
        raise ValueError("expected at least one graded submission, got none")
    results = [entry.result for entry in graded if entry.result.state == "graded"]
    books = {e.student: scores[e.student] for e in graded if e.student in scores}
    return Analysis(
        info=unit.info,
        totals=tuple(
            books[e.student].score if e.student in books else e.result.points for e in graded
        ),
        unreadable=sum(entry.result.state == "unreadable" for entry in graded),
        absent=absent,
        to_read=sum(book.needs_manual_grade and not book.again for book in books.values()),
        exercises=tuple(_difficulties(unit, results)) if results else (),
        misconceptions=tuple(_misconceptions(results)),
        kills=tuple(_kills(unit, results)) if results else (),
    )


def absent(room: Classroom, submitted: Collection[str]) -> list[str]:
    """Return the students of the gradebook who are not among `submitted`."""
    with room.book() as book:
        return [student.id for student in book.students if student.id not in submitted]


def _difficulties(unit: Unit, results: Sequence[Result]) -> Iterable[Difficulty]:
    found = [{exercise.name: exercise for exercise in result.exercises} for result in results]
    for about in unit.info.exercises:
        answers = [exercises[about.id] for exercises in found]
        points = [answer.points for answer in answers]
        others = [result.points - mine for result, mine in zip(results, points, strict=True)]
        yield Difficulty(
            name=about.id,
            title=about.title,
            max_points=about.points,
            tried=statistics.fmean(a.status not in ("unsolved", "missing") for a in answers),
            solved=statistics.fmean(mine >= about.points for mine in points),
            mean=statistics.fmean(points),
            discrimination=_correlation(points, others),
        )


def _kills(unit: Unit, results: Sequence[Result]) -> Iterable[Kill]:
    """Yield the impostors of the unit; a submission that was not tried on one has missed it."""
    for name, exercise in unit.exercises.items():
        for case in exercise.cases[1:] if exercise.is_test else ():
            passed = [
                any(told.property == case.property and told.passed for told in answer.cases)
                for result in results
                for answer in result.exercises
                if answer.name == name
            ]
            yield Kill(name, case.property, statistics.fmean(passed))


def _correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Return Pearson's r; None for few values and where one side is constant."""
    if len(x) < ENOUGH or len(set(x)) == 1 or len(set(y)) == 1:
        return None
    return statistics.correlation(x, y)


def _misconceptions(results: Iterable[Result]) -> list[Misconception]:
    """Return the hints shown first, most frequent first; ties are in alphabetical order.

    One mistake often fails several properties, so only the first hint of each answer is counted.
    """
    shown = Counter(
        (exercise.name, exercise.message)
        for result in results
        for exercise in result.exercises
        if exercise.points < exercise.max_points and exercise.message not in NOT_TRIED
    )
    ranked = sorted(shown.items(), key=lambda entry: (-entry[1], entry[0]))
    return [Misconception(exercise, hint, students) for (exercise, hint), students in ranked]
