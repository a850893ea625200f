"""Sizes, splits and seeds, as every data set of the world takes them.

A text belongs to "train" or "test" by its hash alone, whatever data set asks: one sentence in ten
is a test sentence everywhere, so no test sentence is ever met in the training part of another task.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import TypeVar

SPLITS = ("train", "test")
TEST_EVERY = 10  # one text in ten is a test text

Item = TypeVar("Item")


def check_size(size: int, name: str = "n") -> None:
    """Raise ValueError for a size below 1."""
    if size < 1:
        raise ValueError(f"expected {name} of 1 or more, got {size}: ask for at least one")


def check_dial(value: float, name: str) -> None:
    """Raise ValueError for a dial outside [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"expected {name} between 0 and 1, got {value}: choose another value")


def check_choice(value: str, choices: Iterable[str], name: str) -> None:
    """Raise ValueError for a value that is not among the choices."""
    listed = tuple(choices)
    if value not in listed:
        raise ValueError(
            f"expected {name} to be one of {', '.join(listed)}, got {value!r}: choose one of these"
        )


def split_of(text: str) -> str:
    """Return the split that a text belongs to: "test" for one in ten, by its hash."""
    return "test" if zlib.crc32(text.encode()) % TEST_EVERY == 0 else "train"


def of_split(
    make: Callable[[Random], Item], rng: Random, split: str, key: Callable[[Item], str] = str
) -> Item:
    """Draw with `make` until the text of what it made, `key`, belongs to `split`.

    Raises RuntimeError after 10,000 tries: `make` has nothing of that split.
    """
    for _ in range(10_000):
        item = make(rng)
        if split_of(key(item)) == split:
            return item
    raise RuntimeError(f"nothing for split {split!r} in 10,000 draws of {make}")


def draw(
    make: Callable[[Random], Item], n: int, split: str, seed: int, name: str
) -> Iterator[Item]:
    """Stream `n` records of data set `name`: `make` gets one generator, seeded by all three.

    A shorter stream is the start of a longer one. Raises ValueError, at once, for `n` below 1 or an
    unknown split.
    """
    check_size(n)
    check_choice(split, SPLITS, "split")
    rng = Random(f"{name} {split} {seed}")
    return (make(rng) for _ in range(n))
