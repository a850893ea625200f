"""Packing and batches in unit 10: formulas in loops, the mistakes in them, the visible checks.

unit: 10_pretraining
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from llmcourse.checks import Mistake, Spelled, diagnosed, fail, items, noted, visible
from llmcourse.checks.arrays import as_array
from llmcourse.checks.u06_judging import called
from llmcourse.checks.u08_judging import flawed

Array = np.ndarray
Pair = tuple[Array, Array]
IGNORED = -100  # target of a position that does not count, as torch's cross_entropy expects it
PAIR = "Return a pair: ids and targets."


def pair_near(got: Any, want: Pair, shape: str, hint: str, *mistakes: Mistake) -> None:
    """Fail unless the result is a pair of arrays of whole numbers with the values of `want`."""
    parts = items(got, 2, PAIR)
    found = [m for m in mistakes if _same(parts, m.value)]
    for part, right, name in zip(parts, want, ("ids", "targets"), strict=True):
        why = found[0].hint if found else f"{name} have the shape {shape}."
        try:
            array = as_array(part)
        except ValueError:  # rows of different lengths
            fail(f"{name} should be an array of whole numbers.", hint=why)
        if array.shape != right.shape:
            wanted = f"{name} should have the shape {right.shape}"
            fail(f"{wanted}, got {array.shape}.", f"{wanted}.", why)
        if array.dtype.kind not in "iu" and array.size:
            fail(f"{name} should be whole numbers.", hint="Make the arrays with dtype=int.")
    for part, right, name in zip(parts, want, ("ids", "targets"), strict=True):
        diagnosed(part, right, found[0].hint if found else hint, what=name, tolerance=0.0)


def _same(parts: Any, value: Pair) -> bool:
    """Say whether these are the values of a mistake, whatever the container."""
    try:
        arrays = [as_array(part) for part in parts]
    except ValueError:
        return False
    return all(np.array_equal(a, b) for a, b in zip(arrays, value, strict=True))


# --- pack_documents

PACKED = "Cut one stream, end, document, end, document, end: the targets are one token ahead."
REST = "Nothing may be lost: fill the last row up with `end`, and its targets with -100."


def packed(documents: Any, T: int, end: int, flaw: str = "") -> Pair:
    """Return the rows of ids and targets, each target after the token it follows."""
    if flaw == "own rows" and documents:
        both = [packed([one], T, end) for one in documents]
        return tuple(np.concatenate(parts) for parts in zip(*both, strict=True))  # type: ignore
    if flaw == "skipped":
        documents = [one for one in documents if len(one)]
    pairs, before = [], end
    for index, document in enumerate(documents):
        ended = flaw != "no end" and not (flaw == "last end" and index == len(documents) - 1)
        for token in [*document, *([end] if ended else [])]:
            pairs.append((before, token))
            before = token
    if flaw == "no start":
        pairs = pairs[1:]
    if flaw == "not shifted":
        pairs = [(token, token) for token, _ in pairs]
    if flaw == "swapped":
        pairs = [(target, token) for token, target in pairs]
    if flaw.startswith("own end"):  # each row by itself, its last target lost
        tokens = [end, *(target for _, target in pairs)]
        tokens += [end] * (-len(tokens) % T if flaw == "own end, counted" else 0)
        pairs = []
        for at in range(0, len(tokens), T):
            row = tokens[at : at + T]
            pairs += [*itertools.pairwise(row), (row[-1], IGNORED)]
    if flaw == "rolled":
        for last in range(T - 1, len(pairs), T):
            pairs[last] = pairs[last][0], pairs[last - T + 1][0]
    if flaw == "dropped":
        pairs = pairs[: len(pairs) // T * T]
    pad = {"counted": (end, end), "no id": (IGNORED, IGNORED)}.get(flaw, (end, IGNORED))
    pairs += [pad] * (T if flaw == "one more" and not len(pairs) % T else -len(pairs) % T)
    table = np.array(pairs, dtype=int).reshape(-1, T, 2)
    return table[..., 0], table[..., 1]


PACK_FLAWS = {
    "dropped": REST,
    "no start": "The stream begins with `end`, so that the first token is predicted, too.",
    "no end": "Each document is followed by `end`.",
    "last end": "Each document is followed by `end`, the last one, too.",
    "own end": "The target of a row's last position is the first token of the next row.",
    "own end, counted": "The target of a row's last position is the first token of the next row.",
    "rolled": "The target of a row's last position is the first token of the next row.",
    "not shifted": "A target is the NEXT token: inputs are stream[:-1], targets stream[1:].",
    "swapped": "Return ids first, then targets: the targets are one token ahead.",
    "counted": "Padding may not count: its targets are -100.",
    "no id": "-100 is no id: fill the rows of ids up with `end`, only the targets with -100.",
    "one more": "Documents that fill the rows exactly need no row of padding.",
    "skipped": "An empty document has an end token, too.",
    "own rows": "A document begins where the one before it ended, not in a row of its own.",
}


def pack_inputs(rng: Any, T: int, lengths: Any, V: int = 9) -> Any:
    """Return documents of these lengths, T and an `end` that no document holds."""
    end = int(rng.integers(0, V))
    words = [i for i in range(V) if i != end]
    return [rng.choice(words, length).tolist() for length in lengths], T, end


def pack_mistakes(documents: Any, T: int, end: int) -> list[Mistake]:
    right = packed(documents, T, end)
    return [m for m in flawed(packed, (documents, T, end), PACK_FLAWS) if not _same(right, m.value)]


@visible
def pack_documents(answer):
    rng = np.random.default_rng(1)
    tries = (
        ([[5, 6, 7], [8]], 4, 0),
        *(
            pack_inputs(rng, T, lengths)
            for T, lengths in ((4, (3, 6, 2)), (3, (1, 1, 4, 5)), (5, (4, 5, 9, 2)), (2, (7, 2)))
        ),
    )
    for args in tries:
        with noted("The stream is one list of ids; cut it only when it is whole."):
            got = called(answer, args)
        pair_near(got, packed(*args), "(rows, T)", PACKED, *pack_mistakes(*args))
    edges = (
        (([[1, 2, 3]], 4, 0), PACK_FLAWS["one more"]),
        (([[1], [2]], 1, 0), "The same holds for T = 1."),
        (([[], [3], []], 3, 0), "An empty document is its `end` alone."),
        (([[1, 2]], 8, 0), "One document may be shorter than a row."),
        (([], 3, 0), "Without documents there is no target: arrays of the shape (0, T)."),
    )
    for args, hint in edges:
        with noted(hint):
            got = called(answer, args)
        skipped = [m for m in pack_mistakes(*args) if m.hint == PACK_FLAWS["skipped"]]
        pair_near(got, packed(*args), "(rows, T)", hint, *skipped)


# --- get_batch

Order = Callable[[int], Any]
BATCH = "Row k of the endless order is order(k // N)[k % N]; a batch has k = step * B, ..."


def batch_of(
    ids: Array, targets: Array, step: int, batch_size: int, order: Order, flaw: str = ""
) -> Pair:
    """Return the rows of one step, looked up one after the other."""
    N = len(ids)
    if flaw == "from 1":
        step -= 1
    rows = []
    for k in range(step * batch_size, (step + 1) * batch_size):
        epoch, at = divmod(k, N)
        if flaw == "dropped":
            whole = max(1, N // batch_size)
            epoch, at = step // whole, (step % whole * batch_size + k - step * batch_size) % N
        if flaw == "two epochs" and epoch > step * batch_size // N + 1:
            continue
        if flaw == "one epoch":
            epoch = step * batch_size // N
        if flaw == "same order":
            epoch = 0
        if flaw == "epoch is step":
            epoch = step
        if flaw == "in order":
            rows.append(at)
        elif flaw == "inverse":
            rows.append(list(order(epoch)).index(at))
        else:
            rows.append(int(order(max(epoch, 0))[at]))
    chosen = np.array(rows, dtype=int)
    if flaw == "sorted":
        chosen = np.sort(chosen)
    if flaw == "targets in order":
        return ids[chosen], targets[np.arange(step * batch_size, (step + 1) * batch_size) % N]
    return ids[chosen], targets[chosen]


BATCH_FLAWS = {
    "in order": "The rows come in the order of `order(epoch)`, not in their own.",
    "same order": "Every epoch has an order of its own: order(1) for the second one.",
    "one epoch": "A batch that reaches the end of an epoch goes on with the first rows of the "
    "next one.",
    "two epochs": "A batch larger than N takes rows of three or more epochs.",
    "dropped": "No row is left out: a batch goes on where the one before it ended, across epochs.",
    "from 1": "Steps are counted from 0.",
    "epoch is step": "The epoch is the number of rows before, divided by N, not the step.",
    "inverse": "order(epoch)[0] is the first row of the epoch.",
    "sorted": "Keep the rows of a batch in the order that `order` gives.",
    "targets in order": "The targets are those of the same rows.",
}


def batch_inputs(rng: Any, N: int, T: int, step: int, batch_size: int) -> Any:
    """Return ids and targets (N, T), a step, a batch size, and an order of each epoch."""
    ids = rng.permutation(N * T).reshape(N, T)
    epochs = 2 + max(step, (step + 1) * batch_size // N)
    orders = [rng.permutation(N) for _ in range(epochs)]
    return ids, ids + 1000, step, batch_size, lambda epoch: orders[epoch]


def batch_mistakes(*args: Any) -> list[Mistake]:
    right = batch_of(*args)
    return [m for m in flawed(batch_of, args, BATCH_FLAWS) if not _same(right, m.value)]


def batch_by(answer: Any, args: Any) -> Any:
    """Return the batch, or fail if the call modified an array."""
    *plain, order = args
    return called(lambda *given: answer(*given, order), plain)


@visible
def get_batch(answer):
    ids = np.array([[1, 2], [3, 4], [5, 6]])
    order = Spelled("lambda epoch: [[2, 0, 1], [1, 2, 0], [0, 2, 1], [1, 0, 2]][epoch]")
    for step in (0, 2, 1):  # an order for all epochs shows in 2, one that a batch cannot leave in 1
        args = ids, ids + 10, step, 2, order
        with noted("order(epoch) is a list or an array of row numbers.", "index", "range"):
            got = batch_by(answer, args)
        pair_near(got, batch_of(*args), "(batch_size, T)", BATCH, *batch_mistakes(*args))
    rng = np.random.default_rng(2)
    for size in (
        (7, 3, 2, 3),
        (5, 2, 4, 4),
        (3, 2, 1, 7),
        (6, 1, 5, 1),
        (1, 2, 3, 2),
        (4, 3, 9, 4),
    ):
        args = batch_inputs(rng, *size)
        pair_near(batch_by(answer, args), batch_of(*args), "(batch_size, T)", BATCH,
                  *batch_mistakes(*args))  # fmt: skip
