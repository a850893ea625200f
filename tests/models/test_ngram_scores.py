"""llmcourse.models.ngram_scores against hand-worked values and the fast model of `ngram`."""

import math

import pytest

from llmcourse.models.ngram import NgramConfig, encode, fit, ngram_counts
from llmcourse.models.ngram_scores import choose_k, score_text

TEXT = ["a", "rose", "is", "a", "rose", "is", "a", "rose"]
OTHER = ["a", "rose", "is", "a", "daisy"]


def test_score_is_the_mean_of_the_bits_of_each_token():
    table = {("a",): {"b": 3, "c": 1}, ("b",): {"a": 1}}
    assert score_text(table, list("bac"), 2) == (0 + 2) / 2
    assert score_text({(): {"a": 1, "b": 1}}, ["a"], 1) == 1.0
    assert score_text(ngram_counts(TEXT, 3), TEXT, 3) == 0.0


@pytest.mark.parametrize("tokens", [OTHER, ["daisy", "a", "rose"], ["x", "y"]])
def test_score_is_infinite_where_one_token_has_probability_0(tokens):
    assert score_text(ngram_counts(TEXT, 2), tokens, 2) == math.inf


@pytest.mark.parametrize("n", [2, 3])
def test_score_needs_one_token_with_a_whole_history(n):
    with pytest.raises(ValueError, match=f"expected at least n = {n} tokens"):
        score_text(ngram_counts(TEXT, n), ["a"] * (n - 1), n)


def test_the_smallest_k_is_best_on_the_text_that_was_counted_only():
    ks = [10, 0.1, 0.01, 1]
    assert choose_k(TEXT, TEXT, 2, ks, 8) == 0.01
    assert choose_k(TEXT, OTHER, 2, ks, 8) == 0.1
    assert choose_k(TEXT, ["x", "y", "z"], 2, ks, 8) == 10, "all are 1 / V: the first of a tie"


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_chosen_k_needs_the_fewest_bits_in_the_fast_model(n):
    train, dev, ks = "abracadabra" * 4, "abacabracabada" * 2, [0.01 * 1.3**i for i in range(24)]
    ids, dev_ids = encode(train, "abcdr"), encode(dev, "abcdr")

    def bits(k):
        logps = fit(ids, 5, NgramConfig(n, "add_k", k=k)).logps(dev_ids)
        return -logps[n - 1 :].sum()

    assert choose_k(train, dev, n, ks, 5) == min(ks, key=bits)


def test_choosing_needs_a_k_and_a_development_text():
    with pytest.raises(ValueError, match="at least one k"):
        choose_k(TEXT, OTHER, 2, [], 8)
    with pytest.raises(ValueError, match="expected at least n = 6 tokens"):
        choose_k(TEXT, OTHER, 6, [1], 8)
