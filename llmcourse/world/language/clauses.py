"""Random meanings of sentences, which both languages of the parallel text then express.

A meaning is a chain of clauses about people, animals, things and places. A pronoun is used only
where the clause before makes clear whom it means. As subjects, `he`, `she` and `they` mean the
subject of that clause; `it` means its object if that is one animal or thing, else its subject. As
objects, `him`, `her`, `it` and `them` mean its object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from llmcourse.world.language import bilingual
from llmcourse.world.language.bilingual import Noun, Verb, lexicon


@dataclass(frozen=True)
class Phrase:
    """A noun phrase. `determiner` is the, a, pronoun or "" (names, bare plurals, owned things).

    A pronoun keeps the noun and adjectives that it stands for, unsaid. `partner` joins a second
    phrase by "and"; `relative` is a clause in which this noun is the missing subject or object.
    """

    noun: Noun
    number: str = "sg"
    determiner: str = ""
    adjectives: tuple[str, ...] = ()
    numeral: str | None = None
    owner: Phrase | None = None
    partner: Phrase | None = None
    relative: Clause | None = None

    @property
    def plural(self) -> bool:
        """Whether a verb or pronoun that agrees with it is plural."""
        return self.number == "pl" or self.partner is not None

    @property
    def gender(self) -> str:
        """The gender of the noun; masculine for two joined nouns of different gender."""
        if self.partner and self.partner.noun.gender != self.noun.gender:
            return "m"
        return self.noun.gender


@dataclass(frozen=True)
class Clause:
    """Who (`subject`) does what (`verb`) to whom (`object`, `recipient`), where and when.

    With the verb `be` it has a `quality` or a `place`. In a relative clause the subject or the
    object is None: the noun that the clause describes.
    """

    verb: Verb
    tense: str
    subject: Phrase | None
    object: Phrase | None = None
    recipient: Phrase | None = None
    place: tuple[str, Phrase] | None = None
    quality: str | None = None
    adverb: str | None = None
    negated: bool = False


@dataclass(frozen=True)
class Sentence:
    """Clauses, each with the clause that gives its reason or None; `joins` are "and" or "but"."""

    clauses: tuple[tuple[Clause, Clause | None], ...]
    joins: tuple[str, ...]


class Speaker:
    """A source of meanings; `richness` in [0, 1] says how often a phrase or clause is extended."""

    def __init__(self, rng: Random, richness: float) -> None:
        self.rng, self.richness, self.words = rng, richness, lexicon()
        self.used: set[str] = set()

    def sentence(self, n_clauses: int) -> Sentence:
        """Return a sentence of `n_clauses` clauses in all, including those that give a reason."""
        tense = self.rng.choice(("past", "past", "past", "present", "future"))
        chain: list[tuple[Clause, Clause | None]] = []
        before: Clause | None = None
        while n_clauses > 0:
            clause = self._clause(tense, before, first=not chain)
            n_clauses -= 1
            reason = None
            if n_clauses and not clause.quality and self.rng.random() < 0.6:
                reason = self._reason(tense, clause)
                n_clauses -= reason is not None
            chain.append((clause, reason))
            before = clause if reason is None else None
        joins = tuple(self.rng.choice(("and", "and", "but")) for _ in chain[1:])
        return Sentence(tuple(chain), joins)

    def _extra(self, chance: float) -> bool:
        """Decide whether to add something, with probability `chance` at full richness."""
        return self.rng.random() < chance * self.richness

    def _clause(self, tense: str, before: Clause | None, first: bool) -> Clause:
        """Return a main clause; pronouns point to the clause `before`."""
        rng = self.rng
        pronoun = self._subject_pronoun(before) if before and rng.random() < 0.6 else None
        subject = pronoun or self._subject()
        adverb = rng.choice(bilingual.ADVERBS[tense]) if first and self._extra(0.3) else None
        negated = self._extra(0.15)
        kind = subject.noun.kind
        if rng.random() < 0.15 or not bilingual.verbs_for(kind, None):
            where = self._place() if rng.random() < 0.5 else None
            quality = None if where else self._quality(subject)
            be = self.words.be
            return Clause(be, tense, subject, None, None, where, quality, adverb, negated)
        it = self._pronoun(before.object) if before and rng.random() < 0.6 else None
        if it and pronoun and it.noun is pronoun.noun:
            it = None
        verbs = bilingual.verbs_for(kind, it.noun.kind if it else None)
        if not verbs:
            it, verbs = None, bilingual.verbs_for(kind, None)
        verb = rng.choice(verbs)
        target = it or self._object(verb)
        recipient = self._phrase(rng.choice(("name", "person", "job"))) if verb.gives else None
        place = None
        if not (target and target.relative) and self._extra(0.3):
            place = self._place()
        return Clause(verb, tense, subject, target, recipient, place, None, adverb, negated)

    def _reason(self, tense: str, of: Clause) -> Clause | None:
        """Return a reason for `of`: somebody in it has a quality, or feels or wants something.

        None where no pronoun could link the two.
        """
        tense = "past" if tense == "past" else "present"
        subject = self._subject_pronoun(of)
        if subject is None:
            return None
        kind = subject.noun.kind
        reasons = [v for v in bilingual.verbs_for(kind, None) if v.base in bilingual.REASONS]
        animate = subject.noun.human or kind == "animal"
        if not animate or not reasons or self.rng.random() < 0.4:
            moods = bilingual.MOODS["person" if subject.noun.human else kind] if animate else None
            quality = self._quality(subject, moods)
            return Clause(self.words.be, tense, subject, quality=quality)
        verb = self.rng.choice(reasons)
        return Clause(verb, tense, subject, self._object(verb))

    def _subject(self) -> Phrase:
        roll = self.rng.random()
        kind = "name" if roll < 0.4 else "person" if roll < 0.6 else "job" if roll < 0.8 else ""
        phrase = self._phrase(kind or "animal", relative=True)
        if phrase.determiner == "" and not phrase.owner and phrase.noun.kind != "name":
            phrase = replace(phrase, determiner="the")
        if phrase.noun.human and not phrase.relative and self._extra(0.15):
            phrase = replace(phrase, partner=self._phrase("name"))
        return phrase

    def _subject_pronoun(self, before: Clause) -> Phrase | None:
        """Return a subject pronoun for something in the clause `before`, or None.

        `it` means the object where that is one animal or thing, and never the subject then.
        """
        thing, actor = before.object, before.subject
        it = thing is not None and not thing.plural and not thing.noun.human
        if it and (self.rng.random() < 0.4 or not (actor.plural or actor.noun.human)):
            return self._pronoun(thing)
        return self._pronoun(actor)

    def _pronoun(self, of: Phrase | None) -> Phrase | None:
        """Return the pronoun for a phrase, or None where it would not be clear.

        A job may be a woman's or a man's, so it has no singular pronoun in English.
        """
        if of is None or (not of.plural and of.noun.kind == "job"):
            return None
        return Phrase(of.noun, of.number, "pronoun", of.adjectives, partner=of.partner)

    def _object(self, verb: Verb) -> Phrase | None:
        if not verb.objects:
            return None
        return self._phrase(self.rng.choice(verb.objects), relative=not verb.gives)

    def _place(self) -> tuple[str, Phrase]:
        if self.rng.random() < 0.25:
            return self.rng.choice(("in", "near")), Phrase(self._noun("town"))
        noun = self._noun("place")
        number = "pl" if self.rng.random() < 0.15 else "sg"
        adjectives = (self._adjective(noun),) if self._extra(0.4) else ()
        preposition = self.rng.choice(bilingual.PREPOSITIONS[noun.one])
        return preposition, Phrase(noun, number, "the", adjectives)

    def _phrase(self, kind: str, relative: bool = False) -> Phrase:
        """Return a name, or a noun with determiner or owner and perhaps further parts."""
        noun = self._noun(kind)
        if kind == "name":
            return Phrase(noun)
        rng = self.rng
        number = "pl" if rng.random() < 0.3 else "sg"
        adjectives: tuple[str, ...] = ()
        if self._extra(0.45):
            adjectives = (self._adjective(noun),)
            if noun.kind in bilingual.HUES and self._extra(0.35):
                hue = rng.choice(bilingual.HUES[noun.kind])
                if not any(bilingual.clash(hue, word) for word in adjectives):
                    adjectives += (hue,)
        numeral = None
        if number == "pl" and rng.random() < 0.4:
            numeral = rng.choice(bilingual.NUMERALS)
        if kind in ("animal", "thing") and self._extra(0.25):
            owner = Phrase(self._noun("name"))
            if rng.random() < 0.4:
                owner = Phrase(self._noun(rng.choice(("person", "job"))), "sg", "the")
            return Phrase(noun, number, "", adjectives, numeral, owner)
        determiner = "the"
        if rng.random() < 0.4:
            determiner = "a" if number == "sg" else ""
        described = self._relative(noun) if relative and self._extra(0.3) else None
        return Phrase(noun, number, determiner, adjectives, numeral, None, None, described)

    def _relative(self, noun: Noun) -> Clause:
        """Return a short clause about `noun`: its subject (people, animals) or its object."""
        acts = noun.human or (noun.kind == "animal" and self.rng.random() < 0.5)
        subject = None if acts else self._plain(("name", "person", "job"))
        if subject is None:
            verbs = bilingual.verbs_for(noun.kind, None)
        else:
            verbs = bilingual.verbs_for(subject.noun.kind, noun.kind)
        verb = self.rng.choice([v for v in verbs if not v.gives])
        if subject:
            return Clause(verb, "past", subject)
        place = self._place() if not verb.objects and self.rng.random() < 0.5 else None
        return Clause(verb, "past", None, self._plain(verb.objects), place=place)

    def _plain(self, kinds: Sequence[str]) -> Phrase | None:
        """Return a phrase of one or two words, or None where there are no `kinds`."""
        if not kinds:
            return None
        noun = self._noun(self.rng.choice(kinds))
        return Phrase(noun, "sg", "" if noun.kind == "name" else "the")

    def _adjective(self, noun: Noun) -> str:
        kind = "person" if noun.human else noun.kind
        return self.rng.choice(bilingual.QUALITIES[kind] + bilingual.HUES.get(kind, ()))

    def _quality(self, phrase: Phrase, among: tuple[str, ...] | None = None) -> str:
        """Return a quality for the phrase that its adjectives neither state nor contradict."""
        kind = "person" if phrase.noun.human else phrase.noun.kind
        said = phrase.adjectives
        fits = [
            word
            for word in among or bilingual.QUALITIES[kind] + bilingual.HUES.get(kind, ())
            if not any(bilingual.clash(word, other) for other in said)
        ]
        return self.rng.choice(fits or bilingual.QUALITIES[kind])

    def _noun(self, kind: str) -> Noun:
        """Return a noun not yet in the sentence; those first in the list are more frequent."""
        nouns = self.words.nouns[kind]
        for _ in range(20):
            noun = nouns[int(len(nouns) * self.rng.random() ** 1.5)]
            if noun.one not in self.used:
                break
        self.used.add(noun.one)
        return noun
