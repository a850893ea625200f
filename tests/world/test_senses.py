"""Word senses: two a word, equally frequent, told by the sentence and not by the neighbours."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.text import corpora as data
from llmcourse.world.engine.splits import split_of
from llmcourse.world.facts import knowledge
from llmcourse.world.story.story_rules import vocabulary
from llmcourse.world.tasks.senses import SENSES_OF, Sense, word_senses
from tests import bag_of_words
from tests.world import samples


@pytest.fixture(scope="module")
def train():
    return samples.train("word_senses")


@pytest.fixture(scope="module")
def test():
    return samples.test("word_senses")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from(["train", "test"]))
def test_every_record_points_at_its_word(seed, split):
    for record in word_senses(5, split=split, seed=seed):
        assert isinstance(record, Sense)
        assert record.tokens[record.index].lower() == record.word
        assert record.sense in SENSES_OF[record.word]
        assert tuple(data.words(record.text)) == record.tokens
        assert record.text[0].isupper()
        assert record.text[-1] == "."
        assert split_of(record.text) == split


def test_the_words_are_those_of_the_stories(train):
    known = {word.lower() for word in vocabulary()}
    words = [token.lower() for record in train for token in record.tokens]
    assert sum(word in known for word in words) >= 0.94 * len(words)


def test_all_sixteen_senses_are_equally_frequent(train):
    counts = Counter((record.word, record.sense) for record in train[:10_000])
    assert len(counts) == 16
    for word, (one, other) in SENSES_OF.items():
        total = counts[word, one] + counts[word, other]
        assert abs(counts[word, one] / total - 0.5) <= 0.05
        assert abs(total / 10_000 - 1 / 8) <= 0.02


# --- the label, read again from words that only one sense goes with ------------------------

WITNESSES = {
    ("bank", "river"): "river water ducks swans otters boat boats bridge flood",
    ("bank", "money"): "clerk coins money gold guard rent tax price",
    ("bark", "tree"): "tree oak branch branches trunk",
    ("bark", "dog"): "dog dogs",
    ("bat", "animal"): "wing wings flew flown slept flies asleep hung owls ear foot",
    ("bat", "club"): "ball game contest team players wood",
    ("letter", "mail"): "mail envelope stamp news friend stranger mayor sent come",
    ("letter", "alphabet"): "alphabet word name class pupils spelled",
    ("match", "fire"): "stove oven candle candles lamp lamps lantern smoke wood fire dark",
    ("match", "game"): "team players player crowd game",
    ("palm", "tree"): "leaves branches trees grew stood roots trunk planted",
    ("palm", "hand"): "fingers finger glove thumb hand",
    ("seal", "animal"): "beach swam mother fish sea water sailors waves",
    ("seal", "stamp"): "wax envelope letter paper name",
    ("spring", "season"): "winter snow ice trees roses flowers meadows days birds summer",
    ("spring", "water"): "well water horses goats donkeys rock ground path river stream bottles "
    "buckets",
}


def test_the_rest_of_the_sentence_holds_a_witness_of_its_sense_alone(train, test):
    for record in (*train, *test):
        rest = {token.lower() for token in record.tokens}
        told = [
            sense
            for sense in SENSES_OF[record.word]
            if rest & set(WITNESSES[record.word, sense].split())
        ]
        assert record.sense in told, record.text
        if record.word not in ("letter", "match", "bark"):  # words of both: name, wood, oak tree
            assert told == [record.sense], record.text


# --- what must not give it away, and what must --------------------------------------------


def told_by(train, test, text_of):
    """The share of senses that naive Bayes over `text_of` finds, word by word."""
    right = 0.0
    for word in SENSES_OF:
        sets = [[(text_of(r), r.sense) for r in part if r.word == word] for part in (train, test)]
        right += bag_of_words.accuracy(*sets) * len(sets[1])
    return right / len(test)


def neighbours(record):
    tokens = ("begin", *record.tokens, "end")
    return f"{tokens[record.index]} {tokens[record.index + 2]}"


def test_the_neighbours_say_nothing(train, test):
    assert told_by(train, test, neighbours) <= 0.56


def test_the_sentence_says_it_all(train, test):
    assert told_by(train, test, lambda record: record.text) >= 0.97


def test_no_neighbour_is_unique_to_a_sense(train):
    seen = Counter()
    for record in train:
        for word in data.words(neighbours(record)):
            seen[record.word, word, record.sense] += 1
    for word, senses in SENSES_OF.items():
        for neighbour in {key[1] for key in seen if key[0] == word}:
            counts = [seen[word, neighbour, sense] for sense in senses]
            assert sum(counts) < 40 or min(counts) >= 0.2 * sum(counts), (word, neighbour, counts)


def skeleton(record):
    names = {
        *knowledge.WOMEN,
        *knowledge.MEN,
        *(town for row in knowledge.COUNTRIES for town in row),
    }
    return " ".join("N" if token in names else token.lower() for token in record.tokens)


def test_sentences_vary(train):
    counts = Counter(skeleton(record) for record in train)
    assert len(counts) >= 2_000
    assert counts.most_common(1)[0][1] <= 0.01 * len(train)


def test_articles_fit_the_next_word(train, test):
    for record in (*train, *test):
        assert not re.search(r"\ba [aeiou]", record.text), record.text
