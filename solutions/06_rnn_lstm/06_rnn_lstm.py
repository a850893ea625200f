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
# than a few tokens. A **recurrent network** reads a text token by token and carries a vector, its **state**, from
# each step to the next. In principle the state can hold what was read a thousand tokens ago.
#
# In this unit you build recurrent networks and measure how far back they learn in practice. Their gradients can
# explode or vanish with distance. Gradient clipping stops the explosion, and cells with gates can keep gradients
# from vanishing.

# %% tags=["parameters"]
preset = "cpu"
device = "auto"
seed = 0

# %% [markdown]
# You write single steps in numpy, as in unit 05. The networks that are trained come from the library, in torch, whose
# autograd computes the gradients that you derive once by hand.

# %%
import math

import numpy as np

from llmcourse.checks import u06_rnn_lstm as check
from llmcourse.runtime import choose, setup

rt = setup(preset, device, seed)

# %% [markdown]
# ## What will be built
#
# In *The benches opposite the gate were dirty* the verb *were* agrees with its subject *benches*. The noun directly
# before the verb, *gate*, is singular and can mislead a model. Does the correct verb form get a higher probability
# than the wrong one (Linzen, Dupoux and Goldberg 2016)?
#
# A grammar of our invented world writes such sentences, with 0 to 12 tokens between subject and verb. It knows the
# exact log-probability of every token. We draw 500 sentences for training and 3,000 for testing, and fit the 5-gram
# model of unit 02 to the training sentences. Here are three of them:

# %% tags=["demo"] jupyter={"source_hidden": true}
from random import Random

from llmcourse import plotting, world
from llmcourse.models import ngram
from llmcourse.models.ngram import NgramConfig
from llmcourse.text import corpora as data
from llmcourse.world import Machine, Rules, agreement_rules

grammar = Machine(Rules(agreement_rules(), {}), "seen")


def sentences(number, name):
    """Return (words, log-probability of each word) for `number` sentences."""
    draw = Random(f"{name} {rt.seed}").random
    return [grammar.sample(draw) for _ in range(number)]


train_sentences, test_sentences = sentences(500, "train"), sentences(3_000, "test")
vocabulary = sorted({word for words, _ in train_sentences + test_sentences for word in words})
id_of = {word: i for i, word in enumerate(vocabulary)}
parts = (train_sentences, test_sentences)
train_ids, test_ids = (np.array([id_of[w] for words, _ in part for w in words]) for part in parts)
five_gram = ngram.fit(train_ids, len(vocabulary), NgramConfig(5))
print("\n".join(" ".join(words) for words, _ in train_sentences[:3]))

# %% [markdown]
# For each distance there are 400 tests. A test is the beginning of a sentence, the correct verb and the wrong one.
# The beginnings come in pairs that differ only in their subject, singular or plural. A model that does not see the
# subject gives both the same answer, so it is right in exactly half of the tests. Here is one pair at distance 7:

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
        right = score(prefixes, [id_of[test.right] for test in tests])
        wrong = score(prefixes, [id_of[test.wrong] for test in tests])
        fractions.append(float(np.mean(right > wrong)))
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
# and the nonlinearity tanh keeps the state between -1 and 1. Let w be 1. The network reads a 1 and then zeros, once
# with u = 0.9 and once with u = 2:

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
# With vectors in place of numbers this is the network of **Elman** (1990), here in torch's form:
#
# $$h_t = \tanh(x_t W_{ih}^\top + b_{ih} + h_{t-1} W_{hh}^\top + b_{hh})$$
#
# - $x_t$ (B, I) holds the inputs of step t: B rows of a batch, I numbers each.
# - $h_{t-1}$ and $h_t$ (B, H) are the states before and after the step, H numbers each.
# - $W_{ih}$ (H, I) and $W_{hh}$ (H, H) are the weights from input to state and from state to state. Their **rows
#   belong to the outputs**, hence the transposes. In unit 05 the rows belonged to the inputs.
# - $b_{ih}$ and $b_{hh}$ (H,) are biases. One would be enough here; the GRU below needs both.
#
# ![On the left the network as one step with a loop; on the right the same network unrolled over the steps 1 to T.
# Each step gets an input and the state of the step before it, and passes its new
# state on.](figures/unrolled_network.svg)
#
# `tiny` is small enough to follow by hand: one input and one unit, with w = 1 and u = 0.9.

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
# | `params` | dictionary: `"W_ih"` (H, I), `"W_hh"` (H, H), `"b_ih"` (H,), `"b_hh"` (H,) |
# | `x`, `h` | inputs of this step, (B, I), and the state before it, (B, H); no argument is modified |
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
# A loop of such steps reads a sequence. `xs` (20, 3, 4) holds 20 steps of random inputs: a batch of 3 rows with 4
# inputs each. `arrays` returns the weights of a torch module, and `difference` compares a state with torch's:

# %% tags=["demo"] jupyter={"source_hidden": true}
import torch

from llmcourse.models import rnn
from llmcourse.models.recurrent import Recurrent

torch.manual_seed(rt.seed)
rng = np.random.default_rng(rt.seed)
xs = rng.standard_normal((20, 3, 4)).astype(np.float32)


def arrays(layers, way=""):
    """Return the weights of a torch module's first layer as a dictionary of arrays."""
    names = {"W_ih": "weight_ih", "W_hh": "weight_hh", "b_ih": "bias_ih", "b_hh": "bias_hh"}
    return {ours: getattr(layers, f"{theirs}_l0{way}").detach().numpy() for ours, theirs in names.items()}


def difference(h, layers):
    """Return the largest difference between h and the last state of a torch module that reads xs."""
    return np.abs(h - layers(torch.tensor(xs))[0][-1].detach().numpy()).max()

# %% [markdown]
# Your function (if it passed) and `torch.nn.RNN` read `xs` with the same weights and 5 units. Their last states
# should differ only by rounding.

# %% tags=["demo"]
step, layers = choose(elman_step, rnn.elman_step), torch.nn.RNN(4, 5)
h = np.zeros((3, 5), dtype=np.float32)
for x in xs:
    h = step(arrays(layers), x, h)
off = difference(h, layers)
rt.claim("20 Elman steps equal torch.nn.RNN (largest difference)", off, off < 1e-5)

# %% [markdown]
# ## What is fed back: the state or the output?
#
# Four years before Elman, **Jordan** (1986) fed back the network's previous **output** y instead of the state:
#
# $$h_t = \tanh(x_t W_{ih}^\top + y_{t-1} W_{yh}^\top + b_h) \qquad y_t = h_t W_{hy}^\top + b_y$$
#
# Here $h_t$ (B, H) are the hidden units, $y_{t-1}$ and $y_t$ (B, O) are the outputs of the previous and of this step,
# $W_{ih}$ (H, I), $W_{yh}$ (H, O) and $W_{hy}$ (O, H) are weights, $b_h$ (H,) and $b_y$ (O,) are biases.
# `tiny_jordan` has one input, one hidden unit and one output:

# %%
tiny_jordan = {
    "W_ih": np.array([[1.0]]), "W_yh": np.array([[2.0]]), "b_h": np.zeros(1),
    "W_hy": np.array([[0.5]]), "b_y": np.array([0.1]),
}  # fmt: skip

# %% [markdown] exercise="jordan_step"
# Write `jordan_step`, which returns the hidden units and the output of one step of a Jordan network. For an input
# of 1 and a previous output of 0.2, `tiny_jordan` gives h = tanh(1 + 2 · 0.2) = 0.885 and
# y = 0.5 · 0.885 + 0.1 = 0.543:
#
# ```python
# >>> h, y = jordan_step(tiny_jordan, np.array([[1.0]]), np.array([[0.2]]))
# >>> h.round(3), y.round(3)
# (array([[0.885]]), array([[0.543]]))
# ```
#
# | | |
# |---|---|
# | `params` | dictionary: `"W_ih"` (H, I), `"W_yh"` (H, O), `"b_h"` (H,), `"W_hy"` (O, H), `"b_y"` (O,) |
# | `x`, `y` | inputs of this step, (B, I), and output of the previous one, (B, O); no argument is modified |
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
# $$y_{t-1} W_{yh}^\top = h_{t-1} (W_{yh} W_{hy})^\top + b_y W_{yh}^\top$$
#
# This is an Elman network with $W_{hh} = W_{yh} W_{hy}$ and $b_{hh} = b_y W_{yh}^\top$. Its $W_{hh}$ (H, H) is a
# product of an (H, O) and an (O, H) matrix, so its rank is at most O: with one output, a single number passes from
# step to step, whatever H is. Both forms read `xs`. The Elman form starts from a state of zeros, the Jordan form from
# the output of that state, $b_y$. Their outputs should agree.

# %% tags=["demo"]
jordan = choose(jordan_step, rnn.jordan_step)
shapes = {"W_ih": (5, 4), "W_yh": (5, 1), "b_h": (5,), "W_hy": (1, 5), "b_y": (1,)}
p = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
as_elman = {"W_ih": p["W_ih"], "W_hh": p["W_yh"] @ p["W_hy"], "b_ih": p["b_h"], "b_hh": p["b_y"] @ p["W_yh"].T}
h, y = np.zeros((3, 5)), np.zeros((3, 1)) + p["b_y"]
for x in xs:
    h, (_, y) = step(as_elman, x, h), jordan(p, x, y)
print("equal outputs after 20 steps:", np.allclose(h @ p["W_hy"].T + p["b_y"], y))
print("rank of the 5 x 5 matrix W_hh:", np.linalg.matrix_rank(as_elman["W_hh"]))

# %% [markdown]
# An Elman network can remember what it does not output, so its form is the one in use today. Jordan's form has one
# advantage in training: the output that is fed back can be replaced by the **correct** output. This is **teacher
# forcing** (Williams and Zipser 1989). Language models are trained this way: the input of each step is the true
# previous token, not the model's own guess.
#
# A recurrent network serves tasks of three shapes, which all occur below:
#
# - **many-to-many**: all tokens are read, and every state gives an output, such as a tag or the next token;
# - **many-to-one**: all tokens are read and give one output: is this review positive?
# - **one-to-many**: one or a few tokens are read, then the model reads its own outputs: it writes a text.
#
# ## Backpropagation through time
#
# **Unrolled**, that is, drawn once for each step, a recurrent network is a deep network. It has one layer for each
# step, and all layers share the same weights. As in unit 05, a derivative is a **sum over all paths** from the weight
# to the loss: each path gives the product of the derivatives along it. From each step at which the weight is used,
# paths lead through the later states to the loss.
#
# Computing each path separately repeats work. **Backpropagation through time** (BPTT, Werbos 1990) goes through the
# steps in reverse and carries one quantity back: $dh_t$, short for $dL/dh_t$, the gradient of the loss L with respect
# to the state $h_t$.
#
# ![Three steps of the network. The states go forward from left to right, the gradients go back from right to left. At
# each step the gradient through the loss of that step is added to the one that comes back.](figures/bptt.svg)
#
# In the drawing $dhs_t$ is the gradient of the loss $L_t$ alone with respect to $h_t$, $da_t$ is the gradient with
# respect to the sum inside the tanh, and $\odot$ multiplies element by element.
#
# Follow it once with numbers. `tiny` (w = 1, u = 0.9) starts in the state $h_0 = 0.5$ and reads 1, 0, 0:

# %% tags=["nbval-check-output"]
w, u, inputs = 1.0, 0.9, [1.0, 0.0, 0.0]
h = [0.5]
for x in inputs:
    h.append(math.tanh(w * x + u * h[-1]))
print("h_0 to h_3:", [round(state, 3) for state in h])

# %% [markdown]
# Let the loss be $L = h_2 + h_3$. It is a sum of one loss for each step: $L_1 = 0$, $L_2 = h_2$, $L_3 = h_3$. So the
# derivatives $dhs_t = dL_t/dh_t$ are 0, 1 and 1. The backward pass visits step 3, then 2, then 1. At each step:
#
# 1. It adds the gradient through the loss of this step and the one that comes back from the next step:
#    dh = dhs + back. After the last step nothing comes back.
# 2. It multiplies by the derivative of tanh, $1 - h_t^2$: da = dh · (1 - $h_t^2$) is the gradient with respect to
#    the sum inside the tanh.
# 3. It adds the contribution of this step to the gradients of the weights: da · $x_t$ for w, da · $h_{t-1}$ for u.
# 4. It sends da · u back to the previous step.
#
# Each row of the table is one step. The last two lines make arrays of the example, for the exercise.

# %% tags=["nbval-check-output"]
dhs = [0.0, 1.0, 1.0]  # gradient through the loss of each step
dw, du, back = 0.0, 0.0, 0.0
print("t     dhs  + back    = dh   1-h^2      da    to w    to u  da * u")
for t in (3, 2, 1):
    dh = dhs[t - 1] + back
    da = dh * (1 - h[t] ** 2)
    to_w, to_u = da * inputs[t - 1], da * h[t - 1]
    row = dhs[t - 1], back, dh, 1 - h[t] ** 2, da, to_w, to_u, da * u
    print(t, *(f"{number:7.3f}" for number in row))
    dw, du, back = dw + to_w, du + to_u, da * u
print(f"dL/dw = {dw:.3f}, dL/du = {du:.3f}, dL/dh_0 = {back:.3f}")

first_state = np.array([[0.5]])
three_inputs, through_losses = (np.array(values).reshape(3, 1, 1) for values in (inputs, dhs))

# %% [markdown]
# dL/dw and dL/du are the sums of the columns *to w* and *to u*. On its way through a step the gradient is multiplied
# by $(1 - h_t^2)\,u$, which is below 1 at all three steps. Step 1 contributes least to dL/du: it has no loss of its
# own, and $1 - h_1^2$ is only 0.198.
#
# With vectors and a batch the same four rules are
#
# $$dh_t = dhs_t + da_{t+1} W_{hh} \qquad da_t = dh_t \odot (1 - h_t \odot h_t)$$
#
# $$dW_{ih} = \sum_t da_t^\top x_t \qquad dW_{hh} = \sum_t da_t^\top h_{t-1} \qquad
# db_{ih} = db_{hh} = \sum_t \sum_{\text{rows}} da_t$$
#
# where $dh_t$, $da_t$ and $dhs_t$ (B, H) are the arrays of rules 1 and 2, $\odot$ multiplies element by element, and
# $dW$, $db$ are the gradients with respect to the parameters. The sums go over the steps t = 1 to T, and for the
# biases also over the rows of the batch. After the last step $da_{T+1} = 0$.

# %% [markdown] exercise="bptt"
# Write `bptt`, which returns the gradients of the loss with respect to all parameters of an Elman network and to
# its first state. The argument `dhs` holds the gradients $dhs_t$, so your function need not know how the loss is
# computed. Index 0 of the arrays is step 1. This call returns the gradients of the table above: `W_ih` is w, `W_hh`
# is u, and the gradient of each bias is the sum of the column *da*:
#
# ```python
# >>> gradients = bptt(tiny, three_inputs, first_state, through_losses)
# >>> {name: round(value.item(), 3) for name, value in gradients.items()}
# {'W_ih': 0.162, 'W_hh': 1.37, 'b_ih': 1.782, 'b_hh': 1.782, 'h0': 0.146}
# ```
#
# You may call your `elman_step` once it passes (grading uses a correct one).
#
# | | |
# |---|---|
# | `params` | dictionary as for `elman_step` |
# | `xs`, `h0` | inputs (T, B, I), time first; state before the first step, (B, H); no argument is modified |
# | `dhs` | (T, B, H): `dhs[t]` is the gradient for the state after `xs[t]`, through the loss of that step alone |
# | returns | dictionary with the gradients `"W_ih"`, `"W_hh"`, `"b_ih"`, `"b_hh"`, `"h0"` |
# | shapes | each gradient has the shape of its parameter or of `h0`; same dtype as the inputs |
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
# Your `bptt` (if it passed) and torch's autograd get 20 steps in float64, with random `dhs`. Their gradients should
# differ only by rounding:

# %% tags=["demo"]
backward_pass, layers = choose(bptt, rnn.bptt), torch.nn.RNN(4, 5).double()
xs_64, dhs = xs.astype(np.float64), rng.standard_normal((20, 3, 5))
layers(torch.tensor(xs_64))[0].backward(torch.tensor(dhs))
by_hand = backward_pass(arrays(layers), xs_64, np.zeros((3, 5)), dhs)
off = np.abs(by_hand["W_hh"] - layers.weight_hh_l0.grad.numpy()).max()
rt.claim("the backward pass by hand equals autograd's (largest difference, W_hh)", off, off < 1e-9)

# %% [markdown]
# ## Vanishing and exploding gradients
#
# On its way back over k steps a gradient is multiplied k times by $W_{hh}$ and by the derivative of tanh. If these
# factors shrink it, the network cannot learn to use what it read k steps ago. If they enlarge it, the gradient grows
# exponentially with k (Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013).
#
# We measure this with your `bptt` in random networks of 32 units. The gradient at the last step is a random vector of
# norm about 1. What is the norm of the gradient with respect to the state d steps earlier? The matrix $W_{hh}$ is
# rescaled to a **spectral radius** (largest absolute eigenvalue) of 0.7, 1 or 3. A vector that is multiplied by a
# matrix many times grows or shrinks by about this factor each time. We take the geometric mean over ten networks.

# %% tags=["demo"] jupyter={"source_hidden": true}
def gradient_norm(radius, d, run, H=32):
    """Return the norm of the gradient d steps back, in the random network number `run`."""
    rng = np.random.default_rng((rt.seed, run))
    W, W_ih, last = rng.standard_normal((H, H)), rng.standard_normal((H, 4)), rng.standard_normal(H)
    W_hh = W * radius / np.abs(np.linalg.eigvals(W)).max()
    p = {"W_ih": 0.1 * W_ih, "W_hh": W_hh, "b_ih": np.zeros(H), "b_hh": np.zeros(H)}
    dhs = np.zeros((d, 1, H))
    dhs[-1] = last / math.sqrt(H)
    return np.linalg.norm(backward_pass(p, rng.standard_normal((d, 1, 4)), np.zeros((1, H)), dhs)["h0"])


steps_back, runs, norms = [1, *range(5, 51, 5)], range(rt.pick(smoke=1, cpu=10)), {}
for radius in (0.7, 1.0, 3.0):
    logs = [[np.log(gradient_norm(radius, d, run)) for run in runs] for d in steps_back]
    norms[f"spectral radius {radius}"] = np.exp(np.mean(logs, axis=1))
low, high = norms["spectral radius 0.7"][-1], norms["spectral radius 3.0"][-1]
rt.claim("gradient over 50 steps: vanishing (below 1e-6)", low, low < 1e-6)
rt.claim("gradient over 50 steps: exploding (above 1,000)", high, high > 1e3)

# %% [markdown]
# Exponential growth is a straight line on a log scale. Expect one line that falls steeply and one that rises.

# %% tags=["demo"]
ax = plotting.curves(steps_back, norms, "steps back", "norm of the gradient")
ax.set_title("The gradient vanishes or explodes exponentially with distance")
ax.set_yscale("log");

# %% [markdown]
# With a radius of 0.7 the gradient vanishes. With 1 it fades, too, because the derivative of tanh is below 1. With 3
# it explodes, although the units saturate and the derivative of tanh is small there. To learn over long distances, an
# Elman network would have to stay in between while training changes its weights.

# %% [markdown] question="vanishing"

# %% [markdown]
# ## Gradient clipping
#
# With an exploding gradient a single step of gradient descent moves the weights so far that everything learned is
# lost. The remedy: if the gradient is longer than a limit, **shorten it and keep its direction** (Pascanu, Mikolov
# and Bengio 2013):
#
# $$g \leftarrow g \cdot \min\left(1, \frac{\text{limit}}{\lVert g \rVert}\right)$$
#
# where g holds the gradients of **all** parameters as one long vector and $\lVert g \rVert$ is its norm, the square
# root of the sum of all squares. The gradients (3) and (0, 4) have a **joint norm** of $\sqrt{9 + 0 + 16} = 5$. With
# a limit of 1 both are multiplied by 1/5 and become (0.6) and (0, 0.8).
#
# Extreme gradients also cause a numerical problem. The largest float32 is 3.4e38, so the square of 3e19 overflows to
# infinity. The square of 3e-25 is rounded to 0. float64 can represent both, so convert before squaring:
# `g.astype(np.float64)`.

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
# | sizes | float32 from 1e-25 to 1e25: (3e19, 4e19) with a limit of 1 gives (0.6, 0.8) and 5e19 |

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
# Now we break a training run on purpose. A network learns to predict the next character of real English text.
# Following Le, Jaitly and Hinton (2015), $W_{hh}$ starts as the identity and relu replaces tanh. Such a network
# remembers well at the start, but relu does not saturate, so nothing limits the growth of its state.

# %% tags=["demo"] jupyter={"source_hidden": true}
english = data.english()
characters = sorted(set(english.train + english.held_out))
V, size = len(characters), rt.pick(smoke=5_000, cpu=len(english.train))
texts = english.train[:size], english.held_out[:size]
train_chars, held_out_chars = (torch.tensor(ngram.encode(text, characters)) for text in texts)


def relu_loss(p, rows):
    """Return the mean loss in nats of predicting each next character of rows (B, 101) from a state of zeros."""
    h, states = torch.zeros(len(rows), len(p["W_hh"])), []
    for now in rows[:, :-1].T:
        h = torch.relu(p["W_ih"][now] + h @ p["W_hh"].T)
        states.append(h)
    logits = torch.stack(states, dim=1) @ p["W_out"].T
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())


def cpu_generator():
    """Return a fresh generator: what it draws depends on the seed alone, not on the device."""
    return torch.Generator().manual_seed(rt.seed)

# %% [markdown]
# `descend` trains this network by plain gradient descent on sequences of 100 characters. It returns the loss before
# each training step and the final parameters. With a `limit` it calls your `clip_grad_norm`; with `None` it does not
# clip.

# %% tags=["demo"]
clip = choose(clip_grad_norm, rnn.clip_grad_norm)


def descend(limit, steps, H=64, lr=0.1):
    draw, losses = cpu_generator(), []
    p = {"W_ih": 0.1 * torch.randn(V, H, generator=draw), "W_hh": torch.eye(H), "W_out": torch.zeros(V, H)}
    for _ in range(steps):
        starts = torch.randint(0, len(train_chars) - 101, (32, 1), generator=draw)
        p = {name: value.detach().requires_grad_() for name, value in p.items()}
        loss = relu_loss(p, train_chars[starts + torch.arange(101)])
        loss.backward()
        gradients = {name: value.grad.numpy() for name, value in p.items()}
        if limit:
            gradients, _ = clip(gradients, limit)
        p = {name: value - lr * torch.as_tensor(gradients[name]) for name, value in p.items()}
        losses.append(loss.item())
    return losses, p

# %% [markdown]
# Both runs start at ln V nats, where V is the number of different characters. With clipping the loss should fall
# slowly. Without it, look at the largest loss. Also look at the spectral radius of $W_{hh}$, which is 1 at the start,
# after two training steps.

# %% tags=["demo"]
steps = rt.pick(smoke=10, cpu=100)
losses = {"no clipping": descend(None, steps)[0], "clipped at 0.1": descend(0.1, steps)[0]}
W_hh = descend(None, steps=2)[1]["W_hh"].detach().numpy()
print(f"no clipping, after two steps: spectral radius {np.abs(np.linalg.eigvals(W_hh)).max():.2f}")
worst, calm = np.nanmax(losses["no clipping"]), losses["clipped at 0.1"]
rt.claim("without clipping the loss explodes (largest, nats)", worst, worst > 1e12)
safe = max(calm) < calm[0] + 1 and calm[-1] < calm[0] - 0.2
rt.claim("with clipping it never rises by 1 nat, and falls (last, nats)", calm[-1], safe)

# %% tags=["demo"]
ax = plotting.curves(range(steps), losses, "step", "loss in nats")
ax.set_title("Without clipping, a few steps destroy the network")
ax.set_yscale("log");

# %% [markdown]
# Two ordinary steps moved the spectral radius well above 1, and reading 100 characters multiplies the state by
# $W_{hh}$ 100 times. The state, the logits and the loss explode, and the gradient of this loss makes the next step so
# large that all weights become useless. Afterwards the loss is about ln V again, as with logits of 0: relu outputs 0
# where its sum is negative. Its derivative is 0 there, too, so the network does not recover. (At the later peaks some
# units are still active.) With clipping the loss falls, although on this scale the line looks flat.

# %% [markdown] question="clipping"

# %% [markdown]
# Clipping cures exploding gradients. It cannot cure vanishing ones: a gradient that is lost on its way back cannot be
# restored by scaling the whole. That needs another kind of cell.
#
# ## The LSTM: a cell that adds
#
# The **long short-term memory** (Hochreiter and Schmidhuber 1997; forget gate by Gers, Schmidhuber and Cummins 2000)
# has a second state c, the **cell state**, or cell for short. At each step the Elman network multiplies its state by
# a matrix. The LSTM instead keeps or erases each component of c separately, and **adds** new content:
#
# $$c_t = f \odot c_{t-1} + i \odot g \qquad h_t = o \odot \tanh(c_t)$$
#
# where $c_t$ and $h_t$ (B, H) are the two states after step t. The **gates** f, i and o (B, H) contain numbers
# between 0 and 1, and the candidate g (B, H) is the new content. Each of the four is a sum as in the Elman network,
# $x_t W_{ih}^\top + b_{ih} + h_{t-1} W_{hh}^\top + b_{hh}$, followed by a nonlinearity. Each has its own block of H
# rows in the weights and biases, so $W_{ih}$ is (4H, I) and $W_{hh}$ is (4H, H). The order of the blocks is torch's:
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
# Here is one step of a single unit, which reads x = 1 in the states h = 0.5 and c = 2. The sum of its input gate is
# 0.5 · 1 + 1 · 0.5 = 1, that of its forget gate is 1 · 1 + 2 · 0.5 = 2, and so on:

# %% tags=["nbval-check-output"]
tiny_lstm = {
    "W_ih": np.array([[0.5], [1.0], [1.0], [-1.0]]), "b_ih": np.zeros(4),
    "W_hh": np.array([[1.0], [2.0], [0.5], [1.0]]), "b_hh": np.zeros(4),
}  # fmt: skip
x, h, c = 1.0, 0.5, 2.0

sums = tiny_lstm["W_ih"][:, 0] * x + tiny_lstm["W_hh"][:, 0] * h
i, f, o = (1 / (1 + math.exp(-sums[block])) for block in (0, 1, 3))
g = math.tanh(sums[2])
new_c = f * c + i * g
print(f"sums {sums.tolist()}: i = {i:.3f}, f = {f:.3f}, g = {g:.3f}, o = {o:.3f}")
print(f"c = {f:.3f} * {c} + {i:.3f} * {g:.3f} = {new_c:.3f}, h = {o:.3f} * tanh(c) = {o * math.tanh(new_c):.3f}")

# %% [markdown]
# The forget gate keeps 88 % of the old cell, and the new content is added to it. This is why gradients can survive:
# along the line of c in the drawing there is no matrix and no tanh, and the derivative of $c_t$ with respect to
# $c_{t-1}$ is f. Where f is close to 1 (the gate is **open**), a gradient goes back over many steps almost unchanged.
# The network can learn for each component when f should be close to 1.

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
# | `params` | `"W_ih"` (4H, I), `"W_hh"` (4H, H), `"b_ih"` (4H,), `"b_hh"` (4H,); blocks i, f, g, o |
# | `x` | inputs of this step, (B, I); no argument is modified |
# | `h`, `c` | the two states before it, (B, H) each |
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
cell, layers = choose(lstm_cell, rnn.lstm_cell), torch.nn.LSTM(4, 5)
h, c = np.zeros((3, 5)), np.zeros((3, 5))
for x in xs:
    h, c = cell(arrays(layers), x, h, c)
off = difference(h, layers)
rt.claim("20 LSTM steps equal torch.nn.LSTM (largest difference)", off, off < 1e-5)

# %% [markdown]
# Do gradients survive? We measure the gradient of the last state with respect to the input d steps before. The layers
# are untrained and have 64 units: an Elman layer, an LSTM whose forget gates have a bias of 0, and one with a bias of
# 3.

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


reach = {"Elman": input_gradients(Recurrent("elman", 8, 64))}
reach |= {f"LSTM, forget bias {bias}": input_gradients(with_forget_bias(bias)) for bias in (0, 3)}
ratio = reach["LSTM, forget bias 3"][60] / reach["Elman"][60]
text = "60 steps back, open forget gates keep more of the gradient than an Elman layer (times)"
rt.claim(text, ratio, ratio > 1e8)

# %% [markdown]
# Again, expect nearly straight lines on a log scale: exponential decay or none.

# %% tags=["demo"]
ax = plotting.curves(range(100), reach, "steps back", "norm of the gradient (input)")
ax.set_title("Open forget gates carry the gradient over 100 steps")
ax.set_yscale("log");

# %% [markdown]
# With a forget bias of 0, f is about one half, and over the first 20 steps the gradient falls as fast as in the Elman
# layer. With a bias of 3, f is about σ(3) = 0.95. Along the cell alone, less than one percent would be left after 100
# steps, since $0.95^{100}$ = 0.006. Other paths, through h and the gates, add to it: here the gradient first falls,
# then grows again. So the gradient of an LSTM can explode, too, and LSTMs are trained with clipping. A positive
# forget bias is a good start (Jozefowicz, Zaremba and Sutskever 2015): the LSTM first keeps most of its cell and then
# learns what to forget. The library's models start with a bias of 1.

# %% [markdown] question="forget_gate"

# %% [markdown]
# ## The GRU: one state, two gates
#
# The **gated recurrent unit** (Cho et al. 2014) has one state and two gates. The update gate z decides between old
# and new content, the reset gate r decides how much of the old state the new content can see. In torch's form:
#
# $$r = \sigma(x_r + h_r) \qquad z = \sigma(x_z + h_z) \qquad n = \tanh(x_n + r \odot h_n) \qquad
# h_t = (1 - z) \odot n + z \odot h_{t-1}$$
#
# where $x_r, x_z, x_n$ are the three blocks of $x_t W_{ih}^\top + b_{ih}$, and $h_r, h_z, h_n$ are those of
# $h_{t-1} W_{hh}^\top + b_{hh}$. The candidate n is the new content. All of these are (B, H), like r, z, $h_{t-1}$
# and $h_t$, and $\sigma$ is the sigmoid. Where z is close to 1, the old state is kept. Here the two biases are not
# interchangeable: the last block of $b_{hh}$ is part of $h_n$, so r multiplies it.
#
# ![A GRU cell. The reset gate r multiplies the block of the old state in the candidate n. The update gate z adds the
# old state, weighted by z, and the candidate, weighted by 1 - z.](figures/gru_cell.svg)
#
# Here is one step of a single unit, which reads x = 1 in the state h = 0.5. Its last bias is not 0, so $h_n$ =
# 2 · 0.5 + 0.5 = 1.5:

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
# | `params` | `"W_ih"` (3H, I), `"W_hh"` (3H, H), `"b_ih"` (3H,), `"b_hh"` (3H,); blocks r, z, n |
# | `x`, `h` | inputs of this step, (B, I), and the state before it, (B, H); no argument is modified |
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
# Papers often show **another form** (Chung et al. 2014):
#
# $$\tilde h = \tanh(x_n + (r \odot h_{t-1})\, U^\top + b) \qquad h_t = (1 - z) \odot h_{t-1} + z \odot \tilde h$$
#
# where $\tilde h$ (B, H) is the candidate, and U (H, H) and b (H,) are the last blocks of $W_{hh}$ and $b_{hh}$. Two
# things differ. First, z and 1 - z are exchanged. Changing the sign of the weights and biases of z undoes this, since
# $\sigma(-a) = 1 - \sigma(a)$. Second, r multiplies the state **before** the product with U, not after it. No change
# of the weights undoes this. We run both forms with the same weights, except that those of z change sign. Your form
# should agree with torch, the other form should not.

# %% tags=["demo"]
gru, layers = choose(gru_cell, rnn.gru_cell), torch.nn.GRU(4, 5)
negated = {name: value.copy() for name, value in arrays(layers).items()}
for value in negated.values():
    value[5:10] *= -1  # rows 5 to 9 are the block of z
h, other = np.zeros((3, 5)), np.zeros((3, 5))
for x in xs:
    h, other = gru(arrays(layers), x, h), rnn.gru_cell_reset_first(negated, x, other)
off = difference(h, layers)
print(f"largest difference between the two forms: {np.abs(other - h).max():.3f}")
rt.claim("20 GRU steps equal torch.nn.GRU (largest difference)", off, off < 1e-5)

# %% [markdown]
# Both forms work well, but weights trained for one are wrong for the other.
#
# ## A language model without a window
#
# A recurrent language model looks up a vector for each token, runs the recurrent layers, and computes logits for the
# next token at every step. A whole text is a single sequence, too long for one backward pass. **Truncated
# backpropagation through time** (Williams and Peng 1990) cuts it into chunks. The state is carried from chunk to
# chunk, but the backward pass stops where the chunk begins: the model can use what is older, but gets no gradient for
# it.
#
# To fill a batch, the text is first cut into rows of equal length, which are read side by side. The example shows 20
# tokens in two rows, with chunks of 4. The targets are shifted by one, and each row continues in the next chunk.
# `chunk_losses` yields the loss of one chunk after the other, with chunks of 32.

# %% tags=["demo"]
from llmcourse.models import sequence_models as models
from llmcourse.models.sequence_models import RecurrentConfig, RecurrentLM

for ids, targets in models.chunks(models.streams(torch.arange(20), batch_size=2), steps=4):
    print(ids.tolist(), "->", targets.tolist())


# %% tags=["demo"]
def chunk_losses(model, rows, steps=32):
    """Yield the loss of each chunk in turn; start each pass over the text from a state of zeros."""
    while True:
        state = None
        for ids, targets in models.chunks(rows, steps):
            past = models.detached(state) if state else None  # no gradient into the past
            states, state = model.read(ids, past)
            yield torch.nn.functional.cross_entropy(model.head(states).flatten(0, 1), targets.flatten())

# %% [markdown]
# One training loop serves all models of this unit. AdamW (Loshchilov and Hutter 2017) is gradient descent with a
# separate step size for each parameter; unit 10 builds it. `decay` shrinks all weights a little at each step. The
# learning rate rises during the first tenth of the steps and falls along a cosine. Gradients are clipped to a norm of
# 1.

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

# %% [markdown]
# `build` creates a language model. `init_scale` sets the scale of the input weights: a larger scale makes the gates
# depend on the input from the beginning of the training. On the characters we train an LSTM and an Elman network with
# as many units. The latter is usually called a tanh RNN (recurrent neural network). Both should start a little above
# log2 V bits and end between 2 and 2.4 on the training text.

# %% tags=["demo"]
def build(config, init_scale, seed=rt.seed):
    torch.manual_seed(seed)
    model = RecurrentLM(config)
    torch.nn.init.normal_(model.rnn.weight_ih_l0, std=init_scale / math.sqrt(config.d_embed))
    return model.to(rt.device)


# %% tags=["demo"]
import time

train_chars, held_out_chars = train_chars.to(rt.device), held_out_chars.to(rt.device)
rows, units = models.streams(train_chars, 64), rt.pick(smoke=192, cpu=192, gpu=512)
steps = rt.pick(smoke=(5, 5), cpu=(700, 560), gpu=(1_500, 1_500))
lr = rt.pick(smoke=(1.4e-2, 2e-2), cpu=(1.4e-2, 2e-2), gpu=(5e-3, 1e-2))
plans = zip(("tanh RNN", "LSTM"), ("elman", "lstm"), (1.5, 3.0), steps, lr)
trained, seconds = {}, {}
for name, kind, init_scale, n_steps, highest in plans:
    model = trained[name] = build(RecurrentConfig(V, 64, units, V, kind), init_scale)
    start = time.perf_counter()
    bits = train(model, chunk_losses(model, rows), n_steps, highest, decay=0.1)
    seconds[name] = time.perf_counter() - start
    print(f"{name}: {bits[0]:.2f} bits at first, {np.mean(bits[-100:]):.2f} at the end")

# %% [markdown]
# Now we score every character of the held-out text, each given the text before it, and add both models to the ladder
# of the course. In the figure, the hatched bar is the best model, and light bars have no trained parameters.

# %% tags=["demo"] jupyter={"source_hidden": true}
held_out = {name: models.bits_per_token(model, held_out_chars, train_chars[-200:]) for name, model in trained.items()}
for name, model in trained.items():
    size = {"parameters": model.n_parameters, "tokens": len(train_chars), "seconds": seconds[name]}
    rt.ladder(f"{name}, {units} units", held_out[name], corpus=english.name, **size)
better = held_out["tanh RNN"] - held_out["LSTM"]
rt.claim("characters: at equal units the LSTM beats the tanh RNN (by, bits)", better, better > 0.03)

# %% tags=["demo"]
ax = plotting.ladder(rt.ladder_rows(english.name))
ax.set_title("At equal units the LSTM beats the tanh RNN", loc="right");

# %% [markdown]
# On tiny Shakespeare the tanh RNN is about as good as a window of six characters: a state *can* hold more, but the
# network must *learn* to hold it. The LSTM, with as many units but three times as many parameters, is better than
# both. It does not reach Kneser-Ney, but it has read the training text little more than once. Preset `gpu` trains 512
# units for more steps.
#
# ## Layers on layers
#
# Recurrent layers can be **stacked**: the states of one layer are the inputs of the next. Gradients then go back in
# time within each layer, and down from layer to layer.
#
# ![Two layers over three steps. The states of the lower layer go to the right as states of the next step, and up as
# inputs of the upper layer.](figures/stacked_layers.svg)
#
# The library's layer does this with `n_layers`. All models that are trained in this unit have one layer, to save
# time.
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
# input was the **true** previous character, now it is the model's own. To measure what that costs, the model reads 64
# true characters and then writes 16 by itself, the most probable one each time. How often is the n-th of them the
# true one?

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
space = characters.index(" ")
levels = {
    "reads the true text": (guesses == held_out_chars[1:4_000]).double().mean().item(),
    "always a space": (held_out_chars == space).double().mean().item(),
}

# %% [markdown]
# We compare with two levels: the same model when it always reads the true text, and always guessing a space. Expect
# the line to begin near the upper level and to fall.

# %% tags=["demo"]
lines = {"reads its own guesses": free}
ax = plotting.curves(range(1, 17), lines, "characters written", "fraction correct", levels=levels)
ax.set_title("Fed its own guesses, the model soon leaves the text");

# %% [markdown]
# On true text the model predicts more than half of all characters. When it reads its own guesses, it is soon worse
# than always guessing a space: there are many good ways to continue, and the true text is only one of them.

# %% [markdown] question="teacher_forcing"

# %% [markdown]
# ## Reading in both directions
#
# A language model must not see the tokens that it predicts. A **tagger**, which labels each word with its part of
# speech, may see the whole sentence. In *Will Field had left the roses* and *Will you light the stove?* only the
# words **after** *Will* tell whether it is a name. So one network reads from the left, another from the right, and
# their states are concatenated (Schuster and Paliwal 1997).
#
# ![Two rows of steps over three inputs. The forward row passes its state from left to right, the backward row from
# right to left. At each position the two states are joined.](figures/bidirectional.svg)
#
# `echo` is a GRU that can be followed by hand. All its weights are 0 but one, which makes the candidate tanh(x). Both
# gates are σ(0) = 0.5, so the new state is half of tanh(x) plus half of the old state. On the inputs 1, 0, 0 the
# state is tanh(1) / 2 = 0.381, then 0.190, then 0.095: an echo of the 1 that fades.

# %%
echo = {
    "W_ih": np.array([[0.0], [0.0], [1.0]]), "W_hh": np.zeros((3, 1)),
    "b_ih": np.zeros(3), "b_hh": np.zeros(3),
}  # fmt: skip

# %% [markdown] exercise="bidirectional"
# Write `bidirectional`, which returns the states of two GRUs at each position, one that reads from the left and one
# that reads from the right. Both start from a state of zeros. At index t the result holds two states side by side:
# that of the first GRU after it has read `xs[0]` to `xs[t]`, and that of the second after it has read `xs[T - 1]`
# back to `xs[t]`. The array `three_inputs` of the BPTT example is 1, 0, 0. The forward states (left column) are the
# echo, and the backward GRU reads the 1 at its last step, at position 0:
#
# ```python
# >>> bidirectional(echo, echo, three_inputs)[:, 0].round(3)
# array([[0.381, 0.381],
#        [0.19 , 0.   ],
#        [0.095, 0.   ]])
# ```
#
# You may call your `gru_cell` once it passes (grading uses a correct one).
#
# | | |
# |---|---|
# | `forward`, `backward` | parameters of the two GRUs, as for `gru_cell`, same sizes; no argument is modified |
# | `xs` | inputs, (T, B, I), time first; T >= 1 |
# | returns | (T, B, 2H), also for B = 1, the forward states in the first H columns; same dtype as the inputs |

# %% exercise="bidirectional"
def bidirectional(forward: dict, backward: dict, xs: np.ndarray) -> np.ndarray:
    """Return the states (T, B, 2H) of a GRU that reads from the left and one that reads from the right."""
    ### BEGIN SOLUTION
    sides = []
    for params, inputs in ((forward, xs), (backward, xs[::-1])):
        h, states = np.zeros((xs.shape[1], params["W_hh"].shape[1]), dtype=xs.dtype), []
        for x in inputs:
            h = gru_cell(params, x, h)
            states.append(h)
        sides.append(np.array(states))
    return np.concatenate([sides[0], sides[1][::-1]], axis=2)
    ### END SOLUTION


# %% check="bidirectional"
check.bidirectional(bidirectional);

# %% [markdown]
# A tagger puts a linear layer on these states. At each position t it computes $z_t = s_t W^\top + b$, where $s_t$
# (B, 2H) are the two states side by side, W (K, 2H) and b (K,) are parameters, and $z_t$ (B, K) are the logits of K
# labels. `tiny_tagger` has two labels and two tokens, whose vectors are (0) and (1). It uses the echo in both
# directions:

# %%
tiny_tagger = {
    "E": np.array([[0.0], [1.0]]), "forward": echo, "backward": echo,
    "W": np.array([[1.0, 0.0], [0.0, 1.0]]), "b": np.array([0.0, 0.05]),
}  # fmt: skip

# %% [markdown] exercise="SequenceTagger"
# Write `SequenceTagger`, which assigns a label to every token (**many-to-many**): it looks up the vector of each
# token, reads the vectors in both directions, and computes the logits of the labels at each position. For the
# tokens 1, 0, 0 the states are those of the last example. The logit of label 0 is the forward state, that of label
# 1 is the backward state + 0.05:
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
# You may call your `bidirectional` once it passes (grading uses a correct one).
#
# | | |
# |---|---|
# | `params` | `"E"` (V, d), row i for token i; `"forward"`, `"backward"`: GRUs, I = d; `"W"` (K, 2H); `"b"` (K,) |
# | `ids` | token ids, (B, T), one sentence a row (`bidirectional` expects time first); not modified |
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
# Now we tag parts of speech. The taggers learn from 3,000 sentences of the world and are tested on 600 new ones. Here
# is one tagged sentence:

# %% tags=["demo"] jupyter={"source_hidden": true}
tagged = list(world.tagged(rt.pick(smoke=200, cpu=3_000), seed=rt.seed))
new = list(world.tagged(rt.pick(smoke=50, cpu=600), split="test", seed=rt.seed))
seen = sorted({word for sentence in tagged for word in sentence.tokens})
known = {"<pad>": 0, "<unk>": 1} | {word: i + 2 for i, word in enumerate(seen)}
kinds = sorted({tag for sentence in tagged for tag in sentence.pos})
print(" ".join(f"{word}/{tag}" for word, tag in zip(new[0].tokens, new[0].pos)))

# %% [markdown]
# The sentences of a batch are padded to one length; padding gets the target -100, which torch's loss ignores. Words
# not seen in training become `<unk>`. During training 5 % of all words do so at random, so that the model learns to
# handle it.

# %% tags=["demo"] jupyter={"source_hidden": true}
def padded(rows, fill, length):
    """Return the rows as one tensor, cut or filled to this length."""
    return torch.tensor([list(row[:length]) + [fill] * (length - len(row)) for row in rows])


tag_ids, new_ids = (padded([[known.get(w, 1) for w in s.tokens] for s in part], 0, 24) for part in (tagged, new))
targets, new_targets = (padded([[kinds.index(t) for t in s.pos] for s in part], -100, 24) for part in (tagged, new))


def tag_losses(model, draw, batch_size=32):
    """Yield the loss of random batches."""
    while True:
        batch = torch.randint(0, len(tag_ids), (batch_size,), generator=draw)
        ids = torch.where(torch.rand(batch_size, 24, generator=draw) < 0.05, 1, tag_ids[batch])
        yield torch.nn.functional.cross_entropy(model(ids).flatten(0, 1), targets[batch].flatten())


def ends(model):
    """Return the token vectors and the linear layer of a model as a dictionary of arrays."""
    tensors = {"E": model.embed.weight, "W": model.head.weight, "b": model.head.bias}
    return {name: value.detach().numpy() for name, value in tensors.items()}

# %% [markdown]
# We train two GRU taggers. The first reads from the left only, the second in both directions, with a second GRU.
# Both start near log2 K bits for K labels and should end well below half a bit. Then your class computes
# tags with the weights of the second and should agree with the torch model.

# %% tags=["demo"]
taggers = {}
for name, both in {"left to right": False, "both directions": True}.items():
    torch.manual_seed(rt.seed)
    model = taggers[name] = RecurrentLM(RecurrentConfig(len(known), 32, 32, len(kinds), "gru", bidirectional=both))
    bits = train(model, tag_losses(model, cpu_generator()), rt.pick(smoke=5, cpu=170), lr=2e-2)
    print(f"{name}: {bits[0]:.2f} bits at first, {np.mean(bits[-20:]):.2f} at the end")

# %% tags=["demo"]
weights = ends(model) | {"forward": arrays(model.rnn), "backward": arrays(model.rnn, "_reverse")}
mine = choose(SequenceTagger, rnn.SequenceTagger)(weights).tags(new_ids.numpy())
real = new_targets.numpy() != -100
agree = (mine == model(new_ids).argmax(2).numpy())[real].mean()
print(f"your class and torch agree on {agree:.2%} of all tags")

# %% [markdown]
# How often are the two taggers wrong, on all tokens and on the **ambiguous words**, which have several parts of
# speech in the training text? Expect a clear difference on the ambiguous words, where the context decides.

# %% tags=["demo"] jupyter={"source_hidden": true}
uses = {}
for i, target in zip(tag_ids.flatten().tolist(), targets.flatten().tolist()):
    uses.setdefault(i, set()).add(target)
ambiguous = np.isin(new_ids.numpy(), [i for i, tags in uses.items() if i > 1 and len(tags) > 1])
errors = {}
for what, where in {"all tokens": real, "ambiguous words": real & ambiguous}.items():
    for name, model in taggers.items():
        wrong = model(new_ids).argmax(2).numpy() != new_targets.numpy()
        errors[f"{what}, {name}"] = wrong[where].mean()
*_, from_left, from_both = errors.values()
gain = from_left - from_both
rt.claim("ambiguous words: reading in both directions tags more of them right (fraction)", gain, gain > 0.01)

# %% tags=["demo"]
ax = plotting.bars(errors, "fraction of wrong tags (lower is better)", digits=3)
ax.set_title("What follows an ambiguous word helps");

# %% [markdown]
# Over all tokens both taggers are nearly always right. On the ambiguous words the tagger that also reads what follows
# makes far fewer errors.
#
# ## One label for a whole text
#
# A classifier (**many-to-one**) answers one question about a whole text: is this review positive? It needs one vector
# for the whole text, which is pooled from the states. **Last** pooling takes the last state, which must then
# summarise the whole text. **Mean** pooling averages all states. Shorter texts of a batch are padded at the end, and
# padding must not count: the last state is the one at index `lengths - 1`, and the mean is taken over the real
# positions only.
#
# The logits are $z = s W^\top + b$, where s (B, H) are the pooled states, W (K, H) and b (K,) are parameters, and z
# is (B, K). `tiny_classifier` uses the echo and the same two tokens as `tiny_tagger`:

# %%
tiny_classifier = {
    "E": np.array([[0.0], [1.0]]), "gru": echo, "W": np.array([[1.0]]), "b": np.zeros(1),
}  # fmt: skip

# %% [markdown] exercise="SequenceClassifier"
# Write `SequenceClassifier`, which assigns one label to each text: a GRU reads the vectors of the tokens from a
# state of zeros, the states are pooled, and a linear layer computes the logits of the labels. Here the second
# text has a length of 1, so only its first state counts. For the first text the mean of the states is
# (0.381 + 0.190 + 0.095) / 3:
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
# You may call your `gru_cell` once it passes (grading uses a correct one).
#
# | | |
# |---|---|
# | `params` | dictionary: `"E"` (V, d), `"gru"` (parameters with I = d), `"W"` (K, H), `"b"` (K,) |
# | `pooling` | `"last"`, which is the default, or `"mean"` |
# | `ids` | token ids (B, T); any id can be a real token, also 0; not modified |
# | `lengths` | how many ids of each row are real, (B,), from 1 to T; not modified |
# | `logits(ids, lengths)` | returns (B, K), also for B = 1; float64 for float64 parameters |
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
# We train on 1,500 reviews and test on 500 new ones, cut or padded to 48 tokens. Two GRUs that differ only in the
# pooling learn from them in torch. This is the first new review:

# %% tags=["demo"] jupyter={"source_hidden": true}
import re

split = re.compile(r"\w+|[^\w\s]").findall  # words and punctuation
reviews = list(world.reviews(rt.pick(smoke=100, cpu=1_500), seed=rt.seed))
new_reviews = list(world.reviews(rt.pick(smoke=50, cpu=500), split="test", seed=rt.seed))
words = {w: i + 2 for i, w in enumerate(sorted({w for r in reviews for w in split(r.text)}))}
opinions = sorted({r.label for r in reviews})
print(new_reviews[0].text, "->", new_reviews[0].label)


def review_batch(part):
    """Return (ids, lengths, labels) of the reviews, cut to 48 tokens."""
    rows = [[words.get(w, 1) for w in split(r.text)][:48] for r in part]
    lengths, labels = [len(row) for row in rows], [opinions.index(r.label) for r in part]
    return padded(rows, 0, 48), torch.tensor(lengths), torch.tensor(labels)


def review_losses(model, draw):
    """Yield the loss of random batches."""
    ids, lengths, labels = review_batch(reviews)
    while True:
        batch = torch.randint(0, len(ids), (32,), generator=draw)
        yield torch.nn.functional.cross_entropy(model(ids[batch], lengths[batch]), labels[batch])


# %% tags=["demo"]
classifiers = {}
for pooling in ("last", "mean"):
    torch.manual_seed(rt.seed)
    model = models.SequenceModel(RecurrentConfig(len(words) + 2, 32, 32, len(opinions), "gru"), pooling)
    train(model, review_losses(model, cpu_generator()), rt.pick(smoke=5, cpu=180), lr=2e-2)
    classifiers[pooling] = model

# %% [markdown]
# Your class computes the labels of the new reviews with the trained weights. The better of the two should be clearly
# better than always giving the most frequent label.

# %% tags=["demo"]
Classifier = choose(SequenceClassifier, rnn.SequenceClassifier)
ids, lengths, labels = (part.numpy() for part in review_batch(new_reviews))
accuracy = {}
for pooling, model in classifiers.items():
    weights = ends(model.reader) | {"gru": arrays(model.reader.rnn)}
    found = Classifier(weights, pooling).logits(ids, lengths).argmax(axis=1)
    accuracy[pooling] = float(np.mean(found == labels))
most_frequent, best = max(np.mean(labels == k) for k in range(len(opinions))), max(accuracy.values())
print(f"fraction of correct labels: {accuracy}, most frequent label {most_frequent:.3f}")
rt.claim("reviews: the better pooling is right (fraction)", best, best > most_frequent + 0.15)

# %% [markdown]
# ## Back to the distant subject
#
# Which network remembers the subject in the tests of the first figure? Elman networks and LSTMs of 64 units are
# trained on the same 500 sentences as the 5-gram, three of each kind, because the result depends on the initial
# weights. The training loss should fall from about log2 V bits, where V is now the number of words, to 1.6 or less.

# %% tags=["demo"]
def small_lm(kind, seed):
    model = build(RecurrentConfig(len(vocabulary), 32, 64, len(vocabulary), kind), 0.4, seed)
    losses = chunk_losses(model, models.streams(torch.tensor(train_ids, device=rt.device), 8))
    bits = train(model, losses, rt.pick(smoke=5, cpu=300), lr=1e-2)
    print(f"{kind}: {bits[0]:.2f} bits at first, {np.mean(bits[-20:]):.2f} at the end")
    return model


seeds = [rt.seed + 100 * run for run in range(rt.pick(smoke=1, cpu=3))]
networks = {name: [small_lm(name.lower(), seed) for seed in seeds] for name in ("Elman", "LSTM")}

# %% [markdown]
# We test them as we tested the 5-gram, and average over the three runs. Over 4 to 12 tokens we expect the LSTM first,
# the Elman network second, and the 5-gram at one half.

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
for better, worse, margin in (("LSTM", "Elman", 0.1), ("Elman", "5-gram", 0.03)):
    gain = far[better] - far[worse]
    rt.claim(f"agreement over 4 to 12 tokens: {better} beats {worse} (by)", gain, gain > margin)

# %% tags=["demo"]
ax = plotting.steps(distances, agreed, *axes_named, level=("guessing", 0.5))
ax.set_title("The LSTM remembers the subject, the others forget it");

# %% [markdown]
# The Elman network is nearly always right up to a distance of three. Then its accuracy falls to between 0.6 and 0.7.
# The LSTM stays above 0.9 up to a distance of twelve. Yet from a distance of two on, in half of the tests the last
# noun before the verb differs from the subject in number.
#
# Do the networks also predict the other words better? We score all 3,000 test sentences. On average no model can be
# better than the **exact floor**, the bits per token under the grammar that wrote the sentences.

# %% tags=["demo"] jupyter={"source_hidden": true}
before, after = (torch.tensor(ids, device=rt.device) for ids in (train_ids[-64:], test_ids))
scores = {name: np.mean([models.bits_per_token(m, after, before) for m in runs]) for name, runs in networks.items()}
bits = {"5-gram": five_gram.bits_per_token(test_ids), **scores}
bits["exact floor"] = -sum(sum(logps) for _, logps in test_sentences) / len(test_ids) / math.log(2)
between = bits["exact floor"] < min(scores.values()) and max(scores.values()) < bits["5-gram"] - 0.05
rt.claim("sentences: both networks lie between 5-gram and floor (LSTM, bits per token)", bits["LSTM"], between)

# %% tags=["demo"]
ax = plotting.bars(bits, "bits per token, new sentences (lower is better)")
ax.set_title("From 500 sentences, networks learn more than counts");

# %% [markdown]
# From the same 500 sentences both networks have learned more than the counts could. Every sentence ends with a
# period, so a period also marks the start of the next one. From a period alone the LSTM writes four sentences. Expect
# most verbs to agree with their subjects.

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
# Weights exist that keep the bit. But gradient descent finds them only if the gradient at the end reaches the step
# where the bit was read. On its way it is multiplied 200 times by W_hh and by the derivative of tanh, which is at
# most 1. With a spectral radius of 0.7 we measured that less than a millionth was left after 50 steps; with 3 it grew
# more than a thousandfold. So no gradient says that the first line mattered, and training longer does not help.
# Clipping shortens gradients that are too long. It rescued the relu network, whose loss had jumped above 1e12; but it
# does not lengthen a gradient of 1e-10. An LSTM adds: c_t = f c_{t-1} + i g, so the derivative of c_t with respect to
# c_{t-1} is f. With f = 0.99, 0.99^200 = 13 % is left after 200 steps; with 0.5 nothing is left, so start with a
# positive forget bias. She should measure the norm of the gradient of the loss with respect to the input at each
# distance from the end, on a log scale. She will see a straight line down in her network and a much flatter one in
# the LSTM. If the line is flat and the network still fails, the cause is another.
# ### BEGIN MARK SCHEME
# 10 points. 2: capacity is not learnability: the gradient must reach the first step. 2: why it vanishes: a product of
# many factors W_hh and 1 - h^2. 2: clipping limits long gradients and cannot lengthen short ones (1 each). 2: the
# LSTM's additive cell, derivative f, with the formula and that f must be near 1 (1 each). 1: the measurement:
# gradient norm against distance, log scale, and what to expect. 1: two measured numbers, correctly used. Subtract 1
# for "LSTMs do not have vanishing gradients" without a condition.
# ### END MARK SCHEME
# ### END SOLUTION

# %% [markdown]
# ## What was shown
#
# - Steps of Elman, LSTM and GRU networks by hand equal torch's, and so does backpropagation through time. The other
#   form of the GRU does not.
# - Gradients vanish or explode exponentially with distance. Clipping prevents an explosion that
#   destroys a network within a few steps. An LSTM with open forget gates keeps its gradient over 100 steps.
# - From 500 sentences, an LSTM learns agreement over twelve tokens, an Elman network over a few, a 5-gram over one.
#   In bits per token both networks lie between the 5-gram and the exact floor.
# - On characters of real text the LSTM is better than the window model of unit 05. After this short training,
#   Kneser-Ney is still better than the LSTM.
#
# **To think about.** (1) The first LSTM of 1997 had no forget gate: f was always 1. What would go wrong on a long
# text? (2) Early LSTMs for translation got better when they read the input in reverse. Why? (3) Reading T tokens
# takes T steps, one after the other. What does that mean for a machine with ten thousand cores?
#
# **Where the ideas come from.** Jordan 1986 (ICS report 8604); Elman 1990 (Cognitive Science 14); Williams and Zipser
# 1989 (Neural Computation 1); Williams and Peng 1990 (Neural Computation 2); Bengio, Simard and Frasconi 1994 (IEEE
# TNN 5); Hochreiter and Schmidhuber 1997 (Neural Computation 9); Schuster and Paliwal 1997 (IEEE TSP 45); Gers,
# Schmidhuber and Cummins 2000 (Neural Computation 12); Werbos 1990 (Proceedings of the IEEE 78); Pascanu, Mikolov and
# Bengio 2013, arXiv:1211.5063; Cho et al. 2014, arXiv:1406.1078; Chung et al. 2014, arXiv:1412.3555; Le, Jaitly and
# Hinton 2015, arXiv:1504.00941; Loshchilov and Hutter 2017, arXiv:1711.05101; Jozefowicz, Zaremba and Sutskever 2015
# (ICML); Linzen, Dupoux and Goldberg 2016, arXiv:1611.01368.
#
# **Next.** Everything that was read must pass through one state vector: too little to translate a long sentence. Unit
# 07 lets the model look back at every word.
