"""What a cell showed, as nbformat outputs: collected inside the sandbox, cleaned outside it.

`Outputs` runs beside the learner's code and keeps what is shown, up to a number of bytes. Whatever
leaves the sandbox cannot be trusted, so `clean_outputs` builds it again: text, and pictures that
begin with the bytes of their kind; nothing that a browser would run. This file is copied beside the
runner, so it imports the standard library only.
"""

import base64
import binascii
import contextlib
from typing import Any

SIGNATURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
ITEM = 100  # bytes that an output takes beside its text
KEPT = 1_000  # outputs of one cell; to validate one takes a tenth of a millisecond or more
CUT = "\n[the rest of this cell's output was cut]\n"


class Outputs:
    """Outputs of one cell as nbformat dicts, up to a number of bytes."""

    def __init__(self, cap: int) -> None:
        self.items: list[dict[str, Any]] = []
        self.left = cap

    def fits(self, size: int) -> bool:
        """Take `size` from the budget and say whether it was there; if not, note it once."""
        fits, before = self.left >= size, self.left
        self.left = self.left - size if fits else -1
        if not fits and before >= 0:
            self.items.append({"output_type": "stream", "name": "stderr", "text": CUT})
        return fits

    def text(self, name: str, text: str) -> None:
        """Append to a stream; what is too long is kept up to the cap."""
        last = self.items[-1] if self.items else {}
        joined = last.get("name") == name and len(last.get("parts", ())) > 0
        if self.left < 0 or not text or not (joined or self.fits(ITEM)):
            return
        kept = text[: self.left]
        if joined:
            last["parts"].append(kept)
        else:
            self.items.append({"output_type": "stream", "name": name, "parts": [kept]})
        self.left -= len(kept)
        if len(kept) < len(text):
            self.left = 0
            self.fits(1)

    def add(self, kind: str, data: dict[str, Any], **more: Any) -> None:
        """Add a display or a result: its text and pictures, nothing that a browser would run."""
        kept: dict[str, str] = {}
        for mime, value in data.items():
            if mime in SIGNATURES and isinstance(value, bytes):
                value = base64.b64encode(value).decode()
            shown = mime in ("text/plain", *SIGNATURES) and isinstance(value, str)
            if shown and self.fits(ITEM + len(value)):
                kept[mime] = value
        if kept:
            self.items.append({"output_type": kind, "data": kept, "metadata": {}, **more})

    def error(self, name: str, message: str, lines: list[str]) -> None:
        """Add the traceback of an exception; a huge one loses its middle."""
        short = lines if len(lines) < 60 else [*lines[:30], "...", *lines[-30:]]
        short = [line[:2000] for line in short]
        if self.fits(sum(map(len, short))):
            about = {"ename": name[:200], "evalue": message[:2000], "traceback": short}
            self.items.append({"output_type": "error", **about})

    def finish(self) -> list[dict[str, Any]]:
        """Return the outputs, streams joined."""
        for item in self.items:
            if "parts" in item:
                item["text"] = "".join(item.pop("parts"))
        return self.items


# Outside


def clean_outputs(claimed: Any, cap: int) -> list[dict[str, Any]]:
    """Return the text and the PNG or JPEG pictures of outputs, up to `cap` characters in all."""
    kept: list[dict[str, Any]] = []
    for output in claimed if type(claimed) is list else []:
        clean = _clean_output(output) if type(output) is dict else None
        if clean is None:
            continue
        cap -= sum(len(str(value)) for value in clean.values())
        if cap < 0:
            break
        if len(kept) == KEPT:
            cut = f"[only the first {KEPT} outputs of this cell were kept]\n"
            kept.append({"output_type": "stream", "name": "stderr", "text": cut})
            break
        kept.append(clean)
    return kept


def _clean_output(output: dict[Any, Any]) -> dict[str, Any] | None:
    kind, name = (clean_text(output.get(key)) for key in ("output_type", "name"))
    if kind == "stream" and name in ("stdout", "stderr"):
        return {"output_type": "stream", "name": name, "text": clean_text(output.get("text"))}
    if kind == "error":
        trace = output.get("traceback")
        lines = [clean_text(line) for line in trace] if type(trace) is list else []
        about = {key: clean_text(output.get(key)) for key in ("ename", "evalue")}
        return {"output_type": "error", **about, "traceback": lines}
    if kind in ("display_data", "execute_result") and type(output.get("data")) is dict:
        data = {mime: value for mime, value in output["data"].items() if _is_shown(mime, value)}
        count = output.get("execution_count")
        result = (
            {"execution_count": count if type(count) is int else None}
            if kind == "execute_result"
            else {}
        )
        if "text/plain" in data:
            data["text/plain"] = clean_text(data["text/plain"])
        return {"output_type": kind, "data": data, "metadata": {}, **result} if data else None
    return None


def _is_shown(mime: Any, value: Any) -> bool:
    if type(mime) is not str or type(value) is not str:
        return False
    if mime in SIGNATURES:
        with contextlib.suppress(binascii.Error, ValueError):
            return base64.b64decode(value, validate=True).startswith(SIGNATURES[mime])
    return mime == "text/plain"


def clean_text(value: Any) -> str:
    """Return a text that any file can hold: no lone surrogate; empty for what is no text."""
    return value.encode("utf-8", "replace").decode() if type(value) is str else ""
