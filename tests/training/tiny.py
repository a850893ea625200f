"""A tiny decoder, a text of random ids and the optimisers of both, for the tests of training."""

import torch
from torch import Tensor
from torch.optim import Optimizer

from llmcourse.models.transformer import Decoder
from llmcourse.models.transformer_config import TransformerConfig
from llmcourse.training.optimizers import muon_and_adamw

CONFIG = TransformerConfig(
    11, 8, n_layers=2, n_heads=2, d_model=8, d_ff=12, n_kv_heads=1, norm="rms",
    positions="rotary", activation="swiglu", bias=False,
)  # fmt: skip


def tiny(seed: int = 0) -> Decoder:
    """A decoder with grouped heads and a gate: both of its cut matrices occur."""
    torch.manual_seed(seed)
    return Decoder(CONFIG)


def optimizers(model: Decoder) -> list[Optimizer]:
    return muon_and_adamw(model, dtype=torch.float32)


def text(n: int = 101, seed: int = 0) -> Tensor:
    """Ids that are not evenly distributed, so that there is something to learn."""
    random = torch.Generator().manual_seed(seed)
    return (torch.rand(n, generator=random) ** 2 * CONFIG.vocab_size).long()


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Whether all parameters are equal bit for bit."""
    theirs = other.state_dict()
    return all(torch.equal(weight, theirs[name]) for name, weight in one.state_dict().items())
