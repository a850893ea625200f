"""Greedy decoding and beam search in unit 09: formulas, mistakes, visible checks.

Both get a function `next_logits(ids)`: the logits (V,) of the next token after a text, made here
from a script or from random numbers.

unit: 09_decoding
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, compare, diagnosed, equal, fail, kind_of, visible
from llmcourse.checks.u06_judging import called
from llmcourse.checks.u08_judging import EXACT, Array, flawed

NextLogits = Callable[[Any], Array]
ASKED = "next_logits gets the whole text so far, the prompt and the new ids, as a list of ids"
FORM = "Return a list of ids."


def text_of(ids: Any) -> tuple[int, ...]:
    """Return what next_logits was given, or raise ValueError: what it should be given."""
    given = np.asarray(ids)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise ValueError(f"{ASKED}; it got {given.dtype} {given.shape}")
    return tuple(given.tolist())


# --- greedy

GREEDY = "In each step take the id with the largest logit after the whole text so far."
TIES = "Of equal logits take the lowest id, as np.argmax does."
TOO_FAR = "Stop at the end token, or after n tokens: you asked next_logits again after that."


class Scripted:
    """Logits that follow a script after a prompt; `taken` counts the calls.

    A text that does not follow it is continued with `lost`. The highest id has the same logit as
    the id of the script, everywhere.
    """

    def __init__(self, prompt: list[int], script: list[int], vocab: int, lost: int) -> None:
        self.prompt, self.script, self.vocab, self.lost = prompt, script, vocab, lost
        self.taken = 0

    def next_logits(self, ids: Any) -> Array:
        self.taken += 1
        text, at = text_of(ids), len(np.asarray(ids)) - len(self.prompt)
        follows = 0 <= at < len(self.script) and text == (*self.prompt, *self.script[:at])
        logits = np.linspace(-2, -1, self.vocab)
        logits[[self.script[at] if follows else self.lost, self.vocab - 1]] = 3.0
        return logits


def greedy_inputs(rng: Any, prompt: int, length: int, n: int) -> Any:
    """Return a script that ends after `length` ids and then goes on, n, and the id of the end."""
    vocab = 12
    end, lost, *words = rng.permutation(vocab - 1).tolist()
    said = rng.choice(words, length + n + 4).tolist()
    said[length] = said[length + 2] = end
    return Scripted(rng.choice(words, prompt).tolist(), said, vocab, lost), n, end


def written(scripted: Scripted, n: int, end: int) -> list[int]:
    return scripted.script[: min(n, scripted.script.index(end) + 1)]


def greedy_mistakes(scripted: Scripted, n: int, end: int) -> list[Mistake]:
    right, script = written(scripted, n, end), scripted.script
    first, lost = script[0], scripted.lost
    found = [
        Mistake(scripted.prompt + right, "Return the new ids only, without the prompt."),
        Mistake([i for i in right if i != end], "The end token is the last of the new ids."),
        Mistake(script[:n], "Stop after the end token."),
        Mistake([i for i in script[:n] if i != end], "Stop after the end token."),
        Mistake(([first] + [lost] * n)[:n], "Append each new id to the text: next_logits must see "
                "it."),
        Mistake([first] * n, "Append each new id to the text: next_logits must see it."),
        Mistake([lost] * n, "next_logits gets the whole text, the prompt included."),
        Mistake([scripted.vocab - 1] * n, TIES),
        Mistake(([scripted.vocab - 1] + [lost] * n)[:n], TIES),
        Mistake(right[: n - 1], "n new ids are allowed."),
        Mistake(script[: script.index(end) + 1], "At most n new ids."),
        Mistake([scripted.vocab - 1] + [lost] * (n - 1), TIES),
    ]  # fmt: skip
    return [m for m in found if m.value != right]


def greedy_args(scripted: Scripted, n: int, end: int) -> Any:
    """Return the arguments of the learner's function."""
    return scripted.next_logits, scripted.prompt, n, end


def ids_of(got: Any, hint: str) -> list[int]:
    """Return a result as a list of numbers, or a failure."""
    if not isinstance(got, list | tuple) and not hasattr(got, "tolist"):
        fail(f"expected a list of ids, got {kind_of(got)}.", "expected a list of ids.", hint)
    return [int(i) if np.asarray(i).dtype.kind in "iu" else i for i in np.asarray(got).tolist()]


@visible
def greedy(answer):
    rng = np.random.default_rng(5)
    for sizes in ((3, 3, 8), (2, 5, 4), (1, 0, 3), (4, 2, 3), (2, 2, 1), (3, 2, 0)):
        scripted, n, end = args = greedy_inputs(rng, *sizes)

        def given(prompt, scripted=scripted, n=n, end=end):
            return answer(scripted.next_logits, prompt, n, end)

        got = called(given, (scripted.prompt,))
        got, want = ids_of(got, FORM), written(*args)
        known = [m.hint for m in greedy_mistakes(*args) if m.value == got]
        equal(got, want, known[0] if known else GREEDY)
        if scripted.taken > len(want):
            fail("next_logits was called more often than there are new ids.", hint=TOO_FAR)


# --- beam_search

BEAMS = "beams"


def random_logits(rng: Any, V: int, size: float = 1.0) -> NextLogits:
    """Return logits that depend on the last two ids and on the length of the text."""
    one, two = size * rng.normal(0, 1.5, (V, V)), size * rng.normal(0, 1.0, (V, V))
    by_length = size * rng.normal(0, 0.5, (16, V))

    def next_logits(ids: Any) -> Array:
        text = text_of(ids)
        before = two[text[-2]] if len(text) > 1 else 0.0
        return 3.0 * size + one[text[-1]] + before + by_length[len(text) % 16]

    return next_logits


def log_softmax(logits: Any) -> Array:
    """Return log-probabilities (V,)."""
    z = np.asarray(logits, float) - np.max(logits)
    return z - math.log(math.fsum(np.exp(z)))


Beam = tuple[tuple[int, ...], float]


def beams(
    next_logits: NextLogits, prompt: Sequence[int], width: int, n: int, end: int, alpha: float,
    flaw: str = "",
) -> list[tuple[list[int], float]]:  # fmt: skip
    """Return (ids, score) of all texts that a beam search ends with, best first."""
    still: dict[tuple[int, ...], float] = {(): 0.0}
    over: dict[tuple[int, ...], float] = {}
    for _ in range(n):
        longer: dict[tuple[int, ...], float] = {}
        for ids, total in still.items():
            row = next_logits([*prompt, *ids])
            step = np.asarray(row) if flaw == "logits" else log_softmax(row)
            if flaw == "probabilities":
                step = np.exp(step)
            mine = {(*ids, i): total + float(one) for i, one in enumerate(step)}
            if flaw == "each alone":
                mine = dict(sorted(mine.items(), key=lambda item: -item[1])[:width])
            longer |= mine
        room = width
        if flaw == "slots":
            room = width - len(over)
        if flaw == "penalised in the beam":
            best = sorted(longer.items(), key=lambda item: -item[1] / len(item[0]) ** alpha)
        else:
            best = sorted(longer.items(), key=lambda item: -item[1])
        if flaw == "smallest":
            best = best[::-1]
        best = best[: room if flaw != "each alone" else None]
        if flaw != "goes on":
            over |= {ids: total for ids, total in best if ids[-1] == end}
        still = {ids: total for ids, total in best if ids[-1] != end or flaw == "goes on"}
        if flaw == "first end" and over:
            break
        if not still:
            break
    found = over if flaw == "finished only" else over | still

    def score(ids: tuple[int, ...], total: float) -> float:
        L = len(ids) - (flaw == "end not counted" and ids[-1:] == (end,))
        if flaw == "prompt counted":
            L += len(prompt)
        power = {"no penalty": 0.0, "mean": 1.0}.get(flaw, alpha)
        return total * L**power if flaw == "times" else total / max(1, L) ** power

    pairs = [(list(ids), score(ids, total)) for ids, total in found.items()]
    pairs.sort(key=lambda pair: -pair[1])
    if flaw == "unsorted":
        pairs = pairs[::-1]
    if flaw == "end left out":
        pairs = [([i for i in ids if i != end], score) for ids, score in pairs]
    if flaw == "with prompt":
        pairs = [([*prompt, *ids], score) for ids, score in pairs]
    if flaw == "one":
        pairs = pairs[:1]
    return pairs[:width] if flaw == "width only" else pairs


BEAM_FLAWS = {
    "logits": "Add log-probabilities: log_softmax of the logits.",
    "probabilities": "Add log-probabilities, not probabilities.",
    "each alone": "Keep the `width` best of ALL candidates of a step, not of each text.",
    "finished only": "Texts that are still open after n steps belong to the result.",
    "width only": "Return all texts, the finished ones and those still open, not only `width`.",
    "slots": "A finished text takes no place in the beam: each step keeps `width` candidates.",
    "penalised in the beam": "Within a step compare the sums: all candidates are equally long.",
    "smallest": "Keep the candidates with the LARGEST sums.",
    "goes on": "A text that has ended is not continued.",
    "first end": "Go on after the first end token, until no text is open or n steps are done.",
    "end not counted": "L counts the end token, too.",
    "prompt counted": "L is the number of NEW ids, without the prompt.",
    "no penalty": "Divide the sum by L to the power of alpha.",
    "mean": "Divide by L to the power of alpha, not by L.",
    "times": "Divide by L to the power of alpha; do not multiply.",
    "unsorted": "Best first: sort by falling score.",
    "end left out": "The end token stays in the ids: its probability is part of the score.",
    "with prompt": "The ids of a result are the new ones, without the prompt.",
    "one": "Return all texts, not only the best.",
}
BEAM = (
    "In each step: extend every open text by every id, keep the `width` largest sums; those that "
    "end are finished. At the end score = sum / L ** alpha, best first."
)
BEAM_FORM = "Return a list of pairs (ids, score), where ids is a list."
BEAM_STABLE = "Logits of 1,000 must not overflow: use log_softmax."
NO_STEPS = "Without steps (n = 0) the result is the empty text with its score 0."


# Mistakes that are easily taken for each other, and how often inputs are drawn to tell them apart.
ALIKE, FEW = ("goes on", "finished only", "width only", "slots"), 300


def told_apart(args: Any, found: Any) -> bool:
    """Say whether mistakes that are alike and do not give what was found give different results."""
    results = [beams(*args, flaw=flaw) for flaw in ALIKE]
    wrong = [result for result in results if result != found]
    return all(one != other for one, other in itertools.combinations(wrong, 2))


def beam_inputs(rng: Any, V: int, width: int, n: int, alpha: float = 0.7, size: float = 1.0) -> Any:
    """Return the arguments of a beam search some of whose texts end, and some do not."""
    for attempt in range(1000):
        made, end = random_logits(rng, V, size), int(rng.integers(V))
        prompt = rng.integers(0, V, int(rng.integers(1, 4))).tolist()
        args = made, prompt, width, n, end, alpha
        found = beams(*args)
        ended = [ids[-1] == end for ids, _ in found if ids]
        scores = np.array([score for _, score in found])
        apart = len(scores) < 2 or -np.diff(scores).max() > 1e-6
        if n > 2 and 1 < width < 10 and attempt < FEW:
            apart = apart and told_apart(args, found)
        if apart and (width == 1 or n < 3 or (any(ended) and not all(ended))):
            return args
    raise AssertionError("expected a search in which some texts end")


def beam_mistakes(*args: Any) -> list[Mistake]:
    want = beams(*args)
    return [m for m in flawed(beams, args, BEAM_FLAWS) if compare(m.value, want, EXACT)]


def is_pair(one: Any) -> bool:
    return isinstance(one, list | tuple) and len(one) == 2


def beams_near(got: Any, args: Any, hint: str) -> None:
    want = beams(*args)
    known = [m.hint for m in beam_mistakes(*args) if compare(got, m.value, EXACT) is None]
    if not isinstance(got, list | tuple) or not all(is_pair(one) for one in got):
        fail("expected a list of pairs (ids, score).", hint=BEAM_FORM)
    diagnosed(list(got), want, known[0] if known else hint, what=BEAMS, tolerance=EXACT)


def cased(answer: Any, args: Any) -> Any:
    """Return the result, or fail if the call modified the prompt."""
    next_logits, prompt, *rest = args
    return called(lambda text: answer(next_logits, text, *rest), (prompt,))


@visible
def beam_search(answer):
    rng = np.random.default_rng(6)
    for sizes in ((5, 2, 4), (4, 3, 5), (6, 1, 4)):
        args = beam_inputs(rng, *sizes)
        beams_near(cased(answer, args), args, BEAM)
    for sizes in ((5, 3, 3, 0.0), (5, 3, 3, 1.0), (4, 9, 2), (4, 2, 1)):
        args = beam_inputs(rng, *sizes)
        beams_near(cased(answer, args), args, "The same holds for other widths, n and alpha.")
    args = beam_inputs(rng, 4, 2, 3, 0.7, 300.0)
    with np.errstate(all="ignore"):
        beams_near(cased(answer, args), args, BEAM_STABLE)
