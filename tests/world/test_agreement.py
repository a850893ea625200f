"""Agreement: the distance asked for, and nothing in between that tells the number."""

import math
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse import world
from llmcourse.world.engine import grammar
from llmcourse.world.story import agreement


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(agreement.DISTANCES)), st.integers(0, 10**6))
def test_agreement_pairs_are_balanced_and_keep_their_distance(distance, seed):
    singular = {one for one, _ in agreement.SUBJECTS}
    pairs = world.agreement_pairs(8, distance, seed=seed)
    for pair in pairs:
        assert len(pair.prefix) == distance + 2
        assert pair.distance == distance
        assert pair.right == ("was" if pair.prefix[1] in singular else "were")
        assert {pair.right, pair.wrong} == {"was", "were"}
    for one, two in zip(pairs[::2], pairs[1::2], strict=True):
        assert one.prefix[2:] == two.prefix[2:]
        assert one.right == two.wrong


def test_the_last_noun_before_the_verb_misleads_half_of_the_time():
    nouns = {}
    for pairs in (agreement.PLACES, agreement.PEOPLE, agreement.COVERS):
        nouns |= {one: "was" for one, _ in pairs} | {many: "were" for _, many in pairs}
    for distance in range(2, 13):
        last = [
            (next(nouns[w] for w in reversed(pair.prefix) if w in nouns), pair.right)
            for pair in world.agreement_pairs(80, distance)
        ]
        assert sum(noun != verb for noun, verb in last) == 40


def test_stories_hold_agreement_sentences_at_every_distance():
    found = Counter()
    subjects = {word for pair in agreement.SUBJECTS for word in pair}
    for story in world.stories(tokens=150_000):
        start = None
        for i, token in enumerate(story.tokens):
            if token in subjects and story.tokens[i - 1] == "The":
                start = i
            elif token in ("was", "were") and start is not None:
                found[i - start - 1] += 1
                start = None
            elif token == ".":
                start = None
    assert set(agreement.DISTANCES) <= set(found)


def test_agreement_sentences_are_possible_in_stories():
    parts = grammar.Rules(agreement.agreement_rules(), {})
    for distance in agreement.DISTANCES:
        for pair in world.agreement_pairs(4, distance):
            assert grammar.forward(parts, (*pair.prefix, pair.right), "seen")[-1] > -math.inf
            assert grammar.forward(parts, (*pair.prefix, pair.wrong), "seen")[-1] == -math.inf
