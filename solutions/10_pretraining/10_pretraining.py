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
# # Pretraining
#
# **What is the loop that makes a language model?** Unit 08 built a transformer with random weights, and unit 09 wrote
# texts with a trained one. Between the two lies **pretraining**: predict the next token, take the gradient, move the
# weights a little, and repeat this some thousand or million times. The loop has ten lines. Almost everything that
# goes wrong in practice goes wrong in them, and most of it raises no error.

# %% tags=["parameters"]
preset = "cpu"
device = "auto"
seed = 0

# %% [markdown]
# You write the parts of the loop in numpy. They work for any model, since the model is given to them as a function.
# Then we train decoders of unit 08 with them, in torch.

# %%
import math
from functools import partial

import numpy as np

from llmcourse.checks import u10_pretraining as check
from llmcourse.runtime import choose, setup

rt = setup(preset, device, seed)

# %% [markdown]
# ## What will be built
#
# ![The training loop. Documents are packed into rows. A step takes a batch of rows, computes loss and gradient with
# the model, accumulates them over micro-batches, clips, and updates the weights with AdamW, whose learning rate comes
# from a schedule. Beside the loop: evaluation on held-out documents, and
# checkpoints.](figures/training_loop.svg)
#
# These symbols are used from here on:
#
# | symbol | meaning |
# |---|---|
# | N, T | number of rows of training data, and their length in tokens |
# | B | number of rows in a batch |
# | V | size of the vocabulary |
# | t | number of steps done, the present one included |
# | $g$, $\eta$ | a gradient, and the learning rate |
#
# (Where a letter means something else for a section, as is usual in the literature, that section says so.)
#
# ## The texts
#
# Real models are trained on what can be collected. Who may use it is a legal question, and the answer differs from
# text to text:
#
# | data set | size | where it comes from, and on what terms |
# |---|---|---|
# | Common Crawl | petabytes | copies of web pages; its terms of use apply, and the rights of the pages' authors |
# | The Pile (Gao et al. 2020) | 825 GiB | 22 sources of many licences; its part Books3 was withdrawn in 2023 as infringing |
# | FineWeb (Penedo et al. 2024) | 15 trillion tokens | filtered Common Crawl; the collection is ODC-By, the pages are not |
# | Wikipedia | about 20 GB of English text | CC BY-SA: name the authors, share alike |
# | Common Pile (Kandpal et al. 2025) | 8 TB | public domain and openly licensed texts only |
# | tiny Shakespeare | 1.1 MB | public domain |
#
# A licence of a *collection* says nothing about the texts in it. We train on a text without such questions, and with
# an advantage that no real one has: documents that the grammar of our world writes, so that the probability of each
# is known exactly. In each document a thing gets lost. Of each group of lines one is
# written, and of `[came|went]` one of the two words:

# %% tags=["demo"] jupyter={"source_hidden": true}
TEXT = """
[One day|Long ago|In May|That winter] <hero:person> [came|went] to <place:place> to [see|visit] <friend:friend> .
There was a house in <place:place> where <hero:person> lived with <friend:friend> .

{hero} [had|owned|brought] the <colour:colour> <gift:thing> of {friend} .
Everybody in {place} liked the <colour:colour> <gift:thing> that {hero} had [made|found] for {friend} .

@seen
@seen @seen

[In the evening|The next day|After that] {friend} asked : " Where is the {colour} {gift} ? "
" Is the {gift} [still|really] {colour} ? " {friend} asked {hero} .

" The {colour} {gift} is in {place} , " said {hero} .
[So|Soon|But] {hero} looked for the {colour} {gift} [with {friend}|all over {place}|in vain] .

@seen
@seen @seen

[At last|Later|Then] {hero} and {friend} found the {colour} {gift} in {place} .
Nobody but {friend} knew that {hero} had sold the {colour} {gift} in {place} .

In {place} [everybody|nobody] spoke of {hero} and the {colour} {gift} . </s>
And {friend} never forgot the {colour} {gift} of {hero} . </s>
"""

# %% [markdown]
# `<hero:person>` draws one of eight people and calls the person hero, `{hero}` repeats the name, and `@seen` writes a
# sentence about something else, with a verb that agrees with its subject. Heroes, friends (eight other people),
# colours, things and places come from the tables of the world; a **name** below is a word from one of these tables.
# Every document ends with the token `</s>`.

# %% tags=["demo"] jupyter={"source_hidden": true}
from random import Random

from llmcourse import world
from llmcourse.world.engine.grammar import Domain
from llmcourse.world.facts import knowledge
from llmcourse.world.story.telling import stream

names = {"colour": knowledge.COLOUR.rows, "thing": knowledge.THING.rows, "place": knowledge.PLACE.rows}
names |= {"person": knowledge.people(0.0).rows, "friend": knowledge.people(0.0).rows[8:]}
eight = {kind: Domain(("name",), tuple(row[:1] for row in rows[:8]), (1.0,) * 8) for kind, rows in names.items()}
grammar = world.Machine(world.Rules(world.agreement_rules() | {"story": TEXT}, eight))


def written(tokens, name):
    """Return documents of so many tokens together, each with the log-probability of every token."""
    return list(stream(grammar.sample, Random(f"{name} {rt.seed}").random, None, tokens))


documents = written(rt.pick(smoke=4_000, cpu=600_000, gpu=4_000_000), "train")
tests = written(rt.pick(smoke=1_000, cpu=40_000), "test")
print(" ".join(documents[0].tokens))

# %% [markdown]
# The **exact floor** is what the grammar's own choices cost, in bits per token. On average over new documents no
# model can be better, however large it is. The other end of the scale is counting: a 5-gram with Kneser-Ney smoothing
# (unit 02), fitted to the same training documents. Names are often mentioned more than four tokens after their last
# mention, so the 5-gram has to guess them. A model that looks further back can copy them.

# %% tags=["demo"]
from llmcourse.models import ngram

vocabulary = sorted(grammar.words())
id_of, V = {word: i for i, word in enumerate(vocabulary)}, len(vocabulary)
END = id_of["</s>"]

# %% [markdown]
# Each document is a list of ids without its end token. The 5-gram reads all of them as one text:

# %% tags=["demo"]
encoded, test_encoded = ([[id_of[w] for w in d.tokens[:-1]] for d in part] for part in (documents, tests))
flat, test_flat = (np.array([i for one in part for i in [*one, END]]) for part in (encoded, test_encoded))
floor = -sum(d.log_prob for d in tests) / len(test_flat) / math.log(2)
five_gram = ngram.fit(flat, V, ngram.NgramConfig(5, "kneser_ney")).bits_per_token(test_flat)
print(f"{len(flat):,} training tokens, {V} different ones; uniform {math.log2(V):.2f} bits per token")
print(f"5-gram {five_gram:.3f}, exact floor {floor:.3f}")

# %% [markdown]
# The **gap** between the two is what a network can gain by looking back. At the end of the unit a small decoder
# closes about 95 % of it, in less than half a minute.
#
# ## Packing
#
# Documents have different lengths, and a batch is a rectangle. If each row held one document, filled up with padding,
# almost a third of the work would be spent on padding, as we will see. If rows were short and longer documents cut to
# their width, text would be lost.
# **Packing** does neither. All documents are written one after the other into one long **stream**, with an end token
# before the first and after each, and the stream is cut into rows of T tokens:
#
# ![Three documents of different lengths become one stream, end, first document, end, second document, end, third
# document, end. The inputs are the stream without its last token, cut into rows of four. The targets are the stream
# without its first token, cut in the same way. The last row is filled up: ids with end, targets with
# -100.](figures/packing.svg)
#
# (e is the end token.) The targets are the same stream, one token ahead. So the target of the last position of a row
# is the first token of the next row, and every token of every document is a target exactly once. The rest of the last
# row is filled up: the ids with `end`, the targets with -100, which torch's loss ignores.

# %% [markdown] exercise="pack_documents"
# Write `pack_documents`, which returns the rows of ids and the rows of targets. Two documents, 5 6 7 and 8, with the
# end token 0 make the stream 0 5 6 7 0 8 0. Its six targets fill one row of four and half of a second one:
#
# ```python
# >>> ids, targets = pack_documents([[5, 6, 7], [8]], T=4, end=0)
# >>> ids.tolist()
# [[0, 5, 6, 7], [0, 8, 0, 0]]
# >>> targets.tolist()
# [[5, 6, 7, 0], [8, 0, -100, -100]]
# ```
#
# | | |
# |---|---|
# | `documents` | list of lists of token ids; a document may be empty, and the list may be; not modified |
# | `T`, `end` | length of a row, T >= 1; the id of the end token, which no document holds |
# | returns | a pair of integer arrays, ids (N, T) and targets (N, T) |
# | N | as many rows as the targets need: no row of padding alone; without documents N = 0 |
# | padding | ids `end`, targets -100 |

# %% exercise="pack_documents"
def pack_documents(documents: list, T: int, end: int) -> tuple:
    """Return (ids (N, T), targets (N, T)) of all documents."""
    ### BEGIN SOLUTION
    stream = [end]
    for document in documents:
        stream += [*document, end]
    n = len(stream) - 1
    N = -(-n // T)  # rounded up
    ids, targets = np.full(N * T, end), np.full(N * T, -100)
    ids[:n], targets[:n] = stream[:-1], stream[1:]
    return ids.reshape(N, T), targets.reshape(N, T)
    ### END SOLUTION


# %% check="pack_documents"
check.pack_documents(pack_documents);

# %% [markdown]
# We pack the training documents into rows of 128 tokens, which hold a little more than one document each, and compare
# with the other two ways: one document in a row as wide as the longest, and documents cut to the width of a row. A row
# of 128 tokens is as wide as nearly all of these short documents, so we try narrower ones, too. `choose`
# takes your function if its check has passed, else the library's, and says which.

# %% tags=["demo"]
from llmcourse.training import by_hand as library

pack = choose(pack_documents, library.pack_documents)
T = 128
train_ids, train_targets = pack(encoded, T, END)

# %% [markdown]
# What would the other two ways cost?

# %% tags=["demo"]
lengths = np.array([len(document) + 1 for document in encoded])  # with the end token
print(f"{len(train_ids):,} rows; padding {np.mean(train_targets == -100):.2%}")
print(f"one document in a row: padding {1 - lengths.mean() / lengths.max():.0%}")
for width in (64, 96, T):
    print(f"cut at {width} tokens: {np.maximum(lengths - width, 0).sum() / lengths.sum():.2%} of the text is lost")
lost = len(flat) - int((train_targets != -100).sum())
rt.claim("packing: tokens that are no target (of all documents)", lost, lost == 0)

# %% [markdown]
# Packing has a price. A row often begins in the middle of a document, whose names were in the row before, and the
# model cannot know them. Within a row the model also sees the document before. (Some training codes add
# a mask that keeps documents in a row apart. We do without.) So the loss on packed rows is higher than it has to be: it
# shows the course of a run, not how close it comes to the floor. For that we will use whole documents.
#
# ## Batches
#
# A step needs B rows. They should come in random order, since neighbouring rows resemble each other, and every row
# should be seen equally often: one pass over all rows is an **epoch**, and each epoch has a new order. A natural way
# to write this is an iterator that keeps its place and a random generator. But then a run that is interrupted loses
# both. We choose a way that has nothing to lose: **the batch is a function of the step**.
#
# `order(epoch)` is a permutation of the N rows, drawn from a generator whose seed is made of the run's seed and the
# epoch:

# %%
def order(epoch):
    return np.random.default_rng([rt.seed, epoch]).permutation(len(train_ids))


# %% [markdown]
# Write all epochs one after the other, order(0), order(1), order(2) and so on: an endless list of row numbers. Step 0
# takes the first B of them, step 1 the next B. With three rows and B = 2, and the orders 2 0 1 and 1 2 0, the list is
# 2 0 1 1 2 0 ... and the steps get the rows (2, 0), (1, 1) and (2, 0). The second batch consists of the last row of
# the first epoch and the first row of the second one; here they happen to be the same.

# %% [markdown] exercise="get_batch"
# Write `get_batch`, which returns the ids and the targets of the rows of a step. Steps are counted from 0. The order
# below is that of the example:
#
# ```python
# >>> ids = np.array([[1, 2], [3, 4], [5, 6]])
# >>> two_orders = lambda epoch: [[2, 0, 1], [1, 2, 0]][epoch]
# >>> [get_batch(ids, ids + 10, step, 2, two_orders)[0].tolist() for step in (0, 1, 2)]
# [[[5, 6], [1, 2]], [[3, 4], [3, 4]], [[5, 6], [1, 2]]]
# ```
#
# | | |
# |---|---|
# | `ids`, `targets` | integer arrays (N, T); not modified |
# | `step`, `batch_size` | the step, 0 or larger, and B, which may be larger than N |
# | `order` | function of the epoch (0, 1, ...) that returns a permutation of 0 to N - 1, a list or an array |
# | returns | a pair of arrays (B, T), the rows in the order of the list |

# %% exercise="get_batch"
def get_batch(ids: np.ndarray, targets: np.ndarray, step: int, batch_size: int, order) -> tuple:
    """Return the ids and targets of this step's rows, (B, T) each."""
    ### BEGIN SOLUTION
    N = len(ids)
    rows = [order(k // N)[k % N] for k in range(step * batch_size, (step + 1) * batch_size)]
    return ids[rows], targets[rows]
    ### END SOLUTION


# %% check="get_batch"
check.get_batch(get_batch);

# %% [markdown]
# ## Evaluation
#
# How good is a model on documents that it has not been trained on? We measure **bits per token**: the mean of
# $-\log_2 P$ over all tokens that count. Three mistakes are common. Padding counts as if it were text. The mean of the
# batches' means is taken, though the last batch is smaller, or has more padding. And the model is still in training
# mode, with dropout switched on (`model.eval()` switches it off; our decoders have none).
#
# With two batches of 3 and 1 tokens that count, with losses 1, 1, 1 and 3 nats, the mean is 6 / 4 = 1.5 nats. The
# mean of the two means is (1 + 3) / 2 = 2.

# %% [markdown] exercise="evaluate"
# Write `evaluate`, which returns the bits per token over all targets that are not -100. `losses` gives $-\log P$ of
# each target in **nats**. In this example every loss is as large as the target, so the mean is (1 + 2 + 3) / 3 = 2
# nats, which are 2 / log 2 = 2.885 bits:
#
# ```python
# >>> ids, targets = np.zeros((2, 2), int), np.array([[1, 2], [3, -100]])
# >>> round(evaluate(lambda ids, targets: 1.0 * targets, ids, targets, batch_size=1), 3)
# 2.885
# ```
#
# | | |
# |---|---|
# | `losses` | function of ids and targets, at most `batch_size` rows of each, that returns an array (rows, T) |
# | `ids`, `targets` | (N, T), N >= 1; a target of -100 does not count; one or more do; not modified |
# | `batch_size` | rows of a call; the last call may have fewer |
# | returns | a number, in bits |
# | padding | what `losses` returns where the target is -100 may be anything, also nan |

# %% exercise="evaluate"
def evaluate(losses, ids: np.ndarray, targets: np.ndarray, batch_size: int) -> float:
    """Return the bits per token over all targets that count."""
    ### BEGIN SOLUTION
    total, count = 0.0, 0
    for at in range(0, len(ids), batch_size):
        part = targets[at : at + batch_size]
        found = losses(ids[at : at + batch_size], part)[part != -100]
        total, count = total + found.sum(), count + len(found)
    return total / count / math.log(2)
    ### END SOLUTION


# %% check="evaluate"
check.evaluate(evaluate);

# %% [markdown] question="means"

# %% [markdown]
# For the comparison with the floor each test document gets a row of its own, from its first token on. The rows begin
# with the end token, as all documents do in the stream.

# %% tags=["demo"]
def rows_of(documents):
    """Return (ids, targets) with one whole document in each row."""
    shape = len(documents), 1 + max(map(len, documents))
    ids, targets = np.full(shape, END), np.full(shape, -100)
    for row, document in enumerate(documents):
        n = len(document)
        ids[row, 1 : n + 1], targets[row, :n], targets[row, n] = document, document, END
    return ids, targets


test_ids, test_targets = rows_of(test_encoded)

# %% [markdown]
# The decoder is that of unit 08, with the parts that Llama uses (RMS norm, rotary positions), a squared ReLU as
# nonlinearity, a head of its own, and other **initial weights**. The token vectors start large, with a standard
# deviation of 0.5. The matrices start so that they keep the size of their input, except for the head and the last
# ones of attention and feed-forward layers, which start at 0. So at first every block adds nothing and learns what to
# add, and all tokens are equally probable.

# %% tags=["demo"]
import torch
from torch.nn import functional as F

from llmcourse.models.transformer import Decoder
from llmcourse.models.transformer_config import TransformerConfig


def decoder(width, layers=2, vocabulary=V):
    """Return a new decoder, the same for each call."""
    shape = {"norm": "rms", "positions": "rotary", "activation": "relu2", "bias": False, "tied_head": False}
    model = Decoder(TransformerConfig(vocabulary, 256, layers, 2, width, 4 * width, **shape)).to(rt.device)
    generator = rt.generator()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("out.weight", "down.weight", "head.weight")):
                weight.zero_()
            elif weight.ndim == 2:
                weight.normal_(std=0.5 if name == "embed.weight" else width**-0.5, generator=generator)
    return model

# %% [markdown]
# `score` evaluates a model on whole documents with your function. **Expect** exactly log2 V bits from a decoder that
# has learned nothing. (With large random heads it would be more: confident and wrong.)

# %% tags=["demo"]
bits_per_token = choose(evaluate, library.evaluate)


def score(model, ids=test_ids, targets=test_targets):
    """Return the bits per token of whole documents."""

    @torch.no_grad()
    def losses(ids, targets):
        logits = model(torch.tensor(ids, device=rt.device))
        return F.cross_entropy(logits.mT, torch.tensor(targets, device=rt.device), reduction="none").cpu().numpy()

    return bits_per_token(losses, ids, targets, 64)


print(f"untrained: {score(decoder(32)):.2f} bits, log2 V = {math.log2(V):.2f}")

# %% [markdown]
# ## AdamW
#
# Plain gradient descent moves every parameter by $\eta g$. But gradients of different parameters differ in size by
# orders of magnitude: a rare token's vector has a gradient in few steps, a norm's weight in each. One learning rate
# cannot suit all of them. **Adam** (Kingma and Ba 2015) divides each gradient by its own typical size. For every
# single parameter it keeps two running averages, m of the gradient and v of its square:
#
# $$m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t \qquad v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2$$
#
# $\beta$ says how much of the old average stays: 0.9 and 0.95 here. Both averages start at 0, so in the first steps
# they are too small. After t steps the weights of all gradients in m sum to
# $1 - \beta_1^t$. Dividing by this sum corrects the **bias**:
#
# $$\hat m_t = \frac{m_t}{1 - \beta_1^t} \qquad \hat v_t = \frac{v_t}{1 - \beta_2^t}$$
#
# **Weight decay** pulls the weights towards 0. In **AdamW** (Loshchilov and Hutter 2019) it is not part of the
# gradient, where it would be divided by $\sqrt{\hat v}$ as well, but acts on the parameter p directly. The rate of
# the decay is $\lambda$:
#
# $$p_t = p_{t-1} - \eta \left(\frac{\hat m_t}{\sqrt{\hat v_t} + \varepsilon} + \lambda\, p_{t-1}\right)$$
#
# $\varepsilon = 10^{-8}$ prevents a division by 0. Only matrices decay. Biases and the weights of norms, which have
# one axis, do not: they are few, and pulling a norm's weight to 0 would only switch the layer off.
#
# Follow two parameters of a matrix by hand. Their gradients are 100 and -0.01 in the first step, and 0 in the second:

# %% tags=["nbval-check-output"]
lr, beta1, beta2, eps, decay = 0.1, 0.9, 0.95, 1e-8, 0.1
for p, gradients in ((1.0, (100.0, 0.0)), (-2.0, (-0.01, 0.0))):
    m = v = 0.0
    for t, g in enumerate(gradients, 1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        move = lr * m_hat / (math.sqrt(v_hat) + eps)
        p = p - move - lr * decay * p
        print(f"t = {t}, g = {g:6}: m_hat {m_hat:8.4f}, root of v_hat {v_hat**0.5:8.4f}, move {move:7.4f}, p {p:7.4f}")

# %% [markdown]
# In the first step each parameter moves by the learning rate, 0.1, whatever the size of its gradient: $\hat m$ is g
# and the root of $\hat v$ is |g|. (p changes by a little more: the rest is the decay, $0.1 \cdot 0.1 \cdot p$.) In the
# second step there is no gradient, and both move on by 0.0679, which is 68 % of the first step.

# %% [markdown] exercise="adamw_step"
# Write `adamw_step`, which returns all parameters and the state of AdamW after one step. The state keeps the number
# of steps and, for each parameter, m and v. The example is the first step above:
#
# ```python
# >>> params, grads = {"W": np.array([[1.0, -2.0]])}, {"W": np.array([[100.0, -0.01]])}
# >>> new, state = adamw_step(params, grads, {}, lr=0.1)
# >>> new["W"].round(4), state["step"], state["m"]["W"].round(4)
# (array([[ 0.89, -1.88]]), 1, array([[10.   , -0.001]]))
# ```
#
# | | |
# |---|---|
# | `params`, `grads` | dictionaries of float64 arrays with the same names and shapes; not modified |
# | `state` | `{}` before the first step, then what the step before returned; not modified |
# | `lr`, `betas`, `eps`, `weight_decay` | numbers as in the formulas; `betas` is the pair of both $\beta$ |
# | returns | a pair: new parameters, and the new state `{"step": t, "m": {...}, "v": {...}}` |
# | m and v | as in the first formula, not corrected |
# | decay | only arrays with two axes or more decay |

# %% exercise="adamw_step"
def adamw_step(params, grads, state, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    """Return (new parameters, new state)."""
    ### BEGIN SOLUTION
    (beta1, beta2), t = betas, state.get("step", 0) + 1
    new, ms, vs = {}, {}, {}
    for name, p in params.items():
        g = grads[name]
        m = ms[name] = beta1 * (state["m"][name] if state else 0) + (1 - beta1) * g
        v = vs[name] = beta2 * (state["v"][name] if state else 0) + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        decay = weight_decay * p if p.ndim > 1 else 0
        new[name] = p - lr * (m_hat / (np.sqrt(v_hat) + eps) + decay)
    return new, {"step": t, "m": ms, "v": vs}
    ### END SOLUTION


# %% check="adamw_step"
check.adamw_step(adamw_step);

# %% [markdown]
# torch has the same optimiser. We take twenty steps with both, with random gradients, on a matrix and a bias. In
# torch a **parameter group** without decay keeps the bias from decaying.

# %% tags=["demo"]
adamw = choose(adamw_step, library.adamw_step)
rng = np.random.default_rng(rt.seed)
mine, state = {"W": rng.standard_normal((4, 3)), "b": rng.standard_normal(4)}, {}
theirs = {name: torch.tensor(p, requires_grad=True) for name, p in mine.items()}
groups = [{"params": [theirs["W"]], "weight_decay": 0.1}, {"params": [theirs["b"]], "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=0.05, betas=(0.9, 0.95))

# %% [markdown]
# Both get the same random gradients:

# %% tags=["demo"]
for _ in range(20):
    grads = {name: rng.standard_normal(p.shape) for name, p in mine.items()}
    mine, state = adamw(mine, grads, state, lr=0.05)
    for name, p in theirs.items():
        p.grad = torch.tensor(grads[name])
    optimizer.step()

# %% tags=["demo"]
off = max(np.abs(mine[name] - p.detach().numpy()).max() for name, p in theirs.items())
rt.claim("AdamW by hand equals torch's after 20 steps (largest difference)", off, off < 1e-6)

# %% [markdown]
# ## The learning rate of each step
#
# At the beginning $\hat v$ rests on few gradients and the weights are far from anything sensible: large steps do
# damage. So the learning rate rises from small values, the **warm-up**. At the end, steps of constant size keep
# jumping around the minimum, and small ones settle. So it falls, most often along half a cosine (Loshchilov and
# Hutter 2017):
#
# $$\eta_s = \eta \cdot \frac{s + 1}{w} \;\text{ for } s < w, \qquad
# \eta_s = \eta_{\min} + (\eta - \eta_{\min}) \cdot \frac{1 + \cos(\pi\, q)}{2} \;\text{ with }\;
# q = \frac{s - w}{S - w}$$
#
# for the steps s = 0, 1, ..., S - 1 of a run of S steps, the first w of which are the warm-up. The very first step
# already has a rate above 0. From s = S on the rate stays at $\eta_{\min}$; a cosine would rise again.

# %% [markdown] exercise="warmup_cosine"
# Write `warmup_cosine`, which returns the learning rate of a step. In a run of 6 steps with a warm-up of 2 the rate
# rises to 1, is still 1 at step 2, falls from then on, and is halfway down at step 4:
#
# ```python
# >>> [round(warmup_cosine(step, steps=6, warmup=2, lr=1.0), 3) for step in range(7)]
# [0.5, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0]
# ```
#
# | | |
# |---|---|
# | `step` | s, 0 or larger, also beyond the end |
# | `steps`, `warmup` | S >= 1 and w, from 0 (no warm-up) to S (nothing else) |
# | `lr`, `lr_min` | $\eta$ and $\eta_{\min}$ |
# | returns | a number |

# %% exercise="warmup_cosine"
def warmup_cosine(step: int, steps: int, warmup: int, lr: float, lr_min: float = 0.0) -> float:
    """Return the learning rate of a step."""
    ### BEGIN SOLUTION
    if step < warmup:
        return lr * (step + 1) / warmup
    if step >= steps:
        return lr_min
    progress = (step - warmup) / (steps - warmup)
    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * progress)) / 2
    ### END SOLUTION


# %% check="warmup_cosine"
check.warmup_cosine(warmup_cosine);

# %% tags=["demo"]
from llmcourse import plotting
from llmcourse.training import schedules

schedule = choose(warmup_cosine, schedules.warmup_cosine)
lines = {f"warm-up {w}, lr_min {low}": [schedule(s, 200, w, 1.0, low) for s in range(240)]
         for w, low in ((10, 0.0), (60, 0.1))}  # fmt: skip
ax = plotting.curves(range(240), lines, "step", "learning rate / largest")
ax.set_title("A run of 200 steps: up on a line, down along half a cosine");

# %% [markdown]
# ## One step
#
# How large should a batch be? A gradient over few tokens is noisy, one over many is expensive, and the memory limits
# how many rows fit at once. The way out is **gradient accumulation**: a large batch is cut into **micro-batches**,
# their gradients are added up, and only then the weights move.
#
# ![Three micro-batches with 4, 2 and 1 targets. Each gives a sum of losses and a gradient of that sum. Sums and
# gradients are added and divided once by 7, the number of all targets. The norm of all gradients together is computed,
# and if it is above max_norm they are scaled. Then one update.](figures/accumulation.svg)
#
# The result should be exactly that of the large batch. The loss of the large batch is the sum of all losses, divided
# by the number of all targets. So add **sums**, and divide once. The mean of the micro-batches' means is something
# else as soon as they have different numbers of targets.
#
# Now and then a gradient is far too large. **Clipping** (Pascanu et al. 2013; unit 06) scales the whole gradient,
# all parameters together, so that its norm is at most a bound M:
#
# $$|g| = \Big(\sum_{\text{arrays}} \sum_i g_i^2\Big)^{1/2} \qquad
# g \leftarrow g \cdot \frac{M}{|g|} \;\text{ if }\; |g| > M$$
#
# It has to happen **after** the division by the number of targets: the bound is for the gradient of the mean loss. A
# trap: in float32 a square overflows if the number is above 1.8e19, and the norm becomes infinite. Then every
# gradient is scaled to 0. Square in float64.

# %% [markdown] exercise="train_step"
# Write `train_step`, which takes one step over all micro-batches. The model and the optimiser are given as functions.
# In the example the parameter is w, the loss of a target y is $(w - y)^2$, and the optimiser is gradient descent with
# the learning rate 1. The three targets 1, 2 and 6 have the losses 1, 0 and 16 and the gradients 2, 0 and -8, with a
# sum of -6, a mean of -2 and a norm of 2. Clipped to 0.5, the gradient moves w by 0.5:
#
# ```python
# >>> def squares(params, batch):
# ...     off = params["w"] - np.array(batch)
# ...     return (off**2).sum(), len(batch), {"w": 2 * off.sum(keepdims=True)}
# >>> def descent(params, grads, state):
# ...     return {"w": params["w"] - grads["w"]}, state + 1
# >>> params = {"w": np.array([2.0])}
# >>> params, state, loss, norm = train_step(params, 0, [[1.0, 2.0], [6.0]], squares, descent, max_norm=0.5)
# >>> float(params["w"][0]), state, round(float(loss), 3), float(norm)
# (2.5, 1, 5.667, 2.0)
# ```
#
# | | |
# |---|---|
# | `params`, `state` | dictionary of arrays, and the optimiser's state of any kind; not modified |
# | `batches` | list of one or more micro-batches, of any kind; `gradient` understands them |
# | `gradient` | function of (params, batch): (sum of losses, number of targets, gradients of the **sum**) |
# | `update` | function of (params, grads, state) that returns (params, state); call it once |
# | `max_norm` | bound of the norm, above 0 |
# | returns | params, state, mean loss over all targets, norm before clipping |
# | edges | a gradient of 0 stays 0; float32 gradients may be as large as 1e25 |

# %% exercise="train_step"
def train_step(params: dict, state, batches: list, gradient, update, max_norm: float) -> tuple:
    """Return (params, state, loss, norm) after one step over all micro-batches."""
    ### BEGIN SOLUTION
    parts = [gradient(params, batch) for batch in batches]
    n = sum(count for _, count, _ in parts)
    grads = {name: sum(g[name] for _, _, g in parts) / n for name in params}
    norm = math.sqrt(sum(np.square(g, dtype=np.float64).sum() for g in grads.values()))
    if norm > max_norm:
        grads = {name: g * (max_norm / norm) for name, g in grads.items()}
    params, state = update(params, grads, state)
    return params, state, sum(loss for loss, _, _ in parts) / n, norm
    ### END SOLUTION


# %% check="train_step"
check.train_step(train_step);

# %% [markdown]
# Now your functions train a decoder. torch supplies the gradient: `gradient_of` puts the arrays into a model and
# differentiates the sum of the losses.

# %% tags=["demo"]
small = decoder(32)
first = {name: p.detach().cpu().double().numpy() for name, p in small.named_parameters()}


def gradient_of(params, batch):
    """Return (sum of losses, number of targets, gradients of the sum) of the small decoder."""
    ids, targets = (torch.tensor(part, device=rt.device) for part in batch)
    weights = {n: torch.tensor(p, dtype=torch.float32, device=rt.device).requires_grad_() for n, p in params.items()}
    logits = torch.func.functional_call(small, weights, (ids,))
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100, reduction="sum")
    grads = torch.autograd.grad(loss, list(weights.values()))
    return loss.item(), int((targets != -100).sum()), {n: g.cpu().numpy() for n, g in zip(weights, grads)}

# %% [markdown]
# First the test of accumulation. A batch of eight rows is cut into rows 0 to 5 and rows 6 and 7, and in the last two
# all but the first 16 targets are ignored. The step should be that of the whole batch. The third line is the mean of
# the two means. Without an optimiser that hides sizes (gradient descent, learning rate 1, no clipping) the difference
# is plain to see:

# %% tags=["demo"]
step_of, batch = choose(train_step, library.train_step), choose(get_batch, library.get_batch)
ids, targets = batch(train_ids, train_targets, 0, 8, order)
targets = np.where((np.arange(8)[:, None] >= 6) & (np.arange(T) >= 16), -100, targets)
cut = [(ids[:6], targets[:6]), (ids[6:], targets[6:])]


def descent(params, grads, state):
    return {name: p - grads[name] for name, p in params.items()}, state


def moved(batches):
    """Return by how much one step of gradient descent moves all parameters, as one vector."""
    after = step_of(first, None, batches, gradient_of, descent, math.inf)[0]
    return np.concatenate([(first[name] - after[name]).ravel() for name in first])


whole, means = moved([(ids, targets)]), (moved(cut[:1]) + moved(cut[1:])) / 2
off, wrong = (np.linalg.norm(v - whole) / np.linalg.norm(whole) for v in (moved(cut), means))
rt.claim("accumulated gradient against that of the whole batch (relative difference)", off, off < 1e-4)
rt.claim("the mean of the means, in its place (relative difference)", wrong, wrong > 0.05)

# %% [markdown]
# Then forty steps with everything that you wrote: packed rows, batches by number, accumulation over two micro-batches,
# clipping, schedule and AdamW. `run` begins at step `start` and ends before step `stop`.

# %% tags=["demo"]
steps = rt.pick(smoke=6, cpu=40)


def run(params, state, start, stop):
    """Return parameters, state and losses in bits after the steps from start to stop."""
    losses = []
    for step in range(start, stop):
        ids, targets = batch(train_ids, train_targets, step, 8, order)
        lr = schedule(step, steps, steps // 10, 0.01)
        micro = [(ids[:4], targets[:4]), (ids[4:], targets[4:])]
        params, state, loss, _ = step_of(params, state, micro, gradient_of, partial(adamw, lr=lr), max_norm=1.0)
        losses.append(loss / math.log(2))
    return params, state, losses


by_hand = run(first, {}, 0, steps)
print("bits:", " ".join(f"{loss:.2f}" for loss in by_hand[2][:: steps // 6]))
fall = by_hand[2][0] - by_hand[2][-1]
rt.claim("40 steps by hand: the loss falls (by, bits)", fall, fall > 2)

# %% [markdown]
# ## Stop and resume
#
# Runs stop: a machine is restarted, a time limit ends, a cell is interrupted. A run that is **resumed** should go on
# as if nothing had happened, not only roughly but bit for bit. Then a crash cannot change a result. What do the next
# steps depend on?
#
# - the parameters,
# - the optimiser's state: m, v and its number of steps,
# - the step of the run, which decides about learning rate and batch,
# - random state, if anything draws: dropout, or a data iterator. Our loop has none, since a batch depends on the step
#   alone.
#
# A file of tensors (safetensors, as in unit 08) is **flat**: names with arrays, and no dictionary inside a dictionary.
# So the nested state has to be put into one dictionary, under names that can be told apart again.

# %% [markdown] exercise="Checkpoint"
# Write the two methods of `Checkpoint`. An object is made from a run: its parameters, its state and its step.
# `save_checkpoint` returns them as one flat dictionary, whose names you choose. `resume` makes the three of such a
# dictionary again. It is called in a new process, with an object that knows nothing of the run:
#
# ```python
# >>> params = {"W": np.ones((2, 2))}
# >>> saved = Checkpoint(params, {}, step=7).save_checkpoint()
# >>> params["W"] += 1  # training goes on
# >>> Checkpoint({}, {}, 0).resume(saved)
# ({'W': array([[1., 1.],
#        [1., 1.]])}, {}, 7)
# ```
#
# | | |
# |---|---|
# | `params` | dictionary of float arrays of any dtype; names are strings, also such as `"step"`, `"m"` or `"a.b/c"` |
# | `state` | that of `adamw_step`: `{}`, or `"step"`, `"m"` and `"v"`; m and v have the names of `params` |
# | `step` | the number of steps done by the run, an integer |
# | `save_checkpoint` | returns a dictionary of names (strings) and arrays or numbers; no argument is modified |
# | copies | what is saved does not change if training changes the arrays in place |
# | `resume` | returns (params, state, step) with the same names, values and dtypes |

# %% exercise="Checkpoint"
class Checkpoint:
    """Saves a run and gets it back."""

    def __init__(self, params: dict, state: dict, step: int):
        self.params, self.state, self.step = params, state, step

    def save_checkpoint(self) -> dict:
        """Return all that the next steps depend on, as one flat dictionary."""
        ### BEGIN SOLUTION
        saved = {"step": np.array(self.step), "t": np.array(self.state.get("step", 0))}
        for kind, arrays in (("p", self.params), ("m", self.state.get("m", {})), ("v", self.state.get("v", {}))):
            saved |= {f"{kind}:{name}": array.copy() for name, array in arrays.items()}
        return saved
        ### END SOLUTION

    def resume(self, saved: dict) -> tuple:
        """Return (params, state, step)."""
        ### BEGIN SOLUTION
        parts, t = {"p": {}, "m": {}, "v": {}}, int(saved["t"])
        for key, array in saved.items():
            kind, colon, name = key.partition(":")
            if colon:
                parts[kind][name] = array
        state = {"step": t, "m": parts["m"], "v": parts["v"]} if t else {}
        return parts["p"], state, int(saved["step"])
        ### END SOLUTION


# %% check="Checkpoint"
check.Checkpoint(Checkpoint);

# %% [markdown]
# Does it hold for the run above? We stop after half of the steps, write the dictionary to a file, read it back, and go
# on. Every parameter should be the same number as without the stop. The second run forgets m and v, a common mistake.

# %% tags=["demo"]
import tempfile
from pathlib import Path

checkpoint, half = choose(Checkpoint, library.Checkpoint), steps // 2
params, state, _ = run(first, {}, 0, half)
with tempfile.TemporaryDirectory() as folder:
    np.savez(Path(folder) / "run.npz", **checkpoint(params, state, half).save_checkpoint())
    saved = dict(np.load(Path(folder) / "run.npz"))

# %% [markdown]
# Now a new object reads the dictionary, and the run goes on:

# %% tags=["demo"]
params, state, step = checkpoint({}, {}, 0).resume(saved)
resumed, forgetful = run(params, state, step, steps), run(params, {}, step, steps)
off = max(np.abs(resumed[0][name] - p).max() for name, p in by_hand[0].items())
rt.claim("stopped and resumed against uninterrupted (largest difference of a parameter)", off, off == 0)
worse = [a - b for a, b in zip(forgetful[2], by_hand[2][half:])]
print(f"without m and v: first step {worse[0]:+.3f}, second {worse[1]:+.3f}, on average {np.mean(worse):+.3f} bits")

# %% [markdown]
# The first step of the forgetful run has the right loss, since the parameters are right. Then it differs, mostly for
# the worse. Nothing warns you.
#
# On a disk one more thing can go wrong: the process dies **while** it writes, and neither the old nor the new
# checkpoint can be read. So a checkpoint is written to a second file, which takes the old one's name only when it is
# complete. Renaming is **atomic**: whatever happens, one of the two is there.

# %% [markdown] question="resume"

# %% [markdown]
# ## The loop in torch
#
# From here on torch does the arithmetic, which is faster, and your functions say which rows a step gets and with
# which learning rate. `train` is the whole loop. There may be several optimisers, each with several groups of
# parameters; the learning rate that a group starts with is its `peak`, and the schedule is a factor.

# %% tags=["demo"]
def train(model, chosen, steps, data=(train_ids, train_targets), batch_size=8, order=order):
    """Train a decoder; return the loss of each step in bits per token."""
    bits = []
    for step in range(steps):
        ids, targets = (torch.tensor(part, device=rt.device) for part in batch(*data, step, batch_size, order))
        loss = F.cross_entropy(model(ids).flatten(0, 1), targets.flatten(), ignore_index=-100)
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in (group for optimizer in chosen for group in optimizer.param_groups):
            group["lr"] = group.setdefault("peak", group["lr"]) * schedule(step, steps, steps // 20, 1.0, 0.02)
        for optimizer in chosen:
            optimizer.step()
        bits.append(loss.item() / math.log(2))
    return bits

# %% [markdown]
# ### Which learning rate?
#
# It is the most important number of a run. We train a small decoder with nine learning rates, 80 steps each.
# **Expect** a valley: with too small a rate little is learned in 80 steps; with too large a one the loss stays high,
# or explodes.

# %% tags=["demo"]
from llmcourse.training import optimizers

rates = [1e-4, 4e-4, 1.6e-3, 6.4e-3, 1.28e-2, 2.56e-2, 5.12e-2, 0.1024, 0.4096]
sweep = {}

# %% [markdown]
# Each rate gets a new model, with the same initial weights:

# %% tags=["demo"]
for peak in rates:
    model = decoder(32)
    bits = train(model, [optimizers.adamw(model.parameters(), peak)], rt.pick(smoke=2, cpu=80))
    sweep[peak] = float(np.mean(bits[-10:]))

# %% tags=["demo"]
ax = plotting.curves(rates, {"mean of steps 71 to 80": list(sweep.values())}, "largest learning rate (logarithmic)",
                     "training loss in bits per token", levels={"5-gram": five_gram}, log_x=True)  # fmt: skip
ax.lines[0].set_marker("o")
ax.set_title("Too small, right, too large");

# %% tags=["demo"]
best = min(sweep.values())
rt.claim("learning rate 1e-4 is too small (bits behind the best)", sweep[1e-4] - best, sweep[1e-4] - best > 0.5)
rt.claim("learning rate 0.4 is too large (bits behind the best)", sweep[0.4096] - best, sweep[0.4096] - best > 0.3)

# %% [markdown]
# A factor of two from the best rate costs up to a quarter of a bit, a factor of ten several times as much. The valley
# moves when the model becomes wider or the batch larger, so the sweep has to be made again, or extrapolated from
# smaller models.
#
# ## Muon
#
# Adam treats a matrix as a heap of single numbers. **Muon** (Jordan et al. 2024) treats it as a matrix. Its gradient
# $G = U \Sigma V^\top$ (the singular value decomposition; V is not the vocabulary here, and s is a singular value)
# usually has a few large singular values and many small ones: a step along G changes what the layer does in a few
# directions and neglects the others. Muon sets all singular values to 1 and moves along $U V^\top$: the same
# directions, equally fast.
#
# The decomposition itself is slow. A polynomial does nearly the same: if X has the singular values s, then
# $a X + b\,(X X^\top) X + c\,(X X^\top)^2 X$ has the singular values $a s + b s^3 + c s^5$. With a = 3.4445, b = -4.775,
# c = 2.0315 every s between about 0.002 and 1 moves into the neighbourhood of 1, in five rounds. (This is a
# **Newton-Schulz iteration**; a smaller s grows, too, but stays below.) First G is divided by its norm, so that no s
# is above 1. Follow four singular values:

# %% tags=["nbval-check-output"]
s = np.array([0.9, 0.3, 0.05, 0.01])
for _ in range(5):
    s = 3.4445 * s - 4.775 * s**3 + 2.0315 * s**5
    print(s.round(3))

# %% [markdown]
# After five rounds all lie between about 0.7 and 1.2. Exactly 1 is not needed. Muon does this not to the gradient of
# one step but to a running average M of it, the **momentum**. With O for the five rounds, a step for a matrix W is
#
# $$M_t = 0.95\, M_{t-1} + 0.05\, G_t \qquad
# W_t = W_{t-1} - \eta\, \sqrt{\max(1, \text{rows} / \text{columns})}\; O(0.05\, G_t + 0.95\, M_t)$$
#
# It is for the matrices inside of the blocks. The three matrices that are stacked in `qkv` are three layers, so each is
# made orthogonal by itself. The table of token vectors, the head and the norms stay with AdamW, with a learning rate of
# their own: a step changes only the table's rows of the tokens in the batch, and equally large directions would blow
# up those of rare tokens.

# %% tags=["demo"]
def orthogonalised(G):
    """Return a matrix with the directions of G and singular values near 1."""
    X = G / G.norm()
    for _ in range(5):
        A = X @ X.T
        X = 3.4445 * X + (-4.775 * A + 2.0315 * A @ A) @ X
    return X


def muon(model, matrix_lr=0.02, lr=0.03):
    """Return Muon for the matrices inside of the blocks, and AdamW for the rest."""
    return optimizers.muon_and_adamw(model, matrix_lr, lr, weight_decay=0.0, dtype=torch.float32)

# %% [markdown] question="muon"

# %% [markdown]
# Is the claim about the gradient true? We take the gradient of one matrix after twenty steps of training, and its
# singular values before and after. (In the very first step the gradients inside of the blocks are 0, since the head
# is 0.)

# %% tags=["demo"]
model = decoder(96)
train(model, [optimizers.adamw(model.parameters(), 0.005)], rt.pick(smoke=2, cpu=20))
ids, targets = (torch.tensor(part, device=rt.device) for part in batch(train_ids, train_targets, 20, 8, order))
model.zero_grad()
F.cross_entropy(model(ids).flatten(0, 1), targets.flatten(), ignore_index=-100).backward()
G = model.blocks[0].feed_forward.up.weight.grad

# %% [markdown]
# Its singular values, divided by the largest, and those of the orthogonalised matrix:

# %% tags=["demo"]
values = {"gradient / largest": G, "after five rounds": orthogonalised(G)}
values = {name: torch.linalg.svdvals(M).cpu().numpy() for name, M in values.items()}
values["gradient / largest"] = values["gradient / largest"] / values["gradient / largest"][0]
squares = np.cumsum(values["gradient / largest"] ** 2)
share = squares / squares[-1]
print(f"of the squares the first 10 of 96 hold {share[9]:.0%}, the first 20 {share[19]:.0%}")
ax = plotting.curves(range(1, 97), values, "number of the singular value", "singular value")
ax.set_title("A step of Muon is equally long in every direction, within a factor of two");

# %% [markdown]
# Most of the gradient lies in a few directions, and the last ones have a few per cent of the largest. Muon makes them
# as large as the first, and so their noise, too; momentum averages it before.
#
# ## The picture of the course
#
# Now a decoder of 260,000 parameters is trained, with Muon for the matrices of the blocks. **Expect** log2 V = 7.6
# bits at first, and 1.5 after about a hundred steps, where the decoder knows the sentences and guesses the names. Then
# it learns to look names up. At 7.6 nothing is learned; below the floor **on new documents** the targets are not
# shifted, or the mask leaks.

# %% tags=["demo"]
import time

steps = rt.pick(smoke=2, cpu=600, gpu=4_000)
model = decoder(rt.pick(smoke=32, cpu=96, gpu=256))

# %% [markdown]
# The training itself, and the score on whole documents at the end:

# %% tags=["demo"]
start, clock = time.process_time(), time.perf_counter()
bits = train(model, muon(model), steps)
seconds, wall = time.process_time() - start, time.perf_counter() - clock
result = score(model)
print(f"{seconds:.0f} core-seconds; on whole documents {result:.3f} bits per token, floor {floor:.3f}")

# %% [markdown]
# The figure shows the training loss on packed rows, averaged over 25 steps, between the two lines that we know: the
# 5-gram and the exact floor. On packed rows it is a little higher than on whole documents, as said above. (The first
# steps, from 7.6 on, lie above the figure.)

# %% tags=["demo"]
smooth = np.ones(min(25, steps)) / min(25, steps)
line = np.convolve(bits, smooth, mode="valid")
levels = {"5-gram": five_gram, "exact floor": floor}
ax = plotting.curves(np.arange(len(line)) + len(smooth), {"decoder": line}, "step", "bits per token", levels=levels)
ax.set_ylim(0.7, 2.6)
ax.set_title("Between counting and the best that is possible");

# %% [markdown]
# The decoder passes the 5-gram in the first third of the run. Its curve does not reach the floor, for two reasons. The
# rows of training cut documents, so some names cannot be known. And the model is small and was trained for seconds. On
# whole documents only the second reason counts. This is the fraction of the gap that is closed there:

# %% tags=["demo"]
closed = (five_gram - result) / (five_gram - floor)
rt.claim("training closes the gap between 5-gram and floor (fraction)", closed, closed >= 0.8)

# %% [markdown]
# Where is the rest? For each kind of token, what the decoder pays above the floor. `extra` is the difference between
# the decoder's bits and the exact ones, for every token of the test documents. A kind may be below 0: the tokens are
# sorted by what came, and a decoder that expects a thing too often pays less where one comes, and more in the other
# words.

# %% tags=["demo"] jupyter={"source_hidden": true}
def kinds_of(document):
    """Return for each token what it is: a name that was mentioned before, by its kind, or other."""
    seen, found = set(), []
    for word in document.tokens:
        kind = next((k for k, domain in eight.items() if any(row[0] == word for row in domain.rows)), "other words")
        found.append(f"{kind}, again" if word in seen and kind in eight else "other words")
        seen.add(word)
    return found


@torch.no_grad()
def bits_of(model):
    """Return the bits of each token of the test documents, one after the other."""
    logits = torch.cat([model(torch.tensor(part, device=rt.device)) for part in np.array_split(test_ids, 8)])
    bits = F.cross_entropy(logits.mT, torch.tensor(test_targets, device=rt.device), reduction="none") / math.log(2)
    return bits.cpu().numpy()[test_targets != -100]


exact = np.array([-logp / math.log(2) for document in tests for logp in document.logps])
kind = np.array([k for document in tests for k in kinds_of(document)])
extra = bits_of(model) - exact
shares = {k: float(extra[kind == k].sum() / len(extra)) for k in set(kind)}
shares = dict(sorted(shares.items(), key=lambda one: -one[1]))
print(f"together {sum(shares.values()):.4f} bits; most of it: {next(iter(shares))}")

# %% tags=["demo"]
ax = plotting.bars(shares, "bits above the floor, per token of the text", digits=4)
ax.margins(x=0.2)
ax.set_title("What the decoder has not learned yet");

# %% [markdown] question="below_the_floor"

# %% [markdown]
# ## What does it cost?
#
# One multiplication and one addition are two **operations** (FLOPs). In the forward pass each parameter of a matrix
# is used once per token: 2 operations. The backward pass needs the gradient with respect to the inputs and that with
# respect to the weights: another 4. Together 6 N, where N is the number of parameters in this section. (A table that
# is only looked up would not count, but often simply all parameters are taken.) The attention also multiplies each
# query with T keys, and the weights with T values: 2 products of 2 d T operations in each of L layers, of width d.
# With the backward pass that is three times as much:
#
# $$\text{operations per token} = 6 N + 12\, L\, d\, T$$
#
# (Chowdhery et al. 2022, appendix B. It counts all T keys, though the causal mask hides half of them.)

# %% [markdown] exercise="flops_per_token"
# Write `flops_per_token`, which returns the operations of training on one token. The second example is the smallest
# GPT-2, with all of its parameters:
#
# ```python
# >>> flops_per_token(n_parameters=1000, n_layers=2, d_model=8, length=16)
# 9072
# >>> flops_per_token(124_439_808, 12, 768, 1024)
# 859885056
# ```
#
# | | |
# |---|---|
# | `n_parameters`, `n_layers`, `d_model`, `length` | N, L, d, T: whole numbers |
# | returns | the number of operations, forward and backward |

# %% exercise="flops_per_token"
def flops_per_token(n_parameters: int, n_layers: int, d_model: int, length: int) -> float:
    """Return the operations of training on one token."""
    ### BEGIN SOLUTION
    return 6 * n_parameters + 12 * n_layers * d_model * length
    ### END SOLUTION


# %% check="flops_per_token"
check.flops_per_token(flops_per_token);

# %% [markdown]
# A machine has a **peak**: the operations that it can do in a second, if it does nothing but multiply matrices. The
# **model FLOPs utilisation**, MFU, is the fraction of it that a run has used. Large runs on good hardware reach 0.4 to
# 0.6. A number above 1 means that something was counted wrongly.

# %% [markdown] exercise="mfu"
# Write `mfu`, which returns this fraction. A run does 6e9 operations for a token and 1,000 tokens in 2 seconds, which
# is 3e12 operations in a second. On a device with a peak of 1e13 that is 0.3, on two of them 0.15:
#
# ```python
# >>> mfu(flops=6e9, tokens=1000, seconds=2.0, peak=1e13)
# 0.3
# >>> mfu(flops=6e9, tokens=1000, seconds=2.0, peak=1e13, devices=2)
# 0.15
# ```
#
# | | |
# |---|---|
# | `flops` | operations per token |
# | `tokens`, `seconds` | how many tokens were trained on, in how long |
# | `peak`, `devices` | operations per second that **one** device can do, and the number of devices |
# | returns | a fraction, not percent |

# %% exercise="mfu"
def mfu(flops: float, tokens: int, seconds: float, peak: float, devices: int = 1) -> float:
    """Return the fraction of the possible operations that were done."""
    ### BEGIN SOLUTION
    return flops * tokens / (seconds * peak * devices)
    ### END SOLUTION


# %% check="mfu"
check.mfu(mfu);

# %% [markdown]
# For our own run we measure the peak: the fastest product of two large matrices, here and now. For both we take the
# time on the clock, not that of the processor: several threads, or a GPU, work at the same time. (A machine that does
# something else meanwhile lowers the MFU.)

# %% tags=["demo"]
from llmcourse.training import cost, hardware

operations, utilisation = choose(flops_per_token, cost.flops_per_token), choose(mfu, cost.mfu)
size, times = rt.pick(smoke=64, cpu=1024, gpu=8192), []
A = torch.randn(size, size, device=rt.device)

# %% tags=["demo"]
for _ in range(5):
    start = time.perf_counter()
    (A @ A).sum().item()
    times.append(time.perf_counter() - start)
peak = 2 * size**3 / min(times)

# %% [markdown]
# With the operations of the run and its seconds this gives the MFU. Solved for the tokens, the same formula plans a
# run: tokens = seconds $\cdot$ peak $\cdot$ MFU / operations per token. The memory is a second limit. With AdamW in
# float32 each parameter needs 16 bytes, for itself, its gradient, m and v; the rest is for the numbers between the
# layers, which grow with the tokens of a micro-batch.

# %% tags=["demo"]
config = model.config
multiplied = config.n_parameters - V * config.d_model  # the table of token vectors is only looked up
per_token = operations(multiplied, config.n_layers, config.d_model, T)
used = utilisation(per_token, steps * 8 * T, wall, peak)
print(f"{per_token:,} operations per token; peak {peak / 1e9:.0f} billion operations per second; MFU {used:.2f}")
rt.record("MFU of the run", used)

# %% [markdown]
# ## A ladder row, and its price
#
# On tiny Shakespeare, unit 08's decoder reached 2.87 bits per character in sixteen seconds, far behind counting. Here
# is the same task with this unit's recipe: squared ReLU, other initial weights, a head of its own, and Muon. It reads
# 225,000 characters, about half of what unit 08's decoder has read. A second
# decoder gets the same batches and AdamW for everything. **Expect** log2 65 = 6 bits at first, and at the end about 2.8
# with Muon and 3.1 with AdamW.

# %% tags=["demo"] jupyter={"source_hidden": true}
from llmcourse.text import corpora as data

english = data.english()
characters = sorted(set(english.train + english.held_out))
size = rt.pick(smoke=5_000, cpu=len(english.train))
text_ids, held_out_ids = (ngram.encode(part, characters) for part in (english.train[:size], english.held_out[:size]))
n = (len(text_ids) - 1) // T * T
text_rows = text_ids[:n].reshape(-1, T), text_ids[1 : n + 1].reshape(-1, T)


def windows(ids, T=T):
    """Return rows (ids, targets) of a text in which only the second half of a row counts."""
    rows = np.lib.stride_tricks.sliding_window_view(ids, T + 1)[:: T // 2]
    targets = rows[:, 1:].copy()
    targets[:, : T // 2] = -100
    return rows[:, :-1], targets

# %% [markdown]
# The rows of this text have another number, so they need an order of their own.

# %% tags=["demo"]
def text_order(epoch):
    return np.random.default_rng([rt.seed, epoch]).permutation(len(text_rows[0]))


text_steps = rt.pick(smoke=2, cpu=220, gpu=5_000)
history, results, taken = {}, {}, {}
for name in ("AdamW", "Muon"):
    reader = decoder(rt.pick(smoke=32, cpu=96, gpu=384), layers=3, vocabulary=len(characters))
    chosen = muon(reader, lr=0.01) if name == "Muon" else [optimizers.adamw(reader.parameters(), 0.005)]
    start = time.process_time()
    history[name] = train(reader, chosen, text_steps, text_rows, order=text_order)
    taken[name], results[name] = time.process_time() - start, score(reader, *windows(held_out_ids))
    print(f"{name}: {taken[name]:.0f} core-seconds, {results[name]:.3f} bits per character on held-out text")

# %% tags=["demo"]
lines = {name: np.convolve(bits, np.ones(10) / 10, mode="valid") for name, bits in history.items()}
ax = plotting.curves(range(10, 10 + len(lines["Muon"])), lines, "step", "training loss in bits per character")
ax.set_ylim(2.2, 4.5)
ax.set_title("The same batches, two optimisers");

# %% [markdown]
# A step of Muon takes a little longer, and its loss is lower all the way. The row for the ladder is that of Muon.

# %% tags=["demo"]
gain = results["AdamW"] - results["Muon"]
rt.claim("after the same steps Muon is ahead of AdamW (by, bits per character)", gain, gain > 0)
row = {"parameters": reader.config.n_parameters, "tokens": text_steps * 8 * T, "seconds": taken["Muon"]}
rt.ladder("decoder, 3 blocks of 96, Muon", results["Muon"], corpus=english.name, **row)
rt.claim("characters: the decoder is ahead of add-k trigrams (bits)", results["Muon"], results["Muon"] < 2.9)

# %% [markdown]
# What did each model of the ladder cost? The figure shows bits per character against the seconds of one core that
# its training took, on a logarithmic scale.

# %% tags=["demo"]
ax = plotting.costs(rt.ladder_rows(english.name))
ax.set_title("In half a minute no network passes counting");

# %% [markdown]
# In these seconds counting is far ahead: a 6-gram with Kneser-Ney smoothing is fitted in a tenth of a second, and the
# networks that took a hundred times as long are worse. The best of them is the LSTM of unit 06, not a decoder.
#
# ## Faster
#
# How long does a network need until it beats counting? That depends on the recipe as much as on the machine. Since
# 2024 a public **speed-run** asks for the shortest training of a GPT-2 of 124 million parameters to a loss of 3.28
# nats on FineWeb, always on eight H100 GPUs. The record history (`KellerJordan/modded-nanogpt`; the last line is the
# state of July 2026):

# %% tags=["demo"] jupyter={"source_hidden": true}
records = [  # date, minutes, what changed
    ("2024-05-28", 45.0, "llm.c, a replication of GPT-2"),
    ("2024-06-06", 31.4, "rotary positions, a tuned learning rate"),
    ("2024-10-04", 24.9, "Muon"),
    ("2024-10-11", 22.3, "a better Muon"),
    ("2024-10-14", 15.2, "squared ReLU, normalised queries and keys, outputs that start at 0"),
    ("2024-10-18", 13.1, "Muon's work shared between the GPUs (software)"),
    ("2024-10-18", 12.0, "PyTorch 2.5 in place of 2.4 (software)"),
    ("2024-11-03", 10.8, "a head of its own, not tied"),
    ("2024-11-06", 8.2, "shortcuts from the token vectors to later blocks, capped logits"),
    ("2024-11-10", 7.2, "numbers between the layers in bfloat16; more shortcuts"),
    ("2024-11-19", 5.03, "attention over long rows with a window, one fused kernel"),
    ("2024-11-24", 4.66, "a window that grows during the run"),
    ("2024-12-04", 4.41, "a second table of token vectors, added to the values"),
    ("2024-12-17", 3.57, "that table in fewer layers, faster code"),
    ("2025-01-04", 3.4, "a lower cap of the logits"),
    ("2025-07-13", 2.86, "many small changes"),
    ("2026-07-17", 74 / 60, "many more, among them 8-bit products"),
]
for date, minutes, change in records:
    print(f"{date}  {minutes:5.2f} min  {change}")

# %% tags=["demo"]
from datetime import date as day

import matplotlib.pyplot as plt

# %% [markdown]
# On a logarithmic scale a constant factor is a constant step down:

# %% tags=["demo"]
_, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
days, minutes = [day.fromisoformat(d) for d, _, _ in records], [m for _, m, _ in records]
ax.plot(days, minutes, "o-", color="#16324f", drawstyle="steps-post")
ax.set(yscale="log", yticks=[1, 2, 5, 10, 20, 45], yticklabels=[1, 2, 5, 10, 20, 45], ylabel="minutes on 8 H100")
ax.set_title("GPT-2 to a loss of 3.28: from 45 minutes to 74 seconds")
ax.grid(color="#dddddd", linewidth=0.6);

# %% [markdown]
# The machine is the same in every line, and the target, too. So the gain, 36 times in two years, is in the recipe and
# in the software. Between two points of the figure there was no measurement.
#
# ### The course's own speed-run
#
# We asked the same of one thread of a CPU and of tiny Shakespeare: how long until a decoder reaches 1.90 nats (2.74
# bits) per character on the whole validation text, and until it beats the two best ways of counting? The peers are
# nanoGPT's published recipe for processors, and one that we tuned. Ours is the recipe of this unit with one large
# addition: to the vector of each character come vectors of the last 2, 3, ... 8 characters, from tables. The runs take
# too long for a notebook, so the table is **recorded**. The numbers of steps come from measured losses. The seconds are
# steps times the median cost of a step, measured in turn on one machine. The log is `benchmarks/speedrun.md`.

# %% tags=["demo"] jupyter={"source_hidden": true}
import json
from importlib import resources

recorded = json.loads((resources.files("llmcourse") / "speedrun_recorded.json").read_text("utf-8"))
print(recorded["made_by"])
for one in recorded["runs"]:
    ours, peer = one["steps"] * one["ms"] / 1000, one["peer_steps"] * one["peer_ms"] / 1000
    print(f"{one['goal']}, {one['bits']:.2f} bits: ours {one['steps']} steps, {ours:.3g} s; "
          f"{one['peer']} {one['peer_steps']:,} steps, {peer:.0f} s; {peer / ours:.0f} times as long")  # fmt: skip

# %% [markdown]
# nanoGPT's recipe reaches 1.90 nats between 1,900 and 2,000 steps. The tuned one ends its 2,000 steps at about 1.557
# nats and reaches neither of the other goals, so there its whole run is compared. What did each change give, after 100
# or 150 steps?

# %% tags=["demo"]
gains = {one["change"]: one["nats"] / math.log(2) for one in recorded["changes"]}
ax = plotting.bars(gains, recorded["quantity"], digits=3)
ax.margins(x=0.2)
ax.set_title("Longer n-grams gave most");

# %% [markdown]
# Each bar is one change against the run before it in the log, not a sum of those above. Seeds alone differ by up to
# 0.015 bits, so the short bars are no proof. The price is memory: the tables have 940 MB.
#
# ### Shorter numbers
#
# Weights and gradients can be computed with 16 bits in place of 32. **bfloat16** has the range of float32 and only 8
# bits of precision, which is enough for products, not for sums and not for the weights themselves: a step of a
# thousandth of a weight is rounded away. So the weights stay in float32, and torch's **autocast** rounds only what
# goes into the products. Whether this is faster depends on the processor, so ask it. The probe takes one second:

# %% tags=["demo"]
faster = hardware.bf16_is_faster(rt.device, seconds=rt.pick(smoke=0.1, cpu=1.0))
print(f"bfloat16 is {'faster' if faster else 'not faster'} than float32 here")

# %% [markdown]
# With `torch.autocast(rt.device.type, torch.bfloat16)` around the forward pass of one step the loop is
# otherwise the same. Not around the whole loop: autocast keeps a rounded copy of each weight until its block ends, and
# after the step it would be out of date.
#
# ### More than one machine
#
# In **data parallel** training every process has a copy of the model and reads other rows. After the backward pass
# the gradients of all processes are added, and every process takes the same step. This is gradient accumulation over
# processes in place of time, and the same rule holds: sum of losses over sum of targets, over all of them. torch
# starts the processes with one command, here two on this machine:
#
# ```
# torchrun --nproc-per-node 2 --no-python llmcourse train my_text.txt
# ```
#
# Here every process reads its part of every batch, so up to rounding they take the steps of one process with the
# whole batches. The command `llmcourse train` trains a decoder on any text file with the recipe of this unit, and
# `llmcourse sample` writes from it. Both are described in the README.
#
# ## Catch the impostor
#
# The mistakes of this unit have one thing in common: the loss still falls. So a loop needs a **test**. Here is a whole
# training as one function, with a model that is small enough to compute by hand: a bigram. The logits after token i
# are row i of `E` (V, V), times `g` (V,), number by number. g is like the weight of a norm, so it must not decay. In
# training, dropout sets some of the products to 0; the evaluation at the end uses all of them.

# %%
def bigram_gradient(params, batch):
    """Return (sum of losses, number of targets, gradients of the sum) of the bigram, without dropout."""
    ids, targets = (np.asarray(part).ravel() for part in batch)
    ids, targets = ids[targets != -100], targets[targets != -100]
    E, g = params["E"], params["g"]
    z = E[ids] * g
    e = np.exp(z - z.max(axis=1, keepdims=True))
    P, rows = e / e.sum(axis=1, keepdims=True), np.arange(len(ids))
    loss = -np.log(P[rows, targets]).sum()
    P[rows, targets] -= 1  # the gradient with respect to the logits
    dE = np.zeros_like(E)
    np.add.at(dE, ids, P * g)
    return loss, len(ids), {"E": dE, "g": (P * E[ids]).sum(axis=0)}

# %% [markdown]
# `batches` holds one list of micro-batches for each step, and each micro-batch is a pair (ids, targets). The settings
# are `lr`, `warmup`, `steps`, `weight_decay`, `max_norm` and `dropout`. This version has no dropout and calls your
# functions:

# %%
def train_bigram(params, batches, held_out, settings):
    """Return (params after all steps, mean loss of the held-out batch in nats)."""
    state = {}
    for step, micro in enumerate(batches):
        lr = warmup_cosine(step, settings["steps"], settings["warmup"], settings["lr"])
        update = partial(adamw_step, lr=lr, weight_decay=settings["weight_decay"])
        params, state, _, _ = train_step(params, state, micro, bigram_gradient, update, settings["max_norm"])
    loss, count, _ = bigram_gradient(params, held_out)
    return params, loss / count


# %% [markdown]
# The first impostor never clips:

# %%
def without_clipping(params, batches, held_out, settings):
    return train_bigram(params, batches, held_out, {**settings, "max_norm": math.inf})


# %% [markdown] exercise="test_train_step"
# Write `test_train_step`, which returns `True` if a given implementation of this training is right and `False` if it
# has a bug.
#
# ```python
# >>> test_train_step(train_bigram), test_train_step(without_clipping)
# (True, False)
# ```
#
# The check in the notebook tries your test on a right implementation and on two impostors. Grading tries it on three
# right implementations, written in different ways, and on six other impostors. Your test has to accept all right
# ones, otherwise it earns nothing. Then each impostor that it rejects earns an equal part of the points, and the
# feedback page says for the others what kind of input to try.
#
# One warning: AdamW hides a lot. A gradient that is always ten times too large gives the same steps. So a single step
# shows nothing about sizes; several steps of which some are clipped do.
#
# | | |
# |---|---|
# | `train` | function of `params`, `batches`, `held_out`, `settings`, as `train_bigram`, that returns the same |
# | `params` | `"E"` (V, V) and `"g"` (V,), float64, numbers of size 1 |
# | batches | `batches` may be `[]`; every batch is (ids, targets), integer arrays (B, T), with a target that counts |
# | `settings` | the six numbers above, all of them; 0 <= warmup <= steps; as many steps as `batches`, or more |
# | dropout | at 0 an implementation has nothing random; above 0 only the evaluation can be known |
# | limits | at most 30 calls, at most 1,000 numbers in the arguments of one call |
# | returns | `True` or `False`; an error counts as `False`, also one that `train` raises |
# | tolerance | a right implementation may compute in float32: allow differences of 1e-4 |
#
# You may call your `train_step`, `adamw_step` and `warmup_cosine`, and so `train_bigram`, once they pass (grading
# uses correct ones).

# %% exercise="test_train_step"
def test_train_step(train) -> bool:
    """Return whether this implementation of the training is right."""
    ### BEGIN SOLUTION
    rng = np.random.default_rng(0)
    params, V = {"E": rng.normal(size=(5, 5)), "g": rng.normal(size=5)}, 5

    def batch(keep):
        ids, targets = rng.integers(0, V, (2, 2, 4))
        targets[:, keep:] = -100
        return ids, targets

    batches, held_out = [[batch(4), batch(1)] for _ in range(4)], batch(3)
    settings = {"lr": 0.3, "warmup": 3, "steps": 6, "weight_decay": 0.5, "max_norm": 0.3, "dropout": 0.0}
    (want, loss), (got, mine) = (f(params, batches, held_out, settings) for f in (train_bigram, train))
    start, still = (f(params, [], held_out, settings | {"dropout": 0.5})[1] for f in (train_bigram, train))
    pairs = [(want["E"], got["E"]), (want["g"], got["g"]), (loss, mine), (start, still)]
    return all(np.allclose(one, other, atol=1e-4) for one, other in pairs)
    ### END SOLUTION


# %% check="test_train_step"
check.test_train_step(test_train_step);

# %% [markdown] written="plan_a_run"
# A colleague has 500 MB of text, mostly short documents, one GPU with 24 GB of memory, and a weekend. She wants to
# train a decoder of 50 million parameters, and has written a loop that trains. Its loss falls. Write 150 to 250 words.
# Advise her
#
# - how to make rows of the documents, and what to watch when she evaluates;
# - how to find out how many tokens the weekend allows, with the formula of this unit and one measurement;
# - which learning rate, how to find it cheaply, and which schedule;
# - what a checkpoint has to contain, and how she can tell that hers does;
# - which two tests of the loop to run before the weekend begins, and which bug each would show.
#
# Use at least two numbers that you measured in this unit.
#
# ### BEGIN SOLUTION
# Pack the documents: end tokens between them, one stream, rows of full length. Then nothing is lost and hardly
# anything is padding; one document in a row would have wasted about 30 % of ours. Evaluate on whole held-out
# documents, sum of losses over number of targets that count. Training on one token costs 6 N + 12 L d T operations,
# here a bit more than 3e8. Let her train for a minute and measure tokens per second: times 170,000 seconds gives the
# tokens of the weekend, and with the peak of the card the MFU, which tells whether the loop waits for something. The
# learning rate: a sweep in factors of four on short runs of a smaller model. In ours 1e-4 was bits behind the best,
# 0.4 diverged, and the valley was wide. Schedule: a short warm-up, then a cosine to nearly 0 over the whole run. A
# checkpoint holds parameters, m, v, the optimiser's step, the step of the run and random state. Test: stop after 20
# steps, resume, and compare with 40 steps without a stop; the difference has to be exactly 0, as ours was. It shows a
# forgotten m or v. Second: a batch in one piece against the same batch in micro-batches of different sizes. A mean of
# means shows as a difference of several per cent; ours was below 1e-4 when done right.
# ### BEGIN MARK SCHEME
# 10 points. 2: packing with end tokens; evaluation on whole documents or by sum over count (1 each). 2: 6 N + 12 L d T
# and measured tokens per second (1 each). 2: sweep on short or small runs; warm-up and cosine (1 each). 2: contents of
# the checkpoint incl. optimiser (1), a resumed run compared exactly (1). 1: two sensible tests with the bug that each
# shows. 1: two measured numbers, correctly used. Subtract 1 for judging a loop by "the loss falls".
# ### END MARK SCHEME
# ### END SOLUTION

# %% [markdown]
# ## What was shown
#
# - Packing loses no token and pads almost nothing. A batch that is a function of the step cannot lose its place.
# - AdamW by hand equals torch's to 1e-6. Accumulated gradients equal those of the whole batch; the mean of means does
#   not.
# - A run that was stopped and resumed ends with exactly the parameters of one that was not.
# - A small decoder closes about 95 % of the gap between a 5-gram and the exact floor, in less than half a minute
#   of one core. On characters, Muon gets further than AdamW with the same number of steps.
# - On characters, counting is still cheaper than our network. How long a network needs to pass it is a question of
#   the recipe: with vectors of n-grams 14 to 18 seconds of one thread are enough.
#
# **To think about.** (1) A run has twice as many processes and reads twice as many rows in a step. What would you do
# with the learning rate, and how would you check? (2) The loss of a run jumps up once and comes back. What would you
# look at? (3) Which of our mistakes could be found by looking at the loss curve alone?
#
# **Where the ideas come from.** Kingma and Ba 2015, arXiv:1412.6980 (Adam); Loshchilov and Hutter 2019,
# arXiv:1711.05101 (AdamW), and 2017, arXiv:1608.03983 (cosine); Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063
# (clipping); Jordan et al. 2024 (Muon, and the speed-run of GPT-2); Bernstein and Newhouse 2024, arXiv:2409.20325
# (orthogonal steps);
# Chowdhery et al. 2022, arXiv:2204.02311 (MFU); Gao et al. 2020, arXiv:2101.00027 (The Pile); Penedo et al. 2024,
# arXiv:2406.17557 (FineWeb); Kandpal et al. 2025, arXiv:2506.05209 (Common Pile); Radford et al. 2019 (GPT-2).
#
# **Next.** The decoder reads from left to right and can write. Unit 11 reads in both directions, which is better for
# understanding a text, and tunes a trained model for a task.
