"""The detector of held-out facts finds what it must and lets plain text pass."""

import re

import pytest

from llmcourse.world.facts.records import knowledge_base
from llmcourse.world.story.telling import stories
from tests.world.leaks import states_held_out

WORLD = knowledge_base()
STATEMENTS = {
    "born": ("{0} was born in {1}.", "In {1}, {0} has a birthday.", "Was {0} born in {1}?"),
    "spouse": ("{0} is married to {1}.", "{1} and {0} went to their own wedding.",
               "The spouse of {0}, {1}, was late."),
    "mother": ("{1} is the mother of {0}.", "{0} is a child of {1}."),
    "father": ("{1} is the father of {0}.", "One of the parents of {0} is {1}."),
    "child": ("{1} is a child of {0}.", "{0} took {1}, the youngest son, to town."),
    "owns": ("{0} owns a {1}.", "{0}'s old {1} broke.", "The {1} belongs to {0}.",
             "{0} has a {1}.", "{0} lost her new {1}.", "Whose {1} was it? The answer is {0}."),
    "language": ("In {0} people speak {1}.", "The language of {0} is {1}."),
    "food": ("{0} is known for its {1}.", "People in {0} eat {1}."),
}  # fmt: skip


@pytest.mark.parametrize("relation", STATEMENTS)
def test_every_held_out_fact_is_found_in_every_wording(relation):
    facts = [fact for fact in WORLD.hidden if fact.relation == relation]
    assert facts
    for fact in facts:
        for wording in STATEMENTS[relation]:
            text = wording.format(fact.subject, fact.object)
            assert fact in states_held_out(text), text


@pytest.mark.parametrize("relation", STATEMENTS)
def test_known_facts_pass(relation):
    facts = [fact for fact in WORLD.known if fact.relation == relation]
    assert facts
    for fact in facts:
        assert not states_held_out(STATEMENTS[relation][0].format(fact.subject, fact.object))


def test_countries_are_known_by_their_towns_and_people():
    fact = next(fact for fact in WORLD.hidden if fact.relation == "language")
    country = WORLD.country(fact.subject)
    assert states_held_out(f"They speak {fact.object} in {country.capital}.") == (fact,)
    assert states_held_out(f"Every {country.people} talks {fact.object}.") == (fact,)
    food = next(fact for fact in WORLD.hidden if fact.relation == "food")
    people = WORLD.country(food.subject).people
    assert food in states_held_out(f"She bought {people} {food.object} at the market.")


def test_meeting_a_thing_is_not_owning_it():
    fact = next(fact for fact in WORLD.hidden if fact.relation == "owns")
    assert not states_held_out(f"{fact.subject} saw a {fact.object} in the window.")
    assert not states_held_out(f"{fact.subject} gave her a {fact.object}.")
    assert not states_held_out(
        f"{fact.subject} has seen every old shop that sells a {fact.object}."
    )


def test_stories_pass():
    count = 0
    for story in stories(tokens=200_000, seed=5):
        for sentence in re.split(r"(?<=[.?!]) ", story.text):
            assert not states_held_out(sentence), sentence
            count += 1
    assert count > 10_000
