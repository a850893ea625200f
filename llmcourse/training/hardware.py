"""What the machine at hand is good at: bfloat16, the rate of its products, compiled code.

Measured, not looked up: a processor may have bfloat16 instructions and be slow at them, and it may
be busy.

unit: 10_pretraining
"""

import statistics
import time
from collections.abc import Callable

import torch
from jaxtyping import Shaped
from torch import Tensor, nn
from torch.nn import functional as F

ROWS, INPUTS, OUTPUTS = 4096, 128, 512  # 32 texts of 128 ids, the layer up of a model of width 128


def bf16_is_faster(
    device: torch.device | str = "cpu",
    seconds: float = 1.0,
    shape: tuple[int, int, int] = (ROWS, INPUTS, OUTPUTS),
) -> bool:
    """Say whether a linear layer is faster in bfloat16 than in float32, forwards and backwards.

    seconds: how long to probe. shape: rows, inputs and outputs of the layer. Both dtypes take
    turns, so that what else runs slows both, and their medians are compared.
    """
    rows, inputs, outputs = shape
    spent: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not all(len(times) > 1 for times in spent.values()):
        for dtype, times in spent.items():
            x = torch.ones(rows, inputs, dtype=dtype, device=device)
            W = torch.ones(outputs, inputs, dtype=dtype, device=device, requires_grad=True)
            times.append(_seconds(lambda x=x, W=W: F.linear(x, W).sum().backward(), device))
    medians = {dtype: statistics.median(times[1:]) for dtype, times in spent.items()}
    return medians[torch.bfloat16] < medians[torch.float32]


def matmul_rate(
    dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu", size: int = 2048
) -> float:
    """Return the operations a second of a product of two square matrices, the best of five.

    It is the peak that `cost.mfu` is a fraction of. On a GPU take a size of 8192.
    """
    x = torch.ones(size, size, dtype=dtype, device=device)
    return 2 * size**3 / min(_seconds(lambda: x @ x, device) for _ in range(5))


def _seconds(work: Callable[[], object], device: torch.device | str) -> float:
    """Return how long the work takes, to its end on the device."""
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    work()
    if on_gpu:
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def compiled(
    model: nn.Module, ids: Shaped[Tensor, "..."], say: Callable[[str], None] = print
) -> nn.Module | Callable:
    """Return torch.compile(model) after a first call on `ids`, or the model where that fails.

    Without a compiler torch.compile raises only when the model is first called. Then one line is
    said, and training goes on without it, more slowly.
    """
    fast = torch.compile(model)
    try:
        fast(ids)
    except Exception as error:  # torch's compilers raise their own, of many kinds
        reason = str(error).strip().splitlines() or [type(error).__name__]
        say(
            f"expected a compiler for torch.compile, got {reason[0]!r}: training goes on without "
            "it; a C++ compiler (Debian: apt install g++) would make it faster"
        )
        return model
    return fast
