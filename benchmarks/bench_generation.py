"""Cached generation against transformers' `generate`, and its time with and without a cache.

Run: python -m benchmarks.bench_generation [CASE ...]. Both write 256 tokens greedily after prompts
of 16 ids, in turn in one process, with the same weights in GPT-2's form: 4 layers of width 128 with
65 ids as for characters, and GPT-2's own shape, 12 layers of width 768 with 50,257 ids. Weights are
random, at three times the initial size, so that logits do not nearly tie; the ids must be equal.
Must reach 5 times the tokens a second at batch 1 and 3 times at batch 16 on the small model, 1.5
times on the large one.
"""

import statistics
import sys
import time
from collections.abc import Callable

import torch

from benchmarks.bench_decoder import peer
from benchmarks.growth import show
from llmcourse.inference.decoding import generate
from llmcourse.models.transformer import Decoder
from llmcourse.models.transformer_config import TransformerConfig

PROMPT, PAIRS = 16, 5
SMALL = TransformerConfig(65, 512, n_layers=4, n_heads=4, d_model=128, d_ff=512)
LARGE = TransformerConfig(50_257, 512, n_layers=12, n_heads=12, d_model=768, d_ff=3072)
CASES = {  # config, rows, new tokens, goal
    "4 x 128, batch 1": (SMALL, 1, 256, 5.0),
    "4 x 128, batch 16": (SMALL, 16, 256, 3.0),
    "12 x 768, batch 1": (LARGE, 1, 256, 1.5),
    "12 x 768, batch 16": (LARGE, 16, 64, 1.5),
}
LENGTHS, ROUNDS = (32, 64, 128, 256, 496), 5


def decoder(config: TransformerConfig) -> Decoder:
    """A random decoder whose most probable token is clear: at std .02 logits nearly tie."""
    torch.manual_seed(0)
    model = Decoder(config)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 2:
                weight *= 3
    return model


def theirs(model: torch.nn.Module, prompts: torch.Tensor, n: int) -> list[list[int]]:
    """The new ids of transformers' greedy `generate`."""
    ids = model.generate(
        prompts, attention_mask=torch.ones_like(prompts), max_new_tokens=n, min_new_tokens=n,
        do_sample=False, use_cache=True, pad_token_id=0, eos_token_id=None,
    )  # fmt: skip
    return ids[:, prompts.shape[1] :].tolist()


def timed(write: Callable[[], list[list[int]]]) -> tuple[list[list[int]], float]:
    """What is written, and the seconds that it takes."""
    start = time.perf_counter()
    ids = write()
    return ids, time.perf_counter() - start


def compare(name: str, models: tuple, B: int, n: int, goal: float) -> bool:
    """Print one row of tokens a second, run in turn; whether the goal is reached."""
    ours, its = models
    generator = torch.Generator().manual_seed(1)
    prompts = torch.randint(0, ours.config.vocab_size, (B, PROMPT), generator=generator)
    rates = []
    for pair in range(PAIRS + 1):
        mine, seconds = timed(lambda: generate(ours, prompts.tolist(), n))
        yours, its_seconds = timed(lambda: theirs(its, prompts, n))
        if mine != yours:
            raise SystemExit(f"{name}: expected equal ids, got others: nothing is compared")
        if pair:  # the first warms up
            rates.append((B * n / seconds, B * n / its_seconds))
    ratios = [mine / its for mine, its in rates]
    ratio = statistics.median(ratios)
    fast, slow = (statistics.median(x) for x in zip(*rates, strict=True))
    print(
        f"{name:22s}{fast:12,.0f}{slow:14,.0f}{ratio:8.2f}   "
        f"({min(ratios):.2f} to {max(ratios):.2f}; must reach {goal})",
        flush=True,
    )
    return ratio >= goal


def growth() -> None:
    """Print and draw the time to write n tokens after one prompt, with and without a cache."""
    model, prompt = decoder(SMALL), [[1] * PROMPT]
    took: dict[str, list[float]] = {"with a cache": [], "without": []}
    for n in LENGTHS:
        for name, cache in (("with a cache", True), ("without", False)):
            generate(model, prompt, n, cache=cache)

            def write(n=n, cache=cache) -> list[list[int]]:
                return generate(model, prompt, n, cache=cache)

            runs = [timed(write)[1] for _ in range(ROUNDS)]
            took[name].append(1000 * statistics.median(runs))
    text = "new tokens, 4 x 128, one row"
    show("generation_time", text, LENGTHS, took, unit="milliseconds")


def main() -> None:
    """Print the tables; exit 1 if a goal is missed."""
    wanted = sys.argv[1:] or list(CASES)
    print(f"greedy tokens a second after {PROMPT} ids, {torch.get_num_threads()} threads, medians "
          f"of {PAIRS} pairs run in turn, ids equal")  # fmt: skip
    print(f"{'':22s}{'ours':>12s}{'transformers':>14s}{'ratio':>8s}")
    models: dict[TransformerConfig, tuple] = {}
    held = []
    for name, (config, *case) in CASES.items():
        if name not in wanted:
            continue
        if config not in models:
            models.clear()  # the large ones take 2 GB
            ours = decoder(config)
            models[config] = ours, peer(ours).eval()
        held.append(compare(name, models[config], *case))
    if wanted == list(CASES):
        growth()
    if not all(held):
        raise SystemExit("slower than it must be")


if __name__ == "__main__":
    main()
