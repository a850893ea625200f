"""Parallel text in English and the world's second language, with the exact word alignment.

The second language puts the verb last, reverses noun phrases (`the two old books` is "books old two
the"), and puts prepositions after their noun and reasons before what they explain. Articles,
adjectives and pronouns agree in gender, number and case; verbs agree with their subject in gender
and number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from llmcourse.world.engine.spelling import article, detokenise
from llmcourse.world.engine.splits import SPLITS, check_choice, check_size, split_of
from llmcourse.world.language import morphology
from llmcourse.world.language.bilingual import lexicon
from llmcourse.world.language.clauses import Clause, Phrase, Sentence, Speaker

SHORTEST, LONGEST = 3, 40  # English tokens, the stop included
_PRONOUNS = {"m": ("he", "him"), "f": ("she", "her")}
# A word and the concept it expresses: words of both languages with one concept are aligned.
Word = tuple[str, str]
UNALIGNED = ""


@dataclass(frozen=True)
class Parallel:
    """A sentence in two languages. `alignment` holds pairs (source index, target index), sorted.

    Tokens that no pair names have no counterpart.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    alignment: tuple[tuple[int, int], ...]

    def reversed(self) -> Parallel:
        """Return the same pair in the other direction."""
        swapped = tuple(sorted((t, s) for s, t in self.alignment))
        return Parallel(self.target, self.source, swapped)

    @property
    def texts(self) -> tuple[str, str]:
        """Both sentences as one would print them."""
        return detokenise(self.source), detokenise(self.target)


def parallel(
    n: int, *, split: str = "train", seed: int = 0, max_words: int | None = None
) -> Iterator[Parallel]:
    """Stream `n` pairs whose English side has 3 to `max_words` (default and most: 40) tokens.

    Lengths vary over the whole range. A sentence may occur twice in a split, but never in both: one
    sentence in ten, by its hash, is for "test".

    Each side determines the other by these rules. In English a relative clause belongs to the noun
    before it, a place to the nearest verb before it, a reason to the nearest main clause. A pronoun
    means a word of the clause before (`clauses` says which) and has its gender: `it` has three
    translations, and a masculine pronoun is `he` or `it`. `and` is one word between phrases and
    another between clauses. Jobs have a fixed gender, whoever holds them.

    Every English token is aligned: auxiliaries with their verb, `to` and `'s` with the noun whose
    case expresses them, articles with articles. In the second language two words are unaligned,
    because English lacks them: the comma after a reason and the word that marks a person as object.

    Raises ValueError for `n` below 1, `max_words` out of range and another split.
    """
    longest = LONGEST if max_words is None else max_words
    check_size(n)
    check_choice(split, SPLITS, "split")
    if not SHORTEST <= longest <= LONGEST:
        raise ValueError(
            f"expected max_words of {SHORTEST} to {LONGEST}, got {max_words}: "
            "choose a length in tokens"
        )
    return _stream(n, split, Random(f"parallel {split} {longest} {seed}"), longest)


def second_language_text(tokens: int, *, seed: int = 0) -> Iterator[str]:
    """Stream sentences of the second language as plain text until they hold `tokens` tokens.

    They are the targets of `parallel(split="train")` with the same seed, whose sources are their
    translations. Raises ValueError for `tokens` below 1.
    """
    check_size(tokens, "tokens")
    return _text(tokens, seed)


def _text(tokens: int, seed: int) -> Iterator[str]:
    for pair in parallel(tokens, seed=seed):
        yield detokenise(pair.target)
        tokens -= len(pair.target)
        if tokens <= 0:
            return


def _stream(n: int, split: str, rng: Random, longest: int) -> Iterator[Parallel]:
    count = 0
    while count < n:
        meaning = _meaning(rng, longest)
        english = _english(meaning)
        source = tuple(word for word, _ in english)
        if len(source) <= longest and split_of(" ".join(source)) == split:
            count += 1
            yield _align(english, meaning)


def _meaning(rng: Random, longest: int) -> Sentence:
    """Return a meaning of about as many words as a length drawn uniformly from the whole range."""
    size = rng.uniform(SHORTEST, longest)
    n_clauses = max(1, round(size / 9))
    richness = min(1.0, max(0.0, (size / n_clauses - 3.5) / 5))
    return Speaker(rng, richness).sentence(n_clauses)


def translate(sentence: Sentence) -> Parallel:
    """Return a meaning in both languages, with the words that share a concept aligned."""
    return _align(_english(sentence), sentence)


def _english(sentence: Sentence) -> list[Word]:
    """Return the English words as they are written: `an` before vowels, a capital at the start."""
    words = list(_english_sentence(sentence))
    for i, (word, concept) in enumerate(words):
        if word == "a":
            words[i] = article(words[i + 1][0]), concept
    first, concept = words[0]
    words[0] = first[0].upper() + first[1:], concept
    return words


def _align(english: list[Word], sentence: Sentence) -> Parallel:
    indices: dict[str, list[int]] = {}
    for i, (_, concept) in enumerate(english):
        indices.setdefault(concept, []).append(i)
    target, pairs = [], []
    for j, (word, concept) in enumerate(_other_sentence(sentence)):
        target.append(word)
        pairs += [(i, j) for i in indices.get(concept, ())]
    return Parallel(tuple(word for word, _ in english), tuple(target), tuple(sorted(pairs)))


# --- English ------------------------------------------------------------------------------


def _english_sentence(sentence: Sentence) -> Iterator[Word]:
    for i, (clause, reason) in enumerate(sentence.clauses):
        if i:
            yield sentence.joins[i - 1], f"join{i}"
        yield from _english_clause(clause, f"{i}/")
        if reason:
            yield "because", f"because{i}"
            yield from _english_clause(reason, f"{i}why/")
    yield ".", "stop"


def _english_clause(clause: Clause, at: str, head: Phrase | None = None) -> Iterator[Word]:
    """Yield the clause; a relative clause about `head` begins with who or that."""
    if clause.adverb:
        yield clause.adverb, at + "when"
    if head:
        yield "who" if clause.subject is None and head.noun.human else "that", at + "who"
    if clause.subject:
        yield from _english_phrase(clause.subject, at + "s/", "nom")
    plural = (clause.subject or head).plural
    yield from _english_verb(clause, plural, at)
    if clause.quality:
        yield clause.quality, at + "quality"
    if clause.object:
        yield from _english_phrase(clause.object, at + "o/", "acc")
    if clause.recipient:
        yield "to", at + "r/noun"
        yield from _english_phrase(clause.recipient, at + "r/", "dat")
    if clause.place:
        yield clause.place[0], at + "where"
        yield from _english_phrase(clause.place[1], at + "p/", "loc")


def _english_verb(clause: Clause, plural: bool, at: str) -> Iterator[Word]:
    verb, tense, key = clause.verb, clause.tense, at + "verb"
    is_be = verb is lexicon().be
    if is_be and tense != "future":
        forms = {"past": ("was", "were"), "present": ("is", "are")}
        yield forms[tense][plural], key
        if clause.negated:
            yield "not", at + "not"
        return
    helpers = {"past": "did", "present": "do" if plural else "does", "future": "will"}
    if clause.negated or tense == "future":
        yield helpers[tense], key
        if clause.negated:
            yield "not", at + "not"
        yield verb.base, key
    elif tense == "past":
        yield verb.past, key
    else:
        yield verb.base if plural else verb.third, key


def _english_phrase(phrase: Phrase, at: str, case: str) -> Iterator[Word]:
    noun, key = phrase.noun, at + "noun"
    if phrase.determiner == "pronoun":
        yield _english_pronoun(phrase, case), key
        return
    if phrase.owner:
        yield from _english_phrase(phrase.owner, at + "w/", "gen")
        yield "'s", at + "w/noun"
    elif phrase.determiner:
        yield phrase.determiner, at + "article"
    if phrase.numeral:
        yield phrase.numeral, at + "numeral"
    for i, adjective in enumerate(phrase.adjectives):
        yield adjective, f"{at}adjective{i}"
    yield noun.many if phrase.number == "pl" else noun.one, key
    if phrase.partner:
        yield "and", at + "and"
        yield from _english_phrase(phrase.partner, at + "+/", case)
    if phrase.relative:
        yield from _english_clause(phrase.relative, at + "c/", phrase)


def _english_pronoun(phrase: Phrase, case: str) -> str:
    if phrase.plural:
        return "they" if case == "nom" else "them"
    if not phrase.noun.human:
        return "it"
    return _PRONOUNS[phrase.noun.gender][case != "nom"]


# --- the second language ------------------------------------------------------------------


def _other_sentence(sentence: Sentence) -> Iterator[Word]:
    small = lexicon().particles
    for i, (clause, reason) in enumerate(sentence.clauses):
        if i:
            join = sentence.joins[i - 1]
            yield small["and (clauses)" if join == "and" else join], f"join{i}"
        if reason:
            yield from _other_clause(reason, f"{i}why/")
            yield small["because"], f"because{i}"
            yield ",", UNALIGNED
        yield from _other_clause(clause, f"{i}/")
    yield ".", "stop"


def _other_clause(clause: Clause, at: str, head: Phrase | None = None) -> Iterator[Word]:
    """Yield relative pronoun, subject, time, place, recipient, object, quality, not, verb."""
    words = lexicon()
    small = words.particles
    who = clause.subject or head
    if head:
        case = "nom" if clause.subject is None else "acc"
        yield _agree(words.agreeing["who"], head, case), at + "who"
    if clause.subject:
        yield from _other_phrase(clause.subject, at + "s/", "nom")
    if clause.adverb:
        yield small[clause.adverb], at + "when"
    if clause.place:
        yield from _other_phrase(clause.place[1], at + "p/", "loc")
        yield small[clause.place[0]], at + "where"
    if clause.recipient:
        yield from _other_phrase(clause.recipient, at + "r/", "dat")
    if clause.object:
        if clause.object.noun.human and clause.object.determiner != "pronoun":
            yield small["(person as object)"], UNALIGNED
        yield from _other_phrase(clause.object, at + "o/", "acc")
    if clause.quality:
        yield _agree(words.adjectives[clause.quality], who, "nom"), at + "quality"
    if clause.negated:
        yield small["not"], at + "not"
    number = "pl" if who.plural else "sg"
    yield morphology.verb_form(clause.verb.stem, clause.tense, who.gender, number), at + "verb"


def _other_phrase(phrase: Phrase, at: str, case: str) -> Iterator[Word]:
    words, noun = lexicon(), phrase.noun
    if phrase.determiner == "pronoun":
        yield _agree(words.agreeing["he"], phrase, case), at + "noun"
        return
    features = noun.gender, phrase.number, case
    yield morphology.noun_form(noun.stem, *features), at + "noun"
    for i in reversed(range(len(phrase.adjectives))):
        stem = words.adjectives[phrase.adjectives[i]]
        yield morphology.adjective_form(stem, *features), f"{at}adjective{i}"
    if phrase.numeral:
        yield words.particles[phrase.numeral], at + "numeral"
    if phrase.owner:
        yield from _other_phrase(phrase.owner, at + "w/", "gen")
    elif phrase.determiner:
        article = words.agreeing[phrase.determiner]
        yield morphology.adjective_form(article, *features), at + "article"
    if phrase.partner:
        yield words.particles["and (phrases)"], at + "and"
        yield from _other_phrase(phrase.partner, at + "+/", case)
    if phrase.relative:
        yield from _other_clause(phrase.relative, at + "c/", phrase)


def _agree(stem: str, phrase: Phrase, case: str) -> str:
    """Return a word that agrees with the whole phrase: joined nouns are plural."""
    number = "pl" if phrase.plural else "sg"
    return morphology.adjective_form(stem, phrase.gender, number, case)
