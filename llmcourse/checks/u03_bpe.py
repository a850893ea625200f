"""Byte-pair encoding of unit 03: formulas that merge in plain lists, mistakes, visible checks.

unit: 03_tokenization
"""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from llmcourse.checks import (
    Mistake,
    diagnosed,
    equal,
    fail,
    keeps_up,
    unchanged,
    visible,
)
from llmcourse.checks.u03_words import prose

Piece = tuple[int, ...]
Pair = tuple[int, int]


def random_pieces(rng: random.Random, number: int, ids: int, most: int) -> dict[Piece, int]:
    """Return random pieces; each occurs up to `most` times."""
    made = dict[Piece, int]()
    while len(made) < number:
        made[tuple(rng.choices(range(ids), k=rng.randint(1, 7)))] = rng.randint(1, most)
    return made


def merge(ids: list[int], pair: Pair, new: int) -> None:
    i = 0
    while i + 1 < len(ids):
        if (ids[i], ids[i + 1]) == pair:
            ids[i : i + 2] = [new]
        i += 1


# --- train_bpe


def lower(pair: Pair) -> Any:
    return -pair[0], -pair[1]


def learned(
    pieces: Mapping[Piece, int], n_merges: int, first_id: int = 256,
    prefer: Callable[[Pair], Any] = lower, weigh: bool = True, once: bool = False, least: int = 1,
) -> list[Pair]:  # fmt: skip
    """Learn byte-pair merges; of equals the lower ids come first.

    Mistakes are to prefer others, not to weigh, to count a pair `once` a piece and to stop at pairs
    seen less often than `least`.
    """
    now = [(list(piece), times if weigh else 1) for piece, times in pieces.items()]
    merges: list[Pair] = []
    while len(merges) < n_merges:
        counts = Counter[Pair]()
        for ids, times in now:
            pairs: Iterable[Pair] = itertools.pairwise(ids)
            for pair in dict.fromkeys(pairs) if once else pairs:
                counts[pair] += times
        if not counts or max(counts.values()) < least:
            break
        merges.append(max(counts, key=lambda pair: (counts[pair], prefer(pair))))
        for ids, _ in now:
            merge(ids, merges[-1], first_id + len(merges) - 1)
    return merges


def counted_once(pieces: Mapping[Piece, int]) -> list[Pair]:
    """Return the pairs of the pieces as they came, most frequent first: no merge is carried out."""
    counts = Counter[Pair]()
    for piece, times in pieces.items():
        for pair in itertools.pairwise(piece):
            counts[pair] += times
    return sorted(counts, key=lambda pair: (-counts[pair], pair))


ONCE_TOO = "A pair that occurs only once is merged, too: stop only when none is left."
RARE_TOO = "Pairs seen once or twice are merged, too: stop only when none is left."


def train_mistakes(pieces: Mapping[Piece, int], n: int, first_id: int = 256) -> list[Mistake]:
    """Return known mistakes; those that stop too early only where they differ."""
    args = (pieces, n, first_id)
    want = learned(*args)
    early = [
        Mistake(learned(*args, least=2), ONCE_TOO), Mistake(learned(*args, least=3), RARE_TOO)
    ]  # fmt: skip
    return [
        Mistake(learned(*args, weigh=False),
                "A piece that occurs often counts often: add times, not 1."),
        Mistake(learned(*args, prefer=lambda pair: pair),
                "Ties: the lower ids win, not the higher."),
        Mistake(learned(*args, prefer=lambda pair: 0),
                "Ties: the lower ids win, not the pair seen first."),
        Mistake(counted_once(pieces)[:n], "After a merge rewrite the pieces and count anew."),
        Mistake(learned(pieces, n, 256),
                "Use the argument first_id: the first merge makes it, not 256."),
        Mistake(learned(*args, once=True),
                "Where a pair occurs twice in a piece it counts twice, also in a run."),
        *(mistake for mistake in early if mistake.value != want),
    ]  # fmt: skip


THE = {(5, 3, 2): 3, (1, 0, 4): 1, (1, 0, 5): 1, (4, 0, 5): 1}  # the x 3, car, cat, rat
BY_COUNT = "The highest count, weighted by the piece; of equals the lower first id, then second."
RUNS = "A pair in a run counts at each position, and is replaced from left to right."
NO_PAIR = "No pair, or n_merges = 0: no merges."
STOPS = ({}, 3), ({(5,): 9, (): 2}, 3), ({(1, 2): 1}, 0)


@visible
def train_bpe(answer):
    got = unchanged(answer, (dict(THE), 3, 6), "Do not change `pieces`: work on a copy.")
    known = [
        *train_mistakes(THE, 3, 6),
        Mistake(learned(THE, 3, 7), "The first merge makes first_id itself, the next one more."),
        Mistake(["he", "the", "at"], "Return pairs of ids."),
    ]
    hint = "the x 3, car, cat, rat: first h e and t h are tied at 3; the lower ids (3, 2) win."
    diagnosed(got, learned(THE, 3, 6), hint, *known)
    twice = "In (2, 2, 2) the pair (2, 2) occurs at two positions: it counts twice."
    for pieces, n, first_id, hint in (
        ({(0, 1): 1, (1, 0): 1, (2, 2, 2): 1}, 1, 3, twice),
        ({(0, 1): 2, (1, 2): 1}, 9, 3, "Nothing is left to merge after two merges: stop there."),
        ({(7,): 5}, 2, 9, "A piece of one id has no pair: no merge."),
        ({(0, 1, 2): 3, (3, 2): 3, (0, 1, 4): 1}, 2, 5,
         "Two merges: (0, 1) comes 4 times; then (3, 2) and (5, 2) are tied, and 3 is lower."),
    ):  # fmt: skip
        early = [m for m in train_mistakes(pieces, n, first_id) if m.hint in (ONCE_TOO, RARE_TOO)]
        diagnosed(answer(pieces, n, first_id), learned(pieces, n, first_id), hint, *early)
    for args in STOPS:
        equal(answer(*args), [], NO_PAIR)
    for length in (2, 3, 4, 5, 8):
        run = {(0,) * length: 2, (1, 0): 3}
        equal(answer(run, 4, 2), learned(run, 4, 2), RUNS)
    rng = random.Random(3)
    for ids, most in ((5, 9), (9, 30), (12, 3), (6, 1), (4, 1)):
        given = random_pieces(rng, 20, ids, most)
        equal(answer(given, 12, ids), learned(given, 12, ids), BY_COUNT)
    given = random_pieces(rng, 4, 200, 3)
    equal(answer(given, 99), learned(given, 99), "first_id is 256 if not given; stop at the end.")
    slow = "Count all pairs in one go over the pieces, not each pair in a go of its own."
    keeps_up(answer, learned, (random_pieces(rng, 4_000, 90, 5), 2, 90), 40, slow)


# --- bpe_encode


def encoded(ids: Sequence[int], merges: Sequence[Pair], first_id: int = 256) -> list[int]:
    now = list(ids)
    for k, pair in enumerate(merges):
        merge(now, pair, first_id + k)
    return now


def spread(token: int, merges: Sequence[Pair], first_id: int) -> list[int]:
    """Return the ids below `first_id` that a token stands for."""
    if token < first_id:
        return [token]
    return [i for part in merges[token - first_id] for i in spread(part, merges, first_id)]


def longest_first(ids: Sequence[int], merges: Sequence[Pair], first_id: int = 256) -> list[int]:
    """Take, by the other rule, from the left the longest token that fits."""
    made = {first_id + k: spread(first_id + k, merges, first_id) for k in range(len(merges))}
    found, start = [], 0
    while start < len(ids):
        fits = [(len(s), i) for i, s in made.items() if list(ids[start : start + len(s)]) == s]
        length, chosen = max(fits, default=(1, ids[start]))
        found.append(chosen)
        start += length
    return found


def at_once(ids: Sequence[int], merges: Sequence[Pair], first_id: int = 256) -> list[int]:
    """Merge by another rule: from the left, each two ids as soon as any merge joins them."""
    found: list[int] = []
    for i in ids:
        found.append(i)
        while len(found) > 1 and (found[-2], found[-1]) in merges:
            found[-2:] = [first_id + merges.index((found[-2], found[-1]))]
    return found


def once_each(ids: Sequence[int], merges: Sequence[Pair], first_id: int = 256) -> list[int]:
    """Make a known mistake: each merge in its order, but only at its first position."""
    now = list(ids)
    for k, pair in enumerate(merges):
        at = next((i for i, here in enumerate(itertools.pairwise(now)) if here == pair), None)
        if at is not None:
            now[at : at + 2] = [first_id + k]
    return now


def encode_mistakes(
    ids: Sequence[int], merges: Sequence[Pair], first_id: int = 256
) -> list[Mistake]:
    args, want = (ids, merges, first_id), encoded(ids, merges, first_id)
    old = [pair if max(pair) < first_id else (-1, -1) for pair in merges]
    mistakes = [
        Mistake([i + (i >= first_id) for i in want],
                "Merge k makes first_id + k; look at where k starts."),
        Mistake(longest_first(*args),
                "Apply the merges in the order learned; do not take the longest token."),
        Mistake(at_once(*args),
                "Apply the merges in the order learned, not from left to right in the piece."),
        Mistake(once_each(*args), "A merge applies everywhere, not only the first time."),
        Mistake(encoded(ids, old, first_id), "Go on with the ids that earlier merges made."),
    ]  # fmt: skip
    if first_id != 256:
        hint = "Use the argument: merge k makes first_id + k, and first_id is not always 256."
        mistakes.append(Mistake(encoded(ids, merges, 256), hint))
    return mistakes


EACH_MERGE = "Each merge in its order, everywhere in the piece; merge k makes first_id + k."
RUN = "From left to right, without overlap; first_id is 256 if not given."


@visible
def bpe_encode(answer):
    the = [(3, 2), (5, 6), (0, 5)]  # he, the, at
    for ids, merges, first_id in (
        ([5, 3, 0, 5], the, 6),  # that
        ([5, 3, 2, 0, 5, 3, 2], the, 6),  # theathe
        ([0, 1, 2], [(1, 2), (0, 1), (0, 3)], 3),
        ([0, 1, 2, 3], [(1, 2), (0, 1), (4, 3), (5, 2)], 4),
    ):
        args = ids, merges, first_id
        got = unchanged(answer, args, "Do not change `ids`: make a new list.")
        diagnosed(got, encoded(*args), EACH_MERGE, *encode_mistakes(*args))
    equal(answer([1, 1, 1], [(1, 1)], 2), [2, 1], "From left to right, without overlap.")
    equal(answer([], the, 6), [], "No ids: an empty list.")
    equal(answer([4, 4], []), [4, 4], "No merges: the ids as they came.")
    for length in (2, 3, 5, 6):
        ids, run = [7] * length, [(7, 7), (256, 256)]
        equal(answer(ids, run), encoded(ids, run), RUN)
    rng = random.Random(4)
    for first_id in (5, 6, 9, 256):
        merges = learned(random_pieces(rng, 40, 5, 9), 15, first_id)
        for length in (12, 25, 25):
            args = rng.choices(range(5), k=length), merges, first_id
            equal(answer(*args), encoded(*args), EACH_MERGE)
    merges = [(2, 3), (1, 2), (3, 4), (20, 5), (21, 20)]
    for ids in ([1, 2, 3, 4], [3, 4, 1, 2, 3, 5], [1, 2, 3, 5, 1, 2], [3, 4, 1, 2, 2, 3]):
        equal(answer(ids, merges, 20), encoded(ids, merges, 20), EACH_MERGE)


# --- bpe_decode


def bytes_of(ids: Sequence[int], merges: Sequence[Pair], alphabet: Sequence[bytes]) -> list[bytes]:
    """Return the bytes of each id."""
    return [b"".join(alphabet[b] for b in spread(i, merges, len(alphabet))) for i in ids]


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def decoded(ids: Sequence[int], merges: Sequence[Pair], alphabet: Sequence[bytes]) -> str:
    return text_of(b"".join(bytes_of(ids, merges, alphabet)))


def decode_mistakes(
    ids: Sequence[int], merges: Sequence[Pair], alphabet: Sequence[bytes]
) -> list[Mistake]:
    """Return known mistakes; any text tells the first two from the right text."""
    parts = bytes_of(ids, merges, alphabet)
    base = [spread(i, merges, len(alphabet))[::-1] for i in ids]
    whole, texts = b"".join(parts), list(map(text_of, parts))
    return [
        Mistake("".join(texts),
                "Join all bytes before you decode: a character may be spread over ids."),
        Mistake(text_of(b"".join(alphabet[b] for turned in base for b in turned)),
                "The first part of a merge comes first, then the second."),
        Mistake(whole, "Return a string: decode the bytes."),
        Mistake(" ".join(texts), "Nothing goes between the tokens."),
        Mistake(texts, "Return one string."),
        Mistake(whole.decode("utf-8", "ignore"),
                "errors='replace', not 'ignore': what is no text must be seen."),
        Mistake(whole.decode("latin-1"),
                "UTF-8: bytes are no characters by themselves, so no chr and no latin-1."),
    ]  # fmt: skip


BYTES = (
    "Look up the bytes of each id, merged ones too; join all, then decode with errors='replace'."
)
BEHIND = "Ids from len(alphabet) on are merges: build their bytes from their two parts."
BROKEN = "What is no UTF-8 becomes U+FFFD: errors='replace'."


@visible
def bpe_decode(answer):
    def agrees(ids, merges, alphabet):
        try:
            got = answer(list(ids), list(merges), list(alphabet))
        except UnicodeError as error:  # grading knows only the plainer kind
            fail(f"your code raised {type(error).__name__}.", hint=BROKEN)
        except LookupError as error:
            raised = f"your code raised {type(error).__name__}"
            fail(f"{raised}: {error}.", f"{raised}.", BEHIND)
        args = ids, merges, alphabet
        diagnosed(got, decoded(*args), BYTES, *decode_mistakes(*args))

    letters, two = [c.encode() for c in "acehrt"], [b"\xc3", b"\xa9", b"!"]
    merges = [(3, 2), (5, 6), (0, 5)]  # he, the, at
    for args in (
        ([7, 1, 8], merges, letters),
        ([0, 1, 2], [], two),
        ([2, 0], [], two),
        ([], merges, letters),
    ):
        agrees(*args)
    unchanged(answer, ([7], list(merges), list(letters)), "Copy the alphabet before you append.")
    rng = random.Random(1)
    alphabet = [bytes([b]) for b in rng.sample(range(256), 256)]
    for text in ("é猫 🙂 ab ab ab я", prose(rng, 12)):
        base = [alphabet.index(bytes([b])) for b in text.encode()]
        merges = learned({tuple(base): 1}, 20)
        agrees(encoded(base, merges), merges, alphabet)
    for character in "é猫🙂":
        agrees([104, *character.encode()[:-1], 105], [], [bytes([b]) for b in range(256)])
