"""Hidden tests of unit 03. The truth is found by slow, different ways: character by character, pair
by pair over flat lists of places, and by trying all cuts."""

import itertools
import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from autograder.exercise import Exercise, Inputs, Mistake, expect_equal, expect_near, expect_raises
from llmcourse.checks.u03_slowly import pieces, words_and_marks

Pair = tuple[int, int]
SCRIPTS = ["a", "Z", "é", "ß", "я", "猫", "ह", "🙂", "7", "٣", "_"]
MARKS = list(".,;!?-'\"()#@…—¿€")


Told = tuple[tuple[Any, ...], Any, str, list[Mistake]]  # arguments, truth, hint, mistakes


def telling_first(inputs: Iterable[Told]) -> Inputs:
    """Return inputs with their judges; those come first where no two mistakes look alike."""

    def alike(told: Told) -> tuple[int, int]:
        _, want, _, mistakes = told
        wrong = [repr(mistake.value) for mistake in mistakes if mistake.value != want]
        return len(wrong) - len(set(wrong)), len(mistakes) - len(wrong)

    for args, want, hint, mistakes in sorted(inputs, key=alike):
        yield args, expect_equal(want, hint, mistakes)


def word(rng: random.Random, letters: Sequence[str], longest: int = 6) -> str:
    return "".join(rng.choices(letters, k=rng.randint(1, longest)))


# --- word_tokenize

word_tokenize = Exercise("word_tokenize")


def runs_of_marks(text: str) -> list[str]:
    """Return the words and the runs of marks: a known mistake."""

    def kind(c: str) -> int:
        return 0 if c.isspace() else 1 if c == "_" or c.isalnum() else 2

    return ["".join(run) for which, run in itertools.groupby(text, kind) if which]


def prose(rng: random.Random, length: int, letters: Sequence[str]) -> str:
    parts = []
    for _ in range(length):
        parts.append(word(rng, letters))
        parts.append(rng.choice(["", "", rng.choice(MARKS), rng.choice(MARKS) * 2]))
        parts.append(rng.choice([" ", " ", "  ", "\n", "\t "]))
    return "".join(parts)


@word_tokenize.case(weight=4, property="longer texts with marks, some words unknown")
def words_core(rng: random.Random) -> Inputs:
    for _ in range(4):
        text = prose(rng, 40, ["a", "b", "C", "d", "7", "_"])
        cut = words_and_marks(text)
        known = set(rng.sample(sorted(set(cut)), len(set(cut)) // 2))
        want = [token if token in known else "<unk>" for token in cut]
        mistakes = [
            Mistake([t for t in cut if t in known], "unknown words become unk; do not drop them."),
            Mistake(cut, "words that the vocabulary lacks become unk."),
            Mistake(
                [t if t in known else "<unk>" for t in text.split()],
                "split at punctuation too, not only at spaces.",
            ),
            Mistake(
                [t if t in known else "<unk>" for t in words_and_marks(text.lower())],
                "capitals stay as they are.",
            ),
            Mistake(
                [t if t in known else "<unk>" for t in runs_of_marks(text)],
                "two marks in a row are two tokens: no + after them.",
            ),
            Mistake(
                [t if t in known else "<unk>" for t in cut if t not in MARKS],
                "punctuation is lost: each mark is a token.",
            ),
        ]
        yield (text, known), expect_equal(want, "words and marks in order.", mistakes)


@word_tokenize.case(weight=2, property="letters and digits of all scripts")
def words_scripts(rng: random.Random) -> Inputs:
    text = prose(rng, 40, SCRIPTS[:7] + SCRIPTS[8:])
    cut = [t for t in words_and_marks(text) if not any(unicodedata.combining(c) for c in t)]
    hint = "a word may have letters of any script: \\w, and not a-z."
    yield (text, set(cut)), expect_equal(cut, hint)


@word_tokenize.case(weight=1, property="nothing but space, and nothing known")
def words_edges(rng: random.Random) -> Inputs:
    yield (" \n\t", {"a"}), expect_equal([], "white space is no token.")
    yield ("", set()), expect_equal([], "the empty text has no token.")
    hint = "every unknown token becomes the argument unk."
    yield ("ab, cd", set(), "??"), expect_equal(["??"] * 3, hint)


# --- byte_fallback

byte_fallback = Exercise("byte_fallback")


def hexadecimal(token: str, form: str = "<0x{}>") -> list[str]:
    """Return one string for each byte, from the text's own hexadecimal form."""
    digits = token.encode("utf-8").hex().upper()
    return [form.format(digits[i : i + 2]) for i in range(0, len(digits), 2)]


@byte_fallback.case(weight=4, property="known and unknown tokens mixed")
def bytes_core(rng: random.Random) -> Inputs:
    for _ in range(4):
        tokens = [word(rng, SCRIPTS, 3) for _ in range(25)]
        known = set(rng.sample(tokens, 12))
        want = [part for t in tokens for part in ([t] if t in known else hexadecimal(t))]
        mistakes = [
            Mistake(
                [
                    part
                    for t in tokens
                    for part in ([t] if t in known else [p.lower() for p in hexadecimal(t)])
                ],
                "capital letters in the numbers: 02X.",
            ),
            Mistake(
                [p for t in tokens for p in hexadecimal(t)], "only unknown tokens become bytes."
            ),
            Mistake(
                [
                    part
                    for t in tokens
                    for part in ([t] if t in known else [f"<0x{ord(c):02X}>" for c in t])
                ],
                "bytes of the UTF-8, not code points.",
            ),
            Mistake(
                [t if t in known else hexadecimal(t) for t in tokens],
                "one flat list: extend it, do not append a list.",
            ),
            Mistake(
                [
                    part
                    for t in tokens
                    for one in ([t] if t in known else t)
                    for part in ([one] if one in known else hexadecimal(one))
                ],
                "look up the whole token: its characters do not count.",
            ),
            Mistake(
                [t if t in known else "".join(hexadecimal(t)) for t in tokens],
                "one token for each byte, not one for all of a token's.",
            ),
        ]
        yield (tokens, known), expect_equal(want, "one <0xHH> for each byte.", mistakes)


@byte_fallback.case(weight=1, property="small bytes have two digits")
def bytes_small(rng: random.Random) -> Inputs:
    tokens = [chr(rng.randrange(16)) for _ in range(6)]
    yield (
        (tokens, set()),
        expect_equal([p for t in tokens for p in hexadecimal(t)], "two digits: 02X."),
    )


@byte_fallback.case(weight=1, property="no tokens, and all known")
def bytes_edges(rng: random.Random) -> Inputs:
    yield ([], {"a"}), expect_equal([], "no tokens: an empty list.")
    yield (["猫", "é"], {"é", "猫"}), expect_equal(["猫", "é"], "known tokens stay, of any script.")


# --- train_bpe

train_bpe = Exercise("train_bpe")
ONCE_TOO = "a pair that occurs only once is merged, too: stop only when none is left."
BY_COUNT = "the pair with the highest count, weighted by how often its piece occurs."


def learned(
    pieces: Mapping[tuple[int, ...], int],
    n_merges: int,
    first_id: int,
    prefer: Callable[[Pair], Any] = lambda pair: (-pair[0], -pair[1]),
    weigh: bool = True,
    once: bool = False,
    least: int = 1,
) -> list[Pair]:
    """Learn BPE on one flat list of all pieces, separated by None.

    Known mistakes are to prefer others, not to weigh, to count a pair `once` a piece and to stop at
    pairs seen less often than `least`.
    """
    text: list[int | None] = []
    for piece in pieces:
        text += [None, *piece]
    weights = [0, *(times if weigh else 1 for times in pieces.values())]
    merges: list[Pair] = []
    while len(merges) < n_merges:
        number = itertools.accumulate(i is None for i in text)  # of the piece at each place
        places = [
            (n, (a, b))
            for n, (a, b) in zip(number, itertools.pairwise(text), strict=False)
            if a is not None and b is not None
        ]
        if not places:
            break
        counts = Counter[Pair]()
        for n, pair in dict.fromkeys(places) if once else places:
            counts[pair] += weights[n]
        best = max(counts, key=lambda pair: (counts[pair], prefer(pair)))
        if counts[best] < least:
            break
        place = 0
        while place + 1 < len(text):
            if (text[place], text[place + 1]) == best:
                text[place : place + 2] = [first_id + len(merges)]
            place += 1
        merges.append(best)
    return merges


def some_pieces(rng: random.Random, number: int, ids: int, most: int) -> dict[Any, int]:
    return pieces(rng.getrandbits(32), number, ids, most)


@train_bpe.case(weight=5, property="the merges of random pieces")
def merges_core(rng: random.Random) -> Inputs:
    kinds = [(5, 9), (9, 30), (12, 3)]
    yield from telling_first([trained(some_pieces(rng, 25, *kind), kind[0]) for kind in kinds])


def trained(pieces: dict[Any, int], ids: int) -> Told:
    """Return an input with its truth, a hint and known mistakes."""

    def slip(**known: Any) -> list[Pair]:
        return learned(pieces, 12, ids, **known)

    mistakes = [
        Mistake(slip(weigh=False), "a piece that occurs often counts often: add times, not 1."),
        Mistake(slip(prefer=lambda pair: pair), "ties: the lower ids win, not the higher."),
        Mistake(slip(prefer=lambda pair: 0), "ties: the lower ids win, not the pair seen first."),
        Mistake(counted_once(pieces)[:12], "after a merge rewrite the pieces and count anew."),
        Mistake(
            learned(pieces, 12, 256),
            "use the argument first_id: the first merge makes it, not 256.",
        ),
        Mistake(
            slip(once=True), "where a pair stands twice in a piece it counts twice, also in a run."
        ),
    ]
    stops_early = [
        Mistake(slip(least=2), ONCE_TOO),
        Mistake(
            slip(least=3), "pairs seen once or twice are merged, too: stop only when none is left."
        ),
    ]
    want = slip()  # often no merge of the first 12 is that rare
    mistakes += [mistake for mistake in stops_early if mistake.value != want]
    return (pieces, 12, ids), want, BY_COUNT, mistakes


def counted_once(pieces: Mapping[tuple[int, ...], int]) -> list[Pair]:
    """Return the pairs of the pieces as they came, most frequent first: no merge is carried out."""
    counts: dict[Pair, int] = {}
    for piece, times in pieces.items():
        for pair in itertools.pairwise(piece):
            counts[pair] = counts.get(pair, 0) + times
    return sorted(counts, key=lambda pair: (-counts[pair], pair))


@train_bpe.case(weight=2, property="ties everywhere: all pieces occur once")
def merges_ties(rng: random.Random) -> Inputs:
    for _ in range(4):
        pieces = dict.fromkeys(some_pieces(rng, 12, 6, 1), 1)
        hint = "ties: the lower first id, then the lower second id; new ids are higher than old."
        stops_early = [Mistake(learned(pieces, 8, 6, least=2), ONCE_TOO)]
        yield (pieces, 8, 6), expect_equal(learned(pieces, 8, 6), hint, stops_early)


@train_bpe.case(weight=2, property="runs of one id")
def merges_runs(rng: random.Random) -> Inputs:
    for length in (2, 3, 4, 5, 8):
        pieces = {(0,) * length: 2, (1, 0): 3}
        hint = "a pair in a run counts at each place, and is replaced from left to right."
        yield (pieces, 4, 2), expect_equal(learned(pieces, 4, 2), hint)


@train_bpe.case(weight=1, property="stops when nothing is left; first_id is 256 if not given")
def merges_end(rng: random.Random) -> Inputs:
    pieces = some_pieces(rng, 4, 200, 3)
    hint = "merge until no pair is left, then return what there is."
    yield (pieces, 500), expect_equal(learned(pieces, 500, 256), hint)
    yield ({}, 3), expect_equal([], "no pieces: no merges.")
    yield ({(5,): 9, (): 2}, 3), expect_equal([], "pieces of one id or none have no pair.")
    yield ({(1, 2): 1}, 0), expect_equal([], "n_merges = 0: no merges.")


# --- bpe_encode

bpe_encode = Exercise("bpe_encode")


def lowest_first(ids: Sequence[int], merges: Sequence[Pair], first_id: int) -> list[int]:
    """Merge one pair at a time: the earliest learned that stands anywhere, its leftmost place."""
    now = list(ids)
    while True:
        there = [
            (merges.index(pair), place)
            for place, pair in enumerate(itertools.pairwise(now))
            if pair in merges
        ]
        if not there:
            return now
        rank, place = min(there)
        now[place : place + 2] = [first_id + rank]


def longest_first(ids: Sequence[int], merges: Sequence[Pair], first_id: int) -> list[int]:
    """Take, by the other rule, from the left the longest token that fits."""
    made = {first_id + k: spread(first_id + k, merges, first_id) for k in range(len(merges))}
    found, start = [], 0
    while start < len(ids):
        fits = [(len(s), i) for i, s in made.items() if list(ids[start : start + len(s)]) == s]
        length, chosen = max(fits, default=(1, ids[start]))
        found.append(chosen)
        start += length
    return found


def spread(token: int, merges: Sequence[Pair], first_id: int) -> list[int]:
    """Return the ids below `first_id` that a token stands for."""
    if token < first_id:
        return [token]
    return [i for part in merges[token - first_id] for i in spread(part, merges, first_id)]


@bpe_encode.case(weight=4, property="pieces under merges that were learned")
def encode_core(rng: random.Random) -> Inputs:
    a, b, c, d, e = rng.sample(range(5), 5)
    merges = [(b, c), (a, b), (5, d), (a, 5)]  # by their order a | bcd, the longest abc, at once ab
    parts = [[a, b, c, d], [a, b, c, d], [e], [a], [b, c]]
    mixed = [[i for part in rng.sample(parts, 5) for i in part] for _ in range(4)]
    yield from telling_first([encoded(ids, merges, 5) for ids in mixed])
    for first_id in (5, 8, 256):
        merges = learned(some_pieces(rng, 40, 5, 9), 15, first_id)
        pieces = [rng.choices(range(5), k=rng.randint(10, 25)) for _ in range(6)]
        yield from telling_first([encoded(ids, merges, first_id) for ids in pieces])


def encoded(ids: list[int], merges: list[Pair], first_id: int) -> Told:
    """Return an input with its truth, a hint and known mistakes."""
    want = lowest_first(ids, merges, first_id)
    mistakes = [
        Mistake(
            [i + (i >= first_id) for i in want],
            "merge k makes first_id + k; look at where k starts.",
        ),
        Mistake(
            longest_first(ids, merges, first_id),
            "apply the merges in the order learned; do not take the longest token.",
        ),
        Mistake(
            at_once(ids, merges, first_id),
            "apply the merges in the order learned, not from left to right in the piece.",
        ),
        Mistake(
            one_place_each(ids, merges, first_id),
            "a merge applies wherever the pair stands, not only the first time.",
        ),
        Mistake(only_old(ids, merges, first_id), "go on with the ids that earlier merges made."),
    ]
    if first_id != 256:
        hint = "use the argument: merge k makes first_id + k, and first_id is not always 256."
        mistakes.append(Mistake(lowest_first(ids, merges, 256), hint))
    return (ids, merges, first_id), want, "each merge in its order, everywhere.", mistakes


def at_once(ids: Sequence[int], merges: Sequence[Pair], first_id: int) -> list[int]:
    """Merge by another rule: from the left, each two ids as soon as any merge joins them."""
    found: list[int] = []
    for i in ids:
        found.append(i)
        while len(found) > 1 and (found[-2], found[-1]) in merges:
            found[-2:] = [first_id + merges.index((found[-2], found[-1]))]
    return found


def one_place_each(ids: Sequence[int], merges: Sequence[Pair], first_id: int) -> list[int]:
    """Make a known mistake: each merge in its order, but only at its first place."""
    now = list(ids)
    for k, pair in enumerate(merges):
        place = next((i for i, here in enumerate(itertools.pairwise(now)) if here == pair), None)
        if place is not None:
            now[place : place + 2] = [first_id + k]
    return now


def only_old(ids: Sequence[int], merges: Sequence[Pair], first_id: int) -> list[int]:
    old = [pair if max(pair) < first_id else (-1, -1) for pair in merges]
    return lowest_first(ids, old, first_id)


@bpe_encode.case(weight=2, property="the order of the merges decides, not their length")
def encode_order(rng: random.Random) -> Inputs:
    a, b, c, d = rng.sample(range(20), 4)
    hint = "the merge learned first is applied first, wherever it stands in the piece."
    yield ([a, b, c], [(b, c), (a, b)], 20), expect_equal([a, 20], hint)
    yield ([a, b, c, d], [(b, c), (a, b), (c, d), (21, 22)], 20), expect_equal([a, 20, d], hint)
    yield ([c, d, a, b], [(a, b), (c, d), (21, 20)], 20), expect_equal([22], hint)


@bpe_encode.case(weight=1, property="runs, empty pieces, no merges")
def encode_edges(rng: random.Random) -> Inputs:
    for length in (2, 3, 5, 6):
        want = lowest_first([7] * length, [(7, 7), (256, 256)], 256)
        hint = "from left to right, without overlap; first_id is 256 if not given."
        yield ([7] * length, [(7, 7), (256, 256)]), expect_equal(want, hint)
    yield ([], [(1, 2)]), expect_equal([], "no ids: an empty list.")
    yield ([9, 8], []), expect_equal([9, 8], "no merges: the ids as they came.")


# --- bpe_decode

bpe_decode = Exercise("bpe_decode")
JOIN = "join all bytes before you decode: a character may be spread over ids."


def shuffled_alphabet(rng: random.Random) -> list[bytes]:
    """Return all bytes, in an order that is not theirs."""
    return [bytes([b]) for b in rng.sample(range(256), 256)]


@bpe_decode.case(weight=4, property="texts of all scripts come back")
def decode_core(rng: random.Random) -> Inputs:
    for _ in range(4):
        alphabet = shuffled_alphabet(rng)
        text = "".join(rng.choices([*SCRIPTS, " "], k=40))
        base = [alphabet.index(bytes([b])) for b in text.encode()]
        merges = learned({tuple(base): 1}, 20, 256)
        ids = lowest_first(base, merges, 256)
        turned = [b for i in ids for b in reversed(spread(i, merges, 256))]
        second_first = b"".join(alphabet[b] for b in turned).decode("utf-8", "replace")
        each = "".join(
            b"".join(alphabet[b] for b in spread(i, merges, 256)).decode("utf-8", "replace")
            for i in ids
        )
        mistakes = [
            Mistake(each, JOIN),
            Mistake(second_first, "the first part of a merge comes first, then the second."),
        ]
        hint = f"look up the bytes of each id, merged ones too; {JOIN}"
        yield (ids, merges, alphabet), expect_equal(text, hint, mistakes)


@bpe_decode.case(weight=1, property="another alphabet: merges begin behind it")
def decode_alphabet(rng: random.Random) -> Inputs:
    alphabet = [c.encode() for c in "nolagder"]
    merges = [(0, 1), (8, 2), (6, 7), (9, 10)]
    hint = "merge k makes the id len(alphabet) + k; there need not be 256 bytes."
    yield ([8, 2, 10, 11], merges, alphabet), expect_equal("nolernoler", hint)


@bpe_decode.case(weight=2, property="bytes that are no text become U+FFFD")
def decode_broken(rng: random.Random) -> Inputs:
    alphabet = [bytes([b]) for b in range(256)]
    for character in "é猫🙂":
        cut = list(character.encode())[:-1]
        ids = [104, *cut, 105]
        want = bytes(ids).decode("utf-8", "replace")
        hint = "what is no UTF-8 becomes U+FFFD: errors='replace'."
        mistakes = [Mistake("hi", "what is no text must be seen: errors='replace', not 'ignore'.")]
        yield (ids, [], alphabet), expect_equal(want, hint, mistakes)
    yield ([], [(1, 2)], alphabet), expect_equal("", "no ids: the empty string.")


# --- wordpiece_encode

wordpiece_encode = Exercise("wordpiece_encode")


def greedy(text: str, known: set[str], mark: str = "", later: str = "##") -> list[str] | None:
    """Take the longest first, then the rest; None where that leads nowhere. `later` is a known
    mistake if it is not ##."""
    if not text:
        return []
    longest = max((n for n in range(1, len(text) + 1) if mark + text[:n] in known), default=0)
    rest = greedy(text[longest:], known, later, later) if longest else None
    return None if rest is None else [mark + text[:longest], *rest]


def any_cut(text: str, known: set[str], mark: str = "") -> list[str] | None:
    """Return a cut found by going back where the longest leads nowhere: another rule."""
    for n in range(len(text), 0, -1):
        if mark + text[:n] in known:
            rest = any_cut(text[n:], known, "##")
            if rest is not None:
                return [mark + text[:n], *rest]
    return None if text else []


def some_vocabulary(rng: random.Random, letters: str, longest: int) -> set[str]:
    starts = {word(rng, letters, longest) for _ in range(14)}
    goes_on = {"##" + word(rng, letters, longest) for _ in range(14)}
    return starts | goes_on | set(letters) | {"##" + c for c in letters}


def shortest(text: str, known: set[str]) -> list[str]:
    """Take the shortest first: a known mistake."""
    found, left = list[str](), text
    while left:
        mark = "##" if found else ""
        n = next(n for n in range(1, len(left) + 1) if mark + left[:n] in known)
        found.append(mark + left[:n])
        left = left[n:]
    return found


@wordpiece_encode.case(weight=4, property="the longest match on random words")
def longest_core(rng: random.Random) -> Inputs:
    def cut() -> Told:
        known = some_vocabulary(rng, "abc", 4)
        text = "".join(rng.choices("abc", k=rng.randint(4, 14)))
        want = greedy(text, known)
        assert want is not None
        mistakes = [
            Mistake(shortest(text, known), "the longest match comes first, not the shortest."),
            Mistake(
                greedy(text, known, "", ""),
                "inside the word look for ## + piece in the vocabulary.",
            ),
            Mistake(
                [t.removeprefix("##") for t in want], "tokens that continue a word keep their ##."
            ),
        ]
        return (text, known), want, "the longest from the left, again and again.", mistakes

    yield from telling_first([cut() for _ in range(12)])


@wordpiece_encode.case(weight=2, property="a word that can't be cut is unknown as a whole")
def longest_unknown(rng: random.Random) -> Inputs:
    hint = "where nothing fits the whole word is [unk], even if a shorter token had worked."
    for _ in range(6):
        known = some_vocabulary(rng, "abc", 3)
        text = "".join(rng.choices("abc", k=6)) + "x" + "".join(rng.choices("abc", k=3))
        yield (text, known), expect_equal(["[UNK]"], hint)
    known = {"a", "ab", "##bc", "##d"}
    yield ("abc", known), expect_equal(["[UNK]"], hint, [Mistake(any_cut("abc", known), hint)])
    yield ("abc", known, "<?>"), expect_equal(["<?>"], "unk is an argument.")


@wordpiece_encode.case(weight=1, property="words of hundreds of letters")
def longest_long(rng: random.Random) -> Inputs:
    known = some_vocabulary(rng, "abc", 4)
    text = "".join(rng.choices("abc", k=300))
    hint = "a word may have any length: the rules stay, and numbers are compared with ==, not `is`."
    yield (text, known), expect_equal(greedy(text, known), hint)
    yield ("a" * 300 + "x", {"a", "##a"}), expect_equal(["[UNK]"], hint)


@wordpiece_encode.case(weight=1, property="beginnings and continuations are kept apart")
def longest_marks(rng: random.Random) -> Inputs:
    hint = "at the beginning only tokens without ##, later only tokens with ##."
    yield ("abab", {"ab", "##a", "##b"}), expect_equal(["ab", "##a", "##b"], hint)
    yield ("ab", {"##ab", "##a", "##b", "b"}), expect_equal(["[UNK]"], hint)
    yield ("猫猫", {"猫", "##猫"}), expect_equal(["猫", "##猫"], hint)
    yield ("", {"a"}), expect_equal([], "the empty word: an empty list.")


# --- fertility

fertility = Exercise("fertility")


def cutter(size: int) -> Callable[[str], Any]:
    """Return a tokenizer that cuts every `size` characters, spaces included."""
    return lambda text: [text[i : i + size] for i in range(0, len(text), size)]


@fertility.case(weight=4, property="tokens of the whole text per word")
def fertility_core(rng: random.Random) -> Inputs:
    for size in (1, 2, 3, 5):
        words = [word(rng, "abcdef", 9) for _ in range(rng.randint(20, 40))]
        text = " ".join(words)
        want = -(-len(text) // size) / len(words)
        each = sum(-(-len(w) // size) for w in words) / len(words)
        mistakes = [
            Mistake(each, "call tokenize once, on the whole text: spaces cost, too."),
            Mistake(
                want * len(words) / len(text), "divide by the number of words, not of characters."
            ),
            Mistake(
                want * (len(words) / len(set(words))),
                "divide by the number of words, not of different words.",
            ),
            Mistake(1 / want, "tokens per word, not words per token."),
            Mistake(want * len(words), "divide the number of tokens by the number of words."),
        ]
        yield (text, cutter(size)), expect_near(want, 1e-9, "tokens / words.", mistakes)


@fertility.case(weight=2, property="white space of any kind and length")
def fertility_spaces(rng: random.Random) -> Inputs:
    words: Iterable[str] = [word(rng, "abc", 4) for _ in range(12)]
    text = "".join(w + rng.choice(["  ", "\n", "\t", " \n ", "\u3000"]) for w in words)
    hint = "text.split() without an argument takes white space of any kind and length."
    yield ("  " + text, cutter(1)), expect_near((len(text) + 2) / 12, 1e-9, hint)


@fertility.case(weight=1, property="refuses a text without a word")
def fertility_refuses(rng: random.Random) -> Inputs:
    for text in ("", "   ", "\n\t"):
        yield (text, cutter(1)), expect_raises(ValueError, "no word: raise ValueError.")
