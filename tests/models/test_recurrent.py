"""Trainable recurrent layers and models against torch's, and what reading in pieces must keep."""

import math

import pytest
import torch

from llmcourse.models import sequence_models as models
from llmcourse.models.recurrent import Jordan, Recurrent
from llmcourse.models.sequence_models import RecurrentConfig, RecurrentLM, SequenceModel

TORCH = {"elman": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
SMALL = RecurrentConfig(vocab_size=7, d_embed=3, d_hidden=5, n_out=7)


def made(config=SMALL, seed=0):
    """A model with a head that is not 0."""
    torch.manual_seed(seed)
    model = RecurrentLM(config)
    torch.nn.init.normal_(model.head.weight)
    return model


@pytest.mark.parametrize("kind", TORCH)
@pytest.mark.parametrize(("n_layers", "both"), [(1, False), (1, True), (3, False), (2, True)])
def test_layers_equal_torch_forwards_and_backwards(kind, n_layers, both):
    torch.manual_seed(0)
    ours = Recurrent(kind, 3, 4, n_layers, both)
    theirs = TORCH[kind](3, 4, n_layers, bidirectional=both, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    x, rows = torch.randn(2, 6, 3), n_layers * (1 + both)
    state = tuple(torch.randn(rows, 2, 4) for _ in range(1 + (kind == "lstm")))
    results = []
    for module, start in ((ours, state), (theirs, state if kind == "lstm" else state[0])):
        leaf = x.clone().requires_grad_()
        outputs, end = module(leaf, start)
        end = end if isinstance(end, tuple) else (end,)
        (outputs.square().sum() + sum((i + 2) * s.sum() for i, s in enumerate(end))).backward()
        gradients = {name: p.grad for name, p in module.named_parameters()}
        results.append([outputs, *end, leaf.grad, *(gradients[name] for name in sorted(gradients))])
    for mine, its in zip(*results, strict=True):
        torch.testing.assert_close(mine, its, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", TORCH)
def test_the_gradient_of_the_first_state_equals_torch(kind):
    torch.manual_seed(0)
    ours = Recurrent(kind, 3, 4).double()
    theirs = TORCH[kind](3, 4, batch_first=True).double()
    theirs.load_state_dict(ours.state_dict())
    x, gradients = torch.randn(2, 5, 3, dtype=torch.float64), []
    for module in (ours, theirs):
        state = tuple(
            torch.full((1, 2, 4), 0.3, dtype=torch.float64, requires_grad=True)
            for _ in range(1 + (kind == "lstm"))
        )
        module(x, state if kind == "lstm" or module is ours else state[0])[0].sum().backward()
        gradients.append([part.grad for part in state])
    torch.testing.assert_close(*gradients, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("kind", TORCH)
def test_ids_with_a_table_read_like_their_vectors(kind):
    torch.manual_seed(0)
    layers, table = Recurrent(kind, 3, 4, 2), torch.randn(5, 3)
    ids = torch.randint(0, 5, (6, 2))
    by_vectors, _ = layers.read(table[ids])
    torch.testing.assert_close(layers.read(ids, None, table)[0], by_vectors)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="elman, lstm, gru"):
        Recurrent("rnn", 3, 4)


def test_a_jordan_network_equals_an_elman_network_that_remembers_through_its_output():
    torch.manual_seed(0)
    jordan, elman = Jordan(3, 4, 2), torch.nn.RNN(3, 4, batch_first=True)
    with torch.no_grad():
        elman.weight_ih_l0.copy_(jordan.input.weight)
        elman.weight_hh_l0.copy_(jordan.back.weight @ jordan.output.weight)
        elman.bias_ih_l0.copy_(jordan.input.bias)
        elman.bias_hh_l0.copy_(jordan.back.weight @ jordan.output.bias)
    x, h = torch.randn(5, 6, 3), torch.randn(5, 4)
    wanted = jordan.output(elman(x, h[None])[0])
    torch.testing.assert_close(jordan(x, jordan.output(h)), wanted)
    torch.testing.assert_close(jordan(x), jordan(x, torch.zeros(5, 2)))


def test_a_fresh_language_model_is_nearly_uniform_and_remembers():
    torch.manual_seed(0)
    model = RecurrentLM(RecurrentConfig(7, 16, 64, 7))
    logits = model(torch.randint(0, 7, (2, 9)))
    assert logits.shape == (2, 9, 7)
    assert 0 < logits.std().item() < 0.5
    assert model.rnn.bias_ih_l0[64:128].mean().item() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("kind", TORCH)
@pytest.mark.parametrize("n_layers", [1, 2])
def test_a_text_read_in_chunks_with_its_state_is_the_text_read_at_once(kind, n_layers):
    model = made(RecurrentConfig(7, 3, 5, 7, kind, n_layers))
    ids, state, parts = torch.randint(0, 7, (2, 11)), None, []
    for inputs, _ in models.chunks(ids, 4):
        states, state = model.read(inputs, state)
        parts.append(model.head(states))
    torch.testing.assert_close(torch.cat(parts, dim=1), model(ids[:, :-1]))


def test_no_position_of_a_language_model_sees_the_future():
    model, ids = made(), torch.randint(0, 6, (1, 8))
    other = ids.clone()
    other[0, 5] = 6
    changed = (model(ids) - model(other)).abs().amax(dim=2)[0]
    assert not changed[:5].any() and changed[5:].all()


def test_streams_follow_each_other_and_chunks_cover_them():
    rows = models.streams(torch.arange(11), 2)
    assert rows.tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    pairs = [(i.tolist(), t.tolist()) for i, t in models.chunks(rows, 3)]
    assert pairs == [([[0, 1, 2], [5, 6, 7]], [[1, 2, 3], [6, 7, 8]]), ([[3], [8]], [[4], [9]])]
    with pytest.raises(ValueError, match="at least 4 ids"):
        models.streams(torch.arange(3), 2)


def test_a_detached_state_carries_values_but_no_gradients():
    model = made()
    _, state = model.read(torch.randint(0, 7, (2, 4)))
    cut = models.detached(state)
    assert all(part.requires_grad for part in state) and not any(p.requires_grad for p in cut)
    torch.testing.assert_close(cut, tuple(part.detach() for part in state))


@pytest.mark.parametrize("n_rows", [1, 3, 50])
def test_bits_per_token_are_those_of_one_long_read(n_rows):
    model, text = made(), torch.randint(0, 7, (340,))
    before, ids = text[:290], text[290:]
    logps = torch.log_softmax(model(text[None, :-1])[0], dim=1)
    wanted = -logps.gather(1, text[1:, None])[-50:].mean().item() / math.log(2)
    got = models.bits_per_token(model, ids, before, n_rows)
    assert got == pytest.approx(wanted, abs=1e-5)


def test_drawn_text_follows_the_probabilities_and_stops_at_the_end():
    model = made()
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.copy_(torch.tensor([1.0, 0, 0, 0, 0, 0, 0]) * -1e4)
        model.head.bias[3] = 5.0
    generator = torch.Generator().manual_seed(0)
    drawn = models.generate(model, torch.tensor([1, 2]), 2_000, generator)
    probability = math.exp(5) / (math.exp(5) + 5)
    # standard deviation 0.004: five of them, a false alarm in a million
    assert drawn.count(3) / 2_000 == pytest.approx(probability, abs=0.02)
    assert 0 not in drawn
    assert models.generate(model, torch.tensor([1]), 9_000, generator, end=4)[-1] == 4


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_sequence_model_reads_each_row_to_its_own_end(pooling):
    torch.manual_seed(0)
    model = SequenceModel(RecurrentConfig(7, 3, 5, 2, "gru"), pooling)
    torch.nn.init.normal_(model.reader.head.weight)
    ids, lengths = torch.randint(0, 7, (3, 6)), torch.tensor([6, 2, 1])
    for row, length in enumerate(lengths):
        alone = model(ids[row : row + 1, :length], lengths[row : row + 1])
        torch.testing.assert_close(model(ids, lengths)[row : row + 1], alone)
    states, _ = model.reader.read(ids[:1])
    pooled = states[0, -1] if pooling == "last" else states[0].mean(0)
    torch.testing.assert_close(model(ids, lengths)[0], model.reader.head(pooled))


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        RecurrentConfig(vocab_size=7, d_embed=3, d_hidden=0, n_out=7)
    with pytest.raises(ValueError, match="one direction"):
        SequenceModel(RecurrentConfig(7, 3, 5, 2, bidirectional=True))
    with pytest.raises(ValueError, match="pooling last or mean"):
        SequenceModel(SMALL, "max")


def test_n_parameters_counts_every_number():
    assert made().n_parameters == 7 * 3 + 4 * 5 * (3 + 5 + 2) + 7 * 5 + 7


def test_training_learns_a_text_that_leaves_no_choice():
    rows = models.streams(torch.arange(400) % 7, 4)
    model = made()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(30):
        state = None
        for ids, targets in models.chunks(rows, 25):
            states, state = model.read(ids, None if state is None else models.detached(state))
            loss = torch.nn.functional.cross_entropy(model.head(states).mT, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert loss.item() < 0.1


@pytest.mark.parametrize("kind", TORCH)
@pytest.mark.parametrize("shape", [(1, 3, 5), (2, 2, 5), (1, 2, 4)])
def test_a_state_of_another_batch_layer_or_width_is_refused(kind, shape, unchecked):
    layers = Recurrent(kind, 3, 5)
    state = tuple(torch.zeros(shape) for _ in range(1 + (kind == "lstm")))
    with pytest.raises(ValueError, match=r"expected a state of . x \(1, 2, 5\).*None") as caught:
        layers(torch.zeros(2, 4, 3), state)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="expected a state of"):
        layers(torch.zeros(2, 4, 3), (*layers.zero_state(2), torch.zeros(1, 2, 5)))


def test_a_carried_state_of_another_batch_size_is_refused_by_the_model(unchecked):
    _, state = made().read(torch.zeros(3, 4, dtype=torch.long))
    with pytest.raises(ValueError, match=r"\(1, 2, 5\) .* got \(1, 3, 5\), \(1, 3, 5\)"):
        made().read(torch.zeros(2, 4, dtype=torch.long), state)
    with pytest.raises(ValueError, match=r"expected a previous output of \(2, 2\).*got \(3, 2\)"):
        Jordan(3, 4, 2)(torch.zeros(2, 5, 3), torch.zeros(3, 2))


@pytest.mark.parametrize(
    "read",
    [
        lambda: Recurrent("lstm", 3, 4)(torch.zeros(2, 0, 3)),
        lambda: Jordan(3, 4, 2)(torch.zeros(2, 0, 3)),
        lambda: made()(torch.zeros(2, 0, dtype=torch.long)),
    ],
)
def test_a_text_without_a_token_is_refused(read):
    with pytest.raises(ValueError, match="expected at least one step to read, got none"):
        read()


def test_one_token_and_no_row_are_read():
    assert made()(torch.zeros(1, 1, dtype=torch.long)).shape == (1, 1, 7)
    assert made()(torch.zeros(0, 3, dtype=torch.long)).shape == (0, 3, 7)
    text = torch.tensor([1, 2])
    assert math.isfinite(models.bits_per_token(made(), text[1:], text[:1]))


@pytest.mark.parametrize("cut", [0, 2])
def test_bits_need_a_token_and_one_before_it(cut):
    text = torch.tensor([1, 2])
    with pytest.raises(ValueError, match="at least one id to score and one before it"):
        models.bits_per_token(made(), text[cut:], text[:cut])


@pytest.mark.parametrize("n_rows", [0, -1])
def test_bits_need_a_row_to_read_in(n_rows):
    text = torch.tensor([1, 2])
    with pytest.raises(ValueError, match=f"expected n_rows of 1 or more, got {n_rows}"):
        models.bits_per_token(made(), text[1:], text[:1], n_rows)


def test_drawing_needs_a_start_and_finite_logits():
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(ValueError, match="at least one id to start from"):
        models.generate(made(), torch.zeros(0, dtype=torch.long), 3, generator)
    broken = made()
    with torch.no_grad():
        broken.head.bias[0] = math.nan
    with pytest.raises(ValueError, match="expected finite logits, got none after 0 drawn"):
        models.generate(broken, torch.tensor([1]), 3, generator)


@pytest.mark.parametrize("lengths", [[0, 1], [1, 5]])
def test_lengths_outside_the_text_are_refused(lengths):
    model = SequenceModel(RecurrentConfig(7, 3, 5, 2, "gru"))
    with pytest.raises(ValueError, match="expected lengths from 1 to 4, got from"):
        model(torch.zeros(2, 4, dtype=torch.long), torch.tensor(lengths))


def test_rows_and_steps_below_one_are_refused():
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        models.streams(torch.arange(9), 0)
    with pytest.raises(ValueError, match="steps must be at least 1, got -1"):
        list(models.chunks(torch.zeros(2, 9, dtype=torch.long), -1))
    with pytest.raises(ValueError, match="expected sizes and layers of at least 1"):
        Recurrent("gru", 3, 0)


@pytest.mark.parametrize("kind", ["elman", "lstm"])
def test_second_derivatives_are_refused_not_wrong(kind):
    x = torch.randn(2, 1, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    states, _ = Recurrent(kind, 3, 4)(x)
    with pytest.raises(RuntimeError, match="without create_graph=True"):
        torch.autograd.grad(states.sum(), x, create_graph=True)
