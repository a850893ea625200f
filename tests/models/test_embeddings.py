"""llmcourse.models.contexts and embeddings against brute force, torch's gradients and gensim."""

import itertools
import math
import warnings
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse import world
from llmcourse.models import contexts, embeddings
from llmcourse.models.contexts import encode
from llmcourse.models.embeddings import EmbeddingConfig
from llmcourse.models.word_vectors import WordVectors, accuracy, read_questions, total
from llmcourse.world import almanac, analogy_questions

DOCUMENTS = [["the", "old", "dog", "saw", "the", "cat"], ["the", "cat"], [], ["dog"]]
documents_of = st.lists(st.lists(st.sampled_from("abcde"), max_size=12), min_size=1, max_size=4)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


# --- definitions


def test_one_hot_rows_have_a_one_at_their_place():
    assert contexts.one_hot([1, 0, 1], 3).tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0]]
    assert contexts.one_hot([], 3).shape == (0, 3)
    with pytest.raises(ValueError, match="expected ids from 0 to 2"):
        contexts.one_hot([-1], 3)


def test_skipgram_pairs_by_hand():
    assert contexts.skipgram_pairs("aab", 1) == [
        ("a", "a"), ("a", "a"), ("a", "b"), ("b", "a"),
    ]  # fmt: skip
    assert contexts.skipgram_pairs("a", 5) == []


def test_cbow_contexts_by_hand():
    around, centres = contexts.cbow_batch([7, 8, 9], 2)
    assert around.tolist() == [[-1, -1, 8, 9], [-1, 7, 9, -1], [7, 8, -1, -1]]
    assert centres.tolist() == [7, 8, 9]
    assert contexts.cbow_batch([], 2)[0].shape == (0, 4)


@pytest.mark.parametrize("function", [contexts.skipgram_pairs, contexts.cbow_batch])
def test_a_window_below_one_is_refused(function):
    with pytest.raises(ValueError, match="window must be at least 1, got 0"):
        function([1, 2], 0)


def test_losses_before_training_are_ln_v_and_ln_2_for_each_question():
    zeros = np.zeros((7, 3))
    pairs, negatives = [(0, 1), (2, 2)], [[3, 4], [5, 5]]
    assert embeddings.softmax_skipgram_loss(zeros, zeros, pairs) == pytest.approx(math.log(7))
    loss = embeddings.negative_sampling_loss(zeros, zeros, pairs, negatives)
    assert loss == pytest.approx(3 * math.log(2))


# --- counting


def test_encoding_drops_rare_words_and_keeps_documents_apart():
    text = encode(DOCUMENTS, min_count=2)
    assert text.words == ("the", "cat", "dog")
    assert text.counts.tolist() == [3, 2, 2]
    assert text.ids.tolist() == [0, 2, 0, 1, 0, 1, 2]
    assert text.document.tolist() == [0, 0, 0, 0, 1, 1, 3]


def test_a_text_without_frequent_words_is_refused():
    with pytest.raises(ValueError, match="expected a word that occurs 5 times"):
        encode(DOCUMENTS)


@given(documents_of, st.integers(1, 6))
def test_pair_counts_are_those_of_all_pairs_weighted_by_distance(documents, window):
    if not any(documents):
        return
    text = encode(documents, min_count=1)
    brute = Counter()
    for tokens in documents:
        for i, j in itertools.permutations(range(len(tokens)), 2):
            if abs(i - j) <= window:
                brute[tokens[i], tokens[j]] += (window - abs(i - j) + 1) / window
    counts = contexts.pair_counts(text, window)
    for (i, one), (j, other) in itertools.product(enumerate(text.words), repeat=2):
        assert counts[i, j] == pytest.approx(brute[one, other])


def test_too_large_a_vocabulary_is_refused_with_the_remedy(monkeypatch):
    monkeypatch.setattr(contexts, "LARGEST", 2)
    with pytest.raises(ValueError, match=r"expected at most 2 words, got 3: .*min_count"):
        contexts.pair_counts(encode(DOCUMENTS, min_count=2))


def test_noise_is_the_counts_to_the_power():
    np.testing.assert_allclose(contexts.noise_probs(np.array([16, 1, 81])), [8 / 36, 1 / 36, 0.75])


def test_frequent_words_are_thinned_and_rare_ones_kept():
    counts = np.array([9_000.0, 999.0, 1.0])
    kept = contexts.keep_probs(counts, 1e-3)
    assert kept[0] == pytest.approx(math.sqrt(1e-3 / 0.9) + 1e-3 / 0.9)
    assert kept[2] == 1
    assert contexts.keep_probs(counts, 0).tolist() == [1, 1, 1]


def test_thinning_is_gensims():
    from gensim.models import Word2Vec  # takes seconds

    documents = [["the"] * 60 + ["dog"] * 30 + ["cat"] * 10]
    model = Word2Vec(min_count=1, sample=0.05)
    model.build_vocab(documents)
    text = encode(documents)
    theirs = [model.wv.get_vecattr(word, "sample_int") / (2**32 - 1) for word in text.words]
    np.testing.assert_allclose(contexts.keep_probs(text.counts, 0.05), theirs, rtol=1e-6)


# --- losses and gradients


def random_tables(size=5, width=3):
    g = generator(1)
    u, v = (torch.randn(size, width, generator=g, dtype=torch.float64) for _ in range(2))
    true, noise = (torch.rand(size, size, generator=g, dtype=torch.float64) for _ in range(2))
    return u, v, true, noise


def test_skipgram_loss_of_counted_pairs_is_the_mean_over_the_pairs():
    u, v, _, _ = random_tables()
    pairs, negatives = [(0, 2), (0, 2), (3, 1)], [[1, 1], [4, 2], [0, 3]]
    true, noise = torch.zeros(5, 5), torch.zeros(5, 5)
    for (w, c), drawn in zip(pairs, negatives, strict=True):
        true[w, c] += 1
        for n in drawn:
            noise[w, n] += 1
    counted = embeddings.skipgram_loss(u @ v.T, true, noise).item()
    one_by_one = embeddings.negative_sampling_loss(u.numpy(), v.numpy(), pairs, negatives)
    assert counted == pytest.approx(one_by_one)


def test_gradient_is_autograds():
    u, v, true, noise = random_tables()
    scores = (u @ v.T).requires_grad_()
    embeddings.skipgram_loss(scores, true, noise).backward()
    ours = embeddings.skipgram_gradient(scores.detach(), true, true + noise) / true.sum()
    torch.testing.assert_close(ours, scores.grad, rtol=0, atol=1e-12)


def test_best_scores_are_the_shifted_mutual_information():
    """Levy and Goldberg 2014: without thinning and with enough numbers a word, ln(true / noise)."""
    _, _, true, noise = random_tables()
    scores = (true / noise).log()
    gradient = embeddings.skipgram_gradient(scores, true, true + noise)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-12)


def test_expected_noise_is_negatives_times_the_true_pairs_of_each_centre():
    text = encode(DOCUMENTS, min_count=1)
    true, noise = embeddings.expected_pairs(text, EmbeddingConfig(negatives=7, subsample=0))
    torch.testing.assert_close(noise.sum(1), 7 * true.sum(1))
    torch.testing.assert_close(true, torch.from_numpy(contexts.pair_counts(text)).float())


def test_glove_loss_by_hand():
    counts = torch.tensor([[0.0, 100.0], [200.0, 6.25]])
    scores = torch.tensor([[9.0, math.log(100) + 2], [math.log(200), math.log(6.25) - 1]])
    assert embeddings.glove_loss(scores, counts).item() == pytest.approx(4 + 0.0625**0.75)


def test_cbow_loss_counts_shared_noise_as_so_many_negatives():
    u, v, _, _ = random_tables()
    loss = embeddings.cbow_loss(u[:2], v[:2], v[2:3].repeat(9, 1), negatives=4)
    pairs = [(0, 0), (1, 1)]
    alone = embeddings.negative_sampling_loss(u.numpy(), v.numpy(), pairs, [[2] * 4] * 2)
    assert loss.item() == pytest.approx(alone)


def test_cbow_contexts_stay_in_their_document_and_reach():
    text = encode([["a", "b", "c", "b"], ["c", "a"]], min_count=1)
    found = contexts.cbow_contexts(text, np.array([1, 3, 4]), np.array([2, 1, 2]))
    rows = [[text.words[i] if i < 3 else "-" for i in row] for row in found.tolist()]
    assert rows == [["-", "a", "c", "b"], ["-", "c", "-", "-"], ["-", "-", "a", "-"]]


# --- training


def world_text(size):
    sources = world.stories(tokens=size, seed=3), almanac(tokens=size, seed=3)
    return [list(s.tokens) for source in sources for s in source]


def score(vectors):
    return total(accuracy(vectors, read_questions(analogy_questions())).values()).accuracy


def test_lsa_is_the_singular_value_decomposition():
    counts = contexts.pair_counts(encode(DOCUMENTS, min_count=1))
    rows = embeddings.lsa(counts, [str(i) for i in range(len(counts))], 3).vectors
    left, values, right = np.linalg.svd(np.log1p(counts))
    best = (left[:, :3] * values[:3]) @ right[:3]
    kept = np.linalg.svd(rows)[1]
    np.testing.assert_allclose(kept, values[:3], rtol=1e-5)
    np.testing.assert_allclose(rows @ rows.T, best @ best.T, atol=1e-4)


def test_spectral_start_gives_the_best_scores_where_the_width_allows():
    _, _, true, noise = random_tables(size=6)
    for width in (6, 9):
        u, v = embeddings.spectral_start(true.float(), noise.float(), width, generator())
        assert u.shape == v.shape == (6, width)
        best = (true / noise).clamp(min=1).log().float()
        torch.testing.assert_close(u @ v.T, best, rtol=0, atol=1e-5)


def test_the_same_seed_gives_the_same_vectors():
    text = encode(world_text(3_000))
    config = EmbeddingConfig(d_model=8, steps=3, epochs=1, batch=256)
    for train in (embeddings.train_skipgram, embeddings.train_cbow):
        one, other, third = (train(text, config, generator(seed))[0] for seed in (0, 0, 1))
        np.testing.assert_array_equal(one.vectors, other.vectors)
        assert not np.allclose(one.vectors, third.vectors)


@pytest.mark.parametrize(
    "field", ["d_model", "window", "negatives", "steps", "epochs", "lr", "start"]
)
def test_settings_that_cannot_be_are_refused(field):
    with pytest.raises(ValueError, match=f"{field}.*must be"):
        EmbeddingConfig(**{field: 0})


@pytest.mark.slow
def test_analogies_are_as_good_as_gensims_on_the_world():
    from gensim.models import Word2Vec

    documents = world_text(750_000)
    text = encode(documents)
    ours = score(embeddings.train_skipgram(text, EmbeddingConfig(), generator())[0])
    cbow = EmbeddingConfig(d_model=64, epochs=2, lr=0.03)
    assert score(embeddings.train_cbow(text, cbow, generator())[0]) > 0.7
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Word2Vec(documents, vector_size=100, sg=1, negative=5, epochs=5, seed=1, workers=2)
    theirs = score(WordVectors(tuple(model.wv.index_to_key), model.wv.vectors))
    assert ours > 0.9 and ours > theirs - 0.03


def test_a_short_text_already_teaches_capitals():
    text = encode(entry.tokens for entry in almanac(tokens=60_000, seed=0))
    questions = read_questions(analogy_questions())
    for config in (
        EmbeddingConfig(d_model=48, steps=60),
        EmbeddingConfig(d_model=48, steps=20, start="spectral"),
    ):
        learned = embeddings.train_skipgram(text, config, generator())[0]
        assert accuracy(learned, questions)["country-capital"].accuracy > 0.8


# --- small texts

SMALL = {
    "one word": [["a"]],
    "one word and nothing": [[], ["a"], []],
    "one word again and again": [["a", "a", "a"]],
    "one sentence": [["the", "cat", "sat"]],
    "a word without neighbours": [["a"], ["b", "c"]],
    "ten short sentences": [f"the {n} saw it".split() for n in "abcdefghij"],
}
SETTINGS = [
    EmbeddingConfig(d_model=3, steps=4, batch=8),
    EmbeddingConfig(d_model=3, steps=4, batch=8, start="spectral", subsample=0),
    EmbeddingConfig(d_model=9, steps=1, batch=1, epochs=1, window=1, subsample=1e-9),
]


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("config", SETTINGS)
def test_every_trainer_takes_the_smallest_texts(name, config):
    text = encode(SMALL[name], min_count=1)
    trained = [
        *embeddings.train_skipgram(text, config, generator()),
        *embeddings.train_cbow(text, config, generator()),
        embeddings.train_glove(text, config, generator()),
        embeddings.lsa(contexts.pair_counts(text), text.words, config.d_model),
    ]
    for vectors in trained:
        assert vectors.words == text.words and np.isfinite(vectors.vectors).all()
    assert all(v.vectors.shape == (len(text.words), config.d_model) for v in trained[:-1])


def test_words_that_were_never_met_together_begin_at_score_zero():
    text = encode(SMALL["a word without neighbours"], min_count=1)
    true, noise = embeddings.expected_pairs(text, EmbeddingConfig())
    u, v = embeddings.spectral_start(true, noise, 3, generator())
    scores = (u @ v.T)[0]
    torch.testing.assert_close(scores, torch.zeros(3), rtol=0, atol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_a_small_batch_of_thinned_words_is_never_empty(seed):
    text = encode(SMALL["ten short sentences"], min_count=1)
    config = EmbeddingConfig(d_model=2, batch=2, epochs=1, subsample=1e-9)
    rng = np.random.default_rng(seed)
    for _ in range(20):
        assert len(embeddings._draw_positions(text, config, rng)) >= 1
    assert np.isfinite(embeddings.train_cbow(text, config, generator(seed))[0].vectors).all()


def test_the_one_word_of_an_empty_batch_is_drawn_by_the_same_odds():
    text = encode([["the"] * 90 + ["cat"] * 10], min_count=1)
    config, rng = EmbeddingConfig(batch=1, subsample=1e-6), np.random.default_rng(0)
    n = 4_000
    positions = [embeddings._draw_positions(text, config, rng)[0] for _ in range(n)]
    drawn = [text.words[text.ids[position]] for position in positions]
    odds = contexts.keep_probs(text.counts, 1e-6) * text.counts
    share = float(odds[1] / odds.sum())
    # standard deviation below 0.008: six of them, a false alarm in 10^8
    assert drawn.count("cat") / n == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(
    "loss",
    [
        lambda pairs: embeddings.softmax_skipgram_loss(np.eye(3), np.eye(3), pairs),
        lambda pairs: embeddings.negative_sampling_loss(np.eye(3), np.eye(3), pairs, []),
    ],
)
def test_a_loss_over_no_pair_is_refused(loss):
    with pytest.raises(ValueError, match="expected at least one pair to average over, got none"):
        loss([])


def test_no_documents_no_counts_and_no_places():
    with pytest.raises(ValueError, match="expected a word that occurs 1 times, got none"):
        encode([], min_count=1)
    with pytest.raises(ValueError, match="expected a count above 0"):
        contexts.noise_probs(np.zeros(2))
    assert contexts.keep_probs(np.array([0, 4]), 0.01).tolist() == pytest.approx([1, 0.11])
    none = np.zeros(0, dtype=int)
    assert contexts.cbow_contexts(encode([["a"]], 1), none, none).shape == (0, 0)
    with pytest.raises(ValueError, match="window must be at least 1, got 0"):
        contexts.pair_counts(encode([["a"]], 1), 0)
