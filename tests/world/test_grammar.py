"""The grammar: exact probabilities, one set of rules read in two ways."""

import math
from collections import Counter
from itertools import islice
from random import Random

import pytest

from llmcourse.world.engine import grammar
from llmcourse.world.engine.factoring import Factoring
from llmcourse.world.engine.machine import Machine
from llmcourse.world.story.story_rules import machine as story_machine
from llmcourse.world.story.story_rules import rules as story_rules
from tests.world.small_grammar import small


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
    for machine in (Machine(small()), story_machine(0.0), story_machine(0.5)):
        for node in machine.nodes:
            heads = [head for _, head in node.heads]
            for edges in [node.edges, *(edges for _, edges in node.table.values())]:
                firsts = [edge.words[0] for edge in edges]
                assert len(set(firsts)) == len(firsts)
                shares = [math.exp(edge.logps[0]) for edge in edges]
                assert not edges or math.isclose(math.fsum(shares), 1, abs_tol=1e-9)
            assert len(set(heads)) == len(heads)


def test_what_is_compiled_while_it_writes_writes_the_same():
    ahead, meanwhile = Machine(story_rules(0.3)), Machine(story_rules(0.3), ahead=False)
    one, other = Random(2).random, Random(2).random
    for _ in range(500):
        assert meanwhile.sample(one) == ahead.sample(other)
    assert len(meanwhile.nodes) == len(ahead.nodes)


def test_two_documents_may_be_written_at_once():
    machine = Machine(story_rules(0.0), ahead=False)
    begun = [machine.trace(Random(seed).random) for seed in range(10)]
    written = [[token.word] for trace in begun for token in islice(trace, 1)]
    for words, trace in zip(written, reversed(begun), strict=True):
        words[:] = [token.word for token in trace]
    ahead = Machine(story_rules(0.0))
    for seed, words in enumerate(reversed(written)):
        assert ahead.sample(Random(seed).random)[0][1:] == words


def test_the_words_are_those_that_some_document_holds():
    held = {word for words, _ in grammar.documents(small()) for word in words}
    assert Machine(small()).words() == held


def test_the_words_of_stories_are_those_that_some_edge_writes():
    machine, factoring = story_machine(0.0), Factoring(story_rules(0.0), "story")
    written = {grammar.END}  # what follows the first choice, whatever is chosen
    for node in machine.nodes:
        for edges in [node.edges, *(edges for _, edges in node.table.values())]:
            todo = list(edges)
            while todo:
                written |= set(todo[-1].words)
                todo += todo.pop().later
    assert machine.words() == {word for item in written for word in factoring.values(item)}


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


def test_traced_documents_are_the_sampled_ones():
    machine = story_machine(0.3)
    for seed in range(20):
        traced = list(machine.trace(Random(seed).random))
        words, logps = machine.sample(Random(seed).random)
        assert [token.word for token in traced] == words
        assert [token.logp for token in traced] == logps
