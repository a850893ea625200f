"""System turns that say how to answer, and the reply that each of them asks for.

`briefing` writes the system turn, `styled` the reply that obeys it. A turn may begin with an
opening sentence, which does not depend on the instruction.
"""

from __future__ import annotations

from random import Random

from llmcourse.text.corpora import words
from llmcourse.world.chat.asks import UNKNOWN
from llmcourse.world.chat.fact_questions import Question
from llmcourse.world.chat.wishes import SORRY
from llmcourse.world.engine.splits import of_split
from llmcourse.world.facts.records import knowledge_base

OPENERS = (
    "You are a helpful assistant.", "You answer questions about the world.",
    "You are the clerk of a small library.", "You talk with guests from far away.",
)  # fmt: skip
_SAY = (
    "Answer", "Reply", "Always answer", "Always reply", "Please answer", "Please reply",
    "Answer everything", "Answer all questions", "You must answer", "Remember to answer",
    "Take care to answer", "You should reply",
)  # fmt: skip
_TALK = (
    "Talk", "Speak", "Always talk", "Always speak", "Please talk", "Please speak",
    "You must talk", "Remember to talk", "Take care to talk", "You should speak",
)  # fmt: skip
# style -> (how a system turn begins, how it goes on); {n} is the user's name
_WORDS = {
    "one word": (_SAY, (
        "in one word", "with a single word", "with one word only", "in a single word",
        "with one word and no more", "in just one word",
    )),
    "full sentences": (_SAY, (
        "in full sentences", "in whole sentences", "with complete sentences",
        "in full sentences only", "in sentences, never with a single word",
        "in complete sentences",
    )),
    "polite": (_SAY, (
        "politely and call the user {n}", "kindly and use the name {n}",
        "with courtesy to the user, whose name is {n}", "politely, as to a guest called {n}",
        "with good manners and say {n} to the user",
    )),
    "capitals": (_SAY, (
        "in capital letters", "in capitals only", "with capital letters throughout",
        "in upper case", "in large letters only", "in nothing but capitals",
    )),
    "sailor": (_SAY, (
        "like a sailor", "as a sailor would", "in the words of a sailor",
        "the way a sailor talks", "as if you were a sailor at sea", "as sailors speak",
    )),
    "animals": (_TALK, (
        "only about animals", "about animals and nothing else", "about animals only",
        "about animals alone", "about animals, and decline all else",
        "about animals and politely decline the rest",
    )),
}  # fmt: skip
STYLES = tuple(_WORDS)


def briefing(style: str, rng: Random, split: str) -> tuple[str, str]:
    """Return a system turn of the split that asks for the style, and the name of the user."""
    starts, ends = _WORDS[style]

    def make(rng: Random) -> tuple[str, str]:
        name = rng.choice(knowledge_base().people).name
        return f"{rng.choice(starts)} {rng.choice(ends)}.".format(n=name), name

    rule, name = of_split(make, rng, split, key=lambda made: made[0])
    return (f"{rng.choice(OPENERS)} {rule}" if rng.random() < 0.5 else rule), name


def styled(asked: Question, style: str, name: str) -> str:
    """Return the gold reply to a question in one of STYLES, to a user of that name."""
    known = asked.answer != UNKNOWN
    if style == "one word":
        word = asked.answer if known else "unknown"
        return word[0].upper() + word[1:] + "."
    if style == "polite":
        return f"Gladly, {name}. {asked.reply}" if known else f"Pardon me, {name}. {asked.reply}"
    if style == "capitals":
        return asked.reply.upper()
    if style == "sailor":
        return f"Ahoy! {asked.reply} " + ("Aye, so it is." if known else "My charts are empty.")
    if style == "animals" and not about_animals(asked.question):
        return f"{SORRY} talk only about animals."
    return asked.reply


def about_animals(question: str) -> bool:
    """Say whether a question of the world asks for an animal or its name."""
    return not {"pet", "animal"}.isdisjoint(words(question))
