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
# # Appendix: the world
#
# **What do the course's models read?** Real English where it can be had, and a small invented world where the answers must be known exactly:
# how likely each word is, who is married to whom, which word of one language stands for which word of the other. This notebook shows one example of each
# data set of `llmcourse.world`. Nothing in it is graded; open it when a unit uses a data set that you have not met, and skip the rest.
#
# About 20 minutes to read, half a minute to run.

# %% tags=["parameters"]
preset = "cpu"
device = "auto"
seed = 0

# %%
import math
import textwrap

from llmcourse import plotting, world
from llmcourse.runtime import setup

rt = setup(preset, device, seed)

# %% [markdown]
# ## Facts
#
# Everything agrees with one knowledge base: sixty people, thirty towns, ten countries. A person looks like this:

# %% tags=["nbval-check-output"]
facts = world.knowledge_base()
print(facts.person("Mia"))

# %% [markdown]
# The same as single facts. Some are **held out**: they are true, and no training text states them. Whoever answers a question about one has looked it
# up, or guessed.

# %% tags=["nbval-check-output"]
for fact in facts.about("Mia"):
    print(f"{fact.relation:10s}{fact.object:12s}{'held out' if fact.held_out else ''}")

# %% [markdown]
# How many are held out?

# %% tags=["nbval-check-output"]
print(f"{len(facts.facts)} facts, {len(facts.hidden)} of them held out")

# %% [markdown]
# ## Stories
#
# `stories` streams any number of them. One grammar writes all, and each choice shows in the text the moment it is made, so every token comes with its exact
# probability.

# %%
story = next(world.stories(seed=seed))
print(textwrap.fill(story.text, 100))
print(f"\n{len(story.tokens)} tokens, probability 2^{story.log_prob / math.log(2):.0f}")

# %% [markdown]
# Where does the surprise sit? The first tokens, one bar each:

# %%
shown = 28
bits = [-logp / math.log(2) for logp in story.logps[:shown]]

# %%
plotting.surprise(story.tokens[:shown], bits);

# %% [markdown]
# A story pays for its choices (who, what, in which words) and for nothing else. The mean over many stories is the **floor**: on average no model that reads a story from its start can do better.

# %%
sample = list(world.stories(rt.pick(smoke=200, cpu=5_000), seed=f"appendix {seed}"))
floor = world.entropy_rate(sample)
print(f"floor: {floor.bits_per_token:.3f} +- {floor.token_error:.3f} bits per token")
print(f"       {floor.bits_per_char:.3f} +- {floor.char_error:.3f} bits per character")

# %% [markdown]
# "From its start" matters. A model that sees the last few tokens only has forgotten who the story is about. How much must that cost, at least? (The bound is
# that of `context_cost`; the true cost is higher.)

# %%
windows = [8, 16, 32, 64, 128]
size = rt.pick(smoke=5_000, cpu=50_000)
added = [world.context_cost(window, tokens=size, seed=seed).added for window in windows]

# %% [markdown]
# Expect a fall that has not ended at 64 tokens. What was forgotten at 16 is still missed at 64.

# %%
plotting.steps(windows, {"": added}, "tokens of context", "bits per token above the floor");

# %% [markdown]
# So windows that cut documents cannot reach the floor. `whole_batches` cuts nothing: one story a row, and targets behind its end are marked to be ignored.

# %%
ids, targets = next(world.whole_batches(sample, batch_size=4))
print("ids", ids.shape, " targets", targets.shape, " ignored:", (targets == world.IGNORED).sum())

# %% [markdown]
# Does that loader lose anything? The mean surprise over its targets must be the floor of the same stories.

# %%
counted = sum((targets != world.IGNORED).sum() for _, targets in world.whole_batches(sample, 32))
rt.claim("whole batches hold every token of the stories, once", counted, counted == floor.tokens)

# %% [markdown]
# ### Two words that sound alike, two numbers of a verb
#
# Unit 01 asks which of two transcripts was said. The sound (`acoustic_logps`) does not tell, the language does:

# %%
for pair in world.transcript_pairs(2, seed=seed):
    for text, heard in zip(pair.texts, pair.acoustic_logps):
        print(f"{heard:7.2f}  {world.detokenise(text)}")

# %% [markdown]
# Units 02 and 06 ask for a verb whose subject stands far before it, with nouns of the other number in between:

# %%
for pair in world.agreement_pairs(2, distance=6, seed=seed):
    print(f"{world.detokenise(pair.prefix)}  ->  {pair.right}, not {pair.wrong}")

# %% [markdown]
# ## A second language
#
# `parallel` says the same in English and in an invented language with the verb at the end, three genders and five cases, and knows which word stands for
# which.

# %%
pair = next(p for p in world.parallel(50, seed=seed) if 9 <= len(p.source) <= 12)
print(*pair.texts, sep="\n")

# %%
linked = set(pair.alignment)
weights = [[float((s, t) in linked) for s in range(len(pair.source))] for t in range(len(pair.target))]

# %%
plotting.alignment(pair.source, pair.target, weights);

# %% [markdown]
# Unit 07 trains a translator on such pairs and compares where it looks with this picture.
#
# TASKS
