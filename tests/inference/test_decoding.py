"""One loop writes what reading anew at each step gives, and what transformers writes."""

import itertools
import math

import pytest
import torch

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
