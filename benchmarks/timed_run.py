"""A training run on tiny Shakespeare with a clock that counts the steps and not the evaluations.

The loss is the mean over the whole validation split, the last tenth of the text, cut into windows
of the model's own context that do not overlap.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from llmcourse.text import corpora
from llmcourse.training.evaluation import evaluate, token_losses
from llmcourse.training.packing import windows


def update(
    model: nn.Module,
    batch: tuple[Tensor, Tensor],
    optimizers: list[Optimizer],
    bf16: bool,
    max_norm: float | None = None,
) -> None:
    """One training step."""
    ids, targets = batch
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        logits = model(ids)
    F.cross_entropy(logits.float().flatten(0, 1), targets.flatten()).backward()
    if max_norm is not None:
        nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()


@dataclass
class Run:
    """A run that has not begun: a model, what makes step n, and how it is judged."""

    model: nn.Module
    step: Callable[[int], None]
    context: int
    steps: int
    bf16: bool

    def loss(self, held_out: Tensor) -> float:
        """Nats a character of the whole split."""
        losses = token_losses(self.model, self.bf16)
        rows = 8192 // self.context  # in a batch
        return evaluate(losses, *windows(held_out, self.context), rows) * math.log(2)

    def losses(
        self, held_out: Tensor, looks: tuple[int, ...]
    ) -> Iterator[tuple[int, float, float, float]]:
        """Train; yield steps done, wall and processor seconds of training, the loss at `looks`."""
        wall = processor = 0.0
        for number in range(self.steps):
            start = time.perf_counter(), time.process_time()
            self.step(number)
            wall += time.perf_counter() - start[0]
            processor += time.process_time() - start[1]
            if number + 1 in looks:
                yield number + 1, wall, processor, self.loss(held_out)


def data() -> tuple[Tensor, Tensor, int]:
    """The ids of the text and of its last tenth, and the number of different characters."""
    text = corpora.text("tinyshakespeare")
    ids = {character: i for i, character in enumerate(sorted(set(text)))}
    train, held_out = (torch.tensor([ids[c] for c in part]) for part in corpora.split(text))
    return train, held_out, len(ids)
