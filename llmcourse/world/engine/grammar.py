"""A probabilistic grammar over whole documents: its notation, and the slow, plain reading of it.

A grammar is a set of named rules, written as text (`parse` explains the notation):

    story: <hero:person> sat . {hero.he} [slept|3: ate] . </s>

Read from left to right, this picks a person, say Mia, and writes "Mia sat ."; repeats the field
`he` of that pick, "she"; chooses "ate" with probability 3/4; ends. A document's probability is the
product over the choices and picks that write it: here P(Mia) * 3/4.

The same rules are read in two ways. `machine.Machine` compiles them into a graph in which the text
so far determines the state, and samples fast. This module reads them as they stand: `forward` and
`next_probs` keep every state that the text so far may have led to, and sum over them. That is slow,
scores any token sequence, and is what the tests hold the fast reading against.

Left out: recursion through the start of a rule (the compiled form has no place for it).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

END = "</s>"


class GrammarError(ValueError):
    """A grammar that cannot be read, or whose alternatives begin with the same token."""


@dataclass(frozen=True)
class Domain:
    """Things a slot may hold: `rows` of words, one for each of `fields`, picked with `weights`.

    The first field is the name: what a pick writes, and what tells two rows apart.
    """

    fields: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    weights: tuple[float, ...]

    def picks(self, written: str, article: str) -> list[tuple[float, tuple[str, ...], str]]:
        """Return (weight, row, word written) for each row that takes `article` ("" for any)."""
        column = self.fields.index(written or self.fields[0])
        takes = self.fields.index("a") if article else -1
        return [
            (weight, row, row[column])
            for row, weight in zip(self.rows, self.weights, strict=True)
            if weight > 0 and (not article or row[takes] == article.lower())
        ]


# --- what a rule consists of ------------------------------------------------------------------


class Slot(NamedTuple):
    """Write field `part` ("" for the name) of what an earlier pick put into slot `name`."""

    name: str
    part: str


class Pick(NamedTuple):
    """Pick a row of `domain` into slot `name` and write its field `written` ("" for the name).

    given: the slot whose name says which domain of the table `domain` to pick from.
    article: the article that was just written, so that only rows that take it are picked.
    """

    name: str
    domain: str
    given: str = ""
    written: str = ""
    article: str = ""


class Call(NamedTuple):
    """Write what rule `rule` writes, or only `rest`, the end of it, where that is not empty."""

    rule: str
    rest: Body = ()


@dataclass(frozen=True, eq=False)
class Choice:
    """One of several (probability, body) options; the probabilities sum to 1."""

    options: tuple[tuple[float, Body], ...]


Item = str | Slot | Pick | Call | Choice
Body = tuple[Item, ...]  # what a rule, or one option of a choice, writes from left to right


@dataclass
class Rules:
    """Named rules over domains; `tables` hold domains that depend on the name in another slot.

    `parse` explains the notation of `texts`. A rule is parsed when it is first asked for.
    """

    texts: Mapping[str, str]
    domains: Mapping[str, Domain]
    tables: Mapping[str, Mapping[str, Domain]] = field(default_factory=dict)
    _parsed: dict[str, Body] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Body:
        """Return the body of rule `name`; in `name:role`, slot `x` of the rule is slot `role`."""
        if name not in self._parsed:
            base, _, role = name.partition(":")
            if base not in self.texts:
                raise GrammarError(f"expected a rule, got @{name}; rules: {', '.join(self.texts)}")
            text = self.texts[base]
            if role:
                text = re.sub(r"\{x(?=[.}])", "{" + role, text)  # {x.he} -> {friend.he}
                text = re.sub(r"/x>", f"/{role}>", text)  # <gift:things/x> -> <gift:things/friend>
                text = re.sub(r"(@\w+):x\b", rf"\1:{role}", text)  # @glad:x -> @glad:friend
            self._parsed[name] = parse(text, self)
        return self._parsed[name]

    def domains_of(self, pick: Pick) -> list[Domain]:
        """Return every domain `pick` may draw from: one, or one for each name in slot `given`."""
        known = self.tables if pick.given else self.domains
        if pick.domain not in known:
            raise GrammarError(
                f"expected one of {', '.join(known)}, got {pick.domain} for {pick.name}"
            )
        if pick.given:
            return list(self.tables[pick.domain].values())
        return [self.domains[pick.domain]]

    def domain(self, pick: Pick, name: str) -> Domain:
        """Return the domain `pick` draws from when the slot `given`, if any, holds this name."""
        return self.tables[pick.domain][name] if pick.given else self.domains[pick.domain]


# --- from text to bodies ----------------------------------------------------------------------

_LEXEME = re.compile(r"\{[^}]*\}|<[^>]*>|[\[\]|]|@[\w:]+|[^\s\[\]|]+")
_WEIGHT = re.compile(r"\d+(?:\.\d+)?:")


def parse(text: str, rules: Rules) -> Body:
    """Return the body of rule `text`: one alternative a line, an optional weight (`3:`) before it.

    A blank line ends a choice and starts the next one: a rule of three paragraphs writes three
    times. An indented line continues the line above. On a line::

        word                   writes the word
        [a|2: b c|]            chooses; an empty option writes nothing
        <hero:person>          picks a row of domain person into slot hero, writes its name
        <gift:thing.plural>    picks, and writes another field than the name
        <a gift:thing>         picks, and writes the right article first
        <friend:friends/hero>  picks from the domain that table friends has for the name in hero
        {hero.his}             writes a field of what a slot holds
        @rule                  writes what the rule writes
        @rule:friend           the same, where the slot x of the rule is the slot friend

    Raises GrammarError for a bracket without its partner.
    """
    paragraphs = [
        part.splitlines() for part in re.split(r"\n\s*\n", re.sub(r"\n +", " ", text.strip()))
    ]
    # a paragraph is a choice among its lines
    lexemes = _LEXEME.findall(" ".join("[" + "|".join(lines) + "]" for lines in paragraphs))
    body, end = _parse_body(lexemes, 0, rules)
    if end != len(lexemes):
        raise GrammarError(f"expected balanced brackets, got {text.strip()[:60]!r}")
    return body


def _parse_body(lexemes: Sequence[str], at: int, rules: Rules) -> tuple[Body, int]:
    """Return the body that begins at lexeme `at`, and the index at which it ends: of a |, a ], or
    the number of lexemes.
    """
    items: list[Item] = []
    while at < len(lexemes) and lexemes[at] not in ("|", "]"):
        lexeme = lexemes[at]
        if lexeme == "[":
            choice, at = _parse_choice(lexemes, at + 1, rules)
            items += choice
            continue
        items += _parse_item(lexeme, rules)
        at += 1
    return tuple(items), at


def _parse_choice(lexemes: Sequence[str], at: int, rules: Rules) -> tuple[Body, int]:
    """Return the choice whose first option begins at lexeme `at`, and the index after its ]."""
    options: list[tuple[float, Body]] = []
    while True:
        weight = 1.0
        if at < len(lexemes) and _WEIGHT.fullmatch(lexemes[at]):
            weight, at = float(lexemes[at][:-1]), at + 1
        body, at = _parse_body(lexemes, at, rules)
        options.append((weight, body))
        if at >= len(lexemes):
            raise GrammarError(f"expected ], got the end of {' '.join(lexemes)[:60]!r}")
        at += 1
        if lexemes[at - 1] == "]":
            return _choose(options), at


def _choose(options: Sequence[tuple[float, Body]]) -> Body:
    """Return the options normalised into a Choice; the one body where there is only one."""
    options = [option for option in options if option[0] > 0]
    if len(options) == 1:
        return options[0][1]
    total = sum(weight for weight, _ in options)
    return (Choice(tuple((weight / total, body) for weight, body in options)),)


def _parse_item(lexeme: str, rules: Rules) -> Body:
    if lexeme[0] == "@":
        return (Call(lexeme[1:]),)
    if lexeme[0] == "{":
        name, _, part = lexeme[1:-1].partition(".")
        return (Slot(name, part),)
    if lexeme[0] != "<" or lexeme == END:
        return (lexeme,)
    *articles, inside = lexeme[1:-1].split(" ")
    name, _, source = inside.partition(":")
    source, _, given = source.partition("/")
    domain, _, written = source.partition(".")
    pick = Pick(name, domain, given, written)
    if not articles:
        return (pick,)
    # "a" or "an" is a choice of its own, weighted by the rows that take it; the pick follows it
    article = articles[0]
    options = []
    for word in (article, article + "n"):
        form = Pick(name, domain, given, written, word)
        weight = sum(w for d in rules.domains_of(form) for w, *_ in d.picks(written, word))
        options.append((weight, (word, form)))
    if given:
        raise GrammarError(f"expected an article with a plain domain, got {lexeme}")
    return _choose(options)


# --- the slow reading: every state that the text may have led to -------------------------------

Slots = Mapping[str, Mapping[str, str]]  # what each slot holds: its fields by name
State = tuple[Body, Slots]  # what is still to be written, and what has been picked
Beliefs = list[tuple[float, State]]  # probabilities that sum to 1, each with its state


def moves(rules: Rules, state: State) -> Iterator[tuple[float, str, State]]:
    """Yield (probability, token, next state) for each way to write one more token from `state`."""
    body, slots = state
    if not body:
        return
    head, rest = body[0], body[1:]
    if isinstance(head, str):
        yield 1.0, head, (rest, slots)
    elif isinstance(head, Slot):
        named = slots[head.name]
        word = named[head.part] if head.part else next(iter(named.values()))
        yield 1.0, word, (rest, slots)
    elif isinstance(head, Call):
        # a call writes nothing itself: its body is put in its place
        yield from moves(rules, ((head.rest or rules[head.rule]) + rest, slots))
    elif isinstance(head, Choice):
        # nor does a choice: each option is put in its place, with its probability
        for p, option in head.options:
            for q, token, after in moves(rules, (option + rest, slots)):
                yield p * q, token, after
    else:
        name = next(iter(slots[head.given].values())) if head.given else ""
        domain = rules.domain(head, name)
        picks = domain.picks(head.written, head.article)
        total = sum(weight for weight, _, _ in picks)
        for weight, row, word in picks:
            named = dict(zip(domain.fields, row, strict=True))
            yield weight / total, word, (rest, {**slots, head.name: named})


def forward(rules: Rules, tokens: Iterable[str], start: str = "story") -> list[float]:
    """Return the natural log-probability of each token; -inf from the first impossible one on.

    A text that does not end in END is scored as a prefix of longer ones.
    """
    beliefs = _begin(start)
    logps = []
    for token in tokens:
        p, beliefs = _update(rules, beliefs, token)
        logps.append(math.log(p) if p else -math.inf)
    return logps


def next_probs(rules: Rules, tokens: Iterable[str], start: str = "story") -> dict[str, float]:
    """Return the exact distribution of the token after `tokens`.

    Empty after END, and if the grammar cannot produce these tokens.
    """
    beliefs = _begin(start)
    for token in tokens:
        _, beliefs = _update(rules, beliefs, token)
    probs: dict[str, float] = {}
    for belief, state in beliefs:
        for p, word, _ in moves(rules, state):
            probs[word] = probs.get(word, 0.0) + belief * p
    total = math.fsum(probs.values())
    return {word: p / total for word, p in probs.items()}


def _begin(start: str) -> Beliefs:
    return [(1.0, ((Call(start),), {}))]


def _update(rules: Rules, beliefs: Beliefs, token: str) -> tuple[float, Beliefs]:
    """Return P(token | text so far) and the beliefs after it, which are empty if that is 0.

    The forward algorithm: with b(s) the belief in state s before the token,
    b'(s') = sum over s of b(s) P(token, s' | s) / P(token). States are not merged, as two equal
    ones are rare.
    """
    after = [
        (belief * p, state)
        for belief, before in beliefs
        for p, word, state in moves(rules, before)
        if word == token
    ]
    total = sum(p for p, _ in after)
    return total, [(p / total, state) for p, state in after]


def documents(rules: Rules, start: str = "story") -> Iterator[tuple[tuple[str, ...], float]]:
    """Yield every document of a small grammar with its probability.

    A document that the rules can write in several ways is yielded once for each way.
    """

    def grow(
        state: State, words: tuple[str, ...], p: float
    ) -> Iterator[tuple[tuple[str, ...], float]]:
        if not state[0]:
            yield words, p
        for q, token, after in moves(rules, state):
            yield from grow(after, (*words, token), p * q)

    return grow(((Call(start),), {}), (), 1.0)
