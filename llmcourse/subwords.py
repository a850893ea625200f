"""Ways to cut a text into tokens, each in its plainest form: words, characters, bytes, pieces.

Byte-pair encoding is here on ids: a piece of text is a list of ids, merge k makes the id
`first_id` + k. `llmcourse.tokenizers` is the fast form for whole texts, with the same merges.

Left out: SentencePiece's unigram model, WordPiece's training, normalisation.

source: Sennrich, Haddow and Birch 2016, arXiv:1508.07909 (byte-pair encoding); Wu et al. 2016,
arXiv:1609.08144, and Devlin et al. 2019, arXiv:1810.04805 (WordPiece); Kudo and Richardson 2018,
arXiv:1808.06226 (SentencePiece, whose option byte_fallback is).
unit: 03_tokenization
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from llmcourse.tokenizers import Pair, learn_merges

_WORD = re.compile(r"\w+|[^\w\s]")


def word_tokenize(text: str, vocabulary: Container[str], unk: str = "<unk>") -> list[str]:
    """Words and single punctuation marks in order; what `vocabulary` lacks becomes `unk`.

    A word is a run of letters, digits and underscores of any script. White space is dropped.
    """
    return [word if word in vocabulary else unk for word in _WORD.findall(text)]


def byte_fallback(tokens: Iterable[str], vocabulary: Container[str]) -> list[str]:
    """The tokens, with those that `vocabulary` lacks as one token `<0xHH>` for each UTF-8 byte."""
    found = []
    for token in tokens:
        found += [token] if token in vocabulary else [f"<0x{b:02X}>" for b in token.encode()]
    return found


def train_bpe(
    pieces: Mapping[tuple[int, ...], int], n_merges: int, first_id: int = 256
) -> list[Pair]:
    """Up to `n_merges` merges in the order learned; see `llmcourse.tokenizers.learn_merges`."""
    return list(learn_merges(pieces, n_merges, first_id))


def replace_pair(ids: Sequence[int], pair: Pair, new_id: int) -> list[int]:
    """The ids with every occurrence of the pair, from left to right, replaced by `new_id`."""
    found: list[int] = []
    i = 0
    while i < len(ids):
        both = tuple(ids[i : i + 2]) == tuple(pair)
        found.append(new_id if both else ids[i])
        i += 2 if both else 1
    return found


def bpe_encode(ids: Sequence[int], merges: Sequence[Pair], first_id: int = 256) -> list[int]:
    """The ids of one piece after all merges, in the order learned."""
    ids = list(ids)
    for new_id, pair in enumerate(merges, first_id):
        ids = replace_pair(ids, pair, new_id)
    return ids


def bpe_decode(ids: Iterable[int], merges: Sequence[Pair], alphabet: Sequence[bytes]) -> str:
    """The text of ids; `alphabet[i]` holds the bytes of id i, merges make the ids after these.

    Bytes that are no UTF-8 become U+FFFD. Raises IndexError for an id that does not exist.
    """
    tokens = list(alphabet)
    for first, second in merges:
        tokens.append(tokens[first] + tokens[second])
    return b"".join([tokens[i] for i in ids]).decode(errors="replace")


def wordpiece_encode(word: str, vocabulary: Container[str], unk: str = "[UNK]") -> list[str]:
    """The longest token of `vocabulary` that begins the word, then again on the rest.

    Tokens that do not begin a word are written with ## in front. Where nothing fits the whole word
    is [`unk`]; the empty word has no token.
    """
    found, start = [], 0
    while start < len(word):
        mark = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if mark + word[start:end] in vocabulary), None)
        if end is None:
            return [unk]
        found.append(mark + word[start:end])
        start = end
    return found


def fertility(text: str, tokenize: Callable[[str], Sequence]) -> float:
    """Tokens per word; words are what white space separates. Raises ValueError without a word."""
    words = len(text.split())
    if not words:
        raise ValueError("expected a text with at least one word, got none: there is no mean of 0")
    return len(tokenize(text)) / words
