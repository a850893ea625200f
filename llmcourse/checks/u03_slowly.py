"""Texts for unit 03, and what its rules give: found character by character and place by place.

unit: 03_tokenization
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence

MARKS = ".,;!?-'\"()#@…—¿€"
LETTERS = ["ab", "C", "dé", "я", "猫", "7", "_", "ß٣"]
Piece = tuple[int, ...]
Pair = tuple[int, int]


def prose(seed: int, words: int) -> str:
    """Return words of many scripts, marks and runs of marks, white space of all kinds."""
    rng = random.Random(seed)
    parts = []
    for _ in range(words):
        parts.append("".join(rng.choices(LETTERS, k=rng.randint(1, 3))))
        parts.append(rng.choice(["", "", rng.choice(MARKS), 2 * rng.choice(MARKS)]))
        parts.append(rng.choice([" ", " ", "  ", "\n", "\t "]))
    return "".join(parts)


def words_and_marks(text: str) -> list[str]:
    """Cut by looking at one character after the other."""
    cut: list[str] = []
    inside = False
    for c in text:
        joins = c == "_" or c.isalnum()
        if joins and inside:
            cut[-1] += c
        elif not c.isspace():
            cut.append(c)
        inside = joins
    return cut


def spelled(token: str) -> list[str]:
    """Return one string for each byte, from the text's own hexadecimal form."""
    digits = token.encode("utf-8").hex().upper()
    return [f"<0x{digits[i : i + 2]}>" for i in range(0, len(digits), 2)]


def pieces(seed: int, number: int, ids: int, most: int) -> dict[Piece, int]:
    """Return random pieces; each occurs up to `most` times."""
    rng, made = random.Random(seed), dict[Piece, int]()
    while len(made) < number:
        made[tuple(rng.choices(range(ids), k=rng.randint(1, 7)))] = rng.randint(1, most)
    return made


def learned(given: Mapping[Piece, int], n_merges: int, first_id: int = 256) -> list[Pair]:
    """Learn byte-pair merges; of equals the lower ids come first."""
    now = [(list(piece), times) for piece, times in given.items()]
    merges: list[Pair] = []
    while len(merges) < n_merges:
        counts = Counter[Pair]()
        for ids, times in now:
            for i in range(len(ids) - 1):
                counts[ids[i], ids[i + 1]] += times
        if not counts:
            break
        merges.append(sorted(counts, key=lambda pair: (-counts[pair], pair))[0])
        for ids, _ in now:
            _merge(ids, merges[-1], first_id + len(merges) - 1)
    return merges


def _merge(ids: list[int], pair: Pair, new: int) -> None:
    place = 0
    while place + 1 < len(ids):
        if (ids[place], ids[place + 1]) == pair:
            ids[place : place + 2] = [new]
        place += 1


def encoded(ids: Sequence[int], merges: Sequence[Pair], first_id: int = 256) -> list[int]:
    now = list(ids)
    for k, pair in enumerate(merges):
        _merge(now, pair, first_id + k)
    return now


def greedy(word: str, known: set[str], unk: str) -> list[str]:
    """Take the longest first, then the rest; unk where that leads nowhere."""
    found, mark = list[str](), ""
    while word:
        fits = [n for n in range(1, len(word) + 1) if mark + word[:n] in known]
        if not fits:
            return [unk]
        found.append(mark + word[: fits[-1]])
        word, mark = word[fits[-1] :], "##"
    return found


def vocabulary(seed: int, longest: int) -> set[str]:
    """Return beginnings and continuations over a, b and c; every single letter is there."""
    rng = random.Random(seed)
    made = set("abc") | {"##a", "##b", "##c"}
    for mark in ("", "##"):
        made |= {mark + "".join(rng.choices("abc", k=rng.randint(1, longest))) for _ in range(14)}
    return made
