"""From words to plain text: spaces, capitals, and "a" or "an"."""

from __future__ import annotations

from collections.abc import Iterable

from llmcourse.arguments import no_string
from llmcourse.world.engine.grammar import END

TOKENS = ("a list of tokens", "take the tokens of a story")  # expected, and remedy, of `no_string`
_NO_SPACE_BEFORE = frozenset(".,!?:;") | {"'s"}


def article(word: str) -> str:
    """Return "an" before a vowel letter, else "a": no word of the world has a silent h."""
    return "an" if word[0].lower() in "aeiou" else "a"


def with_article(noun: str) -> str:
    """Return the noun after its article.

    >>> with_article("lamp"), with_article("old lamp")
    ('a lamp', 'an old lamp')
    """
    return f"{article(noun)} {noun}"


def with_articles(words: Iterable[str]) -> list[str]:
    """Return the words with "an" for each "a" before a vowel.

    >>> with_articles(["a", "owl", "saw", "a", "map"])
    ['an', 'owl', 'saw', 'a', 'map']
    """
    written = list(words)
    for i, word in enumerate(written[:-1]):
        if word == "a":
            written[i] = article(written[i + 1])
    return written


def polish(words: Iterable[str]) -> list[str]:
    """Return the words of a sentence with their articles and a capital at the start.

    >>> polish(["a", "otter", "ate", "a", "egg", "."])
    ['An', 'otter', 'ate', 'an', 'egg', '.']
    """
    sentence = with_articles(words)
    start = next((i for i, word in enumerate(sentence) if word[0].isalpha()), 0)
    sentence[start] = sentence[start][0].upper() + sentence[start][1:]
    return sentence


def spell(words: Iterable[str]) -> str:
    """Return the words as a printed sentence, with their articles and a capital at the start.

    >>> spell(["a", "old", "map", "is", "a", "map", "."])
    'An old map is a map.'
    """
    text = detokenise(with_articles(words))
    return text[0].upper() + text[1:]


def detokenise(tokens: Iterable[str]) -> str:
    """Return tokens as plain text: no space before punctuation or inside quotes, END left out.

    Raises TypeError for one string in place of the tokens.

    >>> detokenise(["Mia", "'s", "cat", "sat", ".", "</s>"])
    "Mia's cat sat."
    """
    no_string(tokens, *TOKENS)
    parts: list[str] = []
    quoted = False
    glue = True  # whether the next token follows without a space
    for token in tokens:
        if token == END:
            continue
        if token == '"':
            quoted = not quoted
            parts.append((" " if quoted and parts else "") + token)
            glue = quoted
            continue
        parts.append(token if glue or token in _NO_SPACE_BEFORE else " " + token)
        glue = False
    return "".join(parts)
