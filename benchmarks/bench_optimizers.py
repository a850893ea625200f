"""Steps of AdamW and Muon against torch's own, on the parameters of a decoder of 4 x 128.

Run: python -m benchmarks.bench_optimizers. Ours and torch's take turns on equal parameters and
gradients. Muon: `torch.optim.Muon` on the same matrices; in one row the fused matrix of q, k and v
is one for both, in the other it is cut, for torch by separate parameters. Both take the products in
bfloat16. Must take no more time.
"""

import statistics
import time

import torch
from torch import nn

from benchmarks.bench_decoder import RECIPE
from llmcourse.models.transformer import Decoder
from llmcourse.training.optimizers import Muon, adamw, matrices

PAIRS, STEPS = 7, 20
GOAL = 1.0
TIE = 1.05  # AdamW is torch's own kernel: its ratio is 1 but for noise


def copies(params: list[nn.Parameter]) -> list[nn.Parameter]:
    """The same values and random gradients, in parameters of their own."""
    random = torch.Generator().manual_seed(0)
    made = []
    for p in params:
        copy = nn.Parameter(p.detach().clone())
        copy.grad = torch.randn(p.shape, generator=random)
        made.append(copy)
    return made


def cut(groups: list[dict]) -> list[nn.Parameter]:
    """The maps of all matrices, each a parameter."""
    return [
        nn.Parameter(part.detach().clone())
        for group in groups
        for p in group["params"]
        for part in p.split(group["rows"] or (len(p),))
    ]


def pairs() -> dict[str, tuple[torch.optim.Optimizer, torch.optim.Optimizer]]:
    """Ours and torch's optimiser by the name of the row."""
    torch.manual_seed(0)
    model = Decoder(RECIPE)
    every = list(model.parameters())
    groups = matrices(model)
    inside = [p for group in groups for p in group["params"]]
    copied = copies(every)
    ours = [{**group, "params": copies(group["params"])} for group in groups]
    return {
        "AdamW": (
            adamw(copies(every), 1e-3),
            torch.optim.AdamW(
                [
                    {"params": [p for p in copied if p.dim() > 1], "weight_decay": 0.1},
                    {"params": [p for p in copied if p.dim() < 2], "weight_decay": 0.0},
                ],
                1e-3,
                (0.9, 0.95),
                fused=True,
            ),
        ),
        "Muon, q k v in one": (Muon(copies(inside)), torch.optim.Muon(copies(inside))),
        "Muon, q k v cut": (Muon(ours), torch.optim.Muon(copies(cut(groups)))),
    }


def milliseconds(optimizer: torch.optim.Optimizer) -> float:
    """Of a step, the median of STEPS."""
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        optimizer.step()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def main() -> None:
    """Print the table; exit 1 if a goal is missed."""
    threads = torch.get_num_threads()
    print(f"a step, decoder of 4 x 128, {threads} threads, medians of {PAIRS} pairs run in turn")
    print(f"{'':24s}{'ours ms':>8s}{'torch ms':>10s}{'ratio':>8s}   (spread)")
    missed = False
    for name, (ours, theirs) in pairs().items():
        for optimizer in (ours, theirs):
            milliseconds(optimizer)
        took = [(milliseconds(ours), milliseconds(theirs)) for _ in range(PAIRS)]
        ratios = [mine / its for mine, its in took]
        mine, its = (statistics.median(times) for times in zip(*took, strict=True))
        ratio = statistics.median(ratios)
        goal = TIE if name == "AdamW" else GOAL
        missed |= ratio > goal
        spread = f"({min(ratios):.2f} to {max(ratios):.2f}; must reach {goal})"
        print(f"{name:24s}{mine:8.2f}{its:10.2f}{ratio:8.2f}   {spread}", flush=True)
    if missed:
        raise SystemExit("slower than it must be")


if __name__ == "__main__":
    main()
