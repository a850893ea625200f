"""token_view: what is shown is what the tokenizer does, in widgets and in the picture."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import pytest

from llmcourse.text import token_view
from llmcourse.text.tokenizers import train_bpe

TOKENIZER = train_bpe(["the the the cat"], 259, ["<|end|>"])  # merges: he, the


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_tokens_are_spelled_so_that_all_of_them_can_be_seen():
    shown = [token_view.spelled(token) for token in (b" a", b"\n\t", "é".encode(), b"\xc3")]
    assert shown == ["␣a", "⏎⇥", "é", "<0xC3>"]


def test_history_names_the_merges_that_made_a_token():
    (the,) = TOKENIZER.encode("the")
    assert token_view.history(TOKENIZER, the) == ["h + e = he (merge 0)", "t + he = the (merge 1)"]
    assert token_view.history(TOKENIZER, 3) == []
    assert token_view.history(TOKENIZER, TOKENIZER.special_ids["<|end|>"]) == []


def test_counts_are_of_tokens_characters_bytes_and_words():
    line = "5 tokens, 6 characters, 7 bytes, 2 words, 1.20 characters per token"
    assert token_view.counts(TOKENIZER, "the é\n") == line
    assert token_view.counts(TOKENIZER, "").startswith("0 tokens")


def test_markup_in_a_text_is_shown_and_not_obeyed():
    assert "<b>" not in token_view.coloured(TOKENIZER, "<b>x")
    assert token_view.coloured(TOKENIZER, "<b>x").count("<span") == 4


def test_picture_where_nobody_can_type(capsys, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    ax = token_view.show(TOKENIZER, "the cat")
    assert [text.get_text() for text in ax.texts] == ["the text (5 tokens)", "the", *"␣cat"]
    assert "t + he = the (merge 1)" in capsys.readouterr().out


def test_widgets_follow_the_text(monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "a notebook")
    displayed = []
    monkeypatch.setattr("IPython.display.display", displayed.append)
    view = token_view.show(TOKENIZER, "the")
    assert displayed == [view]
    box, told, drawn, token, made = view.children
    assert told.value.startswith("1 tokens") and "the</span>" in drawn.value
    assert made.value.endswith("t + he = the (merge 1)")
    box.value = "cat"
    assert drawn.value.count("<span") == 3 and made.value == "no merge: a single byte"
    assert [label.split(": ")[1] for label, _ in token.options] == list("cat")
    box.value = ""
    assert told.value.startswith("0 tokens") and token.value is None
