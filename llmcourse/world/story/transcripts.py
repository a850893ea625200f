"""Pairs of transcripts that sound alike, where only the language tells which one is right.

Each pair is a sentence of a story and the same sentence with one word replaced by another that
sounds the same (`HOMOPHONES`). Their acoustic log-probabilities are nearly equal and often favour
the wrong one. Each of these words is right about equally often, so neither sound nor word frequency
decides a pair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from llmcourse.world.engine.splits import check_size
from llmcourse.world.engine.text_files import sections
from llmcourse.world.story.telling import stories

HOMOPHONES = tuple(tuple(group.split("/")) for group in sections("homophones")["groups"].split())
_ALIKE = {word: [w for w in group if w != word] for group in HOMOPHONES for word in group}
_ENDS = frozenset(".?!")
LONGEST = 16  # tokens in a transcript


@dataclass(frozen=True)
class TranscriptPair:
    """Two transcripts of one recording; `texts[right]` was said.

    `acoustic_logps` are ln p(sound | text), equal to within 1 nat and no guide to which is right.
    """

    texts: tuple[tuple[str, ...], tuple[str, ...]]
    right: int
    acoustic_logps: tuple[float, float]


def transcript_pairs(n: int, seed: int = 0) -> list[TranscriptPair]:
    """Return `n` pairs, the same for a seed, from stories that no `world.stories` seed repeats.

    Raises ValueError for `n` below 1.
    """
    check_size(n)
    rng = Random(f"transcripts {seed}")
    quota = -(-n // len(_ALIKE))
    taken: Counter[str] = Counter()
    found: list[TranscriptPair] = []
    for sentence in _sentences(f"transcripts {seed}"):
        open_to = [i for i, word in enumerate(sentence) if word in _ALIKE and taken[word] < quota]
        if not open_to:
            continue
        index = rng.choice(open_to)
        taken[sentence[index]] += 1
        found.append(_pair(sentence, index, rng))
        if len(found) == quota * len(_ALIKE):
            break
    rng.shuffle(found)
    return found[:n]


def _pair(sentence: tuple[str, ...], index: int, rng: Random) -> TranscriptPair:
    other = rng.choice(_ALIKE[sentence[index]])
    misheard = (*sentence[:index], other, *sentence[index + 1 :])
    right = rng.randrange(2)
    heard = -2.0 * len(sentence)
    acoustic = (heard + rng.uniform(-0.5, 0.5), heard + rng.uniform(-0.5, 0.5))
    return TranscriptPair((misheard, sentence) if right else (sentence, misheard), right, acoustic)


def _sentences(seed: str) -> Iterator[tuple[str, ...]]:
    """Yield sentences of stories, without quotation marks, up to LONGEST tokens."""
    for story in stories(seed=seed):
        words: list[str] = []
        for token in story.tokens:
            if token != '"':
                words.append(token)
            if token in _ENDS:
                if len(words) <= LONGEST:
                    yield tuple(words)
                words = []
