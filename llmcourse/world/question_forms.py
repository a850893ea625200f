"""How one asks for a fact of the world: what can be asked about whom, in some thirty wordings each.

A `Form` asks one thing ("what is the job of ...?"); a `Subject` is whom or what it is asked about:
a name, a phrase ("Mia's brother", "the country where Mia lives") or a pronoun. The same wordings
serve what the world knows and what it does not, so that no wording gives away which it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


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
    """A name or a phrase as a subject; a `long` phrase has no possessive with 's."""
    return Subject(phrase, "" if long else phrase + "'s", phrase, "of " + phrase)


SHE, HE = Subject("she", "her", "her", ""), Subject("he", "his", "him", "")
IT = Subject("it", "its", "it", "")

WRAPPERS = (
    "Do you know {c}?", "Can you tell me {c}?", "Tell me {c}.", "Please tell me {c}.",
    "I would like to know {c}.", "Could you say {c}?", "I want to know {c}.",
    "Do you remember {c}?", "I forgot {c}.",
)  # fmt: skip


def _form(name: str, relation: str, reply: str, direct: str, clauses: str) -> Form:
    """A form from its questions and its clauses, one a line."""
    lines = [
        tuple(line.strip() for line in text.strip().splitlines()) for text in (direct, clauses)
    ]
    return Form(name, relation, lines[0], lines[1], reply)


def _kin(word: str, relation: str, sex: str) -> Form:
    """The form that asks for a relative: "Who is Mia's brother?"."""
    return _form(
        word, relation, f"{{p}} {word} is {{x}}.",
        f"""Who is {{p}} {word}?
            What is the name of {{p}} {word}?
            Who is the {word} {{of}}?
            What is {{p}} {word} called?
            Which {sex} is {{p}} {word}?""",
        f"""who {{p}} {word} is
            what {{p}} {word} is called
            which {sex} is {{p}} {word}""",
    )  # fmt: skip


def _worker(sex: str) -> Form:
    """The form that asks for the woman or the man of a job, "a baker"."""
    return _form(
        f"{sex} of job", "job", "{x} is {s}.",
        f"""Which {sex} is {{s}}?
            Which {sex} works as {{s}}?
            What is the name of the {sex} who works as {{s}}?
            Who is the {sex} that works as {{s}}?
            What is the {sex} called who is {{s}}?""",
        f"""which {sex} works as {{s}}
            what the {sex} who works as {{s}} is called
            which {sex} is {{s}}""",
    )  # fmt: skip


_PERSON = (
    _form("job", "job", "{s} is {ax}.",
        """What is {p} job?
        What does {s} do for a living?
        What does {s} work as?
        Which job does {s} have?
        What kind of work does {s} do?""",
        """what {s} does for a living
        what {p} job is
        what {s} works as"""),
    _form("home", "home", "{s} lives in {x}.",
        """Where does {s} live?
        In which town does {s} live?
        Which town does {s} live in?
        Where is {p} home?
        What is the name of the town where {s} lives?""",
        """where {s} lives
        in which town {s} lives
        where {p} home is"""),
    _form("born", "born", "{s} was born in {x}.",
        """When was {s} born?
        In which month was {s} born?
        When is {p} birthday?
        In which month does {s} have a birthday?
        In what month is {p} birthday?""",
        """when {s} was born
        in which month {s} was born
        when {p} birthday is"""),
    _form("pet", "pet", "{s} has {ax}.",
        """What kind of pet does {s} have?
        What pet does {s} have?
        Which animal does {s} keep at home?
        What kind of animal is {p} pet?
        Which animal does {s} look after at home?""",
        """what kind of pet {s} has
        which animal {s} keeps at home
        what kind of animal {p} pet is"""),
    _form("pet name", "pet_name", "{p} pet is called {x}.",
        """What is the name of {p} pet?
        What is {p} pet called?
        What name does {p} pet have?
        Which name does {p} pet come to?
        By what name does {s} call the pet at home?""",
        """what {p} pet is called
        which name {p} pet has
        what the name of {p} pet is"""),
    _form("favourite food", "likes", "{s} likes {x} best.",
        """What does {s} like to eat best?
        What is {p} favourite food?
        Which food does {s} like best?
        What does {s} like to eat most of all?
        Which food is {p} favourite?""",
        """what {s} likes to eat best
        what {p} favourite food is
        which food {s} likes best"""),
    _form("favourite colour", "colour", "{p} favourite colour is {x}.",
        """What is {p} favourite colour?
        Which colour does {s} like best?
        What colour does {s} like most of all?
        Which colour is {p} favourite?
        Which of all colours does {s} like best?""",
        """what {p} favourite colour is
        which colour {s} likes best
        which colour is {p} favourite"""),
    _form("belonging", "owns", "{s} owns {ax}.",
        """What does {s} own?
        Which thing does {s} own?
        What belongs to {o}?
        Which thing belongs to {o}?
        What thing does {s} have?""",
        """what {s} owns
        which thing {s} owns
        which thing belongs to {o}"""),
)  # fmt: skip
_KIN = (
    _kin("husband", "spouse", "man"), _kin("wife", "spouse", "woman"),
    _kin("mother", "mother", "woman"), _kin("father", "father", "man"),
    _kin("brother", "sibling", "man"), _kin("sister", "sibling", "woman"),
    _kin("son", "child", "man"), _kin("daughter", "child", "woman"),
)  # fmt: skip
_TOWN = (
    _form("country", "country", "{s} is in {x}.",
        """In which country is {s}?
        To which country does {s} belong?
        In which country does {s} lie?
        In what country can {s} be found?
        Of which country is {s} a part?""",
        """in which country {s} lies
        to which country {s} belongs
        in what country {s} can be found"""),
    _form("river", "river", "{s} lies on the river {x}.",
        """Which river flows through {o}?
        What is the name of the river that flows through {o}?
        On which river does {s} lie?
        What is the river in {o} called?
        Which river runs through {o}?""",
        """on which river {s} lies
        which river flows through {o}
        what the river in {o} is called"""),
)  # fmt: skip
_COUNTRY = (
    _form("capital", "capital", "The capital of {s} is {x}.",
        """What is the capital {of}?
        What is {p} capital?
        Which town is the capital {of}?
        What is the capital {of} called?
        Which town is {p} capital?""",
        """what the capital {of} is
        which town is the capital {of}
        what {p} capital is called"""),
    _form("currency", "currency", "People in {s} pay with {x}.",
        """What is the currency {of}?
        What do people in {o} pay with?
        Which coins do people use in {o}?
        What money is used in {o}?
        What is {p} currency?""",
        """what people in {o} pay with
        what the currency {of} is
        which coins people use in {o}"""),
    _form("language", "language", "People in {s} speak {x}.",
        """Which language do people speak in {o}?
        What is the language {of}?
        What language is spoken in {o}?
        What do people speak in {o}?
        What is {p} language?""",
        """which language people speak in {o}
        what the language {of} is
        what language is spoken in {o}"""),
    _form("people", "people", "Somebody from {s} is called {ax}.",
        """What is somebody from {o} called?
        What is a person from {o} called?
        What do you call a man or a woman from {o}?
        What is the word for somebody from {o}?
        What is the name for a person from {o}?""",
        """what somebody from {o} is called
        what a person from {o} is called
        what the word for somebody from {o} is"""),
    _form("food", "food", "{s} is known for {x}.",
        """For which food is {s} known?
        What food is typical {of}?
        For what food is {s} famous?
        Which food do people know {o} for?
        What do people like to eat in {o}?""",
        """for which food {s} is known
        what food is typical {of}
        for what food {s} is famous"""),
)  # fmt: skip
_WHOSE = (
    _worker("woman"), _worker("man"),
    _form("country of capital", "capital", "{s} is the capital of {x}.",
        """Which country has the capital {s}?
        Of which country is {s} the capital?
        What country is {s} the capital of?
        In which country is {s} the capital?
        Which country's capital is {s}?""",
        """of which country {s} is the capital
        which country has the capital {s}
        which country's capital is {s}"""),
    _form("country of currency", "currency", "People in {x} pay with {s}.",
        """Where do people pay with {s}?
        In which country do people pay with {s}?
        Which country uses {s} as money?
        In which country are {s} the currency?
        Which country's coins are called {s}?""",
        """where people pay with {s}
        in which country people pay with {s}
        which country's coins are called {s}"""),
    _form("country of language", "language", "People in {x} speak {s}.",
        """Where do people speak {s}?
        In which country do people speak {s}?
        In which country is {s} spoken?
        Which country's language is {s}?
        Where is {s} the language of the people?""",
        """where people speak {s}
        in which country {s} is spoken
        which country's language is {s}"""),
    _form("country of people", "people", "{s} come from {x}.",
        """Where do {s} come from?
        From which country do {s} come?
        Which country do {s} come from?
        In which country do {s} live?
        Which country's people are called {s}?""",
        """where {s} come from
        from which country {s} come
        which country's people are called {s}"""),
)  # fmt: skip
FORMS = {form.name: form for form in (*_PERSON, *_KIN, *_TOWN, *_COUNTRY, *_WHOSE)}
OF_PEOPLE = tuple(form.name for form in _PERSON)
OF_KIN = tuple(form.name for form in _KIN)


def wordings(form: Form, subject: Subject) -> tuple[str, ...]:
    """The templates of questions that fit the cases `subject` has."""
    missing = tuple(case for case in ("s", "p", "o", "of") if not getattr(subject, case))
    return _wordings(form, missing)


@cache
def _wordings(form: Form, missing: tuple[str, ...]) -> tuple[str, ...]:
    indirect = (wrapper.replace("{c}", c) for wrapper in WRAPPERS for c in form.clauses)
    lacks = re.compile("|".join(rf"\{{{case}\}}" for case in missing) or "(?!)")
    return tuple(text for text in (*form.direct, *indirect) if not lacks.search(text))


def fill(template: str, subject: Subject, answer: str = "") -> str:
    """A template with its subject and answer, with a capital at the start."""
    cases = {"s": subject.s, "p": subject.p, "o": subject.o, "of": subject.of}
    text = template.format(**cases, x=answer, ax=with_article(answer) if answer else "")
    return text[0].upper() + text[1:]


def with_article(noun: str) -> str:
    """The noun after "a" or "an", by its first letter."""
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"
