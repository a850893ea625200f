"""Optimisers of a transformer: Muon for the matrices inside the blocks, AdamW for all else.

AdamW divides each number of the gradient by its own recent size. Muon treats a weight matrix as one
thing: its update is the momentum U S V^T with all singular values S set to about 1, so every
direction is learned at the same rate. `orthogonalized` computes that without an SVD, and for all
matrices of one shape in one batch of products.

What differs from `torch.optim.Muon`: a matrix that holds several maps (q, k and v; gate and up) is
cut into them first, and matrices of one shape are computed together. Its settings and its step are
otherwise the same. AdamW is torch's own, fused; `adamw` only says what decays.

Left out: Nesterov's momentum as a switch (it is always on), sparse and complex gradients.

source: Loshchilov and Hutter 2019, arXiv:1711.05101 (AdamW); Jordan et al. 2024,
https://kellerjordan.github.io/posts/muon (Muon); Liu et al. 2025, arXiv:2502.16982 (weight decay).
unit: 10_pretraining
"""

import math
from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from llmcourse.models.attention import MultiHeadAttention
from llmcourse.models.transformer import FeedForward
from llmcourse.models.transformer_config import GATED

# p(s) = a s + b s^3 + c s^5, five times, takes singular values from .002 to 1 to between .3 and
# 1.2: steep at 0, so that few steps are enough, and so not exactly 1 at the end.
QUINTIC = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5
EPS = 1e-7  # the least norm that a matrix is divided by
BETAS = (0.9, 0.95)  # of AdamW; torch's .999 looks back further than a short run is long

Groups = list[dict[str, Any]]


def orthogonalized(
    X: Float[Tensor, "N R C"], dtype: torch.dtype = torch.bfloat16
) -> Float[Tensor, "N R C"]:
    """Return N matrices with the singular vectors of X and singular values of about 1.

    Each step is X <- a X + (b A + c A^2) X with A = X X^T, which applies QUINTIC to every singular
    value. dtype: of the products and of the result.
    """
    tall = X.shape[1] > X.shape[2]
    X = (X.mT if tall else X).to(dtype)  # the product X X^T has the smaller size
    # All singular values are at most 1 then: none is larger than the Frobenius norm.
    X = X / X.norm(dim=(1, 2), keepdim=True).clamp(min=EPS)
    a, b, c = QUINTIC
    for _ in range(ITERATIONS):
        A = X @ X.mT  # (N, R, R)
        B = torch.baddbmm(A, A, A, beta=b, alpha=c)
        X = torch.baddbmm(X, B, X, beta=a)
    return X.mT if tall else X


class Muon(Optimizer):
    """Stochastic gradient descent with momentum whose updates are orthogonalised matrices.

    params: matrices (outputs, inputs), or groups of them; a group's "rows" say how many rows each
    of several maps has that lie below each other in its matrices. dtype: of the products.

    An update is scaled by sqrt(max(1, outputs / inputs)), and a weight decays by lr * weight_decay
    of itself first, also where its gradient is 0. A parameter without gradient is not touched.
    Raises ValueError for a parameter that is no matrix, and for rows that do not add up to it.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter] | Groups,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        dtype: torch.dtype = torch.bfloat16,
    ) -> None:
        defaults = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "rows": None}
        super().__init__(params, defaults)
        self.dtype = dtype
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() != 2:
                    raise ValueError(
                        f"expected matrices, got a parameter of shape {tuple(p.shape)}: give it to "
                        "AdamW"
                    )
                if group["rows"] and sum(group["rows"]) != len(p):
                    raise ValueError(
                        f"expected rows that add up to {len(p)}, got {group['rows']}: name the "
                        "height of each map in the matrix"
                    )

    @torch.no_grad()
    def step(self) -> None:
        """Update every matrix that has a gradient."""
        # The maps of one shape, whatever their group: (map of the parameter, its update, its lr).
        by_shape: dict[tuple[int, ...], list[tuple[Tensor, Tensor, float]]] = {}
        for group in self.param_groups:
            lr, beta = group["lr"], group["momentum"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                average = state["momentum"].lerp_(p.grad, 1 - beta)
                update = p.grad.lerp(average, beta)  # Nesterov: one step ahead of the average
                p.mul_(1 - lr * group["weight_decay"])
                rows = group["rows"] or (len(p),)
                for W, G in zip(p.split(rows), update.split(rows), strict=True):
                    by_shape.setdefault(tuple(W.shape), []).append((W, G, lr))
        for (outputs, inputs), maps in by_shape.items():
            updates = orthogonalized(torch.stack([G for _, G, _ in maps]), self.dtype)
            scale = math.sqrt(max(1, outputs / inputs))
            for (W, _, lr), update in zip(maps, updates, strict=True):
                W.add_(update, alpha=-lr * scale)


def adamw(
    params: Iterable[nn.Parameter],
    lr: float,
    weight_decay: float = 0.1,
    betas: tuple[float, float] = BETAS,
) -> AdamW:
    """Return torch's AdamW in which matrices decay, and biases and the weights of norms do not."""
    params = list(params)
    groups = [
        {"params": [p for p in params if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in params if p.dim() < 2], "weight_decay": 0.0},
    ]
    return AdamW([group for group in groups if group["params"]], lr=lr, betas=betas, fused=True)


def muon_and_adamw(
    model: nn.Module,
    matrix_lr: float = 0.02,
    lr: float = 3e-3,
    weight_decay: float = 0.1,
    dtype: torch.dtype = torch.bfloat16,
) -> list[Optimizer]:
    """Return Muon for the matrices inside the blocks and AdamW for embeddings, head and vectors.

    matrix_lr is Muon's: its updates have singular values of 1, so it is near the fraction by which
    a matrix changes. dtype: of Muon's products.
    """
    groups = matrices(model)
    inside = {p for group in groups for p in group["params"]}
    rest = [p for p in model.parameters() if p not in inside]
    muon = Muon(groups, matrix_lr, weight_decay, dtype=dtype)
    return [muon, adamw(rest, lr, weight_decay)]


def matrices(model: nn.Module) -> Groups:
    """Return the matrices of linear layers inside the blocks, as groups with the same "rows".

    The head is left out: its rows belong to tokens, as those of an embedding do, and most of them
    have no gradient to speak of.
    """
    rows_of: dict[nn.Parameter, tuple[int, ...]] = {}
    for module in model.modules():
        if isinstance(module, MultiHeadAttention):
            H, G, D = module.n_heads, module.n_kv_heads, module.d_head
            rows_of[module.qkv.weight] = (H * D, G * D, G * D)
        elif isinstance(module, FeedForward) and module.activation in GATED:
            half = len(module.up.weight) // 2
            rows_of[module.up.weight] = (half, half)
    groups: dict[tuple[int, ...] | None, list[nn.Parameter]] = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] != "head":
            rows = rows_of.get(module.weight)
            groups.setdefault(rows, []).append(module.weight)
    return [{"params": params, "rows": rows} for rows, params in groups.items()]
