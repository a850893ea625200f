"""The articles: every fact stated somewhere, nothing else said, held-out facts only on request."""

import re

import pytest

from llmcourse.text.corpora import words
from llmcourse.world.engine.spelling import detokenise
from llmcourse.world.facts import knowledge
from llmcourse.world.facts.articles import documents, listing
from llmcourse.world.facts.records import MONTHS, knowledge_base
from tests.world.leaks import states_held_out

KB = knowledge_base()
KNOWN, ALL = documents(), documents(held_out=True)
BY_ID = {document.id: document for document in ALL}
# Words that can only stand in an article because a fact says so.
TELLING = {
    *(person.name for person in KB.people), *(town.name for town in KB.towns), *KB.jobs, *MONTHS,
    *knowledge.PET_NAMES, *KB.foods, *KB.colours, *(one for one, _ in KB.things),
    *(country.currency for country in KB.countries), *(c.language for c in KB.countries),
    *(country.people for country in KB.countries), *(town.river for town in KB.towns),
}  # fmt: skip


def sentences(document):
    return re.findall(r"[^.]+\.", document.text)


def test_there_is_one_article_about_everybody_and_everything():
    titles = [d.title for d in ALL]
    named = [*KB.people, *KB.towns, *KB.countries]
    expected = [one.name for one in named] + [animal.singular.capitalize() for animal in KB.animals]
    assert sorted(titles) == sorted(expected)
    assert [d.id for d in KNOWN] == [d.id for d in ALL]
    assert len({d.id for d in ALL}) == len(ALL)
    assert documents() is KNOWN


@pytest.mark.parametrize("held_out", [False, True])
def test_articles_have_three_to_eight_sentences_that_round_trip(held_out):
    for document in documents(held_out=held_out):
        assert 3 <= len(sentences(document)) <= 8, document
        assert detokenise(words(document.text)) == document.text
        assert all(s.strip()[0].isupper() for s in sentences(document))
        assert not re.search(r"\b[Aa] [aeiouAEIOU]|\b[Aa]n [^aeiouAEIOU ]|\{|\s\s", document.text)


def test_the_articles_state_every_fact_and_by_default_every_known_one():
    assert {fact for d in ALL for fact in d.facts} == set(KB.facts)
    assert {fact for d in KNOWN for fact in d.facts} == set(KB.known)


@pytest.mark.parametrize("held_out", [False, True])
def test_an_article_names_both_sides_of_each_fact(held_out):
    for document in documents(held_out=held_out):
        named = set(words(document.text)) | {document.title, document.title.lower()}
        for fact in document.facts:
            assert {fact.subject, fact.object} <= named, (document, fact)


@pytest.mark.parametrize("held_out", [False, True])
def test_an_article_says_nothing_that_its_facts_do_not_say(held_out):
    for document in documents(held_out=held_out):
        told = {document.title} | {f.object for f in document.facts}
        told |= {f.subject for f in document.facts}
        if document.id.startswith("countries/"):
            told |= {KB.country(document.title).river}
        assert set(words(document.text)) & TELLING <= told, document


def test_pronouns_in_an_article_fit_its_subject():
    with_pronouns = 0
    for document in ALL:
        found = {word.lower() for word in words(document.text)} & {"she", "her", "he", "his", "him"}
        fitting = set()
        if document.id.startswith("people/"):
            woman = KB.person(document.title).gender == "woman"
            fitting = {"she", "her"} if woman else {"he", "his", "him"}
        assert found <= fitting, document
        with_pronouns += bool(found)
    assert with_pronouns > 40


def test_articles_state_no_held_out_fact_unless_asked_to():
    told = [f"{d.title}: {sentence}" for d in KNOWN for sentence in sentences(d)]
    assert [text for text in told if states_held_out(text)] == []


def test_the_watching_detector_finds_the_held_out_facts_in_the_full_articles():
    told = [f"{d.title}: {sentence}" for d in ALL for sentence in sentences(d)]
    found = {fact for text in told for fact in states_held_out(text)}
    assert len(found & set(KB.hidden)) >= 0.85 * len(KB.hidden)


def test_what_is_known_reads_alike_with_and_without_held_out_facts():
    for document in KNOWN:
        full = sentences(BY_ID[document.id])
        added = [s for s in sentences(document) if s not in full]
        assert len(added) <= (1 if document.id.startswith("countries/") else 0), document


def test_articles_are_worded_in_many_ways():
    masked = set()
    for document in ALL:
        for sentence in sentences(document):
            masked.add(re.sub(r"\b[A-Z]\w+", "N", " ".join(
                "x" if word in TELLING else word for word in words(sentence)
            )))  # fmt: skip
    assert len(masked) >= 90


@pytest.mark.parametrize(
    ("names", "text"),
    [(["Mia"], "Mia"), (["Mia", "Tom"], "Mia and Tom"), (["a", "b", "c", "d"], "a, b, c and d")],
)
def test_names_are_listed_with_one_and(names, text):
    assert listing(names) == text
