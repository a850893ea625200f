"""Ways to cut a text into tokens, each in its plainest form: words, characters, bytes, pieces.

Byte-pair encoding is here on ids: a piece of text is a list of ids, merge k makes the id
`first_id` + k. `llmcourse.text.tokenizers` is the fast form for whole texts, with the same merges.

Left out: SentencePiece's unigram model, WordPiece's training, normalisation.

source: Sennrich, Haddow and Birch 2016, arXiv:1508.07909 (byte-pair encoding); Wu et al. 2016,
arXiv:1609.08144, and Devlin et al. 2019, arXiv:1810.04805 (WordPiece); Kudo and Richardson 2018,
arXiv:1808.06226 (SentencePiece, whose option byte_fallback is).
unit: 03_tokenization
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cache

from llmcourse.arguments import a_string, no_string, utf8
from llmcourse.text.corpora import word_marks
from llmcourse.text.tokenizers import Pair, learn_merges

IDS_OF_BYTES = ("a list of ids", "take the ids of its bytes")
SET_OF_TOKENS = ("a set of tokens", "in a string every part of it would be known")


def word_tokenize(text: str, vocabulary: Container[str], unk: str = "<unk>") -> list[str]:
    """Return words and single punctuation marks in order; what `vocabulary` lacks becomes `unk`.

    A word is a run of letters, digits and underscores of any script, with the combining marks on
    them: "e" and an accent, the vowel signs of Hindi and Thai. White space is dropped. Half of a
    surrogate pair counts as a mark. Raises TypeError for a vocabulary that is one string.
    """
    a_string(text)
    no_string(vocabulary, *SET_OF_TOKENS)
    return [word if word in vocabulary else unk for word in _words().findall(text)]


@cache
def _words() -> re.Pattern[str]:
    on_top = word_marks()
    return re.compile(rf"\w[\w{on_top}]*|[^\w\s][{on_top}]*")


def byte_fallback(tokens: Iterable[str], vocabulary: Container[str]) -> list[str]:
    """Return the tokens; one that `vocabulary` lacks becomes `<0xHH>` for each of its UTF-8 bytes.

    Raises ValueError for half of a surrogate pair, which has no bytes, and TypeError for one string
    in place of the tokens or of the vocabulary.
    """
    no_string(tokens, "a list of tokens", "take list(text) for its characters")
    no_string(vocabulary, *SET_OF_TOKENS)
    found = []
    for token in tokens:
        found += [token] if token in vocabulary else [f"<0x{b:02X}>" for b in utf8(token)]
    return found


def train_bpe(
    pieces: Mapping[tuple[int, ...], int], n_merges: int, first_id: int = 256
) -> list[Pair]:
    """Learn up to `n_merges` merges; return them in order; see `tokenizers.learn_merges`."""
    return list(learn_merges(pieces, n_merges, first_id))


def replace_pair(ids: Sequence[int], pair: Pair, new_id: int) -> list[int]:
    """Replace every occurrence of the pair, from left to right, with `new_id`."""
    found: list[int] = []
    i = 0
    while i < len(ids):
        both = tuple(ids[i : i + 2]) == tuple(pair)
        found.append(new_id if both else ids[i])
        i += 2 if both else 1
    return found


def bpe_encode(ids: Sequence[int], merges: Sequence[Pair], first_id: int = 256) -> list[int]:
    """Return the ids of one piece after all merges, in the order learned."""
    no_string(ids, *IDS_OF_BYTES)
    ids = list(ids)
    for new_id, pair in enumerate(merges, first_id):
        ids = replace_pair(ids, pair, new_id)
    return ids


def bpe_decode(ids: Iterable[int], merges: Sequence[Pair], alphabet: Sequence[bytes]) -> str:
    """Return the text of ids; `alphabet[i]` holds the bytes of id i, merges make the later ids.

    Bytes that are no UTF-8 become U+FFFD. Raises IndexError for an id that does not exist.
    """
    no_string(ids, *IDS_OF_BYTES)
    tokens, ids = list(alphabet), list(ids)
    for first, second in merges:
        tokens.append(tokens[first] + tokens[second])
    wrong = next((i for i in ids if not 0 <= i < len(tokens)), None)
    if wrong is not None:
        raise IndexError(
            f"expected ids from 0 to {len(tokens) - 1}, got {wrong}: were other merges used?"
        )
    return b"".join([tokens[i] for i in ids]).decode(errors="replace")


def wordpiece_encode(word: str, vocabulary: Container[str], unk: str = "[UNK]") -> list[str]:
    """Take the longest token of `vocabulary` that begins the word, then again on the rest.

    Tokens that do not begin a word are written with ## in front. If no token fits at some point,
    the result is [`unk`] for the whole word; the empty word has no token. Words may have any
    length; BERT's code turns those above 100 characters into [`unk`]. Raises TypeError for a
    vocabulary that is one string.
    """
    a_string(word, "a word")
    no_string(vocabulary, *SET_OF_TOKENS)
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
    """Return tokens per word; white space separates words. Raises ValueError without a word."""
    a_string(text)
    words = len(text.split())
    if not words:
        raise ValueError("expected a text with at least one word, got none: there is no mean of 0")
    return len(tokenize(text)) / words
