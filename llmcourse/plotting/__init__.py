"""Figures of the course: each function takes data and an optional `ax`, draws, returns the `ax`.

One style: axes named with their units, values written beside what they belong to, and nothing told
by colour alone (shades, hatches, line styles and markers differ, too), so a grey print reads as
well. Functions draw the data they get and compute nothing from it.
"""

from llmcourse.plotting.beams import beam_tree
from llmcourse.plotting.charts import (
    bars,
    costs,
    curves,
    distributions,
    histogram,
    ladder,
    steps,
    trials,
)
from llmcourse.plotting.words import alignment, evidence, predecessors, surprise, tokens, word_map

__all__ = [
    "alignment",
    "bars",
    "beam_tree",
    "costs",
    "curves",
    "distributions",
    "evidence",
    "histogram",
    "ladder",
    "predecessors",
    "steps",
    "surprise",
    "tokens",
    "trials",
    "word_map",
]
