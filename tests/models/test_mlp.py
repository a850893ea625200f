"""The window model and its hand-written gradients against torch, and the laws they obey."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.models import mlp
from llmcourse.models.mlp import FixedWindowLM, WindowConfig

CONFIG = WindowConfig(vocab_size=7, window=3, d_embed=4, d_hidden=5)
SIZES = st.integers(1, 6)


def model(seed=0, dtype=np.float64):
    """A model with no parameter at 0."""
    rng = np.random.default_rng(seed)
    shapes = {n: p.shape for n, p in mlp.init_params(CONFIG, rng).items()}
    return FixedWindowLM({n: rng.standard_normal(s).astype(dtype) for n, s in shapes.items()})


def batch(size=6, seed=1):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 7, (size, 3)), rng.integers(0, 7, size)


def torch_loss(leaf, ids, targets):
    x = leaf["E"][torch.tensor(ids)].flatten(1)
    hidden = torch.nn.functional.linear(x, leaf["W1"].T, leaf["b1"]).tanh()
    logits = torch.nn.functional.linear(hidden, leaf["W2"].T, leaf["b2"])
    return torch.nn.functional.cross_entropy(logits, torch.tensor(targets))


def leaves(params):
    return {n: torch.tensor(p, requires_grad=True) for n, p in params.items()}


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "gelu"])
def test_activations_and_derivatives_equal_torch(name):
    x = torch.linspace(-30, 30, 6001, dtype=torch.float64, requires_grad=True)
    function = {"gelu": lambda v: torch.nn.functional.gelu(v, approximate="tanh")}
    value = function.get(name, getattr(torch, name, None))(x)
    value.sum().backward()
    ours = mlp.activations(x.detach().numpy())[name]
    np.testing.assert_allclose(ours[0], value.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(ours[1], x.grad.numpy(), atol=1e-12)


def test_activations_are_finite_and_silent_at_any_size():
    x = np.array([-1e300, -1000.0, 0.0, 1000.0, 1e300])
    with np.errstate(over="raise", invalid="raise"):
        for value, derivative in mlp.activations(x).values():
            assert np.isfinite(value).all() and np.isfinite(derivative).all()


@given(B=SIZES, V=SIZES, size=st.sampled_from([1.0, 30.0, 1e4]), seed=st.integers(0, 99))
@settings(deadline=None)
def test_softmax_cross_entropy_equals_torch(B, V, size, seed):
    rng = np.random.default_rng(seed)
    logits, targets = rng.uniform(-size, size, (B, V)), rng.integers(0, V, B)
    kept = logits.copy()
    leaf = torch.tensor(logits, requires_grad=True)
    wanted = torch.nn.functional.cross_entropy(leaf, torch.tensor(targets))
    wanted.backward()
    loss, gradient = mlp.softmax_cross_entropy(logits, targets)
    assert loss == pytest.approx(wanted.item(), rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(gradient, leaf.grad.numpy(), atol=1e-12)
    np.testing.assert_array_equal(logits, kept)


@given(B=SIZES, inputs=SIZES, outputs=SIZES)
@settings(deadline=None)
def test_linear_backward_equals_torch(B, inputs, outputs):
    rng = np.random.default_rng(B + 10 * inputs + 100 * outputs)
    arrays = [rng.standard_normal(s) for s in ((B, inputs), (inputs, outputs), (outputs,))]
    x, W, b = (torch.tensor(array, requires_grad=True) for array in arrays)
    dy = rng.standard_normal((B, outputs))
    (x @ W + b).backward(torch.tensor(dy))
    ours = mlp.linear_backward(arrays[0], arrays[1], dy)
    for mine, leaf in zip(ours, (x, W, b), strict=True):
        np.testing.assert_allclose(mine, leaf.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_all_gradients_of_the_model_equal_autograd(seed):
    ours, (ids, targets) = model(seed), batch(seed=seed)
    loss, gradients = mlp.loss_and_gradients(ours, ids, targets)
    leaf = leaves(ours.params)
    wanted = torch_loss(leaf, ids, targets)
    wanted.backward()
    assert loss == pytest.approx(wanted.item(), abs=1e-12)
    assert gradients.keys() == ours.params.keys()
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, leaf[name].grad.numpy(), atol=1e-12)


def test_gradients_agree_with_their_measurement_from_two_sides():
    ours, (ids, targets) = model(), batch()
    _, gradients = mlp.loss_and_gradients(ours, ids, targets)
    for name, gradient in gradients.items():

        def loss(value, name=name):
            moved = FixedWindowLM(ours.params | {name: value})
            return mlp.loss_and_gradients(moved, ids, targets)[0]

        assert mlp.gradient_check(loss, ours.params[name], gradient) < 1e-8


def test_gradient_check_reports_the_largest_error_and_leaves_x():
    x = np.array([[1.0, 2.0], [3.0, -1.0]])
    wrong = 2 * x + np.array([[0.0, -0.25], [0.125, 0.0]])
    assert mlp.gradient_check(lambda v: float((v**2).sum()), x, wrong) == pytest.approx(0.25)
    np.testing.assert_array_equal(x, [[1.0, 2.0], [3.0, -1.0]])


def test_float32_parameters_give_float32_gradients():
    ours, (ids, targets) = model(dtype=np.float32), batch()
    _, gradients = mlp.loss_and_gradients(ours, ids, targets)
    assert {g.dtype for g in gradients.values()} == {np.dtype(np.float32)}


def test_a_repeated_token_gets_the_sum_of_its_derivatives():
    params = {"E": np.zeros((3, 2))}
    gradient = FixedWindowLM(params).embedding_gradient(
        np.array([[1, 1], [1, 0]]), np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]])
    )
    np.testing.assert_array_equal(gradient, [[7, 8], [9, 12], [0, 0]])


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_steps_equal_torch_sgd(momentum):
    ours, (ids, targets) = model(), batch()
    leaf = leaves(ours.params)
    optimizer = torch.optim.SGD(list(leaf.values()), lr=0.3, momentum=momentum)
    velocity = {n: np.zeros_like(p) for n, p in ours.params.items()}
    for _ in range(5):
        _, gradients = mlp.loss_and_gradients(ours, ids, targets)
        ours.params, velocity = mlp.sgd_step(ours.params, gradients, velocity, 0.3, momentum)
        optimizer.zero_grad()
        torch_loss(leaf, ids, targets).backward()
        optimizer.step()
    for name, value in ours.params.items():
        np.testing.assert_allclose(value, leaf[name].detach().numpy(), atol=1e-10)


def test_sgd_step_changes_nothing_in_place():
    one = {"b": np.ones(2)}
    mlp.sgd_step(one, one, one, 0.1, 0.9)
    np.testing.assert_array_equal(one["b"], [1, 1])


def test_a_fresh_model_is_uniform():
    params = mlp.init_params(CONFIG, np.random.default_rng(0))
    loss, _ = mlp.loss_and_gradients(FixedWindowLM(params), *batch())
    assert loss == pytest.approx(math.log(7), abs=1e-6)


def test_n_parameters_counts_every_number():
    params = mlp.init_params(CONFIG, np.random.default_rng(0))
    assert CONFIG.n_parameters == sum(p.size for p in params.values())


def test_sizes_below_one_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        WindowConfig(vocab_size=7, window=0, d_embed=4, d_hidden=5)


def test_first_vectors_have_the_spread_asked_for():
    config = WindowConfig(vocab_size=500, window=1, d_embed=40, d_hidden=1, embed_std=0.1)
    E = mlp.init_params(config, np.random.default_rng(0))["E"]
    assert E.std() == pytest.approx(0.1, rel=0.02)
    with pytest.raises(ValueError, match="embed_std must be 0 or more"):
        WindowConfig(vocab_size=7, window=3, d_embed=4, d_hidden=5, embed_std=-1)


def test_windows_pair_each_token_with_those_before_it():
    contexts, targets = mlp.windows(np.array([5, 6, 7, 8]), 2)
    np.testing.assert_array_equal(contexts, [[5, 6], [6, 7]])
    np.testing.assert_array_equal(targets, [7, 8])


def test_a_text_as_short_as_the_window_is_refused():
    with pytest.raises(ValueError, match="more than 3 ids"):
        mlp.windows(np.array([1, 2, 3]), 3)


def test_logps_are_those_of_torch_over_several_batches():
    ours, ids = model(), np.random.default_rng(3).integers(0, 7, 50)
    contexts, targets = mlp.windows(ids, 3)
    logits = torch.tensor(ours.logits(contexts))
    wanted = torch.log_softmax(logits, dim=1)[torch.arange(47), torch.tensor(targets)]
    np.testing.assert_allclose(mlp.logps(ours, ids, 3, batch=10), wanted.numpy(), atol=1e-12)


def test_random_search_draws_in_equal_factors_and_keeps_the_lowest():
    draws = iter([0.0, 0.5, 0.5, 0.0, 1.0, 0.25])
    best, value = mlp.random_search(
        lambda s: abs(math.log10(s["a"])), {"a": (0.1, 10), "b": (1, 16)}, 3, lambda: next(draws)
    )
    assert best == pytest.approx({"a": 1.0, "b": 1.0})
    assert value == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("values", [[math.nan, 2, 3], [3, math.nan, 2], [2, math.nan, 2.5]])
def test_random_search_never_returns_a_diverged_run(values):
    left = iter(values)
    _, value = mlp.random_search(lambda s: next(left), {"a": (1, 2)}, 3, lambda: 0.5)
    assert value == 2


def test_random_search_needs_a_trial():
    with pytest.raises(ValueError, match="at least 1 trial"):
        mlp.random_search(lambda s: 0.0, {"a": (1, 2)}, 0, lambda: 0.5)


def test_training_learns_a_text_that_leaves_no_choice():
    ids = np.arange(300) % 7
    contexts, targets = mlp.windows(ids, 3)
    ours = FixedWindowLM(mlp.init_params(CONFIG, np.random.default_rng(0)))
    velocity = {n: np.zeros_like(p) for n, p in ours.params.items()}
    for _ in range(300):
        _, gradients = mlp.loss_and_gradients(ours, contexts, targets)
        ours.params, velocity = mlp.sgd_step(ours.params, gradients, velocity, 0.1, 0.9)
    assert -mlp.logps(ours, ids, 3).mean() < 0.01


def test_ignored_targets_have_no_loss_and_no_gradient_as_in_torch():
    rng = np.random.default_rng(3)
    logits, targets = rng.standard_normal((5, 4)), np.array([2, -100, 0, -100, 3])
    leaf = torch.tensor(logits, requires_grad=True)
    wanted = torch.nn.functional.cross_entropy(leaf, torch.tensor(targets))
    wanted.backward()
    loss, gradient = mlp.softmax_cross_entropy(logits, targets)
    assert loss == pytest.approx(wanted.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, leaf.grad.numpy(), atol=1e-15)
    assert not gradient[[1, 3]].any()
    alone = mlp.softmax_cross_entropy(logits[[0, 2, 4]], targets[[0, 2, 4]])
    assert loss == pytest.approx(alone[0])


@pytest.mark.parametrize("targets", [[-100, -100], []])
def test_a_mean_over_no_target_is_refused(targets):
    logits = np.zeros((len(targets), 3))
    with pytest.raises(ValueError, match="expected a target to score, got"):
        mlp.softmax_cross_entropy(logits, np.array(targets))


@pytest.mark.parametrize("wrong", [-1, -99, -101, 3])
def test_other_targets_outside_the_vocabulary_are_refused(wrong):
    with pytest.raises(ValueError, match=f"expected targets from 0 to 2, got {wrong}"):
        mlp.softmax_cross_entropy(np.zeros((2, 3)), np.array([0, wrong]))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_activations_of_low_precision_are_finite_and_silent(dtype):
    largest = float(np.finfo(dtype).max)
    x = np.array([-largest, -100, -20, 0, 20, 100, largest], dtype=dtype)
    with np.errstate(over="raise", invalid="raise"):
        for name, (value, derivative) in mlp.activations(x).items():
            assert np.isfinite(value).all() and np.isfinite(derivative).all(), name
            assert value.dtype == dtype


def test_no_windows_give_no_logits_and_no_gradient():
    ours = model()
    assert ours.logits(np.zeros((0, 3), int)).shape == (0, 7)
    assert not ours.embedding_gradient(np.zeros((0, 3), int), np.zeros((0, 12))).any()
    with pytest.raises(ValueError, match="window must be at least 1"):
        mlp.windows(np.arange(4), 0)
