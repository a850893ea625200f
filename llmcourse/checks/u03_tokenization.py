"""Visible checks of unit 03: each failure names its likely cause.

unit: 03_tokenization
"""

from typing import Any

from llmcourse.checks import diagnosed, equal, fail, near, number, raises, unchanged, visible

LETTERS = "acehrt"
THE = {(5, 3, 2): 3, (1, 0, 4): 1, (1, 0, 5): 1, (4, 0, 5): 1}  # the x 3, car, cat, rat


@visible
def word_tokenize(answer):
    known = {"the", "cat", "sat", ".", "!", "don", "t", "'"}
    diagnosed(
        answer("The cat sat.", known),
        ["<unk>", "cat", "sat", "."],
        "Cut into words and marks; what the vocabulary lacks becomes unk.",
        (["the", "cat", "sat", "."], "Capitals stay as they are: The is not the."),
        (["cat", "sat", "."], "An unknown word becomes unk; do not drop it."),
        (["The", "cat", "sat", "."], "The is not the: look the word up as it is, else unk."),
        (["<unk>", "cat", "<unk>"], "The full stop is a token by itself: do not split at spaces."),
        (["<unk>", "cat", "sat"], "Punctuation is lost: each mark is a token."),
        (
            ["<unk>", "<unk>", "cat", "<unk>", "sat", "."],
            "White space is dropped: it is no token.",
        ),
    )
    diagnosed(
        answer("don't sat!!", known),
        ["don", "'", "t", "sat", "!", "!"],
        "Each character that is neither of a word nor white space is a token by itself.",
        (["don", "'", "t", "sat", "<unk>"], "Two marks in a row are two tokens: no + after them."),
    )
    equal(
        answer("naïve cat_2", {"naïve", "cat_2"}),
        ["naïve", "cat_2"],
        "ï is a letter: use \\w, which knows all scripts, and not [a-z].",
    )
    equal(answer("cat dog", known, "?"), ["cat", "?"], "Use the argument unk for unknown words.")
    equal(answer(" \n", known), [], "A text without words has no token.")


@visible
def byte_fallback(answer):
    got = unchanged(answer, (["n", "a", "ï", "v", "e"], {"n", "a", "v", "e"}), "Make a new list.")
    diagnosed(
        got,
        ["n", "a", "<0xC3>", "<0xAF>", "v", "e"],
        "A known token stays; an unknown one becomes <0xHH> for each byte of its UTF-8.",
        (["n", "a", "<0xEF>", "v", "e"], "That is the code point: take the bytes, token.encode()."),
        (["n", "a", "<0xc3>", "<0xaf>", "v", "e"], "Capitals: format with 02X, not 02x."),
        (["n", "a", ["<0xC3>", "<0xAF>"], "v", "e"], "One flat list: extend it, do not append."),
        (["n", "a", "<0xC3><0xAF>", "v", "e"], "One token for each byte, not one for all."),
        (["n", "a", "<195>", "<175>", "v", "e"], "Hexadecimal: format with 02X."),
    )
    diagnosed(
        answer(["\n"], set()),
        ["<0x0A>"],
        "Two digits always: 10 is 0A.",
        (["<0xA>"], "Two digits always: format with 02X."),
    )
    diagnosed(
        answer(["the", "cat"], {"the", "c"}),
        ["the", "<0x63>", "<0x61>", "<0x74>"],
        "A longer token that is unknown is spelled byte by byte, too.",
        (["the", "c", "<0x61>", "<0x74>"], "Look up the whole token: its letters do not count."),
    )
    equal(answer([], {"a"}), [], "No tokens: an empty list.")


@visible
def train_bpe(answer):
    got = unchanged(answer, (dict(THE), 3, 6), "Do not change `pieces`: work on a copy.")
    diagnosed(
        got,
        [(3, 2), (5, 6), (0, 5)],
        "the x 3, car, cat, rat: first h e and t h are tied at 3; the lower ids (3, 2) win.",
        (
            [(5, 3), (6, 2), (1, 0)],
            "Ties: you took the pair seen first, or the higher ids; take the lower.",
        ),
        ([(5, 3), (6, 2), (4, 0)], "Ties: you took the higher ids; take the lower ones."),
        ([(5, 3), (6, 2), (0, 5)], "Ties: you took the higher ids; take the lower ones."),
        ([(0, 5), (0, 4), (1, 7)], "Each piece counts as often as it occurs: add times, not 1."),
        ([(0, 5), (3, 2), (5, 7)], "Each piece counts as often as it occurs: add times, not 1."),
        ([(0, 5), (0, 4), (1, 6)], "Each piece counts as often as it occurs: add times, not 1."),
        (
            [(3, 2), (5, 3), (0, 5)],
            "After a merge rewrite the pieces and count anew: he is one token now, so t h is gone.",
        ),
        (
            [(3, 2), (5, 256), (0, 5)],
            "Use the argument: the first new id is first_id, 6 here, not 256.",
        ),
        ([(3, 2), (5, 7), (0, 5)], "The first merge makes first_id itself, the next one more."),
        ([[3, 2], [5, 3], [0, 5]], "After a merge rewrite the pieces and count anew."),
        (
            [(3, 2), (5, 6)],
            "Pairs seen once or twice are merged, too: stop only when none is left.",
        ),
        (["he", "the", "at"], "Return pairs of ids."),
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
        ([(0, 1)], "A pair that occurs only once is merged, too: stop only when none is left."),
        ([], "Merge until n_merges are learned or no pair is left."),
    )
    equal(answer({(7,): 5}, 2, 9), [], "A piece of one id has no pair: no merge.")
    equal(
        answer({(0, 1, 2): 3, (3, 2): 3, (0, 1, 4): 1}, 2, 5),
        [(0, 1), (3, 2)],
        "Two merges: (0, 1) comes 4 times; then (3, 2) and (5, 2) are tied, and 3 is lower.",
    )


@visible
def bpe_encode(answer):
    merges = [(3, 2), (5, 6), (0, 5)]  # he, the, at
    got = unchanged(answer, ([5, 3, 0, 5], merges, 6), "Do not change `ids`: make a new list.")
    diagnosed(
        got,
        [5, 3, 8],
        "that: no he, no the; at becomes 8.",
        ([5, 3, 0, 5], "at is merge 2: (0, 5) becomes first_id + 2 = 8."),
        ([5, 3, 258], "Use the argument: merge k makes first_id + k, and first_id is 6 here."),
        ([5, 3, 9], "Merge k makes first_id + k, with k from 0."),
        ([5, 3, 2], "Merge k makes the id first_id + k, not k."),
    )
    diagnosed(
        answer([5, 3, 2, 0, 5, 3, 2], merges, 6),
        [7, 0, 7],
        "theathe: he first, then t he, then at, and in the end the, a, the.",
        ([5, 6, 0, 5, 6], "A merge may use what an earlier one made: go on with the new ids."),
        ([7, 8, 3, 2], "A merge applies wherever the pair stands, not only the first time."),
        (
            [7, 8, 6],
            "In the order learned: the (merge 1) everywhere before at (merge 2), so neither from "
            "left to right nor the longest token first.",
        ),
    )
    diagnosed(
        answer([0, 1, 2], [(1, 2), (0, 1), (0, 3)], 3),
        [5],
        "In the order learned: (1, 2) comes first and takes the 1, then (0, 3).",
        ([4, 2], "In the order learned, not from left to right: (1, 2) is merge 0."),
        ([0, 3], "Go through all the merges: (0, 3) is merge 2."),
    )
    diagnosed(
        answer([0, 1, 2, 3], [(1, 2), (0, 1), (4, 3), (5, 2)], 4),
        [0, 6],
        "In the order learned: (1, 2), then (4, 3). The longest token is not asked for.",
        ([7, 3], "You took the longest token from the left: apply the merges in their order."),
    )
    equal(answer([1, 1, 1], [(1, 1)], 2), [2, 1], "From left to right, without overlap.")
    equal(answer([], merges, 6), [], "No ids: an empty list.")
    equal(answer([4, 4], []), [4, 4], "No merges: the ids as they came.")


@visible
def bpe_decode(answer):
    letters = [c.encode() for c in LETTERS]
    merges = [(3, 2), (5, 6), (0, 5)]  # he, the, at
    got = _decoded(answer, [7, 1, 8], merges, letters)
    diagnosed(
        got,
        "thecat",
        "7 is the, 1 is c, 8 is at: join the bytes of all ids.",
        (b"thecat", "Return a string: decode the bytes."),
        ("ehtcta", "The first part of a merge comes first."),
        ("hetcat", "Merge 1 is (5, 6): first the bytes of 5, then those of 6."),
        ("the c at", "Nothing goes between the tokens."),
        (["the", "c", "at"], "Return one string."),
    )
    two = [b"\xc3", b"\xa9", b"!"]
    diagnosed(
        _decoded(answer, [0, 1, 2], [], two),
        "é!",
        "é is two bytes, here two ids: join all bytes before you decode.",
        ("\ufffd\ufffd!", "Join all bytes before you decode, not each token by itself."),
        ("!", "Join all bytes before you decode; and errors='replace', not 'ignore'."),
        ("Ã©!", "UTF-8: bytes are no characters by themselves, so no chr and no latin-1."),
    )
    diagnosed(
        _decoded(answer, [2, 0], [], two),
        "!\ufffd",
        "Half a character becomes U+FFFD: errors='replace'.",
        ("!", "errors='replace', not 'ignore': what is no text must be seen."),
        ("!Ã", "UTF-8: bytes are no characters by themselves."),
    )
    equal(_decoded(answer, [], merges, letters), "", "No ids: the empty string.")
    unchanged(answer, ([7], list(merges), list(letters)), "Copy the alphabet before you append.")


def _decoded(answer: Any, ids: list, merges: list, alphabet: list) -> Any:
    """The text; an exception that has a known cause fails with it."""
    try:
        return answer(list(ids), list(merges), list(alphabet))
    except UnicodeError as error:  # grading knows only the plainer kind
        fail(f"your code raised {type(error).__name__}. Half a character: errors='replace'.")
    except LookupError as error:
        hint = "Ids from len(alphabet) on are merges: build their bytes from their two parts."
        fail(f"your code raised {type(error).__name__}: {error}. {hint}")


@visible
def wordpiece_encode(answer):
    known = {"un", "unit", "##i", "##it", "##ted", "##ed", "##able", "a", "##un"}
    diagnosed(
        answer("united", known),
        ["unit", "##ed"],
        "The longest token that begins the word, unit; then the longest in the rest, ##ed.",
        (["un", "##it", "##ed"], "The longest first: unit is longer than un."),
        (["un", "##i", "##ted"], "The longest first: try the whole rest, then one letter less."),
        (["unit", "ed"], "Tokens that continue a word keep their ##."),
        (["[UNK]"], "Inside the word look for ## + piece in the vocabulary."),
        (["unit", "[UNK]"], "Inside the word look for ## + piece in the vocabulary."),
    )
    diagnosed(
        answer("untied", known),
        ["[UNK]"],
        "Nothing begins tied: then the whole word is unknown.",
        ("[UNK]", "Return a list with unk in it, not unk itself."),
        (["un", "[UNK]"], "The whole word becomes [unk], what was found before is dropped."),
        (["un"], "The whole word becomes [unk], what was found before is dropped."),
        (
            ["un", "[UNK]", "##i", "##ed"],
            "The whole word becomes [unk], what was found before is dropped.",
        ),
    )
    diagnosed(
        answer("aun", known),
        ["a", "##un"],
        "Behind the a only tokens with ## fit: ##un.",
        (["a", "un"], "Behind the first token only tokens with ## fit."),
    )
    equal(answer("able", known), ["[UNK]"], "At the beginning a token with ## does not fit.")
    equal(answer("xyz", known, "?"), ["?"], "Use the argument unk.")
    equal(answer("", known), [], "The empty word has no token.")


@visible
def fertility(answer):
    near(
        number(answer("the cat", lambda text: list(text)), "fertility"),
        3.5,
        1e-9,
        hint="7 characters with the space, 2 words. Encode the whole text: a space costs, too.",
    )
    got = number(answer("the  cat\nthe ", lambda text: text.split("e")), "fertility")
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
    raises(
        ValueError, answer, " \n", lambda text: list(text), hint="A text without a word: refuse it."
    )
