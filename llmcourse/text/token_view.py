"""See how a tokenizer cuts a text: coloured tokens, counts, and the merges that made a token.

`show(tokenizer, "some text")` is a text box with its tokens below, in JupyterLab and other
notebook servers; where nobody can type (papermill, the grader, a script) it is a picture of the
same text. The parts are plain functions of a tokenizer and a text.

unit: 03_tokenization
"""

from __future__ import annotations

import html
import os
from typing import TYPE_CHECKING, Any

from llmcourse import plotting
from llmcourse.arguments import utf8
from llmcourse.plotting.style import SHADES
from llmcourse.text.tokenizers import Tokenizer

if TYPE_CHECKING:
    import ipywidgets

COLOURS = (SHADES[3], SHADES[2])  # light and dark in turn, told apart in greyscale


def spelled(token: bytes) -> str:
    """Spell a token: a space is ␣, a line feed ⏎, a tab ⇥, a byte that is no text <0xHH>."""
    try:
        text = token.decode()
    except UnicodeDecodeError:
        return "".join(f"<0x{byte:02X}>" for byte in token)
    return text.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥")


def pieces(tokenizer: Tokenizer, text: str) -> list[str]:
    """Return the tokens of a text, spelled to look at."""
    return [spelled(tokenizer.tokens[i]) for i in tokenizer.encode(text)]


def history(tokenizer: Tokenizer, token_id: int) -> list[str]:
    """Return the merges that made a token, first to last, as lines `t + h = th (merge 3)`.

    Merges count from 0. Empty for a byte and for a special token. Raises IndexError for an id that
    does not exist.
    """
    made = tokenizer.merge_of(token_id)
    if made is None:
        return []
    rank, *parts = made
    before = [line for part in parts for line in history(tokenizer, part)]
    first, second, both = (spelled(tokenizer.tokens[i]) for i in (*parts, token_id))
    return list(dict.fromkeys([*before, f"{first} + {second} = {both} (merge {rank})"]))


def counts(tokenizer: Tokenizer, text: str) -> str:
    """Return one line: tokens, characters, bytes, words, and characters per token."""
    n = len(tokenizer.encode(text))
    size = f"{n} tokens, {len(text)} characters, {len(utf8(text))} bytes"
    each = f", {len(text) / n:.2f} characters per token" if n else ""
    return f"{size}, {len(text.split())} words{each}"


def coloured(tokenizer: Tokenizer, text: str) -> str:
    """Return HTML with one box a token; its id shows when the mouse is over it."""
    boxes = []
    for i, token_id in enumerate(tokenizer.encode(text)):
        label = html.escape(spelled(tokenizer.tokens[token_id]))
        colour = COLOURS[i % len(COLOURS)]
        style = f"background:{colour};color:#222;border:1px solid #888;padding:1px 2px"
        boxes.append(f'<span title="id {token_id}" style="{style}">{label}</span>')
    return f'<div style="font-family:monospace;line-height:1.9">{"".join(boxes)}</div>'


def show(tokenizer: Tokenizer, text: str, interactive: bool | None = None) -> Any:
    """Display the view of a text and return it: an ipywidgets box or the axes of a picture.

    End the cell with a semicolon; without it the returned value is shown as well.

    interactive: None decides by the environment: notebook servers set JPY_SESSION_NAME for their
    kernels, papermill and the grader do not.
    """
    if interactive is None:
        interactive = "JPY_SESSION_NAME" in os.environ
    if not interactive:
        return _picture(tokenizer, text)
    from IPython.display import display

    box = _widgets(tokenizer, text)
    display(box)
    return box


def _picture(tokenizer: Tokenizer, text: str) -> Any:
    print(counts(tokenizer, text))
    ids = tokenizer.encode(text)
    longest = max(ids, key=lambda i: len(tokenizer.tokens[i]), default=0)
    if history(tokenizer, longest):
        print("its longest token was made by", ", ".join(history(tokenizer, longest)))
    return plotting.tokens({"the text": pieces(tokenizer, text)})


def _widgets(tokenizer: Tokenizer, text: str) -> ipywidgets.VBox:
    import ipywidgets

    box = ipywidgets.Textarea(value=text, layout=ipywidgets.Layout(width="95%", height="5em"))
    drawn, told, made = ipywidgets.HTML(), ipywidgets.Label(), ipywidgets.HTML()
    token = ipywidgets.Dropdown(description="made by:")

    def retell(_: Any = None) -> None:
        lines = [] if token.value is None else history(tokenizer, token.value)
        made.value = "<br>".join(map(html.escape, lines)) or "no merge: a single byte"

    def redraw(_: Any = None) -> None:
        ids = tokenizer.encode(box.value)
        drawn.value, told.value = coloured(tokenizer, box.value), counts(tokenizer, box.value)
        token.options = [(f"{i}: {spelled(tokenizer.tokens[i])}", i) for i in dict.fromkeys(ids)]
        token.value = max(ids, key=lambda i: len(tokenizer.tokens[i]), default=None)
        retell()

    box.observe(redraw, "value")
    token.observe(retell, "value")
    redraw()
    return ipywidgets.VBox([box, told, drawn, token, made])
