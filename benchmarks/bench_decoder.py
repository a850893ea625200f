"""A training step of the decoder against transformers' GPT-2; attention's cost as texts grow.

Run: python -m benchmarks.bench_decoder. A step is forward, cross-entropy, backward and AdamW (fused
for both) on 32 texts of 128 ids; 4 layers, 4 heads, width 128, 65 ids as for the characters of tiny
Shakespeare. transformers' model is its own GPT-2 as it comes (sdpa), without dropout and cache:
ours first with the same formula and the same weights, then with the course's recipe (squared ReLU,
RMS norm, rotary, no biases). bfloat16 autocast where a short probe finds it faster. Must take at
most 0.8 of the time, the recipe 0.7, and no more memory.
"""

import ctypes
import gc
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch.nn import functional as F

from benchmarks.growth import show
from llmcourse.models.attention import scaled_dot_product_attention
from llmcourse.models.transformer import Decoder
from llmcourse.models.transformer_config import TransformerConfig
from llmcourse.training.hardware import bf16_is_faster

B, T, PAIRS, STEPS = 32, 128, 5, 10
GPT2 = TransformerConfig(65, T, n_layers=4, n_heads=4, d_model=128, d_ff=512)
RECIPE = replace(GPT2, norm="rms", positions="rotary", activation="relu2", bias=False)
GOALS = {"GPT-2's formula": (GPT2, 0.8), "the course's recipe": (RECIPE, 0.7)}
LENGTHS, WINDOW, ROUNDS = (256, 512, 1024, 2048, 4096), 64, 5
Step = Callable[[], None]


# The two models


def peer(ours: Decoder) -> torch.nn.Module:
    """transformers' GPT-2 of the same shape with the weights of `ours`; the logits are equal."""
    from transformers import GPT2Config, GPT2LMHeadModel  # takes seconds

    c = ours.config
    theirs = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=c.vocab_size, n_positions=c.context_length, n_embd=c.d_model,
            n_layer=c.n_layers, n_head=c.n_heads, n_inner=c.d_ff, resid_pdrop=0.0, embd_pdrop=0.0,
            attn_pdrop=0.0, use_cache=False, bos_token_id=0, eos_token_id=0,
        )
    )  # fmt: skip
    names = {
        "wte": "embed", "wpe": "positions", "h": "blocks", "ln_1": "attention_norm",
        "c_attn": "qkv", "c_proj": "out", "ln_2": "feed_forward_norm", "mlp": "feed_forward",
        "c_fc": "up", "ln_f": "norm", "attn": "attention",
    }  # fmt: skip
    weights = ours.state_dict()
    for name, weight in theirs.transformer.named_parameters():
        mine = ".".join(names.get(part, part) for part in name.split("."))
        mine = mine.replace("feed_forward.out", "feed_forward.down")
        stored = weights[mine].T if ".c_" in name and weight.dim() == 2 else weights[mine]
        weight.data.copy_(stored)
    ids = torch.randint(0, c.vocab_size, (2, c.context_length))
    torch.testing.assert_close(theirs(ids).logits, ours(ids), atol=1e-4, rtol=1e-4)
    return theirs


def training_step(model: torch.nn.Module, bf16: bool) -> Step:
    """A step on random ids, the same for both models."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    ids = torch.randint(0, GPT2.vocab_size, (B, T + 1), generator=torch.Generator().manual_seed(0))

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = model(ids[:, :-1])
            logits = getattr(logits, "logits", logits)
            loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


# Measures


def seconds(step: Step) -> float:
    """Of one step."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def in_turn(ours: Step, theirs: Step) -> tuple[float, float]:
    """Seconds of a step of both, medians of steps in turn: what else runs then slows both."""
    times = [(seconds(ours), seconds(theirs)) for _ in range(STEPS)]
    mine, its = zip(*times, strict=True)
    return statistics.median(mine), statistics.median(its)


def peak_mib(step: Step) -> float:
    """The most memory that a step takes beyond what the process has before it."""
    own = Path("/proc/self")

    def status(field: str) -> float:
        return int(re.search(rf"{field}:\s+(\d+)", (own / "status").read_text())[1]) / 1024

    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what was freed would be taken again unseen
    (own / "clear_refs").write_text("5")  # the peak begins anew
    before = status("VmRSS")
    step()
    return status("VmHWM") - before


# Tables


def compare(name: str, config: TransformerConfig, goal: float, bf16: bool) -> bool:
    """Print one row of time and memory in turn; whether both goals are reached."""
    torch.manual_seed(0)
    theirs = training_step(peer(Decoder(GPT2)), bf16)
    ours = training_step(Decoder(config), bf16)
    for step in (ours, theirs):
        for _ in range(3):
            step()
    pairs = [in_turn(ours, theirs) for _ in range(PAIRS)]
    peaks = [(peak_mib(ours), peak_mib(theirs)) for _ in range(PAIRS)]
    ratios = [mine / its for mine, its in pairs]
    ratio = statistics.median(ratios)
    took, held = (
        [statistics.median(x) for x in zip(*both, strict=True)] for both in (pairs, peaks)
    )
    print(
        f"{name + (', bfloat16' if bf16 else ', float32'):32s}"
        f"{1000 * took[0]:8.1f}{1000 * took[1]:14.1f}{ratio:8.2f}   "
        f"({min(ratios):.2f} to {max(ratios):.2f}; must reach {goal})"
        f"{held[0]:9.1f}{held[1]:14.1f}",
        flush=True,
    )
    return ratio <= goal and held[0] <= held[1]


def growth() -> None:
    """Print and draw time and memory of attention, forwards and backwards, against the length."""
    forms = {
        "explicit": {"fused": False},
        "fused": {},
        f"banded, window {WINDOW}": {"window": WINDOW},
    }
    took, held = ({name: [] for name in forms} for _ in range(2))
    for length in LENGTHS:
        q, k, v = (torch.randn(1, 4, length, 32, requires_grad=True) for _ in range(3))
        for name, form in forms.items():

            def step(inputs=(q, k, v), form=form) -> None:
                scaled_dot_product_attention(*inputs, causal=True, **form).sum().backward()

            seconds(step)
            took[name].append(1000 * statistics.median(seconds(step) for _ in range(ROUNDS)))
            held[name].append(statistics.median(peak_mib(step) for _ in range(ROUNDS)))
    text = "tokens, one text, 4 heads of 32"
    show("attention_time", text, LENGTHS, took, unit="milliseconds")
    show("attention_memory", text, LENGTHS, held, unit="MiB")


def main() -> None:
    """Print the tables; exit 1 if a goal is missed."""
    print(f"a training step, 4 x 128, {B} x {T} ids, {torch.get_num_threads()} threads, medians of "
          f"{PAIRS} pairs run in turn")  # fmt: skip
    print(f"{'':32s}{'ours ms':>8s}{'transformers':>14s}{'ratio':>8s}   {'(spread)':33s}"
          f"{'MiB':>9s}{'transformers':>14s}")  # fmt: skip
    dtypes = [False, True] if bf16_is_faster() else [False]
    held = [compare(name, *goal, bf16) for bf16 in dtypes for name, goal in GOALS.items()]
    if len(dtypes) == 1:
        print("bfloat16 is slower than float32 on this processor: left out")
    growth()
    if not all(held):
        raise SystemExit("slower than it must be, or takes more memory")


if __name__ == "__main__":
    main()
