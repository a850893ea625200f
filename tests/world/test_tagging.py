"""Tagged sentences: legal tags, words that only context can tag, names of several types."""

from collections import Counter, defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.text import corpora as data
from llmcourse.world.engine.splits import split_of
from llmcourse.world.facts.records import knowledge_base
from llmcourse.world.tasks import tag_words
from llmcourse.world.tasks.tagging import BIO, ENTITIES, POS, Tagged, read, tagged
from tests.world import samples

NAMES = {person.name for person in knowledge_base().people}


@pytest.fixture(scope="module")
def train():
    return samples.train("tagged")


@pytest.fixture(scope="module")
def test():
    return samples.test("tagged")


def spans(bio):
    """(type, first token, last token) of each entity, read from its tags one by one."""
    found = []
    for i, tag in enumerate(bio):
        if tag.startswith("B-"):
            found.append([tag[2:], i, i])
        elif tag.startswith("I-"):
            found[-1][2] = i
    return [tuple(span) for span in found]


def legal(bio):
    pairs = pairwise(("O", *bio))
    return all(tag[0] != "I" or before[1:] == tag[1:] for before, tag in pairs)


# --- the stream ---------------------------------------------------------------------------


def test_a_sentence_is_tagged_by_hand():
    words = ["PER:Rose_Hill", "'s/PART", "walk/NOUN", "to", "LOC:the_Lorne"]
    assert [token for chunk in words for token in read(chunk)] == [
        ("Rose", "PROPN", "B-PER"), ("Hill", "PROPN", "I-PER"), ("'s", "PART", "O"),
        ("walk", "NOUN", "O"), ("to", "ADP", "O"), ("the", "DET", "B-LOC"),
        ("Lorne", "PROPN", "I-LOC"),
    ]  # fmt: skip


def test_a_word_without_a_tag_is_refused():
    with pytest.raises(ValueError, match="expected a tag after 'zebra'"):
        read("zebra")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from(["train", "test"]))
def test_every_sentence_is_well_formed(seed, split):
    for record in tagged(5, split=split, seed=seed):
        assert isinstance(record, Tagged)
        assert len(record.tokens) == len(record.pos) == len(record.bio) >= 4
        assert set(record.pos) <= set(POS)
        assert set(record.bio) <= set(BIO)
        assert legal(record.bio)
        assert all(last - first < 4 for _, first, last in spans(record.bio))
        assert tuple(data.words(record.text)) == record.tokens
        assert record.tokens[-1] in {".", "?", "!", '"'}
        assert next(c for c in record.text if c.isalpha()).isupper()
        assert split_of(record.text) == split


# --- labels, read again from the text -----------------------------------------------------

BEFORE_NOUN = {"the", "a", "an", "every"}
PRONOUNS = {"I", "he", "she", "it", "we", "they", "him", "them", "his", "her", "my", "your", "our"}
PRESENT = {"is", "are", "am"}


def test_tags_agree_with_what_grammar_says_of_the_neighbours(train):
    """Rules that no generator has written: what may not follow what, and words of one tag."""
    never_after_article = {"VERB", "AUX", "ADP", "PRON", "PUNCT", "PART", "SCONJ", "INTJ", "DET"}
    for record in train:
        rows = list(zip(record.tokens, record.pos, strict=True))
        for (word, tag), (after, tag_after) in pairwise(rows):
            here = f"{word}/{tag} {after}/{tag_after} in {record.text}"
            if word.lower() in BEFORE_NOUN:
                assert tag == "DET", here
                assert tag_after not in never_after_article, here
            if word in PRONOUNS:
                assert tag == "PRON", here
            if word == "to":
                assert (tag == "PART") == (tag_after == "VERB"), here
            if word in PRESENT or tag == "AUX":
                assert tag_after not in {"SCONJ", "INTJ"}, here
            if word in {"can", "may", "will", "must"} and after in PRONOUNS | {"not"}:
                assert tag == "AUX", here
            assert (tag == "PUNCT") == (not word[0].isalpha() and word != "'s"), here


def test_names_are_proper_nouns_and_only_names_are_capitalised(train):
    for record in train:
        start = next(i for i, word in enumerate(record.tokens) if word[0].isalpha())
        for i, (word, pos, bio) in enumerate(
            zip(record.tokens, record.pos, record.bio, strict=True)
        ):
            if i != start and record.tokens[i - 1] != '"' and word not in ("I", "Mr", "Mrs"):
                assert word[0].isupper() == (pos == "PROPN"), (word, record.text)
            if pos == "PROPN" and word not in ("Mr", "Mrs"):
                assert bio != "O", (word, record.text)


def test_every_sentence_has_a_verb_or_is_an_exclamation(train):
    for record in train:
        assert {"VERB", "AUX"} & set(record.pos) or record.tokens[0] == "What", record.text


# --- what makes it hard -------------------------------------------------------------------


def tags_of_words(records, tags):
    found = defaultdict(Counter)
    for record in records:
        for word, tag in zip(record.tokens, tags(record), strict=True):
            found[word][tag] += 1
    return found


def wrong_by_commonest_tag(train, test, tags, default):
    table = tags_of_words(train, tags)
    pairs = [pair for r in test for pair in zip(r.tokens, tags(r), strict=True)]
    guess = {word: counts.most_common(1)[0][0] for word, counts in table.items()}
    return sum(guess.get(word, default) != tag for word, tag in pairs) / len(pairs)


def windows(record, tags):
    padded = ("<s>", *record.tokens, "</s>")
    neighbours = zip(padded, record.tokens, padded[2:], strict=False)
    return zip(neighbours, tags(record), strict=True)


def wrong_by_neighbours(train, test, tags):
    """The commonest tag of a word between its two neighbours, else of the word."""
    seen, alone = defaultdict(Counter), tags_of_words(train, tags)
    for record in train:
        for window, tag in windows(record, tags):
            seen[window][tag] += 1
    wrong = total = 0
    for record in test:
        for window, tag in windows(record, tags):
            counts = seen.get(window) or alone.get(window[1]) or Counter(["NOUN"])
            wrong += counts.most_common(1)[0][0] != tag
            total += 1
    return wrong / total


def test_the_commonest_tag_of_a_word_is_wrong_for_one_token_in_twenty(train, test):
    assert 0.05 <= wrong_by_commonest_tag(train, test, lambda r: r.pos, "NOUN") <= 0.1
    assert 0.05 <= wrong_by_commonest_tag(train, test, lambda r: r.bio, "O") <= 0.2


def test_the_neighbours_of_a_word_tell_most_of_it(train, test):
    assert wrong_by_neighbours(train, test, lambda r: r.pos) <= 0.025
    assert wrong_by_neighbours(train, test, lambda r: r.bio) <= 0.07


def test_many_words_have_two_tags_by_context(train):
    table = tags_of_words(train, lambda r: r.pos)
    mixed = {
        word
        for word, counts in table.items()
        if len(counts) > 1 and sum(counts.values()) - max(counts.values()) >= 0.1 * counts.total()
    }
    assert len(mixed) >= 60
    assert {"watch", "book", "light", "saw", "that", "to", "park", "walk"} <= mixed


def test_one_name_is_of_several_types(train):
    types = defaultdict(set)
    for record in train:
        for kind, first, last in spans(record.bio):
            types[record.tokens[first : last + 1]].add(kind)
    assert types["Rose", "Hill"] == {"PER", "LOC"}
    assert types["Karn",] == {"PER", "LOC", "ORG"}
    assert {"PER", "DATE"} <= types["June",]
    assert sum(len(kinds) > 1 for kinds in types.values()) >= 100


def test_entities_have_one_to_four_words_of_every_type(train):
    sizes = defaultdict(Counter)
    for record in train:
        for kind, first, last in spans(record.bio):
            sizes[kind][last - first + 1] += 1
    assert set(sizes) == set(ENTITIES)
    assert {1, 2} <= set(sizes["PER"])
    assert {1, 2, 3} <= set(sizes["LOC"])
    assert {1, 2, 3, 4} <= set(sizes["ORG"])
    assert {1, 2, 4} <= set(sizes["DATE"])
    assert min(counts.total() for counts in sizes.values()) >= 2_000


def test_entities_touch_each_other_of_the_same_type_and_of_another(train):
    touching = Counter(
        "same" if one[0] == other[0] else "other"
        for record in train
        for one, other in pairwise(spans(record.bio))
        if one[2] + 1 == other[1]
    )
    assert touching["same"] >= 200
    assert touching["other"] >= 200


def test_tagging_each_word_alone_breaks_the_rules_of_bio(train, test):
    """What a CRF is for: the commonest tag of each word often starts an entity in its middle."""
    table = tags_of_words(train, lambda r: r.bio)
    guess = {word: counts.most_common(1)[0][0] for word, counts in table.items()}
    illegal = sum(not legal([guess.get(word, "O") for word in r.tokens]) for r in test)
    assert illegal >= 0.1 * len(test)


def skeleton(record):
    masks = {"PROPN": "N", "NOUN": "n", "ADJ": "a", "NUM": "1"}
    rows = zip(record.tokens, record.pos, strict=True)
    return " ".join(masks.get(tag, word.lower()) for word, tag in rows)


def test_sentences_vary(train):
    counts = Counter(skeleton(record) for record in train)
    assert len(counts) >= 1_000
    assert counts.most_common(1)[0][1] <= 0.02 * len(train)


# --- what may not be said -----------------------------------------------------------------


def test_the_people_of_the_world_get_no_other_life(train):
    """Only guests live or work somewhere; a full name is never that of somebody known."""
    for record in train:
        text = record.text
        for kind, first, last in spans(record.bio):
            if kind == "PER" and record.tokens[first] in NAMES:
                assert first == last, text
                after = record.tokens[last + 1 : last + 3]
                assert after not in {("works", "for"), ("plays", "for"), (",", "who")}, text


def test_each_listed_word_is_listed_once_and_used_with_its_tag(train):
    listed = [word for words in tag_words.TAGS.values() for word in words.split()]
    assert len(listed) == len(set(listed))
    used = {
        (word.lower(), tag)
        for record in train
        for word, tag in zip(record.tokens, record.pos, strict=True)
    }
    for tag, words in tag_words.TAGS.items():
        assert {(word.lower(), tag) for word in words.split()} <= used, tag
