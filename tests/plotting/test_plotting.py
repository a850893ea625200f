"""llmcourse.plotting: what is drawn is what was given, on the axes given, with names and units."""

import math
import warnings

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import pytest
from matplotlib.path import Path

from llmcourse import plotting
from llmcourse.runtime import LadderRow

ROWS = [
    LadderRow("uniform", 6.0, 0, 0, 0.0, "a text"),
    LadderRow("unigram", 4.8, 65, 1_000, 0.1, "a text"),
]
DRAWN = {
    "bars": lambda ax: plotting.bars({"one": 1.25, "two": 2.0}, "bits per token", ax=ax),
    "distributions": lambda ax: plotting.distributions(
        {"T = 1": {"a": 0.7, "b": 0.3}, "T = 2": {"a": 0.6, "b": 0.4}}, ax=ax
    ),
    "histogram": lambda ax: plotting.histogram(
        [0, 5, 10, 20], [0, 10, 20], "points", "students", marks={"mean": 8.75}, ax=ax
    ),
    "surprise": lambda ax: plotting.surprise(["the", "cat", "the"], [1.0, 3.0, 0.0], ax=ax),
    "curves": lambda ax: plotting.curves(
        [0.1, 1, 10], {"one": [1, 2, 3], "two": [3, 2, 1]}, "T", "bits", levels={"top": 3}, ax=ax
    ),
    "ladder": lambda ax: plotting.ladder(ROWS, ax=ax),
    "costs": lambda ax: plotting.costs(ROWS, ax=ax),
    "evidence": lambda ax: plotting.evidence([0.5, -0.5, 0.1], [3.0, 2.0, -1.0], ax=ax),
    "steps": lambda ax: plotting.steps([1, 2, 3], {"one": [9, 5, 4]}, "n", "bits", ax=ax),
    "predecessors": lambda ax: plotting.predecessors(
        {"a": 9, "b": 4}, {"a": 3, "b": 1}, ["b"], ax=ax
    ),
    "word_map": lambda ax: plotting.word_map(
        {"cat": (0, 1), "dog": (1, 0), "cart": (2, 2)},
        {"animals": ["cat", "dog"], "things": ["cart"]},
        arrows=[("cat", "dog")],
        ax=ax,
    ),
    "alignment": lambda ax: plotting.alignment(
        ["the", "cat", "slept"], ["felka", "tis"], [[0.1, 0.9, 0.0], [1.0, 0.0, 0.0]], ax=ax
    ),
    "trials": lambda ax: plotting.trials(
        {"grid": [(0.1, 8.0, 2.0), (1.0, 8.0, float("nan"))], "random": [(0.3, 9.0, 1.5)]},
        "learning rate",
        "bits",
        ax=ax,
    ),
}


@pytest.fixture(autouse=True)
def close_figures():
    plt.close("all")  # what tests of other files left open
    yield
    plt.close("all")


@pytest.mark.parametrize("name", DRAWN)
def test_draws_on_the_given_axes_and_returns_them(name):
    _, ax = plt.subplots()
    assert DRAWN[name](ax) is ax
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("name", DRAWN)
def test_makes_its_own_figure_without_axes_and_names_a_quantity(name):
    ax = DRAWN[name](None)
    assert ax.get_xlabel() or ax.get_ylabel()
    assert not ax.get_title()
    ax.figure.canvas.draw()


def test_bars_are_as_long_as_their_values_first_on_top():
    ax = DRAWN["bars"](None)
    assert [bar.get_width() for bar in ax.patches] == [1.25, 2.0]
    assert [text.get_text() for text in ax.texts] == ["1.25", "2.00"]
    assert ax.yaxis_inverted()


def test_distributions_differ_by_hatch_and_shade():
    ax = DRAWN["distributions"](None)
    assert [bar.get_height() for bar in ax.patches] == [0.7, 0.3, 0.6, 0.4]
    first, second = ax.patches[0], ax.patches[2]
    assert first.get_hatch() != second.get_hatch()
    assert first.get_facecolor() != second.get_facecolor()


def test_histogram_counts_an_edge_to_the_right_and_the_last_one_to_the_last_bar():
    ax = DRAWN["histogram"](None)
    assert [bar.get_height() for bar in ax.patches] == [2, 2]
    assert [text.get_text() for text in ax.texts] == ["2", "2"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("points", "students")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["mean"]


def test_surprise_keeps_repeated_tokens_in_reading_order():
    ax = DRAWN["surprise"](None)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["the", "cat", "the"]
    assert [bar.get_height() for bar in ax.patches] == [1.0, 3.0, 0.0]


def test_curves_differ_by_line_style():
    one, two, _ = DRAWN["curves"](None).get_lines()
    assert one.get_linestyle() != two.get_linestyle()


def test_curves_on_a_log_axis_are_labelled_with_plain_numbers():
    ax = plotting.curves([0.1, 1, 10], {"one": [1, 2, 3]}, "T", "bits", log_x=True)
    ax.figure.canvas.draw()
    assert {"0.1", "1", "10"} <= {tick.get_text() for tick in ax.get_xticklabels()}


def test_ladder_tells_the_text_the_unit_and_what_was_learned():
    ax = plotting.ladder(ROWS)
    assert "bits per character" in ax.get_xlabel()
    assert "a text" in ax.get_xlabel()
    shown = " ".join(text.get_text() for text in ax.texts)
    assert "6.000  (nothing learned)" in shown
    assert "4.800  (65 parameters)" in shown
    with pytest.raises(ValueError, match="at least one row"):
        plotting.ladder([])


def test_costs_tell_counting_from_networks_by_marker_and_leave_out_what_took_no_time():
    network = LadderRow("decoder", 2.5, 9_000, 1_000, 20.0, "a text")
    ax = plotting.costs([*ROWS, network])
    assert [text.get_text() for text in ax.texts] == ["decoder", "unigram"]
    points = [tuple(scatter.get_offsets()[0]) for scatter in ax.collections]
    assert points == [(20.0, 2.5), (0.1, 4.8)]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["networks", "counting"]


def test_evidence_counts_what_the_sum_decides():
    ax = DRAWN["evidence"](None)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["decoded as the right text (2)", "decoded as the other (1)"]
    with pytest.raises(ValueError, match="got 2 and 1"):
        plotting.evidence([1.0, 2.0], [1.0])


def test_alignment_has_a_row_for_each_target_token_and_a_column_for_each_source_token():
    ax = DRAWN["alignment"](None)
    (image,) = ax.images
    assert image.get_array().tolist() == [[0.1, 0.9, 0.0], [1.0, 0.0, 0.0]]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["the", "cat", "slept"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["felka", "tis"]


def test_predecessors_leaves_out_words_that_nothing_comes_before():
    ax = plotting.predecessors({"a": 9, "b": 4, "c": 2}, {"a": 3, "b": 1}, ["b"])
    points, named = ax.collections
    assert points.get_offsets().tolist() == [[9, 3], [4, 1]]
    assert named.get_offsets().tolist() == [[4, 1]]


def test_trials_put_diverged_runs_on_the_upper_edge_in_the_shade_of_their_search():
    ax = DRAWN["trials"](None)
    done, lost, other = ax.collections
    assert done.get_offsets().tolist() == [[0.1, 2.0]]
    assert other.get_offsets().tolist() == [[0.3, 1.5]]
    ((x, y),) = lost.get_offsets().tolist()
    assert x == 1.0 and y > 2.0
    assert lost.get_facecolor().tolist() == done.get_facecolor().tolist()
    assert lost.get_facecolor().tolist() != other.get_facecolor().tolist()
    shown = [text.get_text() for text in ax.get_legend().get_texts()]
    assert shown == ["grid", "grid, diverged", "random"]


def test_trials_tell_the_diverged_runs_of_two_searches_apart_without_colour():
    lost = [(1.0, 8.0, float("nan"))]
    ax = plotting.trials({"a": [(0.1, 8.0, 2.0), *lost], "b": [(0.2, 8.0, 2.0), *lost]}, "x", "y")
    _, first, _, second = ax.collections
    assert first.get_paths()[0].vertices.tolist() != second.get_paths()[0].vertices.tolist()


def test_tokens_are_boxes_in_order_that_wrap_and_differ_from_their_neighbours():
    ax = plotting.tokens({"words": ["the", "cat"], "pieces": ["th", "e", "c", "at"]}, width=8)
    assert [text.get_text() for text in ax.texts] == [
        *("words (2 tokens)", "the", "cat"),
        *("pieces (4 tokens)", "th", "e", "c", "at"),
    ]
    assert len({patch.get_y() for patch in ax.patches}) == 3  # the, cat | th, e, c | at
    assert ax.patches[0].get_facecolor() != ax.patches[1].get_facecolor()
    with pytest.raises(ValueError, match="at least one row"):
        plotting.tokens({})


def test_tokens_that_the_font_lacks_are_code_points():
    ax = plotting.tokens({"emoji": ["\U0001f642", "猫é"]})
    assert [text.get_text() for text in ax.texts[1:]] == ["U+1F642", "U+732Bé"]
    ax.figure.canvas.draw()


def test_word_map_writes_each_word_at_its_place_and_draws_the_arrows():
    ax = DRAWN["word_map"](None)
    written = {text.get_text(): text.xy for text in ax.texts if text.get_text()}
    assert written == {"cat": (0, 1), "dog": (1, 0), "cart": (2, 2)}
    (arrow,) = [text for text in ax.texts if not text.get_text()]
    assert (arrow.xyann, arrow.xy) == ((0, 1), (1, 0))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["animals", "things"]


def test_word_map_writes_over_no_marker_and_no_other_word():
    places = {"north": (0.0, 0.01), "east": (0.01, 0.0), "west": (-0.01, 0.0), "far": (1.0, 1.0)}
    ax = plotting.word_map(places, {"points": list(places)})
    ax.figure.canvas.draw()
    boxes = {text.get_text(): text.get_window_extent() for text in ax.texts}
    assert {"north", "far"} <= set(boxes)
    for word, box in boxes.items():
        assert not any(box.overlaps(other) for name, other in boxes.items() if name != word)
        assert not any(box.contains(*ax.transData.transform(place)) for place in places.values())


def test_word_map_has_one_scale_and_writes_beside_arrows_not_on_them():
    places = {"from": (0.0, 0.0), "to": (1.0, 0.0), "low": (0.5, -0.1), "high": (0.9, 0.4)}
    groups = {"all": list(places)}
    ax = plotting.word_map(places, groups, arrows=[("from", "to"), ("low", "high")])
    ax.figure.canvas.draw()
    across, up = ax.transData.transform((1, 1)) - ax.transData.transform((0, 0))
    assert across == pytest.approx(up)
    boxes = {text.get_text(): text.get_window_extent() for text in ax.texts if text.get_text()}
    assert set(boxes) == set(places)
    for start, end in (("from", "to"), ("low", "high")):
        line = Path(ax.transData.transform([places[start], places[end]]))
        assert not any(line.intersects_bbox(box, filled=False) for box in boxes.values())
    assert boxes["from"].x1 < ax.transData.transform((0, 0))[0]


def test_curves_tell_levels_apart_by_line_style():
    ax = plotting.curves([1, 2], {"a": [1, 2]}, "step", "bits", levels={"one": 1, "two": 2})
    assert len({line.get_linestyle() for line in ax.lines}) == 3


NONE = {
    "distributions": lambda: plotting.distributions({}),
    "trials": lambda: plotting.trials({"random": []}, "x", "y"),
    "ladder": lambda: plotting.ladder([]),
    "costs": lambda: plotting.costs(ROWS[:1]),
    "predecessors": lambda: plotting.predecessors({"a": 1}, {}, []),
    "alignment": lambda: plotting.alignment([], [], []),
    "word_map": lambda: plotting.word_map({}, {}),
    "tokens": lambda: plotting.tokens({}),
}


@pytest.mark.parametrize("name", NONE)
def test_nothing_to_draw_is_one_clear_line(name):
    with pytest.raises(ValueError, match=r"expected .*, got none"):
        NONE[name]()


SMALLEST = {
    "bars": lambda: plotting.bars({}, "q"),
    "histogram": lambda: plotting.histogram([], [0, 1], "q", "c"),
    "curves": lambda: plotting.curves([], {"a": []}, "x", "y", log_x=True),
    "steps": lambda: plotting.steps([], {}, "x", "y", level=("level", 1.0)),
    "trials, all diverged": lambda: plotting.trials({"r": [(1, 2, math.nan)]}, "x", "y"),
    "trials, one search diverged": lambda: plotting.trials(
        {"r": [(1, 2, 0.5)], "s": [(1, 2, math.nan)]}, "x", "y"
    ),
    "surprise": lambda: plotting.surprise([], []),
    "evidence": lambda: plotting.evidence([], []),
    "evidence of nothing": lambda: plotting.evidence([0.0], [0.0]),
    "tokens": lambda: plotting.tokens({"an empty text": []}),
}


@pytest.mark.parametrize("name", SMALLEST)
def test_the_smallest_data_are_drawn_without_a_warning(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SMALLEST[name]().figure.draw_without_rendering()
