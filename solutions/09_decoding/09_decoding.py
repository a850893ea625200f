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
# # Decoding
#
# **How does a model that only gives probabilities write a text?** The transformer of unit 08 returns, for each text,
# a probability for every possible next token. Something has to choose. In this unit you write the choosers: greedy
# decoding, sampling with its filters, and beam search. Then you make them fast, with a cache and with a second,
# smaller model that guesses ahead.

# %% tags=["parameters"]
preset = "cpu"
device = "auto"
seed = 0

# %% [markdown]
# You write everything in numpy, on logits and lists of ids. The trained model is the library's, in torch.

# %%
import math

import numpy as np

from llmcourse.checks import u09_decoding as check
from llmcourse.runtime import choose, setup

rt = setup(preset, device, seed)

# %% [markdown]
# ## What you will build
#
# A model has read "Yesterday I went to the cinema to see a" and gives these probabilities for the next word:
#
# | film | documentary | omelette | like | love |
# |---|---|---|---|---|
# | .54 | .36 | .08 | .01 | .01 |
#
# Which one should it write? Always *film*, the most probable? Then every text that it writes after these words is the
# same. A random word, with these probabilities? Then it writes about an omelette every twelfth time. The figure shows
# the second case (all words) beside three compromises, which you will write.

# %%
words = ["film", "documentary", "omelette", "like", "love"]
cinema = np.log([[0.54, 0.36, 0.08, 0.01, 0.01]])  # logits (1, V): up to a constant they are log-probabilities

# %% tags=["demo"] jupyter={"source_hidden": true}
import matplotlib.pyplot as plt

from llmcourse import plotting
from llmcourse.inference import decoding_arrays as library


def probabilities(logits):
    """Return the softmax of each row; a logit of -inf becomes 0."""
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


ways = {
    "all words": cinema, "temperature 0.3": library.temperature_logits(cinema, 0.3),
    "top-k 2": library.top_k_filter(cinema, 2), "top-p 0.95": library.top_p_filter(cinema, 0.95),
}  # fmt: skip
tables = {way: dict(zip(words, probabilities(z)[0])) for way, z in ways.items()}
ax = plotting.distributions(tables)
ax.set_title("One distribution, four ways to draw from it");

# %% [markdown]
# A lower temperature makes *film* more probable still. The other two remove words: top-k by their rank, top-p by
# their probabilities. You will compare their texts below.
#
# The loop around it is always the same. The text so far goes into the model, the logits of the next token come out,
# one token is chosen and appended:
#
# ![The decoding loop. The text so far goes into the model, which returns logits, (V,). Filters change the logits. A
# token is chosen and appended to the text. The loop stops at the end token.](figures/decoding_loop.svg)
#
# These symbols are used from here on:
#
# | symbol | meaning |
# |---|---|
# | B, V | number of texts (rows) in a batch, and number of different tokens |
# | T, S | number of new positions, and number of positions (or ids) that were there before |
# | n | number of new tokens |
# | k | in top-k the number of tokens that stay; in the last part the number of guesses |
# | z, P(i) | the logits, and the probability of token i |
# | p | in top-p the sum of probabilities to reach; in the last part the probabilities of the large model |
# | τ, θ, α | temperature, repetition penalty, exponent of the length penalty |
#
# ## Greedy decoding
#
# **Greedy** decoding takes the most probable token in each step. To try it we need a model. The first one is a table:
# the next token depends on the last one only. Token 0 is the full stop, which ends a text.

# %%
toy_words = [".", "a", "the", "film", "cat", "saw"]
after = np.array([
    [1.00, 0.00, 0.00, 0.00, 0.00, 0.00],  # after "."
    [0.25, 0.00, 0.00, 0.40, 0.35, 0.00],  # after "a"
    [0.00, 0.00, 0.00, 0.90, 0.10, 0.00],  # after "the"
    [1.00, 0.00, 0.00, 0.00, 0.00, 0.00],  # after "film"
    [1.00, 0.00, 0.00, 0.00, 0.00, 0.00],  # after "cat"
    [0.10, 0.50, 0.40, 0.00, 0.00, 0.00],  # after "saw"
])  # fmt: skip


def toy_logits(ids):
    """Return the logits (V,) of the token after a text."""
    return np.log(np.maximum(after[ids[-1]], 1e-9))  # log 0 would warn; 1e-9 is never chosen here

# %% [markdown] exercise="greedy"
# Write `greedy`, which returns the new ids that greedy decoding writes after a prompt. After *saw* (5) the most
# probable token is *a* (1), after it *film* (3), and then the full stop (0):
#
# ```python
# >>> greedy(toy_logits, [5], n=10, end=0)
# [1, 3, 0]
# >>> greedy(toy_logits, [5], n=2, end=0)
# [1, 3]
# ```
#
# | | |
# |---|---|
# | `next_logits` | a function: `next_logits(ids)` returns the logits (V,) of the token after the list `ids` |
# | `prompt` | a list of ids, which the text begins with; not modified |
# | `n`, `end` | at most n new ids; the id of the end token, after which nothing is written |
# | returns | the list of new ids, without the prompt; the end token, if it was chosen, is the last one |
# | ties | the lowest id (`np.argmax`) |
# | calls | one call of `next_logits` for each new id, with the whole text so far; none for n = 0 |

# %% exercise="greedy"
def greedy(next_logits, prompt: list, n: int, end: int) -> list:
    """Return at most n new ids, each the most probable."""
    ### BEGIN SOLUTION
    ids = []
    while len(ids) < n and end not in ids:
        ids.append(int(np.argmax(next_logits(prompt + ids))))
    return ids
    ### END SOLUTION


# %% check="greedy"
check.greedy(greedy);

# %% [markdown]
# ## A model to write with
#
# Now a real model. The text is the manual that comes with Python (465,048 characters), cut into words in lower case,
# full stops and commas. Words with digits or underscores and all other signs are left out, so some sentences have
# gaps. The 1,000 most frequent words and signs are the tokens; all others are the token `<unk>`.

# %% tags=["demo"]
from collections import Counter

import torch
from torch.nn import functional as F

from llmcourse.models.transformer import Decoder
from llmcourse.models.transformer_config import TransformerConfig
from llmcourse.text import corpora

tokens = [w for w in corpora.words(corpora.text("manual").lower()) if w.isalpha() or w in ".,"]
vocabulary = ["<unk>", *(word for word, _ in Counter(tokens).most_common(1_000))]
id_of = {word: i for i, word in enumerate(vocabulary)}
UNK, STOP, V = 0, id_of["."], len(vocabulary)
ids = np.array([id_of.get(token, UNK) for token in tokens])
train, held_out = ids[: len(ids) * 9 // 10], ids[len(ids) * 9 // 10 :]
print(f"{len(train):,} tokens to train on, {len(held_out):,} held out, {(ids == UNK).mean():.1%} are <unk>")

# %% [markdown]
# The decoder has two layers of width 128 and rotary positions. It is trained as in unit 08: windows of 48 tokens from
# random places, AdamW, a learning rate that rises and then falls, and clipped gradients. **What to expect**: a loss
# of ln V = 6.9 nats or a little more at first, and near 3.8 at the end, after about 20 seconds. This is the loss on
# the training text, which is read about four times.

# %% tags=["demo"]
steps, T = rt.pick(smoke=5, cpu=350, gpu=2_000), 48
torch.manual_seed(rt.seed)
model = Decoder(TransformerConfig(V, 1_024, 2, 4, 128, 512, positions="rotary"))
for parameter in model.parameters():
    if parameter.dim() == 2:
        torch.nn.init.normal_(parameter, std=0.05)
model = model.to(rt.device)
optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=0.1, fused=True)
data, order, losses = torch.tensor(train), torch.Generator().manual_seed(rt.seed), []
for step in range(steps):
    rate = min(1, (step + 1) / (0.1 * steps)) * (1 + math.cos(math.pi * step / steps)) / 2
    optimizer.param_groups[0]["lr"] = 4e-3 * rate
    starts = torch.randint(len(data) - T, (16,), generator=order)
    batch = torch.stack([data[at : at + T + 1] for at in starts]).to(rt.device)
    loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    losses.append(loss.item())
print(f"training loss {losses[0]:.2f} at first, {np.mean(losses[-50:]):.2f} at the end")

# %% [markdown]
# All texts below begin with words from the held-out part, which the model has not read. Expect a higher loss there.

# %% tags=["demo"]
windows = torch.tensor(held_out[: len(held_out) // (T + 1) * (T + 1)]).view(-1, T + 1).to(rt.device)
with torch.no_grad():
    loss = F.cross_entropy(model(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())
print(f"held-out loss {loss.item():.2f}")

# %% [markdown]
# `next_logits` asks this model. It never writes `<unk>`: we set its logit so low that no method chooses it.

# %% tags=["demo"]
@torch.no_grad()
def next_logits(ids):
    """Return the logits (V,) of the token after a text."""
    logits = model(torch.tensor([ids], device=rt.device))[0, -1].double().cpu().numpy()
    logits[UNK] = -1e9
    return logits

# %% [markdown]
# `written` turns ids into words.

# %% tags=["demo"]
def written(ids):
    return " ".join(vocabulary[i] for i in ids)

# %% [markdown]
# What does greedy decoding write? We take four words from each of twelve places in the held-out part as prompts, and
# let it write fifty tokens. A full stop does not end the text here, so `end` is `UNK`, which is never written.
# `choose` takes your function if its check has passed, else the library's.

# %% tags=["demo"]
mine = choose(greedy, library.greedy)
places = np.linspace(0, len(held_out) - 10, rt.pick(smoke=2, cpu=12)).astype(int)
prompts = [held_out[at : at + 4].tolist() for at in places]
greedy_texts = [mine(next_logits, prompt, rt.pick(smoke=5, cpu=50), UNK) for prompt in prompts]
for prompt, text in list(zip(prompts, greedy_texts))[:3]:
    print(f"[{written(prompt)}] {written(text)}\n")
thrice = sum(max(Counter(zip(text, text[1:])).values()) >= 3 for text in greedy_texts)
print(f"a pair of words occurs three times or more in {thrice} of {len(greedy_texts)} texts")

# %% [markdown]
# It **loops**: the same words come again and again. This is not a bug of the code. Large models trained on billions
# of words loop, too. Holtzman et al. (2020) saw that each repetition of a phrase makes the next one more probable,
# and greedy decoding has no way out.
#
# ## Sampling
#
# The opposite of greedy is to **draw** the next token with the probabilities of the model. `draw` does it with one
# random number u between 0 and 1: it returns the first token whose running sum of probabilities is above u (unit 02).

# %%
def draw(probs: np.ndarray, u: float) -> int:
    """Return the first id whose running sum is above u."""
    above = np.flatnonzero(np.cumsum(probs) > u)
    return int(above[0]) if len(above) else int(np.flatnonzero(probs)[-1])

# %% [markdown]
# With the numbers 0.2, 0.6 and 0.95 it draws the first three words of the cinema:

# %%
[draw(np.array([0.54, 0.36, 0.08, 0.01, 0.01]), u) for u in (0.2, 0.6, 0.95)]

# %% [markdown]
# ### Temperature
#
# The **temperature** $\tau$ divides the logits before the softmax:
#
# $$P(i) = \frac{e^{z_i/\tau}}{\sum_j e^{z_j/\tau}}$$
#
# With $\tau < 1$ the differences between logits grow, and the probable tokens gain. With $\tau > 1$ they shrink. For
# logits that are log-probabilities, $z_i = \log P_i$, we get $e^{z_i/\tau} = P_i^{1/\tau}$. With $\tau = 0.5$ the
# cinema's probabilities are squared, .2916, .1296, .0064, .0001 and .0001, and divided by their sum .4278: *film*
# gets .682.

# %% [markdown] exercise="temperature_logits"
# Write `temperature_logits`, which returns the logits for a temperature:
#
# ```python
# >>> temperature_logits(np.array([[2.0, -1.0]]), 0.5)
# array([[ 4., -2.]])
# ```
#
# | | |
# |---|---|
# | `logits` | (B, V); not modified |
# | `temperature` | a number above 0; for 0 and below: `ValueError` |
# | returns | new logits (B, V), not probabilities |

# %% exercise="temperature_logits"
def temperature_logits(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Return the logits for a temperature."""
    ### BEGIN SOLUTION
    if temperature <= 0:
        raise ValueError(f"expected a temperature above 0, got {temperature}: use greedy")
    return logits / temperature
    ### END SOLUTION


# %% check="temperature_logits"
check.temperature_logits(temperature_logits);

# %% [markdown]
# The cinema at three temperatures. Expect *film* to take nearly everything at 0.3: $.54^{1/0.3}$ is 3.9 times
# $.36^{1/0.3}$.

# %% tags=["demo"]
warm = choose(temperature_logits, library.temperature_logits)
tables = {f"temperature {t}": dict(zip(words, probabilities(warm(cinema, t))[0])) for t in (0.3, 1, 2)}
ax = plotting.distributions(tables)
ax.set_title("Low temperatures sharpen, high ones flatten");

# %% [markdown]
# At 0.3 *film* has .79, at 2 it has .40, and *love*, which had .01, has .06. The order of the words never changes.

# %% [markdown] question="temperature"

# %% [markdown]
# ### Top-k
#
# The tokens that make no sense have small probabilities, but there are many of them. If 1,000 senseless tokens have a
# probability of .0002 each, one of them is drawn in every fifth step. **Top-k** (Fan et al. 2018) keeps the
# k most probable tokens. The others get the logit $-\infty$, so their probability is $e^{-\infty} = 0$, and the
# softmax divides by what is left: with k = 2 the cinema has .54 / .90 = .600 and .36 / .90 = .400.

# %% [markdown] exercise="top_k_filter"
# Write `top_k_filter`, which keeps the k largest logits of each row:
#
# ```python
# >>> top_k_filter(np.array([[1.0, 4.0, 2.0, 3.0]]), 2)
# array([[-inf,   4., -inf,   3.]])
# ```
#
# | | |
# |---|---|
# | `logits` | (B, V); not modified |
# | `k` | number of tokens to keep, at least 1; if k is larger than V, all stay |
# | returns | new logits (B, V): the kept ones as they were, `-np.inf` for the others |
# | ties | exactly k stay; of equal logits those of the lowest index (`np.argsort` with `kind="stable"`) |

# %% exercise="top_k_filter"
def top_k_filter(logits: np.ndarray, k: int) -> np.ndarray:
    """Return the logits with -inf at all but the k largest of each row."""
    ### BEGIN SOLUTION
    order = np.argsort(-logits, axis=1, kind="stable")
    filtered = np.full(logits.shape, -np.inf)
    for row, best in enumerate(order[:, :k]):
        filtered[row, best] = logits[row, best]
    return filtered
    ### END SOLUTION


# %% check="top_k_filter"
check.top_k_filter(top_k_filter);

# %% [markdown]
# ### Top-p
#
# How large should k be? After "in the year" hundreds of words are sensible, after "in spite" nearly only "of".
# **Top-p**, or nucleus sampling (Holtzman et al. 2020), lets the distribution decide: it keeps the **fewest** most
# probable tokens whose probabilities sum to at least p. For the cinema and p = 0.95 the running sums are .54, .90 and
# .98. The third word crosses .95 and is kept, too. The softmax then gives .54 / .98 = .551, .36 / .98 = .367 and .08
# / .98 = .082.
#
# So a token stays if the sum of those **before** it is below p:
#
# | | film | documentary | omelette | like | love |
# |---|---|---|---|---|---|
# | probability | .54 | .36 | .08 | .01 | .01 |
# | sum before it | 0 | .54 | .90 | .98 | .99 |
# | below .95? | yes | yes | yes | no | no |

# %% [markdown] exercise="top_p_filter"
# Write `top_p_filter`, which keeps the fewest most probable tokens of each row that sum to at least p:
#
# ```python
# >>> top_p_filter(np.log([[0.08, 0.54, 0.01, 0.36, 0.01]]), 0.7).round(3)
# array([[  -inf, -0.616,   -inf, -1.022,   -inf]])
# ```
#
# | | |
# |---|---|
# | `logits` | (B, V), any logits, also of size 1,000; not modified |
# | `p` | above 0, at most 1 |
# | returns | new logits (B, V): the kept ones as they were, `-np.inf` for the others |
# | edges | the most probable token always stays; of equal logits the lowest index comes first |
# | p = 1 | all tokens stay; none in the tests is so improbable that rounding could remove it |
# | rounding | no sum of probabilities in the tests is equal to a p below 1 |

# %% exercise="top_p_filter"
def top_p_filter(logits: np.ndarray, p: float) -> np.ndarray:
    """Return the logits with -inf at all but the fewest tokens that sum to p."""
    ### BEGIN SOLUTION
    filtered = np.full(logits.shape, -np.inf)
    for row, z in enumerate(logits):
        order = np.argsort(-z, kind="stable")
        e = np.exp(z[order] - z[order[0]])
        before = (np.cumsum(e) - e) / e.sum()
        kept = order[before < p]
        filtered[row, kept] = z[kept]
    return filtered
    ### END SOLUTION


# %% check="top_p_filter"
check.top_p_filter(top_p_filter);

# %% [markdown]
# Filters are applied one after the other: temperature, then top-k, then top-p. The order matters, because top-p after
# a high temperature keeps more words. In JupyterLab the next cell has three sliders for the ten most probable words
# after a prompt of our model; elsewhere it is a picture of five settings.

# %% tags=["demo"]
from llmcourse.plotting import decoding_view

cut_k, cut_p = choose(top_k_filter, library.top_k_filter), choose(top_p_filter, library.top_p_filter)
example = [id_of.get(word, UNK) for word in "the value of the".split()]
logits_there = next_logits(example)[None]
ten = np.argsort(-logits_there[0], kind="stable")[:10]


def after_filters(temperature, k, p):
    """Return the probabilities of the ten words."""
    z = warm(logits_there, temperature)
    return probabilities(cut_p(cut_k(z, k) if k else z, p))[0, ten]


decoding_view.show([vocabulary[i] for i in ten], after_filters);

# %% [markdown]
# The bars of the first panel do not sum to 1: the other 990 words have the rest. With top-k 5 the five words that
# stay have everything. How many words stay with top-p 0.8 depends on the temperature before it:

# %% tags=["demo"]
for t in (0.5, 1, 2):
    print(f"temperature {t}: {np.isfinite(cut_p(warm(logits_there, t), 0.8)).sum()} of {V} words stay")

# %% [markdown]
# With the filters in the other order the temperature would not change which words stay.
#
# ### Repetition penalty
#
# A filter against loops: make tokens that already occurred less probable (Keskar et al. 2019). With a **penalty** of
# $\theta > 1$ the logit of such a token becomes
#
# $$z' = z / \theta \ \text{ if } z > 0, \qquad z' = z \cdot \theta \ \text{ else}$$
#
# The two cases are needed because a negative logit divided by 1.5 would grow. Note what this means: the result
# depends on where the logits have their zero, although the softmax does not. The logits (3, 1) and (1, -1) have the
# same softmax. With $\theta = 2$ for the first token they become (1.5, 1) and (.5, -1): a lead of .5, and one of 1.5.
# It is a rule of thumb, not a probability.

# %% [markdown] exercise="repetition_penalty"
# Write `repetition_penalty`, which makes the tokens of a text less probable. Tokens 0 and 1 occur in the text:
#
# ```python
# >>> repetition_penalty(np.array([[3.0, -3.0, 1.0]]), np.array([[0, 1, 1]]), 1.5)
# array([[ 2. , -4.5,  1. ]])
# ```
#
# | | |
# |---|---|
# | `logits` | (B, V); not modified |
# | `ids` | the text so far of each row, (B, S); S may be 0; not modified |
# | `penalty` | above 1 |
# | returns | new logits (B, V); a token counts once, however often it occurs in its row |

# %% exercise="repetition_penalty"
def repetition_penalty(logits: np.ndarray, ids: np.ndarray, penalty: float) -> np.ndarray:
    """Return the logits with those of tokens in ids made smaller."""
    ### BEGIN SOLUTION
    penalised = logits.copy()
    for row, seen in enumerate(ids):
        z = logits[row, seen]
        penalised[row, seen] = np.where(z > 0, z / penalty, z * penalty)
    return penalised
    ### END SOLUTION


# %% check="repetition_penalty"
check.repetition_penalty(repetition_penalty);

# %% [markdown]
# ### What do they write?
#
# `sampled` writes a text with a filter. On the twelve prompts we compare greedy decoding with five filters: none, a
# temperature of 0.7, top-p with 0.9, a repetition penalty of 1.3 followed by top-k with 1 (which is greedy decoding),
# and top-k with 40.

# %% tags=["demo"]
penalise = choose(repetition_penalty, library.repetition_penalty)
filters = {
    "temperature 1": lambda z, ids: z, "temperature 0.7": lambda z, ids: warm(z, 0.7),
    "top-p 0.9": lambda z, ids: cut_p(z, 0.9),
    "greedy, penalty 1.3": lambda z, ids: cut_k(penalise(z, np.array([ids]), 1.3), 1),
    "top-k 40": lambda z, ids: cut_k(z, 40),
}  # fmt: skip


def sampled(prompt, n, change, uniform):
    """Return n new ids, drawn after the filter."""
    text = list(prompt)
    for _ in range(n):
        text.append(draw(probabilities(change(next_logits(text)[None], text))[0], uniform()))
    return text[len(prompt) :]


uniform = np.random.default_rng(rt.seed).random
texts = {"greedy": greedy_texts}
for way, change in filters.items():
    texts[way] = [sampled(prompt, len(greedy_texts[0]), change, uniform) for prompt in prompts]
    print(f"{way}: [{written(prompts[1])}] {written(texts[way][1])}\n")

# %% [markdown]
# How repetitive is a text? **Distinct-2** is the number of different pairs of neighbours, divided by the number of
# pairs. It is 1 if no pair occurs twice. We take the mean over the texts, and beside it the mean log-probability of a
# token under the model: how well the model itself likes what was written.

# %% tags=["demo"]
def distinct_2(text):
    """Return the fraction of pairs of neighbours that are different."""
    pairs = list(zip(text, text[1:]))
    return len(set(pairs)) / len(pairs)

# %% [markdown]
# The log-probability of a text comes from one call of the model. `<unk>` is left out as before. People write it, so
# these positions are left out of the mean.

# %% tags=["demo"]
@torch.no_grad()
def log_prob(prompt, text):
    """Return the mean log-probability of the new tokens."""
    whole = torch.tensor([prompt + text], device=rt.device)
    logits = model(whole)[0, len(prompt) - 1 : -1].double()
    logits[:, UNK] = -1e9  # as in next_logits
    logps = torch.log_softmax(logits, dim=1)
    known = [t for t, token in enumerate(text) if token != UNK]
    return logps[known, [text[t] for t in known]].mean().item()

# %% [markdown]
# Both numbers for each way, as means over the prompts. `people` is what the held-out text goes on with (the last
# prompt is too near to the end); in its distinct-2 `<unk>` counts as a word.

# %% tags=["demo"]
texts["people"] = [held_out[at + 4 : at + 54].tolist() for at in places[:-1]]
different = {way: np.mean([distinct_2(text) for text in some]) for way, some in texts.items()}
liked = {way: np.mean([log_prob(*pair) for pair in zip(prompts, some)]) for way, some in texts.items()}

# %% tags=["demo"] jupyter={"source_hidden": true}
_, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
plotting.bars(different, "distinct-2 (1: no pair occurs twice)", ax=left)
plotting.bars(liked, "log-probability of a token, nats", ax=right)
right.margins(x=0.2)
left.set_title("Greedy text repeats itself")
right.set_title("The model finds greedy text most probable");

# %% [markdown]
# Of these ways greedy decoding has the highest log-probability and the lowest distinct-2. Between the others this is
# no law: with seed 0 greedy text with a penalty is more probable than text at a temperature of 0.7, with about the
# same distinct-2. People do not always write the most probable word (Holtzman et al. 2020): their text has the lowest
# log-probability here. Some of this is the model's fault, which knows the held-out text badly. Top-p and top-k remove
# the tail: their texts are more probable than those at temperature 1, and keep most of the variety. No number here
# says whether a text makes sense: read them.

# %% tags=["demo"]
gain = different["top-p 0.9"] - different["greedy"]
rt.claim("greedy text has a lower distinct-2 than text sampled with top-p 0.9 (by)", gain, gain > 0.1)
gain = liked["greedy"] - liked["top-p 0.9"]
rt.claim("greedy text has a higher log-probability than text sampled with top-p 0.9 (by, nats)", gain, gain > 0.5)

# %% [markdown] question="crossing"

# %% [markdown]
# ## Beam search
#
# Greedy decoding takes the best token in each step. That does not give the best **text**. In the toy model *a* (.5)
# is better than *the* (.4), but then the best word has .4: "saw a film ." has the probability .5 · .4 = .20 (ln .20 =
# -1.61), and "saw the film ." has .4 · .9 = .36 (ln .36 = -1.02).
#
# **Beam search** keeps several texts, the **beam**. In each step every text of the beam is extended by every token.
# These candidates are ranked by the sum of their log-probabilities, and the best `width` are kept. A candidate that
# ends in the end token is finished: it is put aside and not extended any more. With width 1 its only text is the
# greedy one. The figure shows it for the toy model and width 2. Each box has the last token of a candidate and the
# sum so far; the line leads to the text that it continues, and the best is on top. Kept candidates have a bold frame,
# and the boxes of the best text are filled. So ". -2.08" in step 2 would be "saw a ."; it is not kept.

# %% tags=["demo"] jupyter={"source_hidden": true}
def columns_of(width, n):
    """Return the candidates of each step with their log-probabilities, and the kept ones."""
    still, columns, kept = {(): 0.0}, [], []
    for _ in range(n):
        longer = {}
        for text, total in still.items():
            row = after[([5] + [toy_words.index(w) for w in text])[-1]]
            longer |= {(*text, toy_words[i]): total + math.log(p) for i, p in enumerate(row) if p}
        best = sorted(longer, key=lambda text: -longer[text])[:width]
        columns.append(longer)
        kept += best
        still = {text: longer[text] for text in best if text[-1] != "."}
    return columns, kept


columns, kept = columns_of(2, 3)
ax = plotting.beam_tree(columns, kept, ("the", "film", "."), "saw")
ax.set_title("A beam of two finds the better text behind the worse first word");

# %% [markdown]
# Long texts have low probabilities, because each token multiplies by a number below 1. So a plain sum prefers short
# texts. A **length penalty** divides the sum by a power of the length: with L new tokens, the end token included,
#
# $$\text{score} = \frac{1}{L^\alpha} \sum_{t=1}^{L} \log P(y_t \mid y_1 \ldots y_{t-1})$$
#
# With $\alpha = 0$ it is the sum, with $\alpha = 1$ the mean. The name is the field's: it makes up for the low sums
# of long texts. Within a step all candidates have the same length, so the penalty changes nothing there. It only
# matters when the texts are ranked at the end of the search. `log_softmax` turns logits into log-probabilities:

# %%
def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the log-probabilities (V,)."""
    z = logits - logits.max()
    return z - np.log(np.exp(z).sum())

# %% [markdown] exercise="beam_search"
# Write `beam_search`, which returns all texts that it ends with and their scores, best first: those that are
# finished, and those that are still open after n steps. In the toy model, with a beam of two:
#
# ```python
# >>> found = beam_search(toy_logits, [5], width=2, n=3, end=0, alpha=0.0)
# >>> [(ids, round(score, 3)) for ids, score in found]
# [([2, 3, 0], -1.022), ([1, 3, 0], -1.609)]
# ```
#
# | | |
# |---|---|
# | `next_logits`, `prompt`, `n`, `end` | as in `greedy`, with one call in each step for each open text |
# | `width` | number of candidates kept in each step, over all texts; finished ones take no place in later steps |
# | `alpha` | exponent of the length penalty |
# | returns | list of pairs (list of new ids, score), by falling score; the end token is in the ids and counts in L |
# | how many | all of them: this can be more than `width`, because every step can finish some |
# | edges | n = 0: one pair, the empty list and 0.0; without open texts nothing is called any more |

# %% exercise="beam_search"
def beam_search(next_logits, prompt: list, width: int, n: int, end: int, alpha: float) -> list:
    """Return pairs (ids, score), best first."""
    ### BEGIN SOLUTION
    still, over = [([], 0.0)], []
    for _ in range(n):
        longer = []
        for ids, total in still:
            step = log_softmax(next_logits(prompt + ids))
            longer += [([*ids, i], total + float(one)) for i, one in enumerate(step)]
        longer.sort(key=lambda pair: -pair[1])
        over += [pair for pair in longer[:width] if pair[0][-1] == end]
        still = [pair for pair in longer[:width] if pair[0][-1] != end]
    scored = [(ids, total / max(1, len(ids)) ** alpha) for ids, total in over + still]
    return sorted(scored, key=lambda pair: -pair[1])
    ### END SOLUTION


# %% check="beam_search"
check.beam_search(beam_search);

# %% [markdown]
# How much does it gain? For prompts from the held-out text we write ten tokens with both methods. No end token is
# used (`UNK` is never written), so all texts are equally long, and we compare the sums of log-probabilities.

# %% tags=["demo"]
beams = choose(beam_search, library.beam_search)
n, width = 10, 4
places = np.linspace(0, len(held_out) - 10, rt.pick(smoke=2, cpu=80)).astype(int)

# %% [markdown]
# For each prompt `gains` holds a tuple: the gain, the greedy text and the best of the beams. `log_prob` gives a mean
# over the n tokens, so n times this is the sum. With $\alpha = 0$ the score of a beam is the sum, too.

# %% tags=["demo"]
gains = {}
for at in places:
    prompt = held_out[at : at + 4].tolist()
    plain = mine(next_logits, prompt, n, UNK)
    (ids, score), *_ = beams(next_logits, prompt, width, n, UNK, 0.0)
    gains[at] = score - n * log_prob(prompt, plain), plain, ids

# %% [markdown]
# The gains of all prompts:

# %% tags=["demo"]
differences = np.array([gain for gain, *_ in gains.values()])

# %% [markdown]
# The figure shows the gain of each prompt, sorted. Expect about three quarters above 0 and a fifth at 0, where both
# find the same text. Look for those below.

# %% tags=["demo"] jupyter={"source_hidden": true}
share = np.linspace(0, 100, len(differences))
ax = plotting.curves(share, {"gain": np.sort(differences)}, "percent of the prompts", "gain of beam search in nats")
ax.axhline(0, color="#222222", linewidth=0.8)
ax.set_title("Beam search finds more probable texts, on average")
worse = (differences < -1e-3).sum()
better = (differences > 1e-3).sum()
print(f"of {len(differences)} prompts: {better} better than greedy, {worse} worse, the others equal")

# %% tags=["demo"]
rt.record("prompts on which beam search scores below greedy", int(worse))
mean = differences.mean()
rt.claim("beam search finds more probable texts than greedy (mean gain, nats)", mean, mean > 0.2)

# %% [markdown]
# Can beam search find a **worse** text than greedy decoding? Yes, although it looks at more texts. The greedy text
# can fall out of the beam, when `width` other texts look better for some steps, and these can then all do badly. This
# happens on a few percent of the prompts (3 of 80 with seed 0). The next cell shows the prompt with the smallest
# gain.

# %% tags=["demo"]
at = min(gains, key=lambda at: gains[at][0])
gain, plain, ids = gains[at]
print(f"gain {gain:.2f} nats after [{written(held_out[at : at + 4])}]")
print("greedy:", written(plain))
print("beams: ", written(ids))

# %% [markdown]
# ### The length penalty
#
# Now the full stop ends a text, after at most twelve tokens. With $\alpha = 0$ each further token only lowers the
# sum, so expect very short texts, some of them a full stop alone. With $\alpha = 1$ a token helps if it is more
# probable than the mean so far: expect longer texts. At 0.5 expect little change.

# %% tags=["demo"]
lengths = {}
for alpha in (0.0, 0.5, 1.0):
    best = [beams(next_logits, prompt, width, 12, STOP, alpha)[0][0] for prompt in prompts]
    lengths[alpha] = np.mean([len(ids) for ids in best])
    print(f"alpha {alpha}: {lengths[alpha]:.1f} tokens on average, such as: {written(best[0])}")

# %% [markdown]
# The difference between both ends has to be more than one token:

# %% tags=["demo"]
rt.claim("a length penalty makes the best texts longer (by, tokens)", lengths[1.0] - lengths[0.0],
         lengths[1.0] - lengths[0.0] > 1)  # fmt: skip

# %% [markdown]
# Beam search is used where there is one good answer, such as a translation (Wu et al. 2016). For free text Holtzman
# et al. (2020) find that its most probable texts are dull and repeat themselves, and that people prefer sampled ones.
#
# ## A cache of keys and values
#
# Writing n tokens calls the model n times, each time on the whole text. Most of this work repeats what was done in
# the step before. In a decoder a position sees only earlier ones, so the keys and values of the old positions **do
# not change** when a token is appended. We keep them in a **cache**, and compute one query, key and value a step.
#
# ![One step with a cache. The cache holds keys and values of four tokens. The new token is projected to a query, a key
# and a value. Key and value are appended to the cache; the query attends to all five keys.](figures/kv_cache.svg)
#
# Count the scores for one head: without a cache step t computes t² scores, with it t. And the projections and the
# feed-forward layers read one token in place of t. The price is memory: 2 N S C numbers for a text of S tokens,
# because each layer keeps a key and a value of each token, and all heads together have the width C. In this part:
#
# | symbol | meaning |
# |---|---|
# | N, C | number of layers; width of the model |
# | D | width of a query, a key or a value of one head |
# | q, k, v | queries, keys and values of the new positions |
# | K, V | cached and new keys and values (V is not the vocabulary here) |
#
# You write the attention of one layer with one head. Its parameters are $W_q$, $W_k$, $W_v$ (D, C) and $W_o$ (C, D),
# without biases:
#
# $$q = x W_q^\top \qquad k = x W_k^\top \qquad v = x W_v^\top \qquad \text{output} =
# \text{softmax}\left(\frac{q K^\top}{\sqrt D}\right) V\, W_o^\top$$
#
# where x (B, T, C) are the new positions, and K and V (B, S + T, D) the cached and the new keys and values.

# %% [markdown] exercise="cached_attention"
# Write `cached_attention`, which returns the output at the new positions, and the longer cache. Below, the query is
# 0, so both weights are one half; the value of the new position is 4, the cached one 2, their mean 3, and $W_o$ is 2:
#
# ```python
# >>> params = {"W_q": np.zeros((1, 1)), "W_k": np.ones((1, 1)), "W_v": np.ones((1, 1)), "W_o": np.full((1, 1), 2.0)}
# >>> cache = np.array([[[1.0]]]), np.array([[[2.0]]])
# >>> output, (keys, values) = cached_attention(params, np.array([[[4.0]]]), cache)
# >>> output.tolist(), keys.tolist(), values.tolist()
# ([[[6.0]]], [[[1.0], [4.0]]], [[[2.0], [4.0]]])
# ```
#
# | | |
# |---|---|
# | `params` | `"W_q"`, `"W_k"`, `"W_v"` (D, C) and `"W_o"` (C, D) |
# | `x` | new positions (B, T, C), T >= 1; no argument is modified |
# | `cache` | keys and values of the S positions before, (B, S, D) each; `None`: there are none |
# | returns | a pair: the output (B, T, C), and the pair of keys and values (B, S + T, D) |
# | mask | position t of x sees the whole cache, and x up to t |
#
# The mask is `np.tri(T, S + T, S, dtype=bool)`: T rows, S + T columns, and in row t the first S + t + 1 are True. The
# third argument shifts the diagonal S columns to the right. For T = 2 and S = 1 the rows are (True, True, False) and
# (True, True, True).

# %% exercise="cached_attention"
def cached_attention(params: dict, x: np.ndarray, cache: tuple | None = None) -> tuple:
    """Return (output (B, T, C), (keys, values))."""
    ### BEGIN SOLUTION
    q, k, v = (x @ params[name].T for name in ("W_q", "W_k", "W_v"))
    if cache is not None:
        k, v = (np.concatenate([old, new], axis=1) for old, new in zip(cache, (k, v)))
    T, S = q.shape[1], k.shape[1] - q.shape[1]
    scores = q @ k.swapaxes(1, 2) / math.sqrt(q.shape[2])
    scores = np.where(np.tri(T, S + T, S, dtype=bool), scores, -np.inf)
    e = np.exp(scores - scores.max(axis=2, keepdims=True))
    return e / e.sum(axis=2, keepdims=True) @ v @ params["W_o"].T, (k, v)
    ### END SOLUTION


# %% check="cached_attention"
check.cached_attention(cached_attention);

# %% [markdown]
# Is it the same? We read eight positions at once, and then one after the other through the cache.

# %% tags=["demo"]
attend = choose(cached_attention, library.cached_attention)
rng = np.random.default_rng(rt.seed)
params = {name: rng.normal(0, 0.5, (16, 16)) for name in ("W_q", "W_k", "W_v", "W_o")}
x, cache = rng.normal(size=(2, 8, 16)), None

# %% [markdown]
# The mask has to hide the same positions both times, so that all outputs are equal.

# %% tags=["demo"]
whole, _ = attend(params, x)
for t in range(8):
    output, cache = attend(params, x[:, t : t + 1], cache)
    off = np.abs(output[:, 0] - whole[:, t]).max()
rt.claim("attention token by token equals that of the whole text (last position)", off, off < 1e-10)

# %% [markdown]
# The library has it for all layers and heads. `KVCache` makes its arrays once, for the longest text, so that no step
# copies them, and `cut` shortens it. We compare its logits with those of the model without a cache.

# %% tags=["demo"]
from llmcourse.models.cache import KVCache

# %% [markdown]
# A hundred tokens of the held-out text are read one by one, and then at once. The numbers are float32: logits near 10
# are rounded to steps of 1e-6, and sums in another order differ by a few of these. How many depends on the weights
# and on the device, so we allow 1e-4. A wrong position or mask changes logits by far more.

# %% tags=["demo"]
text = torch.tensor(held_out[None, :100], device=rt.device)
with torch.no_grad():
    kept = KVCache(model, B=1)
    pieces = [model(text[:, t : t + 1], cache=kept) for t in range(100)]
    off = (torch.cat(pieces, dim=1) - model(text)).abs().max().item()
rt.claim("cached logits equal those without a cache (largest difference)", off, off < 1e-4)

# %% [markdown]
# ### How much faster?
#
# `generate` is the library's loop. It writes with and without the cache; we measure the time for texts of several
# lengths with our model. **What to expect**: with the cache twice the length takes about twice as long, because
# attending to a few hundred keys costs little beside the rest of a step. Without it twice the length takes
# three to four times as long at the end of the curve. It is less at its start, because part of each call costs the
# same for every length.

# %% tags=["demo"]
import time

from llmcourse.inference.decoding import generate

longest = rt.pick(smoke=16, cpu=512)


def seconds(n, cache):
    """Return the time to write n tokens."""
    begin = time.perf_counter()
    generate(model, [[5]], n, cache=cache)
    return time.perf_counter() - begin


seconds(8, True), seconds(8, False)  # the first calls are slower
ns = [longest // 8, longest // 4, longest // 2, longest]
times = {name: [seconds(n, on) for n in ns] for name, on in (("without a cache", False), ("with a cache", True))}

# %% tags=["demo"] jupyter={"source_hidden": true}
ax = plotting.curves(ns, times, "new tokens", "seconds", log_x=True)
ax.set_yscale("log")
ax.set_xticks(ns, ns)
ax.set_yticks(ticks := [0.05, 0.1, 0.5, 1, 5], ticks)
ax.minorticks_off()
ax.set_title("The longer the text, the more the cache saves");

# %% tags=["demo"]
for name, row in times.items():
    exponent = math.log2(row[-1] / row[-2])
    rt.record(f"time against length, {name}: exponent at the end", exponent)
    print(f"{name}: {row[-1]:.2f} s for {longest} tokens; twice the length takes {2**exponent:.1f} times as long")
ratio = times["without a cache"][-1] / times["with a cache"][-1]
rt.claim(f"{longest} tokens: faster with the cache (times)", ratio, ratio >= 5)

# %% [markdown] question="cache"

# %% [markdown]
# ## Speculative decoding
#
# With a cache each step reads one token. For a large model a step then takes most of its time to fetch the weights
# from memory, and reading five tokens at once costs hardly more than reading one (Leviathan et al. 2023). Is it so
# for our small model? We time calls that read one token and five tokens after 90 cached ones.

# %% tags=["demo"]
@torch.no_grad()
def call_time(T):
    """Return the median time of a call that reads T tokens, in milliseconds."""
    taken = []
    for _ in range(30):
        kept.cut(90)
        begin = time.perf_counter()
        model(text[:, 90 : 90 + T], cache=kept).cpu()
        taken.append(time.perf_counter() - begin)
    return 1_000 * np.median(taken)


print(f"one token: {call_time(1):.2f} ms, five tokens: {call_time(5):.2f} ms")

# %% [markdown]
# Five tokens take far less than five times as long as one. **Speculative decoding** (Leviathan et al. 2023; Chen et
# al. 2023) uses this. Below we count calls, not seconds. A small model, the **draft**, writes k guesses. The large
# model, the **target**, reads them all in **one** call, which gives its probabilities after each of them. Guesses are
# accepted or rejected, so that the text is distributed exactly as if the target had written it alone.
#
# ![One round. The draft writes three guesses. The target judges them in one call. The first guess is accepted, the
# second is rejected and replaced by a draw from the residual. The third is thrown away.](figures/speculative.svg)
#
# Let q(x) be the draft's and p(x) the target's probability of a guess x at its position. Guess x is accepted with
# probability min(1, p(x) / q(x)). If it is rejected, a token is drawn from the **residual**
#
# $$r(x) = \frac{\max(p(x) - q(x), 0)}{\sum_y \max(p(y) - q(y), 0)}$$
#
# and the round is over. Why is this right? Take p = (.5, .5) and q = (.8, .2). Token 0 is guessed with .8 and
# accepted with .5 / .8, together .5: as the target wants. Token 1 is guessed with .2 and always accepted. It lacks
# .3. A guess is rejected with .8 · (1 - .5 / .8) = .3, and the residual is (0, 1): these .3 go to token 1.
#
# In general x is written with $q \cdot \min(1, p/q) = \min(p, q)$ by acceptance. The missing part is $p - \min(p, q)
# = \max(p - q, 0)$. A guess is rejected with probability $1 - \sum_y \min(p(y), q(y)) = \sum_y \max(p(y) - q(y), 0)$,
# the divisor of r, so the residual adds exactly the missing part. This holds for any draft: a token with q(x) = 0 is
# never guessed and always comes from the residual. If all k guesses are accepted, the target's last row gives one
# more token for nothing. So a round writes 1 to k + 1 tokens for one call of the target.

# %% [markdown] exercise="speculative_decode"
# Write `speculative_decode`, which returns n new ids. `draw(probs, u)` from above draws a token with the number u.
# All numbers come from `uniform()`. Here one guess is made with .3, which gives 0; .7 is not below .5 / .8, so it is
# rejected; the residual is (0, 1), and .1 draws 1:
#
# ```python
# >>> draft = lambda ids: np.array([0.8, 0.2])
# >>> target = lambda ids, guesses: np.full((len(guesses) + 1, 2), 0.5)
# >>> speculative_decode(target, draft, [0], n=1, k=1, uniform=iter([0.3, 0.7, 0.1]).__next__)
# [1]
# ```
#
# | | |
# |---|---|
# | `draft` | `draft(ids)` returns the probabilities (V,) of the token after the list `ids` |
# | `target` | `target(ids, guesses)` returns (k + 1, V): row i for the token after `ids + guesses[:i]` |
# | `prompt`, `n` | a list of ids, not modified; the number of new ids, at least 0 |
# | `k` | guesses in a round, at least 1; k also in the last round |
# | `uniform` | a function without arguments that returns a number from 0 to below 1 |
# | returns | a list of exactly n new ids (what the last round wrote beyond is cut off) |
# | calls | one call of `target` a round |
#
# In each round `uniform` is called in this order: k times to draw the guesses; once for each guess that is judged,
# which is accepted if the number is below p(x) / q(x); and once to draw the last token.

# %% exercise="speculative_decode"
def speculative_decode(target, draft, prompt: list, n: int, k: int, uniform) -> list:
    """Return n ids that are distributed as the target's."""
    ### BEGIN SOLUTION
    text = list(prompt)
    while len(text) < len(prompt) + n:
        q, guesses = [], []
        for _ in range(k):
            q.append(draft(text + guesses))
            guesses.append(draw(q[-1], uniform()))
        p, kept = target(text, guesses), 0
        while kept < k and uniform() < p[kept][guesses[kept]] / q[kept][guesses[kept]]:
            kept += 1
        rest = p[k] if kept == k else np.maximum(p[kept] - q[kept], 0)
        text += [*guesses[:kept], draw(rest / rest.sum(), uniform())]
    return text[len(prompt) :][:n]
    ### END SOLUTION


# %% check="speculative_decode"
check.speculative_decode(speculative_decode);

# %% [markdown]
# Is the distribution right? With four tokens and texts of two tokens there are 16 texts, and the probability of each
# is known. We draw many texts and compare the counts with what the target expects. The **chi-square** statistic is
# the sum of (count - expected)² / expected. If the distribution is right it is 15 on average, the number of texts
# minus 1, between 5 and 35 in about 99 of 100 cases, and above 60 less than once in a million. As a control we draw
# with a wrong method. It accepts every guess and draws no last token, so it only writes what the draft would.

# %% tags=["demo"]
speculate = choose(speculative_decode, library.speculative_decode)
rng = np.random.default_rng(rt.seed)
P, Q = rng.dirichlet(np.full(4, 2.0), 4), rng.dirichlet(np.full(4, 2.0), 4)  # row: the last token
draws = rt.pick(smoke=50, cpu=8_000)


def small_target(ids, guesses):
    return P[[ids[-1], *guesses]]


def chi_square(texts):
    """Return the statistic of texts of two tokens after token 0."""
    expected = draws * P[0][:, None] * P
    counts = np.zeros((4, 4))
    np.add.at(counts, tuple(np.array(texts).T), 1)
    return ((counts - expected) ** 2 / expected).sum()


texts = [speculate(small_target, lambda ids: Q[ids[-1]], [0], 2, 2, rng.random) for _ in range(draws)]
wrong = [(a := draw(Q[0], rng.random()), draw(Q[a], rng.random())) for _ in range(draws)]
fit, misfit = chi_square(texts), chi_square(wrong)
rt.claim("speculative texts are distributed as the target's (chi-square, 15 degrees of freedom)", fit, fit < 60)
rt.claim("the control that accepts every guess is not (chi-square)", misfit, misfit > 200)

# %% [markdown]
# ### With our model
#
# The target is our decoder. The draft is a bigram table, counted on the training text in a moment (unit 02): the
# probability of a word after the one before, mixed with its overall frequency. The counts begin at 1e-3, so that no
# row is empty. It is a poor model, and nearly free.

# %% tags=["demo"]
counts = np.full((V, V), 1e-3)
np.add.at(counts, (train[:-1], train[1:]), 1)
counts[:, UNK] = 0
overall = counts.sum(axis=0) / counts.sum()
bigram = 0.8 * counts / counts.sum(axis=1, keepdims=True) + 0.2 * overall
asked = []


@torch.no_grad()
def target(ids, guesses):
    """Return the decoder's probabilities after the text and after each guess."""
    asked.append(len(guesses))
    logits = model(torch.tensor([ids + guesses], device=rt.device))[0, len(ids) - 1 :].double().cpu().numpy()
    logits[:, UNK] = -1e9
    return probabilities(logits)

# %% [markdown]
# How many tokens does a call of the target give? It depends on k and on how often guesses are accepted. We write
# after four prompts.

# %% tags=["demo"]
per_call, n, uniform = {}, rt.pick(smoke=8, cpu=75), np.random.default_rng(rt.seed).random
for k in (1, 2, 4, 8):
    asked.clear()
    some = [speculate(target, lambda ids: bigram[ids[-1]], prompt, n, k, uniform) for prompt in prompts[:4]]
    per_call["1 guess" if k == 1 else f"{k} guesses"] = n * len(some) / len(asked)
print(written(some[0][:40]))

# %% [markdown]
# If every guess had the same chance a of acceptance, a round would write $1 + a + a^2 + \ldots + a^k$ tokens on
# average. One guess gives 1 + a, so a is known. What would follow for more guesses?

# %% tags=["demo"]
a = per_call["1 guess"] - 1
for k in (2, 4, 8):
    print(f"{k} guesses: {sum(a**i for i in range(k + 1)):.2f} expected, {per_call[f'{k} guesses']:.2f} measured")

# %% tags=["demo"]
ax = plotting.bars({"no draft": 1.0, **per_call}, "tokens per call of the target")
ax.set_title("Guessing ahead saves calls of the large model");

# %% [markdown]
# A call gives more than one token, with the same distribution. From four to eight guesses little is gained, because
# later ones are thrown away as soon as one is rejected. The formula is nearly right, although the chance of
# acceptance is not the same at every position.

# %% tags=["demo"]
gain = per_call["4 guesses"]
rt.claim("with 4 guesses of a bigram a call of the decoder gives more than one token (tokens)", gain, gain > 1.15)

# %% [markdown] question="draft"

# %% [markdown]
# ## Catch the impostor
#
# A sampler with a bug still writes texts that look like texts. To find the bug one has to look at the
# **distribution**: draw many tokens and compare their fractions with the probabilities that they should have. Chance
# moves a fraction of n draws by about one **standard error**, $\sqrt{p (1 - p) / n}$. A difference of more than 5
# standard errors happens by chance less than once in a million, if n p is at least about 20. A token that is expected
# less often can be off by more. With n = 20,000 and p = .3 these 5 are .016. A token that can never be drawn has the
# standard error 0: a single draw of it shows that the sampler is wrong.

# %% [markdown] exercise="test_sampler"
# Write `test_sampler`, which tells whether a sampler is right. It is given a function
#
# `sampler(logits, draft, temperature, p, n, seed)`
#
# that returns n ids, drawn independently from the same distribution: that of the `logits` (V,) divided by the
# temperature, after top-p with p, divided by the sum of what stays. Here p is the number of top-p, and `seed` is the
# sampler's own. Inside it draws by speculative decoding, with guesses from the
# probabilities `draft` (V,), which must not change the distribution.
#
# Your test returns True if the sampler is right, and False if not. It is tried on several right samplers, written
# differently (another one draws other ids from the same seed), and on wrong ones with one bug each. Choose inputs on
# which a bug must show. The wrong ones may, for example, drop the token that crosses p, or apply the temperature
# after the filter.
#
# | | |
# |---|---|
# | `sampler` | `sampler(logits, draft, temperature, p, n, seed)`; `draft` has probabilities above 0 that sum to 1 |
# | your calls | at most 40, with n of at most 100,000 and V of at most 100 |
# | sums | choose p between two running sums: right samplers may differ where a sum is equal to p |
# | returns | True or False; an exception (a failed `assert`, say) counts as False |

# %% exercise="test_sampler"
def test_sampler(sampler) -> bool:
    """Say whether a sampler draws from the right distribution."""
    ### BEGIN SOLUTION
    n, draft = 20_000, np.array([0.05, 0.1, 0.15, 0.3, 0.4])
    logits = np.log([0.4, 0.3, 0.15, 0.1, 0.05])
    for temperature, p in ((1.0, 0.6), (0.5, 0.8), (2.0, 0.9), (2.0, 0.6)):
        probs = np.exp(logits / temperature)
        probs /= probs.sum()
        kept = np.where(np.cumsum(probs) - probs < p, probs, 0)
        want = kept / kept.sum()
        ids = np.asarray(sampler(logits, draft, temperature, p, n, 1))
        off = np.abs(np.bincount(ids, minlength=5) / n - want)
        if (off > 5 * np.sqrt(want * (1 - want) / n)).any():
            return False
    return True
    ### END SOLUTION


# %% check="test_sampler"
check.test_sampler(test_sampler);

# %% [markdown] written="choose_a_decoder"
# A team runs three services with the same language model: one translates contracts, one suggests names for new
# products, and one answers customers in a chat. All three use greedy decoding. The names are always the same, the
# chat sometimes repeats a sentence for ever, and everything is too slow. Write 150 to 250 words. Explain
#
# - which way of decoding you would choose for each service, with its settings, and why;
# - what causes the loops, and what you would do about them;
# - what a cache changes about the cost of a long answer, what it costs, and why the text stays the same;
# - when speculative decoding pays, and why it does not change what is written;
# - how you would test that a new sampler draws from the right distribution.
#
# Use at least two numbers that you measured in this unit.
#
# ### BEGIN SOLUTION
# Contracts have one good translation: beam search of width 4 with a length penalty. In our test beams gained more
# than 0.2 nats on average, though a few texts were worse than greedy. Names need variety: sampling at temperature 1
# with top-p 0.9, several draws. The chat gets top-p 0.9 at a temperature of 0.7. Greedy text loops because a phrase
# that was just written makes itself more probable and nothing ever takes the second best; our greedy texts had a much
# lower distinct-2 than those of top-p. Sampling leaves the loop; a mild repetition penalty helps, too, but also
# punishes words that must be repeated. Without a cache step t reads t tokens, so n tokens cost about n²; with the
# cache each step reads one. 512 tokens were more than 5 times as fast. The text is the same, because in a causal
# model old keys and values do not change. It costs memory, 2 N S C numbers a text. Speculative decoding pays if a
# call of the target is limited by memory and the draft is cheap and often right. Acceptance with min(1, p/q) and the
# residual give exactly p. I would draw 20,000 tokens for a few hard settings and compare fractions with
# probabilities, allowing 5 standard errors.
# ### BEGIN MARK SCHEME
# 10 points. 3: a fitting choice with settings for each service (1 each). 2: why greedy text loops (1), a remedy with
# its limit (1). 2: the cache: n² against n and memory (1), old keys and values do not change (1). 1: when speculation
# pays and that p stays. 1: a test of fractions with a tolerance from n. 1: two measured numbers, correctly used.
# Subtract 1 for "temperature changes the order of the tokens" or "beam search always beats greedy".
# ### END MARK SCHEME
# ### END SOLUTION

# %% [markdown]
# ## What was shown
#
# - Greedy text loops: its distinct-2 is lower than that of text sampled with top-p, while the model gives it a higher
#   probability.
# - Beam search finds more probable texts than greedy decoding on average. On a few prompts it finds worse ones. Without
#   a length penalty it preferred short texts on our twelve prompts.
# - With a cache the logits are the same, and 512 tokens are written at least 5 times as fast.
# - Speculative decoding writes texts with the target's distribution, with fewer calls of the target. The control that
#   accepts every guess does not.
#
# **To think about.** (1) Top-p with p = 1 and temperature 1 draws from the model itself. Why might its texts still be
# worse than those of people? (2) A beam as wide as the number of all texts would find the most probable one. Would
# you want to read it? (3) With temperature 0.01 the draft and the target may rarely agree. When is this so, and what
# happens to speculative decoding then?
#
# **Where the ideas come from.** Fan, Lewis and Dauphin 2018, arXiv:1805.04833 (top-k); Holtzman et al. 2020,
# arXiv:1904.09751 (top-p, and why likely text is dull); Keskar et al. 2019, arXiv:1909.05858 (repetition penalty);
# Li et al. 2016, arXiv:1510.03055 (distinct-2); Wu et al. 2016, arXiv:1609.08144 (length penalty); Shazeer 2019,
# arXiv:1911.02150 (incremental decoding); Leviathan, Kalman and Matias 2023, arXiv:2211.17192, and Chen et al. 2023,
# arXiv:2302.01318 (speculative decoding).
#
# **Next.** Our model was trained in one cell with a fixed recipe. Unit 10 builds the training loop itself: the
# optimiser, the schedule, the data, and what it takes to stop and go on.
