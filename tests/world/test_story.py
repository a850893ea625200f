"""The world: exact probabilities, one grammar read in two ways, agreement and transcripts under
control."""

import math
from collections import Counter
from itertools import islice, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llmcourse.world.adventures import ADVENTURES
from llmcourse.world.errands import ERRANDS
from llmcourse.world.pastimes import PASTIMES
from llmcourse.world.plots import PLOTS
from llmcourse.world.sentences import HOMOPHONES, SENSES

from llmcourse import data, ngram, world
from llmcourse.world.engine import grammar
from llmcourse.world.engine.machine import Machine
from llmcourse.world.facts import knowledge, lore
from llmcourse.world.facts.records import knowledge_base
from llmcourse.world.story import agreement
from llmcourse.world.story import telling as story_module
from llmcourse.world.story import windows as context
from llmcourse.world.story.windows import context_cost

PEOPLE = grammar.Domain(
    ("name", "he"), (("Ann", "she"), ("Bob", "he"), ("Cy", "he")), (3.0, 2.0, 1.0)
)
FRIENDS = {
    "Ann": grammar.Domain(("name", "he"), (("Bob", "he"),), (1.0,)),
    "Bob": grammar.Domain(("name", "he"), (("Ann", "she"), ("Cy", "he")), (1.0, 3.0)),
    "Cy": grammar.Domain(("name", "he"), (("Ann", "she"),), (1.0,)),
}
THINGS = grammar.Domain(("name", "a"), (("egg", "an"), ("cup", "a"), ("pen", "a")), (2.0, 1.0, 1.0))
SMALL = {
    "story": "@start @end </s>",
    "start": "2: <hero:person> [sat|sat down|3: ran] .\nThe [old |]man met <hero:person> .",
    "end": """
Then <friend:friends/hero> came , and {hero} saw <a it:thing> .
Then <friend:friends/hero> left {hero} .

[{hero} [ran|ran off|sat] .|{friend} [ran|sat] .|] The end .
3: The man slept , and {hero.he} too .
""",
}


def small(texts=SMALL):
    return grammar.Rules(texts, {"person": PEOPLE, "thing": THINGS}, {"friends": FRIENDS})


# --- the grammar and its two readings -----------------------------------------------------


def test_small_grammar_documents_sum_to_one_by_brute_force():
    total = Counter()
    for words, p in grammar.documents(small()):
        total[words] += p
    assert len(total) > 100
    assert math.isclose(math.fsum(total.values()), 1, abs_tol=1e-12)


def test_sampled_documents_have_their_brute_force_probability():
    exact = Counter()
    for words, p in grammar.documents(small()):
        exact[words] += p
    machine, rand = Machine(small()), Random(1).random
    seen = Counter()
    for _ in range(5000):
        words, logps = machine.sample(rand)
        seen[tuple(words)] += 1
        assert math.isclose(math.exp(math.fsum(logps)), exact[tuple(words)], rel_tol=1e-9)
    misfit = sum((seen[d] - 5000 * p) ** 2 / (5000 * p) for d, p in exact.items())
    freedom = len(exact) - 1
    assert misfit < freedom + 8 * math.sqrt(2 * freedom)


def test_every_choice_point_is_left_factored():
    for machine in (Machine(small()), story_module.machine(0.0), story_module.machine(0.5)):
        for node in machine.nodes:
            heads = [head for _, head in node.heads]
            for edges in [node.edges, *(edges for _, edges in node.table.values())]:
                firsts = [edge.words[0] for edge in edges]
                assert len(set(firsts)) == len(firsts)
                shares = [math.exp(edge.logps[0]) for edge in edges]
                assert not edges or math.isclose(math.fsum(shares), 1, abs_tol=1e-9)
            assert len(set(heads)) == len(heads)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a|b", "balanced|got the end"),
        ("@nothing", "expected a rule"),
        ("{hero} ran", "expected a slot"),
        ("<hero:animal> ran", "expected one of"),
        ("[<hero:person> came|Rain fell] and {hero} left", "filled on every way"),
        ("<hero:person> met {hero.age}", "expected a field"),
        ("<hero:person> ran\nAnn sat", "same token"),
        ("<hero:person> saw {hero}\n<rival:person> left", "same token"),
        ("<hero:person> and [<friend:friends/hero>|Zoe] ran", "alone"),
        ("<hero:person> and <it:thing> [{hero.he} ran|he sat]", "same token"),
    ],
)
def test_grammar_that_is_not_left_factored_is_refused(text, message):
    with pytest.raises(grammar.GrammarError, match=message):
        Machine(small({"story": text}))


def test_options_that_begin_alike_are_merged():
    rules = grammar.Rules({"story": "3: a b </s>\na c </s>\n[a|d] c </s>"}, {})
    assert grammar.forward(rules, ["a", "c"]) == pytest.approx(
        [math.log(4.5 / 5), math.log(1.5 / 4.5)]
    )
    machine = Machine(rules)
    for seed in range(20):
        words, logps = machine.sample(Random(seed).random)
        assert logps == pytest.approx(grammar.forward(rules, words))


# --- stories ------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from([0.0, 0.4, 1.0]))
def test_scorer_agrees_with_generator(seed, bias):
    (story,) = world.stories(1, seed=seed, bias=bias)
    assert world.story_log_prob(story.tokens, bias=bias) == pytest.approx(story.logps, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 12))
def test_stories_are_deterministic_and_a_shorter_stream_is_a_prefix(seed, n):
    stories = list(world.stories(n, seed=seed))
    assert list(world.stories(n + 3, seed=seed))[:n] == stories
    for story in stories:
        assert story.tokens[-1] == world.END
        assert world.END not in story.tokens[:-1]
        assert len(story.logps) == len(story.tokens)
        assert all(math.isfinite(p) and p <= 1e-12 for p in story.logps)
        assert math.isclose(story.log_prob, math.fsum(story.logps))


def test_interleaved_streams_do_not_disturb_each_other():
    one, two = world.stories(seed=1), world.stories(seed=2)
    mixed = [(next(one), next(two)) for _ in range(20)]
    assert [a for a, _ in mixed] == list(world.stories(20, seed=1))
    assert [b for _, b in mixed] == list(world.stories(20, seed=2))


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


@pytest.mark.parametrize("size", [0, -3])
def test_sizes_below_one_are_refused(size):
    for ask in (
        lambda: world.stories(size),
        lambda: world.stories(tokens=size),
        lambda: world.transcript_pairs(size),
        lambda: world.agreement_pairs(size, 3),
    ):
        with pytest.raises(ValueError, match=f"expected .* 1 or more, got {size}: .*") as caught:
            ask()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bias", [-0.1, 1.5, math.nan])
def test_bias_out_of_range_is_refused(bias):
    with pytest.raises(ValueError, match="expected bias between 0 and 1"):
        world.stories(1, bias=bias)


# --- facts --------------------------------------------------------------------------------


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


# --- agreement ----------------------------------------------------------------------------


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


@pytest.mark.parametrize("distance", [-1, 13])
def test_agreement_distance_out_of_range_is_refused(distance):
    with pytest.raises(ValueError, match="expected a distance of 0 to 12 tokens"):
        world.agreement_pairs(4, distance)


# --- transcripts --------------------------------------------------------------------------


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


def test_streams_need_no_limit():
    assert len(list(islice(world.stories(), 5))) == 5


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
    plots = [line.split("@")[1] for line in PLOTS["plot"].split("\n") if "@" in line]
    assert len(set(plots)) >= 20
    assert set(plots) <= set(PLOTS | ADVENTURES | ERRANDS | PASTIMES)
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
    assert len(SENSES) >= 8
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
    for name, domain in lore.relatives().items():
        assert domain.rows
        assert {(name, row[0]) for row in domain.rows} <= known
    for table in (lore.belongings(), lore.losses()):
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


def test_cutting_the_context_to_16_tokens_costs_at_least_5_percent():
    costs = [context_cost(window, tokens=60_000) for window in (8, 16, 10_000)]
    assert costs[0].added > costs[1].added >= 0.05 * costs[1].floor
    assert costs[1].share == costs[1].added / costs[1].floor
    assert costs[2].added == 0
    floor = world.entropy_rate(world.stories(tokens=60_000, seed=4)).bits_per_token
    assert costs[0].floor == pytest.approx(floor, rel=0.03)


def test_context_cost_by_hand():
    machine = Machine(small({"story": "<a it:thing> a b c {it} d {it} </s>"}))
    rand = Random(3).random
    for _ in range(20):
        story = list(machine.trace(rand))
        thing = story[1].word
        expected = 0.0 if thing == "egg" else math.log(2)  # egg is the only word after "an"
        free = context._free_slots(machine)
        assert context._added(story, machine, free, 3) == pytest.approx(expected)
        assert context._added(story, machine, free, 4) == 0


@pytest.mark.parametrize("size", [0, -1])
def test_context_cost_refuses_sizes_below_one(size):
    for ask in (lambda: context_cost(size), lambda: context_cost(tokens=size)):
        with pytest.raises(ValueError, match=f"expected .* of 1 or more, got {size}"):
            ask()


def test_traced_documents_are_the_sampled_ones():
    machine = story_module.machine(0.3)
    for seed in range(20):
        traced = list(machine.trace(Random(seed).random))
        words, logps = machine.sample(Random(seed).random)
        assert [token.word for token in traced] == words
        assert [token.logp for token in traced] == logps
