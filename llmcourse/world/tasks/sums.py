"""Sums, with and without a scratchpad that works them out digit by digit.

A small model that must write the answer at once has to do all carries in one step. On the
scratchpad each carry is written down before the next digit.

source: Nye et al., Show Your Work: Scratchpads for Intermediate Computation with Language Models,
2021, arXiv:2112.00114, figure 2, for the layout: digits apart, C: for the carry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from llmcourse.world.engine.splits import check_choice, draw, of_split

OPERATIONS = ("+", "-", "*")
MOST_DIGITS = 20
OPEN, CLOSE = "<scratch>", "</scratch>"


@dataclass(frozen=True)
class Sum:
    """`question` "2 9 + 5 7", `scratchpad` (empty without one) and `answer` "8 6".

    A line of the scratchpad holds the digits that are left, a comma, the digits of the result so
    far and the carry; for differences the carry is what was borrowed. The last line is the result
    after the last carry, which may be 0.
    """

    question: str
    scratchpad: str
    answer: str

    @property
    def text(self) -> str:
        """Everything as one writes it, a line for each step."""
        return "\n".join(filter(None, (self.question, self.scratchpad, self.answer)))


def arithmetic(
    n: int,
    *,
    digits: int | tuple[int, int] = 2,
    operation: str = "+",
    scratchpad: bool = False,
    split: str = "train",
    seed: int = 0,
) -> Iterator[Sum]:
    """Stream `n` sums of two numbers of that many digits (1 to 20), or from (least, most).

    Both numbers of a "+" or "-" have the same length; in a "-" the larger is first. "*" multiplies
    by a single digit. A number begins with 0 only if that is its one digit. One pair of numbers in
    ten, in either order and for every operation, belongs to "test". The sums are the same with and
    without `scratchpad`. Raises ValueError for `n` below 1, another operation or split, and digits
    out of range.
    """
    check_choice(operation, OPERATIONS, "operation")
    least, most = (digits, digits) if isinstance(digits, int) else digits
    if not 1 <= least <= most <= MOST_DIGITS:
        raise ValueError(
            f"expected digits of 1 to {MOST_DIGITS}, or (least, most) of them, got {digits}: "
            "choose a length within these"
        )

    def pair(rng: Random) -> tuple[int, int]:
        size = rng.randint(least, most)
        one, two = _number(size, rng), _number(1 if operation == "*" else size, rng)
        return max(one, two), min(one, two)

    def one_sum(rng: Random) -> Sum:
        larger, smaller = of_split(pair, rng, split, key=lambda two: f"{two[0]} {two[1]}")
        swapped = operation == "+" and rng.random() < 0.5
        first, second = (smaller, larger) if swapped else (larger, smaller)
        return work_out(first, second, operation, scratchpad=scratchpad)

    return draw(one_sum, n, split, seed, f"arithmetic {least} {most} {operation}")


def work_out(first: int, second: int, operation: str = "+", *, scratchpad: bool = True) -> Sum:
    """Work out the sum of two numbers; the second has one digit in "*", is no larger in "-".

    >>> print(work_out(29, 57).text)
    2 9 + 5 7
    <scratch>
    2 9 + 5 7 , C: 0
    2 + 5 , 6 C: 1
    , 8 6 C: 0
    0 8 6
    </scratch>
    8 6
    """
    results = {"+": first + second, "-": first - second, "*": first * second}
    steps = "\n".join((OPEN, *_steps(str(first), str(second), operation), CLOSE))
    question = f"{_apart(str(first))} {operation} {_apart(str(second))}"
    return Sum(question, steps if scratchpad else "", _apart(str(results[operation])))


def _number(size: int, rng: Random) -> int:
    return rng.randrange(10 ** (size - 1) if size > 1 else 0, 10**size)


def _apart(digits: str) -> str:
    return " ".join(digits)


_COLUMNS: dict[str, Callable[[int, int, int], tuple[int, int]]] = {
    "+": lambda a, b, carry: divmod(a + b + carry, 10),
    "-": lambda a, b, carry: (int(a - b - carry < 0), (a - b - carry) % 10),
    "*": lambda a, b, carry: divmod(a * b + carry, 10),
}


def _steps(first: str, second: str, operation: str) -> Iterator[str]:
    """Yield the lines between OPEN and CLOSE; the factor of a "*" is kept in every line."""
    carry, done = 0, ""
    width = max(len(first), len(second))
    first = first.rjust(width, "0")
    second = second if operation == "*" else second.rjust(width, "0")
    while first:
        yield f"{_apart(first)} {operation} {_apart(second)} , {_result(done, carry)}"
        carry, digit = _COLUMNS[operation](int(first[-1]), int(second[-1]), carry)
        done = f"{digit}{done}"
        first = first[:-1]
        second = second if operation == "*" else second[:-1]
    yield f", {_result(done, carry)}"
    yield _apart(f"{carry}{done}")


def _result(done: str, carry: int) -> str:
    return f"{_apart(done)} C: {carry}".lstrip()
