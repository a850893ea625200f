"""Byte-level byte-pair encoding, fast: train, encode, decode, stream, save and load.

Text is cut into pre-tokens (a word with the space before it, a number, punctuation, white space) by
GPT-2's rule; inside a pre-token the most frequent pair of neighbours is merged again and again.
Because the smallest units are bytes, every text can be encoded and comes back as it was. Merges
and files are those of Hugging Face's `tokenizers` with a byte-level pre-tokenizer, and so are ids,
but that its trainer puts special tokens first and ours last.

Half of a surrogate pair ("\\ud83d" alone) has no bytes: a text that holds one is refused with
ValueError.

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
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from llmcourse.arguments import a_string, no_string, utf8
from llmcourse.text.pre_tokenization import last_safe_cut, pre_tokens
from llmcourse.text.tokenizer_files import BYTES, ID_OF_BYTE, Pair, read, spelled, to_json

_CACHED = 1 << 16  # pre-tokens whose ids are remembered


def train_bpe(
    texts: Iterable[str], vocab_size: int, special_tokens: Iterable[str] = ()
) -> Tokenizer:
    """Learn merges until there are `vocab_size` tokens or nothing is left to merge.

    The 256 bytes come first, then one token a merge, then the special tokens; all count. Of the
    pairs that occur equally often the one with the lower first id is merged, then the one with the
    lower second id. Raises ValueError for a vocabulary that does not hold the bytes and specials,
    and TypeError for one string in place of a list of texts or of special tokens.
    """
    no_string(texts, "a list of texts", "put it in a list, [text]")
    no_string(special_tokens, "a list of special tokens", "put it in a list, [token]")
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
    """Return the id of each byte of a text in UTF-8, before any merge."""
    return list(utf8(text).translate(ID_OF_BYTE))


def learn_merges(
    pieces: Mapping[tuple[int, ...], int], n_merges: int, first_id: int = 256
) -> Iterator[Pair]:
    """Yield up to `n_merges` merges, each of the most frequent pair of neighbours at that point.

    pieces: ids, and how often the piece occurs. Merge k makes the id `first_id` + k; ties go to the
    lower first id, then to the lower second. Ends early when nothing is left to merge. Raises
    TypeError, when the first merge is asked for, for pieces that are strings.
    """
    no_string(pieces, "pieces with their counts", "cut the text into pieces of ids first")
    for piece in pieces:
        no_string(piece, "pieces that are tuples of ids", "take tuple(byte_ids(piece))")
    words = [list(piece) for piece in pieces]
    times = list(pieces.values())
    together: Counter[Pair] = Counter()  # how often each pair of neighbours occurs
    where: defaultdict[Pair, set[int]] = defaultdict(set)  # the words in which it occurs, or did
    for i, word in enumerate(words):
        for pair in pairwise(word):
            together[pair] += times[i]
            where[pair].add(i)
    heap = [(-count, pair) for pair, count in together.items()]  # on top: most frequent, lowest ids
    heapq.heapify(heap)
    for new in range(first_id, first_id + n_merges):
        pair = _most_frequent(heap, together)
        if pair is None:
            return
        yield pair
        changes: Counter[Pair] = Counter()
        for i in where.pop(pair):  # no other word changes, so a merge costs only its own words
            for neighbours, change in _merge(words[i], pair, new):
                changes[neighbours] += change * times[i]
                if change > 0:
                    where[neighbours].add(i)
        del together[pair]
        for neighbours, change in changes.items():
            if neighbours != pair:  # in a run such as "aaa" the pair is its own neighbour
                together[neighbours] += change
                if change > 0:  # a count that fell is corrected when its entry comes to the top
                    heapq.heappush(heap, (-together[neighbours], neighbours))


def _most_frequent(heap: list[tuple[int, Pair]], together: Counter[Pair]) -> Pair | None:
    """Return the pair to merge next, None if no pair is left; remove its entry from the heap.

    An entry whose count has fallen since is pushed back with its present count.
    """
    while heap:
        count, pair = heapq.heappop(heap)
        now = -together[pair]
        if count == now < 0:
            return pair
        if now < 0:
            heapq.heappush(heap, (now, pair))
    return None


def _merge(word: list[int], pair: Pair, new: int) -> list[tuple[Pair, int]]:
    """Merge a pair in a word, in place; return how the count of each pair of neighbours changes."""
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
    """Merges in the order learned, and special tokens.

    Our order of tokens: the bytes are 0 to 255, merge k makes 256 + k, and the special tokens
    follow. `merges` counts in this order, and so do the ids of a text, unless the tokenizer was
    loaded from a file with other ids: then `id_of` holds the id of each token in our order.

    >>> Tokenizer(()).decode(Tokenizer(()).encode("naïve 🙂"))
    'naïve 🙂'
    """

    merges: tuple[Pair, ...]
    special_tokens: tuple[str, ...] = ()
    id_of: tuple[int, ...] | None = None
    _known: dict[str, list[int]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        no_string(self.special_tokens, "a tuple of special tokens", "write (token,)")
        if "" in self.special_tokens or len(set(self.special_tokens)) < len(self.special_tokens):
            got = f"{self.special_tokens}: remove repeated and empty ones"
            raise ValueError(f"expected different, non-empty special tokens, got {got}")
        for token in self.special_tokens:
            utf8(token)

    @property
    def vocab_size(self) -> int:
        """The number of tokens; ids are below it."""
        return len(self.tokens)

    @cached_property
    def tokens(self) -> tuple[bytes, ...]:
        """The bytes that each id stands for."""
        if self.id_of is None:
            return self._in_order
        by_id = sorted(zip(self.id_of, self._in_order, strict=True))
        return tuple(token for _, token in by_id)

    @cached_property
    def _in_order(self) -> tuple[bytes, ...]:
        """The bytes of each token in our order."""
        found = [bytes([b]) for b in BYTES]
        for first, second in self.merges:
            found.append(found[first] + found[second])
        return (*found, *(token.encode() for token in self.special_tokens))

    @cached_property
    def special_ids(self) -> dict[str, int]:
        """The id of each special token."""
        first = 256 + len(self.merges)
        return {token: self._id(first + i) for i, token in enumerate(self.special_tokens)}

    def _id(self, index: int) -> int:
        """Return the id of a token, given its index in our order."""
        return index if self.id_of is None else self.id_of[index]

    def merge_of(self, token_id: int) -> tuple[int, int, int] | None:
        """Return the rank of the merge that made a token, from 0, and the ids of its two parts.

        None for a byte and for a special token. Raises IndexError for an id that does not exist.
        """
        self._check([token_id])
        rank = (token_id if self.id_of is None else self.id_of.index(token_id)) - 256
        if not 0 <= rank < len(self.merges):
            return None
        first, second = self.merges[rank]
        return rank, self._id(first), self._id(second)

    @property
    def spelled_merges(self) -> list[list[str]]:
        """The merges as a tokenizer.json spells them: one visible character a byte."""
        return [
            [spelled(self._in_order[first]), spelled(self._in_order[second])]
            for first, second in self.merges
        ]

    @cached_property
    def _ranks(self) -> dict[Pair, int]:
        return {pair: rank for rank, pair in enumerate(self.merges)}

    def encode(self, text: str, *, specials: bool = False) -> list[int]:
        """Return the ids of a text.

        specials: whether special tokens written in the text become their ids. Never set it for
        text that a user may have written: there `<|endoftext|>` is thirteen harmless characters.
        Raises ValueError for half of a surrogate pair.
        """
        a_string(text)
        if not specials or not self.special_tokens:
            return self._ordinary(text)
        ids = []
        longest_first = sorted(self.special_tokens, key=len, reverse=True)
        for i, part in enumerate(re.split(f"({'|'.join(map(re.escape, longest_first))})", text)):
            ids += [self.special_ids[part]] if i % 2 else self._ordinary(part)
        return ids

    def encode_stream(self, chunks: Iterable[str]) -> Iterator[int]:
        """Yield the ids of a text given in pieces of any size, as `encode` returns them for it.

        Memory does not grow with the text, only with its longest run of white space and the word
        after it.
        """
        held = ""
        for chunk in chunks:
            held += chunk
            cut = last_safe_cut(held)
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
                known[piece] = [self._id(i) for i in self._encode_piece(piece)]
            ids += known[piece]
        return ids

    def _encode_piece(self, piece: str) -> list[int]:
        """Return the ids of a piece: apply the lowest rank first, from left to right.

        A merged token is kept at the index of its first part; `after` and `before` link the indices
        in use. So a piece of n bytes takes n log n steps, not n^2.
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
                continue  # stale: a neighbour has taken one of the two since
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
        """Return the text of ids; bytes that are no UTF-8 (a character cut in two) become U+FFFD.

        Raises IndexError for an id that does not exist.
        """
        no_string(ids, "a list of ids", "encode gives it")
        ids = list(ids)
        self._check(ids)
        return b"".join([self.tokens[i] for i in ids]).decode(errors="replace")

    def _check(self, ids: list[int]) -> None:
        if ids and not 0 <= (low := min(ids)) <= (high := max(ids)) < self.vocab_size:
            wrong = int(low if low < 0 else high)
            raise IndexError(
                f"expected ids from 0 to {self.vocab_size - 1}, got {wrong}: did another tokenizer "
                "make them?"
            )

    def save(self, path: str | Path) -> None:
        """Write a `tokenizer.json` that Hugging Face's `tokenizers` loads.

        Raises ValueError for a special token that is spelled like another token.
        """
        ordinary = self._in_order[: 256 + len(self.merges)]
        vocabulary = {spelled(token): self._id(i) for i, token in enumerate(ordinary)}
        contents = to_json(vocabulary, self.spelled_merges, self.special_ids)
        Path(path).write_text(json.dumps(contents, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Tokenizer:
        """Read a `tokenizer.json` of byte-level BPE, with the special tokens at any ids.

        `encode(text, specials=True)` then gives the ids of theirs. Raises ValueError, one line with
        the reason, for a file that asks for more (see `llmcourse.text.tokenizer_files`).
        """
        return cls(*read(path))
