"""Trains in the processes that torchrun starts; the first one prints what it saw.

Run by test_parallel. First the curve of a batch that is shared by rows, the last of which is odd;
then processes with different numbers of batches, of which one ends early.
"""

import json

import torch

from llmcourse.training.loop import train
from llmcourse.training.packing import BatchStream
from llmcourse.training.parallel import joined
from tests.training.tiny import optimizers, text, tiny

STEPS, T, B = 6, 8, 5


def shared(index, of):
    """The losses over a stream whose batches of 5 rows the processes share, and its last batch."""
    model = tiny(seed=index)  # other parameters in each: training begins with those of the first
    batches = BatchStream(text(), T, B, index=index, of=of)
    history = train(model, batches, optimizers(model), STEPS, lambda step: 1.0)
    return model, [record.loss for record in history]


def single(index, of):
    """The losses over batches of one row, which the second process has no part of."""
    model = tiny()
    batches = BatchStream(text(), T, 1, index=index, of=of)
    return [r.loss for r in train(model, batches, optimizers(model), 2, lambda step: 1.0)]


def ending(index, of):
    """The numbers of targets where the process `index` has 1 + 2 index batches; then all end."""
    model = tiny()
    stream = BatchStream(text(), T, 2)
    batches = [next(stream) for _ in range(1 + 2 * index)]
    return [r.targets for r in train(model, batches, optimizers(model), 9, lambda step: 1.0)]


def main():
    torch.set_num_threads(1)
    with joined() as (index, of):
        model, losses = shared(index, of)
        mine = torch.cat([p.detach().flatten() for p in model.parameters()])
        first = mine.clone()
        if of > 1:
            torch.distributed.broadcast(first, src=0)
        equal = torch.tensor([float(torch.equal(mine, first))])
        if of > 1:
            torch.distributed.all_reduce(equal, op=torch.distributed.ReduceOp.MIN)
        seen = {
            "processes": of, "losses": losses, "single": single(index, of),
            "ending": ending(index, of), "equal": bool(equal),
        }  # fmt: skip
        if index == 0:
            print(json.dumps(seen))


if __name__ == "__main__":
    main()
