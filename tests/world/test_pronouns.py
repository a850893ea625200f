"""Coreference: two candidates, one word that decides, and nothing else that gives it away."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.text import corpora as data
from llmcourse.world.engine.splits import split_of
from llmcourse.world.facts import knowledge
from llmcourse.world.facts.records import knowledge_base
from llmcourse.world.tasks.pronouns import CUES, SCHEMAS, Coreference, coreference
from tests import bag_of_words
from tests.world import samples

GENDERS = {person.name: person.gender for person in knowledge_base().people}
PLURALS = {many for one, many in (*knowledge.THINGS, *knowledge.ANIMALS) if one != many}
FEMALE = {"girl", "woman", "queen", "waitress", "duchess", "actress"}


@pytest.fixture(scope="module")
def train():
    return samples.train("coreference")


@pytest.fixture(scope="module")
def test():
    return samples.test("coreference")


# --- the stream ---------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from(["train", "test"]))
def test_every_record_points_at_candidates_and_pronoun(seed, split):
    for record in coreference(5, split=split, seed=seed):
        assert isinstance(record, Coreference)
        assert record.tokens[record.pronoun] in {"he", "she", "it", "they"}
        (start, end), (other, last) = record.candidates
        assert 0 <= start <= end < other <= last < record.pronoun
        for name in record.names:
            assert name in GENDERS or re.fullmatch(r"[Tt]he (old )?[a-z]+", name)
        assert record.cue in CUES
        assert tuple(data.words(record.text)) == record.tokens
        assert record.text[0].isupper()
        assert record.text[-1] == "."


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from(["train", "test"]))
def test_one_word_turns_a_sentence_into_its_twin_with_the_other_answer(seed, split):
    for record in coreference(5, split=split, seed=seed):
        twin = record.twin
        differ = [
            i
            for i, (one, other) in enumerate(zip(record.tokens, twin.tokens, strict=True))
            if one != other
        ]
        assert differ == [record.changed]
        assert twin.answer == 1 - record.answer
        assert twin.twin == record
        assert (record.changed == record.pronoun) == (record.cue != "meaning")
        assert split_of(record.text) == split_of(twin.text) == split


# --- the answer, found again from the text -------------------------------------------------


def is_woman(name):
    return GENDERS.get(name) == "woman" or name.split()[-1] in FEMALE


def test_gender_and_number_agree_with_the_answer_and_with_no_other(train, test):
    for record in (*train, *test):
        pronoun = record.tokens[record.pronoun]
        if record.cue == "gender":
            fits = [is_woman(name) == (pronoun == "she") for name in record.names]
        elif record.cue == "number":
            fits = [(name.split()[-1] in PLURALS) == (pronoun == "they") for name in record.names]
        else:
            continue
        assert fits == [record.answer == 0, record.answer == 1], record.text


def test_by_meaning_both_candidates_agree_with_the_pronoun(train):
    for record in train:
        if record.cue == "meaning":
            pronoun = record.tokens[record.pronoun]
            named = [name for name in record.names if name in GENDERS]
            assert len(named) in (0, 2)
            assert all(is_woman(name) == (pronoun == "she") for name in named)
            assert not any(name.split()[-1] in PLURALS for name in record.names)


# who acts on whom in some sentences, and the words that speak of the one who acts
ACTIVE = (
    (r"(.+) could not carry (.+) (?:because|since|as)", {"weak"}, {"heavy"}),
    (r"(.+) did not fit into (.+) (?:because|since|as)", {"big", "wide"}, {"small", "narrow"}),
    (r"(.+) thanked (.+) (?:because|since|as)", {"received"}, {"given"}),
    (r"(.+) comforted (.+) (?:because|since|as)", {"kind", "gentle"}, {"sad", "upset"}),
    (r"(.+) chased (.+?) (?:round|over)", {"hungry"}, {"fat"}),
    (r"(.+) ran away from (.+) (?:because|since|as)", {"timid"}, {"fierce"}),
    (r"(.+) lent (.+) some money", {"rich"}, {"poor"}),
    (r"(.+) could not hear (.+) (?:because|since|as)", {"deaf"}, {"quiet"}),
)
PASSIVE = (
    (r"(.+) could not be carried by (.+) (?:because|since|as)", {"heavy"}, {"weak"}),
    (r"(.+) could not hold (.+) (?:because|since|as)", {"small", "narrow"}, {"big", "wide"}),
    (r"(.+) was thanked by (.+) (?:because|since|as)", {"given"}, {"received"}),
    (r"(.+) was comforted by (.+) (?:because|since|as)", {"sad", "upset"}, {"kind", "gentle"}),
    (r"(.+) was chased by (.+?) (?:round|over)", {"fat"}, {"hungry"}),
    (r"(.+) drove (.+) away", {"fierce"}, {"timid"}),
    (r"(.+) borrowed some money from (.+) (?:because|since|as)", {"poor"}, {"rich"}),
    (r"(.+) could not be heard by (.+) (?:because|since|as)", {"quiet"}, {"deaf"}),
)


def test_a_reader_with_rules_finds_the_answer_by_meaning(train, test):
    read = Counter()
    for record in (*train, *test):
        word = record.tokens[record.changed]
        for pattern, of_first, of_second in (*PASSIVE, *ACTIVE):
            if re.match(pattern, record.text) and word in of_first | of_second:
                assert record.answer == (word in of_second), record.text
                read[pattern] += 1
                break
    assert len(read) == len(ACTIVE) + len(PASSIVE)
    assert min(read.values()) >= 20


# --- what must not give it away -----------------------------------------------------------


@pytest.mark.parametrize("cue", CUES)
def test_order_and_words_leave_the_answer_at_chance(train, test, cue):
    of_cue = [[record for record in part if record.cue == cue] for part in (train, test)]
    for part in of_cue:
        assert abs(sum(record.answer for record in part) / len(part) - 0.5) <= 0.04
    texts = [[(record.text, record.answer) for record in part] for part in of_cue]
    assert bag_of_words.accuracy(*texts) <= 0.56


def test_the_answer_is_balanced(train):
    assert abs(sum(record.answer for record in train[:10_000]) / 10_000 - 0.5) <= 0.02
    shares = Counter(record.cue for record in train)
    assert shares["meaning"] >= 0.6 * len(train)
    assert min(shares.values()) >= 0.12 * len(train)


def test_the_word_that_decides_says_first_as_often_as_second(train):
    told = Counter(
        (record.tokens[record.changed], record.answer)
        for record in train
        if record.cue == "meaning"
    )
    for word in {word for word, _ in told}:
        first, second = told[word, 0], told[word, 1]
        assert abs(first - second) <= 4 * (first + second) ** 0.5, word


def test_neither_the_length_nor_the_distance_tells(train):
    """The mean length of the sentence, and of the way to the pronoun, is the same for both."""
    for measure in (
        lambda record: len(record.tokens),
        lambda record: record.pronoun - record.candidates[1][1],
        lambda record: record.candidates[1][0] - record.candidates[0][1],
    ):
        means = []
        for answer in (0, 1):
            values = [measure(record) for record in train if record.answer == answer]
            means.append(sum(values) / len(values))
        assert abs(means[0] - means[1]) <= 0.1


def skeleton(record):
    """The sentence without its candidates, other people, animals and foods."""
    nouns = {*knowledge.JOBS, *(w for row in (*knowledge.ANIMALS, *knowledge.FOODS) for w in row)}
    inside = {i for start, end in record.candidates for i in range(start, end + 1)}
    return " ".join(
        "n" if i in inside or word in nouns else word.lower()
        for i, word in enumerate(record.tokens)
    )


def test_sentences_vary(train):
    counts = Counter(skeleton(record) for record in train)
    assert len(counts) >= 1_000
    assert counts.most_common(1)[0][1] <= 0.01 * len(train)
    assert sum(text.count("\n\n") + 1 for text in SCHEMAS.values()) >= 60


def test_articles_fit_the_next_word(train, test):
    for record in (*train, *test):
        for text in (record.text, record.twin.text):
            assert not re.search(r"\b[Aa] [aeiou]", text), text
