"""Unit 03: right answers in other styles, and the mistakes that learners make."""

import re
from collections import Counter
from itertools import pairwise

import numpy as np

from autograder.verification.answer_bank import Equivalent, right, wrong

# --- word_tokenize


@right("word_tokenize")
def cut_at_every_mark(text, vocabulary, unk="<unk>"):
    parts = (part for part in re.split(r"(\W)", text) if part and not part.isspace())
    return tuple(part if part in vocabulary else unk for part in parts)


@right("word_tokenize")
def with_finditer(text, vocabulary, unk="<unk>"):
    found = []
    for match in re.finditer(r"(\w+)|(\S)", text):
        found.append(match.group())
        if found[-1] not in vocabulary:
            found[-1] = unk
    return found


@wrong("word_tokenize", hint="do not drop them")
def drops_unknown_words(text, vocabulary, unk="<unk>"):
    return [word for word in re.findall(r"\w+|[^\w\s]", text) if word in vocabulary]


@wrong("word_tokenize", hint="not only at spaces")
def splits_at_spaces(text, vocabulary, unk="<unk>"):
    return [word if word in vocabulary else unk for word in text.split()]


@wrong("word_tokenize", hint="Capitals stay")
def lowers_the_text(text, vocabulary, unk="<unk>"):
    return [w if w in vocabulary else unk for w in re.findall(r"\w+|[^\w\s]", text.lower())]


@wrong("word_tokenize", hint="Two marks in a row are two tokens")
def joins_marks(text, vocabulary, unk="<unk>"):
    return [w if w in vocabulary else unk for w in re.findall(r"\w+|[^\w\s]+", text)]


@wrong("word_tokenize", hint="not [a-z]")
def latin_letters_only(text, vocabulary, unk="<unk>"):
    return [w if w in vocabulary else unk for w in re.findall(r"[A-Za-z0-9_]+|[^\w\s]", text)]


@wrong("word_tokenize", hint="Use the argument unk")
def writes_its_own_unk(text, vocabulary, unk="<unk>"):
    return [w if w in vocabulary else "<unk>" for w in re.findall(r"\w+|[^\w\s]", text)]


# --- byte_fallback


@right("byte_fallback")
def by_hexadecimal_digits(tokens, vocabulary):
    found = []
    for token in tokens:
        if token in vocabulary:
            found.append(token)
            continue
        digits = token.encode("utf-8").hex().upper()
        found.extend(f"<0x{a}{b}>" for a, b in zip(digits[::2], digits[1::2], strict=True))
    return found


@right("byte_fallback")
def in_one_comprehension(tokens, vocabulary):
    parts = ([t] if t in vocabulary else ["<0x%02X>" % b for b in t.encode()] for t in tokens)  # noqa: UP031
    return [part for some in parts for part in some]


@wrong("byte_fallback", hint="not code points")
def code_points(tokens, vocabulary):
    return [
        part
        for t in tokens
        for part in ([t] if t in vocabulary else [f"<0x{ord(c):02X}>" for c in t])
    ]


def _spelled(tokens, vocabulary, form):
    return [
        part for t in tokens for part in ([t] if t in vocabulary else map(form.format, t.encode()))
    ]


@wrong("byte_fallback", hint="capital letters in the numbers: 02X")
def small_letters(tokens, vocabulary):
    return _spelled(tokens, vocabulary, "<0x{:02x}>")


@wrong("byte_fallback", hint="look up the whole token")
def looks_up_the_letters(tokens, vocabulary):
    return [
        part
        for token in tokens
        for one in ([token] if token in vocabulary else token)
        for part in _spelled([one], vocabulary, "<0x{:02X}>")
    ]


@wrong("byte_fallback", hint="Two digits always")
def one_digit(tokens, vocabulary):
    return _spelled(tokens, vocabulary, "<0x{:X}>")


@wrong("byte_fallback", hint="One flat list")
def nested(tokens, vocabulary):
    return [t if t in vocabulary else [f"<0x{b:02X}>" for b in t.encode()] for t in tokens]


@wrong("byte_fallback", hint="one token for each byte, not one for all")
def one_string_for_all(tokens, vocabulary):
    return [t if t in vocabulary else "".join(f"<0x{b:02X}>" for b in t.encode()) for t in tokens]


# --- train_bpe and bpe_encode


def _merged(ids, pair, new_id):
    found, i = [], 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == tuple(pair):
            found.append(new_id)
            i += 2
        else:
            found.append(ids[i])
            i += 1
    return found


def _trained(
    pieces, n_merges, first_id, *, weigh=True, prefer=None, least=1, rewrite=True, own_first=None
):
    prefer = prefer or (lambda pair: (-pair[0], -pair[1]))
    first_id = first_id if own_first is None else own_first
    words, merges = [(list(piece), times) for piece, times in pieces.items()], []
    for k in range(n_merges):
        counts = Counter()
        for ids, times in words:
            for pair in pairwise(ids):
                counts[pair] += times if weigh else 1
        if not rewrite:
            counts = Counter({p: n for p, n in counts.items() if p not in merges})
        if not counts or max(counts.values()) < least:
            break
        merges.append(max(counts, key=lambda pair: (counts[pair], prefer(pair))))
        if rewrite:
            words = [(_merged(ids, merges[-1], first_id + k), times) for ids, times in words]
    return merges


@right("train_bpe")
def sorted_by_three_keys(pieces, n_merges, first_id=256):
    words, merges = [(np.array(p, dtype=int), n) for p, n in pieces.items()], []
    while len(merges) < n_merges:
        counts = {}
        for ids, times in words:
            for a, b in zip(ids[:-1].tolist(), ids[1:].tolist(), strict=True):
                counts[a, b] = counts.get((a, b), 0) + times
        ranked = sorted(counts.items(), key=lambda entry: (-entry[1], *entry[0]))
        if not ranked:
            return np.array(merges)
        merges.append(list(ranked[0][0]))
        new = first_id + len(merges) - 1
        words = [
            (np.array(_merged(ids.tolist(), merges[-1], new), dtype=int), n) for ids, n in words
        ]
    return merges


@right("train_bpe")
def counts_kept_by_subtraction(pieces, n_merges, first_id=256):
    words = [(list(piece), times) for piece, times in pieces.items()]
    counts = Counter()
    for ids, times in words:
        for pair in pairwise(ids):
            counts[pair] += times
    merges = []
    for new in range(first_id, first_id + n_merges):
        most = max(counts.values(), default=0)
        if most <= 0:
            break
        best = min(pair for pair, count in counts.items() if count == most)
        for ids, times in words:
            after = _merged(ids, best, new)
            if len(after) < len(ids):
                for pair in pairwise(ids):
                    counts[pair] -= times
                for pair in pairwise(after):
                    counts[pair] += times
                ids[:] = after
        merges.append(best)
    return merges


@wrong("train_bpe", hint="not the pair seen first")
def first_seen_wins(pieces, n_merges, first_id=256):
    return _trained(pieces, n_merges, first_id, prefer=lambda pair: 0)


@wrong("train_bpe", hint="the lower ids win, not the higher")
def higher_ids_win(pieces, n_merges, first_id=256):
    return _trained(pieces, n_merges, first_id, prefer=lambda pair: pair)


@wrong("train_bpe", hint="add times, not 1")
def every_piece_counts_once(pieces, n_merges, first_id=256):
    return _trained(pieces, n_merges, first_id, weigh=False)


@wrong("train_bpe", hint="count anew")
def never_rewrites(pieces, n_merges, first_id=256):
    return _trained(pieces, n_merges, first_id, rewrite=False)


@wrong("train_bpe", hint="use the argument first_id")
def starts_at_256(pieces, n_merges, first_id=256):
    return _trained(pieces, n_merges, first_id, own_first=256)


@wrong("train_bpe", hint="Nothing is left to merge")
def fails_at_the_end(pieces, n_merges, first_id=256):
    merges = _trained(pieces, n_merges, first_id)
    return merges + [(0, 0)] * (n_merges - len(merges))


@wrong("train_bpe", hint="stop only when none is left")
def stops_at_pairs_seen_twice(pieces, n_merges, first_id=256):
    return _trained(pieces, n_merges, first_id, least=3)


@wrong("train_bpe", hint="occurs only once is merged")
def stops_at_pairs_seen_once(pieces, n_merges, first_id=256):
    return _trained(pieces, n_merges, first_id, least=2)


@wrong("train_bpe", hint="it counts twice")
def runs_count_once(pieces, n_merges, first_id=256):
    merges, words = [], [(list(piece), times) for piece, times in pieces.items()]
    for new in range(first_id, first_id + n_merges):
        counts = Counter()
        for ids, times in words:
            for pair in set(pairwise(ids)):
                counts[pair] += times
        if not counts:
            break
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
        words = [(_merged(ids, merges[-1], new), times) for ids, times in words]
    return merges


def _one_at_a_time(ids, merges, first_id=256):
    ranks = {tuple(pair): rank for rank, pair in enumerate(merges)}
    now = list(ids)
    while True:
        there = [(ranks[p], i) for i, p in enumerate(pairwise(now)) if p in ranks]
        if not there:
            return now
        rank, i = min(there)
        now[i : i + 2] = [first_id + rank]


@right("bpe_encode")
def one_merge_at_a_time(ids, merges, first_id=256):
    return tuple(_one_at_a_time(ids, merges, first_id))


@right("bpe_encode")
def with_arrays(ids, merges, first_id=256):
    now = np.array(ids, dtype=int)
    for k, (first, second) in enumerate(merges):
        i = 0
        while i < len(now) - 1:
            if now[i] == first and now[i + 1] == second:
                now = np.concatenate([now[:i], [first_id + k], now[i + 2 :]])
            i += 1
    return now


@wrong("bpe_encode", hint="first_id is not always 256")
def ids_from_256(ids, merges, first_id=256):
    return _one_at_a_time(ids, merges, 256)


@wrong("bpe_encode", hint="look at where k starts")
def one_too_high(ids, merges, first_id=256):
    return [i + (i >= first_id) for i in _one_at_a_time(ids, merges, first_id)]


@wrong("bpe_encode", hint="only the first time")
def replaces_the_first_only(ids, merges, first_id=256):
    now = list(ids)
    for k, pair in enumerate(merges):
        for i, here in enumerate(pairwise(now)):
            if here == tuple(pair):
                now[i : i + 2] = [first_id + k]
                break
    return now


@wrong("bpe_encode", hint="not from left to right")
def from_left_to_right(ids, merges, first_id=256):
    now, i = list(ids), 0
    ranks = {tuple(pair): rank for rank, pair in enumerate(merges)}
    while i < len(now) - 1:
        rank = ranks.get((now[i], now[i + 1]))
        if rank is None:
            i += 1
        else:
            now[i : i + 2] = [first_id + rank]
            i = max(0, i - 1)
    return now


@wrong("bpe_encode", hint="do not take the longest token")
def takes_the_longest_token(ids, merges, first_id=256):
    def spread(i):
        return [i] if i < first_id else [x for part in merges[i - first_id] for x in spread(part)]

    made = sorted(
        ((spread(first_id + k), first_id + k) for k in range(len(merges))), key=lambda m: -len(m[0])
    )
    found, start = [], 0
    while start < len(ids):
        fits = [m for m in made if list(ids[start : start + len(m[0])]) == m[0]]
        parts, chosen = fits[0] if fits else ([ids[start]], ids[start])
        found.append(chosen)
        start += len(parts)
    return found


@wrong("bpe_encode", hint="Do not change `ids`")
def edits_its_argument(ids, merges, first_id=256):
    ids[:] = _one_at_a_time(ids, merges, first_id)
    return ids


# --- bpe_decode


def _bytes(i, merges, alphabet):
    if i < len(alphabet):
        return alphabet[i]
    first, second = merges[i - len(alphabet)]
    return _bytes(first, merges, alphabet) + _bytes(second, merges, alphabet)


@right("bpe_decode")
def recursive(ids, merges, alphabet):
    whole = bytearray()
    for i in ids:
        whole.extend(_bytes(i, merges, alphabet))
    return str(whole, "utf-8", "replace")


@right("bpe_decode")
def unmerges_backwards(ids, merges, alphabet):
    now = list(ids)
    for k in range(len(merges) - 1, -1, -1):
        now = [x for i in now for x in (merges[k] if i == len(alphabet) + k else (i,))]
    return b"".join(map(alphabet.__getitem__, now)).decode(errors="replace")


@wrong("bpe_decode", hint="join all bytes before you decode")
def decodes_each_token(ids, merges, alphabet):
    return "".join(_bytes(i, merges, alphabet).decode(errors="replace") for i in ids)


@wrong("bpe_decode", hint="errors='replace'")
def strict_decoding(ids, merges, alphabet):
    return b"".join(_bytes(i, merges, alphabet) for i in ids).decode()


@wrong("bpe_decode", hint="not 'ignore'")
def ignores_half_characters(ids, merges, alphabet):
    return b"".join(_bytes(i, merges, alphabet) for i in ids).decode(errors="ignore")


@wrong("bpe_decode", hint="The first part of a merge comes first")
def second_part_first(ids, merges, alphabet):
    tokens = list(alphabet)
    for first, second in merges:
        tokens.append(tokens[second] + tokens[first])
    return b"".join(tokens[i] for i in ids).decode(errors="replace")


@wrong("bpe_decode", hint="Ids from len(alphabet) on are merges")
def merges_from_256(ids, merges, alphabet):
    tokens = dict(enumerate(alphabet))
    for k, (first, second) in enumerate(merges):
        tokens[256 + k] = tokens[first] + tokens[second]
    return b"".join(tokens[i] for i in ids).decode(errors="replace")


@wrong("bpe_decode", hint="Copy the alphabet")
def fills_the_alphabet(ids, merges, alphabet):
    for first, second in merges:
        alphabet.append(alphabet[first] + alphabet[second])
    return b"".join(alphabet[i] for i in ids).decode(errors="replace")


# --- wordpiece_encode


@right("wordpiece_encode")
def recursive_longest(word, vocabulary, unk="[UNK]"):
    def rest(text, mark):
        if not text:
            return []
        for n in range(len(text), 0, -1):
            if mark + text[:n] in vocabulary:
                after = rest(text[n:], "##")
                return None if after is None else [mark + text[:n], *after]
        return None

    cut = rest(word, "")
    return [unk] if cut is None else cut


@right("wordpiece_encode")
def over_the_vocabulary(word, vocabulary, unk="[UNK]"):
    found, left, mark = (), word, ""
    while left:
        fits = [t for t in vocabulary if t.startswith(mark) and left.startswith(t[len(mark) :])]
        fits = [t for t in fits if len(t) > len(mark) and (mark or not t.startswith("##"))]
        if not fits:
            return (unk,)
        best = max(fits, key=len)
        found, left, mark = (*found, best), left[len(best) - len(mark) :], "##"
    return found


def _longest(word, vocabulary, unk, *, order=reversed, mark="##", keep=True, failed="whole"):
    found, start = [], 0
    while start < len(word):
        sign = mark if start else ""
        for end in order(range(start + 1, len(word) + 1)):
            if sign + word[start:end] in vocabulary:
                break
        else:
            return [unk] if failed == "whole" else [*found, unk][: None if failed == "part" else -1]
        found.append((sign if keep else "") + word[start:end])
        start = end
    return found


@wrong("wordpiece_encode", hint="is there a loop that never ends?")
def never_gives_up(word, vocabulary, unk="[UNK]"):
    found, start = [], 0
    while start < len(word):
        mark, end = "##" if start else "", len(word)
        while end > start and mark + word[start:end] not in vocabulary:
            end -= 1
        if end > start:
            found.append(mark + word[start:end])
        start = end
    return found


@wrong("wordpiece_encode", hint="the longest match comes first")
def shortest_match(word, vocabulary, unk="[UNK]"):
    return _longest(word, vocabulary, unk, order=iter)


@wrong("wordpiece_encode", hint="Tokens that continue a word keep their ##")
def drops_the_marks(word, vocabulary, unk="[UNK]"):
    return _longest(word, vocabulary, unk, keep=False)


@wrong("wordpiece_encode", hint="look for ## + piece")
def forgets_the_marks(word, vocabulary, unk="[UNK]"):
    return _longest(word, vocabulary, unk, mark="")


@wrong("wordpiece_encode", hint="The whole word becomes [unk]")
def keeps_what_was_found(word, vocabulary, unk="[UNK]"):
    return _longest(word, vocabulary, unk, failed="part")


@wrong("wordpiece_encode", hint="even if a shorter token had worked")
def goes_back_for_a_cut(word, vocabulary, unk="[UNK]"):
    def rest(text, mark):
        for n in range(len(text), 0, -1):
            if mark + text[:n] in vocabulary:
                after = rest(text[n:], "##") if text[n:] else []
                if after is not None:
                    return [mark + text[:n], *after]
        return None

    return (rest(word, "") or [unk]) if word else []


@wrong("wordpiece_encode", hint="Use the argument unk")
def fixed_unk(word, vocabulary, unk="[UNK]"):
    return _longest(word, vocabulary, "[UNK]")


# --- fertility


@right("fertility")
def counts_runs_of_non_space(text, tokenize):
    words = re.findall(r"\S+", text)
    if len(words) == 0:
        raise ValueError("no words")
    return np.float64(len(list(tokenize(text)))) / len(words)


@right("fertility")
def counts_by_hand(text, tokenize):
    words, inside = 0, False
    for c in text:
        words += not inside and not c.isspace()
        inside = not c.isspace()
    if words == 0:
        raise ValueError("no words")
    return sum(1 for _ in tokenize(text)) / words


@wrong("fertility", hint="spaces cost, too")
def word_by_word(text, tokenize):
    words = text.split()
    if not words:
        raise ValueError("no words")
    return sum(len(tokenize(word)) for word in words) / len(words)


@wrong("fertility", hint="text.split() without an argument")
def splits_at_single_spaces(text, tokenize):
    if not text.strip():
        raise ValueError("no words")
    return len(tokenize(text)) / len(text.split(" "))


@wrong("fertility", hint="divide by the number of words, not of characters")
def per_character(text, tokenize):
    if not text.strip():
        raise ValueError("no words")
    return len(tokenize(text)) / len(text)


@wrong("fertility", hint="refuse it")
def zero_without_words(text, tokenize):
    return len(tokenize(text)) / len(text.split()) if text.split() else 0.0


@wrong("fertility", hint="divide the number of tokens")
def counts_only(text, tokenize):
    if not text.split():
        raise ValueError("no words")
    return len(tokenize(text))


# --- mutants of the solutions that compute the same

EQUIVALENT = [
    Equivalent(
        "train_bpe",
        "continue",
        because="where no pair is left the pieces stay as they are, so the later rounds find none",
    ),
    Equivalent(
        "train_bpe",
        "best = min(counts, key=lambda pair: (~counts[pair], pair))",
        because="~n is -n - 1 for a whole number n: the same order",
    ),
    Equivalent(
        "wordpiece_encode",
        "while start != len(word):",
        because="start is the end of a slice of the word, so never beyond its length",
    ),
    Equivalent(
        "wordpiece_encode",
        "while end != start and mark + word[start:end] not in vocabulary:",
        because="end begins above start and falls by 1, so it cannot get below start unseen",
    ),
    Equivalent(
        "wordpiece_encode",
        "if end <= start:",
        because="the loop above ends at the latest where end is start, never below",
    ),
]
