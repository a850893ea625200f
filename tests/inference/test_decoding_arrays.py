"""llmcourse.inference.decoding_arrays and the formulas of unit 09's checks: both are the library's
filters and torch's attention, and what is drawn has the right distribution."""

import itertools
import math

import numpy as np
import pytest
import torch

from llmcourse.checks import u09_cache as cache
from llmcourse.checks import u09_filters as rules
from llmcourse.checks import u09_penalty as rule
from llmcourse.checks import u09_search as search
from llmcourse.checks import u09_speculative as speculative
from llmcourse.inference import decoding_arrays as arrays
from llmcourse.inference import filters


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def tensor(value):
    return torch.tensor(np.asarray(value))


@pytest.mark.parametrize("top_k", [arrays.top_k_filter, rules.top_k])
@pytest.mark.parametrize("k", [1, 3, 6, 9])
def test_top_k_is_that_of_the_library_ties_included(top_k, k, rng):
    for logits in (rng.normal(size=(4, 6)), rng.integers(0, 3, (4, 6)).astype(float)):
        np.testing.assert_array_equal(top_k(logits, k), filters.top_k_filter(tensor(logits), k))


@pytest.mark.parametrize("top_p", [arrays.top_p_filter, rules.top_p])
def test_top_p_is_that_of_the_library(top_p, rng):
    for _ in range(20):
        logits, p = rules.top_p_inputs(rng, 3, 7)
        np.testing.assert_array_equal(top_p(logits, p), filters.top_p_filter(tensor(logits), p))
    for draw in (rules.top_p_tied, rules.top_p_large):
        logits, p = draw(rng, 4, 5)
        np.testing.assert_array_equal(top_p(logits, p), filters.top_p_filter(tensor(logits), p))


@pytest.mark.parametrize("penalise", [arrays.repetition_penalty, rule.penalised])
@pytest.mark.parametrize("size", [(4, 8, 5), (1, 3, 9), (2, 4, 0)])
def test_the_penalty_is_that_of_the_library(penalise, size, rng):
    logits, ids, penalty = rule.penalty_inputs(rng, *size)
    theirs = filters.repetition_penalty(tensor(logits), tensor(ids).long(), penalty)
    np.testing.assert_allclose(penalise(logits, ids, penalty), theirs, rtol=1e-12)


def test_a_temperature_of_0_is_refused():
    halved = arrays.temperature_logits(np.array([[1.0, -2.0]]), 0.5)
    np.testing.assert_array_equal(halved, [[2, -4]])
    with pytest.raises(ValueError, match="above 0"):
        arrays.temperature_logits(np.zeros((1, 2)), 0)


def test_greedy_follows_a_script_up_to_its_end(rng):
    for size in ((3, 3, 8), (2, 5, 4), (1, 0, 3), (2, 2, 0)):
        args = search.greedy_inputs(rng, *size)
        assert arrays.greedy(*search.greedy_args(*args)) == search.written(*args)


def every_text(next_logits, prompt, n, end):
    """Return the sum of log-probabilities of each text that ends, or has n ids."""
    found, todo = {}, [((), 0.0)]
    while todo:
        ids, total = todo.pop()
        if len(ids) == n or ids[-1:] == (end,):
            found[ids] = total
            continue
        step = torch.log_softmax(tensor(next_logits([*prompt, *ids])), 0).tolist()
        todo += [((*ids, i), total + one) for i, one in enumerate(step)]
    return found


@pytest.mark.parametrize("beams", [arrays.beam_search, search.beams])
def test_a_beam_as_wide_as_there_are_texts_finds_them_all(beams, rng):
    next_logits, prompt = search.random_logits(rng, 3), [2, 1]
    want = every_text(next_logits, prompt, 4, 0)
    got = beams(next_logits, prompt, 3**4, 4, 0, 0.7)
    assert [tuple(ids) for ids, _ in got] == sorted(
        want, key=lambda ids: -want[ids] / len(ids) ** 0.7
    )
    assert all(math.isclose(s, want[tuple(ids)] / len(ids) ** 0.7) for ids, s in got)


def test_both_beam_searches_are_equal_and_one_beam_is_greedy(rng):
    for size in ((5, 2, 4), (4, 3, 5), (6, 4, 3)):
        args = search.beam_inputs(rng, *size)
        for (ids, score), (same, other) in itertools.zip_longest(
            arrays.beam_search(*args), search.beams(*args)
        ):
            assert ids == same and math.isclose(score, other)
        next_logits, prompt, _, n, end, _ = args
        ((ids, _),) = arrays.beam_search(next_logits, prompt, 1, n, end, 0.0)
        assert ids == arrays.greedy(next_logits, prompt, n, end)


@pytest.mark.parametrize("attend", [arrays.cached_attention, cache.attended])
def test_attention_behind_a_cache_is_torchs_attention_of_the_whole(attend, rng):
    p, x, _ = cache.cache_inputs(rng, 2, 7, 0, 5, 3)
    q, k, v = (tensor(x @ p[name].T) for name in ("W_q", "W_k", "W_v"))
    whole = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    whole = whole.numpy() @ p["W_o"].T
    held = None
    for start, end in ((0, 3), (3, 4), (4, 7)):
        out, held = attend(p, x[:, start:end], held)
        np.testing.assert_allclose(out, whole[:, start:end], atol=1e-12)
    np.testing.assert_allclose(held[0], k, atol=1e-12)
    np.testing.assert_allclose(held[1], v, atol=1e-12)


def by_formula(target, draft, prompt, n, k, uniform, tables):
    numbers = [uniform() for _ in range(4 * (n + 1) * (k + 2))]
    return speculative.speculated(tables, prompt, n, k, numbers)


@pytest.mark.parametrize("far", [0.3, 1.0])
@pytest.mark.parametrize("form", ["arrays", "formula"])
def test_speculative_texts_have_the_distribution_of_the_target(form, far):
    """8 texts, 7 degrees of freedom: by chance above 50 less than twice in 10^8 tries; the seed is
    fixed."""
    rng, n = np.random.default_rng(5), 6_000
    tables = speculative.Tables(rng, 2, far)
    counts, expected = dict.fromkeys(itertools.product(range(2), repeat=3), 0), {}
    for _ in range(n):
        args = tables.target, tables.draft, [1], 3, 2, rng.random
        text = arrays.speculative_decode(*args) if form == "arrays" else by_formula(*args, tables)
        counts[tuple(text)] += 1
    for text in counts:
        rows = [tables.row(tables.p, (1, *text[:i])) for i in range(3)]
        expected[text] = n * math.prod(row[x] for row, x in zip(rows, text, strict=True))
    assert sum((counts[t] - e) ** 2 / e for t, e in expected.items()) < 50


def test_a_draft_like_the_target_saves_calls(rng):
    args = speculative.speculative_inputs(rng, 4, 2, 20, 3, 0.0)
    assert arrays.speculative_decode(*speculative.speculative_args(*args)) == (
        speculative.speculated(*args)
    )
    assert args[0].asked == 5  # rounds of 4 ids
