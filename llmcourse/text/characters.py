"""A tokenizer whose tokens are the characters of a text, in a file that `tokenizers` loads.

Its `tokenizer.json` is byte-pair encoding without merges: what is left are single characters. A
character that the text did not have becomes U+FFFD, as bytes that are no UTF-8 do elsewhere.

Left out: combining marks (an accent after its letter is a character of its own).

unit: 10_pretraining
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from llmcourse.arguments import a_string, ids_of, no_string, utf8
from llmcourse.text.tokenizers import Tokenizer
from llmcourse.text.words import WordTokenizer

UNKNOWN = "\ufffd"
_FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}


@dataclass(frozen=True)
class CharacterTokenizer:
    """Characters in the order of their ids, U+FFFD among them, and special tokens after them.

    >>> tokenizer = CharacterTokenizer.of("abba", ["<|end|>"])
    >>> tokenizer.encode("abc"), tokenizer.decode([1, 0, 3]), tokenizer.vocab_size
    ([0, 1, 2], 'ba<|end|>', 4)
    """

    characters: tuple[str, ...]
    special_tokens: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = [c for c in self.characters if len(c) != 1]
        if wrong or UNKNOWN not in self.characters or len(set(self.tokens)) < len(self.tokens):
            raise ValueError(
                "expected different single characters, U+FFFD among them, and other special "
                f"tokens, got {len(self.characters)} characters and {self.special_tokens}: make "
                "them with CharacterTokenizer.of(text)"
            )

    @classmethod
    def of(cls, text: str, special_tokens: Iterable[str] = ()) -> CharacterTokenizer:
        """Return the tokenizer of all characters of a text, in the order of their code points."""
        a_string(text)
        utf8(text)
        no_string(special_tokens, "a list of special tokens", "put it in a list, [token]")
        return cls(tuple(sorted({*text, UNKNOWN})), tuple(special_tokens))

    @property
    def tokens(self) -> tuple[str, ...]:
        """The text of each id."""
        return (*self.characters, *self.special_tokens)

    @property
    def vocab_size(self) -> int:
        """The number of tokens; ids are below it."""
        return len(self.tokens)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {c: i for i, c in enumerate(self.characters)}

    @cached_property
    def special_ids(self) -> dict[str, int]:
        """The id of each special token."""
        return {token: len(self.characters) + i for i, token in enumerate(self.special_tokens)}

    def encode(self, text: str) -> list[int]:
        """Return an id for each character; a special token written in the text is characters."""
        a_string(text)
        unknown = self._ids[UNKNOWN]
        return [self._ids.get(c, unknown) for c in text]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids. Raises ValueError for an id that does not exist."""
        return "".join(self.tokens[i] for i in ids_of(list(ids), self.vocab_size, row=True))

    def save(self, path: str | Path) -> None:
        """Write a `tokenizer.json` that Hugging Face's `tokenizers` loads."""
        model = {
            "type": "BPE", "dropout": None, "unk_token": UNKNOWN,
            "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
            "byte_fallback": False, "ignore_merges": False,
            "vocab": self._ids | self.special_ids, "merges": [],
        }  # fmt: skip
        contents = {
            "version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [
                {"id": i, "content": token, **_FLAGS, "special": True}
                for token, i in self.special_ids.items()
            ],
            "normalizer": None, "pre_tokenizer": None, "post_processor": None,
            "decoder": {"type": "Fuse"}, "model": model,
        }  # fmt: skip
        Path(path).write_text(json.dumps(contents, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> CharacterTokenizer:
        """Read a file that `save` wrote. Raises ValueError, one line, for any other."""
        try:
            found = json.loads(Path(path).read_text(encoding="utf-8"))
            names = sorted(found["model"]["vocab"], key=found["model"]["vocab"].get)
            specials = tuple(token["content"] for token in found["added_tokens"])
            if found["decoder"]["type"] == "Fuse" and names[len(names) - len(specials) :] == [
                *specials
            ]:
                return cls(tuple(names[: len(names) - len(specials)]), specials)
        except (KeyError, TypeError, AttributeError, ValueError):
            pass
        raise ValueError(
            f"expected a tokenizer.json of single characters, got another in {path}: save one "
            "with CharacterTokenizer.save"
        )


AnyTokenizer = CharacterTokenizer | WordTokenizer | Tokenizer


def load_tokenizer(path: str | Path) -> AnyTokenizer:
    """Read a `tokenizer.json` of single characters, of whole words, or else of byte-level BPE.

    Raises ValueError, one line with the reason, for a file of another kind.
    """
    for kind in (CharacterTokenizer, WordTokenizer):
        try:
            return kind.load(path)
        except ValueError:
            pass
    return Tokenizer.load(path)
