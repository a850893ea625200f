"""Stories: exact, as long as asked for, true to the facts, and rich."""

import math
from collections import Counter
from itertools import islice, pairwise

import pytest

from llmcourse import world
from llmcourse.models import ngram
from llmcourse.text import corpora as data
from llmcourse.world.engine.text_files import sections
from llmcourse.world.facts import knowledge
from llmcourse.world.facts.records import knowledge_base
from llmcourse.world.story import story_rules
from llmcourse.world.tasks.senses import SENSES_OF

# Each word of two senses with beginnings of text that hold to one of them.
SENSES = {
    "bank": ("opposite bank", "The bank in"),
    "bark": ("bark of the oak", "bark of a dog"),
    "bat": ("A bat hung", "A bat and"),
    "letter": ("Which letter comes", "a letter from"),
    "match": ("struck a match", "match of chess"),
    "palm": ("under a palm", "the palm of"),
    "seal": ("seal of wax", "seal on the beach"),
    "spring": ("A spring behind", "One spring", "tiny spring was"),
}


def test_stories_stop_at_the_tokens_asked_for():
    stories = list(world.stories(tokens=10_000))
    sizes = [len(story.tokens) for story in stories]
    assert sum(sizes) >= 10_000 > sum(sizes[:-1])
    assert len(list(world.stories(3, tokens=10_000))) == 3


def test_vocabulary_is_exactly_what_stories_can_say():
    words = world.vocabulary()
    assert list(words) == sorted(set(words))
    assert world.END in words
    assert "" not in words
    seen = {token for story in world.stories(tokens=400_000, seed=3) for token in story.tokens}
    assert seen <= set(words)
    assert len(seen) > 0.97 * len(words)


def test_impossible_tokens_score_minus_infinity_from_there_on():
    (story,) = world.stories(1, seed=5)
    wrong = [*story.tokens[:6], "anchors", *story.tokens[7:9]]
    logps = world.story_log_prob(wrong)
    assert logps[:6] == pytest.approx(story.logps[:6])
    assert set(logps[6:]) == {-math.inf}
    assert world.story_log_prob([]) == ()


def test_next_probs_is_the_distribution_the_story_was_drawn_from():
    (story,) = world.stories(1, seed=6)
    for i in range(0, 40, 5):
        probs = world.next_probs(story.tokens[:i])
        assert math.isclose(math.fsum(probs.values()), 1, abs_tol=1e-12)
        assert math.isclose(math.log(probs[story.tokens[i]]), story.logps[i], abs_tol=1e-9)
    assert world.next_probs(story.tokens) == {}


def test_text_reads_as_tokens_and_back():
    for story in world.stories(300, seed=7):
        assert tuple(data.words(story.text)) == story.tokens[:-1]
        assert "  " not in story.text
        assert " ." not in story.text
        assert story.text.count('"') % 2 == 0
        assert story.text[0].isupper()
        assert story.text[-1] in '.!?"'


def test_articles_fit_the_next_word():
    for story in world.stories(600, seed=8):
        for article, word in zip(story.tokens, story.tokens[1:], strict=False):
            if article in ("a", "an", "A", "An"):
                assert (article.lower() == "an") == (word[0] in "aeiou" or word == "hour")


def test_word_frequencies_are_far_from_uniform():
    counts = Counter(t for story in world.stories(tokens=100_000) for t in story.tokens)
    total = sum(counts.values())
    entropy = -sum(c / total * math.log2(c / total) for c in counts.values())
    assert entropy < math.log2(len(world.vocabulary())) - 1.5
    assert sum(c for _, c in counts.most_common(20)) > 0.3 * total


def test_floor_is_below_the_unigram_entropy_and_steady():
    one = world.entropy_rate(world.stories(1500, seed=1))
    two = world.entropy_rate(world.stories(1500, seed=2))
    assert 0 < one.bits_per_token < 3
    assert one.bits_per_char < one.bits_per_token
    spread = math.hypot(one.token_error, two.token_error)
    assert abs(one.bits_per_token - two.bits_per_token) < 5 * spread < 0.1


def test_entropy_rate_by_hand():
    half, quarter = math.log(0.5), math.log(0.25)
    stories = [
        world.Story(("a", world.END), (half, half)),
        world.Story(("a", "b", world.END), (half, quarter, half)),
    ]
    rate = world.entropy_rate(stories)
    assert rate.bits_per_token == pytest.approx(6 / 5)
    assert rate.bits_per_char == pytest.approx(6 / (2 + 4))
    assert (rate.documents, rate.tokens) == (2, 5)
    residuals = [2 - 1.2 * 2, 4 - 1.2 * 3]
    assert rate.token_error == pytest.approx(
        math.sqrt(sum(r * r for r in residuals) / 1 / 2) / (5 / 2)
    )
    with pytest.raises(ValueError, match="2 or more stories"):
        world.entropy_rate(stories[:1])


def test_streams_need_no_limit():
    assert len(list(islice(world.stories(), 5))) == 5


@pytest.mark.parametrize("size", [0, -3])
def test_a_size_in_tokens_below_one_is_refused(size):
    with pytest.raises(ValueError, match=f"expected tokens of 1 or more, got {size}"):
        world.stories(tokens=size)


# --- how rich the stories are -------------------------------------------------------------

MANY = 400_000  # tokens


@pytest.fixture(scope="module")
def many():
    return list(world.stories(tokens=MANY, seed=21))


def _slots():
    """Names, things, numbers and other words that a slot holds, each with its kind."""
    kinds = dict.fromkeys([*knowledge.WOMEN, *knowledge.MEN, *knowledge.PET_NAMES], "NAME")
    for country in knowledge.COUNTRIES:
        kinds |= dict.fromkeys(country, "PLACE") | {country[4]: "COINS"}
    for kind, rows in (("THING", knowledge.THINGS), ("FOOD", knowledge.FOODS)):
        kinds |= {form: kind for row in rows for form in row}
    kinds |= {form: "ANIMAL" for row in knowledge.ANIMALS for form in row}
    kinds |= dict.fromkeys(knowledge.PETS, "ANIMAL") | dict.fromkeys(knowledge.LIKES, "FOOD")
    kinds |= dict.fromkeys(knowledge.COLOURS, "COLOUR") | dict.fromkeys(knowledge.JOBS, "JOB")
    numbers = "two three four five six seven eight nine ten eleven twelve fifteen twenty"
    return kinds | dict.fromkeys(numbers.split(), "NUMBER")


def test_there_are_twenty_plots_and_each_is_told(many):
    plots = [line.split("@")[1] for line in sections("plots")["plot"].split("\n") if "@" in line]
    assert len(set(plots)) >= 20
    assert set(plots) <= set(story_rules.rules(0.0).texts)
    words = set(world.vocabulary())
    assert len(words) >= 1000
    assert len({token for story in many for token in story.tokens}) >= 1000


def test_sentences_have_hundreds_of_skeletons_and_none_is_common(many):
    kinds, skeletons = _slots(), Counter()
    for story in many:
        sentence = []
        for token in story.tokens:
            sentence.append(kinds.get(token, token))
            if token in (".", "?", "!"):
                skeletons[" ".join(word for word in sentence if word != '"')] += 1
                sentence = []
    total = sum(skeletons.values())
    assert sum(count >= 5 for count in skeletons.values()) >= 500
    assert skeletons.most_common(1)[0][1] <= 0.01 * total


def test_word_frequencies_fall_like_a_power_of_the_rank(many):
    counts = Counter(token for story in many for token in story.tokens)
    ranked = [count for _, count in counts.most_common()]
    xs, ys = zip(
        *((math.log(r), math.log(ranked[r - 1])) for r in (10, 30, 100, 300, 900)), strict=True
    )
    slopes = [(b - a) / (y - x) for (x, y), (a, b) in zip(pairwise(xs), pairwise(ys), strict=True)]
    assert all(-2.5 < slope < -0.4 for slope in slopes)


def test_both_senses_of_a_word_are_told_by_their_neighbours(many):
    text = "\n".join(" ".join(story.tokens) for story in many)
    assert set(SENSES) == set(SENSES_OF)
    for word, uses in SENSES.items():
        for use in uses:
            assert word in use
            assert text.count(use) >= 5, use


def test_the_same_person_has_the_same_job_and_relatives_in_every_story(many):
    base = knowledge_base()
    people = {person.name: person for person in base.people}
    told = {"wife", "husband", "mother", "father", "sister", "brother", "daughter", "son"}
    known = {(fact.subject, fact.object) for fact in base.known if fact.object in people}
    jobs = relatives = 0
    for story in many:
        here = {token for token in story.tokens if token in people}
        for name, comma, article, job in windows(story.tokens, 4):
            said = comma in (",", "was") and article in ("a", "an") and job in knowledge.JOBS
            if said and name in people:
                assert people[name].job == job
                jobs += 1
        for whose, kind, name in windows(story.tokens, 3):
            if whose.lower() in ("his", "her") and kind in told and name in people:
                assert any((other, name) in known for other in here)
                relatives += 1
    assert jobs > 1000
    assert relatives > 1000


def windows(tokens, n):
    return zip(*(tokens[i:] for i in range(n)), strict=False)


def test_what_is_told_of_people_is_known_and_never_held_out():
    base = knowledge_base()
    known = {(fact.subject, fact.object) for fact in base.known}
    hidden = {(fact.subject, fact.object) for fact in base.hidden}
    for name, domain in story_rules.relatives().items():
        assert domain.rows
        assert {(name, row[0]) for row in domain.rows} <= known
    for table in (story_rules.belongings(), story_rules.losses()):
        for name, domain in table.items():
            assert domain.rows
            assert not {(name, row[0]) for row in domain.rows} & hidden


# --- what counting and a short memory cannot know -----------------------------------------


def gap(tokens):
    """How far a Kneser-Ney 5-gram trained on this much stays above the floor, as a share of it."""
    words = list(world.vocabulary())
    train = [t for story in world.stories(tokens=tokens, seed=0) for t in story.tokens]
    fresh = list(world.stories(tokens=100_000, seed=1_000_000))
    model = ngram.fit(ngram.encode(train, words), len(words), ngram.NgramConfig(5, "kneser_ney"))
    bits = model.bits_per_token(ngram.encode([t for s in fresh for t in s.tokens], words))
    return bits / world.entropy_rate(fresh).bits_per_token - 1


def test_a_5gram_stays_far_above_the_floor():
    assert gap(200_000) >= 0.25


@pytest.mark.slow
def test_a_5gram_trained_on_two_million_tokens_stays_far_above_the_floor():
    assert gap(2_000_000) >= 0.25
