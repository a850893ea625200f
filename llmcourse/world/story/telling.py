"""Stories: documents of the world with the exact log-probability of every token.

`stories` streams them, `story_log_prob` scores any text, `entropy_rate` estimates the floor that no
model can beat on average. The floor is for models that see a document from its start: after a cut
less is known than the exact probabilities assume.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from llmcourse.arguments import no_string
from llmcourse.world.engine import grammar
from llmcourse.world.engine.spelling import TOKENS, detokenise
from llmcourse.world.engine.splits import check_size
from llmcourse.world.story.story_rules import machine, rules


@dataclass(frozen=True)
class Story:
    """One document: its tokens (the last one is END) and the natural log-probability of each."""

    tokens: tuple[str, ...]
    logps: tuple[float, ...]

    @property
    def text(self) -> str:
        """The story as one would print it, without END."""
        return detokenise(self.tokens)

    @property
    def log_prob(self) -> float:
        """Natural log-probability of the whole document."""
        return math.fsum(self.logps)


@dataclass(frozen=True)
class EntropyRate:
    """The floor estimated on a sample: bits a token and a character, each with its standard error.

    Tokens include END; characters are those of `text` and one for its end.
    """

    bits_per_token: float
    token_error: float
    bits_per_char: float
    char_error: float
    documents: int
    tokens: int


Sample = Callable[[Callable[[], float]], tuple[list[str], list[float]]]  # as `Machine.sample`


def stories(
    n: int | None = None, *, tokens: int | None = None, seed: int | str = 0, bias: float = 0.0
) -> Iterator[Story]:
    """Stream `n` stories, or stories until there are `tokens` tokens or more, or without end.

    The same seed gives the same stories, and a shorter stream is the start of a longer one. `bias`
    in [0, 1] skews the gender of some jobs (`knowledge.LEANING`). Nobody changes jobs: of the woman
    and the man who have the same one, one occurs more often, (1 + bias) : (1 - bias). With 0 both
    occur equally often, with 1 only one of them does. Raises ValueError for a size below 1 or a
    dial out of range.
    """
    return stream(machine(bias).sample, Random(f"stories {seed}").random, n, tokens)


def stream(
    sample: Sample, rand: Callable[[], float], n: int | None, tokens: int | None
) -> Iterator[Story]:
    """Stream what `sample` draws with `rand`, up to `n` documents or `tokens` tokens, as `stories`.

    Raises ValueError, at once, for a size below 1.
    """
    for name, size in (("n", n), ("tokens", tokens)):
        if size is not None:
            check_size(size, name)
    return _stream(sample, rand, n, tokens)


def _stream(
    sample: Sample, rand: Callable[[], float], n: int | None, tokens: int | None
) -> Iterator[Story]:
    written = count = 0
    while (n is None or count < n) and (tokens is None or written < tokens):
        words, logps = sample(rand)
        count += 1
        written += len(words)
        yield Story(tuple(words), tuple(logps))


def story_log_prob(tokens: Iterable[str], *, bias: float = 0.0) -> tuple[float, ...]:
    """Return ln P of each token given all before it, for any tokens (about 1 ms each).

    From the first token that the grammar cannot write, -inf. A text without END is scored as a
    prefix. Raises TypeError for one string in place of the tokens.
    """
    no_string(tokens, *TOKENS)
    return tuple(grammar.forward(rules(bias), tokens))


def next_probs(tokens: Iterable[str], *, bias: float = 0.0) -> dict[str, float]:
    """Return the exact distribution of the token after `tokens`, which a perfect model would give.

    Raises TypeError for one string in place of the tokens.
    """
    no_string(tokens, *TOKENS)
    return grammar.next_probs(rules(bias), tokens)


def entropy_rate(documents: Iterable[Story]) -> EntropyRate:
    """Return the floor on a sample of stories: bits per token and character, standard errors.

    Raises ValueError for fewer than two documents.
    source: Cochran, Sampling Techniques, 1977, chapter 6.
    """
    sample = [(-s.log_prob / math.log(2), len(s.tokens), len(s.text) + 1) for s in documents]
    if len(sample) < 2:
        raise ValueError(
            f"expected 2 or more stories, got {len(sample)}: draw more with world.stories"
        )
    bits = [b for b, _, _ in sample]
    token = _ratio(bits, [t for _, t, _ in sample])
    char = _ratio(bits, [c for _, _, c in sample])
    return EntropyRate(*token, *char, len(sample), sum(t for _, t, _ in sample))


def _ratio(bits: Sequence[float], sizes: Sequence[int]) -> tuple[float, float]:
    """Return sum(bits) / sum(sizes) and its standard error."""
    n, rate = len(bits), math.fsum(bits) / sum(sizes)
    spread = math.fsum((b - rate * s) ** 2 for b, s in zip(bits, sizes, strict=True)) / (n - 1)
    return rate, math.sqrt(spread / n) / (sum(sizes) / n)
