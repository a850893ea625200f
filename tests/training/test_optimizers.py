"""AdamW and Muon take torch's steps; Muon takes each map of a fused matrix by itself."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn

from llmcourse.models.transformer import Decoder
from llmcourse.training.optimizers import Muon, adamw, matrices, muon_and_adamw, orthogonalized
from tests.training.tiny import CONFIG, tiny

SHAPES = ((6, 6), (12, 6), (6, 12), (6, 6))


def randoms(shapes, seed=0):
    random = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=random)) for shape in shapes]


def both(mine, theirs, ours, peer, steps=5):
    """Take steps on the same random gradients with both optimisers."""
    random = torch.Generator().manual_seed(1)
    for _ in range(steps):
        for p, q in zip(mine, theirs, strict=True):
            p.grad = torch.randn(p.shape, generator=random)
            q.grad = p.grad.clone()
        ours.step()
        peer.step()


@pytest.mark.parametrize("shape", [(1, 5, 5), (3, 4, 9), (2, 9, 4)])
def test_orthogonalized_has_the_singular_vectors_and_the_quintic_of_the_values(shape):
    X = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    U, S, Vh = torch.linalg.svd(X / X.norm(dim=(1, 2), keepdim=True), full_matrices=False)
    for _ in range(5):
        S = 3.4445 * S - 4.7750 * S**3 + 2.0315 * S**5
    torch.testing.assert_close(orthogonalized(X, torch.float64), U * S[:, None] @ Vh)


def test_singular_values_end_near_one():
    X = torch.randn(20, 16, 16, generator=torch.Generator().manual_seed(0))
    S = torch.linalg.svdvals(orthogonalized(X, torch.float32))
    small = torch.linalg.svdvals(X / X.norm(dim=(1, 2), keepdim=True)) < 0.002
    assert float(S[~small].min()) > 0.3 and float(S.max()) < 1.25


def test_zeros_stay_zeros_and_nothing_is_changed_in_place():
    assert torch.equal(orthogonalized(torch.zeros(2, 3, 4)), torch.zeros(2, 3, 4).bfloat16())
    X = torch.ones(1, 2, 3)
    orthogonalized(X, torch.float32)
    assert torch.equal(X, torch.ones(1, 2, 3))


def test_muon_takes_torchs_steps():
    mine, theirs = randoms(SHAPES), randoms(SHAPES)
    both(mine, theirs, Muon(mine), torch.optim.Muon(theirs))
    for p, q in zip(mine, theirs, strict=True):  # both in bfloat16, summed in another order
        torch.testing.assert_close(p, q, atol=1e-4, rtol=0)


def test_muon_in_float32_takes_torchs_steps_at_other_settings(monkeypatch):
    from torch.optim import _muon

    torchs = _muon._zeropower_via_newtonschulz
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.float)  # exact: no rounding apart
    assert torchs(torch.ones(2, 2), (1, 1, 1), 1, 1e-7).dtype == torch.float32
    mine, theirs = randoms(SHAPES), randoms(SHAPES)
    settings = {"lr": 0.1, "weight_decay": 0.3, "momentum": 0.8}
    both(mine, theirs, Muon(mine, **settings, dtype=torch.float32),
         torch.optim.Muon(theirs, **settings))  # fmt: skip
    for p, q in zip(mine, theirs, strict=True):
        torch.testing.assert_close(p, q, atol=1e-6, rtol=1e-5)


def test_muon_cuts_a_fused_matrix_as_torchs_muon_on_its_parts():
    fused, *parts = randoms([(16, 8), (8, 8), (4, 8), (4, 8)])
    with torch.no_grad():
        fused.copy_(torch.cat(parts))
    whole = nn.Parameter(fused.detach().clone())
    ours = Muon([{"params": [fused], "rows": (8, 4, 4)}], lr=0.1)
    peer, uncut = torch.optim.Muon(parts, lr=0.1), torch.optim.Muon([whole], lr=0.1)
    random = torch.Generator().manual_seed(1)
    start = fused.detach().clone()
    for _ in range(3):
        fused.grad = torch.randn(16, 8, generator=random)
        whole.grad = fused.grad.clone()
        for part, grad in zip(parts, fused.grad.split((8, 4, 4)), strict=True):
            part.grad = grad.clone()
        for optimizer in (ours, peer, uncut):
            optimizer.step()
    torch.testing.assert_close(fused, torch.cat(parts), atol=1e-2, rtol=0)
    moved, otherwise = fused.detach() - start, whole.detach() - start
    assert float((moved - otherwise).norm() / moved.norm()) > 0.3


def test_muon_decays_without_a_gradient_of_use_and_skips_a_parameter_without_any():
    still, none = randoms([(3, 3), (3, 3)])
    before = [p.detach().clone() for p in (still, none)]
    still.grad = torch.zeros(3, 3)
    Muon([still, none], lr=0.5, weight_decay=0.2).step()
    torch.testing.assert_close(still.detach(), before[0] * 0.9)
    assert torch.equal(none, before[1])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ([nn.Parameter(torch.zeros(3))], r"matrices, got a parameter of shape \(3,\)"),
        ([{"params": [nn.Parameter(torch.zeros(4, 2))], "rows": (2, 1)}], "add up to 4"),
    ],
)
def test_muon_refuses_what_is_no_matrix_and_rows_that_do_not_fit(params, message):
    with pytest.raises(ValueError, match=message):
        Muon(params)


def test_adamw_is_torchs_and_vectors_do_not_decay():
    shapes = [(4, 3), (3,), (2, 2), ()]
    mine, theirs = randoms(shapes), randoms(shapes)
    ours = adamw(mine, lr=0.01, weight_decay=0.5, betas=(0.8, 0.9))
    groups = [{"params": theirs[::2], "weight_decay": 0.5}, {"params": theirs[1::2]}]
    both(mine, theirs, ours, torch.optim.AdamW(groups, 0.01, (0.8, 0.9), weight_decay=0.0), 20)
    for p, q in zip(mine, theirs, strict=True):
        torch.testing.assert_close(p, q, atol=1e-6, rtol=0)


def test_matrices_are_those_of_the_blocks_with_their_maps():
    model = tiny()
    found = {tuple(p.shape): group["rows"] for group in matrices(model) for p in group["params"]}
    #        qkv: 2 heads and 1 + 1 of width 4     gate and up        out         down
    assert found == {(16, 8): (8, 4, 4), (24, 8): (12, 12), (8, 8): None, (8, 12): None}
    assert sum(len(group["params"]) for group in matrices(model)) == 4 * CONFIG.n_layers


@pytest.mark.parametrize("tied", [True, False])
def test_every_parameter_has_one_optimiser(tied):
    model = Decoder(replace(CONFIG, tied_head=tied))
    optimizers = muon_and_adamw(model)
    params = [p for o in optimizers for group in o.param_groups for p in group["params"]]
    assert len(params) == len(set(params)) and set(params) == set(model.parameters())
    inside = {p for group in optimizers[0].param_groups for p in group["params"]}
    assert model.embed.weight not in inside


def test_muons_state_goes_through_a_state_dict():
    first, second = randoms(SHAPES), randoms(SHAPES)
    one, other = Muon(first, dtype=torch.float32), Muon(second, dtype=torch.float32)
    both(first, second, one, other, 2)
    third = [nn.Parameter(p.detach().clone()) for p in first]
    resumed = Muon(third, dtype=torch.float32)
    resumed.load_state_dict(deepcopy(one.state_dict()))  # torch keeps the tensors it is given
    both(first, third, one, resumed, 2)
    assert all(torch.equal(p, q) for p, q in zip(first, third, strict=True))
