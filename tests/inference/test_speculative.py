"""Speculative decoding writes what the target writes: the same ids, or the same distribution."""

import itertools
from collections import Counter
from dataclasses import replace

import pytest
import torch

from llmcourse.inference import speculative
from llmcourse.inference.decoding import Sampling, generate
from llmcourse.inference.speculative import speculative_decode, verify_draft
from llmcourse.models.transformer import Decoder
from tests.models.test_transformer import FAMILIES, SMALL, lively

# Probabilities whose fractions p / q are sixteenths: a grid of 16 chances measures them exactly.
P = torch.tensor([[8, 4, 4, 0], [2, 4, 8, 2], [4, 4, 4, 4]]) / 16
Q = torch.tensor([[4, 8, 0, 4], [8, 8, 0, 0]]) / 16
RUNS, THRESHOLD = 800, 44.26  # chi-square with 15 degrees of freedom: false alarm in 1 of 10,000


def outcomes(monkeypatch, k):
    """What verify_draft accepts, the weights of its own token, and the probability of both."""
    monkeypatch.setattr(speculative, "_drawn", lambda weights, generator: weights)
    grid = (torch.arange(16) + 0.5) / 16
    for draft in itertools.product(range(4), repeat=k):
        chance = float(torch.stack([Q[i, token] for i, token in enumerate(draft)]).prod())
        for u in itertools.product(grid.tolist(), repeat=k):
            monkeypatch.setattr(torch, "rand", lambda *args, u=u, **named: torch.tensor(u))
            *accepted, weights = verify_draft(P[: k + 1], Q[:k], torch.tensor(draft))
            yield accepted, weights / weights.sum(), chance / 16**k


@pytest.mark.parametrize("k", [1, 2])
def test_every_token_has_exactly_the_targets_distribution(monkeypatch, k):
    firsts, seconds = torch.zeros(2, 4, dtype=torch.float64)
    for accepted, own, chance in outcomes(monkeypatch, k):
        rows = [*torch.nn.functional.one_hot(torch.tensor(accepted, dtype=torch.long), 4), own]
        firsts += chance * rows[0]
        if len(rows) > 1:
            seconds += chance * rows[1]
    torch.testing.assert_close(firsts.float(), P[0], atol=1e-6, rtol=0)
    torch.testing.assert_close((seconds / seconds.sum()).float(), P[1], atol=1e-6, rtol=0)
    # The first is accepted with probability sum of min(p, q).
    assert float(seconds.sum()) == pytest.approx(float(P[0].minimum(Q[0]).sum()), abs=1e-6)


def test_a_token_that_the_target_never_writes_is_refused_whatever_the_chance(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda *args, **named: torch.zeros(1))
    p, q = torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([[1.0, 0.0]])
    assert verify_draft(p, q, torch.tensor([0])) == [1]


def test_no_draft_gives_a_token_of_the_target():
    p = torch.tensor([[0.0, 0.0, 1.0]])
    assert verify_draft(p, p[:0], torch.tensor([], dtype=torch.long)) == [2]


@pytest.mark.parametrize("k", [1, 3, 9])
@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_ids_are_the_targets_whatever_the_draft(family, k):
    target = lively(Decoder(FAMILIES[family]))
    for draft in (lively(Decoder(SMALL), seed=1), target):
        for end in ([], [4, 7, 9]):
            made = speculative_decode(target, draft, [3, 1], 6, k=k, end=end)
            assert made.ids == generate(target, [[3, 1]], 6, end=end)[0]


def test_a_draft_that_is_the_target_is_always_accepted():
    target = lively(Decoder(SMALL))
    made = speculative_decode(target, target, [3], 7, k=3)
    # 7 tokens are 4 of the first call and 3 of the second: 3 + 2 drafted, one own each
    assert (made.target_calls, made.drafted, made.accepted) == (2, 5, 5)
    generator = torch.Generator().manual_seed(0)
    made = speculative_decode(target, target, [3], 7, k=3, choose=Sampling(), generator=generator)
    assert made.target_calls == 2


def chi_square(decode):
    """The statistic of 800 pairs of tokens against the target's exact probabilities."""
    config = replace(SMALL, vocab_size=4, n_layers=1)
    target, draft = (lively(Decoder(config), seed=seed) for seed in (0, 1))
    sampling, generator = Sampling(temperature=2.0), torch.Generator().manual_seed(0)
    with torch.no_grad():
        logits = target(torch.tensor([[1, token] for token in range(4)])) / 2
        first, second = logits[0, 0].softmax(-1), logits[:, 1].softmax(-1)
    expected = RUNS * (first[:, None] * second)
    assert expected.min() > 5
    counts = Counter(tuple(decode(target, draft, sampling, generator)) for _ in range(RUNS))
    seen = torch.tensor([[counts[a, b] for b in range(4)] for a in range(4)])
    return float(((seen - expected) ** 2 / expected).sum())


def two_tokens(target, draft, sampling, generator):
    return speculative_decode(target, draft, [1], 2, k=2, choose=sampling, generator=generator).ids


def test_sampled_pairs_have_the_targets_distribution():
    assert chi_square(two_tokens) < THRESHOLD


def test_the_same_test_finds_a_decoder_that_accepts_every_draft(monkeypatch):
    def accept_all(p, q, draft, generator):
        return [*draft.tolist(), int(torch.multinomial(p[-1], 1, generator=generator))]

    monkeypatch.setattr(speculative, "verify_draft", accept_all)
    assert chi_square(two_tokens) > THRESHOLD


def test_filters_hold_for_the_target_too():
    target, draft = lively(Decoder(SMALL)), lively(Decoder(SMALL), seed=1)
    wanted = generate(target, [[2]], 5, choose=Sampling(repetition_penalty=1.7, top_k=1))[0]
    made = speculative_decode(
        target, draft, [2], 5, choose=Sampling(repetition_penalty=1.7, top_k=1)
    )
    assert made.ids == wanted


def test_other_vocabularies_no_draft_and_too_long_texts_are_refused():
    target, other = Decoder(SMALL), Decoder(replace(SMALL, vocab_size=12))
    with pytest.raises(ValueError, match=r"one vocabulary, got 11 ids in the target and 12"):
        speculative_decode(target, other, [1], 2)
    with pytest.raises(ValueError, match=r"k of at least 1, got 0"):
        speculative_decode(target, target, [1], 2, k=0)
    with pytest.raises(ValueError, match=r"context_length = 8 tokens, got 3 in the prompt and 6"):
        speculative_decode(target, target, [1, 2, 3], 6)
