"""Check arguments that fail in silence: a string for a list, ids that wrap, broken characters.

Python takes a string for a list of characters, and an index of -1 for the last row. Where neither
can be meant, these functions raise one line: expected, got, remedy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def shown(value: Any) -> str:
    """Return the value as Python writes it, in one line of at most 40 characters."""
    written = " ".join(repr(value).split())
    return written if len(written) <= 40 else f"{written[:36]} ..."


def no_string(value: Any, expected: str, remedy: str) -> None:
    """Raise TypeError for a string or bytes, which would be taken for a list of characters."""
    if isinstance(value, str | bytes):
        raise TypeError(f"expected {expected}, got the string {shown(value)}: {remedy}")


def a_string(value: Any, expected: str = "a text") -> None:
    """Raise TypeError for anything but a string."""
    if not isinstance(value, str):
        kind = type(value).__name__
        raise TypeError(f"expected {expected} as one string, got {kind} {shown(value)}: join it")


def utf8(text: str) -> bytes:
    """Return the bytes of a text. Raises ValueError for half of a surrogate pair, which has none.

    Such a half comes from files read with `errors="surrogateescape"` and from "\\ud83d" in JSON.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"expected a text of whole characters, got the lone surrogate "
            f"{text[error.start]!r} in {shown(text)}: clean it first with "
            "text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        ) from None


def ids_of(
    ids: Any, size: int | None = None, what: str = "ids", *, row: bool = False
) -> np.ndarray:
    """Return the ids as an int64 array, each from 0 to size - 1 (None: no end), of any shape.

    row: whether the array must have one dimension.

    Raises TypeError for what is no integer and ValueError for an id out of range: a negative one
    would count from the end.
    """
    import numpy as np

    end = " on" if size is None else f" to {size - 1}"
    expected = f"expected {what} from 0{end}"
    no_string(ids, f"a list of {what}", "encode the text first")
    array = np.asarray(ids)
    if array.size and array.dtype.kind not in "biu":
        raise TypeError(
            f"{expected}, got {shown(array.ravel().tolist()[0])}: encode the tokens first"
        )
    array = array.astype(np.int64, copy=False)
    low, high = (array.min(), array.max()) if array.size else (0, -1)
    if low < 0 or (size is not None and high >= size):
        wrong = int(low if low < 0 else high)
        raise ValueError(f"{expected}, got {wrong}: were they made with another vocabulary?")
    if row and array.ndim != 1:
        raise ValueError(f"expected a row of {what}, got the shape {array.shape}: flatten it")
    return array
