"""Visible checks of unit 10: each names the mistake that has the value of the result.

unit: 10_pretraining
"""

from llmcourse.checks.u10_data import get_batch, pack_documents
from llmcourse.checks.u10_impostors import test_train_step
from llmcourse.checks.u10_optimizer import adamw_step, warmup_cosine
from llmcourse.checks.u10_runs import Checkpoint, evaluate, flops_per_token, mfu
from llmcourse.checks.u10_step import train_step

__all__ = [
    "Checkpoint", "adamw_step", "evaluate", "flops_per_token", "get_batch", "mfu",
    "pack_documents", "test_train_step", "train_step", "warmup_cosine",
]  # fmt: skip
