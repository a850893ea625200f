"""The training loop: from batches of ids and targets to changed parameters and a history.

A step: the summed loss of each micro-batch, backwards; the sums of gradients over all of them, and
over all processes, divided by the number of targets; clipping; the optimisers, at the learning rate
of the step. Then the next batches.

Left out: what batches are (`packing`), when to stop early, evaluation on the way, files (`resume`).

source: Pascanu et al. 2013, arXiv:1211.5063 (clipping); Micikevicius et al. 2018, arXiv:1710.03740
(mixed precision: parameters and sums in float32, products in a shorter format).
unit: 10_pretraining
"""

import math
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from tqdm import tqdm

from llmcourse.training.packing import IGNORED, Batch
from llmcourse.training.parallel import add_up, several, share_parameters

BAR = "{percentage:3.0f} %|{bar}| {n}/{total} steps, {remaining} left{postfix}"


class Record(NamedTuple):
    """What one step showed; plain numbers, so that a file of tensors holds them."""

    step: int  # from 0
    loss: float  # nats a target, before the step, mean over all targets of all micro-batches
    norm: float  # of the gradient, before clipping
    targets: int  # that counted
    factor: float  # of the schedule
    seconds: float  # that the step took


def train(
    model: nn.Module,
    batches: Iterable[Batch],
    optimizers: Sequence[Optimizer],
    steps: int,
    schedule: Callable[[int], float],
    *,
    micro_batches: int = 1,
    max_norm: float = 1.0,
    bf16: bool = False,
    forward: Callable[[Any], Any] | None = None,
    history: Sequence[Record] = (),
    after_step: Callable[[list[Record]], None] | None = None,
    progress: bool = False,
) -> list[Record]:
    """Train the model in place up to step number `steps`; return the history, one record a step.

    batches: ids and targets (B, T); a step takes `micro_batches` of them, whose gradients count as
    that of one large batch. Training ends before `steps` if they end. schedule: a factor by step,
    from 0; each group of each optimiser has its own learning rate times that.
    max_norm: longer gradients are scaled to this length. bf16: the products in bfloat16.
    forward: what computes the logits, by default the model (a compiled one has its parameters).
    history: of the steps that are done, in a resumed run. after_step: called with the history so
    far. progress: whether to show a bar with tokens a second and the time left.

    With several processes (`parallel`) each gets its own part of the batches, and all get the same
    history. Raises ValueError for a step without any target that counts, and as soon as the loss is
    not finite.
    """
    history, left = list(history), iter(batches)
    for group in (group for optimizer in optimizers for group in optimizer.param_groups):
        group.setdefault("initial_lr", group["lr"])  # a resumed run has it, and the last step's lr
    share_parameters(model)
    model.train()
    with _bar(len(history), steps, progress) as bar:
        for step in range(len(history), steps):
            started = time.perf_counter()
            factor = schedule(step)
            taken = islice(left, micro_batches)
            done = _step(model, taken, optimizers, factor, step, max_norm, bf16, forward or model)
            if done is None:
                break
            seconds = time.perf_counter() - started
            history.append(Record(step, *done, factor, seconds))
            rate = history[-1].targets / seconds
            bar.set_postfix_str(f"loss {done[0]:.3f}, {rate:,.0f} tokens/s", refresh=False)
            bar.update()
            if after_step is not None:
                after_step(history)
    return history


def summed_loss(logits: Float[Tensor, "B T V"], targets: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
    """Return the sum of -ln P(target) over all targets that count, in float32 or wider."""
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return F.cross_entropy(
        wide.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"
    )


def _bar(done: int, steps: int, progress: bool) -> tqdm:
    return tqdm(
        total=steps,
        initial=done,
        disable=not progress,
        bar_format=BAR,
        file=sys.stdout,
        dynamic_ncols=True,
    )


def _step(
    model: nn.Module,
    batches: Iterable[Batch],
    optimizers: Sequence[Optimizer],
    factor: float,
    step: int,
    max_norm: float,
    bf16: bool,
    forward: Callable[[Any], Any],
) -> tuple[float, float, int] | None:
    """Take one step; return mean loss, norm and number of targets, or None without any batch."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    device = parameters[0].device
    sums = torch.zeros(3, dtype=torch.float64, device=device)  # loss, targets, micro-batches
    for ids, targets in batches:
        ids, targets = ids.to(device), targets.to(device)
        sums[0] += _backward(forward, ids, targets, bf16)
        sums[1] += (targets != IGNORED).sum()
        sums[2] += 1
    add_up([sums])
    total, count, found = sums.tolist()
    if not found:  # the batches of all processes have come to an end
        return None
    loss = _checked(total, count, step)
    norm = _divide_and_clip(parameters, count, max_norm)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor
        optimizer.step()
        optimizer.zero_grad()
    return loss, norm, int(count)


def _backward(
    forward: Callable[[Any], Any], ids: Tensor, targets: Tensor, bf16: bool
) -> Float[Tensor, ""]:
    """Add the gradient of the summed loss to the parameters'; return the loss."""
    if not len(ids):  # another process has all rows of this batch
        return torch.zeros((), device=ids.device)
    # A region for each step: it keeps the cast parameters until it ends, and the step changes them.
    with torch.autocast(ids.device.type, torch.bfloat16, enabled=bf16):
        logits = forward(ids)
    loss = summed_loss(logits, targets)
    loss.backward()
    return loss.detach()


def _checked(total: float, count: float, step: int) -> float:
    """Return the mean loss, or raise ValueError where there is none."""
    if not count:
        raise ValueError(
            f"expected at least one target that counts, got none in step {step}: a mean over "
            "nothing is undefined, so leave such batches out"
        )
    if not math.isfinite(total):
        raise ValueError(
            f"expected a finite loss, got {total} in step {step}: lower the learning rate, or look "
            "for ids and parameters that are wrong"
        )
    return total / count


@torch.no_grad()
def _divide_and_clip(parameters: list[nn.Parameter], count: float, max_norm: float) -> float:
    """Add the gradients up over all processes, divide by count, clip; return the norm before it."""
    if several():
        for p in parameters:
            if p.grad is None:  # no row here
                p.grad = torch.zeros_like(p)
    grads = [p.grad for p in parameters if p.grad is not None]
    add_up(grads)
    # In float64: float32 has no number for the square of 2e19.
    norms = [torch.linalg.vector_norm(g, dtype=torch.float64) for g in grads]
    norm = float(torch.linalg.vector_norm(torch.stack(norms))) / count
    factor = min(1.0, max_norm / norm) if norm else 1.0
    for g in grads:
        g.mul_(factor / count)
    return norm
