# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Word vectors
#
# **Can a word be a vector?** For an n-gram model *cat* and *dog* are two symbols, as different as *cat* and *of*:
# what was seen after one says nothing about the other. This unit gives each word a list of numbers, learned from
# nothing but its neighbours in a text, such that words used alike lie close together. Some questions can then be
# answered by adding and subtracting.

# %% tags=["parameters"]
preset = "cpu"
device = "auto"
seed = 0

# %% [markdown]
# Everything below runs on one core in about a minute. `rt` knows the preset and the seed, and records what is
# claimed.

# %%
import numpy as np

from llmcourse.checks import u04_word2vec as check
from llmcourse.runtime import choose, setup

rt = setup(preset, device, seed)

# %% [markdown]
# ## What will be built
#
# The text comes from the course's invented world: a quarter of it stories, the rest an almanac, whose short entries
# tell of countries, of qualities (*big, bigger, biggest*) and of people (*the queen and her crown*). Words that come
# fewer than five times are left out.

# %% tags=["demo"]
from dataclasses import replace

from llmcourse import plotting, world
from llmcourse.models import contexts, embeddings, word_vectors
from llmcourse.models.embeddings import EmbeddingConfig
from llmcourse.models.word_vectors import accuracy, read_questions, total
from llmcourse.world import almanac, analogy_questions

size = rt.pick(smoke=15_000, cpu=500_000)
documents = [story.tokens for story in world.stories(tokens=size, seed=rt.seed)]
documents += [entry.tokens for entry in almanac(tokens=3 * size, seed=rt.seed)]
text = contexts.encode(documents)
print(" ".join(documents[0][:24]), "...\n" + " ".join(documents[-1][:24]), "...")
print(f"{len(text.ids):,} words of text, {len(text.words):,} different")

# %% [markdown]
# Here are the vectors that you will be able to learn and to question by the end: 100 numbers a word, called
# **embeddings**. To look at them, `flatten` keeps the two directions in which the chosen words differ most (principal
# components).


# %% tags=["demo"]
def flatten(vectors, words):
    points = np.stack([vectors.unit[vectors.row(word)] for word in words])
    points = points - points.mean(0)
    directions = np.linalg.svd(points, full_matrices=False)[2][:2]
    return dict(zip(words, (points @ directions.T).tolist()))


config = EmbeddingConfig(d_model=100, window=5, negatives=5, steps=rt.pick(smoke=3, cpu=100))
skipgram, context = embeddings.train_skipgram(text, config, rt.generator())

# %% [markdown]
# Six words each of five kinds. The program was told of no kinds, and of no meanings.

# %% tags=["demo"]
kb = world.knowledge_base()
kinds = {
    "countries": [c.name for c in kb.countries],
    "currencies": [c.currency for c in kb.countries],
    "animals": [animal.singular for animal in kb.animals],
    "colours": kb.colours,
    "jobs": kb.jobs,
}
kinds = {kind: [word for word in names if word in skipgram][:6] for kind, names in kinds.items()}

# %% [markdown]
# Five markers, one for each kind (a name for which there is no room is left out):

# %% tags=["demo"]
plotting.word_map(flatten(skipgram, [w for names in kinds.values() for w in names]), kinds);

# %% [markdown]
# Each kind has its own region, and the countries lie nearest to the currencies. Where words stand close, the program
# found them in the same contexts. The rest of the unit says how.
#
# ## A word as a number is not enough
#
# A program needs numbers, and the plainest is the word's index in the vocabulary. But that *cat* is 0 and *dog* is 1
# means nothing: is *dog* more than *cat*? The honest form is a vector with a single 1, at the word's index:
# **one-hot**. By hand for three words:

# %% tags=["nbval-check-output"]
vocabulary = ["cat", "dog", "cart"]
for i, word in enumerate(vocabulary):
    print(f"{word:5s}", [1.0 if i == j else 0.0 for j in range(3)])

# %% [markdown] exercise="one_hot"
# Do it for a whole text at once: one row for each token.
#
# | | |
# |---|---|
# | `ids` | a list of T whole numbers, the indices of the tokens in the vocabulary |
# | `vocab_size` | V |
# | returns | a numpy array of shape (T, V), zeros but for one 1 in each row |
# | edges | no ids: shape (0, V); an id below 0 or not below V: `ValueError` (numpy takes -1 for the last index) |

# %% exercise="one_hot"
def one_hot(ids: list, vocab_size: int) -> np.ndarray:
    """Return a row for each id, with a 1 at its index."""
    ### BEGIN SOLUTION
    if any(not 0 <= i < vocab_size for i in ids):
        raise ValueError(f"ids must be from 0 to {vocab_size - 1}")
    rows = np.zeros((len(ids), vocab_size))
    rows[np.arange(len(ids)), ids] = 1
    return rows
    ### END SOLUTION


# %% check="one_hot"
check.one_hot(one_hot);

# %% [markdown]
# How similar are two words in this form? The dot product of two vectors of length 1 is the cosine of the angle
# between them: 1 for the same direction, 0 for a right angle. Expect a table that says nothing.

# %% tags=["demo"]
rows = choose(one_hot, contexts.one_hot)([0, 1, 2], 3)
print(rows @ rows.T)

# %% [markdown]
# All words are at right angles: *cat* is as far from *dog* as from *cart*. And each vector has as many numbers as the
# vocabulary has words. But one thing one-hot vectors do well. Times a matrix of V rows, a one-hot vector picks one
# row:

# %% tags=["nbval-check-output"]
matrix = np.array([[0.9, 0.1], [0.8, 0.2], [-0.3, 0.7]])
print(np.array([0.0, 1.0, 0.0]) @ matrix, matrix[1])

# %% [markdown]
# So a layer of a network that takes one-hot vectors is a table with one row for each word. The row is the word's
# vector, and it can be learned.
#
# ## Know a word by its context
#
# What should a row hold? *You shall know a word by the company it keeps* (Firth 1957). Words that mean similar things
# appear among similar words (Harris 1954). So look at the words around each word, up to a distance called the
# **window**. With window 2:

# %% tags=["nbval-check-output"]
sentence = "the old dog barks at the cat".split()
for i in (0, 2, 6):
    left, right = sentence[max(0, i - 2) : i], sentence[i + 1 : i + 3]
    print(f"{' '.join(left):>9s} [{sentence[i]}] {' '.join(right)}")

# %% [markdown] exercise="skipgram_pairs"
# The word in brackets is the **centre**, the words around it are its **context**. The **skip-gram** model (Mikolov et
# al. 2013) learns from pairs of the two. Return all of them: centres in the order of the text, and for each centre
# its context words from left to right.
#
# For `["a", "b", "c"]` and window 1: `[("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")]`.
#
# | | |
# |---|---|
# | `tokens` | a list of strings or ids, of any length |
# | `window` | the largest distance between the two, in tokens |
# | returns | a list of tuples `(centre, context)`; a pair that comes twice in the text comes twice |
# | edges | fewer than two tokens: an empty list; window < 1: `ValueError` |
# | | two positions may hold the same word, then `(word, word)` is a pair |

# %% exercise="skipgram_pairs"
def skipgram_pairs(tokens: list, window: int) -> list:
    """Return (centre, context) for all two positions at most `window` apart."""
    ### BEGIN SOLUTION
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    pairs = []
    for i, centre in enumerate(tokens):
        for j in range(max(0, i - window), min(len(tokens), i + window + 1)):
            if j != i:
                pairs.append((centre, tokens[j]))
    return pairs
    ### END SOLUTION


# %% check="skipgram_pairs"
check.skipgram_pairs(skipgram_pairs);

# %% [markdown]
# The usual window is 5. Count the pairs of the whole text, and each word has a row: how often each other word stood
# near it. `pair_counts` counts as word2vec does, where a neighbour at distance 5 counts a fifth of one at distance 1.

# %% tags=["demo"]
counts = contexts.pair_counts(text, window=5)
for word in ["dog", "cat", "cart"]:
    row = counts[text.words.index(word)]
    print(f"{word:5s}", [(text.words[j], int(row[j])) for j in np.argsort(-row)[:9]])

# %% [markdown]
# Full stops, *a* and *the* fill the top of each row. What tells a dog from a cart (*Biscuit*, *slow*) stands between
# and behind them, and each row has 1,794 numbers.
#
# **The older way: LSA.** Latent semantic analysis (Deerwester et al. 1990, words by documents; words by words, Rohde
# et al. 2005, each with its own weighting) replaces the table, here ln(1 + count), by the product of two narrow ones
# that comes nearest to it in squared error (singular value decomposition). The rows of a narrow table are the
# vectors. LSA is our baseline. Expect sense for *red* and *Varland*; look twice at *dog*.

# %% tags=["demo"]
lsa = embeddings.lsa(counts, text.words, config.d_model)
for word in ["dog", "red", "Varland"]:
    if word in lsa:
        print(f"{word:8s}", [(other, round(cosine, 2)) for other, cosine in lsa.nearest(word)])

# %% [markdown]
# Colours stand with colours and countries with countries, but the nearest to *dog* is *boat*: 100 numbers are few for
# LSA, as a comparison below will show. Now we predict instead of counting.
#
# ## The other direction: CBOW
#
# Skip-gram predicts each context word from the centre. **Continuous bag of words** (CBOW, same paper) predicts the
# centre from the average of its context. It needs, for every position, the context as a row of equal length, so that
# a text becomes a matrix.

# %% [markdown] exercise="cbow_batch"
# Return the two arrays of a text. Each row of the context has the `window` words to the left, in the order of the
# text, then the `window` words to the right. Where the text ends, the row is filled with -1, so that the word at
# distance d to the left is always in column `window - d`.
#
# For ids `[7, 8, 9]` and window 2 the context of 8 is `[-1, 7, 9, -1]`.
#
# | | |
# |---|---|
# | `ids` | a list of T whole numbers, 0 or more |
# | `window` | words to each side |
# | returns | `(contexts, centres)`: whole-number arrays of shapes (T, 2 window) and (T,) |
# | edges | one word alone has a context of -1 only; no words: shapes (0, 2 window) and (0,) |
# | | window < 1: `ValueError` |

# %% exercise="cbow_batch"
def cbow_batch(ids: list, window: int) -> tuple:
    """Return the padded context of every position, and the word there."""
    ### BEGIN SOLUTION
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    padded = np.array([-1] * window + list(ids) + [-1] * window, dtype=int)
    columns = [*range(window), *range(window + 1, 2 * window + 1)]
    contexts = [padded[i + np.array(columns)] for i in range(len(ids))]
    return np.array(contexts, dtype=int).reshape(len(ids), 2 * window), np.array(ids, dtype=int)
    ### END SOLUTION


# %% [markdown]
# The check takes a text of four words, one word alone, and none.

# %% check="cbow_batch"
check.cbow_batch(cbow_batch);

# %% [markdown]
# The average must leave out the -1: a word at the beginning has fewer neighbours, not a neighbour called -1. With
# vectors from the little matrix above:


# %% tags=["demo"]
batch = choose(cbow_batch, contexts.cbow_batch)
around, centres = batch([0, 1, 2, 0], 1)
for row, centre in zip(around, centres):
    near_by = matrix[row[row >= 0]]
    print(row, "->", centre, " mean of the context vectors:", near_by.mean(0).round(2))

# %% [markdown]
# Skip-gram sees each pair on its own, and does better on rare words; CBOW is faster (so the authors' notes to their
# program, `word2vec`). We go on with skip-gram, and meet CBOW again in the comparison.
#
# ## Two vectors for each word
#
# The model has two tables: a vector $u_w$ for each word as a centre and a vector $v_c$ for each word as context. Why
# two? With one vector a word, the score of (dog, dog) would be its length squared: no other vector of that length can
# score higher. But words avoid themselves (Goldberg and Levy 2014). Look at the fraction of the pairs of a word that
# it forms with itself, against its relative frequency in the text. Expect the first to be smaller. The last line
# counts the words for which it is larger.

# %% tags=["demo"]
for word in ["dog", "river", "Mia", "biggest", "the"]:
    if word in text.words:
        i = text.words.index(word)
        own, fraction = counts[i, i] / counts[i].sum(), text.counts[i] / text.counts.sum()
        print(f"{word:8s} next to itself {own:8.5f}, anywhere {fraction:8.5f}")
more = np.diag(counts) / counts.sum(1) > text.counts / text.counts.sum()
print(more.sum(), "of", len(text.words), "words more often;", (np.diag(counts) == 0).sum(), "never")

# %% [markdown]
# Of the five only *Mia* is an exception. Of all 1,794 words 148 are, most of them names or words that come in pairs
# (*as ... as*); 1,592 never stand near themselves. Two tables let *dog* be unlikely near *dog*, and still be similar
# to itself. Afterwards the centre vectors are kept; some add both.
#
# ## Predicting a neighbour: softmax
#
# The probability of a context word c around the centre w is a softmax over the scores of all words:
#
# $$P(c \mid w) = \frac{\exp(u_w \cdot v_c)}{\sum_{c'} \exp(u_w \cdot v_{c'})}$$
#
# The loss is the mean of $-\ln P(c \mid w)$ over the pairs, in nats. By hand for one centre and three context
# vectors, with scores 2, 1 and 0: expect the first word to be likely, and a loss of 0.41 if it was the right one.

# %% tags=["nbval-check-output"]
scores = np.array([2.0, 1.0, 0.0])
probs = np.exp(scores) / np.exp(scores).sum()
print(probs.round(3), "loss if word 0 came:", (-np.log(probs[0])).round(3))

# %% [markdown] exercise="softmax_skipgram_loss"
# Return the loss of a list of pairs. Scores can be in the thousands, where `exp` overflows. Subtract the largest
# score of a row from all of its scores first: the probabilities are the same, since the factor cancels. Stay with
# logarithms to the end: $\ln P = s_c - \ln \sum \exp(s)$.
#
# | | |
# |---|---|
# | `centre_vectors`, `context_vectors` | arrays of shape (V, D), a row for each word |
# | `pairs` | a list of N >= 1 tuples `(centre, context)` of ids |
# | returns | a number: the mean over the pairs of $-\ln P$, in nats |
# | edges | scores of any size give a finite loss |

# %% exercise="softmax_skipgram_loss"
def softmax_skipgram_loss(centre_vectors: np.ndarray, context_vectors: np.ndarray, pairs: list) -> float:
    """Return the mean of -ln P(context | centre) over the pairs."""
    ### BEGIN SOLUTION
    centres, contexts = np.array(pairs).T
    scores = centre_vectors[centres] @ context_vectors.T
    scores = scores - scores.max(1, keepdims=True)
    log_probs = scores[np.arange(len(pairs)), contexts] - np.log(np.exp(scores).sum(1))
    return -log_probs.mean()
    ### END SOLUTION


# %% [markdown]
# In one case the scores are so large that the loss is 1,600. It must not come out infinite.

# %% check="softmax_skipgram_loss"
check.softmax_skipgram_loss(softmax_skipgram_loss);

# %% [markdown]
# **Expect** ln V before any training, since tiny random vectors give every word the same probability. Above: the
# vectors begin too large.

# %% tags=["demo"]
rng = np.random.default_rng(rt.seed)
V = len(text.words)
u, v = (rng.uniform(-0.005, 0.005, (V, 100)) for _ in range(2))
some = [tuple(pair) for pair in rng.integers(0, V, (50, 2)).tolist()]
loss = choose(softmax_skipgram_loss, embeddings.softmax_skipgram_loss)(u, v, some)
print(f"loss {float(loss):.4f}, ln V = {np.log(V):.4f}")

# %% [markdown]
# ## Negative sampling
#
# Each pair asked for V scores. With 100,000 words and a billion pairs that is too much. **Negative sampling**
# (Mikolov et al. 2013, second paper) asks a cheaper question: given a pair, was it seen in the text, or made up? For
# each true pair, k words are drawn from a noise distribution. The true pair should get a high score and the k false
# ones low scores:
#
# $$-\ln \sigma(u_w \cdot v_c) \;-\; \sum_{i=1}^{k} \ln \sigma(-u_w \cdot v_{n_i})
# \qquad \sigma(x) = \frac{1}{1 + e^{-x}}$$
#
# Where do noise words come from? Drawn in proportion to the counts, more than one in six would be *the* or a full
# stop; drawn evenly, nearly always a rare word. The authors found a power of 3/4 of the counts between the two to
# work best. By hand for counts 16 and 1:

# %% tags=["nbval-check-output"]
for power in (0, 0.75, 1):
    frequent = 16**power / (16**power + 1**power)
    print(f"power {power:4}: the frequent word is drawn with probability {frequent:.3f}")

# %% [markdown] exercise="noise_probs"
# Return the distribution for all words.
#
# | | |
# |---|---|
# | `counts` | a list or array of V counts, 0 or more, at least one above 0 |
# | `power` | the power they are raised to, a number above 0 |
# | returns | an array of V probabilities that sum to 1 |
# | edges | a count of 0 gives probability 0; all counts 0: `ValueError` |

# %% exercise="noise_probs"
def noise_probs(counts: list, power: float = 0.75) -> np.ndarray:
    """Return probabilities in proportion to counts ** power."""
    ### BEGIN SOLUTION
    raised = np.asarray(counts, dtype=float) ** power
    if raised.sum() == 0:
        raise ValueError("all counts are 0: there is nothing to draw")
    return raised / raised.sum()
    ### END SOLUTION


# %% check="noise_probs"
check.noise_probs(noise_probs);

# %% [markdown]
# On our text: the relative frequency of the most frequent word, of one in the middle of the list, and of the rarest,
# before and after.

# %% tags=["demo"]
noise = choose(noise_probs, contexts.noise_probs)(text.counts)
for i in (0, V // 2, V - 1):
    print(f"{text.words[i]:10s} frequency {text.counts[i] / text.counts.sum():.6f}, drawn {noise[i]:.6f}")

# %% [markdown] exercise="negative_sampling_loss"
# Return the loss of a batch for noise words that are already drawn: the mean over the pairs of the formula above. For
# large negative x, $\ln \sigma(x)$ must not be computed as the logarithm of a tiny number. Use `np.logaddexp(0, -x)`:
# it is $\ln(e^0 + e^{-x}) = -\ln \sigma(x)$, without overflow for any x.
#
# | | |
# |---|---|
# | `centre_vectors`, `context_vectors` | arrays of shape (V, D) |
# | `pairs` | a list of N >= 1 tuples `(centre, context)` of ids |
# | `negatives` | N lists of k >= 0 ids each: the noise words for each pair, repeated ones count each time |
# | returns | a number, in nats: the k noise terms of a pair are summed, the pairs averaged |
# | edges | scores of any size give a finite loss; k = 0: the true pairs only |

# %% exercise="negative_sampling_loss"
def negative_sampling_loss(
    centre_vectors: np.ndarray, context_vectors: np.ndarray, pairs: list, negatives: list
) -> float:
    """Return the mean over the pairs of -ln s(true score) - sum of ln s(-noise score)."""
    ### BEGIN SOLUTION
    losses = []
    for (centre, context), noise in zip(pairs, negatives):
        u = centre_vectors[centre]
        true = np.logaddexp(0, -(context_vectors[context] @ u))
        false = sum(np.logaddexp(0, context_vectors[n] @ u) for n in noise)
        losses.append(true + false)
    return float(np.mean(losses))
    ### END SOLUTION


# %% [markdown]
# In two of the pairs a noise word was drawn twice: it counts twice.

# %% check="negative_sampling_loss"
check.negative_sampling_loss(negative_sampling_loss);

# %% [markdown]
# **Expect** (1 + k) ln 2 before training: every score is near 0, and each of the 1 + k questions is a coin. With
# k = 5 that is 4.16. If it stays there, nothing is learned.


# %% tags=["demo"]
drawn = rng.choice(V, (50, 5), p=np.asarray(noise) / np.sum(noise)).tolist()
loss = choose(negative_sampling_loss, embeddings.negative_sampling_loss)(u, v, some, drawn)
print(f"loss {float(loss):.4f}, 6 ln 2 = {6 * np.log(2):.4f}")

# %% [markdown] question="why_negatives"

# %% [markdown]
# ## Training
#
# word2vec walks through the text, pair by pair, and draws noise for each. But the loss depends on the text only
# through *how often* each pair comes (Levy and Goldberg 2014), and a noise pair is drawn, on average, k times (number
# of pairs with this centre) times (noise probability). So we can count once, and take one step on all pairs at the
# same time. The derivative of the loss by a score s is simple. A pair that is true T times and noise N times
# contributes
#
# $$\frac{\partial}{\partial s}\left[-T \ln \sigma(s) - N \ln \sigma(-s)\right] = (T + N)\,\sigma(s) - T$$
#
# The chain rule does the rest: the score is $u_w \cdot v_c$, so its derivative with respect to $u_w$ is $v_c$. `U`
# holds the centre vectors u, `W` the context vectors v (`V` is the vocabulary's size). This is the whole loop, with
# frequent words thinned out inside `expected_pairs` (word2vec calls it subsampling). Adam is a gradient descent that
# scales each step; unit 10 builds it.
#
# **Expect** 4.16 at the start and about 1.5 after 40 steps. Flat at 4.16: no gradient arrives. Down to 0: the noise
# is missing.

# %% tags=["demo"]
import torch

true, noise_pairs = embeddings.expected_pairs(text, config)
generator = rt.generator()
U, W = (torch.rand(V, 100, generator=generator) / 100 - 0.005 for _ in range(2))
optimizer = torch.optim.Adam([U, W], lr=0.05, betas=(0.9, 0.98))
losses = []
for _ in range(rt.pick(smoke=3, cpu=40)):
    scores = U @ W.T
    losses.append(embeddings.skipgram_loss(scores, true, noise_pairs).item())
    # times the number of true pairs: Adam does not mind
    gradient = (true + noise_pairs) * torch.sigmoid(scores) - true
    U.grad, W.grad = gradient @ W, gradient.T @ U
    optimizer.step()

# %% [markdown]
# The loss of all 40 steps, with 6 ln 2 = 4.16 as a line:

# %% tags=["demo"]
start = {"6 ln 2": 6 * np.log(2)}
plotting.curves(range(len(losses)), {"all pairs": losses}, "step", "loss (nats per true pair)", levels=start);

# %% [markdown]
# A start at 4.16, then down, with two bumps: the rate of 0.05 is high. `train_skipgram`, which made the vectors of
# the first figure, does the same for a hundred steps and lets the rate fall. Its table of pairs has V x V counts.
# For a vocabulary of millions one goes back to drawing, and lets the pairs of a batch share their noise words, so
# that the work is again a product of matrices (Ji et al. 2016).
#
# ## Neighbours
#
# What did the vectors learn? Ask for the words in the most similar direction.

# %% [markdown] exercise="nearest"
# Similarity is the cosine: the dot product divided by both lengths. Return the ids of the most similar rows.
#
# | | |
# |---|---|
# | `vectors` | an array of shape (V, D), no row of zeros |
# | `index` | the row whose neighbours are wanted |
# | `n` | how many |
# | returns | a list of n ids, the most similar first, `index` itself left out |
# | edges | n larger than V - 1: all V - 1 others; of equal similarities any order is right |

# %% exercise="nearest"
def nearest(vectors: np.ndarray, index: int, n: int) -> list:
    """Return the n rows with the largest cosine to row `index`, best first."""
    ### BEGIN SOLUTION
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = unit @ unit[index]
    similarity[index] = -np.inf
    return np.argsort(-similarity)[: min(n, len(vectors) - 1)].tolist()
    ### END SOLUTION


# %% check="nearest"
check.nearest(nearest);

# %% [markdown]
# Expect animals next to an animal, colours next to a colour.


# %% tags=["demo"]
neighbours = choose(nearest, word_vectors.nearest)
for word in ["dog", "red", "Varland", "big", "bigger", "queen", "said"]:
    if word in skipgram:
        found = neighbours(skipgram.vectors, skipgram.row(word), 5)
        print(f"{word:8s}", [text.words[i] for i in found])

# %% [markdown]
# The world has no cars; a cart stands in. One-hot vectors would give 0 for both. LSA separates them too (0.80 against
# 0.67).

# %% tags=["demo"]
if {"dog", "cat", "cart"} <= set(text.words):
    close, far = skipgram.similarity("dog", "cat"), skipgram.similarity("dog", "cart")
    shown = f"{close:.2f} against {far:.2f}"
    print(f"LSA: {lsa.similarity('dog', 'cat'):.2f} against {lsa.similarity('dog', 'cart'):.2f}")
    rt.claim("similarity(dog, cat) > similarity(dog, cart), by 0.05 or more", shown, close - far > 0.05)

# %% [markdown] question="similar_opposites"

# %% [markdown]
# ## Adding and subtracting
#
# Man is to king as woman is to what? If the step from *man* to *king* is the same as from *woman* to *queen*, then
# king - man + woman should come out near *queen*. On paper, with two numbers a word: the first says royal, the second
# says female.

# %% tags=["nbval-check-output"]
paper = {"man": [0, 0], "woman": [0, 1], "king": [1, 0], "queen": [1, 1]}
print(np.array(paper["king"]) - paper["man"] + paper["woman"], "is queen:", paper["queen"])

# %% [markdown] exercise="analogy"
# Answer "a is to b as c is to ?" (3CosAdd): scale all rows to length 1, and return the row with the largest cosine to
# b - a + c. The three question words are excluded: in vectors of real text b or c itself is often the nearest (Linzen
# 2016).
#
# | | |
# |---|---|
# | `vectors` | an array of shape (V, D), V >= 4, no row of zeros |
# | `a`, `b`, `c` | ids of the question words, all different |
# | returns | the id of the answer |

# %% exercise="analogy"
def analogy(vectors: np.ndarray, a: int, b: int, c: int) -> int:
    """Return the row nearest to b - a + c, none of the three."""
    ### BEGIN SOLUTION
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = unit @ (unit[b] - unit[a] + unit[c])
    similarity[[a, b, c]] = -np.inf
    return int(similarity.argmax())
    ### END SOLUTION


# %% check="analogy"
check.analogy(analogy);

# %% [markdown]
# Four questions to the trained vectors, a capital, a currency, a superlative, a queen.


# %% tags=["demo"]
solve = choose(analogy, word_vectors.analogy)
asked = ["Varland Ostrum Tessaria", "Varland crowns Norrow", "big biggest cold", "man king woman"]
for question in asked:
    if all(word in skipgram for word in question.split()):
        a, b, c = (skipgram.row(word) for word in question.split())
        print(f"{question:26s} -> {text.words[solve(skipgram.vectors, a, b, c)]}")

# %% [markdown]
# word2vec came with a file of such questions, `questions-words.txt`, in sections. `analogy_questions` writes one for
# our world in the same format, from its knowledge base: every pair of two countries, of two qualities, of two pairs
# of a woman and a man. Guessing would be right once in V.
#
# Beside skip-gram we put LSA, CBOW, and **GloVe** (Pennington, Socher and Manning 2014), the cousin between counting
# and predicting: the scores should be the logarithms of the counts,
# $\sum_{ij} f(X_{ij})\,(u_i \cdot v_j + b_i + b'_j - \ln X_{ij})^2$ over the pairs with $X_{ij} > 0$, with
# $f(x) = \min(1, (x/100)^{3/4})$.

# %% tags=["demo"]
questions = read_questions(analogy_questions())
epochs, small = rt.pick(smoke=1, cpu=2), EmbeddingConfig(d_model=64, steps=config.steps, lr=0.05)
cbow_config = EmbeddingConfig(d_model=64, epochs=epochs, lr=0.03)
models = {
    "LSA": lsa,
    "GloVe": embeddings.train_glove(text, small, rt.generator()),
    "CBOW": embeddings.train_cbow(text, cbow_config, rt.generator())[0],
    "skip-gram": skipgram,
}
answers = {name: accuracy(model, questions) for name, model in models.items()}
print({name: round(total(found.values()).accuracy, 3) for name, found in answers.items()})

# %% [markdown]
# All questions together are above. Now the fraction of right answers in each section.

# %% tags=["demo"]
table = {
    name: {section.replace("-", "\n"): score.accuracy for section, score in found.items()}
    for name, found in answers.items()
}

# %% [markdown]
# Six sections, four methods:

# %% tags=["demo"]
ax = plotting.distributions(table, quantity="fraction answered right")
ax.set(ylim=(0, 1.05), xlabel="section")
ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=4);

# %% [markdown]
# All four know a good deal; the step from country to capital is there for each. Do not read a ranking of methods into
# it. CBOW, with 64 numbers a word and two passes, answers as many as skip-gram (0.97); GloVe ran short. And LSA has a
# setting too, the number of singular vectors. They come sorted: the narrower tables are the first columns of the
# widest.


# %% tags=["demo"]
def answered(vectors):
    return total(accuracy(vectors, questions).values()).accuracy


widest = embeddings.lsa(counts, text.words, 400).vectors
widths = [25, 100, 200, 300, 400]
of_lsa = [answered(word_vectors.WordVectors(text.words, widest[:, :width])) for width in widths]
print("LSA", dict(zip(widths, np.round(of_lsa, 3).tolist())))

# %% [markdown]
# Skip-gram with a quarter of its 100 numbers, trained anew. Expect hardly a loss.

# %% tags=["demo"]
narrow, _ = embeddings.train_skipgram(text, replace(config, d_model=25), rt.generator())
of_skipgram = [answered(narrow), answered(skipgram)]
print("skip-gram", dict(zip(widths, np.round(of_skipgram, 3).tolist())))

# %% [markdown]
# Five widths of LSA, two of skip-gram:

# %% tags=["demo"]
lines = {"LSA": of_lsa, "skip-gram": [*of_skipgram, np.nan, np.nan, np.nan]}
plotting.steps(widths, lines, "numbers a word", "fraction answered right").set_ylim(0, 1.05);

# %% [markdown]
# With 100 singular vectors LSA answers 73 %, with 400 about 98 %. Skip-gram answers as many with 100 numbers, and
# more than nine in ten with 25. So skip-gram packs the same knowledge into fewer numbers; it does not know more. With
# equal care the differences between the methods shrink (Levy, Goldberg and Dagan 2015). The claims:

# %% tags=["demo"]
best = total(answers["skip-gram"].values())
rt.claim(f"of {best.asked:,} analogies skip-gram answers 90 % or more", best.accuracy, best.accuracy >= 0.9)
shown = f"{of_skipgram[1]:.3f} against {of_lsa[1]:.3f}"
rt.claim("at 100 numbers a word skip-gram answers more than LSA", shown, of_skipgram[1] > of_lsa[1] + 0.05)
shown = f"{of_skipgram[0]:.3f} against {of_lsa[1]:.3f}"
rt.claim("with 25 numbers skip-gram answers more than LSA with 100", shown, of_skipgram[0] > of_lsa[1] + 0.05)

# %% [markdown]
# And without the rule that excludes the three question words? Take the word nearest to b - a + c, whichever it is.
# Our world is tidy: expect a question word now and then, and fewer right answers.

# %% tags=["demo"]
known = [q for section in questions.values() for q in section if all(word in skipgram for word in q)]
rows = np.array([[skipgram.row(word) for word in q] for q in known])
a, b, c = (skipgram.unit[rows[:, i]] for i in range(3))
nearest_of_all = ((b - a + c) @ skipgram.unit.T).argmax(1)
own = (nearest_of_all[:, None] == rows[:, :3]).any(1).mean()
print(f"without the rule: {own:.1%} question words, {(nearest_of_all == rows[:, 3]).mean():.1%} right")

# %% [markdown]
# The rule is worth ten points: 97.7 % right with it, 87.6 % without; 11.4 % of the nearest words are question words.
#
# The steps can be seen. Ten countries and their capitals, flattened as before; each arrow leads from a country to its
# capital.

# %% tags=["demo"]
named = [(c.name, c.capital) for c in kb.countries if {c.name, c.capital} <= set(text.words)]
pairs_of = {"countries": [one for one, _ in named], "capitals": [two for _, two in named]}

# %% [markdown]
# Countries left, capitals right:

# %% tags=["demo"]
plotting.word_map(flatten(skipgram, [word for pair in named for word in pair]), pairs_of, arrows=named);

# %% [markdown]
# The arrows point the same way. Part of that is the drawing, which looks along the direction from countries to
# capitals. So measure it in all 100 numbers: the mean cosine between two steps, and the same with each country given
# the capital of another.


# %% tags=["demo"]
def agreement(pairs):
    steps = [skipgram.unit[skipgram.row(two)] - skipgram.unit[skipgram.row(one)] for one, two in pairs]
    steps = word_vectors.unit_rows(np.array(steps))
    return (steps @ steps.T)[np.triu_indices(len(pairs), 1)].mean()


exchanged = [(one, named[i - 1][1]) for i, (one, _) in enumerate(named)]
print(f"mean cosine of two steps: {agreement(named):.2f}; capitals exchanged: {agreement(exchanged):.2f}")

# %% [markdown]
# Two steps have a mean cosine of 0.94; with the capitals exchanged, 0.61. What is left to those is the way from the
# region of the countries to that of the capitals. No sentence defines a capital; the almanac writes the word beside
# the names.

# %% [markdown] question="excluded_words"

# %% [markdown]
# ## What else is in the contexts
#
# Whatever the text has, the vectors have. In vectors learned from news text (Google News), the steps from *man* to
# *woman* lead from *computer programmer* to *homemaker* (Bolukbasi et al. 2016). Caliskan, Bryson and Narayanan
# (2017) measure it with an **association test** (WEAT). Let X and Y be two sets of words, here jobs, and A and B two
# sets of attributes, here *she, her* and *he, his*. The association of a word w is
#
# $$s(w) = \text{mean}_{a \in A} \cos(w, a) - \text{mean}_{b \in B} \cos(w, b)$$
#
# and the **effect size** is the difference between the means of s over X and over Y, in standard deviations of s over
# all words of X and Y. By hand with associations 0.3 and 0.1 in X, 0.0 and -0.2 in Y:

# %% tags=["nbval-check-output"]
of_x, of_y = np.array([0.3, 0.1]), np.array([0.0, -0.2])
spread = np.concatenate([of_x, of_y]).std(ddof=1)
print(f"({of_x.mean():.1f} - {of_y.mean():.1f}) / {spread:.3f} = {(of_x.mean() - of_y.mean()) / spread:.2f}")

# %% [markdown] exercise="association_bias"
# Return the effect size. The standard deviation is the sample's, with n - 1 below the root, n the number of words in
# X and Y together.
#
# | | |
# |---|---|
# | `x`, `y` | arrays of vectors, one row for each word of X and of Y; any lengths, no zeros |
# | `a`, `b` | arrays of vectors of the attributes; the sets may differ in size |
# | returns | a number, positive when X goes with A; between -2 and 2 when X and Y have as many words |
# | edges | swapping X and Y, or A and B, changes the sign only |
# | | the associations are not all equal (there would be nothing to divide by) |

# %% exercise="association_bias"
def association_bias(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """Return how much more X than Y goes with A rather than B, in standard deviations."""
    ### BEGIN SOLUTION
    x, y, a, b = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, y, a, b))
    of_x = (x @ a.T).mean(1) - (x @ b.T).mean(1)
    of_y = (y @ a.T).mean(1) - (y @ b.T).mean(1)
    return (of_x.mean() - of_y.mean()) / np.concatenate([of_x, of_y]).std(ddof=1)
    ### END SOLUTION


# %% [markdown]
# The check has three words in X and two in Y.

# %% check="association_bias"
check.association_bias(association_bias);

# %% [markdown]
# Our world has a dial for this. Twelve jobs lean: at bias 0 the woman and the man who share such a job are met
# equally often; at bias 1 only women are met as nurses or teachers, only men as pilots or mechanics. The rest of the
# grammar stays. So we can do what nobody can do with real text: turn the bias up and watch the vectors. A wide
# window, since job and pronoun often stand in neighbouring sentences.


# %% tags=["demo"]
from llmcourse.world import LEANING

hers, his = ["she", "She", "her", "Her"], ["he", "He", "his", "His"]
leaning = {lean: [job for job in LEANING if LEANING[job] == lean] for lean in ("woman", "man")}


def vectors_at(bias):
    told = world.stories(tokens=rt.pick(smoke=20_000, cpu=2_500_000), seed=rt.seed, bias=bias)
    read = contexts.encode(story.tokens for story in told)
    wide = EmbeddingConfig(d_model=64, window=10, steps=config.steps)
    return embeddings.train_skipgram(read, wide, rt.generator())[0]


dials = rt.pick(smoke=[0.0, 1.0], cpu=[0.0, 0.25, 0.5, 0.75, 1.0])
biased = {bias: vectors_at(bias) for bias in dials}

# %% [markdown]
# The effect size at each dial, and beside it its numerator: the difference of the two means.


# %% tags=["demo"]
weat = choose(association_bias, word_vectors.association_bias)


def sets_of(vectors):
    words = [leaning["woman"], leaning["man"], hers, his]
    return [np.stack([vectors.unit[vectors.row(w)] for w in some if w in vectors]) for some in words]


def associations(vectors):
    x, y, a, b = sets_of(vectors)
    return (x @ a.T).mean(1) - (x @ b.T).mean(1), (y @ a.T).mean(1) - (y @ b.T).mean(1)


effects = [float(weat(*sets_of(vectors))) for vectors in biased.values()]
gaps = [float(np.subtract(*map(np.mean, associations(vectors)))) for vectors in biased.values()]
print("effect size", np.round(effects, 2), " difference of the means", np.round(gaps, 3))

# %% [markdown]
# The effect size is 1.28 at dial 0.25 already and stays at 1.6 from 0.75 on: divided by the spread it cannot pass 2.
# It says whether there is a lean, hardly how much. The difference against the dial: expect a line that rises from
# about 0.

# %% tags=["demo"]
quantity = "difference of mean\nassociations (cosine)"
ax = plotting.curves(dials, {"jobs": gaps}, "bias set in the text", quantity, levels={"no bias": 0.0})
ax.lines[0].set(marker="o")
ax.legend(frameon=False);

# %% [markdown]
# The vectors follow the dial, though no sentence of the text says anything *about* women or men. But the effect size
# at dial 0 is not 0. It divides by the spread of the associations, and when all of these are small it divides noise
# by noise. How large is an effect that means nothing? Split the twelve jobs in two halves in all 924 ways, and count
# the splits with a difference as large as the real one.


# %% tags=["demo"]
from itertools import combinations


def as_large(vectors):
    x, y = associations(vectors)
    both = np.concatenate([x, y]).astype(float)
    halves = np.array([both[list(some)].mean() for some in combinations(range(len(both)), len(x))])
    real = both[: len(x)].mean()
    return (np.abs(halves - both.mean()) >= abs(real - both.mean()) - 1e-9).mean()


for bias in (0.0, 1.0):
    print(f"dial {bias}: {as_large(biased[bias]):6.1%} of all splits differ as much")

# %% [markdown]
# At dial 1 hardly any split does as much as the one into jobs that lean; at dial 0 far more do. So the claims are
# about the difference, which needs no division.

# %% tags=["demo"]
along = float(np.corrcoef(dials, gaps)[0, 1])
rt.claim("the difference of the means follows the dial (correlation)", along, along > 0.85)
left = abs(gaps[0]) / gaps[-1]
rt.claim("at dial 0 it is less than 0.3 of what it is at dial 1", left, left < 0.3)
rt.claim("effect size at dial 1", effects[-1], effects[-1] > 1.2)

# %% [markdown] question="bias_source"

# %% [markdown]
# The ladder of language models gets no row from this unit: word vectors give no probability to a text. They are the
# first layer of every model that follows.

# %% [markdown] written="hiring_vectors"
# A company wants to rank applications by how close the words of each are to the words of the job offer, with word
# vectors trained on ten years of its own documents. Write 150 to 250 words to its works council. Say where the
# vectors' idea of closeness comes from and give two numbers you measured in this unit; explain how a bias can enter
# although no document says that a job is for men; propose a measurement to make before use, and say what a result
# near 0 would prove and what it would not.
#
# ### BEGIN SOLUTION
# The vectors know words only by their neighbours: two words are close if they stand among the same words. That
# carries real knowledge. In our world they answered more than 95 % of the analogy questions, and dog came out closer
# to cat than to cart. The same mechanism copies whatever else the documents have. If for ten years most engineers in
# them were called he, then he and engineer are neighbours, and an application that speaks of a women's chess club
# lands further from the offer. In our test nobody wrote a sentence about women or men: only who was met in which job
# changed, and the effect size rose to about 1.6, the difference of the means from about 0.01 to 0.16. Before use I
# would take the words of the offers and of typically female and male applications and compute the association test,
# with a permutation test beside it, since with twelve words chance alone gives effects of 0.6; better still, swap
# names and pronouns in real applications and see whether the ranking moves. A result near 0 shows that these words
# have no measurable lean in these vectors. It does not show that other words, other groups or the whole system are
# free of one, nor that the ranking is a good way to choose people.
# ### BEGIN MARK SCHEME
# 10 points. 2: closeness means standing among the same words (neighbours in a window).
# 2: two numbers measured in the unit, correctly used (1 each).
# 2: bias enters through who or what is met together, without any statement; the vectors copy frequencies.
# 2: a measurement that could fail: WEAT with a permutation test, swapped names or pronouns,
# held-out comparison of groups.
# 2: near 0 shows no measurable lean for these words only; it does not prove other words,
# groups or the system fair (1 each).
# Take 1 off for a claim that contradicts what was measured.
# ### END MARK SCHEME
# ### END SOLUTION

# %% [markdown]
# ## What was shown
#
# - Vectors learned from neighbours alone put a dog nearer to a cat than to a cart; one-hot vectors cannot.
# - Adding and subtracting them answers more than 90 % of the world's analogies and, at 100 numbers a word, more than
#   LSA does; LSA with 400 numbers catches up.
# - They take over the bias of their text, in proportion. At bias 0 the difference of the means is small beside that
#   at bias 1; the effect size, which divides by the spread, is not a reliable 0 with twelve words.
#
# **To think about.** (1) *Bank* has one vector and two senses. Where does it lie, and what would you change? (2) Our
# almanac says outright what belongs together. How would the analogies do on stories alone, and which would suffer
# most? (3) Would removing the words *she* and *he* from the text remove the bias?
#
# **Where the ideas come from.** Harris 1954, *Distributional structure*; Firth 1957, *A synopsis of linguistic
# theory*; Deerwester et al. 1990, *Indexing by latent semantic analysis*; Rohde, Gonnerman and Plaut 2005, *An
# improved model of semantic similarity based on lexical co-occurrence*; Mikolov et al. 2013, arXiv:1301.3781
# (skip-gram, CBOW, analogies) and arXiv:1310.4546 (negative sampling); Mikolov, Yih and Zweig 2013, *Linguistic
# regularities in continuous space word representations* (king - man + woman); Levy and Goldberg 2014, *Linguistic
# regularities in sparse and explicit word representations* (the name 3CosAdd); Goldberg and Levy 2014,
# arXiv:1402.3722; Levy and Goldberg 2014, *Neural word embedding as implicit matrix factorization*; Linzen 2016,
# arXiv:1606.07736 (what analogies measure); Pennington, Socher and Manning 2014, *GloVe*; Levy, Goldberg and Dagan
# 2015, *Improving distributional similarity with lessons learned from word embeddings*; Ji et al. 2016,
# arXiv:1604.04661; Bolukbasi et al. 2016, arXiv:1607.06520; Caliskan, Bryson and Narayanan 2017, arXiv:1608.07187.
#
# **Next.** The vectors are learned; the model around them is one dot product. Unit 05 puts them into a network that
# predicts the next word, and derives every gradient by hand.
