"""WordPiece of unit 03: the formula, its mistakes, the visible check.

unit: 03_tokenization
"""

import random

from llmcourse.checks import Mistake, diagnosed, equal, visible


def vocabulary(rng: random.Random, longest: int) -> set[str]:
    """Return beginnings and continuations over a, b and c; every single letter is there."""
    made = set("abc") | {"##a", "##b", "##c"}
    for mark in ("", "##"):
        made |= {mark + "".join(rng.choices("abc", k=rng.randint(1, longest))) for _ in range(14)}
    return made


def greedy(
    word: str, known: set[str], unk: str = "[UNK]", later: str = "##", shortest: bool = False
) -> list[str]:
    """Take the longest first, then the rest; unk where that leads nowhere.

    Mistakes are to look inside the word for tokens marked with another `later`, and to take the
    shortest.
    """
    found, mark = list[str](), ""
    while word:
        fits = [n for n in range(1, len(word) + 1) if mark + word[:n] in known]
        if not fits:
            return [unk]
        n = fits[0 if shortest else -1]
        found.append(mark + word[:n])
        word, mark = word[n:], later
    return found


def any_cut(word: str, known: set[str], mark: str = "") -> list[str] | None:
    """Return a cut found by going back where the longest leads nowhere: another rule."""
    for n in range(len(word), 0, -1):
        if mark + word[:n] in known:
            rest = any_cut(word[n:], known, "##")
            if rest is not None:
                return [mark + word[:n], *rest]
    return None if word else []


def greedy_mistakes(word: str, known: set[str], unk: str = "[UNK]") -> list[Mistake]:
    right = greedy(word, known, unk)
    return [
        Mistake(greedy(word, known, unk, shortest=True),
                "The longest match comes first: try the whole rest, then one letter less."),
        Mistake(greedy(word, known, unk, later=""),
                "Inside the word look for ## + piece in the vocabulary."),
        Mistake([token.removeprefix("##") for token in right],
                "Tokens that continue a word keep their ##."),
    ]  # fmt: skip


LONGEST = "The longest from the left, again and again, in a word of any length."
AS_A_WHOLE = "The whole word becomes [unk], what was found before is dropped."
BACK = "Where the longest leads nowhere it is [unk], even if a shorter token had worked."
APART = "At the beginning only tokens without ##, later only tokens with ##."
CUTS: tuple[tuple[str, set[str], str], ...] = (
    ("abc", {"a", "ab", "##bc", "##d"}, BACK),
    ("abab", {"ab", "##a", "##b"}, APART),
    ("ab", {"##ab", "##a", "##b", "b"}, APART),
    ("猫猫", {"猫", "##猫"}, APART),
    ("abcd", {"abcd", "a", "##bcd"}, "The whole word may be one token."),
    ("a", {"a"}, "A word of one letter may be a token."),
    ("a" * 300 + "x", {"a", "##a"}, AS_A_WHOLE),
    ("", {"a"}, "The empty word has no token: an empty list."),
)


@visible
def wordpiece_encode(answer):
    known = {"un", "unit", "##i", "##it", "##ted", "##ed", "##able", "a", "##un"}
    hint = "The longest token that begins the word, unit; then the longest in the rest, ##ed."
    diagnosed(answer("united", known), ["unit", "##ed"], hint, *greedy_mistakes("united", known))
    kept = (["un", "[UNK]"], ["un"], ["un", "[UNK]", "##i", "##ed"])
    mistakes = [Mistake("[UNK]", "Return a list with unk in it, not unk itself.")]
    mistakes += [Mistake(value, AS_A_WHOLE) for value in kept]
    got = answer("untied", known)
    diagnosed(got, ["[UNK]"], "Nothing begins tied: then the whole word is unknown.", *mistakes)
    got, plain = answer("aun", known), Mistake(["a", "un"], APART)
    diagnosed(got, ["a", "##un"], "Behind the a only tokens with ## fit: ##un.", plain)
    equal(answer("able", known), ["[UNK]"], "At the beginning a token with ## does not fit.")
    equal(answer("xyz", known, "?"), ["?"], "Use the argument unk.")
    for word, few, hint in CUTS:
        equal(answer(word, few, "?"), greedy(word, few, "?"), hint)
    rng = random.Random(5)
    for size in (5, 9, 14, 300, 5, 9, 14, 300):
        few, word = vocabulary(rng, rng.randint(2, 4)), "".join(rng.choices("abc", k=size))
        equal(answer(word, few), greedy(word, few), LONGEST)
        equal(answer(f"{word[:6]}x{word[6:9]}", few), ["[UNK]"], AS_A_WHOLE)
