"""Visible checks of unit 06: each names the mistake that has the value of the result.

unit: 06_rnn_lstm
"""

from llmcourse.checks.u06_backward import bptt, clip_grad_norm
from llmcourse.checks.u06_cells import elman_step, gru_cell, jordan_step, lstm_cell
from llmcourse.checks.u06_models import SequenceClassifier, SequenceTagger, bidirectional

__all__ = [
    "SequenceClassifier", "SequenceTagger", "bidirectional", "bptt", "clip_grad_norm",
    "elman_step", "gru_cell", "jordan_step", "lstm_cell",
]  # fmt: skip
