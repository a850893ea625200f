"""How fast this machine is at the moment, as a multiple of the time on the reference machine.

Budgets of a run are seconds on the reference machine, two cores of an Intel Xeon of 2023. On
another machine, or a busy one, a fixed computation of a tenth of a second is timed to find out how
much longer the same work may take. It runs on one core, half in the interpreter and half in numpy,
as the notebooks do.
"""

import time
from collections.abc import Callable
from statistics import median

import numpy as np

REFERENCE_SECONDS = 0.072  # median of `work` on the reference machine with nothing beside it
ROUNDS = 5


def work() -> None:
    """Count in a dict and sort an array, the same each time."""
    counts: dict[int, int] = {}
    for i in range(400_000):
        key = i * 7919 % 1009
        counts[key] = counts.get(key, 0) + 1
    np.sort(np.arange(800_000) * 7919 % 1_000_003)


def slowness(clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the time of `work` here, median of a few rounds, over the reference machine's."""
    times = []
    for _ in range(ROUNDS):
        started = clock()
        work()
        times.append(clock() - started)
    return median(times) / REFERENCE_SECONDS
