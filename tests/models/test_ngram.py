"""llmcourse.models.ngram against hand-worked values, the definitions, brute force and nltk."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.models import ngram
from llmcourse.models.ngram import SMOOTHINGS, NgramConfig, fit
from llmcourse.text import corpora as data

TEXT = ["the", "cat", "sat", "on", "the", "mat", "the", "cat", "ate"]


def model_of(text, order, smoothing="kneser_ney", vocab_size=5, **fields):
    return fit(np.array(text), vocab_size, NgramConfig(order, smoothing, **fields))


def tables_of(tokens, order):
    return [ngram.ngram_counts(tokens, n) for n in range(1, order + 1)]


def defined(tokens, history, token, vocab_size, config):
    """P(token | history) from the functions at the top of the module."""
    history = tuple(history)[max(0, len(history) - config.order + 1) :]
    tables = tables_of(tokens, config.order)
    if config.smoothing == "mle":
        return ngram.mle_prob(tables[len(history)], history, token)
    if config.smoothing == "add_k":
        return ngram.add_k_prob(tables[len(history)], history, token, config.k, vocab_size)
    if config.smoothing == "interpolated":
        return ngram.interpolated_prob(tables, history, token, config.weight, vocab_size)
    return ngram.kneser_ney_prob(tables, history, token, vocab_size, config.discount)


texts = st.lists(st.integers(0, 4), min_size=1, max_size=40)
configs = st.builds(
    NgramConfig,
    order=st.integers(1, 5),
    smoothing=st.sampled_from(SMOOTHINGS[:4]),
    k=st.floats(0.001, 3),
    weight=st.floats(0, 1),
    discount=st.floats(0, 1),
)


# --- the definitions, by hand


def test_counts_of_a_sentence():
    assert ngram.ngram_counts(TEXT, 1) == {(): dict(Counter(TEXT))}
    assert ngram.ngram_counts(TEXT, 2)[("the",)] == {"cat": 2, "mat": 1}
    assert ngram.ngram_counts(TEXT, 3)[("the", "cat")] == {"sat": 1, "ate": 1}
    assert ngram.ngram_counts(TEXT, 10) == {} == ngram.ngram_counts([], 1)


def test_mle_add_k_and_interpolated_by_hand():
    tables = tables_of(TEXT, 2)
    assert ngram.mle_prob(tables[1], ("the",), "cat") == 2 / 3
    assert ngram.mle_prob(tables[1], ("ate",), "cat") == 0.0
    assert ngram.add_k_prob(tables[1], ("the",), "cat", 1, 6) == pytest.approx(3 / 9)
    assert ngram.add_k_prob(tables[1], ("ate",), "cat", 1, 6) == pytest.approx(1 / 6)
    lower = 0.5 * 2 / 9 + 0.5 / 6
    assert ngram.interpolated_prob(tables, ("the",), "cat", 0.5, 6) == pytest.approx(
        0.5 * 2 / 3 + 0.5 * lower
    )
    assert ngram.interpolated_prob(tables, ("ate",), "cat", 0.5, 6) == pytest.approx(lower)


def test_kneser_ney_by_hand():
    # different tokens before: the 1 (on, mat -> 2), cat 1, sat 1, on 1, mat 1, ate 1: 7 bigrams
    unigram_cat = (1 - 0.75) / 7 + 0.75 * 6 / 7 / 6
    after_the = (2 - 0.75) / 3 + 0.75 * 2 / 3 * unigram_cat
    tables = tables_of(TEXT, 2)
    assert ngram.kneser_ney_prob(tables, ("the",), "cat", 6) == pytest.approx(after_the)
    assert ngram.kneser_ney_prob(tables, (), "cat", 6) == pytest.approx(unigram_cat)
    assert ngram.kneser_ney_prob(tables, ("ate",), "cat", 6) == pytest.approx(unigram_cat)


def test_generate_asks_for_the_last_tokens_only():
    asked = []

    def turn(history):
        asked.append(history)
        return {"b": 1.0} if history[-1] == "a" else {"a": 1.0, "b": 0.0}

    got = ngram.generate(turn, ["c", "a"], 3, 2, lambda: 0.0)
    assert got == ["c", "a", "b", "a", "b"]
    assert asked == [("a",), ("b",), ("a",)]
    assert ngram.generate(lambda h: {len(h): 1.0}, ["x"], 2, 1, lambda: 0.5) == ["x", 0, 0]
    assert ngram.generate(lambda h: {len(h): 1.0}, [], 3, 9, lambda: 0.5) == [0, 1, 2]


def test_unseen_rate_counts_tokens():
    assert ngram.unseen_rate("abab", "abcab", 2) == 2 / 4
    assert ngram.unseen_rate("", "ab", 1) == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ngram.ngram_counts("ab", 0),
        lambda: ngram.add_k_prob({}, (), "a", 0, 2),
        lambda: ngram.unseen_rate("ab", "a", 2),
        lambda: ngram.encode("abc", "ab"),
        lambda: fit(np.array([], dtype=int), 3, NgramConfig(2)),
        lambda: fit(np.array([0, 3]), 3, NgramConfig(2)),
        lambda: fit(np.array([0, 1]), 3, NgramConfig(2)).bits_per_token(np.array([], dtype=int)),
        lambda: NgramConfig(0),
        lambda: NgramConfig(2, "katz"),
        lambda: NgramConfig(2, discount=1.5),
        lambda: NgramConfig(2, weight=-0.1),
        lambda: NgramConfig(2, k=0),
    ],
)
def test_wrong_input_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


# --- the fast form is the definitions


@given(texts, texts, configs)
def test_model_scores_equal_the_definitions(train, test, config):
    model = model_of(train, **vars(config))
    with np.errstate(divide="ignore"):
        want = np.log([defined(train, test[:i], w, 5, config) for i, w in enumerate(test)])
    np.testing.assert_allclose(model.logps(np.array(test)), want, atol=1e-10)


@given(texts, texts, configs)
def test_next_token_probabilities_equal_the_definitions(train, history, config):
    got = model_of(train, **vars(config)).probs(history)
    want = [defined(train, history, w, 5, config) for w in range(5)]
    np.testing.assert_allclose(got, want, atol=1e-12)
    assert model_of(train, **vars(config)).prob(history, 3) == got[3]


@given(texts, texts, configs.map(lambda c: replace(c, smoothing="modified_kneser_ney")))
def test_modified_kneser_ney_is_a_distribution_and_logps_agree_with_probs(train, test, config):
    model = model_of(train, **vars(config))
    probs = [model.probs(test[:i]) for i in range(len(test))]
    np.testing.assert_allclose(np.sum(probs, axis=1), 1, atol=1e-9)
    want = [p[w] for p, w in zip(probs, test, strict=True)]
    np.testing.assert_allclose(np.exp(model.logps(np.array(test))), want, atol=1e-12)


@given(texts, texts, configs)
def test_sums_to_one_after_every_history(train, history, config):
    total = model_of(train, **vars(config)).probs(history).sum()
    seen = defined(train, history, train[-1], 5, config) > 0 or config.smoothing != "mle"
    assert total == pytest.approx(1.0, abs=1e-9) or (total == 0.0 and not seen)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_long_grams_of_a_large_vocabulary_do_not_overflow(smoothing):
    """A million tokens to the power of seven is far above 2**63."""
    rng = random.Random(0)
    text = [rng.choice([0, 7, 10**6 - 1, 999_983]) for _ in range(300)]
    model = fit(np.array(text), 10**6, NgramConfig(7, smoothing))
    config = NgramConfig(7, smoothing if smoothing in SMOOTHINGS[:4] else "mle")
    for i in rng.sample(range(6, 300), 10):
        got = model.prob(text[i - 6 : i], text[i])
        if smoothing in SMOOTHINGS[:4]:
            assert got == pytest.approx(
                defined(text, text[i - 6 : i], text[i], 10**6, config), rel=1e-9
            )
        else:
            assert got > 0.1


def test_number_of_counts():
    text = np.array([0, 1, 0, 1, 2])
    assert fit(text, 3, NgramConfig(2)).n_counts == 3 + 3
    assert fit(text, 3, NgramConfig(2, "add_k")).n_counts == 3


# --- modified Kneser-Ney


def test_modified_discounts_by_the_formula():
    counts = np.array([1] * 8 + [2] * 4 + [3] * 2 + [4] + [9, 0])
    y = 8 / (8 + 2 * 4)
    want = [0, 1 - 2 * y * 4 / 8, 2 - 3 * y * 2 / 4, 3 - 4 * y * 1 / 2]
    np.testing.assert_allclose(ngram.modified_discounts(counts), want)
    np.testing.assert_array_equal(
        ngram.modified_discounts(np.array([1, 2]), 0.5), [0, 0.5, 0.5, 0.5]
    )


def test_modified_kneser_ney_equals_brute_force():
    rng = random.Random(3)
    text = rng.choices(range(12), weights=[2.0**-i for i in range(12)], k=400)
    model = fit(np.array(text), 12, NgramConfig(3, "modified_kneser_ney"))
    grams = [{tuple(text[i : i + n]): 0 for i in range(len(text) - n + 1)} for n in (1, 2, 3)]
    counts = [Counter(g[1:] for g in grams[m + 1]) for m in (0, 1)]
    counts.append(Counter(tuple(text[i : i + 3]) for i in range(len(text) - 2)))
    taken = [ngram.modified_discounts(np.array(list(c.values()))) for c in counts]

    def prob(history, token):
        lower = 1 / 12 if not history else prob(history[1:], token)
        row = {g[-1]: c for g, c in counts[len(history)].items() if g[:-1] == history}
        if not row:
            return lower
        d = {w: taken[len(history)][min(c, 3)] for w, c in row.items()}
        own = (row.get(token, 0) - d.get(token, 0)) / sum(row.values())
        return own + sum(d.values()) / sum(row.values()) * lower

    assert len(set(taken[2])) == 4  # the formula, not the default
    for _ in range(200):
        history, token = (rng.randrange(12), rng.randrange(12)), rng.randrange(12)
        assert model.prob(history, token) == pytest.approx(prob(history, token), abs=1e-12)


# --- nltk


def nltk_model(tokens, order, discount):
    from nltk.lm import KneserNeyInterpolated  # takes seconds
    from nltk.util import everygrams

    model = KneserNeyInterpolated(order, discount=discount)
    model.fit([everygrams(tokens, max_len=order)], vocabulary_text=tokens)
    return model


@pytest.mark.parametrize(("order", "discount"), [(2, 0.75), (3, 0.1), (4, 0.9)])
def test_kneser_ney_equals_nltk_where_every_history_has_a_predecessor(order, discount):
    """The text ends as it begins, so each n-gram shorter than the order has a token before it."""
    rng = random.Random(order)
    text = rng.choices(range(8), weights=range(1, 9), k=150)
    text += text[: order - 1]
    peer = nltk_model([str(w) for w in text], order, discount)
    config = NgramConfig(order, discount=discount, uniform_base=False)
    model = fit(np.array(text), 8, config)
    histories = [tuple(rng.choices(range(8), k=rng.randint(0, order + 1))) for _ in range(60)]
    histories += [tuple(text[i : i + order - 1]) for i in range(60)]
    for history in histories:
        got = model.probs(history)
        want = [peer.score(str(w), tuple(map(str, history))) for w in range(8)]
        np.testing.assert_allclose(got, want, atol=1e-9)


def test_nltk_exceptions_at_the_beginning_of_a_text():
    """nltk counts the followers of a short history from its n-grams, but its total from the
    n-grams one longer: where a pair has no predecessor the two disagree. Ours sums to 1 there."""
    text = ["a", "b", "c", "a", "c", "b", "c"]  # (a, b) only begins the text
    peer = nltk_model(text, 3, 0.75)
    ours = fit(ngram.encode(text, "abc"), 3, NgramConfig(3, uniform_base=False))
    assert sum(peer.score(w, ("a",)) for w in "abc") == pytest.approx(1.75)
    assert ours.probs([0]).sum() == pytest.approx(1.0)
    only_first = nltk_model(["x", "b", "c", "b"], 3, 0.75)  # x has no predecessor at all
    with pytest.raises(ZeroDivisionError):
        only_first.score("b", ("x",))
    ours = fit(ngram.encode("xbcb", "xbc"), 3, NgramConfig(3, uniform_base=False))
    np.testing.assert_allclose(ours.probs([0]), ours.probs([]))


def test_nltk_exceptions_in_the_unigrams():
    """nltk has no order 1 (its unigrams are continuations), and its unseen tokens get 0."""
    with pytest.raises(ZeroDivisionError):
        nltk_model(list("abab"), 1, 0.75).score("a")
    ours = fit(ngram.encode("abab", "abc"), 3, NgramConfig(2))
    assert ours.prob([], 2) > 0
    ours = fit(ngram.encode("abab", "abc"), 3, NgramConfig(2, uniform_base=False))
    assert ours.prob([], 2) == nltk_model(list("ababa"), 2, 0.75).score("c") == 0


# --- a real text


@pytest.fixture(scope="module")
def shakespeare():
    corpus = data.english()
    if corpus.name != "tinyshakespeare":
        pytest.skip("tiny Shakespeare is not at hand: set LLMCOURSE_DATA to a folder that has it")
    vocabulary = sorted(set(corpus.train + corpus.held_out))
    return [ngram.encode(part, vocabulary) for part in (corpus.train, corpus.held_out)]


@pytest.mark.parametrize(
    ("config", "bits"),
    [
        (NgramConfig(2, "add_k", k=1), 3.581),
        (NgramConfig(3, "add_k", k=0.01), 2.980),
        (NgramConfig(5, "add_k", k=0.01), 2.554),
        (NgramConfig(6, "kneser_ney"), 2.220),
        (NgramConfig(7, "modified_kneser_ney"), 2.188),
    ],
    ids=lambda value: f"{value.order}_{value.smoothing}" if isinstance(value, NgramConfig) else "",
)
def test_bits_per_character_of_tiny_shakespeare(shakespeare, config, bits):
    train, held_out = shakespeare
    assert fit(train, 65, config).bits_per_token(held_out) == pytest.approx(bits, abs=0.001)


def test_a_dead_end_is_one_clear_line():
    table = ngram.ngram_counts(TEXT, 3)  # "cat ate" is the end: nothing was seen after it

    def next_probs(history):
        return {word: ngram.mle_prob(table, history, word) for word in sorted(set(TEXT))}

    with pytest.raises(ValueError, match=r"after \['cat', 'ate'\], got none: smooth") as caught:
        ngram.generate(next_probs, ["the", "cat"], 9, 3, lambda: 0.0)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=r"above 0 after \[\], got none"):
        ngram.generate(lambda history: {}, [], 1, 1, lambda: 0.0)
    assert ngram.generate(next_probs, ["the"], 0, 3, lambda: 0.0) == ["the"]


def test_a_text_of_one_token_is_counted_and_scored():
    for smoothing in SMOOTHINGS:
        model = fit(np.array([1]), 3, NgramConfig(3, smoothing))
        assert len(model.logps(np.array([1]))) == 1 and len(model.logps([])) == 0
        assert model.prob([], 1) > 0
    np.testing.assert_array_equal(ngram.modified_discounts([]), [0, 0.75, 0.75, 0.75])
