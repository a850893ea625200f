"""Recurrent steps in numpy against torch's cells, the backward pass against autograd, and laws."""

import doctest
import functools
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.course import read_info
from autograder.publishing.notebooks import expand
from llmcourse.checks import compare
from llmcourse.checks import u06_backward as backward
from llmcourse.checks import u06_cells as cells
from llmcourse.checks import u06_models as models
from llmcourse.models import rnn
from llmcourse.models.rnn import SequenceClassifier, SequenceTagger

BLOCKS = {"elman": 1, "lstm": 4, "gru": 3}
SIZES = st.integers(1, 5)


def weights(kind, d_in, d_hidden, seed=0):
    rng, rows = np.random.default_rng(seed), BLOCKS[kind] * d_hidden
    shapes = {"W_ih": (rows, d_in), "W_hh": (rows, d_hidden), "b_ih": (rows,), "b_hh": (rows,)}
    return {name: rng.normal(0, 0.7, shape) for name, shape in shapes.items()}


def loaded(module, params):
    """A torch module with these weights, in float64."""
    names = {"W_ih": "weight_ih", "W_hh": "weight_hh", "b_ih": "bias_ih", "b_hh": "bias_hh"}
    suffix = "" if isinstance(module, torch.nn.RNNCellBase) else "_l0"
    state = {names[n] + suffix: torch.tensor(v) for n, v in params.items() if n in names}
    module = module.double()
    module.load_state_dict(state, strict=not getattr(module, "bidirectional", False))
    return module


def drawn(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape)


@settings(max_examples=30)
@given(B=SIZES, d_in=SIZES, H=SIZES, seed=st.integers(0, 99))
def test_steps_equal_torch_cells(B, d_in, H, seed):
    x, h, c = drawn(B, d_in, seed=seed), drawn(B, H, seed=seed + 1), drawn(B, H, seed=seed + 2)
    tensors = [torch.tensor(value) for value in (x, h, c)]
    elman, gru, lstm = (weights(kind, d_in, H, seed) for kind in ("elman", "gru", "lstm"))
    wanted = loaded(torch.nn.RNNCell(d_in, H), elman)(*tensors[:2])
    np.testing.assert_allclose(rnn.elman_step(elman, x, h), wanted.detach(), atol=1e-12)
    wanted = loaded(torch.nn.GRUCell(d_in, H), gru)(*tensors[:2])
    np.testing.assert_allclose(rnn.gru_cell(gru, x, h), wanted.detach(), atol=1e-12)
    wanted = loaded(torch.nn.LSTMCell(d_in, H), lstm)(tensors[0], tuple(tensors[1:]))
    for mine, its in zip(rnn.lstm_cell(lstm, x, h, c), wanted, strict=True):
        np.testing.assert_allclose(mine, its.detach(), atol=1e-12)


def test_a_jordan_network_is_an_elman_network_that_remembers_through_its_output():
    rng, (d_in, H, out) = np.random.default_rng(3), (3, 4, 2)
    shapes = {"W_ih": (H, d_in), "W_yh": (H, out), "b_h": (H,), "W_hy": (out, H), "b_y": (out,)}
    p = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    elman = {"W_ih": p["W_ih"], "W_hh": p["W_yh"] @ p["W_hy"], "b_ih": p["b_h"]}
    elman["b_hh"] = p["W_yh"] @ p["b_y"]
    h = drawn(5, H)
    y = h @ p["W_hy"].T + p["b_y"]
    for x in drawn(6, 5, d_in, seed=2):
        h, (hidden, y) = rnn.elman_step(elman, x, h), rnn.jordan_step(p, x, y)
        np.testing.assert_allclose(hidden, h, atol=1e-12)
        np.testing.assert_allclose(y, h @ p["W_hy"].T + p["b_y"], atol=1e-12)


def test_the_other_gru_differs_only_by_the_place_of_the_reset_gate():
    H = 4
    params = weights("gru", 3, H)
    x, h = drawn(2, 3), drawn(2, H, seed=2)
    turned = {name: value.copy() for name, value in params.items()}
    for value in turned.values():
        value[H : 2 * H] *= -1  # z becomes 1 - z
    other = rnn.gru_cell_reset_first(turned, x, h)
    assert np.abs(other - rnn.gru_cell(params, x, h)).max() > 0.01
    for value in (params, turned):
        value["b_ih"][:H] = 100  # r = 1: the gate lets everything through
    np.testing.assert_allclose(
        rnn.gru_cell_reset_first(turned, x, h), rnn.gru_cell(params, x, h), atol=1e-12
    )


@pytest.mark.parametrize(("T", "B", "d_in", "H"), [(1, 1, 1, 1), (5, 3, 2, 4), (9, 2, 4, 3)])
def test_bptt_equals_autograd(T, B, d_in, H):
    params = weights("elman", d_in, H)
    xs, h0, dhs = drawn(T, B, d_in), drawn(B, H, seed=2), drawn(T, B, H, seed=3)
    module, start = loaded(torch.nn.RNN(d_in, H), params), torch.tensor(h0[None])
    start.requires_grad_()
    module(torch.tensor(xs), start)[0].backward(torch.tensor(dhs))
    wanted = {"W_ih": module.weight_ih_l0, "W_hh": module.weight_hh_l0, "h0": start}
    wanted |= {"b_ih": module.bias_ih_l0, "b_hh": module.bias_hh_l0}
    gradients = rnn.bptt(params, xs, h0, dhs)
    assert gradients.keys() == wanted.keys()
    for name, leaf in wanted.items():
        np.testing.assert_allclose(gradients[name], leaf.grad.reshape(gradients[name].shape))


def test_bptt_of_no_steps_is_zero():
    gradients = rnn.bptt(weights("elman", 2, 3), drawn(0, 1, 2), drawn(1, 3), drawn(0, 1, 3))
    assert all(not g.any() for g in gradients.values())


@pytest.mark.parametrize("max_norm", [0.1, 1.0, 1000.0])
def test_clipping_equals_torch(max_norm):
    gradients = {"a": drawn(3, 2), "b": drawn(4, seed=2)}
    leaves = {name: torch.nn.Parameter(torch.zeros(g.shape)) for name, g in gradients.items()}
    for name, leaf in leaves.items():
        leaf.grad = torch.tensor(gradients[name], dtype=torch.float32)
    norm = torch.nn.utils.clip_grad_norm_(leaves.values(), max_norm)
    clipped, ours = rnn.clip_grad_norm(gradients, max_norm)
    assert ours == pytest.approx(norm.item(), rel=1e-5)
    for name, leaf in leaves.items():
        np.testing.assert_allclose(clipped[name], leaf.grad, rtol=2e-5)


def test_clipping_leaves_zeros_and_its_argument_alone():
    zeros = {"a": np.zeros(3)}
    clipped, norm = rnn.clip_grad_norm(zeros, 1.0)
    assert norm == 0 and not clipped["a"].any()
    large = {"a": np.full(4, 5.0)}
    assert rnn.clip_grad_norm(large, 1.0)[0]["a"].tolist() == [0.5] * 4
    assert large["a"].tolist() == [5.0] * 4


def test_reading_both_ways_equals_torch():
    forward, backward = weights("gru", 3, 4), weights("gru", 3, 4, seed=1)
    module = loaded(torch.nn.GRU(3, 4, bidirectional=True), forward)
    loaded_back = loaded(torch.nn.GRU(3, 4), backward).state_dict()
    module.load_state_dict({f"{n}_reverse": v for n, v in loaded_back.items()}, strict=False)
    xs = drawn(6, 2, 3)
    wanted, _ = module(torch.tensor(xs))
    np.testing.assert_allclose(
        rnn.bidirectional(forward, backward, xs), wanted.detach(), atol=1e-12
    )
    assert rnn.bidirectional(forward, backward, xs[:0]).shape == (0, 2, 8)


def reader(K, width, seed=4):
    rng = np.random.default_rng(seed)
    return {"E": drawn(7, 3), "W": rng.normal(size=(K, width)), "b": rng.normal(size=K)}


def test_a_tagger_sees_the_tokens_on_both_sides():
    params = reader(3, 8) | {"forward": weights("gru", 3, 4), "backward": weights("gru", 3, 4, 1)}
    tagger = SequenceTagger(params)
    ids = np.array([[1, 2, 3, 4, 5], [6, 0, 1, 1, 2]])
    logits = tagger.logits(ids)
    assert logits.shape == (2, 5, 3)
    np.testing.assert_array_equal(tagger.tags(ids), logits.argmax(axis=2))
    states = rnn.bidirectional(params["forward"], params["backward"], params["E"][ids.T])
    np.testing.assert_allclose(logits[1, 2], states[2, 1] @ params["W"].T + params["b"])
    for index in (0, 4):
        other = ids.copy()
        other[0, index] = 0
        assert np.abs(tagger.logits(other) - logits)[0, 2].max() > 1e-6


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_classifier_reads_each_row_to_its_own_end(pooling):
    params = reader(3, 4) | {"gru": weights("gru", 3, 4)}
    classifier = SequenceClassifier(params, pooling)
    ids, lengths = np.array([[1, 2, 3, 4], [5, 6, 0, 0]]), np.array([4, 2])
    logits = classifier.logits(ids, lengths)
    alone = classifier.logits(ids[1:, :2], lengths[1:])
    np.testing.assert_allclose(logits[1:], alone, atol=1e-12)
    states = rnn.gru_states(params["gru"], params["E"][ids[0]][:, None])[:, 0]
    pooled = states[-1] if pooling == "last" else states.mean(axis=0)
    np.testing.assert_allclose(logits[0], pooled @ params["W"].T + params["b"], atol=1e-12)


def test_an_unknown_pooling_is_refused():
    with pytest.raises(ValueError, match="last, mean"):
        SequenceClassifier({}, "max")


def test_the_formulas_that_answers_are_judged_by_are_the_library_s():
    elman, gru, lstm = (weights(kind, 3, 4) for kind in ("elman", "gru", "lstm"))
    x, h, c, xs, dhs = drawn(2, 3), drawn(2, 4, seed=2), drawn(2, 4), drawn(5, 2, 3), drawn(5, 2, 4)
    pairs = [
        (rnn.elman_step, cells.elman, (elman, x, h)),
        (rnn.gru_cell, cells.gru, (gru, x, h)),
        (rnn.lstm_cell, cells.lstm, (lstm, x, h, c)),
        (rnn.bidirectional, models.both, (gru, weights("gru", 3, 4, 5), xs)),
    ]
    for ours, judge, args in pairs:
        np.testing.assert_allclose(judge(*args), ours(*args), atol=1e-12)
    for name, gradient in rnn.bptt(elman, xs, h, dhs).items():
        judged = backward.bptt_gradients(elman, xs, h, dhs)[name]
        np.testing.assert_allclose(judged, gradient, atol=1e-12)


def cases_of_mistakes():
    rng = np.random.default_rng(7)
    elman, gru, lstm = (cells.weights(rng, blocks, 3, 4) for blocks in (1, 3, 4))
    x, h, c, xs = drawn(2, 3), drawn(2, 4, seed=2), drawn(2, 4, seed=3), drawn(5, 2, 3)
    ids, lengths = np.array([[2, 0, 5, 1], [3, 3, 4, 0]]), np.array([2, 1])
    gradients = {"a": drawn(3), "b": drawn(2, 2, seed=4)}
    tagger, classifier = (
        make(rng, 6, 2, 3, 4, 2, 4)[0] for make in (models.tagger_inputs, models.classifier_inputs)
    )
    read, both = (classifier, "last", ids, lengths), (gru, cells.weights(rng, 3, 3, 4), xs)
    return {
        "elman": (cells.elman, cells.elman_mistakes, (elman, x, h)),
        "jordan": (cells.jordan, cells.jordan_mistakes, cells.jordan_inputs(rng, 2, 3, 4, 2)),
        "bptt": (backward.bptt_gradients, backward.bptt_mistakes, (elman, xs, h, drawn(5, 2, 4))),
        "clip": (backward.clipped, backward.clip_mistakes, (gradients, 0.7)),
        "lstm": (cells.lstm, cells.lstm_mistakes, (lstm, x, h, c)),
        "gru": (cells.gru, cells.gru_mistakes, (gru, x, h)),
        "both": (models.both, models.both_mistakes, both),
        "tagger": (models.tag_logits, models.tagger_mistakes, (tagger, ids)),
        "last": (models.class_logits, models.classifier_mistakes, read),
        "mean": (models.class_logits, models.classifier_mistakes, (classifier, "mean", *read[2:])),
    }


@pytest.mark.parametrize("name", cases_of_mistakes())
def test_every_mistake_that_is_told_comes_to_another_value(name):
    formula, mistakes, args = cases_of_mistakes()[name]
    same = [m.hint for m in mistakes(*args) if compare(m.value, formula(*args), 1e-6) is None]
    below = ["Gradients with a norm below the limit do not change: never scale up."]
    assert same == (below if name == "clip" else [])  # it shows below the limit only


def clipped(*values, limit=1.0, dtype=np.float32):
    made, norm = rnn.clip_grad_norm({"a": np.array(values, dtype=dtype)}, limit)
    return made["a"], norm


@pytest.mark.parametrize(
    ("size", "dtype"),
    [
        *((size, np.float32) for size in (1e19, 1e38, 1e-25, 1e-44)),
        *((size, np.float16) for size in (1e4, 1e-5)),
        *((size, np.float64) for size in (1e200, 1e-200)),
    ],
)
def test_clipping_is_right_at_every_size_that_the_dtype_holds(size, dtype):
    given = np.array([3 * size, -1.5 * size], dtype=dtype)
    wide = [float(g) for g in given]
    for limit in (1.0, size / 100):
        made, norm = clipped(*given, limit=limit, dtype=dtype)
        assert norm == pytest.approx(math.hypot(*wide), rel=1e-12)
        factor = min(1.0, limit / norm)
        smallest = float(np.finfo(dtype).smallest_subnormal)
        wanted = [factor * g for g in wide]
        np.testing.assert_allclose(made.astype(float), wanted, rtol=1e-3, atol=smallest)
        assert made.dtype == dtype


def test_float32_gradients_whose_squares_overflow_or_vanish_keep_their_direction():
    made, norm = clipped(3e19, 4e19)
    np.testing.assert_allclose(made, [0.6, 0.8], rtol=1e-6)
    assert norm == pytest.approx(5e19)
    made, norm = clipped(3e-25, 4e-25)
    np.testing.assert_array_equal(made, np.array([3e-25, 4e-25], dtype=np.float32))
    assert norm == pytest.approx(5e-25)
    tensors = {"a": torch.tensor([3e19]), "b": torch.tensor([[4e19]], dtype=torch.bfloat16)}
    made, norm = rnn.clip_grad_norm(tensors, 1.0)
    assert (made["a"].dtype, made["b"].dtype) == (torch.float32, torch.bfloat16)
    assert (made["a"].item(), made["b"].item()) == pytest.approx((0.6, 0.8), rel=1e-2)
    made, norm = clipped(1.7e308, 1.7e308, dtype=np.float64)  # the norm itself overflows
    np.testing.assert_allclose(made, [0.5**0.5] * 2)
    assert norm == math.inf


def test_clipping_nothing_empty_arrays_and_whole_numbers():
    assert rnn.clip_grad_norm({}, 1.0) == ({}, 0.0)
    empty = {"a": np.zeros((0, 3)), "b": torch.zeros(0)}
    made, norm = rnn.clip_grad_norm(empty, 1.0)
    assert norm == 0 and made["a"].shape == (0, 3) and made["b"].shape == (0,)
    made, norm = rnn.clip_grad_norm({"a": np.array([3, 4])}, 1.0)
    assert norm == 5 and made["a"] == pytest.approx([0.6, 0.8])


def test_an_infinite_or_nan_gradient_gives_what_torch_gives():
    for worst in (np.inf, np.nan):
        made, norm = clipped(worst, 1.0)
        leaf = torch.nn.Parameter(torch.zeros(2))
        leaf.grad = torch.tensor([worst, 1.0])
        np.testing.assert_equal(norm, torch.nn.utils.clip_grad_norm_([leaf], 1.0).item())
        np.testing.assert_equal(made, leaf.grad.numpy())


def test_steps_refuse_a_state_of_another_batch():
    for step, kind, states in (
        (rnn.elman_step, "elman", 1),
        (rnn.gru_cell, "gru", 1),
        (rnn.lstm_cell, "lstm", 2),
    ):
        with pytest.raises(ValueError, match=r"expected as many rows .* \(2, 4\) .* \(3, 2\)"):
            step(weights(kind, 2, 4), drawn(3, 2), *[drawn(2, 4)] * states)


@pytest.mark.parametrize("lengths", [[0, 1], [-1, 1], [1, 5]])
def test_lengths_outside_the_text_are_refused(lengths):
    params = reader(3, 4) | {"gru": weights("gru", 3, 4)}
    with pytest.raises(ValueError, match="expected lengths"):
        SequenceClassifier(params).logits(np.zeros((2, 4), int), np.array(lengths))


# --- the notebook

ROOT, SLUG = Path(__file__).parents[2], "06_rnn_lstm"


@functools.cache
def notebook():
    return expand(ROOT, SLUG).cells


@functools.cache
def names_of_the_notebook():
    """What its cells define, without demonstrations and checks."""
    names = {}
    for cell in notebook():
        left_out = "demo" in cell.metadata.get("tags", []) or "check." in cell.source
        if cell.cell_type == "code" and not left_out:
            exec(cell.source, names)
    return names


@pytest.mark.parametrize("exercise", [e.id for e in read_info(ROOT, SLUG).exercises])
def test_the_example_call_of_an_exercise_has_the_value_that_it_shows(exercise):
    [text] = [
        re.sub("^> ?", "", c.source, flags=re.MULTILINE)  # the task is a quotation
        for c in notebook()
        if c.cell_type == "markdown"
        and c.source.startswith("### Ex")
        and f"`{exercise}` ·" in c.source
    ]
    text = text.replace("\n> ", "\n")  # the task is set off as a quotation
    assert f"Write `{exercise}`, which " in text
    [example] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    test = doctest.DocTestParser().get_doctest(
        example, dict(names_of_the_notebook()), exercise, "", 0
    )
    assert test.examples and exercise in example
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


def test_every_drawing_of_the_notebook_has_a_text_in_its_place():
    found = [m for c in notebook() for m in re.findall(r"!\[(.*?)\]\((.*?)\)", c.source, re.DOTALL)]
    assert [file for _, file in found] == [
        f"figures/{name}.svg"
        for name in (
            "unrolled_network",
            "bptt",
            "lstm_cell",
            "gru_cell",
            "stacked_layers",
            "bidirectional",
        )
    ]
    assert all(len(text.split()) >= 15 for text, _ in found)
