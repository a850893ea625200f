"""Figures of the course: each function takes data and an optional `ax`, draws, returns the `ax`.

One quiet style: axes named with their units, values written where they are read, and nothing told
by colour alone (shades, hatches, line styles and markers differ too), so a grey print reads as
well. Nothing here computes what it shows.
"""

from llmcourse.plotting.charts import bars, curves, distributions, histogram, ladder, steps, trials
from llmcourse.plotting.words import alignment, evidence, predecessors, surprise, tokens, word_map

__all__ = [
    "alignment",
    "bars",
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
