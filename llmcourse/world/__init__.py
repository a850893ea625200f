"""A small invented world: one knowledge base and one grammar, from which every data set is written.

Each random choice shows in the text the moment it is made, so every document carries its exact
log-probability, and the best any model can reach is a number.
"""

from llmcourse.world.agreement import AgreementPair, agreement_pairs
from llmcourse.world.batches import IGNORED, whole_batches
from llmcourse.world.bilingual import Reading, analyse
from llmcourse.world.context import ContextCost, context_cost
from llmcourse.world.datasets import DATASETS, load
from llmcourse.world.facts import KnowledgeBase, knowledge_base
from llmcourse.world.grammar import END
from llmcourse.world.second_language import Parallel, parallel, second_language_text
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
from llmcourse.world.transcripts import TranscriptPair, transcript_pairs

__all__ = [
    "DATASETS",
    "END",
    "IGNORED",
    "AgreementPair",
    "ContextCost",
    "EntropyRate",
    "KnowledgeBase",
    "Parallel",
    "Reading",
    "Story",
    "TranscriptPair",
    "agreement_pairs",
    "analyse",
    "context_cost",
    "detokenise",
    "entropy_rate",
    "knowledge_base",
    "load",
    "next_probs",
    "parallel",
    "second_language_text",
    "stories",
    "story_log_prob",
    "transcript_pairs",
    "vocabulary",
    "whole_batches",
]
