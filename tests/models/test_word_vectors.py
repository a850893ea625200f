"""word_vectors against hand-worked values, gensim and the real questions-words.txt."""

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.models import word_vectors
from llmcourse.models.word_vectors import Score, WordVectors, accuracy, read_questions
from llmcourse.text import corpora as data

ROYALS = WordVectors(
    ("man", "woman", "king", "queen", "apple"),
    np.array([[2, 0, 1], [1, 1, 1], [4, 0, 9], [2, 2, 9], [-3, 1, 0]], dtype=np.float32),
)
WORDS = ["a", "the", "naïve", "日本", "🙂", "x-y", "don't", "#", "0.5"]


def random_vectors(seed, size=9, width=4):
    rng = np.random.default_rng(seed)
    return WordVectors(tuple(WORDS[:size]), rng.normal(size=(size, width)).astype(np.float32))


def gensims(vectors):
    from gensim.models import KeyedVectors  # takes seconds

    peer = KeyedVectors(vectors.vectors.shape[1])
    peer.add_vectors(list(vectors.words), vectors.vectors)
    return peer


def test_similarity_is_the_cosine():
    assert ROYALS.similarity("man", "woman") == pytest.approx(3 / 15**0.5)
    assert ROYALS.similarity("king", "king") == pytest.approx(1)


def test_king_minus_man_plus_woman_is_queen():
    assert ROYALS.analogy("man", "king", "woman")[0][0] == "queen"


def test_an_unknown_word_is_named_in_the_error():
    with pytest.raises(KeyError, match="expected one of the 5 words with a vector, got 'pear'"):
        ROYALS["pear"]
    assert "pear" not in ROYALS and "king" in ROYALS


@pytest.mark.parametrize("words", [("a", "a", "b"), ("a", "b")])
def test_rows_have_one_name_each(words):
    with pytest.raises(ValueError, match="expected 3 different words for 3 vectors, got 2"):
        WordVectors(words, np.zeros((3, 2)))


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_and_analogies_are_gensims(seed):
    ours, peer = random_vectors(seed), gensims(random_vectors(seed))
    for word in ours.words:
        mine, theirs = ours.nearest(word, 8), peer.most_similar(word, topn=8)
        assert [w for w, _ in mine] == [w for w, _ in theirs]
        np.testing.assert_allclose([c for _, c in mine], [c for _, c in theirs], atol=1e-6)
    for a, b, c in itertools.permutations(ours.words[:5], 3):
        theirs = peer.most_similar(positive=[b, c], negative=[a], topn=3)
        assert [w for w, _ in ours.analogy(a, b, c, 3)] == [w for w, _ in theirs]


@pytest.mark.parametrize("seed", range(3))
def test_plain_functions_give_the_rows_of_the_methods(seed):
    ours = random_vectors(seed)
    for i, word in enumerate(ours.words):
        found = [ours.words[row] for row in word_vectors.nearest(ours.vectors, i, 3)]
        assert found == [w for w, _ in ours.nearest(word, 3)]
    row = word_vectors.analogy(ours.vectors, 3, 1, 4)
    assert ours.words[row] == ours.analogy(*(ours.words[i] for i in (3, 1, 4)))[0][0]


def test_more_neighbours_than_words_gives_all_others():
    assert len(ROYALS.nearest("man", 50)) == 4
    assert sorted(word_vectors.nearest(ROYALS.vectors, 4, 50)) == [0, 1, 2, 3]


QUESTIONS = ": royal\nman king woman queen\n\nman woman king queen\n: other ones\na b c d\n"


def test_questions_are_read_by_section():
    sections = read_questions(QUESTIONS)
    assert sections == {
        "royal": [("man", "king", "woman", "queen"), ("man", "woman", "king", "queen")],
        "other ones": [("a", "b", "c", "d")],
    }


@pytest.mark.parametrize("text", ["a b c d", ": s\na b c"])
def test_lines_that_are_no_questions_are_refused_with_their_number(text):
    number = len(text.splitlines())
    with pytest.raises(ValueError, match=f"line {number}: expected ': section'"):
        read_questions(text)


def test_accuracy_counts_right_asked_and_skipped():
    scores = accuracy(ROYALS, read_questions(QUESTIONS + "man king apple woman"))
    assert scores == {"royal": Score(2, 2, 0), "other ones": Score(0, 1, 1)}
    whole = word_vectors.total(scores.values())
    assert whole == Score(2, 3, 1) and whole.accuracy == pytest.approx(2 / 3)
    assert Score(0, 0, 4).accuracy == 0


@pytest.mark.parametrize("seed", range(4))
def test_accuracy_is_gensims(seed, tmp_path):
    ours = random_vectors(seed, size=7, width=2)
    asked = itertools.permutations(ours.words, 4)
    lines = [": all", *(" ".join(q) for q in asked), "a the unknown naïve"]
    (tmp_path / "questions.txt").write_text("\n".join(lines), encoding="utf-8")
    peer = gensims(ours).evaluate_word_analogies(
        tmp_path / "questions.txt", case_insensitive=False, dummy4unknown=False
    )
    mine = accuracy(ours, read_questions("\n".join(lines)))["all"]
    assert mine.right == len(peer[1][0]["correct"])
    assert mine.asked == 840 and mine.skipped == 1
    assert mine.accuracy == pytest.approx(peer[0])


@pytest.mark.skipif("LLMCOURSE_DATA" not in os.environ, reason="needs questions-words.txt")
def test_word2vecs_own_questions_are_read_whole():
    sections = read_questions(data.text("questions-words"))
    assert len(sections) == 14
    assert sum(map(len, sections.values())) == 19_544
    assert sections["family"][0] == ("boy", "girl", "brother", "sister")


def test_association_bias_by_hand():
    x, y = np.array([[3.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 2.0]])
    a, b = np.array([[5.0, 0.0]]), np.array([[0.0, 1.0]])
    # associations 1, 0 and -1: means 1/2 and -1, standard deviation 1
    assert word_vectors.association_bias(x, y, a, b) == pytest.approx(1.5)


def test_association_bias_passes_2_when_the_sets_differ_in_size():
    x, y = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]] * 9)
    # associations 1 and nine times -1: means 1 and -1, standard deviation sqrt(0.4)
    assert word_vectors.association_bias(x, y, x, y[:1]) == pytest.approx(10**0.5)


@given(st.integers(0, 10**6))
def test_association_bias_is_bounded_and_changes_sign_with_the_sets(seed):
    rng = np.random.default_rng(seed)
    x, y, a, b = (rng.normal(size=(n, 4)) for n in (4, 4, 2, 3))
    effect = word_vectors.association_bias(x, y, a, b)
    assert abs(effect) <= 2
    assert word_vectors.association_bias(y, x, a, b) == pytest.approx(-effect)
    assert word_vectors.association_bias(9 * x, y, b, a) == pytest.approx(-effect)


def test_what_is_saved_is_loaded_and_read_by_gensim(tmp_path):
    from gensim.models import KeyedVectors

    ours = random_vectors(1)
    word_vectors.save(ours, tmp_path / "vectors.txt")
    again = word_vectors.load(tmp_path / "vectors.txt")
    peer = KeyedVectors.load_word2vec_format(str(tmp_path / "vectors.txt"), binary=False)
    assert again.words == ours.words == tuple(peer.index_to_key)
    np.testing.assert_array_equal(again.vectors, ours.vectors)
    np.testing.assert_array_equal(peer.vectors, ours.vectors)


def test_what_gensim_saves_is_loaded(tmp_path):
    ours = random_vectors(2)
    gensims(ours).save_word2vec_format(str(tmp_path / "vectors.txt"), binary=False)
    loaded = word_vectors.load(tmp_path / "vectors.txt")
    assert loaded.words == ours.words
    np.testing.assert_allclose(loaded.vectors, ours.vectors, rtol=1e-6)


@pytest.mark.parametrize("word", ["", "two words", "tab\t", "line\n"])
def test_words_that_the_format_cannot_hold_are_refused(word, tmp_path):
    with pytest.raises(ValueError, match="expected words without white space"):
        word_vectors.save(WordVectors((word,), np.ones((1, 2))), tmp_path / "vectors.txt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a 1 2", "line 1 of .*: expected 'V D'"),
        ("2 2\na 1 2\nb 1\n", "line 3 .* 2 numbers, got 1"),
        ("1 2\na 1 x\n", "line 2 .* expected 2 numbers, .*'x'"),
        ("3 2\na 1 2\nb 3 4", "expected 3 words, got 2: is the file cut off"),
    ],
)
def test_files_of_another_form_are_refused_with_the_line(content, message, tmp_path):
    path = Path(tmp_path / "vectors.txt")
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        word_vectors.load(path)


def test_a_file_in_another_encoding_is_one_line(tmp_path):
    (tmp_path / "vectors.txt").write_bytes("1 1\nnaïve 1\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"vectors.txt: expected a text in UTF-8") as caught:
        word_vectors.load(tmp_path / "vectors.txt")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [1e20, 1e-25, 1e-40, 3e38])
def test_cosines_do_not_depend_on_the_length_of_float32_vectors(size):
    angle = np.array([[0.6, 0.8], [-0.8, 0.6], [1.0, 0.0]], dtype=np.float32)
    vectors = WordVectors(("a", "b", "c"), angle * np.float32(size))
    assert vectors.vectors.dtype == vectors.unit.dtype == np.float32
    np.testing.assert_allclose(vectors.unit, angle, rtol=0, atol=1e-4)
    assert vectors.similarity("a", "c") == pytest.approx(0.6, abs=1e-4)


def test_vectors_of_no_number_and_of_zeros_have_unit_rows():
    assert word_vectors.unit_rows(np.zeros((2, 0))).shape == (2, 0)
    assert not word_vectors.unit_rows(np.zeros((2, 3))).any()


def test_few_words_have_few_neighbours_or_none():
    alone = WordVectors(("a",), np.ones((1, 2)))
    assert alone.nearest("a") == [] and alone.analogy("a", "a", "a") == []
    with pytest.raises(ValueError, match="expected a fourth row to answer with, got 1 rows"):
        word_vectors.analogy(np.ones((1, 2)), 0, 0, 0)
    with pytest.raises(ValueError, match="n must be 0 or more, got -1"):
        alone.nearest("a", -1)


def test_an_association_needs_words_that_differ():
    one = np.ones((1, 2))
    with pytest.raises(ValueError, match=r"a word in each of X, Y, A and B, got \[1, 0, 1, 1\]"):
        word_vectors.association_bias(one, one[:0], one, one)
    with pytest.raises(ValueError, match="expected associations that differ, got all equal"):
        word_vectors.association_bias(one, one, one, one)
