"""The view of attention: a picture of all heads, or two menus and the map of one."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from llmcourse.plotting import attention_view

TOKENS = ["a", "b", "a"]
MAPS = {f"layer {n}": np.random.default_rng(n).dirichlet(np.ones(3), (2, 3)) for n in range(2)}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def drawn(ax):
    return np.asarray(ax.images[0].get_array())


def test_the_picture_has_a_map_for_each_head_in_the_order_of_the_layers():
    axes = attention_view.show(TOKENS, MAPS, interactive=False)
    assert [ax.get_title() for ax in axes] == [
        f"layer {n}, head {h}" for n in range(2) for h in range(2)
    ]
    for ax, weights in zip(axes, np.concatenate(list(MAPS.values())), strict=True):
        np.testing.assert_array_equal(drawn(ax), weights)
        assert [label.get_text() for label in ax.get_xticklabels()] == TOKENS


def test_layers_may_have_different_numbers_of_heads():
    axes = attention_view.picture(TOKENS, {"one": MAPS["layer 0"][:1], "two": MAPS["layer 1"]})
    assert len(axes) == 3


def test_without_a_server_the_picture_is_drawn(monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert len(attention_view.show(TOKENS, MAPS)) == 4


def test_the_menus_choose_layer_and_head():
    box = attention_view.show(TOKENS, MAPS, interactive=True)
    layer, head = box.children[0].children
    assert list(layer.options) == list(MAPS)
    layer.value, head.value = "layer 1", 1
    assert head.options == (0, 1)
