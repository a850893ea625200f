"""Entailment: labels that independent readers of the text confirm, hypotheses that tell nothing."""

import re
from collections import Counter
from itertools import islice, product

from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.text.corpora import words
from llmcourse.world.facts.records import knowledge_base
from llmcourse.world.tasks.inferences import LABELS, PHENOMENA, entailment
from tests.bag_of_words import accuracy
from tests.world import samples


def records():
    return samples.train("entailment")


def unseen():
    return samples.test("entailment")


def of(phenomenon):
    return [r for r in records() if r.phenomenon == phenomenon]


def judge(premise, hypothesis):
    """The label, given the truth of both in every situation there is."""
    cases = [h for p, h in zip(premise, hypothesis, strict=True) if p]
    assert cases, "the premise can never be true"
    return LABELS[0] if all(cases) else LABELS[2] if any(cases) else LABELS[1]


# --- readers of the text, one a phenomenon ------------------------------------------------

NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "twelve": 12, "twenty": 20,
}  # fmt: skip
BOUNDS = {
    "at least": lambda k, n: k >= n, "at most": lambda k, n: k <= n,
    "more than": lambda k, n: k > n, "fewer than": lambda k, n: k < n,
    "exactly": lambda k, n: k == n,
}  # fmt: skip


def counted(sentence):
    bound, number = re.search(rf"({'|'.join(BOUNDS)}) (\w+)", sentence).groups()
    return [BOUNDS[bound](k, NUMBERS[number]) for k in range(40)]


def ordered(sentence):
    """Which of the two deeds came first, in each of the two orders that there may be."""
    tokens = sentence.rstrip(".")
    for pattern, order in (
        (r"First (?P<who>\w+) (?P<a>.+), and then s?he (?P<b>.+)", 1),
        (r"(?P<who>\w+) (?P<a>.+) before s?he (?P<b>.+)", 1),
        (r"(?P<who>\w+) (?P<a>.+) after s?he (?P<b>.+)", -1),
        (r"(?P<who>\w+) (?P<a>.+) (?:on Monday|at noon) and (?P<b>.+) (?:on the|two days) .+", 1),
    ):
        match = re.fullmatch(pattern, tokens)
        if match:
            first, second = match["a"], match["b"]
            return (first, second) if order == 1 else (second, first)
    return None


SUPER = {
    **dict.fromkeys(["owl", "swan", "eagle", "heron", "duck", "hen"], "bird"),
    **dict.fromkeys(["dog", "cat", "rabbit", "hamster", "parrot"], "pet"),
    **dict.fromkeys(["goat", "donkey", "lamb", "pony"], "farm animal"),
    **dict.fromkeys(["fox", "otter", "badger", "hare"], "wild animal"),
    **dict.fromkeys(["pianist", "drummer", "fiddler"], "musician"),
    **dict.fromkeys(["bird", "pet"], "animal"), "musician": "artist",
    "farm animal": "animal", "wild animal": "animal",
}  # fmt: skip
QUANTIFIERS = (
    "all the|some of the|none of the|not all the|at least (?:one|two|three|four)|only one|no|every"
    "|each of the"
)


def singular(noun):
    return {"foxes": "fox", "ponies": "pony"}.get(noun, noun.removesuffix("s"))


def kinds_above(noun):
    found = {noun}
    while noun in SUPER:
        noun = SUPER[noun]
        found.add(noun)
    return found


def quantified(record):
    """Premise and hypothesis as (quantifier, noun, done how narrowly, denied), or None."""
    found = []
    for sentence in (record.premise, record.hypothesis):
        match = re.fullmatch(
            rf"({QUANTIFIERS}) (young )?((?:farm |wild )?\w+) (did not )?(\w+)(.*)\.",
            sentence,
            re.I,
        )
        if not match:
            return None
        how, young, noun, denied, _, rest = match.groups()
        found.append((how.lower(), bool(young), singular(noun), bool(denied), rest))
    (*_, one), (*_, other) = found
    narrow = [len(r.split()) for r in (one, other)]
    return [(*f[:4], n) for f, n in zip(found, narrow, strict=True)], max(narrow) != min(narrow)


def situations(nouns):
    """Small worlds: for each beast what it is and what it did (nothing, the deed, in that way)."""
    least = [n for n in nouns if not any(n in kinds_above(m) - {m} for m in nouns)]
    sorts = [frozenset(kinds_above(n)) for n in least]
    wider = sorted({s for n in nouns for s in kinds_above(n)}, key=len)
    sorts += [frozenset(kinds_above(n)) for n in wider]
    sorts = list(dict.fromkeys(sorts))[:3]
    for counts in product((1, 2), repeat=len(sorts)):
        beasts = [sort for sort, count in zip(sorts, counts, strict=True) for _ in range(count)]
        for deeds in product((0, 1, 2), repeat=len(beasts)):
            yield list(zip(beasts, deeds, strict=True))


def holds(claim, situation, level):
    how, _, noun, denied, _ = claim
    did = [(d >= level) != denied for sort, d in situation if noun in sort]
    if how.startswith("at least"):
        return sum(did) >= NUMBERS[how.split()[-1]]
    return {
        "all the": all(did), "every": all(did), "each of the": all(did), "some of the": any(did),
        "none of the": not any(did), "no": not any(did), "not all the": not all(did),
        "only one": sum(did) == 1,
    }[how]  # fmt: skip


# --- labels and splits ------------------------------------------------------------


def test_labels_are_balanced_in_every_phenomenon():
    labels = Counter(r.label for r in records()[:10_000])
    assert all(abs(labels[label] / 10_000 - 1 / 3) < 0.02 for label in LABELS)
    for phenomenon in PHENOMENA:
        found = Counter(r.label for r in of(phenomenon))
        assert max(found.values()) < 1.25 * min(found.values())


def test_no_pair_has_two_labels():
    found = {}
    for record in records() + unseen():
        pair = (record.premise, record.hypothesis)
        assert found.setdefault(pair, record.label) == record.label, record


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from(PHENOMENA))
def test_pairs_are_two_sentences_with_the_right_articles(seed, phenomenon):
    for record in islice(entailment(20, seed=seed, phenomenon=phenomenon), 20):
        assert record.premise != record.hypothesis
        for text in (record.premise, record.hypothesis):
            assert not re.search(" a [aeiou]| an [^aeiou]", text)


# --- labels -------------------------------------------------------------------------------


def test_numbers_are_labelled_as_counting_says():
    for record in of("number"):
        assert judge(counted(record.premise), counted(record.hypothesis)) == record.label, record


def test_orders_are_labelled_as_time_says():
    checked = 0
    for record in of("temporal"):
        told, asked = ordered(record.premise), ordered(record.hypothesis)
        if told and set(told) == set(asked):
            assert record.label == ("entailment" if told == asked else "contradiction"), record
            checked += 1
        else:
            assert record.label == "neutral", record
    assert checked > 500


def test_quantities_are_labelled_as_all_small_worlds_say():
    checked = 0
    for record in of("quantity")[:700]:
        claims, narrower = quantified(record) or (None, None)
        if not claims or "something" in record.premise or any(c[1] for c in claims):
            continue
        most = max(c[4] for c in claims)
        levels = [2 if narrower and c[4] == most else 1 for c in claims]
        worlds = list(situations([c[2] for c in claims]))
        truths = [[holds(c, w, n) for w in worlds] for c, n in zip(claims, levels, strict=True)]
        if any(truths[0]):
            assert judge(*truths) == record.label, record
            checked += 1
    assert checked > 300


def test_what_premises_say_of_people_is_true():
    people = {p.name: p for p in knowledge_base().people}
    checked = 0
    for record in of("background"):
        for name, job, place in re.findall(r"(\w+) is a[n]? (\w+)(?: in (\w+))?", record.premise):
            assert people[name].job == job
            assert place in ("", people[name].home, people[name].country)
            checked += 1
    assert checked > 1_000


def test_voices_are_labelled_as_the_roles_say():
    names = {p.name for p in knowledge_base().people}
    checked = 0
    for record in of("voice"):
        told, asked = roles(record.premise, names), roles(record.hypothesis, names)
        if told and asked:
            (pair, denied), (other, refused) = told, asked
            truth = "entailment" if denied == refused else "contradiction"
            assert record.label == (truth if pair == other else "neutral"), record
            checked += 1
    assert checked > 500


def roles(sentence, names):
    """((who, whom), denied) of a plain sentence about two people, or None."""
    said = [w for w in words(sentence) if w in names]
    if len(said) != 2 or "nobody" in sentence:
        return None
    passive = re.search(r"\bwas (not )?\w+ by\b", sentence)
    return tuple(said[::-1] if passive else said), " not " in sentence


# --- what gives nothing away --------------------------------------------------------------


def test_the_hypothesis_alone_is_at_chance():
    train = [(r.hypothesis, r.label) for r in records()]
    assert abs(accuracy(train, [(r.hypothesis, r.label) for r in unseen()]) - 1 / 3) < 0.04
    for phenomenon in PHENOMENA:
        ours = [(r.hypothesis, r.label) for r in of(phenomenon)]
        assert accuracy(ours[:1_300], ours[1_300:]) < 0.42, phenomenon


def test_words_of_both_sentences_are_far_from_enough():
    def told(records):
        return [(f"{r.premise} {r.hypothesis}", r.label) for r in records]

    assert accuracy(told(records()), told(unseen())) < 0.6


def test_hypotheses_of_all_labels_are_as_long():
    means = []
    for label in LABELS:
        sizes = [len(words(r.hypothesis)) for r in records() if r.label == label]
        means.append(sum(sizes) / len(sizes))
    assert max(means) - min(means) < 0.15


def test_there_are_many_skeletons():
    found = Counter(
        " ".join(w if len(w) < 6 and w.islower() else "_" for w in words(r.premise))
        for r in records()
    )
    assert sum(count >= 2 for count in found.values()) >= 200
