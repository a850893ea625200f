"""Transcripts that sound alike: language settles them, the ear and word counts do not."""

import math
from collections import Counter
from itertools import pairwise

from llmcourse import world
from llmcourse.world.story.transcripts import HOMOPHONES


def test_transcripts_differ_in_one_word_that_sounds_the_same():
    alike = {frozenset((a, b)) for group in HOMOPHONES for a in group for b in group if a != b}
    pairs = world.transcript_pairs(300, seed=4)
    assert pairs == world.transcript_pairs(300, seed=4)
    assert len(pairs) == 300
    for pair in pairs:
        one, two = pair.texts
        assert len(one) == len(two)
        (places,) = [[i for i in range(len(one)) if one[i] != two[i]]]
        assert len(places) == 1
        assert frozenset((one[places[0]], two[places[0]])) in alike
        assert abs(pair.acoustic_logps[0] - pair.acoustic_logps[1]) <= 1
    misled = sum(p.acoustic_logps[p.right] < p.acoustic_logps[1 - p.right] for p in pairs)
    assert 100 < misled < 200
    assert 100 < sum(p.right for p in pairs) < 200


def test_all_homophones_occur_in_stories():
    seen = Counter(t for story in world.stories(tokens=300_000, seed=2) for t in story.tokens)
    rare = {word for group in HOMOPHONES for word in group if seen[word] < 5}
    assert not rare


def test_bigrams_settle_transcripts_and_unigrams_do_not():
    tokens = [t for story in world.stories(tokens=200_000, seed=11) for t in story.tokens]
    ones, twos = Counter(tokens), Counter(pairwise(tokens))
    size = len(world.vocabulary())

    def unigram(text):
        return sum(math.log((ones[w] + 0.1) / (len(tokens) + 0.1 * size)) for w in text)

    def bigram(text):
        steps = zip((".", *text), text, strict=False)
        return sum(math.log((twos[a, b] + 0.1) / (ones[a] + 0.1 * size)) for a, b in steps)

    def accuracy(score):
        pairs = [p for seed in range(3) for p in world.transcript_pairs(200, seed=seed)]
        right = 0
        for pair in pairs:
            both = [score(t) + a for t, a in zip(pair.texts, pair.acoustic_logps, strict=True)]
            right += both[pair.right] > both[1 - pair.right]
        return right / len(pairs)

    assert accuracy(bigram) >= 0.95
    assert accuracy(unigram) < 0.65
