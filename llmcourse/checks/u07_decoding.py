"""Teacher forcing and greedy translation in unit 07: formulas, mistakes, visible checks.

Both exercises get a function `step(ids, s)` that returns (logits, new state), made here from random
numbers or from a script.

unit: 07_attention
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, equal, fail, items, visible
from llmcourse.checks.u06_judging import arrays_near, called

Array = np.ndarray
Step = Callable[[Any, Any], tuple[Array, Array]]
ASKED = "step gets the ids (B,), which are integers, and the states (B, C)"


def given_to_step(ids: Any, s: Any) -> tuple[Array, Array]:
    """Return what a step was given as arrays, or raise ValueError: what it should be given."""
    ids, s = np.asarray(ids), np.asarray(s, float)
    if ids.ndim != 1 or ids.dtype.kind not in "iu" or s.ndim != 2 or len(s) != len(ids):
        raise ValueError(f"{ASKED}; it got {ids.dtype} {ids.shape} and {s.shape}")
    return ids, s


# --- teacher_forced_loss

LOSS = "the loss"
LOSS_FORM = "Return one number: the mean over the real positions."
LOSS_HINT = (
    "At each step: logits, then -log of the softmax at the target, where the mask is True. Divide "
    "the sum by the number of real positions."
)
LOSS_STABLE = (
    "Logits of 1,000 overflow: subtract the largest logit of each row, then take the log by hand, "
    "z - log(sum(exp(z))): a probability may round to 0, and its log is -inf."
)


def random_step(rng: Any, vocab: int, C: int, start: int, size: float = 1.0) -> Step:
    """Return a step whose logits depend on the token before and on the state; it hardly ever says
    start."""
    E, M = rng.normal(0, 1.2, (vocab, C)), size * rng.normal(0, 1.2, (C, vocab))
    bias = np.where(np.arange(vocab) == start, -4.0 * size, 0.0)

    def step(ids: Any, s: Any) -> tuple[Array, Array]:
        ids, s = given_to_step(ids, s)
        new = np.tanh(0.8 * s + E[ids])
        return new @ M + bias, new

    return step


def loss_inputs(rng: Any, vocab: int, C: int, B: int, T: int, size: float = 1.0) -> Any:
    """Return a step, states (B, C), targets (B, T), their mask, and the id to start with.

    The first row is padded (if T > 1), with a token that is not 0, and 0 is a real token.
    """
    targets, lengths = rng.integers(0, vocab, (B, T)), rng.integers(1, T + 1, B)
    lengths[0], targets[0, 0] = max(1, T - 2), 0
    mask = np.arange(T) < lengths[:, None]
    start = int(rng.integers(1, vocab)) if vocab > 1 else 0
    step = random_step(rng, vocab, C, start, size)
    return step, rng.normal(size=(B, C)), targets, mask, start


Feed = Callable[[Array, Array], Array]  # targets and logits of this step -> input of the next


def surprises(
    step: Step, s: Array, targets: Array, start: int, *,
    feed: Feed = lambda target, logits: target, carried: bool = True, shifted: bool = True,
) -> Array:  # fmt: skip
    """Return -log P(target), (B, T); the options are mistakes."""
    ids, found = np.full(len(targets), start), []
    for target in targets.T:
        logits, new = step(ids if shifted else target, s)
        for row, want in zip(logits, target, strict=True):
            top = float(row.max())
            found.append(math.log(math.fsum(np.exp(row - top))) + top - float(row[want]))
        s, ids = (new if carried else s), feed(target, logits)
    return np.array(found).reshape(targets.shape[::-1]).T


def loss_of(step: Step, s: Array, targets: Array, mask: Array, start: int) -> float:
    return float(surprises(step, s, targets, start)[mask].mean())


def loss_mistakes(step: Step, s: Array, targets: Array, mask: Array, start: int) -> list[Mistake]:
    nll, (B, T) = surprises(step, s, targets, start), targets.shape
    right, total = float(nll[mask].mean()), float(nll[mask].sum())

    def other(**options: Any) -> float:
        return float(surprises(step, s, targets, start, **options)[mask].mean())

    rows = [float(row[real].mean()) for row, real in zip(nll, mask, strict=True)]
    found = [
        Mistake(float(nll.mean()), "Padding counts in your mean: use the mask."),
        Mistake(total / (B * T), "Divide by the number of real positions, mask.sum(), not by B T."),
        Mistake(total, "Take the mean, not the sum."),
        Mistake(total / B, "Divide by the number of real positions, not by the number of rows."),
        Mistake(sum(rows) / B, "Take one mean over all real positions, not the mean of the rows' "
                "means."),
        Mistake(float(nll[targets != 0].mean()) if targets.any() else 0.0,
                "Token 0 is an ordinary token: the mask says what is real."),
        Mistake(right / math.log(2), "In nats: np.log, not np.log2."),
        Mistake(-right, "The sign: the loss is MINUS the log-probability."),
        Mistake(math.exp(min(right, 300.0)), "Return the loss, not the perplexity."),
        Mistake(other(feed=lambda target, logits: logits.argmax(1)),
                "Teacher forcing: the next input is the true target, not the model's own guess."),
        Mistake(other(shifted=False),
                "The input of a step is the target BEFORE: it may not see what it predicts."),
        Mistake(other(feed=lambda target, logits: np.full(B, start)),
                "Only the first input is start: then comes the target of the step before."),
        Mistake(other(carried=False), "Carry the state on: logits, s = step(ids, s)."),
    ]  # fmt: skip
    if T > 1 and mask[:, 1:].any():
        later = surprises(step, s, targets[:, 1:], start)[mask[:, 1:]]
        found.append(Mistake(float(later.mean()), "The first target counts, too, after start."))
    return found


def loss_by(answer: Any, args: Any) -> Any:
    """Return the loss, or fail if the call modified an array."""
    step, *arrays, start = args
    return called(lambda s, targets, mask: answer(step, s, targets, mask, start), arrays)


@visible
def teacher_forced_loss(answer):
    args = loss_inputs(np.random.default_rng(1), 6, 4, 3, 5)
    got = loss_by(answer, args)
    arrays_near(got, loss_of(*args), LOSS, LOSS_FORM, LOSS_HINT, *loss_mistakes(*args))
    rng = np.random.default_rng(9)
    with np.errstate(all="ignore"):
        large = loss_inputs(rng, 5, 3, 2, 3, size=1000.0)
        got = loss_by(answer, large)
    if not np.isfinite(np.asarray(got, float)).all():
        fail("the loss is nan or infinite.", hint=LOSS_STABLE)
    arrays_near(got, loss_of(*large), LOSS, LOSS_STABLE, LOSS_STABLE)
    for size in ((5, 3, 1, 4), (4, 4, 4, 4), (3, 2, 3, 1), (7, 2, 2, 6)):
        args = loss_inputs(rng, *size)
        hint = "The same holds for one row, one step and other sizes."
        arrays_near(loss_by(answer, args), loss_of(*args), LOSS, LOSS_FORM, hint)


# --- translate_greedy

GREEDY_HINT = "At each step take the id with the largest logit of each row, until it is end."
GREEDY_FORM = "Return a list with one list of ids for each row."
TOO_FAR = "Stop once every row has ended: you took a step after that."
CARRY = "Give each step the ids and the state of the step before: logits, s = step(ids, s)."
TIES = "Of equal logits take the lowest id, as np.argmax does."


class Scripted:
    """A step that follows a script (B, L); `taken` counts its calls.

    The state holds the row and the time. A row that is not given the token that it said before says
    `lost` from then on. The highest id has the same logit as the token of the script, everywhere.
    """

    def __init__(self, script: Array, vocab: int, start: int, lost: int) -> None:
        self.script, self.vocab, self.start, self.lost = script, vocab, start, lost
        self.taken = 0

    def state(self) -> Array:
        """Return the states before the first step."""
        rows = len(self.script)
        return np.stack([np.arange(rows), np.zeros(rows)], axis=1).astype(float)

    def step(self, ids: Any, s: Any) -> tuple[Array, Array]:
        """Return (logits, new state)."""
        ids, s = given_to_step(ids, s)
        self.taken += 1
        logits = np.zeros((len(ids), self.vocab))
        for i, (token, (row, time)) in enumerate(zip(ids, s.astype(int).tolist(), strict=True)):
            before = self.script[row, time - 1] if time else self.start
            follows = token == before and time < self.script.shape[1]
            said = int(self.script[row, time]) if follows else self.lost
            logits[i, [said, self.vocab - 1]] = 3.0
        return logits, s + np.array([0, 1])


def greedy_inputs(rng: Any, vocab: int, lengths: Any, limit: int) -> Any:
    """Return a scripted step, the ids start and end, and max_length; row b says lengths[b] tokens,
    then end, then other tokens."""
    start, end, lost, *words = rng.permutation(vocab - 1).tolist()
    script = rng.choice(words, (len(lengths), max(limit, *lengths) + 3))
    for row, length in zip(script, lengths, strict=True):
        row[length : length + 2] = end  # the second one must not count
    return Scripted(script, vocab, start, lost), start, end, limit


def texts_of(scripted: Scripted, start: int, end: int, limit: int) -> list[list[int]]:
    found = []
    for row in scripted.script.tolist():
        found.append(row[: min(row.index(end), limit)])
    return found


def most_steps(scripted: Scripted, start: int, end: int, limit: int) -> int:
    """Return the number of steps after which nothing is left to do."""
    return min(limit, max(row.index(end) for row in scripted.script.tolist()) + 1)


def greedy_mistakes(scripted: Scripted, start: int, end: int, limit: int) -> list[Mistake]:
    right, script = texts_of(scripted, start, end, limit), scripted.script.tolist()
    shortest, longest = min(map(len, right)), most_steps(scripted, start, end, limit)
    lost = [([row[0]] + [scripted.lost] * (limit - 1))[:limit] for row in script]
    on = [row[:limit] for row in script]
    padded = [row + [end] * (longest - len(row)) for row in right]
    return [
        Mistake([row[: len(text) + 1][:limit] for row, text in zip(script, right, strict=True)],
                "Leave the end token out."),
        Mistake([[start, *text] for text in right], "Leave the start token out."),
        Mistake(padded, "A row ends at its end token: no end token and nothing after it."),
        Mistake(on, "A row ends at its end token: what comes after it does not count."),
        Mistake([[token for token in row if token != end] for row in on],
                "A row ends at its end token: what comes after it does not count."),
        Mistake([row[:longest] for row in script],
                "A row ends at its end token: what comes after it does not count."),
        Mistake([[token for token in row[:longest] if token != end] for row in script],
                "A row ends at its end token: what comes after it does not count."),
        Mistake([text[: limit - 1] for text in right], "max_length tokens are allowed."),
        Mistake([text[:shortest] for text in right], "Go on until EVERY row has ended."),
        Mistake([text[: shortest + 1] for text in right], "Go on until EVERY row has ended."),
        Mistake(lost, CARRY),
        Mistake([[scripted.vocab - 1] * limit for _ in script], TIES),
        Mistake([row[: row.index(end)] for row in script], "At most max_length tokens."),
    ]  # fmt: skip


def greedy_by(answer: Any, scripted: Scripted, start: int, end: int, limit: int) -> Any:
    """Return the texts, or fail if the call modified the states."""
    return called(lambda s: answer(scripted.step, s, start, end, limit), (scripted.state(),))


@visible
def translate_greedy(answer):
    rng = np.random.default_rng(4)
    for lengths, limit in (((3, 1, 4), 7), ((2, 6, 5), 4), ((0, 2), 3), ((3,), 5), ((2, 2), 0)):
        args = greedy_inputs(rng, 9, lengths, limit)
        want = texts_of(*args)
        got = items(greedy_by(answer, *args), len(want), GREEDY_FORM)
        got = [list(np.asarray(row).tolist()) for row in got]
        mistakes = [] if limit == 0 else greedy_mistakes(*args)
        known = [m.hint for m in mistakes if m.value == got]
        equal(got, want, known[0] if known else GREEDY_HINT)
        if args[0].taken > most_steps(*args):
            fail("step was called once more than needed.", hint=TOO_FAR)
