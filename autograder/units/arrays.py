"""What hidden tests of exercises on arrays share; units without arrays do not load numpy."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.exercise import Mistake

Array = Any  # of numpy
EXACT = 1e-9  # float64, sums of a few dozen terms of size 1
CHANGED = Mistake("changed", "The call changed its arguments: make new arrays.")


def generator(rng: random.Random) -> np.random.Generator:
    """Return numpy's generator with a seed that is drawn."""
    return np.random.default_rng(rng.getrandbits(32))


def unless_changed(answer, *args):  # type: ignore[no-untyped-def]
    """Return the result, or "changed" if the call modified an argument (a probe)."""
    import pickle

    before = [None if callable(arg) else pickle.dumps(arg) for arg in args]
    result = answer(*args)
    after = [None if callable(arg) else pickle.dumps(arg) for arg in args]
    return "changed" if before != after else result


def method_of(answer, made_from, method, *args):  # type: ignore[no-untyped-def]
    """Return what a method of a new object of the learner's class returns (a probe)."""
    return getattr(answer(*made_from), method)(*args)


def or_changed(mistakes: Callable[..., list[Mistake]] = lambda *args: []) -> Any:
    """Return these mistakes, and that the call changed its arguments, as a function of them."""
    return lambda *args: [*mistakes(*args), CHANGED]
