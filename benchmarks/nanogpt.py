"""nanoGPT's model and its recipe for processors, in torch's own modules, to compare with.

Layer norms and linear maps have no biases, GELU is in its exact form, attention is torch's fused
kernel, positions are learned, the head is tied. 4 layers, 4 heads, width 128, no dropout.

source: nanoGPT (A. Karpathy, 2022), model.py and readme.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW

from benchmarks.timed_run import Run, update
from llmcourse.training.schedules import warmup_cosine


@dataclass(frozen=True)
class PeerRecipe:
    """What tells the two recipes of the peer apart; the learning rate falls to a tenth."""

    context: int
    batch_size: int
    lr: float
    looks: tuple[int, ...]  # after which of the 2,000 steps the loss is measured
    steps: int = 2000


PUBLISHED = PeerRecipe(64, 12, 1e-3, tuple(range(1500, 2001, 50)))
TUNED = PeerRecipe(128, 32, 3e-3, (1000, 1500, 2000))


class Block(nn.Module):
    """nanoGPT's block: layer norms and linear maps without biases, GELU in its exact form."""

    def __init__(self, C: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(C, bias=False) for _ in range(2))
        self.qkv, self.out = nn.Linear(C, 3 * C, bias=False), nn.Linear(C, C, bias=False)
        self.up, self.down = nn.Linear(C, 4 * C, bias=False), nn.Linear(4 * C, C, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the states after the block."""
        q, k, v = self.qkv(self.norms[0](x)).chunk(3, dim=-1)
        q, k, v = (t.unflatten(-1, (4, -1)).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.norms[1](x))))


class NanoGPT(nn.Module):
    """nanoGPT's model: 4 layers, 4 heads, width 128, learned positions, a tied head."""

    def __init__(self, vocab_size: int, context: int, C: int = 128, n_layers: int = 4) -> None:
        super().__init__()
        self.ids, self.positions = nn.Embedding(vocab_size, C), nn.Embedding(context, C)
        self.blocks = nn.Sequential(*(Block(C) for _ in range(n_layers)))
        self.norm = nn.LayerNorm(C, bias=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                added = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * n_layers) if added else 0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the logits (B, T, V)."""
        x = self.ids(ids) + self.positions.weight[: ids.shape[1]]
        return F.linear(self.norm(self.blocks(x)), self.ids.weight)


def peer(train: Tensor, vocab_size: int, recipe: PeerRecipe, seed: int, bf16: bool = False) -> Run:
    """The peer's run, ready to start: windows drawn anywhere, weight decay .1, norms up to 1."""
    torch.manual_seed(seed)
    model = NanoGPT(vocab_size, recipe.context)
    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": 0.1},
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = AdamW(groups, lr=recipe.lr, betas=(0.9, 0.99), fused=True)

    def step(number: int) -> None:
        for group in optimizer.param_groups:
            group["lr"] = warmup_cosine(number, recipe.steps, 100, recipe.lr, recipe.lr / 10)
        starts = torch.randint(len(train) - recipe.context, (recipe.batch_size, 1))
        rows = train[starts + torch.arange(recipe.context + 1)]
        update(model, (rows[:, :-1], rows[:, 1:]), [optimizer], bf16, max_norm=1.0)

    return Run(model, step, recipe.context, recipe.steps, bf16)
