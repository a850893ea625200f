"""A small invented world: one knowledge base and one grammar, from which every data set is written.

Each random choice shows in the text the moment it is made, so every document carries its exact
log-probability, and the best any model can reach is a number.

This face is what other code imports. Behind it are rooms, each of which uses only those before it:

    engine    grammars, exact sampling, spelling, splits, and the loader of the files in texts/
    facts     word tables, the knowledge base, its articles, invented events
    story     stories and what is measured on them: the floor, agreement, transcripts, windows
    language  the second language and the parallel text
    chat      questions, small tasks, dialogues, preferences and their true reward
    tasks     labelled sentences and texts, from tagging to sums
    datasets  all data sets by name, and on disk
"""

from llmcourse.world.chat.conversations import Dialogue, Turn, dialogues
from llmcourse.world.chat.fact_questions import Question, questions, unknown_questions
from llmcourse.world.chat.preference_pairs import Preference, preferences
from llmcourse.world.chat.rewards import true_reward
from llmcourse.world.chat.small_tasks import Instruction, instructions
from llmcourse.world.datasets import DATASETS, load
from llmcourse.world.engine.grammar import END, Rules
from llmcourse.world.engine.machine import Machine
from llmcourse.world.engine.spelling import detokenise
from llmcourse.world.facts.articles import Document, documents
from llmcourse.world.facts.knowledge import LEANING
from llmcourse.world.facts.records import KnowledgeBase, knowledge_base
from llmcourse.world.language.bilingual import Reading, analyse
from llmcourse.world.language.second_language import Parallel, parallel, second_language_text
from llmcourse.world.story.agreement import AgreementPair, agreement_pairs, agreement_rules
from llmcourse.world.story.entries import almanac, analogy_questions
from llmcourse.world.story.story_rules import vocabulary
from llmcourse.world.story.telling import (
    EntropyRate,
    Story,
    entropy_rate,
    next_probs,
    stories,
    story_log_prob,
)
from llmcourse.world.story.transcripts import TranscriptPair, transcript_pairs
from llmcourse.world.story.windows import IGNORED, ContextCost, context_cost, whole_batches
from llmcourse.world.tasks.few_shot import Episode, episodes
from llmcourse.world.tasks.inferences import Entailment, entailment
from llmcourse.world.tasks.minimal_pairs import Acceptability, acceptability
from llmcourse.world.tasks.opinions import Review, reviews
from llmcourse.world.tasks.pronouns import Coreference, coreference
from llmcourse.world.tasks.queries import Query, retrieval
from llmcourse.world.tasks.senses import Sense, word_senses
from llmcourse.world.tasks.sentence_pairs import Similarity, similarity
from llmcourse.world.tasks.spans import SpanQuestion, span_questions
from llmcourse.world.tasks.sums import Sum, arithmetic
from llmcourse.world.tasks.tagging import Tagged, tagged

__all__ = [
    "DATASETS",
    "END",
    "IGNORED",
    "LEANING",
    "Acceptability",
    "AgreementPair",
    "ContextCost",
    "Coreference",
    "Dialogue",
    "Document",
    "Entailment",
    "EntropyRate",
    "Episode",
    "Instruction",
    "KnowledgeBase",
    "Machine",
    "Parallel",
    "Preference",
    "Query",
    "Question",
    "Reading",
    "Review",
    "Rules",
    "Sense",
    "Similarity",
    "SpanQuestion",
    "Story",
    "Sum",
    "Tagged",
    "TranscriptPair",
    "Turn",
    "acceptability",
    "agreement_pairs",
    "agreement_rules",
    "almanac",
    "analogy_questions",
    "analyse",
    "arithmetic",
    "context_cost",
    "coreference",
    "detokenise",
    "dialogues",
    "documents",
    "entailment",
    "entropy_rate",
    "episodes",
    "instructions",
    "knowledge_base",
    "load",
    "next_probs",
    "parallel",
    "preferences",
    "questions",
    "retrieval",
    "reviews",
    "second_language_text",
    "similarity",
    "span_questions",
    "stories",
    "story_log_prob",
    "tagged",
    "transcript_pairs",
    "true_reward",
    "unknown_questions",
    "vocabulary",
    "whole_batches",
    "word_senses",
]
