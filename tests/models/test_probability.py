"""probability: values worked by hand, torch and the standard library as other paths."""

import math
import random
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.checks import compare
from llmcourse.models import probability

DISTRIBUTION = {"a": 0.5, "b": 0.3, "c": 0.2}


def distributions(size):
    weights = st.lists(st.floats(0.01, 1), min_size=size, max_size=size)
    return weights.map(lambda w: {i: x / sum(w) for i, x in enumerate(w)})


# --- scoring a text


def test_chain_log_prob_sees_every_token_after_exactly_those_before_it():
    seen = []

    def next_prob(history, token):
        seen.append((tuple(history), token))
        return 0.5

    got = probability.chain_log_prob(["the", "mouse", "the"], next_prob)
    assert got == pytest.approx(3 * math.log(0.5))
    assert seen == [((), "the"), (("the",), "mouse"), (("the", "mouse"), "the")]


def test_chain_log_prob_of_a_long_text_does_not_underflow():
    got = probability.chain_log_prob([0] * 2_000, lambda history, token: 1e-3)
    assert got == pytest.approx(2_000 * math.log(1e-3))


def test_chain_log_prob_of_nothing_is_zero_and_of_the_impossible_minus_infinity():
    assert probability.chain_log_prob([], lambda history, token: 0.5) == 0.0
    assert probability.chain_log_prob("ab", lambda h, t: float(t == "a")) == -math.inf


@given(st.lists(st.floats(-50, 0), min_size=1, max_size=50))
def test_perplexity_and_bits_are_two_forms_of_the_mean(log_probs):
    bits = probability.bits_per_token(log_probs)
    assert bits == pytest.approx(-math.fsum(log_probs) / len(log_probs) / math.log(2), abs=1e-9)
    assert probability.perplexity(log_probs) == pytest.approx(2**bits, rel=1e-9)


def test_bits_per_token_equals_torch_cross_entropy():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40, 7, generator=generator, dtype=torch.float64)
    targets = torch.randint(7, (40,), generator=generator)
    nats = torch.nn.functional.cross_entropy(logits, targets).item()
    logps = logits.log_softmax(-1)[torch.arange(40), targets].tolist()
    assert probability.bits_per_token(logps) == pytest.approx(nats / math.log(2), abs=1e-12)
    assert probability.perplexity(logps) == pytest.approx(math.exp(nats), abs=1e-9)


def test_one_impossible_token_makes_both_infinite():
    log_probs = [math.log(0.5), -math.inf, math.log(0.5)]
    assert probability.perplexity(log_probs) == math.inf
    assert probability.bits_per_token(log_probs) == math.inf


@pytest.mark.parametrize("measure", [probability.perplexity, probability.bits_per_token])
def test_no_tokens_have_no_mean(measure):
    with pytest.raises(ValueError, match="at least one token"):
        measure([])


# --- cross-entropy


def test_cross_entropy_equals_torch_with_soft_targets():
    truth, model = {"x": 0.2, "y": 0.5, "z": 0.3}, {"x": 0.6, "y": 0.1, "z": 0.3}
    logits = torch.tensor([list(model.values())], dtype=torch.float64).log()
    target = torch.tensor([list(truth.values())], dtype=torch.float64)
    want = torch.nn.functional.cross_entropy(logits, target).item() / math.log(2)
    assert probability.cross_entropy(truth, model) == pytest.approx(want, abs=1e-12)


@given(distributions(5), distributions(5))
def test_no_model_beats_the_truth(truth, model):
    entropy = probability.cross_entropy(truth, truth)
    assert 0 <= entropy <= math.log2(5) + 1e-9
    assert probability.cross_entropy(truth, model) >= entropy - 1e-9


def test_cross_entropy_matches_tokens_by_name_and_handles_zeros():
    truth = {"a": 0.5, "b": 0.5, "never": 0.0}
    assert probability.cross_entropy(truth, {"b": 0.5, "a": 0.5}) == 1.0
    assert probability.cross_entropy(truth, {"a": 1.0, "b": 0.0}) == math.inf
    assert probability.cross_entropy(truth, {"a": 1.0}) == math.inf
    assert math.copysign(1, probability.cross_entropy({"a": 1.0}, {"a": 1.0})) == 1
    for nothing in ({}, {"a": 0.0}):
        with pytest.raises(ValueError, match="empty"):
            probability.cross_entropy(nothing, {"a": 1.0})


def test_bits_per_token_is_the_cross_entropy_of_the_counted_frequencies():
    text = "abracadabra"
    model = probability.unigram_probs("some other words", sorted(set("some other words" + text)), 1)
    log_probs = [math.log(model[token]) for token in text]
    frequencies = {token: count / len(text) for token, count in Counter(text).items()}
    want = probability.bits_per_token(log_probs)
    assert probability.cross_entropy(frequencies, model) == pytest.approx(want, abs=1e-12)


# --- making distributions


@given(st.lists(st.sampled_from("abc")), st.sampled_from([0.001, 0.5, 1, 100]))
def test_unigram_probs_are_exact_and_sum_to_one(tokens, epsilon):
    got = probability.unigram_probs(tokens, list("abcd"), epsilon)
    e = Fraction(epsilon)
    want = {t: float((tokens.count(t) + e) / (len(tokens) + 4 * e)) for t in "abcd"}
    assert compare(got, want, 1e-12) is None
    assert math.fsum(got.values()) == pytest.approx(1, abs=1e-12)


def test_unigram_probs_refuse_strangers_and_nothing():
    with pytest.raises(ValueError, match="'z'"):
        probability.unigram_probs("az", "abc", 1)
    with pytest.raises(ValueError, match="neither"):
        probability.unigram_probs("", "abc", 0)
    assert probability.unigram_probs("a", "ab", 0) == {"a": 1.0, "b": 0.0}


@given(distributions(4), st.floats(0.2, 5))
def test_temper_equals_powers_renormalised(probs, temperature):
    powers = {token: p ** (1 / temperature) for token, p in probs.items()}
    want = {token: power / sum(powers.values()) for token, power in powers.items()}
    assert compare(probability.temper(probs, temperature), want, 1e-9) is None


def test_temper_equals_torch_softmax_of_scaled_logits():
    logits = torch.randn(6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    probs = dict(enumerate(logits.softmax(0).tolist()))
    want = dict(enumerate((logits / 0.7).softmax(0).tolist()))
    assert compare(probability.temper(probs, 0.7), want, 1e-12) is None


def test_temper_reaches_argmax_and_uniform_without_overflow():
    probs = {"a": 1e-300, "b": 0.6, "c": 0.4, "never": 0.0}
    assert probability.temper(probs, 1e-6) == {"a": 0.0, "b": 1.0, "c": 0.0, "never": 0.0}
    third = {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3, "never": 0.0}
    assert compare(probability.temper(probs, 1e9), third, 1e-6) is None
    assert compare(probability.temper({"a": 500, "b": 500}, 1e-3), {"a": 0.5, "b": 0.5}, 0) is None


@pytest.mark.parametrize("temperature", [0, -1, math.nan])
def test_temper_refuses_temperatures_that_are_not_above_zero(temperature):
    with pytest.raises(ValueError, match="above 0"):
        probability.temper(DISTRIBUTION, temperature)


# --- using a model


@pytest.mark.parametrize(("u", "token"), [(0.0, "a"), (0.49, "a"), (0.5, "b"), (0.81, "c")])
def test_sampling_takes_the_token_whose_share_holds_the_number(u, token):
    got = probability.sample_sequence(lambda history: DISTRIBUTION, lambda: u, "end", 1)
    assert got == [token]


def test_sampling_stops_after_the_end_and_at_the_limit():
    probs = {"a": 0.9, "end": 0.1}
    numbers = iter([0.1, 0.95, 0.1])
    got = probability.sample_sequence(lambda h: probs, numbers.__next__, "end", 9)
    assert got == ["a", "end"]
    assert probability.sample_sequence(lambda h: probs, lambda: 0.0, "end", 3) == ["a"] * 3
    assert probability.sample_sequence(lambda h: probs, lambda: 0.0, "end", 0) == []


def test_sampling_survives_sums_just_below_one_and_never_draws_the_impossible():
    probs = {"no": 0.0, **{i: 0.1 for i in range(10)}, "never": 0.0}  # ten times 0.1 < 1
    largest = math.nextafter(1, 0)
    assert probability.sample_sequence(lambda h: probs, lambda: largest, None, 1) == [9]
    assert probability.sample_sequence(lambda h: probs, lambda: 0.0, None, 1) == [0]


def test_samples_follow_the_law():
    """Chi-square with 2 degrees of freedom: above 27.6 once in a million."""
    n, rng = 3_000, random.Random(0)
    drawn = probability.sample_sequence(lambda h: DISTRIBUTION, rng.random, None, n)
    counts = Counter(drawn)
    chi2 = sum((counts[t] - n * p) ** 2 / (n * p) for t, p in DISTRIBUTION.items())
    assert chi2 < 27.6


def test_rescore_weighs_both_and_keeps_the_first_of_equals():
    prior = {"x": -8.0, "y": -6.0, "z": -6.0}.get
    assert probability.rescore(["x", "y"], [-1.0, -1.2], prior) == "y"
    assert probability.rescore(["x", "y"], [-1.0, -3.2], prior) == "x"
    assert probability.rescore(["y", "z"], [-1.0, -1.0], prior) == "y"
    assert probability.rescore(["x", "y"], [-math.inf, -900.0], prior) == "y"
    with pytest.raises(ValueError, match="got 0 for 0"):
        probability.rescore([], [], prior)
    with pytest.raises(ValueError, match="got 1 for 2"):
        probability.rescore(["x", "y"], [-1.0], prior)


# --- a model as a compressor


def memory(history):
    """A model whose distribution depends on the last token, with a zero in it."""
    last = history[-1] if len(history) else "a"
    return {"a": 0.7, "b": 0.29, "c": 0.01, "d": 0.0} if last == "a" else {"a": 1 / 3, "b": 2 / 3}


@given(st.text("ab", max_size=60), distributions(2))
def test_decoding_undoes_encoding_and_the_code_is_as_short_as_the_text_is_likely(text, probs):
    def model(history):
        return {"a": probs[0], "b": probs[1]}

    bits = probability.arithmetic_encode(text, model)
    assert probability.arithmetic_decode(bits, model, len(text)) == list(text)
    log_prob = probability.chain_log_prob(text, lambda history, token: model(history)[token])
    assert len(bits) <= -log_prob / math.log(2) + 2 + 1e-6 * len(text)


def test_codes_of_different_texts_do_not_begin_alike():
    texts = ["aa", "ab", "ac", "ba", "bb"]
    codes = sorted(probability.arithmetic_encode(text, memory) for text in texts)
    assert not [pair for pair in pairwise(codes) if pair[1].startswith(pair[0])]
    for text in texts:
        bits = probability.arithmetic_encode(text, memory)
        assert probability.arithmetic_decode(bits, memory, 2) == list(text)


def test_what_the_model_rules_out_has_no_code():
    with pytest.raises(ValueError, match="token 1, 'd', probability 0"):
        probability.arithmetic_encode("ad", memory)
    assert probability.arithmetic_encode("", memory) == ""


def test_enumerated_texts_have_the_chain_rule_probability_and_leave_nothing_out():
    def next_probs(history):
        return {"ha": 0.5, "ho": 0.25, ".": 0.25} if len(history) < 3 else {".": 1.0}

    texts = probability.enumerate_texts(next_probs, ".", 4)
    assert math.fsum(p for _, p in texts) == pytest.approx(1, abs=1e-12)
    assert len({text for text, _ in texts}) == len(texts) == 1 + 2 + 4 + 8
    for text, p in texts:
        log_prob = probability.chain_log_prob(text, lambda h, t: next_probs(h).get(t, 0.0))
        assert p == pytest.approx(math.exp(log_prob))


@pytest.mark.parametrize("probs", [{}, {"a": 0.0}, {"a": math.nan}])
def test_a_dead_end_is_one_clear_line(probs):
    table = {(): {"ha": 1.0}, ("ha",): probs}
    with pytest.raises(ValueError, match=r"a probability above 0 after \['ha'\], got none: smooth"):
        probability.sample_sequence(lambda text: table[tuple(text)], lambda: 0.5, ".", 5)
    with pytest.raises(ValueError, match=r"after \['ha'\], got none: decode with the model"):
        probability.arithmetic_decode("01", lambda text: table[tuple(text)], 2)
    with pytest.raises(ValueError, match=f"expected a weight above 0, got none of {len(probs)}"):
        probability.temper(probs, 1.0)


def test_an_infinite_weight_cannot_be_drawn_from():
    with pytest.raises(ValueError, match="got an infinite one"):
        probability.draw({"a": math.inf}, lambda: 0.0, [])
