"""The texts that the world is written from: rules, sentences and word lists in `world/texts/`.

A file is divided into sections with names:

    # A comment: a line that begins with a hash.

    == opening
    2: <hero:person> lived in {hero.town} .

The head of each file says what its sections hold and in which notation. `sections` reads a file,
`rules` several as one grammar; `rows` splits a table.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

TEXTS = Path(__file__).parent.parent / "texts"


def sections(name: str) -> dict[str, str]:
    """Return the sections of `texts/<name>.txt` by name, in the order of the file.

    A section comes without comments and without the blank lines around it. Raises ValueError for a
    file that is not there or not UTF-8, a file without sections, text before the first section, and
    a section that has no name, no text or the name of an earlier one.
    """
    return dict(_read(TEXTS / f"{name}.txt"))


def rules(*names: str) -> dict[str, str]:
    """Return the sections of several files as the rules of one grammar.

    Raises ValueError as `sections` does, and for a rule that two of the files have.
    """
    merged: dict[str, str] = {}
    for name in names:
        found = sections(name)
        for twice in merged.keys() & found.keys():
            raise ValueError(
                f"expected each rule in one file, got {twice!r} in {name}.txt and in a file before "
                f"it ({', '.join(names)}): rename one of the two"
            )
        merged |= found
    return merged


def rows(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the words of each line.

    >>> rows("fox foxes\\ndeer deer")
    (('fox', 'foxes'), ('deer', 'deer'))
    """
    return tuple(tuple(line.split()) for line in text.splitlines())


@cache
def _read(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.txt")))
        raise ValueError(
            f"expected a text of the world, got {path.stem!r}: choose one of {known}"
        ) from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"expected {path.name} in UTF-8, got the byte {error.object[error.start]:#04x} at "
            f"offset {error.start}: save the file as UTF-8"
        ) from None
    found: dict[str, list[str]] = {}
    body: list[str] | None = None
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            continue
        if line.startswith("=="):
            name = line[2:].strip()
            if not name or name in found:
                what = f"{name!r} again" if name else "no name"
                raise ValueError(
                    f"expected a new name after == in {path.name}, line {number}, got {what}: "
                    "give each section a name of its own"
                )
            body = found[name] = []
        elif body is not None:
            body.append(line.rstrip())
        elif line.strip():
            raise ValueError(
                f"expected a section before the text in {path.name}, line {number}, got "
                f"{line.strip()[:40]!r}: begin it with a line == and a name"
            )
    texts = {name: "\n".join(body).strip("\n") for name, body in found.items()}
    empty = [name for name, text in texts.items() if not text]
    if empty or not texts:
        what = f"nothing under == {empty[0]}" if empty else "no line that begins with =="
        raise ValueError(f"expected sections with text in {path.name}, got {what}: write one there")
    return texts
