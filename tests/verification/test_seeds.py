"""A seed that takes points from a right answer, or gives them to a wrong one, is found out."""

from autograder.exercise import (
    Case,
    Exercise,
    drawn,
    expect_equal,
    expect_near,
    expect_that,
    fraction,
    untold,
)
from autograder.sandbox.forks import in_forks
from autograder.verification import seeds
from autograder.verification.answer_bank import right, wrong
from autograder.verification.local import run_locally
from autograder.verification.trials import Workbench
from tests.verification.test_contracts import ROOT, bench
from tests.verification.test_trust import ANSWERS, hidden_tests, workbench


def lines(made, tmp_path, number=30):
    return list(seeds.try_seeds(made, tmp_path / "kept", number, workers=2))


def test_tests_that_hold_have_no_failure(tmp_path):
    [line] = lines(workbench(), tmp_path)
    assert (line.exercise, line.seeds, line.right, line.wrong) == ("mean", 30, 3, 3)
    assert line.failures == ()
    assert str(line).startswith("mean: 30 seeds, 3 right and 3 wrong answers, 0 failures, ")


def with_case(judge_of, weight=1):
    mean = hidden_tests()

    def inputs(rng):
        numbers = [rng.randint(1, 4) for _ in range(2)]
        yield (numbers,), judge_of(numbers)

    mean.cases.append(Case("two numbers", weight, inputs))
    return mean


def misjudged(numbers):
    """A mistake is looked for first, and a right value may look like it."""

    def judge(outcome):
        if outcome.value == max(numbers):
            return "that is the largest one"
        return expect_near(sum(numbers) / 2, 1e-9, "the mean.")(outcome)

    return judge


def test_a_seed_that_costs_a_right_answer_points_is_named_with_the_message(tmp_path):
    [line] = lines(workbench(with_case(misjudged)), tmp_path)
    assert line.failures
    assert all("that is the largest one" in failure for failure in line.failures)
    first = "right answer, the solution: loses points and is told: two numbers: that is the largest"
    assert first in line.failures[0]
    number = int(line.failures[0].split(":")[0].removeprefix("seed "))
    assert fraction(workbench(with_case(misjudged)).mark(
        "mean", ANSWERS[0].function, seeds.secret(number)
    )) < 1  # fmt: skip


@wrong("mean", hint="the mean")
def first_of_two(numbers):
    if not numbers:
        raise ValueError
    return numbers[0] if len(numbers) == 2 and numbers[0] < 4 else sum(numbers) / len(numbers)


def visible_mean(answer):
    assert answer([1.0, 1.0]) == 1.0


def test_a_seed_that_leaves_a_wrong_answer_all_points_is_named(tmp_path):
    exercise = with_case(lambda numbers: expect_equal(sum(numbers) / 2, "the mean."))
    made = workbench(exercise, answers=(*ANSWERS, first_of_two))
    made.unit.checks["mean"] = visible_mean
    [line] = lines(made, tmp_path)
    assert line.failures
    assert all("wrong answer, first_of_two: keeps all points" in said for said in line.failures)


@wrong("mean", hint="the mean")
def never_ends(numbers):
    while True:
        pass


def test_a_wrong_answer_that_does_not_end_is_called_once(tmp_path, monkeypatch):
    monkeypatch.setattr(seeds, "CALL_SECONDS", 0.1)
    [line] = lines(workbench(answers=(*ANSWERS, never_ends)), tmp_path, number=50)
    assert line.failures == () and line.seconds < 5


def counting_exercise():
    """Its function remembers how often it was asked, as some of the hidden tests' do."""
    mean = Exercise("mean")

    @mean.case(weight=1, property="asks twice")
    def _(rng):
        asked = []
        yield (lambda: asked.append(1),), expect_that(lambda value: len(asked) == 2, "ask twice.")

    return mean


@right("mean")
def asks_twice(ask):
    ask()
    ask()


@wrong("mean", hint="ask twice")
def asks_once(ask):
    ask()


def test_hidden_tests_that_fail_themselves_are_named_with_the_seed(tmp_path):
    def fails(numbers):
        raise KeyError("no such number")

    [line] = lines(workbench(with_case(fails)), tmp_path, number=3)
    assert line.failures[0] == "seed 0: the tests themselves fail: KeyError: 'no such number'"
    assert len(line.failures) == 3


def test_functions_among_the_arguments_are_fresh_for_each_answer(tmp_path):
    answers = (asks_twice, asks_twice, asks_once)
    solution = "def mean(ask):\n    ask()\n    return ask()\n"
    [line] = lines(workbench(counting_exercise(), solution=solution, answers=answers), tmp_path)
    assert line.failures == ()


def test_a_run_that_was_stopped_goes_on(tmp_path, monkeypatch):
    tried = []

    def spy(work, items, **limits):
        tried.extend(items)
        return in_forks(work, items, **limits)

    monkeypatch.setattr(seeds, "in_forks", spy)
    monkeypatch.setattr(seeds, "CHUNK", 50)
    [first] = lines(workbench(), tmp_path, number=120)
    assert [len(chunk) for _, chunk in tried] == [50, 50, 20]
    kept = tmp_path / "kept"
    kept.write_text("".join(kept.read_text().splitlines(keepends=True)[:2]))
    tried.clear()
    [again] = lines(workbench(), tmp_path, number=120)
    assert len(tried) == 1
    assert (again.failures, again.seeds) == (first.failures, 120)


def test_the_record_holds_the_command_and_the_numbers(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Workbench, "of", lambda root, slug: workbench(with_case(misjudged)))
    record = tmp_path / "seeds.md"
    assert not seeds.try_course(tmp_path, ["99_mean"], 30, workers=2, record=record)
    assert "99_mean mean: 30 seeds" in capsys.readouterr().out
    text = record.read_text()
    assert "`autograder verify --seeds 30`" in text and "| mean | 30 | 3 | 3 | " in text


# --- the case that was found


def test_no_secret_makes_equal_shares_of_a_right_sample():
    """83 of 20,000 seeds drew shares near 1/4, which a right sample of them looks like, too."""
    made = bench("02_ngrams")
    exercise, solution = made.unit.exercises["generate"], made.names["generate"]
    core = Exercise("generate", cases=exercise.cases[:1])

    def each_as_often(next_probs, prompt, length, n, uniform):
        return [list(next_probs(()))[int(4 * uniform())] for _ in range(length)]

    for number in range(150):
        assert fraction(run_locally(core, solution, seeds.secret(number))) == 1
        [result] = run_locally(core, each_as_often, seeds.secret(number))
        assert result.message.startswith("all tokens are drawn equally often")


def test_the_core_of_every_exercise_tells_every_mistake_after_few_draws():
    for slug in sorted(path.name for path in (ROOT / "solutions").glob("0*")):
        for name, exercise in bench(slug).unit.exercises.items():
            for number in range(3):
                inputs = drawn(exercise.cases[0], seeds.secret(number))
                assert not untold(inputs), (slug, name, number)
