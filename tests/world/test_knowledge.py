"""The word tables: consistent, friends that are mutual, a bias dial that skews what it should."""

from collections import Counter

import pytest

from llmcourse.world.facts import knowledge


def test_facts_are_consistent():
    people = {
        row[0]: dict(zip(knowledge.PERSON, row, strict=True)) for row in knowledge.people().rows
    }
    assert len(people) == 60
    for name, facts in people.items():
        sibling = people[facts["sibling"]]
        assert sibling["sibling"] == name
        assert {facts["man"], sibling["man"]} == {"man", "woman"}
        assert facts["kin"] == {"man": "brother", "woman": "sister"}[sibling["man"]]
        assert facts["town"] != facts["capital"]
    jobs = Counter((facts["job"], facts["man"]) for facts in people.values())
    assert set(jobs.values()) == {1}
    assert len(jobs) == 2 * len(knowledge.JOBS)
    towns = [town for country in knowledge.COUNTRIES for town in country[1:4]]
    assert len(set(towns)) == 30


@pytest.mark.parametrize("bias", [0.0, 0.5, 1.0])
def test_friends_are_mutual_and_never_family(bias):
    table = knowledge.friends(bias)
    column = knowledge.PERSON.index("sibling")
    own = {row[0]: row[column] for row in knowledge.people().rows}
    for name, friends in table.items():
        names = [row[0] for row in friends.rows]
        assert sum(friends.weights) > 0
        assert name not in names
        assert own[name] not in names
        assert all(name in [row[0] for row in table[other].rows] for other in names)


def test_bias_dial_skews_only_the_leaning_jobs():
    def share(bias, job):
        rows = knowledge.people(bias)
        man, column = knowledge.PERSON.index("man"), knowledge.PERSON.index("job")
        weight = {
            row[man]: w
            for row, w in zip(rows.rows, rows.weights, strict=True)
            if row[column] == job
        }
        return weight["woman"] / sum(weight.values())

    assert share(0.0, "nurse") == share(0.7, "baker") == 0.5
    assert share(0.6, "nurse") == pytest.approx(0.8)
    assert share(0.6, "pilot") == pytest.approx(0.2)
    assert share(1.0, "nurse") == 1
