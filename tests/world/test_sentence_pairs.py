"""Similarity: the score is the share of the meaning, whatever the words."""

import re
from collections import Counter
from statistics import correlation

from llmcourse.text.corpora import words
from llmcourse.world.engine.text_files import sections
from llmcourse.world.facts.knowledge import MEN, WOMEN
from llmcourse.world.tasks.sentence_pairs import Meaning, score
from tests.world import samples


def records():
    return samples.train("similarity")


def unseen():
    return samples.test("similarity")


def wordings(*kinds):
    """Each wording of these kinds with the first wording of its line."""
    lines = [line for kind in kinds for line in sections("similarity")[kind].splitlines()]
    found = {}
    for line in lines:
        forms = [form.strip() for form in re.split("[/;]", line)]
        found |= dict.fromkeys(forms, forms[0])
    return found


SOMEBODY = wordings("person", "thing") | {n: n for n in (*WOMEN, *MEN)}
ACTS = wordings("to people", "to things")
PLACES, TIMES = wordings("place"), wordings("time")


def alternatives(table):
    return "(" + "|".join(sorted(map(re.escape, table), key=len, reverse=True)) + ")"


def only(found):
    return next(iter(found), "")


def read(sentence):
    """Who did what to whom, where and when: read from the text alone, by its frame."""
    text = sentence[0].lower() + sentence[1:] if sentence.split()[0] not in SOMEBODY else sentence
    place = only(PLACES[p] for p in PLACES if re.search(rf"\b{p}\b", text))
    time = only(TIMES[t] for t in TIMES if re.search(rf"\b{t}\b", text))
    for table in (PLACES, TIMES):
        text = re.sub(rf"\b{alternatives(table)}\b", " ", text)
    text = re.sub(r"[ ,.]+", " ", text).strip()
    a, act = alternatives(SOMEBODY), alternatives(ACTS)
    frames = (
        (rf"it was by {a} that {a} was {act}", (0, 2, 1)),
        (rf"it was {a} that was {act} by {a}", (2, 1, 0)),
        (rf"{a} was {act} by {a}", (2, 1, 0)),
        (rf"it was {a} who {act} {a}", (0, 1, 2)),
        (rf"{a} was the one who {act} {a}", (0, 1, 2)),
        (rf"it was {a} that {a} {act}", (1, 2, 0)),
        (rf"{a} {act} {a}", (0, 1, 2)),
    )
    for frame, (who, did, whom) in frames:
        match = re.fullmatch(frame, text)
        if match:
            parts = match.groups()
            return Meaning(
                SOMEBODY[parts[who]], ACTS[parts[did]], SOMEBODY[parts[whom]], place, time
            )
    raise AssertionError(f"no frame fits {text!r}")


def overlap(record):
    one, other = (set(words(s.lower())) for s in (record.first, record.second))
    return len(one & other) / len(one | other)


def test_the_formula_worked_by_hand():
    one = Meaning("Mia", "helped", "Tom", "in the garden", "")
    assert score(one, one) == 5.0
    assert score(one, one._replace(who="Tom", whom="Mia")) == 5 * 3 / 9
    assert score(one, one._replace(place="")) == 5 * 8 / 9
    assert score(one, one._replace(act="saw", time="at noon")) == 5 * 7 / 10
    assert score(one, Meaning("Eva", "saw", "Ben", "", "")) == 0.0


def test_scores_are_what_a_reader_of_the_text_finds():
    for record in records()[:4_000]:
        assert record.score == score(read(record.first), read(record.second)), record


def test_scores_spread_over_the_whole_range():
    counts = Counter(round(r.score) for r in records())
    assert set(counts) == set(range(6))
    assert min(counts.values()) > 0.02 * len(records())
    assert max(counts.values()) < 0.4 * len(records())
    assert all(0 <= r.score <= 5 for r in records())


def test_the_two_sentences_of_a_pair_differ():
    assert all(record.first != record.second for record in records() + unseen())


def test_shared_words_and_lengths_do_not_give_the_score_away():
    scores = [r.score for r in records()]
    assert abs(correlation([overlap(r) for r in records()], scores)) < 0.3
    gaps = [abs(len(words(r.first)) - len(words(r.second))) for r in records()]
    assert abs(correlation(gaps, scores)) < 0.3


def test_paraphrases_share_few_words_and_exchanged_roles_all():
    same = [overlap(r) for r in records() if r.score == 5]
    exchanged = [
        overlap(r)
        for r in records()[:4_000]
        if (a := read(r.first)).who == (b := read(r.second)).whom and a.whom == b.who
    ]
    assert sum(same) / len(same) < 0.4
    assert sum(exchanged) / len(exchanged) > 0.6
