"""The visible check of WordPiece.

unit: 03_tokenization
"""

import random

from llmcourse.checks import Mistake, diagnosed, equal, visible
from llmcourse.checks.u03_slowly import greedy, vocabulary


@visible
def wordpiece_encode(answer):
    known = {"un", "unit", "##i", "##it", "##ted", "##ed", "##able", "a", "##un"}
    diagnosed(
        answer("united", known),
        ["unit", "##ed"],
        "The longest token that begins the word, unit; then the longest in the rest, ##ed.",
        Mistake(["un", "##it", "##ed"], "The longest first: unit is longer than un."),
        Mistake(
            ["un", "##i", "##ted"], "The longest first: try the whole rest, then one letter less."
        ),
        Mistake(["unit", "ed"], "Tokens that continue a word keep their ##."),
        Mistake(["[UNK]"], "Inside the word look for ## + piece in the vocabulary."),
        Mistake(["unit", "[UNK]"], "Inside the word look for ## + piece in the vocabulary."),
    )
    diagnosed(
        answer("untied", known),
        ["[UNK]"],
        "Nothing begins tied: then the whole word is unknown.",
        Mistake("[UNK]", "Return a list with unk in it, not unk itself."),
        Mistake(["un", "[UNK]"], "The whole word becomes [unk], what was found before is dropped."),
        Mistake(["un"], "The whole word becomes [unk], what was found before is dropped."),
        Mistake(
            ["un", "[UNK]", "##i", "##ed"],
            "The whole word becomes [unk], what was found before is dropped.",
        ),
    )
    diagnosed(
        answer("aun", known),
        ["a", "##un"],
        "Behind the a only tokens with ## fit: ##un.",
        Mistake(["a", "un"], "Behind the first token only tokens with ## fit."),
    )
    equal(answer("able", known), ["[UNK]"], "At the beginning a token with ## does not fit.")
    equal(answer("xyz", known, "?"), ["?"], "Use the argument unk.")
    equal(answer("", known), [], "The empty word has no token.")
    for word, few, unk, hint in CUTS:
        equal(answer(word, few, unk), greedy(word, few, unk), hint)
    for seed in range(8):
        few, rng = vocabulary(seed, 2 + seed % 3), random.Random(seed)
        word = "".join(rng.choices("abc", k=(5, 9, 14, 300)[seed % 4]))
        hint = "The longest from the left, again and again, in a word of any length."
        equal(answer(word, few), greedy(word, few, "[UNK]"), hint)
        word = word[:6] + "x" + word[6:9]
        equal(answer(word, few), ["[UNK]"], "The whole word becomes [unk].")
    long = "a" * 300 + "x"
    equal(answer(long, {"a", "##a"}), ["[UNK]"], "The whole word becomes [unk].")


BACK = "Where the longest leads nowhere it is [unk], even if a shorter token had worked."
APART = "At the beginning only tokens without ##, later only tokens with ##."
CUTS: tuple[tuple[str, set[str], str, str], ...] = (
    ("abc", {"a", "ab", "##bc", "##d"}, "?", BACK),
    ("abab", {"ab", "##a", "##b"}, "?", APART),
    ("ab", {"##ab", "##a", "##b", "b"}, "?", APART),
    ("猫猫", {"猫", "##猫"}, "?", APART),
    ("abcd", {"abcd", "a", "##bcd"}, "?", "The whole word may be one token."),
    ("a", {"a"}, "?", "A word of one letter may be a token."),
)
