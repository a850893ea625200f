"""Learning rates by step: a linear warm-up, then half a cosine, or a plateau and a line down.

A schedule is a function of the step, counted from 0, so a resumed run needs no state for it.

source: Loshchilov and Hutter 2017, arXiv:1608.03983 (cosine); Hagele et al. 2024, arXiv:2405.18392
(plateau and cool-down).
unit: 10_pretraining
"""

import math


def warmup_cosine(step: int, steps: int, warmup: int, lr: float, lr_min: float = 0.0) -> float:
    """Return the learning rate of a step, from 0: up to lr in `warmup` steps, then down to lr_min.

    The first step has lr / warmup, the last before the cosine lr. From `steps` on it stays lr_min:
    a cosine would rise again.

    >>> [warmup_cosine(step, 6, 2, 1.0) for step in (0, 1, 2, 4, 6, 9)]
    [0.5, 1.0, 1.0, 0.5, 0.0, 0.0]
    """
    if step < warmup:
        return lr * (step + 1) / warmup
    if step >= steps:
        return lr_min
    progress = (step - warmup) / (steps - warmup)  # 0 at the end of the warm-up, 1 at the end
    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * progress)) / 2


def trapezoid(
    step: int, steps: int, warmup: int, cooldown: int, lr: float, lr_min: float = 0.0
) -> float:
    """Return the learning rate of a step: up in `warmup` steps, flat, down in the last `cooldown`.

    Where both overlap, the lower one counts.

    >>> [trapezoid(step, 8, 2, 4, 1.0) for step in range(9)]
    [0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    up = (step + 1) / warmup if step < warmup else 1.0
    left = max(steps - step, 0)
    down = left / cooldown if left < cooldown else 1.0
    return lr_min + (lr - lr_min) * down if down < up else lr * up
