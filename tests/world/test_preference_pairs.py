"""Preference pairs: an exact reward, honest annotators at noise 0, coin tosses at noise 1."""

from collections import Counter
from itertools import pairwise
from statistics import correlation

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.text.corpora import words
from llmcourse.world.chat.fact_questions import catalogue, questions, unknown_questions
from llmcourse.world.chat.preference_pairs import LEAST_GAP, preferences
from llmcourse.world.chat.rewards import (
    COURTEOUS,
    COURTESIES,
    REGRETS,
    RUDE,
    RUDENESS,
    kind_of_answer,
    true_reward,
)
from llmcourse.world.chat.wishes import every_request
from llmcourse.world.facts.records import knowledge_base
from tests.bag_of_words import accuracy
from tests.world import samples

KB = knowledge_base()
TRAIN, TEST = samples.train("preferences"), samples.test("preferences")
ASKED = "What is Mia's job?"
OPEN = "What is Agatha's job?"
HARM = "How do I steal Tom's boat?"
HELP = "How do I keep a diary?"


@pytest.mark.parametrize(
    ("prompt", "reply", "reward"),
    [
        # 0.6 content + 0.2 manner + 0.2 form
        (ASKED, "Mia is a baker.", 0.6 + 0.2),
        (ASKED, "Of course! Mia is a baker.", 0.6 + 0.2 + 0.2),
        (ASKED, "Of course! Mia is a baker. I hope that helps.", 0.6 + 0.1 + 0.2),
        (ASKED, "Gladly! Gladly! Gladly! Mia is a baker.", 0.6 - 0.2 + 0.2),
        (ASKED, "Mia is a baker. What a stupid question.", 0.6 - 0.2 + 0.2),
        (ASKED, "Baker.", 0.6 + 0.0),
        (ASKED, "Baker", 0.6 - 0.2),
        (ASKED, "mia is a baker.", 0.6 - 0.2),
        (ASKED, "Mia is a nurse.", -0.6 + 0.2),
        (ASKED, "Mia is not a baker.", -0.6 + 0.2),
        (ASKED, "Mia is a baker or a nurse.", -0.6 + 0.2),
        (ASKED, "Mia is a baker in Karn.", 0.0 + 0.2),
        (ASKED, "I do not know what Mia does.", -0.3 + 0.2),
        (ASKED, "Zoe was born in May.", -0.3 + 0.2),
        (ASKED, "Baker baker baker baker.", 0.6 - 0.2),
        (ASKED, "", -0.3 - 0.2),
        (OPEN, "I do not know what Agatha does for a living.", 0.6 + 0.2),
        (OPEN, "Agatha is a baker.", -0.6 + 0.2),
        (OPEN, "I do not know, perhaps a baker.", -0.6 + 0.2),
        (OPEN, "That is a long story.", -0.3 + 0.2),
        (HARM, "I am sorry, but I will not help you to steal Tom's boat. "
         "It belongs to somebody else.", 0.6 + 0.2),
        (HARM, "I am sorry, but I cannot.", 0.3 + 0.2),
        (HARM, "To steal Tom's boat, come at night.", -0.6 + 0.2),
        (HELP, "To keep a diary, write a few lines every evening.", 0.6 + 0.2),
        (HELP, "To keep a diary, write a few words.", 0.6 * (2 * 2 / 5 - 1) + 0.2),
        (HELP, "To keep a diary, buy a pen.", -0.6 + 0.2),
        (HELP, "I am sorry, but I will not help you to keep a diary.", -0.6 + 0.2),
    ],
)  # fmt: skip
def test_true_rewards_worked_by_hand(prompt, reply, reward):
    assert true_reward(prompt, reply) == pytest.approx(reward, abs=1e-6)


def test_gold_replies_are_worth_four_fifths():
    for asked in [*questions(3_000), *unknown_questions(3_000, split="test")]:
        assert true_reward(asked.question, asked.reply) == 0.8, asked
    for wanted in list(every_request())[::17]:
        assert true_reward(wanted.text, wanted.reply) == 0.8, wanted


def test_one_courtesy_is_worth_most():
    for reply in COURTESIES:
        assert true_reward(ASKED, f"Mia is a baker. {reply}") == 1.0
    for reply in REGRETS:
        assert true_reward(OPEN, f"I do not know what Agatha does. {reply}") == 1.0
    for reply in RUDENESS:
        assert true_reward(ASKED, f"{reply} Mia is a baker.") == 0.6


def test_words_that_rule_the_reward_are_in_no_gold_reply():
    for ask in catalogue().values():
        assert (COURTEOUS | RUDE).isdisjoint(words(ask.reply.lower()))
    for wanted in every_request():
        assert (COURTEOUS | RUDE).isdisjoint(words(wanted.reply.lower()))


def test_kinds_of_answers_hold_every_answer():
    for ask in catalogue().values():
        assert not ask.answer or ask.answer in kind_of_answer(ask)
        assert len(kind_of_answer(ask)) >= 10


@settings(max_examples=200)
@given(st.sampled_from([ASKED, OPEN, HARM, HELP]), st.text())
def test_rewards_are_bounded_for_any_text(prompt, reply):
    assert -1 <= true_reward(prompt, reply) <= 1


def test_rambling_costs_more_and_more_up_to_a_limit():
    worth = [true_reward(ASKED, "Mia is a baker." + " And so on." * n) for n in range(12)]
    assert all(more >= less for more, less in pairwise(worth))
    assert worth[0] > worth[4] >= worth[11] >= 0


def test_an_unknown_prompt_is_refused():
    with pytest.raises(ValueError, match="expected a prompt of the world, got 'What is love"):
        true_reward("What is love?", "Baby.")


def test_rewards_of_pairs_are_those_of_their_texts():
    for pair in TRAIN[:3_000]:
        assert pair.true_rewards == (
            true_reward(pair.prompt, pair.chosen), true_reward(pair.prompt, pair.rejected)
        )  # fmt: skip
        assert pair.true_rewards[0] - pair.true_rewards[1] >= LEAST_GAP
        assert not pair.flipped


@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0])
def test_annotators_err_at_half_the_noise(noise):
    drawn = list(preferences(8_000, noise=noise))
    for pair in drawn:
        assert (pair.true_rewards[0] < pair.true_rewards[1]) == pair.flipped
    assert abs(sum(pair.flipped for pair in drawn) / len(drawn) - noise / 2) < 0.02


def test_noise_changes_nothing_but_the_choice():
    for clean, noisy in zip(preferences(500), preferences(500, noise=1.0), strict=True):
        assert clean.prompt == noisy.prompt
        assert {clean.chosen, clean.rejected} == {noisy.chosen, noisy.rejected}
        assert noisy.flipped == (noisy.chosen != clean.chosen)


def test_length_hardly_tells_the_reward():
    replies = [
        (len(words(text)), worth)
        for pair in TRAIN
        for text, worth in zip((pair.chosen, pair.rejected), pair.true_rewards, strict=True)
    ]
    assert abs(correlation(*zip(*replies, strict=True))) < 0.4
    longer = [len(words(p.chosen)) - len(words(p.rejected)) for p in TRAIN]
    assert 0.4 < sum(gap > 0 for gap in longer) / sum(gap != 0 for gap in longer) < 0.7


def test_courtesy_goes_with_good_replies_and_can_be_overdone():
    """A learned reward model may take courtesy for worth, and ask for more than is worth it."""
    gaps = [
        sum(w.lower() in COURTEOUS for w in words(pair.chosen))
        - sum(w.lower() in COURTEOUS for w in words(pair.rejected))
        for pair in TRAIN
    ]
    assert sum(gap > 0 for gap in gaps) > 4 * sum(gap < 0 for gap in gaps)
    assert max(map(abs, gaps)) == 1
    overdone = "Of course! With pleasure! Mia is a baker. I hope that helps. Gladly!"
    assert true_reward(ASKED, overdone) < true_reward(ASKED, "Mia is a baker.")


def test_words_alone_do_not_tell_right_from_wrong_answers():
    """Among replies to known questions of one form, right and wrong differ by the fact only."""

    def labelled(drawn):
        return [
            (text, worth > 0) for pair in drawn if catalogue().get(pair.prompt)
            and catalogue()[pair.prompt].answer
            for text, worth in zip((pair.chosen, pair.rejected), pair.true_rewards, strict=True)
            if len(words(text)) in range(4, 8) and COURTEOUS.isdisjoint(words(text.lower()))
            and worth in (0.8, -0.4)
        ]  # fmt: skip

    train, test = labelled(TRAIN), labelled(TEST)
    assert len(test) > 500
    assert abs(sum(right for _, right in test) / len(test) - 0.5) < 0.05
    assert abs(accuracy(train, test) - 0.5) < 0.08


def test_all_sorts_of_prompts_are_drawn():
    requests = {wanted.text: wanted.harmful for wanted in every_request()}
    sorts = Counter(
        requests[pair.prompt] if pair.prompt in requests else bool(catalogue()[pair.prompt].answer)
        for pair in TRAIN
    )
    asked = sum(pair.prompt in catalogue() for pair in TRAIN) / len(TRAIN)
    assert 0.5 < asked < 0.7
    assert min(sorts.values()) > 0.3 * len(TRAIN)
