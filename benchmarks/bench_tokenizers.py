"""Byte-pair encoding against Hugging Face's tokenizers and minbpe's recipe, on tiny Shakespeare.

Run: python -m benchmarks.bench_tokenizers. Must train and encode in at most 3 times the time of
tokenizers, and train at least 100 times as fast a merge as minbpe. minbpe is not on the package
index; its recipe is restated here: at every merge count all pairs of all pre-tokens anew, then
rewrite every pre-token (A. Karpathy, minbpe, RegexTokenizer, 2024). Ours and tokenizers train the
same merges and give the same ids.
"""

import statistics
import time
from collections import Counter
from itertools import pairwise

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from benchmarks.growth import show
from llmcourse.text import corpora as data
from llmcourse.text.tokenizers import pre_tokens, train_bpe

VOCAB_SIZE, RUNS, RECIPE_MERGES = 1024, 5, 3
SIZES = (125_000, 250_000, 500_000, 1_000_000)  # characters
AT_MOST, AT_LEAST = 3.0, 100.0


def timed(call, *args):
    start = time.perf_counter()
    result = call(*args)
    return result, time.perf_counter() - start


def train_peer(text: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer


def train_by_recipe(text: str, merges: int) -> None:
    """A merge counts all pairs and rewrites all pre-tokens."""
    words = [list(piece.encode()) for piece in pre_tokens(text)]
    for new in range(256, 256 + merges):
        counts = Counter(pair for word in words for pair in pairwise(word))
        best = max(counts, key=counts.__getitem__)
        words = [_rewrite(word, best, new) for word in words]


def _rewrite(word: list[int], pair: tuple[int, int], new: int) -> list[int]:
    found, i = [], 0
    while i < len(word):
        both = i + 1 < len(word) and (word[i], word[i + 1]) == pair
        found.append(new if both else word[i])
        i += 2 if both else 1
    return found


def main() -> None:
    """Prints the table; exits with 1 where a goal is missed."""
    text = data.text("tinyshakespeare")
    seconds = {"train": [], "encode": []}
    for _ in range(RUNS):
        ours, our_training = timed(train_bpe, [text], VOCAB_SIZE)
        peer, peer_training = timed(train_peer, text)
        ids, our_encoding = timed(ours.encode, text)
        encoding, peer_encoding = timed(peer.encode, text)
        assert ids == encoding.ids, "other ids than the peer's"
        seconds["train"].append((our_training, peer_training))
        seconds["encode"].append((our_encoding, peer_encoding))
    print(f"tiny Shakespeare, vocabulary {VOCAB_SIZE:,}: medians of {RUNS} pairs, ids equal")
    print(f"{'seconds':24s}{'ours':>10s}{'tokenizers':>12s}{'ours/theirs':>13s}   (spread)")
    slowest = max(_row(name, pairs) for name, pairs in seconds.items())
    _, recipe = timed(train_by_recipe, text, RECIPE_MERGES)
    ours_a_merge = statistics.median(a for a, _ in seconds["train"]) / (VOCAB_SIZE - 256)
    faster = recipe / RECIPE_MERGES / ours_a_merge
    print(
        f"\nseconds a merge: ours {ours_a_merge:.5f}, minbpe's recipe {recipe / RECIPE_MERGES:.3f}"
    )
    print(f"{faster:,.0f} times as fast (must reach {AT_LEAST:g})")
    growth(text)
    if slowest > AT_MOST or faster < AT_LEAST:
        raise SystemExit("a goal is missed")


def growth(text: str) -> None:
    """Training against the size of the text, medians of three."""
    lines = {"ours": [], "tokenizers": []}
    for size in SIZES:
        part = text[:size]
        runs = [
            (timed(train_bpe, [part], VOCAB_SIZE)[1], timed(train_peer, part)[1]) for _ in range(3)
        ]
        for line, side in zip(lines.values(), zip(*runs, strict=True), strict=True):
            line.append(statistics.median(side))
    show("tokenizers", "characters to train on", SIZES, lines)


def _row(name: str, pairs: list[tuple[float, float]]) -> float:
    ratios = [a / b for a, b in pairs]
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(ratios)
    spread = f"({min(ratios):.2f} to {max(ratios):.2f}; at most {AT_MOST:g})"
    print(f"{name:24s}{ours:10.2f}{theirs:12.2f}{ratio:13.2f}   {spread}")
    return ratio


if __name__ == "__main__":
    main()
