"""The speed-run's model sees no later character, and a step moves only the rows that it read."""

from dataclasses import replace

import torch

from benchmarks.speedrun import RECIPES, NGramEmbedding, RowAdagrad, our_model, ours

TINY = replace(RECIPES[0], steps=3, batch_size=2, context=80, window=8, n_layers=2, rows=64)
V = 11


def text(n):
    return torch.randint(0, V, (n,), generator=torch.Generator().manual_seed(0))


def test_logits_depend_on_no_later_character():
    torch.manual_seed(0)
    model = our_model(TINY, V)
    for weight in model.parameters():  # zeros would hide what depends on what
        torch.nn.init.normal_(weight)
    ids = text(80)[None]
    with torch.no_grad():
        before = model(ids)
        for t in (0, 1, 63, 64, 79):
            changed = ids.clone()
            changed[0, t] = (ids[0, t] + 1) % V
            differs = (model(changed) != before).any(-1)[0]
            assert differs[t] and not differs[:t].any()


def test_keys_are_the_ids_as_digits():
    ids = torch.tensor([[1, 2, 3, 4, 5]])
    keys = dict(zip((2, 4), NGramEmbedding(10, 3, (2, 4), 8).keys(ids), strict=True))
    assert keys[2].tolist() == [[1, 12, 23, 34, 45]]
    assert keys[4].tolist() == [[1, 12, 123, 1234, 2345]]


def test_a_step_moves_the_rows_that_it_read_by_the_learning_rate():
    table = torch.nn.Embedding.from_pretrained(torch.zeros(6, 4), freeze=False, sparse=True)
    optimizer = RowAdagrad([table.weight], lr=0.5)
    for seen in (1, 2):
        (table(torch.tensor([3, 5, 3])) * torch.tensor([1.0, -1.0, 1.0])[:, None]).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        before = sum(0.5 / n**0.5 for n in range(1, seen + 1))  # Adagrad: lr / sqrt(n)
        expected = torch.zeros(6, 4)
        expected[3], expected[5] = -before, before
        torch.testing.assert_close(table.weight.detach(), expected)


def test_the_loss_falls():
    run = ours(text(2000) % 2, V, TINY, seed=0, bf16=False)
    before = run.loss(text(300) % 2)
    for number in range(TINY.steps):
        run.step(number)
    assert run.loss(text(300) % 2) < before
