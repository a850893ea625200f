"""What ships is what the record says, and the smallest recipe gives its recorded loss again."""

import json

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from llmcourse import world
from llmcourse.models.model_folder import END
from llmcourse.models.transformer import Encoder
from llmcourse.training import base_models as base

RECORDED = json.loads(base.RECORD.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shipped():
    return base.load_base_decoder()


def test_the_decoder_that_ships_is_as_near_the_floor_as_recorded(shipped):
    model, _ = shipped
    bits, floor = base.distance_to_floor(model)
    entry = RECORDED["decoder"]
    assert bits == pytest.approx(entry["bits_per_token"], abs=5e-4)
    assert floor == pytest.approx(entry["floor"], abs=5e-4)
    assert entry["above_floor"] == pytest.approx(bits / floor - 1, abs=1e-3)
    assert bits / floor - 1 < 0.05
    assert model.config.n_parameters == base.RECIPES["decoder"].config.n_parameters
    assert not model.training


def test_the_smallest_recipe_gives_its_recorded_loss():
    # In float32: a machine without bfloat16 gives the same, but for rounding.
    bits, floor = base.distance_to_floor(base.trained(base.RECIPES["tiny"], bf16=False), 200)
    assert bits == pytest.approx(RECORDED["tiny"]["bits_per_token"], abs=0.05)
    assert bits > floor


def test_transformers_loads_the_decoder_as_it_is(shipped):
    model, tokenizer = shipped
    text = next(iter(world.stories(1, seed=3))).text
    ids = [tokenizer.special_ids[END], *tokenizer.encode(text)]
    peer = AutoModelForCausalLM.from_pretrained(base.FOLDER, dtype=torch.float32).eval()
    assert AutoTokenizer.from_pretrained(base.FOLDER)(text).input_ids == ids[1:]
    with torch.no_grad():
        row = torch.tensor([ids])
        torch.testing.assert_close(peer(row).logits, model(row), atol=1e-4, rtol=1e-4)


def test_ids_are_those_of_whole_batches(shipped):
    _, tokenizer = shipped
    assert tokenizer == base.world_tokenizer()
    (ids, targets), *_ = base.story_batches("ids", 1, 1)
    story = next(iter(world.stories(1, seed="ids")))
    assert ids[0].tolist() == [tokenizer.special_ids[END], *tokenizer.encode(story.text)]
    assert targets[0, -1] == tokenizer.special_ids[END]


def test_the_models_that_ship_are_small():
    assert sum(path.stat().st_size for path in base.FOLDER.iterdir()) < 4_000_000
    assert RECORDED.keys() == base.RECIPES.keys()


def test_the_encoder_of_unit_11_can_be_built():
    encoder = Encoder(base.ENCODER)
    counted = sum(p.numel() for p in encoder.parameters())
    assert counted == base.ENCODER.n_parameters < 2_000_000  # in 16 bits less than 4 MB
    states = encoder(torch.zeros(2, base.CONTEXT, dtype=torch.long))
    assert states.shape == (2, base.CONTEXT, base.ENCODER.d_model)
