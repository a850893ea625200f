"""Right and wrong answers to the exercises of unit 03: some whole, most as edits of a solution."""

import re
from collections import Counter
from itertools import pairwise

import numpy as np

from autograder.verification.answer_bank import RIGHT, Equivalent, edited, right, wrong
from llmcourse.checks import u03_bpe as bpe

# --- right answers that share no line with the solutions


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


def replace_pair(ids, pair, new_id):
    found, i = [], 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == tuple(pair):
            found.append(new_id)
            i += 2
        else:
            found.append(ids[i])
            i += 1
    return found


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
            (np.array(replace_pair(ids.tolist(), merges[-1], new), dtype=int), n)
            for ids, n in words
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
            after = replace_pair(ids, best, new)
            if len(after) < len(ids):
                for pair in pairwise(ids):
                    counts[pair] -= times
                for pair in pairwise(after):
                    counts[pair] += times
                ids[:] = after
        merges.append(best)
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


# --- solutions with one thing changed

once_each, at_once, longest_first = bpe.once_each, bpe.at_once, bpe.longest_first
FOUND = r'in re.findall(r"\w+|[^\w\s]", text)'
SPELLED = '[f"<0x{b:02X}>" for b in token.encode()]'
BEST = "min(counts, key=lambda pair: (-counts[pair], pair))"
REWRITE = "        words = [(replace_pair(ids, best, new_id), times) for ids, times in words]\n"
EACH = """    for k, pair in enumerate(merges):
        ids = replace_pair(ids, pair, first_id + k)
"""
MADE = "tokens.append(tokens[first] + tokens[second])"
JOINED = 'b"".join(tokens[i] for i in ids).decode("utf-8", errors="replace")'
EDITS = {
    "word_tokenize": [
        ("do not drop them", ("word if word in vocabulary else unk for", "word for"),
         (", text)", ", text) if word in vocabulary")),
        ("not only at spaces", (FOUND, "in text.split()")),
        ("Capitals stay", (", text)", ", text.lower())")),
        ("Two marks in a row are two tokens", (r"[^\w\s]", r"[^\w\s]+")),
        ("not [a-z]", (r"\w+|", "[A-Za-z0-9_]+|")),
        ("Use the argument unk", ("else unk", 'else "<unk>"')),
    ],
    "byte_fallback": [
        (RIGHT, (SPELLED, 'map("<0x{:02X}>".format, token.encode())'),
         ("[token] if", "(token,) if")),
        ("not code points", (SPELLED, '[f"<0x{ord(c):02X}>" for c in token]')),
        ("capital letters in the numbers: 02X", ("02X", "02x")),
        ("Look up the whole token",
         (SPELLED, "[p for c in token for p in byte_fallback([c], vocabulary)] if len(token) > 1 "
                   f"else {SPELLED}")),
        ("Two digits always", ("02X", "X")),
        ("One flat list", (SPELLED, f"[{SPELLED}]")),
        ("One token for each byte, not one for all", (SPELLED, f'["".join({SPELLED})]')),
    ],
    "train_bpe": [
        ("not the pair seen first", (BEST, "max(counts, key=counts.get)")),
        ("the lower ids win, not the higher",
         (BEST, "max(counts, key=lambda pair: (counts[pair], pair))")),
        ("add times, not 1", ("+= times", "+= 1")),
        ("count anew", (REWRITE, ""), ("if not counts", "for pair in merges:\n"
         "            counts.pop(pair, None)\n        if not counts")),
        ("Use the argument first_id", ("best, new_id)", "best, new_id - first_id + 256)")),
        ("Nothing is left to merge",
         ("        if not counts:\n            break\n",
          "        counts = counts or {(0, 0): 1}\n")),
        ("stop only when none is left",
         ("if not counts", "if max(counts.values(), default=0) < 3")),
        ("occurs only once is merged", ("if not counts", "if max(counts.values(), default=0) < 2")),
        ("it counts twice", ("in zip(ids, ids[1:])", "in set(zip(ids, ids[1:]))")),
    ],
    "bpe_encode": [
        ("first_id is not always 256", ("first_id + k", "256 + k")),
        ("look at where k starts", ("return ids", "return [i + (i >= first_id) for i in ids]")),
        ("only the first time", (EACH, "    ids = once_each(ids, merges, first_id)\n")),
        ("not from left to right", (EACH, "    ids = at_once(ids, merges, first_id)\n")),
        ("do not take the longest token",
         (EACH, "    ids = longest_first(ids, merges, first_id)\n")),
        ("Do not change `ids`",
         ("    ids = list(ids)\n", ""), ("ids = replace", "ids[:] = replace")),
    ],
    "bpe_decode": [
        ("Join all bytes before you decode",
         (JOINED, '"".join(tokens[i].decode(errors="replace") for i in ids)')),
        ("errors='replace'", (', errors="replace"', "")),
        ("not 'ignore'", ('"replace"', '"ignore"')),
        ("The first part of a merge comes first",
         ("tokens[first] + tokens[second]", "tokens[second] + tokens[first]")),
        ("Ids from len(alphabet) on are merges", ("list(alphabet)", "dict(enumerate(alphabet))"),
         (MADE, "tokens[256 + len(tokens) - len(alphabet)] = tokens[first] + tokens[second]")),
        ("Copy the alphabet", ("list(alphabet)", "alphabet")),
    ],
    "wordpiece_encode": [
        ("is there a loop that never ends?",
         ("if end == start:\n            return [unk]\n        found",
          "if end > start:\n            found")),
        ("The longest match comes first", ("end = len(word)", "end = start + 1"),
         ("while end > start", "while end <= len(word)"), ("end -= 1", "end += 1"),
         ("if end == start", "if end > len(word)")),
        ("Tokens that continue a word keep their ##", ("append(mark + ", "append(")),
        ("look for ## + piece", ('"##" if start else ""', '""')),
        ("The whole word becomes [unk]", ("return [unk]", "return [*found, unk]")),
        ("Use the argument unk", ("return [unk]", 'return ["[UNK]"]')),
    ],
    "fertility": [
        ("spaces cost, too", ("len(tokenize(text))", "sum(len(tokenize(word)) for word in words)")),
        ("text.split() without an argument", ("len(words)", 'len(text.split(" "))')),
        ("Divide by the number of words, not of characters", ("len(words)", "len(text)")),
        ("refuse it", ("raise ValueError(", "return len(")),
        ("Divide the number of tokens", (" / len(words)", "")),
    ],
}  # fmt: skip
globals().update(edited(globals(), EDITS))

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
