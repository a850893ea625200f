"""Skip-gram with negative sampling against gensim with two workers: words a second and analogies.

Run: python -m benchmarks.bench_embeddings. Both learn 100 numbers a word with word2vec's settings
(window 5, 5 negatives, min_count 5, thinning at 1e-3) from the same tokens, gensim in its 5 passes.
Words a second are the words of those 5 passes over the whole time from lists of tokens to vectors,
for both: ours counts pairs instead of passing, so its figure says how fast gensim would have to
go through the text to be done at the same time. Must reach gensim's at equal or better analogies.
"""

import statistics
import time
import warnings

import torch
from gensim.models import Word2Vec

from llmcourse import data, embeddings, world
from llmcourse.embeddings import EmbeddingConfig
from llmcourse.word_vectors import WordVectors, accuracy, read_questions, total
from llmcourse.world.almanac import almanac, analogy_questions

PASSES, RUNS, WORKERS = 5, 5, 2
WORLD_TOKENS = {"stories": 2_000_000, "almanac": 3_000_000}


def world_documents() -> list[list[str]]:
    told = world.stories(tokens=WORLD_TOKENS["stories"], seed=0)
    listed = almanac(tokens=WORLD_TOKENS["almanac"], seed=0)
    return [list(s.tokens) for source in (told, listed) for s in source]


def shakespeare_documents() -> list[list[str]]:
    return [data.words(part) for part in data.text("tinyshakespeare").split("\n\n")]


def ours(documents: list[list[str]], seed: int) -> WordVectors:
    text = embeddings.encode(documents)
    generator = torch.Generator().manual_seed(seed)
    return embeddings.train_skipgram(text, EmbeddingConfig(), generator)[0]


def gensims(documents: list[list[str]], seed: int) -> WordVectors:
    model = Word2Vec(
        documents, vector_size=100, sg=1, window=5, negative=5, min_count=5, sample=1e-3,
        epochs=PASSES, workers=WORKERS, seed=seed + 1,
    )  # fmt: skip
    return WordVectors(tuple(model.wv.index_to_key), model.wv.vectors)


def rate(learn, documents: list[list[str]], seed: int) -> tuple[float, WordVectors]:
    """Words a second and the vectors."""
    words = PASSES * sum(map(len, documents))
    start = time.perf_counter()
    vectors = learn(documents, seed)
    return words / (time.perf_counter() - start), vectors


def table(name: str, documents: list[list[str]]) -> bool:
    """Print the rates of both on one text; whether ours is at least gensim's."""
    questions = read_questions(analogy_questions())
    rates, right = [], []
    for seed in range(RUNS):
        pair = [rate(learn, documents, seed) for learn in (ours, gensims)]
        rates.append([speed for speed, _ in pair])
        right.append([total(accuracy(v, questions).values()) for _, v in pair])
    ratios = [mine / theirs for mine, theirs in rates]
    middle = [statistics.median(side) for side in zip(*rates, strict=True)]
    print(f"\n{name}: {sum(map(len, documents)):,} tokens, medians of {RUNS} pairs")
    print(f"{'':24s}{'ours':>14s}{'gensim':>14s}{'ratio':>8s}   (spread)")
    print(
        f"{'words a second':24s}{middle[0]:14,.0f}{middle[1]:14,.0f}"
        f"{statistics.median(ratios):8.1f}   ({min(ratios):.1f} to {max(ratios):.1f}; must reach 1)"
    )
    if right[0][0].asked:
        shown = [statistics.median(s.accuracy for s in side) for side in zip(*right, strict=True)]
        print(f"{'analogies right':24s}{shown[0]:14.1%}{shown[1]:14.1%}")
        return statistics.median(ratios) >= 1 and shown[0] >= shown[1] - 0.01
    return statistics.median(ratios) >= 1


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(WORKERS)
    held = [
        table("tiny Shakespeare", shakespeare_documents()),
        table("the world: stories and almanac", world_documents()),
    ]
    if not all(held):
        raise SystemExit("slower than gensim, or worse at analogies")
