"""Questions of the world: right answers, nothing held out, and no wording that gives them away."""

import re

import pytest

from llmcourse.text.corpora import words
from llmcourse.world.chat.asks import UNKNOWN, known_asks
from llmcourse.world.chat.fact_questions import catalogue, questions
from llmcourse.world.chat.question_forms import fill, wordings
from llmcourse.world.chat.unanswered import (
    NO_COINS,
    NO_COUNTRIES,
    NO_JOBS,
    NO_TOWNS,
    NOBODY,
    open_asks,
)
from llmcourse.world.engine.splits import SPLITS
from llmcourse.world.facts.records import knowledge_base
from tests.bag_of_words import accuracy
from tests.world import samples

KB = knowledge_base()
TRAIN, TEST = samples.train("questions"), samples.test("questions")
OPEN, OPEN_TEST = samples.train("unknown_questions"), samples.test("unknown_questions")
SUBJECTS = {country.currency for country in KB.countries} | {*NO_COINS, *NO_JOBS, *KB.jobs}
NAMES = {one.name for one in (*KB.people, *KB.towns, *KB.countries)}
STRANGERS = {*NOBODY["woman"], *NOBODY["man"], *NO_TOWNS, *NO_COUNTRIES}
KIN = {
    "husband": ("spouse", "man"), "wife": ("spouse", "woman"), "mother": ("mother", "woman"),
    "father": ("father", "man"), "brother": ("sibling", "man"), "sister": ("sibling", "woman"),
    "son": ("child", "man"), "daughter": ("child", "woman"),
}  # fmt: skip
# One wording of each form, by hand: what it asks of the name in it.
ASKED = {
    "What is {}'s job?": "job", "Tell me where {} lives.": "home",
    "When was {} born?": "born", "What pet does {} have?": "pet",
    "I forgot what {}'s pet is called.": "pet_name",
    "What does {} like to eat best?": "likes",
    "Could you say which colour {} likes best?": "colour", "What does {} own?": "owns",
    "In which country is {}?": "country", "Which river runs through {}?": "river",
    "Please tell me what the capital of {} is.": "capital",
    "What is the currency of {}?": "currency",
    "Do you know what language is spoken in {}?": "language",
    "What is somebody from {} called?": "people",
} | {f"Who is {{}}'s {word}?": word for word in KIN}  # fmt: skip


def told(name, relation):
    """The known object of a relation or relative, by the facts alone; "" where none is known."""
    relation, gender = KIN.get(relation, (relation, None))
    found = [fact.object for fact in KB.about(name, relation, held_out=False)]
    if gender:
        found = [other for other in found if KB.person(other).gender == gender]
    assert len(found) < 2
    return found[0] if found else ""


def test_every_answer_is_the_one_known_fact():
    for wording, relation in ASKED.items():
        asked = {name: catalogue().get(wording.format(name)) for name in [*NAMES, *STRANGERS]}
        answers = {name: ask.answer for name, ask in asked.items() if ask}
        assert answers == {name: told(name, relation) for name in answers}
        assert set(answers) >= {name for name in asked if told(name, relation)}
        assert set(answers) & STRANGERS


def test_questions_about_relatives_go_through_the_relative():
    for person in KB.people:
        for word in KIN:
            ask = catalogue().get(f"Where does {person.name}'s {word} live?")
            through = told(person.name, word)
            assert ask is None or ask.answer == (told(through, "home") if through else "")
            assert ask or not through


def test_questions_about_countries_go_through_home():
    for person in KB.people:
        ask = catalogue()[f"What is the currency of the country where {person.name} lives?"]
        assert ask.answer == KB.country(person.country).currency
        assert len(ask.before) == 2


def test_questions_can_be_asked_from_the_other_side():
    for country in KB.countries:
        assert catalogue()[f"Where do people pay with {country.currency}?"].answer == country.name
        assert catalogue()[f"Which country has the capital {country.capital}?"].answer == (
            country.name
        )
    for person in KB.people:
        article = "an" if person.job[0] in "aeiou" else "a"
        text = f"Which {person.gender} is {article} {person.job}?"
        assert catalogue()[text].answer == person.name


def test_replies_hold_the_answer():
    for asked in [*TRAIN, *TEST, *OPEN, *OPEN_TEST]:
        assert asked.answer in asked.reply


def test_all_relations_are_asked_for_in_many_ways():
    assert {asked.fact.relation for asked in TRAIN} == set(KB.relations)
    skeletons = {" ".join("_" if w in NAMES else w for w in words(q.question)) for q in TRAIN}
    assert len(skeletons) > 500
    assert {asked.hops for asked in TRAIN} == {1, 2, 3}


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7, 1.0])
def test_the_dial_is_the_share_of_questions_with_several_hops(share):
    far = sum(asked.hops > 1 for asked in questions(4_000, multi_hop=share))
    assert abs(far / 4_000 - share) < 0.03


def test_no_question_is_both_known_and_open():
    texts = {fill(t, ask.subject)
             for asks in known_asks() for ask in asks
             for t in wordings(ask.form, ask.subject)}  # fmt: skip
    for split in SPLITS:
        for sources in open_asks(split).values():
            for ask in (ask for source in sources for ask in source):
                assert texts.isdisjoint(
                    fill(t, ask.subject) for t in wordings(ask.form, ask.subject)
                )


def test_every_tested_fact_is_taught():
    assert {asked.fact for asked in TEST} <= {asked.fact for asked in TRAIN}


def test_training_asks_for_no_held_out_fact():
    for asked in [*TRAIN, *OPEN]:
        assert asked.fact is None or not asked.fact.held_out


def test_open_questions_are_never_answered():
    for asked in [*OPEN, *OPEN_TEST]:
        assert asked.answer == UNKNOWN
        assert (
            asked.reply.startswith("I do not know wh")
            or " which " in asked.reply
            or (re.match("I do not know (in|of|on|from|for) wh", asked.reply))
        )


def test_tests_ask_about_other_unknowns_than_training():
    known = {word for asked in TRAIN for word in words(asked.question + " " + asked.reply)}
    strangers = [
        {w for q in asked for w in words(q.question)} - known for asked in (OPEN, OPEN_TEST)
    ]
    assert min(map(len, strangers)) > 40
    assert strangers[0].isdisjoint(strangers[1])
    held = {asked.fact for asked in OPEN_TEST if asked.fact}
    assert all(fact.held_out for fact in held)
    assert {fact.relation for fact in held} >= {"born", "spouse", "mother", "owns", "language"}
    assert len(held) > 40


def test_wording_does_not_tell_open_from_known():
    def masked(asked):
        kept = [w for w in words(asked.question)[1:] if w[0].islower() and w not in SUBJECTS]
        return " ".join(kept)

    labelled = [
        [(masked(q), label) for label, asked in enumerate(pair) for q in asked]
        for pair in ((TRAIN, OPEN), (TEST, OPEN_TEST))
    ]
    assert abs(accuracy(*labelled) - 0.5) < 0.03
