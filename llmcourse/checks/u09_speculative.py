"""Speculative decoding in unit 09: formula, mistakes, visible check.

Draft and target are tables of random probabilities over few tokens; the calls of the target are
counted. All chance comes from `uniform()`, so a result is exact.

unit: 09_decoding
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, equal, fail, visible
from llmcourse.checks.u06_judging import called
from llmcourse.checks.u08_judging import Array, flawed
from llmcourse.checks.u09_search import ids_of, text_of

SPECULATE = (
    "Draw k guesses from the draft, ask the target once, then accept guess x if u < p(x) / q(x). "
    "At the first rejection draw from the residual; if all are accepted, from the last row of p."
)
SPECULATE_FORM = "Return a list of n ids."
ORDER = (
    "Each draw and each acceptance takes one uniform(), in the order of the text: k draws, then "
    "one for each guess that is judged, then one for the last token."
)
CALLS = "Ask the target once in each round: it returns k + 1 rows at once."
NONE_LEFT = "n = 0: an empty list."


def draw(p: Any, u: float) -> int:
    """Return the first id whose running sum of probabilities is above u."""
    total = 0.0
    for i, one in enumerate(p):
        total += float(one)
        if total > u:
            return i
    return max(i for i, one in enumerate(p) if one > 0)


class Tables:
    """A draft and a target over V tokens, each with a distribution for every last token and length.

    far: 0 if both are the same, 1 if they have nothing to do with each other. asked: how often the
    target was called.
    """

    def __init__(self, rng: Any, V: int, far: float) -> None:
        shape = (V, 3, V)  # last token, length modulo 3, next token
        self.p = rng.dirichlet(np.ones(V), shape[:2])
        other = rng.dirichlet(np.ones(V), shape[:2])
        self.q = (1 - far) * self.p + far * other
        self.asked = 0

    def row(self, table: Array, text: tuple[int, ...]) -> Array:
        return table[text[-1], len(text) % 3]

    def draft(self, ids: Any) -> Array:
        return self.row(self.q, text_of(ids)).copy()

    def target(self, ids: Any, guesses: Any) -> Array:
        self.asked += 1
        text, more = text_of(ids), text_of(guesses)
        texts = [(*text, *more[:i]) for i in range(len(more) + 1)]
        return np.array([self.row(self.p, one) for one in texts])


def speculated(
    tables: Tables, prompt: Sequence[int], n: int, k: int, numbers: Sequence[float], flaw: str = ""
) -> list[int]:
    """Return the n ids; numbers: what uniform() returns, in order."""
    supply, text, V = iter(numbers), list(prompt), tables.p.shape[-1]

    def uniform() -> float:
        return next(supply)

    def drawn(weights: Array) -> int:
        if weights.sum() <= 0:
            return V - 1
        return draw(weights, uniform())

    while len(text) - len(prompt) < n:
        guesses: list[int] = []
        while len(guesses) < k:
            before = text if flaw == "draft blind" else [*text, *guesses]
            guesses.append(draw(tables.row(tables.q, tuple(before)), uniform()))
        kept = 0
        last: Array | None = None
        for i, x in enumerate(guesses):
            here = (*text, *guesses[:i])
            seen = tuple(text) if flaw == "draft blind" else here
            p, q = tables.row(tables.p, here), tables.row(tables.q, seen)
            u = uniform()
            accepted = {
                "all": True, "inverted": u * p[x] < q[x], "smaller": p[x] >= q[x],
                "target alone": u < p[x],
            }.get(flaw, u * q[x] < p[x])  # fmt: skip
            if not accepted:
                rest = np.maximum(p - q, 0)
                last = {
                    "from target": p, "not normalised": rest, "from draft": q,
                    "difference the other way": np.maximum(q - p, 0) / max(
                        1e-300, np.maximum(q - p, 0).sum()),
                    "absolute": np.abs(p - q) / np.abs(p - q).sum(),
                }.get(flaw, rest / rest.sum())  # fmt: skip
                if flaw == "goes on":
                    continue
                break
            kept += 1
        new = guesses[:kept]
        if flaw == "keeps the rejected" and last is not None:
            new = guesses[: kept + 1]
        elif last is not None and flaw != "no correction":
            new = [*new, drawn(last)]
        elif last is None and flaw != "no bonus":
            new = [*new, drawn(tables.row(tables.p, (*text, *guesses)))]
        text += new
        if not new:
            raise ValueError("nothing was added")
    return text[len(prompt):] if flaw == "too many" else text[len(prompt):][:n]  # fmt: skip


FLAWS = {
    "all": "Not every guess may be accepted: only with probability min(1, p(x) / q(x)).",
    "inverted": "Accept with probability p(x) / q(x): the target's over the draft's.",
    "smaller": "A guess with p(x) < q(x) is accepted, too, with probability p(x) / q(x).",
    "target alone": "Accept with probability p(x) / q(x), not p(x).",
    "from target": "After a rejection draw from the residual max(p - q, 0), not from p.",
    "not normalised": "Divide the residual by its sum: draw needs probabilities.",
    "from draft": "After a rejection draw from the residual max(p - q, 0), not from q.",
    "difference the other way": "The residual is max(p - q, 0), not max(q - p, 0).",
    "absolute": "The residual is max(p - q, 0): negative differences become 0.",
    "goes on": "Stop at the first rejection: later guesses followed a token that is gone.",
    "keeps the rejected": "A rejected guess is replaced by a token drawn from the residual.",
    "no correction": "After a rejection draw one token from the residual.",
    "no bonus": "If all guesses are accepted, draw one more token from the last row of p.",
    "draft blind": "The draft must see its own guesses: draft(text + guesses).",
    "too many": "Return exactly n ids: cut what the last round wrote beyond.",
}


def speculative_inputs(rng: Any, V: int, prompt: int, n: int, k: int, far: float = 0.7) -> Any:
    """Return tables, a prompt, n, k and numbers for uniform()."""
    numbers = rng.random(4 * (n + 1) * (k + 2)).tolist()
    return Tables(rng, V, far), rng.integers(0, V, prompt).tolist(), n, k, numbers


def speculative_args(tables: Tables, prompt: list[int], n: int, k: int, numbers: Any) -> Any:
    """Return the arguments of the learner's function."""
    supply = itertools.cycle(numbers)
    return tables.target, tables.draft, prompt, n, k, lambda: next(supply)


def speculative_mistakes(*args: Any) -> list[Mistake]:
    want, found = speculated(*args), []
    for flaw, hint in FLAWS.items():
        try:
            found += flawed(speculated, args, {flaw: hint})
        except StopIteration:  # it needs more numbers than there are
            continue
    return [m for m in found if m.value != want]


@visible
def speculative_decode(answer):
    rng = np.random.default_rng(8)
    for sizes in ((4, 2, 30, 3), (3, 1, 25, 2), (5, 3, 20, 4, 0.2), (4, 2, 12, 1), (3, 1, 0, 2)):
        args = speculative_inputs(rng, *sizes)
        tables, prompt, n, *_ = args
        target, draft, _, *rest = speculative_args(*args)

        def given(text, target=target, draft=draft, rest=rest):
            return answer(target, draft, text, *rest)

        got, want = ids_of(called(given, (prompt,)), SPECULATE_FORM), speculated(*args)
        known = [m.hint for m in speculative_mistakes(*args) if m.value == got]
        if len(got) != len(want):
            fail(f"expected {len(want)} ids, got {len(got)}.", "the number of ids is off.",
                 known[0] if known else SPECULATE_FORM)  # fmt: skip
        equal(got, want, known[0] if known else f"{SPECULATE} {ORDER}")
        if n and tables.asked >= n:
            fail("the target was asked as often as there are tokens.", hint=CALLS)
