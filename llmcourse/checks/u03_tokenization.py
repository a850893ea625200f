"""Visible checks of unit 03: each failure names its likely cause.

unit: 03_tokenization
"""

import random
from typing import Any

from llmcourse.checks import (
    Mistake,
    Spelled,
    diagnosed,
    equal,
    fail,
    keeps_up,
    near,
    number,
    raises,
    unchanged,
    visible,
)
from llmcourse.checks.u03_slowly import (
    encoded,
    learned,
    pieces,
    prose,
    spelled,
    words_and_marks,
)
from llmcourse.checks.u03_wordpiece import wordpiece_encode

__all__ = [
    "bpe_decode",
    "bpe_encode",
    "byte_fallback",
    "fertility",
    "train_bpe",
    "word_tokenize",
    "wordpiece_encode",
]

LETTERS = "acehrt"
THE = {(5, 3, 2): 3, (1, 0, 4): 1, (1, 0, 5): 1, (4, 0, 5): 1}  # the x 3, car, cat, rat


@visible
def word_tokenize(answer):
    known = {"the", "cat", "sat", ".", "!", "don", "t", "'"}
    diagnosed(
        answer("The cat sat.", known),
        ["<unk>", "cat", "sat", "."],
        "Cut into words and marks; what the vocabulary lacks becomes unk.",
        Mistake(["the", "cat", "sat", "."], "Capitals stay as they are: The is not the."),
        Mistake(["cat", "sat", "."], "An unknown word becomes unk; do not drop it."),
        Mistake(["The", "cat", "sat", "."], "The is not the: look the word up as it is, else unk."),
        Mistake(
            ["<unk>", "cat", "<unk>"], "The full stop is a token by itself: do not split at spaces."
        ),
        Mistake(["<unk>", "cat", "sat"], "Punctuation is lost: each mark is a token."),
        Mistake(
            ["<unk>", "<unk>", "cat", "<unk>", "sat", "."],
            "White space is dropped: it is no token.",
        ),
    )
    diagnosed(
        answer("don't sat!!", known),
        ["don", "'", "t", "sat", "!", "!"],
        "Each character that is neither of a word nor white space is a token by itself.",
        Mistake(
            ["don", "'", "t", "sat", "<unk>"], "Two marks in a row are two tokens: no + after them."
        ),
    )
    equal(
        answer("naïve cat_2", {"naïve", "cat_2"}),
        ["naïve", "cat_2"],
        "ï is a letter: use \\w, which knows all scripts, and not [a-z].",
    )
    equal(answer("cat dog", known, "?"), ["cat", "?"], "Use the argument unk for unknown words.")
    for empty in (" \n", "", "\t"):
        equal(answer(empty, known), [], "A text without words has no token.")
    equal(answer("ab, cd", set(), "??"), ["??"] * 3, "What the vocabulary lacks becomes unk.")
    for seed in range(4):
        text = prose(seed, 30)
        cut = words_and_marks(text)
        known = set(sorted(set(cut))[seed % 2 :: 2])
        want = [token if token in known else "<unk>" for token in cut]
        hint = "Letters and digits of any script make words (\\w); every mark is a token by itself."
        equal(answer(text, set(known)), want, hint)


@visible
def byte_fallback(answer):
    got = unchanged(answer, (["n", "a", "ï", "v", "e"], {"n", "a", "v", "e"}), "Make a new list.")
    diagnosed(
        got,
        ["n", "a", "<0xC3>", "<0xAF>", "v", "e"],
        "A known token stays; an unknown one becomes <0xHH> for each byte of its UTF-8.",
        Mistake(
            ["n", "a", "<0xEF>", "v", "e"],
            "That is the code point: take the bytes, token.encode().",
        ),
        Mistake(["n", "a", "<0xc3>", "<0xaf>", "v", "e"], "Capitals: format with 02X, not 02x."),
        Mistake(
            ["n", "a", ["<0xC3>", "<0xAF>"], "v", "e"], "One flat list: extend it, do not append."
        ),
        Mistake(["n", "a", "<0xC3><0xAF>", "v", "e"], "One token for each byte, not one for all."),
        Mistake(["n", "a", "<195>", "<175>", "v", "e"], "Hexadecimal: format with 02X."),
    )
    diagnosed(
        answer(["\n"], set()),
        ["<0x0A>"],
        "Two digits always: 10 is 0A.",
        Mistake(["<0xA>"], "Two digits always: format with 02X."),
    )
    diagnosed(
        answer(["the", "cat"], {"the", "c"}),
        ["the", "<0x63>", "<0x61>", "<0x74>"],
        "A longer token that is unknown is spelled byte by byte, too.",
        Mistake(
            ["the", "c", "<0x61>", "<0x74>"], "Look up the whole token: its letters do not count."
        ),
    )
    equal(answer([], {"a"}), [], "No tokens: an empty list.")
    equal(answer(["猫", "é"], {"é", "猫"}), ["猫", "é"], "Known tokens stay, of any script.")
    for seed in range(3):
        tokens = [*words_and_marks(prose(seed, 12)), *map(chr, range(18)), "🙂", "\x7f"]
        known = set(tokens[::2])
        want = [part for t in tokens for part in ([t] if t in known else spelled(t))]
        equal(answer(tokens, known), want, "One <0xHH> for each byte of an unknown token.")


@visible
def train_bpe(answer):
    got = unchanged(answer, (dict(THE), 3, 6), "Do not change `pieces`: work on a copy.")
    diagnosed(
        got,
        [(3, 2), (5, 6), (0, 5)],
        "the x 3, car, cat, rat: first h e and t h are tied at 3; the lower ids (3, 2) win.",
        Mistake(
            [(5, 3), (6, 2), (1, 0)],
            "Ties: you took the pair seen first, or the higher ids; take the lower.",
        ),
        Mistake([(5, 3), (6, 2), (4, 0)], "Ties: you took the higher ids; take the lower ones."),
        Mistake([(5, 3), (6, 2), (0, 5)], "Ties: you took the higher ids; take the lower ones."),
        Mistake(
            [(0, 5), (0, 4), (1, 7)], "Each piece counts as often as it occurs: add times, not 1."
        ),
        Mistake(
            [(0, 5), (3, 2), (5, 7)], "Each piece counts as often as it occurs: add times, not 1."
        ),
        Mistake(
            [(0, 5), (0, 4), (1, 6)], "Each piece counts as often as it occurs: add times, not 1."
        ),
        Mistake(
            [(3, 2), (5, 3), (0, 5)],
            "After a merge rewrite the pieces and count anew: he is one token now, so t h is gone.",
        ),
        Mistake(
            [(3, 2), (5, 256), (0, 5)],
            "Use the argument: the first new id is first_id, 6 here, not 256.",
        ),
        Mistake(
            [(3, 2), (5, 7), (0, 5)], "The first merge makes first_id itself, the next one more."
        ),
        Mistake([[3, 2], [5, 3], [0, 5]], "After a merge rewrite the pieces and count anew."),
        Mistake(
            [(3, 2), (5, 6)],
            "Pairs seen once or twice are merged, too: stop only when none is left.",
        ),
        Mistake(["he", "the", "at"], "Return pairs of ids."),
    )
    equal(
        answer({(0, 1): 1, (1, 0): 1, (2, 2, 2): 1}, 1, 3),
        [(2, 2)],
        "In (2, 2, 2) the pair (2, 2) stands at two places: it counts twice.",
    )
    diagnosed(
        answer({(0, 1): 2, (1, 2): 1}, 9, 3),
        [(0, 1), (1, 2)],
        "Nothing is left to merge after two merges: stop there.",
        Mistake(
            [(0, 1)], "A pair that occurs only once is merged, too: stop only when none is left."
        ),
        Mistake([], "Merge until n_merges are learned or no pair is left."),
    )
    equal(answer({(7,): 5}, 2, 9), [], "A piece of one id has no pair: no merge.")
    equal(
        answer({(0, 1, 2): 3, (3, 2): 3, (0, 1, 4): 1}, 2, 5),
        [(0, 1), (3, 2)],
        "Two merges: (0, 1) comes 4 times; then (3, 2) and (5, 2) are tied, and 3 is lower.",
    )
    for given, n_merges in (({}, 3), ({(5,): 9, (): 2}, 3), ({(1, 2): 1}, 0)):
        equal(answer(given, n_merges), [], "No pair, or n_merges = 0: no merges.")
    for length in (2, 3, 4, 5, 8):
        run = {(0,) * length: 2, (1, 0): 3}
        hint = "A pair in a run counts at each place, and is replaced from left to right."
        equal(answer(run, 4, 2), learned(run, 4, 2), hint)
    for seed, kinds in enumerate(((5, 9), (9, 30), (12, 3), (6, 1), (4, 1))):
        given = pieces(seed, 20, *kinds)
        hint = (
            "The highest count, weighted by the piece; of equals the lower first id, then second."
        )
        equal(answer(given, 12, kinds[0]), learned(given, 12, kinds[0]), hint)
    given = pieces(9, 4, 200, 3)
    equal(answer(given, 99), learned(given, 99), "first_id is 256 if not given; stop at the end.")
    many = pieces(7, 4_000, 90, 5)
    slow = "Count all pairs in one go over the pieces, not each pair in a go of its own."
    keeps_up(answer, learned, (many, 2, 90), 40, slow)


@visible
def bpe_encode(answer):
    merges = [(3, 2), (5, 6), (0, 5)]  # he, the, at
    got = unchanged(answer, ([5, 3, 0, 5], merges, 6), "Do not change `ids`: make a new list.")
    diagnosed(
        got,
        [5, 3, 8],
        "that: no he, no the; at becomes 8.",
        Mistake([5, 3, 0, 5], "at is merge 2: (0, 5) becomes first_id + 2 = 8."),
        Mistake(
            [5, 3, 258], "Use the argument: merge k makes first_id + k, and first_id is 6 here."
        ),
        Mistake([5, 3, 9], "Merge k makes first_id + k, with k from 0."),
        Mistake([5, 3, 2], "Merge k makes the id first_id + k, not k."),
    )
    diagnosed(
        answer([5, 3, 2, 0, 5, 3, 2], merges, 6),
        [7, 0, 7],
        "theathe: he first, then t he, then at, and in the end the, a, the.",
        Mistake(
            [5, 6, 0, 5, 6], "A merge may use what an earlier one made: go on with the new ids."
        ),
        Mistake([7, 8, 3, 2], "A merge applies wherever the pair stands, not only the first time."),
        Mistake(
            [7, 8, 6],
            "In the order learned: the (merge 1) everywhere before at (merge 2), so neither from "
            "left to right nor the longest token first.",
        ),
    )
    diagnosed(
        answer([0, 1, 2], [(1, 2), (0, 1), (0, 3)], 3),
        [5],
        "In the order learned: (1, 2) comes first and takes the 1, then (0, 3).",
        Mistake([4, 2], "In the order learned, not from left to right: (1, 2) is merge 0."),
        Mistake([0, 3], "Go through all the merges: (0, 3) is merge 2."),
    )
    diagnosed(
        answer([0, 1, 2, 3], [(1, 2), (0, 1), (4, 3), (5, 2)], 4),
        [0, 6],
        "In the order learned: (1, 2), then (4, 3). The longest token is not asked for.",
        Mistake(
            [7, 3], "You took the longest token from the left: apply the merges in their order."
        ),
    )
    equal(answer([1, 1, 1], [(1, 1)], 2), [2, 1], "From left to right, without overlap.")
    equal(answer([], merges, 6), [], "No ids: an empty list.")
    equal(answer([4, 4], []), [4, 4], "No merges: the ids as they came.")
    for length in (2, 3, 5, 6):
        ids, run = [7] * length, [(7, 7), (256, 256)]
        hint = "From left to right, without overlap; first_id is 256 if not given."
        equal(answer(ids, run), encoded(ids, run), hint)
    for seed, first_id in enumerate((5, 6, 9, 256)):
        merges = learned(pieces(seed, 40, 5, 9), 15, first_id)
        for length in (12, 25, 25):
            ids = [(i * i + seed * i + length) % 5 for i in range(length)]
            hint = "Each merge in its order, everywhere it stands; merge k makes first_id + k."
            equal(answer(ids, merges, first_id), encoded(ids, merges, first_id), hint)
    merges = [(2, 3), (1, 2), (3, 4), (20, 5), (21, 20)]
    for ids in ([1, 2, 3, 4], [3, 4, 1, 2, 3, 5], [1, 2, 3, 5, 1, 2], [3, 4, 1, 2, 2, 3]):
        hint = "The merge learned first is applied first, wherever it stands in the piece."
        equal(answer(ids, merges, 20), encoded(ids, merges, 20), hint)


@visible
def bpe_decode(answer):
    letters = [c.encode() for c in LETTERS]
    merges = [(3, 2), (5, 6), (0, 5)]  # he, the, at
    got = _decoded(answer, [7, 1, 8], merges, letters)
    diagnosed(
        got,
        "thecat",
        "7 is the, 1 is c, 8 is at: join the bytes of all ids.",
        Mistake(b"thecat", "Return a string: decode the bytes."),
        Mistake("ehtcta", "The first part of a merge comes first."),
        Mistake("hetcat", "Merge 1 is (5, 6): first the bytes of 5, then those of 6."),
        Mistake("the c at", "Nothing goes between the tokens."),
        Mistake(["the", "c", "at"], "Return one string."),
    )
    two = [b"\xc3", b"\xa9", b"!"]
    diagnosed(
        _decoded(answer, [0, 1, 2], [], two),
        "é!",
        "é is two bytes, here two ids: join all bytes before you decode.",
        Mistake("\ufffd\ufffd!", "Join all bytes before you decode, not each token by itself."),
        Mistake("!", "Join all bytes before you decode; and errors='replace', not 'ignore'."),
        Mistake("Ã©!", "UTF-8: bytes are no characters by themselves, so no chr and no latin-1."),
    )
    diagnosed(
        _decoded(answer, [2, 0], [], two),
        "!\ufffd",
        "Half a character becomes U+FFFD: errors='replace'.",
        Mistake("!", "errors='replace', not 'ignore': what is no text must be seen."),
        Mistake("!Ã", "UTF-8: bytes are no characters by themselves."),
    )
    equal(_decoded(answer, [], merges, letters), "", "No ids: the empty string.")
    unchanged(answer, ([7], list(merges), list(letters)), "Copy the alphabet before you append.")
    alphabet = [bytes([b]) for b in random.Random(1).sample(range(256), 256)]
    for text in ("é猫 🙂 ab ab ab я", prose(3, 12)):
        base = [alphabet.index(bytes([b])) for b in text.encode()]
        merges = learned({tuple(base): 1}, 20)
        ids, hint = encoded(base, merges), "Look up the bytes of each id, merged ones too; join."
        equal(_decoded(answer, ids, merges, alphabet), text, hint)
    usual = [bytes([b]) for b in range(256)]
    for character in "é猫🙂":
        ids = [104, *character.encode()[:-1], 105]
        want = bytes(ids).decode("utf-8", "replace")
        hint = "What is no UTF-8 becomes U+FFFD: errors='replace'."
        equal(_decoded(answer, ids, [], usual), want, hint)


def _decoded(answer: Any, ids: list, merges: list, alphabet: list) -> Any:
    """Return the text; an exception that has a known cause fails with it."""
    try:
        return answer(list(ids), list(merges), list(alphabet))
    except UnicodeError as error:  # grading knows only the plainer kind
        raised = f"your code raised {type(error).__name__}."
        fail(raised, hint="Half a character: errors='replace'.")
    except LookupError as error:
        hint = "Ids from len(alphabet) on are merges: build their bytes from their two parts."
        raised = f"your code raised {type(error).__name__}"
        fail(f"{raised}: {error}.", f"{raised}.", hint)


@visible
def fertility(answer):
    letters = Spelled("lambda text: list(text)")
    near(
        number(answer("the cat", letters), "fertility"),
        3.5,
        1e-9,
        hint="7 characters with the space, 2 words. Encode the whole text: a space costs, too.",
    )
    at_e = Spelled("lambda text: text.split('e')")
    got = number(answer("the  cat\nthe ", at_e), "fertility")
    for value, hint in (
        (3 / 4, "Words are what white space separates: text.split() without an argument."),
        (3 / 5, "Words are what white space separates: text.split() without an argument."),
        (3 / 13, "Divide by the number of words, not of characters."),
        (3 / 2, "A word that comes twice is two words."),
        (3, "That is the number of tokens: divide it by the number of words."),
        (5 / 3, "Call tokenize once, on the whole text, not on each word."),
    ):
        if abs(got - value) < 1e-9:
            near(got, 1.0, 1e-9, hint)
    near(got, 1.0, 1e-9, hint="Three tokens and three words.")
    equal(len(at_e.asked), 1, "Call tokenize once, on the whole text.")
    words = "ab cab\tc  abc\u3000bb\n a "
    for size in (1, 2, 5):
        cut = Spelled(f"lambda text: [text[i:i + {size}] for i in range(0, len(text), {size})]")
        hint = "Tokens of the whole text over words; text.split() takes white space of any kind."
        near(answer(words, cut), -(-len(words) // size) / 6, 1e-9, hint)
    for blank in (" \n", "", "\t "):
        raises(ValueError, answer, blank, letters, hint="A text without a word: refuse it.")
