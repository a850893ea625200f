"""Queries: answered by the articles they are graded on, held-out facts for tests only."""

import math
import re
from collections import Counter, defaultdict

from hypothesis import strategies as st

from llmcourse.text.corpora import words
from llmcourse.world.facts.articles import documents
from llmcourse.world.facts.records import knowledge_base
from llmcourse.world.tasks.queries import MENTIONS, STATES, retrieval
from tests.world import samples

KB = knowledge_base()
PEOPLE = {person.name: person for person in KB.people}
ARTICLES = {document.id: document for document in documents(held_out=True)}
SEEDS = st.integers(0, 10**6)
SPLITS = st.sampled_from(("train", "test"))


def sample(split):
    return {"train": samples.train, "test": samples.test}[split]("retrieval")


def subject_is_named(query, document):
    return query.fact.subject in (document.title, *words(document.text))


class BM25:
    """The usual bag-of-words ranking. source: Robertson and Zaragoza, 2009, with k1 1.2, b 0.75."""

    def __init__(self, texts):
        self.counts = {id: Counter(words(text.lower())) for id, text in texts.items()}
        self.sizes = {id: sum(counts.values()) for id, counts in self.counts.items()}
        self.mean = sum(self.sizes.values()) / len(texts)
        self.found = Counter(word for counts in self.counts.values() for word in counts)

    def rank(self, question):
        def score(id):
            total = 0.0
            for word in set(words(question.lower())):
                n, count = self.found[word], self.counts[id][word]
                idf = math.log(1 + (len(self.counts) - n + 0.5) / (n + 0.5))
                norm = 1.2 * (0.25 + 0.75 * self.sizes[id] / self.mean)
                total += idf * count * 2.2 / (count + norm)
            return total

        return sorted(self.counts, key=score, reverse=True)


def hits(indirect, among):
    """How often one of the articles ranked first states the answer."""
    engine = BM25({id: f"{d.title} {d.title} {d.text}" for id, d in ARTICLES.items()})
    found = [
        STATES in [dict(q.relevance).get(id) for id in engine.rank(q.question)[:among]]
        for q in retrieval(400, split="test", indirect=indirect)
    ]
    return sum(found) / len(found)


# --- answers and relevance --------------------------------------------------------------------


def test_the_answer_is_a_word_of_every_article_that_states_it():
    for query in sample("train")[:3_000] + sample("test"):
        stating = [id for id, grade in query.relevance if grade == STATES]
        assert stating
        for id in stating:
            assert query.answer in words(ARTICLES[id].text)
            assert subject_is_named(query, ARTICLES[id])
        assert query.answer == query.fact.object
        assert query.answer not in words(query.question)


def test_other_articles_mention_the_subject_and_the_rest_do_not():
    for query in sample("train")[:300] + sample("test")[:300]:
        grades = dict(query.relevance)
        assert set(grades.values()) <= {STATES, MENTIONS}
        for id, document in ARTICLES.items():
            assert (id in grades) == subject_is_named(query, document)


def test_the_best_article_comes_first():
    for query in sample("train")[:3_000] + sample("test"):
        grades = [grade for _, grade in query.relevance]
        assert grades == sorted(grades, reverse=True)
        assert ARTICLES[query.relevance[0][0]].title == query.fact.subject


def test_the_same_question_has_one_answer():
    answers = defaultdict(set)
    for query in sample("train") + sample("test"):
        answers[query.question].add(query.answer)
    assert {len(found) for found in answers.values()} == {1}


def test_indirect_questions_describe_whom_they_ask_about():
    for query in sample("train") + sample("test"):
        assert (query.fact.subject in words(query.question)) != query.indirect


def test_sisters_and_brothers_of_somebody_are_the_ones_the_world_knows():
    described = 0
    for query in sample("train") + sample("test"):
        kin = re.search(r"\bthe (sister|brother) of (\w+)", query.question)
        if kin and query.indirect and kin[2] in PEOPLE:
            described += 1
            assert PEOPLE[kin[2]].siblings == (query.fact.subject,)
            gender = "woman" if kin[1] == "sister" else "man"
            assert PEOPLE[query.fact.subject].gender == gender
    assert described > 1_000


def test_all_relations_are_asked_in_many_wordings():
    assert {q.fact.relation for q in sample("train")} == set(KB.relations)
    assert {q.fact for q in sample("test")} == set(KB.hidden)
    wordings = defaultdict(set)
    for q in sample("train") + sample("test"):
        if not q.indirect:
            masked = ["x" if w == q.fact.subject or w in KB.foods else w for w in words(q.question)]
            wordings[q.fact.relation].add(" ".join(masked))
    assert min(map(len, wordings.values())) >= 24
    assert sum(map(len, wordings.values())) >= 600


# --- what is hard about it ----------------------------------------------------------------------


def test_common_words_find_the_article_where_the_question_names_its_subject():
    assert hits(indirect=0.0, among=1) >= 0.85
    assert hits(indirect=0.0, among=3) >= 0.95


def test_common_words_mostly_find_another_article_where_it_only_describes_it():
    assert hits(indirect=1.0, among=1) <= 0.3
    assert hits(indirect=1.0, among=3) <= 0.5


def test_who_has_read_no_article_can_only_guess():
    guesses = defaultdict(Counter)
    for query in sample("train"):
        guesses[query.fact.relation][query.answer] += 1
    right = [guesses[q.fact.relation].most_common(1)[0][0] == q.answer for q in sample("test")]
    assert sum(right) / len(right) <= 0.15
    best = defaultdict(Counter)
    for query in sample("test"):
        best[query.fact.relation][query.answer] += 1
    lucky = sum(counts.most_common(1)[0][1] for counts in best.values())
    assert lucky / len(sample("test")) <= 0.2


# --- splits and stream --------------------------------------------------------------------------


def test_train_asks_known_facts_and_test_held_out_ones():
    assert not any(query.fact.held_out for query in sample("train"))
    assert all(query.fact.held_out for query in sample("test"))


def test_the_dial_sets_the_share_of_indirect_questions():
    assert 0.23 < sum(query.indirect for query in sample("train")) / len(sample("train")) < 0.27
    assert not any(query.indirect for query in retrieval(200, indirect=0.0))
    assert all(query.indirect for query in retrieval(200, indirect=1.0, split="test"))
