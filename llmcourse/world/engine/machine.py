"""Compile a grammar into a left-factored graph and sample it with exact log-probabilities.

At every choice point of the graph the alternatives begin with different tokens: options that begin
alike share that beginning (their probabilities add) and separate where they differ. So the text so
far determines the state, and a document's probability is the product over its choices. A grammar
where the first tokens of two alternatives could be equal and still lead to different states is
refused.

One rule as an example. Of its three alternatives, two begin with "Ann":

    2: Ann sat .            start (nothing certain yet)
    Ann ran .                 |
    Rain fell .             node 0 --- 3/4 "Ann" --------> node 1 --- 2/3 "sat ." ---> end
                              |                              +------- 1/3 "ran ." ---> end
                              +------- 1/4 "Rain fell ." ---> end

"Ann" has the probabilities of both, 2/4 + 1/4. An edge writes all that is certain after its choice,
so only its first word costs: "Ann sat ." has the log-probabilities ln 3/4, ln 2/3, 0.

>>> machine = Machine(Rules({"story": "2: Ann sat .\\nAnn ran .\\nRain fell ."}, {}))
>>> for number, node in enumerate(machine.nodes):
...     for edge in node.edges:
...         print(number, round(math.exp(edge.logps[0]), 3), *edge.words)
0 0.75 Ann
0 0.25 Rain fell .
1 0.667 sat .
1 0.333 ran .

A pick fills memory cells, a later slot reads them: in "<hero:person> sat . {hero.he} ate ." every
person is one edge that writes its name, "sat .", the content of the cell of hero.he, "ate .".

Left out: scoring a given text, which `grammar.forward` does.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import itemgetter
from typing import Any, NamedTuple

from llmcourse.world.engine.factoring import Factoring, Head, Options
from llmcourse.world.engine.grammar import Body, Call, GrammarError, Pick, Rules, Slot

Reader = Callable[[list[str]], Sequence[str]]


@dataclass
class Node:
    """A choice point: its `edges`, one an option, and `cum`, their probabilities summed up so far.

    With `key` >= 0 they depend on the name in memory cell `key`: `table` maps it to (cum, edges).
    `body` is what they are made from, None once they are made.
    """

    body: Body | None
    heads: list[tuple[float, Head]] = field(default_factory=list)
    key: int = -1
    cum: list[float] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    table: dict[str, tuple[list[float], list[Edge]]] = field(default_factory=dict)


class Edge(NamedTuple):
    """One option and all that is certain after it, up to the next choice.

    To follow an edge: fill memory cells `where` with `row`; write `words`, or what `read` finds in
    memory for them, with the log-probabilities `logps`; push `later`, the edges of what follows a
    called rule, on the stack; continue at `node`, or with the edge on top of the stack if None.
    """

    where: slice | None
    row: tuple[str, ...]
    words: tuple[str | Slot, ...]
    read: Reader | None
    logps: tuple[float, ...]
    later: tuple[Any, ...]
    node: Node | None


class Traced(NamedTuple):
    """A token with its log-probability and where it comes from.

    `slot`: the field that it repeats; `picked`: the slot that it fills, with `row`.
    """

    word: str
    logp: float
    slot: Slot | None
    picked: str
    row: tuple[str, ...]


class Machine:
    """A compiled grammar.

    ahead: compile all of it now, and refuse it unless it is left-factored; False: compile a choice
    point when a document first comes to it, which saves most of the time where few are written.
    """

    def __init__(self, rules: Rules, start: str = "story", ahead: bool = True):
        self.rules = rules
        self._nodes: list[Node] = []
        self._factoring = Factoring(rules, start)
        self._made: dict[Body, Node] = {}
        self._edges: dict[Body, Edge] = {}
        self._after: dict[tuple[Pick, Body], tuple[slice, Reader | None, Edge]] = {}
        # What rules may read: cells for the fields of each slot, then one cell for each word.
        self._memory: list[str] = []
        self._cell: dict[str | Slot, int] = {}
        for name in self._factoring.slots:
            for part in self._factoring.fields(name):
                self._cell[Slot(name, part)] = len(self._memory)
                self._memory.append("")
        self._start = self._edge((Call(start),))
        if ahead:
            self._compile_all()

    @property
    def nodes(self) -> list[Node]:
        """All choice points; those that no document has come to yet are compiled now."""
        self._compile_all()
        return self._nodes

    @property
    def slots(self) -> dict[str, list[Pick]]:
        """Every slot, with the ways in which it is filled."""
        return self._factoring.slots

    # --- sampling --------------------------------------------------------------------------------

    def sample(self, rand: Callable[[], float]) -> tuple[list[str], list[float]]:
        """Return one document and the log-probability of each token; `rand` draws from [0, 1)."""
        tokens: list[str] = []
        logps: list[float] = []
        memory = self._memory.copy()
        stack: list[Edge] = []
        edge = self._start
        while True:
            where, row, words, read, certain, later, node = edge
            if where is not None:
                memory[where] = row
            tokens += words if read is None else read(memory)  # type: ignore[arg-type]
            logps += certain
            if later:
                stack += later
            if node is None:
                if not stack:
                    return tokens, logps
                edge = stack.pop()
                continue
            if node.body is not None:
                self._compile(node)
                memory += self._memory[len(memory) :]
            if node.key < 0:
                edge = node.edges[bisect(node.cum, rand())]
            else:
                cum, edges = node.table[memory[node.key]]
                edge = edges[bisect(cum, rand())]

    def trace(self, rand: Callable[[], float]) -> Iterator[Traced]:
        """Yield the tokens that `sample` returns for the same `rand`, each with its source.

        Slower than `sample`.
        """
        starts = {cell: slot.name for slot, cell in self._cell.items() if isinstance(slot, tuple)}
        memory = self._memory.copy()
        stack: list[Edge] = []
        edge = self._start
        while True:
            if edge.where is not None:
                memory[edge.where] = edge.row
            memory += self._memory[len(memory) :]  # other documents may have added words meanwhile
            written: Sequence[Any] = edge.words if edge.read is None else edge.read(memory)
            for i, (source, word, logp) in enumerate(
                zip(edge.words, written, edge.logps, strict=True)
            ):
                picked = starts[edge.where.start] if edge.where is not None and not i else ""
                slot = source if isinstance(source, Slot) else None
                yield Traced(word, logp, slot, picked, edge.row if picked else ())
            stack += edge.later
            node = edge.node
            if node is None:
                if not stack:
                    return
                edge = stack.pop()
            else:
                self._compile(node)
                table = (node.cum, node.edges) if node.key < 0 else node.table[memory[node.key]]
                edge = table[1][bisect(table[0], rand())]

    def words(self) -> set[str]:
        """Return every token the grammar can write."""
        return set().union(*map(self._factoring.values, self._factoring.written))

    # --- compiling -------------------------------------------------------------------------------

    def _compile_all(self) -> None:
        for node in self._nodes:  # which grows meanwhile
            self._compile(node)

    def _compile(self, node: Node) -> None:
        if node.body is not None:
            self._fill(node, self._factoring.options(node.body))
            self._refuse_overlap(node)
            node.body = None

    def _edge(self, body: Body, first: str | Slot | None = None, p: float = 1.0) -> Edge:
        """Return the edge that writes `first` (probability `p`) and the certain start of `body`."""
        if first is None and body in self._edges:
            return self._edges[body]
        words: list[str | Slot] = [] if first is None else [first]
        rest = body
        later: tuple[Edge, ...] = ()
        node = None
        while rest and node is None and not later:
            item = rest[0]
            if isinstance(item, str | Slot):
                words.append(item)
                rest = rest[1:]
            elif isinstance(item, Call):
                called = item.rest or self.rules[item.rule]
                if rest[1:]:
                    # on top of the stack the rule that is called, below it what follows the call
                    later = (self._edge(rest[1:]), self._edge(called))
                rest = called
            else:
                options = self._factoring.options(rest)
                _, head, after = options[0]
                if len(options) == 1 and isinstance(head, str | Slot):
                    words.append(head)
                    rest = after
                else:
                    node = self._node(rest)
        logps = (math.log(p), *[0.0] * (len(words) - 1)) if words else ()
        edge = Edge(None, (), tuple(words), self._reader(words), logps, later, node)
        if first is None:
            self._edges[body] = edge
        return edge

    def _reader(self, words: Sequence[str | Slot]) -> Reader | None:
        """Return the function that reads `words` from memory, None where no slot is among them."""
        if all(isinstance(word, str) for word in words):
            return None
        cells = [self._where(word) for word in words]
        return itemgetter(*cells) if len(cells) > 1 else itemgetter(slice(cells[0], cells[0] + 1))

    def _where(self, word: str | Slot) -> int:
        """Return the memory cell of a word, or of a field of a slot."""
        if isinstance(word, Slot):
            fields = self._factoring.fields(word.name)
            if word.part and word.part not in fields:
                listed = ", ".join(fields)
                raise GrammarError(f"expected a field of {word.name} ({listed}), got {word.part}")
            return self._cell[Slot(word.name, word.part or fields[0])]
        if word not in self._cell:
            self._cell[word] = len(self._memory)
            self._memory.append(word)
        return self._cell[word]

    def _node(self, body: Body) -> Node:
        if body in self._made:
            return self._made[body]
        node = self._made[body] = Node(body)
        self._nodes.append(node)
        return node

    def _fill(self, node: Node, options: Options) -> None:
        for p, head, rest in options:
            if head is None:
                raise GrammarError("a rule ends in an optional part: put it where the rule is used")
            node.heads.append((p, head))
            if not isinstance(head, Pick):
                node.edges.append(self._edge(rest, head, p))
            elif not head.given:
                node.edges += self._pick_edges(head, head.name, rest, p)[1]
            elif len(options) > 1:
                others = [other for _, other, _ in options if other is not head]
                raise GrammarError(
                    f"expected {head} alone, as it depends on a slot; beside it: {others}"
                )
            else:
                node.key = self._where(Slot(head.given, ""))
                for name in self.rules.tables[head.domain]:
                    node.table[name] = self._pick_edges(head, name, rest, 1.0)
        node.cum = _running([math.exp(edge.logps[0]) for edge in node.edges])

    def _pick_edges(
        self, pick: Pick, name: str, rest: Body, p: float
    ) -> tuple[list[float], list[Edge]]:
        """Return the (cum, edges) of a pick of probability `p`, one edge for each row.

        name: what the slot `given` of the pick holds; rest: what is written after the pick.
        """
        domain = self.rules.domain(pick, name)
        picks = domain.picks(pick.written, pick.article)
        total = math.fsum(weight for weight, _, _ in picks)
        if (pick, rest) not in self._after:
            # made once for all rows, which differ only in the row itself and in the first word
            after = self._edge(rest)
            start = self._where(Slot(pick.name, ""))
            where = slice(start, start + len(domain.fields))
            self._after[pick, rest] = (
                where,
                self._reader((Slot(pick.name, pick.written), *after.words)),
                after,
            )
        where, read, after = self._after[pick, rest]
        logps, words = (0.0,) * len(after.words), after.words
        edges = [
            Edge(
                where,
                row,
                (word, *words),
                read,
                (math.log(p * weight / total), *logps),
                after.later,
                after.node,
            )
            for weight, row, word in picks
        ]
        return _running([weight / total for weight, _, _ in picks]), edges

    def _refuse_overlap(self, node: Node) -> None:
        """Raise GrammarError unless the first token alone tells each option from the others."""
        heads = [head for _, head in node.heads]
        values = [self._factoring.values(head) for head in heads]
        if len(set().union(*values)) < sum(map(len, values)):
            self._refuse_pairs(heads)
        for edges in [node.edges, *(edges for _, edges in node.table.values())]:
            firsts = [edge.words[0] for edge in edges]
            if len(set(firsts)) < len(firsts):
                raise GrammarError(f"two alternatives begin with the same token among {firsts[:8]}")

    def _refuse_pairs(self, heads: Sequence[Head]) -> None:
        for i, one in enumerate(heads):
            for other in heads[:i]:
                if not self._factoring.differ(one, other):
                    raise GrammarError(
                        f"two alternatives may begin with the same token: {other} and {one}"
                    )


def _running(probs: Sequence[float]) -> list[float]:
    """Return running sums for bisect; the last is 2, so that no draw from [0, 1) lies above it."""
    return [*accumulate(probs[:-1]), 2.0]
