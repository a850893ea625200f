"""How good a model is: bits per token and per character, and how far from the best possible.

A loss function takes ids and targets (B, T) and returns -ln P(target) of each, (B, T).
`token_losses` makes one from a model.

unit: 10_pretraining
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.training.packing import IGNORED

Losses = Callable[[Any, Any], Any]


def token_losses(model: nn.Module, bf16: bool = False) -> Losses:
    """Return the loss function of a model: without gradients, and with dropout off.

    The model is in the mode in which it was, after each call. bf16: the products in bfloat16.
    """

    @torch.no_grad()
    def losses(ids: Int[Tensor, "B T"], targets: Int[Tensor, "B T"]) -> Float[Tensor, "B T"]:
        device, training = next(model.parameters()).device, model.training
        model.eval()
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            logits = model(ids.to(device))
        model.train(training)
        wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
        flat = targets.to(device).flatten()
        return F.cross_entropy(
            wide.flatten(0, 1), flat, ignore_index=IGNORED, reduction="none"
        ).view(targets.shape)

    return losses


def evaluate(
    losses: Losses,
    ids: Shaped[Tensor, "N T"],
    targets: Shaped[Tensor, "N T"],
    batch_size: int,
) -> float:
    """Return the bits per token: the mean over all targets that count, in batches of rows.

    Every row counts once, and targets of IGNORED do not count. Raises ValueError without targets.
    """
    parts = (slice(i, i + batch_size) for i in range(0, len(ids), batch_size))
    return mean_bits(losses, ((ids[part], targets[part]) for part in parts))


def mean_bits(losses: Losses, batches: Iterable[Any]) -> float:
    """Return the bits per token over batches of any shape (B, T); sums are taken in float64.

    `world.whole_batches` gives uncut documents, for which the mean is comparable with
    `world.entropy_rate`.
    """
    total, count = 0.0, 0
    for ids, targets in batches:
        ids, targets = torch.as_tensor(ids), torch.as_tensor(targets)
        counts = targets != IGNORED
        # Picked, not multiplied by 0: at padding a loss may be nan.
        found = torch.as_tensor(losses(ids, targets)).to(targets.device)[counts]
        total += float(found.double().sum())
        count += int(counts.sum())
    if not count:
        raise ValueError(
            "expected at least one target that counts, got none: a mean over nothing is undefined"
        )
    return total / count / math.log(2)


def bits_per_character(bits_per_token: float, tokens: int, characters: int) -> float:
    """Return bits per character of a text, given the bits per token and how many it has of both.

    It compares models with different tokenizers.

    >>> bits_per_character(4.0, tokens=10, characters=40)
    1.0
    """
    return bits_per_token * tokens / characters


def gap_closed(bits: float, before: float, floor: float) -> float:
    """Return the fraction of the gap between another model and the floor that a model has closed.

    before: the other model's bits. floor: the best possible (`world.entropy_rate`); 1 is reached
    there. Raises ValueError where there is no gap.

    >>> gap_closed(2.5, before=4.0, floor=2.0)
    0.75
    """
    if not before > floor:
        raise ValueError(
            f"expected a model above the floor of {floor}, got {before}: compare with a worse one"
        )
    return (before - bits) / (before - floor)
