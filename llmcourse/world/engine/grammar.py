"""A probabilistic grammar over whole documents: fast sampling and exact token probabilities.

Grammars are written as text, one alternative a line (`parse` explains the notation). Two readings
of the same rules exist side by side. `compile_rules` turns them into a left-factored graph: at
every choice point the alternatives begin with different tokens, so the text so far determines the
state, a document's probability is the product over its choices, and `Machine.sample` returns it
while writing. `forward` reads the rules as they stand, with no factoring: it keeps every state a
text may be in and sums over them. It is slow, scores any token sequence, and is what the tests hold
the fast reading against.

Left out: recursion through the start of a rule (it has no left-factored form).
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
        """(weight, row, word written) for each row that takes `article` ("" for any)."""
        column = self.fields.index(written or self.fields[0])
        takes = self.fields.index("a") if article else -1
        return [
            (weight, row, row[column])
            for row, weight in zip(self.rows, self.weights, strict=True)
            if weight > 0 and (not article or row[takes] == article.lower())
        ]


class Slot(NamedTuple):
    """Writes one field of what an earlier pick put into slot `name`."""

    name: str
    part: str


class Pick(NamedTuple):
    """Picks a row of `domain` (of the table for slot `given`, if named) into `name`, writes it."""

    name: str
    domain: str
    given: str = ""
    written: str = ""
    article: str = ""


class Call(NamedTuple):
    """Goes through another rule, then comes back."""

    rule: str
    rest: tuple[Item, ...] = ()


@dataclass(frozen=True, eq=False)
class Choice:
    """One of several (probability, sequence) options; probabilities sum to 1."""

    options: tuple[tuple[float, Sequence_], ...]


Item = str | Slot | Pick | Call | Choice
Sequence_ = tuple[Item, ...]

_LEXEME = re.compile(r"\{[^}]*\}|<[^>]*>|[\[\]|]|@[\w:]+|[^\s\[\]|]+")
_WEIGHT = re.compile(r"\d+(?:\.\d+)?:")


@dataclass
class Rules:
    """Named rules over domains; `tables` hold domains that depend on the name in another slot."""

    texts: Mapping[str, str]
    domains: Mapping[str, Domain]
    tables: Mapping[str, Mapping[str, Domain]] = field(default_factory=dict)
    _parsed: dict[str, Sequence_] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Sequence_:
        """The body of rule `name`. `name:role` is rule `name` with slot `x` meaning slot `role`."""
        if name not in self._parsed:
            base, _, role = name.partition(":")
            if base not in self.texts:
                raise GrammarError(f"expected a rule, got @{name}; rules: {', '.join(self.texts)}")
            text = self.texts[base]
            if role:
                text = re.sub(r"\{x(?=[.}])", "{" + role, text)
                text = re.sub(r"/x>", f"/{role}>", text)
                text = re.sub(r"(@\w+):x\b", rf"\1:{role}", text)
            self._parsed[name] = parse(text, self)
        return self._parsed[name]

    def domain(self, pick: Pick) -> list[Domain]:
        """Every domain `pick` may draw from: one, or one for each name that `given` may hold."""
        known = self.tables if pick.given else self.domains
        if pick.domain not in known:
            raise GrammarError(
                f"expected one of {', '.join(known)}, got {pick.domain} for {pick.name}"
            )
        return (
            list(self.tables[pick.domain].values()) if pick.given else [self.domains[pick.domain]]
        )


def parse(text: str, rules: Rules) -> Sequence_:
    """The sequence for rule `text`: one alternative a line, an optional weight (`3:`) before each.

    A blank line ends a choice and starts the next one: a rule of three paragraphs writes three
    times. An indented line goes on with the line above.
    `word` writes a word; `[a|2: b c|]` chooses inside a line (an empty option writes nothing);
    `{hero.his}` writes a field of a slot; `<hero:person>` picks and writes; `<gift:thing.plural>`
    writes another field than the name; `<a gift:thing>` writes the right article first;
    `<friend:friends/hero>` picks from the table entry of the name in slot hero; `@rule` goes
    through a rule, `@rule:friend` with its slot `x` meaning friend. Raises GrammarError for a
    bracket without its partner.
    """
    paragraphs = [
        part.splitlines() for part in re.split(r"\n\s*\n", re.sub(r"\n +", " ", text.strip()))
    ]
    lexemes = _LEXEME.findall(" ".join("[" + "|".join(lines) + "]" for lines in paragraphs))
    sequence, end = _parse_sequence(lexemes, 0, rules)
    if end != len(lexemes):
        raise GrammarError(f"expected balanced brackets, got {text.strip()[:60]!r}")
    return sequence


def _parse_sequence(lexemes: Sequence[str], at: int, rules: Rules) -> tuple[Sequence_, int]:
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


def _parse_choice(lexemes: Sequence[str], at: int, rules: Rules) -> tuple[Sequence_, int]:
    options: list[tuple[float, Sequence_]] = []
    while True:
        weight = 1.0
        if at < len(lexemes) and _WEIGHT.fullmatch(lexemes[at]):
            weight, at = float(lexemes[at][:-1]), at + 1
        sequence, at = _parse_sequence(lexemes, at, rules)
        options.append((weight, sequence))
        if at >= len(lexemes):
            raise GrammarError(f"expected ], got the end of {' '.join(lexemes)[:60]!r}")
        at += 1
        if lexemes[at - 1] == "]":
            return _choose(options), at


def _choose(options: Sequence[tuple[float, Sequence_]]) -> Sequence_:
    """Options normalised into a Choice; the sequence itself where there is only one."""
    options = [option for option in options if option[0] > 0]
    if len(options) == 1:
        return options[0][1]
    total = sum(weight for weight, _ in options)
    return (Choice(tuple((weight / total, sequence) for weight, sequence in options)),)


def _parse_item(lexeme: str, rules: Rules) -> Sequence_:
    if lexeme[0] == "@":
        return (Call(lexeme[1:]),)
    if lexeme[0] == "{":
        name, _, part = lexeme[1:-1].partition(".")
        return (Slot(name, part),)
    if lexeme[0] != "<" or lexeme == END:
        return (lexeme,)
    *articles, body = lexeme[1:-1].split(" ")
    name, _, source = body.partition(":")
    source, _, given = source.partition("/")
    domain, _, written = source.partition(".")
    pick = Pick(name, domain, given, written)
    if not articles:
        return (pick,)
    article = articles[0]
    options = []
    for word in (article, article + "n"):
        form = Pick(name, domain, given, written, word)
        weight = sum(w for d in rules.domain(form) for w, *_ in d.picks(written, word))
        options.append((weight, (word, form)))
    if given:
        raise GrammarError(f"expected an article with a plain domain, got {lexeme}")
    return _choose(options)


# --- the slow reading: every state the text may be in -------------------------------------

State = tuple[Sequence_, Mapping[str, Mapping[str, str]]]


def moves(rules: Rules, state: State) -> Iterator[tuple[float, str, State]]:
    """(probability, token, next state) for each way to write one more token from `state`."""
    sequence, slots = state
    if not sequence:
        return
    head, rest = sequence[0], sequence[1:]
    if isinstance(head, str):
        yield 1.0, head, (rest, slots)
    elif isinstance(head, Slot):
        named = slots[head.name]
        word = named[head.part] if head.part else next(iter(named.values()))
        yield 1.0, word, (rest, slots)
    elif isinstance(head, Call):
        yield from moves(rules, ((head.rest or rules[head.rule]) + rest, slots))
    elif isinstance(head, Choice):
        for share, option in head.options:
            for p, token, after in moves(rules, (option + rest, slots)):
                yield share * p, token, after
    else:
        if head.given:
            domain = rules.tables[head.domain][next(iter(slots[head.given].values()))]
        else:
            domain = rules.domains[head.domain]
        picks = domain.picks(head.written, head.article)
        total = sum(weight for weight, _, _ in picks)
        for weight, row, word in picks:
            named = dict(zip(domain.fields, row, strict=True))
            yield weight / total, word, (rest, {**slots, head.name: named})


def forward(rules: Rules, tokens: Iterable[str], start: str = "story") -> list[float]:
    """Natural log-probability of each token; -inf from the first impossible one on.

    A text may stop anywhere: the figures are those of a prefix unless it ends in END.
    """
    beliefs: list[tuple[float, State]] = [(1.0, ((Call(start),), {}))]
    logps = []
    for token in tokens:
        after = [
            (belief * p, state)
            for belief, before in beliefs
            for p, word, state in moves(rules, before)
            if word == token
        ]
        total = sum(p for p, _ in after)
        logps.append(math.log(total) if total else -math.inf)
        beliefs = [(p / total, state) for p, state in after]
    return logps


def next_probs(rules: Rules, tokens: Iterable[str], start: str = "story") -> dict[str, float]:
    """The exact distribution of the token after `tokens`; empty where the grammar cannot come."""
    beliefs: list[tuple[float, State]] = [(1.0, ((Call(start),), {}))]
    for token in tokens:
        beliefs = [
            (belief * p, state)
            for belief, before in beliefs
            for p, word, state in moves(rules, before)
            if word == token
        ]
    probs: dict[str, float] = {}
    total = 0.0
    for belief, state in beliefs:
        for p, word, _ in moves(rules, state):
            probs[word] = probs.get(word, 0.0) + belief * p
            total += belief * p
    return {word: p / total for word, p in probs.items()}


def documents(rules: Rules, start: str = "story") -> Iterator[tuple[tuple[str, ...], float]]:
    """Every document of a small grammar with its probability, which may come in parts."""

    def grow(
        state: State, words: tuple[str, ...], p: float
    ) -> Iterator[tuple[tuple[str, ...], float]]:
        if not state[0]:
            yield words, p
        for share, token, after in moves(rules, state):
            yield from grow(after, (*words, token), p * share)

    return grow(((Call(start),), {}), (), 1.0)
