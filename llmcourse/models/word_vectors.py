"""Word vectors and their uses: neighbours, analogies, associations, files.

`WordVectors` holds one vector a word. `accuracy` answers analogy questions in the format of
word2vec's questions-words.txt, `association_bias` is the effect size of the word-embedding
association test, `save` and `load` use word2vec's text format, which gensim reads and writes.

Left out: how vectors are learned (`llmcourse.models.embeddings`), the binary format, spaces inside
words.

source: Mikolov et al. 2013, arXiv:1301.3781 (questions); Levy and Goldberg 2014, Linguistic
regularities in sparse and explicit word representations (3CosAdd); Caliskan, Bryson and Narayanan
2017, arXiv:1608.07187 (WEAT).
unit: 04_word2vec
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from llmcourse.arguments import a_string, ids_of, no_string, utf8

Question = tuple[str, str, str, str]  # Athens Greece Oslo Norway: b - a + c should give d
AT_ONCE = 1_000  # questions answered by one matrix product


@dataclass(frozen=True)
class WordVectors:
    """A vector for each word: `vectors` is (V, D) and `words` names its rows.

    Raises ValueError unless there are as many different words as rows, and TypeError for one string
    in place of the words.
    """

    words: tuple[str, ...]
    vectors: np.ndarray

    def __post_init__(self) -> None:
        no_string(self.words, "a tuple of words", "name each row, tuple(text.split())")
        rows = len(self.vectors)
        if len(set(self.words)) != len(self.words) or len(self.words) != rows:
            different = len(set(self.words))
            raise ValueError(
                f"expected {rows} different words for {rows} vectors, got {different}: "
                "name each row once"
            )

    def __contains__(self, word: str) -> bool:
        return word in self._rows

    def __getitem__(self, word: str) -> np.ndarray:
        """Return the vector of `word`, of length D. Raises KeyError for an unknown word."""
        return self.vectors[self.row(word)]

    @cached_property
    def _rows(self) -> dict[str, int]:
        """The row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @cached_property
    def unit(self) -> np.ndarray:
        """The vectors scaled to length 1, (V, D); a vector of zeros is not modified."""
        return unit_rows(self.vectors)

    def row(self, word: str) -> int:
        """Return the row of `word`. Raises KeyError with the remedy for an unknown word."""
        if word not in self._rows:
            raise KeyError(
                f"expected one of the {len(self.words):,} words with a vector, got {word!r}: "
                "was it too rare in the text?"
            )
        return self._rows[word]

    def similarity(self, one: str, other: str) -> float:
        """Return the cosine of the angle between two words, -1 to 1."""
        return float(self.unit[self.row(one)] @ self.unit[self.row(other)])

    def nearest(self, word: str, n: int = 5) -> list[tuple[str, float]]:
        """Return the `n` words most similar to `word`, without it, with cosines, best first."""
        row = self.row(word)
        return self._named(self.unit[row], [row], n)

    def analogy(self, a: str, b: str, c: str, n: int = 1) -> list[tuple[str, float]]:
        """Return the `n` best answers to "a is to b as c is to ?", with their cosines, best first.

        3CosAdd: the words nearest to b - a + c of unit vectors; a, b and c themselves are excluded.
        """
        rows = [self.row(word) for word in (a, b, c)]
        aim = self.unit[rows[1]] - self.unit[rows[0]] + self.unit[rows[2]]
        return self._named(aim / (np.linalg.norm(aim) or 1), rows, n)

    def _named(self, aim: np.ndarray, excluded: Sequence[int], n: int) -> list[tuple[str, float]]:
        found = _best(self.unit, aim, excluded, n)
        return [(self.words[row], float(self.unit[row] @ aim)) for row in found]


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Return the rows scaled to length 1; a row of zeros is not modified.

    Each row is first divided by its largest absolute value: in float32 the square of 1e20 is
    infinite and that of 1e-25 zero.
    """
    vectors = np.asarray(vectors)
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    rows = vectors / np.where(largest > 0, largest, 1)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


def nearest(vectors: np.ndarray, index: int, n: int) -> list[int]:
    """Return the `n` rows with the largest cosine to row `index`, itself excluded, best first.

    Raises ValueError for an index outside 0 .. V - 1.
    """
    ids_of(index, len(vectors), "row numbers")
    unit = unit_rows(vectors)
    return _best(unit, unit[index], [index], n)


def analogy(vectors: np.ndarray, a: int, b: int, c: int) -> int:
    """Return the row that answers "a is to b as c is to ?" by 3CosAdd; a, b and c are excluded.

    Raises ValueError for an index outside 0 .. V - 1, and where there is no other row.
    """
    ids_of([a, b, c], len(vectors), "row numbers")
    unit = unit_rows(vectors)
    found = _best(unit, unit[b] - unit[a] + unit[c], [a, b, c], 1)
    if not found:
        raise ValueError(f"expected a fourth row to answer with, got {len(unit)} rows: more words?")
    return found[0]


def _best(unit: np.ndarray, aim: np.ndarray, excluded: Sequence[int], n: int) -> list[int]:
    if n < 0:
        raise ValueError(f"n must be 0 or more, got {n}")
    scores = unit @ aim
    scores[list(excluded)] = -np.inf
    allowed = len(scores) - len(set(excluded))
    return [int(row) for row in np.argsort(-scores, kind="stable")[: min(n, allowed)]]


@dataclass(frozen=True)
class Score:
    """Analogy questions of one section: how many were right, asked, and skipped.

    Skipped are those with a word that has no vector.
    """

    right: int
    asked: int
    skipped: int

    @property
    def accuracy(self) -> float:
        """Right answers over questions asked, 0 to 1; 0 where none was asked."""
        return self.right / self.asked if self.asked else 0.0


def read_questions(text: str) -> dict[str, list[Question]]:
    """Return the questions by section: a line `: name` opens one, four words a line are a question.

    Raises ValueError, with the line's number, for a line of another form.
    """
    a_string(text)
    sections: dict[str, list[Question]] = {}
    questions: list[Question] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.split()
        if parts and parts[0] == ":":
            questions = sections.setdefault(" ".join(parts[1:]), [])
        elif len(parts) == 4 and questions is not None:
            questions.append((parts[0], parts[1], parts[2], parts[3]))
        elif parts:
            raise ValueError(
                f"line {number}: expected ': section' and then four words a line, got {line!r}"
            )
    return sections


def accuracy(vectors: WordVectors, sections: Mapping[str, Sequence[Question]]) -> dict[str, Score]:
    """Count the questions of each section that 3CosAdd answers right, words compared as they are.

    Raises TypeError for a question that is one string: its characters would be looked up.
    """
    scores = {}
    for name, questions in sections.items():
        for question in (questions, *questions):
            no_string(question, "questions that are four words each", "take read_questions(text)")
        known = [q for q in questions if all(word in vectors for word in q)]
        rows = np.array([[vectors.row(word) for word in q] for q in known]).reshape(-1, 4)
        pieces = [rows[i : i + AT_ONCE] for i in range(0, len(rows), AT_ONCE)]
        right = sum(_right(vectors.unit, piece) for piece in pieces)
        scores[name] = Score(right, len(known), len(questions) - len(known))
    return scores


def _right(unit: np.ndarray, rows: np.ndarray) -> int:
    a, b, c, d = rows.T
    scores = (unit[b] - unit[a] + unit[c]) @ unit.T
    np.put_along_axis(scores, rows[:, :3], -np.inf, axis=1)
    return int((scores.argmax(1) == d).sum())


def total(scores: Iterable[Score]) -> Score:
    """Return the sections taken together, each question counting the same."""
    parts = list(scores)
    return Score(*(sum(getattr(s, part) for s in parts) for part in ("right", "asked", "skipped")))


def association_bias(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """Return the WEAT effect size: how much closer X is to A, rather than B, than Y is.

    x, y: vectors of the target words, (n, D) each; a, b: of the attribute words. A word's
    association is its mean cosine with A minus that with B. The effect size is the mean association
    of X minus that of Y, over the standard deviation of all associations (with n - 1): between -2
    and 2 when X and Y have equally many words. Raises ValueError for a set without words, and where
    all associations are equal (as with one word in all).
    source: Caliskan, Bryson and Narayanan 2017, arXiv:1608.07187.
    """
    sizes = [len(rows) for rows in (x, y, a, b)]
    if not all(sizes):
        raise ValueError(f"expected a word in each of X, Y, A and B, got {sizes}: add some")
    x, y, a, b = map(unit_rows, (x, y, a, b))
    of_x, of_y = ((v @ a.T).mean(1) - (v @ b.T).mean(1) for v in (x, y))
    spread = float(np.concatenate([of_x, of_y]).std(ddof=1))
    if spread == 0:
        raise ValueError("expected associations that differ, got all equal: take other words")
    return float(of_x.mean() - of_y.mean()) / spread


def save(vectors: WordVectors, path: str | Path) -> None:
    """Write word2vec's text format: `V D`, then a word and its numbers a line.

    The numbers read back as the same float32. Raises ValueError, before anything is written, for a
    word that is empty, has white space in it, or holds half of a surrogate pair.
    """
    for word in vectors.words:
        utf8(word)
        if word.split() != [word]:
            raise ValueError(f"expected words without white space, got {word!r}: replace it first")
    rows = vectors.vectors.astype(np.float32)
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{rows.shape[0]} {rows.shape[1]}\n")
        for word, row in zip(vectors.words, rows, strict=True):
            file.write(f"{word} {' '.join(map(str, row))}\n")


def load(path: str | Path) -> WordVectors:
    """Read what `save`, gensim or word2vec wrote in text format, as float32.

    Raises ValueError, with the line's number, where the file is not of that format, and for a file
    with fewer words than its first line says.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: expected a text in UTF-8, got another byte at {error.start}"
        ) from None
    try:
        n, width = map(int, lines[0].split())
    except ValueError:
        raise ValueError(f"line 1 of {path}: expected 'V D', got {lines[0][:40]!r}") from None
    words, rows = [], []
    for number, line in enumerate(lines[1 : n + 1], 2):
        word, *numbers = line.rstrip().split(" ")
        if len(numbers) != width:
            raise ValueError(
                f"line {number} of {path}: expected a word and {width} numbers, got {len(numbers)}"
            )
        words.append(word)
        try:
            rows.append(np.array(numbers, dtype=np.float32))
        except ValueError as error:
            raise ValueError(
                f"line {number} of {path}: expected {width} numbers, {error}"
            ) from None
    if len(rows) < n:
        raise ValueError(f"{path}: expected {n} words, got {len(rows)}: is the file cut off?")
    return WordVectors(tuple(words), np.array(rows, dtype=np.float32).reshape(len(rows), width))
