"""Span questions: one right answer in the text, found only by reading, with no cue from outside."""

import re
from collections import Counter, defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.text.corpora import words
from llmcourse.world.engine.spelling import detokenise
from llmcourse.world.engine.splits import split_of
from llmcourse.world.facts import knowledge
from llmcourse.world.facts.events import FAMILIES, NUMBERS, WHEN
from llmcourse.world.facts.records import knowledge_base
from llmcourse.world.tasks.spans import KINDS, span_questions
from tests.world import samples

KB = knowledge_base()
PEOPLE = {person.name: person for person in KB.people}
SEEDS = st.integers(0, 10**6)
SPLITS = st.sampled_from(("train", "test"))

BASE = {
    form: verb.split()[0]
    for family in FAMILIES.values()
    for verb in family.verbs
    for form in verb.split()
}
NOUNS = knowledge.THINGS + knowledge.FOODS + knowledge.ANIMALS
ONE = {many: one for one, many in NOUNS}
FRAME = set(
    words(
        "who whom what which where when why how many can name do did does you know was were it is "
        "that to by the a an person or people thing things place time reason for number of at in "
        "and job earn money work as live town home animal keep pet have kind with lives"
    )
)
FACT = re.compile(
    r"(?:(?P<n1>\w+) (?:is|works as|earns money as) an? (?P<job>\w+)"
    r"|(?P<n2>\w+) (?:lives|is at home) in (?P<home>\w+)|In (?P<home2>\w+) lives (?P<n3>\w+)"
    r"|(?P<n4>\w+) (?:keeps|has) an? (?P<pet>\w+)|An? (?P<pet2>\w+) lives with (?P<n5>\w+))\."
)


def sample(split):
    return {"train": samples.train, "test": samples.test}[split]("span_questions")


def sentences(question):
    """The sentences of the text, each with the number of its first token."""
    start = 0
    for at, token in enumerate(question.context):
        if token == ".":
            yield start, question.context[start : at + 1]
            start = at + 1


def stated_fact(sentence):
    """(name, relation, thing) where a sentence states a fact of the world, else None."""
    found = FACT.fullmatch(detokenise(sentence))
    if not found:
        return None
    groups = {key.rstrip("12345"): value for key, value in found.groupdict().items() if value}
    name = groups.pop("n")
    ((relation, thing),) = groups.items()
    return name, relation, thing


def content(tokens):
    """What a sentence or question is about: base forms, function words left out."""
    lowered = [t if t in PEOPLE else t.lower() for t in tokens]
    return {ONE.get(t, BASE.get(t, t)) for t in lowered if t[0].isalpha() and t not in FRAME}


def read(question):
    """The sentences that hold everything the question is about, by a reader of bags of words."""
    asked = content(question.question)
    return [(start, s) for start, s in sentences(question) if asked <= content(s)]


def gazetteer(questions):
    """For each kind, the answers that were ever right."""
    known = defaultdict(set)
    for question in questions:
        known[question.kind].add(tuple(words(question.answer.lower())))
    return known


def candidates(question, known):
    """The spans of the text that could answer such a question, in order."""
    low = [token.lower() for token in question.context]
    found, at = [], 0
    while at < len(low):
        sizes = [n for n in range(6, 0, -1) if tuple(low[at : at + n]) in known[question.kind]]
        if sizes:
            found.append((at, at + sizes[0] - 1))
        at += sizes[0] if sizes else 1
    return found


# --- the answer is right ----------------------------------------------------------------------


def test_a_reader_of_whole_sentences_finds_the_one_that_answers():
    one_only = 0
    for question in sample("train")[:4_000] + sample("test")[:1_000]:
        found = read(question)
        one_only += len(found) == 1
        if question.kind in ("job", "home", "pet"):
            answer = next(
                stated_fact(s) for start, s in sentences(question)
                if start <= question.start < start + len(s)
            )  # fmt: skip
            assert any(answer[0] in s for _, s in found), question
            assert answer[1:] == (question.kind, question.answer)
        else:
            assert any(start <= question.start < start + len(s) for start, s in found), question
    assert one_only / 5_000 > 0.97


def test_answers_are_of_the_kind_asked_for():
    whens = {when.lower() for when in WHEN}
    kinds = defaultdict(list)
    for q in sample("train")[:4_000] + sample("test")[:1_000]:
        kinds[q.kind].append(q)
    assert all(q.answer.lower() in NUMBERS for q in kinds["how many"])
    assert all(q.answer in PEOPLE for q in kinds["whom"])
    assert all(q.answer[0].lower() + q.answer[1:].lower() in whens for q in kinds["when"])
    assert all(q.context[q.start - 1].lower() == "because" for q in kinds["why"])
    assert all(q.context[q.end + 1] in ".," for q in kinds["why"])
    assert all(content(words(q.answer)) & {one for one, _ in NOUNS} or "of" in q.answer
               for q in kinds["what"])  # fmt: skip
    assert all(re.match("(?i)(at|by|behind|near|in|under|beside|on|outside|next) ", q.answer)
               for q in kinds["where"])  # fmt: skip


def test_facts_in_texts_are_known_facts_of_the_world():
    told = 0
    for question in sample("train") + sample("test"):
        for _, sentence in sentences(question):
            if fact := stated_fact(sentence):
                told += 1
                name, relation, thing = fact
                assert getattr(PEOPLE[name], relation) == thing
                assert not KB.about(name, relation)[0].held_out
    assert told > 15_000


def test_kinds_are_balanced_and_each_has_many_answers():
    counts = Counter(q.kind for q in sample("train"))
    assert set(counts) == set(KINDS)
    assert all(0.085 < count / len(sample("train")) < 0.115 for count in counts.values())
    known = gazetteer(sample("train"))
    assert len(known["how many"]) == len(NUMBERS)
    assert all(len(known[kind]) >= 10 for kind in KINDS)


def test_answers_have_one_to_six_tokens():
    sizes = Counter(q.end - q.start + 1 for q in sample("train") + sample("test"))
    assert set(sizes) == set(range(1, 7))


# --- no cue but reading -----------------------------------------------------------------------


def test_the_question_alone_hardly_ever_gives_the_answer():
    usual = defaultdict(Counter)
    for q in sample("train"):
        usual[q.kind][q.answer.lower()] += 1
    right = [usual[q.kind].most_common(1)[0][0] == q.answer.lower() for q in sample("test")]
    assert sum(right) / len(sample("test")) < 0.06


def test_several_spans_could_answer_and_neither_the_first_nor_the_last_is_usually_right():
    known = gazetteer(sample("train") + sample("test"))
    options = [candidates(q, known) for q in sample("test")]
    assert sum(len(found) >= 3 for found in options) / len(sample("test")) > 0.95
    for place in (0, -1):
        right = [f[place] == (q.start, q.end) for f, q in zip(options, sample("test"), strict=True)]
        assert sum(right) / len(sample("test")) < 0.36


def test_answers_stand_anywhere_in_the_text():
    places = Counter(4 * q.start // len(q.context) for q in sample("train"))
    assert all(0.2 < places[quarter] / len(sample("train")) < 0.3 for quarter in range(4))


def test_the_verb_alone_does_not_lead_to_the_sentence():
    shared = 0
    for q in sample("train")[:4_000]:
        verbs = content(q.question) & set(BASE.values())
        shared += sum(verbs <= content(s) for _, s in sentences(q)) > 1
    assert shared / 4_000 > 0.6


# --- variety, splits, stream ------------------------------------------------------------------


def test_sentences_are_built_in_many_ways():
    masks = {one: "N" for pair in NOUNS for one in pair} | dict.fromkeys(KB.colours, "A")
    masks |= dict.fromkeys(PEOPLE, "P") | {town.name: "T" for town in KB.towns}
    masks |= dict.fromkeys(NUMBERS, "7")
    told = {s for q in sample("train") for _, s in sentences(q)}
    built = {" ".join(masks.get(token, token) for token in s) for s in told}
    verbs = {" ".join("V" if t in BASE else t for t in text.split()) for text in built}
    assert len(verbs) > 1_000


def test_sentences_and_questions_of_the_splits_are_apart():
    for questions, split in ((sample("train"), "train"), (sample("test"), "test")):
        for q in questions:
            assert split_of(detokenise(q.question)) == split
            for _, s in sentences(q):
                assert stated_fact(s) or split_of(detokenise(s)) == split


@settings(max_examples=40)
@given(SEEDS, SPLITS, st.integers(3, 8))
def test_spans_are_inside_the_text(seed, split, events):
    choices = dict(split=split, seed=seed, events=events)
    for q in span_questions(3, **choices):
        assert 0 <= q.start <= q.end < len(q.context)
        assert detokenise(q.context[q.start : q.end + 1]) == q.answer
        facts = sum(stated_fact(s) is not None for _, s in sentences(q))
        assert len(list(sentences(q))) == events + facts
        assert facts == (3 if q.kind in ("job", "home", "pet") else 0)
        for tokens in (q.context, q.question):
            assert tuple(words(detokenise(tokens))) == tokens
            assert tokens[0][0].isupper() and tokens[-1] in ".?"
            assert not re.search(r"\ba [aeiou]|\ban [^aeiou]|\{", detokenise(tokens).lower())
