"""Documents whole and cut: what a perfect model scores on batches, and what cutting costs it."""

import math
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from llmcourse import world
from llmcourse.world import END, IGNORED, context_cost, whole_batches
from llmcourse.world.engine.machine import Machine
from llmcourse.world.story import windows
from tests.world.small_grammar import small


def sample(n=50, seed=3):
    return list(world.stories(n, seed=seed))


def rows(batches):
    return [(i, t) for ids, targets in batches for i, t in zip(ids, targets, strict=True)]


def test_every_document_comes_once_whole_and_none_is_mixed():
    documents, words = sample(), world.vocabulary()
    found = []
    for ids, targets in rows(whole_batches(documents, 4)):
        kept = targets[targets != IGNORED]
        tokens = tuple(words[i] for i in kept)
        assert [words[i] for i in ids[: len(kept)]] == [END, *tokens[:-1]]
        assert (targets[len(kept) :] == IGNORED).all()
        assert all(words[i] == END for i in ids[len(kept) :])
        found.append(tokens)
    assert sorted(found) == sorted(story.tokens for story in documents)


def test_the_exact_model_scores_the_entropy_rate():
    documents, words = sample(6), world.vocabulary()
    logps = {story.tokens: story.logps for story in documents}
    total = count = 0.0
    for _, targets in rows(whole_batches(documents, 4)):
        tokens = tuple(words[i] for i in targets[targets != IGNORED])
        total -= math.fsum(logps[tokens]) / math.log(2)
        count += len(tokens)
    assert total / count == pytest.approx(world.entropy_rate(documents).bits_per_token, rel=1e-12)


def test_documents_of_like_length_share_a_batch():
    batches = list(whole_batches(sample(320), 10))
    padding = sum((targets == IGNORED).sum() for _, targets in batches)
    assert padding / sum(targets.size for _, targets in batches) < 0.1
    assert all(ids.shape == targets.shape and ids.dtype == np.int64 for ids, targets in batches)


def test_batches_of_short_and_long_documents_are_mixed_in_the_same_order_each_time():
    longest = [ids.shape[1] for ids, _ in whole_batches(sample(320), 10)]
    rises = sum(a < b for a, b in pairwise(longest))
    assert 8 <= rises <= 23  # of 31; sorted they were all but those of equal length
    assert longest == [ids.shape[1] for ids, _ in whole_batches(sample(320), 10)]


def test_one_batch_may_be_smaller():
    assert sorted(len(ids) for ids, _ in whole_batches(sample(5), 4)) == [1, 4]


def test_a_batch_size_below_one_is_refused_at_once():
    with pytest.raises(ValueError, match="expected batch_size of 1 or more, got 0: "):
        whole_batches(sample(2), 0)


def test_cutting_the_context_to_16_tokens_costs_at_least_5_percent():
    costs = [context_cost(window, tokens=60_000) for window in (8, 16, 10_000)]
    assert costs[0].added > costs[1].added >= 0.05 * costs[1].floor
    assert costs[1].share == costs[1].added / costs[1].floor
    assert costs[2].added == 0
    floor = world.entropy_rate(world.stories(tokens=60_000, seed=4)).bits_per_token
    assert costs[0].floor == pytest.approx(floor, rel=0.03)


def test_context_cost_by_hand():
    machine = Machine(small({"story": "<a it:thing> a b c {it} d {it} </s>"}))
    rand = Random(3).random
    for _ in range(20):
        story = list(machine.trace(rand))
        thing = story[1].word
        expected = 0.0 if thing == "egg" else math.log(2)  # egg is the only word after "an"
        free = windows._free_slots(machine)
        assert windows._added(story, machine, free, 3) == pytest.approx(expected)
        assert windows._added(story, machine, free, 4) == 0


@pytest.mark.parametrize("size", [0, -1])
def test_context_cost_refuses_sizes_below_one(size):
    for ask in (lambda: context_cost(size), lambda: context_cost(tokens=size)):
        with pytest.raises(ValueError, match=f"expected .* of 1 or more, got {size}"):
            ask()
