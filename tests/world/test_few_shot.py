"""Few-shot episodes: the shots settle the answer, and nothing else tells it."""

import math
import re
from collections import Counter, defaultdict
from functools import cache
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.text.corpora import words
from llmcourse.world.facts import knowledge
from llmcourse.world.tasks.few_shot import FEATURES, LABELS, episodes
from tests.world import samples

SEEDS = st.integers(0, 10**6)
SPLITS = st.sampled_from(("train", "test"))
MAIN_LABELS = 8

# --- a reader of features, apart from the generator -------------------------------------------

COUNTED = words("two three four five six seven eight nine ten eleven twelve some many several")
GOOD = words("lovely splendid fine wonderful nice great")
BAD = words("horrible awful nasty terrible dreadful miserable")
IRREGULAR = words("saw drew found wrote sang thought")
TABLES = {
    "animal": knowledge.ANIMALS,
    "food": knowledge.FOODS,
    "thing": knowledge.THINGS,
    "worker": [(job, job + "s") for job in knowledge.JOBS],
}
KIND = {noun: kind for kind, table in TABLES.items() for pair in table for noun in pair}
HINTS = {
    "when": {
        "morning": "sunrise|morning|breakfast|early in", "noon": "noon|lunch|middle of the day",
        "evening": "sunset|evening|supper|late in", "night": "midnight|late at night|bed|moon|star",
    },
    "where": {
        "water": "the river|the lake|the beach|the sea|the boat|the harbour",
        "town": "the market|the station|the street|the square|the bus|the shop",
        "house": "the kitchen|at home|the stairs|the hall|the fire|the table",
        "wild": "the forest|the hill|the desert|the mountain|the snow|the cave",
    },
}  # fmt: skip


def hinted(feature, text):
    found = [name for name, hint in HINTS[feature].items() if re.search(rf"(?i)\b({hint})", text)]
    assert len(found) <= 1, text
    return found[0] if found else None


def features(text):
    """The class of every feature of a sentence; None where it says nothing of the kind."""
    tokens = words(text)
    names = [t for t in tokens if t in knowledge.WOMEN or t in knowledge.MEN]
    verb = tokens[tokens.index(names[-1]) + 1]
    at = next(i for i, t in enumerate(tokens) if t in ("a", "an", *COUNTED))
    noun = next(i for i in range(at + 1, len(tokens)) if is_object(tokens, i))
    looks = tokens[at + 1 : noun]
    past = verb in IRREGULAR or verb.endswith("ed")
    return {
        "who": "two people" if len(names) > 1 else
               "woman" if names[0] in knowledge.WOMEN else "man",
        "tense": "future" if verb == "will" else "past" if past else "present",
        "kind": KIND.get(tokens[noun], "building"),
        "number": "many" if tokens[at] in COUNTED else "one",
        "quality": next((("good", "bad")[t in BAD] for t in looks if t in GOOD + BAD), None),
        "colour": next((t for t in looks if t in knowledge.COLOURS), None),
        "when": hinted("when", text), "where": hinted("where", text),
    }  # fmt: skip


def is_object(tokens, at):
    """Whether the noun stands here: "orange" is one only if no noun follows."""
    if tokens[at] in knowledge.COLOURS:
        return at + 1 == len(tokens) or tokens[at + 1] not in KIND
    return tokens[at] not in GOOD + BAD


def explanations(episode):
    """What each feature that explains all shots would answer, if its class was shown."""
    shown = [(features(text), label) for text, label in episode.shots]
    query = features(episode.query)
    for feature in FEATURES:
        rule = defaultdict(set)
        for values, label in shown:
            rule[values[feature]].add(label)
        labels = [found for found in rule.values() if len(found) == 1]
        if len(labels) == len(rule) and query[feature] in rule:
            yield feature, rule[query[feature]].copy().pop()


@cache
def sample(split="train", shots=4, classes=2):
    if (shots, classes) == (4, 2):
        return {"train": samples.train, "test": samples.test}[split]("episodes")
    return list(episodes(5_000, shots=shots, classes=classes, split=split))


# --- the shots settle the answer --------------------------------------------------------------


@pytest.mark.parametrize(("shots", "classes"), [(2, 2), (4, 2), (3, 3), (4, 4), (9, 4)])
def test_every_feature_that_explains_the_shots_gives_the_same_answer(shots, classes):
    for episode in islice(episodes(600, shots=shots, classes=classes), 600):
        found = dict(explanations(episode))
        assert found.get(episode.feature) == episode.answer, episode
        assert set(found.values()) == {episode.answer}, episode


def test_labels_are_those_of_the_mapping():
    for episode in sample("train")[:1_500] + sample("test")[:500]:
        mapping = dict(episode.mapping)
        for text, label in (*episode.shots, (episode.query, episode.answer)):
            assert mapping[features(text)[episode.feature]] == label


@settings(max_examples=40)
@given(SEEDS, SPLITS, st.integers(0, 12), st.integers(2, 4))
def test_shots_are_spread_over_the_classes_and_never_repeat(seed, split, shots, classes):
    for episode in episodes(3, shots=shots, classes=classes, split=split, seed=seed):
        assert len(episode.shots) == shots
        counts = Counter(label for _, label in episode.shots)
        spread = [counts[label] for _, label in episode.mapping]
        assert len(spread) == classes == len({label for _, label in episode.mapping})
        assert max(spread) - min(spread) <= 1
        assert sum(spread) == shots
        assert episode.answer in dict(episode.mapping).values()
        texts = [text for text, _ in episode.shots]
        assert len({*texts, episode.query}) == shots + 1


# --- nothing else tells it --------------------------------------------------------------------


def bayes(texts, labels):
    """A naive Bayes classifier over words."""
    seen, prior = defaultdict(Counter), Counter(labels)
    for text, label in zip(texts, labels, strict=True):
        seen[label].update(words(text))
    size = {label: sum(counts.values()) for label, counts in seen.items()}

    def guess(text, among):
        def score(label):
            return math.log(prior[label]) + sum(
                math.log((seen[label][w] + 0.5) / (size[label] + 500)) for w in words(text)
            )

        return max(among, key=score)

    return guess


def test_the_query_alone_is_at_chance():
    found = list(episodes(24_000, shots=0))
    fit, held = found[:20_000], found[20_000:]
    guess = bayes([e.query for e in fit], [e.answer for e in fit])
    free = sum(guess(e.query, LABELS) == e.answer for e in held) / len(held)
    assert abs(free - 1 / MAIN_LABELS) < 0.025
    told = [sorted(label for _, label in e.mapping) for e in held]
    of_two = sum(guess(e.query, two) == e.answer for e, two in zip(held, told, strict=True))
    assert abs(of_two / len(held) - 0.5) < 0.035


def test_every_class_gets_every_label_as_often():
    given_labels = defaultdict(Counter)
    for episode in episodes(10_000, shots=0):
        for name, label in episode.mapping:
            given_labels[episode.feature, name][label] += 1
    assert {len(counts) for counts in given_labels.values()} == {MAIN_LABELS}
    answers = Counter(episode.answer for episode in episodes(10_000, shots=0))
    assert all(abs(answers[label] / 10_000 - 1 / MAIN_LABELS) < 0.02 for label in LABELS)
    assert set(LABELS) == set(answers)


def test_no_place_among_the_shots_favours_the_answer():
    for place in range(4):
        same = [e.shots[place][1] == e.answer for e in sample("train")]
        assert abs(sum(same) / len(same) - 0.5) < 0.03
    many = sample("train", shots=5)
    usual = [Counter(label for _, label in e.shots).most_common(1)[0][0] for e in many]
    right = sum(guess == e.answer for guess, e in zip(usual, many, strict=True))
    assert abs(right / len(many) - 0.5) < 0.03


def from_the_words_of_the_shots(episode):
    """What naive Bayes answers when it has learned from the shots alone."""
    texts, labels = zip(*episode.shots, strict=True)
    return bayes(texts, labels)(episode.query, sorted(set(labels)))


def test_counting_the_words_of_more_shots_helps_and_stays_short_of_right():
    reached = []
    for shots in (2, 8, 32):
        found = list(episodes(1_500, shots=shots))
        reached.append(sum(from_the_words_of_the_shots(e) == e.answer for e in found) / 1_500)
    assert reached == sorted(reached)
    assert 0.5 < reached[0] < reached[-1] < 0.9


# --- variety, splits, stream ------------------------------------------------------------------


def test_features_are_as_likely_and_all_classes_met():
    counts = Counter(e.feature for e in episodes(8_000, shots=0))
    assert set(counts) == set(FEATURES)
    assert all(0.105 < count / 8_000 < 0.145 for count in counts.values())
    met = defaultdict(set)
    for e in sample("train", shots=4, classes=2):
        met[e.feature] |= {name for name, _ in e.mapping}
    assert all(met[feature] == set(FEATURES[feature]) for feature in FEATURES)
    four = {e.feature for e in episodes(500, shots=0, classes=4)}
    assert four == {"kind", "where", "when", "colour"}


def test_sentences_are_built_in_many_ways():
    masks = dict.fromkeys((*knowledge.WOMEN, *knowledge.MEN), "P") | dict.fromkeys(KIND, "N")
    masks |= dict.fromkeys((*GOOD, *BAD, *knowledge.COLOURS), "A") | dict.fromkeys(COUNTED, "7")
    shots = [text for e in sample("train") for text, _ in e.shots]
    built = {" ".join(masks.get(word, word) for word in words(text)) for text in shots}
    assert len(built) > 500


def texts(found):
    return {text for e in found for text in (*(shot for shot, _ in e.shots), e.query)}


def test_hardly_any_sentence_comes_twice():
    assert len(texts(sample("train"))) > 20_000
    assert len(texts(sample("test"))) > 5_000


def test_sentences_have_the_right_article():
    for text in texts(sample("train")[:1_000]) | texts(sample("test")[:300]):
        assert not re.search(r"\b[Aa] [aeiou]|\b[Aa]n [^aeiou]", text)
