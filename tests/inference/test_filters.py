"""Filters equal transformers' processors on shared logits, but for ties, and never empty a row."""

import math

import pytest
import torch
from transformers import (
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from llmcourse.inference.decoding import Sampling
from llmcourse.inference.filters import (
    largest,
    min_p_filter,
    repetition_penalty,
    temperature_logits,
    top_k_filter,
    top_p_filter,
)

INF = math.inf
# Unit 09's example: film, documental, omelette, like, love
CINEMA = torch.tensor([[0.54, 0.36, 0.08, 0.01, 0.01]]).log()


def some_logits(B=20, V=50, scale=3.0, seed=0):
    return scale * torch.randn(B, V, generator=torch.Generator().manual_seed(seed))


def some_ids(B=20, S=30, V=50):
    return torch.randint(V, (B, S), generator=torch.Generator().manual_seed(1))


def kept(logits):
    return logits.isfinite().nonzero()[:, 1].tolist()


@pytest.mark.parametrize("scale", [0.1, 3.0, 300.0])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda x: temperature_logits(x, 0.3), TemperatureLogitsWarper(0.3)),
        (lambda x: temperature_logits(x, 2.0), TemperatureLogitsWarper(2.0)),
        *((lambda x, k=k: top_k_filter(x, k), TopKLogitsWarper(k)) for k in (1, 2, 49, 50, 99)),
        *((lambda x, p=p: top_p_filter(x, p), TopPLogitsWarper(p)) for p in (0.0, 0.1, 0.5, 0.95)),
        *((lambda x, p=p: min_p_filter(x, p), MinPLogitsWarper(p)) for p in (0.0, 0.05, 0.9, 1.0)),
        *(
            (
                lambda x, r=r: repetition_penalty(x, some_ids(), r),
                RepetitionPenaltyLogitsProcessor(r),
            )
            for r in (0.5, 1.0, 1.3)
        ),
    ],
)  # fmt: skip
def test_filters_equal_the_processors_of_transformers(ours, theirs, scale):
    logits = some_logits(scale=scale)
    before = logits.clone()
    torch.testing.assert_close(ours(logits), theirs(some_ids(), logits.clone()), atol=0, rtol=0)
    torch.testing.assert_close(logits, before, atol=0, rtol=0)  # not modified


def test_the_cinema_by_hand():
    nucleus = top_p_filter(CINEMA, 0.95)
    assert kept(nucleus) == [0, 1, 2]
    wanted = torch.tensor([[0.551, 0.367, 0.082, 0, 0]])
    torch.testing.assert_close(nucleus.softmax(-1), wanted, atol=5e-4, rtol=0)
    pair = top_k_filter(CINEMA, 2).softmax(-1)
    torch.testing.assert_close(pair, torch.tensor([[0.6, 0.4, 0, 0, 0]]))


def test_the_token_that_crosses_p_is_kept_and_the_next_is_not():
    logits = torch.tensor([[0.5, 0.25, 0.125, 0.125]]).log()
    assert kept(top_p_filter(logits, 0.5)) == [0]
    assert kept(top_p_filter(logits, 0.51)) == [0, 1]
    assert kept(top_p_filter(logits, 0.9)) == [0, 1, 2, 3]


def test_equal_logits_at_an_edge_go_to_the_lowest_ids_where_transformers_differs():
    equal = torch.zeros(1, 4)
    assert kept(top_p_filter(equal, 0.5)) == [0, 1]
    assert kept(TopPLogitsWarper(0.5)(None, equal)) == [2, 3]
    tied = torch.tensor([[2.0, 3.0, 2.0, 1.0]])
    assert kept(top_k_filter(tied, 2)) == [0, 1]
    assert kept(TopKLogitsWarper(2)(None, tied)) == [0, 1, 2]


def test_p_of_one_keeps_all_where_transformers_drops_what_underflows():
    logits = torch.tensor([[0.0, -200.0]])
    assert kept(top_p_filter(logits, 1.0)) == [0, 1]
    assert kept(TopPLogitsWarper(1.0)(None, logits)) == [0]


def test_the_largest_are_exactly_k_and_the_first_of_equals():
    values = torch.randint(3, (200, 9), generator=torch.Generator().manual_seed(0)).float()
    for k in (1, 4, 9, 12):
        order = values.sort(dim=1, descending=True, stable=True).indices[:, :k]
        wanted = torch.zeros(200, 9, dtype=torch.bool).scatter_(1, order, True)
        assert torch.equal(largest(values, k), wanted)


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(top_k=1), Sampling(top_p=0.0), Sampling(min_p=1.0),
        Sampling(temperature=0.01, top_k=2, top_p=0.1, min_p=0.9, repetition_penalty=5.0),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("scale", [0.0, 1.0, 1000.0])
def test_no_filter_empties_a_row_or_gives_nan(sampling, scale):
    logits = some_logits(scale=scale)
    logits[:, 3] = -INF  # removed before
    p = sampling.probabilities(logits, some_ids())
    assert p.isfinite().all()
    torch.testing.assert_close(p.sum(1), torch.ones(20))


def test_top_p_of_bfloat16_is_decided_in_float32():
    logits = torch.tensor([[0.5, 0.4, 0.1]]).log().bfloat16()
    assert top_p_filter(logits, 0.85).dtype == torch.bfloat16
    assert kept(top_p_filter(logits, 0.85)) == [0, 1]


def test_a_repeated_token_is_penalised_once_and_padding_never():
    logits = torch.tensor([[2.0, -2.0, 0.0, 4.0]])
    ids, mask = torch.tensor([[3, 0, 1, 0]]), torch.tensor([[False, True, True, True]])
    wanted = torch.tensor([[1.0, -4.0, 0.0, 4.0]])
    torch.testing.assert_close(repetition_penalty(logits, ids, 2.0, mask), wanted)


def test_the_penalty_depends_on_a_shift_that_the_softmax_does_not_see():
    logits, ids = torch.tensor([[1.0, 0.0]]), torch.tensor([[0]])
    shifted = repetition_penalty(logits - 1, ids, 2.0).softmax(-1)
    assert not torch.allclose(repetition_penalty(logits, ids, 2.0).softmax(-1), shifted)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: temperature_logits(x, 0.0), r"a temperature above 0, got 0.0: .* greedy"),
        (lambda x: temperature_logits(x, INF), r"a temperature above 0, got inf"),
        (lambda x: top_k_filter(x, 0), r"k of at least 1, got 0"),
        (lambda x: top_p_filter(x, 1.5), r"p from 0 to 1, got 1.5"),
        (lambda x: min_p_filter(x, -0.1), r"p from 0 to 1, got -0.1"),
        (lambda x: repetition_penalty(x, torch.tensor([[0]]), 0.0), r"a penalty above 0, got 0.0"),
        (lambda _: Sampling(top_k=0), r"k of at least 1, got 0"),
        (lambda _: Sampling(temperature=-1.0), r"a temperature above 0, got -1.0"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.zeros(1, 3))
