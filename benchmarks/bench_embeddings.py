"""Skip-gram with negative sampling against gensim with two workers: words a second and analogies.

Run: python -m benchmarks.bench_embeddings. Both learn 100 numbers a word (window 5, min_count 5,
thinning at 1e-3) from the same tokens; gensim goes through them in its 5 passes with 5 negatives.
Ours counts the pairs and takes steps on all of them, so negatives cost nothing: 15 on the world; on
the small text it starts from singular vectors and takes 4 steps. Words a second are the words of
gensim's passes over the whole time from lists of tokens to vectors, for both. Must reach gensim's
rate at equal or better analogies: the world's questions, and word2vec's own beside them.
"""

import statistics
import time
import warnings
from functools import partial

import torch

from llmcourse import world
from llmcourse.models import contexts, embeddings
from llmcourse.models.embeddings import EmbeddingConfig
from llmcourse.models.word_vectors import WordVectors, accuracy, read_questions, total
from llmcourse.text import corpora as data
from llmcourse.world import almanac, analogy_questions

PASSES, RUNS, WORKERS = 5, 5, 2
SMALL = EmbeddingConfig(steps=4, start="spectral")
LARGE = EmbeddingConfig(negatives=15)
WORLD_TOKENS = {"stories": 2_000_000, "almanac": 3_000_000}


def world_documents() -> list[list[str]]:
    told = world.stories(tokens=WORLD_TOKENS["stories"], seed=0)
    listed = almanac(tokens=WORLD_TOKENS["almanac"], seed=0)
    return [list(s.tokens) for source in (told, listed) for s in source]


def shakespeare_documents() -> list[list[str]]:
    return [data.words(part) for part in data.text("tinyshakespeare").split("\n\n")]


def ours(config: EmbeddingConfig, documents: list[list[str]], seed: int) -> WordVectors:
    text = contexts.encode(documents)
    generator = torch.Generator().manual_seed(seed)
    return embeddings.train_skipgram(text, config, generator)[0]


def gensims(documents: list[list[str]], seed: int) -> WordVectors:
    from gensim.models import Word2Vec  # takes seconds

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


def answered(vectors: WordVectors) -> float:
    """Right answers over the questions asked, the world's and word2vec's together."""
    sources = analogy_questions(), data.text("questions-words")
    scores = [s for text in sources for s in accuracy(vectors, read_questions(text)).values()]
    return total(scores).accuracy


def table(name: str, documents: list[list[str]], config: EmbeddingConfig) -> bool:
    """Print rates and answers on one text; whether ours are as good on both."""
    rates, right = [], []
    for seed in range(RUNS):
        pair = [rate(learn, documents, seed) for learn in (partial(ours, config), gensims)]
        rates.append([speed for speed, _ in pair])
        right.append([answered(vectors) for _, vectors in pair])
    ratios = [mine / theirs for mine, theirs in rates]
    speed, shown = (
        [statistics.median(x) for x in zip(*both, strict=True)] for both in (rates, right)
    )
    ratio = statistics.median(ratios)
    print(f"\n{name}: {sum(map(len, documents)):,} tokens, medians of {RUNS} pairs")
    print(f"{'':24s}{'ours':>14s}{'gensim':>14s}{'ratio':>8s}   (spread)")
    spread = f"({min(ratios):.1f} to {max(ratios):.1f}; must reach 1)"
    print(f"{'words a second':24s}{speed[0]:14,.0f}{speed[1]:14,.0f}{ratio:8.1f}   {spread}")
    print(f"{'analogies right':24s}{shown[0]:14.1%}{shown[1]:14.1%}", flush=True)
    return ratio >= 1 and shown[0] >= shown[1] - 0.01


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(WORKERS)
    held = [
        table("tiny Shakespeare", shakespeare_documents(), SMALL),
        table("the world: stories and almanac", world_documents(), LARGE),
    ]
    if not all(held):
        raise SystemExit("slower than gensim, or worse at analogies")
