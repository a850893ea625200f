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
# # Attention is all you need
#
# **Can a model that looks at all tokens at once replace one that reads them one after the other?** A recurrent
# network passes all that it has read through one state. In unit 07 attention let a decoder look back at every word,
# but the words were still read in turn. The **transformer** (Vaswani et al. 2017) keeps the attention and drops the
# recurrence. It is the model behind GPT-2, Llama, Mistral, Gemma and Phi.
#
# In this unit you build a GPT from its parts, compare each part with torch, and measure what each of them is for. At
# the end you repair a GPT with ten bugs.

# %% tags=["parameters"]
preset = "cpu"
device = "auto"
seed = 0

# %% [markdown]
# You write the parts in numpy, as functions of arrays. What is trained comes from the library, in torch:
# `llmcourse.models.transformer` has the same parts, and weights can be moved between the two.

# %%
import math

import numpy as np

from llmcourse.checks import u08_transformers as check
from llmcourse.runtime import choose, setup

rt = setup(preset, device, seed)

# %% [markdown]
# ## What will be built
#
# ![A GPT from left to right: ids become token vectors, to which position vectors are added. L blocks follow, then a
# layer norm and the head, which is the transposed table of token vectors.](figures/gpt.svg)
#
# The letters are B for the sequences of a batch, T for their length in tokens, C for the width of a vector, H for the
# number of heads and V for the size of the vocabulary.
#
# ## One head: six vectors for each token
#
# Attention is a **weighted average of values**. Each token asks a question and gets an answer that is mixed from what
# all tokens offer. For each token one head computes six vectors, in this order:
#
# 1. $x$, (C,), the vector that comes in;
# 2. $q = W_q x$, (D,), the **query**: what the token is looking for;
# 3. $k = W_k x$, (D,), the **key**: what the token can be found by;
# 4. $v = W_v x$, (D,), the **value**: what the token hands over when it is found;
# 5. $a$, (T,), the **weights**: the softmax of the products of its query with all keys, divided by $\sqrt D$;
# 6. $z = \sum_s a_s v_s$, (D,), the output: the average of all values by these weights.
#
# ![One head for three tokens. From each x come a query, a key and a value. The query of token 3 meets the three keys;
# the softmax of the products gives three weights; the sum of the values by these weights is
# z.](figures/attention_head.svg)
#
# Follow it with numbers. Three tokens have vectors of width C = 2. The head also has the width D = 2:

# %%
tiny_x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
W_q, W_k, W_v = np.array([[0.0, 2.0], [1.0, 0.0]]), np.eye(2), np.array([[1.0, 0.0], [0.0, 10.0]])
q, k, v = tiny_x @ W_q.T, tiny_x @ W_k.T, tiny_x @ W_v.T

# %% [markdown]
# Each row belongs to a token. $W_q$ exchanges the two components and doubles one of them, so token 1, which has only
# a first component, will look for tokens with a second one. Its scores and weights are:

# %% tags=["nbval-check-output"]
print("queries", q.tolist(), "\nkeys   ", k.tolist(), "\nvalues ", v.tolist())
scores = [float(q[0] @ k[s]) / math.sqrt(2) for s in range(3)]
exponentials = [math.exp(score) for score in scores]
weights = [e / sum(exponentials) for e in exponentials]
print("token 1: scores", [round(s, 3) for s in scores], "weights", [round(a, 3) for a in weights])

# %% [markdown]
# The key of token 1 itself does not match its query: the product is 0. The keys of the tokens 2 and 3 match equally
# well. The output averages the three values by these weights:

# %% tags=["nbval-check-output"]
z = sum(a * value for a, value in zip(weights, v))
print("z of token 1:", z.round(3).tolist())

# %% [markdown]
# All tokens at once are two matrix products and a softmax between them:
#
# $$\text{attention}(Q, K, V) = \text{softmax}\Big(\frac{Q K^\top}{\sqrt D}\Big) V$$
#
# where Q (T, D) has the queries as rows, K (S, D) the keys, V the S values, of width D or any other, and the softmax
# is taken over the keys, in each row. The division by $\sqrt D$ keeps the scores at the same size for every D: the
# product of two random vectors of width D has the standard deviation $\sqrt D$ (unit 07 draws it).
#
# A **mask** says which keys a query may attend to. Where it is False the score is set to $-\infty$, so the weight is
# $e^{-\infty} = 0$. This happens before the softmax, so that the weights left still sum to 1. A query that may attend
# to nothing has no weights at all. We define its output as zeros.

# %% [markdown] exercise="scaled_dot_product_attention"
# Write `scaled_dot_product_attention`, which returns the output of each query. The first call repeats the example
# above. In the second no query may attend to token 3, and the query of token 2 may attend to nothing:
#
# ```python
# >>> scaled_dot_product_attention(q, k, v)[0].round(3).tolist()
# [0.599, 8.022]
# >>> seen = np.array([[True, True, False], [False, False, False], [True, True, False]])
# >>> scaled_dot_product_attention(q, k, v, seen).round(3).tolist()
# [[0.33, 6.698], [0.0, 0.0], [0.67, 3.302]]
# ```
#
# | | |
# |---|---|
# | `q`, `k`, `v` | (..., T, D), (..., S, D) and (..., S, width of v), with the same axes in front; not modified |
# | `mask` | boolean, True = may attend, broadcast to (..., T, S); `None`: every query may attend to every key |
# | returns | (..., T, width of v), also where an axis has the length 1 |
# | edge | a query whose row of the mask is all False gets zeros |
# | large inputs | must stay finite for scores of 1,000 and more: subtract the largest score of each row |

# %% exercise="scaled_dot_product_attention"
def scaled_dot_product_attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, mask=None) -> np.ndarray:
    """Return softmax(q k^T / sqrt(D)) v, (..., T, width of v)."""
    ### BEGIN SOLUTION
    scores = q @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    largest = scores.max(axis=-1, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(largest), largest, 0))
    total = e.sum(axis=-1, keepdims=True)
    return (e / np.where(total > 0, total, 1)) @ v
    ### END SOLUTION


# %% check="scaled_dot_product_attention"
check.scaled_dot_product_attention(scaled_dot_product_attention);

# %% [markdown]
# torch computes the same in one call, without ever storing the weights of all queries (a **fused** kernel).

# %% tags=["demo"]
import torch
from torch.nn import functional as F

from llmcourse.models import gpt_arrays as arrays

rng = np.random.default_rng(rt.seed)

# %% [markdown]
# We compare on random queries, keys and values: a batch of 2, 3 heads, 4 queries and 6 keys. The second query may
# attend to nothing.

# %% tags=["demo"]
attend = choose(scaled_dot_product_attention, arrays.scaled_dot_product_attention)
qs, ks, vs = (rng.standard_normal((2, 3, length, 8)).astype(np.float32) for length in (4, 6, 6))
seen = rng.random((4, 6)) < np.array([[0.5], [0.0], [0.5], [0.5]])
by_torch = F.scaled_dot_product_attention(*map(torch.tensor, (qs, ks, vs)), torch.tensor(seen))
off = np.abs(attend(qs, ks, vs, seen) - by_torch.numpy()).max()
rt.claim("attention equals torch's, also with a mask (largest difference)", off, off < 1e-5)

# %% [markdown]
# ## A language model must not see the future
#
# A language model is trained on all positions of a text at once: at each of them it predicts the next token. With
# attention over all tokens this is too easy, since the next token is among them. So position i may attend only to the
# positions j <= i. As a mask this is a lower triangle:
#
# | | key 0 | key 1 | key 2 |
# |---|---|---|---|
# | query 0 | True | False | False |
# | query 1 | True | True | False |
# | query 2 | True | True | True |
#
# Sometimes there are more keys than queries: when a model writes a text, the keys of what was read before are kept,
# and only the new tokens send queries (unit 09). Then the **last** query is at the position of the last key. With two
# new tokens and five keys, query 0 is at position 3.

# %% [markdown] exercise="causal_mask"
# Write `causal_mask`, which returns which of S keys each of T queries may attend to:
#
# ```python
# >>> causal_mask(3).astype(int).tolist()
# [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
# >>> causal_mask(2, 5).astype(int).tolist()
# [[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]
# ```
#
# | | |
# |---|---|
# | `T`, `S` | numbers of queries and keys, 1 <= T <= S; S is T unless given |
# | returns | booleans, (T, S), True = may attend; the last query is at the position of the last key |

# %% exercise="causal_mask"
def causal_mask(T: int, S=None) -> np.ndarray:
    """Return which of S keys each of T queries may attend to, (T, S)."""
    ### BEGIN SOLUTION
    S = T if S is None else S
    return np.arange(S) <= np.arange(T)[:, None] + S - T
    ### END SOLUTION


# %% check="causal_mask"
check.causal_mask(causal_mask);

# %% [markdown]
# Libraries disagree on masks, and a mask with the wrong meaning raises no error. Two traps in torch: `is_causal=True`
# aligns the **first** query with the first key, and in `torch.nn.MultiheadAttention` a boolean mask means the
# opposite, True = hidden. We show the first with the values 1 to 5 and queries of zeros, so that each query gets the
# mean of the values that it sees:

# %% tags=["demo"]
mask = choose(causal_mask, arrays.causal_mask)
zeros, ones_to_five = torch.zeros(1, 1, 2, 1), torch.arange(1.0, 6).view(1, 1, 5, 1)
theirs = F.scaled_dot_product_attention(zeros, 0 * ones_to_five, ones_to_five, is_causal=True)
ours = F.scaled_dot_product_attention(zeros, 0 * ones_to_five, ones_to_five, torch.tensor(mask(2, 5)))
print("is_causal=True:", theirs.flatten().tolist(), " causal_mask(2, 5):", ours.flatten().tolist())

# %% [markdown]
# With `is_causal=True` the first of two new tokens sees only the first token of the text. This is correct where T = S
# and wrong for a text that is continued.

# %% [markdown] question="mask_before_softmax"

# %% [markdown]
# ## Many heads
#
# One softmax has one peak: a head that looks at the subject cannot look at the previous word at the same time. So
# **multi-head attention** runs H heads side by side, each with its own queries, keys and values of width D = C / H.
# The outputs are concatenated to width C again, and a matrix $W_o$ mixes them:
#
# $$\text{MultiHead}(x) = [z^{(1)}, \dots, z^{(H)}]\, W_o^\top + b_o$$
#
# The H query matrices, (D, C) each, are stacked in one matrix $W_q$ (C, C): rows 0 to D - 1 belong to head 0, the
# next D rows to head 1, and so on. So `x @ W_q.T + b_q`, (B, T, C), holds the queries of all heads side by side.
#
# ![Multi-head attention. x, (B, T, C), is projected to q, k and v, each of which is split into H heads,
# (B, H, T, D). Each head attends by itself. The heads are joined again, (B, T, C), and projected by W_o. For
# cross-attention, k and v come from a memory, (B, S, C).](figures/many_heads.svg)
#
# Splitting is a reshape to (B, T, H, D) and a swap of the axes 1 and 2. Joining is the same in reverse. A reshape
# alone mixes positions with heads, as four tokens with C = 4 and two heads show:

# %% tags=["nbval-check-output"]
rows = np.array([[10 * t + c for c in range(4)] for t in range(4)])[None]  # token t has 10 t, 10 t + 1, ...
print("reshape, swap: head 0 has", rows.reshape(1, 4, 2, 2).swapaxes(1, 2)[0, 0].tolist())
print("reshape alone: head 0 has", rows.reshape(1, 2, 4, 2)[0, 0].tolist())

# %% [markdown]
# After the swap head 0 has the first two numbers of each of the four tokens. With the reshape alone it has all
# numbers of the first two tokens, in the wrong places, and no error is raised.
#
# **Cross-attention** is the same function with two inputs: the queries come from the decoder's x, keys and values
# from a **memory**, such as the encoder's states of another sentence (unit 07). Without a memory the tokens of x
# attend to each other: **self-attention**.

# %% [markdown] exercise="multi_head_attention"
# Write `multi_head_attention`, which returns the outputs of H heads, mixed by $W_o$. In `copying` all matrices are
# the identity and all biases 0, so each head averages the columns of x that it reads itself:
#
# ```python
# >>> eye, zero = np.eye(2), np.zeros(2)
# >>> copying = {f"W_{n}": eye for n in "qkvo"} | {f"b_{n}": zero for n in "qkvo"}
# >>> multi_head_attention(copying, tiny_x[None], 2)[0].round(3).tolist()
# [[0.845, 0.667], [0.667, 0.845], [0.845, 0.845]]
# >>> multi_head_attention(copying, tiny_x[None], 2, memory=np.array([[[3.0, 4.0]]]))[0].tolist()
# [[3.0, 4.0], [3.0, 4.0], [3.0, 4.0]]
# ```
#
# You may call your `scaled_dot_product_attention` once it passes (grading uses a correct one).
#
# | | |
# |---|---|
# | `params` | `"W_q"`, `"W_k"`, `"W_v"`, `"W_o"`, (C, C) each, rows are outputs; `"b_q"`, ..., (C,) each |
# | `x` | (B, T, C); `n_heads` divides C; no argument is modified |
# | `memory` | (B, S, C), where keys and values come from; `None`: x itself |
# | `mask` | as above, broadcast to (B, H, T, S) |
# | returns | (B, T, C) |

# %% exercise="multi_head_attention"
def multi_head_attention(params: dict, x: np.ndarray, n_heads: int, memory=None, mask=None) -> np.ndarray:
    """Return what n_heads attentions read from x, or from the memory, (B, T, C)."""
    ### BEGIN SOLUTION
    source = x if memory is None else memory
    split = []
    for name, rows in (("q", x), ("k", source), ("v", source)):
        projected = rows @ params[f"W_{name}"].T + params[f"b_{name}"]
        split.append(projected.reshape(*rows.shape[:2], n_heads, -1).swapaxes(1, 2))
    joined = scaled_dot_product_attention(*split, mask).swapaxes(1, 2).reshape(x.shape)
    return joined @ params["W_o"].T + params["b_o"]
    ### END SOLUTION


# %% check="multi_head_attention"
check.multi_head_attention(multi_head_attention);

# %% [markdown]
# `torch.nn.MultiheadAttention` keeps the three input matrices stacked in one. `taken` takes its weights out as a
# dictionary for your function:

# %% tags=["demo"] jupyter={"source_hidden": true}
torch.manual_seed(rt.seed)
layer = torch.nn.MultiheadAttention(12, 3, batch_first=True)
torch.nn.init.normal_(layer.in_proj_bias)
torch.nn.init.normal_(layer.out_proj.bias)


def taken(layer):
    """Return the weights of a torch attention layer as a dictionary of arrays."""
    W, b = layer.in_proj_weight.detach().numpy(), layer.in_proj_bias.detach().numpy()
    p = {"W_o": layer.out_proj.weight.detach().numpy(), "b_o": layer.out_proj.bias.detach().numpy()}
    for i, name in enumerate("qkv"):
        p |= {f"W_{name}": W[12 * i : 12 * i + 12], f"b_{name}": b[12 * i : 12 * i + 12]}
    return p

# %% [markdown]
# First self-attention with a causal mask, then cross-attention to a memory of 7 tokens, of which the second row has
# only 4. torch gets the negated masks.

# %% tags=["demo"]
heads = choose(multi_head_attention, arrays.multi_head_attention)
xs, memory = (rng.standard_normal((2, length, 12)).astype(np.float32) for length in (5, 7))
real = np.arange(7) < np.array([7, 4])[:, None]  # (B, S)
x, m = torch.tensor(xs), torch.tensor(memory)

# %% [markdown]
# First torch's two results, then those of your function:

# %% tags=["demo"]
own = layer(x, x, x, attn_mask=torch.tensor(~mask(5)), need_weights=False)[0]
cross = layer(x, m, m, key_padding_mask=torch.tensor(~real), need_weights=False)[0]
mine = heads(taken(layer), xs, 3, mask=mask(5)), heads(taken(layer), xs, 3, memory, real[:, None, None])
off = max(np.abs(a - b.detach().numpy()).max() for a, b in zip(mine, (own, cross)))
rt.claim("self- and cross-attention equal torch.nn.MultiheadAttention (largest difference)", off, off < 1e-5)

# %% [markdown] question="heads_and_cost"

# %% [markdown]
# ## Attention sees a set, not a sequence
#
# Nothing in the formula knows where a token stands. If the rows of x are put in another order, the rows of the output
# come in that order, too, and do not change otherwise: attention without a mask is **permutation equivariant**. We
# check it with a random order of 5 tokens:

# %% tags=["demo"]
order = rng.permutation(5)
off = np.abs(heads(taken(layer), xs[:, order], 3) - heads(taken(layer), xs, 3)[:, order]).max()
rt.claim("without positions, reordered tokens give reordered outputs (largest difference)", off, off < 1e-5)

# %% [markdown]
# So *dog bites man* and *man bites dog* would be the same to it. The order must come in with the vectors: to each
# token vector we **add** a vector of its position. Vaswani et al. (2017) use sines and cosines of different
# wavelengths. For position t and the pair i = 0, 1, ..., C/2 - 1 of columns:
#
# $$P_{t,\,2i} = \sin\frac{t}{10000^{2i/C}} \qquad P_{t,\,2i+1} = \cos\frac{t}{10000^{2i/C}}$$
#
# The first pair turns by one radian from a position to the next, like the second hand of a clock. The last pair of
# a wide table takes tens of thousands of positions for one turn, like the hour hand.

# %% [markdown] exercise="sinusoidal_positions"
# Write `sinusoidal_positions`, which returns the vectors of the positions 0 to n - 1. With C = 4 the second pair
# turns a hundred times slower than the first:
#
# ```python
# >>> sinusoidal_positions(2, 4).round(3).tolist()
# [[0.0, 1.0, 0.0, 1.0], [0.841, 0.54, 0.01, 1.0]]
# ```
#
# | | |
# |---|---|
# | `n` | how many positions, n >= 1 |
# | `d_model` | width C of the vectors, even |
# | returns | (n, C); columns 0, 2, 4, ... are sines, columns 1, 3, 5, ... the cosines of the same angles |

# %% exercise="sinusoidal_positions"
def sinusoidal_positions(n: int, d_model: int) -> np.ndarray:
    """Return a vector for each of n positions, (n, d_model)."""
    ### BEGIN SOLUTION
    angles = np.arange(n)[:, None] / 10_000 ** (np.arange(0, d_model, 2) / d_model)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(n, d_model)
    ### END SOLUTION


# %% check="sinusoidal_positions"
check.sinusoidal_positions(sinusoidal_positions);

# %% [markdown]
# What do such vectors know about distance? With C = 500 we take the dot product of position 1000 with its neighbours.
# Since sin a sin b + cos a cos b = cos(a - b), it depends on the distance alone. At distance 0 it is C/2 = 250.

# %% tags=["demo"]
from llmcourse import plotting
from llmcourse.models import positions

table = choose(sinusoidal_positions, arrays.sinusoidal_positions)(1_101, 500)
ax = plotting.curves(range(900, 1_101), {"": table[900:] @ table[1_000]}, "position", "dot product")
ax.set_title("Sinusoidal positions: the product with position 1,000 falls with distance");

# %% [markdown]
# The product is largest at the position itself, symmetric, and falls in waves. The same curve belongs to every
# position.
#
# GPT-2 **learns** a table of position vectors instead. Newer models **rotate** queries and keys (Su et al. 2021): the
# pair of components $(q_i, q_{i + D/2})$ of position t is turned by the angle $t / 10000^{2i/D}$, and that of the key
# likewise (i = 0, ..., D/2 - 1). Turning both back by the angle of the key changes no product: it leaves the key
# unturned, and the query turned by the angle of t - s. So the score depends on the **distance** of the two positions
# only. Expect equal scores for the positions (3, 1) and (10, 8), and another one for (3, 2):

# %% tags=["demo"]
angles = positions.rotary_angles(12, 8, 10_000.0)
one = torch.randn(2, 8, generator=torch.Generator().manual_seed(rt.seed))
turned = positions.rotate(one[:, None, None].expand(2, 12, 1, 8), angles.cos(), angles.sin())[:, :, 0]
for t, s in ((3, 1), (10, 8), (3, 2)):
    print(f"query at {t:2}, key at {s}: {turned[0, t] @ turned[1, s]:.4f}")

# %% [markdown] question="order"

# %% [markdown]
# ## Layer norm: vectors of one size
#
# A deep network adds many outputs to the same vectors, whose size grows from layer to layer. So each part should read
# a copy of one size. **Layer norm** (Ba, Kiros and Hinton 2016) brings each vector x of width C to mean 0 and
# variance 1, then scales and shifts each component by learned parameters:
#
# $$\text{norm}(x) = w \odot \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + b \qquad
# \mu = \frac1C \sum_c x_c \qquad \sigma^2 = \frac1C \sum_c (x_c - \mu)^2$$
#
# where w and b (C,) are the weight and the bias, and $\epsilon$ = 1e-5 keeps the division finite. Mean and variance
# belong to one vector: no other token and no other row of the batch has an influence. By hand, for (1, 2, 3, 6):

# %% tags=["nbval-check-output"]
vector = [1.0, 2.0, 3.0, 6.0]
mean = sum(vector) / 4
variance = sum((c - mean) ** 2 for c in vector) / 4
print("mean", mean, "variance", variance)
print("normed", [round((c - mean) / math.sqrt(variance + 1e-5), 3) for c in vector])

# %% [markdown] exercise="layer_norm"
# Write `layer_norm`, which normalises each vector of x:
#
# ```python
# >>> layer_norm(np.array([1.0, 2.0, 3.0, 6.0]), np.ones(4), np.zeros(4)).round(3).tolist()
# [-1.069, -0.535, 0.0, 1.604]
# ```
#
# | | |
# |---|---|
# | `x` | (..., C); not modified |
# | `weight`, `bias` | (C,) |
# | `eps` | added to the variance, inside the root |
# | returns | same shape as x; finite also for a vector of equal numbers |

# %% exercise="layer_norm"
def layer_norm(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """Return each vector of x with mean 0 and variance 1, times the weight, plus the bias."""
    ### BEGIN SOLUTION
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    return weight * centred / np.sqrt(variance + eps) + bias
    ### END SOLUTION


# %% check="layer_norm"
check.layer_norm(layer_norm);

# %% [markdown]
# Does it matter whether $\epsilon$ is inside the root? We compare with torch, and with $\sqrt{\sigma^2} + \epsilon$,
# on vectors of size 1 and on vectors a thousand times smaller.

# %% tags=["demo"]
norm = choose(layer_norm, arrays.layer_norm)
weight, bias = (rng.standard_normal(12).astype(np.float32) for _ in range(2))
for size in (1.0, 1e-3):
    x = size * xs
    theirs = F.layer_norm(torch.tensor(x), (12,), torch.tensor(weight), torch.tensor(bias)).numpy()
    outside = weight * (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + 1e-5) + bias
    off = np.abs(norm(x, weight, bias) - theirs).max()
    print(f"size {size}: eps outside of the root differs from torch by {np.abs(outside - theirs).max():.5f}")
    rt.claim(f"layer norm equals torch's on vectors of size {size} (largest difference)", off, off < 1e-5)

# %% [markdown]
# On ordinary vectors the place of $\epsilon$ does not show, on small ones the results are different models. Such a
# mistake passes a test with vectors of size 1.
#
# Llama, Mistral and Gemma use **RMS norm** (Zhang and Sennrich 2019): no mean is subtracted, no bias added, and x is
# divided by $\sqrt{\text{mean}(x^2) + \epsilon}$. It is cheaper and works as well.
#
# ## Feed-forward layers
#
# Attention moves information between positions. What is done with it at each position is the task of two linear
# layers with a nonlinearity, the same at every position:
#
# $$\text{ff}(x) = \text{gelu}(x W_1^\top + b_1)\, W_2^\top + b_2 \qquad
# \text{gelu}(a) = \frac a2 \Big(1 + \tanh\big(\sqrt{2/\pi}\,(a + 0.044715\, a^3)\big)\Big)$$
#
# $W_1$ is (F, C) and $W_2$ is (C, F), usually with F = 4C. You know gelu from unit 05. Two thirds of the parameters
# of a block are in these two matrices.

# %% [markdown] exercise="feed_forward"
# Write `feed_forward`, which applies both layers. Here the hidden number is 1 · 1 + 1 · 2 = 3, and gelu(3) = 2.996:
#
# ```python
# >>> small = {"W_1": np.array([[1.0, 1.0]]), "b_1": np.zeros(1),
# ...          "W_2": np.array([[1.0], [-1.0]]), "b_2": np.array([0.0, 0.5])}
# >>> feed_forward(small, np.array([1.0, 2.0])).round(3).tolist()
# [2.996, -2.496]
# ```
#
# | | |
# |---|---|
# | `params` | `"W_1"` (F, C), `"b_1"` (F,), `"W_2"` (C, F), `"b_2"` (C,); rows are outputs |
# | `x` | (..., C); no argument is modified |
# | returns | same shape as x; gelu in the tanh form |

# %% exercise="feed_forward"
def feed_forward(params: dict, x: np.ndarray) -> np.ndarray:
    """Return two linear layers with gelu between them."""
    ### BEGIN SOLUTION
    a = x @ params["W_1"].T + params["b_1"]
    gelu = a / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a**3)))
    return gelu @ params["W_2"].T + params["b_2"]
    ### END SOLUTION


# %% check="feed_forward"
check.feed_forward(feed_forward);

# %% [markdown]
# ## The block: two additions
#
# A block adds to x twice, and each part reads a normalised copy:
#
# $$y = x + \text{attention}(\text{norm}_1(x)) \qquad \text{block}(x) = y + \text{ff}(\text{norm}_2(y))$$
#
# The line on which x passes through all blocks is the **residual stream**: nothing on it is ever multiplied by a
# matrix or normalised. As along the cell of an LSTM whose forget gate is open, gradients go back on it unchanged.
#
# ![A transformer block. The residual stream goes straight through. Twice a branch leaves it: the first goes through
# norm 1 and multi-head attention, the second through norm 2 and the feed-forward layers. Each branch is added
# back.](figures/transformer_block.svg)

# %% [markdown] exercise="transformer_block"
# Write `transformer_block`. With all weights 0 nothing is added but the last bias, and x passes through:
#
# ```python
# >>> nothing = {f"{w}_{n}": np.zeros((2, 2) if w == "W" else 2) for w in "Wb" for n in "qkvo12"}
# >>> unit = {"weight": np.ones(2), "bias": np.zeros(2)}
# >>> p = {"norm_1": unit, "attention": nothing, "norm_2": unit, "feed_forward": nothing | {"b_2": np.ones(2)}}
# >>> transformer_block(p, tiny_x[None], 2)[0].tolist()
# [[2.0, 1.0], [1.0, 2.0], [2.0, 2.0]]
# ```
#
# You may call your `layer_norm`, `multi_head_attention` and `feed_forward` once they pass (grading uses correct
# ones). The fourth argument of `multi_head_attention` is the memory: pass the mask by name, `mask=mask`.
#
# | | |
# |---|---|
# | `params` | `"norm_1"`, `"norm_2"` (each with `"weight"` and `"bias"`), `"attention"`, `"feed_forward"` |
# | `x`, `n_heads`, `mask` | as for `multi_head_attention`; no argument is modified |
# | returns | (B, T, C) |

# %% exercise="transformer_block"
def transformer_block(params: dict, x: np.ndarray, n_heads: int, mask=None) -> np.ndarray:
    """Return x after attention and feed-forward layers, each added to it, (B, T, C)."""
    ### BEGIN SOLUTION
    normed = layer_norm(x, params["norm_1"]["weight"], params["norm_1"]["bias"])
    x = x + multi_head_attention(params["attention"], normed, n_heads, None, mask)
    normed = layer_norm(x, params["norm_2"]["weight"], params["norm_2"]["bias"])
    return x + feed_forward(params["feed_forward"], normed)
    ### END SOLUTION


# %% check="transformer_block"
check.transformer_block(transformer_block);

# %% [markdown]
# `torch.nn.TransformerEncoderLayer` with `norm_first=True` is the same block. Its nonlinearity is gelu by the error
# function unless told otherwise, which differs from the tanh form by up to 4.7e-4, so we pass ours.

# %% tags=["demo"]
from functools import partial

block = choose(transformer_block, arrays.transformer_block)
tanh_gelu = partial(F.gelu, approximate="tanh")
theirs = torch.nn.TransformerEncoderLayer(12, 3, 48, 0.0, tanh_gelu, norm_first=True, batch_first=True)
for parameter in theirs.parameters():
    torch.nn.init.normal_(parameter, std=0.3)
state = {name: value.detach().numpy() for name, value in theirs.state_dict().items()}
params = {"attention": taken(theirs.self_attn)}
for i in (1, 2):
    params[f"norm_{i}"] = {part: state[f"norm{i}.{part}"] for part in ("weight", "bias")}
names = {"weight": "W", "bias": "b"}
params["feed_forward"] = {f"{names[n]}_{i}": state[f"linear{i}.{n}"] for i in (1, 2) for n in names}
out = theirs(torch.tensor(xs), src_mask=torch.tensor(~mask(5))).detach().numpy()
off = np.abs(block(params, xs, 3, mask(5)) - out).max()
rt.claim("a block equals torch.nn.TransformerEncoderLayer (largest difference)", off, off < 1e-5)

# %% [markdown]
# ### Norm before or after?
#
# The first transformers normalised **after** each sum: x = norm(x + f(x)), which is called **post-norm**. It trains
# badly without a slow rise of the learning rate (warm-up). Xiong et al. (2020) explain why: near the output its
# gradients stay large, however deep the network is, so the first steps are too large there. With pre-norm the
# residual stream grows from block to block, the norms divide by its size, and the gradients shrink. We measure it in
# fresh models of 24 blocks, whose matrices start with a standard deviation of $1/\sqrt{C}$.

# %% tags=["demo"]
from dataclasses import replace

from llmcourse.models.sequence_models import RecurrentConfig, RecurrentLM
from llmcourse.models.transformer import Decoder
from llmcourse.models.transformer_config import TransformerConfig

deep = TransformerConfig(64, 32, rt.pick(smoke=4, cpu=24), 4, 64, 256)


def spread(model, std):
    """Draw all matrices of a model anew, with this standard deviation."""
    torch.manual_seed(rt.seed)
    for parameter in model.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=std)
    return model.to(rt.device)


# %% tags=["demo"]
def gradient_of_blocks(config):
    """Return the norm of the gradient in each block of a fresh model, on random tokens."""
    model = spread(Decoder(config), 1 / math.sqrt(config.d_model))
    ids = torch.randint(64, (8, 33), generator=torch.Generator().manual_seed(rt.seed)).to(rt.device)
    F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten()).backward()
    return [math.sqrt(sum(p.grad.square().sum().item() for p in b.parameters())) for b in model.blocks]

# %% [markdown]
# Expect both models to have gradients of similar size in the first block, and different ones in the last.

# %% tags=["demo"]
depth = {f"{at}-norm": gradient_of_blocks(replace(deep, norm_position=at)) for at in ("pre", "post")}
ratio = depth["post-norm"][-1] / depth["pre-norm"][-1]
rt.claim("gradient of the last block: post-norm's is larger than pre-norm's (times)", ratio, ratio > 2)

# %% tags=["demo"]
ax = plotting.curves(range(deep.n_layers), depth, "block", "norm of the gradient")
ax.set_title("Near the output, post-norm has the larger gradients")
ax.set_yscale("log");

# %% [markdown]
# Post-norm's gradients stay of about one size in all blocks; pre-norm's shrink from the first block to the last.
#
# ## The GPT
#
# Everything is there now. A GPT looks up the vectors of the tokens, adds those of the positions 0, 1, ..., T - 1,
# applies L blocks with a causal mask, and normalises once more. The head is **tied**: it has no matrix of its own.
# The logit of a token is the product of the last vector with the vector of that token, so the table of token vectors,
# (V, C), is used twice.

# %% [markdown] exercise="GPT"
# Write `GPT.logits`, which returns the logits of the next token at every position. In `tiny_gpt` there is no block,
# one position, and the norm maps (1, 3) to (-1, 1), whose products with the two token vectors are the logits:
#
# ```python
# >>> tiny_gpt = {"tokens": np.array([[1.0, 3.0], [2.0, 0.0]]), "positions": np.zeros((1, 2)),
# ...             "blocks": [], "norm": {"weight": np.ones(2), "bias": np.zeros(2)}}
# >>> GPT(tiny_gpt, n_heads=1).logits(np.array([[0]])).round(3).tolist()
# [[[2.0, -2.0]]]
# ```
#
# You may call your `transformer_block`, `layer_norm` and `causal_mask` once they pass (grading uses correct ones).
#
# | | |
# |---|---|
# | `params` | `"tokens"` (V, C), `"positions"` (longest text, C), `"blocks"` (a list), `"norm"` |
# | `ids` | token ids, (B, T); not modified |
# | returns | (B, T, V); the logits at position t use the tokens 0 to t |
# | edge | more ids than positions: `ValueError` |

# %% exercise="GPT"
class GPT:
    """A language model with a tied head."""

    def __init__(self, params: dict, n_heads: int):
        self.params, self.n_heads = params, n_heads

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Return the logits of the next token at every position, (B, T, V)."""
        ### BEGIN SOLUTION
        p, T = self.params, ids.shape[1]
        if len(p["positions"]) < T:
            raise ValueError(f"expected at most {len(p['positions'])} ids, got {T}: cut the text")
        x = p["tokens"][ids] + p["positions"][:T]
        for one in p["blocks"]:
            x = transformer_block(one, x, self.n_heads, causal_mask(T))
        return layer_norm(x, p["norm"]["weight"], p["norm"]["bias"]) @ p["tokens"].T
        ### END SOLUTION


# %% check="GPT"
check.GPT(GPT);

# %% [markdown]
# Is this really GPT-2? The package contains a tiny GPT-2 in the file format of Hugging Face, and the logits that
# their `transformers` library computes from it. Its weights are random and large (standard deviation 0.2, with
# biases): with the usual small weights, wrong networks give nearly the same logits. The library's loader reads the
# file, and `params_of` names the parameters as yours are named.

# %% tags=["demo"]
import json
from importlib import resources

from llmcourse.models.checkpoints import load_checkpoint

folder = resources.files("llmcourse") / "gpt2_recorded"
record = json.loads((folder / "logits.json").read_text("utf-8"))
ids, theirs = np.array(record["ids"]), np.array(record["logits"])
hf = load_checkpoint(folder)
mine = choose(GPT, arrays.GPT)(arrays.params_of(hf), hf.config.n_heads)
print("recorded from", record["made_by"])
library = hf(torch.tensor(ids)).detach().numpy()
for name, logits in {"the library's decoder": library, "yours": mine.logits(ids)}.items():
    off = np.abs(logits - theirs).max()
    rt.claim(f"logits of {name} equal those of Hugging Face's GPT-2 (largest difference)", off, off < 1e-4)

# %% [markdown]
# A second test uses no reference at all: **no position may see the future**. We take the gradient of the logits at
# position 5 with respect to all token vectors. It has to be exactly 0 at the positions 6 to 11, and must not be 0
# before.

# %% tags=["demo"]
inputs = []


def keep(module, args, out):
    """Keep the token vectors, and later their gradient."""
    out.retain_grad()
    inputs.append(out)


hook = hf.embed.register_forward_hook(keep)
hf(torch.arange(12)[None])[0, 5].square().sum().backward()
hook.remove()
reach = inputs[0].grad.norm(dim=2)[0]
later = reach[6:].max().item()
rt.claim("gradient with respect to later tokens (largest)", later, later == 0 and reach[:6].min() > 0)

# %% [markdown]
# ## How large is a GPT?
#
# Count the parameters of a block, with d for the width C. The attention has four matrices of $d^2$, the feed-forward
# layers two of $4d^2$: together $12 d^2$, and $12 L d^2$ in L blocks. In a large model this is nearly everything.
# The rest are the biases (four of d in the attention; 4d and d in the feed-forward layers), the layer norms (2d
# each: two in a block and one at the end), and outside of the blocks the vectors of V tokens and of the positions.
# The head is tied and has none.

# %% [markdown] exercise="count_parameters"
# Write `count_parameters`, which returns the exact number of parameters of a GPT with F = 4d, and $12 L d^2$. The
# second example is the smallest GPT-2:
#
# ```python
# >>> count_parameters(vocab_size=5, context_length=3, n_layers=1, d_model=2)
# (94, 48)
# >>> count_parameters(50257, 1024, 12, 768)
# (124439808, 84934656)
# ```
#
# | | |
# |---|---|
# | `vocab_size`, `context_length`, `n_layers`, `d_model` | V, the number of positions, L, d: whole numbers >= 1 |
# | returns | a pair of whole numbers: all parameters, and $12 L d^2$ |

# %% exercise="count_parameters"
def count_parameters(vocab_size: int, context_length: int, n_layers: int, d_model: int) -> tuple:
    """Return (number of all parameters, 12 L d^2)."""
    ### BEGIN SOLUTION
    d = d_model
    block = 4 * (d * d + d) + (4 * d * d + 4 * d) + (4 * d * d + d) + 2 * 2 * d
    return n_layers * block + 2 * d + (vocab_size + context_length) * d, 12 * n_layers * d * d
    ### END SOLUTION


# %% check="count_parameters"
check.count_parameters(count_parameters);

# %% [markdown]
# The GPT-3 paper (Brown et al. 2020, table 2.1) lists eight models with the same vocabulary (50,257) and 2,048
# positions. How far does the formula get?

# %% tags=["demo"]
count = choose(count_parameters, arrays.count_parameters)
family = {
    "125M": (12, 768), "350M": (24, 1024), "760M": (24, 1536), "1.3B": (24, 2048),
    "2.7B": (32, 2560), "6.7B": (32, 4096), "13B": (40, 5140), "175B": (96, 12288),
}  # fmt: skip
print("named      exact   12 L d^2   of the exact number")
for name, (layers, d) in family.items():
    exact, formula = count(50_257, 2_048, layers, d)
    print(f"{name:>5} {exact / 1e6:8,.0f} M {formula / 1e6:8,.0f} M   {formula / exact:.0%}")
largest = count(50_257, 2_048, *family["175B"])
rt.claim("175B: 12 L d^2 of all parameters (fraction)", largest[1] / largest[0], largest[1] > 0.99 * largest[0])

# %% [markdown]
# In the smallest model a third of the parameters are vectors of tokens and positions, in the largest they are less
# than one percent. (The paper gives 5140 as the width of the 13B model, which its 40 heads do not divide: 5120 is
# meant.)

# %% [markdown] question="parameters"

# %% [markdown]
# ## Who remembers the names?
#
# Unit 06 ended with a network that remembered **one bit**, the number of a subject, over twelve tokens. Now the task
# is harder. A text of our world first names two people, a colour, a thing and a place. Then come four or five
# sentences about something else, and the last one repeats all five names. Each of them is one of eight, drawn at
# random, so only the first sentence tells which.

# %% tags=["demo"] jupyter={"source_hidden": true}
from random import Random

from llmcourse import world
from llmcourse.world.engine.grammar import Domain
from llmcourse.world.facts import knowledge

TEXT = """<hero:person> and <friend:person> hid the <colour:colour> <gift:thing> in <place:place> .

@seen @seen @seen @seen
@seen @seen @seen @seen @seen

[Then|Later|At last] {hero} and {friend} found the {colour} {gift} in {place} . </s>"""
people, things = knowledge.people(0.0), knowledge.THING
tables = {"person": people, "colour": knowledge.COLOUR, "thing": things, "place": knowledge.PLACE}
eight = {kind: tuple(row[:1] for row in table.rows[:8]) for kind, table in tables.items()}
domains = {kind: Domain(("name",), rows, (1.0,) * 8) for kind, rows in eight.items()}
grammar = world.Machine(world.Rules(world.agreement_rules() | {"story": TEXT}, domains))

# %% [markdown]
# The grammar knows of every token `logp`, its exact log-probability, `slot`, the variable that it comes from, and
# `picked`, the name of a variable whose value is drawn here for the first time. One text:

# %% tags=["demo"] jupyter={"source_hidden": true}
def texts(number, name):
    """Return texts as lists of tokens that know their log-probability and whether they repeat a slot."""
    draw = Random(f"{name} {rt.seed}").random
    return [list(grammar.trace(draw)) for _ in range(number)]


train_texts = texts(rt.pick(smoke=40, cpu=5_000, gpu=20_000), "train")
test_texts = texts(rt.pick(smoke=20, cpu=400), "test")
vocabulary = sorted(grammar.words())
print(" ".join(token.word for token in train_texts[0]))

# %% [markdown]
# The rows of a batch are padded to one length, and padding gets the target -100, which torch's loss ignores. A row
# begins with the mark of the end, `</s>`, so that the first token is predicted, too.

# %% tags=["demo"] jupyter={"source_hidden": true}
import time

id_of = {word: i for i, word in enumerate(vocabulary)}
END, V = id_of["</s>"], len(vocabulary)


def batch_of(part):
    """Return (ids, targets), each (B, T), of some texts."""
    rows = [[END, *(id_of[token.word] for token in text)] for text in part]
    T = max(map(len, rows)) - 1
    ids = torch.tensor([row[:-1] + [END] * (T - len(row) + 1) for row in rows])
    targets = torch.tensor([row[1:] + [-100] * (T - len(row) + 1) for row in rows])
    return ids.to(rt.device), targets.to(rt.device)


def loss_of(model, ids, targets):
    """Return the mean loss in nats."""
    return F.cross_entropy(model(ids).flatten(0, 1), targets.flatten(), ignore_index=-100)

# %% [markdown]
# One training loop serves every model of this unit, that of unit 06: the learning rate rises during the first tenth of
# the steps and falls along a cosine; gradients are clipped.

# %% tags=["demo"] jupyter={"source_hidden": true}
def train(model, batches, lr, warmup=0.1, decay=0.01):
    """Train on a list of batches; return the loss of each step in bits, and the seconds."""
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=decay, fused=True)
    bits, start, n = [], time.perf_counter(), len(batches)
    for step, (ids, targets) in enumerate(batches):
        rise = min(1, (step + 1) / (warmup * n)) if warmup else 1
        optimizer.param_groups[0]["lr"] = lr * rise * (1 + math.cos(math.pi * step / n)) / 2
        loss = loss_of(model, ids, targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        bits.append(loss.item() / math.log(2))
    return bits, time.perf_counter() - start

# %% [markdown]
# An LSTM and a decoder with rotary positions and as many parameters read the same texts once, in the same order.
# Their learning rates were chosen by hand, one for each, not by a full search. The decoder's weights start larger
# than GPT-2's 0.02, which was chosen for a width of 768: at a width of 64 they would make all scores nearly 0, and
# every head would start as a plain average.
#
# **Expect** log2 V = 7.1 bits or a little more at first. At 1.6 bits a model has learned the sentences and guesses
# the names; the exact floor is near 1.35. Below the floor, the mask would leak.

# %% tags=["demo"]
config = TransformerConfig(V, 128, 2, 4, 64, 256, positions="rotary")
torch.manual_seed(rt.seed)
lstm = RecurrentLM(RecurrentConfig(V, 64, 116, V)).to(rt.device)
decoder = spread(Decoder(config), std=0.12)
batches = [batch_of(train_texts[at : at + 4]) for at in range(0, len(train_texts), 4)]

# %% [markdown]
# `training` keeps the losses and the seconds of both, for the figure that follows the test.

# %% tags=["demo"]
training = {}
for name, model, lr in (("LSTM", lstm, 1e-2), ("decoder", decoder, 5e-3)):
    training[name] = train(model, batches, lr)
    bits, seconds = training[name]
    size = sum(parameter.numel() for parameter in model.parameters())
    print(f"{name}: {size:,} parameters, {bits[0]:.2f} bits at first, {np.mean(bits[-50:]):.2f} at the end")

# %% [markdown]
# Now the test texts. `far` finds the tokens that repeat a name whose last mention is more than 30 tokens back.

# %% tags=["demo"] jupyter={"source_hidden": true}
def far(text):
    """Return for each token whether it repeats what was last mentioned more than 30 tokens before."""
    shown, found = {}, []
    for at, token in enumerate(text):
        slot = token.picked or (token.slot.name if token.slot else "")
        found.append(bool(token.slot and not token.picked and at - shown[slot] > 30))
        shown[slot] = at
    return found

# %% [markdown]
# `costs` returns what each token of the test texts costs a model, in bits. The exact floor comes from the grammar.

# %% tags=["demo"] jupyter={"source_hidden": true}
@torch.no_grad()
def costs(model):
    """Return the bits of each token of each test text."""
    found = []
    for at in range(0, len(test_texts), 50):
        part = test_texts[at : at + 50]
        ids, targets = batch_of(part)
        bits = F.cross_entropy(model(ids).mT, targets, ignore_index=-100, reduction="none") / math.log(2)
        found += [row[: len(text)] for row, text in zip(bits.cpu().numpy(), part)]
    return found


is_far = np.concatenate([far(text) for text in test_texts])
bits_of = {"LSTM": costs(lstm), "decoder": costs(decoder)}
bits_of["exact floor"] = [-np.array([token.logp for token in text]) / math.log(2) for text in test_texts]
together = {name: np.concatenate(rows) for name, rows in bits_of.items()}

# %% [markdown]
# A model that guesses a name pays log2 8 = 3 bits, one that knows it pays 0.

# %% tags=["demo"]
for name, bits in together.items():
    print(f"{name:12} all tokens {bits.mean():.3f} bits, names over 30 tokens back {bits[is_far].mean():.2f} bits")
gain = together["LSTM"][is_far].mean() - together["decoder"][is_far].mean()
rt.claim("names more than 30 tokens back: the decoder beats the LSTM (by, bits)", gain, gain > 1)

# %% [markdown]
# Position by position of the last sentence, with *hero*, *friend* and so on for the names that occur there:

# %% tags=["demo"] jupyter={"source_hidden": true}
last = ["Then", "hero", "and", "friend", "found", "the", "colour", "thing", "in", "place", "."]
lines = {name: np.mean([row[-12:-1] for row in rows], axis=0) for name, rows in bits_of.items()}
ax = plotting.steps(range(11), lines, "position in the last sentence", "bits per token")
ax.set_xticks(range(11), last)
ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
ax.set_title("The decoder looks up what it has found a head for; the LSTM guesses");

# %% [markdown]
# The LSTM pays what a guess costs: its state would have to carry five names through forty tokens of something else.
# The decoder has a direct path to every token that it read, and pays next to nothing for the kinds of names for which
# a head has learned to look. Which kinds these are after so short a training depends on the seed. (The first
# token, *Then*, *Later* or *At last*, must be guessed by any model.)
#
# This does not mean that the decoder is better at everything. Which model has the lower total loss depends on the
# data and on the time. Here are the training curves over the seconds that each took.

# %% tags=["demo"] jupyter={"source_hidden": true}
from llmcourse.plotting.style import SHADES

ax = None
smooth = np.ones(60) / 60
for (name, (bits, seconds)), style in zip(training.items(), ("--", "-")):
    rt.record(f"training time of the {name}", seconds, "s")
    smoothed = np.convolve(bits, smooth, mode="valid")
    at = np.linspace(60 / len(bits), 1, len(smoothed)) * seconds
    ax = plotting.curves(at, {name: smoothed}, "seconds", "training loss in bits", ax=ax)
    ax.lines[-1].set(linestyle=style, color=SHADES[0 if style == "-" else 4])
ax.set_ylim(1.3, 2.4)
ax.legend(frameon=False)
ax.set_title("Both learn the sentences at once; only one finds the names");

# %% [markdown]
# The decoder's curve falls in steps: it learns one kind of name after the other. A likely reason: before such a step
# the heads average over all tokens, and no name stands out. Once a head has begun to look at the right token, it gets
# a clear gradient and sharpens.
#
# ### What the heads look at
#
# Here are the weights of all heads over one test text, without its middle part. In JupyterLab you can choose layer
# and head.

# %% tags=["demo"]
from llmcourse.models.attention import attention_maps
from llmcourse.plotting import attention_view

text = test_texts[0]
ids, _ = batch_of([text])
shown = [*range(1, 11), *range(len(text) - 11, len(text))]  # the first and the last sentence
names = ["</s>", *(token.word for token in text)]
maps = {
    f"layer {layer}": weights[0][:, shown][:, :, shown].cpu()
    for layer, weights in enumerate(attention_maps(decoder, ids).values())
}
attention_view.show([names[i] for i in shown], maps);

# %% [markdown]
# A row is a query, a column a key. In the last rows some heads look far to the left: before a name is due, at the
# name in the first sentence.
#
# ## A ladder row: real text
#
# On tiny Shakespeare we train a decoder on characters, with preset `cpu` for about twenty seconds. Expect log2 V =
# 6.0 bits or a little more at first, and about 2.8 at the end: better than add-k trigrams, worse than the best
# counting. `pieces` cuts the text at random positions:

# %% tags=["demo"] jupyter={"source_hidden": true}
from llmcourse.models import ngram
from llmcourse.text import corpora as data

english = data.english()
characters = sorted(set(english.train + english.held_out))
size = rt.pick(smoke=5_000, cpu=len(english.train))
both = english.train[:size], english.held_out[:size]
train_ids, held_out_ids = (torch.tensor(ngram.encode(part, characters)) for part in both)


def pieces(ids, number, T=64, batch_size=16):
    """Return random batches (ids, targets) of pieces of T characters."""
    draw, made = torch.Generator().manual_seed(rt.seed), []
    for _ in range(number):
        starts = torch.randint(0, len(ids) - T, (batch_size, 1), generator=draw)
        rows = ids[starts + torch.arange(T + 1)].to(rt.device)
        made.append((rows[:, :-1], rows[:, 1:]))
    return made

# %% [markdown]
# The held-out text is scored in pieces, of which only the second half counts, so that no character lacks a context.

# %% tags=["demo"] jupyter={"source_hidden": true}
@torch.no_grad()
def bits_per_character(model, ids, T=64):
    """Return the mean cost of each character of a text, each given 32 to 63 characters before it."""
    total, rows = 0.0, ids.unfold(0, T + 1, T // 2)
    for part in rows.split(256):
        part = part.to(rt.device)
        logits, targets = model(part[:, :-1])[:, T // 2 :], part[:, T // 2 + 1 :]
        total += F.cross_entropy(logits.flatten(0, 1), targets.flatten()).item() * len(part)
    return total / len(rows) / math.log(2)

# %% tags=["demo"]
steps = rt.pick(smoke=5, cpu=420, gpu=5_000)
wide = TransformerConfig(len(characters), 128, 3, 4, 96, 384, positions="rotary")
model = spread(Decoder(wide), std=0.08)
bits, seconds = train(model, pieces(train_ids, steps), lr=3e-3, decay=0.1)
score = bits_per_character(model, held_out_ids)
print(f"{bits[0]:.2f} bits at first, {np.mean(bits[-50:]):.2f} at the end, {seconds:.0f} s")
row = {"parameters": wide.n_parameters, "tokens": steps * 16 * 64, "seconds": seconds}
rt.ladder("decoder, 3 blocks of 96", score, corpus=english.name, **row)
rt.claim("characters: the decoder beats add-k trigrams (bits)", score, score < 2.98)

# %% tags=["demo"]
ax = plotting.ladder(rt.ladder_rows(english.name))
ax.set_title("After 430,000 characters a decoder is far from its best", loc="right");

# %% [markdown]
# The best counting and the LSTM are ahead. The LSTM has the order of the characters built in and has read more of
# them; the decoder has to learn the order from data. With more data and time the picture turns, and unit 10 shows
# where.
#
# ## What breaks?
#
# Each part is there for a reason. We leave one out, or break it, and train small models for the same number of
# steps, of two blocks where nothing else is said. (The models of six blocks read half as many characters a step.)

# %% tags=["demo"]
small = TransformerConfig(len(characters), 128, 2, 4, 64, 256, positions="rotary")
steps = rt.pick(smoke=3, cpu=120)

# %% [markdown]
# `blind_to_time` takes the causal mask away; given another mask, it uses that one. `after` trains a model and returns
# its loss.

# %% tags=["demo"] jupyter={"source_hidden": true}
def blind_to_time(model, other_mask=None):
    """Return a function like the model whose attention has no causal mask but another one, if any."""
    for block in model.blocks:
        block.attention.attend_by["causal"] = False

    class Blind(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, ids):
            mask = None if other_mask is None else other_mask(ids.shape[1])
            return F.linear(model.states(ids, mask), model.embed.weight)

    return Blind()


def after(model, warmup=0.1, batch_size=16):
    """Return the training loss in bits at the end, the mean of 20 steps."""
    batches = pieces(train_ids, steps, batch_size=batch_size)
    bits, _ = train(model.to(rt.device), batches, 6e-3, warmup, decay=0.1)
    return float(np.mean(bits[-20:]))

# %% [markdown]
# **Expect** 3.2 to 3.6 bits from the model as it should be. Below 1: the future leaks. The unigram has 4.8 bits.

# %% tags=["demo"]
def changed(**how):
    """Return a small decoder with something changed in its configuration."""
    return spread(Decoder(replace(small, **how)), std=0.12)


unordered = changed(positions="learned")
with torch.no_grad():
    unordered.positions.weight.zero_()
unordered.positions.weight.requires_grad_(False)
broken = {
    "as it should be": after(changed()),
    "no causal mask": after(blind_to_time(changed())),
    "mask read as True = hidden": after(blind_to_time(changed(), lambda T: torch.tensor(~mask(T)).to(rt.device))),
    "scores not divided by the root of D": after(changed(attention_scale=1.0)),
    "no positions": after(unordered),
}
deep = {"n_layers": 6, "norm_position": "post"}
broken["6 blocks, pre-norm, no warm-up"] = after(changed(n_layers=6), 0, batch_size=8)
broken["6 blocks, post-norm, no warm-up"] = after(changed(**deep), 0, batch_size=8)

# %% tags=["demo"]
ax = plotting.bars(broken, f"training loss after {steps} steps, in bits")
ax.set_title("What breaks, and what leaks");

# %% [markdown]
# Without the causal mask the loss falls far below 1: a head copies the next token from the future. Such a model is
# useless for writing, where there is no future yet. The mask with the opposite meaning leaks as well: each position
# then sees only the tokens after it. Without positions the model learns more slowly. Without the division by
# $\sqrt D$ it hardly matters here, at D = 16: the matrices that make the queries can learn the factor. It starts to
# matter where heads are wide and the first scores are already large (unit 07).

# %% tags=["demo"]
good, leak = broken["as it should be"], broken["mask read as True = hidden"]
rt.claim("a mask that shows the future makes the loss too good to be true (bits)", leak, leak < 0.6 * good)
lost = broken["no positions"] - good
rt.claim("without positions the model learns more slowly (bits behind)", lost, lost > 0.05)
behind = broken["6 blocks, post-norm, no warm-up"] - broken["6 blocks, pre-norm, no warm-up"]
rt.claim("without warm-up post-norm learns less than pre-norm (bits behind)", behind, behind > 0.3)

# %% [markdown]
# Without warm-up six post-norm blocks stay at the 4.8 bits of the unigram: they have learned how frequent each
# character is, and nothing else. Pre-norm blocks learn even without.
#
# ### Longer texts than in training
#
# Positions decide what happens beyond the length of the training texts. Three models differ only in their positions.
# They are trained on pieces of 64 characters and read pieces of 128:

# %% tags=["demo"] jupyter={"source_hidden": true}
@torch.no_grad()
def bits_at(model, batches):
    """Return the mean bits at each position."""
    both = [F.cross_entropy(model(ids).mT, targets, reduction="none").mean(0) for ids, targets in batches]
    return (torch.stack(both).mean(0) / math.log(2)).cpu().numpy()


long = pieces(held_out_ids, rt.pick(smoke=1, cpu=8), T=128, batch_size=32)
beyond = {}
for kind in ("learned", "sinusoidal", "rotary"):
    model = changed(positions=kind, embed_scale=kind == "sinusoidal")
    train(model, pieces(train_ids, steps, batch_size=8), 6e-3, decay=0.1)
    at = bits_at(model, long)
    beyond[kind] = at[8:].reshape(-1, 8).mean(1)  # of 8 positions each
    print(f"{kind:10}: positions 32 to 63 {at[32:64].mean():.2f} bits, 64 to 127 {at[64:].mean():.2f} bits")

# %% tags=["demo"]
ax = plotting.curves(range(12, 128, 8), beyond, "position", "bits per character")
ax.axvline(64, color="0.4", linestyle="--", linewidth=1)
ax.set_title("Trained on 64 positions, read to 128");

# %% [markdown]
# Beyond position 64 (the dashed line) each model gets a little worse, and none breaks down: after so short a training
# they use little more than the last few characters. A learned vector of a position beyond 63 was never trained: it is
# noise, to which the model was never adapted. Sinusoidal and rotary positions are computed, so they exist for any
# length, but angles beyond 63 are new to the model, too. A model that uses its whole context can lose far more, so how
# well a model continues has to be tested, not assumed.
#
# ## Small swaps: Llama, Mistral, Gemma, Phi
#
# The open models of the day are the GPT of this unit with a few parts exchanged. The library has them as switches of
# one configuration:
#
# | part | GPT-2 | Llama | Mistral | Gemma 2 | Phi-3 |
# |---|---|---|---|---|---|
# | norm | layer | RMS | RMS | RMS, before and after | RMS |
# | positions | learned | rotary | rotary | rotary | rotary |
# | feed-forward | gelu | SwiGLU | SwiGLU | GeGLU | SwiGLU |
# | keys and values | every head | shared in groups | shared in groups | shared in groups | every head or groups |
# | attends to | all before | all before | a window | a window in every second layer | a window |
#
# **SwiGLU** (Shazeer 2020) multiplies two linear layers, one of which goes through the nonlinearity silu(a) =
# a · σ(a). **Grouped-query attention** (Ainslie et al. 2023) lets several query heads share one head of keys and
# values, which saves memory when a text is written. A **sliding window** hides keys that are further back than its
# width.

# %% tags=["demo"]
llama = replace(small, norm="rms", positions="rotary", activation="swiglu", d_ff=168, bias=False)
gemma = {"activation": "geglu", "norm_position": "both", "embed_scale": True}
families = {
    "GPT-2": replace(small, positions="learned"),
    "Llama": replace(llama, n_kv_heads=2, tied_head=False),
    "Mistral": replace(llama, n_kv_heads=2, window=16, tied_head=False),
    "Gemma 2": replace(llama, **gemma, n_kv_heads=2, window=16, window_every=2),
    "Phi-3": replace(llama, tied_head=False),
}
for name, config in families.items():
    model, heads_of_keys = Decoder(config), config.n_kv_heads or config.n_heads
    assert config.n_parameters == sum(parameter.numel() for parameter in model.parameters())
    print(f"{name:8} {config.n_parameters:,} parameters, {heads_of_keys} heads of keys, {config.n_heads} of queries")

# %% [markdown]
# None of the swaps is what makes a transformer work; they make it cheaper or easier to train. The library loads real
# checkpoints of these families with `load_checkpoint`, as it loaded the recorded GPT-2.
#
# ## What attention costs
#
# Each of T queries meets T keys, so time and memory grow with $T^2$. We time one layer of 4 heads of width 32 in
# three forms: **explicit** as in your function, with the weights of all queries stored; **fused**, torch's kernel,
# which works through blocks of keys and stores no weights; and with a **window** of 64 keys. The exponent is the
# slope of a straight line in logarithms, over the longest texts.

# %% tags=["demo"] jupyter={"source_hidden": true}
from torch.utils._python_dispatch import TorchDispatchMode

from llmcourse.models import attention as library

lengths = rt.pick(smoke=(64, 128), cpu=(256, 512, 1024, 2048), gpu=(512, 1024, 2048, 4096, 8192))
forms = {"explicit": {"fused": False}, "fused": {}, "window of 64": {"window": 64}}


class Allocated(TorchDispatchMode):
    """While it is on, keep what every operation of torch stores."""

    def __init__(self):
        super().__init__()
        self.kept = {}

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        made = operation(*args, **(kwargs or {}))
        for part in made if isinstance(made, tuple) else (made,):
            if isinstance(part, torch.Tensor):
                storage = part.untyped_storage()
                self.kept[storage.data_ptr()] = storage
        return made


# %% tags=["demo"] jupyter={"source_hidden": true}
def cost(T, **how):
    """Return the seconds of one attention (the best of three) and the bytes that it stores."""
    q = torch.randn(3, 1, 4, T, 32, generator=torch.Generator().manual_seed(rt.seed))
    times = []
    for _ in range(3):
        start = time.perf_counter()
        library.scaled_dot_product_attention(*q, causal=True, **how)
        times.append(time.perf_counter() - start)
    with Allocated() as seen:
        library.scaled_dot_product_attention(*q, causal=True, **how)
    return min(times), sum(storage.nbytes() for storage in seen.kept.values())


measured = {name: [cost(T, **how) for T in lengths] for name, how in forms.items()}
taken, allocated = ({name: [pair[i] for pair in pairs] for name, pairs in measured.items()} for i in (0, 1))

# %% tags=["demo"]
for name in forms:
    slopes = [np.polyfit(np.log(lengths[-3:]), np.log(table[name][-3:]), 1)[0] for table in (taken, allocated)]
    rt.record(f"{name}: exponent of the time", slopes[0])
    print(f"{name:13} time grows as T^{slopes[0]:.2f}, memory as T^{slopes[1]:.2f}")
ratio = allocated["explicit"][-1] / allocated["fused"][-1]
rt.claim("the explicit form stores more than the fused one (times, longest text)", ratio, ratio > 5)

# %% tags=["demo"]
import matplotlib.pyplot as plt

_, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
plotting.curves(lengths, taken, "tokens T", "seconds", log_x=True, ax=left).set_yscale("log")
plotting.curves(lengths, {k: np.array(v) / 1e6 for k, v in allocated.items()}, "tokens T", "MB", log_x=True, ax=right)
right.set_yscale("log")
for ax, what in ((left, "Time"), (right, "Memory that is stored on the way")):
    ax.set_xticks(lengths, lengths, minor=False)
    ax.minorticks_off()
    ax.set_title(what)

# %% [markdown]
# The fused kernel still computes $T^2$ products, but its memory grows with T only. A window makes the time linear,
# too. The price: a token further back can only be reached through several layers.
#
# ## Repair a GPT
#
# A mistake in a transformer seldom raises an error. The shapes fit, the loss falls, and the model is worse than it
# could be. The class below is a whole GPT with **ten bugs**; one line can have two of them. These helpers and the way
# in which the parameters are stored are right:

# %%
def gelu(a):
    return a / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a**3)))


def softmax(z, axis):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def linear(p, name, x):
    return x @ p[f"W_{name}"].T + p[f"b_{name}"]


def cross_entropy(logits, targets):
    """Return the mean of -log P(target); logits (B, T, V), targets (B, T)."""
    probs = softmax(logits, axis=-1)
    return float(-np.log(np.take_along_axis(probs, targets[..., None], axis=-1)).mean())


class Weights:
    """Parameters as in `GPT`, but a block has "up" and "down" for its feed-forward layers."""

    def __init__(self, params, n_heads):
        self.p, self.n_heads = params, n_heads

# %% [markdown] exercise="RepairedGPT"
# Repair the class. Begin with deleting the line `raise NotImplementedError("your turn")`; it is in `norm`. Each bug
# that you repair earns its points, whatever is left.
#
# | method | bugs | computes |
# |---|---|---|
# | `norm(p, x)` | 2 | layer norm of x (..., C), with p["weight"], p["bias"] and eps = 1e-5 |
# | `attention(p, x)` | 4 | causal multi-head self-attention of x (B, T, C); p as for `multi_head_attention` |
# | `block(p, x)` | 2 | a pre-norm block; p has "norm_1", "attention", "norm_2", "W_up", "b_up", "W_down", "b_down" |
# | `logits(ids)` | 1 | logits (B, T, V) for ids (B, T), with tied head; the parameters are `self.p` |
# | `loss(ids)` | 1 | mean loss in nats of predicting each next token, from ids (B, T + 1) |
#
# The line that makes q, k and v is right. Keep the names of the methods and their arguments, and let each method go
# on calling the others. The check looks at the methods in this order and stops at the first that is wrong. While a
# method has several bugs left, it does not tell which; it describes the last one. Test your guesses against the
# functions that you wrote.

# %% exercise="RepairedGPT"
class RepairedGPT(Weights):
    def norm(self, p, x):
        centred = x - x.mean(axis=-1, keepdims=True)
        ### BEGIN SOLUTION
        variance = (centred**2).mean(axis=-1, keepdims=True)
        return p["weight"] * centred / np.sqrt(variance + 1e-5) + p["bias"]
        ### END SOLUTION

    def attention(self, p, x):
        B, T, C = x.shape
        q, k, v = (linear(p, n, x).reshape(B, T, self.n_heads, -1).swapaxes(1, 2) for n in "qkv")
        ### BEGIN SOLUTION
        scores = q @ k.swapaxes(-1, -2) / math.sqrt(C / self.n_heads)
        weights = softmax(np.where(np.tri(T, dtype=bool), scores, -np.inf), axis=-1)
        return linear(p, "o", (weights @ v).swapaxes(1, 2).reshape(B, T, C))
        ### END SOLUTION

    def block(self, p, x):
        ### BEGIN SOLUTION
        x = x + self.attention(p["attention"], self.norm(p["norm_1"], x))
        return x + linear(p, "down", gelu(linear(p, "up", self.norm(p["norm_2"], x))))
        ### END SOLUTION

    def logits(self, ids):
        x = self.p["tokens"][ids] + self.p["positions"][: ids.shape[1]]
        for p in self.p["blocks"]:
            x = self.block(p, x)
        ### BEGIN SOLUTION
        return self.norm(self.p["norm"], x) @ self.p["tokens"].T
        ### END SOLUTION

    def loss(self, ids):
        ### BEGIN SOLUTION
        return cross_entropy(self.logits(ids[:, :-1]), ids[:, 1:])
        ### END SOLUTION


# %% check="RepairedGPT"
check.RepairedGPT(RepairedGPT);

# %% [markdown]
# With the check green, the repaired class is a GPT like any other. Its loss on the recorded texts, with the weights
# of the recorded GPT-2, should be that of the library's decoder:

# %% tags=["demo"]
def for_repair(p):
    """Return the parameters of a GPT under the names of the repair."""
    names = {"W_1": "W_up", "b_1": "b_up", "W_2": "W_down", "b_2": "b_down"}
    blocks = [{**one, **{names[n]: a for n, a in one["feed_forward"].items()}} for one in p["blocks"]]
    return p | {"blocks": blocks}


ids = np.array(record["ids"])
want = F.cross_entropy(hf(torch.tensor(ids[:, :-1])).flatten(0, 1), torch.tensor(ids[:, 1:]).flatten()).item()
if choose(RepairedGPT, GPT) is RepairedGPT:
    print(f"repaired: {RepairedGPT(for_repair(arrays.params_of(hf)), 4).loss(ids):.4f}, the library: {want:.4f} nats")

# %% [markdown] written="why_transformers"
# A colleague has replaced her LSTM by a transformer of the same size, trained it for the same ten minutes on her
# company's e-mails, and the loss is slightly **worse**. She says: "So attention is hype, we go back." Write 150 to
# 250 words. Explain
#
# - what a decoder can do that an LSTM of the same size cannot, and what that has to do with the path between two
#   tokens;
# - why the total loss after ten minutes does not show it;
# - which measurement on her own texts would show it, and what she should expect to see;
# - which two mistakes in her transformer she should rule out first, and how each would show.
#
# Use at least two numbers that you measured in this unit.
#
# ### BEGIN SOLUTION
# In a decoder every token is one step away from every earlier one: a head that has found what to look for copies it
# over any distance. In an LSTM the same information must survive each step in a state of fixed size. In our test the
# decoder paid little more than 1 bit for names more than 30 tokens back, the LSTM 3 bits, which is a guess among
# eight. Such tokens are rare: in our texts five of seventy, and in the total they hardly count. Short dependencies
# make up most of the loss, and these an LSTM learns quickly, because the order is built in; the decoder has to learn
# it from data. On Shakespeare our decoder, too, was behind the LSTM after one pass. She should measure the loss on
# names, order numbers and other tokens that repeat something more than 30 tokens back, or the loss by position in the
# mail. She should see the decoder's fall with the position and the LSTM's stay flat. First she should rule out a mask
# that leaks (the training loss falls far below what is possible, and what the model writes is nonsense) and missing
# positions or post-norm without warm-up (the loss stays high from the beginning).
# ### BEGIN MARK SCHEME
# 10 points. 2: direct path against a state of fixed size. 2: far references are few, so the total loss hides them.
# 2: the order is built into the LSTM, the decoder needs more data or time. 2: a measurement on far references or by
# position, with the expected result (1 each). 1: two plausible mistakes with their symptoms. 1: two measured numbers,
# correctly used. Subtract 1 for "transformers are always better".
# ### END MARK SCHEME
# ### END SOLUTION

# %% [markdown]
# ## What was shown
#
# - Attention, many heads, layer norm and the block equal torch's, and the GPT has the logits of Hugging Face's GPT-2.
#   No position sees the future: the gradient is exactly 0.
# - Without positions attention sees a set. Without its parts a decoder learns badly, or too well: without the mask
#   the future leaks.
# - With as many parameters and training tokens as an LSTM, a decoder finds names more than 30 tokens back where the
#   LSTM guesses. In total loss on real text, after short training, the LSTM is still ahead.
# - Time and memory of attention grow with the square of the length. A fused kernel saves the memory, a window both.
#
# **To think about.** (1) What would a head do whose scores are all equal? (2) Two heads of one layer learn the same.
# Is that a waste? (3) A tied head uses one table for two purposes. When could that hurt?
#
# **Where the ideas come from.** Vaswani et al. 2017, arXiv:1706.03762; Ba, Kiros and Hinton 2016, arXiv:1607.06450;
# Press and Wolf 2017, arXiv:1608.05859 (tied head); Radford et al. 2019 (GPT-2); Zhang and Sennrich 2019,
# arXiv:1910.07467; Shazeer 2020, arXiv:2002.05202; Xiong et al. 2020, arXiv:2002.04745 (pre- and post-norm); Brown et
# al. 2020, arXiv:2005.14165 (GPT-3); Su et al. 2021, arXiv:2104.09864; Dao et al. 2022, arXiv:2205.14135 (fused
# attention); Ainslie et al. 2023, arXiv:2305.13245; Jiang et al. 2023, arXiv:2310.06825 (Mistral); Gemma Team 2024,
# arXiv:2408.00118; Abdin et al. 2024, arXiv:2404.14219 (Phi-3).
#
# **Next.** The decoder gives a distribution for the next token. Unit 09 makes texts of it: which token should be
# written, and how fast can it go?
