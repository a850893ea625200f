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
# **How far does counting go?** The unigram of unit 01 gave a word the same probability wherever it stood. But what comes next
# depends on what came before, and the plainest way to use that is to count: of all the times these n - 1 tokens were seen, how often did
# each token follow? This unit raises n, watches the counts run out, and tries three ways to live with that. The best of them,
# from 1995, is still hard to beat on a text of this size.

# %% tags=["parameters"]
preset = "cpu"
device = "auto"
seed = 0

# %% [markdown]
# Everything below runs on one core in about half a minute. `rt` knows the preset and the seed, and records what is claimed.

# %%
from collections import Counter

from llmcourse.checks import u02_ngrams as check
from llmcourse.runtime import choose, setup

rt = setup(preset, device, seed)

# %% [markdown]
# ## What will be built
#
# The text is tiny Shakespeare where it can be had, else the language manual that comes with Python. The models see the first 90 %;
# the last 10 % is held out. Tokens are characters, so the score is in bits per character: what a perfect compressor with this
# model would need for each.

# %% tags=["demo"]
import time

import numpy as np

from llmcourse import data, ngram, plotting
from llmcourse.ngram import NgramConfig

english = data.english()
size = rt.pick(smoke=40_000, cpu=len(english.train))
characters = sorted(set(english.train + english.held_out))
train_ids = ngram.encode(english.train[:size], characters)
held_out_ids = ngram.encode(english.held_out[:size], characters)
print(f"{english.name}: {len(train_ids):,} characters to learn from, {len(held_out_ids):,} held out")

# %% [markdown]
# One model for each smoothing and each n, fitted and scored. The names will mean something to you by the end. Expect between 1.5 and
# 5.5 bits: uniform guessing costs log2 V, about 6. A value below 1 would mean that the held-out text was in the training text.


# %% tags=["demo"]
def bits(n, smoothing, **settings):
    model = ngram.fit(train_ids, len(characters), NgramConfig(n, smoothing, **settings))
    return model.bits_per_token(held_out_ids)


orders = list(range(1, 8))
smoothings = {"add-k (k = 0.01)": "add_k", "interpolated": "interpolated", "Kneser-Ney": "kneser_ney"}
sweep = {name: [bits(n, how) for n in orders] for name, how in smoothings.items()}

# %% [markdown]
# Here is the unit in one figure.

# %% tags=["demo"]
plotting.steps(orders, sweep, "n, the length of the n-grams", "bits per character, held out");

# %% [markdown]
# All three count the same n-grams. With add-k the text gets easier to predict up to n = 4 or 5, then quickly harder. Interpolation
# turns later, and Kneser-Ney hardly turns at all. By the end you can compute each curve and say why it bends where it does.
#
# ## The idea: only the last words count
#
# A model of language needs P(next token | everything before it). An **n-gram model** pretends that only the last n - 1 tokens matter
# (Markov 1913; Shannon 1948):
#
# $$P(w_t \mid w_1 \dots w_{t-1}) \approx P(w_t \mid w_{t-n+1} \dots w_{t-1})$$
#
# Take four sentences. What comes after *students opened their*? A 4-gram model looks at these three words, its **history**, and
# counts. Expect two words, one of them twice.

# %% tags=["nbval-check-output"]
toy = (
    "the students opened their books . the students opened their laptops . "
    "the students opened their books . the teacher opened the window ."
).split()
history = ["students", "opened", "their"]
followers = Counter(toy[i + 3] for i in range(len(toy) - 3) if toy[i : i + 3] == history)
print(followers)

# %% [markdown] exercise="ngram_counts"
# Do this for all histories at once. Return a table: a dictionary from each history to a dictionary from next token to count, so that
# `table[history][token]` says how often `token` came right after `history`. The whole unit works on such tables.
#
# For `tokens = ["b", "a", "b", "a"]` and `n = 3` the table is `{("b", "a"): {"b": 1}, ("a", "b"): {"a": 1}}`.
#
# | | |
# |---|---|
# | `tokens` | a list of strings (any hashable tokens), of any length |
# | `n` | length of history and next token together |
# | returns | dictionary of dictionaries (`Counter` and `defaultdict` are dictionaries too); keys are tuples of n - 1 tokens |
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
# The same question again, put to the table. From here on `counts` is your function if it passed its check, else the library's.

# %% tags=["demo"]
counts = choose(ngram_counts, ngram.ngram_counts)
fourgrams = counts(toy, 4)
print(fourgrams["students", "opened", "their"])

# %% [markdown]
# ## From counts to probabilities
#
# The simplest estimate is the share: of three times, *books* came twice. It is the **maximum likelihood estimate** (MLE), the
# probabilities under which the text we counted is as likely as it can be:
#
# $$P(w \mid h) = \frac{c(h\,w)}{\sum_{w'} c(h\,w')}$$
#
# Here $h$ is the history and $c$ counts. Expect 2/3, 1/3, and for *exams*, which never came, 0.

# %% tags=["nbval-check-output"]
for word in ["books", "laptops", "exams"]:
    share = followers[word] / followers.total()
    print(f"P({word} | students opened their) = {followers[word]}/{followers.total()} = {share:.3f}")

# %% [markdown] exercise="mle_prob"
# Return the share from a table of counts. After a history that is not in the table the formula says 0 / 0. There is no right value;
# we return 0.0, and remember that the probabilities do not sum to 1 there. The rest of the unit repairs it.
#
# | | |
# |---|---|
# | `table` | what `ngram_counts` returns, for some n (a plain dictionary of dictionaries) |
# | `history` | a tuple of n - 1 tokens |
# | `token` | any token |
# | returns | a float from 0 to 1 |
# | edges | a token that never followed `history`: 0.0; a `history` that is not in the table: 0.0 |

# %% exercise="mle_prob"
def mle_prob(table: dict, history: tuple, token) -> float:
    """Return the share of `token` in what followed `history`."""
    ### BEGIN SOLUTION
    row = table.get(history, {})
    return row.get(token, 0) / sum(row.values()) if row else 0.0
    ### END SOLUTION


# %% check="mle_prob"
check.mle_prob(mle_prob);

# %% [markdown]
# Now two sentences, word by word after the first three: one of the text, and one that anybody would understand. A text is as likely as
# the product of its steps, so look for a 0.

# %% tags=["demo"]
mle = choose(mle_prob, ngram.mle_prob)
for sentence in ["the students opened their books .", "the teacher opened their books ."]:
    said = sentence.split()
    steps = [mle(fourgrams, tuple(said[i - 3 : i]), said[i]) for i in range(3, len(said))]
    print(sentence, [round(p, 2) for p in steps])

# %% [markdown]
# One 4-gram that was never seen, *the teacher opened their*, and the sentence is impossible: probability 0, perplexity infinite. The
# next step is worse still: the history *teacher opened their* has no row, so there is nothing to divide by.
#
# The window has a second fault. In *as the proctor started the clock, the students opened their ...* everybody expects *exams*; the
# 4-gram model threw the proctor away. A larger n would see him, so let us see what a larger n costs.

# %% [markdown] question="unseen_sentence"

# %% [markdown]
# ## What n costs
#
# With V words there are V^n possible n-grams. Nobody has to store those that never came, so count the ones that did. Beside our text
# stands a famous table, Google's Web 1T (Brants and Franz 2006): n-grams of 1,024,908,267,229 tokens of web pages, kept if seen 40 times
# or more (single words: 200 times). Tokens are words now, and punctuation marks count as words. Expect the seen n-grams to fall far
# behind V^n at once, and those of our text to end near its length.

# %% tags=["demo"]
words = data.words(english.train[:size])
held_out_words = data.words(english.held_out[:size])
orders = [1, 2, 3, 4, 5]
web = [13_588_391, 314_843_401, 977_069_902, 1_313_818_354, 1_176_470_663]
vocabulary = sorted(set(words + held_out_words))
memory = {
    "possible on the web": [web[0] ** n for n in orders],
    "possible here": [len(vocabulary) ** n for n in orders],
    "seen on the web (Web 1T)": web,
    "seen here": [sum(map(len, counts(words, n).values())) for n in orders],
}
print(f"{len(words):,} words of text, {len(vocabulary):,} different; n-grams seen: {memory['seen here']}")

# %% [markdown]
# Each grid line of the next figure is a factor of ten thousand.

# %% tags=["demo"]
plotting.steps(orders, memory, "n (tokens are words)", "number of n-grams", log_y=True);

# %% [markdown]
# What is possible grows by a factor V with each n. What is seen cannot outgrow the text, and the lower two lines bend flat. So memory is
# not the limit. The limit is that almost everything possible is never seen.
#
# ## How often are the counts silent?
#
# Take the first nine words of the held-out text as a history and look for them in the training text; then the last eight of them, and
# so on. Expect no count at all for the long ones.

# %% tags=["demo"]
training_text = f" {' '.join(words)} "
for start in range(9):
    phrase = " ".join(held_out_words[start:9])
    print(f"seen {training_text.count(f' {phrase} '):6,} times: {phrase}")

# %% [markdown] exercise="unseen_rate"
# One history proves nothing. Measure over a whole text: return the share of the n-grams of `test` that do not occur in `train`. An
# n-gram that stands in `test` three times counts three times.
#
# Train on `a b a c`, test on `a b b b`: of the 2-grams *ab*, *bb*, *bb* two are unseen, so 2/3. The real text has a million characters:
# look the n-grams up in a set, since a search through so long a list would take hours.
#
# | | |
# |---|---|
# | `train`, `test` | lists of hashable tokens, or strings: their tokens are the characters |
# | `n` | length of the n-grams |
# | returns | a float from 0 to 1 |
# | edges | `train` shorter than n: all are unseen, 1.0; `test` shorter than n, or n < 1: `ValueError` |

# %% exercise="unseen_rate"
def unseen_rate(train: list, test: list, n: int) -> float:
    """Return the share of the n-grams of `test`, repeated ones included, that `train` lacks."""
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
# On the real text, for words and for characters. Expect words to run out fast: a third of all pairs unseen and nearly all 4-grams (in
# the manual, which repeats itself, a sixth and a half). If a longer n-gram were unseen less often than a shorter one, the code would be wrong: whoever
# has not seen the short one has not seen the long one.

# %% tags=["demo"]
rate = choose(unseen_rate, ngram.unseen_rate)
train_text, held_out_text = english.train[:size], english.held_out[:size]
orders = list(range(1, 8))
unseen = {
    "words": [rate(words, held_out_words, n) for n in orders],
    "characters": [rate(train_text, held_out_text, n) for n in orders],
}
for unit, rates in unseen.items():
    print(f"{unit:10s}", [round(share, 3) for share in rates])

# %% [markdown]
# The share of places where a model without smoothing says "impossible":

# %% tags=["demo"]
plotting.steps(orders, unseen, "n", "share of held-out n-grams never seen");

# %% [markdown]
# Both curves only rise, and words run out first: their 5-grams are unseen at half of the places or more. The claim, with a margin:

# %% tags=["demo"]
growth = min(np.diff(unseen["words"][:5]))
rt.claim("the unseen rate of words grows with every n from 1 to 5 (smallest step)", growth, growth > 0.02)

# %% [markdown]
# ## A little for everybody: add-k
#
# The oldest repair (Laplace; Lidstone 1920) pretends that every token was seen k more times after every history. With V tokens in the
# vocabulary the row grows by kV in all:
#
# $$P(w \mid h) = \frac{c(h\,w) + k}{\sum_{w'} c(h\,w') + kV}$$
#
# By hand after *students opened their*, with k = 1. The text has nine different words, the full stop among them, and we want *exams*
# as well, so V = 10.

# %% tags=["nbval-check-output"]
V = len({*toy, "exams"})
for word in ["books", "laptops", "exams"]:
    print(f"{word:8s} ({followers[word]} + 1) / ({followers.total()} + {V}) = {(followers[word] + 1) / (3 + V):.3f}")

# %% [markdown] exercise="add_k_prob"
# The zero is gone, and the ten probabilities sum to 1. Note what it cost: *books* fell from 0.667 to 0.231.
#
# | | |
# |---|---|
# | `table`, `history`, `token` | as in `mle_prob` |
# | `k` | what is added to each count, a number above 0 |
# | `vocab_size` | V, the number of tokens that could come |
# | returns | a float above 0; over all V tokens they sum to 1 |
# | edges | a `history` that is not in the table: 1 / V; k <= 0: `ValueError` |

# %% exercise="add_k_prob"
def add_k_prob(table: dict, history: tuple, token, k: float, vocab_size: int) -> float:
    """Return the share of `token` after `history` when every token was seen k more times."""
    ### BEGIN SOLUTION
    if k <= 0:
        raise ValueError(f"k must be above 0, got {k}")
    row = table.get(history, {})
    return (row.get(token, 0) + k) / (sum(row.values()) + k * vocab_size)
    ### END SOLUTION


# %% check="add_k_prob"
check.add_k_prob(add_k_prob);

# %% [markdown]
# A smaller k takes less from *books*, and leaves less for *exams*:

# %% tags=["demo"]
add_k = choose(add_k_prob, ngram.add_k_prob)
for k in [1, 0.1, 0.01]:
    shares = [add_k(fourgrams, tuple(history), word, k, V) for word in ["books", "laptops", "exams"]]
    print(f"k = {k:<5}", [round(share, 4) for share in shares])

# %% [markdown]
# Which k is best, and does that save the long n-grams? Each point below is a model of the characters of the real text. Expect one best
# k for each n: too much flattens the counts, too little punishes what is unseen.

# %% tags=["demo"]
ks = [0.001, 0.01, 0.03, 0.1, 0.3, 1.0]
tuned_add_k = {f"n = {n}": [bits(n, "add_k", k=k) for k in ks] for n in (3, 5, 6)}

# %% [markdown]
# The scale of k is logarithmic.

# %% tags=["demo"]
plotting.curves(ks, tuned_add_k, "k", "bits per character, held out", log_x=True);

# %% [markdown]
# Every curve has its valley, but no k makes six characters better than five. The reason: after a rare history the formula knows two things
# only, the few counts and the uniform 1/V. That *th* is usually followed by *e* is in the text, yet a 6-gram row seen once cannot say it.

# %% [markdown] question="longer_add_k"

# %% [markdown]
# ## Ask the shorter history too: interpolation
#
# When *students opened their* has little to say, *opened their* may know more, and *their* more again. Jelinek and Mercer (1980) mix
# them all. The estimate after a history is a share `weight` of its own MLE and the rest of the same estimate after the history without
# its first token:
#
# $$P(w \mid h) = \lambda\, P_{\text{MLE}}(w \mid h) + (1 - \lambda)\, P(w \mid h') \qquad h' = h \text{ without its first token}$$
#
# Below the empty history stands the uniform 1/V. By hand for *exams* with $\lambda$ = 1/2: its MLE is 0 at every length, so 1/V is halved
# four times.

# %% tags=["nbval-check-output"]
prob = 1 / V
for suffix in ["", "their", "opened their", "students opened their"]:
    prob = 0.5 * 0 + 0.5 * prob
    print(f"P(exams | {suffix:21s}) = {prob:.5f}")

# %% [markdown] exercise="interpolated_prob"
# `tables` is the list of all tables up to some n: `tables[m]` has the histories of m tokens, so `tables[0]` is `ngram_counts(tokens, 1)`.
# Climb from 1/V upwards. A history that is not in its table has no MLE: there the shorter one decides alone, P(w | h) = P(w | h').
# Then the probabilities sum to 1 after *every* history.
#
# | | |
# |---|---|
# | `tables` | list of n tables, `tables[m]` with histories of m tokens |
# | `history` | a tuple of any length; if it has more than n - 1 tokens, its last n - 1 count |
# | `token` | any token |
# | `weight` | $\lambda$, from 0 to 1, the same at every length |
# | `vocab_size` | V |
# | returns | a float from 0 to 1 |
# | edges | `history` is `()`: only the unigram and 1/V are mixed |

# %% exercise="interpolated_prob"
def interpolated_prob(tables: list, history: tuple, token, weight: float, vocab_size: int) -> float:
    """Return the mixture of the relative frequencies after all the ends of `history`, and 1 / V."""
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
# After *teacher opened their*, a history without a row, the model now says what it knows of *opened their*. Expect *books* well ahead, and
# a sum of 1.

# %% tags=["demo"]
interpolated = choose(interpolated_prob, ngram.interpolated_prob)
tables = [counts(toy, n) for n in (1, 2, 3, 4)]
after = {w: interpolated(tables, ("teacher", "opened", "their"), w, 0.5, V) for w in {*toy, "exams"}}
print({w: round(after[w], 3) for w in ["books", "laptops", "exams"]}, "sum", round(sum(after.values()), 9))

# %% [markdown]
# The weight on the real text: 1 would be the MLE wherever it exists, 0 the uniform model.

# %% tags=["demo"]
weights = [0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9]
tuned_weight = {f"n = {n}": [bits(n, "interpolated", weight=w) for w in weights] for n in (3, 5, 6)}

# %% [markdown]
# Compare the lowest points with those of add-k.

# %% tags=["demo"]
plotting.curves(weights, tuned_weight, "weight of the longer history", "bits per character, held out");

# %% [markdown]
# Now six characters beat five: the longer history helps where it is known, and does no harm where it is not. But one weight for all is
# crude. A row seen a thousand times deserves more trust than a row seen once. And the best weight falls as n grows, because long
# histories are rare. What a history passes down should depend on its counts.
#
# ## How much too high is a count?
#
# Church and Gale (1991) asked the text itself. Split it into two halves, count pairs in one, and look up how often the same pairs come
# in the other. Pairs seen c times in the first half come, on average, a little less than c times in the second. Here pieces of 50 pairs
# go to the halves in turn.

# %% tags=["demo"]
pairs = list(zip(words, words[1:]))
halves = [Counter(p for i, p in enumerate(pairs) if i // 50 % 2 == side) for side in (0, 1)]
again = []
for c in range(1, 8):
    same = [pair for pair, count in halves[0].items() if count == c]
    again.append(sum(halves[1][pair] for pair in same) / max(1, len(same)))
expected = {"counted in the other half": again, "c": list(range(1, 8)), "c - 0.75": [c - 0.75 for c in range(1, 8)]}

# %% [markdown]
# If counts were exact, the first line would lie on the second.

# %% tags=["demo"]
plotting.steps(list(range(1, 8)), expected, "c, times a pair was seen in one half", "times in the other half");

# %% [markdown]
# It runs below, by about the same amount for small and large counts: 0.75 or so on the newspaper text of Church and Gale, mostly 0.4 to
# 1.2 here. So take a constant **discount** D = 0.75 off every count (Ney, Essen and Kneser 1994), and hand what was taken to the shorter
# history. A row with N different tokens loses D N in all: a share D N / total. Rare rows give away most, frequent ones little. That is a
# weight for each history, and nothing to tune.
#
# ## Count the company, not the visits: Kneser-Ney
#
# What should the shorter history say? It is asked when the longer one is silent, so its raw counts mislead. In *San Francisco* the second
# word may be frequent, but it comes after *San* only; after any other word it is a bad guess. Kneser and Ney (1995) count **after how
# many different tokens** a word was seen, its **continuation count**. Expect *their* to shrink to 1 below: it always came after *opened*.

# %% tags=["nbval-check-output"]
before = {}
for left, right in zip(toy, toy[1:]):
    before.setdefault(right, set()).add(left)
for word in ["their", "opened", "."]:
    print(f"{word:7s} seen {toy.count(word)} times, after {len(before[word])} different: {sorted(before[word])}")

# %% [markdown]
# The same for all words of the real text. Three are picked out: of the words seen 10 to 50 times the one with the least company for its
# visits, and the same for 50 to 250 and for 250 to 1,250.

# %% tags=["demo"]
seen = Counter(words)
company = Counter(right for left, right in set(zip(words, words[1:])))
loyal = []
for low in (10, 50, 250):
    band = [word for word in seen if low <= seen[word] < 5 * low]
    loyal += sorted(band, key=lambda word: company[word] / seen[word])[:1]
for word in loyal:
    print(f"{word:14s} seen {seen[word]:4d} times, different words before it: {company[word]}")

# %% [markdown]
# Every word is a point; on the dashed line each visit comes after a new word. Both scales are logarithmic.

# %% tags=["demo"]
plotting.company(seen, company, loyal);

# %% [markdown]
# The named words lie far below the cloud. They are the Franciscos of this text: frequent, and nearly always in the same company.

# %% [markdown]
# Now the whole formula, interpolated Kneser-Ney in the form of Chen and Goodman (1998). The number c(h w) that stands for a count is
#
# - for the longest history, of n - 1 tokens: how often w followed h;
# - for every shorter one: how many *different* tokens v were seen in front of it, so that v h w occurs in the text.
#
# In both cases let total = the sum of c(h w) over all w, and N = the number of w with c(h w) > 0. Then
#
# $$P(w \mid h) = \frac{\max(c(h\,w) - D,\ 0)}{\text{total}} + \frac{D\,N}{\text{total}}\; P(w \mid h')$$
#
# where h' is h without its first token. If total is 0, P(w | h) = P(w | h'). Below the empty history stands 1/V, as before.
#
# By hand for P(laptops | their) with n = 2: *laptops* came after *their* once of three times, and there came two different words. Below,
# the empty history: *laptops* came after one word, of all the different pairs in the text, and nine words came after something. Expect
# less than the MLE of 1/3.

# %% tags=["nbval-check-output"]
total, N = len(set(zip(toy, toy[1:]))), len(before)
unigram = (1 - 0.75) / total + 0.75 * N / total * 1 / V
bigram = (1 - 0.75) / 3 + 0.75 * 2 / 3 * unigram
print(f"{total} different pairs, {N} different words after another one")
print(f"P(laptops) = {unigram:.4f}, P(laptops | their) = {bigram:.4f}")

# %% [markdown] exercise="kneser_ney_prob"
# Return this probability. `tables` is the list of tables as in `interpolated_prob`, with raw counts, n of them. The longest history has
# m = n - 1 tokens and its numbers stand in `tables[n - 1]`. The numbers of a shorter one, m < n - 1, are counted from the keys and rows of
# `tables[m + 1]`. Start from 1/V and climb.
#
# | | |
# |---|---|
# | `tables` | list of n tables of raw counts, `tables[m]` with histories of m tokens |
# | `history` | a tuple of any length; if it has more than n - 1 tokens, its last n - 1 count; if fewer, all its numbers are continuation counts |
# | `token`, `vocab_size` | as before |
# | `discount` | D, from 0 to 1 |
# | returns | a float from 0 to 1; over all V tokens they sum to 1 |
# | edges | total = 0: the shorter history decides alone; n = 1: the empty history is the longest, so its numbers are raw counts |

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
# All four estimates after *students opened their*, for five words. Only *books* and *laptops* were seen there. Of the others, *the* was
# seen after two different words, *their* after one, *exams* never.

# %% tags=["demo"]
kneser_ney = choose(kneser_ney_prob, ngram.kneser_ney_prob)
h = ("students", "opened", "their")
shown = ["books", "laptops", "the", "their", "exams"]
estimates = {
    "MLE": {w: mle(fourgrams, h, w) for w in shown},
    "add-1": {w: add_k(fourgrams, h, w, 1, V) for w in shown},
    "interpolated (1/2)": {w: interpolated(tables, h, w, 0.5, V) for w in shown},
    "Kneser-Ney": {w: kneser_ney(tables, h, w, V) for w in shown},
}

# %% [markdown]
# The bars of one shade sum to 1 over all ten words.

# %% tags=["demo"]
plotting.distributions(estimates);

# %% [markdown]
# Add-1 treats the last three words alike, and takes most from the first two. Kneser-Ney ranks the three by the company they keep.
#
# Your function reads a whole table for each probability. That is right and slow. `ngram.fit` makes all tables of continuation counts once,
# as sorted arrays, and scores a text at one stroke; the numbers are the same.

# %% tags=["demo"]
toy_ids = ngram.encode(toy, sorted({*toy, "exams"}))
start = time.perf_counter()
fast = ngram.fit(toy_ids, V, NgramConfig(4, "kneser_ney")).logps(toy_ids)
slow = [np.log(kneser_ney(tables, tuple(toy[:i]), w, V)) for i, w in enumerate(toy)]
print(f"largest difference of {len(toy)} log-probabilities: {np.abs(fast - slow).max():.1e}")

# %% [markdown]
# **It is a distribution, after every history.** Kneser-Ney of order 6 on the real text: all histories of up to two characters, two
# thousand places of the held-out text, two thousand random strings that nobody would write.

# %% tags=["demo"]
model = ngram.fit(train_ids, len(characters), NgramConfig(6, "kneser_ney"))
V_chars = len(characters)
histories = [[], *([a] for a in range(V_chars)), *([a, b] for a in range(V_chars) for b in range(V_chars))]
for _ in range(rt.pick(smoke=200, cpu=2_000)):
    place = rt.random.randrange(len(held_out_ids) - 5)
    histories.append(held_out_ids[place : place + 5])
    histories.append(rt.random.choices(range(V_chars), k=5))
off = max(abs(model.probs(history).sum() - 1) for history in histories)
rt.claim(f"Kneser-Ney sums to 1 after each of {len(histories):,} histories (largest error)", off, off < 1e-9)

# %% [markdown]
# **It predicts best.** At n = 6, against add-k and interpolation with the best constants of the sweeps above. Those were chosen on the
# held-out text itself, which flatters the two; Kneser-Ney has D = 0.75 and chose nothing. Perplexity is 2 to the power of the bits.

# %% tags=["demo"]
best = {
    "Kneser-Ney": bits(6, "kneser_ney"),
    "interpolated": min(tuned_weight["n = 6"]),
    "add-k": min(tuned_add_k["n = 6"]),
}
values = list(best.values())
margin = min(values[1] - values[0], values[2] - values[1])
shown = " < ".join(f"{2**value:.2f}" for value in values)
rt.claim("perplexity: Kneser-Ney < interpolated < add-k, each by 0.04 bits or more", shown, margin > 0.04)

# %% [markdown] question="francisco"

# %% [markdown]
# ## The ladder
#
# One table runs through the whole course: every model, scored in bits per character on the same held-out text. The last row of this unit is
# **modified Kneser-Ney** (Chen and Goodman 1998). It has three discounts at each order, for counts of 1, 2, and 3 or more, computed from
# how many n-grams have each count.
#
# On tiny Shakespeare expect 3.58, 2.98, 2.55, then 2.22 and 2.19; on the manual about 3.35, 2.5, 2.2, 1.7 and 1.64. A bigram near 4.8
# would be a unigram: the history is not used.

# %% tags=["demo"]
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
    score = model.bits_per_token(held_out_ids)
    rt.ladder(name, score, parameters=model.n_counts, tokens=len(train_ids), seconds=spent, corpus=english.name)
    print(f"{name:28s} {score:.3f} bits per character, {model.n_counts:9,} counts, {spent:.2f} s")

# %% [markdown]
# The ladder so far:

# %% tags=["demo"]
plotting.ladder(rt.ladder_rows(english.name));

# %% [markdown]
# Remember the last bar. It took a fraction of a second, and it is what "better than counting" has to mean: small recurrent networks and
# small transformers stay above it until they get more data or more time.
#
# ## Let it write
#
# A model can also be run forwards: draw a token, append it, ask again. The prompt gives the first history; at each step the model sees
# the last n - 1 tokens only.

# %% [markdown] exercise="generate"
# Draw as in unit 01: call `uniform()` once for each new token and take the first token at which the running sum of the probabilities is
# above that number.
#
# | | |
# |---|---|
# | `next_probs` | a function: `next_probs(history)` returns a dictionary from token to probability; `history` is a tuple |
# | `prompt` | list of tokens, may be empty; left as it is |
# | `length` | how many new tokens, 0 or more |
# | `n` | the model's order: `next_probs` gets the last n - 1 tokens of the text so far, or all of a shorter text |
# | `uniform` | a function: `uniform()` returns a number from 0 up to, but not including, 1 |
# | returns | a list: the prompt and the new tokens |
# | edges | n = 1: the history is `()`; a token of probability 0 never comes; the sum may end a little below 1 by rounding: then take the last token that can come |

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
# Word models of the real text for n = 1 to 5, Kneser-Ney, a hundred words each, of which thirty are shown. Expect a bag of words, then
# pairs that fit, then phrases. The percentage is the share of the sample's 4-grams that stand in the training text, by your `unseen_rate`.

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
# With n the text gets smoother, and less its own: a long n-gram that was seen once can only continue as it did. Where the sample is
# fluent it quotes. Nothing in it holds together for longer than a few words.
#
# ## What no window can know
#
# *The boats near the old gate were wet.* The verb agrees with *boats*, not with *gate*, which only stands in between: an attractor
# (Linzen, Dupoux and Goldberg 2016). The course has a small invented world whose stories contain such sentences, with 0 to 12 words
# between subject and verb. We train 3-, 5- and 7-grams on the stories and ask which of the two verb forms is likelier.

# %% tags=["demo"]
from llmcourse import world

stories = world.stories(tokens=rt.pick(smoke=20_000, cpu=1_000_000), seed=rt.seed)
tokens = [token for story in stories for token in story.tokens]
world_words = list(world.vocabulary())
world_ids = ngram.encode(tokens, world_words)
windows = {n: ngram.fit(world_ids, len(world_words), NgramConfig(n, "kneser_ney")) for n in (3, 5, 7)}

# %% [markdown]
# One question is a beginning, the right verb form and the wrong one. Questions come in twos that differ only in the number of the subject,
# so a model that does not see the subject gets exactly one of the two. A tie counts as half. Here is one question, with
# the points of the 3-, 5- and 7-gram; only the 7-gram sees the subject.


# %% tags=["demo"]
place = {word: i for i, word in enumerate(world_words)}


def agrees(model, pair):
    probs = model.probs([place[word] for word in pair.prefix])
    right, wrong = probs[place[pair.right]], probs[place[pair.wrong]]
    return (right > wrong) + 0.5 * (right == wrong)


pair = world.agreement_pairs(1, 4, seed=rt.seed)[0]
print(" ".join(pair.prefix), f"... {pair.right} or {pair.wrong}?", [float(agrees(m, pair)) for m in windows.values()])

# %% [markdown]
# Now 400 questions for each distance. A 5-gram sees four words, so expect it above chance up to three words in between, and a coin from
# four on.

# %% tags=["demo"]
distances = list(range(11))
asked = rt.pick(smoke=20, cpu=400)
accuracy = {f"{n}-gram": [] for n in windows}
for distance in distances:
    pairs = world.agreement_pairs(asked, distance, seed=rt.seed)
    for n, model in windows.items():
        accuracy[f"{n}-gram"].append(np.mean([agrees(model, pair) for pair in pairs]))

# %% [markdown]
# The dotted line is chance.

# %% tags=["demo"]
plotting.steps(distances, accuracy, "words between subject and verb", "right form likelier", level=("chance", 0.5));

# %% [markdown]
# Each model is a coin as soon as the subject is out of its window, and no amount of text and no smoothing changes that. But look at the
# 7-gram at four and five words: it sees the subject and hardly uses it. The whole phrase must have been seen, with this subject, or the
# model backs off to a shorter history, and the subject is the first word to go.
#
# The claims: near is 0 to 2 words in between, far is 5 or more. A coin would reach 0.8 on the 1,200 near questions with a chance below
# 1e-9; for the far ones, 2,400, four standard errors of a coin are 0.041.

# %% tags=["demo"]
near, far = np.mean(accuracy["5-gram"][:3]), np.mean(accuracy["5-gram"][5:])
rt.claim("a 5-gram agrees with a subject in its window (accuracy)", near, near > 0.8)
rt.claim("across an attractor as long as n or longer it is at chance (accuracy)", far, abs(far - 0.5) < 0.04)

# %% [markdown] question="agreement_window"

# %% [markdown] written="why_not_longer"
# A colleague has ten times more text of the same kind and proposes a 20-gram model with add-0.01 smoothing: "With enough data, counting
# can do everything". Write 150 to 250 words for her. Say what the larger text will improve and what it will not, with at least two
# numbers you measured in this unit; say what you would change in her plan while staying with counting; and name one thing that no n-gram
# model can do, with the reason.
#
# ### BEGIN SOLUTION
# More text helps: with ten times the words many of the pairs and triples that were unseen here (35 % and 76 % of the held-out ones in
# tiny Shakespeare) will have been seen, and every smoothing gains from that. It does not help 20-grams. Even 5-grams of words were
# unseen 99 % of the time, while the number of possible ones grows by a factor V with each word and the text by ten only once; practically every
# history of 19 words will be new. Add-k then answers 1/V: it has nothing between the full history and the uniform distribution. Already
# with characters it got worse from 5 (2.55 bits) to 6 (2.9) and beyond. I would keep n small, 5 to 7 characters or 3 to 4 words, and
# use modified Kneser-Ney, which falls back on shorter histories by as much as the counts demand and weighs a word by the company it
# keeps: 2.19 bits per character from the same counts. What stays out of reach is whatever depends on a word outside the window. A 5-gram
# chose the right verb form across an attractor as often as a coin (50 %), because its probability does not depend on the subject at all; nor do
# n-grams share anything between similar words, so *cat* learns nothing from *dog*.
# ### BEGIN MARK SCHEME
# 10 points. 2: says what more text improves (short n-grams get seen, unseen rate falls) and that it cannot keep up with V^n.
# 2: at least two measured numbers, correctly used (unseen rates, bits per character, agreement; 1 each).
# 2: add-k at long n falls back on 1/V, nothing in between; so it gets worse as n grows.
# 2: a better plan within counting: smaller n, and interpolation or (modified) Kneser-Ney, with a reason.
# 2: a limit of every n-gram model with its reason: dependence beyond the window (agreement, topic, reference), or no sharing between similar words.
# Take 1 off for a claim that contradicts what was measured. Numbers from the manual instead of tiny Shakespeare are as good.
# ### END MARK SCHEME
# ### END SOLUTION

# %% [markdown]
# ## What was shown
#
# - The share of unseen n-grams grows with every n, and quickly; memory is not what limits n.
# - At the same n, Kneser-Ney predicts better than interpolation with the best weight, and that better than add-k with the best k.
# - Kneser-Ney sums to 1 after every history, seen or not.
# - Across an attractor longer than the window an n-gram model is a coin.
#
# **To think about.** (1) The continuation count of a word ignores how often it was seen. For which task would that be wrong? (2) A
# word 3-gram has a perplexity in the hundreds, a character 7-gram below 5. Which is the better model of the text, and what would you
# have to measure to find out? (3) What would you have to store to let *cat* learn from what was seen after *dog*?
#
# **Where the ideas come from.** Markov 1913 (letters of *Eugene Onegin*); Shannon 1948, *A mathematical theory of communication*
# (samples by n); Jelinek and Mercer 1980, *Interpolated estimation of Markov source parameters from sparse data*; Church and Gale 1991,
# *A comparison of the enhanced Good-Turing and deleted estimation methods*; Ney, Essen and Kneser 1994, *On structuring probabilistic
# dependences in stochastic language modelling*; Kneser and Ney 1995, *Improved backing-off for m-gram language modeling*; Chen and
# Goodman 1998, *An empirical study of smoothing techniques for language modeling*; Brants and Franz 2006, *Web 1T 5-gram Version 1*
# (LDC2006T13); Linzen, Dupoux and Goldberg 2016, arXiv:1611.01368. The students and the proctor are from
# the lecture slides of Stanford CS224n.
#
# **Next.** We took words and characters as given. Words leave many unseen, characters make every history short. Unit 03 learns pieces in
# between.
