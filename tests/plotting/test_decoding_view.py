"""The view of a sampler's settings and the tree of a beam search."""

import matplotlib

matplotlib.use("agg")

import math

import matplotlib.pyplot as plt
import pytest

from llmcourse import plotting
from llmcourse.plotting import decoding_view

WORDS = ["a", "b", "c"]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def odds(temperature, k, p):
    return [0.5, 0.5 - temperature / 10, 0.0 if k or p < 1 else 0.1]


def widths(ax):
    return [bar.get_width() for bar in ax.patches]


def test_the_picture_has_one_panel_for_each_setting():
    axes = decoding_view.show(WORDS, odds, interactive=False)
    assert [widths(ax) for ax in axes] == [odds(*setting) for setting in decoding_view.SHOWN]
    assert [ax.get_title() for ax in axes] == [decoding_view.named(*s) for s in decoding_view.SHOWN]
    assert all(ax.yaxis_inverted() for ax in axes)
    assert len({ax.get_xlim() for ax in axes}) == 1


def test_a_word_that_is_never_drawn_says_so():
    ax = decoding_view.one(WORDS, odds, 1.0, 2, 1.0)
    assert [text.get_text() for text in ax.texts] == ["0.50", "0.40", "never"]


def test_without_a_server_the_picture_is_drawn(monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert len(decoding_view.show(WORDS, odds)) == len(decoding_view.SHOWN)


def test_the_sliders_change_the_setting():
    asked = []

    def noted(*setting):
        asked.append(setting)
        return odds(*setting)

    box = decoding_view.show(WORDS, noted, interactive=True)
    temperature, k, p, _ = box.children
    temperature.value, k.value, p.value = 0.5, 2, 0.8
    assert asked == [(1.0, 0, 1.0), (0.5, 0, 1.0), (0.5, 2, 1.0), (0.5, 2, 0.8)]


def test_the_tree_has_a_node_for_each_candidate_and_marks_the_best():
    steps = [
        {("a",): math.log(0.6), ("b",): math.log(0.4)},
        {("a", "x"): math.log(0.3), ("b", "x"): math.log(0.36)},
    ]
    ax = plotting.beam_tree(steps, [("a",), ("b",), ("b", "x")], ("b", "x"), "start")
    labels = [text.get_text() for text in ax.texts]
    assert labels == ["start", "a  -0.51", "b  -0.92", "x  -1.20", "x  -1.02"]
    filled = [text.get_bbox_patch().get_facecolor() for text in ax.texts]
    assert filled[2] == filled[4] != filled[1] == filled[3] == filled[0]
