"""Cut a text into pre-tokens by GPT-2's rule: the pieces that merges of byte pairs never cross.

A piece is a word or a number with the space before it, a run of other characters, or white space.
Combining marks are neither letters nor numbers here, as in GPT-2: words of Hindi or Thai fall into
several pieces.

Letters and numbers are those of this Python's Unicode tables, so pre-tokens (and with them ids)
differ from those of `tokenizers` for characters that only the newer of the two tables knows.

source: Radford et al., Language Models are Unsupervised Multitask Learners, 2019.
unit: 03_tokenization
"""

import re
import sys
import unicodedata
from functools import cache

from llmcourse.arguments import a_string
from llmcourse.text.corpora import character_ranges


def pre_tokens(text: str) -> list[str]:
    """Return the pieces that merges never cross; together they are the text.

    Raises TypeError for anything but a string.

    >>> pre_tokens("We've 12 apples,  and")
    ['We', "'ve", ' 12', ' apples', ',', ' ', ' and']
    """
    a_string(text)
    return _pattern().findall(text)


_SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


@cache
def _pattern() -> re.Pattern[str]:
    """Return GPT-2's expression without the classes of letters and numbers that `re` lacks."""
    number = _numbers()
    return re.compile(
        rf"'(?:s|t|re|ve|m|ll|d)| ?[^\W_{number}]+| ?[{number}]+| ?(?:[^\w{_SPACE}]|_)+"
        rf"|[{_SPACE}]+(?![^{_SPACE}])|[{_SPACE}]+"
    )


def _numbers() -> str:
    """Return all characters of Unicode category N, as ranges of a character class."""
    return character_ranges(
        c
        for c in range(sys.maxunicode + 1)
        if chr(c).isnumeric() and unicodedata.category(chr(c))[0] == "N"
    )


_CUT = re.compile(rf"[^{_SPACE}](?=[{_SPACE}])")


def last_safe_cut(text: str) -> int:
    """Return the last index where white space follows something else, or 0: no pre-token spans it.

    So a text may be cut there and its two parts encoded one after the other.
    """
    return max((match.end() for match in _CUT.finditer(text)), default=0)
