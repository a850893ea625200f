"""One model in several processes, which `torchrun` starts: each reads a part of every batch.

    torchrun --nproc-per-node 2 --no-python llmcourse train text.txt

All have the same parameters. Each computes the gradient of the summed loss of its own rows; sums of
losses, numbers of targets and gradients are added up over all processes, and divided once. So the
result is that of one process with the whole batch, also where the parts hold different numbers of
targets, which a mean of means gets wrong. A process whose rows have come to an end adds zeros until
all have: none waits for one that has left.

Left out: parameters or optimiser state cut over the processes, sums that run beside the backward
pass.

source: Li et al. 2020, arXiv:2006.15704 (data parallel training in torch).
unit: 10_pretraining
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Shaped
from torch import Tensor, distributed, nn


@contextmanager
def joined() -> Iterator[tuple[int, int]]:
    """Join the processes that `torchrun` has started, and give (own index, number); else (0, 1).

    With CUDA each takes the device of its own index on its machine.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield 0, 1
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield distributed.get_rank(), distributed.get_world_size()
    finally:
        distributed.destroy_process_group()


def several() -> bool:
    """Say whether this is one of several processes that have joined."""
    return distributed.is_available() and distributed.is_initialized()


def add_up(tensors: Sequence[Shaped[Tensor, "..."]]) -> None:
    """Replace each tensor, in place, by its sum over all processes; they have one dtype.

    They travel as one: a message for each would take longer.
    """
    if not several():
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    distributed.all_reduce(flat)
    parts = flat.split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view_as(tensor))


def all_agree(flag: bool) -> bool:
    """Say whether the flag is true in every process: a choice that all must make alike."""
    if not several():
        return flag
    votes = torch.tensor(float(flag), device="cuda" if torch.cuda.is_available() else "cpu")
    distributed.all_reduce(votes, op=distributed.ReduceOp.MIN)
    return bool(votes)


def share_parameters(model: nn.Module) -> None:
    """Give every process the parameters and buffers of the first one."""
    if several():
        with torch.no_grad():
            for tensor in (*model.parameters(), *model.buffers()):
                distributed.broadcast(tensor, src=0)
