"""One loop writes what reading anew at each step gives, and what transformers writes."""

import itertools

import pytest
import torch
from transformers import (
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from llmcourse.inference.decoding import Sampling, generate, greedy, left_padded, stream
from llmcourse.models.checkpoints import load_checkpoint
from llmcourse.models.transformer import Decoder
from tests.models.peers import peer
from tests.models.test_transformer import FAMILIES, SMALL, lively

PROMPTS = [[3, 1, 4], [5], [9, 2]]
FAMILY_NAMES = ("gpt2", "llama", "mistral", "gemma2", "phi3")


@pytest.fixture(params=FAMILIES, ids=str)
def model(request):
    return lively(Decoder(FAMILIES[request.param]))


def brute_force(model, prompt, n):
    """The most probable continuation, by reading the whole text at each step."""
    ids = list(prompt)
    with torch.no_grad():
        for _ in range(n):
            ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    return ids[len(prompt) :]


def loaded_peer(family, tmp_path, **changes):
    """A tiny model of transformers, and ours with its weights."""
    theirs = peer(family, **changes)
    theirs.save_pretrained(tmp_path)
    return theirs, load_checkpoint(tmp_path)


class Counts:
    """A model without weights whose most probable token is always the next number."""

    def __init__(self, V=10):
        self.V, self.calls = V, 0

    def __call__(self, ids):
        self.calls += 1
        return torch.nn.functional.one_hot((ids + 1) % self.V, self.V).float()


# Greedy


@pytest.mark.parametrize("cache", [True, False])
def test_greedy_text_of_a_batch_is_what_each_prompt_gets_alone_anew(model, cache):
    wanted = [brute_force(model, prompt, 5) for prompt in PROMPTS]
    assert generate(model, PROMPTS, 5, cache=cache) == wanted


def test_ties_go_to_the_lowest_id():
    assert greedy(torch.tensor([[0.0, 2.0, 2.0], [1.0, 1.0, 1.0]])).tolist() == [1, 0]


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_greedy_ids_are_those_of_transformers(tmp_path, family, cache):
    theirs, ours = loaded_peer(family, tmp_path)
    ids, mask = left_padded(PROMPTS)
    wanted = theirs.generate(
        ids, attention_mask=mask.long(), max_new_tokens=9, do_sample=False, pad_token_id=0,
        eos_token_id=None,
    )  # fmt: skip
    assert generate(ours, PROMPTS, 9, cache=cache) == wanted[:, ids.shape[1] :].tolist()


@pytest.mark.parametrize("penalty", [1.4, 0.7])
def test_penalised_greedy_ids_are_those_of_transformers(tmp_path, penalty):
    theirs, ours = loaded_peer("llama", tmp_path)
    ids, mask = left_padded(PROMPTS)
    wanted = theirs.generate(
        ids, attention_mask=mask.long(), max_new_tokens=9, do_sample=False, pad_token_id=0,
        eos_token_id=None, repetition_penalty=penalty,
    )  # fmt: skip
    sampling = Sampling(repetition_penalty=penalty, top_k=1)
    assert generate(ours, PROMPTS, 9, choose=sampling) == wanted[:, ids.shape[1] :].tolist()


def test_a_row_ends_at_an_end_token_as_in_transformers(tmp_path):
    theirs, ours = loaded_peer("gpt2", tmp_path)
    free = generate(ours, PROMPTS, 9)
    end = [free[0][2], free[2][4]]
    ids, mask = left_padded(PROMPTS)
    wanted = theirs.generate(
        ids, attention_mask=mask.long(), max_new_tokens=9, do_sample=False, pad_token_id=22,
        eos_token_id=end,
    )[:, ids.shape[1] :].tolist()  # fmt: skip
    wanted = [list(itertools.takewhile(lambda token: token not in end, row)) for row in wanted]
    assert generate(ours, PROMPTS, 9, end=end) == wanted


# Ends, stops, streams


def test_no_step_is_taken_once_every_row_has_ended():
    model = Counts()
    assert generate(model, [[3], [6]], 50, end=[9], cache=False) == [[4, 5, 6, 7, 8], [7, 8]]
    assert model.calls == 6


def test_a_stop_string_ends_a_row_with_the_token_that_completes_it():
    def decode(ids):
        return "".join("abcdefghij"[i] for i in ids)

    rows = generate(Counts(), [[0], [3]], 20, stop=["ef", "h"], decode=decode, cache=False)
    assert [decode(row) for row in rows] == ["bcdef", "ef"]


def test_stop_strings_in_the_prompt_do_not_count():
    rows = generate(Counts(), [[0, 1]], 3, stop=["1"], decode=lambda x: str(x[-1]), cache=False)
    assert rows == [[2, 3, 4]]


def test_stop_strings_need_a_decode_function():
    with pytest.raises(ValueError, match=r"expected decode with stop strings, got None"):
        generate(Counts(), [[0]], 3, stop=["a"], cache=False)


def test_a_stream_yields_each_step_as_it_is_made():
    model = Counts()
    steps = stream(model, [[5], [7]], 50, end=[9], cache=False)
    assert next(steps) == [6, 8]
    assert model.calls == 1
    assert list(steps) == [[7, None], [8, None]]


def test_nothing_is_written_for_no_steps():
    assert generate(Counts(), [[1], [2]], 0, cache=False) == [[], []]


@pytest.mark.parametrize("prompts", [[], [[]], [[1], []]], ids=str)
def test_an_empty_prompt_is_refused(prompts):
    with pytest.raises(ValueError, match=r"prompts of at least one token each"):
        generate(Counts(), prompts, 3, cache=False)


def test_a_string_is_no_prompt():
    with pytest.raises(TypeError, match=r"encode the text first"):
        generate(Counts(), ["abc"], 3, cache=False)


# Sampling


def test_samples_have_the_filtered_probabilities():
    """400 rows of 25 draws, 5 tokens: chi-square with 4 degrees, false alarm 1 in 10,000."""
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0, 3.0, 0.5]]).expand(400, 6)
    sampling = Sampling(temperature=1.5, top_k=5)
    p = sampling.probabilities(logits[:1], torch.zeros(1, 1, dtype=torch.long))[0]
    generator = torch.Generator().manual_seed(0)
    ids = torch.zeros(400, 1, dtype=torch.long)
    draws = torch.stack([sampling(logits, ids, None, generator) for _ in range(25)])
    seen = torch.bincount(draws.flatten(), minlength=6)
    assert seen[3] == 0 and p[3] == 0
    real, expected = p > 0, 10_000 * p
    assert float(((seen - expected) ** 2 / expected)[real].sum()) < 23.5


def test_a_generator_makes_samples_repeatable():
    model = lively(Decoder(SMALL))
    texts = [
        generate(model, PROMPTS, 5, choose=Sampling(), generator=torch.Generator().manual_seed(s))
        for s in (0, 0, 1)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_filters_are_applied_in_the_order_of_transformers():
    logits = 3 * torch.randn(1, 40, generator=torch.Generator().manual_seed(0))
    ids = torch.arange(10)[None]
    sampling = Sampling(1.3, temperature=2.0, top_k=20, top_p=0.8, min_p=0.1)

    wanted = logits
    for processor in (
        RepetitionPenaltyLogitsProcessor(1.3), TemperatureLogitsWarper(2.0), TopKLogitsWarper(20),
        TopPLogitsWarper(0.8), MinPLogitsWarper(0.1),
    ):  # fmt: skip
        wanted = processor(ids, wanted)
    torch.testing.assert_close(sampling.filtered(logits, ids), wanted, atol=0, rtol=0)


# Texts longer than the context


@pytest.mark.parametrize("cache", [True, False])
def test_a_text_that_outgrows_the_context_is_read_anew_from_its_last_half(model, cache):
    ids, start, L = [3, 1, 4], 0, model.config.context_length
    with torch.no_grad():
        for _ in range(3 * L):
            if len(ids) - start > L:
                start = len(ids) - (L + 1) // 2
            ids.append(int(model(torch.tensor([ids[start:]]))[0, -1].argmax()))
    assert generate(model, [[3, 1, 4]], 3 * L, cache=cache) == [ids[3:]]


def test_padding_leaves_the_view_of_a_text_that_outgrows_the_context():
    model = lively(Decoder(SMALL))
    with_cache, without = (generate(model, PROMPTS, 30, cache=cache) for cache in (True, False))
    assert with_cache == without
    assert all(0 <= token < 11 for row in without for token in row)
