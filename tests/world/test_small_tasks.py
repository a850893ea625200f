"""Small tasks in words: the gold reply is what an independent reader works out."""

import re
from collections import Counter, defaultdict

import pytest

from llmcourse.text.corpora import words
from llmcourse.world.chat.small_tasks import OPPOSITES, TASKS, instructions
from llmcourse.world.engine.splits import split_of
from llmcourse.world.facts.records import knowledge_base
from tests.bag_of_words import accuracy
from tests.world import samples

KB = knowledge_base()
TRAIN, TEST = samples.train("instructions"), samples.test("instructions")
PEOPLE = {person.name: person for person in KB.people}
ONE_WORD = ("spell", "plural", "opposite", "comparative", "superlative", "counterpart")
IRREGULAR = {
    "bought": "buy", "found": "find", "sold": "sell", "drew": "draw", "chose": "choose",
    "lent": "lend", "hid": "hide", "saw": "see", "ate": "eat", "cut": "cut", "heard": "hear",
    "fed": "feed", "met": "meet", "dropped": "drop", "wrapped": "wrap", "swapped": "swap",
    "carried": "carry", "tasted": "taste", "shared": "share",
}  # fmt: skip


def both():
    return (*TRAIN, *TEST)


def of_task(task, drawn=None):
    return [record for record in drawn or both() if record.task == task]


def items(text):
    return text.rstrip(".").lower().split(", ")


def sentence(text):
    return text[0].upper() + text[1:] + "."


def base(past):
    return IRREGULAR.get(past) or past.removesuffix("ed")


NUMBERS = ["", "", "two", "three", "four", "five", "six", "seven"]
ANIMALS = {animal.singular for animal in KB.animals}
THINGS = {one for one, _ in KB.things}
LISTS = {
    "count": lambda found: NUMBERS[len(found)],
    "sort": lambda found: ", ".join(sorted(found)),
    "reverse": lambda found: ", ".join(reversed(found)),
    "first": lambda found: found[0],
    "last": lambda found: found[-1],
    "animal": lambda found: next(word for word in found if word in ANIMALS),
    "food": lambda found: next(word for word in found if word not in ANIMALS | THINGS),
}


@pytest.mark.parametrize("task", LISTS)
def test_lists_are_answered_rightly(task):
    for record in of_task(task):
        assert record.reply == sentence(LISTS[task](items(record.input)))
        assert 2 <= len(set(items(record.input))) == len(items(record.input)) <= 7


def test_only_one_item_is_of_the_kind_that_is_asked_for():
    for record in of_task("animal"):
        assert len(ANIMALS & set(items(record.input))) == 1
    for record in of_task("food"):
        assert len(set(items(record.input)) - ANIMALS - THINGS) == 1


def test_words_are_spelled_and_changed_rightly():
    for record in of_task("spell"):
        assert "".join(items(record.reply)) == record.input.rstrip(".").lower()
    forms = {plain: (more, most) for plain, more, most in KB.comparatives}
    for place, task in enumerate(("comparative", "superlative")):
        for record in of_task(task):
            assert record.reply == sentence(forms[record.input.rstrip(".").lower()][place])
    for record in of_task("plural"):
        one, many = (text.rstrip(".").lower() for text in (record.input, record.reply))
        assert many == one or many.endswith("s")
        assert one[:2] == many[:2]


@pytest.mark.parametrize(("task", "pairs"), [("opposite", OPPOSITES), ("counterpart", KB.gendered)])
def test_opposites_and_counterparts_work_in_both_directions(task, pairs):
    told = {(record.input, record.reply) for record in of_task(task)}
    expected = {(sentence(a), sentence(b)) for a, b in pairs}
    assert told == expected | {(b, a) for a, b in expected}
    assert len(dict(told)) == len(told)


def test_sentences_are_changed_rightly():
    for record in of_task("capitals"):
        assert record.reply == record.input.upper()
    for record in of_task("who"):
        assert record.reply == words(record.input)[0] + "."
    for record in of_task("pronoun"):
        name, rest = record.input.split(" ", 1)
        assert record.reply == ("She " if PEOPLE[name].gender == "woman" else "He ") + rest


def test_denials_and_questions_use_the_base_form():
    for task, frame in (("deny", "{0} did not {1} {2}."), ("ask", "Did {0} {1} {2}?")):
        for record in of_task(task):
            name, past, rest = record.input.rstrip(".").split(" ", 2)
            found = record.reply.split(" ")[2 if task == "ask" else 3]
            assert found in (base(past), base(past) + "e")
            assert record.reply == frame.format(name, found, rest)


def test_articles_fit_their_nouns():
    for record in both():
        for article, noun in re.findall(r"\b(an?) (\w+)", f"{record.input} {record.reply}"):
            if not noun.isupper():
                assert (article == "an") == (noun[0].lower() in "aeiou"), record


def test_blanks_are_filled_with_known_facts():
    known = {(fact.subject, fact.object) for fact in KB.known}
    for record in of_task("blank"):
        assert record.input.count("___") == 1
        answer = {record.reply.rstrip("."), record.reply.rstrip(".").lower()}
        beside = set(words(record.input)) | {w.removesuffix("s") for w in words(record.input)}
        assert any((a, b) in known or (b, a) in known for a in answer for b in beside), record


def test_yes_and_no_are_as_common_and_follow_the_facts():
    known = {(fact.subject, fact.object) for fact in KB.known}
    for record in of_task("yes or no"):
        found = words(record.input)
        stated = [(a, b) for a in found for b in found if (a, b) in known]
        assert record.reply == "No." or stated, record
        assert record.reply in ("Yes.", "No.")
    answers = [record.reply for record in instructions(10_000, task="yes or no")]
    assert abs(Counter(answers)["Yes."] / len(answers) - 0.5) < 0.02


@pytest.mark.parametrize(
    ("question", "reply"),
    [("Is Mia a baker?", "Yes."), ("Does Mia live in Milby?", "Yes."),
     ("Is Ostrum the capital of Varland?", "Yes.")],
)  # fmt: skip
def test_a_known_fact_is_affirmed_whenever_it_is_asked(question, reply):
    drawn = instructions(40_000, task="yes or no", split=split_of(question))
    found = {record.reply for record in drawn if record.input == question}
    assert found == {reply}


def test_words_alone_do_not_tell_yes_from_no():
    def masked(drawn):
        names = {*PEOPLE, *(c.name for c in KB.countries), *(t.name for t in KB.towns)}
        return [(" ".join(w for w in words(r.input) if w not in names), r.reply) for r in drawn]

    train = masked(instructions(8_000, task="yes or no"))
    test = masked(instructions(2_000, task="yes or no", split="test"))
    assert accuracy(train, test) < 0.58


def test_no_question_is_both_affirmed_and_denied():
    replies = defaultdict(set)
    for record in of_task("yes or no"):
        replies[record.input].add(record.reply)
    assert {len(found) for found in replies.values()} == {1}


def test_tasks_are_as_common_and_worded_in_many_ways():
    for task, count in Counter(record.task for record in TRAIN).items():
        assert abs(count / len(TRAIN) - 1 / len(TASKS)) < 0.01, task
        assert len({record.prompt for record in of_task(task, TRAIN)}) > 40
        assert {record.prompt for record in of_task(task, TEST)}
    assert len(TASKS) >= 10


def test_an_instruction_names_one_task():
    tasks = defaultdict(set)
    for record in both():
        tasks[record.prompt].add(record.task)
    assert {len(found) for found in tasks.values()} == {1}


def test_sentences_are_of_many_skeletons():
    masks = {word: "_" for word in (*PEOPLE, *ANIMALS, *THINGS, *KB.foods)}
    texts = [record.input for task in ("capitals", "ask", "deny", "who", "pronoun")
             for record in of_task(task)]  # fmt: skip
    assert len({" ".join(masks.get(word, word) for word in words(text)) for text in texts}) > 500
