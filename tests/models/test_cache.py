"""What a decoder reads with a cache has the logits that it has when it is read at once."""

from dataclasses import replace

import pytest
import torch

from llmcourse.models.cache import KVCache
from llmcourse.models.transformer import Decoder
from tests.models.test_transformer import FAMILIES, SMALL, assert_equal, ids_for, lively

WAYS = [(1,) * 8, (8,), (5, 1, 1, 1), (3, 4, 1), (1, 6, 1)]  # lengths of the pieces of a text


@pytest.fixture(params=FAMILIES, ids=str)
def model(request):
    return lively(Decoder(FAMILIES[request.param]))


def in_pieces(model, ids, lengths, cache, mask=None):
    """The logits of ids that are read piece by piece."""
    found, start = [], 0
    with torch.no_grad():
        for n in lengths:
            piece = None if mask is None else mask[:, start : start + n]
            found.append(model(ids[:, start : start + n], mask=piece, cache=cache))
            start += n
    return torch.cat(found, dim=1)


@pytest.mark.parametrize("lengths", WAYS, ids=str)
def test_pieces_have_the_logits_of_the_whole(model, lengths):
    ids = ids_for(model.config, B=3)
    cache = KVCache(model, 3)
    assert_equal(in_pieces(model, ids, lengths, cache), model(ids))
    assert cache.length == 8


def test_a_window_many_times_shorter_than_the_text():
    config = replace(FAMILIES["Mistral"], context_length=300, window=40, window_every=2)
    model = lively(Decoder(config))
    ids = ids_for(config)
    for lengths in [(260, 40), (299, 1), (100, 1, 199)]:
        assert_equal(in_pieces(model, ids, lengths, KVCache(model, 2)), model(ids))


@pytest.mark.parametrize("lengths", WAYS, ids=str)
def test_a_prompt_padded_on_the_left_has_the_logits_that_it_has_alone(model, lengths):
    ids = ids_for(model.config, B=3)
    pads = torch.tensor([0, 3, 7])
    mask = torch.arange(8) >= pads[:, None]
    cached = in_pieces(model, ids, lengths, KVCache(model, 3), mask)
    at_once = model(ids, mask=mask)
    for row, pad in enumerate(pads.tolist()):
        alone = model(ids[row : row + 1, pad:])[0]
        assert_equal(cached[row, pad:], alone)
        assert_equal(at_once[row, pad:], alone)


def test_what_stands_in_the_padding_changes_nothing(model):
    ids, mask = ids_for(model.config, B=2), torch.arange(8) >= torch.tensor([[2], [5]])
    logits = [in_pieces(model, ids.where(mask, x), (6, 2), KVCache(model, 2), mask) for x in (0, 4)]
    torch.testing.assert_close(logits[0][mask], logits[1][mask], atol=0, rtol=0)
    assert logits[0].isfinite().all()


def test_padding_is_remembered_by_later_calls():
    model = lively(Decoder(SMALL))
    ids, mask = ids_for(SMALL, B=2), torch.arange(8) >= torch.tensor([[0], [4]])
    cache = KVCache(model, 2)
    model(ids[:, :6], mask=mask[:, :6], cache=cache)
    assert_equal(model(ids[:, 6:], cache=cache), model(ids, mask=mask)[:, 6:])


def test_padding_may_come_after_a_call_without_a_mask():
    model = lively(Decoder(SMALL))
    ids = ids_for(SMALL, B=2)
    mask = torch.tensor([[True] * 3 + [False] * 2 + [True] * 3, [True] * 8])
    cache = KVCache(model, 2)
    logits = in_pieces(model, ids[:, :3], (3,), cache)
    logits = torch.cat([logits, in_pieces(model, ids[:, 3:], (3, 2), cache, mask[:, 3:])], dim=1)
    assert_equal(logits[mask], model(ids, mask=mask)[mask])


def test_a_cut_cache_forgets_later_tokens(model):
    ids, other = ids_for(model.config), ids_for(model.config, seed=1)
    cache = KVCache(model, 2)
    model(torch.cat([ids[:, :4], other[:, :3]], dim=1), cache=cache)
    cache.cut(4)
    assert_equal(model(ids[:, 4:], cache=cache), model(ids)[:, 4:])


def test_a_cache_cut_to_nothing_is_a_fresh_one():
    model = lively(Decoder(SMALL))
    ids, mask = ids_for(SMALL), torch.arange(8) >= torch.tensor([[3], [5]])
    cache = KVCache(model, 2)
    model(ids, mask=mask, cache=cache)
    cache.cut(0)
    assert_equal(model(ids, cache=cache), model(ids))


@pytest.mark.parametrize("rows", [[2, 0, 1], [1, 1, 1], [0, 0, 2, 2, 1], [2]], ids=str)
def test_reordered_rows_continue_the_rows_they_copy(model, rows):
    ids, mask = ids_for(model.config, B=3), torch.arange(8) >= torch.tensor([[0], [1], [3]])
    rows = torch.tensor(rows)
    for given in (None, mask):
        cache = KVCache(model, 3)
        in_pieces(model, ids[:, :5], (5,), cache, given)
        cache.reorder(rows)
        assert cache.rows == len(rows)
        last = in_pieces(model, ids[rows][:, 5:], (2, 1), cache)
        assert_equal(last, model(ids, mask=given)[rows][:, 5:])


def test_no_step_copies_what_the_cache_holds():
    model = Decoder(SMALL)
    cache = KVCache(model, 2)
    before = cache.buffer.data_ptr()
    for _ in range(5):
        model(ids_for(SMALL, T=1), cache=cache)
    assert cache.buffer.data_ptr() == before


def test_a_call_that_fails_leaves_the_cache_as_it_was(unchecked):
    model = lively(Decoder(SMALL))
    ids = ids_for(SMALL)
    cache = KVCache(model, 2)
    model(ids[:, :4], cache=cache)
    for wrong in (torch.full((2, 1), 11), ids):
        with pytest.raises(ValueError, match=r"expected"):
            model(wrong, cache=cache)
    assert_equal(model(ids[:, 4:], cache=cache), model(ids)[:, 4:])


def test_more_tokens_than_the_cache_or_the_context_takes_are_refused():
    model = Decoder(SMALL)
    cache = KVCache(model, 2, capacity=4)
    model(ids_for(SMALL, T=3), cache=cache)
    with pytest.raises(ValueError, match=r"at most capacity = 4 tokens in the cache, got 5"):
        model(ids_for(SMALL, T=2), cache=cache)
    cache = KVCache(model, 2, capacity=20)
    model(ids_for(SMALL, T=7), cache=cache)
    with pytest.raises(ValueError, match=r"at most context_length = 8 tokens, got 9"):
        model(ids_for(SMALL, T=2), cache=cache)


@pytest.mark.parametrize("length", [-1, 4])
def test_a_cache_is_cut_only_to_what_it_holds(length):
    model = Decoder(SMALL)
    cache = KVCache(model, 1)
    model(ids_for(SMALL, B=1, T=3), cache=cache)
    with pytest.raises(ValueError, match=rf"a length from 0 to 3, got {length}"):
        cache.cut(length)


def test_a_bfloat16_model_has_a_bfloat16_cache():
    model = lively(Decoder(FAMILIES["Llama"])).to(torch.bfloat16)
    ids = ids_for(model.config)
    cache = KVCache(model, 2)
    logits = in_pieces(model, ids, (5, 3), cache)
    assert cache.buffer.dtype == logits.dtype == torch.bfloat16
    torch.testing.assert_close(logits, model(ids), atol=0.1, rtol=0.1)


def test_weights_of_a_later_piece_are_rows_of_the_whole_and_leave_the_cache_as_it_is():
    attention = lively(Decoder(SMALL)).blocks[0].attention
    cache = KVCache(Decoder(SMALL), 2)
    x = torch.randn(2, 8, 16, generator=torch.Generator().manual_seed(0))
    attention(x[:, :5], cache=cache.layers[0])
    cache.advance(5)
    for _ in range(2):
        later = attention.weights(x[:, 5:], cache=cache.layers[0])
        assert_equal(later, attention.weights(x)[:, :, 5:])
