"""Left-factoring: how the body of a rule may begin, with equal beginnings merged.

`Factoring.options` gives the alternatives at a point of a document, each with its probability, the
first thing it writes and what follows; `Factoring.differ` tells whether two of them can never write
the same token, which is what makes the text so far determine the state.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from llmcourse.world.engine.grammar import Body, Call, Choice, GrammarError, Pick, Rules, Slot

Head = str | Slot | Pick
Options = list[tuple[float, Head | None, Body]]


class Factoring:
    """The rules seen from `start`: every slot that they fill, and all that they may write."""

    def __init__(self, rules: Rules, start: str):
        self.rules = rules
        self.slots: dict[str, list[Pick]] = {}
        self.written: set[Head] = set()
        self._collect(rules[start], {start})
        self._surely: dict[str, tuple[set[str], set[str]]] = {}
        for name in sorted(self._reads(rules[start])[0]):
            raise GrammarError(f"expected a slot filled on every way to it, got {{{name}}}")
        self._known: dict[Body, Options] = {}
        self._begin: dict[Body, Options] = {}
        self._merged: dict[tuple[tuple[float, Body], ...], Body] = {}
        self._calls: dict[Body, Call] = {}

    def _collect(self, body: Body, seen: set[str]) -> None:
        """Note what `body` and the rules called from it may pick and write; `seen`: the rules."""
        for item in body:
            if isinstance(item, str | Slot | Pick):
                self.written.add(item)
            if isinstance(item, Choice):
                for _, option in item.options:
                    self._collect(option, seen)
            elif isinstance(item, Call) and item.rule not in seen:
                seen.add(item.rule)
                self._collect(self.rules[item.rule], seen)
            elif isinstance(item, Pick):
                picks = self.slots.setdefault(item.name, [])
                if item not in picks:
                    picks.append(item)
                if self.rules.domains_of(item)[0].fields != self.fields(item.name):
                    raise GrammarError(f"expected slot {item.name} to hold one kind, got two")

    def _reads(self, body: Body) -> tuple[set[str], set[str]]:
        """Return the slots that `body` may read before it fills them, and those it always fills."""
        reads: set[str] = set()
        fills: set[str] = set()
        for item in body:
            found: list[tuple[set[str], set[str]]] = []
            if isinstance(item, Slot):
                found = [({item.name}, set())]
            elif isinstance(item, Pick):
                found = [({item.given} - {""}, {item.name})]
            elif isinstance(item, Choice):
                found = [self._reads(option) for _, option in item.options]
            elif isinstance(item, Call):
                if item.rule not in self._surely:
                    self._surely[item.rule] = self._reads(self.rules[item.rule])
                found = [self._surely[item.rule]]
            if found:
                reads |= set.union(*(read for read, _ in found)) - fills
                fills |= set.intersection(*(fill for _, fill in found))
        return reads, fills

    def fields(self, name: str) -> tuple[str, ...]:
        """Return the fields of what slot `name` holds. Raises GrammarError if nothing fills it."""
        if name not in self.slots:
            raise GrammarError(f"expected a slot that some rule picks, got {{{name}}}")
        return self.rules.domains_of(self.slots[name][0])[0].fields

    def _heads(self, body: Body) -> Iterator[tuple[float, Head | None, Body]]:
        """Yield (probability, first thing written, what follows) for each way `body` may begin."""
        if not body:
            yield 1.0, None, ()
            return
        item, rest = body[0], body[1:]
        if isinstance(item, Choice):
            for p, option in item.options:
                for q, head, after in self._heads(option + rest):
                    yield p * q, head, after
        elif isinstance(item, Call):
            called = item.rest or self.rules[item.rule]
            if called not in self._begin:
                self._begin[called] = list(self._heads(called))
            for p, head, after in self._begin[called]:
                if head is None:
                    for q, other, last in self._heads(rest):
                        yield p * q, other, last
                else:
                    back = (self._calls.setdefault(after, Call("", after)),) if after else ()
                    yield p, head, back + rest
        else:
            yield 1.0, item, rest

    def options(self, body: Body) -> Options:
        """Return (probability, first thing written, what follows) for each first thing.

        Ways that begin alike are merged: their probabilities add, and a choice among what follows
        each of them comes next. The first thing is None where `body` may end without writing.
        """
        if body in self._known:
            return self._known[body]
        groups: dict[Head | None, dict[Body, float]] = {}
        for p, head, rest in self._heads(body):
            rests = groups.setdefault(head, {})
            rests[rest] = rests.get(rest, 0.0) + p
        factored: Options = []
        for head, rests in groups.items():
            total = math.fsum(rests.values())
            if len(rests) == 1:
                (rest,) = rests
            else:
                # rounded, so that sums in another order still give the same key, and so one node
                options = tuple((round(p / total, 14), rest) for rest, p in rests.items())
                rest = self._merged.setdefault(options, (Choice(options),))
            factored.append((total, head, rest))
        self._known[body] = factored
        return factored

    def values(self, head: Head) -> set[str]:
        """Return every token `head` may write."""
        if isinstance(head, str):
            return {head}
        if isinstance(head, Pick):
            return {
                w
                for d in self.rules.domains_of(head)
                for _, _, w in d.picks(head.written, head.article)
            }
        fields = self.fields(head.name)
        column = fields.index(head.part or fields[0])
        domains = [d for pick in self.slots[head.name] for d in self.rules.domains_of(pick)]
        return {row[column] for domain in domains for row in domain.rows}

    def differ(self, one: Head, other: Head) -> bool:
        """Say whether `one` and `other` can never write the same token."""
        if not self.values(one) & self.values(other):
            return True
        if not (isinstance(one, Slot) and isinstance(other, Slot)) or one.part or other.part:
            return False
        return self._excludes(one, other) or self._excludes(other, one)

    def _excludes(self, one: Slot, other: Slot) -> bool:
        """Say whether `one` is always picked from the table of `other` and never has its name."""
        return all(
            pick.given == other.name
            and all(
                row[0] != name
                for name, domain in self.rules.tables[pick.domain].items()
                for row in domain.rows
            )
            for pick in self.slots[one.name]
        )
