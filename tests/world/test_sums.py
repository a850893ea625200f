"""Sums: right, carried digit by digit on the scratchpad, and the pairs of the splits apart."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.world.engine.splits import split_of
from llmcourse.world.tasks.sums import CLOSE, OPEN, arithmetic, work_out

SEEDS = st.integers(0, 10**6)
DIGITS = st.integers(1, 20)
OPERATIONS = st.sampled_from("+-*")
SPLITS = st.sampled_from(("train", "test"))


def number(digits):
    """Digits apart, as a number: "2 9" is 29."""
    assert re.fullmatch(r"\d( \d)*", digits), digits
    return int(digits.replace(" ", ""))


def read(question):
    """The two numbers and the operation of a question."""
    first, operation, second = re.fullmatch(r"([\d ]+) ([-+*]) ([\d ]+)", question).groups()
    return number(first), operation, number(second)


def result_of(question):
    first, operation, second = read(question)
    return {"+": first + second, "-": first - second, "*": first * second}[operation]


def scratchpad_is_right(text):
    """Whether each line of the scratchpad keeps the value of the sum.

    What is still to do, shifted by the digits already done and with the carry counted in, must be
    worth the whole at every line.
    """
    question, opened, *lines, last, closed, answer = text.split("\n")
    whole = result_of(question)
    if (opened, closed, lines[0]) != (OPEN, CLOSE, f"{question} , C: 0"):
        return False
    for at, line in enumerate(lines):
        rest, done, carry = re.fullmatch(r"(?:([^,]+) )?, (?:(.+) )?C: (\d)", line).groups()
        if len((done or "").split()) != at:
            return False
        worth = result_of(rest) if rest else 0
        worth += -int(carry) if "-" in question else int(carry)
        if worth * 10**at + (number(done) if done else 0) != whole:
            return False
    whole_again = number(last) == whole and len(last.split()) == len(lines)
    return whole_again and number(answer) == whole and answer == " ".join(str(whole))


def sums(n, **choices):
    return list(arithmetic(n, **choices))


def pairs(found):
    return {tuple(sorted(read(s.question)[::2])) for s in found}


# --- the scratchpad ---------------------------------------------------------------------------


def test_sums_worked_by_hand():
    assert work_out(29, 57).text.split("\n") == [
        "2 9 + 5 7", "<scratch>", "2 9 + 5 7 , C: 0", "2 + 5 , 6 C: 1", ", 8 6 C: 0", "0 8 6",
        "</scratch>", "8 6",
    ]  # fmt: skip
    assert work_out(52, 38, "-").scratchpad.split("\n")[1:-1] == [
        "5 2 - 3 8 , C: 0", "5 - 3 , 4 C: 1", ", 1 4 C: 0", "0 1 4"
    ]  # fmt: skip
    assert work_out(47, 6, "*").scratchpad.split("\n")[1:-1] == [
        "4 7 * 6 , C: 0", "4 * 6 , 2 C: 4", ", 8 2 C: 2", "2 8 2"
    ]  # fmt: skip


@given(SEEDS, DIGITS, OPERATIONS, SPLITS)
def test_every_line_of_a_scratchpad_keeps_the_value_of_the_sum(seed, digits, operation, split):
    for one in sums(
        5, digits=digits, operation=operation, scratchpad=True, seed=seed, split=split
    ):  # fmt: skip
        assert scratchpad_is_right(one.text), one.text
        assert number(one.answer) == result_of(one.question)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("2 + 5 , 6 C: 1", "2 + 5 , 6 C: 0"),
        ("2 + 5 , 6 C: 1", "2 + 5 , 5 C: 1"),
        ("2 + 5 , 6 C: 1", "2 + 4 , 6 C: 1"),
        (", 8 6 C: 0", ", 7 6 C: 0"),
        ("0 8 6", "1 8 6"),
        ("</scratch>\n8 6", "</scratch>\n8 7"),
        ("</scratch>\n8 6", "</scratch>\n0 8 6"),
    ],
)
def test_the_checker_finds_each_wrong_line(right, wrong):
    text = work_out(29, 57).text
    assert right in text
    assert scratchpad_is_right(text)
    assert not scratchpad_is_right(text.replace(right, wrong))


def test_a_scratchpad_changes_nothing_else():
    plain, worked = sums(50, digits=5), sums(50, digits=5, scratchpad=True)
    assert [(s.question, s.answer) for s in plain] == [(s.question, s.answer) for s in worked]
    assert {s.scratchpad for s in plain} == {""}
    assert plain[0].text == f"{plain[0].question}\n{plain[0].answer}"


# --- which sums ---------------------------------------------------------------------------------


@given(SEEDS, st.tuples(DIGITS, DIGITS).map(sorted), OPERATIONS)
def test_numbers_have_the_digits_asked_for(seed, digits, operation):
    least, most = digits
    for one in sums(10, digits=(least, most), operation=operation, seed=seed):
        first, _, second = read(one.question)
        sizes = [len(str(first)), len(str(second))]
        assert least <= sizes[0] <= most
        assert sizes[1] == (1 if operation == "*" else sizes[0])
        assert result_of(one.question) >= 0


def test_all_lengths_of_a_range_are_met_and_as_often():
    lengths = [len(one.answer.split()) for one in sums(3_000, digits=(2, 4), operation="-")]
    assert set(lengths) == {1, 2, 3, 4}
    sizes = [len(str(read(s.question)[0])) for s in sums(3_000, digits=(2, 4))]
    assert all(0.3 < sizes.count(size) / 3_000 < 0.37 for size in (2, 3, 4))


@pytest.mark.parametrize("operation", "+-*")
def test_carries_are_frequent(operation):
    carried = [
        re.findall(r"C: (\d)", s.scratchpad)[1:]
        for s in sums(2_000, digits=3, operation=operation, scratchpad=True)
    ]
    shares = [sum(carries[at] != "0" for carries in carried) / 2_000 for at in range(3)]
    assert min(shares[:2]) > 0.35
    assert all(share < 0.85 for share in shares)


@pytest.mark.parametrize("operation", "+-*")
def test_no_pair_of_numbers_is_in_both_splits_in_any_order_or_operation(operation):
    train = pairs(sums(20_000, digits=(1, 3), operation=operation))
    test = set()
    for other in "+-*":
        test |= pairs(sums(5_000, digits=(1, 3), operation=other, split="test"))
    assert not train & test
    assert len(train) > 600
    assert len(test) > 1_000
    for split, found in (("train", train), ("test", test)):
        assert {split_of(f"{larger} {smaller}") for smaller, larger in found} == {split}


def test_the_larger_number_stands_first_as_often_as_second():
    found = [read(s.question) for s in sums(4_000, digits=4)]
    assert 0.47 < sum(first > second for first, _, second in found) / 4_000 < 0.53


# --- the stream -----------------------------------------------------------------------------------
