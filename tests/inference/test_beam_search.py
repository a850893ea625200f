"""Beam search gives transformers' beams, greedy text for one beam, the best of all for many."""

import itertools
import math
from dataclasses import replace

import pytest
import torch

from llmcourse.inference.beam_search import beam_search, best_continuations
from llmcourse.inference.decoding import generate, left_padded
from llmcourse.models.checkpoints import load_checkpoint
from llmcourse.models.transformer import Decoder
from tests.models.peers import peer
from tests.models.test_transformer import FAMILIES, SMALL, lively

PROMPTS = [[3, 1, 4], [5], [9, 2]]


def logp(model, prompt, ids):
    """The log-probability of ids after a prompt."""
    with torch.no_grad():
        logps = model(torch.tensor([[*prompt, *ids]]))[0].log_softmax(-1)
    return sum(float(logps[len(prompt) - 1 + i, token]) for i, token in enumerate(ids))


@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma2"])
@pytest.mark.parametrize("length_penalty", [1.0, 0.0, 2.0, -1.0])
@pytest.mark.parametrize(("beams", "n_best", "end"), [(3, 3, [1]), (4, 2, [1, 7, 8]), (2, 1, [])])
def test_the_beams_are_those_of_transformers(tmp_path, family, length_penalty, beams, n_best, end):
    theirs = peer(family)
    theirs.save_pretrained(tmp_path)
    ours = load_checkpoint(tmp_path)
    ids, mask = left_padded(PROMPTS)
    out = theirs.generate(
        ids, attention_mask=mask.long(), max_new_tokens=7, num_beams=beams, do_sample=False,
        num_return_sequences=n_best, length_penalty=length_penalty, early_stopping="never",
        eos_token_id=end or None, pad_token_id=22, return_dict_in_generate=True, output_scores=True,
    )  # fmt: skip
    found = beam_search(
        ours, PROMPTS, 7, beams=beams, end=end, length_penalty=length_penalty, n_best=n_best
    )
    new, wanted = out.sequences[:, ids.shape[1] :].tolist(), []
    for row in new:
        stop = next((i for i, token in enumerate(row) if token in end), 7)
        wanted.append(row[:stop])
    assert [text.ids for texts in found for text in texts] == wanted
    scores = torch.tensor([text.score for texts in found for text in texts])
    torch.testing.assert_close(scores, out.sequences_scores, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_one_beam_is_greedy_search(family):
    model = lively(Decoder(FAMILIES[family]))
    for end in ([], [4, 7]):
        found = beam_search(model, PROMPTS, 5, beams=1, end=end, length_penalty=0.0)
        assert [texts[0].ids for texts in found] == generate(model, PROMPTS, 5, end=end)


@pytest.mark.parametrize("length_penalty", [0.0, 1.0, -0.5])
def test_as_many_beams_as_texts_find_the_best_of_all(length_penalty):
    config = replace(SMALL, vocab_size=3, context_length=6)
    model = lively(Decoder(config), seed=3)
    prompt, n, end = [1, 2], 4, 0
    texts = [list(ids) for m in range(n + 1) for ids in itertools.product((1, 2), repeat=m)]
    scored = []
    for ids in texts:
        whole = ids if len(ids) == n else [*ids, end]
        scored.append((logp(model, prompt, whole) / len(whole) ** length_penalty, ids))
    best = sorted(scored, reverse=True)[:3]
    (found,) = beam_search(
        model, [prompt], n, beams=40, end=[end], length_penalty=length_penalty, n_best=3
    )
    assert [text.ids for text in found] == [ids for _, ids in best]
    for text, (score, _) in zip(found, best, strict=True):
        assert text.score == pytest.approx(score, abs=1e-5)


def test_each_prompt_of_a_batch_gets_what_it_gets_alone():
    model = lively(Decoder(SMALL))
    together = beam_search(model, PROMPTS, 5, beams=3, end=[4], n_best=3)
    for prompt, texts in zip(PROMPTS, together, strict=True):
        (alone,) = beam_search(model, [prompt], 5, beams=3, end=[4], n_best=3)
        assert [text.ids for text in texts] == [text.ids for text in alone]
        assert [t.score for t in texts] == pytest.approx([t.score for t in alone], abs=1e-5)


def test_scores_are_sums_of_log_probabilities_with_the_end_token():
    model = lively(Decoder(SMALL))
    for prompt, texts in zip(
        PROMPTS, beam_search(model, PROMPTS, 4, beams=3, end=[4], n_best=3), strict=True
    ):
        for text in texts:
            whole = text.ids if len(text.ids) == 4 else [*text.ids, 4]
            wanted = logp(model, prompt, whole) / len(whole)
            assert text.score == pytest.approx(wanted, abs=1e-5)


def test_beam_search_can_score_below_greedy():
    """That it never does is false: of 121 prompts 1 to 12 lose, by up to more than a nat."""
    model = lively(Decoder(FAMILIES["Mistral"]))
    prompts = [[a, b] for a in range(11) for b in range(11)]
    greedy, beams = (
        torch.tensor([t[0].score for t in beam_search(model, prompts, 6, beams=k)]) for k in (1, 2)
    )
    assert 1 <= int((beams < greedy - 1e-3).sum()) <= 12
    assert beams.mean() > greedy.mean()


def test_ties_go_to_the_better_beam_and_then_to_the_lower_token():
    values, columns = best_continuations(torch.tensor([[1.0, 2.0, 1.0, 2.0, 1.0]]), 3)
    assert values.tolist() == [[2.0, 2.0, 1.0]]
    assert columns.tolist() == [[1, 3, 0]]


def test_more_best_than_beams_and_more_than_the_context_are_refused():
    model = Decoder(SMALL)
    with pytest.raises(ValueError, match=r"n_best from 1 to beams = 2, got 3"):
        beam_search(model, [[1]], 2, beams=2, n_best=3)
    with pytest.raises(ValueError, match=r"context_length = 8 tokens, got 3 in a prompt and 6 new"):
        beam_search(model, [[1, 2, 3]], 6, beams=2)


def test_no_token_to_write_gives_no_text():
    assert beam_search(Decoder(SMALL), [[1]], 0, beams=2) == [[]]
    assert math.isfinite(beam_search(Decoder(SMALL), [[1]], 1, beams=40)[0][0].score)
