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
# # Attention
#
# **Why squeeze a sentence through one vector?** The networks of unit 06 keep what they read in one state of fixed
# size. To translate, they would have to keep a whole sentence in it. In this unit you build such a translator, see it
# fail on long sentences, and then let it look back at every word of the source, with weights that it learns. This is
# **attention** (Bahdanau, Cho and Bengio 2015).

# %% tags=["parameters"]
preset = "cpu"
device = "auto"
seed = 0

# %% [markdown]
# As in unit 06 you write single steps in numpy, and the models that are trained are the library's, in torch.
# `gru_cell` is the cell of unit 06.

# %%
import math

import numpy as np

from llmcourse.checks import u07_attention as check
from llmcourse.models.rnn import gru_cell
from llmcourse.runtime import choose, setup

rt = setup(preset, device, seed)

# %% [markdown]
# ## What you will build
#
# Our invented world has a second language. The verb is at the end of a clause, and the words of a noun phrase are in
# reverse order: *the two old books* is "books old two the". Articles, adjectives and verbs agree with their nouns in
# gender and number. The world writes sentences in both languages and tells which words correspond. We train on 20,000
# pairs of up to sixteen English words and test on 600 other sentences. These are three test pairs:

# %% tags=["demo"] jupyter={"source_hidden": true}
from llmcourse import plotting, world
from llmcourse.models import translation

longest = 16  # English words in a sentence, at most
pairs = list(world.parallel(rt.pick(smoke=400, cpu=20_000), max_words=longest, seed=rt.seed))
tests = list(world.parallel(rt.pick(smoke=60, cpu=600), split="test", max_words=longest, seed=rt.seed))
for pair in tests[:3]:
    print(" ".join(pair.source), "->", " ".join(pair.target))

# %% [markdown]
# The figure shows the **alignment** of one test pair: a black cell means that the target word of its row translates
# the source word of its column. If the order of the words were the same, the cells would lie on a line from the top
# left to the bottom right.

# %% tags=["demo"] jupyter={"source_hidden": true}
def true_alignment(pair):
    """Return a matrix (T, S) with a 1 where the target token translates the source token."""
    cells = np.zeros((len(pair.target), len(pair.source)))
    for s, t in pair.alignment:
        cells[t, s] = 1
    return cells

# %% [markdown]
# We take a test pair of about ten words:

# %% tags=["demo"]
shown = max(tests, key=lambda pair: ("to" in pair.source, -abs(len(pair.source) - 10)))  # of about ten words
ax = plotting.alignment(shown.source, shown.target, true_alignment(shown))
ax.set_title("The true alignment: the verb is last, noun phrases are reversed");

# %% [markdown]
# The verb is the last word of its clause, noun phrases are reversed, and the receiver comes before the thing given.
# One word can translate two: the verb *will bring*, and the receiver with *to*, which is the ending of its noun. A
# model that writes the target word by word has to move back and forth in
# the source. At the end of the unit you draw this figure again, with the weights that a trained model gives to the
# source words. Nobody will have told it which words correspond.
#
# ## How good is a translation?
#
# **BLEU** (Papineni et al. 2002) compares translations with a reference, which here is the world's own translation.
# Let $p_n$ be the fraction of the n-grams of the translations that also occur in their reference; an n-gram counts at
# most as often as it occurs there. BLEU is the geometric mean of $p_1$ to $p_4$, times a penalty for translations
# that are too short, times 100:
#
# $$\text{BLEU} = 100 \cdot \min\left(1, e^{1 - R/L}\right) \cdot (p_1\, p_2\, p_3\, p_4)^{1/4}$$
#
# where L is the number of tokens of all translations and R that of all references. The counts are added up over all
# sentences before they are divided. A few wrong words spoil many n-grams: the second translation below has one wrong
# word of seven, so $p_1$ to $p_4$ are 6/7, 4/6, 3/5 and 2/4. The third has the right words in the wrong order: no
# 2-gram matches. A product with a 0 would be 0, so the first precision of 0 counts as half a match, the next one as a
# quarter, and so on: $p_2$ to $p_4$ are (1/2)/6, (1/4)/5 and (1/8)/4.

# %% tags=["demo"]
reference = "the old books are in the garden".split()
for said in ("the old books are in the garden", "the new books are in the garden", "garden the in are books old the"):
    print(f"{translation.corpus_bleu([said.split()], [reference]):6.2f}  {said}")

# %% [markdown]
# ## Encoder and decoder
#
# A translator needs two networks (Sutskever, Vinyals and Le 2014; Cho et al. 2014). The **encoder** reads the source
# sentence. The **decoder** is a language model of the target language that also gets a **context**: a vector that
# says what to translate.
#
# These symbols are used from here on; B is the number of sentences in a batch:
#
# | symbol | meaning |
# |---|---|
# | S, j | number of source tokens, and the position of one |
# | T, t | number of target tokens, and the position of one, which is the step of the decoder |
# | V, d | number of different tokens of a language, and the width of their vectors E (V, d) |
# | H, C | width of one GRU of the encoder; C = 2H is the width of the decoder and of the context |
# | $h_j$, $s_t$ | states of the encoder and of the decoder |
# | $y_t$, $z_t$ | target tokens, and the logits for them |
#
# ![An encoder of two GRUs reads three source words, from the left and from the right. Their last states form one
# vector, the summary. It is the first state of the decoder and the context c of each of its steps. The decoder begins
# with the start token and writes one target word a step.](figures/bottleneck.svg)
#
# Our encoder is the bidirectional GRU of unit 06. Its states $h_j$ (B, 2H) at the source positions j are the states
# of both directions side by side. The **summary** (B, 2H) consists of the last state of each GRU: that of the forward
# GRU after the last word and that of the backward GRU after the first word.
#
# The sentences of a batch have different lengths and are padded. A boolean **mask** (B, S) is `True` at real tokens.
# At padding, a GRU keeps its old state, so the summary does not depend on the padding. `tiny_encoder` has two tokens
# with vectors (0) and (1), and in both directions the GRU `echo` of unit 06: its new state is half of tanh(x) plus
# half of the old state.

# %%
echo = {
    "W_ih": np.array([[0.0], [0.0], [1.0]]), "W_hh": np.zeros((3, 1)),
    "b_ih": np.zeros(3), "b_hh": np.zeros(3),
}  # fmt: skip
tiny_encoder = {"E": np.array([[0.0], [1.0]]), "forward": echo, "backward": echo}

# %% [markdown] exercise="encode"
# Write `encode`, which returns the states of the encoder and its summary. Below, the last position is padding. The
# forward states (left column) are tanh(1) / 2 = 0.381, half of it, and the same again at the padding. The backward
# GRU keeps its zeros at the padding, reads token 0 and stays at 0, then reads token 1. The summary is the forward
# state at the end and the backward state at the beginning:
#
# ```python
# >>> ids, mask = np.array([[1, 0, 1]]), np.array([[True, True, False]])
# >>> states, summary = encode(tiny_encoder, ids, mask)
# >>> states[0].round(3)
# array([[0.381, 0.381],
#        [0.19 , 0.   ],
#        [0.19 , 0.   ]])
# >>> summary.round(3)
# array([[0.19 , 0.381]])
# ```
#
# Call `gru_cell(gru, x, h)` with the parameters of one GRU, such as `params["forward"]`, an input (B, d) and a state
# (B, H); it returns the next state.
#
# | | |
# |---|---|
# | `params` | `"E"` (V, d), row i for token i; `"forward"`, `"backward"`: parameters of GRUs; `"W_hh"` is (3H, H) |
# | `ids` | token ids, (B, S); any id can be a real token, also 0; S >= 1; no argument is modified |
# | `mask` | booleans (B, S), `True` at real tokens; padding is at the end of a row |
# | returns | a pair: states (B, S, 2H) and summary (B, 2H), forward half first; float64 for float64 parameters |
# | padding | both GRUs keep their state there; they start from zeros |

# %% exercise="encode"
def encode(params: dict, ids: np.ndarray, mask: np.ndarray) -> tuple:
    """Return (states (B, S, 2H), summary (B, 2H))."""
    ### BEGIN SOLUTION
    xs, (B, S) = params["E"][ids], ids.shape
    halves, ends = [], []
    for gru, order in ((params["forward"], range(S)), (params["backward"], range(S - 1, -1, -1))):
        h = np.zeros((B, gru["W_hh"].shape[1]), dtype=xs.dtype)
        states = [h] * S
        for s in order:
            h = states[s] = np.where(mask[:, s, None], gru_cell(gru, xs[:, s], h), h)
        halves.append(np.stack(states, axis=1))
        ends.append(h)
    return np.concatenate(halves, axis=2), np.concatenate(ends, axis=1)
    ### END SOLUTION


# %% check="encode"
check.encode(encode);

# %% [markdown]
# The decoder writes the target sentence. Its width is C = 2H, and its first state is the summary. At each step it
# reads the token that it wrote before, at first the start token `<s>`, and computes
#
# $$s_t = \text{GRU}(E_{y_{t-1}}, s_{t-1}) \qquad
# z_t = \tanh\left([s_t; c]\, W_c^\top + b_c\right) W^\top + b$$
#
# where $y_{t-1}$ is the token before, E are the vectors of the target language, $s_t$ is (B, C), c (B, C) is the
# context and $[s_t; c]$ (B, 2C) the two side by side. $W_c$ (C, 2C), $b_c$ (C,), W (V, C) and b (V,) are
# parameters, and $z_t$ (B, V) are the logits of the next token. The second formula is the function `readout`. You do
# not write it, but you use it twice: now with a **fixed** context, the summary, and later with one that changes from
# step to step.

# %%
def readout(params: dict, s: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return the logits (B, V) for states s and contexts c, (B, C) each."""
    hidden = np.tanh(np.concatenate([s, c], axis=1) @ params["W_c"].T + params["b_c"])
    return hidden @ params["W"].T + params["b"]


# %% [markdown]
# `tiny_decoder` has one unit and two tokens, and the echo as its GRU:

# %%
tiny_decoder = {
    "E": np.array([[0.0], [1.0]]), "gru": echo, "W_c": np.array([[1.0, 2.0]]), "b_c": np.zeros(1),
    "W": np.array([[1.0], [-1.0]]), "b": np.array([0.5, 0.0]),
}  # fmt: skip

# %% [markdown] exercise="decode_step"
# Write `decode_step`, which returns the logits and the new state of one step of the decoder. In `tiny_decoder` the
# echo reads token 1 in the state 0.2: the new state is 0.381 + 0.1 = 0.481. With a context of 0.1 the readout gives
# tanh(0.481 + 2 · 0.1) = 0.592, so the logits are 0.592 + 0.5 and -0.592:
#
# ```python
# >>> logits, s = decode_step(tiny_decoder, np.array([1]), np.array([[0.2]]), np.array([[0.1]]))
# >>> logits.round(3), s.round(3)
# (array([[ 1.092, -0.592]]), array([[0.481]]))
# ```
#
# | | |
# |---|---|
# | `params` | `"E"` (V, d), `"gru"` (of width C), and `"W_c"`, `"b_c"`, `"W"`, `"b"` for `readout` |
# | `ids` | the tokens before, (B,) |
# | `s`, `c` | the states before the step and the contexts, (B, C) each; no argument is modified |
# | returns | a pair: logits (B, V) and new states (B, C), also for B = 1; float64 for float64 parameters |

# %% exercise="decode_step"
def decode_step(params: dict, ids: np.ndarray, s: np.ndarray, c: np.ndarray) -> tuple:
    """Return (logits (B, V), new state (B, C))."""
    ### BEGIN SOLUTION
    s = gru_cell(params["gru"], params["E"][ids], s)
    return readout(params, s, c), s
    ### END SOLUTION


# %% check="decode_step"
check.decode_step(decode_step);

# %% [markdown]
# ## Training with the true past
#
# The loss is that of a language model: the mean of $-\log P(y_t)$ over all target tokens, with $P$ the softmax of the
# logits $z_t$. Each sentence ends with an end token `</s>`, which has to be predicted, too. In training the input of
# a step is the **true** token before (teacher forcing, unit 06), not the model's own.
#
# The next two exercises work for any decoder. They get a function `step(ids, s)` that returns the logits and the new
# state, such as `lambda ids, s: decode_step(params, ids, s, summary)`. `bigram_step` is the smallest one. Its logits
# are logarithms of probabilities that depend on the token before alone, and its state does not change:

# %%
START, END, WORD_A, WORD_B = range(4)
table = np.array([
    [0.01, 0.09, 0.50, 0.40],  # after START
    [0.25, 0.25, 0.25, 0.25],  # after END
    [0.01, 0.19, 0.20, 0.60],  # after WORD_A
    [0.01, 0.69, 0.20, 0.10],  # after WORD_B
])  # fmt: skip


def bigram_step(ids, s):
    return np.log(table[ids]), s


# %% [markdown]
# The first of two target sentences is WORD_A WORD_B with its end token, the second is WORD_B, padded. The table lists
# what the model reads and what it has to predict at each step. The loss of the batch is the mean of the last column:
# 0.572.

# %% tags=["nbval-check-output"]
targets = np.array([[WORD_A, WORD_B, END], [WORD_B, END, END]])
mask = np.array([[True, True, True], [True, True, False]])
total = 0.0
print("row  reads  target     P   -log P")
for row, target_ids in enumerate(targets):
    before = START
    for t in np.flatnonzero(mask[row]):
        p = table[before, target_ids[t]]
        print(f"{row:3} {before:6} {target_ids[t]:7} {p:6.2f} {-math.log(p):7.3f}")
        total, before = total - math.log(p), target_ids[t]
print(f"mean over {mask.sum()} real tokens: {total / mask.sum():.3f}")

# %% [markdown] exercise="teacher_forced_loss"
# Write `teacher_forced_loss`, which returns the mean of $-\log P$ (in nats) of the real target tokens. Call
# `step(ids, s)` once for each column of `targets`. The first input is `start` in each row; after that, the input is
# the column of targets before. Carry the state on. This call returns the mean of the table:
#
# ```python
# >>> print(round(teacher_forced_loss(bigram_step, np.zeros((2, 1)), targets, mask, START), 3))
# 0.572
# ```
#
# | | |
# |---|---|
# | `step` | function of (ids (B,), states (B, C)) that returns (logits (B, V), new states (B, C)) |
# | `s` | the states before the first step, (B, C); no array is modified |
# | `targets` | token ids (B, T); any id can be a real token, also 0 |
# | `mask` | booleans (B, T), `True` at real targets; each row has at least one |
# | `start` | the id of the start token |
# | returns | a number: one mean over all real targets of the batch |
# | large logits | must stay finite for logits of size 1,000: subtract the largest one first, as in unit 05 |

# %% exercise="teacher_forced_loss"
def teacher_forced_loss(step, s: np.ndarray, targets: np.ndarray, mask: np.ndarray, start: int) -> float:
    """Return the mean of -log P(target) over the real targets, in nats."""
    ### BEGIN SOLUTION
    ids, total = np.full(len(targets), start), 0.0
    for t in range(targets.shape[1]):
        logits, s = step(ids, s)
        z = logits - logits.max(axis=1, keepdims=True)
        ids = targets[:, t]
        log_probs = z[np.arange(len(ids)), ids] - np.log(np.exp(z).sum(axis=1))
        total -= log_probs[mask[:, t]].sum()
    return total / mask.sum()
    ### END SOLUTION


# %% check="teacher_forced_loss"
check.teacher_forced_loss(teacher_forced_loss);

# %% [markdown]
# ## Writing a translation
#
# At test time there is no true past: the decoder reads what it wrote itself. The simplest way is **greedy**: take the
# most probable token at each step, until it is the end token. (Unit 09 has better ways.) In `table` the most probable
# token after START is WORD_A, then WORD_B, then END. So the greedy text is WORD_A WORD_B.

# %% [markdown] exercise="translate_greedy"
# Write `translate_greedy`, which writes one text for each row of a batch, the most probable token at each step. The
# rows end at different steps: a row is over at its first `end`, and whatever the model says there later does not
# count. Stop when all rows are over, or after `max_length` steps:
#
# ```python
# >>> translate_greedy(bigram_step, np.zeros((1, 1)), START, END, max_length=5)
# [[2, 3]]
# >>> translate_greedy(bigram_step, np.zeros((1, 1)), START, END, max_length=1)
# [[2]]
# ```
#
# | | |
# |---|---|
# | `step`, `s` | as for `teacher_forced_loss`; each call gets the ids and the states of the call before |
# | `start`, `end` | ids of the start token, the first input of each row, and of the end token |
# | `max_length` | most tokens of a text, 0 or more |
# | returns | list of B lists of ids, without `start` and `end`; a list may be empty |
# | ties | of equal logits the lowest id, as `np.argmax` does |
# | calls | no call of `step` once all rows are over |

# %% exercise="translate_greedy"
def translate_greedy(step, s: np.ndarray, start: int, end: int, max_length: int) -> list:
    """Return a list of ids for each row, without start and end."""
    ### BEGIN SOLUTION
    ids, texts = np.full(len(s), start), [[] for _ in s]
    over = np.zeros(len(s), dtype=bool)
    for _ in range(max_length):
        logits, s = step(ids, s)
        ids = logits.argmax(axis=1)
        over = over | (ids == end)
        if over.all():
            break
        for row in np.flatnonzero(~over):
            texts[row].append(int(ids[row]))
    return texts
    ### END SOLUTION


# %% check="translate_greedy"
check.translate_greedy(translate_greedy);

# %% [markdown]
# ## Everything through one vector
#
# Now we train the translator in torch. Each word gets an id, and words never seen in training become `<unk>`.

# %% tags=["demo"] jupyter={"source_hidden": true}
import torch

SPECIAL = ["<s>", "</s>", "<unk>", "<pad>"]
START, END, UNK, PAD = range(4)
source_words, target_words = (
    [*SPECIAL, *sorted({word for pair in pairs for word in getattr(pair, side)})] for side in ("source", "target")
)
source_ids, target_ids = ({word: i for i, word in enumerate(words)} for words in (source_words, target_words))

print(f"{len(source_words)} different source words, {len(target_words)} target words")

# %% [markdown]
# `batch` returns padded ids and masks; target rows end with `</s>`. `batches` draws batches at random, of sentences
# of similar length, so that little is padded.

# %% tags=["demo"] jupyter={"source_hidden": true}
def padded(rows):
    """Return ids and mask of rows of different lengths, as tensors."""
    S = max(map(len, rows))
    ids = torch.tensor([[*row, *[PAD] * (S - len(row))] for row in rows])
    return ids, torch.tensor([[s < len(row) for s in range(S)] for row in rows])


def batch(pairs):
    """Return source ids and mask, target ids and mask."""
    source = padded([[source_ids.get(word, UNK) for word in pair.source] for pair in pairs])
    return *source, *padded([[*(target_ids.get(word, UNK) for word in pair.target), END] for pair in pairs])


def batches(pairs, draw, size=64, pool=32):
    """Yield batches, each of sentences of similar length, for ever."""
    while True:
        order = [pairs[i] for i in draw.permutation(len(pairs))]
        for at in range(0, len(order), pool * size):
            near = sorted(order[at : at + pool * size], key=lambda pair: len(pair.source))
            for k in draw.permutation(len(near) // size):
                yield batch(near[k * size : (k + 1) * size])


# %% [markdown]
# The training loop is that of unit 06: AdamW, a learning rate that rises and then falls along a cosine, and gradients
# clipped to a norm of 1. The decoder's inputs are the targets, shifted by one.

# %% tags=["demo"]
def train(model, pairs, steps, lr=1e-2):
    """Train on `steps` batches of the pairs and return the losses in nats."""
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    losses = []
    for step, tensors in zip(range(steps), batches(pairs, np.random.default_rng(rt.seed))):
        ids, mask, targets, real = (tensor.to(rt.device) for tensor in tensors)
        warmup, cosine = min(1, 10 * (step + 1) / steps), (1 + math.cos(math.pi * step / steps)) / 2
        optimizer.param_groups[0]["lr"] = lr * warmup * cosine
        inputs = torch.cat([torch.full_like(targets[:, :1], START), targets[:, :-1]], dim=1)
        wanted = targets.masked_fill(~real, -100)  # padding, which torch's loss ignores
        loss = torch.nn.functional.cross_entropy(model(ids, mask, inputs).flatten(0, 1), wanted.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses

# %% [markdown]
# `built` creates and trains a translator. `attention` says what its values are. With "none" the context is fixed.
# With "states" the values are the encoder's states, with "words" the vectors of the source words (both come later).
# Then the context has the width d of such a vector, and $W_c$ is (C, C + d).
#
# **What to expect**: the loss starts near ln V, about 6.9 nats for V target words. If it stays there, nothing is
# learned. If it ends at 4 to 5, the model knows how frequent words are, but does not use the source. Then the summary
# probably does not reach the decoder. If it falls to 0 within a few steps, the inputs are not shifted and the decoder
# sees its targets. Here it should end below 0.8.

# %% tags=["demo"]
from llmcourse.models.translation import Translator, TranslatorConfig

history = {}  # what a translator attends to -> its losses


def built(attention, pairs, steps):
    torch.manual_seed(rt.seed)
    sizes = len(source_words), len(target_words), 64, rt.pick(smoke=16, cpu=64, gpu=128)
    model = Translator(TranslatorConfig(*sizes, attention)).to(rt.device)
    losses = history[attention] = train(model, pairs, steps)
    print(f"{model.n_parameters:,} parameters, loss {losses[0]:.2f} at first, {np.mean(losses[-50:]):.2f} at the end")
    return model

# %% [markdown]
# The first model has a fixed context:

# %% tags=["demo"]
steps = rt.pick(smoke=5, cpu=700, gpu=2_000)
fixed = built("none", pairs, steps)

# %% [markdown]
# Your functions translate the test sentences with the trained weights. `choose` takes yours if its check has passed,
# else the library's, and says which.

# %% tags=["demo"]
encoder, decoder = (choose(mine, library) for mine, library in (
    (encode, translation.encode), (decode_step, translation.decode_step)))  # fmt: skip
greedy = choose(translate_greedy, translation.translate_greedy)
tests.sort(key=lambda pair: len(pair.source))
ids, mask_of_tests, targets, real = (tensor.numpy() for tensor in batch(tests))


def words_of(texts):
    return [[target_words[i] for i in text] for text in texts]


def show(pair, said):
    """Print source, reference and translation, with stars at words that the reference lacks."""
    marked = (word if word in pair.target else f"*{word}*" for word in said)
    print(" ".join(pair.source), "\n ", " ".join(pair.target), "\n ", " ".join(marked))


params, decoder_params = fixed.arrays()
states, summary = encoder(params, ids, mask_of_tests)
by_summary = words_of(greedy(lambda ids, s: decoder(decoder_params, ids, s, summary), summary, START, END, 40))

# %% [markdown]
# Here are three sentences, from short to long: the source, its reference, and below it the translation. Stars mark
# words that do not occur in the reference.

# %% tags=["demo"]
examples = [0, len(tests) // 2, len(tests) - 5]
for at in examples:
    show(tests[at], by_summary[at])

# %% [markdown]
# The shortest sentences come out right. In the long one many words are wrong, or in the wrong order. The figure shows
# BLEU for each length of the source. Expect it to fall.

# %% tags=["demo"] jupyter={"source_hidden": true}
def bleu(translations, part):
    """Return BLEU of the test sentences with these indices."""
    return translation.corpus_bleu([translations[i] for i in part], [list(tests[i].target) for i in part])


lengths = np.array([len(pair.source) for pair in tests])
ends = range(4, longest + 1, 2)  # each with the length one below it
by_length = {end: np.flatnonzero((lengths == end) | (lengths == end - 1)) for end in ends}
of_summary = [bleu(by_summary, by_length[end]) for end in ends]
ax = plotting.steps(ends, {"fixed context": of_summary}, "source words (this many or one fewer)", "BLEU")
ax.set(title="The longer the sentence, the less of it survives in one vector", ylim=(0, 105));

# %% [markdown]
# The summary has 2H numbers (128 on a CPU, 256 on a GPU), whether the sentence has three words or sixteen. This is
# the **bottleneck**: the encoder has to keep everything the decoder may need, in one vector, before the decoder has
# written a word. A larger vector moves the problem to longer sentences and does not solve it.

# %% [markdown] question="bottleneck"

# %% [markdown]
# ## Attention: look back at every word
#
# The encoder computes a state at every source position and then throws all but two away. Keep them. At each step the
# decoder asks: which source words do I need **now**? It compares its state with the encoder's state at each source
# word, which gives a score for each word. It turns the scores into weights that sum to 1, and takes the weighted mean
# of the encoder's states as its context. So each step needs S scores, and a sentence S T in all: four times as many
# if both sentences are twice as long.
#
# ![One step of a decoder with attention. Its state is the query. It is compared with the state of each of the three
# source words: three scores. A softmax makes weights of them. The sum of the states, each times its weight, is the
# context of this step.](figures/attention_step.svg)
#
# In general, attention looks something up, softly. The **query** says what is wanted. Each position has a **key**,
# which says what is there, and a **value**, which is what the query gets. In this translator keys and values are both
# the encoder's states. In a **head** of a transformer (unit 08) queries, keys and values are computed from the
# vectors of the tokens by three learned matrices.
#
# ## One head by hand
#
# In a head each token has six vectors: its input **x**, a query **q**, a key **k**, a value **v**, a row of
# **weights**, and its output **o**. We compute all of them for three tokens. The inputs are
#
# - *old*: x = (1, 0)
# - *cats*: x = (0, 1)
# - *sleep*: x = (1, 1)
#
# The head has two rows of numbers for each of q, k and v. The first row is multiplied by the first number of x, the
# second row by the second, and the two are added:

# %%
names, inputs = ["old", "cats", "sleep"], [(1, 0), (0, 1), (1, 1)]
rows = {
    "q": ((1, 0, 2, 1), (0, 1, 0, 1)),
    "k": ((1, 1, 0, 0), (0, 1, 1, 0)),
    "v": ((2, 0), (0, 3)),
}  # fmt: skip

# %% [markdown]
# These are the nine queries, keys and values:

# %% tags=["nbval-check-output"]
vectors = {}
for name, x in zip(names, inputs):
    for kind, (first, second) in rows.items():
        made = vectors[kind, name] = tuple(x[0] * a + x[1] * b for a, b in zip(first, second))
        print(f"{kind} of {name:5} = {x[0]} * {first} + {x[1]} * {second} = {made}")

# %% [markdown]
# A **score** is the dot product of a query and a key: multiply number by number and add. There are nine, one for each
# pair of a query and a key. Then each is divided by $\sqrt{d}$, here $\sqrt 4 = 2$, since queries and keys have d = 4
# numbers. (The next section shows why.)

# %% tags=["nbval-check-output"]
scores = {}
for a in names:
    for b in names:
        products = [f"{m}*{n}" for m, n in zip(vectors["q", a], vectors["k", b])]
        total = sum(m * n for m, n in zip(vectors["q", a], vectors["k", b]))
        scores[a, b] = total / 2
        print(f"{a:5} asks {b:5}: {' + '.join(products)} = {total}, and {total} / 2 = {total / 2}")

# %% [markdown]
# The softmax of the three scores of a query are its weights. The output o is the sum of the three values, each times
# its weight:

# %% tags=["nbval-check-output"]
outputs = []
for a in names:
    e = [math.exp(scores[a, b]) for b in names]
    weights = [one / sum(e) for one in e]
    parts = (f"exp({scores[a, b]}) / {sum(e):.3f} = {w:.3f}" for b, w in zip(names, weights))
    print(f"weights of {a:5} = {', '.join(parts)}")
    values = [vectors["v", b] for b in names]
    o = [sum(w * value[i] for w, value in zip(weights, values)) for i in (0, 1)]
    terms = " + ".join(f"{w:.3f} * {value}" for w, value in zip(weights, values))
    print(f"      o of {a:5} = {terms} = ({o[0]:.3f}, {o[1]:.3f})")
    outputs.append(o)

# %% [markdown]
# All three tokens attend most to *sleep*, because its key has the largest dot product with every query. In training
# the rows are changed by gradient descent until tokens attend to what helps.
#
# The same with matrices, in four lines. The inputs of the tokens are the rows of X, the two rows of the head are the
# rows of $W_q$, $W_k$ and $W_v$:

# %% tags=["nbval-check-output"]
X, (W_q, W_k, W_v) = np.array(inputs), (np.array(rows[kind]) for kind in "qkv")
Q, K, V = X @ W_q, X @ W_k, X @ W_v  # row i: the query, key, value of token i
e = np.exp(Q @ K.T / math.sqrt(4))  # row i, column j: token i asks token j
output = e / e.sum(axis=1, keepdims=True) @ V  # row i: the output of token i
print(output.round(3))
print("equal to the outputs by hand:", np.allclose(output, outputs))

# %% [markdown]
# ![One head. X (T, C) times three matrices gives Q and K (T, d) and V (T, D). The product of Q and the transposed K,
# divided by the root of d, is a T times T table of scores. The mask and a softmax along each row make the weights.
# The weights times V are the outputs O (T, D).](figures/one_head.svg)
#
# ## Why divide by the square root of d?
#
# Suppose that the numbers in queries and keys are independent, with mean 0 and variance 1. A dot product of d numbers
# is a sum of d products with variance 1 each, so its variance is d and its standard deviation $\sqrt d$. The wider
# the vectors, the larger the scores, and the closer the softmax comes to giving one key all the weight. Then its
# derivative is almost 0, and the network hardly learns. Dividing by $\sqrt d$ keeps the standard deviation at 1
# (Vaswani et al. 2017).
#
# We draw 1,000 random queries, 8 random keys for each, and measure the largest of the 8 weights and the derivative
# of a weight w with respect to its own score, w (1 - w), both on average.

# %% tags=["demo"] jupyter={"source_hidden": true}
rng, widths = np.random.default_rng(rt.seed), [1, 4, 16, 64, 256, 1024]
largest = {"not scaled": [], "divided by the root of d": []}
derivative = {"not scaled": [], "divided by the root of d": []}
spread = []
for d in widths:
    queries, keys = rng.standard_normal((1_000, 1, d)), rng.standard_normal((1_000, 8, d))
    dots = (queries * keys).sum(axis=2)
    spread.append(dots.std())
    for name, scale in zip(largest, (1, math.sqrt(d))):
        e = np.exp((dots - dots.max(axis=1, keepdims=True)) / scale)
        w = e / e.sum(axis=1, keepdims=True)
        largest[name].append(w.max(axis=1).mean())
        derivative[name].append((w * (1 - w)).mean())
print("standard deviation of the dot products:", [round(float(value), 1) for value in spread])
rt.claim("d = 1024: without the scale nearly all weight is on one key (largest weight)", largest["not scaled"][-1],
         largest["not scaled"][-1] > 0.9 and largest["divided by the root of d"][-1] < 0.6)  # fmt: skip

# %% tags=["demo"]
ax = plotting.curves(widths, largest, "d, numbers in a query (logarithmic)", "largest of 8 weights", log_x=True)
ax.set_title("Without the scale, wide vectors put all weight on one key");

# %% tags=["demo"]
ax = plotting.curves(widths, derivative, "d, numbers in a query (logarithmic)", "derivative of a weight", log_x=True)
ax.set_title("Then the weights hardly react to the scores");

# %% [markdown]
# Scaled scores give nearly the same weights on average from d = 16 on. Without the scale, the largest weight
# approaches 1 and the derivative approaches 0.

# %% [markdown] question="scale"

# %% [markdown]
# ## Scores for a batch
#
# In the translator each row b of a batch is a sentence of its own. Its query $q_b$ (the decoder's state, C numbers)
# meets the S keys of the same row (the encoder's states $k_{bj}$). The **scaled dot product** is
#
# $$\text{score}_{bj} = \frac{1}{\sqrt C} \sum_i q_{bi}\, k_{bji}$$

# %% [markdown] exercise="dot_score"
# Write `dot_score`, which returns the scaled dot products of the query of each row with the keys of this row. Here
# the query (2, 0, 1, 1) meets two keys: (2 · 3 + 1 · 1 + 1 · 1) / 2 = 4 and (2 · 0 + 1 · 2 + 1 · 0) / 2 = 1:
#
# ```python
# >>> dot_score(np.array([[2.0, 0, 1, 1]]), np.array([[[3.0, 5, 1, 1], [0, 9, 2, 0]]]))
# array([[4., 1.]])
# ```
#
# | | |
# |---|---|
# | `q` | queries, (B, C) |
# | `keys` | (B, S, C): `keys[b]` are the keys of row b; no argument is modified |
# | returns | scores (B, S), also for B = 1 or S = 1; float64 for float64 inputs |

# %% exercise="dot_score"
def dot_score(q: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Return the scores (B, S) of queries (B, C) with keys (B, S, C)."""
    ### BEGIN SOLUTION
    return np.einsum("bc,bsc->bs", q, keys) / math.sqrt(q.shape[1])
    ### END SOLUTION


# %% check="dot_score"
check.dot_score(dot_score);

# %% [markdown]
# A dot product compares number with number: number 3 of the query meets number 3 of the key only, and both vectors
# need the same width. A decoder and an encoder are two different networks, and what number 3 means in one has nothing
# to do with the other. So Luong, Pham and Manning (2015) put a learned matrix between the two, the **bilinear**
# score. They call it *general*:
#
# $$\text{score}_{bj} = q_b\, W_a\, k_{bj}^\top = \sum_i \sum_l q_{bi}\, (W_a)_{il}\, k_{bjl}$$
#
# $W_a$ is (D, C) for queries of width D. $(W_a)_{il}$ is the factor by which number i of the query times number l of
# the key counts. The matrix can learn the scale, too, so none is needed.

# %% [markdown] exercise="bilinear_score"
# Write `bilinear_score`, which returns the bilinear scores of the query of each row with the keys of this row. Here
# the query (1, 2) times $W_a$ is (1, 2, 4), and the two keys give 1 · 1 + 4 · 1 = 5 and 2 · 3 = 6:
#
# ```python
# >>> W_a = np.array([[1.0, 0, 2], [0, 1, 1]])
# >>> bilinear_score(np.array([[1.0, 2]]), np.array([[[1.0, 0, 1], [0, 3, 0]]]), W_a)
# array([[5., 6.]])
# ```
#
# | | |
# |---|---|
# | `q` | queries, (B, D) |
# | `keys` | (B, S, C); C and D may differ; no argument is modified |
# | `W_a` | (D, C), one matrix for all rows |
# | returns | scores (B, S), also for B = 1 or S = 1; float64 for float64 inputs |

# %% exercise="bilinear_score"
def bilinear_score(q: np.ndarray, keys: np.ndarray, W_a: np.ndarray) -> np.ndarray:
    """Return the scores (B, S) of queries (B, D) with keys (B, S, C)."""
    ### BEGIN SOLUTION
    return np.einsum("bc,bsc->bs", q @ W_a, keys)
    ### END SOLUTION


# %% check="bilinear_score"
check.bilinear_score(bilinear_score);

# %% [markdown]
# ## From scores to weights
#
# Padding must get no weight at all. So the softmax runs over the allowed positions only, where the mask is `True`:
#
# $$w_j = \frac{e^{\text{score}_j}}{\sum_{l \text{ allowed}} e^{\text{score}_l}} \text{ if } j \text{ is allowed,
# else } 0$$
#
# A common way to write this is to replace the other scores by $-\infty$, since $e^{-\infty} = 0$. Three things can go
# wrong. The mask has to act **before** the softmax: weights that are set to 0 afterwards no longer sum to 1. The
# exponential of a large score overflows, so the largest **allowed** score of each row is subtracted first. And a row
# with nothing to attend to would give 0 / 0; here it gets zeros.

# %% tags=["nbval-check-output"]
scores = np.array([2.0, 1.0, 0.0, 3.0])  # of one query with four keys; the last one is padding
e = np.exp(scores - 2.0)  # 2 is the largest allowed score
print("weights:                 ", (e[:3] / e[:3].sum()).round(3), "and 0, sum 1")
late = e / e.sum() * [1, 1, 1, 0]
print("masked after the softmax:", late.round(3), "sum", late.sum().round(3))

# %% [markdown] exercise="attention_weights"
# Write `attention_weights`, which returns the softmax of scores over the last axis, at the positions where the mask
# is `True`, and 0 elsewhere. The first row below is the example above, the second has nothing to attend to:
#
# ```python
# >>> scores = np.array([[2.0, 1, 0, 3], [5, 5, 5, 5]])
# >>> mask = np.array([[True, True, True, False], [False] * 4])
# >>> attention_weights(scores, mask).round(3)
# array([[0.665, 0.245, 0.09 , 0.   ],
#        [0.   , 0.   , 0.   , 0.   ]])
# ```
#
# | | |
# |---|---|
# | `scores` | (..., S): one axis or more, the last one are the keys; not modified |
# | `mask` | booleans in the same shape, `True` = may attend |
# | returns | weights, same shape, float64 for float64 scores |
# | rows | each sums to 1, or is all zeros if its mask is `False` everywhere |
# | large scores | must stay finite for scores of 1,000, also where masked scores are larger than all others |

# %% exercise="attention_weights"
def attention_weights(scores: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the softmax over the last axis where the mask is True, 0 elsewhere."""
    ### BEGIN SOLUTION
    top = np.where(mask, scores, scores.min()).max(axis=-1, keepdims=True)  # the largest allowed score
    e = np.exp(np.where(mask, scores - top, -np.inf))
    return e / np.maximum(e.sum(axis=-1, keepdims=True), 1)  # at least 1, unless nothing is allowed
    ### END SOLUTION


# %% check="attention_weights"
check.attention_weights(attention_weights);

# %% [markdown] question="mask"

# %% [markdown] exercise="context_vector"
# Write `context_vector`, which returns for each row the sum of its values, each times its weight. Below,
# 0.25 · (4, 0) + 0.75 · (0, 8) = (1, 6):
#
# ```python
# >>> context_vector(np.array([[0.25, 0.75]]), np.array([[[4.0, 0], [0, 8]]]))
# array([[1., 6.]])
# ```
#
# | | |
# |---|---|
# | `weights` | (B, S), used as they are: do not normalise them again |
# | `values` | (B, S, C): `values[b]` are the values of row b; no argument is modified |
# | returns | (B, C), also for B = 1, S = 1 or C = 1; float64 for float64 inputs |

# %% exercise="context_vector"
def context_vector(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the weighted sums (B, C)."""
    ### BEGIN SOLUTION
    return np.einsum("bs,bsc->bc", weights, values)
    ### END SOLUTION


# %% check="context_vector"
check.context_vector(context_vector);

# %% [markdown]
# Your four functions together are attention. On random numbers, 4 queries in one row each with 7 keys of width 8,
# they should equal torch's `scaled_dot_product_attention`:

# %% tags=["demo"]
weights_of = choose(attention_weights, translation.attention_weights)
dot, context = choose(dot_score, translation.dot_score), choose(context_vector, translation.context_vector)
rng = np.random.default_rng(rt.seed)
q, keys, values = rng.standard_normal((4, 8)), rng.standard_normal((4, 7, 8)), rng.standard_normal((4, 7, 3))
mask = np.arange(7) < np.array([[7], [5], [1], [3]])
mine = context(weights_of(dot(q, keys), mask), values)
theirs = torch.nn.functional.scaled_dot_product_attention(
    *map(torch.tensor, (q[:, None], keys, values)), attn_mask=torch.tensor(mask[:, None])
)
off = np.abs(mine - theirs[:, 0].numpy()).max()
rt.claim("attention by hand equals torch's (largest difference)", off, off < 1e-9)

# %% [markdown]
# ## Catch the impostor
#
# Attention has many places for a bug that raises no error: the wrong axis, a forgotten scale, a mask that acts too
# late. The outputs have the right shape, the model trains, and it is just worse than it should be. So people who
# build models write **tests**. In this exercise you write one.
#
# This is attention for matrices, with queries Q (T, d), keys K (S, d), values V (S, D) and a mask (T, S):

# %%
def attention(queries, keys, values, mask):
    """Return softmax(Q K^T / sqrt(d)) V, (T, D), with weight 0 where the mask is False."""
    scores = queries @ keys.T / math.sqrt(queries.shape[1])
    return attention_weights(scores, mask) @ values


# %% [markdown]
# The first impostor forgets the scale:

# %%
def without_scaling(queries, keys, values, mask):
    return attention_weights(queries @ keys.T, mask) @ values


# %% [markdown] exercise="test_attention"
# Write `test_attention`, which returns `True` if a given implementation of attention is right and `False` if it has
# a bug. It gets a function with the arguments of `attention` above, calls it on inputs that you choose, and compares
# what comes back with what has to come back: with numbers that you computed another way, or with a property, such as
# "a value that is hidden by the mask has no influence".
#
# ```python
# >>> test_attention(attention), test_attention(without_scaling)
# (True, False)
# ```
#
# The check in the notebook tries your test on a right implementation and on two **impostors**, implementations with
# one bug each. It stops at the first one that your test gets wrong. Grading tries it on three right implementations,
# written in different ways, and on six other impostors, which you do not see. Your test has to accept all right ones,
# otherwise it earns nothing. Then each impostor that it rejects earns an equal part of the points. The feedback page
# names those that you caught and says, for the others, what kind of input to try.
#
# | | |
# |---|---|
# | `attention` | function of `queries` (T, d), `keys` (S, d), `values` (S, D), `mask` (T, S) that returns (T, D) |
# | your inputs | float64 arrays, numbers of size 1; boolean mask, `True` = may attend, with a `True` in each row |
# | limits | at most 50 calls, at most 2,000 numbers in the arguments of one call |
# | returns | `True` or `False`; an error counts as `False`, also one that `attention` raises |
# | tolerance | a right implementation may compute in float32: allow differences of 1e-4 |
#
# You may call your `attention_weights` once it passes (grading uses a correct one).

# %% exercise="test_attention"
def test_attention(attention) -> bool:
    """Return whether this implementation of attention is right."""
    ### BEGIN SOLUTION
    rng = np.random.default_rng(0)
    for T, S in ((3, 5), (4, 4)):
        queries, keys, values = rng.normal(size=(T, 4)), rng.normal(size=(S, 4)), rng.normal(size=(S, 4))
        mask = np.tri(S, S, dtype=bool)[-T:]  # the last query may attend to every key
        want = attention_weights(queries @ keys.T / 2, mask) @ values
        if not np.allclose(attention(queries, keys, values, mask), want, atol=1e-4):
            return False
    return True
    ### END SOLUTION


# %% check="test_attention"
check.test_attention(test_attention);

# %% [markdown]
# A random input with a mask, T different from S and then T equal to S, finds most bugs at once. Where T = S,
# exchanged arguments still fit together, so only the numbers show the bug. Unit 08 has ten planted bugs; there you
# need such tests.
#
# ## Two heads set by hand
#
# What can a head do? We choose the weights of two heads, without training, and let them work on a text that repeats
# itself: six words in random order, then the same six again. The second time, the next word can be known at every
# position but the last: it is the word that followed the first time.
#
# 1. The **previous-token head** copies to each position the word before it. Its queries and keys are one-hot vectors
#    of positions: the query of position t asks for position t - 1.
# 2. The **same-word head** finds the earlier position that came after the present word. Its queries are the words.
#    Its keys are what the first head copied: the words before. Its values are the words.
#
# So at the second *b* of *a b c ... a b c ...*, the second head looks for a position whose previous word is *b*,
# finds the first *c*, and copies it. Such a pair is called an **induction head** (Olsson et al. 2022). Large models
# learn it by themselves. No query may look ahead: the first head attends to earlier positions, the second one also to
# its own. `sharp` multiplies the scores, so that the softmax gives one key nearly all the weight.

# %% tags=["demo"]
draw, sharp = np.random.default_rng(rt.seed), 30
half = [str(word) for word in draw.permutation(["fox", "lamp", "river", "bread", "queen", "tower"])]
text, kinds = half * 2, sorted(half)
words = np.array([[float(word == kind) for kind in kinds] for word in text])  # (T, V), one-hot
places = np.eye(len(text))  # (T, T), one-hot
at_or_before = np.tril(np.ones((len(text), len(text)), dtype=bool))  # True: may attend
earlier = np.tril(at_or_before, k=-1)

W_q = sharp * np.eye(len(text), k=-1)  # row t of places @ W_q is sharp at position t - 1
previous_weights = weights_of(places @ W_q @ places.T, earlier)
previous = previous_weights @ words  # (T, V): the word before each position
same_weights = weights_of(sharp * words @ previous.T, at_or_before)
guess = same_weights @ words  # (T, V): a probability for each next word
for t in (6, 7, 8):
    print(f"after {text[t]}: guess {kinds[guess[t].argmax()]}, next is {text[t + 1]}")

# %% [markdown]
# The figures show the weights of both heads. Each row is a query, each column a key. The first word has nothing
# before it, so the first row of the first head is all zeros.

# %% tags=["demo"]
ax = plotting.alignment(text, text, previous_weights)
ax.set(title="The previous-token head", xlabel="position of the key", ylabel="position of the query");

# %% tags=["demo"]
columns = [f"{word} ({key})" for word, key in zip(text, ["no key", *text])]
ax = plotting.alignment(columns, text, same_weights)
ax.set(title="The same-word head finds what followed", xlabel="position (its key, the word before)", ylabel="query");

# %% [markdown]
# In the first half no word has occurred before, so the second head finds no match and spreads its weight evenly. In
# the second half it finds the position after the earlier occurrence: the query *bread* meets the key *bread*.
#
# An **ablation** removes one part and measures what that costs. Without the first head, all scores of the second head
# are 0 and its weights are even. Then the next word, which has occurred once among t + 1 words, gets the
# probability 1 / (t + 1), and costs $\log_2 (t + 1)$ bits in place of nearly 0.

# %% tags=["demo"]
def cost(guess):
    """Return the mean of -log2 P(next word) over the second half, in bits."""
    second = range(len(half), len(text) - 1)
    return -np.mean([math.log2(guess[t, kinds.index(text[t + 1])]) for t in second])


even = weights_of(words @ (0 * previous).T, at_or_before) @ words  # without the first head its output is 0
expected = np.mean([math.log2(t + 1) for t in range(len(half), len(text) - 1)])
rt.claim("two heads set by hand continue a repeated text (bits per word)", cost(guess), cost(guess) < 0.01)
off = abs(cost(even) - cost(guess) - expected)
rt.claim(f"without the first head a word costs the {expected:.2f} bits that it should (difference)", off, off < 0.01)
hits = np.mean(previous_weights.argmax(axis=1)[1:] == np.arange(len(text) - 1))
rt.claim("the previous-token head attends to the previous token (fraction)", hits, hits == 1)

# %% [markdown]
# ## A translator that looks back
#
# With attention one step of the decoder has five parts:
#
# 1. The GRU computes the new state, which is the query.
# 2. The query is compared with all states of the encoder by the bilinear score, whose matrix $W_a$ (C, C) is learned.
# 3. A softmax of the scores gives the weights. They are 0 at padding.
# 4. The context is the sum of the values, each times its weight.
# 5. The readout is the same as before.
#
# `looked` keeps the weights of each step.

# %% tags=["demo"]
bilinear = choose(bilinear_score, translation.bilinear_score)
looked = []

# %% [markdown]
# Here is the step, for any keys and values:

# %% tags=["demo"]
def attentive(params, keys, values, mask):
    """Return the step of a decoder that attends to these keys and values."""

    def step(ids, s):
        s = gru_cell(params["gru"], params["E"][ids], s)
        looked.append(weights_of(bilinear(s, keys, params["W_a"]), mask))
        return readout(params, s, context(looked[-1], values)), s

    return step


# %% [markdown]
# The same training as before, with $W_a$ as the only additional parameter: compare the numbers of parameters that
# are printed. Keys and values are both the states. **What to expect**: the same start, and an end below that of the
# first model: with three seeds we measured 0.2 to 0.45. If it ends where the first model did, the context does not
# reach the readout, or the mask hides the words.

# %% tags=["demo"]
attending = built("states", pairs, steps)

# %% tags=["demo"]
params, decoder_params = attending.arrays()
states, summary = encoder(params, ids, mask_of_tests)
attend = attentive(decoder_params, states, states, mask_of_tests)
by_attention = words_of(greedy(attend, summary, START, END, 40))
for at in examples:
    show(tests[at], by_attention[at])

# %% [markdown]
# What does attention gain? We compare on all lengths, and claim a difference on the longest third of the sentences.

# %% tags=["demo"]
of_attention = [bleu(by_attention, by_length[end]) for end in ends]
lines = {"attention": of_attention, "fixed context": of_summary}
ax = plotting.steps(ends, lines, "source words (this many or one fewer)", "BLEU")
ax.set(title="With attention, much more of the long sentences survives", ylim=(0, 105));

# %% tags=["demo"]
third = range(2 * len(tests) // 3, len(tests))  # the tests are sorted by length
gain = bleu(by_attention, third) - bleu(by_summary, third)
print(f"longest third: fixed {bleu(by_summary, third):.1f} BLEU, attention {bleu(by_attention, third):.1f}")
rt.claim("longest third of the sentences: attention beats the fixed context (by, BLEU)", gain, gain > 10)

# %% [markdown]
# ## Where does it look?
#
# How often is the largest weight on a word that the target word translates? `aligned` counts this for nouns, verbs
# and adjectives, and for all words. The decoder reads the correct translation here, so that its words can be compared
# with the true alignment. We take the test sentences of up to twelve words, for which we will train a third model.

# %% tags=["demo"]
loss_of = choose(teacher_forced_loss, translation.teacher_forced_loss)


def aligned(step, s, targets, real):
    """Return the weights (B, T, S), and for two kinds of words the fraction whose largest weight is right."""
    looked.clear()
    loss_of(step, s, targets, real, START)
    hits = {"nouns, verbs, adjectives": [], "all words": []}
    weights = np.stack(looked, axis=1)
    for pair, rows in zip(tests, weights):
        true = true_alignment(pair)
        for t in np.flatnonzero(true.any(axis=1)):
            hits["all words"].append(true[t, rows[t].argmax()])
            readings = world.analyse(pair.target[t])
            if readings and readings[0].pos in ("noun", "verb", "adjective"):
                hits["nouns, verbs, adjectives"].append(hits["all words"][-1])
    return weights, {kind: float(np.mean(found)) for kind, found in hits.items()}


tests = [pair for pair in tests if len(pair.source) <= 12]
ids, mask_of_tests, targets, real = (tensor.numpy() for tensor in batch(tests))
states, summary = encoder(params, ids, mask_of_tests)
_, fractions = aligned(attentive(decoder_params, states, states, mask_of_tests), summary, targets, real)
print("values are states:", {kind: round(fraction, 2) for kind, fraction in fractions.items()})

# %% [markdown]
# A good translation does not need the largest weight to be on the right word. With three seeds we measured
# 0.91, 0.86 and 0.52 for nouns, verbs and adjectives, and 0.83, 0.71 and 0.47 for all words. There are two reasons
# why it can be low. A state of the encoder also contains the words around it, so the decoder can read *old* from the
# state of its neighbour *books*. And the decoder began with the summary, so for a short sentence it knows many words
# without looking.
#
# We take both ways away. In the next model the values are the vectors of the source **words**, which contain nothing
# of their neighbours, and the decoder starts from zeros. The keys are still the states. So a word can only be
# translated after it was looked at. This is harder to learn, so we train on sentences of up to twelve words and take
# more steps. **What to expect**: a loss below 0.8 at the end. With the same three seeds we measured fractions of
# 0.94, 0.93 and 0.81 for nouns, verbs and adjectives.

# %% tags=["demo"]
short = [pair for pair in pairs if len(pair.source) <= 12]
looking = built("words", short, rt.pick(smoke=5, cpu=1_200, gpu=2_000))

# %% [markdown]
# The figure shows the three losses, each as means over fifty equal parts of its training. Look at when each falls.

# %% tags=["demo"] jupyter={"source_hidden": true}
names = {"none": "fixed context", "states": "values are states", "words": "values are words, short sentences"}
means = {names[kind]: [np.mean(part) for part in np.array_split(losses, min(50, len(losses)))]
         for kind, losses in history.items()}  # fmt: skip
percent = np.linspace(0, 100, len(means["fixed context"]))
ax = plotting.curves(percent, means, "percent of the training steps", "loss in nats per token")
ax.set_title("With attention the loss ends lower");

# %% [markdown]
# With states as values the loss is close to that of the fixed context at first, and lower later. With words as values
# it falls more slowly for a while: nothing about the source is known until the weights are right. It ends low,
# too, but on shorter sentences, which are easier.

# %% tags=["demo"] jupyter={"source_hidden": true}
params, decoder_params = looking.arrays()
states, summary = encoder(params, ids, mask_of_tests)
attend = attentive(decoder_params, states, params["E"][ids], mask_of_tests)
attended, fractions = aligned(attend, np.zeros_like(summary), targets, real)
print("values are words:", {kind: round(fraction, 2) for kind, fraction in fractions.items()})

# %% [markdown]
# Now the figure of the beginning again, with the weights of this model.

# %% tags=["demo"]
at = tests.index(shown)
ax = plotting.alignment(shown.source, shown.target, attended[at][: len(shown.target), : len(shown.source)])
ax.set_title("The learned attention: compare with the true alignment");

# %% [markdown]
# The dark cells are nearly those of the true alignment, although the model was only trained to predict the next word.
# Nouns, verbs and adjectives have to be looked up. Articles, pronouns and the full stop need no look, even where they
# get one: the decoder can often tell them from what it has written, so their weights are free to be anywhere.

# %% tags=["demo"]
found = fractions["nouns, verbs, adjectives"]
rt.claim("nouns, verbs, adjectives: the largest weight is on a truly aligned word (fraction)", found, found > 0.7)

# %% [markdown]
# Is attention an explanation of what a model does? It shows where the model reads, not what it finds there, and not
# what it knew before. Here we had to build the model so that the weights tell which word was used.

# %% [markdown] question="explanation"

# %% [markdown] written="what_attention_changes"
# A friend has a translator with a fixed context. It is good on short sentences and bad on long ones. She plans to
# make its state four times as wide. Write 150 to 250 words. Explain
#
# - what the bottleneck is, and what a wider state changes about it;
# - what attention computes at each step, with the formulas of scores, weights and context;
# - which parts of the model stay as they are, and how many new parameters the model with states as values needs;
# - what attention costs: how the number of scores grows with the lengths of both sentences;
# - what you would look at first if her new model were no better than the old one.
#
# Use at least two numbers that you measured in this unit.
#
# ### BEGIN SOLUTION
# With a fixed context everything the decoder may need has to be in one vector of C numbers before the first word is
# written. Our model has C = 128 for three words and for sixteen, and its BLEU falls by more than half from the
# shortest to the longest sentences. Four times the width holds more, but the same fall comes at longer sentences, and
# the weights of a GRU grow by sixteen. With attention the encoder's states of all words are kept. At step t the state
# s of the decoder is the query: score_j = s W_a h_j, the weights w are the softmax of the scores over the real words,
# the context is the sum of w_j h_j. Encoder, GRU and readout stay as they are. Only W_a is new: C x C = 16,384
# numbers, less than 5 % of the model. It gained more than 10 BLEU on the longest third. The price: S scores at each
# of T steps, S T in all, where the fixed context needs none; sentences twice as long cost four times as much. If the
# new model were no better, I would draw its weights for a few sentences. If they are even, the scores do not reach
# the softmax or W_a is not trained; if they lie on padding, the mask is wrong; if a test with known values fails, the
# formula is.
# ### BEGIN MARK SCHEME
# 10 points. 2: the bottleneck: one vector of fixed size for any length; a wider one moves the problem. 3: scores,
# weights (softmax over the real words only), context (1 each). 1: encoder, GRU, readout stay. 1: only W_a is new, C x
# C. 1: S times T scores. 1: a sensible first look: the weights as a picture, the mask, a test. 1: two measured
# numbers, correctly used. Subtract 1 for "attention has no state" or for weights that are not normalised.
# ### END MARK SCHEME
# ### END SOLUTION

# %% [markdown]
# ## What was shown
#
# - A translator with a fixed context loses long sentences. The same model with attention keeps most of them: on the
#   longest third of the test sentences it is more than 10 BLEU better.
# - With words as values and a decoder that starts from zeros, the largest weight is on a truly aligned word for more
#   than 70 % of the nouns, verbs and adjectives. Over all words it is fewer, because articles, pronouns and the full
#   stop can be told without a look. With states as values it was between
#   52 and 91 % with three seeds.
# - Attention by hand equals torch's. Without the scale, wide vectors put all weight on one key.
# - Two heads whose weights were set by hand continue a repeated text. Without the first one a word costs as many bits
#   as it should.
#
# **To think about.** (1) The decoder still has a state that passes from step to step. Could attention replace it,
# too? (2) An encoder that reads the words in random order would give a bad fixed context. What would it do to
# attention? (3) A translator whose mask acts after the softmax still trains. How would you notice the bug?
#
# **Where the ideas come from.** Sutskever, Vinyals and Le 2014, arXiv:1409.3215; Cho et al. 2014, arXiv:1406.1078;
# Bahdanau, Cho and Bengio 2015, arXiv:1409.0473; Luong, Pham and Manning 2015, arXiv:1508.04025; Vaswani et al. 2017,
# arXiv:1706.03762; Papineni et al. 2002 (ACL); Olsson et al. 2022, arXiv:2209.11895 (induction heads); Jain and
# Wallace 2019, arXiv:1902.10186, and Wiegreffe and Pinter 2019, arXiv:1908.04626 (is attention an explanation?).
#
# **Next.** Attention reads all positions at once, but the recurrent networks on both sides still read one after the
# other. Unit 08 removes them: a transformer consists of attention and small networks, and nothing else.
