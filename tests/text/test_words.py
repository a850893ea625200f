"""A tokenizer of whole words: the world's texts, and the same ids from `tokenizers`."""

import pytest
import tokenizers

from llmcourse import world
from llmcourse.text.characters import CharacterTokenizer, load_tokenizer
from llmcourse.text.words import WordTokenizer

WORDS = ("'s", "cat", "<|end|>", "Mia", "o'clock", "six", ".")
TOKENIZER = WordTokenizer(WORDS, ("<|end|>",))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Mia's cat.", [3, 0, 1, 6]),
        ("Mia 's cat .", [3, 0, 1, 6]),  # a text with a space between any two tokens
        ("six o'clock", [5, 4]),
        ("  \n", []),
        ("", []),
    ],
)
def test_words_possessives_and_marks_are_tokens(text, ids):
    assert TOKENIZER.encode(text) == ids


def test_the_tokens_of_a_story_come_back_from_its_text():
    tokenizer = WordTokenizer(tuple(world.vocabulary()), (world.END,))
    for story in world.stories(200, seed=1):
        ids = tokenizer.encode(story.text)
        assert tuple(tokenizer.tokens[i] for i in ids) == story.tokens[:-1]
        assert tokenizer.encode(tokenizer.decode(ids)) == ids


def test_tokenizers_loads_the_file_and_gives_the_same_ids(tmp_path):
    path = tmp_path / "tokenizer.json"
    tokenizer = WordTokenizer(tuple(world.vocabulary()), (world.END,))
    tokenizer.save(path)
    peer = tokenizers.Tokenizer.from_file(str(path))
    for story in world.stories(50, seed=2):
        ids = tokenizer.encode(story.text)
        assert peer.encode(story.text).ids == ids
        assert peer.decode(ids) == tokenizer.decode(ids)
    assert peer.token_to_id(world.END) == tokenizer.special_ids[world.END]


def test_a_file_comes_back_and_others_are_told_apart(tmp_path):
    path = tmp_path / "tokenizer.json"
    TOKENIZER.save(path)
    assert load_tokenizer(path) == TOKENIZER
    CharacterTokenizer.of("abba").save(path)
    assert isinstance(load_tokenizer(path), CharacterTokenizer)
    with pytest.raises(ValueError, match="a tokenizer\\.json of whole words"):
        WordTokenizer.load(path)


@pytest.mark.parametrize(
    ("text", "word"), [("Mia's dog", "'dog'"), ("<|end|>", "'<'"), ("mia", "'mia'")]
)
def test_a_word_that_is_not_in_the_list_is_named(text, word):
    with pytest.raises(ValueError, match=f"got {word}"):
        TOKENIZER.encode(text)


@pytest.mark.parametrize(
    ("words", "specials"), [(("a", "a"), ()), (("a",), ("<|end|>",)), (("a b",), ())]
)
def test_lists_that_cannot_be_are_refused(words, specials):
    with pytest.raises(ValueError, match="expected"):
        WordTokenizer(words, specials)
    with pytest.raises(TypeError, match="tuple of words"):
        WordTokenizer("abc")


def test_ids_out_of_range_are_refused():
    with pytest.raises(ValueError, match="expected"):
        TOKENIZER.decode([7])
