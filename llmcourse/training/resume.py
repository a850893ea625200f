"""Write a run to a file and go on from it: the resumed run ends with the same weights, bit for bit.

A run is more than its parameters: the optimisers' averages and learning rates, where the stream of
batches is, the random state, the history. All are tensors and numbers, so that `torch.load` reads
the file without running code from it.

A file is replaced in one step, so a run that is killed while it writes leaves the file before. Bit
for bit holds on the same machine with the same number of threads: sums are taken in another order
otherwise.

unit: 10_pretraining
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import nn
from torch.optim import Optimizer

from llmcourse.training.loop import Record
from llmcourse.training.packing import BatchStream


@contextmanager
def replaced(path: str | Path) -> Iterator[BinaryIO]:
    """Give a file to write, which takes the place of `path` at the end, if all went well."""
    path = Path(path)
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())  # on the disk before it gets the name: a crash may reorder the two
    part.replace(path)


def save_run(
    path: str | Path,
    model: nn.Module,
    optimizers: Sequence[Optimizer],
    batches: BatchStream,
    history: Sequence[Record],
) -> None:
    """Write all that `resume_run` needs; an older file is replaced once the new one is whole."""
    state = {
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "batches": batches.state_dict(),
        "random": torch.get_rng_state(),  # torch's own, for dropout
        "history": [tuple(record) for record in history],
    }
    with replaced(path) as file:
        torch.save(state, file)


def resume_run(
    path: str | Path, model: nn.Module, optimizers: Sequence[Optimizer], batches: BatchStream
) -> list[Record]:
    """Put model, optimisers, stream and random state to where the run was; return its history.

    They are made as for the start of the run. Raises FileNotFoundError without the file, and
    ValueError for one that does not belong to them or is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"expected the file {path}, got none: give a run that has been saved, or start anew"
        )
    state = _read(path)
    try:
        model.load_state_dict(state["model"])
        for optimizer, own in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(own)
        batches.load_state_dict(state["batches"])
        torch.set_rng_state(state["random"])
        return [Record(*record) for record in state["history"]]
    except (KeyError, TypeError, RuntimeError, ValueError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"expected a run of this model, optimisers and text in {path}, got {first}: make them "
            "with the settings of that run, or start anew"
        ) from None


def _read(path: Path) -> dict[str, Any]:
    """Return what the file holds; only tensors, numbers and containers are read."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file of another kind: IndexError, UnpicklingError, ...
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"expected a saved run in {path}, got {first}: is it another file? Start anew"
        ) from None
    if not isinstance(state, dict):
        raise ValueError(
            f"expected a saved run in {path}, got a {type(state).__name__}: give the file that "
            "save_run wrote"
        )
    return state
