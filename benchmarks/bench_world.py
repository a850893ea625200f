"""Speed of the world: story tokens a second on one core, log-probabilities included.

Run: python benchmarks/bench_world.py. Goal: 500,000 tokens a second.
"""

from __future__ import annotations

import statistics
import time

from llmcourse import world
from llmcourse.world.story import machine

TOKENS = 1_000_000
RUNS = 5
GOAL = 500_000


def build_seconds() -> float:
    """Seconds to compile the grammar from nothing."""
    machine.cache_clear()
    start = time.perf_counter()
    machine(0.0)
    return time.perf_counter() - start


def tokens_per_second(seed: int) -> float:
    """Rate of streaming TOKENS tokens of stories."""
    start = time.perf_counter()
    written = sum(len(story.tokens) for story in world.stories(tokens=TOKENS, seed=seed))
    return written / (time.perf_counter() - start)


def main() -> None:
    """Prints the table."""
    build = [build_seconds() for _ in range(RUNS)]
    rates = [tokens_per_second(seed) for seed in range(RUNS)]
    print(f"{'world stories':<28}{'median':>12}{'lowest':>12}{'highest':>12}{'goal':>12}")
    rate = statistics.median(rates)
    print(
        f"{'tokens a second':<28}{rate:>12,.0f}{min(rates):>12,.0f}{max(rates):>12,.0f}{GOAL:>12,}"
    )
    middle = statistics.median(build)
    print(
        f"{'seconds to compile':<28}{middle:>12.2f}{min(build):>12.2f}{max(build):>12.2f}{'-':>12}"
    )


if __name__ == "__main__":
    main()
