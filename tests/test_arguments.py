"""One-line errors for what fails in silence: strings for lists, ids that wrap, broken text."""

import numpy as np
import pytest
import torch

from llmcourse import arguments, plotting, world
from llmcourse.models import contexts, embeddings, mlp, ngram, probability, rnn, word_vectors
from llmcourse.models.sequence_models import RecurrentConfig, RecurrentLM
from llmcourse.models.word_vectors import WordVectors
from llmcourse.text import subwords, token_view, tokenizers
from llmcourse.text.tokenizers import Tokenizer

TABLE = {("the",): {"cat": 1}}
MODEL = ngram.fit([0, 1, 0], 2, ngram.NgramConfig(2))
WORDS = WordVectors(("a", "b", "c"), np.eye(3))
ZEROS = np.zeros((3, 2))
WINDOW = mlp.FixedWindowLM(mlp.init_params(mlp.WindowConfig(3, 2, 2, 2), np.random.default_rng(0)))
GRU = {"W_ih": np.zeros((3, 2)), "W_hh": np.zeros((3, 1)), "b_ih": np.zeros(3), "b_hh": np.zeros(3)}
HEAD = {"E": ZEROS, "W": np.zeros((2, 1)), "b": np.zeros(2)}
TAGGER = rnn.SequenceTagger(
    HEAD | {"forward": GRU, "backward": GRU, "W": np.zeros((2, 2))},
)
CLASSIFIER = rnn.SequenceClassifier(HEAD | {"gru": GRU})
LM = RecurrentLM(RecurrentConfig(vocab_size=3, d_embed=2, d_hidden=2, n_out=3))

STRINGS = {
    "texts": lambda: tokenizers.train_bpe("a text", 300),
    "special tokens": lambda: tokenizers.train_bpe(["a text"], 300, "<pad>"),
    "special tokens of a Tokenizer": lambda: Tokenizer((), "<pad>"),
    "ids to decode": lambda: Tokenizer(()).decode("12"),
    "pieces": lambda: tokenizers.learn_merges("text", 3).__next__(),
    "a piece": lambda: subwords.train_bpe({"text": 2}, 3),
    "ids of a piece": lambda: subwords.bpe_encode("text", [(0, 1)]),
    "ids to decode by hand": lambda: subwords.bpe_decode("text", [], [b"t"]),
    "vocabulary of words": lambda: subwords.word_tokenize("the cat", "the cat"),
    "vocabulary of WordPiece": lambda: subwords.wordpiece_encode("the", "the cat"),
    "tokens for bytes": lambda: subwords.byte_fallback("text", {"t"}),
    "vocabulary for bytes": lambda: subwords.byte_fallback(["text"], "text"),
    "documents": lambda: contexts.encode("the cat", 1),
    "a document": lambda: contexts.encode(["the cat"], 1),
    "ids of one_hot": lambda: contexts.one_hot("12", 3),
    "ids of cbow_batch": lambda: contexts.cbow_batch("12", 1),
    "words of lsa": lambda: embeddings.lsa(np.eye(3), "abc"),
    "words of vectors": lambda: WordVectors("abc", np.eye(3)),
    "a question": lambda: word_vectors.accuracy(WORDS, {"s": ["a b c a"]}),
    "the questions": lambda: word_vectors.accuracy(WORDS, {"s": "a b c a"}),
    "ids of a model": lambda: MODEL.logps("01"),
    "ids to count": lambda: ngram.fit("01", 2, ngram.NgramConfig(2)),
    "history": lambda: ngram.mle_prob(TABLE, "the", "cat"),
    "history, add k": lambda: ngram.add_k_prob(TABLE, "the", "cat", 1, 3),
    "history, interpolated": lambda: ngram.interpolated_prob([{}, TABLE], "the", "cat", 0.5, 3),
    "history, Kneser-Ney": lambda: ngram.kneser_ney_prob([{}, TABLE], "the", "cat", 3),
    "texts to rescore": lambda: probability.rescore("ab", [0.0, 0.0], len),
    "ids of windows": lambda: mlp.windows("0123", 2),
    "tokens of a story": lambda: world.story_log_prob("the cat"),
    "tokens before the next": lambda: world.next_probs("the cat"),
    "tokens to join": lambda: world.detokenise("the cat"),
    "words beside points": lambda: plotting.predecessors({"a": 1}, {"a": 1}, "a"),
    "words of a group": lambda: plotting.word_map({"a": (0, 0)}, {"group": "a"}),
}


@pytest.mark.parametrize("case", STRINGS)
def test_a_string_for_a_list_is_one_clear_line(case):
    with pytest.raises(TypeError, match=r"expected .*, got the string '.*'.*: ") as caught:
        STRINGS[case]()
    assert "\n" not in str(caught.value)


LISTS = {
    "pre-tokens": lambda: tokenizers.pre_tokens(["a text"]),
    "a text to encode": lambda: Tokenizer(()).encode(["a text"]),
    "bytes to encode": lambda: Tokenizer(()).encode(b"a text"),
    "words": lambda: subwords.word_tokenize(["a", "text"], {"a"}),
    "a word": lambda: subwords.wordpiece_encode(["a"], {"a"}),
    "a text with words": lambda: subwords.fertility(["a text"], list),
    "questions": lambda: word_vectors.read_questions([": s", "a b c d"]),
}


@pytest.mark.parametrize("case", LISTS)
def test_a_list_for_a_text_is_one_clear_line(case):
    with pytest.raises(TypeError, match=r"expected a \w+ as one string, got \w+ .*: join it"):
        LISTS[case]()


OUTSIDE = {  # each with an id below 0 and one past the end
    "one_hot": lambda i: contexts.one_hot([i], 3),
    "pairs": lambda i: embeddings.softmax_skipgram_loss(ZEROS, ZEROS, [(0, i)]),
    "centres": lambda i: embeddings.negative_sampling_loss(ZEROS, ZEROS, [(i, 0)], [[0]]),
    "noise words": lambda i: embeddings.negative_sampling_loss(ZEROS, ZEROS, [(0, 1)], [[i]]),
    "targets": lambda i: mlp.softmax_cross_entropy(np.zeros((1, 3)), np.array([i])),
    "windows of ids": lambda i: WINDOW.logits(np.array([[0, i]])),
    "gradient by E": lambda i: WINDOW.embedding_gradient(np.array([[i, 0]]), np.zeros((1, 4))),
    "ids scored by windows": lambda i: mlp.logps(WINDOW, np.array([0, 1, i]), 2),
    "ids of an n-gram model": lambda i: MODEL.logps([0, i]),
    "history of an n-gram model": lambda i: MODEL.probs([i]),
    "token of an n-gram model": lambda i: MODEL.prob([0], i),
    "ids to count": lambda i: ngram.fit([0, i], 3, ngram.NgramConfig(2)),
    "nearest": lambda i: word_vectors.nearest(np.eye(3), i, 1),
    "analogy": lambda i: word_vectors.analogy(np.eye(3), 0, 1, i),
    "ids of a tagger": lambda i: TAGGER.logits(np.array([[0, i]])),
    "ids of a classifier": lambda i: CLASSIFIER.logits(np.array([[0, i]]), np.array([1])),
    "ids of a language model": lambda i: LM(torch.tensor([[0, i]])),
}


@pytest.mark.parametrize("case", OUTSIDE)
@pytest.mark.parametrize("wrong", [-1, 3])
def test_an_id_outside_the_vocabulary_is_refused_and_never_counts_from_the_end(case, wrong):
    with pytest.raises(ValueError, match=rf"expected .* from 0 to \d, got {wrong}: "):
        OUTSIDE[case](wrong)


@pytest.mark.parametrize("wrong", [-1, 256])
def test_an_id_that_no_token_has_cannot_be_decoded(wrong):
    alphabet = [bytes([b]) for b in range(256)]
    for decode in (
        Tokenizer(()).decode,
        lambda ids: subwords.bpe_decode(ids, [], alphabet),
        lambda ids: token_view.history(Tokenizer(()), ids[0]),
    ):
        with pytest.raises(IndexError, match=f"expected ids from 0 to 255, got {wrong}: "):
            decode([wrong])


def test_ids_that_are_no_integers_are_refused():
    with pytest.raises(TypeError, match=r"expected ids from 0 to 2, got 1.5: encode the tokens"):
        contexts.one_hot([1.5], 3)
    with pytest.raises(TypeError, match="expected ids from 0 to 1, got 'the'"):
        MODEL.logps(["the"])
    with pytest.raises(ValueError, match=r"expected a row of ids, got the shape \(1, 2\)"):
        MODEL.logps(np.array([[0, 1]]))
    assert arguments.ids_of([]).dtype == np.int64


SURROGATE = "caf\ud83d"
BROKEN = {
    "train": lambda: tokenizers.train_bpe([SURROGATE], 260),
    "encode": lambda: Tokenizer(()).encode(SURROGATE),
    "encode with specials": lambda: Tokenizer((), ("<x>",)).encode(SURROGATE, specials=True),
    "encode a stream": lambda: list(Tokenizer(()).encode_stream(["a ", SURROGATE])),
    "special token": lambda: Tokenizer((), (SURROGATE,)),
    "byte_ids": lambda: tokenizers.byte_ids(SURROGATE),
    "byte_fallback": lambda: subwords.byte_fallback([SURROGATE], {"a"}),
    "token view": lambda: token_view.counts(Tokenizer(()), SURROGATE),
}


@pytest.mark.parametrize("case", BROKEN)
def test_half_of_a_surrogate_pair_is_refused_with_the_remedy(case):
    with pytest.raises(ValueError, match="lone surrogate") as caught:
        BROKEN[case]()
    message = str(caught.value)
    assert message.isascii() and "surrogatepass" in message
    remedy = SURROGATE.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert Tokenizer(()).decode(Tokenizer(()).encode(remedy)) == "caf\ufffd"


def test_vectors_of_a_broken_word_are_not_half_written(tmp_path):
    vectors = WordVectors(("the", SURROGATE), np.eye(2))
    with pytest.raises(ValueError, match="lone surrogate"):
        word_vectors.save(vectors, tmp_path / "vectors.txt")
    assert not (tmp_path / "vectors.txt").exists()


def test_words_are_cut_around_half_of_a_surrogate_pair():
    cut = ["caf", "\ud83d", "s"]
    assert subwords.word_tokenize(SURROGATE + "s", set(cut)) == cut
