"""The knowledge base: complete, consistent, the same for all, with a part that stays hidden."""

from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.world.facts import knowledge, records
from llmcourse.world.facts.records import Fact, knowledge_base

KB = knowledge_base()
PEOPLE = {person.name: person for person in KB.people}
names = st.sampled_from(sorted(PEOPLE))


def family(name):
    person = PEOPLE[name]
    close = [person.spouse, person.mother, person.father, *person.siblings, *person.children]
    return {other for other in close if other}


def test_the_world_is_one_and_large_enough():
    assert knowledge_base() is KB
    assert len(KB.people) == len(PEOPLE) >= 60
    assert len({town.name for town in KB.towns}) == len(KB.towns) >= 30
    assert len({country.name for country in KB.countries}) == len(KB.countries) >= 10
    assert len(KB.comparatives) >= 20
    assert len(KB.gendered) >= 20
    assert len(KB.animals) >= 20
    assert sum(person.mother is not None for person in KB.people) >= 20
    assert sum(person.spouse is not None for person in KB.people) >= 30


def test_people_live_in_towns_of_their_country():
    towns = {town.name: town for town in KB.towns}
    for person in KB.people:
        assert towns[person.home].country == person.country
        assert person.gender in ("woman", "man")
    for country in KB.countries:
        assert country.capital == country.towns[0]
        assert {towns[name].country for name in country.towns} == {country.name}
        assert {towns[name].river for name in country.towns} == {country.river}
        assert len(set(country.foods)) == 3


def test_functional_relations_have_one_object():
    found = Counter((fact.subject, fact.relation) for fact in KB.facts)
    for (_, relation), count in found.items():
        assert count == 1 or not records.RELATIONS[relation]
    assert len({(f.subject, f.relation, f.object) for f in KB.facts}) == len(KB.facts)
    assert {fact.relation for fact in KB.facts} == set(KB.relations)


@given(names)
def test_families_are_told_alike_from_every_side(name):
    person = PEOPLE[name]
    if person.spouse:
        spouse = PEOPLE[person.spouse]
        assert spouse.spouse == name
        assert {person.gender, spouse.gender} == {"woman", "man"}
        assert (spouse.home, spouse.children) == (person.home, person.children)
    assert (person.mother is None) == (person.father is None)
    if person.mother and person.father:
        assert PEOPLE[person.mother].gender == "woman"
        assert PEOPLE[person.father].gender == "man"
        assert PEOPLE[person.mother].spouse == person.father
        assert name in PEOPLE[person.mother].children
    for child in person.children:
        assert name in (PEOPLE[child].mother, PEOPLE[child].father)
    for other in person.siblings:
        assert name in PEOPLE[other].siblings
        assert (PEOPLE[other].mother, PEOPLE[other].father) == (person.mother, person.father)
    assert name not in family(name)


@given(names)
def test_nobody_is_their_own_ancestor_or_marries_kin(name):
    def ancestors(who):
        parents = [p for p in (PEOPLE[who].mother, PEOPLE[who].father) if p]
        return set(parents).union(*(ancestors(parent) for parent in parents))

    assert name not in ancestors(name)
    spouse = PEOPLE[name].spouse
    if spouse:
        kin = [set(ancestors(who)) | set(PEOPLE[who].siblings) | {who} for who in (name, spouse)]
        aunts = [one | {s for who in one for s in PEOPLE[who].siblings} for one in kin]
        assert not kin[0] & aunts[1]
        assert not kin[1] & aunts[0]


def test_friends_in_stories_are_no_family():
    for name, friends in knowledge.friends().items():
        assert not {row[0] for row in friends.rows} & family(name)


def test_everything_named_is_in_the_world():
    things, animals = {one for one, _ in KB.things}, {animal.singular for animal in KB.animals}
    for person in KB.people:
        assert person.owns in things
        assert person.pet in animals
        assert person.colour in KB.colours
        assert person.food in KB.foods
        assert person.job in KB.jobs
    assert all(food in KB.foods for country in KB.countries for food in country.foods)
    for animal in KB.animals:
        assert animal.plural == animal.singular or animal.plural[-1] == "s"
    owned = [set(forms) for forms in KB.comparatives + KB.gendered]
    assert len(set().union(*owned)) == sum(len(forms) for forms in owned)


def test_no_name_stands_for_two_things():
    names = [*PEOPLE, *(t.name for t in KB.towns), *(c.name for c in KB.countries)]
    names += [c.language for c in KB.countries] + [c.people for c in KB.countries]
    names += [*{t.river for t in KB.towns}, *knowledge.PET_NAMES]
    assert len(set(names)) == len(names)


def test_about_one_fact_in_seven_is_held_out():
    assert set(KB.known).isdisjoint(KB.hidden)
    assert len(KB.known) + len(KB.hidden) == len(KB.facts)
    assert 0.12 < len(KB.hidden) / len(KB.facts) < 0.18
    assert {fact.relation for fact in KB.hidden} == set(records.HOLDABLE)
    for relation in records.HOLDABLE:
        share = [fact.held_out for fact in KB.facts if fact.relation == relation]
        assert 0.1 < sum(share) / len(share) < 0.7


def test_what_is_held_out_is_held_out_from_both_sides():
    fate = {(f.subject, f.relation, f.object): f.held_out for f in KB.facts}
    for (subject, relation, thing), held in fate.items():
        if relation == "spouse":
            assert fate[thing, "spouse", subject] == held
        if relation in ("mother", "father"):
            assert fate[thing, "child", subject] == held
            for other in PEOPLE[subject].siblings:
                assert fate[other, relation, thing] == held


def test_stories_state_no_held_out_fact():
    shown = dict(pet="pet", petname="pet_name", town="home", job="job", colour="colour")
    shown |= dict(likes="likes", sibling="sibling")
    fate = {(f.subject, f.relation): (f.object, f.held_out) for f in KB.facts}
    for row in knowledge.people().rows:
        told = dict(zip(knowledge.PERSON, row, strict=True))
        for field, relation in shown.items():
            assert fate[told["name"], relation] == (told[field], False)


def test_facts_are_found_by_subject_and_relation():
    (job,) = KB.about("Mia", "job")
    assert job == Fact("Mia", "job", "baker")
    assert KB.person("Mia").job == "baker"
    assert KB.town("Milby").country == "Varland"
    assert KB.country("Varland").currency == "crowns"
    both = Counter(KB.about("Zoe", held_out=True)) + Counter(KB.about("Zoe", held_out=False))
    assert both == Counter(KB.about("Zoe"))
    assert KB.about("Nobody") == ()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: KB.person("Bilbo"), "expected a person .*got 'Bilbo'"),
        (lambda: KB.town("Rome"), "expected a town .*got 'Rome'"),
        (lambda: KB.country("France"), "expected a country .*got 'France'"),
        (lambda: KB.about("Mia", "age"), "expected a relation .*got 'age': choose one of job"),
    ],
)
def test_unknown_names_are_refused_in_one_line(ask, message):
    with pytest.raises(ValueError, match=message) as caught:
        ask()
    assert "\n" not in str(caught.value)


def test_belongings_are_spread():
    owners = defaultdict(list)
    for person in KB.people:
        owners[person.owns].append(person.name)
    assert len(owners) >= 20
