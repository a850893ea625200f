"""A device that is not the CPU, for machines without one: what a GPU would refuse is refused here.

Inside `pretending()` whatever is made on, or moved to, `PRETENDED` claims to be there. It is
computed on the CPU; mixing it with tensors of the CPU, or taking it for an array, raises as CUDA
does. torch's meta device gives its name: it is the one that every build of torch knows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.optim import optimizer
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

PRETENDED = torch.device("meta")
PACKING = {"_pack_padded_sequence", "_pad_packed_sequence"}  # lengths stay on the CPU
MAY_MIX = PACKING | {"index", "index_put_", "_index_put_impl_", "copy_", "_to_copy"}  # as on CUDA


class There(torch.Tensor):
    """A tensor that says it is on the device, around the real one."""

    @staticmethod
    def __new__(cls, content: torch.Tensor) -> "There":
        self = torch.Tensor._make_wrapper_subclass(
            cls,
            content.size(),
            strides=content.stride(),
            storage_offset=content.storage_offset(),
            dtype=content.dtype,
            device=PRETENDED,
        )
        self.content = content
        return self

    @classmethod
    def __torch_dispatch__(
        cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name, kwargs = function.overloadpacket.__name__, dict(kwargs or {})
        if name not in MAY_MIX:
            refuse_mixed(name, (args, kwargs))
        if name == "_local_scalar_dense":
            return function(args[0].content)
        leaves = kwargs.get("device") == torch.device("cpu")
        kwargs |= {"device": "cpu"} if "device" in kwargs else {}
        result = function(*tree_map(inner, args), **tree_map(inner, kwargs))
        if leaves:
            return result
        if name in PACKING:
            return moved(result[0]), result[1]
        return args[0] if name.endswith("_") and isinstance(args[0], There) else moved(result)


def inner(value: Any) -> Any:
    """The real tensor; autograd makes its zeros on the device itself, without one."""
    if isinstance(value, There):
        return value.content
    is_bare = isinstance(value, torch.Tensor) and value.device == PRETENDED
    return torch.zeros(value.shape, dtype=value.dtype) if is_bare else value


def moved(values: Any) -> Any:
    return tree_map(lambda v: There(v) if isinstance(v, torch.Tensor) else v, values)


def refuse_mixed(name: str, values: Any) -> None:
    places = set()

    def note(value: Any) -> Any:
        if isinstance(value, torch.Tensor) and (value.device == PRETENDED or value.dim()):
            places.add(value.device)
        return value

    tree_map(note, values)
    if len(places) > 1:
        raise RuntimeError(f"{name}: expected all tensors to be on the same device, got {places}")


class Pretend(TorchFunctionMode):
    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name, kwargs = getattr(function, "__name__", ""), dict(kwargs or {})
        first = args[0] if args else None
        place = args[1] if name == "to" and len(args) > 1 else kwargs.get("device")
        if isinstance(place, torch.device) and place == PRETENDED:
            if name == "to":
                return first if isinstance(first, There) else There(first.detach())
            made = function(*args, **kwargs | {"device": "cpu"})
            return There(made.detach()).requires_grad_(made.requires_grad)
        if isinstance(first, There) and name in ("numpy", "__array__"):
            raise TypeError("a tensor of the device is no array: use Tensor.cpu() first")
        if isinstance(first, There) and name in ("cpu", "tolist"):
            content = first.detach().content
            return content.tolist() if name == "tolist" else content
        return function(*args, **kwargs)


@contextmanager
def pretending() -> Iterator[None]:
    """Tensors can be on PRETENDED; fused optimizers and autocast take it for a device of theirs."""
    fused, autocast = optimizer._get_fused_kernels_supported_devices, torch.autocast
    optimizer._get_fused_kernels_supported_devices = lambda: [*fused(), PRETENDED.type]
    torch.autocast = lambda device_type, *args, **keywords: autocast(
        "cpu" if device_type == PRETENDED.type else device_type, *args, **keywords
    )
    try:
        with Pretend():
            yield
    finally:
        optimizer._get_fused_kernels_supported_devices, torch.autocast = fused, autocast
