"""llmcourse.world.story.entries: true, known and exact entries; questions on what they tell."""

import pytest

from llmcourse import world
from llmcourse.models.word_vectors import read_questions
from llmcourse.world.facts.records import COMPARATIVES, GENDERED
from llmcourse.world.story import entries
from llmcourse.world.story.entries import almanac, analogy_questions


def test_a_size_in_tokens_is_reached_by_the_last_entry_only():
    sizes = [len(entry.tokens) for entry in almanac(tokens=1_000)]
    assert sum(sizes) >= 1_000 > sum(sizes[:-1])


def test_a_size_in_tokens_below_one_is_refused():
    with pytest.raises(ValueError, match="expected tokens of 1 or more, got 0"):
        almanac(tokens=0)


def test_no_entry_names_what_may_be_held_out():
    kb = world.knowledge_base()
    told = {token for entry in almanac(2_000) for token in entry.tokens}
    assert not told & {country.language for country in kb.countries}


def test_entries_keep_the_facts_of_each_country_together():
    kb = world.knowledge_base()
    for entry in almanac(1_000):
        named = [c for c in kb.countries if c.name in entry.tokens]
        capitals = [c for c in kb.countries if c.capital in entry.tokens]
        assert named == capitals and len(named) <= 1


def test_every_quality_and_every_kind_of_person_has_entries():
    told = {token for entry in almanac(3_000) for token in entry.tokens}
    assert told >= {word for degrees in COMPARATIVES for word in degrees}
    assert told >= {word for pair in GENDERED if pair[0] in entries.SCENES for word in pair}


def test_questions_pair_every_two_relations_of_a_kind():
    sections = read_questions(analogy_questions())
    sizes = {name: len(questions) for name, questions in sections.items()}
    assert sizes == {
        "country-capital": 90, "country-currency": 90, "country-people": 90,
        "comparative": 552, "superlative": 552, "woman-man": 306,
    }  # fmt: skip
    assert ("Varland", "Ostrum", "Tessaria", "Belmora") in sections["country-capital"]
    assert all(len(set(question)) == 4 for q in sections.values() for question in q)
