# %% [markdown]
# # Language modelling
#
# **Which sentence is likelier, and how would a machine know?**
#
# You order a coffee by voice. The machine hears *caramel iced latte* or *caramelised latte*: the sounds are nearly
# the same. Yet you know which one is on the menu. A **language model** turns that knowledge into a number: it gives
# every text a probability.
#
# In this unit you write the tools that all later units use: the probability of a text, the ruler that says how good
# a model is (bits and perplexity), a first model that counts, the temperature knob, a sampler, and a decoder for
# noisy speech.

# %% tags=["parameters"]
preset = "cpu"
device = "auto"
seed = 0

# %% [markdown]
# The cell below prepares the notebook. `rt` holds the preset (how large the run is: `smoke`, `cpu` or `gpu`), the
# random numbers and the *claims*: statements with a measured value. At preset `cpu` a claim that does not hold stops
# the run.

# %%
import math
from collections import Counter
from collections.abc import Callable

from llmcourse.checks import u01_language_modelling as check
from llmcourse.runtime import choose, setup

rt = setup(preset, device, seed)

# %% [markdown]
# Cells like the next one are demonstrations. They use the course library, so they work before you have solved
# anything. Nothing graded depends on them and grading skips them, so define what your answers need in your own cells.

# %% tags=["demo"]
from llmcourse import plotting, world
from llmcourse.models import probability
from llmcourse.text import corpora as data

# %% [markdown]
# The course has a small invented *world* and a program that writes stories about it. The stories come in **tokens**,
# here words and punctuation marks. Because we own the program, we know the exact probability of each token it
# writes. We take some stories to learn from and others, from another seed, as the exam.

# %% tags=["demo"]
n_tokens = rt.pick(smoke=20_000, cpu=300_000)
lessons = world.stories(tokens=n_tokens, seed=rt.seed)
train = [token for story in lessons for token in story.tokens]
exam = list(world.stories(tokens=n_tokens // 3, seed=rt.seed + 1_000))
exam_tokens = [token for story in exam for token in story.tokens]
print(f"{len(train):,} tokens to learn from, {len(exam_tokens):,} for the exam. One story begins:")
print(exam[0].text[:200], "...")

# %% [markdown]
# This is where the unit ends up: three models of these stories, each with the mean number of bits it needs for one
# token (section 2 explains this score). The first knows only the vocabulary, the second has counted words, the third
# is the exact truth.

# %% tags=["demo"]
vocabulary = world.vocabulary()
counted = probability.unigram_probs(train, vocabulary, epsilon=0.1)
counted_logps = [math.log(counted[token]) for token in exam_tokens]
exact_logps = [logp for story in exam for logp in story.logps]
world_bits = {
    "uniform (knows the vocabulary)": math.log2(len(vocabulary)),
    "unigram (has counted words)": probability.bits_per_token(counted_logps),
    "the exact probabilities": probability.bits_per_token(exact_logps),
}

# %% [markdown]
# Fewer bits are better. No model can do better on average than the last bar.

# %% tags=["demo"]
plotting.bars(world_bits, "bits per token on unseen stories (lower is better)");

# %% [markdown]
# Counting words takes off more than two bits. The gap between the second bar and the third is everything a model can
# learn by looking at the words before: that is the work of the other fifteen units.
#
# ## 1. The probability of a text
#
# Two things that a speech recogniser may hear:
#
# - *The stuff he knows can lead to problems.*
# - *The stuffy nose can lead to problems.*
#
# Both are English. A language model says how likely each one is. For five words in three orders it could say
# (Stanford CS324, lecture notes, 2022):

# %% tags=["nbval-check-output"]
claimed = {
    "the mouse ate the cheese": 0.02,
    "the cheese ate the mouse": 0.01,
    "mouse the the cheese ate": 0.0001,
}
for text, p in claimed.items():
    print(f"{text:26s} 1 in {1 / p:>6,.0f}")

# %% [markdown]
# The first two differ in **semantic** knowledge: cheese does not eat. The third is far below both, by **syntactic**
# knowledge: it is no sentence. One number holds both kinds.
#
# Nobody can list the probability of every text. The **chain rule** builds it from small steps, each the probability
# of one token after all tokens before it:
#
# $$P(x_1, \ldots, x_T) = P(x_1)\, P(x_2 \mid x_1)\, P(x_3 \mid x_1, x_2) \cdots P(x_T \mid x_1, \ldots, x_{T-1})$$
#
# By hand, with five invented steps:

# %% tags=["nbval-check-output"]
tokens = ["the", "mouse", "ate", "the", "cheese"]
product = 1.0
for t, p in enumerate([0.5, 0.2, 0.1, 0.8, 0.25]):
    product *= p
    print(f"{' '.join(tokens[:t]):>19s} | {tokens[t]:6s} {p:4.2f}   so far {product:.4f}")

# %% [markdown]
# Each token makes the text less likely. Four hundred tokens of probability 0.1 should give $10^{-400}$. Guess what
# the computer says:

# %% tags=["nbval-check-output"]
print("the product:", 0.1**400)
print("the sum of logs:", round(400 * math.log(0.1), 2))

# %% [markdown]
# The smallest positive number of type `float` is about $5 \times 10^{-324}$; below it everything is 0
# (**underflow**). Logarithms turn the product into a sum, and the sum is a harmless number. So from here on we add
# log-probabilities. We use natural logarithms; their unit is the **nat**.

# %% [markdown] exercise="chain_log_prob"
# Return $\log P$ of a text as the sum over its tokens.
#
# | | |
# |---|---|
# | `tokens` | list of tokens; may be empty |
# | `next_prob` | a function: `next_prob(history, token)` is the probability of `token` after `history` |
# | | `history` is a list of **all** tokens before it |
# | returns | a float: the natural logarithm of the probability of the text |
# | edges | no tokens: `0.0` (an empty product is 1); a token of probability 0: `-math.inf` |
# | | long texts must not underflow |

# %% exercise="chain_log_prob"
def chain_log_prob(tokens: list[str], next_prob: Callable) -> float:
    """The log-probability (nats) of the tokens, by the chain rule."""
    ### BEGIN SOLUTION
    total = 0.0
    for t, token in enumerate(tokens):
        p = next_prob(tokens[:t], token)
        if p == 0:
            return -math.inf
        total += math.log(p)
    return total
    ### END SOLUTION

# %% check="chain_log_prob"
check.chain_log_prob(chain_log_prob);

# %% [markdown]
# Now a language small enough to list completely: article, noun, verb, and after *ate* or *saw* another article and
# noun, then a full stop. `toy` returns the distribution of the next token, given the tokens so far; `toy_prob` looks
# up one probability in it.

# %%
ARTICLE, SUBJECT = {"the": 0.7, "a": 0.3}, {"mouse": 0.5, "cat": 0.4, "cheese": 0.1}
VERB, OBJECT = {"ate": 0.5, "saw": 0.3, "slept": 0.2}, {"cheese": 0.7, "mouse": 0.2, "cat": 0.1}

def toy(history):
    if len(history) == 5 or "slept" in history:
        return {".": 1.0}
    return [ARTICLE, SUBJECT, VERB, ARTICLE, OBJECT][len(history)]

def toy_prob(history, token):
    return toy(history).get(token, 0.0)

# %% [markdown]
# If the chain rule is right, the probabilities of *all* texts of this language sum to 1. `choose` takes your
# function if its check has passed, and the library's until then.

# %% tags=["demo"]
log_prob = choose(chain_log_prob, probability.chain_log_prob)
toy_texts = [list(text) for text, _ in probability.enumerate_texts(toy, ".", max_length=6)]
total = sum(math.exp(log_prob(text, toy_prob)) for text in toy_texts)
sentence = f"the probabilities of all {len(toy_texts)} texts of the toy language sum to 1"
rt.claim(sentence, total, abs(total - 1) < 1e-9)

# %% [markdown]
# And the five words from above in every order? Expect most orders to be impossible.

# %% tags=["demo"]
from itertools import permutations

orders = {" ".join(order) for order in permutations(["the", "mouse", "ate", "the", "cheese"])}
scores = {order: math.exp(log_prob([*order.split(), "."], toy_prob)) for order in orders}
for order in sorted(scores, key=scores.get, reverse=True)[:3]:
    print(f"{order:26s} {scores[order]:.4f}")
print(f"possible: {sum(p > 0 for p in scores.values())} of {len(scores)} orders")

# %% [markdown]
# The toy knows syntax (58 of 60 orders get 0) and a little semantics (mice eat cheese, seldom the other way).
# Everything it knows sits in the probabilities of the next token.
#
# The full stop matters: it is the **end token** of this language. Without it the model could not say how long a text
# is.

# %% [markdown] question="end_token"

# %% [markdown]
# ## 2. How good is a model?
#
# A model is good if it finds *new* text likely: text it has not learned from. The **surprise** of a token is
# $-\log_2 p$, in **bits**. A token of probability 1/2 costs 1 bit, 1/8 costs 3 bits, a sure one costs nothing. The
# mean over the tokens is the score of the model.

# %% tags=["nbval-check-output"]
probs = [1 / 2, 1 / 8, 1 / 32]
surprises = [-math.log2(p) for p in probs]
print("surprises in bits:", surprises, " mean:", sum(surprises) / 3)
nats = [-math.log(p) for p in probs]
print("the same in nats:", [round(x, 3) for x in nats], " mean:", round(sum(nats) / 3, 3))

# %% [markdown]
# Nats and bits measure the same thing: one bit is $\ln 2 = 0.693$ nats. Our log-probabilities come in nats, so you
# divide.

# %% [markdown] exercise="bits_per_token"
# Return the mean surprise of the tokens of a text, in bits.
#
# | | |
# |---|---|
# | `log_probs` | list of the log-probabilities of the tokens, in nats; `-math.inf` for a token of probability 0 |
# | returns | a float, 0 or more |
# | edges | an empty list: `ValueError`; a `-math.inf` in the list: `math.inf` |

# %% exercise="bits_per_token"
def bits_per_token(log_probs: list[float]) -> float:
    """The mean of -log2 p over the tokens."""
    ### BEGIN SOLUTION
    if not log_probs:
        raise ValueError("expected at least one token, got none")
    return -sum(log_probs) / len(log_probs) / math.log(2)
    ### END SOLUTION

# %% check="bits_per_token"
check.bits_per_token(bits_per_token);

# %% [markdown]
# **Perplexity** says the same as a number of choices: $2^{\text{bits}} = e^{\text{nats}}$. A model with perplexity 8
# is as unsure as if it had to guess among 8 equally likely tokens at every step (Jelinek and others, 1977). Here is
# the guess among 4, for a short and a long text:

# %% tags=["nbval-check-output"]
for length in (3, 300):
    log_probs = [math.log(1 / 4)] * length
    print(length, "tokens: sum", round(sum(log_probs), 2), " mean", round(sum(log_probs) / length, 4))

# %% [markdown]
# The sum grows with the text, the mean does not. Which operation turns the mean -1.3863 into 4?

# %% [markdown] exercise="perplexity"
# Return the perplexity of a text.
#
# | | |
# |---|---|
# | `log_probs` | list of the log-probabilities of the tokens, in nats; `-math.inf` for a token of probability 0 |
# | returns | a float, 1 or more: $\exp$ of minus the mean |
# | edges | an empty list: `ValueError`; a `-math.inf` in the list: `math.inf`; long texts must not underflow |

# %% exercise="perplexity"
def perplexity(log_probs: list[float]) -> float:
    """The number of equally likely choices that would be as surprising."""
    ### BEGIN SOLUTION
    if not log_probs:
        raise ValueError("expected at least one token, got none")
    return math.exp(-sum(log_probs) / len(log_probs))
    ### END SOLUTION

# %% check="perplexity"
check.perplexity(perplexity);

# %% [markdown]
# The stories of the world carry the exact log-probability of each token. So their perplexity is the lowest that any
# model can reach on average: the **floor**.

# %% tags=["demo"]
bits = choose(bits_per_token, probability.bits_per_token)
ppl = choose(perplexity, probability.perplexity)
floor = bits(exact_logps)
print(f"{len(vocabulary):,} tokens to choose from: uniform perplexity {len(vocabulary):,}")
print(f"floor: {floor:.3f} bits per token, perplexity {ppl(exact_logps):.2f}")

# %% [markdown]
# A floor so low means that most tokens follow from the ones before. Where is the surprise? We look at the first
# tokens of one story; expect names and other free choices to cost most.

# %% tags=["demo"]
first_tokens = exam[0].tokens[:24]
first_bits = [-logp / math.log(2) for logp in exam[0].logps[:24]]

# %% [markdown]
# One bar a token, in reading order:

# %% tags=["demo"]
plotting.surprise(first_tokens, first_bits);

# %% [markdown]
# The story pays where it chooses: about whom, what to tell next, in which words. The job and the town cost nothing:
# in this world they are settled with the person. A perfect model would show these very bars.

# %% [markdown] question="perplexity_means"

# %% [markdown]
# ## 3. A model that counts
#
# The simplest model that learns: count how often each word occurs and divide. It ignores the history, so it is
# called a **unigram** model. By hand:

# %% tags=["nbval-check-output"]
words = ["the", "mouse", "ate", "the", "cheese"]
counts = Counter(words)
print({word: count / len(words) for word, count in counts.items()})
print("cat:", counts["cat"] / len(words))

# %% [markdown]
# *cat* has probability 0, so any text with a cat in it is impossible and the perplexity is infinite. One unseen word
# ruins the score. The oldest remedy: pretend that every word of the vocabulary was seen $\epsilon$ times before you
# began to count ($\epsilon = 1$: Laplace; other values: Lidstone, 1920).
#
# $$P(w) = \frac{\text{count}(w) + \epsilon}{N + \epsilon V}$$

# %% [markdown] exercise="unigram_probs"
# Return the unigram distribution over a vocabulary.
#
# | | |
# |---|---|
# | `tokens` | list of N tokens |
# | `vocabulary` | list of the V distinct tokens that can occur |
# | `epsilon` | number added to every count, 0 or more |
# | returns | a dictionary with an entry for every token of the vocabulary; the values sum to 1 |
# | edges | a token that is not in the vocabulary: `ValueError`; no tokens and `epsilon` 0: `ValueError` |

# %% exercise="unigram_probs"
def unigram_probs(tokens: list[str], vocabulary: list[str], epsilon: float) -> dict[str, float]:
    """Add-epsilon estimates of the probabilities of single tokens."""
    ### BEGIN SOLUTION
    counts = Counter(tokens)
    if set(counts) - set(vocabulary):
        raise ValueError("expected tokens of the vocabulary only")
    total = len(tokens) + epsilon * len(vocabulary)
    if total == 0:
        raise ValueError("expected at least one token or a positive epsilon")
    return {token: (counts[token] + epsilon) / total for token in vocabulary}
    ### END SOLUTION

# %% check="unigram_probs"
check.unigram_probs(unigram_probs);

# %% [markdown]
# On the world: learn from the training stories, score the exam. **Expect** about 8 bits per token. More than the
# uniform model's 10.7: your probabilities do not belong to these tokens. Less than 6: something of the exam was in
# the training, or the values do not sum to 1.

# %% tags=["demo"]
unigram = choose(unigram_probs, probability.unigram_probs)
word_probs = unigram(train, vocabulary, 0.1)
unigram_bits = bits([math.log(word_probs[token]) for token in exam_tokens])
uniform_bits = math.log2(len(vocabulary))
print(f"uniform {uniform_bits:.3f}, unigram {unigram_bits:.3f}, floor {floor:.3f} bits per token")

# %% [markdown]
# The two gaps are claims of this unit. Each must be at least one bit wide.

# %% tags=["demo"]
gained, left = uniform_bits - unigram_bits, unigram_bits - floor
rt.claim("unigram beats uniform by more than 1 bit per token on the world", gained, gained > 1)
rt.claim("the exact floor is more than 1 bit per token below the unigram", left, left > 1)

# %% [markdown]
# Now real English, and the first two rungs of the **ladder**: one table of all language models of this course on the
# same held-out text. Its unit is bits per *character*, so that models with different tokens can be compared: the
# bits of the whole text, divided by its characters.
#
# Here the tokens are characters. **Expect** on tiny Shakespeare: uniform $\log_2 65 = 6.022$, unigram 4.829. Above
# 6: the counts are those of another text. Below 4: a unigram of characters cannot do that; did you score the text
# you counted?

# %% tags=["demo"]
from time import perf_counter

english = data.english()
characters = sorted(set(english.train + english.held_out))
start = perf_counter()
char_probs = unigram(list(english.train), characters, 1.0)
seconds = perf_counter() - start
char_bits = bits([math.log(char_probs[c]) for c in english.held_out])
print(f"{english.name}: learned from {len(english.train):,} characters, {char_bits:.3f} bits on the rest")

# %% [markdown]
# Both go on the ladder, with the number of probabilities they store.

# %% tags=["demo"]
V, N, corpus = len(characters), len(english.train), english.name
rt.ladder("uniform", math.log2(V), parameters=0, tokens=0, seconds=0, corpus=corpus)
rt.ladder("unigram", char_bits, parameters=V, tokens=N, seconds=seconds, corpus=corpus)

# %% [markdown]
# Lower on the page is better. Each later unit adds the models it has earned.

# %% tags=["demo"]
plotting.ladder(rt.ladder_rows(corpus));

# %% [markdown]
# Knowing which letters are frequent saves more than a bit of every six. Shannon (1951) had people guess the next
# letter of English with the text before in view: between 0.6 and 1.3 bits per letter, on an alphabet of 27. There is
# room.

# %% [markdown] question="bits_per_char"

# %% [markdown]
# ## 4. What a wrong model costs
#
# Suppose it rains with probability 0.3. If you believe $q$ instead, then rain surprises you by $-\log_2 q$ and no
# rain by $-\log_2(1 - q)$, and the *world* decides how often each happens. The mean surprise is the
# **cross-entropy** of truth $p$ and model $q$:
#
# $$H(p, q) = -\sum_x p(x) \log_2 q(x)$$
#
# By hand, for three beliefs:

# %% tags=["nbval-check-output"]
for q in (0.1, 0.3, 0.9):
    rain_costs, dry_costs = -math.log2(q), -math.log2(1 - q)
    print(f"belief {q:.1f}: {0.3 * rain_costs + 0.7 * dry_costs:.3f} bits a day")

# %% [markdown]
# The true belief is the cheapest. Being sure of the wrong thing (0.9) costs most.

# %% [markdown] exercise="cross_entropy"
# Return the cross-entropy of a model under the truth, in bits.
#
# | | |
# |---|---|
# | `truth` | dictionary from token to true probability; the values sum to 1 |
# | `model` | dictionary from token to the model's probability, in any order; a missing token has probability 0 |
# | returns | a float |
# | edges | a token with truth 0 adds nothing, whatever the model says |
# | | a token with truth above 0 and model 0 makes it `math.inf`; an empty `truth`: `ValueError` |

# %% exercise="cross_entropy"
def cross_entropy(truth: dict[str, float], model: dict[str, float]) -> float:
    """The mean of -log2 model(token), with tokens that come as often as the truth says."""
    ### BEGIN SOLUTION
    if not truth:
        raise ValueError("expected at least one token, got an empty truth")
    total = 0.0
    for token, p in truth.items():
        if p > 0:
            q = model.get(token, 0.0)
            if q == 0:
                return math.inf
            total -= p * math.log2(q)
    return total
    ### END SOLUTION

# %% check="cross_entropy"
check.cross_entropy(cross_entropy);

# %% [markdown]
# Your function draws the whole curve of beliefs about the rain. Expect one lowest point, at 0.3.

# %% tags=["demo"]
cost = choose(cross_entropy, probability.cross_entropy)
rain = {"rain": 0.3, "dry": 0.7}
beliefs = [i / 100 for i in range(2, 99)]
costs = [cost(rain, {"rain": q, "dry": 1 - q}) for q in beliefs]
entropy = cost(rain, rain)

# %% [markdown]
# The cross-entropy of the truth with itself is its **entropy** $H(p)$, the dotted line.

# %% tags=["demo"]
levels = {f"entropy {entropy:.3f}": entropy}
plotting.curves(beliefs, {"cross-entropy": costs}, "believed probability of rain", "bits a day", levels=levels);

# %% [markdown]
# No belief goes below the line (Gibbs' inequality). It touches the line at the truth, rises slowly beside it, and
# without limit towards the two kinds of certainty.
#
# For a unigram model this gives a short cut. Its score on a text depends only on how often each token occurs, so the
# cross-entropy of the counted frequencies must equal the bits per token. Expect two equal numbers:

# %% tags=["demo"]
frequencies = {c: count / len(english.held_out) for c, count in Counter(english.held_out).items()}
print(f"token by token: {char_bits:.6f}   by cross-entropy: {cost(frequencies, char_probs):.6f}")
print(f"entropy of these frequencies: {cost(frequencies, frequencies):.6f}")

# %% [markdown]
# The last line is the best that any model can do here *without looking at the history*. Our unigram, counted on
# other pages of the same text, comes close to it. To get further, a model must look back: that is unit 02.
#
# ## 5. A model is a compressor
#
# Surprise in bits is not only a picture. Shannon (1948) showed that a text can be written with about
# $-\log_2 P(\text{text})$ bits, and not with fewer on average. **Arithmetic coding** does it. Start with the
# interval from 0 to 1. Each token cuts the interval in pieces as wide as the tokens are probable and keeps its own
# piece. By hand, with a (3/4) before b (1/4):

# %% tags=["nbval-check-output"]
low, width = 0.0, 1.0
for token in "aab":
    low, width = (low, width * 3 / 4) if token == "a" else (low + width * 3 / 4, width / 4)
    print(f"{token}: {low:.4f} to {low + width:.4f}, width {width:.4f}, {-math.log2(width):.2f} bits")

# %% [markdown]
# The width is the probability of the text. To name the interval, send the digits of a binary number inside it:
# `0111` stands for all numbers from 0.4375 to 0.5, and these lie inside. Four bits, for 2.83 bits of surprise; the
# rounding costs at most 2 bits, once for the whole text.
#
# The library's coder does this with exact integers. We send the beginning of the held-out text through it and back.

# %% tags=["demo"]
excerpt = english.held_out[: rt.pick(smoke=60, cpu=1_000)]

def next_char(history):
    return char_probs

code = probability.arithmetic_encode(excerpt, next_char)
decoded = "".join(probability.arithmetic_decode(code, next_char, len(excerpt)))
print(f"{excerpt[:40]!r} ...\n{code[:60]} ...")
print(f"{len(excerpt)} characters in {len(code)} bits: {len(code) / len(excerpt):.3f} a character")

# %% [markdown]
# The code should be at most 2 bits longer than the surprise of the text.

# %% tags=["demo"]
surprise = -sum(math.log2(char_probs[c]) for c in excerpt)
extra = len(code) - surprise
exact = decoded == excerpt
rt.claim("the code decodes exactly, at most 2 bits above the surprise", extra, exact and extra <= 2)

# %% [markdown]
# How do our two models do as compressors, beside the programs that everybody uses? Plain text has 8 bits a
# character. We compress the whole held-out text; gzip and xz get it alone, as we have nothing to tell them in
# advance.

# %% tags=["demo"]
import lzma
import zlib

raw = english.held_out.encode("utf-8")
compressors = {"plain text": 8.0, "uniform": math.log2(len(characters)), "unigram": char_bits}
compressors["gzip (zlib, level 9)"] = 8 * len(zlib.compress(raw, 9)) / len(english.held_out)
compressors["xz (lzma)"] = 8 * len(lzma.compress(raw, preset=9)) / len(english.held_out)

# %% [markdown]
# A shorter bar is a smaller file.

# %% tags=["demo"]
plotting.bars(compressors, f"bits per character on the held-out part of {english.name}");

# %% [markdown]
# gzip and xz win, because they look back: they replace what they have seen before by a pointer. A language model
# that looks back beats them in turn, with counting alone, in the next unit.
#
# Seen this way, a large language model is a zip file of its training text, and a lossy one. Karpathy calls it
# `parameters.zip` (talk "Intro to large language models", 2023), with these round numbers for a 70B model: 10 TB of
# text, 6,000 GPUs for 12 days, about
# $2M, $10^{24}$ floating-point operations, 140 GB of parameters. Do they fit together?

# %% tags=["nbval-check-output"]
print(f"text / parameters: {10e12 / 140e9:.0f} to 1;  bytes a parameter: {140e9 / 70e9:.0f}")
gpu_hours = 6_000 * 12 * 24
print(f"GPU hours: {gpu_hours:,};  dollars an hour: {2e6 / gpu_hours:.2f}")
print(f"operations a second on each GPU: {1e24 / (gpu_hours * 3600):.1e}")
print(f"6 x parameters x tokens, with 2e12 tokens: {6 * 70e9 * 2e12:.1e}")

# %% [markdown]
# They do: two bytes a parameter are 16-bit numbers, about 1.6e14 operations a second are half of what a GPU of that
# time (NVIDIA A100: 3.1e14) can do at best, and unit 12 derives the rule of six operations per parameter and token.
# No exact compressor reaches 71 to 1 on text. The model keeps the gist and invents the rest, which is both its use
# and its fault.
#
# ## 6. Temperature, and drawing text
#
# So far the model judged text. Turned around, it writes: draw a token, append it, ask again. A knob decides how bold
# it is. The **temperature** T raises every probability to the power $1/T$ and renormalises. By hand, at T = 1/2 (the
# power is 2):

# %% tags=["nbval-check-output"]
drinks = {"latte": 0.5, "tea": 0.3, "juice": 0.2}
powers = {drink: p**2 for drink, p in drinks.items()}
total = sum(powers.values())
print({drink: round(power, 2) for drink, power in powers.items()}, " sum", round(total, 2))
print({drink: round(power / total, 3) for drink, power in powers.items()})

# %% [markdown]
# The favourite gained. At low temperatures beware of underflow: at T = 0.001 the power is 1000, and $0.3^{1000}$ is
# 0 for the computer. A factor common to all tokens cancels in the division; use that.

# %% [markdown] exercise="temper"
# Return the distribution at another temperature.
#
# | | |
# |---|---|
# | `probs` | dictionary from token to probability, at least one is positive |
# | | any weights of 0 or more are allowed: only their ratios matter |
# | `temperature` | T, above 0; from 0.001 to any size |
# | returns | a new dictionary with the same tokens: $p^{1/T}$ divided by the sum of these |
# | edges | a probability of 0 stays 0; T of 0 or less: `ValueError`; no overflow or underflow at small T |

# %% exercise="temper"
def temper(probs: dict[str, float], temperature: float) -> dict[str, float]:
    """p ** (1 / T), renormalised."""
    ### BEGIN SOLUTION
    if temperature <= 0:
        raise ValueError(f"expected a temperature above 0, got {temperature}")
    top = max(probs.values())
    powers = {token: (p / top) ** (1 / temperature) for token, p in probs.items()}
    total = sum(powers.values())
    return {token: power / total for token, power in powers.items()}
    ### END SOLUTION

# %% check="temper"
check.temper(temper);

# %% [markdown]
# The same menu at four temperatures. Expect the low one to put nearly all on the favourite, the high one to make all
# nearly equal.

# %% tags=["demo"]
tempered = choose(temper, probability.temper)
menu = {"latte": 0.5, "tea": 0.3, "juice": 0.15, "soup": 0.05}
at_temperature = {f"T = {t}": tempered(menu, t) for t in (0.2, 1, 3, 100)}

# %% [markdown]
# Four bars a drink, from cold (dark) to hot (light):

# %% tags=["demo"]
plotting.distributions(at_temperature);

# %% [markdown]
# T = 1 changes nothing. Towards T = 0 the largest takes all (**argmax**), towards infinity all are equal
# (**uniform**). The order never changes. How much choice is left is measured by the entropy.

# %% tags=["demo"]
temperatures = [10 ** (i / 20) for i in range(-30, 41)]
choice_left = [cost(p, p) for p in (tempered(menu, t) for t in temperatures)]
coldest, hottest = tempered(menu, 0.001), tempered(menu, 1e6)
rt.claim("T towards 0 is argmax", coldest["latte"], coldest["latte"] > 0.999999)
rt.claim("T towards infinity is uniform", hottest["soup"], abs(hottest["soup"] - 1 / 4) < 1e-5)

# %% [markdown]
# From no choice at all to two bits, the choice among four:

# %% tags=["demo"]
levels = {"uniform over four: 2 bits": 2.0}
line = {"entropy": choice_left}
plotting.curves(temperatures, line, "temperature T", "entropy (bits)", levels=levels, log_x=True);

# %% [markdown]
# The knob does most of its work between 0.1 and 10. Chat programs are mostly run at 1 or a little below.

# %% [markdown] question="zero_temperature"

# %% [markdown]
# To draw from a distribution we need one random number, uniform between 0 and 1. Lay the tokens end to end on that
# line, each as long as it is probable; the number falls into one of them. By hand, for latte, tea, juice:

# %% tags=["nbval-check-output"]
for u in (0.11, 0.62, 0.97):
    edge = 0.0
    for drink, p in drinks.items():
        edge += p
        if u < edge:
            print(f"u = {u}: the first sum above u is {edge:.1f}, so {drink}")
            break

# %% [markdown]
# A whole text is a loop over this step. It ends when the end token has been drawn.

# %% [markdown] exercise="sample_sequence"
# Draw a text from a model, token by token.
#
# | | |
# |---|---|
# | `next_probs` | a function: `next_probs(history)` is the distribution (a dictionary) after `history` |
# | | `history` is the list of all tokens drawn so far; `[]` at first |
# | `uniform` | a function without arguments: each call gives the next random number in [0, 1) |
# | | call it **once for each token** |
# | `end` | the end token: it is the last one of the text if it is drawn |
# | `max_length` | the text has at most this many tokens, 0 or more |
# | returns | the list of tokens drawn |
# | edges | the probabilities may sum to 1 only up to rounding; a token of probability 0 never comes |

# %% exercise="sample_sequence"
def sample_sequence(next_probs: Callable, uniform: Callable, end: str, max_length: int) -> list[str]:
    """A text drawn from the model, with its end token if it was reached."""
    ### BEGIN SOLUTION
    text = []
    while len(text) < max_length:
        u, total = uniform(), 0.0
        for token, p in next_probs(text).items():
            if p > 0:
                choice = token
                total += p
                if u < total:
                    break
        text.append(choice)
        if choice == end:
            break
    return text
    ### END SOLUTION

# %% check="sample_sequence"
check.sample_sequence(sample_sequence);

# %% [markdown]
# Texts of the toy language at three temperatures. Expect one sentence again and again when it is cold, and cheese
# with appetite when it is hot. `rt.random.random` is the source of uniform numbers.

# %% tags=["demo"]
draw = choose(sample_sequence, probability.sample_sequence)

def toy_text(t):
    return " ".join(draw(lambda history: tempered(toy(history), t), rt.random.random, ".", 6))

for t in (0.1, 1, 10):
    print(f"T = {t}:", toy_text(t), toy_text(t), toy_text(t))

# %% [markdown]
# A sampler is right if the texts come as often as the model says. The toy language has 78 texts, so we can count.
# The mean surprise of its own samples must come out as its entropy.

# %% tags=["demo"]
samples = [draw(toy, rt.random.random, ".", 6) for _ in range(rt.pick(smoke=200, cpu=5_000))]
toy_table = dict(probability.enumerate_texts(toy, ".", 6))
toy_entropy = cost(toy_table, toy_table)
sampled = -sum(log_prob(text, toy_prob) for text in samples) / len(samples) / math.log(2)
print(f"entropy of the toy language: {toy_entropy:.3f} bits a text")
near = abs(sampled - toy_entropy) < 0.15
rt.claim("the mean surprise of samples is within 0.15 bits of the entropy", sampled, near)

# %% [markdown]
# And English, from the unigram of characters. Do not expect words.

# %% tags=["demo"]
def letters(t, length=60):
    probs = tempered(char_probs, t)
    return "".join(draw(lambda history: probs, rt.random.random, None, length))

for t in (0.3, 1, 3):
    print(f"T = {t}:", repr(letters(t)))

# %% [markdown]
# The letters are as frequent as they should be, and nothing else is right: a unigram forgets each letter as soon as
# it is written. That is what 4.8 bits look like.
#
# ## 7. The noisy channel
#
# Back to the café. Someone meant a text, a noisy channel (air, microphone) made a signal of it, and we want the text
# back. Bayes' rule splits the question in two:
#
# $$\arg\max_{\text{text}} P(\text{text} \mid \text{signal})
# = \arg\max_{\text{text}} P(\text{text})\, P(\text{signal} \mid \text{text})$$
#
# The first factor is the language model, the second says how well the text explains the sound. Speech recognition
# and translation were built on this for decades (Jelinek, 1976; Brown and others, 1993). With invented
# log-probabilities, `heard` of the signal given the text, `said` of the text:

# %% tags=["nbval-check-output"]
heard = {"caramel iced latte": -9.2, "caramelised latte": -9.0}
said = {"caramel iced latte": -13.1, "caramelised latte": -17.9}
print("                      heard    said     sum")
for text in heard:
    print(f"{text:20s} {heard[text]:6.1f}  {said[text]:6.1f}  {heard[text] + said[text]:6.1f}")

# %% [markdown]
# The ear alone prefers the second by a hair, the language prefers the first by far.

# %% [markdown] exercise="rescore"
# Return the text with the largest $\log P(\text{text}) + \log P(\text{signal} \mid \text{text})$.
#
# | | |
# |---|---|
# | `texts` | list of candidate texts (strings, or lists of words) |
# | `signal_log_probs` | list of the same length: $\log P(\text{signal} \mid \text{text})$ of each |
# | `text_log_prob` | a function: `text_log_prob(text)` is $\log P(\text{text})$, in nats |
# | returns | one of the texts |
# | edges | among equals the earliest (also if all are `-math.inf`); no texts: `ValueError` |
# | | the sums may be in the thousands below 0 |

# %% exercise="rescore"
def rescore(texts: list[str], signal_log_probs: list[float], text_log_prob: Callable) -> str:
    """The text that explains the signal best and is likely itself."""
    ### BEGIN SOLUTION
    if not texts:
        raise ValueError("expected at least one text, got none")
    scores = [text_log_prob(text) + heard for text, heard in zip(texts, signal_log_probs, strict=True)]
    return texts[scores.index(max(scores))]
    ### END SOLUTION

# %% check="rescore"
check.rescore(rescore);

# %% [markdown]
# The two sentences from the beginning, with invented numbers again:

# %% tags=["demo"]
decode = choose(rescore, probability.rescore)
candidates = ["the stuff he knows can lead to problems", "the stuffy nose can lead to problems"]
language = {candidates[0]: -31.0, candidates[1]: -24.5}
print(decode(candidates, [-15.1, -15.6], language.get))

# %% [markdown]
# Now in earnest. The world has pairs of transcripts that sound alike: one word is replaced by another with the same
# sound, and the acoustic scores hardly differ. Here are two pairs; the right text is marked.

# %% tags=["demo"]
pairs = world.transcript_pairs(rt.pick(smoke=60, cpu=600), seed=rt.seed)
for pair in pairs[:2]:
    for i, text in enumerate(pair.texts):
        print("right" if i == pair.right else "     ", f"{pair.acoustic_logps[i]:7.2f}", " ".join(text))

# %% [markdown]
# A unigram cannot hear that a word does not fit its neighbours. So we look ahead to unit 02 and count *pairs* of
# words: a **bigram** model gives the probability of a word after the one before it. That is one unigram model for
# each word that may stand before.

# %% tags=["demo"]
from itertools import pairwise

pair_counts, word_counts = Counter(pairwise(train)), Counter(train)

def bigram_log_prob(text, epsilon=0.01):
    steps = pairwise([".", *text])
    added = epsilon * len(vocabulary)
    return sum(math.log((pair_counts[a, b] + epsilon) / (word_counts[a] + added)) for a, b in steps)

# %% [markdown]
# Three decoders: the ears alone (every text equally likely), the unigram, the bigram. **Expect** the ears near one
# half: a coin. If the bigram is near one half too, the pairs it needs are not in its counts.

# %% tags=["demo"]
models = {
    "ears alone": lambda text: 0.0,
    "with unigram": lambda text: sum(math.log(word_probs[word]) for word in text),
    "with bigram": bigram_log_prob,
}

def share_right(model):
    right = [decode(p.texts, p.acoustic_logps, model) == p.texts[p.right] for p in pairs]
    return sum(right) / len(pairs)

accuracy = {name: share_right(model) for name, model in models.items()}

# %% [markdown]
# The claim: with a bigram, at least nine of ten.

# %% tags=["demo"]
best = accuracy["with bigram"]
rt.claim("rescoring with a bigram is right in at least 90% of the transcript pairs", best, best >= 0.9)

# %% [markdown]
# The fraction of pairs decoded right:

# %% tags=["demo"]
plotting.bars(accuracy, f"fraction of {len(pairs)} transcript pairs decoded right", digits=3);

# %% [markdown]
# One neighbour on each side settles what neither the ears nor the word counts can. For each pair we can see both
# witnesses: how many bits the signal and the language give in favour of the right text.

# %% tags=["demo"]
by_ear, by_language = [], []
for pair in pairs:
    right, wrong = pair.right, 1 - pair.right
    ear, language = pair.acoustic_logps, [bigram_log_prob(text) for text in pair.texts]
    by_ear.append((ear[right] - ear[wrong]) / math.log(2))
    by_language.append((language[right] - language[wrong]) / math.log(2))

# %% [markdown]
# One point a pair. Above the dashed line the sum of both favours the right text.

# %% tags=["demo"]
plotting.evidence(by_ear, by_language);

# %% [markdown]
# The signal is as often against the right text as for it, by little. The language speaks clearly, and nearly always
# for it. A cross is a pair where the words next to the doubtful one fit the wrong word better; there a longer
# history is needed.
#
# ## What to take with you

# %% [markdown] written="why_floor"
# On the world's stories we know the floor: the bits per token of the exact probabilities. (a) Why can no model score
# below it on average, however large it is? (b) A model that was trained by a friend scores clearly below the floor
# on the exam stories. Name two things that could have happened. (c) On real English nobody knows the floor. Does it
# exist, and what can we still say about it from the scores of models? Five to eight sentences.
#
# ### BEGIN SOLUTION
# (a) The bits per token of a model on text from the world are its cross-entropy with the truth, and a cross-entropy
# is never below the entropy of the truth (Gibbs): the two are equal only where the model's probabilities are the
# true ones. The world draws its tokens at random, and this randomness cannot be known before the token is there;
# more parameters do not change that. (b) The exam stories, or some of them, may have been in the training data, so
# the model remembers what it should predict. Or its "probabilities" are none: they do not sum to 1 over the
# vocabulary, they look at the token to be predicted, or the mean was taken over other tokens than ours (characters,
# or without the end token). On a short exam a small difference can also be luck. (c) It exists in the sense that
# writers make choices which no text before determines. Each model's score on held-out text is an upper bound of it,
# so every better model lowers the bound, but no model can prove that it has arrived.
# ### BEGIN MARK SCHEME
# 4 points for (a): cross-entropy is at least the entropy (2); the floor is randomness of the source and not a lack
# of capacity (2).
# 4 points for (b): two different causes, 2 points each. Accept: training on the exam; values that do not sum to 1;
# seeing the target; another unit or other tokens in the mean; a very short exam.
# 2 points for (c): it exists but is unknown (1); scores of models on held-out text bound it from above (1).
# Take nothing off for language or length.
# ### END MARK SCHEME
# ### END SOLUTION

# %% [markdown]
# ### What was shown
#
# - The probabilities of all texts of a toy language, built by the chain rule, sum to 1.
# - On the world: uniform > unigram > exact floor, in bits per token, with more than a bit between each two.
# - On English: the first two rungs of the ladder; a model with b bits per character is a compressor to b bits per
#   character.
# - Temperature goes from argmax to uniform; samples follow the model they are drawn from.
# - A bigram picks the right transcript in at least nine of ten pairs that sound alike.
#
# ### To think about
#
# 1. Model A has the lower perplexity, but model B picks more transcripts right. How can that be?
# 2. Raising a text's probability must lower that of others. Whose probability does a model lower when it learns
#    English?
# 3. gzip is a language model. How would you get the probability of the next character out of it?
#
# ### Where the ideas come from
#
# - C. E. Shannon, *A mathematical theory of communication*, 1948: entropy, coding, and n-gram models of English.
#   *Prediction and entropy of printed English*, 1951: people as language models.
# - F. Jelinek, *Continuous speech recognition by statistical methods*, 1976: the noisy channel. Jelinek, Mercer,
#   Bahl and Baker, *Perplexity, a measure of the difficulty of speech recognition tasks*, 1977.
# - P. Brown, S. Della Pietra, V. Della Pietra and R. Mercer, *The mathematics of statistical machine
#   translation*, 1993.
# - I. Witten, R. Neal and J. Cleary, *Arithmetic coding for data compression*, 1987.
# - P. Liang and others, Stanford CS324, lecture notes, 2022. A. Karpathy, *Intro to large language models*,
#   talk, 2023.
#
# ### Next
#
# The unigram forgets every word as soon as it is said. Unit 02 counts longer and longer histories, finds that most
# of them were never seen, and repairs that: with counting alone it takes the ladder from 4.83 bits to 2.2.
