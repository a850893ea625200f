"""What every data set keeps: seeds, sizes, splits, exact log-probabilities, plain text, no leaks.

`LAWS` says of each data set what the laws need to know; what only one data set does is tested in a
file of its own.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse import world
from llmcourse.text.corpora import words
from llmcourse.world import DATASETS, almanac
from llmcourse.world.chat.conversations import FRAMES
from llmcourse.world.chat.conversations import KINDS as CHATS
from llmcourse.world.chat.small_tasks import BLANK, TASKS
from llmcourse.world.engine.grammar import forward
from llmcourse.world.engine.spelling import detokenise
from llmcourse.world.engine.splits import SPLITS, split_of
from llmcourse.world.story import entries
from llmcourse.world.story.agreement import DISTANCES
from llmcourse.world.tasks import inferences, minimal_pairs
from tests.world import samples
from tests.world.leaks import states_held_out

MAKERS = {**DATASETS, "almanac": almanac}
LISTS = ("agreement_pairs", "transcript_pairs")  # not streams: their size is part of the draw
ONE_WORD = ("spell", "plural", "opposite", "comparative", "superlative", "counterpart")


class Law(NamedTuple):
    """What the laws need to know of a data set.

    options: what may be asked for beside size, split and seed. refused: bad options, and how they
    are refused. own: the texts whose hash decides on the split, all plain sentences that end in one
    of `ends` where `plain` does not name others. told: what states no held-out fact (in training
    text, and in tests too where `told_in_tests`).
    """

    options: Mapping[str, st.SearchStrategy] = MappingProxyType({})
    refused: tuple[tuple[dict[str, Any], str], ...] = ()
    own: Callable[[Any], Iterable[str]] | None = None
    told: Callable[[Any], Iterable[str]] | None = None
    told_in_tests: bool = False
    plain: Callable[[Any], Iterable[str]] | None = None
    ends: str = ".?"


def dial(name):
    return {name: st.floats(0, 1)}, tuple(
        ({name: bad}, f"expected {name} between 0 and 1, got {bad}")
        for bad in (-0.1, 1.5, math.nan)
    )


def one_of(name, values, bad):
    listed = f"expected {name} to be one of {re.escape(values[0])}, .*got '{bad}'"
    return {name: st.sampled_from([None, *values])}, (({name: bad}, listed),)


def fields(*names):
    return lambda record: [getattr(record, name) for name in names]


def sentences(text):
    return re.split(r"(?<=[.?!]) ", text)


def text(record):
    return [record.text]


def sum_pair(record):
    """Both numbers of a sum, the larger first, as their split is decided."""
    numbers = [int(part.replace(" ", "")) for part in re.split(r" [-+*] ", record.question)]
    return [" ".join(map(str, sorted(numbers, reverse=True)))]


def said_by_others(dialogue):
    """What the user says and how the system turn says to answer, without greetings and the like."""
    for turn in dialogue.turns:
        parts = [turn.content] if turn.role == "user" else sentences(turn.content)
        if turn.role != "assistant":
            yield from (part for part in parts if part not in FRAMES)


def every_turn(dialogue):
    return [turn.content for turn in dialogue.turns]


def of_instruction(record):
    return [record.prompt] if record.task in ONE_WORD else [record.prompt, record.input]


def told_by_instruction(record):
    yield f"{record.prompt} {record.input}"
    yield record.reply
    if record.task in ("blank", "yes or no"):
        yield f"{record.input} {record.reply}"


def of_episode(record):
    return [*(shot for shot, _ in record.shots), record.query]


def of_question(record):
    return [record.question, *record.reply.split(". ")]


def span_question(record):
    return [detokenise(record.question)]


def told_by_span_question(record):
    told = re.split(r"(?<=\.) ", detokenise(record.context))
    return [*told, f"{detokenise(record.question)} {record.answer}"]


LAWS = {
    "stories": Law({"bias": st.sampled_from([0.0, 0.4, 1.0])}, dial("bias")[1]),
    "almanac": Law(),
    "agreement_pairs": Law(
        {"distance": st.sampled_from(sorted(DISTANCES))},
        (
            ({"distance": -1}, "expected a distance of 0 to 12 tokens, got -1: choose"),
            ({"distance": 13}, "expected a distance of 0 to 12 tokens, got 13: choose"),
        ),
    ),
    "transcript_pairs": Law(),
    "parallel": Law(
        {"max_words": st.none() | st.integers(3, 40)},
        tuple(
            ({"max_words": bad}, f"expected max_words of 3 to 40, got {bad}") for bad in (2, 41)
        ),
        own=lambda record: [" ".join(record.source)],
        plain=lambda record: record.texts[:1],
        ends=".",
    ),
    "tagged": Law(own=text, told=text, told_in_tests=True, plain=lambda record: ()),
    "word_senses": Law(own=text, told=text, told_in_tests=True, ends="."),
    "coreference": Law(
        own=lambda record: [record.text, record.twin.text],
        told=lambda record: [record.text, record.twin.text],
        told_in_tests=True,
        ends=".",
    ),
    "reviews": Law(
        own=lambda record: sentences(record.text),
        told=lambda record: sentences(record.text),
        plain=text,
        ends=".!",
    ),
    "acceptability": Law(
        *one_of("phenomenon", tuple(minimal_pairs.PHENOMENA), "spelling"),
        own=fields("text", "twin"),
        told=fields("text", "twin"),
    ),
    "similarity": Law(
        own=fields("first", "second"), told=fields("first", "second"), ends="."
    ),
    "entailment": Law(
        *one_of("phenomenon", inferences.PHENOMENA, "irony"),
        own=fields("premise", "hypothesis"),
        told=fields("premise", "hypothesis"),
        ends=".",
    ),
    "span_questions": Law(
        {"events": st.integers(3, 8)},
        tuple(({"events": bad}, f"expected 3 to 8 events, got {bad}: choose") for bad in (2, 9)),
        own=span_question,
        told=told_by_span_question,
    ),
    "questions": Law(*dial("multi_hop"), own=fields("question"), told=of_question,
                     plain=fields("question", "reply")),
    "unknown_questions": Law(*dial("multi_hop"), own=fields("question"), told=of_question,
                             plain=fields("question", "reply")),
    "retrieval": Law(
        *dial("indirect"),
        own=fields("question"),
        told=lambda record: [f"{record.question} {record.answer}"],
    ),
    "dialogues": Law(
        *one_of("kind", CHATS, "quarrel"),
        own=said_by_others,
        told=lambda record: [part for said in every_turn(record) for part in sentences(said)],
        plain=every_turn,
        ends=".?!",
    ),
    "instructions": Law(
        *one_of("task", TASKS, "juggle"),
        own=of_instruction,
        told=told_by_instruction,
        plain=fields("prompt", "input", "reply"),
    ),
    "preferences": Law(
        *dial("noise"),
        own=fields("prompt"),
        told=lambda r: [s for t in (r.prompt, r.chosen, r.rejected) for s in t.split(". ")],
        plain=fields("prompt", "chosen", "rejected"),
        ends=".?!",
    ),
    "arithmetic": Law(
        {
            "digits": st.integers(1, 20)
            | st.tuples(st.integers(1, 20), st.integers(1, 20)).map(lambda two: tuple(sorted(two))),
            "operation": st.sampled_from("+-*"),
            "scratchpad": st.booleans(),
        },
        (
            ({"digits": 0}, r"expected digits of 1 to 20, or \(least, most\) of them, got 0"),
            ({"digits": 21}, "expected digits of 1 to 20.*got 21: choose"),
            ({"digits": (3, 2)}, r"expected digits.*got \(3, 2\)"),
            ({"operation": "/"}, r"expected operation to be one of \+, -, \*, got '/'"),
        ),
        own=sum_pair,
        plain=lambda record: (),
    ),
    "episodes": Law(
        {"shots": st.integers(0, 12), "classes": st.integers(2, 4)},
        (
            ({"shots": -1}, "expected shots of 0 to 64, got -1: choose"),
            ({"shots": 65}, "expected shots of 0 to 64, got 65: choose"),
            ({"classes": 1}, "expected classes of 2 to 4, got 1: choose"),
            ({"classes": 5}, "expected classes of 2 to 4, got 5: choose"),
        ),
        own=of_episode,
        told=of_episode,
        ends=".",
    ),
}  # fmt: skip
SPLIT = [name for name, law in LAWS.items() if law.own]
TOLD = [name for name, law in LAWS.items() if law.told]
SIZES = (
    ({"n": 0}, "expected n of 1 or more, got 0"), ({"n": -3}, "expected n of 1 or more, got -3")
)  # fmt: skip
NO_SPLIT = (({"split": "dev"}, "expected split to be one of train, test, got 'dev'"),)
REFUSED = [
    (name, *case)
    for name, law in LAWS.items()
    for case in (*SIZES, *(NO_SPLIT if law.own else ()), *law.refused)
]


def make(name, n, **options):
    needed = {"distance": 4} if name == "agreement_pairs" else {}
    return MAKERS[name](n, **needed | options)


def chosen(name, data):
    """A seed, a split and options of the data set."""
    options = {"seed": data.draw(st.integers(0, 10**9), "seed")}
    if LAWS[name].own:
        options["split"] = data.draw(st.sampled_from(SPLITS), "split")
    return options | {key: data.draw(some, key) for key, some in LAWS[name].options.items()}


def test_every_data_set_is_under_the_laws():
    assert set(LAWS) == set(MAKERS)


# --- seeds and sizes --------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAWS)
@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(1, 6))
def test_the_same_seed_gives_the_same_records_as_many_as_asked_for(name, data, n):
    options = chosen(name, data)
    records = list(make(name, n, **options))
    assert len(records) == n
    assert list(make(name, n, **options)) == records
    if name not in LISTS:
        assert list(make(name, n + 3, **options))[:n] == records
        assert list(islice(make(name, 10**9, **options), n)) == records


@pytest.mark.parametrize("name", LAWS)
def test_another_seed_gives_other_records(name):
    assert list(make(name, 20, seed=1)) != list(make(name, 20, seed=2))


@pytest.mark.parametrize("name", LAWS)
def test_interleaved_streams_do_not_disturb_each_other(name):
    pairs = list(zip(make(name, 20, seed=1), make(name, 20, seed=2), strict=True))
    assert [one for one, _ in pairs] == list(make(name, 20, seed=1))
    assert [two for _, two in pairs] == list(make(name, 20, seed=2))


@pytest.mark.parametrize(("name", "bad", "message"), REFUSED)
def test_bad_input_is_refused_at_once_in_one_line(name, bad, message):
    with pytest.raises(ValueError, match="^" + message) as caught:
        make(name, **{"n": 2} | bad)
    assert re.search(r": \w", str(caught.value)) and "\n" not in str(caught.value)


# --- texts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPLIT)
def test_every_text_belongs_to_its_split_and_no_other(name):
    own = LAWS[name].own
    train = {text for record in samples.train(name) for text in own(record)}
    tests = make(name, 5_000, split="test", seed=samples.SEEDS.get(name, 0))
    test = {text for record in islice(tests, 1_000) for text in own(record)}
    assert {split_of(text) for text in train} == {"train"}
    assert {split_of(text) for text in test} == {"test"}
    assert train.isdisjoint(test)


@pytest.mark.parametrize("name", TOLD)
def test_training_text_states_no_held_out_fact(name):
    law = LAWS[name]
    found = samples.train(name) + (samples.test(name) if law.told_in_tests else ())
    told = {text for record in found for text in law.told(record)}
    assert [text for text in told if states_held_out(text)] == []


@pytest.mark.parametrize("name", SPLIT)
def test_texts_are_plain_sentences(name):
    """They are spelled as their words are joined, and nothing of a grammar's notation is left."""
    law = LAWS[name]
    for record in samples.train(name)[:4_000]:
        for plain in (law.plain or law.own)(record):
            assert detokenise(words(plain)) == plain
            assert plain[0].isupper() or plain.startswith((BLANK, '"')), plain
            assert plain[-1] in law.ends, plain
            assert not re.search(r"[()~*\[\]{}<>|@/]|_", plain.replace(BLANK, "")), plain


@pytest.mark.parametrize("name", LAWS)
def test_records_are_whole_characters_that_a_file_can_hold(name):
    for record in make(name, 200, seed=3):
        json.dumps(record, default=vars, ensure_ascii=False).encode()  # raises for half a pair


# --- log-probabilities ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options"),
    [("stories", {"bias": 0.0}), ("stories", {"bias": 0.4}), ("stories", {"bias": 1.0}),
     ("almanac", {})],
)  # fmt: skip
@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**9))
def test_log_probabilities_are_exact_and_finite(name, options, seed):
    """The slow reading of the grammar, which factors nothing, finds the same."""
    for document in make(name, 2, seed=seed, **options):
        *told, end = document.tokens
        assert end == world.END and world.END not in told
        assert len(document.logps) == len(document.tokens)
        assert all(math.isfinite(p) and p <= 1e-12 for p in document.logps)
        assert document.log_prob == math.fsum(document.logps)
        if name == "stories":
            exact = world.story_log_prob(document.tokens, **options)
        else:
            exact = [*forward(entries.rules(), told, "entry"), 0.0]
        assert exact == pytest.approx(document.logps, abs=1e-9)
