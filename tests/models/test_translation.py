"""Translation in numpy against torch and sacrebleu, the model to train against both, and laws."""

import doctest
import functools
import math
import re
from pathlib import Path

import numpy as np
import pytest
import sacrebleu
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.course import read_info
from autograder.publishing.notebooks import expand
from llmcourse.checks import u07_decoding as decoding
from llmcourse.checks import u07_encoding as encoding
from llmcourse.checks import u07_impostors as impostors
from llmcourse.checks import u07_scores as scores
from llmcourse.models import translation
from llmcourse.models.translation import Translator, TranslatorConfig

SEEDS = st.integers(0, 99)


def translator(attention, seed=0):
    torch.manual_seed(seed)
    return Translator(TranslatorConfig(11, 9, 5, 3, attention)).double()


def batch(B=3, S=6, T=4, seed=0):
    """Source ids and mask, targets and mask; the second row of both is padded."""
    rng = np.random.default_rng(seed)
    ids, targets = rng.integers(0, 11, (B, S)), rng.integers(0, 9, (B, T))
    mask, real = np.ones((B, S), bool), np.ones((B, T), bool)
    mask[1, S // 2 :], real[1, 1:] = False, False
    return ids, mask, targets, real


def attending_step(params, states, values, mask):
    def step(ids, s):
        s = translation.gru_cell(params["gru"], params["E"][ids], s)
        found = translation.bilinear_score(s, states, params["W_a"])
        weights = translation.attention_weights(found, mask)
        c = translation.context_vector(weights, values)
        return translation.readout(params, s, c), s

    return step


def step_of(model, ids, mask):
    """The step of a translator by the functions, and its first state."""
    encoder, decoder = model.arrays()
    states, summary = translation.encode(encoder, ids, mask)
    if model.config.attention == "none":
        return (lambda before, s: translation.decode_step(decoder, before, s, summary)), summary
    if model.config.attention == "states":
        return attending_step(decoder, states, states, mask), summary
    return attending_step(decoder, states, encoder["E"][ids], mask), 0 * summary


# --- the functions and the model to train


@pytest.mark.parametrize("attention", translation.VALUES)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_functions_compute_what_the_model_computes(attention, seed):
    model = translator(attention, seed)
    if attention != "none":
        torch.nn.init.normal_(model.score)
    ids, mask, targets, real = batch(seed=seed)
    inputs = np.concatenate([np.full((len(ids), 1), 1), targets[:, :-1]], axis=1)
    logits = model(*map(torch.tensor, (ids, mask, inputs)))
    wanted = torch.nn.functional.cross_entropy(
        logits[torch.tensor(real)], torch.tensor(targets)[torch.tensor(real)]
    )
    ours = translation.teacher_forced_loss(*step_of(model, ids, mask), targets, real, 1)
    np.testing.assert_allclose(ours, wanted.item(), atol=1e-12)


def test_the_encoder_equals_torchs_bidirectional_gru_on_packed_rows():
    model = translator("none")
    ids, mask, _, _ = batch()
    states, summary = translation.encode(model.arrays()[0], ids, mask)
    theirs, last = model.encode(torch.tensor(ids), torch.tensor(mask))
    np.testing.assert_allclose(states[mask], theirs.detach().numpy()[mask], atol=1e-12)
    np.testing.assert_allclose(summary, last.detach(), atol=1e-12)


@settings(max_examples=20)
@given(more=st.integers(1, 4), seed=SEEDS)
def test_padding_changes_neither_summary_nor_translation(more, seed):
    model = translator("states", seed)
    ids, mask, _, _ = batch(seed=seed)
    wide = np.pad(ids, ((0, 0), (0, more)), constant_values=7), np.pad(mask, ((0, 0), (0, more)))
    found = []
    for a, m in ((ids, mask), wide):
        step, s = step_of(model, a, m)
        found.append((s, translation.translate_greedy(step, s, 1, 2, 8)))
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-12)
    assert found[0][1] == found[1][1]


def test_with_attention_only_the_score_is_new_and_a_context_of_words_is_a_word_wide():
    shapes = {
        values: {n: tuple(p.shape) for n, p in translator(values).named_parameters()}
        for values in translation.VALUES
    }
    assert shapes["states"] == shapes["none"] | {"score": (6, 6)}
    assert shapes["words"] == shapes["states"] | {"combine.weight": (6, 6 + 5)}


@pytest.mark.parametrize("attention", translation.VALUES)
def test_a_model_follows_its_inputs_in_dtype(attention):
    ids, mask, _, _ = batch()
    step, s = step_of(translator(attention).float(), ids, mask)
    assert {a.dtype for a in (s, *step(np.zeros(3, int), s))} == {np.dtype("float32")}


def test_no_logits_see_a_later_input():
    model = translator("words")
    ids, mask, targets, _ = map(torch.tensor, batch())
    other = targets.clone()
    other[:, 2:] = 0
    first, second = (model(ids, mask, inputs)[:, :2] for inputs in (targets, other))
    assert torch.equal(first, second)


@pytest.mark.parametrize("size", ["source_size", "target_size", "d_embed", "d_hidden"])
def test_a_size_of_0_is_refused(size):
    sizes = dict.fromkeys(("source_size", "target_size", "d_embed", "d_hidden"), 2) | {size: 0}
    with pytest.raises(ValueError, match="every size must be at least 1"):
        TranslatorConfig(**sizes, attention="none")


def test_another_kind_of_values_is_refused():
    with pytest.raises(ValueError, match=r"attention must be one of .* got 'word'"):
        TranslatorConfig(2, 2, 2, 2, "word")


def test_ids_outside_the_vocabulary_are_refused():
    encoder, decoder = translator("none").arrays()
    with pytest.raises(ValueError, match="expected ids from 0 to 10, got -1"):
        translation.encode(encoder, np.array([[1, -1]]), np.array([[True, False]]))
    with pytest.raises(ValueError, match="expected ids from 0 to 8, got 9"):
        translation.decode_step(decoder, np.array([9]), np.zeros((1, 6)), np.zeros((1, 6)))


# --- attention


@settings(max_examples=40)
@given(B=st.integers(1, 4), S=st.integers(1, 6), C=st.integers(1, 9), seed=SEEDS)
def test_attention_equals_torchs_also_where_nothing_is_allowed(B, S, C, seed):
    rng = np.random.default_rng(seed)
    q, keys, values = (
        rng.normal(size=(B, C)),
        rng.normal(size=(B, S, C)),
        rng.normal(size=(B, S, 3)),
    )
    mask = rng.random((B, S)) < 0.5
    weights = translation.attention_weights(translation.dot_score(q, keys), mask)
    theirs = torch.nn.functional.scaled_dot_product_attention(
        torch.tensor(q[:, None]), torch.tensor(keys), torch.tensor(values),
        attn_mask=torch.tensor(mask[:, None]),
    )  # fmt: skip
    ours = translation.context_vector(weights, values)
    np.testing.assert_allclose(ours, theirs[:, 0].numpy(), atol=1e-12)


@settings(max_examples=40)
@given(seed=SEEDS, size=st.sampled_from([1.0, 1e3, 1e300]))
def test_weights_sum_to_one_or_to_zero_whatever_the_scores(seed, size):
    rng = np.random.default_rng(seed)
    found, mask = size * rng.normal(size=(4, 5)), rng.random((4, 5)) < 0.4
    with np.errstate(over="ignore"):  # the difference of two scores of 1e300 may be -inf
        weights = translation.attention_weights(found, mask)
    assert np.isfinite(weights).all() and (weights[~mask] == 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), mask.any(axis=1), atol=1e-12)


def test_weights_worked_by_hand():
    weights = translation.attention_weights(
        np.array([math.log(1), math.log(3), 99.0]), np.array([True, True, False])
    )
    np.testing.assert_allclose(weights, [0.25, 0.75, 0], atol=1e-15)


def test_a_bilinear_score_with_a_scaled_identity_is_the_dot_score():
    rng = np.random.default_rng(0)
    q, keys = rng.normal(size=(3, 4)), rng.normal(size=(3, 5, 4))
    by_matrix = translation.bilinear_score(q, keys, np.eye(4) / 2)
    np.testing.assert_allclose(by_matrix, translation.dot_score(q, keys), atol=1e-12)


# --- greedy translation


def test_rows_end_on_their_own_and_no_step_follows_the_last_end():
    rng = np.random.default_rng(0)
    scripted, *rest = args = decoding.greedy_inputs(rng, 9, (3, 0, 5), 9)
    texts = translation.translate_greedy(scripted.step, scripted.state(), *rest)
    assert texts == decoding.texts_of(*args)
    assert [len(text) for text in texts] == [3, 0, 5]
    assert scripted.taken == 6


def test_a_loss_without_a_target_is_refused():
    with pytest.raises(ValueError, match="expected at least one real target"):
        translation.teacher_forced_loss(
            lambda ids, s: (np.zeros((1, 3)), s), np.zeros((1, 2)), np.zeros((1, 2), int),
            np.zeros((1, 2), bool), 0,
        )  # fmt: skip


# --- BLEU

TEXTS = st.lists(st.lists(st.sampled_from("abcd"), min_size=0, max_size=9), min_size=1, max_size=5)


@settings(max_examples=200)
@given(said=TEXTS, seed=SEEDS)
def test_bleu_equals_sacrebleus(said, seed):
    rng = np.random.default_rng(seed)
    wanted = [
        [*(token if rng.random() < 0.7 else "e" for token in text), *"ab"[: rng.integers(0, 3)]]
        for text in said
    ]
    theirs = sacrebleu.corpus_bleu(
        [" ".join(text) for text in said], [[" ".join(text) or "e" for text in wanted]],
        tokenize="none", force=True,
    )  # fmt: skip
    ours = translation.corpus_bleu(said, [text or ["e"] for text in wanted])
    np.testing.assert_allclose(ours, theirs.score, atol=1e-9)


def test_bleu_worked_by_hand():
    reference = ["the", "old", "books", "are", "in", "the", "garden"]
    said = ["the", "new", "books", "are", "in", "the", "garden"]
    wanted = 100 * (6 / 7 * 4 / 6 * 3 / 5 * 2 / 4) ** 0.25
    np.testing.assert_allclose(translation.corpus_bleu([said], [reference]), wanted)
    shorter = 100 * math.exp(1 - 7 / 5)
    np.testing.assert_allclose(translation.corpus_bleu([reference[:5]], [reference]), shorter)
    np.testing.assert_allclose(translation.corpus_bleu([reference], [reference]), 100)


def test_bleu_needs_a_reference_for_each_translation():
    with pytest.raises(ValueError, match="expected one reference for each translation"):
        translation.corpus_bleu([["a"]], [])


# --- the formulas of the checks


def test_the_formulas_of_the_checks_are_those_of_the_library():
    rng = np.random.default_rng(3)
    for ours, theirs, args in (
        (encoding.encoded, translation.encode, encoding.encode_inputs(rng, 6, 2, 3, 4, 5)),
        (encoding.decoded, translation.decode_step, encoding.decode_inputs(rng, 6, 2, 4, 3)),
        (decoding.loss_of, translation.teacher_forced_loss, decoding.loss_inputs(rng, 6, 3, 3, 5)),
        (scores.dot, translation.dot_score, scores.dot_inputs(rng, 3, 4, 5)),
        (scores.bilinear, translation.bilinear_score, scores.bilinear_inputs(rng, 3, 4, 2, 5)),
        (scores.weighed, translation.attention_weights, scores.weights_inputs(rng, 3, 4, 5)),
        (scores.context, translation.context_vector, scores.context_inputs(rng, 3, 4, 5)),
    ):
        mine, its = ours(*args), theirs(*args)
        pairs = zip(mine, its, strict=True) if isinstance(mine, tuple) else [(mine, its)]
        for one, other in pairs:
            np.testing.assert_allclose(one, other, atol=1e-12)


def test_the_right_attention_of_the_impostors_equals_torchs():
    rng = np.random.default_rng(4)
    q, k, v = rng.normal(size=(3, 5)), rng.normal(size=(4, 5)), rng.normal(size=(4, 2))
    mask = np.array([[True, False, True, True]] * 3)
    theirs = torch.nn.functional.scaled_dot_product_attention(
        *map(torch.tensor, (q, k, v)), attn_mask=torch.tensor(mask)
    )
    np.testing.assert_allclose(impostors.attend(q, k, v, mask), theirs.numpy(), atol=1e-12)


# --- the notebook

ROOT, SLUG = Path(__file__).parents[2], "07_attention"


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
    assert f"Write `{exercise}`, which " in text
    [example] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    test = doctest.DocTestParser().get_doctest(
        example, dict(names_of_the_notebook()), exercise, "", 0
    )
    assert test.examples and exercise in example
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


def test_every_drawing_of_the_notebook_has_a_text_in_its_place():
    found = [m for c in notebook() for m in re.findall(r"!\[(.*?)\]\((.*?)\)", c.source, re.DOTALL)]
    drawings = ("bottleneck", "attention_step", "one_head")
    assert [file for _, file in found] == [f"figures/{name}.svg" for name in drawings]
    assert all(len(text.split()) >= 15 for text, _ in found)
