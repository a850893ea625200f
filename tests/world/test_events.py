"""Invented events: told in whole sentences, about people as the world knows them."""

import re
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from llmcourse.world.engine.spelling import detokenise
from llmcourse.world.facts import events
from llmcourse.world.facts.events import FAMILIES, GIVING, WHEN, Event
from llmcourse.world.facts.records import knowledge_base
from tests.world.leaks import states_held_out

PEOPLE = {person.name: person for person in knowledge_base().people}
SEEDS = st.integers(0, 10**6)
PARTS = ("who", "what", "whom", "where", "when", "why")


def event(rng, family):
    return Event(
        events.somebody(rng),
        rng.choice(FAMILIES[family].verbs),
        events.something(rng, FAMILIES[family].kinds),
        events.person(rng) if family == GIVING else None,
        where=events.somewhere(rng) if rng.random() < 0.5 else "",
        when=rng.choice(WHEN) if rng.random() < 0.5 else "",
        why=rng.choice(FAMILIES[family].reasons) if rng.random() < 0.5 else "",
    )


@given(SEEDS, st.sampled_from(sorted(FAMILIES)))
def test_a_sentence_tells_every_part_once_and_says_where_it_begins(seed, family):
    rng = Random(seed)
    happened = event(rng, family)
    tokens, starts = events.sentence(happened, rng)
    assert set(starts) == {part for part in PARTS if happened.part(part)}
    for part, start in starts.items():
        told = happened.part(part).split()
        found = list(tokens[start : start + len(told)])
        assert [found[0].lower(), *found[1:]] == [told[0].lower(), *told[1:]]
    told = sum(len(happened.part(part).split()) for part in starts)
    assert told < len(tokens) <= told + 9
    assert tokens[0][0].isupper() and tokens[-1] == "."
    assert not states_held_out(detokenise(tokens))


@given(SEEDS)
def test_people_have_the_jobs_and_relatives_that_the_world_gives_them(seed):
    text = events.somebody(Random(seed)).text
    job = re.fullmatch(r"(\w+) the (\w+)", text)
    kin = re.fullmatch(r"(\w+) and (her|his) (brother|sister) (\w+)", text)
    if job:
        assert PEOPLE[job[1]].job == job[2]
    elif kin:
        one, his, kind, other = kin.groups()
        assert PEOPLE[one].siblings == (other,)
        assert (his, kind) == {"woman": ("her", "brother"), "man": ("his", "sister")}[
            PEOPLE[one].gender
        ]
    else:
        assert text in PEOPLE or text.split()[0] in ("a", "an")


@given(SEEDS, st.sampled_from(["thing", "food", "packed", "animal"]))
def test_counted_things_begin_with_a_number_and_others_with_an_article(seed, kind):
    counted = events.something(Random(seed), kind, counted=True)
    assert counted.plural
    assert counted.text.split()[0] in events.NUMBERS
    one = events.something(Random(seed), kind)
    assert (one.text.split()[0] in events.NUMBERS) == one.plural
    assert one.plural or re.match(r"a [^aeiou]|an [aeiou]", one.text)
    assert one.known.startswith("the ")
