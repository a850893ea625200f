"""Packing loses nothing: each id of each document is a target exactly once an epoch."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.training.packing import (
    IGNORED,
    BatchStream,
    get_batch,
    join_documents,
    pack_documents,
    windows,
)

DOCUMENTS = st.lists(st.lists(st.integers(1, 9), max_size=12), max_size=8)


def counted(targets):
    return Counter(targets[targets != IGNORED].tolist())


def test_rows_by_hand():
    ids, targets = pack_documents([[5, 6, 7], [8]], 4, 0)
    assert ids.tolist() == [[0, 5, 6, 7], [0, 8, 0, 0]]
    assert targets.tolist() == [[5, 6, 7, 0], [8, 0, IGNORED, IGNORED]]


@given(DOCUMENTS, st.integers(1, 7))
def test_packing_loses_nothing_and_invents_nothing(documents, T):
    ids, targets = pack_documents(documents, T, 0)
    stream = [token for document in documents for token in (*document, 0)]
    flat = targets.flatten().tolist()
    assert ids.shape == targets.shape == (-(-len(stream) // T), T)
    assert flat[: len(stream)] == stream and set(flat[len(stream) :]) <= {IGNORED}
    assert ids.flatten().tolist() == ([0, *stream, *[0] * T])[: ids.numel()]


def test_without_documents_there_is_no_row():
    ids, targets = pack_documents([], 3, 0)
    assert ids.shape == targets.shape == (0, 3)


def test_windows_of_a_text_score_every_id_but_the_first():
    ids, targets = windows(torch.tensor([4, 5, 6, 7, 8]), 3)
    assert ids.tolist() == [[4, 5, 6], [7, 0, 0]]
    assert targets.tolist() == [[5, 6, 7], [8, IGNORED, IGNORED]]


def test_mistakes_are_refused_in_one_line():
    with pytest.raises(ValueError, match="at least 1 token, got T = 0"):
        windows(torch.arange(5), 0)
    with pytest.raises(ValueError, match="ids from 0 on, got -1"):
        join_documents([[3, -1]], 0)
    for N, T, B in ((1, 3, 3), (5, 0, 3), (5, 3, 0)):
        with pytest.raises(ValueError, match="2 or more ids in windows and batches of at least 1"):
            BatchStream(torch.arange(N), T, B)


def test_get_batch_goes_on_across_epochs():
    ids = torch.tensor([[1, 2], [3, 4], [5, 6]])
    orders = [[2, 0, 1], [1, 2, 0], [0, 2, 1], [1, 0, 2]]
    got = [get_batch(ids, ids + 10, step, 2, orders.__getitem__) for step in range(3)]
    assert [x[:, 0].tolist() for x, _ in got] == [[5, 1], [3, 3], [5, 1]]
    assert all(torch.equal(y, x + 10) for x, y in got)


@pytest.mark.parametrize(("N", "T", "B"), [(24, 4, 2), (25, 4, 7), (7, 8, 1), (7, 3, 20)])
def test_each_id_is_a_target_once_an_epoch(N, T, B):
    stream = BatchStream(torch.arange(N), T, B)
    rows = -(-N // T)
    taken = [next(stream) for _ in range(rows)]  # B epochs
    ids, targets = (torch.cat(parts) for parts in zip(*taken, strict=True))
    for epoch in range(B):
        part = slice(epoch * rows, (epoch + 1) * rows)
        assert counted(targets[part]) == Counter(range(N))
    real = targets != IGNORED
    assert torch.equal((ids[real] + 1) % N, targets[real])


def test_epochs_have_other_windows_in_another_order():
    stream = BatchStream(torch.arange(1000), 10, 100)
    starts = [next(stream)[0][:, 0] for _ in range(4)]
    assert len({int(start[0] % 10) for start in starts}) > 1
    assert len({tuple((start // 10).tolist()) for start in starts}) == 4


def test_the_seed_decides_and_nothing_else():
    streams = [BatchStream(torch.arange(50), 4, 3, seed) for seed in (1, 1, 2)]
    torch.manual_seed(5)
    a, b, c = ([next(stream)[0].tolist() for _ in range(9)] for stream in streams)
    assert a == b != c


def test_processes_share_a_batch_without_loss_also_an_uneven_one():
    whole = BatchStream(torch.arange(50), 4, 5, seed=3)
    parts = [BatchStream(torch.arange(50), 4, 5, seed=3, index=i, of=3) for i in range(3)]
    for _ in range(7):
        _, targets = next(whole)
        shares = [next(part) for part in parts]
        assert [len(share[0]) for share in shares] == [2, 2, 1]
        together = torch.cat([share[1] for share in shares])
        assert Counter(map(tuple, together.tolist())) == Counter(map(tuple, targets.tolist()))
    alone = BatchStream(torch.arange(50), 4, 1, index=1, of=2)
    assert next(alone)[0].shape == (0, 4)


@pytest.mark.parametrize("done", [0, 1, 4, 11])
def test_a_stream_goes_on_where_its_state_was_taken(done):
    first, second = (BatchStream(torch.arange(50), 4, 5, seed) for seed in (0, 9))
    for _ in range(done):
        next(first)
    second.load_state_dict(first.state_dict())
    for _ in range(20):
        assert torch.equal(next(first)[0], next(second)[0])


def test_a_state_holds_only_numbers_and_tensors_and_is_refused_for_another_text(tmp_path):
    state = BatchStream(torch.arange(50), 4, 5).state_dict()
    torch.save(state, tmp_path / "state")
    again = torch.load(tmp_path / "state", weights_only=True)
    BatchStream(torch.arange(50), 4, 5).load_state_dict(again)
    with pytest.raises(ValueError, match="of 25 windows, got one of 13"):
        BatchStream(torch.arange(100), 4, 5).load_state_dict(state)
