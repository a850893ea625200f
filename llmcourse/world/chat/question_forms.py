"""How to ask for a fact of the world: what can be asked about whom, in some thirty wordings each.

A `Form` asks one thing ("what is the job of ...?"); a `Subject` is whom or what it is asked about:
a name, a phrase ("Mia's brother", "the country where Mia lives") or a pronoun. Known and unknown
facts are asked for in the same wordings, so that no wording shows which it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from llmcourse.world.engine.spelling import with_article
from llmcourse.world.engine.text_files import sections


@dataclass(frozen=True)
class Subject:
    """The cases of a noun phrase: "{s} lives", "{p} job", "of {o}". An empty case is not used.

    `of` is "of" with the phrase; pronouns have none ("the job of her").
    """

    s: str
    p: str
    o: str
    of: str


@dataclass(frozen=True)
class Form:
    """One thing to ask.

    `direct` are questions and `clauses` indirect ones; the first clause is what an answerer says it
    does not know. `reply` has the answer in {x}, or with its article in {ax}.
    """

    name: str
    relation: str
    direct: tuple[str, ...]
    clauses: tuple[str, ...]
    reply: str


def named(phrase: str, *, long: bool = False) -> Subject:
    """Return a name or a phrase as a subject; a `long` phrase has no possessive with 's."""
    return Subject(phrase, "" if long else phrase + "'s", phrase, "of " + phrase)


SHE, HE = Subject("she", "her", "her", ""), Subject("he", "his", "him", "")
IT = Subject("it", "its", "it", "")

WRAPPERS = (
    "Do you know {c}?", "Can you tell me {c}?", "Tell me {c}.", "Please tell me {c}.",
    "I would like to know {c}.", "Could you say {c}?", "I want to know {c}.",
    "Do you remember {c}?", "I forgot {c}.",
)  # fmt: skip


# word for a relative: the relation, and which of the two it is
_KIN = {
    "husband": ("spouse", "man"), "wife": ("spouse", "woman"),
    "mother": ("mother", "woman"), "father": ("father", "man"),
    "brother": ("sibling", "man"), "sister": ("sibling", "woman"),
    "son": ("child", "man"), "daughter": ("child", "woman"),
}  # fmt: skip
OF_KIN = tuple(_KIN)
OF_PEOPLE = (
    "job", "home", "born", "pet", "pet name", "favourite food", "favourite colour", "belonging"
)  # fmt: skip


def _forms() -> Iterator[Form]:
    """Yield the forms of `texts/question_forms.txt`, whose head explains how they are written."""
    for name, text in sections("question_forms").items():
        if name == "kin":
            for word, (relation, sex) in _KIN.items():
                filled = text.replace("WORD", word).replace("RELATION", relation)
                yield _form(word, filled.replace("SEX", sex))
        elif name == "worker":
            for sex in ("woman", "man"):
                yield _form(f"{sex} of job", text.replace("SEX", sex))
        else:
            yield _form(name, text)


def _form(name: str, text: str) -> Form:
    head, _, questions = text.partition("\n")
    relation, reply = head.split(" | ")
    direct, clauses = (tuple(part.splitlines()) for part in questions.split("\n\n"))
    return Form(name, relation, direct, clauses, reply)


FORMS = {form.name: form for form in _forms()}


def wordings(form: Form, subject: Subject) -> tuple[str, ...]:
    """Return the templates of questions that fit the cases `subject` has."""
    missing = tuple(case for case in ("s", "p", "o", "of") if not getattr(subject, case))
    return _wordings(form, missing)


@cache
def _wordings(form: Form, missing: tuple[str, ...]) -> tuple[str, ...]:
    indirect = (wrapper.replace("{c}", c) for wrapper in WRAPPERS for c in form.clauses)
    lacks = re.compile("|".join(rf"\{{{case}\}}" for case in missing) or "(?!)")
    return tuple(text for text in (*form.direct, *indirect) if not lacks.search(text))


def fill(template: str, subject: Subject, answer: str = "") -> str:
    """Return a template with its subject and answer, with a capital at the start."""
    cases = {"s": subject.s, "p": subject.p, "o": subject.o, "of": subject.of}
    text = template.format(**cases, x=answer, ax=with_article(answer) if answer else "")
    return text[0].upper() + text[1:]
