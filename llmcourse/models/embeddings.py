"""Learning word vectors from text: skip-gram with negative sampling, CBOW, LSA, GloVe's loss.

The skip-gram loss depends on the text only through the number of times each pair of words occurs
together (Levy and Goldberg 2014). So `train_skipgram` counts the pairs once and takes each step on
all of them. word2vec draws negatives for every pair, Ji et al. for every minibatch; here each pair
(centre, noise word) has the weight with which it would be drawn. A step is three matrix products,
whatever the length of the text. `train_cbow` needs the contexts themselves: it goes through the
text in minibatches that share their negatives. The two losses at the top are the definitions, for
a few pairs.

Left out: hierarchical softmax, phrases, parts of words, vocabularies above `contexts.LARGEST`.

source: Mikolov et al. 2013, arXiv:1301.3781 and arXiv:1310.4546; Levy and Goldberg 2014, Neural
word embedding as implicit matrix factorization; Pennington, Socher and Manning 2014, GloVe; Ji et
al. 2016, arXiv:1604.04661.
unit: 04_word2vec
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from llmcourse.arguments import ids_of, no_string
from llmcourse.models.contexts import Text, cbow_contexts, keep_probs, noise_probs, pair_counts
from llmcourse.models.word_vectors import WordVectors


def softmax_skipgram_loss(
    centre_vectors: np.ndarray, context_vectors: np.ndarray, pairs: Sequence[tuple[int, int]]
) -> float:
    """Return the mean of -ln P(context | centre) in nats, a softmax over all V context vectors."""
    centres, contexts = _checked_pairs(pairs, len(centre_vectors), len(context_vectors))
    scores = torch.as_tensor(centre_vectors)[centres] @ torch.as_tensor(context_vectors).T
    return F.cross_entropy(scores, contexts).item()


def negative_sampling_loss(
    centre_vectors: np.ndarray,
    context_vectors: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    negatives: Sequence[Sequence[int]],
) -> float:
    """Return the mean over pairs of -ln s(true score) - sum of ln s(-noise score), in nats.

    negatives: the k noise words of each pair. source: arXiv:1310.4546, equation 4.
    """
    centre, context = torch.as_tensor(centre_vectors), torch.as_tensor(context_vectors)
    centres, contexts = _checked_pairs(pairs, len(centre), len(context))
    drawn = torch.from_numpy(ids_of(negatives, len(context), "noise words"))
    noise = context[drawn.reshape(len(pairs), -1)]
    true = F.logsigmoid((centre[centres] * context[contexts]).sum(1))
    false = F.logsigmoid(-(noise @ centre[centres][:, :, None])[..., 0]).sum(1)
    return -(true + false).mean().item()


def _checked_pairs(
    pairs: Sequence[tuple[int, int]], n_centres: int, n_contexts: int
) -> tuple[Tensor, Tensor]:
    """Return the ids of the centres and of the contexts; a loss is a mean over at least one."""
    if len(pairs) == 0:
        raise ValueError("expected at least one pair to average over, got none: take more text")
    table = ids_of(pairs, max(n_centres, n_contexts), "ids of pairs").reshape(len(pairs), 2)
    centres, contexts = ids_of(table[:, 0], n_centres), ids_of(table[:, 1], n_contexts)
    return torch.from_numpy(centres), torch.from_numpy(contexts)


@dataclass(frozen=True)
class EmbeddingConfig:
    """How word vectors are learned; the defaults are word2vec's where it has the same setting."""

    d_model: int = 100  # D, width of a vector
    window: int = 5  # words to either side; a word at distance i counts (window - i + 1) / window
    negatives: int = 5  # noise words for each pair
    noise_power: float = 0.75  # noise words are drawn in proportion to count ** noise_power
    subsample: float = 1e-3  # more frequent words than this are left out at times; 0: none are
    steps: int = 100  # skip-gram: updates, each on all pairs
    start: str = "random"  # skip-gram: or "spectral", after which a few steps suffice (small texts)
    epochs: int = 5  # CBOW: passes over the text
    batch: int = 4_096  # CBOW: words predicted in one update
    shared: int = 256  # CBOW: noise words that one update shares
    lr: float = 0.1  # Adam's learning rate at the first step; it falls linearly to 0

    def __post_init__(self) -> None:
        for name in ("d_model", "window", "negatives", "steps", "epochs", "batch", "shared"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.start not in ("random", "spectral"):
            raise ValueError(f"start must be 'random' or 'spectral', got {self.start!r}")
        if self.lr <= 0 or self.subsample < 0:
            raise ValueError(f"lr must be above 0 and subsample at least 0, got {self}")


def expected_pairs(
    text: Text, config: EmbeddingConfig
) -> tuple[Float[Tensor, "V V"], Float[Tensor, "V V"]]:
    """Return how often each (centre, context) is expected as a true pair and as a noise pair.

    With n_ij expected true pairs, k negatives and the noise distribution q: noise_ij = k n_i q_j.
    """
    keep = torch.from_numpy(keep_probs(text.counts, config.subsample)).float()
    true = torch.from_numpy(pair_counts(text, config.window)).float()
    true.mul_(keep).mul_(keep[:, None])
    q = torch.from_numpy(noise_probs(text.counts, config.noise_power)).float()
    return true, torch.outer(config.negatives * true.sum(1), q)


def skipgram_loss(
    scores: Float[Tensor, "V V"], true: Float[Tensor, "V V"], noise: Float[Tensor, "V V"]
) -> Float[Tensor, ""]:
    """Return the negative-sampling loss in nats per true pair, from `expected_pairs`.

    scores: (V, V), the dot product of each centre vector with each context vector.
    source: arXiv:1310.4546, equation 4; Levy and Goldberg 2014, equation 3.
    """
    return -(true * F.logsigmoid(scores) + noise * F.logsigmoid(-scores)).sum() / true.sum()


def skipgram_gradient(
    scores: Float[Tensor, "V V"], true: Float[Tensor, "V V"], total: Float[Tensor, "V V"]
) -> Float[Tensor, "V V"]:
    """Return dL/dscores of `skipgram_loss` times the number of true pairs; total = true + noise."""
    return torch.sigmoid(scores).mul_(total).sub_(true)  # (true + noise) s(x) - true, per pair


def spectral_start(
    true: Float[Tensor, "V V"],
    noise: Float[Tensor, "V V"],
    d_model: int,
    generator: torch.Generator | None = None,
) -> tuple[Float[Tensor, "V D"], Float[Tensor, "V D"]]:
    """Return centre and context vectors whose scores are near max(0, ln(true / noise)).

    A pair that never occurs has the score 0. Without the limit D these scores would be the best
    possible ones (Levy and Goldberg 2014). The largest singular vectors are found with a randomised
    range finder and one power iteration.
    source: Halko, Martinsson and Tropp 2011, arXiv:0909.4061, algorithm 4.4.
    """
    best = torch.where(true > 0, true / noise, 1).clamp_(min=1).log_()  # 0 / 0: no neighbours
    width = min(d_model, len(best))
    basis = torch.linalg.qr(best @ torch.rand(len(best), width, generator=generator))[0]
    basis = torch.linalg.qr(best @ (best.T @ basis))[0]
    left, sizes, right = torch.linalg.svd(basis.T @ best, full_matrices=False)
    spare = (0, d_model - width)
    return F.pad(basis @ left * sizes.sqrt(), spare), F.pad(right.T * sizes.sqrt(), spare)


def train_skipgram(
    text: Text, config: EmbeddingConfig, generator: torch.Generator | None = None
) -> tuple[WordVectors, WordVectors]:
    """Learn centre and context vectors of skip-gram with negative sampling from all pairs.

    A word without neighbours keeps its initial vectors.
    """
    true, noise = expected_pairs(text, config)
    if config.start == "spectral":
        centre, context = spectral_start(true, noise, config.d_model, generator)
    else:
        centre, context = (_start(text, config, generator) for _ in range(2))
    total = noise.add_(true)
    optimizer = torch.optim.Adam([centre, context], betas=(0.9, 0.98))
    for step in range(config.steps):
        gradient = skipgram_gradient(centre @ context.T, true, total)
        centre.grad, context.grad = gradient @ context, gradient.T @ centre
        _descend(optimizer, config.lr * (1 - step / config.steps))
    return _named(text, centre), _named(text, context)


def cbow_loss(
    means: Float[Tensor, "B D"],
    centres: Float[Tensor, "B D"],
    noise: Float[Tensor, "K D"],
    negatives: int,
) -> Float[Tensor, ""]:
    """Return the mean negative-sampling loss in nats a word; all words share the K noise words.

    Their K terms are scaled to the weight of `negatives` noise words drawn for each word.
    """
    true = F.logsigmoid((means * centres).sum(1))
    false = F.logsigmoid(-means @ noise.T).mean(1)
    return -(true + negatives * false).mean()


def train_cbow(
    text: Text, config: EmbeddingConfig, generator: torch.Generator | None = None
) -> tuple[WordVectors, WordVectors]:
    """Learn context (input) and centre (output) vectors of CBOW: a word from its neighbours' mean.

    Each update draws `batch` words, subsampled and with random windows as in word2vec, and predicts
    them against the same `shared` noise words.
    """
    rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    noise = torch.from_numpy(noise_probs(text.counts, config.noise_power))
    inner, outer = (_start(text, config, generator, spare).requires_grad_() for spare in (1, 0))
    optimizer = torch.optim.Adam([inner, outer], betas=(0.9, 0.98))
    updates = 1 + config.epochs * len(text.ids) // config.batch
    for step in range(updates):
        positions = _draw_positions(text, config, rng)
        reach = rng.integers(1, config.window + 1, len(positions))
        contexts = cbow_contexts(text, positions, reach)
        drawn = torch.multinomial(noise, config.shared, replacement=True, generator=generator)
        means = F.embedding_bag(contexts, inner, mode="mean", padding_idx=len(text.words))
        centres = outer[torch.from_numpy(text.ids[positions])]
        cbow_loss(means, centres, outer[drawn], config.negatives).backward()
        _descend(optimizer, config.lr * (1 - step / updates))
    return _named(text, inner.detach()[:-1]), _named(text, outer.detach())


def lsa(counts: np.ndarray, words: Sequence[str], d_model: int = 100) -> WordVectors:
    """Return latent semantic analysis: D singular vectors of log(1 + counts), largest first.

    Each is scaled by its singular value.

    counts: symmetric, (V, V), as `pair_counts` gives it.
    source: Deerwester et al. 1990, Indexing by latent semantic analysis.
    """
    no_string(words, "a list of words", "name each row of the counts")
    values, vectors = np.linalg.eigh(np.log1p(counts))
    largest = np.argsort(-np.abs(values))[:d_model]
    return WordVectors(tuple(words), (vectors[:, largest] * np.abs(values[largest])).astype("f4"))


def glove_loss(
    scores: Float[Tensor, "V V"],
    counts: Float[Tensor, "V V"],
    x_max: float = 100.0,
    power: float = 0.75,
) -> Float[Tensor, ""]:
    """Return GloVe's loss: the weighted squared distance of the scores from the log counts.

    scores: (V, V), dot products with both words' biases added; pairs with count 0 do not matter.
    source: Pennington, Socher and Manning 2014, equations 8 and 9.
    """
    weight = (counts / x_max).clamp(max=1) ** power
    distance = scores - torch.where(counts > 0, counts, 1).log()
    return (weight * distance**2).sum()


def train_glove(
    text: Text, config: EmbeddingConfig, generator: torch.Generator | None = None
) -> WordVectors:
    """Learn sums of centre and context vectors that make `glove_loss` small, on all pairs."""
    counts = torch.from_numpy(pair_counts(text, config.window)).float()
    parts = [_start(text, config, generator) for _ in range(2)]
    parts += [torch.zeros(len(counts), 1), torch.zeros(1, len(counts))]
    centre, context, centre_bias, context_bias = (part.requires_grad_() for part in parts)
    optimizer = torch.optim.Adam(parts, betas=(0.9, 0.98))
    for step in range(config.steps):
        scores = centre @ context.T + centre_bias + context_bias
        glove_loss(scores, counts).backward()
        _descend(optimizer, config.lr * (1 - step / config.steps))
    return _named(text, (centre + context).detach())


def _draw_positions(text: Text, config: EmbeddingConfig, rng: np.random.Generator) -> np.ndarray:
    """Draw `batch` random positions of the text and keep each with its word's `keep_probs`.

    If none is kept, which happens in small batches, draw one with the same probabilities.
    """
    positions = rng.integers(0, len(text.ids), config.batch)
    keep = keep_probs(text.counts, config.subsample)
    kept = positions[rng.random(len(positions)) < keep[text.ids[positions]]]
    if len(kept):
        return kept
    keep = keep[text.ids]
    return rng.choice(len(text.ids), 1, p=keep / keep.sum())


def _start(
    text: Text, config: EmbeddingConfig, generator: torch.Generator | None, spare: int = 0
) -> Tensor:
    """Return initial vectors as in word2vec: uniform from -1 / (2 D) to 1 / (2 D)."""
    shape = len(text.words) + spare, config.d_model
    return (torch.rand(shape, generator=generator) - 0.5) / config.d_model


def _descend(optimizer: torch.optim.Optimizer, lr: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.step()
    optimizer.zero_grad()


def _named(text: Text, vectors: Tensor) -> WordVectors:
    return WordVectors(text.words, vectors.numpy())
