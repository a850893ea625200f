"""Write and read the `tokenizer.json` of byte-level BPE, as Hugging Face's `tokenizers` does.

The file spells a token with one visible character a byte. Ids may come in any order: theirs give
the special tokens the first ids when they train, and the last ones when they add them later.

Left out, and refused by name when a file asks for it: what changes a text before its bytes are
merged (normalizers, a space in front, other pre-tokenizers), what is added around it (templates),
truncation, padding, dropout, added tokens with conditions, vocabularies without all 256 bytes.

unit: 03_tokenization
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Pair = tuple[int, int]

# Bytes that are written as themselves in a tokenizer.json; the others become characters from
# U+0100 on. Ids 0 to 255 go through all of these characters in order.
_PLAIN = (*range(33, 127), *range(161, 173), *range(174, 256))
BYTES = _PLAIN + tuple(b for b in range(256) if b not in _PLAIN)  # id -> byte
CHARACTERS = [chr(b) for b in _PLAIN] + [chr(256 + i) for i in range(256 - len(_PLAIN))]
ID_OF_BYTE = bytes(BYTES.index(b) for b in range(256))
_PLAIN_CUT = "ByteLevel(add_prefix_space=False)"
_FLAGS = {"single_word": False, "lstrip": False, "rstrip": False}


def spelled(token: bytes) -> str:
    """Return a token as the file spells it: one visible character a byte."""
    return "".join(CHARACTERS[ID_OF_BYTE[b]] for b in token)


def to_json(
    vocabulary: Mapping[str, int], merges: Sequence[Sequence[str]], special_ids: Mapping[str, int]
) -> dict[str, Any]:
    """Return the contents of a file; the vocabulary holds the spelled bytes and merged tokens.

    Raises ValueError for a special token that is spelled like another token: the file gives a name
    one id only.
    """
    both = vocabulary.keys() & special_ids.keys()
    if both:
        raise ValueError(
            f"expected special tokens that no other token is spelled like, got {min(both)!r}: "
            "put it between marks, <|...|>"
        )
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    model = {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
        "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
        "ignore_merges": False, "vocab": {**vocabulary, **special_ids}, "merges": merges,
    }  # fmt: skip
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [
            {"id": i, "content": token, **_FLAGS, "normalized": False, "special": True}
            for token, i in sorted(special_ids.items(), key=lambda entry: entry[1])
        ],
        "normalizer": None, "pre_tokenizer": {**byte_level, "use_regex": True},
        "post_processor": None, "decoder": {**byte_level, "use_regex": True}, "model": model,
    }  # fmt: skip


Parts = tuple[tuple[Pair, ...], tuple[str, ...], tuple[int, ...] | None]


def read(path: str | Path) -> Parts:
    """Return the merges, the special tokens, and the id of each token in our order, as `Tokenizer`.

    The ids are None where they are 0, 1, 2 ... Raises ValueError, one line with what is not
    supported, for any other kind of file.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        why = next(_unsupported(found), None)
        if why is None:
            return _parts(found["model"], found["added_tokens"])
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, UnicodeDecodeError):
        why = "a file of another form: save one with Tokenizer.save"
    except ValueError as error:
        why = str(error)
    raise ValueError(f"expected a tokenizer.json of byte-level BPE, got {why} (in {path})")


def _unsupported(found: Any) -> Iterator[str]:
    """Yield each thing that the file asks for and `Tokenizer` does not do, with the remedy."""
    model, cut = found["model"], found["pre_tokenizer"] or {}
    if model["type"] != "BPE":
        yield f"a model of type {model['type']}: train one of BPE"
    if cut.get("type") != "ByteLevel" or not cut.get("use_regex", True):
        yield f"the pre-tokenizer {cut.get('type')}: train with {_PLAIN_CUT}"
    if cut.get("add_prefix_space"):
        yield f"add_prefix_space, a space before every text: train with {_PLAIN_CUT}"
    for part in ("post_processor", "decoder"):
        kind = (found.get(part) or {"type": "ByteLevel"})["type"]
        if kind != "ByteLevel":
            yield f"the {part} {kind}: set it to ByteLevel before saving"
    for part in ("normalizer", "truncation", "padding"):
        if found.get(part):
            kind = found[part].get("type", "")
            yield f"{part} {kind}".strip() + ": remove it before saving"
    for part in ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback"):
        if model.get(part):
            yield f"{part}={model[part]!r} in the model: train without it"
    if model.get("ignore_merges"):
        yield "ignore_merges=True in the model: set it to False before saving"
    for token in found["added_tokens"]:
        name, asked = token["content"], [flag for flag in _FLAGS if token[flag]]
        if asked or not token["special"]:
            how = f"with {asked[0]}" if asked else "that is not special"
            yield f"the added token {name!r} {how}: add it with add_special_tokens([{name!r}])"


def _parts(model: Any, added: Any) -> Parts:
    vocabulary = model["vocab"]
    missing = [c for c in CHARACTERS if c not in vocabulary]
    if missing:
        raise ValueError(
            f"a vocabulary without {len(missing)} of the 256 bytes: train with "
            "initial_alphabet=ByteLevel.alphabet()"
        )
    own = {token: i for i, token in enumerate(CHARACTERS)}  # index of each token in our order
    merges = []
    for merge in model["merges"]:
        pair = merge.split(" ") if isinstance(merge, str) else merge
        if len(pair) != 2:
            raise ValueError(f"the merge {merge!r}, which is not two tokens: train it again")
        first, second = pair
        if first not in own or second not in own or first + second in own:
            raise ValueError(
                f"the merge {first} {second}, of tokens that no earlier merge made, or made twice: "
                "train it again"
            )
        merges.append((own[first], own[second]))
        own[first + second] = len(own)
    specials = tuple(token["content"] for token in sorted(added, key=lambda t: t["id"]))
    theirs = {**vocabulary, **{token["content"]: token["id"] for token in added}}
    twice, unmade = own.keys() & set(specials), theirs.keys() - own.keys() - set(specials)
    if twice:
        raise ValueError(
            f"the special token {min(twice)!r}, which is an ordinary one, too: put it between "
            "marks, <|...|>"
        )
    if unmade:
        raise ValueError(f"the token {min(unmade)!r}, which no merge makes: train it again")
    id_of = tuple(theirs[token] for token in (*own, *specials))
    in_order = tuple(range(len(id_of)))
    if tuple(sorted(id_of)) != in_order:
        raise ValueError(f"ids that are not 0 to {len(id_of) - 1}, each once: save it again")
    return tuple(merges), specials, None if id_of == in_order else id_of
