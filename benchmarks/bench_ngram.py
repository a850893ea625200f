"""Kneser-Ney against nltk.lm on words of tiny Shakespeare, order 3; the character models' time.

Run: python -m benchmarks.bench_ngram. Must reach 100 times nltk's tokens scored a second, with the
same values. nltk is timed on a sample of the held-out words (it needs milliseconds for each), ours
on all of them. Both see the training words with the first two again at the end, so that every
history has a predecessor: the case in which both define the same model.
"""

import multiprocessing
import random
import statistics
import time
from pathlib import Path

import numpy as np
from nltk.lm import KneserNeyInterpolated
from nltk.util import everygrams

from llmcourse.models import ngram
from llmcourse.models.ngram import NgramConfig, NgramModel
from llmcourse.text import corpora as data

ORDER, DISCOUNT, GOAL = 3, 0.75, 100
RUNS, SAMPLE = 5, 100
CONFIG = NgramConfig(ORDER, discount=DISCOUNT, uniform_base=False)
CHARACTERS = {
    "Kneser-Ney 6": NgramConfig(6),
    "modified Kneser-Ney 7": NgramConfig(7, "modified_kneser_ney"),
}


def texts() -> tuple[list[str], list[str], list[str]]:
    """Training words, held-out words and the vocabulary of both."""
    train, held_out = (data.words(part) for part in data.split(data.text("tinyshakespeare")))
    return train + train[: ORDER - 1], held_out, sorted({*train, *held_out})


def fit_ours() -> NgramModel:
    train, _, vocabulary = texts()
    return ngram.fit(ngram.encode(train, vocabulary), len(vocabulary), CONFIG)


def fit_nltk() -> KneserNeyInterpolated:
    train, _, vocabulary = texts()
    model = KneserNeyInterpolated(ORDER, discount=DISCOUNT)
    model.fit([everygrams(train, max_len=ORDER)], vocabulary_text=vocabulary)
    return model


def peak(make: str) -> float:
    """Peak memory of a process that only fits, in MB (Linux: the kernel's high-water mark)."""
    globals()[make]()
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def timed(call, *args):
    start = time.perf_counter()
    result = call(*args)
    return result, time.perf_counter() - start


def peer_table() -> None:
    _, held_out, vocabulary = texts()
    ids = ngram.encode(held_out, vocabulary)
    ours, our_fit = timed(fit_ours)
    peer, peer_fit = timed(fit_nltk)
    rng = random.Random(0)
    rates = []
    for _ in range(RUNS):
        places = rng.sample(range(ORDER - 1, len(held_out)), SAMPLE)
        logps, our_seconds = timed(ours.logps, ids)
        grams = [tuple(held_out[i - ORDER + 1 : i + 1]) for i in places]
        scores, peer_seconds = timed(lambda g=grams: [peer.score(w, h) for *h, w in g])
        np.testing.assert_allclose(np.exp(logps[places]), scores, rtol=0, atol=1e-9)
        rates.append((len(ids) / our_seconds, SAMPLE / peer_seconds))
    ratios = [ours / theirs for ours, theirs in rates]
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        memory = [pool.apply(peak, (make,)) for make in ("fit_ours", "fit_nltk")]
    print(f"tiny Shakespeare, words, order {ORDER}: medians of {RUNS} pairs, values equal to 1e-9")
    print(f"{'':24s}{'ours':>14s}{'nltk':>14s}{'ratio':>10s}   (spread)")
    middle = [statistics.median(side) for side in zip(*rates, strict=True)]
    spread = f"({min(ratios):,.0f} to {max(ratios):,.0f}; must reach {GOAL})"
    print(
        f"{'tokens scored a second':24s}{middle[0]:14,.0f}{middle[1]:14,.0f}"
        f"{statistics.median(ratios):10,.0f}   {spread}"
    )
    print(f"{'fit, seconds':24s}{our_fit:14.2f}{peer_fit:14.2f}{peer_fit / our_fit:10.1f}")
    print(
        f"{'peak memory, MB':24s}{memory[0]:14,.0f}{memory[1]:14,.0f}{memory[1] / memory[0]:10.1f}"
    )
    if statistics.median(ratios) < GOAL:
        raise SystemExit(f"slower than {GOAL} times nltk")


def character_table() -> None:
    train, held_out = data.split(data.text("tinyshakespeare"))
    vocabulary = sorted(set(train + held_out))
    train_ids, held_out_ids = (ngram.encode(part, vocabulary) for part in (train, held_out))
    print(f"\ncharacters: {len(train):,} to fit, {len(held_out):,} to score, medians of {RUNS}")
    print(f"{'':24s}{'bits a char':>12s}{'counts':>12s}{'fit, s':>9s}{'score, s':>10s}")
    for name, config in CHARACTERS.items():
        runs = []
        for _ in range(RUNS):
            model, fit_seconds = timed(ngram.fit, train_ids, len(vocabulary), config)
            bits, score_seconds = timed(model.bits_per_token, held_out_ids)
            runs.append((fit_seconds, score_seconds))
        fitted, scored = (statistics.median(side) for side in zip(*runs, strict=True))
        print(f"{name:24s}{bits:12.4f}{model.n_counts:12,}{fitted:9.2f}{scored:10.2f}")


if __name__ == "__main__":
    peer_table()
    character_table()
