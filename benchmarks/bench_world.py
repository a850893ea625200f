"""Speed of the world on one core: story tokens a second, log-probabilities included, and records a
second of every other data set.

Run: python -m benchmarks.bench_world. Goal: 500,000 story tokens a second. The test split of tasks
whose records hold several sentences is slow, because all of them must be test sentences.
"""

from __future__ import annotations

import inspect
import statistics
import time

from llmcourse import world
from llmcourse.world.engine.machine import Machine
from llmcourse.world.story.story_rules import rules

TOKENS = 1_000_000
RUNS = 5
GOAL = 500_000
RECORDS = 2_000
OPTIONS = {"agreement_pairs": {"distance": 6}, "arithmetic": {"scratchpad": True}}


def build_seconds() -> float:
    """Seconds to compile all of the grammar from nothing."""
    rules.cache_clear()
    start = time.perf_counter()
    Machine(rules(0.0))
    return time.perf_counter() - start


def tokens_per_second(seed: int) -> float:
    """Rate of streaming TOKENS tokens of stories."""
    start = time.perf_counter()
    written = sum(len(story.tokens) for story in world.stories(tokens=TOKENS, seed=seed))
    return written / (time.perf_counter() - start)


def records_per_second(name: str, **options: str) -> float:
    """Median rate of streaming RECORDS records of a data set, after a first one."""
    options = OPTIONS.get(name, {}) | options
    next(world.load(name, 1, **options))
    rates = []
    for seed in range(RUNS):
        start = time.perf_counter()
        count = sum(1 for _ in world.load(name, RECORDS, seed=seed, **options))
        rates.append(count / (time.perf_counter() - start))
    return statistics.median(rates)


def story_table() -> None:
    """Prints the rate of stories beside its goal."""
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


def record_table() -> None:
    """Prints the rates of the other data sets."""
    print(f"\n{f'records a second, {RECORDS:,} of each':<32}{'train':>12}{'test':>12}")
    for name, make in world.DATASETS.items():
        if name == "stories":
            continue
        splits = ("train", "test") if "split" in inspect.signature(make).parameters else ()
        rates = [records_per_second(name, split=split) for split in splits]
        columns = "".join(f"{rate:>12,.0f}" for rate in rates or [records_per_second(name)])
        print(f"{name:<32}{columns}")


if __name__ == "__main__":
    story_table()
    record_table()
