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
# **What do the course's models read?** Real English where it can be had, and a small invented world where the
# answers must be known exactly:
# how likely each word is, who is married to whom, which word of one language stands for which word of the other.
# This notebook shows one example of each
# data set of `llmcourse.world`. Nothing in it is graded; open it when a unit uses a data set that you have not met,
# and skip the rest.
#
# About 20 minutes to read, half a minute to run.

# %% tags=["parameters"]
preset = "cpu"
device = "auto"
seed = 0

# %%
import math
import textwrap
from itertools import islice

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
# The same as single facts. Some are **held out**: they are true, and no training text states them. Whoever answers a
# question about one has looked it
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
# `stories` streams any number of them. One grammar writes all, and each choice shows in the text the moment it is
# made, so every token comes with its exact
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
# A story pays for its choices (who, what, in which words) and for nothing else. The mean over many stories is the
# **floor**: on average no model that reads a story from its start can do better.

# %%
sample = list(world.stories(rt.pick(smoke=200, cpu=5_000), seed=f"appendix {seed}"))
floor = world.entropy_rate(sample)
print(f"floor: {floor.bits_per_token:.3f} +- {floor.token_error:.3f} bits per token")
print(f"       {floor.bits_per_char:.3f} +- {floor.char_error:.3f} bits per character")

# %% [markdown]
# "From its start" matters. A model that sees the last few tokens only has forgotten who the story is about. How much
# must that cost, at least? (The bound is
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
# So windows that cut documents cannot reach the floor. `whole_batches` cuts nothing: one story a row, and targets
# behind its end are marked to be ignored.

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
# `parallel` says the same in English and in an invented language with the verb at the end, three genders and five
# cases, and knows which word stands for
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
# ## Labelled words
#
# Unit 06 learns to tag parts of speech, unit 11 to find names of people, places, organisations and dates. Many words
# have more than one tag, and many names
# more than one kind:

# %%
for record in world.tagged(2, seed=seed):
    for token, tag, entity in zip(record.tokens, record.pos, record.bio):
        print(f"{token:12s} {tag:6s} {entity}")
    print()

# %% [markdown]
# Eight words have two senses, and only the context tells which:

# %%
for record in islice((r for r in world.word_senses(200, seed=seed) if r.word == "bank"), 4):
    print(f"{record.sense:8s} {record.text}")

# %% [markdown]
# Who is meant by a pronoun? One word changed, and it is the other one (a schema of Winograd's, after Levesque, Davis
# and Morgenstern, 2012):

# %%
record = next(r for r in world.coreference(100, seed=seed) if r.cue == "meaning")
twin = [*record.tokens[: record.changed], record.other_word, *record.tokens[record.changed + 1 :]]
print(f"{record.text}  {record.tokens[record.pronoun]} = {record.names[record.answer]}")
print(f"{world.detokenise(twin)}  {record.tokens[record.pronoun]} = {record.names[1 - record.answer]}")

# %% [markdown]
# ## Judgements on sentences
#
# Unit 11's suite of tasks. Reviews, some of which praise with the words of blame and blame with the words of praise:

# %%
for record in world.reviews(4, seed=seed):
    print(f"{record.label:9s} {record.text}")

# %% [markdown]
# Sentences that are English and sentences that differ from them by one mistake:

# %%
for record in world.acceptability(6, seed=seed):
    print(f"{'yes' if record.acceptable else 'NO ':4s} {record.text:70s} {record.phenomenon}")

# %% [markdown]
# How much of its meaning does a sentence share with another, from 0 to 5? Changed words count for nothing here,
# changed meaning does:

# %%
by_score = {round(record.score): record for record in world.similarity(300, seed=seed)}
for record in (by_score[5], by_score[3], by_score[1]):
    print(f"{record.score:.1f}  {record.first}\n     {record.second}")

# %% [markdown]
# Does the second sentence follow from the first, contradict it, or neither?

# %%
for record in world.entailment(3, seed=seed):
    print(f"{record.label:14s} {record.premise}\n{'':14s} {record.hypothesis}")

# %% [markdown]
# ## Questions, with and without a text to read
#
# A span question is answered by words of its text, `start` to `end`:

# %%
record = next(world.span_questions(1, seed=seed))
print(textwrap.fill(world.detokenise(record.context), 100))
print(world.detokenise(record.question), "->", record.answer)

# %% [markdown]
# Other questions are about the facts of the world. Some cannot be answered from what training text says, and look no
# different:

# %%
for record in [*world.questions(2, seed=seed), *world.unknown_questions(2, seed=seed)]:
    print(f"{record.question:60s} {record.reply}")

# %% [markdown]
# The world's articles state its facts; with `held_out=True`, the held-out ones, too. A query comes with the grade of
# every article that has to do with it, 2 for those that hold the
# answer:

# %%
articles = {article.id: article for article in world.documents(held_out=True)}
record = next(world.retrieval(1, split="test", seed=seed))
print(record.question, "->", record.answer)
for name, grade in record.relevance[:3]:
    print(f"\n{grade}  {name}: {articles[name].text}")

# %% [markdown]
# Are those queries fair? Each asks for a held-out fact, and its answer must stand in an article of grade 2.

# %%
asked = list(world.retrieval(rt.pick(smoke=100, cpu=2_000), split="test", seed=seed))
answered = sum(any(r.answer in articles[name].text for name, grade in r.relevance if grade == 2) for r in asked)
rt.claim("every query about a held-out fact is answered by an article", answered / len(asked), answered == len(asked))

# %% [markdown]
# ## Talking to an assistant
#
# Dialogues in turns: facts, questions that need the turn before, requests to decline, harmless ones that look like
# them, system turns that change the answer.

# %%
kinds = {record.kind: record for record in world.dialogues(200, seed=seed)}
for kind in list(kinds)[:4]:
    print(f"--- {kind}")
    for turn in kinds[kind].turns:
        print(f"{turn.role:9s} {turn.content}")

# %% [markdown]
# Instructions with one right reply, worded in many ways:

# %%
for record in world.instructions(4, seed=seed):
    print(f"{record.prompt}\n    {record.input}\n    -> {record.reply}")

# %% [markdown]
# Two replies, and which one an annotator preferred. `true_reward` gives the reward of any reply; `noise` makes
# annotators err.

# %%
for record in world.preferences(2, seed=seed):
    print(record.prompt)
    for reply, reward in zip((record.chosen, record.rejected), record.true_rewards):
        print(f"    {reward:5.2f}  {reply}")

# %% [markdown]
# ## In the prompt
#
# Unit 12: sums with the steps written down (Nye and others, 2021, arXiv:2112.00114) or without, and episodes whose
# labels mean something else each time, so that only the examples tell.

# %%
record = next(world.arithmetic(1, digits=3, scratchpad=True, seed=seed))
print(f"{record.question}\n{record.scratchpad}\n{record.answer}")

# %%
record = next(world.episodes(1, shots=4, seed=seed))
for text, label in record.shots:
    print(f"{text:60s} {label}")
print(f"{record.query:60s} ?  ({record.answer})")

# %% [markdown]
# ## What is kept apart
#
# Whether a sentence is for training or for testing depends on a hash of the sentence, in every data set the same
# way. So no test sentence can be met in training:

# %%
size = rt.pick(smoke=500, cpu=20_000)
seen = {record.text for record in world.tagged(size, split="train", seed=seed)}
repeated = sum(record.text in seen for record in world.tagged(size // 4, split="test", seed=seed))
rt.claim("no tagged test sentence is a training sentence", repeated, repeated == 0)

# %% [markdown]
# A data set can also be had by its name, and kept on disk: `world.load("reviews", 1_000, cache=folder)`.

# %% tags=["nbval-check-output"]
print(*world.DATASETS, sep=", ")

# %% [markdown]
# ## What to take with you
#
# **Shown:** the loader of whole stories loses nothing; queries about held-out facts can be answered from the
# articles, and from nothing else; test sentences are not in the training part.
#
# Three questions to think about:
#
# 1. The floor is about half a bit per token. Why is English so much higher, and what would you have to know to give
#    a floor for English?
# 2. A model answers a question about a held-out fact correctly without looking it up. How often should that happen
#    by chance, for a birth month? For a mother?
# 3. Which of these data sets could a model of word counts solve? How would you find out before you trust a high
#    score?
#
# **Where the ideas come from.** Tasks in a small world: Weston and others, *Towards AI-Complete Question Answering*,
# 2015 (arXiv:1502.05698). Minimal pairs: Warstadt and others, *BLiMP*, 2020
# (arXiv:1912.00582). Graded similarity: Cer and others, *SemEval-2017 Task 1*, 2017. Entailment: Bowman and others,
# *SNLI*, 2015 (arXiv:1508.05326). Spans: Rajpurkar and others, *SQuAD*, 2016 (arXiv:1606.05250). Noisy
# preferences: Bradley and Terry, 1952; over-optimised rewards: Gao, Schulman and Hilton, 2022 (arXiv:2210.10760).
