"""A folder with model and tokenizer comes back, and transformers loads it as it is."""

import re

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from llmcourse.models.model_folder import END, load_folder, save_folder
from llmcourse.models.transformer import Decoder
from llmcourse.models.transformer_config import TransformerConfig
from llmcourse.text.characters import CharacterTokenizer
from llmcourse.text.tokenizers import train_bpe
from llmcourse.text.words import PATTERN, WordTokenizer

TEXT = "To be, or not to be: that is the question.\n\nnaïve 🙂 don't   stop\n"
TOKENIZERS = {
    "characters": lambda: CharacterTokenizer.of(TEXT, [END]),
    "bpe": lambda: train_bpe([TEXT], 270, [END]),
    "words": lambda: WordTokenizer((*sorted(set(re.findall(PATTERN, TEXT))), END), (END,)),
}


def made(tokenizer):
    """A decoder with weights that are large enough to tell networks apart."""
    torch.manual_seed(0)
    model = Decoder(
        TransformerConfig(
            tokenizer.vocab_size, 32, n_layers=2, n_heads=2, d_model=16, d_ff=24, norm="rms",
            positions="rotary", activation="swiglu", bias=False,
        )
    )  # fmt: skip
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 0.3)
    return model.eval()


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_transformers_loads_the_folder_with_the_same_ids_and_logits(kind, tmp_path):
    tokenizer = TOKENIZERS[kind]()
    model = made(tokenizer)
    save_folder(tmp_path, model, tokenizer)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    peer = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    ids = tokenizer.encode(TEXT)[:30]
    assert theirs(TEXT).input_ids[:30] == ids
    assert theirs.decode(ids) == tokenizer.decode(ids)
    end = tokenizer.special_ids[END]
    assert theirs.eos_token_id == theirs.bos_token_id == end == peer.generation_config.eos_token_id
    with torch.no_grad():
        given = torch.tensor([[end, *ids]])
        torch.testing.assert_close(peer(given).logits, model(given), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_folder_comes_back(kind, tmp_path):
    tokenizer = TOKENIZERS[kind]()
    model = made(tokenizer)
    save_folder(tmp_path, model, tokenizer)
    again, same = load_folder(tmp_path)
    ids = torch.tensor([tokenizer.encode(TEXT)[:20]])
    assert same == tokenizer and not again.training and torch.equal(again(ids), model(ids))


def test_another_tokenizer_and_a_missing_file_are_refused(tmp_path):
    tokenizer = TOKENIZERS["characters"]()
    model = made(tokenizer)
    for other in (CharacterTokenizer.of("ab", [END]), CharacterTokenizer.of(TEXT + "#")):
        with pytest.raises(ValueError, match=r"expected a tokenizer of \d+ tokens with"):
            save_folder(tmp_path, model, other)
    assert not list(tmp_path.iterdir())
    save_folder(tmp_path, model, tokenizer)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json, got none"):
        load_folder(tmp_path)
