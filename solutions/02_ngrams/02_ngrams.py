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
# # N-grams
#
# **How far does counting go?** The unigram model of unit 01 gives a word the same probability everywhere. But the
# next word depends on the words before it, and the simplest way to use them is to count: of all the times that the
# last n - 1 words occurred in this order, how often did each word come next? In this unit you increase n, see the
# counts run out, and repair the model in three ways. The best repair is from 1995 and is still hard to beat on a text
# of this size.

# %% tags=["parameters"]
preset = "cpu"
device = "auto"
seed = 0

# %% [markdown]
# The whole notebook takes about half a minute on one core. `rt` holds the preset and the seed, and records the
# claims. Where a cell shows only three dots, its code is folded because no exercise needs it. Click on the dots to
# read it.

# %%
import math
from collections import Counter

from llmcourse.checks import u02_ngrams as check
from llmcourse.runtime import choose, setup

rt = setup(preset, device, seed)

# %% [markdown]
# ## What you will build
#
# The text is tiny Shakespeare if it is available, otherwise the language manual that comes with Python. Each model
# counts the first 90 % of the text, the training text, and is scored on the last 10 %, the held-out text. The tokens
# are single characters here, so the score is in **bits per character**: the number of bits that a perfect compressor
# with this model needs for one character (unit 01). Lower is better.

# %% tags=["demo"] jupyter={"source_hidden": true}
import time

import numpy as np

from llmcourse import plotting
from llmcourse.models import ngram, ngram_scores
from llmcourse.models.ngram import NgramConfig
from llmcourse.text import corpora as data

english = data.english()
size = rt.pick(smoke=40_000, cpu=len(english.train))
train_text, held_out_text = english.train[:size], english.held_out[:size]
characters = sorted(set(english.train + english.held_out))
train_ids = ngram.encode(train_text, characters)
held_out_ids = ngram.encode(held_out_text, characters)
print(f"{english.name}: {len(train_ids):,} characters to count, {len(held_out_ids):,} held out")

# %% [markdown]
# The next cell fits one model for each n and for each of three ways to turn counts into probabilities. The unit
# explains their names one after the other. Expect between 1.5 and 5.5 bits. Uniform guessing costs log2 V bits for V
# different characters, about 6. A score below 1 would mean that the held-out text is part of the training text.


# %% tags=["demo"] jupyter={"source_hidden": true}
def bits(counted, scored, n, smoothing, **settings):
    model = ngram.fit(counted, len(characters), NgramConfig(n, smoothing, **settings))
    return model.bits_per_token(scored)


orders = list(range(1, 8))
smoothings = {"add-k (k = 0.01)": "add_k", "interpolated": "interpolated", "Kneser-Ney": "kneser_ney"}
sweep = {name: [bits(train_ids, held_out_ids, n, how) for n in orders] for name, how in smoothings.items()}

# %% [markdown]
# In the figure, look for the n at which each curve is lowest.

# %% tags=["demo"]
ax = plotting.steps(orders, sweep, "n, the length of the n-grams", "bits per character, held out")
ax.set_title("Longer n-grams help only a model that handles unseen ones well");

# %% [markdown]
# The three models count the same n-grams. With add-k the held-out text becomes easier to predict up to n = 4 or 5,
# and then quickly harder. Interpolation turns later, and Kneser-Ney hardly turns at all. At the end of this unit you
# can compute each of these curves and say why it turns where it does.
#
# ## The idea: only the last n - 1 tokens count
#
# A language model needs P(next token | all tokens before it). An **n-gram model** assumes that only the last n - 1
# tokens matter (Markov 1913; Shannon 1948):
#
# $$P(w_t \mid w_1 \dots w_{t-1}) \approx P(w_t \mid w_{t-n+1} \dots w_{t-1})$$
#
# Here $w_t$ is the token at position $t$. The n - 1 tokens on the right of the bar are called the **history**.
#
# Four sentences are enough to see how it works. Which words follow *students opened their*? A 4-gram model has a
# history of three words: it looks for all places where these three occur and counts the words that come next. Expect
# two different words, one of them twice.

# %% tags=["nbval-check-output"]
toy = (
    "the students opened their books . the students opened their laptops . "
    "the students opened their books . the teacher opened the window ."
).split()
history = ("students", "opened", "their")
followers = Counter(toy[i + 3] for i in range(len(toy) - 3) if tuple(toy[i : i + 3]) == history)
print(followers)

# %% [markdown]
# A **count table** holds these numbers for every history of the text at once. Each history has a row with its next
# tokens and their counts. In the drawing, the row that we just counted is the last one; the estimate below it is
# explained in the next section.
#
# ![A table of counts. Its rows are histories of three words, its columns are the nine words that can come next. In the row of "students opened their" the column "books" holds 2 and the column "laptops" holds 1. The row sum is 3, so the estimate of books after this history is 2/3. Most cells are empty: these 4-grams were never seen.](figures/count_table.svg)

# %% [markdown] exercise="ngram_counts"
# Write `ngram_counts`, which returns the count table of a text. The table is a dictionary that maps each history to
# its row, and a row is a dictionary that maps each next token to its count: `table[history][token]` says how often
# `token` came directly after `history`. For example, `ngram_counts(["b", "a", "b", "a"], 3)` is
# `{("b", "a"): {"b": 1}, ("a", "b"): {"a": 1}}`.
#
# | | |
# |---|---|
# | `tokens` | a list of strings (or other hashable tokens) of any length |
# | `n` | length of history and next token together |
# | returns | dictionary of dictionaries (`Counter` and `defaultdict` are dictionaries too); the keys are tuples of n - 1 tokens |
# | edges | n = 1: the only history is `()`; fewer than n tokens: an empty table; n < 1: `ValueError` |

# %% exercise="ngram_counts"
def ngram_counts(tokens: list, n: int) -> dict:
    """Return how often each token follows each history of n - 1 tokens."""
    ### BEGIN SOLUTION
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    table = {}
    for i in range(n - 1, len(tokens)):
        row = table.setdefault(tuple(tokens[i - n + 1 : i]), {})
        row[tokens[i]] = row.get(tokens[i], 0) + 1
    return table
    ### END SOLUTION


# %% check="ngram_counts"
check.ngram_counts(ngram_counts);

# %% [markdown]
# The table gives the same answer as before. From here on `counts` is your function if it passed its check, otherwise
# the library's.

# %% tags=["demo"]
counts = choose(ngram_counts, ngram.ngram_counts)
fourgrams = counts(toy, 4)
print(fourgrams["students", "opened", "their"])

# %% [markdown]
# ## From counts to probabilities
#
# The simplest estimate of a probability is the **relative frequency**: *books* came next in two of three cases, so
# its probability is 2/3. This is the **maximum likelihood estimate** (MLE). Among all possible probabilities, these
# give the counted text the highest probability:
#
# $$P_{\text{MLE}}(w \mid h) = \frac{c(h\,w)}{\sum_{w'} c(h\,w')}$$
#
# Here $h$ is the history, $w$ the next token and $c(h\,w)$ the number of times that $w$ came directly after $h$. The
# sum over all tokens $w'$ is the number of times that anything came after $h$. If $h$ is not in the table, the
# formula says 0 / 0 and defines nothing; the function below returns 0.0 there.

# %%
def mle_prob(table: dict, history: tuple, token) -> float:
    """Return the relative frequency of `token` after `history`, 0.0 if the history was never seen."""
    row = table.get(history, {})
    return row.get(token, 0) / sum(row.values()) if row else 0.0


# %% [markdown]
# The next cell prints the MLE of three words after *students opened their*, then of the words of two sentences, from
# the fourth on. Both sentences are good English, but only the first is in the text. The probability of a sentence is
# a product, so look for a 0.

# %% tags=["demo"]
print({word: round(mle_prob(fourgrams, history, word), 2) for word in ["books", "laptops", "exams"]})
for sentence in ["the students opened their books .", "the teacher opened their books ."]:
    said = sentence.split()
    steps = [mle_prob(fourgrams, tuple(said[i - 3 : i]), said[i]) for i in range(3, len(said))]
    print(sentence, [round(p, 2) for p in steps])

# %% [markdown]
# The 4-gram *the teacher opened their* was never seen. Its probability 0 makes the probability of the whole sentence
# 0 and its perplexity infinite. For the next word there is nothing to divide by: its history *teacher opened their*
# is not in the table at all.
#
# ## A score that is too good
#
# Below is the first draft of a function that scores a text. It goes through the text, looks up the MLE of each token
# after its history, and averages the costs in bits, $-\log_2 P$.

# %% tags=["demo"]
def score_draft(table, tokens, n):
    bits_of = []
    for i in range(n - 1, len(tokens)):
        row = table.get(tuple(tokens[i - n + 1 : i]), {})
        if tokens[i] in row:  # otherwise P is 0, and log2(0) raises an error
            bits_of.append(-math.log2(row[tokens[i]] / sum(row.values())))
    return sum(bits_of) / len(bits_of)


# %% [markdown]
# The next cell counts the n-grams of the training words and lets the draft score 20,000 held-out words, for n = 2 to
# 5. Punctuation marks count as words. Look at the numbers before you read on: do you believe them?

# %% tags=["demo"]
words = data.words(train_text)
held_out_words = data.words(held_out_text)
some_words = held_out_words[: rt.pick(smoke=500, cpu=20_000)]
for n in range(2, 6):
    print(f"n = {n}: {score_draft(counts(words, n), some_words, n):5.2f} bits per word")

# %% [markdown] exercise="score_text"
# Write `score_text`, which returns the mean of $-\log_2 P_{\text{MLE}}(w \mid h)$ over all tokens of a text that have
# n - 1 tokens before them. The draft should do this, but it says that a 5-gram model needs less than one bit for a
# word. That would be as easy as choosing between fewer than two words, and nobody can predict English so well. The
# draft has a bug, which real experiments have had, too. Find it, and write the function without it. For example,
# `score_text(fourgrams, "the students opened their books .".split(), 4)` is 0.195: three words are scored, with 0,
# 0.585 and 0 bits.
#
# | | |
# |---|---|
# | `table` | the count table of some training text for this n |
# | `tokens` | the list of tokens to score; any text, not only the one that was counted |
# | `n` | length of history and next token together, as in the table |
# | returns | a float, 0 or larger (`math.inf` is a float, too) |
# | edges | fewer than n tokens: `ValueError`, since there is nothing to score |

# %% exercise="score_text"
def score_text(table: dict, tokens: list, n: int) -> float:
    """Return the mean of -log2 P(token | history) in bits, with maximum likelihood from `table`."""
    ### BEGIN SOLUTION
    if len(tokens) < n:
        raise ValueError(f"need at least n = {n} tokens to score, got {len(tokens)}")
    bits_so_far = 0.0
    for i in range(n - 1, len(tokens)):
        prob = mle_prob(table, tuple(tokens[i - n + 1 : i]), tokens[i])
        if prob == 0:
            return math.inf
        bits_so_far -= math.log2(prob)
    return bits_so_far / (len(tokens) - n + 1)
    ### END SOLUTION


# %% check="score_text"
check.score_text(score_text);

# %% [markdown]
# Here are the same two sentences, scored again, and then the held-out words.

# %% tags=["demo"]
score = choose(score_text, ngram_scores.score_text)
for sentence in ["the students opened their books .", "the teacher opened their books ."]:
    print(sentence, round(score(fourgrams, sentence.split(), 4), 3))
print("held-out words:", [score(counts(words, n), some_words, n) for n in range(2, 6)])

# %% [markdown]
# One impossible word is enough to make the score infinite. The draft left every such word out of the mean. So it
# averaged over the easy words only, and with each n fewer words were easy. A small number such as $10^{-10}$ in place
# of 0 would not help: the score would then depend on the number that somebody chose. The model itself must give every
# word a probability above 0.

# %% [markdown] question="unseen_sentence"

# %% [markdown]
# There is a second limit. In *as the proctor started the clock, the students opened their ...* a reader expects
# *exams*, but a 4-gram model does not see the proctor. A larger n would include him. What does a larger n cost?
#
# ## What a larger n costs
#
# With V different words there are V^n possible n-grams. Only those that occur need to be stored, so the next cell
# counts them. For comparison it lists a famous table, Google's Web 1T (Brants and Franz 2006): the n-grams of
# 1,024,908,267,229 tokens of web pages that occurred at least 40 times (single words: at least 200 times). Expect the
# number of seen n-grams to stay far below V^n, and in our text to approach the length of the text.

# %% tags=["demo"] jupyter={"source_hidden": true}
orders = [1, 2, 3, 4, 5]
web = [13_588_391, 314_843_401, 977_069_902, 1_313_818_354, 1_176_470_663]
vocabulary = sorted(set(words + held_out_words))
memory = {
    "possible on the web": [web[0] ** n for n in orders],
    "possible here": [len(vocabulary) ** n for n in orders],
    "seen on the web (Web 1T)": web,
    "seen here": [sum(map(len, counts(words, n).values())) for n in orders],
}
print(f"{len(words):,} words of text, {len(vocabulary):,} different ones; n-grams seen: {memory['seen here']}")

# %% [markdown]
# The vertical scale is logarithmic: each grid line is a factor of ten thousand.

# %% tags=["demo"]
ax = plotting.steps(orders, memory, "n (tokens are words)", "number of n-grams", log_y=True)
ax.set_title("The text is the limit: almost no possible n-gram occurs");

# %% [markdown]
# The number of possible n-grams grows by a factor of V with each n. The
# number of seen n-grams cannot exceed the length of the text, so the two lower lines become flat. Memory is therefore
# not the problem. The problem is that almost every possible n-gram is unseen.
#
# ## How often is a count 0?
#
# Take the first nine words of the held-out text and look for them in the training text; then the last eight of them,
# and so on. Expect a count of 0 for the long ones. One phrase proves little, so the exercise after it measures a
# whole text.

# %% tags=["demo"]
training_text = f" {' '.join(words)} "
for start in range(9):
    phrase = " ".join(held_out_words[start:9])
    print(f"seen {training_text.count(f' {phrase} '):6,} times: {phrase}")

# %% [markdown] exercise="unseen_rate"
# Write `unseen_rate`, which returns the fraction of the n-grams of a text `test` that do not occur in a text `train`.
# An n-gram that occurs three times in `test` counts three times. For example,
# `unseen_rate(["a", "b", "a", "c"], ["a", "b", "b", "b"], 2)` is 2/3: of the three 2-grams ab, bb, bb of `test`, the
# two bb are unseen.
#
# The real text has a million characters. Look the n-grams up in a set; a search through a list would take hours.
#
# | | |
# |---|---|
# | `train`, `test` | lists of hashable tokens, or strings (their tokens are the characters) |
# | `n` | length of the n-grams |
# | returns | a float from 0 to 1 |
# | edges | `train` shorter than n: all are unseen, 1.0; `test` shorter than n, or n < 1: `ValueError` |

# %% exercise="unseen_rate"
def unseen_rate(train: list, test: list, n: int) -> float:
    """Return the fraction of the n-grams of `test`, repeated ones included, that do not occur in `train`."""
    ### BEGIN SOLUTION
    if n < 1 or len(test) < n:
        raise ValueError(f"need 1 <= n <= {len(test)} tokens of test text, got n = {n}")
    seen = {tuple(train[i : i + n]) for i in range(len(train) - n + 1)}
    grams = [tuple(test[i : i + n]) for i in range(len(test) - n + 1)]
    return sum(gram not in seen for gram in grams) / len(grams)
    ### END SOLUTION


# %% check="unseen_rate"
check.unseen_rate(unseen_rate);

# %% [markdown]
# The training text has nine times as many words as the held-out text. Before you run the cell, write down a guess:
# what fraction of the held-out word pairs (n = 2) does not occur in it? And of the 4-grams? If a longer n-gram were
# unseen less often than a shorter one, the code would be wrong: a text that contains the longer one also contains the
# shorter one.

# %% tags=["demo"]
rate = choose(unseen_rate, ngram.unseen_rate)
orders = list(range(1, 8))
unseen = {
    "words": [rate(words, held_out_words, n) for n in orders],
    "characters": [rate(train_text, held_out_text, n) for n in orders],
}
for unit, rates in unseen.items():
    print(f"{unit:10s}", [round(fraction, 3) for fraction in rates])

# %% [markdown]
# Compare your guess with the figure.

# %% tags=["demo"]
ax = plotting.steps(orders, unseen, "n", "fraction of held-out n-grams never seen")
ax.set_title("Most long n-grams of a new text were never seen before");

# %% [markdown]
# These are the n-grams that an unsmoothed model calls impossible, and that the draft left out. Both curves only rise,
# that of the words much earlier: more than half of their 5-grams are unseen. The claim asks for a clear rise with
# every n.

# %% tags=["demo"]
growth = min(np.diff(unseen["words"][:5]))
rt.claim("the unseen rate of words grows with every n from 1 to 5 (smallest step)", growth, growth > 0.02)

# %% [markdown]
# ## Add k to every count
#
# **Smoothing** means to change the estimates so that unseen tokens get a probability, too. The oldest smoothing
# (Laplace; Lidstone 1920) pretends that every token followed every history k more times:
#
# $$P(w \mid h) = \frac{c(h\,w) + k}{\sum_{w'} c(h\,w') + kV}$$
#
# Here $k$ is a number above 0 and $V$ is the number of different tokens, the size of the vocabulary. Each of the $V$
# tokens gets $k$, so the denominator grows by $kV$ and the probabilities still sum to 1. After an unseen history all
# counts are 0 and the formula gives $k / (kV) = 1/V$, the uniform distribution.

# %%
def add_k_prob(table: dict, history: tuple, token, k: float, vocab_size: int) -> float:
    """Return the relative frequency of `token` after `history` with k added to every count."""
    row = table.get(history, {})
    return (row.get(token, 0) + k) / (sum(row.values()) + k * vocab_size)


# %% [markdown]
# The four sentences have nine different words, the full stop included. We also want *exams*, so V = 10. For k = 1,
# *books* gets (2 + 1) / (3 + 10). Compare it with the MLE of 2/3.

# %% tags=["demo"]
V = len({*toy, "exams"})
for k in [1, 0.1, 0.01]:
    probs = {word: add_k_prob(fourgrams, history, word, k, V) for word in ["books", "laptops", "exams"]}
    print(f"k = {k:<5}", {word: round(p, 4) for word, p in probs.items()})

# %% [markdown]
# A small k takes little from *books* and leaves little for *exams*. Which k is best? The training text cannot tell:
# nothing in it is unseen, so there the smallest k always wins. Nor may we ask the held-out text: a constant that was
# chosen on it would make the final score look better than it is. So a third text is needed, the **development text**.
# It is a part of the training text that is not counted while the constant is chosen.

# %% [markdown] exercise="choose_k"
# Write `choose_k`, which returns the k in `ks` that predicts the development text best. Count the n-grams of `train`.
# For each k, add up $\log_2 P(w \mid h)$ by add-k over all tokens of `dev` that have n - 1 tokens before them. The k
# with the largest sum needs the fewest bits; return it. For example,
# `choose_k("a rose is a rose is a rose".split(), "a rose is a daisy".split(), 2, [0.01, 0.1, 10], 8)` is 0.1: k =
# 0.01 leaves too little for *daisy*, k = 10 takes too much from the rest.
#
# You may call `add_k_prob` from above and your own `ngram_counts`.
#
# | | |
# |---|---|
# | `train`, `dev` | lists of tokens: count the first, score the second (it has at least n tokens) |
# | `n` | length of history and next token together |
# | `ks` | a list of at least one number above 0, in any order |
# | `vocab_size` | V, the number of different tokens |
# | returns | the best element of `ks` |

# %% exercise="choose_k"
def choose_k(train: list, dev: list, n: int, ks: list, vocab_size: int) -> float:
    """Return the element of `ks` with which add-k, counted on `train`, gives `dev` the fewest bits."""
    ### BEGIN SOLUTION
    table = ngram_counts(train, n)

    def log_prob(k):
        histories = [tuple(dev[i - n + 1 : i]) for i in range(n - 1, len(dev))]
        probs = [add_k_prob(table, h, w, k, vocab_size) for h, w in zip(histories, dev[n - 1 :])]
        return sum(math.log2(p) for p in probs)

    return max(ks, key=log_prob)
    ### END SOLUTION


# %% check="choose_k"
check.choose_k(choose_k);

# %% [markdown]
# The next cell tries your function on a small text: it counts 20,000 characters and chooses on the next 5,000. Then
# it makes the mistake to avoid and chooses on characters that it counted.

# %% tags=["demo"]
pick_k = choose(choose_k, ngram_scores.choose_k)
ks = [0.001, 0.01, 0.03, 0.1, 0.3, 1.0]
counted, next_ones = list(train_text[:20_000]), list(train_text[20_000:25_000])
for n in (2, 3, 4):
    honest, fooled = (pick_k(counted, dev, n, ks, len(characters)) for dev in (next_ones, counted[:5_000]))
    print(f"n = {n}: k = {honest} on new text, k = {fooled} on the counted text")

# %% [markdown]
# For the whole text we use the library's `ngram.fit`, which gives the same probabilities and is much faster. The last
# tenth of the training text is the development text. Expect one best k for each n.

# %% tags=["demo"]
cut = len(train_ids) * 9 // 10
fit_ids, dev_ids = train_ids[:cut], train_ids[cut:]
tuned_add_k = {f"n = {n}": [bits(fit_ids, dev_ids, n, "add_k", k=k) for k in ks] for n in (3, 5, 6)}

# %% [markdown]
# Compare the lowest points of the three curves.

# %% tags=["demo"]
ax = plotting.curves(ks, tuned_add_k, "k (logarithmic scale)", "bits per character, development", log_x=True)
ax.set_title("No k makes n = 6 as good as n = 5");

# %% [markdown]
# Each curve has its minimum, but no k makes n = 6 as good as n = 5. The reason is what the formula knows after a rare
# history: the few counts of this history, and the uniform distribution, with nothing in between. The text shows that
# *th* is usually followed by *e*. A 6-gram model cannot use this where the longer history was seen once or never.

# %% [markdown] question="longer_add_k"

# %% [markdown]
# ## Interpolation: ask the shorter history, too
#
# *students opened their* occurs three times in the four sentences, and *teacher opened their* never. What can a model
# do after a history that is rare or unseen? It can ask a shorter one. Every time that *students opened their* occurs,
# *opened their* occurs, too. So a shorter history is seen at least as often as a longer one, and usually far more
# often. Its relative frequencies are more reliable; those of the longer history are more specific. There are two ways
# to use both:
#
# - **Back-off** takes the longest history that was seen and ignores the others. It shortens the history only if it
#   has to.
# - **Interpolation** (Jelinek and Mercer 1980) mixes the estimates of all lengths, from the longest history down to
#   none at all.
#
# We use interpolation, because a history that was seen once should not decide alone:
#
# $$P(w \mid h) = \lambda\, P_{\text{MLE}}(w \mid h) + (1 - \lambda)\, P(w \mid h')$$
#
# Here $h'$ is the history $h$ without its first token, and $\lambda$ (lambda) is the weight of the longer history, a
# number from 0 to 1. $P(w \mid h')$ is computed by the same formula, and so on down to the empty history, where
# $P(w \mid h')$ is replaced by $1/V$. If $h$ was never seen, it has no MLE, and $P(w \mid h) = P(w \mid h')$.
#
# The formula refers to the shorter history. So we go down the ladder of histories in the drawing to its end, and
# compute on the way up. The example is P(books | teacher opened their) with $\lambda$ = 1/2.
#
# ![A ladder of five rungs for the probability of "books" after "teacher opened their". From top to bottom the history loses its first token: three words, two, one, none, and last the uniform distribution 1/V. The history of three words was never seen. "opened their" was followed by books 2 of 3 times, "their" 2 of 3 times, and 2 of all 24 tokens are books. From the bottom up each rung mixes its own estimate with the result of the rung below, half and half: 0.100, 0.092, 0.379, 0.523. The unseen history passes 0.523 on unchanged.](figures/backoff_ladder.svg)
#
# The next cell computes the same numbers. Expect each seen history to pull the estimate halfway towards its own MLE,
# and the unseen one to change nothing.

# %% tags=["nbval-check-output"]
rungs = {"(empty)": (2, 24), "their": (2, 3), "opened their": (2, 3), "teacher opened their": (0, 0)}
prob = 1 / 10
print(f"{'history':22} books / all   estimate\n{'(none: 1/V)':36} {prob:.4f}")
for suffix, (books, all_words) in rungs.items():
    if all_words > 0:
        prob = 0.5 * books / all_words + 0.5 * prob
    print(f"{suffix:22} {books:5} / {all_words:<6} {prob:.4f}")

# %% [markdown]
# Back-off would take the longest history that was seen, *opened their*, and answer 2/3. It would ignore all other
# counts, and *exams* would still get 0.

# %% [markdown] exercise="interpolated_prob"
# Write `interpolated_prob`, which returns P(w | h) by the formula above. It gets the count tables of all lengths in
# one list: `tables[m]` holds the histories of m tokens, so `tables[0]` is `ngram_counts(tokens, 1)`. Start from 1/V
# and climb from the empty history to the longest. For example, with the four tables of the four sentences,
# `interpolated_prob(tables, ("teacher", "opened", "their"), "books", 0.5, 10)` is 0.5229, the last line of the trace.
#
# | | |
# |---|---|
# | `tables` | list of n tables, `tables[m]` with histories of m tokens |
# | `history` | a tuple of any length; if it has more than n - 1 tokens, only its last n - 1 are used |
# | `token` | any token |
# | `weight` | $\lambda$, from 0 to 1, the same for every length |
# | `vocab_size` | V |
# | returns | a float from 0 to 1; over all V tokens the results sum to 1, after seen and unseen histories |
# | edges | `history` is `()`: only the unigram and 1/V are mixed |

# %% exercise="interpolated_prob"
def interpolated_prob(tables: list, history: tuple, token, weight: float, vocab_size: int) -> float:
    """Return the mixture of the MLE after each suffix of `history`, the empty one included, and 1 / V."""
    ### BEGIN SOLUTION
    prob = 1 / vocab_size
    for m in range(min(len(tables), len(history) + 1)):
        row = tables[m].get(history[len(history) - m :])
        if row:
            prob = weight * row.get(token, 0) / sum(row.values()) + (1 - weight) * prob
    return prob
    ### END SOLUTION


# %% check="interpolated_prob"
check.interpolated_prob(interpolated_prob);

# %% [markdown]
# The next cell calls your function after *teacher opened their*, which is not in the table. Expect *books* far ahead,
# a little for *exams*, and a sum of 1 over all ten words.

# %% tags=["demo"]
interpolated = choose(interpolated_prob, ngram.interpolated_prob)
tables = [counts(toy, n) for n in (1, 2, 3, 4)]
after = {w: interpolated(tables, ("teacher", "opened", "their"), w, 0.5, V) for w in {*toy, "exams"}}
print({w: round(after[w], 3) for w in ["books", "laptops", "exams"]}, "sum", round(sum(after.values()), 9))

# %% [markdown]
# For the real text we use the library's fast form again, and choose the weight on the development text. Weight 1
# would use only the MLE of the longest seen history, and weight 0 only the uniform distribution. Compare the minima
# with those of add-k.

# %% tags=["demo"]
weights = [0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9]
tuned_weight = {
    f"n = {n}": [bits(fit_ids, dev_ids, n, "interpolated", weight=w) for w in weights] for n in (3, 5, 6)
}

# %% [markdown]
# Look for the lowest point of each curve.

# %% tags=["demo"]
ax = plotting.curves(weights, tuned_weight, "weight of the longer history", "bits per character, development")
ax.set_title("With the right weight n = 6 is at least as good as n = 5");

# %% [markdown]
# With its best weight n = 6 now beats n = 5: the longer history helps where it was seen, and costs nothing where it
# was not. But one weight for all histories is crude. A history that was seen a thousand times deserves more weight
# than one that was seen once. And the best weight falls as n grows, because long histories are rare. The weight of
# the shorter history should follow from the counts.
#
# ## How much too high is a count?
#
# If a pair of words was seen twice, will it occur twice in an equally long new text? Church and Gale (1991) measured
# it. Split the text into two halves, take all pairs that occur c times in the first half, and count how often they
# occur in the second half, on average. The next cell does this with our words. Pieces of 50 pairs go to the halves in
# turn, so that both contain the same kind of text.

# %% tags=["demo"] jupyter={"source_hidden": true}
pairs = list(zip(words, words[1:]))
halves = [Counter(p for i, p in enumerate(pairs) if i // 50 % 2 == side) for side in (0, 1)]
again = []
for c in range(1, 8):
    same = [pair for pair, count in halves[0].items() if count == c]
    again.append(sum(halves[1][pair] for pair in same) / max(1, len(same)))
expected = {"counted in the second half": again, "c": list(range(1, 8)), "c - 0.75": [c - 0.75 for c in range(1, 8)]}

# %% tags=["demo"]
ax = plotting.steps(list(range(1, 8)), expected, "c, count of a pair in the first half", "mean count in the second half")
ax.set_title("Pairs that were seen c times occur less often in new text");

# %% [markdown]
# If counts were exact, the first line would lie on the second. It lies below, by about the same amount for small and
# large counts: about 0.75 in the newspaper text of Church and Gale, mostly 0.4 to 1.2 here. So subtract a constant
# **discount** D = 0.75 from every count (Ney, Essen and Kneser 1994) and give the subtracted probability to the
# shorter history. If N different tokens followed a history, D N is subtracted from its counts in all, so the shorter
# history gets the weight D N / total, where total is the sum of the counts. A history with few counts has a large
# weight D N / total, one with many counts a small weight. Each history now has its own weight, and none has to be
# chosen.
#
# ## Continuation counts: Kneser-Ney smoothing
#
# What should the shorter history say? Its answer matters most where the longer history was rarely seen, and there its
# raw counts mislead. *Francisco* may be frequent in a newspaper, but it almost always follows *San*. After any other
# word it is a bad guess, however often it was seen. Kneser and Ney (1995) therefore replace the count of a word by
# its **continuation count**: the number of *different* words that it was seen after.
#
# Here are both numbers for the words of the four sentences. Expect *their* to fall from 3 to 1: it always came after
# *opened*.

# %% tags=["nbval-check-output"]
before = {}
for left, right in zip(toy, toy[1:]):
    before.setdefault(right, set()).add(left)
print("word       count  continuation count")
for word in sorted(before, key=toy.count, reverse=True):
    print(f"{word:9} {toy.count(word):6} {len(before[word]):7}     after {sorted(before[word])}")

# %% [markdown]
# The next cells show the same two numbers for every word of the real text. The figure names three words: among the
# words that were seen 10 to 50 times the one with the fewest different words before it relative to its count, and
# likewise for 50 to 250 times and 250 to 1,250 times.

# %% tags=["demo"] jupyter={"source_hidden": true}
seen = Counter(words)
company = Counter(right for left, right in set(zip(words, words[1:])))
named = []
for low in (10, 50, 250):
    band = [word for word in seen if low <= seen[word] < 5 * low]
    named += sorted(band, key=lambda word: company[word] / seen[word])[:1]
for word in named:
    print(f"{word:14s} count {seen[word]:4d}, continuation count {company[word]}")

# %% [markdown]
# Both scales of the figure are logarithmic.

# %% tags=["demo"]
ax = plotting.company(seen, company, named)
ax.set_title("Some frequent words follow very few different words");

# %% [markdown]
# Every point is a word. On the dashed line every occurrence has a different word before it. The three named words lie
# far below the other points: they are the Franciscos of this text, frequent but almost always after the same words.
#
# **The whole formula.** Interpolated Kneser-Ney, in the form of Chen and Goodman (1998), discounts the counts and
# interpolates with the shorter history:
#
# $$P(w \mid h) = \frac{\max(c(h\,w) - D,\ 0)}{\text{total}} + \frac{D\,N}{\text{total}}\; P(w \mid h')$$
#
# - $h'$ is the history $h$ without its first token. Below the empty history $P(w \mid h')$ is $1/V$, as before.
# - $c(h\,w)$ depends on the length of $h$. For the longest history, of n - 1 tokens, it is the raw count: how often
#   $w$ followed $h$. For every shorter history it is the continuation count: the number of different tokens $v$ for
#   which $v\,h\,w$ occurs in the text.
# - total is the sum of $c(h\,w)$ over all $w$, and $N$ is the number of tokens $w$ with $c(h\,w) > 0$.
# - $D$ is the discount. If total is 0, there is nothing to discount, and $P(w \mid h) = P(w \mid h')$.
#
# The trace below computes P(laptops | their) for n = 2. The empty history is the shorter one, so it has continuation
# counts: *laptops* came after one word, the text has 13 different pairs, and nine words came after some word. The
# history *their* is the longest, so it has raw counts: *laptops* came once among three times, and two different words
# came after *their*. Expect less than the MLE of 1/3.

# %% tags=["nbval-check-output"]
D, prob = 0.75, 1 / 10
print("history     c  total  N   (c - D)/total   D N/total   P(w|h')   P(w|h)")
for suffix, c, total, N in [("(empty)", 1, len(set(zip(toy, toy[1:]))), len(before)), ("their", 1, 3, 2)]:
    shorter, prob = prob, (c - D) / total + D * N / total * prob
    print(f"{suffix:11} {c} {total:5} {N:3} {(c - D) / total:12.4f} {D * N / total:13.4f} {shorter:10.4f} {prob:9.4f}")

# %% [markdown] exercise="kneser_ney_prob"
# Write `kneser_ney_prob`, which returns P(w | h) by this formula. It gets the same list `tables` as
# `interpolated_prob`: n tables of raw counts. The raw counts of the longest history, of m = n - 1 tokens, are in
# `tables[n - 1]`. The continuation counts after a shorter history of m tokens follow from `tables[m + 1]`. Each key
# there is one token v and then m tokens. If these m tokens are your history, then v is one more token that was seen
# before the history and each next token in this row. Start from 1/V and climb. For example,
# `kneser_ney_prob(tables[:2], ("their",), "laptops", 10)` is 0.1189, the last line of the trace.
#
# | | |
# |---|---|
# | `tables` | list of n tables of raw counts, `tables[m]` with histories of m tokens |
# | `history` | a tuple of any length; of more than n - 1 tokens only the last n - 1 are used; with fewer all counts are continuation counts |
# | `token`, `vocab_size` | as before |
# | `discount` | D, from 0 to 1 |
# | returns | a float from 0 to 1; over all V tokens the results sum to 1 |
# | edges | total = 0: the result is P(w given h'); n = 1: the empty history is the longest, so it has raw counts |

# %% exercise="kneser_ney_prob"
def kneser_ney_prob(tables: list, history: tuple, token, vocab_size: int, discount: float = 0.75) -> float:
    """Return the interpolated Kneser-Ney probability of `token` after `history`."""
    ### BEGIN SOLUTION
    prob = 1 / vocab_size
    for m in range(min(len(tables), len(history) + 1)):
        suffix = history[len(history) - m :]
        if m == len(tables) - 1:
            row = tables[m].get(suffix, {})
        else:
            row = Counter(w for h, followers in tables[m + 1].items() if h[1:] == suffix for w in followers)
        if row:
            own = max(row.get(token, 0) - discount, 0)
            prob = (own + discount * len(row) * prob) / sum(row.values())
    return prob
    ### END SOLUTION


# %% check="kneser_ney_prob"
check.kneser_ney_prob(kneser_ney_prob);

# %% [markdown]
# The figure compares all four estimates after *students opened their*, for five words. Only *books* and *laptops*
# were seen there. Of the other three, *the* was seen after two different words, *their* after one, and *exams* never.

# %% tags=["demo"]
kneser_ney = choose(kneser_ney_prob, ngram.kneser_ney_prob)
shown = ["books", "laptops", "the", "their", "exams"]
estimates = {
    "MLE": {w: mle_prob(fourgrams, history, w) for w in shown},
    "add-1": {w: add_k_prob(fourgrams, history, w, 1, V) for w in shown},
    "interpolated (1/2)": {w: interpolated(tables, history, w, 0.5, V) for w in shown},
    "Kneser-Ney": {w: kneser_ney(tables, history, w, V) for w in shown},
}

# %% [markdown]
# The bars of one model sum to 1 over all ten words.

# %% tags=["demo"]
ax = plotting.distributions(estimates)
ax.set_title("Add-1 treats all unseen words alike, Kneser-Ney does not");

# %% [markdown]
# Add-1 gives the last three words the same probability and takes most from the first two. Interpolation ranks the
# three by their counts, Kneser-Ney by their continuation counts: *the* gets about twice as much as *their*.
#
# Your function reads a whole table for each probability. That is right but slow. The library's `ngram.fit` computes
# all tables of continuation counts once, as sorted arrays, and then scores a whole text at once. The next cell
# compares the two on the four sentences.

# %% tags=["demo"]
toy_ids = ngram.encode(toy, sorted({*toy, "exams"}))
fast = ngram.fit(toy_ids, V, NgramConfig(4, "kneser_ney")).logps(toy_ids)
slow = [math.log(kneser_ney(tables, tuple(toy[:i]), w, V)) for i, w in enumerate(toy)]
print(f"largest difference of {len(toy)} log-probabilities: {np.abs(fast - slow).max():.1e}")

# %% [markdown]
# **Claim: the probabilities sum to 1 after every history.** The model is Kneser-Ney with n = 6 on the real text. The
# next cell tests all histories of up to two characters, those at two thousand random positions of the held-out text,
# and two thousand random strings.

# %% tags=["demo"] jupyter={"source_hidden": true}
model = ngram.fit(train_ids, len(characters), NgramConfig(6, "kneser_ney"))
V_chars = len(characters)
histories = [[], *([a] for a in range(V_chars)), *([a, b] for a in range(V_chars) for b in range(V_chars))]
for _ in range(rt.pick(smoke=200, cpu=2_000)):
    start = rt.random.randrange(len(held_out_ids) - 5)
    histories.append(held_out_ids[start : start + 5])
    histories.append(rt.random.choices(range(V_chars), k=5))
off = max(abs(model.probs(h).sum() - 1) for h in histories)
rt.claim(f"Kneser-Ney sums to 1 after each of {len(histories):,} histories (largest error)", off, off < 1e-9)

# %% [markdown]
# **Claim: Kneser-Ney predicts best.** All three models have n = 6, count the whole training text and are scored on
# the held-out text. Add-k and interpolation use the constants that were best on the development text. Kneser-Ney uses
# D = 0.75, which nobody chose for this text. The claim compares perplexities, 2 to the power of the bits.

# %% tags=["demo"]
best_k, best_weight = (
    min(zip(tuned["n = 6"], values))[1] for tuned, values in [(tuned_add_k, ks), (tuned_weight, weights)]
)
scores = [
    bits(train_ids, held_out_ids, 6, "kneser_ney"),
    bits(train_ids, held_out_ids, 6, "interpolated", weight=best_weight),
    bits(train_ids, held_out_ids, 6, "add_k", k=best_k),
]
in_order = " < ".join(f"{2**score_bits:.2f}" for score_bits in scores)
rt.claim("perplexity: Kneser-Ney < interpolated < add-k, each by 0.04 bits or more", in_order, min(np.diff(scores)) > 0.04)

# %% [markdown] question="francisco"

# %% [markdown]
# ## The ladder of models
#
# One table runs through the whole course: every model, scored in bits per character on the same held-out text. The
# last row of this unit is **modified Kneser-Ney** (Chen and Goodman 1998). It subtracts one of three discounts: D1
# from counts of 1, D2 from counts of 2 and D3+ from counts of 3 or more. They follow from the text itself. Let $n_c$
# be the number of different n-grams with count $c$, and $Y = n_1 / (n_1 + 2 n_2)$. Then
#
# $$D_1 = 1 - 2Y \frac{n_2}{n_1} \qquad D_2 = 2 - 3Y \frac{n_3}{n_2} \qquad D_{3+} = 3 - 4Y \frac{n_4}{n_3}$$
#
# Each length of history has its own three discounts. The weight of the shorter history becomes
# $(D_1 N_1 + D_2 N_2 + D_{3+} N_{3+}) / \text{total}$, where $N_1$, $N_2$ and $N_{3+}$ are the numbers of tokens with
# a count of 1, of 2 and of 3 or more. For the 7-grams of the real text the discounts are:

# %% tags=["demo"]
sevengrams = Counter(train_text[i : i + 7] for i in range(len(train_text) - 6))
discounts = ngram.modified_discounts(np.array(list(sevengrams.values())))
print(", ".join(f"{name} = {d:.2f}" for name, d in zip(["D1", "D2", "D3+"], discounts[1:])))

# %% [markdown]
# The next cell fits and scores the five models of this unit. On tiny Shakespeare expect 3.58, 2.98, 2.55, then 2.22
# and 2.19; on the manual about 3.35, 2.5, 2.2, 1.7 and 1.64. A bigram near 4.8 would be a unigram that ignores its
# history.

# %% tags=["demo"] jupyter={"source_hidden": true}
rungs = {
    "bigram, add-1": NgramConfig(2, "add_k", k=1),
    "trigram, add-0.01": NgramConfig(3, "add_k", k=0.01),
    "5-gram, add-0.01": NgramConfig(5, "add_k", k=0.01),
    "6-gram, Kneser-Ney": NgramConfig(6, "kneser_ney"),
    "7-gram, modified Kneser-Ney": NgramConfig(7, "modified_kneser_ney"),
}
for name, config in rungs.items():
    start = time.perf_counter()
    model = ngram.fit(train_ids, len(characters), config)
    spent = time.perf_counter() - start
    model_bits = model.bits_per_token(held_out_ids)
    rt.ladder(name, model_bits, parameters=model.n_counts, tokens=len(train_ids), seconds=spent, corpus=english.name)
    print(f"{name:28s} {model_bits:.3f} bits per character, {model.n_counts:9,} counts, {spent:.2f} s")

# %% tags=["demo"]
ax = plotting.ladder(rt.ladder_rows(english.name))
ax.set_title("With better smoothing longer histories pay off");

# %% [markdown]
# Remember the last bar. The model was fitted in seconds, and its score is the one to beat for a model that claims to
# be better than counting. Small recurrent networks and small transformers do not beat it until they get more data or
# more time.
#
# ## Generate text
#
# A model can also write: draw a token, append it, and ask the model again. The prompt gives the first history. At
# each step the model sees only the last n - 1 tokens.

# %% [markdown] exercise="generate"
# Write `generate`, which returns the prompt followed by `length` new tokens, each drawn from the model's distribution
# after the last n - 1 tokens. Draw as in unit 01: call `uniform()` once for each new token, and take the first token
# at which the running sum of the probabilities is larger than that number. For example, with a model that always says
# *tick*, `generate(lambda history: {"tick": 1.0}, ["so"], 2, 3, lambda: 0.5)` is `["so", "tick", "tick"]`.
#
# | | |
# |---|---|
# | `next_probs` | a function: `next_probs(history)` returns a dictionary from token to probability; `history` is a tuple |
# | `prompt` | list of tokens, may be empty; not modified |
# | `length` | number of new tokens, 0 or more |
# | `n` | the model's order: `next_probs` gets the last n - 1 tokens of the text so far, or all tokens of a shorter text |
# | `uniform` | a function: `uniform()` returns a number from 0 up to, but not including, 1 |
# | returns | a list: the prompt and the new tokens |
# | edges | n = 1: the history is `()`; a token of probability 0 is never drawn; rounding may leave the last running sum a little below 1: then take the last token with a probability above 0 |

# %% exercise="generate"
def generate(next_probs, prompt: list, length: int, n: int, uniform) -> list:
    """Return the prompt and `length` sampled tokens, each drawn after the last n - 1 tokens."""
    ### BEGIN SOLUTION
    tokens = list(prompt)
    for _ in range(length):
        odds = next_probs(tuple(tokens[max(0, len(tokens) - n + 1) :]))
        level, reached = uniform(), 0.0
        for candidate in (token for token, prob in odds.items() if prob > 0):
            chosen = candidate
            reached += odds[candidate]
            if reached > level:
                break
        tokens.append(chosen)
    return tokens
    ### END SOLUTION


# %% check="generate"
check.generate(generate);

# %% [markdown]
# Word models of the real text, n = 1 to 5, write a hundred words each with Kneser-Ney; thirty are shown. Expect a
# random list of words for n = 1, pairs that fit for n = 2, then phrases. The percentage is the fraction of the
# sample's 4-grams that occur in the training text: 1 minus your `unseen_rate`.

# %% tags=["demo"]
write = choose(generate, ngram.generate)
word_ids = ngram.encode(words, vocabulary)
for n in range(1, 6):
    model = ngram.fit(word_ids, len(vocabulary), NgramConfig(n, "kneser_ney"))

    def next_ids(history, model=model):
        return dict(enumerate(model.probs(history).tolist()))

    drawn = write(next_ids, word_ids[:4].tolist(), rt.pick(smoke=30, cpu=100), n, rt.random.random)[4:]
    sample = [vocabulary[i] for i in drawn]
    print(f"n = {n}, {1 - rate(words, sample, 4):4.0%} copied: {' '.join(sample[:30])}\n")

# %% [markdown]
# With larger n the text becomes more fluent and less original: after a long history that was seen once, the model
# mostly continues as the training text did. Where the sample is fluent, it quotes. Nothing in it makes sense for
# longer than a few words.
#
# ## What no window can know
#
# In *The boats near the old gate were wet* the verb agrees with *boats*, not with *gate*. The noun in between is
# called an **attractor**, because it attracts the wrong verb form (Linzen, Dupoux and Goldberg 2016). The stories of
# the course's invented world contain such sentences, with 0 to 12 words between subject and verb. We count 3-, 5- and
# 7-grams of the stories and ask each model which of two verb forms is more probable.

# %% tags=["demo"]
from llmcourse import world

stories = world.stories(tokens=rt.pick(smoke=20_000, cpu=1_000_000), seed=rt.seed)
tokens = [token for story in stories for token in story.tokens]
world_words = list(world.vocabulary())
world_ids = ngram.encode(tokens, world_words)
windows = {n: ngram.fit(world_ids, len(world_words), NgramConfig(n, "kneser_ney")) for n in (3, 5, 7)}

# %% [markdown]
# A question is the beginning of a sentence with the right and the wrong verb form. Questions come in pairs that
# differ only in the number of the subject (*boat*, *boats*). So a model that does not see the subject answers exactly
# one of the two correctly. A tie counts as half. The next cell defines this score, and prints one question with the
# scores of the three models. Only the 7-gram model sees the subject.


# %% tags=["demo"]
index = {word: i for i, word in enumerate(world_words)}


def agrees(model, pair):
    probs = model.probs([index[word] for word in pair.prefix])
    right, wrong = probs[index[pair.right]], probs[index[pair.wrong]]
    return (right > wrong) + 0.5 * (right == wrong)


pair = world.agreement_pairs(1, 4, seed=rt.seed)[0]
print(" ".join(pair.prefix), f"... {pair.right} or {pair.wrong}?", [float(agrees(m, pair)) for m in windows.values()])

# %% [markdown]
# The next cell asks 400 questions for each distance. A 5-gram model sees four words. So expect it above chance (0.5)
# for up to three words between subject and verb, and at chance from four on.

# %% tags=["demo"]
distances = list(range(11))
asked = rt.pick(smoke=20, cpu=400)
accuracy = {f"{n}-gram": [] for n in windows}
for distance in distances:
    questions = world.agreement_pairs(asked, distance, seed=rt.seed)
    for n, model in windows.items():
        accuracy[f"{n}-gram"].append(np.mean([agrees(model, question) for question in questions]))

# %% tags=["demo"]
ax = plotting.steps(distances, accuracy, "words between subject and verb", "accuracy", level=("chance", 0.5))
ax.set_title("Once the subject is outside the window, accuracy is at chance");

# %% [markdown]
# Each model is at chance as soon as the subject is outside its window. More text and better smoothing cannot change
# that. But look at the 7-gram model at four and five words: it sees the subject and hardly uses it. Exactly this
# history of six words was rarely seen, so the model relies on shorter histories, and the first word that they drop is
# the subject.
#
# The claims call a distance near if it is 0 to 2 words and far if it is 5 or more. Guessing would reach 0.8 on the
# 1,200 near questions with a probability below 1e-9. On the 2,400 far questions, four standard errors of guessing are
# 0.041.

# %% tags=["demo"]
near, far = np.mean(accuracy["5-gram"][:3]), np.mean(accuracy["5-gram"][5:])
rt.claim("a 5-gram agrees with a subject in its window (accuracy)", near, near > 0.8)
rt.claim("across an attractor as long as n or longer it is at chance (accuracy)", far, abs(far - 0.5) < 0.04)

# %% [markdown] question="agreement_window"

# %% [markdown] written="why_not_longer"
# A colleague has ten times more text of the same kind and proposes a 20-gram model with add-0.01 smoothing: "With
# enough data, counting can do everything." Write 150 to 250 words for her. Say what the larger text will improve and
# what it will not, with at least two numbers that you measured in this unit. Say what you would change in her plan
# while still counting n-grams. Name one thing that no n-gram model can do, and give the reason.
#
# ### BEGIN SOLUTION
# More text helps: with ten times the words many of the pairs and triples that were unseen here (35 % and 76 % of the
# held-out ones in tiny Shakespeare) will have been seen, and every smoothing gains from that. It does not help
# 20-grams. Even 5-grams of words were unseen 99 % of the time, while the number of possible ones grows by a factor V
# with each word and the text by ten only once; practically every history of 19 words will be new. Add-k then answers
# 1/V: it has nothing between the full history and the uniform distribution. Already with characters it got worse from
# 5 (2.55 bits) to 6 (2.9) and beyond. I would keep n small, 5 to 7 characters or 3 to 4 words, and use modified
# Kneser-Ney, which falls back on shorter histories by as much as the counts demand and uses continuation counts
# there: 2.19 bits per character from the same counts. What stays out of reach is whatever depends on a word outside
# the window. A 5-gram model chose the right verb form across an attractor half of the time, which is chance, because
# its probability does not depend on the subject at all; nor do n-grams share anything between similar words, so *cat*
# learns nothing from *dog*.
# ### BEGIN MARK SCHEME
# 10 points. 2: says what more text improves (short n-grams get seen, unseen rate falls) and that it cannot keep up
# with V^n.
# 2: at least two measured numbers, correctly used (unseen rates, bits per character, agreement; 1 each).
# 2: add-k at long n falls back on 1/V, nothing in between; so it gets worse as n grows.
# 2: a better plan within counting: smaller n, and interpolation or (modified) Kneser-Ney, with a reason.
# 2: a limit of every n-gram model with its reason: dependence beyond the window (agreement, topic, reference), or no
# sharing between similar words. Take 1 off for a claim that contradicts what was measured. Numbers from the manual
# instead of tiny Shakespeare are as good.
# ### END MARK SCHEME
# ### END SOLUTION

# %% [markdown]
# ## What was shown
#
# - The fraction of unseen n-grams grows with every n, and quickly. Memory is not what limits n.
# - At the same n, Kneser-Ney predicts better than interpolation with a chosen weight, and that better than add-k with
#   a chosen k.
# - Kneser-Ney probabilities sum to 1 after every history, seen or not.
# - Across an attractor that is longer than its window, an n-gram model is at chance.
#
# **To think about.** (1) The continuation count of a word ignores how often the word was seen. For which task would
# that be wrong? (2) A word 3-gram model has a perplexity in the hundreds, a character 7-gram model below 5. Which is
# the better model of the text, and what would you have to measure to find out? (3) What would you have to store to
# let *cat* learn from what was seen after *dog*?
#
# **Where the ideas come from.** Markov 1913 (letters of *Eugene Onegin*); Shannon 1948, *A mathematical theory of
# communication* (samples by n); Jelinek and Mercer 1980, *Interpolated estimation of Markov source parameters from
# sparse data*; Church and Gale 1991, *A comparison of the enhanced Good-Turing and deleted estimation methods*; Ney,
# Essen and Kneser 1994, *On structuring probabilistic dependences in stochastic language modelling*; Kneser and Ney
# 1995, *Improved backing-off for m-gram language modeling*; Chen and Goodman 1998, *An empirical study of smoothing
# techniques for language modeling*; Brants and Franz 2006, *Web 1T 5-gram Version 1* (LDC2006T13); Linzen, Dupoux and
# Goldberg 2016, arXiv:1611.01368. The students and the proctor are from the lecture slides of Stanford CS224n.
#
# **Next.** In this unit words and characters were given. With words many tokens are unseen; with characters every
# history is short. Unit 03 learns tokens in between.
