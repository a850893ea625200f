"""Helper package of the course "Language models, from counting to an aligned assistant".

One concept a module; importing has no effects. One key of dimensions holds everywhere:
B batch, T time (queries), S source (keys), C model width, H heads, D head width,
F feed-forward width, V vocabulary, R rank, G group.

A module that belongs to a unit names it in the last line of its docstring (`unit: 02_ngrams`).
While unit N is graded, only modules of earlier units and the few that hold no answer
(`autograder.sandbox.view.SHARED`) are beside the submission; the others can be imported, and do
nothing.
"""

__version__ = "0.1.0"
