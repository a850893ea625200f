"""Sentences from rules: picks are remembered, articles fit, everything belongs to one split."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.world.engine.grammar import Domain, Rules
from llmcourse.world.engine.machine import Machine
from llmcourse.world.engine.spelling import spell
from llmcourse.world.engine.splits import split_of
from llmcourse.world.engine.writing import Writer, all_of_split, even

RULES = Rules(
    {
        "find": "<p:person> found [3: a <t:thing>|two <t:thing.many>] and kept the @kept .",
        "kept": "{t}",
        "own": "<p:person> has a <pet:pets/p> , {p.he} says .",
        "again": "{x.name} and {x.he} [wait|wait and wait] .",
    },
    {
        "person": Domain(("name", "he"), (("Mia", "she"), ("Tom", "he")), (3.0, 1.0)),
        "thing": even("name", "many", rows=("key, keys", "old hat, old hats")),
    },
    {"pets": {"Mia": even("name", rows=["owl"]), "Tom": even("name", rows=["cat"])}},
)


def test_a_slot_keeps_what_was_picked():
    for seed in range(50):
        slots = {}
        text = Writer(RULES).sentence("find", Random(seed), slots)
        assert text.endswith(f"and kept the {slots['t']['name']}.")
        assert text.startswith(slots["p"]["name"])


def test_a_table_picks_by_the_name_in_another_slot():
    texts = {Writer(RULES).sentence("own", Random(seed)) for seed in range(50)}
    assert texts == {"Mia has an owl, she says.", "Tom has a cat, he says."}


def test_slots_may_be_filled_before():
    given_slots = {"x": {"name": "Eva", "he": "she"}}
    texts = {Writer(RULES).sentence("again", Random(s), given_slots) for s in range(50)}
    assert texts == {"Eva and she wait.", "Eva and she wait and wait."}


def test_choices_are_as_likely_as_the_exact_machine_says():
    ours, theirs = Random(1), Random(2)
    rules = Rules({"story": RULES.texts["find"], "kept": "{t}"}, RULES.domains)
    writer, machine, n = Writer(rules), Machine(rules), 6_000
    written = Counter(" ".join(writer.words("story", ours)) for _ in range(n))
    sampled = Counter(" ".join(machine.sample(theirs.random)[0]) for _ in range(n))
    assert written.keys() == sampled.keys()
    assert all(abs(written[text] - sampled[text]) < 0.03 * n for text in sampled)


@pytest.mark.parametrize(
    "words, text",
    [
        ("a owl sat .", "An owl sat."),
        ("it is a old map , not a new one .", "It is an old map, not a new one."),
        ("is it a ?", "Is it a?"),
    ],
)
def test_spelling_worked_by_hand(words, text):
    assert spell(words.split()) == text


@given(st.integers(0, 10**6), st.sampled_from(("train", "test")))
def test_all_sentences_of_a_draw_belong_to_the_split(seed, split):
    def make(rng):
        return str(rng.random()), str(rng.random())

    assert {split_of(s) for s in all_of_split(make, Random(seed), split, tuple)} == {split}


def test_nothing_of_a_split_is_an_error():
    other = next(s for s in map(str, range(100)) if split_of(s) == "train")
    with pytest.raises(RuntimeError, match="nothing for split 'test'"):
        all_of_split(lambda rng: (other,), Random(0), "test", tuple)
