"""Byte-level byte-pair encoding, fast: train, encode, decode, stream, save and load.

Text is cut into pre-tokens (a word with the space before it, a number, punctuation, white space) by
GPT-2's rule; inside a pre-token the most frequent pair of neighbours is merged again and again.
Because the smallest units are bytes, every text can be encoded and comes back as it was. Merges,
ids and files are those of Hugging Face's `tokenizers` with a byte-level pre-tokenizer.

Left out: normalisation, dropout, other pre-tokenizers, padding and truncation.

source: Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units,
2016, arXiv:1508.07909; Radford et al., Language Models are Unsupervised Multitask Learners, 2019
(bytes, pre-tokens).
unit: 03_tokenization
"""

from __future__ import annotations

import heapq
import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

Pair = tuple[int, int]

# Bytes that are written as themselves in a tokenizer.json; the others become characters from
# U+0100 on. Ids 0 to 255 go through all of these characters in order.
_PLAIN = (*range(33, 127), *range(161, 173), *range(174, 256))
_BYTES = _PLAIN + tuple(b for b in range(256) if b not in _PLAIN)  # id -> byte
_CHARACTERS = [chr(b) for b in _PLAIN] + [chr(256 + i) for i in range(256 - len(_PLAIN))]
_ID_OF_BYTE = bytes(_BYTES.index(b) for b in range(256))
_CACHED = 1 << 16  # pre-tokens whose ids are remembered


def train_bpe(
    texts: Iterable[str], vocab_size: int, special_tokens: Iterable[str] = ()
) -> Tokenizer:
    """Learns merges until there are `vocab_size` tokens or nothing is left to merge.

    The 256 bytes come first, then one token a merge, then the special tokens; all count. Of the
    pairs that occur equally often the one with the lower first id is merged, then the one with the
    lower second id. Raises ValueError for a vocabulary that does not hold the bytes and specials.
    """
    specials = tuple(dict.fromkeys(special_tokens))
    wanted = vocab_size - 256 - len(specials)
    if wanted < 0:
        raise ValueError(
            f"expected vocab_size of at least {256 + len(specials)} (256 bytes and "
            f"{len(specials)} special tokens), got {vocab_size}: ask for more"
        )
    counts = Counter(piece for text in texts for piece in pre_tokens(text))
    pieces = {tuple(byte_ids(piece)): count for piece, count in counts.items()}
    return Tokenizer(tuple(learn_merges(pieces, wanted)), specials)


def byte_ids(text: str) -> list[int]:
    """The id of each byte of a text in UTF-8, before any merge."""
    return list(text.encode().translate(_ID_OF_BYTE))


def learn_merges(
    pieces: Mapping[tuple[int, ...], int], n_merges: int, first_id: int = 256
) -> Iterator[Pair]:
    """Streams merges learned from pieces, given as ids, and how often each piece occurs.

    Merge k makes the id `first_id` + k. The stream ends early when nothing is left to merge.
    """
    words = [list(piece) for piece in pieces]
    times = list(pieces.values())
    together: Counter[Pair] = Counter()
    where: defaultdict[Pair, set[int]] = defaultdict(set)
    for i, word in enumerate(words):
        for pair in pairwise(word):
            together[pair] += times[i]
            where[pair].add(i)
    heap = [(-count, pair) for pair, count in together.items()]
    heapq.heapify(heap)
    for new in range(first_id, first_id + n_merges):
        pair = _most_frequent(heap, together)
        if pair is None:
            return
        yield pair
        changes: Counter[Pair] = Counter()
        for i in where.pop(pair):
            for neighbours, change in _merge(words[i], pair, new):
                changes[neighbours] += change * times[i]
                if change > 0:
                    where[neighbours].add(i)
        del together[pair]
        for neighbours, change in changes.items():
            if neighbours != pair:
                together[neighbours] += change
                if change > 0:
                    heapq.heappush(heap, (-together[neighbours], neighbours))


def _most_frequent(heap: list[tuple[int, Pair]], together: Counter[Pair]) -> Pair | None:
    """The pair to merge next; counts that fell since they were put on the heap are put right."""
    while heap:
        count, pair = heapq.heappop(heap)
        now = -together[pair]
        if count == now < 0:
            return pair
        if now < 0:
            heapq.heappush(heap, (now, pair))
    return None


def _merge(word: list[int], pair: Pair, new: int) -> list[tuple[Pair, int]]:
    """Merges a pair in a word, in place; which pairs of neighbours that made and undid."""
    first, second = pair
    changes = []
    i = 0
    while i < len(word) - 1:
        if word[i] == first and word[i + 1] == second:
            if i:
                changes += [((word[i - 1], first), -1), ((word[i - 1], new), 1)]
            word[i : i + 2] = [new]
            if i + 1 < len(word):
                changes += [((second, word[i + 1]), -1), ((new, word[i + 1]), 1)]
        i += 1
    return changes


@dataclass(frozen=True)
class Tokenizer:
    """Merges in the order learned, and special tokens, whose ids follow those of the merges.

    >>> Tokenizer(()).decode(Tokenizer(()).encode("naïve 🙂"))
    'naïve 🙂'
    """

    merges: tuple[Pair, ...]
    special_tokens: tuple[str, ...] = ()
    _known: dict[str, list[int]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def vocab_size(self) -> int:
        """The number of tokens; ids are below it."""
        return len(self.tokens)

    @cached_property
    def tokens(self) -> tuple[bytes, ...]:
        """The bytes that each id stands for."""
        found = [bytes([b]) for b in _BYTES]
        for first, second in self.merges:
            found.append(found[first] + found[second])
        return (*found, *(token.encode() for token in self.special_tokens))

    @cached_property
    def special_ids(self) -> dict[str, int]:
        """The id of each special token."""
        return {token: 256 + len(self.merges) + i for i, token in enumerate(self.special_tokens)}

    @property
    def spelled_merges(self) -> list[list[str]]:
        """The merges as a tokenizer.json spells them: one visible character a byte."""
        return [
            [_written(self.tokens[first]), _written(self.tokens[second])]
            for first, second in self.merges
        ]

    @cached_property
    def _ranks(self) -> dict[Pair, int]:
        return {pair: rank for rank, pair in enumerate(self.merges)}

    def encode(self, text: str, *, specials: bool = False) -> list[int]:
        """The ids of a text.

        specials: whether special tokens written in the text become their ids. Never set it for
        text that a user may have written: there `<|endoftext|>` is thirteen harmless characters.
        """
        if not specials or not self.special_tokens:
            return self._ordinary(text)
        ids = []
        longest_first = sorted(self.special_tokens, key=len, reverse=True)
        for i, part in enumerate(re.split(f"({'|'.join(map(re.escape, longest_first))})", text)):
            ids += [self.special_ids[part]] if i % 2 else self._ordinary(part)
        return ids

    def encode_stream(self, chunks: Iterable[str]) -> Iterator[int]:
        """The ids of a text that comes in pieces of any size, as `encode` gives them for the whole.

        Memory does not grow with the text, only with its longest run without white space.
        """
        held = ""
        for chunk in chunks:
            held += chunk
            cut = _last_safe_cut(held)
            yield from self._ordinary(held[:cut])
            held = held[cut:]
        yield from self._ordinary(held)

    def _ordinary(self, text: str) -> list[int]:
        ids: list[int] = []
        known = self._known
        for piece in pre_tokens(text):
            if piece not in known:
                if len(known) >= _CACHED:
                    known.clear()
                known[piece] = self._encode_piece(piece)
            ids += known[piece]
        return ids

    def _encode_piece(self, piece: str) -> list[int]:
        """Merges as learned: always the earliest rank, from left to right; n log n in its length.

        A merged token stays at its first place; `after` and `before` link the places in use.
        """
        ids = byte_ids(piece)
        ranks, end = self._ranks, len(ids)
        after, before = list(range(1, end + 1)), list(range(-1, end - 1))
        heap = [(ranks[pair], i) for i, pair in enumerate(pairwise(ids)) if pair in ranks]
        heapq.heapify(heap)
        while heap:
            rank, i = heapq.heappop(heap)
            j = after[i]
            if j >= end or (ids[i], ids[j]) != self.merges[rank]:
                continue  # a merge beside it got there first
            ids[i], ids[j] = 256 + rank, -1
            after[i] = after[j]
            if after[i] < end:
                before[after[i]] = i
            for left in (before[i], i):
                if left >= 0 and after[left] < end:
                    found = ranks.get((ids[left], ids[after[left]]))
                    if found is not None:
                        heapq.heappush(heap, (found, left))
        return [token for token in ids if token >= 0]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of these ids; bytes that are no UTF-8 (a character cut in two) become U+FFFD."""
        return b"".join([self.tokens[i] for i in ids]).decode(errors="replace")

    def save(self, path: str | Path) -> None:
        """Writes a `tokenizer.json` that Hugging Face's `tokenizers` loads."""
        Path(path).write_text(json.dumps(_to_json(self), ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Tokenizer:
        """Reads a `tokenizer.json` of byte-level BPE. Raises ValueError for any other kind."""
        return _from_json(json.loads(Path(path).read_text(encoding="utf-8")), path)


# Pre-tokens


def pre_tokens(text: str) -> list[str]:
    """The pieces that merges never cross; together they are the text.

    >>> pre_tokens("We've 12 apples,  and")
    ['We', "'ve", ' 12', ' apples', ',', ' ', ' and']
    """
    return _pattern().findall(text)


_SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


@cache
def _pattern() -> re.Pattern[str]:
    """GPT-2's expression, without the classes of letters and numbers that Python's `re` lacks."""
    number = _numbers()
    return re.compile(
        rf"'(?:s|t|re|ve|m|ll|d)| ?[^\W_{number}]+| ?[{number}]+| ?(?:[^\w{_SPACE}]|_)+"
        rf"|[{_SPACE}]+(?![^{_SPACE}])|[{_SPACE}]+"
    )


def _numbers() -> str:
    """All characters of Unicode category N, as ranges of a character class."""
    codes = [
        c
        for c in range(sys.maxunicode + 1)
        if chr(c).isnumeric() and unicodedata.category(chr(c))[0] == "N"
    ]
    known = set(codes)
    starts = [c for c in codes if c - 1 not in known]
    ends = [c for c in codes if c + 1 not in known]
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in zip(starts, ends, strict=True))


_CUT = re.compile(rf"[^{_SPACE}](?=[{_SPACE}])")


def _last_safe_cut(text: str) -> int:
    """The last place where white space follows something else, or 0: no pre-token crosses it."""
    return max((match.end() for match in _CUT.finditer(text)), default=0)


# Files


def _to_json(tokenizer: Tokenizer) -> dict[str, Any]:
    written = [_written(token) for token in tokenizer.tokens[: 256 + len(tokenizer.merges)]]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    model = {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
        "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
        "ignore_merges": False,
        "vocab": {token: i for i, token in enumerate(written)} | tokenizer.special_ids,
        "merges": tokenizer.spelled_merges,
    }  # fmt: skip
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [
            {"id": i, "content": token, **flags, "special": True}
            for token, i in tokenizer.special_ids.items()
        ],
        "normalizer": None, "pre_tokenizer": {**byte_level, "use_regex": True},
        "post_processor": None, "decoder": {**byte_level, "use_regex": True}, "model": model,
    }  # fmt: skip


def _written(token: bytes) -> str:
    """A token as the file spells it: one visible character a byte."""
    return "".join(_CHARACTERS[_ID_OF_BYTE[b]] for b in token)


def _from_json(found: Any, path: str | Path) -> Tokenizer:
    try:
        model, specials = found["model"], found["added_tokens"]
        is_ours = model["type"] == "BPE" and found["pre_tokenizer"]["type"] == "ByteLevel"
        ids = {token: i for i, token in enumerate(_CHARACTERS)}
        merges = []
        for merge in model["merges"]:
            first, second = merge.split(" ") if isinstance(merge, str) else merge
            merges.append((ids[first], ids[second]))
            ids[first + second] = 256 + len(merges) - 1
        names = tuple(token["content"] for token in sorted(specials, key=lambda t: t["id"]))
        tokenizer = Tokenizer(tuple(merges), names)
        is_ours = is_ours and ids | tokenizer.special_ids == model["vocab"]
    except (KeyError, TypeError, ValueError):
        is_ours = False
    if not is_ours:
        raise ValueError(
            f"expected a tokenizer.json of byte-level BPE (256 bytes, merges, special tokens, in "
            f"this order), got something else in {path}: save one with Tokenizer.save"
        )
    return tokenizer
