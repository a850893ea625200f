"""A tokenizer whose tokens are the words of a fixed list, in a file that `tokenizers` loads.

It is for texts in which every word is known, as those of the invented world. Its `tokenizer.json`
is a list of words, and a pattern that cuts the text.

Left out: unknown words, which raise, and the spaces of a text: `decode` puts one between any two
tokens, and `world.detokenise` knows where a printed text has none.

unit: 10_pretraining
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from llmcourse.arguments import a_string, ids_of, no_string

# A possessive 's, a word (o'clock is one), or a single other character. The file has it, too, so
# it means the same in Python's `re` and in the engine of `tokenizers`.
PATTERN = r"'s\b|\w+(?:'(?!s\b)\w+)*|[^\w\s]"
_FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}


@dataclass(frozen=True)
class WordTokenizer:
    """Words in the order of their ids; some of them are special tokens, which no text contains.

    >>> tokenizer = WordTokenizer(("'s", "cat", "<|end|>", "Mia"), ("<|end|>",))
    >>> tokenizer.encode("Mia's cat"), tokenizer.decode([3, 0, 1]), tokenizer.special_ids
    ([3, 0, 1], "Mia 's cat", {'<|end|>': 2})
    """

    tokens: tuple[str, ...]
    special_tokens: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        no_string(self.tokens, "a tuple of words", "split the text")
        missing = set(self.special_tokens) - set(self.tokens)
        if missing or len(set(self.tokens)) < len(self.tokens):
            raise ValueError(
                "expected different words, the special tokens among them, got "
                f"{len(self.tokens)} words, {len(set(self.tokens))} different ones, without the "
                f"special tokens {sorted(missing)}: leave doubles out, and name each token"
            )
        cut = (word for word in self.tokens if word not in self.special_tokens)
        wrong = next((word for word in cut if re.findall(PATTERN, word) != [word]), None)
        if wrong is not None:
            raise ValueError(
                f"expected words that the pattern does not cut, got {wrong!r}: give its parts"
            )

    @property
    def vocab_size(self) -> int:
        """The number of tokens; ids are below it."""
        return len(self.tokens)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: i for i, token in enumerate(self.tokens)}

    @cached_property
    def special_ids(self) -> dict[str, int]:
        """The id of each special token."""
        return {token: self._ids[token] for token in self.special_tokens}

    def encode(self, text: str) -> list[int]:
        """Return the id of each word. Raises ValueError for a word that is not in the list."""
        a_string(text)
        words = re.findall(PATTERN, text)
        unknown = next((word for word in words if word not in self._ids), None)
        if unknown is not None:
            raise ValueError(
                f"expected the {self.vocab_size} words that this tokenizer knows, got {unknown!r}: "
                "use others, or another model"
            )
        return [self._ids[word] for word in words]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the tokens with a space between any two; ValueError for an id that is none."""
        return " ".join(self.tokens[i] for i in ids_of(list(ids), self.vocab_size, row=True))

    def save(self, path: str | Path) -> None:
        """Write a `tokenizer.json` that Hugging Face's `tokenizers` loads."""
        contents = {
            "version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [
                {"id": i, "content": token, **_FLAGS, "special": True}
                for token, i in self.special_ids.items()
            ],
            "normalizer": None,
            # "Removed" and "invert": what the pattern does not match is thrown away.
            "pre_tokenizer": {
                "type": "Split", "pattern": {"Regex": PATTERN}, "behavior": "Removed",
                "invert": True,
            },
            "post_processor": None, "decoder": None,
            "model": {"type": "WordLevel", "vocab": self._ids, "unk_token": "<unk>"},
        }  # fmt: skip
        Path(path).write_text(json.dumps(contents, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> WordTokenizer:
        """Read a file that `save` wrote. Raises ValueError, one line, for any other."""
        try:
            found = json.loads(Path(path).read_text(encoding="utf-8"))
            ids = found["model"]["vocab"]
            specials = tuple(token["content"] for token in found["added_tokens"])
            pattern = found["pre_tokenizer"]["pattern"]["Regex"]
            if (found["model"]["type"], pattern) == ("WordLevel", PATTERN):
                return cls(tuple(sorted(ids, key=ids.get)), specials)
        except (KeyError, TypeError, AttributeError, ValueError):
            pass
        raise ValueError(
            f"expected a tokenizer.json of whole words, got another in {path}: save one with "
            "WordTokenizer.save"
        )
