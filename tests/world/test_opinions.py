"""Reviews: labels that follow from the words, half of them only by negation or contrast."""

import re
from collections import Counter
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.text.corpora import words
from llmcourse.world.tasks.opinions import ASPECTS, KINDS, LABELS, reviews
from tests.bag_of_words import accuracy
from tests.world import samples


def records():
    return samples.train("reviews")


def unseen():
    return samples.test("reviews")


DENIALS = re.compile(
    r"\b(not|never|far from|anything but|by no means|hardly|nobody|no guest|no one|lie|doubt"
    r"|neither)\b",
    re.I,
)


def sentences(review):
    return re.split(r"(?<=[.!?]) ", review.text)


def polarities():
    """For each topic, the polarity of each word about each thing, read from the tables."""
    found = {}
    for topic, table in ASPECTS.items():
        for line in table.strip().splitlines():
            the, good, bad = (part.strip(" *") for part in line.split(";"))
            found[topic, the] = (good.split(), bad.split())
    return found


POLARITY = polarities()


def judged(clause, topic):
    """The label of a clause about one thing: the polarity of its word, turned by a denial."""
    spoken = words(clause.lower())
    for (about, the), (good, bad) in POLARITY.items():
        if about == topic and f" {the} " in f" {clause.lower()} ":
            said = [w for w in spoken if w in good] or [w for w in spoken if w in bad]
            if said:
                return LABELS[(said[0] in bad) ^ bool(DENIALS.search(clause))]
    return None


def test_labels_and_kinds_have_their_shares():
    labels = Counter(r.label for r in records()[:10_000])
    assert set(labels) == set(LABELS)
    assert abs(labels["positive"] / 10_000 - 0.5) < 0.02
    for kind, share in KINDS.items():
        ours = [r for r in records() if r.kind == kind]
        assert abs(len(ours) / len(records()) - share) < 0.02
        assert abs(sum(r.label == "positive" for r in ours) / len(ours) - 0.5) < 0.03


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_texts_are_plain_sentences(seed):
    for review in islice(reviews(40, seed=seed), 40):
        assert 1 <= len(sentences(review)) <= 4
        for sentence in sentences(review):
            assert sentence[0].isupper() or sentence[0] == '"'
            assert sentence[-1] in ".!"
        assert not re.search(" a [aeiou]| an [^aeiou]", review.text)


def test_a_denied_word_counts_the_other_way_round():
    checked = 0
    for review in records():
        if review.kind != "negation":
            continue
        clauses = [c for s in sentences(review) for c in re.split(r"; |, just as |, and ", s)]
        found = {judged(clause, review.topic) for clause in clauses} - {None}
        assert found == {review.label}, review
        checked += 1
    assert checked > 5_000


def test_plain_reviews_judge_everything_alike():
    said = {topic: {"positive": set(), "negative": set()} for topic in ASPECTS}
    for (topic, _), (good, bad) in POLARITY.items():
        said[topic]["positive"].update(good)
        said[topic]["negative"].update(bad)
    plain = [r for r in records() if r.kind == "plain"]
    found = 0
    for review in plain:
        right, wrong = (said[review.topic][label] for label in (review.label, other(review.label)))
        spoken = set(words(review.text))
        assert not spoken & (wrong - right), review
        found += bool(spoken & right)
    assert found > 0.8 * len(plain)


def other(label):
    return LABELS[1 - LABELS.index(label)]


def test_a_bag_of_words_reads_plain_reviews_and_is_at_chance_on_the_others():
    train = [(r.text, r.label) for r in records()]
    by_kind = {k: [(r.text, r.label) for r in unseen() if r.kind == k] for k in KINDS}
    assert accuracy(train, by_kind["plain"]) > 0.9
    assert abs(accuracy(train, by_kind["negation"]) - 0.5) < 0.06
    assert abs(accuracy(train, by_kind["contrast"]) - 0.5) < 0.06
    alone = [(r.text, r.label) for r in records() if r.kind == "negation"]
    assert abs(accuracy(alone, by_kind["negation"]) - 0.5) < 0.06


def test_length_tells_nothing():
    sizes = {label: [len(r.text) for r in records() if r.label == label] for label in LABELS}
    means = [sum(s) / len(s) for s in sizes.values()]
    assert abs(means[0] - means[1]) < 0.04 * means[0]


def test_sentences_have_many_skeletons():
    content = {w for table in ASPECTS.values() for w in words(table)}
    content |= {w for r in records() for w in words(r.text) if w[0].isupper()}

    def skeleton(sentence):
        return " ".join("_" if w in content else w for w in words(sentence))

    found = Counter(skeleton(s) for r in records() for s in sentences(r))
    assert sum(count >= 2 for count in found.values()) >= 200
