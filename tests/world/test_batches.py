"""Batches of whole documents, and what a perfect model scores on them."""

import math

import numpy as np
import pytest

from llmcourse import world
from llmcourse.world import END, IGNORED, whole_batches


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


def test_the_last_batch_may_be_smaller():
    assert [len(ids) for ids, _ in whole_batches(sample(5), 4)] == [4, 1]


def test_a_batch_size_below_one_is_refused_at_once():
    with pytest.raises(ValueError, match="expected batch_size of 1 or more, got 0: "):
        whole_batches(sample(2), 0)
