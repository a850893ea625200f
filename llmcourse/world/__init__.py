"""A small invented world: one knowledge base and one grammar, from which every data set is written.

Each random choice shows in the text the moment it is made, so every document carries its exact
log-probability, and the best any model can reach is a number.
"""

from llmcourse.world.acceptability import Acceptability, acceptability
from llmcourse.world.agreement import AgreementPair, agreement_pairs
from llmcourse.world.arithmetic import Sum, arithmetic
from llmcourse.world.batches import IGNORED, whole_batches
from llmcourse.world.bilingual import Reading, analyse
from llmcourse.world.context import ContextCost, context_cost
from llmcourse.world.coreference import Coreference, coreference
from llmcourse.world.datasets import DATASETS, load
from llmcourse.world.dialogues import Dialogue, Turn, dialogues
from llmcourse.world.documents import Document, documents
from llmcourse.world.entailment import Entailment, entailment
from llmcourse.world.episodes import Episode, episodes
from llmcourse.world.facts import KnowledgeBase, knowledge_base
from llmcourse.world.grammar import END
from llmcourse.world.instructions import Instruction, instructions
from llmcourse.world.preferences import Preference, preferences
from llmcourse.world.questions import Question, questions, unknown_questions
from llmcourse.world.retrieval import Query, retrieval
from llmcourse.world.reviews import Review, reviews
from llmcourse.world.rewards import true_reward
from llmcourse.world.second_language import Parallel, parallel, second_language_text
from llmcourse.world.senses import Sense, word_senses
from llmcourse.world.similarity import Similarity, similarity
from llmcourse.world.spans import SpanQuestion, span_questions
from llmcourse.world.story import (
    EntropyRate,
    Story,
    detokenise,
    entropy_rate,
    next_probs,
    stories,
    story_log_prob,
    vocabulary,
)
from llmcourse.world.tagging import Tagged, tagged
from llmcourse.world.transcripts import TranscriptPair, transcript_pairs

__all__ = [
    "DATASETS",
    "END",
    "IGNORED",
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
    "Parallel",
    "Preference",
    "Query",
    "Question",
    "Reading",
    "Review",
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
