"""Load and write checkpoints: local safetensors folders of GPT-2, Llama, Mistral, Gemma 2, Phi-3.

A folder holds `config.json` and `model.safetensors`, or shards with `model.safetensors.index.json`.
Their names of tensors begin with `transformer.` (GPT-2) or `model.`, but for the head; files of the
model without its head lack that prefix, and both load. The names behind it, by our parameter:

    ours (blocks.{i}.)   GPT-2 (h.{i}.)   Llama, Mistral (layers.{i}.)   and in the file
    attention_norm       ln_1             input_layernorm                Gemma 2: weight - 1
    attention.qkv        attn.c_attn      self_attn.{q,k,v}_proj         GPT-2 transposed, Llama cut
    attention.out        attn.c_proj      self_attn.o_proj               GPT-2 transposed
    feed_forward_norm    ln_2             post_attention_layernorm       Gemma 2: weight - 1
    feed_forward.up      mlp.c_fc         mlp.{gate,up}_proj             GPT-2 transposed, Llama cut
    feed_forward.down    mlp.c_proj       mlp.down_proj                  GPT-2 transposed
    (no block) embed     wte              embed_tokens
    positions            wpe              (computed from the positions)
    norm                 ln_f             norm                           Gemma 2: weight - 1
    head                 lm_head          lm_head                        if it is not tied

    Phi-3    is Llama uncut: self_attn.qkv_proj (q, k, v) and mlp.gate_up_proj (gate, up).
    Gemma 2  has a norm on both sides: post_attention_layernorm is our attention_out_norm, and
             {pre,post}_feedforward_layernorm are feed_forward_norm and feed_forward_out_norm.

Why transposed: GPT-2 was written with a layer that computes x W, so W is (in, out); torch's Linear
computes x W^T. `attn.c_proj` is square: a copy as it is fits, and gives other logits.
Why cut: q, k and v, and gate and up, are rows of one matrix here, for one product each.
Why weight - 1: Gemma's norm multiplies by 1 + weight. Our parameter is the sum, so that one norm
serves all families; it is rounded at the precision of 1 (6e-8 in float32).
Why no head where it is tied: it is the embedding, one tensor, here and in the file.

Not here: downloads, pickles (`pytorch_model.bin`, which can run code when it is read), quantized
weights, the tokenizer. `llmcourse.models.families` reads `config.json`.

unit: 08_transformers
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import save_file

from llmcourse.models.checkpoint_files import (
    CONFIG,
    INDEX,
    WEIGHTS,
    Stored,
    json_object,
    opened_file,
    stored_tensors,
)
from llmcourse.models.families import config_of, json_of
from llmcourse.models.transformer import Decoder

FLOATS = ("F64", "F32", "F16", "BF16")  # safetensors' names
HEAD = "lm_head.weight"

_GPT2 = {
    "embed": ("wte",),
    "positions": ("wpe",),
    "norm": ("ln_f",),
    "attention_norm": ("ln_1",),
    "attention.qkv": ("attn.c_attn",),
    "attention.out": ("attn.c_proj",),
    "feed_forward_norm": ("ln_2",),
    "feed_forward.up": ("mlp.c_fc",),
    "feed_forward.down": ("mlp.c_proj",),
}
_LLAMA = {
    "embed": ("embed_tokens",),
    "norm": ("norm",),
    "attention_norm": ("input_layernorm",),
    "attention.qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "attention.out": ("self_attn.o_proj",),
    "feed_forward_norm": ("post_attention_layernorm",),
    "feed_forward.up": ("mlp.gate_proj", "mlp.up_proj"),
    "feed_forward.down": ("mlp.down_proj",),
}
NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "gpt2": _GPT2,
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "gemma2": _LLAMA
    | {
        "attention_out_norm": ("post_attention_layernorm",),
        "feed_forward_norm": ("pre_feedforward_layernorm",),
        "feed_forward_out_norm": ("post_feedforward_layernorm",),
    },
    "phi3": _LLAMA
    | {"attention.qkv": ("self_attn.qkv_proj",), "feed_forward.up": ("mlp.gate_up_proj",)},
}


class Part(NamedTuple):
    """Rows `start` to `stop` of one of our parameters, as a tensor of the file.

    transposed: stored (in, out). plus: what our value is larger by.
    """

    ours: str
    start: int
    stop: int
    theirs: str
    transposed: bool = False
    plus: float = 0.0


def prefix_of(family: str) -> str:
    """Return what the names of a family's tensors begin with, but for the head."""
    return "transformer." if family == "gpt2" else "model."


def full_name(name: str, family: str) -> str:
    """Return the name of a tensor with its prefix."""
    return name if name == HEAD else prefix_of(family) + name


def parts_of(model: Decoder, family: str) -> Iterator[Part]:
    """Yield the tensors of a family's file that make up the model, with names without prefix."""
    config = model.config
    heads = config.n_heads, config.kv_heads, config.kv_heads  # of queries, keys, values
    rows = {
        "attention.qkv": [n * config.head_width for n in heads],
        "feed_forward.up": [config.d_ff, config.d_ff],
    }
    for ours, parameter in model.named_parameters():
        if ours == "head.weight":
            yield Part(ours, 0, len(parameter), HEAD)
            continue
        block = re.fullmatch(r"blocks\.(\d+)\.(.+)\.(weight|bias)", ours)
        stem, kind = block.groups()[1:] if block else ours.rsplit(".", 1)
        if stem not in NAMES[family]:
            raise ValueError(
                f"expected a decoder as {family} has it, got one with {ours}: build it without "
                "cross-attention"
            )
        front = f"{'h' if family == 'gpt2' else 'layers'}.{block[1]}." if block else ""
        names = NAMES[family][stem]
        start = 0
        for i, name in enumerate(names):
            stop = len(parameter) if len(names) == 1 else start + rows[stem][i]
            yield Part(
                ours,
                start,
                stop,
                f"{front}{name}.{kind}",
                transposed=family == "gpt2" and block is not None and parameter.dim() == 2,
                plus=1.0 if family == "gemma2" and stem.endswith("norm") else 0.0,
            )
            start = stop


def load_checkpoint(
    folder: str | Path,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Decoder:
    """Return the decoder that a folder of one of the five families describes, with its weights.

    dtype: of the weights in memory, whatever the file has. Tensors are read one by one into the
    model, so the memory needed is the model's and that of the largest tensor.

    Raises FileNotFoundError for a file that is not there, and ValueError for a configuration that
    is not supported and for files that do not hold exactly its tensors.
    """
    folder = Path(folder)
    config, family = config_of(json_object(folder / CONFIG))
    with torch.device("meta"):  # shapes only: nothing is drawn that is overwritten at once
        model = Decoder(config)
    parts = list(parts_of(model, family))
    with ExitStack() as files, torch.no_grad():
        stored = stored_tensors(
            folder, prefix_of(family), lambda path: files.enter_context(opened_file(path))
        )
        _compare(model, parts, stored, family)
        model.to(dtype).to_empty(device=device)
        for part in parts:
            tensor = stored[part.theirs].read()
            if part.plus:  # in float32: bfloat16 would lose what is small beside 1
                tensor = tensor.float() + part.plus
            rows = model.get_parameter(part.ours)[part.start : part.stop]
            rows.copy_(tensor.T if part.transposed else tensor)
        if config.tied_head and HEAD in stored:
            _compare_head(stored, NAMES[family]["embed"][0] + ".weight")
    return model


def save_checkpoint(
    model: Decoder, folder: str | Path, family: str, dtype: torch.dtype | None = None
) -> None:
    """Write the decoder as `config.json` and `model.safetensors` of a family; make the folder.

    dtype: of the file, by default that of the weights. Both files are replaced if they are there.
    Raises ValueError for a model that the family cannot express, and for a folder of shards.
    """
    if not isinstance(model, Decoder):
        raise TypeError(
            f"expected a Decoder, got {type(model).__name__}: only decoders have a family's layout"
        )
    folder, dtype = Path(folder), dtype or model.embed.weight.dtype
    config = json_of(model.config, family) | {"dtype": str(dtype).removeprefix("torch.")}
    tensors = {}
    for part in parts_of(model, family):
        rows = model.get_parameter(part.ours).detach()[part.start : part.stop].cpu()
        if part.plus:
            rows = rows.float() - part.plus
        rows = (rows.T if part.transposed else rows).to(dtype)
        tensors[full_name(part.theirs, family)] = rows.contiguous()
    if (folder / INDEX).exists():
        raise ValueError(
            f"expected a folder without shards, got {folder} with {INDEX}: give another folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    # Readers may have the old file mapped into memory: it is replaced, not written over.
    unfinished = folder / f"{WEIGHTS}.unfinished"
    save_file(tensors, unfinished, metadata={"format": "pt"})
    os.replace(unfinished, folder / WEIGHTS)
    text = json.dumps(config, indent=2, sort_keys=True)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")


def _compare(model: Decoder, parts: list[Part], stored: dict[str, Stored], family: str) -> None:
    """Raise ValueError unless the files hold the model's tensors, each of the right shape."""
    for part in parts:
        if part.theirs not in stored:
            raise ValueError(
                f"expected the tensor {full_name(part.theirs, family)} of {family}, got "
                f"{len(stored)} tensors without it: does {CONFIG} belong to these files?"
            )
        tensor = stored[part.theirs]
        expected = (part.stop - part.start, *model.get_parameter(part.ours).shape[1:])
        expected = expected[::-1] if part.transposed else expected
        if tensor.shape() != expected:
            raise ValueError(
                f"expected {tensor.name} of shape {expected}, as {CONFIG} says, got "
                f"{tensor.shape()} in {tensor.path}: does {CONFIG} belong to these files?"
            )
        if tensor.dtype() not in FLOATS:
            raise ValueError(
                f"expected {tensor.name} in floating point ({', '.join(FLOATS)}), got "
                f"{tensor.dtype()} in {tensor.path}: take the checkpoint that is not quantized"
            )
    known = {part.theirs for part in parts} | ({HEAD} if model.config.tied_head else set())
    for name in sorted(stored.keys() - known):
        raise ValueError(
            f"expected the tensors of {family} alone, got {stored[name].name!r} in "
            f"{stored[name].path}, too: it belongs to another kind of model"
        )


def _compare_head(stored: dict[str, Stored], embed: str) -> None:
    """Raise ValueError if a head that is to be the embedding is stored with other values."""
    head, table = stored[HEAD].read(), stored[embed].read()
    if head.shape != table.shape or not torch.equal(head, table.to(head.dtype)):
        raise ValueError(
            f"expected {HEAD} equal to {stored[embed].name}, as tie_word_embeddings is true, got "
            "other values: set tie_word_embeddings to false in config.json"
        )
