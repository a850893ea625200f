"""Checkpoints of transformers give its logits here, and ours give ours there."""

import dataclasses
import json
import re
import shutil
import weakref

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from llmcourse.models import checkpoint_files, checkpoints
from llmcourse.models.checkpoints import load_checkpoint, save_checkpoint
from llmcourse.models.families import json_of
from llmcourse.models.transformer import Decoder, Encoder, TransformerConfig
from tests.models.peers import CLASSES, logits_of, peer, some_ids

FAMILIES = sorted(CLASSES)
# What a family can be configured to do, beside its tiny form (grouped heads, a window of 4 on 13
# tokens, soft caps).
KINDS = {
    "as it is": {},
    "tied": {"tie_word_embeddings": True},
    "untied": {"tie_word_embeddings": False},
}
KINDS_OF = {
    "gpt2": {
        "inner width": {"n_inner": 31},
        "relu": {"activation_function": "relu"},
        "squared relu": {"activation_function": "relu2"},
        "gelu in C": {"activation_function": "gelu_pytorch_tanh"},
        "gelu_fast": {"activation_function": "gelu_fast"},
        "scores not scaled": {"scale_attn_weights": False},
        "upcast": {"reorder_and_upcast_attn": True},
    },
    "llama": {
        "ungrouped": {"num_key_value_heads": None},
        "one group": {"num_key_value_heads": 1},
        "wide heads": {"head_dim": 10},
        "base": {"rope_parameters": {"rope_type": "default", "rope_theta": 300.0}},
        "gelu": {"hidden_act": "gelu_pytorch_tanh"},
    },
    "mistral": {
        "no window": {"sliding_window": None},
        "window of 1": {"sliding_window": 1},
        "wide heads": {"head_dim": 10},
        "base": {"rope_parameters": {"rope_type": "default", "rope_theta": 300.0}},
    },
    "gemma2": {
        "no soft caps": {"attn_logit_softcapping": None, "final_logit_softcapping": None},
        "every layer": {"layer_types": ["sliding_attention"] * 3},
        "no layer": {"layer_types": ["full_attention"] * 3},
        "silu": {"hidden_activation": "silu"},
        "one group": {"num_key_value_heads": 1},
    },
    "phi3": {
        "no window": {"sliding_window": None},
        "ungrouped": {"num_key_value_heads": None},
        "wide heads": {"head_dim": 10},
    },
}
CASES = [
    pytest.param(family, changes, id=f"{family}, {kind}")
    for family in FAMILIES
    for kind, changes in (KINDS | KINDS_OF[family]).items()
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One folder for each family, as transformers writes it; not to be changed."""
    written = {}
    for family in FAMILIES:
        written[family] = tmp_path_factory.mktemp(family)
        peer(family).save_pretrained(written[family])
    return written


@pytest.fixture
def folder(folders, tmp_path):
    """A copy of a family's folder, to be changed."""

    def copied(family):
        return shutil.copytree(folders[family], tmp_path / family)

    return copied


def gap(ours, theirs):
    return (ours - theirs).abs().max().item()


@pytest.mark.parametrize("family, changes", CASES)
def test_logits_are_the_peers_and_again_the_peers_when_written_back(family, changes, tmp_path):
    theirs = peer(family, **changes)
    theirs.save_pretrained(tmp_path / "theirs")
    ids = some_ids(23)
    expected = logits_of(theirs, ids)
    ours = load_checkpoint(tmp_path / "theirs")
    assert gap(logits_of(ours, ids), expected) < 1e-4
    assert sum(w.numel() for w in ours.parameters()) == ours.config.n_parameters
    save_checkpoint(ours, tmp_path / "ours", family)
    back, info = AutoModelForCausalLM.from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not any(info.values())
    assert gap(logits_of(back.eval(), ids), expected) < 1e-5
    before, after = (
        load_file(tmp_path / name / "model.safetensors") for name in ("theirs", "ours")
    )
    assert before.keys() == after.keys()
    for name in before:
        torch.testing.assert_close(after[name], before[name], atol=2e-7, rtol=0)
        if not (family == "gemma2" and "norm" in name):
            assert torch.equal(after[name], before[name])


SWITCHES = {
    "norm": "layer", "norm_position": "pre", "norm_eps": 0.1, "rotary_base": 300.0,
    "activation": "swiglu", "window": 5, "window_every": 1, "attention_soft_cap": 4.0,
    "logit_soft_cap": 6.0, "attention_scale": 0.3, "embed_scale": False,
}  # fmt: skip


@pytest.mark.parametrize("name", SWITCHES)
def test_a_network_with_one_switch_wrong_is_far_from_the_peer(folders, name):
    """So the bound of 1e-4 above cannot be met by a network that is nearly right."""
    ours = load_checkpoint(folders["gemma2"])
    other = Decoder(dataclasses.replace(ours.config, **{name: SWITCHES[name]}))
    other.load_state_dict(ours.state_dict(), strict=False)
    ids = some_ids(23)
    assert gap(logits_of(other, ids), logits_of(ours, ids)) > 1e-2


def test_another_gelu_or_a_missing_bias_is_far_from_the_peer(folders):
    ids = some_ids(23)
    expected = logits_of(load_checkpoint(folders["gpt2"]), ids)
    exact = peer("gpt2", activation_function="gelu")
    assert gap(logits_of(exact, ids), expected) > 3e-4
    for name in dict(load_checkpoint(folders["gpt2"]).named_parameters()):
        if name.endswith(".bias"):
            ours = load_checkpoint(folders["gpt2"])
            with torch.no_grad():
                ours.get_parameter(name).zero_()
            assert gap(logits_of(ours, ids), expected) > 1e-2


def test_a_square_matrix_that_is_not_transposed_is_far_from_the_peer(folder):
    path = folder("gpt2")
    ids = some_ids(23)
    expected = logits_of(load_checkpoint(path), ids)
    tensors = load_file(path / "model.safetensors")
    name = "transformer.h.1.attn.c_proj.weight"
    save_file({**tensors, name: tensors[name].T.contiguous()}, path / "model.safetensors")
    assert gap(logits_of(load_checkpoint(path), ids), expected) > 1e-2


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_a_file_of_another_dtype_loads_in_float32(family, dtype, tmp_path):
    theirs = peer(family).to(dtype)
    theirs.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["dtype"] == str(dtype)[6:]
    wide = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval()
    ours = load_checkpoint(tmp_path)
    assert {weight.dtype for weight in ours.parameters()} == {torch.float32}
    ids = some_ids(23)
    assert gap(logits_of(ours, ids), logits_of(wide, ids)) < 1e-4


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_in_bfloat16_is_close_to_the_peer_in_bfloat16(family, folders):
    theirs = AutoModelForCausalLM.from_pretrained(folders[family], dtype=torch.bfloat16).eval()
    ours = load_checkpoint(folders[family], dtype=torch.bfloat16)
    assert {weight.dtype for weight in ours.parameters()} == {torch.bfloat16}
    ids = some_ids(23)
    wide = logits_of(load_checkpoint(folders[family]), ids)
    error = gap(logits_of(theirs, ids).float(), wide)  # of the peer, by rounding
    assert gap(logits_of(ours, ids).float(), wide) < 2 * error


@pytest.mark.parametrize("family", FAMILIES)
def test_shards_load(family, folders, tmp_path):
    peer(family).save_pretrained(tmp_path, max_shard_size="4kB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 2
    assert not (tmp_path / "model.safetensors").exists()
    ours, whole = load_checkpoint(tmp_path), load_checkpoint(folders[family])
    assert all(torch.equal(ours.state_dict()[k], v) for k, v in whole.state_dict().items())


@pytest.mark.parametrize("family", FAMILIES)
def test_names_without_prefix_load(family, folder):
    """A file of the model without its head, GPT2Model for one, has no prefix."""
    path = folder(family)
    expected = load_checkpoint(path).state_dict()
    prefix = checkpoints.prefix_of(family)
    tensors = load_file(path / "model.safetensors")
    bare = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    assert bare.keys() != tensors.keys()
    save_file(bare, path / "model.safetensors")
    ours = load_checkpoint(path).state_dict()
    assert all(torch.equal(ours[name], tensor) for name, tensor in expected.items())


def test_the_model_without_head_of_the_peer_loads(tmp_path):
    theirs = peer("gpt2")
    theirs.transformer.save_pretrained(tmp_path)
    names = load_file(tmp_path / "model.safetensors").keys()
    assert "wte.weight" in names and not any(name.startswith("transformer.") for name in names)
    ids = some_ids(23)
    assert gap(logits_of(load_checkpoint(tmp_path), ids), logits_of(theirs, ids)) < 1e-4


@pytest.mark.parametrize(
    "family, name",
    [
        ("gpt2", "transformer.h.0.attn.bias"),
        ("gpt2", "transformer.h.0.attn.masked_bias"),
        ("llama", "model.layers.0.self_attn.rotary_emb.inv_freq"),
    ],
)
def test_buffers_of_earlier_versions_are_left_out(family, name, folder):
    path = folder(family)
    tensors = load_file(path / "model.safetensors")
    save_file({**tensors, name: torch.zeros(3)}, path / "model.safetensors")
    load_checkpoint(path)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_tied_head_is_one_tensor_here_and_in_the_file(family, tmp_path):
    theirs = peer(family, tie_word_embeddings=True)
    theirs.save_pretrained(tmp_path)
    ours = load_checkpoint(tmp_path)
    assert not any("head" in name for name in ours.state_dict())
    save_checkpoint(ours, tmp_path / "ours", family)
    assert "lm_head.weight" not in load_file(tmp_path / "ours" / "model.safetensors")
    # A file may hold the head all the same, if it holds the same values.
    tensors = load_file(tmp_path / "model.safetensors")
    embedding = tensors[
        checkpoints.full_name(checkpoints.NAMES[family]["embed"][0], family) + ".weight"
    ]
    save_file({**tensors, "lm_head.weight": embedding.clone()}, tmp_path / "model.safetensors")
    load_checkpoint(tmp_path)
    save_file({**tensors, "lm_head.weight": embedding + 1e-3}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"^expected lm_head.weight equal to .*: set tie_word"):
        load_checkpoint(tmp_path)


CONFIGS = {
    "gpt2": TransformerConfig(23, 17, 2, 4, 24, 30, tied_head=False),
    "llama": TransformerConfig(
        23, 40, 2, 4, 24, 20, n_kv_heads=2, norm="rms", positions="rotary", activation="swiglu",
        bias=False, tied_head=False,
    ),
}  # fmt: skip
CONFIGS["mistral"] = dataclasses.replace(CONFIGS["llama"], window=3, d_head=8)
CONFIGS["phi3"] = dataclasses.replace(CONFIGS["llama"], tied_head=True)
CONFIGS["gemma2"] = dataclasses.replace(
    CONFIGS["llama"], norm_position="both", activation="geglu", window=3, window_every=2,
    embed_scale=True, tied_head=True, attention_soft_cap=5.0,
)  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", [None, torch.float64])
def test_our_model_comes_back_exactly(family, dtype, tmp_path):
    model = Decoder(CONFIGS[family])
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_(1.0 if "norm.weight" in name else 0.0, 0.1)
    save_checkpoint(model, tmp_path / "new" / "folder", family, dtype)
    back = load_checkpoint(tmp_path / "new" / "folder")
    assert json_of(back.config, family) == json_of(model.config, family)
    assert back.state_dict().keys() == model.state_dict().keys()
    for name, tensor in model.state_dict().items():
        assert torch.equal(back.state_dict()[name], tensor), name
    assert all(weight.requires_grad for weight in back.parameters())
    save_checkpoint(back, tmp_path / "new" / "folder", family, torch.bfloat16)  # once more
    assert load_checkpoint(tmp_path / "new" / "folder").config == back.config
    assert [p.name for p in sorted((tmp_path / "new" / "folder").iterdir())] == [
        "config.json", "model.safetensors",
    ]  # fmt: skip


def test_a_loaded_model_does_not_read_its_file_any_more(folder):
    path = folder("llama")
    model = load_checkpoint(path)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    file = np.memmap(path / "model.safetensors", np.uint8, "r+")
    file[-400:] = 0
    file.flush()
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("family", FAMILIES)
def test_loading_holds_one_tensor_of_the_file_at_a_time(family, folders, monkeypatch):
    alive, most, read = weakref.WeakSet(), [], []
    original = checkpoint_files.Stored.read

    def counted(stored):
        most.append(len(alive))
        read.append(stored.name)
        tensor = original(stored)
        alive.add(tensor)
        return tensor

    monkeypatch.setattr(checkpoint_files.Stored, "read", counted)
    load_checkpoint(folders[family])
    assert max(most) <= 1  # the one that was read before
    assert sorted(read) == sorted(load_file(folders[family] / "model.safetensors"))


def cut(path):
    file = path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def header_only(path):
    file = path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:50])


def without(name):
    def change(path):
        tensors = load_file(path / "model.safetensors")
        del tensors[name]
        save_file(tensors, path / "model.safetensors")

    return change


def replaced(name, tensor):
    def change(path):
        tensors = load_file(path / "model.safetensors")
        save_file({**tensors, name: tensor}, path / "model.safetensors")

    return change


UP = "model.layers.1.mlp.up_proj.weight"


def configured(**new):
    def change(path):
        config = json.loads((path / "config.json").read_text())
        (path / "config.json").write_text(json.dumps(config | new))

    return change


def text(name, contents):
    return lambda path: (path / name).write_text(contents)


def without_weights(path):
    (path / "model.safetensors").unlink()


def pickled(path):
    without_weights(path)
    torch.save({}, path / "pytorch_model.bin")


def indexed(weight_map):
    def change(path):
        shutil.move(path / "model.safetensors", path / "a.safetensors")
        names = dict.fromkeys(load_file(path / "a.safetensors"), "a.safetensors")
        new = names | weight_map if isinstance(weight_map, dict) else weight_map
        (path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": new}))

    return change


WRONG = {
    "cut off": (cut, r"a whole safetensors file, got .*model.safetensors of \d+ bytes"),
    "cut in the header": (header_only, r"a whole safetensors file, got .* of 50 bytes"),
    "a text": (text("model.safetensors", "<html>Not found</html>"), "a whole safetensors file"),
    "an empty file": (text("model.safetensors", ""), "a whole safetensors file, got .* of 0 bytes"),
    "a pickle": (pickled, r"model.safetensors or .* got pytorch_model.bin, a pickle"),
    "no weights": (without_weights, r"model.safetensors or .* in .*llama, got none"),
    "no config": (lambda path: (path / "config.json").unlink(), "the file .*config.json, got no"),
    "a config that is no JSON": (text("config.json", "{"), r"JSON in .*config.json, got Expecting"),
    "a config that is a list": (text("config.json", "[]"), r"an object in .*config.json, got list"),
    "a config nested deeply": (text("config.json", "[" * 99_999), r"JSON in .*config.json, got"),
    "a missing tensor": (
        without(UP),
        r"the tensor model.layers.1.mlp.up_proj.weight of llama, got 29 tensors without it",
    ),
    "a foreign tensor": (replaced("score.weight", torch.ones(3)), "the tensors of llama .* 'score"),
    "another shape": (
        replaced(UP, torch.ones(20, 23)),
        r"model.layers.1.mlp.up_proj.weight of shape \(20, 24\), .* got \(20, 23\)",
    ),
    "a turned matrix": (
        replaced(UP, torch.ones(24, 20)),
        r"model.layers.1.mlp.up_proj.weight of shape \(20, 24\), .* got \(24, 20\)",
    ),
    "other sizes in the config": (
        configured(intermediate_size=21),
        r"model.layers.0.mlp.gate_proj.weight of shape \(21, 24\), .* got \(20, 24\)",
    ),
    "more layers": (configured(num_hidden_layers=4), "the tensor model.layers.3.* got 30 t"),
    "fewer layers": (configured(num_hidden_layers=2), "the tensors of .* 'model.layers.2"),
    "another family in the config": (
        lambda path: (path / "config.json").write_text('{"model_type": "gpt2", "vocab_size": 23}'),
        r"the tensor transformer.wte.weight of gpt2, got 30 tensors without it",
    ),
    "integers": (
        replaced(UP, torch.ones(20, 24, dtype=torch.int8)),
        r"model.layers.1.mlp.up_proj.weight in floating point .* got I8",
    ),
    "an untied head that is missing": (
        without("lm_head.weight"),
        r"the tensor lm_head.weight of llama, got 29 tensors without it",
    ),
    "the same name twice": (
        replaced("norm.weight", torch.ones(24)),
        r"each tensor once in .*, got 'model.norm.weight' and 'norm.weight'",
    ),
    "a missing shard": (indexed({"x": "b.safetensors"}), r"the shard .*b.safetensors, .* got none"),
    "a tensor that is not in its shard": (
        indexed({"x": "a.safetensors"}),
        r"the tensor 'x' in .*a.safetensors, as model.safetensors.index.json says, got none",
    ),
    "a shard elsewhere": (indexed({"x": "../a.safetensors"}), "the name .* 'x' in .* got '../a"),
    "a shard without a name": (indexed({"x": 3}), r"the name of a file .* for 'x' in .* got 3"),
    "an index without a map": (indexed(None), r"an object weight_map in .*, got None"),
    "an index that is no JSON": (
        lambda path: (without_weights(path), text("model.safetensors.index.json", "no")(path)),
        r"JSON in .*index.json, got Expecting value",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_folder_is_one_line(kind, folder):
    change, expected = WRONG[kind]
    path = folder("llama")
    change(path)
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert re.search(rf"^expected {expected}", message)
    assert re.fullmatch(r"expected .* got .*: .*", message)  # no line break


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"^expected the file .*none.config.json, got none: "
    ):
        load_checkpoint(tmp_path / "none")


def test_what_no_family_can_hold_is_not_written(tmp_path):
    config = CONFIGS["gpt2"]
    path = tmp_path / "new"
    with pytest.raises(TypeError, match=r"^expected a Decoder, got Encoder: "):
        save_checkpoint(Encoder(config), path, "gpt2")
    with pytest.raises(ValueError, match=r"^expected a decoder as gpt2 has it, got one with "):
        save_checkpoint(Decoder(config, cross=True), path, "gpt2")
    with pytest.raises(ValueError, match=r"^expected norm='rms', .* llama .* got 'layer': "):
        save_checkpoint(Decoder(config), path, "llama")
    assert not path.exists()
    path.mkdir()
    (path / "model.safetensors.index.json").touch()
    with pytest.raises(ValueError, match=r"^expected a folder without shards, got .*: give "):
        save_checkpoint(Decoder(config), path, "gpt2")
    assert len(list(path.iterdir())) == 1
