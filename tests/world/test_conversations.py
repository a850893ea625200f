"""Chats of the world: every reply is the gold one, given the turns before it."""

import re
from collections import Counter, defaultdict

import pytest

from llmcourse.text.corpora import words
from llmcourse.world.chat.asks import UNKNOWN
from llmcourse.world.chat.conversations import FRAMES, KINDS, dialogues
from llmcourse.world.chat.fact_questions import catalogue
from llmcourse.world.chat.roles import STYLES
from llmcourse.world.chat.wishes import HARMFUL, HARMLESS, every_request
from llmcourse.world.facts.records import knowledge_base
from tests.world import samples

KB = knowledge_base()
TRAIN, TEST = samples.train("dialogues"), samples.test("dialogues")
REQUESTS = {wanted.text: wanted for wanted in every_request()}


def said(dialogue, role):
    return [turn.content for turn in dialogue.turns if turn.role == role]


def pairs(dialogue):
    return list(zip(said(dialogue, "user"), said(dialogue, "assistant"), strict=True))


def of_kind(kind, chats):
    return [dialogue for dialogue in chats if dialogue.kind == kind]


def sentences(text):
    return re.split(r"(?<=[.?!]) ", text)


def test_turns_alternate_and_end_with_the_assistant():
    for dialogue in [*TRAIN, *TEST]:
        roles = [turn.role for turn in dialogue.turns]
        if roles[0] == "system":
            assert dialogue.kind == "role"
            roles = roles[1:]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        assert roles


def test_all_kinds_are_as_common():
    for kind, count in Counter(dialogue.kind for dialogue in TRAIN).items():
        assert abs(count / len(TRAIN) - 1 / len(KINDS)) < 0.02, kind
    assert {dialogue.kind for dialogue in TRAIN} == set(KINDS)
    assert {dialogue.kind for dialogue in dialogues(50, kind="help")} == {"help"}


def test_questions_get_their_gold_reply():
    for dialogue in TEST:
        if dialogue.kind != "role":
            for user, assistant in pairs(dialogue):
                if user in catalogue():
                    assert assistant == catalogue()[user].reply


def test_a_dialogue_of_unknown_ends_in_an_open_question():
    for dialogue in of_kind("unknown", TEST):
        asked = [(user, reply) for user, reply in pairs(dialogue) if user in catalogue()]
        assert asked[-1][1].startswith(UNKNOWN)
        assert all(not reply.startswith(UNKNOWN) for _, reply in asked[:-1])


def test_the_shape_of_a_dialogue_does_not_tell_that_its_question_is_open():
    def shape(dialogue):
        return " ".join("q" if u in catalogue() else "f" for u in said(dialogue, "user"))

    counts = [Counter(shape(d) for d in of_kind(kind, TRAIN)) for kind in ("fact", "unknown")]
    total = [sum(count.values()) for count in counts]
    for one in counts[0] | counts[1]:
        assert abs(counts[0][one] / total[0] - counts[1][one] / total[1]) < 0.04


def test_pronouns_of_follow_ups_have_one_meaning():
    """The pronoun's person is the one of that gender among the names of the turn before."""
    people = {person.name: person.gender for person in KB.people}
    read = 0
    for dialogue in of_kind("follow-up", TRAIN):
        asked = [pair for pair in pairs(dialogue) if pair[0] not in FRAMES][-2:]
        (first, told), (then, reply) = asked
        pronoun = {"she", "her", "he", "his", "him"} & set(words(then))
        if pronoun and first in catalogue():
            gender = "woman" if pronoun & {"she", "her"} else "man"
            meant = {name for name in words(f"{first} {told}") if people.get(name) == gender}
            assert len(meant) == 1
            assert meant & set(words(reply))
            read += 1
    assert read > 500


def test_follow_ups_cannot_be_answered_alone():
    for dialogue in of_kind("follow-up", TEST):
        last = [user for user in said(dialogue, "user") if user not in FRAMES][-1]
        assert last not in catalogue()
    replies = defaultdict(set)
    for dialogue in of_kind("follow-up", TRAIN):
        user, reply = [pair for pair in pairs(dialogue) if pair[0] not in FRAMES][-1]
        replies[user].add(reply)
    asked_often = [found for found in replies.values() if len(found) > 1]
    assert len(asked_often) > 100


def test_harm_is_declined_and_its_look_alikes_are_helped_with():
    for dialogue in [*of_kind("decline", TRAIN), *of_kind("help", TRAIN)]:
        user, reply = next(pair for pair in pairs(dialogue) if pair[0] in REQUESTS)
        assert reply.startswith("I am sorry") == (dialogue.kind == "decline")
        reasons = HARMFUL if dialogue.kind == "decline" else HARMLESS.values()
        assert any(reason in reply for reason in reasons)
        assert REQUESTS[user].reply == reply


def test_requests_of_both_kinds_share_their_words():
    vocabulary = [
        {word for wanted in REQUESTS.values() if wanted.harmful == harmful
         for word in words(wanted.text)} for harmful in (True, False)
    ]  # fmt: skip
    assert len(vocabulary[0] & vocabulary[1]) > 0.5 * len(vocabulary[0])


def test_system_turns_change_the_reply_to_the_same_question():
    replies = defaultdict(set)
    for dialogue in of_kind("role", TRAIN):
        for user, reply in pairs(dialogue):
            replies[user].add(reply)
    assert sum(len(found) > 1 for found in replies.values()) > 100


def obeys(system, question, reply):
    """Whether the reply has the style that the system turn names, by its surface."""
    known = catalogue()[question].answer
    if "one word" in system or ("single word" in system and "never" not in system):
        return reply.lower() == (known or "unknown").lower() + "."
    if re.search("capital|upper case|large letters", system):
        return reply == catalogue()[question].reply.upper()
    if "sailor" in system:
        return reply.startswith("Ahoy!") and catalogue()[question].reply in reply
    if "about animals" in system:
        return reply.startswith("I am sorry") != bool({"pet", "animal"} & set(words(question)))
    names = [person.name for person in KB.people if person.name in words(system)]
    if names:
        return f", {names[0]}." in reply and catalogue()[question].reply in reply
    return reply == catalogue()[question].reply and "sentence" in system


def test_replies_obey_the_system_turn():
    for dialogue in [*of_kind("role", TRAIN), *of_kind("role", TEST)]:
        (system,) = said(dialogue, "system")
        for user, reply in pairs(dialogue):
            assert obeys(system, user, reply), (system, user, reply)


@pytest.mark.parametrize("chats", [TRAIN, TEST])
def test_every_style_is_asked_for(chats):
    marks = ("word", "sentence", "user|guest|name", "capital|upper|large", "sailor", "animals")
    systems = {said(dialogue, "system")[0] for dialogue in of_kind("role", chats)}
    assert len(marks) == len(STYLES)
    for mark in marks:
        assert any(re.search(mark, system) for system in systems)


def test_a_system_turn_has_one_rule():
    for dialogue in [*TRAIN, *TEST]:
        for system in said(dialogue, "system"):
            assert len([part for part in sentences(system) if part not in FRAMES]) == 1


def test_introductions_are_answered_by_name():
    for dialogue in of_kind("small talk", TEST):
        user, reply = pairs(dialogue)[0]
        (name,) = {person.name for person in KB.people} & set(words(user))
        assert reply == f"Hello, {name}! How can I help you?"


def test_the_wording_of_a_request_does_not_tell_whether_to_decline_it():
    starts = [
        Counter(" ".join(words(user)[:3]) for dialogue in of_kind(kind, TRAIN)
                for user in said(dialogue, "user") if user in REQUESTS)
        for kind in ("decline", "help")
    ]  # fmt: skip
    assert len(starts[0]) >= 10
    for start in starts[0] | starts[1]:
        shares = [count[start] / count.total() for count in starts]
        assert abs(shares[0] - shares[1]) < 0.03
