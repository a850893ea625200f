"""Trains in child processes that are killed at random moments, until the run is done.

Run by test_resume: prints how many were killed, and whether the weights at the end are those of a
run that nobody killed, bit for bit. That one comes first, so that the children, which are forks,
have loaded all of torch; with one thread there is none that a fork would lack.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from llmcourse.training.loop import train
from llmcourse.training.packing import BatchStream
from llmcourse.training.resume import resume_run, save_run
from llmcourse.training.schedules import warmup_cosine
from tests.training.tiny import optimizers, same, text, tiny

STEPS, KILLS = 30, 4


def run(path, told=None):
    """Train to the end, from the file on where there is one; save and tell of every step."""
    model = tiny()
    made, batches = optimizers(model), BatchStream(text(), 8, 3)
    history = resume_run(path, model, made, batches) if path.exists() else []

    def after_step(history):
        save_run(path, model, made, batches, history)
        if told is not None:
            os.write(told, b".")

    def schedule(step):
        return warmup_cosine(step, STEPS, 5, 1.0)

    train(model, batches, made, STEPS, schedule, history=history, after_step=after_step)
    return model


def killed(path, after, pause):
    """Whether a child was killed, `pause` seconds after it has told of so many steps."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.close(reads)
        run(path, writes)
        os._exit(0)
    os.close(writes)
    for _ in range(after):
        if not os.read(reads, 1):
            break
    time.sleep(pause)
    os.kill(child, signal.SIGKILL)
    os.close(reads)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def main(folder):
    torch.set_num_threads(1)
    whole = run(folder / "whole.pt")
    draw = random.Random(0)
    path = folder / "killed.pt"
    kills = sum(killed(path, draw.randint(1, 6), draw.random() / 200) for _ in range(KILLS))
    done = len(resume_run(path, tiny(), optimizers(tiny()), BatchStream(text(), 8, 3)))
    print(kills, 0 < done < STEPS, same(run(path), whole))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
