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
# **How far does counting go?** The unigram model of unit 01 gives a word the same probability
# everywhere, but the next word depends on the words before it. The simplest way to use them is to
# count **n-grams**, sequences of n words: how often did each word come after the same n - 1 words?
# In this unit you increase n, find that most long n-grams were never seen, and repair the model in
# three ways.

# %% tags=["parameters"]
preset = "cpu"
device = "auto"
seed = 0

# %% [markdown]
# `rt` holds the preset and the seed, and records the claims. `choose` takes your function if it
# passed its check, otherwise the library's. A cell that shows only three dots is folded: no
# exercise needs its code.

# %%
import math
from collections import Counter

from llmcourse.checks import u02_ngrams as check
from llmcourse.runtime import choose, setup

rt = setup(preset, device, seed)

# %% [markdown]
# ## What you will build
#
# The text is tiny Shakespeare if it is available, otherwise the language manual that comes with
# Python. Each model counts its first 90 %, the **training text**, and is scored on the rest, the
# **held-out text**. The tokens are characters here, so the score is in **bits per character**: what
# a perfect compressor with this model needs for one character (unit 01). Lower is better.

# %% tags=["demo"] jupyter={"source_hidden": true}
import time

import numpy as np

from llmcourse import plotting
from llmcourse.models import ngram, ngram_scores
from llmcourse.models.ngram import NgramConfig
from llmcourse.text import corpora as data

english = data.english()
size = rt.pick(smoke=25_000, cpu=len(english.train))
train_text, held_out_text = english.train[:size], english.held_out[:size]
characters = sorted(set(english.train + english.held_out))
train_ids = ngram.encode(train_text, characters)
held_out_ids = ngram.encode(held_out_text, characters)
print(f"{english.name}: {len(train_ids):,} characters to count, {len(held_out_ids):,} held out")

# %% [markdown]
# The next cell scores one model for each n and each of three ways to turn counts into
# probabilities, which this unit explains one after the other.


# %% tags=["demo"] jupyter={"source_hidden": true}
def bits(counted, scored, n, smoothing, **settings):
    model = ngram.fit(counted, len(characters), NgramConfig(n, smoothing, **settings))
    return model.bits_per_token(scored)


orders = list(range(1, 8))
smoothings = {
    "add-k (k = 0.01)": "add_k",
    "interpolated": "interpolated",
    "Kneser-Ney": "kneser_ney",
}
sweep = {
    name: [bits(train_ids, held_out_ids, n, how) for n in orders]
    for name, how in smoothings.items()
}

# %% [markdown]
# Expect 1.5 to 5.5 bits; uniform guessing costs more than 6. Look for the n at which each curve is
# lowest.

# %% tags=["demo"] jupyter={"source_hidden": true}
ax = plotting.steps(orders, sweep, "n, the length of the n-grams", "bits per character, held out")
ax.set_title("Add-k is best at n = 4 or 5; the other two gain from longer n-grams");

# %% [markdown]
# Add-k is best at n = 4 or 5 and then becomes much worse. Interpolation is best at a larger n, and
# the Kneser-Ney curve hardly rises at all. This unit explains why.
#
# ## The idea: only the last n - 1 tokens count
#
# A language model needs P(next token | all tokens before it); the bar is read *given*. An
# **n-gram model** assumes that only the last n - 1 tokens matter (Markov 1913; Shannon 1948):
#
# $$P(w_t \mid w_1 \dots w_{t-1}) \approx P(w_t \mid w_{t-n+1} \dots w_{t-1})$$
#
# Here $w_1$ is the first token of the text and $w_t$ the token at position $t$. The n - 1 tokens
# before $w_t$, on the right-hand side, are its **history**.
#
# A 4-gram model has a history of three words. Which words follow *students opened their* in four
# short sentences? The next cell finds every occurrence of the three words and counts the words that
# come next. Expect two different words, one of them twice.

# %% tags=["nbval-check-output"]
toy = (
    "the students opened their books . the students opened their laptops . "
    "the students opened their books . the teacher opened the window ."
).split()
history = ("students", "opened", "their")
followers = Counter(toy[i + 3] for i in range(len(toy) - 3) if tuple(toy[i : i + 3]) == history)
print(followers)

# %% [markdown]
# A **count table** has a row for each history of the text, with the counts of its next tokens. The
# last row of the drawing is the one that we just counted; the next section explains the estimate
# below it.
#
# ![A count table: a row for each history of three words, a column for each next word. After "students opened
# their" books has the count 2, laptops 1, the row sum is 3: the estimate of books is 2/3.](figures/count_table.svg)

# %% [markdown] exercise="ngram_counts"
# Write `ngram_counts`, which returns the count table of a text: a dictionary that maps each
# history to its row. A row is a dictionary that maps each next token to its count. For example,
# `ngram_counts(["b", "a", "b", "a"], 3)` is `{("b", "a"): {"b": 1}, ("a", "b"): {"a": 1}}`.
#
# | | |
# |---|---|
# | `tokens` | a list of strings (or other hashable tokens) of any length |
# | `n` | length of history and next token together |
# | returns | dictionary of dictionaries (each may be a `Counter`); the keys are tuples of n - 1 tokens |
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
# The next cell counts the four sentences with your function. Expect the same two counts.

# %% tags=["demo"]
counts = choose(ngram_counts, ngram.ngram_counts)
fourgrams = counts(toy, 4)
print(fourgrams["students", "opened", "their"])

# %% [markdown]
# ## From counts to probabilities
#
# The simplest estimate of a probability is the **relative frequency**: *books* was the next word in two
# of three cases, so its probability is 2/3. This is also the **maximum likelihood estimate**
# (MLE): no other probabilities make the counted text more probable.
#
# $$P_{\text{MLE}}(w \mid h) = \frac{c(h\,w)}{\sum_{w'} c(h\,w')}$$
#
# Here $h$ is the history, $w$ the next token and $c(h\,w)$ the number of times that $w$
# occurred directly after $h$. The denominator adds the counts of all tokens $w'$ after $h$: it is the row
# sum. If $h$ was never seen, the formula is 0 / 0 and undefined; the function below then returns
# 0.0.


# %%
def mle_prob(table: dict, history: tuple, token) -> float:
    """Return the relative frequency of `token` after `history`, 0.0 after an unseen history."""
    row = table.get(history, {})
    return row.get(token, 0) / sum(row.values()) if row else 0.0


# %% [markdown]
# The next cell prints the MLE of three words after *students opened their*. Then it takes two
# sentences and prints the MLE of each word that has three words before it. Both sentences are good
# English, but only the first is in the text. The probability of a sentence is a product, so look
# for a 0.

# %% tags=["demo"]
print({w: round(mle_prob(fourgrams, history, w), 2) for w in ["books", "laptops", "exams"]})
for sentence in ["the students opened their books .", "the teacher opened their books ."]:
    said = sentence.split()
    steps = [mle_prob(fourgrams, tuple(said[i - 3 : i]), said[i]) for i in range(3, len(said))]
    print(sentence, [round(p, 2) for p in steps])

# %% [markdown]
# The 4-gram *the teacher opened their* was never seen. Its probability 0 makes the probability of
# the whole sentence 0 and its perplexity infinite. The history after it, *teacher opened their*,
# is not in the table at all.
#
# ## A score that is too good
#
# Below is the first draft of a function that scores a text. It averages $-\log_2 P$, the cost of
# each token in bits, with $P$ by maximum likelihood.


# %% tags=["demo"]
def score_draft(table, tokens, n):
    bits_of = []
    for i in range(n - 1, len(tokens)):
        row = table.get(tuple(tokens[i - n + 1 : i]), {})
        if tokens[i] in row:  # otherwise P is 0, and log2(0) raises an error
            bits_of.append(-math.log2(row[tokens[i]] / sum(row.values())))
    return sum(bits_of) / max(1, len(bits_of))


# %% [markdown]
# The next cell scores 20,000 held-out words with the draft, punctuation marks included. Look at the
# scores before you read on: do you believe them?

# %% tags=["demo"]
words = data.words(train_text)
held_out_words = data.words(held_out_text)
some_words = held_out_words[: rt.pick(smoke=500, cpu=20_000)]
for n in range(2, 6):
    print(f"n = {n}: {score_draft(counts(words, n), some_words, n):5.2f} bits per word")

# %% [markdown] exercise="score_text"
# Write `score_text`, which returns the mean of $-\log_2 P_{\text{MLE}}(w \mid h)$ over all tokens
# $w$ of a text that have n - 1 tokens before them, the history $h$. The draft should do this, but
# it has a bug: it says that a 5-gram model needs less than one bit for a word, as if it chose
# between fewer than two words. Find the bug, and write the function without it. For example,
# `score_text(fourgrams, "the students opened their books .".split(), 4)` is 0.195, the mean of 0,
# 0.585 and 0 bits.
#
# | | |
# |---|---|
# | `table` | the count table of some training text for this n |
# | `tokens` | the list of tokens to score; the text may be new |
# | `n` | as in the table |
# | returns | a float, 0 or larger (`math.inf` is a float, too) |
# | edges | fewer than n tokens: `ValueError` |


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
# The next cell scores the two sentences and the held-out words with your function. Expect infinity
# wherever a word is impossible.

# %% tags=["demo"]
score = choose(score_text, ngram_scores.score_text)
for sentence in ["the students opened their books .", "the teacher opened their books ."]:
    print(sentence, round(score(fourgrams, sentence.split(), 4), 3))
print("held-out words:", [score(counts(words, n), some_words, n) for n in range(2, 6)])

# %% [markdown]
# One impossible word makes the score infinite. The draft left such words out of its mean and
# averaged over the easy ones, which become fewer with each n. A small number such as $10^{-10}$ in
# place of 0 would not help: the score would then depend on that number. The model itself must give
# every word a probability above 0.

# %% [markdown] question="unseen_sentence"

# %% [markdown]
# ## What a larger n costs
#
# A 4-gram model has a second limit. In *as the proctor started the clock, the students opened
# their ...* a reader expects *exams*, but the proctor is not in the history. What would a larger
# n cost?
#
# With V different words there are $V^n$ possible n-grams, but only those that occur need to be
# stored. The next cell counts them. For comparison it lists Google's Web 1T (Brants and Franz
# 2006): the n-grams that occurred at least 40 times (single words: 200 times) in
# 1,024,908,267,229 tokens of web pages.

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
print(f"{len(words):,} training words; with the held-out text {len(vocabulary):,} different words")
print(f"different n-grams seen, n = 1 to 5: {memory['seen here']}")

# %% [markdown]
# The vertical axis of the figure is logarithmic. Expect the number of n-grams seen here to
# approach the length of the text. Both are far below $V^n$.

# %% tags=["demo"] jupyter={"source_hidden": true}
ax = plotting.steps(orders, memory, "n (tokens are words)", "number of n-grams", log_y=True)
ax.set_title("The text is the limit: almost no possible n-gram occurs");

# %% [markdown]
# The number of possible n-grams grows by a factor of V with each n, but no text has more n-grams
# than tokens. So the lowest curve becomes flat. The Web 1T curve even falls at n = 5, because it
# omits rare n-grams. Memory is therefore not the problem. The problem is that almost every possible
# n-gram is unseen.
#
# ## How often is a count 0?
#
# The next cell takes nine consecutive words of the held-out text, then the last eight of them,
# and so on, and counts how often they occur in the training text. Expect 0 for the long phrases.

# %% tags=["demo"] jupyter={"source_hidden": true}
training_text = f" {' '.join(words)} "
for start in range(17, 26):
    phrase = " ".join(held_out_words[start:26])
    print(f"seen {training_text.count(f' {phrase} '):6,} times: {phrase}")

# %% [markdown] exercise="unseen_rate"
# Write `unseen_rate`, which returns the fraction of the n-grams of a text `test` that do not
# occur in a text `train`. An n-gram that occurs three times in `test` counts three times. For
# example, `unseen_rate(["a", "b", "a", "c"], ["a", "b", "b", "b"], 2)` is 2/3: the 2-grams of
# `test` are ab, bb and bb, and bb does not occur in `train`. The real text has a million
# characters: look the n-grams up in a set, since searching a list would take hours.
#
# | | |
# |---|---|
# | `train`, `test` | lists of hashable tokens, or strings (their tokens are the characters) |
# | `n` | length of the n-grams |
# | returns | a float from 0 to 1 |
# | edges | `train` shorter than n: all are unseen, 1.0; `test` shorter than n, or n < 1: `ValueError` |


# %% exercise="unseen_rate"
def unseen_rate(train: list, test: list, n: int) -> float:
    """Return the fraction of the n-grams of `test`, repeated ones counted, not found in `train`."""
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
# The training text is nine times as long as the held-out text. Write down a guess before you run
# the next cells: what fraction of the held-out word pairs (n = 2) is unseen, and of the 4-grams?
# Expect it to grow with n: an n-gram that contains an unseen one is unseen, too.

# %% tags=["demo"]
rate = choose(unseen_rate, ngram.unseen_rate)
orders = list(range(1, 8))
unseen = {
    "words": [rate(words, held_out_words, n) for n in orders],
    "characters": [rate(train_text, held_out_text, n) for n in orders],
}
for unit, rates in unseen.items():
    print(f"{unit:10s}", [round(fraction, 3) for fraction in rates])

# %% tags=["demo"] jupyter={"source_hidden": true}
ax = plotting.steps(orders, unseen, "n", "fraction never seen")
ax.set_title("Most long n-grams of a new text were never seen before");

# %% [markdown]
# Both curves rise; that of the words rises at smaller n. The claim: from n = 1 to 5 it rises by more
# than 0.02 at each step.

# %% tags=["demo"]
growth = min(np.diff(unseen["words"][:5]))
claim = "the unseen rate of words grows with every n from 1 to 5 (smallest step)"
rt.claim(claim, growth, growth > 0.02)

# %% [markdown]
# ## Add k to every count
#
# **Smoothing** changes the estimates so that unseen tokens get a probability above 0. The oldest
# smoothing (Laplace; Lidstone 1920) pretends that every token followed every history k more
# times:
#
# $$P(w \mid h) = \frac{c(h\,w) + k}{\sum_{w'} c(h\,w') + kV}$$
#
# Here $k$ is a number above 0, and $V$ is the number of different tokens, the size of the
# vocabulary. Each of the $V$ tokens gets $k$, so the denominator grows by $kV$ and the
# probabilities still sum to 1. After an unseen history the formula gives $k / (kV) = 1/V$, the
# uniform distribution.


# %%
def add_k_prob(table: dict, history: tuple, token, k: float, vocab_size: int) -> float:
    """Return the relative frequency of `token` after `history` with k added to every count."""
    row = table.get(history, {})
    return (row.get(token, 0) + k) / (sum(row.values()) + k * vocab_size)


# %% [markdown]
# The four sentences have nine different words, the full stop included. With *exams*, V = 10. For
# k = 1, *books* gets (2 + 1) / (3 + 10) in place of 2/3.

# %% tags=["demo"]
V = len({*toy, "exams"})
for k in [1, 0.1, 0.01]:
    probs = {w: add_k_prob(fourgrams, history, w, k, V) for w in ["books", "laptops", "exams"]}
    print(f"k = {k:<5}", {word: round(p, 4) for word, p in probs.items()})

# %% [markdown]
# With a small k, *books* loses little and *exams* gets little. Which k is best? The training text
# cannot tell: nothing in it is unseen, so the smallest k always wins. A k chosen on the held-out
# text would make the final score look better than it is. So we need a third text, the **development
# text**: a part of the training text that is not counted while k is chosen.

# %% [markdown] exercise="choose_k"
# Write `choose_k`, which returns the k in `ks` that predicts the development text best. Count the
# n-grams of `train`. For each k, add up $\log_2 P(w \mid h)$ by add-k over all tokens $w$ of
# `dev` that have n - 1 tokens before them, the history $h$. The k with the largest sum needs the
# fewest bits. You may call `add_k_prob` and your own `ngram_counts`. For example, `choose_k("a
# rose is a rose is a rose".split(), "a rose is a daisy".split(), 2, [0.01, 0.1, 10], 8)` is 0.1:
# with k = 0.01 *daisy* gets too little, with k = 10 the other words get too little.
#
# | | |
# |---|---|
# | `train`, `dev` | lists of tokens: count the first, score the second (it has at least n tokens) |
# | `n` | length of history and next token together |
# | `ks` | a list of at least one number above 0, in any order |
# | `vocab_size` | V; the vocabulary may be larger than the texts (8 in the example, which has 4 different words) |
# | returns | the best element of `ks` |


# %% exercise="choose_k"
def choose_k(train: list, dev: list, n: int, ks: list, vocab_size: int) -> float:
    """Return the element of `ks` with which add-k, counted on `train`, predicts `dev` best."""
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
# The next cell counts 20,000 characters and chooses k with your function on the next 5,000. Then
# it makes the mistake to avoid: it chooses k on counted characters. Expect the smallest k, 0.001,
# there.

# %% tags=["demo"]
pick_k = choose(choose_k, ngram_scores.choose_k)
ks = [0.001, 0.01, 0.03, 0.1, 0.3, 1.0]
counted, next_ones = list(train_text[:20_000]), list(train_text[20_000:25_000])
for n in (2, 3, 4):
    honest = pick_k(counted, next_ones, n, ks, len(characters))
    fooled = pick_k(counted, counted[:5_000], n, ks, len(characters))
    print(f"n = {n}: k = {honest} on new text, k = {fooled} on the counted text")

# %% [markdown]
# The next cell scores the six k for n = 3, 5 and 6 with the library's faster `ngram.fit`. It counts
# the first nine tenths of the training text; the last tenth is the development text.

# %% tags=["demo"] jupyter={"source_hidden": true}
cut = len(train_ids) * 9 // 10
fit_ids, dev_ids = train_ids[:cut], train_ids[cut:]
tuned_add_k = {f"n = {n}": [bits(fit_ids, dev_ids, n, "add_k", k=k) for k in ks] for n in (3, 5, 6)}

# %% [markdown]
# Compare the lowest points of the three curves.

# %% tags=["demo"] jupyter={"source_hidden": true}
ax = plotting.curves(
    ks, tuned_add_k, "k (logarithmic scale)", "bits per character, development", log_x=True
)
ax.set_title("No k makes n = 6 as good as n = 5");

# %% [markdown]
# No k makes n = 6 as good as n = 5. After a rare history add-k uses the few counts of this history
# and the uniform distribution, and nothing in between. In the text *th* is most often followed by
# *e*; a 6-gram model cannot use this where its history of five characters was seen once or never.

# %% [markdown]
# ## Interpolation: ask the shorter history, too
#
# After a history that is rare or unseen, a model can ask a shorter one. Wherever *students opened
# their* occurs, *opened their* occurs, too, and usually in other places as well. So the relative
# frequencies after the shorter history come from more counts and are more reliable; those after the
# longer history are more specific. There are two ways to use both:
#
# - **Back-off** takes the longest history that was seen and ignores the others. After *teacher
#   opened their* it would use *opened their* alone, so *exams* would still get 0.
# - **Interpolation** (Jelinek and Mercer 1980) mixes the estimates of all lengths.
#
# We use interpolation: a history that was seen once should not decide alone.
#
# $$P(w \mid h) = \lambda\, P_{\text{MLE}}(w \mid h) + (1 - \lambda)\, P(w \mid h')$$
#
# Here $h'$ is the history $h$ without its first token, and $\lambda$ (lambda) is the weight of
# the longer history, a number from 0 to 1. $P(w \mid h')$ is computed by the same formula, and so
# on down to the empty history, which has no shorter one: there $1/V$ takes the place of
# $P(w \mid h')$. If $h$ was never seen, it has no MLE, and $P(w \mid h) = P(w \mid h')$.
#
# In the drawing we start from $1/V$ at the bottom and climb: each history mixes its own
# estimate with the result of the shorter one, here with $\lambda$ = 1/2.
#
# ![A ladder for P(books | teacher opened their). From the top down, each history loses its first token; at the foot
# is 1/V. From the foot up, each mixes its own estimate with the result below it, half and half: 0.100, 0.092,
# 0.379, 0.523. The longest history was never seen and passes 0.523 on.](figures/backoff_ladder.svg)
#
# The next cell does the same. Its rows are the **suffixes** of the history: its last 0, 1, 2 and 3
# tokens; `()` is the empty one. "books / all" is the count of *books* and the row sum. Expect the
# values of the drawing.

# %% tags=["nbval-check-output"]
rungs = {"()": (2, 24), "their": (2, 3), "opened their": (2, 3), "teacher opened their": (0, 0)}
prob = 1 / 10
print(f"{'history':22} books / all   estimate\n{'uniform, 1/V':36} {prob:.4f}")
for suffix, (books, all_words) in rungs.items():
    if all_words > 0:
        prob = 0.5 * books / all_words + 0.5 * prob
    print(f"{suffix:22} {books:5} / {all_words:<6} {prob:.4f}")

# %% [markdown] exercise="interpolated_prob"
# Write `interpolated_prob`, which returns $P(w \mid h)$ by the formula above. It gets the count
# tables of all lengths in one list: `tables[m]` has the histories of m tokens, so `tables[0]` is
# `ngram_counts(tokens, 1)`. Start from $1/V$ and climb from the empty history to the longest. For
# example, with the four tables of the four sentences, `interpolated_prob(tables, ("teacher",
# "opened", "their"), "books", 0.5, 10)` is 0.5229, the last line above.
#
# | | |
# |---|---|
# | `tables` | list of n tables, `tables[m]` with histories of m tokens |
# | `history` | a tuple of any length; of more than n - 1 tokens only the last n - 1 are used |
# | `weight` | $\lambda$, from 0 to 1, the same for every length |
# | `vocab_size` | V |
# | returns | a float from 0 to 1; over all V tokens the results sum to 1 |
# | edges | `history` is `()`: only the unigram and 1/V are mixed |


# %% exercise="interpolated_prob"
def interpolated_prob(tables: list, history: tuple, token, weight: float, vocab_size: int) -> float:
    """Return the mixture of 1 / V and the MLE after each suffix of `history`, () included."""
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
# The next cell calls your function after *teacher opened their*. Expect *books* far ahead, a
# little for *exams*, and a sum of 1.

# %% tags=["demo"]
interpolated = choose(interpolated_prob, ngram.interpolated_prob)
tables = [counts(toy, n) for n in (1, 2, 3, 4)]
unseen_history = ("teacher", "opened", "their")
after = {w: interpolated(tables, unseen_history, w, 0.5, V) for w in {*toy, "exams"}}
print({w: round(after[w], 3) for w in ["books", "laptops", "exams"]})
print("sum over all words:", round(sum(after.values()), 9))

# %% [markdown]
# For the whole text we use the library again, and choose the weight on the development text.

# %% tags=["demo"] jupyter={"source_hidden": true}
weights = [0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9]
tuned_weight = {
    f"n = {n}": [bits(fit_ids, dev_ids, n, "interpolated", weight=w) for w in weights]
    for n in (3, 5, 6)
}

# %% [markdown]
# Compare the lowest points with each other and with those of add-k.

# %% tags=["demo"] jupyter={"source_hidden": true}
ax = plotting.curves(
    weights, tuned_weight, "weight of the longer history", "bits per character, development"
)
ax.set_title("With the right weight n = 6 is better than n = 5");

# %% [markdown]
# With its best weight n = 6 now beats n = 5: the longer history helps where it was seen, and does
# no harm where it was not. But one weight for all histories is crude: a history that was seen a
# thousand times deserves more weight than one that was seen once. The weight should follow from
# the counts.
#
# ## How much too high is a count?
#
# If a pair of words was seen twice, will it occur twice in an equally long new text? Church and
# Gale (1991) split a text into two halves, took all pairs that occur c times in the first half, and
# computed their mean count in the second. The next cell does this with our words. Pieces of 50
# pairs go to the halves in turn, so that both contain the same kind of text. It prints c minus the
# mean count. If an equally long text had the same counts, this would be 0.

# %% tags=["demo"] jupyter={"source_hidden": true}
pairs = list(zip(words, words[1:]))
halves = [Counter(p for i, p in enumerate(pairs) if i // 50 % 2 == side) for side in (0, 1)]
in_first = list(range(1, 8))
in_second = []
for c in in_first:
    same = [pair for pair, count in halves[0].items() if count == c]
    in_second.append(sum(halves[1][pair] for pair in same) / max(1, len(same)))
print("c minus mean count:", [round(c - mean, 2) for c, mean in zip(in_first, in_second)])

# %% [markdown]
# The figure shows the mean count against c. The line c - 0.75 is a guess: how well does it fit?

# %% tags=["demo"] jupyter={"source_hidden": true}
expected = {"mean count": in_second, "c": in_first, "c - 0.75": [c - 0.75 for c in in_first]}
ax = plotting.steps(
    in_first, expected, "c, count of a pair in the first half", "count in the second half"
)
ax.set_title("Pairs that were seen c times occur less often in new text");

# %% [markdown]
# The mean count is below c by roughly the same amount for c = 1 to 7: 0.4 to 1.1 in our texts,
# about 0.75 in newspaper text. So subtract a constant **discount** D = 0.75 from every count (Ney,
# Essen and Kneser 1994), and give the subtracted probability to the shorter history.
#
# How much is subtracted after one history? Let total be the sum of the counts after it, and N the
# number of different tokens that followed it. The discounts add up to $D\,N$, the fraction
# $D\,N/\text{total}$ of all counts. This fraction becomes the weight of the shorter history: D if
# each of the N tokens was seen once (N = total), close to 0 if each was seen often. So each history
# has its own weight.
#
# ## Continuation counts: Kneser-Ney smoothing
#
# The shorter history matters most where the longer one was rarely seen, and there its raw counts
# mislead. *Francisco* may be frequent in a newspaper, but it almost always follows *San*. After
# any other word it is a bad guess, however often it was seen. Kneser and Ney (1995) therefore
# replace the count of a word by its **continuation count**: the number of *different* words that
# it was seen after.
#
# The next cell prints both counts for the words of the four sentences. Expect *their* to fall
# from 3 to 1: it always came after *opened*.

# %% tags=["nbval-check-output"]
before = {}
for left, right in zip(toy, toy[1:]):
    before.setdefault(right, set()).add(left)
print("word       count  continuation count")
for word in sorted(before, key=toy.count, reverse=True):
    print(f"{word:9} {toy.count(word):6} {len(before[word]):7}     after {sorted(before[word])}")
print(f"{'sum':9} {len(toy):6} {sum(map(len, before.values())):7}")

# %% [markdown]
# The next cell compares the two counts in the real text. Among the words that were seen 10 to 50
# times, it names the one with the fewest different words before it relative to its count; likewise
# for 50 to 250 and for 250 to 1,250 times.

# %% tags=["demo"] jupyter={"source_hidden": true}
seen = Counter(words)
continuation = Counter(right for left, right in set(zip(words, words[1:])))
named = []
for low in (10, 50, 250):
    band = [word for word in seen if low <= seen[word] < 5 * low]
    named += sorted(band, key=lambda word: continuation[word] / seen[word])[:1]
for word in named:
    print(f"{word:14s} count {seen[word]:4d}, continuation count {continuation[word]}")

# %% [markdown]
# In the figure every point is a word. On the dashed line every occurrence has a different word
# before it.

# %% tags=["demo"] jupyter={"source_hidden": true}
ax = plotting.predecessors(seen, continuation, named)
ax.set_title("Some frequent words follow very few different words");

# %% [markdown]
# The named words are far below most words of the same count: they behave as *Francisco* does in a
# newspaper.
#
# **The whole formula.** Interpolated Kneser-Ney, in the form of Chen and Goodman (1998),
# discounts the counts and interpolates with the shorter history:
#
# $$P(w \mid h) = \frac{\max(c(h\,w) - D,\ 0)}{\text{total}} + \frac{D\,N}{\text{total}}\; P(w \mid h')$$
#
# - $h'$ is the history $h$ without its first token. At the empty history $P(w \mid h')$ is $1/V$,
#   as before.
# - $c(h\,w)$ depends on the length of $h$. For the longest history, of n - 1 tokens, it is the
#   raw count: how often $w$ followed $h$. For a shorter history it is the continuation count: the
#   number of different tokens $v$ for which $v\,h\,w$ occurs in the text.
# - total is the sum of $c(h\,w)$ over all $w$, and $N$ is the number of tokens $w$ with
#   $c(h\,w) > 0$.
# - $D$ is the discount. If total is 0, $P(w \mid h) = P(w \mid h')$.
#
# The next cell computes P(laptops | their) for n = 2 and V = 10. After the empty history `()` it
# uses continuation counts, those of the table above: 1 for *laptops*, 13 for all nine words. After
# *their*, the longest history, it uses raw counts: c is 1, total is 3 and N is 2.
# Expect less than the MLE of 1/3.

# %% tags=["nbval-check-output"]
D, prob = 0.75, 1 / 10
print("history     c  total  N   (c - D)/total   D N/total   P(w|h')   P(w|h)")
for suffix, c, total, N in [("()", 1, 13, 9), ("their", 1, 3, 2)]:
    shorter, prob = prob, (c - D) / total + D * N / total * prob
    columns = f"{(c - D) / total:12.4f} {D * N / total:13.4f} {shorter:10.4f} {prob:9.4f}"
    print(f"{suffix:11} {c} {total:5} {N:3} {columns}")

# %% [markdown] exercise="kneser_ney_prob"
# Write `kneser_ney_prob`, which returns $P(w \mid h)$ by this formula, from the same list
# `tables` of raw counts as `interpolated_prob`. Start from $1/V$ and climb. For example,
# `kneser_ney_prob(tables[:2], ("their",), "laptops", 10)` is 0.1189, the last line above.
#
# The raw counts of the longest history are in `tables[n - 1]`. The continuation counts after a
# shorter history of m tokens follow from `tables[m + 1]`, where a key is one token v and then m
# tokens. Every key whose last m tokens are your history adds 1 to the continuation count of each
# token in its row, because each such key has a different v. For example, the only key of
# `tables[2]` that ends in *their* is `("opened", "their")`, and its row is
# `{"books": 2, "laptops": 1}`. So with three tables *books* and *laptops* each have the
# continuation count 1 after *their*.
#
# | | |
# |---|---|
# | `tables` | list of n tables of raw counts, `tables[m]` with histories of m tokens |
# | `history` | a tuple; the last n - 1 tokens are used; if it has fewer, all counts are continuation counts |
# | `discount` | D, from 0 to 1 |
# | returns | a float from 0 to 1; over all V tokens the results sum to 1 |
# | edges | total = 0: the result of the shorter history; n = 1: the empty history is the longest (raw counts) |


# %% exercise="kneser_ney_prob"
def kneser_ney_prob(
    tables: list, history: tuple, token, vocab_size: int, discount: float = 0.75
) -> float:
    """Return the interpolated Kneser-Ney probability of `token` after `history`."""
    ### BEGIN SOLUTION
    prob = 1 / vocab_size
    for m in range(min(len(tables), len(history) + 1)):
        suffix = history[len(history) - m :]
        if m == len(tables) - 1:
            row = tables[m].get(suffix, {})
        else:
            longer = [row for h, row in tables[m + 1].items() if h[1:] == suffix]
            row = Counter(w for tokens_after in longer for w in tokens_after)
        if row:
            own = max(row.get(token, 0) - discount, 0)
            prob = (own + discount * len(row) * prob) / sum(row.values())
    return prob
    ### END SOLUTION


# %% check="kneser_ney_prob"
check.kneser_ney_prob(kneser_ney_prob);

# %% [markdown]
# The figure compares four estimates after *students opened their*. Only *books* and *laptops* were
# seen there. Elsewhere *the* was seen after two different words, *their* after one, and *exams*
# never.

# %% tags=["demo"] jupyter={"source_hidden": true}
kneser_ney = choose(kneser_ney_prob, ngram.kneser_ney_prob)
shown = ["books", "laptops", "the", "their", "exams"]
estimates = {
    "MLE": {w: mle_prob(fourgrams, history, w) for w in shown},
    "add-1": {w: add_k_prob(fourgrams, history, w, 1, V) for w in shown},
    "interpolated (1/2)": {w: interpolated(tables, history, w, 0.5, V) for w in shown},
    "Kneser-Ney": {w: kneser_ney(tables, history, w, V) for w in shown},
}

# %% tags=["demo"] jupyter={"source_hidden": true}
ax = plotting.distributions(estimates)
ax.set_title("Add-1 treats all unseen words alike, Kneser-Ney does not");

# %% [markdown]
# Add-1 gives the last three words the same probability. Interpolation follows their counts
# (5, 3, 0), Kneser-Ney their continuation counts (2, 1, 0); here both give the same order.
#
# **Claim: the probabilities sum to 1 after every history.** The claims use `ngram.fit`, which
# computes all continuation counts once. The next cell tests n = 6 on the real text, after all
# histories of up to two characters, those at two thousand random positions of the held-out text,
# and two thousand random strings.

# %% tags=["demo"] jupyter={"source_hidden": true}
model = ngram.fit(train_ids, len(characters), NgramConfig(6, "kneser_ney"))
V_chars = range(len(characters))
histories = [[], *([a] for a in V_chars), *([a, b] for a in V_chars for b in V_chars)]
for _ in range(rt.pick(smoke=20, cpu=2_000)):
    start = rt.random.randrange(len(held_out_ids) - 5)
    histories.append(held_out_ids[start : start + 5])
    histories.append(rt.random.choices(V_chars, k=5))
error = max(abs(model.probs(h).sum() - 1) for h in histories)
claim = f"Kneser-Ney sums to 1 after each of {len(histories):,} histories (largest error)"
rt.claim(claim, error, error < 1e-9)

# %% [markdown]
# **Claim: at n = 6, Kneser-Ney predicts best of the three.** Add-k and interpolation use their best
# constants on the development text; Kneser-Ney uses D = 0.75. The cell prints perplexities on the
# held-out text, 2 to the power of the bits. The claim asks for steps of more than 0.04 bits.

# %% tags=["demo"] jupyter={"source_hidden": true}
best_k = min(zip(tuned_add_k["n = 6"], ks))[1]
best_weight = min(zip(tuned_weight["n = 6"], weights))[1]
scores = [
    bits(train_ids, held_out_ids, 6, "kneser_ney"),
    bits(train_ids, held_out_ids, 6, "interpolated", weight=best_weight),
    bits(train_ids, held_out_ids, 6, "add_k", k=best_k),
]
in_order = " < ".join(f"{2**score_bits:.2f}" for score_bits in scores)
claim = "perplexity: Kneser-Ney < interpolated < add-k, each by 0.04 bits or more"
rt.claim(claim, in_order, min(np.diff(scores)) > 0.04)

# %% [markdown] question="francisco"

# %% [markdown]
# ## The ladder of models
#
# One table runs through the whole course: it lists every model with its bits per character on the
# same held-out text. The last model of this unit is **modified Kneser-Ney** (Chen and Goodman 1998).
# It has three discounts: D1 for counts of 1, D2 for counts of 2, and D3+ for counts of 3 or more.
# They follow from the counted text. Let $n_c$ be the number of different n-grams with count $c$,
# and $Y = n_1 / (n_1 + 2 n_2)$. Then
#
# $$D_1 = 1 - 2Y \frac{n_2}{n_1} \qquad D_2 = 2 - 3Y \frac{n_3}{n_2} \qquad D_{3+} = 3 - 4Y \frac{n_4}{n_3}$$
#
# Each discount estimates what we measured above with two halves: c minus the mean count in a new
# text. Each length of history has its own three. The weight of the shorter history
# becomes $(D_1 N_1 + D_2 N_2 + D_{3+} N_{3+}) / \text{total}$, where $N_1$, $N_2$ and $N_{3+}$
# are the numbers of next tokens with a count of 1, of 2, and of 3 or more. The next cell prints the
# discounts for the 7-grams of the real text. Expect them to grow with the count, so one D for all is
# too simple.

# %% tags=["demo"] jupyter={"source_hidden": true}
sevengrams = Counter(train_text[i : i + 7] for i in range(len(train_text) - 6))
discounts = ngram.modified_discounts(np.array(list(sevengrams.values())))
print(", ".join(f"{name} = {d:.2f}" for name, d in zip(["D1", "D2", "D3+"], discounts[1:])))

# %% [markdown]
# Now five models are fitted and scored: add-k with n = 2, 3 and 5, Kneser-Ney with n = 6, and
# modified Kneser-Ney with n = 7. On tiny Shakespeare expect 3.58, 2.98, 2.55, 2.22 and 2.19 bits, on
# the manual about 3.35, 2.5, 2.2, 1.7 and 1.64.

# %% tags=["demo"] jupyter={"source_hidden": true}
models = {
    "bigram, add-1": NgramConfig(2, "add_k", k=1),
    "trigram, add-0.01": NgramConfig(3, "add_k", k=0.01),
    "5-gram, add-0.01": NgramConfig(5, "add_k", k=0.01),
    "6-gram, Kneser-Ney": NgramConfig(6, "kneser_ney"),
    "7-gram, modified Kneser-Ney": NgramConfig(7, "modified_kneser_ney"),
}
measured = {"tokens": len(train_ids), "corpus": english.name}
for name, config in models.items():
    start = time.perf_counter()
    model = ngram.fit(train_ids, len(characters), config)
    spent = time.perf_counter() - start
    score_bits, size = model.bits_per_token(held_out_ids), model.n_counts
    rt.ladder(name, score_bits, parameters=size, seconds=spent, **measured)
    print(f"{name:28s} {score_bits:.3f} bits per character, {size:9,} counts, {spent:.2f} s")

# %% tags=["demo"] jupyter={"source_hidden": true}
ax = plotting.ladder(rt.ladder_rows(english.name))
ax.set_title("Longer histories and better smoothing together give the lowest score");

# %% [markdown]
# Remember the last bar: its model was fitted in seconds, and the networks of later units have to beat
# it.
#
# ## Generate text
#
# A model can also write: start from a **prompt**, the given beginning of the text, draw a token,
# append it, and ask the model again.

# %% [markdown] exercise="generate"
# Write `generate`, which returns the prompt followed by `length` new tokens, each drawn from the
# model's distribution after the last n - 1 tokens. Draw as in unit 01: call `uniform()` once for
# each new token, go through the dictionary in its order, and take the first token at which the
# running sum of the probabilities is larger than the drawn number. Rounding may leave all sums too
# small: then take the last token with a probability above 0. A token of probability 0 is never
# drawn. For example, with a model that always gives *tick* the probability 1, `generate(lambda
# history: {"tick": 1.0}, ["so"], 2, 3, lambda: 0.5)` is `["so", "tick", "tick"]`.
#
# | | |
# |---|---|
# | `next_probs` | a function: `next_probs(history)`, with a tuple, returns a dictionary from token to probability |
# | `prompt` | list of tokens, may be empty; not modified |
# | `length` | number of new tokens, 0 or more |
# | `n` | `next_probs` gets the last n - 1 tokens, or all tokens of a shorter text |
# | `uniform` | a function: `uniform()` returns a number from 0 up to, but not including, 1 |
# | returns | a list |
# | edges | n = 1: the history is `()` |


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
# Now Kneser-Ney models of words with n = 1 to 5 continue the first four words of the training text
# by a hundred words each; thirty are shown. Expect a random list for n = 1, pairs that fit for n =
# 2, then phrases. The percentage is the fraction of the sample's 4-grams that the training text
# contains: 1 minus your `unseen_rate`.

# %% tags=["demo"] jupyter={"source_hidden": true}
write = choose(generate, ngram.generate)
word_ids = ngram.encode(words, vocabulary)
prompt = word_ids[:4].tolist()
for n in range(1, 6):
    model = ngram.fit(word_ids, len(vocabulary), NgramConfig(n, "kneser_ney"))

    def next_ids(history, model=model):
        return dict(enumerate(model.probs(history).tolist()))

    drawn = write(next_ids, prompt, rt.pick(smoke=10, cpu=100), n, rt.random.random)
    sample = [vocabulary[i] for i in drawn[len(prompt) :]]
    print(f"n = {n}, {1 - rate(words, sample, 4):4.0%} copied: {' '.join(sample[:30])}\n")

# %% [markdown]
# With larger n the text becomes more fluent and less original: on tiny Shakespeare the copied fraction
# grows from about 1 % to about a quarter.
#
# ## What no n-gram model can know
#
# An n-gram model sees only a **window** of n - 1 words. In *The boats near the old gate were wet*
# the verb agrees with *boats*, not with *gate*. The noun in between is called an **attractor**,
# because it attracts the wrong verb form (Linzen, Dupoux and Goldberg 2016). The stories of the
# course's invented world contain such sentences. The next cell fits Kneser-Ney models with n = 3,
# 5 and 7 to them.

# %% tags=["demo"] jupyter={"source_hidden": true}
from llmcourse import world

stories = world.stories(tokens=rt.pick(smoke=5_000, cpu=1_000_000), seed=rt.seed)
world_words = list(world.vocabulary())
world_ids = ngram.encode([word for story in stories for word in story.tokens], world_words)
windows = {n: ngram.fit(world_ids, len(world_words), NgramConfig(n)) for n in (3, 5, 7)}

# %% [markdown]
# A question has the beginning of a sentence, a right verb form and a wrong one. An answer scores 1 if
# the right form is more probable, 0 if the wrong one is, and 0.5 for a tie. Questions come in pairs
# that differ only in the subject, singular or plural (*boat*, *boats*), so a model that does not see
# the subject scores exactly 1 of 2. The next cell asks one pair with two words between subject and
# verb. Only the 3-gram model does not see the subject.

# %% tags=["demo"]
index = {word: i for i, word in enumerate(world_words)}


def agrees(model, question):
    probs = model.probs([index[word] for word in question.prefix])
    right, wrong = probs[index[question.right]], probs[index[question.wrong]]
    return float(right > wrong) + 0.5 * float(right == wrong)


for question in world.agreement_pairs(2, 2, seed=rt.seed):
    answers = {f"{n}-gram": agrees(model, question) for n, model in windows.items()}
    print(" ".join(question.prefix), f"... {question.right}, not {question.wrong}: {answers}")

# %% [markdown]
# The next cell asks 400 questions for each distance between subject and verb.

# %% tags=["demo"] jupyter={"source_hidden": true}
distances = list(range(11))
asked = rt.pick(smoke=4, cpu=400)
accuracy = {f"{n}-gram": [] for n in windows}
for distance in distances:
    questions = world.agreement_pairs(asked, distance, seed=rt.seed)
    for n, model in windows.items():
        accuracy[f"{n}-gram"].append(np.mean([agrees(model, question) for question in questions]))

# %% [markdown]
# A 5-gram model sees four words, so expect it above chance (0.5) for up to three words in between,
# and at chance from four on.

# %% tags=["demo"] jupyter={"source_hidden": true}
ax = plotting.steps(
    distances, accuracy, "words between subject and verb", "accuracy", level=("chance", 0.5)
)
ax.set_title("Once the subject is outside the window, accuracy is at chance");

# %% [markdown]
# Each model is at chance as soon as the subject is outside its window. More text and better
# smoothing cannot change that. At a distance of four and five words the 7-gram model sees the
# subject but hardly uses it: histories that reach the subject were rarely seen, so the model relies
# on shorter ones without it.
#
# The claims call 0 to 2 words near and 5 or more far. Guessing would reach 0.8 on the 1,200 near
# questions with a probability below 1e-9. On the far questions the pairs lead to exactly 0.5; the
# claim allows 0.04.

# %% tags=["demo"]
near, far = np.mean(accuracy["5-gram"][:3]), np.mean(accuracy["5-gram"][5:])
rt.claim("a 5-gram agrees with a subject in its window (accuracy)", near, near > 0.8)
claim = "with five or more words between subject and verb it is at chance (accuracy)"
rt.claim(claim, far, abs(far - 0.5) < 0.04)

# %% [markdown] question="agreement_window"

# %% [markdown] written="why_not_longer"
# A colleague has ten times more text of the same kind and proposes a 20-gram model with add-0.01
# smoothing: "With enough data, counting can do everything." Write 150 to 250 words for her. Say
# what the larger text will improve and what it will not, with at least two numbers that you
# measured in this unit. Say what you would change in her plan while still counting n-grams. Name
# one thing that no n-gram model can do, and give the reason.
#
# ### BEGIN SOLUTION
# More text helps short n-grams: 35 % of the held-out pairs and 76 % of the triples were unseen in
# tiny Shakespeare, and ten times the words will contain many of them. It does not help 20-grams.
# Even 5-grams of words were unseen 99 % of the time. The number of possible n-grams grows by a
# factor of V with each word, but the text is only ten times longer. So almost every history of 19
# words will be new. Add-k then answers 1/V. With characters it became worse from n = 5 (2.55 bits) to n = 6 (about
# 2.9). I would keep n small, 5 to 7 characters or 3 to 4 words, and use modified Kneser-Ney, which
# weights shorter histories by the counts: 2.19 bits per character. No n-gram model can use a word
# outside its window. A 5-gram model chose the right verb form across a long attractor half of the
# time, which is chance, because its probability does not depend on the subject.
#
# ### BEGIN MARK SCHEME
# 10 points. 2: says what more text improves (short n-grams get seen, unseen rate falls) and that
# it cannot keep up with V^n.
# 2: at least two measured numbers, correctly used (unseen rates, bits per character, agreement; 1
# each).
# 2: add-k at long n falls back on 1/V, nothing in between; so it gets worse as n grows.
# 2: a better plan within counting: smaller n, and interpolation or (modified) Kneser-Ney, with a
# reason.
# 2: a limit of every n-gram model with its reason: dependence beyond the window (agreement,
# topic, reference), or no sharing between similar words. Take 1 off for a claim that contradicts
# what was measured. Numbers from the manual are as good.
# ### END MARK SCHEME
# ### END SOLUTION

# %% [markdown]
# ## What was shown
#
# - The fraction of unseen n-grams grows with every n.
# - At n = 6, Kneser-Ney predicts better than interpolation with a chosen weight, and interpolation
#   better than add-k with a chosen k.
# - Kneser-Ney probabilities sum to 1 after every history, seen or not.
# - With n - 1 or more words between subject and verb, an n-gram model is at chance.
#
# **To think about.** (1) The continuation count of a word ignores how often the word was seen.
# For which task would that be wrong? (2) The perplexities of a word model and of a character model
# cannot be compared. What would you have to measure to find the better model of the text? (3)
# What would you have to store to let *cat* learn from what was seen after *dog*?
#
# **Where the ideas come from.** Markov 1913; Shannon 1948; Kneser and Ney 1995, *Improved
# backing-off for m-gram language modeling*; Chen and Goodman 1998, *An empirical study of smoothing
# techniques*; Brants and Franz 2006, *Web 1T 5-gram* (LDC2006T13); Linzen, Dupoux and Goldberg
# 2016, arXiv:1611.01368. The students and the proctor are from the slides of Stanford CS224n.
#
# **Next.** With words many tokens are unseen; with characters every history is short. Unit 03
# learns tokens in between.

