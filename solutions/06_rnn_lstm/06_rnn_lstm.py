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
# # Memory of any length
#
# **How does a model remember what it read long ago?** An n-gram and a window of fixed size forget everything older
# than a few tokens. A **recurrent network** reads a text token by token. It carries a vector, its **state**, from
# each step to the next and uses the same weights at every step. In principle the state can hold what was read a
# thousand tokens ago.
#
# In this unit you build recurrent networks and measure how far back they learn in practice. Their gradients can
# explode or vanish with distance. There is a remedy for each: gradient clipping stops the explosion, and cells with
# gates keep gradients from vanishing. You write single steps in numpy, as in unit 05. The models that are trained
# come from the library. They are written in torch, whose autograd computes the gradients that you derive once by
# hand.

# %% tags=["parameters"]
preset = "cpu"
device = "auto"
seed = 0

# %%
import math

import numpy as np

from llmcourse.checks import u06_rnn_lstm as check
from llmcourse.runtime import choose, setup

rt = setup(preset, device, seed)

# %% [markdown]
# ## What will be built
#
# In *The benches opposite the gate were dirty* the verb *were* agrees with its subject *benches*. Directly before the
# verb there is another noun, *gate*, which is singular and can mislead a model. Linzen, Dupoux and Goldberg (2016)
# used such sentences to test language models: does the model give the correct verb form a higher probability than the
# wrong one?
#
# The invented world of this course has a grammar for such sentences, with 0 to 12 tokens between subject and verb.
# The grammar knows the exact log-probability of every token it writes. We draw 500 sentences for training and 3,000
# for testing, replace words by ids, and fit the 5-gram model of unit 02 to the training sentences. Here are three of
# them:

# %% tags=["demo"] jupyter={"source_hidden": true}
from random import Random

from llmcourse import plotting, world
from llmcourse.models import ngram
from llmcourse.models.ngram import NgramConfig
from llmcourse.world import Machine, Rules, agreement_rules

grammar = Machine(Rules(agreement_rules(), {}), "seen")


def sentences(number, name):
    """Return (words, log-probability of each word) for `number` sentences."""
    draw = Random(f"{name} {rt.seed}").random
    return [grammar.sample(draw) for _ in range(number)]


train_sentences, test_sentences = sentences(500, "train"), sentences(3_000, "test")
vocabulary = sorted({word for words, _ in train_sentences + test_sentences for word in words})
id_of = {word: i for i, word in enumerate(vocabulary)}
train_ids, test_ids = (
    np.array([id_of[w] for words, _ in part for w in words]) for part in (train_sentences, test_sentences)
)
five_gram = ngram.fit(train_ids, len(vocabulary), NgramConfig(5))
print("\n".join(" ".join(words) for words, _ in train_sentences[:3]))

# %% [markdown]
# For each distance, 0 to 12 tokens between subject and verb, there are 400 tests. A test is the beginning of a
# sentence with the correct and the wrong verb. The beginnings come in pairs that differ only in their subject: it is
# singular in one and plural in the other. A model that does not see the subject answers both alike, so it is right in
# exactly half of the tests. One pair at distance 7:

# %% tags=["demo"] jupyter={"source_hidden": true}
distances = range(0, 13)
tests_at = {d: world.agreement_pairs(rt.pick(smoke=20, cpu=400), d, seed=rt.seed) for d in distances}
for test in tests_at[7][:2]:
    print(" ".join(test.prefix), "...", test.right, f"(wrong: {test.wrong})")


def agreement(score):
    """Return for each distance the fraction of tests in which the correct verb has the higher score."""
    fractions = []
    for tests in tests_at.values():
        prefixes = np.array([[id_of[w] for w in (".", *test.prefix)] for test in tests])
        right, wrong = (np.array([id_of[getattr(test, kind)] for test in tests]) for kind in ("right", "wrong"))
        fractions.append(float(np.mean(score(prefixes, right) > score(prefixes, wrong))))
    return fractions


def five_gram_score(prefixes, verbs):
    return np.array([five_gram.logps(np.append(row, verb))[-1] for row, verb in zip(prefixes, verbs)])


agreed = {"5-gram": agreement(five_gram_score)}

# %% [markdown]
# Next to its subject the verb should be right almost always. At larger distances 500 sentences contain too few
# examples, so accuracy drops. From four intervening tokens on it is exactly 0.5: a 5-gram no longer sees the subject.

# %% tags=["demo"]
axes_named = "tokens between subject and verb", "fraction of correct verbs"
ax = plotting.steps(distances, agreed, *axes_named, level=("guessing", 0.5))
ax.set_title("A 5-gram has no memory beyond four tokens");

# %% [markdown]
# At the end of the unit this figure gets two more lines, one for each kind of network.
#
# ## A state that is carried from step to step
#
# The smallest recurrent network has a state of a single number h. At step t it reads a number $x_t$ and computes
#
# $$h_t = \tanh(w\,x_t + u\,h_{t-1})$$
#
# where $h_{t-1}$ is the state after the previous step, w is the weight of the input, u is the weight of the state,
# and tanh is the nonlinearity, which keeps the state between -1 and 1. Let w be 1. The network reads a 1 and then
# zeros, once with u = 0.9 and once with u = 2:

# %% tags=["nbval-check-output"]
for u in (0.9, 2.0):
    h, states = 0.0, []
    for x in [1, 0, 0, 0, 0, 0]:
        h = math.tanh(1.0 * x + u * h)
        states.append(round(h, 3))
    print(f"u = {u}: {states}")

# %% [markdown]
# With u = 0.9 the memory of the first input fades. With u = 2 it stays: h settles at 0.957, the positive solution of
# h = tanh(2h). So the weights decide what the network remembers.
#
# With vectors in place of numbers this is the network of **Elman** (1990). We write it in torch's form, with torch's
# names and shapes:
#
# $$h_t = \tanh(x_t W_{ih}^\top + b_{ih} + h_{t-1} W_{hh}^\top + b_{hh})$$
#
# - $x_t$, of shape (B, I), holds the inputs of step t: B rows of a batch, I numbers each.
# - $h_{t-1}$ and $h_t$, of shape (B, H), are the states before and after the step, with H numbers each.
# - $W_{ih}$ (H, I) and $W_{hh}$ (H, H) are the weights from input to state and from state to state. Their **rows
#   belong to the outputs**, hence the transposes. In unit 05 the rows belonged to the inputs.
# - $b_{ih}$ and $b_{hh}$, of shape (H,), are biases. One would be enough here; the GRU below needs both.
#
# ![On the left the network as one step with a loop; on the right the same network unrolled over the steps 1 to T.
# Each step gets an input and the state of the step before it, and passes its new state
# on.](figures/unrolled_network.svg)
#
# The example in the exercise uses a network that is small enough to follow by hand. `tiny` has one input and one
# unit, with the weights w = 1 and u = 0.9 from above:

# %%
tiny = {
    "W_ih": np.array([[1.0]]), "W_hh": np.array([[0.9]]),
    "b_ih": np.zeros(1), "b_hh": np.zeros(1),
}  # fmt: skip

# %% [markdown] exercise="elman_step"
# Write `elman_step`, which returns the state after one step of an Elman network. For an input of 1 and a state of
# 0.5, `tiny` gives tanh(1 + 0.9 · 0.5) = tanh(1.45):
#
# ```python
# >>> elman_step(tiny, np.array([[1.0]]), np.array([[0.5]])).round(3)
# array([[0.896]])
# ```
#
# | | |
# |---|---|
# | `params` | dictionary: `"W_ih"` (H, I), `"W_hh"` (H, H), `"b_ih"` (H,), `"b_hh"` (H,); not modified |
# | `x` | inputs of this step, (B, I) |
# | `h` | state before it, (B, H); not modified |
# | returns | state after it, (B, H), also for B = 1; same dtype as the inputs |
# | large inputs | must stay finite for sums of 1,000: use `np.tanh` |

# %% exercise="elman_step"
def elman_step(params: dict, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return the next state, (B, H)."""
    ### BEGIN SOLUTION
    return np.tanh(x @ params["W_ih"].T + params["b_ih"] + h @ params["W_hh"].T + params["b_hh"])
    ### END SOLUTION


# %% check="elman_step"
check.elman_step(elman_step);

# %% [markdown]
# To read a whole sequence, call the step in a loop. Here your function (if it passed) and `torch.nn.RNN` read the
# same sequence of 20 random steps with the same weights: a batch of 3, with 4 inputs and 5 units. The last states
# should differ only by rounding, about $10^{-7}$ in float32.

# %% tags=["demo"]
import torch

from llmcourse.models import rnn
from llmcourse.models.recurrent import Recurrent


def arrays(layers, way=""):
    """Return the weights of a torch module's first layer as a dictionary of arrays."""
    names = {"W_ih": "weight_ih", "W_hh": "weight_hh", "b_ih": "bias_ih", "b_hh": "bias_hh"}
    return {ours: getattr(layers, f"{theirs}_l0{way}").detach().numpy() for ours, theirs in names.items()}


torch.manual_seed(rt.seed)
rng = np.random.default_rng(rt.seed)
xs = rng.standard_normal((20, 3, 4)).astype(np.float32)
step = choose(elman_step, rnn.elman_step)
theirs, h = torch.nn.RNN(4, 5), np.zeros((3, 5), dtype=np.float32)
for x in xs:
    h = step(arrays(theirs), x, h)
off = np.abs(h - theirs(torch.tensor(xs))[0][-1].detach().numpy()).max()
rt.claim("20 Elman steps equal torch.nn.RNN (largest difference)", off, off < 1e-5)

# %% [markdown]
# ## What is fed back: the state or the output?
#
# Four years before Elman, **Jordan** (1986) fed back something else: not the state, but the network's previous
# **output** y. (His network also kept a decaying average of older outputs, which we leave out.)
#
# $$h_t = \tanh(x_t W_{ih}^\top + y_{t-1} W_{yh}^\top + b_h) \qquad y_t = h_t W_{hy}^\top + b_y$$
#
# Here $x_t$ (B, I) are the inputs as before, $h_t$ (B, H) are the hidden units, $y_{t-1}$ and $y_t$ (B, O) are the
# outputs of the previous and of this step, $W_{ih}$ (H, I), $W_{yh}$ (H, O) and $W_{hy}$ (O, H) are weights, $b_h$
# (H,) and $b_y$ (O,) are biases. `tiny_jordan` has one input, one hidden unit and one output:

# %%
tiny_jordan = {
    "W_ih": np.array([[1.0]]), "W_yh": np.array([[2.0]]), "b_h": np.zeros(1),
    "W_hy": np.array([[0.5]]), "b_y": np.array([0.1]),
}  # fmt: skip

# %% [markdown] exercise="jordan_step"
# Write `jordan_step`, which returns the hidden units and the output of one step of a Jordan network. The output has
# no nonlinearity. For an input of 1 and a previous output of 0.2, `tiny_jordan` gives h = tanh(1 + 2 · 0.2) = 0.885
# and y = 0.5 · 0.885 + 0.1 = 0.543:
#
# ```python
# >>> h, y = jordan_step(tiny_jordan, np.array([[1.0]]), np.array([[0.2]]))
# >>> h.round(3), y.round(3)
# (array([[0.885]]), array([[0.543]]))
# ```
#
# | | |
# |---|---|
# | `params` | dictionary: `"W_ih"` (H, I), `"W_yh"` (H, O), `"b_h"` (H,), `"W_hy"` (O, H), `"b_y"` (O,); not modified |
# | `x` | inputs of this step, (B, I) |
# | `y` | output of the previous step, (B, O); not modified |
# | returns | a pair: hidden units (B, H) and new output (B, O), also for B = 1 or O = 1; same dtype as the inputs |

# %% exercise="jordan_step"
def jordan_step(params: dict, x: np.ndarray, y: np.ndarray) -> tuple:
    """Return (hidden units, output) of one step."""
    ### BEGIN SOLUTION
    h = np.tanh(x @ params["W_ih"].T + y @ params["W_yh"].T + params["b_h"])
    return h, h @ params["W_hy"].T + params["b_y"]
    ### END SOLUTION


# %% check="jordan_step"
check.jordan_step(jordan_step);

# %% [markdown]
# A Jordan network remembers only what it puts into its output. To see this, insert
# $y_{t-1} = h_{t-1} W_{hy}^\top + b_y$ into the second term inside the tanh:
#
# $$y_{t-1} W_{yh}^\top = h_{t-1} W_{hy}^\top W_{yh}^\top + b_y W_{yh}^\top
# = h_{t-1} (W_{yh} W_{hy})^\top + b_y W_{yh}^\top$$
#
# The result is an Elman network with $W_{hh} = W_{yh} W_{hy}$ and $b_{hh} = b_y W_{yh}^\top$. This $W_{hh}$ (H, H)
# is a product of an (H, O) and an (O, H) matrix, so its rank is at most O: with one output, a single number passes
# from step to step, whatever H is. Below, both forms read the same 20 steps, and their outputs should agree.

# %% tags=["demo"]
jordan = choose(jordan_step, rnn.jordan_step)
shapes = {"W_ih": (5, 4), "W_yh": (5, 1), "b_h": (5,), "W_hy": (1, 5), "b_y": (1,)}
p = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
as_elman = {"W_ih": p["W_ih"], "b_ih": p["b_h"]}
as_elman |= {"W_hh": p["W_yh"] @ p["W_hy"], "b_hh": p["b_y"] @ p["W_yh"].T}
h, y = np.zeros((3, 5)), np.zeros((3, 1)) + p["b_y"]  # the output that belongs to a state of zeros
for x in xs:
    h, (_, y) = step(as_elman, x, h), jordan(p, x, y)
print(f"after 20 steps the two outputs differ by {np.abs(h @ p['W_hy'].T + p['b_y'] - y).max():.0e}")
print("rank of the 5 x 5 matrix W_hh:", np.linalg.matrix_rank(as_elman["W_hh"]))

# %% [markdown]
# An Elman network can remember what it does not output, so its form is the one in use today. Jordan's form has one
# advantage in training: the output that is fed back can be replaced by the **correct** output. This is called
# **teacher forcing** (Williams and Zipser 1989). Language models are trained this way: the input of each step is the
# true previous token, not the model's own guess. The section *Writing a text* measures the price of it.
#
# ## Three shapes of a task
#
# The same recurrent layer serves tasks of three shapes. They differ in how many inputs are read and how many outputs
# are used:
#
# | shape | example | inputs | outputs |
# |---|---|---|---|
# | many-to-many | a tag for each word; the next token at each position | all tokens | one from every state |
# | many-to-one | is this review positive? | all tokens | one, from the last state or the mean of all states |
# | one-to-many | write a text from a start token | one token, then the model's own outputs | one from every state |
#
# The library's layer returns the states of all steps and the last state. In the third case below we use the state
# itself as output and feed it back, so it must have the width of the input, here 5.

# %% tags=["demo"]
layer = Recurrent("elman", d_in=5, d_hidden=5)
states, (last,) = layer(torch.randn(3, 20, 5))
x, state, made = torch.randn(3, 1, 5), None, []
for _ in range(6):
    x, state = layer(x, state)
    made.append(x)
print("many-to-many", tuple(states.shape), "| many-to-one", tuple(last[0].shape))
print("one-to-many", tuple(torch.cat(made, dim=1).shape), "from one input")

# %% [markdown]
# ## Backpropagation through time
#
# Unrolled, a recurrent network is a deep network with one layer for each step, and all layers share the same weights.
# The rule of unit 05 still holds: a gradient is the **sum over all paths** from the weight to the loss. A weight is
# used at each of T steps, and from each step paths lead through all later states to the loss.
#
# Computing each path separately repeats work. **Backpropagation through time** (BPTT, Werbos 1990) goes through the
# steps in reverse and carries one quantity back: $dh_t$, short for $dL/dh_t$, the gradient of the loss L with respect
# to the state $h_t$.
#
# ![Three steps of the network. The states go forward from left to right, the gradients go back from right to left. At
# each step the gradient through the loss of that step is added to the one that comes back.](figures/bptt.svg)
#
# Follow it once with numbers. `tiny` (w = 1, u = 0.9) starts in the state $h_0 = 0.5$ and reads 1, 0, 0. Let the loss
# be $L = h_2 + h_3$. As in the drawing it is a sum of one loss for each step, $L_1 = 0$, $L_2 = h_2$ and $L_3 = h_3$,
# so the derivatives $dhs_t = dL_t/dh_t$ are 0, 1 and 1. The backward pass visits step 3, then 2, then 1. At each step
# it does the following:
#
# 1. It adds the gradient through the loss of this step and the one that comes back from the next step:
#    dh = dhs + back. After the last step nothing comes back.
# 2. It multiplies by the derivative of tanh, $1 - h_t^2$: da = dh · (1 - $h_t^2$) is the gradient with respect to the
#    sum inside the tanh.
# 3. It adds the contribution of this step to the gradients of the weights: da · $x_t$ for w, da · $h_{t-1}$ for u.
# 4. It sends da · u back to the previous step.
#
# Each row of the table is one step:

# %% tags=["nbval-check-output"]
w, u, inputs = 1.0, 0.9, [1.0, 0.0, 0.0]
dhs = [0.0, 1.0, 1.0]  # gradient through the loss of each step
h = [0.5]
for x in inputs:
    h.append(math.tanh(w * x + u * h[-1]))

dw, du, back = 0.0, 0.0, 0.0
names = "x", "h_t-1", "h_t", "dhs", "+ back", "= dh", "1-h^2", "da", "to w", "to u", "da * u"
print("t", *(f"{name:>7}" for name in names))
for t in (3, 2, 1):
    x, before, after = inputs[t - 1], h[t - 1], h[t]
    dh = dhs[t - 1] + back
    da = dh * (1 - after**2)
    row = x, before, after, dhs[t - 1], back, dh, 1 - after**2, da, da * x, da * before, da * u
    print(t, *(f"{number:7.3f}" for number in row))
    dw, du, back = dw + da * x, du + da * before, da * u
print(f"dL/dw = {dw:.3f}, dL/du = {du:.3f}, dL/dh_0 = {back:.3f}")

# The same three steps as arrays, for the exercise:
first_state = np.array([[0.5]])
three_inputs, through_losses = (np.array(values).reshape(3, 1, 1) for values in (inputs, dhs))

# %% [markdown]
# dL/dw and dL/du are the sums of the columns *to w* and *to u*. On its way through a step the gradient is multiplied
# by $(1 - h_t^2)\,u$, which is below 1 at all three steps. So what happened early has less influence on the gradient:
# step 1 contributes least to dL/du. Longer sequences make this a problem, as the next section shows.
#
# With vectors and a batch the same four rules are
#
# $$dh_t = dhs_t + da_{t+1} W_{hh} \qquad da_t = dh_t \odot (1 - h_t \odot h_t)$$
#
# $$dW_{ih} = \sum_t da_t^\top x_t \qquad dW_{hh} = \sum_t da_t^\top h_{t-1} \qquad
# db_{ih} = db_{hh} = \sum_t \sum_{\text{rows}} da_t$$
#
# where $dh_t$ and $da_t$ (B, H) are the gradients of L with respect to the state $h_t$ and to the sum inside its
# tanh, $dhs_t$ (B, H) is the gradient through the loss of step t alone, $\odot$ multiplies element by element, and
# $dW$, $db$ are the gradients with respect to the parameters. The sums go over the steps t = 1 to T, and for the
# biases also over the rows of the batch. After the last step nothing comes back: $da_{T+1} = 0$.

# %% [markdown] exercise="bptt"
# Write `bptt`, which returns the gradients of the loss with respect to all parameters of an Elman network and to its
# first state. The argument `dhs` holds the gradient with respect to each state through the loss of its own step, so
# your function need not know how the loss is computed. Index 0 of the arrays is step 1. This call returns the
# gradients of the trace above, where `W_ih` is w, `W_hh` is u, and the gradient of each bias is the sum of the column
# *da*:
#
# ```python
# >>> gradients = bptt(tiny, three_inputs, first_state, through_losses)
# >>> {name: round(value.item(), 3) for name, value in gradients.items()}
# {'W_ih': 0.162, 'W_hh': 1.37, 'b_ih': 1.782, 'b_hh': 1.782, 'h0': 0.146}
# ```
#
# You may call your `elman_step` once its check passes (grading uses a correct one in its place).
#
# | | |
# |---|---|
# | `params` | dictionary as for `elman_step`; not modified |
# | `xs` | inputs, (T, B, I), time first: `xs[t]` is the batch of one step |
# | `h0` | state before the first step, (B, H); not modified |
# | `dhs` | (T, B, H): `dhs[t]` is the gradient with respect to the state after reading `xs[t]`, through the loss of that step alone; not modified |
# | returns | dictionary with the gradients `"W_ih"`, `"W_hh"`, `"b_ih"`, `"b_hh"`, `"h0"`, each with the shape of its parameter or of `h0`; same dtype as the inputs |
# | edge | T = 0: all gradients are arrays of zeros in these shapes |

# %% exercise="bptt"
def bptt(params: dict, xs: np.ndarray, h0: np.ndarray, dhs: np.ndarray) -> dict:
    """Return the gradients with respect to W_ih, W_hh, b_ih, b_hh and h0."""
    ### BEGIN SOLUTION
    hs = [h0]
    for x in xs:
        hs.append(elman_step(params, x, hs[-1]))
    gradients = {name: np.zeros_like(value) for name, value in params.items()}
    dh = np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        da = (dh + dhs[t]) * (1 - hs[t + 1] ** 2)
        gradients["W_ih"] += da.T @ xs[t]
        gradients["W_hh"] += da.T @ hs[t]
        gradients["b_ih"] += da.sum(axis=0)
        gradients["b_hh"] += da.sum(axis=0)
        dh = da @ params["W_hh"]
    return gradients | {"h0": dh}
    ### END SOLUTION


# %% check="bptt"
check.bptt(bptt);

# %% [markdown]
# Compare it with torch's autograd over 20 steps in float64, with random `dhs`. The two should differ only by
# rounding.

# %% tags=["demo"]
backward_pass = choose(bptt, rnn.bptt)
theirs, first = torch.nn.RNN(4, 5).double(), torch.zeros(1, 3, 5, dtype=torch.float64)
dhs = rng.standard_normal((20, 3, 5))
theirs(torch.tensor(xs, dtype=torch.float64), first)[0].backward(torch.tensor(dhs))
by_hand = backward_pass(arrays(theirs), xs.astype(np.float64), first[0].numpy(), dhs)
off = np.abs(by_hand["W_hh"] - theirs.weight_hh_l0.grad.numpy()).max()
rt.claim("the backward pass by hand equals autograd's (largest difference, W_hh)", off, off < 1e-9)

# %% [markdown]
# ## Vanishing and exploding gradients
#
# On its way back over k steps a gradient is multiplied k times by $W_{hh}$ and by the derivative of tanh. If these
# factors shrink it, almost nothing is left after k steps, and the network cannot learn to use what it read k steps
# ago. If they enlarge it, the gradient grows exponentially with k (Bengio, Simard and Frasconi 1994; Pascanu, Mikolov
# and Bengio 2013).
#
# We measure this with your `bptt`. The network reads d random inputs. We set the gradient at the last step to a
# random vector of norm about 1 and measure the norm of the gradient with respect to `h0`, which is d steps earlier.
# The mean is taken over ten random 32 x 32 matrices $W_{hh}$, rescaled to a **spectral radius** (largest absolute
# eigenvalue) of 0.7, 1 or 3. A vector that is multiplied by a matrix many times grows or shrinks by about this factor
# each time.
#
# Exponential growth is a straight line on a log scale. Expect one line that falls steeply and one that rises.

# %% tags=["demo"] jupyter={"source_hidden": true}
back_to = [1, *range(5, 51, 5)]


def gradient_norms(radius, rng, H=32, runs=10):
    """Return the norm d steps back for each d in `back_to`, the geometric mean over random networks."""
    norms = np.zeros((runs, len(back_to)))
    for run in range(runs):
        W = rng.standard_normal((H, H))
        p = {"W_ih": 0.1 * rng.standard_normal((H, 4)), "W_hh": radius * W / np.abs(np.linalg.eigvals(W)).max()}
        p |= {"b_ih": np.zeros(H), "b_hh": np.zeros(H)}
        inputs = rng.standard_normal((back_to[-1], 1, 4))
        for column, d in enumerate(back_to):
            dhs = np.zeros((d, 1, H))
            dhs[-1] = rng.standard_normal(H) / math.sqrt(H)
            norms[run, column] = np.linalg.norm(backward_pass(p, inputs[-d:], np.zeros((1, H)), dhs)["h0"])
    return np.exp(np.log(norms).mean(axis=0))


norms = {}
for radius in (0.7, 1.0, 3.0):
    draw = np.random.default_rng(rt.seed)
    norms[f"spectral radius {radius}"] = gradient_norms(radius, draw, runs=rt.pick(smoke=1, cpu=10))
low, high = norms["spectral radius 0.7"][-1], norms["spectral radius 3.0"][-1]
rt.claim("gradient over 50 steps: vanishing (below 1e-6)", low, low < 1e-6)
rt.claim("gradient over 50 steps: exploding (above 1,000)", high, high > 1e3)

# %% tags=["demo"]
ax = plotting.curves(back_to, norms, "steps back", "norm of the gradient")
ax.set_title("The gradient vanishes or explodes exponentially with distance")
ax.set_yscale("log");

# %% [markdown]
# With a radius of 0.7 the gradient vanishes. With 1 it fades, too, because the derivative of tanh is below 1. With 3
# it explodes, although the units saturate and the derivative of tanh is small there. To learn over long distances, an
# Elman network would have to stay between the two while training changes its weights.

# %% [markdown] question="vanishing"

# %% [markdown]
# ## Gradient clipping
#
# What does an exploding gradient do to training? A single step of gradient descent moves the weights so far that
# everything learned is lost. The remedy is simple: if the gradient is longer than a limit, **shorten it and keep its
# direction** (Pascanu, Mikolov and Bengio 2013):
#
# $$g \leftarrow g \cdot \min\left(1, \frac{\text{limit}}{\lVert g \rVert}\right)$$
#
# where g holds the gradients of **all** parameters as one long vector and $\lVert g \rVert$ is its norm, the square
# root of the sum of all squares. The gradients (3) and (0, 4) have a norm of $\sqrt{9 + 0 + 16} = 5$. With a limit of
# 1 both are multiplied by 1/5 and become (0.6) and (0, 0.8).
#
# Very large gradients also cause a numerical problem. The largest float32 is 3.4e38, so the square of 3e19 overflows
# to infinity; the norm is then infinite and the factor 0. In the same way the square of 3e-25 is rounded to 0.
# float64 can represent both squares, so convert before squaring: `g.astype(np.float64)`.

# %% [markdown] exercise="clip_grad_norm"
# Write `clip_grad_norm`, which returns the clipped gradients and the norm they had before clipping:
#
# ```python
# >>> clipped, norm = clip_grad_norm({"a": np.array([3.0]), "b": np.array([0.0, 4.0])}, max_norm=1.0)
# >>> clipped["a"].round(3).tolist(), clipped["b"].round(3).tolist(), norm
# ([0.6], [0.0, 0.8], 5.0)
# ```
#
# | | |
# |---|---|
# | `gradients` | dictionary from name to array, of any shapes; not modified |
# | `max_norm` | the limit, > 0 |
# | returns | a pair: a dictionary with the same names, shapes and dtypes, and the norm before clipping, a number |
# | edges | a norm of at most the limit: the gradients are not changed; all zeros: zeros, not nan |
# | sizes | float32 gradients of any size from 1e-25 to 1e25: square and sum in float64. float32 (3e19, 4e19) with a limit of 1 gives (0.6, 0.8) and 5e19 |

# %% exercise="clip_grad_norm"
def clip_grad_norm(gradients: dict, max_norm: float) -> tuple:
    """Return (gradients with a joint norm of at most max_norm, the norm before)."""
    ### BEGIN SOLUTION
    norm = float(np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in gradients.values())))
    scale = max_norm / max(norm, max_norm)
    return {name: scale * g for name, g in gradients.items()}, norm
    ### END SOLUTION


# %% check="clip_grad_norm"
check.clip_grad_norm(clip_grad_norm);

# %% [markdown]
# Now we break a training run on purpose. Le, Jaitly and Hinton (2015) initialise $W_{hh}$ to the identity and use
# relu in place of tanh. Such a network remembers well at the start, but relu does not saturate, so nothing limits the
# growth of its state. It is trained to predict the next character of real English text, in sequences of 100 steps, by
# plain gradient descent with a learning rate of 0.1.

# %% tags=["demo"] jupyter={"source_hidden": true}
from llmcourse.text import corpora as data

english = data.english()
characters = sorted(set(english.train + english.held_out))
V = len(characters)
size = rt.pick(smoke=5_000, cpu=len(english.train))
train_chars, held_out_chars = (
    torch.tensor(ngram.encode(text, characters)) for text in (english.train[:size], english.held_out[:size])
)


def cpu_generator():
    """Return a fresh generator: what it draws depends on the seed alone, not on the device."""
    return torch.Generator().manual_seed(rt.seed)


def relu_loss(p, rows):
    """Return the mean loss in nats of predicting each next character of rows (B, 101) from a state of zeros."""
    h, states = torch.zeros(len(rows), len(p["W_hh"])), []
    for now in rows[:, :-1].T:
        h = torch.relu(p["W_ih"][now] + h @ p["W_hh"].T)
        states.append(h)
    logits = torch.stack(states, dim=1) @ p["W_out"].T
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())


# %% [markdown]
# `descend` trains one network and returns its loss before each step and its final parameters. With a `limit` it calls
# your `clip_grad_norm`; with `None` it does not clip.

# %% tags=["demo"]
clip = choose(clip_grad_norm, rnn.clip_grad_norm)


def descend(limit, steps, H=64, lr=0.1):
    draw, losses = cpu_generator(), []
    p = {"W_ih": 0.1 * torch.randn(V, H, generator=draw), "W_hh": torch.eye(H)}
    p["W_out"] = torch.zeros(V, H)
    for _ in range(steps):
        starts = torch.randint(0, len(train_chars) - 101, (32, 1), generator=draw)
        leaves = {name: value.requires_grad_() for name, value in p.items()}
        loss = relu_loss(leaves, train_chars[starts + torch.arange(101)])
        found = torch.autograd.grad(loss, list(leaves.values()))
        gradients = {name: gradient.numpy() for name, gradient in zip(p, found)}
        if limit:
            gradients, _ = clip(gradients, limit)
        p = {name: value.detach() - lr * torch.as_tensor(gradients[name]) for name, value in p.items()}
        losses.append(loss.item())
    return losses, p


# %% [markdown]
# **What to expect.** Both runs start at ln V nats, where V is the number of different characters. With clipping the
# loss falls slowly. Without clipping, look at the largest value. The figure has a log scale, because this loss spans
# many powers of ten.

# %% tags=["demo"]
steps = rt.pick(smoke=10, cpu=100)
runs = {"no clipping": descend(None, steps)[0], "clipped at 0.1": descend(0.1, steps)[0]}
for name, losses in runs.items():
    print(f"{name:15s} first {losses[0]:.3g} nats, largest {np.nanmax(losses):.3g}, last {losses[-1]:.3g}")
_, p = descend(None, 2)
radius = np.abs(np.linalg.eigvals(p["W_hh"].numpy())).max()
print(f"no clipping, after two steps: spectral radius {radius:.2f}, {radius:.2f}^100 = {radius**100:.0e}")
worst, calm = np.nanmax(runs["no clipping"]), runs["clipped at 0.1"]
rt.claim("without clipping the loss explodes (largest, nats)", worst, worst > 1e12)
safe = max(calm) < calm[0] + 1 and calm[-1] < calm[0] - 0.2
rt.claim("with clipping it never rises by 1 nat, and falls (last, nats)", calm[-1], safe)

# %% tags=["demo"]
ax = plotting.curves(range(steps), runs, "step", "loss in nats")
ax.set_title("Without clipping, a few steps destroy the network")
ax.set_yscale("log");

# %% [markdown]
# The output above names the reason: two ordinary steps moved the spectral radius of $W_{hh}$ well above 1, and
# reading 100 characters multiplies the state by $W_{hh}$ 100 times. The state, the logits and the loss explode. The
# gradient of this loss is so large that the next step makes all weights useless. Afterwards almost all units output
# 0, so the logits are 0 and the loss is ln V. Where relu is 0 its derivative is 0, too, so the network does not
# recover. (Later peaks are rare characters that still activate a unit.)
#
# With clipping the loss falls steadily, although on this scale the line looks flat.

# %% [markdown] question="clipping"

# %% [markdown]
# Clipping cures exploding gradients. It cannot cure vanishing ones: a gradient that is lost on its way back cannot be
# restored by scaling the whole. That needs another kind of cell.
#
# ## The LSTM: a cell that adds
#
# The **long short-term memory** (Hochreiter and Schmidhuber 1997; forget gate by Gers, Schmidhuber and Cummins 2000)
# has a second state, the cell c. At each step the Elman network multiplies its state by a matrix. The LSTM instead
# keeps or erases each component of c separately, and **adds** new content:
#
# $$c_t = f \odot c_{t-1} + i \odot g \qquad h_t = o \odot \tanh(c_t)$$
#
# where $c_t$ and $h_t$ (B, H) are the two states after step t and $\odot$ multiplies element by element. The
# **gates** f, i and o (B, H) contain numbers between 0 and 1, and the candidate g (B, H) is the new content. Each of
# the four is a sum as in the Elman network, $x_t W_{ih}^\top + b_{ih} + h_{t-1} W_{hh}^\top + b_{hh}$, followed by a
# nonlinearity. Each has its own block of H rows in the weights and biases, so $W_{ih}$ is (4H, I) and $W_{hh}$ is
# (4H, H). The order of the blocks is torch's:
#
# | rows of $W_{ih}$, $W_{hh}$ | name | nonlinearity | decides |
# |---|---|---|---|
# | 0 to H - 1 | i, input gate | sigmoid σ | how much new content is added |
# | H to 2H - 1 | f, forget gate | sigmoid σ | how much of the old cell is kept |
# | 2H to 3H - 1 | g, candidate | tanh | what the new content is |
# | 3H to 4H - 1 | o, output gate | sigmoid σ | how much of the cell is shown in h |
#
# ![An LSTM cell. The line of c runs straight through it: c is multiplied by the forget gate, then the input gate
# times the candidate is added. The tanh of c times the output gate is h.](figures/lstm_cell.svg)
#
# Here is one step with numbers, for a single unit that reads x = 1 in the states h = 0.5 and c = 2:

# %% tags=["nbval-check-output"]
tiny_lstm = {
    "W_ih": np.array([[0.5], [1.0], [1.0], [-1.0]]), "b_ih": np.zeros(4),
    "W_hh": np.array([[1.0], [2.0], [0.5], [1.0]]), "b_hh": np.zeros(4),
}  # fmt: skip
x, h, c = 1.0, 0.5, 2.0
after = {}
for name, w, u in zip("ifgo", tiny_lstm["W_ih"][:, 0], tiny_lstm["W_hh"][:, 0]):
    total = w * x + u * h
    after[name] = math.tanh(total) if name == "g" else 1 / (1 + math.exp(-total))
    print(f"{name} = {'tanh' if name == 'g' else 'sigmoid'}({w} * {x} + {u} * {h}) = {after[name]:.3f}")
new_c = after["f"] * c + after["i"] * after["g"]
print(f"c = {after['f']:.3f} * {c} + {after['i']:.3f} * {after['g']:.3f} = {new_c:.3f}")
print(f"h = {after['o']:.3f} * tanh({new_c:.3f}) = {after['o'] * math.tanh(new_c):.3f}")

# %% [markdown]
# The forget gate keeps 88 % of the old cell, and the new content is added to it. This is why gradients can survive:
# along the line of c in the drawing, the derivative of $c_t$ with respect to $c_{t-1}$ is f. There is no matrix and
# no tanh on this line. Where f is close to 1, a gradient goes back over many steps almost unchanged. For each
# component of the cell, the network can learn when f should be close to 1.

# %% [markdown] exercise="lstm_cell"
# Write `lstm_cell`, which returns both states after one step of an LSTM. This call computes the step above:
#
# ```python
# >>> h, c = lstm_cell(tiny_lstm, np.array([[1.0]]), np.array([[0.5]]), np.array([[2.0]]))
# >>> h.round(3), c.round(3)
# (array([[0.371]]), array([[2.382]]))
# ```
#
# The four sums side by side are one array `x @ W_ih.T + b_ih + h @ W_hh.T + b_hh` of shape (B, 4H), and
# `np.split(sums, 4, axis=1)` returns its four blocks.
#
# | | |
# |---|---|
# | `params` | dictionary: `"W_ih"` (4H, I), `"W_hh"` (4H, H), `"b_ih"` (4H,), `"b_hh"` (4H,); blocks i, f, g, o; not modified |
# | `x` | inputs of this step, (B, I) |
# | `h`, `c` | the two states before it, (B, H) each; not modified |
# | returns | a pair: h and c after it, (B, H) each, also for B = 1; same dtype as the inputs |
# | large inputs | must stay finite for sums of 1,000: write the sigmoid as $(1 + \tanh(a/2))/2$, as in unit 05 |

# %% exercise="lstm_cell"
def lstm_cell(params: dict, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple:
    """Return (next h, next c)."""
    ### BEGIN SOLUTION
    sums = x @ params["W_ih"].T + params["b_ih"] + h @ params["W_hh"].T + params["b_hh"]
    a, g = np.tanh(sums / 2), np.tanh(sums)
    i, f, _, o = np.split((1 + a) / 2, 4, axis=1)
    c = f * c + i * np.split(g, 4, axis=1)[2]
    return o * np.tanh(c), c
    ### END SOLUTION


# %% check="lstm_cell"
check.lstm_cell(lstm_cell);

# %% [markdown]
# Over 20 steps your function and `torch.nn.LSTM` should differ only by rounding.

# %% tags=["demo"]
cell = choose(lstm_cell, rnn.lstm_cell)
theirs, h, c = torch.nn.LSTM(4, 5), np.zeros((3, 5)), np.zeros((3, 5))
for x in xs:
    h, c = cell(arrays(theirs), x, h, c)
off = np.abs(h - theirs(torch.tensor(xs))[0][-1].detach().numpy()).max()
rt.claim("20 LSTM steps equal torch.nn.LSTM (largest difference)", off, off < 1e-5)

# %% [markdown]
# Do gradients survive? We measure the gradient of the last state with respect to the input d steps before, in
# untrained layers of 64 units: an Elman layer, an LSTM whose forget gates have a bias of 0, and one with a bias of 3.
# Again, expect nearly straight lines on a log scale.

# %% tags=["demo"] jupyter={"source_hidden": true}
def input_gradients(layer, longest=100):
    """Return the norm of the gradient with respect to the inputs 0, 1, 2, ... steps before the last state."""
    x = torch.randn(16, longest, 8, generator=cpu_generator()).requires_grad_()
    layer(x)[0][:, -1].sum().backward()
    return x.grad.double().norm(dim=2).mean(dim=0).flip(0).numpy()


def with_forget_bias(bias):
    layer = Recurrent("lstm", 8, 64)
    with torch.no_grad():
        layer.bias_ih_l0[64:128] = bias  # the block of f, the second of four
    return layer


reach = {
    "Elman": input_gradients(Recurrent("elman", 8, 64)),
    "LSTM, forget bias 0": input_gradients(with_forget_bias(0.0)),
    "LSTM, forget bias 3": input_gradients(with_forget_bias(3.0)),
}
ratio = reach["LSTM, forget bias 3"][60] / reach["Elman"][60]
text = "60 steps back, open forget gates keep more of the gradient than an Elman layer (times)"
rt.claim(text, ratio, ratio > 1e8)

# %% tags=["demo"]
ax = plotting.curves(range(100), reach, "steps back", "norm of the gradient (input)")
ax.set_title("Open forget gates carry the gradient over 100 steps")
ax.set_yscale("log");

# %% [markdown]
# With a forget bias of 0, f is about one half, and over the first 20 steps the gradient of the LSTM falls as fast as
# that of the Elman layer. With a bias of 3, f is about σ(3) = 0.95. Along the cell alone, less than one percent of
# the gradient would be left after 100 steps, since $0.95^{100}$ = 0.006. Other paths lead through h and the gates;
# they add to it, and here the gradient even grows a little. So the gradient of an LSTM with open gates can explode,
# too, and LSTMs are trained with clipping. It is good practice to start with a positive forget bias (Jozefowicz,
# Zaremba and Sutskever 2015): the cell first remembers everything and then learns what to forget. The library's
# models start with 1.

# %% [markdown] question="forget_gate"

# %% [markdown]
# ## The GRU: two gates are enough
#
# The **gated recurrent unit** (Cho et al. 2014) has one state and two gates. The update gate z decides between old
# and new content, the reset gate r decides how much of the old state the new content can see. In torch's form:
#
# $$r = \sigma(x_r + h_r) \qquad z = \sigma(x_z + h_z) \qquad n = \tanh(x_n + r \odot h_n) \qquad
# h_t = (1 - z) \odot n + z \odot h_{t-1}$$
#
# where $x_r, x_z, x_n$ are the three blocks, (B, H) each, of $x_t W_{ih}^\top + b_{ih}$, and $h_r, h_z, h_n$ are the
# three blocks of $h_{t-1} W_{hh}^\top + b_{hh}$. The gates r and z, the candidate n and the states $h_{t-1}$ and
# $h_t$ are (B, H), and $\sigma$ is the sigmoid. Where z is close to 1, the old state is kept. Here the two biases are
# not interchangeable: the last block of $b_{hh}$ is part of $h_n$, so r multiplies it.
#
# ![A GRU cell. The reset gate r multiplies the block of the old state in the candidate n. The update gate z adds the
# old state, weighted by z, and the candidate, weighted by 1 - z.](figures/gru_cell.svg)
#
# Here is one step with numbers, for a single unit that reads x = 1 in the state h = 0.5:

# %% tags=["nbval-check-output"]
tiny_gru = {
    "W_ih": np.array([[1.0], [0.5], [1.0]]), "b_ih": np.zeros(3),
    "W_hh": np.array([[-1.0], [1.0], [2.0]]), "b_hh": np.array([0.0, 0.0, 0.5]),
}  # fmt: skip
x, h = 1.0, 0.5
(x_r, x_z, x_n), (h_r, h_z, h_n) = tiny_gru["W_ih"][:, 0] * x, tiny_gru["W_hh"][:, 0] * h + tiny_gru["b_hh"]
r, z = 1 / (1 + math.exp(-(x_r + h_r))), 1 / (1 + math.exp(-(x_z + h_z)))
n = math.tanh(x_n + r * h_n)
print(f"r = sigmoid({x_r} + {h_r}) = {r:.3f}, z = sigmoid({x_z} + {h_z}) = {z:.3f}")
print(f"n = tanh({x_n} + {r:.3f} * {h_n}) = {n:.3f}")
print(f"h = (1 - {z:.3f}) * {n:.3f} + {z:.3f} * {h} = {(1 - z) * n + z * h:.3f}")

# %% [markdown] exercise="gru_cell"
# Write `gru_cell`, which returns the state after one step of a GRU. This call computes the step above:
#
# ```python
# >>> gru_cell(tiny_gru, np.array([[1.0]]), np.array([[0.5]])).round(3)
# array([[0.623]])
# ```
#
# | | |
# |---|---|
# | `params` | dictionary: `"W_ih"` (3H, I), `"W_hh"` (3H, H), `"b_ih"` (3H,), `"b_hh"` (3H,); blocks r, z, n; not modified |
# | `x` | inputs of this step, (B, I) |
# | `h` | state before it, (B, H); not modified |
# | returns | state after it, (B, H), also for B = 1; same dtype as the inputs |
# | large inputs | must stay finite for sums of 1,000: write the sigmoid with tanh, as in `lstm_cell` |

# %% exercise="gru_cell"
def gru_cell(params: dict, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return the next state, (B, H)."""
    ### BEGIN SOLUTION
    x_r, x_z, x_n = np.split(x @ params["W_ih"].T + params["b_ih"], 3, axis=1)
    h_r, h_z, h_n = np.split(h @ params["W_hh"].T + params["b_hh"], 3, axis=1)
    r, z = ((1 + np.tanh(a / 2)) / 2 for a in (x_r + h_r, x_z + h_z))
    return (1 - z) * np.tanh(x_n + r * h_n) + z * h
    ### END SOLUTION


# %% check="gru_cell"
check.gru_cell(gru_cell);

# %% [markdown]
# Papers and lecture slides often show **another form** (Cho et al. 2014; Chung et al. 2014):
#
# $$\tilde h = \tanh(x_n + (r \odot h_{t-1})\, U^\top + b) \qquad h_t = (1 - z) \odot h_{t-1} + z \odot \tilde h$$
#
# where $\tilde h$ (B, H) is the candidate, and U (H, H) and b (H,) are the last blocks of $W_{hh}$ and $b_{hh}$. Two
# things differ. First, z and 1 - z are exchanged. Changing the sign of the weights and biases of z undoes this, since
# $\sigma(-a) = 1 - \sigma(a)$. Second, r multiplies the state **before** the product with U, not after it. No change
# of the weights undoes this. We run both forms for 20 steps. Both have the same weights, except that in the other
# form those of z change their sign. Your form should agree with torch, the other form should not.

# %% tags=["demo"]
gru = choose(gru_cell, rnn.gru_cell)
theirs, h, other = torch.nn.GRU(4, 5), np.zeros((3, 5)), np.zeros((3, 5))
negated = {name: value.copy() for name, value in arrays(theirs).items()}
for value in negated.values():
    value[5:10] *= -1  # rows 5 to 9 are the block of z
for x in xs:
    h, other = gru(arrays(theirs), x, h), rnn.gru_cell_reset_first(negated, x, other)
off = np.abs(h - theirs(torch.tensor(xs))[0][-1].detach().numpy()).max()
print(f"largest difference between the two forms: {np.abs(other - h).max():.3f}")
rt.claim("20 GRU steps equal torch.nn.GRU (largest difference)", off, off < 1e-5)

# %% [markdown]
# Both forms work well, but weights trained for one are wrong for the other. This matters when weights are moved
# between libraries.
#
# ## A language model without a window
#
# A recurrent language model looks up a vector for each token, runs the recurrent layers, and computes logits for the
# next token at every step. A text of a million characters is a single sequence, too long for one backward pass.
# **Truncated backpropagation through time** (Williams and Peng 1990) cuts it into chunks, here of 32 characters. The
# state is carried from chunk to chunk, but the backward pass stops where the chunk begins: the model can use what is
# older, but gets no gradient for it. To fill a batch, the text is first cut into 64 rows of equal length, which are
# read side by side.
#
# `chunk_losses` yields the loss of one chunk after the other. The last two lines show the chunks of a small example,
# 20 tokens in two rows and chunks of 4. They print the inputs and the targets of each chunk: targets are shifted by
# one, and each row continues in the next chunk.

# %% tags=["demo"]
from llmcourse.models import sequence_models as models
from llmcourse.models.sequence_models import RecurrentConfig, RecurrentLM


def chunk_losses(model, rows, steps=32):
    """Yield the loss of each chunk in turn; start each pass over the text from a state of zeros."""
    while True:
        state = None
        for ids, targets in models.chunks(rows, steps):
            past = models.detached(state) if state else None  # no gradient into the past
            states, state = model.read(ids, past)
            yield torch.nn.functional.cross_entropy(model.head(states).flatten(0, 1), targets.flatten())


for ids, targets in models.chunks(models.streams(torch.arange(20), batch_size=2), steps=4):
    print(ids.tolist(), "->", targets.tolist())

# %% [markdown]
# One training loop, `train`, serves all models of this unit. AdamW (Loshchilov and Hutter 2017) is gradient descent
# with a separate step size for each parameter; unit 10 builds it. `decay` shrinks all weights a little at each step.
# The learning rate rises during the first tenth of the steps and falls along a cosine. Gradients are clipped to a
# norm of 1.
#
# `build` creates a language model on `rt.device`. `init_scale` sets the scale of the input weights. A larger scale
# makes the gates depend on the input from the beginning of the training.

# %% tags=["demo"]
def train(model, losses, steps, lr, decay=0.0):
    """Train on `steps` losses and return them in bits."""
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.99), weight_decay=decay, fused=True)
    bits = []
    for step, loss in zip(range(steps), losses):
        warmup, cosine = min(1, 10 * (step + 1) / steps), (1 + math.cos(math.pi * step / steps)) / 2
        optimizer.param_groups[0]["lr"] = lr * warmup * cosine
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        bits.append(loss.item() / math.log(2))
    return bits


def build(config, init_scale, seed=rt.seed):
    torch.manual_seed(seed)
    model = RecurrentLM(config)
    torch.nn.init.normal_(model.rnn.weight_ih_l0, std=init_scale / math.sqrt(config.d_embed))
    return model.to(rt.device)


# %% [markdown]
# We train an Elman network, usually called a tanh RNN, and an LSTM with the same number of units on the characters.
# **What to expect**: both start a little above log2 V bits, fall below 3 within a hundred steps and end between 2 and
# 2.4 on the training text. When your own training of such a model fails, the loss often tells why:
#
# | loss | likely cause |
# |---|---|
# | stays at its first value | nothing is learned: the learning rate is far too small, or gradients do not arrive |
# | stays near 4.8 bits, the unigram's | the state does not reach the output |
# | falls below 1 bit | the targets are not shifted: the model reads what it should predict |
# | jumps to 5 bits or more | the gradients are not clipped |

# %% tags=["demo"]
import time

train_chars, held_out_chars = train_chars.to(rt.device), held_out_chars.to(rt.device)
units = rt.pick(smoke=192, cpu=192, gpu=512)
trained, seconds = {}, {}


def train_on_characters(name, kind, init_scale, steps, lr):
    model = trained[name] = build(RecurrentConfig(V, 64, units, V, kind), init_scale)
    start = time.perf_counter()
    bits = train(model, chunk_losses(model, models.streams(train_chars, 64)), steps, lr, decay=0.1)
    seconds[name] = time.perf_counter() - start
    below = next((f"below 3 after {step} steps, " for step, value in enumerate(bits) if value < 3), "")
    learned = f"{bits[0]:.2f} bits at first, {below}{np.mean(bits[-100:]):.2f} at the end"
    print(f"{name}: {model.n_parameters:,} parameters, {learned}")


steps = rt.pick(smoke=(5, 5), cpu=(700, 560), gpu=(1_500, 1_500))
lr = rt.pick(smoke=(1.4e-2, 2e-2), cpu=(1.4e-2, 2e-2), gpu=(5e-3, 1e-2))
train_on_characters("tanh RNN", "elman", 1.5, steps[0], lr[0])
train_on_characters("LSTM", "lstm", 3.0, steps[1], lr[1])

# %% [markdown]
# Now we score every character of the held-out text, each given the text before it, and add both models to the ladder
# of the course. In the figure, the hatched bar is the best model, and light bars have no trained parameters.

# %% tags=["demo"]
held_out = {}
for name, model in trained.items():
    held_out[name] = models.bits_per_token(model, held_out_chars, train_chars[-200:])
    rt.ladder(
        f"{name}, {units} units", held_out[name], parameters=model.n_parameters,
        tokens=len(train_chars), seconds=seconds[name], corpus=english.name,
    )  # fmt: skip
better = held_out["tanh RNN"] - held_out["LSTM"]
rt.claim("characters: at equal units the LSTM beats the tanh RNN (by, bits)", better, better > 0.03)

# %% tags=["demo"]
ax = plotting.ladder(rt.ladder_rows(english.name))
ax.set_title("With a memory of any length, the LSTM passes the window model", loc="right");

# %% [markdown]
# On tiny Shakespeare the tanh RNN is about as good as a window of six characters: that a state *can* reach any
# distance helps little. The LSTM has as many units and three times as many parameters. It is better than both, but
# does not reach Kneser-Ney. It has read the text little more than once and still improves; at preset `gpu`, with 512
# units and more steps, it becomes the best model of the ladder.
#
# **How far back do the models look?** We score the same characters of the held-out text twice: once when the model
# has read only the last 8 to 23 characters before them, once when it has read the last 56 to 71. The difference is
# what the model gains from 48 more characters.

# %% tags=["demo"] jupyter={"source_hidden": true}
@torch.no_grad()
def bits_of_the_last(model, rows, n=16):
    """Return the bits per character of the last n characters of each row, read from a state of zeros."""
    logits = model(rows[:, :-1])[:, -n:]
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, -n:].flatten()).item() / math.log(2)


windows = held_out_chars.unfold(0, 72, 128)
for name, model in trained.items():
    short, long = bits_of_the_last(model, windows[:, 48:]), bits_of_the_last(model, windows)
    gain = f"a gain of {short - long:.3f}"
    print(f"{name}: {short:.3f} bits after 8 to 23 characters, {long:.3f} after 56 to 71, {gain}")

# %% [markdown]
# Both models predict the next character mainly from the last few. From 48 more characters the tanh RNN gains hardly
# anything, and the LSTM gains less than a tenth of a bit. A state *can* hold what was read long ago. What it *learns*
# to hold is what helps to predict the next characters.

# %% [markdown] question="how_far"

# %% [markdown]
# ## Layers on layers
#
# Recurrent layers can be **stacked**: the states of one layer are the inputs of the next. Gradients then go back in
# time within each layer, and down from layer to layer.
#
# ![Two layers over three steps. The states of the lower layer go to the right as states of the next step, and up as
# inputs of the upper layer.](figures/stacked_layers.svg)
#
# The library's layer does this with `n_layers`. It should compute the same as torch's. In this example the lower
# layer reads vectors of width 32 and the upper layer reads the states of the lower one, of width 64, so it has more
# parameters.

# %% tags=["demo"]
torch.manual_seed(rt.seed)
stack = Recurrent("lstm", 32, 64, n_layers=2)
theirs = torch.nn.LSTM(32, 64, num_layers=2, batch_first=True)
theirs.load_state_dict(stack.state_dict())
x = torch.randn(3, 20, 32)
print(f"largest difference to torch.nn.LSTM: {(stack(x)[0] - theirs(x)[0]).abs().max().item():.0e}")
for number in range(2):
    print(f"layer {number}: {sum(weight.numel() for weight in stack.weights(number)):,} parameters")

# %% [markdown]
# All models that are trained in this unit have one layer, to save time.
#
# ## Writing a text
#
# To write a text (**one-to-many**), the model reads a beginning. Then a character is drawn from its probabilities and
# becomes the next input, again and again.

# %% tags=["demo"]
opening = "\nROMEO:\n" if english.name == "tinyshakespeare" else "The "
opening_ids = torch.tensor(ngram.encode(opening, characters), device=rt.device)
drawn = models.generate(trained["LSTM"], opening_ids, 300, rt.generator())
print("".join(characters[i] for i in [*opening_ids.tolist(), *drawn]))

# %% [markdown]
# Lines and short words look right. Many longer words are invented, and the text has no meaning. In training each
# input was the **true** previous character. Now it is the model's own. The training loss does not show how much that
# costs, so we measure it: the model reads 64 true characters and then continues by itself, with the most probable
# character each time, for 16 characters. How often is the n-th of them the true one?
#
# The figure compares this with two levels: the same model when it always reads the true text, and always guessing a
# space. Expect the line to begin near the upper level and to fall.

# %% tags=["demo"] jupyter={"source_hidden": true}
@torch.no_grad()
def right_when_free(model, ids, n_starts, read=64, write=16):
    """Return the fraction of correct characters after 1, 2, ... characters written by the model itself."""
    starts = torch.linspace(0, len(ids) - read - write, n_starts).long()
    rows = ids[starts[:, None] + torch.arange(read + write)]
    states, state = model.read(rows[:, :read])
    right = []
    for t in range(write):
        guess = model.head(states[:, -1]).argmax(dim=1)
        right.append((guess == rows[:, read + t]).double().mean().item())
        states, state = model.read(guess[:, None], state)
    return right


free = right_when_free(trained["LSTM"], held_out_chars, rt.pick(smoke=50, cpu=500))
guesses = trained["LSTM"](held_out_chars[None, :4_000])[0, :-1].argmax(dim=1)
levels = {
    "reads the true text": (guesses == held_out_chars[1:4_000]).double().mean().item(),
    "always a space": (held_out_chars == characters.index(" ")).double().mean().item(),
}

# %% tags=["demo"]
lines = {"reads its own guesses": free}
ax = plotting.curves(range(1, 17), lines, "characters written", "fraction correct", levels=levels)
ax.set_title("Fed its own guesses, the model soon leaves the text");

# %% [markdown]
# On true text the model predicts more than half of all characters. When it reads its own guesses, it is soon worse
# than always guessing a space. This is no contradiction: there are many good ways to continue, and the true text is
# only one of them.

# %% [markdown] question="teacher_forcing"

# %% [markdown]
# ## Reading in both directions
#
# A language model must not see the tokens that it predicts. A **tagger**, which labels each word with its part of
# speech, may see the whole sentence. In *Will Field had left the roses* and *Will you light the stove?* only the
# words **after** *Will* tell whether it is a name. So one network reads from the left, another from the right, and at
# each position their states are concatenated (Schuster and Paliwal 1997).
#
# ![Two rows of steps over three inputs. The forward row passes its state from left to right, the backward row from
# right to left. At each position the two states are joined.](figures/bidirectional.svg)
#
# The examples below use a GRU that can be followed by hand. All its weights are 0 but one, which makes the candidate
# tanh(x). Both gates are σ(0) = 0.5, so the new state is half of tanh(x) plus half of the old state. On the inputs 1,
# 0, 0 the state is tanh(1) / 2 = 0.381, then 0.190, then 0.095: an echo of the 1 that fades.

# %%
echo = {
    "W_ih": np.array([[0.0], [0.0], [1.0]]), "W_hh": np.zeros((3, 1)),
    "b_ih": np.zeros(3), "b_hh": np.zeros(3),
}  # fmt: skip

# %% [markdown] exercise="bidirectional"
# Write `bidirectional`, which returns the states of two GRUs at each position, one that reads from the left and one
# that reads from the right. Both start from a state of zeros. Row t of the result holds the state of the first after
# it has read `xs[0]` to `xs[t]`, then the state of the second after it has read `xs[T - 1]` back to `xs[t]`. The
# array `three_inputs` is 1, 0, 0, as in the trace of backpropagation. The forward states (left column) are the echo,
# and the backward GRU reads the 1 at its last step, at position 0:
#
# ```python
# >>> bidirectional(echo, echo, three_inputs)[:, 0].round(3)
# array([[0.381, 0.381],
#        [0.19 , 0.   ],
#        [0.095, 0.   ]])
# ```
#
# You may call your `gru_cell` once its check passes (grading uses a correct one in its place).
#
# | | |
# |---|---|
# | `forward`, `backward` | parameters of the two GRUs, as for `gru_cell`, same sizes; not modified |
# | `xs` | inputs, (T, B, I), time first; T >= 1; not modified |
# | returns | (T, B, 2H), also for B = 1: forward states in the first H columns, backward states in the last H; same dtype as the inputs |

# %% exercise="bidirectional"
def bidirectional(forward: dict, backward: dict, xs: np.ndarray) -> np.ndarray:
    """Return the states (T, B, 2H) of a GRU that reads from the left and one that reads from the right."""
    ### BEGIN SOLUTION
    sides = []
    for params, inputs in ((forward, xs), (backward, xs[::-1])):
        h, states = np.zeros((xs.shape[1], params["W_hh"].shape[1])), []
        for x in inputs:
            h = gru_cell(params, x, h)
            states.append(h)
        sides.append(np.array(states))
    return np.concatenate([sides[0], sides[1][::-1]], axis=2)
    ### END SOLUTION


# %% check="bidirectional"
check.bidirectional(bidirectional);

# %% [markdown]
# A tagger puts a linear layer on these states. At each position t it computes $z_t = s_t W^\top + b$, where $s_t$ (B,
# 2H) are the two states side by side, W (K, 2H) and b (K,) are parameters, and $z_t$ (B, K) are the logits of K
# labels. `tiny_tagger` has two tokens with the vectors (0) and (1) and two labels, and it uses the echo in both
# directions:

# %%
tiny_tagger = {
    "E": np.array([[0.0], [1.0]]), "forward": echo, "backward": echo,
    "W": np.array([[1.0, 0.0], [0.0, 1.0]]), "b": np.array([0.0, 0.05]),
}  # fmt: skip

# %% [markdown] exercise="SequenceTagger"
# Write `SequenceTagger`, which assigns a label to every token (**many-to-many**): it looks up the vector of each
# token, reads the vectors in both directions, and computes the logits of the labels at each position. For the tokens
# 1, 0, 0 the states are those of the last example. The logit of label 0 is the forward state, that of label 1 is the
# backward state + 0.05:
#
# ```python
# >>> tagger = SequenceTagger(tiny_tagger)
# >>> tagger.logits(np.array([[1, 0, 0]]))[0].round(3)
# array([[0.381, 0.431],
#        [0.19 , 0.05 ],
#        [0.095, 0.05 ]])
# >>> tagger.tags(np.array([[1, 0, 0]]))
# array([[1, 0, 0]])
# ```
#
# You may call your `bidirectional` once its check passes (grading uses a correct one in its place).
#
# | | |
# |---|---|
# | `params` | dictionary: `"E"` (V, d), row i is the vector of token i; `"forward"` and `"backward"`, parameters of two GRUs with I = d; `"W"` (K, 2H); `"b"` (K,) |
# | `ids` | token ids, (B, T), one sentence a row; not modified. Note that `bidirectional` expects time first |
# | `logits(ids)` | returns (B, T, K), also for B = 1; same dtype as the parameters |
# | `tags(ids)` | returns the label with the largest logit of each token, integers (B, T) |

# %% exercise="SequenceTagger"
class SequenceTagger:
    """Label every token, with GRUs that read in both directions."""

    def __init__(self, params: dict):
        self.params = params

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Return the logits of the labels, (B, T, K)."""
        ### BEGIN SOLUTION
        p = self.params
        states = bidirectional(p["forward"], p["backward"], p["E"][ids.T])
        return np.swapaxes(states @ p["W"].T + p["b"], 0, 1)
        ### END SOLUTION

    def tags(self, ids: np.ndarray) -> np.ndarray:
        """Return the most probable label of each token, (B, T)."""
        ### BEGIN SOLUTION
        return self.logits(ids).argmax(axis=-1)
        ### END SOLUTION


# %% check="SequenceTagger"
check.SequenceTagger(SequenceTagger);

# %% [markdown]
# Now we tag parts of speech: the taggers learn from 3,000 sentences of the world and are tested on 600 new ones. The
# sentences of a batch are padded to one length. Padding gets the target -100, which torch's loss ignores. Words not
# seen in training become `<unk>`. During training 5 % of all words are replaced by `<unk>` at random, so that the
# model learns to handle it. Here is one tagged sentence:

# %% tags=["demo"] jupyter={"source_hidden": true}
def padded(rows, fill, length):
    """Return the rows as one tensor, cut or filled to this length."""
    return torch.tensor([list(row[:length]) + [fill] * (length - len(row)) for row in rows])


tagged = list(world.tagged(rt.pick(smoke=200, cpu=3_000), seed=rt.seed))
new = list(world.tagged(rt.pick(smoke=50, cpu=600), split="test", seed=rt.seed))
seen = sorted({word for sentence in tagged for word in sentence.tokens})
known = {"<pad>": 0, "<unk>": 1} | {word: i + 2 for i, word in enumerate(seen)}
kinds = sorted({tag for s in tagged for tag in s.pos})
tag_ids, new_ids = (padded([[known.get(w, 1) for w in s.tokens] for s in part], 0, 24) for part in (tagged, new))
targets, new_targets = (padded([[kinds.index(t) for t in s.pos] for s in part], -100, 24) for part in (tagged, new))


def tag_losses(model, draw, batch_size=32):
    """Yield the loss of random batches."""
    while True:
        batch = torch.randint(0, len(tag_ids), (batch_size,), generator=draw)
        ids = torch.where(torch.rand(batch_size, 24, generator=draw) < 0.05, 1, tag_ids[batch])
        yield torch.nn.functional.cross_entropy(model(ids).flatten(0, 1), targets[batch].flatten())


print(" ".join(f"{word}/{tag}" for word, tag in zip(new[0].tokens, new[0].pos)))

# %% [markdown]
# We train two GRU taggers that differ in one thing: the first reads from the left only, the second in both
# directions. Both start near log2 K bits for K labels and should end well below half a bit. Your class then computes
# tags with the trained weights of the second and should agree with the torch model.

# %% tags=["demo"]
taggers = {}
for name, both in {"left to right": False, "both directions": True}.items():
    torch.manual_seed(rt.seed)
    model = RecurrentLM(RecurrentConfig(len(known), 32, 32, len(kinds), "gru", bidirectional=both))
    bits = train(model, tag_losses(model, cpu_generator()), rt.pick(smoke=5, cpu=200), lr=2e-2)
    print(f"{name}: {bits[0]:.2f} bits at first, {np.mean(bits[-20:]):.2f} at the end")
    taggers[name] = model
weights = {"E": model.embed.weight, "W": model.head.weight, "b": model.head.bias}
weights = {name: value.detach().numpy() for name, value in weights.items()}
weights |= {"forward": arrays(model.rnn), "backward": arrays(model.rnn, "_reverse")}
mine = choose(SequenceTagger, rnn.SequenceTagger)(weights).tags(new_ids.numpy())
real = new_targets.numpy() != -100
same = mine == model(new_ids).argmax(2).numpy()
print(f"your class and torch agree on {same[real].mean():.2%} of all tags")

# %% [markdown]
# How often are the two taggers right, on all tokens and on the **ambiguous words**, which have several parts of
# speech in the training text? Expect a clear difference on the ambiguous words, where the context decides.

# %% tags=["demo"] jupyter={"source_hidden": true}
uses = {}
for i, target in zip(tag_ids.flatten().tolist(), targets.flatten().tolist()):
    uses.setdefault(i, set()).add(target)
ambiguous = [i for i, tags in uses.items() if i > 1 and len(tags) > 1]
accuracy = {}
for what, where in {"all tokens": real, "ambiguous words": real & np.isin(new_ids.numpy(), ambiguous)}.items():
    for name, model in taggers.items():
        right = model(new_ids).argmax(2).numpy() == new_targets.numpy()
        accuracy[f"{what} ({where.sum():,}), {name}"] = right[where].mean()
*_, from_left, from_both = accuracy.values()
gain = from_both - from_left
rt.claim("ambiguous words: reading in both directions tags more of them right (fraction)", gain, gain > 0.01)

# %% tags=["demo"]
ax = plotting.bars(accuracy, "fraction of correct tags", digits=3)
ax.set_title("What follows a word helps where the word is ambiguous");

# %% [markdown]
# Most tokens have only one part of speech, so both taggers are nearly always right about them. On the ambiguous words
# the tagger that also reads what follows makes far fewer errors.
#
# ## One label for a whole text
#
# A classifier (**many-to-one**) answers one question about a whole text: is this review positive? It needs one vector
# for the whole text, which is pooled from the states. **Last** pooling takes the last state, which must then
# summarise the whole text. **Mean** pooling averages all states. In a batch the texts have different lengths, and
# shorter ones are padded at the end. Padding must not count: the last state is the one at index `lengths - 1`, and
# the mean is taken over the real positions only.
#
# The logits are $z = s W^\top + b$, where s (B, H) are the pooled states, W (K, H) and b (K,) are parameters, and z
# is (B, K). `tiny_classifier` uses the echo and the same two tokens as `tiny_tagger`:

# %%
tiny_classifier = {
    "E": np.array([[0.0], [1.0]]), "gru": echo, "W": np.array([[1.0]]), "b": np.zeros(1),
}  # fmt: skip

# %% [markdown] exercise="SequenceClassifier"
# Write `SequenceClassifier`, which assigns one label to each text: a GRU reads the vectors of the tokens from a state
# of zeros, the states are pooled, and a linear layer computes the logits of the labels. In this example the second of
# two texts has a length of 1, so only its first state counts. The mean for the first text is (0.381 + 0.190 + 0.095)
# / 3:
#
# ```python
# >>> ids, lengths = np.array([[1, 0, 0], [1, 0, 0]]), np.array([3, 1])
# >>> SequenceClassifier(tiny_classifier).logits(ids, lengths).round(3)
# array([[0.095],
#        [0.381]])
# >>> SequenceClassifier(tiny_classifier, "mean").logits(ids, lengths).round(3)
# array([[0.222],
#        [0.381]])
# ```
#
# You may call your `gru_cell` once its check passes (grading uses a correct one in its place).
#
# | | |
# |---|---|
# | `params` | dictionary: `"E"` (V, d), `"gru"` (parameters with I = d), `"W"` (K, H), `"b"` (K,) |
# | `pooling` | `"last"`, which is the default, or `"mean"` |
# | `ids`, `lengths` | token ids (B, T), and how many of each row are real, (B,), from 1 to T; any id can be a real token, also 0; not modified |
# | `logits(ids, lengths)` | returns (B, K), also for B = 1; same dtype as the parameters |
# | edge | any other pooling, also `"LAST"` and `""`: `ValueError` when the object is created |

# %% exercise="SequenceClassifier"
class SequenceClassifier:
    """Label a whole sequence, with a GRU."""

    def __init__(self, params: dict, pooling: str = "last"):
        ### BEGIN SOLUTION
        if pooling not in ("last", "mean"):
            raise ValueError(f"pooling must be last or mean, got {pooling!r}")
        self.params, self.pooling = params, pooling
        ### END SOLUTION

    def logits(self, ids: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return the logits of the labels, (B, K)."""
        ### BEGIN SOLUTION
        p = self.params
        h = last = total = np.zeros((len(ids), p["W"].shape[1]))
        for t, x in enumerate(p["E"][ids.T]):
            h = gru_cell(p["gru"], x, h)
            real = (t < lengths)[:, None]
            last, total = np.where(real, h, last), total + h * real
        pooled = {"last": last, "mean": total / lengths[:, None]}[self.pooling]
        return pooled @ p["W"].T + p["b"]
        ### END SOLUTION


# %% check="SequenceClassifier"
check.SequenceClassifier(SequenceClassifier);

# %% [markdown]
# The world also writes reviews, each positive or negative. In some of them a *not* or a *but* reverses the opinion.
# We train on 1,500 reviews and test on 500 new ones, of which this is the first:

# %% tags=["demo"] jupyter={"source_hidden": true}
import re


def review_words(review):
    return re.findall(r"\w+|[^\w\s]", review.text)


reviews = list(world.reviews(rt.pick(smoke=100, cpu=1_500), seed=rt.seed))
new_reviews = list(world.reviews(rt.pick(smoke=50, cpu=500), split="test", seed=rt.seed))
words = {w: i + 2 for i, w in enumerate(sorted({w for r in reviews for w in review_words(r)}))}
opinions = sorted({r.label for r in reviews})


def review_batch(part):
    """Return (ids, lengths, labels) of the reviews, cut to 48 tokens."""
    rows = [[words.get(w, 1) for w in review_words(r)][:48] for r in part]
    lengths, labels = [len(row) for row in rows], [opinions.index(r.label) for r in part]
    return padded(rows, 0, 48), torch.tensor(lengths), torch.tensor(labels)


def review_losses(model, draw):
    """Yield the loss of random batches."""
    ids, lengths, labels = review_batch(reviews)
    while True:
        batch = torch.randint(0, len(ids), (32,), generator=draw)
        yield torch.nn.functional.cross_entropy(model(ids[batch], lengths[batch]), labels[batch])


print(new_reviews[0].text, "->", new_reviews[0].label)

# %% [markdown]
# Two GRUs that differ only in the pooling are trained in torch. Your class computes the labels of the new reviews
# with their weights. The better of the two should be clearly better than always giving the most frequent label.

# %% tags=["demo"]
Classifier = choose(SequenceClassifier, rnn.SequenceClassifier)
ids, lengths, labels = (part.numpy() for part in review_batch(new_reviews))
accuracy = {}
for pooling in ("last", "mean"):
    torch.manual_seed(rt.seed)
    model = models.SequenceModel(RecurrentConfig(len(words) + 2, 32, 32, len(opinions), "gru"), pooling)
    train(model, review_losses(model, cpu_generator()), rt.pick(smoke=5, cpu=200), lr=2e-2)
    reader = model.reader
    weights = {"E": reader.embed.weight, "W": reader.head.weight, "b": reader.head.bias}
    weights = {name: value.detach().numpy() for name, value in weights.items()} | {"gru": arrays(reader.rnn)}
    found = Classifier(weights, pooling).logits(ids, lengths).argmax(axis=1)
    accuracy[pooling] = float(np.mean(found == labels))
most_frequent = max(np.mean(labels == k) for k in range(len(opinions)))
print(f"fraction of correct labels: {accuracy}, most frequent label {most_frequent:.3f}")
best = max(accuracy.values())
rt.claim("reviews: the better pooling is right (fraction)", best, best > most_frequent + 0.15)

# %% [markdown]
# ## Back to the distant subject
#
# Which network remembers the subject in the tests of the first figure? An Elman network and an LSTM of 64 units are
# trained on the same 500 sentences as the 5-gram, for 300 steps. The result of such a small training depends on the
# initial weights, so we train three networks of each kind. The training loss should fall from about log2 V bits,
# where V is now the number of words, to 1.6 or less.

# %% tags=["demo"]
def small_lm(kind, seed):
    model = build(RecurrentConfig(len(vocabulary), 32, 64, len(vocabulary), kind), 0.4, seed)
    losses = chunk_losses(model, models.streams(torch.tensor(train_ids, device=rt.device), 8))
    bits = train(model, losses, rt.pick(smoke=5, cpu=300), lr=1e-2)
    print(f"{kind}: {bits[0]:.2f} bits at first, {np.mean(bits[-20:]):.2f} at the end")
    return model


networks = {
    name: [small_lm(kind, rt.seed + 100 * run) for run in range(rt.pick(smoke=1, cpu=3))]
    for name, kind in {"Elman": "elman", "LSTM": "lstm"}.items()
}

# %% [markdown]
# We test them as we tested the 5-gram, and average over the three runs. Over 4 to 12 tokens we expect the LSTM first,
# the Elman network second, and the 5-gram at one half. The next figure is the first one again, with the two lines
# that were missing.

# %% tags=["demo"] jupyter={"source_hidden": true}
def network_score(model):
    def score(prefixes, verbs):
        logits = model(torch.tensor(prefixes, device=rt.device))[:, -1].detach().cpu().numpy()
        return logits[np.arange(len(verbs)), verbs]

    return score


for name, runs in networks.items():
    agreed[name] = np.mean([agreement(network_score(model)) for model in runs], axis=0)
far = {name: float(np.mean(fractions[4:])) for name, fractions in agreed.items()}
print("4 to 12 tokens:", {name: round(value, 3) for name, value in far.items()})
over_elman, over_counts = far["LSTM"] - far["Elman"], far["Elman"] - far["5-gram"]
text = "agreement over 4 to 12 tokens: the {} beats the {} (by)"
rt.claim(text.format("LSTM", "Elman network"), over_elman, over_elman > 0.1)
rt.claim(text.format("Elman network", "5-gram"), over_counts, over_counts > 0.03)

# %% tags=["demo"]
ax = plotting.steps(distances, agreed, *axes_named, level=("guessing", 0.5))
ax.set_title("The LSTM remembers the subject, the others forget it");

# %% [markdown]
# The Elman network is nearly always right up to a distance of three. Then it is right less often, the more tokens
# there are in between. The LSTM stays close to 1 up to a distance of twelve, although in half of the tests the last
# noun before the verb differs from the subject in number.
#
# Do the networks also predict the other words better? We score all 3,000 test sentences. No model can be better than
# the **exact floor**, the bits per token under the grammar that wrote the sentences.

# %% tags=["demo"] jupyter={"source_hidden": true}
before, after = (torch.tensor(ids, device=rt.device) for ids in (train_ids[-64:], test_ids))
bits = {"5-gram": five_gram.bits_per_token(test_ids)}
for name, runs in networks.items():
    bits[name] = float(np.mean([models.bits_per_token(model, after, before) for model in runs]))
floor = bits["exact floor"] = -sum(sum(logps) for _, logps in test_sentences) / len(test_ids) / math.log(2)
trained_bits = bits["Elman"], bits["LSTM"]
between = floor < min(trained_bits) and max(trained_bits) < bits["5-gram"] - 0.05
text = "sentences: both networks lie between 5-gram and floor (LSTM, bits per token)"
rt.claim(text, bits["LSTM"], between)

# %% tags=["demo"]
ax = plotting.bars(bits, "bits per token, new sentences (lower is better)")
ax.set_title("From 500 sentences, networks learn more than counts");

# %% [markdown]
# From the same 500 sentences both networks have learned more than the counts could. In these texts every sentence
# ends with a period, so a period also marks the start of the next one, like the start token `<s>` of other corpora.
# From a period alone the LSTM writes four sentences. Does each verb agree with its subject?

# %% tags=["demo"]
period, generator = torch.tensor([id_of["."]], device=rt.device), rt.generator()
for _ in range(4):
    drawn = models.generate(networks["LSTM"][0], period, 30, generator, end=id_of["."])
    print(" ".join(vocabulary[i] for i in drawn))

# %% [markdown] written="why_gates"
# A friend trains an Elman network to tell, at the end of a log of 200 lines, whether the **first** line was an error.
# Its answers stay at chance. She says: "The state is a vector of 256 numbers, surely it can hold one bit. I will
# train longer and turn clipping on." Write 150 to 250 words. Explain
#
# - why being able to hold a bit and learning to hold it are two different things;
# - what clipping will do, and what it will not do;
# - how an LSTM changes the gradient from step to step, with the formula;
# - which one measurement she should make first, and what she should expect to see.
#
# Use at least two numbers that you measured in this unit.
#
# ### BEGIN SOLUTION
# The state can hold the bit: weights exist that keep it. But gradient descent finds them only if the gradient at the
# end reaches the step where the bit was read. On its way it is multiplied 200 times by W_hh and by the derivative of
# tanh, which is at most 1. In our measurement with a spectral radius of 0.7, less than a millionth was left after 50
# steps; with 3 it grew more than a thousandfold. So no gradient says that the first line mattered, and training
# longer does not help. Clipping shortens gradients that are too long. It rescued the relu network, whose loss had
# jumped above 1e12; but it does not lengthen a gradient of 1e-10. An LSTM adds: c_t = f c_{t-1} + i g, so the
# derivative of c_t with respect to c_{t-1} is f. With f near 1, say 0.99, 0.99^200 = 13 % is left after 200 steps;
# with 0.5 nothing is left, so start with a positive forget bias. She should measure the norm of the gradient of the
# loss with respect to the input, or to the state, at each distance from the end, and draw it on a log scale. She will
# see a straight line down in her network and a much flatter one in the LSTM. If the line is flat and the network
# still fails, the cause is another.
# ### BEGIN MARK SCHEME
# 10 points. 2: capacity is not learnability: the gradient must reach the first step. 2: why it vanishes: a product of
# many factors W_hh and 1 - h^2. 2: clipping limits long gradients and cannot lengthen short ones (1 each). 2: the
# LSTM's additive cell, derivative f, with the formula and that f must be near 1 (1 each). 1: the measurement:
# gradient norm against distance, log scale, and what to expect. 1: two measured numbers, correctly used. Take 1 off
# for "LSTMs do not have vanishing gradients" without a condition.
# ### END MARK SCHEME
# ### END SOLUTION

# %% [markdown]
# ## What was shown
#
# - Steps of Elman, LSTM and GRU networks by hand equal torch's, and so does backpropagation through time. The other
#   form of the GRU does not.
# - Gradients vanish or explode exponentially with distance. An exploding gradient destroys a network within a few
#   steps, and clipping prevents it. An LSTM with open forget gates keeps its gradient over 100 steps.
# - From 500 sentences, an LSTM learns agreement over twelve tokens, an Elman network over a few, a 5-gram over one or
#   two. In bits per token both networks lie between the 5-gram and the exact floor.
# - On characters of real text the LSTM is better than the window model of unit 05. After this short training,
#   Kneser-Ney is still better than the LSTM.
#
# **To think about.** (1) The first LSTM of 1997 had no forget gate: f was always 1. What would go wrong on a long
# text? (2) Early translation models that read with an LSTM got better when they read the input in reverse. Why might
# that be? (3) Reading a text of T tokens takes T steps, one after the other. What does that mean for a machine with
# ten thousand cores?
#
# **Where the ideas come from.** Jordan 1986, *Serial order* (ICS report 8604); Elman 1990, *Finding structure in
# time* (Cognitive Science 14); Williams and Zipser 1989 (Neural Computation 1); Williams and Peng 1990 (Neural
# Computation 2); Bengio, Simard and Frasconi 1994, *Learning long-term dependencies with gradient descent is
# difficult* (IEEE TNN 5); Hochreiter and Schmidhuber 1997, *Long short-term memory* (Neural Computation 9); Schuster
# and Paliwal 1997 (IEEE TSP 45); Gers, Schmidhuber and Cummins 2000 (Neural Computation 12); Werbos 1990,
# *Backpropagation through time* (Proceedings of the IEEE 78); Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063; Cho
# et al. 2014, arXiv:1406.1078; Chung et al. 2014, arXiv:1412.3555; Le, Jaitly and Hinton 2015, arXiv:1504.00941;
# Loshchilov and Hutter 2017, arXiv:1711.05101; Jozefowicz, Zaremba and Sutskever 2015 (ICML); Linzen, Dupoux and
# Goldberg 2016, arXiv:1611.01368.
#
# **Next.** Everything that was read must pass through one state vector. For the translation of a long sentence this
# is too little. Unit 07 lets the model look back at every word.
